/* Google's Veo: the fact sheet's examples as rows, every code, what its webhook says. */
#include "adapter_kit.h"
#include "provider/adapter.h"

#define HOST "https://generativelanguage.googleapis.com"
#define FILE_URI HOST "/v1beta/files/xyz:download?alt=media"
#define OPERATION "models/veo-3.1-generate-preview/operations/abc123xyz"

static const struct provider *const veo = &provider_veo;
static const struct provider_site site = {
    .name = { "veo", 3 },
    .base_url = { HOST "/v1beta", sizeof HOST "/v1beta" - 1 },
    .key = { "AIza-secret", 11 },
};
static const struct remote_ref ref = { .id = { OPERATION, sizeof OPERATION - 1 } };

static struct poll_reply poll(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct poll_reply got;
    veo->poll_reply(cx, &site, &ref, 0, FG_NONE, r, &got);
    return got;
}

static struct submit_reply submit(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct submit_reply got;
    veo->submit_reply(cx, &site, r, &got);
    return got;
}

TEST(it_is_found_and_what_it_can_do_is_said)
{
    CHECK(provider_by_name(FG_LIT("veo")) == veo, "by its name");
    CHECK_I64(veo->verify, VERIFY_GOOGLE, "a token signed by Google");
    CHECK_I64(veo->image_by, IMAGE_BY_BYTES, "it fetches nothing");
    CHECK(!veo->cancel_when && !veo->cancel_call, "it cannot be asked to stop");
    CHECK(!veo->list_call && !veo->list_reply, "operations do not repeat what they are about");
    CHECK(!veo->no_key, "a key it must be");
}

TEST(the_recorded_request)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { 0 };
    struct gen_spec spec = kite("veo-3.1-generate-preview", &wire);
    t_begin(&w);
    spec.callback_url = FG_LIT("https://gw.example/cb/veo");
    CHECK_CODE(&w.cx, veo->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "POST", "a submit");
    CHECK_IS(c.url, HOST "/v1beta/models/veo-3.1-generate-preview:predictLongRunning", "the model's verb");
    CHECK_IS(c.body,
             "{\"instances\":[{\"prompt\":\"a red kite over dunes\"}],"
             "\"parameters\":{\"aspectRatio\":\"16:9\",\"durationSeconds\":8,\"resolution\":\"720p\","
             "\"sampleCount\":1},"
             "\"webhookConfig\":{\"uris\":[\"https://gw.example/cb/veo\"],\"userMetadata\":"
             "{\"filmgate_ref\":\"5b1c1a0e-3c0f-4a53-9f0e-2f7f1f1b2c3d\"}}}",
             "as documented");
    CHECK_IS(c.secret.name, "x-goog-api-key", "the key is the secret header");
    CHECK_IS(c.secret.value, "AIza-secret", "and not in the URL, which is logged");
    CHECK_IS(header_of(&c, FG_LIT("Content-Type")), "application/json", "JSON");
    CHECK(c.once, "it costs money: never repeated by the transport");
    t_end(&w, 0);
}

TEST(pictures_go_along_as_bytes)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { 0 };
    struct gen_spec spec = kite("veo/../x", &wire);
    t_begin(&w);
    wire.fixed = parsed(&w.cx, "{\"personGeneration\":\"allow_adult\",\"enhancePrompt\":true}");
    wire.param[PARAM_NEGATIVE] = (struct spelling){ .name = FG_LIT("negativePrompt") };
    wire.param[PARAM_SEED] = (struct spelling){ .name = FG_LIT("seed"), .as = SPELL_NUMBER };
    wire.param[PARAM_RESOLUTION] =
        (struct spelling){ .name = FG_LIT("resolution"), .values = parsed(&w.cx, "{\"2160p\":\"4k\"}") };
    spec.aspect_ratio = FG_NONE;
    spec.resolution = FG_LIT("2160p");
    spec.negative = FG_LIT("rain");
    spec.has_seed = true;
    spec.seed = 7;
    spec.image_url = FG_LIT("https://gw.example/in/1.png");
    spec.image_bytes = FG_LIT("\x89PNG\0x");
    spec.image_type = FG_LIT("image/png");
    CHECK_CODE(&w.cx, veo->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.url, HOST "/v1beta/models/veo%2F..%2Fx:predictLongRunning", "a model is one segment");
    CHECK_IS(c.body,
             "{\"instances\":[{\"prompt\":\"a red kite over dunes\","
             "\"image\":{\"bytesBase64Encoded\":\"iVBORwB4\",\"mimeType\":\"image/png\"}}],"
             "\"parameters\":{\"durationSeconds\":8,\"resolution\":\"4k\",\"sampleCount\":1,\"seed\":7,"
             "\"negativePrompt\":\"rain\",\"personGeneration\":\"allow_adult\",\"enhancePrompt\":true}}",
             "the picture, and the fixed members among the parameters");

    spec.image_bytes = FG_NONE;
    CHECK_CODE(&w.cx, veo->submit_call(&w.cx, &site, &spec, &c), FG_INVALID_REQUEST);
    spec.image_bytes = (struct fg_str){ calloc(1, 19 * FG_MIB), 19 * FG_MIB };
    CHECK_CODE(&w.cx, veo->submit_call(&w.cx, &site, &spec, &c), FG_TOO_LARGE);
    free((void *)(uintptr_t)spec.image_bytes.p);
    t_end(&w, 0);
}

