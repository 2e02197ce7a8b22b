/* All that a video service may see of us, and all that we know of it. An adapter translates: neutral request to
 * HTTP request, HTTP answer to neutral outcome. No I/O, no state, no clock of its own, no database. */
#ifndef FG_PROVIDER_PROVIDER_H
#define FG_PROVIDER_PROVIDER_H

#include "io/fetch.h"
#include "io/json.h"
#include "provider/verify.h"

#define PROVIDER_ID_MAX 255
#define PROVIDER_LINKS_MAX 1500 /* bytes of remote_ref.links */
#define PROVIDER_STEPS_MAX 4    /* questions that one look at a job may take */
#define PROVIDER_ROWS_MAX 500   /* of one page of its list */
#define PROVIDER_HOSTS_MAX 8

/* ---- what we ask for, in our words ---- */

enum gen_param {
    PARAM_PROMPT, PARAM_IMAGE, PARAM_RATIO, PARAM_RESOLUTION, PARAM_DURATION, PARAM_SEED, PARAM_AUDIO,
    PARAM_NEGATIVE, PARAM_WIDTH, PARAM_HEIGHT, PARAM_REF,
};
#define PARAM_N (PARAM_REF + 1)
#define PARAM_BIT(p) (1u << (p))
#define PARAMS_ALL (PARAM_BIT(PARAM_N) - 1)

enum spell_as { SPELL_TEXT, SPELL_NUMBER, SPELL_BOOL };

/* How one model writes one parameter, as the catalogue says. */
struct spelling {
    struct fg_str name;           /* n == 0: it has no such parameter. The template's path in ComfyUI: "6.inputs.text" */
    enum spell_as as;
    struct fg_str suffix;         /* of SPELL_TEXT: "s" makes "8s" */
    int64_t fps, more_frames;     /* a duration in frames: seconds * fps + more_frames; fps 0: in seconds */
    const struct js *values;      /* object, ours to theirs ({"720p":"768P"}); NULL: as ours */
};

/* What the catalogue says of a model, as far as translation needs it. */
struct gen_wire {
    struct spelling param[PARAM_N];
    const struct js *fixed;       /* object: members of the request that are always the same; NULL: none */
    const struct js *workflow;    /* ComfyUI's, in API format; NULL elsewhere */
    struct fg_str output_node;    /* ComfyUI's node that saves the video; n == 0: any */
};

enum audio { AUDIO_ANY, AUDIO_ON, AUDIO_OFF };

struct gen_spec {
    struct fg_str model;          /* the provider's own name for it */
    const struct gen_wire *wire;  /* never NULL in a submit */
    struct fg_str prompt;
    struct fg_str negative;       /* FG_NONE: none */
    struct fg_str aspect_ratio;   /* "16:9"; FG_NONE: the picture decides */
    struct fg_str resolution;     /* "720p" */
    int64_t width, height;        /* pixels of both together; 0: not known */
    int64_t duration_s;
    bool has_seed;
    int64_t seed;
    enum audio audio;             /* AUDIO_ANY where the model leaves no choice */
    struct fg_str image_url;      /* FG_NONE: no image */
    struct fg_str image_bytes;    /* of adapters with IMAGE_BY_BYTES */
    struct fg_str image_type;     /* "image/png" of these bytes */
    struct fg_str image_name;     /* what upload_reply gave, of adapters with IMAGE_BY_UPLOAD */
    struct fg_str client_ref;     /* ours, per attempt: a UUID in canonical form */
    struct fg_str callback_url;   /* ends in the attempt's token; FG_NONE: none wanted */
};

/* One account at one service, from catalogue and configuration. URLs have no slash at the end. */
struct provider_site {
    struct fg_str name;           /* "fal" */
    struct fg_str base_url;       /* "https://queue.fal.run" */
    struct fg_str history_url;    /* of its list, where that is elsewhere (fal); FG_NONE: the base */
    struct fg_str jwks_url;       /* where its public keys are; FG_NONE: none */
    struct fg_str key;
    struct fg_str key_secret;     /* second half of a key pair (Kling); FG_NONE: key is a whole one */
    struct fg_str webhook_secrets;
    struct fg_str host[PROVIDER_HOSTS_MAX];         /* besides base_url's: may be followed, and see the key */
    unsigned host_n;
    struct fg_str output_host[PROVIDER_HOSTS_MAX];  /* its files may be here; "*.x.net", "*": any public one */
    unsigned output_host_n;
    bool extras;                  /* takes what the plain /v1/videos dialect does not have: seed, our reference, a
                                     callback per request, Idempotency-Key */
};

/* ---- what it says ---- */

/* A job at a provider. */
struct remote_ref {
    struct fg_str id;             /* opaque, at most PROVIDER_ID_MAX bytes */
    struct fg_str links;          /* what else submit_reply wanted kept; FG_NONE when it was lost */
    struct fg_str model;          /* gen_spec.model of its submit */
};

