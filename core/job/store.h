/* Rows of a job in and out. job_move is the only function that changes a job's state. */
#ifndef FG_JOB_STORE_H
#define FG_JOB_STORE_H

#include "job/job.h"
#include "money/ledger.h"

/* Kinds of due work; stored, never renumber. */
enum due_kind {
    DUE_NOTHING = 0,  /* no row: a sweeper's own errand */
    DUE_DISPATCH = 1, /* waiting for a slot, in the lane of its model */
    DUE_RESOLVE = 2,  /* a submit of unknown outcome */
    DUE_POLL = 3,
    DUE_INGEST = 4,
    DUE_DEADLINE = 5,
    DUE_ERASE = 6,    /* files of an erased job */
    DUE_SENDING = 7,  /* a submit on its way: comes due when its sender must have died */
    DUE_MODERATE = 8, /* before it may wait for a slot */
};
#define DUE_KIND_N 9

/* States of an attempt; stored, never renumber. */
enum attempt_state {
    ATTEMPT_SENDING = 1,
    ATTEMPT_ACCEPTED = 2,
    ATTEMPT_REFUSED = 3,
    ATTEMPT_NOT_SENT = 4,
    ATTEMPT_UNKNOWN = 5,
    ATTEMPT_PREPARING = 6, /* its image is on the way; the provider has not been asked for anything */
};

/* How an accepted one ended, for the weather; stored, never renumber. */
enum attempt_outcome {
    ATTEMPT_RUNNING = 0,
    ATTEMPT_GOOD = 1,     /* the provider made it */
    ATTEMPT_BAD = 2,      /* it did not, for reasons of its own */
    ATTEMPT_NEITHER = 3,  /* it was stopped, or was not allowed to */
};

#define ATTEMPT_TOKEN FG_LIT("cb_") /* prefix of the token in a callback's path */

struct attempt {
    int64_t id, job_id;
    int n;
    struct fg_str provider, model, adapter, remote_model; /* as they were at the submit */
    struct fg_str client_ref, callback_token;
    int state;
    struct fg_str provider_job_id, links;
    int64_t seed;                 /* what was sent as a seed: the user's, or ours to know it again by */
    struct fg_str odd_word;       /* the last status word that we did not know */
    int64_t cancel_us;            /* the provider was asked to stop */
    int64_t created_us, jumped_us, started_us; /* jumped_us: the clock has, by so much, since it was created */
};

extern const struct db_cols job_row;     /* of struct job: every SQL_JOB_* that selects one */
extern const struct db_cols job_seen_row; /* of struct job_seen: those of JOB_SEEN */
extern const struct db_cols attempt_row; /* of struct attempt */

/* The stored file. */
struct output {
    struct fg_str video_file, poster_file; /* names in the store */
    int store;                             /* enum store_kind (media/store.h) */
    int64_t bytes, deleted_us;
};
/* FG_NOT_FOUND when the job has none. */
enum fg_code output_of_job(struct fg_ctx *cx, struct db *db, int64_t job_id, struct output *out) FG_MUST_CHECK;

/* FG_NOT_FOUND when there is none. */
enum fg_code job_by_id(struct fg_ctx *cx, struct db *db, int64_t id, struct job *out) FG_MUST_CHECK;

/* What happened, besides the fields that the caller has set in *j (progress, queue_position, attempt_n,
 * cancel_us, deleted_us, redacted_us, expires_us, upload; provider, model and ignored with EV_REROUTED;
 * error_input and error_category with EV_FAILED). */
struct job_change {
    enum job_event event;
    enum job_reason reason;   /* of an end that is no success */
    struct fg_str data;       /* JSON object text for the timeline; FG_NONE: none */
    int64_t due_us;           /* when the new stage's work is due; 0: at once */
    bool charged;             /* the provider takes money for it; the account, if job/reasons.def says so */
};

/* Inside a transaction: looks the event up in the table (a note moves nothing), updates the row under its guard
 * (id, version, state), writes the event, moves or ends the due work, ends the hold, tells followers. *j is the new row
 * afterwards. FG_JOB_MOVED: somebody else was faster, or the event is not allowed there; roll back, re-read. */
enum fg_code job_move(struct fg_ctx *cx, struct db *db, struct job *j, const struct job_change *ch) FG_MUST_CHECK;

