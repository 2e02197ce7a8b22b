#include "studio/font.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

#define FONT_FILE_MAX (64 * FG_MIB)

/* Big-endian reads; beyond the end there are zeros, so a damaged font draws nothing instead of
 * crashing. */
static unsigned u16(struct fg_str s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.p + at;
    return at + 2 <= s.n ? (unsigned)p[0] << 8 | p[1] : 0;
}

static uint32_t u32(struct fg_str s, size_t at)
{
    return (uint32_t)u16(s, at) << 16 | u16(s, at + 2);
}

static struct fg_str part(struct fg_str s, size_t at, size_t n)
{
    if (at > s.n || n > s.n - at)
        return FG_NONE;
    return (struct fg_str){ s.p + at, n };
}

static struct fg_str table(struct fg_str data, size_t directory, const char *tag)
{
    unsigned n = u16(data, directory + 4);
    for (unsigned i = 0; i < n; i++) {
        size_t at = directory + 12 + 16 * (size_t)i;
        if (at + 16 <= data.n && memcmp(data.p + at, tag, 4) == 0)
            return part(data, u32(data, at + 8), u32(data, at + 12));
    }
    return FG_NONE;
}

/* The best Unicode subtable: format 12 knows all planes, format 4 the first. */
static struct fg_str best_cmap(struct fg_str cmap)
{
    struct fg_str best = FG_NONE;
    unsigned n = u16(cmap, 2), best_format = 0;
    for (unsigned i = 0; i < n; i++) {
        size_t at = 4 + 8 * (size_t)i;
        unsigned platform = u16(cmap, at), encoding = u16(cmap, at + 2);
        size_t offset = u32(cmap, at + 4);
        unsigned format = u16(cmap, offset);
        bool unicode = platform == 0 || (platform == 3 && (encoding == 1 || encoding == 10));
        if (!unicode || (format != 4 && format != 12) || format <= best_format || offset >= cmap.n)
            continue;
        best = part(cmap, offset, cmap.n - offset);
        best_format = format;
    }
    return best;
}

static unsigned glyph4(struct fg_str t, uint32_t cp)
{
    unsigned twice = u16(t, 6); /* 2 * number of segments */
    for (size_t i = 0; cp <= 0xffff && i < twice; i += 2) {
        if (cp > u16(t, 14 + i))
            continue;
        unsigned start = u16(t, 16 + twice + i), delta = u16(t, 16 + 2 * (size_t)twice + i);
        size_t range_at = 16 + 3 * (size_t)twice + i;
        unsigned range = u16(t, range_at);
        if (cp < start)
            return 0;
        if (range == 0)
            return (cp + delta) & 0xffff;
        unsigned g = u16(t, range_at + range + 2 * (size_t)(cp - start));
        return g ? (g + delta) & 0xffff : 0;
    }
    return 0;
}

static unsigned glyph12(struct fg_str t, uint32_t cp)
{
    uint32_t low = 0, high = u32(t, 12);
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        size_t at = 16 + 12 * (size_t)mid;
        if (cp > u32(t, at + 4))
            low = mid + 1;
        else if (at + 12 > t.n || cp < u32(t, at))
            high = mid;
        else
            return u32(t, at + 8) + (cp - u32(t, at));
    }
    return 0;
}

int font_advance(const struct font *f, uint32_t cp)
{
    unsigned g = u16(f->cmap, 0) == 12 ? glyph12(f->cmap, cp) : glyph4(f->cmap, cp);
    if (g == 0)
        return -1;
    unsigned at = g < f->metrics ? g : f->metrics - 1;
    return (int)(u16(f->hmtx, 4 * (size_t)at) * 1000 / f->em);
}

static bool path_plain(struct fg_str path)
{
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("/._-+", c))))
            return false;
    }
    return path.n > 0 && path.p[0] == '/';
}

static enum fg_code read_all(struct fg_ctx *cx, struct fg_str path, struct fg_str *out)
{
    struct stat st;
    int fd = open(arena_cstr(cx->mem, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size <= 0 || (uint64_t)st.st_size > FONT_FILE_MAX) {
        if (fd >= 0)
            close(fd);
        return fg_fail(cx, FG_CONFIG, "studio.font cannot be read: %.*s", FG_P(path));
    }
    size_t n = (size_t)st.st_size, got = 0;
    char *p = arena_get(cx->mem, n);
    ssize_t r;
    while (got < n && (r = read(fd, p + got, n - got)) > 0)
        got += (size_t)r;
    close(fd);
    *out = (struct fg_str){ p, got };
    return FG_OK;
}

enum fg_code font_open(struct fg_ctx *cx, struct font *out, struct fg_str path)
{
    struct font f = { .em = 0 };
    if (!path_plain(path))
        return fg_fail(cx, FG_CONFIG,
                       "studio.font must be an absolute path of letters, digits and ./_+-");
    enum fg_code rc = read_all(cx, path, &f.data);
    if (rc != FG_OK)
        return rc;
    size_t directory = fg_starts(f.data, FG_LIT("ttcf")) ? u32(f.data, 12) : 0;
    f.cmap = best_cmap(table(f.data, directory, "cmap"));
    f.hmtx = table(f.data, directory, "hmtx");
    f.em = u16(table(f.data, directory, "head"), 18);
    f.metrics = u16(table(f.data, directory, "hhea"), 34);
    if (!f.cmap.p || !f.hmtx.p || f.em == 0 || f.metrics == 0)
        return fg_fail(cx, FG_CONFIG, "studio.font is not a font that can be used: %.*s",
                       FG_P(path));
    *out = f;
    return FG_OK;
}
