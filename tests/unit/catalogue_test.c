/* The catalogue: the shipped file loads; every slip is named with its path. */
#include <stdio.h>
#include <unistd.h>

#include "base/sb.h"
#include "provider/catalogue.h"
#include "t.h"

#define SHIPPED "core/provider/catalogue.json"

static struct conf conf_for(const char *file)
{
    static struct conf conf;
    conf = (struct conf){ .server_public_url = FG_LIT("http://127.0.0.1:8080"),
                          .catalogue_file = fg_str_c(file),
                          .provider_n = 1 };
    conf.provider[0] =
        (struct conf_provider){ FG_LIT("studio"), FG_LIT("key"), FG_LIT("whsec_AAAA") };
    return conf;
}

TEST(the_shipped_catalogue_loads)
{
    struct t_world w;
    static struct catalogue c;
    struct conf conf = conf_for(SHIPPED);
    t_begin(&w);
    CHECK_CODE(&w.cx, catalogue_load(&w.cx, &conf, &c), FG_OK);
    const struct cat_provider *p = catalogue_provider(&c, FG_LIT("studio"));
    const struct cat_model *m = catalogue_model(&c, FG_NONE, FG_LIT("studio-1"));
    CHECK(p && m && m == c.default_model && m->provider == p,
          "one of each, joined in the result itself");
    CHECK(p->adapter == &provider_openai, "the adapter");
    CHECK_IS(p->site.base_url, "http://127.0.0.1:8080/studio/v1", "public_url is put in");
    CHECK_IS(p->site.key, "key", "from the configuration");
    CHECK_IS(p->site.webhook_secrets, "whsec_AAAA", "likewise");
    CHECK(p->site.extras && p->callbacks, "the studio takes extras and calls back");
    CHECK_I64(p->concurrency, 8, "");
    CHECK_I64(p->attempts_max, 3, "");
    CHECK_I64(p->output_life_s, 86400, "");
    CHECK_I64(p->unknown_by, UNKNOWN_BY_REPLAY, "");
    CHECK_I64(p->unknown_then, UNKNOWN_FAIL, "what may have been billed is not asked for twice");
    CHECK_I64(p->unknown_wait_s, 600, "");
    CHECK(m->min_s == 5 && m->max_s == 10 && m->image && m->seed && m->size_n == 9, "the model");
    CHECK_IS(m->currency, "USD", "");
    CHECK(catalogue_model(&c, FG_LIT("studio"), FG_LIT("studio-1")) == m, "with its provider");
    CHECK(!catalogue_model(&c, FG_LIT("other"), FG_LIT("studio-1")), "not with another");
    CHECK(!catalogue_model(&c, FG_NONE, FG_LIT("studio-2")), "no such model");
    const struct cat_size *s = catalogue_size(m, FG_LIT("9:16"), FG_LIT("720p"));
    CHECK(s && s->width == 720 && s->height == 1280, "upright");
    CHECK(!catalogue_size(m, FG_LIT("4:3"), FG_LIT("720p")), "no such ratio");
    t_end(&w, 0);
}

/* The text (NUL-terminated, as t_file gives it) with one thing replaced. */
static struct fg_str with(struct fg_ctx *cx, struct fg_str text, const char *from, const char *to)
{
    struct sb b = sb_in(cx->mem, text.n + 1000);
    const char *at = strstr(text.p, from);
    CHECK(at != NULL, from);
    size_t before = (size_t)(at - text.p), after = before + strlen(from);
    sb_add(&b, (struct fg_str){ text.p, before });
    sb_add(&b, fg_str_c(to));
    sb_add(&b, (struct fg_str){ text.p + after, text.n - after });
    CHECK(!b.bad, to);
    return sb_str(&b);
}

static enum fg_code load_text(struct fg_ctx *cx, struct fg_str text)
{
    static struct catalogue c;
    char path[] = "/tmp/fg-catalogue-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n, "a temporary file");
    close(fd);
    struct conf conf = conf_for(path);
    enum fg_code rc = catalogue_load(cx, &conf, &c);
    unlink(path);
    return rc;
}

#define STUDIO ": /providers/studio"
#define MODEL STUDIO "/models/studio-1"

