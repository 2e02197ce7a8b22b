/* The /v1/videos dialect: recorded examples as rows, every outcome. */
#include "base/sb.h"
#include "base/utf8.h"
#include "provider/provider.h"
#include "t.h"

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

static struct gen_spec kite(void)
{
    return (struct gen_spec){
        .model = FG_LIT("sora-2"),
        .prompt = FG_LIT("a red kite over dunes"),
        .aspect_ratio = FG_LIT("16:9"),
        .resolution = FG_LIT("720p"),
        .width = 1280,
        .height = 720,
        .duration_s = 8,
        .client_ref = FG_LIT("ref_1"),
    };
}

static struct fetch_reply answer(int status, const char *body)
{
    return (struct fetch_reply){ .end = FETCH_ANSWERED, .status = status, .body = fg_str_c(body) };
}

static void add_header(struct fetch_reply *r, const char *name, const char *value)
{
    if (name)
        r->header[r->header_n++] = (struct fetch_header){ fg_str_c(name), fg_str_c(value) };
}

static struct fg_str header_of(const struct fetch_call *c, struct fg_str name)
{
    for (unsigned i = 0; i < c->header_n; i++)
        if (fg_eq_nocase(c->header[i].name, name))
            return c->header[i].value;
    return FG_NONE;
}

TEST(a_plain_endpoint_gets_the_documented_fields_only)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_spec spec = kite();
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
    struct gen_spec spec = kite();
    struct provider_site site = with_extras();
    t_begin(&w);
    spec.has_seed = true;
    spec.seed = 42;
    spec.prompt = FG_LIT("say \"hi\" \xf0\x9f\x8e\xac");
    spec.image_url = FG_LIT("https://x.example/a.png");
    spec.callback_url = FG_LIT("https://us.example/hooks/studio/tok");
    CHECK_CODE(&w.cx, provider_openai.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(
        c.body,
        "{\"model\":\"sora-2\",\"prompt\":\"say \\\"hi\\\" \xf0\x9f\x8e\xac\",\"seconds\":\"8\","
        "\"size\":\"1280x720\",\"input_reference\":{\"image_url\":\"https://x.example/a.png\"},"
        "\"seed\":42,\"metadata\":{\"filmgate_ref\":\"ref_1\"},"
        "\"webhook_url\":\"https://us.example/hooks/studio/tok\"}",
        "all of it");
    CHECK_IS(header_of(&c, FG_LIT("idempotency-key")), "ref_1", "a repeat finds the first");
    t_end(&w, 0);
}

TEST(other_calls_and_their_limits)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_spec spec = kite();
    struct provider_site site = plain;
    char *huge = calloc(1, 3000);
    t_begin(&w);
    CHECK_CODE(&w.cx, provider_openai.poll_call(&w.cx, &site, FG_LIT("video_1/../x?y"), &c), FG_OK);
    CHECK_IS(c.url, "https://api.example.com/v1/videos/video_1%2F..%2Fx%3Fy",
             "an id is one segment");
    CHECK(!c.once && !c.body.p, "a poll may be repeated");
    CHECK_CODE(&w.cx, provider_openai.output_call(&w.cx, &site, FG_LIT("video_1"), &c), FG_OK);
    CHECK_IS(c.url, "https://api.example.com/v1/videos/video_1/content?variant=video", "the file");
    CHECK_IS(c.secret.value, "Bearer sk-secret", "the file needs the key");
    CHECK_CODE(&w.cx, provider_openai.find_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.url, "https://api.example.com/v1/videos?limit=100&order=desc", "the newest");
    memset(huge, 'a', 2999);
    site.base_url = fg_str_c(huge);
    CHECK_CODE(&w.cx, provider_openai.poll_call(&w.cx, &site, FG_LIT("v"), &c), FG_TOO_LARGE);
    site.base_url = plain.base_url;
    site.key = FG_NONE;
    CHECK_CODE(&w.cx, provider_openai.poll_call(&w.cx, &site, FG_LIT("v"), &c), FG_OK);
    CHECK(!c.secret.name.p, "a gateway without keys");
    free(huge);
    t_end(&w, 0);
}

#define ACCEPTED_BODY                                                                           \
    "{\"id\":\"video_68d7512d07848190b3e45da0ecbebcde\",\"object\":\"video\",\"model\":\"sora-" \
    "2\","                                                                                      \
    "\"status\":\"queued\",\"progress\":0,\"created_at\":1767225600,\"completed_at\":null,"     \
    "\"expires_at\":null,\"prompt\":\"a red kite over dunes\",\"size\":\"1280x720\","           \
    "\"seconds\":\"8\",\"remixed_from_video_id\":null,\"error\":null}"
