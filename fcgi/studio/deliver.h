/* Callbacks to whoever asked for one: Standard Webhooks, repeated with growing pauses until told or
 * given up. */
#ifndef FG_STUDIO_DELIVER_H
#define FG_STUDIO_DELIVER_H

#include "io/fetch.h"
#include "studio/books.h"

#define DELIVER_TRIES_MAX 10
#define DELIVER_AT_ONCE 8

struct deliver_call {
    struct deliver *owner; /* NULL: this place is free */
    struct delivery row;   /* without url and body */
    char event_id[64];
};

struct deliver {
    struct fg_ctx *cx; /* of the current turn; its caller sets it before every fetcher_turn */
    struct db *db;
    struct fetcher *fetcher;
    const struct conf *conf;
    struct deliver_call call[DELIVER_AT_ONCE]; /* all free at first */
};

/* Starts what is due and fits. Errors of the database are returned; what was claimed comes again by
 * itself. */
enum fg_code deliver_due(struct deliver *d) FG_MUST_CHECK;
/* The clock has jumped, and the books with it. */
void deliver_shift(struct deliver *d, int64_t us);

/* Pure: the pause after this many tries, in microseconds, for the same dice within 20 % of the
 * schedule; retry_after_s (0: none) is a lower bound up to an hour. 0: give up. */
int64_t deliver_pause_us(int tries, int64_t retry_after_s, uint8_t dice);

#endif
