/* /v1/jobs/{id}/shares: links that an owner gives away; /v1/shared/{token}: what whoever has one may know. */
#include "job/share.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "handlers.h"
#include "io/json.h"

static enum fg_code read_life(struct fg_ctx *cx, const struct web_req *req, int64_t *life_s)
{
    const struct js *body, *v;
    struct fg_str name;
    *life_s = SHARE_LIFE_S;
    if (req->body.n == 0)
        return FG_OK;
    enum fg_code rc = js_parse(cx, req->body, &body);
    if (rc != FG_OK)
        return rc;
    if (js_type(body) != JS_OBJECT)
        return fg_fail(cx, FG_INVALID_REQUEST, "The body must be a JSON object.");
    fg_fields_clear(cx);
    for (size_t it = 0; js_next(body, &it, &name, &v);) {
        if (!FG_IS(name, "expiresInSeconds"))
            fg_field(cx, arena_fmt(cx->mem, "/%.*s", FG_P(utf8_cut(name, 100))).p, "unknown", "There is no such field.");
        else if (!js_i64(v, life_s) || *life_s < SHARE_LIFE_MIN_S || *life_s > SHARE_LIFE_MAX_S)
            fg_field(cx, "/expiresInSeconds", "range", "It must be a whole number from %d to %d.", SHARE_LIFE_MIN_S,
                     SHARE_LIFE_MAX_S);
    }
    return fg_fields_check(cx);
}

static void add_share(struct jw *w, const struct share *s)
{
    jw_str(w, "id", s->public_id);
    jw_time(w, "createdAt", s->created_us);
    jw_time(w, "expiresAt", s->expires_us);
}

static void add_url(struct fg_ctx *cx, const struct web_app *app, struct jw *w, const char *key, struct fg_str token,
                    const char *part)
{
    struct fg_str base = app->conf->server_public_url;
    jw_str(w, key, arena_fmt(cx->mem, "%.*s/media/shared/%.*s/%s", FG_P(base), FG_P(token), part));
}

/* The token after the #: no server is ever sent it with the page, so no log of anybody's has it. */
static void add_page_url(struct fg_ctx *cx, const struct web_app *app, struct jw *w, struct fg_str token)
{
    jw_str(w, "pageUrl", arena_fmt(cx->mem, "%.*s/share/#%.*s", FG_P(app->conf->server_public_url), FG_P(token)));
}

enum fg_code shares_create(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct share s;
    int64_t life_s;
    enum fg_code rc = read_life(cx, req, &life_s);
    if (rc == FG_OK)
        rc = share_create(cx, &env, &req->who, req->arg[0], life_s, &s);
    if (rc != FG_OK)
        return rc;
    resp->status = 201;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    add_share(&w, &s);
    add_page_url(cx, app, &w, s.token);
    add_url(cx, app, &w, "url", s.token, "video");
    add_url(cx, app, &w, "posterUrl", s.token, "poster");
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

enum fg_code shares_list(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct share *row;
    size_t n;
    enum fg_code rc = share_list(cx, &env, &req->who, req->arg[0], &row, &n);
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_open_array(&w, "data");
    for (size_t i = 0; i < n; i++) {
        jw_open(&w, NULL);
        add_share(&w, &row[i]);
        jw_close(&w);
    }
    jw_close_array(&w);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

enum fg_code shares_revoke(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    resp->status = 204;
    return share_revoke(cx, &env, &req->who, req->arg[0], req->arg[1]);
}

/* Nothing of its owner, nor of money. */
enum fg_code shares_see(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct shared s;
    enum fg_code rc = share_see(cx, &env, req->arg[0], &s);
    if (rc != FG_OK)
        return rc;
    const struct job *j = &s.job;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_str(&w, "status", fg_str_c(job_state_name((enum job_state)j->state)));
    jw_str(&w, "model", j->model);
    jw_str(&w, "prompt", j->prompt);
    jw_str(&w, "aspectRatio", j->aspect_ratio);
    jw_i64(&w, "duration", j->duration_s);
    jw_str(&w, "resolution", j->resolution);
    jw_time(&w, "createdAt", j->created_us);
    jw_time(&w, "expiresAt", s.expires_us);
    add_url(cx, app, &w, "videoUrl", req->arg[0], "video");
    add_url(cx, app, &w, "posterUrl", req->arg[0], "poster");
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    web_header(cx, resp, "X-Robots-Tag", FG_LIT("noindex"));
    return FG_OK;
}
