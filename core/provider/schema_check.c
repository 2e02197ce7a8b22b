/* Is it a schema, and one of which we look at every word? And how both halves name places and faults. */
#include "provider/schema_parts.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

#define PATH_BYTES_MAX (4 * FG_KIB)
#define KEY_SHOWN 64
#define DEFS FG_LIT("#/$defs/")

/* ---- places and faults ---- */

struct at schema_member(const struct at *up, struct fg_str key)
{
    return (struct at){ up, key, 0, up ? up->depth + 1 : 1 };
}

struct at schema_item(const struct at *up, size_t i)
{
    return (struct at){ up, FG_NONE, i, up ? up->depth + 1 : 1 };
}

static void write_path(struct sb *b, const struct at *at)
{
    if (!at)
        return;
    write_path(b, at->up);
    sb_add_c(b, '/');
    if (!at->key.p)
        sb_add_i64(b, (int64_t)at->index);
    struct fg_str key = utf8_cut(at->key, KEY_SHOWN);
    for (size_t i = 0; i < key.n; i++) { /* RFC 6901 */
        bool escaped = key.p[i] == '~' || key.p[i] == '/';
        sb_add_c(b, escaped ? '~' : key.p[i]);
        if (escaped)
            sb_add_c(b, key.p[i] == '~' ? '0' : '1');
    }
}

bool schema_wrong(struct walk *w, const struct at *at, const char *fmt, ...)
{
    struct sb b = sb_in(w->cx->mem, PATH_BYTES_MAX);
    va_list ap;
    write_path(&b, at);
    FG_ASSERT(!b.bad); /* at most JSON_DEPTH_MAX keys of KEY_SHOWN bytes, each perhaps doubled */
    w->fault.path = sb_str(&b);
    w->fault.depth = at ? at->depth : 0;
    va_start(ap, fmt);
    (void)vsnprintf(w->fault.words, sizeof w->fault.words, fmt, ap);
    va_end(ap);
    return false;
}

enum fg_code schema_report(struct walk *w, const char *before, const char *top)
{
    struct fg_str path = utf8_cut(w->fault.path, SCHEMA_PATH_SHOWN - 4);
    return fg_fail(w->cx, FG_CONFIG, "%s%.*s: %s", before, FG_P(path.n ? path : fg_str_c(top)),
                   w->fault.words);
}

/* ---- words of a schema ---- */

const struct type_name *schema_type(const struct js *name)
{
    static const struct type_name names[] = {
        { "null", JS_NULL, "null" },         { "boolean", JS_BOOL, "true or false" },
        { "number", JS_NUMBER, "a number" }, { "integer", JS_NUMBER, "a whole number" },
        { "string", JS_STRING, "a text" },   { "array", JS_ARRAY, "a list" },
        { "object", JS_OBJECT, "an object" },
    };
    struct fg_str text;
    for (size_t i = 0; js_str(name, &text) && i < FG_LEN(names); i++)
        if (fg_eq(text, fg_str_c(names[i].name)))
            return &names[i];
    return NULL;
}

const struct js *schema_type_at(const struct js *arg, size_t i)
{
    return js_type(arg) == JS_ARRAY ? js_at(arg, i) : i == 0 ? arg : NULL;
}

/* No name that a JSON pointer or a URL would have to escape. */
const struct js *schema_referred(const struct walk *w, const struct js *ref)
{
    struct fg_str s;
    if (!js_str(ref, &s) || !fg_starts(s, DEFS) || strpbrk(s.p + DEFS.n, "/~%"))
        return NULL;
    return js_get(js_get(w->root, "$defs"), s.p + DEFS.n);
}

/* ---- what may stand behind a keyword ---- */

typedef bool shape_fn(struct walk *w, const struct at *at, const struct js *arg);

static bool schema(struct walk *w, const struct at *at, const struct js *v);

static bool any(struct walk *w, const struct at *at, const struct js *arg)
{
    (void)w;
    (void)at;
    (void)arg;
    return true;
}

static bool text(struct walk *w, const struct at *at, const struct js *arg)
{
    return js_type(arg) == JS_STRING || schema_wrong(w, at, "must be a text");
}

static bool flag(struct walk *w, const struct at *at, const struct js *arg)
{
    return js_type(arg) == JS_BOOL || schema_wrong(w, at, "must be true or false");
}

static bool whole(struct walk *w, const struct at *at, const struct js *arg)
{
    int64_t n;
    return js_i64(arg, &n) || schema_wrong(w, at, "must be a whole number");
}

static bool count(struct walk *w, const struct at *at, const struct js *arg)
{
    int64_t n;
    return (js_i64(arg, &n) && n >= 0) || schema_wrong(w, at, "must be a whole number from 0");
}

static bool dialect(struct walk *w, const struct at *at, const struct js *arg)
{
    static const char ours[] = "https://json-schema.org/draft/2020-12/schema";
    struct fg_str s;
    return (js_str(arg, &s) && fg_eq(s, fg_str_c(ours))) || schema_wrong(w, at, "must be %s", ours);
}

