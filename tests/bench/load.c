/* Asks over kept HTTP connections as fast as answers come, one request at a time on each, and says
 * how that went.
 *
 *   load PORT CONNECTIONS SECONDS STATUS [BODY] <requests
 *   load PORT CONNECTIONS learn <requests             each once; prints the requests again, with
 * ETags
 *   load PORT CONNECTIONS SECONDS STATUS @RATE SECRET <webhooks
 *
 * With a rate each request is due at its time, whether or not the answers keep up, and its latency
 * counts from then: a webhook is a line "PATH BODY", sent as an event of its own that is signed with
 * SECRET (Standard Webhooks).
 * A request is a line "METHOD PATH KEY [ETAG]". With BODY each has it, as JSON; a row of 16 # in it is a number of its
 * own in each, so that none repeats another. Prints requests,
 * perSecond, p50Ms, p99Ms, maxMs, least (answers on the connection that got the fewest) and errors:
 * other statuses than STATUS, broken connections, and answers that did not come. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/sb.h"
#include "base/scan.h"
#include "io/hash.h"

#define REQUESTS_MAX 100000
#define CONNECTIONS_MAX 1024
#define LINE_BYTES 512
#define REQUEST_BYTES 2048
#define HEAD_BYTES 4096
#define PIECE_BYTES (64 * 1024)
#define EVENTS 256
#define GIVE_UP_US (10 * FG_US_PER_S) /* no answer takes longer, or it is an error */
#define SAMPLES_MAX (4 * 1024 * 1024)
#define VARIES "################"
#define VARIES_N (sizeof VARIES - 1)

struct request {
    struct fg_str text, line;
    char *varies; /* in the text; NULL: nothing does */
};

struct conn {
    int fd;
    size_t request; /* in hand */
    char head[HEAD_BYTES];
    size_t head_n;
    bool in_body;
    int64_t body_left;
    int64_t began_us; /* 0: nothing in hand */
    uint64_t done;
};

struct load {
    struct fg_ctx cx;
    uint64_t port, conn_n, seconds, status;
    bool learn;
    uint64_t rate;        /* 0: as fast as answers come */
    struct fg_str secret; /* with a rate */
    struct fg_str body;
    struct request *request;
    size_t request_n, next;
    struct conn *conn;
    int epoll_fd, timer_fd;
    int64_t start_us, end_us;
    uint64_t pending, errors, in_time;
    uint32_t *sample; /* microseconds */
    size_t sample_n;
};

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct fg_str request_text(struct load *l, struct fg_str line)
{
    struct fg_str method = FG_NONE, path = FG_NONE, key = FG_NONE;
    if (!scan_until(&line, ' ', &method) || !scan_until(&line, ' ', &path) ||
        !scan_until(&line, ' ', &key))
        return FG_NONE;
    struct sb b = sb_in(l->cx.mem, REQUEST_BYTES);
    sb_addf(&b, "%.*s %.*s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer %.*s\r\n",
            FG_P(method), FG_P(path), (unsigned)l->port, FG_P(key));
    if (line.n)
        sb_addf(&b, "If-None-Match: %.*s\r\n", FG_P(line));
    if (l->body.p)
        sb_addf(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n", l->body.n);
    sb_addf(&b, "\r\n%.*s", FG_P(l->body));
    return b.bad ? FG_NONE : sb_str(&b);
}

static struct fg_str webhook_text(struct load *l, struct fg_str line)
{
    struct fg_str path, signature;
    int64_t at_s = l->cx.now_us / FG_US_PER_S;
    struct fg_str id = arena_fmt(l->cx.mem, "evt_%ld_%zu", (long)getpid(), l->request_n);
    if (!scan_until(&line, ' ', &path) ||
        webhook_sign(&l->cx, l->secret, id, at_s, line, &signature) != FG_OK)
        return FG_NONE;
    return arena_fmt(l->cx.mem,
                     "POST %.*s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json\r\n"
                     "webhook-id: %.*s\r\nwebhook-timestamp: %lld\r\nwebhook-signature: %.*s\r\n"
                     "Content-Length: %zu\r\n\r\n%.*s",
                     FG_P(path), (unsigned)l->port, FG_P(id), (long long)at_s, FG_P(signature), line.n,
                     FG_P(line));
}

static void read_requests(struct load *l)
{
    char line[LINE_BYTES];
    l->request = arena_array(l->cx.mem, struct request, REQUESTS_MAX);
    while (l->request_n < REQUESTS_MAX && fgets(line, sizeof line, stdin)) {
        struct request *r = &l->request[l->request_n];
        r->line = arena_str(l->cx.mem, (struct fg_str){ line, strcspn(line, "\n") });
        r->text = l->rate ? webhook_text(l, r->line) : request_text(l, r->line);
        r->varies = r->text.p ? memmem(r->text.p, r->text.n, VARIES, VARIES_N) : NULL;
        l->request_n += r->text.p != NULL;
    }
}

static void open_conn(struct load *l, struct conn *c)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)l->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, c->fd, &ev) != 0)
        die("epoll_ctl");
}

