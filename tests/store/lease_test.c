/* Sweepers that crash, hang, or work side by side: leases keep them apart, guards make the rest harmless. */
#include "store/db_proxy.h"
#include "store/job_world.h"

#define FAR 86400
#define S FG_US_PER_S

static void lease_over(struct job_world *w)
{
    clock_add(w, (w->conf.sweeper_lease_s + 1) * S);
}

/* The fingerprint of everything that a late answer could disturb. */
static struct fg_str state_of_things(struct job_world *w)
{
    return ask_text(w, "SELECT CONCAT_WS('/', (SELECT GROUP_CONCAT(state, stage, version, IFNULL(progress, '-')) FROM "
                       "job), (SELECT COUNT(*) FROM job_event), (SELECT GROUP_CONCAT(kind, due_us, tries) FROM due), "
                       "(SELECT GROUP_CONCAT(side, kind) FROM ledger), (SELECT GROUP_CONCAT(video_file) FROM output))");
}

/* The job has been claimed and its call is held by the fake. */
static struct fg_str held_in(struct job_world *w, enum fake_route route, struct fake_reply reply)
{
    reply.hold = true;
    if (route != FAKE_SUBMIT) {
        say(w, route, reply);
        struct fg_str id = new_job(w, "list-1", FAR);
        settle(w);
        clock_add(w, 6 * S);
        turn_until_held(w, &w->sweeper, 1);
        return id;
    }
    say(w, route, reply);
    struct fg_str id = new_job(w, "replay-1", FAR);
    turn_until_held(w, &w->sweeper, 1);
    return id;
}

TEST(a_crash_in_the_submit_is_found_when_the_lease_is_over)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = held_in(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_DEFAULT });
    sweeper_close(&w.sweeper);
    fake_unsay(w.fake, FAKE_SUBMIT);
    second_sweeper(&w, &w.sweeper);
    settle(&w);
    clock_add(&w, (w.conf.sweeper_lease_s - 1) * S);
    settle(&w);
    check_place(&w, id, JOB_PENDING, STAGE_SUBMITTING, "", "its lease is sacred");
    clock_add(&w, 2 * S);
    settle(&w);
    check_place(&w, id, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", "nobody can say");
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
    CHECK(!strcmp(fake_key(w.fake, 0), fake_key(w.fake, 1)), "asked again with its key");
    CHECK_I64(fake_bills(w.fake), 1, "one bill");
    job_world_end(&w, 0);
}

TEST(two_sweepers_share_no_work)
{
    struct job_world w;
    struct sweeper other;
    struct fg_str id[8];
    job_world_begin(&w);
    second_sweeper(&w, &other);
    w.conf.sweeper_batch = 2;
    for (size_t i = 0; i < FG_LEN(id); i++)
        id[i] = new_job(&w, "replay-1", FAR);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .hold = true });
    for (int i = 0; i < 4; i++) {
        look_anew(i % 2 ? &other : &w.sweeper);
        (void)sweep_pass(i % 2 ? &other : &w.sweeper);
        sweep_wait(i % 2 ? &other : &w.sweeper, -1, -1, FG_US_PER_MS);
    }
    CHECK(w.sweeper.task_n == 4 && other.task_n == 4, "half each");
    for (int i = 0; fake_held(w.fake) < 8; i++) {
        CHECK(i < 10000, "all calls arrive");
        sweep_wait(i % 2 ? &other : &w.sweeper, -1, -1, FG_US_PER_MS);
    }
    fake_unsay(w.fake, FAKE_SUBMIT);
    fake_release(w.fake);
    drain(&w.sweeper);
    drain(&other);
    for (int i = 0; i < 2; i++) {
        clock_add(&w, 61 * S);
        look_anew(&w.sweeper);
        look_anew(&other);
        (void)sweep_pass(&w.sweeper);
        (void)sweep_pass(&other);
        drain(&w.sweeper);
        drain(&other);
    }
    for (size_t i = 0; i < FG_LEN(id); i++) {
        run_to_end(&w, id[i]);
        check_place(&w, id[i], JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
    }
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), FG_LEN(id), "each submitted once");
    CHECK_I64(fake_count(w.fake, FAKE_CONTENT), FG_LEN(id), "and fetched once");
    sweeper_close(&other);
    job_world_end(&w, 0);
}

