#include "fakes/moderator.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX (4 * 1024 * 1024)

struct moderator {
    pthread_t thread;
    pthread_mutex_t lock;
    int listen_fd;
    char origin[64];
    enum moderator_way way;
    int picture_score;
    unsigned texts, images, to_fail;
    char in[REQUEST_MAX];
};

static void answer(int fd, int status, const char *body)
{
    char text[1024];
    int n = snprintf(text, sizeof text, "HTTP/1.1 %d Said\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n%s", status, strlen(body), body);
    ssize_t sent = send(fd, text, (size_t)n, MSG_NOSIGNAL);
    (void)sent;
}

/* False: it went away before it had said all. */
static bool read_request(struct moderator *m, int fd)
{
    size_t n = 0;
    for (;;) {
        ssize_t got = recv(fd, m->in + n, sizeof m->in - 1 - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        m->in[n] = '\0';
        const char *end = strstr(m->in, "\r\n\r\n"), *length = strstr(m->in, "Content-Length: ");
        if (end && length && n >= (size_t)(end - m->in) + 4 + strtoul(length + 16, NULL, 10))
            return true;
    }
}

static void judge(struct moderator *m, int fd)
{
    char body[512];
    bool picture = strstr(m->in, "data:image/") != NULL;
    (void)pthread_mutex_lock(&m->lock);
    enum moderator_way way = m->to_fail ? MODERATOR_FAILS : m->way;
    m->to_fail -= m->to_fail > 0;
    int score = picture ? m->picture_score : strstr(m->in, "blockme") ? 95 : strstr(m->in, "lookme") ? 60 : 1;
    unsigned n = m->texts + m->images;
    if (picture)
        m->images++;
    else
        m->texts++;
    (void)pthread_mutex_unlock(&m->lock);
    (void)snprintf(body, sizeof body, "{\"id\":\"modr-%u\",\"model\":\"m\",\"results\":[{\"flagged\":%s,\"categories\":"
                   "{\"violence\":%s},\"category_scores\":{\"violence\":0.%02d}}]}", n, score >= 90 ? "true" : "false",
                   score >= 90 ? "true" : "false", score);
    if (way == MODERATOR_ANSWERS)
        answer(fd, 200, body);
    else if (way == MODERATOR_BABBLES)
        answer(fd, 200, "{\"results\":[]}");
    else if (way != MODERATOR_HANGS_UP)
        answer(fd, way == MODERATOR_FAILS ? 503 : 401, "{\"error\":{\"message\":\"no\"}}");
}

static void *run(void *arg)
{
    struct moderator *m = arg;
    for (int fd; (fd = accept(m->listen_fd, NULL, NULL)) >= 0; close(fd))
        if (read_request(m, fd))
            judge(m, fd);
    return NULL;
}

struct moderator *moderator_new(void)
{
    struct moderator *m = calloc(1, sizeof *m);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    FG_ASSERT(m);
    m->picture_score = 1;
    m->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FG_ASSERT(bind(m->listen_fd, (struct sockaddr *)&a, n) == 0 && listen(m->listen_fd, 64) == 0 &&
              getsockname(m->listen_fd, (struct sockaddr *)&a, &n) == 0);
    (void)snprintf(m->origin, sizeof m->origin, "http://127.0.0.1:%u", ntohs(a.sin_port));
    FG_ASSERT(pthread_mutex_init(&m->lock, NULL) == 0 && pthread_create(&m->thread, NULL, run, m) == 0);
    return m;
}

void moderator_free(struct moderator *m)
{
    (void)shutdown(m->listen_fd, SHUT_RDWR); /* its accept ends */
    FG_ASSERT(pthread_join(m->thread, NULL) == 0);
    close(m->listen_fd);
    free(m);
}

const char *moderator_origin(const struct moderator *m)
{
    return m->origin;
}

void moderator_say(struct moderator *m, enum moderator_way way)
{
    (void)pthread_mutex_lock(&m->lock);
    m->way = way;
    (void)pthread_mutex_unlock(&m->lock);
}

void moderator_fail_next(struct moderator *m, unsigned n)
{
    (void)pthread_mutex_lock(&m->lock);
    m->to_fail = n;
    (void)pthread_mutex_unlock(&m->lock);
}

void moderator_pictures(struct moderator *m, int score)
{
    (void)pthread_mutex_lock(&m->lock);
    m->picture_score = score;
    (void)pthread_mutex_unlock(&m->lock);
}

static unsigned number(struct moderator *m, const unsigned *n)
{
    (void)pthread_mutex_lock(&m->lock);
    unsigned v = *n;
    (void)pthread_mutex_unlock(&m->lock);
    return v;
}

unsigned moderator_texts(struct moderator *m)
{
    return number(m, &m->texts);
}

unsigned moderator_images(struct moderator *m)
{
    return number(m, &m->images);
}