enum submit_outcome {
    SUBMIT_ACCEPTED,  /* id is set */
    SUBMIT_REFUSED,   /* a typed final answer: reason says why */
    SUBMIT_NOT_SENT,  /* surely not accepted; later is worth a try */
    SUBMIT_UNKNOWN,   /* it may have been accepted */
};

enum remote_state { REMOTE_QUEUED, REMOTE_RUNNING, REMOTE_DONE, REMOTE_FAILED, REMOTE_GONE };

/* Why, in neutral classes; the sweeper turns them into the job's reasons and the provider's parking. */
enum remote_reason {
    REASON_NONE,
    REASON_REFUSED,       /* the request itself is wrong for it: final, another provider may take it */
    REASON_CONTENT,       /* content policy, of the request: final everywhere */
    REASON_CONTENT_OUT,   /* content policy, of the result */
    REASON_IMAGE,         /* the reference image: not to be had, or no picture */
    REASON_AUTH,          /* our key: nothing will work there until it is mended */
    REASON_CREDIT,        /* our money there: the same */
    REASON_PARK,          /* the day's, or the window's, quota: not before park_s */
    REASON_BUSY,          /* asked to wait */
    REASON_FAILED,        /* its own failure */
    REASON_CANCELED,      /* because we asked */
    REASON_EXPIRED,       /* its own time limit for the job, or it no longer keeps the file */
    REASON_NONSENSE,      /* an answer that makes no sense */
    REASON_FOREIGN,       /* its file is where we may not look; never an adapter's to say */
    REASON_CONTENT_IMAGE, /* as REASON_CONTENT, where it says that it was the reference image */
};

struct submit_reply {
    enum submit_outcome outcome;
    struct fg_str id, links;      /* in the arena */
    enum remote_reason reason;
    int64_t retry_after_s;        /* 0: none given */
    int64_t park_s;               /* with REASON_PARK: 0 when it did not say how long */
    int64_t cost_micro;           /* what it says the job will cost us; 0: it does not say */
    struct fg_str words;          /* for our log and events, at most 200 bytes; never shown to the user */
};

enum key_use { KEY_NEVER, KEY_ALWAYS, KEY_IF_REFUSED };

struct poll_reply {
    bool understood;              /* false: no news (5xx, busy, nonsense): ask again later */
    enum remote_state state;
    int progress;                 /* 0..100, -1: not reported */
    int64_t queue_position;       /* jobs before it; -1: not reported */
    enum remote_reason reason;    /* with REMOTE_FAILED, or when not understood */
    bool charged;                 /* with REMOTE_FAILED: it takes its price all the same */
    int64_t cost_micro;           /* 0: it does not say */
    int64_t poll_after_ms;        /* 0: no wish */
    struct fg_str unknown_word;   /* a status word we do not know (treated as running); FG_NONE: none */
    struct fg_str output_url;     /* with REMOTE_DONE: the file; good for minutes, ask anew before each download */
    enum key_use output_key;      /* whether the download shows our key */
    bool again;                   /* this was not the whole answer: poll_call with the next step, and note */
    struct fg_str note;           /* for that step, in the arena */
    struct fg_str words;
};

enum cancel_outcome {
    CANCEL_DONE,                  /* it will not run */
    CANCEL_DELETED,               /* it had just finished, and its result is deleted */
    CANCEL_EITHER,                /* one of both, and it does not say which */
    CANCEL_ASKED,                 /* it may still finish: keep polling */
    CANCEL_TOO_LATE,
    CANCEL_UNKNOWN,               /* no useful answer: ask again */
};

/* One of the jobs in its list. What it does not tell is FG_NONE, 0 or false. */
struct remote_row {
    struct fg_str id, links;
    int64_t created_us;
    struct fg_str callback_url, client_ref; /* exact, where it repeats them */
    struct fg_str model, prompt;
    bool has_seed;
    int64_t seed;
    int64_t duration_s;
};
struct list_ask {
    struct fg_str model;          /* gen_spec.model; some lists are per model */
    struct fg_str client_ref;     /* FG_NONE: all of the window; else a list that can look it up may answer just that */
    int64_t since_us, until_us;
    int page;                     /* 0, 1, … */
    struct fg_str cursor;         /* what the page before gave */
};
struct list_reply {
    bool understood;
    struct remote_row *row;       /* in the arena */
    size_t n;
    bool more;                    /* there is another page, by cursor */
    struct fg_str cursor;
    bool whole;                   /* with all pages: what was accepted in the window is surely among them */
};

struct callback_note {
    struct fg_str event_id;       /* FG_NONE: none (a digest of the body stands for it) */
    struct fg_str remote_id;      /* FG_NONE: none */
    struct fg_str token;          /* ours, when it came in the body; FG_NONE: the path has it or nothing does */
    struct fg_str answer;         /* JSON that must be answered at once, whatever it is about; FG_NONE: nothing special */
    bool success;                 /* it tells of a finished video, which news need not know enough of to be believed */
    struct poll_reply news;       /* what it says of the job; not understood: nothing. Believed only when signed */
};

