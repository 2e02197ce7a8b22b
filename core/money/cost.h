/* What waste costs: attempts of a time by what became of them. One classification, of `filmgate report cost` and of
 * /metrics. Amounts are what providers took, in micro-units of the job's currency. */
#ifndef FG_MONEY_COST_H
#define FG_MONEY_COST_H

#include "io/db.h"

/* O(name, words): the words of COST in sql/statements.def; each attempt is of exactly one. */
#define COST_OUTCOMES(O)                                                          \
    O(succeeded, "delivered")                                                     \
    O(failed, "the provider or we failed")                                        \
    O(expired, "not ready before the deadline")                                   \
    O(canceled, "canceled in time")                                               \
    O(canceled_late, "canceled, and paid for all the same")                       \
    O(refused, "not allowed or not taken; a cost: the provider charges for that") \
    O(duplicate, "taken, but another attempt was its job's last")                 \
    O(unknown, "nobody knows whether it was taken")                               \
    O(running, "under way")                                                       \
    O(not_sent, "never left us")

#define COST_CHARGED "charged" /* stands beside the outcomes in the table cost_outcome: what accounts were charged */

struct cost_row {
    struct fg_str outcome, currency;
    int64_t n, micro;
};
struct cost {
    struct cost_row *row;      /* outcomes that there are, by currency */
    size_t n;
    struct cost_row *charged;  /* n: jobs; of the same time, by when they were charged */
    size_t charged_n;
    int64_t attempt_n, attempt_micro; /* by the attempts alone, of the same instant */
};

/* Of attempts that were made from from_us until before to_us. */
enum fg_code cost_read(struct fg_ctx *cx, struct db *db, int64_t from_us, int64_t to_us, struct cost *out) FG_MUST_CHECK;

/* Whether the outcomes are all of the attempts, to the last micro-unit. FG_INTERNAL, in words. Pure. */
enum fg_code cost_reconcile(struct fg_ctx *cx, const struct cost *c) FG_MUST_CHECK;

/* Files that were kept in that time. */
struct cost_storage {
    int64_t bytes;             /* that are kept now */
    int64_t micro;             /* at gib_month_micro for a GiB in 30 days, rounded down */
};
enum fg_code cost_storage(struct fg_ctx *cx, struct db *db, int64_t from_us, int64_t to_us, int64_t gib_month_micro,
                          struct cost_storage *out) FG_MUST_CHECK;

/* Writes what the attempts of the last day cost where handlers read it, unless somebody has a moment ago. */
enum fg_code cost_keep(struct fg_ctx *cx, struct db *db) FG_MUST_CHECK;
/* What was last written; COST_CHARGED among the outcomes. */
enum fg_code cost_kept(struct fg_ctx *cx, struct db *db, struct cost_row **rows, size_t *n) FG_MUST_CHECK;

#endif
