#include "money/use.h"

#include <time.h>

#define MINUTE_US (60 * FG_US_PER_S)
#define DAY_US (86400 * FG_US_PER_S)

static const struct db_col use_cols[] = {
    COL(struct account_use, account_id), COL(struct account_use, balance_micro), COL(struct account_use, outstanding_n),
    COL(struct account_use, storage_bytes), COL(struct account_use, minute_us), COL(struct account_use, minute_n),
    COL(struct account_use, day_us), COL(struct account_use, day_n), COL(struct account_use, day_micro),
    COL(struct account_use, month_us), COL(struct account_use, month_micro),
};

static enum fg_code count_user(struct fg_ctx *cx, struct db *db, const struct terms *t, struct fg_str user_id,
                               struct account_use *u)
{
    static const struct db_col cols[] = { COL(struct account_use, user_outstanding_n) };
    bool found;
    u->user_outstanding_n = -1;
    if (t->plan.user_outstanding_max < 0 || !user_id.p)
        return FG_OK;
    return db_one(cx, db, SQL_USER_OUTSTANDING, DB_ARGS(DB(u->account_id), DB(user_id)), DB_COLS(cols), u, &found);
}

static enum fg_code read_row(struct fg_ctx *cx, struct db *db, enum db_sql sql, int64_t account_id,
                             const struct terms *t, struct fg_str user_id, struct account_use *out)
{
    bool found;
    enum fg_code rc = db_one(cx, db, sql, DB_ARGS(DB(account_id)), DB_COLS(use_cols), out, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_INTERNAL, "Account %lld has no row of what it used.", (long long)account_id);
    if (rc != FG_OK)
        return rc;
    use_roll(out, cx->now_us);
    return count_user(cx, db, t, user_id, out);
}

enum fg_code use_lock(struct fg_ctx *cx, struct db *db, int64_t account_id, const struct terms *t, struct fg_str user_id,
                      struct account_use *out)
{
    return read_row(cx, db, SQL_USE_LOCK, account_id, t, user_id, out);
}

enum fg_code use_read(struct fg_ctx *cx, struct db *db, int64_t account_id, const struct terms *t, struct fg_str user_id,
                      struct account_use *out)
{
    return read_row(cx, db, SQL_USE_READ, account_id, t, user_id, out);
}

int64_t use_minute(int64_t us)
{
    return us - us % MINUTE_US;
}

int64_t use_day(int64_t us)
{
    return us - us % DAY_US;
}

static int64_t month(int64_t us, int months_on)
{
    time_t s = (time_t)(us / FG_US_PER_S);
    struct tm tm;
    gmtime_r(&s, &tm);
    struct tm first = { .tm_year = tm.tm_year, .tm_mon = tm.tm_mon + months_on, .tm_mday = 1 };
    return (int64_t)timegm(&first) * FG_US_PER_S;
}

int64_t use_month(int64_t us)
{
    return month(us, 0);
}

int64_t use_next_month(int64_t us)
{
    return month(us, 1);
}

/* Not this window any more, nor the next, in which another host may be already. */
static bool is_over_with(int64_t window_us, int64_t this_us, int64_t next_us)
{
    return window_us < this_us || window_us > next_us;
}

void use_roll(struct account_use *u, int64_t now_us)
{
    int64_t minute = use_minute(now_us), day = use_day(now_us), first = use_month(now_us);
    if (is_over_with(u->minute_us, minute, minute + MINUTE_US)) {
        u->minute_us = minute;
        u->minute_n = 0;
    }
    if (is_over_with(u->day_us, day, day + DAY_US)) {
        u->day_us = day;
        u->day_n = u->day_micro = 0;
    }
    if (is_over_with(u->month_us, first, use_next_month(now_us))) {
        u->month_us = first;
        u->month_micro = 0;
    }
}

/* ---- the limits, in the order in which they are looked at ---- */

struct limit {
    struct use_left left;
    int64_t step;               /* what another job adds */
    enum fg_code code;
    const char *words;          /* "The account may … ." */
};
#define LIMIT_N 7

