/* What an account has used of its limits: one row, and the lock under which they are looked at. */
#ifndef FG_MONEY_USE_H
#define FG_MONEY_USE_H

#include "money/plan.h"

struct account_use {
    int64_t account_id, balance_micro, outstanding_n, storage_bytes;
    int64_t minute_us, minute_n;              /* the minute that begins there, and jobs accepted in it */
    int64_t day_us, day_n, day_micro;         /* money: of jobs accepted in it, held or charged */
    int64_t month_us, month_micro;
    int64_t user_outstanding_n;               /* of the userId that was asked about; -1: not looked at */
};

/* Inside a transaction, and before it has locked anything else: from here to its end nobody else takes from or gives
 * back to the account. Windows that are over have been emptied. user_id: whose jobs are counted, where the plan limits
 * them; FG_NONE: nobody's. */
enum fg_code use_lock(struct fg_ctx *cx, struct db *db, int64_t account_id, const struct terms *t, struct fg_str user_id,
                      struct account_use *out) FG_MUST_CHECK;
/* The same to look at, outside a transaction. */
enum fg_code use_read(struct fg_ctx *cx, struct db *db, int64_t account_id, const struct terms *t, struct fg_str user_id,
                      struct account_use *out) FG_MUST_CHECK;

/* Beginnings of the minute, day and month (UTC) of an instant, and of the next month. */
int64_t use_minute(int64_t us);
int64_t use_day(int64_t us);
int64_t use_month(int64_t us);
int64_t use_next_month(int64_t us);

/* Empties windows that are over at now_us. The next one may have begun already, by another host's clock: it goes on; one
 * further ahead was a clock's mistake. */
void use_roll(struct account_use *u, int64_t now_us);

/* Another job at this price: FG_OK, or the first limit that it would break, as a problem that says which, how much of it
 * is used and when it is free again. Pure. FG_RATE_LIMITED, FG_JOB_LIMIT, FG_BUDGET_EXCEEDED, FG_BALANCE_TOO_LOW,
 * FG_STORAGE_LIMIT. */
enum fg_code use_check(struct fg_ctx *cx, const struct terms *t, const struct account_use *u, int64_t price_micro)
    FG_MUST_CHECK;

/* Takes it: *u as it is then. FG_INTERNAL when a sum would not fit; nothing wraps. Pure. */
enum fg_code use_take(struct fg_ctx *cx, struct account_use *u, int64_t price_micro) FG_MUST_CHECK;

/* ---- to be shown ---- */

/* One limit and how much of it is used: GET /v1/me, quotes. The balance stands beside these. */
struct use_left {
    const char *name;             /* as in problems: "jobsPerMinute" */
    int64_t max, used;
    int64_t free_us;              /* when all of it is free again; 0: when jobs end, or files go */
    int64_t window_s;             /* of a rate; 0: not one */
};
#define USE_LEFT_MAX 8
#define USE_OF_USER "outstandingJobsOfUser" /* the one limit that is a user's own */
/* Those that the account has; returns how many. */
unsigned use_left(const struct terms *t, const struct account_use *u, struct use_left out[USE_LEFT_MAX]);

#endif
