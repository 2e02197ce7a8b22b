/* Who of those that wait is submitted next: fair between accounts, within the limits of provider and model. Slots are
 * given out under a lock of the database, so that two sweepers do not give the same one. */
#include "base/arena.h"
#include "base/log.h"
#include "sweeper/sweep.h"

#define PAUSE_US (25 * FG_US_PER_MS) /* between two looks for room while there is none */
#define REROUTE_US FG_US_PER_S
#define LOCK_NAME FG_LIT("filmgate.slots")
#define TELL_US FG_US_PER_S

struct flight {
    struct fg_str provider, model;
    int64_t account_id, n;
};
static const struct db_col flight_cols[] = { COL(struct flight, provider), COL(struct flight, model),
                                             COL(struct flight, account_id), COL(struct flight, n) };
struct lane_row {
    struct fg_str lane;
};
static const struct db_col lane_cols[] = { COL(struct lane_row, lane) };

struct waiter {
    int64_t account_id, first_id;
    int64_t running_max, user_running_max; /* of its plan */
    int64_t n;     /* what the account has at this provider, given ones included */
    int64_t most;  /* how many more it may have */
    int64_t given;
};
static const struct db_col waiter_cols[] = { COL(struct waiter, account_id), COL(struct waiter, first_id),
                                             COL(struct waiter, running_max), COL(struct waiter, user_running_max) };

struct giving {
    struct sweeper *s;
    struct flight *flight;
    size_t flight_n;
    const struct cat_model *full[CATALOGUE_MODELS_MAX]; /* whose lines stand still */
    unsigned full_n;
    struct budget budget;
    int64_t again_us; /* monotonic; 0: at once, INT64_MAX: when something happens */
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t in_flight(const struct giving *g, struct fg_str provider, struct fg_str model)
{
    int64_t n = 0;
    for (size_t i = 0; i < g->flight_n; i++)
        if (fg_eq(g->flight[i].provider, provider) && (!model.p || fg_eq(g->flight[i].model, model)))
            n += g->flight[i].n;
    return n;
}

/* provider FG_NONE: anywhere. */
static int64_t of_account(const struct giving *g, struct fg_str provider, int64_t account_id)
{
    int64_t n = 0;
    for (size_t i = 0; i < g->flight_n; i++)
        if (g->flight[i].account_id == account_id && (!provider.p || fg_eq(g->flight[i].provider, provider)))
            n += g->flight[i].n;
    return n;
}

/* What was given counts at once: the next lane may be of the same provider. */
static void note_given(struct giving *g, const struct cat_model *m, int64_t account_id, int64_t n)
{
    struct flight *more = arena_array(g->s->cx.mem, struct flight, g->flight_n + 1);
    if (g->flight_n)
        memcpy(more, g->flight, g->flight_n * sizeof *more);
    more[g->flight_n] = (struct flight){ m->provider->name, m->name, account_id, n };
    g->flight = more;
    g->flight_n++;
}

/* closed: it takes no submits now, whatever its load. */
static int64_t room_of(struct giving *g, const struct cat_model *m, bool *closed)
{
    struct provider_traffic *p = traffic_of(&g->s->traffic, m->provider->name);
    int64_t again = 0, room = p && m->provider->set_up ? traffic_room(&g->s->cx, p, &again) : 0;
    *closed = room == 0 && !(p && m->provider->set_up && !p->paused_us && p->breaker == BREAKER_CLOSED &&
                             p->parked_until_us <= g->s->cx.now_us);
    if (again)
        g->again_us = least(g->again_us, again);
    room = least(room, m->provider->concurrency - in_flight(g, m->provider->name, FG_NONE));
    if (m->concurrency)
        room = least(room, m->concurrency - in_flight(g, m->provider->name, m->name));
    room = least(room, sweep_room(g->s));
    return room < 0 ? 0 : least(room, g->s->env.conf->sweeper_batch);
}

/* Each slot to whoever has least of those that may have more; among equals to who has waited longest. */
static void share(struct waiter *w, size_t n, int64_t room)
{
    while (room-- > 0) {
        struct waiter *next = NULL;
        for (size_t i = 0; i < n; i++)
            if (w[i].given < w[i].most &&
                (!next || w[i].n < next->n || (w[i].n == next->n && w[i].first_id < next->first_id)))
                next = &w[i];
        if (!next)
            return;
        next->n++;
        next->given++;
    }
}

/* What it may have beside what it has: a limit of its plan is looked up anew for every look. */
static void measure(struct giving *g, const struct cat_model *m, struct waiter *w)
{
    int64_t more = w->running_max - of_account(g, FG_NONE, w->account_id);
    w->n = of_account(g, m->provider->name, w->account_id);
    w->most = w->running_max < 0 ? INT64_MAX : more > 0 ? more : 0;
    if (w->most == 0)
        g->s->slots_short = true;
}

/* One round of slots; how many were taken. Who did not take all of his is out. */
static int64_t give_round(struct giving *g, const struct cat_model *m, struct waiter *w, size_t *n, int64_t left)
{
    int64_t taken = 0;
    share(w, *n, left);
    for (size_t i = 0; i < *n;) {
        struct line line = { m, w[i].account_id, w[i].user_running_max };
        int64_t want = w[i].given, got = 0;
        if (want && !budget_reached(&g->budget, m))
            got = line_claim(g->s, &line, &g->budget, want);
        if (got)
            note_given(g, m, w[i].account_id, got);
        taken += got;
        w[i].given = 0;
        w[i].n -= want - got;
        w[i].most -= w[i].running_max < 0 ? 0 : got;
        if (got < want)
            w[i] = w[--*n];
        else
            i++;
    }
    return taken;
}

static void give_lane(struct giving *g, const struct cat_model *m, int64_t room)
{
    struct sweeper *s = g->s;
    struct waiter *w;
    size_t n;
    enum fg_code rc = DB_ALL(&s->cx, s->env.db, SQL_LANE_ACCOUNTS, DB_ARGS(DB(m->name)), DB_COLS(waiter_cols), &w, &n);
    if (rc != FG_OK) {
        sweep_failed(s, rc, "slots.accounts_failed", m->name);
        return;
    }
    for (size_t i = 0; i < n; i++)
        measure(g, m, &w[i]);
    /* An account whose jobs are not due takes none of its share: those rounds go to the others. */
    for (int64_t left = room; n > 0 && left > 0;) {
        size_t before = n;
        int64_t taken = give_round(g, m, w, &n, left);
        left -= taken;
        if (taken)
            g->again_us = 0; /* there may be room for more than a batch */
        else if (n == before)
            break; /* those who are left have all that they may */
    }
    if (budget_reached(&g->budget, m))
        s->slots_short = true;
}

/* As the last look left it: its jobs may go elsewhere, if they can. */
static bool is_braked(struct sweeper *s, const struct cat_model *m)
{
    const struct provider_traffic *p = traffic_of(&s->traffic, m->provider->name);
    return p && p->braked_until_us > s->cx.now_us;
}

static bool lock(struct sweeper *s, enum db_sql sql)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    int64_t got = 0;
    bool found;
    enum fg_code rc = db_one(&s->cx, s->env.db, sql, DB_ARGS(DB(LOCK_NAME)), DB_COLS(cols), &got, &found);
    if (rc != FG_OK)
        sweep_failed(s, rc, "slots.lock_failed", fg_str_c(s->name));
    return rc == FG_OK && got == 1;
}

