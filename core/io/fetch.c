#include "io/fetch_parts.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"

#define EVENTS_MAX 128
#define ACTIVE_MAX 1024 /* the surplus waits here: libcurl walks its own queue on every event */
#define RETRY_AFTER_MAX_S (INT64_C(7) * 86400)
#define LATE_US (200 * FG_US_PER_MS) /* nobody has looked for so long: there may be answers that are older than they seem */
#define LATE_REST_MS 3000            /* for the rest of such an answer */
#define WAKE UINT64_MAX /* epoll's key of wake_fd; all others are lane << 32 | descriptor */
#define LANE_DELAY LANE_N /* as if a lane: timers of calls that are to begin later */

struct fetch_call fetch_call_init(const char *method, struct fg_str url)
{
    return (struct fetch_call){
        .method = method, .url = url, .timeout_ms = 20000, .max_bytes = (int64_t)FG_MIB, .to_fd = -1, .body_fd = -1
    };
}

void fetch_add_header(struct fetch_call *c, struct fg_str name, struct fg_str value)
{
    FG_ASSERT(c->header_n < FETCH_HEADERS_MAX);
    c->header[c->header_n++] = (struct fetch_header){ name, value };
}

struct fg_str fetch_reply_header(const struct fetch_reply *r, struct fg_str name)
{
    for (unsigned i = 0; i < r->header_n; i++)
        if (fg_eq(r->header[i].name, name))
            return r->header[i].value;
    return FG_NONE;
}

/* Digits with an optional fraction, in units of 1/per_s seconds; -1 when it is anything else. */
static int64_t seconds_up(struct fg_str s, int64_t per_s)
{
    int64_t v = 0;
    bool fraction = false;
    size_t i = 0;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
        if (v <= RETRY_AFTER_MAX_S * 1000)
            v = v * 10 + (s.p[i] - '0');
    if (i == 0)
        return -1;
    if (i < s.n && s.p[i] == '.')
        for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
            fraction = fraction || s.p[i] != '0';
    if (i != s.n)
        return -1;
    return v / per_s + (v % per_s || fraction);
}

int64_t fetch_retry_after_s(const struct fg_ctx *cx, const struct fetch_reply *r)
{
    int64_t s = seconds_up(fetch_reply_header(r, FG_LIT("retry-after-ms")), 1000);
    struct fg_str text = fetch_reply_header(r, FG_LIT("retry-after"));
    if (s < 0)
        s = seconds_up(text, 1);
    if (s < 0 && text.p) {
        time_t at = curl_getdate(text.p, NULL);
        if (at != -1)
            s = ((int64_t)at * FG_US_PER_S - cx->now_us + FG_US_PER_S - 1) / FG_US_PER_S;
    }
    return s < 0 ? 0 : s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : s;
}

/* ---- what libcurl wants to be told about ---- */

static void watch(struct fetcher *f, int fd, uint64_t key, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.u64 = key };
    if (epoll_ctl(f->epoll_fd, EPOLL_CTL_MOD, fd, &ev) != 0)
        FG_ASSERT(epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0);
}

static uint64_t key_of(const struct lane *l, int fd)
{
    return (uint64_t)(l - l->f->lane) << 32 | (uint32_t)fd;
}

static int on_interest(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    static const uint32_t events[] = { [CURL_POLL_IN] = EPOLLIN, [CURL_POLL_OUT] = EPOLLOUT,
                                       [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT };
    struct lane *l = arg;
    struct transfer *t = NULL;
    (void)unused;
    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t) == CURLE_OK && t)
        t->fd = what == CURL_POLL_REMOVE ? -1 : fd;
    if (what == CURL_POLL_REMOVE) /* it may be closed, and so forgotten, already */
        (void)epoll_ctl(l->f->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    else
        watch(l->f, fd, key_of(l, fd), events[what]);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct lane *l = arg;
    struct itimerspec at = { .it_value = { 0 } }; /* all zero: off */
    (void)multi;
    if (ms == 0)
        at.it_value.tv_nsec = 1;
    else if (ms > 0)
        at.it_value = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
    FG_ASSERT(timerfd_settime(l->timer_fd, 0, &at, NULL) == 0);
    return 0;
}

/* ---- open and close ---- */

static void lane_open(struct fetcher *f, struct lane *l)
{
    *l = (struct lane){ .f = f, .multi = curl_multi_init(),
                        .timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK) };
    FG_ASSERT(l->multi && l->timer_fd >= 0);
    watch(f, l->timer_fd, key_of(l, l->timer_fd), EPOLLIN);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_interest);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
    /* Those in use count too: with fewer, a busy lane would close each connection as soon as it is free. */
    curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, (long)f->active_max);
}

/* While a name is resolved a call has up to three descriptors; the program needs some too. */
static unsigned active_max(void)
{
    struct rlimit r;
    FG_ASSERT(getrlimit(RLIMIT_NOFILE, &r) == 0);
    rlim_t room = r.rlim_cur > 128 ? (r.rlim_cur - 64) / 3 : 16;
    return room < ACTIVE_MAX ? (unsigned)room : ACTIVE_MAX;
}

