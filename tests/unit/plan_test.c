/* Plans as rules: prices with their margin, what a list allows, and what may be set. */
#include "money/plan.h"
#include "t.h"

static struct t_world w;

/* ---- prices ---- */

TEST(prices_are_rounded_up_and_bounded)
{
    static const struct {
        int64_t base, margin_bp, want; /* want -1: refused */
    } row[] = {
        { 0, 0, 0 }, { 0, 1000000, 0 }, { 1, 0, 1 }, { 1, 1, 2 }, { 1, 10000, 2 }, { 1, 10001, 3 },
        { 9999, 1, 10000 }, { 10000, 1, 10001 }, { 10001, 1, 10003 }, { 100000, 2500, 125000 },
        { 333333, 3333, 444433 }, /* 111099.9 */
        { MONEY_MAX, 0, MONEY_MAX }, { MONEY_MAX, 1, -1 }, { MONEY_MAX + 1, 0, -1 }, { -1, 0, -1 },
        { INT64_MIN, 0, -1 }, { INT64_MAX, 0, -1 }, { INT64_MAX, 1000000, -1 }, { MONEY_MAX, 1000000, -1 },
        { INT64_C(9900990099009), 1000000, INT64_C(999999999999909) }, /* base * margin is over 64 bits */
        { INT64_C(9900990099010), 1000000, -1 },
        { MONEY_MAX - 1, 1, -1 }, { MONEY_MAX / 2, 10000, MONEY_MAX }, { MONEY_MAX / 2 + 1, 10000, -1 },
    };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct plan p = { .margin_bp = row[i].margin_bp };
        int64_t got = -1;
        const char *why = arena_fmt(w.cx.mem, "%lld with %lld", (long long)row[i].base, (long long)row[i].margin_bp).p;
        bool ok = plan_price(&p, row[i].base, &got);
        CHECK(ok == (row[i].want >= 0), why);
        if (ok)
            CHECK_I64(got, row[i].want, why);
    }
    t_end(&w, 0);
}

TEST(a_list_has_whole_words)
{
    static const struct {
        const char *list, *word;
        bool allowed;
    } row[] = {
        { NULL, "720p", true },          { NULL, "", true },               { "720p", "720p", true },
        { "480p,720p", "720p", true },   { "480p,720p", "480p", true },    { "480p,720p", "1080p", false },
        { "480p,720p", "20p", false },   { "480p,720p", "720", false },    { "480p,720p", "480p,720p", false },
        { "1080p", "080p", false },      { "480p", "480P", false },        { "480p", "", false },
    };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK(plan_allows(fg_str_c(row[i].list), fg_str_c(row[i].word)) == row[i].allowed, row[i].word);
    t_end(&w, 0);
}

TEST(seconds_are_numbers)
{
    static const struct {
        const char *list;
        int64_t seconds;
        bool allowed;
    } row[] = {
        { NULL, 1, true }, { NULL, 0, true }, { "5", 5, true }, { "5,10", 10, true }, { "5,10", 1, false },
        { "5,10", 15, false }, { "15", 5, false }, { "5,10", 510, false }, { "5", 0, false },
        { "5", -5, false }, { "5", INT64_MAX, false },
    };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct plan p = { .durations = fg_str_c(row[i].list) };
        CHECK(plan_allows_seconds(&p, row[i].seconds) == row[i].allowed, row[i].list ? row[i].list : "any");
    }
    t_end(&w, 0);
}

static enum fg_code set_field(struct plan *p, const char *name, const char *value)
{
    return plan_set(&w.cx, p, arena_fmt(w.cx.mem, "%s=%s", name, value));
}

static const char *number(int64_t n)
{
    return arena_fmt(w.cx.mem, "%lld", (long long)n).p;
}

/* A number's bounds and what is beyond; "none" takes it away; what is refused changes nothing. */
static void check_number(const char *name, size_t offset, int64_t least, int64_t most, int64_t none)
{
    static const char *const nonsense[] = { "", " ", "x", "1x", "-1", "+5", "05", " 5", "5 ", "0x10", "1.5", "1e3", "NONE",
                                            "9223372036854775808", "99999999999999999999", "none,5", "5,6" };
    struct plan p = { 0 };
    int64_t got;
    CHECK_CODE(&w.cx, set_field(&p, name, number(least)), FG_OK);
    memcpy(&got, (char *)&p + offset, sizeof got);
    CHECK_I64(got, least, name);
    CHECK_CODE(&w.cx, set_field(&p, name, number(most)), FG_OK);
    memcpy(&got, (char *)&p + offset, sizeof got);
    CHECK_I64(got, most, name);
    struct plan was = p;
    CHECK_CODE(&w.cx, set_field(&p, name, number(least - 1)), FG_INVALID_REQUEST);
    if (most < INT64_MAX)
        CHECK_CODE(&w.cx, set_field(&p, name, number(most + 1)), FG_INVALID_REQUEST);
    for (size_t i = 0; i < FG_LEN(nonsense); i++)
        CHECK_CODE(&w.cx, set_field(&p, name, nonsense[i]), FG_INVALID_REQUEST);
    CHECK(memcmp(&p, &was, sizeof p) == 0, name);
    CHECK_CODE(&w.cx, set_field(&p, name, "none"), FG_OK);
    memcpy(&got, (char *)&p + offset, sizeof got);
    CHECK_I64(got, none, name);
    memcpy((char *)&was + offset, &none, sizeof none);
    CHECK(memcmp(&p, &was, sizeof p) == 0, "and nothing else");
}

