/* Where the key may go and where files may lie: hostile URLs, hosts that only look like ours. */
#include "adapter_kit.h"
#include "provider/adapter.h"

static const struct provider_site fal_site = {
    .base_url = { "https://queue.fal.run", 21 },
    .history_url = { "https://api.fal.ai/v1", 21 },
    .host = { { "rest.fal.ai", 11 }, { "127.0.0.1:9000", 14 }, { "*.cdn.fal.run", 13 } },
    .host_n = 3,
    .output_host = { { "v3.fal.media", 12 }, { "*.replicate.delivery", 20 } },
    .output_host_n = 2,
};

TEST(the_key_goes_to_known_places_alone)
{
    static const struct {
        const char *why, *url;
        bool knows, has_files;
    } row[] = {
        { "its own", "https://queue.fal.run/fal-ai/veo3.1/requests/1", true, true },
        { "nothing after the host", "https://queue.fal.run", true, true },
        { "a query at once", "https://queue.fal.run?x", true, true },
        { "a fragment at once", "https://queue.fal.run#@evil.example/", true, true },
        { "a host has no case", "https://Queue.FAL.run/", true, true },
        { "its history's", "https://api.fal.ai/v2", true, true },
        { "a named one", "https://rest.fal.ai/x", true, true },
        { "one below", "https://a.b.cdn.fal.run/x", true, true },
        { "the operator's own, in clear", "http://127.0.0.1:9000/x", true, true },
        { "the same, not in clear", "https://127.0.0.1:9000/x", true, true },
        { "files only", "https://v3.fal.media/files/x", false, true },
        { "files only, below", "https://x.replicate.delivery/y", false, true },
        { "files in clear: the fetch decides", "http://v3.fal.media/files/x", false, true },
        { "in clear", "http://queue.fal.run/x", false, false },
        { "a named one in clear", "http://rest.fal.ai/x", false, false },
        { "another port", "https://queue.fal.run:8443/x", false, false },
        { "even the same port", "https://queue.fal.run:443/x", false, false },
        { "another port of the operator's", "http://127.0.0.1:9001/x", false, false },
        { "no port", "https://queue.fal.run:/x", false, false },
        { "a prefix", "https://queue.fal.run.evil.example/x", false, false },
        { "a suffix", "https://evilqueue.fal.run/x", false, false },
        { "a host below its own", "https://x.queue.fal.run/x", false, false },
        { "a suffix of a pattern", "https://evilcdn.fal.run/x", false, false },
        { "the pattern without its star", "https://cdn.fal.run/x", false, false },
        { "nothing for the star", "https://.cdn.fal.run/x", false, false },
        { "the star itself is no host", "https://*.replicate.delivery.evil.example/x", false, false },
        { "a dot at the end", "https://queue.fal.run./x", false, false },
        { "a user", "https://queue.fal.run@evil.example/x", false, false },
        { "a user who is at home", "https://evil.example@queue.fal.run/x", false, false },
        { "user and word", "https://queue.fal.run:pw@evil.example/x", false, false },
        { "a user, escaped", "https://queue.fal.run%40evil.example/x", false, false },
        { "a slash, escaped", "https://evil.example%2F.cdn.fal.run/x", false, false },
        { "a backslash", "https://queue.fal.run\\@evil.example/x", false, false },
        { "a backslash before the host", "https:\\\\queue.fal.run/x", false, false },
        { "a backslash below a pattern", "https://evil.example\\.cdn.fal.run/x", false, false },
        { "a blank", "https://queue.fal.run /x", false, false },
        { "a blank before", " https://queue.fal.run/x", false, false },
        { "a line feed", "https://evil.example\n.cdn.fal.run/x", false, false },
        { "a tab", "https://queue\t.fal.run/x", false, false },
        { "a full-width slash", "https://evil.example\xef\xbc\x8f.cdn.fal.run/x", false, false },
        { "DEL", "https://x\x7f.cdn.fal.run/x", false, false },
        { "no host", "https:///queue.fal.run/x", false, false },
        { "one slash", "https:/queue.fal.run/x", false, false },
        { "no scheme", "//queue.fal.run/x", false, false },
        { "a host alone", "queue.fal.run", false, false },
        { "another scheme", "ftp://queue.fal.run/x", false, false },
        { "a script", "javascript://queue.fal.run/%0aalert(1)", false, false },
        { "a loud scheme", "HTTPS://queue.fal.run/x", false, false },
        { "elsewhere", "https://evil.example/https://queue.fal.run/", false, false },
        { "elsewhere with a hint", "https://evil.example?queue.fal.run", false, false },
        { "empty", "", false, false },
        { "none", NULL, false, false },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_I64(site_knows(&fal_site, fg_str_c(row[i].url)), row[i].knows, row[i].why);
        CHECK_I64(site_has_files(&fal_site, fg_str_c(row[i].url)), row[i].has_files, row[i].why);
    }
    struct fg_str nul = FG_LIT("https://queue.fal.run\0.evil.example/");
    CHECK(!site_knows(&fal_site, nul) && !site_has_files(&fal_site, nul), "a NUL ends a host for some");
}

TEST(sites_of_other_shapes)
{
    struct provider_site site = { .base_url = FG_LIT("http://127.0.0.1:8188") };
    CHECK(site_knows(&site, FG_LIT("http://127.0.0.1:8188/view")), "a base in clear knows itself");
    CHECK(!site_knows(&site, FG_LIT("https://127.0.0.1:8188/view")), "by its scheme");
    CHECK(!site_knows(&site, FG_LIT("http://127.0.0.1/view")), "and its port");
    site.output_host[site.output_host_n++] = FG_LIT("*");
    CHECK(site_has_files(&site, FG_LIT("https://any.example/x")), "any host");
    CHECK(!site_has_files(&site, FG_LIT("https://a@any.example/x")), "but none in disguise");
    CHECK(!site_knows(&site, FG_LIT("https://any.example/x")), "and none sees the key");
    site = (struct provider_site){ .base_url = FG_LIT("not a URL") };
    CHECK(!site_knows(&site, FG_LIT("not a URL")), "a base that is none knows nothing");
}

TEST(links_are_kept_and_followed)
{
    static const char *const path[] = { "a", "u.b", "c", NULL };
    struct t_world w;
    t_begin(&w);
    const struct js *v =
        parsed(&w.cx, "{\"a\":\"https://queue.fal.run/a\",\"u\":{\"b\":\"https://evil.example/b\"},"
                      "\"c\":\"https://queue.fal.run/c d\"}");
    struct fg_str links = adapter_links(&w.cx, v, path);
    CHECK_IS(links, "https://queue.fal.run/a\nhttps://evil.example/b\n", "one a line; c is no URL");
    CHECK_IS(adapter_link(&fal_site, links, 0), "https://queue.fal.run/a", "known");
    CHECK(!adapter_link(&fal_site, links, 1).p, "another host");
    CHECK(!adapter_link(&fal_site, links, 2).p, "not kept");
    CHECK(!adapter_link(&fal_site, links, 3).p, "never was");
    CHECK(!adapter_link(&fal_site, FG_NONE, 0).p, "lost");
    CHECK_IS(adapter_links(&w.cx, NULL, path), "\n\n", "nothing there");
    v = parsed(&w.cx, "{\"a\":\"https://queue.fal.run/a\\n\",\"c\":[\"https://queue.fal.run/c\"]}");
    CHECK_IS(adapter_links(&w.cx, v, path), "\n\n", "a line feed would make two of one");
    t_end(&w, 0);
}
