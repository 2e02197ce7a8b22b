/* Runway: tasks without a list, a reference of ours or callbacks, so a lost submit stays lost. One verb both
 * cancels a task and deletes a finished one. */
#include "provider/adapter.h"

#include "base/arena.h"
#include "base/scan.h"
#include "base/utf8.h"

#define API_VERSION "2024-11-06"
#define PROMPT_MAX 1000 /* UTF-16 code units */
#define NUMBER_MAX 1000000000
#define CREDIT_DIGITS 4 /* a credit is 10^4 micro-USD */

static const struct word_state words[] = {
    { "PENDING", REMOTE_QUEUED },    { "THROTTLED", REMOTE_QUEUED }, /* by our concurrency there */
    { "RUNNING", REMOTE_RUNNING },   { "SUCCEEDED", REMOTE_DONE }, { "FAILED", REMOTE_FAILED },
    { "CANCELLED", REMOTE_FAILED },  { NULL, REMOTE_RUNNING },
};

/* failureCode. New leaves appear without notice, so all are prefixes, the longer before the shorter. */
static const struct code_reason failures[] = {
    { "SAFETY.INPUT.IMAGE*", REASON_CONTENT_IMAGE },
    { "SAFETY.INPUT*", REASON_CONTENT },
    { "SAFETY.OUTPUT*", REASON_CONTENT_OUT },
    { "SAFETY*", REASON_CONTENT },
    { "INPUT_PREPROCESSING.SAFETY.IMAGE*", REASON_CONTENT_IMAGE },
    { "INPUT_PREPROCESSING.SAFETY*", REASON_CONTENT },
    { "INPUT_PREPROCESSING*", REASON_FAILED },
    { "THIRD_PARTY.SAFETY*", REASON_CONTENT },
    { "ASSET*", REASON_IMAGE },
    { "INTERNAL*", REASON_FAILED }, /* INTERNAL.BAD_OUTPUT too */
    { NULL, REASON_NONE },
};
/* These cost what a success costs. */
static const struct code_reason charged[] = { { "SAFETY.INPUT*", REASON_CONTENT }, { NULL, REASON_NONE } };

/* Errors of calls have no code: what is more than its HTTP status can be told by its text alone. */
static const char *const no_credit[] = { "enough credits", NULL };
static const char *const daily[] = { "daily", "per day", NULL };
static const struct {
    int status;
    const char *const *says;
    enum remote_reason reason;
} texts[] = { { 400, no_credit, REASON_CREDIT }, { 429, daily, REASON_PARK } };

static enum remote_reason reason_of(int status, struct fg_str text)
{
    for (size_t i = 0; i < FG_LEN(texts); i++)
        if (status == texts[i].status && adapter_says(text, texts[i].says))
            return texts[i].reason;
    return REASON_NONE;
}

/* In units of 10^-digits, what is finer cut off; -1 when it is no number, negative, too large or has an
 * exponent. */
static int64_t fixed_point(const struct js *v, int digits)
{
    struct fg_str s;
    uint64_t n;
    if (!js_number_text(v, &s) || !scan_u64(&s, NUMBER_MAX, &n))
        return -1;
    bool fraction = scan_char(&s, '.');
    for (; fraction && s.n && s.p[0] >= '0' && s.p[0] <= '9'; s.p++, s.n--)
        if (digits > 0) {
            n = n * 10 + (uint64_t)(s.p[0] - '0');
            digits--;
        }
    for (; digits > 0; digits--)
        n *= 10;
    return s.n == 0 ? (int64_t)n : -1;
}

/* 0: it does not say. */
static int64_t cost_micro(const struct js *body)
{
    int64_t n = fixed_point(adapter_at(body, "cost.credits"), CREDIT_DIGITS);
    if (n < 0)
        n = fixed_point(adapter_at(body, "estimatedCost.credits"), CREDIT_DIGITS);
    return n < 0 ? 0 : n;
}

static void authorize(struct fg_ctx *cx, const struct provider_site *site, struct fetch_call *out)
{
    adapter_authorization(cx, "Bearer", site->key, out);
}

static enum fg_code call(struct fg_ctx *cx, const struct provider_site *site, const char *method,
                         const char *path, struct fg_str id, struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX);
    sb_add(&url, site->base_url);
    sb_add(&url, fg_str_c(path));
    sb_add_escaped(&url, id);
    enum fg_code rc = adapter_call(cx, &provider_runway, site, method, &url, out);
    if (rc == FG_OK)
        fetch_add_header(out, FG_LIT("X-Runway-Version"), FG_LIT(API_VERSION));
    return rc;
}

/* Characters beyond the first plane, four bytes here, are two there. */
static size_t utf16_units(struct fg_str s)
{
    size_t units = 0, len;
    for (size_t i = 0; i < s.n && (len = utf8_len(s.p + i, s.n - i)) > 0; i += len)
        units += len == 4 ? 2 : 1;
    return units;
}

