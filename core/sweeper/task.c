#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "sweeper/sweep.h"

#define MOVE_TRIES 3
#define TROUBLE_STEP 100000 /* due.tries = kind * this + count; a claim adds one */

bool task_ok(struct task *t, enum fg_code rc, const char *event)
{
    if (rc != FG_OK && rc != FG_JOB_MOVED)
        log_err(&t->cx, event, t->work.job.public_id);
    return rc == FG_OK;
}

void task_end(struct task *t)
{
    t->ended = true;
}

void task_later(struct task *t, int64_t due_us, int64_t tries)
{
    struct sweeper *s = t->s;
    FG_ASSERT(s->later_n < SWEEP_TASKS_MAX); /* a task gives back once, and a turn frees them all */
    struct later *l = &s->later[s->later_n++];
    *l = (struct later){ .due_us = due_us, .tries = tries, .due_id = t->work.due_id };
    memcpy(l->owner, t->owner, SWEEP_OWNER_LEN);
    task_end(t);
}

int64_t task_trouble(const struct task *t, enum trouble kind)
{
    return t->work.tries / TROUBLE_STEP == kind ? t->work.tries % TROUBLE_STEP : 1;
}

void task_trouble_later(struct task *t, int64_t due_us, enum trouble kind)
{
    task_later(t, due_us, kind * TROUBLE_STEP + task_trouble(t, kind));
}

struct fetching {
    struct task *t;
    fetch_done *done;
};

static void fetched(void *arg, const struct fetch_reply *reply)
{
    struct fetching *f = arg;
    ctx_tick(&f->t->cx); /* a network call ends the instant */
    f->done(f->t, reply);
}

void task_fetch(struct task *t, struct fetch_call *call, fetch_done *done)
{
    struct fetching *f = arena_new_of(t->cx.mem, struct fetching);
    *f = (struct fetching){ t, done };
    fetch_start(t->s->fetcher, call, fetched, f);
}

bool task_child(struct task *t, const struct child_call *call, void (*done)(struct task *, int))
{
    t->child_out = sb_in(t->cx.mem, CHILD_OUT_MAX);
    t->child_done = done;
    t->child_silent = false;
    if (task_ok(t, child_start(&t->cx, call, &t->child), "sweep.child_failed"))
        return true;
    t->child.pid = 0;
    return false;
}

struct moving {
    struct task *t;
    const struct job_change *ch;
};

static enum fg_code move_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct moving *m = arg;
    struct job j, *mine = &m->t->work.job;
    enum fg_code rc = job_by_id(cx, db, mine->id, &j);
    if (rc != FG_OK)
        return rc;
    if (j.progress < mine->progress) /* what the duty has learned, unless another has learned more meanwhile */
        j.progress = mine->progress;
    j.queue_position = mine->queue_position;
    rc = job_move(cx, db, &j, m->ch);
    if (rc == FG_OK)
        *mine = j;
    return rc;
}

enum fg_code task_move(struct task *t, const struct job_change *ch)
{
    struct moving m = { t, ch };
    enum fg_code rc = FG_JOB_MOVED;
    for (int i = 0; i < MOVE_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(&t->cx, t->s->env.db, move_body, &m);
    if (rc == FG_OK && ch->event != EV_PROGRESS)
        job_log(&t->cx, &t->work.job);
    return rc;
}

enum job_reason task_reason(enum remote_reason r)
{
    switch (r) {
    case REASON_REFUSED:
        return JOB_R_PROVIDER_REFUSED;
    case REASON_CONTENT:
        return JOB_R_BLOCKED_PROMPT;
    case REASON_IMAGE:
        return JOB_R_IMAGE_UNREACHABLE;
    case REASON_AUTH:
        return JOB_R_PROVIDER_AUTH;
    case REASON_CREDIT:
        return JOB_R_PROVIDER_CREDIT;
    case REASON_BUSY:
        return JOB_R_PROVIDER_UNAVAILABLE;
    case REASON_NONE:
    case REASON_FAILED:
    case REASON_NONSENSE:
        break;
    }
    return JOB_R_PROVIDER_FAILED;
}

void task_spec(const struct task *t, struct gen_spec *out)
{
    const struct job *j = &t->work.job;
    const struct cat_size *size = catalogue_size(t->model, j->aspect_ratio, j->resolution);
    *out = (struct gen_spec){
        .model = t->model->remote,
        .prompt = j->prompt,
        .aspect_ratio = j->aspect_ratio,
        .resolution = j->resolution,
        .width = size ? size->width : 0,
        .height = size ? size->height : 0,
        .duration_s = j->duration_s,
        .has_seed = j->has_seed,
        .seed = j->seed,
        .image_url = j->image_url,
        .client_ref = t->attempt.client_ref,
    };
    if (t->provider->callbacks)
        out->callback_url = arena_fmt(t->cx.mem, "%.*s/hooks/%.*s/%.*s", FG_P(t->s->env.conf->server_public_url),
                                      FG_P(t->provider->name), FG_P(t->attempt.callback_token));
}
