/* A server on loopback, in a thread, and a fetcher that may speak to it. */
#ifndef FG_TESTS_FETCH_WORLD_H
#define FG_TESTS_FETCH_WORLD_H

#include "t.h"

#include "io/fetch.h"
#include "io/fetch_parts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"

#define PEERS_MAX 1200
#define REQUEST_MAX 2048
#define LISTENERS 2
#define CROWD 1000

struct peer {
    int fd;
    size_t n;
    char in[REQUEST_MAX + 1];
};

/* Paths: /echo answers with the request as it came, /keep with "kept", /die reads and closes, /hang
 * says nothing, /crowd answers when CROWD of them wait, /flood sends very many chunks and /headers
 * header lines, /short stops in the middle, /to/N?URL redirects with status N to URL, /retry
 * is a 429, all others 404. */
struct server {
    pthread_t thread;
    int listen_fd[LISTENERS], stop_fd[2];
    unsigned port[LISTENERS];
    atomic_uint accepted, arrived;
    unsigned peer_n, crowd_n;
    struct peer peer[PEERS_MAX];
    int crowd[CROWD];
};

static void put(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        text += sent;
        n -= (size_t)sent;
    }
}

static void answer(int fd, const char *head, struct fg_str body)
{
    char text[REQUEST_MAX * 2];
    int n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%.*s", head,
                     body.n, FG_P(body));
    put(fd, text, (size_t)n);
}

static void flood(int fd, const char *head, const char *piece, const char *end)
{
    put(fd, head, strlen(head));
    for (int i = 0; i < 4000; i++) /* the client gives up long before, and then send fails */
        put(fd, piece, strlen(piece));
    put(fd, end, strlen(end));
}

static void redirect(int fd, struct fg_str in)
{
    char head[REQUEST_MAX];
    const char *to = memchr(in.p, '?', in.n),
               *end = to ? memchr(to, ' ', in.n - (size_t)(to - in.p)) : NULL;
    if (end)
        (void)snprintf(head, sizeof head, "%.3s Look there\r\nLocation: %.*s",
                       strstr(in.p, "/to/") + 4, (int)(end - to - 1), to + 1);
    answer(fd, end ? head : "400 No target", FG_LIT("signpost"));
}

static void join_crowd(struct server *s, int fd)
{
    if (s->crowd_n < CROWD)
        s->crowd[s->crowd_n++] = fd;
    for (unsigned i = 0; s->crowd_n == CROWD && i < CROWD; i++)
        answer(s->crowd[i], "200 OK", FG_LIT("all here"));
}

/* Returns false when the connection is to be closed. */
static bool serve(struct server *s, int fd, struct fg_str in)
{
    const char *sp = memchr(in.p, ' ', in.n);
    const char *path = sp ? sp + 1 : "";
    atomic_fetch_add(&s->arrived, 1);
    if (!strncmp(path, "/echo", 5))
        answer(fd, "200 OK\r\nX-Twice:  padded \r\nx-twice: second", in);
    else if (!strncmp(path, "/keep", 5))
        answer(fd, "200 OK", FG_LIT("kept"));
    else if (!strncmp(path, "/crowd", 6))
        join_crowd(s, fd);
    else if (!strncmp(path, "/to/", 4))
        redirect(fd, in);
    else if (!strncmp(path, "/retry", 6))
        answer(fd, "100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 429 Slow down\r\nRetry-After: 7",
               FG_LIT("busy"));
    else if (!strncmp(path, "/flood", 6))
        flood(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
              "10\r\n0123456789abcdef\r\n", "0\r\n\r\n");
    else if (!strncmp(path, "/headers", 8))
        flood(fd, "HTTP/1.1 200 OK\r\n",
              "X-Pad: 0123456789012345678901234567890123456789\r\n",
              "Content-Length: 0\r\n\r\n");
    else if (!strncmp(path, "/short", 6))
        put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", 43);
    else if (strncmp(path, "/die", 4) && strncmp(path, "/hang", 5))
        answer(fd, "404 Not found", FG_LIT("nothing"));
    return strncmp(path, "/die", 4) && strncmp(path, "/flood", 6) && strncmp(path, "/headers", 8) &&
           strncmp(path, "/short", 6);
}

/* Bytes of the first whole request in the buffer, or 0. */
static size_t whole_request(const struct peer *p)
{
    const char *end = strstr(p->in, "\r\n\r\n"), *length = strstr(p->in, "Content-Length: ");
    if (!end)
        return 0;
    size_t need =
        (size_t)(end - p->in) + 4 + (length && length < end ? strtoul(length + 16, NULL, 10) : 0);
    return p->n >= need ? need : 0;
}

