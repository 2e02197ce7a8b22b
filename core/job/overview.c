#include "job/overview.h"

#include "base/arena.h"
#include "io/json.h"
#include "job/standing.h"
#include "job/store.h"
#include "media/forecast.h"

#define FORECAST_TOP 1 /* the accounts are not told here */

static const char *stage_word(int stage)
{
    return stage == STAGE_DONE ? NULL : job_stage_name((enum job_stage)stage);
}

static const char *state_word(int state)
{
    return job_state_name((enum job_state)state);
}

static void add_known(struct jw *w, const char *key, int64_t v)
{
    if (v)
        jw_i64(w, key, v);
    else
        jw_null(w, key);
}

/* ---- jobs ---- */

struct at_state {
    int state, stage;
    int64_t n, oldest_us;
};
static const struct db_col state_cols[] = {
    COL(struct at_state, state), COL(struct at_state, stage), COL(struct at_state, n), COL(struct at_state, oldest_us),
};

static void add_state(struct jw *w, const struct at_state *s)
{
    jw_open(w, NULL);
    jw_str(w, "status", fg_str_c(state_word(s->state)));
    jw_str(w, "stage", fg_str_c(stage_word(s->stage)));
    jw_i64(w, "n", s->n);
    jw_time(w, "oldestAt", s->oldest_us);
    jw_close(w);
}

static enum fg_code add_states(struct fg_ctx *cx, struct db *db, struct jw *w)
{
    struct at_state *open, *ended;
    size_t open_n, ended_n;
    int64_t since_us = cx->now_us - OVERVIEW_HISTORY_US;
    enum fg_code rc = DB_ALL(cx, db, SQL_OVERVIEW_OPEN, DB_NO_ARGS, DB_COLS(state_cols), &open, &open_n);
    if (rc == FG_OK)
        rc = DB_ALL(cx, db, SQL_OVERVIEW_ENDED, DB_ARGS(DB((int)OVERVIEW_SCAN), DB(since_us)), DB_COLS(state_cols), &ended,
                    &ended_n);
    if (rc != FG_OK)
        return rc;
    jw_open_array(w, "states");
    for (size_t i = 0; i < open_n; i++)
        add_state(w, &open[i]);
    for (size_t i = 0; i < ended_n; i++)
        add_state(w, &ended[i]);
    jw_close_array(w);
    jw_time(w, "finishedSince", since_us);
    return FG_OK;
}

static enum fg_code add_ages(struct fg_ctx *cx, struct db *db, struct jw *w)
{
    struct ages {
        int state;
        int64_t minute, hour, day, older;
    } *row;
    static const struct db_col cols[] = { COL(struct ages, state), COL(struct ages, minute), COL(struct ages, hour),
                                          COL(struct ages, day), COL(struct ages, older) };
    int64_t minute = cx->now_us - 60 * FG_US_PER_S, hour = cx->now_us - 3600 * FG_US_PER_S,
            day = cx->now_us - 86400 * FG_US_PER_S;
    size_t n;
    enum fg_code rc = DB_ALL(cx, db, SQL_OVERVIEW_AGES,
                             DB_ARGS(DB(minute), DB(minute), DB(hour), DB(hour), DB(day), DB(day)), DB_COLS(cols), &row, &n);
    if (rc != FG_OK)
        return rc;
    jw_open_array(w, "ages");
    for (size_t i = 0; i < n; i++) {
        jw_open(w, NULL);
        jw_str(w, "status", fg_str_c(state_word(row[i].state)));
        jw_i64(w, "underMinute", row[i].minute);
        jw_i64(w, "underHour", row[i].hour);
        jw_i64(w, "underDay", row[i].day);
        jw_i64(w, "older", row[i].older);
        jw_close(w);
    }
    jw_close_array(w);
    return FG_OK;
}

struct stuck {
    struct fg_str id, account, account_name, provider, model, why;
    int state, stage;
    int64_t since_us;
};

