#include "io/db.h"

#include <limits.h>
#include <mysqld_error.h>
#include <time.h>

#include "base/arena.h"
#include "io/db_impl.h"

#define TX_TRIES_MAX 20
#define TX_PAUSE_US (4 * FG_US_PER_MS)
#define TX_PAUSE_DOUBLINGS 6

/* One statement with its arguments and the place for its rows. */
struct work {
    enum db_sql sql;
    struct db_args args;
    struct db_cols cols;
    size_t size;     /* of one row's struct; 0: *row is the only one */
    char *row;       /* the rows so far */
    size_t n, cap;
};

const char *db_sql_name(enum db_sql sql)
{
    return db_decls[sql].name;
}

enum fg_code db_open(struct fg_ctx *cx, struct db **out, const struct conf *conf, enum db_program program)
{
    struct db *db = calloc(1, sizeof *db);
    struct db_impl *im = calloc(1, sizeof *im);
    if (!db || !im)
        abort();
    im->conf = conf;
    im->program = program;
    db->impl = im;
    *out = db;
    return db_link_ready(cx, im);
}

void db_close(struct db *db)
{
    if (!db)
        return;
    db_link_drop(db->impl);
    free(db->impl);
    free(db);
}

/* mysql.h has no const for what it only reads. */
static void *readable(const void *p)
{
    return (void *)(uintptr_t)p;
}

static void bind_in(struct db_impl *im, struct db_args args)
{
    for (unsigned i = 0; i < args.n; i++) {
        const struct db_bind *v = &args.v[i];
        if (v->tag == DB_TAG_NULL)
            im->in[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_NULL };
        else if (v->tag == DB_TAG_STR)
            im->in[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING, .buffer = readable(v->s.p),
                                      .buffer_length = v->s.n };
        else
            im->in[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = readable(&v->i) };
    }
}

/* Texts are fetched once their length is known, from the packet straight into the arena. */
static void bind_out(struct db_impl *im, struct db_cols cols)
{
    for (unsigned i = 0; i < cols.n; i++) {
        struct db_value *v = &im->value[i];
        im->out[i] = (MYSQL_BIND){ .length = &v->len, .is_null = &v->null, .error = &v->error };
        if (cols.v[i].tag == DB_TAG_STR) {
            im->out[i].buffer_type = MYSQL_TYPE_STRING;
        } else {
            im->out[i].buffer_type = MYSQL_TYPE_LONGLONG;
            im->out[i].buffer = &v->i;
        }
    }
}

/* Floating point lands nowhere: money would go through it one day. */
static bool tag_fits(enum db_tag tag, enum enum_field_types type)
{
    bool whole = type == MYSQL_TYPE_TINY || type == MYSQL_TYPE_SHORT || type == MYSQL_TYPE_INT24 ||
                 type == MYSQL_TYPE_LONG || type == MYSQL_TYPE_LONGLONG || type == MYSQL_TYPE_NEWDECIMAL;
    bool text = type == MYSQL_TYPE_STRING || type == MYSQL_TYPE_VAR_STRING || type == MYSQL_TYPE_VARCHAR ||
                (type >= MYSQL_TYPE_TINY_BLOB && type <= MYSQL_TYPE_BLOB);
    return type == MYSQL_TYPE_NULL || (tag == DB_TAG_STR ? text : whole);
}

static enum fg_code mismatch(struct fg_ctx *cx, const struct work *w, unsigned column, const char *words)
{
    (void)fg_fail(cx, FG_INTERNAL, "%s.", fg_err_info(FG_INTERNAL)->title);
    return fg_cause(cx, "%s: column %u %s", db_sql_name(w->sql), column + 1, words);
}

/* The row that was just fetched, out of the library's buffer. */
static enum fg_code take_row(struct fg_ctx *cx, struct db_impl *im, const struct work *w)
{
    MYSQL_STMT *st = im->stmt[w->sql];
    for (unsigned i = 0; i < w->cols.n; i++) {
        struct db_value *v = &im->value[i];
        enum db_tag tag = w->cols.v[i].tag;
        if (tag == DB_TAG_STR) {
            v->s = FG_NONE;
            if (v->null)
                continue;
            char *p = arena_get(cx->mem, v->len + 1);
            MYSQL_BIND b = { .buffer_type = MYSQL_TYPE_STRING, .buffer = p, .buffer_length = v->len };
            if (v->len && mysql_stmt_fetch_column(st, &b, i, 0))
                return mismatch(cx, w, i, "cannot be read");
            v->s = (struct fg_str){ p, v->len };
        } else if (v->null) {
            v->i = 0;
        } else if (v->error || (tag == DB_TAG_INT && (v->i < INT_MIN || v->i > INT_MAX))) {
            return mismatch(cx, w, i, "has a number that does not fit");
        }
    }
    return FG_OK;
}