static bool type(struct walk *w, const struct at *at, const struct js *arg)
{
    const struct js *name;
    size_t n = 0;
    while ((name = schema_type_at(arg, n)) && schema_type(name))
        n++;
    if (name || n == 0)
        return schema_wrong(w, at, "must be the name of a type or a list of such");
    return js_type(arg) == JS_STRING || schema_repeated(arg) == n ||
           schema_wrong(w, at, "names a type twice");
}

static bool values(struct walk *w, const struct at *at, const struct js *arg)
{
    return (js_type(arg) == JS_ARRAY && js_len(arg) > 0) || schema_wrong(w, at, "must be a list of values");
}

static bool keys(struct walk *w, const struct at *at, const struct js *arg)
{
    bool good = js_type(arg) == JS_ARRAY;
    for (size_t i = 0; good && i < js_len(arg); i++)
        good = js_type(js_at(arg, i)) == JS_STRING;
    return good || schema_wrong(w, at, "must be a list of keys");
}

static bool schema_or_flag(struct walk *w, const struct at *at, const struct js *arg)
{
    return js_type(arg) == JS_BOOL || schema(w, at, arg);
}

static bool schemas(struct walk *w, const struct at *at, const struct js *arg)
{
    struct fg_str key;
    const struct js *one;
    if (js_type(arg) != JS_OBJECT)
        return schema_wrong(w, at, "must be an object of schemas");
    for (size_t it = 0; js_next(arg, &it, &key, &one);) {
        struct at here = schema_member(at, key);
        if (!schema(w, &here, one))
            return false;
    }
    return true;
}

static bool forms(struct walk *w, const struct at *at, const struct js *arg)
{
    if (js_type(arg) != JS_ARRAY || js_len(arg) == 0 || js_len(arg) > SCHEMA_FORMS_MAX)
        return schema_wrong(w, at, "must be a list of 1 to %d schemas", SCHEMA_FORMS_MAX);
    for (size_t i = 0; i < js_len(arg); i++) {
        struct at here = schema_item(at, i);
        if (!schema(w, &here, js_at(arg, i)))
            return false;
    }
    return true;
}

static bool ref(struct walk *w, const struct at *at, const struct js *arg)
{
    return schema_referred(w, arg) || schema_wrong(w, at, "must be #/$defs/NAME, and NAME must be there");
}

static bool name_rules(struct walk *w, const struct at *at, const struct js *arg);

static shape_fn *const shapes[] = {
    [SHAPE_ANY] = any,
    [SHAPE_TEXT] = text,
    [SHAPE_FLAG] = flag,
    [SHAPE_WHOLE] = whole,
    [SHAPE_COUNT] = count,
    [SHAPE_DIALECT] = dialect,
    [SHAPE_TYPE] = type,
    [SHAPE_VALUES] = values,
    [SHAPE_KEYS] = keys,
    [SHAPE_SCHEMA] = schema,
    [SHAPE_SCHEMA_OR_FLAG] = schema_or_flag,
    [SHAPE_SCHEMAS] = schemas,
    [SHAPE_FORMS] = forms,
    [SHAPE_NAME_RULES] = name_rules,
    [SHAPE_REF] = ref,
};

static bool keyword(struct walk *w, const struct at *at, const struct keyword *k, const struct js *arg)
{
    return k ? shapes[k->shape](w, at, arg) : schema_wrong(w, at, "unknown keyword");
}

/* A name is a text, of which these say something. */
static bool name_rules(struct walk *w, const struct at *at, const struct js *arg)
{
    struct fg_str key;
    const struct js *v;
    if (js_type(arg) != JS_OBJECT)
        return schema_wrong(w, at, "must be an object");
    for (size_t it = 0; js_next(arg, &it, &key, &v);) {
        struct at here = schema_member(at, key);
        bool known = FG_IS(key, "minLength") || FG_IS(key, "maxLength") || FG_IS(key, "enum");
        if (!keyword(w, &here, known ? schema_keyword(key) : NULL, v))
            return false;
    }
    return true;
}

static bool schema(struct walk *w, const struct at *at, const struct js *v)
{
    struct fg_str key;
    const struct js *arg;
    if (js_type(v) != JS_OBJECT)
        return schema_wrong(w, at, "must be an object");
    for (size_t it = 0; js_next(v, &it, &key, &arg);) {
        const struct keyword *k = schema_keyword(key);
        struct at here = schema_member(at, key);
        if (k && k->top_only && at)
            return schema_wrong(w, &here, "may stand at the top only");
        if (!keyword(w, &here, k, arg))
            return false;
    }
    return true;
}

enum fg_code schema_check(struct fg_ctx *cx, const struct js *v)
{
    struct walk w = { .cx = cx, .root = v };
    return schema(&w, NULL, v) ? FG_OK : schema_report(&w, "#", "");
}
