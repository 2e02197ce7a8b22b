/* Moderation services: what is sent, what their recorded answers mean, and what the configuration may say. */
#include "unit/adapter_kit.h"

#include "base/utf8.h"
#include "moderate/service.h"

static struct t_world w;

static struct conf conf_of(const char *services)
{
    return (struct conf){
        .moderation_services = fg_str_c(services),
        .moderation_timeout_ms = 5000,
        .moderation_openai_url = FG_LIT("https://api.openai.com/v1/moderations"),
        .moderation_openai_key = FG_LIT("sk-1"),
        .moderation_openai_model = FG_LIT("omni-moderation-2024-09-26"),
        .moderation_openai_block = FG_LIT(""),
        .moderation_openai_review = FG_LIT(""),
        .moderation_azure_url = FG_LIT("https://one.cognitiveservices.azure.com/"),
        .moderation_azure_key = FG_LIT("az-1"),
        .moderation_azure_block = FG_LIT("Hate=4 SelfHarm=4 Sexual=4 Violence=4"),
        .moderation_azure_review = FG_LIT(""),
    };
}

static struct moderation_site site_of(const char *service, const char *block, const char *review)
{
    struct conf conf = conf_of(service);
    struct moderation_sites sites;
    conf.moderation_openai_block = conf.moderation_azure_block = fg_str_c(block);
    conf.moderation_openai_review = conf.moderation_azure_review = fg_str_c(review);
    CHECK_CODE(&w.cx, moderation_configure(&w.cx, &conf, &sites), FG_OK);
    CHECK_I64(sites.n, 1, "one");
    return sites.site[0];
}

static struct verdict read_as(const struct moderation_site *site, const struct fetch_reply *r)
{
    struct verdict v = { 0 };
    site->service->reply(&w.cx, site, r, &v);
    return v;
}

static struct fetch_reply file(int status, const char *name)
{
    struct fg_str path = arena_fmt(w.cx.mem, "tests/data/moderation/%s", name);
    return (struct fetch_reply){ .end = FETCH_ANSWERED, .status = status, .body = t_file(&w.cx, path.p) };
}

/* ---- calls ---- */

TEST(openai_is_asked_for_a_text_and_for_one_picture)
{
    struct fetch_call c;
    t_begin(&w);
    struct moderation_site s = site_of("openai", "", "");
    CHECK_CODE(&w.cx, s.service->text_call(&w.cx, &s, FG_LIT("a \"red\" kite"), &c), FG_OK);
    CHECK(strcmp(c.method, "POST") == 0 && c.redirects == 0 && c.timeout_ms == 5000, "one POST, within its time");
    CHECK_IS(c.url, "https://api.openai.com/v1/moderations", "as configured");
    CHECK_IS(c.secret.name, "Authorization", "the key is secret");
    CHECK_IS(c.secret.value, "Bearer sk-1", "and there");
    CHECK_IS(header_of(&c, FG_LIT("content-type")), "application/json", "JSON");
    CHECK_IS(c.body, "{\"model\":\"omni-moderation-2024-09-26\",\"input\":[\"a \\\"red\\\" kite\"]}", "a list of one text");
    struct moderation_image image = { FG_LIT("\x89PNG"), FG_LIT("image/png"), 640, 480 };
    CHECK_CODE(&w.cx, s.service->image_call(&w.cx, &s, &image, &c), FG_OK);
    CHECK_IS(c.body,
             "{\"model\":\"omni-moderation-2024-09-26\",\"input\":[{\"type\":\"image_url\",\"image_url\":"
             "{\"url\":\"data:image/png;base64,iVBORw==\"}}]}", "inline: it cannot fetch what is ours");
    t_end(&w, 0);
}

