/* Google's Veo by the Gemini API: long-running operations. No list, no cancel; its webhook tells of
 * successes. */
#include "provider/adapter.h"

#include "base/arena.h"
#include "base/scan.h"

#define RETRY_MAX_S (INT64_C(7) * 86400)

/* google.rpc.Code: errors of calls give the name, errors inside an operation the number. */
static const struct {
    int64_t number;
    const char *name;
    enum remote_reason reason;
} codes[] = {
    { 3, "INVALID_ARGUMENT", REASON_REFUSED },
    { 4, "DEADLINE_EXCEEDED", REASON_FAILED },
    { 5, "NOT_FOUND", REASON_REFUSED },
    { 7, "PERMISSION_DENIED", REASON_AUTH },
    { 8, "RESOURCE_EXHAUSTED", REASON_BUSY },
    { 9, "FAILED_PRECONDITION", REASON_REFUSED },
    { 13, "INTERNAL", REASON_FAILED },
    { 14, "UNAVAILABLE", REASON_FAILED },
    { 16, "UNAUTHENTICATED", REASON_AUTH },
};

/* There is no code for it; support codes are given with refusals of this kind alone. */
static const char *const safety[] = { "safety",       "usage guidelines", "content policy", "responsible ai",
                                      "support code", "58061214",         "17301594",       NULL };
static const char *const per_day[] = { "PerDay", NULL };

struct remote_error {
    struct fg_str code, message; /* FG_NONE when not given */
    enum remote_reason reason;   /* REASON_NONE: neither code nor details say */
    int64_t retry_s;             /* 0: none given */
};

/* "22s", "0.5s": rounded up; 0 when it is anything else. */
static int64_t delay_s(struct fg_str text)
{
    uint64_t s;
    if (!scan_u64(&text, RETRY_MAX_S, &s))
        return 0;
    bool more = scan_char(&text, '.');
    while (more && text.n && text.p[0] >= '0' && text.p[0] <= '9')
        text.p++, text.n--;
    return FG_IS(text, "s") ? (int64_t)s + more : 0;
}

/* RetryInfo, QuotaFailure and ErrorInfo have no member of one name. */
static void read_detail(const struct js *detail, struct remote_error *e)
{
    const struct js *violations = js_get(detail, "violations");
    struct fg_str delay = adapter_text(detail, "retryDelay");
    if (delay.p)
        e->retry_s = delay_s(delay);
    if (FG_IS(adapter_text(detail, "reason"), "API_KEY_INVALID")) /* comes as 400 INVALID_ARGUMENT */
        e->reason = REASON_AUTH;
    for (size_t i = 0; js_at(violations, i); i++)
        if (e->reason == REASON_BUSY && adapter_says(adapter_text(js_at(violations, i), "quotaId"), per_day))
            e->reason = REASON_PARK;
}

/* {"code","message","status","details":[…]} */
static struct remote_error error_of(const struct js *error)
{
    const struct js *details = js_get(error, "details");
    int64_t number = adapter_i64(error, "code");
    struct remote_error e = { .code = adapter_text(error, "status"), .message = adapter_text(error, "message") };
    for (size_t i = 0; i < FG_LEN(codes); i++)
        if (e.code.p ? fg_eq(e.code, fg_str_c(codes[i].name)) : number == codes[i].number) {
            e.code = fg_str_c(codes[i].name);
            e.reason = codes[i].reason;
        }
    for (size_t i = 0; js_at(details, i); i++)
        read_detail(js_at(details, i), &e);
    bool request = e.reason == REASON_NONE || e.reason == REASON_REFUSED || e.reason == REASON_FAILED;
    if (request && adapter_says(e.message, safety))
        e.reason = REASON_CONTENT;
    return e;
}

static void authorize(struct fg_ctx *cx, const struct provider_site *site, struct fetch_call *out)
{
    (void)cx;
    out->secret = (struct fetch_header){ FG_LIT("x-goog-api-key"), site->key };
}

/* ---- submit ---- */

