#include "studio/books.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/sb.h"

#define EVENT_BODY_MAX 1000

static const struct clock_shift shifts[] = { { SQL_STUDIO_SHIFT_VIDEO, 2 },
                                             { SQL_STUDIO_SHIFT_TELL, 1 } };
const struct clock_books books_clock_worker = { .of = SQL_STUDIO_CLOCK_OF,
                                                .settles = true,
                                                .lock = SQL_STUDIO_CLOCK_LOCK,
                                                .put = SQL_STUDIO_CLOCK_PUT,
                                                .beat = SQL_STUDIO_CLOCK_BEAT,
                                                .purge = SQL_STUDIO_CLOCK_PURGE,
                                                .shift = shifts,
                                                .shift_n = FG_LEN(shifts) };
const struct clock_books books_clock_pool = { .of = SQL_STUDIO_CLOCK_OF };

static const struct db_col video_cols[] = {
    COL(struct video, id),           COL(struct video, public_id),
    COL(struct video, state),        COL(struct video, progress),
    COL(struct video, model),        COL(struct video, prompt),
    COL(struct video, seconds),      COL(struct video, width),
    COL(struct video, height),       COL(struct video, seed),
    COL(struct video, image_file),   COL(struct video, image_url),
    COL(struct video, metadata),     COL(struct video, webhook_url),
    COL(struct video, error_code),   COL(struct video, error_message),
    COL(struct video, tries),        COL(struct video, created_us),
    COL(struct video, completed_us), COL(struct video, expires_us),
};

enum fg_code books_create(struct fg_ctx *cx, struct db *db, struct fg_str idempotency,
                          struct video *v, bool *is_new)
{
    enum fg_code rc =
        db_run(cx, db, SQL_STUDIO_CREATE,
               DB_ARGS(DB(v->public_id), DB(idempotency), DB(v->model), DB(v->prompt),
                       DB(v->seconds), DB(v->width), DB(v->height), DB(v->seed), DB(v->image_file),
                       DB(v->image_url), DB(v->metadata), DB(v->webhook_url), DB(cx->now_us)));
    if (rc != FG_OK)
        return rc;
    if (db->affected == 1) {
        v->state = VIDEO_QUEUED;
        v->created_us = cx->now_us;
        *is_new = true;
        return FG_OK;
    }
    struct video first;
    bool found;
    rc = db_one(cx, db, SQL_STUDIO_BY_KEY, DB_ARGS(DB(idempotency)), DB_COLS(video_cols), &first,
                &found);
    if (rc != FG_OK)
        return rc;
    if (!found) /* forgotten in between: the key is free again */
        return fg_fail(cx, FG_IDEMPOTENCY_BUSY,
                       "the video of this Idempotency-Key was just forgotten");
    if (first.state == VIDEO_DELETED)
        return fg_fail(cx, FG_GONE, "the video of this Idempotency-Key has been deleted");
    *v = first;
    *is_new = false;
    return FG_OK;
}

enum fg_code books_get(struct fg_ctx *cx, struct db *db, struct fg_str public_id, struct video *v)
{
    struct video row;
    bool found = false;
    if (id_valid(public_id, FG_LIT("video_"))) {
        enum fg_code rc = db_one(cx, db, SQL_STUDIO_BY_ID, DB_ARGS(DB(public_id), DB(cx->now_us)),
                                 DB_COLS(video_cols), &row, &found);
        if (rc != FG_OK)
            return rc;
    }
    if (!found)
        return fg_fail(cx, FG_NOT_FOUND, "Video with id '%.*s' not found.",
                       (int)(public_id.n < 64 ? public_id.n : 64), public_id.p);
    *v = row;
    return FG_OK;
}

