/* /v1/webhook-endpoints: where an account wants to be told, and its secrets. */
#include "base/arena.h"
#include "base/time.h"
#include "base/utf8.h"
#include "handlers.h"
#include "io/json.h"
#include "job/wake.h"
#include "notify/endpoint.h"

/* ---- out ---- */

static void add_events(struct jw *w, int mask)
{
    if (!mask) {
        jw_null(w, "events");
        return;
    }
    jw_open_array(w, "events");
    for (unsigned i = 0; i < NOTIFY_TEST; i++)
        if (mask & 1 << i)
            jw_str(w, NULL, fg_str_c(notify_type_name((enum notify_type)i)));
    jw_close_array(w);
}

static void add_endpoint(struct jw *w, const struct endpoint *e)
{
    jw_str(w, "id", e->public_id);
    jw_str(w, "url", e->url);
    add_events(w, e->events);
    jw_str(w, "description", e->description);
    jw_bool(w, "disabled", e->disabled_us != 0);
    jw_str(w, "disabledReason", fg_str_c(endpoint_end_name((enum endpoint_end)e->disabled_reason)));
    jw_time(w, "disabledAt", e->disabled_us);
    jw_time(w, "failingSince", e->failing_since_us);
    jw_time(w, "createdAt", e->created_us);
}

static void answer_endpoint(struct fg_ctx *cx, struct web_resp *resp, const struct endpoint *e)
{
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    add_endpoint(&w, e);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
}

enum fg_code webhooks_add_me(struct fg_ctx *cx, const struct web_app *app, const struct web_req *req,
                             struct jw *w)
{
    struct endpoint *row;
    size_t n;
    enum fg_code rc = endpoint_list(cx, app->db, req->who.account_id, &row, &n);
    if (rc != FG_OK)
        return rc;
    jw_open(w, "webhooks");
    jw_open_array(w, "disabled");
    for (size_t i = 0; i < n; i++) {
        if (!row[i].disabled_us || row[i].disabled_reason == ENDPOINT_BY_OWNER)
            continue; /* they know */
        jw_open(w, NULL);
        add_endpoint(w, &row[i]);
        jw_close(w);
    }
    jw_close_array(w);
    jw_open_array(w, "failing");
    for (size_t i = 0; i < n; i++) {
        if (row[i].disabled_us || !row[i].failing_since_us)
            continue;
        jw_open(w, NULL);
        add_endpoint(w, &row[i]);
        jw_close(w);
    }
    jw_close_array(w);
    jw_close(w);
    return FG_OK;
}

/* ---- in ---- */

struct reading {
    const struct conf *conf;
    struct endpoint_wish wish;
    int64_t expire_s, since_us;
    bool has_expire, has_since, all;
};
/* NULL, or what is wrong with the value; *code then says how. JSON null comes only to those that take it. */
typedef const char *read_member(struct fg_ctx *cx, struct reading *r, const struct js *v, const char **code);

static const char *read_url(struct fg_ctx *cx, struct reading *r, const struct js *v, const char **code)
{
    if (!js_str(v, &r->wish.url)) {
        *code = "type";
        return "must be a string";
    }
    r->wish.has_url = true;
    const char *wrong = notify_url_wrong(cx, r->conf, r->wish.url);
    return wrong ? arena_fmt(cx->mem, "is refused: %s", wrong).p : NULL;
}

static const char *read_events(struct fg_ctx *cx, struct reading *r, const struct js *v, const char **code)
{
    (void)cx;
    r->wish.has_events = true;
    r->wish.events = 0;
    if (js_type(v) == JS_NULL)
        return NULL;
    if (js_type(v) != JS_ARRAY) {
        *code = "type";
        return "must be an array of event names, or null for all";
    }
    if (js_len(v) == 0 || js_len(v) > NOTIFY_TYPE_N) {
        *code = "length";
        return "must name at least one event, each once; null is for all";
    }
    for (size_t i = 0; i < js_len(v); i++) {
        struct fg_str name;
        enum notify_type t;
        if (!js_str(js_at(v, i), &name) || !notify_type_by_name(name, &t))
            return "must be of job.queued, job.processing, job.succeeded, job.failed, job.expired, job.deleted";
        r->wish.events |= 1 << t;
    }
    return NULL;
}

