/* Luma, two services with hosts, keys and JSON of their own: Dream Machine (ray-2), with callbacks and a list, and
 * Agents (ray-3.2 and later), with neither. A generation and its states are the same. */
#include "provider/adapter.h"

#include "base/arena.h"
#include "base/scan.h"

#define LIST_PAGE 100
#define LIST_OFFSET_MAX 1000000000

static const struct word_state words[] = {
    { "queued", REMOTE_QUEUED },   { "processing", REMOTE_RUNNING }, { "dreaming", REMOTE_RUNNING },
    { "completed", REMOTE_DONE },  { "failed", REMOTE_FAILED },      { NULL, REMOTE_RUNNING },
};

/* Agents' failure_code. Whether the prompt or the result was moderated is not told. */
static const struct code_reason failure_codes[] = {
    { "content_moderated", REASON_CONTENT },   { "generation_failed", REASON_FAILED },
    { "budget_exhausted", REASON_CREDIT },     { "output_not_found", REASON_FAILED },
    { "image_too_large", REASON_IMAGE },       { "unsupported_format", REASON_IMAGE },
    { "corrupt_input", REASON_IMAGE },         { "invalid_request", REASON_REFUSED },
    { NULL, REASON_NONE },
};

static const char *const content_words[] = { "moderat", "policy", NULL };

/* ---- answers ---- */

/* {"detail":"..."}, or the first of a list of what is wrong. */
static struct fg_str detail_of(const struct js *body)
{
    struct fg_str detail = adapter_text(body, "detail");
    return detail.p ? detail : adapter_text(body, "detail.0.msg");
}

/* What the text says beyond the status. A list of faults may repeat the prompt: only plain text is searched. */
static enum remote_reason door_reason(const struct fetch_reply *r, const struct js *body)
{
    static const char *const credit[] = { "credit", "insufficient balance", NULL };
    struct fg_str text = adapter_text(body, "detail");
    if ((r->status == 400 || r->status == 422) && adapter_says(text, content_words))
        return REASON_CONTENT;
    return r->status != 401 && adapter_says(text, credit) ? REASON_CREDIT : REASON_NONE;
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
    if (adapter_ok(r))
        adapter_accepted(cx, adapter_text(body, "id"), FG_NONE, out);
    else
        adapter_submit_failed(cx, r, door_reason(r, body), FG_NONE, detail_of(body), out);
}

/* D has the file at one place, A in a list. */
static struct fg_str file_of(const struct js *generation)
{
    struct fg_str url = adapter_text(generation, "assets.video");
    return url.n ? url : adapter_text(generation, "output.0.url");
}

static enum remote_reason failure(struct fg_str code, struct fg_str why)
{
    enum remote_reason reason = adapter_reason(code, failure_codes);
    if (reason == REASON_NONE && adapter_says(why, content_words))
        return REASON_CONTENT;
    return reason == REASON_NONE ? REASON_FAILED : reason;
}

static void read_generation(struct fg_ctx *cx, const struct js *generation, struct poll_reply *out)
{
    struct fg_str word = adapter_text(generation, "state");
    *out = adapter_no_news();
    if (!word.n) {
        out->reason = REASON_NONSENSE;
        out->words = FG_LIT("an answer without a state");
        return;
    }
    adapter_state(cx, out, word, words);
    if (out->state == REMOTE_FAILED) {
        struct fg_str code = adapter_text(generation, "failure_code");
        struct fg_str why = adapter_text(generation, "failure_reason");
        adapter_failed(cx, out, failure(code, why), code, why);
    }
    if (out->state == REMOTE_DONE)
        adapter_done(cx, out, file_of(generation), KEY_NEVER);
}

static void poll_reply(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref, int step,
                       struct fg_str note, const struct fetch_reply *r, struct poll_reply *out)
{
    const struct js *body = adapter_json(cx, r);
    struct fg_str id = adapter_text(body, "id");
    (void)site, (void)step, (void)note;
    if (!adapter_ok(r)) {
        adapter_poll_failed(cx, r, door_reason(r, body), FG_NONE, detail_of(body), out);
    } else if (id.p && !fg_eq(id, ref->id)) {
        *out = adapter_no_news();
        out->reason = REASON_NONSENSE;
        out->words = FG_LIT("an answer about something else");
    } else {
        read_generation(cx, body, out);
    }
}

