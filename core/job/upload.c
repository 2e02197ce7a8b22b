#include "job/upload.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/id.h"
#include "base/log.h"
#include "io/file.h"
#include "io/json.h"
#include "job/store.h"
#include "job/wake.h"
#include "money/ledger.h"

#define UNFINISHED_US (3600 * FG_US_PER_S) /* longer than anybody can take from the row to its files */
#define STORE_MS 10000                     /* that each file may take while its client waits */
#define BATCH_MAX 50                       /* LIMIT of UPLOADS_EXPIRED and UPLOADS_DELETED */
#define URL_MAX 512

static const struct db_col upload_cols[] = {
    COL(struct upload, id),         COL(struct upload, public_id),  COL(struct upload, account_id),
    COL(struct upload, user_id),    COL(struct upload, type),       COL(struct upload, width),
    COL(struct upload, height),     COL(struct upload, bytes),      COL(struct upload, etag),
    COL(struct upload, file),       COL(struct upload, thumb_file), COL(struct upload, store),
    COL(struct upload, created_us), COL(struct upload, expires_us), COL(struct upload, deleted_us),
};

static enum fg_code none(struct fg_ctx *cx)
{
    return fg_fail(cx, FG_NOT_FOUND, "No such upload.");
}

enum fg_code upload_by_id(struct fg_ctx *cx, struct db *db, struct fg_str id, struct upload *out)
{
    bool found = false;
    enum fg_code rc = FG_OK;
    if (id_valid(id, UPLOAD_ID))
        rc = db_one(cx, db, SQL_UPLOAD_BY_PUBLIC_ID, DB_ARGS(DB(id)), DB_COLS(upload_cols), out, &found);
    return rc != FG_OK || (found && !out->deleted_us) ? rc : none(cx);
}

/* ---- who may see it ---- */

bool upload_is_of(const struct upload *u, const struct identity *who)
{
    return u->account_id == who->account_id &&
           (who->role != ROLE_USER || fg_eq(u->user_id, fg_str_c(who->user_id)));
}

static enum fg_code row_of(struct fg_ctx *cx, struct db *db, struct fg_str id, struct upload *out, bool *found)
{
    *found = false;
    if (!id_valid(id, UPLOAD_ID))
        return FG_OK;
    enum fg_code rc = db_one(cx, db, SQL_UPLOAD_BY_PUBLIC_ID, DB_ARGS(DB(id)), DB_COLS(upload_cols), out, found);
    *found = *found && out->file.n > 0; /* without files it never was one */
    return rc;
}

static enum fg_code unless_gone(struct fg_ctx *cx, const struct upload *u)
{
    if (!u->deleted_us)
        return FG_OK;
    struct fg_str when = time_iso(cx->mem, u->deleted_us);
    return fg_fail(cx, FG_GONE, "The upload was deleted at %.*s.", FG_P(when));
}

enum fg_code upload_read(struct fg_ctx *cx, const struct job_env *env, const struct identity *who, struct fg_str id,
                         struct upload *out)
{
    bool found;
    enum fg_code rc = row_of(cx, env->db, id, out, &found);
    if (rc == FG_OK && (!found || !upload_is_of(out, who)))
        rc = none(cx);
    return rc == FG_OK ? unless_gone(cx, out) : rc;
}

enum fg_code upload_follow(struct fg_ctx *cx, struct db *db, const uint8_t *pepper, const struct upload_link *link,
                           struct upload *out)
{
    bool found;
    enum fg_code rc = row_of(cx, db, link->id, out, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_LINK_INVALID, "The link's signature does not fit.");
    if (rc == FG_OK)
        rc = link_check(cx, pepper, out->public_id, out->account_id, link->part, link->exp, link->sig);
    return rc == FG_OK ? unless_gone(cx, out) : rc;
}

