/* What the adapters share: parameters in their spelling, odd values, every status. */
#include "adapter_kit.h"
#include "provider/adapter.h"

/* ---- calls ---- */

TEST(calls_have_the_key_and_bounds)
{
    struct t_world w;
    struct fetch_call c;
    struct provider_site site = { .base_url = FG_LIT("https://api.example"), .key = FG_LIT("k") };
    t_begin(&w);
    CHECK_CODE(&w.cx, adapter_call_at(&w.cx, &provider_openai, &site, "GET", FG_LIT("/a?b"), &c), FG_OK);
    CHECK_IS(c.url, "https://api.example/a?b", "base and path");
    CHECK_IS(c.secret.value, "Bearer k", "with the key");
    CHECK_I64(c.to_fd, -1, "made by fetch_call_init");
    CHECK_CODE(&w.cx, adapter_call_on(&w.cx, &provider_openai, &site, "GET", "/a/", FG_LIT("b/../c?d"), &c),
               FG_OK);
    CHECK_IS(c.url, "https://api.example/a/b%2F..%2Fc%3Fd", "what is data is escaped");
    CHECK(!c.once, "a question may be repeated");

    struct sb body = sb_in(w.cx.mem, 10);
    sb_add(&body, FG_LIT("{}"));
    CHECK_CODE(&w.cx, adapter_submit(&w.cx, &provider_openai, &site, "/jobs", FG_NONE, &body, &c), FG_OK);
    CHECK_IS(c.url, "https://api.example/jobs", "a submit");
    CHECK_IS(c.body, "{}", "its body");
    CHECK(c.once && !strcmp(c.method, "POST"), "sent once");
    sb_add(&body, FG_LIT("123456789"));
    CHECK_CODE(&w.cx, adapter_submit(&w.cx, &provider_openai, &site, "/jobs", FG_NONE, &body, &c),
               FG_TOO_LARGE);
    char *huge = arena_get(w.cx.mem, ADAPTER_URL_MAX + 1);
    memset(huge, 'a', ADAPTER_URL_MAX);
    CHECK_CODE(&w.cx, adapter_call_at(&w.cx, &provider_openai, &site, "GET", fg_str_c(huge), &c),
               FG_TOO_LARGE);
    site.key = FG_LIT("");
    CHECK_CODE(&w.cx, adapter_call_at(&w.cx, &provider_openai, &site, "GET", FG_LIT("/a"), &c), FG_OK);
    CHECK(!c.secret.name.p, "no key, no header");
    t_end(&w, 0);
}

/* ---- parameters ---- */

