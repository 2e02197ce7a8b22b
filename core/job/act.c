#include "job/act.h"

#include "base/id.h"
#include "base/time.h"
#include "io/json.h"
#include "job/create.h"
#include "job/hold.h"
#include "job/store.h"
#include "job/wake.h"
#include "notify/delivery.h"
#include "provider/adapter.h"

#define DATA_MAX 2000

static const char *const names[ACT_KIND_N] = {
    [ACT_CANCEL] = "cancel", [ACT_ASK] = "ask",             [ACT_RESOLVE] = "resolve",
    [ACT_RETRY] = "retry",   [ACT_ADJUST] = "adjust",       [ACT_REDELIVER] = "redeliver",
    [ACT_ERASE] = "erase",   [ACT_HOLD] = "hold",           [ACT_RELEASE] = "release",
};

const char *act_name(enum act_kind kind)
{
    FG_ASSERT((size_t)kind < FG_LEN(names));
    return names[kind];
}

bool act_by_name(struct fg_str name, enum act_kind *out)
{
    for (unsigned i = 0; i < ACT_KIND_N; i++)
        if (fg_eq(name, fg_str_c(names[i]))) {
            *out = (enum act_kind)i;
            return true;
        }
    return false;
}

/* ---- what makes sense ---- */

enum fg_code act_facts_read(struct fg_ctx *cx, struct db *db, int64_t job_id, struct act_facts *out)
{
    static const struct db_col cols[] = {
        COL(struct act_facts, kept),    COL(struct act_facts, held),    COL(struct act_facts, told),
        COL(struct act_facts, planned), COL(struct act_facts, account),
    };
    bool found = false;
    enum fg_code rc = db_one(cx, db, SQL_ACT_FACTS, DB_ARGS(DB(job_id)), DB_COLS(cols), out, &found);
    return rc == FG_OK && !found ? fg_fail(cx, FG_NOT_FOUND, "There is no such job.") : rc;
}

struct refusal {
    enum fg_code code;
    const char *words;
    bool place;                   /* where it is says more */
};

static struct refusal refuse(const struct job *j, const struct act_facts *f, enum act_kind kind)
{
    bool ended = job_terminal((enum job_state)j->state), doubted = j->stage == STAGE_SUBMIT_UNKNOWN;
    switch (kind) {
    case ACT_CANCEL:
        if (ended)
            return (struct refusal){ FG_JOB_FINISHED, "The job has already ended", true };
        if (j->cancel_us)
            return (struct refusal){ FG_DB_DUPLICATE, "It is being canceled already", false };
        break;
    case ACT_ASK:
        if (j->stage != STAGE_AT_PROVIDER && j->stage != STAGE_RENDERING && !doubted)
            return (struct refusal){ FG_NOT_AT_PROVIDER, "There is no provider to be asked about it now", true };
        break;
    case ACT_RESOLVE:
        if (!doubted)
            return (struct refusal){ FG_JOB_MOVED, "The outcome of its submit is not unknown", true };
        break;
    case ACT_RETRY:
        if (!ended)
            return (struct refusal){ FG_JOB_NOT_FINISHED, "Only a finished job can be tried again", true };
        if (j->redacted_us || j->deleted_us)
            return (struct refusal){ FG_PROMPT_DELETED, "The words of this job have been deleted", false };
        break;
    case ACT_REDELIVER:
        if (!f->told)
            return (struct refusal){ FG_ENDPOINT_DISABLED, "Nobody was told of it who could be told again", false };
        break;
    case ACT_ERASE:
        if (!ended)
            return (struct refusal){ FG_JOB_NOT_FINISHED, "Only a finished job can be deleted, cancel it first", true };
        if (j->deleted_us)
            return (struct refusal){ FG_GONE, "It has been deleted already", false };
        if (f->kept)
            return (struct refusal){ FG_LEGAL_HOLD, "This job is kept by a legal hold", false };
        break;
    case ACT_HOLD:
        if (f->held)
            return (struct refusal){ FG_DB_DUPLICATE, "There is a legal hold on this job already", false };
        break;
    case ACT_RELEASE:
        if (!f->held)
            return (struct refusal){ FG_NOT_FOUND, "There is no legal hold on this job itself", false };
        break;
    case ACT_ADJUST:
        break;
    }
    return (struct refusal){ FG_OK, NULL, false };
}

enum fg_code act_check(struct fg_ctx *cx, const struct job *j, const struct act_facts *f, enum act_kind kind)
{
    struct refusal r = refuse(j, f, kind);
    if (r.code == FG_OK)
        return FG_OK;
    if (r.code == FG_GONE)
        return fg_fail(cx, FG_GONE, "%s: %.*s.", r.words, FG_P(time_iso(cx->mem, j->deleted_us)));
    const char *place = j->stage ? job_stage_name((enum job_stage)j->stage) : job_state_name((enum job_state)j->state);
    return fg_fail(cx, r.code, "%s%s%s.", r.words, r.place ? ": it is " : "", r.place ? place : "");
}

