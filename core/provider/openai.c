/* The /v1/videos dialect of OpenAI and of the gateways that copy it. */
#include "base/arena.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "io/json.h"
#include "provider/provider.h"

#define URL_MAX 2048
#define BODY_MAX (32 * FG_KIB)
#define WORDS_MAX 200
#define WORD_MAX 40
#define POLL_AFTER_MAX_MS 3600000
#define LIST_PAGE "100"

/* Error codes and types that mean more than their HTTP status does, and the classes of the
 * statuses. */
static const struct {
    const char *code;
    enum remote_reason reason;
} codes[] = {
    { "moderation_blocked", REASON_CONTENT },     { "content_policy_violation", REASON_CONTENT },
    { "content_filter", REASON_CONTENT },         { "content_policy", REASON_CONTENT },
    { "sentinel_block", REASON_CONTENT },         { "insufficient_quota", REASON_CREDIT },
    { "insufficient_user_quota", REASON_CREDIT }, { "billing_hard_limit_reached", REASON_CREDIT },
    { "billing_not_active", REASON_CREDIT },      { "invalid_api_key", REASON_AUTH },
    { "image_unreachable", REASON_IMAGE },        { "invalid_image", REASON_IMAGE },
};

static const struct {
    int status;
    enum submit_outcome outcome;
    enum remote_reason reason;
} statuses[] = {
    { 401, SUBMIT_REFUSED, REASON_AUTH },
    { 402, SUBMIT_REFUSED, REASON_CREDIT },
    { 403, SUBMIT_REFUSED, REASON_AUTH },
    { 408, SUBMIT_UNKNOWN, REASON_BUSY },
    /* With an Idempotency-Key: the first request with it is still at work. */
    { 409, SUBMIT_UNKNOWN, REASON_BUSY },
    { 429, SUBMIT_NOT_SENT, REASON_BUSY },
    { 503, SUBMIT_NOT_SENT, REASON_BUSY },
};

static const struct {
    const char *word;
    enum remote_state state;
} words[] = {
    { "queued", REMOTE_QUEUED },       { "pending", REMOTE_QUEUED },
    { "submitted", REMOTE_QUEUED },    { "not_start", REMOTE_QUEUED },
    { "created", REMOTE_QUEUED },      { "waiting", REMOTE_QUEUED },
    { "in_progress", REMOTE_RUNNING }, { "running", REMOTE_RUNNING },
    { "processing", REMOTE_RUNNING },  { "generating", REMOTE_RUNNING },
    { "completed", REMOTE_DONE },      { "succeeded", REMOTE_DONE },
    { "success", REMOTE_DONE },        { "failed", REMOTE_FAILED },
    { "failure", REMOTE_FAILED },      { "error", REMOTE_FAILED },
    { "cancelled", REMOTE_FAILED },    { "canceled", REMOTE_FAILED },
    { "expired", REMOTE_GONE },
};

static bool ok(const struct fetch_reply *r)
{
    return r->end == FETCH_ANSWERED && r->status >= 200 && r->status < 300;
}

static struct fg_str clip(struct fg_str s, size_t max)
{
    size_t n = 0, len;
    while (n < s.n && (len = utf8_len(s.p + n, s.n - n)) > 0 && n + len <= max)
        n += len;
    return (struct fg_str){ s.p, n };
}

/* NULL when the body is no JSON: every getter then finds nothing. */
static const struct js *body_of(struct fg_ctx *cx, const struct fetch_reply *r)
{
    const struct js *v = NULL;
    return r->body.n && js_parse(cx, r->body, &v) == FG_OK ? v : NULL;
}

struct remote_error {
    struct fg_str code, message; /* FG_NONE when not given */
    enum remote_reason reason;   /* REASON_NONE: the code says nothing by itself */
};

