/* From waiting to a submit that the provider has answered, or not. */
#include "base/arena.h"
#include "base/fault.h"
#include "base/id.h"
#include "base/log.h"
#include "sweeper/sweep.h"

#define SUBMIT_REPLY_MAX (256 * FG_KIB)
#define RECORD_TRIES 5
#define SEED_OURS_MAX INT64_C(2147483647) /* what every model with a seed takes */
#define LONG_WAIT_S 30                    /* somebody else may do it sooner */

static int64_t lease_end_us(const struct task *t)
{
    return t->cx.now_us + t->s->env.conf->sweeper_lease_s * FG_US_PER_S;
}

struct claim {
    struct task *t;
    struct job job;
};

/* The attempt is committed before the call goes out: whatever dies, we know that we may have asked. */
static enum fg_code claim_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct claim *c = arg;
    struct task *t = c->t;
    struct attempt *a = &t->work.attempt;
    struct job *j = &c->job;
    *j = t->work.job;
    j->attempt_n++;
    j->provider_job_id = FG_NONE;
    struct db_bind seed = t->model->seed ? DB(a->seed) : DB_NULL;
    enum fg_code rc = job_move(cx, db, j, &(struct job_change){ .event = EV_CLAIM, .due_us = lease_end_us(t) });
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_ATTEMPT_INSERT,
                    DB_ARGS(DB(j->id), DB(j->attempt_n), DB(j->provider), DB(j->model), DB(a->adapter),
                            DB(a->remote_model), DB(a->client_ref), DB(a->callback_token), DB(a->state), seed,
                            DB(cx->now_us), DB(task_expected_micro(t))));
    if (rc == FG_OK) {
        a->id = db->insert_id;
        a->created_us = cx->now_us;
    }
    FG_CRASH_POINT("submit.before_claim_commit");
    return rc;
}

/* Writes what the provider said; the attempt is a fact whatever has become of the job. */
struct record {
    struct task *t;
    const struct submit_reply *r;
    struct job job;
};

/* Whoever says it: the same everywhere else, and at any other time. */
static bool is_policy(enum remote_reason r)
{
    return r == REASON_CONTENT || r == REASON_CONTENT_IMAGE || r == REASON_CONTENT_OUT;
}

/* Not taken, and sure of it: another model of the route, or the same one later, or the end. */
static enum fg_code not_taken(struct fg_ctx *cx, struct db *db, const struct record *rec, struct job *j)
{
    struct sweeper *s = rec->t->s;
    const struct submit_reply *r = rec->r;
    const struct cat_model *other = NULL;
    bool policy = is_policy(r->reason), final = r->outcome == SUBMIT_REFUSED || policy, picture = r->reason == REASON_IMAGE; /* no provider is to blame for that */
    bool stays = !final && r->retry_after_s <= LONG_WAIT_S && (picture || j->attempt_n <= POLICY_STAY_MAX);
    enum fg_code rc = FG_OK;
    if (j->cancel_us)
        return job_move(cx, db, j, &(struct job_change){ .event = EV_FAILED, .reason = JOB_R_CANCELED });
    if (!policy && !stays && policy_may_submit(j, POLICY_NOT_SENT_MAX))
        rc = reroute_pick(cx, s, db, j, &other);
    if (rc != FG_OK)
        return rc;
    if (other)
        return reroute_move(cx, db, j, other, fg_str_c(job_reason_info(task_reason(r->reason))->slug));
    if (final && r->reason != REASON_PARK)
        return job_move(cx, db, j, &(struct job_change){ .event = EV_FAILED, .reason = task_reason(r->reason) });
    if (!policy_may_submit(j, picture ? POLICY_IMAGE_MAX : POLICY_NOT_SENT_MAX))
        return job_move(cx, db, j, &(struct job_change){
                                       .event = EV_FAILED,
                                       .reason = picture ? JOB_R_IMAGE_UNREACHABLE : JOB_R_PROVIDER_UNAVAILABLE });
    return job_move(cx, db, j, &(struct job_change){ /* our lease may have ended meanwhile, and another called it unknown */
        .event = j->stage == STAGE_SUBMIT_UNKNOWN ? EV_NOT_ACCEPTED : EV_NOT_SENT,
        .data = event_data(cx, "words", r->words.n ? r->words : FG_NONE),
        .due_us = cx->now_us + policy_resubmit_us(cx, j->attempt_n, r->retry_after_s),
    });
}

