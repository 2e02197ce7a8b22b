#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

#define ARENA_CHUNK (32 * FG_KIB)
#define ARENA_ALIGN alignof(max_align_t)

/* Under a sanitizer every piece is its own malloc, so that each overrun shows. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_SPLIT 1
#else
#define ARENA_SPLIT 0
#endif

struct chunk {
    struct chunk *next;
    size_t size, used;
    alignas(max_align_t) unsigned char data[];
};

struct defer {
    struct defer *next;
    void (*fn)(void *);
    void *arg;
};

struct arena {
    struct chunk *top;
    struct defer *defers;
};

static struct chunk *chunk_new(size_t size, struct chunk *next)
{
    struct chunk *c = malloc(sizeof *c + size);
    if (!c)
        abort();
    c->next = next;
    c->size = size;
    c->used = 0;
    return c;
}

struct arena *arena_new(void)
{
    struct arena *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    return a;
}

void *arena_get(struct arena *a, size_t n)
{
    FG_ASSERT(n < SIZE_MAX / 2);
    n = n ? (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN : ARENA_ALIGN;
    if (!a->top || ARENA_SPLIT || a->top->size - a->top->used < n)
        a->top = chunk_new(ARENA_SPLIT || n > ARENA_CHUNK ? n : ARENA_CHUNK, a->top);
    void *p = a->top->data + a->top->used;
    a->top->used += n;
    return memset(p, 0, n);
}

void *arena_get_array(struct arena *a, size_t size, size_t n)
{
    FG_ASSERT(size == 0 || n < SIZE_MAX / 2 / size);
    return arena_get(a, size * n);
}

char *arena_cstr(struct arena *a, struct fg_str s)
{
    char *p = arena_get(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

struct fg_str arena_str(struct arena *a, struct fg_str s)
{
    return (struct fg_str){ s.p ? arena_cstr(a, s) : NULL, s.n };
}

struct fg_str arena_fmt(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    FG_ASSERT(n >= 0);
    char *p = arena_get(a, (size_t)n + 1);
    (void)vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return (struct fg_str){ p, (size_t)n };
}

void arena_defer(struct arena *a, void (*fn)(void *arg), void *arg)
{
    struct defer *d = arena_get(a, sizeof *d);
    *d = (struct defer){ a->defers, fn, arg };
    a->defers = d;
}

/* Keeping one normal chunk saves a malloc per request. */
static void release(struct arena *a, bool keep_one)
{
    while (a->defers) {
        struct defer *d = a->defers;
        a->defers = d->next;
        d->fn(d->arg);
    }
    struct chunk *kept = NULL;
    while (a->top) {
        struct chunk *c = a->top;
        a->top = c->next;
        explicit_bzero(c->data, c->used);
        c->used = 0;
        if (keep_one && !ARENA_SPLIT && !kept && c->size == ARENA_CHUNK)
            kept = c;
        else
            free(c);
    }
    if (kept)
        kept->next = NULL;
    a->top = kept;
}

void arena_reset(struct arena *a)
{
    release(a, true);
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    release(a, false);
    free(a);
}
