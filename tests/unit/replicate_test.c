/* Replicate: the fact sheet's examples as rows, every status word, error code and HTTP status. */
#include "adapter_kit.h"
#include "provider/adapter.h"

#define ID "gm3qorzdhgbfurvjtvhg6dckhu"
#define API "https://api.replicate.com/v1"
#define VERSION "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa"

static const struct provider *const replicate = &provider_replicate;
static const struct provider_site site = {
    .name = { "replicate", 9 },
    .base_url = { API, sizeof API - 1 },
    .key = { "r8_xxx", 6 },
};
static const struct remote_ref ref = { .id = { ID, sizeof ID - 1 } };

static struct submit_reply submit(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct submit_reply got;
    replicate->submit_reply(cx, &site, r, &got);
    return got;
}

static struct poll_reply poll(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct poll_reply got;
    replicate->poll_reply(cx, &site, &ref, 0, FG_NONE, r, &got);
    return got;
}

TEST(it_is_found_and_what_it_can_do_is_said)
{
    CHECK(provider_by_name(FG_LIT("replicate")) == replicate, "by its name");
    CHECK_I64(replicate->verify, VERIFY_STANDARD, "Standard Webhooks");
    CHECK_I64(replicate->cancel_when, CANCEL_WHEN_QUEUED | CANCEL_WHEN_RUNNING, "both can be cancelled");
    CHECK(!replicate->cancel_deletes && !replicate->no_key, "nothing is deleted; a key it must be");
}

/* ---- submit ---- */

static struct gen_wire veo(void)
{
    struct gen_wire wire = { 0 };
    wire.param[PARAM_PROMPT].name = FG_LIT("prompt");
    wire.param[PARAM_RATIO].name = FG_LIT("aspect_ratio");
    wire.param[PARAM_DURATION] = (struct spelling){ .name = FG_LIT("duration"), .as = SPELL_NUMBER };
    wire.param[PARAM_RESOLUTION].name = FG_LIT("resolution");
    wire.param[PARAM_SEED] = (struct spelling){ .name = FG_LIT("seed"), .as = SPELL_NUMBER };
    return wire;
}

TEST(the_recorded_request)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = veo();
    struct gen_spec spec = kite("google/veo-3.1-fast", &wire);
    t_begin(&w);
    spec.has_seed = true;
    spec.seed = 42;
    spec.callback_url = FG_LIT("https://gw.example/cb/replicate/j_7Qx");
    CHECK_CODE(&w.cx, replicate->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "POST", "a submit");
    CHECK_IS(c.url, API "/models/google/veo-3.1-fast/predictions", "an official model");
    CHECK_IS(
        c.body,
        "{\"input\":{\"prompt\":\"a red kite over dunes\",\"aspect_ratio\":\"16:9\",\"resolution\":\"720p\","
        "\"duration\":8,\"seed\":42},"
        "\"webhook\":\"https://gw.example/cb/replicate/j_7Qx\","
        "\"webhook_events_filter\":[\"start\",\"completed\"]}",
        "as documented");
    CHECK_IS(c.secret.name, "Authorization", "the key is the secret header");
    CHECK_IS(c.secret.value, "Bearer r8_xxx", "as a bearer");
    CHECK_IS(header_of(&c, FG_LIT("Content-Type")), "application/json", "JSON");
    CHECK_I64(c.header_n, 1, "neither Prefer nor Cancel-After");
    CHECK(c.once, "it costs money: never repeated by the transport");
    t_end(&w, 0);
}

