/* Kling, both of its surfaces: the new one (the model in the path; whole API keys alone) and the old one (/v1/videos,
 * the model in the body; whole keys, or pairs that sign a token). Errors and states are the same, names are not. It is
 * the one service that refuses a second submit with our reference, and finds a job by it. */
#include "provider/adapter.h"

#include "base/arena.h"

#define TOKEN_LIFE_S 1800
#define TOKEN_SKEW_S 5
#define OUTPUT_LIFE_US (INT64_C(30) * 86400 * FG_US_PER_S)
#define LIST_PAGE PROVIDER_ROWS_MAX
#define CODE_INVALID 1201 /* also: our reference is taken */
#define CODE_NOT_THERE 1203

static const struct coded_end codes[] = {
    { 1000, 401, SUBMIT_REFUSED, REASON_AUTH },    { 1001, 401, SUBMIT_REFUSED, REASON_AUTH },
    { 1002, 401, SUBMIT_REFUSED, REASON_AUTH },
    /* Not yet valid, expired: every call has a fresh token, so it is the clock. */
    { 1003, 401, SUBMIT_REFUSED, REASON_AUTH },    { 1004, 401, SUBMIT_REFUSED, REASON_AUTH },
    { 1100, 429, SUBMIT_REFUSED, REASON_CREDIT },  { 1101, 429, SUBMIT_REFUSED, REASON_CREDIT },
    { 1102, 429, SUBMIT_REFUSED, REASON_CREDIT },
    /* This model or endpoint is not open to us; others may be. */
    { 1103, 403, SUBMIT_REFUSED, REASON_REFUSED },
    { 1200, 400, SUBMIT_REFUSED, REASON_REFUSED }, { CODE_INVALID, 400, SUBMIT_REFUSED, REASON_REFUSED },
    { 1202, 404, SUBMIT_REFUSED, REASON_REFUSED }, { CODE_NOT_THERE, 404, SUBMIT_REFUSED, REASON_REFUSED },
    { 1300, 400, SUBMIT_REFUSED, REASON_CONTENT }, { 1301, 400, SUBMIT_REFUSED, REASON_CONTENT },
    { 1302, 429, SUBMIT_NOT_SENT, REASON_BUSY },   { 1303, 429, SUBMIT_NOT_SENT, REASON_BUSY },
    { 1304, 429, SUBMIT_REFUSED, REASON_AUTH },    { 5000, 500, SUBMIT_UNKNOWN, REASON_FAILED },
    { 5001, 503, SUBMIT_NOT_SENT, REASON_BUSY },   { 5002, 504, SUBMIT_UNKNOWN, REASON_FAILED },
    { 0, 0, SUBMIT_UNKNOWN, REASON_NONE },
};

static const struct word_state words[] = {
    { "submitted", REMOTE_QUEUED }, { "processing", REMOTE_RUNNING }, { "succeeded", REMOTE_DONE },
    { "succeed", REMOTE_DONE },     { "failed", REMOTE_FAILED },      { NULL, REMOTE_RUNNING },
};

/* What each surface calls the parts of a task. */
struct names {
    const char *id, *status, *message, *created, *updated, *ref, *outputs;
};
static const struct names new_names = {
    "id", "status", "message", "create_time", "update_time", "external_id", "outputs",
};
static const struct names old_names = {
    "task_id", "task_status", "task_status_msg", "created_at", "updated_at", "task_info.external_task_id",
    "task_result.videos",
};

/* The two tables of the old surface; which of them has a task, only the submit's request says. */
static const char *const kinds[] = { "text2video", "image2video" };
static const char *const kind_path[] = { "/v1/videos/text2video", "/v1/videos/image2video" };

/* ---- answers ---- */

struct said {
    bool ok;                     /* 2xx and code 0 */
    bool coded;                  /* it has a code at all */
    const struct js *data;
    const struct coded_end *end; /* NULL: an unknown code, or none */
    struct fg_str code, message;
};

static struct said read_answer(struct fg_ctx *cx, const struct fetch_reply *r)
{
    const struct js *body = adapter_json(cx, r);
    int64_t code = 0;
    struct said s = { .data = js_get(body, "data"), .message = adapter_text(body, "message") };
    s.coded = js_i64(js_get(body, "code"), &code);
    s.ok = adapter_ok(r) && s.coded && code == 0;
    s.end = s.ok ? NULL : adapter_coded(code, codes);
    s.code = code ? adapter_id(cx, body, "code") : FG_NONE;
    return s;
}

