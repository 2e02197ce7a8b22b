/* /v1/admin/reviews: held jobs of every account, and what becomes of them. */
#include "base/arena.h"
#include "base/utf8.h"
#include "handlers.h"
#include "io/json.h"
#include "job/moderation.h"
#include "query.h"

static const char *read_open(struct fg_str text, void *into)
{
    bool *open = into;
    *open = FG_IS(text, "open");
    return *open || FG_IS(text, "decided") ? NULL : "must be open or decided";
}

static const struct query_param list_params[] = { { "status", read_open } };

static void add_review(struct jw *w, const struct review *r)
{
    jw_open(w, NULL);
    jw_str(w, "jobId", r->job);
    jw_str(w, "state", fg_str_c(review_state_name(r->state)));
    jw_str(w, "target", r->target);
    jw_str(w, "checker", r->checker);
    jw_str(w, "category", r->category);
    jw_time(w, "heldAt", r->held_us);
    jw_time(w, "until", r->until_us);
    jw_time(w, "decidedAt", r->decided_us);
    jw_str(w, "decidedBy", r->decided_by);
    jw_str(w, "note", r->note);
    jw_close(w);
}

enum fg_code reviews_list_get(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct review *row;
    size_t n;
    bool open = true;
    enum fg_code rc = query_read(cx, req, list_params, FG_LEN(list_params), &open);
    if (rc == FG_OK)
        rc = reviews_list(cx, app->db, open, &row, &n);
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_open_array(&w, "data");
    for (size_t i = 0; i < n; i++)
        add_review(&w, &row[i]);
    jw_close_array(&w);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

static enum fg_code answer(struct fg_ctx *cx, struct web_app *app, const struct review *r, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return review_json(cx, &env, r, &resp->body);
}

enum fg_code reviews_get(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct review r;
    enum fg_code rc = review_read(cx, app->db, req->arg[0], &r);
    return rc == FG_OK ? answer(cx, app, &r, resp) : rc;
}

struct decision_body {
    bool pass;
    struct fg_str note;
};

static enum fg_code read_decision(struct fg_ctx *cx, struct fg_str text, struct decision_body *out)
{
    const struct js *body, *v;
    struct fg_str name, word = FG_NONE;
    *out = (struct decision_body){ .note = FG_NONE };
    enum fg_code rc = js_parse(cx, text, &body);
    if (rc != FG_OK)
        return rc;
    if (js_type(body) != JS_OBJECT)
        return fg_fail(cx, FG_INVALID_REQUEST, "The body must be a JSON object.");
    fg_fields_clear(cx);
    for (size_t it = 0; js_next(body, &it, &name, &v);) {
        if (FG_IS(name, "decision")) {
            out->pass = js_str(v, &word) && FG_IS(word, "pass");
            if (!out->pass && !FG_IS(word, "block"))
                fg_field(cx, "/decision", "value", "It must be pass or block.");
        } else if (FG_IS(name, "note")) {
            if (!js_str(v, &out->note) || utf8_count(out->note) > REVIEW_NOTE_MAX)
                fg_field(cx, "/note", "length", "It must be a string of at most %d characters.", REVIEW_NOTE_MAX);
        } else {
            fg_field(cx, arena_fmt(cx->mem, "/%.*s", FG_P(utf8_cut(name, 100))).p, "unknown", "There is no such field.");
        }
    }
    if (!js_get(body, "decision"))
        fg_field(cx, "/decision", "required", "It must be given.");
    return fg_fields_check(cx);
}

enum fg_code reviews_decide(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct decision_body d;
    struct review r;
    struct fg_str by = arena_fmt(cx->mem, "%s, key %lld", req->who.account, (long long)req->who.key_id);
    enum fg_code rc = read_decision(cx, req->body, &d);
    if (rc == FG_OK)
        rc = review_decide(cx, &env, req->arg[0], d.pass, by, d.note, &r);
    return rc == FG_OK ? answer(cx, app, &r, resp) : rc;
}
