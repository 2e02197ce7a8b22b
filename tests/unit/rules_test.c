/* Our own rules: what is found however it is spelled, and what is not; the file's slips by line; renewal; time. */
#include "unit/catalogue_kit.h"

#include <time.h>

#include "moderate/rules.h"

#define SHIPPED "core/moderate/rules.txt"

static struct t_world w;

static struct conf conf_for(const char *path)
{
    return (struct conf){ .moderation_rules = fg_str_c(path) };
}

static const struct rules *rules_of(struct fg_str text)
{
    char path[KIT_PATH_MAX];
    const struct rules *r = NULL;
    kit_file(path, text);
    struct conf conf = conf_for(path);
    CHECK_CODE(&w.cx, rules_load(&w.cx, &conf, &r), FG_OK);
    unlink(path);
    return r;
}

static struct rules_hit check(const struct rules *r, struct fg_str text)
{
    struct rules_hit h;
    CHECK_CODE(&w.cx, rules_check(&w.cx, r, &(struct rules_text){ .text = text }, 1, &h), FG_OK);
    return h;
}

/* One phrase as the only rule, or two with a "/" between: the second is on the allow-list. */
static struct fg_str file_of(const char *phrase)
{
    struct fg_str rest = fg_str_c(phrase), first = FG_NONE;
    const char *slash = strchr(phrase, '/');
    first = slash ? (struct fg_str){ phrase, (size_t)(slash - phrase) } : rest;
    return arena_fmt(w.cx.mem, "[x] block\n%.*s\n[allow]\n%s\n", FG_P(first), slash ? slash + 1 : "");
}

struct row {
    const char *phrase, *text, *why;
};

static void check_rows(const struct row *row, size_t n, bool found)
{
    t_begin(&w);
    for (size_t i = 0; i < n; i++) {
        const struct rules *r = rules_of(file_of(row[i].phrase));
        struct rules_hit h = check(r, fg_str_c(row[i].text));
        CHECK((h.kind == VERDICT_BLOCK) == found,
              arena_fmt(w.cx.mem, "%s in \"%s\": %s", row[i].phrase, row[i].text, row[i].why).p);
        rules_drop(r);
    }
    t_end(&w, 0);
}