TEST(azure_is_asked_at_two_paths)
{
    struct fetch_call c;
    t_begin(&w);
    struct moderation_site s = site_of("azure", "Hate=4", "");
    CHECK_CODE(&w.cx, s.service->text_call(&w.cx, &s, FG_LIT("a kite"), &c), FG_OK);
    CHECK_IS(c.url, "https://one.cognitiveservices.azure.com/contentsafety/text:analyze?api-version=2023-10-01", "no //");
    CHECK_IS(c.secret.name, "Ocp-Apim-Subscription-Key", "its header");
    CHECK_IS(c.secret.value, "az-1", "its key");
    CHECK_IS(c.body,
             "{\"text\":\"a kite\",\"categories\":[\"Hate\",\"SelfHarm\",\"Sexual\",\"Violence\"],"
             "\"outputType\":\"FourSeverityLevels\"}", "all four, whatever is limited");
    struct moderation_image image = { FG_LIT("\x89PNG"), FG_LIT("image/png"), 640, 480 };
    CHECK_CODE(&w.cx, s.service->image_call(&w.cx, &s, &image, &c), FG_OK);
    CHECK_IS(c.url, "https://one.cognitiveservices.azure.com/contentsafety/image:analyze?api-version=2023-10-01", "the other");
    CHECK_IS(c.body,
             "{\"image\":{\"content\":\"iVBORw==\"},\"categories\":[\"Hate\",\"SelfHarm\",\"Sexual\",\"Violence\"],"
             "\"outputType\":\"FourSeverityLevels\"}", "base64 alone");
    t_end(&w, 0);
}

TEST(what_a_service_cannot_look_at_is_told_before)
{
    static const struct {
        const char *service;
        size_t bytes;
        int64_t width, height;
        bool takes;
    } row[] = {
        { "openai", 20000000, 4096, 4096, true }, { "openai", 20000001, 64, 64, false },
        { "openai", 0, 64, 64, false },           { "azure", 4 * FG_MIB, 2048, 50, true },
        { "azure", 4 * FG_MIB + 1, 64, 64, false }, { "azure", 100, 49, 64, false },
        { "azure", 100, 64, 49, false },          { "azure", 100, 2049, 64, false },
        { "azure", 100, 64, 2049, false },
    };
    struct fetch_call c;
    t_begin(&w);
    char *bytes = arena_get(w.cx.mem, 20000001);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct moderation_site s = site_of(row[i].service, "", "");
        struct moderation_image image = { { bytes, row[i].bytes }, FG_LIT("image/png"), row[i].width, row[i].height };
        CHECK(moderation_takes_image(s.service, &image) == row[i].takes, row[i].service);
        CHECK_CODE(&w.cx, s.service->image_call(&w.cx, &s, &image, &c), row[i].takes ? FG_OK : FG_TOO_LARGE);
    }
    struct moderation_site s = site_of("azure", "", "");
    struct sb b = sb_in(w.cx.mem, 100000);
    for (int i = 0; i < 10000; i++)
        sb_add(&b, FG_LIT("\xc3\xa9"));
    CHECK_CODE(&w.cx, s.service->text_call(&w.cx, &s, sb_str(&b), &c), FG_OK);
    sb_add_c(&b, 'a');
    CHECK_CODE(&w.cx, s.service->text_call(&w.cx, &s, sb_str(&b), &c), FG_TOO_LARGE);
    t_end(&w, 0);
}

/* ---- answers ---- */

