/* The operator's side of money: plans, an account's entries, and what attempts cost. */
#include "money/cost.h"
#include "money/ledger.h"
#include "store/cli_kit.h"

/* ---- amounts ---- */

TEST(amounts_are_exact)
{
    static const struct {
        const char *text;
        int64_t micro; /* -1: none */
        const char *shown;
    } row[] = {
        { "0", 0, "0.00 USD" }, { "250", 250, "0.00025 USD" }, { "-250", -250, "-0.00025 USD" },
        { "12.50", 12500000, "12.50 USD" }, { "-3.0", -3000000, "-3.00 USD" }, { "+0.000001", 1, "0.000001 USD" },
        { "9223372036854.775807", INT64_MAX, "9223372036854.775807 USD" }, { "9223372036854.775808", -1, "" },
        { "9223372036854775808", -1, "" }, { "1.0000001", -1, "" }, { "1.", -1, "" }, { ".5", -1, "" }, { "", -1, "" },
        { "-", -1, "" }, { "--5", -1, "" }, { "1.-5", -1, "" }, { "1,5", -1, "" }, { "1e3", -1, "" }, { "1.5 ", -1, "" },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        int64_t micro = -1;
        CHECK_I64(cli_amount(fg_str_c(row[i].text), &micro), row[i].shown[0] != 0, row[i].text);
        CHECK_I64(micro, row[i].micro, row[i].text);
        if (row[i].shown[0])
            CHECK_STR(cli_money(&w.cx, micro, FG_LIT("USD")), fg_str_c(row[i].shown), row[i].text);
    }
    CHECK_IS(cli_money(&w.cx, INT64_MIN, FG_LIT("USD")), "-9223372036854.775808 USD", "the least");
    t_end(&w, 0);
}

/* ---- plans ---- */

static enum fg_code set_plan(struct fg_ctx *cx, struct db *db, struct fg_str name, struct fg_str assignment)
{
    struct plan p;
    enum fg_code rc = plan_by_name(cx, db, name, &p);
    if (rc == FG_OK)
        rc = plan_set(cx, &p, assignment);
    return rc == FG_OK ? plan_put(cx, db, &p) : rc;
}

TEST(a_plan_takes_what_makes_sense_and_nothing_else)
{
    static const struct {
        const char *set;
        enum fg_code code;
        const char *is; /* of the columns that are looked at */
    } row[] = {
        { "durations=5,10", FG_OK, "5,10" }, { "durations=5,x", FG_INVALID_REQUEST, "5,10" },
        { "durations=5,", FG_INVALID_REQUEST, "5,10" }, { "durations=,5", FG_INVALID_REQUEST, "5,10" },
        { "durations=5,,10", FG_INVALID_REQUEST, "5,10" }, { "durations=0", FG_INVALID_REQUEST, "5,10" },
        { "durations=", FG_INVALID_REQUEST, "5,10" },
        { "durations=none", FG_OK, "-" }, { "resolutions=480p,720p", FG_OK, "480p,720p" },
        { "resolutions=480p 720p", FG_INVALID_REQUEST, "480p,720p" }, { "default_resolution=720p", FG_OK, "720p" },
        { "default_resolution=1080p", FG_INVALID_REQUEST, "720p" },
        { "default_resolution=480p,720p", FG_INVALID_REQUEST, "720p" }, { "resolutions=480p", FG_INVALID_REQUEST, "480p,720p" },
        { "models=fal-1,best", FG_OK, "fal-1,best" }, { "attempts_max=0", FG_INVALID_REQUEST, "-" },
        { "attempts_max=51", FG_INVALID_REQUEST, "-" }, { "attempts_max=3", FG_OK, "3" }, { "attempts_max=-1", FG_INVALID_REQUEST, "3" },
        { "attempts_max=3.0", FG_INVALID_REQUEST, "3" }, { "attempts_max=none", FG_OK, "-" }, { "running_max=0", FG_INVALID_REQUEST, "-" },
        { "minute_max=0", FG_OK, "0" }, { "day_micro=5000000", FG_OK, "5000000" },
        { "day_micro=1000000000000001", FG_INVALID_REQUEST, "5000000" }, { "margin_bp=2500", FG_OK, "2500" },
        { "margin_bp=none", FG_OK, "0" }, { "storage_bytes=9223372036854775807", FG_OK, "9223372036854775807" },
        { "output_days=30", FG_OK, "30" }, { "nothing=5", FG_INVALID_REQUEST, NULL }, { "durations", FG_INVALID_REQUEST, NULL },
    };
    struct job_world w;
    struct db *db;
    const char *out;
    job_world_begin(&w);
    CHECK_CODE(w.cx, db_open(w.cx, &db, &w.conf, DB_CLI), FG_OK);
    CHECK_CODE(w.cx, RUN(&w, cli_plan_create, &out, "pro"), FG_OK);
    CHECK_CODE(w.cx, RUN(&w, cli_plan_create, &out, "pro"), FG_DB_DUPLICATE);
    CHECK_CODE(w.cx, RUN(&w, cli_plan_create, &out, "Pro!"), FG_INVALID_REQUEST);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str rest = fg_str_c(row[i].set), name = rest;
        CHECK_CODE(w.cx, set_plan(w.cx, db, FG_LIT("pro"), rest), row[i].code);
        name.n = strcspn(row[i].set, "=");
        if (row[i].is)
            CHECK_STR(ask_text(&w, "SELECT IFNULL(%.*s, '-') FROM plan WHERE name = 'pro'", FG_P(name)), fg_str_c(row[i].is),
                      row[i].set);
    }
    db_close(db);
    CHECK_CODE(w.cx, RUN(&w, cli_plan_set, &out, "pro", "day_max=7", "prompt_days=x"), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, RUN(&w, cli_plan_set, &out, "pro", "user_running_max=7", "prompt_days=3"), FG_OK);
    CHECK_CODE(w.cx, RUN(&w, cli_plan_set, &out, "poor", "day_max=7"), FG_NOT_FOUND);
    CHECK_CODE(w.cx, RUN(&w, cli_plan_show, &out, "pro"), FG_OK);
    CHECK(strstr(out, "480p,720p") && strstr(out, "day_max               none"), "all or nothing");
    CHECK(strstr(out, "user_running_max      7 ") && strstr(out, "prompt_days           3 "), "and several at once");
