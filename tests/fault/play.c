#include "fault/play.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/hash.h"
#include "media/gate.h"
#include "money/ledger.h"

#define FILM_MS 5000
#define SECRET FG_LIT("whsec_MDEyMzQ1Njc4OWFiY2RlZg==")

/* ---- what stories are made of ---- */

/* What a client is told then keeps it from nothing. */
bool play_again(enum fg_code rc)
{
    return rc == FG_DB_BUSY || rc == FG_DB_LOST || rc == FG_DB_UNSURE || rc == FG_IDEMPOTENCY_BUSY;
}

void play_create(struct play *x, const char *members)
{
    struct job_answer a;
    char key[32];
    (void)snprintf(key, sizeof key, "key-%u", x->n);
    struct fg_str body = arena_fmt(x->cx->mem, "{\"prompt\":\"fish %u\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                                   "\"metadata\":{\"n\":\"%u\"},\"callbackUrl\":\"%.*s\",%s}", x->n, x->n,
                                   FG_P(at(&x->p, "/job")), members);
    PLAY_INSIST(x, create_job(x->w, body, key, &a));
    x->id = a.job_id;
}

void play_callback(struct play *x)
{
    struct callback_out out;
    struct callback_in in = {
        .provider = FG_LIT("replay"),
        .token = ask_text(x->w, "SELECT a.callback_token FROM attempt a JOIN job j ON j.id = a.job_id WHERE "
                                "j.public_id = '%.*s' ORDER BY a.n DESC LIMIT 1", FG_P(x->id)),
        .body = arena_fmt(x->cx->mem, "{\"type\":\"video.completed\",\"data\":{\"id\":\"%.*s\"}}",
                          FG_P(ask_text(x->w, "SELECT IFNULL(provider_job_id, 'video_%u') FROM job WHERE public_id = '%.*s'",
                                        x->bills, FG_P(x->id)))),
        .headers.webhook_id = arena_fmt(x->cx->mem, "evt_%u", x->n),
    };
    if (!in.token.p || fake_bills(x->w->fake) == x->bills) /* a provider tells of what it has taken */
        return;
    int64_t now_s = x->w->t.utc_us / FG_US_PER_S;
    in.headers.webhook_timestamp = arena_fmt(x->cx->mem, "%lld", (long long)now_s);
    CHECK_CODE(x->cx, webhook_sign(x->cx, SECRET, in.headers.webhook_id, now_s, in.body, &in.headers.webhook_signature),
               FG_OK);
    PLAY_INSIST(x, job_callback(x->cx, &x->w->env, &in, &out));
}

void play_cancel(struct play *x)
{
    struct job j;
    PLAY_INSIST(x, job_cancel(x->cx, &x->w->env, &x->w->who, x->id, &j));
}

void play_erase(struct play *x)
{
    PLAY_INSIST(x, job_erase(x->cx, &x->w->env, &x->w->who, x->id));
}

int64_t play_ask(struct play *x, const char *sql)
{
    const char *p = strstr(sql, "%s");
    FG_ASSERT(p);
    return ask(x->w, "%.*s%.*s%s", (int)(p - sql), sql, FG_P(x->id), p + 2);
}

/* What is due and was not done waits for a provider, or met the fault: a little later, then. */
void play_pass_time(struct play *x)
{
    int64_t now = x->w->t.utc_us, next = ask(x->w, "SELECT MIN(due_us) FROM due");
    clock_add(x->w, next > now ? next - now : FG_US_PER_S);
}

static void play_while(struct play *x, const char *sql)
{
    settle(x->w);
    for (unsigned i = 0; play_ask(x, sql); i++) {
        CHECK(i < 200, x->fault);
        play_pass_time(x);
        settle(x->w);
    }
}

void play_until_there(struct play *x)
{
    play_while(x, "SELECT state = 1 FROM job WHERE public_id = '%s'");
}

void play_on(struct play *x)
{
    play_while(x, "SELECT state < 4 FROM job WHERE public_id = '%s'");
}

void play_new_sweeper(struct play *x)
{
    struct sweeper *s = &x->w->sweeper;
    unsigned tries = 0;
    sweeper_close(s);
    while (sweeper_open(x->cx, s, &x->w->conf, x->w->catalogue, x->w->pepper) != FG_OK && ++tries < PLAY_TRIES_MAX)
        sweeper_close(s);
    CHECK(tries < PLAY_TRIES_MAX, x->fault);
    s->next_upkeep_us = s->retention.next_us = INT64_MAX;
}