static void put_row(const struct db_impl *im, struct db_cols cols, char *row)
{
    for (unsigned i = 0; i < cols.n; i++) {
        const struct db_value *v = &im->value[i];
        void *to = row + cols.v[i].at;
        switch (cols.v[i].tag) {
        case DB_TAG_STR: memcpy(to, &v->s, sizeof v->s); break;
        case DB_TAG_I64: memcpy(to, &v->i, sizeof v->i); break;
        case DB_TAG_INT: memcpy(to, &(int){ (int)v->i }, sizeof(int)); break;
        case DB_TAG_BOOL: memcpy(to, &(bool){ v->i != 0 }, sizeof(bool)); break;
        case DB_TAG_NULL: break;
        }
    }
}

static char *next_row(struct fg_ctx *cx, struct work *w)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 16;
        char *more = arena_get_array(cx->mem, w->size, w->cap);
        if (w->n)
            memcpy(more, w->row, w->n * w->size);
        w->row = more;
    }
    return w->row + w->n * w->size;
}

static enum fg_code take_rows(struct fg_ctx *cx, struct db_impl *im, struct work *w)
{
    MYSQL_STMT *st = im->stmt[w->sql];
    if (mysql_stmt_field_count(st) != w->cols.n)
        return mismatch(cx, w, mysql_stmt_field_count(st), "count differs from its entry");
    for (unsigned i = 0; i < w->cols.n; i++)
        if (!tag_fits(w->cols.v[i].tag, st->fields[i].type))
            return mismatch(cx, w, i, "is of another type");
    bind_out(im, w->cols);
    if (mysql_stmt_bind_result(st, im->out))
        return db_link_failed(cx, im, st, db_sql_name(w->sql));
    for (;;) {
        int got = mysql_stmt_fetch(st);
        if (got == MYSQL_NO_DATA)
            return FG_OK;
        if (got == 1)
            return db_link_failed(cx, im, st, db_sql_name(w->sql));
        if (!w->size && w->n)
            return mismatch(cx, w, 0, "belongs to a second row where one was expected");
        enum fg_code rc = take_row(cx, im, w);
        if (rc != FG_OK)
            return rc;
        if (w->size)
            put_row(im, w->cols, next_row(cx, w));
        w->n++;
    }
}

/* The caller's single row is written only after everything went well. */
static enum fg_code send_now(struct fg_ctx *cx, struct db *db, struct work *w)
{
    struct db_impl *im = db->impl;
    MYSQL_STMT *st = im->stmt[w->sql];
    FG_ASSERT(st && w->args.n == db_decls[w->sql].binds && w->cols.n == db_decls[w->sql].columns);
    bind_in(im, w->args);
    w->n = w->cap = 0;
    db_link_asks(cx, im);
    if ((w->args.n && mysql_stmt_bind_param(st, im->in)) || mysql_stmt_execute(st))
        return db_link_failed(cx, im, st, db_sql_name(w->sql));
    if (!w->cols.n) {
        db->affected = mysql_stmt_affected_rows(st);
        db->insert_id = (int64_t)mysql_stmt_insert_id(st);
        return FG_OK;
    }
    enum fg_code rc = take_rows(cx, im, w);
    if (rc != FG_OK && im->my)
        (void)mysql_stmt_free_result(st); /* reads off what is still coming */
    else if (rc == FG_OK && !w->size && w->n)
        put_row(im, w->cols, w->row);
    return rc;
}

static bool only_reads(const struct work *w)
{
    return fg_starts(db_decls[w->sql].text, FG_LIT("SELECT"));
}

/* Sends the statement once. */
static enum fg_code send_once(struct fg_ctx *cx, struct db *db, struct work *w)
{
    const char *name = db_sql_name(w->sql);
    enum fault_way fault = fault_next(only_reads(w) ? FAULT_READ : FAULT_DB, name);
    if (fault == FAULT_FAIL)
        return db_link_faulted(cx, db->impl, fault, name);
    enum fg_code rc = send_now(cx, db, w);
    return rc == FG_OK && fault == FAULT_LOSE ? db_link_faulted(cx, db->impl, fault, name) : rc;
}

