#include "t.h"

#include <time.h>

/* The two libraries use these names for different things. */
#define json_object json_c_object
#define json_object_get json_c_object_get
#define json_object_iter json_c_object_iter
#define json_object_iter_next json_c_object_iter_next
#define json_type json_c_type
#include <json-c/json.h>
#undef json_object
#undef json_object_get
#undef json_object_iter
#undef json_object_iter_next
#undef json_type
#include <jansson.h>

#include "io/json.h"

/* FG_LIT for tables: a compound literal is no constant. */
#define TEXT(s) { "" s, sizeof(s) - 1 }

struct sample {
    struct fg_str text;
    const char *why;
    int at; /* the byte that is named */
};

/* The json-c list of the stack notes. */
static const struct sample traps[] = {
    { TEXT("{\"a\":1,\"a\":2}"), "duplicate key", 7 },
    { TEXT("{\"a\":1,\"\\u0061\":2}"), "duplicate key behind an escape", 7 },
    { TEXT("{'a':1}"), "single quotes", 1 },
    { TEXT("{\"a\":\"x\ny\"}"), "raw line feed in a string", 7 },
    { TEXT("[\"\x01\"]"), "raw control byte in a string", 2 },
    { TEXT("{\"a\tb\":1}"), "raw tab in a key", 3 },
    { TEXT("[\"\xc0\xaf\"]"), "overlong in two bytes", 2 },
    { TEXT("[\"\xe0\x80\xaf\"]"), "overlong in three bytes", 2 },
    { TEXT("[\"\xf0\x80\x80\xaf\"]"), "overlong in four bytes", 2 },
    { TEXT("[\"\xed\xa0\x80\"]"), "a surrogate as UTF-8", 2 },
    { TEXT("[\"\\ud800\"]"), "lone high surrogate", 2 },
    { TEXT("[\"x\\udc00\"]"), "lone low surrogate", 3 },
    { TEXT("[\"\\ud800\\u0041\"]"), "high surrogate before a letter", 2 },
    { TEXT("[\"\xf4\x90\x80\x80\"]"), "above U+10FFFF", 2 },
    { TEXT("[NaN]"), "NaN", 1 },
    { TEXT("[Infinity]"), "Infinity", 1 },
    { TEXT("[-Infinity]"), "-Infinity", 2 },
    { TEXT("[1e400]"), "a number no double holds", 1 },
    { TEXT("[1.]"), "no digit after the point", 3 },
    { TEXT("[9223372036854775808]"), "above int64", 1 },
    { TEXT("[-9223372036854775809]"), "below int64", 1 },
    { TEXT("[18446744073709551615]"), "uint64", 1 },
    { TEXT("{\"a\\u0000b\":1}"), "NUL in a key", 3 },
};

