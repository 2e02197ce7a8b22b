/* The real accept loop over a Unix socket, spoken to in raw FastCGI: what nginx never sends, but a
 * kept connection or a body could. */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env.h"
#include "loop.h"
#include "problem.h"
#include "routes.h"
#include "t.h"

#define LIMIT_MS 10000
#define WIRE_MAX (256 * FG_KIB)
#define LIBFCGI_BUFFER \
    1024 /* it reads multiples of this; what it has not used is lost at the request's end */
#define ECHO_MAX (64 * FG_KIB)

enum { BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };

/* ---- the server ---- */

static int ran_fd; /* a byte for each handler that ran */

static enum fg_code say(struct web_resp *resp, const char *words)
{
    FG_ASSERT(write(ran_fd, "x", 1) == 1);
    sb_add(&resp->body, fg_str_c(words));
    return FG_OK;
}

static enum fg_code unread(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                           struct web_resp *resp)
{
    (void)cx, (void)app, (void)req;
    return say(resp, "true answer");
}

static enum fg_code forged(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                           struct web_resp *resp)
{
    (void)cx, (void)app, (void)req;
    return say(resp, "forged answer");
}

static enum fg_code echo(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                         struct web_resp *resp)
{
    (void)app;
    return say(resp, arena_fmt(cx->mem, "%zu bytes, last %c", req->body.n,
                               req->body.n ? req->body.p[req->body.n - 1] : '-')
                         .p);
}

static const struct route rows[] = {
    { "POST", "/unread", unread, AUTH_NONE, 0, 0 },
    { "POST", "/forged", forged, AUTH_NONE, 0, 0 },
    { "POST", "/echo", echo, AUTH_NONE, ECHO_MAX, 0 },
};
static const struct route_table table = { rows, FG_LEN(rows) };

struct server {
    char dir[32], path[64];
    int listener, ran;
    pid_t pid;
};

static _Noreturn void serve(const struct server *s, int ran)
{
    struct web_app app = {
        .program = "test", .routes = &table, .error = problem_write, .wake_fd = -1
    };
    struct fg_ctx boot = { .mem = arena_new(), .env = env_real() };
    ran_fd = ran;
    if (dup2(s->listener, 0) != 0)
        _exit(99);
    int rc = web_loop(&boot, &app);
    arena_free(boot.mem);
    _exit(rc);
}

static void server_listen(struct server *s)
{
    *s = (struct server){ .dir = "/tmp/fg-fcgx-XXXXXX" };
    CHECK(mkdtemp(s->dir) != NULL, "a folder for the socket");
    (void)snprintf(s->path, sizeof s->path, "%s/s", s->dir);
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    memcpy(a.sun_path, s->path, strlen(s->path));
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(s->listener, (struct sockaddr *)&a, sizeof a) == 0 && listen(s->listener, 16) == 0,
          "listen");
}

static void server_start(struct server *s)
{
    int ran[2];
    CHECK(pipe(ran) == 0, "pipe");
    s->ran = ran[0];
    s->pid = fork();
    CHECK(s->pid >= 0, "fork");
    if (s->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed check must not leave it behind */
        serve(s, ran[1]);
    }
    close(ran[1]);
}

/* How many handlers ran; the process must have ended by the signal's way: status 0. */
static int server_end(struct server *s, int sig)
{
    int status = -1, n = 0;
    char byte;
    if (sig)
        CHECK(kill(s->pid, sig) == 0, "kill");
    while (poll(&(struct pollfd){ s->ran, POLLIN, 0 }, 1, LIMIT_MS) == 1 &&
           read(s->ran, &byte, 1) == 1)
        n++;                     /* EOF comes with its death */
    (void)kill(s->pid, SIGKILL); /* in vain, unless it hangs */
    CHECK(waitpid(s->pid, &status, 0) == s->pid, "wait");
    close(s->ran);
    close(s->listener);
    unlink(s->path);
    rmdir(s->dir);
    CHECK(WIFEXITED(status), "it ended by itself");
    CHECK_I64(WEXITSTATUS(status), 0, "exit status");
    return n;
}

/* ---- the client ---- */

struct wire {
    unsigned char p[WIRE_MAX];
    size_t n;
};

