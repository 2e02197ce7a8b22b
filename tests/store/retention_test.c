/* What has been kept long enough goes, and nothing else: files, words, timelines and callbacks; holds; jumps of the clock. */
#include "store/retention_kit.h"

/* ---- files ---- */

TEST(a_file_goes_when_its_job_said_so)
{
    struct job_world w;
    job_world_begin(&w);
    plan(&w, "output_days = 30");
    struct fg_str a = made_with(&w, ",\"retainDays\":2"), b = made(&w);
    struct job j = job_now(&w, a);
    CHECK_I64(j.expires_us - j.finished_us, 2 * DAY_US, "its own wish");
    CHECK_I64(job_now(&w, b).expires_us - job_now(&w, b).finished_us, 30 * DAY_US, "the plan's");
    int64_t bytes = ask(&w, "SELECT storage_bytes FROM account_use WHERE account_id = 1");

    clock_add(&w, j.expires_us - w.t.utc_us - FG_US_PER_S);
    retain(&w);
    CHECK_I64(job_now(&w, a).output_state, OUTPUT_STORED, "a second before");
    clock_add(&w, FG_US_PER_S);
    retain(&w);
    j = job_now(&w, a);
    CHECK_I64(j.output_state, OUTPUT_DELETED, "then");
    CHECK(!j.deleted_us && j.prompt.p, "the job and its words stay");
    CHECK_IS(last_event(&w, a), "deleted {\"by\":\"retention\"}", "it is told");
    CHECK_I64(files_of(&w, a), 0, "file and poster are gone");
    CHECK(ask(&w, "SELECT storage_bytes FROM account_use WHERE account_id = 1") < bytes, "they no longer count");
    CHECK_I64(ask(&w, "SELECT storage_bytes - (SELECT SUM(bytes) FROM output WHERE deleted_us IS NULL) FROM account_use "
                      "WHERE account_id = 1"), 0, "what is left does");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM due"), 0, "nothing is left to do");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM webhook_message WHERE type = 5"), 0, "no news: it had been said");
    CHECK_I64(files_of(&w, b), 2, "the other's are there");
    job_world_end(&w, 0);
}

TEST(for_ever_is_for_ever)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str a = made(&w);
    CHECK_I64(job_now(&w, a).expires_us, 0, "no plan, no wish");
    clock_add(&w, 3650 * DAY_US);
    retain(&w);
    CHECK_I64(files_of(&w, a), 2, "ten years later");
    CHECK_I64(words_of(&w, a), 3, "with its words");
    job_world_end(&w, 0);
}

TEST(a_wish_beyond_the_plan_is_refused)
{
    struct job_world w;
    struct job_answer a;
    job_world_begin(&w);
    plan(&w, "output_days = 30");
    struct fg_str body = FG_LIT("{\"prompt\":\"a\",\"aspectRatio\":\"16:9\",\"duration\":5,\"retainDays\":31}");
    CHECK_CODE(w.cx, create_job(&w, body, NULL, &a), FG_PLAN_LIMIT);
    plan(&w, "output_days = 31");
    CHECK_CODE(w.cx, create_job(&w, body, NULL, &a), FG_OK);
    run_to_end(&w, a.job_id);
    job_world_end(&w, 0);
}

/* ---- words ---- */

static int64_t said_of(struct job_world *w, struct fg_str id)
{
    return ask(w, "SELECT COUNT(*) FROM wire WHERE job_id = (SELECT id FROM job WHERE public_id = '%.*s')", FG_P(id));
}

TEST(words_go_by_the_plan_and_the_film_stays)
{
    struct job_world w;
    job_world_begin(&w);
    plan(&w, "prompt_days = 7");
    struct fg_str a = made(&w);
    CHECK_I64(words_of(&w, a), 3, "prompt, metadata, first answer");
    clock_add(&w, 6 * DAY_US);
    retain(&w);
    CHECK_I64(words_of(&w, a), 3, "too early");
    struct fg_str b = made(&w);
    do_sql(&w, "UPDATE callback_receipt SET body = 'x'");
    clock_add(&w, DAY_US);
    retain(&w);
    CHECK_I64(words_of(&w, a), 0, "gone");
    CHECK_I64(said_of(&w, a), 0, "what was said to the provider, too");
    CHECK(job_now(&w, a).redacted_us > 0, "said so");
    CHECK_IS(last_event(&w, a), "redacted {\"by\":\"retention\"}", "and told");
    CHECK_I64(files_of(&w, a), 2, "the film stays");
    CHECK_I64(words_of(&w, b), 3, "the younger one's too");
    CHECK(said_of(&w, b) > 0, "and what was said");
    int64_t version = job_now(&w, a).version;
    retain(&w);
    CHECK_I64(job_now(&w, a).version, version, "once");
    job_world_end(&w, 0);
}

/* ---- holds ---- */

