/* What support does: to a job, to a provider; and the records of it. */
#include "base/arena.h"
#include "base/id.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "handlers.h"
#include "io/json.h"
#include "job/act.h"
#include "job/overview.h"
#include "job/standing.h"
#include "job/wake.h"
#include "notify/notify.h"
#include "provider/adapter.h"
#include "query.h"

/* ---- bodies ---- */

static struct fg_str actor(struct fg_ctx *cx, const struct web_req *req)
{
    return arena_fmt(cx->mem, "%s, key %lld", req->who.account, (long long)req->who.key_id);
}

static const char *read_accepted(const struct js *v, struct act_order *o)
{
    bool fits = js_type(v) == JS_NULL || (js_str(v, &o->accepted) && adapter_id_ok(o->accepted));
    return fits ? NULL : "It must be the id that the provider gave the video, or null: it was not accepted.";
}

static const char *read_amount(const struct js *v, struct act_order *o)
{
    bool fits = js_i64(v, &o->amount_micro) && o->amount_micro && o->amount_micro <= MONEY_MAX &&
                o->amount_micro >= -MONEY_MAX;
    return fits ? NULL : "It must be a whole number of micro-units, more or less than 0.";
}

static const char *read_reference(const struct js *v, struct act_order *o)
{
    return js_str(v, &o->reference) && ledger_is_reference(o->reference)
               ? NULL
               : "It must have 1 to 64 printable ASCII characters without blanks.";
}

static const char *read_delivery(const struct js *v, struct act_order *o)
{
    return js_str(v, &o->delivery) && id_valid(o->delivery, NOTIFY_DELIVERY_ID) ? NULL : "It must be the id of a delivery.";
}

/* Besides action and reason. */
static const struct member {
    const char *name;
    enum act_kind of;
    bool required;
    const char *(*read)(const struct js *v, struct act_order *o);
} members[] = {
    { "accepted", ACT_RESOLVE, true, read_accepted },
    { "amountMicro", ACT_ADJUST, true, read_amount },
    { "reference", ACT_ADJUST, true, read_reference },
    { "deliveryId", ACT_REDELIVER, false, read_delivery },
};

static const struct member *member(struct fg_str name, enum act_kind kind)
{
    for (size_t i = 0; i < FG_LEN(members); i++)
        if (members[i].of == kind && fg_eq(name, fg_str_c(members[i].name)))
            return &members[i];
    return NULL;
}

static void path_field(struct fg_ctx *cx, struct fg_str name, const char *code, const char *words)
{
    fg_field(cx, arena_fmt(cx->mem, "/%.*s", FG_P(utf8_cut(name, 100))).p, code, "%s", words);
}

static void read_reason(struct fg_ctx *cx, const struct js *body, struct fg_str *reason)
{
    const struct js *v = js_get(body, "reason");
    size_t n = js_str(v, reason) ? utf8_count(utf8_trim(*reason)) : 0;
    if (!v)
        fg_field(cx, "/reason", "required", "It must be given.");
    else if (n < ACTION_REASON_MIN || n > ACTION_REASON_MAX)
        fg_field(cx, "/reason", "length", "It must have %d to %d characters.", ACTION_REASON_MIN, ACTION_REASON_MAX);
    else
        *reason = utf8_trim(*reason);
}

/* Its fields are collected by the caller. */
static enum fg_code read_body(struct fg_ctx *cx, struct fg_str text, const struct js **body)
{
    enum fg_code rc = js_parse(cx, text, body);
    if (rc == FG_OK && js_type(*body) != JS_OBJECT)
        rc = fg_fail(cx, FG_INVALID_REQUEST, "The body must be a JSON object.");
    if (rc == FG_OK)
        fg_fields_clear(cx);
    return rc;
}

static void read_members(struct fg_ctx *cx, const struct js *body, struct act_order *o)
{
    const struct js *v;
    struct fg_str name;
    for (size_t it = 0; js_next(body, &it, &name, &v);) {
        const struct member *m = member(name, o->kind);
        const char *wrong = m ? m->read(v, o) : NULL;
        if (wrong)
            path_field(cx, name, "value", wrong);
        else if (!m && !FG_IS(name, "action") && !FG_IS(name, "reason"))
            path_field(cx, name, "unknown", "There is no such field of this action.");
    }
    for (size_t i = 0; i < FG_LEN(members); i++)
        if (members[i].of == o->kind && members[i].required && !js_get(body, members[i].name))
            path_field(cx, fg_str_c(members[i].name), "required", "It must be given.");
}

