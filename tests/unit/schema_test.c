/* The schema checker. Its verdicts: tests/data/schema_cases.json, which tests/providers/schema.test.mjs has ajv judge,
 * too. Here also: which schemas are none, and that nothing makes it run for ever. */
#include "t.h"

#include "base/sb.h"
#include "provider/schema.h"

#define CASES "tests/data/schema_cases.json"

static const struct js *parsed(struct fg_ctx *cx, struct fg_str text)
{
    const struct js *v = NULL;
    CHECK_CODE(cx, js_parse(cx, text, &v), FG_OK);
    return v;
}

static const struct js *parsed_c(struct fg_ctx *cx, const char *text)
{
    return parsed(cx, fg_str_c(text));
}

static void check_case(struct t_world *w, const char *about, const struct js *schema, const struct js *one)
{
    bool valid = false;
    struct fg_str says;
    CHECK(js_bool(js_get(one, "valid"), &valid), about);
    enum fg_code rc = schema_validate(&w->cx, schema, js_get(one, "value"));
    if (rc != (valid ? FG_OK : FG_CONFIG)) {
        struct sb b = sb_in(w->cx.mem, 4 * FG_KIB);
        js_write(&b, one);
        CHECK(false, arena_fmt(w->cx.mem, "%s: %s: %s", about, sb_cstr(&b), rc ? w->cx.err.detail : "taken").p);
    }
    if (js_str(js_get(one, "says"), &says))
        CHECK_STR(fg_str_c(w->cx.err.detail), says, about);
}

TEST(cases)
{
    struct t_world w;
    t_begin(&w);
    const struct js *groups = parsed(&w.cx, t_file(&w.cx, CASES));
    size_t n = 0;
    for (size_t i = 0; i < js_len(groups); i++) {
        const struct js *group = js_at(groups, i), *schema = js_get(group, "schema");
        const struct js *tests = js_get(group, "tests");
        struct fg_str about = FG_NONE;
        CHECK(js_str(js_get(group, "about"), &about) && js_len(tests) > 0, "every group has both");
        CHECK_CODE(&w.cx, schema_check(&w.cx, schema), FG_OK);
        for (size_t k = 0; k < js_len(tests); k++, n++)
            check_case(&w, about.p, schema, js_at(tests, k));
    }
    CHECK(n >= 60, "as many as were promised");
    t_end(&w, 0);
}