#define T(name, longest, words) CHECK(strstr(out, #name) && strstr(out, words), #name);
#define N(name, least, most, words) T(name, most, words)
    PLAN_FIELDS(T, N)
#undef T
#undef N
    CHECK_CODE(w.cx, RUN(&w, cli_plan_list, &out, NULL), FG_OK);
    CHECK_IS(fg_str_c(out), "default\npro\n", "by name");
    CHECK_CODE(w.cx, RUN(&w, cli_plan_assign, &out, "acct_2", "poor"), FG_NOT_FOUND);
    CHECK_CODE(w.cx, RUN(&w, cli_plan_assign, &out, "acct_3", "pro"), FG_NOT_FOUND);
    CHECK_CODE(w.cx, RUN(&w, cli_plan_assign, &out, "acct_2", "pro"), FG_OK);
    CHECK_CODE(w.cx, RUN(&w, cli_account_list, &out, NULL), FG_OK);
    CHECK(strstr(out, "acct_1  default ") && strstr(out, "acct_2  pro "), out);
    job_world_end(&w, 0);
}

/* ---- an account's money ---- */

TEST(what_is_entered_twice_is_entered_once)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
#define TOPUP(amount, ref) RUN(&w, cli_account_topup, &out, "acct_2", amount, "--reference", ref)
#define BALANCE ask(&w, "SELECT balance_micro FROM account_use WHERE account_id = 2")
    CHECK_CODE(w.cx, TOPUP("5.00", "inv-1"), FG_OK);
    CHECK(strstr(out, "entered: 5.00 USD; the balance is 5.00 USD"), out);
    CHECK_CODE(w.cx, TOPUP("5000000", "inv-1"), FG_OK);
    CHECK(strstr(out, "had been entered before"), out);
    CHECK_CODE(w.cx, TOPUP("6.00", "inv-1"), FG_DB_DUPLICATE);
    CHECK_CODE(w.cx, RUN(&w, cli_account_adjust, &out, "acct_2", "5.00", "--reference", "inv-1", "--note", "n"),
               FG_DB_DUPLICATE);
    CHECK_I64(BALANCE, 5000000, "once");
    CHECK_CODE(w.cx, RUN(&w, cli_account_topup, &out, "acct_1", "1.00", "--reference", "inv-1"), FG_OK);
    CHECK_CODE(w.cx, RUN(&w, cli_account_adjust, &out, "acct_2", "-6.25", "--reference", "a", "--note", "why \x1b"), FG_OK);
    CHECK_I64(BALANCE, -1250000, "either way");

    CHECK_CODE(w.cx, TOPUP("-1", "b"), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, TOPUP("0", "b"), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, TOPUP("x", "b"), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, TOPUP("1000000000000001", "b"), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, TOPUP("1", "two words"), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, TOPUP("1", "k\xc3\xa4se"), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, RUN(&w, cli_account_topup, &out, "acct_2", "1"), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, RUN(&w, cli_account_adjust, &out, "acct_2", "1", "--reference", "b"), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, RUN(&w, cli_account_topup, &out, "acct_3", "1", "--reference", "b"), FG_NOT_FOUND);
    do_sql(&w, "UPDATE account_use SET balance_micro = 9223372036854775807 WHERE account_id = 2");
    CHECK_CODE(w.cx, TOPUP("1", "b"), FG_INVALID_REQUEST);
    CHECK_I64(BALANCE, INT64_MAX, "refused, not wrapped");
    do_sql(&w, "UPDATE account_use SET balance_micro = -1250000 WHERE account_id = 2");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM ledger"), 3, "nothing else was entered");

    CHECK_CODE(w.cx, RUN(&w, cli_account_ledger, &out, "acct_2"), FG_OK);
    CHECK(strstr(out, "adjust") && strstr(out, "-6.25 USD") && strstr(out, "inv-1") && !strchr(out, '\x1b'), out);
    CHECK(strstr(out, "adjust") < strstr(out, "topup"), "newest first");
    job_world_end(&w, 0);
}

