#include "store/db_server.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define AWAIT_US (60 * FG_US_PER_S)

static char dir[64];
static pid_t server;

/* The program is BUILD/tests/store/NAME. */
static void build_folder(char *out, size_t max)
{
    ssize_t n = readlink("/proc/self/exe", out, max - 1);
    FG_ASSERT(n > 0);
    out[n] = '\0';
    for (int i = 0; i < 3; i++)
        *strrchr(out, '/') = '\0';
}

static void call(const char *const *argv)
{
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    (void)waitpid(child, NULL, 0);
}

static void clean_up(void)
{
    db_server_kill();
    call((const char *const[]){ "rm", "-rf", dir, NULL });
}

/* Every test makes its own tables: in memory that costs half, where there is plenty of it. */
static bool is_roomy(const char *folder)
{
    struct statvfs fs;
    return statvfs(folder, &fs) == 0 && access(folder, W_OK | X_OK) == 0 && fs.f_bavail * fs.f_frsize >= UINT64_C(8) << 30;
}

const char *db_server_dir(void)
{
    if (dir[0])
        return dir;
    (void)snprintf(dir, sizeof dir, "%s/fgdb.XXXXXX", is_roomy("/dev/shm") ? "/dev/shm" : "/tmp");
    FG_ASSERT(mkdtemp(dir));
    FG_ASSERT(atexit(clean_up) == 0);
    return dir;
}

void db_server_await(bool (*is_so)(void *arg), void *arg, const char *why)
{
    const struct fg_env *real = env_real();
    int64_t end_us = real->mono_us(real->self) + AWAIT_US;
    while (!is_so(arg)) {
        CHECK(real->mono_us(real->self) < end_us, why);
        (void)nanosleep(&(struct timespec){ .tv_nsec = 5 * 1000 * 1000 }, NULL);
    }
}

/* Its log goes with the folder: whoever wants to know why it ended reads it here. The next test has a new one. */
static void check_alive(void)
{
    char log[128];
    if (waitpid(server, NULL, WNOHANG) == 0)
        return;
    server = 0;
    (void)snprintf(log, sizeof log, "%s/log.err", dir);
    call((const char *const[]){ "tail", "-n", "60", log, NULL });
    CHECK(server, "mariadbd ended: its log is above");
}

static bool answers(void *arg)
{
    struct t_world w;
    struct conf conf;
    struct db *db;
    (void)arg;
    check_alive();
    db_server_begin(&w, &conf);
    enum fg_code rc = db_open(&w.cx, &db, &conf, DB_NONE);
    db_close(db);
    arena_free(w.cx.mem);
    return rc == FG_OK;
}

void db_server_start(void)
{
    if (server) {
        check_alive();
        return;
    }
    char build[512];
    const char *at = db_server_dir();
    build_folder(build, sizeof build);
    pid_t parent = getpid();
    server = fork();
    FG_ASSERT(server >= 0);
    if (server == 0) {
        /* However the test ends, the server does not outlive it. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            (void)execl("/bin/sh", "sh", "tests/store/mariadb.sh", "run", build, at, (char *)NULL);
        _exit(127);
    }
    db_server_await(answers, NULL, "the server answers");
}

void db_server_kill(void)
{
    if (!server)
        return;
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    server = 0;
}

void db_server_hang(bool hangs)
{
    int status;
    FG_ASSERT(server && kill(server, hangs ? SIGSTOP : SIGCONT) == 0);
    if (hangs) /* one of its threads may still have answered */
        FG_ASSERT(waitpid(server, &status, WUNTRACED) == server && WIFSTOPPED(status));
}

void db_server_begin(struct t_world *w, struct conf *conf)
{
    static unsigned n;
    t_begin(w);
    w->env.mono_us = env_real()->mono_us;
    *conf = (struct conf){ .provider_n = 0 };
#define T(section, key, def, secrecy, words) conf->section##_##key = fg_str_c(def);
#define I(section, key, def, min, max, words) conf->section##_##key = (def);
#define W(section, key, def, choices, words) conf->section##_##key = fg_str_c(def);
#include "base/conf.def"
#undef T
#undef I
#undef W
    conf->db_socket = arena_fmt(w->cx.mem, "%s/s", db_server_dir());
    conf->db_user = FG_LIT("root");
    conf->db_name = arena_fmt(w->cx.mem, "t%u", n++);
    conf->limits_duplicate_window_s = 0; /* most tests create the same job again and again */
}
