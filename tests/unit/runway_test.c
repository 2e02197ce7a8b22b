/* Runway: the fact sheet's examples as rows, every status word, failure code and HTTP status. */
#include "adapter_kit.h"
#include "provider/adapter.h"

#define TASK "17f20503-6c24-4c16-946b-35dbbce2af2f"

static const struct provider *const runway = &provider_runway;
static const struct provider_site site = {
    .name = { "runway", 6 },
    .base_url = { "https://api.dev.runwayml.com", 28 },
    .key = { "key_xxx", 7 },
};
static const struct remote_ref ref = { .id = { TASK, sizeof TASK - 1 } };

static struct poll_reply poll(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct poll_reply got;
    runway->poll_reply(cx, &site, &ref, 0, FG_NONE, r, &got);
    return got;
}

static struct submit_reply submit(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct submit_reply got;
    runway->submit_reply(cx, &site, r, &got);
    return got;
}

static void pixels(struct fg_ctx *cx, struct gen_wire *wire)
{
    wire->param[PARAM_RATIO] =
        (struct spelling){ .name = FG_LIT("ratio"),
                           .values = parsed(cx, "{\"16:9\":\"1280:720\",\"9:16\":\"720:1280\"}") };
    wire->param[PARAM_SEED] = (struct spelling){ .name = FG_LIT("seed"), .as = SPELL_NUMBER };
}

TEST(it_is_found_and_what_it_can_do_is_said)
{
    CHECK(provider_by_name(FG_LIT("runway")) == runway, "by its name");
    CHECK_I64(runway->verify, VERIFY_NONE, "nothing comes by itself");
    CHECK(!runway->callback_read && !runway->list_call && !runway->list_reply, "no callbacks, no list");
    CHECK_I64(runway->cancel_when, CANCEL_WHEN_QUEUED | CANCEL_WHEN_RUNNING, "both can be cancelled");
    CHECK(runway->cancel_deletes, "and a finished one would be deleted");
    CHECK(!runway->no_key, "a key it must be");
}

TEST(the_recorded_request)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { 0 };
    struct gen_spec spec = kite("gen4_turbo", &wire);
    t_begin(&w);
    pixels(&w.cx, &wire);
    spec.prompt = FG_LIT("slow dolly in");
    spec.image_url = FG_LIT("https://gw.example/in/1.png");
    spec.duration_s = 5;
    spec.has_seed = true;
    spec.seed = 42;
    CHECK_CODE(&w.cx, runway->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "POST", "a submit");
    CHECK_IS(c.url, "https://api.dev.runwayml.com/v1/image_to_video", "with a picture");
    CHECK_IS(c.body,
             "{\"model\":\"gen4_turbo\",\"promptText\":\"slow dolly in\",\"promptImage\":"
             "\"https://gw.example/in/1.png\",\"ratio\":\"1280:720\",\"duration\":5,\"seed\":42}",
             "as documented");
    CHECK_IS(header_of(&c, FG_LIT("X-Runway-Version")), "2024-11-06", "its version");
    CHECK_IS(header_of(&c, FG_LIT("Content-Type")), "application/json", "JSON");
    CHECK_IS(c.secret.name, "Authorization", "the key is the secret header");
    CHECK_IS(c.secret.value, "Bearer key_xxx", "as a bearer");
    CHECK(c.once, "it costs money: never repeated by the transport");
    t_end(&w, 0);
}

