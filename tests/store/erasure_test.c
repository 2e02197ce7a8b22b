/* An account, or one userId of it, is forgotten: no trace of it is left but in the books. */
#include "store/retention_kit.h"

static void erase_until_done(struct job_world *w)
{
    for (int i = 0; i < 200 && ask(w, "SELECT COUNT(*) FROM erasure WHERE finished_us IS NULL"); i++) {
        w->sweeper.retention = (struct retention){ 0 };
        settle(w);
        clock_add(w, 16 * FG_US_PER_S);
    }
    w->sweeper.retention.next_us = INT64_MAX;
    settle(w);
    CHECK_I64(ask(w, "SELECT COUNT(*) FROM erasure WHERE finished_us IS NULL"), 0, "it comes to its end");
}

/* Wherever a text column could have it. */
static int64_t traces_of(struct job_world *w, const char *user)
{
    return ask(w, "SELECT (SELECT COUNT(*) FROM job WHERE user_id = '%s') + (SELECT COUNT(*) FROM api_key WHERE user_id = '%s') + "
                  "(SELECT COUNT(*) FROM upload WHERE user_id = '%s') + (SELECT COUNT(*) FROM erasure WHERE user_id = '%s') + "
                  "(SELECT COUNT(*) FROM quote WHERE user_id = '%s') + "
                  "(SELECT COUNT(*) FROM wire r JOIN job j ON j.id = r.job_id WHERE j.user_id = '%s' OR j.user_id LIKE 'erased%%') + "
                  "(SELECT COUNT(*) FROM webhook_message WHERE payload LIKE '%%\"%s\"%%') + "
                  "(SELECT COUNT(*) FROM idempotency WHERE answer LIKE '%%\"%s\"%%')", user, user, user, user, user, user, user, user);
}

static void has_things(struct job_world *w)
{
    do_sql(w, "INSERT INTO webhook_endpoint (public_id, account_id, url, events, description, created_us, disabled_us, "
              "disabled_reason) VALUES ('we_1', 1, 'https://example.com/', 0, '', 1, %lld, 2)", (long long)w->t.utc_us);
    do_sql(w, "INSERT INTO api_key (account_id, digest, hint, label, role, user_id, created_us) VALUES "
              "(1, REPEAT('a', 32), 'h', 'Anna', 2, 'anna', 1), (1, REPEAT('b', 32), 'h', 'l', 1, NULL, 1)");
    do_sql(w, "INSERT INTO upload (public_id, account_id, user_id, digest, type, width, height, bytes, etag, file, thumb_file, "
              "created_us, expires_us) VALUES ('upl_a', 1, 'anna', REPEAT('a', 32), 1, 1, 1, 1, REPEAT('e', 32), 'f', 't', 1, 9), "
              "('upl_b', 1, 'bob', REPEAT('b', 32), 1, 1, 1, 1, REPEAT('e', 32), 'f', 't', 1, 9)");
    do_sql(w, "INSERT INTO quote (public_id, account_id, user_id, model, resolution, duration_s, audio, price_micro, currency, "
              "created_us, expires_us) VALUES ('quo_a', 1, 'anna', 'replay-1', '480p', 5, 0, 1, 'USD', 1, 2)");
}

TEST(a_user_is_forgotten_and_the_books_stay)
{
    struct job_world w;
    struct erasure e, again;
    job_world_begin(&w);
    has_things(&w);
    struct fg_str a = made_with(&w, ",\"userId\":\"anna\""), b = made_with(&w, ",\"userId\":\"bob\"");
    struct fg_str before = made_with(&w, ",\"userId\":\"anna\"");
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, before), FG_OK);
    struct job_answer run, wait;
    CHECK_CODE(w.cx, create_job(&w, FG_LIT("{\"prompt\":\"r\",\"aspectRatio\":\"16:9\",\"duration\":5,\"model\":\"list-1\","
                                           "\"userId\":\"anna\"}"), NULL, &run), FG_OK);
    settle(&w);
    do_sql(&w, "INSERT INTO provider_state (provider, paused_us) VALUES ('list', 1)");
    CHECK_CODE(w.cx, create_job(&w, FG_LIT("{\"prompt\":\"w\",\"aspectRatio\":\"16:9\",\"duration\":5,\"model\":\"list-1\","
                                           "\"userId\":\"anna\"}"), NULL, &wait), FG_OK);
    CHECK(traces_of(&w, "anna") > 6, "there is something to forget");
    CHECK_I64(job_now(&w, run.job_id).state, JOB_QUEUED, "one runs");
    int64_t charged = ask(&w, "SELECT SUM(amount_micro) FROM ledger WHERE kind = 2");

    CHECK_CODE(w.cx, erasure_ask(w.cx, w.env.db, 1, FG_LIT("anna"), &e), FG_OK);
    CHECK_CODE(w.cx, erasure_ask(w.cx, w.env.db, 1, FG_LIT("anna"), &again), FG_OK);
    CHECK_STR(again.public_id, e.public_id, "asked twice is asked once");
    erase_until_done(&w);
    CHECK_I64(traces_of(&w, "anna"), 0, "no trace");
    check_kept(&w, a, false, "neither file nor words");
    CHECK_IS(last_event(&w, a), "deleted {\"by\":\"erasure\"}", "told");
    CHECK_I64(files_of(&w, run.job_id), 0, "nor of what ran");
    CHECK_I64(job_now(&w, run.job_id).deleted_us > 0 && job_now(&w, wait.job_id).deleted_us > 0, 1, "nor of what waited");
    CHECK_IS(job_now(&w, wait.job_id).error_code, "canceled", "that was canceled");
    CHECK(fg_eq(job_now(&w, a).user_id, job_now(&w, before).user_id), "one other name for all of it");
    CHECK(fg_starts(job_now(&w, a).user_id, FG_LIT("erased_")), "which tells nobody whose");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM upload WHERE deleted_us IS NOT NULL"), 1, "her picture");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM api_key WHERE revoked_us IS NOT NULL"), 1, "her key");
    CHECK(ask(&w, "SELECT SUM(amount_micro) FROM ledger WHERE kind = 2") >= charged, "what was charged stands");
    check_kept(&w, b, true, "the other user has all of his");
    CHECK(traces_of(&w, "bob") > 0, "and his name");
    CHECK_I64(ask(&w, "SELECT jobs_n FROM erasure"), 3, "counted");
    job_world_end(&w, 0);
}