enum fg_code fetcher_open(struct fg_ctx *cx, struct fetcher **out, const struct conf *conf)
{
    const char *wrong = local_origins_wrong(conf);
    if (wrong)
        return fg_fail(cx, FG_CONFIG, "[fetch] local_origins: %s", wrong);
    /* OpenSSL writes without MSG_NOSIGNAL, and with NOSIGNAL libcurl does not cover for it. */
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fg_fail(cx, FG_INTERNAL, "libcurl cannot start");
    struct fetcher *f = calloc(1, sizeof *f);
    FG_ASSERT(f);
    f->conf = conf;
    f->env = cx->env;
    f->rules = (struct fetch_rules){ fetch_address_public, false };
    f->active_max = active_max();
    TAILQ_INIT(&f->active);
    TAILQ_INIT(&f->delayed);
    TAILQ_INIT(&f->waiting);
    TAILQ_INIT(&f->ended);
    f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    FG_ASSERT(f->epoll_fd >= 0 && f->wake_fd >= 0);
    watch(f, f->wake_fd, WAKE, EPOLLIN);
    for (size_t i = 0; i < LANE_N; i++)
        lane_open(f, &f->lane[i]);
    *out = f;
    return FG_OK;
}

static void drop_all(struct transfers *list)
{
    struct transfer *t;
    while ((t = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, t, link);
        transfer_free(t);
    }
}

void fetcher_close(struct fetcher *f)
{
    if (!f)
        return;
    struct transfer *t;
    TAILQ_FOREACH(t, &f->active, link)
        curl_multi_remove_handle(t->lane->multi, t->easy);
    drop_all(&f->active);
    drop_all(&f->delayed);
    drop_all(&f->waiting);
    drop_all(&f->ended);
    for (size_t i = 0; i < LANE_N; i++) {
        curl_multi_cleanup(f->lane[i].multi);
        close(f->lane[i].timer_fd);
    }
    close(f->wake_fd);
    close(f->epoll_fd);
    free(f);
    curl_global_cleanup();
}

/* ---- the loop ---- */

int fetcher_fd(const struct fetcher *f)
{
    return f->epoll_fd;
}

/* libcurl's timers are descriptors in the epoll set. */
int64_t fetcher_timeout_us(const struct fetcher *f)
{
    return TAILQ_EMPTY(&f->ended) ? -1 : 0;
}

unsigned fetcher_running(const struct fetcher *f)
{
    return f->calls;
}

static int64_t now_us(const struct fetcher *f)
{
    return f->env->mono_us(f->env->self);
}

static void finish(struct transfer *t)
{
    t->f->calls--;
    if (t->lost)
        t->reply = (struct fetch_reply){ .end = FETCH_UNKNOWN, .words = FG_LIT("as the test wants it") };
    t->done(t->arg, &t->reply);
    transfer_free(t);
}

static void activate(struct transfer *t)
{
    TAILQ_INSERT_TAIL(&t->f->active, t, link);
    t->f->active_n++;
    t->begun_us = now_us(t->f);
    FG_ASSERT(curl_multi_add_handle(t->lane->multi, t->easy) == CURLM_OK);
}

static void drain(struct lane *l)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(l->multi, &left)) != NULL) {
        struct transfer *t = NULL;
        CURLcode rc = m->data.result; /* m is gone after the removal */
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
        curl_multi_remove_handle(l->multi, t->easy);
        TAILQ_REMOVE(&l->f->active, t, link);
        l->f->active_n--;
        if (transfer_over(t, rc))
            TAILQ_INSERT_TAIL(&l->f->ended, t, link);
        else
            activate(t);
    }
}

/* Who hung (the database, a SIGSTOP) finds answers that came in time when their time is over, and libcurl looks at the
 * time first: the answer to a submit would be thrown away, and with it a paid run. What is there counts. */
static void forgive(struct fetcher *f, curl_socket_t fd)
{
    int64_t now = now_us(f);
    struct transfer *t;
    TAILQ_FOREACH(t, &f->active, link)
        if (t->fd == fd && now - t->begun_us >= t->limit_ms * FG_US_PER_MS)
            curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)((now - t->begun_us) / FG_US_PER_MS + LATE_REST_MS));
}

