#include "studio/api.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/scan.h"
#include "io/json.h"
#include "studio/files.h"
#include "studio/poke.h"
#include "studio/request.h"

#define AUTH_BEARER 1
#define ERROR_MAX (16 * FG_KIB)
#define KEY_MAX 255
#define LIST_DEFAULT 20
#define VIDEO_JSON_MAX (80 * FG_KIB) /* one without its prompt; metadata has up to 60 */

enum fg_code api_authorize(struct fg_ctx *cx, struct web_app *app, struct web_req *req, int kind)
{
    FG_ASSERT(kind == AUTH_BEARER);
    struct fg_str key = req->header[WEB_AUTHORIZATION];
    uint8_t got[HASH_LEN], want[HASH_LEN];
    if (key.n < 7 || !fg_eq_nocase((struct fg_str){ key.p, 7 }, FG_LIT("bearer ")))
        return fg_fail(cx, FG_UNAUTHORIZED,
                       "You didn't provide an API key. Send it as 'Authorization: Bearer KEY'.");
    key.p += 7;
    key.n -= 7;
    hash_plain(key, got); /* digests have one length: the comparison tells nothing of the key's */
    hash_plain(app->conf->studio_api_key, want);
    if (app->conf->studio_api_key.n && hash_same(hash_bytes(got), hash_bytes(want)))
        return FG_OK;
    return fg_fail(cx, FG_UNAUTHORIZED, "Incorrect API key provided.");
}

/* ---- errors ---- */

/* All that is wrong, as one text: the dialect has room for one. */
static struct fg_str error_message(struct fg_ctx *cx, enum fg_code code)
{
    struct sb b = sb_in(cx->mem, ERROR_MAX);
    if (cx->err.code != code)
        return fg_str_c(fg_err_info(code)->title);
    for (unsigned i = 0; i < cx->err.field_n; i++)
        sb_addf(&b, "%s%s", i ? " " : "", cx->err.field[i].detail);
    return b.n ? sb_str(&b) : fg_str_c(cx->err.detail);
}

void api_error(struct fg_ctx *cx, const struct web_app *app, const struct web_req *req,
               enum fg_code code, struct web_resp *resp)
{
    (void)app;
    (void)req;
    const struct fg_err_info *info = fg_err_info(code);
    const struct fg_err_field *first =
        cx->err.code == code && cx->err.field_n ? cx->err.field : NULL;
    *resp = (struct web_resp){ .status = info->http,
                               .content_type = FG_LIT("application/json"),
                               .body = sb_in(cx->mem, 4 * ERROR_MAX) };
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_open(&w, "error");
    jw_str(&w, "message", error_message(cx, code));
    jw_str(&w, "type", info->http < 500 ? FG_LIT("invalid_request_error") : FG_LIT("server_error"));
    jw_str(&w, "param", first && first->path[0] ? fg_str_c(first->path) : FG_NONE);
    if (first)
        jw_str(&w, "code", fg_str_c(first->code));
    else
        jw_str(&w, "code", code == FG_UNAUTHORIZED ? FG_LIT("invalid_api_key") : FG_NONE);
    jw_close(&w);
    jw_close(&w);
    if (info->http == 401)
        web_header(cx, resp, "WWW-Authenticate", FG_LIT("Bearer"));
    /* the official SDKs repeat a POST on 409 and 5xx by themselves; here that is only right when
     * nothing happened */
    web_header(cx, resp, "x-should-retry",
               info->retry == FG_RETRY_LATER ? FG_LIT("true") : FG_LIT("false"));
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
}

/* ---- the video object ---- */

static struct fg_str status_word(int state)
{
    switch (state) {
    case VIDEO_QUEUED:
        return FG_LIT("queued");
    case VIDEO_IN_PROGRESS:
        return FG_LIT("in_progress");
    case VIDEO_COMPLETED:
        return FG_LIT("completed");
    default:
        return FG_LIT("failed");
    }
}

static void add_seconds(struct jw *w, const char *key, int64_t us)
{
    if (us)
        jw_i64(w, key, us / FG_US_PER_S);
    else
        jw_null(w, key);
}