TEST(text_alone_and_a_partners_model)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { 0 };
    struct gen_spec spec = kite("veo3.1", &wire);
    t_begin(&w);
    pixels(&w.cx, &wire);
    spec.has_seed = true;
    spec.audio = AUDIO_OFF;
    spec.negative = FG_LIT("rain");
    CHECK_CODE(&w.cx, runway->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.url, "https://api.dev.runwayml.com/v1/text_to_video", "without a picture");
    CHECK_IS(c.body,
             "{\"model\":\"veo3.1\",\"promptText\":\"a red kite over dunes\",\"ratio\":\"1280:720\","
             "\"duration\":8,\"seed\":0}",
             "nothing that the catalogue does not name");

    wire = (struct gen_wire){ .fixed = parsed(&w.cx, "{\"outputFormat\":\"mp4\",\"contentModeration\":"
                                                     "{\"publicFigureThreshold\":\"auto\"},\"x\":1}") };
    wire.param[PARAM_RESOLUTION] =
        (struct spelling){ .name = FG_LIT("resolution"), .values = parsed(&w.cx, "{\"720p\":\"768p\"}") };
    wire.param[PARAM_AUDIO] = (struct spelling){ .name = FG_LIT("audio"), .as = SPELL_BOOL };
    wire.param[PARAM_NEGATIVE] = (struct spelling){ .name = FG_LIT("negativePrompt") };
    spec.model = FG_LIT("hailuo3");
    CHECK_CODE(&w.cx, runway->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(
        c.body,
        "{\"model\":\"hailuo3\",\"promptText\":\"a red kite over dunes\",\"ratio\":\"16:9\",\"duration\":8,"
        "\"resolution\":\"768p\",\"audio\":false,\"negativePrompt\":\"rain\",\"outputFormat\":\"mp4\","
        "\"contentModeration\":{\"publicFigureThreshold\":\"auto\"},\"x\":1}",
        "a real ratio, a resolution of its own, all fixed members");

    spec.image_url = FG_LIT("https://gw.example/in/1.png");
    spec.aspect_ratio = FG_NONE;
    spec.prompt = FG_LIT("");
    wire = (struct gen_wire){ 0 };
    CHECK_CODE(&w.cx, runway->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.body, "{\"model\":\"hailuo3\",\"promptImage\":\"https://gw.example/in/1.png\",\"duration\":8}",
             "the picture may say it all");
    t_end(&w, 0);
}

/* "x" or a clapper board, n times. */
static struct fg_str repeated(struct fg_ctx *cx, const char *s, size_t n)
{
    struct sb b = sb_in(cx->mem, 8000);
    while (n--)
        sb_add(&b, fg_str_c(s));
    CHECK(!b.bad, "room for it");
    return sb_str(&b);
}

TEST(a_prompt_is_counted_in_utf16_units)
{
    static const struct {
        const char *why, *of;
        size_t n;
        enum fg_code want;
    } row[] = {
        { "a thousand", "x", 1000, FG_OK },
        { "one too many", "x", 1001, FG_INVALID_REQUEST },
        { "three bytes are one unit", "\xe2\x82\xac", 1000, FG_OK },
        { "beyond the first plane they are two", "\xf0\x9f\x8e\xac", 500, FG_OK },
        { "501 of those are too many", "\xf0\x9f\x8e\xac", 501, FG_INVALID_REQUEST },
    };
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { 0 };
    struct gen_spec spec = kite("gen4.5", &wire);
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        spec.prompt = repeated(&w.cx, row[i].of, row[i].n);
        enum fg_code rc = runway->submit_call(&w.cx, &site, &spec, &c);
        CHECK_I64(rc, row[i].want, row[i].why);
        CHECK(rc == FG_OK || strstr(w.cx.err.detail, "UTF-16"), "and it says why");
    }
    t_end(&w, 0);
}