/* Its answer left before the other's, and comes after it. */
TEST(a_poll_that_hung_past_its_lease_changes_nothing)
{
    static const struct { bool began; const char *hung, *word; int progress; enum job_stage stage; } row[] = {
        { false, "{\"status\":\"in_progress\",\"progress\":10}", "in_progress", 80, STAGE_RENDERING },
        { true, "{\"status\":\"in_progress\",\"progress\":10}", "in_progress", 80, STAGE_RENDERING },
        { true, "{\"status\":\"in_progress\",\"progress\":10}", "completed", 100, STAGE_DONE },
        { false, "{\"status\":\"queued\"}", "in_progress", 80, STAGE_RENDERING },
        { false, "{\"status\":\"failed\"}", "completed", 100, STAGE_DONE },
    };
    struct job_world w;
    struct sweeper other;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        second_sweeper(&w, &other);
        if (row[i].began)
            say_status(&w, "in_progress", 5);
        say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .hold = true, .body = fg_str_c(row[i].hung) });
        struct fg_str id = new_job(&w, "list-1", FAR);
        settle(&w);
        if (row[i].began)
            step(&w);
        clock_add(&w, 6 * S);
        turn_until_held(&w, &w.sweeper, 1);
        lease_over(&w);
        fake_unsay(w.fake, FAKE_POLL);
        say_status(&w, row[i].word, row[i].progress);
        settle_with(&other);
        CHECK_I64(job_now(&w, id).stage, row[i].stage, "another has taken over");
        struct fg_str before = state_of_things(&w);
        struct job j = job_now(&w, id);
        int64_t plan_us = ask(&w, "SELECT due_us FROM due WHERE kind = %d", DUE_POLL);
        clock_add(&w, S);
        fake_release(w.fake);
        drain(&w.sweeper);
        if (row[i].stage == STAGE_DONE)
            CHECK_STR(state_of_things(&w), before, row[i].hung);
        CHECK_I64(job_now(&w, id).progress, j.progress, "never backwards");
        CHECK_I64(job_now(&w, id).stage, j.stage, "nor its stage");
        CHECK_I64(ask(&w, "SELECT due_us FROM due WHERE kind = %d", DUE_POLL), plan_us, "the other's plan stands");
        fake_unsay(w.fake, FAKE_POLL);
        run_to_end(&w, id);
        check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
        sweeper_close(&other);
        job_world_end(&w, 0);
    }
}

TEST(a_submit_that_hung_past_its_lease_still_tells_the_truth)
{
    static const struct { const char *why; int status; enum job_stage stage; unsigned bills; } row[] = {
        { "taken after all", 200, STAGE_AT_PROVIDER, 1 },
        { "surely not taken", 503, STAGE_WAITING, 1 },
        { "refused", 400, STAGE_DONE, 0 },
        { "its error", 500, STAGE_SUBMIT_UNKNOWN, 1 },
    };
    struct job_world w;
    struct sweeper other;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        second_sweeper(&w, &other);
        struct fg_str id = held_in(&w, FAKE_SUBMIT, (struct fake_reply){
            .way = row[i].status == 200 ? FAKE_DEFAULT : FAKE_ANSWER, .status = row[i].status });
        lease_over(&w);
        settle_with(&other);
        check_place(&w, id, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", "another has found it");
        fake_unsay(w.fake, FAKE_SUBMIT);
        fake_release(w.fake);
        drain(&w.sweeper);
        CHECK_I64(job_now(&w, id).stage, row[i].stage, row[i].why);
        run_to_end(&w, id);
        CHECK_I64(fake_bills(w.fake), row[i].bills, row[i].why);
        CHECK_I64(job_now(&w, id).state, row[i].bills ? JOB_SUCCEEDED : JOB_FAILED, "in the end");
        sweeper_close(&other);
        job_world_end(&w, 0);
    }
}

static bool has_slots(struct job_world *w, struct sweeper *s)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    int64_t got = 0;
    bool found;
    CHECK_CODE(w->cx, db_one(w->cx, s->env.db, SQL_SLOTS_LOCK, DB_ARGS(DB(FG_LIT("filmgate.slots"))), DB_COLS(cols),
                             &got, &found), FG_OK);
    return got == 1;
}

