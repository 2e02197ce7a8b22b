/* Which model takes a job: fair between accounts, another of the route when one refuses or takes nothing, never after an
 * unknown outcome; the operator's pause; what history says. */
#include "store/job_world.h"

#define FAR 86400
#define S FG_US_PER_S

static void say_error(struct job_world *w, int status, const char *code)
{
    say(w, FAKE_SUBMIT, (struct fake_reply){
                            .way = FAKE_ANSWER, .status = status,
                            .body = arena_fmt(w->cx->mem, "{\"error\":{\"code\":\"%s\",\"message\":\"m\"}}", code),
                        });
}

static struct fg_str model_of(struct job_world *w, struct fg_str id)
{
    return job_now(w, id).model;
}

TEST(after_a_refusal_the_next_model_of_the_route_is_tried)
{
    static const struct {
        int status;
        const char *code, *ends_at, *error, *why;
    } row[] = {
        { 400, "invalid_value", "wait-1", "", "refused: another may take it" },
        { 401, "invalid_api_key", "wait-1", "", "our key is no good there" },
        { 429, "insufficient_quota", "wait-1", "", "no money there" },
        { 400, "moderation_blocked", "list-1", "blocked_prompt", "content policy: the same everywhere" },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        say_error(&w, row[i].status, row[i].code);
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_DEFAULT });
        struct fg_str id = new_job(&w, "pair", FAR);
        CHECK_IS(job_now(&w, id).route, "pair", "as it was asked for");
        run_to_end(&w, id);
        CHECK_STR(model_of(&w, id), fg_str_c(row[i].ends_at), row[i].why);
        check_place(&w, id, row[i].error[0] ? JOB_FAILED : JOB_SUCCEEDED, STAGE_DONE, row[i].error, row[i].why);
        CHECK_I64(fake_bills(w.fake), row[i].error[0] ? 0 : 1, row[i].why);
        job_world_end(&w, 0);
    }
}

TEST(every_model_refused_it)
{
    struct job_world w;
    job_world_begin(&w);
    say_error(&w, 400, "invalid_value");
    struct fg_str id = new_job(&w, "pair", FAR);
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "provider_refused", "nobody is left");
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 2, "each was asked once");
    CHECK_IS(timeline(&w, id), "submitting rerouted submitting failed", "and that is told");
    job_world_end(&w, 0);
}

TEST(where_nobody_answers_the_route_goes_on)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "astray", FAR);
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "the second of the route made it");
    CHECK_IS(model_of(&w, id), "list-1", "that one");
    CHECK(w.t.utc_us - job_now(&w, id).created_us < 60 * S, "soon");
    job_world_end(&w, 0);
}

TEST(an_unknown_outcome_never_fails_over)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_TAKE_LOSE });
    struct fg_str id = new_job(&w, "pair", FAR);
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "submit_unknown", "it may have been taken");
    CHECK_I64(fake_bills(w.fake), 1, "one bill at most");
    CHECK_IS(model_of(&w, id), "list-1", "where it was sent");
    job_world_end(&w, 0);
}

TEST(a_paused_provider_gets_nothing_new)
{
    struct job_world w;
    job_world_begin(&w);
    do_sql(&w, "INSERT INTO provider_state (provider, paused_us) VALUES ('list', 1)");
    struct fg_str alone = new_job(&w, "list-1", FAR), routed = new_job(&w, "pair", FAR);
    for (int i = 0; i < 3; i++)
        settle(&w);
    check_place(&w, alone, JOB_PENDING, STAGE_WAITING, "", "it waits for that very model");
    CHECK_IS(model_of(&w, routed), "wait-1", "the other goes where it can");
    run_to_end(&w, routed);
    do_sql(&w, "UPDATE provider_state SET paused_us = NULL");
    run_to_end(&w, alone);
    check_place(&w, alone, JOB_SUCCEEDED, STAGE_DONE, "", "after the pause");
    job_world_end(&w, 0);
}

