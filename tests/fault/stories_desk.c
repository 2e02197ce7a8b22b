/* What support does: it is done with its record and the event that tells of it, or not at all. */
#include "fault/play.h"
#include "job/act.h"
#include "job/standing.h"

/* also: what it is refused with when it had been done, and the answer, or the process, was lost. */
static void act(struct play *x, struct act_order o, enum fg_code also)
{
    struct act_done done;
    enum fg_code rc;
    o.job = x->id;
    o.actor = FG_LIT("acct_x, key 7");
    o.reason = FG_LIT("the customer called");
    for (unsigned i = 0; play_again(rc = act_run(x->cx, &x->w->env, &o, &done)) && i < PLAY_TRIES_MAX; i++)
        ;
    CHECK(rc == FG_OK || rc == also, arena_fmt(x->cx->mem, "%s: %s: %s", x->fault, act_name(o.kind), x->cx->err.detail).p);
}

static void turn(struct play *x, enum standing_turn turn)
{
    struct action a = { .actor = FG_LIT("acct_x, key 7"), .reason = FG_LIT("it burns") };
    PLAY_INSIST(x, standing_turn(x->cx, x->w->env.db, x->w->catalogue, FG_LIT("replay"), turn, &a));
}

/* Of deeds that are the same when done twice, and one that is not: what it has left behind is canceled. */
static void try_again(struct play *x)
{
    struct fg_str left;
    struct job j;
    act(x, (struct act_order){ .kind = ACT_RETRY }, FG_PROMPT_DELETED);
    while ((left = ask_text(x->w, "SELECT public_id FROM job WHERE state < 4 LIMIT 1")).p)
        PLAY_INSIST(x, job_cancel(x->cx, &x->w->env, &x->w->who, left, &j));
}

static void acted_on(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\"");
    turn(x, STANDING_TURN_PAUSE);
    turn(x, STANDING_TURN_CLOSE_BREAKER);
    turn(x, STANDING_TURN_RESUME);
    act(x, (struct act_order){ .kind = ACT_HOLD }, FG_DB_DUPLICATE);
    act(x, (struct act_order){ .kind = ACT_ADJUST, .amount_micro = 5,
                               .reference = arena_fmt(x->cx->mem, "desk-%u", x->n) }, FG_OK);
    act(x, (struct act_order){ .kind = ACT_CANCEL }, FG_JOB_FINISHED);
    act(x, (struct act_order){ .kind = ACT_RELEASE }, FG_NOT_FOUND);
    try_again(x);
    act(x, (struct act_order){ .kind = ACT_REDELIVER }, FG_OK);
    act(x, (struct act_order){ .kind = ACT_ERASE }, FG_GONE);
    play_told(x);
}

/* As many records as events: neither without the other. */
static void check_records(struct play *x)
{
    CHECK_I64(play_ask(x, "SELECT (SELECT COUNT(*) FROM operator_action o WHERE o.job_id = j.id AND o.outcome = 'done') - "
                          "(SELECT COUNT(*) FROM job_event e WHERE e.job_id = j.id AND e.kind = 'operator') "
                          "FROM job j WHERE j.public_id = '%s'"), 0, x->fault);
}

static void is_acted_on(struct play *x)
{
    play_check(x, JOB_FAILED, "canceled");
    check_records(x);
    CHECK_I64(play_bills(x), 0, x->fault);
    CHECK_I64(ask(x->w, "SELECT COUNT(*) FROM ledger WHERE reference = 'desk-%u'", x->n), 1, x->fault);
    CHECK_I64(ask(x->w, "SELECT COUNT(*) FROM legal_hold WHERE ended_us IS NULL"), 0, x->fault);
    CHECK_I64(ask(x->w, "SELECT COUNT(*) FROM provider_state WHERE paused_us IS NOT NULL"), 0, x->fault);
}

static void asked_about(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\"");
    play_until_there(x);
    act(x, (struct act_order){ .kind = ACT_ASK }, FG_NOT_AT_PROVIDER);
    play_on(x);
    play_told(x);
}

static void is_asked_about(struct play *x)
{
    play_check_delivered_or_unknown(x);
    check_records(x);
}

const struct story desk_stories[] = {
    { "acted on", NULL, acted_on, is_acted_on },
    { "asked about", NULL, asked_about, is_asked_about },
    { .name = NULL },
};
