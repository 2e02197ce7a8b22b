#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/sb.h"
#include "io/file.h"

#define PRLIMIT "/usr/bin/prlimit"
#define UNSHARE "/usr/bin/unshare"
#define SETPRIV "/usr/bin/setpriv"
#define NOBODY "nobody"
#define NOBODYS_GROUP "nogroup"
#define RETURNED_MODE 0640
#define SHOWN_MODE 0644 /* who else is on this machine cannot come through the folders above */
#define LIMIT_S 60
#define LIMIT_MEMORY (INT64_C(2) << 30)
#define PRLIMIT_ARGS 6
#define JAIL_ARGS 16
#define TAIL 160 /* of standard error, for the cause */

static int above_2(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    int why = errno;
    close(fd);
    errno = why;
    return moved;
}

/* Close-on-exec, the reading end non-blocking, both above 2: a process may have been started with
 * one of 0, 1, 2 closed, and then dup2 in the child would overwrite the other pipe. */
static bool pipe_open(int fd[2])
{
    int raw[2];
    if (pipe(raw) != 0)
        return false;
    fd[0] = above_2(raw[0]);
    fd[1] = above_2(raw[1]);
    return fd[0] >= 0 && fd[1] >= 0 && fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0;
}

static void close_set(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

struct spawn {
    char *argv[PRLIMIT_ARGS + JAIL_ARGS + CHILD_ARGS_MAX + 1];
    int out[2], err[2];
    pid_t pid;
};

static size_t words_add(struct fg_ctx *cx, struct spawn *s, size_t n, const char *const *word)
{
    for (; *word; word++)
        s->argv[n++] = arena_cstr(cx->mem, fg_str_c(*word));
    return n;
}

/* Each of these programs becomes the next. Root makes the network, which then nobody can leave; a user namespace is
 * nobody's own. */
static size_t jail_add(struct fg_ctx *cx, unsigned jail, struct spawn *s, size_t n)
{
    static const char *const no_net[] = { UNSHARE, "--net", "--", NULL };
    static const char *const nobody[] = { SETPRIV, "--reuid", NOBODY, "--regid", NOBODYS_GROUP, "--clear-groups",
                                          "--no-new-privs", "--", NULL };
    static const char *const own_space[] = { UNSHARE, "--user", "--map-current-user", "--net", "--", NULL };
    if (jail & CHILD_NO_NET)
        n = words_add(cx, s, n, no_net);
    if (jail & CHILD_NOBODY)
        n = words_add(cx, s, n, nobody);
    if (jail & CHILD_OWN_SPACE)
        n = words_add(cx, s, n, own_space);
    return n;
}

static void spawn_argv(struct fg_ctx *cx, const struct child_call *c, struct spawn *s)
{
    int64_t cpu = c->cpu_s ? c->cpu_s : LIMIT_S;
    int64_t memory = c->memory_bytes ? c->memory_bytes : LIMIT_MEMORY;
    size_t n = 0;
    const struct fg_str head[PRLIMIT_ARGS] = {
        FG_LIT(PRLIMIT),
        /* soft below hard: SIGXCPU can be told from a kill of ours */
        arena_fmt(cx->mem, "--cpu=%lld:%lld", (long long)cpu, (long long)cpu + 1),
        arena_fmt(cx->mem, "--as=%lld", (long long)memory),
        arena_fmt(cx->mem, "--fsize=%lld", (long long)c->file_bytes),
        FG_LIT("--core=0"),
        FG_LIT("--"),
    };
    for (; n < PRLIMIT_ARGS; n++)
        s->argv[n] = arena_cstr(cx->mem, head[n]);
    n = jail_add(cx, c->jail, s, n);
    for (size_t i = 0; i < CHILD_ARGS_MAX && c->argv[i]; i++)
        s->argv[n++] = arena_cstr(cx->mem, fg_str_c(c->argv[i]));
}

/* The posix_spawn_* set-up calls fail for want of memory only. */
static int spawn_now(const struct child_call *c, struct spawn *s)
{
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", lang[] = "LC_ALL=C.UTF-8";
    static char *const environment[] = { path, lang, NULL };
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t at;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    FG_ASSERT(posix_spawn_file_actions_init(&fa) == 0 && posix_spawnattr_init(&at) == 0);
    int rc = posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
    rc = rc ? rc : posix_spawn_file_actions_adddup2(&fa, s->out[1], 1);
    rc = rc ? rc : posix_spawn_file_actions_adddup2(&fa, s->err[1], 2);
    rc = rc ? rc : posix_spawn_file_actions_addclosefrom_np(&fa, 3);
    if (c->dir)
        rc = rc ? rc : posix_spawn_file_actions_addchdir_np(&fa, c->dir);
    rc = rc ? rc : posix_spawnattr_setsigmask(&at, &none);
    rc = rc ? rc : posix_spawnattr_setsigdefault(&at, &all);
    rc = rc ? rc : posix_spawnattr_setpgroup(&at, 0);
    rc = rc ? rc : posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                     POSIX_SPAWN_SETSIGDEF);
    rc = rc ? rc : posix_spawn(&s->pid, PRLIMIT, &fa, &at, s->argv, environment);
    posix_spawnattr_destroy(&at);
    posix_spawn_file_actions_destroy(&fa);
    return rc;
}

