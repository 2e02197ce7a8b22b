/* What is kept of others' words for people to read: whatever lets somebody in is taken out, however it is written. */
#include "t.h"

#include "base/sb.h"
#include "base/utf8.h"
#include "io/redact.h"

#define ALL 2000

static struct fg_str shown(struct t_world *w, struct fg_str in)
{
    struct fg_str secret[] = { FG_LIT("key-of-ours"), FG_NONE, FG_LIT("first-of-two second-of-two"), FG_LIT("short") };
    return redact_excerpt(w->cx.mem, in, secret, FG_LEN(secret), ALL);
}

struct row {
    const char *in, *out;
};

static void check_rows(const struct row *row, size_t n)
{
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < n; i++) {
        struct fg_str once = shown(&w, fg_str_c(row[i].in));
        CHECK_STR(once, fg_str_c(row[i].out), row[i].in);
        CHECK_STR(shown(&w, once), once, "the second time changes nothing");
    }
    t_end(&w, 0);
}

TEST(secrets_that_we_know)
{
    static const struct row row[] = {
        { "{\"a\":\"key-of-ours\"}", "{\"a\":\"[secret]\"}" },
        { "xkey-of-oursx", "x[secret]x" },
        { "first-of-two, second-of-two", "[secret], [secret]" },
        { "short", "short" },
        { "https://us.example/hooks/fal/key-of-ours", "https://us.example/hooks/fal/[secret]" },
    };
    check_rows(row, FG_LEN(row));
}

TEST(words_that_look_like_keys)
{
    static const struct row row[] = {
        { "Authorization: Bearer abcdefghij.k", "Authorization: [secret]" },
        { "authorization: Key ab:cd-efgh, next", "authorization: [secret] next" },
        { "not with bearer abcdefghij", "not with [secret]" },
        { "X-Api-Key: 0123456", "X-Api-Key: [secret]" },
        { "client_secret=s3cret-word&x=1", "client_secret=[secret]" },
        { "Invalid token: expired", "Invalid token: expired" },
        { "wrong key sk-abc123def456.", "wrong key [secret]" },
        { "fgk_0123456789 r8_abcdefghi AIzaSyAbcdefg", "[secret] [secret] [secret]" },
        { "eyJhbGciOiJ.eyJzdWIiOiI.c2ln", "[secret]" },
        { "task-0123456789 risk-abcdefgh", "task-0123456789 risk-abcdefgh" },
        { "a bearer of bad news", "a bearer of bad news" },
    };
    check_rows(row, FG_LEN(row));
}

TEST(members_whose_names_say_so)
{
    static const struct row row[] = {
        { "{\"apiKey\": \"x1\", \"b\":2}", "{\"apiKey\": \"[secret]\", \"b\":2}" },
        { "{\"webhook_secret\":\"a\\\"b\",\"c\":1}", "{\"webhook_secret\":\"[secret]\",\"c\":1}" },
        { "{\"tokens\":[\"abc\"]}", "{\"tokens\":[\"[secret]\"]}" },
        { "{\"total_tokens\":1234567}", "{\"total_tokens\":1234567}" },
        { "{\"a\":\"{\\\"password\\\":\\\"abc\\\"}\",\"c\":1}", "{\"a\":\"{\\\"password\\\":\\\"[secret]\",\"c\":1}" },
        { "{\"token", "{\"token" },
        { "{\"token\":\"cut", "{\"token\":\"[secret]" },
        { "{\"\xff token\":\"abc\"}", "{\"\xef\xbf\xbd token\":\"[secret]\"}" },
    };
    check_rows(row, FG_LEN(row));
}

TEST(urls_that_let_in_whoever_has_them)
{
    static const struct row row[] = {
        { "{\"u\":\"https://h/v.mp4?X-Sig=1\",\"n\":\"why?\"}", "{\"u\":\"https://h/v.mp4?[query]\",\"n\":\"why?\"}" },
        { "https:\\/\\/h\\/v.mp4?a=1\\u0026sig=2\"", "https:\\/\\/h\\/v.mp4?[query]\"" },
        { "\"https://h/v?a=1\\u0026sig=2\"", "\"https://h/v?[query]\"" },
        { "\"{\\\"u\\\":\\\"https://h/v?a=1\\\",\\\"b\\\":1}\"", "\"{\\\"u\\\":\\\"https://h/v?[query]\\\",\\\"b\\\":1}\"" },
        { "https://h/v#id=abc and #2?", "https://h/v#[query] and #2?" },
        { "https://me:pass@h/v", "https://[secret]@h/v" },
        { "https://h/a@b", "https://h/a@b" },
        { "/media/job_1/video?exp=1&sig=2", "/media/job_1/video?[query]" },
        { "what? who?", "what? who?" },
    };
    check_rows(row, FG_LEN(row));
}

