#include "base/fault.h"
#include "base/id.h"
#include "base/log.h"
#include "io/json.h"
#include "job/policy.h"
#include "job/store.h"
#include "job/wake.h"

#define BODY_KEPT_MAX 60000
#define STRANGE_BODY_KEPT_MAX 1024
#define HEADERS_KEPT_MAX 1000
#define CALLBACK_TRIES 3
#define TOLD_MAX 100
#define STRANGE_MAX 60 /* forged and unknown ones that are kept in a minute */
#define STRANGE_US (60 * FG_US_PER_S)

/* Stored, never renumber. */
enum verdict {
    VERDICT_VALID = 1,      /* genuine, whether or not it says anything that we understand */
    VERDICT_DUPLICATE = 2,  /* its event id was here before */
    VERDICT_LATE = 3,       /* the job had ended */
    VERDICT_SUPERSEDED = 4, /* of an attempt that is not the job's last */
    VERDICT_FORGED = 5,     /* its signature does not fit */
    VERDICT_UNKNOWN = 6,    /* of no job of ours */
    VERDICT_REPLAYED = 7,   /* processed again by the operator */
};

struct arrival {
    const struct callback_in *in;
    const struct catalogue *catalogue;
    const struct cat_provider *provider;
    const struct provider *adapter; /* of the attempt, where the token tells; else the provider's */
    struct attempt attempt;
    struct callback_note note;
    bool is_signed;
    bool erased;                     /* the job's words are gone: those of its callbacks must not come back */
    bool kept;                       /* its receipt is written, in the transaction under way */
    uint8_t event[HASH_LEN];
    enum verdict verdict;
    struct job job;                  /* as it is afterwards */
    bool replay;                     /* by the operator, of one that was kept */
};

/* What the adapter reads besides the body, so that a replay has it too. */
static struct fg_str headers_kept(struct fg_ctx *cx, const struct callback_headers *h)
{
    struct sb b = sb_in(cx->mem, HEADERS_KEPT_MAX);
    struct jw w = jw_on(&b);
    jw_open(&w, NULL);
    jw_str(&w, "webhookId", h->webhook_id);
    jw_str(&w, "falRequestId", h->fal_request_id);
    jw_close(&w);
    return b.bad ? FG_NONE : sb_str(&b);
}

static struct fg_str cut(struct fg_str s, size_t max)
{
    return (struct fg_str){ s.p, s.n < max ? s.n : max };
}

static struct db_bind id_or_null(int64_t id)
{
    return id ? DB(id) : DB_NULL;
}

static enum fg_code receipt(struct fg_ctx *cx, struct db *db, const struct arrival *a, enum verdict verdict)
{
    bool first = verdict != VERDICT_REPLAYED;
    return db_run(cx, db, SQL_RECEIPT_INSERT,
                  DB_ARGS(DB(a->in->provider), first ? DB(hash_bytes(a->event)) : DB_NULL, DB((int)verdict),
                          DB(a->attempt.job_id), DB(a->attempt.id), DB(a->is_signed), DB(cx->now_us),
                          DB(cx->request_id), DB(a->erased ? FG_NONE : headers_kept(cx, &a->in->headers)),
                          DB(a->erased ? FG_NONE : cut(a->in->body, BODY_KEPT_MAX))));
}

/* Of an event that has one. */
static enum fg_code receipt_again(struct fg_ctx *cx, struct db *db, const struct arrival *a)
{
    return db_run(cx, db, SQL_RECEIPT_AGAIN,
                  DB_ARGS(DB(a->in->provider), DB((int)VERDICT_DUPLICATE), DB(a->attempt.id), DB(a->is_signed),
                          DB(cx->now_us), DB(cx->request_id), DB(headers_kept(cx, &a->in->headers)),
                          DB(cut(a->in->body, BODY_KEPT_MAX)), DB(a->attempt.job_id)));
}

static bool submit_open(const struct job *j)
{
    return j->stage == STAGE_SUBMITTING || j->stage == STAGE_SUBMIT_UNKNOWN;
}

