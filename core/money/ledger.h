/* The append-only ledger: a hold per job, then exactly one end. Amounts are micro-units of the currency
 * (1 USD = 1 000 000), never floating point. Called inside the transaction of the transition only. */
#ifndef FG_MONEY_LEDGER_H
#define FG_MONEY_LEDGER_H

#include "io/db.h"

enum ledger_kind { LEDGER_HOLD = 1, LEDGER_SETTLE = 2, LEDGER_RELEASE = 3 };

/* A second hold or a second end is FG_DB_DUPLICATE: our own mistake, found by the primary key. */
enum fg_code ledger_add(struct fg_ctx *cx, struct db *db, int64_t account_id, int64_t job_id,
                        enum ledger_kind kind, int64_t amount_micro, struct fg_str currency) FG_MUST_CHECK;

/* What must always be 0. */
struct ledger_audit {
    int64_t open_without_hold;     /* jobs not terminal without a hold, or with an end */
    int64_t terminal_without_end;  /* terminal jobs without exactly one end */
    int64_t amounts_differ;        /* an end of another amount or currency than its hold */
    int64_t charged_unfinished;    /* settled jobs that did not succeed */
};
enum fg_code ledger_check(struct fg_ctx *cx, struct db *db, struct ledger_audit *out) FG_MUST_CHECK;

#endif