TEST(openai_says_what_it_is_asked_for)
{
    static const struct {
        const char *file, *block, *review;
        enum verdict_kind kind;
        const char *category, *why;
    } row[] = {
        { "openai_allowed.json", "", "", VERDICT_ALLOW, NULL, "no flag" },
        { "openai_flagged.json", "", "", VERDICT_BLOCK, "violence", "by its flag" },
        { "openai_flagged.json", "violence=0.9", "", VERDICT_ALLOW, NULL, "a limit is stronger than the flag" },
        { "openai_flagged.json", "violence=0.873", "", VERDICT_BLOCK, "violence", "over it" },
        { "openai_flagged.json", "violence=0.9", "violence=0.5", VERDICT_REVIEW, "violence", "between both" },
        { "openai_flagged.json", "", "violence=0.5", VERDICT_REVIEW, "violence", "named for review alone" },
        { "openai_flagged.json", "hate=0.5", "", VERDICT_BLOCK, "violence", "others go by their flags still" },
        { "openai_allowed.json", "", "violence=0.001", VERDICT_ALLOW, NULL, "just under" },
        { "openai_allowed.json", "violence=0.001", "sexual=0.001", VERDICT_ALLOW, NULL, "1.5e-06 is next to nothing" },
        { "openai_text_model.json", "", "", VERDICT_ALLOW, NULL, "flags that are null" },
        { "mistral.json", "", "", VERDICT_BLOCK, "violence_and_threats", "no flagged, other names" },
        { "mistral.json", "violence_and_threats=0.95", "", VERDICT_ALLOW, NULL, "personal data are no harm" },
        { "mistral.json", "violence_and_threats=0.95", "pii=0.5", VERDICT_REVIEW, "pii", "but who names them means it" },
    };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct moderation_site s = site_of("openai", row[i].block, row[i].review);
        struct fetch_reply r = file(200, row[i].file);
        struct verdict v = read_as(&s, &r);
        CHECK_I64(v.kind, row[i].kind, row[i].why);
        CHECK_STR(v.category, fg_str_c(row[i].category), row[i].why);
        CHECK(v.ref.n > 0 && v.scores.n > 2, "its id, its scores");
    }
    struct moderation_site s = site_of("openai", "", "");
    struct fetch_reply r = file(200, "openai_flagged.json");
    struct verdict v = read_as(&s, &r);
    CHECK_IS(v.ref, "modr-0d9740456c391e43c445bf0f010940c7", "its id");
    CHECK_IS(v.scores, "{\"violence\":0.8731,\"hate\":0.0,\"sexual\":1.5e-06,\"sexual/minors\":0.0}", "as given");
    CHECK_IS(v.words, "openai: violence 873/1000", "for the log");
    t_end(&w, 0);
}

TEST(openai_minors_and_odd_answers)
{
#define RESULT(more) "{\"id\":\"m\",\"results\":[{" more "}]}"
    static const struct {
        const char *body, *block;
        enum verdict_kind kind;
        const char *why;
    } row[] = {
        { RESULT("\"flagged\":false,\"category_scores\":{\"sexual/minors\":0.1}"), "", VERDICT_BLOCK, "from 0.1 on" },
        { RESULT("\"flagged\":false,\"category_scores\":{\"sexual/minors\":0.1}"), "sexual/minors=0.9", VERDICT_BLOCK, "never higher" },
        { RESULT("\"flagged\":false,\"category_scores\":{\"sexual/minors\":0.05}"), "sexual/minors=0.05", VERDICT_BLOCK, "but lower" },
        { RESULT("\"flagged\":false,\"category_scores\":{\"sexual/minors\":0.09}"), "", VERDICT_ALLOW, "under it" },
        { RESULT("\"flagged\":true"), "", VERDICT_BLOCK, "flagged for no reason told" },
        { RESULT("\"flagged\":true,\"categories\":{\"violence\":true}"), "violence=0.9", VERDICT_ALLOW, "its reason is told" },
        { RESULT("\"flagged\":false"), "", VERDICT_ALLOW, "that is enough" },
        { RESULT("\"categories\":{\"a\\nb\":true}"), "", VERDICT_BLOCK, "a name that may stand nowhere" },
        { RESULT("\"category_scores\":{\"violence\":1e308}"), "violence=1", VERDICT_BLOCK, "as bad as 1" },
        { RESULT("\"category_scores\":{\"violence\":-1}"), "violence=0.001", VERDICT_ALLOW, "less than nothing" },
        { "{\"results\":[{\"flagged\":false},{\"flagged\":true}]}", "", VERDICT_BLOCK, "the worst of all" },
        { RESULT("\"flagged\":\"no\""), "", VERDICT_ERROR, "nothing is said" },
        { RESULT(""), "", VERDICT_ERROR, "nor here" },
        { "{\"results\":[]}", "", VERDICT_ERROR, "nor here" },
        { "{\"results\":{\"flagged\":false}}", "", VERDICT_ERROR, "no list" },
        { "{}", "", VERDICT_ERROR, "no result" },
        { "[]", "", VERDICT_ERROR, "no object" },
        { "", "", VERDICT_ERROR, "no body" },
        { "<html>", "", VERDICT_ERROR, "no JSON" },
    };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct moderation_site s = site_of("openai", row[i].block, "");
        struct fetch_reply r = answer(200, row[i].body);
        struct verdict v = read_as(&s, &r);
        CHECK_I64(v.kind, row[i].kind, row[i].why);
        CHECK(v.kind < VERDICT_REVIEW || v.category.n > 0, "there is a category to name");
        CHECK(v.kind != VERDICT_ERROR || v.words.n > 0, "there are words for the log");
    }
    t_end(&w, 0);
}

