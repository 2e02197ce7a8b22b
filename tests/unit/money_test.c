/* Limits as arithmetic: windows, each limit at its edges, and sums that would not fit. */
#include "base/time.h"
#include "money/use.h"
#include "t.h"

#define HUGE_SUM INT64_MAX

static struct t_world w;

static int64_t at(const char *iso)
{
    int64_t us = 0;
    CHECK(time_parse_iso(fg_str_c(iso), &us), iso);
    return us;
}

static struct fg_str shown(int64_t us)
{
    return time_iso_us(w.cx.mem, us);
}

/* Nothing is limited, and nothing has been used. */
static struct terms no_limits(void)
{
    struct terms t = { .currency = FG_LIT("USD"), .credit_limit_micro = PLAN_NO_LIMIT };
#define T(name, longest, words)
#define N(name, least, most, words) t.plan.name = PLAN_NO_LIMIT;
    PLAN_FIELDS(T, N)
#undef T
#undef N
    t.plan.margin_bp = 0;
    return t;
}

static struct account_use nothing_used(void)
{
    struct account_use u = { .account_id = 1, .user_outstanding_n = -1 };
    use_roll(&u, w.cx.now_us);
    return u;
}

/* ---- windows ---- */

TEST(windows_begin_on_the_minute_the_day_and_the_month)
{
    static const struct {
        const char *now, *minute, *day, *month, *next;
    } row[] = {
        { "2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000000Z", "2030-01-01T00:00:00.000000Z",
          "2030-01-01T00:00:00.000000Z", "2030-02-01T00:00:00.000000Z" },
        { "2030-01-01T00:00:59.999999Z", "2030-01-01T00:00:00.000000Z", "2030-01-01T00:00:00.000000Z",
          "2030-01-01T00:00:00.000000Z", "2030-02-01T00:00:00.000000Z" },
        { "2030-01-31T23:59:59.999999Z", "2030-01-31T23:59:00.000000Z", "2030-01-31T00:00:00.000000Z",
          "2030-01-01T00:00:00.000000Z", "2030-02-01T00:00:00.000000Z" },
        { "2031-02-28T23:59:59.999999Z", "2031-02-28T23:59:00.000000Z", "2031-02-28T00:00:00.000000Z",
          "2031-02-01T00:00:00.000000Z", "2031-03-01T00:00:00.000000Z" },
        { "2032-02-29T12:34:56Z", "2032-02-29T12:34:00.000000Z", "2032-02-29T00:00:00.000000Z",
          "2032-02-01T00:00:00.000000Z", "2032-03-01T00:00:00.000000Z" },
        { "2030-12-31T23:59:59.999999Z", "2030-12-31T23:59:00.000000Z", "2030-12-31T00:00:00.000000Z",
          "2030-12-01T00:00:00.000000Z", "2031-01-01T00:00:00.000000Z" },
        { "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z",
          "1970-01-01T00:00:00.000000Z", "1970-02-01T00:00:00.000000Z" },
    };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        int64_t now = at(row[i].now);
        CHECK_STR(shown(use_minute(now)), fg_str_c(row[i].minute), row[i].now);
        CHECK_STR(shown(use_day(now)), fg_str_c(row[i].day), row[i].now);
        CHECK_STR(shown(use_month(now)), fg_str_c(row[i].month), row[i].now);
        CHECK_STR(shown(use_next_month(now)), fg_str_c(row[i].next), row[i].now);
    }
    t_end(&w, 0);
}