static void add_link(struct fg_ctx *cx, const struct job_env *env, struct jw *w, const char *key,
                     const struct upload *u, enum media_part part)
{
    int64_t exp_us = link_expiry_us(cx->now_us, env->conf->media_link_ttl_s * FG_US_PER_S);
    struct sb url = sb_in(cx->mem, URL_MAX);
    sb_add(&url, env->conf->server_public_url);
    sb_add(&url, link_make(cx, env->pepper, u->public_id, u->account_id, part, exp_us));
    jw_str(w, key, sb_str(&url));
}

void upload_json(struct fg_ctx *cx, const struct job_env *env, const struct upload *u, struct sb *b)
{
    struct jw w = jw_on(b);
    jw_open(&w, NULL);
    jw_str(&w, "id", u->public_id);
    jw_str(&w, "userId", u->user_id);
    jw_str(&w, "type", image_mime((enum image_type)u->type));
    jw_i64(&w, "width", u->width);
    jw_i64(&w, "height", u->height);
    jw_i64(&w, "bytes", u->bytes);
    add_link(cx, env, &w, "url", u, MEDIA_IMAGE);
    add_link(cx, env, &w, "thumbnailUrl", u, MEDIA_THUMB);
    jw_time(&w, "createdAt", u->created_us);
    jw_time(&w, "expiresAt", u->expires_us < UPLOAD_KEPT_US ? u->expires_us : 0);
    jw_close(&w);
}

/* ---- its row ---- */

void upload_digest(const uint8_t pepper[HASH_LEN], int64_t account_id, struct fg_str user_id, const uint8_t sent[HASH_LEN],
                   uint8_t out[HASH_LEN])
{
    struct fg_str account = { (const char *)&account_id, sizeof account_id };
    HASH_KEYED(pepper, HASH_UPLOAD, out, account, user_id, hash_bytes(sent));
}

enum fg_code upload_by_digest(struct fg_ctx *cx, struct db *db, const uint8_t digest[HASH_LEN], struct upload *out,
                              bool *found)
{
    return db_one(cx, db, SQL_UPLOAD_BY_DIGEST, DB_ARGS(DB(hash_bytes(digest))), DB_COLS(upload_cols), out, found);
}

enum fg_code upload_measure(struct fg_ctx *cx, int fd, struct upload_new *n)
{
    char piece[64 * FG_KIB];
    struct hash_stream h;
    int64_t at = 0;
    ssize_t got;
    hash_begin(&h);
    while ((got = pread(fd, piece, sizeof piece, (off_t)at)) > 0) {
        hash_add(&h, piece, (size_t)got);
        at += got;
    }
    hash_end(&h, n->etag);
    n->row.bytes = at;
    n->row.etag = hash_bytes(n->etag);
    return got == 0 && at > 0 && at <= IMAGE_BYTES_MAX ? FG_OK : fg_fail(cx, FG_IO, "The picture's file cannot be read.");
}

enum fg_code upload_reserve(struct fg_ctx *cx, struct db *db, struct upload_new *n)
{
    struct upload *u = &n->row;
    u->public_id = id_new(cx, UPLOAD_ID);
    u->created_us = cx->now_us;
    enum fg_code rc = db_run(cx, db, SQL_UPLOAD_RESERVE,
                             DB_ARGS(DB(u->public_id), DB(u->account_id), DB(u->user_id), DB(u->type), DB(u->width),
                                     DB(u->height), DB(u->bytes), DB(hash_bytes(n->etag)), DB(cx->now_us), DB(cx->now_us),
                                     DB(cx->now_us + UNFINISHED_US)));
    if (rc == FG_OK)
        u->id = db->insert_id;
    return rc;
}

