#include "base/arena.h"
#include "base/id.h"
#include "base/scan.h"
#include "job/clock.h"
#include "job/store.h"

#define LIST_DEFAULT 20

/* A user key sees its own user's jobs whatever it asks for. */
static struct fg_str whose(const struct identity *who, const struct job_list_query *q)
{
    return who->role == ROLE_USER ? fg_str_c(who->user_id) : q->user_id;
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
                DB_ARGS(DB(who->account_id), DB(us), DB(us), DB(id), DB(user), DB(user), DB(limit)),
                job_seen_row, &out->row, &out->n);
    if (rc != FG_OK)
        return rc;
    bool more = out->n == (size_t)limit;
    const struct job *last = out->n ? &out->row[out->n - 1].job : NULL;
    if (more)
        out->next_cursor = arena_fmt(cx->mem, "%lld.%.*s", (long long)last->updated_us, FG_P(last->public_id));
    out->changed_since_us = more ? last->updated_us : calm > since ? calm : since;
    return FG_OK;
}

/* One state at a time, as its index has them, and then the newest of all of these: the way to a few of one kind does not
 * lead past all others. */
static enum fg_code list_states(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str user,
                                unsigned states, int64_t below_id, int limit, struct job_list *out)
{
    struct job_list part[JOB_EXPIRED + 1] = { { 0 } };
    for (int s = JOB_PENDING; s <= JOB_EXPIRED; s++) {
        enum fg_code rc = states & 1U << s
                              ? DB_ALL(cx, env->db, SQL_JOB_LIST_STATE,
                                       DB_ARGS(DB(who->account_id), DB(s), DB(below_id), DB(user), DB(user), DB(limit)),
                                       job_seen_row, &part[s].row, &part[s].n)
                              : FG_OK;
        if (rc != FG_OK)
            return rc;
    }
    out->row = arena_array(cx->mem, struct job_seen, (size_t)limit);
    for (out->n = 0; out->n < (size_t)limit; out->n++) {
        struct job_list *next = NULL;
        for (size_t s = JOB_PENDING; s <= JOB_EXPIRED; s++)
            if (part[s].n && (!next || part[s].row->job.id > next->row->job.id))
                next = &part[s];
        if (!next)
            break;
        out->row[out->n] = *next->row++;
        next->n--;
    }
    return FG_OK;
}

/* Looks at so many jobs and no more: of an account with many more than that and a word that none has, the next request
 * goes on where this one stopped. */
static enum fg_code list_search(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str user,
                                const struct job_list_query *q, int64_t below_id, int limit, struct job_list *out)
{
    static const struct db_col end_cols[] = { COL(struct job, id), COL(struct job, public_id), COL(struct job, created_us) };
    struct job end = { .id = 0 };
    bool more;
    enum fg_code rc = db_one(cx, env->db, SQL_JOB_SEARCH_END,
                             DB_ARGS(DB(who->account_id), DB(below_id), DB(user), DB(user), DB((int)JOB_SEARCH_ROWS - 1)),
                             DB_COLS(end_cols), &end, &more);
    struct fg_str w[JOB_WORDS_MAX];
    for (size_t i = 0; i < JOB_WORDS_MAX; i++)
        w[i] = i < q->word_n ? q->word[i] : FG_LIT("");
    if (rc == FG_OK)
        rc = DB_ALL(cx, env->db, SQL_JOB_SEARCH,
                    DB_ARGS(DB(who->account_id), DB(below_id), DB(end.id), DB(user), DB(user),
                            DB(q->states ? (int)q->states : -1), DB(w[0]), DB(w[1]), DB(w[2]), DB(w[3]), DB(w[4]), DB(w[5]),
                            DB(w[6]), DB(w[7]), DB(limit)),
                    job_seen_row, &out->row, &out->n);
    if (rc == FG_OK && out->n < (size_t)limit && more) {
        out->next_cursor = end.public_id;
        out->searched_us = end.created_us;
    }
    return rc;
}

static enum fg_code list_newest(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                                const struct job_list_query *q, int limit, struct job_list *out)
{
    int64_t us, id = INT64_MAX;
    enum fg_code rc = q->cursor.p ? cursor_place(cx, env, who, q, &us, &id) : FG_OK;
    if (rc != FG_OK)
        return rc;
    struct fg_str user = whose(who, q);
    if (q->word_n)
        rc = list_search(cx, env, who, user, q, id, limit, out);
    else if (q->states)
        rc = list_states(cx, env, who, user, q->states, id, limit, out);
    else
        rc = DB_ALL(cx, env->db, SQL_JOB_LIST, DB_ARGS(DB(who->account_id), DB(id), DB(user), DB(user), DB(limit)),
                    job_seen_row, &out->row, &out->n);
    if (rc == FG_OK && out->n == (size_t)limit) {
        out->next_cursor = out->row[out->n - 1].job.public_id;
        out->searched_us = q->word_n ? out->row[out->n - 1].job.created_us : 0;
    }
    out->changed_since_us = cx->now_us - JOB_CHANGE_OVERLAP_US;
    return rc;
}

enum fg_code job_list(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                      const struct job_list_query *q, struct job_list *out)
{
    int limit = q->limit ? q->limit : LIST_DEFAULT;
    if (limit < 1 || limit > JOB_LIST_MAX)
        return fg_fail(cx, FG_INVALID_REQUEST, "limit must be from 1 to %d.", JOB_LIST_MAX);
    if ((q->states || q->word_n) && q->has_changed_since)
        return fg_fail(cx, FG_INVALID_REQUEST, "Neither status nor q can go together with changedSince.");
    *out = (struct job_list){ 0 };
    return q->has_changed_since ? list_changed(cx, env, who, q, limit, out)
                                : list_newest(cx, env, who, q, limit, out);
}
