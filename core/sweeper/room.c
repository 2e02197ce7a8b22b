/* A finished video that our own store cannot take: it waits in storing, in words, the ones first that their provider
 * forgets first. */
#include <errno.h>
#include <sys/statvfs.h>

#include "base/arena.h"
#include "base/log.h"
#include "sweeper/sweep.h"

#define AGAIN_MIN_US (5 * FG_US_PER_S)
#define AGAIN_MAX_US (60 * FG_US_PER_S)
#define AGAIN_PART 240   /* of the time that is left: an hour gives 15 s */
#define URGENT_PART 4    /* of the provider's time */

enum fg_code room_check(struct fg_ctx *cx, const struct conf *conf)
{
    struct statvfs v;
    const char *root = arena_cstr(cx->mem, conf->media_root);
    if (conf->media_reserve_bytes == 0)
        return FG_OK;
    if (statvfs(root, &v) != 0) {
        int error = errno;
        (void)fg_fail(cx, FG_IO, "The file store did not work");
        return fg_cause(cx, "statvfs %s: %s", root, strerror(error));
    }
    uint64_t free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    if (free_bytes < (uint64_t)conf->media_reserve_bytes)
        return fg_fail(cx, FG_IO, "Only %llu bytes are free on the disk, and media.reserve_bytes is %lld",
                       (unsigned long long)free_bytes, (long long)conf->media_reserve_bytes);
    return FG_OK;
}

/* The first time it waits, its row and its timeline say so. */
static enum fg_code wait_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct task *t = arg;
    struct job j;
    int64_t life_us = t->model ? t->model->output_life_s * FG_US_PER_S : 0;
    enum fg_code rc = job_by_id(cx, db, t->work.job.id, &j);
    if (rc != FG_OK || j.stage != STAGE_STORING)
        return rc;
    rc = db_run(cx, db, SQL_STORAGE_WAIT_ADD,
                DB_ARGS(DB(cx->now_us), DB(life_us), DB(cx->now_us), DB(life_us), DB(life_us), DB(cx->now_us),
                        DB(life_us - life_us / URGENT_PART), DB(t->work.attempt.id)));
    if (rc == FG_OK && db->affected == 1)
        rc = job_move(cx, db, &j, &(struct job_change){ .event = EV_STORE_WAIT });
    return rc;
}

struct waiting {
    int64_t forgotten_us, urgent_us, warned_us;
};

static void warn(struct task *t, const struct waiting *w)
{
    if (!w->urgent_us || t->cx.now_us < w->urgent_us || w->warned_us)
        return;
    enum fg_code rc = db_run(&t->cx, t->s->env.db, SQL_STORAGE_WAIT_WARNED, DB_ARGS(DB(t->cx.now_us), DB(t->work.job.id)));
    if (rc == FG_OK && t->s->env.db->affected == 0)
        return; /* another one has */
    fg_log(&t->cx, LOG_ERROR, "ingest.soon_forgotten", LOG_S("job", t->work.job.public_id),
           LOG_S("provider", t->work.job.provider), LOG_I("secondsLeft", (w->forgotten_us - t->cx.now_us) / FG_US_PER_S));
}

void room_wait(struct task *t, const char *event)
{
    static const struct db_col cols[] = { COL(struct waiting, forgotten_us), COL(struct waiting, urgent_us),
                                          COL(struct waiting, warned_us) };
    struct waiting w = { 0 };
    bool found = false;
    int64_t pause_us = AGAIN_MAX_US;
    fg_log(&t->cx, LOG_ERROR, event, LOG_S("job", t->work.job.public_id), LOG_S("detail", fg_str_c(t->cx.err.detail)),
           LOG_S("cause", fg_str_c(t->cx.err.cause)));
    enum fg_code rc = db_tx(&t->cx, t->s->env.db, wait_body, t);
    if (rc == FG_OK)
        rc = db_one(&t->cx, t->s->env.db, SQL_STORAGE_WAIT_READ, DB_ARGS(DB(t->work.job.id)), DB_COLS(cols), &w, &found);
    if (task_ok(t, rc, "ingest.wait_failed") && found)
        warn(t, &w);
    int64_t left_us = w.forgotten_us - t->cx.now_us;
    if (w.forgotten_us)
        pause_us = left_us / AGAIN_PART;
    pause_us = pause_us < AGAIN_MIN_US ? AGAIN_MIN_US : pause_us > AGAIN_MAX_US ? AGAIN_MAX_US : pause_us;
    task_later(t, t->cx.now_us + pause_us, 0);
}