static const struct sample bad[] = {
    { TEXT(""), "nothing", 0 },
    { TEXT(" \n"), "only space", 2 },
    { TEXT("\xef\xbb\xbf{}"), "byte order mark", 0 },
    { TEXT("{} {}"), "two values", 3 },
    { TEXT("{}\0"), "a NUL after the value", 2 },
    { TEXT("[1]x"), "trailing bytes", 3 },
    { TEXT("[1,]"), "trailing comma in an array", 3 },
    { TEXT("{\"a\":1,}"), "trailing comma in an object", 7 },
    { TEXT("[,1]"), "leading comma", 1 },
    { TEXT("[1 2]"), "no comma", 3 },
    { TEXT("{\"a\" 1}"), "no colon", 5 },
    { TEXT("{a:1}"), "key without quotes", 1 },
    { TEXT("{1:1}"), "a number as key", 1 },
    { TEXT("{\"a\":}"), "no value", 5 },
    { TEXT("["), "an open array", 1 },
    { TEXT("{\"a\":1"), "an open object", 6 },
    { TEXT("[1}"), "closed by the wrong one", 2 },
    { TEXT("\"abc"), "an open string", 4 },
    { TEXT("\"abc\\"), "ends in an escape", 4 },
    { TEXT("\"\\u12"), "ends in a \\u escape", 1 },
    { TEXT("\"\\u12g4\""), "no hex digit", 1 },
    { TEXT("\"\\x41\""), "unknown escape", 1 },
    { TEXT("\"\\'\""), "escaped single quote", 1 },
    { TEXT("\"\\ud800\\ud800\""), "two high surrogates", 1 },
    { TEXT("\"\\ud83c"), "half a pair at the end", 1 },
    { TEXT("\"\x80\""), "continuation byte alone", 1 },
    { TEXT("\"\xe6\x9d\""), "character cut short", 1 },
    { TEXT("\"a\\u0000\""), "NUL in a value", 2 },
    { TEXT("\"a\0b\""), "raw NUL", 2 },
    { TEXT("01"), "leading zero", 1 },
    { TEXT("-"), "only a sign", 1 },
    { TEXT("-01"), "leading zero after the sign", 2 },
    { TEXT("+1"), "plus sign", 0 },
    { TEXT(".5"), "no digit before the point", 0 },
    { TEXT("1.e5"), "no digit between point and exponent", 2 },
    { TEXT("1e"), "no exponent", 2 },
    { TEXT("1e+"), "only the exponent's sign", 3 },
    { TEXT("0x10"), "hexadecimal", 1 },
    { TEXT("-1e999"), "minus infinity by exponent", 0 },
    { TEXT("True"), "capital", 0 },
    { TEXT("nul"), "short word", 0 },
    { TEXT("truex"), "long word", 4 },
    { TEXT("[1]/* */"), "comment", 3 },
    { TEXT("[1,// \n2]"), "comment inside", 3 },
    { TEXT("[1\f]"), "form feed is no space", 2 },
    { TEXT("[1\v]"), "vertical tab is no space", 2 },
    { TEXT("[\xc2\xa0]"), "no-break space is no space", 1 },
    { TEXT("{\"a\":{\"b\":1,\"c\":2,\"b\":3}}"), "duplicate key inside", 18 },
    { TEXT("{\"\":1,\"\":2}"), "empty key twice", 6 },
    { TEXT("{\"\\ud83c\\udfac\":1,\"\xf0\x9f\x8e\xac\":2}"), "duplicate through a surrogate pair", 18 },
    { TEXT("{\"z\":1,\"b\":2,\"b\":3,\"a\":4,\"a\":5}"), "the first of several is named", 13 },
};

static const struct sample good[] = {
    { TEXT("{}"), "empty object", 0 },
    { TEXT("[]"), "empty array", 0 },
    { TEXT(" \t\r\n[ \n{ \t} , { \"a\" : [ ] } ] \r\n"), "space everywhere", 0 },
    { TEXT("null"), "null at the top", 0 },
    { TEXT("true"), "true at the top", 0 },
    { TEXT("false "), "false at the top", 0 },
    { TEXT("\"\""), "empty string at the top", 0 },
    { TEXT("12"), "a number at the top ends with the text", 0 },
    { TEXT("-1.5e3"), "a real number at the top", 0 },
    { TEXT("[0,-0,-1,9223372036854775807,-9223372036854775808]"), "the ends of int64", 0 },
    { TEXT("[0.0,-0.0,1.5,1e5,1E+5,1e-5,0e0,1.7976931348623157e308]"), "reals", 0 },
    { TEXT("[1e-999]"), "underflow is no error", 0 },
    { TEXT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u6771\"]"), "all escapes", 0 },
    { TEXT("[\"\\ud83c\\udfac\"]"), "a surrogate pair", 0 },
    { TEXT("[\"caf\xc3\xa9 \xe6\x9d\xb1\xe4\xba\xac \xf0\x9f\x8e\xac\"]"), "2, 3 and 4 bytes", 0 },
    { TEXT("[\"\xf4\x8f\xbf\xbf \xef\xbf\xbf \x7f\"]"), "U+10FFFF, a noncharacter, DEL", 0 },
    { TEXT("{\"a\":1,\"A\":2,\"a \":3,\"\":4}"), "keys that only look alike", 0 },
    { TEXT("[{\"a\":1},{\"a\":{\"a\":2}}]"), "the same key in different objects", 0 },
    { TEXT("{\"a\":{\"b\":1},\"b\":{\"a\":2,\"b\":3}}"), "the same key in and out", 0 },
};

