/* filmgate audit media: every file has its row, every row its files. A folder at a time: what is in memory is one
 * folder's names. Reports; repairs when told to. */
#include <stdio.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/scan.h"
#include "cli/cli.h"
#include "job/store.h"
#include "media/store.h"

#define GRACE_US (3600 * FG_US_PER_S) /* a younger file may be about to get its row */
#define ROWS 500

struct audit {
    const struct conf *conf;
    struct db *db;
    struct store store;
    bool deep, repair;
    int64_t now_us;               /* by the clock that files go by */
    struct disk_file *file;       /* of the folder */
    bool *known;
    size_t n;
    int64_t files, rows, orphans, orphan_bytes, lost, differ, young, repaired, elsewhere;
};

/* ---- rows against files ---- */

static struct disk_file *find(struct audit *a, struct fg_str name)
{
    size_t from = 0, to = a->n;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        int order = strcmp(a->file[mid].name.p, name.p);
        if (order == 0) {
            a->known[mid] = true;
            return &a->file[mid];
        }
        if (order < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return NULL;
}

/* One that has come after the folder was read is there too. */
static enum fg_code look(struct fg_ctx *cx, struct audit *a, struct fg_str name, bool *there, struct disk_file *f)
{
    struct disk_file *listed = find(a, name);
    *there = listed != NULL;
    if (listed) {
        *f = *listed;
        return FG_OK;
    }
    enum fg_code rc = disk_look(cx, a->conf, name, f);
    *there = rc == FG_OK;
    return rc == FG_NOT_FOUND ? FG_OK : rc;
}

struct expected {
    struct fg_str owner, file, second, digest;
    int64_t bytes;
};

/* *lost: the first of its files is gone. */
static enum fg_code check_row(struct fg_ctx *cx, struct audit *a, const struct expected *e, bool *lost)
{
    struct disk_file f, second;
    uint8_t digest[HASH_LEN];
    bool there, second_there;
    enum fg_code rc = look(cx, a, e->file, &there, &f);
    if (rc == FG_OK)
        rc = look(cx, a, e->second, &second_there, &second);
    if (rc != FG_OK)
        return rc;
    *lost = !there;
    a->rows++;
    if (!there || !second_there) {
        printf("lost     %.*s  %.*s\n", FG_P(e->owner), FG_P(!there ? e->file : e->second));
        a->lost++;
        return FG_OK;
    }
    bool same = f.bytes == e->bytes;
    if (same && a->deep) {
        rc = disk_digest(cx, a->conf, e->file, digest);
        same = rc == FG_OK && hash_same(hash_bytes(digest), e->digest);
    }
    if (rc == FG_OK && !same) {
        printf("differs  %.*s  %.*s: not what was stored\n", FG_P(e->owner), FG_P(e->file));
        a->differ++;
    }
    return rc;
}

struct losing {
    struct job job;
    bool moved;
};

static enum fg_code lose_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct losing *l = arg;
    int64_t bytes = 0;
    l->moved = false;
    enum fg_code rc = hold_gate(cx, db);
    if (rc == FG_OK)
        rc = job_by_id(cx, db, l->job.id, &l->job);
    if (rc == FG_OK)
        rc = hold_check(cx, db, l->job.id);
    if (rc != FG_OK || l->job.output_state != OUTPUT_STORED)
        return rc;
    rc = job_forget_file(cx, db, &l->job, event_data(cx, "by", FG_LIT("audit")), &bytes);
    l->moved = rc == FG_OK;
    return rc == FG_OK ? ledger_storage(cx, db, l->job.account_id, -bytes) : rc;
}

struct output_row {
    int64_t id, bytes;
    int store;
    bool held;
    struct fg_str public_id, video, poster, digest;
};
static const struct db_col output_cols[] = {
    COL(struct output_row, id),    COL(struct output_row, public_id), COL(struct output_row, video), COL(struct output_row, poster),
    COL(struct output_row, bytes), COL(struct output_row, digest),    COL(struct output_row, store), COL(struct output_row, held),
};

static enum fg_code check_output(struct fg_ctx *cx, struct audit *a, const struct output_row *o)
{
    struct losing l = { .job.id = o->id };
    bool lost = false;
    if (o->store != STORE_DISK) {
        a->elsewhere++;
        return FG_OK;
    }
    enum fg_code rc = check_row(cx, a, &(struct expected){ o->public_id, o->video, o->poster, o->digest, o->bytes }, &lost);
    if (rc != FG_OK || !lost || !a->repair || o->held)
        return rc;
    rc = db_tx(cx, a->db, lose_body, &l);
    a->repaired += rc == FG_OK && l.moved;
    return rc == FG_LEGAL_HOLD || rc == FG_JOB_MOVED ? FG_OK : rc;
}

static enum fg_code outputs(struct fg_ctx *cx, struct audit *a, struct fg_str from, struct fg_str to)
{
    struct output_row *row;
    size_t n = ROWS;
    enum fg_code rc = FG_OK;
    while (n == ROWS && rc == FG_OK) {
        rc = DB_ALL(cx, a->db, SQL_AUDIT_OUTPUTS, DB_ARGS(DB(from), DB(to), DB(ROWS)), DB_COLS(output_cols), &row, &n);
        for (size_t i = 0; i < n && rc == FG_OK; i++)
            rc = check_output(cx, a, &row[i]);
        from = n ? row[n - 1].public_id : from;
    }
    return rc;
}