TEST(found_however_it_is_spelled)
{
    static const struct row row[] = {
        { "kill", "They kill time.", "as it stands" },
        { "kill", "KILL", "upper case" },
        { "KILL", "kill", "upper case in the file" },
        { "kill", "k.i.l.l", "signs between" },
        { "kill", "ki-ll", "one sign between" },
        { "kill", "k i l l him", "blanks between" },
        { "kill", "k  i\nl\tl", "any blanks" },
        { "kill", "a k i l l scene", "a single letter before it" },
        { "kill", "kiiiill", "a letter held down" },
        { "kill", "kkkkiiiillll", "all of them" },
        { "kill", "kk k iii l lll", "held down and apart" },
        { "kill", "k1ll", "a digit for a letter" },
        { "kill", "ki11", "1 for l" },
        { "kill", "K 1 L L", "a digit among single letters" },
        { "kill", "k!ll him!", "a sign for a letter, and one that is none" },
        { "sex", "$3x", "both" },
        { "ass", "a$$", "signs at the end" },
        { "ass", "a5s", "one digit" },
        { "kill", "k\xe2\x80\x8bi\xe2\x80\x8bl\xe2\x80\x8bl", "zero width spaces" },
        { "kill", "k\xc2\xadill", "a soft hyphen" },
        { "kill", "\xef\xbd\x8b\xef\xbd\x89\xef\xbd\x8c\xef\xbd\x8c", "fullwidth" },
        { "kill", "\xf0\x9d\x95\x9c\xf0\x9d\x95\x9a\xf0\x9d\x95\x9d\xf0\x9d\x95\x9d", "double-struck" },
        { "kill", "\xe2\x93\x9a\xe2\x93\x98\xe2\x93\x9b\xe2\x93\x9b", "circled" },
        { "kill", "\xf0\x9f\x85\xba\xf0\x9f\x85\xb8\xf0\x9f\x85\xbb\xf0\x9f\x85\xbb", "negative squared" },
        { "kill", "\xf0\x9f\x87\xb0\xf0\x9f\x87\xae\xf0\x9f\x87\xb1\xf0\x9f\x87\xb1", "flags' letters" },
        { "kill", "\xe1\xb4\x8b\xc9\xaa\xca\x9f\xca\x9f", "small capitals" },
        { "kill", "k\xf0\x9f\x94\xa5i\xf0\x9f\x94\xa5l\xf0\x9f\x94\xa5l", "emoji between" },
        { "kill", "k\xcc\xb6i\xcc\xb6l\xcc\xb6l\xcc\xb6", "struck through" },
        { "kill", "k\xc3\xadll", "an accent" },
        { "kill", "k\xd1\x96ll", "a Cyrillic i" },
        { "kill", "\xd0\xba\xd1\x96ll him", "two Cyrillic letters" },
        { "bomb", "a \xd0\x92\xd0\x9e\xd0\x9c\xd0\x92 here", "wholly in Cyrillic capitals, among Latin" },
        { "bomb", "a \xd0\xb2\xd0\xbe\xd0\xbc\xd0\xb2 here", "and in small ones" },
        { "cop", "\xd1\x81\xd0\xbe\xd1\x80", "nothing but lookalikes" },
        { "porn", "p\xce\xbfrn", "a Greek o" },
        { "porn", "p0rn.", "the usual" },
        { "porn", "p\xc3\xb8rn", "with a stroke" },
        { "kill people", "KILL -- people", "any gap in a phrase" },
        { "kill people", "k i l l p e o p l e", "all apart" },
        { "self-harm", "selfharm", "a sign of the phrase may be missing" },
        { "self-harm", "self harm", "or be a blank" },
        { "cafe", "CAF\xc3\x89", "accents do not count" },
        { "caf\xc3\xa9", "cafe", "on either side" },
        { "grenade*", "two grenades", "an open end" },
        { "*phobia", "arachnophobia", "an open start" },
        { "ass", "a pain in the ass.", "a whole word" },
        { "ass", "smart-ass", "between signs" },
        { "kill", "kill2", "digits are another word" },
        { "stra\xc3\x9f" "e", "STRASSE", "sharp s" },
        { "\xce\xbf\xce\xb4\xcf\x8c\xcf\x82", "\xce\x9f\xce\x94\xce\x9f\xce\xa3", "Greek, final sigma" },
        { "\xd1\x83\xd0\xb1\xd0\xb8\xd1\x82\xd1\x8c", "\xd0\xa3\xd0\x91\xd0\x98\xd0\xa2\xd0\xac!", "Cyrillic" },
        { "\xd1\x83\xd0\xb1\xd0\xb8\xd1\x82\xd1\x8c", "y\xd0\xb1\xd0\xb8\xd1\x82\xd1\x8c", "with a Latin y" },
        { "\xd1\x83\xd0\xb1\xd0\xb8\xd1\x82\xd1\x8c", "\xd1\x83 \xd0\xb1 \xd0\xb8 \xd1\x82 \xd1\x8c", "apart" },
        { "\xd9\x82\xd8\xaa\xd9\x84", "\xd9\x82\xd9\x8e\xd8\xaa\xd9\x8e\xd9\x84\xd9\x8e", "Arabic with its vowels" },
        { "\xd9\x82\xd8\xaa\xd9\x84", "\xd9\x82\xd9\x80\xd9\x80\xd8\xaa\xd9\x80\xd9\x84", "made long" },
        { "\xd7\x94\xd7\xa8\xd7\x92", "\xd7\x94\xd6\xb8\xd7\xa8\xd6\xb7\xd7\x92", "Hebrew with points" },
        { "\xe0\xa4\xb9\xe0\xa4\xa4\xe0\xa5\x8d\xe0\xa4\xaf\xe0\xa4\xbe",
          "\xe0\xa4\xb9\xe0\xa4\xa4\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xaf\xe0\xa4\xbe \xe0\xa4\x95\xe0\xa5\x80",
          "Devanagari, with a joiner" },
        { "\xe6\xae\xba\xe4\xba\xba", "\xe4\xbb\x96\xe6\xae\xba\xe4\xba\xba\xe4\xba\x86", "Han, no blanks" },
        { "\xe7\x82\xb8\xe5\xbc\xb9", "\xe5\x88\xb6\xe4\xbd\x9c\xe7\x82\xb8\xe5\xbc\xb9", "Han, at the end" },
        { "\xe7\x82\xb8\xe5\xbc\xb9", "\xe7\x82\xb8 \xe5\xbc\xb9", "Han, apart" },
        { "\xe0\xb8\x86\xe0\xb9\x88\xe0\xb8\xb2", "\xe0\xb8\x89\xe0\xb8\xb1\xe0\xb8\x99\xe0\xb8\x86\xe0\xb9\x88\xe0\xb8\xb2"
          "\xe0\xb9\x81\xe0\xb8\xa1\xe0\xb8\xa7", "Thai: I kill a cat" },
        { "\xe3\x82\xab\xe3\x83\x93", "\xef\xbd\xb6\xef\xbe\x8b\xef\xbe\x9e", "half-width kana with its mark" },
        { "\xea\xb0\x80", "\xe1\x84\x80\xe1\x85\xa1", "Hangul in parts" },
    };
    check_rows(row, FG_LEN(row), true);
}

