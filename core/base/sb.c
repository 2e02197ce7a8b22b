#include "base/sb.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/utf8.h"

#define SB_FIRST 128

struct sb sb_in(struct arena *mem, size_t max)
{
    return (struct sb){ .mem = mem, .max = max };
}

/* Room for n more bytes and a NUL, or NULL. */
static char *room(struct sb *b, size_t n)
{
    if (b->bad || n > b->max - b->n) {
        b->bad = true;
        return NULL;
    }
    if (b->cap < b->n + n + 1) {
        size_t cap = b->cap ? b->cap : SB_FIRST;
        while (cap < b->n + n + 1)
            cap *= 2;
        char *p = arena_get(b->mem, cap);
        if (b->n)
            memcpy(p, b->p, b->n);
        b->p = p;
        b->cap = cap;
    }
    return b->p + b->n;
}

void sb_add(struct sb *b, struct fg_str s)
{
    char *to = room(b, s.n);
    if (to && s.n) {
        memcpy(to, s.p, s.n);
        b->n += s.n;
    }
}

void sb_add_c(struct sb *b, char c)
{
    sb_add(b, (struct fg_str){ &c, 1 });
}

void sb_add_i64(struct sb *b, int64_t v)
{
    char text[24];
    size_t at = sizeof text;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        text[--at] = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0)
        text[--at] = '-';
    sb_add(b, (struct fg_str){ text + at, sizeof text - at });
}

void sb_addf(struct sb *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    FG_ASSERT(n >= 0);
    char *to = room(b, (size_t)n);
    if (to) {
        (void)vsnprintf(to, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

static bool unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void sb_add_escaped(struct sb *b, struct fg_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (unreserved(c))
            sb_add_c(b, (char)c);
        else
            sb_addf(b, "%%%02X", c);
    }
}

void sb_add_json(struct sb *b, struct fg_str s)
{
    static const char named[] = { ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b',
                                  ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };
    sb_add_c(b, '"');
    for (size_t i = 0, from = 0; i <= s.n;) {
        unsigned char c = i < s.n ? (unsigned char)s.p[i] : 0;
        size_t step = i < s.n && c >= 0x80 ? utf8_len(s.p + i, s.n - i) : 1;
        if (i < s.n && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && step > 0) {
            i += step;
            continue;
        }
        sb_add(b, (struct fg_str){ s.p + from, i - from });
        if (i == s.n)
            break;
        if (step == 0)
            sb_add(b, FG_LIT("\xef\xbf\xbd"));
        else if (c < sizeof named && named[c])
            sb_add(b, (struct fg_str){ (char[]){ '\\', named[c] }, 2 });
        else
            sb_addf(b, "\\u%04x", c);
        from = ++i;
    }
    sb_add_c(b, '"');
}

const char *sb_cstr(struct sb *b)
{
    return b->n || b->p ? (b->p[b->n] = '\0', b->p) : "";
}
