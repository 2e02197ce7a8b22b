#include "t.h"

#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

/* ---- the jail ---- */

static void jail_open(struct t_world *w, struct conf *conf)
{
    *conf = (struct conf){ .media_jail = FG_LIT("yes") };
    CHECK_CODE(&w->cx, child_jail_open(&w->cx, conf), FG_OK);
    CHECK(conf->jail & (CHILD_NO_NET | CHILD_OWN_SPACE), "these tests want a system that has one");
    CHECK_I64(!!(conf->jail & CHILD_NOBODY), geteuid() == 0, "another user where we can be one");
}

static int listen_here(char port[8])
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0 && listen(fd, 8) == 0, "listen");
    CHECK(getsockname(fd, (struct sockaddr *)&at, &n) == 0, "getsockname");
    snprintf(port, 8, "%u", ntohs(at.sin_port));
    return fd;
}

TEST(in_jail_there_is_nobody_to_connect_to)
{
    struct t_world w;
    struct conf conf;
    char port[8];
    begin(&w);
    jail_open(&w, &conf);
    int fd = listen_here(port);
    const char *const script = "exec 3<>/dev/tcp/127.0.0.1/$0 && echo through";
    struct child_call call = { .argv = { "/bin/bash", "-c", script, port }, .wall_ms = 20000 };
    struct fg_str out;
    CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), FG_OK);
    CHECK_IS(out, "through\n", "outside it can");
    call.jail = conf.jail;
    CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), FG_IO);
    CHECK(has(w.cx.err.cause, "nreachable"), w.cx.err.cause);
    close(fd);
    t_end(&w, 0);
}

TEST(in_jail_root_is_nobody)
{
    struct t_world w;
    struct conf conf;
    begin(&w);
    jail_open(&w, &conf);
    struct child_call call = shell("id -u; id -g; id -G; grep -E '^(CapEff|NoNewPrivs)' /proc/self/status");
    struct fg_str out;
    call.jail = conf.jail;
    CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), FG_OK);
    if (geteuid() == 0)
        CHECK_IS(out, "65534\n65534\n65534\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n", "without any rights");
    else
        CHECK(has(arena_cstr(w.cx.mem, out), "CapEff:\t0000000000000000"), "without any rights");
    t_end(&w, 0);
}

TEST(in_jail_the_limits_hold)
{
    static const struct {
        const char *script, *cause;
        int64_t memory, file;
    } row[] = {
        { "while :; do :; done", "signal 24", 0, 0 },
        { "exec dd if=/dev/zero of=/dev/null bs=256M count=1", "exhausted", 64 * MIB, 0 },
        { "exec head -c 5000 /dev/zero > lent", "signal 25", 0, 1000 },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        struct conf conf;
        begin(&w);
        jail_open(&w, &conf);
        char dir[] = "/tmp/fgXXXXXX";
        CHECK(mkdtemp(dir) != NULL && chmod(dir, 0751) == 0, "mkdtemp");
        const char *file = arena_fmt(w.cx.mem, "%s/lent", dir).p;
        int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
        CHECK_CODE(&w.cx, child_lend(&w.cx, conf.jail, fd), FG_OK);
        struct child_call call = shell(row[i].script);
        struct fg_str out;
        call.dir = dir;
        call.cpu_s = 1;
        call.memory_bytes = row[i].memory;
        call.file_bytes = row[i].file;
        call.jail = conf.jail;
        CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), FG_IO);
        CHECK(has(w.cx.err.cause, row[i].cause), w.cx.err.cause);
        close(fd);
        CHECK(unlink(file) == 0 && rmdir(dir) == 0, "tidy up");
        t_end(&w, 0);
    }
}

