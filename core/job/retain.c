/* How long a job's file is kept, what keeps it longer, and how file and words go. */
#include "job/store.h"
#include "notify/notify.h"

#define DAY_US (86400 * FG_US_PER_S)

int64_t retain_days(int64_t keep_days, int64_t plan_days)
{
    if (plan_days <= 0)
        return keep_days > 0 ? keep_days : 0;
    return keep_days > 0 && keep_days < plan_days ? keep_days : plan_days;
}

enum fg_code job_expiry(struct fg_ctx *cx, struct db *db, struct job *j)
{
    struct terms t;
    enum fg_code rc = terms_read(cx, db, j->account_id, &t);
    if (rc != FG_OK)
        return rc;
    int64_t days = retain_days(j->keep_days, t.plan.output_days);
    j->expires_us = days ? cx->now_us + days * DAY_US : 0;
    return FG_OK;
}

/* ---- what has to be kept ---- */

static enum fg_code one_row(struct fg_ctx *cx, struct db *db, enum db_sql sql, struct db_args args, bool *found)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    int64_t id;
    return db_one(cx, db, sql, args, DB_COLS(cols), &id, found);
}

enum fg_code hold_gate(struct fg_ctx *cx, struct db *db)
{
    bool found;
    return one_row(cx, db, SQL_HOLD_GATE, DB_NO_ARGS, &found);
}

enum fg_code hold_check(struct fg_ctx *cx, struct db *db, int64_t job_id)
{
    bool held = false;
    enum fg_code rc = one_row(cx, db, SQL_HELD, DB_ARGS(DB(job_id)), &held);
    return rc == FG_OK && held ? fg_fail(cx, FG_LEGAL_HOLD, "This job is kept by a legal hold.") : rc;
}

/* ---- how it goes ---- */

/* Words go now, wherever they were written down. */
static enum fg_code words(struct fg_ctx *cx, struct db *db, const struct job *j)
{
    enum fg_code rc = db_run(cx, db, SQL_JOB_REDACT, DB_ARGS(DB(j->id)));
    if (rc == FG_OK) /* providers say the request again */
        rc = db_run(cx, db, SQL_RECEIPT_REDACT, DB_ARGS(DB(j->id)));
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_WIRE_FORGET, DB_ARGS(DB(j->id)));
    if (rc == FG_OK)
        rc = notify_redact(cx, db, j->id);
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_IDEMPOTENCY_REDACT, DB_ARGS(DB(j->id)));
    return rc;
}

/* The file goes in two phases: marked here, unlinked by the sweeper, row of work removed after that. */
static enum fg_code file(struct fg_ctx *cx, struct db *db, const struct job *j, int64_t *bytes)
{
    struct output o;
    enum fg_code rc = output_of_job(cx, db, j->id, &o);
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_OUTPUT_MARK_DELETED, DB_ARGS(DB(cx->now_us), DB(j->id)));
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_DUE_INSERT, DB_ARGS(DB((int)DUE_ERASE), DB(j->id), DB(cx->now_us)));
    *bytes = rc == FG_OK ? o.bytes : 0;
    return rc;
}

enum fg_code job_forget_file(struct fg_ctx *cx, struct db *db, struct job *j, struct fg_str data, int64_t *bytes)
{
    FG_ASSERT(j->output_state == OUTPUT_STORED);
    j->output_state = OUTPUT_DELETED;
    enum fg_code rc = job_move(cx, db, j, &(struct job_change){ .event = EV_DELETED, .data = data });
    return rc == FG_OK ? file(cx, db, j, bytes) : rc;
}

enum fg_code job_forget_words(struct fg_ctx *cx, struct db *db, struct job *j, struct fg_str data)
{
    FG_ASSERT(job_terminal((enum job_state)j->state));
    j->redacted_us = cx->now_us;
    enum fg_code rc = job_move(cx, db, j, &(struct job_change){ .event = EV_REDACTED, .data = data });
    return rc == FG_OK ? words(cx, db, j) : rc;
}

enum fg_code job_forget(struct fg_ctx *cx, struct db *db, struct job *j, struct fg_str data, int64_t *bytes)
{
    bool had_file = j->output_state == OUTPUT_STORED;
    *bytes = 0;
    j->deleted_us = cx->now_us;
    if (!j->redacted_us)
        j->redacted_us = cx->now_us;
    if (had_file)
        j->output_state = OUTPUT_DELETED;
    enum fg_code rc = job_move(cx, db, j, &(struct job_change){ .event = EV_DELETED, .data = data });
    if (rc == FG_OK)
        rc = words(cx, db, j);
    if (rc == FG_OK && had_file)
        rc = file(cx, db, j, bytes);
    return rc;
}
