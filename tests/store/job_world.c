#include "store/job_world.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/migrations.h"
#include "money/ledger.h"

#define SQL_MAX 4096
#define ROUNDS_MAX 2000
#define AWAIT_US (60 * FG_US_PER_S) /* real time */

#define MODEL(name)                                                                            \
    "\"models\":{\"" name "-1\":{\"remote\":\"r-1\",\"durations\":{\"min\":5,\"max\":10},"       \
    "\"sizes\":{\"16:9\":{\"480p\":\"854x480\"}},\"defaultResolution\":\"480p\","                \
    "\"image\":\"optional\",\"seed\":true,\"outputLifeSeconds\":86400,"                           \
    "\"price\":{\"currency\":\"USD\",\"per\":\"second\",\"micro\":2000}}}}"
#define PROVIDER(name, extras, callbacks, by, then, wait)                                      \
    "\"" name "\":{\"adapter\":\"openai\",\"urls\":{\"base\":\"http://127.0.0.1:%u/v1\"},"         \
    "\"keyRef\":\"fake\",\"extras\":" extras ",\"callbacks\":" callbacks ",\"concurrency\":8,"     \
    "\"attemptsMax\":2,\"unknown\":{\"by\":\"" by "\",\"waitSeconds\":" wait ","                  \
    "\"then\":\"" then "\"}," MODEL(name)
#define COMFY                                                                                       \
    "\"comfy\":{\"adapter\":\"comfyui\",\"urls\":{\"base\":\"http://127.0.0.1:%u/comfy\"},"         \
    "\"keyRef\":\"fake\",\"concurrency\":8,\"attemptsMax\":2,"                                      \
    "\"unknown\":{\"by\":\"list\",\"waitSeconds\":600,\"then\":\"fail\"},\"models\":{\"comfy-1\":{" \
    "\"remote\":\"r-1\",\"durations\":{\"min\":5,\"max\":10},\"sizes\":{\"16:9\":{\"480p\":\"854x480\"}},"\
    "\"defaultResolution\":\"480p\",\"image\":\"required\",\"parameters\":{"                        \
    "\"prompt\":\"1.inputs.text\",\"image\":\"1.inputs.image\",\"width\":\"1.inputs.w\","           \
    "\"height\":\"1.inputs.h\",\"duration\":{\"name\":\"1.inputs.n\",\"fps\":16}},"                 \
    "\"outputNode\":\"2\",\"workflow\":{\"1\":{\"class_type\":\"Make\","                            \
    "\"inputs\":{\"text\":\"\",\"image\":\"\",\"w\":1,\"h\":1,\"n\":1}},"                           \
    "\"2\":{\"class_type\":\"SaveVideo\",\"inputs\":{\"video\":[\"1\",0]}}},"                       \
    "\"outputLifeSeconds\":86400,\"price\":{\"currency\":\"USD\",\"per\":\"second\",\"micro\":2000}}}}"
#define KEYED                                                                                   \
    "\"keyed\":{\"adapter\":\"fal\",\"urls\":{\"base\":\"http://127.0.0.1:%u/keyed\","                  \
    "\"history\":\"http://127.0.0.1:%u/keyed\",\"jwks\":\"http://127.0.0.1:%u/comfy/keys\"},"         \
    "\"keyRef\":\"fake\",\"callbacks\":true,\"concurrency\":8,\"attemptsMax\":2,"                     \
    "\"unknown\":{\"by\":\"list\",\"waitSeconds\":600,\"then\":\"fail\"},\"models\":{\"keyed-1\":{"       \
    "\"remote\":\"a/b\",\"durations\":{\"min\":5,\"max\":10},\"sizes\":{\"16:9\":{\"480p\":null}},"       \
    "\"defaultResolution\":\"480p\",\"parameters\":{\"prompt\":\"prompt\",\"aspectRatio\":\"ratio\","     \
    "\"resolution\":\"resolution\",\"duration\":{\"name\":\"duration\"}},\"outputLifeSeconds\":3600,"     \
    "\"price\":{\"currency\":\"USD\",\"per\":\"second\",\"micro\":2000}}}}"
