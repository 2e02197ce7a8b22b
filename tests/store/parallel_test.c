/* 200 creates at once: as many are accepted as there is room for, to the last one; the others hear why, and nothing is left
 * of them. */
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job/action.h"
#include "job/quote.h"
#include "store/money_truth.h"

#define WORKERS 100
#define EACH 2 /* one after the other, by each of the workers, which are processes as in life */
#define REQUESTS (WORKERS * EACH)
#define PRICE 10000
#define PATIENCE_US (20 * FG_US_PER_S)

enum whose { NOBODYS, OWN, SAME }; /* a prompt or a key: one for each request, or one for all */

static const struct round {
    const char *why;
    const char *limits;          /* assignments to the plan's columns; NULL: none */
    int64_t credit, topup;       /* credit -1: it pays later */
    enum whose prompt, key;
    int users, accounts;         /* so many take turns; users 0: none is named */
    int64_t jobs;                /* in the end, of each account */
    enum fg_code others;         /* FG_OK: they hear of the same job */
} rounds[] = {
    { "a day's budget", "day_micro = 10 * 10000", -1, 0, OWN, NOBODYS, 0, 1, 10, FG_BUDGET_EXCEEDED },
    { "and not a micro-unit more", "day_micro = 11 * 10000 - 1", -1, 0, OWN, NOBODYS, 0, 1, 10, FG_BUDGET_EXCEEDED },
    { "a month's budget", "month_micro = 10 * 10000", -1, 0, OWN, NOBODYS, 0, 1, 10, FG_BUDGET_EXCEEDED },
    { "with a margin", "margin_bp = 2500, day_micro = 10 * 12500", -1, 0, OWN, NOBODYS, 0, 1, 10, FG_BUDGET_EXCEEDED },
    { "paid before", NULL, 0, 10 * PRICE, OWN, NOBODYS, 0, 1, 10, FG_BALANCE_TOO_LOW },
    { "paid before, almost", NULL, 0, 11 * PRICE - 1, OWN, NOBODYS, 0, 1, 10, FG_BALANCE_TOO_LOW },
    { "on credit", NULL, 4 * PRICE, 6 * PRICE, OWN, NOBODYS, 0, 1, 10, FG_BALANCE_TOO_LOW },
    { "jobs that have not ended", "outstanding_max = 10", -1, 0, OWN, NOBODYS, 0, 1, 10, FG_JOB_LIMIT },
    { "those of a user", "user_outstanding_max = 10", -1, 0, OWN, NOBODYS, 1, 1, 10, FG_JOB_LIMIT },
    { "of two users", "user_outstanding_max = 5", -1, 0, OWN, NOBODYS, 2, 1, 10, FG_JOB_LIMIT },
    { "jobs a minute", "minute_max = 10", -1, 0, OWN, NOBODYS, 0, 1, 10, FG_RATE_LIMITED },
    { "jobs a day", "day_max = 10", -1, 0, OWN, NOBODYS, 0, 1, 10, FG_RATE_LIMITED },
    { "each with its key", "outstanding_max = 10", -1, 0, OWN, OWN, 0, 1, 10, FG_JOB_LIMIT },
    { "two accounts do not disturb each other", "outstanding_max = 10", -1, 0, OWN, NOBODYS, 0, 2, 10, FG_JOB_LIMIT },
    { "two accounts that paid before", NULL, 0, 10 * PRICE, OWN, NOBODYS, 0, 2, 10, FG_BALANCE_TOO_LOW },
    { "one key", NULL, -1, 0, SAME, SAME, 0, 1, 1, FG_OK },
    { "one key, and room for one", "outstanding_max = 1, minute_max = 1, day_micro = 10000", 0, PRICE, SAME, SAME, 0, 1, 1,
      FG_OK },
    { "one key of two accounts", NULL, -1, 0, SAME, SAME, 0, 2, 1, FG_OK },
    { "one request", NULL, -1, 0, SAME, NOBODYS, 0, 1, 1, FG_DUPLICATE_REQUEST },
    { "one request, and room for one", "outstanding_max = 1, day_micro = 10000", 0, PRICE, SAME, NOBODYS, 0, 1, 1,
      FG_DUPLICATE_REQUEST },
    { "one request of two accounts", NULL, -1, 0, SAME, NOBODYS, 0, 2, 1, FG_DUPLICATE_REQUEST },
    { "one request of ten users", NULL, -1, 0, SAME, NOBODYS, 10, 1, 10, FG_DUPLICATE_REQUEST },
    { "one quote", NULL, -1, 0, OWN, NOBODYS, 0, 1, 1, FG_QUOTE_USED },
    { "one quote, each with its key", NULL, -1, 0, OWN, OWN, 0, 1, 1, FG_QUOTE_USED },
    { "one request, each with its key", NULL, -1, 0, SAME, OWN, 0, 1, REQUESTS, FG_OK },
};

