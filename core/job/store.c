#include "job/store.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/utf8.h"
#include "io/json.h"
#include "job/moderation.h"
#include "money/ledger.h"

#define EVENT_DATA_MAX 2000
#define ATTEMPT_DETAIL_MAX 500

/* In the order of JOB_SELECT (sql/statements.def); the last is of JOB_SEEN alone. */
static const struct db_col job_cols[] = {
    COL(struct job, id), COL(struct job, public_id), COL(struct job, account_id),
    COL(struct job, user_id), COL(struct job, state), COL(struct job, stage),
    COL(struct job, version), COL(struct job, provider), COL(struct job, model),
    COL(struct job, prompt), COL(struct job, aspect_ratio), COL(struct job, duration_s),
    COL(struct job, resolution), COL(struct job, image_url), COL(struct job, has_seed),
    COL(struct job, seed), COL(struct job, metadata), COL(struct job, price_micro),
    COL(struct job, currency), COL(struct job, attempt_n), COL(struct job, progress),
    COL(struct job, queue_position), COL(struct job, cancel_us), COL(struct job, error_code),
    COL(struct job, request_id), COL(struct job, created_us), COL(struct job, updated_us),
    COL(struct job, started_us), COL(struct job, finished_us), COL(struct job, deadline_us),
    COL(struct job, deleted_us), COL(struct job, provider_job_id), COL(struct job, output_state),
    COL(struct job, route), COL(struct job, audio), COL(struct job, negative), COL(struct job, ignored),
    COL(struct job, charged), COL(struct job, callback_url), COL(struct job, attempts_max),
    COL(struct job, upload), COL(struct job, keep_days), COL(struct job, expires_us), COL(struct job, redacted_us),
    COL(struct job, error_input), COL(struct job, error_category),
    COL(struct job_seen, next_us),
};
const struct db_cols job_row = { job_cols, FG_LEN(job_cols) - 1 };
const struct db_cols job_seen_row = { job_cols, FG_LEN(job_cols) };

static const struct db_col attempt_cols[] = {
    COL(struct attempt, id), COL(struct attempt, job_id), COL(struct attempt, n),
    COL(struct attempt, provider), COL(struct attempt, model), COL(struct attempt, adapter),
    COL(struct attempt, remote_model), COL(struct attempt, client_ref),
    COL(struct attempt, callback_token), COL(struct attempt, state),
    COL(struct attempt, provider_job_id), COL(struct attempt, links), COL(struct attempt, seed),
    COL(struct attempt, odd_word), COL(struct attempt, cancel_us), COL(struct attempt, created_us),
    COL(struct attempt, jumped_us), COL(struct attempt, started_us),
};
const struct db_cols attempt_row = { attempt_cols, FG_LEN(attempt_cols) };

enum fg_code job_by_id(struct fg_ctx *cx, struct db *db, int64_t id, struct job *out)
{
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_JOB_BY_ID, DB_ARGS(DB(id)), job_row, out, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "No such job.");
    return rc;
}

enum fg_code output_of_job(struct fg_ctx *cx, struct db *db, int64_t job_id, struct output *out)
{
    static const struct db_col cols[] = { COL(struct output, video_file), COL(struct output, poster_file),
                                          COL(struct output, store),
                                          COL(struct output, bytes), COL(struct output, deleted_us) };
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_OUTPUT_OF_JOB, DB_ARGS(DB(job_id)), DB_COLS(cols), out, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "This job has no file.");
    return rc;
}

static enum due_kind due_kind_of(enum job_stage stage)
{
    switch (stage) {
    case STAGE_WAITING:
        return DUE_DISPATCH;
    case STAGE_SUBMITTING:
        return DUE_SENDING;
    case STAGE_SUBMIT_UNKNOWN:
        return DUE_RESOLVE;
    case STAGE_AT_PROVIDER:
    case STAGE_RENDERING:
        return DUE_POLL;
    case STAGE_STORING:
        return DUE_INGEST;
    case STAGE_MODERATING:
        return DUE_MODERATE;
    case STAGE_IN_REVIEW:
        return DUE_NOTHING;
    case STAGE_DONE:
        break;
    }
    FG_ASSERT(!"a finished job has no due work");
    return DUE_DISPATCH;
}

