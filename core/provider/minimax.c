/* MiniMax (Hailuo), both generations of its API: v1, whose failures are HTTP 200 with a code and whose files take a
 * second question, and v2, with real HTTP statuses and the file's URL in the task. Callbacks are unsigned, and come only
 * after a challenge has been answered. */
#include "provider/adapter.h"

#include "base/arena.h"
#include "base/scan.h"

#define CHALLENGE_MAX 256
#define LIST_PAGE 20
#define STEP_FILE 1

static const struct coded_end codes[] = {
    { 1000, 200, SUBMIT_UNKNOWN, REASON_FAILED },   { 1001, 200, SUBMIT_UNKNOWN, REASON_FAILED },
    { 1002, 200, SUBMIT_NOT_SENT, REASON_BUSY },    { 1004, 200, SUBMIT_REFUSED, REASON_AUTH },
    { 1008, 200, SUBMIT_REFUSED, REASON_CREDIT },   { 1024, 200, SUBMIT_UNKNOWN, REASON_FAILED },
    { 1026, 200, SUBMIT_REFUSED, REASON_CONTENT },  { 1027, 200, SUBMIT_REFUSED, REASON_CONTENT_OUT },
    { 1033, 200, SUBMIT_UNKNOWN, REASON_FAILED },   { 1039, 200, SUBMIT_REFUSED, REASON_REFUSED },
    { 1041, 200, SUBMIT_NOT_SENT, REASON_BUSY },    { 2013, 200, SUBMIT_REFUSED, REASON_REFUSED },
    { 2038, 200, SUBMIT_REFUSED, REASON_AUTH },     { 2045, 200, SUBMIT_NOT_SENT, REASON_BUSY },
    { 2049, 200, SUBMIT_REFUSED, REASON_AUTH },     { 2056, 200, SUBMIT_REFUSED, REASON_PARK },
    { 0, 0, SUBMIT_UNKNOWN, REASON_NONE },
};
#define CODE_INVALID 2013

/* Queries and callbacks differ in case, and callbacks say "failed" where v1's query says "Fail". */
static const struct word_state words[] = {
    { "Preparing", REMOTE_QUEUED },  { "Queueing", REMOTE_QUEUED }, { "queued", REMOTE_QUEUED },
    { "Processing", REMOTE_RUNNING }, { "running", REMOTE_RUNNING }, { "Success", REMOTE_DONE },
    { "succeeded", REMOTE_DONE },    { "Fail", REMOTE_FAILED },     { "failed", REMOTE_FAILED },
    { "cancelled", REMOTE_FAILED },  { "expired", REMOTE_GONE },    { NULL, REMOTE_RUNNING },
};

/* ---- answers ---- */

struct said {
    bool ok;                     /* 2xx, and no code but 0 */
    const struct js *body;
    const struct coded_end *end; /* NULL: no code that we know */
    struct fg_str code, message;
};

/* v1's base_resp, else v2's error. */
static struct said read_body(struct fg_ctx *cx, const struct js *body)
{
    int64_t code = adapter_i64(body, "base_resp.status_code");
    struct said s = { .ok = body && code == 0, .body = body, .end = adapter_coded(code, codes) };
    if (code) {
        s.code = adapter_id(cx, body, "base_resp.status_code");
        s.message = adapter_text(body, "base_resp.status_msg");
    } else {
        s.code = adapter_text(body, "error.type");
        s.message = adapter_text(body, "error.message");
    }
    return s;
}

static struct said read_answer(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct said s = read_body(cx, adapter_json(cx, r));
    s.ok = s.ok && adapter_ok(r);
    return s;
}

/* v2 has no codes at its door, but the words of the table of codes: "insufficient balance", "input sensitive". */
static enum remote_reason door_reason(const struct fetch_reply *r, const struct said *s)
{
    static const char *const credit[] = { "insufficient balance", "insufficient_balance", NULL };
    static const char *const content[] = { "sensitive", NULL };
    if (adapter_says(s->message, credit) || adapter_says(s->code, credit))
        return REASON_CREDIT;
    return r->status != 401 && r->status != 429 && adapter_says(s->message, content) ? REASON_CONTENT : REASON_NONE;
}

