#include "auth.h"
#include "base/arena.h"
#include "base/scan.h"
#include "base/time.h"
#include "base/utf8.h"
#include "handlers.h"
#include "io/json.h"
#include "media/link.h"
#include "problem.h"
#include "query.h"

static void answer_made(struct fg_ctx *cx, const struct job_answer *made, struct web_resp *resp)
{
    resp->status = made->status;
    sb_add(&resp->body, made->body);
    web_header(cx, resp, "Location", arena_fmt(cx->mem, "/v1/jobs/%.*s", FG_P(made->job_id)));
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    problem_rates(cx, resp, made->limit, made->limit_n);
    if (made->replayed)
        web_header(cx, resp, "Idempotency-Replayed", FG_LIT("true"));
}

enum fg_code jobs_create(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                         struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct job_answer made;
    enum fg_code rc =
        job_create(cx, &env, &req->who, req->body, req->header[WEB_IDEMPOTENCY_KEY], &made);
    if (rc == FG_OK)
        answer_made(cx, &made, resp);
    return rc;
}

enum fg_code jobs_retry(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct job_answer made;
    enum fg_code rc = job_retry(cx, &env, &req->who, req->arg[0], req->header[WEB_IDEMPOTENCY_KEY], &made);
    if (rc == FG_OK)
        answer_made(cx, &made, resp);
    return rc;
}

/* The version alone would keep a client on links that have run out: while there is a file, the
 * expiry that links get now is part of the tag. Made of what job_glance reads, and no more. */
static struct fg_str etag_of(struct fg_ctx *cx, const struct web_app *app, const struct job *j)
{
    int64_t exp_us = 0;
    if (j->state == JOB_SUCCEEDED && !j->deleted_us)
        exp_us = link_expiry_us(cx->now_us, app->conf->media_link_ttl_s * FG_US_PER_S);
    return arena_fmt(cx->mem, "W/\"%d-%llx\"", j->version,
                     (unsigned long long)(exp_us / FG_US_PER_S));
}

static struct fg_str opaque_part(struct fg_str tag)
{
    (void)scan_lit(&tag, FG_LIT("W/"));
    return tag;
}

bool jobs_etag_matches(struct fg_str if_none_match, struct fg_str etag)
{
    struct fg_str tag;
    if (FG_IS(if_none_match, "*"))
        return true;
    etag = opaque_part(etag);
    while (scan_until(&if_none_match, ',', &tag)) {
        while (tag.n && *tag.p == ' ')
            tag = (struct fg_str){ tag.p + 1, tag.n - 1 };
        while (tag.n && tag.p[tag.n - 1] == ' ')
            tag.n--;
        if (fg_eq(opaque_part(tag), etag))
            return true;
    }
    return false;
}

/* Where the account is told of its jobs is not a user's business: such URLs hold secrets. */
static void add_job(struct fg_ctx *cx, const struct job_env *env, const struct web_req *req,
                    struct job_seen s, struct sb *b)
{
    if (req->who.role == ROLE_USER)
        s.job.callback_url = FG_NONE;
    job_seen_json(cx, env, &s, b);
}

enum fg_code jobs_get(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                      struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct fg_str known = req->header[WEB_IF_NONE_MATCH], etag;
    struct job_seen seen;
    enum fg_code rc = FG_OK;
    bool unchanged = false;
    if (known.p) {
        rc = job_glance(cx, &env, &req->who, req->arg[0], &seen.job);
        unchanged = rc == FG_OK && jobs_etag_matches(known, etag_of(cx, app, &seen.job));
    }
    if (rc == FG_OK && !unchanged)
        rc = job_see(cx, &env, &req->who, req->arg[0], &seen);
    if (rc != FG_OK)
        return rc;
    etag = etag_of(cx, app, &seen.job);
    web_header(cx, resp, "ETag", etag);
    web_header(cx, resp, "Cache-Control", FG_LIT("private, no-cache"));
    if (unchanged)
        resp->status = 304;
    else
        add_job(cx, &env, req, seen, &resp->body);
    return FG_OK;
}

static const char *read_limit(struct fg_str text, void *into)
{
    struct job_list_query *q = into;
    uint64_t n;
    if (!scan_all_u64(text, JOB_LIST_MAX, &n) || n == 0)
        return "must be a whole number from 1 to 100";
    q->limit = (int)n;
    return NULL;
}

#define RUNNING_STATES (1U << JOB_PENDING | 1U << JOB_QUEUED | 1U << JOB_PROCESSING)
#define FINISHED_STATES (1U << JOB_SUCCEEDED | 1U << JOB_FAILED | 1U << JOB_EXPIRED)

