#include "money/ledger.h"

/* Jobs per audit statement: far below the statement's time limit, whatever the table's size. */
#define AUDIT_CHUNK 20000

enum fg_code ledger_add(struct fg_ctx *cx, struct db *db, int64_t account_id, int64_t job_id,
                        enum ledger_kind kind, int64_t amount_micro, struct fg_str currency)
{
    FG_ASSERT(amount_micro >= 0);
    int side = kind == LEDGER_HOLD ? 0 : 1;
    return db_run(cx, db, SQL_LEDGER_ADD,
                  DB_ARGS(DB(job_id), DB(side), DB(account_id), DB((int)kind), DB(amount_micro),
                          DB(currency), DB(cx->now_us)));
}

static const struct db_col audit_cols[] = {
    COL(struct ledger_audit, open_without_hold),
    COL(struct ledger_audit, terminal_without_end),
    COL(struct ledger_audit, amounts_differ),
    COL(struct ledger_audit, charged_unfinished),
};

struct newest {
    int64_t id;
};
static const struct db_col newest_cols[] = { COL(struct newest, id) };

/* A job and its entries lie in one chunk and are read in one statement: what moves meanwhile is
 * seen whole, before or after. */
enum fg_code ledger_check(struct fg_ctx *cx, struct db *db, struct ledger_audit *out)
{
    struct ledger_audit sum = { 0 };
    struct newest newest = { 0 };
    bool found;
    enum fg_code rc =
        db_one(cx, db, SQL_LEDGER_NEWEST_JOB, DB_NO_ARGS, DB_COLS(newest_cols), &newest, &found);
    for (int64_t from = 0; rc == FG_OK && from < newest.id; from += AUDIT_CHUNK) {
        struct ledger_audit part = { 0 };
        rc = db_one(cx, db, SQL_LEDGER_AUDIT, DB_ARGS(DB(from), DB(from + AUDIT_CHUNK)),
                    DB_COLS(audit_cols), &part, &found);
        if (rc != FG_OK)
            break;
        sum.open_without_hold += part.open_without_hold;
        sum.terminal_without_end += part.terminal_without_end;
        sum.amounts_differ += part.amounts_differ;
        sum.charged_unfinished += part.charged_unfinished;
    }
    if (rc == FG_OK)
        *out = sum;
    return rc;
}