TEST(what_is_no_schema)
{
    static const struct {
        const char *schema, *says;
    } row[] = {
        { "true", "#: must be an object" },
        { "[]", "#: must be an object" },
        { "null", "#: must be an object" },
        /* keywords of the standard that we do not look at, and slips of the pen */
        { "{\"pattern\":\"^a\"}", "#/pattern: unknown keyword" },
        { "{\"format\":\"uri\"}", "#/format: unknown keyword" },
        { "{\"default\":1}", "#/default: unknown keyword" },
        { "{\"$comment\":\"x\"}", "#/$comment: unknown keyword" },
        { "{\"exclusiveMinimum\":1}", "#/exclusiveMinimum: unknown keyword" },
        { "{\"not\":{}}", "#/not: unknown keyword" },
        { "{\"allOf\":[{}]}", "#/allOf: unknown keyword" },
        { "{\"if\":{},\"then\":{}}", "#/if: unknown keyword" },
        { "{\"patternProperties\":{}}", "#/patternProperties: unknown keyword" },
        { "{\"Type\":\"object\"}", "#/Type: unknown keyword" },
        { "{\"properties\":{\"a\":{\"minimun\":1}}}", "#/properties/a/minimun: unknown keyword" },
        /* wherever it is */
        { "{\"$defs\":{\"a/b\":{\"x\":1}}}", "#/$defs/a~1b/x: unknown keyword" },
        { "{\"items\":{\"items\":{\"x\":1}}}", "#/items/items/x: unknown keyword" },
        { "{\"additionalProperties\":{\"x\":1}}", "#/additionalProperties/x: unknown keyword" },
        { "{\"anyOf\":[{},{\"x\":1}]}", "#/anyOf/1/x: unknown keyword" },
        { "{\"oneOf\":[{\"x\":1}]}", "#/oneOf/0/x: unknown keyword" },
        { "{\"propertyNames\":{\"x\":1}}", "#/propertyNames/x: unknown keyword" },
        { "{\"propertyNames\":{\"type\":\"string\"}}", "#/propertyNames/type: unknown keyword" },
        /* a schema is an object */
        { "{\"items\":true}", "#/items: must be an object" },
        { "{\"items\":[{}]}", "#/items: must be an object" },
        { "{\"properties\":{\"a\":false}}", "#/properties/a: must be an object" },
        { "{\"properties\":[]}", "#/properties: must be an object of schemas" },
        { "{\"$defs\":null}", "#/$defs: must be an object of schemas" },
        { "{\"additionalProperties\":1}", "#/additionalProperties: must be an object" },
        { "{\"propertyNames\":true}", "#/propertyNames: must be an object" },
        { "{\"anyOf\":{}}", "#/anyOf: must be a list of 1 to 16 schemas" },
        { "{\"anyOf\":[]}", "#/anyOf: must be a list of 1 to 16 schemas" },
        { "{\"oneOf\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}",
          "#/oneOf: must be a list of 1 to 16 schemas" },
        { "{\"oneOf\":[1]}", "#/oneOf/0: must be an object" },
        /* at the top only */
        { "{\"items\":{\"$defs\":{}}}", "#/items/$defs: may stand at the top only" },
        { "{\"items\":{\"$id\":\"x\"}}", "#/items/$id: may stand at the top only" },
        { "{\"$defs\":{\"a\":{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"}}}",
          "#/$defs/a/$schema: may stand at the top only" },
        { "{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}",
          "#/$schema: must be https://json-schema.org/draft/2020-12/schema" },
        /* the rest */
        { "{\"title\":1}", "#/title: must be a text" },
        { "{\"description\":null}", "#/description: must be a text" },
        { "{\"$id\":1}", "#/$id: must be a text" },
        { "{\"type\":\"text\"}", "#/type: must be the name of a type or a list of such" },
        { "{\"type\":[]}", "#/type: must be the name of a type or a list of such" },
        { "{\"type\":[\"string\",\"any\"]}", "#/type: must be the name of a type or a list of such" },
        { "{\"type\":[[\"string\"]]}", "#/type: must be the name of a type or a list of such" },
        { "{\"type\":null}", "#/type: must be the name of a type or a list of such" },
        { "{\"type\":[\"string\",\"null\",\"string\"]}", "#/type: names a type twice" },
        { "{\"enum\":[]}", "#/enum: must be a list of values" },
        { "{\"enum\":{\"a\":1}}", "#/enum: must be a list of values" },
        { "{\"propertyNames\":{\"enum\":1}}", "#/propertyNames/enum: must be a list of values" },
        { "{\"minimum\":1.5}", "#/minimum: must be a whole number" },
        { "{\"maximum\":\"9\"}", "#/maximum: must be a whole number" },
        { "{\"minLength\":-1}", "#/minLength: must be a whole number from 0" },
        { "{\"maxItems\":1.0}", "#/maxItems: must be a whole number from 0" },
        { "{\"propertyNames\":{\"maxLength\":null}}",
          "#/propertyNames/maxLength: must be a whole number from 0" },
        { "{\"required\":\"a\"}", "#/required: must be a list of keys" },
        { "{\"required\":[\"a\",1]}", "#/required: must be a list of keys" },
        { "{\"uniqueItems\":1}", "#/uniqueItems: must be true or false" },
        { "{\"$ref\":\"#/$defs/a\"}", "#/$ref: must be #/$defs/NAME, and NAME must be there" },
        { "{\"$defs\":{\"a\":{}},\"$ref\":\"#/$defs/b\"}", "#/$ref: must be #/$defs/NAME, and NAME must be there" },
        { "{\"$defs\":{\"a\":{}},\"$ref\":\"#/$defs/a/x\"}",
          "#/$ref: must be #/$defs/NAME, and NAME must be there" },
        { "{\"$defs\":{\"a~0\":{}},\"$ref\":\"#/$defs/a~0\"}",
          "#/$ref: must be #/$defs/NAME, and NAME must be there" },
        { "{\"$defs\":{\"a%20\":{}},\"$ref\":\"#/$defs/a%20\"}",
          "#/$ref: must be #/$defs/NAME, and NAME must be there" },
        { "{\"$defs\":{\"a\":{}},\"$ref\":\"#\"}", "#/$ref: must be #/$defs/NAME, and NAME must be there" },
        { "{\"$defs\":{\"a\":{}},\"$ref\":\"other.json#/$defs/a\"}",
          "#/$ref: must be #/$defs/NAME, and NAME must be there" },
        { "{\"$defs\":{\"a\":{}},\"$ref\":1}", "#/$ref: must be #/$defs/NAME, and NAME must be there" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        t_begin(&w);
        CHECK_I64(schema_check(&w.cx, parsed_c(&w.cx, row[i].schema)), FG_CONFIG, row[i].schema);
        CHECK_STR(fg_str_c(w.cx.err.detail), fg_str_c(row[i].says), row[i].schema);
        t_end(&w, 0);
    }
}