/* After FG_DB_UNSURE of a transaction whose last move made *j what it is, with a news for the timeline: FG_OK when it
 * was committed, FG_DB_LOST when it was not, FG_DB_UNSURE when that cannot be read either. */
enum fg_code job_settle(struct fg_ctx *cx, struct db *db, const struct job *j) FG_MUST_CHECK;

/* Inside the transaction of a move: tells those who follow the job, if there are any and this is news to them. */
enum fg_code job_tell(struct fg_ctx *cx, struct db *db, const struct job *j, enum job_state was,
                      enum job_event ev) FG_MUST_CHECK;

/* Inside a transaction: ends an attempt that is still open; *ended false when it had ended already. Of r, the id,
 * links, cost and words are kept. */
enum fg_code attempt_end(struct fg_ctx *cx, struct db *db, int64_t attempt_id, enum attempt_state to,
                         const struct submit_reply *r, bool *ended) FG_MUST_CHECK;

/* ---- what goes, and when (retain.c) ---- */

/* Sets when the file that is stored now is to be deleted: by the job's own wish, within what the account's plan has. */
enum fg_code job_expiry(struct fg_ctx *cx, struct db *db, struct job *j) FG_MUST_CHECK;
/* Days that a file is kept; 0: for ever. plan_days: PLAN_NO_LIMIT is none. */
int64_t retain_days(int64_t keep_days, int64_t plan_days);

/* In a transaction that deletes or redacts, before it looks at any row: a legal hold that is placed now is placed after
 * it, one that was placed is seen by it. */
enum fg_code hold_gate(struct fg_ctx *cx, struct db *db) FG_MUST_CHECK;
/* FG_LEGAL_HOLD when the job has to be kept. */
enum fg_code hold_check(struct fg_ctx *cx, struct db *db, int64_t job_id) FG_MUST_CHECK;

/* Inside a transaction, after the gate, of a finished job that is on no hold. data: who did it, for the timeline. Each moves
 * the job. The file is marked here, unlinked by the sweeper, and the row of that work removed after that; bytes: what it
 * had, to be taken from the account's sum (ledger_storage) when all jobs of the transaction are through. */
enum fg_code job_forget_file(struct fg_ctx *cx, struct db *db, struct job *j, struct fg_str data, int64_t *bytes) FG_MUST_CHECK;
/* Prompt, negative prompt, metadata, picture's address, and wherever they were written down besides. */
enum fg_code job_forget_words(struct fg_ctx *cx, struct db *db, struct job *j, struct fg_str data) FG_MUST_CHECK;
/* Both, and the job is gone from lists. */
enum fg_code job_forget(struct fg_ctx *cx, struct db *db, struct job *j, struct fg_str data, int64_t *bytes) FG_MUST_CHECK;

/* Inside a transaction: as job_cancel, of a job that has just been read. */
enum fg_code job_cancel_in(struct fg_ctx *cx, struct db *db, struct job *j) FG_MUST_CHECK;
/* The same as job_erase; before the job was read the transaction went through hold_gate. */
enum fg_code job_erase_in(struct fg_ctx *cx, struct db *db, struct job *j) FG_MUST_CHECK;
/* The same of a person who knows what became of a submit of unknown outcome: taken, under this id (FG_NONE: not taken, and so
 * submitted again). FG_JOB_MOVED when its outcome is not unknown (any more), FG_DB_DUPLICATE when the id is another job's. */
enum fg_code job_decide_in(struct fg_ctx *cx, struct db *db, struct job *j, struct fg_str provider_job_id) FG_MUST_CHECK;

/* ---- erasing an account or one userId of it (erasure.c) ---- */

/* One step of whichever erasure is next: some jobs, some rows besides; a transaction of its own. *more: there may be more to
 * do at once. */
enum fg_code erasure_step(struct fg_ctx *cx, struct db *db, const uint8_t *pepper, bool *more) FG_MUST_CHECK;

/* The job as the ledger knows it. */
struct ledger_job job_ledger(const struct job *j);

/* The job as a model's possible customer, in the catalogue's words. */
struct cat_wish job_wish(const struct job *j);

/* One log line about a job that has moved, after the commit: for people who watch. */
void job_log(struct fg_ctx *cx, const struct job *j);

/* {"name":"value"}: the data of an event; FG_NONE when value is. */
struct fg_str event_data(struct fg_ctx *cx, const char *name, struct fg_str value);

#endif