/* A statement of its own, outside a transaction. What the server surely did not run, and what only reads, is
 * sent again on a new connection. */
static enum fg_code run_alone(struct fg_ctx *cx, struct db *db, struct work *w)
{
    struct db_impl *im = db->impl;
    for (bool first = true;; first = false) {
        enum fg_code rc = db_link_ready(cx, im);
        if (rc != FG_OK)
            return rc;
        rc = send_once(cx, db, w);
        if (rc != FG_DB_LOST || im->my)
            return rc;
        bool harmless = only_reads(w) || im->not_run;
        if (first && harmless && ctx_mono_us(cx) >= im->hung_until_us)
            continue;
        if (harmless)
            return rc;
        char cause[FG_ERR_TEXT_MAX];
        memcpy(cause, cx->err.cause, sizeof cause);
        (void)fg_fail(cx, FG_DB_UNSURE, "%s.", fg_err_info(FG_DB_UNSURE)->title);
        return fg_cause(cx, "%s", cause);
    }
}

static enum fg_code run(struct fg_ctx *cx, struct db *db, struct work *w)
{
    struct db_impl *im = db->impl;
    if (!im->in_tx)
        return run_alone(cx, db, w);
    if (im->my)
        return send_once(cx, db, w);
    (void)fg_fail(cx, FG_DB_LOST, "%s.", fg_err_info(FG_DB_LOST)->title);
    return fg_cause(cx, "%s: the connection was lost earlier in this transaction", db_sql_name(w->sql));
}

enum fg_code db_run(struct fg_ctx *cx, struct db *db, enum db_sql sql, struct db_args args)
{
    struct work w = { .sql = sql, .args = args };
    return run(cx, db, &w);
}

enum fg_code db_one(struct fg_ctx *cx, struct db *db, enum db_sql sql, struct db_args args, struct db_cols cols,
                    void *row, bool *found)
{
    struct work w = { .sql = sql, .args = args, .cols = cols, .row = row };
    enum fg_code rc = run(cx, db, &w);
    if (rc == FG_OK)
        *found = w.n == 1;
    return rc;
}

enum fg_code db_all(struct fg_ctx *cx, struct db *db, enum db_sql sql, struct db_args args, struct db_cols cols,
                    size_t size, void *rows, size_t *n)
{
    FG_ASSERT(size > 0);
    struct work w = { .sql = sql, .args = args, .cols = cols, .size = size };
    enum fg_code rc = run(cx, db, &w);
    if (rc == FG_OK) {
        memcpy(rows, &w.row, sizeof w.row);
        *n = w.n;
    }
    return rc;
}

static enum fg_code command(struct fg_ctx *cx, struct db_impl *im, struct fg_str text)
{
    bool begins = FG_IS(text, "START TRANSACTION");
    enum fault_way fault = fault_next(begins ? FAULT_READ : FAULT_DB, text.p);
    if (fault == FAULT_FAIL)
        return db_link_faulted(cx, im, fault, text.p);
    db_link_asks(cx, im);
    if (mysql_real_query(im->my, text.p, text.n))
        return db_link_failed(cx, im, NULL, text.p);
    return fault == FAULT_LOSE ? db_link_faulted(cx, im, fault, text.p) : FG_OK;
}

/* The error stays the body's own. A connection that cannot roll back is rolled back by being closed. */
static void roll_back(struct fg_ctx *cx, struct db_impl *im)
{
    struct fg_err why = cx->err;
    if (im->my && command(cx, im, FG_LIT("ROLLBACK")) != FG_OK)
        db_link_drop(im);
    cx->err = why;
}

/* Only answers that prove the transaction undone count as such; anything else may have been kept. */
static enum fg_code commit(struct fg_ctx *cx, struct db_impl *im)
{
    enum fg_code rc = command(cx, im, FG_LIT("COMMIT"));
    if (rc == FG_OK || (rc == FG_DB_LOST && !im->my && im->not_run))
        return rc;
    if (rc == FG_DB_BUSY && im->error != ER_STATEMENT_TIMEOUT && im->error != ER_QUERY_INTERRUPTED) {
        roll_back(cx, im);
        return rc;
    }
    char cause[FG_ERR_TEXT_MAX];
    memcpy(cause, cx->err.cause, sizeof cause);
    db_link_drop(im);
    (void)fg_fail(cx, FG_DB_UNSURE, "%s.", fg_err_info(FG_DB_UNSURE)->title);
    return fg_cause(cx, "%s", cause);
}