void play_told(struct play *x)
{
    settle(x->w);
    for (unsigned i = 0; pending(&x->p); i++) {
        CHECK(i < 500, x->fault);
        next_try(&x->p);
    }
}

#define OF_THE_JOB "FROM due d JOIN job j ON j.id = d.job_id WHERE j.public_id = '%s'"

void play_rest(struct play *x)
{
    for (unsigned i = 0; play_ask(x, "SELECT COUNT(*) " OF_THE_JOB); i++) {
        CHECK(i < 200, x->fault);
        clock_add(x->w, (x->w->conf.sweeper_lease_s + 1) * FG_US_PER_S);
        settle(x->w);
    }
}

unsigned play_bills(struct play *x)
{
    return fake_bills(x->w->fake) - x->bills;
}

bool play_unknown(struct play *x)
{
    return x->doubt && play_ask(x, "SELECT IFNULL(error_code = 'submit_unknown', 0) FROM job WHERE public_id = '%s'");
}

static enum notify_type last_word(struct play *x, enum job_state state)
{
    if (play_ask(x, "SELECT deleted_us FROM job WHERE public_id = '%s'"))
        return NOTIFY_DELETED;
    return state == JOB_SUCCEEDED ? NOTIFY_SUCCEEDED : state == JOB_FAILED ? NOTIFY_FAILED : NOTIFY_EXPIRED;
}

void play_check(struct play *x, enum job_state state, const char *code)
{
    struct ledger_audit a;
    CHECK_I64(play_ask(x, "SELECT state FROM job WHERE public_id = '%s'"), state, x->fault);
    CHECK_STR(ask_text(x->w, "SELECT IFNULL(error_code, '') FROM job WHERE public_id = '%.*s'", FG_P(x->id)),
              fg_str_c(code), x->fault);
    CHECK_CODE(x->cx, ledger_check(x->cx, x->w->sweeper.env.db, &a), FG_OK);
    CHECK_I64(a.open_without_hold + a.terminal_without_end + a.amounts_differ + a.charged_unfinished, 0, x->fault);
    CHECK_I64(play_ask(x, "SELECT COUNT(*) " OF_THE_JOB), 0, x->fault);
    CHECK_I64(play_ask(x, "SELECT COUNT(*) FROM webhook_delivery d JOIN job j ON j.id = d.job_id WHERE j.public_id = "
                          "'%s' AND d.state = 1"), 0, x->fault);
    CHECK_I64(play_ask(x, "SELECT m.type FROM webhook_message m JOIN job j ON j.id = m.job_id WHERE j.public_id = '%s' "
                          "ORDER BY m.sequence DESC LIMIT 1"), last_word(x, state), x->fault);
}

void play_check_delivered(struct play *x)
{
    play_check(x, JOB_SUCCEEDED, "");
    CHECK_I64(play_bills(x), 1, x->fault);
    CHECK_I64(files_of(x->w, x->id), 2, x->fault);
}

void play_check_delivered_or_unknown(struct play *x)
{
    if (!play_unknown(x)) {
        play_check_delivered(x);
        return;
    }
    play_check(x, JOB_FAILED, "submit_unknown");
    CHECK(play_bills(x) <= 1, x->fault);
    CHECK_I64(files_of(x->w, x->id), 0, x->fault);
}

/* ---- performances ---- */

static const char *const kind_names[FAULT_KIND_N] = {
    [FAULT_READ] = "reading", [FAULT_DB] = "statement",  [FAULT_FETCH] = "call",
    [FAULT_FILE] = "file",    [FAULT_CHILD] = "program",
};

static const struct {
    enum fault_way way;
    int error;
    unsigned kinds; /* that it can happen to, and differs from another way */
    const char *what;
} ways[] = {
    { FAULT_FAIL, EIO, ~0u, "fails" },
    { FAULT_FAIL, ENOSPC, 1u << FAULT_FILE, "finds no room" },
    { FAULT_LOSE, EIO, ~(1u << FAULT_CHILD), "is done, and seems to have failed" },
    { FAULT_KILL, 0, ~(1u << FAULT_READ), "is what the process dies before" },
};

