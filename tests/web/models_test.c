/* GET /v1/models, and a catalogue that changes while a pool runs. */
#include <stdio.h>
#include <unistd.h>

#include "app.h"
#include "base/arena.h"
#include "base/time.h"
#include "web/web_world.h"

static const struct js *model(struct web_world *w, const char *name)
{
    const struct js *data = js_get(web_json(w), "data");
    struct fg_str have;
    for (size_t i = 0; i < js_len(data); i++)
        if (js_str(js_get(js_at(data, i), "name"), &have) && fg_eq(have, fg_str_c(name)))
            return js_at(data, i);
    CHECK(false, name);
    return NULL;
}

/* A value as compact JSON. */
static struct fg_str shown(struct web_world *w, const struct js *v)
{
    struct sb b = sb_in(w->cx->mem, 64 * FG_KIB);
    js_write(&b, v);
    return sb_str(&b);
}

static struct fg_str member(struct web_world *w, const char *name, const char *key)
{
    return shown(w, js_get(model(w, name), key));
}

TEST(what_can_be_asked_for_is_shown)
{
    static const struct { const char *model, *key, *want; } row[] = {
        { "studio-1", "provider", "\"studio\"" },
        { "studio-1", "available", "true" },
        { "studio-1", "why", "null" },
        { "studio-1", "durations", "[5,6,7,8,9,10]" },
        { "studio-1", "defaultResolution", "\"480p\"" },
        { "studio-1", "image", "\"optional\"" },
        { "studio-1", "seed", "true" },
        { "studio-1", "audio", "\"none\"" },
        { "studio-1", "negativePrompt", "false" },
        { "studio-1", "promptMax", "1000" },
        { "studio-1", "retiresOn", "null" },
        { "studio-1", "substitute", "null" },
        { "studio-1", "pricing",
          "{\"currency\":\"USD\",\"per\":\"second\",\"byResolution\":["
          "{\"resolution\":\"360p\",\"micro\":2000,\"audioMicro\":2000},"
          "{\"resolution\":\"480p\",\"micro\":2000,\"audioMicro\":2000},"
          "{\"resolution\":\"720p\",\"micro\":2000,\"audioMicro\":2000}]}" },
        { "fal-veo-3.1", "available", "false" },
        { "fal-veo-3.1", "why", "\"is not set up here\"" },
        { "fal-veo-3.1", "durations", "[4,6,8]" },
        { "fal-veo-3.1", "audio", "\"choice\"" },
        { "runway-gen-4-turbo", "image", "\"required\"" },
        { "kling-3.0", "imageDecidesRatio", "true" },
        { "kling-legacy-2.1", "retiresOn", "\"2026-09-15\"" },
        { "kling-legacy-2.1", "substitute", "\"kling-legacy-2.6\"" },
        { "kling-legacy-2.1", "why", "\"was retired on 2026-09-15\"" },
    };
    struct web_world w;
    web_begin(&w);
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/models"), NULL), 200, "models");
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_STR(member(&w, row[i].model, row[i].key), fg_str_c(row[i].want), row[i].key);
    const struct js *sizes = js_get(model(&w, "studio-1"), "sizes");
    CHECK_I64(js_len(sizes), 9, "three ratios in three resolutions");
    CHECK_STR(shown(&w, js_at(sizes, 0)),
              FG_LIT("{\"aspectRatio\":\"16:9\",\"resolution\":\"360p\",\"width\":640,\"height\":360}"), "a size");
    CHECK_STR(shown(&w, js_at(js_get(model(&w, "veo-3.1"), "sizes"), 0)),
              FG_LIT("{\"aspectRatio\":\"16:9\",\"resolution\":\"720p\",\"width\":null,\"height\":null}"),
              "no pixels are promised");
    CHECK_IS(web_text(&w, "defaultRoute"), "fast", "of a request that names no model");
    struct fg_str routes = shown(&w, js_get(web_json(&w), "routes"));
    CHECK(fg_starts(routes, FG_LIT("[{\"name\":\"fast\",\"models\":[\"veo-3.1-fast\",")), "a route");
    struct fg_str all = sb_str(&w.resp.body);
    static const char *const inner[] = { "fal-ai/", "keyRef", "https://", "workflow", "remote" };
    for (size_t i = 0; i < FG_LEN(inner); i++)
        CHECK(!strstr(arena_cstr(w.cx->mem, all), inner[i]), inner[i]);
    web_end(&w, 0);
}

