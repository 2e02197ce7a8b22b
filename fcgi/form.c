#include "form.h"

#include "base/scan.h"

#define BOUNDARY_MAX 70
#define PART_HEAD_MAX 2048

/* The first place of what in s, or SIZE_MAX. */
static size_t find(struct fg_str s, struct fg_str what)
{
    for (size_t at = 0; what.n <= s.n && at <= s.n - what.n; at++) {
        const char *hit = memchr(s.p + at, what.p[0], s.n - what.n - at + 1);
        if (!hit)
            return SIZE_MAX;
        at = (size_t)(hit - s.p);
        if (memcmp(hit, what.p, what.n) == 0)
            return at;
    }
    return SIZE_MAX;
}

static struct fg_str from(struct fg_str s, size_t at)
{
    return (struct fg_str){ s.p + at, s.n - at };
}

static struct fg_str trim(struct fg_str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = from(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* The next "; name=value" or "; name=\"value\"" of a header's parameters. Browsers and undici write
 * a quote within a value as %22, so a value ends at the next quote. */
static bool next_param(struct fg_str *s, struct fg_str *name, struct fg_str *value)
{
    *s = trim(*s);
    if (!scan_char(s, ';'))
        return false;
    *s = trim(*s);
    size_t eq = find(*s, FG_LIT("="));
    if (eq == SIZE_MAX || eq == 0)
        return false;
    *name = (struct fg_str){ s->p, eq };
    *s = from(*s, eq + 1);
    if (scan_char(s, '"')) {
        size_t end = find(*s, FG_LIT("\""));
        if (end == SIZE_MAX)
            return false;
        *value = (struct fg_str){ s->p, end };
        *s = from(*s, end + 1);
        return true;
    }
    size_t end = find(*s, FG_LIT(";"));
    *value = trim((struct fg_str){ s->p, end == SIZE_MAX ? s->n : end });
    *s = from(*s, end == SIZE_MAX ? s->n : end);
    return true;
}

static bool boundary_ok(struct fg_str b)
{
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] <= ' ' || b.p[i] > '~')
            return false;
    return b.n >= 1 && b.n <= BOUNDARY_MAX;
}

bool form_boundary(struct fg_str content_type, struct fg_str *boundary)
{
    size_t semi = find(content_type, FG_LIT(";"));
    if (semi == SIZE_MAX ||
        !fg_eq_nocase(trim((struct fg_str){ content_type.p, semi }), FG_LIT("multipart/form-data")))
        return false;
    struct fg_str rest = from(content_type, semi), name, value;
    while (next_param(&rest, &name, &value))
        if (fg_eq_nocase(name, FG_LIT("boundary")) && boundary_ok(value)) {
            *boundary = value;
            return true;
        }
    return false;
}

/* One header line of a part; only Content-Disposition matters. */
static bool part_header(struct fg_str line, struct form_part *p)
{
    size_t colon = find(line, FG_LIT(":"));
    if (colon == SIZE_MAX)
        return false;
    if (!fg_eq_nocase((struct fg_str){ line.p, colon }, FG_LIT("content-disposition")))
        return true;
    struct fg_str rest = trim(from(line, colon + 1)), name, value;
    size_t semi = find(rest, FG_LIT(";"));
    if (semi == SIZE_MAX ||
        !fg_eq_nocase(trim((struct fg_str){ rest.p, semi }), FG_LIT("form-data")))
        return false;
    rest = from(rest, semi);
    while (next_param(&rest, &name, &value)) {
        if (fg_eq_nocase(name, FG_LIT("name")))
            p->name = value;
        else if (fg_eq_nocase(name, FG_LIT("filename")))
            p->filename = value;
    }
    return rest.n == 0;
}

/* The part between two delimiters: header lines, an empty line, the value. */
static bool part_parse(struct fg_str s, struct form_part *p)
{
    *p = (struct form_part){ FG_NONE, FG_NONE, FG_NONE };
    for (size_t used = 0; used < PART_HEAD_MAX;) {
        size_t eol = find(s, FG_LIT("\r\n"));
        if (eol == SIZE_MAX)
            return false;
        struct fg_str line = { s.p, eol };
        s = from(s, eol + 2);
        used += eol + 2;
        if (line.n == 0) {
            p->value = s;
            return p->name.n > 0;
        }
        if (!part_header(line, p))
            return false;
    }
    return false;
}

enum fg_code form_parse(struct fg_ctx *cx, struct fg_str boundary, struct fg_str body,
                        struct form_part part[FORM_PARTS_MAX], size_t *n)
{
    char text[4 + BOUNDARY_MAX];
    FG_ASSERT(boundary.n >= 1 && boundary.n <= BOUNDARY_MAX);
    memcpy(text, "\r\n--", 4);
    memcpy(text + 4, boundary.p, boundary.n);
    struct fg_str delimiter = { text, 4 + boundary.n }, s = body;
    size_t got = 0;
    if (!scan_lit(&s, from(delimiter, 2)))
        return fg_fail(cx, FG_INVALID_REQUEST,
                       "The multipart body does not begin with its boundary.");
    while (!scan_lit(&s, FG_LIT("--"))) {
        if (!scan_lit(&s, FG_LIT("\r\n")))
            return fg_fail(cx, FG_INVALID_REQUEST, "The multipart body is not well formed.");
        size_t end = find(s, delimiter);
        if (end == SIZE_MAX)
            return fg_fail(cx, FG_INVALID_REQUEST, "The multipart body has no end.");
        if (got == FORM_PARTS_MAX)
            return fg_fail(cx, FG_INVALID_REQUEST, "The multipart body has over %d parts.",
                           FORM_PARTS_MAX);
        if (!part_parse((struct fg_str){ s.p, end }, &part[got++]))
            return fg_fail(cx, FG_INVALID_REQUEST,
                           "Part %zu of the multipart body is not well formed.", got);
        s = from(s, end + delimiter.n);
    }
    *n = got;
    return FG_OK;
}
