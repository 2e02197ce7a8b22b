/* The scanner: what json-c must never see (io/json.h, js_scan). */
#include <errno.h>
#include <math.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "io/json.h"

#define KEYS_FIRST 32
#define KEY_SHOWN 64 /* bytes of a key that words about it repeat */

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
