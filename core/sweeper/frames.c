/* Frames: pictures for services to look at, and the check of a finished video by them before it may be kept. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/log.h"
#include "sweeper/check.h"

#define FRAME_BYTES_MAX (4 * FG_MIB)
#define MOVE_TRIES 3

/* ---- one of them ---- */

static struct fg_str read_frame(struct task *t)
{
    struct stat st;
    const char *path = t->checking->frame.path.p;
    if (stat(path, &st) != 0 || st.st_size <= 0 || st.st_size > (off_t)FRAME_BYTES_MAX)
        return FG_NONE;
    char *p = arena_get(t->cx.mem, (size_t)st.st_size);
    ssize_t n = pread(t->checking->frame.fd, p, (size_t)st.st_size, 0);
    return n == st.st_size ? (struct fg_str){ p, (size_t)n } : FG_NONE;
}

static void frame_made(struct task *t, int status)
{
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    struct fg_str jpeg = good ? read_frame(t) : FG_NONE;
    spool_drop(&t->checking->frame);
    t->checking->frame_done(t, jpeg);
}

bool frame_make(struct task *t, const struct spool *from, int64_t at_ms, frame_done *done)
{
    const struct conf *conf = t->s->env.conf;
    struct checking *c = t->checking;
    struct child_call call;
    if (spool_new(&t->cx, conf, ".jpg", &c->frame) != FG_OK || child_show(&t->cx, conf->jail, from->fd) != FG_OK ||
        child_lend(&t->cx, conf->jail, c->frame.fd) != FG_OK)
        return false;
    gate_frame_call(&t->cx, conf, from->path.p, c->frame.path.p, at_ms, &call);
    c->frame_done = done;
    return task_child(t, &call, frame_made);
}

/* ---- a finished video ---- */

static enum fg_code block_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct task *t = arg;
    struct checking *c = t->checking;
    const struct check *why = &c->said[c->worst_at];
    struct job *j = &c->job;
    bool away = c->worst.kind == VERDICT_ERROR;
    enum fg_code rc = job_by_id(cx, db, t->work.job.id, j);
    if (rc != FG_OK)
        return rc;
    if (!away) {
        j->error_input = FG_LIT("output");
        j->error_category = why->category;
    }
    rc = job_move(cx, db, j, &(struct job_change){ .event = EV_FAILED,
                                                   .reason = away ? JOB_R_MODERATION_AWAY : JOB_R_BLOCKED_OUTPUT,
                                                   .data = check_data(cx, why) });
    if (rc == FG_OK)
        rc = checks_record(cx, db, j->id, c->said, c->said_n);
    return rc;
}

static void block(struct task *t)
{
    enum fg_code rc = FG_JOB_MOVED;
    for (int i = 0; i < MOVE_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(&t->cx, t->s->env.db, block_body, t);
    if (rc == FG_DB_UNSURE)
        rc = job_settle(&t->cx, t->s->env.db, &t->checking->job);
    if (rc == FG_OK)
        job_log(&t->cx, &t->checking->job);
    task_over(t, rc, "frames.end_failed");
}

static enum fg_code record_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    const struct task *t = arg;
    return checks_record(cx, db, t->work.job.id, t->checking->said, t->checking->said_n);
}

/* Nobody reviews a result: whoever would have to is asked about the request, and that has passed. So what should be looked
 * at is withheld too. */
static void frames_checked(struct task *t)
{
    const struct checking *c = t->checking;
    bool away = c->worst.kind == VERDICT_ERROR;
    if (away && FG_IS(t->s->env.conf->moderation_when_away, "hold")) {
        checking_tell_away(t);
        task_trouble_later(t, checking_again_us(t), TROUBLE_UNCHECKED);
        return;
    }
    if (c->worst.kind != VERDICT_ALLOW) {
        block(t);
        return;
    }
    enum fg_code rc = db_tx(&t->cx, t->s->env.db, record_body, t);
    if (rc != FG_OK) /* the video is paid for: its record is not worth another download */
        task_failed(t, rc, "frames.record_failed");
    t->checking->passed(t);
}

static void next_frame(struct task *t);

/* The gate has seen that it can be played: a second download decides. */
static void no_frame(struct task *t)
{
    int64_t n = task_trouble(t, TROUBLE_INVALID);
    if (n < POLICY_GATE_MAX) {
        task_trouble_later(t, t->cx.now_us + policy_fetch_us(&t->cx, n), TROUBLE_INVALID);
        return;
    }
    enum fg_code rc = task_move(t, &(struct job_change){ .event = EV_FAILED, .reason = JOB_R_OUTPUT_INVALID });
    task_over(t, rc, "frames.fail_failed");
}

static void add_frame(struct task *t, struct fg_str jpeg)
{
    const struct moderation_image image = { jpeg, FG_LIT("image/jpeg"), GATE_FRAME_SIDE, GATE_FRAME_SIDE };
    if (!jpeg.p) {
        no_frame(t);
        return;
    }
    for (unsigned i = 0; i < t->s->sites.n; i++)
        if (t->s->sites.site[i].service->images)
            checking_add(t->checking, &(struct check_step){ .site = &t->s->sites.site[i], .target = FG_LIT("output"),
                                                            .image = image });
    t->checking->frame_n++;
    next_frame(t);
}

/* Spread over the length, each in the middle of its part. What cannot be begun (the disk is full) is tried again. */
static void next_frame(struct task *t)
{
    struct checking *c = t->checking;
    int64_t n = t->s->env.conf->moderation_output_frames, i = c->frame_n;
    if (i == n)
        checking_run(t, frames_checked);
    else if (!frame_make(t, &t->video, t->facts.duration_ms * (2 * i + 1) / (2 * n), add_frame))
        task_trouble_later(t, checking_again_us(t), TROUBLE_UNCHECKED);
}

void frames_check(struct task *t, void (*passed)(struct task *t))
{
    bool looks = false;
    for (unsigned i = 0; i < t->s->sites.n; i++)
        looks = looks || t->s->sites.site[i].service->images;
    if (t->s->env.conf->moderation_output_frames == 0 || !looks) {
        passed(t);
        return;
    }
    checking_new(t)->passed = passed;
    next_frame(t);
}
