/* Quotes: a price that is held for some minutes, for one job of just this kind. Rows of the table quote. */
#ifndef FG_MONEY_QUOTE_H
#define FG_MONEY_QUOTE_H

#include "io/db.h"

#define QUOTE_ID FG_LIT("quote_") /* prefix of public ids */
#define QUOTE_KEPT_US (86400 * FG_US_PER_S) /* after its expiry: as long it can tell why it is refused */

struct quote {
    struct fg_str public_id;
    int64_t account_id;
    struct fg_str user_id;       /* FG_NONE: of the account itself */
    struct fg_str route;         /* what the model was chosen from; FG_NONE: a model was named */
    struct fg_str model, resolution;
    int duration_s, audio;       /* audio: as wished, enum audio */
    int64_t price_micro;
    struct fg_str currency;
    int64_t created_us, expires_us;
    struct fg_str job;           /* public id of the job that took it; FG_NONE: none has */
    int64_t job_us;              /* when that was created */
};

enum fg_code quote_create(struct fg_ctx *cx, struct db *db, const struct quote *q) FG_MUST_CHECK;
/* *found is false also for another account's. */
enum fg_code quote_find(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id, struct quote *out,
                        bool *found) FG_MUST_CHECK;
/* Inside the transaction that creates the job, after use_lock: it is this job's, and nobody else's. FG_QUOTE_USED
 * (cx->err.job), FG_QUOTE_EXPIRED. */
enum fg_code quote_take(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id, int64_t job_id)
    FG_MUST_CHECK;
/* FG_QUOTE_EXPIRED at cx->now_us, unless a job has taken it before. */
enum fg_code quote_alive(struct fg_ctx *cx, const struct quote *q) FG_MUST_CHECK;

#endif
