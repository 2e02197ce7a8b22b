/* The nightly proof of the ledger: once a night, by one sweeper, told and never mended. */
#include "store/job_world.h"

#define NIGHT INT64_C(1893466800000000) /* 2030-01-01, 3 o'clock */
#define HOUR_US (3600 * FG_US_PER_S)

static void upkeep(struct job_world *w)
{
    w->sweeper.next_upkeep_us = 0;
    settle(w);
}

static int64_t checked_us(struct job_world *w)
{
    return ask(w, "SELECT checked_us FROM ledger_audit");
}

TEST(once_a_night_and_nothing_is_mended)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "replay-1", 3600);
    run_to_end(&w, id);
    upkeep(&w);
    int64_t first = checked_us(&w);
    CHECK(first > 0 && first < NIGHT, "the first night is the one before");
    CHECK_I64(ask(&w, "SELECT broken FROM ledger_audit"), 0, "all is well");

    do_sql(&w, "CREATE TABLE kept AS SELECT * FROM ledger");
    do_sql(&w, "DELETE FROM ledger WHERE side = 1");
    upkeep(&w);
    CHECK_I64(checked_us(&w), first, "not twice in a night");
    clock_add(&w, NIGHT - w.t.utc_us - FG_US_PER_S);
    upkeep(&w);
    CHECK_I64(checked_us(&w), first, "a second before");
    clock_add(&w, FG_US_PER_S);
    upkeep(&w);
    CHECK(checked_us(&w) >= NIGHT, "the next night");
    CHECK_I64(ask(&w, "SELECT broken FROM ledger_audit"), 1, "an end is missing");
    CHECK_I64(w.t.error_lines, 1, "it is told");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM ledger WHERE side = 1"), 0, "and not mended");

    do_sql(&w, "INSERT INTO ledger SELECT * FROM kept WHERE side = 1");
    clock_add(&w, 24 * HOUR_US);
    upkeep(&w);
    CHECK_I64(ask(&w, "SELECT broken FROM ledger_audit"), 0, "somebody did");
    job_world_end(&w, 1);
}

TEST(one_that_died_over_it_is_replaced)
{
    struct job_world w;
    job_world_begin(&w);
    do_sql(&w, "UPDATE ledger_audit SET begun_us = %lld, checked_us = 0", (long long)w.t.utc_us);
    clock_add(&w, HOUR_US);
    upkeep(&w);
    CHECK_I64(checked_us(&w), 0, "it may still be at it");
    clock_add(&w, FG_US_PER_S);
    upkeep(&w);
    CHECK_I64(checked_us(&w), w.t.utc_us, "an hour is enough");
    job_world_end(&w, 0);
}

TEST(an_account_that_is_wrong_is_named)
{
    struct job_world w;
    job_world_begin(&w);
    do_sql(&w, "UPDATE account_use SET outstanding_n = 3 WHERE account_id = 2");
    upkeep(&w);
    CHECK_I64(ask(&w, "SELECT broken FROM ledger_audit"), 1, "one rule, one account");
    CHECK(strstr(w.t.lines, "\"outstandingDiffers\":1") && strstr(w.t.lines, "\"accounts\":\"acct_2\""),
          w.t.lines);
    CHECK_I64(ask(&w, "SELECT outstanding_n FROM account_use WHERE account_id = 2"), 3, "and not mended");
    do_sql(&w, "UPDATE account_use SET outstanding_n = 0 WHERE account_id = 2");
    job_world_end(&w, 1);
}
