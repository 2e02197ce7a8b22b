/* The harness, a thin coat over cmocka: TEST() registers itself, CHECK_*() say what and why.
 * tests/run.sh adds up what every program prints. */
#ifndef FG_TESTS_T_H
#define FG_TESTS_T_H

#include "base/arena.h"
#include "base/ctx.h"
#include "base/env.h"

typedef void t_fn(void);
void t_register(const char *name, t_fn *fn);

#define TEST(name)                                                                             \
    static void test_##name(void);                                                               \
    __attribute__((constructor)) static void register_##name(void)                               \
    {                                                                                            \
        t_register(#name, test_##name);                                                          \
    }                                                                                            \
    static void test_##name(void)

/* For a process forked off a test: a check that does not hold ends it with status 3, instead of going on with the next
 * test. */
void t_forked(void);

/* Each stops the test at once when it does not hold; why is shown. */
void t_check(bool ok, const char *what, const char *why, const char *file, int line);
void t_check_i64(int64_t got, int64_t want, const char *what, const char *why, const char *file, int line);
void t_check_str(struct fg_str got, struct fg_str want, const char *what, const char *why,
                 const char *file, int line);
void t_check_code(struct fg_ctx *cx, enum fg_code got, enum fg_code want, const char *what,
                  const char *file, int line);

#define CHECK(x, why) t_check((x), #x, (why), __FILE__, __LINE__)
#define CHECK_I64(got, want, why) t_check_i64((int64_t)(got), (int64_t)(want), #got, (why), __FILE__, __LINE__)
#define CHECK_STR(got, want, why) t_check_str((got), (want), #got, (why), __FILE__, __LINE__)
#define CHECK_IS(got, lit, why) CHECK_STR((got), FG_LIT(lit), (why))
/* Shows the error's detail and cause when the code is another. */
#define CHECK_CODE(cx, got, want) t_check_code((cx), (got), (want), #got, __FILE__, __LINE__)

/* A context over a fake world: the clock stands until it is moved, dice are seeded, log lines are kept. */
struct t_world {
    struct fg_env env;
    struct fg_ctx cx;
    int64_t utc_us, mono_us;
    int64_t jumped_us;    /* by how much utc_us has jumped, besides what went by */
    uint64_t dice;
    unsigned error_lines; /* log lines of level error; t_end fails the test on any that was not expected */
    char last_line[2048];
    char lines[16384];    /* all of them, as far as they fit */
};

/* Starts at 2030-01-01T00:00:00Z. */
void t_begin(struct t_world *w);
void t_advance(struct t_world *w, int64_t us);
/* The clock is set: UTC alone is another at once. */
void t_jump(struct t_world *w, int64_t us);
/* Frees, and fails the test when error_lines is not what was expected. */
void t_end(struct t_world *w, unsigned expected_error_lines);

/* The whole of a file of tests (path below the source tree's top), in the arena. */
struct fg_str t_file(struct fg_ctx *cx, const char *path);

#endif
