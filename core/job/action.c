#include "job/action.h"

#include "base/log.h"
#include "io/json.h"

#define DATA_MAX 2000

static struct db_bind or_null(int64_t id)
{
    return id ? DB(id) : DB_NULL;
}

static enum fg_code put(struct fg_ctx *cx, struct db *db, const struct action *a, struct fg_str outcome)
{
    return db_run(cx, db, SQL_ACTION_PUT,
                  DB_ARGS(DB(cx->now_us), DB(a->actor), DB(a->action), or_null(a->job_id), or_null(a->account_id),
                          DB(a->subject), DB(a->reason.p ? a->reason : FG_LIT("")), DB(outcome), DB(a->data),
                          DB(cx->request_id)));
}

enum fg_code action_put(struct fg_ctx *cx, struct db *db, const struct action *a, int64_t *id)
{
    enum fg_code rc = put(cx, db, a, ACTION_DONE);
    if (rc == FG_OK)
        *id = db->insert_id;
    return rc;
}

/* A number is given once; that it is ours the request says. */
enum fg_code action_settle(struct fg_ctx *cx, struct db *db, int64_t id)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    int64_t made;
    bool found = false;
    enum fg_code rc = db_one(cx, db, SQL_ACTION_MADE, DB_ARGS(DB(id), DB(cx->request_id)), DB_COLS(cols), &made, &found);
    fg_log(cx, LOG_WARN, "action.commit_unknown", LOG_I("action", id),
           LOG_S("resolved", fg_str_c(rc != FG_OK ? "no" : found ? "committed" : "not_committed")));
    if (rc == FG_OK && found)
        return FG_OK;
    enum fg_code code = rc == FG_OK ? FG_DB_LOST : FG_DB_UNSURE;
    (void)fg_fail(cx, code, "%s.", fg_err_info(code)->title);
    return fg_cause(cx, "COMMIT was not answered");
}

enum fg_code action_refused(struct fg_ctx *cx, struct db *db, const struct action *a, enum fg_code rc)
{
    if (rc == FG_OK || fg_err_info(rc)->http >= 500)
        return rc;
    struct fg_err why = cx->err;
    if (put(cx, db, a, fg_str_c(fg_err_info(rc)->slug)) != FG_OK)
        log_err(cx, "action.refusal_not_recorded", a->action);
    cx->err = why;
    return rc;
}

struct doing {
    struct action *a;
    db_body *body;
    void *arg;
    int64_t id;
};

static enum fg_code do_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct doing *d = arg;
    enum fg_code rc = d->body(cx, db, d->arg);
    return rc == FG_OK ? action_put(cx, db, d->a, &d->id) : rc;
}

enum fg_code action_do(struct fg_ctx *cx, struct db *db, struct action *a, db_body *body, void *arg, int64_t *id)
{
    struct doing d = { a, body, arg, 0 };
    enum fg_code rc = FG_JOB_MOVED;
    for (int i = 0; i < ACTION_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(cx, db, do_body, &d);
    if (rc == FG_DB_UNSURE)
        rc = action_settle(cx, db, d.id);
    *id = d.id;
    return action_refused(cx, db, a, rc);
}

/* ---- an account's money ---- */

static struct fg_str entry_data(struct fg_ctx *cx, const struct ledger_entry *e, const bool *entered)
{
    struct sb b = sb_in(cx->mem, DATA_MAX);
    struct jw w = jw_on(&b);
    jw_open(&w, NULL);
    jw_i64(&w, "amountMicro", e->amount_micro);
    jw_str(&w, "reference", e->reference);
    if (entered)
        jw_bool(&w, "entered", *entered);
    jw_close(&w);
    return b.bad ? FG_NONE : sb_str(&b);
}

enum fg_code action_enter_in(struct fg_ctx *cx, struct db *db, struct action *a, const struct ledger_entry *e, bool *entered)
{
    a->data = entry_data(cx, e, NULL);
    enum fg_code rc = ledger_enter(cx, db, e, entered);
    if (rc == FG_OK)
        a->data = entry_data(cx, e, entered);
    return rc;
}

struct entering {
    const struct ledger_entry *e;
    struct action *a;
    bool *entered;
};

static enum fg_code enter_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct entering *x = arg;
    return action_enter_in(cx, db, x->a, x->e, x->entered);
}

enum fg_code action_enter(struct fg_ctx *cx, struct db *db, struct action *a, const struct ledger_entry *e, bool *entered)
{
    int64_t id;
    return action_do(cx, db, a, enter_body, &(struct entering){ e, a, entered }, &id);
}

/* ---- looking ---- */

static const struct db_col row_cols[] = {
    COL(struct action_row, id),      COL(struct action_row, at_us),   COL(struct action_row, actor),
    COL(struct action_row, action),  COL(struct action_row, job),     COL(struct action_row, account),
    COL(struct action_row, subject), COL(struct action_row, reason),  COL(struct action_row, outcome),
    COL(struct action_row, data),    COL(struct action_row, request_id),
};

enum fg_code action_list(struct fg_ctx *cx, struct db *db, const struct action_query *q, struct action_row **out, size_t *n)
{
    return DB_ALL(cx, db, SQL_ACTIONS,
                  DB_ARGS(DB(q->before_id ? q->before_id : INT64_MAX), DB(q->account), DB(q->account), DB(q->job), DB(q->job),
                          DB(q->limit)),
                  DB_COLS(row_cols), out, n);
}

struct action_row action_row_of(const struct fg_ctx *cx, const struct action *a, int64_t id, struct fg_str job,
                                struct fg_str account)
{
    return (struct action_row){ .id = id, .at_us = cx->now_us, .actor = a->actor, .action = a->action, .job = job,
                                .account = account, .subject = a->subject, .reason = a->reason, .outcome = ACTION_DONE,
                                .data = a->data, .request_id = cx->request_id };
}

void action_json(struct jw *w, const struct action_row *a)
{
    jw_i64(w, "id", a->id);
    jw_time(w, "at", a->at_us);
    jw_str(w, "actor", a->actor);
    jw_str(w, "action", a->action);
    jw_str(w, "jobId", a->job);
    jw_str(w, "accountId", a->account);
    jw_str(w, "subject", a->subject);
    jw_str(w, "reason", a->reason.n ? a->reason : FG_NONE);
    jw_str(w, "outcome", a->outcome);
    jw_raw(w, "data", a->data);
    jw_str(w, "requestId", a->request_id);
}
