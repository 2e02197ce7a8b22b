/* A moderation service on loopback, in a thread, that speaks OpenAI's format. Of texts it blocks what says "blockme" and
 * wants a look at what says "lookme"; of pictures what it is told. */
#ifndef FG_TESTS_FAKE_MODERATOR_H
#define FG_TESTS_FAKE_MODERATOR_H

#include "base/ctx.h"

enum moderator_way {
    MODERATOR_ANSWERS,
    MODERATOR_HANGS_UP,   /* reads, and says nothing */
    MODERATOR_FAILS,      /* 503 */
    MODERATOR_REFUSES,    /* 401 */
    MODERATOR_BABBLES,    /* 200, and no verdict */
};

struct moderator;

struct moderator *moderator_new(void);
void moderator_free(struct moderator *m);
/* "http://127.0.0.1:PORT", as long as it lives. */
const char *moderator_origin(const struct moderator *m);

void moderator_say(struct moderator *m, enum moderator_way way);
/* So many of the next answers are 503, whatever it was told. */
void moderator_fail_next(struct moderator *m, unsigned n);
/* The score of pictures, in hundredths. */
void moderator_pictures(struct moderator *m, int score);
/* How many it was asked about. */
unsigned moderator_texts(struct moderator *m);
unsigned moderator_images(struct moderator *m);

#endif
