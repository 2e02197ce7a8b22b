#include "money/ledger.h"

#include <stdio.h>

#include "base/utf8.h"

/* Jobs per audit statement: far below the statement's time limit, whatever the table's size. */
#define AUDIT_CHUNK 20000
#define NOTE_MAX 500
#define ACCOUNT_CHUNK 20 /* of which all entries are added up */

static enum fg_code add(struct fg_ctx *cx, struct db *db, const struct ledger_job *j, enum ledger_kind kind)
{
    FG_ASSERT(j->price_micro >= 0);
    int side = kind == LEDGER_HOLD ? 0 : 1;
    return db_run(cx, db, SQL_LEDGER_ADD,
                  DB_ARGS(DB(j->job_id), DB(side), DB(j->account_id), DB((int)kind), DB(j->price_micro),
                          DB(j->currency), DB(cx->now_us)));
}

static enum fg_code put_use(struct fg_ctx *cx, struct db *db, const struct account_use *u)
{
    return db_run(cx, db, SQL_USE_PUT,
                  DB_ARGS(DB(u->balance_micro), DB(u->outstanding_n), DB(u->minute_us), DB(u->minute_n), DB(u->day_us),
                          DB(u->day_n), DB(u->day_micro), DB(u->month_us), DB(u->month_micro), DB(u->account_id)));
}

enum fg_code ledger_hold(struct fg_ctx *cx, struct db *db, const struct ledger_job *j, struct account_use *u)
{
    enum fg_code rc = use_take(cx, u, j->price_micro);
    if (rc == FG_OK)
        rc = add(cx, db, j, LEDGER_HOLD);
    return rc == FG_OK ? put_use(cx, db, u) : rc;
}

/* What is released is free again in the windows that it was taken from, while those last. */
enum fg_code ledger_end(struct fg_ctx *cx, struct db *db, const struct ledger_job *j, enum ledger_kind kind)
{
    int64_t back = kind == LEDGER_RELEASE ? j->price_micro : 0;
    enum fg_code rc = add(cx, db, j, kind);
    if (rc != FG_OK)
        return rc;
    return db_run(cx, db, SQL_USE_END,
                  DB_ARGS(DB(back), DB(j->created_us), DB(back), DB(j->created_us), DB(back), DB(j->account_id)));
}

enum fg_code ledger_storage(struct fg_ctx *cx, struct db *db, int64_t account_id, int64_t bytes)
{
    return db_run(cx, db, SQL_USE_STORAGE, DB_ARGS(DB(bytes), DB(account_id)));
}

/* ---- by the operator ---- */

struct entered_row {
    int64_t kind, amount_micro;
};
static const struct db_col entered_cols[] = { COL(struct entered_row, kind), COL(struct entered_row, amount_micro) };

/* *found: it is there already, and is the same. */
static enum fg_code find_entered(struct fg_ctx *cx, struct db *db, const struct ledger_entry *e, bool *found)
{
    struct entered_row row;
    *found = false;
    if (!e->reference.p)
        return FG_OK;
    enum fg_code rc = db_one(cx, db, SQL_LEDGER_ENTERED, DB_ARGS(DB(e->account_id), DB(e->reference)),
                             DB_COLS(entered_cols), &row, found);
    if (rc == FG_OK && *found && (row.kind != (int64_t)e->kind || row.amount_micro != e->amount_micro))
        rc = fg_fail(cx, FG_DB_DUPLICATE, "The reference %.*s is of another entry.", FG_P(e->reference));
    return rc;
}

bool ledger_is_reference(struct fg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    return !s.p || (s.n > 0 && s.n <= LEDGER_REFERENCE_MAX);
}

static enum fg_code check_entry(struct fg_ctx *cx, const struct ledger_entry *e)
{
    bool fits = e->amount_micro <= MONEY_MAX && e->amount_micro >= (e->kind == LEDGER_ADJUST ? -MONEY_MAX : 1);
    if (!fits || e->amount_micro == 0)
        return fg_fail(cx, FG_INVALID_REQUEST, "The amount must be %s, and at most %lld micro-units.",
                       e->kind == LEDGER_ADJUST ? "something" : "over 0", (long long)MONEY_MAX);
    if (!ledger_is_reference(e->reference) || (e->note.p && utf8_count(e->note) > NOTE_MAX))
        return fg_fail(cx, FG_INVALID_REQUEST, "A reference has 1 to %d characters of ASCII, a note at most %d.",
                       LEDGER_REFERENCE_MAX, NOTE_MAX);
    return FG_OK;
}