static void broken(struct load *l, struct conn *c)
{
    bool asked = c->began_us != 0; /* one that never was is hung up on after a while, rightly */
    l->errors += asked;
    l->pending -= asked;
    close(c->fd);
    *c = (struct conn){ .done = c->done };
    open_conn(l, c);
}

static bool more_to_ask(const struct load *l, int64_t now_us)
{
    return l->learn  ? l->next < l->request_n
           : l->rate ? l->next < l->rate * l->seconds
                     : now_us < l->end_us;
}

static int64_t due_us(const struct load *l)
{
    return l->start_us + (int64_t)(l->next * FG_US_PER_S / l->rate);
}

/* Microseconds since 1970, counted on: no other run begins there. */
static void vary(struct load *l, struct request *r)
{
    char number[32];
    if (!r->varies)
        return;
    (void)snprintf(number, sizeof number, "%016lld", (long long)l->cx.now_us + (long long)l->next);
    memcpy(r->varies, number, VARIES_N);
}

static void ask(struct load *l, struct conn *c)
{
    int64_t now_us = ctx_mono_us(&l->cx), since_us = now_us;
    if (!more_to_ask(l, now_us))
        return;
    if (l->rate && (since_us = due_us(l)) > now_us)
        return;
    c->request = l->next++ % l->request_n;
    struct fg_str text = l->request[c->request].text;
    vary(l, &l->request[c->request]);
    /* Far smaller than the socket's buffer, which is empty. */
    if (send(c->fd, text.p, text.n, MSG_NOSIGNAL) != (ssize_t)text.n) {
        broken(l, c);
        return;
    }
    c->began_us = since_us;
    l->pending++;
}

static struct fg_str header(struct fg_str head, struct fg_str name)
{
    struct fg_str line, key;
    while (scan_until(&head, '\n', &line)) {
        if (!scan_until(&line, ':', &key) || !fg_eq_nocase(key, name))
            continue;
        (void)scan_char(&line, ' ');
        return (struct fg_str){ line.p,
                                line.n && line.p[line.n - 1] == '\r' ? line.n - 1 : line.n };
    }
    return FG_NONE;
}

/* "HTTP/1.1 200": the status, and how long the body is. False: not an answer we can follow. */
static bool read_head(struct load *l, struct conn *c)
{
    struct fg_str head = { c->head, c->head_n };
    uint64_t status, bytes = 0;
    if (!scan_lit(&head, FG_LIT("HTTP/1.1 ")) || !scan_u64(&head, 599, &status))
        return false;
    struct fg_str length = header(head, FG_LIT("Content-Length"));
    if (status != 304 && status != 204 && !scan_all_u64(length, INT32_MAX, &bytes))
        return false;
    l->errors += !l->learn && status != l->status;
    if (l->learn)
        printf("%.*s %.*s\n", FG_P(l->request[c->request].line),
               FG_P(header(head, FG_LIT("ETag"))));
    c->body_left = (int64_t)bytes;
    c->in_body = true;
    return true;
}

static void answered(struct load *l, struct conn *c)
{
    int64_t now_us = ctx_mono_us(&l->cx);
    if (l->sample_n < SAMPLES_MAX)
        l->sample[l->sample_n++] = (uint32_t)(now_us - c->began_us);
    l->in_time += now_us <= l->end_us;
    l->pending--;
    c->done++;
    c->began_us = 0;
    c->head_n = 0;
    c->in_body = false;
    ask(l, c);
}

/* What of a piece still belongs to the head goes there. Returns false when it makes no sense. */
static bool take_head(struct load *l, struct conn *c, const char *p, size_t n)
{
    size_t before = c->head_n, room = sizeof c->head - c->head_n;
    size_t add = n < room ? n : room;
    memcpy(c->head + c->head_n, p, add);
    c->head_n += add;
    char *end = memmem(c->head, c->head_n, "\r\n\r\n", 4);
    if (!end)
        return c->head_n < sizeof c->head;
    c->head_n = (size_t)(end + 4 - c->head);
    if (!read_head(l, c))
        return false;
    c->body_left -= (int64_t)(n - (c->head_n - before));
    return true;
}

