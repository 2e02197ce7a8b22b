/* Legal holds: what has to be kept, whoever wants it deleted. What looks for them stands in store.h (hold_gate, hold_check). */
#ifndef FG_JOB_HOLD_H
#define FG_JOB_HOLD_H

#include "job/action.h"

#define HOLD_REASON_MAX ACTION_REASON_MAX /* code points */
#define HOLD_BY_MAX 64

struct hold {
    int64_t account_id;
    struct fg_str user;           /* of one userId; FG_NONE: not */
    int64_t job_id;               /* of one job; 0: not. Never beside user */
    struct fg_str reason, by;
};

/* In a transaction, before it looks at any row: deletions under way are waited for, and what is placed behind it they see. */
enum fg_code hold_gate_close(struct fg_ctx *cx, struct db *db) FG_MUST_CHECK;
/* Behind the closed gate. */
enum fg_code hold_put(struct fg_ctx *cx, struct db *db, const struct hold *h, int64_t *id) FG_MUST_CHECK;

/* By the operator, each a transaction of its own, and recorded. job: public id of one of the account's, FG_NONE: none.
 * FG_NOT_FOUND: it has no such job; no such hold, or it has ended. */
enum fg_code hold_add(struct fg_ctx *cx, struct db *db, const struct hold *h, struct fg_str job, int64_t *id) FG_MUST_CHECK;
enum fg_code hold_end(struct fg_ctx *cx, struct db *db, int64_t id, struct fg_str reason) FG_MUST_CHECK;

#endif
