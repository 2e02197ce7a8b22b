/* POST /v1/quotes: what a job would be and cost, and a price that is held for it. */
#ifndef FG_JOB_QUOTE_H
#define FG_JOB_QUOTE_H

#include "job/offer.h"
#include "money/use.h"

struct job_quote {
    struct job_request req;
    struct quote quote;           /* as it was stored */
    struct offer_part part[OFFER_PARTS_MAX];
    unsigned part_n;
    struct account_use use;       /* of the account, without such a job */
    enum fg_code refusal;         /* what the job would be refused with at this moment for counts, budgets or balance */
};

/* The body is a job's; what a job would be refused for is refused here too, but not for what others use up meanwhile:
 * that is told as refusal. Codes: job_request_read's, FG_DB_*. */
enum fg_code job_quote(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str body,
                       struct job_quote *out) FG_MUST_CHECK;

#endif
