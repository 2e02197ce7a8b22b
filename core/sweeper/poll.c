/* Asking a provider how a job is, asking it to stop, and what a deadline does. */
#include "base/fault.h"
#include "base/log.h"
#include "sweeper/sweep.h"

#define CANCEL_REPLY_MAX (256 * FG_KIB)
#define CANCEL_AGAIN_US FG_US_PER_S
#define DEADLINE_AGAIN_US (5 * FG_US_PER_S)

/* True when this was the deadline's question: nothing more is asked. */
static bool was_last(struct task *t)
{
    if (!t->last_question)
        return false;
    enum fg_code rc = task_move(t, &(struct job_change){ .event = EV_DEADLINE, .reason = JOB_R_DEADLINE_EXCEEDED });
    task_over(t, rc, "deadline.end_failed");
    return true;
}

static int64_t next_poll_us(const struct task *t, int64_t no_news, int64_t wish_ms)
{
    int64_t age = t->cx.now_us - t->work.attempt.created_us - t->work.attempt.jumped_us;
    return t->cx.now_us + policy_poll_us(&t->cx, t->s->env.conf, t->provider, age, no_news, wish_ms);
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

static void end_with(struct task *t, const struct job_change *ch, struct fg_str words)
{
    if (ch->reason != JOB_R_NONE)
        fg_log(&t->cx, LOG_WARN, "poll.job_failed", LOG_S("job", t->work.job.public_id),
               LOG_S("code", fg_str_c(job_reason_info(ch->reason)->slug)), LOG_S("words", words));
    task_over(t, task_move(t, ch), "poll.move_failed");
}

static void expire(struct task *t, struct fg_str words)
{
    end_with(t, &(struct job_change){ .event = EV_DEADLINE, .reason = JOB_R_DEADLINE_EXCEEDED }, words);
}

/* What the attempt costs us: as the provider says, else as the catalogue does. */
static void note_cost(struct task *t, int64_t said_micro)
{
    int64_t micro = said_micro ? said_micro : task_expected_micro(t);
    if (micro > 0)
        (void)task_ok(t, db_run(&t->cx, t->s->env.db, SQL_ATTEMPT_COST, DB_ARGS(DB(micro), DB(t->work.attempt.id))),
                      "poll.cost_failed");
}

/* Each unknown word is told once: the timeline shows it, the job goes on. */
static void note_word(struct task *t, struct fg_str word)
{
    if (!word.n || fg_eq(word, t->work.attempt.odd_word))
        return;
    enum fg_code rc = task_move(t, &(struct job_change){ .event = EV_NEWS,
                                                         .data = event_data(&t->cx, "unknownStatus", word) });
    if (task_ok(t, rc, "poll.note_failed"))
        (void)task_ok(t, db_run(&t->cx, t->s->env.db, SQL_ATTEMPT_ODD_WORD, DB_ARGS(DB(word), DB(t->work.attempt.id))),
                      "poll.note_failed");
}

/* ---- a cancel is a request ---- */

static void cancel_noted(struct task *t, const char *outcome)
{
    int64_t id = t->work.attempt.id;
    enum fg_code rc = db_run(&t->cx, t->s->env.db, SQL_ATTEMPT_CANCELED, DB_ARGS(DB(t->cx.now_us), DB(id)));
    if (rc == FG_OK)
        rc = task_move(t, &(struct job_change){ .event = EV_NEWS,
                                                .data = event_data(&t->cx, "cancel", fg_str_c(outcome)) });
    (void)task_ok(t, rc, "cancel.note_failed");
}

static void cancel_answered(void *arg, const struct fetch_reply *reply)
{
    static const struct {
        const char *word; /* NULL: nothing was heard, the next poll asks again */
        bool is_end;
    } means[] = {
        [CANCEL_DONE] = { "done", true },      [CANCEL_DELETED] = { "deleted", true },
        [CANCEL_EITHER] = { "removed", true }, [CANCEL_ASKED] = { "asked", false },
        [CANCEL_TOO_LATE] = { "too_late", false }, [CANCEL_UNKNOWN] = { NULL, false },
    };
    struct task *t = arg;
    FG_CRASH_POINT("cancel.answered");
    enum cancel_outcome what = t->adapter->cancel_reply(&t->cx, reply);
    if (!means[what].word) {
        poll_later(t, 0);
        return;
    }
    if (what == CANCEL_DELETED) /* it was made, and so it is paid for */
        note_cost(t, 0);
    cancel_noted(t, means[what].word);
    if (means[what].is_end)
        end_with(t, &(struct job_change){ .event = EV_FAILED, .reason = JOB_R_CANCELED }, fg_str_c(means[what].word));
    else
        task_later(t, t->cx.now_us + CANCEL_AGAIN_US, 0);
}

/* True when the provider was asked to stop. It has just been seen in this state, and a verb that would delete a finished
 * result must not wait for its turn in the provider's rate: it would be sent to what was seen long ago. */
static bool cancel_ask(struct task *t, enum remote_state seen)
{
    unsigned when = seen == REMOTE_QUEUED ? CANCEL_WHEN_QUEUED : CANCEL_WHEN_RUNNING;
    struct fetch_call call;
    if (!t->work.job.cancel_us || t->work.attempt.cancel_us || !(t->adapter->cancel_when & when) || t->last_question)
        return false;
    struct remote_ref ref = task_ref(t);
    enum fg_code rc = t->adapter->cancel_call(&t->cx, &t->provider->site, &ref, seen, &call);
    if (!task_ok(t, rc, "cancel.call_failed"))
        return false;
    FG_CRASH_POINT("cancel.before_call");
    call.once = call.once || t->adapter->cancel_deletes;
    call.timeout_ms = t->s->env.conf->sweeper_call_timeout_s * 1000;
    call.max_bytes = CANCEL_REPLY_MAX;
    task_call(t, WIRE_CANCEL, &call, cancel_answered);
    return true;
}

/* ---- a look's answer ---- */

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
    if (!cancel_ask(t, r->state))
        poll_later(t, r->poll_after_ms);
}

