/* fal's queue: the model is the path, its input the whole body. Three status words; what became of a job is
 * told by its result alone, so every job that ended is asked twice. */
#include "provider/adapter.h"

#include "base/arena.h"
#include "base/scan.h"
#include "base/time.h"

#define LIST_PAGE "100"
#define ENDED_BADLY "error" /* the note of a status that told an error without a type */

/* What submit_reply keeps, in this order. */
enum link { LINK_STATUS, LINK_RESPONSE, LINK_CANCEL };
static const char *const link_paths[] = { "status_url", "response_url", "cancel_url", NULL };
static const char *const link_tails[] = { "/status", "", "/cancel" };

/* Types of errors; what is not here is judged by its HTTP status. fal itself has run 503, 504 and lost
 * connections again, up to ten times, before it tells of them. */
static const struct code_reason types[] = {
    { "content_policy_violation", REASON_CONTENT },
    { "no_media_generated", REASON_CONTENT_OUT }, /* most often held back; to repeat it may cost again */
    { "file_download_error", REASON_IMAGE },
    { "unsupported_image_format", REASON_IMAGE },
    { "unsupported_*", REASON_REFUSED },
    { "bad_request", REASON_REFUSED },
    { "missing", REASON_REFUSED },
    { "value_error", REASON_REFUSED },
    { "image_too_*", REASON_REFUSED },
    { "file_too_large", REASON_REFUSED },
    { "generation_timeout", REASON_FAILED },
    { "downstream_service_*", REASON_FAILED },
    { "internal_error", REASON_FAILED },
    { "runner_*", REASON_FAILED },
    { "startup_timeout", REASON_FAILED },
    { "request_timeout", REASON_EXPIRED },
    { "client_*", REASON_CANCELED },
    { NULL, REASON_NONE },
};

static const struct word_state words[] = {
    { "IN_QUEUE", REMOTE_QUEUED },
    { "IN_PROGRESS", REMOTE_RUNNING },
    { "COMPLETED", REMOTE_DONE },
    { NULL, REMOTE_RUNNING },
};

static const char *const no_balance[] = { "Exhausted balance", NULL };
static const char *const not_ended[] = { "still in progress", NULL };

struct remote_error {
    struct fg_str type, message; /* FG_NONE when not given */
    bool picture;                /* it is about the reference image */
    enum remote_reason reason;   /* REASON_NONE: the type says nothing by itself */
};

/* Of several entries one that says more than "your input is wrong". */
static const struct js *telling(const struct js *detail)
{
    for (size_t i = 0; i < js_len(detail); i++) {
        enum remote_reason r = adapter_reason(adapter_text(js_at(detail, i), "type"), types);
        if (r != REASON_NONE && r != REASON_REFUSED)
            return js_at(detail, i);
    }
    return js_len(detail) ? js_at(detail, 0) : NULL;
}

/* The model's {"detail":[{"type","msg"}]}, the platform's {"detail":"…","error_type"}, the gateway's
 * {"error":{"message","code"}}, and {"error":"…","error_type"} of a status. r may be NULL: a callback. */
static struct remote_error error_of(const struct js *body, const struct fetch_reply *r)
{
    const struct js *detail = js_get(body, "detail"), *error = js_get(body, "error");
    struct remote_error e = { .type = adapter_text(body, "error_type"),
                              .message = adapter_text(body, "detail") };
    if (js_type(detail) == JS_ARRAY) {
        detail = telling(detail);
        e.type = adapter_text(detail, "type");
        e.message = adapter_text(detail, "msg");
        e.picture = fg_starts(adapter_text(detail, "loc.1"), FG_LIT("image"));
    } else if (js_type(error) == JS_OBJECT) {
        e.message = adapter_text(error, "message"); /* its code is the HTTP status again */
    } else if (!e.message.p) {
        e.message = adapter_text(body, "error");
    }
    if (!e.type.p && r && r->end == FETCH_ANSWERED)
        e.type = fetch_reply_header(r, FG_LIT("x-fal-error-type"));
    e.reason = adapter_reason(e.type, types);
    if (e.reason == REASON_CONTENT && e.picture)
        e.reason = REASON_CONTENT_IMAGE;
    if (r && r->status == 403 && adapter_says(e.message, no_balance))
        e.reason = REASON_CREDIT;
    return e;
}

static void authorize(struct fg_ctx *cx, const struct provider_site *site, struct fetch_call *out)
{
    adapter_authorization(cx, "Key", site->key, out);
}

/* ---- submit ---- */

