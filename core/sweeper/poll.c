/* Asking a provider how a job is, and what a deadline does. */
#include "base/log.h"
#include "sweeper/sweep.h"

#define POLL_REPLY_MAX (256 * FG_KIB)
#define DEADLINE_AGAIN_US (5 * FG_US_PER_S)

/* True when this was the deadline's question: nothing more is asked. */
static bool was_last(struct task *t)
{
    if (!t->last_question)
        return false;
    enum fg_code rc = task_move(t, &(struct job_change){ .event = EV_DEADLINE, .reason = JOB_R_DEADLINE_EXCEEDED });
    (void)task_ok(t, rc, "deadline.end_failed");
    task_end(t);
    return true;
}

static int64_t next_poll_us(const struct task *t, int64_t no_news, int64_t wish_ms)
{
    int64_t age = t->cx.now_us - t->work.job.created_us;
    return t->cx.now_us +
           policy_poll_us(&t->cx, t->s->env.conf, age, t->provider->callbacks, no_news, wish_ms);
}

static void poll_later(struct task *t, int64_t wish_ms)
{
    if (!was_last(t))
        task_later(t, next_poll_us(t, 0, wish_ms), 0);
}

static void poll_in_trouble(struct task *t, enum trouble kind, int64_t wish_ms)
{
    if (!was_last(t))
        task_trouble_later(t, next_poll_us(t, task_trouble(t, kind), wish_ms), kind);
}

static void end_with(struct task *t, enum job_event ev, enum job_reason reason, struct fg_str words)
{
    if (reason != JOB_R_NONE)
        fg_log(&t->cx, LOG_WARN, "poll.job_failed", LOG_S("job", t->work.job.public_id),
               LOG_S("code", fg_str_c(job_reason_info(reason)->slug)), LOG_S("words", words));
    (void)task_ok(t, task_move(t, &(struct job_change){ .event = ev, .reason = reason }), "poll.move_failed");
    task_end(t);
}

/* Each unknown word is told once: the timeline shows it, the job goes on. */
static void note_word(struct task *t, struct fg_str word)
{
    if (!word.n || t->work.job.stage != STAGE_AT_PROVIDER)
        return;
    enum fg_code rc = task_move(t, &(struct job_change){ .event = EV_NEWS,
                                                         .data = event_data(&t->cx, "unknownStatus", word) });
    (void)task_ok(t, rc, "poll.note_failed");
}

static void still_there(struct task *t, const struct poll_reply *r)
{
    struct job *j = &t->work.job;
    bool running = r->state == REMOTE_RUNNING;
    bool starts = running && j->stage == STAGE_AT_PROVIDER;
    bool moved = running ? r->progress >= 0 && r->progress > j->progress
                         : j->stage == STAGE_AT_PROVIDER && r->queue_position != j->queue_position;
    if (starts || moved) {
        if (running && r->progress >= 0)
            j->progress = r->progress;
        if (!running)
            j->queue_position = r->queue_position;
        enum fg_code rc = task_move(t, &(struct job_change){ .event = starts ? EV_STARTED : EV_PROGRESS });
        (void)task_ok(t, rc, "poll.move_failed");
    }
    poll_later(t, r->poll_after_ms);
}

static void polled(void *arg, const struct fetch_reply *reply)
{
    struct task *t = arg;
    struct poll_reply r = { .progress = -1, .queue_position = -1 };
    t->provider->adapter->poll_reply(&t->cx, reply, &r);
    if (!r.understood) {
        poll_in_trouble(t, TROUBLE_SILENT, r.poll_after_ms);
        return;
    }
    note_word(t, r.unknown_word);
    switch (r.state) {
    case REMOTE_QUEUED:
    case REMOTE_RUNNING:
        still_there(t, &r);
        return;
    case REMOTE_DONE:
        end_with(t, EV_OUTPUT, JOB_R_NONE, r.words);
        return;
    case REMOTE_FAILED:
        end_with(t, EV_FAILED, task_reason(r.reason), r.words);
        return;
    case REMOTE_GONE:
        if (task_trouble(t, TROUBLE_GONE) >= POLICY_GONE_MAX)
            end_with(t, EV_FAILED, JOB_R_PROVIDER_FORGOT, r.words);
        else
            poll_in_trouble(t, TROUBLE_GONE, 0);
        return;
    }
}

void duty_poll(struct task *t)
{
    struct job *j = &t->work.job;
    struct fetch_call call;
    if (j->stage != STAGE_AT_PROVIDER && j->stage != STAGE_RENDERING) {
        task_end(t); /* moved on while the claim was on its way */
        return;
    }
    enum fg_code rc = t->provider->adapter->poll_call(&t->cx, &t->provider->site, j->provider_job_id, &call);
    if (!task_ok(t, rc, "poll.call_failed")) {
        poll_in_trouble(t, TROUBLE_SILENT, 0);
        return;
    }
    call.timeout_ms = t->s->env.conf->sweeper_call_timeout_s * 1000;
    call.max_bytes = POLL_REPLY_MAX;
    task_fetch(t, &call, polled);
}

/* In storing the video exists: it may finish as long as the provider keeps its copy. */
static void deadline_storing(struct task *t)
{
    const struct job *j = &t->work.job;
    if (t->cx.now_us < j->deadline_us + t->provider->output_life_s * FG_US_PER_S)
        task_later(t, t->cx.now_us + 12 * DEADLINE_AGAIN_US, 0);
    else
        end_with(t, EV_FAILED, JOB_R_OUTPUT_UNREACHABLE, FG_LIT("could not be stored while the provider kept it"));
}

void duty_deadline(struct task *t)
{
    struct job *j = &t->work.job;
    bool found;
    enum fg_code rc;
    t->last_question = true;
    switch ((enum job_stage)j->stage) {
    case STAGE_WAITING:
        end_with(t, EV_DEADLINE, JOB_R_DEADLINE_EXCEEDED, FG_LIT("never had a slot"));
        return;
    case STAGE_SUBMITTING: /* its own time limit is near; a state in the middle of a call proves nothing */
        task_later(t, t->cx.now_us + DEADLINE_AGAIN_US, 0);
        return;
    case STAGE_SUBMIT_UNKNOWN:
        rc = db_one(&t->cx, t->s->env.db, SQL_ATTEMPT_OF_JOB, DB_ARGS(DB(j->id), DB(j->attempt_n)), attempt_row,
                    &t->attempt, &found);
        if (task_ok(t, rc, "deadline.read_failed") && found)
            resolve_ask(t);
        else
            task_end(t);
        return;
    case STAGE_AT_PROVIDER:
    case STAGE_RENDERING:
        duty_poll(t);
        return;
    case STAGE_STORING:
        deadline_storing(t);
        return;
    case STAGE_DONE:
        task_end(t);
        return;
    }
}

void deadline_unasked(struct task *t)
{
    bool storing = t->work.job.stage == STAGE_STORING;
    end_with(t, storing ? EV_FAILED : EV_DEADLINE, storing ? JOB_R_OUTPUT_UNREACHABLE : JOB_R_DEADLINE_EXCEEDED,
             FG_LIT("its provider or model is no longer in the catalogue"));
}
