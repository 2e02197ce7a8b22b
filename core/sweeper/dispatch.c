/* From waiting to a submit that the provider has answered, or not. */
#include "base/fault.h"
#include "base/id.h"
#include "base/log.h"
#include "sweeper/sweep.h"

#define SUBMIT_REPLY_MAX (256 * FG_KIB)
#define RECORD_TRIES 5

/* The attempt is committed before the call goes out: whatever dies, we know that we may have asked. */
static enum fg_code claim_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct task *t = arg;
    struct job j = t->work.job;
    j.attempt_n++;
    j.provider_job_id = FG_NONE;
    enum fg_code rc = job_move(cx, db, &j, &(struct job_change){ .event = EV_CLAIM });
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_ATTEMPT_INSERT,
                    DB_ARGS(DB(j.id), DB(j.attempt_n), DB(j.provider), DB(j.model),
                            DB(t->attempt.client_ref), DB(t->attempt.callback_token), DB((int)ATTEMPT_SENDING),
                            DB(cx->now_us)));
    if (rc == FG_OK)
        t->attempt.id = db->insert_id;
    FG_CRASH_POINT("submit.before_claim_commit");
    return rc;
}

/* Writes what the provider said; the attempt is a fact whatever has become of the job. */
struct record {
    struct task *t;
    const struct submit_reply *r;
    struct job job;
};

static struct job_change change_for(struct task *t, const struct submit_reply *r, const struct job *j)
{
    int64_t now = t->cx.now_us;
    switch (r->outcome) {
    case SUBMIT_ACCEPTED:
        return (struct job_change){
            .event = EV_ACCEPTED,
            .data = event_data(&t->cx, "providerJobId", r->id),
            .due_us = now + policy_poll_us(&t->cx, t->s->env.conf, 0, t->provider->callbacks, 0, 0),
        };
    case SUBMIT_REFUSED:
        return (struct job_change){ .event = EV_FAILED, .reason = task_reason(r->reason) };
    case SUBMIT_NOT_SENT:
        if (j->attempt_n >= POLICY_NOT_SENT_MAX)
            return (struct job_change){ .event = EV_FAILED, .reason = JOB_R_PROVIDER_UNAVAILABLE };
        return (struct job_change){ /* our lease may have ended meanwhile, and another called it unknown */
            .event = j->stage == STAGE_SUBMIT_UNKNOWN ? EV_NOT_ACCEPTED : EV_NOT_SENT,
            .due_us = now + policy_resubmit_us(&t->cx, j->attempt_n, r->retry_after_s),
        };
    case SUBMIT_UNKNOWN:
        break;
    }
    return (struct job_change){ .event = EV_UNKNOWN, .due_us = now + policy_resolve_us(&t->cx, 1) };
}

static enum fg_code record_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    static const enum attempt_state state[] = { [SUBMIT_ACCEPTED] = ATTEMPT_ACCEPTED,
                                                [SUBMIT_REFUSED] = ATTEMPT_REFUSED,
                                                [SUBMIT_NOT_SENT] = ATTEMPT_NOT_SENT,
                                                [SUBMIT_UNKNOWN] = ATTEMPT_UNKNOWN };
    struct record *rec = arg;
    const struct submit_reply *r = rec->r;
    bool ended;
    enum fg_code rc = job_by_id(cx, db, rec->t->work.job.id, &rec->job);
    if (rc == FG_OK)
        rc = attempt_end(cx, db, rec->t->attempt.id, state[r->outcome], r->id, r->words, &ended);
    if (rc != FG_OK || !ended)
        return rc; /* its outcome is recorded already, by a callback or by another sweeper */
    struct job *j = &rec->job;
    struct job_change ch = change_for(rec->t, r, j);
    struct job_place to;
    if (j->attempt_n != rec->t->attempt.n || !job_next((enum job_stage)j->stage, ch.event, &to))
        return r->outcome == SUBMIT_ACCEPTED
                   ? job_move(cx, db, j, &(struct job_change){ .event = EV_LATE,
                                                               .data = event_data(cx, "providerJobId", r->id) })
                   : FG_OK;
    if (r->outcome == SUBMIT_ACCEPTED)
        j->provider_job_id = r->id;
    rc = job_move(cx, db, j, &ch);
    FG_CRASH_POINT("submit.before_record_commit");
    return rc;
}

