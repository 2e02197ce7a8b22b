/* Asking how a job is, what unhelpful answers do, and deadlines. */
#include "store/job_world.h"

#define FAR 86400
#define S FG_US_PER_S

/* A job that its provider has accepted; the script of polls is the test's. */
static struct fg_str accepted(struct job_world *w, const char *model, int64_t deadline_s)
{
    struct fg_str id = new_job(w, model, deadline_s);
    settle(w);
    check_place(w, id, JOB_QUEUED, STAGE_AT_PROVIDER, "", "accepted");
    return id;
}

static int64_t poll_due(struct job_world *w)
{
    return ask(w, "SELECT due_us FROM due WHERE kind = %d", DUE_POLL);
}

static void say_http(struct job_world *w, int status, const char *head)
{
    say(w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .status = status, .head = head });
}

TEST(polls_stretch_with_age)
{
    static const struct { const char *model; int64_t age_s, pause_s; } row[] = {
        { "list-1", 0, 5 }, { "list-1", 59, 5 }, { "list-1", 61, 10 }, { "list-1", 601, 30 },
        { "list-1", 80000, 30 }, { "replay-1", 0, 60 }, { "replay-1", 80000, 60 },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        say_status(&w, "in_progress", -1);
        (void)accepted(&w, row[i].model, FAR);
        if (row[i].age_s) {
            clock_add(&w, row[i].age_s * S);
            settle(&w);
        }
        CHECK_I64(poll_due(&w) - w.t.utc_us, row[i].pause_s * S, row[i].model);
        job_world_end(&w, 0);
    }
}

TEST(a_wish_for_patience_is_granted)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .head = "openai-poll-after-ms: 90000\r\n",
                                            .body = FG_LIT("{\"status\":\"queued\"}") });
    say_http(&w, 429, "Retry-After: 300\r\n");
    (void)accepted(&w, "list-1", FAR);
    step(&w);
    CHECK_I64(poll_due(&w) - w.t.utc_us, 90 * S, "asked for with news");
    step(&w);
    CHECK_I64(poll_due(&w) - w.t.utc_us, 300 * S, "asked for without");
    job_world_end(&w, 0);
}

TEST(answers_that_tell_nothing_slow_it_down_and_end_nothing)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = accepted(&w, "list-1", FAR);
    say_http(&w, 500, NULL);
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_HANG_UP });
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .body = FG_LIT("<html>") });
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .body = FG_LIT("{\"status\":7}") });
    say_http(&w, 401, NULL);
    int64_t pause = 0;
    for (int i = 0; i < 20; i++) {
        step(&w);
        check_place(&w, id, JOB_QUEUED, STAGE_AT_PROVIDER, "", "no news");
        pause = poll_due(&w) - w.t.utc_us;
    }
    CHECK(pause >= 90 * S && pause <= 150 * S, "slower");
    fake_unsay(w.fake, FAKE_POLL);
    say_status(&w, "in_progress", 3);
    step(&w);
    CHECK_I64(poll_due(&w) - w.t.utc_us, 30 * S, "as before, once it answers");
    job_world_end(&w, 0);
}

TEST(an_unknown_word_is_told_once)
{
    struct job_world w;
    job_world_begin(&w);
    say_status(&w, "polishing", -1);
    struct fg_str id = accepted(&w, "list-1", FAR);
    for (int i = 0; i < 5; i++)
        step(&w);
    check_place(&w, id, JOB_PROCESSING, STAGE_RENDERING, "", "it is taken for work");
    CHECK_IS(timeline(&w, id), "submitting accepted provider_note started", "told once");
    CHECK_IS(ask_text(&w, "SELECT data FROM job_event WHERE kind = 'provider_note'"),
             "{\"unknownStatus\":\"polishing\"}", "with the word");
    job_world_end(&w, 0);
}

TEST(progress_is_what_the_provider_says)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = accepted(&w, "list-1", FAR);
    static const struct { const char *word; int said, shown; } row[] = {
        { "queued", -1, -1 }, { "in_progress", -1, -1 }, { "in_progress", 0, 0 }, { "in_progress", 40, 40 },
        { "in_progress", 30, 40 }, { "queued", -1, 40 }, { "in_progress", -1, 40 }, { "in_progress", 100, 100 },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        fake_unsay(w.fake, FAKE_POLL);
        say_status(&w, row[i].word, row[i].said);
        step(&w);
        CHECK_I64(job_now(&w, id).progress, row[i].shown, "never backwards");
        CHECK_I64(job_now(&w, id).state, i ? JOB_PROCESSING : JOB_QUEUED, "nor the state: queued again is no news");
    }
    CHECK_IS(timeline(&w, id), "submitting accepted started", "and no flood of events");
    job_world_end(&w, 0);
}

