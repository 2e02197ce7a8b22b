/* A submit of unknown outcome: ask again where asking again is proven harmless, look in the provider's list, or
 * wait for the callback; after the provider's waiting time its policy decides. */
#include "base/log.h"
#include "sweeper/sweep.h"

#define RESOLVE_REPLY_MAX (4 * FG_MIB)

static bool waited_enough(const struct task *t)
{
    return t->cx.now_us >= t->attempt.created_us + t->provider->unknown_wait_s * FG_US_PER_S;
}

static void give_up(struct task *t)
{
    bool again = t->provider->unknown_then == UNKNOWN_RESUBMIT && !t->last_question &&
                 t->work.job.attempt_n < t->provider->attempts_max;
    struct job_change ch = { .event = EV_FAILED, .reason = JOB_R_SUBMIT_UNKNOWN };
    if (again)
        ch = (struct job_change){ .event = EV_NOT_ACCEPTED };
    else if (t->last_question)
        ch = (struct job_change){ .event = EV_DEADLINE, .reason = JOB_R_DEADLINE_EXCEEDED };
    (void)task_ok(t, task_move(t, &ch), "resolve.end_failed");
    task_end(t);
}

static void not_found(struct task *t)
{
    if (t->last_question || waited_enough(t))
        give_up(t);
    else
        task_later(t, t->cx.now_us + policy_resolve_us(&t->cx, t->work.tries), t->work.tries);
}

static void replayed(void *arg, const struct fetch_reply *reply)
{
    struct task *t = arg;
    struct submit_reply r = { 0 };
    if (submit_unanswered(reply, &r)) {
        not_found(t);
        return;
    }
    t->provider->adapter->submit_reply(&t->cx, reply, &r);
    /* A refusal of the same request proves that the first was not taken either. */
    bool tells = r.outcome == SUBMIT_ACCEPTED || r.outcome == SUBMIT_REFUSED;
    if (!tells || !submit_record(t, &r))
        not_found(t);
}

static void listed(void *arg, const struct fetch_reply *reply)
{
    struct task *t = arg;
    struct gen_spec spec;
    struct found_reply f = { 0 };
    task_spec(t, &spec);
    t->provider->adapter->find_reply(&t->cx, reply, &spec, t->attempt.created_us, &f);
    struct submit_reply r = { .outcome = SUBMIT_ACCEPTED, .id = f.id, .words = FG_LIT("found in the provider's list") };
    if (!f.understood || !f.id.n || !submit_record(t, &r))
        not_found(t);
}

/* A replay may be the call that is taken: not for a video that nobody waits for any more. */
static enum unknown_by way_to_ask(const struct task *t)
{
    bool wanted = !t->last_question && !t->work.job.cancel_us;
    if (t->provider->unknown_by != UNKNOWN_BY_REPLAY || wanted)
        return t->provider->unknown_by;
    return t->provider->adapter->find_call ? UNKNOWN_BY_LIST : UNKNOWN_BY_WAITING;
}

void resolve_ask(struct task *t)
{
    enum unknown_by by = way_to_ask(t);
    const struct provider *p = t->provider->adapter;
    struct gen_spec spec;
    struct fetch_call call;
    task_spec(t, &spec);
    enum fg_code rc = FG_OK;
    switch (by) {
    case UNKNOWN_BY_WAITING:
        not_found(t);
        return;
    case UNKNOWN_BY_LIST:
        rc = p->find_call(&t->cx, &t->provider->site, &spec, &call);
        break;
    case UNKNOWN_BY_REPLAY:
        rc = p->submit_call(&t->cx, &t->provider->site, &spec, &call);
        call.once = true;
        break;
    }
    if (!task_ok(t, rc, "resolve.call_failed")) {
        not_found(t);
        return;
    }
    call.timeout_ms = t->s->env.conf->sweeper_call_timeout_s * 1000;
    call.max_bytes = RESOLVE_REPLY_MAX;
    task_fetch(t, &call, by == UNKNOWN_BY_LIST ? listed : replayed);
}

void duty_resolve(struct task *t)
{
    struct job *j = &t->work.job;
    bool found;
    enum fg_code rc = db_one(&t->cx, t->s->env.db, SQL_ATTEMPT_OF_JOB, DB_ARGS(DB(j->id), DB(j->attempt_n)),
                             attempt_row, &t->attempt, &found);
    if (j->stage != STAGE_SUBMIT_UNKNOWN || !task_ok(t, rc, "resolve.read_failed") || !found) {
        task_end(t);
        return;
    }
    resolve_ask(t);
}