TEST(an_operation_is_a_path)
{
    static const struct {
        const char *id, *path; /* path NULL: refused */
    } row[] = {
        { OPERATION, OPERATION },
        { "operations/a", "operations/a" },
        { "models/m:x/operations/a?b#c", "models/m%3Ax/operations/a%3Fb%23c" },
        { "models/%2e%2e/operations/a", "models/%252e%252e/operations/a" },
        { "models/../files/a", NULL },
        { "./a", NULL },
        { "/models/a", NULL },
        { "models//a", NULL },
        { "models/a/", NULL },
        { "/", NULL },
        { "models/a b", NULL },
        { "models/a\nb", NULL },
        { "", NULL },
    };
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct remote_ref of = { .id = fg_str_c(row[i].id) };
        struct sb url = sb_in(w.cx.mem, 200), body = sb_in(w.cx.mem, 200);
        struct jw name = jw_on(&body);
        CHECK_CODE(&w.cx, veo->poll_call(&w.cx, &site, &of, 0, FG_NONE, &c),
                   row[i].path ? FG_OK : FG_INVALID_REQUEST);
        sb_addf(&url, HOST "/v1beta/%s", row[i].path ? row[i].path : "");
        if (row[i].path)
            CHECK_STR(c.url, sb_str(&url), row[i].id);
        jw_open(&name, NULL);
        jw_str(&name, "name", of.id);
        jw_close(&name);
        struct fetch_reply r = answer(200, sb_cstr(&body));
        CHECK_I64(submit(&w.cx, &r).outcome, row[i].path ? SUBMIT_ACCEPTED : SUBMIT_UNKNOWN, row[i].id);
    }
    CHECK_CODE(&w.cx, veo->poll_call(&w.cx, &site, &ref, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "GET", "it is read");
    CHECK_IS(c.secret.value, "AIza-secret", "with the key");
    CHECK(!c.once && !c.body.p, "and may be read again");
    t_end(&w, 0);
}

#define ERROR(status, message) \
    "{\"error\":{\"code\":1000,\"message\":\"" message "\",\"status\":\"" status "\"}}"
#define WITH(details)                                                                                       \
    "{\"error\":{\"code\":429,\"message\":\"Wait.\",\"status\":\"RESOURCE_EXHAUSTED\",\"details\":" details \
    "}}"
#define RETRY(delay) WITH("[{\"retryDelay\":" delay "}]")

