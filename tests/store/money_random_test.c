/* Everything that moves money, at random and at once, by processes of which some are killed and some lose their connection
 * in the middle of a COMMIT; after each round all that must be so is so. The product's own functions do it, in
 * transactions as handlers, sweeper and operator have them.
 *
 * MONEY_SEED=N plays another game: what is done follows from it, when it meets what others do does not. */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/scan.h"
#include "job/action.h"
#include "store/money_truth.h"

#define SEED 20300101
#define ROUNDS 20
#define ACTORS 6
#define OPS 45
#define ACCOUNTS 4
#define DEATH_US 3000 /* after the beginning of something: about as long as that takes */
#define MICRO_EACH 2500 /* a second: the catalogue's 2000, and a quarter of it */

/* How an actor's time ends: all is done; it is killed; or it lost its connection several times before it was done. */
enum fate { FATE_DONE, FATE_KILLED, FATE_CUT };

#define OPERATIONS(X) X(create) X(advance) X(fail) X(expire) X(cancel) X(erase) X(topup) X(adjust) X(replan)
enum op {
#define X(name) OP_##name,
    OPERATIONS(X)
#undef X
};
#define OP_N (OP_replan + 1)
static const char *const op_names[] = {
#define X(name) #name,
    OPERATIONS(X)
#undef X
};

/* Shared by all processes. */
struct stage {
    int64_t ended[OP_N][64];           /* with which code */
    int64_t acknowledged;              /* jobs of which somebody was told */
    int64_t cuts;
};

struct actor {
    struct job_world *w;
    struct stage *stage;
    struct db *cli;
    struct relayed relay;
    enum fate fate;
    uint64_t dice;
    int me, account;
};

static uint64_t seed(void)
{
    uint64_t n;
    const char *given = getenv("MONEY_SEED");
    return given && scan_all_u64(fg_str_c(given), UINT64_MAX, &n) ? n : SEED;
}

/* splitmix64 */
static int64_t roll(uint64_t *dice, int64_t below)
{
    uint64_t z = (*dice += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (int64_t)((z ^ (z >> 31)) % (uint64_t)below);
}

/* Public id of one of the account's jobs; FG_NONE. */
static struct fg_str some_job(struct actor *a, const char *states)
{
    return ask_text(a->w, "SELECT public_id FROM job WHERE account_id = %d AND state IN (%s) ORDER BY RAND(%lld) LIMIT 1",
                    a->account, states, (long long)roll(&a->dice, 1000000));
}

/* ---- what is done ---- */

static enum fg_code do_create(struct actor *a)
{
    struct fg_ctx *cx = a->w->cx;
    struct job_answer out;
    struct fg_str key = FG_NONE;
    const char *user = "";
    if (roll(&a->dice, 3) == 0)
        key = arena_fmt(cx->mem, "k-%lld", (long long)roll(&a->dice, 200));
    if (roll(&a->dice, 2))
        user = arena_fmt(cx->mem, ",\"userId\":\"u%lld\"", (long long)roll(&a->dice, 2)).p;
    /* With a key the body follows from it: a key is of one request. */
    int64_t n = key.p ? 0 : roll(&a->dice, 60);
    struct fg_str body = arena_fmt(cx->mem, "{\"prompt\":\"fish %lld\",\"aspectRatio\":\"16:9\",\"duration\":%lld%s}",
                                   (long long)n, (long long)(5 + n % 6), key.p ? "" : user);
    enum fg_code rc = job_create(cx, &a->w->env, &a->w->who, body, key, &out);
    if (rc == FG_OK && !out.replayed)
        (void)__atomic_fetch_add(&a->stage->acknowledged, 1, __ATOMIC_RELAXED);
    return rc;
}

struct moving {
    struct fg_str id;
    int64_t row;
    enum job_event event; /* EV_CREATED: the next on the way to success */
    bool charged;
    int64_t bytes;
};

static const struct job_change changes[JOB_EVENT_N] = {
    [EV_CLAIM] = { .event = EV_CLAIM },
    [EV_NOT_ACCEPTED] = { .event = EV_NOT_ACCEPTED },
    [EV_ACCEPTED] = { .event = EV_ACCEPTED },
    [EV_STARTED] = { .event = EV_STARTED },
    [EV_OUTPUT] = { .event = EV_OUTPUT },
    [EV_STORED] = { .event = EV_STORED },
    [EV_FAILED] = { .event = EV_FAILED, .reason = JOB_R_PROVIDER_FAILED },
    [EV_DEADLINE] = { .event = EV_DEADLINE, .reason = JOB_R_DEADLINE_EXCEEDED },
};
static const enum job_event onwards[] = {
    [STAGE_WAITING] = EV_CLAIM, [STAGE_SUBMITTING] = EV_ACCEPTED, [STAGE_SUBMIT_UNKNOWN] = EV_NOT_ACCEPTED,
    [STAGE_AT_PROVIDER] = EV_STARTED, [STAGE_RENDERING] = EV_OUTPUT, [STAGE_STORING] = EV_STORED,
};

static enum fg_code keep_file(struct fg_ctx *cx, struct db *db, const struct job *j, int64_t bytes)
{
    enum fg_code rc = db_run(cx, db, SQL_OUTPUT_INSERT,
                             DB_ARGS(DB(j->id), DB(FG_LIT("aa/v.mp4")), DB(FG_LIT("aa/v.jpg")), DB(0), DB(bytes),
                                     DB(FG_LIT("00000000000000000000000000000000")), DB(854), DB(480), DB(5000),
                                     DB(cx->now_us)));
    return rc == FG_OK ? ledger_storage(cx, db, j->account_id, bytes) : rc;
}

static enum fg_code move_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    const struct moving *m = arg;
    struct job j;
    struct job_place to;
    enum fg_code rc = job_by_id(cx, db, m->row, &j);
    if (rc != FG_OK || job_terminal((enum job_state)j.state))
        return rc;
    enum job_event event = m->event == EV_CREATED ? onwards[j.stage] : m->event;
    if (!job_next((enum job_stage)j.stage, event, &to))
        event = onwards[j.stage];
    struct job_change ch = changes[event];
    if (event == EV_FAILED && m->charged) {
        ch.reason = JOB_R_BLOCKED_PROMPT;
        ch.charged = true;
    }
    j.attempt_n += event == EV_CLAIM;
    j.output_state = event == EV_STORED ? OUTPUT_STORED : j.output_state;
    rc = job_move(cx, db, &j, &ch);
    return rc == FG_OK && event == EV_STORED ? keep_file(cx, db, &j, m->bytes) : rc;
}