static void submit_reply(struct fg_ctx *cx, const struct provider_site *site, const struct fetch_reply *r,
                         struct submit_reply *out)
{
    (void)site;
    if (submit_unanswered(r, out)) {
        out->words = adapter_clip(out->words, ADAPTER_WORDS_MAX);
        return;
    }
    struct said s = read_answer(cx, r);
    if (s.ok || (adapter_ok(r) && !s.body)) {
        adapter_accepted(cx, adapter_id(cx, s.body, "task_id"), FG_NONE, out);
        if (out->outcome != SUBMIT_ACCEPTED && s.message.p)
            out->words = adapter_words(cx, r->status, out->reason, s.code, s.message);
    } else if (adapter_i64(s.body, "base_resp.status_code")) {
        adapter_submit_coded(cx, r, s.end, s.code, s.message, out);
    } else {
        adapter_submit_failed(cx, r, door_reason(r, &s), s.code, s.message, out);
    }
}

static void nonsense(struct poll_reply *out, struct fg_str why)
{
    *out = adapter_no_news();
    out->reason = REASON_NONSENSE;
    out->words = why;
}

static void gone(struct poll_reply *out, struct fg_str why)
{
    *out = adapter_no_news();
    out->understood = true;
    out->state = REMOTE_GONE;
    out->words = why;
}

static void poll_failed(struct fg_ctx *cx, const struct fetch_reply *r, const struct said *s,
                        struct poll_reply *out)
{
    static const char *const forgotten[] = { "invalid task_id", NULL };
    adapter_poll_failed(cx, r, s->end ? s->end->reason : door_reason(r, s), s->code, s->message, out);
    if (r->end == FETCH_ANSWERED && r->status < 500 && adapter_says(s->message, forgotten))
        gone(out, out->words);
    else if (adapter_ok(r) && !s->body)
        out->reason = REASON_NONSENSE;
}

/* Of a task that failed: what a code says of the moment (busy, …) is not why. */
static enum remote_reason failure(const struct coded_end *end)
{
    return end && end->outcome == SUBMIT_REFUSED ? end->reason : REASON_FAILED;
}

static bool about_content(const struct coded_end *end)
{
    return end && (end->reason == REASON_CONTENT || end->reason == REASON_CONTENT_OUT);
}

static void authorize(struct fg_ctx *cx, const struct provider_site *site, struct fetch_call *out)
{
    adapter_authorization(cx, "Bearer", site->key, out);
}

/* ---- callbacks ---- */

/* What is echoed was chosen by whoever found the URL: short, plain, and as JSON. */
static enum fg_code answer_challenge(struct fg_ctx *cx, struct fg_str challenge, struct callback_note *out)
{
    struct sb answer = sb_in(cx->mem, CHALLENGE_MAX * 2 + 32);
    struct jw w = jw_on(&answer);
    bool plain = challenge.n > 0 && challenge.n <= CHALLENGE_MAX;
    for (size_t i = 0; plain && i < challenge.n; i++)
        plain = challenge.p[i] >= ' ' && challenge.p[i] <= '~';
    if (!plain)
        return fg_fail(cx, FG_INVALID_REQUEST, "The challenge is not a short line of ASCII");
    jw_open(&w, NULL);
    jw_str(&w, "challenge", challenge);
    jw_close(&w);
    *out = (struct callback_note){ .answer = sb_str(&answer), .news = adapter_no_news() };
    return FG_OK;
}

typedef void read_fn(struct fg_ctx *cx, const struct js *body, struct poll_reply *out);

static enum fg_code read_callback(struct fg_ctx *cx, struct fg_str body, read_fn *read, struct callback_note *out)
{
    const struct js *event;
    struct fg_str challenge;
    enum fg_code rc = js_parse(cx, body, &event);
    if (rc != FG_OK)
        return rc;
    if (js_get(event, "challenge")) {
        if (!js_str(js_get(event, "challenge"), &challenge))
            return fg_fail(cx, FG_INVALID_REQUEST, "The challenge is no text");
        return answer_challenge(cx, challenge, out);
    }
    static const char *const places[] = { "task_id", "task.id", "id" };
    struct fg_str id = FG_NONE;
    for (size_t i = 0; i < FG_LEN(places) && !id.p; i++)
        id = adapter_id(cx, event, places[i]);
    if (!adapter_id_ok(id))
        return fg_fail(cx, FG_INVALID_REQUEST, "The event names no task");
    *out = (struct callback_note){ .remote_id = arena_str(cx->mem, id) };
    read(cx, event, &out->news);
    if (out->news.again) /* it takes a question */
        out->news = adapter_no_news();
    return FG_OK;
}

