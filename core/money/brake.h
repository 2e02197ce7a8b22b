/* The operator's brakes: what providers may cost within an hour, each and all together. What an attempt costs counts from
 * its submit on: as expected until it is known, and not at all where it was refused for nothing. */
#ifndef FG_MONEY_BRAKE_H
#define FG_MONEY_BRAKE_H

#include "base/conf.h"
#include "io/db.h"

#define BRAKE_ALL FG_LIT("all") /* in the place of a provider's name: all of them together */
#define BRAKE_HOUR_US (3600 * FG_US_PER_S)

/* Micro-units an hour for this provider, or BRAKE_ALL; 0: no brake. */
int64_t brake_limit(const struct conf *conf, struct fg_str provider);
/* Whether there is any. */
bool brake_is_set(const struct conf *conf);

/* What the attempts of the last hour cost, by provider; in the arena. */
struct spent {
    struct fg_str provider;
    int64_t micro;
};
struct spending {
    struct spent *row;
    size_t n;
};
enum fg_code brake_spending(struct fg_ctx *cx, struct db *db, struct spending *out) FG_MUST_CHECK;
int64_t brake_spent(const struct spending *s, struct fg_str provider);
/* From when on another micro may be spent, by what will be an hour old then; now, when nothing will. */
enum fg_code brake_until(struct fg_ctx *cx, struct db *db, struct fg_str provider, int64_t micro,
                         int64_t *out_us) FG_MUST_CHECK;

/* What the sweeper has written down: who is at the brake, and until when. */
struct braked {
    struct fg_str provider;
    int64_t until_us;
};
struct brakes {
    const struct braked *row;
    size_t n;
};
/* No question to the database where there is no brake. */
enum fg_code brakes_read(struct fg_ctx *cx, struct db *db, const struct conf *conf, struct brakes *out) FG_MUST_CHECK;
/* Until when new jobs of this provider wait; 0: they do not. b may be NULL. */
int64_t brakes_until(const struct brakes *b, struct fg_str provider, int64_t now_us);

#endif