/* Whoever waited for the row has an older instant than who had it: a timeline is in order all the same. A change that is
 * far ahead was made by a clock that was wrong, and nobody waits for it. */
static int64_t event_at(const struct fg_ctx *cx, const struct job *j)
{
    return j->updated_us <= cx->now_us + JOB_CHANGE_OVERLAP_US ? j->updated_us : cx->now_us;
}

/* Progress alone is no news for the timeline: it would drown it. */
static enum fg_code write_event(struct fg_ctx *cx, struct db *db, const struct job *j,
                                const struct job_change *ch)
{
    if (ch->event == EV_PROGRESS)
        return FG_OK;
    return db_run(cx, db, SQL_EVENT_INSERT,
                  DB_ARGS(DB(j->id), DB(j->version), DB(event_at(cx, j)),
                          DB(fg_str_c(job_event_name(ch->event))), DB(j->state), DB(j->stage),
                          DB(cx->request_id), DB(ch->data)));
}

/* Whoever died while it was being stored may have left files. */
static enum fg_code tidy_due(struct fg_ctx *cx, struct db *db, const struct job *j)
{
    enum fg_code rc = db_run(cx, db, SQL_DUE_MOVE, DB_ARGS(DB((int)DUE_ERASE), DB(cx->now_us), DB(j->model), DB(j->id),
                                                           DB((int)DUE_INGEST)));
    return rc == FG_OK ? db_run(cx, db, SQL_DUE_DROP_BUT, DB_ARGS(DB(j->id), DB((int)DUE_ERASE))) : rc;
}

static enum fg_code move_due(struct fg_ctx *cx, struct db *db, const struct job *j,
                             enum job_stage was, const struct job_change *ch)
{
    if (was == STAGE_STORING && j->state == JOB_FAILED)
        return tidy_due(cx, db, j);
    if (job_terminal((enum job_state)j->state))
        return was == STAGE_DONE ? FG_OK : db_run(cx, db, SQL_DUE_DROP, DB_ARGS(DB(j->id)));
    int kind = (int)due_kind_of((enum job_stage)j->stage), old = (int)due_kind_of(was);
    /* The same work goes on under its lease: should its holder die now, the row comes due again when that ends. */
    if (kind == old && ch->due_us == 0)
        return FG_OK;
    if (kind == DUE_NOTHING) /* a person has to act; but its deadline runs */
        return db_run(cx, db, SQL_DUE_DROP_BUT, DB_ARGS(DB(j->id), DB((int)DUE_DEADLINE)));
    if (old == DUE_NOTHING)
        return db_run(cx, db, SQL_DUE_INSERT_LANE,
                      DB_ARGS(DB(kind), DB(j->id), DB(ch->due_us ? ch->due_us : cx->now_us), DB(j->model), DB(j->account_id)));
    return db_run(cx, db, SQL_DUE_MOVE,
                  DB_ARGS(DB(kind), DB(ch->due_us ? ch->due_us : cx->now_us), DB(j->model), DB(j->id), DB(old)));
}

/* What the attempt's own row should know of it. */
static enum fg_code tell_attempt(struct fg_ctx *cx, struct db *db, const struct job *j, enum job_stage was,
                                 const struct job_change *ch)
{
    bool accepted = was >= STAGE_AT_PROVIDER && was <= STAGE_STORING;
    if (ch->event == EV_STARTED)
        return db_run(cx, db, SQL_ATTEMPT_STARTED, DB_ARGS(DB(cx->now_us), DB(j->id), DB(j->attempt_n)));
    if (!accepted || (ch->event != EV_OUTPUT && ch->event != EV_FAILED && ch->event != EV_DEADLINE))
        return FG_OK;
    enum attempt_outcome how = ch->event == EV_OUTPUT                           ? ATTEMPT_GOOD
                               : job_reason_info(ch->reason)->fault == FAULT_PROVIDER ? ATTEMPT_BAD
                                                                                : ATTEMPT_NEITHER;
    return db_run(cx, db, SQL_ATTEMPT_OVER, DB_ARGS(DB((int)how), DB(cx->now_us), DB(j->id), DB(j->attempt_n)));
}

