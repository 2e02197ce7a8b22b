#include "io/fetch_parts.h"

#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "io/file.h"

#define HEADER_BYTES_MAX (128 * FG_KIB) /* of one answer; libcurl 7.88 had no limit of its own */
#define HEADER_VALUE_MAX (8 * FG_KIB)
#define CONNECT_MS INT64_C(10000)
/* A download that crawls holds a slot; an ordinary call may be silent while the provider thinks. */
#define CRAWL_BYTES_PER_S 1024L

#define SET(t, option, value) FG_ASSERT(curl_easy_setopt((t)->easy, (option), (value)) == CURLE_OK)

static struct fetch_header header_copy(struct arena *mem, struct fetch_header h)
{
    return (struct fetch_header){ arena_str(mem, h.name), arena_str(mem, h.value) };
}

struct transfer *transfer_new(struct fetcher *f, const struct fetch_call *call, fetch_done *done,
                              void *arg)
{
    FG_ASSERT(call->header_n <= FETCH_HEADERS_MAX && call->timeout_ms > 0 && call->max_bytes >= 0);
    struct arena *mem = arena_new();
    /* Not in the arena: hash_stream wants more alignment than that gives. */
    struct transfer *t = aligned_alloc(_Alignof(struct transfer), sizeof *t);
    FG_ASSERT(t);
    *t = (struct transfer){ .f = f, .mem = mem, .call = *call, .done = done, .arg = arg, .delay_fd = -1 };
    t->call.method = arena_cstr(mem, fg_str_c(call->method));
    t->call.url = arena_str(mem, call->url);
    t->call.body = arena_str(mem, call->body);
    t->call.secret = header_copy(mem, call->secret);
    for (unsigned i = 0; i < call->header_n; i++)
        t->call.header[i] = header_copy(mem, call->header[i]);
    if (call->once)
        t->call.redirects = 0;
    t->body = sb_in(mem, (size_t)call->max_bytes);
    return t;
}

static void hop_free(struct transfer *t)
{
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    t->easy = NULL;
    t->headers = NULL;
}

void transfer_free(struct transfer *t)
{
    hop_free(t);
    if (t->delay_fd >= 0)
        close(t->delay_fd);
    arena_free(t->mem);
    free(t);
}

/* Returns true, as "over". */
static bool end(struct transfer *t, enum fetch_end how, const char *words)
{
    t->reply.end = how;
    t->reply.words = words ? arena_str(t->mem, fg_str_c(words)) : FG_NONE;
    return true;
}