static enum fg_code add_stuck(struct fg_ctx *cx, struct db *db, struct jw *w)
{
    static const struct db_col cols[] = {
        COL(struct stuck, id),    COL(struct stuck, account), COL(struct stuck, account_name), COL(struct stuck, state),
        COL(struct stuck, stage), COL(struct stuck, provider), COL(struct stuck, model),       COL(struct stuck, since_us),
        COL(struct stuck, why),
    };
    struct stuck *row;
    size_t n;
    enum fg_code rc = DB_ALL(cx, db, SQL_OVERVIEW_STUCK,
                             DB_ARGS(DB(cx->now_us - STUCK_DEADLINE_US), DB(cx->now_us - STUCK_OVERDUE_US), DB(cx->now_us),
                                     DB(STUCK_STAGE_US), DB((int)OVERVIEW_LIST_MAX)),
                             DB_COLS(cols), &row, &n);
    if (rc != FG_OK)
        return rc;
    jw_open_array(w, "stuck");
    for (size_t i = 0; i < n; i++) {
        jw_open(w, NULL);
        jw_str(w, "id", row[i].id);
        jw_str(w, "accountId", row[i].account);
        jw_str(w, "accountName", row[i].account_name);
        jw_str(w, "status", fg_str_c(state_word(row[i].state)));
        jw_str(w, "stage", fg_str_c(stage_word(row[i].stage)));
        jw_str(w, "provider", row[i].provider);
        jw_str(w, "model", row[i].model);
        jw_time(w, "since", row[i].since_us);
        jw_str(w, "why", row[i].why);
        jw_close(w);
    }
    jw_close_array(w);
    return FG_OK;
}

static enum fg_code add_doubts(struct fg_ctx *cx, const struct job_env *env, struct jw *w)
{
    struct doubt {
        struct fg_str id, provider, model;
        int64_t since_us;
    } *row;
    static const struct db_col cols[] = { COL(struct doubt, id), COL(struct doubt, provider), COL(struct doubt, model),
                                          COL(struct doubt, since_us) };
    size_t n;
    enum fg_code rc = DB_ALL(cx, env->db, SQL_OVERVIEW_DOUBTS, DB_ARGS(DB((int)OVERVIEW_LIST_MAX)), DB_COLS(cols), &row, &n);
    if (rc != FG_OK)
        return rc;
    jw_open_array(w, "unknownSubmits");
    for (size_t i = 0; i < n; i++) {
        const struct cat_provider *p = catalogue_provider(env->catalogue, row[i].provider);
        jw_open(w, NULL);
        jw_str(w, "id", row[i].id);
        jw_str(w, "provider", row[i].provider);
        jw_str(w, "model", row[i].model);
        jw_time(w, "since", row[i].since_us);
        jw_time(w, "giveUpAt", p ? row[i].since_us + p->unknown_wait_s * FG_US_PER_S : 0);
        jw_close(w);
    }
    jw_close_array(w);
    return FG_OK;
}

/* ---- providers ---- */

struct load {
    struct fg_str provider;
    int64_t running, waiting;
};
struct bucket {
    struct fg_str provider;
    int64_t at_us, accepted, refused, not_sent, unknown, good, bad;
};
struct providers {
    struct standing *standing;
    struct load *load;
    struct bucket *bucket;
    struct weather weather;
    size_t n, load_n, bucket_n;
};

static enum fg_code read_providers(struct fg_ctx *cx, const struct job_env *env, struct providers *p)
{
    static const struct db_col load_cols[] = { COL(struct load, provider), COL(struct load, running),
                                               COL(struct load, waiting) };
    static const struct db_col bucket_cols[] = {
        COL(struct bucket, provider), COL(struct bucket, at_us),   COL(struct bucket, accepted), COL(struct bucket, refused),
        COL(struct bucket, not_sent), COL(struct bucket, unknown), COL(struct bucket, good),     COL(struct bucket, bad),
    };
    enum fg_code rc = standing_read(cx, env->db, env->catalogue, &p->standing, &p->n);
    if (rc == FG_OK)
        rc = DB_ALL(cx, env->db, SQL_OVERVIEW_LOAD, DB_NO_ARGS, DB_COLS(load_cols), &p->load, &p->load_n);
    if (rc == FG_OK)
        rc = DB_ALL(cx, env->db, SQL_OVERVIEW_HISTORY,
                    DB_ARGS(DB(OVERVIEW_BUCKET_US), DB(OVERVIEW_BUCKET_US), DB(cx->now_us - OVERVIEW_HISTORY_US)),
                    DB_COLS(bucket_cols), &p->bucket, &p->bucket_n);
    return rc == FG_OK ? weather_read(cx, env->db, &p->weather) : rc;
}

static void add_load(struct jw *w, const struct providers *p, struct fg_str name)
{
    struct load none = { name, 0, 0 };
    const struct load *l = &none;
    for (size_t i = 0; i < p->load_n; i++)
        if (fg_eq(p->load[i].provider, name))
            l = &p->load[i];
    jw_i64(w, "running", l->running);
    jw_i64(w, "waiting", l->waiting);
}

