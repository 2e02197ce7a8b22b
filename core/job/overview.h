/* How everything stands, for the people who run it. */
#ifndef FG_JOB_OVERVIEW_H
#define FG_JOB_OVERVIEW_H

#include "job/job.h"

#define OVERVIEW_LIST_MAX 50              /* of stuck jobs and of doubts, the oldest first */
#define OVERVIEW_SCAN 10000               /* so many of the newest jobs are looked at for those that have finished */
#define OVERVIEW_BUCKET_US (600 * FG_US_PER_S) /* of a provider's history */
#define OVERVIEW_HISTORY_US (86400 * FG_US_PER_S)
#define OVERVIEW_ALIVE_US (30 * FG_US_PER_S)   /* a sweeper beats far more often */

/* When a job is said to be stuck. In line for a slot, or held for a person, it may be for long. */
#define STUCK_OVERDUE_US (120 * FG_US_PER_S)   /* its work is due since then, and nobody has it */
#define STUCK_DEADLINE_US (60 * FG_US_PER_S)   /* its deadline has passed since then */
#define STUCK_STAGE_US (1800 * FG_US_PER_S)    /* nothing has moved; or three times as long as nine of ten need */

/* The contract is in www/openapi.json (Overview). Each list is as its moment had it; the work grows with the jobs in
 * flight, with the attempts of a day and with OVERVIEW_SCAN, not with all there ever were. */
enum fg_code overview_json(struct fg_ctx *cx, const struct job_env *env, struct sb *b) FG_MUST_CHECK;

#define OVERVIEW_PROVIDER_MAX (256 * FG_KIB)
/* One of its providers, which the catalogue has. */
enum fg_code overview_provider_json(struct fg_ctx *cx, const struct job_env *env, struct fg_str name,
                                    struct sb *b) FG_MUST_CHECK;

#endif