/* Returns false when the connection is over. */
static bool hear(struct server *s, struct peer *p)
{
    ssize_t got = recv(p->fd, p->in + p->n, REQUEST_MAX - p->n, 0);
    if (got <= 0)
        return false;
    p->n += (size_t)got;
    p->in[p->n] = '\0';
    size_t n = whole_request(p);
    if (n == 0)
        return p->n < REQUEST_MAX;
    bool stays = serve(s, p->fd, (struct fg_str){ p->in, n });
    p->n = 0;
    return stays;
}

static void *server_run(void *arg)
{
    struct server *s = arg;
    static struct pollfd p[PEERS_MAX + LISTENERS + 1];
    for (;;) {
        p[0] = (struct pollfd){ s->stop_fd[0], POLLIN, 0 };
        for (unsigned i = 0; i < LISTENERS; i++)
            p[1 + i] = (struct pollfd){ s->listen_fd[i], POLLIN, 0 };
        struct pollfd *of = p + 1 + LISTENERS;
        for (unsigned i = 0; i < s->peer_n; i++)
            of[i] = (struct pollfd){ s->peer[i].fd, POLLIN, 0 };
        if (poll(p, 1 + LISTENERS + s->peer_n, -1) < 0 || p[0].revents)
            return NULL;
        for (unsigned i = s->peer_n; i-- > 0;)
            if (of[i].revents && !hear(s, &s->peer[i])) {
                close(s->peer[i].fd);
                s->peer[i] = s->peer[--s->peer_n];
            }
        for (unsigned i = 0; i < LISTENERS; i++)
            if (p[1 + i].revents && s->peer_n < PEERS_MAX) {
                s->peer[s->peer_n] = (struct peer){ .fd = accept(s->listen_fd[i], NULL, NULL) };
                s->peer_n += s->peer[s->peer_n].fd >= 0;
                atomic_fetch_add(&s->accepted, 1);
            }
    }
}

static int listen_on(unsigned *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && listen(fd, 2048) == 0 &&
          getsockname(fd, (struct sockaddr *)&a, &n) == 0, "a listening socket");
    *port = ntohs(a.sin_port);
    return fd;
}

/* ---- a world with a server and a fetcher ---- */

struct net_world {
    struct t_world w;
    struct conf conf;
    struct server *s;
    struct fetcher *f;
    struct fetch_reply r;
};

static void begin(struct net_world *n)
{
    *n = (struct net_world){ .s = calloc(1, sizeof *n->s) };
    t_begin(&n->w);
    for (unsigned i = 0; i < LISTENERS; i++)
        n->s->listen_fd[i] = listen_on(&n->s->port[i]);
    CHECK(pipe(n->s->stop_fd) == 0 && pthread_create(&n->s->thread, NULL, server_run, n->s) == 0,
          "server");
    n->conf.fetch_local_origins = arena_fmt(n->w.cx.mem, "http://127.0.0.1:%u  http://127.0.0.1:%u",
                                            n->s->port[0], n->s->port[1]);
    CHECK_CODE(&n->w.cx, fetcher_open(&n->w.cx, &n->f, &n->conf), FG_OK);
}

static void finish(struct net_world *n)
{
    fetcher_close(n->f);
    close(n->s->stop_fd[1]);
    CHECK(pthread_join(n->s->thread, NULL) == 0, "server");
    close(n->s->stop_fd[0]);
    for (unsigned i = 0; i < LISTENERS; i++)
        close(n->s->listen_fd[i]);
    for (unsigned i = 0; i < n->s->peer_n; i++)
        close(n->s->peer[i].fd);
    free(n->s);
    t_end(&n->w, 0);
}

static struct fg_str at(struct net_world *n, unsigned listener, const char *path)
{
    return arena_fmt(n->w.cx.mem, "http://127.0.0.1:%u%s", n->s->port[listener], path);
}

static struct fetch_call get(struct net_world *n, const char *path)
{
    return fetch_call_init("GET", at(n, 0, path));
}

static const struct fetch_reply *wait_for(struct net_world *n, const struct fetch_call *call)
{
    n->r = (struct fetch_reply){ .end = FETCH_LOCAL_IO };
    fetch_wait(&n->w.cx, n->f, call, &n->r);
    return &n->r;
}

/* A reply's texts end with a NUL. */
static bool has(struct fg_str text, const char *part)
{
    return text.p && strstr(text.p, part) != NULL;
}

static bool anybody(const void *sa)
{
    return sa != NULL;
}

static bool nobody(const void *sa)
{
    return sa == NULL;
}

#endif
