/* What moved or broken off work has left in the stores: files that were moved to the other one, and uploads in parts that
 * nobody ended. A few at a time, beside all other work; a second sweeper at the same does no harm. */
#include "base/arena.h"
#include "base/log.h"
#include "media/s3.h"
#include "sweeper/sweep.h"

#define LEFT_MAX 32                             /* of one look */
#define STALE_US (24 * 3600 * FG_US_PER_S)      /* no upload of ours takes so long */
#define STALE_LOOK_US (3600 * FG_US_PER_S)

struct left {
    int64_t id, store;
    struct fg_str file;
};
static const struct db_col left_cols[] = { COL(struct left, id), COL(struct left, store), COL(struct left, file) };

struct bucket {
    struct fg_ctx cx;       /* of the work under way */
    struct sweeper *s;
    bool busy;
    struct left *left;      /* to be removed */
    size_t left_n, left_at;
    struct stored what;
    int64_t stale_n;
    int64_t next_stale_us;  /* monotonic */
};

struct bucket *bucket_open(struct sweeper *s)
{
    struct bucket *b = calloc(1, sizeof *b);
    FG_ASSERT(b);
    b->s = s;
    b->cx = (struct fg_ctx){ .mem = arena_new(), .env = s->cx.env, .request_id = FG_LIT("bucket") };
    return b;
}

void bucket_close(struct bucket *b)
{
    if (!b)
        return;
    arena_free(b->cx.mem);
    free(b);
}

static void stale_over(void *arg, enum fg_code rc)
{
    struct bucket *b = arg;
    if (rc != FG_OK)
        log_err(&b->cx, "bucket.stale_failed", FG_NONE);
    else if (b->stale_n)
        fg_log(&b->cx, LOG_INFO, "bucket.stale", LOG_I("uploads", b->stale_n));
    b->busy = false;
}

static void look_for_stale(struct bucket *b)
{
    int64_t mono = ctx_mono_us(&b->cx);
    if (!s3_is_set_up(b->s->env.conf) || mono < b->next_stale_us) {
        b->busy = false;
        return;
    }
    b->next_stale_us = mono + STALE_LOOK_US;
    b->stale_n = 0;
    s3_tidy(&b->cx, &b->s->store, b->cx.now_us - STALE_US, &b->stale_n, stale_over, b);
}

static void next_left(struct bucket *b);

/* The row goes when the file has: a failure brings both back. */
static void left_gone(void *arg, enum fg_code rc)
{
    struct bucket *b = arg;
    if (rc == FG_OK)
        rc = db_run(&b->cx, b->s->env.db, SQL_LEFT_REMOVE, DB_ARGS(DB(b->left[b->left_at].id)));
    if (rc != FG_OK) {
        log_err(&b->cx, "bucket.left_failed", b->left[b->left_at].file);
        b->busy = false;
        return;
    }
    b->left_at++;
    next_left(b);
}

static void next_left(struct bucket *b)
{
    if (b->left_at == b->left_n) {
        look_for_stale(b);
        return;
    }
    b->what = (struct stored){ (int)b->left[b->left_at].store, b->left[b->left_at].file };
    store_remove(&b->cx, &b->s->store, &b->what, left_gone, b);
}

enum fg_code bucket_tidy(struct sweeper *s)
{
    struct bucket *b = s->bucket;
    if (b->busy)
        return FG_OK;
    arena_reset(b->cx.mem);
    ctx_tick(&b->cx);
    b->left_at = b->left_n = 0;
    enum fg_code rc = DB_ALL(&b->cx, s->env.db, SQL_LEFT_DUE, DB_ARGS(DB(b->cx.now_us), DB((int64_t)LEFT_MAX)),
                             DB_COLS(left_cols), &b->left, &b->left_n);
    if (rc != FG_OK) {
        s->cx.err = b->cx.err;
        return rc;
    }
    b->busy = true;
    next_left(b);
    return FG_OK;
}