static bool has_slots_now(void *arg)
{
    struct job_world *w = arg;
    return has_slots(w, &w->sweeper);
}

/* Its connection lives, and says nothing any more. */
TEST(a_sweeper_that_hangs_over_the_slots_does_not_keep_them)
{
    struct job_world w;
    struct sweeper other;
    job_world_begin(&w);
    w.conf.sweeper_lease_s = 1;
    second_sweeper(&w, &other);
    CHECK(has_slots(&w, &other), "it has the lock");
    CHECK(!has_slots(&w, &w.sweeper), "and nobody else");
    db_server_await(has_slots_now, &w, "until its lease would be over");
    sweeper_close(&other);
    job_world_end(&w, 0);
}

TEST(a_download_that_hung_past_its_lease_leaves_no_second_file)
{
    struct job_world w;
    struct sweeper other;
    job_world_begin(&w);
    second_sweeper(&w, &other);
    struct fg_str id = held_in(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_DEFAULT });
    lease_over(&w);
    fake_unsay(w.fake, FAKE_CONTENT);
    settle_with(&other);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "another has stored it");
    struct fg_str before = state_of_things(&w);
    fake_release(w.fake);
    drain(&w.sweeper);
    CHECK_STR(state_of_things(&w), before, "the late one changes nothing");
    CHECK_I64(files_of(&w, id), 2, "and its files are gone");
    sweeper_close(&other);
    job_world_end(&w, 0);
}

static struct fg_str late_id;

static bool all_put(void *arg)
{
    struct job_world *w = arg;
    sweep_wait(&w->sweeper, -1, -1, FG_US_PER_MS);
    return files_of(w, late_id) == 4;
}

/* It cannot know whether its files are the ones while the database is away, and must not forget to ask. */
TEST(a_late_download_that_cannot_ask_leaves_no_second_file_either)
{
    struct job_world w;
    struct sweeper other;
    struct db_proxy proxy;
    job_world_begin(&w);
    struct conf conf = w.conf;
    db_proxy_start(&proxy, db_server_dir(), arena_cstr(w.cx->mem, w.conf.db_socket));
    conf.db_socket = fg_str_c(proxy.path);
    second_sweeper(&w, &other);
    sweeper_close(&w.sweeper);
    CHECK_CODE(w.cx, sweeper_open(w.cx, &w.sweeper, &conf, w.catalogue, w.pepper), FG_OK);
    w.sweeper.next_upkeep_us = INT64_MAX;
    late_id = held_in(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_DEFAULT });
    lease_over(&w);
    fake_unsay(w.fake, FAKE_CONTENT);
    settle_with(&other);
    CHECK_I64(files_of(&w, late_id), 2, "another has stored it");
    db_proxy_stop(&proxy);
    fake_release(w.fake);
    db_server_await(all_put, &w, "it has put its files, too");
    db_proxy_start(&proxy, db_server_dir(), arena_cstr(w.cx->mem, w.conf.db_socket));
    drain(&w.sweeper);
    CHECK_I64(files_of(&w, late_id), 2, "and has taken them away");
    check_place(&w, late_id, JOB_SUCCEEDED, STAGE_DONE, "", "the other's are there");
    sweeper_close(&other);
    job_world_end(&w, 1);
    db_proxy_stop(&proxy);
}

TEST(a_long_download_keeps_its_lease)
{
    struct job_world w;
    struct sweeper other;
    job_world_begin(&w);
    second_sweeper(&w, &other);
    struct fg_str id = held_in(&w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_DEFAULT });
    for (int i = 0; i < 10; i++) {
        clock_add(&w, w.conf.sweeper_lease_s * S / 3);
        w.sweeper.tasks->lease_mono_us = 0; /* that time has passed for it too */
        sweep_wait(&w.sweeper, -1, -1, FG_US_PER_MS);
        settle_with(&other);
        CHECK_I64(fake_count(w.fake, FAKE_CONTENT), 1, "nobody takes it over");
    }
    fake_release(w.fake);
    drain(&w.sweeper);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
    sweeper_close(&other);
    job_world_end(&w, 0);
}