/* The redirect codes that name a new place; 304 and 300 do not. */
static bool redirecting(const struct transfer *t)
{
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return t->hop < t->call.redirects && t->has_location &&
           (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

/* ---- libcurl asks ---- */

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct transfer *t = arg;
    bool foreign = t->lane == &t->f->lane[LANE_FOREIGN];
    if (purpose != CURLSOCKTYPE_IPCXN || (foreign && !t->f->rules.address_ok(&a->addr))) {
        t->refused = true;
        return CURL_SOCKET_BAD;
    }
    t->allowed = true;
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* A pooled connection never comes through on_socket: look at the peer again, on every request. */
static int on_request(void *arg, char *peer, char *own, int peer_port, int own_port)
{
    struct transfer *t = arg;
    struct sockaddr_storage a;
    (void)own, (void)peer_port, (void)own_port;
    if (t->lane == &t->f->lane[LANE_FOREIGN] &&
        (!address_parse(peer, &a) || !t->f->rules.address_ok(&a))) {
        t->refused = true;
        t->allowed = false;
        return CURL_PREREQFUNC_ABORT;
    }
    t->sent = true;
    return CURL_PREREQFUNC_OK;
}

static struct fg_str trim(struct fg_str s)
{
    while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
        s.n--;
    while (s.n && strchr(" \t", s.p[0])) {
        s.p++;
        s.n--;
    }
    return s;
}

static void keep_header(struct transfer *t, struct fg_str name, struct fg_str value)
{
    if (t->reply.header_n == FETCH_REPLY_HEADERS_MAX || value.n > HEADER_VALUE_MAX)
        return;
    char *lower = arena_cstr(t->mem, name);
    for (size_t i = 0; i < name.n; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] - 'A' + 'a');
    t->reply.header[t->reply.header_n++] =
        (struct fetch_header){ { lower, name.n }, arena_str(t->mem, value) };
}

static size_t on_header(char *p, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    struct fg_str line = { p, size * count };
    t->header_bytes += line.n;
    if (t->header_bytes > HEADER_BYTES_MAX)
        return 0;
    if (fg_starts(line, FG_LIT("HTTP/"))) { /* a 1xx came before, or this is the next hop */
        t->reply.header_n = 0;
        t->has_location = false;
        return line.n;
    }
    const char *colon = memchr(p, ':', line.n);
    if (!colon || colon == p || *p == ' ' || *p == '\t')
        return line.n;
    struct fg_str name = { p, (size_t)(colon - p) };
    struct fg_str value = trim((struct fg_str){ colon + 1, line.n - name.n - 1 });
    if (fg_eq_nocase(name, FG_LIT("location")) && value.n)
        t->has_location = true;
    keep_header(t, name, value);
    return line.n;
}

static bool to_file(struct transfer *t, const char *p, size_t n)
{
    hash_add(&t->hash, p, n);
    bool ok = file_write(t->call.to_fd, p, n);
    if (!ok)
        t->reply.local_errno = errno;
    return ok;
}

static size_t on_body(char *p, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t n = size * count;
    if ((int64_t)n > t->call.max_bytes - t->reply.body_bytes) {
        t->too_large = true;
        return 0;
    }
    t->reply.body_bytes += (int64_t)n;
    if (redirecting(t))
        return n; /* nobody asked for the body of a signpost */
    if (t->call.to_fd >= 0)
        return to_file(t, p, n) ? n : 0;
    sb_add(&t->body, (struct fg_str){ p, n });
    return n;
}

static size_t on_read(char *p, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    int64_t left = t->call.body_n - t->body_sent, room = (int64_t)(size * count);
    ssize_t n;
    do
        n = pread(t->call.body_fd, p, (size_t)(left < room ? left : room), t->call.body_at + t->body_sent);
    while (n < 0 && errno == EINTR);
    if (n < 0 || (n == 0 && left > 0)) {
        t->reply.local_errno = n < 0 ? errno : EIO;
        return CURL_READFUNC_ABORT;
    }
    t->body_sent += n;
    return (size_t)n;
}

/* A pooled connection that turns out to be dead is replaced, and what went into it goes out again. */
static int on_rewind(void *arg, curl_off_t at, int from)
{
    struct transfer *t = arg;
    if (from != SEEK_SET || at < 0 || at > t->call.body_n)
        return CURL_SEEKFUNC_FAIL;
    t->body_sent = at;
    return CURL_SEEKFUNC_OK;
}

/* ---- one hop ---- */

static bool one_line(struct fg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
            return false;
    return true;
}

static bool header_good(struct fetch_header h)
{
    return h.name.n && one_line(h.name) && one_line(h.value) && !memchr(h.name.p, ':', h.name.n);
}

static const char *headers_wrong(const struct fetch_call *c)
{
    bool good = !c->secret.name.p || header_good(c->secret);
    for (unsigned i = 0; i < c->header_n; i++)
        good = good && header_good(c->header[i]);
    return good ? NULL : "a request header is malformed";
}

static void add_line(struct transfer *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->headers, line);
    FG_ASSERT(longer);
    t->headers = longer;
}

/* libcurl writes an empty header as "name;" and takes "name:" for "leave it out". */
static void add_header(struct transfer *t, struct fetch_header h)
{
    add_line(t, h.value.n ? arena_fmt(t->mem, "%.*s: %.*s", FG_P(h.name), FG_P(h.value)).p
                          : arena_fmt(t->mem, "%.*s;", FG_P(h.name)).p);
}