static void submit_read(struct fg_ctx *cx, const struct fetch_reply *r, const struct names *names,
                        struct submit_reply *out)
{
    static const char *const taken[] = { "already exist", "duplicate", NULL };
    if (submit_unanswered(r, out)) {
        out->words = adapter_clip(out->words, ADAPTER_WORDS_MAX);
        return;
    }
    struct said s = read_answer(cx, r);
    if (s.ok || (adapter_ok(r) && !s.coded)) {
        adapter_accepted(cx, s.ok ? adapter_id(cx, s.data, names->id) : FG_NONE, FG_NONE, out);
        return;
    }
    adapter_submit_coded(cx, r, s.end, s.code, s.message, out);
    /* References are of one attempt: the job that has it already is this one. */
    if (out->outcome == SUBMIT_REFUSED && s.end && s.end->code == CODE_INVALID &&
        adapter_says(s.message, taken)) {
        out->outcome = SUBMIT_UNKNOWN;
        out->reason = REASON_NONE;
    }
}

/* Its own word that there is no such task. */
static bool absent(const struct said *s)
{
    return s->end && s->end->code == CODE_NOT_THERE;
}

static bool not_there(const struct fetch_reply *r, const struct said *s)
{
    return absent(s) || (r->end == FETCH_ANSWERED && (r->status == 404 || r->status == 410));
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
    adapter_poll_failed(cx, r, s->end ? s->end->reason : REASON_NONE, s->code, s->message, out);
    if (not_there(r, s))
        gone(out, out->words);
    else if (adapter_ok(r) && !s->coded)
        out->reason = REASON_NONSENSE;
}

static struct fg_str video_of(const struct js *outputs)
{
    for (size_t i = 0; i < js_len(outputs); i++) {
        const struct js *output = js_at(outputs, i);
        struct fg_str type = adapter_text(output, "type"), url = adapter_text(output, "url");
        if (url.n && (!type.p || FG_IS(type, "video")))
            return url;
    }
    return FG_NONE;
}

static void read_task(struct fg_ctx *cx, const struct js *task, const struct names *names, struct poll_reply *out)
{
    static const char *const content[] = { "risk control", NULL };
    struct fg_str word = adapter_text(task, names->status), message = adapter_text(task, names->message);
    if (!word.p) {
        nonsense(out, FG_LIT("a task without a status"));
        return;
    }
    *out = adapter_no_news();
    adapter_state(cx, out, word, words);
    if (out->state == REMOTE_FAILED)
        adapter_failed(cx, out, adapter_says(message, content) ? REASON_CONTENT_OUT : REASON_FAILED, FG_NONE,
                       message);
    if (out->state != REMOTE_DONE)
        return;
    int64_t updated_us = adapter_unix(task, names->updated, 1000);
    if (updated_us && updated_us < cx->now_us - OUTPUT_LIFE_US)
        gone(out, FG_LIT("succeeded, but its file is no longer kept"));
    else
        adapter_done(cx, out, video_of(adapter_at(task, names->outputs)), KEY_NEVER);
}

static struct remote_row read_row(struct fg_ctx *cx, const struct js *task, const struct names *names)
{
    return (struct remote_row){
        .id = adapter_id(cx, task, names->id),
        .created_us = adapter_unix(task, names->created, 1000),
        .client_ref = adapter_text(task, names->ref),
    };
}

static enum fg_code read_callback(struct fg_ctx *cx, const struct callback_headers *h, struct fg_str body,
                                  const struct names *names, struct callback_note *out)
{
    const struct js *task;
    enum fg_code rc = js_parse(cx, body, &task);
    if (rc != FG_OK)
        return rc;
    struct fg_str id = adapter_id(cx, task, names->id);
    if (!adapter_id_ok(id))
        return fg_fail(cx, FG_INVALID_REQUEST, "The event names no task");
    *out = (struct callback_note){
        .event_id = h->webhook_id.n ? arena_str(cx->mem, h->webhook_id) : FG_NONE,
        .remote_id = arena_str(cx->mem, id),
    };
    read_task(cx, task, names, &out->news);
    return FG_OK;
}

static void write_audio(struct fg_ctx *cx, struct jw *w, const struct gen_spec *spec, const char *key,
                        struct fg_str on)
{
    struct fg_str v = adapter_value(cx, spec, PARAM_AUDIO);
    if (v.p)
        jw_str(w, key, FG_IS(v, "true") ? on : FG_IS(v, "false") ? FG_LIT("off") : v);
}

