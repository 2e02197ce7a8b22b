/* What the operator's brakes leave of this hour, while slots are given out; and telling others who is at the brake. */
#include "base/arena.h"
#include "base/log.h"
#include "sweeper/sweep.h"

enum fg_code budget_open(struct sweeper *s, struct budget *b)
{
    *b = (struct budget){ .set = brake_is_set(s->env.conf) };
    return b->set ? brake_spending(&s->cx, s->env.db, &b->spent) : FG_OK;
}

static struct brake_turn *turn_of(struct budget *b, struct fg_str provider)
{
    for (unsigned i = 0; i < b->turn_n; i++)
        if (fg_eq(b->turn[i].provider, provider))
            return &b->turn[i];
    FG_ASSERT(b->turn_n < FG_LEN(b->turn));
    b->turn[b->turn_n] = (struct brake_turn){ .provider = provider };
    return &b->turn[b->turn_n++];
}

static bool pays(struct sweeper *s, struct budget *b, struct fg_str of, int64_t micro)
{
    int64_t limit = brake_limit(s->env.conf, of), spent = brake_spent(&b->spent, of);
    if (!limit || micro <= limit - spent)
        return true;
    if (micro <= limit) /* else it never could, and is not what the others wait for */
        turn_of(b, of)->missing_micro = spent + micro - limit;
    return false;
}

bool budget_pays(struct sweeper *s, struct budget *b, const struct cat_model *m, int64_t micro)
{
    return !b->set || (pays(s, b, BRAKE_ALL, micro) && pays(s, b, m->provider->name, micro));
}

void budget_take(struct sweeper *s, struct budget *b, const struct cat_model *m, int64_t micro)
{
    struct spent *more;
    if (!b->set)
        return;
    turn_of(b, BRAKE_ALL)->gave = turn_of(b, m->provider->name)->gave = true;
    more = arena_array(s->cx.mem, struct spent, b->spent.n + 1);
    if (b->spent.n)
        memcpy(more, b->spent.row, b->spent.n * sizeof *more);
    more[b->spent.n] = (struct spent){ m->provider->name, micro };
    b->spent.row = more;
    b->spent.n++;
}

bool budget_reached(struct budget *b, const struct cat_model *m)
{
    return b->set && (turn_of(b, BRAKE_ALL)->missing_micro || turn_of(b, m->provider->name)->missing_micro);
}

static int64_t *known_until(struct sweeper *s, struct fg_str provider)
{
    struct provider_traffic *p = traffic_of(&s->traffic, provider);
    return fg_eq(provider, BRAKE_ALL) ? &s->traffic.all_braked_until_us : p ? &p->braked_until_us : NULL;
}

static enum fg_code tell(struct sweeper *s, const struct brake_turn *t, const struct spending *spent,
                         int64_t *known_us, int64_t *again_us)
{
    int64_t until_us = 0;
    enum fg_code rc = FG_OK;
    if (t->missing_micro)
        rc = brake_until(&s->cx, s->env.db, t->provider, t->missing_micro, &until_us);
    if (rc != FG_OK)
        return rc;
    if (t->missing_micro && until_us - s->cx.now_us < *again_us)
        *again_us = until_us - s->cx.now_us;
    if (until_us == *known_us)
        return FG_OK;
    if (!*known_us || !until_us)
        fg_log(&s->cx, until_us ? LOG_WARN : LOG_INFO, "provider.brake", LOG_S("provider", t->provider),
               LOG_I("on", until_us > 0), LOG_I("spent", brake_spent(spent, t->provider)));
    rc = db_run(&s->cx, s->env.db, SQL_PROVIDER_BRAKE, DB_ARGS(DB(t->provider), DB_TIME(until_us), DB_TIME(until_us)));
    if (rc == FG_OK)
        *known_us = until_us;
    return rc;
}

int64_t budget_tell(struct sweeper *s, struct budget *b)
{
    int64_t again_us = INT64_MAX;
    for (unsigned i = 0; i < b->turn_n; i++) {
        const struct brake_turn *t = &b->turn[i];
        int64_t *known_us = known_until(s, t->provider);
        if (!known_us || (!t->missing_micro && !t->gave))
            continue;
        enum fg_code rc = tell(s, t, &b->spent, known_us, &again_us);
        if (rc != FG_OK)
            sweep_failed(s, rc, "budget.tell_failed", t->provider);
    }
    return again_us;
}
