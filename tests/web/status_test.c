/* What is known of providers and models, told at /v1/status and /metrics; a quote; the estimate of a job. */
#include "app.h"
#include "web/web_world.h"

static bool says(const struct web_world *w, const char *words)
{
    struct fg_str body = sb_str(&w->resp.body);
    return memmem(body.p, body.n, words, strlen(words)) != NULL;
}

TEST(status_says_what_the_database_knows_of_a_provider)
{
    static const struct {
        const char *script, *json, *metric, *why;
    } row[] = {
        { "DO 0", "\"state\":\"ok\"", "state=\"ok\"} 1", "nothing is held against it" },
        { "REPLACE INTO provider_state (provider, paused_us) VALUES ('studio', 1)", "\"state\":\"paused\"",
          "state=\"paused\"} 1", "by the operator" },
        { "REPLACE INTO provider_state (provider, parked_until_us, park_reason) VALUES ('studio', 9000000000000000, 6)",
          "\"reason\":\"credit\"", "state=\"parked\"} 1", "no money there" },
        { "REPLACE INTO provider_state (provider, braked_until_us) VALUES ('studio', 9000000000000000)",
          "\"state\":\"braked\"", "filmgate_brake{provider=\"studio\"} 1", "the operator's budget" },
        { "REPLACE INTO provider_state (provider) VALUES ('studio'); REPLACE INTO provider_state (provider, "
          "braked_until_us) VALUES ('all', 9000000000000000)",
          "\"state\":\"braked\"", "filmgate_brake{provider=\"all\"} 1", "of all" },
        { "DELETE FROM provider_state", "\"state\":\"ok\"", "filmgate_brake{provider=\"all\"} 0", "no longer" },
        { "DO 0", "\"state\":\"ok\"", "filmgate_brake_spent_micro{provider=\"studio\"} 0", "nothing was spent" },
        { "REPLACE INTO provider_state (provider, breaker, breaker_us, opened_n) VALUES ('studio', 1, 9000000000000000, 1)",
          "\"state\":\"failing\"", "state=\"failing\"} 1", "its breaker is open" },
        { "REPLACE INTO provider_state (provider, breaker, breaker_us, opened_n) VALUES ('studio', 2, 1, 1)",
          "\"state\":\"trying\"", "state=\"trying\"} 1", "half-open" },
    };
    struct web_world w;
    web_begin(&w);
    w.conf.brake_hour_micro = 1000000;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        web_script(&w, row[i].script);
        CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/status"), NULL), 200, row[i].why);
        CHECK(says(&w, row[i].json), row[i].why);
        CHECK(!says(&w, "\"fal\""), "what is not set up is nobody's business");
        CHECK_I64(web_call(&w, "GET", FG_LIT("/metrics"), NULL), 200, row[i].why);
        CHECK(says(&w, row[i].metric), row[i].why);
    }
    web_end(&w, 0);
}

TEST(a_quote_says_what_a_job_would_be_and_makes_none)
{
    struct web_world w;
    web_begin(&w);
    web_script(&w, "INSERT INTO model_weather VALUES ('studio-1', 9, 8, 1000, 2000, 61000, 122500, 1)");
    app_renew(w.cx, w.app); /* as the loop does between requests */
    CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/quotes"),
                       "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":5}"), 200, "a job's own body");
    CHECK(says(&w, "\"model\":\"studio-1\"") && says(&w, "\"priceMicro\":10000"), "what and for how much");
    CHECK(says(&w, "\"waitEstimate\":{\"fromSeconds\":61,\"toSeconds\":123}"), "from its history, as a range");
    CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/quotes"),
                       "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":63}"), 400, "refused like a job");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs"), NULL), 200, "the list");
    CHECK(says(&w, "\"data\":[]"), "nothing was made");
    web_end(&w, 0);
}

/* Every outcome is a series, in the catalogue's currency and in those that were met. */
TEST(metrics_tell_what_attempts_cost)
{
    static const char *const lines[] = {
        "\nfilmgate_cost_micro{outcome=\"failed\",currency=\"USD\"} 700\n",
        "\nfilmgate_attempts{outcome=\"failed\",currency=\"USD\"} 3\n",
        "\nfilmgate_cost_micro{outcome=\"duplicate\",currency=\"USD\"} 0\n",
        "\nfilmgate_charged_micro{currency=\"USD\"} 500\n",
        "\nfilmgate_margin_micro{currency=\"USD\"} -200\n",
        "\nfilmgate_cost_micro{outcome=\"unknown\",currency=\"EUR\"} 9\n",
        "\nfilmgate_margin_micro{currency=\"EUR\"} -9\n",
        "\nfilmgate_storage_bytes 77\n",
    };
    struct web_world w;
    web_begin(&w);
    CHECK_I64(web_call(&w, "GET", FG_LIT("/metrics"), NULL), 200, "before anything was kept");
    CHECK(says(&w, "\nfilmgate_cost_micro{outcome=\"succeeded\",currency=\"USD\"} 0\n"), "0 is a value too");
    web_script(&w, "INSERT INTO cost_outcome VALUES ('failed', 'USD', 3, 700, 1), ('charged', 'USD', 1, 500, 1), "
                   "('unknown', 'EUR', 1, 9, 1); UPDATE account_use SET storage_bytes = 77");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/metrics"), NULL), 200, "metrics");
    for (size_t i = 0; i < FG_LEN(lines); i++)
        CHECK(says(&w, lines[i]), lines[i]);
    CHECK(!says(&w, "outcome=\"charged\""), "what was charged is no outcome of ours");
    web_end(&w, 0);
}

TEST(at_the_operators_brake_new_jobs_wait_in_words_or_are_refused)
{
    static const char body[] = "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":5,\"model\":\"studio-1\"}";
    struct web_world w;
    web_begin(&w);
    w.conf.brake_hour_micro = 1000000;
    web_script(&w, "INSERT INTO provider_state (provider, braked_until_us) VALUES ('all', 9000000000000000)");
    app_renew(w.cx, w.app); /* as the loop does between requests */
    CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/jobs"), body), 202, "it waits");
    CHECK_STR(web_text(&w, "waitingFor"), FG_LIT("operator_budget"), "and says for what");
    w.conf.brake_then = FG_LIT("refuse");
    CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/jobs"), body), 503, "it is refused");
    CHECK_STR(web_text(&w, "code"), FG_LIT("paused_by_budget"), "in words of its own");
    CHECK_STR(web_got(&w, "Retry-After"), FG_LIT("3600"), "at the latest in an hour");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs"), NULL), 200, "the list");
    CHECK_I64((int64_t)web_data_n(&w), 1, "of those that were taken");
    web_end(&w, 0);
}
