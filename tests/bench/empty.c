/* The ceiling of a request: our loop, FastCGI and routing, and an answer that is already there. Its
 * answers have the headers and lengths of the real ones: BENCH_STATUS_BYTES, BENCH_LIST_BYTES. */
#include <stdio.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/scan.h"
#include "loop.h"
#include "routes.h"

#define BYTES_MAX (256 * FG_KIB)

struct fixed {
    struct fg_str status, list;
};

static enum fg_code answer(struct fg_ctx *cx, struct web_resp *resp, struct fg_str body,
                           const char *cache)
{
    sb_add(&resp->body, body);
    web_header(cx, resp, "Cache-Control", fg_str_c(cache));
    return FG_OK;
}

static enum fg_code get_status(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                               struct web_resp *resp)
{
    const struct fixed *fixed = app->own;
    bool again = req->header[WEB_IF_NONE_MATCH].p != NULL;
    web_header(cx, resp, "ETag", FG_LIT("W/\"6-6a1b2c3d\""));
    resp->status = again ? 304 : 200;
    return answer(cx, resp, again ? FG_NONE : fixed->status, "private, no-cache");
}

static enum fg_code get_list(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                             struct web_resp *resp)
{
    const struct fixed *fixed = app->own;
    (void)req;
    return answer(cx, resp, fixed->list, "no-store");
}

static enum fg_code post_hook(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                              struct web_resp *resp)
{
    (void)app;
    (void)req;
    return answer(cx, resp, FG_LIT("{\"received\":true}"), "no-store");
}

static const struct route table[] = {
    { "POST", "/bench/hooks/{provider}/{token}", post_hook, AUTH_NONE, BYTES_MAX, 0 },
    { "GET", "/bench/jobs/{id}", get_status, AUTH_NONE, 0, 0 },
    { "GET", "/bench/jobs", get_list, AUTH_NONE, 0, 0 },
};
static const struct route_table routes = { table, FG_LEN(table) };

static void no_error_body(struct fg_ctx *cx, const struct web_app *app, const struct web_req *req,
                          enum fg_code code, struct web_resp *resp)
{
    (void)app;
    (void)req;
    *resp = (struct web_resp){ .status = fg_err_info(code)->http, .body = sb_in(cx->mem, 1) };
}

static bool body_of(struct arena *mem, const char *name, struct fg_str *out)
{
    uint64_t n;
    if (!scan_all_u64(fg_str_c(getenv(name)), BYTES_MAX, &n))
        return false;
    char *p = arena_get(mem, n);
    memset(p, 'x', n);
    *out = (struct fg_str){ p, n };
    return true;
}

int main(void)
{
    struct fg_ctx boot = { .mem = arena_new(), .env = env_real() };
    struct fixed fixed;
    struct web_app app = {
        .program = "empty", .routes = &routes, .error = no_error_body, .wake_fd = -1, .own = &fixed
    };
    int status = 2;
    if (body_of(boot.mem, "BENCH_STATUS_BYTES", &fixed.status) &&
        body_of(boot.mem, "BENCH_LIST_BYTES", &fixed.list))
        status = web_loop(&boot, &app);
    else
        fprintf(stderr,
                "BENCH_STATUS_BYTES and BENCH_LIST_BYTES must say the lengths of the answers\n");
    arena_free(boot.mem);
    return status;
}