#define ERROR_BODY(type, code) \
    "{\"error\":{\"message\":\"No.\",\"type\":\"" type "\",\"code\":" code "}}"

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
    { "2xx without id", 200, "{\"status\":\"queued\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE,
      0 },
    { "empty id", 200, "{\"id\":\"\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "an id that would climb", 200, "{\"id\":\"..\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE,
      0 },
    { "an id with a line feed", 200, "{\"id\":\"a\\nb\"}", NULL, NULL, SUBMIT_UNKNOWN,
      REASON_NONSENSE, 0 },
    { "an id that is a number", 200, "{\"id\":7}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "2xx that is no JSON", 200, "<html>", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "2xx without body", 204, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "wrong size", 400, ERROR_BODY("invalid_request_error", "null"), NULL, NULL, SUBMIT_REFUSED,
      REASON_REFUSED, 0 },
    { "moderation", 400, ERROR_BODY("invalid_request_error", "\"moderation_blocked\""), NULL, NULL,
      SUBMIT_REFUSED, REASON_CONTENT, 0 },
    { "moderation as type", 400, ERROR_BODY("Content_Policy_Violation", "null"), NULL, NULL,
      SUBMIT_REFUSED, REASON_CONTENT, 0 },
    { "picture", 400, ERROR_BODY("invalid_request_error", "\"image_unreachable\""), NULL, NULL,
      SUBMIT_REFUSED, REASON_IMAGE, 0 },
    { "moderation as 403", 403, ERROR_BODY("x", "\"moderation_blocked\""), NULL, NULL,
      SUBMIT_REFUSED, REASON_CONTENT, 0 },
    { "key", 401, ERROR_BODY("invalid_request_error", "\"invalid_api_key\""), NULL, NULL,
      SUBMIT_REFUSED, REASON_AUTH, 0 },
    { "money", 402, "", NULL, NULL, SUBMIT_REFUSED, REASON_CREDIT, 0 },
    { "organisation", 403, ERROR_BODY("x", "null"), NULL, NULL, SUBMIT_REFUSED, REASON_AUTH, 0 },
    { "route closed", 404, "<html>", NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
    { "unprocessable", 422, "{\"detail\":[]}", NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
    { "rate", 429, ERROR_BODY("requests", "\"rate_limit_exceeded\""), "retry-after", "7",
      SUBMIT_NOT_SENT, REASON_BUSY, 7 },
    { "rate in milliseconds", 429, "", "retry-after-ms", "1500", SUBMIT_NOT_SENT, REASON_BUSY, 2 },
    { "no quota is not rate", 429, ERROR_BODY("insufficient_quota", "\"insufficient_quota\""),
      "retry-after", "7", SUBMIT_REFUSED, REASON_CREDIT, 0 },
    { "nor is billing", 429, ERROR_BODY("x", "\"billing_hard_limit_reached\""), NULL, NULL,
      SUBMIT_REFUSED, REASON_CREDIT, 0 },
    { "overloaded", 503, ERROR_BODY("server_error", "null"), "retry-after", "3", SUBMIT_NOT_SENT,
      REASON_BUSY, 3 },
    { "a 5xx with any code proves nothing", 500, ERROR_BODY("x", "\"moderation_blocked\""), NULL,
      NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
    { "500", 500, ERROR_BODY("server_error", "null"), NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED,
      0 },
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
        struct submit_reply got;
        add_header(&r, submits[i].header, submits[i].value);
        provider_openai.submit_reply(&w.cx, &r, &got);
        CHECK_I64(got.outcome, submits[i].outcome, submits[i].why);
        CHECK_I64(got.reason, submits[i].reason, submits[i].why);
        CHECK_I64(got.retry_after_s, submits[i].retry_after_s, submits[i].why);
        CHECK((got.outcome == SUBMIT_ACCEPTED) == (got.id.p != NULL), submits[i].why);
        CHECK((got.outcome == SUBMIT_ACCEPTED) == (got.words.n == 0), submits[i].why);
    }
    struct fetch_reply r = answer(200, ACCEPTED_BODY);
    struct submit_reply got;
    provider_openai.submit_reply(&w.cx, &r, &got);
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
        struct submit_reply got;
        provider_openai.submit_reply(&w.cx, &r, &got);
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
        provider_openai.submit_reply(&w.cx, &r, &got);
        CHECK(got.words.n == 200 || got.words.n == 199, "cut, not dropped");
        CHECK(utf8_count(got.words) != SIZE_MAX, "and still text");
    }
    struct fetch_reply r =
        answer(401, "{\"error\":{\"message\":\"bad key sk-secret\",\"code\":\"c\"}}");
    provider_openai.submit_reply(&w.cx, &r, &got);
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
    { "at work", "{\"status\":\"in_progress\",\"progress\":37}", REMOTE_RUNNING, 37, REASON_NONE,
      NULL },
    { "no progress told", "{\"status\":\"in_progress\"}", REMOTE_RUNNING, -1, REASON_NONE, NULL },
    { "progress as text", "{\"status\":\"in_progress\",\"progress\":\"37\"}", REMOTE_RUNNING, -1,
      REASON_NONE, NULL },
    { "progress beyond", "{\"status\":\"in_progress\",\"progress\":101}", REMOTE_RUNNING, -1,
      REASON_NONE, NULL },
    { "done", "{\"status\":\"completed\",\"progress\":100,\"expires_at\":null}", REMOTE_DONE, 100,
      REASON_NONE, NULL },
    { "done, still there", "{\"status\":\"completed\",\"expires_at\":1893456000}", REMOTE_DONE, -1,
      REASON_NONE, NULL },
    { "done, file expired", "{\"status\":\"completed\",\"expires_at\":1893455999}", REMOTE_GONE, -1,
      REASON_NONE, NULL },
    { "failed",
      "{\"status\":\"failed\",\"error\":{\"code\":\"video_generation_failed\",\"message\":\"m\"}}",
      REMOTE_FAILED, -1, REASON_FAILED, NULL },
    { "moderated",
      "{\"status\":\"failed\",\"error\":{\"code\":\"moderation_blocked\",\"message\":\"m\"}}",
      REMOTE_FAILED, -1, REASON_CONTENT, NULL },
    { "picture",
      "{\"status\":\"failed\",\"error\":{\"code\":\"invalid_image\",\"message\":\"m\"}}",
      REMOTE_FAILED, -1, REASON_IMAGE, NULL },
    { "error as text", "{\"status\":\"failed\",\"error\":\"boom\"}", REMOTE_FAILED, -1,
      REASON_FAILED, NULL },
    { "failed without error", "{\"status\":\"failed\",\"error\":null}", REMOTE_FAILED, -1,
      REASON_FAILED, NULL },
    { "gateway", "{\"status\":\"SUCCESS\"}", REMOTE_DONE, -1, REASON_NONE, NULL },
    { "gateway", "{\"status\":\"Succeeded\"}", REMOTE_DONE, -1, REASON_NONE, NULL },
    { "gateway", "{\"status\":\"processing\"}", REMOTE_RUNNING, -1, REASON_NONE, NULL },
    { "gateway", "{\"status\":\"NOT_START\"}", REMOTE_QUEUED, -1, REASON_NONE, NULL },
    { "gateway", "{\"status\":\"FAILURE\"}", REMOTE_FAILED, -1, REASON_FAILED, NULL },
    { "gateway", "{\"status\":\"cancelled\"}", REMOTE_FAILED, -1, REASON_FAILED, NULL },
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
        struct poll_reply got;
        provider_openai.poll_reply(&w.cx, &r, &got);
        CHECK(got.understood, polls[i].why);
        CHECK_I64(got.state, polls[i].state, polls[i].body);
        CHECK_I64(got.progress, polls[i].progress, polls[i].why);
        CHECK_I64(got.queue_position, -1, "this dialect has none");
        CHECK_I64(got.reason, polls[i].reason, polls[i].why);
        CHECK_STR(got.unknown_word, fg_str_c(polls[i].unknown), polls[i].why);
        CHECK_I64(got.poll_after_ms, 0, polls[i].why);
    }
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
        provider_openai.poll_reply(&w.cx, &r, &got);
        CHECK(!got.understood, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
    }
    for (int status = 404; status <= 410; status += 6) {
        struct fetch_reply r = answer(status, ERROR_BODY("invalid_request_error", "null"));
        provider_openai.poll_reply(&w.cx, &r, &got);
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
        struct poll_reply got;
        add_header(&r, row[i].header, row[i].value);
        provider_openai.poll_reply(&w.cx, &r, &got);
        CHECK_I64(got.poll_after_ms, row[i].want_ms, row[i].value);
    }
    t_end(&w, 0);
}

