#include "provider/schema.h"

#include "base/utf8.h"
#include "provider/schema_parts.h"

#define DEPTH_MAX 64      /* subschemas inside one another; the value itself ends at JSON_DEPTH_MAX */
#define STEPS_MAX 1000000 /* subschemas applied in all */
#define VALUES_SHOWN 80 /* fits behind "must be " in a fault */

/* ---- values ---- */

/* Exact for every int64; a fraction is rounded, as by every reader of JSON. */
static long double number(const struct js *v)
{
    struct fg_str text;
    int64_t whole;
    if (js_i64(v, &whole))
        return (long double)whole;
    return js_number_text(v, &text) ? strtold(text.p, NULL) : 0;
}

static bool same(const struct js *a, const struct js *b);

static bool same_members(const struct js *a, const struct js *b)
{
    struct fg_str key;
    const struct js *in_a, *in_b;
    for (size_t it = 0; js_next(a, &it, &key, &in_a);)
        if (!(in_b = js_get(b, key.p)) || !same(in_a, in_b))
            return false;
    return true;
}

static bool same(const struct js *a, const struct js *b)
{
    struct fg_str s, t;
    bool x, y, alike = true;
    if (js_type(a) != js_type(b) || js_len(a) != js_len(b))
        return false;
    switch (js_type(a)) {
    case JS_NULL: return true;
    case JS_BOOL: return js_bool(a, &x) && js_bool(b, &y) && x == y;
    case JS_NUMBER: return number(a) == number(b);
    case JS_STRING: return js_str(a, &s) && js_str(b, &t) && fg_eq(s, t);
    case JS_ARRAY:
        for (size_t i = 0; alike && i < js_len(a); i++)
            alike = same(js_at(a, i), js_at(b, i));
        return alike;
    case JS_OBJECT: return same_members(a, b);
    }
    return false;
}

size_t schema_repeated(const struct js *list)
{
    for (size_t i = 1; i < js_len(list); i++)
        for (size_t k = 0; k < i; k++)
            if (same(js_at(list, i), js_at(list, k)))
                return i;
    return js_len(list);
}

/* ---- the keywords ---- */

static bool fits(struct walk *w, const struct at *at, const struct js *schema, const struct js *v);

static bool type_fits(struct walk *w, const struct at *at, const struct keyword *k, const struct js *schema,
                      const struct js *v)
{
    const struct js *arg = js_get(schema, k->name), *name;
    struct sb words = sb_in(w->cx->mem, VALUES_SHOWN);
    int64_t whole;
    for (size_t i = 0; (name = schema_type_at(arg, i)); i++) {
        const struct type_name *t = schema_type(name);
        if (t->type == js_type(v) && (strcmp(t->name, "integer") != 0 || js_i64(v, &whole)))
            return true;
        sb_add(&words, i ? FG_LIT(" or ") : FG_NONE);
        sb_add(&words, fg_str_c(t->words));
    }
    return schema_wrong(w, at, "must be %.*s", FG_P(sb_str(&words)));
}

static bool const_fits(struct walk *w, const struct at *at, const struct keyword *k, const struct js *schema,
                       const struct js *v)
{
    const struct js *want = js_get(schema, k->name);
    struct sb b = sb_in(w->cx->mem, VALUES_SHOWN);
    if (same(want, v))
        return true;
    js_write(&b, want);
    return b.bad ? schema_wrong(w, at, "is not the one value that is allowed")
                 : schema_wrong(w, at, "must be %.*s", FG_P(sb_str(&b)));
}

static bool enum_fits(struct walk *w, const struct at *at, const struct keyword *k, const struct js *schema,
                      const struct js *v)
{
    const struct js *list = js_get(schema, k->name);
    struct sb b = sb_in(w->cx->mem, VALUES_SHOWN);
    for (size_t i = 0; i < js_len(list); i++)
        if (same(js_at(list, i), v))
            return true;
    for (size_t i = 0; i < js_len(list) && !b.bad; i++) {
        sb_add(&b, i ? FG_LIT(" or ") : FG_NONE);
        js_write(&b, js_at(list, i));
    }
    return b.bad ? schema_wrong(w, at, "is none of the %zu values that are allowed", js_len(list))
                 : schema_wrong(w, at, "must be %.*s", FG_P(sb_str(&b)));
}

/* have: the number itself, or how many units there are. */
static bool within(struct walk *w, const struct at *at, const struct keyword *k, const struct js *limit,
                   long double have, const char *what)
{
    int64_t n = 0;
    (void)js_i64(limit, &n);
    if (k->most ? have <= (long double)n : have >= (long double)n)
        return true;
    return schema_wrong(w, at, "%s %s %lld%s", what, k->most ? "at most" : "at least", (long long)n, k->unit);
}

