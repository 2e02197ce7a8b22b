/* The ceiling of the database: PROCESSES connections that do nothing but ask, in the product's own
 * words.
 *
 *   raw joined|plain PROCESSES SECONDS <ids     point reads by unique id: as the product's, or of
 * one table raw commit PROCESSES SECONDS FIRST LAST     the rows of a create, for accounts
 * FIRST..LAST
 *   raw create PROCESSES SECONDS FIRST LAST      beside it, the product's create, without the web
 * around it: what limits and ledger cost
 *
 * Connects as FILMGATE_CONF says. Prints requests=N perSecond=N. */
#include "io/db_impl.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/id.h"
#include "base/scan.h"
#include "job/job.h"

#define IDS_MAX 100000
#define ID_LEN (4 + ID_BODY)
#define FIELD_BYTES 1024
#define PROCESSES_MAX 64
#define SECONDS_MAX 600

struct run {
    struct fg_ctx cx;
    struct conf conf;
    uint64_t processes, seconds, first_account, last_account;
    char (*id)[ID_LEN + 1];
    size_t id_n;
    MYSQL *my;
};

_Noreturn static void die(struct run *r, const char *what)
{
    fprintf(stderr, "raw: %s: %s\n", what, r->my ? mysql_error(r->my) : "");
    exit(1);
}

static void connect_db(struct run *r)
{
    struct arena *mem = r->cx.mem;
    r->my = mysql_init(NULL);
    if (!r->my ||
        !mysql_real_connect(r->my, NULL, arena_cstr(mem, r->conf.db_user),
                            arena_cstr(mem, r->conf.db_password), arena_cstr(mem, r->conf.db_name),
                            0, arena_cstr(mem, r->conf.db_socket), 0))
        die(r, "connect");
    if (mysql_query(r->my, "SET SESSION tx_isolation='READ-COMMITTED', sql_mode='TRADITIONAL'"))
        die(r, "session");
}

static MYSQL_STMT *prepare(struct run *r, struct fg_str text)
{
    MYSQL_STMT *st = mysql_stmt_init(r->my);
    if (!st || mysql_stmt_prepare(st, text.p, text.n))
        die(r, "prepare");
    return st;
}

static MYSQL_BIND text_bind(struct fg_str s)
{
    return (MYSQL_BIND){ .buffer_type = s.p ? MYSQL_TYPE_STRING : MYSQL_TYPE_NULL,
                         .buffer = (void *)(uintptr_t)s.p,
                         .buffer_length = s.n };
}

static MYSQL_BIND number_bind(int64_t *n)
{
    return (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = n };
}

static uint64_t dice(struct run *r, uint64_t below)
{
    uint64_t n;
    r->cx.env->random(r->cx.env->self, &n, sizeof n);
    return n % below;
}

static uint64_t read_until(struct run *r, struct fg_str text, int64_t end_us)
{
    static char field[DB_COLUMNS_MAX][FIELD_BYTES];
    unsigned long length[DB_COLUMNS_MAX];
    my_bool null[DB_COLUMNS_MAX];
    MYSQL_BIND out[DB_COLUMNS_MAX] = { 0 };
    MYSQL_STMT *st = prepare(r, text);
    for (size_t i = 0; i < DB_COLUMNS_MAX; i++)
        out[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING,
                               .buffer = field[i],
                               .buffer_length = FIELD_BYTES,
                               .length = &length[i],
                               .is_null = &null[i] };
    uint64_t done = 0;
    for (; ctx_mono_us(&r->cx) < end_us; done++) {
        MYSQL_BIND in = text_bind((struct fg_str){ r->id[dice(r, r->id_n)], ID_LEN });
        if (mysql_stmt_bind_param(st, &in) || mysql_stmt_execute(st) ||
            mysql_stmt_bind_result(st, out) || mysql_stmt_fetch(st) ||
            mysql_stmt_fetch(st) != MYSQL_NO_DATA)
            die(r, "read");
    }
    return done;
}

static void insert(struct run *r, MYSQL_STMT *st, MYSQL_BIND *in, size_t n)
{
    if (mysql_stmt_param_count(st) != n)
        die(r, "the statement takes another number of values");
    if (mysql_stmt_bind_param(st, in) || mysql_stmt_execute(st))
        die(r, mysql_stmt_error(st));
}