static enum fg_code move_job(struct fg_ctx *cx, struct db *db, const struct record *rec, struct job *j)
{
    const struct submit_reply *r = rec->r;
    const struct task *t = rec->t;
    switch (r->outcome) {
    case SUBMIT_ACCEPTED:
        j->provider_job_id = r->id;
        return job_move(cx, db, j, &(struct job_change){
                                       .event = EV_ACCEPTED,
                                       .data = event_data(cx, "providerJobId", r->id),
                                       .due_us = cx->now_us + policy_poll_us(cx, t->s->env.conf, t->provider, 0, 0, 0),
                                   });
    case SUBMIT_REFUSED:
    case SUBMIT_NOT_SENT:
        return not_taken(cx, db, rec, j);
    case SUBMIT_UNKNOWN:
        if (FG_PLANTED(PLANT_FAILOVER_ON_UNKNOWN))
            return not_taken(cx, db, rec, j);
        break;
    }
    return job_move(cx, db, j, &(struct job_change){ .event = EV_UNKNOWN, .due_us = cx->now_us + policy_resolve_us(cx, 1) });
}

static enum fg_code record_outcome(struct fg_ctx *cx, struct db *db, void *arg)
{
    static const enum attempt_state state[] = { [SUBMIT_ACCEPTED] = ATTEMPT_ACCEPTED,
                                                [SUBMIT_REFUSED] = ATTEMPT_REFUSED,
                                                [SUBMIT_NOT_SENT] = ATTEMPT_NOT_SENT,
                                                [SUBMIT_UNKNOWN] = ATTEMPT_UNKNOWN };
    static const enum job_event usual[] = { [SUBMIT_ACCEPTED] = EV_ACCEPTED, [SUBMIT_REFUSED] = EV_FAILED,
                                            [SUBMIT_NOT_SENT] = EV_FAILED, [SUBMIT_UNKNOWN] = EV_UNKNOWN };
    struct record *rec = arg;
    const struct submit_reply *r = rec->r;
    const struct attempt *a = &rec->t->work.attempt;
    struct job *j = &rec->job;
    struct job_place to;
    bool ended;
    enum fg_code rc = job_by_id(cx, db, rec->t->work.job.id, j);
    if (rc == FG_OK)
        rc = attempt_end(cx, db, a->id, state[r->outcome], r, &ended);
    if (rc != FG_OK || !ended)
        return rc; /* its outcome is recorded already, by a callback or by another sweeper */
    if (j->attempt_n != a->n || !job_next((enum job_stage)j->stage, usual[r->outcome], &to))
        return r->outcome == SUBMIT_ACCEPTED
                   ? job_move(cx, db, j, &(struct job_change){ .event = EV_LATE,
                                                               .data = event_data(cx, "providerJobId", r->id) })
                   : FG_OK;
    return move_job(cx, db, rec, j);
}

/* What was said goes with what came of it. */
static enum fg_code record_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    const struct record *rec = arg;
    enum fg_code rc = record_outcome(cx, db, arg);
    if (rc == FG_OK)
        rc = wire_write(cx, db, rec->t);
    FG_CRASH_POINT("submit.before_record_commit");
    return rc;
}

static void record_again(struct task *t)
{
    if (!submit_record(t, &t->answer))
        (void)submit_record(t, &(struct submit_reply){ .outcome = SUBMIT_UNKNOWN,
                                                       .words = FG_LIT("answered with another job's id") });
}