/* ---- calls ---- */

static void authorize(struct fg_ctx *cx, const struct provider_site *site, struct fetch_call *out)
{
    adapter_authorization(cx, "Bearer", site->key, out);
}

/* "5s", whether or not the catalogue spells the "s". */
static struct fg_str duration(struct fg_ctx *cx, const struct gen_spec *spec)
{
    struct fg_str v = adapter_value(cx, spec, PARAM_DURATION);
    char last = v.n ? v.p[v.n - 1] : '0';
    return last >= '0' && last <= '9' ? arena_fmt(cx->mem, "%.*ss", FG_P(v)) : v;
}

static void write_common(struct fg_ctx *cx, struct jw *w, const struct gen_spec *spec)
{
    jw_str(w, "prompt", spec->prompt);
    if (spec->aspect_ratio.p)
        jw_str(w, "aspect_ratio", adapter_value(cx, spec, PARAM_RATIO));
}

/* ---- Dream Machine ---- */

static enum fg_code submit_call(struct fg_ctx *cx, const struct provider_site *site, const struct gen_spec *spec,
                                struct fetch_call *out)
{
    struct sb body = sb_in(cx->mem, ADAPTER_BODY_MAX);
    struct jw w = jw_on(&body);
    jw_open(&w, NULL);
    jw_str(&w, "model", spec->model);
    write_common(cx, &w, spec);
    jw_str(&w, "duration", duration(cx, spec));
    if (spec->resolution.p)
        jw_str(&w, "resolution", adapter_value(cx, spec, PARAM_RESOLUTION));
    if (spec->image_url.p) {
        jw_open(&w, "keyframes");
        jw_open(&w, "frame0");
        jw_str(&w, "type", FG_LIT("image"));
        jw_str(&w, "url", spec->image_url);
        jw_close(&w);
        jw_close(&w);
    }
    adapter_write_fixed(&w, spec);
    if (spec->callback_url.p)
        jw_str(&w, "callback_url", spec->callback_url);
    jw_close(&w);
    return adapter_submit(cx, &provider_luma, site, "/generations/video", FG_NONE, &body, out);
}

static enum fg_code poll_call(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                              int step, struct fg_str note, struct fetch_call *out)
{
    (void)step, (void)note;
    return adapter_call_on(cx, &provider_luma, site, "GET", "/generations/", ref->id, out);
}

static enum fg_code cancel_call(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                                enum remote_state seen, struct fetch_call *out)
{
    (void)seen;
    return adapter_call_on(cx, &provider_luma, site, "DELETE", "/generations/", ref->id, out);
}

/* Whether it stops one that runs is not documented: the polls will tell. Nothing there any more is what a second
 * call finds. */
static enum cancel_outcome cancel_reply(struct fg_ctx *cx, const struct fetch_reply *r)
{
    static const struct {
        int status;
        enum cancel_outcome outcome;
    } row[] = {
        { 404, CANCEL_ASKED },    { 410, CANCEL_ASKED },    { 400, CANCEL_TOO_LATE },
        { 409, CANCEL_TOO_LATE }, { 422, CANCEL_TOO_LATE },
    };
    (void)cx;
    if (adapter_ok(r))
        return CANCEL_ASKED;
    for (size_t i = 0; r->end == FETCH_ANSWERED && i < FG_LEN(row); i++)
        if (r->status == row[i].status)
            return row[i].outcome;
    return CANCEL_UNKNOWN;
}

/* The cursor is the offset. */
static uint64_t offset_of(struct fg_str cursor)
{
    uint64_t offset = 0;
    (void)scan_all_u64(cursor, LIST_OFFSET_MAX, &offset);
    return offset;
}

static enum fg_code list_call(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                              struct fetch_call *out)
{
    struct fg_str path = arena_fmt(cx->mem, "/generations?limit=%d&offset=%llu", LIST_PAGE,
                                   (unsigned long long)offset_of(ask->cursor));
    return adapter_call_on(cx, &provider_luma, site, "GET", path.p, FG_NONE, out);
}