#define CATALOGUE                                                                              \
    "{\"defaultRoute\":\"main\",\"routes\":{\"main\":[\"replay-1\"],"                             \
    "\"astray\":[\"nowhere-1\",\"list-1\"],\"pair\":[\"list-1\",\"wait-1\"]},\"providers\":{"       \
    PROVIDER("replay", "true", "true", "replay", "fail", "600") ","                              \
    PROVIDER("list", "false", "false", "list", "fail", "600") ","                                \
    PROVIDER("wait", "false", "false", "waiting", "resubmit", "600") ","                         \
    PROVIDER("nowhere", "true", "false", "replay", "fail", "600") "," COMFY "," KEYED "}}"

static void write_file(const char *path, struct fg_str text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n && close(fd) == 0, path);
}

/* A port that is taken, so that nobody else gets it, and refuses every connection. */
static unsigned closed_port(int *fd)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(*fd, (struct sockaddr *)&a, n) == 0 && getsockname(*fd, (struct sockaddr *)&a, &n) == 0,
          "a port of our own");
    return ntohs(a.sin_port);
}

/* Five seconds of a moving picture, made once per program. */
static struct fg_str real_video(struct job_world *w)
{
    /* Where a picture comes from: the box of the C2PA, as far as its name. Whoever delivers the file keeps it. */
    static const char provenance[] = "\0\0\0\40uuid\330\376\303\326\33\16\110\74\222\227\130\50\207\176\304\201manifes";
    _Static_assert(sizeof provenance == 32, "as the box says");
    static char kept[64 * 1024];
    static size_t n;
    const char *path = arena_fmt(w->cx->mem, "%s/real.mp4", db_server_dir()).p;
    if (n == 0) {
        struct child_call call = {
            .argv = { "/usr/bin/ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i",
                      "testsrc=size=96x64:rate=5:duration=5", "-c:v", "libx264", "-preset", "ultrafast",
                      "-pix_fmt", "yuv420p", "-threads", "1", "-movflags", "+faststart", "-y", path },
            .file_bytes = sizeof kept,
        };
        struct fg_str out;
        CHECK_CODE(w->cx, child_run(w->cx, &call, &out), FG_OK);
        struct fg_str file = t_file(w->cx, path);
        CHECK(file.n > 0 && file.n + sizeof provenance < sizeof kept, "its size");
        memcpy(kept, file.p, file.n);
        memcpy(kept + file.n, provenance, sizeof provenance);
        n = file.n + sizeof provenance;
        write_file(path, (struct fg_str){ kept, n });
    }
    return (struct fg_str){ kept, n };
}

/* As a sweeper's main does; children live in real time. */
static void find_jail(struct job_world *w)
{
    const struct fg_env *env = w->cx->env;
    w->cx->env = env_real();
    CHECK_CODE(w->cx, child_jail_open(w->cx, &w->conf), FG_OK);
    w->cx->env = env;
}

