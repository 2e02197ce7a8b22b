#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/id.h"
#include "base/log.h"
#include "base/sb.h"
#include "base/scan.h"
#include "base/time.h"
#include "base/utf8.h"
#include "io/json.h"
#include "t.h"

TEST(a_builder_refuses_what_does_not_fit_and_stays_bad)
{
    struct t_world w;
    t_begin(&w);
    struct sb b = sb_in(w.cx.mem, 10);
    sb_add(&b, FG_LIT("12345"));
    sb_addf(&b, "%d", 67890);
    CHECK_IS(sb_str(&b), "1234567890", "exactly the maximum fits");
    CHECK(!b.bad, "nothing was cut");
    sb_add_c(&b, 'x');
    CHECK(b.bad, "one more does not");
    t_end(&w, 0);
}

TEST(json_text_is_escaped_so_that_it_reads_back_the_same)
{
    static const struct { struct fg_str in, out; const char *why; } row[] = {
        { { "a\"b\\c", 5 }, { "\"a\\\"b\\\\c\"", 9 }, "quotes and backslashes" },
        { { "\n\t\x01\x7f", 4 }, { "\"\\n\\t\\u0001\\u007f\"", 18 }, "control bytes" },
        { { "\xf0\x9f\x8e\xac", 4 }, { "\"\xf0\x9f\x8e\xac\"", 6 }, "four bytes stay" },
        { { "a\xff" "b", 3 }, { "\"a\xef\xbf\xbd" "b\"", 7 }, "a bad byte becomes U+FFFD" },
        { { "a\0b", 3 }, { "\"a\\u0000b\"", 10 }, "NUL" },
        { { "", 0 }, { "\"\"", 2 }, "empty" },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct sb b = sb_in(w.cx.mem, 100);
        sb_add_json(&b, row[i].in);
        CHECK_STR(sb_str(&b), row[i].out, row[i].why);
    }
    t_end(&w, 0);
}

