/* Callbacks as a provider would send them, for the tests over a job world. */
#ifndef FG_TESTS_CALLBACK_KIT_H
#define FG_TESTS_CALLBACK_KIT_H

#include "store/job_world.h"

#define SECRET FG_LIT("whsec_MDEyMzQ1Njc4OWFiY2RlZg==") /* the world's */

enum { VALID = 1, DUPLICATE, LATE, SUPERSEDED, FORGED, UNKNOWN, REPLAYED };

/* The test bends one part of it. */
struct call {
    struct job_world *w;
    struct callback_in in;
    struct fg_str secret;
    int64_t at_s;
};

static inline struct call callback(struct job_world *w, struct fg_str token, const char *event, const char *video)
{
    return (struct call){
        .w = w,
        .secret = SECRET,
        .at_s = w->t.utc_us / FG_US_PER_S,
        .in = { .provider = FG_LIT("replay"), .token = token, .headers.webhook_id = fg_str_c(event),
                .body = arena_fmt(w->cx->mem, "{\"type\":\"video.completed\",\"data\":{\"id\":\"%s\"}}", video) },
    };
}

static inline enum fg_code send(struct call *c)
{
    struct fg_ctx *cx = c->w->cx;
    CHECK_CODE(cx, webhook_sign(cx, c->secret, c->in.headers.webhook_id, c->at_s, c->in.body, &c->in.headers.webhook_signature),
               FG_OK);
    c->in.headers.webhook_timestamp = arena_fmt(cx->mem, "%lld", (long long)c->at_s);
    struct callback_out out;
    return job_callback(cx, &c->w->env, &c->in, &out);
}

static inline struct fg_str token_of(struct job_world *w, struct fg_str id, int n)
{
    return ask_text(w, "SELECT a.callback_token FROM attempt a JOIN job j ON j.id = a.job_id "
                       "WHERE j.public_id = '%.*s' AND a.n = %d", FG_P(id), n);
}

static inline int64_t receipts(struct job_world *w, int verdict)
{
    return ask(w, "SELECT COUNT(*) FROM callback_receipt WHERE verdict = %d", verdict);
}

/* A job that its provider has (the first one is video_0 there), and whose next poll is far off. */
static inline struct fg_str job_at_provider(struct job_world *w)
{
    struct fg_str id = new_job(w, "replay-1", 86400);
    settle(w);
    check_place(w, id, JOB_QUEUED, STAGE_AT_PROVIDER, "", "accepted");
    CHECK(ask(w, "SELECT due_us FROM due WHERE kind = %d", DUE_POLL) > w->t.utc_us, "the poll can wait");
    return id;
}

#endif