TEST(bytes_that_are_no_text)
{
    static const struct row row[] = {
        { "bad \xff\x01", "bad \xef\xbf\xbd\xef\xbf\xbd" },
        { "a\nb\tc\rd\x7f", "a\nb\tc\xef\xbf\xbd" "d\xef\xbf\xbd" },
        { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" },
    };
    check_rows(row, FG_LEN(row));
    struct t_world w;
    t_begin(&w);
    CHECK_STR(shown(&w, (struct fg_str){ "a\0b", 3 }), FG_LIT("a\xef\xbf\xbd" "b"), "a NUL");
    CHECK_I64(shown(&w, FG_NONE).n, 0, "nothing");
    t_end(&w, 0);
}

/* n characters that may be a picture. */
static struct fg_str base64(struct t_world *w, size_t n)
{
    char *p = arena_get(w->cx.mem, n);
    for (size_t i = 0; i < n; i++)
        p[i] = "QUJDREVG+/09"[i % 12];
    return (struct fg_str){ p, n };
}

TEST(pictures_are_told_by_their_length)
{
    struct t_world w;
    t_begin(&w);
    static const size_t size[] = { 200, 70000, 3000000 };
    for (size_t i = 0; i < FG_LEN(size); i++) {
        struct sb in = sb_in(w.cx.mem, 4 * FG_MIB);
        sb_add(&in, FG_LIT("{\"image\":\"data:image/png;base64,"));
        sb_add(&in, base64(&w, size[i]));
        sb_add(&in, FG_LIT("\",\"prompt\":\"a boat\"}"));
        CHECK_STR(shown(&w, sb_str(&in)),
                  arena_fmt(w.cx.mem, "{\"image\":\"data:image/png;base64,[%zu characters]\",\"prompt\":\"a boat\"}", size[i]),
                  "what comes after it is seen");
    }
    CHECK_STR(shown(&w, base64(&w, 199)), base64(&w, 199), "an id may be long");
    struct sb in = sb_in(w.cx.mem, 4 * FG_KIB);
    for (int i = 0; i < 10; i++) {
        sb_add(&in, base64(&w, 64));
        sb_add(&in, FG_LIT("\\/"));
    }
    CHECK_IS(shown(&w, sb_str(&in)), "[660 characters]", "slashes may be escaped");
    t_end(&w, 0);
}

TEST(it_is_short_and_ends_with_a_whole_character)
{
    struct t_world w;
    t_begin(&w);
    CHECK_IS(redact_excerpt(w.cx.mem, FG_LIT("\xc3\xa4\xc3\xb6\xc3\xbc"), NULL, 0, 2), "\xc3\xa4\xc3\xb6", "cut");
    CHECK_IS(redact_excerpt(w.cx.mem, FG_LIT("\xf0\x9f\x98\x80\xf0\x9f\x98\x80"), NULL, 0, 1), "\xf0\x9f\x98\x80", "of four bytes");
    CHECK_IS(redact_excerpt(w.cx.mem, FG_LIT("abc sk-0123456789"), NULL, 0, 8), "abc ", "no part of a secret");
    CHECK_IS(redact_excerpt(w.cx.mem, FG_LIT("abc"), NULL, 0, 0), "", "nothing");
    struct sb long_one = sb_in(w.cx.mem, FG_MIB);
    for (int i = 0; i < 100000; i++)
        sb_add(&long_one, FG_LIT("\xe2\x82\xac "));
    struct fg_str s = redact_excerpt(w.cx.mem, sb_str(&long_one), NULL, 0, ALL);
    CHECK_I64(utf8_count(s), ALL, "so many characters");
    t_end(&w, 0);
}

/* A secret that lies across the end of what is looked at is not shown by halves. */
TEST(no_half_of_a_secret_where_the_look_ends)
{
    struct t_world w;
    t_begin(&w);
    struct sb in = sb_in(w.cx.mem, FG_MIB);
    for (size_t i = 0; i + 5 < REDACT_LOOK_MAX; i++)
        sb_add_c(&in, ' ');
    sb_add(&in, FG_LIT("key-of-ours"));
    struct fg_str secret = FG_LIT("key-of-ours");
    struct fg_str s = redact_excerpt(w.cx.mem, sb_str(&in), &secret, 1, 2 * REDACT_LOOK_MAX);
    CHECK(s.n > 8 && !memcmp(s.p + s.n - 8, "[secret]", 8), "all of it is taken out");
    t_end(&w, 0);
}

/* Whatever comes in, text comes out, and no more of it than was asked for. */
TEST(anything_becomes_text)
{
    struct t_world w;
    t_begin(&w);
    static const char bits[] = "\"\\/:?#@=[ bsk-token://u0026eyJ\xc3\xff";
    for (int round = 0; round < 3000; round++) {
        unsigned char dice[64];
        char text[64];
        w.cx.env->random(w.cx.env->self, dice, sizeof dice);
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = bits[dice[i] % (sizeof bits - 1)];
        struct fg_str s = redact_excerpt(w.cx.mem, (struct fg_str){ text, sizeof text }, NULL, 0, 40);
        CHECK(utf8_count(s) <= 40, "valid, and short");
    }
    t_end(&w, 0);
}
