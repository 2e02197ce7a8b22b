/* io/fetch against a small server of its own: fetch_world.h says what each path does. */
#include "unit/fetch_world.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

/* ---- the traps ---- */

TEST(trap_submit_on_a_dying_reused_connection_arrives_once)
{
    struct net_world n;
    begin(&n);
    struct fetch_call first = get(&n, "/keep");
    CHECK_I64(wait_for(&n, &first)->end, FETCH_ANSWERED, "now a connection is in the pool");
    struct fetch_call submit = fetch_call_init("POST", at(&n, 0, "/die"));
    submit.body = FG_LIT("{}");
    submit.once = true;
    CHECK_I64(wait_for(&n, &submit)->end, FETCH_UNKNOWN, "it may have been accepted");
    CHECK_I64(atomic_load(&n.s->arrived), 2,
              "the first request and the submit, which was not repeated");
    finish(&n);
}

TEST(trap_pooled_foreign_connection_is_checked_again)
{
    struct net_world n;
    begin(&n);
    struct fg_str origins = n.conf.fetch_local_origins;
    n.conf.fetch_local_origins = FG_NONE;
    n.f->rules = (struct fetch_rules){ anybody, true };
    struct fetch_call call = get(&n, "/keep");
    for (int i = 0; i < 2; i++)
        CHECK_I64(wait_for(&n, &call)->end, FETCH_ANSWERED, "the rules allow it");
    CHECK_I64(atomic_load(&n.s->accepted), 1, "the second went over the pooled connection");
    n.f->rules.address_ok = nobody;
    CHECK_I64(wait_for(&n, &call)->end, FETCH_REFUSED,
              "the rules forbid it, the connection is there");
    CHECK_I64(atomic_load(&n.s->arrived), 2, "and nothing went over it");

    n.conf.fetch_local_origins = origins;
    CHECK_I64(wait_for(&n, &call)->end, FETCH_ANSWERED, "as a local origin");
    n.conf.fetch_local_origins = FG_NONE;
    n.f->rules.address_ok = fetch_address_public;
    CHECK_I64(wait_for(&n, &call)->end, FETCH_REFUSED,
              "a foreign URL cannot ride on a local origin's connection");
    CHECK_I64(atomic_load(&n.s->arrived), 3, "nothing went out");
    finish(&n);
}

TEST(once_leaves_no_room_for_redirects)
{
    struct net_world n;
    begin(&n);
    struct fetch_call call = fetch_call_init("POST", at(&n, 0, "/to/307?/echo"));
    call.once = true;
    call.redirects = 5;
    CHECK_I64(wait_for(&n, &call)->status, 307, "the answer itself");
    CHECK_I64(atomic_load(&n.s->arrived), 1, "one request");
    finish(&n);
}

/* ---- requests and replies ---- */

TEST(request_goes_out_as_asked)
{
    static const struct {
        const char *method;
        struct fg_str body;
        const char *want[4], *not_want[3];
    } row[] = {
        { "GET",
          { NULL, 0 },
          { "GET /echo?q=1 HTTP/1.1\r\n", "X-Own: 1\r\n", "X-Empty:\r\n", "Key: k\r\n" },
          { "Content-", "Expect", "Cookie" } },
        { "POST",
          { "{}", 2 },
          { "POST /echo?q=1 HTTP/1.1\r\n", "Content-Length: 2\r\n", "\r\n\r\n{}" },
          { "Content-Type", "Expect" } },
        { "POST",
          { NULL, 0 },
          { "POST /echo?q=1 HTTP/1.1\r\n", "Content-Length: 0\r\n" },
          { "Content-Type" } },
        { "DELETE", { NULL, 0 }, { "DELETE /echo?q=1 HTTP/1.1\r\n" }, { "Content-" } },
        { "PUT", { "abc", 3 }, { "PUT /echo?q=1 HTTP/1.1\r\n", "\r\n\r\nabc" }, { "Expect" } },
    };
    struct net_world n;
    begin(&n);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_call call = fetch_call_init(row[i].method, at(&n, 0, "/echo?q=1"));
        call.body = row[i].body;
        call.secret = (struct fetch_header){ FG_LIT("Key"), FG_LIT("k") };
        fetch_add_header(&call, FG_LIT("X-Own"), FG_LIT("1"));
        fetch_add_header(&call, FG_LIT("X-Empty"), FG_LIT(""));
        const struct fetch_reply *r = wait_for(&n, &call);
        CHECK_I64(r->end, FETCH_ANSWERED, row[i].method);
        for (size_t k = 0; k < FG_LEN(row[i].want) && row[i].want[k]; k++)
            CHECK(has(r->body, row[i].want[k]), row[i].want[k]);
        for (size_t k = 0; k < FG_LEN(row[i].not_want) && row[i].not_want[k]; k++)
            CHECK(!has(r->body, row[i].not_want[k]), row[i].not_want[k]);
    }
    finish(&n);
}

