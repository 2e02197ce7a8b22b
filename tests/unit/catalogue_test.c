/* The catalogue: the shipped file loads; what is read stands where it belongs; every slip is named with its path; it is
 * renewed when the file changes. */
#include "unit/catalogue_kit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "provider/schema.h"

#define SHIPPED "core/provider/catalogue.json"
#define SMALL "tests/data/catalogue/small.json"

static struct conf conf_for(const char *file)
{
    struct conf conf = { .server_public_url = FG_LIT("http://127.0.0.1:8080"),
                         .catalogue_file = fg_str_c(file),
                         .provider_n = 3 };
    conf.provider[0] = (struct conf_provider){ .name = FG_LIT("studio"), .key = FG_LIT("key"),
                                               .webhook_secrets = FG_LIT("whsec_AAAA") };
    conf.provider[1] = (struct conf_provider){ .name = FG_LIT("plain"), .key = FG_LIT("a"), .key_secret = FG_LIT("b") };
    conf.provider[2] = (struct conf_provider){ .name = FG_LIT("named"), .disabled = true };
    return conf;
}

static const struct catalogue *loaded(struct fg_ctx *cx, struct conf *conf)
{
    const struct catalogue *c = NULL;
    CHECK_CODE(cx, catalogue_load(cx, conf, &c), FG_OK);
    return c;
}

TEST(the_shipped_catalogue_loads_and_without_keys_studio_serves)
{
    static const char *const adapters[] = { "openai",  "fal",   "replicate",    "runway",  "luma",       "luma_agents",
                                            "veo",     "kling", "kling_legacy", "minimax", "minimax_v2", "comfyui" };
    struct t_world w;
    t_begin(&w);
    struct conf conf = conf_for(SHIPPED);
    const struct catalogue *c = loaded(&w.cx, &conf);
    const struct cat_provider *p = catalogue_provider(c, FG_LIT("studio"));
    const struct cat_model *m = catalogue_model(c, FG_LIT("studio-1"));
    CHECK(p && m && m->provider == p && p->set_up && p->adapter == &provider_openai, "one of each, joined");
    CHECK_IS(p->site.base_url, "http://127.0.0.1:8080/studio/v1", "public_url is put in");
    CHECK_IS(p->site.key, "key", "from the configuration");
    CHECK_IS(p->site.webhook_secrets, "whsec_AAAA", "likewise");
    CHECK(p->site.extras && p->callbacks && p->concurrency == 8 && p->attempts_max == 3, "what the studio takes");
    CHECK(p->unknown_by == UNKNOWN_BY_REPLAY && p->unknown_wait_s == 600, "its answer is asked for again");
    CHECK_I64(p->unknown_then, UNKNOWN_FAIL, "what may have been billed is not asked for twice");
    CHECK(m->durations == 0x7e0 && m->image == CAT_OPTIONAL && m->seed && m->size_n == 9, "5 to 10 seconds, 9 sizes");
    CHECK(m->output_life_s == 86400 && catalogue_price(&m->price, FG_LIT("720p"), 5, AUDIO_ANY) == 10000, "its price");
    CHECK_IS(c->default_route->name, "fast", "of a request that names none");
    for (unsigned i = 0; i < c->route_n; i++)
        CHECK(c->route[i].model[c->route[i].model_n - 1] == m, "studio is the last resort of every route");
    for (size_t i = 0; i < FG_LEN(adapters); i++) {
        unsigned n = 0;
        for (unsigned k = 0; k < c->model_n; k++)
            n += strcmp(c->model[k].adapter->name, adapters[i]) == 0;
        CHECK(n > 0, adapters[i]);
    }
    for (unsigned i = 0; i < c->model_n; i++)
        CHECK(c->model[i].price.source.n || c->model[i].cost.source.n, "every price says where it comes from");
    catalogue_drop(c);
    t_end(&w, 0);
}

