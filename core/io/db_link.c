#include "io/db_impl.h"

#include <errmsg.h>
#include <errno.h>
#include <fcntl.h>
#include <mysqld_error.h>
#include <sys/socket.h>

#include "base/arena.h"

/* Under the read timeout (db.io_timeout_s), so that the server gives up before we stop listening. */
#define SESSION                                                                                   \
    "SET SESSION tx_isolation='READ-COMMITTED', innodb_lock_wait_timeout=5, time_zone='+00:00', " \
    "sql_mode='TRADITIONAL', "
#define SESSION_SHORT SESSION "max_statement_time=10, idle_transaction_timeout=15"
/* A table of millions of rows takes its time; but what waits behind our wish to alter it must not wait long. */
#define SESSION_LONG SESSION "max_statement_time=0, idle_transaction_timeout=0, lock_wait_timeout=60"
#define LONG_READ_S 3600
/* Whoever has waited for a server that hangs says so to the next few requests without waiting: else each of them would
 * hold its process for the whole time limit, and a pool of them answers nothing, not even /healthz. */
#define HUNG_US (2 * FG_US_PER_S)
#define QUICK_US (900 * FG_US_PER_MS) /* the shortest time limit there is has a second */

#define S(name, programs, binds, columns, text) \
    { "SQL_" #name, (programs), (binds), (columns), { "" text, sizeof("" text) - 1 } },
const struct db_decl db_decls[] = {
#include DB_STATEMENTS
};
#undef S

/* What the server's answers mean to us; all others are our own mistake. */
static const struct {
    unsigned no;
    enum fg_code code;
    bool closed; /* the server has ended the session, or is about to */
} known[] = {
    { ER_DUP_ENTRY, FG_DB_DUPLICATE, false },
    { ER_DUP_ENTRY_WITH_KEY_NAME, FG_DB_DUPLICATE, false },
    { ER_LOCK_WAIT_TIMEOUT, FG_DB_BUSY, false },
    { ER_LOCK_DEADLOCK, FG_DB_BUSY, false },
    { ER_CHECKREAD, FG_DB_BUSY, false },
    { ER_UNKNOWN_COM_ERROR, FG_DB_BUSY, false }, /* Galera: this node is not ready */
    { ER_STATEMENT_TIMEOUT, FG_DB_BUSY, false },
    { ER_QUERY_INTERRUPTED, FG_DB_BUSY, false },
    { ER_TABLE_DEF_CHANGED, FG_DB_BUSY, false },
    { ER_NEED_REPREPARE, FG_DB_BUSY, false },
    { ER_CON_COUNT_ERROR, FG_DB_LOST, true },
    { ER_TOO_MANY_USER_CONNECTIONS, FG_DB_LOST, true },
    { ER_USER_LIMIT_REACHED, FG_DB_LOST, false },
    { ER_OPTION_PREVENTS_STATEMENT, FG_DB_LOST, false }, /* --read-only */
    { ER_OPEN_AS_READONLY, FG_DB_LOST, false },          /* recovering */
    { ER_READ_ONLY_MODE, FG_DB_LOST, false },
    { ER_DISK_FULL, FG_DB_LOST, false },
    { ER_RECORD_FILE_FULL, FG_DB_LOST, false },
    { ER_TOO_MANY_CONCURRENT_TRXS, FG_DB_LOST, false },  /* no room for their undo log */
    { ER_ERROR_ON_WRITE, FG_DB_LOST, false },
    { ER_GET_ERRNO, FG_DB_LOST, false },                 /* of the disk, by its number */
    { ER_TEMP_FILE_WRITE_FAILURE, FG_DB_LOST, false },
    { ER_LOCK_TABLE_FULL, FG_DB_LOST, false },
    { ER_OUTOFMEMORY, FG_DB_LOST, false },
    { ER_OUT_OF_RESOURCES, FG_DB_LOST, false },
    { ER_SERVER_SHUTDOWN, FG_DB_LOST, true },
    { ER_NORMAL_SHUTDOWN, FG_DB_LOST, true },
    { ER_CONNECTION_KILLED, FG_DB_LOST, true },
};

/* A duplicate's message quotes the value, which may be secret or long: the key's name is all that callers need. */
static const char *words_of(unsigned no, const char *words)
{
    const char *key = no == ER_DUP_ENTRY || no == ER_DUP_ENTRY_WITH_KEY_NAME ? strstr(words, "for key ") : NULL;
    for (const char *next = key; next; next = strstr(next + 1, "for key "))
        key = next;
    return key ? key : words;
}

static void note_if_hung(struct fg_ctx *cx, struct db_impl *im)
{
    int64_t mono = ctx_mono_us(cx);
    if (mono - im->asked_us >= QUICK_US)
        im->hung_until_us = mono + HUNG_US;
}

/* What an error number means for the connection, the transaction and the caller. */
static enum fg_code fail_with(struct fg_ctx *cx, struct db_impl *im, unsigned no, const char *words, const char *what)
{
    /* The client library's own errors: no answer came. */
    bool ours = (no >= CR_MIN_ERROR && no <= CR_MAX_ERROR) || (no >= CER_MIN_ERROR && no <= CR_MARIADB_LAST_ERROR);
    enum fg_code code = ours ? FG_DB_LOST : FG_INTERNAL;
    bool closed = ours;
    for (size_t i = 0; i < FG_LEN(known); i++)
        if (known[i].no == no) {
            code = known[i].code;
            closed = known[i].closed;
        }
    /* "Gone" is said when the request could not be written whole: the server never runs half a request. */
    im->error = no;
    im->not_run = !ours || no == CR_SERVER_GONE_ERROR;
    if (ours)
        note_if_hung(cx, im);
    if (closed)
        db_link_drop(im);
    if (im->in_tx && (code == FG_DB_BUSY || code == FG_DB_LOST))
        im->tx_broken = code;
    (void)fg_fail(cx, code, "%s.", fg_err_info(code)->title);
    return fg_cause(cx, "%s: %u %s", what, no, words);
}

enum fg_code db_link_failed(struct fg_ctx *cx, struct db_impl *im, MYSQL_STMT *st, const char *what)
{
    /* An error between two rows is kept by the connection alone. */
    bool by_st = st && mysql_stmt_errno(st);
    unsigned no = by_st ? mysql_stmt_errno(st) : mysql_errno(im->my);
    char words[FG_ERR_TEXT_MAX];
    (void)snprintf(words, sizeof words, "%s", words_of(no, by_st ? mysql_stmt_error(st) : mysql_error(im->my)));

    return fail_with(cx, im, no, words, what);
}

enum fg_code db_link_faulted(struct fg_ctx *cx, struct db_impl *im, enum fault_way way, const char *what)
{
    return fail_with(cx, im, way == FAULT_FAIL ? ER_LOCK_DEADLOCK : CR_SERVER_LOST, "as the test wants it", what);
}

void db_link_drop(struct db_impl *im)
{
    if (!im->my)
        return;
    /* First the connection: closing a statement of a live one costs a write each. */
    mysql_close(im->my);
    im->my = NULL;
    for (size_t i = 0; i < DB_SQL_N; i++) {
        if (im->stmt[i])
            (void)mysql_stmt_close(im->stmt[i]);
        im->stmt[i] = NULL;
    }
}

static void set_uint(MYSQL *my, enum mysql_option option, int64_t v)
{
    unsigned n = (unsigned)v;
    (void)mysql_options(my, option, &n);
}

/* A sweeper that hangs loses its connection when it loses its leases, and with it the lock under which slots are given. */
static const char *session_of(struct fg_ctx *cx, const struct db_impl *im, bool lasting)
{
    if (im->program == DB_SWEEPER)
        return arena_fmt(cx->mem, SESSION_SHORT ", wait_timeout=%lld", (long long)im->conf->sweeper_lease_s).p;
    return lasting ? SESSION_LONG : SESSION_SHORT;
}

static void set_options(struct fg_ctx *cx, MYSQL *my, const struct db_impl *im)
{
    const struct conf *c = im->conf;
    bool lasting = im->program == DB_MIGRATE || im->program == DB_NONE;
    set_uint(my, MYSQL_OPT_CONNECT_TIMEOUT, c->db_connect_timeout_s);
    set_uint(my, MYSQL_OPT_READ_TIMEOUT, lasting ? LONG_READ_S : c->db_io_timeout_s);
    set_uint(my, MYSQL_OPT_WRITE_TIMEOUT, c->db_io_timeout_s);
    set_uint(my, MYSQL_OPT_LOCAL_INFILE, 0);
    (void)mysql_options(my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    (void)mysql_options(my, MYSQL_INIT_COMMAND, session_of(cx, im, lasting));
    if (c->db_host.n) { /* the library neither encrypts nor verifies by itself */
        my_bool yes = 1;
        set_uint(my, MYSQL_OPT_PROTOCOL, MYSQL_PROTOCOL_TCP);
        (void)mysql_options(my, MYSQL_OPT_SSL_ENFORCE, &yes);
        (void)mysql_options(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
        if (c->db_ca.n)
            (void)mysql_options(my, MYSQL_OPT_SSL_CA, arena_cstr(cx->mem, c->db_ca));
    } else {
        set_uint(my, MYSQL_OPT_PROTOCOL, MYSQL_PROTOCOL_SOCKET);
    }
}

/* Refused names and passwords do not mend themselves, all else may. */
static enum fg_code connect_failed(struct fg_ctx *cx, struct db_impl *im)
{
    unsigned no = mysql_errno(im->my);
    bool wrong = no == ER_ACCESS_DENIED_ERROR || no == ER_DBACCESS_DENIED_ERROR || no == ER_BAD_DB_ERROR ||
                 no == ER_ACCESS_DENIED_NO_PASSWORD_ERROR || no == ER_HOST_NOT_PRIVILEGED;
    if (wrong)
        (void)fg_fail(cx, FG_CONFIG, "The database refuses db.user, db.password or db.name.");
    else
        (void)fg_fail(cx, FG_DB_LOST, "%s.", fg_err_info(FG_DB_LOST)->title);
    (void)fg_cause(cx, "connect: %u %s", no, mysql_error(im->my));
    note_if_hung(cx, im);
    db_link_drop(im);
    return cx->err.code;
}

static enum fg_code connect_now(struct fg_ctx *cx, struct db_impl *im)
{
    const struct conf *c = im->conf;
    im->my = mysql_init(NULL);
    if (!im->my)
        abort();
    set_options(cx, im->my, im);
    db_link_asks(cx, im);
    const char *host = c->db_host.n ? arena_cstr(cx->mem, c->db_host) : NULL;
    const char *name = im->program == DB_NONE ? NULL : arena_cstr(cx->mem, c->db_name);
    const char *path = host ? NULL : arena_cstr(cx->mem, c->db_socket);
    if (!mysql_real_connect(im->my, host, arena_cstr(cx->mem, c->db_user), arena_cstr(cx->mem, c->db_password),
                            name, 0, path, 0))
        return connect_failed(cx, im);
    /* A child that kept the socket would keep our row locks alive after our death. */
    (void)fcntl(mysql_get_socket(im->my), F_SETFD, FD_CLOEXEC);
    return FG_OK;
}

static enum fg_code prepare(struct fg_ctx *cx, struct db_impl *im, size_t sql)
{
    const struct db_decl *d = &db_decls[sql];
    FG_ASSERT(d->binds <= DB_BINDS_MAX && d->columns <= DB_COLUMNS_MAX);
    MYSQL_STMT *st = im->stmt[sql] = mysql_stmt_init(im->my);
    if (!st)
        abort();
    db_link_asks(cx, im);
    if (mysql_stmt_prepare(st, d->text.p, d->text.n)) {
        enum fg_code rc = db_link_failed(cx, im, st, d->name);
        if (rc != FG_INTERNAL)
            return rc == FG_DB_LOST ? rc : fg_fail(cx, FG_DB_LOST, "%s.", fg_err_info(FG_DB_LOST)->title);
        char words[FG_ERR_TEXT_MAX];
        memcpy(words, cx->err.cause, sizeof words);
        return fg_fail(cx, FG_CONFIG, "The statement does not fit the schema (filmgate migrate?): %.180s", words);
    }
    /* RETURNING has no columns yet: they are checked when it runs. */
    unsigned columns = mysql_stmt_field_count(st);
    if (mysql_stmt_param_count(st) != d->binds || (columns != d->columns && columns != 0))
        return fg_fail(cx, FG_CONFIG, "%s: has %lu binds and %u columns; its entry says %u and %u", d->name,
                       mysql_stmt_param_count(st), columns, d->binds, d->columns);
    return FG_OK;
}

/* True when the server has hung up, or said goodbye, while we were doing something else. Asking costs one
 * system call; finding out by a write that gets no answer would cost certainty. Over TLS pending bytes may be the
 * protocol's own. */
static bool hung_up(const struct db_impl *im)
{
    char c;
    ssize_t n = recv((int)mysql_get_socket(im->my), &c, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n > 0 && !im->conf->db_host.n) || (n < 0 && errno != EAGAIN && errno != EINTR);
}

enum fg_code db_link_ready(struct fg_ctx *cx, struct db_impl *im)
{
    if (im->my && !hung_up(im))
        return FG_OK;
    db_link_drop(im);
    if (ctx_mono_us(cx) < im->hung_until_us) {
        (void)fg_fail(cx, FG_DB_LOST, "%s.", fg_err_info(FG_DB_LOST)->title);
        return fg_cause(cx, "it has just let us wait in vain");
    }
    enum fg_code rc = connect_now(cx, im);
    for (size_t i = 0; rc == FG_OK && i < DB_SQL_N; i++)
        if (db_decls[i].programs & (unsigned)im->program)
            rc = prepare(cx, im, i);
    if (rc != FG_OK)
        db_link_drop(im); /* half prepared is not ready */
    return rc;
}