TEST(parameters_in_their_spelling)
{
    static const struct {
        const char *why;
        enum gen_param p;
        struct spelling as; /* values below */
        const char *values, *value, *written;
    } row[] = {
        { "as ours",
          PARAM_PROMPT,
          { .name = { "text", 4 } },
          NULL,
          "a red kite over dunes",
          "{\"text\":\"a red kite over dunes\"}" },
        { "a number", PARAM_DURATION, { .name = { "n", 1 }, .as = SPELL_NUMBER }, NULL, "8", "{\"n\":8}" },
        { "a number as text", PARAM_DURATION, { .name = { "n", 1 } }, NULL, "8", "{\"n\":\"8\"}" },
        { "a unit",
          PARAM_DURATION,
          { .name = { "n", 1 }, .suffix = { "s", 1 } },
          NULL,
          "8s",
          "{\"n\":\"8s\"}" },
        { "frames",
          PARAM_DURATION,
          { .name = { "n", 1 }, .as = SPELL_NUMBER, .fps = 24, .more_frames = 1 },
          NULL,
          "193",
          "{\"n\":193}" },
        { "a value of theirs",
          PARAM_RESOLUTION,
          { .name = { "r", 1 } },
          "{\"720p\":\"768P\",\"480p\":\"x\"}",
          "768P",
          "{\"r\":\"768P\"}" },
        { "a value they have as we do",
          PARAM_RESOLUTION,
          { .name = { "r", 1 } },
          "{\"480p\":\"x\"}",
          "720p",
          "{\"r\":\"720p\"}" },
        { "a value that is no text",
          PARAM_RESOLUTION,
          { .name = { "r", 1 } },
          "{\"720p\":7}",
          "720p",
          "{\"r\":\"720p\"}" },
        { "mapped, then its unit",
          PARAM_DURATION,
          { .name = { "n", 1 }, .suffix = { "s", 1 } },
          "{\"8\":\"10\"}",
          "10s",
          "{\"n\":\"10s\"}" },
        { "a truth", PARAM_AUDIO, { .name = { "a", 1 }, .as = SPELL_BOOL }, NULL, "true", "{\"a\":true}" },
        { "a word for it", PARAM_AUDIO, { .name = { "a", 1 } }, "{\"true\":\"on\"}", "on", "{\"a\":\"on\"}" },
        { "a seed", PARAM_SEED, { .name = { "s", 1 }, .as = SPELL_NUMBER }, NULL, "0", "{\"s\":0}" },
        { "width", PARAM_WIDTH, { .name = { "w", 1 }, .as = SPELL_NUMBER }, NULL, "1280", "{\"w\":1280}" },
        { "height", PARAM_HEIGHT, { .name = { "h", 1 }, .as = SPELL_NUMBER }, NULL, "720", "{\"h\":720}" },
        { "a ratio",
          PARAM_RATIO,
          { .name = { "r", 1 } },
          "{\"16:9\":\"1280:720\"}",
          "1280:720",
          "{\"r\":\"1280:720\"}" },
        { "negative", PARAM_NEGATIVE, { .name = { "n", 1 } }, NULL, "\"rain\"", "{\"n\":\"\\\"rain\\\"\"}" },
        { "our reference",
          PARAM_REF,
          { .name = { "e", 1 } },
          NULL,
          "5b1c1a0e-3c0f-4a53-9f0e-2f7f1f1b2c3d",
          "{\"e\":\"5b1c1a0e-3c0f-4a53-9f0e-2f7f1f1b2c3d\"}" },
        { "an image",
          PARAM_IMAGE,
          { .name = { "i", 1 } },
          NULL,
          "https://x.example/a.png",
          "{\"i\":\"https://x.example/a.png\"}" },
        { "no name: a value, not written", PARAM_DURATION, { .suffix = { "s", 1 } }, NULL, "8s", "{}" },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct gen_wire wire = { 0 };
        struct gen_spec spec = kite("m", &wire);
        spec.has_seed = true;
        spec.audio = AUDIO_ON;
        spec.negative = FG_LIT("\"rain\"");
        spec.image_url = FG_LIT("https://x.example/a.png");
        wire.param[row[i].p] = row[i].as;
        if (row[i].values)
            wire.param[row[i].p].values = parsed(&w.cx, row[i].values);
        CHECK_STR(adapter_value(&w.cx, &spec, row[i].p), fg_str_c(row[i].value), row[i].why);
        struct sb b = sb_in(w.cx.mem, 200);
        struct jw j = jw_on(&b);
        jw_open(&j, NULL);
        adapter_write_all(&w.cx, &j, &spec);
        jw_close(&j);
        CHECK_STR(sb_str(&b), fg_str_c(row[i].written), row[i].why);
        CHECK_I64(adapter_has(&spec, row[i].p), b.n > 2, row[i].why);
    }
    t_end(&w, 0);
}