TEST(false_friends_are_left_alone)
{
    static const struct row row[] = {
        { "ass", "a class of bass players pass", "inside words" },
        { "ass", "as soon as Sue", "over words" },
        { "ass", "as", "a letter less" },
        { "kill", "a skill, killing, Killarney", "longer words" },
        { "kill", "ki ll", "blanks between more than single letters" },
        { "con", "a raccoon and a coon", "two are not held down" },
        { "god", "good", "likewise" },
        { "penis", "the pen is red", "words are words" },
        { "therapist", "the rapist", "likewise" },
        { "the rapist", "a therapist", "and the other way" },
        { "ed", "3d", "too short for digits" },
        { "ios", "105", "a number" },
        { "ass", "@55", "no letter at all" },
        { "see", "a 5 3 3", "one digit behind a letter is no start of a word of digits" },
        { "sex", "a 5 year old, 3 x 4", "counts" },
        { "11", "111", "digits are not held down" },
        { "cop", "\xd1\x83\xd0\xb1\xd0\xb5\xd1\x80\xd0\xb8\xd1\x82\xd0\xb5 \xd1\x81\xd0\xbe\xd1\x80", "Russian for litter" },
        { "cop", "\xd1\x83\xd0\xb1\xd0\xb5\xd1\x80\xd0\xb8\xd1\x82\xd0\xb5 \xd1\x81\xd0\xbe\xd1\x80 YouTube",
          "also with one Latin word" },
        { "\xd1\x81\xd0\xbe\xd1\x80", "a cop", "and the other way" },
        { "bum", "to burn", "rn is no m" },
        { "grenade*", "a stagrenade", "an open end is no open start" },
        { "kill people", "kill some people", "no word between" },
        { "\xe7\x82\xb8\xe5\xbc\xb9", "\xe7\x82\xb8\xe9\xb8\xa1\xe5\xbc\xb9\xe5\xbc\x93", "Han, other words" },
        { "\xe4\xba\xac\xe9\x83\xbd", "\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd", "Tokyo-to is no Kyoto" },
        { "\xe3\x83\x8f", "\xe3\x83\x90", "another kana" },
        { "\xe0\xa4\x95\xe0\xa4\xbf", "\xe0\xa4\x95\xe0\xa5\x80", "another vowel" },
        { "\xea\xb0\x80", "\xea\xb0\x81", "another syllable" },
        { "kill/kill bill", "we saw Kill Bill twice", "allowed" },
        { "sex/Essex, Middlesex", "Essex", "inside a word anyway" },
        { "kill*/kilimanjaro", "kilimanjaro", "not hit at all" },
        { "porn*/pornchai", "Pornchai cooks", "allowed" },
        { "kill", "", "nothing" },
        { "kill", " \xf0\x9f\x94\xa5 .", "nothing but signs" },
    };
    check_rows(row, FG_LEN(row), false);
}

