/* Another model of a job's route: when one has refused it, or takes nothing now. Never after an unknown outcome. */
#include "base/arena.h"
#include "base/log.h"
#include "provider/route.h"
#include "sweeper/sweep.h"

#define LANE_BATCH 50

struct refused_row {
    struct fg_str model;
};
static const struct db_col refused_cols[] = { COL(struct refused_row, model) };

struct usable {
    struct sweeper *s;
    struct fg_str current;
    struct fg_str models; /* of the account's plan; FG_NONE: all */
    const struct refused_row *refused;
    size_t refused_n;
};

static const struct db_col plan_cols[] = { COL(struct usable, models) };

static bool usable(void *arg, const struct cat_model *m)
{
    const struct usable *u = arg;
    struct provider_traffic *p = traffic_of(&u->s->traffic, m->provider->name);
    int64_t now_us = u->s->cx.now_us;
    if (fg_eq(m->name, u->current) || !plan_allows(u->models, m->name) || !p || p->paused_us ||
        p->parked_until_us > now_us || (p->breaker == BREAKER_OPEN && p->breaker_us > now_us) ||
        p->braked_until_us > now_us || u->s->traffic.all_braked_until_us > now_us)
        return false;
    for (size_t i = 0; i < u->refused_n; i++)
        if (fg_eq(m->name, u->refused[i].model))
            return false;
    return true;
}

enum fg_code reroute_pick(struct fg_ctx *cx, struct sweeper *s, struct db *db, const struct job *j,
                          const struct cat_model **out)
{
    const struct cat_route *route = j->route.n ? catalogue_route(s->env.catalogue, j->route) : NULL;
    struct usable u = { .s = s, .current = j->model };
    struct refused_row *row;
    bool found;
    *out = NULL;
    if (!route)
        return FG_OK;
    enum fg_code rc = DB_ALL(cx, db, SQL_ATTEMPT_REFUSED, DB_ARGS(DB(j->id)), DB_COLS(refused_cols), &row, &u.refused_n);
    if (rc != FG_OK)
        return rc;
    u.refused = row;
    rc = db_one(cx, db, SQL_PLAN_MODELS, DB_ARGS(DB(j->account_id)), DB_COLS(plan_cols), &u, &found);
    if (rc != FG_OK)
        return rc;
    struct cat_wish wish = job_wish(j);
    *out = route_pick(cx, s->env.catalogue, route, &wish, usable, &u);
    return FG_OK;
}

static struct fg_str rerouted_data(struct fg_ctx *cx, struct fg_str from, struct fg_str to, struct fg_str why)
{
    struct sb b = sb_in(cx->mem, 1000);
    struct jw w = jw_on(&b);
    jw_open(&w, NULL);
    jw_str(&w, "from", from);
    jw_str(&w, "to", to);
    jw_str(&w, "why", why);
    jw_close(&w);
    return sb_str(&b);
}

enum fg_code reroute_move(struct fg_ctx *cx, struct db *db, struct job *j, const struct cat_model *to, struct fg_str why)
{
    struct cat_wish wish = job_wish(j);
    struct job_change ch = { .event = EV_REROUTED, .data = rerouted_data(cx, j->model, to->name, why),
                             .due_us = cx->now_us };
    j->provider = to->provider->name;
    j->model = to->name;
    j->ignored = catalogue_ignored(cx, to, &wish);
    return job_move(cx, db, j, &ch);
}

struct lane_job {
    int64_t id;
};
static const struct db_col lane_job_cols[] = { COL(struct lane_job, id) };

struct moving_lane {
    struct sweeper *s;
    const struct lane_job *row;
    size_t n;
    int64_t moved;
};

static enum fg_code lane_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct moving_lane *m = arg;
    enum fg_code rc = FG_OK;
    m->moved = 0;
    for (size_t i = 0; i < m->n && rc == FG_OK; i++) {
        const struct cat_model *to = NULL;
        struct job j;
        rc = job_by_id(cx, db, m->row[i].id, &j);
        if (rc != FG_OK || j.stage != STAGE_WAITING)
            continue;
        rc = reroute_pick(cx, m->s, db, &j, &to);
        if (rc == FG_OK && to) {
            rc = reroute_move(cx, db, &j, to, FG_LIT("provider_unavailable"));
            m->moved++;
        }
    }
    return rc;
}

void reroute_lane(struct sweeper *s, struct fg_str lane)
{
    struct moving_lane m = { .s = s };
    struct lane_job *row;
    enum fg_code rc = DB_ALL(&s->cx, s->env.db, SQL_LANE_ROUTED, DB_ARGS(DB(lane), DB(s->cx.now_us), DB((int)LANE_BATCH)),
                             DB_COLS(lane_job_cols), &row, &m.n);
    m.row = row;
    if (rc == FG_OK && m.n)
        rc = db_tx(&s->cx, s->env.db, lane_body, &m);
    if (rc != FG_OK && rc != FG_JOB_MOVED)
        sweep_failed(s, rc, "reroute.lane_failed", lane);
    if (rc == FG_OK && m.moved) {
        fg_log(&s->cx, LOG_INFO, "reroute.lane", LOG_S("model", lane), LOG_I("jobs", m.moved));
        s->look_now = true;
    }
}