/* ---- the new surface ---- */

static void authorize(struct fg_ctx *cx, const struct provider_site *site, struct fetch_call *out)
{
    adapter_authorization(cx, "Bearer", site->key, out);
}

static void write_content(struct jw *w, const char *type, const char *key, struct fg_str v)
{
    jw_open(w, NULL);
    jw_str(w, "type", fg_str_c(type));
    jw_str(w, key, v);
    jw_close(w);
}

static void write_settings(struct fg_ctx *cx, struct jw *w, const struct gen_spec *spec)
{
    jw_open(w, "settings");
    if (spec->resolution.p)
        jw_str(w, "resolution", adapter_value(cx, spec, PARAM_RESOLUTION));
    if (spec->aspect_ratio.p && !spec->image_url.p) /* else the picture decides */
        jw_str(w, "aspect_ratio", adapter_value(cx, spec, PARAM_RATIO));
    jw_i64(w, "duration", spec->duration_s);
    write_audio(cx, w, spec, "audio", FG_LIT("native"));
    adapter_write_fixed(w, spec);
    jw_close(w);
}

static enum fg_code submit_call(struct fg_ctx *cx, const struct provider_site *site, const struct gen_spec *spec,
                                struct fetch_call *out)
{
    struct sb body = sb_in(cx->mem, ADAPTER_BODY_MAX);
    struct jw w = jw_on(&body);
    if (site->key_secret.n)
        return fg_fail(cx, FG_INVALID_REQUEST, "Kling's new surface takes whole API keys, not pairs of keys");
    jw_open(&w, NULL);
    if (spec->image_url.p) {
        jw_open_array(&w, "contents");
        write_content(&w, "prompt", "text", spec->prompt);
        write_content(&w, "first_frame", "url", spec->image_url);
        jw_close_array(&w);
    } else {
        jw_str(&w, "prompt", spec->prompt);
    }
    write_settings(cx, &w, spec);
    jw_open(&w, "options");
    jw_str(&w, "external_task_id", spec->client_ref);
    if (spec->callback_url.p)
        jw_str(&w, "callback_url", spec->callback_url);
    jw_close(&w);
    jw_close(&w);
    const char *path = spec->image_url.p ? "/image-to-video/" : "/text-to-video/";
    return adapter_submit(cx, &provider_kling, site, path, spec->model, &body, out);
}

static void submit_reply(struct fg_ctx *cx, const struct provider_site *site, const struct fetch_reply *r,
                         struct submit_reply *out)
{
    (void)site;
    submit_read(cx, r, &new_names, out);
}

static enum fg_code poll_call(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                              int step, struct fg_str note, struct fetch_call *out)
{
    (void)step, (void)note;
    return adapter_call_on(cx, &provider_kling, site, "GET", "/tasks?task_ids=", ref->id, out);
}

static void poll_reply(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref, int step,
                       struct fg_str note, const struct fetch_reply *r, struct poll_reply *out)
{
    struct said s = read_answer(cx, r);
    (void)site, (void)step, (void)note;
    if (!s.ok) {
        poll_failed(cx, r, &s, out);
        return;
    }
    for (size_t i = 0; i < js_len(s.data); i++)
        if (fg_eq(adapter_id(cx, js_at(s.data, i), new_names.id), ref->id)) {
            read_task(cx, js_at(s.data, i), &new_names, out);
            return;
        }
    if (js_type(s.data) == JS_ARRAY && js_len(s.data) == 0)
        gone(out, FG_LIT("a task that it does not know"));
    else
        nonsense(out, FG_LIT("an answer about something else"));
}

static enum fg_code window_call(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                                struct fetch_call *out)
{
    struct sb body = sb_in(cx->mem, ADAPTER_BODY_MAX);
    struct jw w = jw_on(&body);
    jw_open(&w, NULL);
    jw_i64(&w, "start_time", ask->since_us / FG_US_PER_MS);
    jw_i64(&w, "end_time", ask->until_us / FG_US_PER_MS + 1);
    jw_str(&w, "cursor", ask->cursor.p ? ask->cursor : FG_LIT(""));
    jw_i64(&w, "limit", LIST_PAGE);
    jw_close(&w);
    enum fg_code rc = adapter_call_on(cx, &provider_kling, site, "POST", "/tasks", FG_NONE, out);
    return rc == FG_OK ? adapter_body(cx, &body, out) : rc;
}

