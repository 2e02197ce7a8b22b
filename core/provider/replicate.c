/* Replicate's predictions. One object for everything: answers to submit and poll, list rows, callbacks. */
#include "provider/adapter.h"

#include "base/arena.h"
#include "base/scan.h"
#include "base/time.h"

#define VERSION_HEX 64
#define WAIT_MAX_S 3600

/* What submit_reply keeps, in this order. */
enum link { LINK_GET, LINK_CANCEL };
static const char *const link_paths[] = { "urls.get", "urls.cancel", NULL };
static const char *const link_tails[] = { "", "/cancel" };

static const struct word_state words[] = {
    { "starting", REMOTE_QUEUED }, { "processing", REMOTE_RUNNING }, { "succeeded", REMOTE_DONE },
    { "failed", REMOTE_FAILED },   { "canceled", REMOTE_FAILED },    { "aborted", REMOTE_FAILED },
    { NULL, REMOTE_RUNNING },
};

/* A failed run tells why in words alone; the first fit counts. */
static const char *const out_of_memory[] = { "E1001", NULL };
static const char *const no_webhook[] = { "E4875", NULL };
static const char *const worth_a_repeat[] = { "E1000", "E6716", "code: PA", NULL };
static const char *const moderated[] = { "sensitive", "nsfw", "safety", "content policy", "E005", NULL };
static const struct {
    const char *const *word;
    enum remote_reason reason;
} failures[] = {
    { out_of_memory, REASON_REFUSED },
    { no_webhook, REASON_REFUSED },
    { worth_a_repeat, REASON_FAILED },
    { moderated, REASON_CONTENT },
};

static const char *const video_ends[] = { ".mp4", ".webm", ".mov", ".m4v", ".mkv", ".avi" };

/* Where a file may want the key; nowhere else may it see it. */
static const struct provider_site delivery = {
    .host = { { "replicate.delivery", 18 }, { "*.replicate.delivery", 20 } },
    .host_n = 2,
};

static void authorize(struct fg_ctx *cx, const struct provider_site *site, struct fetch_call *out)
{
    adapter_authorization(cx, "Bearer", site->key, out);
}

/* ---- submit ---- */

static bool is_version(struct fg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789abcdef", s.p[i]))
            return false;
    return s.n == VERSION_HEX;
}

/* The version that a model's name pins: "owner/name:version", or itself; FG_NONE: the latest. */
static struct fg_str version_of(struct fg_str model)
{
    struct fg_str name;
    if (is_version(model))
        return model;
    (void)scan_until(&model, ':', &name);
    return model.n ? model : FG_NONE;
}

static enum fg_code submit_url(struct fg_ctx *cx, const struct provider_site *site, struct fg_str model,
                               struct sb *url)
{
    struct fg_str owner, name = model;
    sb_add(url, site->base_url);
    if (version_of(model).p) {
        sb_add(url, FG_LIT("/predictions"));
        return FG_OK;
    }
    if (!scan_until(&name, '/', &owner) || !owner.n || !name.n || memchr(name.p, '/', name.n))
        return fg_fail(cx, FG_INVALID_REQUEST, "%.*s is no owner/name", FG_P(model));
    sb_add(url, FG_LIT("/models/"));
    sb_add_escaped(url, owner);
    sb_add_c(url, '/');
    sb_add_escaped(url, name);
    sb_add(url, FG_LIT("/predictions"));
    return FG_OK;
}

static void write_submit(struct fg_ctx *cx, struct jw *w, const struct gen_spec *spec)
{
    jw_open(w, NULL);
    if (version_of(spec->model).p)
        jw_str(w, "version", spec->model);
    jw_open(w, "input");
    adapter_write_all(cx, w, spec);
    jw_close(w);
    if (spec->callback_url.p) {
        jw_str(w, "webhook", spec->callback_url);
        jw_open_array(w, "webhook_events_filter");
        jw_str(w, NULL, FG_LIT("start"));
        jw_str(w, NULL, FG_LIT("completed"));
        jw_close_array(w);
    }
    jw_close(w);
}

