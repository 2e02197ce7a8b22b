/* What is known of the providers, as the database says: for status pages, metrics and the operator. */
#ifndef FG_JOB_STANDING_H
#define FG_JOB_STANDING_H

#include "job/action.h"

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
    bool paused;          /* whatever else there is */
    int breaker;          /* 0 closed, 1 open, 2 half-open: as the sweepers wrote it down */
};

/* One of each provider of the catalogue, in its order, in the arena. */
enum fg_code standing_read(struct fg_ctx *cx, struct db *db, const struct catalogue *c, struct standing **out,
                           size_t *n) FG_MUST_CHECK;
/* "ok", "paused", "parked", "braked", "failing", "trying", "not_set_up" */
const char *standing_name(enum standing_state s);
/* "closed", "open", "half_open" */
const char *standing_breaker_name(int breaker);

/* What a person does to a provider. */
enum standing_turn {
    STANDING_TURN_PAUSE,         /* it gets no new jobs; what runs there goes on */
    STANDING_TURN_RESUME,        /* jobs again, and what was held against it is forgotten */
    STANDING_TURN_CLOSE_BREAKER, /* its errors alone are forgotten */
};
#define STANDING_TURN_N 3
/* "pause", "resume", "close_breaker" */
bool standing_turn_by_name(struct fg_str name, enum standing_turn *out);
/* Recorded; of a only actor and reason are the caller's. Doing it twice is fine. FG_NOT_FOUND: the catalogue has no such
 * provider. */
enum fg_code standing_turn(struct fg_ctx *cx, struct db *db, const struct catalogue *c, struct fg_str provider,
                           enum standing_turn turn, struct action *a) FG_MUST_CHECK;

#endif
