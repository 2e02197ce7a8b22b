/* A cancel after the submit: what each provider's answer leads to, what a video that comes all the same is worth, and a
 * verb that would delete what has just been finished. Dialects are played by writing their adapter into the attempt. */
#include "store/job_world.h"

#define FAR 86400
#define S FG_US_PER_S

/* A job of that dialect that its provider has and works at; the script of polls is the test's. */
static struct fg_str at_work(struct job_world *w, const char *adapter)
{
    struct fg_str id = new_job(w, "list-1", FAR);
    settle(w);
    do_sql(w, "UPDATE attempt SET adapter = '%s'", adapter);
    return id;
}

static void cancel(struct job_world *w, struct fg_str id)
{
    struct job j;
    CHECK_CODE(w->cx, job_cancel(w->cx, &w->env, &w->who, id, &j), FG_OK);
}

/* Of a body, with the fake's file in place of FILE. */
static struct fg_str with_file(struct job_world *w, const char *body)
{
    const char *at = strstr(body, "FILE");
    return at ? arena_fmt(w->cx->mem, "%.*shttp://127.0.0.1:%u/content%s", (int)(at - body), body, fake_port(w->fake), at + 4)
              : fg_str_c(body);
}

static void say_poll(struct job_world *w, const char *body)
{
    struct fake_reply r = { .way = FAKE_ANSWER, .status = body ? 200 : 404 };
    if (body)
        r.body = with_file(w, body);
    say(w, FAKE_POLL, r);
}

static struct fg_str notes(struct job_world *w)
{
    return ask_text(w, "SELECT IFNULL(GROUP_CONCAT(data ORDER BY seq SEPARATOR ' '), '') FROM job_event "
                       "WHERE kind = 'provider_note'");
}

TEST(each_answer_to_a_cancel_has_its_end)
{
    static const struct {
        const char *why, *adapter;
        const char *seen;        /* by the look before */
        int status;              /* the answer: 0 for none */
        const char *body;
        const char *then;        /* what polls say from then on; NULL: 404 */
        const char *code, *note;
    } row[] = {
        { "one verb for both", "runway", "{\"status\":\"RUNNING\"}", 204, "", NULL, "canceled", "removed" },
        { "not there any more", "runway", "{\"status\":\"PENDING\"}", 404, "", NULL, "canceled", "too_late" },
        { "no answer, and gone", "runway", "{\"status\":\"RUNNING\"}", 0, "", NULL, "canceled", NULL },
        { "no answer, and made", "runway", "{\"status\":\"RUNNING\"}", 0, "",
          "{\"status\":\"SUCCEEDED\",\"output\":[\"FILE\"]}", "", NULL },
        { "stopped in its queue", "minimax_v2", "{\"status\":\"queued\"}", 200, "{\"action\":\"cancelled\"}", NULL, "canceled",
          "done" },
        { "made, and deleted", "minimax_v2", "{\"status\":\"queued\"}", 200, "{\"action\":\"deleted\"}", NULL, "canceled",
          "deleted" },
        { "begun: it cannot be stopped", "minimax_v2", "{\"status\":\"queued\"}", 400,
          "{\"error\":{\"message\":\"task is running\"}}", "{\"status\":\"succeeded\",\"content\":{\"url\":\"FILE\"}}", "",
          "too_late" },
        { "asked, and forgotten", "luma", "{\"state\":\"dreaming\"}", 204, "", NULL, "canceled", "asked" },
        { "asked, and made all the same", "luma", "{\"state\":\"dreaming\"}", 204, "",
          "{\"state\":\"completed\",\"assets\":{\"video\":\"FILE\"}}", "", "asked" },
        { "stopped while it ran", "replicate", "{\"status\":\"processing\"}", 200, "{\"status\":\"canceled\"}", NULL, "canceled",
          "done" },
        { "done already", "replicate", "{\"status\":\"processing\"}", 200, "{\"status\":\"succeeded\"}",
          "{\"status\":\"succeeded\",\"output\":\"FILE\"}", "", "too_late" },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        struct fg_str id = at_work(&w, row[i].adapter), none = FG_LIT("");
        say_poll(&w, row[i].seen);
        say_poll(&w, row[i].then);
        say(&w, FAKE_CANCEL, (struct fake_reply){ .way = row[i].status ? FAKE_ANSWER : FAKE_HANG_UP, .status = row[i].status,
                                                  .body = fg_str_c(row[i].body) });
        cancel(&w, id);
        run_to_end(&w, id);
        check_place(&w, id, row[i].code[0] ? JOB_FAILED : JOB_SUCCEEDED, STAGE_DONE, row[i].code, row[i].why);
        CHECK_I64(fake_count(w.fake, FAKE_CANCEL), 1, "asked once");
        CHECK_STR(notes(&w), row[i].note ? arena_fmt(w.cx->mem, "{\"cancel\":\"%s\"}", row[i].note) : none, row[i].why);
        CHECK(job_now(&w, id).cancel_us && job_now(&w, id).charged == !row[i].code[0], "it says what was asked for, and paid");
        CHECK_I64(fake_bills(w.fake), 1, "submitted once");
        CHECK_I64(ask(&w, "SELECT cost_micro > 0 FROM attempt"), !row[i].code[0] || !strcmp(row[i].why, "made, and deleted"),
                  "and what was made has cost us");
        job_world_end(&w, 0);
    }
}

