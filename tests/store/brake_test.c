/* The operator's brakes: what an hour may cost, each provider and all of them; what new jobs hear then; and the share of
 * submits that may be retries, so that an outage does not multiply the bill. A job here costs 10,000 micro-units. */
#include "store/job_world.h"

#define FAR 86400
#define HOUR BRAKE_HOUR_US
#define SUBMITTED "SELECT COUNT(*) FROM job WHERE stage <> 1"
#define BODY(model, seconds)                                                                   \
    FG_LIT("{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":" seconds ",\"model\":\"" model "\"}")

static int64_t until(struct job_world *w, const char *provider)
{
    return ask(w, "SELECT IFNULL(braked_until_us, 0) FROM provider_state WHERE provider = '%s'", provider);
}

static void jobs(struct job_world *w, const char *model, int n)
{
    for (int i = 0; i < n; i++)
        (void)new_job(w, model, FAR);
}

TEST(at_the_brake_jobs_wait_and_go_on_by_themselves)
{
    struct job_world w;
    struct sweeper other;
    job_world_begin(&w);
    second_sweeper(&w, &other);
    w.conf.brake_provider_hour_micro = 35000;
    int64_t began_us = w.t.utc_us;
    jobs(&w, "list-1", 7);
    settle(&w);
    settle_with(&other);
    CHECK_I64(ask(&w, SUBMITTED), 3, "what the hour pays for");
    CHECK_I64(until(&w, "list"), began_us + HOUR, "until what was spent first is an hour old");
    jobs(&w, "wait-1", 1);
    clock_add(&w, 60 * FG_US_PER_S);
    settle_with(&other);
    CHECK_I64(ask(&w, SUBMITTED " AND model = 'wait-1'"), 1, "it is that provider's brake");
    for (int i = 0; i < 20; i++) {
        clock_add(&w, 30 * FG_US_PER_S);
        settle(&w);
    }
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job WHERE state = 4 AND model = 'list-1'"), 3, "what runs comes to its end");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM attempt WHERE provider = 'list'"), 3, "and gives nobody its place");
    clock_add(&w, began_us + HOUR + FG_US_PER_S - w.t.utc_us);
    settle(&w);
    settle_with(&other);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM attempt WHERE provider = 'list'"), 6, "the next three");
    CHECK(until(&w, "list") > w.t.utc_us, "and the brake again");
    clock_add(&w, HOUR + FG_US_PER_S);
    settle(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM attempt WHERE provider = 'list'"), 7, "the last");
    CHECK_I64(until(&w, "list"), 0, "nobody waits for it any more");
    sweeper_close(&other);
    job_world_end(&w, 0);
}

TEST(the_brake_of_all_counts_every_provider)
{
    struct job_world w;
    job_world_begin(&w);
    w.conf.brake_hour_micro = 40000;
    say_status(&w, "in_progress", -1);
    jobs(&w, "list-1", 3);
    jobs(&w, "wait-1", 3);
    settle(&w);
    CHECK_I64(ask(&w, SUBMITTED), 4, "together");
    CHECK(until(&w, "all") > w.t.utc_us, "of all");
    job_world_end(&w, 0);
}