TEST(a_window_is_emptied_when_it_is_over_and_not_before)
{
    static const struct {
        const char *why, *then, *now;
        bool minute, day, month; /* is emptied */
    } row[] = {
        { "the same instant", "2030-03-10T10:20:30Z", "2030-03-10T10:20:30Z", false, false, false },
        { "the minute's last", "2030-03-10T10:20:00Z", "2030-03-10T10:20:59.999999Z", false, false, false },
        { "the next minute", "2030-03-10T10:20:59.999999Z", "2030-03-10T10:21:00Z", true, false, false },
        { "the day's last", "2030-03-10T23:59:00Z", "2030-03-10T23:59:59.999999Z", false, false, false },
        { "the next day", "2030-03-10T23:59:59.999999Z", "2030-03-11T00:00:00Z", true, true, false },
        { "the next month", "2030-03-31T23:59:59.999999Z", "2030-04-01T00:00:00Z", true, true, true },
        { "no 29th of February", "2031-02-28T23:59:59.999999Z", "2031-03-01T00:00:00Z", true, true, true },
        { "a 29th of February", "2032-02-28T23:59:59.999999Z", "2032-02-29T00:00:00Z", true, true, false },
        { "the next year", "2030-12-31T23:59:59.999999Z", "2031-01-01T00:00:00Z", true, true, true },
        { "the same day a year on", "2030-03-10T10:20:30Z", "2031-03-10T10:20:30Z", true, true, true },
        { "the clock went back a second", "2030-03-10T10:20:00Z", "2030-03-10T10:19:59Z", false, false, false },
        { "and a day", "2030-03-10T00:00:00Z", "2030-03-09T23:59:59Z", false, false, false },
        { "and a month", "2030-03-01T00:00:00Z", "2030-02-28T23:59:59Z", false, false, false },
        { "two minutes ahead was a mistake", "2030-03-10T10:20:00Z", "2030-03-10T10:18:59.999999Z", true, false, false },
        { "two days", "2030-03-10T00:00:00Z", "2030-03-08T23:59:59.999999Z", true, true, false },
        { "two months", "2030-03-01T00:00:00Z", "2030-01-31T23:59:59.999999Z", true, true, true },
        { "ten years", "2040-03-10T10:20:30Z", "2030-03-10T10:20:30Z", true, true, true },
    };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct account_use u = { .balance_micro = -9, .outstanding_n = 8, .storage_bytes = 7 };
        use_roll(&u, at(row[i].then));
        int64_t minute_us = u.minute_us, day_us = u.day_us, month_us = u.month_us;
        u.minute_n = 1;
        u.day_n = 2;
        u.day_micro = 3;
        u.month_micro = 4;
        use_roll(&u, at(row[i].now));
        CHECK_I64(u.minute_n, row[i].minute ? 0 : 1, row[i].why);
        CHECK_I64(u.day_n, row[i].day ? 0 : 2, row[i].why);
        CHECK_I64(u.day_micro, row[i].day ? 0 : 3, row[i].why);
        CHECK_I64(u.month_micro, row[i].month ? 0 : 4, row[i].why);
        CHECK_I64(u.minute_us, row[i].minute ? use_minute(at(row[i].now)) : minute_us, row[i].why);
        CHECK_I64(u.day_us, row[i].day ? use_day(at(row[i].now)) : day_us, row[i].why);
        CHECK_I64(u.month_us, row[i].month ? use_month(at(row[i].now)) : month_us, row[i].why);
        CHECK(u.balance_micro == -9 && u.outstanding_n == 8 && u.storage_bytes == 7, "what has no window stays");
    }
    t_end(&w, 0);
}

/* ---- limits ---- */

#define PRICE 100
#define TEN_PAST "2030-03-31T10:10:10.5Z" /* the last day of its month */

/* Every limit, in the order in which they are looked at. */
enum which { MINUTE, DAY, OUTSTANDING, OF_USER, DAY_MONEY, MONTH_MONEY, STORAGE, BALANCE, WHICH_N };
static const struct {
    const char *name;
    size_t max_at, used_at;     /* of struct terms and struct account_use */
    int64_t step, wait_s, window_s;
    enum fg_code code;
} limits[WHICH_N] = {
#define LIMIT(max, used) offsetof(struct terms, max), offsetof(struct account_use, used)
    [MINUTE] = { "jobsPerMinute", LIMIT(plan.minute_max, minute_n), 1, 50, 60, FG_RATE_LIMITED },
    [DAY] = { "jobsPerDay", LIMIT(plan.day_max, day_n), 1, 49790, 86400, FG_RATE_LIMITED },
    [OUTSTANDING] = { "outstandingJobs", LIMIT(plan.outstanding_max, outstanding_n), 1, 0, 0, FG_JOB_LIMIT },
    [OF_USER] = { "outstandingJobsOfUser", LIMIT(plan.user_outstanding_max, user_outstanding_n), 1, 0, 0,
                  FG_JOB_LIMIT },
    [DAY_MONEY] = { "budgetPerDay", LIMIT(plan.day_micro, day_micro), PRICE, 49790, 0, FG_BUDGET_EXCEEDED },
    [MONTH_MONEY] = { "budgetPerMonth", LIMIT(plan.month_micro, month_micro), PRICE, 49790, 0, FG_BUDGET_EXCEEDED },
    [STORAGE] = { "storageBytes", LIMIT(plan.storage_bytes, storage_bytes), 1, 0, 0, FG_STORAGE_LIMIT },
    [BALANCE] = { "balance", LIMIT(credit_limit_micro, balance_micro), PRICE, 0, 0, FG_BALANCE_TOO_LOW },
#undef LIMIT
};