static bool jansson_takes(struct fg_str text)
{
    json_t *v = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    json_decref(v);
    return v != NULL;
}

static bool json_c_takes(struct fg_str text)
{
    struct json_tokener *tok = json_tokener_new();
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_c_object *v = json_tokener_parse_ex(tok, text.p, (int)text.n);
    bool took = json_tokener_get_error(tok) == json_tokener_success &&
                json_tokener_get_parse_end(tok) == text.n;
    json_object_put(v);
    json_tokener_free(tok);
    return took;
}

static void check_refused(const struct sample *s)
{
    struct t_world w;
    t_begin(&w);
    const struct js *v = NULL;
    const char *words = js_scan(&w.cx, s->text);
    CHECK(words != NULL, s->why);
    struct fg_str want = arena_fmt(w.cx.mem, "byte %d: ", s->at);
    CHECK_STR(((struct fg_str){ words, want.n }), want, s->why);
    CHECK_CODE(&w.cx, js_parse(&w.cx, s->text, &v), FG_INVALID_JSON);
    CHECK_STR(fg_str_c(w.cx.err.detail), fg_str_c(words), s->why);
    CHECK(v == NULL, "the result is untouched");
    t_end(&w, 0);
}

TEST(trap_json_c_takes_what_the_rfc_does_not)
{
    size_t taken = 0;
    for (size_t i = 0; i < FG_LEN(traps); i++) {
        taken += json_c_takes(traps[i].text);
        check_refused(&traps[i]);
        CHECK(!jansson_takes(traps[i].text), traps[i].why);
    }
    CHECK(json_c_takes(traps[0].text), "json-c takes duplicate keys: the trap exists");
    CHECK(taken >= FG_LEN(traps) / 2, "json-c takes most of them: the trap exists");
}

TEST(bad_texts_are_refused_at_the_byte)
{
    for (size_t i = 0; i < FG_LEN(bad); i++) {
        check_refused(&bad[i]);
        CHECK(!jansson_takes(bad[i].text), bad[i].why);
    }
}

TEST(good_texts_are_taken_and_written_again_with_the_same_meaning)
{
    for (size_t i = 0; i < FG_LEN(good); i++) {
        struct t_world w;
        t_begin(&w);
        const struct js *v = NULL;
        CHECK_CODE(&w.cx, js_parse(&w.cx, good[i].text, &v), FG_OK);
        CHECK(v != NULL, good[i].why);
        struct sb b = sb_in(w.cx.mem, FG_KIB);
        js_write(&b, v);
        CHECK(!b.bad, good[i].why);
        int flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
        json_t *before = json_loadb(good[i].text.p, good[i].text.n, (size_t)flags, NULL);
        json_t *after = json_loadb(b.p, b.n, (size_t)flags, NULL);
        CHECK(before && after && json_equal(before, after), good[i].why);
        json_decref(before);
        json_decref(after);
        t_end(&w, 0);
    }
}

/* open, n times; middle; close, n times */
static struct fg_str nested(struct fg_ctx *cx, size_t n, struct fg_str open, struct fg_str middle,
                            struct fg_str close)
{
    struct sb b = sb_in(cx->mem, JSON_TEXT_MAX + FG_KIB);
    for (size_t i = 0; i < n; i++)
        sb_add(&b, open);
    sb_add(&b, middle);
    for (size_t i = 0; i < n; i++)
        sb_add(&b, close);
    CHECK(!b.bad, "the sample fits");
    return sb_str(&b);
}

TEST(depth_ends_at_sixteen)
{
    static const struct {
        size_t n;
        struct fg_str open, middle, close;
        enum fg_code want;
    } row[] = {
        { 16, TEXT("["), TEXT(""), TEXT("]"), FG_OK },
        { 16, TEXT("["), TEXT("1"), TEXT("]"), FG_OK },
        { 16, TEXT("{\"a\":"), TEXT("\"x\""), TEXT("}"), FG_OK },
        { 17, TEXT("["), TEXT(""), TEXT("]"), FG_INVALID_JSON },
        { 17, TEXT("{\"a\":"), TEXT("1"), TEXT("}"), FG_INVALID_JSON },
        { 1000000, TEXT("["), TEXT(""), TEXT("]"), FG_INVALID_JSON },
        { 1000000, TEXT("{\"a\":"), TEXT("1"), TEXT(""), FG_INVALID_JSON },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        const struct js *v;
        t_begin(&w);
        struct fg_str text = nested(&w.cx, row[i].n, row[i].open, row[i].middle, row[i].close);
        CHECK_CODE(&w.cx, js_parse(&w.cx, text, &v), row[i].want);
        t_end(&w, 0);
    }
}