static const char *read_description(struct fg_ctx *cx, struct reading *r, const struct js *v, const char **code)
{
    (void)cx;
    r->wish.has_description = true;
    r->wish.description = FG_NONE;
    if (js_type(v) == JS_NULL)
        return NULL;
    *code = js_str(v, &r->wish.description) ? "length" : "type";
    return js_type(v) == JS_STRING && utf8_count(r->wish.description) <= ENDPOINT_DESCRIPTION_MAX
               ? NULL
               : "must be a string of at most 200 characters";
}

static const char *read_disabled(struct fg_ctx *cx, struct reading *r, const struct js *v, const char **code)
{
    (void)cx;
    *code = "type";
    r->wish.has_disabled = js_bool(v, &r->wish.disabled);
    return r->wish.has_disabled ? NULL : "must be true or false";
}

static const char *read_expire(struct fg_ctx *cx, struct reading *r, const struct js *v, const char **code)
{
    (void)cx;
    *code = "range";
    r->has_expire = js_i64(v, &r->expire_s);
    return r->has_expire && r->expire_s >= 0 && r->expire_s <= ENDPOINT_GRACE_MAX_S
               ? NULL
               : "must be a whole number from 0 to 604800";
}

static const char *read_since(struct fg_ctx *cx, struct reading *r, const struct js *v, const char **code)
{
    struct fg_str s;
    (void)cx;
    *code = "format";
    r->has_since = js_str(v, &s) && time_parse_iso(s, &r->since_us);
    return r->has_since ? NULL : "must be a time like 2026-11-22T21:57:26.123Z";
}

static const char *read_state(struct fg_ctx *cx, struct reading *r, const struct js *v, const char **code)
{
    struct fg_str s;
    (void)cx, (void)code;
    bool text = js_str(v, &s);
    r->all = text && FG_IS(s, "all");
    return r->all || (text && FG_IS(s, "failed")) ? NULL : "must be failed or all";
}

struct member {
    const char *name, *path;
    read_member *read;
    bool required, takes_null;
};
static const struct member of_new[] = {
    { "url", "/url", read_url, true, false },
    { "events", "/events", read_events, false, true },
    { "description", "/description", read_description, false, true },
    { "disabled", "/disabled", read_disabled, false, false },
};
static const struct member of_change[] = {
    { "url", "/url", read_url, false, false },
    { "events", "/events", read_events, false, true },
    { "description", "/description", read_description, false, true },
    { "disabled", "/disabled", read_disabled, false, false },
};
static const struct member of_rotation[] = {
    { "expireAfterSeconds", "/expireAfterSeconds", read_expire, false, false },
};
static const struct member of_redelivery[] = {
    { "since", "/since", read_since, true, false },
    { "state", "/state", read_state, false, false },
};

static const struct member *find(const struct member *list, size_t n, struct fg_str name)
{
    for (size_t i = 0; i < n; i++)
        if (fg_eq(name, fg_str_c(list[i].name)))
            return &list[i];
    return NULL;
}

static void read_one(struct fg_ctx *cx, struct reading *r, const struct member *m, const struct js *v)
{
    const char *code = "value", *wrong = NULL;
    if (js_type(v) == JS_NULL && !m->takes_null) {
        code = "type";
        wrong = "must not be null";
    } else {
        wrong = m->read(cx, r, v, &code);
    }
    if (wrong)
        fg_field(cx, m->path, code, "It %s.", wrong);
}

static enum fg_code read_body(struct fg_ctx *cx, const struct web_req *req, const struct member *list, size_t n,
                              struct reading *r)
{
    const struct js *body, *v;
    struct fg_str name;
    enum fg_code rc = js_parse(cx, req->body, &body);
    if (rc != FG_OK)
        return rc;
    if (js_type(body) != JS_OBJECT)
        return fg_fail(cx, FG_INVALID_REQUEST, "The body must be a JSON object.");
    fg_fields_clear(cx);
    for (size_t it = 0; js_next(body, &it, &name, &v);) {
        const struct member *m = find(list, n, name);
        if (m)
            read_one(cx, r, m, v);
        else
            fg_field(cx, arena_fmt(cx->mem, "/%.*s", FG_P(utf8_cut(name, 100))).p, "unknown", "There is no such field.");
    }
    for (size_t i = 0; i < n; i++)
        if (list[i].required && !js_get(body, list[i].name))
            fg_field(cx, list[i].path, "required", "It must be given.");
    return fg_fields_check(cx);
}

/* ---- the routes ---- */