static void add_video(struct fg_ctx *cx, struct jw *w, const struct video *v)
{
    jw_open(w, NULL);
    jw_str(w, "id", v->public_id);
    jw_str(w, "object", FG_LIT("video"));
    jw_str(w, "model", v->model);
    jw_str(w, "status", status_word(v->state));
    jw_i64(w, "progress", v->progress);
    add_seconds(w, "created_at", v->created_us);
    add_seconds(w, "completed_at", v->completed_us);
    add_seconds(w, "expires_at", v->expires_us);
    jw_str(w, "prompt", v->prompt);
    jw_str(w, "size", arena_fmt(cx->mem, "%dx%d", v->width, v->height));
    jw_str(w, "seconds", arena_fmt(cx->mem, "%d", v->seconds));
    jw_null(w, "remixed_from_video_id");
    if (v->error_code.p) {
        jw_open(w, "error");
        jw_str(w, "code", v->error_code);
        jw_str(w, "message", v->error_message);
        jw_close(w);
    } else {
        jw_null(w, "error");
    }
    jw_i64(w, "seed", v->seed);
    jw_raw(w, "metadata", v->metadata);
    jw_close(w);
}

static void answer_video(struct fg_ctx *cx, const struct video *v, struct web_resp *resp)
{
    struct jw w = jw_on(&resp->body);
    add_video(cx, &w, v);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
}

/* ---- handlers ---- */

static enum fg_code idempotency_key(struct fg_ctx *cx, const struct web_req *req,
                                    struct fg_str *key)
{
    struct fg_str k = req->header[WEB_IDEMPOTENCY_KEY];
    for (size_t i = 0; i < k.n; i++)
        if (k.p[i] < ' ' || k.p[i] > '~')
            return fg_fail(cx, FG_BAD_HEADER, "Idempotency-Key must be printable ASCII.");
    if (k.n > KEY_MAX)
        return fg_fail(cx, FG_BAD_HEADER, "Idempotency-Key may have at most %d characters.",
                       KEY_MAX);
    *key = k.n ? k : FG_NONE;
    return FG_OK;
}

static enum fg_code enter(struct fg_ctx *cx, struct web_app *app, struct fg_str key,
                          struct request *r)
{
    struct video *v = &r->video;
    struct fg_str image_file = FG_NONE;
    bool is_new = false;
    v->public_id = id_new(cx, FG_LIT("video_"));
    if (!v->webhook_url.p && app->conf->studio_webhook_url.n)
        v->webhook_url = app->conf->studio_webhook_url;
    if (r->image.p) {
        image_file = arena_fmt(cx->mem, "%.*s.%s", FG_P(v->public_id), r->image_type);
        enum fg_code rc = files_save_image(cx, app->conf, image_file, r->image);
        if (rc != FG_OK)
            return rc;
        v->image_file = image_file;
    }
    enum fg_code rc = books_create(cx, app->db, key, v, &is_new);
    if (rc != FG_DB_UNSURE && !is_new) /* unsure: the row may be there, and name the file */
        files_remove_image(cx, app->conf, image_file);
    return rc;
}

static enum fg_code post_video(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                               struct web_resp *resp)
{
    const struct api_own *own = app->own;
    struct request r;
    struct fg_str key;
    enum fg_code rc = idempotency_key(cx, req, &key);
    if (rc == FG_OK)
        rc = request_decode(cx, app->conf, req->content_type, req->body, &r);
    if (rc == FG_OK)
        rc = enter(cx, app, key, &r);
    if (rc != FG_OK)
        return rc;
    poke_send(cx, app->conf, own->poke_fd);
    answer_video(cx, &r.video, resp);
    return FG_OK;
}

static enum fg_code get_video(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                              struct web_resp *resp)
{
    struct video v;
    enum fg_code rc = books_get(cx, app->db, req->arg[0], &v);
    if (rc == FG_OK)
        answer_video(cx, &v, resp);
    return rc;
}

static enum fg_code bad_param(struct fg_ctx *cx, const char *param, const char *want)
{
    fg_fields_clear(cx);
    fg_field(cx, param, "invalid_value", "Invalid value for '%s': expected %s.", param, want);
    return fg_fields_check(cx);
}

