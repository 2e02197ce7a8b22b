#include "money/quote.h"

static const struct db_col quote_cols[] = {
    COL(struct quote, public_id), COL(struct quote, account_id), COL(struct quote, user_id), COL(struct quote, route),
    COL(struct quote, model), COL(struct quote, resolution), COL(struct quote, duration_s), COL(struct quote, audio),
    COL(struct quote, price_micro), COL(struct quote, currency), COL(struct quote, created_us), COL(struct quote, expires_us), COL(struct quote, job),
    COL(struct quote, job_us),
};

enum fg_code quote_create(struct fg_ctx *cx, struct db *db, const struct quote *q)
{
    return db_run(cx, db, SQL_QUOTE_INSERT,
                  DB_ARGS(DB(q->public_id), DB(q->account_id), DB(q->user_id), DB(q->route), DB(q->model),
                          DB(q->resolution), DB(q->duration_s), DB(q->audio), DB(q->price_micro), DB(q->currency),
                          DB(q->created_us), DB(q->expires_us)));
}

enum fg_code quote_find(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id, struct quote *out,
                        bool *found)
{
    return db_one(cx, db, SQL_QUOTE_FIND, DB_ARGS(DB(account_id), DB(id)), DB_COLS(quote_cols), out, found);
}

enum fg_code quote_alive(struct fg_ctx *cx, const struct quote *q)
{
    if (q->job.p || q->expires_us > cx->now_us)
        return FG_OK;
    return fg_fail(cx, FG_QUOTE_EXPIRED, "The quote held its price until some time ago. Ask for another.");
}

enum fg_code quote_take(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id, int64_t job_id)
{
    struct quote q;
    bool found;
    enum fg_code rc = db_run(cx, db, SQL_QUOTE_TAKE, DB_ARGS(DB(job_id), DB(id), DB(account_id), DB(cx->now_us)));
    if (rc != FG_OK || db->affected == 1)
        return rc;
    rc = quote_find(cx, db, account_id, id, &q, &found);
    if (rc == FG_OK && found && q.job.p) {
        (void)fg_fail(cx, FG_QUOTE_USED, "A quote is good for one job, and this one has been used for %.*s.", FG_P(q.job));
        cx->err.job = q.job.p;
        cx->err.job_us = q.job_us;
        return FG_QUOTE_USED;
    }
    return rc == FG_OK ? fg_fail(cx, FG_QUOTE_EXPIRED, "The quote has expired. Ask for another.") : rc;
}
