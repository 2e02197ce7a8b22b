/* A reference image that becomes ours before anything else, and then goes to the provider as it wants it: what is only
 * away for a moment costs nobody a job. */
#include <unistd.h>

#include "base/id.h"
#include "fakes/picture.h"
#include "job/upload.h"
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
        check_place(&w, id, JOB_PENDING, STAGE_MODERATING, "", "later, then");
        step(&w);
    }
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "image_unreachable", "it is not there at all");
    CHECK_I64(fake_count(w.fake, FAKE_CONTENT), FG_LEN(away), "asked each time");
    CHECK_IS(timeline(&w, id), "failed", "and nothing was submitted");
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
    CHECK_I64(fake_count(w.fake, FAKE_CONTENT), POLICY_IMAGE_MAX, "so often, and no more");
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

/* ---- one that comes ---- */

static struct fg_str job_of_picture(struct job_world *w, const char *model, const char *more)
{
    struct job_answer a;
    CHECK_CODE(w->cx, create_job(w, arena_fmt(w->cx->mem, "{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                                 "\"allowDuplicate\":true,\"model\":\"%s\",\"imageUrl\":\"http://127.0.0.1:%u/comfy/picture.png\"%s}",
                                 model, fake_port(w->fake), more), NULL, &a), FG_OK);
    return a.job_id;
}

static bool heard(struct job_world *w, const char *what)
{
    struct fg_str s = fake_heard(w->cx, w->fake);
    for (size_t at = 0; at + strlen(what) <= s.n; at++)
        if (memcmp(s.p + at, what, strlen(what)) == 0)
            return true;
    return false;
}

static unsigned files_of_uploads(struct job_world *w)
{
    unsigned n = 0;
    int64_t rows = ask(w, "SELECT COUNT(*) FROM upload");
    for (int64_t i = 0; i < rows; i++)
        n += files_of(w, ask_text(w, "SELECT public_id FROM upload ORDER BY id LIMIT 1 OFFSET %lld", (long long)i));
    return n;
}

TEST(a_provider_that_fetches_gets_a_link_to_our_copy)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = job_of_picture(&w, "replay-1", "");
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "made");
    CHECK(fg_starts(timeline(&w, id), FG_LIT("image_stored cleared submitting accepted")), "ours before anything is asked");
    struct job j = job_now(&w, id);
    CHECK(id_valid(j.upload, UPLOAD_ID), "the job names it");
    CHECK(heard(&w, arena_fmt(w.cx->mem, "/media/%.*s/image?exp=", FG_P(j.upload)).p), "a signed link of ours");
    CHECK(!heard(&w, "picture.png"), "and not what the user said");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM upload WHERE deleted_us IS NULL AND width = 16 AND height = 8 AND type = 1 "
                      "AND expires_us > %lld", (long long)j.deadline_us), 1, "kept beyond the deadline");
    CHECK_I64(files_of_uploads(&w), 2, "picture and thumbnail");
    CHECK_I64(files_in(&w, FG_LIT("tmp"), FG_NONE), 0, "nothing else");
    CHECK_I64(ask(&w, "SELECT storage_bytes FROM account_use WHERE account_id = 1"),
              ask(&w, "SELECT (SELECT SUM(bytes) FROM output) + (SELECT SUM(bytes) FROM upload)"), "counted");
    job_world_end(&w, 0);
}

TEST(a_provider_that_wants_bytes_gets_those_of_our_copy)
{
    struct job_world w;
    job_world_begin(&w);
    struct catalogue *c = open_catalogue(&w);
    for (unsigned i = 0; i < c->model_n; i++)
        c->model[i].adapter = provider_by_name(FG_LIT("veo"));
    struct fg_str id = job_of_picture(&w, "replay-1", "");
    settle(&w);
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 1, "asked");
    CHECK(heard(&w, "\"mimeType\":\"image/png\""), "in the request itself");
    CHECK(heard(&w, "iVBORw0KGgo"), "a PNG");
    CHECK_I64(job_now(&w, id).stage == STAGE_MODERATING, 0, "on its way");
    job_world_end(&w, 0);
}

TEST(a_provider_that_wants_it_first_gets_it_first)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = job_of_picture(&w, "comfy-1", "");
    settle(&w);
    CHECK(heard(&w, "POST /comfy/upload/image") && heard(&w, "\x89PNG\r\n"), "the picture itself");
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "made");
    job_world_end(&w, 0);
}

TEST(the_same_picture_is_kept_once_for_each_user)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str a = job_of_picture(&w, "replay-1", ""), b = job_of_picture(&w, "replay-1", "");
    struct fg_str other = job_of_picture(&w, "replay-1", ",\"userId\":\"ann\"");
    run_to_end(&w, a);
    run_to_end(&w, b);
    run_to_end(&w, other);
    settle(&w);
    CHECK_STR(job_now(&w, a).upload, job_now(&w, b).upload, "one for both");
    CHECK(!fg_eq(job_now(&w, a).upload, job_now(&w, other).upload), "but not for somebody else");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM upload WHERE deleted_us IS NULL"), 2, "two in all");
    CHECK_IS(ask_text(&w, "SELECT user_id FROM upload WHERE user_id IS NOT NULL AND deleted_us IS NULL"), "ann", "hers");
    clock_add(&w, 2 * 3600 * FG_US_PER_S);
    w.sweeper.next_upkeep_us = 0;
    look_anew(&w.sweeper);
    settle(&w);
    CHECK_I64(files_of_uploads(&w), 4, "and nothing of those that came too late");
    job_world_end(&w, 0);
}

TEST(what_only_begins_as_a_picture_is_none)
{
    static const struct {
        struct fg_str body;
        const char *why;
    } row[] = {
        { { "\x89PNG\r\n\x1a\n and so on", 18 }, "no header" },
        { { "\xff\xd8\xff<?php", 8 }, "a program" },
        { { "GIF89a\1\0\1\0\0\0\0\0\0\0", 16 }, "another type" },
        { { "", 0 }, "nothing" },
    };
    struct job_world w;
    job_world_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        fake_unsay(w.fake, FAKE_COMFY);
        say(&w, FAKE_COMFY, (struct fake_reply){ .way = FAKE_ANSWER, .body = row[i].body });
        struct fg_str id = job_of_picture(&w, "replay-1", "");
        settle(&w);
        check_place(&w, id, JOB_FAILED, STAGE_DONE, "image_unreachable", row[i].why);
        CHECK_I64(fake_count(w.fake, FAKE_COMFY), i + 1, "asked for once");
    }
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM upload"), 0, "nothing is kept");
    CHECK_I64(files_in(&w, FG_LIT("tmp"), FG_NONE), 0, "nor left");
    job_world_end(&w, 0);
}

TEST(a_picture_that_was_deleted_behind_the_jobs_back_ends_it)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str first = job_of_picture(&w, "replay-1", "");
    run_to_end(&w, first);
    struct fg_str id = job_of_picture(&w, "replay-1", "");
    do_sql(&w, "UPDATE job SET upload = 'upl_00000000000000000000000000', stage = 1 WHERE public_id = '%.*s'", FG_P(id));
    do_sql(&w, "UPDATE due d JOIN job j ON j.id = d.job_id SET d.kind = 1 WHERE d.kind = 8");
    settle(&w);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "image_unreachable", "not asked for without it");
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 1, "the first alone");
    job_world_end(&w, 0);
}
