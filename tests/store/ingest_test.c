/* The provider's file becomes ours, or does not: what arrives, what is no video, what the disk does, what a crash
 * left behind, and how files go. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/job_world.h"

#define FAR 86400

static unsigned temporary(struct job_world *w)
{
    return files_in(w, FG_LIT("tmp"), FG_LIT(""));
}

static struct fg_str video_file(struct job_world *w)
{
    return t_file(w->cx, arena_fmt(w->cx->mem, "%s/real.mp4", db_server_dir()).p);
}

TEST(a_good_file_is_stored_with_its_facts)
{
    struct job_world w;
    uint8_t digest[HASH_LEN];
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "replay-1", FAR), file = video_file(&w);
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "stored");
    struct job j = job_now(&w, id);
    struct output o;
    CHECK_I64(j.output_state, OUTPUT_STORED, "there is a file");
    CHECK_CODE(w.cx, output_of_job(w.cx, w.sweeper.env.db, j.id, &o), FG_OK);
    CHECK_I64(o.bytes, file.n, "its length");
    CHECK_STR(t_file(w.cx, arena_fmt(w.cx->mem, "%.*s/%.*s", FG_P(w.conf.media_root), FG_P(o.video_file)).p), file,
              "byte for byte");
    CHECK(t_file(w.cx, arena_fmt(w.cx->mem, "%.*s/%.*s", FG_P(w.conf.media_root), FG_P(o.poster_file)).p).n > 100,
          "with a poster");
    CHECK(memmem(file.p, file.n, "manifes", 7) != NULL, "what its maker wrote of where it comes from is in it");
    hash_plain(file, digest);
    CHECK_STR(ask_text(&w, "SELECT digest FROM output"), hash_bytes(digest), "hashed on the way");
    CHECK_I64(ask(&w, "SELECT width * 10000 + height FROM output"), 960064, "its size");
    CHECK_I64(ask(&w, "SELECT duration_ms FROM output"), 5000, "its length in time");
    CHECK_I64(temporary(&w), 0, "nothing temporary is left");
    job_world_end(&w, 0);
}

/* Arrived whole, and is no video of five seconds. */
TEST(what_is_no_video_fails_after_a_second_look)
{
    struct job_world w;
    for (int i = 0; i < 6; i++) {
        job_world_begin(&w);
        struct fg_str file = video_file(&w), half = { file.p, file.n - 1000 };
        struct fg_str locked = arena_str(w.cx->mem, file), list = FG_LIT("ffconcat version 1.0\nfile 'real.mp4'\n");
        struct fg_str bad[] = { FG_LIT(""), FG_LIT("<html>Sorry</html>"), half, locked, list, { NULL, 0 } };
        struct job_answer a = { 0 };
        memcpy((char *)(uintptr_t)memmem(locked.p, locked.n, "avc1\0\0", 6), "encv", 4);
        if (i < 5)
            say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_ANSWER, .body = bad[i] });
        CHECK_CODE(w.cx, create_job(&w, arena_fmt(w.cx->mem, "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\","
                                                  "\"duration\":%d}", i < 5 ? 5 : 10), NULL, &a), FG_OK);
        run_to_end(&w, a.job_id);
        check_place(&w, a.job_id, JOB_FAILED, STAGE_DONE, "output_invalid", "empty, words, cut off, encrypted, a list, too short");
        CHECK_I64(fake_count(w.fake, FAKE_CONTENT), POLICY_GATE_MAX, "looked at twice");
        CHECK_I64(files_of(&w, a.job_id) + temporary(&w), 0, "and nothing is kept");
        job_world_end(&w, 0);
    }
}