TEST(other_calls_and_their_limits)
{
    struct t_world w;
    struct fetch_call c;
    struct remote_ref bad = { .id = FG_LIT("a/../b?c") };
    struct provider_site far = site;
    t_begin(&w);
    CHECK_CODE(&w.cx, runway->poll_call(&w.cx, &site, &ref, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, "https://api.dev.runwayml.com/v1/tasks/" TASK, "the task");
    CHECK_IS(fg_str_c(c.method), "GET", "is read");
    CHECK_IS(header_of(&c, FG_LIT("X-Runway-Version")), "2024-11-06", "every call has the version");
    CHECK(!c.once && !c.body.p, "and may be repeated");
    CHECK_CODE(&w.cx, runway->cancel_call(&w.cx, &site, &ref, REMOTE_RUNNING, &c), FG_OK);
    CHECK_IS(c.url, "https://api.dev.runwayml.com/v1/tasks/" TASK, "the same");
    CHECK_IS(fg_str_c(c.method), "DELETE", "is deleted");
    CHECK_IS(header_of(&c, FG_LIT("X-Runway-Version")), "2024-11-06", "this one too");
    CHECK(c.once, "the second time would say 404");
    CHECK_CODE(&w.cx, runway->poll_call(&w.cx, &site, &bad, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, "https://api.dev.runwayml.com/v1/tasks/a%2F..%2Fb%3Fc", "an id is one segment");
    far.base_url = repeated(&w.cx, "a", ADAPTER_URL_MAX);
    CHECK_CODE(&w.cx, runway->poll_call(&w.cx, &far, &ref, 0, FG_NONE, &c), FG_TOO_LARGE);
    t_end(&w, 0);
}

TEST(what_a_submit_comes_to)
{
    static const struct {
        const char *why;
        int status;
        const char *body, *retry_after;
        enum submit_outcome outcome;
        enum remote_reason reason;
        int64_t retry_after_s, park_s;
    } row[] = {
        { "no id", 200, "{\"estimatedCost\":{\"credits\":25}}", NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0, 0 },
        { "an id that is none", 200, "{\"id\":\"..\"}", NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0, 0 },
        { "a number", 200, "{\"id\":17}", NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0, 0 },
        { "a list", 200, "[]", NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0, 0 },
        { "no JSON", 200, "<html>", NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0, 0 },
        { "nothing", 200, "", NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0, 0 },
        { "bad input", 400, "{\"error\":\"No.\"}", NULL, SUBMIT_REFUSED, REASON_REFUSED, 0, 0 },
        { "no text", 400, "", NULL, SUBMIT_REFUSED, REASON_REFUSED, 0, 0 },
        { "no money", 400, "{\"error\":\"Not enough credits\"}", NULL, SUBMIT_REFUSED, REASON_CREDIT, 0, 0 },
        { "key", 401, "{\"error\":\"Bad key key_xxx\"}", NULL, SUBMIT_REFUSED, REASON_AUTH, 0, 0 },
        { "no such model", 404, "{}", NULL, SUBMIT_REFUSED, REASON_REFUSED, 0, 0 },
        { "no such verb", 405, "{}", NULL, SUBMIT_REFUSED, REASON_REFUSED, 0, 0 },
        { "rate", 429, "{\"error\":\"Too many requests\"}", "7", SUBMIT_NOT_SENT, REASON_BUSY, 7, 0 },
        { "rate, no text", 429, "", NULL, SUBMIT_NOT_SENT, REASON_BUSY, 0, 0 },
        { "the day's", 429, "{\"error\":\"Daily limit reached\"}", NULL, SUBMIT_REFUSED, REASON_PARK, 0, 0 },
        { "until then", 429, "{\"error\":\"Daily limit reached\"}", "3600", SUBMIT_REFUSED, REASON_PARK, 3600,
          3600 },
        { "credit words elsewhere", 429, "{\"error\":\"not enough credits\"}", NULL, SUBMIT_NOT_SENT,
          REASON_BUSY, 0, 0 },
        { "internal", 500, "{}", NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0, 0 },
        { "load", 502, "", NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0, 0 },
        { "load", 503, "{\"error\":\"daily\"}", "9", SUBMIT_UNKNOWN, REASON_FAILED, 0, 0 },
        { "load", 504, "", NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0, 0 },
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
        CHECK_I64(got.park_s, row[i].park_s, row[i].why);
        CHECK(got.words.n && got.words.n <= ADAPTER_WORDS_MAX && !got.id.p, row[i].why);
        struct sb words = sb_in(w.cx.mem, 300);
        sb_add(&words, got.words);
        CHECK(!strstr(sb_cstr(&words), "key_xxx"), "the key is not told");
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
        int64_t cost_micro;
    } row[] = {
        { "runway/submitted.json", 200, SUBMIT_ACCEPTED, REASON_NONE, 250000 },
        { "runway/submitted_bare.json", 200, SUBMIT_ACCEPTED, REASON_NONE, 0 },
        { "runway/invalid.json", 400, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "runway/no_credits.json", 400, SUBMIT_REFUSED, REASON_CREDIT, 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = recorded(&w.cx, row[i].status, row[i].file);
        struct submit_reply got = submit(&w.cx, &r);
        CHECK_I64(got.outcome, row[i].outcome, row[i].file);
        CHECK_I64(got.reason, row[i].reason, row[i].file);
        CHECK_I64(got.cost_micro, row[i].cost_micro, row[i].file);
        CHECK_STR(got.id, got.outcome == SUBMIT_ACCEPTED ? ref.id : FG_NONE, row[i].file);
        CHECK(!got.links.p, "nothing else to keep");
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
        int progress;
        int64_t cost_micro;
        bool charged;
    } row[] = {
        { "runway/pending.json", REMOTE_QUEUED, REASON_NONE, -1, 250000, false },
        { "runway/throttled.json", REMOTE_QUEUED, REASON_NONE, -1, 250000, false },
        { "runway/running.json", REMOTE_RUNNING, REASON_NONE, 42, 250000, false },
        { "runway/succeeded.json", REMOTE_DONE, REASON_NONE, -1, 250000, false },
        { "runway/failed.json", REMOTE_FAILED, REASON_CONTENT, -1, 250000, true },
        { "runway/cancelled.json", REMOTE_FAILED, REASON_CANCELED, -1, 0, false },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = recorded(&w.cx, 200, row[i].file);
        struct poll_reply got = poll(&w.cx, &r);
        CHECK(got.understood && !got.again, row[i].file);
        CHECK_I64(got.state, row[i].state, row[i].file);
        CHECK_I64(got.reason, row[i].reason, row[i].file);
        CHECK_I64(got.progress, row[i].progress, row[i].file);
        CHECK_I64(got.queue_position, -1, row[i].file);
        CHECK_I64(got.cost_micro, row[i].cost_micro, row[i].file);
        CHECK_I64(got.charged, row[i].charged, row[i].file);
        CHECK_STR(got.output_url,
                  got.state == REMOTE_DONE
                      ? FG_LIT("https://dnznrvs05pmza.cloudfront.net/0af1.mp4?_jwt=eyJ.x.y")
                      : FG_NONE,
                  row[i].file);
        CHECK_I64(got.output_key, KEY_NEVER, "the key stays away from that host");
    }
    t_end(&w, 0);
}

TEST(why_a_task_failed)
{
    static const struct {
        const char *code;
        enum remote_reason reason;
        bool charged;
    } row[] = {
        { "SAFETY.INPUT.TEXT", REASON_CONTENT, true },
        { "SAFETY.INPUT.IMAGE", REASON_CONTENT_IMAGE, true },
        { "SAFETY.INPUT.IMAGE.SOMETHING.NEW", REASON_CONTENT_IMAGE, true },
        { "SAFETY.INPUT.SOMETHING.NEW", REASON_CONTENT, true },
        { "SAFETY.OUTPUT.VIDEO", REASON_CONTENT_OUT, false },
        { "SAFETY.ELSE", REASON_CONTENT, false },
        { "INPUT_PREPROCESSING.SAFETY.TEXT", REASON_CONTENT, false },
        { "INPUT_PREPROCESSING.SAFETY.IMAGE", REASON_CONTENT_IMAGE, false },
        { "INPUT_PREPROCESSING.INTERNAL", REASON_FAILED, false },
        { "THIRD_PARTY.SAFETY", REASON_CONTENT, false },
        { "THIRD_PARTY.OTHER", REASON_FAILED, false },
        { "ASSET.INVALID", REASON_IMAGE, false },
        { "INTERNAL.BAD_OUTPUT.CODE01", REASON_FAILED, false },
        { "INTERNAL", REASON_FAILED, false },
        { "", REASON_FAILED, false },
        { "BRAND.NEW", REASON_FAILED, false },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str body = arena_fmt(
            w.cx.mem, "{\"status\":\"FAILED\",\"failure\":\"words\",\"failureCode\":\"%s\"}", row[i].code);
        struct fetch_reply r = answer(200, body.p);
        struct poll_reply got = poll(&w.cx, &r);
        CHECK_I64(got.state, REMOTE_FAILED, row[i].code);
        CHECK_I64(got.reason, row[i].reason, row[i].code);
        CHECK_I64(got.charged, row[i].charged, row[i].code);
        CHECK(got.words.n, "it is told");
    }
    struct fetch_reply bare = answer(200, "{\"status\":\"FAILED\"}");
    CHECK_I64(poll(&w.cx, &bare).reason, REASON_FAILED, "no code at all");
    t_end(&w, 0);
}

#define DONE(rest) "{\"status\":\"SUCCEEDED\"" rest "}"
#define RUNNING(progress) "{\"status\":\"RUNNING\",\"progress\":" progress "}"

TEST(answers_that_are_not_as_documented)
{
    static const struct {
        const char *why, *body;
        bool understood;
        enum remote_state state;
        enum remote_reason reason;
        int progress;
        const char *unknown_word;
    } row[] = {
        { "another word", "{\"status\":\"DREAMING\"}", true, REMOTE_RUNNING, REASON_NONE, -1, "DREAMING" },
        { "in small letters", "{\"status\":\"pending\"}", true, REMOTE_QUEUED, REASON_NONE, -1, NULL },
        { "no status", "{\"id\":\"x\"}", false, 0, REASON_NONSENSE, -1, NULL },
        { "a number for one", "{\"status\":1}", false, 0, REASON_NONSENSE, -1, NULL },
        { "a list", "[1]", false, 0, REASON_NONSENSE, -1, NULL },
        { "no JSON", "RUNNING", false, 0, REASON_NONSENSE, -1, NULL },
        { "nothing", "", false, 0, REASON_NONSENSE, -1, NULL },
        { "done without a file", DONE(""), true, REMOTE_FAILED, REASON_NONSENSE, -1, NULL },
        { "an empty list", DONE(",\"output\":[]"), true, REMOTE_FAILED, REASON_NONSENSE, -1, NULL },
        { "no list", DONE(",\"output\":\"https://x/\""), true, REMOTE_FAILED, REASON_NONSENSE, -1, NULL },
        { "no text in it", DONE(",\"output\":[{}]"), true, REMOTE_FAILED, REASON_NONSENSE, -1, NULL },
        { "0", RUNNING("0"), true, REMOTE_RUNNING, REASON_NONE, 0, NULL },
        { "1", RUNNING("1"), true, REMOTE_RUNNING, REASON_NONE, 100, NULL },
        { "1.0", RUNNING("1.0"), true, REMOTE_RUNNING, REASON_NONE, 100, NULL },
        { "a half", RUNNING("0.5"), true, REMOTE_RUNNING, REASON_NONE, 50, NULL },
        { "cut, not rounded", RUNNING("0.999999"), true, REMOTE_RUNNING, REASON_NONE, 99, NULL },
        { "too much", RUNNING("1.01"), true, REMOTE_RUNNING, REASON_NONE, -1, NULL },
        { "less than nothing", RUNNING("-0.5"), true, REMOTE_RUNNING, REASON_NONE, -1, NULL },
        { "an exponent", RUNNING("5e-1"), true, REMOTE_RUNNING, REASON_NONE, -1, NULL },
        { "a text", RUNNING("\"0.5\""), true, REMOTE_RUNNING, REASON_NONE, -1, NULL },
        { "beyond all", RUNNING("9223372036854775807"), true, REMOTE_RUNNING, REASON_NONE, -1, NULL },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(200, row[i].body);
        struct poll_reply got = poll(&w.cx, &r);
        CHECK_I64(got.understood, row[i].understood, row[i].why);
        CHECK_I64(got.state, row[i].state, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
        CHECK_I64(got.progress, row[i].progress, row[i].why);
        CHECK_STR(got.unknown_word, fg_str_c(row[i].unknown_word), row[i].why);
    }
    t_end(&w, 0);
}

TEST(credits_are_hundredths_of_a_dollar)
{
    static const struct {
        const char *body;
        int64_t micro;
    } row[] = {
        { "{\"cost\":{\"credits\":1}}", 10000 },
        { "{\"cost\":{\"credits\":12.5},\"estimatedCost\":{\"credits\":30}}", 125000 },
        { "{\"estimatedCost\":{\"credits\":0.00019}}", 1 },
        { "{\"cost\":{\"credits\":0}}", 0 },
        { "{\"cost\":{\"credits\":-3}}", 0 },
        { "{\"cost\":{\"credits\":\"25\"}}", 0 },
        { "{\"cost\":{\"credits\":1e3}}", 0 },
        { "{\"cost\":{\"credits\":99999999999}}", 0 },
        { "{\"cost\":25}", 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str body = arena_fmt(w.cx.mem, "{\"status\":\"RUNNING\",%s", row[i].body + 1);
        struct fetch_reply r = answer(200, body.p);
        CHECK_I64(poll(&w.cx, &r).cost_micro, row[i].micro, row[i].body);
    }
    t_end(&w, 0);
}

TEST(polls_that_fail)
{
    static const struct {
        int status;
        bool understood;
        enum remote_reason reason;
    } row[] = {
        { 400, false, REASON_FAILED }, { 401, false, REASON_AUTH },   { 404, true, REASON_NONE },
        { 410, true, REASON_NONE },    { 429, false, REASON_BUSY },   { 500, false, REASON_FAILED },
        { 502, false, REASON_FAILED }, { 503, false, REASON_FAILED }, { 504, false, REASON_FAILED },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, "{\"error\":\"No.\"}");
        add_header(&r, "retry-after", "11");
        struct poll_reply got = poll(&w.cx, &r);
        CHECK_I64(got.understood, row[i].understood, "by status");
        CHECK_I64(got.reason, row[i].reason, "by status");
        CHECK_I64(got.poll_after_ms, 11000, "its wish is heard");
        if (got.understood)
            CHECK_I64(got.state, REMOTE_GONE, "deleted, or aged out");
    }
    for (int end = FETCH_NOT_SENT; end <= FETCH_LOCAL_IO; end++) {
        struct fetch_reply r = { .end = (enum fetch_end)end, .words = FG_LIT("gone") };
        CHECK(!poll(&w.cx, &r).understood, "no answer, no news");
    }
    t_end(&w, 0);
}

TEST(cancels)
{
    static const struct {
        enum fetch_end end;
        int status;
        enum cancel_outcome want;
    } row[] = {
        { FETCH_ANSWERED, 204, CANCEL_EITHER },   { FETCH_ANSWERED, 200, CANCEL_EITHER },
        { FETCH_ANSWERED, 404, CANCEL_TOO_LATE }, { FETCH_ANSWERED, 401, CANCEL_UNKNOWN },
        { FETCH_ANSWERED, 429, CANCEL_UNKNOWN },  { FETCH_ANSWERED, 500, CANCEL_UNKNOWN },
        { FETCH_UNKNOWN, 0, CANCEL_UNKNOWN },     { FETCH_NOT_SENT, 0, CANCEL_UNKNOWN },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, "");
        r.end = row[i].end;
        CHECK_I64(runway->cancel_reply(&w.cx, &r), row[i].want, "by status");
    }
    t_end(&w, 0);
}

TEST(half_an_answer_is_none)
{
    static const char *const file[] = { "runway/submitted.json", "runway/succeeded.json",
                                        "runway/failed.json" };
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