TEST(azure_goes_by_severities)
{
#define FOUR(hate, sexual)                                                                                             \
    "{\"categoriesAnalysis\":[{\"category\":\"Hate\",\"severity\":" hate "},{\"category\":\"SelfHarm\",\"severity\":0}," \
    "{\"category\":\"Sexual\",\"severity\":" sexual "},{\"category\":\"Violence\",\"severity\":0},"                     \
    "{\"category\":\"New\",\"severity\":6}]}"
    static const struct {
        const char *body, *block, *review;
        enum verdict_kind kind;
        const char *category, *why;
    } row[] = {
        { FOUR("0", "2"), "Hate=4 Sexual=4", "", VERDICT_ALLOW, NULL, "under it; what is new is not looked at" },
        { FOUR("0", "4"), "Hate=4 Sexual=4", "", VERDICT_BLOCK, "Sexual", "at it" },
        { FOUR("4", "6"), "Hate=4 Sexual=4", "", VERDICT_BLOCK, "Sexual", "the worst of two" },
        { FOUR("6", "4"), "Sexual=4", "Hate=2", VERDICT_BLOCK, "Sexual", "block beats review" },
        { FOUR("0", "2"), "Sexual=4", "Sexual=2", VERDICT_REVIEW, "Sexual", "between both" },
        { FOUR("6", "6"), "", "", VERDICT_ALLOW, NULL, "nothing is limited" },
        { FOUR("null", "0"), "Hate=4", "", VERDICT_ERROR, NULL, "one is missing" },
        { FOUR("8", "0"), "Hate=4", "", VERDICT_ERROR, NULL, "no severity" },
        { "{\"categoriesAnalysis\":[]}", "Hate=4", "", VERDICT_ERROR, NULL, "all are missing" },
    };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct moderation_site s = site_of("azure", row[i].block, row[i].review);
        struct fetch_reply r = answer(200, row[i].body);
        struct verdict v = read_as(&s, &r);
        CHECK_I64(v.kind, row[i].kind, row[i].why);
        CHECK_STR(v.category, fg_str_c(row[i].category), row[i].why);
    }
    struct moderation_site s = site_of("azure", "Sexual=2", "");
    struct fetch_reply r = file(200, "azure_allowed.json");
    struct verdict v = read_as(&s, &r);
    CHECK(v.kind == VERDICT_BLOCK, "the recorded one, strictly");
    CHECK_IS(v.scores, "{\"Hate\":0,\"SelfHarm\":0,\"Sexual\":2,\"Violence\":0}", "its severities");
    t_end(&w, 0);
}