TEST(the_schema_is_one_of_which_every_word_is_looked_at)
{
    struct t_world w;
    const struct js *schema;
    t_begin(&w);
    CHECK_CODE(&w.cx, js_parse(&w.cx, t_file(&w.cx, "core/provider/catalogue.schema.json"), &schema), FG_OK);
    CHECK_CODE(&w.cx, schema_check(&w.cx, schema), FG_OK);
    t_end(&w, 0);
}

TEST(a_provider_is_read)
{
    struct t_world w;
    t_begin(&w);
    struct conf conf = conf_for(SMALL);
    const struct catalogue *c = loaded(&w.cx, &conf);
    const struct cat_provider *p = catalogue_provider(c, FG_LIT("plain"));
    CHECK(p->set_up && !catalogue_provider(c, FG_LIT("named"))->set_up, "a section, and one that is switched off");
    CHECK(!catalogue_provider(c, FG_LIT("local"))->set_up && !catalogue_provider(c, FG_LIT("nobody")), "and none");
    CHECK_IS(p->site.name, "plain", "");
    CHECK_IS(p->site.key_secret, "b", "the other half of a key");
    CHECK_IS(p->site.history_url, "https://history.plain.example", "");
    CHECK(p->site.host_n == 2 && p->site.output_host_n == 1, "hosts");
    CHECK_IS(p->site.host[1], "*.more.example", "");
    CHECK_IS(catalogue_provider(c, FG_LIT("named"))->site.jwks_url, "https://keys.named.example/jwks.json", "");
    CHECK(p->concurrency == 3 && p->calls_per_minute == 100 && p->submits_per_minute == 10, "limits");
    CHECK(p->attempts_max == 4 && p->poll_ms == 2000 && p->callback_poll_ms == 30000, "");
    CHECK_I64(p->unknown_then, UNKNOWN_RESUBMIT, "");
    p = catalogue_provider(c, FG_LIT("local"));
    CHECK(p->concurrency == 1 && p->attempts_max == 3 && !p->calls_per_minute && !p->submits_per_minute, "defaults");
    CHECK(!p->poll_ms && !p->callback_poll_ms && !p->callbacks && !p->site.extras, "");
    catalogue_drop(c);
    t_end(&w, 0);
}

TEST(a_model_is_read)
{
    struct t_world w;
    t_begin(&w);
    struct conf conf = conf_for(SMALL);
    const struct catalogue *c = loaded(&w.cx, &conf);
    const struct cat_model *m = catalogue_model(c, FG_LIT("named-1"));
    CHECK_IS(catalogue_remote(m, false), "n/one", "");
    CHECK_IS(catalogue_remote(m, true), "n/one/image", "with an image it is another there");
    CHECK_I64(m->durations, 1 << 4 | 1 << 6 | 1 << 8, "a list");
    CHECK(m->image == CAT_OPTIONAL && m->image_decides_ratio && m->seed && m->negative, "abilities");
    CHECK(m->audio == CAT_AUDIO_CHOICE && m->prompt_max == 500 && m->output_life_s == 3600, "");
    const struct cat_size *s = catalogue_size(m, FG_LIT("9:16"), FG_LIT("720p"));
    CHECK(s && s->width == 0, "no pixels are promised");
    CHECK(!catalogue_size(m, FG_LIT("4:3"), FG_LIT("720p")), "no such ratio");
    CHECK_IS(m->wire.param[PARAM_DURATION].suffix, "s", "");
    CHECK(m->wire.param[PARAM_DURATION].as == SPELL_TEXT, "what has a suffix is a text");
    CHECK(m->wire.param[PARAM_SEED].as == SPELL_TEXT && m->wire.param[PARAM_AUDIO].as == SPELL_BOOL, "");
    CHECK(m->wire.param[PARAM_RESOLUTION].name.n == 0 && m->wire.param[PARAM_REF].name.n == 0, "not named");
    CHECK_I64(js_len(m->wire.fixed), 1, "");
    CHECK(m->cost.by[0].micro == m->price.by[0].micro, "without a cost the price is it");

    m = catalogue_model(c, FG_LIT("plain-1"));
    CHECK_IS(catalogue_remote(m, true), "p-1", "the same with an image");
    CHECK_I64(m->durations, 0x1e0, "a range");
    CHECK(m->prompt_max == 1000 && m->image == CAT_NONE && m->audio == CAT_SILENT && m->concurrency == 2, "");
    CHECK(m->cost.per_clip && m->cost.by[0].micro == 5000, "a cost of its own");
    CHECK_IS(m->price.source, "a price list", "");
    m = catalogue_model(c, FG_LIT("plain-0"));
    CHECK_IS(catalogue_date(&w.cx, m->retires_us), "2026-09-15", "midnight in UTC");
    CHECK_IS(m->substitute, "plain-1", "");

    m = catalogue_model(c, FG_LIT("local-1"));
    CHECK(m->wire.param[PARAM_DURATION].fps == 16 && m->wire.param[PARAM_DURATION].more_frames == 1, "in frames");
    CHECK(m->wire.param[PARAM_WIDTH].as == SPELL_NUMBER && js_len(m->wire.workflow) == 4, "");
    CHECK_IS(m->wire.output_node, "9", "");
    CHECK(catalogue_route(c, FG_LIT("main")) == c->default_route && c->default_route->model_n == 2, "a route");
    CHECK(!catalogue_route(c, FG_LIT("plain-1")), "a model is no route");
    catalogue_drop(c);
    t_end(&w, 0);
}