static void set(void *of, size_t offset, int64_t v)
{
    memcpy((char *)of + offset, &v, sizeof v);
}

/* A balance is used where it is below zero. */
static void set_limit(enum which i, struct terms *t, struct account_use *u, int64_t max, int64_t used)
{
    set(t, limits[i].max_at, max);
    set(u, limits[i].used_at, i == BALANCE ? -used : used);
}

static void check_refused(enum which i, const struct terms *t, const struct account_use *u, int64_t max, int64_t current)
{
    CHECK_CODE(&w.cx, use_check(&w.cx, t, u, PRICE), limits[i].code);
    const struct fg_err *e = &w.cx.err;
    CHECK_I64(e->code, limits[i].code, limits[i].name);
    CHECK_STR(fg_str_c(e->limit.name), fg_str_c(limits[i].name), "it is named");
    CHECK_I64(e->limit.max, max, limits[i].name);
    CHECK_I64(e->limit.current, current, limits[i].name);
    CHECK_I64(e->limit.free_us, limits[i].wait_s ? w.cx.now_us + limits[i].wait_s * FG_US_PER_S - FG_US_PER_S / 2 : 0,
              limits[i].name);
    CHECK_I64(e->retry_after_s, limits[i].wait_s, "whole seconds, rounded up");
    CHECK_I64(e->limit.window_s, limits[i].window_s, limits[i].name);
    CHECK(strstr(e->detail, arena_fmt(w.cx.mem, "%lld", (long long)max).p), e->detail);
}

static void limits_begin(void)
{
    t_begin(&w);
    w.cx.now_us = at(TEN_PAST);
}

TEST(each_limit_holds_exactly)
{
    static const struct {
        const char *why;
        int64_t max, below; /* used: what another job would bring to the limit, and so much less */
        bool refused;
    } row[] = {
        { "far below", 1000, 500, false }, { "one below", 1000, 1, false }, { "exactly", 1000, 0, false },
        { "one over", 1000, -1, true },    { "at its end", 1000, -100, true }, { "beyond", 1000, -5000, true },
        { "none at all", 0, 0, true },     { "of no limit", PLAN_NO_LIMIT, -5000, false },
    };
    limits_begin();
    for (int i = 0; i < WHICH_N; i++)
        for (size_t k = 0; k < FG_LEN(row); k++) {
            struct terms t = no_limits();
            struct account_use u = nothing_used();
            int64_t used = row[k].max == 0 ? 0 : row[k].max - limits[i].step - row[k].below;
            set_limit((enum which)i, &t, &u, row[k].max, used);
            if (row[k].refused)
                check_refused((enum which)i, &t, &u, row[k].max, i == BALANCE ? -used : used);
            else
                CHECK_CODE(&w.cx, use_check(&w.cx, &t, &u, PRICE), FG_OK);
        }
    t_end(&w, 0);
}

/* All are broken; one after the other is lifted. */
TEST(the_first_limit_of_several_is_told)
{
    struct terms t = no_limits();
    limits_begin();
    struct account_use u = nothing_used();
    for (int i = 0; i < WHICH_N; i++)
        set_limit((enum which)i, &t, &u, 10 + i, 200 + i);
    for (int i = 0; i < WHICH_N; i++) {
        check_refused((enum which)i, &t, &u, 10 + i, i == BALANCE ? -200 - i : 200 + i);
        set(&t, limits[i].max_at, PLAN_NO_LIMIT);
    }
    CHECK_CODE(&w.cx, use_check(&w.cx, &t, &u, PRICE), FG_OK);
    t_end(&w, 0);
}