static void failed(struct task *t, const struct poll_reply *r)
{
    enum job_reason why = task_reason(r->reason);
    if (why == JOB_R_CANCELED && !t->work.job.cancel_us) /* nobody here asked for that */
        why = JOB_R_PROVIDER_FAILED;
    if (r->charged || r->cost_micro)
        note_cost(t, r->cost_micro);
    end_with(t, &(struct job_change){ .event = r->reason == REASON_EXPIRED ? EV_DEADLINE : EV_FAILED, .reason = why,
                                      .charged = r->charged }, r->words);
}

/* Whoever asked for its cancel may have died before that was noted, and a cancel may delete. */
static enum job_reason why_gone(const struct task *t)
{
    return t->work.job.cancel_us && t->adapter->cancel_deletes ? JOB_R_CANCELED : JOB_R_PROVIDER_FORGOT;
}

static void gone(struct task *t, const struct poll_reply *r)
{
    if (t->work.attempt.cancel_us) /* some forget what they were asked to stop */
        end_with(t, &(struct job_change){ .event = EV_FAILED, .reason = JOB_R_CANCELED }, r->words);
    else if (task_trouble(t, TROUBLE_GONE) >= POLICY_GONE_MAX)
        end_with(t, &(struct job_change){ .event = EV_FAILED, .reason = why_gone(t) }, r->words);
    else
        poll_in_trouble(t, TROUBLE_GONE, 0);
}

/* It answered while the deadline's own question brought nothing: too late for the job, not for the record. */
static enum fg_code late_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct task *t = arg;
    struct job j;
    enum fg_code rc = job_by_id(cx, db, t->work.job.id, &j);
    if (rc != FG_OK || (j.state != JOB_EXPIRED && j.state != JOB_FAILED))
        return rc;
    return job_move(cx, db, &j, &(struct job_change){ .event = EV_LATE,
                                                      .data = event_data(cx, "providerJobId", j.provider_job_id) });
}

static void done(struct task *t, const struct poll_reply *r)
{
    note_cost(t, r->cost_micro);
    enum fg_code rc = task_move(t, &(struct job_change){ .event = EV_OUTPUT,
                                                         .due_us = policy_ingest_due_us(t->cx.now_us, t->model) });
    if (rc == FG_JOB_MOVED)
        rc = db_tx(&t->cx, t->s->env.db, late_body, t);
    task_over(t, rc, "poll.move_failed");
}

static void polled(struct task *t, const struct poll_reply *r)
{
    if (!r->understood && FG_PLANTED(PLANT_REFUND_ON_SILENCE)) {
        end_with(t, &(struct job_change){ .event = EV_FAILED, .reason = JOB_R_PROVIDER_FAILED }, r->words);
        return;
    }
    if (!r->understood) {
        poll_in_trouble(t, TROUBLE_SILENT, r->poll_after_ms);
        return;
    }
    note_word(t, r->unknown_word);
    switch (r->state) {
    case REMOTE_QUEUED:
    case REMOTE_RUNNING:
        still_there(t, r);
        return;
    case REMOTE_DONE:
        done(t, r);
        return;
    case REMOTE_FAILED:
        failed(t, r);
        return;
    case REMOTE_GONE:
        gone(t, r);
        return;
    }
}

void duty_poll(struct task *t)
{
    struct job *j = &t->work.job;
    if (j->stage != STAGE_AT_PROVIDER && j->stage != STAGE_RENDERING) {
        task_end(t); /* moved on while the claim was on its way */
        return;
    }
    if (!task_look(t, polled))
        poll_in_trouble(t, TROUBLE_SILENT, 0);
}

/* ---- deadlines ---- */

/* In storing the video exists: it may finish as long as the provider keeps its copy. */
static void deadline_storing(struct task *t)
{
    const struct job *j = &t->work.job;
    int64_t kept_s = t->model ? t->model->output_life_s : 0;
    if (t->cx.now_us < j->deadline_us + kept_s * FG_US_PER_S)
        task_later(t, t->cx.now_us + 12 * DEADLINE_AGAIN_US, 0);
    else
        end_with(t, &(struct job_change){ .event = EV_FAILED, .reason = JOB_R_OUTPUT_UNREACHABLE },
                 FG_LIT("could not be stored while the provider kept it"));
}

void duty_deadline(struct task *t)
{
    struct job *j = &t->work.job;
    t->last_question = true;
    switch ((enum job_stage)j->stage) {
    case STAGE_MODERATING:
        expire(t, FG_LIT("could not be checked in time"));
        return;
    case STAGE_IN_REVIEW:
        end_with(t, &(struct job_change){ .event = EV_DEADLINE, .reason = JOB_R_REVIEW_EXPIRED },
                 FG_LIT("was not reviewed in time"));
        return;
    case STAGE_WAITING:
        expire(t, FG_LIT("never had a slot"));
        return;
    case STAGE_SUBMITTING: /* its own time limit is near; a state in the middle of a call proves nothing */
        task_later(t, t->cx.now_us + DEADLINE_AGAIN_US, 0);
        return;
    case STAGE_SUBMIT_UNKNOWN:
        if (t->work.attempt.id)
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
    struct fg_str words = FG_LIT("its provider or model is no longer in the catalogue");
    if (t->work.job.stage == STAGE_STORING)
        end_with(t, &(struct job_change){ .event = EV_FAILED, .reason = JOB_R_OUTPUT_UNREACHABLE }, words);
    else
        expire(t, words);
}
