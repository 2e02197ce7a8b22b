/* The job: six states, finer stages, one table of transitions.
 *
 *   [moderating] ── cleared ─► [waiting]      where there is something to look at; else a job begins in waiting
 *        └─ held ─► [in_review] ── cleared ─► [waiting]
 *
 *                 claim            accepted            started           output
 *   [waiting] ──────────► [submitting] ─────► [at_provider] ─────► [rendering] ─────► [storing]
 *       ▲  ▲  not_sent        │   │                ▲     └───────────── output ──────────►  │
 *       │  └──────────────────┘   │ unknown        │ accepted                              │ stored
 *       │                         ▼                │                                       ▼
 *       └── not_accepted ── [submit_unknown] ──────┘                                  (succeeded)
 *
 *   any stage: failed ► (failed)   deadline ► (expired)   canceled up to waiting ► (failed, code canceled)
 *   before acceptance: rerouted ► [waiting], for another model of the job's route
 *   pending: moderating, in_review, waiting, submitting, submit_unknown   queued: at_provider   processing: rendering, storing
 */
#ifndef FG_JOB_JOB_H
#define FG_JOB_JOB_H

#include "account/account.h"
#include "base/sb.h"
#include "io/db.h"
#include "money/brake.h"
#include "money/use.h"
#include "provider/catalogue.h"

#define JOB_PROMPT_MAX 1000         /* code points after trimming */
#define JOB_URL_MAX 2048
#define JOB_SEED_MAX INT64_C(4294967295)
#define JOB_USER_MAX ACCOUNT_USER_MAX
#define JOB_METADATA_KEYS 16
#define JOB_METADATA_KEY_MAX 64     /* code points */
#define JOB_METADATA_VALUE_MAX 512
#define JOB_METADATA_JSON_MAX 16000
#define JOB_DEADLINE_MIN_S 10
#define JOB_DEADLINE_MAX_S 604800
#define JOB_RETAIN_MAX_DAYS 36500
#define JOB_BODY_MAX (64 * FG_KIB)
#define JOB_LIST_MAX 100
/* A list of changes is told again for this long: a transaction that began before it may commit after it
 * (db.tx_budget_ms is shorter). */
#define JOB_CHANGE_OVERLAP_US (15 * FG_US_PER_S)

/* Stored in the database: never renumber. */
#define JOB_STATES(X)                                                                          \
    X(PENDING, 1, "pending") X(QUEUED, 2, "queued") X(PROCESSING, 3, "processing")               \
    X(SUCCEEDED, 4, "succeeded") X(FAILED, 5, "failed") X(EXPIRED, 6, "expired")
enum job_state {
#define X(sym, n, text) JOB_##sym = n,
    JOB_STATES(X)
#undef X
};

#define JOB_STAGES(X)                                                                          \
    X(DONE, 0, "") X(WAITING, 1, "waiting") X(SUBMITTING, 2, "submitting")                       \
    X(SUBMIT_UNKNOWN, 3, "submit_unknown") X(AT_PROVIDER, 4, "at_provider")                      \
    X(RENDERING, 5, "rendering") X(STORING, 6, "storing")                                        \
    X(MODERATING, 7, "moderating") X(IN_REVIEW, 8, "in_review")
enum job_stage {
#define X(sym, n, text) STAGE_##sym = n,
    JOB_STAGES(X)
#undef X
};

/* The text is the "type" of an event in a timeline. */
#define JOB_EVENTS(X)                                                                          \
    X(CREATED, "created") X(CLAIM, "submitting") X(NOT_SENT, "not_sent") X(UNKNOWN, "submit_unknown")  \
    X(NOT_ACCEPTED, "not_accepted") X(ACCEPTED, "accepted") X(STARTED, "started")                \
    X(PROGRESS, "progress") X(OUTPUT, "output_ready") X(STORED, "succeeded") X(FAILED, "failed") \
    X(DEADLINE, "expired") X(CANCELED, "canceled") X(REROUTED, "rerouted")                        \
    X(CLEARED, "cleared") X(HELD, "held_for_review")                                              \
    /* notes: recorded in the timeline, no transition */                                         \
    X(CANCEL_ASKED, "cancel_requested") X(CALLBACK, "callback") X(LATE, "late_result")           \
    X(NEWS, "provider_note") X(DELETED, "deleted")                                           \
    X(STORE_WAIT, "waiting_for_storage") X(MODERATION, "moderation") X(IMAGE, "image_stored") \
    X(REDACTED, "redacted") X(HOLD, "legal_hold") X(OPERATOR, "operator")
