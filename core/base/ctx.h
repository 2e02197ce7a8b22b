/* The words every file speaks: strings as pointer and length, the environment, the context. */
#ifndef FG_BASE_CTX_H
#define FG_BASE_CTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define FG_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FG_US_PER_S INT64_C(1000000)
#define FG_US_PER_MS INT64_C(1000)
#define FG_KIB ((size_t)1024)
#define FG_MIB ((size_t)1024 * 1024)

/* Text that somebody else owns. p may be NULL only when n is 0: that is "absent", unlike "". */
struct fg_str {
    const char *p;
    size_t n;
};

#define FG_LIT(s) ((struct fg_str){ "" s, sizeof(s) - 1 })
#define FG_NONE ((struct fg_str){ NULL, 0 })
#define FG_P(s) (int)(s).n, ((s).p ? (s).p : "") /* for "%.*s" */

static inline struct fg_str fg_str_c(const char *c)
{
    return c ? (struct fg_str){ c, strlen(c) } : FG_NONE;
}

static inline bool fg_eq(struct fg_str a, struct fg_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

#define FG_IS(s, lit) fg_eq((s), FG_LIT(lit))

/* ASCII only; for header names, schemes, host names. */
bool fg_eq_nocase(struct fg_str a, struct fg_str b);
bool fg_starts(struct fg_str s, struct fg_str prefix);

/* The outside: real in main() (base/env.h), fake in tests (tests/fakes). Never changes after start.
 * utc_us: microseconds since 1970 UTC; may jump. mono_us: for timeouts only. boot_us: since the host's boot, its sleep
 * included; tells a jump of utc_us from time that went by (job/clock.h). random: never fails. log: one finished line
 * without its line feed. */
struct fg_env {
    int64_t (*utc_us)(void *self);
    int64_t (*mono_us)(void *self);
    int64_t (*boot_us)(void *self);
    void (*random)(void *self, void *buf, size_t n);
    void (*log)(void *self, struct fg_str line);
    void *self;
};

struct arena;

/* One per request or sweep step; the first parameter everywhere. */
struct fg_ctx {
    struct arena *mem;         /* released, and wiped, when the request ends */
    const struct fg_env *env;
    int64_t now_us;            /* UTC, read once: every rule and row of this request sees this instant */
    struct fg_str request_id;  /* nginx's $request_id, or the sweep step's own; for logs and events */
    struct fg_err err;         /* meaningful only just after a call returned non-OK */
};

/* A new instant: at the start of a request and after a network call, never inside a transaction. */
static inline void ctx_tick(struct fg_ctx *cx)
{
    cx->now_us = cx->env->utc_us(cx->env->self);
}

static inline int64_t ctx_mono_us(const struct fg_ctx *cx)
{
    return cx->env->mono_us(cx->env->self);
}

#endif