TEST(what_does_not_arrive_is_fetched_again)
{
    const struct { const char *why; struct fake_reply reply; unsigned downloads; } row[] = {
        { "cut off", { .way = FAKE_DEFAULT, .cut = 1000 }, POLICY_FETCH_MAX },
        { "hung up", { .way = FAKE_HANG_UP }, POLICY_FETCH_MAX },
        { "its error", { .way = FAKE_ANSWER, .status = 503 }, POLICY_FETCH_MAX },
        { "part of it", { .way = FAKE_DEFAULT, .status = 206 }, POLICY_FETCH_MAX },
        { "forgotten", { .way = FAKE_ANSWER, .status = 404 }, POLICY_GONE_MAX },
        { "gone", { .way = FAKE_ANSWER, .status = 410 }, POLICY_GONE_MAX },
        { "elsewhere", { .way = FAKE_ANSWER, .status = 302, .head = "Location: http://127.0.0.1:9/x\r\n" }, 1 },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        say(&w, FAKE_CONTENT, row[i].reply);
        struct fg_str id = new_job(&w, "replay-1", FAR);
        run_to_end(&w, id);
        check_place(&w, id, JOB_FAILED, STAGE_DONE, "output_unreachable", row[i].why);
        CHECK_I64(fake_count(w.fake, FAKE_CONTENT), row[i].downloads, row[i].why);
        CHECK_I64(files_of(&w, id) + temporary(&w), 0, "nothing is kept");
        job_world_end(&w, 0);
    }
}

/* A file that crawls, or takes longer than a download may: such a connection is as good as lost. */
TEST(too_slow_is_as_good_as_lost)
{
    static const struct { int64_t crawl_s, whole_s; enum job_state end; const char *code; } row[] = {
        { 1, 60, JOB_FAILED, "output_unreachable" }, { 60, 1, JOB_SUCCEEDED, "" },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        w.conf.media_crawl_s = row[i].crawl_s;
        w.conf.media_fetch_timeout_s = row[i].whole_s;
        size_t cut = video_file(&w).n - 1000;
        say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_DEFAULT, .cut = cut, .stall = true });
        if (row[i].end == JOB_SUCCEEDED)
            say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_DEFAULT });
        struct fg_str id = new_job(&w, "list-1", FAR);
        while (!fake_count(w.fake, FAKE_CONTENT))
            step(&w);
        check_place(&w, id, JOB_PROCESSING, STAGE_STORING, "", "a slow moment is no reason to lose it");
        CHECK_I64(temporary(&w), 0, "what came of it is thrown away");
        if (row[i].end == JOB_SUCCEEDED) /* on a busy machine a good one takes a while, too */
            w.conf.media_fetch_timeout_s = 60;
        else
            do_sql(&w, "UPDATE due SET tries = %d WHERE kind = %d", POLICY_FETCH_MAX - 1, DUE_INGEST);
        run_to_end(&w, id);
        check_place(&w, id, row[i].end, STAGE_DONE, row[i].code, "in the end");
        CHECK_I64(fake_count(w.fake, FAKE_CONTENT), 2, "fetched again");
        job_world_end(&w, 0);
    }
}

/* It said that it was done; asked where the file is, it says something else. */
TEST(a_provider_that_takes_its_success_back)
{
    static const struct { const char *body; int status; enum job_state end; const char *code, *why; } row[] = {
        { "{\"status\":\"queued\"}", 200, JOB_FAILED, "output_unreachable", "it never comes back to it" },
        { "{\"status\":\"failed\"}", 200, JOB_FAILED, "provider_failed", "its last word" },
        { "{\"status\":\"failed\",\"error\":{\"code\":\"moderation_blocked\"}}", 200, JOB_FAILED, "blocked_prompt", "policy" },
        { "", 404, JOB_FAILED, "output_unreachable", "forgotten" },
        { "", 500, JOB_FAILED, "output_unreachable", "no answer any more" },
        { NULL, 0, JOB_SUCCEEDED, "", "a moment of doubt" },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_DEFAULT });
        if (row[i].body) {
            say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .status = row[i].status, .body = fg_str_c(row[i].body) });
        } else {
            say_status(&w, "in_progress", 99);
            say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .status = 404 });
            say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_DEFAULT });
        }
        struct fg_str id = new_job(&w, "list-1", FAR);
        run_to_end(&w, id);
        check_place(&w, id, row[i].end, STAGE_DONE, row[i].code, row[i].why);
        CHECK_STR(timeline(&w, id), fg_str_c(row[i].body ? "submitting accepted output_ready failed"
                                               : "submitting accepted output_ready succeeded"), "never back to rendering");
        CHECK_I64(job_now(&w, id).charged, !row[i].body, "charged for what was delivered");
        job_world_end(&w, 0);
    }
}