static struct remote_row read_row(const struct js *generation)
{
    struct fg_str model = adapter_text(generation, "model");
    return (struct remote_row){
        .id = adapter_text(generation, "id"),
        .created_us = adapter_time(generation, "created_at"),
        .callback_url = adapter_text(generation, "request.callback_url"),
        .model = model.p ? model : adapter_text(generation, "request.model"),
        .prompt = adapter_text(generation, "request.prompt"),
        .duration_s = adapter_seconds(generation, "request.duration"),
    };
}

static void list_reply(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                       const struct fetch_reply *r, struct list_reply *out)
{
    const struct js *list = adapter_ok(r) ? adapter_json(cx, r) : NULL, *rows = js_get(list, "generations");
    bool more = false;
    (void)site;
    *out = (struct list_reply){ .understood = js_type(rows) == JS_ARRAY };
    if (!out->understood)
        return;
    size_t n = js_len(rows);
    out->row = arena_array(cx->mem, struct remote_row, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct remote_row row = read_row(js_at(rows, i));
        if (adapter_id_ok(row.id))
            out->row[out->n++] = row;
    }
    (void)js_bool(js_get(list, "has_more"), &more);
    out->more = more && n > 0 && !adapter_past_window(out, ask->since_us);
    out->cursor = out->more ? arena_fmt(cx->mem, "%llu", (unsigned long long)(offset_of(ask->cursor) + n))
                            : FG_NONE;
    out->whole = true;
}

static enum fg_code callback_read(struct fg_ctx *cx, const struct callback_headers *h, struct fg_str body,
                                  struct callback_note *out)
{
    const struct js *generation;
    enum fg_code rc = js_parse(cx, body, &generation);
    (void)h;
    if (rc != FG_OK)
        return rc;
    struct fg_str id = adapter_text(generation, "id");
    if (!adapter_id_ok(id))
        return fg_fail(cx, FG_INVALID_REQUEST, "The event names no generation");
    *out = (struct callback_note){ .remote_id = arena_str(cx->mem, id) };
    read_generation(cx, generation, &out->news);
    return FG_OK;
}

const struct provider provider_luma = {
    .name = "luma",
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
    .list_call = list_call,
    .list_reply = list_reply,
    .callback_read = callback_read,
};

/* ---- Agents ---- */

static enum fg_code agents_submit_call(struct fg_ctx *cx, const struct provider_site *site,
                                       const struct gen_spec *spec, struct fetch_call *out)
{
    struct sb body = sb_in(cx->mem, ADAPTER_BODY_MAX);
    struct jw w = jw_on(&body);
    struct fg_str length = duration(cx, spec);
    if (spec->image_url.p && FG_IS(length, "10s"))
        return fg_fail(cx, FG_INVALID_REQUEST, "Luma makes no ten seconds from a picture");
    jw_open(&w, NULL);
    jw_str(&w, "model", spec->model);
    jw_str(&w, "type", FG_LIT("video"));
    write_common(cx, &w, spec);
    jw_open(&w, "video");
    if (spec->resolution.p)
        jw_str(&w, "resolution", adapter_value(cx, spec, PARAM_RESOLUTION));
    jw_str(&w, "duration", length);
    adapter_write_fixed(&w, spec);
    if (spec->image_url.p) {
        jw_open(&w, "start_frame");
        jw_str(&w, "url", spec->image_url);
        jw_close(&w);
    }
    jw_close(&w);
    jw_close(&w);
    return adapter_submit(cx, &provider_luma_agents, site, "/generations", FG_NONE, &body, out);
}

static enum fg_code agents_poll_call(struct fg_ctx *cx, const struct provider_site *site,
                                     const struct remote_ref *ref, int step, struct fg_str note,
                                     struct fetch_call *out)
{
    (void)step, (void)note;
    return adapter_call_on(cx, &provider_luma_agents, site, "GET", "/generations/", ref->id, out);
}

const struct provider provider_luma_agents = {
    .name = "luma_agents",
    .verify = VERIFY_NONE,
    .image_by = IMAGE_BY_URL,
    .authorize = authorize,
    .submit_call = agents_submit_call,
    .submit_reply = submit_reply,
    .poll_call = agents_poll_call,
    .poll_reply = poll_reply,
};