enum job_event {
#define X(sym, text) EV_##sym,
    JOB_EVENTS(X)
#undef X
};
#define JOB_EVENT_N (EV_OPERATOR + 1)

/* Why a job failed or expired: the closed list of errorCode. */
enum job_reason {
    JOB_R_NONE = 0,
#define R(sym, slug, retryable, fault, charged, words) JOB_R_##sym,
#include "job/reasons.def"
#undef R
};
#define JOB_REASON_N (JOB_R_CANCELED + 1)
/* Whose fault an end is, as it is told. NOBODY: it was wished for. */
enum job_fault { FAULT_NOBODY, FAULT_REQUEST, FAULT_PROVIDER, FAULT_SERVICE };
struct job_reason_info {
    const char *slug, *words;
    bool retryable;
    enum job_fault fault;
    bool charged;                 /* where the provider takes money for it */
};
const struct job_reason_info *job_reason_info(enum job_reason r);
/* NULL: not one of ours. */
const struct job_reason_info *job_reason_by_slug(struct fg_str slug);

const char *job_state_name(enum job_state s);
bool job_state_by_name(struct fg_str name, enum job_state *out);
const char *job_stage_name(enum job_stage s);
const char *job_event_name(enum job_event e);
bool job_terminal(enum job_state s);

/* Where an event leads from a stage: pure. False: not allowed there. For terminal events the state tells which. */
struct job_place {
    enum job_state state;
    enum job_stage stage;
};
bool job_next(enum job_stage from, enum job_event ev, struct job_place *to);

/* Of the job's file. Stored, never renumber. */
enum output_state { OUTPUT_NONE = 0, OUTPUT_STORED = 1, OUTPUT_DELETED = 2 };

/* A row. 0 and FG_NONE stand for NULL. */
struct job {
    int64_t id;
    struct fg_str public_id;
    int64_t account_id;
    struct fg_str user_id;
    int state, stage;             /* enum job_state, enum job_stage */
    int version;
    struct fg_str provider, model, prompt, aspect_ratio;
    int duration_s;
    struct fg_str resolution, image_url;
    bool has_seed;
    int64_t seed;
    struct fg_str metadata;       /* JSON object text */
    int64_t price_micro;
    struct fg_str currency;
    int attempt_n;
    int progress;                 /* -1: none */
    int64_t queue_position;       /* -1: none */
    int64_t cancel_us;
    struct fg_str error_code, request_id;
    int64_t created_us, updated_us, started_us, finished_us, deadline_us, deleted_us;
    struct fg_str provider_job_id;
    int output_state;             /* enum output_state */
    struct fg_str route;          /* by whose name it was asked for; FG_NONE: by its model's */
    int audio;                    /* enum audio */
    struct fg_str negative;
    struct fg_str ignored;        /* request fields that the model leaves out, separated by commas */
    bool charged;                 /* its hold was settled */
    struct fg_str callback_url;   /* where it wants to be told of, besides the account's endpoints */
    int attempts_max;             /* submits that its account's plan allowed when it was created; 0: no limit */
    struct fg_str upload;         /* public id of its reference image, ours; FG_NONE: none, or not fetched yet */
    int keep_days;                /* as asked for; 0: as the plan says */
    int64_t expires_us;           /* its file is deleted then; 0: never, or not known yet */
    int64_t redacted_us;          /* its words are gone since */
    struct fg_str error_input;    /* of a blocked job: "prompt", "negativePrompt", "image", "output"; FG_NONE: not known */
    struct fg_str error_category; /* the same: "violence" */
};

/* Whether a reference image belongs to it, fetched already or not. */
static inline bool job_has_image(const struct job *j)
{
    return j->upload.n || j->image_url.n;
}

/* How a model has done lately. */
struct model_weather {
    struct fg_str model;
    int64_t n, good_n;
    int64_t start_p50_ms, start_p90_ms, finish_p50_ms, finish_p90_ms; /* from acceptance; 0: too little history */
    int64_t computed_us;
};
struct weather {
    const struct model_weather *row;
    size_t n;
};
/* All rows there are, in the arena. */
enum fg_code weather_read(struct fg_ctx *cx, struct db *db, struct weather *out) FG_MUST_CHECK;
/* NULL: nothing is known. w may be NULL. */
const struct model_weather *weather_of(const struct weather *w, struct fg_str model);