/* ---- v1 ---- */

static enum fg_code v1_submit_call(struct fg_ctx *cx, const struct provider_site *site,
                                   const struct gen_spec *spec, struct fetch_call *out)
{
    struct sb body = sb_in(cx->mem, ADAPTER_BODY_MAX);
    struct jw w = jw_on(&body);
    jw_open(&w, NULL);
    jw_str(&w, "model", spec->model);
    jw_str(&w, "prompt", spec->prompt);
    if (spec->image_url.p)
        jw_str(&w, "first_frame_image", spec->image_url);
    jw_i64(&w, "duration", spec->duration_s);
    if (spec->resolution.p)
        jw_str(&w, "resolution", adapter_value(cx, spec, PARAM_RESOLUTION));
    adapter_write_fixed(&w, spec);
    if (spec->callback_url.p)
        jw_str(&w, "callback_url", spec->callback_url);
    jw_close(&w);
    return adapter_submit(cx, &provider_minimax, site, "/v1/video_generation", FG_NONE, &body, out);
}

static enum fg_code v1_poll_call(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                                 int step, struct fg_str note, struct fetch_call *out)
{
    if (step >= STEP_FILE)
        return adapter_call_on(cx, &provider_minimax, site, "GET", "/v1/files/retrieve?file_id=", note, out);
    return adapter_call_on(cx, &provider_minimax, site, "GET", "/v1/query/video_generation?task_id=", ref->id, out);
}

/* Its state; done is only where the file has to be asked for. */
static void v1_read(struct fg_ctx *cx, const struct js *body, struct poll_reply *out)
{
    struct said s = read_body(cx, body);
    struct fg_str word = adapter_text(body, "status"), file = adapter_id(cx, body, "file_id");
    *out = adapter_no_news();
    if (!word.n && !about_content(s.end)) {
        nonsense(out, FG_LIT("an answer without a status"));
        return;
    }
    if (word.n)
        adapter_state(cx, out, word, words);
    if (out->state == REMOTE_FAILED || about_content(s.end))
        adapter_failed(cx, out, failure(s.end), s.code, s.message);
    if (out->state != REMOTE_DONE)
        return;
    if (!adapter_id_ok(file)) {
        adapter_failed(cx, out, REASON_NONSENSE, FG_NONE, FG_LIT("done, but without a file"));
        return;
    }
    *out = adapter_no_news();
    out->again = true;
    out->note = arena_str(cx->mem, file);
}

static void v1_read_file(struct fg_ctx *cx, const struct fetch_reply *r, const struct said *s,
                         struct poll_reply *out)
{
    struct fg_str url = adapter_text(s->body, "file.download_url");
    *out = adapter_no_news();
    if (s->ok && url.n)
        adapter_done(cx, out, url, KEY_NEVER);
    else if (s->ok || (s->end && s->end->code == CODE_INVALID))
        gone(out, FG_LIT("succeeded, but its file is not to be had"));
    else
        poll_failed(cx, r, s, out);
}

static void v1_poll_reply(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                          int step, struct fg_str note, const struct fetch_reply *r, struct poll_reply *out)
{
    struct said s = read_answer(cx, r);
    struct fg_str id = adapter_id(cx, s.body, "task_id");
    bool told = adapter_text(s.body, "status").n > 0; /* a task that failed has a code in base_resp, perhaps */
    (void)site, (void)note;
    if (step >= STEP_FILE)
        v1_read_file(cx, r, &s, out);
    else if (!s.ok && !(adapter_ok(r) && s.body && (told || about_content(s.end))))
        poll_failed(cx, r, &s, out);
    else if (id.n && !fg_eq(id, ref->id))
        nonsense(out, FG_LIT("an answer about something else"));
    else
        v1_read(cx, s.body, out);
}

static enum fg_code v1_callback_read(struct fg_ctx *cx, const struct callback_headers *h, struct fg_str body,
                                     struct callback_note *out)
{
    (void)h;
    return read_callback(cx, body, v1_read, out);
}

const struct provider provider_minimax = {
    .name = "minimax",
    .verify = VERIFY_NONE,
    .image_by = IMAGE_BY_URL,
    .authorize = authorize,
    .submit_call = v1_submit_call,
    .submit_reply = submit_reply,
    .poll_call = v1_poll_call,
    .poll_reply = v1_poll_reply,
    .callback_read = v1_callback_read,
};

