#include "job/store.h"

enum fg_code job_decide_in(struct fg_ctx *cx, struct db *db, struct job *j, struct fg_str provider_job_id)
{
    struct attempt a;
    bool found, ended, taken = provider_job_id.n > 0;
    struct submit_reply r = { .id = provider_job_id, .words = FG_LIT("by the operator") };
    if (j->stage != STAGE_SUBMIT_UNKNOWN)
        return fg_fail(cx, FG_JOB_MOVED, "The outcome of its submit is not unknown: it is %s.",
                       j->stage ? job_stage_name((enum job_stage)j->stage) : job_state_name((enum job_state)j->state));
    enum fg_code rc = db_one(cx, db, SQL_ATTEMPT_OF_JOB, DB_ARGS(DB(j->id), DB(j->attempt_n)), attempt_row, &a, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_INTERNAL, "It has no attempt.");
    if (rc == FG_OK)
        rc = attempt_end(cx, db, a.id, taken ? ATTEMPT_ACCEPTED : ATTEMPT_NOT_SENT, &r, &ended);
    if (rc == FG_DB_DUPLICATE)
        return fg_fail(cx, rc, "Another job's video has the id %.*s.", FG_P(provider_job_id));
    if (rc == FG_OK && !ended)
        rc = fg_fail(cx, FG_JOB_MOVED, "Its attempt has been decided meanwhile.");
    if (rc != FG_OK)
        return rc;
    if (taken)
        j->provider_job_id = provider_job_id;
    return job_move(cx, db, j, &(struct job_change){
                                   .event = taken ? EV_ACCEPTED : EV_NOT_ACCEPTED,
                                   .data = event_data(cx, "by", FG_LIT("operator")),
                               });
}