TEST(reply_headers_are_of_the_last_answer)
{
    struct net_world n;
    begin(&n);
    struct fetch_call call = get(&n, "/echo");
    CHECK_IS(fetch_reply_header(wait_for(&n, &call), FG_LIT("x-twice")), "padded",
             "the first, trimmed");
    CHECK(!fetch_reply_header(&n.r, FG_LIT("absent")).p, "absent is not empty");
    call = get(&n, "/retry");
    CHECK_I64(wait_for(&n, &call)->status, 429, "an answer is an answer");
    CHECK(!fetch_reply_header(&n.r, FG_LIT("x-early")).p, "a 1xx is not the answer");
    CHECK_I64(fetch_retry_after_s(&n.w.cx, &n.r), 7, "Retry-After");
    CHECK_IS(n.r.body, "busy", "body");
    finish(&n);
}

TEST(header_injection_is_refused)
{
    static const struct fg_str bad[] = { { "a\r\nb", 4 }, { "a\nb", 3 }, { "a\0b", 3 } };
    struct net_world n;
    begin(&n);
    for (size_t i = 0; i < FG_LEN(bad); i++) {
        struct fetch_call value = get(&n, "/echo"), name = value, secret = value;
        fetch_add_header(&value, FG_LIT("X"), bad[i]);
        fetch_add_header(&name, bad[i], FG_LIT("x"));
        secret.secret = (struct fetch_header){ FG_LIT("Authorization"), bad[i] };
        CHECK_I64(wait_for(&n, &value)->end, FETCH_REFUSED, "value");
        CHECK_I64(wait_for(&n, &name)->end, FETCH_REFUSED, "name");
        CHECK_I64(wait_for(&n, &secret)->end, FETCH_REFUSED, "secret");
    }
    CHECK_I64(atomic_load(&n.s->arrived), 0, "nothing went out");
    finish(&n);
}

TEST(ends_that_are_no_answer)
{
    static const struct {
        const char *path;
        int64_t timeout_ms, max_bytes;
        enum fetch_end want;
    } row[] = {
        { "/hang", 50, 1000, FETCH_UNKNOWN },      { "/short", 5000, 1000, FETCH_UNKNOWN },
        { "/die", 5000, 1000, FETCH_UNKNOWN },     { "/flood", 5000, 1000, FETCH_TOO_LARGE },
        { "/keep", 5000, 3, FETCH_TOO_LARGE },     { "/keep", 5000, 4, FETCH_ANSWERED },
        { "/keep", 5000, 0, FETCH_TOO_LARGE },     { "/headers", 5000, 1000, FETCH_UNKNOWN },
    };
    struct net_world n;
    begin(&n);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_call call = get(&n, row[i].path);
        call.timeout_ms = row[i].timeout_ms;
        call.max_bytes = row[i].max_bytes;
        CHECK_I64(wait_for(&n, &call)->end, row[i].want, row[i].path);
        CHECK_I64(n.r.status, row[i].want == FETCH_ANSWERED || row[i].want == FETCH_TOO_LARGE ? 200 : 0,
                  "a status only where one came");
        CHECK((n.r.words.n > 0) == (row[i].want != FETCH_ANSWERED), "words only without");
    }
    finish(&n);
}