TEST(nothing_under_a_hold_goes)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    plan(&w, "output_days = 1, prompt_days = 1");
    struct fg_str a = made(&w), b = made_with(&w, ",\"userId\":\"bob\""), c = made_with(&w, ",\"userId\":\"eve\"");
    hold(&w, "--job", arena_cstr(w.cx->mem, a));
    hold(&w, "--user", "bob");
    clock_add(&w, 2 * DAY_US);
    retain(&w);
    check_kept(&w, a, true, "a job");
    check_kept(&w, b, true, "a user's");
    check_kept(&w, c, false, "who is on none");
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, a), FG_LEGAL_HOLD);
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, a), FG_LEGAL_HOLD);
    check_kept(&w, a, true, "its owner cannot either");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job_event WHERE kind = 'legal_hold'"), 1, "told once");
    CHECK_CODE(w.cx, RUN(&w, cli_hold_list, &out, "acct_1"), FG_OK);
    CHECK(strstr(out, "court") && strstr(out, "bob"), out);
    CHECK_CODE(w.cx, RUN(&w, cli_hold_end, &out, "1"), FG_OK);
    CHECK_CODE(w.cx, RUN(&w, cli_hold_end, &out, "1"), FG_NOT_FOUND);
    retain(&w);
    check_kept(&w, a, false, "it has ended");
    check_kept(&w, b, true, "the other has not");
    CHECK_CODE(w.cx, RUN(&w, cli_hold_end, &out, "2"), FG_OK);
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, b), FG_OK);
    settle(&w);
    check_kept(&w, b, false, "its owner can");
    job_world_end(&w, 0);
}

TEST(a_hold_on_the_account_keeps_everything)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    plan(&w, "output_days = 1, prompt_days = 1");
    w.conf.retention_events_days = w.conf.retention_callbacks_days = 1;
    struct fg_str a = made(&w);
    CHECK_CODE(w.cx, RUN(&w, cli_hold_add, &out, "acct_1", "--reason", "court", "--by", "eve"), FG_OK);
    int64_t events = ask(&w, "SELECT COUNT(*) FROM job_event");
    clock_add(&w, 9 * DAY_US);
    retain(&w);
    check_kept(&w, a, true, "all of it");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job_event"), events, "and its timeline");
    job_world_end(&w, 0);
}

/* ---- timelines and callbacks ---- */

TEST(timelines_and_callbacks_go_when_that_is_set)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str a = made(&w);
    do_sql(&w, "INSERT INTO callback_receipt (provider, verdict, job_id, received_us, request_id) "
               "SELECT 'replay', 1, id, %lld, 'r' FROM job", (long long)w.t.utc_us);
    clock_add(&w, 10 * DAY_US);
    retain(&w);
    CHECK(ask(&w, "SELECT COUNT(*) FROM job_event") > 0 && ask(&w, "SELECT COUNT(*) FROM callback_receipt") > 0, "for ever");
    struct fg_str b = new_job(&w, "replay-1", FAR); /* has not ended */
    do_sql(&w, "UPDATE job_event SET at_us = 1 WHERE job_id = (SELECT MAX(id) FROM job)");
    w.conf.retention_events_days = 9;
    w.conf.retention_callbacks_days = 11;
    retain(&w);
    CHECK_I64(timeline(&w, a).n, 0, "nine days are over");
    CHECK(ask(&w, "SELECT COUNT(*) FROM job_event") > 0, "a job that runs keeps its own");
    CHECK(ask(&w, "SELECT COUNT(*) FROM callback_receipt") > 0, "eleven are not");
    clock_add(&w, DAY_US);
    run_to_end(&w, b);
    retain(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM callback_receipt WHERE received_us < %lld", (long long)(w.t.utc_us - 11 * DAY_US)),
              0, "now they are");
    job_world_end(&w, 0);
}

/* ---- clocks, many sweepers, many rows ---- */

TEST(a_clock_that_is_ahead_deletes_nothing_early)
{
    struct job_world w;
    job_world_begin(&w);
    plan(&w, "output_days = 30, prompt_days = 30");
    struct fg_str a = made(&w);
    t_jump(&w.t, 60 * DAY_US);
    for (int i = 0; i < 6; i++) { /* as it is settled (clock_test.c) */
        look_anew(&w.sweeper);
        (void)sweep_pass(&w.sweeper);
        w.sweeper.clock.noticed_us -= w.sweeper.clock.noticed_us ? CLOCK_GRACE_US : 0;
        w.sweeper.clock.next_try_us = 0;
        sweep_wait(&w.sweeper, -1, -1, 0);
    }
    retain(&w);
    check_kept(&w, a, true, "sixty days have not gone by");
    clock_add(&w, 31 * DAY_US);
    retain(&w);
    check_kept(&w, a, false, "thirty have");
    job_world_end(&w, 0);
}