static enum fg_code submit_call(struct fg_ctx *cx, const struct provider_site *site,
                                const struct gen_spec *spec, struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX), body = sb_in(cx->mem, ADAPTER_BODY_MAX);
    struct jw w = jw_on(&body);
    write_submit(cx, &w, spec);
    enum fg_code rc = submit_url(cx, site, spec->model, &url);
    if (rc == FG_OK)
        rc = adapter_call(cx, &provider_replicate, site, "POST", &url, out);
    if (rc == FG_OK)
        rc = adapter_body(cx, &body, out);
    if (rc == FG_OK)
        out->once = true;
    return rc;
}

/* "Your rate limit resets in ~30s." where no header says it; 0: no such words. */
static int64_t wait_in_words(struct fg_str detail)
{
    uint64_t s;
    for (; detail.n; detail.p++, detail.n--) {
        struct fg_str rest = detail;
        if (scan_lit(&rest, FG_LIT("resets in ~")) && scan_u64(&rest, WAIT_MAX_S, &s))
            return (int64_t)s;
    }
    return 0;
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
        adapter_accepted(cx, adapter_text(body, "id"), adapter_links(cx, body, link_paths), out);
        return;
    }
    struct fg_str detail = adapter_text(body, "detail");
    adapter_submit_failed(cx, r, REASON_NONE, adapter_text(body, "title"), detail, out);
    if (out->outcome == SUBMIT_NOT_SENT && !out->retry_after_s)
        out->retry_after_s = wait_in_words(detail);
}

/* ---- poll ---- */

static enum fg_code call_link(struct fg_ctx *cx, const struct provider_site *site, const char *method,
                              const struct remote_ref *ref, enum link link, struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX);
    sb_add(&url, adapter_link(site, ref->links, link));
    if (!url.n) {
        sb_add(&url, site->base_url);
        sb_add(&url, FG_LIT("/predictions/"));
        sb_add_escaped(&url, ref->id);
        sb_add(&url, fg_str_c(link_tails[link]));
    }
    return adapter_call(cx, &provider_replicate, site, method, &url, out);
}

static enum fg_code poll_call(struct fg_ctx *cx, const struct provider_site *site,
                              const struct remote_ref *ref, int step, struct fg_str note,
                              struct fetch_call *out)
{
    (void)step, (void)note;
    return call_link(cx, site, "GET", ref, LINK_GET, out);
}

static bool is_url(struct fg_str s)
{
    return fg_starts(s, FG_LIT("https://")) || fg_starts(s, FG_LIT("http://"));
}

static bool ends_in_video(struct fg_str url)
{
    size_t n = 0;
    while (n < url.n && url.p[n] != '?' && url.p[n] != '#')
        n++;
    for (size_t i = 0; i < FG_LEN(video_ends); i++) {
        struct fg_str end = fg_str_c(video_ends[i]);
        if (n > end.n && fg_eq_nocase((struct fg_str){ url.p + n - end.n, end.n }, end))
            return true;
    }
    return false;
}

/* A text, a list or an object, as the model likes: the first URL that ends like a video, else the first of
 * all. True when the search is over. */
static bool find_output(const struct js *v, struct fg_str *url)
{
    struct fg_str s, key;
    const struct js *member;
    if (js_str(v, &s)) {
        bool video = is_url(s) && ends_in_video(s);
        if (video || (is_url(s) && !url->p))
            *url = s;
        return video;
    }
    for (size_t i = 0; js_type(v) == JS_ARRAY && i < js_len(v); i++)
        if (find_output(js_at(v, i), url))
            return true;
    for (size_t it = 0; js_type(v) == JS_OBJECT && js_next(v, &it, &key, &member);)
        if (find_output(member, url))
            return true;
    return false;
}

