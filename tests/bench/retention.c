/* Creations beside the deletion of expired files, and the same creations without, in one run: `make bench-retention`.
 * N (100000) files, each with its poster on disk. Jobs are created at a steady pace, and a sweeper runs all the time: what
 * differs is whether it has anything to delete. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/job_world.h"

#define PACE_US (10 * FG_US_PER_MS)      /* a hundred creations a second */
#define ALONE_N 2000                     /* creations without, before and after */
#define SAMPLES_MAX 200000
#define SPREAD 2654435761u

static int64_t sample[SAMPLES_MAX];
static unsigned serial;

static void fill_rows(struct job_world *w, unsigned n)
{
    do_sql(w, "INSERT INTO job (public_id, account_id, state, stage, version, provider, model, prompt, aspect_ratio, duration_s, "
              "resolution, price_micro, currency, charged, request_id, created_us, updated_us, finished_us, deadline_us, "
              "output_state, expires_us) SELECT CONCAT('job_', LOWER(LPAD(HEX((seq * %u) & 4294967295), 8, '0')), "
              "LPAD(seq, 18, '0')), 1, 4, 0, 1, 'replay', 'replay-1', 'p', '16:9', 5, '480p', 0, 'USD', 1, 'r', 1, 1, 1, 1, 1, "
              "1000 + seq FROM seq_1_to_%u", SPREAD, n);
    do_sql(w, "INSERT INTO output (job_id, video_file, poster_file, bytes, digest, width, height, duration_ms, stored_us) SELECT "
              "id, CONCAT(SUBSTR(public_id, 5, 2), '/', public_id, '-a.mp4'), CONCAT(SUBSTR(public_id, 5, 2), '/', public_id, "
              "'-a.jpg'), 10, REPEAT('d', 32), 1, 1, 1, 1 FROM job WHERE expires_us >= 1000");
    do_sql(w, "INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) SELECT id, 0, 1, 1, 0, 'USD', 1 "
              "FROM job WHERE expires_us >= 1000; INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) "
              "SELECT id, 1, 1, 2, 0, 'USD', 1 FROM job WHERE expires_us >= 1000; UPDATE account_use SET storage_bytes = 10 * %u "
              "WHERE account_id = 1; ANALYZE TABLE job", n);
}

static void fill_files(struct job_world *w, unsigned n)
{
    static const char *const suffix[] = { "mp4", "jpg" };
    for (unsigned shard = 0; shard < 256; shard++)
        (void)mkdir(arena_fmt(w->cx->mem, "%.*s/%02x", FG_P(w->conf.media_root), shard).p, 0700);
    for (unsigned seq = 1; seq <= n; seq++)
        for (size_t i = 0; i < FG_LEN(suffix); i++) {
            char path[400], id[40];
            (void)snprintf(id, sizeof id, "%08x%018u", seq * SPREAD, seq);
            (void)snprintf(path, sizeof path, "%.*s/%.2s/job_%s-a.%s", FG_P(w->conf.media_root), id, id, suffix[i]);
            int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
            CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0, path);
        }
}

/* A process of its own, as it would be. */
static pid_t start_sweeper(struct job_world *w, bool deletes)
{
    (void)fflush(stdout);
    pid_t child = fork();
    FG_ASSERT(child >= 0);
    if (child)
        return child;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    job_world_forked(w);
    w->sweeper.retention.next_us = deletes ? 0 : INT64_MAX;
    for (;;)
        sweep_wait(&w->sweeper, -1, -1, sweep_pass(&w->sweeper));
}

static void stop(pid_t child)
{
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child, "the sweeper ends");
}

static int64_t create(struct job_world *w, struct fg_ctx *cx)
{
    struct job_answer a = { 0 };
    arena_reset(cx->mem);
    cx->now_us = w->t.utc_us;
    cx->request_id = arena_fmt(cx->mem, "req-%u", serial);
    struct fg_str body = arena_fmt(cx->mem, "{\"prompt\":\"a fish %u\",\"aspectRatio\":\"16:9\",\"duration\":5,\"model\":\"list-1\"}",
                                   serial++);
    int64_t from = ctx_mono_us(cx);
    CHECK_CODE(cx, job_create(cx, &w->env, &w->who, body, FG_NONE, &a), FG_OK);
    return ctx_mono_us(cx) - from;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* left: rows that are not deleted yet; looked at once a second. */
static unsigned create_while(struct job_world *w, unsigned n_max, bool until_deleted)
{
    struct fg_ctx cx = { .mem = arena_new(), .env = w->cx->env };
    unsigned n = 0;
    int64_t next = ctx_mono_us(&cx);
    while (n < n_max) {
        int64_t now = ctx_mono_us(&cx);
        if (now < next)
            (void)usleep((useconds_t)(next - now));
        next = now < next ? next + PACE_US : now + PACE_US;
        sample[n++] = create(w, &cx);
        if (until_deleted && n % 100 == 0 &&
            !ask(w, "SELECT COUNT(*) FROM job WHERE output_state = 1") && !ask(w, "SELECT COUNT(*) FROM due WHERE kind = 6"))
            break;
    }
    arena_free(cx.mem);
    return n;
}

static int64_t report(const char *name, unsigned n, int64_t took_us)
{
    qsort(sample, n, sizeof *sample, by_size);
    printf("%-22s %7u creations in %6.1f s   p50 %6.2f ms   p99 %6.2f ms   p99.9 %6.2f ms   max %6.2f ms\n", name, n,
           (double)took_us / 1e6, (double)sample[n / 2] / 1e3, (double)sample[n - n / 100 - 1] / 1e3,
           (double)sample[n - n / 1000 - 1] / 1e3, (double)sample[n - 1] / 1e3);
    return sample[n - n / 100 - 1];
}

static int64_t lock_waits(struct job_world *w)
{
    return ask(w, "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'INNODB_ROW_LOCK_WAITS'");
}

static int64_t phase(struct job_world *w, const char *name, bool deletes)
{
    pid_t child = start_sweeper(w, deletes);
    int64_t waits = lock_waits(w);
    int64_t from = ctx_mono_us(w->cx);
    unsigned n = create_while(w, deletes ? SAMPLES_MAX : ALONE_N, deletes);
    int64_t p99 = report(name, n, ctx_mono_us(w->cx) - from);
    printf("%-22s %7lld waits for a row's lock\n", "", (long long)(lock_waits(w) - waits));
    stop(child);
    return p99;
}

TEST(deleting_expired_files_never_blocks_a_creation)
{
    struct job_world w;
    const char *text = getenv("N");
    unsigned n = text ? (unsigned)strtoul(text, NULL, 10) : 100000;
    job_world_begin(&w);
    do_sql(&w, "INSERT INTO provider_state (provider, paused_us) VALUES ('list', 1)");
    fill_rows(&w, n);
    fill_files(&w, n);
    int64_t before = phase(&w, "nothing to delete", false);
    int64_t beside = phase(&w, "beside the deletion", true);
    int64_t after = phase(&w, "nothing to delete again", false);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job WHERE output_state = 2"), n, "all are deleted");
    CHECK_I64(ask(&w, "SELECT storage_bytes FROM account_use WHERE account_id = 1"), 0, "and no longer count");
    printf("p99 beside / without: %.2f\n", (double)beside / (double)(before > after ? before : after));
    do_sql(&w, "DELETE FROM due");
    job_world_end(&w, 0);
}