/* What the use cases need, built once per process. */
struct job_env {
    struct db *db;
    const struct conf *conf;
    const struct catalogue *catalogue;
    const uint8_t *pepper;        /* HASH_LEN bytes */
    int wake_fd;                  /* -1: nobody to wake */
    const struct weather *weather; /* for wait estimates; NULL: none */
    const struct clock *clock;     /* what its process goes by; NULL: one that has not jumped */
    const struct brakes *brakes;   /* who is at the operator's brake, for waitingFor; NULL: nobody */
};

/* ---- use cases of the API (fcgi/ calls these; each is one unit of work) ---- */

struct job_answer {
    int status;                   /* 202, or what the first answer was */
    struct fg_str body;           /* the job as JSON */
    struct fg_str job_id;
    bool replayed;                /* the Idempotency-Key had been used for this very request */
    struct use_left limit[USE_LEFT_MAX]; /* of the account, with this job; none of a replay */
    unsigned limit_n;
};
/* Checks body against limits and catalogue (all bad fields at once: FG_INVALID_REQUEST), then creates job, event,
 * hold and due work in one transaction and wakes the sweeper. idempotency_key FG_NONE: none. Codes besides:
 * FG_INVALID_JSON, FG_PLAN_LIMIT, FG_DUPLICATE_REQUEST (cx->err.job; with a key only where the body says
 * allowDuplicate: false), what use_check gives, what a quote is refused for (job/request.h, quote_take), FG_PAUSED_BY_BUDGET,
 * FG_IDEMPOTENCY_REUSED, FG_IDEMPOTENCY_BUSY, FG_BAD_HEADER (key over 255 or not printable ASCII),
 * FG_DB_*. A COMMIT of unknown outcome has been resolved by reading before this returns. */
enum fg_code job_create(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                        struct fg_str body, struct fg_str idempotency_key, struct job_answer *out) FG_MUST_CHECK;

/* A finished job once more, in its own user's name: a new one with the same wish, by today's catalogue, plan and limits;
 * its first event names the old one. FG_NOT_FOUND, FG_JOB_NOT_FINISHED, FG_PROMPT_DELETED, and what job_create gives. */
enum fg_code job_retry(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str id,
                       struct fg_str idempotency_key, struct job_answer *out) FG_MUST_CHECK;

/* FG_NOT_FOUND also for another account's job (and, for a user key, another user's). */
enum fg_code job_read(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                      struct fg_str id, struct job *out) FG_MUST_CHECK;

/* Sets only what tells one version from another (account_id, user_id, state, version, deleted_us),
 * for a 304 that costs less. Codes as job_read's. */
enum fg_code job_glance(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                        struct fg_str id, struct job *out) FG_MUST_CHECK;

/* A job and when a sweeper looks at it next. */
struct job_seen {
    struct job job;
    int64_t next_us;              /* may be past: at once, or at this moment; 0: not known, or it has ended */
};
enum fg_code job_see(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                     struct fg_str id, struct job_seen *out) FG_MUST_CHECK;

#define JOB_WORDS_MAX 8           /* of a search */
#define JOB_WORDS_CHARS 200
#define JOB_SEARCH_ROWS 10000     /* looked at per request */
struct job_list_query {
    int limit;                    /* 1..JOB_LIST_MAX; 0: 20 */
    struct fg_str cursor;         /* FG_NONE: from the newest */
    unsigned states;              /* 1 << enum job_state, each; 0: any */
    struct fg_str word[JOB_WORDS_MAX]; /* the prompt has all of them, in any case */
    size_t word_n;
    bool has_changed_since;
    int64_t changed_since_us;     /* oldest change first then; deleted jobs are told too */
    struct fg_str user_id;        /* FG_NONE: any (a user key has its own) */
};
struct job_list {
    struct job_seen *row;
    size_t n;
    struct fg_str next_cursor;    /* FG_NONE: that was all */
    int64_t searched_us;          /* with words: jobs since then have been looked at; 0: all */
    int64_t changed_since_us;     /* what to ask with next time; 0 unless asked with changedSince or at the list's head */
};
enum fg_code job_list(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                      const struct job_list_query *q, struct job_list *out) FG_MUST_CHECK;