/* n members whose keys share a long beginning; if twice, the last key is the first again. */
static struct fg_str wide(struct fg_ctx *cx, int n, bool twice)
{
    struct sb b = sb_in(cx->mem, JSON_TEXT_MAX);
    for (int i = 0; i < n; i++)
        sb_addf(&b, "%c\"some_rather_long_key_%06d\":%d", i ? ',' : '{',
                twice && i == n - 1 ? 0 : i * 7919 % 999983, i);
    sb_add_c(&b, '}');
    CHECK(!b.bad, "the sample fits");
    return sb_str(&b);
}

TEST(big_texts_take_linear_time)
{
    struct t_world w;
    const struct js *v;
    t_begin(&w);
    clock_t start = clock();
    CHECK_CODE(&w.cx, js_parse(&w.cx, wide(&w.cx, JSON_VALUES_MAX - 1, false), &v), FG_OK);
    CHECK_I64(js_len(v), JSON_VALUES_MAX - 1, "all members");
    CHECK_CODE(&w.cx, js_parse(&w.cx, wide(&w.cx, JSON_VALUES_MAX - 1, true), &v), FG_INVALID_JSON);
    CHECK(strstr(w.cx.err.detail, "duplicate") != NULL, "found among many");
    CHECK_CODE(&w.cx, js_parse(&w.cx, wide(&w.cx, JSON_VALUES_MAX, false), &v), FG_INVALID_JSON);
    CHECK(strstr(w.cx.err.detail, "too many") != NULL, "one value too many");
    /* Each pair compared would be 5,000,000,000 comparisons a text. */
    CHECK(clock() - start < 3 * CLOCKS_PER_SEC, "not quadratic");
    t_end(&w, 0);
}

TEST(numbers_and_texts_have_a_maximum)
{
    struct t_world w;
    const struct js *v;
    t_begin(&w);
    struct fg_str fits = nested(&w.cx, JSON_NUMBER_MAX - 2, FG_LIT(""), FG_LIT("0."), FG_LIT("3"));
    struct fg_str over = nested(&w.cx, JSON_NUMBER_MAX - 1, FG_LIT(""), FG_LIT("0."), FG_LIT("3"));
    struct fg_str text;
    CHECK_CODE(&w.cx, js_parse(&w.cx, fits, &v), FG_OK);
    CHECK(js_number_text(v, &text), "a number");
    CHECK_STR(text, fits, "every digit is kept");
    CHECK_CODE(&w.cx, js_parse(&w.cx, over, &v), FG_INVALID_JSON);
    struct fg_str large = nested(&w.cx, JSON_TEXT_MAX - 2, FG_LIT(""), FG_LIT("[]"), FG_LIT(" "));
    CHECK_CODE(&w.cx, js_parse(&w.cx, large, &v), FG_OK);
    large = nested(&w.cx, JSON_TEXT_MAX - 1, FG_LIT(""), FG_LIT("[]"), FG_LIT(" "));
    CHECK_CODE(&w.cx, js_parse(&w.cx, large, &v), FG_INVALID_JSON);
    large = nested(&w.cx, FG_MIB, FG_LIT(""), FG_LIT("\""), FG_LIT("x"));
    CHECK_CODE(&w.cx, js_parse(&w.cx, large, &v), FG_INVALID_JSON);
    CHECK_CODE(&w.cx, js_parse(&w.cx, FG_LIT("[\"after it\"]"), &v), FG_OK);
    t_end(&w, 0);
}

static const struct js *parsed(struct fg_ctx *cx, struct fg_str text)
{
    const struct js *v = NULL;
    CHECK_CODE(cx, js_parse(cx, text, &v), FG_OK);
    return v;
}

