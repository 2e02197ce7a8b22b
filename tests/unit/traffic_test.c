/* The breaker and the pace of calls: pure. */
#include "sweeper/traffic.h"
#include "t.h"

#define S FG_US_PER_S

TEST(a_breaker_opens_after_failures_in_a_row_and_closes_with_one_success)
{
    struct provider_traffic p = { .failures = 0 };
    int64_t now = 1000 * S;
    for (int i = 1; i < TRAFFIC_FAILURES_MAX; i++)
        CHECK(!breaker_heard(&p, false, now), "not yet");
    CHECK(!breaker_heard(&p, true, now), "nothing to tell: it was closed");
    for (int i = 1; i < TRAFFIC_FAILURES_MAX; i++)
        CHECK(!breaker_heard(&p, false, now), "counted anew");
    CHECK(breaker_heard(&p, false, now), "opens");
    CHECK_I64(p.breaker, BREAKER_OPEN, "open");
    CHECK_I64(p.breaker_us, now + TRAFFIC_OPEN_US, "for a while");
    CHECK(!breaker_heard(&p, false, now + 1), "what fails while it is open is no news");
    CHECK(breaker_heard(&p, true, now + 2), "a poll got through");
    CHECK_I64(p.breaker, BREAKER_CLOSED, "closed");
}

TEST(each_failed_probe_keeps_it_open_for_longer)
{
    struct provider_traffic p = { .breaker = BREAKER_OPEN, .opened_n = 1, .breaker_us = 0 };
    int64_t now = 1000 * S, last = 0;
    for (int i = 0; i < 10; i++) {
        p.breaker = BREAKER_HALF_OPEN;
        p.breaker_us = now;
        CHECK(breaker_heard(&p, false, now), "opens again");
        int64_t pause = p.breaker_us - now;
        CHECK(pause >= last && pause <= TRAFFIC_OPEN_MAX_US, "longer, to a limit");
        last = pause;
    }
    CHECK_I64(last, TRAFFIC_OPEN_MAX_US, "the limit");
}

TEST(the_pace_lets_a_burst_through_and_then_spreads_calls_out)
{
    struct lane_limit l = { .interval_us = S, .burst_us = 6 * S };
    int64_t t0 = 5000 * S;
    CHECK_I64(limit_room(&l, t0), 6, "a burst");
    for (int i = 0; i < 6; i++)
        CHECK_I64(limit_take(&l, t0), t0, "at once");
    CHECK_I64(limit_room(&l, t0), 0, "that was it");
    CHECK_I64(limit_take(&l, t0), t0 + S, "the next in its turn");
    CHECK_I64(limit_take(&l, t0), t0 + 2 * S, "and the next");
    CHECK_I64(limit_room(&l, t0 + 4 * S), 2, "time brings room back");
    CHECK_I64(limit_take(&l, t0 + 3600 * S), t0 + 3600 * S, "idle time is not saved up");
    CHECK_I64(limit_room(&l, t0 + 3600 * S), 5, "beyond the burst");
}

TEST(no_limit_is_no_limit)
{
    struct lane_limit l = { .interval_us = 0 };
    CHECK_I64(limit_take(&l, 77), 77, "at once");
    CHECK(limit_room(&l, 77) > 1000, "room");
}
