/* filmgate media migrate: files from one store to the other while all runs. Of each row: what an earlier run left in the
 * new store goes, its files are copied, read back and compared, then the row is switched if it is still what it was, and
 * with it it is written down what lies in the old store, which the sweeper removes when nobody can be reading it any more
 * (sweeper/bucket.c). Killed anywhere, the row names files that are there. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/scan.h"
#include "cli/cli.h"
#include "media/s3.h"

#define ROWS 100
#define FAILED_MAX 5                          /* one after the other: it is not the files */
#define YOUNG_US (900 * FG_US_PER_S)          /* whoever stored it may be tidying up after itself */
#define LIMIT_MS (INT64_C(2) * 3600 * 1000)   /* of one operation on one file */
#define READERS_US (300 * FG_US_PER_S)        /* who was told where it is may still begin to read */
#define FILES 2

struct row {
    int64_t id;
    struct fg_str owner, file[FILES], digest; /* of the first file */
};
static const struct db_col row_cols[] = { COL(struct row, id), COL(struct row, owner), COL(struct row, file[0]),
                                          COL(struct row, file[1]), COL(struct row, digest) };

static const struct subject {
    const char *noun;
    enum db_sql rows, move, moved, left;
} subjects[] = {
    { "output", SQL_MOVE_OUTPUTS, SQL_MOVE_OUTPUT, SQL_MOVED_OUTPUT, SQL_MOVE_LEFT_OUTPUTS },
    { "upload", SQL_MOVE_UPLOADS, SQL_MOVE_UPLOAD, SQL_MOVED_UPLOAD, SQL_MOVE_LEFT_UPLOADS },
};

struct moving {
    const struct conf *conf;
    struct db *db;
    const struct subject *subject;
    enum store_kind from, to;
    int64_t limit, moved, failed, failed_in_row;
};

struct one {
    struct moving *m;
    const struct row *row;
    struct stored copy[FILES];
    bool switched;
};

static const char *suffix_of(struct fg_ctx *cx, struct fg_str name)
{
    size_t at = name.n;
    while (at > 0 && name.p[at - 1] != '.' && name.p[at - 1] != '/')
        at--;
    bool has = at > 0 && name.p[at - 1] == '.';
    return arena_cstr(cx->mem, has ? (struct fg_str){ name.p + at - 1, name.n - at + 1 } : FG_LIT(""));
}

static enum fg_code hash_of(struct fg_ctx *cx, const struct spool *t, uint8_t out[HASH_LEN])
{
    return hash_file(t->fd, out) ? FG_OK : fg_fail(cx, FG_IO, "%.*s cannot be read", FG_P(t->path));
}

static enum fg_code fetch_hash(struct fg_ctx *cx, const struct moving *m, const struct stored *what, const char *suffix,
                               struct spool *t, uint8_t out[HASH_LEN])
{
    enum fg_code rc = store_get_now(cx, m->conf, LIMIT_MS, what, suffix, t);
    return rc == FG_OK ? hash_of(cx, t, out) : rc;
}

/* What was written is read again before anybody counts on it. */
static enum fg_code compare(struct fg_ctx *cx, const struct moving *m, const struct stored *copy, const char *suffix,
                            const uint8_t want[HASH_LEN])
{
    struct spool t = { -1, FG_NONE };
    uint8_t hash[HASH_LEN];
    enum fg_code rc = fetch_hash(cx, m, copy, suffix, &t, hash);
    if (rc == FG_OK && memcmp(hash, want, HASH_LEN) != 0)
        rc = fg_fail(cx, FG_IO, "The copy %.*s is not what was put there", FG_P(copy->name));
    spool_drop(&t);
    return rc;
}

static enum fg_code copy_file(struct fg_ctx *cx, struct one *o, size_t i)
{
    struct moving *m = o->m;
    struct stored from = { m->from, o->row->file[i] };
    struct spool t = { -1, FG_NONE };
    uint8_t hash[HASH_LEN];
    if (!from.name.n)
        return FG_OK;
    const char *suffix = suffix_of(cx, from.name);
    enum fg_code rc = fetch_hash(cx, m, &from, suffix, &t, hash);
    if (rc == FG_OK && i == 0 && !fg_eq(o->row->digest, hash_bytes(hash)))
        rc = fg_fail(cx, FG_IO, "%.*s is not the file that was stored there", FG_P(from.name));
    if (rc == FG_OK)
        rc = store_put_into_now(cx, m->conf, LIMIT_MS, m->to, &t, o->row->owner, suffix, &o->copy[i]);
    spool_drop(&t);
    return rc == FG_OK ? compare(cx, m, &o->copy[i], suffix, hash) : rc;
}

