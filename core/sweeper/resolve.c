/* A submit of unknown outcome: ask again where asking again is proven harmless, look in the provider's list, or
 * wait for the callback; after the provider's waiting time its policy decides. */
#include "base/log.h"
#include "sweeper/sweep.h"

#define RESOLVE_REPLY_MAX (4 * FG_MIB)
#define PAGES_MAX 10
#define CLOCKS_APART_US (30 * FG_US_PER_S) /* theirs and ours */

static bool waited_enough(const struct task *t)
{
    const struct attempt *a = &t->work.attempt;
    return t->cx.now_us >= a->created_us + a->jumped_us + t->provider->unknown_wait_s * FG_US_PER_S;
}

static void give_up(struct task *t)
{
    const struct job *j = &t->work.job;
    bool again = t->provider->unknown_then == UNKNOWN_RESUBMIT && !t->last_question && !j->cancel_us &&
                 policy_may_submit(j, t->provider->attempts_max);
    struct job_change ch = { .event = EV_FAILED, .reason = JOB_R_SUBMIT_UNKNOWN };
    if (again)
        ch = (struct job_change){ .event = EV_NOT_ACCEPTED };
    else if (t->last_question)
        ch = (struct job_change){ .event = EV_DEADLINE, .reason = JOB_R_DEADLINE_EXCEEDED };
    task_over(t, task_move(t, &ch), "resolve.end_failed");
}

static void not_found(struct task *t)
{
    if (t->last_question || waited_enough(t))
        give_up(t);
    else
        task_later(t, t->cx.now_us + policy_resolve_us(&t->cx, t->work.tries), t->work.tries);
}

/* ---- asking again ---- */

static void replayed(void *arg, const struct fetch_reply *reply)
{
    struct task *t = arg;
    struct submit_reply r = { 0 };
    t->adapter->submit_reply(&t->cx, &t->provider->site, reply, &r);
    /* A refusal of the same request proves that the first was not taken either. */
    bool tells = reply->end == FETCH_ANSWERED && (r.outcome == SUBMIT_ACCEPTED || r.outcome == SUBMIT_REFUSED);
    if (!tells || !submit_record(t, &r))
        not_found(t);
}

static void replay(struct task *t)
{
    struct gen_spec spec;
    struct fetch_call call;
    task_spec(t, &spec);
    if (!task_ok(t, t->adapter->submit_call(&t->cx, &t->provider->site, &spec, &call), "resolve.call_failed")) {
        not_found(t);
        return;
    }
    call.once = true;
    call.timeout_ms = t->s->env.conf->sweeper_call_timeout_s * 1000;
    call.max_bytes = RESOLVE_REPLY_MAX;
    task_call(t, WIRE_SUBMIT, &call, replayed);
}

/* ---- looking in its list ---- */

static struct match_want want_of(const struct task *t)
{
    const struct attempt *a = &t->work.attempt;
    const struct job *j = &t->work.job;
    bool seed = t->model && t->model->seed;
    return (struct match_want){
        .client_ref = a->client_ref,
        .token = a->callback_token,
        .model = a->remote_model,
        .prompt = j->prompt,
        .has_seed = seed,
        .seed_is_ours = seed && !j->has_seed,
        .seed = a->seed,
        .duration_s = j->duration_s,
        .since_us = t->ask.since_us,
        .until_us = t->ask.until_us,
    };
}

static void looked(struct task *t)
{
    struct submit_reply r = { .outcome = SUBMIT_ACCEPTED, .words = FG_LIT("found in the provider's list") };
    if (!match_end(&t->match, &r.id, &r.links) || !submit_record(t, &r))
        not_found(t);
}

static bool next_page(struct task *t);

static void listed(void *arg, const struct fetch_reply *reply)
{
    struct task *t = arg;
    struct list_reply r = { 0 };
    struct match_want want = want_of(t);
    t->adapter->list_reply(&t->cx, &t->provider->site, &t->ask, reply, &r);
    if (!r.understood) {
        not_found(t);
        return;
    }
    bool found = match_rows(r.row, r.n, &want, &t->match);
    t->ask.cursor = r.cursor;
    /* Of pages that were not all seen, only an exact row tells: there may be a second that looks like ours. */
    bool more = r.more && !found;
    if (more && ++t->ask.page < PAGES_MAX && next_page(t))
        return;
    if (more)
        t->match.alike_n = 0;
    looked(t);
}

static bool next_page(struct task *t)
{
    struct fetch_call call;
    if (!task_ok(t, t->adapter->list_call(&t->cx, &t->provider->site, &t->ask, &call), "resolve.call_failed"))
        return false;
    call.timeout_ms = t->s->env.conf->sweeper_call_timeout_s * 1000;
    call.max_bytes = RESOLVE_REPLY_MAX;
    task_call(t, WIRE_LIST, &call, listed);
    return true;
}

static void look(struct task *t)
{
    const struct attempt *a = &t->work.attempt;
    int64_t submit_us = (t->s->env.conf->sweeper_submit_timeout_s + t->s->env.conf->sweeper_lease_s) * FG_US_PER_S;
    /* Which of our clocks was like theirs, the one before a jump or the one after it? */
    int64_t back_us = a->jumped_us < 0 ? -a->jumped_us : 0, ahead_us = a->jumped_us > 0 ? a->jumped_us : 0;
    t->match = (struct match){ .alike_n = 0 };
    t->ask = (struct list_ask){
        .model = a->remote_model,
        .client_ref = a->client_ref,
        .since_us = a->created_us - back_us - CLOCKS_APART_US,
        .until_us = a->created_us + ahead_us + submit_us + CLOCKS_APART_US,
    };
    if (!next_page(t))
        not_found(t);
}

/* ---- */

/* A replay may be the call that is taken: not for a video that nobody waits for any more. */
static enum unknown_by way_to_ask(const struct task *t)
{
    bool wanted = !t->last_question && !t->work.job.cancel_us && t->model;
    enum unknown_by by = t->provider->unknown_by;
    if (by == UNKNOWN_BY_REPLAY && !wanted)
        by = UNKNOWN_BY_LIST;
    return by == UNKNOWN_BY_LIST && !t->adapter->list_call ? UNKNOWN_BY_WAITING : by;
}

void resolve_ask(struct task *t)
{
    switch (way_to_ask(t)) {
    case UNKNOWN_BY_WAITING:
        not_found(t);
        return;
    case UNKNOWN_BY_LIST:
        look(t);
        return;
    case UNKNOWN_BY_REPLAY:
        replay(t);
        return;
    }
}

void duty_resolve(struct task *t)
{
    if (t->work.job.stage != STAGE_SUBMIT_UNKNOWN || !t->work.attempt.id) {
        task_end(t);
        return;
    }
    resolve_ask(t);
}