/* Seven lost connections are no reason to look at a bad file only once. */
TEST(each_kind_of_trouble_has_its_own_count)
{
    struct job_world w;
    job_world_begin(&w);
    for (int i = 0; i < POLICY_FETCH_MAX - 1; i++)
        say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_HANG_UP });
    say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_ANSWER, .body = FG_LIT("no video") });
    say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_DEFAULT });
    struct fg_str id = new_job(&w, "replay-1", FAR);
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "the last one is good");
    job_world_end(&w, 0);
}

TEST(a_file_over_the_limit_is_not_taken)
{
    struct job_world w;
    job_world_begin(&w);
    w.conf.media_max_bytes = 1024;
    struct fg_str id = new_job(&w, "replay-1", FAR);
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "output_invalid", "too large");
    CHECK_I64(temporary(&w), 0, "nothing is kept");
    job_world_end(&w, 0);
}

TEST(our_own_disk_is_no_reason_to_lose_a_video)
{
    struct job_world w;
    job_world_begin(&w);
    const char *tmp = arena_fmt(w.cx->mem, "%.*s/tmp", FG_P(w.conf.media_root)).p;
    const char *away = arena_fmt(w.cx->mem, "%s-away", tmp).p;
    CHECK(rename(tmp, away) == 0, "the folder is away");
    struct fg_str id = new_job(&w, "list-1", FAR);
    while (job_now(&w, id).stage != STAGE_STORING)
        step(&w);
    unsigned logged = w.t.error_lines;
    for (int i = 0; i < POLICY_FETCH_MAX + 1; i++)
        step(&w);
    check_place(&w, id, JOB_PROCESSING, STAGE_STORING, "", "it waits");
    CHECK_I64(w.t.error_lines - logged, POLICY_FETCH_MAX + 1, "and says so");
    CHECK(rename(away, tmp) == 0, "the folder is back");
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "stored");
    job_world_end(&w, w.t.error_lines);
}

/* Words for the owner, once; a warning before its provider forgets it, once; and then it goes on. */
TEST(a_full_disk_keeps_a_job_waiting_in_words)
{
    struct job_world w;
    job_world_begin(&w);
    w.conf.media_reserve_bytes = INT64_MAX;
    struct fg_str id = new_job(&w, "list-1", FAR);
    while (!ask(&w, "SELECT COUNT(*) FROM storage_wait"))
        step(&w);
    for (int i = 0; i < 3; i++)
        step(&w);
    check_place(&w, id, JOB_PROCESSING, STAGE_STORING, "", "it waits");
    CHECK_I64(fake_count(w.fake, FAKE_CONTENT), 0, "no download was begun");
    CHECK_STR(timeline(&w, id), FG_LIT("submitting accepted output_ready waiting_for_storage"), "told once");
    CHECK_I64(ask(&w, "SELECT forgotten_us - since_us FROM storage_wait"), 86400 * FG_US_PER_S, "as long as its provider says");
    struct sb b = sb_in(w.cx->mem, 65536);
    struct job j = job_now(&w, id);
    job_json(w.cx, &w.env, &j, &b);
    CHECK(strstr(sb_cstr(&b), "\"waitingFor\":\"storage\""), "its owner is told");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM storage_wait WHERE warned_us IS NULL"), 1, "there is time");
    CHECK(ask(&w, "SELECT due_us - %lld FROM due WHERE kind = %d", (long long)w.t.utc_us, DUE_INGEST) > 50 * FG_US_PER_S,
          "so it need not be tried often");
    clock_add(&w, 64801 * FG_US_PER_S);
    unsigned before = w.t.error_lines;
    settle(&w);
    CHECK_I64(w.t.error_lines, before + 2, "a quarter of the time is left");
    CHECK_I64(ask(&w, "SELECT warned_us > 0 FROM storage_wait"), 1, "and it is told");
    before = w.t.error_lines;
    step(&w);
    CHECK_I64(w.t.error_lines, before + 1, "once");
    w.conf.media_reserve_bytes = 0;
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "stored");
    w.sweeper.next_upkeep_us = 0;
    settle(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM storage_wait"), 0, "nothing waits");
    job_world_end(&w, w.t.error_lines);
}

