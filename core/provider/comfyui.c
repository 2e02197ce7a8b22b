/* ComfyUI on a machine of one's own. A job is a workflow: the catalogue has the template, and says which
 * input of which node each parameter is. Our reference is the job's id there, so a lost submit can be looked
 * up exactly. Queue and history are in its memory alone: an id in neither is lost. */
#include "provider/comfyui.h"

#include "base/arena.h"
#include "base/scan.h"

#define UNREAD "unread" /* a note, and a cursor: its queue could not be read */

static const char *const videos[] = { ".mp4", ".webm", ".mov", ".mkv" };
static const char *const out_of_memory[] = { "OutOfMemoryError", NULL };

/* A proxy before it may want one. */
static void authorize(struct fg_ctx *cx, const struct provider_site *site, struct fetch_call *out)
{
    adapter_authorization(cx, "Bearer", site->key, out);
}

/* Python writes NaN and Infinity, which JSON does not have, and a node that always changes puts one into the
 * workflow that is repeated to us. Nobody here reads such a number: 0 stands for it. */
static const struct js *python_json(struct fg_ctx *cx, const struct fetch_reply *r)
{
    static const char *const constants[] = { "NaN", "Infinity" };
    const struct js *v = adapter_json(cx, r);
    if (v || r->end != FETCH_ANSWERED || r->body.n > JSON_TEXT_MAX)
        return v;
    struct fetch_reply again = *r;
    char *p = arena_cstr(cx->mem, r->body);
    bool quoted = false;
    for (size_t i = 0; i < r->body.n; i++) {
        if (quoted && p[i] == '\\')
            i++;
        else if (p[i] == '"')
            quoted = !quoted;
        for (size_t k = 0; !quoted && k < FG_LEN(constants); k++)
            if (fg_starts((struct fg_str){ p + i, r->body.n - i }, fg_str_c(constants[k]))) {
                memset(p + i, ' ', strlen(constants[k]));
                p[i] = '0';
            }
    }
    again.body.p = p;
    return adapter_json(cx, &again);
}

/* ---- submit ---- */

/* It may have called the file otherwise than we did. */
static void upload_reply(struct fg_ctx *cx, const struct fetch_reply *r, struct fg_str *name)
{
    const struct js *body = adapter_ok(r) ? adapter_json(cx, r) : NULL;
    struct fg_str file = adapter_text(body, "name"), folder = adapter_text(body, "subfolder");
    struct fg_str type = adapter_text(body, "type");
    bool taken = file.n && file.n + folder.n < PROVIDER_ID_MAX && (!type.p || FG_IS(type, "input"));
    *name = !taken     ? FG_NONE
            : folder.n ? arena_fmt(cx->mem, "%.*s/%.*s", FG_P(folder), FG_P(file))
                       : arena_str(cx->mem, file);
}

/* "KSampler 3: value_not_in_list, ckpt_name", of the first node that it finds fault with; else of all. */
static struct fg_str fault(struct fg_ctx *cx, const struct js *body)
{
    struct fg_str node, text = adapter_text(body, "error.message");
    const struct js *e;
    size_t it = 0;
    if (js_next(js_get(body, "node_errors"), &it, &node, &e))
        return arena_fmt(cx->mem, "%.*s %.*s: %.*s, %.*s", FG_P(adapter_text(e, "class_type")), FG_P(node),
                         FG_P(adapter_text(e, "errors.0.type")), FG_P(adapter_text(e, "errors.0.details")));
    return text.p ? text : adapter_text(body, "error");
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
    if (!adapter_ok(r)) {
        adapter_submit_failed(cx, r, REASON_NONE, adapter_text(body, "error.type"), fault(cx, body), out);
        return;
    }
    adapter_accepted(cx, adapter_text(body, "prompt_id"), FG_NONE, out);
    /* What it runs now is the workflow without some of its outputs. Which one is wanted is not known here;
     * where the catalogue names it, no other was asked for. */
    const struct js *errors = js_get(body, "node_errors");
    if (out->outcome == SUBMIT_ACCEPTED && js_type(errors) == JS_OBJECT && js_len(errors))
        *out = (struct submit_reply){
            .outcome = SUBMIT_REFUSED,
            .reason = REASON_REFUSED,
            .words = adapter_words(cx, r->status, REASON_REFUSED, FG_LIT("node_errors"), fault(cx, body)),
        };
}

