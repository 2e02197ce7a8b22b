/* db.c when things go wrong: locks, deadlocks, lost connections, answers that never arrive. Whatever a code
 * promises ("nothing was changed", "may or may not") is held against what is in the table afterwards. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "io/child.h"
#include "store/db_proxy.h"
#include "store/db_thing.h"

static const struct db_col one_i64[] = { { DB_TAG_I64, 0 } };

/* Adds 1 to two rows; between them tells the other side and waits for it, the first time only. */
struct crossing {
    int64_t first, second;
    int tell, hear;
    int tries;
};

static enum fg_code add_one(struct fg_ctx *cx, struct db *db, int64_t id)
{
    return db_run(cx, db, SQL_ADD, DB_ARGS(DB(1), DB(id)));
}

static enum fg_code cross(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct crossing *c = arg;
    char byte = 0;
    enum fg_code rc = add_one(cx, db, c->first);
    if (rc != FG_OK)
        return rc;
    if (c->tries++ == 0 && (write(c->tell, &byte, 1) != 1 || read(c->hear, &byte, 1) != 1))
        return fg_fail(cx, FG_IO, "pipe");
    return add_one(cx, db, c->second);
}

TEST(deadlock_is_repeated_and_both_commit)
{
    struct thing_world w;
    int to[2], from[2];
    thing_begin(&w);
    thing_put(&w, 1, 0);
    thing_put(&w, 2, 0);
    CHECK(pipe(to) == 0 && pipe(from) == 0, "pipes");
    pid_t other = fork();
    if (other == 0) {
        struct db *db;
        struct crossing c = { .first = 2, .second = 1, .tell = from[1], .hear = to[0] };
        bool ok = db_open(w.cx, &db, &w.conf, DB_WEB) == FG_OK && db_tx(w.cx, db, cross, &c) == FG_OK;
        _exit(ok ? 10 + c.tries : 0);
    }
    struct crossing c = { .first = 1, .second = 2, .tell = to[1], .hear = from[0] };
    CHECK_CODE(w.cx, db_tx(w.cx, w.db, cross, &c), FG_OK);
    int status;
    CHECK(waitpid(other, &status, 0) == other && WIFEXITED(status) && WEXITSTATUS(status) > 10, "both commit");
    CHECK(c.tries + WEXITSTATUS(status) - 10 >= 3, "one of them was the victim");
    CHECK_I64(thing_n(&w, w.db, 1), 2, "each counted once");
    CHECK_I64(thing_n(&w, w.db, 2), 2, "each counted once");
    for (int i = 0; i < 2; i++)
        close(to[i]), close(from[i]);
    thing_end(&w, 0);
}

struct counted {
    int64_t id;
    int tries;
    enum fg_code end; /* what the body returns after its statement */
};

static enum fg_code add_counted(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct counted *c = arg;
    c->tries++;
    enum fg_code rc = add_one(cx, db, c->id);
    if (rc != FG_OK || c->end == FG_OK)
        return rc;
    return fg_fail(cx, c->end, "as the body says");
}

TEST(any_other_code_of_the_body_rolls_back_and_comes_back)
{
    struct thing_world w;
    thing_begin(&w);
    thing_put(&w, 1, 0);
    struct counted c = { .id = 1, .end = FG_NOT_FOUND };
    CHECK_CODE(w.cx, db_tx(w.cx, w.db, add_counted, &c), FG_NOT_FOUND);
    CHECK(strcmp(w.cx->err.detail, "as the body says") == 0, "with the body's own words");
    CHECK_I64(c.tries, 1, "not repeated");
    CHECK_I64(thing_n(&w, w.db, 1), 0, "rolled back");
    thing_end(&w, 0);
}

/* Another connection that holds row 1 in a transaction until it is closed. */
static struct db *holder(struct thing_world *w)
{
    struct db *db = thing_open(w);
    CHECK_CODE(w->cx, db_script(w->cx, db, FG_LIT("START TRANSACTION; UPDATE thing SET n = n + 100 WHERE id = 1")),
               FG_OK);
    return db;
}