TEST(what_was_refused_for_nothing_does_not_count_and_what_is_known_does)
{
    struct job_world w;
    job_world_begin(&w);
    w.conf.brake_provider_hour_micro = 20000;
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 400,
        .body = FG_LIT("{\"error\":{\"code\":\"invalid_value\",\"message\":\"m\"}}") });
    jobs(&w, "list-1", 4);
    settle(&w);
    settle(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM attempt WHERE state = 3"), 4, "none of them cost anything");
    fake_unsay(w.fake, FAKE_SUBMIT);
    say_status(&w, "in_progress", -1);
    jobs(&w, "list-1", 1);
    settle(&w);
    do_sql(&w, "UPDATE attempt SET cost_micro = 11000 WHERE state = 2");
    jobs(&w, "list-1", 1);
    settle(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM attempt WHERE state = 2"), 1, "it was dearer than expected");
    do_sql(&w, "UPDATE attempt SET cost_micro = 9000 WHERE state = 2");
    settle(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM attempt WHERE state = 2"), 2, "cheaper, and the next one goes");
    job_world_end(&w, 0);
}

TEST(what_no_hour_could_pay_for_holds_up_nobody)
{
    struct job_world w;
    struct job_answer a;
    job_world_begin(&w);
    w.conf.brake_provider_hour_micro = 15000;
    say_status(&w, "in_progress", -1);
    CHECK_CODE(w.cx, create_job(&w, BODY("list-1", "10"), NULL, &a), FG_OK);
    struct fg_str dear = a.job_id;
    jobs(&w, "list-1", 1);
    settle(&w);
    check_place(&w, dear, JOB_PENDING, STAGE_WAITING, "", "dearer than the brake");
    CHECK_I64(ask(&w, SUBMITTED), 1, "the one behind it goes");
    job_world_end(&w, 0);
}

static bool says(struct job_world *w, struct fg_str id, const char *words)
{
    struct job j = job_now(w, id);
    struct sb b = sb_in(w->cx->mem, JOB_BODY_MAX);
    job_json(w->cx, &w->env, &j, &b);
    return strstr(sb_cstr(&b), words);
}

TEST(new_jobs_wait_in_words_or_are_refused)
{
    struct job_world w;
    struct job_answer a;
    struct brakes brakes;
    job_world_begin(&w);
    w.conf.brake_provider_hour_micro = 10000;
    say_status(&w, "in_progress", -1);
    jobs(&w, "list-1", 1);
    struct fg_str waits = new_job(&w, "list-1", FAR);
    settle(&w);
    CHECK_CODE(w.cx, brakes_read(w.cx, w.env.db, &w.conf, &brakes), FG_OK);
    w.env.brakes = &brakes;
    CHECK(says(&w, waits, "\"waitingFor\":\"operator_budget\""), "in words");
    CHECK_CODE(w.cx, create_job(&w, BODY("pair", "5"), NULL, &a), FG_OK);
    CHECK_STR(job_now(&w, a.job_id).model, FG_LIT("wait-1"), "of a route rather who is not at the brake");
    CHECK(says(&w, a.job_id, "\"waitingFor\":null"), "and so waits for nothing");
    w.conf.brake_then = FG_LIT("refuse");
    CHECK_CODE(w.cx, create_job(&w, BODY("list-1", "5"), "k", &a), FG_PAUSED_BY_BUDGET);
    CHECK_I64(w.cx->err.retry_after_s, 3600, "when it may come again");
    CHECK_CODE(w.cx, create_job(&w, BODY("pair", "5"), NULL, &a), FG_OK);
    settle(&w);
    settle(&w);
    CHECK_CODE(w.cx, create_job(&w, BODY("pair", "5"), NULL, &a), FG_PAUSED_BY_BUDGET);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job"), 4, "what was refused is not there");
    clock_add(&w, HOUR + FG_US_PER_S);
    CHECK_CODE(w.cx, create_job(&w, BODY("list-1", "5"), "k", &a), FG_OK);
    w.env.brakes = NULL;
    job_world_end(&w, 0);
}

TEST(an_outage_does_not_multiply_submits)
{
    static const struct {
        const char *model;
        int status;
        const char *code;
        int percent;
        unsigned least, most;
    } row[] = { { "list-1", 429, "rate_limit_exceeded", 20, 120, 125 },
                { "list-1", 429, "rate_limit_exceeded", 0, 110, 110 },
                { "list-1", 429, "rate_limit_exceeded", 100, 400, 1200 }, /* what it would be like without */
                { "pair", 400, "invalid_value", 20, 110, 110 } };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct job_world w;
        job_world_begin(&w);
        w.conf.sweeper_retry_percent = row[i].percent;
        for (unsigned k = 0; k < open_catalogue(&w)->provider_n; k++)
            open_catalogue(&w)->provider[k].concurrency = 200;
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = row[i].status,
            .body = arena_fmt(w.cx->mem, "{\"error\":{\"code\":\"%s\",\"message\":\"m\"}}", row[i].code) });
        jobs(&w, row[i].model, 100);
        for (int k = 0; k < 58; k++) {
            settle(&w);
            clock_add(&w, 10 * FG_US_PER_S);
        }
        unsigned n = fake_count(w.fake, FAKE_SUBMIT);
        CHECK(n >= row[i].least && n <= row[i].most, arena_fmt(w.cx->mem, "%s: %u submits", row[i].model, n).p);
        fake_unsay(w.fake, FAKE_SUBMIT);
        jobs(&w, "wait-1", 3);
        settle(&w);
        CHECK_I64(ask(&w, SUBMITTED " AND id > 100"), 3, "retries in line keep no first submit waiting");
        job_world_end(&w, 0);
    }
}
