/* What is written down of what was said on the wire: once each, without secrets, no more than so much, and gone with the
 * prompt. */
#include "store/job_world.h"

#include "base/arena.h"

#define FAR 86400

static int64_t rows(struct job_world *w, const char *what)
{
    return ask(w, "SELECT COUNT(*) FROM wire WHERE what = '%s'", what);
}

/* A job that its provider has taken, and says this of. */
static struct fg_str taken(struct job_world *w, const char *status)
{
    say_status(w, status, -1);
    struct fg_str id = new_job(w, "list-1", FAR);
    settle(w);
    return id;
}

TEST(a_submit_that_is_accepted_and_polls_that_say_the_same)
{
    struct job_world w;
    job_world_begin(&w);
    (void)taken(&w, "queued");
    CHECK_I64(rows(&w, "submit_request"), 1, "what was asked");
    CHECK_I64(rows(&w, "submit"), 1, "and said");
    CHECK(ask(&w, "SELECT status FROM wire WHERE what = 'submit'") / 100 == 2, "its status");
    CHECK(ask(&w, "SELECT excerpt LIKE '%%prompt%%' FROM wire WHERE what = 'submit_request'"), "its words");
    for (int i = 1; i <= 6; i++) {
        fake_unsay(w.fake, FAKE_POLL);
        say_status(&w, "in_progress", 10 * i);
        step(&w);
    }
    CHECK_I64(rows(&w, "poll"), 1, "what differs in its progress alone");
    CHECK_I64(ask(&w, "SELECT n FROM wire WHERE what = 'poll'"), 6, "counts");
    CHECK(ask(&w, "SELECT last_us > at_us FROM wire WHERE what = 'poll'"), "and is newer");
    fake_unsay(w.fake, FAKE_POLL);
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .status = 500 });
    step(&w);
    CHECK_I64(rows(&w, "poll"), 2, "another answer has a row of its own");
    job_world_end(&w, 0);
}

TEST(the_result_is_fetched_and_its_words_go_with_the_prompt)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "list-1", FAR);
    run_to_end(&w, id);
    settle(&w);
    CHECK_I64(rows(&w, "fetch"), 1, "each try");
    CHECK_I64(ask(&w, "SELECT excerpt LIKE '%% bytes' FROM wire WHERE what = 'fetch'"), 1, "without its body");
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, id), FG_OK);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM wire"), 0, "gone");
    job_world_end(&w, 0);
}

TEST(a_submit_without_an_answer_and_one_that_is_refused)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_TAKE_LOSE });
    (void)new_job(&w, "wait-1", FAR);
    settle(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM wire WHERE what = 'submit' AND status IS NULL AND excerpt <> ''"), 1,
              "no answer, and why");
    fake_unsay(w.fake, FAKE_SUBMIT);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 400,
        .body = FG_LIT("{\"error\":{\"message\":\"bad https://x.example/a?sig=abcdef\",\"api_key\":\"hidden-thing\"}}") });
    (void)new_job(&w, "list-1", FAR);
    settle(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM wire WHERE what = 'submit' AND status = 400"), 1, "refused");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM wire WHERE excerpt LIKE '%%sig=%%' OR excerpt LIKE '%%hidden%%'"), 0,
              "without secrets");
    job_world_end(&w, 0);
}

TEST(a_job_has_no_more_than_so_many_rows)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = taken(&w, "queued");
    do_sql(&w, "INSERT INTO wire (job_id, attempt_n, what, at_us, last_us, took_ms, method, url, alike) "
               "SELECT id, 1, 'poll', seq, seq, 1, 'GET', 'http://x', seq FROM job, seq_1_to_400 WHERE public_id = '%.*s'",
           FG_P(id));
    step(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM wire"), WIRE_ROWS_MAX, "bounded");
    CHECK_I64(rows(&w, "submit") + rows(&w, "submit_request"), 2, "submits stay");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM wire WHERE alike = 1"), 0, "the oldest is gone");
    job_world_end(&w, 0);
}