TEST(a_lock_that_is_not_given_is_busy_within_the_budget)
{
    struct thing_world w;
    thing_begin(&w);
    thing_put(&w, 1, 0);
    w.conf.db_tx_budget_ms = 100;
    CHECK_CODE(w.cx, db_script(w.cx, w.db, FG_LIT("SET SESSION innodb_lock_wait_timeout = 0")), FG_OK);
    struct db *other = holder(&w);
    struct counted c = { .id = 1 };
    CHECK_CODE(w.cx, add_one(w.cx, w.db, 1), FG_DB_BUSY);
    CHECK(strstr(w.cx->err.cause, "SQL_ADD: 1205"), "says why");
    int64_t begun_us = ctx_mono_us(w.cx);
    CHECK_CODE(w.cx, db_tx(w.cx, w.db, add_counted, &c), FG_DB_BUSY);
    CHECK(c.tries > 1, "it was tried again");
    CHECK(ctx_mono_us(w.cx) - begun_us < 2 * FG_US_PER_S, "and not for ever");
    db_close(other);
    CHECK_CODE(w.cx, db_script(w.cx, w.db, FG_LIT("SET SESSION innodb_lock_wait_timeout = 5")), FG_OK);
    CHECK_CODE(w.cx, db_tx(w.cx, w.db, add_counted, &c), FG_OK);
    CHECK_I64(thing_n(&w, w.db, 1), 1, "only what was answered with success");
    thing_end(&w, 0);
}

/* The clock jumps while the body works. */
static int64_t late_us;
static int64_t late_mono(void *self)
{
    (void)self;
    return env_real()->mono_us(env_real()->self) + late_us;
}

static enum fg_code add_slowly(struct fg_ctx *cx, struct db *db, void *arg)
{
    enum fg_code rc = add_counted(cx, db, arg);
    late_us += 60 * FG_US_PER_S;
    return rc;
}

TEST(a_transaction_over_its_budget_does_not_commit)
{
    struct thing_world w;
    thing_begin(&w);
    w.t.env.mono_us = late_mono;
    thing_put(&w, 1, 0);
    struct counted c = { .id = 1 };
    CHECK_CODE(w.cx, db_tx(w.cx, w.db, add_slowly, &c), FG_DB_BUSY);
    CHECK_I64(c.tries, 1, "nor is it repeated");
    CHECK_I64(thing_n(&w, w.db, 1), 0, "rolled back");
    thing_end(&w, 0);
}

static enum fg_code swallow(struct fg_ctx *cx, struct db *db, void *arg)
{
    if (add_counted(cx, db, arg) != FG_OK)
        return FG_OK;
    return FG_OK;
}

TEST(a_body_that_hides_an_error_does_not_commit_half)
{
    struct thing_world w;
    thing_begin(&w);
    thing_put(&w, 1, 0);
    w.conf.db_tx_budget_ms = 100;
    CHECK_CODE(w.cx, db_script(w.cx, w.db, FG_LIT("SET SESSION innodb_lock_wait_timeout = 0")), FG_OK);
    struct db *other = holder(&w);
    struct counted c = { .id = 1 };
    CHECK_CODE(w.cx, db_tx(w.cx, w.db, swallow, &c), FG_DB_BUSY);
    db_close(other);
    thing_end(&w, 0);
}

TEST(a_server_in_trouble_is_away_and_no_mistake_of_ours)
{
    static const struct { int no; enum fg_code code; const char *why; } row[] = {
        { 1021, FG_DB_LOST, "disk full" },
        { 1114, FG_DB_LOST, "the table is full: no room for it to grow" },
        { 1637, FG_DB_LOST, "no room for an undo log" },
        { 1026, FG_DB_LOST, "a write failed" },
        { 1030, FG_DB_LOST, "error 28 of the storage engine" },
        { 1878, FG_DB_LOST, "no room for a temporary file" },
        { 1206, FG_DB_LOST, "no room for locks" },
        { 1290, FG_DB_LOST, "--read-only" },
        { 1036, FG_DB_LOST, "recovering" },
        { 1836, FG_DB_LOST, "read-only mode" },
        { 1226, FG_DB_LOST, "the user's limit" },
        { 1037, FG_DB_LOST, "out of memory" },
        { 1041, FG_DB_LOST, "out of resources" },
        { 1205, FG_DB_BUSY, "a lock that was not given" },
        { 1213, FG_DB_BUSY, "a deadlock" },
        { 1047, FG_DB_BUSY, "a node of Galera that is not ready" },
        { 1644, FG_INTERNAL, "anything else" },
    };
    struct thing_world w;
    thing_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_CODE(w.cx, db_script(w.cx, w.db, arena_fmt(w.cx->mem, "SET @no = %d", row[i].no)), FG_OK);
        enum fg_code rc = db_run(w.cx, w.db, SQL_FAIL, DB_NO_ARGS);
        CHECK(rc == row[i].code, row[i].why);
        CHECK(strstr(w.cx->err.cause, arena_fmt(w.cx->mem, " %d ", row[i].no).p), row[i].why);
    }
    thing_end(&w, 0);
}

