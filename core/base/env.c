#include "base/env.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_us(clockid_t id)
{
    struct timespec t;
    FG_ASSERT(clock_gettime(id, &t) == 0);
    return (int64_t)t.tv_sec * FG_US_PER_S + t.tv_nsec / 1000;
}

static int64_t real_utc_us(void *self)
{
    (void)self;
    return clock_us(CLOCK_REALTIME);
}

static int64_t real_mono_us(void *self)
{
    (void)self;
    return clock_us(CLOCK_MONOTONIC);
}

static int64_t real_boot_us(void *self)
{
    (void)self;
    return clock_us(CLOCK_BOOTTIME);
}

static void real_random(void *self, void *buf, size_t n)
{
    (void)self;
    char *p = buf;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        FG_ASSERT(got > 0);
        p += got;
        n -= (size_t)got;
    }
}

/* One writev per line: lines of several processes on one pipe do not mix. */
static void real_log(void *self, struct fg_str line)
{
    (void)self;
    struct iovec v[2] = { { (void *)(uintptr_t)line.p, line.n }, { (void *)(uintptr_t)"\n", 1 } };
    ssize_t n = writev(STDERR_FILENO, v, 2);
    (void)n; /* a full or closed stderr must not stop a request */
}

const struct fg_env *env_real(void)
{
    static const struct fg_env env = { real_utc_us, real_mono_us, real_boot_us, real_random, real_log, NULL };
    return &env;
}