static void read_done(struct fg_ctx *cx, const struct js *body, struct poll_reply *out)
{
    struct fg_str url = FG_NONE;
    bool removed = false;
    (void)find_output(js_get(body, "output"), &url);
    (void)js_bool(js_get(body, "data_removed"), &removed);
    if (!url.p && removed)
        adapter_failed(cx, out, REASON_EXPIRED, FG_NONE, FG_LIT("succeeded, but its data has been removed"));
    else
        adapter_done(cx, out, url, site_knows(&delivery, url) ? KEY_IF_REFUSED : KEY_NEVER);
}

/* Stopped by its deadline, unless that was still to come. */
static enum remote_reason why_stopped(const struct fg_ctx *cx, const struct js *body)
{
    int64_t deadline_us = adapter_time(body, "deadline"), end_us = adapter_time(body, "completed_at");
    if (!end_us)
        end_us = cx->now_us;
    return deadline_us && deadline_us <= end_us ? REASON_EXPIRED : REASON_CANCELED;
}

static enum remote_reason why_failed(struct fg_str error)
{
    for (size_t i = 0; i < FG_LEN(failures); i++)
        if (adapter_says(error, failures[i].word))
            return failures[i].reason;
    return REASON_FAILED;
}

static void read_prediction(struct fg_ctx *cx, const struct js *body, struct poll_reply *out)
{
    struct fg_str word = adapter_text(body, "status"), error = adapter_text(body, "error");
    if (!word.p) {
        out->reason = REASON_NONSENSE;
        out->words = FG_LIT("an answer without a status");
        return;
    }
    adapter_state(cx, out, word, words);
    if (out->state == REMOTE_DONE)
        read_done(cx, body, out);
    else if (out->state == REMOTE_FAILED && fg_eq_nocase(word, FG_LIT("failed")))
        adapter_failed(cx, out, why_failed(error), word, error);
    else if (out->state == REMOTE_FAILED)
        adapter_failed(cx, out, why_stopped(cx, body), word, error);
}

static void poll_reply(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                       int step, struct fg_str note, const struct fetch_reply *r, struct poll_reply *out)
{
    const struct js *body = adapter_json(cx, r);
    (void)site, (void)ref, (void)step, (void)note;
    if (adapter_ok(r)) {
        *out = adapter_no_news();
        out->poll_after_ms = fetch_retry_after_s(cx, r) * 1000;
        read_prediction(cx, body, out);
        return;
    }
    struct fg_str detail = adapter_text(body, "detail");
    adapter_poll_failed(cx, r, REASON_NONE, adapter_text(body, "title"), detail, out);
    if (out->reason == REASON_BUSY && !out->poll_after_ms)
        out->poll_after_ms = wait_in_words(detail) * 1000;
}

/* ---- cancel ---- */

static enum fg_code cancel_call(struct fg_ctx *cx, const struct provider_site *site,
                                const struct remote_ref *ref, enum remote_state seen, struct fetch_call *out)
{
    (void)seen;
    return call_link(cx, site, "POST", ref, LINK_CANCEL, out);
}

static const struct {
    const char *word;
    enum cancel_outcome outcome;
} after_cancel[] = {
    { "canceled", CANCEL_DONE },
    { "aborted", CANCEL_DONE },
    { "succeeded", CANCEL_TOO_LATE },
    { "failed", CANCEL_TOO_LATE },
};

/* The prediction as it is now. What a finished one answers is not documented: a refusal says nothing. */
static enum cancel_outcome cancel_reply(struct fg_ctx *cx, const struct fetch_reply *r)
{
    if (!adapter_ok(r))
        return CANCEL_UNKNOWN;
    struct fg_str word = adapter_text(adapter_json(cx, r), "status");
    for (size_t i = 0; i < FG_LEN(after_cancel); i++)
        if (fg_eq_nocase(word, fg_str_c(after_cancel[i].word)))
            return after_cancel[i].outcome;
    return CANCEL_ASKED;
}

/* ---- list ---- */

