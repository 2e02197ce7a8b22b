/* The store by hand, for the tests of this folder: one operation with the configuration of the environment, and what came
 * of it as a line of JSON: {"code", "cause", …}.
 *
 *   drive put FILE OWNER SUFFIX       also put-now: through the calls that wait
 *   drive get KIND NAME FILE          get-now
 *   drive remove KIND NAME            remove-now
 *   drive keep OWNER [NAME [NAME]]
 *   drive tidy SECONDS                uploads in parts that are older than that
 *   drive serve KIND NAME TYPE DISPOSITION [head] */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/sb.h"
#include "media/s3.h"
#include "media/store.h"


struct driving {
    struct fg_ctx cx;
    struct conf conf;
    struct store st;
    struct stored what;
    struct spool spool;
    struct serve_to to;
    int64_t tidied;
    enum fg_code rc;
    bool over;
};

static void over(void *arg, enum fg_code rc)
{
    struct driving *d = arg;
    d->rc = rc;
    d->over = true;
}

/* A spooled copy of a file of the test's. */
static void spool(struct driving *d, const char *from, const char *suffix)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    FG_ASSERT(fd >= 0 && disk_open(&d->cx, &d->conf) == FG_OK);
    FG_ASSERT(spool_new(&d->cx, &d->conf, suffix, &d->spool) == FG_OK);
    while ((n = sendfile(d->spool.fd, fd, NULL, FG_MIB)) > 0)
        ;
    FG_ASSERT(n == 0);
    close(fd);
}

static struct stored named(const char *kind, const char *name)
{
    return (struct stored){ strcmp(kind, "0") ? STORE_S3 : STORE_DISK, fg_str_c(name) };
}

static void wait_for(struct driving *d)
{
    while (!d->over) {
        struct pollfd p = { .fd = fetcher_fd(d->st.fetcher), .events = POLLIN };
        FG_ASSERT(poll(&p, 1, 60000) == 1);
        fetcher_turn(d->st.fetcher);
    }
}

/* How long the calls that wait may do so. */
static int64_t limit_ms(void)
{
    const char *v = getenv("DRIVE_LIMIT_MS");
    return v ? strtoll(v, NULL, 10) : 20000;
}

/* ---- commands; a[0] is the first argument after the command's name ---- */

static void put(struct driving *d, char **a)
{
    spool(d, a[0], a[2]);
    store_put(&d->cx, &d->st, &d->spool, fg_str_c(a[1]), a[2], &d->what, over, d);
}

static void put_now(struct driving *d, char **a)
{
    spool(d, a[0], a[2]);
    over(d, store_put_now(&d->cx, &d->conf, limit_ms(), &d->spool, fg_str_c(a[1]), a[2], &d->what));
}

static void get(struct driving *d, char **a)
{
    d->what = named(a[0], a[1]);
    FG_ASSERT(disk_open(&d->cx, &d->conf) == FG_OK);
    store_get(&d->cx, &d->st, &d->what, ".mp4", &d->spool, over, d);
}

static void get_now(struct driving *d, char **a)
{
    d->what = named(a[0], a[1]);
    FG_ASSERT(disk_open(&d->cx, &d->conf) == FG_OK);
    over(d, store_get_now(&d->cx, &d->conf, limit_ms(), &d->what, ".mp4", &d->spool));
}

static void move_to(struct driving *d, const char *path)
{
    if (d->rc == FG_OK && lseek(d->spool.fd, 0, SEEK_CUR) == 0)
        FG_ASSERT(rename(d->spool.path.p, path) == 0);
}

static void remove_one(struct driving *d, char **a)
{
    d->what = named(a[0], a[1]);
    store_remove(&d->cx, &d->st, &d->what, over, d);
}

static void remove_now(struct driving *d, char **a)
{
    d->what = named(a[0], a[1]);
    over(d, store_remove_now(&d->cx, &d->conf, limit_ms(), &d->what));
}

static void keep(struct driving *d, char **a)
{
    struct stored kept[STORE_KEEP_MAX];
    size_t n = 0;
    for (; a[1 + n]; n++)
        kept[n] = named("1", a[1 + n]);
    store_keep_only(&d->cx, &d->st, fg_str_c(a[0]), kept, n, over, d);
}

static void tidy(struct driving *d, char **a)
{
    s3_tidy(&d->cx, &d->st, d->cx.now_us - strtoll(a[0], NULL, 10) * FG_US_PER_S, &d->tidied, over, d);
}

static void serve(struct driving *d, char **a)
{
    struct serve_how how = { fg_str_c(a[2]), fg_str_c(a[3]), d->conf.media_link_ttl_s, a[4] != NULL };
    d->what = named(a[0], a[1]);
    over(d, store_serve(&d->cx, &d->conf, &d->what, &how, &d->to));
}

static const struct {
    const char *name;
    void (*run)(struct driving *d, char **a);
    int args;
} commands[] = {
    { "put", put, 3 },           { "put-now", put_now, 3 }, { "get", get, 3 },   { "get-now", get_now, 3 },
    { "remove", remove_one, 2 }, { "remove-now", remove_now, 2 }, { "keep", keep, 1 }, { "tidy", tidy, 1 },
    { "serve", serve, 4 },
};

static void add(struct sb *b, const char *name, struct fg_str value)
{
    sb_addf(b, ",\"%s\":", name);
    sb_add_json(b, value);
}

static void tell(struct driving *d)
{
    struct sb b = sb_in(d->cx.mem, 64 * FG_KIB);
    sb_addf(&b, "{\"code\":\"%s\",\"kind\":%d,\"tidied\":%lld", fg_err_info(d->rc)->slug, d->what.kind,
            (long long)d->tidied);
    add(&b, "name", d->what.name);
    add(&b, "cause", d->rc == FG_OK ? FG_NONE : fg_str_c(d->cx.err.cause[0] ? d->cx.err.cause : d->cx.err.detail));
    add(&b, "accel", d->to.accel);
    add(&b, "location", d->to.location);
    printf("%s}\n", sb_cstr(&b));
}

int main(int argc, char **argv)
{
    struct driving d = { .cx = { .mem = arena_new(), .env = env_real() }, .spool.fd = -1 };
    size_t i = 0;
    while (i < FG_LEN(commands) && (argc < 2 || strcmp(argv[1], commands[i].name)))
        i++;
    if (i == FG_LEN(commands) || argc < commands[i].args + 2)
        return 2;
    ctx_tick(&d.cx);
    if (conf_load(&d.cx, &d.conf, NULL) != FG_OK || fetcher_open(&d.cx, &d.st.fetcher, &d.conf) != FG_OK) {
        d.rc = d.cx.err.code;
    } else {
        d.st.conf = &d.conf;
        commands[i].run(&d, argv + 2);
        wait_for(&d);
        if (commands[i].run == get || commands[i].run == get_now)
            move_to(&d, argv[4]);
        fetcher_close(d.st.fetcher);
    }
    tell(&d);
    spool_drop(&d.spool);
    arena_free(d.cx.mem);
    return d.rc == FG_OK ? 0 : 1;
}