/* Nobody else has heard it, and without it a paid run may be given up: it outlives the database's absence. */
static void keep_answer(struct task *t, const struct submit_reply *r)
{
    if (r != &t->answer) {
        t->answer = *r;
        t->answer.id = arena_str(t->cx.mem, r->id);
        t->answer.links = arena_str(t->cx.mem, r->links);
        t->answer.words = arena_str(t->cx.mem, r->words);
    }
    task_when_back(t, record_again);
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
    if (db_no_help(rc) || rc == FG_DB_BUSY) {
        task_failed(t, rc, "submit.record_failed");
        keep_answer(t, r);
        return true;
    }
    if (task_ok(t, rc, "submit.record_failed")) {
        wire_written(t);
        FG_CRASH_POINT("submit.recorded");
        job_log(&t->cx, &rec.job);
        if (r->outcome != SUBMIT_ACCEPTED)
            fg_log(&t->cx, LOG_WARN, "submit.not_accepted", LOG_S("job", rec.job.public_id),
                   LOG_S("provider", rec.job.provider), LOG_I("outcome", r->outcome), LOG_S("words", r->words));
    }
    task_end(t);
    return true;
}

/* What concerns every job at this provider, not this one alone. */
static void park_if_told(struct task *t, const struct submit_reply *r)
{
    static const struct {
        enum remote_reason reason;
        int64_t seconds;
    } parking[] = { { REASON_AUTH, 300 }, { REASON_CREDIT, 600 }, { REASON_PARK, 3600 } };
    struct provider_traffic *p = traffic_of(&t->s->traffic, t->provider->name);
    for (size_t i = 0; p && i < FG_LEN(parking); i++)
        if (r->outcome == SUBMIT_REFUSED && r->reason == parking[i].reason)
            traffic_park(&t->cx, t->s->env.db, p, r->reason, r->park_s ? r->park_s : parking[i].seconds);
}

static void submitted(void *arg, const struct fetch_reply *reply)
{
    struct task *t = arg;
    struct submit_reply r = { 0 };
    FG_CRASH_POINT("submit.answered");
    t->adapter->submit_reply(&t->cx, &t->provider->site, reply, &r);
    park_if_told(t, &r);
    if (r.reason == REASON_PARK && r.outcome == SUBMIT_REFUSED && r.park_s)
        r.retry_after_s = r.park_s;
    if (!submit_record(t, &r))
        (void)submit_record(t, &(struct submit_reply){ .outcome = SUBMIT_UNKNOWN,
                                                       .words = FG_LIT("answered with another job's id") });
}

static void submit(struct task *t)
{
    struct gen_spec spec;
    struct fetch_call call;
    if (ctx_mono_us(&t->cx) >= t->send_until_mono_us) { /* we hung, and another asks the provider what became of it */
        fg_log(&t->cx, LOG_WARN, "submit.too_late", LOG_S("job", t->work.job.public_id));
        task_end(t);
        return;
    }
    task_spec(t, &spec);
    enum fg_code rc = t->adapter->submit_call(&t->cx, &t->provider->site, &spec, &call);
    if (rc != FG_OK) {
        (void)submit_record(t, &(struct submit_reply){ .outcome = SUBMIT_REFUSED, .reason = REASON_REFUSED,
                                                       .words = arena_str(t->cx.mem, fg_str_c(t->cx.err.detail)) });
        return;
    }
    FG_CRASH_POINT("submit.before_call");
    call.once = true;
    call.timeout_ms = t->s->env.conf->sweeper_submit_timeout_s * 1000;
    call.max_bytes = SUBMIT_REPLY_MAX;
    task_call(t, WIRE_SUBMIT, &call, submitted);
}

/* The image is ready: only now may the provider take the job. */
static enum fg_code send_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct task *t = arg;
    struct attempt a = { .state = ATTEMPT_SENDING };
    bool found = true;
    enum fg_code rc = db_run(cx, db, SQL_ATTEMPT_SEND, DB_ARGS(DB(t->work.attempt.id)));
    /* Nobody but us makes it that: a COMMIT of ours was not answered. */
    if (rc == FG_OK && db->affected != 1)
        rc = db_one(cx, db, SQL_ATTEMPT_OF_JOB, DB_ARGS(DB(t->work.job.id), DB(t->work.attempt.n)), attempt_row, &a, &found);
    if (rc == FG_OK && (!found || a.state != ATTEMPT_SENDING))
        rc = fg_fail(cx, FG_JOB_MOVED, "The attempt has been given up meanwhile.");
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_DUE_SENDING_RENEW, DB_ARGS(DB(lease_end_us(t)), DB(t->work.job.id)));
    FG_CRASH_POINT("submit.before_send_commit");
    return rc;
}

