#include "fakes/provider.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "fakes/comfy.h"

#define PEERS_MAX 64
#define REQUEST_MAX 16384
#define SCRIPT_MAX 32
#define BOOKS_MAX 8192
#define KEY_MAX 64

struct peer {
    int fd;
    size_t n;
    bool held;
    char *answer; /* of a held one */
    size_t answer_n;
    char in[REQUEST_MAX + 1];
};

struct script {
    struct fake_reply reply[SCRIPT_MAX];
    unsigned n, at;
};

struct fake_provider {
    pthread_t thread;
    pthread_mutex_t lock; /* of all below, but for peers: those are the thread's own */
    int listen_fd, control[2];
    unsigned port;
    struct fg_str file;
    struct script script[FAKE_ROUTE_N];
    unsigned count[FAKE_ROUTE_N], held, bills;
    char submit_key[BOOKS_MAX][KEY_MAX];
    struct {
        char key[KEY_MAX];
    } video[BOOKS_MAX];
    unsigned peer_n;
    struct peer peer[PEERS_MAX];
    struct comfy comfy;
    size_t heard_n;
    char heard[REQUEST_MAX];
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

static bool ends_in(struct fg_str s, const char *end)
{
    size_t n = strlen(end);
    return s.n >= n && !memcmp(s.p + s.n - n, end, n);
}

static enum fake_route route_of(const char *in)
{
    const char *path = strchr(in, ' ');
    FG_ASSERT(path);
    struct fg_str p = { path + 1, strcspn(path + 1, " ?") };
    if (fg_starts(p, FG_LIT("/comfy/")))
        return FAKE_COMFY;
    if (!strncmp(in, "DELETE ", 7) || ends_in(p, "/cancel"))
        return FAKE_CANCEL;
    if (!strncmp(in, "POST ", 5))
        return FAKE_SUBMIT;
    return ends_in(p, "/videos") ? FAKE_LIST : ends_in(p, "/content") ? FAKE_CONTENT : FAKE_POLL;
}

static void key_of(const char *in, char out[KEY_MAX])
{
    const char *p = strstr(in, "\r\nIdempotency-Key: "), *end = p ? strstr(p + 2, "\r\n") : NULL;
    (void)snprintf(out, KEY_MAX, "%.*s", end ? (int)(end - p - 19) : 0, p ? p + 19 : "");
}

/* The number of the video that this submit stands for. */
static unsigned take(struct fake_provider *f, const char *key)
{
    for (unsigned i = 0; i < f->bills && key[0]; i++)
        if (!strcmp(f->video[i].key, key))
            return i;
    FG_ASSERT(f->bills < BOOKS_MAX);
    memcpy(f->video[f->bills].key, key, KEY_MAX);
    return f->bills++;
}

/* The next line of the route's script; the last one stays. */
static struct fake_reply next_reply(struct script *s)
{
    if (s->n == 0)
        return (struct fake_reply){ .way = FAKE_DEFAULT };
    return s->reply[s->at + 1 < s->n ? s->at++ : s->at];
}

static struct fg_str default_body(struct fake_provider *f, enum fake_route route, const char *in, unsigned video,
                                  char *buf, size_t max)
{
    int n = 0;
    switch (route) {
    case FAKE_CONTENT:
        return f->file;
    case FAKE_COMFY:
        return comfy_answer(&f->comfy, in, f->file, buf, max);
    case FAKE_SUBMIT:
        n = snprintf(buf, max, "{\"id\":\"video_%u\",\"object\":\"video\",\"status\":\"queued\"}", video);
        break;
    case FAKE_POLL:
        n = snprintf(buf, max, "{\"object\":\"video\",\"status\":\"completed\",\"progress\":100}");
        break;
    case FAKE_LIST:
        n = snprintf(buf, max, "{\"object\":\"list\",\"data\":[],\"has_more\":false}");
        break;
    case FAKE_CANCEL:
        n = snprintf(buf, max, "{}");
        break;
    }
    return (struct fg_str){ buf, (size_t)n };
}

/* Whole answers of our own making: head and body in one piece of memory. */
static char *compose(const struct fake_reply *r, struct fg_str body, size_t *n)
{
    size_t max = body.n + 1024;
    char *p = malloc(max);
    FG_ASSERT(p);
    int head = snprintf(p, max, "HTTP/1.1 %d Said\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n",
                        r->status ? r->status : 200, r->head ? r->head : "", body.n);
    FG_ASSERT(head > 0 && (size_t)head + body.n < max);
    if (body.n)
        memcpy(p + head, body.p, body.n);
    *n = (size_t)head + body.n - r->cut;
    return p;
}

/* Returns false when the connection is over. */
static bool serve(struct fake_provider *f, struct peer *p)
{
    enum fake_route route = route_of(p->in);
    char key[KEY_MAX] = "", buf[512];
    unsigned video = 0;
    (void)pthread_mutex_lock(&f->lock);
    struct fake_reply r = next_reply(&f->script[route]);
    if (route == FAKE_SUBMIT || !strncmp(p->in, "POST /comfy/upload/", 19)) {
        memcpy(f->heard, p->in, p->n);
        f->heard_n = p->n;
    }
    if (route == FAKE_SUBMIT) {
        FG_ASSERT(f->count[route] < BOOKS_MAX);
        key_of(p->in, key);
        memcpy(f->submit_key[f->count[route]], key, KEY_MAX);
        if (r.way == FAKE_DEFAULT || r.way == FAKE_TAKE_LOSE)
            video = take(f, key);
    }
    f->count[route]++;
    f->held += r.hold;
    struct fg_str body = r.way == FAKE_ANSWER ? r.body : default_body(f, route, p->in, video, buf, sizeof buf);
    if (r.way == FAKE_DEFAULT || r.way == FAKE_ANSWER)
        p->answer = compose(&r, body, &p->answer_n);
    (void)pthread_mutex_unlock(&f->lock);
    p->held = r.hold;
    if (p->answer && !p->held)
        send_all(p->fd, p->answer, p->answer_n);
    return p->held || r.stall;
}

static bool is_whole(const struct peer *p)
{
    const char *end = strstr(p->in, "\r\n\r\n"), *length = strstr(p->in, "Content-Length: ");
    if (!end)
        return false;
    size_t body = length && length < end ? strtoul(length + 16, NULL, 10) : 0;
    return p->n >= (size_t)(end - p->in) + 4 + body;
}

static bool hear(struct fake_provider *f, struct peer *p)
{
    ssize_t got = recv(p->fd, p->in + p->n, REQUEST_MAX - p->n, 0);
    if (got <= 0)
        return false;
    p->n += (size_t)got;
    p->in[p->n] = '\0';
    return is_whole(p) ? serve(f, p) : p->n < REQUEST_MAX;
}

static void drop(struct fake_provider *f, unsigned i)
{
    close(f->peer[i].fd);
    free(f->peer[i].answer);
    if (f->peer[i].held) {
        (void)pthread_mutex_lock(&f->lock);
        f->held--;
        (void)pthread_mutex_unlock(&f->lock);
    }
    f->peer[i] = f->peer[--f->peer_n];
}

/* Returns false when it is time to go. */
static bool obey(struct fake_provider *f)
{
    char c;
    if (read(f->control[0], &c, 1) != 1 || c == 'q')
        return false;
    for (unsigned i = f->peer_n; i-- > 0;)
        if (f->peer[i].held) {
            if (f->peer[i].answer)
                send_all(f->peer[i].fd, f->peer[i].answer, f->peer[i].answer_n);
            drop(f, i);
        }
    return true;
}

static void *run(void *arg)
{
    struct fake_provider *f = arg;
    struct pollfd p[PEERS_MAX + 2];
    for (;;) {
        p[0] = (struct pollfd){ f->control[0], POLLIN, 0 };
        p[1] = (struct pollfd){ f->listen_fd, POLLIN, 0 };
        for (unsigned i = 0; i < f->peer_n; i++)
            p[2 + i] = (struct pollfd){ f->peer[i].fd, POLLIN, 0 };
        if (poll(p, 2 + f->peer_n, -1) < 0)
            return NULL;
        for (unsigned i = f->peer_n; i-- > 0;)
            if (p[2 + i].revents && !hear(f, &f->peer[i]))
                drop(f, i);
        if (p[1].revents && f->peer_n < PEERS_MAX) {
            f->peer[f->peer_n] = (struct peer){ .fd = accept(f->listen_fd, NULL, NULL) };
            f->peer_n += f->peer[f->peer_n].fd >= 0;
        }
        if (p[0].revents && !obey(f))
            return NULL;
    }
}

struct fake_provider *fake_new(struct fg_str file)
{
    struct fake_provider *f = calloc(1, sizeof *f);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    FG_ASSERT(f);
    f->file = file;
    f->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FG_ASSERT(bind(f->listen_fd, (struct sockaddr *)&a, n) == 0 && listen(f->listen_fd, 64) == 0 &&
              getsockname(f->listen_fd, (struct sockaddr *)&a, &n) == 0);
    f->port = ntohs(a.sin_port);
    FG_ASSERT(pthread_mutex_init(&f->lock, NULL) == 0 && pipe(f->control) == 0 &&
              pthread_create(&f->thread, NULL, run, f) == 0);
    return f;
}

static void command(struct fake_provider *f, char c)
{
    FG_ASSERT(write(f->control[1], &c, 1) == 1);
}

void fake_free(struct fake_provider *f)
{
    command(f, 'q');
    FG_ASSERT(pthread_join(f->thread, NULL) == 0);
    while (f->peer_n)
        drop(f, 0);
    for (unsigned i = 0; i < FAKE_ROUTE_N; i++)
        fake_unsay(f, (enum fake_route)i);
    close(f->listen_fd);
    close(f->control[0]);
    close(f->control[1]);
    free(f);
}

unsigned fake_port(const struct fake_provider *f)
{
    return f->port;
}

static struct fg_str copy(struct fg_str s)
{
    char *p = malloc(s.n + 1);
    FG_ASSERT(p);
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct fg_str){ p, s.n };
}