static enum fg_code switch_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct one *o = arg;
    const struct row *r = o->row;
    /* A link into the bucket lives so long. */
    int64_t gone_us = cx->now_us + READERS_US + (o->m->from == STORE_S3 ? o->m->conf->media_link_ttl_s * FG_US_PER_S : 0);
    enum fg_code rc = db_run(cx, db, o->m->subject->move,
                             DB_ARGS(DB((int)o->m->to), DB(o->copy[0].name), DB(o->copy[1].name), DB(r->id),
                                     DB((int)o->m->from), DB(r->file[0])));
    o->switched = rc == FG_OK && db->affected == 1;
    for (size_t i = 0; rc == FG_OK && o->switched && i < FILES; i++)
        if (r->file[i].n)
            rc = db_run(cx, db, SQL_LEFT_INSERT, DB_ARGS(DB((int)o->m->from), DB(r->file[i]), DB(gone_us)));
    return rc;
}

/* Which file the row names now; FG_NONE: none any more. */
static enum fg_code look(struct fg_ctx *cx, struct one *o, struct fg_str *file)
{
    static const struct db_col cols[] = { COL(struct row, file[0]) };
    struct row now;
    bool found;
    enum fg_code rc = db_one(cx, o->m->db, o->m->subject->moved, DB_ARGS(DB(o->row->id)), DB_COLS(cols), &now, &found);
    if (rc == FG_OK)
        *file = found ? now.file[0] : FG_NONE;
    return rc;
}

/* Copies and switches. FG_OK and not switched: the row is no longer what it was. */
static enum fg_code copy_and_switch(struct fg_ctx *cx, struct one *o)
{
    struct moving *m = o->m;
    struct fg_str now;
    enum fg_code rc = store_clear_now(cx, m->conf, LIMIT_MS, m->to, o->row->owner);
    for (size_t i = 0; rc == FG_OK && i < FILES; i++)
        rc = copy_file(cx, o, i);
    ctx_tick(cx);
    if (rc == FG_OK)
        rc = db_tx(cx, m->db, switch_body, o);
    if (rc == FG_OK)
        return rc;
    struct fg_err err = cx->err;
    enum fg_code seen = look(cx, o, &now);
    o->switched = seen == FG_OK && rc == FG_DB_UNSURE && now.n && fg_eq(now, o->copy[0].name);
    if (o->switched || (seen == FG_OK && !fg_eq(now, o->row->file[0])))
        return FG_OK;
    cx->err = err;
    return rc; /* what was copied is cleared by the next run */
}

static enum fg_code move_row(struct fg_ctx *cx, struct moving *m, const struct row *r, bool *moved)
{
    struct one o = { .m = m, .row = r, .copy = { { .name = FG_LIT("") }, { .name = FG_LIT("") } } };
    enum fg_code rc = copy_and_switch(cx, &o);
    *moved = o.switched;
    if (rc != FG_OK || o.switched)
        return rc;
    printf("%s  %.*s  was deleted or changed meanwhile\n", m->subject->noun, FG_P(r->owner));
    return store_clear_now(cx, m->conf, LIMIT_MS, m->to, r->owner);
}

static enum fg_code move_and_tell(struct fg_ctx *cx, struct moving *m, const struct row *r)
{
    struct fg_ctx own = { .mem = arena_new(), .env = cx->env, .now_us = cx->now_us, .request_id = cx->request_id };
    bool moved = false;
    enum fg_code rc = move_row(&own, m, r, &moved);
    if (rc == FG_OK)
        m->failed_in_row = 0;
    if (rc == FG_OK && moved) {
        m->moved++;
        printf("%s  %.*s  moved (%lld)\n", m->subject->noun, FG_P(r->owner), (long long)m->moved);
    } else if (rc != FG_OK) {
        m->failed++;
        m->failed_in_row++;
        printf("%s  %.*s  stays: %s %s\n", m->subject->noun, FG_P(r->owner), own.err.detail, own.err.cause);
        cx->err = own.err;
    }
    (void)fflush(stdout);
    arena_free(own.mem);
    return m->failed_in_row < FAILED_MAX && rc != FG_DB_LOST ? FG_OK : rc;
}