TEST(a_statement_over_its_time_is_busy)
{
    struct thing_world w;
    int64_t slept = 0;
    bool found;
    thing_begin(&w);
    CHECK_CODE(w.cx, db_script(w.cx, w.db, FG_LIT("SET SESSION max_statement_time = 0.05")), FG_OK);
    CHECK_CODE(w.cx, db_one(w.cx, w.db, SQL_SLOW, DB_ARGS(DB(30)), DB_COLS(one_i64), &slept, &found), FG_DB_BUSY);
    CHECK(strstr(w.cx->err.cause, "1969"), "the server's own limit");
    thing_put(&w, 1, 0);
    thing_end(&w, 0);
}

static void restart(void)
{
    db_server_kill();
    db_server_start();
}

/* It takes what looks like a temporary table in its folder for one that was left over: another server's, perhaps, which
 * then dies. */
TEST(a_server_that_starts_deletes_nobody_elses_tables)
{
    struct thing_world w;
    char path[64];
    thing_begin(&w);
    (void)snprintf(path, sizeof path, "/tmp/#sql-temptable-%d.MAI", (int)getpid());
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && close(fd) == 0, path);
    restart();
    bool is_there = access(path, F_OK) == 0;
    (void)unlink(path);
    CHECK(is_there, "another's table");
    thing_end(&w, 0);
}

TEST(a_server_that_died_meanwhile_is_not_noticed)
{
    struct thing_world w;
    thing_begin(&w);
    thing_put(&w, 1, 0);
    restart();
    CHECK_I64(thing_n(&w, w.db, 1), 0, "a read: connected and prepared again");
    restart();
    CHECK_CODE(w.cx, add_one(w.cx, w.db, 1), FG_OK);
    restart();
    struct counted c = { .id = 1 };
    CHECK_CODE(w.cx, db_tx(w.cx, w.db, add_counted, &c), FG_OK);
    CHECK_I64(c.tries, 1, "it had not begun");
    CHECK_I64(thing_n(&w, w.db, 1), 2, "each once");
    thing_end(&w, 0);
}

static enum fg_code add_over_restart(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct counted *c = arg;
    enum fg_code rc = add_counted(cx, db, arg);
    if (rc != FG_OK)
        return rc;
    if (c->tries == 1)
        restart();
    return add_one(cx, db, 2);
}

TEST(a_server_that_dies_within_a_transaction_has_it_repeated)
{
    struct thing_world w;
    thing_begin(&w);
    thing_put(&w, 1, 0);
    thing_put(&w, 2, 0);
    w.conf.db_tx_budget_ms = 60000;
    struct counted c = { .id = 1 };
    CHECK_CODE(w.cx, db_tx(w.cx, w.db, add_over_restart, &c), FG_OK);
    CHECK_I64(c.tries, 2, "once more");
    CHECK_I64(thing_n(&w, w.db, 1), 1, "the lost half was undone");
    CHECK_I64(thing_n(&w, w.db, 2), 1, "and both are there");
    thing_end(&w, 0);
}

