/* One try of a delivery: what goes out, and what an answer means. Pure but for the dice of the jitter. */
#ifndef FG_NOTIFY_DELIVER_H
#define FG_NOTIFY_DELIVER_H

#include "io/fetch.h"
#include "notify/delivery.h"

#define DELIVER_TRIES_MAX 8
#define DELIVER_REPLY_MAX (64 * FG_KIB)                 /* of a receiver's answer */
#define DELIVER_SLOW_US (60 * FG_US_PER_S)              /* the least pause after 429, 502, 504 */
#define DELIVER_ASKED_MAX_US (6 * 3600 * FG_US_PER_S)   /* a Retry-After beyond it is taken for this */
#define DELIVER_LANE_SLOW_MAX_US (600 * FG_US_PER_S)    /* the longest that a whole queue rests for one answer */

/* A message on its way to one place. secrets: those that sign, separated by blanks, newest first. */
struct deliver_letter {
    struct fg_str message_id, url, payload, secrets;
};
/* The request, signed as of cx->now_us with at most five of the secrets. FG_CONFIG: there is none that can sign. */
enum fg_code deliver_call(struct fg_ctx *cx, const struct conf *conf, const struct deliver_letter *letter,
                          struct fetch_call *out) FG_MUST_CHECK;

struct deliver_verdict {
    enum delivery_state state;    /* pending: again after pause_us */
    int64_t pause_us;
    int64_t slow_us;              /* nothing else goes to this place for so long; 0: no matter */
    bool works, gone;             /* the receiver took it; asks never to be told again (410) */
};
/* tries: those made so far, this one included. */
struct deliver_verdict deliver_judge(const struct fg_ctx *cx, const struct fetch_reply *reply, int64_t tries);

/* Pause after the n-th try (1, 2, …) that failed: 5 s, 5 min, 30 min, 2 h, 5 h, 7 h, 10 h, each up to a fifth shorter
 * or longer; about a day in all. */
int64_t deliver_pause_us(const struct fg_ctx *cx, int64_t tries);

/* What the log keeps of an answer, or of the reason why there is none: at most NOTIFY_EXCERPT_MAX bytes of valid UTF-8
 * without control characters. FG_NONE when there was nothing. */
struct fg_str deliver_excerpt(struct fg_ctx *cx, const struct fetch_reply *reply);

#endif