enum fg_code books_list(struct fg_ctx *cx, struct db *db, struct fg_str after, bool ascending,
                        unsigned limit, struct video **v, size_t *n, bool *more)
{
    struct {
        int64_t id;
    } place = { ascending ? 0 : INT64_MAX };
    const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    enum fg_code rc;
    FG_ASSERT(limit <= BOOKS_LIST_MAX);
    if (after.p) {
        bool found = false;
        if (id_valid(after, FG_LIT("video_"))) {
            rc =
                db_one(cx, db, SQL_STUDIO_PLACE, DB_ARGS(DB(after)), DB_COLS(cols), &place, &found);
            if (rc != FG_OK)
                return rc;
        }
        if (!found) {
            fg_fields_clear(cx);
            fg_field(cx, "after", "invalid_value",
                     "There is no video with the id given as 'after'.");
            return fg_fields_check(cx);
        }
    }
    struct video *rows;
    size_t got;
    rc = DB_ALL(cx, db, ascending ? SQL_STUDIO_LIST_ASC : SQL_STUDIO_LIST_DESC,
                DB_ARGS(DB(place.id), DB(cx->now_us), DB(limit + 1)), DB_COLS(video_cols), &rows,
                &got);
    if (rc != FG_OK)
        return rc;
    *more = got > limit;
    *n = *more ? limit : got;
    *v = rows;
    return FG_OK;
}

enum fg_code books_delete(struct fg_ctx *cx, struct db *db, struct fg_str public_id)
{
    struct video v;
    enum fg_code rc = books_get(cx, db, public_id, &v);
    if (rc != FG_OK)
        return rc;
    rc = db_run(cx, db, SQL_STUDIO_DELETE, DB_ARGS(DB(v.id)));
    if (rc == FG_OK &&
        db->affected != 1) /* or a second DELETE was faster, and the first read is stale */
        rc =
            fg_fail(cx, FG_JOB_NOT_FINISHED,
                    "Video '%.*s' is still being made and cannot be deleted yet.", FG_P(public_id));
    return rc;
}

enum fg_code books_claim(struct fg_ctx *cx, struct db *db, struct fg_str owner, unsigned max,
                         int64_t lease_until_us, struct video **v, size_t *n)
{
    FG_ASSERT(owner.n == BOOKS_OWNER && max <= BOOKS_CLAIM_MAX);
    enum fg_code rc = db_run(cx, db, SQL_STUDIO_RECLAIM, DB_ARGS(DB(cx->now_us)));
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_STUDIO_CLAIM, DB_ARGS(DB(max), DB(owner), DB(lease_until_us)));
    if (rc != FG_OK)
        return rc;
    if (db->affected == 0) {
        *n = 0;
        return FG_OK;
    }
    return DB_ALL(cx, db, SQL_STUDIO_CLAIMED, DB_ARGS(DB(owner)), DB_COLS(video_cols), v, n);
}

enum fg_code books_beat(struct fg_ctx *cx, struct db *db, int64_t id, struct fg_str owner,
                        int progress, int64_t lease_until_us, bool *ours)
{
    enum fg_code rc = db_run(cx, db, SQL_STUDIO_BEAT,
                             DB_ARGS(DB(progress), DB(lease_until_us), DB(id), DB(owner)));
    if (rc == FG_OK)
        *ours = db->affected == 1;
    return rc;
}

enum fg_code books_release(struct fg_ctx *cx, struct db *db, int64_t id, struct fg_str owner)
{
    return db_run(cx, db, SQL_STUDIO_RELEASE, DB_ARGS(DB(id), DB(owner)));
}

struct finish {
    const struct video *v;
    const struct video_end *end;
    struct fg_str event_id;
};

static struct fg_str event_body(struct fg_ctx *cx, const struct finish *f)
{
    struct sb b = sb_in(cx->mem, EVENT_BODY_MAX);
    sb_addf(&b, "{\"id\":\"%.*s\",\"object\":\"event\",\"created_at\":%lld,\"type\":\"video.%s\",",
            FG_P(f->event_id), (long long)(cx->now_us / FG_US_PER_S),
            f->end->error_code.p ? "failed" : "completed");
    sb_addf(&b, "\"data\":{\"id\":\"%.*s\"}}", FG_P(f->v->public_id));
    FG_ASSERT(!b.bad);
    return sb_str(&b);
}