TEST(a_server_that_stays_away_is_lost_at_once)
{
    struct thing_world w;
    struct db *db;
    thing_begin(&w);
    thing_put(&w, 1, 0);
    db_server_kill();
    int64_t begun_us = ctx_mono_us(w.cx);
    struct counted c = { .id = 1 };
    CHECK_CODE(w.cx, add_one(w.cx, w.db, 1), FG_DB_LOST);
    CHECK_CODE(w.cx, db_tx(w.cx, w.db, add_counted, &c), FG_DB_LOST);
    CHECK_CODE(w.cx, db_open(w.cx, &db, &w.conf, DB_WEB), FG_DB_LOST);
    CHECK(ctx_mono_us(w.cx) - begun_us < 2 * FG_US_PER_S, "whether to wait is the caller's choice");
    db_server_start();
    CHECK_CODE(w.cx, add_one(w.cx, db, 1), FG_OK);
    CHECK_I64(thing_n(&w, w.db, 1), 1, "both connections have found back");
    db_close(db);
    thing_end(&w, 0);
}

/* How long it took, in milliseconds. */
static int64_t lost_after_ms(struct thing_world *w, bool tx)
{
    int64_t begun_us = env_real()->mono_us(env_real()->self);
    struct counted c = { .id = 1 };
    int64_t n = 0;
    bool found;
    enum fg_code rc = tx ? db_tx(w->cx, w->db, add_counted, &c)
                         : db_one(w->cx, w->db, SQL_WHO, DB_NO_ARGS, DB_COLS(one_i64), &n, &found);
    CHECK_CODE(w->cx, rc, FG_DB_LOST);
    return (env_real()->mono_us(env_real()->self) - begun_us) / FG_US_PER_MS;
}

TEST(a_server_that_hangs_is_waited_for_once_in_a_while)
{
    struct thing_world w;
    thing_begin(&w);
    thing_put(&w, 1, 0);
    db_close(w.db);
    w.t.env.mono_us = late_mono;
    w.conf.db_io_timeout_s = 2;
    w.conf.db_connect_timeout_s = 1;
    w.db = thing_open(&w);
    db_server_hang(true);
    int64_t first = lost_after_ms(&w, true), second = lost_after_ms(&w, true), third = lost_after_ms(&w, false);
    late_us += 3 * FG_US_PER_S;
    int64_t again = lost_after_ms(&w, false), after = lost_after_ms(&w, true);
    db_server_hang(false);
    CHECK(first >= 1900 && first < 5000, "its time limit");
    CHECK(second < 500 && third < 500, "the next ones need not find out for themselves");
    CHECK(again >= 900 && again < 4000 && after < 500, "some seconds later one tries again");
    late_us += 3 * FG_US_PER_S;
    CHECK_CODE(w.cx, add_one(w.cx, w.db, 1), FG_OK);
    CHECK_I64(thing_n(&w, w.db, 1), 1, "what was lost was not done");
    thing_end(&w, 0);
}

TEST(answers_that_get_lost)
{
    static const struct {
        enum db_proxy_trick trick;
        bool tx;
        enum fg_code want;
        int n;
        const char *why;
    } row[] = {
        { PROXY_LOSE_COMMIT, true, FG_DB_UNSURE, 0, "COMMIT never arrived: unsure, and not there" },
        { PROXY_LOSE_COMMIT_ANSWER, true, FG_DB_UNSURE, 1, "COMMIT's answer was lost: unsure, and there" },
        { PROXY_LOSE_EXECUTE, false, FG_DB_UNSURE, 0, "a lone write never arrived" },
        { PROXY_LOSE_EXECUTE_ANSWER, false, FG_DB_UNSURE, 1, "a lone write's answer was lost" },
        { PROXY_LOSE_EXECUTE, true, FG_OK, 1, "before COMMIT it is simply repeated" },
        { PROXY_LOSE_EXECUTE_ANSWER, true, FG_OK, 1, "before COMMIT it is simply repeated, once" },
    };
    struct thing_world w;
    struct db_proxy proxy;
    thing_begin(&w);
    db_close(w.db);
    db_proxy_start(&proxy, db_server_dir(), w.conf.db_socket.p);
    w.conf.db_socket = fg_str_c(proxy.path);
    w.db = thing_open(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        thing_put(&w, (int64_t)i, 0);
        *proxy.trick = row[i].trick;
        struct counted c = { .id = (int64_t)i };
        enum fg_code rc = row[i].tx ? db_tx(w.cx, w.db, add_counted, &c) : add_one(w.cx, w.db, (int64_t)i);
        CHECK_CODE(w.cx, rc, row[i].want);
        CHECK_I64(*proxy.trick, PROXY_PASS, "the trick was played");
        CHECK_I64(thing_n(&w, w.db, (int64_t)i), row[i].n, row[i].why);
    }
    *proxy.trick = PROXY_LOSE_EXECUTE_ANSWER;
    CHECK_I64(thing_n(&w, w.db, 1), 1, "a read is asked again");
    CHECK_I64(*proxy.trick, PROXY_PASS, "the trick was played");
    db_proxy_stop(&proxy);
    thing_end(&w, 0);
}

