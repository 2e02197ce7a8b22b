#include "job/store.h"
#include "job/wake.h"

#define CANCEL_TRIES 3

enum fg_code job_cancel_in(struct fg_ctx *cx, struct db *db, struct job *j)
{
    if (j->state == JOB_FAILED && FG_IS(j->error_code, "canceled")) /* asked twice: the first answer may have been lost */
        return FG_OK;
    if (job_terminal((enum job_state)j->state))
        return fg_fail(cx, FG_JOB_FINISHED, "The job has already ended: %s.",
                       job_state_name((enum job_state)j->state));
    if (job_next((enum job_stage)j->stage, EV_CANCELED, &(struct job_place){ 0 }))
        return job_move(cx, db, j, &(struct job_change){ .event = EV_CANCELED, .reason = JOB_R_CANCELED });
    if (j->cancel_us)
        return FG_OK;
    j->cancel_us = cx->now_us;
    /* The provider is asked after a look at the job: now, not when the next one was planned. */
    bool there = j->stage == STAGE_AT_PROVIDER || j->stage == STAGE_RENDERING;
    return job_move(cx, db, j, &(struct job_change){ .event = EV_CANCEL_ASKED, .due_us = there ? cx->now_us : 0 });
}

static enum fg_code cancel_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct job *j = arg;
    enum fg_code rc = job_by_id(cx, db, j->id, j);
    return rc == FG_OK ? job_cancel_in(cx, db, j) : rc;
}

enum fg_code job_cancel(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                        struct fg_str id, struct job *out)
{
    enum fg_code rc = job_read(cx, env, who, id, out);
    if (rc != FG_OK)
        return rc;
    rc = FG_JOB_MOVED;
    for (int i = 0; i < CANCEL_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(cx, env->db, cancel_body, out);
    if (rc == FG_DB_UNSURE) /* asked again it would say that it has ended already */
        rc = job_settle(cx, env->db, out);
    if (rc == FG_OK)
        wake_send(env->wake_fd, env->conf);
    return rc;
}
