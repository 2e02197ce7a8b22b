/* /v1/admin/jobs: any account's jobs, for the people who have to explain them. */
#include "base/arena.h"
#include "handlers.h"
#include "base/scan.h"
#include "base/time.h"
#include "io/json.h"
#include "job/dossier.h"
#include "job/search.h"
#include "query.h"

/* ---- search ---- */

static const char *read_string(struct fg_str text, struct fg_str *out)
{
    if (text.n == 0 || text.n > SEARCH_TEXT_MAX)
        return "must have 1 to 200 bytes";
    *out = text;
    return NULL;
}

/* What is compared with names and codes of ours. */
static const char *read_word(struct fg_str text, struct fg_str *out)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] > '~')
            return "must be of printable ASCII";
    return read_string(text, out);
}

static const char *read_q(struct fg_str text, void *into)
{
    return read_string(text, &((struct search_query *)into)->text);
}

static const char *read_account(struct fg_str text, void *into)
{
    return read_string(text, &((struct search_query *)into)->account);
}

static const char *read_user(struct fg_str text, void *into)
{
    return read_string(text, &((struct search_query *)into)->user_id);
}

static const char *read_code(struct fg_str text, void *into)
{
    return read_word(text, &((struct search_query *)into)->error_code);
}

static const char *read_provider(struct fg_str text, void *into)
{
    return read_word(text, &((struct search_query *)into)->provider);
}

static const char *read_model(struct fg_str text, void *into)
{
    return read_word(text, &((struct search_query *)into)->model);
}

static const char *read_cursor(struct fg_str text, void *into)
{
    return read_word(text, &((struct search_query *)into)->cursor);
}

static const char *read_status(struct fg_str text, void *into)
{
    enum job_state state;
    if (!job_state_by_name(text, &state))
        return "is no status of a job";
    ((struct search_query *)into)->state = state;
    return NULL;
}

static const char *read_stage(struct fg_str text, void *into)
{
    for (int s = STAGE_WAITING; s <= STAGE_IN_REVIEW; s++)
        if (fg_eq(text, fg_str_c(job_stage_name((enum job_stage)s)))) {
            ((struct search_query *)into)->stage = s;
            return NULL;
        }
    return "is no stage of a job";
}

static const char *read_after(struct fg_str text, void *into)
{
    return time_parse_iso(text, &((struct search_query *)into)->after_us) ? NULL : "must be a time like 2026-01-31T12:00:00Z";
}

static const char *read_before(struct fg_str text, void *into)
{
    return time_parse_iso(text, &((struct search_query *)into)->before_us) ? NULL : "must be a time like 2026-01-31T12:00:00Z";
}

static const char *read_limit(struct fg_str text, void *into)
{
    int64_t n;
    if (!scan_all_i64(text, 1, SEARCH_LIMIT_MAX, &n))
        return "must be from 1 to 100";
    ((struct search_query *)into)->limit = (int)n;
    return NULL;
}

static const struct query_param search_params[] = {
    { "q", read_q },                { "account", read_account },       { "userId", read_user },
    { "status", read_status },      { "stage", read_stage },           { "errorCode", read_code },
    { "provider", read_provider },  { "model", read_model },           { "createdAfter", read_after },
    { "createdBefore", read_before }, { "cursor", read_cursor },       { "limit", read_limit },
};

static void add_found(struct jw *w, const struct search_row *r, const char *matched)
{
    jw_open(w, NULL);
    jw_str(w, "id", r->public_id);
    jw_str(w, "accountId", r->account);
    jw_str(w, "accountName", r->account_name);
    jw_str(w, "userId", r->user_id);
    jw_str(w, "status", fg_str_c(job_state_name((enum job_state)r->state)));
    jw_str(w, "stage", r->stage ? fg_str_c(job_stage_name((enum job_stage)r->stage)) : FG_NONE);
    jw_str(w, "errorCode", r->error_code);
    jw_str(w, "provider", r->provider);
    jw_str(w, "model", r->model);
    jw_str(w, "providerJobId", r->provider_job_id);
    jw_str(w, "prompt", r->prompt);
    jw_time(w, "createdAt", r->created_us);
    jw_time(w, "updatedAt", r->updated_us);
    jw_time(w, "finishedAt", r->finished_us);
    jw_i64(w, "priceMicro", r->price_micro);
    jw_str(w, "currency", r->currency);
    jw_bool(w, "charged", r->charged);
    jw_str(w, "matched", fg_str_c(matched));
    jw_close(w);
}

enum fg_code admin_jobs(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct search_query q = { .stage = -1, .text = FG_NONE, .account = FG_NONE, .user_id = FG_NONE, .error_code = FG_NONE,
                              .provider = FG_NONE, .model = FG_NONE, .cursor = FG_NONE };
    struct search_found found;
    enum fg_code rc = query_read(cx, req, search_params, FG_LEN(search_params), &q);
    if (rc == FG_OK)
        rc = job_search(cx, app->db, &q, &found);
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_open_array(&w, "data");
    for (size_t i = 0; i < found.n; i++)
        add_found(&w, &found.row[i], found.matched);
    jw_close_array(&w);
    jw_str(&w, "nextCursor", found.next_cursor);
    jw_time(&w, "searchedBackTo", found.searched_to_us);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

/* ---- one job's file ---- */

static const char *read_download(struct fg_str text, void *into)
{
    bool *download = into;
    *download = FG_IS(text, "1");
    return *download ? NULL : "must be 1";
}

static const struct query_param params[] = { { "download", read_download } };

enum fg_code admin_job(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct dossier d;
    bool download = false;
    enum fg_code rc = query_read(cx, req, params, FG_LEN(params), &download);
    if (rc == FG_OK)
        rc = dossier_read(cx, app->db, req->arg[0], &d);
    if (rc == FG_OK)
        rc = dossier_json(cx, &env, &d, &resp->body);
    if (rc != FG_OK)
        return rc;
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    if (download)
        web_header(cx, resp, "Content-Disposition",
                   arena_fmt(cx->mem, "attachment; filename=\"filmgate-%.*s.json\"", FG_P(d.job.public_id)));
    return FG_OK;
}