void fake_say(struct fake_provider *f, enum fake_route route, const struct fake_reply *r)
{
    (void)pthread_mutex_lock(&f->lock);
    struct script *s = &f->script[route];
    FG_ASSERT(s->n < SCRIPT_MAX);
    s->reply[s->n] = *r;
    s->reply[s->n++].body = copy(r->body);
    (void)pthread_mutex_unlock(&f->lock);
}

void fake_unsay(struct fake_provider *f, enum fake_route route)
{
    (void)pthread_mutex_lock(&f->lock);
    struct script *s = &f->script[route];
    for (unsigned i = 0; i < s->n; i++)
        free((void *)(uintptr_t)s->reply[i].body.p);
    *s = (struct script){ .n = 0 };
    (void)pthread_mutex_unlock(&f->lock);
}

void fake_release(struct fake_provider *f)
{
    command(f, 'r');
}

static unsigned look(struct fake_provider *f, const unsigned *at)
{
    (void)pthread_mutex_lock(&f->lock);
    unsigned n = *at;
    (void)pthread_mutex_unlock(&f->lock);
    return n;
}

unsigned fake_count(struct fake_provider *f, enum fake_route route)
{
    return look(f, &f->count[route]);
}

unsigned fake_held(struct fake_provider *f)
{
    return look(f, &f->held);
}

void fake_stuck(struct fake_provider *f, bool stuck)
{
    (void)pthread_mutex_lock(&f->lock);
    f->comfy.stuck = stuck;
    (void)pthread_mutex_unlock(&f->lock);
}

unsigned fake_bills(struct fake_provider *f)
{
    return look(f, &f->bills) + look(f, &f->comfy.n);
}

const char *fake_key(struct fake_provider *f, unsigned i)
{
    FG_ASSERT(i < fake_count(f, FAKE_SUBMIT));
    return f->submit_key[i];
}

struct fg_str fake_heard(struct fg_ctx *cx, struct fake_provider *f)
{
    (void)pthread_mutex_lock(&f->lock);
    struct fg_str heard = arena_str(cx->mem, (struct fg_str){ f->heard, f->heard_n });
    (void)pthread_mutex_unlock(&f->lock);
    return heard;
}
