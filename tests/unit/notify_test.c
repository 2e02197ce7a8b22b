/* Webhooks, the pure half: what is said, how it is signed, when it is said again, and what an answer means. */
#include <stdio.h>

#include "base/utf8.h"
#include "io/json.h"
#include "notify/deliver.h"
#include "notify/endpoint.h"
#include "t.h"
#include "unit/webhook_vectors.h"

#define S FG_US_PER_S

static struct notify_event event(void)
{
    return (struct notify_event){
        .type = NOTIFY_FAILED,
        .account_id = 7,
        .job_id = 1,
        .sequence = 4,
        .id = FG_LIT("job_1"),
        .user_id = FG_LIT("u\"1"),
        .status = FG_LIT("failed"),
        .provider = FG_LIT("studio"),
        .model = FG_LIT("film-1"),
        .error_code = FG_LIT("blocked_prompt"),
        .error_message = FG_LIT("The provider's rules forbid it."),
        .metadata = FG_LIT("{\"order\":\"17\"}"),
        .price_micro = 10000,
        .currency = FG_LIT("USD"),
        .created_us = 1893456000 * S,
        .finished_us = 1893456060 * S,
    };
}

static struct fg_str member(const struct js *o, const char *key)
{
    struct fg_str s;
    return js_str(js_get(o, key), &s) ? s : FG_NONE;
}

static const struct js *payload_of(struct t_world *w, const struct notify_event *e)
{
    const struct js *v = NULL;
    struct fg_str text = notify_payload(&w->cx, e, 1893456061 * S);
    CHECK(text.n <= NOTIFY_PAYLOAD_MAX, "its size");
    CHECK_CODE(&w->cx, js_parse(&w->cx, text, &v), FG_OK);
    return v;
}

TEST(a_payload_says_what_happened_and_where_to_look)
{
    struct t_world w;
    t_begin(&w);
    struct notify_event e = event();
    const struct js *v = payload_of(&w, &e), *data = js_get(v, "data");
    int64_t n;
    CHECK_IS(member(v, "type"), "job.failed", "type");
    CHECK_IS(member(v, "timestamp"), "2030-01-01T00:01:01.000Z", "when it happened");
    CHECK_IS(member(data, "id"), "job_1", "the job");
    CHECK_IS(member(data, "userId"), "u\"1", "its user, escaped");
    CHECK_IS(member(data, "status"), "failed", "status");
    CHECK_I64(js_type(js_get(data, "stage")), JS_NULL, "no stage at the end");
    CHECK(js_get(data, "stage") != NULL, "but the member is there");
    CHECK_IS(member(data, "errorCode"), "blocked_prompt", "code");
    CHECK(member(data, "errorMessage").n > 0, "and words");
    CHECK_IS(member(js_get(data, "metadata"), "order"), "17", "metadata");
    CHECK(js_i64(js_get(data, "sequence"), &n) && n == 4, "what orders them");
    CHECK_IS(member(data, "finishedAt"), "2030-01-01T00:01:00.000Z", "times");
    CHECK_I64(js_type(js_get(data, "startedAt")), JS_NULL, "or null");
    CHECK_IS(member(data, "href"), "/v1/jobs/job_1", "where to read the rest");
    CHECK(!js_get(data, "outputUrl") && !js_get(data, "prompt"), "no links that expire, no words of the user");
    e.type = NOTIFY_TEST;
    v = payload_of(&w, &e);
    CHECK_IS(member(v, "type"), "webhook.test", "a test");
    CHECK(!js_get(js_get(v, "data"), "id"), "is about no job");
    t_end(&w, 0);
}

TEST(metadata_that_does_not_fit_is_left_out)
{
    static char big[NOTIFY_PAYLOAD_MAX];
    struct t_world w;
    t_begin(&w);
    struct notify_event e = event();
    (void)snprintf(big, sizeof big, "{\"a\":\"%0*d\"}", 15900, 1);
    e.metadata = fg_str_c(big);
    CHECK_I64(js_type(js_get(js_get(payload_of(&w, &e), "data"), "metadata")), JS_OBJECT, "what a job may have fits");
    (void)snprintf(big, sizeof big, "{\"a\":\"%0*d\"}", NOTIFY_PAYLOAD_MAX - 20, 1);
    e.metadata = fg_str_c(big);
    CHECK_I64(js_type(js_get(js_get(payload_of(&w, &e), "data"), "metadata")), JS_NULL, "more does not");
    t_end(&w, 0);
}