static enum fg_code list_call(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                              struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX);
    if (ask->cursor.n) { /* the URL that the page before gave as next */
        if (!site_knows(site, ask->cursor))
            return fg_fail(cx, FG_INVALID_REQUEST, "The next page is on another host");
        sb_add(&url, ask->cursor);
    } else {
        sb_add(&url, site->base_url);
        sb_add(&url, FG_LIT("/predictions?created_after="));
        sb_add_escaped(&url, time_iso(cx->mem, ask->since_us));
        sb_add(&url, FG_LIT("&created_before="));
        sb_add_escaped(&url, time_iso(cx->mem, ask->until_us));
    }
    return adapter_call(cx, &provider_replicate, site, "GET", &url, out);
}

/* A pinned version is what the caller knows the model by. */
static struct fg_str model_of(const struct js *v, struct fg_str asked)
{
    struct fg_str version = version_of(asked);
    return version.p && fg_eq(version, adapter_text(v, "version")) ? asked : adapter_text(v, "model");
}

static struct remote_row row_of(struct fg_ctx *cx, const struct js *v, struct fg_str asked)
{
    const struct js *input = js_get(v, "input");
    struct remote_row row = {
        .id = adapter_text(v, "id"),
        .links = adapter_links(cx, v, link_paths),
        .created_us = adapter_time(v, "created_at"),
        .callback_url = adapter_text(v, "webhook"),
        .model = model_of(v, asked),
        .prompt = adapter_text(input, "prompt"),
        .duration_s = adapter_seconds(input, "duration"),
    };
    row.has_seed = js_i64(js_get(input, "seed"), &row.seed);
    return row;
}

/* After an hour a row no longer repeats its input: it may be ours and cannot be told. A page like that proves
 * no absence; nor does one that goes on where we do not follow. */
static void list_reply(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                       const struct fetch_reply *r, struct list_reply *out)
{
    const struct js *list = adapter_ok(r) ? adapter_json(cx, r) : NULL, *results = js_get(list, "results");
    struct fg_str next = adapter_text(list, "next");
    *out = (struct list_reply){ .understood = js_type(results) == JS_ARRAY };
    if (!out->understood)
        return;
    out->more = next.n > 0 && next.n <= ADAPTER_URL_MAX && site_knows(site, next);
    out->cursor = out->more ? next : FG_NONE;
    out->whole = (out->more || !next.n) && js_len(results) <= PROVIDER_ROWS_MAX;
    size_t n = js_len(results) < PROVIDER_ROWS_MAX ? js_len(results) : PROVIDER_ROWS_MAX;
    out->row = arena_array(cx->mem, struct remote_row, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct js *v = js_at(results, i);
        bool removed = false;
        out->row[out->n] = row_of(cx, v, ask->model);
        if (adapter_id_ok(out->row[out->n].id))
            out->n++;
        if (js_bool(js_get(v, "data_removed"), &removed) && removed)
            out->whole = false;
    }
}

/* ---- callback ---- */

static enum fg_code callback_read(struct fg_ctx *cx, const struct callback_headers *h, struct fg_str body,
                                  struct callback_note *out)
{
    const struct js *prediction;
    enum fg_code rc = js_parse(cx, body, &prediction);
    if (rc != FG_OK)
        return rc;
    struct fg_str id = adapter_text(prediction, "id");
    if (!adapter_id_ok(id))
        return fg_fail(cx, FG_INVALID_REQUEST, "The event names no prediction");
    *out = (struct callback_note){
        .event_id = h->webhook_id.n ? arena_str(cx->mem, h->webhook_id) : FG_NONE,
        .remote_id = arena_str(cx->mem, id),
        .news = adapter_no_news(),
    };
    read_prediction(cx, prediction, &out->news);
    return FG_OK;
}

const struct provider provider_replicate = {
    .name = "replicate",
    .by_name = PARAMS_ALL,
    .verify = VERIFY_STANDARD,
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
