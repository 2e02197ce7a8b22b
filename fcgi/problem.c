#include "problem.h"

#include "base/arena.h"
#include "io/json.h"

#define PROBLEM_MAX (64 * FG_KIB)
#define RATES_MAX 400
#define RETRY_AFTER_S 2 /* when the error itself names no pause */

static void add_errors(struct jw *w, const struct fg_err *err)
{
    jw_open_array(w, "errors");
    for (unsigned i = 0; i < err->field_n; i++) {
        jw_open(w, NULL);
        jw_str(w, "path", fg_str_c(err->field[i].path));
        jw_str(w, "code", fg_str_c(err->field[i].code));
        jw_str(w, "detail", fg_str_c(err->field[i].detail));
        jw_close(w);
    }
    jw_close_array(w);
}

/* What the account may spend and has spent is not told to a user's key. */
static bool is_money_of_others(const struct web_req *req, const struct fg_err *err)
{
    return req->who.role == ROLE_USER && (err->code == FG_BUDGET_EXCEEDED || err->code == FG_BALANCE_TOO_LOW);
}

static void add_limit(struct jw *w, const struct fg_err_limit *limit, bool figures)
{
    jw_open(w, "limit");
    jw_str(w, "name", fg_str_c(limit->name));
    if (figures) {
        jw_i64(w, "max", limit->max);
        jw_i64(w, "current", limit->current);
    }
    jw_time(w, "freeAt", limit->free_us);
    jw_close(w);
}

static void add_body(struct fg_ctx *cx, const struct web_req *req, const struct fg_err_info *info,
                     bool err_is_ours, struct sb *b)
{
    struct jw w = jw_on(b);
    bool figures = !is_money_of_others(req, &cx->err);
    const char *detail = err_is_ours && cx->err.detail[0] && figures ? cx->err.detail : info->title;
    jw_open(&w, NULL);
    jw_str(&w, "type", arena_fmt(cx->mem, "/problems/#%s", info->slug));
    jw_str(&w, "title", fg_str_c(info->title));
    jw_i64(&w, "status", info->http);
    jw_str(&w, "detail", fg_str_c(detail));
    jw_str(&w, "instance", req->path);
    jw_str(&w, "code", fg_str_c(info->slug));
    jw_str(&w, "requestId", cx->request_id);
    if (err_is_ours && cx->err.field_n)
        add_errors(&w, &cx->err);
    if (err_is_ours && cx->err.limit.name)
        add_limit(&w, &cx->err.limit, figures);
    if (err_is_ours && cx->err.job) {
        jw_str(&w, "jobId", fg_str_c(cx->err.job));
        jw_time(&w, "createdAt", cx->err.job_us);
    }
    jw_close(&w);
}

void problem_rates(struct fg_ctx *cx, struct web_resp *resp, const struct use_left *limit, unsigned n)
{
    struct sb policy = sb_in(cx->mem, RATES_MAX), now = sb_in(cx->mem, RATES_MAX);
    for (unsigned i = 0; i < n; i++) {
        int64_t rest = limit[i].max - limit[i].used, pause_us = limit[i].free_us - cx->now_us;
        const char *comma = policy.n ? ", " : "";
        if (!limit[i].window_s)
            continue;
        sb_addf(&policy, "%s\"%s\";q=%lld;w=%lld", comma, limit[i].name, (long long)limit[i].max,
                (long long)limit[i].window_s);
        sb_addf(&now, "%s\"%s\";r=%lld;t=%lld", comma, limit[i].name, (long long)(rest > 0 ? rest : 0),
                (long long)(pause_us > 0 ? (pause_us + FG_US_PER_S - 1) / FG_US_PER_S : 0));
    }
    if (!policy.n || policy.bad || now.bad)
        return;
    web_header(cx, resp, "RateLimit-Policy", sb_str(&policy));
    web_header(cx, resp, "RateLimit", sb_str(&now));
}

void problem_write(struct fg_ctx *cx, const struct web_app *app, const struct web_req *req,
                   enum fg_code code, struct web_resp *resp)
{
    (void)app;
    const struct fg_err_info *info = fg_err_info(code);
    bool err_is_ours = cx->err.code == code; /* else it speaks of something that was dealt with */
    *resp = (struct web_resp){ .status = info->http,
                               .content_type = FG_LIT("application/problem+json"),
                               .body = sb_in(cx->mem, PROBLEM_MAX) };
    add_body(cx, req, info, err_is_ours, &resp->body);
    if (resp->body.bad) { /* a path of many kilobytes that all needed escaping */
        struct web_req without_path = { .path = FG_LIT("/"), .who = req->who };
        resp->body = sb_in(cx->mem, PROBLEM_MAX);
        add_body(cx, &without_path, info, err_is_ours, &resp->body);
    }
    if (info->retry != FG_RETRY_NEVER) {
        int s = err_is_ours && cx->err.retry_after_s > 0 ? cx->err.retry_after_s : RETRY_AFTER_S;
        web_header(cx, resp, "Retry-After", arena_fmt(cx->mem, "%d", s));
    }
    if (err_is_ours && cx->err.limit.window_s)
        problem_rates(cx, resp, &(struct use_left){ cx->err.limit.name, cx->err.limit.max, cx->err.limit.current,
                                                    cx->err.limit.free_us, cx->err.limit.window_s }, 1);
    if (err_is_ours && cx->err.job)
        web_header(cx, resp, "Location", arena_fmt(cx->mem, "/v1/jobs/%s", cx->err.job));
    if (info->http == 401)
        web_header(cx, resp, "WWW-Authenticate", FG_LIT("Bearer"));
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
}