#define INSERT(r, st, ...)                                                                     \
    insert((r), (st), (MYSQL_BIND[]){ __VA_ARGS__ },                                             \
           sizeof((MYSQL_BIND[]){ __VA_ARGS__ }) / sizeof(MYSQL_BIND))

struct inserts {
    MYSQL_STMT *job, *event, *due, *hold, *use;
};

/* The values of SQL_JOB_INSERT and its companions, in their order. */
static void insert_all(struct run *r, const struct inserts *to)
{
    int64_t account = (int64_t)(r->first_account + dice(r, r->last_account - r->first_account + 1));
    int64_t one = 1, five = 5, zero = 0, none_max = -1, price = 10000, now_us, deadline_us, job;
    uint64_t fingerprint[4] = { dice(r, UINT64_MAX), 1, 2, 3 };
    ctx_tick(&r->cx);
    now_us = r->cx.now_us;
    deadline_us = now_us + 3600 * FG_US_PER_S;
    MYSQL_BIND n_one = number_bind(&one), n_now = number_bind(&now_us), n_job = number_bind(&job),
               n_account = number_bind(&account), n_price = number_bind(&price),
               none = text_bind(FG_NONE), n_end = number_bind(&deadline_us),
               currency = text_bind(FG_LIT("USD")),
               request = text_bind(FG_LIT("00112233445566778899aabbccddeeff"));
    INSERT(r, to->job,
           text_bind(id_new(&r->cx, FG_LIT("job_"))),
           n_account,
           none,
           n_one,
           n_one,
           n_one,
           text_bind(FG_LIT("studio")),
           text_bind(FG_LIT("studio-1")),
           text_bind(FG_LIT("a paper boat on a quiet lake at dawn, soft light, slow camera")),
           text_bind(FG_LIT("16:9")),
           number_bind(&five),
           text_bind(FG_LIT("480p")),
           none,
           none,
           none,
           n_price,
           currency,
           request,
           n_now,
           n_now,
           n_end,
           none,
           number_bind(&zero),
           none,
           none,
           none,
           text_bind((struct fg_str){ (const char *)fingerprint, sizeof fingerprint }),
           number_bind(&none_max));
    job = (int64_t)mysql_stmt_insert_id(to->job);
    INSERT(r, to->event, n_job, n_one, n_now, text_bind(FG_LIT("created")), n_one, n_one, request, none);
    INSERT(r, to->due, n_one, n_job, n_now, text_bind(FG_LIT("studio-1")), n_account, number_bind(&five),
           n_job, n_end);
    INSERT(r, to->hold, n_job, number_bind(&zero), n_account, n_one, n_price, currency, n_now);
    INSERT(r, to->use, n_now, n_one, n_now, n_one, n_now, n_one, n_price, n_now, n_price, n_account);
}

static uint64_t commit_until(struct run *r, int64_t end_us)
{
    struct inserts to = { prepare(r, db_decls[SQL_JOB_INSERT].text),
                          prepare(r, db_decls[SQL_EVENT_INSERT].text),
                          prepare(r, db_decls[SQL_DUE_INSERT_TWO].text),
                          prepare(r, db_decls[SQL_LEDGER_ADD].text),
                          prepare(r, db_decls[SQL_USE_PUT].text) };
    uint64_t done = 0;
    for (; ctx_mono_us(&r->cx) < end_us; done++) {
        if (mysql_query(r->my, "START TRANSACTION"))
            die(r, "begin");
        insert_all(r, &to);
        if (mysql_query(r->my, "COMMIT"))
            die(r, "commit");
        arena_reset(r->cx.mem);
    }
    return done;
}

