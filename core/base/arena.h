/* Request-lived memory and deferred releases. Out of memory aborts: nothing promised is lost, the
 * database holds it. Sizes a client can choose must be limited before they come here. */
#ifndef FG_BASE_ARENA_H
#define FG_BASE_ARENA_H

#include <stddef.h>

#include "base/ctx.h"

struct arena *arena_new(void);
void arena_free(struct arena *a);

/* Zeroed memory, aligned for any type; never NULL. */
void *arena_get(struct arena *a, size_t n);

#define arena_new_of(a, type) ((type *)arena_get((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_get_array((a), sizeof(type), (n)))
void *arena_get_array(struct arena *a, size_t size, size_t n);

struct fg_str arena_str(struct arena *a, struct fg_str s);  /* a copy */
char *arena_cstr(struct arena *a, struct fg_str s);         /* a NUL-terminated copy */
struct fg_str arena_fmt(struct arena *a, const char *fmt, ...) FG_PRINTF(2, 3);

/* fn(arg) runs at the next reset, last deferred first. */
void arena_defer(struct arena *a, void (*fn)(void *arg), void *arg);

/* Runs the deferred releases, wipes what was used and keeps one chunk for the next request. */
void arena_reset(struct arena *a);

#endif
