#include "fakes/receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEERS_MAX 64
#define HEARD_MAX 512
#define PATHS_MAX 16

struct manner {
    char path[32], head[256];
    int status;
    const char *body;
};

struct peer {
    int fd;
    size_t n;
    bool held;
    char in[RECEIVER_TEXT_MAX];
};

struct receiver {
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows control; peers are the thread's own */
    int listen_fd, control[2];
    char origin[64];
    struct manner manner[PATHS_MAX];
    unsigned manner_n, heard_n, held;
    struct heard heard[HEARD_MAX];
    unsigned peer_n;
    struct peer peer[PEERS_MAX];
};

static void send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        p += sent;
        n -= (size_t)sent;
    }
}

static void header(const char *in, const char *name, char *out, size_t max)
{
    char start[64];
    out[0] = '\0';
    (void)snprintf(start, sizeof start, "\r\n%s: ", name);
    const char *p = strstr(in, start), *end = p ? strstr(p + 2, "\r\n") : NULL;
    if (end && !strstr(end, start))
        (void)snprintf(out, max, "%.*s", (int)(end - p - (ptrdiff_t)strlen(start)), p + strlen(start));
}

static void keep(struct receiver *r, const struct peer *p)
{
    FG_ASSERT(r->heard_n < HEARD_MAX);
    struct heard *h = &r->heard[r->heard_n++];
    const char *path = strchr(p->in, ' '), *end = path ? strchr(path + 1, ' ') : NULL, *body = strstr(p->in, "\r\n\r\n");
    FG_ASSERT(end && body && !strncmp(p->in, "POST ", 5));
    (void)snprintf(h->path, sizeof h->path, "%.*s", (int)(end - path - 1), path + 1);
    (void)snprintf(h->body, sizeof h->body, "%s", body + 4);
    header(p->in, "Content-Type", h->type, sizeof h->type);
    header(p->in, "webhook-id", h->id, sizeof h->id);
    header(p->in, "webhook-timestamp", h->timestamp, sizeof h->timestamp);
    header(p->in, "webhook-signature", h->signature, sizeof h->signature);
}

/* A 204 has no length. */
static void answer(int fd, int status, const char *head, const char *body)
{
    char text[1024];
    int n = snprintf(text, sizeof text, "HTTP/1.1 %d Said\r\n%s%sContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
                     head, status == 204 ? "X-" : "", strlen(body));
    send_all(fd, text, (size_t)n);
    send_all(fd, body, strlen(body));
}

/* Returns false when the connection is over. */
static bool serve(struct receiver *r, struct peer *p)
{
    struct manner as = { .status = 204, .body = "" };
    (void)pthread_mutex_lock(&r->lock);
    keep(r, p);
    for (unsigned i = 0; i < r->manner_n; i++)
        if (!strcmp(r->manner[i].path, r->heard[r->heard_n - 1].path))
            as = r->manner[i];
    p->held = as.status == 0;
    r->held += p->held;
    (void)pthread_mutex_unlock(&r->lock);
    if (!p->held)
        answer(p->fd, as.status, as.head, as.body);
    return p->held;
}

static bool is_whole(const struct peer *p)
{
    const char *end = strstr(p->in, "\r\n\r\n"), *length = strstr(p->in, "Content-Length: ");
    if (!end)
        return false;
    size_t body = length && length < end ? strtoul(length + 16, NULL, 10) : 0;
    return p->n >= (size_t)(end - p->in) + 4 + body;
}

static bool hear(struct receiver *r, struct peer *p)
{
    ssize_t got = recv(p->fd, p->in + p->n, sizeof p->in - 1 - p->n, 0);
    if (got <= 0)
        return false;
    p->n += (size_t)got;
    p->in[p->n] = '\0';
    return is_whole(p) ? serve(r, p) : p->n < sizeof p->in - 1;
}

static void drop(struct receiver *r, unsigned i)
{
    close(r->peer[i].fd);
    (void)pthread_mutex_lock(&r->lock);
    r->held -= r->peer[i].held;
    (void)pthread_mutex_unlock(&r->lock);
    r->peer[i] = r->peer[--r->peer_n];
}

/* Returns false when it is time to go. */
static bool obey(struct receiver *r)
{
    char c;
    if (read(r->control[0], &c, 1) != 1 || c == 'q')
        return false;
    for (unsigned i = r->peer_n; i-- > 0;)
        if (r->peer[i].held) {
            answer(r->peer[i].fd, 204, "", "");
            drop(r, i);
        }
    return true;
}

