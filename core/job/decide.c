#include "job/store.h"

#define DECIDE_TRIES 3

struct decision {
    struct job *job;
    struct fg_str provider_job_id; /* FG_NONE: not taken */
};

static enum fg_code decide_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct decision *d = arg;
    struct job *j = d->job;
    struct attempt a;
    bool found, ended, taken = d->provider_job_id.n > 0;
    struct submit_reply r = { .id = d->provider_job_id, .words = FG_LIT("by the operator") };
    enum fg_code rc = job_by_id(cx, db, j->id, j);
    if (rc == FG_OK && j->stage != STAGE_SUBMIT_UNKNOWN)
        rc = fg_fail(cx, FG_JOB_MOVED, "The outcome of its submit is not unknown: it is %s.",
                     j->stage ? job_stage_name((enum job_stage)j->stage) : job_state_name((enum job_state)j->state));
    if (rc == FG_OK)
        rc = db_one(cx, db, SQL_ATTEMPT_OF_JOB, DB_ARGS(DB(j->id), DB(j->attempt_n)), attempt_row, &a, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_INTERNAL, "It has no attempt.");
    if (rc == FG_OK)
        rc = attempt_end(cx, db, a.id, taken ? ATTEMPT_ACCEPTED : ATTEMPT_NOT_SENT, &r, &ended);
    if (rc == FG_OK && !ended)
        rc = fg_fail(cx, FG_JOB_MOVED, "Its attempt has been decided meanwhile.");
    if (rc != FG_OK)
        return rc;
    if (taken)
        j->provider_job_id = d->provider_job_id;
    return job_move(cx, db, j, &(struct job_change){
                                   .event = taken ? EV_ACCEPTED : EV_NOT_ACCEPTED,
                                   .data = event_data(cx, "by", FG_LIT("operator")),
                               });
}

enum fg_code job_decide(struct fg_ctx *cx, struct job_env *env, struct fg_str id, struct fg_str provider_job_id,
                        struct job *out)
{
    struct decision d = { .job = out, .provider_job_id = provider_job_id };
    bool found;
    enum fg_code rc = db_one(cx, env->db, SQL_JOB_BY_PUBLIC_ID, DB_ARGS(DB(id)), job_row, out, &found);
    if (rc == FG_OK && !found)
        return fg_fail(cx, FG_NOT_FOUND, "No job %.*s", FG_P(id));
    if (rc == FG_OK)
        rc = FG_JOB_MOVED;
    for (int i = 0; i < DECIDE_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(cx, env->db, decide_body, &d);
    if (rc == FG_DB_UNSURE)
        rc = job_settle(cx, env->db, out);
    if (rc == FG_DB_DUPLICATE)
        rc = fg_fail(cx, rc, "Another job's video has the id %.*s.", FG_P(provider_job_id));
    return rc;
}
