#include "io/json.h"

#include <json-c/json.h>

#include "base/arena.h"

/* A tokener keeps a buffer as long as the longest string it met. */
#define TOKENER_KEEP_BYTES (64 * FG_KIB)

/* json-c has no object for null; this one's address stands for it. */
struct js {
    char unused;
};
static const struct js null_value;

static const struct js *wrap(struct json_object *o)
{
    return o ? (const struct js *)(const void *)o : &null_value;
}

/* json-c's getters take pointers to non-const, although they change nothing but a cached text. */
static struct json_object *unwrap(const struct js *v)
{
    return v == &null_value ? NULL : (struct json_object *)(uintptr_t)v;
}

static bool is(const struct js *v, enum json_type type)
{
    return json_object_is_type(unwrap(v), type);
}

static void put(void *o)
{
    (void)json_object_put(o);
}

/* A new tokener costs three times the parse itself, so one serves this process (no threads). */
static struct json_object *parse(struct fg_str text, enum json_tokener_error *error)
{
    static struct json_tokener *tok;
    if (!tok) {
        /* json-c counts a scalar inside the innermost array as one level more. */
        tok = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
        if (!tok)
            abort();
        json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    }
    size_t end = text.n;
    json_tokener_reset(tok);
    struct json_object *o = json_tokener_parse_ex(tok, text.p, (int)text.n);
    *error = json_tokener_get_error(tok);
    if (*error == json_tokener_continue) { /* a number at the top: say that it ends */
        o = json_tokener_parse_ex(tok, "", 1);
        *error = json_tokener_get_error(tok);
        end = 0;
    }
    if (*error == json_tokener_success && json_tokener_get_parse_end(tok) != end)
        *error = json_tokener_error_parse_unexpected;
    if (text.n > TOKENER_KEEP_BYTES) {
        json_tokener_free(tok);
        tok = NULL;
    }
    return o;
}

enum fg_code js_parse(struct fg_ctx *cx, struct fg_str text, const struct js **out)
{
    const char *words = js_scan(cx, text);
    if (words)
        return fg_fail(cx, FG_INVALID_JSON, "%s", words);
    enum json_tokener_error error;
    struct json_object *o = parse(text, &error);
    if (o)
        arena_defer(cx->mem, put, o);
    if (error != json_tokener_success)
        return fg_fail(cx, FG_INVALID_JSON, "%s", json_tokener_error_desc(error));
    *out = wrap(o);
    return FG_OK;
}

enum js_type js_type(const struct js *v)
{
    static const enum js_type types[] = {
        [json_type_null] = JS_NULL,     [json_type_boolean] = JS_BOOL,
        [json_type_double] = JS_NUMBER, [json_type_int] = JS_NUMBER,
        [json_type_object] = JS_OBJECT, [json_type_array] = JS_ARRAY,
        [json_type_string] = JS_STRING,
    };
    return types[json_object_get_type(unwrap(v))];
}

const struct js *js_get(const struct js *v, const char *key)
{
    struct json_object *o;
    if (!is(v, json_type_object) || !json_object_object_get_ex(unwrap(v), key, &o))
        return NULL;
    return wrap(o);
}

size_t js_len(const struct js *v)
{
    if (is(v, json_type_array))
        return json_object_array_length(unwrap(v));
    return is(v, json_type_object) ? (size_t)json_object_object_length(unwrap(v)) : 0;
}

const struct js *js_at(const struct js *array, size_t i)
{
    if (!is(array, json_type_array) || i >= js_len(array))
        return NULL;
    return wrap(json_object_array_get_idx(unwrap(array), i));
}

/* *it is the address of the next entry; SIZE_MAX, which no entry has, when there is none. */
bool js_next(const struct js *object, size_t *it, struct fg_str *key, const struct js **value)
{
    if (!is(object, json_type_object) || *it == SIZE_MAX)
        return false;
    struct lh_entry *e = *it ? (struct lh_entry *)(uintptr_t)*it
                             : lh_table_head(json_object_get_object(unwrap(object)));
    if (e) {
        *key = fg_str_c(lh_entry_k(e));
        *value = wrap(lh_entry_v(e));
    }
    struct lh_entry *next = e ? lh_entry_next(e) : NULL;
    *it = next ? (size_t)(uintptr_t)next : SIZE_MAX;
    return e != NULL;
}

bool js_str(const struct js *v, struct fg_str *out)
{
    if (!is(v, json_type_string))
        return false;
    struct json_object *o = unwrap(v);
    *out = (struct fg_str){ json_object_get_string(o), (size_t)json_object_get_string_len(o) };
    return true;
}

bool js_i64(const struct js *v, int64_t *out)
{
    if (!is(v, json_type_int))
        return false;
    *out = json_object_get_int64(unwrap(v));
    return true;
}

bool js_bool(const struct js *v, bool *out)
{
    if (!is(v, json_type_boolean))
        return false;
    *out = json_object_get_boolean(unwrap(v));
    return true;
}

/* json-c keeps the source of a number with a fraction or an exponent. */
bool js_number_text(const struct js *v, struct fg_str *out)
{
    if (js_type(v) != JS_NUMBER)
        return false;
    *out = fg_str_c(json_object_to_json_string_ext(unwrap(v), JSON_C_TO_STRING_PLAIN));
    return true;
}

static void write_list(struct sb *b, const struct js *v)
{
    size_t n = js_len(v);
    sb_add_c(b, '[');
    for (size_t i = 0; i < n && !b->bad; i++) {
        sb_add(b, i ? FG_LIT(",") : FG_NONE);
        js_write(b, js_at(v, i));
    }
    sb_add_c(b, ']');
}

static void write_object(struct sb *b, const struct js *v)
{
    struct jw w = jw_on(b);
    struct fg_str key;
    const struct js *member;
    jw_open(&w, NULL);
    for (size_t it = 0; !b->bad && js_next(v, &it, &key, &member);) {
        jw_key(&w, key);
        js_write(b, member);
        w.comma = true;
    }
    jw_close(&w);
}

void js_write(struct sb *b, const struct js *v)
{
    struct fg_str text = FG_LIT("null");
    bool yes = false;
    switch (js_type(v)) {
    case JS_OBJECT: write_object(b, v); return;
    case JS_ARRAY: write_list(b, v); return;
    case JS_STRING: (void)js_str(v, &text); sb_add_json(b, text); return;
    case JS_NUMBER: (void)js_number_text(v, &text); break;
    case JS_BOOL: text = js_bool(v, &yes) && yes ? FG_LIT("true") : FG_LIT("false"); break;
    case JS_NULL: break;
    }
    sb_add(b, text);
}
