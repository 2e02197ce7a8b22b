#include "base/fault.h"
#include "job/store.h"
#include "job/wake.h"
#include "notify/notify.h"

#define ERASE_TRIES 3

static enum fg_code mark_deleted(struct fg_ctx *cx, struct db *db, const struct job *j)
{
    struct output o;
    enum fg_code rc = output_of_job(cx, db, j->id, &o);
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_OUTPUT_MARK_DELETED, DB_ARGS(DB(cx->now_us), DB(j->id)));
    return rc == FG_OK ? ledger_storage(cx, db, j->account_id, -o.bytes) : rc;
}

/* Words go now; files go in two phases: marked here, unlinked by the sweeper, row of work removed after that. */
static enum fg_code erase_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct job *j = arg;
    enum fg_code rc = job_by_id(cx, db, j->id, j);
    if (rc != FG_OK || j->deleted_us)
        return rc;
    if (!job_terminal((enum job_state)j->state))
        return fg_fail(cx, FG_JOB_NOT_FINISHED, "Only a finished job can be deleted; cancel it first.");
    bool had_file = j->output_state == OUTPUT_STORED;
    j->deleted_us = cx->now_us;
    if (had_file)
        j->output_state = OUTPUT_DELETED;
    rc = job_move(cx, db, j, &(struct job_change){ .event = EV_DELETED });
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_JOB_REDACT, DB_ARGS(DB(j->id)));
    if (rc == FG_OK) /* providers say the request again */
        rc = db_run(cx, db, SQL_RECEIPT_REDACT, DB_ARGS(DB(j->id)));
    if (rc == FG_OK)
        rc = notify_redact(cx, db, j->id);
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_IDEMPOTENCY_REDACT, DB_ARGS(DB(j->id)));
    if (rc == FG_OK && had_file)
        rc = mark_deleted(cx, db, j);
    if (rc == FG_OK && had_file)
        rc = db_run(cx, db, SQL_DUE_INSERT, DB_ARGS(DB((int)DUE_ERASE), DB(j->id), DB(cx->now_us)));
    FG_CRASH_POINT("erase.before_commit");
    return rc;
}

enum fg_code job_erase(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str id)
{
    struct job j;
    enum fg_code rc = job_read(cx, env, who, id, &j);
    if (rc != FG_OK)
        return rc;
    rc = FG_JOB_MOVED;
    for (int i = 0; i < ERASE_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(cx, env->db, erase_body, &j);
    if (rc == FG_DB_UNSURE)
        rc = job_settle(cx, env->db, &j);
    if (rc == FG_OK)
        wake_send(env->wake_fd, env->conf);
    return rc;
}