/* {"error":{"code","type","message"}}, or the text alone, as some gateways write it. */
static struct remote_error error_of(const struct js *body)
{
    const struct js *error = js_get(body, "error");
    struct remote_error e = { 0 };
    struct fg_str type = FG_NONE;
    (void)js_str(js_get(error, "type"), &type);
    if (!js_str(js_get(error, "code"), &e.code))
        e.code = type;
    if (!js_str(js_get(error, "message"), &e.message))
        (void)js_str(error, &e.message);
    for (size_t i = 0; i < FG_LEN(codes) && e.reason == REASON_NONE; i++)
        if (fg_eq_nocase(e.code, fg_str_c(codes[i].code)) ||
            fg_eq_nocase(type, fg_str_c(codes[i].code)))
            e.reason = codes[i].reason;
    return e;
}

/* The message of a refused key may repeat the key. */
static struct fg_str words_of(struct fg_ctx *cx, int status, const struct remote_error *e)
{
    struct fg_str message = status == 401 || e->reason == REASON_AUTH ? FG_NONE : e->message;
    return clip(arena_fmt(cx->mem, "HTTP %d %.*s%s%.*s", status, FG_P(clip(e->code, WORD_MAX)),
                          message.n ? ": " : "", FG_P(message)),
                WORDS_MAX);
}

/* Goes into a URL later, so no segment that means another place. */
static bool usable_id(struct fg_str id)
{
    if (id.n == 0 || id.n > PROVIDER_ID_MAX || FG_IS(id, ".") || FG_IS(id, ".."))
        return false;
    for (size_t i = 0; i < id.n; i++)
        if ((unsigned char)id.p[i] <= ' ' || id.p[i] == 0x7f)
            return false;
    return true;
}

static enum fg_code call(struct fg_ctx *cx, const struct provider_site *site, const char *method,
                         struct fg_str id, const char *tail, struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, URL_MAX);
    sb_add(&url, site->base_url);
    sb_add(&url, FG_LIT("/videos"));
    if (id.p) {
        sb_add_c(&url, '/');
        sb_add_escaped(&url, id);
    }
    sb_add(&url, fg_str_c(tail));
    if (url.bad)
        return fg_fail(cx, FG_TOO_LARGE, "provider url over %d bytes", URL_MAX);
    *out = fetch_call_init(method, sb_str(&url));
    if (site->key.n)
        out->secret = (struct fetch_header){ FG_LIT("Authorization"),
                                             arena_fmt(cx->mem, "Bearer %.*s", FG_P(site->key)) };
    return FG_OK;
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
    struct sb body = sb_in(cx->mem, BODY_MAX);
    struct jw w = jw_on(&body);
    jw_open(&w, NULL);
    jw_str(&w, "model", spec->model);
    jw_str(&w, "prompt", spec->prompt);
    jw_str(&w, "seconds", arena_fmt(cx->mem, "%lld", (long long)spec->duration_s));
    jw_str(&w, "size",
           arena_fmt(cx->mem, "%lldx%lld", (long long)spec->width, (long long)spec->height));
    if (spec->image_url.p) {
        jw_open(&w, "input_reference");
        jw_str(&w, "image_url", spec->image_url);
        jw_close(&w);
    }
    if (site->extras)
        write_extras(&w, spec);
    jw_close(&w);
    if (body.bad)
        return fg_fail(cx, FG_TOO_LARGE, "provider request over %zu bytes", BODY_MAX);
    enum fg_code rc = call(cx, site, "POST", FG_NONE, "", out);
    if (rc != FG_OK)
        return rc;
    out->once = true;
    out->body = sb_str(&body);
    fetch_add_header(out, FG_LIT("Content-Type"), FG_LIT("application/json"));
    if (site->extras)
        fetch_add_header(out, FG_LIT("Idempotency-Key"), spec->client_ref);
    return FG_OK;
}

static void submit_refused(struct fg_ctx *cx, const struct fetch_reply *r,
                           const struct remote_error *e, struct submit_reply *out)
{
    /* 4xx is a final answer; anything else proves nothing. */
    bool final = r->status >= 400 && r->status < 500;
    out->outcome = final ? SUBMIT_REFUSED : SUBMIT_UNKNOWN;
    out->reason = final ? REASON_REFUSED : REASON_FAILED;
    for (size_t i = 0; i < FG_LEN(statuses); i++)
        if (r->status == statuses[i].status) {
            out->outcome = statuses[i].outcome;
            out->reason = statuses[i].reason;
        }
    if (final && e->reason != REASON_NONE) { /* no money is 429 to some, 403 to others */
        out->outcome = SUBMIT_REFUSED;
        out->reason = e->reason;
    }
    if (out->outcome == SUBMIT_NOT_SENT)
        out->retry_after_s = fetch_retry_after_s(cx, r);
    out->words = words_of(cx, r->status, e);
}