/* What a request is checked with is what is told: each bound is the last value that passes. */
TEST(the_rules_that_are_told_are_those_of_the_door)
{
    static const struct { const char *field, *want; } row[] = {
        { "prompt", "{\"type\":\"string\",\"required\":true,\"trimmed\":true,\"min\":1,\"max\":1000}" },
        { "aspectRatio", "{\"type\":\"string\",\"required\":true,\"trimmed\":false}" },
        { "negativePrompt", "{\"type\":\"string\",\"required\":false,\"trimmed\":false,\"min\":0,\"max\":1000}" },
        { "seed", "{\"type\":\"integer\",\"required\":false,\"min\":0,\"max\":4294967295}" },
        { "retainDays", "{\"type\":\"integer\",\"required\":false,\"min\":1,\"max\":36500}" },
        { "audio", "{\"type\":\"boolean\",\"required\":false}" },
        { "metadata", "{\"type\":\"object\",\"required\":false}" },
    };
    static const char *const numbers[] = { "seed", "deadlineSeconds", "retainDays" };
    struct web_world w;
    web_begin(&w);
    w.conf.media_upload_bytes = 123456;
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/models"), NULL), 200, "models");
    const struct js *rules = js_get(web_json(&w), "rules"), *fields = js_get(rules, "fields");
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_STR(shown(&w, js_get(fields, row[i].field)), fg_str_c(row[i].want), row[i].field);
    CHECK_STR(shown(&w, js_get(rules, "metadata")),
              FG_LIT("{\"maxKeys\":16,\"maxKeyCharacters\":64,\"maxValueCharacters\":512,\"maxBytes\":16000}"), "metadata");
    CHECK_STR(shown(&w, js_get(rules, "upload")),
              FG_LIT("{\"types\":[\"image/png\",\"image/jpeg\",\"image/webp\"],\"maxBytes\":123456,\"maxPixels\":50000000,"
                     "\"maxSide\":65535,\"minSide\":8,\"keptSide\":4096,\"keptHours\":24}"), "pictures, as they are set");
    for (size_t i = 0; i < FG_LEN(numbers); i++) {
        int64_t most = 0, least = 0;
        const struct js *f = js_get(fields, numbers[i]);
        CHECK(js_i64(js_get(f, "max"), &most) && js_i64(js_get(f, "min"), &least), numbers[i]);
        const struct { int64_t n, want; } edge[] = { { least, 200 }, { most, 200 }, { least - 1, 400 }, { most + 1, 400 } };
        for (size_t k = 0; k < FG_LEN(edge); k++) {
            const char *body = arena_fmt(w.cx->mem, "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":5,\"%s\":%lld}",
                                         numbers[i], (long long)edge[k].n).p;
            CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/quotes"), body), edge[k].want, body);
        }
    }
    web_end(&w, 0);
}

static void write_file(const char *path, struct fg_str text)
{
    FILE *f = fopen(path, "we");
    CHECK(f && fwrite(text.p, 1, text.n, f) == text.n && fclose(f) == 0, path);
}

TEST(a_changed_file_is_taken_over_between_two_requests)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str text = t_file(w.cx, "core/provider/catalogue.json");
    const char *path = arena_fmt(w.cx->mem, "%s/renewed.json", db_server_dir()).p;
    write_file(path, text);
    w.conf.catalogue_file = fg_str_c(path);
    const struct catalogue *first = w.app->catalogue;
    app_renew(w.cx, w.app);
    CHECK(w.app->catalogue != first && strstr(w.t.last_line, "catalogue.renewed"), "another file is another catalogue");
    const struct catalogue *second = w.app->catalogue;

    write_file(path, FG_LIT("{"));
    app_renew(w.cx, w.app);
    CHECK(w.app->catalogue == second && w.t.error_lines == 0, "it looks once a second");
    w.t.mono_us += FG_US_PER_S;
    app_renew(w.cx, w.app);
    CHECK(w.app->catalogue == second && w.t.error_lines == 1, "a wrong file is told");
    CHECK(strstr(w.t.last_line, "catalogue.wrong") && strstr(w.t.last_line, path), "with its name");
    w.t.mono_us += FG_US_PER_S;
    app_renew(w.cx, w.app);
    CHECK(w.app->catalogue == second && w.t.error_lines == 1, "once");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/models"), NULL), 200, "the pool serves on with what it has");

    write_file(path, text);
    w.t.mono_us += FG_US_PER_S;
    app_renew(w.cx, w.app);
    CHECK(w.app->catalogue != second && w.t.error_lines == 1, "mended");
    unlink(path);
    web_end(&w, 1);
}
