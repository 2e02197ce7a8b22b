#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/log.h"
#include "media/link.h"
#include "sweeper/sweep.h"

#define MOVE_TRIES 3
#define IMAGE_LINK_US (86400 * FG_US_PER_S) /* from the attempt on; not beyond its deadline */
#define LOOK_REPLY_MAX (4 * (int64_t)FG_MIB) /* ComfyUI's queue repeats every workflow in it */
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
    t->s->look_now = true; /* a move may have made other work due, or freed a slot */
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
    bool heard; /* the breaker wants to know */
    struct wire_call wire;
};

static void fetched(void *arg, const struct fetch_reply *reply)
{
    struct fetching *f = arg;
    struct task *t = f->t;
    ctx_tick(&t->cx); /* a network call ends the instant */
    struct provider_traffic *p = f->heard && t->provider ? traffic_of(&t->s->traffic, t->provider->name) : NULL;
    if (p)
        traffic_heard(&t->cx, t->s->env.db, p, reply->end == FETCH_ANSWERED && reply->status < 500);
    wire_heard(t, &f->wire, reply);
    f->done(t, reply);
}

static void begin(struct task *t, enum wire_what what, const struct fetch_call *call, fetch_done *done, bool heard)
{
    struct fetching *f = arena_new_of(t->cx.mem, struct fetching);
    *f = (struct fetching){ t, done, heard, wire_begin(t, what, call) };
    fetch_start(t->s->fetcher, call, fetched, f);
}

void task_fetch(struct task *t, enum wire_what what, const struct fetch_call *call, fetch_done *done)
{
    begin(t, what, call, done, false);
}

void task_call(struct task *t, enum wire_what what, const struct fetch_call *call, fetch_done *done)
{
    struct provider_traffic *p = t->provider ? traffic_of(&t->s->traffic, t->provider->name) : NULL;
    int64_t at = p && !call->once ? traffic_take(&t->cx, p, false) : 0; /* a submit has taken its place already */
    if (at <= ctx_mono_us(&t->cx)) {
        begin(t, what, call, done, true);
        return;
    }
    t->call = *call;
    t->call_done = done;
    t->call_what = what;
    t->call_mono_us = at;
}

void task_call_now(struct task *t)
{
    t->call_mono_us = 0;
    begin(t, t->call_what, &t->call, t->call_done, true);
}

/* ---- one look ---- */

static void answered(void *arg, const struct fetch_reply *reply);

static enum fg_code ask(struct task *t)
{
    struct fetch_call call;
    struct remote_ref ref = task_ref(t);
    enum fg_code rc = t->adapter->poll_call(&t->cx, &t->provider->site, &ref, t->step, t->note, &call);
    if (rc != FG_OK)
        return rc;
    call.timeout_ms = t->s->env.conf->sweeper_call_timeout_s * 1000;
    call.max_bytes = LOOK_REPLY_MAX;
    task_call(t, WIRE_POLL, &call, answered);
    return FG_OK;
}

static void answered(void *arg, const struct fetch_reply *reply)
{
    struct task *t = arg;
    struct poll_reply r = { .progress = -1, .queue_position = -1 };
    struct remote_ref ref = task_ref(t);
    t->adapter->poll_reply(&t->cx, &t->provider->site, &ref, t->step, t->note, reply, &r);
    if (r.again && ++t->step < PROVIDER_STEPS_MAX) {
        t->note = r.note;
        if (task_ok(t, ask(t), "poll.call_failed"))
            return;
        r.again = true;
    }
    if (r.again) /* it asks in circles */
        r = (struct poll_reply){ .progress = -1, .queue_position = -1, .reason = REASON_NONSENSE };
    if (r.understood && r.state == REMOTE_DONE && !site_has_files(&t->provider->site, r.output_url)) {
        r.state = REMOTE_FAILED;
        r.reason = REASON_FOREIGN;
        r.words = FG_LIT("its file is on a host that the catalogue does not name");
    }
    t->look_done(t, &r);
}

bool task_look(struct task *t, look_done *done)
{
    t->step = 0;
    t->note = FG_NONE;
    t->look_done = done;
    return task_ok(t, ask(t), "poll.call_failed");
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
    struct job job;
};

