/* A video service on loopback, in a thread, that speaks the /v1/videos dialect and misbehaves as it is told. It keeps
 * books: what arrived, and how many videos it took to make (each of them is a bill). It also hears the polls and cancels
 * of other dialects, and answers them as it is told. */
#ifndef FG_TESTS_FAKE_PROVIDER_H
#define FG_TESTS_FAKE_PROVIDER_H

#include "base/ctx.h"

/* FAKE_COMFY: everything below /comfy (fakes/comfy.h). */
enum fake_route { FAKE_SUBMIT, FAKE_POLL, FAKE_CONTENT, FAKE_LIST, FAKE_CANCEL, FAKE_COMFY };
#define FAKE_ROUTE_N 6

enum fake_way {
    FAKE_DEFAULT,   /* submit: takes it, once per Idempotency-Key; poll: completed; content: the file; list, cancel: empty */
    FAKE_TAKE_LOSE, /* submit: takes it and hangs up without an answer */
    FAKE_HANG_UP,   /* reads the request and hangs up; has taken nothing */
    FAKE_ANSWER,    /* status, head and body as they are given */
};

struct fake_reply {
    enum fake_way way;
    bool hold;         /* waits for fake_release; what it did stays done */
    int status;        /* 0: 200 */
    const char *head;  /* header lines, each with its CRLF; NULL: none */
    struct fg_str body;
    size_t cut;        /* so many bytes of the body are not sent, though promised */
    bool stall;        /* then nothing more comes, and the connection stays */
};

struct fake_provider;

/* file: what content answers by default; it must outlive the fake. */
struct fake_provider *fake_new(struct fg_str file);
void fake_free(struct fake_provider *f);
unsigned fake_port(const struct fake_provider *f);

/* Adds a reply to a route's script (copied). They are played in order, and the last one stays. */
void fake_say(struct fake_provider *f, enum fake_route route, const struct fake_reply *r);
/* Back to the default. */
void fake_unsay(struct fake_provider *f, enum fake_route route);
/* Sends every held answer. */
void fake_release(struct fake_provider *f);

unsigned fake_count(struct fake_provider *f, enum fake_route route);
unsigned fake_held(struct fake_provider *f);
/* From now on a ComfyUI workflow runs until it is interrupted, or no longer so. */
void fake_stuck(struct fake_provider *f, bool stuck);
/* Videos that it took, workflows that it ran: one per intent is all that may ever be. */
unsigned fake_bills(struct fake_provider *f);
/* The Idempotency-Key of submit i, or "" when it had none. */
const char *fake_key(struct fake_provider *f, unsigned i);
/* The last submit, or the last picture that was handed over: the whole request. */
struct fg_str fake_heard(struct fg_ctx *cx, struct fake_provider *f);

#endif
