#include "job/standing.h"

#include "base/arena.h"

struct row {
    struct fg_str provider;
    int64_t paused_us, parked_until_us;
    int park_reason, breaker;
    int64_t breaker_us;
    int opened_n;
    int64_t braked_until_us;
};
static const struct db_col row_cols[] = {
    COL(struct row, provider), COL(struct row, paused_us),  COL(struct row, parked_until_us), COL(struct row, park_reason),
    COL(struct row, breaker),  COL(struct row, breaker_us), COL(struct row, opened_n),
    COL(struct row, braked_until_us),
};

static const char *park_word(int reason)
{
    return reason == REASON_AUTH ? "auth" : reason == REASON_CREDIT ? "credit" : "quota";
}

/* all_us: until when everybody is at the brake. */
static struct standing judge(const struct cat_provider *p, const struct row *r, int64_t all_us, int64_t now_us)
{
    struct standing s = { .provider = p->name, .paused = r && r->paused_us, .breaker = r ? r->breaker : 0 };
    int64_t braked_us = r && r->braked_until_us > all_us ? r->braked_until_us : all_us;
    if (!p->set_up) {
        s.state = STANDING_NOT_SET_UP;
    } else if (r && r->paused_us) {
        s.state = STANDING_PAUSED;
        s.since_us = r->paused_us;
    } else if (r && r->parked_until_us > now_us) {
        s.state = STANDING_PARKED;
        s.until_us = r->parked_until_us;
        s.why = park_word(r->park_reason);
    } else if (braked_us > now_us) {
        s.state = STANDING_BRAKED;
        s.until_us = braked_us;
    } else if (r && r->breaker) {
        bool open = r->breaker == 1 && r->breaker_us > now_us;
        s.state = open ? STANDING_FAILING : STANDING_TRYING;
        s.until_us = open ? r->breaker_us : 0;
    }
    return s;
}

enum fg_code standing_read(struct fg_ctx *cx, struct db *db, const struct catalogue *c, struct standing **out, size_t *n)
{
    struct row *row;
    size_t row_n;
    enum fg_code rc = DB_ALL(cx, db, SQL_PROVIDER_STATES, DB_NO_ARGS, DB_COLS(row_cols), &row, &row_n);
    if (rc != FG_OK)
        return rc;
    *out = arena_array(cx->mem, struct standing, c->provider_n + 1);
    *n = c->provider_n;
    int64_t all_us = 0;
    for (size_t k = 0; k < row_n; k++)
        if (fg_eq(row[k].provider, BRAKE_ALL))
            all_us = row[k].braked_until_us;
    for (unsigned i = 0; i < c->provider_n; i++) {
        const struct row *mine = NULL;
        for (size_t k = 0; k < row_n; k++)
            if (fg_eq(row[k].provider, c->provider[i].name))
                mine = &row[k];
        (*out)[i] = judge(&c->provider[i], mine, all_us, cx->now_us);
    }
    return FG_OK;
}

const char *standing_name(enum standing_state s)
{
    static const char *const name[] = {
        [STANDING_OK] = "ok",           [STANDING_PAUSED] = "paused", [STANDING_PARKED] = "parked",
        [STANDING_BRAKED] = "braked",
        [STANDING_FAILING] = "failing", [STANDING_TRYING] = "trying", [STANDING_NOT_SET_UP] = "not_set_up",
    };
    FG_ASSERT(s < FG_LEN(name));
    return name[s];
}

const char *standing_breaker_name(int breaker)
{
    return breaker == 1 ? "open" : breaker == 2 ? "half_open" : "closed";
}

/* ---- by a person ---- */

static const char *const turns[STANDING_TURN_N] = {
    [STANDING_TURN_PAUSE] = "pause",
    [STANDING_TURN_RESUME] = "resume",
    [STANDING_TURN_CLOSE_BREAKER] = "close_breaker",
};

bool standing_turn_by_name(struct fg_str name, enum standing_turn *out)
{
    for (unsigned i = 0; i < STANDING_TURN_N; i++)
        if (fg_eq(name, fg_str_c(turns[i]))) {
            *out = (enum standing_turn)i;
            return true;
        }
    return false;
}

struct turning {
    enum standing_turn turn;
    struct fg_str provider;
};

static enum fg_code turn_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    const struct turning *t = arg;
    switch (t->turn) {
    case STANDING_TURN_PAUSE:
        return db_run(cx, db, SQL_PROVIDER_PAUSE, DB_ARGS(DB(t->provider), DB(cx->now_us), DB(cx->now_us)));
    case STANDING_TURN_RESUME:
        return db_run(cx, db, SQL_PROVIDER_RESUME, DB_ARGS(DB(t->provider)));
    case STANDING_TURN_CLOSE_BREAKER:
        break;
    }
    return db_run(cx, db, SQL_BREAKER_CLOSE, DB_ARGS(DB(t->provider)));
}

enum fg_code standing_turn(struct fg_ctx *cx, struct db *db, const struct catalogue *c, struct fg_str provider,
                           enum standing_turn turn, struct action *a)
{
    int64_t id;
    if (!catalogue_provider(c, provider))
        return fg_fail(cx, FG_NOT_FOUND, "The catalogue has no provider %.*s", FG_P(provider));
    a->action = fg_str_c(turns[turn]);
    a->subject = provider;
    return action_do(cx, db, a, turn_body, &(struct turning){ turn, provider }, &id);
}
