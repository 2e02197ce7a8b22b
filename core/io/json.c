#include "io/json.h"

#include <errno.h>
#include <math.h>

#include <json-c/json.h>

#include "base/arena.h"
#include "base/time.h"
#include "base/utf8.h"

#define KEYS_FIRST 32
#define KEY_SHOWN 64 /* bytes of a key that words about it repeat */
/* A tokener keeps a buffer as long as the longest string it met. */
#define TOKENER_KEEP_BYTES (64 * FG_KIB)

struct key {
    struct fg_str text; /* without escapes */
    size_t at;
};

/* Keys of all objects still open lie on one stack; each object knows where its own begin. */
struct scanner {
    struct arena *mem;
    const char *p;
    size_t n, at, values;
    unsigned depth;
    struct key *key;
    size_t key_n, key_cap;
    size_t bad_at;
    const char *words;
};

static bool value(struct scanner *s);

static bool bad(struct scanner *s, size_t at, const char *words)
{
    s->bad_at = at;
    s->words = at < s->n ? words : "the text ends too soon";
    return false;
}

/* NUL at the end: no grammar rule takes one. */
static char peek(const struct scanner *s)
{
    return s->at < s->n ? s->p[s->at] : '\0';
}

static bool take(struct scanner *s, char c)
{
    bool there = s->at < s->n && s->p[s->at] == c;
    s->at += there;
    return there;
}

static void skip_space(struct scanner *s)
{
    while (take(s, ' ') || take(s, '\n') || take(s, '\r') || take(s, '\t'))
        continue;
}

static bool word(struct scanner *s, struct fg_str w)
{
    if (!fg_starts((struct fg_str){ s->p + s->at, s->n - s->at }, w))
        return bad(s, s->at, "a value was expected");
    s->at += w.n;
    return true;
}

static bool hex4(const char *p, size_t n, uint32_t *out)
{
    uint32_t v = 0;
    for (size_t i = 0; i < 4; i++) {
        char c = i < n ? p[i] : '\0';
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            v = v << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
    }
    *out = v;
    return true;
}

/* Bytes of the escape whose backslash is at p, a surrogate pair counting as one; 0: malformed. */
static size_t escape(const char *p, size_t n, uint32_t *code)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint32_t low;
    if (n < 2)
        return 0;
    const char *simple = memchr(from, p[1], sizeof from - 1);
    if (simple) {
        *code = (unsigned char)to[simple - from];
        return 2;
    }
    if (p[1] != 'u' || !hex4(p + 2, n - 2, code) || (*code >= 0xdc00 && *code <= 0xdfff))
        return 0;
    if (*code < 0xd800 || *code > 0xdbff)
        return 6;
    if (n < 12 || p[6] != '\\' || p[7] != 'u' || !hex4(p + 8, 4, &low) || low < 0xdc00 ||
        low > 0xdfff)
        return 0;
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return 12;
}

/* *inside: between the quotes, as it stands in the text. */
static bool string(struct scanner *s, struct fg_str *inside, bool *escaped)
{
    size_t from = ++s->at;
    *escaped = false;
    while (s->at < s->n && s->p[s->at] != '"') {
        const char *p = s->p + s->at;
        uint32_t code = 0;
        size_t len;
        if (*p == '\\') {
            *escaped = true;
            if ((len = escape(p, s->n - s->at, &code)) == 0)
                return bad(s, s->at, "malformed escape or lone surrogate");
            if (code == 0)
                return bad(s, s->at, "NUL is not accepted");
        } else {
            if ((unsigned char)*p < 0x20)
                return bad(s, s->at, "control byte in a string");
            if ((len = utf8_len(p, s->n - s->at)) == 0)
                return bad(s, s->at, "not UTF-8");
        }
        s->at += len;
    }
    *inside = (struct fg_str){ s->p + from, s->at - from };
    return take(s, '"') || bad(s, s->at, "a string must end");
}

static size_t digits(struct scanner *s)
{
    size_t from = s->at;
    while (s->at < s->n && s->p[s->at] >= '0' && s->p[s->at] <= '9')
        s->at++;
    return s->at - from;
}