TEST(the_audit_names_whose_books_are_wrong_and_fails)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    CHECK_CODE(w.cx, RUN(&w, cli_audit_ledger, &out, NULL), FG_OK);
    CHECK(!strstr(out, "BAD") && !strstr(out, "acct_"), out);
    do_sql(&w, "UPDATE account_use SET balance_micro = 1 WHERE account_id = 2");
    CHECK_CODE(w.cx, RUN(&w, cli_audit_ledger, &out, NULL), FG_INTERNAL);
    CHECK(strstr(out, "BAD  accounts whose balance is not the sum of their entries: 1") && strstr(out, "among them: acct_2\n"), out);
    CHECK_I64(ask(&w, "SELECT balance_micro FROM account_use WHERE account_id = 2"), 1, "and mends nothing");
    do_sql(&w, "UPDATE account_use SET balance_micro = 0 WHERE account_id = 2");
    job_world_end(&w, 0);
}

TEST(an_account_shows_its_limits)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    (void)new_job(&w, "replay-1", 3600);
    CHECK_CODE(w.cx, RUN(&w, cli_account_show, &out, "acct_1"), FG_OK);
    CHECK(strstr(out, "none: it pays later") && !strstr(out, "jobsPerDay"), out);
    do_sql(&w, "UPDATE plan SET day_max = 9, outstanding_max = 3");
    CHECK_CODE(w.cx, RUN(&w, cli_account_credit, &out, "acct_1", "2.50"), FG_OK);
    CHECK_CODE(w.cx, RUN(&w, cli_account_show, &out, "acct_1"), FG_OK);
    CHECK(strstr(out, "2.50 USD") && strstr(out, "1 of 9, free again 20") && strstr(out, "1 of 3\n"), out);
    CHECK_CODE(w.cx, RUN(&w, cli_account_credit, &out, "acct_1", "-1"), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, RUN(&w, cli_account_credit, &out, "acct_1", "0"), FG_OK);
    CHECK_I64(ask(&w, "SELECT credit_limit_micro IS NOT NULL AND credit_limit_micro = 0 FROM account WHERE id = 1"), 1, "prepaid");
    CHECK_CODE(w.cx, RUN(&w, cli_account_credit, &out, "acct_1", "none"), FG_OK);
    CHECK_I64(ask(&w, "SELECT credit_limit_micro IS NULL FROM account WHERE id = 1"), 1, "it pays later");
    job_world_end(&w, 0);
}

/* ---- what attempts cost ---- */

static void plant(struct job_world *w, int64_t id, int job_state, const char *error, bool cancel)
{
    bool over = job_state >= 4;
    do_sql(w, "INSERT INTO job (id, public_id, account_id, state, stage, version, provider, model, prompt, aspect_ratio, "
              "duration_s, resolution, price_micro, currency, request_id, created_us, updated_us, deadline_us, finished_us, "
              "error_code, cancel_us, attempt_n) VALUES (%lld, 'planted_%lld', 1, %d, %d, 1, 'p', 'm', 'p', '16:9', 5, "
              "'480p', 1, 'USD', 'r', 1, 1, 1, %s, %s%s%s, %s, 1)",
           (long long)id, (long long)id, job_state, over ? 0 : job_state == 3 ? 5 : 4, over ? "2" : "NULL",
           *error ? "'" : "", *error ? error : "NULL", *error ? "'" : "", cancel ? "1" : "NULL");
}