static enum fg_code list_call(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                              struct fetch_call *out)
{
    if (ask->client_ref.p)
        return adapter_call_on(cx, &provider_kling, site, "GET", "/tasks?external_task_ids=", ask->client_ref, out);
    return window_call(cx, site, ask, out);
}

static void list_reply(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                       const struct fetch_reply *r, struct list_reply *out)
{
    struct said s = read_answer(cx, r);
    const struct js *rows = ask->client_ref.p ? s.data : js_get(s.data, "result");
    bool more = false;
    (void)site;
    *out = (struct list_reply){ .understood = s.ok && js_type(rows) == JS_ARRAY };
    if (!out->understood)
        return;
    size_t n = js_len(rows);
    out->row = arena_array(cx->mem, struct remote_row, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct remote_row row = read_row(cx, js_at(rows, i), &new_names);
        bool asked = !ask->client_ref.p || fg_eq(row.client_ref, ask->client_ref);
        if (asked && adapter_id_ok(row.id))
            out->row[out->n++] = row;
    }
    if (ask->client_ref.p) { /* rows, but none with our reference: that was not the question */
        out->understood = n == 0 || out->n > 0;
        out->whole = out->understood;
        return;
    }
    struct fg_str cursor = adapter_text(s.data, "next_cursor");
    (void)js_bool(js_get(s.data, "has_more"), &more);
    out->more = more && cursor.n;
    out->cursor = out->more ? arena_str(cx->mem, cursor) : FG_NONE;
    out->whole = !more || out->more;
}

static enum fg_code callback_read(struct fg_ctx *cx, const struct callback_headers *h, struct fg_str body,
                                  struct callback_note *out)
{
    return read_callback(cx, h, body, &new_names, out);
}

const struct provider provider_kling = {
    .name = "kling",
    .verify = VERIFY_STANDARD_IF_SECRET,
    .image_by = IMAGE_BY_URL,
    .authorize = authorize,
    .submit_call = submit_call,
    .submit_reply = submit_reply,
    .poll_call = poll_call,
    .poll_reply = poll_reply,
    .list_call = list_call,
    .list_reply = list_reply,
    .callback_read = callback_read,
};

/* ---- the old surface ---- */

/* HS256 over {"iss","exp","nbf"}; the secret's bytes as they are. */
static struct fg_str token(struct fg_ctx *cx, struct fg_str access_key, struct fg_str secret)
{
    int64_t now_s = cx->now_us / FG_US_PER_S;
    struct sb payload = sb_in(cx->mem, access_key.n * 6 + 100);
    struct jw w = jw_on(&payload);
    jw_open(&w, NULL);
    jw_str(&w, "iss", access_key);
    jw_i64(&w, "exp", now_s + TOKEN_LIFE_S);
    jw_i64(&w, "nbf", now_s - TOKEN_SKEW_S);
    jw_close(&w);
    return jwt_hs256(cx, secret, sb_str(&payload));
}

static void old_authorize(struct fg_ctx *cx, const struct provider_site *site, struct fetch_call *out)
{
    struct fg_str key = site->key_secret.n ? token(cx, site->key, site->key_secret) : site->key;
    adapter_authorization(cx, "Bearer", key, out);
}

/* A task by its id, or by our reference in its place. */
static enum fg_code old_get(struct fg_ctx *cx, const struct provider_site *site, int kind, struct fg_str id,
                            struct fetch_call *out)
{
    return adapter_call_on(cx, &provider_kling_legacy, site, "GET",
                           arena_fmt(cx->mem, "%s/", kind_path[kind]).p, id, out);
}