TEST(nothing_went_out)
{
    struct net_world n;
    begin(&n);
    unsigned port;
    int fd = listen_on(&port);
    close(fd); /* a port where nobody listens now */
    n.conf.fetch_local_origins =
        arena_fmt(n.w.cx.mem, "http://127.0.0.1:%u http://no.such.invalid https://127.0.0.1:%u",
                  port, n.s->port[0]);
    struct fetch_call refused =
        fetch_call_init("POST", arena_fmt(n.w.cx.mem, "http://127.0.0.1:%u/", port));
    refused.once = true;
    CHECK_I64(wait_for(&n, &refused)->end, FETCH_NOT_SENT, "refused connect");
    struct fetch_call unknown = fetch_call_init("GET", FG_LIT("http://no.such.invalid/"));
    CHECK_I64(wait_for(&n, &unknown)->end, FETCH_NOT_SENT, "unknown name");
    struct fetch_call tls =
        fetch_call_init("GET", arena_fmt(n.w.cx.mem, "https://127.0.0.1:%u/", n.s->port[0]));
    tls.timeout_ms = 200;
    CHECK_I64(wait_for(&n, &tls)->end, FETCH_NOT_SENT, "no TLS there");
    CHECK_I64(atomic_load(&n.s->arrived), 0, "truly nothing");
    finish(&n);
}

TEST(a_file_call_writes_and_hashes)
{
    struct net_world n;
    begin(&n);
    char path[] = "/tmp/fgXXXXXX", text[16];
    uint8_t want[HASH_LEN];
    int fd = mkstemp(path);
    CHECK(fd >= 0 && unlink(path) == 0, "a file");
    struct fetch_call call = get(&n, "/to/302?/keep");
    call.redirects = 1;
    call.to_fd = fd;
    CHECK_I64(wait_for(&n, &call)->end, FETCH_ANSWERED,
              "through a redirect, whose body is not wanted");
    CHECK_I64(n.r.body_bytes, 4, "bytes");
    CHECK(!n.r.body.p, "not in memory");
    CHECK(pread(fd, text, sizeof text, 0) == 4 && !memcmp(text, "kept", 4), "in the file");
    hash_plain(FG_LIT("kept"), want);
    CHECK(!memcmp(n.r.body_hash, want, HASH_LEN), "hash");
    close(fd);
    call = get(&n, "/keep");
    call.to_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    CHECK_I64(wait_for(&n, &call)->end, FETCH_LOCAL_IO, "a full disk");
    CHECK_I64(n.r.local_errno, ENOSPC, "errno");
    close(call.to_fd);
    finish(&n);
}

TEST(a_part_of_a_file_goes_out_as_the_body)
{
    struct net_world n;
    begin(&n);
    char path[] = "/tmp/fg-fetch-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && unlink(path) == 0 && write(fd, "0123456789", 10) == 10, "a file");
    struct fetch_call call = fetch_call_init("PUT", at(&n, 0, "/echo"));
    call.body_fd = fd;
    call.body_at = 3;
    call.body_n = 4;
    for (int i = 0; i < 2; i++) { /* the second time over the pooled connection */
        CHECK_I64(wait_for(&n, &call)->end, FETCH_ANSWERED, "sent");
        CHECK(has(n.r.body, "PUT /echo HTTP/1.1\r\n") && has(n.r.body, "Content-Length: 4\r\n"), "the head");
        CHECK(has(n.r.body, "\r\n\r\n3456") && !has(n.r.body, "Expect") && !has(n.r.body, "34567"), "the part, no more");
    }
    call.body_n = 0;
    CHECK(has(wait_for(&n, &call)->body, "Content-Length: 0\r\n"), "nothing is a body too");
    call.body_n = 8;
    CHECK_I64(wait_for(&n, &call)->end, FETCH_LOCAL_IO, "the file is shorter than that");
    call.body_fd = open("/tmp", O_RDONLY | O_CLOEXEC);
    CHECK_I64(wait_for(&n, &call)->end, FETCH_LOCAL_IO, "it cannot be read");
    CHECK_I64(n.r.local_errno, EISDIR, "errno");
    close(call.body_fd);
    close(fd);
    finish(&n);
}