/* The model's path, at most max segments of it. */
static void add_path(struct sb *url, struct fg_str model, unsigned max)
{
    for (struct fg_str part; max > 0 && scan_until(&model, '/', &part); max--) {
        sb_add_c(url, '/');
        sb_add_escaped(url, part);
    }
}

static enum fg_code submit_call(struct fg_ctx *cx, const struct provider_site *site,
                                const struct gen_spec *spec, struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX), body = sb_in(cx->mem, ADAPTER_BODY_MAX);
    struct jw w = jw_on(&body);
    jw_open(&w, NULL);
    adapter_write_all(cx, &w, spec);
    jw_close(&w);
    sb_add(&url, site->base_url);
    add_path(&url, spec->model, UINT32_MAX);
    if (spec->callback_url.p) {
        sb_add(&url, FG_LIT("?fal_webhook="));
        sb_add_escaped(&url, spec->callback_url);
    }
    enum fg_code rc = adapter_call(cx, &provider_fal, site, "POST", &url, out);
    if (rc == FG_OK)
        rc = adapter_body(cx, &body, out);
    if (rc == FG_OK)
        out->once = true;
    return rc;
}

/* Such an error tells of a run: something was accepted, and who knows what became of it. */
static bool of_a_run(int status, enum remote_reason reason)
{
    return status == 499 || reason == REASON_FAILED || reason == REASON_EXPIRED || reason == REASON_CANCELED;
}

static void submit_reply(struct fg_ctx *cx, const struct provider_site *site, const struct fetch_reply *r,
                         struct submit_reply *out)
{
    (void)site;
    if (submit_unanswered(r, out)) {
        out->words = adapter_clip(out->words, ADAPTER_WORDS_MAX);
        return;
    }
    const struct js *body = adapter_json(cx, r);
    if (adapter_ok(r)) {
        adapter_accepted(cx, adapter_text(body, "request_id"), adapter_links(cx, body, link_paths), out);
        return;
    }
    struct remote_error e = error_of(body, r);
    adapter_submit_failed(cx, r, e.reason, e.type, e.message, out);
    if (of_a_run(r->status, e.reason)) {
        out->outcome = SUBMIT_UNKNOWN;
        out->reason = REASON_FAILED;
    }
}

/* ---- poll ---- */

/* As it was given, or as it is built: of the model's path only its owner and app stay. */
static enum fg_code call_link(struct fg_ctx *cx, const struct provider_site *site, const char *method,
                              const struct remote_ref *ref, enum link link, struct fetch_call *out)
{
    bool third = fg_starts(ref->model, FG_LIT("workflows/")) || fg_starts(ref->model, FG_LIT("comfy/"));
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX);
    sb_add(&url, adapter_link(site, ref->links, link));
    if (!url.n) {
        sb_add(&url, site->base_url);
        add_path(&url, ref->model, third ? 3 : 2);
        sb_add(&url, FG_LIT("/requests/"));
        sb_add_escaped(&url, ref->id);
        sb_add(&url, fg_str_c(link_tails[link]));
    }
    return adapter_call(cx, &provider_fal, site, method, &url, out);
}

static enum fg_code poll_call(struct fg_ctx *cx, const struct provider_site *site,
                              const struct remote_ref *ref, int step, struct fg_str note,
                              struct fetch_call *out)
{
    (void)note;
    return call_link(cx, site, "GET", ref, step == 0 ? LINK_STATUS : LINK_RESPONSE, out);
}

static void read_status(struct fg_ctx *cx, const struct js *body, int status, struct poll_reply *out)
{
    struct fg_str word = adapter_text(body, "status");
    int64_t n;
    if (!word.p && status == 202) { /* waiting or running: the code alone says it */
        out->understood = true;
        out->state = REMOTE_RUNNING;
        return;
    }
    if (!word.p) {
        out->reason = REASON_NONSENSE;
        out->words = FG_LIT("an answer without a status");
        return;
    }
    adapter_state(cx, out, word, words);
    if (out->state == REMOTE_QUEUED && js_i64(js_get(body, "queue_position"), &n) && n >= 0)
        out->queue_position = n;
    if (out->state != REMOTE_DONE)
        return;
    struct fg_str type = adapter_text(body, "error_type");
    *out = adapter_no_news();
    out->again = true;
    if (type.n || js_type(js_get(body, "error")) != JS_NULL)
        out->note = type.n ? arena_str(cx->mem, adapter_clip(type, ADAPTER_WORD_MAX)) : FG_LIT(ENDED_BADLY);
}

/* What the vendor says of a repeat is stronger than what we make of the type, but for what concerns the user.
 */
