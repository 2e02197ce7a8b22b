#include "problem.h"

#include "base/arena.h"
#include "io/json.h"

#define PROBLEM_MAX (64 * FG_KIB)
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

static void add_body(struct fg_ctx *cx, const struct web_req *req, const struct fg_err_info *info,
                     bool err_is_ours, struct sb *b)
{
    struct jw w = jw_on(b);
    const char *detail = err_is_ours && cx->err.detail[0] ? cx->err.detail : info->title;
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
    jw_close(&w);
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
        struct web_req without_path = { .path = FG_LIT("/") };
        resp->body = sb_in(cx->mem, PROBLEM_MAX);
        add_body(cx, &without_path, info, err_is_ours, &resp->body);
    }
    if (info->retry != FG_RETRY_NEVER) {
        int s = err_is_ours && cx->err.retry_after_s > 0 ? cx->err.retry_after_s : RETRY_AFTER_S;
        web_header(cx, resp, "Retry-After", arena_fmt(cx->mem, "%d", s));
    }
    if (info->http == 401)
        web_header(cx, resp, "WWW-Authenticate", FG_LIT("Bearer"));
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
}