static void add_weather(struct jw *w, const struct catalogue *c, const struct providers *p, struct fg_str name)
{
    jw_open_array(w, "weather");
    for (unsigned i = 0; i < c->model_n; i++) {
        const struct model_weather *m = weather_of(&p->weather, c->model[i].name);
        if (!m || !fg_eq(c->model[i].provider->name, name))
            continue;
        jw_open(w, NULL);
        jw_str(w, "model", m->model);
        jw_i64(w, "n", m->n);
        jw_i64(w, "good", m->good_n);
        add_known(w, "startP50Ms", m->start_p50_ms);
        add_known(w, "startP90Ms", m->start_p90_ms);
        add_known(w, "finishP50Ms", m->finish_p50_ms);
        add_known(w, "finishP90Ms", m->finish_p90_ms);
        jw_close(w);
    }
    jw_close_array(w);
}

static void add_history(struct jw *w, const struct providers *p, struct fg_str name)
{
    jw_open_array(w, "history");
    for (size_t i = 0; i < p->bucket_n; i++) {
        const struct bucket *k = &p->bucket[i];
        if (!fg_eq(k->provider, name))
            continue;
        jw_open(w, NULL);
        jw_time(w, "at", k->at_us);
        jw_i64(w, "accepted", k->accepted);
        jw_i64(w, "refused", k->refused);
        jw_i64(w, "notSent", k->not_sent);
        jw_i64(w, "unknown", k->unknown);
        jw_i64(w, "good", k->good);
        jw_i64(w, "bad", k->bad);
        jw_close(w);
    }
    jw_close_array(w);
}

static void add_provider(struct jw *w, const struct catalogue *c, const struct providers *p, const struct standing *s)
{
    jw_open(w, NULL);
    jw_str(w, "name", s->provider);
    jw_str(w, "state", fg_str_c(standing_name(s->state)));
    jw_str(w, "why", fg_str_c(s->why));
    jw_time(w, "since", s->since_us);
    jw_time(w, "until", s->until_us);
    jw_bool(w, "paused", s->paused);
    jw_str(w, "breaker", fg_str_c(standing_breaker_name(s->breaker)));
    add_load(w, p, s->provider);
    add_weather(w, c, p, s->provider);
    add_history(w, p, s->provider);
    jw_close(w);
}

static enum fg_code add_providers(struct fg_ctx *cx, const struct job_env *env, struct jw *w)
{
    struct providers p = { 0 };
    enum fg_code rc = read_providers(cx, env, &p);
    if (rc != FG_OK)
        return rc;
    jw_open_array(w, "providers");
    for (size_t i = 0; i < p.n; i++)
        if (p.standing[i].state != STANDING_NOT_SET_UP)
            add_provider(w, env->catalogue, &p, &p.standing[i]);
    jw_close_array(w);
    return FG_OK;
}

enum fg_code overview_provider_json(struct fg_ctx *cx, const struct job_env *env, struct fg_str name, struct sb *b)
{
    struct providers p = { 0 };
    struct jw w = jw_on(b);
    enum fg_code rc = read_providers(cx, env, &p);
    for (size_t i = 0; rc == FG_OK && i < p.n; i++)
        if (fg_eq(p.standing[i].provider, name))
            add_provider(&w, env->catalogue, &p, &p.standing[i]);
    return rc;
}

/* ---- the rest ---- */

struct queue {
    int64_t n, failing, oldest_us;
};
static const struct db_col queue_cols[] = { COL(struct queue, n), COL(struct queue, failing), COL(struct queue, oldest_us) };

static enum fg_code add_queues(struct fg_ctx *cx, struct db *db, struct jw *w)
{
    struct queue reviews, webhooks;
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_OVERVIEW_REVIEWS, DB_NO_ARGS, DB_COLS(queue_cols), &reviews, &found);
    if (rc == FG_OK)
        rc = db_one(cx, db, SQL_OVERVIEW_WEBHOOKS, DB_NO_ARGS, DB_COLS(queue_cols), &webhooks, &found);
    if (rc != FG_OK)
        return rc;
    jw_open(w, "reviews");
    jw_i64(w, "open", reviews.n);
    jw_time(w, "oldestAt", reviews.oldest_us);
    jw_close(w);
    jw_open(w, "webhooks");
    jw_i64(w, "pending", webhooks.n);
    jw_i64(w, "failing", webhooks.failing);
    jw_time(w, "oldestAt", webhooks.oldest_us);
    jw_close(w);
    return FG_OK;
}