enum fg_code upload_keep(struct fg_ctx *cx, struct db *db, struct upload_new *n, int64_t expires_us)
{
    struct upload *u = &n->row;
    u->file = n->image.name;
    u->thumb_file = n->thumb.name;
    u->store = n->image.kind;
    u->expires_us = expires_us;
    enum fg_code rc = ledger_storage(cx, db, u->account_id, u->bytes);
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_UPLOAD_KEEP,
                    DB_ARGS(DB(hash_bytes(n->digest)), DB(u->file), DB(u->thumb_file), DB(u->store), DB(expires_us),
                            DB(u->id), DB(cx->now_us)));
    if (rc == FG_OK && db->affected != 1)
        rc = fg_fail(cx, FG_TIMED_OUT, "The picture took too long to store.");
    return rc;
}

enum fg_code upload_abandon(struct fg_ctx *cx, struct db *db, const struct upload_new *n)
{
    return db_run(cx, db, SQL_UPLOAD_ABANDON, DB_ARGS(DB(cx->now_us), DB(n->row.id)));
}

int64_t upload_until_us(const struct plan *p, int64_t deadline_us)
{
    return p->upload_days < 0 ? UPLOAD_KEPT_US : deadline_us + p->upload_days * 86400 * FG_US_PER_S;
}

enum fg_code upload_use(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id, int64_t until_us)
{
    struct upload u;
    enum fg_code rc = ledger_storage(cx, db, account_id, 0);
    if (rc == FG_OK)
        rc = upload_by_id(cx, db, id, &u);
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_UPLOAD_USE, DB_ARGS(DB(until_us), DB(u.id)));
    return rc;
}

/* ---- its end ---- */

struct ending {
    struct upload upload;
    bool in_use;
};

/* FG_JOB_MOVED: somebody else has ended it. */
static enum fg_code end_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    struct ending *e = arg;
    const struct upload *u = &e->upload;
    int64_t job;
    bool held = false;
    enum fg_code rc = hold_gate(cx, db);
    if (rc == FG_OK)
        rc = ledger_storage(cx, db, u->account_id, -u->bytes);
    if (rc == FG_OK)
        rc = db_one(cx, db, SQL_UPLOAD_HELD, DB_ARGS(DB(u->id)), DB_COLS(cols), &job, &held);
    if (rc == FG_OK && held)
        return fg_fail(cx, FG_LEGAL_HOLD, "This picture is kept by a legal hold.");
    if (rc == FG_OK)
        rc = db_one(cx, db, SQL_UPLOAD_NEEDED, DB_ARGS(DB(u->public_id)), DB_COLS(cols), &job, &e->in_use);
    if (rc == FG_OK && e->in_use)
        return fg_fail(cx, FG_UPLOAD_IN_USE, "A job that has not ended needs this upload.");
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_UPLOAD_END, DB_ARGS(DB(cx->now_us), DB(u->id)));
    if (rc == FG_OK && db->affected != 1)
        rc = fg_fail(cx, FG_JOB_MOVED, "The upload has been deleted meanwhile.");
    FG_CRASH_POINT("upload.before_end_commit");
    return rc;
}

enum fg_code upload_delete(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str id)
{
    struct ending e = { .in_use = false };
    enum fg_code rc = upload_read(cx, env, who, id, &e.upload);
    if (rc == FG_OK)
        rc = db_tx(cx, env->db, end_body, &e);
    if (rc == FG_OK)
        wake_send(env->wake_fd, env->conf);
    return rc == FG_GONE || rc == FG_JOB_MOVED ? FG_OK : rc;
}

enum fg_code upload_expire(struct fg_ctx *cx, struct db *db, int64_t floor_us, size_t *n)
{
    struct upload *row;
    enum fg_code rc = DB_ALL(cx, db, SQL_UPLOADS_EXPIRED, DB_ARGS(DB(floor_us)), DB_COLS(upload_cols), &row, n);
    for (size_t i = 0; rc == FG_OK && i < *n; i++) {
        struct ending e = { .upload = row[i] };
        rc = db_tx(cx, db, end_body, &e);
        if (rc == FG_UPLOAD_IN_USE || rc == FG_LEGAL_HOLD || rc == FG_JOB_MOVED) /* since it was listed */
            rc = FG_OK;
    }
    return rc;
}

