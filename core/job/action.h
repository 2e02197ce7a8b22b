/* What people did to a job, an account or a provider: the record of it, done or refused, each with its reason. */
#ifndef FG_JOB_ACTION_H
#define FG_JOB_ACTION_H

#include "job/job.h"
#include "money/ledger.h"

#define ACTION_REASON_MIN 3 /* code points, of a person at the desk */
#define ACTION_REASON_MAX 500
#define ACTION_DONE FG_LIT("done") /* an outcome; any other is the code of a refusal */
#define ACTION_OPERATOR FG_LIT("operator") /* the actor at the command line */
#define ACTION_LIST_MAX 100
#define ACTION_LIST_DEFAULT 20
#define ACTION_TRIES 3 /* of a deed whose job has moved meanwhile */

struct action {
    struct fg_str actor;          /* ACTION_OPERATOR, or "acct_…, key 7": ASCII, at most 64 */
    struct fg_str action;         /* "cancel" */
    struct fg_str reason;         /* FG_NONE: none was given */
    int64_t job_id, account_id;   /* rows; 0: none. Where only the job is known, its account is for the caller to fill in */
    struct fg_str subject;        /* what it was done to besides: a provider, a delivery; visible ASCII, at most 64; FG_NONE */
    struct fg_str data;           /* JSON object of what was asked for and came of it; FG_NONE */
};

/* Inside the transaction of what was done. *id: the record's. */
enum fg_code action_put(struct fg_ctx *cx, struct db *db, const struct action *a, int64_t *id) FG_MUST_CHECK;
/* After FG_DB_UNSURE of that transaction: FG_OK when it was committed, FG_DB_LOST when it was not, FG_DB_UNSURE when that
 * cannot be read either. */
enum fg_code action_settle(struct fg_ctx *cx, struct db *db, int64_t id) FG_MUST_CHECK;
/* It was not done, for rc, which comes back with its error: that is recorded, in a transaction of its own, unless it is the
 * database that has trouble. */
enum fg_code action_refused(struct fg_ctx *cx, struct db *db, const struct action *a, enum fg_code rc) FG_MUST_CHECK;

/* A deed with its record, in one transaction: body may fill in what only it knows of *a; its refusals are recorded too.
 * It is run again when its job has moved meanwhile. A COMMIT of unknown outcome has been settled. *id: the record's. */
enum fg_code action_do(struct fg_ctx *cx, struct db *db, struct action *a, db_body *body, void *arg, int64_t *id) FG_MUST_CHECK;

/* Inside such a body: an entry in an account's ledger; what it is goes into a->data. Codes as ledger_enter's. */
enum fg_code action_enter_in(struct fg_ctx *cx, struct db *db, struct action *a, const struct ledger_entry *e,
                             bool *entered) FG_MUST_CHECK;
/* The same, a transaction of its own. */
enum fg_code action_enter(struct fg_ctx *cx, struct db *db, struct action *a, const struct ledger_entry *e,
                          bool *entered) FG_MUST_CHECK;

/* ---- looking ---- */

struct action_row {
    int64_t id, at_us;
    struct fg_str actor, action;
    struct fg_str job, account;   /* public ids; FG_NONE */
    struct fg_str subject, reason, outcome, data, request_id;
};
struct action_query {
    int limit;                    /* 1..ACTION_LIST_MAX */
    int64_t before_id;            /* 0: from the newest */
    struct fg_str account, job;   /* public ids, of the right form; FG_NONE: any */
};
/* The newest first. */
enum fg_code action_list(struct fg_ctx *cx, struct db *db, const struct action_query *q, struct action_row **out,
                         size_t *n) FG_MUST_CHECK;
/* What has just been done, as it will be read. job, account: public ids. */
struct action_row action_row_of(const struct fg_ctx *cx, const struct action *a, int64_t id, struct fg_str job,
                                struct fg_str account);
/* Its members, into an object that is open. */
struct jw;
void action_json(struct jw *w, const struct action_row *a);

#endif
