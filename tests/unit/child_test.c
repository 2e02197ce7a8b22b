#include "t.h"

#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/scan.h"

#define MIB (INT64_C(1) << 20)

/* Children live in real time. */
static void begin(struct t_world *w)
{
    t_begin(w);
    w->cx.env = env_real();
}

static struct child_call shell(const char *script)
{
    return (struct child_call){ .argv = { "/bin/sh", "-c", script }, .wall_ms = 20000 };
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

TEST(trap_child_does_not_inherit_descriptors)
{
    struct t_world w;
    begin(&w);
    int here = open("/proc/self/exe", O_RDONLY), far = fcntl(here, F_DUPFD, 900), pair[2];
    int input = fcntl(0, F_DUPFD_CLOEXEC, 3);
    CHECK(here >= 0 && far >= 900 && pipe(pair) == 0, "descriptors without close-on-exec");
    CHECK(input >= 0 && dup2(pair[0], 0) == 0, "our standard input is something precious");
    /* The shell's own look at the directory is over when -e asks. */
    struct child_call call = shell("for f in /proc/$$/fd/*; do [ -e $f ] && echo ${f##*/}; done; "
                                   "readlink /proc/$$/fd/0");
    struct fg_str out;
    CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), FG_OK);
    CHECK(dup2(input, 0) == 0 && close(input) == 0, "put back");
    CHECK_IS(out, "0\n1\n2\n/dev/null\n", "a child has its three descriptors and nothing of ours");
    close(here);
    close(far);
    close(pair[0]);
    close(pair[1]);
    t_end(&w, 0);
}

TEST(child_works_when_our_standard_descriptors_are_closed)
{
    struct t_world w;
    begin(&w);
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        struct child_call call = shell("echo out; echo err >&2");
        struct fg_str out;
        close(0);
        close(1);
        close(2);
        bool good = child_run(&w.cx, &call, &out) == FG_OK && FG_IS(out, "out\n");
        _exit(good ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
    CHECK_I64(status, 0, "the pipes must not land on 0, 1 and 2");
    t_end(&w, 0);
}

TEST(child_sees_a_small_environment_default_signals_and_its_directory)
{
    struct t_world w;
    begin(&w);
    CHECK(setenv("FILMGATE_AUTH_PEPPER", "secret", 1) == 0, "setenv");
    sigset_t term, before;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    CHECK(sigprocmask(SIG_BLOCK, &term, &before) == 0, "sigprocmask");
    void (*pipe_before)(int) = signal(SIGPIPE, SIG_IGN);
    /* The last 7 digits are signals 1 to 28; beyond them the C library keeps two for itself. */
    struct child_call call =
        shell("env | grep -v '^\\(PWD\\|_\\|OLDPWD\\|SHLVL\\)=' | sort; pwd; "
              "sed -nE 's/^(SigBlk|SigIgn):.*(.{7})$/\\1 \\2/p' /proc/self/status");
    call.dir = "/usr";
    struct fg_str out;
    CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), FG_OK);
    CHECK_IS(out, "LC_ALL=C.UTF-8\nPATH=/usr/local/bin:/usr/bin:/bin\n/usr\n"
                  "SigBlk 0000000\nSigIgn 0000000\n", "nothing of ours is handed on");
    (void)signal(SIGPIPE, pipe_before);
    CHECK(sigprocmask(SIG_SETMASK, &before, NULL) == 0, "sigprocmask");
    unsetenv("FILMGATE_AUTH_PEPPER");
    t_end(&w, 0);
}

TEST(child_run_tells_how_it_ended)
{
    static const struct {
        const char *script;
        enum fg_code want;
        const char *cause;
    } row[] = {
        { "exit 0", FG_OK, "" },
        { "echo no such codec >&2; exit 7", FG_IO, "/bin/sh: exit 7: no such codec" },
        { "kill -9 $$", FG_IO, "/bin/sh: signal 9" },
        { "head -c 300000 /dev/zero >&2; echo the end >&2; exit 1", FG_IO, "exit 1" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        begin(&w);
        struct child_call call = shell(row[i].script);
        struct fg_str out = FG_LIT("untouched");
        CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), row[i].want);
        if (row[i].want == FG_OK)
            CHECK_IS(out, "", row[i].script);
        else
            CHECK(has(w.cx.err.cause, row[i].cause) && FG_IS(out, "untouched"), w.cx.err.cause);
        t_end(&w, 0);
    }
}

TEST(child_that_cannot_start)
{
    static const struct child_call row[] = {
        { .argv = { "/nonexistent/program" } },
        { .argv = { "/etc/passwd" } },
        { .argv = { "/bin/true" }, .dir = "/nonexistent" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        begin(&w);
        struct child c;
        CHECK_CODE(&w.cx, child_start(&w.cx, &row[i], &c), FG_IO);
        CHECK(has(w.cx.err.cause, row[i].argv[0]), "the cause names the program");
        t_end(&w, 0);
    }
}

TEST(child_output_is_cut_not_refused)
{
    static const struct {
        const char *script;
        size_t want;
    } row[] = {
        { "head -c 1000000 /dev/zero", CHILD_OUT_MAX },
        { "head -c 65536 /dev/zero", CHILD_OUT_MAX },
        { "head -c 65535 /dev/zero", CHILD_OUT_MAX - 1 },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        begin(&w);
        struct child_call call = shell(row[i].script);
        struct fg_str out;
        CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), FG_OK);
        CHECK_I64(out.n, row[i].want, row[i].script);
        t_end(&w, 0);
    }
}

