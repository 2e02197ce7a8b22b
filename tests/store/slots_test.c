/* What a plan limits while jobs run: how many of an account and of one user of it are at providers at once, how often a
 * job is submitted, where a failover may go. And that nobody's long line keeps others from theirs. */
#include <stdio.h>

#include "store/job_world.h"

#define FAR 86400
#define RUNNING "SELECT COUNT(*) FROM job WHERE stage IN (2, 3, 4, 5) AND account_id = %d"
#define LEFT "SELECT COUNT(*) FROM job WHERE state < 4"

static struct fg_str job_of(struct job_world *w, const char *model, const char *user)
{
    struct job_answer a;
    CHECK_CODE(w->cx, create_job(w, arena_fmt(w->cx->mem, "{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                                              "\"model\":\"%s\",\"userId\":\"%s\"}", model, user), NULL, &a), FG_OK);
    return a.job_id;
}

static void bound(struct job_world *w, const char *limits)
{
    do_sql(w, "UPDATE plan SET %s WHERE id = 1", limits);
}

static void roomy(struct job_world *w, int64_t slots)
{
    for (unsigned i = 0; i < open_catalogue(w)->provider_n; i++)
        open_catalogue(w)->provider[i].concurrency = slots;
}

/* Both sweepers look, side by side, then the clock moves on. */
static void step_both(struct job_world *w, struct sweeper *other)
{
    for (int i = 0; i < 2; i++) {
        look_anew(&w->sweeper);
        look_anew(other);
        (void)sweep_pass(&w->sweeper);
        (void)sweep_pass(other);
    }
}

TEST(no_more_of_an_account_run_than_its_plan_allows)
{
    struct job_world w;
    struct sweeper other;
    int64_t most = 0;
    job_world_begin(&w);
    second_sweeper(&w, &other);
    roomy(&w, 40);
    bound(&w, "running_max = 10");
    for (int i = 0; i < 14; i++) {
        (void)new_job(&w, "list-1", FAR);
        (void)new_job(&w, "wait-1", FAR);
    }
    for (unsigned i = 0; ask(&w, LEFT); i++) {
        CHECK(i < 200, "all come to an end");
        step_both(&w, &other);
        int64_t n = ask(&w, RUNNING, 1);
        most = n > most ? n : most;
        CHECK(n <= 10, "not one more, whoever looks, and over all providers");
        drain(&w.sweeper);
        drain(&other);
        clock_add(&w, 10 * FG_US_PER_S);
    }
    CHECK_I64(most, 10, "as many as it may");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job WHERE state = 4"), 28, "each waited for its turn and had it");
    CHECK_I64(fake_bills(w.fake), 28, "once");
    sweeper_close(&other);
    job_world_end(&w, 0);
}

/* Forty slots at each provider, where jobs then stay, and a plan of so much. */
static void begin_bound(struct job_world *w, const char *limits)
{
    job_world_begin(w);
    roomy(w, 40);
    bound(w, limits);
    say_status(w, "in_progress", -1);
}

TEST(a_plan_that_changes_is_heeded_at_the_next_look)
{
    struct job_world w;
    begin_bound(&w, "running_max = 2");
    for (int i = 0; i < 6; i++)
        (void)new_job(&w, "list-1", FAR);
    settle(&w);
    CHECK_I64(ask(&w, RUNNING, 1), 2, "two");
    bound(&w, "running_max = 5");
    settle(&w);
    CHECK_I64(ask(&w, RUNNING, 1), 5, "five");
    bound(&w, "running_max = NULL");
    settle(&w);
    CHECK_I64(ask(&w, RUNNING, 1), 6, "all");
    job_world_end(&w, 0);
}

TEST(one_users_long_line_holds_up_nobody_else)
{
    struct job_world w;
    begin_bound(&w, "user_running_max = 2");
    for (int i = 0; i < 60; i++)
        (void)job_of(&w, "list-1", "ann");
    for (int i = 0; i < 3; i++)
        (void)job_of(&w, "list-1", "Ann \\\"%ö\\\\");
    (void)job_of(&w, "list-1", "bob");
    for (int i = 0; i < 3; i++)
        (void)new_job(&w, "list-1", FAR);
    settle(&w);
    CHECK_I64(ask(&w, RUNNING " AND user_id = 'ann'", 1), 2, "two of hers");
    CHECK_I64(ask(&w, RUNNING " AND user_id LIKE 'Ann %%'", 1), 2, "two of another, whatever she is called");
    CHECK_I64(ask(&w, RUNNING " AND user_id = 'bob'", 1), 1, "who came last");
    CHECK_I64(ask(&w, RUNNING " AND user_id IS NULL", 1), 3, "nobody's count as nobody's");
    CHECK_I64(ask(&w, "SELECT MAX(id) FROM job WHERE stage <> 1 AND user_id = 'ann'"), 2, "hers in order");
    settle(&w);
    CHECK_I64(ask(&w, RUNNING, 1), 8, "no more at the next look");
    job_world_end(&w, 0);
}

