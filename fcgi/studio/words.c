#include "studio/words.h"

#include "base/arena.h"
#include "base/sb.h"
#include "base/utf8.h"

#define SIZE_STEPS 10
#define WORDS_BYTES_MAX 4000 /* far more than eight lines can hold */

static uint32_t decode(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    static const unsigned char head[5] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t cp = u[0] & head[n];
    for (size_t i = 1; i < n; i++)
        cp = cp << 6 | (u[i] & 0x3f);
    return cp;
}

static bool is_space(uint32_t cp)
{
    return cp <= ' ' || cp == 0x7f || cp == 0x85 || cp == 0xa0 || cp == 0x1680 || cp == 0x3000 ||
           (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f ||
           cp == 0x205f;
}

/* Joiners, direction marks, variation selectors: fonts have them, but without what they act on they
 * are noise. */
static bool is_mark(uint32_t cp)
{
    return (cp >= 0x80 && cp < 0xa0) || cp == 0xad || (cp >= 0x200b && cp <= 0x200f) ||
           (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0x20e3 ||
           (cp >= 0xfe00 && cp <= 0xfe0f) || cp == 0xfeff || cp >= 0xe0000;
}

/* Words that can be drawn, one blank between them. */
static struct fg_str drawable(struct fg_ctx *cx, const struct font *f, struct fg_str s)
{
    struct sb b = sb_in(cx->mem, WORDS_BYTES_MAX + 8);
    bool gap = false;
    for (size_t n; s.n && b.n < WORDS_BYTES_MAX; s.p += n, s.n -= n) {
        n = utf8_len(s.p, s.n);
        if (n == 0)
            break;
        uint32_t cp = decode(s.p, n);
        if (is_space(cp)) {
            gap = b.n > 0;
        } else if (!is_mark(cp) && font_advance(f, cp) >= 0) {
            if (gap)
                sb_add_c(&b, ' ');
            gap = false;
            sb_add(&b, (struct fg_str){ s.p, n });
        }
    }
    return sb_str(&b);
}

/* How much of s, in bytes, fits into room (thousandths of an em): broken at a blank where there is
 * one. */
static size_t line_fits(const struct font *f, struct fg_str s, int64_t room)
{
    size_t at = 0, blank = 0;
    int64_t used = 0;
    while (at < s.n) {
        size_t n = utf8_len(s.p + at, s.n - at);
        if (s.p[at] == ' ')
            blank = at;
        used += font_advance(f, decode(s.p + at, n));
        if (used > room)
            return blank ? blank : at ? at : n;
        at += n;
    }
    return s.n;
}

/* Breaks s into at most max lines; returns what is left over. *torn: a word had to be broken. */
static struct fg_str break_lines(const struct font *f, struct fg_str s, int64_t room, size_t max,
                                 struct words *out, bool *torn)
{
    out->n = 0;
    *torn = false;
    while (s.n && out->n < max) {
        size_t n = line_fits(f, s, room);
        out->line[out->n++] = (struct fg_str){ s.p, n };
        s.p += n;
        s.n -= n;
        if (s.n && s.p[0] == ' ') {
            s.p++;
            s.n--;
        } else if (s.n) {
            *torn = true;
        }
    }
    return s;
}

static void add_ellipsis(struct fg_ctx *cx, const struct font *f, struct fg_str *line, int64_t room)
{
    struct fg_str dots = font_advance(f, 0x2026) >= 0 ? FG_LIT("\xe2\x80\xa6") : FG_LIT("...");
    size_t n = line_fits(f, *line, room - 1000);
    *line = arena_fmt(cx->mem, "%.*s%.*s", (int)n, line->p, FG_P(dots));
}

void words_layout(struct fg_ctx *cx, const struct font *f, struct fg_str prompt, int width,
                  int height, struct words *out)
{
    int side = width < height ? width : height;
    int largest = side / 9 > 8 ? side / 9 : 8, smallest = side / 22 > 8 ? side / 22 : 8;
    struct fg_str text = drawable(cx, f, prompt), rest = text;
    int64_t room = 0;
    bool torn;
    for (int i = 0; i <= SIZE_STEPS; i++) {
        out->size_px = largest - (largest - smallest) * i / SIZE_STEPS;
        size_t max = (size_t)(height / 2 / (out->size_px * 13 / 10));
        room = (int64_t)width * 820 / out->size_px;
        rest = break_lines(f, text, room,
                           max > WORDS_LINES_MAX ? WORDS_LINES_MAX
                           : max                 ? max
                                                 : 1,
                           out, &torn);
        if (rest.n == 0 && !torn)
            return;
    }
    if (rest.n)
        add_ellipsis(cx, f, &out->line[out->n - 1], room);
}
