/* Creating a job: one transaction, one job per Idempotency-Key, and the truth after a lost COMMIT. */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/json.h"
#include "store/job_world.h"

#define GOOD "{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\",\"duration\":5}"

static int64_t rows(struct job_world *w, const char *table)
{
    return ask(w, "SELECT COUNT(*) FROM %s", table);
}

static void check_nothing(struct job_world *w, const char *why)
{
    static const char *const tables[] = { "job", "job_event", "due", "ledger", "idempotency" };
    for (size_t i = 0; i < FG_LEN(tables); i++)
        CHECK_I64(rows(w, tables[i]), 0, why);
}

TEST(a_create_writes_everything)
{
    struct job_world w;
    struct job_answer a;
    const struct js *body;
    struct fg_str text;
    job_world_begin(&w);
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &a), FG_OK);
    CHECK_I64(a.status, 202, "accepted");
    CHECK(!a.replayed, "for the first time");
    CHECK_CODE(w.cx, js_parse(w.cx, a.body, &body), FG_OK);
    CHECK(js_str(js_get(body, "id"), &text) && fg_eq(text, a.job_id), "the answer is the job");
    CHECK(js_str(js_get(body, "stage"), &text) && FG_IS(text, "waiting"), "as it is");
    struct job j = job_now(&w, a.job_id);
    CHECK_I64(j.price_micro, 10000, "five seconds");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job_event WHERE kind = 'created' AND seq = 1 AND request_id = 'req-1'"),
              1, "its first event");
    CHECK_I64(rows(&w, "due"), 2, "two rows of work");
    CHECK_I64(ask(&w, "SELECT due_us FROM due WHERE kind = %d", DUE_DISPATCH), w.t.utc_us, "submit now");
    CHECK_I64(ask(&w, "SELECT due_us FROM due WHERE kind = %d", DUE_DEADLINE), j.deadline_us, "deadline");
    CHECK_I64(ask(&w, "SELECT amount_micro FROM ledger WHERE side = 0 AND kind = 1 AND job_id = %lld",
                  (long long)j.id), 10000, "a hold of its price");
    CHECK_STR(ask_text(&w, "SELECT answer FROM idempotency"), a.body, "the answer to the key");
    job_world_end(&w, 0);
}

/* Each step fails in its turn; none may leave anything. */
TEST(a_create_that_fails_anywhere_leaves_nothing)
{
    static const char *const table[] = { "job_event", "due", "ledger", "idempotency" };
    struct job_world w;
    struct job_answer a;
    job_world_begin(&w);
    for (size_t i = 0; i < FG_LEN(table); i++) {
        do_sql(&w, "CREATE TRIGGER no BEFORE INSERT ON %s FOR EACH ROW SIGNAL SQLSTATE '45000'", table[i]);
        CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &a), FG_INTERNAL);
        do_sql(&w, "DROP TRIGGER no");
        check_nothing(&w, table[i]);
    }
    CHECK_CODE(w.cx, create_job(&w, FG_LIT("{\"prompt\":\"\"}"), "k", &a), FG_INVALID_REQUEST);
    check_nothing(&w, "a bad request");
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &a), FG_OK);
    job_world_end(&w, 0);
}

TEST(a_key_belongs_to_its_request)
{
    struct job_world w;
    struct job_answer first, again, other;
    job_world_begin(&w);
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &first), FG_OK);
    run_to_end(&w, first.job_id);
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &again), FG_OK);
    CHECK(again.replayed && again.status == 202, "replayed");
    CHECK_STR(again.body, first.body, "the first answer, to the byte, whatever has happened since");
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD " "), "k", &other), FG_IDEMPOTENCY_REUSED);
    CHECK_CODE(w.cx, create_job(&w, FG_LIT("{"), "k", &other), FG_IDEMPOTENCY_REUSED);
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "K", &other), FG_OK);
    CHECK(!fg_eq(other.job_id, first.job_id), "case counts");
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), NULL, &other), FG_OK);
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), NULL, &other), FG_OK);
    CHECK_I64(rows(&w, "job"), 4, "without a key each is its own");
    w.who.account_id = 2;
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &other), FG_OK);
    CHECK(!other.replayed, "another account's key");
    w.who = (struct identity){ .account_id = 1, .role = ROLE_USER, .user_id = "u" };
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &other), FG_OK);
    CHECK(!other.replayed, "another user's key");
    job_world_end(&w, 0);
}

