/* Plans: what an account may ask for, how much of it, and at which margin. Rows of the table plan; edited by
 * `filmgate plan`, read anew for every job and quote. */
#ifndef FG_MONEY_PLAN_H
#define FG_MONEY_PLAN_H

#include "io/db.h"

#define PLAN_NO_LIMIT INT64_C(-1)
#define PLAN_NAME_MAX 40
#define MONEY_MAX INT64_C(1000000000000000) /* largest single amount, in micro-units: a thousand million */

/* T(name, longest, words): lists of words by commas, or one word; FG_NONE: everything, or the model's own.
 * N(name, least, most, words): numbers; PLAN_NO_LIMIT where there is none. In the order of the table's columns. */
#define PLAN_FIELDS(T, N)                                                                      \
    T(durations, 200, "seconds that a video may have: 5,10")                                     \
    T(resolutions, 200, "720p,1080p")                                                            \
    T(models, 2000, "models and routes that may be named")                                       \
    T(default_resolution, 8, "of a request that names none, where the model has it")             \
    N(margin_bp, 0, 1000000, "on the catalogue's price, in hundredths of a percent")             \
    N(running_max, 1, 1000000, "jobs at providers at once")                                      \
    N(outstanding_max, 0, 1000000, "jobs that have not ended")                                   \
    N(user_running_max, 1, 1000000, "jobs at providers at once, of one userId")                  \
    N(user_outstanding_max, 0, 1000000, "jobs that have not ended, of one userId")               \
    N(minute_max, 0, 1000000, "jobs per minute")                                                 \
    N(day_max, 0, 1000000000, "jobs per day")                                                    \
    N(day_micro, 0, MONEY_MAX, "budget per day, in micro-units")                                 \
    N(month_micro, 0, MONEY_MAX, "budget per month, in micro-units")                             \
    N(attempts_max, 1, 50, "submits of one job")                                                 \
    N(output_days, 1, 36500, "days that outputs are kept")                                       \
    N(upload_days, 1, 36500, "days that uploads are kept")                                       \
    N(upload_bytes, 1, INT64_MAX, "largest upload, in bytes")                                    \
    N(prompt_days, 1, 36500, "days that prompts are kept")                                       \
    N(storage_bytes, 0, INT64_MAX, "bytes of outputs and uploads that are kept")

struct plan {
    int64_t id;
    struct fg_str name;
#define T(name, longest, words) struct fg_str name;
#define N(name, least, most, words) int64_t name;
    PLAN_FIELDS(T, N)
#undef T
#undef N
};

/* An account's plan, and how it pays. */
struct terms {
    struct plan plan;
    struct fg_str currency;
    int64_t credit_limit_micro;  /* 0: prepaid; PLAN_NO_LIMIT: it pays later, whatever it comes to */
};

/* FG_NOT_FOUND. */
enum fg_code terms_read(struct fg_ctx *cx, struct db *db, int64_t account_id, struct terms *out) FG_MUST_CHECK;

/* Whether a word is in a plan's list. */
bool plan_allows(struct fg_str list, struct fg_str word);
bool plan_allows_seconds(const struct plan *p, int64_t seconds);

/* price with the plan's margin, rounded up to a whole micro-unit. False: more than
 * MONEY_MAX, or less than nothing. */
bool plan_price(const struct plan *p, int64_t base_micro, int64_t *out);

/* ---- the operator's side ---- */

/* All plans, by name. */
enum fg_code plan_list(struct fg_ctx *cx, struct db *db, struct plan **rows, size_t *n) FG_MUST_CHECK;
/* FG_NOT_FOUND. */
enum fg_code plan_by_name(struct fg_ctx *cx, struct db *db, struct fg_str name, struct plan *out) FG_MUST_CHECK;
/* A new one, with no limits. FG_INVALID_REQUEST, FG_DB_DUPLICATE. */
enum fg_code plan_create(struct fg_ctx *cx, struct db *db, struct fg_str name) FG_MUST_CHECK;
/* "day_micro=5000000": "none" takes a limit away. Nothing is written until plan_put. FG_INVALID_REQUEST. */
enum fg_code plan_set(struct fg_ctx *cx, struct plan *p, struct fg_str assignment) FG_MUST_CHECK;
/* FG_INVALID_REQUEST: what is set does not go together. */
enum fg_code plan_put(struct fg_ctx *cx, struct db *db, const struct plan *p) FG_MUST_CHECK;
/* FG_NOT_FOUND: no such plan. */
enum fg_code plan_assign(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str plan) FG_MUST_CHECK;

#endif