static enum fg_code move(struct actor *a, struct moving m)
{
    struct fg_str row = some_job(a, "1, 2, 3");
    if (!row.p)
        return FG_NOT_FOUND;
    m.row = ask(a->w, "SELECT id FROM job WHERE public_id = '%.*s'", FG_P(row));
    m.bytes = 1000 + roll(&a->dice, 100000);
    return db_tx(a->w->cx, a->w->sweeper.env.db, move_body, &m);
}

static enum fg_code do_advance(struct actor *a)
{
    enum fg_code rc = FG_OK;
    for (int64_t i = roll(&a->dice, 5); i >= 0 && rc == FG_OK; i--)
        rc = move(a, (struct moving){ .event = EV_CREATED });
    return rc;
}

static enum fg_code do_fail(struct actor *a)
{
    return move(a, (struct moving){ .event = EV_FAILED, .charged = roll(&a->dice, 4) == 0 });
}

static enum fg_code do_expire(struct actor *a)
{
    return move(a, (struct moving){ .event = EV_DEADLINE });
}

static enum fg_code do_cancel(struct actor *a)
{
    struct job j;
    struct fg_str id = some_job(a, "1, 2, 3");
    return id.p ? job_cancel(a->w->cx, &a->w->env, &a->w->who, id, &j) : FG_NOT_FOUND;
}

static enum fg_code do_erase(struct actor *a)
{
    struct fg_str id = some_job(a, "4, 5, 6");
    return id.p ? job_erase(a->w->cx, &a->w->env, &a->w->who, id) : FG_NOT_FOUND;
}