static void submit_reply(struct fg_ctx *cx, const struct fetch_reply *r, struct submit_reply *out)
{
    if (submit_unanswered(r, out)) {
        out->words = clip(out->words, WORDS_MAX);
        return;
    }
    const struct js *body = body_of(cx, r);
    struct remote_error e = error_of(body);
    *out = (struct submit_reply){ 0 };
    if (!ok(r)) {
        submit_refused(cx, r, &e, out);
        return;
    }
    if (js_str(js_get(body, "id"), &out->id) && usable_id(out->id)) {
        out->outcome = SUBMIT_ACCEPTED;
        out->id = arena_str(cx->mem, out->id);
        return;
    }
    *out = (struct submit_reply){ .outcome = SUBMIT_UNKNOWN,
                                  .reason = REASON_NONSENSE,
                                  .words = e.message.p ? words_of(cx, r->status, &e)
                                                       : FG_LIT("accepted without a usable id") };
}

static enum fg_code poll_call(struct fg_ctx *cx, const struct provider_site *site, struct fg_str id,
                              struct fetch_call *out)
{
    return call(cx, site, "GET", id, "", out);
}

static enum fg_code output_call(struct fg_ctx *cx, const struct provider_site *site,
                                struct fg_str id, struct fetch_call *out)
{
    return call(cx, site, "GET", id, "/content?variant=video", out);
}

static enum remote_state state_of(struct fg_ctx *cx, struct fg_str word, struct poll_reply *out)
{
    for (size_t i = 0; i < FG_LEN(words); i++)
        if (fg_eq_nocase(word, fg_str_c(words[i].word)))
            return words[i].state;
    out->unknown_word = arena_str(cx->mem, clip(word, WORD_MAX));
    return REMOTE_RUNNING;
}

static void poll_unanswered(struct fg_ctx *cx, const struct fetch_reply *r, struct poll_reply *out)
{
    if (r->end != FETCH_ANSWERED) {
        out->reason = REASON_FAILED;
        out->words = clip(r->words, WORDS_MAX);
        return;
    }
    struct remote_error e = error_of(body_of(cx, r));
    out->words = words_of(cx, r->status, &e);
    out->reason = e.reason != REASON_NONE ? e.reason : REASON_FAILED;
    for (size_t i = 0; i < FG_LEN(statuses); i++)
        if (e.reason == REASON_NONE && r->status == statuses[i].status)
            out->reason = statuses[i].reason;
    if (r->status == 404 || r->status == 410) {
        out->understood = true;
        out->state = REMOTE_GONE;
        out->reason = REASON_NONE;
    }
}

static void poll_details(struct fg_ctx *cx, const struct fetch_reply *r, const struct js *body,
                         struct poll_reply *out)
{
    int64_t n;
    if (js_i64(js_get(body, "progress"), &n) && n >= 0 && n <= 100)
        out->progress = (int)n;
    if (out->state == REMOTE_FAILED) {
        struct remote_error e = error_of(body);
        out->reason = e.reason != REASON_NONE ? e.reason : REASON_FAILED;
        out->words = words_of(cx, r->status, &e);
    }
    if (out->state == REMOTE_DONE && js_i64(js_get(body, "expires_at"), &n) && n > 0 &&
        n < cx->now_us / FG_US_PER_S) {
        out->state = REMOTE_GONE;
        out->words = FG_LIT("completed, but its file has expired");
    }
}