static void configure(struct job_world *w)
{
    static unsigned n;
    unsigned port = fake_port(w->fake), closed = closed_port(&w->closed_fd);
    const char *path = arena_fmt(w->cx->mem, "%s/catalogue-%u.json", db_server_dir(), n).p;
    write_file(path, arena_fmt(w->cx->mem, CATALOGUE, port, port, port, closed, port, port, port,
                               port));
    w->conf.auth_pepper = FG_LIT("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    w->conf.catalogue_file = fg_str_c(path);
    w->conf.media_root = arena_fmt(w->cx->mem, "%s/media-%u", db_server_dir(), n++);
    w->conf.fetch_local_origins = arena_fmt(w->cx->mem, "http://127.0.0.1:%u http://127.0.0.1:%u", port, closed);
    w->conf.provider[0] = (struct conf_provider){
        .name = FG_LIT("fake"), .key = FG_LIT("k"), .webhook_secrets = FG_LIT("whsec_MDEyMzQ1Njc4OWFiY2RlZg==")
    };
    w->conf.provider_n = 1;
    w->conf.media_reserve_bytes = 0; /* a machine that runs tests may be short of room */
}

static void connect_to_look(struct job_world *w)
{
    w->sql = mysql_init(NULL);
    CHECK(w->sql && mysql_real_connect(w->sql, NULL, "root", "", arena_cstr(w->cx->mem, w->conf.db_name), 0,
                                       arena_cstr(w->cx->mem, w->conf.db_socket), CLIENT_MULTI_STATEMENTS),
          "a connection to look through");
    do_sql(w, "SET NAMES utf8mb4; SET SESSION tx_isolation = 'READ-COMMITTED'");
}

static void two_accounts(struct job_world *w)
{
    do_sql(w, "INSERT INTO account (id, public_id, name, created_us) VALUES (1, 'acct_1', 'a', 1), "
              "(2, 'acct_2', 'b', 1); INSERT INTO account_use (account_id) VALUES (1), (2)");
}

void job_world_begin(struct job_world *w)
{
    size_t applied;
    *w = (struct job_world){ .cx = &w->t.cx };
    db_server_start();
    db_server_begin(&w->t, &w->conf);
    w->cx->request_id = FG_LIT("req-1");
    w->fake = fake_new(real_video(w));
    configure(w);
    find_jail(w);
    CHECK_CODE(w->cx, catalogue_load(w->cx, &w->conf, &w->catalogue), FG_OK);
    CHECK_CODE(w->cx, account_pepper(w->cx, &w->conf, w->pepper), FG_OK);
    CHECK_CODE(w->cx, migrate(w->cx, &w->conf, migrations, migration_n, &applied), FG_OK);
    connect_to_look(w);
    two_accounts(w);
    w->who = (struct identity){ .account_id = 1, .key_id = 1, .role = ROLE_APP, .account = "acct_1" };
    w->env = (struct job_env){ .conf = &w->conf, .catalogue = w->catalogue, .pepper = w->pepper, .wake_fd = -1 };
    CHECK_CODE(w->cx, db_open(w->cx, &w->env.db, &w->conf, DB_WEB), FG_OK);
    second_sweeper(w, &w->sweeper);
}

void job_world_forked(struct job_world *w)
{
    t_forked();
    w->t.dice ^= (uint64_t)getpid() << 32;
    connect_to_look(w);
    CHECK_CODE(w->cx, db_open(w->cx, &w->env.db, &w->conf, DB_WEB), FG_OK);
    second_sweeper(w, &w->sweeper);
}

void job_world_end(struct job_world *w, unsigned expected_error_lines)
{
    struct ledger_audit a;
    CHECK_CODE(w->cx, ledger_check(w->cx, w->sweeper.env.db, &a), FG_OK);
    CHECK_I64(a.open_without_hold + a.terminal_without_end + a.amounts_differ + a.charged_unfinished, 0,
              "the books are in order");
    sweeper_close(&w->sweeper);
    db_close(w->env.db);
    catalogue_drop(w->catalogue);
    mysql_close(w->sql);
    fake_free(w->fake);
    close(w->closed_fd);
    t_end(&w->t, expected_error_lines);
}

struct catalogue *open_catalogue(struct job_world *w)
{
    return (struct catalogue *)(uintptr_t)w->catalogue;
}

void clock_add(struct job_world *w, int64_t us)
{
    w->t.utc_us += us;
    w->cx->now_us = w->t.utc_us;
}

void relay_begin(struct job_world *w, struct relayed *r, enum db_program program)
{
    r->conf = w->conf;
    r->direct = w->env.db;
    db_proxy_start(&r->proxy, db_server_dir(), arena_cstr(w->cx->mem, w->conf.db_socket));
    r->conf.db_socket = fg_str_c(r->proxy.path);
    CHECK_CODE(w->cx, db_open(w->cx, &w->env.db, &r->conf, program), FG_OK);
}

void relay_end(struct job_world *w, struct relayed *r)
{
    db_close(w->env.db);
    w->env.db = r->direct;
    db_proxy_stop(&r->proxy);
}

/* ---- looking ---- */

static MYSQL_RES *query(struct job_world *w, const char *fmt, va_list ap)
{
    char text[SQL_MAX];
    int n = vsnprintf(text, sizeof text, fmt, ap), more = 0;
    FG_ASSERT(n > 0 && (size_t)n < sizeof text);
    MYSQL_RES *first = NULL;
    bool ok = mysql_real_query(w->sql, text, (unsigned long)n) == 0;
    while (ok && more == 0) {
        MYSQL_RES *r = mysql_store_result(w->sql);
        CHECK(r || !mysql_field_count(w->sql), arena_fmt(w->cx->mem, "%s: %s", text, mysql_error(w->sql)).p);
        if (first)
            mysql_free_result(r);
        else
            first = r;
        more = mysql_next_result(w->sql);
        ok = more <= 0;
    }
    CHECK(ok, arena_fmt(w->cx->mem, "%s: %s", text, mysql_error(w->sql)).p);
    return first;
}

static struct fg_str first_value(struct job_world *w, MYSQL_RES *r)
{
    FG_ASSERT(r);
    MYSQL_ROW row = mysql_fetch_row(r);
    struct fg_str v = FG_NONE;
    if (row && row[0])
        v = arena_str(w->cx->mem, (struct fg_str){ row[0], mysql_fetch_lengths(r)[0] });
    mysql_free_result(r);
    return v;
}

struct fg_str ask_text(struct job_world *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    MYSQL_RES *r = query(w, fmt, ap);
    va_end(ap);
    return first_value(w, r);
}

int64_t ask(struct job_world *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    MYSQL_RES *r = query(w, fmt, ap);
    va_end(ap);
    struct fg_str v = first_value(w, r);
    return v.n ? strtoll(arena_cstr(w->cx->mem, v), NULL, 10) : 0;
}

void do_sql(struct job_world *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    mysql_free_result(query(w, fmt, ap));
    va_end(ap);
}

struct job job_now(struct job_world *w, struct fg_str id)
{
    struct job j = { .id = 0 };
    CHECK_CODE(w->cx, job_read(w->cx, &w->env, &w->who, id, &j), FG_OK);
    return j;
}

struct fg_str timeline(struct job_world *w, struct fg_str id)
{
    return ask_text(w, "SELECT IFNULL(GROUP_CONCAT(e.kind ORDER BY e.seq SEPARATOR ' '), '') FROM job_event e "
                       "JOIN job j ON j.id = e.job_id WHERE j.public_id = '%.*s' AND e.kind <> 'created'", FG_P(id));
}

void check_place(struct job_world *w, struct fg_str id, enum job_state state, enum job_stage stage,
                 const char *code, const char *why)
{
    struct job j = job_now(w, id);
    struct fg_str none = FG_LIT("");
    CHECK_STR(fg_str_c(job_state_name((enum job_state)j.state)), fg_str_c(job_state_name(state)), why);
    CHECK_STR(fg_str_c(job_stage_name((enum job_stage)j.stage)), fg_str_c(job_stage_name(stage)), why);
    CHECK_STR(j.error_code.p ? j.error_code : none, fg_str_c(code), why);
}

unsigned files_in(struct job_world *w, struct fg_str folder, struct fg_str prefix)
{
    unsigned n = 0;
    DIR *d = opendir(arena_fmt(w->cx->mem, "%.*s/%.*s", FG_P(w->conf.media_root), FG_P(folder)).p);
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.' && fg_starts(fg_str_c(e->d_name), prefix);
    if (d)
        closedir(d);
    return n;
}

unsigned files_of(struct job_world *w, struct fg_str id)
{
    return files_in(w, (struct fg_str){ id.p + 4, 2 }, id);
}

/* ---- acting ---- */

enum fg_code create_job(struct job_world *w, struct fg_str body, const char *key, struct job_answer *out)
{
    *out = (struct job_answer){ 0 };
    return job_create(w->cx, &w->env, &w->who, body, fg_str_c(key), out);
}

struct fg_str new_job(struct job_world *w, const char *model, int64_t deadline_s)
{
    struct job_answer a;
    CHECK_CODE(w->cx, create_job(w, arena_fmt(w->cx->mem, "{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\","
                                              "\"duration\":5,\"model\":\"%s\",\"deadlineSeconds\":%lld}", model,
                                              (long long)deadline_s), NULL, &a), FG_OK);
    return a.job_id;
}

void look_anew(struct sweeper *s)
{
    s->look_now = true;
    s->next_slots_us = s->next_reroute_us = s->next_deliver_us = s->traffic.next_load_us = s->away_until_us = 0;
}

void drain(struct sweeper *s)
{
    int64_t end_us = ctx_mono_us(&s->cx) + AWAIT_US;
    while (sweep_busy(s)) {
        CHECK(ctx_mono_us(&s->cx) < end_us, "what is under way ends");
        sweep_wait(s, -1, -1, 50 * FG_US_PER_MS);
    }
}

void settle_with(struct sweeper *s)
{
    for (unsigned i = 0;; i++) {
        CHECK(i < ROUNDS_MAX, "a sweeper comes to rest");
        look_anew(s);
        (void)sweep_pass(s);
        if (!sweep_busy(s))
            return;
        drain(s);
    }
}

void settle(struct job_world *w)
{
    settle_with(&w->sweeper);
}

void step(struct job_world *w)
{
    if (ask(w, "SELECT COUNT(*) FROM due WHERE due_us <= %lld", (long long)w->t.utc_us))
        settle(w); /* what is left waits for a slot */
    long long now = (long long)w->t.utc_us;
    int64_t next = ask(w, "SELECT MIN(due_us) FROM due WHERE due_us > %lld", now);
    int64_t open = ask(w, "SELECT MIN(IF(breaker, breaker_us, parked_until_us)) FROM provider_state "
                          "WHERE IF(breaker, breaker_us, parked_until_us) > %lld", now);
    CHECK(next > 0, "something is due some time");
    clock_add(w, (open > 0 && open < next ? open : next) - w->t.utc_us);
    settle(w);
}

void run_to_end(struct job_world *w, struct fg_str id)
{
    settle(w);
    for (unsigned i = 0; !job_terminal((enum job_state)job_now(w, id).state); i++) {
        CHECK(i < ROUNDS_MAX, "every job ends");
        step(w);
    }
}

void turn_until_held(struct job_world *w, struct sweeper *s, unsigned n)
{
    int64_t end_us = ctx_mono_us(w->cx) + AWAIT_US;
    while (fake_held(w->fake) < n) {
        CHECK(ctx_mono_us(w->cx) < end_us, "the call arrives");
        look_anew(s);
        (void)sweep_pass(s);
        sweep_wait(s, -1, -1, 5 * FG_US_PER_MS);
    }
}

void second_sweeper(struct job_world *w, struct sweeper *s)
{
    CHECK_CODE(w->cx, sweeper_open(w->cx, s, &w->conf, w->catalogue, w->pepper), FG_OK);
    s->retention.next_us = INT64_MAX; /* of its own accord nothing goes */
    s->next_upkeep_us = INT64_MAX; /* files have real times: it would take them for old ones */
}

void say(struct job_world *w, enum fake_route route, struct fake_reply r)
{
    fake_say(w->fake, route, &r);
}

void say_status(struct job_world *w, const char *word, int progress)
{
    struct fg_str body = progress < 0
        ? arena_fmt(w->cx->mem, "{\"status\":\"%s\"}", word)
        : arena_fmt(w->cx->mem, "{\"status\":\"%s\",\"progress\":%d}", word, progress);
    say(w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .body = body });
}