TEST(child_cpu_limit)
{
    struct t_world w;
    begin(&w);
    struct child_call call = shell("while :; do :; done");
    struct fg_str out;
    call.cpu_s = 1;
    CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), FG_IO);
    CHECK(has(w.cx.err.cause, "signal 24"), "SIGXCPU");
    t_end(&w, 0);
}

TEST(child_memory_limit)
{
    static const struct {
        int64_t bytes;
        enum fg_code want;
    } row[] = { { 64 * MIB, FG_IO }, { 0, FG_OK } };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        begin(&w);
        struct child_call call = { .argv = { "/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=256M",
                                             "count=1" },
                                   .memory_bytes = row[i].bytes };
        struct fg_str out;
        CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), row[i].want);
        t_end(&w, 0);
    }
}

TEST(child_file_limit)
{
    static const struct {
        int64_t limit;
        enum fg_code want;
        off_t size;
    } row[] = { { 0, FG_IO, 0 }, { 1000, FG_IO, 1000 }, { 5000, FG_OK, 5000 } };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        begin(&w);
        char dir[] = "/tmp/fgXXXXXX";
        CHECK(mkdtemp(dir) != NULL, "mkdtemp");
        struct child_call call = shell("head -c 5000 /dev/zero > file");
        struct fg_str out;
        struct stat st;
        call.dir = dir;
        call.file_bytes = row[i].limit;
        CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), row[i].want);
        const char *file = arena_fmt(w.cx.mem, "%s/file", dir).p;
        CHECK(stat(file, &st) == 0, file);
        CHECK_I64(st.st_size, row[i].size, "bytes written");
        CHECK(unlink(file) == 0 && rmdir(dir) == 0, "tidy up");
        t_end(&w, 0);
    }
}

TEST(child_wall_limit)
{
    static const char *const script[] = { "sleep 1000", "while :; do echo x; sleep 0.001; done",
                                          "exec >&- 2>&-; sleep 1000" };
    for (size_t i = 0; i < FG_LEN(script); i++) {
        struct t_world w;
        begin(&w);
        struct child_call call = shell(script[i]);
        struct fg_str out;
        call.wall_ms = 50;
        int64_t before = ctx_mono_us(&w.cx);
        CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), FG_TIMED_OUT);
        int64_t took_ms = (ctx_mono_us(&w.cx) - before) / FG_US_PER_MS;
        CHECK(took_ms >= 50 && took_ms < 5000, script[i]);
        t_end(&w, 0);
    }
}

static void wait_readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    CHECK(poll(&p, 1, 10000) == 1, "it should have happened long ago");
}

/* The number that the script printed. */
static pid_t read_pid(const struct child *c)
{
    char text[32];
    uint64_t pid;
    wait_readable(c->out_fd);
    ssize_t n = read(c->out_fd, text, sizeof text);
    struct fg_str s = { text, n > 0 ? (size_t)n : 0 };
    CHECK(scan_u64(&s, INT32_MAX, &pid), "a process id");
    return (pid_t)pid;
}

TEST(child_end_kills_grandchildren)
{
    static const char *const script[] = { "sleep 1000 & echo $!; wait", "sleep 1000 & echo $!" };
    for (size_t i = 0; i < FG_LEN(script); i++) {
        struct t_world w;
        begin(&w);
        struct child_call call = shell(script[i]);
        struct child c;
        CHECK_CODE(&w.cx, child_start(&w.cx, &call, &c), FG_OK);
        int grandchild = pidfd_open(read_pid(&c), 0);
        CHECK(grandchild >= 0, "the grandchild lives");
        if (i == 1)
            wait_readable(c.pidfd);
        int status = child_end(&c);
        CHECK_I64(i == 1 ? WIFEXITED(status) : WIFSIGNALED(status), 1, "how the leader ended");
        wait_readable(grandchild);
        close(grandchild);
        CHECK_I64(child_end(&c), status, "idempotent");
        t_end(&w, 0);
    }
}

TEST(child_run_does_not_wait_for_a_grandchild_that_holds_the_pipes)
{
    struct t_world w;
    begin(&w);
    struct child_call call = shell("sleep 1000 & echo done");
    struct fg_str out;
    CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), FG_OK);
    CHECK_IS(out, "done\n", "all that the leader wrote");
    t_end(&w, 0);
}

TEST(child_descriptors_are_for_epoll_and_closed_on_exec)
{
    struct t_world w;
    begin(&w);
    struct child_call call = shell("echo $$; exit 3");
    struct child c;
    CHECK_CODE(&w.cx, child_start(&w.cx, &call, &c), FG_OK);
    CHECK_I64(read_pid(&c), c.pid, "prlimit became the program");
    const int fd[] = { c.pidfd, c.out_fd, c.err_fd };
    for (size_t i = 0; i < FG_LEN(fd); i++)
        CHECK(fcntl(fd[i], F_GETFD) & FD_CLOEXEC, "close-on-exec");
    CHECK(fcntl(c.out_fd, F_GETFL) & fcntl(c.err_fd, F_GETFL) & O_NONBLOCK, "non-blocking");
    wait_readable(c.pidfd);
    int status = child_end(&c);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3, "its own exit code");
    for (size_t i = 0; i < FG_LEN(fd); i++)
        CHECK(fcntl(fd[i], F_GETFD) < 0 && errno == EBADF, "closed");
    t_end(&w, 0);
}