/* References are few, so that many are entered again. */
static enum fg_code enter(struct actor *a, enum ledger_kind kind, int64_t most)
{
    bool entered;
    struct ledger_entry e = { .account_id = a->account, .kind = kind, .amount_micro = 1 + roll(&a->dice, most) };
    if (roll(&a->dice, 2)) {
        int64_t n = roll(&a->dice, 40);
        e.reference = arena_fmt(a->w->cx->mem, "%d-%lld", (int)kind, (long long)n);
        e.amount_micro = 1 + n * 1000;
    }
    if (kind == LEDGER_ADJUST && e.amount_micro % 2)
        e.amount_micro = -e.amount_micro;
    struct action record = { .actor = ACTION_OPERATOR, .action = FG_LIT("adjust"), .account_id = a->account };
    return action_enter(a->w->cx, a->cli, &record, &e, &entered);
}

static enum fg_code do_topup(struct actor *a)
{
    return enter(a, LEDGER_TOPUP, 60000);
}

static enum fg_code do_adjust(struct actor *a)
{
    return enter(a, LEDGER_ADJUST, 5000);
}

/* The third account's alone: the others' limits are known. */
static enum fg_code do_replan(struct actor *a)
{
    return plan_assign(a->w->cx, a->cli, 3, roll(&a->dice, 2) ? FG_LIT("tight") : FG_LIT("loose"));
}

static const struct {
    int64_t weight;
    enum fg_code (*run)(struct actor *a);
    enum fg_code fine[10];     /* besides FG_OK, and what a cut connection gives */
} ops[OP_N] = {
    [OP_create] = { 38, do_create,
                    { FG_RATE_LIMITED, FG_JOB_LIMIT, FG_BUDGET_EXCEEDED, FG_BALANCE_TOO_LOW, FG_STORAGE_LIMIT,
                      FG_DUPLICATE_REQUEST, FG_IDEMPOTENCY_BUSY, FG_TOO_MANY_BLOCKED } },
    [OP_advance] = { 24, do_advance, { FG_NOT_FOUND, FG_JOB_MOVED } },
    [OP_fail] = { 6, do_fail, { FG_NOT_FOUND, FG_JOB_MOVED } },
    [OP_expire] = { 4, do_expire, { FG_NOT_FOUND, FG_JOB_MOVED } },
    [OP_cancel] = { 8, do_cancel, { FG_NOT_FOUND, FG_JOB_MOVED, FG_JOB_FINISHED } },
    [OP_erase] = { 8, do_erase, { FG_NOT_FOUND, FG_JOB_MOVED } },
    [OP_topup] = { 8, do_topup, { FG_OK } },
    [OP_adjust] = { 4, do_adjust, { FG_OK } },
    [OP_replan] = { 2, do_replan, { FG_OK } },
};

/* ---- an actor ---- */

static enum op choose(struct actor *a)
{
    int64_t sum = 0, n = 0;
    for (int i = 0; i < OP_N; i++)
        sum += ops[i].weight;
    int64_t at = roll(&a->dice, sum);
    int i = 0;
    for (; (n += ops[i].weight) <= at; i++)
        ;
    return (enum op)i;
}

static bool is_fine(const struct actor *a, enum op op, enum fg_code rc)
{
    bool fine = rc == FG_OK || (a->fate == FATE_CUT && (rc == FG_DB_LOST || rc == FG_DB_UNSURE));
    for (size_t i = 0; i < FG_LEN(ops[op].fine); i++)
        fine |= ops[op].fine[i] == rc;
    return fine;
}

/* The next COMMIT but some is lost, or its answer is. */
static void sharpen(struct actor *a)
{
    if (a->fate != FATE_CUT || *a->relay.proxy.trick != PROXY_PASS)
        return;
    *a->relay.proxy.skip = (int)roll(&a->dice, 4);
    *a->relay.proxy.trick = roll(&a->dice, 2) ? PROXY_LOSE_COMMIT : PROXY_LOSE_COMMIT_ANSWER;
    (void)__atomic_fetch_add(&a->stage->cuts, 1, __ATOMIC_RELAXED);
}

static void act(struct actor *a)
{
    a->account = a->me % 2 ? 1 + (int)roll(&a->dice, ACCOUNTS) : 1 + a->me / 2 % ACCOUNTS;
    a->w->who.account_id = a->account;
    enum op op = choose(a);
    sharpen(a);
    enum fg_code rc = ops[op].run(a);
    (void)__atomic_fetch_add(&a->stage->ended[op][rc], 1, __ATOMIC_RELAXED);
    CHECK(is_fine(a, op, rc), arena_fmt(a->w->cx->mem, "%s gave %s: %s | %s", op_names[op], fg_err_info(rc)->slug,
                                        a->w->cx->err.detail, a->w->cx->err.cause).p);
}