/* What is lent it reads and writes, by name; nothing else, however it is asked for. */
TEST(in_jail_only_what_is_lent)
{
    static const struct { const char *script; bool root_only; enum fg_code want; } row[] = {
        { "cat ./lent && echo more > ./lent && chmod 4777 ./lent", false, FG_OK },
        { "cat ./other", true, FG_IO },
        { "cat ../kept", true, FG_IO },
        { "ls .", true, FG_IO },
        { "echo x > ./new", true, FG_IO },
        { "echo x > ../new", true, FG_IO },
        { "rm -f ./lent", true, FG_IO },
        { "cat /proc/$PPID/environ", true, FG_IO },
        { "kill -9 $PPID", true, FG_IO },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        if (row[i].root_only && geteuid() != 0)
            continue;
        struct t_world w;
        struct conf conf;
        begin(&w);
        jail_open(&w, &conf);
        char root[] = "/tmp/fgXXXXXX";
        CHECK(mkdtemp(root) != NULL, "mkdtemp");
        const char *dir = arena_fmt(w.cx.mem, "%s/tmp", root).p, *lent = arena_fmt(w.cx.mem, "%s/lent", dir).p;
        const char *other = arena_fmt(w.cx.mem, "%s/other", dir).p, *kept = arena_fmt(w.cx.mem, "%s/kept", root).p;
        CHECK(mkdir(dir, 0751) == 0 && chmod(dir, 0751) == 0, "the spool");
        int fd = open(lent, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        close(open(other, O_RDWR | O_CREAT, 0640));
        close(open(kept, O_RDWR | O_CREAT, 0640));
        CHECK(write(fd, "words\n", 6) == 6, "write");
        CHECK_CODE(&w.cx, child_lend(&w.cx, conf.jail, fd), FG_OK);
        struct child_call call = shell(row[i].script);
        struct fg_str out;
        struct stat st;
        CHECK_STR(fg_str_c(child_file(&w.cx, &call, lent)), FG_LIT("./lent"), "by its bare name");
        call.file_bytes = 1000;
        call.jail = conf.jail;
        CHECK_CODE(&w.cx, child_run(&w.cx, &call, &out), row[i].want);
        CHECK_CODE(&w.cx, child_return(&w.cx, conf.jail, fd), FG_OK);
        CHECK(fstat(fd, &st) == 0 && st.st_uid == geteuid(), "ours again");
        CHECK_I64(st.st_mode & 07777, geteuid() == 0 ? 0640 : st.st_mode & 07777, "for nobody else");
        CHECK_I64(st.st_size, row[i].want == FG_OK ? 5 : 6, "written, or not");
        close(fd);
        CHECK(unlink(lent) == 0 && unlink(other) == 0 && unlink(kept) == 0, row[i].script);
        CHECK(rmdir(dir) == 0 && rmdir(root) == 0, row[i].script);
        t_end(&w, 0);
    }
}

TEST(no_jail_when_the_configuration_says_so)
{
    struct t_world w;
    struct conf conf = { .media_jail = FG_LIT("no"), .jail = CHILD_NOBODY };
    begin(&w);
    CHECK_CODE(&w.cx, child_jail_open(&w.cx, &conf), FG_OK);
    CHECK_I64(conf.jail, 0, "none");
    t_end(&w, 0);
}

/* A system without namespaces, as far as a process of ours can make one. */
TEST(a_system_that_has_no_jail)
{
    static const struct { const char *want; enum fg_code code; } row[] = {
        { "auto", FG_OK }, { "yes", FG_CONFIG },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        begin(&w);
        pid_t pid = fork();
        CHECK(pid >= 0, "fork");
        if (pid == 0) {
            struct conf conf = { .media_jail = fg_str_c(row[i].want) };
            struct rlimit none = { 0, 0 };
            /* Without descriptors, processes or rights nothing can be tried. */
            setrlimit(RLIMIT_NOFILE, &none);
            _exit(child_jail_open(&w.cx, &conf) == row[i].code && conf.jail == 0 ? 0 : 1);
        }
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
        CHECK_I64(status, 0, "told, or refused");
        t_end(&w, 0);
    }
}