TEST(every_number_of_a_plan_has_its_bounds)
{
    t_begin(&w);
#define T(name, longest, words)
#define N(name, least, most, words)                                                            \
    check_number(#name, offsetof(struct plan, name), least, most, !strcmp(#name, "margin_bp") ? 0 : PLAN_NO_LIMIT);
    PLAN_FIELDS(T, N)
#undef T
#undef N
    t_end(&w, 0);
}

/* As many digits as fit are a good number of seconds, a word, and a model; one more is too long. */
static void check_text(const char *name, size_t offset, size_t longest)
{
    static const char *const nonsense[] = { "", " ", "5, 10", "5\n", "5;10", "a'b", "a\"b", "\xc3\xa4", "a/b", "=", ",", "5,",
                                            ",5", "5,,10" };
    struct plan p = { 0 };
    struct fg_str got;
    char text[2002];
    memset(text, '1', sizeof text);
    for (size_t i = 3; i + 1 < longest && longest > 8; i += 4)
        text[i] = ',';
    text[longest] = '\0';
    CHECK_CODE(&w.cx, set_field(&p, name, text), FG_OK);
    memcpy(&got, (char *)&p + offset, sizeof got);
    CHECK_STR(got, fg_str_c(text), name);
    struct plan was = p;
    text[longest] = '1';
    text[longest + 1] = '\0';
    CHECK_CODE(&w.cx, set_field(&p, name, text), FG_INVALID_REQUEST);
    for (size_t i = 0; i < FG_LEN(nonsense); i++)
        CHECK_CODE(&w.cx, set_field(&p, name, nonsense[i]), FG_INVALID_REQUEST);
    CHECK(memcmp(&p, &was, sizeof p) == 0, name);
    CHECK_CODE(&w.cx, set_field(&p, name, "none"), FG_OK);
    memcpy(&got, (char *)&p + offset, sizeof got);
    CHECK(!got.p, "everything again");
}

TEST(every_word_of_a_plan_has_its_form)
{
    t_begin(&w);
#define T(name, longest, words) check_text(#name, offsetof(struct plan, name), longest);
#define N(name, least, most, words)
    PLAN_FIELDS(T, N)
#undef T
#undef N
    t_end(&w, 0);
}

TEST(a_plan_is_set_by_name_and_value)
{
    static const struct {
        const char *assignment;
        enum fg_code want;
    } row[] = {
        { "durations=5,10", FG_OK },
        { "resolutions=480p,720p", FG_OK },
        { "models=studio-1,wan2.2:i2v,Kling_3", FG_OK },
        { "default_resolution=720p", FG_OK },
        { "durations=five", FG_INVALID_REQUEST },
        { "durations=0", FG_INVALID_REQUEST },
        { "durations=05", FG_INVALID_REQUEST },
        { "durations=5,10s", FG_INVALID_REQUEST },
        { "default_resolution=480p,72", FG_INVALID_REQUEST },
        { "", FG_INVALID_REQUEST },
        { "=", FG_INVALID_REQUEST },
        { "=5", FG_INVALID_REQUEST },
        { "day_micro", FG_INVALID_REQUEST },
        { "day_micro ", FG_INVALID_REQUEST },
        { "day_micro =5", FG_INVALID_REQUEST },
        { "day_micro==5", FG_INVALID_REQUEST },
        { "DAY_MICRO=5", FG_INVALID_REQUEST },
        { "day_micr=5", FG_INVALID_REQUEST },
        { "id=5", FG_INVALID_REQUEST },
        { "name=other", FG_INVALID_REQUEST },
        { "updated_us=5", FG_INVALID_REQUEST },
    };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct plan p = { .id = 7, .name = FG_LIT("mine") }, was = p;
        CHECK_I64(plan_set(&w.cx, &p, fg_str_c(row[i].assignment)), row[i].want, row[i].assignment);
        CHECK(row[i].want == FG_OK || memcmp(&p, &was, sizeof p) == 0, row[i].assignment);
        CHECK_I64(p.id, 7, "whose it is stays");
    }
    t_end(&w, 0);
}