/* Shared with the workers. */
struct hall {
    pthread_barrier_t gate;
    int round;                   /* -1: go home */
    char quote[40];              /* that all of them name, in the rounds of quotes */
    struct told {
        enum fg_code rc;
        bool replayed;
        char id[40];             /* the job's, or that of the one that it would have been a duplicate of */
    } told[REQUESTS];
};

static struct fg_str body_of(struct fg_ctx *cx, const struct hall *h, int n)
{
    const struct round *r = &rounds[h->round];
    struct fg_str user = FG_NONE, quote = FG_NONE, prompt = FG_LIT("a fish");
    if (r->users)
        user = arena_fmt(cx->mem, ",\"userId\":\"user-%d\"", n % r->users);
    if (r->prompt == OWN)
        prompt = arena_fmt(cx->mem, "fish number %d", n);
    if (r->others == FG_QUOTE_USED)
        quote = arena_fmt(cx->mem, ",\"quoteId\":\"%s\"", h->quote);
    return arena_fmt(cx->mem, "{\"prompt\":\"%.*s\",\"aspectRatio\":\"16:9\",\"duration\":5%.*s%.*s}", FG_P(prompt),
                     FG_P(user), FG_P(quote));
}

/* A key in flight is asked for again, as its answer says. */
static void request(struct job_world *w, struct job_env *env, struct hall *h, int n)
{
    const struct round *r = &rounds[h->round];
    struct identity who = w->who;
    struct fg_str key = r->key == OWN ? arena_fmt(w->cx->mem, "k-%d", n) : r->key == SAME ? FG_LIT("k") : FG_NONE;
    struct fg_str body = body_of(w->cx, h, n);
    struct job_answer a;
    int64_t end_us = ctx_mono_us(w->cx) + PATIENCE_US;
    who.account_id = 1 + n % r->accounts;
    enum fg_code rc = FG_IDEMPOTENCY_BUSY;
    while (rc == FG_IDEMPOTENCY_BUSY && ctx_mono_us(w->cx) < end_us) {
        rc = job_create(w->cx, env, &who, body, key, &a);
        (void)sched_yield();
    }
    struct told *t = &h->told[n];
    struct fg_str id = rc == FG_OK ? a.job_id : fg_str_c(w->cx->err.job);
    *t = (struct told){ .rc = rc, .replayed = rc == FG_OK && a.replayed };
    if (id.n < sizeof t->id)
        memcpy(t->id, id.p ? id.p : "", id.n);
}

static _Noreturn void worker(struct job_world *w, struct hall *h, int me)
{
    struct job_env env = w->env;
    (void)alarm(120); /* should another one die, nobody opens the gate */
    t_forked();
    w->t.dice = 1000 + (uint64_t)me;
    CHECK_CODE(w->cx, db_open(w->cx, &env.db, &w->conf, DB_WEB), FG_OK);
    for (;;) {
        (void)pthread_barrier_wait(&h->gate);
        if (h->round < 0)
            _exit(0);
        for (int i = 0; i < EACH; i++)
            request(w, &env, h, me + i * WORKERS);
        (void)pthread_barrier_wait(&h->gate);
    }
}

static void top_up(struct job_world *w, struct db *db, const struct round *r)
{
    bool entered;
    for (int account = 1; account <= 2; account++) {
        struct action record = { .actor = ACTION_OPERATOR, .action = FG_LIT("topup"), .account_id = account };
        struct ledger_entry e = { account, LEDGER_TOPUP, r->topup, FG_NONE, FG_NONE };
        CHECK_CODE(w->cx, action_enter(w->cx, db, &record, &e, &entered), FG_OK);
    }
}

static void new_quote(struct job_world *w, struct hall *h)
{
    struct job_quote q;
    CHECK_CODE(w->cx, job_quote(w->cx, &w->env, &w->who,
                                FG_LIT("{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\",\"duration\":5}"), &q), FG_OK);
    CHECK(q.quote.public_id.n < sizeof h->quote, "room for an id");
    memcpy(h->quote, q.quote.public_id.p, q.quote.public_id.n + 1);
}

