/* filmgate hold: what has to be kept, whoever wants it deleted. */
#include <stdio.h>

#include "account/account.h"
#include "base/scan.h"
#include "base/time.h"
#include "base/utf8.h"
#include "cli/cli.h"

#define REASON_MAX 200
#define BY_MAX 64
#define SHOWN 200

struct adding {
    int64_t account_id, job_id, id;
    struct fg_str user, job, reason, by;
};
static const struct db_col id_cols[] = { { DB_TAG_I64, 0 } };

/* In-flight deletions are waited for. */
static enum fg_code add_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct adding *a = arg;
    int64_t gate;
    bool found = true;
    enum fg_code rc = db_one(cx, db, SQL_HOLD_GATE_CLOSE, DB_NO_ARGS, DB_COLS(id_cols), &gate, &found);
    a->job_id = 0;
    if (rc == FG_OK && a->job.p)
        rc = db_one(cx, db, SQL_JOB_ID_OF, DB_ARGS(DB(a->job), DB(a->account_id)), DB_COLS(id_cols), &a->job_id, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "The account has no such job.");
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_HOLD_ADD, DB_ARGS(DB(a->account_id), DB(a->user), DB_TIME(a->job_id), DB(a->reason), DB(a->by),
                                                  DB(cx->now_us)));
    a->id = db->insert_id;
    return rc;
}

enum fg_code cli_hold_add(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct adding a = { .user = fg_str_c(cli_option(argc, argv, "--user")), .job = fg_str_c(cli_option(argc, argv, "--job")),
                        .reason = fg_str_c(cli_option(argc, argv, "--reason")), .by = fg_str_c(cli_option(argc, argv, "--by")) };
    struct db *db;
    if (!a.reason.n || !a.by.n || utf8_count(a.reason) > REASON_MAX || utf8_count(a.by) > BY_MAX)
        return fg_fail(cx, FG_INVALID_REQUEST, "--reason and --by are needed: why, and who says so (%d and %d characters at "
                       "most)", REASON_MAX, BY_MAX);
    if ((a.user.p && a.job.p) || (a.user.p && (!a.user.n || utf8_count(a.user) > ACCOUNT_USER_MAX)))
        return fg_fail(cx, FG_INVALID_REQUEST, "A hold is of the whole account, of one --user or of one --job");
    enum fg_code rc = cli_db_account(cx, conf, argv[0], &db, &a.account_id);
    if (rc != FG_OK)
        return rc;
    rc = db_tx(cx, db, add_body, &a);
    if (rc == FG_OK)
        printf("hold %lld\n", (long long)a.id);
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
    int64_t id;
    (void)argc;
    if (!scan_all_i64(fg_str_c(argv[0]), 1, INT64_MAX, &id))
        return fg_fail(cx, FG_INVALID_REQUEST, "HOLD is the number that 'filmgate hold list' shows");
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = db_run(cx, db, SQL_HOLD_END, DB_ARGS(DB(cx->now_us), DB(id)));
    if (rc == FG_OK && db->affected != 1)
        rc = fg_fail(cx, FG_NOT_FOUND, "No such hold, or it has ended");
    if (rc == FG_OK)
        printf("hold %lld has ended; what is old goes when the sweeper comes by\n", (long long)id);
    db_close(db);
    return rc;
}