TEST(what_a_submit_comes_to)
{
    static const struct {
        const char *why;
        int status;
        const char *body, *retry_after;
        enum submit_outcome outcome;
        enum remote_reason reason;
        int64_t retry_after_s;
    } row[] = {
        { "no name", 200, "{\"done\":false}", NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "a number", 200, "{\"name\":7}", NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "no JSON", 200, "<html>", NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "invalid", 400, ERROR("INVALID_ARGUMENT", "Bad ratio."), NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "region", 400, ERROR("FAILED_PRECONDITION", "Not here."), NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "safety", 400, ERROR("INVALID_ARGUMENT", "Blocked by SAFETY filters."), NULL, SUBMIT_REFUSED,
          REASON_CONTENT, 0 },
        { "a support code", 400, ERROR("INVALID_ARGUMENT", "No. (17301594)"), NULL, SUBMIT_REFUSED,
          REASON_CONTENT, 0 },
        { "guidelines", 400, ERROR("", "It violates our usage guidelines."), NULL, SUBMIT_REFUSED,
          REASON_CONTENT, 0 },
        { "key", 401, ERROR("UNAUTHENTICATED", "AIza-secret"), NULL, SUBMIT_REFUSED, REASON_AUTH, 0 },
        { "permission", 403, ERROR("PERMISSION_DENIED", "Not safety."), NULL, SUBMIT_REFUSED, REASON_AUTH,
          0 },
        { "model", 404, ERROR("NOT_FOUND", "No such model."), NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "no body", 404, "", NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "busy", 429, ERROR("RESOURCE_EXHAUSTED", "Wait."), NULL, SUBMIT_NOT_SENT, REASON_BUSY, 0 },
        { "busy, no body", 429, "", "3", SUBMIT_NOT_SENT, REASON_BUSY, 3 },
        { "safe words do not count", 429, ERROR("RESOURCE_EXHAUSTED", "safety"), NULL, SUBMIT_NOT_SENT,
          REASON_BUSY, 0 },
        { "the longer counts", 429, RETRY("\"22s\""), "3", SUBMIT_NOT_SENT, REASON_BUSY, 22 },
        { "the longer counts", 429, RETRY("\"22s\""), "30", SUBMIT_NOT_SENT, REASON_BUSY, 30 },
        { "up", 429, RETRY("\"0.25s\""), NULL, SUBMIT_NOT_SENT, REASON_BUSY, 1 },
        { "up", 429, RETRY("\"21.000000001s\""), NULL, SUBMIT_NOT_SENT, REASON_BUSY, 22 },
        { "no unit", 429, RETRY("\"22\""), NULL, SUBMIT_NOT_SENT, REASON_BUSY, 0 },
        { "another", 429, RETRY("\"22m\""), NULL, SUBMIT_NOT_SENT, REASON_BUSY, 0 },
        { "negative", 429, RETRY("\"-22s\""), NULL, SUBMIT_NOT_SENT, REASON_BUSY, 0 },
        { "for life", 429, RETRY("\"99999999999999999999s\""), NULL, SUBMIT_NOT_SENT, REASON_BUSY, 0 },
        { "a number", 429, RETRY("22"), NULL, SUBMIT_NOT_SENT, REASON_BUSY, 0 },
        { "no list", 429, WITH("{\"retryDelay\":\"22s\"}"), NULL, SUBMIT_NOT_SENT, REASON_BUSY, 0 },
        { "odd details", 429,
          WITH("[null,7,[],{\"violations\":{\"quotaId\":\"PerDay\"}},{\"violations\":[1,{}]}]"), NULL,
          SUBMIT_NOT_SENT, REASON_BUSY, 0 },
        { "a quota of something else", 400,
          "{\"error\":{\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"violations\":[{\"quotaId\":\"PerDay\"}]}]}}",
          NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "internal", 500, ERROR("INTERNAL", "safety"), NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
        { "away", 503, ERROR("UNAVAILABLE", "Overloaded."), "5", SUBMIT_UNKNOWN, REASON_FAILED, 0 },
        { "late", 504, ERROR("DEADLINE_EXCEEDED", "Late."), NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        if (row[i].retry_after)
            add_header(&r, "retry-after", row[i].retry_after);
        struct submit_reply got = submit(&w.cx, &r);
        CHECK_I64(got.outcome, row[i].outcome, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
        CHECK_I64(got.retry_after_s, row[i].retry_after_s, row[i].why);
        CHECK(got.words.n && !got.id.p, row[i].why);
        struct sb words = sb_in(w.cx.mem, 300);
        sb_add(&words, got.words);
        CHECK(!strstr(sb_cstr(&words), "AIza-secret"), "the key is not told");
    }
    t_end(&w, 0);
}

TEST(the_recorded_answers_to_a_submit)
{
    static const struct {
        const char *file;
        int status;
        enum submit_outcome outcome;
        enum remote_reason reason;
        int64_t retry_after_s;
    } row[] = {
        { "veo/submitted.json", 200, SUBMIT_ACCEPTED, REASON_NONE, 0 },
        { "veo/exhausted.json", 429, SUBMIT_NOT_SENT, REASON_BUSY, 22 },
        { "veo/exhausted_day.json", 429, SUBMIT_REFUSED, REASON_PARK, 0 },
        { "veo/bad_key.json", 400, SUBMIT_REFUSED, REASON_AUTH, 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = recorded(&w.cx, row[i].status, row[i].file);
        struct submit_reply got = submit(&w.cx, &r);
        CHECK_I64(got.outcome, row[i].outcome, row[i].file);
        CHECK_I64(got.reason, row[i].reason, row[i].file);
        CHECK_I64(got.retry_after_s, row[i].retry_after_s, row[i].file);
        CHECK_I64(got.park_s, 0, "the delay is of the minute's quota, not of the day's");
        CHECK_STR(got.id, got.outcome == SUBMIT_ACCEPTED ? ref.id : FG_NONE, row[i].file);
    }
    for (int end = FETCH_NOT_SENT; end <= FETCH_LOCAL_IO; end++) {
        struct fetch_reply r = { .end = (enum fetch_end)end, .words = FG_LIT("gone") };
        bool sent = end != FETCH_NOT_SENT && end != FETCH_REFUSED;
        CHECK_I64(submit(&w.cx, &r).outcome, sent ? SUBMIT_UNKNOWN : SUBMIT_NOT_SENT, "no answer");
    }
    t_end(&w, 0);
}

TEST(the_recorded_answers_to_a_poll)
{
    static const struct {
        const char *file;
        enum remote_state state;
        enum remote_reason reason;
        const char *url;
    } row[] = {
        { "veo/submitted.json", REMOTE_RUNNING, REASON_NONE, NULL },
        { "veo/done.json", REMOTE_DONE, REASON_NONE, FILE_URI },
        { "veo/failed.json", REMOTE_FAILED, REASON_REFUSED, NULL },
        { "veo/filtered.json", REMOTE_FAILED, REASON_CONTENT_OUT, NULL },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = recorded(&w.cx, 200, row[i].file);
        struct poll_reply got = poll(&w.cx, &r);
        CHECK(got.understood && !got.again && !got.charged, row[i].file);
        CHECK_I64(got.state, row[i].state, row[i].file);
        CHECK_I64(got.reason, row[i].reason, row[i].file);
        CHECK_STR(got.output_url, fg_str_c(row[i].url), row[i].file);
        CHECK_I64(got.output_key, row[i].url ? KEY_ALWAYS : KEY_NEVER, "its own host wants the key");
        CHECK(got.progress == -1 && got.queue_position == -1, "it tells neither");
        CHECK(got.state != REMOTE_FAILED || got.words.n, "it says why");
    }
    t_end(&w, 0);
}

#define SAMPLE(uri)                                                                                          \
    "{\"done\":true,\"response\":{\"generateVideoResponse\":{\"generatedSamples\":[{\"video\":{\"uri\":" uri \
    "}}]}}}"

TEST(only_its_own_host_sees_the_key)
{
    static const struct {
        const char *uri;
        enum key_use key;
    } row[] = {
        { FILE_URI, KEY_ALWAYS },
        { "https://storage.example/files/xyz", KEY_NEVER },
        { "http://generativelanguage.googleapis.com/files/xyz", KEY_NEVER },
        { "https://generativelanguage.googleapis.com.evil.example/files/xyz", KEY_NEVER },
        { "https://generativelanguage.googleapis.com@evil.example/files/xyz", KEY_NEVER },
        { "https://evil.example/?" HOST, KEY_NEVER },
        { "gs://bucket/file", KEY_NEVER },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(200, arena_fmt(w.cx.mem, SAMPLE("\"%s\""), row[i].uri).p);
        struct poll_reply got = poll(&w.cx, &r);
        CHECK_I64(got.state, REMOTE_DONE, row[i].uri);
        CHECK_STR(got.output_url, fg_str_c(row[i].uri), row[i].uri);
        CHECK_I64(got.output_key, row[i].key, row[i].uri);
    }
    t_end(&w, 0);
}

#define FAILED(error) "{\"name\":\"operations/a\",\"done\":true,\"error\":" error "}"
#define CODE(number, message) FAILED("{\"code\":" number ",\"message\":\"" message "\"}")

TEST(answers_that_end_otherwise)
{
    static const struct {
        const char *why, *body;
        bool understood;
        enum remote_state state;
        enum remote_reason reason;
    } row[] = {
        { "not done", "{\"name\":\"operations/a\",\"done\":false}", true, REMOTE_RUNNING, REASON_NONE },
        { "not done, whatever else", "{\"name\":\"operations/a\",\"response\":{},\"error\":{}}", true,
          REMOTE_RUNNING, REASON_NONE },
        { "invalid", CODE("3", "No."), true, REMOTE_FAILED, REASON_REFUSED },
        { "invalid for safety", CODE("3", "Responsible AI practices."), true, REMOTE_FAILED, REASON_CONTENT },
        { "late", CODE("4", "No."), true, REMOTE_FAILED, REASON_FAILED },
        { "not found", CODE("5", "No."), true, REMOTE_FAILED, REASON_REFUSED },
        { "permission", CODE("7", "No."), true, REMOTE_FAILED, REASON_AUTH },
        { "quota", CODE("8", "No."), true, REMOTE_FAILED, REASON_BUSY },
        { "precondition", CODE("9", "No."), true, REMOTE_FAILED, REASON_REFUSED },
        { "internal", CODE("13", "No."), true, REMOTE_FAILED, REASON_FAILED },
        { "internal, with a code", CODE("13", "Support codes: 1"), true, REMOTE_FAILED, REASON_CONTENT },
        { "away", CODE("14", "No."), true, REMOTE_FAILED, REASON_FAILED },
        { "key", CODE("16", "No."), true, REMOTE_FAILED, REASON_AUTH },
        { "unknown", CODE("99", "No."), true, REMOTE_FAILED, REASON_FAILED },
        { "a text for a code", CODE("\"3\"", "No."), true, REMOTE_FAILED, REASON_FAILED },
        { "nothing in it", FAILED("{}"), true, REMOTE_FAILED, REASON_FAILED },
        { "no samples", "{\"done\":true,\"response\":{\"generateVideoResponse\":{\"generatedSamples\":[]}}}",
          true, REMOTE_FAILED, REASON_CONTENT_OUT },
        { "nor an answer", "{\"done\":true,\"response\":{}}", true, REMOTE_FAILED, REASON_CONTENT_OUT },
        { "no response", "{\"done\":true}", true, REMOTE_FAILED, REASON_NONSENSE },
        { "a text for it", "{\"done\":true,\"response\":\"x\",\"error\":\"y\"}", true, REMOTE_FAILED,
          REASON_NONSENSE },
        { "no uri", SAMPLE("null"), true, REMOTE_FAILED, REASON_NONSENSE },
        { "an empty one", SAMPLE("\"\""), true, REMOTE_FAILED, REASON_NONSENSE },
        { "a text for done", "{\"name\":\"operations/a\",\"done\":\"true\"}", false, 0, REASON_NONSENSE },
        { "null", "{\"name\":\"operations/a\",\"done\":null}", false, 0, REASON_NONSENSE },
        { "neither", "{}", false, 0, REASON_NONSENSE },
        { "a list", "[true]", false, 0, REASON_NONSENSE },
        { "no JSON", "done", false, 0, REASON_NONSENSE },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(200, row[i].body);
        struct poll_reply got = poll(&w.cx, &r);
        CHECK_I64(got.understood, row[i].understood, row[i].why);
        CHECK_I64(got.state, row[i].state, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
        CHECK(!got.output_url.p, row[i].why);
    }
    t_end(&w, 0);
}

TEST(polls_that_fail)
{
    static const struct {
        int status;
        const char *body;
        bool understood;
        enum remote_reason reason;
        int64_t poll_after_ms;
    } row[] = {
        { 400, ERROR("INVALID_ARGUMENT", "No."), false, REASON_REFUSED, 0 },
        { 401, ERROR("UNAUTHENTICATED", "No."), false, REASON_AUTH, 0 },
        { 403, "", false, REASON_AUTH, 0 },
        { 404, ERROR("NOT_FOUND", "No."), true, REASON_NONE, 0 },
        { 429, RETRY("\"22s\""), false, REASON_BUSY, 22000 },
        { 500, ERROR("INTERNAL", "No."), false, REASON_FAILED, 0 },
        { 503, ERROR("UNAVAILABLE", "No."), false, REASON_FAILED, 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        struct poll_reply got = poll(&w.cx, &r);
        CHECK_I64(got.understood, row[i].understood, row[i].body);
        CHECK_I64(got.reason, row[i].reason, row[i].body);
        CHECK_I64(got.poll_after_ms, row[i].poll_after_ms, row[i].body);
        CHECK(!got.understood || got.state == REMOTE_GONE, "it knows it no more");
    }
    for (int end = FETCH_NOT_SENT; end <= FETCH_LOCAL_IO; end++) {
        struct fetch_reply r = { .end = (enum fetch_end)end, .words = FG_LIT("gone") };
        CHECK(!poll(&w.cx, &r).understood, "no answer, no news");
    }
    t_end(&w, 0);
}

TEST(callbacks_are_read)
{
    static const struct {
        const char *why, *body;
        enum fg_code want;
        const char *id;
        bool done;
    } row[] = {
        { "done", "{\"type\":\"video.generated\",\"data\":{\"id\":\"" OPERATION "\"}}", FG_OK, OPERATION,
          true },
        { "what may come one day", "{\"type\":\"video.failed\",\"data\":{\"id\":\"operations/a\"}}", FG_OK,
          "operations/a", false },
        { "of something else", "{\"type\":\"batch.succeeded\",\"data\":{\"id\":\"batches/1\"}}", FG_OK, NULL,
          false },
        { "no type", "{\"data\":{\"id\":\"operations/a\"}}", FG_INVALID_REQUEST, NULL, false },
        { "a number", "{\"type\":1}", FG_INVALID_REQUEST, NULL, false },
        { "no data", "{\"type\":\"video.generated\"}", FG_INVALID_REQUEST, NULL, false },
        { "no path", "{\"type\":\"video.generated\",\"data\":{\"id\":\"models/../x\"}}", FG_INVALID_REQUEST,
          NULL, false },
        { "a list", "[]", FG_INVALID_REQUEST, NULL, false },
        { "half", "{\"type\":\"video.generated\"", FG_INVALID_JSON, NULL, false },
        { "nothing", "", FG_INVALID_JSON, NULL, false },
    };
    struct t_world w;
    struct callback_headers h = { .webhook_id = FG_LIT("msg_1") };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct callback_note got = { 0 };
        CHECK_CODE(&w.cx, veo->callback_read(&w.cx, &h, fg_str_c(row[i].body), &got), row[i].want);
        CHECK_STR(got.remote_id, fg_str_c(row[i].id), row[i].why);
        CHECK_I64(got.news.understood, row[i].done, row[i].why);
        if (row[i].want == FG_OK)
            CHECK_IS(got.event_id, "msg_1", row[i].why);
        if (row[i].done)
            CHECK_I64(got.news.state, REMOTE_DONE, row[i].why);
    }
    t_end(&w, 0);
}

TEST(the_recorded_callback)
{
    struct t_world w;
    struct callback_headers none = { 0 };
    struct callback_note got;
    t_begin(&w);
    struct fg_str body = recorded(&w.cx, 200, "veo/callback.json").body;
    CHECK_CODE(&w.cx, veo->callback_read(&w.cx, &none, body, &got), FG_OK);
    CHECK_STR(got.remote_id, ref.id, "the operation's name");
    CHECK(!got.event_id.p && !got.token.p && !got.answer.p,
          "no header, no event id; our token is in the path");
    CHECK(got.news.understood && got.news.state == REMOTE_DONE, "it tells of success alone");
    CHECK(!got.news.output_url.p, "where the file is, the operation says");
    t_end(&w, 0);
}

TEST(half_an_answer_is_none)
{
    static const char *const file[] = { "veo/submitted.json", "veo/done.json", "veo/filtered.json" };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(file); i++) {
        struct fetch_reply r = recorded(&w.cx, 200, file[i]);
        for (size_t n = r.body.n - 2; n > 0; n--) { /* the last byte is a line feed */
            r.body.n = n;
            CHECK_I64(submit(&w.cx, &r).outcome, SUBMIT_UNKNOWN, file[i]);
            CHECK(!poll(&w.cx, &r).understood, file[i]);
        }
    }
    t_end(&w, 0);
}