static void give(struct giving *g)
{
    struct sweeper *s = g->s;
    struct lane_row *lane;
    size_t n;
    bool may_reroute = ctx_mono_us(&s->cx) >= s->next_reroute_us;
    enum fg_code rc = DB_ALL(&s->cx, s->env.db, SQL_LANES, DB_NO_ARGS, DB_COLS(lane_cols), &lane, &n);
    if (rc == FG_OK && n)
        rc = DB_ALL(&s->cx, s->env.db, SQL_IN_FLIGHT, DB_NO_ARGS, DB_COLS(flight_cols), &g->flight, &g->flight_n);
    if (rc == FG_OK && n)
        rc = budget_open(s, &g->budget);
    if (rc != FG_OK) {
        sweep_failed(s, rc, "slots.read_failed", fg_str_c(s->name));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct cat_model *m = catalogue_model(s->env.catalogue, lane[i].lane);
        bool closed = true;
        int64_t room = m ? room_of(g, m, &closed) : 0;
        closed = closed || is_braked(s, m);
        if (closed && may_reroute) {
            reroute_lane(s, lane[i].lane);
            s->next_reroute_us = ctx_mono_us(&s->cx) + REROUTE_US;
        }
        if (closed)
            g->again_us = least(g->again_us, s->next_reroute_us);
        if (room > 0)
            give_lane(g, m, room);
        else
            s->slots_short = true;
        if (room == 0 && m && g->full_n < FG_LEN(g->full))
            g->full[g->full_n++] = m;
    }
    int64_t brake_us = budget_tell(s, &g->budget);
    if (brake_us != INT64_MAX)
        g->again_us = least(g->again_us, ctx_mono_us(&s->cx) + brake_us);
}

int64_t slots_give(struct sweeper *s)
{
    struct giving g = { .s = s, .again_us = INT64_MAX };
    int64_t mono = ctx_mono_us(&s->cx);
    if (mono < s->next_slots_us)
        return s->next_slots_us - mono;
    s->slots_short = false;
    s->next_slots_us = mono + PAUSE_US;
    if (!lock(s, SQL_SLOTS_LOCK))
        return PAUSE_US;
    give(&g);
    (void)lock(s, SQL_SLOTS_UNLOCK);
    for (unsigned i = 0; i < g.full_n && mono >= s->next_queue_us; i++)
        queue_tell(s, g.full[i]);
    if (mono >= s->next_queue_us)
        s->next_queue_us = mono + TELL_US;
    if (!s->slots_short)
        s->next_slots_us = 0; /* everything that was due has gone: the next job need not wait */
    int64_t after = ctx_mono_us(&s->cx);
    return g.again_us == INT64_MAX ? INT64_MAX : g.again_us > after ? g.again_us - after : 0;
}
