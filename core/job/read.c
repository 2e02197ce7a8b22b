#include "base/arena.h"
#include "base/id.h"
#include "base/scan.h"
#include "job/clock.h"
#include "job/store.h"

#define LIST_DEFAULT 20
#define EVENTS_MAX 500

/* A user key sees its own user's jobs whatever it asks for. */
static struct fg_str whose(const struct identity *who, const struct job_list_query *q)
{
    return who->role == ROLE_USER ? fg_str_c(who->user_id) : q->user_id;
}

static bool may_see(const struct identity *who, const struct job *j)
{
    return j->account_id == who->account_id &&
           (who->role != ROLE_USER || fg_eq(j->user_id, fg_str_c(who->user_id)));
}

static enum fg_code read_as(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                            struct fg_str id, enum db_sql sql, struct db_cols cols,
                            struct job *out)
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

static const struct db_col tag_cols[] = {
    COL(struct job, account_id), COL(struct job, user_id), COL(struct job, state),
    COL(struct job, version),    COL(struct job, deleted_us),
};

enum fg_code job_glance(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                        struct fg_str id, struct job *out)
{
    return read_as(cx, env, who, id, SQL_JOB_TAG, DB_COLS(tag_cols), out);
}

/* A cursor is the last job's id, after its time of change where the list is in that order. */
static bool cursor_read(struct fg_str s, bool with_time, int64_t *us, struct fg_str *id)
{
    struct fg_str at;
    if (with_time && (!scan_until(&s, '.', &at) || !scan_all_i64(at, 0, INT64_MAX, us)))
        return false;
    *id = s;
    return id_valid(s, FG_LIT("job_"));
}

static enum fg_code cursor_place(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                                 const struct job_list_query *q, int64_t *us, int64_t *id)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    struct fg_str public_id;
    bool found;
    if (!cursor_read(q->cursor, q->has_changed_since, us, &public_id))
        return fg_fail(cx, FG_INVALID_REQUEST, "cursor is not one of ours.");
    enum fg_code rc = db_one(cx, env->db, SQL_JOB_ID_OF, DB_ARGS(DB(public_id), DB(who->account_id)),
                             DB_COLS(cols), id, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_INVALID_REQUEST, "cursor is not one of ours.");
    return rc;
}

static enum fg_code list_changed(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                                 const struct job_list_query *q, int limit, struct job_list *out)
{
    int64_t calm = cx->now_us - JOB_CHANGE_OVERLAP_US;
    int64_t since = q->changed_since_us > cx->now_us ? calm : q->changed_since_us; /* not of the clock as it is now */
    /* What the clock has shown twice may have been read before it jumped back: then all since the jump is told. */
    int64_t jump_us = clock_since_us(env->clock, q->changed_since_us), id = 0;
    int64_t us = jump_us < q->changed_since_us ? jump_us - JOB_CHANGE_OVERLAP_US : since;
    enum fg_code rc = q->cursor.p ? cursor_place(cx, env, who, q, &us, &id) : FG_OK;
    if (rc != FG_OK)
        return rc;
    struct fg_str user = whose(who, q);
    rc = DB_ALL(cx, env->db, SQL_JOB_CHANGED,
                DB_ARGS(DB(who->account_id), DB(us), DB(us), DB(id), DB(user), DB(user), DB(limit)), job_row,
                &out->job, &out->n);
    if (rc != FG_OK)
        return rc;
    bool more = out->n == (size_t)limit;
    const struct job *last = out->n ? &out->job[out->n - 1] : NULL;
    if (more)
        out->next_cursor = arena_fmt(cx->mem, "%lld.%.*s", (long long)last->updated_us, FG_P(last->public_id));
    out->changed_since_us = more ? last->updated_us : calm > since ? calm : since;
    return FG_OK;
}

static enum fg_code list_newest(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                                const struct job_list_query *q, int limit, struct job_list *out)
{
    int64_t us, id = INT64_MAX;
    enum fg_code rc = q->cursor.p ? cursor_place(cx, env, who, q, &us, &id) : FG_OK;
    if (rc != FG_OK)
        return rc;
    struct fg_str user = whose(who, q);
    if (q->has_status)
        rc = DB_ALL(cx, env->db, SQL_JOB_LIST_STATE,
                    DB_ARGS(DB(who->account_id), DB((int)q->status), DB(id), DB(user), DB(user), DB(limit)),
                    job_row, &out->job, &out->n);
    else
        rc = DB_ALL(cx, env->db, SQL_JOB_LIST,
                    DB_ARGS(DB(who->account_id), DB(id), DB(user), DB(user), DB(limit)), job_row, &out->job,
                    &out->n);
    if (rc == FG_OK && out->n == (size_t)limit)
        out->next_cursor = out->job[out->n - 1].public_id;
    out->changed_since_us = cx->now_us - JOB_CHANGE_OVERLAP_US;
    return rc;
}

enum fg_code job_list(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                      const struct job_list_query *q, struct job_list *out)
{
    int limit = q->limit ? q->limit : LIST_DEFAULT;
    if (limit < 1 || limit > JOB_LIST_MAX)
        return fg_fail(cx, FG_INVALID_REQUEST, "limit must be from 1 to %d.", JOB_LIST_MAX);
    if (q->has_status && q->has_changed_since)
        return fg_fail(cx, FG_INVALID_REQUEST, "status and changedSince cannot go together.");
    *out = (struct job_list){ 0 };
    return q->has_changed_since ? list_changed(cx, env, who, q, limit, out)
                                : list_newest(cx, env, who, q, limit, out);
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