static enum remote_reason heed_retryable(const struct fetch_reply *r, enum remote_reason reason)
{
    struct fg_str again = fetch_reply_header(r, FG_LIT("x-fal-retryable"));
    if (!again.p)
        again = fetch_reply_header(r, FG_LIT("x-fal-needs-retry"));
    if (reason == REASON_FAILED && fg_eq_nocase(again, FG_LIT("false")))
        return REASON_REFUSED;
    if (reason == REASON_REFUSED && fg_eq_nocase(again, FG_LIT("true")))
        return REASON_FAILED;
    return reason;
}

/* Whether the answer is about our asking and not about the job: no key, no money, too often, not there; and
 * whatever bears no mark of the job's, such as the 502 of a proxy. marked: a type came along, here or with
 * the status. */
static bool about_asking(int status, bool marked)
{
    switch (status) {
    case 401:
    case 403:
    case 404:
    case 410:
    case 429:
        return true;
    case 400:
    case 422:
    case 499:
        return false;
    default:
        return status < 400 || !marked;
    }
}

static void read_bad_result(struct fg_ctx *cx, const struct fetch_reply *r, const struct js *body,
                            struct fg_str note, struct poll_reply *out)
{
    struct remote_error e = error_of(body, r);
    if (!e.type.n)
        e.type = note;
    if (!e.type.n && r->status == 504 &&
        FG_IS(fetch_reply_header(r, FG_LIT("x-fal-request-timeout-type")), "user"))
        e.type = FG_LIT("request_timeout");
    if (e.reason == REASON_NONE)
        e.reason = adapter_reason(e.type, types);
    if (about_asking(r->status, e.type.n > 0)) {
        adapter_poll_failed(cx, r, e.reason, e.type, e.message, out);
        return;
    }
    *out = adapter_no_news();
    if (r->status == 400 && adapter_says(e.message, not_ended)) {
        out->understood = true;
        out->state = REMOTE_RUNNING;
        return;
    }
    if (e.reason == REASON_NONE)
        e.reason = r->status == 499 ? REASON_CANCELED : r->status >= 500 ? REASON_FAILED : REASON_REFUSED;
    adapter_failed(cx, out, heed_retryable(r, e.reason), e.type, e.message);
}

static void read_result(struct fg_ctx *cx, const struct js *body, int status, struct poll_reply *out)
{
    if (status == 202) {
        out->understood = true;
        out->state = REMOTE_RUNNING;
    } else if (!body) {
        out->reason = REASON_NONSENSE;
        out->words = FG_LIT("a result that is no JSON");
    } else {
        adapter_done(cx, out, adapter_text(body, "video.url"), KEY_NEVER);
    }
}

static void poll_reply(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                       int step, struct fg_str note, const struct fetch_reply *r, struct poll_reply *out)
{
    const struct js *body = adapter_json(cx, r);
    (void)site, (void)ref;
    if (adapter_ok(r)) {
        *out = adapter_no_news();
        out->poll_after_ms = fetch_retry_after_s(cx, r) * 1000;
        if (step == 0)
            read_status(cx, body, r->status, out);
        else
            read_result(cx, body, r->status, out);
    } else if (step > 0 && r->end == FETCH_ANSWERED) {
        read_bad_result(cx, r, body, note, out);
    } else {
        struct remote_error e = error_of(body, r);
        adapter_poll_failed(cx, r, e.reason, e.type, e.message, out);
    }
}

/* ---- cancel ---- */

static enum fg_code cancel_call(struct fg_ctx *cx, const struct provider_site *site,
                                const struct remote_ref *ref, enum remote_state seen, struct fetch_call *out)
{
    (void)seen;
    return call_link(cx, site, "PUT", ref, LINK_CANCEL, out);
}

/* It may still run to its end, and be billed, after a yes. */
static enum cancel_outcome cancel_reply(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct fg_str word = adapter_text(adapter_json(cx, r), "status");
    if (adapter_ok(r))
        return CANCEL_ASKED;
    if (r->end != FETCH_ANSWERED)
        return CANCEL_UNKNOWN;
    if ((r->status == 400 && FG_IS(word, "ALREADY_COMPLETED")) ||
        (r->status == 404 && FG_IS(word, "NOT_FOUND")))
        return CANCEL_TOO_LATE; /* the next poll says what became of it */
    return CANCEL_UNKNOWN;
}

/* ---- list ---- */

