/* The append-only ledger: a hold per job, then exactly one end; besides them top-ups and adjustments. Amounts are
 * micro-units of the account's currency (1 USD = 1 000 000), never floating point. Each entry moves its account's row
 * (money/use.h) in the same transaction: the balance is the sum of the entries. */
#ifndef FG_MONEY_LEDGER_H
#define FG_MONEY_LEDGER_H

#include "money/use.h"

enum ledger_kind { LEDGER_HOLD = 1, LEDGER_SETTLE = 2, LEDGER_RELEASE = 3, LEDGER_ADJUST = 4, LEDGER_TOPUP = 5 };

struct ledger_job {
    int64_t job_id, account_id, price_micro, created_us;
    struct fg_str currency;
};

/* Inside the transaction that creates the job. u: from use_lock; afterwards what was taken is in it. A second hold is
 * FG_DB_DUPLICATE: our own mistake, found by a unique key. */
enum fg_code ledger_hold(struct fg_ctx *cx, struct db *db, const struct ledger_job *j, struct account_use *u) FG_MUST_CHECK;
/* Inside the transaction of the job's end: settle or release. A second end is FG_DB_DUPLICATE. Locks the account's row: the
 * job's own is locked before, never after it. */
enum fg_code ledger_end(struct fg_ctx *cx, struct db *db, const struct ledger_job *j, enum ledger_kind kind) FG_MUST_CHECK;
/* Inside a transaction that stores (bytes > 0) or marks deleted (bytes < 0) an account's file. */
enum fg_code ledger_storage(struct fg_ctx *cx, struct db *db, int64_t account_id, int64_t bytes) FG_MUST_CHECK;

#define LEDGER_REFERENCE_MAX 64

/* By the operator, inside a transaction: a top-up (amount over 0), or an adjustment either way. reference: the same one twice
 * is one entry, and *entered is false the second time; FG_NONE: none. Locks the account's row. FG_INVALID_REQUEST: amount 0, over MONEY_MAX, or
 * of a balance that would not fit, or a reference or note with too much in it; FG_DB_DUPLICATE: the reference was used
 * for another amount or kind. */
struct ledger_entry {
    int64_t account_id;
    enum ledger_kind kind;
    int64_t amount_micro;
    struct fg_str reference, note;
};
enum fg_code ledger_enter(struct fg_ctx *cx, struct db *db, const struct ledger_entry *e, bool *entered) FG_MUST_CHECK;
/* FG_NONE, or 1 to LEDGER_REFERENCE_MAX visible characters of ASCII. */
bool ledger_is_reference(struct fg_str s);

/* ---- what must always be so ---- */

/* L(name, words): how many jobs break a rule; all must be 0. */
#define LEDGER_JOB_RULES(L)                                                    \
    L(open_without_hold, "running jobs without a hold, or with an end")        \
    L(terminal_without_end, "ended jobs without exactly one hold and one end") \
    L(amounts_differ, "ends of another amount or currency than their hold")    \
    L(charged_unfinished, "charged jobs that did not succeed")
/* And how many accounts, by their row of what they used. A window that a clock was wrong in is let be. */
#define LEDGER_ACCOUNT_RULES(L)                                                  \
    L(balance_differs, "accounts whose balance is not the sum of their entries") \
    L(outstanding_differs, "accounts with another number of running jobs")       \
    L(storage_differs, "accounts with another sum of bytes that are kept")       \
    L(day_differs, "accounts whose day's budget is not what its jobs took")      \
    L(month_differs, "accounts whose month's budget is not what its jobs took")  \
    L(currency_differs, "accounts with entries of another currency")
#define LEDGER_RULES(L) LEDGER_JOB_RULES(L) LEDGER_ACCOUNT_RULES(L)

#define LEDGER_NAMED_MAX 4 /* of the accounts that break a rule, for people */
struct ledger_audit {
#define L(name, words) int64_t name;
    LEDGER_RULES(L)
#undef L
    char accounts[LEDGER_NAMED_MAX * 40]; /* public ids, separated by blanks */
    unsigned account_n;
};
int64_t ledger_broken(const struct ledger_audit *a);

/* A walk through all jobs and then all accounts, a part at a time; starts as { 0 }. What moves meanwhile is seen whole,
 * before or after: a job or an account and its entries are read in one statement. */
struct ledger_walk {
    int64_t at, newest;       /* jobs */
    int64_t account_at;
    bool jobs_over, over;
    struct ledger_audit sum;
};
/* The next jobs_max jobs, or some accounts; on an error nothing has moved. */
enum fg_code ledger_walk(struct fg_ctx *cx, struct db *db, struct ledger_walk *w, int64_t jobs_max) FG_MUST_CHECK;

/* The whole walk. */
enum fg_code ledger_check(struct fg_ctx *cx, struct db *db, struct ledger_audit *out) FG_MUST_CHECK;

#endif