struct order {
    char text[8];
    size_t n;
};

static void came(void *arg, const struct fetch_reply *r)
{
    struct order *o = arg;
    o->text[o->n++] = r->status == 200 ? 'k' : r->status == 404 ? 'n' : '?';
}

TEST(a_delayed_call_begins_later)
{
    struct net_world n;
    struct order o = { .n = 0 };
    begin(&n);
    struct fetch_call late = get(&n, "/keep"), now = get(&n, "/nothing");
    late.delay_ms = 150;
    fetch_start(n.f, &late, came, &o);
    CHECK_I64(wait_for(&n, &now)->status, 404, "who began after it does not wait for it");
    CHECK_I64(o.n, 0, "nor does it come early");
    now.delay_ms = 200;
    CHECK_I64(wait_for(&n, &now)->status, 404, "later");
    CHECK(o.n == 1 && o.text[0] == 'k', "in its turn");
    fetch_start(n.f, &late, came, &o); /* and closing drops what has not begun */
    finish(&n);
}

TEST(proxies_of_the_environment_are_ignored)
{
    static const char *const name[] = { "http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY",
                                        "all_proxy" };
    struct net_world n;
    begin(&n);
    for (size_t i = 0; i < FG_LEN(name); i++)
        CHECK(setenv(name[i], "http://127.0.0.1:1", 1) == 0, "setenv");
    struct fetch_call call = get(&n, "/keep");
    CHECK_I64(wait_for(&n, &call)->end, FETCH_ANSWERED, "straight there");
    for (size_t i = 0; i < FG_LEN(name); i++)
        unsetenv(name[i]);
    finish(&n);
}

/* ---- redirects ---- */

TEST(redirects_are_followed_as_often_as_allowed)
{
    static const struct {
        const char *path;
        int redirects, status, requests;
        const char *method, *why;
    } row[] = {
        { "/to/302?/echo", 0, 302, 1, "POST", "none allowed: the answer itself" },
        { "/to/302?/echo", 1, 200, 2, "GET ", "302 becomes a GET" },
        { "/to/303?/echo", 1, 200, 2, "GET ", "303 too" },
        { "/to/307?/echo", 1, 200, 2, "POST", "307 keeps the method" },
        { "/to/308?/echo", 1, 200, 2, "POST", "308 too" },
        { "/to/304?/echo", 1, 304, 1, "", "304 names no new place" },
        { "/to/302?/to/302?/echo", 1, 302, 2, "", "the second is one too many" },
    };
    struct net_world n;
    begin(&n);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        unsigned before = atomic_load(&n.s->arrived);
        struct fetch_call call = fetch_call_init("POST", at(&n, 0, row[i].path));
        call.body = FG_LIT("{}");
        call.redirects = row[i].redirects;
        CHECK_I64(wait_for(&n, &call)->status, row[i].status, row[i].why);
        CHECK_I64(atomic_load(&n.s->arrived) - before, row[i].requests, row[i].why);
        if (row[i].status == 200)
            CHECK(!strncmp(n.r.body.p, row[i].method, 4) &&
                      has(n.r.body, "{}") == (row[i].method[0] == 'P'),
                  row[i].why);
    }
    finish(&n);
}

TEST(redirect_to_a_private_address_is_refused)
{
    static const char *const to[] = {
        "https://127.0.0.1:1/", "https://10.0.0.1/",           "https://169.254.169.254/latest/",
        "https://2130706433/",  "https://[::ffff:127.0.0.1]/", "http://example.com/",
        "file:///etc/passwd",   "https://u@h.invalid/",        "//127.0.0.1:1/",
        "https://localhost:1/",
    };
    struct net_world n;
    begin(&n);
    for (size_t i = 0; i < FG_LEN(to); i++) {
        struct fetch_call call = get(&n, arena_fmt(n.w.cx.mem, "/to/302?%s", to[i]).p);
        call.redirects = 3;
        CHECK_I64(wait_for(&n, &call)->end, FETCH_REFUSED, to[i]);
    }
    finish(&n);
}