static void write_parameters(struct fg_ctx *cx, struct jw *w, const struct gen_spec *spec)
{
    static const struct {
        enum gen_param p;
        const char *name;
        bool text;
    } member[] = {
        { PARAM_RATIO, "aspectRatio", true },
        { PARAM_DURATION, "durationSeconds", false },
        { PARAM_RESOLUTION, "resolution", true },
    };
    jw_open(w, "parameters");
    for (size_t i = 0; i < FG_LEN(member); i++) {
        struct fg_str v = adapter_value(cx, spec, member[i].p);
        if (v.p && member[i].text)
            jw_str(w, member[i].name, v);
        else if (v.p)
            jw_raw(w, member[i].name, v);
    }
    jw_i64(w, "sampleCount", 1);
    /* Whether this endpoint takes them differs by model. */
    adapter_write(cx, w, spec, PARAM_SEED);
    adapter_write(cx, w, spec, PARAM_AUDIO);
    adapter_write(cx, w, spec, PARAM_NEGATIVE);
    adapter_write_fixed(w, spec);
    jw_close(w);
}

static void write_image(struct fg_ctx *cx, struct jw *w, const struct gen_spec *spec)
{
    jw_open(w, "image");
    jw_str(w, "bytesBase64Encoded", hash_base64(cx->mem, spec->image_bytes));
    jw_str(w, "mimeType", spec->image_type);
    jw_close(w);
}

static void write_webhook(struct jw *w, const struct gen_spec *spec)
{
    jw_open(w, "webhookConfig");
    jw_open_array(w, "uris");
    jw_str(w, NULL, spec->callback_url);
    jw_close_array(w);
    jw_open(w, "userMetadata");
    jw_str(w, "filmgate_ref", spec->client_ref);
    jw_close(w);
    jw_close(w);
}

static void write_request(struct fg_ctx *cx, struct jw *w, const struct gen_spec *spec)
{
    jw_open(w, NULL);
    jw_open_array(w, "instances");
    jw_open(w, NULL);
    jw_str(w, "prompt", spec->prompt);
    if (spec->image_bytes.p)
        write_image(cx, w, spec);
    jw_close(w);
    jw_close_array(w);
    write_parameters(cx, w, spec);
    if (spec->callback_url.p)
        write_webhook(w, spec);
    jw_close(w);
}

static enum fg_code submit_call(struct fg_ctx *cx, const struct provider_site *site, const struct gen_spec *spec,
                                struct fetch_call *out)
{
    if (spec->image_url.p && !spec->image_bytes.p)
        return fg_fail(cx, FG_INVALID_REQUEST, "Veo takes a picture by its bytes, not by a URL");
    struct sb body = sb_in(cx->mem, spec->image_bytes.p ? ADAPTER_IMAGE_BODY_MAX : ADAPTER_BODY_MAX);
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX);
    struct jw w = jw_on(&body);
    write_request(cx, &w, spec);
    sb_add(&url, site->base_url);
    sb_add(&url, FG_LIT("/models/"));
    sb_add_escaped(&url, spec->model);
    sb_add(&url, FG_LIT(":predictLongRunning"));
    enum fg_code rc = adapter_call(cx, &provider_veo, site, "POST", &url, out);
    if (rc == FG_OK)
        rc = adapter_body(cx, &body, out);
    if (rc == FG_OK)
        out->once = true;
    return rc;
}

/* An operation's name is a path, "models/veo-3.1-generate/operations/abc", and goes into URLs as one. */
static bool name_ok(struct fg_str name)
{
    if (!adapter_id_ok(name) || name.p[name.n - 1] == '/')
        return false;
    for (struct fg_str rest = name, part; scan_until(&rest, '/', &part);)
        if (part.n == 0)
            return false;
    return true;
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
        struct fg_str name = adapter_text(body, "name");
        adapter_accepted(cx, name_ok(name) ? name : FG_NONE, FG_NONE, out);
        return;
    }
    struct remote_error e = error_of(js_get(body, "error"));
    adapter_submit_failed(cx, r, e.reason, e.code, e.message, out);
    if (out->outcome == SUBMIT_NOT_SENT && out->retry_after_s < e.retry_s)
        out->retry_after_s = e.retry_s;
}

/* ---- poll ---- */

