/* Submitting, the one dangerous call: its four outcomes, and what becomes of each. The fake's books have the last
 * word: one bill per intent. */
#include "store/job_world.h"

#define FAR 86400
#define S FG_US_PER_S
#define JSON_ERROR(code) FG_LIT("{\"error\":{\"code\":\"" code "\",\"message\":\"no\"}}")

static int64_t attempts(struct job_world *w, enum attempt_state state)
{
    return ask(w, "SELECT COUNT(*) FROM attempt WHERE state = %d", (int)state);
}

static int64_t due_in(struct job_world *w, enum due_kind kind)
{
    return ask(w, "SELECT due_us FROM due WHERE kind = %d", (int)kind) - w->t.utc_us;
}

TEST(a_submit_has_four_outcomes)
{
    const struct {
        const char *why;
        struct fake_reply reply;
        enum job_state state;
        enum job_stage stage;
        const char *code;
        enum attempt_state attempt;
    } row[] = {
        { "taken", { .way = FAKE_DEFAULT }, JOB_QUEUED, STAGE_AT_PROVIDER, "", ATTEMPT_ACCEPTED },
        { "policy", { .way = FAKE_ANSWER, .status = 400, .body = JSON_ERROR("moderation_blocked") }, JOB_FAILED, STAGE_DONE,
          "blocked_prompt", ATTEMPT_REFUSED },
        { "wrong", { .way = FAKE_ANSWER, .status = 422 }, JOB_FAILED, STAGE_DONE, "provider_refused", ATTEMPT_REFUSED },
        { "our key", { .way = FAKE_ANSWER, .status = 401 }, JOB_FAILED, STAGE_DONE, "provider_auth", ATTEMPT_REFUSED },
        { "our money", { .way = FAKE_ANSWER, .status = 429, .body = JSON_ERROR("insufficient_quota") }, JOB_FAILED,
          STAGE_DONE, "provider_credit", ATTEMPT_REFUSED },
        { "busy", { .way = FAKE_ANSWER, .status = 429 }, JOB_PENDING, STAGE_WAITING, "", ATTEMPT_NOT_SENT },
        { "away", { .way = FAKE_ANSWER, .status = 503 }, JOB_PENDING, STAGE_WAITING, "", ATTEMPT_NOT_SENT },
        { "its error", { .way = FAKE_ANSWER, .status = 500 }, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", ATTEMPT_UNKNOWN },
        { "a gateway", { .way = FAKE_ANSWER, .status = 504 }, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", ATTEMPT_UNKNOWN },
        { "hung up", { .way = FAKE_HANG_UP }, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", ATTEMPT_UNKNOWN },
        { "cut off", { .way = FAKE_ANSWER, .body = FG_LIT("{\"id\":\"video_0\"}"), .cut = 3 }, JOB_PENDING,
          STAGE_SUBMIT_UNKNOWN, "", ATTEMPT_UNKNOWN },
        { "no id", { .way = FAKE_ANSWER, .body = FG_LIT("{}") }, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", ATTEMPT_UNKNOWN },
        { "no JSON", { .way = FAKE_ANSWER, .body = FG_LIT("<html>") }, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "",
          ATTEMPT_UNKNOWN },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        say(&w, FAKE_SUBMIT, row[i].reply);
        struct fg_str id = new_job(&w, "replay-1", FAR);
        settle(&w);
        check_place(&w, id, row[i].state, row[i].stage, row[i].code, row[i].why);
        CHECK_I64(attempts(&w, row[i].attempt), 1, row[i].why);
        CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 1, "asked once");
        job_world_end(&w, 0);
    }
}

TEST(nobody_there_is_tried_again_slower_and_given_up)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "nowhere-1", FAR);
    settle(&w);
    int64_t first = due_in(&w, DUE_DISPATCH);
    CHECK(first > 0 && first < 2 * S, "the first retry is quick");
    for (int i = 1; i < TRAFFIC_FAILURES_MAX; i++) {
        check_place(&w, id, JOB_PENDING, STAGE_WAITING, "", "not yet");
        step(&w);
    }
    CHECK_I64(ask(&w, "SELECT breaker FROM provider_state"), BREAKER_OPEN, "nobody answers: the breaker opens");
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "provider_unavailable", "enough");
    CHECK_I64(attempts(&w, ATTEMPT_NOT_SENT), POLICY_NOT_SENT_MAX, "every attempt is on record");
    CHECK(w.t.utc_us - job_now(&w, id).created_us < 30 * 60 * S, "within half an hour");
    job_world_end(&w, 0);
}

TEST(retry_after_is_honoured)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 429, .head = "Retry-After: 120\r\n" });
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_DEFAULT });
    struct fg_str id = new_job(&w, "replay-1", FAR);
    settle(&w);
    CHECK_I64(due_in(&w, DUE_DISPATCH), 120 * S, "not sooner than asked");
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "then it goes through");
    CHECK(strcmp(fake_key(w.fake, 0), fake_key(w.fake, 1)) != 0, "each attempt has a reference of its own");
    CHECK_I64(fake_bills(w.fake), 1, "one bill");
    job_world_end(&w, 0);
}