static bool limit_holds(struct walk *w, const struct at *at, const struct keyword *k, const struct js *schema,
                        const struct js *v)
{
    struct fg_str text;
    if (js_type(v) != k->of)
        return true;
    const struct js *limit = js_get(schema, k->name);
    if (js_str(v, &text))
        return within(w, at, k, limit, (long double)utf8_count(text), "must have");
    return k->of == JS_NUMBER ? within(w, at, k, limit, number(v), "must be")
                              : within(w, at, k, limit, (long double)js_len(v), "must have");
}

static bool required(struct walk *w, const struct at *at, const struct keyword *k, const struct js *schema,
                     const struct js *v)
{
    const struct js *keys = js_get(schema, k->name);
    for (size_t i = 0; js_type(v) == JS_OBJECT && i < js_len(keys); i++) {
        struct fg_str key;
        if (!js_str(js_at(keys, i), &key) || js_get(v, key.p))
            continue;
        struct at absent = schema_member(at, key);
        return schema_wrong(w, &absent, "is required");
    }
    return true;
}

static bool name_among(struct fg_str name, const struct js *list)
{
    struct fg_str one;
    for (size_t i = 0; i < js_len(list); i++)
        if (js_str(js_at(list, i), &one) && fg_eq(one, name))
            return true;
    return !list;
}

static bool names_fit(struct walk *w, const struct at *at, const struct keyword *k, const struct js *schema,
                      const struct js *v)
{
    static const char *const limits[] = { "minLength", "maxLength" };
    const struct js *rules = js_get(schema, k->name), *member, *limit;
    struct fg_str key;
    for (size_t it = 0; js_next(v, &it, &key, &member);) {
        struct at here = schema_member(at, key);
        for (size_t i = 0; i < FG_LEN(limits); i++)
            if ((limit = js_get(rules, limits[i])) &&
                !within(w, &here, schema_keyword(fg_str_c(limits[i])), limit, (long double)utf8_count(key),
                        "the name must have"))
                return false;
        if (!name_among(key, js_get(rules, "enum")))
            return schema_wrong(w, &here, "the name is none of those that are allowed");
    }
    return true;
}

static bool members_fit(struct walk *w, const struct at *at, const struct keyword *k, const struct js *schema,
                        const struct js *v)
{
    const struct js *known = js_get(schema, k->name), *of, *member;
    struct fg_str key;
    for (size_t it = 0; js_next(v, &it, &key, &member);) {
        struct at here = schema_member(at, key);
        if ((of = js_get(known, key.p)) && !fits(w, &here, of, member))
            return false;
    }
    return true;
}

static bool others_fit(struct walk *w, const struct at *at, const struct keyword *k, const struct js *schema,
                       const struct js *v)
{
    const struct js *of = js_get(schema, k->name), *known = js_get(schema, "properties"), *member;
    struct fg_str key;
    bool allowed = true;
    (void)js_bool(of, &allowed); /* true, too, is a schema that every value fits */
    for (size_t it = 0; js_next(v, &it, &key, &member);) {
        struct at here = schema_member(at, key);
        if (js_get(known, key.p))
            continue;
        if (!allowed)
            return schema_wrong(w, &here, "unknown key");
        if (!fits(w, &here, of, member))
            return false;
    }
    return true;
}

static bool items_fit(struct walk *w, const struct at *at, const struct keyword *k, const struct js *schema,
                      const struct js *v)
{
    const struct js *of = js_get(schema, k->name);
    for (size_t i = 0; js_type(v) == JS_ARRAY && i < js_len(v); i++) {
        struct at here = schema_item(at, i);
        if (!fits(w, &here, of, js_at(v, i)))
            return false;
    }
    return true;
}

static bool unique(struct walk *w, const struct at *at, const struct keyword *k, const struct js *schema,
                   const struct js *v)
{
    bool asked = false;
    if (!js_bool(js_get(schema, k->name), &asked) || !asked || js_type(v) != JS_ARRAY)
        return true;
    if (js_len(v) > SCHEMA_UNIQUE_MAX)
        return schema_wrong(w, at, "must have at most %d items, to be told apart", SCHEMA_UNIQUE_MAX);
    size_t i = schema_repeated(v);
    if (i == js_len(v))
        return true;
    struct at here = schema_item(at, i);
    return schema_wrong(w, &here, "is in the list twice");
}

