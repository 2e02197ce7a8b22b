#include "store/db_proxy.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ctx.h"

#define COM_QUERY 0x03
#define COM_STMT_EXECUTE 0x17
#define HEADER 4

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    FG_ASSERT(strlen(path) < sizeof a.sun_path);
    memcpy(a.sun_path, path, strlen(path));
    return a;
}

/* Commands of our tests are small and come in one read: a packet is its header and the command's byte. */
static bool is_commit(const unsigned char *p, size_t n)
{
    return n == HEADER + 7 && p[HEADER] == COM_QUERY && memcmp(p + HEADER + 1, "COMMIT", 6) == 0;
}

static bool is_execute(const unsigned char *p, size_t n)
{
    return n > HEADER && p[HEADER] == COM_STMT_EXECUTE;
}

static bool pass(int from, int to, unsigned char *buf, size_t max)
{
    ssize_t n = read(from, buf, max);
    return n > 0 && write(to, buf, (size_t)n) == n;
}

/* As over TCP: the client may still write, and learns only by reading that nobody listens. */
static void hang_up(int client, volatile int *trick)
{
    char byte;
    (void)shutdown(client, SHUT_WR);
    *trick = PROXY_HUNG_UP;
    while (read(client, &byte, 1) > 0)
        ;
}

/* Until one side hangs up or the trick is played. */
static void relay(int client, int server, volatile int *trick, volatile int *skip)
{
    static unsigned char buf[65536];
    for (;;) {
        struct pollfd fd[] = { { client, POLLIN, 0 }, { server, POLLIN, 0 } };
        if (poll(fd, 2, -1) < 0)
            return;
        if (fd[1].revents && !pass(server, client, buf, sizeof buf)) {
            hang_up(client, trick);
            return;
        }
        if (!fd[0].revents)
            continue;
        ssize_t n = read(client, buf, sizeof buf);
        if (n <= 0)
            return;
        int now = *trick;
        bool hit = now == PROXY_LOSE_COMMIT || now == PROXY_LOSE_COMMIT_ANSWER ? is_commit(buf, (size_t)n)
                   : now != PROXY_PASS && now != PROXY_HUNG_UP && is_execute(buf, (size_t)n);
        if (hit && *skip > 0) {
            --*skip;
            hit = false;
        }
        if (hit && (now == PROXY_LOSE_COMMIT || now == PROXY_LOSE_EXECUTE)) {
            *trick = PROXY_PASS;
            return;
        }
        if (write(server, buf, (size_t)n) != n)
            return;
        if (hit) {
            (void)!read(server, buf, sizeof buf); /* it has happened; nobody hears of it */
            *trick = PROXY_PASS;
            return;
        }
    }
}

static _Noreturn void serve(int listener, const char *server_socket, volatile int *trick, volatile int *skip)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un a = address(server_socket);
        if (connect(server, (const struct sockaddr *)&a, sizeof a) == 0)
            relay(client, server, trick, skip);
        close(client);
        close(server);
    }
}

void db_proxy_start(struct db_proxy *p, const char *dir, const char *server_socket)
{
    (void)snprintf(p->path, sizeof p->path, "%s/proxy", dir);
    (void)unlink(p->path);
    p->trick = mmap(NULL, 2 * sizeof *p->trick, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FG_ASSERT((volatile void *)p->trick != MAP_FAILED);
    p->skip = p->trick + 1;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un a = address(p->path);
    FG_ASSERT(bind(listener, (const struct sockaddr *)&a, sizeof a) == 0 && listen(listener, 8) == 0);
    p->pid = fork();
    FG_ASSERT(p->pid >= 0);
    if (p->pid == 0) {
        (void)signal(SIGPIPE, SIG_IGN);
        serve(listener, server_socket, p->trick, p->skip);
    }
    close(listener);
}

void db_proxy_stop(struct db_proxy *p)
{
    (void)kill(p->pid, SIGKILL);
    (void)waitpid(p->pid, NULL, 0);
}
