#include "notify/notify.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/scan.h"
#include "io/fetch.h"
#include "io/json.h"
#include "notify/delivery.h"

static const char *const type_names[] = {
#define X(sym, n, text) [n] = text,
    NOTIFY_TYPES(X)
#undef X
};

const char *notify_type_name(enum notify_type t)
{
    return (size_t)t < FG_LEN(type_names) ? type_names[t] : "unknown";
}

bool notify_type_by_name(struct fg_str name, enum notify_type *out)
{
    for (unsigned i = 0; i < NOTIFY_TEST; i++)
        if (fg_eq(name, fg_str_c(type_names[i]))) {
            *out = (enum notify_type)i;
            return true;
        }
    return false;
}

static void add_job(struct fg_ctx *cx, struct jw *w, const struct notify_event *e, bool with_metadata)
{
    jw_open(w, "data");
    jw_str(w, "id", e->id);
    jw_str(w, "userId", e->user_id);
    jw_str(w, "status", e->status);
    jw_str(w, "stage", e->stage);
    jw_i64(w, "sequence", e->sequence);
    jw_i64(w, "version", e->sequence);
    jw_str(w, "errorCode", e->error_code);
    jw_str(w, "errorMessage", e->error_message);
    jw_str(w, "provider", e->provider);
    jw_str(w, "model", e->model);
    jw_str(w, "route", e->route);
    jw_raw(w, "metadata", with_metadata ? e->metadata : FG_NONE);
    jw_i64(w, "priceMicro", e->price_micro);
    jw_str(w, "currency", e->currency);
    jw_bool(w, "charged", e->charged);
    jw_time(w, "createdAt", e->created_us);
    jw_time(w, "startedAt", e->started_us);
    jw_time(w, "finishedAt", e->finished_us);
    jw_time(w, "deletedAt", e->deleted_us);
    jw_str(w, "href", arena_fmt(cx->mem, "/v1/jobs/%.*s", FG_P(e->id)));
    jw_close(w);
}

static void add_test(struct jw *w)
{
    jw_open(w, "data");
    jw_str(w, "message", FG_LIT("A test of this endpoint: nothing has happened."));
    jw_i64(w, "sequence", 0);
    jw_close(w);
}

static struct sb payload(struct fg_ctx *cx, const struct notify_event *e, int64_t at_us, bool with_metadata)
{
    struct sb b = sb_in(cx->mem, NOTIFY_PAYLOAD_MAX);
    struct jw w = jw_on(&b);
    jw_open(&w, NULL);
    jw_str(&w, "type", fg_str_c(notify_type_name(e->type)));
    jw_time(&w, "timestamp", at_us);
    if (e->type == NOTIFY_TEST)
        add_test(&w);
    else
        add_job(cx, &w, e, with_metadata);
    jw_close(&w);
    return b;
}

struct fg_str notify_payload(struct fg_ctx *cx, const struct notify_event *e, int64_t at_us)
{
    struct sb b = payload(cx, e, at_us, true);
    if (b.bad)
        b = payload(cx, e, at_us, false);
    FG_ASSERT(!b.bad); /* every other part is bounded */
    return sb_str(&b);
}

int64_t notify_lane_of_endpoint(int64_t endpoint_id)
{
    return endpoint_id;
}

/* Negative, so that it never meets an endpoint's. */
int64_t notify_lane_of_url(int64_t account_id, struct fg_str url)
{
    struct fg_str rest = url, part, origin = url;
    for (int i = 0; i < 3 && scan_until(&rest, '/', &part); i++) /* https:, nothing, host and port */
        origin.n = (size_t)(part.p + part.n - url.p);
    uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)account_id; /* FNV-1a: to spread, not to protect */
    for (size_t i = 0; i < origin.n; i++)
        h = (h ^ (unsigned char)origin.p[i]) * UINT64_C(1099511628211);
    return -1 - (int64_t)(h >> 1);
}

const char *notify_url_wrong(struct fg_ctx *cx, const struct conf *conf, struct fg_str url)
{
    if (url.n > NOTIFY_URL_MAX)
        return "the URL is too long";
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] >= 0x80)
            return "the URL has letters that are not ASCII: write its host in punycode, and the rest percent-encoded";
    struct fg_err was = cx->err;
    const char *words = NULL;
    if (fetch_check_url(cx, conf, url, false) != FG_OK)
        words = arena_cstr(cx->mem, fg_str_c(cx->err.detail));
    cx->err = was;
    return words;
}

struct listener {
    int64_t endpoint_id;
    bool disabled;
};
static const struct db_col listener_cols[] = { COL(struct listener, endpoint_id), COL(struct listener, disabled) };

enum fg_code notify_add(struct fg_ctx *cx, struct db *db, const struct notify_event *e)
{
    struct listener *who;
    size_t n;
    enum fg_code rc = DB_ALL(cx, db, SQL_WEBHOOK_LISTENERS, DB_ARGS(DB(e->account_id), DB(cx->now_us - NOTIFY_MISSED_US), DB(1u << e->type)),
                             DB_COLS(listener_cols), &who, &n);
    if (rc != FG_OK || (n == 0 && !e->callback_url.n))
        return rc;
    int64_t message_id;
    rc = message_put(cx, db, e, &message_id);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        rc = delivery_put(cx, db, message_id, e, who[i].endpoint_id, FG_NONE,
                          who[i].disabled ? DELIVERY_CANCELED : DELIVERY_PENDING, NULL);
    if (rc == FG_OK && e->callback_url.n)
        rc = delivery_put(cx, db, message_id, e, 0, e->callback_url, DELIVERY_PENDING, NULL);
    return rc;
}

enum fg_code notify_redact(struct fg_ctx *cx, struct db *db, int64_t job_id)
{
    return db_run(cx, db, SQL_WEBHOOK_REDACT, DB_ARGS(DB(job_id)));
}

enum fg_code notify_rename_user(struct fg_ctx *cx, struct db *db, int64_t job_id, struct fg_str user)
{
    return db_run(cx, db, SQL_WEBHOOK_RENAME_USER, DB_ARGS(DB(user), DB(job_id)));
}
