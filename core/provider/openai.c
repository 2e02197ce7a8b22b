/* The /v1/videos dialect of OpenAI and of the gateways that copy it; with extras, of our studio. */
#include "provider/adapter.h"

#include "base/arena.h"
#include "base/scan.h"

#define POLL_AFTER_MAX_MS 3600000
#define LIST_PAGE "100"

/* Error codes and types that mean more than their HTTP status does. */
static const struct code_reason codes[] = {
    { "moderation_blocked", REASON_CONTENT },
    { "content_policy_violation", REASON_CONTENT },
    { "content_filter", REASON_CONTENT },
    { "content_policy", REASON_CONTENT },
    { "sentinel_block", REASON_CONTENT },
    { "insufficient_quota", REASON_CREDIT },
    { "insufficient_user_quota", REASON_CREDIT },
    { "billing_hard_limit_reached", REASON_CREDIT },
    { "billing_not_active", REASON_CREDIT },
    { "invalid_api_key", REASON_AUTH },
    { "image_unreachable", REASON_IMAGE },
    { "invalid_image", REASON_IMAGE },
    { NULL, REASON_NONE },
};

static const struct word_state words[] = {
    { "queued", REMOTE_QUEUED },       { "pending", REMOTE_QUEUED },
    { "submitted", REMOTE_QUEUED },    { "not_start", REMOTE_QUEUED },
    { "created", REMOTE_QUEUED },      { "waiting", REMOTE_QUEUED },
    { "in_progress", REMOTE_RUNNING }, { "running", REMOTE_RUNNING },
    { "processing", REMOTE_RUNNING },  { "generating", REMOTE_RUNNING },
    { "completed", REMOTE_DONE },      { "succeeded", REMOTE_DONE },
    { "success", REMOTE_DONE },        { "failed", REMOTE_FAILED },
    { "failure", REMOTE_FAILED },      { "error", REMOTE_FAILED },
    { "cancelled", REMOTE_FAILED },    { "canceled", REMOTE_FAILED },
    { "expired", REMOTE_GONE },        { NULL, REMOTE_RUNNING },
};

struct remote_error {
    struct fg_str code, message; /* FG_NONE when not given */
    enum remote_reason reason;   /* REASON_NONE: the code says nothing by itself */
};

/* {"error":{"code","type","message"}}, or the text alone, as some gateways write it. */
static struct remote_error error_of(const struct js *body)
{
    const struct js *error = js_get(body, "error");
    struct fg_str type = adapter_text(error, "type");
    struct remote_error e = { .code = adapter_text(error, "code"), .message = adapter_text(error, "message") };
    e.reason = adapter_reason(e.code, codes);
    if (e.reason == REASON_NONE)
        e.reason = adapter_reason(type, codes);
    if (!e.code.p)
        e.code = type;
    if (!e.message.p)
        (void)js_str(error, &e.message);
    return e;
}

static void authorize(struct fg_ctx *cx, const struct provider_site *site, struct fetch_call *out)
{
    adapter_authorization(cx, "Bearer", site->key, out);
}

static enum fg_code call(struct fg_ctx *cx, const struct provider_site *site, const char *method,
                         struct fg_str id, const char *tail, struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX);
    sb_add(&url, site->base_url);
    sb_add(&url, FG_LIT("/videos"));
    if (id.p) {
        sb_add_c(&url, '/');
        sb_add_escaped(&url, id);
    }
    sb_add(&url, fg_str_c(tail));
    return adapter_call(cx, &provider_openai, site, method, &url, out);
}

static void write_extras(struct jw *w, const struct gen_spec *spec)
{
    if (spec->has_seed)
        jw_i64(w, "seed", spec->seed);
    jw_open(w, "metadata");
    jw_str(w, "filmgate_ref", spec->client_ref);
    jw_close(w);
    if (spec->callback_url.p)
        jw_str(w, "webhook_url", spec->callback_url);
}

