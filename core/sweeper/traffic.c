#include "sweeper/traffic.h"

#include "base/log.h"
#include "money/brake.h"

#define LOAD_US FG_US_PER_S
#define BURST_S 6
#define ROOM_MAX 1000000

struct state_row {
    struct fg_str provider;
    int64_t paused_us, parked_until_us;
    int park_reason, breaker;
    int64_t breaker_us;
    int opened_n;
    int64_t braked_until_us;
};
static const struct db_col state_cols[] = {
    COL(struct state_row, provider),    COL(struct state_row, paused_us), COL(struct state_row, parked_until_us),
    COL(struct state_row, park_reason), COL(struct state_row, breaker),   COL(struct state_row, breaker_us),
    COL(struct state_row, opened_n),    COL(struct state_row, braked_until_us),
};

/* ---- pace ---- */

static void set_limit(struct lane_limit *l, int64_t per_minute, int64_t sweepers)
{
    l->interval_us = per_minute ? 60 * FG_US_PER_S * sweepers / per_minute : 0;
    l->burst_us = BURST_S * FG_US_PER_S;
    if (l->burst_us < l->interval_us)
        l->burst_us = l->interval_us;
}

int64_t limit_take(struct lane_limit *l, int64_t mono_us)
{
    if (!l->interval_us)
        return mono_us;
    if (l->next_us < mono_us)
        l->next_us = mono_us;
    int64_t at = l->next_us - l->burst_us + l->interval_us;
    l->next_us += l->interval_us;
    return at > mono_us ? at : mono_us;
}

int64_t limit_room(const struct lane_limit *l, int64_t mono_us)
{
    if (!l->interval_us)
        return ROOM_MAX;
    int64_t next = l->next_us > mono_us ? l->next_us : mono_us;
    int64_t ahead = l->burst_us - (next - mono_us);
    return ahead < 0 ? 0 : ahead / l->interval_us;
}

int64_t traffic_take(const struct fg_ctx *cx, struct provider_traffic *p, bool submit)
{
    int64_t mono = ctx_mono_us(cx), at = limit_take(&p->calls, mono);
    int64_t other = submit ? limit_take(&p->submits, mono) : at;
    return at > other ? at : other;
}

/* ---- what is known ---- */

struct provider_traffic *traffic_of(struct traffic *tr, struct fg_str name)
{
    for (unsigned i = 0; i < tr->n; i++)
        if (fg_eq(fg_str_c(tr->provider[i].name), name))
            return &tr->provider[i];
    return NULL;
}

static void take_catalogue(struct traffic *tr, const struct catalogue *c)
{
    for (unsigned i = 0; i < c->provider_n; i++) {
        const struct cat_provider *cp = &c->provider[i];
        struct provider_traffic *p = traffic_of(tr, cp->name);
        if (!p && tr->n < FG_LEN(tr->provider)) {
            p = &tr->provider[tr->n++];
            *p = (struct provider_traffic){ .failures = 0 };
            memcpy(p->name, cp->name.p, cp->name.n < sizeof p->name ? cp->name.n : sizeof p->name - 1);
        }
        if (p) {
            set_limit(&p->calls, cp->calls_per_minute, tr->sweepers);
            set_limit(&p->submits, cp->submits_per_minute, tr->sweepers);
        }
    }
}

void traffic_load(struct fg_ctx *cx, struct db *db, struct traffic *tr, const struct catalogue *c)
{
    int64_t mono = ctx_mono_us(cx);
    struct state_row *row;
    size_t n;
    if (mono < tr->next_load_us)
        return;
    tr->next_load_us = mono + LOAD_US;
    if (!tr->sweepers)
        tr->sweepers = 1;
    take_catalogue(tr, c);
    if (DB_ALL(cx, db, SQL_PROVIDER_STATES, DB_NO_ARGS, DB_COLS(state_cols), &row, &n) != FG_OK) {
        log_err(cx, "traffic.load_failed", FG_NONE);
        return;
    }
    for (unsigned i = 0; i < tr->n; i++)
        tr->provider[i].paused_us = tr->provider[i].braked_until_us = 0;
    tr->all_braked_until_us = 0;
    for (size_t i = 0; i < n; i++) {
        struct provider_traffic *p = traffic_of(tr, row[i].provider);
        if (fg_eq(row[i].provider, BRAKE_ALL))
            tr->all_braked_until_us = row[i].braked_until_us;
        if (!p)
            continue;
        if (p->breaker != BREAKER_CLOSED && row[i].breaker == BREAKER_CLOSED)
            p->failures = 0; /* another sweeper, or the operator, has better news */
        p->paused_us = row[i].paused_us;
        p->parked_until_us = row[i].parked_until_us;
        p->park_reason = row[i].park_reason;
        p->breaker = row[i].breaker;
        p->breaker_us = row[i].breaker_us;
        p->opened_n = row[i].opened_n;
        p->braked_until_us = row[i].braked_until_us;
    }
}