/* A disk of four pages. Only root may have one made: without it, the test before this one has to do. */
static bool little_disk(struct job_world *w)
{
    const char *root = arena_cstr(w->cx->mem, w->conf.media_root);
    if (mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=16k,mode=0750") != 0)
        return false;
    CHECK_CODE(w->cx, disk_open(w->cx, &w->conf), FG_OK);
    return true;
}

TEST(a_disk_that_fills_up_loses_nothing)
{
    struct job_world w;
    job_world_begin(&w);
    if (!little_disk(&w)) {
        printf("no right to mount a small disk: %s\n", strerror(errno));
        job_world_end(&w, 0);
        return;
    }
    struct fg_str id = new_job(&w, "list-1", FAR);
    while (!ask(&w, "SELECT COUNT(*) FROM storage_wait"))
        step(&w);
    for (int i = 0; i < POLICY_FETCH_MAX + 2; i++)
        step(&w);
    check_place(&w, id, JOB_PROCESSING, STAGE_STORING, "", "it waits");
    CHECK(strstr(w.t.last_line, "write_failed") && strstr(w.t.last_line, "No space left"), w.t.last_line);
    CHECK_I64(temporary(&w), 0, "and what there was of it takes no room");
    CHECK(umount2(arena_cstr(w.cx->mem, w.conf.media_root), MNT_DETACH) == 0, "a larger one");
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "stored");
    job_world_end(&w, w.t.error_lines);
}

/* When there is room again, those come first that are forgotten first. */
TEST(urgent_ones_are_stored_first)
{
    struct job_world w;
    job_world_begin(&w);
    w.conf.media_reserve_bytes = INT64_MAX;
    struct fg_str late = new_job(&w, "list-1", FAR);
    while (!ask(&w, "SELECT COUNT(*) FROM storage_wait"))
        step(&w);
    struct fg_str soon = new_job(&w, "replay-1", FAR);
    ((struct cat_model *)(uintptr_t)catalogue_model(w.catalogue, FG_LIT("replay-1")))->output_life_s = 3600;
    while (ask(&w, "SELECT COUNT(*) FROM storage_wait") < 2)
        step(&w);
    settle(&w);
    CHECK(ask(&w, "SELECT due_us FROM due d JOIN job j ON j.id = d.job_id WHERE kind = %d AND j.public_id = '%.*s'", DUE_INGEST, FG_P(soon)) <
          ask(&w, "SELECT due_us FROM due d JOIN job j ON j.id = d.job_id WHERE kind = %d AND j.public_id = '%.*s'", DUE_INGEST, FG_P(late)) + 1,
          "the one with an hour before the one with a day");
    CHECK(ask(&w, "SELECT due_us - %lld FROM due d JOIN job j ON j.id = d.job_id WHERE kind = %d AND j.public_id = '%.*s'",
              (long long)w.t.utc_us, DUE_INGEST, FG_P(soon)) <= 15 * FG_US_PER_S, "it is tried often");
    job_world_end(&w, w.t.error_lines);
}