enum fg_code child_start(struct fg_ctx *cx, const struct child_call *call, struct child *out)
{
    struct spawn s = { .out = { -1, -1 }, .err = { -1, -1 } };
    int64_t wall_ms = call->wall_ms ? call->wall_ms : LIMIT_S * 1000;
    int pidfd = -1, rc = EINVAL;
    FG_ASSERT(call->argv[0] && call->argv[0][0] == '/');
    spawn_argv(cx, call, &s);
    if (fault_next(FAULT_CHILD, call->argv[0]) == FAULT_FAIL)
        rc = EAGAIN;
    else if (access(call->argv[0], X_OK) != 0 || !pipe_open(s.out) || !pipe_open(s.err))
        rc = errno;
    else
        rc = spawn_now(call, &s);
    close_set(&s.out[1]);
    close_set(&s.err[1]);
    if (rc == 0 && (pidfd = pidfd_open(s.pid, 0)) < 0) {
        rc = errno;
        (void)kill(-s.pid, SIGKILL);
        while (waitpid(s.pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (rc != 0) {
        close_set(&s.out[0]);
        close_set(&s.err[0]);
        (void)fg_fail(cx, FG_IO, "a helper program cannot be started");
        return fg_cause(cx, "%s: %s", call->argv[0], strerror(rc));
    }
    *out = (struct child){ .pid = s.pid, .pidfd = pidfd, .out_fd = s.out[0], .err_fd = s.err[0],
                           .end_mono_us = ctx_mono_us(cx) + wall_ms * FG_US_PER_MS };
    return FG_OK;
}

int child_end(struct child *c)
{
    if (c->pid <= 0)
        return c->status;
    /* The leader is not reaped yet, so its group's number cannot belong to anybody else. */
    (void)kill(-c->pid, SIGKILL);
    int status = -1;
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(c->pidfd);
    close_set(&c->out_fd);
    close_set(&c->err_fd);
    c->pid = 0;
    c->pidfd = -1;
    return c->status = status;
}

struct tail {
    char p[TAIL];
    size_t n;
};

static void tail_add(struct tail *t, const char *p, size_t n)
{
    if (n >= TAIL) {
        memcpy(t->p, p + n - TAIL, TAIL);
        t->n = TAIL;
        return;
    }
    size_t keep = t->n < TAIL - n ? t->n : TAIL - n;
    memmove(t->p, t->p + t->n - keep, keep);
    memcpy(t->p + keep, p, n);
    t->n = keep + n;
}

/* Reads once. Returns the bytes read; closes *fd at the end of file. */
static size_t take(int *fd, struct sb *out, struct tail *err)
{
    char buf[4096];
    if (*fd < 0)
        return 0;
    ssize_t n = read(*fd, buf, sizeof buf);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_set(fd);
    if (n <= 0)
        return 0;
    size_t room = out ? out->max - out->n : 0;
    if (out)
        sb_add(out, (struct fg_str){ buf, (size_t)n < room ? (size_t)n : room });
    else
        tail_add(err, buf, (size_t)n);
    return (size_t)n;
}

static int ms_left(const struct fg_ctx *cx, const struct child *c)
{
    int64_t ms = (c->end_mono_us - ctx_mono_us(cx) + FG_US_PER_MS - 1) / FG_US_PER_MS;
    return ms < 0 ? 0 : ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* False: the wall limit passed. */
static bool collect(const struct fg_ctx *cx, struct child *c, struct sb *out, struct tail *err)
{
    struct pollfd p[] = { { .fd = c->pidfd, .events = POLLIN }, { .events = POLLIN },
                          { .events = POLLIN } };
    while (!(p[0].revents & POLLIN)) {
        int wait_ms = ms_left(cx, c);
        p[1].fd = c->out_fd;
        p[2].fd = c->err_fd;
        int n = poll(p, FG_LEN(p), wait_ms);
        if (n < 0 && errno == EINTR)
            continue;
        FG_ASSERT(n >= 0);
        if (n == 0 || wait_ms == 0)
            return false;
        take(&c->out_fd, out, err);
        take(&c->err_fd, NULL, err);
    }
    /* What the leader wrote is in the pipes. A grandchild may still hold them open, so do not wait
     * for the end of file, and take no more than a pipe can hold. */
    (void)kill(-c->pid, SIGKILL);
    for (size_t got = 1, all = 0; got && all < CHILD_OUT_MAX; all += got)
        got = take(&c->out_fd, out, err);
    for (size_t got = 1, all = 0; got && all < CHILD_OUT_MAX; all += got)
        got = take(&c->err_fd, NULL, err);
    return true;
}

static enum fg_code told(struct fg_ctx *cx, const struct child_call *call, enum fg_code rc, int status, const struct tail *err)
{
    (void)fg_fail(cx, rc, rc == FG_TIMED_OUT ? "a helper program took too long" : "a helper program failed");
    return fg_cause(cx, "%s: %s %d: %.*s", call->argv[0], WIFSIGNALED(status) ? "signal" : "exit",
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), (int)err->n, err->p);
}

static enum fg_code run(struct fg_ctx *cx, const struct child_call *call, struct fg_str *output, int *status,
                        struct tail *err)
{
    struct child c;
    struct sb out = sb_in(cx->mem, CHILD_OUT_MAX);
    enum fg_code rc = child_start(cx, call, &c);
    if (rc != FG_OK)
        return rc;
    bool in_time = collect(cx, &c, &out, err);
    *status = child_end(&c);
    *output = sb_str(&out);
    return in_time ? FG_OK : told(cx, call, FG_TIMED_OUT, *status, err);
}

enum fg_code child_run(struct fg_ctx *cx, const struct child_call *call, struct fg_str *output)
{
    struct tail err = { .n = 0 };
    struct fg_str printed;
    int status;
    enum fg_code rc = run(cx, call, &printed, &status, &err);
    if (rc == FG_OK && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        rc = told(cx, call, FG_IO, status, &err);
    if (rc == FG_OK)
        *output = printed;
    return rc;
}

enum fg_code child_run_any(struct fg_ctx *cx, const struct child_call *call, struct fg_str *output, int *status)
{
    struct tail err = { .n = 0 };
    return run(cx, call, output, status, &err);
}

static bool works(struct fg_ctx *cx, unsigned jail)
{
    const struct child_call call = { .argv = { "/bin/true" }, .cpu_s = 10, .wall_ms = 10000, .jail = jail };
    struct fg_str out;
    return child_run(cx, &call, &out) == FG_OK;
}

enum fg_code child_jail_open(struct fg_ctx *cx, struct conf *conf)
{
    static const unsigned net[] = { CHILD_NO_NET, CHILD_OWN_SPACE };
    conf->jail = 0;
    if (FG_IS(conf->media_jail, "no"))
        return FG_OK;
    if (geteuid() == 0 && works(cx, CHILD_NOBODY))
        conf->jail = CHILD_NOBODY;
    for (size_t i = 0; i < FG_LEN(net); i++)
        if (works(cx, conf->jail | net[i])) {
            conf->jail |= net[i];
            return FG_OK;
        }
    if (FG_IS(conf->media_jail, "yes"))
        return fg_fail(cx, FG_CONFIG, "[media] jail: this system lets us take no network away from a child");
    fg_log(cx, LOG_WARN, "child.no_jail", LOG_S("words", FG_LIT("children that read foreign files can reach the network")));
    return FG_OK;
}

static enum fg_code hand_over(struct fg_ctx *cx, unsigned jail, int fd, bool to_nobody, mode_t mode)
{
    if (!(jail & CHILD_NOBODY))
        return FG_OK;
    const struct passwd *nobody = getpwnam(NOBODY);
    if (nobody && file_own(fd, to_nobody ? nobody->pw_uid : geteuid(), mode))
        return FG_OK;
    const char *why = nobody ? strerror(errno) : "there is no user " NOBODY;
    (void)fg_fail(cx, FG_IO, "The file store did not work");
    return fg_cause(cx, "fchown: %s", why);
}

enum fg_code child_lend(struct fg_ctx *cx, unsigned jail, int fd)
{
    return hand_over(cx, jail, fd, true, RETURNED_MODE);
}

enum fg_code child_show(struct fg_ctx *cx, unsigned jail, int fd)
{
    return hand_over(cx, jail, fd, false, SHOWN_MODE);
}

enum fg_code child_return(struct fg_ctx *cx, unsigned jail, int fd)
{
    return hand_over(cx, jail, fd, false, RETURNED_MODE);
}

const char *child_file(struct fg_ctx *cx, struct child_call *call, const char *path)
{
    const char *slash = strrchr(path, '/');
    FG_ASSERT(slash && slash > path);
    call->dir = arena_cstr(cx->mem, (struct fg_str){ path, (size_t)(slash - path) });
    return arena_fmt(cx->mem, "./%s", slash + 1).p;
}
