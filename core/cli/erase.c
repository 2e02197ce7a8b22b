/* filmgate account erase */
#include <stdio.h>

#include "cli/cli.h"
#include "job/job.h"

struct ending {
    int64_t account_id;
};

/* Nobody gets in any more, nobody is told any more. */
static enum fg_code end_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    const struct ending *e = arg;
    enum fg_code rc = db_run(cx, db, SQL_ACCOUNT_FORGET, DB_ARGS(DB(e->account_id)));
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_ACCOUNT_KEYS_END, DB_ARGS(DB(cx->now_us), DB(e->account_id)));
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_ACCOUNT_ENDPOINTS_END, DB_ARGS(DB(cx->now_us), DB(e->account_id)));
    return rc;
}

enum fg_code cli_account_erase(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct fg_str user = fg_str_c(cli_option(argc, argv, "--user"));
    struct ending ending;
    struct erasure e;
    struct db *db;
    enum fg_code rc = cli_db_account(cx, conf, argv[0], &db, &ending.account_id);
    if (rc != FG_OK)
        return rc;
    if (!cli_option(argc, argv, "--yes"))
        rc = fg_fail(cx, FG_INVALID_REQUEST, "This cannot be undone: files, uploads, prompts%s of %s go for good, and jobs that "
                     "run are canceled; say --yes", user.p ? "" : ", keys and webhooks", user.p ? "this user" : "this account");
    if (rc == FG_OK)
        rc = erasure_ask(cx, db, ending.account_id, user, &e);
    if (rc == FG_OK && !user.p)
        rc = db_tx(cx, db, end_body, &ending);
    if (rc == FG_OK)
        printf("%.*s: %lld jobs erased so far; the sweeper goes on\n", FG_P(e.public_id), (long long)e.jobs_n);
    db_close(db);
    return rc;
}
