/* A provider or a model that the operator took out of the catalogue, with jobs still under way: no job is stuck for
 * ever, and no file outlives its erasure. */
#include "store/job_world.h"

#define DEADLINE_S 3600

static void retire(struct job_world *w, bool provider_too)
{
    open_catalogue(w)->model_n = 0;
    if (provider_too)
        open_catalogue(w)->provider_n = 0;
}

TEST(what_the_provider_has_is_fetched_though_its_model_is_gone)
{
    struct job_world w;
    job_world_begin(&w);
    say_status(&w, "in_progress", 10);
    struct fg_str id = new_job(&w, "replay-1", DEADLINE_S);
    settle(&w);
    step(&w);
    check_place(&w, id, JOB_PROCESSING, STAGE_RENDERING, "", "under way");
    retire(&w, false);
    fake_unsay(w.fake, FAKE_POLL);
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
    job_world_end(&w, 0);
}

TEST(nobody_to_ask_ends_at_the_deadline)
{
    static const struct {
        const char *why;
        bool sent;
        enum fake_way way;
        enum job_stage stage;
        bool provider_too;
        enum job_state state;
        const char *code;
        int64_t early_s; /* before the deadline: at it, two duties would race for the last word */
    } row[] = {
        { "never sent", false, FAKE_DEFAULT, STAGE_WAITING, true, JOB_EXPIRED, "deadline_exceeded", 0 },
        { "never sent, model", false, FAKE_DEFAULT, STAGE_WAITING, false, JOB_EXPIRED, "deadline_exceeded", 0 },
        { "in doubt", true, FAKE_HANG_UP, STAGE_SUBMIT_UNKNOWN, true, JOB_EXPIRED, "deadline_exceeded", 0 },
        /* its list can be looked through without the model */
        { "in doubt, model", true, FAKE_HANG_UP, STAGE_SUBMIT_UNKNOWN, false, JOB_FAILED, "submit_unknown", 1 },
        { "there", true, FAKE_DEFAULT, STAGE_AT_PROVIDER, true, JOB_EXPIRED, "deadline_exceeded", 0 },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = row[i].way });
        struct fg_str id = new_job(&w, "replay-1", DEADLINE_S);
        if (row[i].sent)
            settle(&w);
        check_place(&w, id, row[i].stage == STAGE_AT_PROVIDER ? JOB_QUEUED : JOB_PENDING, row[i].stage, "", row[i].why);
        retire(&w, row[i].provider_too);
        clock_add(&w, (DEADLINE_S - row[i].early_s) * FG_US_PER_S);
        settle(&w);
        check_place(&w, id, row[i].state, STAGE_DONE, row[i].code, row[i].why);
        CHECK_I64(ask(&w, "SELECT COUNT(*) FROM due"), 0, "nothing left to do");
        CHECK(w.t.error_lines > 0 || row[i].state == JOB_FAILED, "the operator is told");
        job_world_end(&w, w.t.error_lines);
    }
}

TEST(an_erasure_needs_no_catalogue)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "replay-1", DEADLINE_S);
    run_to_end(&w, id);
    retire(&w, true);
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, id), FG_OK);
    settle(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM due"), 0, "the files are gone");
    job_world_end(&w, 0);
}