TEST(keys_have_a_form)
{
    static char longest[256 + 1];
    static const char *const bad[] = { "", " ", "a b", "a\n", "\xc3\xa4", longest };
    struct job_world w;
    struct job_answer a;
    job_world_begin(&w);
    memset(longest, 'x', 256);
    for (size_t i = 0; i < FG_LEN(bad); i++)
        CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), bad[i], &a), FG_BAD_HEADER);
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), longest + 1, &a), FG_OK);
    job_world_end(&w, 0);
}

/* The row of a first request that has not committed yet. */
TEST(a_key_in_flight_is_busy_at_once)
{
    struct job_world w;
    struct job_answer first, second;
    job_world_begin(&w);
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &first), FG_OK);
    do_sql(&w, "CREATE TABLE kept AS SELECT * FROM idempotency; DELETE FROM idempotency; "
               "START TRANSACTION; INSERT INTO idempotency SELECT * FROM kept");
    int64_t begun = ctx_mono_us(w.cx);
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &second), FG_IDEMPOTENCY_BUSY);
    CHECK(ctx_mono_us(w.cx) - begun < 3 * FG_US_PER_S, "without waiting for a lock (5 s)");
    CHECK_I64(rows(&w, "job"), 1, "and nothing was made");
    do_sql(&w, "COMMIT");
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &second), FG_OK);
    CHECK(second.replayed && fg_eq(second.job_id, first.job_id), "then it is the first one's answer");
    do_sql(&w, "DELETE FROM idempotency; START TRANSACTION; INSERT INTO idempotency SELECT * FROM kept");
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &second), FG_IDEMPOTENCY_BUSY);
    do_sql(&w, "ROLLBACK");
    CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &second), FG_OK);
    CHECK(!second.replayed, "the first one failed after all");
    job_world_end(&w, 0);
}

/* ---- two at once ---- */

#define ROUNDS 20

/* Shared with the two handlers, which are processes as in life. */
struct race {
    pthread_barrier_t gate;
    struct {
        enum fg_code rc;
        bool replayed;
        char id[40];
    } end[2][ROUNDS];
};

static _Noreturn void handler(struct job_world *w, struct race *r, unsigned me)
{
    struct job_env env = w->env;
    struct job_answer a;
    (void)alarm(60); /* should the other one die, nobody opens the gate */
    w->t.dice = 1000 + me;
    if (db_open(w->cx, &env.db, &w->conf, DB_WEB) != FG_OK)
        _exit(1);
    for (int i = 0; i < ROUNDS; i++) {
        struct fg_str key = arena_fmt(w->cx->mem, "round-%d", i);
        (void)pthread_barrier_wait(&r->gate);
        r->end[me][i].rc = job_create(w->cx, &env, &w->who, FG_LIT(GOOD), key, &a);
        if (r->end[me][i].rc != FG_OK)
            continue;
        r->end[me][i].replayed = a.replayed;
        memcpy(r->end[me][i].id, a.job_id.p, a.job_id.n);
    }
    _exit(0);
}

static void run_handlers(struct job_world *w, struct race *r)
{
    pthread_barrierattr_t shared;
    pid_t pid[2];
    int status;
    CHECK(pthread_barrierattr_init(&shared) == 0 &&
          pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED) == 0 &&
          pthread_barrier_init(&r->gate, &shared, 2) == 0, "a gate for two");
    for (unsigned i = 0; i < 2; i++)
        if ((pid[i] = fork()) == 0)
            handler(w, r, i);
    for (unsigned i = 0; i < 2; i++)
        CHECK(waitpid(pid[i], &status, 0) == pid[i] && status == 0, "a handler");
}