/* ---- v2 ---- */

static void write_content(struct jw *w, const struct gen_spec *spec)
{
    jw_open_array(w, "content");
    jw_open(w, NULL);
    jw_str(w, "type", FG_LIT("text"));
    jw_str(w, "text", spec->prompt);
    jw_close(w);
    if (spec->image_url.p) {
        jw_open(w, NULL);
        jw_str(w, "type", FG_LIT("image_url"));
        jw_open(w, "image_url");
        jw_str(w, "url", spec->image_url);
        jw_close(w);
        jw_str(w, "role", FG_LIT("first_frame"));
        jw_close(w);
    }
    jw_close_array(w);
}

static enum fg_code v2_submit_call(struct fg_ctx *cx, const struct provider_site *site,
                                   const struct gen_spec *spec, struct fetch_call *out)
{
    struct sb body = sb_in(cx->mem, ADAPTER_BODY_MAX);
    struct jw w = jw_on(&body);
    struct fg_str ratio = adapter_value(cx, spec, PARAM_RATIO);
    if (!spec->image_url.p && (!ratio.n || FG_IS(ratio, "adaptive")))
        return fg_fail(cx, FG_INVALID_REQUEST, "MiniMax wants an aspect ratio where no picture decides it");
    jw_open(&w, NULL);
    jw_str(&w, "model", spec->model);
    write_content(&w, spec);
    if (spec->resolution.p)
        jw_str(&w, "resolution", adapter_value(cx, spec, PARAM_RESOLUTION));
    jw_i64(&w, "duration", spec->duration_s);
    if (!spec->image_url.p)
        jw_str(&w, "ratio", ratio);
    adapter_write_fixed(&w, spec);
    if (spec->callback_url.p)
        jw_str(&w, "callback_url", spec->callback_url);
    jw_close(&w);
    return adapter_submit(cx, &provider_minimax_v2, site, "/v2/video_generation", FG_NONE, &body, out);
}

static enum fg_code v2_poll_call(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                                 int step, struct fg_str note, struct fetch_call *out)
{
    (void)step, (void)note;
    return adapter_call_on(cx, &provider_minimax_v2, site, "GET", "/v2/query/video_generation/", ref->id, out);
}

/* Its numbers are texts here; one that is none, or unknown, says nothing. */
static const struct coded_end *task_error(struct fg_str code)
{
    int64_t n;
    return scan_all_i64(code, 1, INT64_MAX, &n) ? adapter_coded(n, codes) : NULL;
}

/* A query has the task below "task"; of callbacks it is not known whether they do. */
static void v2_read(struct fg_ctx *cx, const struct js *body, struct poll_reply *out)
{
    const struct js *inner = js_get(body, "task"), *task = js_type(inner) == JS_OBJECT ? inner : body;
    struct fg_str word = adapter_text(task, "status");
    if (!word.n) {
        nonsense(out, FG_LIT("an answer without a status"));
        return;
    }
    *out = adapter_no_news();
    adapter_state(cx, out, word, words);
    if (out->state == REMOTE_FAILED) {
        struct fg_str code = adapter_id(cx, task, "error.code");
        bool stopped = fg_eq_nocase(word, FG_LIT("cancelled"));
        adapter_failed(cx, out, stopped ? REASON_CANCELED : failure(task_error(code)), code,
                       adapter_text(task, "error.message"));
    }
    if (out->state == REMOTE_DONE)
        adapter_done(cx, out, adapter_text(task, "content.url"), KEY_NEVER);
}

static void v2_poll_reply(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                          int step, struct fg_str note, const struct fetch_reply *r, struct poll_reply *out)
{
    struct said s = read_answer(cx, r);
    struct fg_str id = adapter_id(cx, s.body, "task.id");
    (void)site, (void)step, (void)note;
    if (!s.ok)
        poll_failed(cx, r, &s, out);
    else if (id.n && !fg_eq(id, ref->id))
        nonsense(out, FG_LIT("an answer about something else"));
    else
        v2_read(cx, s.body, out);
}

