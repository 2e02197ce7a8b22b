#include "base/fault.h"
#include "job/store.h"
#include "job/wake.h"

#define ERASE_TRIES 3

enum fg_code job_erase_in(struct fg_ctx *cx, struct db *db, struct job *j)
{
    int64_t bytes = 0;
    if (j->deleted_us)
        return FG_OK;
    if (!job_terminal((enum job_state)j->state))
        return fg_fail(cx, FG_JOB_NOT_FINISHED, "Only a finished job can be deleted; cancel it first.");
    enum fg_code rc = hold_check(cx, db, j->id);
    if (rc == FG_OK)
        rc = job_forget(cx, db, j, FG_NONE, &bytes);
    return rc == FG_OK && bytes ? ledger_storage(cx, db, j->account_id, -bytes) : rc;
}

static enum fg_code erase_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct job *j = arg;
    enum fg_code rc = hold_gate(cx, db);
    if (rc == FG_OK)
        rc = job_by_id(cx, db, j->id, j);
    if (rc == FG_OK)
        rc = job_erase_in(cx, db, j);
    FG_CRASH_POINT("erase.before_commit");
    return rc;
}

/* Somebody asked for it in vain: told once, however often they ask. */
static enum fg_code refused_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    struct job *j = arg;
    int64_t seq;
    bool told;
    enum fg_code rc = job_by_id(cx, db, j->id, j);
    if (rc == FG_OK)
        rc = db_one(cx, db, SQL_EVENT_HAS, DB_ARGS(DB(j->id), DB(fg_str_c(job_event_name(EV_HOLD)))), DB_COLS(cols), &seq,
                    &told);
    if (rc != FG_OK || told)
        return rc;
    return job_move(cx, db, j, &(struct job_change){ .event = EV_HOLD, .data = event_data(cx, "refused", FG_LIT("deletion")) });
}

static enum fg_code refused(struct fg_ctx *cx, struct job_env *env, struct job *j)
{
    enum fg_code rc = FG_JOB_MOVED;
    for (int i = 0; i < ERASE_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(cx, env->db, refused_body, j);
    return rc == FG_OK ? fg_fail(cx, FG_LEGAL_HOLD, "This job is kept by a legal hold.") : rc;
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
    if (rc == FG_LEGAL_HOLD)
        return refused(cx, env, &j);
    if (rc == FG_OK)
        wake_send(env->wake_fd, env->conf);
    return rc;
}