TEST(redirect_from_outside_to_this_machine_is_refused)
{
    struct net_world n;
    begin(&n);
    n.conf.fetch_local_origins = arena_fmt(n.w.cx.mem, "http://127.0.0.1:%u", n.s->port[1]);
    n.f->rules = (struct fetch_rules){ anybody, true };
    struct fetch_call call =
        get(&n, arena_fmt(n.w.cx.mem, "/to/302?%.*s", FG_P(at(&n, 1, "/echo"))).p);
    call.redirects = 3;
    CHECK_I64(wait_for(&n, &call)->end, FETCH_REFUSED, "even to a named origin");
    CHECK_I64(atomic_load(&n.s->arrived), 1, "it was not asked");
    finish(&n);
}

TEST(secret_goes_to_its_own_origin_only)
{
    struct net_world n;
    begin(&n);
    const char *away = arena_fmt(n.w.cx.mem, "/to/307?%.*s", FG_P(at(&n, 1, "/echo"))).p;
    const char *back = arena_fmt(n.w.cx.mem, "/to/307?%.*s", FG_P(at(&n, 1, "/to/307?"))).p;
    back = arena_fmt(n.w.cx.mem, "%s%.*s", back, FG_P(at(&n, 0, "/echo"))).p;
    const struct {
        const char *path;
        bool want;
    } row[] = { { "/echo", true }, { "/to/307?/echo", true }, { away, false }, { back, false } };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_call call = get(&n, row[i].path);
        call.redirects = 3;
        call.secret = (struct fetch_header){ FG_LIT("Authorization"), FG_LIT("Bearer s3cret") };
        CHECK_I64(wait_for(&n, &call)->status, 200, row[i].path);
        CHECK(has(n.r.body, "s3cret") == row[i].want, row[i].path);
    }
    finish(&n);
}

/* The door looks at literal addresses only; whatever a name or a trick resolves to meets the
 * socket's check. */
TEST(number_tricks_are_refused_when_the_socket_is_opened)
{
    static const char *const host[] = { "2130706433",         "0x7f.1", "0x7f000001",
                                        "0177.0.0.1",         "127.1",  "0",
                                        "[::ffff:127.0.0.1]", "[::1]",  "localhost",
                                        "127.0.0.1" };
    struct net_world n;
    begin(&n);
    n.conf.fetch_local_origins = FG_NONE;
    n.f->rules.foreign_http = true;
    for (size_t i = 0; i < FG_LEN(host); i++) {
        struct fg_str url = arena_fmt(n.w.cx.mem, "http://%s:%u/echo", host[i], n.s->port[0]);
        struct fetch_call call = fetch_call_init("GET", url);
        CHECK_I64(wait_for(&n, &call)->end, FETCH_REFUSED, host[i]);
    }
    CHECK_I64(atomic_load(&n.s->accepted), 0, "nobody even connected");
    finish(&n);
}

/* ---- the loop ---- */

struct tally {
    struct fetcher *f;
    const struct fetch_call *again;
    unsigned answered, other;
};

static void count(void *arg, const struct fetch_reply *r)
{
    struct tally *t = arg;
    *(r->end == FETCH_ANSWERED && r->status == 200 ? &t->answered : &t->other) += 1;
    const struct fetch_call *again = t->again;
    t->again = NULL;
    if (again)
        fetch_start(t->f, again, count, t);
}

static void turn_all(struct fetcher *f)
{
    while (fetcher_running(f) > 0) {
        struct pollfd p = { .fd = fetcher_fd(f), .events = POLLIN };
        CHECK(poll(&p, 1, 20000) == 1, "something must happen");
        fetcher_turn(f);
    }
}

static void raise_descriptors(void)
{
    struct rlimit r;
    CHECK(getrlimit(RLIMIT_NOFILE, &r) == 0, "getrlimit");
    if (r.rlim_cur < 4096 && r.rlim_max >= 4096)
        r.rlim_cur = 4096;
    CHECK(setrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur >= 4096, "4096 descriptors");
}

