/* A story that is played again and again while something goes wrong in it: each time another side effect of those that
 * it had (base/fault.h). Stories can be taken up where a killed process left them. */
#ifndef FG_TESTS_FAULT_PLAY_H
#define FG_TESTS_FAULT_PLAY_H

#include "base/fault.h"
#include "store/notify_world.h"

struct play {
    struct place p;
    struct job_world *w;         /* of p */
    struct fg_ctx *cx;           /* of p */
    unsigned n;                  /* of this performance: its job, its key, its webhooks */
    unsigned bills, polls;       /* before it */
    struct fg_str id;            /* of its job, once that is known */
    const char *fault;           /* what goes wrong, in words */
    int64_t sessions;            /* of the server, before somebody else came and died */
    bool doubt;                  /* it may leave open whether a submit went out: its own call, or somebody's death */
};

/* set: how the world outside is in this performance; NULL: as it always is. tell: what happens, which a process may not
 * live to see the end of: another then tells it from its beginning. good: checks how things are in the end. */
struct story {
    const char *name;
    void (*set)(struct play *x);
    void (*tell)(struct play *x);
    void (*good)(struct play *x);
};

/* Each list ends with one without a name. */
extern const struct story job_stories[], other_stories[], moderation_stories[], media_stories[], desk_stories[];

/* Once without a fault; then for each of its side effects one in which that fails, one in which it is done and seems to
 * have failed, and one in which it is what the process does not live to see. */
void play_all(const struct story *s);
/* Once without a fault; what effects it had is added to the list. */
struct play_effects {
    struct fault_effect *v;
    unsigned n, max;
};
void play_once(const struct story *s, struct play_effects *seen);

/* ---- what stories are made of; each goes on until it has worked, as a client would ---- */

/* A call that gives a code, until it is another than those by which the database says that it has trouble. */
#define PLAY_INSIST(x, call)                                                                   \
    do {                                                                                         \
        enum fg_code rc_;                                                                        \
        for (unsigned tries_ = 0; play_again(rc_ = (call)) && tries_ < PLAY_TRIES_MAX; tries_++) \
            ;                                                                                    \
        CHECK(rc_ == FG_OK, arena_fmt((x)->cx->mem, "%s: %s", (x)->fault, (x)->cx->err.detail).p);                                                         \
    } while (0)
#define PLAY_TRIES_MAX 20
bool play_again(enum fg_code rc);

/* members: of the request, besides prompt, shape, seconds, metadata and callbackUrl. */
void play_create(struct play *x, const char *members);
/* A genuine callback for the job's attempt. */
void play_callback(struct play *x);
void play_cancel(struct play *x);
void play_erase(struct play *x);
/* To what is due next, or a little on. */
void play_pass_time(struct play *x);
/* Until the provider has the job; the same until it has ended. */
void play_until_there(struct play *x);
void play_on(struct play *x);
/* One that knows nothing yet. */
void play_new_sweeper(struct play *x);
/* Until everything is told. */
void play_told(struct play *x);

/* Until nothing of the job is due any more: files that go later than it ends. */
void play_rest(struct play *x);

/* ---- how things are ---- */
/* What this performance has cost so far. */
unsigned play_bills(struct play *x);
/* Where the outcome of a submit may be in doubt: the job ended for that. */
bool play_unknown(struct play *x);
/* A video, paid once. */
void play_check_delivered(struct play *x);
/* Or nobody claims to know, and nobody asks twice. */
void play_check_delivered_or_unknown(struct play *x);
/* A number from the database; %s: the job's id. */
int64_t play_ask(struct play *x, const char *sql);
/* Its job is in this state, with this code ("" for none); the books are in order; nothing of it is due; everything is
 * told, the last word last. */
void play_check(struct play *x, enum job_state state, const char *code);

#endif