static void plant_attempt(struct job_world *w, int64_t job, int n, int state, int64_t cost)
{
    do_sql(w, "INSERT INTO attempt (job_id, n, provider, model, client_ref, callback_token, state, provider_job_id, "
              "created_us, cost_micro) VALUES (%lld, %d, 'p', 'm', 'r%lld-%d', 't%lld-%d', %d, %s, 10, %lld)",
           (long long)job, n, (long long)job, n, (long long)job, n, state,
           state == 2 ? arena_fmt(w->cx->mem, "'x%lld-%d'", (long long)job, n).p : "NULL", (long long)cost);
}

TEST(every_attempt_has_one_outcome)
{
    static const struct {
        const char *outcome;
        int job_state;
        const char *error;
        bool cancel;
        int n, state;
        int64_t cost;
    } row[] = {
        { "succeeded", 4, "", false, 1, 2, 1 }, { "succeeded", 4, "", true, 1, 2, 2 },
        { "failed", 5, "provider_failed", false, 1, 2, 4 }, { "failed", 5, "output_invalid", false, 1, 2, 8 },
        { "expired", 6, "deadline_exceeded", false, 1, 2, 16 }, { "canceled", 5, "canceled", true, 1, 2, 0 },
        { "canceled_late", 5, "canceled", true, 1, 2, 32 }, { "canceled_late", 6, "deadline_exceeded", true, 1, 2, 64 },
        { "canceled_late", 5, "provider_failed", true, 1, 2, 128 }, { "refused", 5, "blocked_prompt", false, 1, 2, 256 },
        { "refused", 5, "blocked_output", true, 1, 2, 512 }, { "refused", 2, "", false, 2, 3, 1024 },
        { "refused", 5, "provider_refused", false, 1, 3, 0 }, { "duplicate", 4, "", false, 2, 2, 2048 },
        { "duplicate", 2, "", false, 2, 2, 4096 }, { "duplicate", 4, "", false, 2, 4, 32768 }, { "unknown", 5, "submit_unknown", false, 1, 5, 8192 },
        { "unknown", 4, "", false, 2, 1, 0 }, { "running", 3, "", false, 1, 2, 16384 }, { "running", 2, "", true, 1, 2, 0 },
        { "not_sent", 5, "canceled", false, 1, 4, 0 }, { "not_sent", 4, "", false, 2, 6, 0 },
    };
    struct job_world w;
    struct cost c;
    const char *out;
    job_world_begin(&w);
    int64_t all = 0;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        plant(&w, 1000 + (int64_t)i, row[i].job_state, row[i].error, row[i].cancel);
        plant_attempt(&w, 1000 + (int64_t)i, row[i].n, row[i].state, row[i].cost);
        all += row[i].cost;
    }
    CHECK_CODE(w.cx, cost_read(w.cx, w.sweeper.env.db, 10, 11, &c), FG_OK);
    CHECK_CODE(w.cx, cost_reconcile(w.cx, &c), FG_OK);
    CHECK_I64(c.attempt_n, (int64_t)FG_LEN(row), "all of them");
    CHECK_I64(c.attempt_micro, all, "to the last micro-unit");
    size_t outcomes = 0;
#define O(name, words) outcomes++;
    COST_OUTCOMES(O)
#undef O
    CHECK_I64((int64_t)c.n, (int64_t)outcomes, "each outcome of the list is here");
    for (size_t i = 0; i < c.n; i++) {
        int64_t n = 0, micro = 0;
        for (size_t k = 0; k < FG_LEN(row); k++)
            if (fg_eq(c.row[i].outcome, fg_str_c(row[k].outcome))) {
                n++;
                micro += row[k].cost;
            }
        CHECK_I64(c.row[i].n, n, c.row[i].outcome.p);
        CHECK_I64(c.row[i].micro, micro, c.row[i].outcome.p);
    }
    CHECK_CODE(w.cx, RUN(&w, cli_report_cost, &out, "--from", "1970-01-01T00:00:00Z", "--to", "1970-01-01T00:00:01Z"), FG_OK);
    CHECK(strstr(out, "22 attempts, 65535 micro-units") && strstr(out, "canceled, and paid for all the same"), out);
    CHECK_CODE(w.cx, cost_read(w.cx, w.sweeper.env.db, 11, 12, &c), FG_OK);
    CHECK_I64((int64_t)c.n + c.attempt_n + c.attempt_micro, 0, "of another time");
    do_sql(&w, "DELETE FROM attempt; DELETE FROM job");
    job_world_end(&w, 0);
}