/* The callback's token proves acceptance even when the submit's answer was lost. */
static enum fg_code accept(struct fg_ctx *cx, struct db *db, struct arrival *a, struct job *j)
{
    bool ended;
    if (!submit_open(j) || !a->note.remote_id.n)
        return FG_OK;
    enum fg_code rc = attempt_end(cx, db, a->attempt.id, ATTEMPT_ACCEPTED,
                                  &(struct submit_reply){ .id = a->note.remote_id, .words = FG_LIT("by callback") },
                                  &ended);
    if (rc != FG_OK)
        return rc;
    j->provider_job_id = a->note.remote_id;
    return job_move(cx, db, j, &(struct job_change){
                                   .event = EV_ACCEPTED,
                                   .data = event_data(cx, "by", FG_LIT("callback")),
                               });
}

/* What a signed callback says is true at once; forward only, and an end that is no success is asked for again by the
 * poll, which knows the reason best. */
static enum fg_code believe(struct fg_ctx *cx, struct db *db, const struct arrival *a, struct job *j)
{
    const struct poll_reply *news = &a->note.news;
    enum job_event ev;
    struct job_place to;
    if (!a->is_signed || !news->understood)
        return FG_OK;
    if (news->state == REMOTE_RUNNING && j->stage == STAGE_AT_PROVIDER)
        ev = EV_STARTED;
    else if (news->state == REMOTE_DONE)
        ev = EV_OUTPUT;
    else
        return FG_OK;
    if (!job_next((enum job_stage)j->stage, ev, &to))
        return FG_OK;
    struct job_change ch = { .event = ev };
    if (ev == EV_OUTPUT)
        ch.due_us = policy_ingest_due_us(cx->now_us, catalogue_model(a->catalogue, j->model));
    return job_move(cx, db, j, &ch);
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

static const char *const verdict_words[] = {
    [VERDICT_VALID] = "valid",   [VERDICT_DUPLICATE] = "duplicate", [VERDICT_LATE] = "late",
    [VERDICT_FORGED] = "forged", [VERDICT_UNKNOWN] = "unknown",     [VERDICT_SUPERSEDED] = "superseded",
    [VERDICT_REPLAYED] = "replayed",
};

const char *callback_verdict_name(int verdict)
{
    return verdict >= VERDICT_VALID && verdict <= VERDICT_REPLAYED ? verdict_words[verdict] : "unknown";
}

/* Kept for whoever has to find out what happened, as long as there are not too many; the answer stays what it was. */
static void keep_strange(struct fg_ctx *cx, struct job_env *env, struct arrival *a, enum verdict verdict)
{
    struct fg_err why = cx->err;
    if (verdict == VERDICT_UNKNOWN) /* whatever the token belongs to, this was not about it */
        a->attempt = (struct attempt){ .id = 0 };
    enum fg_code rc =
        db_run(cx, env->db, SQL_RECEIPT_STRANGE,
               DB_ARGS(DB(a->in->provider), DB((int)verdict), id_or_null(a->attempt.job_id), id_or_null(a->attempt.id),
                       DB(cx->now_us), DB(cx->request_id), DB(headers_kept(cx, &a->in->headers)),
                       id_or_null(a->attempt.job_id), DB(cut(a->in->body, STRANGE_BODY_KEPT_MAX)),
                       DB(cx->now_us - STRANGE_US), DB(cx->now_us), DB((int)STRANGE_MAX)));
    if (rc != FG_OK)
        log_err(cx, "callback.not_kept", a->in->provider);
    cx->err = why;
}

static bool tells_of_success(const struct arrival *a)
{
    const struct poll_reply *news = &a->note.news;
    return a->note.success || (news->understood && news->state == REMOTE_DONE);
}

/* A video that was made is paid for, whoever still waits for it. Of what is not signed the poll finds out. */
static enum fg_code note_cost(struct fg_ctx *cx, struct db *db, const struct arrival *a)
{
    int64_t micro = a->note.news.understood ? a->note.news.cost_micro : 0;
    if (!a->is_signed || !tells_of_success(a))
        return FG_OK;
    if (micro == 0)
        micro = job_expected_micro(&a->job, catalogue_model(a->catalogue, a->attempt.model));
    return micro > 0 ? db_run(cx, db, SQL_ATTEMPT_PAID, DB_ARGS(DB(micro), DB(a->attempt.id))) : FG_OK;
}

/* For the timeline: its verdict, and whether it told of a finished video, which matters when nobody waits any more. */
static struct fg_str told(struct fg_ctx *cx, const struct arrival *a)
{
    struct sb b = sb_in(cx->mem, TOLD_MAX);
    struct jw w = jw_on(&b);
    jw_open(&w, NULL);
    jw_str(&w, "verdict", fg_str_c(verdict_words[a->verdict]));
    if (tells_of_success(a))
        jw_str(&w, "says", FG_LIT("succeeded"));
    jw_close(&w);
    return sb_str(&b);
}

static enum fg_code arrive_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct arrival *a = arg;
    struct job *j = &a->job;
    a->kept = false;
    enum fg_code rc = job_by_id(cx, db, a->attempt.job_id, j);
    if (rc != FG_OK)
        return rc;
    a->erased = j->redacted_us != 0;
    a->verdict = judge(a, j);
    bool valid = a->verdict == VERDICT_VALID;
    if (a->replay)
        a->verdict = VERDICT_REPLAYED;
    if (!FG_PLANTED(PLANT_RECEIPT_AFTER)) {
        rc = receipt(cx, db, a, a->verdict);
        a->kept = rc == FG_OK;
    }
    if (rc == FG_OK && valid)
        rc = accept(cx, db, a, j);
    if (rc == FG_OK)
        rc = job_move(cx, db, j, &(struct job_change){
                                      .event = EV_CALLBACK,
                                      .data = told(cx, a),
                                      .due_us = valid && poll_helps(j) ? cx->now_us : 0,
                                  });
    if (rc == FG_OK && valid)
        rc = believe(cx, db, a, j);
    if (rc == FG_OK)
        rc = note_cost(cx, db, a);
    FG_CRASH_POINT("callback.before_commit");
    return rc;
}

