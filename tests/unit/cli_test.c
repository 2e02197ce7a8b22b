/* filmgate catalogue check: what it prints, and when it fails. */
#include "cli/cli.h"

#include "base/time.h"
#include "unit/catalogue_kit.h"

#define SMALL "tests/data/catalogue/small.json"

static struct t_world w;
static struct conf conf;

static void begin(const char *now)
{
    t_begin(&w);
    conf = (struct conf){ .catalogue_file = FG_LIT(SMALL), .provider_n = 2 };
    conf.provider[0] = (struct conf_provider){ .name = FG_LIT("plain"), .key = FG_LIT("topsecret") };
    conf.provider[1] = (struct conf_provider){ .name = FG_LIT("named") };
    CHECK(time_parse_iso(fg_str_c(now), &w.cx.now_us), now);
}

/* Standard output of one run, in the arena. */
static enum fg_code run(const char *file, const char **out)
{
    char path[KIT_PATH_MAX], *argv[] = { arena_cstr(w.cx.mem, fg_str_c(file)) };
    kit_file(path, FG_LIT(""));
    (void)fflush(stdout);
    int before = dup(STDOUT_FILENO);
    CHECK(before >= 0 && freopen(path, "w", stdout) != NULL, path);
    enum fg_code rc = cli_catalogue_check(&w.cx, &conf, file ? 1 : 0, argv);
    (void)fflush(stdout);
    CHECK(dup2(before, STDOUT_FILENO) >= 0 && close(before) == 0, "back");
    *out = t_file(&w.cx, path).p;
    unlink(path);
    return rc;
}

TEST(a_good_catalogue_is_shown)
{
    static const char *const line[] = {
        "\nplain            openai         yes             2     3  https://plain.example/v1\n",
        "\nlocal            comfyui        no              1     1  http://127.0.0.1:8188\n",
        "\nplain-1                        plain        5-8        480p        0.002000 USD/s     -\n",
        "\nplain-0                        plain        5          480p        0.002000 USD/s     2026-09-15, then plain-1\n",
        "\nnamed-1                        named        4,6,8      720p        0.001000 USD/s     -\n",
        "\nlocal-1                        local        2-3        480p        0.000100 USD/clip  -\n",
        "\nmain             named-1 plain-1   <- default\n",
        "\nwarning: named is set up without a key in this configuration\n",
        "\nwarning: plain has no webhook_secrets in this configuration: its callbacks cannot be verified\n",
        "\n" SMALL " is in order: 3 providers, 4 models, 2 routes\n",
    };
    const char *out;
    begin("2026-08-01T00:00:00Z");
    CHECK_CODE(&w.cx, run(NULL, &out), FG_OK);
    for (size_t i = 0; i < FG_LEN(line); i++)
        CHECK(strstr(out, line[i]) != NULL, line[i]);
    CHECK(!strstr(out, "topsecret"), "no secret is shown");
    CHECK(!strstr(out, "retire"), "45 days are not soon");
    t_end(&w, 0);
}

TEST(retirement_and_dead_routes_are_warned_of)
{
    static const struct { const char *now, *want; } row[] = {
        { "2026-08-16T00:00:00Z", "\nwarning: plain-0 retires soon: 2026-09-15, then plain-1\n" },
        { "2026-09-15T00:00:00Z", "\nwarning: plain-0 is retired: 2026-09-15, then plain-1\n" },
    };
    const char *out;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        begin(row[i].now);
        CHECK_CODE(&w.cx, run(NULL, &out), FG_OK);
        CHECK(strstr(out, row[i].want), row[i].want);
        t_end(&w, 0);
    }
    begin("2026-08-01T00:00:00Z");
    conf.provider[0].disabled = true;
    CHECK_CODE(&w.cx, run(NULL, &out), FG_OK);
    CHECK(strstr(out, "\nmain             named-1 (plain-1)   <- default\n"), "brackets");
    CHECK(strstr(out, "\nwarning: other is a route without any model that is set up and alive\n"), "nobody serves it");
    CHECK(!strstr(out, "warning: main"), "somebody serves that one");
    t_end(&w, 0);
}

TEST(a_wrong_catalogue_fails_with_its_path)
{
    char path[KIT_PATH_MAX];
    const char *out;
    begin("2026-08-01T00:00:00Z");
    kit_file(path, kit_with(&w.cx, t_file(&w.cx, SMALL), "\"concurrency\": 3", "\"concurrency\": 0"));
    CHECK_CODE(&w.cx, run(path, &out), FG_CONFIG);
    CHECK(fg_starts(fg_str_c(w.cx.err.detail), arena_fmt(w.cx.mem, "%s: /providers/plain/concurrency: ", path)),
          w.cx.err.detail);
    CHECK_IS(fg_str_c(out), "", "nothing is shown");
    unlink(path);
    t_end(&w, 0);
}