/* kill -9 by the kernel, wherever that finds us. */
static void die_within(int64_t us, uint64_t *dice)
{
    struct sigevent death = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
    struct itimerspec in = { .it_value.tv_nsec = 1000 * (1 + roll(dice, us)) };
    timer_t timer;
    CHECK(timer_create(CLOCK_MONOTONIC, &death, &timer) == 0 && timer_settime(timer, 0, &in, NULL) == 0, "a timer");
}

static _Noreturn void play(struct job_world *w, struct stage *st, int round, int me, enum fate fate)
{
    struct actor a = { .w = w, .stage = st, .me = me, .fate = fate,
                       .dice = seed() ^ ((uint64_t)round << 16) ^ ((uint64_t)me << 8) };
    (void)alarm(120);
    job_world_forked(w);
    CHECK_CODE(w->cx, db_open(w->cx, &a.cli, &w->conf, DB_CLI), FG_OK);
    if (fate == FATE_CUT) {
        db_close(w->env.db);
        relay_begin(w, &a.relay, DB_WEB);
    }
    int64_t last = roll(&a.dice, OPS);
    for (int64_t i = 0; i < OPS || fate == FATE_KILLED; i++) {
        if (fate == FATE_KILLED && i == last)
            die_within(DEATH_US, &a.dice);
        act(&a);
    }
    if (fate == FATE_CUT)
        db_proxy_stop(&a.relay.proxy);
    _exit(0);
}

/* ---- a round ---- */

/* One is killed and one is cut, each time another. */
static void play_round(struct job_world *w, struct stage *st, int round)
{
    pid_t pid[ACTORS];
    int killed = round % ACTORS, cut = (round + 3) % ACTORS, status;
    for (int i = 0; i < ACTORS; i++)
        if ((pid[i] = fork()) == 0)
            play(w, st, round, i, i == killed ? FATE_KILLED : i == cut ? FATE_CUT : FATE_DONE);
    for (int i = 0; i < ACTORS; i++) {
        CHECK(waitpid(pid[i], &status, 0) == pid[i], "an actor's end: its alarm sees to it");
        if (i == killed)
            CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "killed");
        else
            CHECK(status == 0, "an actor does what it may");
    }
}

/* 1: prepaid; 2: on credit; 3: prepaid, of changing plans; 4: pays later. */
static void set_up(struct job_world *w)
{
    do_sql(w, "INSERT INTO plan (id, name, margin_bp, outstanding_max, user_outstanding_max, minute_max, day_max, day_micro, "
              "month_micro, storage_bytes, updated_us) VALUES "
              "(2, 'tight', 2500, 7, 4, 15, 40, 250000, 1200000, NULL, 0), "
              "(3, 'loose', 2500, 12, 7, 30, 80, 500000, 2500000, 4000000, 0)");
    do_sql(w, "INSERT INTO account (id, public_id, name, created_us) VALUES (3, 'acct_3', 'c', 1), (4, 'acct_4', 'd', 1); "
              "INSERT INTO account_use (account_id) VALUES (3), (4); UPDATE account SET plan_id = IF(id IN (1, 4), 2, 3), "
              "credit_limit_micro = CASE id WHEN 2 THEN 50000 WHEN 4 THEN NULL ELSE 0 END; "
              "CREATE TABLE seen (id BIGINT PRIMARY KEY, price_micro BIGINT, currency CHAR(3)) ");
    w->conf.limits_duplicate_window_s = 30;
}

/* Of the third account, those of the plan that has more. */
static void check_limits(struct job_world *w, const char *why)
{
    static const char *const over[] = {
        "u.outstanding_n > p.outstanding_max", "u.minute_n > p.minute_max", "u.day_n > p.day_max",
        "u.day_micro > p.day_micro", "u.month_micro > p.month_micro",
        "(SELECT MAX(n) FROM (SELECT account_id, COUNT(*) AS n FROM job WHERE state < 4 AND user_id IS NOT NULL GROUP BY "
        "account_id, user_id) c WHERE c.account_id = u.account_id) > p.user_outstanding_max",
        /* what was taken away by hand may have brought it lower than jobs may */
        "u.balance_micro < -a.credit_limit_micro + (SELECT IFNULL(SUM(l.amount_micro), 0) FROM ledger l WHERE "
        "l.account_id = u.account_id AND l.kind = 4 AND l.amount_micro < 0)",
    };
    for (size_t i = 0; i < FG_LEN(over); i++)
        CHECK_I64(ask(w, "SELECT COUNT(*) FROM account_use u JOIN account a ON a.id = u.account_id "
                         "JOIN plan p ON p.id = IF(a.id = 3, 3, a.plan_id) WHERE %s", over[i]), 0,
                  arena_fmt(w->cx->mem, "%s: %s", why, over[i]).p);
}