static enum fg_code not_ours(struct fg_ctx *cx)
{
    return fg_fail(cx, FG_NOT_FOUND, "No job is waiting for this callback.");
}

static enum fg_code find_attempt(struct fg_ctx *cx, struct job_env *env, struct arrival *a, struct fg_str token)
{
    bool found;
    if (token.p && id_valid(token, ATTEMPT_TOKEN))
        return db_one(cx, env->db, SQL_ATTEMPT_BY_TOKEN, DB_ARGS(DB(a->in->provider), DB(token)), attempt_row,
                      &a->attempt, &found);
    if (!token.p && a->note.remote_id.n)
        return db_one(cx, env->db, SQL_ATTEMPT_BY_REMOTE, DB_ARGS(DB(a->in->provider), DB(a->note.remote_id)),
                      attempt_row, &a->attempt, &found);
    return FG_OK;
}

/* A good signature covers neither path nor token: what was meant for one job must not move another. */
static bool is_about(const struct arrival *a)
{
    struct fg_str known = a->attempt.provider_job_id;
    return a->attempt.id && !(known.n && a->note.remote_id.n && !fg_eq(known, a->note.remote_id));
}

/* Keys of providers that sign with public ones: as the sweeper has fetched them. */
struct key_set {
    struct fg_str jwks;
    int64_t fetched_us, tried_us, wanted_us;
};
static const struct db_col key_cols[] = { COL(struct key_set, jwks), COL(struct key_set, fetched_us),
                                          COL(struct key_set, tried_us), COL(struct key_set, wanted_us) };

static enum fg_code read_keys(struct fg_ctx *cx, struct job_env *env, const struct arrival *a, struct key_set *out)
{
    bool found, public_keys = a->adapter->verify == VERIFY_FAL || a->adapter->verify == VERIFY_GOOGLE;
    *out = (struct key_set){ .jwks = FG_NONE };
    return public_keys ? db_one(cx, env->db, SQL_KEYS_OF, DB_ARGS(DB(a->in->provider)), DB_COLS(key_cols), out, &found)
                       : FG_OK;
}

