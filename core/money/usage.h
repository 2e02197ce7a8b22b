/* What an account's jobs came to, from the ledger: GET /v1/usage. A job counts where it was created, also when it
 * ended later: so the sums of days add up to those of the month, and what is held shows where it will be charged. */
#ifndef FG_MONEY_USAGE_H
#define FG_MONEY_USAGE_H

#include "io/db.h"

#define USAGE_ROWS_MAX 3000
#define USAGE_DAYS_MAX 366

struct usage_ask {
    int64_t account_id;
    struct fg_str user_id;       /* FG_NONE: everybody */
    int64_t from_us, until_us;   /* of the jobs' creation; until is not in it */
    bool by_day, by_model, by_user;
};

struct usage_row {
    int64_t day;                 /* since 1970, UTC; -1 when days are not told apart */
    struct fg_str model;         /* FG_NONE: not told apart */
    struct fg_str user_id;       /* FG_NONE: not told apart, or jobs of the account itself */
    struct fg_str currency;
    int64_t jobs, succeeded, failed, expired; /* the rest of the jobs is under way */
    int64_t canceled;            /* of those that failed: somebody stopped them */
    int64_t seconds;             /* of the videos that were delivered */
    int64_t charged_micro;       /* settled */
    int64_t held_micro;          /* of jobs under way */
};

/* Newest day first. FG_INVALID_REQUEST with a field when there are more than USAGE_ROWS_MAX rows: an account of what
 * was charged is whole, or it is none. */
enum fg_code usage_read(struct fg_ctx *cx, struct db *db, const struct usage_ask *ask, struct usage_row **rows,
                        size_t *n) FG_MUST_CHECK;

#endif