static void leave_file(struct job_world *w, struct fg_str id, const char *tail)
{
    const char *folder = arena_fmt(w->cx->mem, "%.*s/%.2s", FG_P(w->conf.media_root), id.p + 4).p;
    (void)mkdir(folder, 0750);
    int fd = open(arena_fmt(w->cx->mem, "%s/%.*s%s", folder, FG_P(id), tail).p, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    CHECK(fd >= 0 && close(fd) == 0, "a file");
}

TEST(what_a_crash_left_in_the_store_is_tidied)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_DEFAULT, .hold = true });
    struct fg_str id = new_job(&w, "list-1", FAR);
    settle(&w);
    clock_add(&w, 6 * FG_US_PER_S);
    turn_until_held(&w, &w.sweeper, 1);
    sweeper_close(&w.sweeper);
    leave_file(&w, id, "-OLD.mp4"); /* renamed, not committed */
    fake_unsay(w.fake, FAKE_CONTENT);
    second_sweeper(&w, &w.sweeper);
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "another one stores it");
    CHECK_I64(files_of(&w, id), 2, "and only its files are there");
    job_world_end(&w, 0);
}

TEST(what_a_crash_left_goes_when_the_job_fails_after_all)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_DEFAULT, .hold = true });
    struct fg_str id = new_job(&w, "list-1", FAR);
    settle(&w);
    clock_add(&w, 6 * FG_US_PER_S);
    turn_until_held(&w, &w.sweeper, 1);
    sweeper_close(&w.sweeper);
    leave_file(&w, id, "-OLD.mp4");
    fake_unsay(w.fake, FAKE_CONTENT);
    say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 404 });
    second_sweeper(&w, &w.sweeper);
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "output_unreachable", "its provider has lost it meanwhile");
    settle(&w);
    CHECK_I64(files_of(&w, id), 0, "no file of it is there");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM due"), 0, "and nothing to do");
    job_world_end(&w, 0);
}

/* A cancel that deletes met a video that was finished a moment before. */
TEST(what_a_cancel_has_deleted_is_canceled)
{
    static const struct { bool asked; const char *code; } row[] = { { true, "canceled" }, { false, "output_unreachable" } };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct job_world w;
        struct job j;
        job_world_begin(&w);
        say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 503 });
        struct fg_str id = new_job(&w, "list-1", FAR);
        while (job_now(&w, id).stage != STAGE_STORING)
            step(&w);
        struct provider_site *site = &((struct cat_provider *)(uintptr_t)catalogue_provider(w.catalogue, FG_LIT("list")))->site;
        site->base_url = arena_fmt(w.cx->mem, "%.*s/videos", FG_P(site->base_url)); /* so that the fake knows it */
        do_sql(&w, "UPDATE attempt SET adapter = 'runway', provider_job_id = '17f20503-6c24-4c16-946b-35dbbce2af2f'");
        do_sql(&w, "UPDATE job SET provider_job_id = '17f20503-6c24-4c16-946b-35dbbce2af2f'");
        if (row[i].asked)
            CHECK_CODE(w.cx, job_cancel(w.cx, &w.env, &w.who, id, &j), FG_OK);
        say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .status = 404 });
        run_to_end(&w, id);
        check_place(&w, id, JOB_FAILED, STAGE_DONE, row[i].code, "gone");
        job_world_end(&w, 0);
    }
}

TEST(an_erasure_does_not_need_the_catalogue)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "replay-1", FAR);
    run_to_end(&w, id);
    open_catalogue(&w)->model_n = open_catalogue(&w)->provider_n = 0;
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, id), FG_OK);
    settle(&w);
    CHECK_I64(files_of(&w, id), 0, "files are gone");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM due"), 0, "and the work is done");
    job_world_end(&w, 0);
}

TEST(a_draining_sweeper_ends_what_it_has_and_takes_nothing)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_DEFAULT, .hold = true });
    struct fg_str first = new_job(&w, "list-1", FAR);
    settle(&w);
    clock_add(&w, 6 * FG_US_PER_S);
    turn_until_held(&w, &w.sweeper, 1);
    struct fg_str second = new_job(&w, "list-1", FAR);
    w.sweeper.draining = true;
    (void)sweep_pass(&w.sweeper);
    fake_release(w.fake);
    drain(&w.sweeper);
    check_place(&w, first, JOB_SUCCEEDED, STAGE_DONE, "", "what was under way ends well");
    check_place(&w, second, JOB_PENDING, STAGE_WAITING, "", "nothing new was begun");
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 1, "nor sent");
    job_world_end(&w, 0);
}