#define VIDEO(id, prompt, created, rest)                           \
    "{\"id\":\"" id "\",\"model\":\"sora-2\",\"prompt\":\"" prompt \
    "\",\"created_at\":" created rest "}"
#define KITE "a red kite over dunes"
#define REF(r) ",\"metadata\":{\"filmgate_ref\":\"" r "\"}"
#define LIST(items, more) "{\"object\":\"list\",\"data\":[" items "],\"has_more\":" more "}"

TEST(lost_submits_are_found_in_the_list)
{
    static const struct {
        const char *why;
        int status;
        const char *body;
        bool understood;
        const char *id;
    } row[] = {
        { "empty", 200, LIST("", "false"), true, NULL },
        { "by reference", 200,
          LIST(VIDEO("v1", "x", "1", REF("ref_0")) "," VIDEO("v2", "y", "2", REF("ref_1")), "true"),
          true, "v2" },
        { "by looks", 200, LIST(VIDEO("v1", KITE, "1893456000", ""), "false"), true, "v1" },
        { "too old", 200, LIST(VIDEO("v1", KITE, "1893455999", ""), "false"), true, NULL },
        { "other prompt", 200, LIST(VIDEO("v1", "a blue kite", "1893456000", ""), "false"), true,
          NULL },
        { "another attempt's", 200, LIST(VIDEO("v1", KITE, "1893456000", REF("ref_0")), "false"),
          true, NULL },
        { "two alike", 200,
          LIST(VIDEO("v1", KITE, "1893456001", "") "," VIDEO("v2", KITE, "1893456000", ""),
               "false"),
          false, NULL },
        { "two alike, one ours", 200,
          LIST(
              VIDEO("v1", KITE, "1893456001", "") "," VIDEO("v2", KITE, "1893456000", REF("ref_1")),
              "false"),
          true, "v2" },
        { "unusable id", 200, LIST(VIDEO("..", KITE, "1893456000", ""), "false"), true, NULL },
        { "page too short", 200, LIST(VIDEO("v1", "x", "1893456000", ""), "true"), false, NULL },
        { "page reaches back", 200, LIST(VIDEO("v1", "x", "1893455999", ""), "true"), true, NULL },
        { "more of nothing", 200, LIST("", "true"), false, NULL },
        { "no list there", 404, "{}", false, NULL },
        { "nor here", 405, "", false, NULL },
        { "server error", 500, LIST("", "false"), false, NULL },
        { "no list in it", 200, "{\"data\":{}}", false, NULL },
        { "no JSON", 200, "<html>", false, NULL },
    };
    struct t_world w;
    struct gen_spec spec = kite();
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        struct found_reply got;
        provider_openai.find_reply(&w.cx, &r, &spec, w.cx.now_us, &got);
        CHECK_I64(got.understood, row[i].understood, row[i].why);
        CHECK_STR(got.id, fg_str_c(row[i].id), row[i].why);
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
        { "the recorded event",
          "{\"object\":\"event\",\"id\":\"evt_1\",\"type\":\"video.completed\",\"created_at\":"
          "1767225600,\"data\":{\"id\":\"video_1\"}}",
          FG_OK, "video_1" },
        { "failed", "{\"type\":\"video.failed\",\"data\":{\"id\":\"video_2\"}}", FG_OK, "video_2" },
        { "of something else", "{\"type\":\"response.completed\",\"data\":{\"id\":\"resp_1\"}}",
          FG_OK, NULL },
        { "no type", "{\"data\":{\"id\":\"video_1\"}}", FG_INVALID_REQUEST, NULL },
        { "no video", "{\"type\":\"video.completed\",\"data\":{}}", FG_INVALID_REQUEST, NULL },
        { "no data", "{\"type\":\"video.completed\"}", FG_INVALID_REQUEST, NULL },
        { "bad id", "{\"type\":\"video.completed\",\"data\":{\"id\":\"a b\"}}", FG_INVALID_REQUEST,
          NULL },
        { "an array", "[]", FG_INVALID_REQUEST, NULL },
        { "no JSON", "{'type':1}", FG_INVALID_JSON, NULL },
        { "nothing", "", FG_INVALID_JSON, NULL },
    };
    struct t_world w;
    struct callback_note got;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        got = (struct callback_note){ 0 };
        CHECK_CODE(
            &w.cx,
            provider_openai.callback_read(&w.cx, FG_LIT("msg_1"), fg_str_c(row[i].body), &got),
            row[i].want);
        CHECK_STR(got.remote_id, fg_str_c(row[i].id), row[i].why);
        CHECK_STR(got.event_id, row[i].want == FG_OK ? FG_LIT("msg_1") : FG_NONE, row[i].why);
    }
    CHECK_CODE(&w.cx, provider_openai.callback_read(&w.cx, FG_NONE, fg_str_c(row[0].body), &got),
               FG_OK);
    CHECK(!got.event_id.p, "no header, no event id");
    t_end(&w, 0);
}

TEST(adapters_are_found_by_name)
{
    CHECK(provider_by_name(FG_LIT("openai")) == &provider_openai, "the one");
    CHECK(!provider_by_name(FG_LIT("OpenAI")) && !provider_by_name(FG_NONE), "and no other");
}
