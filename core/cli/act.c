/* filmgate jobs cancel, ask, retry and resolve; filmgate actions: what was done, by whom. */
#include <stdio.h>

#include "account/account.h"
#include "base/id.h"
#include "base/time.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "job/act.h"
#include "job/wake.h"

#define SHOWN 50

enum fg_code cli_reason_check(struct fg_ctx *cx, struct fg_str reason)
{
    return reason.p && utf8_count(reason) > ACTION_REASON_MAX
               ? fg_fail(cx, FG_INVALID_REQUEST, "--reason may have at most %d characters", ACTION_REASON_MAX)
               : FG_OK;
}

static enum fg_code act(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv, struct act_order o,
                        struct act_done *done)
{
    struct job_env env = { .conf = conf, .wake_fd = wake_open() };
    uint8_t pepper[HASH_LEN];
    o.job = fg_str_c(argv[0]);
    o.actor = ACTION_OPERATOR;
    o.reason = fg_str_c(cli_option(argc, argv, "--reason"));
    enum fg_code rc = cli_reason_check(cx, o.reason);
    if (rc == FG_OK)
        rc = account_pepper(cx, conf, pepper);
    if (rc == FG_OK)
        rc = catalogue_load(cx, conf, &env.catalogue);
    if (rc != FG_OK)
        return rc;
    env.pepper = pepper;
    rc = cli_db(cx, conf, &env.db);
    if (rc == FG_OK) {
        rc = act_run(cx, &env, &o, done);
        db_close(env.db);
    }
    catalogue_drop(env.catalogue);
    explicit_bzero(pepper, sizeof pepper);
    return rc;
}

static void print_place(const struct job *j)
{
    printf("%.*s is now %s\n", FG_P(j->public_id),
           j->stage ? job_stage_name((enum job_stage)j->stage) : job_state_name((enum job_state)j->state));
}

enum fg_code cli_jobs_cancel(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct act_done done;
    enum fg_code rc = act(cx, conf, argc, argv, (struct act_order){ .kind = ACT_CANCEL }, &done);
    if (rc == FG_OK && done.job.stage)
        printf("its provider is asked to stop; ");
    if (rc == FG_OK)
        print_place(&done.job);
    return rc;
}

enum fg_code cli_jobs_ask(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct act_done done;
    enum fg_code rc = act(cx, conf, argc, argv, (struct act_order){ .kind = ACT_ASK }, &done);
    if (rc == FG_OK)
        printf("%.*s is asked about at once\n", FG_P(done.job.provider));
    return rc;
}

enum fg_code cli_jobs_retry(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct act_done done;
    enum fg_code rc = act(cx, conf, argc, argv, (struct act_order){ .kind = ACT_RETRY }, &done);
    if (rc == FG_OK)
        printf("%.*s\n", FG_P(done.retried));
    return rc;
}

enum fg_code cli_jobs_resolve(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct fg_str accepted = fg_str_c(cli_option(argc, argv, "--accepted"));
    struct act_done done;
    if (!accepted.n == !cli_option(argc, argv, "--not-accepted"))
        return fg_fail(cx, FG_INVALID_REQUEST, "say either --accepted PROVIDER_ID or --not-accepted");
    enum fg_code rc = act(cx, conf, argc, argv, (struct act_order){ .kind = ACT_RESOLVE, .accepted = accepted }, &done);
    if (rc == FG_OK)
        print_place(&done.job);
    return rc;
}

static void print_action(struct fg_ctx *cx, const struct action_row *a)
{
    printf("%-8lld %.*s  %-13.*s %-12.*s %.*s", (long long)a->id, FG_P(time_iso(cx->mem, a->at_us)), FG_P(a->action),
           FG_P(a->outcome), FG_P(a->job.p ? a->job : a->account.p ? a->account : FG_LIT("-")));
    if (a->subject.p)
        printf("  %.*s", FG_P(a->subject));
    printf("  by %.*s", FG_P(a->actor));
    if (a->data.p)
        printf("  %.*s", FG_P(a->data));
    if (a->reason.n)
        printf("  %.*s", FG_P(cli_quoted(cx, a->reason)));
    printf("\n");
}

enum fg_code cli_actions(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    const struct action_query q = { .limit = SHOWN, .job = fg_str_c(cli_option(argc, argv, "--job")),
                                    .account = fg_str_c(cli_option(argc, argv, "--account")) };
    struct action_row *row;
    struct db *db;
    size_t n;
    if ((q.job.p && !id_valid(q.job, FG_LIT("job_"))) || (q.account.p && !id_valid(q.account, FG_LIT("acct_"))))
        return fg_fail(cx, FG_INVALID_REQUEST, "--job and --account are ids: job_... and acct_...");
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = action_list(cx, db, &q, &row, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        print_action(cx, &row[i]);
    db_close(db);
    return rc;
}