/* ---- unknown ---- */

TEST(a_lost_answer_is_asked_for_again_with_the_same_key)
{
    static const enum fake_way way[] = { FAKE_TAKE_LOSE, FAKE_HANG_UP };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(way); i++) {
        job_world_begin(&w);
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = way[i] });
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 500 });
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 409 });
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 503 });
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_DEFAULT });
        struct fg_str id = new_job(&w, "replay-1", FAR);
        run_to_end(&w, id);
        check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
        CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 5, "asked until it could say");
        for (unsigned k = 1; k < 5; k++)
            CHECK(!strcmp(fake_key(w.fake, 0), fake_key(w.fake, k)) && fake_key(w.fake, 0)[0], "one key");
        CHECK_I64(fake_bills(w.fake), 1, "one bill");
        CHECK_IS(timeline(&w, id), "submitting submit_unknown accepted output_ready succeeded", "one attempt");
        job_world_end(&w, 0);
    }
}

TEST(a_refusal_of_the_replay_is_final)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_HANG_UP });
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 400 });
    struct fg_str id = new_job(&w, "replay-1", FAR);
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "provider_refused", "it never took the first either");
    job_world_end(&w, 0);
}

TEST(a_submit_that_hangs_is_unknown)
{
    struct job_world w;
    job_world_begin(&w);
    w.conf.sweeper_submit_timeout_s = 1;
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .hold = true });
    struct fg_str id = new_job(&w, "list-1", FAR);
    settle(&w);
    check_place(&w, id, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", "no answer in time");
    CHECK_I64(fake_bills(w.fake), 1, "though it was taken");
    job_world_end(&w, 0);
}

/* What a list says of a video without any of our marks. */
static void say_list(struct job_world *w, int video, int64_t created_us)
{
    fake_unsay(w->fake, FAKE_LIST);
    say(w, FAKE_LIST, (struct fake_reply){
        .way = FAKE_ANSWER,
        .body = arena_fmt(w->cx->mem, "{\"data\":[{\"id\":\"video_%d\",\"prompt\":\"a fish\",\"model\":\"r-1\","
                          "\"created_at\":%lld}],\"has_more\":false}", video, (long long)(created_us / S)),
    });
}

TEST(a_lost_submit_is_found_in_the_list)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_TAKE_LOSE });
    struct fg_str id = new_job(&w, "list-1", FAR);
    settle(&w);
    say_list(&w, 5, w.t.utc_us - 60 * S);
    step(&w);
    check_place(&w, id, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", "an older one is another's");
    say_list(&w, 0, w.t.utc_us);
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
    CHECK_IS(job_now(&w, id).provider_job_id, "video_0", "the one in the list");
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 1, "never asked twice");
    job_world_end(&w, 0);
}

TEST(a_lost_submit_that_nobody_knows_fails_after_its_time)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_TAKE_LOSE });
    struct fg_str id = new_job(&w, "list-1", FAR);
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "submit_unknown", "not found");
    CHECK(w.t.utc_us >= job_now(&w, id).created_us + JOB_WORLD_WAIT_S * S, "not before its time");
    CHECK(fake_count(w.fake, FAKE_LIST) > 10, "looked for it all the while");
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 1, "but asked once");
    job_world_end(&w, 0);
}

/* Two jobs with the same words: the one video in the list is the other's. */
TEST(another_jobs_video_is_not_taken_for_a_lost_one)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_DEFAULT });
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_HANG_UP });
    say_status(&w, "in_progress", 1);
    struct fg_str one = new_job(&w, "list-1", FAR);
    settle(&w);
    struct fg_str two = new_job(&w, "list-1", FAR);
    settle(&w);
    say_list(&w, 0, w.t.utc_us);
    run_to_end(&w, two);
    check_place(&w, two, JOB_FAILED, STAGE_DONE, "submit_unknown", "never found");
    CHECK_IS(job_now(&w, one).provider_job_id, "video_0", "it belongs to the first");
    job_world_end(&w, 0);
}

/* Both look like ours, and nothing says which is: to take one could deliver somebody else's video. */
TEST(of_two_that_look_alike_none_is_taken)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_TAKE_LOSE });
    struct fg_str id = new_job(&w, "list-1", FAR);
    settle(&w);
    const char *row = "\"prompt\":\"a fish\",\"model\":\"r-1\",\"created_at\":";
    long long at_s = (long long)(w.t.utc_us / S);
    say(&w, FAKE_LIST, (struct fake_reply){ .way = FAKE_ANSWER, .body = arena_fmt(
            w.cx->mem, "{\"data\":[{\"id\":\"video_0\",%s%lld},{\"id\":\"video_8\",%s%lld}]}", row, at_s, row, at_s) });
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "submit_unknown", "not found");
    CHECK(fake_count(w.fake, FAKE_LIST) > 10, "though it looked");
    CHECK_I64(fake_count(w.fake, FAKE_POLL) + fake_count(w.fake, FAKE_CONTENT), 0, "and touched neither");
    job_world_end(&w, 0);
}