static enum fg_code get_content(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                                struct web_resp *resp)
{
    struct fg_str variant = FG_LIT("video");
    struct video v;
    size_t times = scan_query(cx->mem, req->query, FG_LIT("variant"), &variant);
    bool still = FG_IS(variant, "thumbnail");
    if (times > 1 || (!still && !FG_IS(variant, "video")))
        return bad_param(cx, "variant", "video or thumbnail");
    enum fg_code rc = books_get(cx, app->db, req->arg[0], &v);
    if (rc != FG_OK)
        return rc;
    if (v.state == VIDEO_FAILED)
        return fg_fail(cx, FG_NOT_FOUND, "This video failed: it has no content.");
    if (v.state != VIDEO_COMPLETED)
        return fg_fail(cx, FG_NOT_FOUND,
                       "Video is not ready yet, use GET /v1/videos/%.*s to check its status.",
                       FG_P(v.public_id));
    resp->content_type = still ? FG_LIT("image/webp") : FG_LIT("video/mp4");
    web_header(cx, resp, "X-Accel-Redirect",
               arena_fmt(cx->mem, "/_studio/%.*s.%s", FG_P(v.public_id), still ? "webp" : "mp4"));
    web_header(cx, resp, "Cache-Control", FG_LIT("private, no-store"));
    return FG_OK;
}

struct list_query {
    struct fg_str after;
    bool ascending;
    unsigned limit;
};

static enum fg_code list_query(struct fg_ctx *cx, struct fg_str query, struct list_query *q)
{
    struct fg_str limit = FG_NONE, order = FG_LIT("desc"), after = FG_NONE;
    uint64_t n = LIST_DEFAULT;
    if (scan_query(cx->mem, query, FG_LIT("limit"), &limit) > 1 ||
        (limit.p && !scan_all_u64(limit, BOOKS_LIST_MAX, &n)))
        return bad_param(cx, "limit", "0 to 100");
    if (scan_query(cx->mem, query, FG_LIT("order"), &order) > 1 ||
        (!FG_IS(order, "asc") && !FG_IS(order, "desc")))
        return bad_param(cx, "order", "asc or desc");
    if (scan_query(cx->mem, query, FG_LIT("after"), &after) > 1)
        return bad_param(cx, "after", "one video's id");
    *q = (struct list_query){ after, FG_IS(order, "asc"), (unsigned)n };
    return FG_OK;
}

static enum fg_code list_videos(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                                struct web_resp *resp)
{
    struct list_query q = { .limit = 0 };
    struct video *v = NULL;
    size_t n = 0;
    bool more = false;
    enum fg_code rc = list_query(cx, req->query, &q);
    if (rc == FG_OK)
        rc = books_list(cx, app->db, q.after, q.ascending, q.limit, &v, &n, &more);
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_str(&w, "object", FG_LIT("list"));
    jw_open_array(&w, "data");
    for (size_t i = 0; i < n; i++) {
        if (resp->body.n + 6 * v[i].prompt.n + VIDEO_JSON_MAX > WEB_ANSWER_MAX) {
            n = i; /* very long prompts: a shorter page */
            more = true;
            break;
        }
        add_video(cx, &w, &v[i]);
    }
    jw_close_array(&w);
    jw_str(&w, "first_id", n ? v[0].public_id : FG_NONE);
    jw_str(&w, "last_id", n ? v[n - 1].public_id : FG_NONE);
    jw_bool(&w, "has_more", more);
    jw_close(&w);
    return FG_OK;
}

static enum fg_code delete_video(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                                 struct web_resp *resp)
{
    struct video v = { .public_id = req->arg[0] };
    enum fg_code rc = books_delete(cx, app->db, req->arg[0]);
    if (rc == FG_OK)
        rc = files_forget(cx, app->conf, &v);
    if (rc ==
        FG_IO) /* deleted for the world; the worker removes the files when the row's time is over */
        rc = FG_OK;
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_str(&w, "id", v.public_id);
    jw_str(&w, "object", FG_LIT("video.deleted"));
    jw_bool(&w, "deleted", true);
    jw_close(&w);
    return FG_OK;
}

static const struct route routes[] = {
    { "POST", "/studio/v1/videos", post_video, AUTH_BEARER, REQUEST_BODY_MAX, 0 },
    { "GET", "/studio/v1/videos", list_videos, AUTH_BEARER, 0, 0 },
    { "GET", "/studio/v1/videos/{id}", get_video, AUTH_BEARER, 0, 0 },
    { "GET", "/studio/v1/videos/{id}/content", get_content, AUTH_BEARER, 0, 0 },
    { "DELETE", "/studio/v1/videos/{id}", delete_video, AUTH_BEARER, 0, 0 },
};
const struct route_table api_routes = { routes, FG_LEN(routes) };