TEST(a_provider_that_forgets_is_believed_the_third_time_in_a_row)
{
    static const struct { int status[6]; const char *code; } row[] = {
        { { 404, 404, 404 }, "provider_forgot" },
        { { 410, 404, 410 }, "provider_forgot" },
        { { 404, 404, 200 }, "" },
        { { 500, 500, 500, 404, 404, 200 }, "" },
        { { 404, 404, 500, 404, 200 }, "" },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        unsigned polls = 0;
        for (size_t k = 0; k < FG_LEN(row[i].status) && row[i].status[k]; k++, polls++)
            if (row[i].status[k] == 200)
                say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_DEFAULT });
            else
                say_http(&w, row[i].status[k], NULL);
        struct fg_str id = new_job(&w, "list-1", FAR);
        run_to_end(&w, id);
        check_place(&w, id, row[i].code[0] ? JOB_FAILED : JOB_SUCCEEDED, STAGE_DONE, row[i].code, "in the end");
        CHECK_I64(fake_count(w.fake, FAKE_POLL), polls + !row[i].code[0],
                  "asked so often, and once more where the file is");
        job_world_end(&w, 0);
    }
}

TEST(a_failure_at_the_provider_has_our_words)
{
    static const struct { const char *body, *code; } row[] = {
        { "{\"status\":\"failed\"}", "provider_failed" },
        { "{\"status\":\"failed\",\"error\":{\"code\":\"moderation_blocked\"}}", "blocked_prompt" },
        { "{\"status\":\"cancelled\"}", "provider_failed" },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .body = fg_str_c(row[i].body) });
        struct fg_str id = new_job(&w, "list-1", FAR);
        run_to_end(&w, id);
        check_place(&w, id, JOB_FAILED, STAGE_DONE, row[i].code, row[i].body);
        job_world_end(&w, 0);
    }
}

/* ---- deadlines ---- */

TEST(a_job_that_never_had_a_slot_expires)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "nowhere-1", 30);
    run_to_end(&w, id);
    check_place(&w, id, JOB_EXPIRED, STAGE_DONE, "deadline_exceeded", "still waiting");
    CHECK_I64(job_now(&w, id).finished_us, job_now(&w, id).deadline_us, "on time");
    job_world_end(&w, 0);
}

TEST(at_the_deadline_the_provider_is_asked_one_last_time)
{
    static const char failed[] = "{\"status\":\"failed\"}";
    static const struct {
        const char *why;
        struct fake_reply last;
        enum job_state state;
        const char *code;
    } row[] = {
        { "still at it", { .way = FAKE_ANSWER }, JOB_EXPIRED, "deadline_exceeded" },
        { "no news", { .way = FAKE_HANG_UP }, JOB_EXPIRED, "deadline_exceeded" },
        { "its error", { .way = FAKE_ANSWER, .status = 500 }, JOB_EXPIRED, "deadline_exceeded" },
        { "forgotten", { .way = FAKE_ANSWER, .status = 404 }, JOB_EXPIRED, "deadline_exceeded" },
        { "it failed", { .way = FAKE_ANSWER, .body = { failed, sizeof failed - 1 } }, JOB_FAILED, "provider_failed" },
        { "just made it", { .way = FAKE_DEFAULT }, JOB_SUCCEEDED, "" },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        say_http(&w, 500, "Retry-After: 3600\r\n");
        struct fg_str id = accepted(&w, "list-1", 100);
        step(&w);
        CHECK(poll_due(&w) > job_now(&w, id).deadline_us, "the plan would ask after the deadline");
        fake_unsay(w.fake, FAKE_POLL);
        struct fake_reply last = row[i].last;
        if (i == 0)
            last.body = FG_LIT("{\"status\":\"in_progress\",\"progress\":99}");
        say(&w, FAKE_POLL, last);
        run_to_end(&w, id);
        check_place(&w, id, row[i].state, STAGE_DONE, row[i].code, row[i].why);
        CHECK_I64(fake_count(w.fake, FAKE_POLL), row[i].code[0] ? 2 : 3, "asked once more; and where the file is");
        CHECK_I64(w.t.utc_us, job_now(&w, id).deadline_us, "at the deadline");
        CHECK_I64(job_now(&w, id).charged, row[i].state == JOB_SUCCEEDED, "charged for what was delivered");
        job_world_end(&w, 0);
    }
}