static enum fg_code list_call(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                              struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX);
    sb_add(&url, site->history_url.p ? site->history_url : site->base_url);
    sb_add(&url, FG_LIT("/models/requests/by-endpoint?endpoint_id="));
    sb_add_escaped(&url, ask->model);
    sb_add(&url, FG_LIT("&start="));
    sb_add_escaped(&url, time_iso(cx->mem, ask->since_us));
    sb_add(&url, FG_LIT("&end="));
    sb_add_escaped(&url, time_iso(cx->mem, ask->until_us));
    sb_add(&url, FG_LIT("&expand=payloads&limit=" LIST_PAGE));
    if (ask->cursor.n) {
        sb_add(&url, FG_LIT("&cursor="));
        sb_add_escaped(&url, ask->cursor);
    }
    return adapter_call(cx, &provider_fal, site, "GET", &url, out);
}

/* Of requests that ended: what is not here may still be running. */
static void list_reply(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                       const struct fetch_reply *r, struct list_reply *out)
{
    const struct js *list = adapter_ok(r) ? adapter_json(cx, r) : NULL, *items = js_get(list, "items");
    bool more = false;
    (void)site, (void)ask;
    *out = (struct list_reply){ .understood = js_type(items) == JS_ARRAY };
    if (!out->understood)
        return;
    size_t n = js_len(items) < PROVIDER_ROWS_MAX ? js_len(items) : PROVIDER_ROWS_MAX;
    out->row = arena_array(cx->mem, struct remote_row, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct js *item = js_at(items, i), *input = js_get(item, "json_input");
        struct remote_row *row = &out->row[out->n];
        *row = (struct remote_row){
            .id = adapter_text(item, "request_id"),
            .created_us = adapter_time(item, "sent_at"),
            .model = adapter_text(item, "endpoint_id"),
            .prompt = adapter_text(input, "prompt"),
            .duration_s = adapter_seconds(input, "duration"),
        };
        row->has_seed = js_i64(js_get(input, "seed"), &row->seed);
        if (adapter_id_ok(row->id))
            out->n++;
    }
    (void)js_bool(js_get(list, "has_more"), &more);
    out->cursor = more ? adapter_id(cx, list, "next_cursor") : FG_NONE;
    out->more = out->cursor.n > 0;
}

/* ---- callback ---- */

/* Only what is certain without the HTTP status of the result; for the rest the poll asks. */
static void read_news(struct fg_ctx *cx, const struct js *event, struct poll_reply *out)
{
    const struct js *payload = js_get(event, "payload");
    struct fg_str word = adapter_text(event, "status"), url = adapter_text(payload, "video.url");
    *out = adapter_no_news();
    if (FG_IS(word, "OK") && url.n) {
        adapter_done(cx, out, url, KEY_NEVER);
    } else if (FG_IS(word, "ERROR")) {
        struct remote_error e = error_of(payload, NULL);
        if (e.reason != REASON_NONE)
            adapter_failed(cx, out, e.reason, e.type, e.message);
    }
}

/* Their signature covers the header's id, not the place it was sent to: the body has to be about the same
 * request. The job's id is the gateway's, as the submit told it; the other one changes when fal runs the job
 * again. */
static enum fg_code callback_read(struct fg_ctx *cx, const struct callback_headers *h, struct fg_str body,
                                  struct callback_note *out)
{
    const struct js *event;
    enum fg_code rc = js_parse(cx, body, &event);
    if (rc != FG_OK)
        return rc;
    struct fg_str id = adapter_text(event, "request_id"), gateway = adapter_text(event, "gateway_request_id");
    if (!adapter_id_ok(id) || (gateway.p && !adapter_id_ok(gateway)))
        return fg_fail(cx, FG_INVALID_REQUEST, "The event names no request");
    if (!fg_eq(id, h->fal_request_id))
        return fg_fail(cx, FG_BAD_SIGNATURE, "The event is about another request than its header");
    *out = (struct callback_note){
        .event_id = arena_str(cx->mem, id), /* one event per run */
        .remote_id = arena_str(cx->mem, gateway.p ? gateway : id),
    };
    read_news(cx, event, &out->news);
    return FG_OK;
}

const struct provider provider_fal = {
    .name = "fal",
    .by_name = PARAMS_ALL,
    .list_per_model = true,
    .verify = VERIFY_FAL,
    .image_by = IMAGE_BY_URL,
    .cancel_when = CANCEL_WHEN_QUEUED | CANCEL_WHEN_RUNNING,
    .authorize = authorize,
    .submit_call = submit_call,
    .submit_reply = submit_reply,
    .poll_call = poll_call,
    .poll_reply = poll_reply,
    .cancel_call = cancel_call,
    .cancel_reply = cancel_reply,
    .list_call = list_call,
    .list_reply = list_reply,
    .callback_read = callback_read,
};