TEST(what_a_clip_costs)
{
    static const struct { const char *model, *resolution; int64_t seconds; enum audio audio; int64_t want; } row[] = {
        { "plain-1", "480p", 5, AUDIO_ANY, 10000 }, { "plain-1", "720p", 5, AUDIO_ANY, 15000 },
        { "plain-1", "480p", 8, AUDIO_ON, 16000 },  { "named-1", "720p", 4, AUDIO_ANY, 4000 },
        { "named-1", "720p", 4, AUDIO_OFF, 4000 },  { "named-1", "720p", 4, AUDIO_ON, 6000 },
        { "local-1", "480p", 3, AUDIO_ANY, 100 },
    };
    struct t_world w;
    t_begin(&w);
    struct conf conf = conf_for(SMALL);
    const struct catalogue *c = loaded(&w.cx, &conf);
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_I64(catalogue_price(&catalogue_model(c, fg_str_c(row[i].model))->price, fg_str_c(row[i].resolution),
                                  row[i].seconds, row[i].audio), row[i].want, row[i].model);
    CHECK_I64(catalogue_price(&catalogue_model(c, FG_LIT("plain-1"))->price, FG_LIT("4k"), 5, AUDIO_ANY), -1,
              "no such resolution");
    catalogue_drop(c);
    t_end(&w, 0);
}

/* ---- slips ---- */

#define PLAIN "/providers/plain"
#define NAMED "/providers/named"
#define LOCAL "/providers/local"
#define P1 PLAIN "/models/plain-1"
#define P0 PLAIN "/models/plain-0"
#define N1 NAMED "/models/named-1"
#define L1 LOCAL "/models/local-1"