TEST(who_cannot_be_asked_is_an_error_with_words)
{
    static const struct {
        int status;
        const char *body, *header, *value;
        int64_t after_s;
        bool operator_error, refused;
        const char *words;
    } row[] = {
        { 429, "{\"error\":{\"message\":\"slow down\",\"code\":\"rate_limit\"}}", "retry-after", "7", 7, false, false,
          "HTTP 429 rate_limit: slow down" },
        { 429, "{}", "retry-after-ms", "1500", 2, false, false, "HTTP 429 " },
        { 429, "{}", "retry-after", "999999", 3600, false, false, "HTTP 429 " },
        { 429, "{\"error\":{\"message\":\"pay\",\"code\":\"insufficient_quota\"}}", NULL, NULL, 0, true, false,
          "HTTP 429 insufficient_quota" },
        { 500, "oops", NULL, NULL, 0, false, false, "HTTP 500 " },
        { 503, "", "retry-after", "3", 3, false, false, "HTTP 503 " },
        { 401, "{\"error\":{\"message\":\"Incorrect key sk-1\",\"code\":\"invalid_api_key\"}}", NULL, NULL, 0, true, false,
          "HTTP 401 invalid_api_key" },
        { 403, "{}", NULL, NULL, 0, true, false, "HTTP 403 " },
        { 404, "{}", NULL, NULL, 0, true, false, "HTTP 404 " },
        { 302, "", NULL, NULL, 0, false, false, "HTTP 302 " },
    };
    t_begin(&w);
    for (unsigned k = 0; k < 2; k++)
        for (size_t i = 0; i < FG_LEN(row); i++) {
            struct moderation_site s = site_of(k ? "azure" : "openai", "", "");
            struct fetch_reply r = answer(row[i].status, row[i].body);
            add_header(&r, row[i].header, row[i].value);
            struct verdict v = read_as(&s, &r);
            CHECK_I64(v.kind, VERDICT_ERROR, row[i].words);
            CHECK_I64(v.retry_after_s, row[i].after_s, row[i].words);
            CHECK(v.operator_error == row[i].operator_error && v.refused == row[i].refused, row[i].words);
            CHECK_STR(v.words, fg_str_c(row[i].words), "for the log");
        }
    struct moderation_site s = site_of("openai", "", "");
    struct fetch_reply r = file(400, "openai_too_many_images.json");
    struct verdict v = read_as(&s, &r);
    CHECK(v.kind == VERDICT_ERROR && v.refused && !v.operator_error, "the request is what is wrong");
    CHECK_IS(v.words, "HTTP 400 too_many_images: Number of images (2) exceeds maximum of 1", "as it says");
    s = site_of("azure", "", "");
    r = file(400, "azure_error.json");
    v = read_as(&s, &r);
    CHECK(v.kind == VERDICT_ERROR && v.refused, "likewise");
    r = (struct fetch_reply){ .end = FETCH_UNKNOWN, .words = FG_LIT("Timeout was reached") };
    v = read_as(&s, &r);
    CHECK(v.kind == VERDICT_ERROR && !v.operator_error && !v.refused, "silence");
    CHECK_IS(v.words, "Timeout was reached", "as told");
    t_end(&w, 0);
}