int64_t traffic_room(const struct fg_ctx *cx, const struct provider_traffic *p, int64_t *again_us)
{
    int64_t mono = ctx_mono_us(cx), now = cx->now_us;
    *again_us = 0;
    if (p->paused_us)
        return 0;
    if (p->parked_until_us > now) {
        *again_us = mono + p->parked_until_us - now;
        return 0;
    }
    int64_t open_until = p->breaker == BREAKER_OPEN        ? p->breaker_us
                         : p->breaker == BREAKER_HALF_OPEN ? p->breaker_us + TRAFFIC_PROBE_US
                                                           : 0;
    if (open_until > now) {
        *again_us = mono + open_until - now;
        return 0;
    }
    int64_t calls = limit_room(&p->calls, mono), submits = limit_room(&p->submits, mono);
    int64_t room = calls < submits ? calls : submits;
    if (room == 0)
        *again_us = mono + (p->submits.interval_us > p->calls.interval_us ? p->submits : p->calls).interval_us;
    return p->breaker != BREAKER_CLOSED && room > 1 ? 1 : room;
}

/* ---- what is learnt ---- */

static void write_breaker(struct fg_ctx *cx, struct db *db, const struct provider_traffic *p)
{
    struct fg_str name = fg_str_c(p->name);
    fg_log(cx, p->breaker == BREAKER_OPEN ? LOG_WARN : LOG_INFO, "provider.breaker", LOG_S("provider", name),
           LOG_I("state", p->breaker), LOG_I("opened", p->opened_n));
    enum fg_code rc = db_run(cx, db, SQL_PROVIDER_BREAKER,
                             DB_ARGS(DB(name), DB(p->breaker), DB_TIME(p->breaker_us), DB(p->opened_n),
                                     DB(p->breaker), DB_TIME(p->breaker_us), DB(p->opened_n)));
    if (rc != FG_OK)
        log_err(cx, "traffic.breaker_failed", name);
}

bool breaker_heard(struct provider_traffic *p, bool well, int64_t now_us)
{
    if (well) {
        bool was = p->breaker != BREAKER_CLOSED || p->opened_n;
        p->failures = 0;
        p->breaker = BREAKER_CLOSED;
        p->breaker_us = 0;
        p->opened_n = 0;
        return was;
    }
    p->failures++;
    bool opens = p->breaker == BREAKER_HALF_OPEN ||
                 (p->breaker == BREAKER_CLOSED && p->failures >= TRAFFIC_FAILURES_MAX) ||
                 (p->breaker == BREAKER_OPEN && p->breaker_us <= now_us);
    if (!opens)
        return false;
    int64_t pause = TRAFFIC_OPEN_US;
    for (int i = 0; i < p->opened_n && pause < TRAFFIC_OPEN_MAX_US; i++)
        pause *= 2;
    p->breaker = BREAKER_OPEN;
    p->breaker_us = now_us + (pause < TRAFFIC_OPEN_MAX_US ? pause : TRAFFIC_OPEN_MAX_US);
    p->opened_n++;
    return true;
}

void traffic_heard(struct fg_ctx *cx, struct db *db, struct provider_traffic *p, bool well)
{
    if (breaker_heard(p, well, cx->now_us))
        write_breaker(cx, db, p);
}

void traffic_submit(struct fg_ctx *cx, struct db *db, struct provider_traffic *p)
{
    if (p->breaker == BREAKER_CLOSED)
        return;
    p->breaker = BREAKER_HALF_OPEN;
    p->breaker_us = cx->now_us;
    write_breaker(cx, db, p);
}

void traffic_park(struct fg_ctx *cx, struct db *db, struct provider_traffic *p, enum remote_reason why, int64_t seconds)
{
    struct fg_str name = fg_str_c(p->name);
    p->parked_until_us = cx->now_us + seconds * FG_US_PER_S;
    p->park_reason = (int)why;
    fg_log(cx, LOG_WARN, "provider.parked", LOG_S("provider", name), LOG_I("reason", why), LOG_I("seconds", seconds));
    enum fg_code rc = db_run(cx, db, SQL_PROVIDER_PARK,
                             DB_ARGS(DB(name), DB(p->parked_until_us), DB((int)why), DB(p->parked_until_us),
                                     DB((int)why)));
    if (rc != FG_OK)
        log_err(cx, "traffic.park_failed", name);
}

void traffic_shift(struct traffic *tr, int64_t us)
{
    for (unsigned i = 0; i < tr->n; i++) {
        struct provider_traffic *p = &tr->provider[i];
        p->parked_until_us += p->parked_until_us ? us : 0;
        p->breaker_us += p->breaker_us ? us : 0;
    }
}