TEST(a_thousand_calls_at_once)
{
    struct net_world n;
    raise_descriptors();
    begin(&n);
    struct tally t = { .f = n.f };
    struct fetch_call call = get(&n, "/crowd");
    for (int i = 0; i < CROWD; i++)
        fetch_start(n.f, &call, count, &t);
    CHECK_I64(fetcher_running(n.f), CROWD, "all are on their way");
    turn_all(n.f);
    CHECK_I64(t.answered, CROWD, "the server answers when all of them wait at once");
    finish(&n);
}

TEST(the_surplus_waits_its_turn)
{
    struct net_world n;
    begin(&n);
    n.f->active_max = 3;
    struct tally t = { .f = n.f };
    struct fetch_call call = get(&n, "/keep");
    for (int i = 0; i < 50; i++)
        fetch_start(n.f, &call, count, &t);
    CHECK_I64(n.f->active_n, 3, "no more than that");
    turn_all(n.f);
    CHECK_I64(t.answered, 50, "none was forgotten");
    CHECK(atomic_load(&n.s->accepted) <= 4, "over few connections");
    finish(&n);
}

TEST(done_is_never_called_from_start_and_may_start_more)
{
    struct net_world n;
    begin(&n);
    struct fetch_call good = get(&n, "/keep"),
                      bad = fetch_call_init("GET", FG_LIT("http://example.com/"));
    struct tally t = { .f = n.f, .again = &good };
    fetch_start(n.f, &bad, count, &t);
    CHECK_I64(t.other, 0, "not from fetch_start");
    CHECK_I64(fetcher_timeout_us(n.f), 0, "a turn is due");
    turn_all(n.f);
    CHECK_I64(t.other, 1, "the refused one");
    CHECK_I64(t.answered, 1, "and the one that followed");
    CHECK_I64(fetcher_timeout_us(n.f), -1, "nothing more to do");
    finish(&n);
}

/* As after a SIGSTOP, or a database that hung: what came in time is not thrown away because we are late. */
TEST(an_answer_that_is_there_counts_however_late_we_look)
{
    struct net_world n;
    begin(&n);
    n.w.env.mono_us = env_real()->mono_us;
    struct tally t = { .f = n.f };
    struct fetch_call call = get(&n, "/hang");
    call.timeout_ms = 300;
    int64_t begun_us = ctx_mono_us(&n.w.cx);
    for (unsigned i = 1; i <= 2; i++) {
        fetch_start(n.f, &call, count, &t);
        while (atomic_load(&n.s->arrived) < i)
            fetcher_turn(n.f);
    }
    CHECK_I64(t.answered + t.other, 0, "both wait");
    answer(n.s->peer[1].fd, "200 OK", FG_LIT("in time"));
    while (ctx_mono_us(&n.w.cx) < begun_us + 500 * FG_US_PER_MS) /* nobody looks */
        (void)poll(NULL, 0, 10);
    turn_all(n.f);
    CHECK_I64(t.answered, 1, "its answer lay there");
    CHECK_I64(t.other, 1, "silence stays silence");
    finish(&n);
}

TEST(close_ends_running_calls_silently)
{
    struct net_world n;
    begin(&n);
    struct tally t = { .f = n.f };
    struct fetch_call hang = get(&n, "/hang"), bad = fetch_call_init("GET", FG_LIT("x"));
    n.f->active_max = 2;
    for (int i = 0; i < 4; i++)
        fetch_start(n.f, &hang, count, &t);
    fetch_start(n.f, &bad, count, &t);
    finish(&n);
    CHECK_I64(t.answered + t.other, 0, "done was not called");
}

TEST(sockets_are_closed_on_exec)
{
    struct net_world n;
    begin(&n);
    struct fetch_call call = get(&n, "/keep");
    (void)wait_for(&n, &call);
    unsigned sockets = 0;
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in peer;
        socklen_t size = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0 || peer.sin_family != AF_INET ||
            ntohs(peer.sin_port) != n.s->port[0])
            continue;
        sockets++;
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC, "close-on-exec");
    }
    CHECK_I64(sockets, 1, "the pooled connection");
    finish(&n);
}