static void send_prepared(struct task *t)
{
    int64_t mono = ctx_mono_us(&t->cx);
    enum fg_code rc = db_tx(&t->cx, t->s->env.db, send_body, t);
    if (rc == FG_DB_UNSURE)
        rc = db_tx(&t->cx, t->s->env.db, send_body, t);
    t->send_until_mono_us = mono + t->s->env.conf->sweeper_lease_s * FG_US_PER_S;
    if (task_ok(t, rc, "submit.send_failed"))
        submit(t);
    else
        task_end(t); /* whoever finds it in preparing puts it back in line */
}

static void image_failed(struct task *t, enum submit_outcome how, struct fg_str words)
{
    (void)submit_record(t, &(struct submit_reply){ .outcome = how, .reason = REASON_IMAGE, .words = words });
}

/* Died, or hung, between claim and record. */
void duty_sending(struct task *t)
{
    struct attempt *a = &t->work.attempt;
    if (t->work.job.stage != STAGE_SUBMITTING || !a->id) {
        task_end(t);
        return;
    }
    if (a->state == ATTEMPT_PREPARING) /* nothing has been asked for */
        (void)submit_record(t, &(struct submit_reply){ .outcome = SUBMIT_NOT_SENT,
                                                       .words = FG_LIT("found in preparing after a crash") });
    else /* nobody can say whether the provider has it */
        (void)submit_record(t, &(struct submit_reply){ .outcome = SUBMIT_UNKNOWN,
                                                       .words = FG_LIT("found in submitting after a crash") });
}

static int64_t seed_for(struct task *t)
{
    uint32_t dice;
    if (t->work.job.has_seed)
        return t->work.job.seed;
    t->cx.env->random(t->cx.env->self, &dice, sizeof dice);
    return dice % SEED_OURS_MAX;
}

static void new_attempt(struct task *t)
{
    const struct job *j = &t->work.job;
    t->work.attempt = (struct attempt){
        .n = j->attempt_n + 1,
        .provider = j->provider,
        .model = j->model,
        .adapter = fg_str_c(t->model->adapter->name),
        .remote_model = catalogue_remote(t->model, job_has_image(j)),
        .client_ref = id_uuid(&t->cx),
        .callback_token = id_new(&t->cx, ATTEMPT_TOKEN),
        .seed = seed_for(t),
    };
    t->adapter = t->model->adapter;
    t->work.attempt.state = prepare_needed(t) ? ATTEMPT_PREPARING : ATTEMPT_SENDING;
}

void duty_dispatch(struct task *t)
{
    struct job *j = &t->work.job;
    if (j->stage != STAGE_WAITING) {
        task_end(t);
        return;
    }
    if (j->cancel_us) {
        enum fg_code rc = task_move(t, &(struct job_change){ .event = EV_CANCELED, .reason = JOB_R_CANCELED });
        task_over(t, rc, "submit.cancel_failed");
        return;
    }
    new_attempt(t);
    FG_CRASH_POINT("submit.claimed");
    struct claim c = { .t = t };
    int64_t claimed_mono_us = ctx_mono_us(&t->cx);
    enum fg_code rc = db_tx(&t->cx, t->s->env.db, claim_body, &c);
    if (rc == FG_DB_UNSURE)
        rc = job_settle(&t->cx, t->s->env.db, &c.job);
    if (rc != FG_OK) {
        task_over(t, rc, "submit.claim_failed");
        return;
    }
    t->send_until_mono_us = claimed_mono_us + t->s->env.conf->sweeper_lease_s * FG_US_PER_S;
    struct provider_traffic *p = traffic_of(&t->s->traffic, t->provider->name);
    if (p) {
        (void)traffic_take(&t->cx, p, true); /* slots_give has seen that there is room now */
        traffic_submit(&t->cx, t->s->env.db, p);
    }
    if (t->work.attempt.state == ATTEMPT_PREPARING)
        prepare_image(t, send_prepared, image_failed);
    else
        submit(t);
}