/* The schema's: only that it is asked, for each shape there is. */
static const struct slip {
    const char *from, *to, *want;
} shapes[] = {
    { "\"defaultRoute\"", "\"defaultroute\"", "/default" },
    { "\"adapter\": \"openai\",", "", PLAIN "/adapter: is required" },
    { "\"concurrency\": 3", "\"concurrency\": 0", PLAIN "/concurrency: " },
    { "\"concurrency\": 3", "\"concurrency\": 3.0", PLAIN "/concurrency: " },
    { "\"by\": \"replay\"", "\"by\": \"guess\"", PLAIN "/unknown/by: " },
    { "\"then\": \"resubmit\"", "\"then\": \"hope\"", PLAIN "/unknown/then: " },
    { "\"extras\": true", "\"extras\": 1", PLAIN "/extras: " },
    { "\"extras\": true", "\"key\": \"x\", \"extras\": true", PLAIN "/key: " },
    { "\"seconds\": 2", "\"seconds\": \"2\"", PLAIN "/poll/seconds: " },
    { "{\"min\": 5, \"max\": 8}", "{\"min\": 5}", P1 "/durations" },
    { "{\"min\": 5, \"max\": 8}", "{\"min\": 0, \"max\": 8}", P1 "/durations" },
    { "{\"min\": 5, \"max\": 8}", "{\"min\": 5, \"max\": 64}", P1 "/durations" },
    { "[4, 6, 8]", "[]", N1 "/durations" },
    { "[4, 6, 8]", "[4, 64]", N1 "/durations" },
    { "\"854x480\"", "5", P1 "/sizes/16:9/480p: " },
    { "\"remote\": \"p-1\"", "\"remote\": \"\"", P1 "/remote: " },
    { "\"seed\": true", "\"seed\": null", P1 "/seed: " },
    { "\"image\": \"optional\"", "\"image\": \"maybe\"", N1 "/image: " },
    { "\"audio\": \"choice\"", "\"audio\": true", N1 "/audio: " },
    { "\"prompt\": \"prompt\"", "\"Prompt\": \"prompt\"", N1 "/parameters/Prompt: " },
    { "\"suffix\": \"s\"", "\"sufix\": \"s\"", N1 "/parameters/duration" },
    { "\"micro\": 1000", "\"micro\": 0.001", N1 "/price/micro" },
    { "\"micro\": 1000, ", "", N1 "/price/micro: is required" },
    { "\"per\": \"clip\", \"micro\": 5000", "\"per\": \"frame\", \"micro\": 5000", P1 "/cost/per: " },
    { "[\"named-1\", \"plain-1\"]", "[\"plain-1\", \"plain-1\"]", "/routes/main" },
    { "[\"named-1\", \"plain-1\"]", "[]", "/routes/main: " },
};