enum fg_code upload_deleted(struct fg_ctx *cx, struct db *db, struct upload **rows, size_t *n)
{
    return DB_ALL(cx, db, SQL_UPLOADS_DELETED, DB_ARGS(DB(cx->now_us)), DB_COLS(upload_cols), rows, n);
}

enum fg_code upload_removed(struct fg_ctx *cx, struct db *db, int64_t id)
{
    return db_run(cx, db, SQL_UPLOAD_REMOVED, DB_ARGS(DB(cx->now_us), DB(id)));
}

/* ---- POST /v1/uploads ---- */

struct making {
    struct job_env *env;
    struct terms terms;
    struct spool sent, image, thumb;
    struct upload_new n;
};

static enum fg_code check_size(struct fg_ctx *cx, const struct making *m, size_t bytes)
{
    int64_t most = m->env->conf->media_upload_bytes, plan = m->terms.plan.upload_bytes;
    if (bytes == 0)
        return fg_fail(cx, FG_IMAGE_INVALID, "There is no picture in the request.");
    if ((int64_t)bytes > most)
        return fg_fail(cx, FG_TOO_LARGE, "A picture may have at most %lld bytes.", (long long)most);
    if (plan < 0 || (int64_t)bytes <= plan)
        return FG_OK;
    (void)fg_fail(cx, FG_PLAN_LIMIT, "With this plan a picture may have at most %lld bytes; it has %zu.", (long long)plan,
                  bytes);
    return fg_limit(cx, &(struct fg_err_limit){ "uploadBytes", plan, (long long)bytes, 0, 0 });
}

/* Its end is the picture's fault, unless it could not even begin. to: NULL where nothing is written. */
static enum fg_code run(struct fg_ctx *cx, const struct child_call *call, const struct spool *from, const struct spool *to,
                        struct fg_str *printed)
{
    int status;
    enum fg_code rc = child_show(cx, call->jail, from->fd);
    if (rc == FG_OK && to)
        rc = child_lend(cx, call->jail, to->fd);
    if (rc == FG_OK)
        rc = child_run_any(cx, call, printed, &status);
    if (child_return(cx, call->jail, from->fd) != FG_OK || (to && child_return(cx, call->jail, to->fd) != FG_OK))
        return FG_IO;
    if (rc == FG_OK && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return FG_OK;
    if (rc != FG_OK && rc != FG_TIMED_OUT)
        return rc;
    struct fg_str how = arena_fmt(cx->mem, "%s: status %d", call->argv[0], rc == FG_OK ? status : -1);
    (void)fg_fail(cx, FG_IMAGE_INVALID, "The picture cannot be read.");
    return fg_cause(cx, "%.*s", FG_P(how));
}

static enum fg_code look(struct fg_ctx *cx, const struct conf *conf, const struct spool *file, struct upload *u)
{
    struct child_call call;
    struct fg_str printed = FG_NONE;
    struct image_facts facts;
    image_header_call(cx, conf, file->path.p, &call);
    enum fg_code rc = run(cx, &call, file, NULL, &printed);
    if (rc == FG_OK)
        rc = image_header_read(cx, conf, printed, (enum image_type)u->type, &facts);
    if (rc == FG_OK) {
        u->width = facts.width;
        u->height = facts.height;
    }
    return rc;
}

static enum fg_code make(struct fg_ctx *cx, struct making *m, struct fg_str bytes)
{
    const struct conf *conf = m->env->conf;
    struct upload *u = &m->n.row;
    const char *suffix = image_suffix((enum image_type)u->type);
    struct child_call call;
    struct fg_str printed;
    enum fg_code rc = spool_new(cx, conf, suffix, &m->sent);
    if (rc == FG_OK && !file_write(m->sent.fd, bytes.p, bytes.n))
        rc = fg_fail(cx, FG_IO, "The picture could not be stored.");
    if (rc == FG_OK)
        rc = look(cx, conf, &m->sent, u);
    if (rc == FG_OK)
        rc = spool_new(cx, conf, suffix, &m->image);
    if (rc == FG_OK)
        rc = spool_new(cx, conf, ".jpg", &m->thumb);
    if (rc != FG_OK)
        return rc;
    image_make_call(cx, conf, m->sent.path.p, m->image.path.p, (enum image_type)u->type, &call);
    rc = run(cx, &call, &m->sent, &m->image, &printed);
    if (rc == FG_OK)
        rc = look(cx, conf, &m->image, u);
    if (rc != FG_OK)
        return rc;
    image_thumb_call(cx, conf, m->image.path.p, m->thumb.path.p, &call);
    rc = run(cx, &call, &m->image, &m->thumb, &printed);
    return rc == FG_OK ? upload_measure(cx, m->image.fd, &m->n) : rc;
}

static enum fg_code keep_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct making *m = arg;
    struct account_use use;
    const struct plan *p = &m->terms.plan;
    enum fg_code rc = upload_keep(cx, db, &m->n, cx->now_us + m->env->conf->media_upload_hours * 3600 * FG_US_PER_S);
    if (rc == FG_OK)
        rc = use_read(cx, db, m->n.row.account_id, &m->terms, FG_NONE, &use);
    if (rc == FG_OK && p->storage_bytes >= 0 && use.storage_bytes > p->storage_bytes) {
        (void)fg_fail(cx, FG_STORAGE_LIMIT, "This account may keep %lld bytes; delete some.", (long long)p->storage_bytes);
        rc = fg_limit(cx, &(struct fg_err_limit){ "storageBytes", p->storage_bytes, use.storage_bytes - m->n.row.bytes,
                                                  0, 0 });
    }
    FG_CRASH_POINT("upload.before_commit");
    return rc;
}

