/* filmgate hold: what has to be kept, whoever wants it deleted. */
#include <stdio.h>

#include "account/account.h"
#include "base/scan.h"
#include "base/time.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "job/hold.h"

#define SHOWN 200

static bool is_user(struct fg_str user)
{
    return !user.p || (user.n && utf8_count(user) <= ACCOUNT_USER_MAX);
}

enum fg_code cli_hold_add(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct hold h = { .user = fg_str_c(cli_option(argc, argv, "--user")), .reason = fg_str_c(cli_option(argc, argv, "--reason")),
                      .by = fg_str_c(cli_option(argc, argv, "--by")) };
    struct fg_str job = fg_str_c(cli_option(argc, argv, "--job"));
    struct db *db;
    int64_t id;
    if (!h.reason.n || !h.by.n || utf8_count(h.reason) > HOLD_REASON_MAX || utf8_count(h.by) > HOLD_BY_MAX)
        return fg_fail(cx, FG_INVALID_REQUEST, "--reason and --by are needed: why, and who says so (%d and %d characters at "
                       "most)", HOLD_REASON_MAX, HOLD_BY_MAX);
    if ((h.user.p && job.p) || !is_user(h.user))
        return fg_fail(cx, FG_INVALID_REQUEST, "A hold is of the whole account, of one --user or of one --job");
    enum fg_code rc = cli_db_account(cx, conf, argv[0], &db, &h.account_id);
    if (rc != FG_OK)
        return rc;
    rc = hold_add(cx, db, &h, job, &id);
    if (rc == FG_OK)
        printf("hold %lld\n", (long long)id);
    db_close(db);
    return rc;
}

struct hold_row {
    int64_t id, since_us, ended_us;
    struct fg_str account, user, job, reason, by;
};
static const struct db_col hold_cols[] = {
    COL(struct hold_row, id),     COL(struct hold_row, account), COL(struct hold_row, user),     COL(struct hold_row, job),
    COL(struct hold_row, reason), COL(struct hold_row, by),      COL(struct hold_row, since_us), COL(struct hold_row, ended_us),
};

static void print_hold(struct fg_ctx *cx, const struct hold_row *h)
{
    printf("%-6lld %.*s", (long long)h->id, FG_P(h->account));
    if (h->user.p)
        printf("  user %.*s", FG_P(cli_quoted(cx, h->user)));
    if (h->job.p)
        printf("  %.*s", FG_P(h->job));
    printf("  since %.*s by %.*s", FG_P(time_iso(cx->mem, h->since_us)), FG_P(cli_quoted(cx, h->by)));
    if (h->ended_us)
        printf("  ended %.*s", FG_P(time_iso(cx->mem, h->ended_us)));
    printf("  %.*s\n", FG_P(cli_quoted(cx, h->reason)));
}

enum fg_code cli_hold_list(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    int64_t account = 0;
    struct hold_row *row;
    size_t n;
    enum fg_code rc = argc ? cli_db_account(cx, conf, argv[0], &db, &account) : cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = DB_ALL(cx, db, SQL_HOLDS, DB_ARGS(DB_TIME(account), DB(account), DB(SHOWN)), DB_COLS(hold_cols), &row, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        print_hold(cx, &row[i]);
    db_close(db);
    return rc;
}

enum fg_code cli_hold_end(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    struct fg_str reason = fg_str_c(cli_option(argc, argv, "--reason"));
    int64_t id;
    if (!scan_all_i64(fg_str_c(argv[0]), 1, INT64_MAX, &id))
        return fg_fail(cx, FG_INVALID_REQUEST, "HOLD is the number that 'filmgate hold list' shows");
    enum fg_code rc = cli_reason_check(cx, reason);
    if (rc == FG_OK)
        rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = hold_end(cx, db, id, reason);
    if (rc == FG_OK)
        printf("hold %lld has ended; what is old goes when the sweeper comes by\n", (long long)id);
    db_close(db);
    return rc;
}
