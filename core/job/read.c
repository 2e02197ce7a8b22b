#include "base/id.h"
#include "job/store.h"

#define EVENTS_MAX 500

static bool may_see(const struct identity *who, const struct job *j)
{
    return j->account_id == who->account_id &&
           (who->role != ROLE_USER || fg_eq(j->user_id, fg_str_c(who->user_id)));
}

/* out is, or begins with, a struct job. */
static enum fg_code read_as(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                            struct fg_str id, enum db_sql sql, struct db_cols cols, void *out)
{
    bool found = false;
    enum fg_code rc = FG_OK;
    if (id_valid(id, FG_LIT("job_")))
        rc = db_one(cx, env->db, sql, DB_ARGS(DB(id)), cols, out, &found);
    if (rc == FG_OK && (!found || !may_see(who, out)))
        rc = fg_fail(cx, FG_NOT_FOUND, "There is no such job.");
    return rc;
}

enum fg_code job_read(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                      struct fg_str id, struct job *out)
{
    return read_as(cx, env, who, id, SQL_JOB_BY_PUBLIC_ID, job_row, out);
}

enum fg_code job_see(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                     struct fg_str id, struct job_seen *out)
{
    return read_as(cx, env, who, id, SQL_JOB_SEEN, job_seen_row, out);
}

static const struct db_col tag_cols[] = {
    COL(struct job, account_id), COL(struct job, user_id), COL(struct job, state),
    COL(struct job, version),    COL(struct job, deleted_us),
};

enum fg_code job_glance(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                        struct fg_str id, struct job *out)
{
    return read_as(cx, env, who, id, SQL_JOB_TAG, DB_COLS(tag_cols), out);
}

static const struct db_col event_cols[] = {
    COL(struct job_event_row, seq),        COL(struct job_event_row, at_us),
    COL(struct job_event_row, kind),       COL(struct job_event_row, request_id),
    COL(struct job_event_row, data),       COL(struct job_event_row, state),
    COL(struct job_event_row, stage),
};

enum fg_code job_events(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                        struct fg_str id, struct job_event_row **rows, size_t *n)
{
    struct job j;
    enum fg_code rc = job_read(cx, env, who, id, &j);
    if (rc != FG_OK)
        return rc;
    return DB_ALL(cx, env->db, SQL_EVENT_LIST, DB_ARGS(DB(j.id), DB(j.id), DB((int)EVENTS_MAX)), DB_COLS(event_cols),
                  rows, n);
}