TEST(what_may_be_finished_is_never_deleted)
{
    static const struct { const char *adapter, *done; } row[] = {
        { "runway", "{\"status\":\"SUCCEEDED\",\"output\":[\"FILE\"]}" },
        { "minimax_v2", "{\"status\":\"succeeded\",\"content\":{\"url\":\"FILE\"}}" },
        { "luma", "{\"state\":\"completed\",\"assets\":{\"video\":\"FILE\"}}" },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        struct fg_str id = at_work(&w, row[i].adapter);
        for (int k = 0; k < 3; k++) /* nobody knows, and so nobody asks it to stop */
            say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .status = 500 });
        say_poll(&w, row[i].done);
        cancel(&w, id);
        run_to_end(&w, id);
        check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
        CHECK_I64(fake_count(w.fake, FAKE_CANCEL), 0, row[i].adapter);
        job_world_end(&w, 0);
    }
}

/* Seen unfinished a minute ago says nothing: such a call does not stand in line for the provider's rate. */
TEST(a_verb_that_deletes_goes_out_at_once)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = at_work(&w, "luma");
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .hold = true, .body = FG_LIT("{\"state\":\"dreaming\"}") });
    say_poll(&w, NULL);
    cancel(&w, id);
    turn_until_held(&w, &w.sweeper, 1);
    struct provider_traffic *p = traffic_of(&w.sweeper.traffic, FG_LIT("list"));
    p->calls = (struct lane_limit){ .interval_us = 3600 * S, .burst_us = 3600 * S,
                                    .next_us = ctx_mono_us(w.cx) + 7200 * S };
    fake_release(w.fake);
    drain(&w.sweeper); /* or it waits longer than a test may take */
    CHECK_I64(fake_count(w.fake, FAKE_CANCEL), 1, "asked");
    p->calls.interval_us = 0;
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "canceled", "forgotten");
    job_world_end(&w, 0);
}

TEST(a_cancel_that_was_not_heard_is_asked_again)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = at_work(&w, "replicate");
    say_poll(&w, "{\"status\":\"processing\"}");
    say(&w, FAKE_CANCEL, (struct fake_reply){ .way = FAKE_ANSWER, .status = 500 });
    say(&w, FAKE_CANCEL, (struct fake_reply){ .way = FAKE_HANG_UP });
    say(&w, FAKE_CANCEL, (struct fake_reply){ .way = FAKE_ANSWER, .body = FG_LIT("{\"status\":\"canceled\"}") });
    cancel(&w, id);
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "canceled", "in the end");
    CHECK_I64(fake_count(w.fake, FAKE_CANCEL), 3, "as often as it takes");
    job_world_end(&w, 0);
}

/* During the submit: it was taken, and its answer came, or never came. */
TEST(a_cancel_during_the_submit_follows_what_was_taken)
{
    static const enum fake_way way[] = { FAKE_DEFAULT, FAKE_TAKE_LOSE };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(way); i++) {
        job_world_begin(&w);
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = way[i], .hold = true });
        struct fg_str id = new_job(&w, "list-1", FAR);
        turn_until_held(&w, &w.sweeper, 1);
        cancel(&w, id);
        cancel(&w, id);
        if (i == 1)
            say(&w, FAKE_LIST, (struct fake_reply){
                .way = FAKE_ANSWER, .body = arena_fmt(w.cx->mem, "{\"data\":[{\"id\":\"video_0\",\"prompt\":\"a fish\","
                                                      "\"created_at\":%lld}]}", (long long)(w.t.utc_us / S)) });
        fake_release(w.fake);
        drain(&w.sweeper);
        run_to_end(&w, id);
        check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "this one cannot be stopped: delivered");
        CHECK(job_now(&w, id).cancel_us, "and it says that it was asked");
        CHECK_I64(fake_count(w.fake, FAKE_SUBMIT) + fake_count(w.fake, FAKE_CANCEL), 1, "nothing else was sent");
        job_world_end(&w, 0);
    }
}
