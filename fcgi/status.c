/* GET /v1/status: which providers take jobs now, and how each model has done lately. */
#include "handlers.h"
#include "io/json.h"
#include "job/standing.h"

static void add_ms(struct jw *w, const char *key, int64_t ms)
{
    if (ms)
        jw_i64(w, key, ms);
    else
        jw_null(w, key);
}

static void add_provider(struct jw *w, const struct standing *s)
{
    jw_open(w, NULL);
    jw_str(w, "name", s->provider);
    jw_str(w, "state", fg_str_c(standing_name(s->state)));
    jw_str(w, "reason", fg_str_c(s->why));
    jw_time(w, "since", s->since_us);
    jw_time(w, "until", s->until_us);
    jw_close(w);
}

static void add_model(struct jw *w, const struct cat_model *m, const struct model_weather *now)
{
    jw_open(w, NULL);
    jw_str(w, "name", m->name);
    jw_str(w, "provider", m->provider->name);
    jw_i64(w, "finished", now->n);
    jw_i64(w, "succeeded", now->good_n);
    add_ms(w, "startP50Ms", now->start_p50_ms);
    add_ms(w, "startP90Ms", now->start_p90_ms);
    add_ms(w, "finishP50Ms", now->finish_p50_ms);
    add_ms(w, "finishP90Ms", now->finish_p90_ms);
    jw_time(w, "computedAt", now->computed_us);
    jw_close(w);
}

enum fg_code status_get(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    const struct catalogue *c = app->catalogue;
    struct standing *row;
    struct weather weather;
    size_t n;
    (void)req;
    enum fg_code rc = standing_read(cx, app->db, c, &row, &n);
    if (rc == FG_OK)
        rc = weather_read(cx, app->db, &weather);
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_open_array(&w, "providers");
    for (size_t i = 0; i < n; i++)
        if (row[i].state != STANDING_NOT_SET_UP)
            add_provider(&w, &row[i]);
    jw_close_array(&w);
    jw_open_array(&w, "models");
    for (unsigned i = 0; i < c->model_n; i++) {
        const struct model_weather *now = weather_of(&weather, c->model[i].name);
        if (now && c->model[i].provider->set_up)
            add_model(&w, &c->model[i], now);
    }
    jw_close_array(&w);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

/* Every state is told, with 0 where it is not: a series that comes and goes cannot be watched. */
static void add_states(struct sb *b, const struct standing *row, size_t n)
{
    sb_add(b, FG_LIT("# HELP filmgate_provider_state 1 for the state that a provider is in.\n"
                     "# TYPE filmgate_provider_state gauge\n"));
    for (size_t i = 0; i < n; i++)
        for (int s = STANDING_OK; s < STANDING_NOT_SET_UP && row[i].state != STANDING_NOT_SET_UP; s++)
            sb_addf(b, "filmgate_provider_state{provider=\"%.*s\",state=\"%s\"} %d\n", FG_P(row[i].provider),
                    standing_name((enum standing_state)s), row[i].state == (enum standing_state)s);
}

static void add_weather(struct sb *b, const struct weather *w)
{
    sb_add(b, FG_LIT("# HELP filmgate_model_finished Videos of the last day that the provider finished, by outcome.\n"
                     "# TYPE filmgate_model_finished gauge\n"));
    for (size_t i = 0; i < w->n; i++)
        sb_addf(b,
                "filmgate_model_finished{model=\"%.*s\",outcome=\"succeeded\"} %lld\n"
                "filmgate_model_finished{model=\"%.*s\",outcome=\"failed\"} %lld\n",
                FG_P(w->row[i].model), (long long)w->row[i].good_n, FG_P(w->row[i].model),
                (long long)(w->row[i].n - w->row[i].good_n));
}

enum fg_code status_metrics(struct fg_ctx *cx, struct web_app *app, struct sb *b)
{
    struct standing *row;
    struct weather weather;
    size_t n;
    enum fg_code rc = standing_read(cx, app->db, app->catalogue, &row, &n);
    if (rc == FG_OK)
        rc = weather_read(cx, app->db, &weather);
    if (rc != FG_OK)
        return rc;
    add_states(b, row, n);
    add_weather(b, &weather);
    return FG_OK;
}