static unsigned states_of(struct fg_str name)
{
    enum job_state state;
    if (FG_IS(name, "running"))
        return RUNNING_STATES;
    if (FG_IS(name, "finished"))
        return FINISHED_STATES;
    return job_state_by_name(name, &state) ? 1U << state : 0;
}

static const char *read_status(struct fg_str text, void *into)
{
    struct job_list_query *q = into;
    struct fg_str name;
    bool known = text.n > 0;
    while (known && scan_until(&text, ',', &name)) {
        known = states_of(name) != 0;
        q->states |= states_of(name);
    }
    return known ? NULL
                 : "must be running, finished, or some of pending, queued, processing, succeeded, failed and expired, "
                   "with commas between them";
}

static const char *read_words(struct fg_str text, void *into)
{
    struct job_list_query *q = into;
    struct fg_str word;
    bool fits = utf8_count(text) <= JOB_WORDS_CHARS;
    while (fits && scan_until(&text, ' ', &word)) {
        if (word.n && q->word_n == JOB_WORDS_MAX)
            fits = false;
        else if (word.n)
            q->word[q->word_n++] = word;
    }
    return fits && q->word_n ? NULL : "must have 1 to 8 words, and at most 200 characters";
}

static const char *read_changed_since(struct fg_str text, void *into)
{
    struct job_list_query *q = into;
    q->has_changed_since = time_parse_iso(text, &q->changed_since_us);
    return q->has_changed_since ? NULL : "must be a time like 2026-11-22T21:57:26.123Z";
}

static const char *read_cursor(struct fg_str text, void *into)
{
    struct job_list_query *q = into;
    q->cursor = text;
    return text.n ? NULL : "must be the nextCursor of an answer";
}

static const char *read_user_id(struct fg_str text, void *into)
{
    struct job_list_query *q = into;
    q->user_id = text;
    return text.n && utf8_count(text) <= JOB_USER_MAX ? NULL : "must have 1 to 128 characters";
}

static const struct query_param list_params[] = {
    { "limit", read_limit },   { "status", read_status },  { "changedSince", read_changed_since },
    { "cursor", read_cursor }, { "userId", read_user_id }, { "q", read_words },
};

enum fg_code jobs_list(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                       struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct job_list_query q = { .limit = 0 };
    struct job_list list;
    enum fg_code rc = query_read(cx, req, list_params, FG_LEN(list_params), &q);
    if (rc == FG_OK)
        rc = job_list(cx, &env, &req->who, &q, &list);
    if (rc != FG_OK)
        return rc;
    struct sb *b = &resp->body;
    sb_add(b, FG_LIT("{\"data\":["));
    for (size_t i = 0; i < list.n; i++) {
        if (i)
            sb_add_c(b, ',');
        add_job(cx, &env, req, list.row[i], b);
    }
    sb_add(b, FG_LIT("],\"nextCursor\":"));
    if (list.next_cursor.p)
        sb_add_json(b, list.next_cursor);
    else
        sb_add(b, FG_LIT("null"));
    sb_add(b, FG_LIT(",\"changedSince\":"));
    if (list.changed_since_us)
        sb_add_json(b, time_iso_us(cx->mem, list.changed_since_us));
    else
        sb_add(b, FG_LIT("null"));
    if (q.word_n) {
        sb_add(b, FG_LIT(",\"searchedBackTo\":"));
        if (list.searched_us)
            sb_add_json(b, time_iso_us(cx->mem, list.searched_us));
        else
            sb_add(b, FG_LIT("null"));
    }
    sb_add_c(b, '}');
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

enum fg_code jobs_events(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                         struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct job_event_row *rows;
    size_t n;
    enum fg_code rc = job_events(cx, &env, &req->who, req->arg[0], &rows, &n);
    if (rc != FG_OK)
        return rc;
    sb_add(&resp->body, FG_LIT("{\"data\":["));
    for (size_t i = 0; i < n; i++) {
        if (i)
            sb_add_c(&resp->body, ',');
        job_event_json(&rows[i], &resp->body);
    }
    sb_add(&resp->body, FG_LIT("]}"));
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

enum fg_code jobs_cancel(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                         struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct job j;
    enum fg_code rc = job_cancel(cx, &env, &req->who, req->arg[0], &j);
    if (rc != FG_OK)
        return rc;
    add_job(cx, &env, req, (struct job_seen){ .job = j }, &resp->body);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

enum fg_code jobs_erase(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                        struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    resp->status = 204;
    return job_erase(cx, &env, &req->who, req->arg[0]);
}