static enum fg_code poll_call(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                              int step, struct fg_str note, struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX);
    (void)step, (void)note;
    if (!name_ok(ref->id))
        return fg_fail(cx, FG_INVALID_REQUEST, "This is no name of an operation");
    sb_add(&url, site->base_url);
    for (struct fg_str rest = ref->id, part; scan_until(&rest, '/', &part);) {
        sb_add_c(&url, '/');
        sb_add_escaped(&url, part);
    }
    return adapter_call(cx, &provider_veo, site, "GET", &url, out);
}

static void read_response(struct fg_ctx *cx, const struct provider_site *site, const struct js *response,
                          struct poll_reply *out)
{
    const struct js *video = js_get(response, "generateVideoResponse");
    if (js_len(js_get(video, "generatedSamples"))) {
        struct fg_str uri = adapter_text(video, "generatedSamples.0.video.uri");
        adapter_done(cx, out, uri, site_knows(site, uri) ? KEY_ALWAYS : KEY_NEVER);
    } else if (js_type(response) == JS_OBJECT) { /* filtered: it is a success without a video */
        struct fg_str why = adapter_text(video, "raiMediaFilteredReasons.0");
        adapter_failed(cx, out, REASON_CONTENT_OUT, FG_NONE, why.p ? why : FG_LIT("done, but without a video"));
    } else {
        adapter_done(cx, out, FG_NONE, KEY_NEVER);
    }
}

static void read_operation(struct fg_ctx *cx, const struct provider_site *site, const struct js *body,
                           struct poll_reply *out)
{
    const struct js *flag = js_get(body, "done"), *error = js_get(body, "error");
    bool done = false;
    if (flag ? !js_bool(flag, &done) : !adapter_text(body, "name").p) {
        out->reason = REASON_NONSENSE;
        out->words = FG_LIT("an answer that is no operation");
        return;
    }
    out->understood = true;
    out->state = REMOTE_RUNNING;
    if (done && js_type(error) == JS_OBJECT) {
        struct remote_error e = error_of(error);
        adapter_failed(cx, out, e.reason != REASON_NONE ? e.reason : REASON_FAILED, e.code, e.message);
    } else if (done) {
        read_response(cx, site, js_get(body, "response"), out);
    }
}

static void poll_reply(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref, int step,
                       struct fg_str note, const struct fetch_reply *r, struct poll_reply *out)
{
    const struct js *body = adapter_json(cx, r);
    (void)ref, (void)step, (void)note;
    if (adapter_ok(r)) {
        *out = adapter_no_news();
        read_operation(cx, site, body, out);
        return;
    }
    struct remote_error e = error_of(js_get(body, "error"));
    adapter_poll_failed(cx, r, e.reason, e.code, e.message, out);
    if (out->poll_after_ms < e.retry_s * 1000)
        out->poll_after_ms = e.retry_s * 1000;
}

/* ---- callback ---- */

/* The attempt's token is in the path of our URL. The signature proves the sender at most, so the file's URL
 * in the body is left alone: the operation is read again. */
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
    /* batch.* and interaction.* of the same account are fine, and none of our business. */
    if (fg_starts(type, FG_LIT("video."))) {
        id = adapter_text(event, "data.id");
        if (!name_ok(id))
            return fg_fail(cx, FG_INVALID_REQUEST, "The event names no operation");
    }
    *out = (struct callback_note){
        .event_id = h->webhook_id.n ? arena_str(cx->mem, h->webhook_id) : FG_NONE,
        .remote_id = id.n ? arena_str(cx->mem, id) : FG_NONE,
        .news = adapter_no_news(),
    };
    if (FG_IS(type, "video.generated")) {
        out->news.understood = true;
        out->news.state = REMOTE_DONE;
    }
    return FG_OK;
}

const struct provider provider_veo = {
    .name = "veo",
    .by_name = PARAM_BIT(PARAM_SEED) | PARAM_BIT(PARAM_AUDIO) | PARAM_BIT(PARAM_NEGATIVE),
    .verify = VERIFY_GOOGLE,
    .image_by = IMAGE_BY_BYTES,
    .authorize = authorize,
    .submit_call = submit_call,
    .submit_reply = submit_reply,
    .poll_call = poll_call,
    .poll_reply = poll_reply,
    .callback_read = callback_read,
};