TEST(the_allow_list_wins_only_where_it_covers)
{
    static const struct row row[] = {
        { "kill/kill bill", "kill Kill Bill", "one is outside" },
        { "kill bill/kill", "kill bill", "the hit is longer" },
        { "kill/kill bill", "k1ll bill", "a disguise is not excused" },
        { "porn*/pornchai", "pornchai, porn", "one of two" },
    };
    check_rows(row, FG_LEN(row), true);
}

TEST(the_worst_wins_and_says_where_it_was)
{
    t_begin(&w);
    const struct rules *r = rules_of(FG_LIT("# a comment\r\n\r\n[mild] review\r\nknife\r\n"
                                            "[bad] block\n  bomb  \n[nude] block prompts\nnude\n"));
    struct rules_text text[] = { { FG_LIT("a knife, then a B.O.M.B"), false }, { FG_LIT("nude bomb"), true } };
    struct rules_hit h;
    CHECK_CODE(&w.cx, rules_check(&w.cx, r, text, 2, &h), FG_OK);
    CHECK(h.kind == VERDICT_BLOCK && h.text == 0 && h.line == 6, "block beats review");
    CHECK_IS(h.category, "bad", "its category");
    CHECK_IS(h.phrase, "bomb", "as in the file");
    CHECK_IS(h.found, "B.O.M.B", "as in the text");
    struct verdict v = rules_verdict(&w.cx, &h);
    CHECK(v.kind == VERDICT_BLOCK && v.scores.n == 0 && v.ref.n == 0, "as a verdict");
    CHECK_IS(v.words, "line 6 of the rules: bomb", "for operators");
    text[0].text = FG_LIT("a knife and a knife");
    text[1].text = FG_LIT("nude");
    CHECK_CODE(&w.cx, rules_check(&w.cx, r, text, 2, &h), FG_OK);
    CHECK(h.kind == VERDICT_REVIEW && h.text == 0, "prompts alone: the negative one may say it");
    text[1].negative = false;
    CHECK_CODE(&w.cx, rules_check(&w.cx, r, text, 2, &h), FG_OK);
    CHECK(h.kind == VERDICT_BLOCK && h.text == 1, "a prompt may not");
    CHECK_I64(rules_phrases(r), 3, "all counted");
    CHECK_CODE(&w.cx, rules_check(&w.cx, r, text, 0, &h), FG_OK);
    CHECK(h.kind == VERDICT_ALLOW && rules_verdict(&w.cx, &h).kind == VERDICT_ALLOW, "no text, no hit");
    rules_drop(r);
    t_end(&w, 0);
}

TEST(without_a_file_there_are_no_rules)
{
    t_begin(&w);
    const struct rules *r = rules_of(FG_LIT("[x] block\ny\n"));
    struct conf conf = { .moderation_rules = FG_LIT("") };
    uint8_t none[HASH_LEN] = { 0 }, digest[HASH_LEN];
    bool changed = true;
    rules_digest(r, digest);
    CHECK(memcmp(digest, none, HASH_LEN) != 0, "rules have a digest");
    rules_drop(r);
    CHECK_CODE(&w.cx, rules_load(&w.cx, &conf, &r), FG_OK);
    CHECK(r == NULL && rules_hold(r) == NULL && rules_phrases(r) == 0, "none");
    CHECK_I64(check(r, FG_LIT("anything")).kind, VERDICT_ALLOW, "nothing is hit");
    CHECK_CODE(&w.cx, rules_renew(&w.cx, &conf, &r, &changed), FG_OK);
    CHECK(!changed, "and nothing changes");
    rules_digest(r, digest);
    CHECK(memcmp(digest, none, HASH_LEN) == 0, "all zero");
    rules_drop(r);
    t_end(&w, 0);
}