TEST(a_users_jobs_count_only_when_somebody_was_asked_about)
{
    struct terms t = no_limits();
    limits_begin();
    struct account_use u = nothing_used();
    t.plan.user_outstanding_max = 0;
    CHECK_CODE(&w.cx, use_check(&w.cx, &t, &u, PRICE), FG_OK);
    u.user_outstanding_n = 0;
    check_refused(OF_USER, &t, &u, 0, 0);
    t_end(&w, 0);
}

TEST(what_costs_nothing_needs_no_money)
{
    struct terms t = no_limits();
    limits_begin();
    struct account_use u = nothing_used();
    t.plan.day_micro = t.plan.month_micro = t.credit_limit_micro = 0;
    CHECK_CODE(&w.cx, use_check(&w.cx, &t, &u, 0), FG_OK);
    CHECK_CODE(&w.cx, use_check(&w.cx, &t, &u, 1), FG_BUDGET_EXCEEDED);
    t_end(&w, 0);
}

TEST(a_month_that_ends_later_is_waited_for)
{
    struct terms t = no_limits();
    limits_begin();
    w.cx.now_us = at("2030-12-01T00:00:00Z");
    struct account_use u = nothing_used();
    t.plan.month_micro = 0;
    CHECK_CODE(&w.cx, use_check(&w.cx, &t, &u, PRICE), FG_BUDGET_EXCEEDED);
    CHECK_I64(w.cx.err.retry_after_s, 31 * 86400, "all of December");
    w.cx.now_us = at("2029-11-30T23:59:59Z"); /* the clock went back: the window is still that of December 2030 */
    CHECK_CODE(&w.cx, use_check(&w.cx, &t, &u, PRICE), FG_BUDGET_EXCEEDED);
    CHECK_I64(w.cx.err.limit.free_us, at("2031-01-01T00:00:00Z"), "as it was");
    t_end(&w, 0);
}

TEST(what_is_left_is_what_is_checked)
{
    struct use_left left[USE_LEFT_MAX];
    struct terms t = no_limits();
    limits_begin();
    struct account_use u = nothing_used();
    CHECK_I64(use_left(&t, &u, left), 0, "none has no limit");
    for (int i = 0; i < WHICH_N; i++)
        set_limit((enum which)i, &t, &u, 100 + i, 50 + i);
    CHECK_I64(use_left(&t, &u, left), BALANCE, "all but the balance, which stands beside them");
    for (int i = 0; i < BALANCE; i++) {
        CHECK_STR(fg_str_c(left[i].name), fg_str_c(limits[i].name), "in the order of the checks");
        CHECK_I64(left[i].max, 100 + i, limits[i].name);
        CHECK_I64(left[i].used, 50 + i, limits[i].name);
        CHECK_I64(left[i].window_s, limits[i].window_s, limits[i].name);
    }
    t_end(&w, 0);
}

/* ---- sums that do not fit ---- */

TEST(a_limit_is_never_passed_by_a_sum_that_does_not_fit)
{
    static const struct {
        const char *why;
        enum which which;
        int64_t max, used, price;
        bool refused;
    } row[] = {
        { "a day's money at its end", DAY_MONEY, MONEY_MAX, HUGE_SUM, 1, true },
        { "a month's", MONTH_MONEY, MONEY_MAX, HUGE_SUM, MONEY_MAX, true },
        { "the largest price, and room for it", DAY_MONEY, MONEY_MAX, 0, MONEY_MAX, false },
        { "and a micro-unit less", DAY_MONEY, MONEY_MAX, 1, MONEY_MAX, true },
        { "all storage there can be", STORAGE, INT64_MAX, INT64_MAX, 1, true },
        { "all but a byte", STORAGE, INT64_MAX, INT64_MAX - 1, 1, false },
        { "a count at its end", DAY, 1000000000, HUGE_SUM, 1, true },
        { "the deepest debt but one", BALANCE, INT64_MAX, INT64_MAX, 1, true },
        { "a debt that credit still covers", BALANCE, INT64_MAX, INT64_MAX - 1, 1, false },
        { "the largest balance", BALANCE, 0, -INT64_MAX, MONEY_MAX, false },
    };
    limits_begin();
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct terms t = no_limits();
        struct account_use u = nothing_used();
        set_limit(row[i].which, &t, &u, row[i].max, row[i].used);
        enum fg_code rc = use_check(&w.cx, &t, &u, row[i].price);
        CHECK_I64(rc, row[i].refused ? limits[row[i].which].code : FG_OK, row[i].why);
    }
    t_end(&w, 0);
}