static bool has_hung_up(void *arg)
{
    return *((struct db_proxy *)arg)->trick == PROXY_HUNG_UP;
}

TEST(a_connection_closed_while_idle_leaves_no_doubt)
{
    struct thing_world w;
    struct db_proxy proxy;
    int64_t id = 0;
    bool found;
    thing_begin(&w);
    thing_put(&w, 1, 0);
    db_close(w.db);
    db_proxy_start(&proxy, db_server_dir(), w.conf.db_socket.p);
    struct fg_str straight = w.conf.db_socket;
    w.conf.db_socket = fg_str_c(proxy.path);
    w.db = thing_open(&w);
    CHECK_CODE(w.cx, db_one(w.cx, w.db, SQL_WHO, DB_NO_ARGS, DB_COLS(one_i64), &id, &found), FG_OK);
    w.conf.db_socket = straight;
    thing_script(&w, arena_fmt(w.cx->mem, "KILL %lld", (long long)id));
    db_server_await(has_hung_up, &proxy, "the server closes it");
    CHECK_CODE(w.cx, add_one(w.cx, w.db, 1), FG_OK);
    CHECK_I64(thing_n(&w, w.db, 1), 1, "a write on a dead connection would have been unsure");
    db_proxy_stop(&proxy);
    thing_end(&w, 0);
}

static bool row_is_free(void *arg)
{
    struct thing_world *w = arg;
    return add_one(w->cx, w->db, 1) == FG_OK;
}

static enum fg_code hold_with_child(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct child_call call = { .argv = { "/bin/sleep", "60" } };
    struct child child;
    enum fg_code rc = add_one(cx, db, 1);
    if (rc == FG_OK)
        rc = child_start(cx, &call, &child);
    if (rc == FG_OK && write(*(int *)arg, &child.pid, sizeof child.pid) == sizeof child.pid)
        pause();
    _exit(1);
}

TEST(trap_child_keeps_no_row_locks)
{
    struct thing_world w;
    int fd[2];
    pid_t grandchild = 0;
    thing_begin(&w);
    thing_put(&w, 1, 0);
    CHECK(pipe(fd) == 0, "pipe");
    pid_t holding = fork();
    if (holding == 0) {
        struct db *db;
        if (db_open(w.cx, &db, &w.conf, DB_WEB) == FG_OK)
            (void)!db_tx(w.cx, db, hold_with_child, &fd[1]);
        _exit(1);
    }
    close(fd[1]);
    CHECK(read(fd[0], &grandchild, sizeof grandchild) == sizeof grandchild, "it holds the row and has a child");
    CHECK_CODE(w.cx, db_script(w.cx, w.db, FG_LIT("SET SESSION innodb_lock_wait_timeout = 0")), FG_OK);
    CHECK(!row_is_free(&w), "the row is locked");
    (void)kill(holding, SIGKILL);
    (void)waitpid(holding, NULL, 0);
    int64_t begun_us = ctx_mono_us(w.cx);
    db_server_await(row_is_free, &w, "the lock went with its holder");
    CHECK(ctx_mono_us(w.cx) - begun_us < FG_US_PER_S, "at once");
    CHECK(kill(grandchild, 0) == 0, "although the child still runs");
    (void)kill(grandchild, SIGKILL);
    close(fd[0]);
    thing_end(&w, 0);
}