/* Whatever a COMMIT of ours without an answer has brought: waits for it, should it still be running. */
static enum fg_code settle(struct fg_ctx *cx, struct db *db, struct upload_new *n)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    int64_t id;
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_UPLOAD_KEPT, DB_ARGS(DB(n->row.id)), DB_COLS(cols), &id, &found);
    return rc != FG_OK || found ? rc : fg_fail(cx, FG_DB_LOST, "The database went away; the picture was not stored.");
}

static enum fg_code store_it(struct fg_ctx *cx, struct making *m)
{
    struct db *db = m->env->db;
    const struct conf *conf = m->env->conf;
    FG_CRASH_POINT("upload.made");
    ctx_tick(cx); /* the programs took their time */
    enum fg_code rc = upload_reserve(cx, db, &m->n);
    if (rc != FG_OK)
        return rc;
    rc = store_put_now(cx, conf, STORE_MS, &m->image, m->n.row.public_id, image_suffix((enum image_type)m->n.row.type),
                       &m->n.image);
    if (rc == FG_OK)
        rc = store_put_now(cx, conf, STORE_MS, &m->thumb, m->n.row.public_id, ".jpg", &m->n.thumb);
    FG_CRASH_POINT("upload.put");
    ctx_tick(cx);
    if (rc == FG_OK)
        rc = db_tx(cx, db, keep_body, m);
    if (rc == FG_DB_UNSURE)
        rc = settle(cx, db, &m->n);
    if (rc == FG_OK || rc == FG_DB_UNSURE)
        return rc;
    struct fg_err why = cx->err;
    if (upload_abandon(cx, db, &m->n) != FG_OK) /* then they go in an hour */
        log_err(cx, "upload.abandon_failed", m->n.row.public_id);
    cx->err = why;
    return rc;
}

/* One that is there already is as good as new. */
static enum fg_code find(struct fg_ctx *cx, const struct making *m, struct upload *out, bool *found)
{
    enum fg_code rc = upload_by_digest(cx, m->env->db, m->n.digest, out, found);
    if (rc != FG_OK || !*found)
        return rc;
    int64_t until_us = cx->now_us + m->env->conf->media_upload_hours * 3600 * FG_US_PER_S;
    out->expires_us = out->expires_us > until_us ? out->expires_us : until_us;
    return db_run(cx, m->env->db, SQL_UPLOAD_USE, DB_ARGS(DB(until_us), DB(out->id)));
}

