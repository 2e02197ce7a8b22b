/* A string builder that cannot exist without a maximum. Failures stick: append freely, ask once. */
#ifndef FG_BASE_SB_H
#define FG_BASE_SB_H

#include "base/ctx.h"

struct sb {
    struct arena *mem;
    char *p;
    size_t n, cap, max;
    bool bad; /* something did not fit; the content is then not to be used */
};

struct sb sb_in(struct arena *mem, size_t max);
void sb_add(struct sb *b, struct fg_str s);
void sb_add_c(struct sb *b, char c);
void sb_add_i64(struct sb *b, int64_t v);
void sb_addf(struct sb *b, const char *fmt, ...) FG_PRINTF(2, 3);
/* Percent-encodes all but RFC 3986 unreserved characters: one path segment or query value. */
void sb_add_escaped(struct sb *b, struct fg_str s);
/* A JSON string with its quotes. s must be valid UTF-8; bytes that are not are written as U+FFFD. */
void sb_add_json(struct sb *b, struct fg_str s);

static inline struct fg_str sb_str(const struct sb *b)
{
    return (struct fg_str){ b->p ? b->p : "", b->n };
}

/* NUL-terminated view; valid until the next append. */
const char *sb_cstr(struct sb *b);

#endif