TEST(the_worse_verdict_wins)
{
    static const struct {
        struct verdict a, b;
        bool second;
        const char *why;
    } row[] = {
        { { .kind = VERDICT_ALLOW }, { .kind = VERDICT_ERROR }, true, "not everything was asked" },
        { { .kind = VERDICT_ERROR }, { .kind = VERDICT_REVIEW }, true, "a person looks at all of it" },
        { { .kind = VERDICT_BLOCK }, { .kind = VERDICT_ERROR }, false, "blocked anyway" },
        { { .kind = VERDICT_BLOCK }, { .kind = VERDICT_BLOCK }, false, "the first of equals" },
        { { .kind = VERDICT_ERROR, .retry_after_s = 5 }, { .kind = VERDICT_ERROR, .retry_after_s = 9 }, true, "longer" },
        { { .kind = VERDICT_ERROR, .retry_after_s = 9 }, { .kind = VERDICT_ERROR, .retry_after_s = 5 }, false, "longer" },
        { { .kind = VERDICT_ERROR, .retry_after_s = 9 }, { .kind = VERDICT_ERROR, .refused = true }, true, "for good" },
        { { .kind = VERDICT_ERROR, .refused = true }, { .kind = VERDICT_ERROR, .operator_error = true }, true, "mend it" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct verdict a = row[i].a, b = row[i].b;
        a.words = FG_LIT("first");
        b.words = FG_LIT("second");
        verdict_merge(&a, &b);
        CHECK_STR(a.words, row[i].second ? FG_LIT("second") : FG_LIT("first"), row[i].why);
    }
    for (enum verdict_kind k = VERDICT_ALLOW, got = VERDICT_BLOCK; k <= VERDICT_BLOCK; k++)
        CHECK(verdict_by_name(fg_str_c(verdict_name(k)), &got) && got == k, "its name leads back");
    enum verdict_kind k;
    CHECK(!verdict_by_name(FG_LIT("pass"), &k), "no such name");
}

/* ---- configuration ---- */

TEST(the_configuration_is_held_to_what_there_is)
{
    static const struct {
        const char *services, *block, *words;
    } row[] = {
        { "", "", NULL },
        { "openai", "sexual/minors=0.1  violence=0.9 hate=1 a_b=0.125", NULL },
        { "clippy", "", "\"clippy\" is none" },
        { "openai,", "", NULL },
        { "openai,,azure", "", "\"\" is none" },
        { "openai, openai", "", "openai is there twice" },
        { "openai", "violence", "is not as CATEGORY=SCORE" },
        { "openai", "violence=", "is not as CATEGORY=SCORE" },
        { "openai", "violence=high", "is not as CATEGORY=SCORE" },
        { "openai", "violence=0.1234", "is not as CATEGORY=SCORE" },
        { "openai", "violence=1.001", "is not as CATEGORY=SCORE" },
        { "openai", "violence=2", "is not as CATEGORY=SCORE" },
        { "openai", "violence=0", "is not as CATEGORY=SCORE" },
        { "openai", "violence=-1", "is not as CATEGORY=SCORE" },
        { "openai", "violence=.5", "is not as CATEGORY=SCORE" },
        { "openai", "violence=1.", "is not as CATEGORY=SCORE" },
        { "openai", "=0.5", "is not as CATEGORY=SCORE" },
        { "openai", "v=0.5 v=0.6", "v is there twice" },
        { "azure", "Hate=7", NULL },
        { "azure", "Hate=8", "is not as CATEGORY=SCORE" },
        { "azure", "hate=4", "there is no category hate" },
    };
    struct moderation_sites sites;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct conf conf = conf_of(row[i].services);
        conf.moderation_openai_block = conf.moderation_azure_block = fg_str_c(row[i].block);
        CHECK_CODE(&w.cx, moderation_configure(&w.cx, &conf, &sites), row[i].words ? FG_CONFIG : FG_OK);
        CHECK(!row[i].words || strstr(w.cx.err.detail, row[i].words), w.cx.err.detail);
    }
    struct conf conf = conf_of(" openai ,azure");
    CHECK_CODE(&w.cx, moderation_configure(&w.cx, &conf, &sites), FG_OK);
    CHECK(sites.n == 2 && sites.site[0].service == &moderation_openai && sites.site[1].service == &moderation_azure,
          "in their order");
    CHECK_I64(sites.site[1].block.at[0].milli, 4000, "in thousandths");
    conf.moderation_azure_key = FG_LIT("");
    CHECK_CODE(&w.cx, moderation_configure(&w.cx, &conf, &sites), FG_CONFIG);
    CHECK(strstr(w.cx.err.detail, "moderation.azure_key is not set"), w.cx.err.detail);
    conf = conf_of("azure");
    conf.moderation_azure_url = FG_LIT("");
    CHECK_CODE(&w.cx, moderation_configure(&w.cx, &conf, &sites), FG_CONFIG);
    conf.moderation_azure_url = (struct fg_str){ arena_get(w.cx.mem, 1001), 1001 };
    CHECK_CODE(&w.cx, moderation_configure(&w.cx, &conf, &sites), FG_CONFIG);
    CHECK(strstr(w.cx.err.detail, "too long"), w.cx.err.detail);
    conf.moderation_azure_url = FG_LIT("ftp://host/");
    CHECK_CODE(&w.cx, moderation_configure(&w.cx, &conf, &sites), FG_CONFIG);
    CHECK(fg_starts(fg_str_c(w.cx.err.detail), FG_LIT("moderation.azure_url: ")), w.cx.err.detail);
    t_end(&w, 0);
}