/* The same call deletes a job that has ended meanwhile; the answer to a second one would tell of the first. */
static enum fg_code v2_cancel_call(struct fg_ctx *cx, const struct provider_site *site,
                                   const struct remote_ref *ref, enum remote_state seen, struct fetch_call *out)
{
    (void)seen;
    enum fg_code rc = adapter_call_on(cx, &provider_minimax_v2, site, "DELETE", "/v2/video_generation/", ref->id, out);
    if (rc == FG_OK)
        out->once = true;
    return rc;
}

/* It names what it did: "cancelled" or "deleted", or the same as verbs. The member's name is not documented. */
static enum cancel_outcome what_it_did(const struct js *body)
{
    struct fg_str key, word;
    const struct js *v;
    for (size_t it = 0; js_next(body, &it, &key, &v);) {
        if (!js_str(v, &word))
            continue;
        if (fg_eq_nocase(word, FG_LIT("cancelled")) || fg_eq_nocase(word, FG_LIT("cancel")))
            return CANCEL_DONE;
        if (fg_eq_nocase(word, FG_LIT("deleted")) || fg_eq_nocase(word, FG_LIT("delete")))
            return CANCEL_DELETED;
    }
    return CANCEL_ASKED;
}

static enum cancel_outcome v2_cancel_reply(struct fg_ctx *cx, const struct fetch_reply *r)
{
    static const int too_late[] = { 400, 404, 409, 410, 422 }; /* running, or canceled already */
    struct said s = read_answer(cx, r);
    if (adapter_ok(r))
        return s.end ? CANCEL_UNKNOWN : what_it_did(s.body);
    for (size_t i = 0; r->end == FETCH_ANSWERED && i < FG_LEN(too_late); i++)
        if (r->status == too_late[i])
            return CANCEL_TOO_LATE;
    return CANCEL_UNKNOWN;
}

static enum fg_code v2_list_call(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                                 struct fetch_call *out)
{
    struct fg_str path = arena_fmt(cx->mem, "/v2/query/video_generation?page_num=%d&page_size=%d",
                                   ask->page + 1, LIST_PAGE);
    return adapter_call_on(cx, &provider_minimax_v2, site, "GET", path.p, FG_NONE, out);
}

static const struct js *rows_of(const struct js *body)
{
    static const char *const places[] = { "items", "tasks", "data" }; /* not documented */
    const struct js *rows = NULL;
    for (size_t i = 0; i < FG_LEN(places) && js_type(rows) != JS_ARRAY; i++)
        rows = js_get(body, places[i]);
    return rows;
}

/* The last seven days, without prompts. Neither order nor completeness are documented: what is not in it proves
 * nothing. */
static void v2_list_reply(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                          const struct fetch_reply *r, struct list_reply *out)
{
    struct said s = read_answer(cx, r);
    const struct js *rows = rows_of(s.body);
    (void)site;
    *out = (struct list_reply){ .understood = s.ok && js_type(rows) == JS_ARRAY };
    if (!out->understood)
        return;
    size_t n = js_len(rows);
    out->row = arena_array(cx->mem, struct remote_row, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct js *task = js_at(rows, i);
        struct remote_row row = { .id = adapter_id(cx, task, "id"),
                                  .created_us = adapter_unix(task, "created_at", 1),
                                  .model = adapter_text(task, "model"),
                                  .duration_s = adapter_i64(task, "duration") };
        if (adapter_id_ok(row.id))
            out->row[out->n++] = row;
    }
    out->more = n >= LIST_PAGE && !adapter_past_window(out, ask->since_us);
    out->cursor = out->more ? arena_fmt(cx->mem, "%d", ask->page + 2) : FG_NONE;
}

static enum fg_code v2_callback_read(struct fg_ctx *cx, const struct callback_headers *h, struct fg_str body,
                                     struct callback_note *out)
{
    (void)h;
    return read_callback(cx, body, v2_read, out);
}

const struct provider provider_minimax_v2 = {
    .name = "minimax_v2",
    .verify = VERIFY_NONE,
    .image_by = IMAGE_BY_URL,
    .cancel_when = CANCEL_WHEN_QUEUED,
    .cancel_deletes = true,
    .authorize = authorize,
    .submit_call = v2_submit_call,
    .submit_reply = submit_reply,
    .poll_call = v2_poll_call,
    .poll_reply = v2_poll_reply,
    .cancel_call = v2_cancel_call,
    .cancel_reply = v2_cancel_reply,
    .list_call = v2_list_call,
    .list_reply = v2_list_reply,
    .callback_read = v2_callback_read,
};
