/* What support does to one job. What makes sense is decided in one place, for those who show it and for those who do it. */
#ifndef FG_JOB_ACT_H
#define FG_JOB_ACT_H

#include "job/action.h"

/* In the order of act_name. */
enum act_kind {
    ACT_CANCEL,    /* as its owner would */
    ACT_ASK,       /* its provider, now */
    ACT_RESOLVE,   /* a submit of unknown outcome */
    ACT_RETRY,     /* a new job of its account with the same wish */
    ACT_ADJUST,    /* its account's ledger */
    ACT_REDELIVER, /* what was told of it to webhooks */
    ACT_ERASE,     /* file and words */
    ACT_HOLD,      /* a legal hold on this job */
    ACT_RELEASE,   /* the end of that */
};
#define ACT_KIND_N 9
/* "cancel" */
const char *act_name(enum act_kind kind);
bool act_by_name(struct fg_str name, enum act_kind *out);

/* What decides, besides the job's row. */
struct act_facts {
    bool kept;                    /* by a legal hold, whichever */
    bool held;                    /* by one on this very job */
    bool told;                    /* there is a delivery that can go out again */
    bool planned;                 /* a look at its provider is */
    struct fg_str account;        /* public id */
};
enum fg_code act_facts_read(struct fg_ctx *cx, struct db *db, int64_t job_id, struct act_facts *out) FG_MUST_CHECK;
/* FG_OK, or why not, in words too. Reads nothing. */
enum fg_code act_check(struct fg_ctx *cx, const struct job *j, const struct act_facts *f, enum act_kind kind) FG_MUST_CHECK;
/* 1 << enum act_kind of each that act_check lets pass. */
unsigned act_can(const struct job *j, const struct act_facts *f);

struct act_order {
    enum act_kind kind;
    struct fg_str job;            /* public id; any account's */
    struct fg_str actor, reason;  /* as in struct action */
    struct fg_str accepted;       /* resolve: the provider's id; FG_NONE: it was not taken */
    int64_t amount_micro;         /* adjust */
    struct fg_str reference;      /* adjust; ledger_is_reference */
    struct fg_str delivery;       /* redeliver: public id; FG_NONE: all of the job's */
};
struct act_done {
    struct job job;               /* as it is now */
    struct action_row record;
    struct fg_str retried;        /* public id; FG_NONE but for a retry */
};
/* Does it, tells the job's timeline that it was done (not why), and records it, in one transaction; a COMMIT of unknown
 * outcome has been settled. A refusal is recorded too, but FG_NOT_FOUND of the job. Codes: act_check's, and what the deed
 * itself gives (job_decide_in, retry_run, ledger_enter, delivery_again). FG_INVALID_REQUEST: that is no provider's id. */
enum fg_code act_run(struct fg_ctx *cx, struct job_env *env, const struct act_order *o, struct act_done *out) FG_MUST_CHECK;

/* Inside a transaction: the event that tells the owner. Moves the job, as job_move does. */
enum fg_code act_note(struct fg_ctx *cx, struct db *db, struct job *j, const struct action *a) FG_MUST_CHECK;

#endif