static enum fg_code submit_call(struct fg_ctx *cx, const struct provider_site *site,
                                const struct gen_spec *spec, struct fetch_call *out)
{
    struct sb body = sb_in(cx->mem, ADAPTER_BODY_MAX);
    struct jw w = jw_on(&body);
    jw_open(&w, NULL);
    jw_str(&w, "model", spec->model);
    jw_str(&w, "prompt", spec->prompt);
    jw_str(&w, "seconds", adapter_value(cx, spec, PARAM_DURATION));
    jw_str(&w, "size",
           arena_fmt(cx->mem, "%lldx%lld", (long long)spec->width, (long long)spec->height));
    if (spec->image_url.p) {
        jw_open(&w, "input_reference");
        jw_str(&w, "image_url", spec->image_url);
        jw_close(&w);
    }
    if (site->extras)
        write_extras(&w, spec);
    adapter_write_fixed(&w, spec);
    jw_close(&w);
    enum fg_code rc = call(cx, site, "POST", FG_NONE, "", out);
    if (rc == FG_OK)
        rc = adapter_body(cx, &body, out);
    if (rc != FG_OK)
        return rc;
    out->once = true;
    if (site->extras)
        fetch_add_header(out, FG_LIT("Idempotency-Key"), spec->client_ref);
    return FG_OK;
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
    struct remote_error e = error_of(body);
    if (adapter_ok(r)) {
        adapter_accepted(cx, adapter_text(body, "id"), FG_NONE, out);
        if (out->outcome != SUBMIT_ACCEPTED && e.message.p)
            out->words = adapter_words(cx, r->status, e.reason, e.code, e.message);
        return;
    }
    adapter_submit_failed(cx, r, e.reason, e.code, e.message, out);
    if (r->status == 503) { /* overloaded: said before anything is taken */
        out->outcome = SUBMIT_NOT_SENT;
        out->reason = REASON_BUSY;
        out->retry_after_s = fetch_retry_after_s(cx, r);
    }
}

static enum fg_code poll_call(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                              int step, struct fg_str note, struct fetch_call *out)
{
    (void)step, (void)note;
    return call(cx, site, "GET", ref->id, "", out);
}

static struct fg_str content_url(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref)
{
    struct fetch_call get;
    return call(cx, site, "GET", ref->id, "/content?variant=video", &get) == FG_OK ? get.url : FG_NONE;
}

static void read_state(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                       const struct js *body, struct poll_reply *out)
{
    struct fg_str word = adapter_text(body, "status");
    int64_t n;
    if (!word.p) {
        out->reason = REASON_NONSENSE;
        out->words = FG_LIT("an answer without a status");
        return;
    }
    adapter_state(cx, out, word, words);
    if (js_i64(js_get(body, "progress"), &n) && n >= 0 && n <= 100)
        out->progress = (int)n;
    if (out->state == REMOTE_FAILED) {
        struct remote_error e = error_of(body);
        bool stopped = fg_eq_nocase(word, FG_LIT("cancelled")) || fg_eq_nocase(word, FG_LIT("canceled"));
        adapter_failed(cx, out, e.reason != REASON_NONE ? e.reason : stopped ? REASON_CANCELED : REASON_FAILED,
                       e.code, e.message);
    }
    if (out->state != REMOTE_DONE)
        return;
    n = adapter_i64(body, "expires_at");
    if (n > 0 && n < cx->now_us / FG_US_PER_S) {
        out->state = REMOTE_GONE;
        out->words = FG_LIT("completed, but its file has expired");
    } else {
        adapter_done(cx, out, content_url(cx, site, ref), KEY_ALWAYS);
    }
}

static void poll_reply(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref, int step,
                       struct fg_str note, const struct fetch_reply *r, struct poll_reply *out)
{
    uint64_t ms;
    const struct js *body = adapter_json(cx, r);
    (void)step, (void)note;
    if (adapter_ok(r)) {
        *out = adapter_no_news();
        out->poll_after_ms = fetch_retry_after_s(cx, r) * 1000;
        read_state(cx, site, ref, body, out);
    } else {
        struct remote_error e = error_of(body);
        if (r->status == 503 && e.reason == REASON_NONE)
            e.reason = REASON_BUSY;
        adapter_poll_failed(cx, r, e.reason, e.code, e.message, out);
    }
    if (r->end == FETCH_ANSWERED &&
        scan_all_u64(fetch_reply_header(r, FG_LIT("openai-poll-after-ms")), POLL_AFTER_MAX_MS, &ms))
        out->poll_after_ms = (int64_t)ms;
}