static void record(struct wire *w, int type, const void *data, size_t n)
{
    unsigned char head[8] = {
        1, (unsigned char)type, 0, 1, (unsigned char)(n >> 8), (unsigned char)n, 0, 0
    };
    CHECK(n <= UINT16_MAX && w->n + n + 8 <= sizeof w->p, "room for a record");
    memcpy(w->p + w->n, head, 8);
    if (n)
        memcpy(w->p + w->n + 8, data, n);
    w->n += n + 8;
}

static size_t add_param(unsigned char *to, const char *name, const char *value)
{
    size_t a = strlen(name), b = strlen(value);
    to[0] = (unsigned char)a;
    to[1] = (unsigned char)b;
    memcpy(to + 2, name, a);
    memcpy(to + 2 + a, value, b);
    return 2 + a + b;
}

/* Everything before the body. */
static void begin(struct wire *w, const char *path, size_t bytes, bool keep, const char *more_name)
{
    static const unsigned char keep_role[8] = { 0, 1, 1 }, close_role[8] = { 0, 1, 0 };
    unsigned char params[512];
    char length[24];
    (void)snprintf(length, sizeof length, "%zu", bytes);
    size_t n = add_param(params, "REQUEST_METHOD", "POST");
    n += add_param(params + n, "DOCUMENT_URI", path);
    n += add_param(params + n, "CONTENT_LENGTH", length);
    n += add_param(params + n, "REQUEST_ID", "r1");
    if (more_name) {
        n += add_param(params + n, more_name, "a");
        n += add_param(params + n, more_name, "b");
    }
    record(w, BEGIN, keep ? keep_role : close_role, 8);
    record(w, PARAMS, params, n);
    record(w, PARAMS, NULL, 0);
}

static int dial(const struct server *s)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    memcpy(a.sun_path, s->path, strlen(s->path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "connect");
    return fd;
}

static void send_all(int fd, const struct wire *w)
{
    for (size_t done = 0; done < w->n;) {
        ssize_t r = send(fd, w->p + done, w->n - done, MSG_NOSIGNAL);
        CHECK(r > 0, "send");
        done += (size_t)r;
    }
}

struct answer {
    char text[4096];
    size_t n;
    int ends;
    bool closed; /* the other side hung up in time */
};

static void read_answer(int fd, struct answer *out)
{
    static unsigned char in[WIRE_MAX];
    size_t n = 0;
    *out = (struct answer){ .n = 0 };
    while (poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, LIMIT_MS) == 1) {
        ssize_t r = read(fd, in + n, sizeof in - n);
        if (r <= 0) {
            out->closed = r == 0 || errno == ECONNRESET;
            break;
        }
        n += (size_t)r;
    }
    for (size_t at = 0; at + 8 <= n;) {
        size_t len = (size_t)in[at + 4] << 8 | in[at + 5];
        if (in[at + 1] == STDOUT && out->n + len < sizeof out->text) {
            memcpy(out->text + out->n, in + at + 8, len);
            out->n += len;
        }
        out->ends += in[at + 1] == END;
        at += 8 + len + in[at + 6];
    }
    close(fd);
}

static bool says(const struct answer *a, const char *words)
{
    return strstr(a->text, words) != NULL;
}

/* Until the process has taken everything that was sent. */
static void wait_taken(int fd)
{
    for (int ms = 0; ms < LIMIT_MS; ms++) {
        int left = 1;
        CHECK(ioctl(fd, SIOCOUTQ, &left) == 0, "SIOCOUTQ");
        if (left == 0)
            return;
        (void)poll(NULL, 0, 1);
    }
    CHECK(false, "the process did not read");
}

/* ---- what must hold ---- */

/* libfcgi forgets what it has buffered when a request ends, then goes on reading: so a forged
 * request stands in the body wherever a buffer may end. All of it is sent before the process looks,
 * and a second client makes it look again. */