TEST(an_answer_whose_row_is_gone_is_written_again)
{
    struct job_world w;
    job_world_begin(&w);
    (void)taken(&w, "in_progress");
    step(&w);
    step(&w);
    CHECK_I64(ask(&w, "SELECT n FROM wire WHERE what = 'poll'"), 2, "known by now");
    do_sql(&w, "DELETE FROM wire WHERE what = 'poll'");
    step(&w);
    CHECK_I64(rows(&w, "poll"), 0, "there was nothing to count on");
    step(&w);
    CHECK_I64(rows(&w, "poll"), 1, "with its words");
    CHECK_I64(ask(&w, "SELECT excerpt LIKE '%%in_progress%%' FROM wire WHERE what = 'poll'"), 1, "as it was said");
    job_world_end(&w, 0);
}

/* The table refuses; then it does not. */
TEST(a_record_that_cannot_be_written_holds_up_nothing)
{
    struct job_world w;
    job_world_begin(&w);
    do_sql(&w, "ALTER TABLE wire ADD CONSTRAINT none CHECK (n = 0)");
    struct fg_str id = taken(&w, "in_progress");
    check_place(&w, id, JOB_QUEUED, STAGE_AT_PROVIDER, "", "it is submitted all the same");
    step(&w);
    check_place(&w, id, JOB_PROCESSING, STAGE_RENDERING, "", "and moved");
    step(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM wire"), 0, "without a record");
    do_sql(&w, "ALTER TABLE wire DROP CONSTRAINT none");
    step(&w);
    CHECK_I64(rows(&w, "poll"), 1, "what was not written is not taken for known");
    fake_unsay(w.fake, FAKE_POLL);
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "to its end");
    job_world_end(&w, 3);
}

/* As one that is locked for good would be. */
TEST(work_is_given_back_without_its_record)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = taken(&w, "in_progress");
    step(&w);
    do_sql(&w, "CREATE TRIGGER busy BEFORE INSERT ON wire FOR EACH ROW SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213");
    fake_unsay(w.fake, FAKE_POLL);
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .status = 500 });
    step(&w);
    CHECK_I64(ask(&w, "SELECT owner IS NULL AND due_us > %lld FROM due WHERE kind = %d", (long long)w.t.utc_us, DUE_POLL), 1,
              "no lease has to end first");
    do_sql(&w, "DROP TRIGGER busy");
    step(&w);
    CHECK_I64(rows(&w, "poll"), 2, "the next one is written");
    fake_unsay(w.fake, FAKE_POLL);
    run_to_end(&w, id);
    job_world_end(&w, 0);
}

/* Pages of a list are one answer, however many. */
TEST(looking_in_a_list_counts)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_TAKE_LOSE });
    say(&w, FAKE_LIST, (struct fake_reply){ .way = FAKE_ANSWER, .status = 503 });
    (void)new_job(&w, "list-1", FAR);
    settle(&w);
    for (int i = 0; i < 3; i++)
        step(&w);
    int64_t asked = fake_count(w.fake, FAKE_LIST);
    CHECK(asked > 1, "it is looked for");
    CHECK_I64(rows(&w, "list"), 1, "one row");
    CHECK_I64(ask(&w, "SELECT n FROM wire WHERE what = 'list'"), asked, "with all of them");
    job_world_end(&w, 0);
}

TEST(a_list_is_not_kept_for_it_has_the_words_of_others)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_TAKE_LOSE });
    say(&w, FAKE_LIST, (struct fake_reply){ .way = FAKE_ANSWER, .status = 200,
                                            .body = FG_LIT("{\"data\":[{\"id\":\"video_x\",\"prompt\":\"words of another\"}]}") });
    (void)new_job(&w, "list-1", FAR);
    settle(&w);
    step(&w);
    CHECK_I64(rows(&w, "list"), 1, "that it was asked is");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM wire WHERE excerpt LIKE '%%another%%'"), 0, "what it said is not");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM wire WHERE what = 'list' AND excerpt LIKE '%%bytes'"), 1, "how much it was is");
    job_world_end(&w, 0);
}

TEST(nothing_is_written_of_a_job_whose_words_are_gone)
{
    struct job_world w;
    job_world_begin(&w);
    (void)taken(&w, "in_progress");
    step(&w);
    do_sql(&w, "UPDATE job SET redacted_us = 1");
    do_sql(&w, "DELETE FROM wire");
    for (int i = 0; i < 3; i++)
        step(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM wire"), 0, "late answers stay away");
    do_sql(&w, "UPDATE job SET redacted_us = NULL");
    job_world_end(&w, 0);
}
