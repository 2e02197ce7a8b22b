/* While the database is no help (away, hanging, full, closed to writers): ask it less and less often, say so once each
 * time, start nothing new, and keep what is known until it can be written down. */
#include "base/log.h"
#include "base/sb.h"
#include "io/hash.h"
#include "sweeper/sweep.h"

#define PAUSE_MIN_US FG_US_PER_S
#define PAUSE_MAX_US (5 * FG_US_PER_S) /* also how long its return may go unnoticed */
#define LATER_US (10 * FG_US_PER_MS)
#define WIRE_TRIES 3
#define LATER_ROW_MAX 110 /* three numbers and an owner in hex */

bool db_no_help(enum fg_code rc)
{
    return rc == FG_DB_LOST || rc == FG_DB_UNSURE;
}

static void met(struct sweeper *s, struct fg_ctx *cx, enum fg_code rc, const char *event, struct fg_str what)
{
    if (!db_no_help(rc)) {
        log_err(cx, event, what);
        return;
    }
    int64_t mono = ctx_mono_us(cx);
    if (mono < s->away_until_us) /* told already */
        return;
    log_err(cx, event, what);
    if (!s->away_since_us)
        s->away_since_us = mono;
    s->away_pause_us = s->away_pause_us ? 2 * s->away_pause_us : PAUSE_MIN_US;
    if (s->away_pause_us > PAUSE_MAX_US)
        s->away_pause_us = PAUSE_MAX_US;
    s->away_until_us = mono + s->away_pause_us;
    s->next_upkeep_us = 0; /* so that the next pass writes: reading alone proves nothing */
}

void sweep_failed(struct sweeper *s, enum fg_code rc, const char *event, struct fg_str what)
{
    met(s, &s->cx, rc, event, what);
}

void task_failed(struct task *t, enum fg_code rc, const char *event)
{
    met(t->s, &t->cx, rc, event, t->work.job.public_id);
}

void sweep_went_well(struct sweeper *s)
{
    if (!s->away_since_us || sweep_away(s))
        return;
    fg_log(&s->cx, LOG_INFO, "sweep.database_back",
           LOG_I("ms", (ctx_mono_us(&s->cx) - s->away_since_us) / FG_US_PER_MS));
    s->away_since_us = s->away_until_us = s->away_pause_us = 0;
    s->look_now = true;
}

void task_when_back(struct task *t, void (*retry)(struct task *t))
{
    t->retry = retry;
    t->retry_mono_us = ctx_mono_us(&t->cx) + PAUSE_MIN_US;
}

void tasks_retry(struct sweeper *s)
{
    int64_t mono = ctx_mono_us(&s->cx);
    for (struct task *t = s->tasks; t && mono >= s->away_until_us; t = t->next) {
        void (*retry)(struct task *) = t->retry;
        if (t->ended || !retry || mono < t->retry_mono_us)
            continue;
        t->retry = NULL;
        ctx_tick(&t->cx);
        retry(t);
    }
}

void task_over(struct task *t, enum fg_code rc, const char *event)
{
    if (db_no_help(rc)) {
        task_failed(t, rc, event);
        task_later(t, t->cx.now_us, t->work.tries - 1); /* the next claim counts one again */
        return;
    }
    (void)task_ok(t, rc, event);
    task_end(t);
}

/* ---- giving back ---- */

void task_later(struct task *t, int64_t due_us, int64_t tries)
{
    struct sweeper *s = t->s;
    FG_ASSERT(s->later_n < SWEEP_LATER_MAX); /* sweep_room sees to it */
    struct later *l = &s->later[s->later_n++];
    *l = (struct later){ .due_us = due_us, .tries = tries, .due_id = t->work.due_id };
    memcpy(l->owner, t->owner, SWEEP_OWNER_LEN);
    if (s->later_n == 1)
        s->later_mono_us = ctx_mono_us(&s->cx) + LATER_US;
    t->ended = true;
}

struct giving {
    struct sweeper *s;
    unsigned tries;
};

/* What a turn has given back, in one statement: a round trip per unchanged poll would be most of our work. The record
 * may be what keeps it from being written down: work comes first. */
static enum fg_code give_back_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct giving *g = arg;
    struct sweeper *s = g->s;
    struct sb rows = sb_in(cx->mem, SWEEP_LATER_MAX * LATER_ROW_MAX);
    enum fg_code rc = g->tries++ < WIRE_TRIES ? wire_write_left(cx, db, s) : FG_OK;
    if (rc != FG_OK || !s->later_n)
        return rc;
    for (unsigned i = 0; i < s->later_n; i++) {
        const struct later *l = &s->later[i];
        struct fg_str owner = hash_hex(cx->mem, l->owner, SWEEP_OWNER_LEN);
        sb_addf(&rows, "%c[%lld,%lld,%lld,\"%.*s\"]", i ? ',' : '[', (long long)l->due_id, (long long)l->due_us,
                (long long)l->tries, FG_P(owner));
    }
    sb_add_c(&rows, ']');
    FG_ASSERT(!rows.bad);
    return db_run(cx, db, SQL_DUE_LATER, DB_ARGS(DB(sb_str(&rows))));
}

int64_t give_back_in_us(const struct sweeper *s)
{
    int64_t mono = ctx_mono_us(&s->cx), at = s->later_mono_us;
    if (!s->later_n && !wire_waits(s))
        return INT64_MAX;
    if (at < s->away_until_us)
        at = s->away_until_us;
    return at > mono ? at - mono : 0;
}

void give_back(struct sweeper *s)
{
    bool full = s->later_n >= SWEEP_LATER_BATCH, alone = s->task_n == 0;
    int64_t mono = ctx_mono_us(&s->cx);
    if ((!s->later_n && !wire_waits(s)) || mono < s->away_until_us ||
        (!full && !alone && !s->draining && mono < s->later_mono_us))
        return;
    struct giving g = { s, 0 };
    enum fg_code rc = db_tx(&s->cx, s->env.db, give_back_body, &g);
    if (rc != FG_OK)
        sweep_failed(s, rc, "sweep.give_back_failed", fg_str_c(s->name));
    if (db_no_help(rc)) /* once more later: a row whose lease has been taken over, or which was written, is let alone */
        return;
    wire_forget_left(s, rc == FG_OK && g.tries <= WIRE_TRIES);
    s->later_n = 0; /* after any other failure the leases bring them back */
    s->look_now = true;
}
