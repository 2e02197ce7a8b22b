#include "t.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"

#define T_MAX 512
#define BOOTED_US (INT64_C(1893000000) * FG_US_PER_S)

static struct CMUnitTest tests[T_MAX];
static size_t test_n;
static bool forked;

/* cmocka wants void (*)(void **): it hands us our own function as the initial state. */
static void run(void **state)
{
    t_fn *fn;
    memcpy(&fn, state, sizeof fn);
    fn();
}

void t_register(const char *name, t_fn *fn)
{
    FG_ASSERT(test_n < T_MAX);
    tests[test_n] = (struct CMUnitTest){ .name = name, .test_func = run };
    memcpy(&tests[test_n].initial_state, &fn, sizeof fn);
    test_n++;
}

static const char *basename_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    /* Registered order is link order reversed here and there: nothing may depend on it. */
    return _cmocka_run_group_tests(basename_of(argv[0]), tests, test_n, NULL, NULL) != 0;
}

void t_forked(void)
{
    forked = true;
}

static void stop(const char *file, int line)
{
    if (!forked)
        _fail(file, line);
    (void)fflush(stdout);
    _exit(3);
}

void t_check(bool ok, const char *what, const char *why, const char *file, int line)
{
    if (ok)
        return;
    print_error("%s:%d: not so: %s (%s)\n", file, line, what, why);
    stop(file, line);
}

void t_check_i64(int64_t got, int64_t want, const char *what, const char *why, const char *file, int line)
{
    if (got == want)
        return;
    print_error("%s:%d: %s is %lld, not %lld (%s)\n", file, line, what, (long long)got,
                (long long)want, why);
    stop(file, line);
}

void t_check_str(struct fg_str got, struct fg_str want, const char *what, const char *why,
                 const char *file, int line)
{
    if (fg_eq(got, want) && !got.p == !want.p)
        return;
    print_error("%s:%d: %s is\n  \"%.*s\", not\n  \"%.*s\" (%s)\n", file, line, what, FG_P(got),
                FG_P(want), why);
    stop(file, line);
}

void t_check_code(struct fg_ctx *cx, enum fg_code got, enum fg_code want, const char *what,
                  const char *file, int line)
{
    if (got == want)
        return;
    print_error("%s:%d: %s gave %s, not %s\n", file, line, what, fg_err_info(got)->slug,
                fg_err_info(want)->slug);
    if (got != FG_OK)
        print_error("  %s | %s\n", cx->err.detail, cx->err.cause);
    stop(file, line);
}

static int64_t fake_utc(void *self)
{
    return ((struct t_world *)self)->utc_us;
}

static int64_t fake_mono(void *self)
{
    return ((struct t_world *)self)->mono_us;
}

/* Whatever moves utc_us is time that went by, unless it is said to be a jump. */
static int64_t fake_boot(void *self)
{
    const struct t_world *w = self;
    return w->utc_us - w->jumped_us - BOOTED_US;
}

static void fake_random(void *self, void *buf, size_t n)
{
    struct t_world *w = self;
    unsigned char *p = buf;
    for (size_t i = 0; i < n; i++) { /* splitmix64 */
        uint64_t z = (w->dice += UINT64_C(0x9e3779b97f4a7c15));
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        p[i] = (unsigned char)(z >> 56);
    }
}

static void fake_log(void *self, struct fg_str line)
{
    struct t_world *w = self;
    (void)snprintf(w->last_line, sizeof w->last_line, "%.*s", FG_P(line));
    size_t n = strlen(w->lines);
    (void)snprintf(w->lines + n, sizeof w->lines - n, "%.*s\n", FG_P(line));
    if (strstr(w->last_line, "\"level\":\"error\"")) {
        w->error_lines++;
        print_message("logged: %s\n", w->last_line);
    }
}

void t_begin(struct t_world *w)
{
    *w = (struct t_world){ .dice = 42, .mono_us = 1000 * FG_US_PER_S };
    FG_ASSERT(time_parse_iso(FG_LIT("2030-01-01T00:00:00Z"), &w->utc_us));
    w->env = (struct fg_env){ fake_utc, fake_mono, fake_boot, fake_random, fake_log, w };
    w->cx = (struct fg_ctx){ .mem = arena_new(), .env = &w->env, .now_us = w->utc_us };
}

void t_advance(struct t_world *w, int64_t us)
{
    w->utc_us += us;
    w->mono_us += us;
    w->cx.now_us = w->utc_us;
}

void t_jump(struct t_world *w, int64_t us)
{
    w->utc_us += us;
    w->jumped_us += us;
    w->cx.now_us = w->utc_us;
}

void t_end(struct t_world *w, unsigned expected_error_lines)
{
    arena_free(w->cx.mem);
    CHECK_I64(w->error_lines, expected_error_lines, "unexpected error log lines");
}

struct fg_str t_file(struct fg_ctx *cx, const char *path)
{
    FILE *f = fopen(path, "re");
    CHECK(f != NULL, path);
    size_t max = 8 * FG_MIB;
    char *p = arena_get(cx->mem, max);
    size_t n = fread(p, 1, max, f);
    fclose(f);
    CHECK(n < max, path);
    return (struct fg_str){ p, n };
}