TEST(event_names_go_both_ways_but_for_the_test)
{
    enum notify_type t;
    for (unsigned i = 0; i < NOTIFY_TEST; i++)
        CHECK(notify_type_by_name(fg_str_c(notify_type_name((enum notify_type)i)), &t) && (unsigned)t == i,
              notify_type_name((enum notify_type)i));
    CHECK(!notify_type_by_name(FG_LIT("webhook.test"), &t), "nobody subscribes to tests");
    CHECK(!notify_type_by_name(FG_LIT("job.pending"), &t), "a job that waits is no news");
    CHECK(!notify_type_by_name(FG_LIT(""), &t), "nothing");
}

TEST(places_share_a_queue_only_by_origin_and_account)
{
    int64_t a = notify_lane_of_url(1, FG_LIT("https://a.example/x"));
    CHECK_I64(notify_lane_of_url(1, FG_LIT("https://a.example/y?z=/1")), a, "the same origin");
    CHECK_I64(notify_lane_of_url(1, FG_LIT("https://a.example")), a, "without a path");
    CHECK(notify_lane_of_url(2, FG_LIT("https://a.example/x")) != a, "another account's");
    CHECK(notify_lane_of_url(1, FG_LIT("https://b.example/x")) != a, "another host");
    CHECK(notify_lane_of_url(1, FG_LIT("https://a.example:8443/x")) != a, "another port");
    CHECK(notify_lane_of_url(1, FG_LIT("http://a.example/x")) != a, "another scheme");
    CHECK(a < 0 && notify_lane_of_endpoint(3) > 0, "an endpoint never shares with them");
}

TEST(urls_at_the_door)
{
    static const struct {
        const char *url;
        bool good;
    } row[] = {
        { "https://example.com/hook", true },       { "https://example.com:8443/hook?a=b", true },
        { "http://127.0.0.1:9/hook", true },        { "http://example.com/hook", false },
        { "http://127.0.0.1:10/hook", false },      { "https://127.0.0.1/hook", false },
        { "https://10.1.2.3/", false },             { "https://[::1]/", false },
        { "https://169.254.169.254/latest", false }, { "https://2130706433/", false },
        { "https://u@example.com/", false },        { "ftp://example.com/", false },
        { "https://", false },                      { "", false },
        { "https://ex\xc3\xa4mple.com/", false },   { "https://example.com/a b", false },
    };
    static char big[NOTIFY_URL_MAX + 20];
    struct t_world w;
    struct conf conf = { .fetch_local_origins = FG_LIT("http://127.0.0.1:9") };
    t_begin(&w);
    (void)fg_fail(&w.cx, FG_GONE, "kept");
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK((notify_url_wrong(&w.cx, &conf, fg_str_c(row[i].url)) == NULL) == row[i].good, row[i].url);
    (void)snprintf(big, sizeof big, "https://example.com/%0*d", NOTIFY_URL_MAX - 20, 1);
    CHECK(!notify_url_wrong(&w.cx, &conf, fg_str_c(big)), "as long as may be");
    (void)snprintf(big, sizeof big, "https://example.com/%0*d", NOTIFY_URL_MAX - 19, 1);
    CHECK(notify_url_wrong(&w.cx, &conf, fg_str_c(big)), "longer");
    CHECK_I64(w.cx.err.code, FG_GONE, "the error before is left alone");
    t_end(&w, 0);
}

/* ---- one try ---- */

static struct fg_str sent(const struct fetch_call *c, const char *name)
{
    for (unsigned i = 0; i < c->header_n; i++)
        if (fg_eq_nocase(c->header[i].name, fg_str_c(name)))
            return c->header[i].value;
    return FG_NONE;
}