TEST(an_account_is_forgotten)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    has_things(&w);
    struct fg_str a = made_with(&w, ",\"userId\":\"anna\""), b = made(&w);
    CHECK_CODE(w.cx, RUN(&w, cli_account_erase, &out, "acct_1"), FG_INVALID_REQUEST);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM erasure"), 0, "not without --yes");
    CHECK_CODE(w.cx, RUN(&w, cli_account_erase, &out, "acct_1", "--yes", "yes"), FG_OK);
    CHECK(strstr(out, "era_"), out);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM api_key WHERE revoked_us IS NULL"), 0, "nobody gets in");
    erase_until_done(&w);
    check_kept(&w, a, false, "a user's");
    check_kept(&w, b, false, "its own");
    CHECK_I64(traces_of(&w, "anna") + traces_of(&w, "bob"), 0, "no names");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM account WHERE name = 'a'"), 0, "not its own");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM ledger"), 4, "the books stay");
    CHECK_I64(ask(&w, "SELECT storage_bytes FROM account_use WHERE account_id = 1"), 0, "nothing is kept");
    job_world_end(&w, 0);
}

TEST(what_comes_later_stays)
{
    struct job_world w;
    struct erasure e;
    job_world_begin(&w);
    struct fg_str a = made_with(&w, ",\"userId\":\"anna\"");
    CHECK_CODE(w.cx, erasure_ask(w.cx, w.env.db, 1, FG_LIT("anna"), &e), FG_OK);
    struct fg_str b = made_with(&w, ",\"userId\":\"anna\"");
    erase_until_done(&w);
    check_kept(&w, a, false, "from before");
    check_kept(&w, b, true, "she has come back");
    job_world_end(&w, 0);
}

TEST(an_erasure_waits_for_a_hold)
{
    struct job_world w;
    struct erasure e;
    const char *out;
    job_world_begin(&w);
    struct fg_str a = made_with(&w, ",\"userId\":\"anna\"");
    hold(&w, "--job", arena_cstr(w.cx->mem, a));
    CHECK_CODE(w.cx, erasure_ask(w.cx, w.env.db, 1, FG_LIT("anna"), &e), FG_LEGAL_HOLD);
    CHECK_CODE(w.cx, erasure_ask(w.cx, w.env.db, 1, FG_NONE, &e), FG_LEGAL_HOLD);
    CHECK_CODE(w.cx, erasure_ask(w.cx, w.env.db, 1, FG_LIT("bob"), &e), FG_OK);
    erase_until_done(&w);
    CHECK_CODE(w.cx, RUN(&w, cli_hold_end, &out, "1"), FG_OK);
    CHECK_CODE(w.cx, erasure_ask(w.cx, w.env.db, 1, FG_LIT("anna"), &e), FG_OK);
    hold(&w, "--user", "anna"); /* placed while it is under way */
    retain(&w);
    check_kept(&w, a, true, "it waits");
    CHECK_CODE(w.cx, RUN(&w, cli_hold_end, &out, "2"), FG_OK);
    clock_add(&w, 700 * FG_US_PER_S);
    erase_until_done(&w);
    check_kept(&w, a, false, "then it goes on");
    job_world_end(&w, 0);
}

TEST(what_is_no_user_is_refused)
{
    struct job_world w;
    struct erasure e;
    job_world_begin(&w);
    CHECK_CODE(w.cx, erasure_ask(w.cx, w.env.db, 1, FG_LIT(""), &e), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, erasure_ask(w.cx, w.env.db, 1, FG_LIT("\xff"), &e), FG_INVALID_REQUEST);
    job_world_end(&w, 0);
}