/* Which input it was, where that is clear and nobody has said so: a provider rarely tells. */
static void name_input(struct job *j, enum job_reason reason)
{
    bool just_words = !j->image_url.n && !j->upload.n && !j->negative.n;
    if (j->error_input.p)
        return;
    if (reason == JOB_R_BLOCKED_PROMPT && just_words)
        j->error_input = FG_LIT("prompt");
    if (reason == JOB_R_BLOCKED_IMAGE)
        j->error_input = FG_LIT("image");
    if (reason == JOB_R_BLOCKED_OUTPUT)
        j->error_input = FG_LIT("output");
}

static bool is_users_fault(enum job_reason r)
{
    return r == JOB_R_BLOCKED_PROMPT || r == JOB_R_BLOCKED_IMAGE;
}

static void place(struct job *j, struct job_place to, const struct job_change *ch, int64_t now_us)
{
    bool ended = job_terminal(to.state) && !job_terminal((enum job_state)j->state);
    if (!j->started_us && to.state == JOB_PROCESSING)
        j->started_us = now_us;
    if (ended) {
        FG_ASSERT((to.state == JOB_SUCCEEDED) == (ch->reason == JOB_R_NONE));
        j->finished_us = now_us;
        j->error_code = to.state == JOB_SUCCEEDED ? FG_NONE : fg_str_c(job_reason_info(ch->reason)->slug);
        j->charged = to.state == JOB_SUCCEEDED || (ch->charged && job_reason_info(ch->reason)->charged);
        name_input(j, ch->reason);
    }
    if ((int)to.stage != j->stage || (to.stage != STAGE_WAITING && to.stage != STAGE_AT_PROVIDER))
        j->queue_position = -1;
    if (to.stage != STAGE_RENDERING)
        j->progress = -1;
    j->state = (int)to.state;
    j->stage = (int)to.stage;
    j->version++;
    if (j->updated_us < now_us) /* a clock that jumps back must not hide a change from changedSince */
        j->updated_us = now_us;
}

/* db->affected is 0 when the row is no longer as it was. */
static enum fg_code write_job(struct fg_ctx *cx, struct db *db, const struct job *j, int version, enum job_state was)
{
    return db_run(cx, db, SQL_JOB_MOVE,
                  DB_ARGS(DB(j->state), DB(j->stage), DB(j->updated_us), DB(j->attempt_n), DB(j->progress),
                          DB(j->queue_position), DB_TIME(j->cancel_us), DB(j->error_code), DB_TIME(j->started_us),
                          DB_TIME(j->finished_us), DB_TIME(j->deleted_us), DB(j->provider_job_id),
                          DB(j->output_state), DB(j->provider), DB(j->model), DB(j->ignored), DB(j->charged),
                          DB(j->upload), DB_TIME(j->expires_us), DB_TIME(j->redacted_us),
                          DB(j->error_input), DB(j->error_category), DB(j->id),
                          DB(version), DB((int)was)));
}

#ifdef FG_FAULT
/* Planted: the last writer wins, whatever he last saw. */
static enum fg_code write_over(struct fg_ctx *cx, struct db *db, struct job *j)
{
    struct job now;
    enum fg_code rc = job_by_id(cx, db, j->id, &now);
    j->version = now.version + 1;
    return rc == FG_OK ? write_job(cx, db, j, now.version, (enum job_state)now.state) : rc;
}
#else
#define write_over(cx, db, j) FG_OK
#endif

struct ledger_job job_ledger(const struct job *j)
{
    return (struct ledger_job){ j->id, j->account_id, j->price_micro, j->created_us, j->currency };
}

static enum fg_code end_hold(struct fg_ctx *cx, struct db *db, const struct job *j)
{
    struct ledger_job l = job_ledger(j);
    return ledger_end(cx, db, &l, j->charged ? LEDGER_SETTLE : LEDGER_RELEASE);
}