static void prepare(struct job_world *w, struct db *db, const struct round *r)
{
    do_sql(w, "DELETE FROM idempotency; DELETE FROM ledger; DELETE FROM due; DELETE FROM job_event; DELETE FROM job; "
              "DELETE FROM account_use; INSERT INTO account_use (account_id) VALUES (1), (2); "
              "UPDATE account SET plan_id = 1; DELETE FROM plan WHERE id > 1");
    do_sql(w, "INSERT INTO plan (id, name, updated_us) VALUES (2, 'of-this-round', 0); "
              "UPDATE account SET plan_id = 2, credit_limit_micro = NULLIF(%lld, -1)", (long long)r->credit);
    if (r->limits)
        do_sql(w, "UPDATE plan SET %s WHERE id = 2", r->limits);
    if (r->topup)
        top_up(w, db, r);
}

/* The first that made one for the account, and for the user where they count. */
static const struct told *maker(const struct hall *h, const struct round *r, int n)
{
    for (int i = 0; i < REQUESTS; i++) {
        bool same = i % r->accounts == n % r->accounts && (!r->users || i % r->users == n % r->users);
        if (same && h->told[i].rc == FG_OK && !h->told[i].replayed)
            return &h->told[i];
    }
    return NULL;
}

static void check_answers(const struct hall *h, const struct round *r)
{
    int64_t made = 0;
    for (int n = 0; n < REQUESTS; n++) {
        const struct told *t = &h->told[n], *first = maker(h, r, n);
        made += t->rc == FG_OK && !t->replayed;
        CHECK(first != NULL, r->why);
        if (t->rc != FG_OK)
            CHECK_STR(fg_str_c(fg_err_info(t->rc)->slug), fg_str_c(fg_err_info(r->others)->slug), r->why);
        if (t->replayed || t->rc == FG_DUPLICATE_REQUEST || t->rc == FG_QUOTE_USED)
            CHECK_STR(fg_str_c(t->id), fg_str_c(first->id), r->why);
    }
    CHECK_I64(made, r->jobs * r->accounts, r->why);
}

/* What was accepted is all that is there. */
static void check_rows(struct job_world *w, const struct round *r)
{
    const struct {
        const char *table;
        int64_t each;
    } rows[] = { { "job", 1 }, { "job_event", 1 }, { "due", 2 }, { "ledger WHERE side = 0", 1 },
                 { "idempotency", r->key != NOBODYS } };
    for (size_t i = 0; i < FG_LEN(rows); i++)
        CHECK_I64(ask(w, "SELECT COUNT(*) FROM %s", rows[i].table), rows[i].each * r->jobs * r->accounts,
                  arena_fmt(w->cx->mem, "%s: %s", r->why, rows[i].table).p);
    for (int account = 1; account <= r->accounts; account++)
        CHECK_I64(ask(w, "SELECT COUNT(*) FROM job WHERE account_id = %d", account), r->jobs, r->why);
    check_money(w, r->why);
}

static void begin_workers(struct job_world *w, struct hall *h, pid_t pid[WORKERS])
{
    pthread_barrierattr_t shared;
    CHECK(pthread_barrierattr_init(&shared) == 0 &&
          pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED) == 0 &&
          pthread_barrier_init(&h->gate, &shared, WORKERS + 1) == 0, "a gate for all");
    for (int i = 0; i < WORKERS; i++)
        if ((pid[i] = fork()) == 0)
            worker(w, h, i);
}

TEST(as_many_as_there_is_room_for_and_nobody_else)
{
    struct job_world w;
    struct db *cli;
    pid_t pid[WORKERS];
    int status;
    struct hall *h = mmap(NULL, sizeof *h, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(h != MAP_FAILED, "shared memory");
    job_world_begin(&w);
    w.conf.limits_duplicate_window_s = 30;
    CHECK_CODE(w.cx, db_open(w.cx, &cli, &w.conf, DB_CLI), FG_OK);
    begin_workers(&w, h, pid);
    for (h->round = 0; h->round < (int)FG_LEN(rounds); h->round++) {
        const struct round *r = &rounds[h->round];
        prepare(&w, cli, r);
        new_quote(&w, h);
        (void)pthread_barrier_wait(&h->gate);
        (void)pthread_barrier_wait(&h->gate);
        check_answers(h, r);
        check_rows(&w, r);
    }
    h->round = -1;
    (void)pthread_barrier_wait(&h->gate);
    for (int i = 0; i < WORKERS; i++)
        CHECK(waitpid(pid[i], &status, 0) == pid[i] && status == 0, "a worker");
    db_close(cli);
    (void)munmap(h, sizeof *h);
    job_world_end(&w, 0);
}