TEST(getters_never_coerce)
{
    static const struct {
        struct fg_str text;
        enum js_type type;
        bool str, i64, yes_no, number;
    } row[] = {
        { TEXT("\"12\""), JS_STRING, true, false, false, false },
        { TEXT("\"12x\""), JS_STRING, true, false, false, false },
        { TEXT("\"true\""), JS_STRING, true, false, false, false },
        { TEXT("\"\""), JS_STRING, true, false, false, false },
        { TEXT("12"), JS_NUMBER, false, true, false, true },
        { TEXT("0"), JS_NUMBER, false, true, false, true },
        { TEXT("1.0"), JS_NUMBER, false, false, false, true },
        { TEXT("1.9"), JS_NUMBER, false, false, false, true },
        { TEXT("1e2"), JS_NUMBER, false, false, false, true },
        { TEXT("true"), JS_BOOL, false, false, true, false },
        { TEXT("false"), JS_BOOL, false, false, true, false },
        { TEXT("null"), JS_NULL, false, false, false, false },
        { TEXT("[1]"), JS_ARRAY, false, false, false, false },
        { TEXT("{\"a\":1}"), JS_OBJECT, false, false, false, false },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        t_begin(&w);
        const struct js *v = parsed(&w.cx, row[i].text);
        const char *why = row[i].text.p;
        struct fg_str s = FG_LIT("kept");
        int64_t n = 4711;
        bool b = true;
        CHECK_I64(js_type(v), row[i].type, why);
        CHECK(js_str(v, &s) == row[i].str, why);
        CHECK(FG_IS(s, "kept") == !row[i].str, "untouched unless a string");
        CHECK(js_i64(v, &n) == row[i].i64, why);
        CHECK((n == 4711) == !row[i].i64, "untouched unless an integer");
        CHECK(js_bool(v, &b) == row[i].yes_no, why);
        CHECK(js_number_text(v, &s) == row[i].number, why);
        if (row[i].number)
            CHECK_STR(s, row[i].text, "the digits as they stood");
        t_end(&w, 0);
    }
}

TEST(an_absent_member_is_not_a_null)
{
    struct t_world w;
    t_begin(&w);
    const struct js *v =
        parsed(&w.cx, FG_LIT("{\"none\":null,\"list\":[null,7],\"s\":\"a\\/b\\u00e9\"}"));
    const struct js *list = js_get(v, "list");
    struct fg_str s;
    int64_t n = 0;
    CHECK(js_get(v, "absent") == NULL, "absent");
    CHECK(js_get(v, "none") != NULL, "a null is there");
    CHECK_I64(js_type(js_get(v, "none")), JS_NULL, "and has a type");
    CHECK_I64(js_type(NULL), JS_NULL, "no value at all");
    CHECK(js_get(list, "s") == NULL && js_get(NULL, "s") == NULL, "not objects");
    CHECK(js_get(js_get(v, "none"), "s") == NULL, "a null has no members");
    CHECK_I64(js_len(list), 2, "elements");
    CHECK_I64(js_len(v), 3, "members");
    CHECK_I64(js_len(js_get(v, "s")) + js_len(NULL), 0, "the rest has no length");
    CHECK(js_at(list, 0) != NULL && js_type(js_at(list, 0)) == JS_NULL, "a null element");
    CHECK(js_i64(js_at(list, 1), &n) && n == 7, "an element");
    CHECK(js_at(list, 2) == NULL && js_at(v, 0) == NULL && js_at(NULL, 0) == NULL, "no element");
    CHECK(js_str(js_get(v, "s"), &s), "a string");
    CHECK_IS(s, "a/b\xc3\xa9", "without escapes");
    t_end(&w, 0);
}

