/* POST /v1/quotes: what a job would be, without making it. The body is a job's. */
#include "handlers.h"
#include "job/quote.h"
#include "limits.h"

static void add_wait(struct jw *w, const struct model_weather *now)
{
    if (!now || !now->finish_p90_ms) {
        jw_null(w, "waitEstimate");
        return;
    }
    jw_open(w, "waitEstimate");
    jw_i64(w, "fromSeconds", now->finish_p50_ms / 1000);
    jw_i64(w, "toSeconds", (now->finish_p90_ms + 999) / 1000);
    jw_close(w);
}

static void add_parts(struct jw *w, const struct job_quote *q)
{
    jw_open_array(w, "parts");
    for (unsigned i = 0; i < q->part_n; i++) {
        const struct offer_part *p = &q->part[i];
        jw_open(w, NULL);
        jw_str(w, "name", fg_str_c(p->name));
        if (p->unit) {
            jw_str(w, "unit", fg_str_c(p->unit));
            jw_i64(w, "quantity", p->quantity);
            jw_i64(w, "unitMicro", p->unit_micro);
        }
        jw_i64(w, "amountMicro", p->amount_micro);
        jw_close(w);
    }
    jw_close_array(w);
}

/* Of an account that it can stop. */
static void add_balance(struct jw *w, const struct identity *who, const struct job_quote *q)
{
    if (who->role != ROLE_USER && q->req.terms.credit_limit_micro >= 0) {
        limits_add_balance(w, who, &q->req.terms, &q->use);
        return;
    }
    jw_null(w, "balanceMicro");
    jw_null(w, "creditLimitMicro");
}

enum fg_code quotes_create(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct job_quote q;
    enum fg_code rc = job_quote(cx, &env, &req->who, req->body, &q);
    if (rc != FG_OK)
        return rc;
    const struct job_request *r = &q.req;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_str(&w, "id", q.quote.public_id);
    jw_time(&w, "expiresAt", q.quote.expires_us);
    jw_str(&w, "model", r->model->name);
    jw_str(&w, "provider", r->model->provider->name);
    jw_str(&w, "route", r->route);
    jw_str(&w, "resolution", r->resolution);
    jw_i64(&w, "priceMicro", r->price_micro);
    jw_str(&w, "currency", r->currency);
    add_parts(&w, &q);
    limits_add(&w, &req->who, &r->terms, &q.use);
    add_balance(&w, &req->who, &q);
    jw_str(&w, "refusal", q.refusal == FG_OK ? FG_NONE : fg_str_c(fg_err_info(q.refusal)->slug));
    job_ignored_json(&w, r->ignored);
    add_wait(&w, weather_of(env.weather, r->model->name));
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}
