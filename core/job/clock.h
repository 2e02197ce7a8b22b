/* A clock that jumps (a wrong one set right, an hour forward or back) must neither bring every deadline at once nor let
 * everything wait for an hour. Whether time went by or the clock jumped is told by a second one that never jumps: the
 * time since the host's boot, which counts suspends, so that a machine that slept has not jumped.
 *
 * A process goes by clock->env: there UTC is the time since the boot plus an offset, and a jump is not seen until the
 * books agree. Those who settle (sweepers; the studio's worker for its own books) move all that is yet to come by the
 * jump, in one transaction with the offset that the books go by; only then does anybody see the new time. The others
 * follow. History stays as it was said at the time.
 *
 * When several hosts share the books, one host's jump moves nothing: it goes on by the old offset, which is the time of
 * the others, and complains once a minute. */
#ifndef FG_JOB_CLOCK_H
#define FG_JOB_CLOCK_H

#include "io/db.h"

#define CLOCK_JUMP_US (30 * FG_US_PER_S)  /* less is the ordinary life of a clock: nothing notices */
#define CLOCK_GRACE_US (500 * FG_US_PER_MS) /* before a jump is settled: who is in the middle of something ends it */
#define CLOCK_HOLD_US (3 * FG_US_PER_S)   /* how long work is held up for that; then it goes on by the old offset */
#define CLOCK_NAP_US (20 * FG_US_PER_MS)  /* between two looks meanwhile */
#define CLOCK_ALIVE_US (60 * FG_US_PER_S) /* a host that gave a sign within this lives */

/* Whose times: the statements of one program for one set of books. */
struct clock_books {
    enum db_sql of;
    bool settles;             /* the rest is for these only */
    enum db_sql lock, put, beat, purge;
    const struct clock_shift {
        enum db_sql sql;
        unsigned binds;       /* each of them the jump */
    } *shift;
    size_t shift_n;
};
extern const struct clock_books clock_web, clock_sweeper, clock_cli;

struct clock {
    struct fg_env env;        /* what its process goes by: outer's, but for utc_us */
    const struct fg_env *outer;
    const struct clock_books *books;
    char boot[37];
    int64_t offset_us;        /* UTC less time since boot, as the books have it once agreed is set */
    bool agreed;
    int64_t least_us;         /* the lowest offset there was */
    int64_t back_from_us, back_to_us; /* the last jump back, as readings; 0: none */
    int64_t noticed_us;       /* monotonic, as all that follow: a jump has been seen; 0: none */
    int64_t next_try_us, next_beat_us, next_word_us;
};

/* env must outlive it. Asks nobody yet: until the first turn it shows what env does. */
void clock_open(struct clock *c, const struct fg_env *env, const struct clock_books *books);

/* Before each unit of work, outside of a transaction: costs two looks at a clock unless it has jumped. True: go on, with a
 * fresh instant. False: a jump is being settled, begin nothing yet. *moved_us: by how much c->env's UTC has just
 * jumped; what this process holds in its memory is to be moved as the books were. A request whose instant was read
 * before a jump and that writes after it was settled is off by the jump: it would have to take longer than
 * CLOCK_GRACE_US. */
bool clock_turn(struct fg_ctx *cx, struct clock *c, struct db *db, int64_t *moved_us);

/* Whether the last turn said no. */
bool clock_holds(const struct fg_ctx *cx, const struct clock *c);

/* The least that UTC may be said to be, had it always been as low as it was lowest: what bears an older time than some age
 * before this is surely of that age, whichever clock it was written by. For purges. */
int64_t clock_floor_us(const struct clock *c);

/* Readings that a jump back made the clock show twice say little: the start of the second time in place of one of them,
 * any other as it is. c may be NULL. */
int64_t clock_since_us(const struct clock *c, int64_t us);

#endif