/* ---- programs that remember: tests/fault/remember.sh ---- */

static char programs[64]; /* a folder that whoever is jailed may look into, as the database's may not be */

/* Without the limits that a sweeper sets. */
static bool runs(const char *dir, const char *const *argv)
{
    int status = -1;
    pid_t child = fork();
    FG_ASSERT(child >= 0);
    if (child == 0) {
        if (chdir(dir) == 0 && setenv("REMEMBER", "1", 1) == 0)
            (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

static void forget_programs(void)
{
    (void)runs("/", (const char *const[]){ "/bin/rm", "-rf", programs, NULL });
}

static void make_programs(struct play *x)
{
    (void)snprintf(programs, sizeof programs, "/tmp/fgprog.XXXXXX");
    FG_ASSERT(mkdtemp(programs) && chmod(programs, 0755) == 0 && atexit(forget_programs) == 0);
    for (const char *const *name = (const char *const[]){ "ffprobe", "ffmpeg", NULL }; *name; name++) {
        const char *path = arena_fmt(x->cx->mem, "%s/%s", programs, *name).p;
        CHECK(runs(".", (const char *const[]){ "/usr/bin/install", "-m755", "tests/fault/remember.sh", path, NULL }), path);
    }
}

/* What ffprobe and ffmpeg say of the film of these tests they are asked once. */
static void use_programs(struct play *x)
{
    struct conf *conf = &x->w->conf;
    bool first = !programs[0];
    if (first)
        make_programs(x);
    conf->media_ffprobe = arena_fmt(x->cx->mem, "%s/ffprobe", programs);
    conf->media_ffmpeg = arena_fmt(x->cx->mem, "%s/ffmpeg", programs);
    if (!first)
        return;
    const char *film = arena_fmt(x->cx->mem, "%s/real.mp4", db_server_dir()).p;
    const char *poster = arena_fmt(x->cx->mem, "%s/poster.jpg", db_server_dir()).p;
    struct child_call call;
    gate_probe_call(x->cx, conf, film, &call);
    CHECK(runs(call.dir, call.argv), call.argv[0]);
    gate_poster_call(x->cx, conf, film, poster, FILM_MS, &call);
    CHECK(runs(call.dir, call.argv), call.argv[0]);
}

static void begin(struct play *x)
{
    *x = (struct play){ .n = 0 };
    place_begin(&x->p);
    x->w = &x->p.w;
    x->cx = x->p.cx;
    use_programs(x);
    (void)endpoint_at(&x->p, "/all", 0, NULL);
}

static void end(struct play *x)
{
    x->w->t.error_lines = 0; /* there is one for most of what went wrong */
    place_end(&x->p);
}

static void next(struct play *x, const struct story *s)
{
    for (int route = 0; route < FAKE_ROUTE_N; route++)
        fake_unsay(x->w->fake, (enum fake_route)route);
    fake_stuck(x->w->fake, false);
    do_sql(x->w, "DELETE FROM provider_state");
    receiver_forget(x->p.r);
    look_anew(&x->w->sweeper);
    x->n++;
    x->id = FG_NONE;
    x->bills = fake_bills(x->w->fake);
    x->polls = fake_count(x->w->fake, FAKE_POLL);
    if (s->set)
        s->set(x);
}

static int64_t sessions(struct play *x)
{
    return ask(x->w, "SELECT COUNT(*) FROM information_schema.processlist WHERE command <> 'Daemon'");
}

/* The server has noticed that the dead are dead, and undone what they had not committed. */
static bool are_buried(void *arg)
{
    struct play *x = arg;
    return sessions(x) <= x->sessions;
}

/* By a process of its own, which does not get past the effect; then from the beginning, a lease later. */
static void tell_killed(struct play *x, const struct story *s, unsigned at)
{
    int status;
    (void)fflush(stdout);
    x->sessions = sessions(x);
    pid_t child = fork();
    FG_ASSERT(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        job_world_forked(x->w);
        fault_plan(at, FAULT_KILL, 0);
        s->tell(x);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child, "the process ends");
    CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0, x->fault);
    db_server_await(are_buried, x, x->fault);
    clock_add(x->w, (x->w->conf.sweeper_lease_s + 1) * FG_US_PER_S);
    s->tell(x);
}

static void perform(struct play *x, const struct story *s, unsigned at, enum fault_way way, int error)
{
    next(x, s);
    fault_plan(way == FAULT_KILL ? 0 : at, way, error);
    if (way == FAULT_KILL)
        tell_killed(x, s, at);
    else
        s->tell(x);
    fault_plan(0, FAULT_NONE, 0);
    s->good(x);
}

/* The second time folders are there, and keys known. */
static struct play_effects effects_of(struct play *x, const struct story *s)
{
    struct play_effects e = { .max = 4096 };
    x->fault = arena_fmt(x->cx->mem, "%s: nothing goes wrong", s->name).p;
    perform(x, s, 0, FAULT_NONE, 0);
    next(x, s);
    fault_plan(0, FAULT_NONE, 0);
    s->tell(x);
    e.n = fault_count();
    FG_ASSERT(e.n <= e.max);
    e.v = arena_array(x->cx->mem, struct fault_effect, e.max);
    for (unsigned i = 0; i < e.n; i++)
        e.v[i] = fault_get(i);
    s->good(x);
    return e;
}

/* The same effect between the same two others is the same place of the program, which an earlier story may have been
 * through; and the sweeper's loop reads much, and often. */
#define PLACES_MAX 16384
static struct {
    char before[FAULT_NAME_MAX], name[FAULT_NAME_MAX], after[FAULT_NAME_MAX];
} places[PLACES_MAX];
static unsigned place_n;

static const char *name_at(const struct play_effects *e, unsigned i)
{
    return i < e->n ? e->v[i].name : "";
}

static bool same_place(unsigned k, const struct play_effects *e, unsigned i)
{
    return !strcmp(places[k].name, e->v[i].name) && !strcmp(places[k].before, name_at(e, i - 1)) &&
           !strcmp(places[k].after, name_at(e, i + 1));
}

/* known: how many places the stories before this one have been through. */
static bool been_there(const struct play_effects *e, unsigned i, unsigned known)
{
    unsigned upto = e->v[i].kind == FAULT_READ ? place_n : known, k = 0;
    while (k < upto && !same_place(k, e, i))
        k++;
    return k < upto;
}

/* Those that are worth a performance. */
static void choose(const struct play_effects *e, bool *chosen)
{
    unsigned known = place_n;
    for (unsigned i = 0; i < e->n; i++) {
        chosen[i] = !been_there(e, i, known);
        FG_ASSERT(place_n < PLACES_MAX);
        (void)snprintf(places[place_n].before, FAULT_NAME_MAX, "%s", name_at(e, i - 1));
        (void)snprintf(places[place_n].name, FAULT_NAME_MAX, "%s", name_at(e, i));
        (void)snprintf(places[place_n++].after, FAULT_NAME_MAX, "%s", name_at(e, i + 1));
    }
}

void play_all(const struct story *s)
{
    struct play x;
    unsigned performances = 0;
    begin(&x);
    struct play_effects e = effects_of(&x, s);
    bool *chosen = arena_array(x.cx->mem, bool, e.n);
    choose(&e, chosen);
    for (size_t k = 0; k < FG_LEN(ways); k++)
        for (unsigned i = 0; i < e.n; i++) {
            if (!chosen[i] || !(ways[k].kinds & 1u << e.v[i].kind))
                continue;
            performances++;
            x.fault = arena_fmt(x.cx->mem, "%s: %s %u, %s, %s", s->name, kind_names[e.v[i].kind], i + 1, e.v[i].name,
                                ways[k].what).p;
            x.doubt = ways[k].way == FAULT_KILL || e.v[i].kind == FAULT_FETCH;
            perform(&x, s, i + 1, ways[k].way, ways[k].error);
        }
    printf("%s: %u effects, %u performances\n", s->name, e.n, performances);
    end(&x);
}

void play_once(const struct story *s, struct play_effects *seen)
{
    struct play x;
    begin(&x);
    struct play_effects e = effects_of(&x, s);
    for (unsigned i = 0; i < e.n; i++) {
        FG_ASSERT(seen->n < seen->max);
        seen->v[seen->n++] = e.v[i];
    }
    end(&x);
}
