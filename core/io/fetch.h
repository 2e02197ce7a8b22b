/* libcurl: one multi per kind of URL (trusted origins, foreign ones) driven by epoll. Nobody else includes
 * curl.h. Every call is bounded in size and time; every address is checked when the socket is opened and again
 * before the request goes out (a pooled connection never opens a socket). */
#ifndef FG_IO_FETCH_H
#define FG_IO_FETCH_H

#include "base/conf.h"
#include "base/ctx.h"
#include "io/hash.h"

#define FETCH_HEADERS_MAX 16
#define FETCH_REPLY_HEADERS_MAX 32

struct fetch_header {
    struct fg_str name, value;
};

struct fetch_call {
    const char *method;        /* "GET", "POST", "DELETE"… */
    struct fg_str url;         /* absolute; https, http to an origin of fetch.local_origins (see plain_http) */
    struct fetch_header header[FETCH_HEADERS_MAX];
    unsigned header_n;
    struct fetch_header secret; /* e.g. Authorization: never goes to another origin after a redirect */
    struct fg_str body;        /* p NULL: none */
    int body_fd;               /* >= 0: the body is instead body_n bytes of this file, from body_at on, read as they go
                                  out; the file must stay until done. Set -1 when unused! fetch_call_init does */
    int64_t body_at, body_n;
    int64_t delay_ms;          /* sent only so much later: for a repetition */
    bool once;                 /* not idempotent, costs money: fresh HTTP/1.1 connection, never repeated,
                                  never redirected */
    bool plain_http;           /* http to public hosts too: nothing secret goes out, and what comes is looked at */
    int redirects;             /* how many may be followed (0: none); each hop is checked */
    int64_t timeout_ms;        /* the whole call */
    int64_t max_bytes;         /* of the reply's body; over it the call fails (FETCH_TOO_LARGE) */
    int to_fd;                 /* >= 0: the body is written here and hashed; else it is kept in memory.
                                  Set -1 when unused! fetch_call_init does */
};

/* A call with nothing set: to_fd and body_fd -1, timeout 20 s, max 1 MiB. */
struct fetch_call fetch_call_init(const char *method, struct fg_str url);
/* Adds a header; FG_ASSERTs that there is room. */
void fetch_add_header(struct fetch_call *c, struct fg_str name, struct fg_str value);

enum fetch_end {
    FETCH_ANSWERED,   /* an HTTP status and a whole body arrived */
    FETCH_NOT_SENT,   /* resolve, connect, TLS, refused address: surely nothing went out */
    FETCH_UNKNOWN,    /* something may have gone out; no whole answer (timeouts, resets) */
    FETCH_TOO_LARGE,  /* the body passed max_bytes */
    FETCH_REFUSED,    /* our own rules refused the URL, address or redirect; nothing went out to it */
    FETCH_LOCAL_IO,   /* writing to to_fd or reading body_fd failed; errno in local_errno */
};

struct fetch_reply {
    enum fetch_end end;
    int status;                /* HTTP status; 0 unless FETCH_ANSWERED or FETCH_TOO_LARGE */
    struct fetch_header header[FETCH_REPLY_HEADERS_MAX]; /* of the last answer; names in lower case */
    unsigned header_n;
    struct fg_str body;        /* in memory calls only */
    int64_t body_bytes;
    uint8_t body_hash[HASH_LEN]; /* BLAKE2b-256 of the body; to_fd calls only */
    int local_errno;
    struct fg_str words;       /* what went wrong, for the log */
};

/* FG_NONE when absent; the first of several. name in lower case. */
struct fg_str fetch_reply_header(const struct fetch_reply *r, struct fg_str name);
/* Seconds from Retry-After (number or HTTP date) or retry-after-ms, rounded up; 0 when there is none. */
int64_t fetch_retry_after_s(const struct fg_ctx *cx, const struct fetch_reply *r);

struct fetcher;

/* The caller's epoll loop calls fetcher_turn when fetcher_fd is readable or the timeout passed.
 * cx must live as long as the fetcher. */
enum fg_code fetcher_open(struct fg_ctx *cx, struct fetcher **out, const struct conf *conf) FG_MUST_CHECK;
void fetcher_close(struct fetcher *f); /* ends running calls without telling their done functions */
int fetcher_fd(const struct fetcher *f);          /* an epoll descriptor: nest it in another epoll or poll */
int64_t fetcher_timeout_us(const struct fetcher *f); /* until the next turn is needed; -1: none */
void fetcher_turn(struct fetcher *f);             /* runs what is ready; calls done functions */
unsigned fetcher_running(const struct fetcher *f);

/* Starts a call. Everything in *call is copied. done is called exactly once, from fetcher_turn, never from
 * here; the reply is valid during done only. */
typedef void fetch_done(void *arg, const struct fetch_reply *reply);
void fetch_start(struct fetcher *f, const struct fetch_call *call, fetch_done *done, void *arg);

/* Turns the loop until this one call is over: for command line and tests. The reply lives in cx->mem. */
void fetch_wait(struct fg_ctx *cx, struct fetcher *f, const struct fetch_call *call,
                struct fetch_reply *reply);

/* The rules alone, for tests and for checking a URL at the door: scheme, no userinfo, backslash or control
 * bytes, a host. FG_ADDRESS_REFUSED with words. */
enum fg_code fetch_check_url(struct fg_ctx *cx, const struct conf *conf, struct fg_str url, bool plain_http)
    FG_MUST_CHECK;
/* True when this binary address may be spoken to from a public URL (not loopback, private, link-local, CGNAT,
 * 0/8, multicast, ULA, v4-mapped of those, 6to4, NAT64…). sa: a struct sockaddr. */
bool fetch_address_public(const void *sa);

#endif