TEST(a_report_that_does_not_add_up_says_so)
{
    struct t_world w;
    struct cost_row row[] = { { FG_LIT("failed"), FG_LIT("USD"), 1, 5 }, { FG_LIT("unknown"), FG_LIT("USD"), 1, INT64_MAX - 5 } };
    t_begin(&w);
    CHECK_CODE(&w.cx, cost_reconcile(&w.cx, &(struct cost){ row, 2, NULL, 0, 2, INT64_MAX }), FG_OK);
    CHECK_CODE(&w.cx, cost_reconcile(&w.cx, &(struct cost){ row, 2, NULL, 0, 2, INT64_MAX - 1 }), FG_INTERNAL);
    CHECK_CODE(&w.cx, cost_reconcile(&w.cx, &(struct cost){ row, 2, NULL, 0, 3, INT64_MAX }), FG_INTERNAL);
    row[0].micro++;
    CHECK_CODE(&w.cx, cost_reconcile(&w.cx, &(struct cost){ row, 2, NULL, 0, 2, INT64_MIN }), FG_INTERNAL);
    t_end(&w, 0);
}

/* The report's own command, /metrics' table and the ledger tell the same of jobs that ran. */
TEST(what_was_charged_and_kept)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    run_to_end(&w, new_job(&w, "replay-1", 3600));
    w.sweeper.next_upkeep_us = w.sweeper.next_weather_us = 0;
    settle(&w);
    int64_t cost = ask(&w, "SELECT SUM(cost_micro) FROM attempt"), price = ask(&w, "SELECT price_micro FROM job");
    CHECK(cost > 0 && price > 0, "the catalogue of the test has prices");
    CHECK_I64(ask(&w, "SELECT micro FROM cost_outcome WHERE outcome = 'succeeded' AND currency = 'USD'"), cost, "cost");
    CHECK_I64(ask(&w, "SELECT micro FROM cost_outcome WHERE outcome = 'charged' AND n = 1"), price, "charged");
    CHECK_CODE(w.cx, RUN(&w, cli_report_cost, &out, NULL), FG_OK);
    CHECK(strstr(out, arena_fmt(w.cx->mem, "%.*s  charged less cost",
                                FG_P(cli_money(w.cx, price - cost, FG_LIT("USD")))).p), out);

    /* Half of 30 days at the end, and all of it before that. */
    int64_t day = 86400 * FG_US_PER_S;
    do_sql(&w, "UPDATE output SET bytes = 1073741824, stored_us = %lld", (long long)w.t.utc_us);
    struct cost_storage s;
    struct db *cli;
    CHECK_CODE(w.cx, db_open(w.cx, &cli, &w.conf, DB_CLI), FG_OK);
    CHECK_CODE(w.cx, cost_storage(w.cx, cli, w.t.utc_us, w.t.utc_us + 30 * day, 20000000, &s), FG_OK);
    CHECK_I64(s.micro, 20000000, "a month");
    do_sql(&w, "UPDATE output SET deleted_us = %lld", (long long)(w.t.utc_us + 15 * day));
    CHECK_CODE(w.cx, cost_storage(w.cx, cli, w.t.utc_us - day, w.t.utc_us + 30 * day, 20000000, &s), FG_OK);
    CHECK_I64(s.micro, 10000000, "half of it");
    CHECK_CODE(w.cx, cost_storage(w.cx, cli, w.t.utc_us + 15 * day, w.t.utc_us + 30 * day, 20000000, &s), FG_OK);
    CHECK_I64(s.micro, 0, "it was gone");
    db_close(cli);
    do_sql(&w, "UPDATE output SET deleted_us = NULL");
    do_sql(&w, "UPDATE account_use SET storage_bytes = 1073741824 WHERE account_id = 1");

    clock_add(&w, 25 * 3600 * FG_US_PER_S);
    w.sweeper.next_upkeep_us = w.sweeper.next_weather_us = 0;
    settle(&w);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM cost_outcome"), 0, "a day later it is history");
    CHECK_CODE(w.cx, RUN(&w, cli_report_cost, &out, "--from", "x"), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, RUN(&w, cli_report_cost, &out, "--from", "2031-01-01T00:00:00Z", "--to", "2030-01-01T00:00:00Z"),
               FG_INVALID_REQUEST);
    job_world_end(&w, 0);
}