static void readable(struct load *l, struct conn *c)
{
    static char piece[PIECE_BYTES];
    ssize_t n = recv(c->fd, piece, sizeof piece, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    bool good = n > 0 && c->began_us;
    if (good && c->in_body)
        c->body_left -= n;
    else if (good)
        good = take_head(l, c, piece, (size_t)n);
    if (!good || (c->in_body && c->body_left < 0)) {
        broken(l, c);
        ask(l, c);
    } else if (c->in_body && c->body_left == 0) {
        answered(l, c);
    }
}

/* Hands what is due to connections that are free; wakes up again for the next one. */
static void pace(struct load *l)
{
    for (size_t i = 0; i < l->conn_n; i++)
        if (!l->conn[i].began_us)
            ask(l, &l->conn[i]);
    int64_t at_us = due_us(l);
    struct itimerspec at = { .it_value = { at_us / FG_US_PER_S, at_us % FG_US_PER_S * 1000 } };
    if (timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &at, NULL) != 0)
        die("timerfd_settime");
}

static void start_pace(struct load *l)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.ptr = NULL };
    l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (l->timer_fd < 0 || epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->timer_fd, &ev) != 0)
        die("timerfd");
    pace(l);
}

static void run(struct load *l)
{
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->conn = arena_array(l->cx.mem, struct conn, l->conn_n);
    l->sample = arena_array(l->cx.mem, uint32_t, SAMPLES_MAX);
    if (l->epoll_fd < 0)
        die("start");
    for (size_t i = 0; i < l->conn_n; i++)
        open_conn(l, &l->conn[i]);
    int64_t now_us = l->start_us = ctx_mono_us(&l->cx);
    l->end_us = now_us + (int64_t)l->seconds * FG_US_PER_S;
    if (l->rate)
        start_pace(l);
    for (size_t i = 0; i < l->conn_n && !l->rate; i++)
        ask(l, &l->conn[i]);
    while ((l->pending || (l->rate && more_to_ask(l, now_us))) && now_us < l->end_us + GIVE_UP_US) {
        struct epoll_event ev[EVENTS];
        int n = epoll_wait(l->epoll_fd, ev, EVENTS, 1000);
        for (int i = 0; i < n; i++)
            if (ev[i].data.ptr)
                readable(l, ev[i].data.ptr);
        if (l->rate)
            pace(l);
        now_us = ctx_mono_us(&l->cx);
    }
    l->errors += l->pending;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double sample_ms(const struct load *l, double share)
{
    return l->sample_n ? l->sample[(size_t)(share * (double)(l->sample_n - 1))] / 1000.0 : 0;
}

static void tell(struct load *l)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < l->conn_n; i++)
        least = l->conn[i].done < least ? l->conn[i].done : least;
    qsort(l->sample, l->sample_n, sizeof *l->sample, by_size);
    printf("requests=%zu perSecond=%.1f p50Ms=%.3f p99Ms=%.3f maxMs=%.3f least=%llu errors=%llu\n",
           l->sample_n, (double)l->in_time / (double)l->seconds, sample_ms(l, 0.5),
           sample_ms(l, 0.99), sample_ms(l, 1), (unsigned long long)least,
           (unsigned long long)l->errors);
}

static bool arguments(struct load *l, int argc, char **argv)
{
    if (argc < 4 || !scan_all_u64(fg_str_c(argv[1]), 65535, &l->port) ||
        !scan_all_u64(fg_str_c(argv[2]), CONNECTIONS_MAX, &l->conn_n) || !l->conn_n)
        return false;
    l->learn = argc == 4 && strcmp(argv[3], "learn") == 0;
    if (l->learn)
        return true;
    struct fg_str rate = argc == 7 ? fg_str_c(argv[5]) : FG_LIT("@1");
    if (!scan_char(&rate, '@') || !scan_all_u64(rate, 100000, &l->rate) || !l->rate)
        return false;
    l->rate = argc == 7 ? l->rate : 0;
    l->secret = argc == 7 ? fg_str_c(argv[6]) : FG_NONE;
    l->body = argc == 6 ? fg_str_c(argv[5]) : FG_NONE;
    return argc >= 5 && argc <= 7 && scan_all_u64(fg_str_c(argv[3]), 3600, &l->seconds) &&
           l->seconds && scan_all_u64(fg_str_c(argv[4]), 599, &l->status);
}

static int load(struct load *l)
{
    read_requests(l);
    if (!l->request_n) {
        fprintf(stderr, "load: no requests\n");
        return 2;
    }
    run(l);
    if (!l->learn)
        tell(l);
    return l->learn && l->errors ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct load l = { .cx = { .mem = arena_new(), .env = env_real() } };
    int status = 2;
    ctx_tick(&l.cx);
    if (arguments(&l, argc, argv))
        status = load(&l);
    else
        fprintf(stderr,
                "usage: %s PORT CONNECTIONS SECONDS STATUS [BODY | @RATE SECRET] <requests | PORT "
                "CONNECTIONS learn <requests\n",
                argv[0]);
    arena_free(l.cx.mem);
    return status;
}