static void set_headers(struct transfer *t)
{
    bool typed = false;
    for (unsigned i = 0; i < t->call.header_n; i++) {
        add_header(t, t->call.header[i]);
        typed = typed || fg_eq_nocase(t->call.header[i].name, FG_LIT("content-type"));
    }
    if (t->secret_ok)
        add_header(t, t->call.secret);
    if (!typed)
        add_line(t, "Content-Type:"); /* else libcurl claims that it is a form */
    add_line(t, "Expect:");           /* a 417 would make libcurl send the request again */
    SET(t, CURLOPT_HTTPHEADER, t->headers);
}

static void set_request(struct transfer *t, struct fg_str url)
{
    const char *method = t->call.method;
    bool file = t->call.body_fd >= 0;
    bool body = t->call.body.p || !strcmp(method, "POST") || !strcmp(method, "PUT") ||
                !strcmp(method, "PATCH");
    SET(t, CURLOPT_URL, arena_cstr(t->mem, url));
    if (file) {
        SET(t, CURLOPT_UPLOAD, 1L);
        SET(t, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->call.body_n);
    } else if (body) {
        SET(t, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->call.body.n);
        SET(t, CURLOPT_POSTFIELDS, t->call.body.p ? t->call.body.p : "");
    }
    if (!strcmp(method, "HEAD"))
        SET(t, CURLOPT_NOBODY, 1L);
    else if (strcmp(method, file ? "PUT" : body ? "POST" : "GET"))
        SET(t, CURLOPT_CUSTOMREQUEST, method);
    if (t->call.once) { /* on a reused connection libcurl repeats a lost POST by itself */
        SET(t, CURLOPT_FRESH_CONNECT, 1L);
        SET(t, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    }
}

static void set_limits(struct transfer *t, bool http)
{
    int64_t left_ms = t->call.timeout_ms - t->spent_us / FG_US_PER_MS;
    t->limit_ms = left_ms > 0 ? left_ms : 1;
    SET(t, CURLOPT_TIMEOUT_MS, (long)t->limit_ms);
    SET(t, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    if (t->call.to_fd >= 0) {
        SET(t, CURLOPT_LOW_SPEED_LIMIT, CRAWL_BYTES_PER_S);
        SET(t, CURLOPT_LOW_SPEED_TIME, (long)t->f->conf->media_crawl_s);
    }
    /* An announced length over the maximum ends the call at once; on_body does not rely on it. */
    if (t->call.max_bytes > 0 && strcmp(t->call.method, "HEAD"))
        SET(t, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->call.max_bytes);
    SET(t, CURLOPT_PROTOCOLS_STR, http ? "http,https" : "https");
    SET(t, CURLOPT_REDIR_PROTOCOLS_STR, http ? "http,https" : "https");
    SET(t, CURLOPT_FOLLOWLOCATION, 0L);
    SET(t, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(t, CURLOPT_PROXY, ""); /* a proxy from the environment would hide the target's address */
    SET(t, CURLOPT_NOSIGNAL, 1L);
    SET(t, CURLOPT_QUICK_EXIT, 1L); /* else a stuck resolver thread is waited for */
}

static void set_callbacks(struct transfer *t)
{
    SET(t, CURLOPT_PRIVATE, t);
    SET(t, CURLOPT_ERRORBUFFER, t->error);
    SET(t, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(t, CURLOPT_OPENSOCKETDATA, t);
    SET(t, CURLOPT_PREREQFUNCTION, on_request);
    SET(t, CURLOPT_PREREQDATA, t);
    SET(t, CURLOPT_HEADERFUNCTION, on_header);
    SET(t, CURLOPT_HEADERDATA, t);
    SET(t, CURLOPT_WRITEFUNCTION, on_body);
    SET(t, CURLOPT_WRITEDATA, t);
    SET(t, CURLOPT_READFUNCTION, on_read);
    SET(t, CURLOPT_READDATA, t);
    SET(t, CURLOPT_SEEKFUNCTION, on_rewind);
    SET(t, CURLOPT_SEEKDATA, t);
    SET(t, CURLOPT_USERAGENT, "filmgate");
}

/* Returns true when it is over before it began. */
static bool hop(struct transfer *t, struct fg_str url)
{
    struct target to;
    struct fetch_rules rules = t->f->rules;
    rules.foreign_http = rules.foreign_http || t->call.plain_http;
    const char *wrong = url_target(t->f->conf, &rules, url, &to);
    if (!wrong && t->hop > 0 && to.local && !t->began_local)
        wrong = "a redirect from outside may not lead to this machine";
    if (!wrong)
        wrong = headers_wrong(&t->call);
    if (wrong)
        return end(t, FETCH_REFUSED, wrong);
    if (t->hop == 0) {
        t->first = to.origin;
        t->began_local = to.local;
        t->secret_ok = t->call.secret.name.p != NULL;
    }
    /* Once left out it stays out: another origin must not choose what we ask for with our key. */
    t->secret_ok = t->secret_ok && origin_same(&t->first, &to.origin);
    t->lane = &t->f->lane[to.local ? LANE_LOCAL : LANE_FOREIGN];
    t->sent = t->refused = t->allowed = t->has_location = false;
    t->header_bytes = 0;
    t->body_sent = 0;
    t->reply.body_bytes = 0;
    t->error[0] = '\0';
    t->fd = -1;
    hash_begin(&t->hash);
    t->easy = curl_easy_init();
    FG_ASSERT(t->easy);
    set_request(t, url);
    set_headers(t);
    set_limits(t, to.local || rules.foreign_http);
    set_callbacks(t);
    return false;
}

bool transfer_begin(struct transfer *t)
{
    return !hop(t, t->call.url);
}

static bool next_hop(struct transfer *t)
{
    long status = 0;
    char *where = NULL;
    curl_off_t took_us = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &where);
    curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &took_us);
    struct fg_str url = arena_str(t->mem, fg_str_c(where));
    hop_free(t);
    t->spent_us += took_us;
    t->hop++;
    if (t->spent_us >= t->call.timeout_ms * FG_US_PER_MS)
        return end(t, FETCH_UNKNOWN, "the time was over after a redirect");
    bool keeps = status == 307 || status == 308 || !strcmp(t->call.method, "HEAD");
    if (!keeps) { /* as every browser does, and RFC 9110 allows for 301 and 302 */
        t->call.method = "GET";
        t->call.body = FG_NONE;
        t->call.body_fd = -1;
    }
    return hop(t, url);
}

static enum fetch_end failed(const struct transfer *t, CURLcode rc)
{
    if (t->too_large || rc == CURLE_FILESIZE_EXCEEDED)
        return FETCH_TOO_LARGE;
    if (t->reply.local_errno)
        return FETCH_LOCAL_IO;
    if (t->sent)
        return FETCH_UNKNOWN;
    if (t->refused && !t->allowed)
        return FETCH_REFUSED;
    return t->hop > 0 ? FETCH_UNKNOWN : FETCH_NOT_SENT; /* an earlier hop did go out */
}

static int status_of(const struct transfer *t)
{
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

bool transfer_over(struct transfer *t, CURLcode rc)
{
    if (rc == CURLE_OK && redirecting(t))
        return next_hop(t);
    if (rc != CURLE_OK) {
        enum fetch_end how = failed(t, rc);
        if (how == FETCH_TOO_LARGE)
            t->reply.status = status_of(t);
        return end(t, how, how == FETCH_REFUSED ? "the address is not a public one"
                           : t->error[0]        ? t->error
                                                : curl_easy_strerror(rc));
    }
    t->reply.status = status_of(t);
    if (t->call.to_fd >= 0)
        hash_end(&t->hash, t->reply.body_hash);
    else
        t->reply.body = sb_str(&t->body);
    return end(t, FETCH_ANSWERED, NULL);
}