TEST(numbers_have_a_maximum_and_no_second_spelling)
{
    static const struct { const char *in; uint64_t max; bool ok; uint64_t want; } row[] = {
        { "0", 10, true, 0 },      { "10", 10, true, 10 },  { "11", 10, false, 0 },
        { "01", 10, false, 0 },    { "", 10, false, 0 },    { "-1", 10, false, 0 },
        { "+1", 10, false, 0 },    { "1x", 10, false, 0 },  { "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
        { "18446744073709551616", UINT64_MAX, false, 0 },   { "99999999999999999999999", UINT64_MAX, false, 0 },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        uint64_t got = 77;
        CHECK(scan_all_u64(fg_str_c(row[i].in), row[i].max, &got) == row[i].ok, row[i].in);
        CHECK(got == (row[i].ok ? row[i].want : 77), "untouched on failure");
    }
    int64_t v;
    CHECK(scan_all_i64(FG_LIT("-9223372036854775808"), INT64_MIN, INT64_MAX, &v) && v == INT64_MIN, "the least");
    CHECK(!scan_all_i64(FG_LIT("9223372036854775808"), INT64_MIN, INT64_MAX, &v), "one too many");
    CHECK(!scan_all_i64(FG_LIT("-"), INT64_MIN, INT64_MAX, &v), "no digits");
}

TEST(query_parameters_are_decoded_once_and_counted)
{
    static const struct { const char *query; size_t count; const char *value; } row[] = {
        { "a=1&b=2", 1, "1" },       { "b=2", 0, NULL },           { "a=1&a=2", 2, "1" },
        { "a=%F0%9F%8E%AC", 1, "\xf0\x9f\x8e\xac" },               { "a=x+y%2Bz", 1, "x y+z" },
        { "a=%zz", SIZE_MAX, NULL }, { "a=%4", SIZE_MAX, NULL },   { "a=%00", SIZE_MAX, NULL },
        { "a=%ff", SIZE_MAX, NULL }, { "aa=1&a", 1, "" },          { "", 0, NULL },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str v = FG_NONE;
        CHECK(scan_query(w.cx.mem, fg_str_c(row[i].query), FG_LIT("a"), &v) == row[i].count, row[i].query);
        if (row[i].value && row[i].value[0])
            CHECK_STR(v, fg_str_c(row[i].value), row[i].query);
    }
    t_end(&w, 0);
}

TEST(utf8_is_exactly_what_unicode_says)
{
    static const struct { const char *in; size_t want; } row[] = {
        { "abc", 3 },          { "\xc3\xa9", 1 },         { "\xf0\x9f\x8e\xac", 1 }, { "", 0 },
        { "\xc0\xaf", SIZE_MAX },     { "\xe0\x80\x80", SIZE_MAX }, { "\xed\xa0\x80", SIZE_MAX },
        { "\xf4\x90\x80\x80", SIZE_MAX }, { "\xf5\x80\x80\x80", SIZE_MAX }, { "\x80", SIZE_MAX },
        { "\xc3", SIZE_MAX },         { "\xf0\x9f\x8e", SIZE_MAX }, { "\xff", SIZE_MAX },
    };
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK(utf8_count(fg_str_c(row[i].in)) == row[i].want, "count of code points");
    CHECK_IS(utf8_trim(FG_LIT(" \t\n\xc2\xa0\xe3\x80\x80 x y \xe2\x80\xa9 ")), "x y", "Unicode white space too");
    CHECK(utf8_trim(FG_LIT(" \xe3\x80\x80")).n == 0, "nothing but white space");
    CHECK_IS(utf8_cut(FG_LIT("a\xf0\x9f\x8e\xac" "b"), 3), "a", "never inside a character");
    CHECK_IS(utf8_cut(FG_LIT("abc"), 3), "abc", "what fits stays");
}

TEST(times_read_back_what_they_write_and_refuse_the_rest)
{
    struct t_world w;
    t_begin(&w);
    CHECK_STR(time_iso(w.cx.mem, w.utc_us + 1234), FG_LIT("2030-01-01T00:00:00.001Z"), "milliseconds");
    int64_t us;
    CHECK(time_parse_iso(time_iso_us(w.cx.mem, w.utc_us + 1234), &us) && us == w.utc_us + 1234, "microseconds");
    static const char *const bad[] = {
        "2030-02-30T00:00:00Z", "2030-13-01T00:00:00Z", "2030-01-01T24:00:00Z", "2030-01-01 00:00:00Z",
        "2030-01-01T00:00:00",  "2030-01-01T00:00:00.Z", "2030-01-01T00:00:00.1234567Z", "1969-01-01T00:00:00Z",
        "2030-1-01T00:00:00Z",  "",
    };
    for (size_t i = 0; i < FG_LEN(bad); i++)
        CHECK(!time_parse_iso(fg_str_c(bad[i]), &us), bad[i]);
    CHECK(time_parse_iso(FG_LIT("2028-02-29T12:00:00.5Z"), &us), "a leap day");
    CHECK(time_parse_iso(FG_LIT("9999-12-31T23:59:59.999999Z"), &us), "the last moment there is");
    CHECK_IS(time_iso_us(w.cx.mem, us), "9999-12-31T23:59:59.999999Z", "what is read can be written");
    t_end(&w, 0);
}

TEST(ids_are_opaque_and_of_one_form)
{
    struct t_world w;
    t_begin(&w);
    struct fg_str a = id_new(&w.cx, FG_LIT("job_")), b = id_new(&w.cx, FG_LIT("job_"));
    CHECK(!fg_eq(a, b), "two are not the same");
    CHECK(id_valid(a, FG_LIT("job_")), "what we make is valid");
    CHECK(!id_valid(a, FG_LIT("acct_")), "another prefix");
    CHECK(!id_valid(FG_LIT("job_0000000000000000000000000U"), FG_LIT("job_")), "no capitals");
    CHECK(!id_valid((struct fg_str){ a.p, a.n - 1 }, FG_LIT("job_")), "too short");
    t_end(&w, 0);
}

static int order;
static void note(void *arg)
{
    order = order * 10 + *(int *)arg;
}

TEST(an_arena_releases_last_first_and_wipes)
{
    struct arena *a = arena_new();
    static int one = 1, two = 2;
    order = 0;
    arena_defer(a, note, &one);
    arena_defer(a, note, &two);
    arena_reset(a);
    CHECK_I64(order, 21, "last deferred first");
    char *big = arena_get(a, 100 * FG_KIB);
    CHECK(big[0] == 0 && big[100 * FG_KIB - 1] == 0, "zeroed, beyond a chunk too");
    arena_free(a);
    CHECK_I64(order, 21, "each runs once");
}

TEST(a_log_line_is_one_json_object_whatever_it_says)
{
    struct t_world w;
    t_begin(&w);
    w.cx.request_id = FG_LIT("r1");
    fg_log(&w.cx, LOG_INFO, "x.y", LOG_S("a", FG_LIT("q\"\n")), LOG_I("n", -5), LOG_S("none", FG_NONE));
    CHECK_STR(fg_str_c(w.last_line),
              FG_LIT("{\"at\":\"2030-01-01T00:00:00.000Z\",\"level\":\"info\",\"event\":\"x.y\",\"a\":\"q\\\"\\n\","
                     "\"n\":-5,\"none\":null,\"requestId\":\"r1\"}"), "escaped");
    CHECK(js_scan(&w.cx, fg_str_c(w.last_line)) == NULL, "strict JSON");
    t_end(&w, 0);
}

static const char *conf_file(struct fg_ctx *cx, const char *text)
{
    char *path = arena_cstr(cx->mem, FG_LIT("/tmp/fgconfXXXXXX"));
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "temporary file");
    close(fd);
    return path;
}

#define CONF_GOOD                                                                              \
    "[db]\nuser = u\npassword = pw secret\n[auth]\npepper = aa\n[catalogue]\nfile = c.json\n"