unsigned act_can(const struct job *j, const struct act_facts *f)
{
    unsigned can = 0;
    for (unsigned i = 0; i < ACT_KIND_N; i++)
        if (refuse(j, f, (enum act_kind)i).code == FG_OK)
            can |= 1U << i;
    return can;
}

/* ---- the deeds: inside the transaction, the job being in front of them and the timeline told ---- */

struct acting {
    const struct act_order *o;
    struct job_env *env;
    struct job j;
    struct act_facts facts;
    struct action record;
    int64_t id;                   /* the record's */
    struct fg_str retried;
};

enum fg_code act_note(struct fg_ctx *cx, struct db *db, struct job *j, const struct action *a)
{
    return job_move(cx, db, j, &(struct job_change){ .event = EV_OPERATOR, .data = event_data(cx, "action", a->action) });
}

static struct fg_str count_data(struct fg_ctx *cx, const char *name, int64_t n)
{
    struct sb b = sb_in(cx->mem, DATA_MAX);
    struct jw w = jw_on(&b);
    jw_open(&w, NULL);
    jw_i64(&w, name, n);
    jw_close(&w);
    return sb_str(&b);
}

static enum fg_code do_cancel(struct fg_ctx *cx, struct db *db, struct acting *a)
{
    return job_cancel_in(cx, db, &a->j);
}

/* A look that nobody has planned is what a stuck job lacks. */
static enum fg_code do_ask(struct fg_ctx *cx, struct db *db, struct acting *a)
{
    int kind = a->j.stage == STAGE_SUBMIT_UNKNOWN ? DUE_RESOLVE : DUE_POLL;
    if (a->facts.planned)
        return db_run(cx, db, SQL_DUE_NOW, DB_ARGS(DB(cx->now_us), DB(a->j.id)));
    return db_run(cx, db, SQL_DUE_INSERT_LANE,
                  DB_ARGS(DB(kind), DB(a->j.id), DB(cx->now_us), DB(a->j.model), DB(a->j.account_id)));
}

static enum fg_code do_resolve(struct fg_ctx *cx, struct db *db, struct acting *a)
{
    return job_decide_in(cx, db, &a->j, a->o->accepted);
}

static enum fg_code do_adjust(struct fg_ctx *cx, struct db *db, struct acting *a)
{
    const struct ledger_entry e = { .account_id = a->j.account_id, .kind = LEDGER_ADJUST, .amount_micro = a->o->amount_micro,
                                    .reference = a->o->reference, .note = a->o->reason };
    return action_enter_in(cx, db, &a->record, &e, &(bool){ false });
}

static enum fg_code do_redeliver(struct fg_ctx *cx, struct db *db, struct acting *a)
{
    struct delivery_detail d;
    if (a->o->delivery.p) {
        enum fg_code rc = delivery_again(cx, db, a->j.account_id, a->o->delivery, &d);
        bool other = rc == FG_OK && !fg_eq(d.d.job, a->j.public_id);
        return other ? fg_fail(cx, FG_NOT_FOUND, "The job has no such delivery.") : rc;
    }
    enum fg_code rc = db_run(cx, db, SQL_WEBHOOK_AGAIN_OF_JOB, DB_ARGS(DB(cx->now_us), DB(cx->now_us), DB(a->j.id)));
    if (rc == FG_OK)
        a->record.data = count_data(cx, "deliveries", (int64_t)db->affected);
    return rc;
}

static enum fg_code do_erase(struct fg_ctx *cx, struct db *db, struct acting *a)
{
    return job_erase_in(cx, db, &a->j);
}

static enum fg_code do_hold(struct fg_ctx *cx, struct db *db, struct acting *a)
{
    struct hold h = { .account_id = a->j.account_id, .user = FG_NONE, .job_id = a->j.id, .reason = a->o->reason,
                      .by = a->o->actor };
    int64_t id;
    return hold_put(cx, db, &h, &id);
}

static enum fg_code do_release(struct fg_ctx *cx, struct db *db, struct acting *a)
{
    return db_run(cx, db, SQL_HOLD_LIFT, DB_ARGS(DB(cx->now_us), DB(a->j.id)));
}