/* ---- where a job is ---- */

/* [number, id, workflow, …] of the queue's lists; NULL: not there. */
static const struct js *queued_as(const struct js *list, struct fg_str id)
{
    for (size_t i = 0; js_at(list, i); i++)
        if (fg_eq(adapter_text(js_at(list, i), "1"), id))
            return js_at(list, i);
    return NULL;
}

/* Other clients may give numbers with a fraction. */
static int64_t number_of(const struct js *entry)
{
    struct fg_str text;
    uint64_t n;
    if (!js_number_text(js_at(entry, 0), &text))
        return 0;
    bool minus = scan_char(&text, '-');
    if (!scan_u64(&text, INT64_MAX, &n))
        return 0;
    return minus ? -(int64_t)n : (int64_t)n;
}

/* The list is a heap, not in order. */
static int64_t jobs_before(const struct js *pending, const struct js *mine)
{
    int64_t n = 0;
    for (size_t i = 0; js_at(pending, i); i++)
        n += number_of(js_at(pending, i)) < number_of(mine);
    return n;
}

struct queue {
    const struct js *running, *pending;
};

/* False when it cannot be read: whole workflows of strangers are in it, so it may well be too large. */
static bool queue_read(struct fg_ctx *cx, const struct fetch_reply *r, struct queue *q)
{
    const struct js *body = adapter_ok(r) ? python_json(cx, r) : NULL;
    *q = (struct queue){ js_get(body, "queue_running"), js_get(body, "queue_pending") };
    return js_type(q->running) == JS_ARRAY && js_type(q->pending) == JS_ARRAY;
}

/* Answered, but with more than we read or can read. */
static bool too_much(const struct fetch_reply *r)
{
    return r->end == FETCH_TOO_LARGE || adapter_ok(r);
}

/* The queue first: a job goes from there to the history, so one that ends between the two questions is found
 * by the second. Both twice, before it is called lost. */
static bool asks_history(int step)
{
    return step % 2 == 1;
}

static enum fg_code poll_call(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                              int step, struct fg_str note, struct fetch_call *out)
{
    (void)note;
    return asks_history(step) ? comfyui_call(cx, site, "GET", "/history/", ref->id, out)
                              : comfyui_call(cx, site, "GET", "/queue", FG_NONE, out);
}

static bool ends_with(struct fg_str s, struct fg_str end)
{
    return s.n >= end.n && fg_eq_nocase((struct fg_str){ s.p + s.n - end.n, end.n }, end);
}

/* How much it looks like ours: by the name that it was to have, then by its kind. 0: it is no file to fetch. */
static int fitness(const struct js *file, struct fg_str id)
{
    struct fg_str name = adapter_text(file, "filename");
    int n = 1;
    if (!name.n || FG_IS(adapter_text(file, "type"), "temp"))
        return 0;
    for (size_t i = 0; i < FG_LEN(videos); i++)
        n += ends_with(name, fg_str_c(videos[i]));
    return fg_starts(name, id) ? n + 2 : n;
}

/* Nodes list their files under "images", "gifs", "video"…: every list with file names in it counts. */
static const struct js *best_file(const struct js *outputs, struct fg_str id)
{
    const struct js *node, *list, *best = NULL;
    struct fg_str key;
    int most = 0;
    for (size_t it = 0; js_next(outputs, &it, &key, &node);)
        for (size_t at = 0; js_next(node, &at, &key, &list);)
            for (size_t i = 0; js_at(list, i); i++)
                if (fitness(js_at(list, i), id) > most) {
                    best = js_at(list, i);
                    most = fitness(best, id);
                }
    return best;
}