/* Verified means: by the provider's signature where it signs, else the unguessable token is all there is. */
static enum fg_code verify(struct fg_ctx *cx, struct job_env *env, struct arrival *a)
{
    const struct cat_provider *p = a->provider;
    struct key_set row;
    bool stale = false;
    enum fg_code rc = read_keys(cx, env, a, &row);
    if (rc != FG_OK)
        return rc;
    struct verify_keys keys = { .secrets = p->site.webhook_secrets, .jwks = row.jwks };
    rc = callback_verify(cx, a->adapter->verify, &keys, &a->in->headers, a->in->body, &a->is_signed, &stale);
    if (rc == FG_OK && !a->is_signed && !a->in->token.p)
        return fg_fail(cx, FG_BAD_SIGNATURE, "An unsigned callback needs its token.");
    if (!stale)
        return rc;
    struct fg_err why = cx->err; /* of the signature, whatever becomes of the wish */
    if (db_run(cx, env->db, SQL_KEYS_WANTED, DB_ARGS(DB(a->in->provider), DB(cx->now_us), DB(cx->now_us))) == FG_OK)
        wake_send(env->wake_fd, env->conf);
    cx->err = why;
    return rc;
}

static enum fg_code arrive(struct fg_ctx *cx, struct job_env *env, struct arrival *a)
{
    if (a->note.event_id.n)
        HASH_KEYED(env->pepper, HASH_CALLBACK, a->event, a->in->provider, a->note.event_id);
    else /* two jobs may well be told the same words */
        HASH_KEYED(env->pepper, HASH_CALLBACK, a->event, a->in->provider, a->attempt.callback_token, a->in->body);
    enum fg_code rc = FG_JOB_MOVED;
    for (int i = 0; i < CALLBACK_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(cx, env->db, arrive_body, a);
    if (rc == FG_DB_UNSURE)
        rc = job_settle(cx, env->db, &a->job);
    if (rc == FG_OK && FG_PLANTED(PLANT_RECEIPT_AFTER))
        rc = receipt(cx, env->db, a, a->verdict);
    if (rc == FG_DB_DUPLICATE && a->kept) /* not the event was there before: another attempt has this id */
        return not_ours(cx);
    if (rc == FG_DB_DUPLICATE)
        rc = receipt_again(cx, env->db, a);
    if (rc == FG_OK) {
        FG_CRASH_POINT("callback.after_commit");
        fg_log(cx, LOG_INFO, "job.callback", LOG_I("attempt", a->attempt.id), LOG_S("provider", a->in->provider));
        wake_send(env->wake_fd, env->conf);
    }
    return rc;
}

/* Genuine, but nothing that we can use: no reason to refuse it, or it comes again and again. With a token it still says
 * whose provider has something to say. */
static enum fg_code read_note(struct fg_ctx *cx, struct arrival *a)
{
    enum fg_code rc = a->adapter->callback_read(cx, &a->in->headers, a->in->body, &a->note);
    if (rc != FG_INVALID_JSON && rc != FG_INVALID_REQUEST)
        return rc;
    fg_log(cx, LOG_WARN, "callback.unreadable", LOG_S("provider", a->in->provider),
           LOG_S("detail", fg_str_c(cx->err.detail)));
    a->note = (struct callback_note){ .event_id = FG_NONE };
    return FG_OK;
}

static enum fg_code receive(struct fg_ctx *cx, struct job_env *env, struct arrival *a, struct callback_out *out)
{
    const struct callback_in *in = a->in;
    enum fg_code rc = in->token.p ? find_attempt(cx, env, a, in->token) : FG_OK;
    if (rc == FG_OK && a->attempt.id)
        a->adapter = provider_by_name(a->attempt.adapter);
    if (rc == FG_OK && (!a->adapter || !a->adapter->callback_read))
        rc = not_ours(cx);
    if (rc == FG_OK)
        rc = verify(cx, env, a);
    if (rc == FG_OK && in->token.p && !a->attempt.id)
        rc = not_ours(cx);
    if (rc == FG_OK)
        rc = read_note(cx, a);
    if (rc == FG_OK && a->note.answer.p) { /* a handshake: about no job yet */
        out->answer = a->note.answer;
        return FG_OK;
    }
    if (rc == FG_OK && !in->token.p)
        rc = find_attempt(cx, env, a, a->note.token);
    if (rc == FG_OK && !a->attempt.id && !a->note.token.n && !a->note.remote_id.n) {
        keep_strange(cx, env, a, VERDICT_UNKNOWN); /* the account's other affairs */
        return FG_OK;
    }
    if (rc == FG_OK && !is_about(a))
        rc = not_ours(cx);
    return rc == FG_OK ? arrive(cx, env, a) : rc;
}

enum fg_code job_callback(struct fg_ctx *cx, struct job_env *env, const struct callback_in *in,
                          struct callback_out *out)
{
    const struct cat_provider *p = catalogue_provider(env->catalogue, in->provider);
    *out = (struct callback_out){ .answer = FG_NONE };
    if (!p)
        return fg_fail(cx, FG_NOT_FOUND, "No such provider takes callbacks here.");
    struct arrival a = { .in = in, .catalogue = env->catalogue, .provider = p, .adapter = p->adapter };
    enum fg_code rc = p->callbacks && p->set_up && p->adapter->callback_read ? receive(cx, env, &a, out) : not_ours(cx);
    if (rc == FG_NOT_FOUND)
        keep_strange(cx, env, &a, VERDICT_UNKNOWN);
    else if (rc == FG_BAD_SIGNATURE || rc == FG_BAD_HEADER)
        keep_strange(cx, env, &a, VERDICT_FORGED);
    return rc;
}

struct kept {
    int64_t id;
    struct fg_str provider;
    int verdict;
    int64_t attempt_id;
    bool is_signed;
    int64_t received_us;
    struct fg_str headers, body;
};
static const struct db_col kept_cols[] = {
    COL(struct kept, id),        COL(struct kept, provider),    COL(struct kept, verdict), COL(struct kept, attempt_id),
    COL(struct kept, is_signed), COL(struct kept, received_us), COL(struct kept, headers), COL(struct kept, body),
};

static enum fg_code read_kept(struct fg_ctx *cx, struct job_env *env, int64_t id, struct kept *k, struct arrival *a)
{
    bool found;
    enum fg_code rc = db_one(cx, env->db, SQL_RECEIPT_BY_ID, DB_ARGS(DB(id)), DB_COLS(kept_cols), k, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "No callback %lld is kept.", (long long)id);
    if (rc == FG_OK && (k->verdict == VERDICT_FORGED || k->verdict == VERDICT_UNKNOWN || !k->attempt_id))
        rc = fg_fail(cx, FG_INVALID_REQUEST, "Callback %lld was %s: there is nothing to process.", (long long)id,
                     callback_verdict_name(k->verdict));
    if (rc == FG_OK && !k->body.p)
        rc = fg_fail(cx, FG_INVALID_REQUEST, "Callback %lld was erased with its job.", (long long)id);
    if (rc == FG_OK && k->body.n == BODY_KEPT_MAX)
        rc = fg_fail(cx, FG_INVALID_REQUEST, "Only the beginning of callback %lld was kept.", (long long)id);
    if (rc == FG_OK)
        rc = db_one(cx, env->db, SQL_ATTEMPT_BY_ID, DB_ARGS(DB(k->attempt_id)), attempt_row, &a->attempt, &found);
    return rc == FG_OK && !found ? fg_fail(cx, FG_NOT_FOUND, "Its attempt is gone.") : rc;
}

enum fg_code job_callback_replay(struct fg_ctx *cx, struct job_env *env, int64_t id)
{
    struct kept k;
    struct callback_in in = { .token = FG_NONE };
    struct arrival a = { .in = &in, .catalogue = env->catalogue, .replay = true };
    const struct js *headers = NULL;
    enum fg_code rc = read_kept(cx, env, id, &k, &a);
    if (rc == FG_OK && k.headers.p)
        rc = js_parse(cx, k.headers, &headers);
    if (rc != FG_OK)
        return rc;
    (void)js_str(js_get(headers, "webhookId"), &in.headers.webhook_id);
    (void)js_str(js_get(headers, "falRequestId"), &in.headers.fal_request_id);
    in.provider = k.provider;
    in.body = k.body;
    a.is_signed = k.is_signed;
    a.adapter = provider_by_name(a.attempt.adapter);
    if (!a.adapter || !a.adapter->callback_read)
        return fg_fail(cx, FG_CONFIG, "This program has no adapter %.*s.", FG_P(a.attempt.adapter));
    rc = read_note(cx, &a);
    if (rc == FG_OK && !is_about(&a))
        rc = fg_fail(cx, FG_NOT_FOUND, "It is about another job than it was kept for.");
    return rc == FG_OK ? arrive(cx, env, &a) : rc;
}