static enum fg_code old_submit_call(struct fg_ctx *cx, const struct provider_site *site,
                                    const struct gen_spec *spec, struct fetch_call *out)
{
    bool by_image = spec->image_url.p != NULL;
    struct sb body = sb_in(cx->mem, ADAPTER_BODY_MAX);
    struct jw w = jw_on(&body);
    jw_open(&w, NULL);
    jw_str(&w, "model_name", spec->model);
    jw_str(&w, "prompt", spec->prompt);
    if (spec->negative.p)
        jw_str(&w, "negative_prompt", spec->negative);
    if (by_image)
        jw_str(&w, "image", spec->image_url);
    if (adapter_has(spec, PARAM_RESOLUTION)) /* "std" or "pro": the catalogue says which is what */
        jw_str(&w, "mode", adapter_value(cx, spec, PARAM_RESOLUTION));
    jw_str(&w, "duration", adapter_value(cx, spec, PARAM_DURATION));
    if (spec->aspect_ratio.p && !by_image)
        jw_str(&w, "aspect_ratio", adapter_value(cx, spec, PARAM_RATIO));
    write_audio(cx, &w, spec, "sound", FG_LIT("on"));
    adapter_write_fixed(&w, spec);
    if (spec->callback_url.p)
        jw_str(&w, "callback_url", spec->callback_url);
    jw_str(&w, "external_task_id", spec->client_ref);
    jw_close(&w);
    return adapter_submit(cx, &provider_kling_legacy, site, kind_path[by_image], FG_NONE, &body, out);
}

static void old_submit_reply(struct fg_ctx *cx, const struct provider_site *site, const struct fetch_reply *r,
                             struct submit_reply *out)
{
    (void)site;
    submit_read(cx, r, &old_names, out);
}

/* -1: not kept (a submit's answer does not tell). Then both are asked. */
static int kind_of(const struct remote_ref *ref)
{
    for (int i = 0; i < (int)FG_LEN(kinds); i++)
        if (fg_eq(ref->links, fg_str_c(kinds[i])))
            return i;
    return -1;
}

static enum fg_code old_poll_call(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                                  int step, struct fg_str note, struct fetch_call *out)
{
    int kind = kind_of(ref);
    (void)note;
    return old_get(cx, site, kind >= 0 ? kind : step > 0, ref->id, out);
}

static void old_poll_reply(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                           int step, struct fg_str note, const struct fetch_reply *r, struct poll_reply *out)
{
    struct said s = read_answer(cx, r);
    struct fg_str id = adapter_id(cx, s.data, old_names.id);
    (void)site, (void)note;
    if (not_there(r, &s) && step == 0 && kind_of(ref) < 0) {
        *out = adapter_no_news();
        out->again = true;
    } else if (!s.ok) {
        poll_failed(cx, r, &s, out);
    } else if (!id.p || fg_eq(id, ref->id)) {
        read_task(cx, s.data, &old_names, out);
    } else {
        nonsense(out, FG_LIT("an answer about something else"));
    }
}

/* Page 1 is the other kind. */
static enum fg_code old_list_call(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                                  struct fetch_call *out)
{
    if (!ask->client_ref.n)
        return fg_fail(cx, FG_INVALID_REQUEST, "Kling's old surface finds a job by its reference alone");
    return old_get(cx, site, ask->page > 0, ask->client_ref, out);
}

static void old_list_reply(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                           const struct fetch_reply *r, struct list_reply *out)
{
    struct said s = read_answer(cx, r);
    struct remote_row row = read_row(cx, s.data, &old_names);
    (void)site;
    *out = (struct list_reply){ 0 };
    if (!ask->client_ref.n)
        return;
    if (absent(&s)) {
        out->understood = out->whole = true;
        out->more = ask->page == 0;
        out->cursor = out->more ? fg_str_c(kinds[1]) : FG_NONE;
    } else if (s.ok && adapter_id_ok(row.id) && (!row.client_ref.n || fg_eq(row.client_ref, ask->client_ref))) {
        row.client_ref = ask->client_ref; /* the question itself named it */
        row.links = fg_str_c(kinds[ask->page > 0]);
        out->understood = out->whole = true;
        out->row = arena_array(cx->mem, struct remote_row, 1);
        out->row[out->n++] = row;
    }
}

static enum fg_code old_callback_read(struct fg_ctx *cx, const struct callback_headers *h, struct fg_str body,
                                      struct callback_note *out)
{
    return read_callback(cx, h, body, &old_names, out);
}

const struct provider provider_kling_legacy = {
    .name = "kling_legacy",
    .by_name = PARAM_BIT(PARAM_RESOLUTION),
    .verify = VERIFY_STANDARD_IF_SECRET,
    .image_by = IMAGE_BY_URL,
    .authorize = old_authorize,
    .submit_call = old_submit_call,
    .submit_reply = old_submit_reply,
    .poll_call = old_poll_call,
    .poll_reply = old_poll_reply,
    .list_call = old_list_call,
    .list_reply = old_list_reply,
    .callback_read = old_callback_read,
};
