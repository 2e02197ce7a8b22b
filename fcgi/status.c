/* GET /v1/status: which providers take jobs now, and how each model has done lately. */
#include "handlers.h"
#include "io/json.h"
#include "job/standing.h"
#include "money/cost.h"

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

/* ---- what attempts of the last day cost ---- */

#define CURRENCIES_MAX 8 /* shown */

struct currencies {
    struct fg_str name[CURRENCIES_MAX];
    unsigned n;
};

static void add_currency(struct currencies *c, struct fg_str name)
{
    for (unsigned i = 0; i < c->n; i++)
        if (fg_eq(c->name[i], name))
            return;
    if (c->n < CURRENCIES_MAX)
        c->name[c->n++] = name;
}

static struct cost_row cost_of(const struct cost_row *row, size_t n, const char *outcome, struct fg_str currency)
{
    for (size_t i = 0; i < n; i++)
        if (fg_eq(row[i].outcome, fg_str_c(outcome)) && fg_eq(row[i].currency, currency))
            return row[i];
    return (struct cost_row){ .micro = 0 };
}

/* Every outcome is told, with 0 where nothing was. */
static void add_outcomes(struct sb *b, const struct currencies *c, const struct cost_row *row, size_t n, bool micro)
{
    static const char *const outcomes[] = {
#define O(name, words) #name,
        COST_OUTCOMES(O)
#undef O
    };
    for (unsigned k = 0; k < c->n; k++)
        for (size_t i = 0; i < FG_LEN(outcomes); i++) {
            struct cost_row r = cost_of(row, n, outcomes[i], c->name[k]);
            sb_addf(b, "filmgate_%s{outcome=\"%s\",currency=\"%.*s\"} %lld\n", micro ? "cost_micro" : "attempts",
                    outcomes[i], FG_P(c->name[k]), (long long)(micro ? r.micro : r.n));
        }
}

/* less_cost: what was charged less what attempts cost. */
static void add_charged(struct sb *b, const struct currencies *c, const struct cost_row *row, size_t n, bool less_cost)
{
    for (unsigned k = 0; k < c->n; k++) {
        int64_t micro = cost_of(row, n, COST_CHARGED, c->name[k]).micro;
        for (size_t i = 0; less_cost && i < n; i++)
            if (fg_eq(row[i].currency, c->name[k]) && !fg_eq(row[i].outcome, FG_LIT(COST_CHARGED)))
                micro -= row[i].micro;
        sb_addf(b, "filmgate_%s_micro{currency=\"%.*s\"} %lld\n", less_cost ? "margin" : COST_CHARGED, FG_P(c->name[k]),
                (long long)micro);
    }
}

static void add_costs(struct sb *b, const struct catalogue *catalogue, const struct cost_row *row, size_t n)
{
    struct currencies c = { .n = 0 };
    for (unsigned i = 0; i < catalogue->model_n; i++)
        add_currency(&c, catalogue->model[i].price.currency);
    for (size_t i = 0; i < n; i++)
        add_currency(&c, row[i].currency);
    sb_add(b, FG_LIT("# HELP filmgate_cost_micro What attempts of the last day cost us, by what became of them.\n"
                     "# TYPE filmgate_cost_micro gauge\n"));
    add_outcomes(b, &c, row, n, true);
    sb_add(b, FG_LIT("# HELP filmgate_attempts How many they were.\n# TYPE filmgate_attempts gauge\n"));
    add_outcomes(b, &c, row, n, false);
    sb_add(b, FG_LIT("# HELP filmgate_charged_micro What accounts were charged in the last day.\n"
                     "# TYPE filmgate_charged_micro gauge\n"));
    add_charged(b, &c, row, n, false);
    sb_add(b, FG_LIT("# HELP filmgate_margin_micro That less what attempts cost.\n# TYPE filmgate_margin_micro gauge\n"));
    add_charged(b, &c, row, n, true);
}

struct stored {
    int64_t bytes;
};
static const struct db_col stored_cols[] = { COL(struct stored, bytes) };

static enum fg_code add_money(struct fg_ctx *cx, struct web_app *app, struct sb *b)
{
    struct cost_row *row;
    struct stored stored = { 0 };
    size_t n;
    bool found;
    enum fg_code rc = cost_kept(cx, app->db, &row, &n);
    if (rc == FG_OK)
        rc = db_one(cx, app->db, SQL_STORAGE_BYTES, DB_NO_ARGS, DB_COLS(stored_cols), &stored, &found);
    if (rc != FG_OK)
        return rc;
    add_costs(b, app->catalogue, row, n);
    sb_addf(b, "# HELP filmgate_storage_bytes Bytes of outputs that are kept.\n# TYPE filmgate_storage_bytes gauge\n"
               "filmgate_storage_bytes %lld\n", (long long)stored.bytes);
    return FG_OK;
}

static void add_brake(struct sb *b, struct fg_str provider, bool on, int64_t spent)
{
    sb_addf(b,
            "filmgate_brake{provider=\"%.*s\"} %d\n"
            "filmgate_brake_spent_micro{provider=\"%.*s\"} %lld\n",
            FG_P(provider), on, FG_P(provider), (long long)spent);
}

/* Only where there is a brake: what an hour costs is read row by row. */
static enum fg_code add_brakes(struct fg_ctx *cx, const struct web_app *app, struct sb *b)
{
    const struct catalogue *c = app->catalogue;
    struct brakes brakes;
    struct spending s;
    if (!brake_is_set(app->conf))
        return FG_OK;
    enum fg_code rc = brakes_read(cx, app->db, app->conf, &brakes);
    if (rc == FG_OK)
        rc = brake_spending(cx, app->db, &s);
    if (rc != FG_OK)
        return rc;
    sb_add(b, FG_LIT("# HELP filmgate_brake 1 while the operator's budget for an hour holds new jobs back.\n"
                     "# TYPE filmgate_brake gauge\n"
                     "# HELP filmgate_brake_spent_micro What the attempts of the last hour cost, in micro-units.\n"
                     "# TYPE filmgate_brake_spent_micro gauge\n"));
    add_brake(b, BRAKE_ALL, brakes_until(&brakes, BRAKE_ALL, cx->now_us), brake_spent(&s, BRAKE_ALL));
    for (unsigned i = 0; i < c->provider_n; i++)
        if (c->provider[i].set_up)
            add_brake(b, c->provider[i].name, brakes_until(&brakes, c->provider[i].name, cx->now_us),
                      brake_spent(&s, c->provider[i].name));
    return FG_OK;
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
    rc = add_money(cx, app, b);
    return rc == FG_OK ? add_brakes(cx, app, b) : rc;
}