TEST(what_the_spec_does_not_have_is_not_written)
{
    struct t_world w;
    struct gen_wire wire = { 0 };
    struct gen_spec spec = { .model = FG_LIT("m"),
                             .wire = &wire,
                             .prompt = FG_LIT("p"),
                             .resolution = FG_LIT("720p"),
                             .client_ref = FG_LIT("r"),
                             .duration_s = 5 };
    t_begin(&w);
    for (int p = 0; p < PARAM_N; p++)
        wire.param[p] = (struct spelling){ .name = arena_fmt(w.cx.mem, "p%d", p) };
    wire.fixed = parsed(&w.cx, "{\"x\":1,\"y\":{\"z\":[]},\"w\":null}");
    struct sb b = sb_in(w.cx.mem, 300);
    struct jw j = jw_on(&b);
    jw_open(&j, NULL);
    adapter_write_all(&w.cx, &j, &spec);
    jw_str(&j, "more", FG_LIT("m"));
    jw_close(&j);
    CHECK_IS(sb_str(&b),
             "{\"p0\":\"p\",\"p3\":\"720p\",\"p4\":\"5\",\"p10\":\"r\",\"x\":1,\"y\":{\"z\":[]},\"w\":null,"
             "\"more\":\"m\"}",
             "neither empty nor null, and the fixed members at the end");
    static const enum gen_param absent[] = { PARAM_IMAGE,    PARAM_RATIO, PARAM_SEED,  PARAM_AUDIO,
                                             PARAM_NEGATIVE, PARAM_WIDTH, PARAM_HEIGHT };
    for (size_t i = 0; i < FG_LEN(absent); i++) {
        CHECK(!adapter_value(&w.cx, &spec, absent[i]).p, "no value");
        CHECK(!adapter_has(&spec, absent[i]), "nothing to write");
    }
    spec.audio = AUDIO_OFF;
    CHECK_IS(adapter_value(&w.cx, &spec, PARAM_AUDIO), "false", "off is a value");
    t_end(&w, 0);
}

TEST(an_image_in_three_ways)
{
    struct t_world w;
    struct gen_wire wire = { 0 };
    struct gen_spec spec = kite("m", &wire);
    t_begin(&w);
    CHECK(!adapter_image(&w.cx, &spec).p, "none");
    spec.image_url = FG_LIT("https://x.example/a.png");
    CHECK_IS(adapter_image(&w.cx, &spec), "https://x.example/a.png", "by its URL");
    spec.image_bytes = FG_LIT("\x89PNG");
    spec.image_type = FG_LIT("image/png");
    CHECK_IS(adapter_image(&w.cx, &spec), "data:image/png;base64,iVBORw==", "its bytes count more");
    spec.image_name = FG_LIT("up_1.png");
    CHECK_IS(adapter_image(&w.cx, &spec), "up_1.png", "and what was uploaded most");
    t_end(&w, 0);
}

/* ---- answers ---- */

TEST(values_are_found_by_their_path)
{
    struct t_world w;
    t_begin(&w);
    const struct js *v =
        parsed(&w.cx, "{\"a\":{\"b\":[{\"c\":\"x\"},7,\"\"],\"n\":null},\"id\":12345678901234567,"
                      "\"f\":1.5,\"t\":true,\"s\":\"text\"}");
    CHECK_IS(adapter_text(v, "a.b.0.c"), "x", "through an array");
    CHECK_IS(adapter_text(v, "a.b.2"), "", "empty is not absent");
    CHECK(!adapter_text(v, "a.b.3").p && !adapter_text(v, "a.b.x").p && !adapter_text(v, "a.b.01").p,
          "beyond");
    CHECK(!adapter_text(v, "a.b.1").p, "a number is no text");
    CHECK(!adapter_at(v, "s.x") && !adapter_at(v, "a.n.x") && !adapter_at(v, "no.where"),
          "through what is none");
    CHECK(!adapter_at(NULL, "a") && !adapter_text(NULL, "a").p, "an answer that was no JSON");
    CHECK_I64(js_type(adapter_at(v, "a.n")), JS_NULL, "null");
    CHECK(adapter_at(v, "a.n") != NULL, "is there");
    CHECK_IS(adapter_id(&w.cx, v, "id"), "12345678901234567", "a number as id, every digit");
    CHECK_IS(adapter_id(&w.cx, v, "s"), "text", "a text");
    CHECK(!adapter_id(&w.cx, v, "f").p && !adapter_id(&w.cx, v, "t").p, "nothing else");
    CHECK_I64(adapter_i64(v, "a.b.1"), 7, "a number");
    CHECK(adapter_i64(v, "f") == 0 && adapter_i64(v, "s") == 0 && adapter_i64(v, "z") == 0, "or 0");
    t_end(&w, 0);
}