static enum fg_code move_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct moving *m = arg;
    struct job *j = &m->job;
    const struct job *mine = &m->t->work.job;
    *j = *mine;
    enum fg_code rc = FG_PLANTED(PLANT_NO_FENCE) ? FG_OK : job_by_id(cx, db, mine->id, j);
    if (rc != FG_OK)
        return rc;
    /* Known meanwhile, by a callback or by the answer itself: what was decided in ignorance would throw a paid run away. */
    if (mine->stage == STAGE_SUBMIT_UNKNOWN && j->stage != STAGE_SUBMIT_UNKNOWN)
        return fg_fail(cx, FG_JOB_MOVED, "The outcome of its submit is known by now.");
    if (j->progress < mine->progress) /* what the duty has learned, unless another has learned more meanwhile */
        j->progress = mine->progress;
    j->queue_position = mine->queue_position;
    rc = job_move(cx, db, j, m->ch);
    return rc == FG_OK ? wire_write(cx, db, m->t) : rc;
}

enum fg_code task_move(struct task *t, const struct job_change *ch)
{
    struct moving m = { .t = t, .ch = ch };
    enum fg_code rc = FG_JOB_MOVED;
    for (int i = 0; i < MOVE_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(&t->cx, t->s->env.db, move_body, &m);
    if (rc == FG_DB_UNSURE && ch->event != EV_PROGRESS)
        rc = job_settle(&t->cx, t->s->env.db, &m.job);
    if (rc == FG_OK) {
        t->work.job = m.job;
        wire_written(t);
    }
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
    case REASON_CONTENT_IMAGE:
        return JOB_R_BLOCKED_IMAGE;
    case REASON_CONTENT_OUT:
        return JOB_R_BLOCKED_OUTPUT;
    case REASON_IMAGE:
        return JOB_R_IMAGE_UNREACHABLE;
    case REASON_AUTH:
        return JOB_R_PROVIDER_AUTH;
    case REASON_CREDIT:
        return JOB_R_PROVIDER_CREDIT;
    case REASON_PARK:
    case REASON_BUSY:
        return JOB_R_PROVIDER_UNAVAILABLE;
    case REASON_CANCELED:
        return JOB_R_CANCELED;
    case REASON_EXPIRED:
        return JOB_R_DEADLINE_EXCEEDED;
    case REASON_FOREIGN:
        return JOB_R_OUTPUT_UNREACHABLE;
    case REASON_NONE:
    case REASON_FAILED:
    case REASON_NONSENSE:
        break;
    }
    return JOB_R_PROVIDER_FAILED;
}

struct remote_ref task_ref(const struct task *t)
{
    const struct attempt *a = &t->work.attempt;
    return (struct remote_ref){ .id = t->work.job.provider_job_id, .links = a->links, .model = a->remote_model };
}

int64_t task_expected_micro(const struct task *t)
{
    return job_expected_micro(&t->work.job, t->model);
}

/* The same each time for one attempt: a replayed request has to be the first one again. */
static struct fg_str image_link(const struct task *t)
{
    const struct job *j = &t->work.job;
    int64_t day_us = t->work.attempt.created_us + IMAGE_LINK_US;
    struct fg_ctx cx = t->cx;
    struct fg_str path = link_make(&cx, t->s->env.pepper, j->upload, j->account_id, MEDIA_IMAGE,
                                   j->deadline_us < day_us ? j->deadline_us : day_us);
    return arena_fmt(t->cx.mem, "%.*s%.*s", FG_P(t->s->env.conf->server_public_url), FG_P(path));
}

void task_spec(const struct task *t, struct gen_spec *out)
{
    const struct job *j = &t->work.job;
    const struct cat_model *m = t->model;
    const struct cat_size *size = catalogue_size(m, j->aspect_ratio, j->resolution);
    bool image = job_has_image(j), free_ratio = !(image && m->image_decides_ratio);
    *out = (struct gen_spec){
        .model = t->work.attempt.remote_model,
        .wire = &m->wire,
        .prompt = j->prompt,
        .negative = m->negative ? j->negative : FG_NONE,
        .aspect_ratio = free_ratio ? j->aspect_ratio : FG_NONE,
        .resolution = j->resolution,
        .width = size && free_ratio ? size->width : 0,
        .height = size && free_ratio ? size->height : 0,
        .duration_s = j->duration_s,
        .has_seed = m->seed,
        .seed = t->work.attempt.seed,
        .audio = catalogue_audio(m, (enum audio)j->audio),
        .image_url = image && t->adapter->image_by == IMAGE_BY_URL ? image_link(t) : FG_NONE,
        .image_bytes = t->image_bytes,
        .image_type = t->image_type,
        .image_name = t->image_name,
        .client_ref = t->work.attempt.client_ref,
    };
    if (t->provider->callbacks && t->adapter->callback_read)
        out->callback_url = arena_fmt(t->cx.mem, "%.*s/hooks/%.*s/%.*s", FG_P(t->s->env.conf->server_public_url),
                                      FG_P(t->provider->name), FG_P(t->work.attempt.callback_token));
}