enum fg_code webhooks_list(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct endpoint *row;
    size_t n;
    enum fg_code rc = endpoint_list(cx, app->db, req->who.account_id, &row, &n);
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_open_array(&w, "data");
    for (size_t i = 0; i < n; i++) {
        jw_open(&w, NULL);
        add_endpoint(&w, &row[i]);
        jw_close(&w);
    }
    jw_close_array(&w);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

enum fg_code webhooks_create(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct reading r = { .conf = app->conf };
    struct endpoint e;
    struct endpoint_secret secret;
    enum fg_code rc = read_body(cx, req, of_new, FG_LEN(of_new), &r);
    if (rc == FG_OK)
        rc = endpoint_create(cx, app->db, req->who.account_id, &r.wish, &e, &secret);
    if (rc != FG_OK)
        return rc;
    resp->status = 201;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    add_endpoint(&w, &e);
    jw_str(&w, "secret", secret.secret);
    jw_close(&w);
    web_header(cx, resp, "Location", arena_fmt(cx->mem, "/v1/webhook-endpoints/%.*s", FG_P(e.public_id)));
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

enum fg_code webhooks_get(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct endpoint e;
    enum fg_code rc = endpoint_read(cx, app->db, req->who.account_id, req->arg[0], &e);
    if (rc == FG_OK)
        answer_endpoint(cx, resp, &e);
    return rc;
}

enum fg_code webhooks_change(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct reading r = { .conf = app->conf };
    struct endpoint e;
    enum fg_code rc = read_body(cx, req, of_change, FG_LEN(of_change), &r);
    if (rc == FG_OK)
        rc = endpoint_update(cx, app->db, req->who.account_id, req->arg[0], &r.wish, &e);
    if (rc == FG_OK)
        answer_endpoint(cx, resp, &e);
    return rc;
}

enum fg_code webhooks_delete(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    resp->status = 204;
    return endpoint_delete(cx, app->db, req->who.account_id, req->arg[0]);
}

static void add_secret(struct jw *w, const struct endpoint_secret *s)
{
    jw_str(w, "secret", s->secret);
    jw_time(w, "createdAt", s->created_us);
    jw_time(w, "expiresAt", s->expires_us);
}

enum fg_code webhooks_secret(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct endpoint_secret *row;
    size_t n;
    enum fg_code rc = endpoint_secrets(cx, app->db, req->who.account_id, req->arg[0], &row, &n);
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_open_array(&w, "data");
    for (size_t i = 0; i < n; i++) {
        jw_open(&w, NULL);
        add_secret(&w, &row[i]);
        jw_close(&w);
    }
    jw_close_array(&w);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

enum fg_code webhooks_rotate(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct reading r = { .conf = app->conf, .expire_s = ENDPOINT_GRACE_S };
    struct endpoint_secret made;
    enum fg_code rc = req->body.n ? read_body(cx, req, of_rotation, FG_LEN(of_rotation), &r) : FG_OK;
    if (rc == FG_OK)
        rc = endpoint_rotate(cx, app->db, req->who.account_id, req->arg[0], r.expire_s, &made);
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    add_secret(&w, &made);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

enum fg_code webhooks_test(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct delivery_detail d;
    enum fg_code rc = endpoint_test(cx, app->db, req->who.account_id, req->arg[0], &d);
    if (rc != FG_OK)
        return rc;
    wake_send(app->wake_fd, app->conf);
    resp->status = 202;
    deliveries_detail_json(&resp->body, &d);
    web_header(cx, resp, "Location", arena_fmt(cx->mem, "/v1/webhook-deliveries/%.*s", FG_P(d.d.public_id)));
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

enum fg_code webhooks_redeliver(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct reading r = { .conf = app->conf };
    struct endpoint e;
    int64_t n;
    bool more;
    enum fg_code rc = read_body(cx, req, of_redelivery, FG_LEN(of_redelivery), &r);
    if (rc == FG_OK)
        rc = endpoint_read(cx, app->db, req->who.account_id, req->arg[0], &e);
    if (rc == FG_OK)
        rc = endpoint_again(cx, app->db, &e, r.since_us, r.all, &n, &more);
    if (rc != FG_OK)
        return rc;
    wake_send(app->wake_fd, app->conf);
    resp->status = 202;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_i64(&w, "redelivered", n);
    jw_bool(&w, "more", more);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}