static void list_limits(const struct terms *t, const struct account_use *u, int64_t price_micro,
                        struct limit out[LIMIT_N])
{
    const struct plan *p = &t->plan;
    int64_t minute = u->minute_us + MINUTE_US, day = u->day_us + DAY_US, next = use_next_month(u->month_us);
    const struct limit all[LIMIT_N] = {
        { { "jobsPerMinute", p->minute_max, u->minute_n, minute, 60 }, 1, FG_RATE_LIMITED,
          "This account may create so many jobs a minute" },
        { { "jobsPerDay", p->day_max, u->day_n, day, 86400 }, 1, FG_RATE_LIMITED,
          "This account may create so many jobs a day (UTC)" },
        { { "outstandingJobs", p->outstanding_max, u->outstanding_n, 0, 0 }, 1, FG_JOB_LIMIT,
          "This account may have so many jobs that have not ended" },
        { { USE_OF_USER, u->user_outstanding_n < 0 ? PLAN_NO_LIMIT : p->user_outstanding_max,
            u->user_outstanding_n, 0, 0 }, 1, FG_JOB_LIMIT,
          "One user of this account may have so many jobs that have not ended" },
        { { "budgetPerDay", p->day_micro, u->day_micro, day, 0 }, price_micro, FG_BUDGET_EXCEEDED,
          "This account may spend so many micro-units a day (UTC)" },
        { { "budgetPerMonth", p->month_micro, u->month_micro, next, 0 }, price_micro, FG_BUDGET_EXCEEDED,
          "This account may spend so many micro-units a month (UTC)" },
        { { "storageBytes", p->storage_bytes, u->storage_bytes, 0, 0 }, 1, FG_STORAGE_LIMIT,
          "This account may keep so many bytes of videos and pictures; delete some" },
    };
    memcpy(out, all, sizeof all);
}

unsigned use_left(const struct terms *t, const struct account_use *u, struct use_left out[USE_LEFT_MAX])
{
    struct limit l[LIMIT_N];
    unsigned n = 0;
    list_limits(t, u, 0, l);
    for (unsigned i = 0; i < LIMIT_N; i++)
        if (l[i].left.max >= 0)
            out[n++] = l[i].left;
    return n;
}

static bool is_over(int64_t used, int64_t step, int64_t max)
{
    int64_t sum;
    return __builtin_add_overflow(used, step, &sum) || sum > max;
}

static enum fg_code refuse(struct fg_ctx *cx, const struct limit *l)
{
    bool budget = l->code == FG_BUDGET_EXCEEDED;
    (void)fg_fail(cx, l->code, budget ? "%s: %lld. %lld are spent or held, and this job costs %lld."
                                      : "%s: %lld. It has %lld.",
                  l->words, (long long)l->left.max, (long long)l->left.used, (long long)l->step);
    return fg_limit(cx, &(struct fg_err_limit){ l->left.name, l->left.max, l->left.used, l->left.free_us,
                                                l->left.window_s });
}

/* Its credit ends where the balance would be under -credit_limit_micro. */
static enum fg_code check_balance(struct fg_ctx *cx, const struct terms *t, const struct account_use *u,
                                  int64_t price_micro)
{
    int64_t owed;
    bool over = __builtin_sub_overflow(INT64_C(0), u->balance_micro, &owed) ||
                is_over(owed, price_micro, t->credit_limit_micro);
    if (t->credit_limit_micro < 0 || !over)
        return FG_OK;
    (void)fg_fail(cx, FG_BALANCE_TOO_LOW,
                  "The balance is %lld micro-units, with a credit of %lld, and this job costs %lld.",
                  (long long)u->balance_micro, (long long)t->credit_limit_micro, (long long)price_micro);
    return fg_limit(cx, &(struct fg_err_limit){ "balance", t->credit_limit_micro, u->balance_micro, 0, 0 });
}

enum fg_code use_check(struct fg_ctx *cx, const struct terms *t, const struct account_use *u, int64_t price_micro)
{
    struct limit l[LIMIT_N];
    list_limits(t, u, price_micro, l);
    for (unsigned i = 0; i < LIMIT_N; i++)
        if (l[i].left.max >= 0 && is_over(l[i].left.used, l[i].step, l[i].left.max))
            return refuse(cx, &l[i]);
    return check_balance(cx, t, u, price_micro);
}

enum fg_code use_take(struct fg_ctx *cx, struct account_use *u, int64_t price_micro)
{
    struct account_use was = *u;
    if (price_micro < 0 || price_micro > MONEY_MAX ||
        __builtin_sub_overflow(was.balance_micro, price_micro, &u->balance_micro) ||
        __builtin_add_overflow(was.day_micro, price_micro, &u->day_micro) ||
        __builtin_add_overflow(was.month_micro, price_micro, &u->month_micro)) {
        *u = was;
        return fg_fail(cx, FG_INTERNAL, "A sum of money does not fit.");
    }
    u->outstanding_n++;
    u->minute_n++;
    u->day_n++;
    return FG_OK;
}