/* A retry is a transaction of the new job's. */
static enum fg_code (*const deeds[ACT_KIND_N])(struct fg_ctx *cx, struct db *db, struct acting *a) = {
    [ACT_CANCEL] = do_cancel, [ACT_ASK] = do_ask,             [ACT_RESOLVE] = do_resolve,
    [ACT_ADJUST] = do_adjust, [ACT_REDELIVER] = do_redeliver, [ACT_ERASE] = do_erase,
    [ACT_HOLD] = do_hold,     [ACT_RELEASE] = do_release,
};

/* Locks the gate of holds, then the job's row; the account's comes after. */
static enum fg_code begin(struct fg_ctx *cx, struct db *db, struct acting *a)
{
    enum fg_code rc = FG_OK;
    if (a->o->kind == ACT_HOLD)
        rc = hold_gate_close(cx, db);
    if (a->o->kind == ACT_ERASE)
        rc = hold_gate(cx, db);
    if (rc == FG_OK)
        rc = job_by_id(cx, db, a->record.job_id, &a->j);
    if (rc == FG_OK)
        rc = act_facts_read(cx, db, a->record.job_id, &a->facts);
    if (rc == FG_OK)
        rc = act_check(cx, &a->j, &a->facts, a->o->kind);
    return rc == FG_OK ? act_note(cx, db, &a->j, &a->record) : rc;
}

static enum fg_code act_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct acting *a = arg;
    enum fg_code rc = begin(cx, db, a);
    if (rc == FG_OK)
        rc = deeds[a->o->kind](cx, db, a);
    if (rc == FG_OK) /* whose words may be gone now */
        rc = job_by_id(cx, db, a->j.id, &a->j);
    return rc;
}

/* ---- once more ---- */

static enum fg_code retry_first(struct fg_ctx *cx, struct db *db, void *arg, struct fg_str id)
{
    struct acting *a = arg;
    enum fg_code rc = begin(cx, db, a);
    if (rc != FG_OK)
        return rc;
    a->retried = id;
    a->record.data = event_data(cx, "retried", id);
    return action_put(cx, db, &a->record, &a->id);
}

/* The same pressed twice is one: the second is refused as a duplicate. */
static enum fg_code retry(struct fg_ctx *cx, struct acting *a)
{
    struct job_answer made;
    struct job was = a->j;
    const struct retry_order r = { .job = &was, .user = "", .key = FG_NONE, .once = true, .arg = a, .first = retry_first };
    enum fg_code rc = FG_JOB_MOVED;
    for (int i = 0; i < ACTION_TRIES && rc == FG_JOB_MOVED; i++)
        rc = retry_run(cx, a->env, &r, &made);
    if (rc != FG_OK)
        a->record.data = FG_NONE;
    return action_refused(cx, a->env->db, &a->record, rc);
}

/* ---- all of it ---- */

static enum fg_code find(struct fg_ctx *cx, struct acting *a)
{
    bool found = false;
    enum fg_code rc = FG_OK;
    if (id_valid(a->o->job, FG_LIT("job_")))
        rc = db_one(cx, a->env->db, SQL_JOB_BY_PUBLIC_ID, DB_ARGS(DB(a->o->job)), job_row, &a->j, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "There is no such job.");
    a->record.job_id = a->j.id;
    a->record.account_id = a->j.account_id;
    return rc;
}

/* Of what was asked for, as far as the deed does not say more. */
static struct fg_str asked_data(struct fg_ctx *cx, const struct act_order *o)
{
    if (o->kind != ACT_RESOLVE)
        return FG_NONE;
    struct sb b = sb_in(cx->mem, DATA_MAX);
    struct jw w = jw_on(&b);
    jw_open(&w, NULL);
    jw_str(&w, "accepted", o->accepted);
    jw_close(&w);
    return sb_str(&b);
}

enum fg_code act_run(struct fg_ctx *cx, struct job_env *env, const struct act_order *o, struct act_done *out)
{
    struct acting a = { .o = o, .env = env,
                        .record = { .actor = o->actor, .action = fg_str_c(act_name(o->kind)), .reason = o->reason,
                                    .subject = o->delivery, .data = asked_data(cx, o) } };
    if (o->kind == ACT_RESOLVE && o->accepted.p && !adapter_id_ok(o->accepted))
        return fg_fail(cx, FG_INVALID_REQUEST, "This is no id that a provider gives.");
    enum fg_code rc = find(cx, &a);
    if (rc != FG_OK)
        return rc;
    rc = o->kind == ACT_RETRY ? retry(cx, &a) : action_do(cx, env->db, &a.record, act_body, &a, &a.id);
    if (rc != FG_OK)
        return rc;
    job_log(cx, &a.j);
    wake_send(env->wake_fd, env->conf);
    *out = (struct act_done){ .job = a.j, .retried = a.retried,
                              .record = action_row_of(cx, &a.record, a.id, a.j.public_id, a.facts.account) };
    return FG_OK;
}
