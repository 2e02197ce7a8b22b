/* What this sweeper knows of each provider: whether it takes submits now (the operator's pause, a parked account, a
 * circuit breaker), and when the next call may go (its rate, shared with the other sweepers). */
#ifndef FG_SWEEPER_TRAFFIC_H
#define FG_SWEEPER_TRAFFIC_H

#include "io/db.h"
#include "provider/catalogue.h"

/* Stored, never renumber. */
enum breaker_state { BREAKER_CLOSED = 0, BREAKER_OPEN = 1, BREAKER_HALF_OPEN = 2 };

#define TRAFFIC_FAILURES_MAX 5                 /* in a row open the breaker */
#define TRAFFIC_OPEN_US (15 * FG_US_PER_S)     /* the first time; doubled up to the next */
#define TRAFFIC_OPEN_MAX_US (300 * FG_US_PER_S)
#define TRAFFIC_PROBE_US (90 * FG_US_PER_S)    /* a probe that has not been heard of by then is forgotten */

struct lane_limit {
    int64_t interval_us;          /* between two calls in the long run; 0: no limit */
    int64_t burst_us;             /* how far ahead of that pace one may be */
    int64_t next_us;              /* monotonic: when the pace allows the next */
};

struct provider_traffic {
    char name[33];
    int64_t paused_us, parked_until_us;
    int park_reason;              /* enum remote_reason */
    int breaker;                  /* enum breaker_state */
    int64_t breaker_us;           /* open: until then; half-open: the probe went out then. 0: none did */
    int opened_n;                 /* times in a row */
    unsigned failures;            /* in a row, seen here */
    int64_t braked_until_us;      /* by the operator's budget */
    int64_t submit_n, retry_n;    /* of the last minutes (line.c); retries are among the submits */
    struct lane_limit calls, submits;
};

struct traffic {
    struct provider_traffic provider[CONF_PROVIDERS_MAX];
    unsigned n;
    int64_t sweepers;             /* alive, this one included */
    int64_t next_load_us;         /* monotonic */
    int64_t counted_us;           /* next_load_us when submits were counted */
    int64_t all_braked_until_us;
};

/* Reads what the database says, at most once a second, and takes the limits of the catalogue. */
void traffic_load(struct fg_ctx *cx, struct db *db, struct traffic *tr, const struct catalogue *c);
/* NULL when the catalogue does not have it. */
struct provider_traffic *traffic_of(struct traffic *tr, struct fg_str name);

/* How many submits may go out now; a half-open breaker lets one through. 0: none; *again_us: monotonic, when that may
 * change by itself (0: not known). */
int64_t traffic_room(const struct fg_ctx *cx, const struct provider_traffic *p, int64_t *again_us);
/* Takes the next place in the provider's pace: the monotonic time at which the call may go. */
int64_t traffic_take(const struct fg_ctx *cx, struct provider_traffic *p, bool submit);

/* A submit goes out: with a half-open breaker it is the probe. */
void traffic_submit(struct fg_ctx *cx, struct db *db, struct provider_traffic *p);
/* What came of a call: no answer and 5xx count against it, everything else proves that it works. */
void traffic_heard(struct fg_ctx *cx, struct db *db, struct provider_traffic *p, bool well);
/* No submits for so long: our key, our money or the day's quota. */
void traffic_park(struct fg_ctx *cx, struct db *db, struct provider_traffic *p, enum remote_reason why, int64_t seconds);

/* The clock has jumped, and what is written of providers with it. */
void traffic_shift(struct traffic *tr, int64_t us);

/* Pure, for tests. The breaker after one more outcome; true: it has changed and is to be written down. */
bool breaker_heard(struct provider_traffic *p, bool well, int64_t now_us);
int64_t limit_take(struct lane_limit *l, int64_t mono_us);
int64_t limit_room(const struct lane_limit *l, int64_t mono_us);

#endif