TEST(trap_unread_body_cannot_become_a_request)
{
    static struct wire w, forgery;
    static unsigned char body[20 * LIBFCGI_BUFFER];
    struct server s;
    struct answer a, b;
    forgery.n = w.n = 0;
    begin(&forgery, "/forged", 0, true, NULL);
    record(&forgery, STDIN, NULL, 0);
    memset(body, 'a', sizeof body);
    begin(&w, "/unread", sizeof body, true, NULL);
    size_t before = w.n + 8;
    CHECK(before < LIBFCGI_BUFFER, "the body begins in the first buffer");
    for (size_t at = LIBFCGI_BUFFER; at + forgery.n < sizeof body; at += LIBFCGI_BUFFER)
        memcpy(body + at - before, forgery.p, forgery.n);
    record(&w, STDIN, body, sizeof body);
    record(&w, STDIN, NULL, 0);
    server_listen(&s);
    int fd = dial(&s);
    send_all(fd, &w);
    int other = dial(&s);
    w.n = 0;
    begin(&w, "/echo", 0, false, NULL);
    record(&w, STDIN, NULL, 0);
    send_all(other, &w);
    server_start(&s);
    read_answer(fd, &a);
    read_answer(other, &b);
    CHECK(says(&a, "true answer") && !says(&a, "forged"), "the true answer alone");
    CHECK_I64(a.ends, 1, "one answer");
    CHECK(a.closed, "the connection is not kept");
    CHECK(says(&b, "0 bytes"), "the other client is served");
    CHECK_I64(server_end(&s, SIGTERM), 2, "two requests, two handlers");
}

TEST(sigterm_in_the_middle_of_a_body_cuts_nothing)
{
    static const int signals[] = { SIGTERM, SIGUSR1, SIGUSR2 };
    static struct wire w;
    char half[10000];
    for (size_t i = 0; i < FG_LEN(signals); i++) {
        struct server s;
        struct answer a;
        memset(half, 'h', sizeof half);
        server_listen(&s);
        server_start(&s);
        int fd = dial(&s);
        w.n = 0;
        begin(&w, "/echo", 2 * sizeof half, false, NULL);
        record(&w, STDIN, half, sizeof half);
        send_all(fd, &w);
        wait_taken(fd);
        CHECK(kill(s.pid, signals[i]) == 0, "kill");
        half[sizeof half - 1] = 'z';
        w.n = 0;
        record(&w, STDIN, half, sizeof half);
        record(&w, STDIN, NULL, 0);
        send_all(fd, &w);
        read_answer(fd, &a);
        CHECK_I64(server_end(&s, 0), 1, "the request was finished, and nothing after it");
        CHECK(says(&a, "20000 bytes, last z"), "the whole body arrived");
    }
}

TEST(a_body_cut_short_runs_no_handler)
{
    static const struct {
        bool end_record;
        const char *why;
    } row[] = { { true, "stream ended early" }, { false, "connection closed" } };
    static struct wire w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct server s;
        struct answer a;
        server_listen(&s);
        server_start(&s);
        int fd = dial(&s);
        w.n = 0;
        begin(&w, "/echo", 100, false, NULL);
        record(&w, STDIN, "only this", 9);
        if (row[i].end_record)
            record(&w, STDIN, NULL, 0);
        send_all(fd, &w);
        CHECK(shutdown(fd, SHUT_WR) == 0, "hang up");
        read_answer(fd, &a);
        CHECK_I64(a.n, 0, row[i].why);
        fd = dial(&s);
        w.n = 0;
        begin(&w, "/echo", 0, false, NULL);
        record(&w, STDIN, NULL, 0);
        send_all(fd, &w);
        read_answer(fd, &a);
        CHECK(says(&a, "0 bytes, last -"), "the process serves on");
        CHECK_I64(server_end(&s, SIGTERM), 1, row[i].why);
    }
}

TEST(preconditions_answer_before_the_body_is_read)
{
    static const struct {
        const char *path;
        size_t bytes;
        const char *twice, *says, *why;
    } row[] = {
        { "/echo", ECHO_MAX + 1, NULL, "Status: 413", "size" },
        { "/echo", 5, "HTTP_IDEMPOTENCY_KEY", "Status: 400", "a header that came twice" },
        { "/nowhere", 5, NULL, "Status: 404", "path" },
        { "/echo", 5, NULL, "5 bytes, last k", "all is well" },
    };
    static struct wire w;
    struct server s;
    server_listen(&s);
    server_start(&s);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct answer a;
        int fd = dial(&s);
        w.n = 0;
        begin(&w, row[i].path, row[i].bytes, false, row[i].twice);
        record(&w, STDIN, "blick", 5);
        record(&w, STDIN, NULL, 0);
        send_all(fd, &w);
        read_answer(fd, &a);
        CHECK(says(&a, row[i].says), row[i].why);
        CHECK(says(&a, "5 bytes") || says(&a, "\"requestId\":\"r1\""),
              "problems carry the request's id");
    }
    CHECK_I64(server_end(&s, SIGUSR2), 1, "one of them reached the handler");
}