TEST(a_try_is_signed_with_every_live_secret)
{
    struct t_world w;
    struct conf conf = { .webhook_timeout_s = 15 };
    struct fetch_call c;
    t_begin(&w);
    w.cx.now_us = 1767225600 * S + 999999;
    struct deliver_letter l = { FG_LIT(ID_1), FG_LIT("https://example.com/hook"), FG_LIT(BODY_1),
                                FG_LIT(SECRET_B " " SECRET_A) };
    CHECK_CODE(&w.cx, deliver_call(&w.cx, &conf, &l, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "POST", "method");
    CHECK_STR(c.url, l.url, "where to");
    CHECK_IS(c.body, BODY_1, "the very bytes");
    CHECK_IS(sent(&c, "content-type"), "application/json", "type");
    CHECK_IS(sent(&c, "webhook-id"), ID_1, "id");
    CHECK_IS(sent(&c, "webhook-timestamp"), "1767225600", "whole seconds of this try");
    CHECK_IS(sent(&c, "webhook-signature"), SIGNED_1_B " " SIGNED_1_A, "the newest first");
    CHECK(c.redirects == 0 && c.timeout_ms == 15000 && c.max_bytes == (int64_t)DELIVER_REPLY_MAX && !c.plain_http,
          "no redirects, and limits");
    static const char *const one[] = { SECRET_A, SECRET_B };
    for (size_t i = 0; i < FG_LEN(one); i++)
        CHECK_CODE(&w.cx, webhook_verify(&w.cx, fg_str_c(one[i]), FG_LIT(ID_1), FG_LIT("1767225600"),
                                         sent(&c, "webhook-signature"), c.body), FG_OK);
    CHECK_CODE(&w.cx, webhook_verify(&w.cx, FG_LIT(SECRET_C), FG_LIT(ID_1), FG_LIT("1767225600"),
                                     sent(&c, "webhook-signature"), c.body), FG_BAD_SIGNATURE);
    l.secrets = FG_LIT(SECRET_A " " SECRET_A " " SECRET_A " " SECRET_A " " SECRET_A " " SECRET_A);
    CHECK_CODE(&w.cx, deliver_call(&w.cx, &conf, &l, &c), FG_OK);
    CHECK_I64(sent(&c, "webhook-signature").n, 5 * strlen(SIGNED_1_A) + 4, "at most five");
    l.secrets = FG_NONE;
    CHECK_CODE(&w.cx, deliver_call(&w.cx, &conf, &l, &c), FG_CONFIG);
    t_end(&w, 0);
}

TEST(eight_tries_over_about_a_day)
{
    static const int64_t want_s[] = { 5, 300, 1800, 7200, 18000, 25200, 36000 };
    struct t_world w;
    t_begin(&w);
    int64_t sum_s = 0, low = INT64_MAX, high = 0;
    for (size_t i = 0; i < FG_LEN(want_s); i++) {
        int64_t us = deliver_pause_us(&w.cx, (int64_t)i + 1);
        CHECK(us >= want_s[i] * S * 8 / 10 && us <= want_s[i] * S * 12 / 10, "within a fifth");
        sum_s += want_s[i];
    }
    CHECK(sum_s > 24 * 3600 && sum_s < 25 * 3600, "about a day");
    for (int i = 0; i < 500; i++) {
        int64_t us = deliver_pause_us(&w.cx, 7);
        low = us < low ? us : low;
        high = us > high ? us : high;
    }
    CHECK(low < 30000 * S && high > 42000 * S, "those who failed together do not come back together");
    CHECK(deliver_pause_us(&w.cx, 0) <= 6 * S && deliver_pause_us(&w.cx, 900) >= 28800 * S, "beyond the table");
    t_end(&w, 0);
}

TEST(what_an_answer_means)
{
    static const struct {
        enum fetch_end end;
        int status;
        const char *retry_after;
        int64_t tries;
        enum delivery_state state;
        bool works, gone;
        int64_t least_s, most_s, slow_s;
        const char *why;
    } row[] = {
        { FETCH_ANSWERED, 200, NULL, 1, DELIVERY_DELIVERED, true, false, 0, 0, 0, "taken" },
        { FETCH_ANSWERED, 204, NULL, 8, DELIVERY_DELIVERED, true, false, 0, 0, 0, "taken at last" },
        { FETCH_TOO_LARGE, 200, NULL, 1, DELIVERY_DELIVERED, true, false, 0, 0, 0, "taken, with too many words" },
        { FETCH_TOO_LARGE, 500, NULL, 1, DELIVERY_PENDING, false, false, 4, 6, 0, "an error page" },
        { FETCH_ANSWERED, 301, NULL, 1, DELIVERY_PENDING, false, false, 4, 6, 0, "a redirect is a failure" },
        { FETCH_ANSWERED, 404, NULL, 2, DELIVERY_PENDING, false, false, 240, 360, 0, "may be mended" },
        { FETCH_ANSWERED, 500, NULL, 7, DELIVERY_PENDING, false, false, 28800, 43200, 0, "the last pause" },
        { FETCH_ANSWERED, 500, NULL, 8, DELIVERY_FAILED, false, false, 0, 43200, 0, "the last try" },
        { FETCH_ANSWERED, 500, NULL, 12, DELIVERY_FAILED, false, false, 0, 43200, 0, "beyond it" },
        { FETCH_ANSWERED, 410, NULL, 1, DELIVERY_FAILED, false, true, 0, 0, 0, "never again" },
        { FETCH_ANSWERED, 429, NULL, 1, DELIVERY_PENDING, false, false, 60, 60, 60, "slow down" },
        { FETCH_ANSWERED, 502, NULL, 1, DELIVERY_PENDING, false, false, 60, 60, 60, "slow down" },
        { FETCH_ANSWERED, 504, "120", 1, DELIVERY_PENDING, false, false, 120, 120, 120, "as long as it says" },
        { FETCH_ANSWERED, 429, "900", 1, DELIVERY_PENDING, false, false, 900, 900, 600, "the queue not so long" },
        { FETCH_ANSWERED, 503, "30", 1, DELIVERY_PENDING, false, false, 30, 30, 0, "asked for a pause" },
        { FETCH_ANSWERED, 503, "30", 2, DELIVERY_PENDING, false, false, 240, 360, 0, "ours is longer" },
        { FETCH_ANSWERED, 503, "604800", 1, DELIVERY_PENDING, false, false, 21600, 21600, 0, "too long a pause" },
        { FETCH_NOT_SENT, 0, NULL, 1, DELIVERY_PENDING, false, false, 4, 6, 0, "nobody there" },
        { FETCH_UNKNOWN, 0, NULL, 1, DELIVERY_PENDING, false, false, 4, 6, 0, "no answer" },
        { FETCH_REFUSED, 0, NULL, 1, DELIVERY_PENDING, false, false, 4, 6, 0, "its address may change" },
        { FETCH_REFUSED, 0, NULL, 8, DELIVERY_FAILED, false, false, 0, 43200, 0, "or not" },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = { .end = row[i].end, .status = row[i].status };
        if (row[i].retry_after)
            r.header[r.header_n++] = (struct fetch_header){ FG_LIT("retry-after"), fg_str_c(row[i].retry_after) };
        struct deliver_verdict v = deliver_judge(&w.cx, &r, row[i].tries);
        CHECK_I64(v.state, row[i].state, row[i].why);
        CHECK(v.works == row[i].works && v.gone == row[i].gone, row[i].why);
        CHECK(v.pause_us >= row[i].least_s * S && v.pause_us <= row[i].most_s * S, row[i].why);
        CHECK_I64(v.slow_us, row[i].slow_s * S, row[i].why);
    }
    t_end(&w, 0);
}

TEST(an_excerpt_is_short_and_clean)
{
    static char big[3000];
    struct t_world w;
    t_begin(&w);
    struct fetch_reply r = { .end = FETCH_ANSWERED, .status = 500, .body = FG_LIT("no\r\n\tgood\x7f \xff\xc3\xa4\xc3") };
    CHECK_IS(deliver_excerpt(&w.cx, &r), "no   good  \xef\xbf\xbd\xc3\xa4\xef\xbf\xbd", "what is no text is replaced");
    memset(big, 'a', sizeof big);
    memcpy(big + 499, "\xe6\x9d\xb1", 3);
    r.body = (struct fg_str){ big, sizeof big };
    struct fg_str cut = deliver_excerpt(&w.cx, &r);
    CHECK_I64(cut.n, 499, "not in the middle of a character");
    CHECK(utf8_count(cut) == 499, "and still text");
    memset(big, '\xff', sizeof big);
    cut = deliver_excerpt(&w.cx, &r);
    CHECK(cut.n <= NOTIFY_EXCERPT_MAX && utf8_count(cut) != SIZE_MAX, "whatever comes");
    r.body = (struct fg_str){ "\0\0", 2 };
    CHECK_IS(deliver_excerpt(&w.cx, &r), "  ", "zero bytes");
    r.body = FG_LIT("");
    CHECK(!deliver_excerpt(&w.cx, &r).p, "nothing");
    r = (struct fetch_reply){ .end = FETCH_NOT_SENT, .words = FG_LIT("could not connect") };
    CHECK_IS(deliver_excerpt(&w.cx, &r), "could not connect", "or why there is no answer");
    t_end(&w, 0);
}