/* What a schema cannot say. */
static const struct slip rules[] = {
    { "\"defaultRoute\": \"main\"", "\"defaultRoute\": \"fast\"", "/defaultRoute: is no route" },
    { "\"defaultRoute\": \"main\"", "\"defaultRoute\": \"plain-1\"", "/defaultRoute: is no route" },
    { "\"named-1\", \"plain-1\"", "\"named-1\", \"plain-2\"", "/routes/main/1: is no model" },
    { "\"other\":", "\"plain-1\":", "/routes/plain-1: is the name of a model too" },
    { "\"other\":", "\"Other\":", "/routes/Other: is no name of a route" },
    { "\"plain\": {", "\"Plain\": {", "/providers/Plain: is no name of a provider" },
    { "\"adapter\": \"openai\"", "\"adapter\": \"openia\"", PLAIN "/adapter: is no adapter" },
    { "https://plain.example/v1", "ftp://x", PLAIN "/urls/base: must begin with https://" },
    { "https://plain.example/v1", "https://plain.example/v1/", PLAIN "/urls/base: is too long or ends in a slash" },
    { "https://plain.example/v1", "https:///v1", PLAIN "/urls/base: has no host" },
    { "https://plain.example/v1", "https://a@b", PLAIN "/urls/base: has characters" },
    { "https://plain.example/v1", "https://a/?b", PLAIN "/urls/base: has characters" },
    { "https://plain.example/v1", "https://a/{b}", PLAIN "/urls/base: has characters" },
    { "https://history.plain.example", "history", PLAIN "/urls/history: must begin" },
    { "https://keys.named.example/jwks.json", "https://keys.named.example/ x", NAMED "/urls/jwks: has characters" },
    { "\"files.plain.example\"", "\"https://files\"", PLAIN "/hosts/0: must be a host" },
    { "\"*.more.example\"", "\"*\"", PLAIN "/hosts/1: must be a host" },
    { "\"*.more.example\"", "\"*.\"", PLAIN "/hosts/1: must be a host" },
    { "\"outputHosts\": [\"*\"]", "\"outputHosts\": [\"**\"]", PLAIN "/outputHosts/0: must be a host" },
    { "\"keyRef\": \"plain\"", "\"keyRef\": \"Plain!\"", PLAIN "/keyRef: must name" },
    { "\"extras\": true,", "", PLAIN "/unknown/by: the adapter openai cannot repeat a submit without extras" },
    { "\"by\": \"list\", \"waitSeconds\": 60, \"then\": \"resubmit\"",
      "\"by\": \"replay\", \"waitSeconds\": 60, \"then\": \"resubmit\"", LOCAL "/unknown/by: the adapter comfyui" },
    { "\"remote\": \"p-1\"", "\"remote\": \"p-1\", \"adapter\": \"comfyui\"", P1 "/parameters/prompt: needs a name" },
    { "\"remote\": \"p-1\"", "\"remote\": \"p-1\", \"adapter\": \"veo9\"", P1 "/adapter: is no adapter" },
    { "\"remote\": \"p-1\"", "\"remote\": \"p-1\", \"adapter\": \"luma_agents\"",
      PLAIN "/callbacks: the adapter luma_agents has no" },
    { "\"remote\": \"n/one\"", "\"remote\": \"n/one\", \"adapter\": \"veo\"",
      NAMED "/unknown/by: the adapter veo has no list" },
    { ",\n        \"jwks\": \"https://keys.named.example/jwks.json\"", "", NAMED "/urls/jwks: is required" },
    { "\"named-1\": {", "\"plain-1\": {", NAMED "/models/plain-1: is the name of another provider's model" },
    { "\"named-1\": {", "\"named/1\": {", NAMED "/models/named/1: is no name of a model" },
    { "{\"min\": 5, \"max\": 8}", "{\"min\": 9, \"max\": 8}", P1 "/durations: min is over max" },
    { "854x480", "853x480", P1 "/sizes/16:9/480p: must be two even numbers" },
    { "854x480", "854 x 480", P1 "/sizes/16:9/480p: must be two even numbers" },
    { "854x480", "480x854", P1 "/sizes/16:9/480p: does not have that aspect ratio" },
    { "\"854x480\"", "null", P1 "/sizes/16:9/480p: must be pixels" },
    { "\"832x480\"", "null", L1 "/sizes/16:9/480p: must be pixels" },
    { "\"16:9\"", "\"wide\"", P1 "/sizes/wide/480p: is below no aspect ratio" },
    { "\"16:9\"", "\"16:0\"", P1 "/sizes/16:0/480p: is below no aspect ratio" },
    { "{\"480p\": \"854x480\",", "{\"480 p\": \"854x480\",", P1 "/sizes/16:9/480 p: is no name of a resolution" },
    { "\"defaultResolution\": \"480p\"", "\"defaultResolution\": \"720p\"", P1 "/defaultResolution: is not there for 1:1" },
    { "\"defaultResolution\": \"480p\"", "\"defaultResolution\": \"4k\"", P1 "/defaultResolution: is not there for 16:9" },
    { "\"720p\": 3000, \"*\": 2000", "\"720p\": 1000, \"*\": 2000",
      P1 "/defaultResolution: must not be the dearest where there is a choice" },
    { "\"outputLifeSeconds\": 7200,", "", P1 "/outputLifeSeconds: is required" },
    { "\"720p\": 3000, \"*\": 2000", "\"720p\": 3000", P1 "/price/micro: has no entry for 480p" },
    { "\"USD\"", "\"usd\"", P1 "/price/currency: must be three capital letters" },
    { "\"currency\": \"USD\", \"per\": \"clip\", \"micro\": 5000", "\"currency\": \"EUR\", \"per\": \"clip\", \"micro\": 5000",
      P1 "/cost/currency: must be the price's" },
    { "2026-11-01", "2026-11-31", P1 "/price/asOf: must be a day" },
    { "\"720p\": 3000, \"*\": 2000", "\"730p\": 3000, \"*\": 2000", P1 "/price/micro/730p: is no resolution" },
    { "\"720p\": 1500, \"*\": 1600", "\"480p\": 1500", N1 "/price/audioMicro: has no entry for 720p" },
    { "\"*\": 1600", "\"480p\": 1600", N1 "/price/audioMicro/480p: is no resolution" },
    { "\"micro\": 5000", "\"micro\": 5000, \"audioMicro\": 6000", P1 "/cost/audioMicro: is for models that leave" },
    { "2026-09-15", "2026-02-29", P0 "/retiresOn: must be a day" },
    { "2026-09-15", "15.09.2026", P0 "/retiresOn: must be a day" },
    { "\"substitute\": \"plain-1\"", "\"substitute\": \"plain-9\"", P0 "/substitute: is no model" },
    { "\"substitute\": \"plain-1\"", "\"substitute\": \"plain-0\"", P0 "/substitute: plain-0 does not outlive it" },
    { "\"retiresOn\": \"2026-09-15\",", "", P0 "/substitute: needs retiresOn" },
    { "\"concurrency\": 2,", "\"retiresOn\": \"2026-09-15\",", P0 "/substitute: plain-1 does not outlive it" },
    { "\"image\": \"optional\",", "", N1 "/remoteImage: is for models that take an image" },
    { "\"seed\": true,\n          \"concurrency\"", "\"imageDecidesRatio\": true, \"concurrency\"",
      P1 "/imageDecidesRatio: is for models that take an image" },
    { "\"prompt\": \"prompt\",", "", N1 "/parameters/prompt: needs a name" },
    { "\"image\": \"image_url\",", "", N1 "/parameters/image: needs a name" },
    { "\"aspectRatio\": \"aspect_ratio\",", "", N1 "/parameters/aspectRatio: needs a name" },
    { "\"9:16\": {\"720p\": null}", "\"9:16\": {\"720p\": null, \"480p\": null}", N1 "/parameters/resolution: needs a name" },
    { "\"duration\": {\"name\": \"duration\", \"suffix\": \"s\"},", "", N1 "/parameters/duration: needs a name" },
    { "\"name\": \"duration\", ", "", N1 "/parameters/duration: needs a name" },
    { "\"seed\": {\"name\": \"seed\", \"as\": \"text\"},", "", N1 "/parameters/seed: needs a name" },
    { "\"audio\": \"generate_audio\",", "", N1 "/parameters/audio: needs a name" },
    { ",\n            \"negativePrompt\": \"negative_prompt\"", "", N1 "/parameters/negativePrompt: needs a name" },
    { "\"suffix\": \"s\"", "\"suffix\": \"s\", \"as\": \"number\"", N1 "/parameters/duration/suffix: makes a text" },
    { "\"suffix\": \"s\"", "\"moreFrames\": 1", N1 "/parameters/duration/moreFrames: needs fps" },
    { "\"as\": \"text\"", "\"fps\": 8", N1 "/parameters/seed: only a duration can be in frames" },
    { "\"fixed\": {\"mode\": \"std\"}", "\"workflow\": {\"1\": {}}", N1 "/workflow: the adapter fal has no use for it" },
    { "\"fixed\": {\"mode\": \"std\"}", "\"outputNode\": \"1\"", N1 "/outputNode: the adapter fal has no use for it" },
    { "\"workflow\":", "\"fixed\":", L1 "/workflow: is required by the adapter comfyui" },
    { "6.inputs.text", "6.inputs.words", L1 "/parameters/prompt: 6.inputs.words is nowhere in the workflow" },
    { "6.inputs.text", "60.inputs.text", L1 "/parameters/prompt: 60.inputs.text is nowhere" },
    { "\"outputNode\": \"9\"", "\"outputNode\": \"90\"", L1 "/outputNode: is no node of the workflow" },
    { "\"height\": \"5.inputs.height\",", "", L1 "/parameters/aspectRatio: needs a name" },
};

