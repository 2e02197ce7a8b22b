#include "money/cost.h"

#define PERIOD_US (24 * 3600 * FG_US_PER_S)
#define FRESH_US (50 * FG_US_PER_S)

static const struct db_col cost_cols[] = { COL(struct cost_row, outcome), COL(struct cost_row, currency),
                                           COL(struct cost_row, n), COL(struct cost_row, micro) };

/* The last row is of no outcome: the attempts alone. */
enum fg_code cost_read(struct fg_ctx *cx, struct db *db, int64_t from_us, int64_t to_us, struct cost *out)
{
    struct cost c = { 0 };
    enum fg_code rc = DB_ALL(cx, db, SQL_COST, DB_ARGS(DB(from_us), DB(to_us), DB(from_us), DB(to_us)),
                             DB_COLS(cost_cols), &c.row, &c.n);
    if (rc == FG_OK)
        rc = DB_ALL(cx, db, SQL_COST_CHARGED, DB_ARGS(DB(FG_LIT(COST_CHARGED)), DB(from_us), DB(to_us)),
                    DB_COLS(cost_cols), &c.charged, &c.charged_n);
    if (rc != FG_OK)
        return rc;
    FG_ASSERT(c.n > 0 && !c.row[c.n - 1].outcome.p);
    c.n--;
    c.attempt_n = c.row[c.n].n;
    c.attempt_micro = c.row[c.n].micro;
    *out = c;
    return FG_OK;
}

enum fg_code cost_reconcile(struct fg_ctx *cx, const struct cost *c)
{
    int64_t n = 0, micro = 0;
    bool fits = true;
    for (size_t i = 0; i < c->n; i++) {
        n += c->row[i].n;
        fits = fits && !__builtin_add_overflow(micro, c->row[i].micro, &micro);
    }
    if (fits && n == c->attempt_n && micro == c->attempt_micro)
        return FG_OK;
    return fg_fail(cx, FG_INTERNAL, "The outcomes are of %lld attempts and %lld micro-units, the attempts are %lld and %lld.",
                   (long long)n, (long long)micro, (long long)c->attempt_n, (long long)c->attempt_micro);
}

enum fg_code cost_storage(struct fg_ctx *cx, struct db *db, int64_t from_us, int64_t to_us, int64_t gib_month_micro,
                          struct cost_storage *out)
{
    static const struct db_col cols[] = { COL(struct cost_storage, bytes), COL(struct cost_storage, micro) };
    bool found;
    return db_one(cx, db, SQL_COST_STORAGE,
                  DB_ARGS(DB(to_us), DB(to_us), DB(from_us), DB(gib_month_micro), DB(to_us), DB(from_us)), DB_COLS(cols),
                  out, &found);
}

/* ---- kept for /metrics ---- */

static enum fg_code put(struct fg_ctx *cx, struct db *db, const struct cost_row *r)
{
    return db_run(cx, db, SQL_COST_PUT, DB_ARGS(DB(r->outcome), DB(r->currency), DB(r->n), DB(r->micro), DB(cx->now_us),
                                                DB(r->n), DB(r->micro), DB(cx->now_us)));
}

struct age {
    int64_t computed_us;
};

enum fg_code cost_keep(struct fg_ctx *cx, struct db *db)
{
    static const struct db_col cols[] = { COL(struct age, computed_us) };
    struct age age = { 0 };
    struct cost c;
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_COST_AGE, DB_NO_ARGS, DB_COLS(cols), &age, &found);
    if (rc != FG_OK || (age.computed_us > cx->now_us - FRESH_US && age.computed_us <= cx->now_us))
        return rc;
    rc = cost_read(cx, db, cx->now_us - PERIOD_US, cx->now_us + 1, &c);
    for (size_t i = 0; rc == FG_OK && i < c.n; i++)
        rc = put(cx, db, &c.row[i]);
    for (size_t i = 0; rc == FG_OK && i < c.charged_n; i++)
        rc = put(cx, db, &c.charged[i]);
    return rc == FG_OK ? db_run(cx, db, SQL_COST_PURGE, DB_ARGS(DB(cx->now_us))) : rc;
}

enum fg_code cost_kept(struct fg_ctx *cx, struct db *db, struct cost_row **rows, size_t *n)
{
    return DB_ALL(cx, db, SQL_COST_KEPT, DB_NO_ARGS, DB_COLS(cost_cols), rows, n);
}