/* So many jobs with expired files, without the files. */
static void fill(struct job_world *w, int n)
{
    do_sql(w, "INSERT INTO job (public_id, account_id, state, stage, version, provider, model, prompt, aspect_ratio, duration_s, "
              "resolution, price_micro, currency, charged, request_id, created_us, updated_us, finished_us, deadline_us, "
              "output_state, expires_us) SELECT CONCAT('job_x', LPAD(seq, 8, '0')), 1 + seq %% 2, 4, 0, 1, 'replay', 'replay-1', "
              "'p', '16:9', 5, '480p', 0, 'USD', 1, 'r', 1, 1, 1, 1, 1, 1000 + seq DIV 50 FROM seq_1_to_%d", n);
    do_sql(w, "INSERT INTO output (job_id, video_file, poster_file, bytes, digest, width, height, duration_ms, stored_us) "
              "SELECT id, CONCAT('x0/', public_id, '-a.mp4'), CONCAT('x0/', public_id, '-a.jpg'), 10, REPEAT('d', 32), 1, 1, 1, 1 "
              "FROM job WHERE public_id LIKE 'job_x%%'");
    do_sql(w, "INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) SELECT id, 0, account_id, 1, 0, "
              "'USD', 1 FROM job WHERE public_id LIKE 'job_x%%'; INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, "
              "currency, at_us) SELECT id, 1, account_id, 2, 0, 'USD', 1 FROM job WHERE public_id LIKE 'job_x%%'; "
              "UPDATE account_use u SET storage_bytes = (SELECT IFNULL(SUM(o.bytes), 0) FROM output o JOIN job j ON "
              "j.id = o.job_id WHERE j.account_id = u.account_id AND o.deleted_us IS NULL)");
}

static void check_all_gone(struct job_world *w, int n)
{
    CHECK_I64(ask(w, "SELECT COUNT(*) FROM job WHERE output_state = 2"), n, "each");
    CHECK_I64(ask(w, "SELECT COUNT(*) FROM job_event WHERE kind = 'deleted'"), n, "once");
    CHECK_I64(ask(w, "SELECT SUM(storage_bytes) FROM account_use"), 0, "the sums");
    CHECK_I64(ask(w, "SELECT COUNT(*) FROM due"), 0, "with their files");
}

TEST(turns_are_small_and_a_creation_does_not_wait)
{
    struct job_world w;
    job_world_begin(&w);
    fill(&w, 500);
    struct retention *r = &w.sweeper.retention;
    *r = (struct retention){ 0 };
    look_anew(&w.sweeper);
    (void)sweep_pass(&w.sweeper);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job WHERE output_state = 2"), 10, "ten in a turn");
    CHECK(r->next_us < INT64_MAX && r->files.at_id > 0, "and there is more");
    /* In the middle of one of its transactions: of the rows that it holds a creation needs none. */
    do_sql(&w, "BEGIN; SELECT id FROM legal_hold_gate LOCK IN SHARE MODE; SELECT COUNT(*) FROM (SELECT id FROM job "
               "FORCE INDEX (job_expires) WHERE output_state = 1 AND expires_us <= 9999 LIMIT 10 FOR UPDATE) t");
    int64_t waits = ask(&w, "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = "
                            "'INNODB_ROW_LOCK_WAITS'");
    (void)new_job(&w, "replay-1", FAR);
    CHECK_I64(ask(&w, "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = "
                      "'INNODB_ROW_LOCK_WAITS'"), waits, "no wait for a lock");
    do_sql(&w, "COMMIT");
    retain(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job WHERE output_state = 2 AND public_id LIKE 'job_x%%'"), 500, "all");
    job_world_end(&w, 0);
}

TEST(two_sweepers_share_it)
{
    struct job_world w;
    static struct sweeper other;
    job_world_begin(&w);
    fill(&w, 120);
    second_sweeper(&w, &other);
    for (int i = 0; i < 200 && ask(&w, "SELECT COUNT(*) FROM job WHERE output_state = 1"); i++) {
        struct sweeper *s = i % 2 ? &other : &w.sweeper;
        s->retention.next_us = s->retention.files.rest_us = 0;
        look_anew(s);
        (void)sweep_pass(s);
        drain(s);
    }
    /* What another has in hand is passed over, not waited for. */
    settle_with(&other);
    retain(&w);
    check_all_gone(&w, 120);
    sweeper_close(&other);
    job_world_end(&w, 0);
}

TEST(those_on_hold_do_not_stand_in_the_way)
{
    struct job_world w;
    job_world_begin(&w);
    fill(&w, 60);
    do_sql(&w, "INSERT INTO legal_hold (account_id, job_id, reason, placed_by, since_us) SELECT account_id, id, 'r', 'b', 1 FROM job "
               "WHERE expires_us = 1000 LIMIT 40");
    retain(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job WHERE output_state = 2"), 20, "the others go");
    job_world_end(&w, 0);
}