static struct fg_str file_url(struct fg_ctx *cx, const struct provider_site *site, const struct js *file)
{
    struct fg_str type = adapter_text(file, "type");
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX);
    sb_add(&url, site->base_url);
    sb_add(&url, FG_LIT("/view?filename="));
    sb_add_escaped(&url, adapter_text(file, "filename"));
    sb_add(&url, FG_LIT("&subfolder="));
    sb_add_escaped(&url, adapter_text(file, "subfolder"));
    sb_add(&url, FG_LIT("&type="));
    sb_add_escaped(&url, type.p ? type : FG_LIT("output"));
    return file && !url.bad ? sb_str(&url) : FG_NONE;
}

/* ["execution_error", {…}] of the messages; NULL: none. */
static const struct js *message(const struct js *status, const char *name)
{
    const struct js *list = js_get(status, "messages");
    for (size_t i = 0; js_at(list, i); i++)
        if (fg_eq(adapter_text(js_at(list, i), "0"), fg_str_c(name)))
            return js_at(list, i);
    return NULL;
}

/* The same workflow fails the same way again, but for want of memory. The traceback stays there. */
static void read_error(struct fg_ctx *cx, const struct js *status, struct poll_reply *out)
{
    const struct js *error = js_at(message(status, "execution_error"), 1);
    struct fg_str type = adapter_text(error, "exception_type");
    if (message(status, "execution_interrupted"))
        adapter_failed(cx, out, REASON_CANCELED, FG_LIT("execution_interrupted"), FG_NONE);
    else if (!error || adapter_says(type, out_of_memory))
        adapter_failed(cx, out, REASON_FAILED, type, adapter_text(error, "exception_message"));
    else
        adapter_failed(cx, out, REASON_REFUSED, type, adapter_text(error, "exception_message"));
}

/* An entry without a status counts as completed, as it does in ComfyUI's own code. */
static void read_entry(struct fg_ctx *cx, const struct provider_site *site, struct fg_str id,
                       const struct js *entry, struct poll_reply *out)
{
    const struct js *status = js_get(entry, "status");
    if (FG_IS(adapter_text(status, "status_str"), "error"))
        read_error(cx, status, out);
    else
        adapter_done(cx, out, file_url(cx, site, best_file(js_get(entry, "outputs"), id)),
                     site->key.n ? KEY_ALWAYS : KEY_NEVER);
}

static void ask_on(struct poll_reply *out, struct fg_str note)
{
    out->again = true;
    out->note = note;
}

static void no_news(struct fg_ctx *cx, const struct fetch_reply *r, struct poll_reply *out)
{
    adapter_poll_failed(cx, r, REASON_NONE, FG_NONE, FG_NONE, out);
    if (out->understood) { /* 404: of a job that it does not know it would say {} */
        out->understood = false;
        out->reason = REASON_NONSENSE;
    }
}

static void read_queue(struct fg_ctx *cx, const struct fetch_reply *r, struct fg_str id, struct poll_reply *out)
{
    struct queue q;
    if (!queue_read(cx, r, &q)) {
        if (too_much(r))
            ask_on(out, FG_LIT(UNREAD));
        else
            no_news(cx, r, out);
        return;
    }
    const struct js *mine = queued_as(q.pending, id);
    out->understood = mine || queued_as(q.running, id);
    out->state = mine ? REMOTE_QUEUED : REMOTE_RUNNING;
    if (mine)
        out->queue_position = jobs_before(q.pending, mine);
    if (!out->understood)
        ask_on(out, FG_NONE);
}

static void poll_reply(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref, int step,
                       struct fg_str note, const struct fetch_reply *r, struct poll_reply *out)
{
    *out = adapter_no_news();
    if (!asks_history(step)) {
        read_queue(cx, r, ref->id, out);
        return;
    }
    const struct js *body = adapter_ok(r) ? python_json(cx, r) : NULL;
    const struct js *entry = js_get(body, arena_cstr(cx->mem, ref->id));
    if (!adapter_ok(r)) {
        no_news(cx, r, out);
    } else if (js_type(body) != JS_OBJECT || (entry && js_type(entry) != JS_OBJECT)) {
        out->reason = REASON_NONSENSE;
        out->words = FG_LIT("an answer that is no history");
    } else if (entry) {
        read_entry(cx, site, ref->id, entry, out);
    } else if (FG_IS(note, UNREAD)) {
        out->reason = REASON_FAILED;
        out->words = FG_LIT("not in its history, and its queue cannot be read");
    } else if (step + 1 < PROVIDER_STEPS_MAX) {
        ask_on(out, FG_NONE);
    } else {
        out->understood = true;
        out->state = REMOTE_GONE;
    }
}