TEST(a_models_name_says_where)
{
    static const struct {
        const char *model;
        enum fg_code want;
        const char *url, *version;
    } row[] = {
        { "wan-video/wan-2.5-t2v", FG_OK, API "/models/wan-video/wan-2.5-t2v/predictions", NULL },
        { VERSION, FG_OK, API "/predictions", VERSION },
        { "us/kites:" VERSION, FG_OK, API "/predictions", "us/kites:" VERSION },
        { "us/ki tes", FG_OK, API "/models/us/ki%20tes/predictions", NULL },
        { "5C7D5DC6DD8BF75C1ACAA8565735E7986BC5B66206B55CCA93CB72C9BF15CCAA", FG_INVALID_REQUEST, NULL,
          NULL },
        { "5c7d", FG_INVALID_REQUEST, NULL, NULL },
        { "kites", FG_INVALID_REQUEST, NULL, NULL },
        { "us/", FG_INVALID_REQUEST, NULL, NULL },
        { "/kites", FG_INVALID_REQUEST, NULL, NULL },
        { "us/kites/fast", FG_INVALID_REQUEST, NULL, NULL },
        { "", FG_INVALID_REQUEST, NULL, NULL },
    };
    struct t_world w;
    struct gen_wire wire = { 0 };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_call c;
        struct gen_spec spec = kite(row[i].model, &wire);
        CHECK_CODE(&w.cx, replicate->submit_call(&w.cx, &site, &spec, &c), row[i].want);
        if (row[i].want != FG_OK)
            continue;
        CHECK_STR(c.url, fg_str_c(row[i].url), row[i].model);
        const struct js *body = parsed(&w.cx, arena_cstr(w.cx.mem, c.body));
        CHECK_STR(adapter_text(body, "version"), fg_str_c(row[i].version), row[i].model);
        CHECK_I64(js_type(js_get(body, "input")), JS_OBJECT, "always an object");
        CHECK(!js_get(body, "webhook") && !js_get(body, "webhook_events_filter"), "no callback wanted");
    }
    t_end(&w, 0);
}

TEST(every_model_spells_its_own_input)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = veo();
    struct gen_spec spec = kite("wan-video/wan-2.5-i2v", &wire);
    t_begin(&w);
    wire.param[PARAM_IMAGE].name = FG_LIT("first_frame_image");
    wire.param[PARAM_AUDIO] = (struct spelling){ .name = FG_LIT("generate_audio"), .as = SPELL_BOOL };
    wire.param[PARAM_RESOLUTION] =
        (struct spelling){ .name = FG_LIT("size"), .values = parsed(&w.cx, "{\"720p\":\"1280*720\"}") };
    wire.fixed = parsed(&w.cx, "{\"enhance\":false,\"fps\":24}");
    spec.image_url = FG_LIT("https://gw.example/in/1.png");
    spec.aspect_ratio = FG_NONE;
    spec.audio = AUDIO_OFF;
    CHECK_CODE(&w.cx, replicate->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.body,
             "{\"input\":{\"prompt\":\"a red kite over "
             "dunes\",\"first_frame_image\":\"https://gw.example/in/1.png\","
             "\"size\":\"1280*720\",\"duration\":8,\"generate_audio\":false,\"enhance\":false,\"fps\":24}}",
             "names, values and fixed members of the catalogue");
    char *huge = arena_get(w.cx.mem, ADAPTER_BODY_MAX + 1);
    memset(huge, 'a', ADAPTER_BODY_MAX);
    spec.prompt = fg_str_c(huge);
    CHECK_CODE(&w.cx, replicate->submit_call(&w.cx, &site, &spec, &c), FG_TOO_LARGE);
    t_end(&w, 0);
}

#define WITH_TITLE(title) "{\"title\":\"" title "\",\"detail\":\"m\",\"status\":1}"