TEST(members_come_in_order)
{
    static const struct fg_str want[] = { TEXT("z"), TEXT("a\"b"), TEXT(""), TEXT("m") };
    struct t_world w;
    t_begin(&w);
    const struct js *v = parsed(&w.cx, FG_LIT("{\"z\":0,\"a\\\"b\":1,\"\":2,\"m\":null}")), *member;
    struct fg_str key;
    size_t it = 0, i = 0;
    for (; js_next(v, &it, &key, &member); i++) {
        int64_t n = 3;
        CHECK(i < FG_LEN(want), "not more than there are");
        CHECK_STR(key, want[i], "order of appearance");
        CHECK(member != NULL, "a value, a null too");
        CHECK(js_i64(member, &n) == (i < 3), "its own value");
        CHECK_I64(n, i, "its own value");
    }
    CHECK_I64(i, FG_LEN(want), "all of them");
    CHECK(!js_next(v, &it, &key, &member), "the end stays the end");
    it = 0;
    CHECK(!js_next(parsed(&w.cx, FG_LIT("{}")), &it, &key, &member), "none in an empty one");
    it = 0;
    CHECK(!js_next(parsed(&w.cx, FG_LIT("[1]")), &it, &key, &member), "none in an array");
    it = 0;
    CHECK(!js_next(NULL, &it, &key, &member), "none in nothing");
    t_end(&w, 0);
}

TEST(written_again_it_is_compact_and_exact)
{
    struct t_world w;
    t_begin(&w);
    struct sb b = sb_in(w.cx.mem, FG_KIB), small = sb_in(w.cx.mem, 20);
    const struct js *v =
        parsed(&w.cx, FG_LIT("{ \"b\" : [ 0.10, 1E5, -7, true, false, null, {}, [] ],\n"
                             " \"k\\\"\" : \"a\\/\\u0041\\n\\ud83c\\udfac\" }"));
    js_write(&b, v);
    CHECK_STR(sb_str(&b),
              FG_LIT("{\"b\":[0.10,1E5,-7,true,false,null,{},[]],"
                     "\"k\\\"\":\"a/A\\n\xf0\x9f\x8e\xac\"}"),
              "order, digits and texts stay");
    js_write(&small, v);
    CHECK(small.bad, "the maximum holds");
    t_end(&w, 0);
}

TEST(writer_puts_the_commas)
{
    struct t_world w;
    t_begin(&w);
    struct sb b = sb_in(w.cx.mem, FG_KIB), small = sb_in(w.cx.mem, 4);
    struct jw j = jw_on(&b);
    jw_open(&j, NULL);
    jw_str(&j, "s", FG_LIT("a\"\n\xc3\xa9"));
    jw_str(&j, "empty", FG_LIT(""));
    jw_str(&j, "none", FG_NONE);
    jw_open_array(&j, "list");
    jw_i64(&j, NULL, INT64_MIN);
    jw_bool(&j, NULL, true);
    jw_open(&j, NULL);
    jw_close(&j);
    jw_open_array(&j, NULL);
    jw_close_array(&j);
    jw_close_array(&j);
    jw_open(&j, "o");
    jw_key(&j, FG_LIT("a \"key\""));
    jw_str(&j, NULL, FG_LIT("v"));
    jw_key(&j, FG_LIT("2"));
    jw_i64(&j, NULL, 2);
    jw_close(&j);
    jw_bool(&j, "b", false);
    jw_null(&j, "nil");
    jw_time(&j, "at", INT64_C(1767225600123456));
    jw_time(&j, "never", 0);
    jw_raw(&j, "raw", FG_LIT("{\"x\":[]}"));
    jw_raw(&j, "noraw", FG_NONE);
    jw_close(&j);
    CHECK_STR(sb_str(&b),
              FG_LIT("{\"s\":\"a\\\"\\n\xc3\xa9\",\"empty\":\"\",\"none\":null,"
                     "\"list\":[-9223372036854775808,true,{},[]],"
                     "\"o\":{\"a \\\"key\\\"\":\"v\",\"2\":2},\"b\":false,\"nil\":null,"
                     "\"at\":\"2026-01-01T00:00:00.123Z\",\"never\":null,"
                     "\"raw\":{\"x\":[]},\"noraw\":null}"),
              "all kinds");
    struct fg_str s;
    const struct js *v = parsed(&w.cx, sb_str(&b));
    CHECK(js_str(js_get(v, "s"), &s), "read back");
    CHECK_IS(s, "a\"\n\xc3\xa9", "round trip");
    struct jw little = jw_on(&small);
    jw_open(&little, NULL);
    jw_null(&little, "x");
    CHECK(small.bad, "overflow shows at the end");
    t_end(&w, 0);
}