enum fg_code ledger_enter(struct fg_ctx *cx, struct db *db, const struct ledger_entry *e, bool *entered)
{
    struct terms t;
    struct account_use u;
    bool found = false;
    *entered = false;
    enum fg_code rc = check_entry(cx, e);
    if (rc == FG_OK)
        rc = terms_read(cx, db, e->account_id, &t);
    if (rc == FG_OK)
        rc = use_lock(cx, db, e->account_id, &t, FG_NONE, &u);
    if (rc == FG_OK)
        rc = find_entered(cx, db, e, &found);
    if (rc != FG_OK || found)
        return rc;
    if (__builtin_add_overflow(u.balance_micro, e->amount_micro, &u.balance_micro))
        return fg_fail(cx, FG_INVALID_REQUEST, "The balance would not fit.");
    rc = db_run(cx, db, SQL_LEDGER_ENTER,
                DB_ARGS(DB(e->account_id), DB((int)e->kind), DB(e->amount_micro), DB(t.currency), DB(cx->now_us),
                        DB(e->reference), DB(e->note)));
    if (rc == FG_OK)
        rc = put_use(cx, db, &u);
    *entered = rc == FG_OK;
    return rc;
}

static const struct db_col audit_cols[] = {
#define L(name, words) COL(struct ledger_audit, name),
    LEDGER_JOB_RULES(L)
#undef L
};

struct account_proof {
    int64_t id;
    struct fg_str public_id;
#define L(name, words) bool name;
    LEDGER_ACCOUNT_RULES(L)
#undef L
};
static const struct db_col proof_cols[] = {
    COL(struct account_proof, id), COL(struct account_proof, public_id),
#define L(name, words) COL(struct account_proof, name),
    LEDGER_ACCOUNT_RULES(L)
#undef L
};

struct newest {
    int64_t id;
};
static const struct db_col newest_cols[] = { COL(struct newest, id) };

int64_t ledger_broken(const struct ledger_audit *a)
{
    int64_t n = 0;
#define L(name, words) n += a->name;
    LEDGER_RULES(L)
#undef L
    return n;
}

static enum fg_code walk_jobs(struct fg_ctx *cx, struct db *db, struct ledger_walk *w, int64_t jobs_max)
{
    struct newest newest = { w->newest };
    struct ledger_audit part = { 0 };
    bool found;
    enum fg_code rc = FG_OK;
    if (!w->newest)
        rc = db_one(cx, db, SQL_LEDGER_NEWEST_JOB, DB_NO_ARGS, DB_COLS(newest_cols), &newest, &found);
    if (rc == FG_OK && newest.id > 0)
        rc = db_one(cx, db, SQL_LEDGER_AUDIT, DB_ARGS(DB(w->at), DB(w->at + jobs_max)), DB_COLS(audit_cols), &part,
                    &found);
    if (rc != FG_OK)
        return rc;
#define L(name, words) w->sum.name += part.name;
    LEDGER_JOB_RULES(L)
#undef L
    w->newest = newest.id;
    w->at += jobs_max;
    w->jobs_over = w->at >= w->newest;
    return FG_OK;
}

static void prove(struct ledger_audit *sum, const struct account_proof *a)
{
    int64_t before = ledger_broken(sum);
#define L(name, words) sum->name += a->name;
    LEDGER_ACCOUNT_RULES(L)
#undef L
    if (ledger_broken(sum) == before || sum->account_n == LEDGER_NAMED_MAX)
        return;
    size_t n = strlen(sum->accounts);
    (void)snprintf(sum->accounts + n, sizeof sum->accounts - n, "%s%.*s", n ? " " : "", FG_P(a->public_id));
    sum->account_n++;
}

static enum fg_code walk_accounts(struct fg_ctx *cx, struct db *db, struct ledger_walk *w)
{
    struct account_proof *row;
    size_t n;
    enum fg_code rc = DB_ALL(cx, db, SQL_LEDGER_AUDIT_ACCOUNTS, DB_ARGS(DB(w->account_at), DB(ACCOUNT_CHUNK)),
                             DB_COLS(proof_cols), &row, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++) {
        prove(&w->sum, &row[i]);
        w->account_at = row[i].id;
    }
    w->over = rc == FG_OK && n < ACCOUNT_CHUNK;
    return rc;
}

enum fg_code ledger_walk(struct fg_ctx *cx, struct db *db, struct ledger_walk *w, int64_t jobs_max)
{
    return w->jobs_over ? walk_accounts(cx, db, w) : walk_jobs(cx, db, w, jobs_max);
}

enum fg_code ledger_check(struct fg_ctx *cx, struct db *db, struct ledger_audit *out)
{
    struct ledger_walk w = { 0 };
    enum fg_code rc = FG_OK;
    while (rc == FG_OK && !w.over)
        rc = ledger_walk(cx, db, &w, AUDIT_CHUNK);
    if (rc == FG_OK)
        *out = w.sum;
    return rc;
}