/* Its opposite is no number of 64 bits. */
TEST(the_deepest_debt_there_can_be_is_a_debt)
{
    struct terms t = no_limits();
    limits_begin();
    struct account_use u = nothing_used();
    u.balance_micro = INT64_MIN;
    for (int64_t credit = 0; credit >= 0; credit = credit ? -1 : INT64_MAX) {
        t.credit_limit_micro = credit;
        CHECK_CODE(&w.cx, use_check(&w.cx, &t, &u, 0), FG_BALANCE_TOO_LOW);
        CHECK_I64(w.cx.err.limit.current, INT64_MIN, "as it is");
    }
    t_end(&w, 0);
}

TEST(a_sum_that_does_not_fit_is_refused_and_nothing_is_taken)
{
    static const struct {
        const char *why;
        int64_t price, balance, day, month;
        bool fits;
    } row[] = {
        { "nothing at all", 0, 0, 0, 0, true },
        { "the largest", MONEY_MAX, 0, 0, 0, true },
        { "over the largest", MONEY_MAX + 1, 0, 0, 0, false },
        { "below nothing", -1, 0, 0, 0, false },
        { "far below nothing", INT64_MIN, 0, 0, 0, false },
        { "to the lowest balance", 5, INT64_MIN + 5, 0, 0, true },
        { "below it", 5, INT64_MIN + 4, 0, 0, false },
        { "from the highest", MONEY_MAX, INT64_MAX, 0, 0, true },
        { "to the most of a day", 5, 0, INT64_MAX - 5, 0, true },
        { "over it", 5, 0, INT64_MAX - 4, 0, false },
        { "to the most of a month", 5, 0, 0, INT64_MAX - 5, true },
        { "over it", 5, 0, 0, INT64_MAX - 4, false },
    };
    limits_begin();
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct account_use u = nothing_used();
        u.outstanding_n = 3;
        u.minute_n = 4;
        u.day_n = 5;
        u.user_outstanding_n = 6;
        u.balance_micro = row[i].balance;
        u.day_micro = row[i].day;
        u.month_micro = row[i].month;
        struct account_use was = u;
        enum fg_code rc = use_take(&w.cx, &u, row[i].price);
        CHECK_I64(rc, row[i].fits ? FG_OK : FG_INTERNAL, row[i].why);
        if (row[i].fits) {
            was.balance_micro -= row[i].price;
            was.day_micro += row[i].price;
            was.month_micro += row[i].price;
            was.outstanding_n++;
            was.minute_n++;
            was.day_n++;
        }
        CHECK(memcmp(&u, &was, sizeof u) == 0, row[i].why);
    }
    t_end(&w, 0);
}

/* What is checked and then taken is never over, whatever is asked for. */
TEST(taking_what_was_allowed_comes_to_the_limit_and_stays_there)
{
    struct terms t = no_limits();
    limits_begin();
    struct account_use u = nothing_used();
    int taken = 0;
    t.plan.day_micro = 1000;
    t.credit_limit_micro = 950;
    while (use_check(&w.cx, &t, &u, PRICE) == FG_OK && taken < 100) {
        CHECK_CODE(&w.cx, use_take(&w.cx, &u, PRICE), FG_OK);
        taken++;
    }
    CHECK_I64(taken, 9, "the credit ends before the day's budget does");
    CHECK_I64(u.balance_micro, -900, "a tenth would be at -1000");
    t_end(&w, 0);
}