static enum fg_code finish_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    const struct finish *f = arg;
    const struct video_end *e = f->end;
    int state = e->error_code.p ? VIDEO_FAILED : VIDEO_COMPLETED;
    enum fg_code rc =
        db_run(cx, db, SQL_STUDIO_FINISH,
               DB_ARGS(DB(state), DB(e->error_code.p ? f->v->progress : 100), DB(e->error_code),
                       DB(e->error_message), DB_TIME(e->error_code.p ? 0 : cx->now_us),
                       DB(e->expires_us), DB(f->v->id), DB(e->owner)));
    if (rc != FG_OK || db->affected != 1 || !e->webhook_url.p)
        return rc; /* 0 rows: it was finished before, or is somebody else's by now; both need
                      nothing of us */
    return db_run(cx, db, SQL_STUDIO_TELL,
                  DB_ARGS(DB(f->event_id), DB(f->v->id), DB(e->webhook_url), DB(event_body(cx, f)),
                          DB(cx->now_us)));
}

enum fg_code books_finish(struct fg_ctx *cx, struct db *db, const struct video *v,
                          const struct video_end *end)
{
    struct finish f = { v, end, id_new(cx, FG_LIT("evt_")) };
    return db_tx(cx, db, finish_body, &f);
}

enum fg_code books_expired(struct fg_ctx *cx, struct db *db, struct video **v, size_t *n)
{
    static const struct db_col cols[] = { COL(struct video, id), COL(struct video, public_id),
                                          COL(struct video, image_file) };
    return DB_ALL(cx, db, SQL_STUDIO_EXPIRED, DB_ARGS(DB(cx->now_us)), DB_COLS(cols), v, n);
}

static enum fg_code forget_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    const int64_t *id = arg;
    enum fg_code rc = db_run(cx, db, SQL_STUDIO_TELL_FORGET, DB_ARGS(DB(*id)));
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_STUDIO_FORGET, DB_ARGS(DB(*id)));
    return rc;
}

enum fg_code books_forget(struct fg_ctx *cx, struct db *db, int64_t id)
{
    return db_tx(cx, db, forget_body, &id);
}

enum fg_code books_tell_claim(struct fg_ctx *cx, struct db *db, unsigned max, int64_t until_us,
                              struct delivery **d, size_t *n)
{
    static const struct db_col cols[] = {
        COL(struct delivery, id),   COL(struct delivery, event_id), COL(struct delivery, url),
        COL(struct delivery, body), COL(struct delivery, due_us),   COL(struct delivery, tries),
    };
    struct delivery *due;
    size_t due_n, taken = 0;
    enum fg_code rc = DB_ALL(cx, db, SQL_STUDIO_TELL_DUE, DB_ARGS(DB(cx->now_us), DB(max)),
                             DB_COLS(cols), &due, &due_n);
    for (size_t i = 0; rc == FG_OK && i < due_n; i++) {
        rc = db_run(cx, db, SQL_STUDIO_TELL_CLAIM,
                    DB_ARGS(DB(until_us), DB(due[i].id), DB(due[i].due_us)));
        if (rc != FG_OK || db->affected != 1) /* another worker was faster */
            continue;
        due[taken] = due[i];
        due[taken].due_us = until_us;
        due[taken++].tries++;
    }
    if (taken == 0 && rc != FG_OK)
        return rc;
    *d = due; /* what was taken is ours even if the next claim failed */
    *n = taken;
    return FG_OK;
}

enum fg_code books_tell_later(struct fg_ctx *cx, struct db *db, const struct delivery *d,
                              int64_t due_us)
{
    return db_run(cx, db, SQL_STUDIO_TELL_LATER, DB_ARGS(DB(due_us), DB(d->id), DB(d->due_us)));
}

enum fg_code books_tell_done(struct fg_ctx *cx, struct db *db, int64_t id)
{
    return db_run(cx, db, SQL_STUDIO_TELL_DONE, DB_ARGS(DB(id)));
}