TEST(two_creates_with_one_key_make_one_job)
{
    struct job_world w;
    int made = 0;
    struct race *r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(r != MAP_FAILED, "shared memory");
    job_world_begin(&w);
    run_handlers(&w, r);
    for (int i = 0; i < ROUNDS; i++) {
        for (unsigned k = 0; k < 2; k++) {
            CHECK(r->end[k][i].rc == FG_OK || r->end[k][i].rc == FG_IDEMPOTENCY_BUSY,
                  fg_err_info(r->end[k][i].rc)->slug);
            made += r->end[k][i].rc == FG_OK && !r->end[k][i].replayed;
        }
        if (r->end[0][i].rc == FG_OK && r->end[1][i].rc == FG_OK)
            CHECK(!strcmp(r->end[0][i].id, r->end[1][i].id), "both are told of the same job");
    }
    CHECK_I64(made, ROUNDS, "one of the two makes it");
    CHECK_I64(rows(&w, "job"), ROUNDS, "and only that one is there");
    (void)munmap(r, sizeof *r);
    job_world_end(&w, 0);
}

/* ---- words ---- */

TEST(prompts_come_back_as_they_were)
{
    static char thousand[4 * JOB_PROMPT_MAX + 1];
    static const struct { const char *in, *out; } row[] = {
        { "\xf0\x9f\x90\x9f\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80", NULL }, /* fish, woman astronaut */
        { "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xe2\x80\x8f\xd8\xb3\xd9\x85\xd9\x83\xd8\xa9", NULL },
        { "\xf4\x8f\xbf\xbf e\xcc\x81 \xc3\xa9", NULL }, /* the last code point; two ways to say e acute */
        { "  a  b \xe2\x80\x83", "a  b" },
        { "'; DROP TABLE job; -- \\x %s %n", NULL },
        { thousand, NULL },
    };
    struct job_world w;
    struct job_answer a;
    job_world_begin(&w);
    for (size_t i = 0; i < JOB_PROMPT_MAX; i++)
        memcpy(thousand + 4 * i, "\xf0\x9f\x90\x9f", 4);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct sb b = sb_in(w.cx->mem, JOB_BODY_MAX);
        sb_add(&b, FG_LIT("{\"aspectRatio\":\"16:9\",\"duration\":5,\"prompt\":"));
        sb_add_json(&b, fg_str_c(row[i].in));
        sb_add(&b, FG_LIT("}"));
        CHECK_CODE(w.cx, create_job(&w, sb_str(&b), NULL, &a), FG_OK);
        CHECK_STR(job_now(&w, a.job_id).prompt, fg_str_c(row[i].out ? row[i].out : row[i].in), "byte for byte");
    }
    job_world_end(&w, 0);
}

/* ---- a COMMIT without an answer ---- */

TEST(a_commit_that_was_not_answered_is_looked_up)
{
    static const struct { const char *why; enum db_proxy_trick trick; enum fg_code rc; int64_t jobs; } row[] = {
        { "committed", PROXY_LOSE_COMMIT_ANSWER, FG_OK, 1 },
        { "not committed", PROXY_LOSE_COMMIT, FG_DB_LOST, 1 },
    };
    struct job_world w;
    struct relayed r;
    struct job_answer a, again;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        relay_begin(&w, &r, DB_WEB);
        *r.proxy.trick = (int)row[i].trick;
        CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &a), row[i].rc);
        CHECK_I64(rows(&w, "job"), row[i].rc == FG_OK, row[i].why);
        CHECK(strstr(w.t.lines, "create_commit_unknown"), "it is told to the operator");
        CHECK_CODE(w.cx, create_job(&w, FG_LIT(GOOD), "k", &again), FG_OK);
        CHECK_I64(again.replayed, row[i].rc == FG_OK, row[i].why);
        CHECK_I64(rows(&w, "job"), row[i].jobs, "one job in the end");
        relay_end(&w, &r);
        job_world_end(&w, 0);
    }
}
