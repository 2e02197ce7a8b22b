/* What a request comes to: the model that would make it, within the account's plan, and its price. */
#ifndef FG_JOB_OFFER_H
#define FG_JOB_OFFER_H

#include "job/request.h"

/* Fills model, route, replaces, size, ignored, resolution and the price of what has been decoded. provider, model: what the
 * request names; FG_NONE: nothing. What is wrong is collected as fields. */
void offer_choose(struct fg_ctx *cx, const struct catalogue *c, struct fg_str provider, struct fg_str model,
                  struct job_request *r);

/* Whether the request is what r->quote was given for. FG_QUOTE_EXPIRED; FG_QUOTE_MISMATCH, by field: what the request
 * leaves open the quote fills. */
enum fg_code offer_match(struct fg_ctx *cx, const struct catalogue *c, struct fg_str provider, struct fg_str model,
                         struct job_request *r) FG_MUST_CHECK;

/* Of a request whose fields are all right: what the plan does not include is FG_PLAN_LIMIT, by field. Then the
 * account's price, or the quote's, and the fingerprint. */
enum fg_code offer_price(struct fg_ctx *cx, const uint8_t pepper[HASH_LEN], struct fg_str provider, struct fg_str model,
                         struct job_request *r) FG_MUST_CHECK;

/* What the price is made of; the amounts add up to it. */
struct offer_part {
    const char *name;             /* "model", "audio", "margin" */
    const char *unit;             /* "second", "clip"; NULL: it is a share of the rest */
    int64_t quantity, unit_micro; /* of a share: 1, and what it comes to */
    int64_t amount_micro;
};
#define OFFER_PARTS_MAX 3
/* Of a request that offer_price has priced, without a quote; returns how many. */
unsigned offer_parts(const struct job_request *r, struct offer_part out[OFFER_PARTS_MAX]);

#endif