TEST(an_answer_is_json_or_nothing)
{
    struct t_world w;
    t_begin(&w);
    struct fetch_reply r = answer(500, "{\"a\":1}");
    CHECK(adapter_json(&w.cx, &r) && !adapter_ok(&r), "errors have bodies too");
    r.end = FETCH_UNKNOWN;
    r.status = 200;
    CHECK(!adapter_json(&w.cx, &r) && !adapter_ok(&r), "not a whole answer");
    static const char *const bad[] = { "", "{\"a\":1", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "<html>" };
    for (size_t i = 0; i < FG_LEN(bad); i++) {
        r = answer(200, bad[i]);
        CHECK(!adapter_json(&w.cx, &r) && adapter_ok(&r), bad[i]);
    }
    r = answer(299, "");
    CHECK(adapter_ok(&r), "299");
    r = answer(300, "");
    CHECK(!adapter_ok(&r), "300");
    r = answer(199, "");
    CHECK(!adapter_ok(&r), "199");
    t_end(&w, 0);
}

TEST(times_and_lengths)
{
    static const struct {
        const char *json;
        int64_t time_us, unix_us, unix_ms_us, seconds;
    } row[] = {
        { "\"2030-01-01T00:00:00Z\"", 1893456000000000, 0, 0, 0 },
        { "\"2030-01-01T00:00:00.25Z\"", 1893456000250000, 0, 0, 0 },
        { "\"2030-01-01T00:00:00.123456789Z\"", 1893456000123456, 0, 0, 0 },
        { "\"2030-01-01T02:00:00+02:00\"", 1893456000000000, 0, 0, 0 },
        { "\"2029-12-31T23:30:00.5-00:30\"", 1893456000500000, 0, 0, 0 },
        { "\"2030-01-01T00:00:00\"", 0, 0, 0, 0 },
        { "\"2030-01-01T00:00:00+0200\"", 0, 0, 0, 0 },
        { "\"2030-01-01T00:00:00+24:00\"", 0, 0, 0, 0 },
        { "\"2030-01-01T00:00:00+0a:00\"", 0, 0, 0, 0 },
        { "\"2030-01-01T00:00:00Zx\"", 0, 0, 0, 0 },
        { "\"2030-13-01T00:00:00Z\"", 0, 0, 0, 0 },
        { "\"soon\"", 0, 0, 0, 0 },
        { "\"\"", 0, 0, 0, 0 },
        { "null", 0, 0, 0, 0 },
        { "8", 0, 8000000, 8000, 8 },
        { "0", 0, 0, 0, 0 },
        { "-8", 0, 0, 0, 0 },
        { "8.5", 0, 0, 0, 0 },
        { "1893456000", 0, 1893456000000000, 1893456000000, 0 },
        { "1893456000000", 0, 0, 1893456000000000, 0 },
        { "9223372036854775807", 0, 0, 0, 0 },
        { "\"8\"", 0, 0, 0, 8 },
        { "\"8s\"", 0, 0, 0, 8 },
        { "\"8 s\"", 0, 0, 0, 0 },
        { "\"08\"", 0, 0, 0, 0 },
        { "\"99999999999999999999s\"", 0, 0, 0, 0 },
        { "\"auto\"", 0, 0, 0, 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        const struct js *v = parsed(&w.cx, arena_fmt(w.cx.mem, "{\"v\":%s}", row[i].json).p);
        CHECK_I64(adapter_time(v, "v"), row[i].time_us, row[i].json);
        CHECK_I64(adapter_unix(v, "v", 1), row[i].unix_us, row[i].json);
        CHECK_I64(adapter_unix(v, "v", 1000), row[i].unix_ms_us, row[i].json);
        CHECK_I64(adapter_seconds(v, "v"), row[i].seconds, row[i].json);
    }
    t_end(&w, 0);
}

TEST(ids_that_may_stand_in_a_url)
{
    static const struct {
        const char *id;
        bool ok;
    } row[] = {
        { "a", true },        { "models/x/operations/y", true },
        { "a..b", true },     { "...", true },
        { "\xc3\xa9", true }, { "", false },
        { "a b", false },     { "a\nb", false },
        { "a\x7f", false },   { ".", false },
        { "..", false },      { "a/../b", false },
        { "../a", false },    { "a/..", false },
        { "a/./b", false },   { "\x01", false },
    };
    char id[PROVIDER_ID_MAX + 1];
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_I64(adapter_id_ok(fg_str_c(row[i].id)), row[i].ok, row[i].id);
    memset(id, 'a', sizeof id);
    CHECK(adapter_id_ok((struct fg_str){ id, PROVIDER_ID_MAX }), "as long as it may be");
    CHECK(!adapter_id_ok((struct fg_str){ id, PROVIDER_ID_MAX + 1 }), "one more");
    CHECK(!adapter_id_ok(FG_NONE) && !adapter_id_ok(FG_LIT("a\0b")), "none, and one with a NUL");
}

TEST(words_are_cut_between_characters)
{
    struct t_world w;
    t_begin(&w);
    CHECK_IS(adapter_clip(FG_LIT("a\xc3\xa9z"), 2), "a", "not in the middle of one");
    CHECK_IS(adapter_clip(FG_LIT("a\xc3\xa9z"), 3), "a\xc3\xa9", "but just behind it");
    CHECK_IS(adapter_clip(FG_LIT("abc"), 9), "abc", "short enough");
    CHECK_IS(adapter_clip(FG_LIT("ab\xff"
                                 "c"),
                          9),
             "ab", "and no further than it is text");
    CHECK_IS(adapter_words(&w.cx, 422, REASON_REFUSED, FG_LIT("c"), FG_LIT("m")), "HTTP 422 c: m",
             "all of it");
    CHECK_IS(adapter_words(&w.cx, 422, REASON_REFUSED, FG_NONE, FG_LIT("m")), "HTTP 422: m", "no code");
    CHECK_IS(adapter_words(&w.cx, 422, REASON_REFUSED, FG_LIT("c"), FG_NONE), "HTTP 422 c", "no message");
    CHECK_IS(adapter_words(&w.cx, 401, REASON_FAILED, FG_LIT("c"), FG_LIT("m")), "HTTP 401 c",
             "it may hold the key");
    CHECK_IS(adapter_words(&w.cx, 403, REASON_AUTH, FG_LIT("c"), FG_LIT("m")), "HTTP 403 c", "here too");
    char *huge = arena_get(w.cx.mem, 1001);
    memset(huge, 'a', 1000);
    struct fg_str words = adapter_words(&w.cx, 500, REASON_FAILED, fg_str_c(huge), fg_str_c(huge));
    CHECK_I64(words.n, ADAPTER_WORDS_MAX, "cut");
    CHECK(memchr(words.p, ':', words.n) != NULL, "a long code leaves room for the message");
    t_end(&w, 0);
}

TEST(words_states_and_codes_are_looked_up)
{
    static const char *const any[] = { "nsfw", "content policy", NULL };
    static const struct word_state states[] = { { "done", REMOTE_DONE }, { NULL, REMOTE_RUNNING } };
    static const struct code_reason codes[] = {
        { "run_oom", REASON_REFUSED },
        { "run_*", REASON_FAILED },
        { "*", REASON_NONSENSE },
        { NULL, REASON_NONE },
    };
    struct t_world w;
    t_begin(&w);
    CHECK(adapter_says(FG_LIT("Our Content POLICY says"), any), "whatever its case");
    CHECK(adapter_says(FG_LIT("nsfw"), any) && !adapter_says(FG_LIT("nsf"), any), "whole or not");
    CHECK(!adapter_says(FG_NONE, any), "nothing says nothing");

    struct poll_reply got = adapter_no_news();
    adapter_state(&w.cx, &got, FG_LIT("DONE"), states);
    CHECK(got.understood && got.state == REMOTE_DONE && !got.unknown_word.p, "whatever its case");
    adapter_state(&w.cx, &got, FG_LIT("done, or so I think, at least for the time being"), states);
    CHECK(got.understood && got.state == REMOTE_RUNNING, "unknown is still running");
    CHECK_IS(got.unknown_word, "done, or so I think, at least for the ti", "and is told, in short");

    CHECK_I64(adapter_reason(FG_LIT("RUN_OOM"), codes), REASON_REFUSED, "whole, whatever its case");
    CHECK_I64(adapter_reason(FG_LIT("run_oom2"), codes), REASON_FAILED, "by its begin");
    CHECK_I64(adapter_reason(FG_LIT("run_"), codes), REASON_FAILED, "just that");
    CHECK_I64(adapter_reason(FG_LIT("run"), codes), REASON_NONSENSE, "any");
    CHECK_I64(adapter_reason(FG_LIT("x"), codes + 3), REASON_NONE, "none");
    t_end(&w, 0);
}

/* ---- failures ---- */

TEST(submits_that_failed_by_status)
{
    static const struct {
        int status;
        enum remote_reason read;
        enum submit_outcome outcome;
        enum remote_reason reason;
        int64_t retry_after_s, park_s;
    } row[] = {
        { 400, REASON_NONE, SUBMIT_REFUSED, REASON_REFUSED, 0, 0 },
        { 401, REASON_NONE, SUBMIT_REFUSED, REASON_AUTH, 0, 0 },
        { 402, REASON_NONE, SUBMIT_REFUSED, REASON_CREDIT, 0, 0 },
        { 403, REASON_NONE, SUBMIT_REFUSED, REASON_AUTH, 0, 0 },
        { 404, REASON_NONE, SUBMIT_REFUSED, REASON_REFUSED, 0, 0 },
        { 408, REASON_NONE, SUBMIT_UNKNOWN, REASON_BUSY, 0, 0 },
        { 409, REASON_NONE, SUBMIT_UNKNOWN, REASON_BUSY, 0, 0 },
        { 422, REASON_NONE, SUBMIT_REFUSED, REASON_REFUSED, 0, 0 },
        { 425, REASON_NONE, SUBMIT_UNKNOWN, REASON_BUSY, 0, 0 },
        { 429, REASON_NONE, SUBMIT_NOT_SENT, REASON_BUSY, 7, 0 },
        { 499, REASON_NONE, SUBMIT_REFUSED, REASON_REFUSED, 0, 0 },
        { 500, REASON_NONE, SUBMIT_UNKNOWN, REASON_FAILED, 0, 0 },
        { 503, REASON_NONE, SUBMIT_UNKNOWN, REASON_FAILED, 0, 0 },
        { 302, REASON_NONE, SUBMIT_UNKNOWN, REASON_FAILED, 0, 0 },
        { 102, REASON_NONE, SUBMIT_UNKNOWN, REASON_FAILED, 0, 0 },
        { 400, REASON_CONTENT, SUBMIT_REFUSED, REASON_CONTENT, 0, 0 },
        { 400, REASON_BUSY, SUBMIT_NOT_SENT, REASON_BUSY, 7, 0 },
        { 409, REASON_BUSY, SUBMIT_NOT_SENT, REASON_BUSY, 7, 0 },
        { 429, REASON_CREDIT, SUBMIT_REFUSED, REASON_CREDIT, 0, 0 },
        { 429, REASON_PARK, SUBMIT_REFUSED, REASON_PARK, 7, 7 },
        { 500, REASON_BUSY, SUBMIT_UNKNOWN, REASON_FAILED, 0, 0 },
        { 503, REASON_CONTENT, SUBMIT_UNKNOWN, REASON_FAILED, 0, 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, "");
        struct submit_reply got;
        add_header(&r, "retry-after", "7");
        adapter_submit_failed(&w.cx, &r, row[i].read, FG_LIT("c"), FG_NONE, &got);
        const char *why = arena_fmt(w.cx.mem, "status %d, read %d", row[i].status, row[i].read).p;
        CHECK_I64(got.outcome, row[i].outcome, why);
        CHECK_I64(got.reason, row[i].reason, why);
        CHECK_I64(got.retry_after_s, row[i].retry_after_s, why);
        CHECK_I64(got.park_s, row[i].park_s, why);
        CHECK(!got.id.p && got.words.n > 0, why);
    }
    t_end(&w, 0);
}

TEST(submits_that_failed_by_code)
{
    static const struct coded_end codes[] = {
        { 1002, 429, SUBMIT_NOT_SENT, REASON_BUSY },
        { 1026, 200, SUBMIT_REFUSED, REASON_CONTENT },
        { 5000, 503, SUBMIT_NOT_SENT, REASON_BUSY },
        { 0 },
    };
    static const struct {
        int status;
        int64_t code;
        enum submit_outcome outcome;
        enum remote_reason reason;
        int64_t retry_after_s;
    } row[] = {
        { 200, 1026, SUBMIT_REFUSED, REASON_CONTENT, 0 }, { 400, 1026, SUBMIT_REFUSED, REASON_CONTENT, 0 },
        { 500, 1026, SUBMIT_UNKNOWN, REASON_FAILED, 0 },  { 200, 1002, SUBMIT_NOT_SENT, REASON_BUSY, 7 },
        { 503, 5000, SUBMIT_NOT_SENT, REASON_BUSY, 7 },   { 500, 5000, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
        { 200, 777, SUBMIT_UNKNOWN, REASON_FAILED, 0 },   { 400, 777, SUBMIT_REFUSED, REASON_REFUSED, 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, "");
        struct submit_reply got;
        add_header(&r, "retry-after", "7");
        adapter_submit_coded(&w.cx, &r, adapter_coded(row[i].code, codes), FG_LIT("c"), FG_NONE, &got);
        const char *why = arena_fmt(w.cx.mem, "status %d, code %d", row[i].status, (int)row[i].code).p;
        CHECK_I64(got.outcome, row[i].outcome, why);
        CHECK_I64(got.reason, row[i].reason, why);
        CHECK_I64(got.retry_after_s, row[i].retry_after_s, why);
    }
    t_end(&w, 0);
}

TEST(an_id_makes_it_accepted)
{
    struct t_world w;
    struct submit_reply got;
    char links[PROVIDER_LINKS_MAX + 1];
    t_begin(&w);
    memset(links, 'a', sizeof links);
    adapter_accepted(&w.cx, FG_LIT("id"), (struct fg_str){ links, PROVIDER_LINKS_MAX }, &got);
    CHECK(got.outcome == SUBMIT_ACCEPTED && got.links.n == PROVIDER_LINKS_MAX, "with its links");
    CHECK(got.links.p != links, "as copies");
    adapter_accepted(&w.cx, FG_LIT("id"), (struct fg_str){ links, sizeof links }, &got);
    CHECK(got.outcome == SUBMIT_ACCEPTED && !got.links.p, "without those that are too long");
    adapter_accepted(&w.cx, FG_LIT("../id"), FG_NONE, &got);
    CHECK(got.outcome == SUBMIT_UNKNOWN && got.reason == REASON_NONSENSE && !got.id.p,
          "no usable id: who knows");
    t_end(&w, 0);
}

TEST(polls_that_failed)
{
    static const struct {
        int status;
        enum remote_reason read;
        bool understood;
        enum remote_reason reason;
    } row[] = {
        { 401, REASON_NONE, false, REASON_AUTH },   { 402, REASON_NONE, false, REASON_CREDIT },
        { 403, REASON_NONE, false, REASON_AUTH },   { 403, REASON_CREDIT, false, REASON_CREDIT },
        { 429, REASON_NONE, false, REASON_BUSY },   { 500, REASON_NONE, false, REASON_FAILED },
        { 400, REASON_NONE, false, REASON_FAILED }, { 302, REASON_NONE, false, REASON_FAILED },
        { 404, REASON_NONE, true, REASON_NONE },    { 410, REASON_REFUSED, true, REASON_NONE },
    };
    struct t_world w;
    struct poll_reply got;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, "");
        add_header(&r, "retry-after", "7");
        adapter_poll_failed(&w.cx, &r, row[i].read, FG_LIT("c"), FG_NONE, &got);
        const char *why = arena_fmt(w.cx.mem, "status %d, read %d", row[i].status, row[i].read).p;
        CHECK_I64(got.understood, row[i].understood, why);
        CHECK_I64(got.reason, row[i].reason, why);
        CHECK(!got.understood || got.state == REMOTE_GONE, why);
        CHECK_I64(got.poll_after_ms, 7000, why);
        CHECK(got.progress == -1 && got.queue_position == -1, why);
    }
    struct fetch_reply r = { .end = FETCH_UNKNOWN, .status = 404, .words = FG_LIT("timeout") };
    adapter_poll_failed(&w.cx, &r, REASON_NONE, FG_NONE, FG_NONE, &got);
    CHECK(!got.understood && got.reason == REASON_FAILED, "not answered: whatever the status");
    CHECK_IS(got.words, "timeout", "in the transport's words");
    t_end(&w, 0);
}

