/* The /v1/videos dialect: recorded examples as rows, every outcome. */
#include "adapter_kit.h"
#include "base/utf8.h"

static const struct provider_site plain = {
    .name = { "sora", 4 },
    .base_url = { "https://api.example.com/v1", 26 },
    .key = { "sk-secret", 9 },
};

static struct provider_site with_extras(void)
{
    struct provider_site s = plain;
    s.extras = true;
    return s;
}

/* The dialect's members are fixed: the catalogue spells nothing by default. */
static const struct gen_wire wire;

static struct gen_spec kite_of_sora(void)
{
    struct gen_spec spec = kite("sora-2", &wire);
    spec.client_ref = FG_LIT("ref_1");
    return spec;
}

static const struct remote_ref video_1 = { .id = { "video_1", 7 }, .model = { "sora-2", 6 } };

static struct submit_reply submit(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct submit_reply got;
    provider_openai.submit_reply(cx, &plain, r, &got);
    return got;
}

static struct poll_reply poll(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct poll_reply got;
    provider_openai.poll_reply(cx, &plain, &video_1, 0, FG_NONE, r, &got);
    return got;
}

TEST(a_plain_endpoint_gets_the_documented_fields_only)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_spec spec = kite_of_sora();
    t_begin(&w);
    spec.has_seed = true;
    spec.callback_url = FG_LIT("https://us.example/hooks/sora/tok");
    CHECK_CODE(&w.cx, provider_openai.submit_call(&w.cx, &plain, &spec, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "POST", "a submit");
    CHECK_IS(c.url, "https://api.example.com/v1/videos", "below the base URL");
    CHECK_IS(c.body,
             "{\"model\":\"sora-2\",\"prompt\":\"a red kite over dunes\",\"seconds\":\"8\","
             "\"size\":\"1280x720\"}",
             "the recorded request; seconds is a text");
    CHECK_IS(c.secret.name, "Authorization", "the key is the secret header");
    CHECK_IS(c.secret.value, "Bearer sk-secret", "as a bearer");
    CHECK_IS(header_of(&c, FG_LIT("Content-Type")), "application/json", "JSON");
    CHECK(!header_of(&c, FG_LIT("Idempotency-Key")).p, "not part of the plain dialect");
    CHECK(c.once, "it costs money: never repeated by the transport");
    CHECK_I64(c.to_fd, -1, "made by fetch_call_init");
    t_end(&w, 0);
}

TEST(extras_go_to_those_who_take_them)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_spec spec = kite_of_sora();
    struct provider_site site = with_extras();
    t_begin(&w);
    spec.has_seed = true;
    spec.seed = 42;
    spec.prompt = FG_LIT("say \"hi\" \xf0\x9f\x8e\xac");
    spec.image_url = FG_LIT("https://x.example/a.png");
    spec.callback_url = FG_LIT("https://us.example/hooks/studio/tok");
    CHECK_CODE(&w.cx, provider_openai.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.body,
             "{\"model\":\"sora-2\",\"prompt\":\"say \\\"hi\\\" \xf0\x9f\x8e\xac\",\"seconds\":\"8\","
             "\"size\":\"1280x720\",\"input_reference\":{\"image_url\":\"https://x.example/a.png\"},"
             "\"seed\":42,\"metadata\":{\"filmgate_ref\":\"ref_1\"},"
             "\"webhook_url\":\"https://us.example/hooks/studio/tok\"}",
             "all of it");
    CHECK_IS(header_of(&c, FG_LIT("idempotency-key")), "ref_1", "a repeat finds the first");
    t_end(&w, 0);
}

TEST(what_the_catalogue_adds)
{
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    struct gen_wire spelled = { .fixed = parsed(&w.cx, "{\"n\":1,\"style\":{\"a\":[]}}") };
    struct gen_spec spec = kite_of_sora();
    spelled.param[PARAM_DURATION].values = parsed(&w.cx, "{\"8\":\"eight\"}");
    spec.wire = &spelled;
    CHECK_CODE(&w.cx, provider_openai.submit_call(&w.cx, &plain, &spec, &c), FG_OK);
    CHECK_IS(c.body,
             "{\"model\":\"sora-2\",\"prompt\":\"a red kite over dunes\",\"seconds\":\"eight\","
             "\"size\":\"1280x720\",\"n\":1,\"style\":{\"a\":[]}}",
             "values in a gateway's spelling, and members that it always wants");
    t_end(&w, 0);
}