enum fg_code job_move(struct fg_ctx *cx, struct db *db, struct job *j, const struct job_change *ch)
{
    struct job_place was = { (enum job_state)j->state, (enum job_stage)j->stage }, to = was;
    int version = j->version;
    if (ch->event < EV_CANCEL_ASKED && !job_next(was.stage, ch->event, &to))
        return fg_fail(cx, FG_JOB_MOVED, "The job cannot do that now.");
    place(j, to, ch, cx->now_us);
    enum fg_code rc = write_job(cx, db, j, version, was.state);
    if (rc == FG_OK && db->affected != 1 && FG_PLANTED(PLANT_NO_FENCE))
        rc = write_over(cx, db, j);
    if (rc == FG_OK && db->affected != 1)
        rc = fg_fail(cx, FG_JOB_MOVED, "The job moved meanwhile.");
    if (rc == FG_OK)
        rc = write_event(cx, db, j, ch);
    if (rc == FG_OK)
        rc = move_due(cx, db, j, was.stage, ch);
    if (rc == FG_OK)
        rc = tell_attempt(cx, db, j, was.stage, ch);
    bool ends = job_terminal(to.state) && !job_terminal(was.state);
    if (rc == FG_OK && was.stage == STAGE_IN_REVIEW && to.stage != STAGE_IN_REVIEW)
        rc = db_run(cx, db, SQL_REVIEW_OVER, DB_ARGS(DB(cx->now_us), DB(j->id)));
    if (rc == FG_OK && ends)
        rc = end_hold(cx, db, j);
    if (rc == FG_OK && ends && is_users_fault(ch->reason))
        rc = blocks_count(cx, db, j);
    if (rc == FG_OK && ends && FG_PLANTED(PLANT_SETTLE_TWICE)) /* which needs a schema without its primary key, too */
        rc = end_hold(cx, db, j);
    if (rc == FG_OK)
        rc = job_tell(cx, db, j, was.state, ch->event);
    return rc;
}

/* A version is made once, and the event that tells of it says in whose name. */
enum fg_code job_settle(struct fg_ctx *cx, struct db *db, const struct job *j)
{
    static const struct db_col cols[] = { { DB_TAG_STR, 0 } };
    struct fg_str by = FG_NONE;
    bool found = false;
    enum fg_code rc = db_one(cx, db, SQL_EVENT_BY, DB_ARGS(DB(j->id), DB(j->version)), DB_COLS(cols), &by, &found);
    bool ours = rc == FG_OK && found && fg_eq(by, cx->request_id);
    fg_log(cx, LOG_WARN, "job.commit_unknown", LOG_S("job", j->public_id),
           LOG_S("resolved", fg_str_c(rc != FG_OK ? "no" : ours ? "committed" : "not_committed")));
    if (ours)
        return FG_OK;
    enum fg_code code = rc == FG_OK ? FG_DB_LOST : FG_DB_UNSURE;
    (void)fg_fail(cx, code, "%s.", fg_err_info(code)->title);
    return fg_cause(cx, "COMMIT was not answered");
}

enum fg_code attempt_end(struct fg_ctx *cx, struct db *db, int64_t attempt_id, enum attempt_state to,
                         const struct submit_reply *r, bool *ended)
{
    enum fg_code rc = db_run(cx, db, SQL_ATTEMPT_END,
                             DB_ARGS(DB((int)to), DB(r->id), DB(r->links), DB(cx->now_us),
                                     DB(utf8_cut(r->words, ATTEMPT_DETAIL_MAX)), DB(r->cost_micro),
                                     DB(attempt_id), DB((int)to)));
    *ended = rc == FG_OK && db->affected == 1;
    return rc;
}

void job_log(struct fg_ctx *cx, const struct job *j)
{
    fg_log(cx, LOG_INFO, "job.moved", LOG_S("job", j->public_id),
           LOG_S("status", fg_str_c(job_state_name((enum job_state)j->state))),
           LOG_S("stage", fg_str_c(job_stage_name((enum job_stage)j->stage))), LOG_S("code", j->error_code));
}

struct fg_str event_data(struct fg_ctx *cx, const char *name, struct fg_str value)
{
    if (!value.p)
        return FG_NONE;
    struct sb b = sb_in(cx->mem, EVENT_DATA_MAX);
    struct jw w = jw_on(&b);
    jw_open(&w, NULL);
    jw_str(&w, name, value);
    jw_close(&w);
    return b.bad ? FG_NONE : sb_str(&b);
}

struct cat_wish job_wish(const struct job *j)
{
    return (struct cat_wish){
        .aspect_ratio = j->aspect_ratio,
        .resolution = j->resolution,
        .duration_s = j->duration_s,
        .prompt_chars = (int64_t)utf8_count(j->prompt),
        .image = job_has_image(j),
        .seed = j->has_seed,
        .negative = j->negative.n > 0,
        .audio = (enum audio)j->audio,
    };
}