/* Each comes back to itself without taking a step into the value. */
TEST(a_ref_that_comes_back_to_itself_ends)
{
    static const char *const row[] = {
        "{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/a\"}},\"$ref\":\"#/$defs/a\"}",
        "{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"anyOf\":[{\"$ref\":\"#/$defs/a\"},{}]}},"
        "\"$ref\":\"#/$defs/a\"}",
        "{\"$defs\":{\"a\":{\"oneOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/a\"}]}},\"$ref\":\"#/$defs/a\"}",
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        t_begin(&w);
        const struct js *schema = parsed_c(&w.cx, row[i]);
        CHECK_CODE(&w.cx, schema_check(&w.cx, schema), FG_OK);
        CHECK_CODE(&w.cx, schema_validate(&w.cx, schema, parsed_c(&w.cx, "1")), FG_CONFIG);
        CHECK_STR(fg_str_c(w.cx.err.detail), FG_LIT("/: the schema comes to no end here"), row[i]);
        t_end(&w, 0);
    }
}

/* 28 schemas, each asking the next one twice: 2^28 steps if nobody counted. */
TEST(a_schema_that_asks_too_much_ends)
{
    struct t_world w;
    t_begin(&w);
    struct sb b = sb_in(w.cx.mem, 16 * FG_KIB);
    sb_add(&b, FG_LIT("{\"$ref\":\"#/$defs/n0\",\"$defs\":{"));
    for (int i = 0; i < 28; i++)
        sb_addf(&b, "\"n%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/n%d\"},{\"$ref\":\"#/$defs/n%d\"}]},", i, i + 1, i + 1);
    sb_add(&b, FG_LIT("\"n28\":{\"type\":\"null\"}}}"));
    const struct js *schema = parsed(&w.cx, sb_str(&b));
    CHECK_CODE(&w.cx, schema_check(&w.cx, schema), FG_OK);
    CHECK_CODE(&w.cx, schema_validate(&w.cx, schema, parsed_c(&w.cx, "null")), FG_OK);
    CHECK_CODE(&w.cx, schema_validate(&w.cx, schema, parsed_c(&w.cx, "1")), FG_CONFIG);
    CHECK_IS(fg_str_c(w.cx.err.detail), "/: the schema comes to no end here", "counted");
    t_end(&w, 0);
}