TEST(slips_are_named_by_line)
{
    static const struct {
        const char *text, *words;
    } row[] = {
        { "kill\n", ":1: a phrase before the first [category]" },
        { "\n[x\n", ":2: a category without its ]" },
        { "[X] block\n", ":1: a category's name" },
        { "[] block\n", ":1: a category's name" },
        { "[x]\n", ":1: after [x] comes block or review" },
        { "[x] allow\n", ":1: after [x] comes block or review" },
        { "[x] error\n", ":1: after [x] comes block or review" },
        { "[x] block images\n", ":1: after the action may come" },
        { "[x] block prompts too\n", ":1: after the action may come" },
        { "[allow] block\n", ":1: [allow] has no action" },
        { "[x] block\n[x] review\n", ":2: [x] is there already" },
        { "[x] block\n...\n", ":2: a phrase has 1 to 100 letters" },
        { "[x] block\n*\n", ":2: a phrase has 1 to 100 letters" },
        { "[x] block\nkill\n\nKILL\n", ":4: the same phrase as in line 2" },
        { "[x] block\nkill\n[allow]\nk.ill\nki\n", NULL },
        { "[x] block\nkill\n[allow]\nkill\n", ":4: the same phrase as in line 2" },
        { "[x] block\nkill\nk\xc3\n", ":3: this is not valid UTF-8" },
        { "[x] block\nkill\nkill*\n*kill\n*kill*\n", NULL },
    };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        char path[KIT_PATH_MAX];
        const struct rules *r = NULL;
        kit_file(path, fg_str_c(row[i].text));
        struct conf conf = conf_for(path);
        CHECK_CODE(&w.cx, rules_load(&w.cx, &conf, &r), row[i].words ? FG_CONFIG : FG_OK);
        if (row[i].words) {
            CHECK(fg_starts(fg_str_c(w.cx.err.detail), fg_str_c(path)), "the file first");
            CHECK(strstr(w.cx.err.detail, row[i].words), w.cx.err.detail);
        }
        rules_drop(r);
        unlink(path);
    }
    struct conf gone = conf_for("/nowhere/rules");
    const struct rules *r;
    CHECK_CODE(&w.cx, rules_load(&w.cx, &gone, &r), FG_CONFIG);
    t_end(&w, 0);
}

TEST(a_phrase_and_a_text_have_their_limits)
{
    t_begin(&w);
    struct sb b = sb_in(w.cx.mem, RULES_TEXT_MAX + 1);
    for (size_t i = 0; i < RULES_TEXT_MAX; i++)
        sb_add_c(&b, "ab "[i % 3]);
    const struct rules *r = rules_of(FG_LIT("[x] block\nab ab abc\n"));
    struct rules_hit h;
    CHECK_I64(check(r, sb_str(&b)).kind, VERDICT_ALLOW, "as long as may be");
    sb_add_c(&b, 'a');
    CHECK_CODE(&w.cx, rules_check(&w.cx, r, &(struct rules_text){ sb_str(&b), false }, 1, &h), FG_TOO_LARGE);
    CHECK_CODE(&w.cx, rules_check(&w.cx, r, &(struct rules_text){ FG_LIT("a\xff"), false }, 1, &h), FG_INVALID_REQUEST);
    rules_drop(r);
    t_end(&w, 0);
}