/* ---- cancel ---- */

/* An old one stops whatever runs, whoever's that is: only for a job just seen running, and never twice. */
static enum fg_code cancel_call(struct fg_ctx *cx, const struct provider_site *site, const struct remote_ref *ref,
                                enum remote_state seen, struct fetch_call *out)
{
    bool running = seen == REMOTE_RUNNING;
    struct sb body = sb_in(cx->mem, ADAPTER_BODY_MAX);
    struct jw w = jw_on(&body);
    jw_open(&w, NULL);
    if (running) {
        jw_str(&w, "prompt_id", ref->id);
    } else {
        jw_open_array(&w, "delete");
        jw_str(&w, NULL, ref->id);
        jw_close_array(&w);
    }
    jw_close(&w);
    enum fg_code rc = comfyui_call(cx, site, "POST", running ? "/interrupt" : "/queue", FG_NONE, out);
    if (rc == FG_OK)
        rc = adapter_body(cx, &body, out);
    if (rc == FG_OK)
        out->once = running;
    return rc;
}

/* It says 200 whether or not there was such a job. */
static enum cancel_outcome cancel_reply(struct fg_ctx *cx, const struct fetch_reply *r)
{
    (void)cx;
    return adapter_ok(r) ? CANCEL_ASKED : CANCEL_UNKNOWN;
}

/* ---- a lost submit ---- */

/* A look-up, in two pages and in the order of the poll. */
static enum fg_code list_call(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                              struct fetch_call *out)
{
    if (!ask->client_ref.n)
        return fg_fail(cx, FG_INVALID_REQUEST, "ComfyUI can only be asked for one job");
    return ask->page ? comfyui_call(cx, site, "GET", "/history/", ask->client_ref, out)
                     : comfyui_call(cx, site, "GET", "/queue", FG_NONE, out);
}

static void list_reply(struct fg_ctx *cx, const struct provider_site *site, const struct list_ask *ask,
                       const struct fetch_reply *r, struct list_reply *out)
{
    struct queue q;
    bool found, read = !FG_IS(ask->cursor, UNREAD);
    (void)site;
    *out = (struct list_reply){ .row = arena_new_of(cx->mem, struct remote_row) };
    if (ask->page) {
        const struct js *body = adapter_ok(r) ? python_json(cx, r) : NULL;
        out->understood = js_type(body) == JS_OBJECT;
        found = js_get(body, arena_cstr(cx->mem, ask->client_ref)) != NULL;
    } else {
        read = queue_read(cx, r, &q);
        out->understood = read || too_much(r);
        found = queued_as(q.running, ask->client_ref) || queued_as(q.pending, ask->client_ref);
        out->more = out->understood && !found;
        out->cursor = !out->more ? FG_NONE : read ? FG_LIT("read") : FG_LIT(UNREAD);
    }
    if (found)
        out->row[out->n++] = (struct remote_row){ .id = ask->client_ref, .client_ref = ask->client_ref };
    out->whole = out->understood && (found || read);
}

const struct provider provider_comfyui = {
    .name = "comfyui",
    .by_name = PARAMS_ALL,
    .workflow = true,
    .verify = VERIFY_NONE,
    .image_by = IMAGE_BY_UPLOAD,
    .cancel_when = CANCEL_WHEN_QUEUED | CANCEL_WHEN_RUNNING,
    .no_key = true,
    .authorize = authorize,
    .submit_call = comfyui_submit_call,
    .submit_reply = submit_reply,
    .poll_call = poll_call,
    .poll_reply = poll_reply,
    .cancel_call = cancel_call,
    .cancel_reply = cancel_reply,
    .list_call = list_call,
    .list_reply = list_reply,
    .upload_call = comfyui_upload_call,
    .upload_reply = upload_reply,
};