struct job_event_row {
    int64_t seq;                  /* of an event; nothing where state is 0: a callback that changed nothing */
    int64_t at_us;
    struct fg_str kind, request_id, data; /* data: JSON object text or FG_NONE */
    int state, stage;
};
enum fg_code job_events(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                        struct fg_str id, struct job_event_row **rows, size_t *n) FG_MUST_CHECK;

/* Not yet submitted: final at once. Later: recorded, and the sweeper asks the provider where that can be asked; what
 * comes all the same is delivered, and the job says that its end was asked for. FG_JOB_FINISHED when it has ended
 * otherwise. *out is the job afterwards. Asking twice is fine. */
enum fg_code job_cancel(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                        struct fg_str id, struct job *out) FG_MUST_CHECK;


/* One of a provider's own list: known to a row of ours, or else adopted by the attempt whose reference, token or seed with
 * prompt it carries (into the job while that still waits for it, else told in its timeline), or of nobody. *job is set
 * for ADOPTED and LATE. */
enum adoption { ADOPT_KNOWN, ADOPT_ADOPTED, ADOPT_LATE, ADOPT_STRANGE };
enum fg_code job_adopt(struct fg_ctx *cx, struct job_env *env, struct fg_str provider, const struct remote_row *row,
                       enum adoption *outcome, struct job *job) FG_MUST_CHECK;

/* Terminal only (else FG_JOB_NOT_FINISHED): prompt and metadata redacted and the output marked deleted now, files
 * removed by the sweeper. Deleting twice is fine. FG_LEGAL_HOLD: it has to be kept; the timeline says so, once. */
enum fg_code job_erase(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                       struct fg_str id) FG_MUST_CHECK;

/* An account (user FG_NONE), or one userId of it, that is to be erased: files, uploads, prompts and ids of users go, the
 * books stay. The sweeper does it, jobs that run are canceled first. Asking twice while it is done gives the first. */
struct erasure {
    struct fg_str public_id;      /* era_… */
    int64_t created_us, finished_us, jobs_n;
    struct fg_str user_id;
};
/* FG_LEGAL_HOLD: something of it has to be kept. FG_INVALID_REQUEST: that is no userId. */
enum fg_code erasure_ask(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str user, struct erasure *out) FG_MUST_CHECK;

/* A callback at /hooks/{provider}/{token} (token FG_NONE: the provider's own account-wide URL). Records a receipt
 * with its verdict and moves the job (signed) or makes its poll due (unsigned), in one transaction. FG_OK when it was
 * genuine, even when it changed nothing or says nothing that we understand; FG_BAD_SIGNATURE, FG_BAD_HEADER,
 * FG_NOT_FOUND (unknown provider, token or video), FG_DB_*. What is not genuine is kept too, so many a minute. */
struct callback_in {
    struct fg_str provider, token, body;
    struct callback_headers headers;
};
struct callback_out {
    struct fg_str answer;         /* JSON that the provider wants to hear; FG_NONE: any success will do */
};
enum fg_code job_callback(struct fg_ctx *cx, struct job_env *env, const struct callback_in *in,
                          struct callback_out *out) FG_MUST_CHECK;

/* Processes a kept callback again, as it was verified then: harmless, since a job only moves forward. FG_NOT_FOUND,
 * FG_INVALID_REQUEST (forged, unknown and erased ones), and what job_callback gives. */
enum fg_code job_callback_replay(struct fg_ctx *cx, struct job_env *env, int64_t id) FG_MUST_CHECK;
/* "valid", "duplicate", "late", "superseded", "forged", "unknown", "replayed" */
const char *callback_verdict_name(int verdict);

/* The whole job as JSON, as every route shows it (links are signed for now + media.link_ttl_s). */
void job_json(struct fg_ctx *cx, const struct job_env *env, const struct job *j, struct sb *b);
/* The same with nextCheckAt. */
void job_seen_json(struct fg_ctx *cx, const struct job_env *env, const struct job_seen *s, struct sb *b);
/* "ignored": what was asked for and is not in the video, from a list with commas. */
struct jw;
void job_ignored_json(struct jw *w, struct fg_str fields);
void job_event_json(const struct job_event_row *e, struct sb *b);
/* When a client should look again, in milliseconds; 0 when the job has ended. */
int64_t job_poll_after_ms(const struct fg_ctx *cx, const struct job *j);

#endif