TEST(ends_of_a_job)
{
    struct t_world w;
    struct poll_reply got = adapter_no_news();
    t_begin(&w);
    adapter_failed(&w.cx, &got, REASON_CONTENT, FG_LIT("c"), FG_LIT("m"));
    CHECK(got.understood && got.state == REMOTE_FAILED && got.reason == REASON_CONTENT, "failed");
    CHECK_IS(got.words, "c: m", "and why");
    adapter_failed(&w.cx, &got, REASON_FAILED, FG_NONE, FG_LIT("m"));
    CHECK_IS(got.words, "m", "no code");
    adapter_failed(&w.cx, &got, REASON_FAILED, FG_LIT("c"), FG_NONE);
    CHECK_IS(got.words, "c", "no message");
    got = adapter_no_news();
    adapter_done(&w.cx, &got, FG_LIT("https://x.example/o.mp4"), KEY_ALWAYS);
    CHECK(got.understood && got.state == REMOTE_DONE && got.output_key == KEY_ALWAYS, "done");
    CHECK_IS(got.output_url, "https://x.example/o.mp4", "the file");
    got = adapter_no_news();
    adapter_done(&w.cx, &got, FG_LIT(""), KEY_ALWAYS);
    CHECK(got.state == REMOTE_FAILED && got.reason == REASON_NONSENSE && !got.output_url.p,
          "done without a file");
    t_end(&w, 0);
}

TEST(a_page_past_the_window)
{
    struct remote_row rows[] = { { .created_us = 30 }, { .created_us = 20 }, { .created_us = 10 } };
    struct list_reply page = { .row = rows, .n = FG_LEN(rows) };
    CHECK(adapter_past_window(&page, 11), "newest first, and its end is older");
    CHECK(!adapter_past_window(&page, 10), "just not");
    rows[2].created_us = 0;
    CHECK(!adapter_past_window(&page, 11), "no time told");
    rows[2].created_us = 30;
    CHECK(!adapter_past_window(&page, 40), "not newest first");
    page.n = 0;
    CHECK(!adapter_past_window(&page, 11), "empty");
}
