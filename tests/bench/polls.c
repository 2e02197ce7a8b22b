/* The ceiling of polling: libcurl's multi driven by epoll, and nothing around it. Asks for one URL after another over
 * kept connections, the next on each as soon as its answer is there, with the headers of the sweeper's polls.
 *
 *   polls CONNECTIONS SECONDS KEY <urls
 *
 * Prints requests, perSecond, cpuMs (user and system, of this process), connects (made in all) and errors. */
#include <curl/curl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/scan.h"

#define URLS_MAX 100000
#define URL_BYTES 512
#define CONNECTIONS_MAX 1024
#define EVENTS 128
#define SECONDS_MAX 3600
#define CALL_MS 20000L

struct polls {
    struct fg_ctx cx;
    uint64_t conn_n, seconds;
    char **url;
    size_t url_n, next;
    CURLM *multi;
    int epoll_fd, timer_fd;
    int64_t end_us;
    uint64_t pending, in_time, done, errors, connects;
};

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "polls: %s\n", what);
    exit(1);
}

static void read_urls(struct polls *p)
{
    char line[URL_BYTES];
    p->url = arena_array(p->cx.mem, char *, URLS_MAX);
    while (p->url_n < URLS_MAX && fgets(line, sizeof line, stdin)) {
        struct fg_str url = { line, strcspn(line, "\n") };
        if (url.n)
            p->url[p->url_n++] = arena_cstr(p->cx.mem, url);
    }
}

/* ---- what libcurl wants to be told about ---- */

static int on_interest(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct polls *p = arg;
    struct epoll_event ev = { .events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U),
                              .data.fd = fd };
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (epoll_ctl(p->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) != 0)
        die("epoll_ctl");
    curl_multi_assign(p->multi, fd, p);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct polls *p = arg;
    struct itimerspec at = { .it_value = { 0 } }; /* all zero: off */
    (void)multi;
    if (ms == 0)
        at.it_value.tv_nsec = 1;
    else if (ms > 0)
        at.it_value = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
    if (timerfd_settime(p->timer_fd, 0, &at, NULL) != 0)
        die("timerfd_settime");
    return 0;
}

static size_t on_body(char *piece, size_t size, size_t count, void *arg)
{
    (void)piece, (void)arg;
    return size * count;
}

/* ---- one request after another ---- */

static void ask(struct polls *p, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_URL, p->url[p->next++ % p->url_n]);
    if (curl_multi_add_handle(p->multi, easy) != CURLM_OK)
        die("curl_multi_add_handle");
    p->pending++;
}

static void answered(struct polls *p, CURL *easy, CURLcode rc)
{
    long status = 0, connects = 0;
    int64_t now_us = ctx_mono_us(&p->cx);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_multi_remove_handle(p->multi, easy);
    p->pending--;
    p->done++;
    p->connects += (uint64_t)connects;
    p->errors += rc != CURLE_OK || status != 200;
    p->in_time += now_us <= p->end_us;
    if (now_us < p->end_us)
        ask(p, easy);
}

static void drain(struct polls *p)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(p->multi, &left)) != NULL)
        answered(p, m->easy_handle, m->data.result); /* m is gone after the removal */
}

static void act(struct polls *p, const struct epoll_event *ev)
{
    int running, what = (ev->events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? CURL_CSELECT_IN : 0) |
                        (ev->events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
    uint64_t ticks;
    if (ev->data.fd == p->timer_fd) {
        (void)!read(p->timer_fd, &ticks, sizeof ticks);
        curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    } else {
        curl_multi_socket_action(p->multi, ev->data.fd, what, &running);
    }
    drain(p);
}

static CURL *request(struct curl_slist *headers)
{
    CURL *easy = curl_easy_init();
    if (!easy)
        die("curl_easy_init");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "filmgate");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, CALL_MS);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return easy;
}

static void open_multi(struct polls *p)
{
    p->multi = curl_multi_init();
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    p->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct epoll_event ev = { .events = EPOLLIN, .data.fd = p->timer_fd };
    if (!p->multi || p->epoll_fd < 0 || epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->timer_fd, &ev) != 0)
        die("start");
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_interest);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)p->conn_n);
}

static void run(struct polls *p, const char *key)
{
    struct curl_slist *headers = curl_slist_append(NULL, arena_fmt(p->cx.mem, "Authorization: Bearer %s", key).p);
    CURL **easy = arena_array(p->cx.mem, CURL *, p->conn_n);
    open_multi(p);
    p->end_us = ctx_mono_us(&p->cx) + (int64_t)p->seconds * FG_US_PER_S;
    for (size_t i = 0; i < p->conn_n; i++)
        ask(p, easy[i] = request(headers));
    while (p->pending) {
        struct epoll_event ev[EVENTS];
        int n = epoll_wait(p->epoll_fd, ev, EVENTS, 1000);
        for (int i = 0; i < n; i++)
            act(p, &ev[i]);
    }
    for (size_t i = 0; i < p->conn_n; i++)
        curl_easy_cleanup(easy[i]);
    curl_multi_cleanup(p->multi);
    curl_slist_free_all(headers);
}

static double ms_of(struct timeval t)
{
    return (double)t.tv_sec * 1000 + (double)t.tv_usec / 1000;
}

static void tell(const struct polls *p)
{
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) != 0)
        die("getrusage");
    printf("requests=%llu perSecond=%.1f cpuMs=%.0f connects=%llu errors=%llu\n", (unsigned long long)p->done,
           (double)p->in_time / (double)p->seconds, ms_of(used.ru_utime) + ms_of(used.ru_stime),
           (unsigned long long)p->connects, (unsigned long long)p->errors);
}

int main(int argc, char **argv)
{
    struct polls p = { .cx = { .mem = arena_new(), .env = env_real() } };
    bool good = argc == 4 && scan_all_u64(fg_str_c(argv[1]), CONNECTIONS_MAX, &p.conn_n) && p.conn_n &&
                scan_all_u64(fg_str_c(argv[2]), SECONDS_MAX, &p.seconds) && p.seconds;
    if (good)
        read_urls(&p);
    if (!good || !p.url_n) {
        fprintf(stderr, "usage: %s CONNECTIONS SECONDS KEY <urls\n", argv[0]);
        return 2;
    }
    run(&p, argv[3]);
    tell(&p);
    arena_free(p.cx.mem);
    return 0;
}