TEST(other_calls_and_their_limits)
{
    struct t_world w;
    struct fetch_call c;
    struct provider_site site = plain;
    const struct remote_ref odd = { .id = FG_LIT("video_1/../x?y") };
    struct list_ask ask = { .model = FG_LIT("sora-2") };
    char *huge = calloc(1, 5000);
    t_begin(&w);
    CHECK_CODE(&w.cx, provider_openai.poll_call(&w.cx, &site, &odd, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, "https://api.example.com/v1/videos/video_1%2F..%2Fx%3Fy", "an id is one segment");
    CHECK(!c.once && !c.body.p, "a poll may be repeated");
    CHECK_CODE(&w.cx, provider_openai.list_call(&w.cx, &site, &ask, &c), FG_OK);
    CHECK_IS(c.url, "https://api.example.com/v1/videos?limit=100&order=desc", "the newest");
    CHECK_IS(c.secret.value, "Bearer sk-secret", "with the key");
    ask.cursor = FG_LIT("video_1&x");
    CHECK_CODE(&w.cx, provider_openai.list_call(&w.cx, &site, &ask, &c), FG_OK);
    CHECK_IS(c.url, "https://api.example.com/v1/videos?limit=100&order=desc&after=video_1%26x",
             "and older ones");
    memset(huge, 'a', 4999);
    site.base_url = fg_str_c(huge);
    CHECK_CODE(&w.cx, provider_openai.poll_call(&w.cx, &site, &video_1, 0, FG_NONE, &c), FG_TOO_LARGE);
    site.base_url = plain.base_url;
    site.key = FG_NONE;
    CHECK_CODE(&w.cx, provider_openai.poll_call(&w.cx, &site, &video_1, 0, FG_NONE, &c), FG_OK);
    CHECK(!c.secret.name.p, "a gateway without keys");
    CHECK_I64(provider_openai.cancel_when, 0, "it cannot be asked to stop");
    free(huge);
    t_end(&w, 0);
}

#define ACCEPTED_BODY                                                                           \
    "{\"id\":\"video_68d7512d07848190b3e45da0ecbebcde\",\"object\":\"video\",\"model\":\"sora-" \
    "2\","                                                                                      \
    "\"status\":\"queued\",\"progress\":0,\"created_at\":1767225600,\"completed_at\":null,"     \
    "\"expires_at\":null,\"prompt\":\"a red kite over dunes\",\"size\":\"1280x720\","           \
    "\"seconds\":\"8\",\"remixed_from_video_id\":null,\"error\":null}"
#define ERROR_BODY(type, code) "{\"error\":{\"message\":\"No.\",\"type\":\"" type "\",\"code\":" code "}}"

static const struct {
    const char *why;
    int status;
    const char *body, *header, *value;
    enum submit_outcome outcome;
    enum remote_reason reason;
    int64_t retry_after_s;
} submits[] = {
    { "the recorded answer", 200, ACCEPTED_BODY, NULL, NULL, SUBMIT_ACCEPTED, REASON_NONE, 0 },
    { "201 is as good", 201, "{\"id\":\"v\"}", NULL, NULL, SUBMIT_ACCEPTED, REASON_NONE, 0 },
    { "2xx without id", 200, "{\"status\":\"queued\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "empty id", 200, "{\"id\":\"\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "an id that would climb", 200, "{\"id\":\"..\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "an id with a line feed", 200, "{\"id\":\"a\\nb\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "an id that is a number", 200, "{\"id\":7}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "2xx that is no JSON", 200, "<html>", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "2xx without body", 204, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "wrong size", 400, ERROR_BODY("invalid_request_error", "null"), NULL, NULL, SUBMIT_REFUSED,
      REASON_REFUSED, 0 },
    { "moderation", 400, ERROR_BODY("invalid_request_error", "\"moderation_blocked\""), NULL, NULL,
      SUBMIT_REFUSED, REASON_CONTENT, 0 },
    { "moderation as type", 400, ERROR_BODY("Content_Policy_Violation", "null"), NULL, NULL, SUBMIT_REFUSED,
      REASON_CONTENT, 0 },
    { "picture", 400, ERROR_BODY("invalid_request_error", "\"image_unreachable\""), NULL, NULL,
      SUBMIT_REFUSED, REASON_IMAGE, 0 },
    { "moderation as 403", 403, ERROR_BODY("x", "\"moderation_blocked\""), NULL, NULL, SUBMIT_REFUSED,
      REASON_CONTENT, 0 },
    { "key", 401, ERROR_BODY("invalid_request_error", "\"invalid_api_key\""), NULL, NULL, SUBMIT_REFUSED,
      REASON_AUTH, 0 },
    { "money", 402, "", NULL, NULL, SUBMIT_REFUSED, REASON_CREDIT, 0 },
    { "organisation", 403, ERROR_BODY("x", "null"), NULL, NULL, SUBMIT_REFUSED, REASON_AUTH, 0 },
    { "route closed", 404, "<html>", NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
    { "unprocessable", 422, "{\"detail\":[]}", NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
    { "rate", 429, ERROR_BODY("requests", "\"rate_limit_exceeded\""), "retry-after", "7", SUBMIT_NOT_SENT,
      REASON_BUSY, 7 },
    { "rate in milliseconds", 429, "", "retry-after-ms", "1500", SUBMIT_NOT_SENT, REASON_BUSY, 2 },
    { "no quota is not rate", 429, ERROR_BODY("insufficient_quota", "\"insufficient_quota\""), "retry-after",
      "7", SUBMIT_REFUSED, REASON_CREDIT, 0 },
    { "nor is billing", 429, ERROR_BODY("x", "\"billing_hard_limit_reached\""), NULL, NULL, SUBMIT_REFUSED,
      REASON_CREDIT, 0 },
    { "overloaded", 503, ERROR_BODY("server_error", "null"), "retry-after", "3", SUBMIT_NOT_SENT, REASON_BUSY,
      3 },
    { "a 5xx with any code proves nothing", 500, ERROR_BODY("x", "\"moderation_blocked\""), NULL, NULL,
      SUBMIT_UNKNOWN, REASON_FAILED, 0 },
    { "500", 500, ERROR_BODY("server_error", "null"), NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
    { "502", 502, "<html>", NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
    { "504", 504, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
    { "first one still at work", 409, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_BUSY, 0 },
    { "request timeout", 408, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_BUSY, 0 },
    { "a redirect was not followed", 307, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
};

TEST(submit_answers)
{
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(submits); i++) {
        struct fetch_reply r = answer(submits[i].status, submits[i].body);
        add_header(&r, submits[i].header, submits[i].value);
        struct submit_reply got = submit(&w.cx, &r);
        CHECK_I64(got.outcome, submits[i].outcome, submits[i].why);
        CHECK_I64(got.reason, submits[i].reason, submits[i].why);
        CHECK_I64(got.retry_after_s, submits[i].retry_after_s, submits[i].why);
        CHECK((got.outcome == SUBMIT_ACCEPTED) == (got.id.p != NULL), submits[i].why);
        CHECK((got.outcome == SUBMIT_ACCEPTED) == (got.words.n == 0), submits[i].why);
    }
    struct fetch_reply r = recorded(&w.cx, 200, "openai/queued.json");
    struct submit_reply got = submit(&w.cx, &r);
    CHECK_IS(got.id, "video_68d7512d07848190b3e45da0ecbebcde", "the id");
    t_end(&w, 0);
}

TEST(submits_that_were_never_answered)
{
    static const struct {
        enum fetch_end end;
        enum submit_outcome want;
    } row[] = {
        { FETCH_NOT_SENT, SUBMIT_NOT_SENT }, { FETCH_REFUSED, SUBMIT_NOT_SENT },
        { FETCH_UNKNOWN, SUBMIT_UNKNOWN },   { FETCH_TOO_LARGE, SUBMIT_UNKNOWN },
        { FETCH_LOCAL_IO, SUBMIT_UNKNOWN },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = { .end = row[i].end, .words = FG_LIT("why") };
        struct submit_reply got = submit(&w.cx, &r);
        CHECK_I64(got.outcome, row[i].want, "unproven means unknown");
        CHECK_IS(got.words, "why", "the transport's words are kept");
    }
    t_end(&w, 0);
}

TEST(words_are_short_and_never_hold_a_key)
{
    struct t_world w;
    struct submit_reply got;
    t_begin(&w);
    for (int odd = 0; odd < 2; odd++) { /* one of both cuts falls into the middle of a character */
        struct sb b = sb_in(w.cx.mem, 2000);
        sb_addf(&b, "{\"error\":{\"code\":\"c\",\"message\":\"%s", odd ? "a" : "");
        for (int i = 0; i < 300; i++)
            sb_add(&b, FG_LIT("\xc3\xa9"));
        sb_add(&b, FG_LIT("\"}}"));
        struct fetch_reply r = answer(400, sb_cstr(&b));
        got = submit(&w.cx, &r);
        CHECK(got.words.n == 200 || got.words.n == 199, "cut, not dropped");
        CHECK(utf8_count(got.words) != SIZE_MAX, "and still text");
    }
    struct fetch_reply r = answer(401, "{\"error\":{\"message\":\"bad key sk-secret\",\"code\":\"c\"}}");
    got = submit(&w.cx, &r);
    CHECK_IS(got.words, "HTTP 401 c", "their message may repeat the key");
    t_end(&w, 0);
}

static const struct {
    const char *why, *body;
    enum remote_state state;
    int progress;
    enum remote_reason reason;
    const char *unknown;
} polls[] = {
    { "the recorded answer", ACCEPTED_BODY, REMOTE_QUEUED, 0, REASON_NONE, NULL },
    { "at work", "{\"status\":\"in_progress\",\"progress\":37}", REMOTE_RUNNING, 37, REASON_NONE, NULL },
    { "no progress told", "{\"status\":\"in_progress\"}", REMOTE_RUNNING, -1, REASON_NONE, NULL },
    { "progress as text", "{\"status\":\"in_progress\",\"progress\":\"37\"}", REMOTE_RUNNING, -1, REASON_NONE,
      NULL },
    { "progress beyond", "{\"status\":\"in_progress\",\"progress\":101}", REMOTE_RUNNING, -1, REASON_NONE,
      NULL },
    { "done", "{\"status\":\"completed\",\"progress\":100,\"expires_at\":null}", REMOTE_DONE, 100,
      REASON_NONE, NULL },
    { "done, still there", "{\"status\":\"completed\",\"expires_at\":1893456000}", REMOTE_DONE, -1,
      REASON_NONE, NULL },
    { "done, file expired", "{\"status\":\"completed\",\"expires_at\":1893455999}", REMOTE_GONE, -1,
      REASON_NONE, NULL },
    { "failed", "{\"status\":\"failed\",\"error\":{\"code\":\"video_generation_failed\",\"message\":\"m\"}}",
      REMOTE_FAILED, -1, REASON_FAILED, NULL },
    { "moderated", "{\"status\":\"failed\",\"error\":{\"code\":\"moderation_blocked\",\"message\":\"m\"}}",
      REMOTE_FAILED, -1, REASON_CONTENT, NULL },
    { "picture", "{\"status\":\"failed\",\"error\":{\"code\":\"invalid_image\",\"message\":\"m\"}}",
      REMOTE_FAILED, -1, REASON_IMAGE, NULL },
    { "error as text", "{\"status\":\"failed\",\"error\":\"boom\"}", REMOTE_FAILED, -1, REASON_FAILED, NULL },
    { "failed without error", "{\"status\":\"failed\",\"error\":null}", REMOTE_FAILED, -1, REASON_FAILED,
      NULL },
    { "gateway", "{\"status\":\"SUCCESS\"}", REMOTE_DONE, -1, REASON_NONE, NULL },
    { "gateway", "{\"status\":\"Succeeded\"}", REMOTE_DONE, -1, REASON_NONE, NULL },
    { "gateway", "{\"status\":\"processing\"}", REMOTE_RUNNING, -1, REASON_NONE, NULL },
    { "gateway", "{\"status\":\"NOT_START\"}", REMOTE_QUEUED, -1, REASON_NONE, NULL },
    { "gateway", "{\"status\":\"FAILURE\"}", REMOTE_FAILED, -1, REASON_FAILED, NULL },
    { "gateway", "{\"status\":\"cancelled\"}", REMOTE_FAILED, -1, REASON_CANCELED, NULL },
    { "gateway", "{\"status\":\"expired\"}", REMOTE_GONE, -1, REASON_NONE, NULL },
    { "no news", "{\"status\":\"unknown\"}", REMOTE_RUNNING, -1, REASON_NONE, "unknown" },
    { "a new word", "{\"status\":\"Marinating\"}", REMOTE_RUNNING, -1, REASON_NONE, "Marinating" },
};

TEST(poll_answers)
{
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(polls); i++) {
        struct fetch_reply r = answer(200, polls[i].body);
        struct poll_reply got = poll(&w.cx, &r);
        CHECK(got.understood && !got.again, polls[i].why);
        CHECK_I64(got.state, polls[i].state, polls[i].body);
        CHECK_I64(got.progress, polls[i].progress, polls[i].why);
        CHECK_I64(got.queue_position, -1, "this dialect has none");
        CHECK_I64(got.reason, polls[i].reason, polls[i].why);
        CHECK_STR(got.unknown_word, fg_str_c(polls[i].unknown), polls[i].why);
        CHECK_I64(got.poll_after_ms, 0, polls[i].why);
        CHECK_STR(got.output_url,
                  got.state == REMOTE_DONE
                      ? FG_LIT("https://api.example.com/v1/videos/video_1/content?variant=video")
                      : FG_NONE,
                  polls[i].why);
        CHECK_I64(got.output_key, got.state == REMOTE_DONE ? KEY_ALWAYS : KEY_NEVER,
                  "the file needs the key");
    }
    t_end(&w, 0);
}

TEST(the_recorded_polls)
{
    struct t_world w;
    t_begin(&w);
    struct fetch_reply r = recorded(&w.cx, 200, "openai/queued.json");
    CHECK_I64(poll(&w.cx, &r).state, REMOTE_QUEUED, "just taken");
    r = recorded(&w.cx, 200, "openai/completed.json");
    CHECK_I64(poll(&w.cx, &r).state, REMOTE_DONE, "the file is there for a day");
    r = recorded(&w.cx, 200, "openai/failed.json");
    struct poll_reply got = poll(&w.cx, &r);
    CHECK(got.state == REMOTE_FAILED && got.reason == REASON_CONTENT && got.progress == 40,
          "moderated half-way");
    CHECK_IS(got.words, "moderation_blocked: Blocked.", "in its words");
    r = recorded(&w.cx, 400, "openai/invalid.json");
    got = poll(&w.cx, &r);
    CHECK(!got.understood, "a question that was wrong says nothing of the job");
    CHECK_IS(got.words, "HTTP 400 invalid_request_error: No such size.", "and why");
    t_end(&w, 0);
}

TEST(polls_without_news)
{
    static const struct {
        const char *why;
        enum fetch_end end;
        int status;
        const char *body;
        enum remote_reason reason;
    } row[] = {
        { "timeout", FETCH_UNKNOWN, 0, "", REASON_FAILED },
        { "no connection", FETCH_NOT_SENT, 0, "", REASON_FAILED },
        { "5xx", FETCH_ANSWERED, 500, ERROR_BODY("server_error", "null"), REASON_FAILED },
        { "busy", FETCH_ANSWERED, 429, "", REASON_BUSY },
        { "overloaded", FETCH_ANSWERED, 503, "", REASON_BUSY },
        { "key", FETCH_ANSWERED, 401, "", REASON_AUTH },
        { "quota", FETCH_ANSWERED, 429, ERROR_BODY("x", "\"insufficient_quota\""), REASON_CREDIT },
        { "no JSON", FETCH_ANSWERED, 200, "<html>", REASON_NONSENSE },
        { "no status", FETCH_ANSWERED, 200, "{\"id\":\"v\"}", REASON_NONSENSE },
        { "status is a number", FETCH_ANSWERED, 200, "{\"status\":1}", REASON_NONSENSE },
        { "no object", FETCH_ANSWERED, 200, "[\"queued\"]", REASON_NONSENSE },
    };
    struct t_world w;
    struct poll_reply got;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        r.end = row[i].end;
        got = poll(&w.cx, &r);
        CHECK(!got.understood, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
    }
    for (int status = 404; status <= 410; status += 6) {
        struct fetch_reply r = answer(status, ERROR_BODY("invalid_request_error", "null"));
        got = poll(&w.cx, &r);
        CHECK(got.understood, "404 and 410 are news");
        CHECK_I64(got.state, REMOTE_GONE, "it does not know it any more");
    }
    t_end(&w, 0);
}

TEST(the_wish_for_the_next_poll_is_heard)
{
    static const struct {
        const char *header, *value;
        int status;
        int64_t want_ms;
    } row[] = {
        { "openai-poll-after-ms", "2500", 200, 2500 },
        { "openai-poll-after-ms", "0", 200, 0 },
        { "openai-poll-after-ms", "soon", 200, 0 },
        { "openai-poll-after-ms", "99999999", 200, 0 },
        { "retry-after", "4", 429, 4000 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, "{\"status\":\"queued\"}");
        add_header(&r, row[i].header, row[i].value);
        struct poll_reply got = poll(&w.cx, &r);
        CHECK_I64(got.poll_after_ms, row[i].want_ms, row[i].value);
    }
    t_end(&w, 0);
}

#define VIDEO(id, created) "{\"id\":\"" id "\",\"created_at\":" created "}"
#define LIST(items, more) "{\"object\":\"list\",\"data\":[" items "],\"has_more\":" more "}"

static struct list_reply list(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct list_ask ask = { .model = FG_LIT("sora-2"), .since_us = cx->now_us };
    struct list_reply got;
    provider_openai.list_reply(cx, &plain, &ask, r, &got);
    return got;
}

TEST(the_list_gives_rows)
{
    struct t_world w;
    t_begin(&w);
    struct fetch_reply r = recorded(&w.cx, 200, "openai/list.json");
    struct list_reply got = list(&w.cx, &r);
    CHECK(got.understood && got.n == 2, "two videos");
    CHECK_IS(got.row[0].id, "video_2", "the id");
    CHECK_I64(got.row[0].created_us, w.cx.now_us + 10 * FG_US_PER_S, "when it was made");
    CHECK_IS(got.row[0].client_ref, "ref_1", "our reference, of those who keep it");
    CHECK_IS(got.row[0].model, "sora-2", "its model");
    CHECK_IS(got.row[0].prompt, "a red kite over dunes", "its prompt");
    CHECK_I64(got.row[0].duration_s, 8, "its length");
    CHECK(!got.row[0].has_seed && !got.row[0].callback_url.p, "not told there");
    CHECK(!got.row[1].client_ref.p && got.row[1].duration_s == 0, "nor is this by the other");
    CHECK(got.more && got.whole, "the page does not reach back to the window's begin");
    CHECK_IS(got.cursor, "video_1", "it goes on after the last");
    t_end(&w, 0);
}

TEST(the_list_is_read_as_far_as_the_window)
{
    static const struct {
        const char *why;
        int status;
        const char *body;
        bool understood;
        size_t n;
        bool more, whole;
    } row[] = {
        { "empty", 200, LIST("", "false"), true, 0, false, true },
        { "all of it", 200, LIST(VIDEO("v1", "1893456000"), "false"), true, 1, false, true },
        { "too old", 200, LIST(VIDEO("v1", "1893455999"), "false"), true, 1, false, true },
        { "unusable id", 200, LIST(VIDEO("..", "1893456000"), "false"), true, 0, false, true },
        { "page too short", 200, LIST(VIDEO("v1", "1893456000"), "true"), true, 1, true, true },
        { "page reaches back", 200, LIST(VIDEO("v1", "1893455999"), "true"), true, 1, false, true },
        { "no time told", 200, LIST(VIDEO("v1", "null"), "true"), true, 1, true, true },
        { "a time beyond all", 200, LIST(VIDEO("v1", "9223372036854775807"), "true"), true, 1, true, true },
        { "more of nothing", 200, LIST("", "true"), true, 0, false, false },
        { "more of nothing usable", 200, LIST(VIDEO("..", "1893456000"), "true"), true, 0, false, false },
        { "no list there", 404, "{}", false, 0, false, false },
        { "nor here", 405, "", false, 0, false, false },
        { "server error", 500, LIST("", "false"), false, 0, false, false },
        { "no list in it", 200, "{\"data\":{}}", false, 0, false, false },
        { "no JSON", 200, "<html>", false, 0, false, false },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        struct list_reply got = list(&w.cx, &r);
        CHECK_I64(got.understood, row[i].understood, row[i].why);
        CHECK_I64(got.n, row[i].n, row[i].why);
        CHECK_I64(got.more, row[i].more, row[i].why);
        CHECK_I64(got.whole, row[i].whole, row[i].why);
        CHECK((got.cursor.n > 0) == got.more, row[i].why);
    }
    t_end(&w, 0);
}

TEST(callbacks_are_read)
{
    static const struct {
        const char *why, *body;
        enum fg_code want;
        const char *id;
    } row[] = {
        { "done", "{\"type\":\"video.completed\",\"data\":{\"id\":\"video_1\"}}", FG_OK, "video_1" },
        { "failed", "{\"type\":\"video.failed\",\"data\":{\"id\":\"video_2\"}}", FG_OK, "video_2" },
        { "of something else", "{\"type\":\"response.completed\",\"data\":{\"id\":\"resp_1\"}}", FG_OK,
          NULL },
        { "no type", "{\"data\":{\"id\":\"video_1\"}}", FG_INVALID_REQUEST, NULL },
        { "no video", "{\"type\":\"video.completed\",\"data\":{}}", FG_INVALID_REQUEST, NULL },
        { "no data", "{\"type\":\"video.completed\"}", FG_INVALID_REQUEST, NULL },
        { "bad id", "{\"type\":\"video.completed\",\"data\":{\"id\":\"a b\"}}", FG_INVALID_REQUEST, NULL },
        { "an array", "[]", FG_INVALID_REQUEST, NULL },
        { "no JSON", "{'type':1}", FG_INVALID_JSON, NULL },
        { "nothing", "", FG_INVALID_JSON, NULL },
    };
    struct t_world w;
    struct callback_headers h = { .webhook_id = FG_LIT("msg_1") };
    struct callback_note got;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        got = (struct callback_note){ 0 };
        CHECK_CODE(&w.cx, provider_openai.callback_read(&w.cx, &h, fg_str_c(row[i].body), &got), row[i].want);
        CHECK_STR(got.remote_id, fg_str_c(row[i].id), row[i].why);
        CHECK_STR(got.event_id, row[i].want == FG_OK ? FG_LIT("msg_1") : FG_NONE, row[i].why);
    }
    CHECK(!got.news.understood, "a thin event tells nothing: the poll does");
    h.webhook_id = FG_NONE;
    CHECK_CODE(&w.cx, provider_openai.callback_read(&w.cx, &h, fg_str_c(row[0].body), &got), FG_OK);
    CHECK(!got.event_id.p, "no header, no event id");
    CHECK_CODE(&w.cx,
               provider_openai.callback_read(&w.cx, &h, recorded(&w.cx, 0, "openai/event.json").body, &got),
               FG_OK);
    CHECK_IS(got.remote_id, "video_1", "the recorded event");
    t_end(&w, 0);
}

TEST(adapters_are_found_by_name)
{
    CHECK(provider_by_name(FG_LIT("openai")) == &provider_openai, "the one");
    CHECK(!provider_by_name(FG_LIT("OpenAI")) && !provider_by_name(FG_NONE), "and no other");
}
