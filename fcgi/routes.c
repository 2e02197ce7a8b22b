#include "routes.h"

#include "auth.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/scan.h"
#include "handlers.h"

#define ALLOW_MAX 128
#define SESSION_BODY_MAX (4 * FG_KIB)
#define WEBHOOK_BODY_MAX (16 * FG_KIB)
#define DECISION_BODY_MAX (8 * FG_KIB)
#define SHARE_BODY_MAX (1 * FG_KIB)
#define HOOK_BODY_MAX (256 * FG_KIB)

static const struct route api[] = {
    { "GET", "/v1/jobs/{id}", jobs_get, AUTH_KEY, 0, 0 },
    { "GET", "/v1/jobs", jobs_list, AUTH_KEY, 0, 0 },
    { "POST", "/v1/jobs", jobs_create, AUTH_KEY, JOB_BODY_MAX, ROUTE_JSON },
    { "GET", "/v1/jobs/{id}/events", jobs_events, AUTH_KEY, 0, 0 },
    { "POST", "/v1/jobs/{id}/cancel", jobs_cancel, AUTH_KEY, 0, 0 },
    { "POST", "/v1/jobs/{id}/retry", jobs_retry, AUTH_KEY, 0, 0 },
    { "DELETE", "/v1/jobs/{id}", jobs_erase, AUTH_KEY, 0, 0 },
    { "POST", "/v1/uploads", uploads_create, AUTH_KEY, 0, 0 }, /* nginx has put its body into a file */
    { "GET", "/v1/uploads/{id}", uploads_get, AUTH_KEY, 0, 0 },
    { "DELETE", "/v1/uploads/{id}", uploads_delete, AUTH_KEY, 0, 0 },
    { "GET", "/media/{id}/{part}", media_get, AUTH_NONE, 0, 0 }, /* the link is signed */
    { "GET", "/media/shared/{token}/{part}", media_shared, AUTH_NONE, 0, ROUTE_SECRET_PATH },
    { "GET", "/v1/jobs/{id}/shares", shares_list, AUTH_KEY, 0, 0 },
    { "POST", "/v1/jobs/{id}/shares", shares_create, AUTH_KEY, SHARE_BODY_MAX, 0 },
    { "DELETE", "/v1/jobs/{id}/shares/{shareId}", shares_revoke, AUTH_KEY, 0, 0 },
    { "GET", "/v1/shared/{token}", shares_see, AUTH_NONE, 0, ROUTE_SECRET_PATH },
    { "POST", "/v1/sessions", sessions_create, AUTH_NONE, SESSION_BODY_MAX,
      ROUTE_JSON | ROUTE_SAME_ORIGIN },
    { "DELETE", "/v1/sessions", sessions_end, AUTH_NONE, 0, ROUTE_SAME_ORIGIN },
    { "GET", "/v1/me", sessions_me, AUTH_KEY, 0, 0 },
    { "GET", "/v1/models", models_list, AUTH_KEY, 0, 0 },
    { "GET", "/v1/status", status_get, AUTH_KEY, 0, 0 },
    { "POST", "/v1/quotes", quotes_create, AUTH_KEY, JOB_BODY_MAX, ROUTE_JSON },
    { "GET", "/v1/usage", usage_get, AUTH_KEY, 0, 0 },
    { "DELETE", "/v1/users/{userId}", users_erase, AUTH_APP, 0, 0 },
    { "GET", "/v1/webhook-endpoints", webhooks_list, AUTH_APP, 0, 0 },
    { "POST", "/v1/webhook-endpoints", webhooks_create, AUTH_APP, WEBHOOK_BODY_MAX, ROUTE_JSON },
    { "GET", "/v1/webhook-endpoints/{id}", webhooks_get, AUTH_APP, 0, 0 },
    { "PATCH", "/v1/webhook-endpoints/{id}", webhooks_change, AUTH_APP, WEBHOOK_BODY_MAX,
      ROUTE_JSON },
    { "DELETE", "/v1/webhook-endpoints/{id}", webhooks_delete, AUTH_APP, 0, 0 },
    { "GET", "/v1/webhook-endpoints/{id}/secret", webhooks_secret, AUTH_APP, 0, 0 },
    { "POST", "/v1/webhook-endpoints/{id}/rotate-secret", webhooks_rotate, AUTH_APP,
      WEBHOOK_BODY_MAX, 0 },
    { "POST", "/v1/webhook-endpoints/{id}/test", webhooks_test, AUTH_APP, 0, 0 },
    { "POST", "/v1/webhook-endpoints/{id}/redeliver", webhooks_redeliver, AUTH_APP,
      WEBHOOK_BODY_MAX, ROUTE_JSON },
    { "GET", "/v1/webhook-deliveries", deliveries_list, AUTH_APP, 0, 0 },
    { "GET", "/v1/webhook-deliveries/{id}", deliveries_get, AUTH_APP, 0, 0 },
    { "POST", "/v1/webhook-deliveries/{id}/redeliver", deliveries_redeliver, AUTH_APP, 0, 0 },
    { "GET", "/v1/admin/reviews", reviews_list_get, AUTH_ADMIN, 0, 0 },
    { "GET", "/v1/admin/reviews/{id}", reviews_get, AUTH_ADMIN, 0, 0 },
    { "POST", "/v1/admin/reviews/{id}/decision", reviews_decide, AUTH_ADMIN, DECISION_BODY_MAX,
      ROUTE_JSON },
    /* search, one job's file */
    { "GET", "/v1/admin/jobs", admin_jobs, AUTH_ADMIN, 0, 0 },
    { "GET", "/v1/admin/jobs/{id}", admin_job, AUTH_ADMIN, 0, 0 },

    /* actions */
    { "POST", "/v1/admin/jobs/{id}/actions", admin_job_act, AUTH_ADMIN, DECISION_BODY_MAX, ROUTE_JSON },
    { "POST", "/v1/admin/providers/{name}/actions", admin_provider_act, AUTH_ADMIN, DECISION_BODY_MAX, ROUTE_JSON },
    { "GET", "/v1/admin/actions", admin_actions, AUTH_ADMIN, 0, 0 },

    /* how everything stands */
    { "GET", "/v1/admin/overview", admin_overview, AUTH_ADMIN, 0, 0 },

    { "GET", "/healthz", meta_health, AUTH_NONE, 0, 0 },
    { "GET", "/readyz", meta_ready, AUTH_NONE, 0, 0 },
    { "GET", "/metrics", meta_metrics, AUTH_NONE, 0, 0 }, /* nginx lets loopback alone through */
};
const struct route_table routes_api = { api, FG_LEN(api) };