TEST(renewed_when_the_file_changes_and_kept_when_it_is_wrong)
{
    char path[KIT_PATH_MAX];
    bool changed = true;
    const struct rules *r;
    t_begin(&w);
    kit_file(path, FG_LIT("[x] block\none\n"));
    struct conf conf = conf_for(path);
    CHECK_CODE(&w.cx, rules_load(&w.cx, &conf, &r), FG_OK);
    const struct rules *old = rules_hold(r);
    CHECK_CODE(&w.cx, rules_renew(&w.cx, &conf, &r, &changed), FG_OK);
    CHECK(!changed && r == old, "nothing has changed");

    kit_write(path, FG_LIT("[x] block\ntwo three\n"));
    CHECK_CODE(&w.cx, rules_renew(&w.cx, &conf, &r, &changed), FG_OK);
    CHECK(changed && r != old, "new ones");
    CHECK(check(r, FG_LIT("two three")).kind == VERDICT_BLOCK && check(r, FG_LIT("one")).kind == VERDICT_ALLOW, "as told now");
    CHECK_I64(check(old, FG_LIT("one")).kind, VERDICT_BLOCK, "the old ones live while they are held");
    rules_drop(old);

    const struct rules *good = r;
    kit_write(path, FG_LIT("no category\n"));
    CHECK_CODE(&w.cx, rules_renew(&w.cx, &conf, &r, &changed), FG_CONFIG);
    CHECK(!changed && r == good, "a wrong file changes nothing");
    CHECK_CODE(&w.cx, rules_renew(&w.cx, &conf, &r, &changed), FG_OK);
    CHECK(!changed && r == good, "and is told once");
    unlink(path);
    CHECK_CODE(&w.cx, rules_renew(&w.cx, &conf, &r, &changed), FG_CONFIG);
    CHECK_CODE(&w.cx, rules_renew(&w.cx, &conf, &r, &changed), FG_OK);
    CHECK_I64(check(r, FG_LIT("two three")).kind, VERDICT_BLOCK, "nor does one that is gone");
    kit_write(path, FG_LIT("[x] block\nfour\n"));
    CHECK_CODE(&w.cx, rules_renew(&w.cx, &conf, &r, &changed), FG_OK);
    CHECK(changed && check(r, FG_LIT("four")).kind == VERDICT_BLOCK, "it is back");
    unlink(path);
    rules_drop(r);
    t_end(&w, 0);
}

TEST(the_shipped_file_is_in_order)
{
    static const struct {
        const char *text;
        enum verdict_kind kind;
    } row[] = {
        { "a red kite over dunes at sunset", VERDICT_ALLOW },
        { "how to make a bath bomb", VERDICT_ALLOW },
        { "two children build a sand castle", VERDICT_ALLOW },
        { "a chef, Pornchai, cooks noodles", VERDICT_ALLOW },
        { "How to m\xd0\xb0ke a B0MB", VERDICT_BLOCK },
        { "a celebrity, nude", VERDICT_REVIEW },
    };
    struct conf conf = conf_for(SHIPPED);
    const struct rules *r;
    t_begin(&w);
    CHECK_CODE(&w.cx, rules_load(&w.cx, &conf, &r), FG_OK);
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_I64(check(r, fg_str_c(row[i].text)).kind, row[i].kind, row[i].text);
    rules_drop(r);
    t_end(&w, 0);
}

/* ---- many rules, long texts, any bytes ---- */

static uint64_t dice = 1;

static unsigned roll(unsigned n)
{
    dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(dice >> 33) % n;
}

/* Words of few letters, so that many begin alike and most of a text is nearly a hit. */
static struct fg_str many_rules(unsigned n)
{
    struct sb b = sb_in(w.cx.mem, FG_MIB);
    sb_add(&b, FG_LIT("[x] block\n"));
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = i, c = 0; k || c < 6; k /= 4, c++)
            sb_add_c(&b, "abcd"[(k + c) % 4]);
        sb_addf(&b, " %u z\n", i);
    }
    return sb_str(&b);
}

static struct fg_str nearly(size_t n)
{
    struct sb b = sb_in(w.cx.mem, n + 1);
    for (size_t i = 0; i < n; i++)
        sb_add_c(&b, i % 9 == 8 ? ' ' : "abcd"[roll(4)]);
    return sb_str(&b);
}

static int64_t cpu_us(void)
{
    return (int64_t)clock() * 1000000 / CLOCKS_PER_SEC;
}

static int64_t time_of(const struct rules *r, struct fg_str text)
{
    struct arena *mem = arena_new(), *outer = w.cx.mem;
    int64_t best = INT64_MAX;
    w.cx.mem = mem;
    for (int i = 0; i < 5; i++) {
        int64_t from = cpu_us();
        CHECK_I64(check(r, text).kind, VERDICT_ALLOW, "nothing there");
        int64_t took = cpu_us() - from;
        best = took < best ? took : best;
        arena_reset(mem);
    }
    arena_free(mem);
    w.cx.mem = outer;
    return best;
}