static bool referred_fits(struct walk *w, const struct at *at, const struct keyword *k,
                          const struct js *schema, const struct js *v)
{
    return fits(w, at, schema_referred(w, js_get(schema, k->name)), v);
}

/* When none fits, the form that came furthest into the value was probably meant: its fault is told. */
static bool forms_fit(struct walk *w, const struct at *at, const struct keyword *k, const struct js *schema,
                      const struct js *v)
{
    const struct js *forms = js_get(schema, k->name);
    struct fault best = { .depth = at ? at->depth : 0 };
    size_t fitting = 0;
    for (size_t i = 0; i < js_len(forms) && (k->most || !fitting); i++) {
        if (fits(w, at, js_at(forms, i), v))
            fitting++;
        else if (w->stopped)
            return false;
        else if (w->fault.depth > best.depth)
            best = w->fault;
    }
    if (fitting > 1)
        return schema_wrong(w, at, "fits %zu of the forms, and must fit one only", fitting);
    if (fitting == 1)
        return true;
    if (!best.path.p)
        return schema_wrong(w, at, "fits none of the %zu forms that are allowed", js_len(forms));
    w->fault = best;
    return false;
}

#define COUNTS(what, type, words)                                                              \
    { "min" what, .shape = SHAPE_COUNT, .holds = limit_holds, .of = (type), .unit = (words) },   \
    { "max" what, .shape = SHAPE_COUNT, .holds = limit_holds, .of = (type), .unit = (words), .most = true }

/* In the order in which they are looked at: what a value is comes before what is in it. */
static const struct keyword keywords[] = {
    { "$schema", .shape = SHAPE_DIALECT, .top_only = true },
    { "$id", .shape = SHAPE_TEXT, .top_only = true },
    { "$defs", .shape = SHAPE_SCHEMAS, .top_only = true },
    { "title", .shape = SHAPE_TEXT },
    { "description", .shape = SHAPE_TEXT },
    { "type", .shape = SHAPE_TYPE, .holds = type_fits },
    { "const", .shape = SHAPE_ANY, .holds = const_fits },
    { "enum", .shape = SHAPE_VALUES, .holds = enum_fits },
    { "minimum", .shape = SHAPE_WHOLE, .holds = limit_holds, .of = JS_NUMBER, .unit = "" },
    { "maximum", .shape = SHAPE_WHOLE, .holds = limit_holds, .of = JS_NUMBER, .most = true, .unit = "" },
    COUNTS("Length", JS_STRING, " characters"),
    COUNTS("Items", JS_ARRAY, " items"),
    COUNTS("Properties", JS_OBJECT, " members"),
    { "required", .shape = SHAPE_KEYS, .holds = required },
    { "propertyNames", .shape = SHAPE_NAME_RULES, .holds = names_fit },
    { "properties", .shape = SHAPE_SCHEMAS, .holds = members_fit },
    { "additionalProperties", .shape = SHAPE_SCHEMA_OR_FLAG, .holds = others_fit },
    { "items", .shape = SHAPE_SCHEMA, .holds = items_fit },
    { "uniqueItems", .shape = SHAPE_FLAG, .holds = unique },
    { "$ref", .shape = SHAPE_REF, .holds = referred_fits },
    { "anyOf", .shape = SHAPE_FORMS, .holds = forms_fit },
    { "oneOf", .shape = SHAPE_FORMS, .holds = forms_fit, .most = true },
};

const struct keyword *schema_keyword(struct fg_str name)
{
    for (size_t i = 0; i < FG_LEN(keywords); i++)
        if (fg_eq(name, fg_str_c(keywords[i].name)))
            return &keywords[i];
    return NULL;
}

static bool fits(struct walk *w, const struct at *at, const struct js *schema, const struct js *v)
{
    bool good = true;
    if (w->depth == DEPTH_MAX || w->steps == STEPS_MAX) {
        w->stopped = true;
        return schema_wrong(w, at, "the schema comes to no end here");
    }
    w->depth++;
    w->steps++;
    for (size_t i = 0; good && i < FG_LEN(keywords); i++) {
        const struct keyword *k = &keywords[i];
        if (k->holds && js_get(schema, k->name))
            good = k->holds(w, at, k, schema, v);
    }
    w->depth--;
    return good;
}

enum fg_code schema_validate(struct fg_ctx *cx, const struct js *schema, const struct js *value)
{
    struct walk w = { .cx = cx, .root = schema };
    return fits(&w, NULL, schema, value) ? FG_OK : schema_report(&w, "", "/");
}