static const struct route hook[] = {
    { "POST", "/hooks/{provider}/{token}", hooks_post, AUTH_NONE, HOOK_BODY_MAX,
      ROUTE_SECRET_PATH },
    { "POST", "/hooks/{provider}", hooks_post, AUTH_NONE, HOOK_BODY_MAX, 0 },
    { "GET", "/healthz", meta_health, AUTH_NONE, 0, 0 },
};
const struct route_table routes_hook = { hook, FG_LEN(hook) };

static bool path_fits(const char *pattern, struct fg_str path, struct fg_str arg[WEB_ARGS_MAX])
{
    const char *p = path.p, *end = path.p + path.n;
    for (unsigned n = 0; *pattern; pattern++) {
        if (*pattern != '{') {
            if (p == end || *p++ != *pattern)
                return false;
            continue;
        }
        const char *from = p;
        while (p < end && *p != '/')
            p++;
        FG_ASSERT(n < WEB_ARGS_MAX);
        arg[n++] = (struct fg_str){ from, (size_t)(p - from) };
        if (p == from)
            return false;
        pattern = strchr(pattern, '}');
        FG_ASSERT(pattern);
    }
    return p == end;
}

static bool method_fits(struct fg_str method, const char *have)
{
    return fg_eq(method, fg_str_c(have)) || (FG_IS(method, "HEAD") && strcmp(have, "GET") == 0);
}

const struct route *route_find(struct fg_ctx *cx, const struct route_table *table,
                               struct web_req *req, struct fg_str *allow)
{
    struct sb methods = { .mem = NULL };
    for (size_t i = 0; i < table->n; i++) {
        const struct route *r = &table->route[i];
        if (!path_fits(r->pattern, req->path, req->arg))
            continue;
        if (method_fits(req->method, r->method))
            return r;
        if (!methods.mem)
            methods = sb_in(cx->mem, ALLOW_MAX);
        sb_addf(&methods, "%s%s%s", methods.n ? ", " : "", r->method,
                strcmp(r->method, "GET") == 0 ? ", HEAD" : "");
    }
    *allow = methods.n ? sb_str(&methods) : FG_NONE;
    if (allow->p)
        (void)fg_fail(cx, FG_METHOD_NOT_ALLOWED, "Allowed here: %.*s.", FG_P(*allow));
    else
        (void)fg_fail(cx, FG_NOT_FOUND, "There is nothing at this address.");
    return NULL;
}