TEST(configuration_errors_name_file_and_line)
{
    static const struct { const char *text, *want; } row[] = {
        { CONF_GOOD "[db]\nsokket = x\n", ":9: [db] sokket: unknown key" },
        { CONF_GOOD "[nowhere]\nx = 1\n", ":9: [nowhere] x: unknown key" },
        { CONF_GOOD "[sweeper]\nbatch = many\n", ":9: [sweeper] batch: must be a whole number from 1 to 500" },
        { CONF_GOOD "[sweeper]\nbatch = 501\n", ":9: [sweeper] batch: must be a whole number from 1 to 500" },
        { CONF_GOOD "[server]\ncookie_secure = true\n", ":9: [server] cookie_secure: must be one of: auto yes no" },
        { CONF_GOOD "[log]\nlevel = info\n", ":9: [log] level: unknown key" },
        { CONF_GOOD "[provider.fal]\nsecret = x\n", ":9: [provider.fal] secret: unknown key" },
        { CONF_GOOD "[provider.fal]\nenabled = true\n", ":9: [provider.fal] enabled: must be one of: yes no" },
        { CONF_GOOD "no equals sign\n", ":8: not a line of the form key = value" },
        { "[db]\nuser = u\n", ": [auth] pepper is required" },
        { CONF_GOOD "[sweeper]\nlease_s = 10\n", ": [sweeper] lease_s must be over submit_timeout_s and call_timeout_s" },
    };
    struct t_world w;
    struct conf c;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        const char *path = conf_file(&w.cx, row[i].text);
        CHECK_CODE(&w.cx, conf_load(&w.cx, &c, path), FG_CONFIG);
        CHECK_STR(fg_str_c(w.cx.err.detail), arena_fmt(w.cx.mem, "%s%s", path, row[i].want), "file and line");
        unlink(path);
    }
    t_end(&w, 0);
}

TEST(the_environment_wins_and_secrets_are_not_shown)
{
    struct t_world w;
    struct conf c;
    t_begin(&w);
    const char *path = conf_file(&w.cx, CONF_GOOD "[provider.fal_1]\nkey = topsecret\n"
                                        "[provider.kling]\nkey = ak\nkey_secret = otherhalf\nenabled = no\n"
                                        "[provider.comfyui]\nenabled = yes\n");
    static const char *const from_outside[][2] = { { "FILMGATE_SWEEPER_BATCH", "7" },
                                                   { "FILMGATE_PROVIDER_FAL_1_WEBHOOK_SECRETS", "whsec_abc" },
                                                   { "FILMGATE_PROVIDER_FAL_1_ENABLED", "no" } };
    for (size_t i = 0; i < FG_LEN(from_outside); i++)
        setenv(from_outside[i][0], from_outside[i][1], 1);
    CHECK_CODE(&w.cx, conf_load(&w.cx, &c, path), FG_OK);
    for (size_t i = 0; i < FG_LEN(from_outside); i++)
        unsetenv(from_outside[i][0]);
    CHECK_I64(c.sweeper_batch, 7, "environment");
    CHECK_I64(c.sweeper_lease_s, 90, "default");
    CHECK_IS(c.db_password, "pw secret", "file");
    CHECK_IS(conf_provider(&c, FG_LIT("fal_1"))->webhook_secrets, "whsec_abc", "a provider's, from the environment");
    CHECK(conf_provider(&c, FG_LIT("fal_1"))->disabled, "and switched off from there");
    CHECK_IS(conf_provider(&c, FG_LIT("kling"))->key_secret, "otherhalf", "a key of two halves");
    CHECK(conf_provider(&c, FG_LIT("kling"))->disabled, "switched off in the file");
    CHECK(!conf_provider(&c, FG_LIT("comfyui"))->disabled, "one line is a section");
    CHECK(!conf_provider(&c, FG_LIT("fal_2")), "no such provider");
    struct fg_str shown = conf_show(&w.cx, &c);
    static const char *const secret[] = { "pw secret", "topsecret", "whsec_abc", "otherhalf" };
    for (size_t i = 0; i < FG_LEN(secret); i++)
        CHECK(!strstr(shown.p, secret[i]), secret[i]);
    CHECK(strstr(shown.p, "db.password = (set)"), "but that it is set");
    CHECK(strstr(shown.p, "provider.kling.key_secret = (set)"), "also of a provider");
    CHECK(strstr(shown.p, "provider.kling.enabled = no"), "and what is off");
    unlink(path);
    t_end(&w, 0);
}

TEST(every_error_has_a_stable_code_and_a_status)
{
    static const enum fg_code all[] = {
#define E(sym, http, retry, slug, title) FG_##sym,
#include "base/errors.def"
#undef E
    };
    for (size_t i = 0; i < FG_LEN(all); i++) {
        const struct fg_err_info *a = fg_err_info(all[i]);
        CHECK(a->http >= 400 && a->http < 600 && a->slug[0] && a->title[0], a->slug);
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(a->slug, fg_err_info(all[k])->slug) != 0, a->slug);
    }
}