/* Adapters with a fixed form of request name most members themselves, but not these. */
static const struct slip shipped[] = {
    { "\"720:1280\"}},\n            \"seed\": \"seed\"", "\"720:1280\"}}",
      "/providers/runway/models/runway-gen-4.5/parameters/seed: needs a name" },
    { "{\"negativePrompt\": \"negativePrompt\"}", "{}",
      "/providers/veo/models/veo-3.1/parameters/negativePrompt: needs a name" },
    { "\"name\": \"mode\", ", "", "/providers/kling_legacy/models/kling-legacy-2.6/parameters/resolution: needs a name" },
};

static void check_slips(const char *file, const struct slip *slip, size_t n)
{
    struct t_world w;
    const struct catalogue *c;
    t_begin(&w);
    struct conf conf = conf_for("");
    struct fg_str text = t_file(&w.cx, file);
    CHECK_CODE(&w.cx, kit_load(&w.cx, &conf, text, &c), FG_OK);
    catalogue_drop(c);
    for (size_t i = 0; i < n; i++) {
        enum fg_code rc = kit_load(&w.cx, &conf, kit_with(&w.cx, text, slip[i].from, slip[i].to), &c);
        CHECK(rc == FG_CONFIG, slip[i].want);
        struct fg_str want = arena_fmt(w.cx.mem, "%.*s: %s", FG_P(conf.catalogue_file), slip[i].want);
        if (!fg_starts(fg_str_c(w.cx.err.detail), want))
            CHECK_STR(fg_str_c(w.cx.err.detail), want, "file, path and words");
    }
    t_end(&w, 0);
}