TEST(what_decides_has_a_digest)
{
    uint8_t first[HASH_LEN], other[HASH_LEN];
    t_begin(&w);
    struct moderation_site s = site_of("openai", "hate=0.5", ""), t = s;
    moderation_policy(&w.cx, &s, first);
    t.key = FG_LIT("sk-2");
    moderation_policy(&w.cx, &t, other);
    CHECK(memcmp(first, other, HASH_LEN) == 0, "the key decides nothing");
    struct moderation_site others[] = { site_of("openai", "hate=0.6", ""), site_of("openai", "", "hate=0.5"),
                                        site_of("azure", "Hate=4", ""), s, s };
    others[3].model = FG_LIT("omni-moderation-latest");
    others[4].url = FG_LIT("https://proxy.example/v1/moderations");
    for (size_t i = 0; i < FG_LEN(others); i++) {
        moderation_policy(&w.cx, &others[i], other);
        CHECK(memcmp(first, other, HASH_LEN) != 0, "another policy");
    }
    t_end(&w, 0);
}

/* ---- any answer ---- */

static uint64_t dice = 7;

static unsigned roll(unsigned n)
{
    dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(dice >> 33) % n;
}

/* A recorded answer with some of its bytes others, or with a piece of it somewhere else. */
static struct fg_str torn(struct fg_str text)
{
    static const char bytes[] = "{}[]\",:0149eE.-nulltrue\\\xff";
    char *p = arena_cstr(w.cx.mem, text);
    for (unsigned n = roll(4); n > 0; n--)
        p[roll((unsigned)text.n)] = bytes[roll(sizeof bytes - 1)];
    if (roll(3) == 0) {
        unsigned from = roll((unsigned)text.n), to = roll((unsigned)text.n), len = roll(40);
        unsigned room = (unsigned)text.n - (from > to ? from : to);
        memmove(p + to, p + from, len < room ? len : room);
    }
    return (struct fg_str){ p, text.n };
}

static void check_sane(const struct verdict *v)
{
    CHECK(v->kind <= VERDICT_BLOCK, "a verdict");
    CHECK(v->category.n <= VERDICT_CATEGORY_MAX && utf8_count(v->category) == v->category.n, "a plain name");
    CHECK((v->category.n > 0) == (v->kind >= VERDICT_REVIEW), "one where it is needed");
    CHECK(v->scores.n <= VERDICT_SCORES_MAX && (!v->scores.n || !js_scan(&w.cx, v->scores)), "scores are JSON");
    CHECK(v->ref.n <= VERDICT_REF_MAX && utf8_count(v->ref) != SIZE_MAX, "a bounded id");
    CHECK(v->words.n <= VERDICT_WORDS_MAX && utf8_count(v->words) != SIZE_MAX, "bounded words");
    CHECK(v->retry_after_s >= 0 && v->retry_after_s <= 3600, "a bounded pause");
}

TEST(any_answer_makes_a_verdict)
{
    static const char *const files[] = { "openai_allowed.json", "openai_flagged.json", "openai_text_model.json",
                                         "mistral.json", "azure_allowed.json", "azure_error.json",
                                         "openai_too_many_images.json" };
    static const int statuses[] = { 200, 200, 200, 201, 400, 401, 429, 500, 0 };
    unsigned kinds[VERDICT_BLOCK + 1] = { 0 };
    struct t_world files_world;
    struct fg_str text[FG_LEN(files)];
    t_begin(&files_world);
    for (size_t i = 0; i < FG_LEN(files); i++)
        text[i] = t_file(&files_world.cx, arena_fmt(files_world.cx.mem, "tests/data/moderation/%s", files[i]).p);
    for (unsigned i = 0; i < 6000; i++) {
        t_begin(&w);
        struct moderation_site s = roll(2) ? site_of("azure", "Hate=4", "Sexual=2")
                                           : site_of("openai", "violence=0.8", "hate=0.01");
        struct fetch_reply r = { .status = statuses[roll(FG_LEN(statuses))], .body = torn(text[roll(FG_LEN(text))]) };
        r.end = r.status ? FETCH_ANSWERED : FETCH_UNKNOWN;
        struct verdict v = read_as(&s, &r);
        check_sane(&v);
        kinds[v.kind]++;
        t_end(&w, 0);
    }
    for (size_t i = 0; i < FG_LEN(kinds); i++)
        CHECK(kinds[i] > 10, verdict_name((enum verdict_kind)i));
    t_end(&files_world, 0);
}