/* A poll that was on its way at the deadline brings the video once nobody waits any more. */
TEST(a_result_after_the_last_question_is_recorded_and_not_charged)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = accepted(&w, "list-1", 30);
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_DEFAULT, .hold = true });
    say_status(&w, "in_progress", 99);
    clock_add(&w, 6 * S);
    turn_until_held(&w, &w.sweeper, 1);
    clock_add(&w, 25 * S);
    int64_t end_us = ctx_mono_us(w.cx) + 60 * S;
    while (job_now(&w, id).state != JOB_EXPIRED) {
        CHECK(ctx_mono_us(w.cx) < end_us, "its deadline does not wait for the poll");
        look_anew(&w.sweeper);
        (void)sweep_pass(&w.sweeper);
        sweep_wait(&w.sweeper, -1, -1, 5 * FG_US_PER_MS);
    }
    fake_release(w.fake);
    drain(&w.sweeper);
    check_place(&w, id, JOB_EXPIRED, STAGE_DONE, "deadline_exceeded", "an end is an end");
    CHECK_IS(timeline(&w, id), "submitting accepted started expired late_result", "support can see that it was made");
    CHECK(!job_now(&w, id).charged, "not charged");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM due"), 0, "and not fetched");
    job_world_end(&w, 0);
}

/* We may have died between a cancel that deletes and its note. */
TEST(what_was_to_be_canceled_and_is_gone_is_canceled)
{
    static const struct { bool asked; const char *adapter, *code; } row[] = {
        { true, "runway", "canceled" }, { false, "runway", "provider_forgot" }, { true, "openai", "provider_forgot" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct job_world w;
        struct job j;
        job_world_begin(&w);
        struct fg_str id = accepted(&w, "list-1", FAR);
        struct provider_site *site = &((struct cat_provider *)(uintptr_t)catalogue_provider(w.catalogue, FG_LIT("list")))->site;
        if (i < 2)
            site->base_url = arena_fmt(w.cx->mem, "%.*s/videos", FG_P(site->base_url)); /* so that the fake knows it */
        do_sql(&w, "UPDATE attempt SET adapter = '%s', provider_job_id = '17f20503-6c24-4c16-946b-35dbbce2af2f'", row[i].adapter);
        do_sql(&w, "UPDATE job SET provider_job_id = '17f20503-6c24-4c16-946b-35dbbce2af2f'");
        if (row[i].asked)
            CHECK_CODE(w.cx, job_cancel(w.cx, &w.env, &w.who, id, &j), FG_OK);
        say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .status = 404 });
        run_to_end(&w, id);
        check_place(&w, id, JOB_FAILED, STAGE_DONE, row[i].code, row[i].adapter);
        CHECK_I64(fake_count(w.fake, FAKE_POLL), POLICY_GONE_MAX, "not at the first word");
        job_world_end(&w, 0);
    }
}

TEST(a_lost_submit_is_not_replayed_for_a_video_that_nobody_waits_for)
{
    struct job_world w;
    struct job j;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_HANG_UP });
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 500 });
    struct fg_str late = new_job(&w, "replay-1", 20), canceled = new_job(&w, "replay-1", FAR);
    settle(&w);
    CHECK_CODE(w.cx, job_cancel(w.cx, &w.env, &w.who, canceled, &j), FG_OK);
    do_sql(&w, "UPDATE due SET due_us = due_us + 1000000000 WHERE kind = %d AND job_id = "
               "(SELECT id FROM job WHERE public_id = '%.*s')", DUE_RESOLVE, FG_P(late));
    fake_unsay(w.fake, FAKE_SUBMIT);
    run_to_end(&w, late);
    run_to_end(&w, canceled);
    check_place(&w, late, JOB_EXPIRED, STAGE_DONE, "deadline_exceeded", "not found at its deadline");
    check_place(&w, canceled, JOB_FAILED, STAGE_DONE, "submit_unknown", "not found in its time");
    CHECK_I64(fake_bills(w.fake), 0, "and never made");
    CHECK(fake_count(w.fake, FAKE_LIST) > 1, "though looked for");
    job_world_end(&w, 0);
}

TEST(a_download_may_outlast_the_deadline_but_not_the_providers_copy)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 500 });
    w.conf.sweeper_first_poll_ms = 1000;
    struct fg_str id = accepted(&w, "list-1", 10);
    while (w.t.utc_us <= job_now(&w, id).deadline_us)
        step(&w);
    check_place(&w, id, JOB_PROCESSING, STAGE_STORING, "", "the video exists");
    fake_unsay(w.fake, FAKE_CONTENT);
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
    job_world_end(&w, 0);
}