TEST(the_schema_is_asked)
{
    check_slips(SMALL, shapes, FG_LEN(shapes));
}

TEST(every_rule_that_a_schema_cannot_say_is_named_with_its_path)
{
    check_slips(SMALL, rules, FG_LEN(rules));
    check_slips(SHIPPED, shipped, FG_LEN(shipped));
}

TEST(what_is_no_file_and_no_json_is_named_too)
{
    struct t_world w;
    const struct catalogue *c;
    t_begin(&w);
    struct conf conf = conf_for("/nonexistent/catalogue.json");
    CHECK_CODE(&w.cx, catalogue_load(&w.cx, &conf, &c), FG_CONFIG);
    CHECK(strstr(w.cx.err.detail, "/nonexistent/catalogue.json: No such file"), "says why");
    CHECK_CODE(&w.cx, kit_load(&w.cx, &conf, FG_LIT("{\"a\":1,\"a\":2}"), &c), FG_CONFIG);
    CHECK(strstr(w.cx.err.detail, "duplicate key"), w.cx.err.detail);
    CHECK_CODE(&w.cx, kit_load(&w.cx, &conf, FG_LIT("{"), &c), FG_CONFIG);
    CHECK(strstr(w.cx.err.detail, "byte"), w.cx.err.detail);
    char *big = arena_get(w.cx.mem, FG_MIB);
    memset(big, ' ', FG_MIB);
    CHECK_CODE(&w.cx, kit_load(&w.cx, &conf, (struct fg_str){ big, FG_MIB }, &c), FG_CONFIG);
    CHECK(strstr(w.cx.err.detail, "bytes or more"), w.cx.err.detail);
    t_end(&w, 0);
}

TEST(many_models_and_sizes_have_an_end)
{
    struct t_world w;
    const struct catalogue *c;
    t_begin(&w);
    struct conf conf = conf_for("");
    struct fg_str small = t_file(&w.cx, SMALL);
    struct sb models = sb_in(w.cx.mem, FG_MIB), sizes = sb_in(w.cx.mem, FG_MIB);
    for (int i = 0; i < CATALOGUE_MODELS_MAX - 2; i++)
        sb_addf(&models, "\"m-%d\": {\"remote\": \"m\", \"durations\": [5], \"sizes\": {\"1:1\": {\"x\": \"64x64\"}}, "
                "\"defaultResolution\": \"x\", \"outputLifeSeconds\": 60, "
                "\"price\": {\"currency\": \"USD\", \"per\": \"clip\", \"micro\": 1}}, ", i);
    sb_add(&models, FG_LIT("\"plain-1\": {"));
    CHECK_CODE(&w.cx, kit_load(&w.cx, &conf, kit_with(&w.cx, small, "\"plain-1\": {", sb_cstr(&models)), &c), FG_CONFIG);
    CHECK(strstr(w.cx.err.detail, N1 ": is over 128 models"), w.cx.err.detail);
    for (int i = 0; i < CATALOGUE_SIZES_MAX; i++)
        sb_addf(&sizes, "\"r%d\": \"64x64\", ", i);
    sb_add(&sizes, FG_LIT("\"480p\": \"480x480\""));
    CHECK_CODE(&w.cx, kit_load(&w.cx, &conf, kit_with(&w.cx, small, "\"480p\": \"480x480\"", sb_cstr(&sizes)), &c),
               FG_CONFIG);
    CHECK(strstr(w.cx.err.detail, ": is over 40 sizes"), w.cx.err.detail);
    t_end(&w, 0);
}

