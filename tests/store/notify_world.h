/* A job world with a customer's server in it. */
#ifndef FG_TESTS_NOTIFY_WORLD_H
#define FG_TESTS_NOTIFY_WORLD_H

#include "fakes/receiver.h"
#include "notify/endpoint.h"
#include "store/job_world.h"

struct place {
    struct job_world w;
    struct fg_ctx *cx;            /* of w */
    struct receiver *r;
};

void place_begin(struct place *p);
void place_end(struct place *p);

/* The URL of a path of the receiver's. */
struct fg_str at(struct place *p, const char *path);
/* An endpoint of account 1 there. secret may be NULL. */
struct endpoint endpoint_at(struct place *p, const char *path, int events, struct fg_str *secret);
struct endpoint endpoint_now(struct place *p, const struct endpoint *e);
struct delivery_detail delivery_now(struct place *p, struct fg_str id);

/* As of the moment when it came. */
enum fg_code verify(struct place *p, const struct heard *h, struct fg_str secret);
/* "job.queued job.processing …": what came to a path, in the order of arrival. */
struct fg_str told(struct place *p, const char *path);
int64_t pending(struct place *p);

/* Passes and waits until so many answers are held. */
void until_held(struct place *p, struct sweeper *s, unsigned n);
/* The same until so many webhooks have come to a path. */
void until_told(struct place *p, const char *path, unsigned n);
/* One try of what is due next, wherever in time that is. */
void next_try(struct place *p);
/* An event of its own making, so that no job need run. */
void test_event(struct place *p, const struct endpoint *e, struct delivery_detail *d);

#endif
