/* filmgate retention: what goes, and when. */
#include <stdio.h>

#include "base/scan.h"
#include "base/time.h"
#include "cli/cli.h"

#define DAY_US (86400 * FG_US_PER_S)
#define DAYS_MAX 36500
#define CHUNK 5000 /* jobs in a statement */

/* ---- preview ---- */

struct going {
    struct fg_str account;
    int64_t n, bytes;
};
static const struct db_col going_cols[] = { COL(struct going, account), COL(struct going, n), COL(struct going, bytes) };

static enum fg_code preview(struct fg_ctx *cx, struct db *db, const char *kind, enum db_sql sql, int64_t before_us,
                            struct going *sum)
{
    struct going *row;
    size_t n;
    enum fg_code rc = DB_ALL(cx, db, sql, DB_ARGS(DB(before_us)), DB_COLS(going_cols), &row, &n);
    for (size_t i = 0; i < n && rc == FG_OK; i++) {
        struct fg_str account = row[i].account.p ? row[i].account : FG_LIT("(no account)");
        printf("%-10s %-36.*s %12lld %16lld\n", kind, FG_P(account), (long long)row[i].n, (long long)row[i].bytes);
        sum->n += row[i].n;
        sum->bytes += row[i].bytes;
    }
    return rc;
}

static enum fg_code preview_all(struct fg_ctx *cx, struct db *db, const struct conf *conf, int64_t until_us)
{
    struct going sum = { .n = 0 };
    printf("%-10s %-36s %12s %16s\n", "", "account", "rows", "bytes");
    enum fg_code rc = preview(cx, db, "outputs", SQL_PREVIEW_FILES, until_us, &sum);
    if (rc == FG_OK)
        rc = preview(cx, db, "prompts", SQL_PREVIEW_WORDS, until_us, &sum);
    if (rc == FG_OK)
        rc = preview(cx, db, "uploads", SQL_PREVIEW_UPLOADS, until_us, &sum);
    if (rc == FG_OK && conf->retention_events_days)
        rc = preview(cx, db, "events", SQL_PREVIEW_EVENTS, until_us - conf->retention_events_days * DAY_US, &sum);
    if (rc == FG_OK && conf->retention_callbacks_days)
        rc = preview(cx, db, "callbacks", SQL_PREVIEW_RECEIPTS, until_us - conf->retention_callbacks_days * DAY_US, &sum);
    if (rc == FG_OK)
        rc = preview(cx, db, "deliveries", SQL_PREVIEW_DELIVERIES, until_us - conf->webhook_keep_days * DAY_US, &sum);
    if (rc == FG_OK)
        printf("%-10s %-36s %12lld %16lld\n", "all", "", (long long)sum.n, (long long)sum.bytes);
    return rc;
}

enum fg_code cli_retention_preview(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    const char *text = cli_option(argc, argv, "--days");
    int64_t days = 0;
    struct db *db;
    if (text && !scan_all_i64(fg_str_c(text), 0, DAYS_MAX, &days))
        return fg_fail(cx, FG_INVALID_REQUEST, "--days is a number up to %d", DAYS_MAX);
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    int64_t until_us = cx->now_us + days * DAY_US;
    printf("what goes until %.*s\n", FG_P(time_iso(cx->mem, until_us)));
    rc = preview_all(cx, db, conf, until_us);
    db_close(db);
    return rc;
}

/* ---- apply ---- */

struct change {
    int64_t n, gone_n, gone_bytes;
};
static const struct db_col change_cols[] = { COL(struct change, n), COL(struct change, gone_n), COL(struct change, gone_bytes) };
static const struct db_col newest_cols[] = { { DB_TAG_I64, 0 } };

/* Jobs up to at + CHUNK: counted, or changed too. */
static enum fg_code apply_chunk(struct fg_ctx *cx, struct db *db, int64_t account, int64_t at, bool change, struct change *sum)
{
    struct change c = { 0, 0, 0 };
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_RETAIN_CHANGES,
                             DB_ARGS(DB(cx->now_us), DB(cx->now_us), DB(at), DB(at + CHUNK), DB_TIME(account), DB(account)),
                             DB_COLS(change_cols), &c, &found);
    if (rc == FG_OK && change && c.n)
        rc = db_run(cx, db, SQL_RETAIN_APPLY, DB_ARGS(DB(cx->now_us), DB(at), DB(at + CHUNK), DB_TIME(account), DB(account)));
    sum->n += c.n;
    sum->gone_n += c.gone_n;
    sum->gone_bytes += c.gone_bytes;
    return rc;
}

enum fg_code cli_retention_apply(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    bool named = argc && strncmp(argv[0], "--", 2) != 0, yes = cli_option(argc, argv, "--yes") != NULL, found;
    struct change sum = { 0, 0, 0 };
    int64_t account = 0, newest = 0;
    struct db *db;
    enum fg_code rc = named ? cli_db_account(cx, conf, argv[0], &db, &account) : cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = db_one(cx, db, SQL_LEDGER_NEWEST_JOB, DB_NO_ARGS, DB_COLS(newest_cols), &newest, &found);
    for (int64_t at = 0; at < newest && rc == FG_OK; at += CHUNK)
        rc = apply_chunk(cx, db, account, at, yes, &sum);
    if (rc == FG_OK)
        printf("%lld files %s at another time; %lld of them, %lld bytes, at once%s\n", (long long)sum.n, yes ? "go" : "would go",
               (long long)sum.gone_n, (long long)sum.gone_bytes, yes ? "" : ": say --yes");
    db_close(db);
    return rc;
}