static uint64_t create_until(struct run *r, int64_t end_us)
{
    static uint8_t pepper[HASH_LEN];
    struct fg_ctx boot = { .mem = arena_new(), .env = r->cx.env };
    struct job_env env = { .conf = &r->conf, .pepper = pepper, .wake_fd = -1 };
    struct job_answer made;
    uint64_t done = 0;
    if (account_pepper(&boot, &r->conf, pepper) != FG_OK ||
        catalogue_load(&boot, &r->conf, &env.catalogue) != FG_OK || db_open(&boot, &env.db, &r->conf, DB_WEB) != FG_OK)
        die(r, boot.err.detail);
    for (; ctx_mono_us(&r->cx) < end_us; done++) {
        struct identity who = { .role = ROLE_APP };
        who.account_id = (int64_t)(r->first_account + dice(r, r->last_account - r->first_account + 1));
        ctx_tick(&r->cx);
        r->cx.request_id = id_new(&r->cx, FG_LIT(""));
        struct fg_str body = arena_fmt(r->cx.mem, "{\"prompt\":\"a paper boat on a quiet lake at dawn, soft light, %llu\","
                                       "\"aspectRatio\":\"16:9\",\"duration\":5,\"resolution\":\"480p\"}",
                                       (unsigned long long)dice(r, UINT64_MAX));
        if (job_create(&r->cx, &env, &who, body, FG_NONE, &made) != FG_OK)
            die(r, r->cx.err.detail);
        arena_reset(r->cx.mem);
    }
    return done;
}

static uint64_t work(struct run *r, const char *what, int64_t end_us)
{
    if (strcmp(what, "create") == 0)
        return create_until(r, end_us);
    connect_db(r);
    if (strcmp(what, "commit") == 0)
        return commit_until(r, end_us);
    if (strcmp(what, "joined") == 0)
        return read_until(r, db_decls[SQL_JOB_BY_PUBLIC_ID].text, end_us);
    return read_until(
        r, FG_LIT("SELECT id, account_id, state, version, updated_us FROM job WHERE public_id = ?"),
        end_us);
}

static void read_ids(struct run *r)
{
    r->id = arena_get_array(r->cx.mem, sizeof *r->id, IDS_MAX);
    char line[64];
    while (r->id_n < IDS_MAX && fgets(line, sizeof line, stdin))
        if (strlen(line) == ID_LEN + 1)
            memcpy(r->id[r->id_n++], line, ID_LEN);
}

static bool arguments(struct run *r, int argc, char **argv)
{
    bool commit = argc > 1 && (strcmp(argv[1], "commit") == 0 || strcmp(argv[1], "create") == 0);
    if (argc != (commit ? 6 : 4) ||
        (!commit && strcmp(argv[1], "joined") != 0 && strcmp(argv[1], "plain") != 0))
        return false;
    if (!scan_all_u64(fg_str_c(argv[2]), PROCESSES_MAX, &r->processes) ||
        !scan_all_u64(fg_str_c(argv[3]), SECONDS_MAX, &r->seconds))
        return false;
    if (commit)
        return scan_all_u64(fg_str_c(argv[4]), UINT32_MAX, &r->first_account) &&
               scan_all_u64(fg_str_c(argv[5]), UINT32_MAX, &r->last_account) &&
               r->first_account <= r->last_account;
    read_ids(r);
    return r->id_n > 0;
}

int main(int argc, char **argv)
{
    static struct run r;
    r.cx = (struct fg_ctx){ .mem = arena_new(), .env = env_real() };
    if (!arguments(&r, argc, argv) || conf_load(&r.cx, &r.conf, NULL) != FG_OK) {
        fprintf(
            stderr,
            "usage: %s joined|plain PROCESSES SECONDS <ids | commit|create PROCESSES SECONDS FIRST LAST\n",
            argv[0]);
        return 2;
    }
    uint64_t *done = mmap(NULL, PROCESSES_MAX * sizeof *done, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FG_ASSERT(done != MAP_FAILED);
    int64_t end_us = ctx_mono_us(&r.cx) + (int64_t)r.seconds * FG_US_PER_S;
    for (uint64_t i = 0; i < r.processes; i++) {
        pid_t pid = fork();
        FG_ASSERT(pid >= 0);
        if (pid == 0) {
            done[i] = work(&r, argv[1], end_us);
            _exit(0);
        }
    }
    int status, bad = 0;
    uint64_t sum = 0;
    while (wait(&status) > 0)
        bad |= status;
    for (uint64_t i = 0; i < r.processes; i++)
        sum += done[i];
    printf("requests=%llu perSecond=%.1f\n", (unsigned long long)sum, (double)sum / (double)r.seconds);
    return bad ? 1 : 0;
}