/* *again: the transaction is surely undone and another try makes sense. */
static enum fg_code tx_once(struct fg_ctx *cx, struct db *db, db_body *body, void *arg, int64_t end_us,
                            bool *again)
{
    struct db_impl *im = db->impl;
    *again = false;
    enum fg_code rc = db_link_ready(cx, im);
    if (rc != FG_OK)
        return rc; /* the server is away: waiting for it is the caller's choice */
    im->tx_broken = FG_OK;
    im->in_tx = true;
    rc = command(cx, im, FG_LIT("START TRANSACTION"));
    if (rc == FG_OK)
        rc = body(cx, db, arg);
    im->in_tx = false;
    if (rc == FG_OK && im->tx_broken != FG_OK) /* what the body took for success is half a transaction */
        rc = fg_fail(cx, im->tx_broken, "%s.", fg_err_info(im->tx_broken)->title);
    if (rc == FG_OK && ctx_mono_us(cx) >= end_us) {
        rc = fg_fail(cx, FG_DB_BUSY, "%s.", fg_err_info(FG_DB_BUSY)->title);
        (void)fg_cause(cx, "the transaction took longer than db.tx_budget_ms");
    }
    if (rc != FG_OK) {
        *again = rc == im->tx_broken && (rc == FG_DB_BUSY || !im->my);
        roll_back(cx, im);
        return rc;
    }
    rc = commit(cx, im);
    *again = rc == FG_DB_BUSY || rc == FG_DB_LOST;
    return rc;
}

/* Doubles, and is jittered: those who collided must not meet again. False when the budget is spent. */
static bool pause_before(struct fg_ctx *cx, unsigned tried, int64_t end_us)
{
    uint32_t dice;
    cx->env->random(cx->env->self, &dice, sizeof dice);
    int64_t most_us = TX_PAUSE_US << (tried < TX_PAUSE_DOUBLINGS ? tried : TX_PAUSE_DOUBLINGS);
    int64_t us = most_us / 2 + dice % (most_us / 2);
    if (tried >= TX_TRIES_MAX || ctx_mono_us(cx) + us >= end_us)
        return false;
    (void)nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
    return true;
}

enum fg_code db_tx(struct fg_ctx *cx, struct db *db, db_body *body, void *arg)
{
    FG_ASSERT(!db->impl->in_tx);
    int64_t end_us = ctx_mono_us(cx) + db->impl->conf->db_tx_budget_ms * FG_US_PER_MS;
    for (unsigned tried = 0;; tried++) {
        bool again;
        enum fg_code rc = tx_once(cx, db, body, arg, end_us, &again);
        if (!again || !pause_before(cx, tried, end_us))
            return rc;
    }
}

/* Sends the text and reads off every result; *n is the statement it came to. */
static bool run_script(MYSQL *my, struct fg_str sql, unsigned *n)
{
    *n = 1;
    if (mysql_real_query(my, sql.p, sql.n))
        return false;
    for (;;) {
        mysql_free_result(mysql_use_result(my));
        ++*n;
        int more = mysql_next_result(my);
        if (more)
            return more < 0;
    }
}

enum fg_code db_script(struct fg_ctx *cx, struct db *db, struct fg_str sql)
{
    struct db_impl *im = db->impl;
    enum fg_code rc = im->in_tx ? FG_OK : db_link_ready(cx, im);
    if (rc != FG_OK)
        return rc;
    if (!im->my)
        return fg_fail(cx, FG_DB_LOST, "%s.", fg_err_info(FG_DB_LOST)->title);
    unsigned n = 0;
    char what[32];
    db_link_asks(cx, im);
    bool ok = mysql_set_server_option(im->my, MYSQL_OPTION_MULTI_STATEMENTS_ON) == 0 && run_script(im->my, sql, &n);
    (void)snprintf(what, sizeof what, "statement %u", n);
    if (!ok)
        rc = db_link_failed(cx, im, NULL, what);
    if (im->my) /* several statements in one text stay the exception */
        (void)mysql_set_server_option(im->my, MYSQL_OPTION_MULTI_STATEMENTS_OFF);
    if (rc == FG_DB_LOST && !im->in_tx && !im->not_run) {
        (void)fg_fail(cx, FG_DB_UNSURE, "%s.", fg_err_info(FG_DB_UNSURE)->title);
        (void)fg_cause(cx, "%s: the connection was lost", what);
        rc = FG_DB_UNSURE;
    }
    return rc;
}
