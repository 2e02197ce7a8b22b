/* Checks of one task, one after the other: our rules and the services on texts and pictures. */
#ifndef FG_SWEEPER_CHECK_H
#define FG_SWEEPER_CHECK_H

#include "job/upload.h"
#include "sweeper/sweep.h"

#define CHECK_FRAMES_MAX 8
#define CHECK_STEPS_MAX (2 + MODERATION_SERVICES_MAX * (2 + CHECK_FRAMES_MAX))

typedef void frame_done(struct task *t, struct fg_str jpeg);

/* One question. Without bytes it is about the text. */
struct check_step {
    const struct moderation_site *site; /* NULL: our rules */
    struct fg_str target, text;
    struct moderation_image image;
};

struct checking {
    struct check_step step[CHECK_STEPS_MAX];
    unsigned step_n, at;
    struct check said[CHECK_STEPS_MAX];
    unsigned said_n;
    struct verdict worst;         /* of all that was said */
    unsigned worst_at;            /* which it was */
    uint8_t key[HASH_LEN];        /* of the verdict that is asked for */
    void (*done)(struct task *t);
    void (*passed)(struct task *t);
    struct upload_image upload;   /* the reference image */
    struct upload facts;
    struct spool from, frame;     /* of a picture that is made smaller, or of a frame */
    frame_done *frame_done;
    unsigned frame_n;             /* frames that there are */
    struct job job;               /* as it was moved */
};

/* With no step yet. */
struct checking *checking_new(struct task *t);
void checking_add(struct checking *c, const struct check_step *step);
/* Takes the steps that have not been taken; done is called after the last one, or after one that blocks. */
void checking_run(struct task *t, void (*done)(struct task *t));
/* A picture that services can look at, of a video at a time, or of another picture; done gets its bytes, FG_NONE: there is
 * none. False: nothing was started. */
bool frame_make(struct task *t, const struct spool *from, int64_t at_ms, frame_done *done);
/* When a service that cannot be asked is worth another try. */
int64_t checking_again_us(const struct task *t);
/* Once in a row of such tries, the timeline says why nothing happens. */
void checking_tell_away(struct task *t);

#endif