bool submit_record(struct task *t, const struct submit_reply *r)
{
    struct record rec = { .t = t, .r = r };
    enum fg_code rc = FG_JOB_MOVED;
    for (int i = 0; i < RECORD_TRIES && (rc == FG_JOB_MOVED || rc == FG_DB_UNSURE || rc == FG_DB_LOST); i++)
        rc = db_tx(&t->cx, t->s->env.db, record_body, &rec);
    if (rc == FG_DB_DUPLICATE) {
        fg_log(&t->cx, LOG_WARN, "submit.id_taken", LOG_S("job", rec.job.public_id), LOG_S("providerJobId", r->id));
        return false;
    }
    if (task_ok(t, rc, "submit.record_failed")) {
        FG_CRASH_POINT("submit.recorded");
        job_log(&t->cx, &rec.job);
        if (r->outcome != SUBMIT_ACCEPTED)
            fg_log(&t->cx, LOG_WARN, "submit.not_accepted", LOG_S("job", rec.job.public_id),
                   LOG_S("provider", rec.job.provider), LOG_I("outcome", r->outcome), LOG_S("words", r->words));
    }
    task_end(t);
    return true;
}

static void submitted(void *arg, const struct fetch_reply *reply)
{
    struct task *t = arg;
    struct submit_reply r = { 0 };
    FG_CRASH_POINT("submit.answered");
    if (!submit_unanswered(reply, &r))
        t->provider->adapter->submit_reply(&t->cx, reply, &r);
    if (!submit_record(t, &r))
        (void)submit_record(t, &(struct submit_reply){ .outcome = SUBMIT_UNKNOWN,
                                                       .words = FG_LIT("answered with another job's id") });
}

/* Died, or hung, between claim and record: nobody can say whether the provider has it. */
static void found_sending(struct task *t)
{
    bool found;
    struct job *j = &t->work.job;
    enum fg_code rc = db_one(&t->cx, t->s->env.db, SQL_ATTEMPT_OF_JOB, DB_ARGS(DB(j->id), DB(j->attempt_n)),
                             attempt_row, &t->attempt, &found);
    if (!task_ok(t, rc, "submit.attempt_lost") || !found) {
        task_end(t);
        return;
    }
    (void)submit_record(t, &(struct submit_reply){ .outcome = SUBMIT_UNKNOWN,
                                                   .words = FG_LIT("found in submitting after a crash") });
}

void duty_dispatch(struct task *t)
{
    struct job *j = &t->work.job;
    if (j->stage == STAGE_SUBMITTING) {
        found_sending(t);
        return;
    }
    if (j->cancel_us) {
        enum fg_code rc = task_move(t, &(struct job_change){ .event = EV_CANCELED, .reason = JOB_R_CANCELED });
        (void)task_ok(t, rc, "submit.cancel_failed");
        task_end(t);
        return;
    }
    t->attempt.n = j->attempt_n + 1;
    t->attempt.client_ref = id_new(&t->cx, FG_LIT("ref_"));
    t->attempt.callback_token = id_new(&t->cx, ATTEMPT_TOKEN);
    FG_CRASH_POINT("submit.claimed");
    if (!task_ok(t, db_tx(&t->cx, t->s->env.db, claim_body, t), "submit.claim_failed")) {
        task_end(t);
        return;
    }
    FG_CRASH_POINT("submit.before_call");
    struct gen_spec spec;
    struct fetch_call call;
    task_spec(t, &spec);
    enum fg_code rc = t->provider->adapter->submit_call(&t->cx, &t->provider->site, &spec, &call);
    if (!task_ok(t, rc, "submit.call_failed")) {
        (void)submit_record(t, &(struct submit_reply){ .outcome = SUBMIT_REFUSED, .reason = REASON_REFUSED,
                                                       .words = FG_LIT("does not fit the provider's request") });
        return;
    }
    call.once = true;
    call.timeout_ms = t->s->env.conf->sweeper_submit_timeout_s * 1000;
    call.max_bytes = SUBMIT_REPLY_MAX;
    task_fetch(t, &call, submitted);
}
