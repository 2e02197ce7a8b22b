/* filmgate callback: what providers told us. */
#include <stdio.h>

#include "base/scan.h"
#include "base/time.h"
#include "cli/cli.h"
#include "job/job.h"

struct row {
    int64_t id;
    struct fg_str provider;
    int verdict;
    struct fg_str job;
    int64_t received_us, bytes;
};
static const struct db_col row_cols[] = { COL(struct row, id),  COL(struct row, provider),    COL(struct row, verdict),
                                          COL(struct row, job), COL(struct row, received_us), COL(struct row, bytes) };

enum fg_code cli_callback_list(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct fg_str job = fg_str_c(cli_option(argc, argv, "--job"));
    struct fg_str provider = fg_str_c(cli_option(argc, argv, "--provider"));
    struct db *db;
    struct row *row;
    size_t n;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = DB_ALL(cx, db, SQL_RECEIPT_LIST, DB_ARGS(DB(job), DB(job), DB(provider), DB(provider)), DB_COLS(row_cols), &row, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        printf("%-8lld %.*s  %-11s %-14.*s %.*s  %lld bytes\n", (long long)row[i].id,
               FG_P(time_iso(cx->mem, row[i].received_us)), callback_verdict_name(row[i].verdict), FG_P(row[i].provider),
               FG_P(row[i].job.n ? row[i].job : FG_LIT("-")), (long long)row[i].bytes);
    db_close(db);
    return rc;
}

enum fg_code cli_callback_replay(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct job_env env = { .conf = conf, .wake_fd = -1 };
    uint8_t pepper[HASH_LEN];
    uint64_t id;
    (void)argc;
    if (!scan_all_u64(fg_str_c(argv[0]), INT64_MAX, &id))
        return fg_fail(cx, FG_INVALID_REQUEST, "%s is no number of a callback (see filmgate callback list)", argv[0]);
    enum fg_code rc = account_pepper(cx, conf, pepper);
    if (rc == FG_OK)
        rc = catalogue_load(cx, conf, &env.catalogue);
    if (rc != FG_OK)
        return rc;
    env.pepper = pepper;
    rc = cli_db(cx, conf, &env.db);
    if (rc == FG_OK)
        rc = job_callback_replay(cx, &env, (int64_t)id);
    if (rc == FG_OK)
        printf("processed again; see the job's timeline\n");
    db_close(env.db);
    catalogue_drop(env.catalogue);
    explicit_bzero(pepper, sizeof pepper);
    return rc;
}
