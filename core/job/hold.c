#include "job/hold.h"

#include "base/arena.h"
#include "job/act.h"
#include "job/store.h"

static const struct db_col id_cols[] = { { DB_TAG_I64, 0 } };

enum fg_code hold_gate_close(struct fg_ctx *cx, struct db *db)
{
    int64_t gate;
    bool found;
    return db_one(cx, db, SQL_HOLD_GATE_CLOSE, DB_NO_ARGS, DB_COLS(id_cols), &gate, &found);
}

enum fg_code hold_put(struct fg_ctx *cx, struct db *db, const struct hold *h, int64_t *id)
{
    enum fg_code rc = db_run(cx, db, SQL_HOLD_ADD, DB_ARGS(DB(h->account_id), DB(h->user), DB_TIME(h->job_id), DB(h->reason),
                                                           DB(h->by), DB(cx->now_us)));
    if (rc == FG_OK)
        *id = db->insert_id;
    return rc;
}

struct adding {
    struct hold h;
    struct fg_str job;
    struct action record;
    int64_t id;
};

static enum fg_code find_job(struct fg_ctx *cx, struct db *db, struct adding *a)
{
    bool found = false;
    enum fg_code rc = db_one(cx, db, SQL_JOB_ID_OF, DB_ARGS(DB(a->job), DB(a->h.account_id)), DB_COLS(id_cols), &a->h.job_id,
                             &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "The account has no such job.");
    return rc;
}

static enum fg_code tell_job(struct fg_ctx *cx, struct db *db, int64_t job_id, const struct action *record)
{
    struct job j;
    enum fg_code rc = job_by_id(cx, db, job_id, &j);
    return rc == FG_OK ? act_note(cx, db, &j, record) : rc;
}

static enum fg_code add_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct adding *a = arg;
    a->h.job_id = a->record.job_id = 0;
    enum fg_code rc = hold_gate_close(cx, db);
    if (rc == FG_OK && a->job.p)
        rc = find_job(cx, db, a);
    a->record.job_id = a->h.job_id;
    if (rc == FG_OK && a->h.job_id)
        rc = tell_job(cx, db, a->h.job_id, &a->record);
    if (rc == FG_OK)
        rc = hold_put(cx, db, &a->h, &a->id);
    return rc;
}

enum fg_code hold_add(struct fg_ctx *cx, struct db *db, const struct hold *h, struct fg_str job, int64_t *id)
{
    struct adding a = { .h = *h, .job = job,
                        .record = { .actor = ACTION_OPERATOR, .action = FG_LIT("hold"), .reason = h->reason,
                                    .account_id = h->account_id, .data = event_data(cx, "userId", h->user) } };
    int64_t record;
    enum fg_code rc = action_do(cx, db, &a.record, add_body, &a, &record);
    if (rc == FG_OK)
        *id = a.id;
    return rc;
}

struct ending {
    int64_t id;
    struct action record;
};
struct open_hold {
    int64_t account_id, job_id;
};
static const struct db_col open_cols[] = { COL(struct open_hold, account_id), COL(struct open_hold, job_id) };

static enum fg_code end_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct ending *e = arg;
    struct open_hold open;
    bool found = false;
    enum fg_code rc = db_one(cx, db, SQL_HOLD_OPEN, DB_ARGS(DB(e->id)), DB_COLS(open_cols), &open, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "No such hold, or it has ended");
    if (rc != FG_OK)
        return rc;
    e->record.account_id = open.account_id;
    e->record.job_id = open.job_id;
    if (open.job_id)
        rc = tell_job(cx, db, open.job_id, &e->record);
    return rc == FG_OK ? db_run(cx, db, SQL_HOLD_END, DB_ARGS(DB(cx->now_us), DB(e->id))) : rc;
}

enum fg_code hold_end(struct fg_ctx *cx, struct db *db, int64_t id, struct fg_str reason)
{
    struct ending e = { .id = id,
                        .record = { .actor = ACTION_OPERATOR, .action = FG_LIT("release"), .reason = reason,
                                    .subject = arena_fmt(cx->mem, "%lld", (long long)id) } };
    int64_t record;
    enum fg_code rc = action_do(cx, db, &e.record, end_body, &e, &record);
    return rc;
}
