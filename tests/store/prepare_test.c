/* A reference image that we fetch ourselves: what is only away for a moment costs nobody a job. */
#include "store/job_world.h"

#define FAR 86400

/* Its provider wants the bytes, and the fake hands them out. */
static struct fg_str job_with_image(struct job_world *w)
{
    struct catalogue *c = open_catalogue(w);
    struct job_answer a;
    for (unsigned i = 0; i < c->model_n; i++)
        c->model[i].adapter = provider_by_name(FG_LIT("veo"));
    CHECK_CODE(w->cx, create_job(w, arena_fmt(w->cx->mem, "{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                                 "\"model\":\"replay-1\",\"imageUrl\":\"http://127.0.0.1:%u/v1/videos/fish/content\"}",
                                 fake_port(w->fake)), NULL, &a), FG_OK);
    return a.job_id;
}

TEST(an_image_that_is_away_for_a_moment_is_fetched_again)
{
    static const struct fake_reply away[] = {
        { .way = FAKE_ANSWER, .status = 503 }, { .way = FAKE_HANG_UP }, { .way = FAKE_ANSWER, .status = 429 },
        { .way = FAKE_ANSWER, .status = 404 },
    };
    struct job_world w;
    job_world_begin(&w);
    for (size_t i = 0; i < FG_LEN(away); i++)
        say(&w, FAKE_CONTENT, away[i]);
    struct fg_str id = job_with_image(&w);
    settle(&w);
    for (size_t i = 0; i + 1 < FG_LEN(away); i++) {
        check_place(&w, id, JOB_PENDING, STAGE_WAITING, "", "later, then");
        step(&w);
    }
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "image_unreachable", "it is not there at all");
    CHECK_IS(timeline(&w, id), "submitting not_sent submitting not_sent submitting not_sent submitting failed", "each time");
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 0, "and nobody was asked for anything");
    job_world_end(&w, 0);
}

TEST(an_image_that_stays_away_ends_the_job_in_true_words)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 503 });
    struct fg_str id = job_with_image(&w);
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "image_unreachable", "it was not the provider that was away");
    job_world_end(&w, 0);
}

TEST(what_is_no_image_is_not_asked_for_twice)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_ANSWER, .body = FG_LIT("a page") });
    struct fg_str id = job_with_image(&w);
    settle(&w);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "image_unreachable", "it would be none another time either");
    CHECK_I64(fake_count(w.fake, FAKE_CONTENT), 1, "asked once");
    job_world_end(&w, 0);
}