static enum fg_code make_and_store(struct fg_ctx *cx, struct making *m, struct fg_str bytes)
{
    enum fg_code rc = disk_open(cx, m->env->conf);
    if (rc == FG_OK)
        rc = make(cx, m, bytes);
    if (rc == FG_OK)
        rc = store_it(cx, m);
    spool_drop(&m->sent);
    spool_drop(&m->image);
    spool_drop(&m->thumb);
    return rc;
}

enum fg_code upload_create(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                           struct fg_str user_id, struct fg_str bytes, struct upload *out, bool *made)
{
    struct making m = { .env = env, .sent.fd = -1, .image.fd = -1, .thumb.fd = -1 };
    uint8_t sent[HASH_LEN];
    bool found = false;
    *made = false;
    enum fg_code rc = terms_read(cx, env->db, who->account_id, &m.terms);
    if (rc == FG_OK)
        rc = check_size(cx, &m, bytes.n);
    if (rc != FG_OK)
        return rc;
    m.n.row = (struct upload){ .account_id = who->account_id, .user_id = user_id, .type = (int)image_type(bytes) };
    if (m.n.row.type == IMAGE_OTHER)
        return fg_fail(cx, FG_IMAGE_TYPE, "The picture must be PNG, JPEG or WebP.");
    hash_plain(bytes, sent);
    upload_digest(env->pepper, who->account_id, user_id, sent, m.n.digest);
    rc = find(cx, &m, out, &found);
    if (rc != FG_OK || found)
        return rc;
    rc = make_and_store(cx, &m, bytes);
    if (rc == FG_DB_DUPLICATE) { /* the same picture was faster on another connection */
        rc = find(cx, &m, out, &found);
        return rc != FG_OK || found ? rc : fg_fail(cx, FG_DB_BUSY, "Repeat the request.");
    }
    if (rc == FG_OK) {
        *out = m.n.row;
        out->etag = arena_str(cx->mem, m.n.row.etag);
        *made = true;
    }
    return rc;
}

/* ---- its picture ---- */

struct getting {
    struct fg_ctx *cx;
    struct upload upload;
    struct stored what;
    struct spool spool;
    struct upload_image *out;
    store_done *done;
    void *arg;
};

static enum fg_code take_bytes(struct getting *g)
{
    char *p = arena_get(g->cx->mem, (size_t)g->upload.bytes + 1);
    ssize_t n = pread(g->spool.fd, p, (size_t)g->upload.bytes + 1, 0);
    if (n != g->upload.bytes)
        return fg_fail(g->cx, FG_IO, "The file store did not give the whole file.");
    *g->out = (struct upload_image){ { p, (size_t)n }, image_mime((enum image_type)g->upload.type), g->upload.etag };
    return FG_OK;
}

static void got(void *arg, enum fg_code rc)
{
    struct getting *g = arg;
    if (rc == FG_OK) {
        rc = take_bytes(g);
        spool_drop(&g->spool);
    }
    g->done(g->arg, rc);
}

void upload_image_get(struct fg_ctx *cx, struct db *db, const struct store *st, struct fg_str id,
                      struct upload_image *out, store_done *done, void *arg)
{
    struct getting *g = arena_new_of(cx->mem, struct getting);
    *g = (struct getting){ .cx = cx, .spool.fd = -1, .out = out, .done = done, .arg = arg };
    enum fg_code rc = upload_by_id(cx, db, id, &g->upload);
    if (rc != FG_OK) {
        done(arg, rc);
        return;
    }
    g->what = (struct stored){ g->upload.store, g->upload.file };
    store_get(cx, st, &g->what, image_suffix((enum image_type)g->upload.type), &g->spool, got, g);
}