struct upload_row {
    struct fg_str public_id, file, thumb, etag;
    int64_t bytes;
    int store;
};
static const struct db_col upload_cols[] = {
    COL(struct upload_row, public_id), COL(struct upload_row, file), COL(struct upload_row, thumb),
    COL(struct upload_row, bytes),     COL(struct upload_row, etag), COL(struct upload_row, store),
};

static enum fg_code uploads(struct fg_ctx *cx, struct audit *a, struct fg_str from, struct fg_str to)
{
    struct upload_row *row;
    size_t n = ROWS;
    bool lost;
    enum fg_code rc = FG_OK;
    while (n == ROWS && rc == FG_OK) {
        rc = DB_ALL(cx, a->db, SQL_AUDIT_UPLOADS, DB_ARGS(DB(from), DB(to), DB(ROWS)), DB_COLS(upload_cols), &row, &n);
        for (size_t i = 0; i < n && rc == FG_OK; i++) {
            const struct upload_row *u = &row[i];
            if (u->store == STORE_DISK)
                rc = check_row(cx, a, &(struct expected){ u->public_id, u->file, u->thumb, u->etag, u->bytes }, &lost);
            else
                a->elsewhere++;
        }
        from = n ? row[n - 1].public_id : from;
    }
    return rc;
}

/* ---- files against rows ---- */

/* "ab/job_…-….mp4": whose it is by its name. */
static struct fg_str owner_of(struct fg_str name)
{
    struct fg_str rest = name, owner = FG_NONE;
    (void)scan_until(&rest, '/', &owner);
    (void)scan_until(&rest, '-', &owner);
    return owner;
}

static enum fg_code check_orphan(struct fg_ctx *cx, struct audit *a, const struct disk_file *f)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    struct fg_str owner = owner_of(f->name);
    int64_t id;
    bool owned;
    if (f->changed_us > a->now_us - GRACE_US) {
        a->young++;
        return FG_OK;
    }
    enum fg_code rc = db_one(cx, a->db, SQL_AUDIT_OWNER, DB_ARGS(DB(owner), DB(f->name), DB(owner)), DB_COLS(cols), &id, &owned);
    if (rc != FG_OK || owned)
        return rc;
    a->orphans++;
    a->orphan_bytes += f->bytes;
    printf("orphan   %.*s  %lld bytes\n", FG_P(f->name), (long long)f->bytes);
    if (!a->repair)
        return FG_OK;
    rc = disk_remove(cx, a->conf, f->name);
    a->repaired += rc == FG_OK;
    return rc;
}

static enum fg_code folder(struct fg_ctx *cx, struct audit *a, struct fg_str shard)
{
    struct fg_str job = arena_fmt(cx->mem, "job_%.*s", FG_P(shard)), job_end = arena_fmt(cx->mem, "%.*s~", FG_P(job));
    struct fg_str upload = arena_fmt(cx->mem, "upl_%.*s", FG_P(shard)), upload_end = arena_fmt(cx->mem, "%.*s~", FG_P(upload));
    enum fg_code rc = store_list(cx, &a->store, STORE_DISK, shard, &a->file, &a->n);
    if (rc != FG_OK)
        return rc;
    a->known = arena_array(cx->mem, bool, a->n + 1);
    memset(a->known, 0, a->n + 1);
    a->files += (int64_t)a->n;
    rc = outputs(cx, a, job, job_end);
    if (rc == FG_OK)
        rc = uploads(cx, a, upload, upload_end);
    for (size_t i = 0; i < a->n && rc == FG_OK; i++)
        if (!a->known[i])
            rc = check_orphan(cx, a, &a->file[i]);
    return rc;
}

/* Each folder in memory of its own. */
static enum fg_code walk(struct fg_ctx *cx, struct audit *a)
{
    static const char letters[] = DISK_SHARDS;
    struct fg_ctx own = *cx;
    enum fg_code rc = FG_OK;
    own.mem = arena_new();
    for (size_t i = 0; i < (FG_LEN(letters) - 1) * (FG_LEN(letters) - 1) && rc == FG_OK; i++) {
        char shard[] = { letters[i / (FG_LEN(letters) - 1)], letters[i % (FG_LEN(letters) - 1)], '\0' };
        arena_reset(own.mem);
        rc = folder(&own, a, fg_str_c(shard));
    }
    cx->err = own.err;
    arena_free(own.mem);
    return rc;
}

enum fg_code cli_audit_media(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    const struct fg_env *real = env_real();
    struct audit a = { .conf = conf, .store = { conf, NULL }, .deep = cli_option(argc, argv, "--deep") != NULL,
                       .repair = cli_option(argc, argv, "--repair") != NULL, .now_us = real->utc_us(real->self) };
    enum fg_code rc = cli_db(cx, conf, &a.db);
    if (rc != FG_OK)
        return rc;
    cx->request_id = FG_LIT("audit");
    rc = walk(cx, &a);
    if (rc == FG_OK)
        printf("%lld files, %lld rows: %lld orphans (%lld bytes), %lld lost, %lld differ; %lld young, %lld in other stores, "
               "%lld repaired\n", (long long)a.files, (long long)a.rows, (long long)a.orphans, (long long)a.orphan_bytes,
               (long long)a.lost, (long long)a.differ, (long long)a.young, (long long)a.elsewhere, (long long)a.repaired);
    if (rc == FG_OK && a.repaired < a.orphans + a.lost + a.differ)
        rc = fg_fail(cx, FG_IO, "Files and rows differ%s", a.repair ? " where only you can say what is right" : "; see --repair");
    db_close(a.db);
    return rc;
}