TEST(an_empty_account_there_parks_the_provider)
{
    struct job_world w;
    job_world_begin(&w);
    say_error(&w, 429, "insufficient_quota");
    struct fg_str first = new_job(&w, "list-1", FAR);
    run_to_end(&w, first);
    check_place(&w, first, JOB_FAILED, STAGE_DONE, "provider_credit", "told as it is");
    CHECK(ask(&w, "SELECT parked_until_us FROM provider_state") > w.t.utc_us, "parked");
    fake_unsay(w.fake, FAKE_SUBMIT);
    struct fg_str second = new_job(&w, "list-1", FAR);
    settle(&w);
    check_place(&w, second, JOB_PENDING, STAGE_WAITING, "", "the next ones wait, and are not thrown after it");
    run_to_end(&w, second);
    check_place(&w, second, JOB_SUCCEEDED, STAGE_DONE, "", "when the time is over");
    job_world_end(&w, 0);
}

TEST(slots_are_shared_between_accounts)
{
    struct job_world w;
    struct job_answer a;
    job_world_begin(&w);
    say_status(&w, "in_progress", -1);
    for (int i = 0; i < 12; i++)
        (void)new_job(&w, "list-1", FAR);
    w.who.account_id = 2;
    for (int i = 0; i < 3; i++)
        CHECK_CODE(w.cx, create_job(&w, FG_LIT("{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                                               "\"model\":\"list-1\"}"), NULL, &a), FG_OK);
    settle(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job WHERE stage <> 1 AND account_id = 2"), 3,
              "whoever has little gets it, though others came first");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job WHERE stage <> 1 AND account_id = 1"), 5, "the rest of eight slots");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job WHERE stage <> 1 AND account_id = 1 AND id > 5"), 0, "in order");
    w.who.account_id = 1;
    job_world_end(&w, 0);
}

TEST(a_model_may_have_fewer_slots_than_its_provider)
{
    struct job_world w;
    job_world_begin(&w);
    for (unsigned i = 0; i < open_catalogue(&w)->model_n; i++)
        open_catalogue(&w)->model[i].concurrency = 2;
    say_status(&w, "in_progress", -1);
    for (int i = 0; i < 5; i++)
        (void)new_job(&w, "list-1", FAR);
    settle(&w);
    settle(&w);
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 2, "no more");
    job_world_end(&w, 0);
}

TEST(a_rate_holds_submits_back)
{
    struct job_world w;
    job_world_begin(&w);
    for (unsigned i = 0; i < open_catalogue(&w)->provider_n; i++)
        open_catalogue(&w)->provider[i].submits_per_minute = 30; /* a burst of 3 */
    say_status(&w, "in_progress", -1);
    for (int i = 0; i < 6; i++)
        (void)new_job(&w, "list-1", FAR);
    settle(&w);
    settle(&w);
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 3, "the burst, and then its pace");
    job_world_end(&w, 0);
}

TEST(history_makes_an_estimate)
{
    struct job_world w;
    job_world_begin(&w);
    for (int i = 0; i < 4; i++)
        run_to_end(&w, new_job(&w, "list-1", FAR));
    struct weather weather;
    w.sweeper.next_weather_us = 0;
    weather_compute(&w.sweeper);
    CHECK_CODE(w.cx, weather_read(w.cx, w.env.db, &weather), FG_OK);
    CHECK_I64(weather_of(&weather, FG_LIT("list-1"))->finish_p50_ms, 0, "four say nothing about times");
    for (int i = 0; i < 4; i++)
        run_to_end(&w, new_job(&w, "list-1", FAR));
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .body = FG_LIT("{\"status\":\"failed\"}") });
    run_to_end(&w, new_job(&w, "list-1", FAR));
    w.sweeper.next_weather_us = 0;
    weather_compute(&w.sweeper);
    CHECK_CODE(w.cx, weather_read(w.cx, w.env.db, &weather), FG_OK);
    const struct model_weather *m = weather_of(&weather, FG_LIT("list-1"));
    CHECK_I64(m->n, 9, "all that ended");
    CHECK_I64(m->good_n, 8, "one did not");
    CHECK(m->finish_p50_ms >= 5000 && m->finish_p50_ms <= m->finish_p90_ms, "from the first poll on");
    CHECK(!weather_of(&weather, FG_LIT("wait-1")), "nothing is known of the others");
    job_world_end(&w, 0);
}