enum image_by { IMAGE_BY_URL, IMAGE_BY_BYTES, IMAGE_BY_UPLOAD };

/* When cancel_call is worth a call: bits. */
#define CANCEL_WHEN_QUEUED 1
#define CANCEL_WHEN_RUNNING 2

/* All members MUST be set but those marked may. All text results live in the arena (or in the reply, while that
 * lives). Every *_call fills a call made by fetch_call_init (URL, headers, secret, body); timeouts and sizes are the
 * caller's. Codes: FG_OK; FG_TOO_LARGE when it does not fit its bounds; FG_INVALID_REQUEST when the provider cannot
 * take such a request (with words). *_reply functions take any reply and always answer. */
struct provider {
    const char *name;             /* the catalogue's "adapter" */
    enum verify_way verify;       /* how its callbacks are signed */
    enum image_by image_by;
    unsigned cancel_when;         /* 0: it cannot be asked to stop */
    bool cancel_deletes;          /* a cancel that comes too late deletes the result */
    bool no_key;                  /* works without one */
    bool list_per_model;          /* its list is of one model each: list_ask.model must be set */
    /* What the catalogue must give it, else it refuses the file. */
    unsigned by_name;             /* PARAM_BITs: sent only under the catalogue's name (adapter_write and its like) */
    bool workflow;                /* those names are places in a workflow, which each model has */
    bool pixels;                  /* sizes in pixels */
    bool replays;                 /* takes a submit twice for one, by our reference; others do with site.extras */

    /* Puts the key into call->secret; may be NULL: no_key. */
    void (*authorize)(struct fg_ctx *, const struct provider_site *, struct fetch_call *);

    enum fg_code (*submit_call)(struct fg_ctx *, const struct provider_site *, const struct gen_spec *,
                                struct fetch_call *);
    void (*submit_reply)(struct fg_ctx *, const struct provider_site *, const struct fetch_reply *,
                         struct submit_reply *);

    /* One look at a job: step 0 first; while the reply says again, the next step with its note. The last reply is the
     * answer; a provider whose "done" is not success asks on until it knows. */
    enum fg_code (*poll_call)(struct fg_ctx *, const struct provider_site *, const struct remote_ref *, int step,
                              struct fg_str note, struct fetch_call *);
    void (*poll_reply)(struct fg_ctx *, const struct provider_site *, const struct remote_ref *, int step,
                       struct fg_str note, const struct fetch_reply *, struct poll_reply *);

    /* May be NULL where cancel_when is 0. seen: REMOTE_QUEUED or REMOTE_RUNNING, as just polled. */
    enum fg_code (*cancel_call)(struct fg_ctx *, const struct provider_site *, const struct remote_ref *,
                                enum remote_state seen, struct fetch_call *);
    enum cancel_outcome (*cancel_reply)(struct fg_ctx *, const struct fetch_reply *);

    /* May be NULL: no list to look in. */
    enum fg_code (*list_call)(struct fg_ctx *, const struct provider_site *, const struct list_ask *,
                              struct fetch_call *);
    void (*list_reply)(struct fg_ctx *, const struct provider_site *, const struct list_ask *,
                       const struct fetch_reply *, struct list_reply *);

    /* Of IMAGE_BY_UPLOAD alone. *name FG_NONE: not taken. */
    enum fg_code (*upload_call)(struct fg_ctx *, const struct provider_site *, const struct gen_spec *,
                                struct fetch_call *);
    void (*upload_reply)(struct fg_ctx *, const struct fetch_reply *, struct fg_str *name);

    /* May be NULL: no callbacks. The body has been verified as ->verify says. FG_INVALID_JSON or FG_INVALID_REQUEST
     * when it cannot be read; FG_BAD_SIGNATURE when what was signed is not what the body says. */
    enum fg_code (*callback_read)(struct fg_ctx *, const struct callback_headers *, struct fg_str body,
                                  struct callback_note *);
};

/* NULL: no such adapter. */
const struct provider *provider_by_name(struct fg_str name);

extern const struct provider provider_openai, provider_fal, provider_replicate, provider_runway, provider_luma,
    provider_luma_agents, provider_veo, provider_kling, provider_kling_legacy, provider_minimax, provider_minimax_v2,
    provider_comfyui;

/* The outcome of a submit that never got an HTTP answer, common to all adapters; false: it was answered. */
bool submit_unanswered(const struct fetch_reply *r, struct submit_reply *out);

/* True when the key may go along to this URL: https (or http on a host with a port, which fetch lets through for
 * local origins alone) on base_url's, history_url's or a named host. */
bool site_knows(const struct provider_site *site, struct fg_str url);
/* True when a finished file may be fetched there: those hosts and output_host. */
bool site_has_files(const struct provider_site *site, struct fg_str url);

#endif