static void write_request(struct fg_ctx *cx, struct jw *w, const struct gen_spec *spec)
{
    struct fg_str ratio = adapter_value(cx, spec, PARAM_RATIO);
    jw_open(w, NULL);
    jw_str(w, "model", spec->model);
    if (spec->prompt.n || !spec->image_url.p)
        jw_str(w, "promptText", spec->prompt);
    if (spec->image_url.p)
        jw_str(w, "promptImage", spec->image_url);
    if (ratio.p)
        jw_str(w, "ratio", ratio);
    jw_raw(w, "duration", adapter_value(cx, spec, PARAM_DURATION));
    /* Not every model has these, and some that are other vendors' own call them otherwise. */
    adapter_write(cx, w, spec, PARAM_RESOLUTION);
    adapter_write(cx, w, spec, PARAM_SEED);
    adapter_write(cx, w, spec, PARAM_AUDIO);
    adapter_write(cx, w, spec, PARAM_NEGATIVE);
    adapter_write_fixed(w, spec);
    jw_close(w);
}

static enum fg_code submit_call(struct fg_ctx *cx, const struct provider_site *site, const struct gen_spec *spec,
                                struct fetch_call *out)
{
    size_t units = utf16_units(spec->prompt);
    if (units > PROMPT_MAX)
        return fg_fail(cx, FG_INVALID_REQUEST, "The prompt has %zu UTF-16 code units, Runway takes %d", units,
                       PROMPT_MAX);
    struct sb body = sb_in(cx->mem, ADAPTER_BODY_MAX);
    struct jw w = jw_on(&body);
    write_request(cx, &w, spec);
    const char *path = spec->image_url.p ? "/v1/image_to_video" : "/v1/text_to_video";
    enum fg_code rc = call(cx, site, "POST", path, FG_NONE, out);
    if (rc == FG_OK)
        rc = adapter_body(cx, &body, out);
    if (rc == FG_OK)
        out->once = true;
    return rc;
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
        adapter_accepted(cx, adapter_text(body, "id"), FG_NONE, out);
        out->cost_micro = cost_micro(body);
        return;
    }
    struct fg_str text = adapter_text(body, "error");
    adapter_submit_failed(cx, r, reason_of(r->status, text), FG_NONE, text, out);
}

static enum fg_code poll_call(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                              int step, struct fg_str note, struct fetch_call *out)
{
    (void)step, (void)note;
    return call(cx, site, "GET", "/v1/tasks/", ref->id, out);
}

static void read_failure(struct fg_ctx *cx, const struct js *body, bool cancelled, struct poll_reply *out)
{
    struct fg_str code = adapter_text(body, "failureCode");
    enum remote_reason reason = cancelled ? REASON_CANCELED : adapter_reason(code, failures);
    adapter_failed(cx, out, reason != REASON_NONE ? reason : REASON_FAILED, code, adapter_text(body, "failure"));
    out->charged = adapter_reason(code, charged) != REASON_NONE;
}

static void read_state(struct fg_ctx *cx, const struct js *body, struct poll_reply *out)
{
    struct fg_str word = adapter_text(body, "status");
    if (!word.p) {
        out->reason = REASON_NONSENSE;
        out->words = FG_LIT("an answer without a status");
        return;
    }
    adapter_state(cx, out, word, words);
    int64_t percent = fixed_point(js_get(body, "progress"), 2);
    if (percent >= 0 && percent <= 100)
        out->progress = (int)percent;
    out->cost_micro = cost_micro(body);
    if (out->state == REMOTE_FAILED)
        read_failure(cx, body, fg_eq_nocase(word, FG_LIT("CANCELLED")), out);
    else if (out->state == REMOTE_DONE) /* signed in its query, on a host that must not see the key */
        adapter_done(cx, out, adapter_text(body, "output.0"), KEY_NEVER);
}

static void poll_reply(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref, int step,
                       struct fg_str note, const struct fetch_reply *r, struct poll_reply *out)
{
    const struct js *body = adapter_json(cx, r);
    (void)site, (void)ref, (void)step, (void)note;
    if (!adapter_ok(r)) {
        struct fg_str text = adapter_text(body, "error");
        adapter_poll_failed(cx, r, reason_of(r->status, text), FG_NONE, text, out);
        return;
    }
    *out = adapter_no_news();
    read_state(cx, body, out);
}

/* Not to be repeated: the second time says 404 of a task that the first one cancelled. */
static enum fg_code cancel_call(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                                enum remote_state seen, struct fetch_call *out)
{
    (void)seen;
    enum fg_code rc = call(cx, site, "DELETE", "/v1/tasks/", ref->id, out);
    if (rc == FG_OK)
        out->once = true;
    return rc;
}

static enum cancel_outcome cancel_reply(struct fg_ctx *cx, const struct fetch_reply *r)
{
    (void)cx;
    if (adapter_ok(r))
        return CANCEL_EITHER;
    return r->end == FETCH_ANSWERED && r->status == 404 ? CANCEL_TOO_LATE : CANCEL_UNKNOWN;
}

const struct provider provider_runway = {
    .name = "runway",
    .by_name = PARAM_BIT(PARAM_SEED) | PARAM_BIT(PARAM_AUDIO) | PARAM_BIT(PARAM_NEGATIVE),
    .verify = VERIFY_NONE,
    .image_by = IMAGE_BY_URL,
    .cancel_when = CANCEL_WHEN_QUEUED | CANCEL_WHEN_RUNNING,
    .cancel_deletes = true,
    .authorize = authorize,
    .submit_call = submit_call,
    .submit_reply = submit_reply,
    .poll_call = poll_call,
    .poll_reply = poll_reply,
    .cancel_call = cancel_call,
    .cancel_reply = cancel_reply,
};