static bool number_fits(struct scanner *s, size_t from, bool integer)
{
    char text[JSON_NUMBER_MAX + 1];
    size_t n = s->at - from;
    if (n > JSON_NUMBER_MAX)
        return bad(s, from, "number with too many digits");
    memcpy(text, s->p + from, n);
    text[n] = '\0';
    errno = 0;
    if (integer && strtoll(text, NULL, 10) != 0 && errno == ERANGE)
        return bad(s, from, "integer out of range");
    return integer || isfinite(strtod(text, NULL)) || bad(s, from, "number out of range");
}

static bool number(struct scanner *s)
{
    size_t from = s->at;
    bool integer = true;
    (void)take(s, '-');
    if (!take(s, '0') && digits(s) == 0)
        return bad(s, s->at, "a digit was expected");
    if (take(s, '.')) {
        integer = false;
        if (digits(s) == 0)
            return bad(s, s->at, "a digit was expected");
    }
    if (take(s, 'e') || take(s, 'E')) {
        integer = false;
        (void)(take(s, '+') || take(s, '-'));
        if (digits(s) == 0)
            return bad(s, s->at, "a digit was expected");
    }
    return number_fits(s, from, integer);
}

static size_t put_utf8(char *to, uint32_t c)
{
    static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(unsigned char)(0x80 | (c & 0x3f));
    to[0] = (char)(unsigned char)(first[len] | c);
    return len;
}

/* "a" and "\u0061" are the same key. An escape is never shorter than what it means. */
static struct fg_str unescaped(struct arena *mem, struct fg_str raw)
{
    char *to = arena_get(mem, raw.n);
    size_t n = 0, len;
    uint32_t code;
    for (size_t i = 0; i < raw.n; i += len) {
        if (raw.p[i] == '\\' && (len = escape(raw.p + i, raw.n - i, &code)) > 0) {
            n += put_utf8(to + n, code);
        } else {
            to[n++] = raw.p[i];
            len = 1;
        }
    }
    return (struct fg_str){ to, n };
}

static bool member_key(struct scanner *s)
{
    struct key k = { .at = s->at };
    bool escaped;
    if (peek(s) != '"')
        return bad(s, s->at, "a key in double quotes was expected");
    if (!string(s, &k.text, &escaped))
        return false;
    if (escaped)
        k.text = unescaped(s->mem, k.text);
    if (s->key_n == s->key_cap) {
        size_t cap = s->key_cap ? 2 * s->key_cap : KEYS_FIRST;
        struct key *more = arena_array(s->mem, struct key, cap);
        if (s->key_n)
            memcpy(more, s->key, s->key_n * sizeof *more);
        s->key = more;
        s->key_cap = cap;
    }
    s->key[s->key_n++] = k;
    return true;
}

static int key_order(const void *pa, const void *pb)
{
    const struct key *a = pa, *b = pb;
    if (a->text.n != b->text.n)
        return a->text.n < b->text.n ? -1 : 1;
    int c = a->text.n ? memcmp(a->text.p, b->text.p, a->text.n) : 0;
    return c ? c : (a->at > b->at) - (a->at < b->at);
}

/* Sorted, because a hash table of a stranger's keys could be made to degenerate. */
static bool keys_differ(struct scanner *s, size_t mark)
{
    struct key *k = s->key + mark;
    size_t n = s->key_n - mark;
    struct key *first = NULL;
    s->key_n = mark;
    qsort(k, n, sizeof *k, key_order);
    for (size_t i = 1; i < n; i++)
        if (fg_eq(k[i - 1].text, k[i].text) && (!first || k[i].at < first->at))
            first = &k[i];
    if (!first)
        return true;
    struct fg_str name = utf8_cut(first->text, KEY_SHOWN);
    return bad(s, first->at, arena_fmt(s->mem, "duplicate key \"%.*s\"", FG_P(name)).p);
}

static bool enter(struct scanner *s)
{
    if (s->depth == JSON_DEPTH_MAX)
        return bad(s, s->at, "nested too deeply");
    s->depth++;
    s->at++;
    skip_space(s);
    return true;
}

