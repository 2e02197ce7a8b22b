#include "base/id.h"
#include "job/store.h"

#define ADOPT_TRIES 3

struct adopting {
    const struct remote_row *row;
    struct attempt attempt;
    struct job *job;
    enum adoption outcome;
};

/* What follows the last slash, when it is a token of ours. */
static struct fg_str token_in(struct fg_str url)
{
    size_t n = url.n;
    while (n > 0 && url.p[n - 1] != '/')
        n--;
    struct fg_str last = { url.p ? url.p + n : NULL, url.n - n };
    return id_valid(last, ATTEMPT_TOKEN) ? last : FG_NONE;
}

static enum fg_code find(struct fg_ctx *cx, struct db *db, struct fg_str provider, const struct remote_row *row,
                         struct attempt *out, bool *found)
{
    struct fg_str token = token_in(row->callback_url);
    struct attempt *alike;
    size_t n = 0;
    *found = false;
    if (row->client_ref.n)
        return db_one(cx, db, SQL_ATTEMPT_BY_REF, DB_ARGS(DB(provider), DB(row->client_ref)), attempt_row, out, found);
    if (token.p)
        return db_one(cx, db, SQL_ATTEMPT_BY_TOKEN, DB_ARGS(DB(provider), DB(token)), attempt_row, out, found);
    if (!row->has_seed || !row->prompt.n)
        return FG_OK;
    enum fg_code rc = DB_ALL(cx, db, SQL_ATTEMPT_BY_SEED, DB_ARGS(DB(provider), DB(row->seed), DB(row->prompt)),
                             attempt_row, &alike, &n);
    if (rc == FG_OK && n == 1) {
        *out = alike[0];
        *found = true;
    }
    return rc;
}

/* An audit may look at the same list every day: once is enough. */
static enum fg_code tell_late(struct fg_ctx *cx, struct db *db, struct job *j, struct fg_str remote_id)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    struct fg_str data = event_data(cx, "providerJobId", remote_id);
    int64_t seq;
    bool told;
    enum fg_code rc = db_one(cx, db, SQL_EVENT_LATE, DB_ARGS(DB(j->id), DB(data)), DB_COLS(cols), &seq, &told);
    return rc != FG_OK || told ? rc : job_move(cx, db, j, &(struct job_change){ .event = EV_LATE, .data = data });
}

static enum fg_code adopt_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct adopting *a = arg;
    struct job *j = a->job;
    struct submit_reply r = { .id = a->row->id, .links = a->row->links, .words = FG_LIT("found by an audit") };
    bool ended;
    enum fg_code rc = job_by_id(cx, db, a->attempt.job_id, j);
    if (rc == FG_OK)
        rc = attempt_end(cx, db, a->attempt.id, ATTEMPT_ACCEPTED, &r, &ended);
    if (rc != FG_OK)
        return rc;
    bool waits = ended && j->attempt_n == a->attempt.n &&
                 (j->stage == STAGE_SUBMITTING || j->stage == STAGE_SUBMIT_UNKNOWN);
    a->outcome = waits ? ADOPT_ADOPTED : ADOPT_LATE;
    if (!waits)
        return tell_late(cx, db, j, a->row->id);
    j->provider_job_id = a->row->id;
    return job_move(cx, db, j, &(struct job_change){
                                   .event = EV_ACCEPTED,
                                   .data = event_data(cx, "providerJobId", a->row->id),
                               });
}

enum fg_code job_adopt(struct fg_ctx *cx, struct job_env *env, struct fg_str provider, const struct remote_row *row,
                       enum adoption *outcome, struct job *job)
{
    struct adopting a = { .row = row, .job = job };
    bool found;
    enum fg_code rc = db_one(cx, env->db, SQL_ATTEMPT_BY_REMOTE, DB_ARGS(DB(provider), DB(row->id)), attempt_row,
                             &a.attempt, &found);
    *outcome = ADOPT_KNOWN;
    if (rc != FG_OK || found)
        return rc;
    rc = find(cx, env->db, provider, row, &a.attempt, &found);
    *outcome = ADOPT_STRANGE;
    if (rc != FG_OK || !found)
        return rc;
    rc = FG_JOB_MOVED;
    for (int i = 0; i < ADOPT_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(cx, env->db, adopt_body, &a);
    if (rc == FG_DB_UNSURE)
        rc = job_settle(cx, env->db, job);
    if (rc == FG_OK)
        *outcome = a.outcome;
    return rc;
}
