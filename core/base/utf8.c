#include "base/utf8.h"

size_t utf8_len(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    if (n == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < len)
        return 0;
    /* The second byte carries all the exceptions (Unicode table 3-7). */
    unsigned char lo = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char hi = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    return len;
}

size_t utf8_count(struct fg_str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.n; count++) {
        size_t len = utf8_len(s.p + i, s.n - i);
        if (len == 0)
            return SIZE_MAX;
        i += len;
    }
    return count;
}

/* Unicode White_Space beyond ASCII, as UTF-8. */
static const char *const spaces[] = {
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82",
    "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88",
    "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
    "\xe3\x80\x80",
};

static bool ascii_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t space_at_start(struct fg_str s)
{
    if (s.n && ascii_space(s.p[0]))
        return 1;
    for (size_t i = 0; i < FG_LEN(spaces); i++)
        if (fg_starts(s, fg_str_c(spaces[i])))
            return strlen(spaces[i]);
    return 0;
}

static size_t space_at_end(struct fg_str s)
{
    if (s.n && ascii_space(s.p[s.n - 1]))
        return 1;
    for (size_t i = 0; i < FG_LEN(spaces); i++) {
        size_t n = strlen(spaces[i]);
        if (s.n >= n && memcmp(s.p + s.n - n, spaces[i], n) == 0)
            return n;
    }
    return 0;
}

struct fg_str utf8_trim(struct fg_str s)
{
    size_t n;
    while ((n = space_at_start(s)) > 0) {
        s.p += n;
        s.n -= n;
    }
    while ((n = space_at_end(s)) > 0)
        s.n -= n;
    return s;
}

struct fg_str utf8_cut(struct fg_str s, size_t max)
{
    if (s.n <= max)
        return s;
    while (max && ((unsigned char)s.p[max] & 0xc0) == 0x80)
        max--;
    return (struct fg_str){ s.p, max };
}