static void act(struct lane *l, curl_socket_t fd, uint32_t events)
{
    /* An error is found by reading: libcurl takes ERR alone for a failure of select. */
    int what = (events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? CURL_CSELECT_IN : 0) |
               (events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
    uint64_t ticks;
    int running;
    if (fd == l->timer_fd) {
        (void)!read(l->timer_fd, &ticks, sizeof ticks);
        fd = CURL_SOCKET_TIMEOUT;
        what = 0;
    }
    curl_multi_socket_action(l->multi, fd, what, &running);
    drain(l);
}

/* Sockets before timers: see forgive. */
static void act_all(struct fetcher *f, const struct epoll_event *ev, int n, bool timers)
{
    bool late = now_us(f) - f->looked_us > LATE_US;
    for (int i = 0; i < n; i++) {
        struct lane *l = ev[i].data.u64 >> 32 >= LANE_N ? NULL : &f->lane[ev[i].data.u64 >> 32];
        curl_socket_t fd = (curl_socket_t)(uint32_t)ev[i].data.u64;
        if (!l || timers != (fd == l->timer_fd))
            continue;
        if (late && !timers)
            forgive(f, fd);
        act(l, fd, ev[i].events);
    }
}

static void delay(struct transfer *t)
{
    struct itimerspec at = { .it_value = { t->call.delay_ms / 1000, t->call.delay_ms % 1000 * 1000000 } };
    t->delay_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    FG_ASSERT(t->delay_fd >= 0 && timerfd_settime(t->delay_fd, 0, &at, NULL) == 0);
    watch(t->f, t->delay_fd, (uint64_t)LANE_DELAY << 32 | (uint32_t)t->delay_fd, EPOLLIN);
    TAILQ_INSERT_TAIL(&t->f->delayed, t, link);
}

static void delay_over(struct fetcher *f, int fd)
{
    struct transfer *t = TAILQ_FIRST(&f->delayed);
    while (t && t->delay_fd != fd)
        t = TAILQ_NEXT(t, link);
    if (!t)
        return;
    close(t->delay_fd);
    t->delay_fd = -1;
    TAILQ_REMOVE(&f->delayed, t, link);
    TAILQ_INSERT_TAIL(&f->waiting, t, link);
}

void fetcher_turn(struct fetcher *f)
{
    struct epoll_event ev[EVENTS_MAX];
    struct transfers ended = TAILQ_HEAD_INITIALIZER(ended);
    struct transfer *t;
    uint64_t woken;
    int n = epoll_wait(f->epoll_fd, ev, EVENTS_MAX, 0);
    for (int i = 0; i < n; i++)
        if (ev[i].data.u64 == WAKE)
            (void)!read(f->wake_fd, &woken, sizeof woken);
        else if (ev[i].data.u64 >> 32 == LANE_DELAY)
            delay_over(f, (int)(uint32_t)ev[i].data.u64);
    act_all(f, ev, n, false);
    act_all(f, ev, n, true);
    f->looked_us = now_us(f);
    TAILQ_CONCAT(&ended, &f->ended, link); /* a done function may start, and so end, more of them */
    while ((t = TAILQ_FIRST(&ended)) != NULL) {
        TAILQ_REMOVE(&ended, t, link);
        finish(t);
    }
    while (f->active_n < f->active_max && (t = TAILQ_FIRST(&f->waiting)) != NULL) {
        TAILQ_REMOVE(&f->waiting, t, link);
        activate(t);
    }
}

void fetch_start(struct fetcher *f, const struct fetch_call *call, fetch_done *done, void *arg)
{
    struct transfer *t = transfer_new(f, call, done, arg);
    enum fault_way fault = fault_next(FAULT_FETCH, call->method);
    f->calls++;
    t->lost = fault == FAULT_LOSE;
    if (fault == FAULT_FAIL)
        t->reply = (struct fetch_reply){ .end = FETCH_NOT_SENT, .words = FG_LIT("as the test wants it") };
    if (fault == FAULT_FAIL || !transfer_begin(t)) {
        TAILQ_INSERT_TAIL(&f->ended, t, link);
        FG_ASSERT(eventfd_write(f->wake_fd, 1) == 0);
    } else if (t->call.delay_ms > 0) {
        delay(t);
    } else if (f->active_n < f->active_max && TAILQ_EMPTY(&f->waiting)) {
        activate(t);
    } else {
        TAILQ_INSERT_TAIL(&f->waiting, t, link);
    }
}

/* ---- one call, waited for ---- */

struct waiting {
    struct fg_ctx *cx;
    struct fetch_reply *reply;
    bool over;
};

static void keep(void *arg, const struct fetch_reply *r)
{
    struct waiting *w = arg;
    struct arena *mem = w->cx->mem;
    *w->reply = *r;
    for (unsigned i = 0; i < r->header_n; i++)
        w->reply->header[i] = (struct fetch_header){ arena_str(mem, r->header[i].name),
                                                     arena_str(mem, r->header[i].value) };
    w->reply->body = arena_str(mem, r->body);
    w->reply->words = arena_str(mem, r->words);
    w->over = true;
}

void fetch_wait(struct fg_ctx *cx, struct fetcher *f, const struct fetch_call *call,
                struct fetch_reply *reply)
{
    struct waiting w = { .cx = cx, .reply = reply };
    fetch_start(f, call, keep, &w);
    while (!w.over) {
        struct pollfd p = { .fd = f->epoll_fd, .events = POLLIN };
        FG_ASSERT(poll(&p, 1, -1) >= 0 || errno == EINTR);
        fetcher_turn(f);
    }
}