static enum fg_code list_call(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                              struct fetch_call *out)
{
    struct sb tail = sb_in(cx->mem, PROVIDER_ID_MAX * 3 + 64);
    sb_add(&tail, FG_LIT("?limit=" LIST_PAGE "&order=desc"));
    if (ask->cursor.n) {
        sb_add(&tail, FG_LIT("&after="));
        sb_add_escaped(&tail, ask->cursor);
    }
    return call(cx, site, "GET", FG_NONE, sb_cstr(&tail), out);
}

/* Newest first: a page whose last row is older than the window ends it. One that promises more but has nothing
 * to go on from proves no absence. */
static void list_reply(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                       const struct fetch_reply *r, struct list_reply *out)
{
    const struct js *list = adapter_ok(r) ? adapter_json(cx, r) : NULL, *data = js_get(list, "data");
    bool more = false;
    int64_t oldest_us = 0;
    (void)site;
    *out = (struct list_reply){ .understood = js_type(data) == JS_ARRAY };
    if (!out->understood)
        return;
    size_t n = js_len(data) < PROVIDER_ROWS_MAX ? js_len(data) : PROVIDER_ROWS_MAX;
    out->row = arena_array(cx->mem, struct remote_row, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct js *video = js_at(data, i);
        struct remote_row *row = &out->row[out->n];
        *row = (struct remote_row){
            .id = adapter_text(video, "id"),
            .created_us = adapter_unix(video, "created_at", 1),
            .client_ref = adapter_text(video, "metadata.filmgate_ref"),
            .model = adapter_text(video, "model"),
            .prompt = adapter_text(video, "prompt"),
            .duration_s = adapter_seconds(video, "seconds"),
        };
        oldest_us = row->created_us;
        if (adapter_id_ok(row->id))
            out->n++;
    }
    (void)js_bool(js_get(list, "has_more"), &more);
    bool past = oldest_us > 0 && oldest_us < ask->since_us;
    out->more = more && out->n > 0 && !past;
    out->cursor = out->more ? out->row[out->n - 1].id : FG_NONE;
    out->whole = (!more || past || out->more) && n == js_len(data);
}

static enum fg_code callback_read(struct fg_ctx *cx, const struct callback_headers *h, struct fg_str body,
                                  struct callback_note *out)
{
    const struct js *event;
    struct fg_str type, id = FG_NONE;
    enum fg_code rc = js_parse(cx, body, &event);
    if (rc != FG_OK)
        return rc;
    if (!js_str(js_get(event, "type"), &type))
        return fg_fail(cx, FG_INVALID_REQUEST, "The event has no type");
    /* Other events of the same account are fine, and none of our business. */
    if (fg_starts(type, FG_LIT("video."))) {
        id = adapter_text(event, "data.id");
        if (!adapter_id_ok(id))
            return fg_fail(cx, FG_INVALID_REQUEST, "The event names no video");
    }
    *out = (struct callback_note){
        .event_id = h->webhook_id.n ? arena_str(cx->mem, h->webhook_id) : FG_NONE,
        .remote_id = id.n ? arena_str(cx->mem, id) : FG_NONE,
        .success = FG_IS(type, "video.completed"),
        .news = adapter_no_news(), /* the body is thin: the poll says the rest */
    };
    return FG_OK;
}

const struct provider provider_openai = {
    .name = "openai",
    .verify = VERIFY_STANDARD,
    .image_by = IMAGE_BY_URL,
    .pixels = true,
    .authorize = authorize,
    .submit_call = submit_call,
    .submit_reply = submit_reply,
    .poll_call = poll_call,
    .poll_reply = poll_reply,
    .list_call = list_call,
    .list_reply = list_reply,
    .callback_read = callback_read,
};
