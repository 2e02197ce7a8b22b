/* When to look again: pure functions of ages and counts, in microseconds. */
#ifndef FG_JOB_POLICY_H
#define FG_JOB_POLICY_H

#include "job/job.h"

#define POLICY_NOT_SENT_MAX 12   /* attempts that surely never arrived, before provider_unavailable */
#define POLICY_FETCH_MAX 8       /* downloads of one output that failed on the way */
#define POLICY_GATE_MAX 2        /* downloads that arrived and are no video */
#define POLICY_GONE_MAX 3        /* "no such job" answers in a row before it is believed */
#define POLICY_IMAGE_MAX 5       /* attempts whose reference image did not come, before it is unreachable */
#define POLICY_STAY_MAX 1        /* submits that surely never arrived, before another model of the route is tried */

/* Whether the job may be submitted once more, where nothing else is against it: so often as a rule (most) and as its
 * account's plan allow, whichever is less. */
bool policy_may_submit(const struct job *j, int64_t most);

/* Pause before try n (1, 2, …): base doubled each time up to max, then 0.75 to 1.25 of that by the dice. */
int64_t policy_backoff_us(const struct fg_ctx *cx, int64_t n, int64_t base_us, int64_t max_us);
/* Pause before a submit that was surely not taken is tried again; at least what the provider asked for. */
int64_t policy_resubmit_us(const struct fg_ctx *cx, int64_t n, int64_t retry_after_s);
/* Pause before the next poll of a job that has been at its provider p (NULL: no longer in the catalogue) for age_us.
 * no_news: unhelpful answers in a row. wish_ms: what the provider asked for, or 0. */
int64_t policy_poll_us(const struct fg_ctx *cx, const struct conf *conf, const struct cat_provider *p, int64_t age_us,
                       int64_t no_news, int64_t wish_ms);
/* Pause between two looks for a submit of unknown outcome. */
int64_t policy_resolve_us(const struct fg_ctx *cx, int64_t n);
/* When a finished video is due to be fetched: now, but before those of other models (NULL: not known) that became so up to a minute
 * earlier and are kept longer by their providers. */
int64_t policy_ingest_due_us(int64_t now_us, const struct cat_model *m);
/* Pause before a download is tried again. */
int64_t policy_fetch_us(const struct fg_ctx *cx, int64_t n);

/* What the catalogue says that the job costs us at this model; 0 where it does not say, or m is NULL. */
int64_t job_expected_micro(const struct job *j, const struct cat_model *m);

#endif