static enum fg_code add_storage(struct fg_ctx *cx, const struct job_env *env, struct jw *w)
{
    struct forecast f;
    int64_t bytes = 0, before = 0;
    enum fg_code rc = forecast_read(cx, env->db, env->conf, FORECAST_TOP, &f);
    if (rc != FG_OK)
        return rc;
    for (int kind = 1; kind < STORAGE_KIND_N; kind++) {
        bytes += f.bytes[kind];
        before += f.before[kind];
    }
    jw_open(w, "storage");
    jw_i64(w, "bytes", bytes);
    if (f.days)
        jw_i64(w, "perDay", forecast_per_day(&f, bytes, before));
    else
        jw_null(w, "perDay");
    jw_open(w, "forecast");
    if (f.free_bytes >= 0)
        jw_i64(w, "freeBytes", f.free_bytes);
    else
        jw_null(w, "freeBytes");
    jw_time(w, "fullAt", f.full_us);
    jw_close(w);
    jw_close(w);
    return FG_OK;
}

static enum fg_code add_audit(struct fg_ctx *cx, struct db *db, struct jw *w)
{
    struct audit {
        int64_t checked_us, broken;
    } a = { 0 };
    static const struct db_col cols[] = { COL(struct audit, checked_us), COL(struct audit, broken) };
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_LEDGER_AUDITED, DB_NO_ARGS, DB_COLS(cols), &a, &found);
    if (rc != FG_OK)
        return rc;
    jw_open(w, "ledgerAudit");
    jw_time(w, "checkedAt", a.checked_us);
    jw_i64(w, "broken", a.broken);
    jw_close(w);
    return FG_OK;
}

static enum fg_code add_sweepers(struct fg_ctx *cx, struct db *db, struct jw *w)
{
    struct beat {
        struct fg_str name;
        int64_t at_us;
    } *row;
    static const struct db_col cols[] = { COL(struct beat, name), COL(struct beat, at_us) };
    size_t n;
    enum fg_code rc = DB_ALL(cx, db, SQL_OVERVIEW_SWEEPERS, DB_ARGS(DB((int)OVERVIEW_LIST_MAX)), DB_COLS(cols), &row, &n);
    if (rc != FG_OK)
        return rc;
    jw_open_array(w, "sweepers");
    for (size_t i = 0; i < n; i++) {
        jw_open(w, NULL);
        jw_str(w, "name", row[i].name);
        jw_time(w, "at", row[i].at_us);
        jw_bool(w, "alive", cx->now_us - row[i].at_us <= OVERVIEW_ALIVE_US);
        jw_close(w);
    }
    jw_close_array(w);
    return FG_OK;
}

static enum fg_code add_brakes(struct fg_ctx *cx, const struct job_env *env, struct jw *w)
{
    struct brakes b;
    enum fg_code rc = brakes_read(cx, env->db, env->conf, &b);
    if (rc != FG_OK)
        return rc;
    jw_open_array(w, "brakes");
    for (size_t i = 0; i < b.n; i++) {
        jw_open(w, NULL);
        jw_str(w, "provider", b.row[i].provider);
        jw_time(w, "until", b.row[i].until_us);
        jw_close(w);
    }
    jw_close_array(w);
    return FG_OK;
}

enum fg_code overview_json(struct fg_ctx *cx, const struct job_env *env, struct sb *b)
{
    struct jw w = jw_on(b);
    jw_open(&w, NULL);
    jw_time(&w, "at", cx->now_us);
    enum fg_code rc = add_states(cx, env->db, &w);
    if (rc == FG_OK)
        rc = add_ages(cx, env->db, &w);
    if (rc == FG_OK)
        rc = add_stuck(cx, env->db, &w);
    if (rc == FG_OK)
        rc = add_doubts(cx, env, &w);
    if (rc == FG_OK)
        rc = add_queues(cx, env->db, &w);
    if (rc == FG_OK)
        rc = add_providers(cx, env, &w);
    if (rc == FG_OK)
        rc = add_storage(cx, env, &w);
    if (rc == FG_OK)
        rc = add_audit(cx, env->db, &w);
    if (rc == FG_OK)
        rc = add_sweepers(cx, env->db, &w);
    if (rc == FG_OK)
        rc = add_brakes(cx, env, &w);
    jw_close(&w);
    return rc;
}
