/* What is known of the providers, as the database says: for status pages, metrics and the operator. */
#ifndef FG_JOB_STANDING_H
#define FG_JOB_STANDING_H

#include "job/job.h"

enum standing_state {
    STANDING_OK,
    STANDING_PAUSED,      /* by the operator */
    STANDING_PARKED,      /* our key, our money or the day's quota there */
    STANDING_BRAKED,      /* by the operator's budget for an hour */
    STANDING_FAILING,     /* the breaker is open: it does not answer, or with errors of its own */
    STANDING_TRYING,      /* the breaker is half-open */
    STANDING_NOT_SET_UP,  /* no section in the configuration */
};

struct standing {
    struct fg_str provider;
    enum standing_state state;
    int64_t since_us;     /* paused; 0: not known */
    int64_t until_us;     /* parked, braked, failing; 0: not known */
    const char *why;      /* "credit", "auth", "quota"; NULL */
};

/* One of each provider of the catalogue, in its order, in the arena. */
enum fg_code standing_read(struct fg_ctx *cx, struct db *db, const struct catalogue *c, struct standing **out,
                           size_t *n) FG_MUST_CHECK;
/* "ok", "paused", "parked", "braked", "failing", "trying", "not_set_up" */
const char *standing_name(enum standing_state s);

#endif
