/* What the files behind io/fetch.h share: address.c (which URLs and addresses), transfer.c (one
 * call), fetch.c (the loop). Outside core/io only tests include this: they replace the rules. */
#ifndef FG_IO_FETCH_PARTS_H
#define FG_IO_FETCH_PARTS_H

#include <curl/curl.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/sb.h"
#include "io/fetch.h"

#define FETCH_URL_MAX 8192
#define FETCH_HOST_MAX 255

struct origin {
    bool https;
    unsigned port;
    char host[FETCH_HOST_MAX + 1]; /* as libcurl reads it: number tricks resolved, v6 in brackets */
};

struct target {
    struct origin origin;
    bool local; /* one of fetch.local_origins */
};

/* As fetcher_open sets them; a test cannot be a public https server, so it sets its own. */
struct fetch_rules {
    bool (*address_ok)(const void *sa); /* asked for foreign URLs only */
    bool foreign_http;
};

/* NULL and *out when the URL may be fetched, else words. */
const char *url_target(const struct conf *conf, const struct fetch_rules *rules, struct fg_str url,
                       struct target *out);
bool origin_same(const struct origin *a, const struct origin *b);
/* NULL or what is wrong with fetch.local_origins. */
const char *local_origins_wrong(const struct conf *conf);
/* An address in digits, with or without brackets. */
bool address_parse(const char *text, struct sockaddr_storage *out);

/* One multi handle: foreign URLs never share a connection pool with this machine's own origins. */
struct lane {
    struct fetcher *f;
    CURLM *multi;
    int timer_fd;
};
enum { LANE_LOCAL, LANE_FOREIGN };
#define LANE_N 2

struct transfer {
    TAILQ_ENTRY(transfer) link;
    struct fetcher *f;
    struct arena *mem; /* holds the copy of the call, and the reply */
    struct fetch_call call;
    fetch_done *done;
    void *arg;
    struct lane *lane;
    CURL *easy;
    struct curl_slist *headers;
    struct origin first; /* whom the secret belongs to */
    bool began_local, secret_ok;
    int hop;
    int64_t spent_us;      /* by earlier hops */
    bool sent;             /* this hop: bytes may have gone out */
    bool refused, allowed; /* this hop: some address was */
    bool too_large, has_location;
    bool lost;             /* its answer, as a fault test wants it */
    int fd;                /* where libcurl waits for it; -1: nowhere */
    int delay_fd;          /* a timer: it is not begun yet; -1: none */
    int64_t body_sent;     /* of body_fd, by this hop */
    int64_t begun_us, limit_ms; /* of this hop: monotonic, and how long it may take */
    size_t header_bytes;
    struct sb body;
    struct hash_stream hash;
    struct fetch_reply reply;
    char error[CURL_ERROR_SIZE];
};
TAILQ_HEAD(transfers, transfer);

struct fetcher {
    const struct conf *conf;
    const struct fg_env *env; /* its monotonic clock */
    int64_t looked_us;        /* when libcurl last looked at its sockets */
    struct fetch_rules rules;
    struct lane lane[LANE_N];
    int epoll_fd, wake_fd;
    unsigned active_n, active_max, calls;
    struct transfers active, delayed, waiting, ended;
};

struct transfer *transfer_new(struct fetcher *f, const struct fetch_call *call, fetch_done *done,
                              void *arg);
void transfer_free(struct transfer *t);
/* Makes the easy handle for the first request. False: over already, the reply says why. */
bool transfer_begin(struct transfer *t);
/* libcurl is done with the easy handle (which has left its multi). True: over, the reply is set.
 * False: a redirect; the next hop's handle waits to be started. */
bool transfer_over(struct transfer *t, CURLcode rc);

#endif