TEST(time_is_linear_in_the_text)
{
    t_begin(&w);
    const struct rules *r = rules_of(many_rules(10000));
    CHECK_I64(rules_phrases(r), 10000, "ten thousand of them");
    CHECK(time_of(r, nearly(1000)) < 100000, "a prompt is nothing");
    int64_t small = time_of(r, nearly(RULES_TEXT_MAX / 10)), large = time_of(r, nearly(RULES_TEXT_MAX));
    CHECK(large <= 20 * (small + 500), "ten times the text");
    rules_drop(r);
    t_end(&w, 0);
}

/* What would be slow in other ways: one letter held down, marks without end, phrases that end in each other. */
TEST(no_text_is_slow)
{
    static const char *const piece[] = { "a", "a ", "e\xcc\x81\xcc\xb6", "\xcc\x81", "\xef\xb7\xba", "\xe6\xae\xba",
                                         "\xe0\xb8\x86", "\xd1\x81", "$", "a.", "\xe2\x80\x8b" };
    t_begin(&w);
    struct sb rules = sb_in(w.cx.mem, FG_MIB);
    sb_add(&rules, FG_LIT("[x] block\n"));
    for (unsigned i = 1; i < 50; i++)
        sb_addf(&rules, "%.*sb\n%.*s c\n", (int)(2 * i), "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
                "a a a a a a a a a a a a a a a a a ", (int)i, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    const struct rules *r = rules_of(sb_str(&rules));
    for (size_t i = 0; i < FG_LEN(piece); i++) {
        struct sb b = sb_in(w.cx.mem, RULES_TEXT_MAX);
        while (b.n + strlen(piece[i]) <= RULES_TEXT_MAX)
            sb_add(&b, fg_str_c(piece[i]));
        CHECK(time_of(r, sb_str(&b)) < 2000000, piece[i]);
    }
    rules_drop(r);
    t_end(&w, 0);
}

/* Any characters at all, as file and as text: no harm, and what is said to be found lies in the text. */
TEST(anything_is_taken_or_refused)
{
    static const char *const piece[] = {
        "a", "b", "k", "1", "$", "!", " ", ".", "*", "[x] block", "[y] review prompts", "[allow]", "\n", "\n", "#",
        "\xd0\xb0", "\xcc\x81", "\xe2\x80\x8d", "\xe6\xae\xba", "\xe4\xba\xba", "\xe0\xb8\x86", "\xe1\x84\x80",
        "\xe1\x85\xa1", "\xf0\x9f\x87\xb0", "\xef\xb7\xba", "\xe3\x82\x99", "\xe3\x81\x8b", "\xc3\x9f", "\xf0\x9f\x94\xa5",
        "\xff", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbf",
    };
    unsigned good = 0, hits = 0;
    for (unsigned i = 0; i < 1500; i++) {
        struct rules_hit h = { 0 };
        struct fg_str made[2];
        const struct rules *r = NULL;
        t_begin(&w);
        for (unsigned k = 0; k < 2; k++) {
            struct sb b = sb_in(w.cx.mem, FG_KIB);
            sb_add(&b, k == 0 && roll(8) ? FG_LIT("[z] block\n") : FG_LIT(""));
            for (unsigned n = roll(30); n > 0; n--)
                sb_add(&b, fg_str_c(piece[roll(roll(20) ? FG_LEN(piece) - 3 : FG_LEN(piece))]));
            made[k] = arena_str(w.cx.mem, sb_str(&b));
        }
        char path[KIT_PATH_MAX];
        kit_file(path, made[0]);
        struct conf conf = conf_for(path);
        if (rules_load(&w.cx, &conf, &r) == FG_OK &&
            rules_check(&w.cx, r, &(struct rules_text){ made[1], roll(2) }, 1, &h) == FG_OK) {
            good++;
            hits += h.kind != VERDICT_ALLOW;
            CHECK(h.kind == VERDICT_ALLOW || (h.found.n > 0 && strstr(made[1].p, h.found.p)), "a piece of the text");
        }
        rules_drop(r);
        unlink(path);
        t_end(&w, 0);
    }
    t_begin(&w);
    CHECK(good > 150 && hits > 15, arena_fmt(w.cx.mem, "both ends were reached: %u, %u", good, hits).p);
    t_end(&w, 0);
}