static void *run(void *arg)
{
    struct receiver *r = arg;
    struct pollfd p[PEERS_MAX + 2];
    for (;;) {
        p[0] = (struct pollfd){ r->control[0], POLLIN, 0 };
        p[1] = (struct pollfd){ r->listen_fd, POLLIN, 0 };
        for (unsigned i = 0; i < r->peer_n; i++)
            p[2 + i] = (struct pollfd){ r->peer[i].fd, POLLIN, 0 };
        if (poll(p, 2 + r->peer_n, -1) < 0)
            return NULL;
        for (unsigned i = r->peer_n; i-- > 0;)
            if (p[2 + i].revents && !hear(r, &r->peer[i]))
                drop(r, i);
        if (p[1].revents && r->peer_n < PEERS_MAX) {
            r->peer[r->peer_n] = (struct peer){ .fd = accept(r->listen_fd, NULL, NULL) };
            r->peer_n += r->peer[r->peer_n].fd >= 0;
        }
        if (p[0].revents && !obey(r))
            return NULL;
    }
}

struct receiver *receiver_new(void)
{
    struct receiver *r = calloc(1, sizeof *r);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    FG_ASSERT(r);
    r->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FG_ASSERT(bind(r->listen_fd, (struct sockaddr *)&a, n) == 0 && listen(r->listen_fd, 64) == 0 &&
              getsockname(r->listen_fd, (struct sockaddr *)&a, &n) == 0);
    (void)snprintf(r->origin, sizeof r->origin, "http://127.0.0.1:%u", ntohs(a.sin_port));
    FG_ASSERT(pthread_mutex_init(&r->lock, NULL) == 0 && pipe(r->control) == 0 &&
              pthread_create(&r->thread, NULL, run, r) == 0);
    return r;
}

void receiver_free(struct receiver *r)
{
    FG_ASSERT(write(r->control[1], "q", 1) == 1 && pthread_join(r->thread, NULL) == 0);
    while (r->peer_n)
        drop(r, 0);
    close(r->listen_fd);
    close(r->control[0]);
    close(r->control[1]);
    free(r);
}

const char *receiver_origin(const struct receiver *r)
{
    return r->origin;
}

void receiver_say(struct receiver *r, const char *path, int status, const char *head, const char *body)
{
    (void)pthread_mutex_lock(&r->lock);
    unsigned i = 0;
    while (i < r->manner_n && strcmp(r->manner[i].path, path))
        i++;
    FG_ASSERT(i < PATHS_MAX);
    if (i == r->manner_n)
        r->manner_n++;
    r->manner[i] = (struct manner){ .status = status, .body = body };
    (void)snprintf(r->manner[i].path, sizeof r->manner[i].path, "%s", path);
    (void)snprintf(r->manner[i].head, sizeof r->manner[i].head, "%s", head);
    (void)pthread_mutex_unlock(&r->lock);
}

void receiver_release(struct receiver *r)
{
    FG_ASSERT(write(r->control[1], "r", 1) == 1);
}

void receiver_forget(struct receiver *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->heard_n = 0;
    (void)pthread_mutex_unlock(&r->lock);
}

unsigned receiver_n(struct receiver *r, const char *path)
{
    unsigned n = 0;
    (void)pthread_mutex_lock(&r->lock);
    for (unsigned i = 0; i < r->heard_n; i++)
        n += !path || !strcmp(r->heard[i].path, path);
    (void)pthread_mutex_unlock(&r->lock);
    return n;
}

struct heard receiver_get(struct receiver *r, const char *path, unsigned i)
{
    struct heard h = { .path = "" };
    bool found = false;
    (void)pthread_mutex_lock(&r->lock);
    for (unsigned k = 0; k < r->heard_n && !found; k++)
        if ((!path || !strcmp(r->heard[k].path, path)) && i-- == 0) {
            h = r->heard[k];
            found = true;
        }
    (void)pthread_mutex_unlock(&r->lock);
    FG_ASSERT(found);
    return h;
}

unsigned receiver_held(struct receiver *r)
{
    (void)pthread_mutex_lock(&r->lock);
    unsigned n = r->held;
    (void)pthread_mutex_unlock(&r->lock);
    return n;
}