static enum fg_code move_page(struct fg_ctx *cx, struct moving *m, int64_t *after, bool *more)
{
    struct row *row;
    size_t n;
    enum fg_code rc = DB_ALL(cx, m->db, m->subject->rows,
                             DB_ARGS(DB(*after), DB((int)m->from), DB(cx->now_us - YOUNG_US), DB((int64_t)ROWS)),
                             DB_COLS(row_cols), &row, &n);
    *more = rc == FG_OK && n == ROWS;
    for (size_t i = 0; rc == FG_OK && i < n && m->moved < m->limit; i++) {
        rc = move_and_tell(cx, m, &row[i]);
        *after = row[i].id;
    }
    return rc;
}

static enum fg_code move_all(struct fg_ctx *cx, struct moving *m)
{
    enum fg_code rc = FG_OK;
    int64_t after = 0;
    for (bool more = true; rc == FG_OK && more && m->moved < m->limit;) {
        struct fg_ctx page = { .mem = arena_new(), .env = cx->env, .request_id = cx->request_id };
        ctx_tick(&page);
        rc = move_page(&page, m, &after, &more);
        if (rc != FG_OK)
            cx->err = page.err;
        arena_free(page.mem);
    }
    return rc;
}

struct number {
    int64_t n;
};
static const struct db_col number_cols[] = { COL(struct number, n) };

static enum fg_code run(struct fg_ctx *cx, struct moving *m)
{
    struct number lock = { 0 }, left = { 0 };
    int64_t all = 0;
    bool found;
    enum fg_code rc = db_one(cx, m->db, SQL_MOVE_LOCK, DB_NO_ARGS, DB_COLS(number_cols), &lock, &found);
    if (rc == FG_OK && lock.n != 1)
        rc = fg_fail(cx, FG_IO, "Another one is moving files");
    for (size_t i = 0; rc == FG_OK && i < FG_LEN(subjects); i++) {
        m->subject = &subjects[i];
        rc = move_all(cx, m);
    }
    for (size_t i = 0; rc == FG_OK && i < FG_LEN(subjects); i++) {
        rc = db_one(cx, m->db, subjects[i].left, DB_ARGS(DB((int)m->from)), DB_COLS(number_cols), &left, &found);
        all += left.n;
    }
    if (rc == FG_OK)
        printf("%lld moved, %lld failed, %lld are still in the other store\n", (long long)m->moved, (long long)m->failed,
               (long long)all);
    if (rc == FG_OK && m->failed)
        rc = fg_fail(cx, FG_IO, "Some files could not be moved");
    return rc;
}

/* What root writes to the folder nobody else could read: root becomes whoever it belongs to. */
static enum fg_code become_owner(struct fg_ctx *cx, const struct conf *conf)
{
    struct stat st;
    const char *root = arena_cstr(cx->mem, conf->media_root);
    if (geteuid() != 0)
        return FG_OK;
    if (stat(root, &st) < 0)
        return fg_fail(cx, FG_IO, "%s: %s", root, strerror(errno));
    if (st.st_uid != 0 && (setgroups(1, &st.st_gid) < 0 || setegid(st.st_gid) < 0 || seteuid(st.st_uid) < 0))
        return fg_fail(cx, FG_IO, "cannot become the owner of %s: %s", root, strerror(errno));
    return FG_OK;
}

enum fg_code cli_media_migrate(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    const char *to = cli_option(argc, argv, "--to"), *limit = cli_option(argc, argv, "--limit");
    struct moving m = { .conf = conf, .limit = INT64_MAX };
    if (!to || (strcmp(to, "s3") && strcmp(to, "disk")))
        return fg_fail(cx, FG_INVALID_REQUEST, "--to must be s3 or disk");
    if (limit && !scan_all_i64(fg_str_c(limit), 1, INT64_MAX, &m.limit))
        return fg_fail(cx, FG_INVALID_REQUEST, "--limit must be a number from 1");
    if (!s3_is_set_up(conf))
        return fg_fail(cx, FG_CONFIG, "[s3] is not set up");
    m.to = strcmp(to, "s3") ? STORE_DISK : STORE_S3;
    m.from = m.to == STORE_S3 ? STORE_DISK : STORE_S3;
    cx->request_id = FG_LIT("migrate");
    enum fg_code rc = become_owner(cx, conf);
    if (rc == FG_OK)
        rc = disk_open(cx, conf);
    if (rc == FG_OK)
        rc = cli_db(cx, conf, &m.db);
    if (rc == FG_OK)
        rc = run(cx, &m);
    db_close(m.db);
    return rc;
}