TEST(submit_answers)
{
    static const struct {
        const char *why;
        int status;
        const char *body; /* or a file */
        const char *header, *value;
        enum submit_outcome outcome;
        enum remote_reason reason;
        int64_t retry_after_s;
    } row[] = {
        { "the recorded answer", 201, "replicate/starting.json", NULL, NULL, SUBMIT_ACCEPTED, REASON_NONE,
          0 },
        { "any 2xx", 200, "{\"id\":\"p\"}", NULL, NULL, SUBMIT_ACCEPTED, REASON_NONE, 0 },
        { "done at once", 202, "replicate/failed.json", NULL, NULL, SUBMIT_ACCEPTED, REASON_NONE, 0 },
        { "no id", 201, "{\"status\":\"starting\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "an id that would climb", 201, "{\"id\":\"..\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "an id with a blank", 201, "{\"id\":\"a b\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "an id that is a number", 201, "{\"id\":7}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "truncated", 201, "{\"id\":\"gm3qorz", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "no body", 201, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "token", 401, "replicate/unauthenticated.json", NULL, NULL, SUBMIT_REFUSED, REASON_AUTH, 0 },
        { "money", 402, WITH_TITLE("Payment Required"), NULL, NULL, SUBMIT_REFUSED, REASON_CREDIT, 0 },
        { "not permitted", 403, WITH_TITLE("Forbidden"), NULL, NULL, SUBMIT_REFUSED, REASON_AUTH, 0 },
        { "no such model", 404, WITH_TITLE("Not found"), NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "version", 422, "replicate/invalid_version.json", NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "input", 422, "replicate/invalid_fields.json", NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "a parameter called safety", 422, "{\"detail\":\"input.safety_tolerance must be 6 or less\"}", NULL,
          NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "throttled", 429, "replicate/throttled.json", NULL, NULL, SUBMIT_NOT_SENT, REASON_BUSY, 30 },
        { "the header is better", 429, "replicate/throttled.json", "retry-after", "7", SUBMIT_NOT_SENT,
          REASON_BUSY, 7 },
        { "no number", 429, "{\"detail\":\"resets in ~soon\"}", NULL, NULL, SUBMIT_NOT_SENT, REASON_BUSY, 0 },
        { "no sense in it", 429, "{\"detail\":\"resets in ~99999999999999999999s\"}", NULL, NULL,
          SUBMIT_NOT_SENT, REASON_BUSY, 0 },
        { "no words", 429, "", NULL, NULL, SUBMIT_NOT_SENT, REASON_BUSY, 0 },
        { "conflict", 409, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_BUSY, 0 },
        { "request timeout", 408, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_BUSY, 0 },
        { "500", 500, WITH_TITLE("Internal"), NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
        { "502", 502, "<html>", NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
        { "503", 503, "replicate/throttled.json", NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
        { "504", 504, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = fg_starts(fg_str_c(row[i].body), FG_LIT("replicate/"))
                                   ? recorded(&w.cx, row[i].status, row[i].body)
                                   : answer(row[i].status, row[i].body);
        add_header(&r, row[i].header, row[i].value);
        struct submit_reply got = submit(&w.cx, &r);
        CHECK_I64(got.outcome, row[i].outcome, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
        CHECK_I64(got.retry_after_s, row[i].retry_after_s, row[i].why);
        CHECK((got.outcome == SUBMIT_ACCEPTED) == (got.id.p != NULL), row[i].why);
    }
    struct fetch_reply r = recorded(&w.cx, 201, "replicate/starting.json");
    struct submit_reply got = submit(&w.cx, &r);
    CHECK_IS(got.id, ID, "the id");
    CHECK_IS(got.links, API "/predictions/" ID "\n" API "/predictions/" ID "/cancel", "as they were given");
    r = recorded(&w.cx, 401, "replicate/unauthenticated.json");
    CHECK_IS(submit(&w.cx, &r).words, "HTTP 401 Unauthenticated", "their message may repeat the key");
    r = (struct fetch_reply){ .end = FETCH_UNKNOWN, .words = FG_LIT("timeout") };
    CHECK_I64(submit(&w.cx, &r).outcome, SUBMIT_UNKNOWN, "bytes went out");
    r.end = FETCH_NOT_SENT;
    CHECK_I64(submit(&w.cx, &r).outcome, SUBMIT_NOT_SENT, "none did");
    t_end(&w, 0);
}

/* ---- poll ---- */

TEST(links_are_followed_where_the_key_may_go)
{
    static const struct {
        const char *why, *links, *get, *cancel;
    } row[] = {
        { "as given", API "/predictions/x?y\n" API "/stop/x", API "/predictions/x?y", API "/stop/x" },
        { "another host", "https://api.replicate.com.evil.example/v1/x\nhttps://evil.example/",
          API "/predictions/" ID, API "/predictions/" ID "/cancel" },
        { "in clear", "http://api.replicate.com/v1/x\nhttp://api.replicate.com/v1/x", API "/predictions/" ID,
          API "/predictions/" ID "/cancel" },
        { "half of them", "\n" API "/stop/x", API "/predictions/" ID, API "/stop/x" },
        { "lost", NULL, API "/predictions/" ID, API "/predictions/" ID "/cancel" },
    };
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct remote_ref to = { .id = FG_LIT(ID), .links = fg_str_c(row[i].links) };
        CHECK_CODE(&w.cx, replicate->poll_call(&w.cx, &site, &to, 0, FG_NONE, &c), FG_OK);
        CHECK_STR(c.url, fg_str_c(row[i].get), row[i].why);
        CHECK_IS(fg_str_c(c.method), "GET", row[i].why);
        CHECK_IS(c.secret.value, "Bearer r8_xxx", row[i].why);
        CHECK_CODE(&w.cx, replicate->cancel_call(&w.cx, &site, &to, REMOTE_QUEUED, &c), FG_OK);
        CHECK_STR(c.url, fg_str_c(row[i].cancel), row[i].why);
        CHECK_IS(fg_str_c(c.method), "POST", row[i].why);
        CHECK(!c.once && !c.body.p, "it may be said twice");
    }
    struct remote_ref odd = { .id = FG_LIT("a/../b?c") };
    CHECK_CODE(&w.cx, replicate->poll_call(&w.cx, &site, &odd, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, API "/predictions/a%2F..%2Fb%3Fc", "an id is one segment");
    t_end(&w, 0);
}

#define FAILED(error) "{\"status\":\"failed\",\"error\":\"" error "\"}"

TEST(poll_answers)
{
    static const struct {
        const char *why, *body; /* or a file */
        enum remote_state state;
        enum remote_reason reason;
        const char *unknown;
    } row[] = {
        { "queueing, or booting", "replicate/starting.json", REMOTE_QUEUED, REASON_NONE, NULL },
        { "running", "replicate/processing.json", REMOTE_RUNNING, REASON_NONE, NULL },
        { "done", "replicate/succeeded.json", REMOTE_DONE, REASON_NONE, NULL },
        { "moderated", "replicate/failed.json", REMOTE_FAILED, REASON_CONTENT, NULL },
        { "stopped before its deadline", "replicate/canceled.json", REMOTE_FAILED, REASON_CANCELED, NULL },
        { "never began before its deadline", "replicate/aborted.json", REMOTE_FAILED, REASON_EXPIRED, NULL },
        { "too late for the file", "replicate/removed.json", REMOTE_FAILED, REASON_EXPIRED, NULL },
        { "done without a file", "{\"status\":\"succeeded\",\"output\":null,\"data_removed\":false}",
          REMOTE_FAILED, REASON_NONSENSE, NULL },
        { "an empty list", "{\"status\":\"succeeded\",\"output\":[]}", REMOTE_FAILED, REASON_NONSENSE, NULL },
        { "now is after the deadline", "{\"status\":\"canceled\",\"deadline\":\"2030-01-01T00:00:00Z\"}",
          REMOTE_FAILED, REASON_EXPIRED, NULL },
        { "now is not", "{\"status\":\"canceled\",\"deadline\":\"2030-01-01T00:00:01Z\"}", REMOTE_FAILED,
          REASON_CANCELED, NULL },
        { "no deadline", "{\"status\":\"aborted\",\"deadline\":null}", REMOTE_FAILED, REASON_CANCELED, NULL },
        { "unknown", FAILED("Something went wrong (E1000)"), REMOTE_FAILED, REASON_FAILED, NULL },
        { "out of memory", FAILED("CUDA ran out of memory (E1001)"), REMOTE_FAILED, REASON_REFUSED, NULL },
        { "no webhook", FAILED("E4875: webhook URL empty"), REMOTE_FAILED, REASON_REFUSED, NULL },
        { "start timeout", FAILED("Timeout starting prediction (E6716)"), REMOTE_FAILED, REASON_FAILED,
          NULL },
        { "interrupted", FAILED("Prediction interrupted; please retry (code: PA)"), REMOTE_FAILED,
          REASON_FAILED, NULL },
        { "a code outweighs a word", FAILED("safety checker: out of memory (E1001)"), REMOTE_FAILED,
          REASON_REFUSED, NULL },
        { "nsfw", FAILED("NSFW content detected. Try running it again"), REMOTE_FAILED, REASON_CONTENT,
          NULL },
        { "sensitive", FAILED("Flagged as Sensitive"), REMOTE_FAILED, REASON_CONTENT, NULL },
        { "safety", FAILED("rejected by the SAFETY system"), REMOTE_FAILED, REASON_CONTENT, NULL },
        { "policy", FAILED("violates our Content Policy"), REMOTE_FAILED, REASON_CONTENT, NULL },
        { "any words", FAILED("list index out of range"), REMOTE_FAILED, REASON_FAILED, NULL },
        { "no words", "{\"status\":\"failed\",\"error\":null}", REMOTE_FAILED, REASON_FAILED, NULL },
        { "a new word", "{\"status\":\"dreaming\"}", REMOTE_RUNNING, REASON_NONE, "dreaming" },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = fg_starts(fg_str_c(row[i].body), FG_LIT("replicate/"))
                                   ? recorded(&w.cx, 200, row[i].body)
                                   : answer(200, row[i].body);
        struct poll_reply got = poll(&w.cx, &r);
        CHECK(got.understood && !got.again, row[i].why);
        CHECK_I64(got.state, row[i].state, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
        CHECK_STR(got.unknown_word, fg_str_c(row[i].unknown), row[i].why);
        CHECK(got.progress == -1 && got.queue_position == -1, "neither is reported");
        CHECK((got.state == REMOTE_DONE) == (got.output_url.p != NULL), row[i].why);
    }
    struct fetch_reply r = recorded(&w.cx, 200, "replicate/failed.json");
    CHECK(fg_starts(poll(&w.cx, &r).words, FG_LIT("failed: The input or output was flagged")),
          "in its words");
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
        int64_t after_ms;
    } row[] = {
        { "timeout", FETCH_UNKNOWN, 0, "", REASON_FAILED, 0 },
        { "5xx", FETCH_ANSWERED, 500, FAILED("x"), REASON_FAILED, 0 },
        { "throttled", FETCH_ANSWERED, 429, "{\"detail\":\"Your rate limit resets in ~30s.\"}", REASON_BUSY,
          30000 },
        { "token", FETCH_ANSWERED, 401, "", REASON_AUTH, 0 },
        { "money", FETCH_ANSWERED, 402, "", REASON_CREDIT, 0 },
        { "no status", FETCH_ANSWERED, 200, "{\"id\":\"p\"}", REASON_NONSENSE, 0 },
        { "status is a number", FETCH_ANSWERED, 200, "{\"status\":1}", REASON_NONSENSE, 0 },
        { "truncated", FETCH_ANSWERED, 200, "{\"status\":\"succe", REASON_NONSENSE, 0 },
        { "no object", FETCH_ANSWERED, 200, "[\"succeeded\"]", REASON_NONSENSE, 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        r.end = row[i].end;
        struct poll_reply got = poll(&w.cx, &r);
        CHECK(!got.understood, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
        CHECK_I64(got.poll_after_ms, row[i].after_ms, row[i].why);
    }
    struct fetch_reply r = answer(404, WITH_TITLE("Not found"));
    CHECK_I64(poll(&w.cx, &r).state, REMOTE_GONE, "unknown there");
    t_end(&w, 0);
}

TEST(the_output_has_many_shapes)
{
    static const struct {
        const char *why, *output, *url; /* url NULL: none */
        enum key_use key;
    } row[] = {
        { "a text", "\"https://replicate.delivery/a/out.mp4\"", "https://replicate.delivery/a/out.mp4",
          KEY_IF_REFUSED },
        { "a list", "[\"https://x.replicate.delivery/out.mp4\",\"https://x.replicate.delivery/2.mp4\"]",
          "https://x.replicate.delivery/out.mp4", KEY_IF_REFUSED },
        { "an object", "{\"seed\":7,\"video\":\"https://replicate.delivery/out.webm\"}",
          "https://replicate.delivery/out.webm", KEY_IF_REFUSED },
        { "a list in an object",
          "{\"frames\":[\"https://replicate.delivery/1.png\"],"
          "\"videos\":[\"https://replicate.delivery/1.mp4\"]}",
          "https://replicate.delivery/1.mp4", KEY_IF_REFUSED },
        { "the video and not its picture",
          "[\"https://replicate.delivery/a.png\",\"https://replicate.delivery/a.MOV\"]",
          "https://replicate.delivery/a.MOV", KEY_IF_REFUSED },
        { "a query does not count",
          "[\"https://replicate.delivery/a.png?b=.mp4\",\"https://replicate.delivery/a.mp4?c#d\"]",
          "https://replicate.delivery/a.mp4?c#d", KEY_IF_REFUSED },
        { "without any ending", "\"https://replicate.delivery/a/output\"",
          "https://replicate.delivery/a/output", KEY_IF_REFUSED },
        { "elsewhere, without the key", "\"https://files.example/out.mp4\"", "https://files.example/out.mp4",
          KEY_NEVER },
        { "nearly there", "\"https://evilreplicate.delivery/out.mp4\"",
          "https://evilreplicate.delivery/out.mp4", KEY_NEVER },
        { "behind a user", "\"https://replicate.delivery@evil.example/out.mp4\"",
          "https://replicate.delivery@evil.example/out.mp4", KEY_NEVER },
        { "in clear", "\"http://replicate.delivery/out.mp4\"", "http://replicate.delivery/out.mp4",
          KEY_NEVER },
        { "our own hosts decide nothing here", "\"https://api.replicate.com/v1/files/out.mp4\"",
          "https://api.replicate.com/v1/files/out.mp4", KEY_NEVER },
        { "no URL", "\"out.mp4\"", NULL, KEY_NEVER },
        { "another scheme", "[\"file:///etc/x.mp4\",\"data:video/mp4;base64,AAAA\"]", NULL, KEY_NEVER },
        { "numbers", "{\"a\":[1,true,null]}", NULL, KEY_NEVER },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r =
            answer(200, arena_fmt(w.cx.mem, "{\"status\":\"succeeded\",\"output\":%s}", row[i].output).p);
        struct poll_reply got = poll(&w.cx, &r);
        CHECK_I64(got.state, row[i].url ? REMOTE_DONE : REMOTE_FAILED, row[i].why);
        CHECK_STR(got.output_url, fg_str_c(row[i].url), row[i].why);
        CHECK_I64(got.output_key, row[i].key, row[i].why);
    }
    t_end(&w, 0);
}

/* ---- the rest ---- */

TEST(cancel_answers)
{
    static const struct {
        const char *file;
        int status;
        enum cancel_outcome want;
    } row[] = {
        { "replicate/canceled.json", 200, CANCEL_DONE },
        { "replicate/aborted.json", 200, CANCEL_DONE },
        { "replicate/starting.json", 200, CANCEL_ASKED },
        { "replicate/processing.json", 200, CANCEL_ASKED },
        { "replicate/succeeded.json", 200, CANCEL_TOO_LATE },
        { "replicate/removed.json", 200, CANCEL_TOO_LATE },
        { "replicate/failed.json", 200, CANCEL_TOO_LATE },
        { "replicate/throttled.json", 202, CANCEL_ASKED },
        { "replicate/canceled.json", 500, CANCEL_UNKNOWN },
        { "replicate/throttled.json", 429, CANCEL_UNKNOWN },
        { "replicate/invalid_version.json", 404, CANCEL_UNKNOWN },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = recorded(&w.cx, row[i].status, row[i].file);
        CHECK_I64(replicate->cancel_reply(&w.cx, &r), row[i].want, row[i].file);
    }
    struct fetch_reply r = { .end = FETCH_UNKNOWN };
    CHECK_I64(replicate->cancel_reply(&w.cx, &r), CANCEL_UNKNOWN, "no answer");
    t_end(&w, 0);
}

TEST(its_list_is_asked_by_time)
{
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    struct list_ask ask = { .model = FG_LIT("google/veo-3.1-fast"),
                            .since_us = w.cx.now_us,
                            .until_us = w.cx.now_us + 90 * FG_US_PER_S };
    CHECK_CODE(&w.cx, replicate->list_call(&w.cx, &site, &ask, &c), FG_OK);
    CHECK_IS(c.url,
             API "/predictions?created_after=2030-01-01T00%3A00%3A00.000Z"
                 "&created_before=2030-01-01T00%3A01%3A30.000Z",
             "the first page");
    CHECK_IS(c.secret.value, "Bearer r8_xxx", "with the key");
    ask.cursor = FG_LIT(API "/predictions?cursor=cD0yMDI2");
    CHECK_CODE(&w.cx, replicate->list_call(&w.cx, &site, &ask, &c), FG_OK);
    CHECK_STR(c.url, ask.cursor, "the next one, as it was given");
    ask.cursor = FG_LIT("https://evil.example/v1/predictions?cursor=cD0yMDI2");
    CHECK_CODE(&w.cx, replicate->list_call(&w.cx, &site, &ask, &c), FG_INVALID_REQUEST);
    t_end(&w, 0);
}

TEST(the_list_gives_rows)
{
    struct t_world w;
    struct list_ask ask = { .model = FG_LIT("us/kites:" VERSION) };
    struct list_reply got;
    t_begin(&w);
    struct fetch_reply r = recorded(&w.cx, 200, "replicate/list.json");
    replicate->list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(got.understood && got.n == 2, "two predictions");
    CHECK_IS(got.row[0].id, ID, "the id");
    CHECK_IS(got.row[0].links, API "/predictions/" ID "\n" API "/predictions/" ID "/cancel", "its links");
    CHECK_I64(got.row[0].created_us, w.cx.now_us + 10250 * FG_US_PER_MS, "when it was made");
    CHECK_IS(got.row[0].callback_url, "https://gw.example/cb/replicate/j_7Qx", "where it calls");
    CHECK_IS(got.row[0].model, "google/veo-3.1-fast", "its model");
    CHECK_IS(got.row[0].prompt, "a red kite over dunes", "from its input");
    CHECK(got.row[0].has_seed && got.row[0].seed == 42 && got.row[0].duration_s == 8, "from its input");
    CHECK_STR(got.row[1].model, ask.model, "a pinned version goes by the name that we know");
    CHECK(!got.row[1].callback_url.p && !got.row[1].has_seed && got.row[1].duration_s == 0, "not told");
    CHECK(got.more && got.whole, "more to come; with all pages it is all");
    CHECK_IS(got.cursor, API "/predictions?cursor=cD0yMDI2", "from here");
    t_end(&w, 0);
}

TEST(other_lists)
{
    static const struct {
        const char *why;
        int status;
        const char *body;
        bool understood;
        size_t n;
        bool more, whole;
    } row[] = {
        { "the last page", 200, "{\"next\":null,\"results\":[{\"id\":\"p\"}]}", true, 1, false, true },
        { "empty", 200, "{\"results\":[]}", true, 0, false, true },
        { "it goes on elsewhere", 200, "{\"next\":\"https://evil.example/v1/predictions\",\"results\":[]}",
          true, 0, false, false },
        { "or in clear", 200, "{\"next\":\"http://api.replicate.com/v1/predictions\",\"results\":[]}", true,
          0, false, false },
        { "or as a path", 200, "{\"next\":\"/v1/predictions?cursor=a\",\"results\":[]}", true, 0, false,
          false },
        { "a row that lost its input", 200,
          "{\"results\":[{\"id\":\"p\",\"input\":{},\"data_removed\":true},{\"id\":\"q\",\"data_removed\":"
          "false}]}",
          true, 2, false, false },
        { "unusable ids", 200, "{\"results\":[{\"id\":\"..\"},{\"id\":1},{},7]}", true, 0, false, true },
        { "no list in it", 200, "{\"results\":{}}", false, 0, false, false },
        { "no JSON", 200, "<html>", false, 0, false, false },
        { "throttled", 429, "{\"results\":[]}", false, 0, false, false },
        { "5xx", 500, "{\"results\":[]}", false, 0, false, false },
    };
    struct t_world w;
    struct list_ask ask = { .model = FG_LIT("google/veo-3.1-fast") };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        struct list_reply got;
        replicate->list_reply(&w.cx, &site, &ask, &r, &got);
        CHECK_I64(got.understood, row[i].understood, row[i].why);
        CHECK_I64(got.n, row[i].n, row[i].why);
        CHECK_I64(got.more, row[i].more, row[i].why);
        CHECK_I64(got.whole, row[i].whole, row[i].why);
    }
    t_end(&w, 0);
}

TEST(a_page_has_its_bounds)
{
    struct t_world w;
    struct list_ask ask = { .model = FG_LIT("google/veo-3.1-fast") };
    struct list_reply got;
    t_begin(&w);
    struct sb b = sb_in(w.cx.mem, 64 * FG_KIB);
    sb_add(&b, FG_LIT("{\"results\":[{\"id\":\"p\"}"));
    for (int i = 0; i < PROVIDER_ROWS_MAX; i++)
        sb_add(&b, FG_LIT(",{\"id\":\"p\"}"));
    sb_add(&b, FG_LIT("]}"));
    struct fetch_reply r = answer(200, sb_cstr(&b));
    replicate->list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK_I64(got.n, PROVIDER_ROWS_MAX, "no more than that");
    CHECK(!got.whole, "and so it is not all");
    t_end(&w, 0);
}

TEST(callbacks_are_predictions)
{
    static const struct {
        const char *why, *body; /* or a file */
        enum fg_code want;
        bool understood;
        enum remote_state state;
        enum remote_reason reason;
    } row[] = {
        { "started", "replicate/processing.json", FG_OK, true, REMOTE_RUNNING, REASON_NONE },
        { "completed", "replicate/succeeded.json", FG_OK, true, REMOTE_DONE, REASON_NONE },
        { "failed", "replicate/failed.json", FG_OK, true, REMOTE_FAILED, REASON_CONTENT },
        { "canceled", "replicate/canceled.json", FG_OK, true, REMOTE_FAILED, REASON_CANCELED },
        { "no status", "{\"id\":\"" ID "\"}", FG_OK, false, REMOTE_QUEUED, REASON_NONSENSE },
        { "no id", "{\"status\":\"starting\"}", FG_INVALID_REQUEST, false, 0, 0 },
        { "bad id", "{\"id\":\"a/../b\",\"status\":\"starting\"}", FG_INVALID_REQUEST, false, 0, 0 },
        { "an array", "[]", FG_INVALID_REQUEST, false, 0, 0 },
        { "no JSON", "{'id':1}", FG_INVALID_JSON, false, 0, 0 },
        { "nothing", "", FG_INVALID_JSON, false, 0, 0 },
    };
    struct t_world w;
    struct callback_headers h = { .webhook_id = FG_LIT("msg_1") };
    struct callback_note got;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str body = fg_str_c(row[i].body);
        if (fg_starts(body, FG_LIT("replicate/")))
            body = recorded(&w.cx, 0, row[i].body).body;
        got = (struct callback_note){ 0 };
        CHECK_CODE(&w.cx, replicate->callback_read(&w.cx, &h, body, &got), row[i].want);
        CHECK_STR(got.remote_id, row[i].want == FG_OK ? FG_LIT(ID) : FG_NONE, row[i].why);
        CHECK_STR(got.event_id, row[i].want == FG_OK ? FG_LIT("msg_1") : FG_NONE, row[i].why);
        CHECK_I64(got.news.understood, row[i].understood, row[i].why);
        CHECK_I64(got.news.state, row[i].state, row[i].why);
        CHECK_I64(got.news.reason, row[i].reason, row[i].why);
    }
    h.webhook_id = FG_NONE;
    CHECK_CODE(&w.cx,
               replicate->callback_read(&w.cx, &h, FG_LIT("{\"id\":\"p\",\"status\":\"starting\"}"), &got),
               FG_OK);
    CHECK(!got.event_id.p, "no header, no event id");
    t_end(&w, 0);
}