TEST(a_policy_of_resubmitting_waits_first_and_has_a_budget)
{
    static const struct { enum fake_way second; enum job_state state; const char *code; } row[] = {
        { FAKE_DEFAULT, JOB_SUCCEEDED, "" },
        { FAKE_HANG_UP, JOB_FAILED, "submit_unknown" },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_HANG_UP });
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = row[i].second });
        struct fg_str id = new_job(&w, "wait-1", FAR);
        int64_t end_us = w.t.utc_us + JOB_WORLD_WAIT_S * S;
        while (fake_count(w.fake, FAKE_SUBMIT) < 2)
            step(&w);
        CHECK(w.t.utc_us >= end_us, "not before the waiting time is over");
        run_to_end(&w, id);
        check_place(&w, id, row[i].state, STAGE_DONE, row[i].code, "the second decides");
        CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 2, "twice at most");
        job_world_end(&w, 0);
    }
}

/* ---- slots, cancel ---- */

TEST(no_more_at_once_than_the_provider_has_room_for)
{
    struct job_world w;
    struct fg_str id[11];
    job_world_begin(&w);
    say_status(&w, "in_progress", -1);
    w.conf.sweeper_batch = 3;
    for (size_t i = 0; i < FG_LEN(id); i++)
        id[i] = new_job(&w, "replay-1", FAR);
    for (int i = 0; i < 10; i++) {
        look_anew(&w.sweeper);
        (void)sweep_pass(&w.sweeper);
        drain(&w.sweeper);
    }
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 8, "eight slots");
    fake_unsay(w.fake, FAKE_POLL);
    for (size_t i = 0; i < FG_LEN(id); i++)
        run_to_end(&w, id[i]);
    CHECK_I64(fake_bills(w.fake), FG_LEN(id), "each one in its turn");
    job_world_end(&w, 0);
}

TEST(a_cancel_during_the_submit_stops_the_next_try)
{
    struct job_world w;
    struct job j;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 503, .hold = true });
    struct fg_str id = new_job(&w, "replay-1", FAR);
    turn_until_held(&w, &w.sweeper, 1);
    CHECK_CODE(w.cx, job_cancel(w.cx, &w.env, &w.who, id, &j), FG_OK);
    CHECK_I64(j.stage, STAGE_SUBMITTING, "a call under way cannot be called back");
    fake_release(w.fake);
    drain(&w.sweeper);
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "canceled", "it was not taken, so that is the end");
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 1, "no second try");
    job_world_end(&w, 0);
}

/* ---- upkeep ---- */

TEST(upkeep_beats_and_throws_away_what_is_over)
{
    struct job_world w;
    struct job_answer a;
    job_world_begin(&w);
    CHECK_CODE(w.cx, create_job(&w, FG_LIT("{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":5}"), "k", &a), FG_OK);
    run_to_end(&w, a.job_id);
    do_sql(&w, "INSERT INTO api_key (id, account_id, digest, hint, label, role, created_us) VALUES "
               "(1, 1, REPEAT('d', 32), 'h', 'l', 1, 1); INSERT INTO session VALUES (REPEAT('a', 32), 1, 1, %lld), "
               "(REPEAT('b', 32), 1, 1, %lld); INSERT INTO heartbeat VALUES ('sweeper_dead', %lld)",
           (long long)(w.t.utc_us + 3600 * S), (long long)(w.t.utc_us + 100 * 3600 * S), (long long)w.t.utc_us);
    do_sql(&w, "INSERT INTO quote (public_id, account_id, model, resolution, duration_s, audio, price_micro, currency, "
               "created_us, expires_us) VALUES ('quote_1', 1, 'm', '480p', 5, 0, 1, 'USD', %lld, %lld)",
           (long long)w.t.utc_us, (long long)(w.t.utc_us + 3600 * S));
    static const struct { int64_t after_h, keys, sessions, beats, quotes; } row[] = {
        { 0, 1, 2, 2, 1 }, { 24, 1, 1, 1, 1 }, { 25, 0, 1, 1, 0 }, { 60, 0, 0, 1, 0 },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        clock_add(&w, row[i].after_h * 3600 * S);
        w.sweeper.next_upkeep_us = 0;
        look_anew(&w.sweeper);
        (void)sweep_pass(&w.sweeper);
        CHECK_I64(ask(&w, "SELECT COUNT(*) FROM idempotency"), row[i].keys, "keys are kept two days");
        CHECK_I64(ask(&w, "SELECT COUNT(*) FROM quote"), row[i].quotes, "quotes tell a day longer that they expired");
        CHECK_I64(ask(&w, "SELECT COUNT(*) FROM session"), row[i].sessions, "sessions until their end");
        CHECK_I64(ask(&w, "SELECT COUNT(*) FROM heartbeat"), row[i].beats, "the living beat, the dead are forgotten");
        CHECK_I64(ask(&w, "SELECT MAX(at_us) FROM heartbeat"), w.t.utc_us, "now");
    }
    job_world_end(&w, 0);
}