static void poll_reply(struct fg_ctx *cx, const struct fetch_reply *r, struct poll_reply *out)
{
    struct fg_str word;
    uint64_t ms;
    *out = (struct poll_reply){ .progress = -1, .queue_position = -1 };
    if (r->end == FETCH_ANSWERED) {
        if (scan_all_u64(fetch_reply_header(r, FG_LIT("openai-poll-after-ms")), POLL_AFTER_MAX_MS,
                         &ms))
            out->poll_after_ms = (int64_t)ms;
        else
            out->poll_after_ms = fetch_retry_after_s(cx, r) * 1000;
    }
    if (!ok(r)) {
        poll_unanswered(cx, r, out);
        return;
    }
    const struct js *body = body_of(cx, r);
    if (!js_str(js_get(body, "status"), &word)) {
        out->reason = REASON_NONSENSE;
        out->words = FG_LIT("an answer without a status");
        return;
    }
    out->understood = true;
    out->state = state_of(cx, word, out);
    poll_details(cx, r, body, out);
}

static enum fg_code find_call(struct fg_ctx *cx, const struct provider_site *site,
                              const struct gen_spec *spec, struct fetch_call *out)
{
    (void)spec;
    return call(cx, site, "GET", FG_NONE, "?limit=" LIST_PAGE "&order=desc", out);
}

static bool same_text(const struct js *video, const char *key, struct fg_str want)
{
    struct fg_str got;
    return js_str(js_get(video, key), &got) && fg_eq(got, want);
}

/* A video with another reference is another attempt's, however much it looks like ours. */
static bool looks_like(const struct js *video, const struct gen_spec *spec, int64_t since_us)
{
    int64_t created_s;
    return !js_get(js_get(video, "metadata"), "filmgate_ref") &&
           js_i64(js_get(video, "created_at"), &created_s) && created_s >= since_us / FG_US_PER_S &&
           same_text(video, "prompt", spec->prompt) && same_text(video, "model", spec->model);
}

/* A page that does not reach back to since_us cannot show that something is not there. */
static bool reaches_back(const struct js *list, const struct js *data, int64_t since_us)
{
    bool more = false;
    int64_t oldest_s;
    (void)js_bool(js_get(list, "has_more"), &more);
    if (!more)
        return true;
    size_t n = js_len(data);
    return n > 0 && js_i64(js_get(js_at(data, n - 1), "created_at"), &oldest_s) &&
           oldest_s < since_us / FG_US_PER_S;
}

static void find_reply(struct fg_ctx *cx, const struct fetch_reply *r, const struct gen_spec *spec,
                       int64_t since_us, struct found_reply *out)
{
    const struct js *list = ok(r) ? body_of(cx, r) : NULL, *data = js_get(list, "data");
    struct fg_str id = FG_NONE, alike = FG_NONE;
    size_t alike_n = 0;
    *out = (struct found_reply){ 0 };
    if (js_type(data) != JS_ARRAY)
        return;
    for (size_t i = 0; i < js_len(data); i++) {
        const struct js *video = js_at(data, i);
        if (!js_str(js_get(video, "id"), &id) || !usable_id(id))
            continue;
        if (same_text(js_get(video, "metadata"), "filmgate_ref", spec->client_ref)) {
            *out = (struct found_reply){ true, arena_str(cx->mem, id) };
            return;
        }
        if (looks_like(video, spec, since_us) && alike_n++ == 0)
            alike = id;
    }
    if (alike_n > 1 || !reaches_back(list, data, since_us))
        return;
    *out = (struct found_reply){ true, alike.p ? arena_str(cx->mem, alike) : FG_NONE };
}

static enum fg_code callback_read(struct fg_ctx *cx, struct fg_str webhook_id, struct fg_str body,
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
    if (fg_starts(type, FG_LIT("video.")) &&
        (!js_str(js_get(js_get(event, "data"), "id"), &id) || !usable_id(id)))
        return fg_fail(cx, FG_INVALID_REQUEST, "The event names no video");
    *out = (struct callback_note){
        .event_id = webhook_id.n ? arena_str(cx->mem, webhook_id) : FG_NONE,
        .remote_id = arena_str(cx->mem, id),
    };
    return FG_OK;
}

const struct provider provider_openai = {
    .name = "openai",
    .submit_call = submit_call,
    .submit_reply = submit_reply,
    .poll_call = poll_call,
    .poll_reply = poll_reply,
    .output_call = output_call,
    .find_call = find_call,
    .find_reply = find_reply,
    .callback_read = callback_read,
    .verify_standard = true,
};