TEST(a_plan_bounds_a_jobs_submits)
{
    struct job_world w;
    job_world_begin(&w);
    bound(&w, "attempts_max = 3");
    struct fg_str id = new_job(&w, "nowhere-1", FAR);
    bound(&w, "attempts_max = NULL");
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "provider_unavailable", "as it was when the job was made");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM attempt"), 3, "three and no more");
    CHECK_I64(ask(&w, "SELECT MIN(expected_micro) FROM attempt"), 10000, "each with what it would have cost");
    bound(&w, "attempts_max = 1");
    id = new_job(&w, "astray", FAR);
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "provider_unavailable", "another model would be a second submit");
    job_world_end(&w, 0);
}

TEST(a_failover_stays_within_the_plan)
{
    static const struct {
        const char *models, *ends_at, *error;
    } row[] = { { "models = 'list-1,pair'", "list-1", "provider_refused" }, { "models = NULL", "wait-1", "" } };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 400,
            .body = FG_LIT("{\"error\":{\"code\":\"invalid_value\",\"message\":\"m\"}}") });
        say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_DEFAULT });
        bound(&w, row[i].models);
        struct fg_str id = new_job(&w, "pair", FAR);
        run_to_end(&w, id);
        CHECK_STR(job_now(&w, id).model, fg_str_c(row[i].ends_at), row[i].models);
        CHECK_STR(job_now(&w, id).error_code, fg_str_c(row[i].error[0] ? row[i].error : NULL), row[i].models);
        job_world_end(&w, 0);
    }
}

/* ---- fair ---- */

#define MANY 5000
#define FEW 5

/* As POST /v1/jobs leaves them: with a hold, and two things due. */
static void crowd(struct job_world *w, int account, int first, int n)
{
    do_sql(w, "INSERT INTO job (id, public_id, account_id, state, stage, version, provider, model, prompt, aspect_ratio, "
              "duration_s, resolution, price_micro, currency, request_id, created_us, updated_us, deadline_us) SELECT seq, "
              "CONCAT('job_', LPAD(seq, 20, '0')), %d, 1, 1, 1, 'list', 'list-1', 'p', '16:9', 5, '480p', 0, 'USD', 'r', %lld, %lld, %lld "
              "FROM seq_%d_to_%d; INSERT INTO due (kind, job_id, due_us, lane, account_id) SELECT 1, id, created_us, model, "
              "account_id FROM job WHERE account_id = %d; INSERT INTO due (kind, job_id, due_us) SELECT 5, id, deadline_us "
              "FROM job WHERE account_id = %d; INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, "
              "at_us) SELECT id, 0, account_id, 1, 0, 'USD', created_us FROM job WHERE account_id = %d; UPDATE account_use "
              "SET outstanding_n = %d WHERE account_id = %d", account, (long long)w->t.utc_us, (long long)w->t.utc_us,
           (long long)w->t.utc_us + FAR * FG_US_PER_S, first, first + n - 1, account, account, account, n, account);
}

TEST(five_jobs_beside_five_thousand_have_their_turn)
{
    struct job_world w;
    job_world_begin(&w);
    roomy(&w, 2);
    crowd(&w, 1, 1, MANY);
    crowd(&w, 2, MANY + 1, FEW);
    int64_t began_us = ctx_mono_us(w.cx);
    for (unsigned i = 0; ask(&w, "SELECT COUNT(*) FROM job WHERE account_id = 2 AND state < 4"); i++) {
        CHECK(i < 60, "they come to an end");
        step(&w);
    }
    int64_t slots = ask(&w, "SELECT COUNT(*) FROM attempt WHERE id <= (SELECT MAX(a.id) FROM attempt a JOIN job j ON "
                            "j.id = a.job_id WHERE j.account_id = 2)");
    int64_t ms = (ctx_mono_us(w.cx) - began_us) / FG_US_PER_MS, submits = ask(&w, "SELECT COUNT(*) FROM attempt");
    printf("# %d jobs behind %d had the last of theirs in slot %lld; %lld submits in %lld ms\n", FEW, MANY, (long long)slots,
           (long long)submits, (long long)ms);
    CHECK(slots >= FEW && slots <= 2 * FEW + 2, "every other slot, as long as they have jobs");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job WHERE account_id = 2 AND state = 4"), FEW, "all of them are there");
    do_sql(&w, "UPDATE job SET stage = 0, state = 6, finished_us = 1, error_code = 'deadline_exceeded' WHERE state < 4;"
               "INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) SELECT h.job_id, 1, "
               "h.account_id, 3, 0, 'USD', 1 FROM ledger h LEFT JOIN ledger e ON e.job_id = h.job_id AND e.side = 1 "
               "WHERE h.side = 0 AND e.job_id IS NULL");
    job_world_end(&w, 0);
}
