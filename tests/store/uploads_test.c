/* How long a picture is kept that was sent, and that nothing is left of one that goes, or never came to be. */
#include "base/id.h"
#include "fakes/picture.h"
#include "job/upload.h"
#include "store/job_world.h"

#define HOUR_US (3600 * FG_US_PER_S)

static struct fg_str sent(struct job_world *w, struct fg_str bytes)
{
    struct upload u;
    bool made;
    CHECK_CODE(w->cx, upload_create(w->cx, &w->env, &w->who, FG_NONE, bytes, &u, &made), FG_OK);
    return u.public_id;
}

static void upkeep(struct job_world *w)
{
    w->sweeper.next_upkeep_us = 0;
    look_anew(&w->sweeper);
    settle(w);
}

static int64_t live(struct job_world *w, struct fg_str id)
{
    return ask(w, "SELECT COUNT(*) FROM upload WHERE public_id = '%.*s' AND deleted_us IS NULL", FG_P(id));
}

static struct fg_str job_of(struct job_world *w, struct fg_str upload)
{
    struct job_answer a;
    CHECK_CODE(w->cx, create_job(w, arena_fmt(w->cx->mem, "{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                                 "\"model\":\"replay-1\",\"deadlineSeconds\":604800,\"uploadId\":\"%.*s\"}", FG_P(upload)), NULL, &a), FG_OK);
    return a.job_id;
}

TEST(one_that_nobody_uses_goes_after_its_hours)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = sent(&w, PICTURE_PNG);
    clock_add(&w, w.conf.media_upload_hours * HOUR_US - FG_US_PER_S);
    upkeep(&w);
    CHECK_I64(live(&w, id), 1, "not yet");
    CHECK_STR(sent(&w, PICTURE_PNG), id, "sent again it is the same");
    clock_add(&w, 2 * FG_US_PER_S);
    upkeep(&w);
    CHECK_I64(live(&w, id), 1, "and has its hours again");
    clock_add(&w, w.conf.media_upload_hours * HOUR_US);
    upkeep(&w);
    upkeep(&w);
    CHECK_I64(live(&w, id), 0, "gone");
    CHECK_I64(files_of(&w, id), 0, "its files too");
    CHECK_I64(ask(&w, "SELECT storage_bytes FROM account_use WHERE account_id = 1"), 0, "and no longer counted");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM upload WHERE removed_us IS NULL"), 0, "that is written down");
    job_world_end(&w, 0);
}

TEST(one_that_a_job_uses_stays_for_the_plans_days)
{
    struct job_world w;
    job_world_begin(&w);
    do_sql(&w, "UPDATE plan SET upload_days = 2");
    struct fg_str id = sent(&w, PICTURE_PNG), job = job_of(&w, id);
    int64_t deadline_us = job_now(&w, job).deadline_us;
    do_sql(&w, "UPDATE upload SET expires_us = 1"); /* whatever its row says */
    upkeep(&w);
    CHECK_I64(live(&w, id), 1, "a job needs it");
    CHECK_CODE(w.cx, upload_delete(w.cx, &w.env, &w.who, id), FG_UPLOAD_IN_USE);
    do_sql(&w, "UPDATE upload SET expires_us = %lld", (long long)(deadline_us + 2 * 24 * HOUR_US));
    run_to_end(&w, job);
    check_place(&w, job, JOB_SUCCEEDED, STAGE_DONE, "", "made");
    CHECK_IS(timeline(&w, job), "submitting accepted output_ready succeeded", "nothing had to be fetched");
    clock_add(&w, deadline_us + 2 * 24 * HOUR_US - w.t.utc_us - FG_US_PER_S);
    upkeep(&w);
    CHECK_I64(live(&w, id), 1, "not yet");
    clock_add(&w, 2 * FG_US_PER_S);
    upkeep(&w);
    CHECK_I64(live(&w, id), 0, "then");
    job_world_end(&w, 0);
}

TEST(without_a_limit_of_days_it_is_kept)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = sent(&w, PICTURE_PNG), job = job_of(&w, id);
    run_to_end(&w, job);
    clock_add(&w, 3650 * 24 * HOUR_US);
    upkeep(&w);
    CHECK_I64(live(&w, id), 1, "for good");
    CHECK_CODE(w.cx, upload_delete(w.cx, &w.env, &w.who, id), FG_OK);
    upkeep(&w);
    CHECK_I64(files_of(&w, id), 0, "until somebody says so");
    job_world_end(&w, 0);
}