/* ---- its life ---- */

/* Edits within one tick of the file system's clock must be seen by their size; these differ in size too. */
TEST(it_is_renewed_when_the_file_changes_and_kept_when_the_file_is_wrong)
{
    struct t_world w;
    char path[KIT_PATH_MAX];
    bool changed = true;
    t_begin(&w);
    struct fg_str small = t_file(&w.cx, SMALL);
    kit_file(path, small);
    struct conf conf = conf_for(path);
    const struct catalogue *c = loaded(&w.cx, &conf), *old = catalogue_hold(c);
    CHECK_CODE(&w.cx, catalogue_renew(&w.cx, &conf, &c, &changed), FG_OK);
    CHECK(!changed && c == old, "nothing has changed");

    kit_write(path, kit_with(&w.cx, small, "\"p-1\"", "\"p-one\""));
    CHECK_CODE(&w.cx, catalogue_renew(&w.cx, &conf, &c, &changed), FG_OK);
    CHECK(changed && c != old, "a new one");
    CHECK_IS(catalogue_model(c, FG_LIT("plain-1"))->remote, "p-one", "as the file says now");
    CHECK_IS(catalogue_model(old, FG_LIT("plain-1"))->remote, "p-1", "the old one lives while it is held");
    catalogue_drop(old);

    const struct catalogue *good = c;
    kit_write(path, kit_with(&w.cx, small, "\"p-1\"", "\"\""));
    CHECK_CODE(&w.cx, catalogue_renew(&w.cx, &conf, &c, &changed), FG_CONFIG);
    CHECK(!changed && c == good && strstr(w.cx.err.detail, P1 "/remote"), "a wrong file changes nothing");
    CHECK_CODE(&w.cx, catalogue_renew(&w.cx, &conf, &c, &changed), FG_OK);
    CHECK(!changed && c == good, "it is told once");
    unlink(path);
    CHECK_CODE(&w.cx, catalogue_renew(&w.cx, &conf, &c, &changed), FG_CONFIG);
    CHECK_CODE(&w.cx, catalogue_renew(&w.cx, &conf, &c, &changed), FG_OK);
    CHECK(c == good, "a file that is gone changes nothing either");
    kit_write(path, small);
    CHECK_CODE(&w.cx, catalogue_renew(&w.cx, &conf, &c, &changed), FG_OK);
    CHECK(changed, "it is back");
    unlink(path);
    catalogue_drop(c);
    t_end(&w, 0);
}

/* The same number of bytes at the same time: only the inode tells. */
TEST(a_file_put_in_its_place_is_another_file)
{
    struct t_world w;
    char path[KIT_PATH_MAX], fresh[KIT_PATH_MAX];
    struct stat st;
    bool changed;
    t_begin(&w);
    struct fg_str small = t_file(&w.cx, SMALL);
    kit_file(path, small);
    struct conf conf = conf_for(path);
    const struct catalogue *c = loaded(&w.cx, &conf);
    kit_file(fresh, kit_with(&w.cx, small, "\"p-1\"", "\"q-1\""));
    CHECK(stat(path, &st) == 0 && utimensat(AT_FDCWD, fresh, (struct timespec[]){ st.st_atim, st.st_mtim }, 0) == 0 &&
              rename(fresh, path) == 0, "put in place");
    CHECK_CODE(&w.cx, catalogue_renew(&w.cx, &conf, &c, &changed), FG_OK);
    CHECK(changed, "noticed");
    CHECK_IS(catalogue_model(c, FG_LIT("plain-1"))->remote, "q-1", "and read");
    unlink(path);
    catalogue_drop(c);
    catalogue_drop(NULL);
    t_end(&w, 0);
}