/* With two of one, proxies and we could each believe another. */
static enum fg_code check_repeats(struct fg_ctx *cx, const struct web_req *req)
{
    static const struct {
        enum web_header_name name;
        const char *words;
    } once[] = {
        { WEB_AUTHORIZATION, "Authorization" },
        { WEB_IDEMPOTENCY_KEY, "Idempotency-Key" },
        { WEB_WEBHOOK_ID, "webhook-id" },
        { WEB_WEBHOOK_TIMESTAMP, "webhook-timestamp" },
        { WEB_WEBHOOK_SIGNATURE, "webhook-signature" },
        { WEB_FAL_REQUEST_ID, "X-Fal-Webhook-Request-Id" },
        { WEB_FAL_USER_ID, "X-Fal-Webhook-User-Id" },
        { WEB_FAL_TIMESTAMP, "X-Fal-Webhook-Timestamp" },
        { WEB_FAL_SIGNATURE, "X-Fal-Webhook-Signature" },
        { WEB_ORIGIN, "Origin" },
        { WEB_SEC_FETCH_SITE, "Sec-Fetch-Site" },
    };
    for (size_t i = 0; i < FG_LEN(once); i++)
        if (req->header_twice[once[i].name])
            return fg_fail(cx, FG_BAD_HEADER, "The header %s came more than once.", once[i].words);
    return FG_OK;
}

static enum fg_code check_body(struct fg_ctx *cx, const struct route *r, const struct web_req *req)
{
    int64_t bytes = req->read_body ? req->body_bytes : (int64_t)req->body.n;
    if (bytes < 0)
        return fg_fail(cx, FG_BAD_HEADER, "Content-Length is not a number.");
    if (r->max_body && (uint64_t)bytes > r->max_body)
        return fg_fail(cx, FG_TOO_LARGE, "The body may have at most %zu bytes.", r->max_body);
    if (!(r->flags & ROUTE_JSON))
        return FG_OK;
    struct fg_str rest = req->content_type, type = FG_NONE;
    (void)scan_until(&rest, ';', &type);
    while (type.n && type.p[type.n - 1] == ' ')
        type.n--;
    if (!fg_eq_nocase(type, FG_LIT("application/json")))
        return fg_fail(cx, FG_MEDIA_TYPE, "Send the body as Content-Type: application/json.");
    return FG_OK;
}

static enum fg_code check(struct fg_ctx *cx, struct web_app *app, const struct route *r,
                          struct web_req *req)
{
    enum fg_code rc = check_repeats(cx, req);
    if (rc == FG_OK && r->flags & ROUTE_SAME_ORIGIN)
        rc = auth_same_origin(cx, app, req);
    if (rc == FG_OK && r->auth != AUTH_NONE)
        rc = app->authorize(cx, app, req, r->auth);
    if (rc == FG_OK)
        rc = check_body(cx, r, req);
    return rc;
}

void web_header(struct fg_ctx *cx, struct web_resp *resp, const char *name, struct fg_str value)
{
    FG_ASSERT(resp->header_n < WEB_HEADERS_MAX);
    FG_ASSERT(!memchr(value.n ? value.p : "", '\r', value.n) &&
              !memchr(value.n ? value.p : "", '\n', value.n));
    resp->header[resp->header_n++] =
        (struct web_header){ fg_str_c(name), arena_str(cx->mem, value) };
}

static bool has_no_body(const struct web_req *req, const struct web_resp *resp)
{
    return FG_IS(req->method, "HEAD") || resp->status == 204 || resp->status == 304;
}

void web_answer(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct fg_str allow = FG_NONE;
    *resp = (struct web_resp){ .status = 200,
                               .content_type = FG_LIT("application/json"),
                               .body = sb_in(cx->mem, WEB_ANSWER_MAX) };
    const struct route *r = route_find(cx, app->routes, req, &allow);
    enum fg_code rc = r ? check(cx, app, r, req) : cx->err.code;
    if (rc == FG_OK && r->max_body && req->read_body && req->body_bytes > 0 &&
        !req->read_body(cx, req)) {
        resp->status = 0;
        return;
    }
    if (rc == FG_OK)
        rc = r->handler(cx, app, req, resp);
    if (r && r->flags & ROUTE_SECRET_PATH) /* what follows only shows it: problems and logs */
        req->path = fg_str_c(r->pattern);
    if (rc == FG_OK && resp->body.bad)
        rc = fg_fail(cx, FG_INTERNAL, "The answer is too large.");
    if (rc != FG_OK) {
        if (fg_err_info(rc)->http >= 500 && rc != FG_PAUSED_BY_BUDGET) /* as the operator wants it: no failure */
            log_err(cx, "web.error", req->path);
        app->error(cx, app, req, rc, resp);
        if (allow.p)
            web_header(cx, resp, "Allow", allow);
    }
    if (has_no_body(req, resp)) {
        resp->body = sb_in(cx->mem, 1);
        if (resp->status == 204 || resp->status == 304)
            resp->content_type = FG_NONE;
    }
}