static bool object(struct scanner *s)
{
    size_t mark = s->key_n;
    if (!enter(s))
        return false;
    for (bool more = !take(s, '}'); more; skip_space(s)) {
        if (!member_key(s))
            return false;
        skip_space(s);
        if (!take(s, ':'))
            return bad(s, s->at, "a colon was expected");
        if (!value(s))
            return false;
        more = take(s, ',');
        if (!more && !take(s, '}'))
            return bad(s, s->at, "a comma or a closing brace was expected");
    }
    s->depth--;
    return s->key_n == mark || keys_differ(s, mark);
}

static bool array(struct scanner *s)
{
    if (!enter(s))
        return false;
    for (bool more = !take(s, ']'); more;) {
        if (!value(s))
            return false;
        more = take(s, ',');
        if (!more && !take(s, ']'))
            return bad(s, s->at, "a comma or a closing bracket was expected");
    }
    s->depth--;
    return true;
}

static bool bare_value(struct scanner *s)
{
    struct fg_str inside;
    bool escaped;
    switch (peek(s)) {
    case '{': return object(s);
    case '[': return array(s);
    case '"': return string(s, &inside, &escaped);
    case 't': return word(s, FG_LIT("true"));
    case 'f': return word(s, FG_LIT("false"));
    case 'n': return word(s, FG_LIT("null"));
    case '-': case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9': return number(s);
    default: return bad(s, s->at, "a value was expected");
    }
}

/* With the space on both sides. */
static bool value(struct scanner *s)
{
    skip_space(s);
    if (s->values++ == JSON_VALUES_MAX)
        return bad(s, s->at, "too many values");
    if (!bare_value(s))
        return false;
    skip_space(s);
    return true;
}

const char *js_scan(struct fg_ctx *cx, struct fg_str text)
{
    struct scanner s = { .mem = cx->mem, .p = text.p, .n = text.n };
    if (text.n > JSON_TEXT_MAX)
        (void)bad(&s, JSON_TEXT_MAX, "the text is too long");
    else if (value(&s) && s.at < s.n)
        (void)bad(&s, s.at, "something follows the value");
    return s.words ? arena_fmt(cx->mem, "byte %zu: %s", s.bad_at, s.words).p : NULL;
}

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

struct jw jw_on(struct sb *b)
{
    return (struct jw){ b, false };
}

static struct sb *lead(struct jw *w, const char *key)
{
    if (w->comma)
        sb_add_c(w->b, ',');
    w->comma = true;
    if (key) {
        sb_add_c(w->b, '"');
        sb_add(w->b, fg_str_c(key));
        sb_add(w->b, FG_LIT("\":"));
    }
    return w->b;
}

void jw_open(struct jw *w, const char *key)
{
    sb_add_c(lead(w, key), '{');
    w->comma = false;
}

void jw_open_array(struct jw *w, const char *key)
{
    sb_add_c(lead(w, key), '[');
    w->comma = false;
}

void jw_close(struct jw *w)
{
    sb_add_c(w->b, '}');
    w->comma = true;
}

void jw_close_array(struct jw *w)
{
    sb_add_c(w->b, ']');
    w->comma = true;
}

void jw_str(struct jw *w, const char *key, struct fg_str v)
{
    if (!v.p)
        jw_null(w, key);
    else
        sb_add_json(lead(w, key), v);
}

void jw_i64(struct jw *w, const char *key, int64_t v)
{
    sb_add_i64(lead(w, key), v);
}

void jw_bool(struct jw *w, const char *key, bool v)
{
    sb_add(lead(w, key), v ? FG_LIT("true") : FG_LIT("false"));
}

void jw_null(struct jw *w, const char *key)
{
    sb_add(lead(w, key), FG_LIT("null"));
}

void jw_time(struct jw *w, const char *key, int64_t us)
{
    jw_str(w, key, us ? time_iso(w->b->mem, us) : FG_NONE);
}

void jw_raw(struct jw *w, const char *key, struct fg_str json)
{
    sb_add(lead(w, key), json.p ? json : FG_LIT("null"));
}

void jw_key(struct jw *w, struct fg_str key)
{
    sb_add_json(lead(w, NULL), key);
    sb_add_c(w->b, ':');
    w->comma = false;
}