/* Its row was written before its files, and whoever wrote both died. */
TEST(what_somebody_died_over_is_tidied_up)
{
    struct job_world w;
    struct upload_new n = { .row = { .account_id = 1, .type = IMAGE_PNG, .width = 1, .height = 1, .bytes = 4 } };
    struct spool file;
    struct fg_str name;
    job_world_begin(&w);
    CHECK_CODE(w.cx, upload_reserve(w.cx, w.env.db, &n), FG_OK);
    CHECK_CODE(w.cx, spool_new(w.cx, &w.conf, ".png", &file), FG_OK);
    CHECK_CODE(w.cx, disk_put(w.cx, &w.conf, &file, n.row.public_id, ".png", &name), FG_OK);
    CHECK_CODE(w.cx, upload_by_id(w.cx, w.env.db, n.row.public_id, &n.row), FG_NOT_FOUND);
    upkeep(&w);
    CHECK_I64(files_of(&w, n.row.public_id), 1, "somebody may still be at it");
    clock_add(&w, HOUR_US + FG_US_PER_S);
    upkeep(&w);
    CHECK_I64(files_of(&w, n.row.public_id), 0, "nobody can be any more");
    n.image.name = n.thumb.name = name;
    CHECK_CODE(w.cx, upload_keep(w.cx, w.env.db, &n, w.t.utc_us), FG_TIMED_OUT);
    do_sql(&w, "UPDATE account_use SET storage_bytes = 0"); /* a transaction would have undone that */
    job_world_end(&w, 0);
}

TEST(a_legal_hold_keeps_it)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = sent(&w, PICTURE_PNG), job = job_of(&w, id);
    run_to_end(&w, job);
    do_sql(&w, "UPDATE plan SET upload_days = 1");
    do_sql(&w, "UPDATE upload SET expires_us = 1");
    static const char *const of[] = { "NULL, NULL", "NULL, (SELECT MAX(id) FROM job)" };
    for (size_t i = 0; i < FG_LEN(of); i++) {
        do_sql(&w, "INSERT INTO legal_hold (account_id, user_id, job_id, reason, placed_by, since_us) VALUES (1, %s, 'r', 'b', 1)",
               of[i]);
        CHECK_CODE(w.cx, upload_delete(w.cx, &w.env, &w.who, id), FG_LEGAL_HOLD);
        upkeep(&w);
        CHECK_I64(live(&w, id), 1, of[i]);
        do_sql(&w, "UPDATE legal_hold SET ended_us = 2");
    }
    upkeep(&w);
    CHECK_I64(live(&w, id), 0, "until it ends");
    job_world_end(&w, 0);
}

TEST(hundreds_go_a_few_at_a_time)
{
    struct job_world w;
    job_world_begin(&w);
    do_sql(&w, "INSERT INTO upload (public_id, account_id, digest, type, width, height, bytes, etag, file, thumb_file, created_us, "
               "expires_us) SELECT CONCAT('upl_', LPAD(seq, 26, '0')), 1, LPAD(seq, 32, 'd'), 1, 1, 1, 10, REPEAT('e', 32), "
               "CONCAT('00/', seq, '.png'), CONCAT('00/', seq, '.jpg'), 1, 2 FROM seq_1_to_120");
    do_sql(&w, "UPDATE account_use SET storage_bytes = 1200 WHERE account_id = 1");
    static const int64_t left[] = { 70, 20, 0 };
    for (size_t i = 0; i < FG_LEN(left); i++) {
        upkeep(&w);
        CHECK_I64(ask(&w, "SELECT COUNT(*) FROM upload WHERE deleted_us IS NULL"), left[i], "fifty in a pass");
    }
    upkeep(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM upload WHERE removed_us IS NULL"), 0, "all have gone");
    CHECK_I64(ask(&w, "SELECT storage_bytes FROM account_use WHERE account_id = 1"), 0, "and are counted out");
    job_world_end(&w, 0);
}
