/* All that a video service may see of us, and all that we know of it. An adapter translates: neutral request to
 * HTTP request, HTTP answer to neutral outcome. No I/O, no state, no clock of its own, no database. */
#ifndef FG_PROVIDER_PROVIDER_H
#define FG_PROVIDER_PROVIDER_H

#include "io/fetch.h"

#define PROVIDER_ID_MAX 255

/* What a job asks for, in our words. */
struct gen_spec {
    struct fg_str model;          /* the provider's own name for it */
    struct fg_str prompt;
    struct fg_str aspect_ratio;   /* "16:9" */
    struct fg_str resolution;     /* "720p" */
    int64_t width, height;        /* pixels of both together */
    int64_t duration_s;
    bool has_seed;
    int64_t seed;
    struct fg_str image_url;      /* FG_NONE: none */
    struct fg_str client_ref;     /* ours, random, per attempt */
    struct fg_str callback_url;   /* ends in the attempt's token; FG_NONE: none wanted */
};

/* One account at one service, from catalogue and configuration. */
struct provider_site {
    struct fg_str name;           /* "studio" */
    struct fg_str base_url;       /* "http://127.0.0.1:8080/studio/v1", no slash at the end */
    struct fg_str key;
    struct fg_str webhook_secrets;
    bool extras;                  /* takes what the plain dialect does not have: seed, our reference, a
                                     callback per request, Idempotency-Key */
};

enum submit_outcome {
    SUBMIT_ACCEPTED,  /* id is set */
    SUBMIT_REFUSED,   /* a typed final answer: reason says why */
    SUBMIT_NOT_SENT,  /* surely not accepted; later is worth a try */
    SUBMIT_UNKNOWN,   /* it may have been accepted */
};

enum remote_state { REMOTE_QUEUED, REMOTE_RUNNING, REMOTE_DONE, REMOTE_FAILED, REMOTE_GONE };

/* Why, in neutral classes; job/reasons.def gives the words and whether it is charged. */
enum remote_reason {
    REASON_NONE,
    REASON_REFUSED,       /* the request itself is wrong for it */
    REASON_CONTENT,       /* content policy, prompt or output */
    REASON_IMAGE,         /* the reference image: not to be had, or no picture */
    REASON_AUTH,          /* our key */
    REASON_CREDIT,        /* our money there */
    REASON_BUSY,          /* asked to wait */
    REASON_FAILED,        /* its own failure */
    REASON_NONSENSE,      /* an answer that makes no sense */
};

struct submit_reply {
    enum submit_outcome outcome;
    struct fg_str id;             /* in the arena */
    enum remote_reason reason;
    int64_t retry_after_s;        /* 0: none given */
    struct fg_str words;          /* for our log and events, at most 200 bytes; never shown to the user */
};

struct poll_reply {
    bool understood;              /* false: no news (5xx, busy, nonsense): ask again later */
    enum remote_state state;
    int progress;                 /* 0..100, -1: not reported */
    int64_t queue_position;       /* -1: not reported */
    enum remote_reason reason;    /* with REMOTE_FAILED, or when not understood */
    int64_t poll_after_ms;        /* 0: no wish */
    struct fg_str unknown_word;   /* a status word we do not know (treated as running); FG_NONE: none */
    struct fg_str words;
};

struct found_reply {              /* of a reconcile call */
    bool understood;
    struct fg_str id;             /* FG_NONE: the list does not have it */
};

struct callback_note {
    struct fg_str event_id;       /* FG_NONE: none (a digest of the body stands for it) */
    struct fg_str remote_id;      /* FG_NONE: none */
};

/* All members MUST be set but those marked may. All text results live in the arena. Every *_call fills a call
 * made by fetch_call_init (URL, headers, secret, body); timeouts and sizes are the caller's. Codes: FG_OK;
 * FG_TOO_LARGE when it does not fit its bounds. *_reply functions take any reply and always answer. */
struct provider {
    const char *name;             /* the catalogue's "adapter" */
    enum fg_code (*submit_call)(struct fg_ctx *, const struct provider_site *, const struct gen_spec *,
                                struct fetch_call *);
    void (*submit_reply)(struct fg_ctx *, const struct fetch_reply *, struct submit_reply *);
    enum fg_code (*poll_call)(struct fg_ctx *, const struct provider_site *, struct fg_str id,
                              struct fetch_call *);
    void (*poll_reply)(struct fg_ctx *, const struct fetch_reply *, struct poll_reply *);
    /* The finished file. */
    enum fg_code (*output_call)(struct fg_ctx *, const struct provider_site *, struct fg_str id,
                                struct fetch_call *);
    /* May be NULL: no list to look in. Finds a submit whose answer was lost, by client_ref, else by prompt and
     * model and a creation time not before since_us when exactly one fits. */
    enum fg_code (*find_call)(struct fg_ctx *, const struct provider_site *, const struct gen_spec *,
                              struct fetch_call *);
    void (*find_reply)(struct fg_ctx *, const struct fetch_reply *, const struct gen_spec *,
                       int64_t since_us, struct found_reply *);
    /* May be NULL: no callbacks. The body has been verified, if verify_standard; FG_INVALID_JSON or
     * FG_INVALID_REQUEST when it cannot be read. */
    enum fg_code (*callback_read)(struct fg_ctx *, struct fg_str webhook_id, struct fg_str body,
                                  struct callback_note *);
    bool verify_standard;         /* callbacks are signed as Standard Webhooks */
};

/* NULL: no such adapter. */
const struct provider *provider_by_name(struct fg_str name);

extern const struct provider provider_openai;

/* The outcome of a submit that never got an HTTP answer, common to all adapters; false: it was answered. */
bool submit_unanswered(const struct fetch_reply *r, struct submit_reply *out);

#endif