/* JSON as deep as it may be, by a schema that follows it down. */
TEST(as_deep_as_json_goes)
{
    struct t_world w;
    t_begin(&w);
    const struct js *schema = parsed_c(
        &w.cx, "{\"$defs\":{\"n\":{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/n\"}}"
               "]}},\"$ref\":\"#/$defs/n\"}");
    CHECK_CODE(&w.cx, schema_check(&w.cx, schema), FG_OK);
    CHECK_CODE(&w.cx, schema_validate(&w.cx, schema, parsed_c(&w.cx, "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]")), FG_OK);
    CHECK_CODE(&w.cx, schema_validate(&w.cx, schema, parsed_c(&w.cx, "[[[[[[[[[[[[[[[[1,null]]]]]]]]]]]]]]]]")),
               FG_CONFIG);
    CHECK_IS(fg_str_c(w.cx.err.detail),
             "/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/1: fits none of the 2 forms that are allowed", "the place");
    t_end(&w, 0);
}

TEST(unique_items_up_to_a_limit)
{
    struct t_world w;
    t_begin(&w);
    const struct js *schema = parsed_c(&w.cx, "{\"uniqueItems\":true}");
    struct sb b = sb_in(w.cx.mem, 16 * FG_KIB);
    sb_add(&b, FG_LIT("[0"));
    for (int i = 1; i < SCHEMA_UNIQUE_MAX; i++)
        sb_addf(&b, ",%d", i);
    struct fg_str most = arena_fmt(w.cx.mem, "%s]", sb_cstr(&b));
    struct fg_str more = arena_fmt(w.cx.mem, "%s,-1]", sb_cstr(&b));
    CHECK_CODE(&w.cx, schema_validate(&w.cx, schema, parsed(&w.cx, most)), FG_OK);
    CHECK_CODE(&w.cx, schema_validate(&w.cx, schema, parsed(&w.cx, more)), FG_CONFIG);
    CHECK_IS(fg_str_c(w.cx.err.detail), "/: must have at most 1000 items, to be told apart", "words");
    t_end(&w, 0);
}

/* The words come through however long the path is, and whatever the keys and values are. */
TEST(words_for_people)
{
    static const struct {
        const char *schema, *value, *says;
    } row[] = {
        { "{\"enum\":[\"%s%n\"]}", "1", "/: must be \"%s%n\"" },
        { "{\"additionalProperties\":false}", "{\"%s%n\":1}", "/%s%n: unknown key" },
        { "{\"additionalProperties\":false}",
          "{\"0123456789012345678901234567890123456789012345678901234567890123456789\":1}",
          "/0123456789012345678901234567890123456789012345678901234567890123: unknown key" },
        { "{\"additionalProperties\":{\"additionalProperties\":{\"additionalProperties\":{\"const\":1}}}}",
          "{\"012345678901234567890123456789012345678901234567890123456789\":{"
          "\"012345678901234567890123456789012345678901234567890123456789\":{"
          "\"012345678901234567890123456789012345678901234567890123456789\":2}}}",
          "/012345678901234567890123456789012345678901234567890123456789"
          "/012345678901234567890123456789012345678901234567890123456789"
          "/012345678901234567890123456789012: must be 1" },
        { "{\"additionalProperties\":false}",
          "{\"//////////////////////////////////////////////////////////////////////\":1}",
          "/~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1"
          "~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1~1: unknown key" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        t_begin(&w);
        const struct js *schema = parsed_c(&w.cx, row[i].schema), *value = parsed_c(&w.cx, row[i].value);
        CHECK_CODE(&w.cx, schema_check(&w.cx, schema), FG_OK);
        CHECK_I64(schema_validate(&w.cx, schema, value), FG_CONFIG, row[i].schema);
        CHECK_STR(fg_str_c(w.cx.err.detail), fg_str_c(row[i].says), row[i].schema);
        t_end(&w, 0);
    }
}