static const struct {
    const char *from, *to, *want;
} slips[] = {
    { "\"defaultModel\"", "\"defaultmodel\"", ": /defaultmodel: unknown key" },
    { "\"defaultModel\": \"studio-1\",", "", ": /defaultModel: is required" },
    { "\"defaultModel\": \"studio-1\"", "\"defaultModel\": \"studio-2\"",
      ": /defaultModel: is no model" },
    { "\"defaultModel\": \"studio-1\"", "\"defaultModel\": 1", ": /defaultModel: must be a text" },
    { "\"studio\": {", "\"stu/dio\": {", "is no name of a provider" },
    { "\"openai\"", "\"openia\"", STUDIO "/adapter: is no adapter" },
    { "{public_url}/studio/v1", "ftp://x", STUDIO "/baseUrl: must begin" },
    { "{public_url}/studio/v1", "{public_url}/studio/v1/", STUDIO "/baseUrl: is too long or ends" },
    { "{public_url}/studio/v1", "http://a@b", STUDIO "/baseUrl: has characters" },
    { "\"keyRef\": \"studio\"", "\"keyRef\": \"Studio!\"", STUDIO "/keyRef: must name" },
    { "\"extras\": true", "\"extras\": 1", STUDIO "/extras: must be true or false" },
    { "\"extras\": true", "\"extras\": false", STUDIO "/unknown/by: replay needs extras" },
    { "\"extras\": true,", "", STUDIO "/unknown/by: replay needs extras" },
    { "\"callbacks\": true", "\"callbacks\": \"yes\"", STUDIO "/callbacks: must be true or false" },
    { "\"concurrency\": 8", "\"concurrency\": 0",
      STUDIO "/concurrency: must be a whole number from 1" },
    { "\"concurrency\": 8", "\"concurrency\": 8.0", STUDIO "/concurrency: must be a whole number" },
    { "\"concurrency\": 8,", "", STUDIO "/concurrency: is required" },
    { "\"by\": \"replay\"", "\"by\": \"guess\"", STUDIO "/unknown/by: must be" },
    { "\"then\": \"fail\"", "\"then\": \"hope\"", STUDIO "/unknown/then: must be" },
    { "\"waitSeconds\": 600", "\"waitSeconds\": \"600\"",
      STUDIO "/unknown/waitSeconds: must be a whole" },
    { "{ \"min\": 5, \"max\": 10 }", "[5, 10]", MODEL "/durations: must be an object" },
    { "\"min\": 5", "\"min\": 11", MODEL "/durations: min is over max" },
    { "\"min\": 5", "\"mni\": 5", MODEL "/durations/mni: unknown key" },
    { "640x360", "641x360", MODEL "/sizes/16:9/360p: must be two even numbers" },
    { "640x360", "360x640", MODEL "/sizes/16:9/360p: does not have that aspect ratio" },
    { "\"16:9\"", "\"wide\"", "/sizes/wide/360p: is below no aspect ratio" },
    { "\"defaultResolution\": \"480p\"", "\"defaultResolution\": \"1080p\"",
      MODEL "/defaultResolution: is not there" },
    { "\"480p\": \"480x854\", ", "", MODEL "/defaultResolution: is not there for every" },
    { "\"USD\"", "\"usd\"", MODEL "/price/currency: must be three" },
    { "\"microPerSecond\": 2000", "\"microPerSecond\": 0.002",
      MODEL "/price/microPerSecond: must be a whole" },
    { "\"image\": true", "\"image\": null", MODEL "/image: must be true or false" },
    { "\"remote\": \"studio-1\"", "\"remote\": \"\"", MODEL "/remote: must have 1 to" },
    { "\"seed\": true", "\"seed\": true, \"seed\": true", "duplicate key" },
    { "{", "", "byte" },
};

TEST(every_slip_is_named_with_file_and_path)
{
    struct t_world w;
    t_begin(&w);
    struct fg_str shipped = t_file(&w.cx, SHIPPED);
    CHECK_CODE(&w.cx, load_text(&w.cx, shipped), FG_OK);
    for (size_t i = 0; i < FG_LEN(slips); i++) {
        CHECK_CODE(&w.cx, load_text(&w.cx, with(&w.cx, shipped, slips[i].from, slips[i].to)),
                   FG_CONFIG);
        CHECK(strstr(w.cx.err.detail, "/tmp/fg-catalogue-") == w.cx.err.detail,
              "the file comes first");
        if (!strstr(w.cx.err.detail, slips[i].want))
            CHECK_IS(fg_str_c(w.cx.err.detail), "", slips[i].want);
    }
    t_end(&w, 0);
}

TEST(a_missing_file_and_missing_secrets)
{
    struct t_world w;
    static struct catalogue c;
    struct conf conf = conf_for("/nonexistent/catalogue.json");
    t_begin(&w);
    CHECK_CODE(&w.cx, catalogue_load(&w.cx, &conf, &c), FG_CONFIG);
    CHECK(strstr(w.cx.err.detail, "No such file"), "says why");
    conf = conf_for(SHIPPED);
    conf.provider_n = 0;
    CHECK_CODE(&w.cx, catalogue_load(&w.cx, &conf, &c), FG_OK);
    CHECK(c.provider[0].site.key.n == 0, "no secret, no error: handlers have none");
    t_end(&w, 0);
}
