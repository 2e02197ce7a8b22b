/* What becomes of a job, in the words of its followers. */
#include "job/store.h"
#include "notify/notify.h"

/* Only what the six states and the deletion say: finer stages and progress are for those who look. A file that goes when
 * the job said that it would is no news. */
static bool is_news(const struct job *j, enum job_state was, enum job_event ev, enum notify_type *out)
{
    static const enum notify_type of_state[] = {
        [JOB_QUEUED] = NOTIFY_QUEUED, [JOB_PROCESSING] = NOTIFY_PROCESSING, [JOB_SUCCEEDED] = NOTIFY_SUCCEEDED,
        [JOB_FAILED] = NOTIFY_FAILED, [JOB_EXPIRED] = NOTIFY_EXPIRED,
    };
    if (ev == EV_DELETED) {
        *out = NOTIFY_DELETED;
        return j->deleted_us != 0;
    }
    if (j->state == (int)was || j->state == JOB_PENDING)
        return false;
    *out = of_state[j->state];
    return true;
}

enum fg_code job_tell(struct fg_ctx *cx, struct db *db, const struct job *j, enum job_state was, enum job_event ev)
{
    enum notify_type type;
    if (!is_news(j, was, ev, &type))
        return FG_OK;
    const struct job_reason_info *why = j->error_code.n ? job_reason_by_slug(j->error_code) : NULL;
    const struct notify_event e = {
        .type = type,
        .account_id = j->account_id,
        .job_id = j->id,
        .callback_url = j->callback_url,
        .sequence = j->version,
        .id = j->public_id,
        .user_id = j->user_id,
        .status = fg_str_c(job_state_name((enum job_state)j->state)),
        .stage = j->stage ? fg_str_c(job_stage_name((enum job_stage)j->stage)) : FG_NONE,
        .provider = j->provider,
        .model = j->model,
        .route = j->route,
        .error_code = j->error_code,
        .error_message = why ? fg_str_c(why->words) : FG_NONE,
        .metadata = type == NOTIFY_DELETED ? FG_NONE : j->metadata,
        .price_micro = j->price_micro,
        .currency = j->currency,
        .charged = j->charged,
        .created_us = j->created_us,
        .started_us = j->started_us,
        .finished_us = j->finished_us,
        .deleted_us = j->deleted_us,
    };
    return notify_add(cx, db, &e);
}
