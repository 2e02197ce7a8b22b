/* POST /v1/quotes: what a job would be, without making it. The body is a job's. */
#include "handlers.h"
#include "io/json.h"
#include "job/request.h"

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

enum fg_code quotes_create(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct job_request r;
    enum fg_code rc = job_request_read(cx, &env, &req->who, req->body, &r);
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_str(&w, "model", r.model->name);
    jw_str(&w, "provider", r.model->provider->name);
    jw_str(&w, "route", r.route);
    jw_str(&w, "resolution", r.resolution);
    jw_i64(&w, "priceMicro", r.price_micro);
    jw_str(&w, "currency", r.currency);
    job_ignored_json(&w, r.ignored);
    add_wait(&w, weather_of(env.weather, r.model->name));
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}
