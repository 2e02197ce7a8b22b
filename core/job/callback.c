#include "base/fault.h"
#include "base/id.h"
#include "base/log.h"
#include "job/store.h"
#include "job/wake.h"

#define CALLBACK_BODY_KEPT 8192
#define CALLBACK_TRIES 3

/* Stored, never renumber. */
enum verdict {
    VERDICT_VALID = 1,
    VERDICT_DUPLICATE = 2,  /* its event id was here before */
    VERDICT_LATE = 3,       /* the job had ended */
    VERDICT_SUPERSEDED = 4, /* of an attempt that is not the job's last */
};

struct arrival {
    const struct callback_in *in;
    struct attempt attempt;
    struct callback_note note;
    uint8_t event[HASH_LEN];
    enum verdict verdict;
};

static enum fg_code receipt(struct fg_ctx *cx, struct db *db, const struct arrival *a, enum verdict verdict)
{
    struct fg_str body = a->in->body;
    if (body.n > CALLBACK_BODY_KEPT)
        body.n = CALLBACK_BODY_KEPT;
    struct db_bind key = verdict == VERDICT_DUPLICATE ? DB_NULL : DB(hash_bytes(a->event));
    return db_run(cx, db, SQL_RECEIPT_INSERT,
                  DB_ARGS(DB(a->in->provider), key, DB((int)verdict), DB(a->attempt.job_id), DB(cx->now_us),
                          DB(cx->request_id), DB(body)));
}

/* The callback's token proves acceptance even when the submit's answer was lost. */
static enum fg_code accept(struct fg_ctx *cx, struct db *db, struct arrival *a, struct job *j)
{
    bool open = j->stage == STAGE_SUBMITTING || j->stage == STAGE_SUBMIT_UNKNOWN, ended;
    if (!open || !a->note.remote_id.n)
        return FG_OK;
    enum fg_code rc = attempt_end(cx, db, a->attempt.id, ATTEMPT_ACCEPTED, a->note.remote_id,
                                  FG_LIT("by callback"), &ended);
    if (rc != FG_OK)
        return rc;
    j->provider_job_id = a->note.remote_id;
    return job_move(cx, db, j, &(struct job_change){
                                   .event = EV_ACCEPTED,
                                   .data = event_data(cx, "by", FG_LIT("callback")),
                               });
}

static enum verdict judge(const struct arrival *a, const struct job *j)
{
    if (a->attempt.n != j->attempt_n)
        return VERDICT_SUPERSEDED;
    return job_terminal((enum job_state)j->state) ? VERDICT_LATE : VERDICT_VALID;
}

/* Elsewhere somebody is at work on the job, and would only be disturbed. */
static bool poll_helps(const struct job *j)
{
    return j->stage == STAGE_AT_PROVIDER || j->stage == STAGE_RENDERING || j->stage == STAGE_SUBMIT_UNKNOWN;
}

/* A callback is a hint however well it is signed: it makes the poll due now, and the poll says what is true. */
static enum fg_code arrive_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct arrival *a = arg;
    struct job j;
    enum fg_code rc = job_by_id(cx, db, a->attempt.job_id, &j);
    if (rc != FG_OK)
        return rc;
    a->verdict = judge(a, &j);
    rc = receipt(cx, db, a, a->verdict);
    if (rc == FG_OK && a->verdict == VERDICT_VALID)
        rc = accept(cx, db, a, &j);
    static const char *const words[] = { [VERDICT_VALID] = "valid", [VERDICT_LATE] = "late",
                                         [VERDICT_SUPERSEDED] = "superseded" };
    if (rc == FG_OK)
        rc = job_move(cx, db, &j, &(struct job_change){
                                      .event = EV_CALLBACK,
                                      .data = event_data(cx, "verdict", fg_str_c(words[a->verdict])),
                                      .due_us = poll_helps(&j) ? cx->now_us : 0,
                                  });
    FG_CRASH_POINT("callback.before_commit");
    return rc;
}

static enum fg_code find_attempt(struct fg_ctx *cx, struct job_env *env, struct arrival *a)
{
    const struct callback_in *in = a->in;
    bool found = false;
    enum fg_code rc = FG_OK;
    if (in->token.p && id_valid(in->token, ATTEMPT_TOKEN))
        rc = db_one(cx, env->db, SQL_ATTEMPT_BY_TOKEN, DB_ARGS(DB(in->provider), DB(in->token)), attempt_row,
                    &a->attempt, &found);
    else if (!in->token.p && a->note.remote_id.n)
        rc = db_one(cx, env->db, SQL_ATTEMPT_BY_REMOTE, DB_ARGS(DB(in->provider), DB(a->note.remote_id)),
                    attempt_row, &a->attempt, &found);
    if (rc != FG_OK)
        return rc;
    struct fg_str known = a->attempt.provider_job_id;
    if (!found || (known.n && a->note.remote_id.n && !fg_eq(known, a->note.remote_id)))
        return fg_fail(cx, FG_NOT_FOUND, "No job is waiting for this callback.");
    return FG_OK;
}

/* Verified means: by the provider's signature where it signs, else the unguessable token is all there is. */
static enum fg_code verify(struct fg_ctx *cx, const struct cat_provider *p, const struct callback_in *in)
{
    if (!p->adapter->verify_standard)
        return in->token.p ? FG_OK : fg_fail(cx, FG_BAD_SIGNATURE, "An unsigned callback needs its token.");
    return webhook_verify(cx, p->site.webhook_secrets, in->webhook_id, in->webhook_timestamp,
                          in->webhook_signature, in->body);
}

enum fg_code job_callback(struct fg_ctx *cx, struct job_env *env, const struct callback_in *in)
{
    const struct cat_provider *p = catalogue_provider(env->catalogue, in->provider);
    if (!p || !p->callbacks || !p->adapter->callback_read)
        return fg_fail(cx, FG_NOT_FOUND, "No such provider takes callbacks here.");
    struct arrival a = { .in = in };
    enum fg_code rc = verify(cx, p, in);
    if (rc == FG_OK)
        rc = p->adapter->callback_read(cx, in->webhook_id, in->body, &a.note);
    if (rc == FG_OK)
        rc = find_attempt(cx, env, &a);
    if (rc != FG_OK)
        return rc;
    struct fg_str event = a.note.event_id.n ? a.note.event_id : in->body;
    HASH_KEYED(env->pepper, HASH_CALLBACK, a.event, in->provider, event);
    rc = FG_JOB_MOVED;
    for (int i = 0; i < CALLBACK_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(cx, env->db, arrive_body, &a);
    if (rc == FG_DB_DUPLICATE)
        rc = receipt(cx, env->db, &a, VERDICT_DUPLICATE);
    if (rc == FG_OK) {
        FG_CRASH_POINT("callback.after_commit");
        fg_log(cx, LOG_INFO, "job.callback", LOG_I("attempt", a.attempt.id), LOG_S("provider", in->provider));
        wake_send(env->wake_fd, env->conf);
    }
    return rc;
}
