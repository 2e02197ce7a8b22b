#include "base/scan.h"

#include "base/arena.h"
#include "base/utf8.h"

bool scan_char(struct fg_str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

bool scan_lit(struct fg_str *s, struct fg_str lit)
{
    if (!fg_starts(*s, lit))
        return false;
    s->p += lit.n;
    s->n -= lit.n;
    return true;
}

bool scan_u64(struct fg_str *s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    size_t i = 0;
    for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
        uint64_t digit = (uint64_t)(s->p[i] - '0');
        if (v > max / 10 || v * 10 > max - digit || (i == 1 && s->p[0] == '0'))
            return false;
        v = v * 10 + digit;
    }
    if (i == 0)
        return false;
    s->p += i;
    s->n -= i;
    *out = v;
    return true;
}

bool scan_until(struct fg_str *s, char sep, struct fg_str *out)
{
    if (s->n == 0)
        return false;
    const char *end = memchr(s->p, sep, s->n);
    size_t n = end ? (size_t)(end - s->p) : s->n;
    size_t step = end ? n + 1 : n;
    *out = (struct fg_str){ s->p, n };
    s->p += step;
    s->n -= step;
    return true;
}

bool scan_all_u64(struct fg_str s, uint64_t max, uint64_t *out)
{
    uint64_t v;
    if (!scan_u64(&s, max, &v) || s.n)
        return false;
    *out = v;
    return true;
}

bool scan_all_i64(struct fg_str s, int64_t min, int64_t max, int64_t *out)
{
    bool minus = scan_char(&s, '-');
    uint64_t u;
    if (!scan_all_u64(s, minus ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX, &u))
        return false;
    int64_t v = minus ? (int64_t)(0 - u) : (int64_t)u;
    if (v < min || v > max)
        return false;
    *out = v;
    return true;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool unescape(struct arena *mem, struct fg_str s, struct fg_str *out)
{
    char *to = arena_get(mem, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            to[n++] = s.p[i] == '+' ? ' ' : s.p[i];
            continue;
        }
        if (s.n - i < 3 || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
            return false;
        to[n++] = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
        i += 2;
    }
    struct fg_str v = { to, n };
    if (memchr(to, '\0', n) || utf8_count(v) == SIZE_MAX)
        return false;
    *out = v;
    return true;
}

size_t scan_query(struct arena *mem, struct fg_str query, struct fg_str name, struct fg_str *out)
{
    size_t count = 0;
    struct fg_str pair, key;
    while (scan_until(&query, '&', &pair)) {
        if (!scan_until(&pair, '=', &key) || !fg_eq(key, name))
            continue;
        if (count++ == 0 && !unescape(mem, pair, out))
            return SIZE_MAX;
    }
    return count;
}