static void check_prices(struct job_world *w, const char *why)
{
    CHECK_I64(ask(w, "SELECT COUNT(*) FROM job j JOIN seen s ON s.id = j.id WHERE j.price_micro <> s.price_micro OR "
                     "j.currency <> s.currency"), 0, why);
    CHECK_I64(ask(w, "SELECT COUNT(*) FROM job WHERE price_micro <> duration_s * %d", MICRO_EACH), 0, why);
    do_sql(w, "INSERT INTO seen SELECT id, price_micro, currency FROM job WHERE id NOT IN (SELECT id FROM seen)");
}

static void check_all(struct job_world *w, const struct stage *st, const char *why)
{
    check_money(w, why);
    check_limits(w, why);
    check_prices(w, why);
    CHECK(ask(w, "SELECT COUNT(*) FROM job") >= st->acknowledged, "nothing that somebody was told of is gone");
}

/* Whatever is still open ends; then nothing is held. */
static void end_all(struct job_world *w)
{
    struct moving m = { .event = EV_DEADLINE, .bytes = 1 };
    while ((m.row = ask(w, "SELECT id FROM job WHERE state < 4 LIMIT 1")))
        CHECK_CODE(w->cx, db_tx(w->cx, w->sweeper.env.db, move_body, &m), FG_OK);
    CHECK_I64(ask(w, "SELECT SUM(outstanding_n) FROM account_use"), 0, "nothing is under way");
    CHECK_I64(ask(w, "SELECT SUM(balance_micro) FROM account_use"),
              ask(w, "SELECT SUM(IF(kind = 2, -amount_micro, amount_micro)) FROM ledger WHERE kind IN (2, 4, 5)"),
              "what came in, less what was charged");
}

/* A game in which something never came about has not shown anything about it. */
static void check_variety(const struct stage *st)
{
    static const enum fg_code refusals[] = { FG_JOB_LIMIT, FG_BUDGET_EXCEEDED, FG_BALANCE_TOO_LOW, FG_DUPLICATE_REQUEST };
    for (int i = 0; i < OP_N; i++)
        CHECK(st->ended[i][FG_OK] > 0, op_names[i]);
    for (size_t i = 0; i < FG_LEN(refusals); i++)
        CHECK(st->ended[OP_create][refusals[i]] > 0, fg_err_info(refusals[i])->slug);
    CHECK(st->cuts > ROUNDS, "connections were cut");
}

static void tell(const struct stage *st)
{
    for (int i = 0; i < OP_N; i++)
        for (int code = 0; code < 64; code++)
            if (st->ended[i][code])
                printf("%s %s: %lld\n", op_names[i], fg_err_info((enum fg_code)code)->slug,
                       (long long)st->ended[i][code]);
    (void)fflush(stdout);
}

TEST(whatever_happens_the_books_are_right)
{
    static const int64_t passes_s[] = { 1, 31, 61, 3600, 86400, 86400, 20 * 86400 };
    struct job_world w;
    uint64_t dice = seed();
    struct stage *st = mmap(NULL, sizeof *st, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(st != MAP_FAILED, "shared memory");
    printf("MONEY_SEED=%llu\n", (unsigned long long)dice);
    (void)fflush(stdout);
    job_world_begin(&w);
    set_up(&w);
    for (int round = 0; round < ROUNDS; round++) {
        const char *why = arena_fmt(w.cx->mem, "round %d", round).p;
        play_round(&w, st, round);
        check_all(&w, st, why);
        clock_add(&w, passes_s[roll(&dice, FG_LEN(passes_s))] * FG_US_PER_S);
    }
    tell(st);
    end_all(&w);
    check_all(&w, st, "in the end");
    check_variety(st);
    (void)munmap(st, sizeof *st);
    job_world_end(&w, 0);
}
