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
        { "REPLACE INTO provider_state (provider, breaker, breaker_us, opened_n) VALUES ('studio', 1, 9000000000000000, 1)",
          "\"state\":\"failing\"", "state=\"failing\"} 1", "its breaker is open" },
        { "REPLACE INTO provider_state (provider, breaker, breaker_us, opened_n) VALUES ('studio', 2, 1, 1)",
          "\"state\":\"trying\"", "state=\"trying\"} 1", "half-open" },
    };
    struct web_world w;
    web_begin(&w);
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