static enum fg_code read_order(struct fg_ctx *cx, struct fg_str text, struct act_order *o)
{
    const struct js *body;
    struct fg_str word = FG_NONE;
    enum fg_code rc = read_body(cx, text, &body);
    if (rc != FG_OK)
        return rc;
    if (js_str(js_get(body, "action"), &word) && act_by_name(word, &o->kind))
        read_members(cx, body, o);
    else
        fg_field(cx, "/action", js_get(body, "action") ? "value" : "required",
                 "It must be cancel, ask, resolve, retry, adjust, redeliver, erase, hold or release.");
    read_reason(cx, body, &o->reason);
    return fg_fields_check(cx);
}

/* ---- a job ---- */

static void add_action(struct jw *w, const char *key, const struct action_row *a)
{
    jw_open(w, key);
    action_json(w, a);
    jw_close(w);
}

enum fg_code admin_job_act(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct act_order o = { .job = req->arg[0], .actor = actor(cx, req) };
    struct act_done done;
    enum fg_code rc = read_order(cx, req->body, &o);
    if (rc == FG_OK)
        rc = act_run(cx, &env, &o, &done);
    if (rc != FG_OK)
        return rc;
    struct sb job = sb_in(cx->mem, JOB_BODY_MAX);
    job_json(cx, &env, &done.job, &job);
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_str(&w, "outcome", ACTION_DONE);
    jw_raw(&w, "job", sb_str(&job));
    add_action(&w, "action", &done.record);
    if (o.kind == ACT_RETRY)
        jw_str(&w, "retried", done.retried);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return job.bad ? fg_fail(cx, FG_INTERNAL, "A job's JSON does not fit") : FG_OK;
}

/* ---- a provider ---- */

static enum fg_code read_turn(struct fg_ctx *cx, struct fg_str text, enum standing_turn *turn, struct fg_str *reason)
{
    const struct js *body, *v;
    struct fg_str name, word = FG_NONE;
    enum fg_code rc = read_body(cx, text, &body);
    if (rc != FG_OK)
        return rc;
    for (size_t it = 0; js_next(body, &it, &name, &v);)
        if (!FG_IS(name, "action") && !FG_IS(name, "reason"))
            path_field(cx, name, "unknown", "There is no such field.");
    if (!js_str(js_get(body, "action"), &word) || !standing_turn_by_name(word, turn))
        fg_field(cx, "/action", js_get(body, "action") ? "value" : "required", "It must be pause, resume or close_breaker.");
    read_reason(cx, body, reason);
    return fg_fields_check(cx);
}

enum fg_code admin_provider_act(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct action a = { .actor = actor(cx, req) };
    enum standing_turn turn;
    enum fg_code rc = read_turn(cx, req->body, &turn, &a.reason);
    if (rc == FG_OK)
        rc = standing_turn(cx, app->db, app->catalogue, req->arg[0], turn, &a);
    if (rc != FG_OK)
        return rc;
    wake_send(app->wake_fd, app->conf);
    struct sb provider = sb_in(cx->mem, OVERVIEW_PROVIDER_MAX);
    rc = overview_provider_json(cx, &env, req->arg[0], &provider);
    if (rc != FG_OK || provider.bad)
        return fg_fail(cx, FG_DB_UNSURE, "It was done; how the provider stands now could not be read.");
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_str(&w, "outcome", ACTION_DONE);
    jw_raw(&w, "provider", sb_str(&provider));
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

/* ---- the records ---- */

static const char *read_account(struct fg_str text, void *into)
{
    ((struct action_query *)into)->account = text;
    return id_valid(text, FG_LIT("acct_")) ? NULL : "must be the id of an account";
}

static const char *read_job(struct fg_str text, void *into)
{
    ((struct action_query *)into)->job = text;
    return id_valid(text, FG_LIT("job_")) ? NULL : "must be the id of a job";
}

static const char *read_cursor(struct fg_str text, void *into)
{
    return scan_all_i64(text, 1, INT64_MAX, &((struct action_query *)into)->before_id)
               ? NULL
               : "must be the nextCursor of an answer";
}

static const char *read_limit(struct fg_str text, void *into)
{
    int64_t n;
    if (!scan_all_i64(text, 1, ACTION_LIST_MAX, &n))
        return "must be from 1 to 100";
    ((struct action_query *)into)->limit = (int)n;
    return NULL;
}

static const struct query_param params[] = {
    { "account", read_account }, { "jobId", read_job }, { "cursor", read_cursor }, { "limit", read_limit },
};

enum fg_code admin_actions(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct action_query q = { .limit = ACTION_LIST_DEFAULT };
    struct action_row *row;
    size_t n;
    enum fg_code rc = query_read(cx, req, params, FG_LEN(params), &q);
    if (rc == FG_OK)
        rc = action_list(cx, app->db, &q, &row, &n);
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_open_array(&w, "data");
    for (size_t i = 0; i < n; i++)
        add_action(&w, NULL, &row[i]);
    jw_close_array(&w);
    jw_str(&w, "nextCursor", n == (size_t)q.limit ? arena_fmt(cx->mem, "%lld", (long long)row[n - 1].id) : FG_NONE);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}
