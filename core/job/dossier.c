#include "job/dossier.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/id.h"
#include "io/json.h"
#include "io/redact.h"
#include "job/moderation.h"
#include "job/store.h"
#include "media/store.h"
#include "notify/delivery.h"

#define COLUMNS_MAX 24
#define EXCERPT_MAX 2000 /* characters */

/* How a column is read and written. COUNT: null when 0. EXCERPT: others' words, made fit to be read. */
enum how { TEXT, TIME, NUMBER, COUNT, FLAG, NAMED, JSON, EXCERPT };

struct field {
    const char *key;
    enum how how;
    enum db_tag tag;
    size_t at;
    const char *(*name)(int);
};

static const char *state_name(int s)
{
    return s ? job_state_name((enum job_state)s) : "";
}

static const char *stage_name(int s)
{
    return job_stage_name((enum job_stage)s);
}

static const char *listed(const char *const *word, size_t n, int i)
{
    return i >= 0 && (size_t)i < n && word[i] ? word[i] : "unknown";
}

static const char *attempt_name(int s)
{
    static const char *const word[] = {
        [ATTEMPT_SENDING] = "sending",   [ATTEMPT_ACCEPTED] = "accepted", [ATTEMPT_REFUSED] = "refused",
        [ATTEMPT_NOT_SENT] = "not_sent", [ATTEMPT_UNKNOWN] = "unknown",   [ATTEMPT_PREPARING] = "preparing",
    };
    return listed(word, FG_LEN(word), s);
}

static const char *outcome_name(int s)
{
    static const char *const word[] = {
        [ATTEMPT_RUNNING] = "open", [ATTEMPT_GOOD] = "good", [ATTEMPT_BAD] = "bad", [ATTEMPT_NEITHER] = "neither",
    };
    return listed(word, FG_LEN(word), s);
}

static const char *entry_name(int k)
{
    static const char *const word[] = {
        [LEDGER_HOLD] = "hold",     [LEDGER_SETTLE] = "settle", [LEDGER_RELEASE] = "release",
        [LEDGER_ADJUST] = "adjust", [LEDGER_TOPUP] = "topup",
    };
    return listed(word, FG_LEN(word), k);
}

static const char *due_name(int k)
{
    static const char *const word[] = {
        [DUE_DISPATCH] = "dispatch", [DUE_RESOLVE] = "resolve", [DUE_POLL] = "poll",       [DUE_INGEST] = "ingest",
        [DUE_DEADLINE] = "deadline", [DUE_ERASE] = "erase",     [DUE_SENDING] = "sending", [DUE_MODERATE] = "moderate",
    };
    return listed(word, FG_LEN(word), k);
}

static const char *store_name(int k)
{
    return k == STORE_S3 ? "s3" : "disk";
}

static const char *type_name(int t)
{
    return notify_type_name((enum notify_type)t);
}

static const char *delivery_name(int s)
{
    return delivery_state_name((enum delivery_state)s);
}

#define FIELD(type, member, key, how, name)                                                                            \
    { key, how,                                                                                                        \
      _Generic(((type *)0)->member, struct fg_str: DB_TAG_STR, int: DB_TAG_INT, bool: DB_TAG_BOOL, int64_t: DB_TAG_I64), \
      offsetof(type, member), name }
#define F(member, key, how) FIELD(ROW, member, key, how, NULL)
#define N(member, key, name) FIELD(ROW, member, key, NAMED, name)

#define ROW struct dossier_event
static const struct field event_fields[] = {
    F(at_us, "at", TIME),        F(seq, "seq", NUMBER),           F(type, "type", TEXT), N(state, "status", state_name),
    N(stage, "stage", stage_name), F(request_id, "requestId", TEXT), F(data, "data", JSON),
};
#undef ROW
#define ROW struct dossier_attempt
static const struct field attempt_fields[] = {
    F(created_us, "createdAt", TIME),    F(n, "n", NUMBER),
    F(provider, "provider", TEXT),       F(model, "model", TEXT),
    F(adapter, "adapter", TEXT),         F(remote_model, "remoteModel", TEXT),
    N(state, "state", attempt_name),     F(client_ref, "clientRef", TEXT),
    F(provider_job_id, "providerJobId", TEXT), F(answered_us, "answeredAt", TIME),
    F(started_us, "startedAt", TIME),    F(ended_us, "endedAt", TIME),
    N(outcome, "outcome", outcome_name), F(cost_micro, "costMicro", NUMBER),
    F(expected_micro, "expectedMicro", NUMBER), F(detail, "detail", EXCERPT),
    F(seed, "seed", COUNT),              F(odd_word, "unknownWord", TEXT),
    F(cancel_us, "cancelAt", TIME),
};
#undef ROW
#define ROW struct dossier_wire
static const struct field wire_fields[] = {
    F(at_us, "at", TIME),     F(attempt, "attempt", NUMBER), F(what, "what", TEXT),      F(last_us, "lastAt", TIME),
    F(n, "n", NUMBER),        F(took_ms, "tookMs", NUMBER),  F(method, "method", TEXT),  F(url, "url", TEXT),
    F(status, "status", COUNT), F(excerpt, "excerpt", EXCERPT),
};
#undef ROW
#define ROW struct dossier_callback
static const struct field callback_fields[] = {
    F(at_us, "at", TIME),          F(id, "id", NUMBER),       F(provider, "provider", TEXT),
    N(verdict, "verdict", callback_verdict_name), F(is_signed, "signed", FLAG), F(attempt, "attempt", COUNT),
    F(bytes, "bytes", NUMBER),     F(request_id, "requestId", TEXT), F(body, "excerpt", EXCERPT),
};
#undef ROW
#define ROW struct dossier_check
static const struct field check_fields[] = {
    F(at_us, "at", TIME),          F(target, "target", TEXT), F(checker, "checker", TEXT),
    N(verdict, "verdict", check_verdict_name), F(category, "category", TEXT), F(rule, "rule", TEXT),
    F(scores, "scores", JSON),     F(cached, "cached", FLAG),
};
#undef ROW
#define ROW struct dossier_entry
static const struct field entry_fields[] = {
    F(at_us, "at", TIME),          F(id, "id", NUMBER),       N(kind, "kind", entry_name),
    F(amount_micro, "amountMicro", NUMBER), F(currency, "currency", TEXT), F(reference, "reference", TEXT),
    F(note, "note", TEXT),
};
#undef ROW
#define ROW struct dossier_file
static const struct field file_fields[] = {
    F(kind, "kind", TEXT),         F(name, "name", TEXT),     N(store, "store", store_name), F(bytes, "bytes", COUNT),
    F(width, "width", COUNT),      F(height, "height", COUNT), F(duration_ms, "durationMs", COUNT),
    F(digest, "digest", TEXT),     F(stored_us, "storedAt", TIME), F(deleted_us, "deletedAt", TIME),
};
#undef ROW
#define ROW struct dossier_delivery
static const struct field delivery_fields[] = {
    F(created_us, "createdAt", TIME), F(id, "id", TEXT),      F(endpoint, "endpointId", TEXT), F(url, "url", TEXT),
    N(type, "type", type_name),    N(state, "state", delivery_name), F(tries, "tries", NUMBER),
    F(last_status, "lastStatus", COUNT), F(excerpt, "lastExcerpt", EXCERPT), F(next_us, "nextAt", TIME),
    F(delivered_us, "deliveredAt", TIME),
};
#undef ROW
#define ROW struct dossier_hold
static const struct field hold_fields[] = {
    F(since_us, "since", TIME), F(id, "id", NUMBER), F(scope, "scope", TEXT),
    F(reason, "reason", TEXT),  F(by, "by", TEXT),   F(ended_us, "endedAt", TIME),
};
#undef ROW
#define ROW struct dossier_due
static const struct field due_fields[] = {
    N(kind, "kind", due_name), F(due_us, "dueAt", TIME), F(claimed, "claimed", FLAG), F(tries, "tries", NUMBER),
};
#undef ROW
#define ROW struct dossier_action
static const struct field action_fields[] = {
    F(at_us, "at", TIME),       F(id, "id", NUMBER),     F(actor, "actor", TEXT),     F(action, "action", TEXT),
    F(subject, "subject", TEXT), F(reason, "reason", TEXT), F(outcome, "outcome", TEXT), F(data, "data", JSON),
};
#undef ROW

/* One of each list. moment: its name in the timeline; NULL: it is not in it. at: where the time of a row stands. */
static const struct list {
    const char *key, *moment;
    enum db_sql sql;
    const struct field *field;
    unsigned n;
    size_t size, at, rows, rows_n;
} lists[] = {
#define PUT(name, key, moment, sql, at_member)                                                                         \
    [DOSSIER_##name] = { key, moment, sql, name##_fields, FG_LEN(name##_fields), sizeof(struct dossier_##name),        \
                         offsetof(struct dossier_##name, at_member), offsetof(struct dossier, name),                   \
                         offsetof(struct dossier, name##_n) }
    PUT(event, NULL, "event", SQL_DOSSIER_EVENT, at_us),
    PUT(attempt, "attempts", "attempt", SQL_DOSSIER_ATTEMPT, created_us),
    PUT(wire, "wire", "wire", SQL_DOSSIER_WIRE, at_us),
    PUT(callback, "callbacks", "callback", SQL_DOSSIER_CALLBACK, at_us),
    PUT(check, "moderation", "moderation", SQL_DOSSIER_CHECK, at_us),
    PUT(entry, "ledger", "ledger", SQL_DOSSIER_ENTRY, at_us),
    PUT(file, "files", NULL, SQL_DOSSIER_FILE, stored_us),
    PUT(delivery, "deliveries", "delivery", SQL_DOSSIER_DELIVERY, created_us),
    PUT(hold, "holds", NULL, SQL_DOSSIER_HOLD, since_us),
    PUT(due, "due", NULL, SQL_DOSSIER_DUE, due_us),
    PUT(action, "actions", "action", SQL_DOSSIER_ACTION, at_us),
};

static const char *row_of(const struct dossier *d, const struct list *l, size_t i)
{
    return *(const char *const *)(const void *)((const char *)d + l->rows) + i * l->size;
}

static size_t rows_of(const struct dossier *d, const struct list *l)
{
    return *(const size_t *)(const void *)((const char *)d + l->rows_n);
}

static int64_t at_of(const struct dossier *d, const struct list *l, size_t i)
{
    return *(const int64_t *)(const void *)(row_of(d, l, i) + l->at);
}

/* ---- reading ---- */

static enum fg_code read_list(struct fg_ctx *cx, struct db *db, const struct list *l, struct dossier *d)
{
    struct db_col col[COLUMNS_MAX];
    FG_ASSERT(l->n <= COLUMNS_MAX);
    for (unsigned i = 0; i < l->n; i++)
        col[i] = (struct db_col){ l->field[i].tag, l->field[i].at };
    struct db_bind id[] = { DB(d->job.id), DB(d->job.id), DB(d->job.id) };
    struct db_args args = { id, l->sql == SQL_DOSSIER_FILE ? 3 : 1 };
    return db_all(cx, db, l->sql, args, (struct db_cols){ col, l->n }, l->size, (char *)d + l->rows,
                  (size_t *)(void *)((char *)d + l->rows_n));
}

enum fg_code dossier_read(struct fg_ctx *cx, struct db *db, struct fg_str id, struct dossier *out)
{
    static const struct db_col account_cols[] = {
        COL(struct dossier_account, id),       COL(struct dossier_account, name),          COL(struct dossier_account, plan),
        COL(struct dossier_account, currency), COL(struct dossier_account, balance_micro),
    };
    struct dossier d = { 0 };
    bool found = false, known;
    enum fg_code rc = FG_OK;
    if (id_valid(id, FG_LIT("job_")))
        rc = db_one(cx, db, SQL_JOB_BY_PUBLIC_ID, DB_ARGS(DB(id)), job_row, &d.job, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "There is no such job.");
    if (rc == FG_OK)
        rc = db_one(cx, db, SQL_DOSSIER_ACCOUNT, DB_ARGS(DB(d.job.account_id)), DB_COLS(account_cols), &d.account, &known);
    if (rc == FG_OK)
        rc = act_facts_read(cx, db, d.job.id, &d.facts);
    for (size_t i = 0; rc == FG_OK && i < FG_LEN(lists); i++)
        rc = read_list(cx, db, &lists[i], &d);
    if (rc == FG_OK)
        *out = d;
    return rc;
}

/* ---- what happened when ---- */

static int by_time(const void *a, const void *b)
{
    const struct dossier_moment *x = a, *y = b;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->i < y->i ? -1 : x->i > y->i;
}

void dossier_moments(struct fg_ctx *cx, const struct dossier *d, struct dossier_moment **out, size_t *n)
{
    size_t all = 0, at = 0;
    for (size_t k = 0; k < FG_LEN(lists); k++)
        all += lists[k].moment ? rows_of(d, &lists[k]) : 0;
    struct dossier_moment *m = arena_array(cx->mem, struct dossier_moment, all + 1);
    for (size_t k = 0; k < FG_LEN(lists); k++)
        for (size_t i = 0; lists[k].moment && i < rows_of(d, &lists[k]); i++)
            m[at++] = (struct dossier_moment){ at_of(d, &lists[k], i), (enum dossier_kind)k, i };
    qsort(m, all, sizeof *m, by_time);
    *out = m;
    *n = all;
}

/* ---- writing ---- */

static int64_t number(const struct field *f, const char *row)
{
    const void *at = row + f->at;
    if (f->tag == DB_TAG_BOOL)
        return *(const bool *)at;
    return f->tag == DB_TAG_INT ? *(const int *)at : *(const int64_t *)at;
}

static struct fg_str text(const struct field *f, const char *row)
{
    return *(const struct fg_str *)(const void *)(row + f->at);
}

static void add_count(struct jw *w, const char *key, int64_t v)
{
    if (v)
        jw_i64(w, key, v);
    else
        jw_null(w, key);
}

static void add_field(struct fg_ctx *cx, struct jw *w, const char *key, const struct field *f, const char *row)
{
    switch (f->how) {
    case TEXT: jw_str(w, key, text(f, row)); break;
    case TIME: jw_time(w, key, number(f, row)); break;
    case NUMBER: jw_i64(w, key, number(f, row)); break;
    case COUNT: add_count(w, key, number(f, row)); break;
    case FLAG: jw_bool(w, key, number(f, row) != 0); break;
    case NAMED: jw_str(w, key, fg_str_c(f->name((int)number(f, row)))); break;
    case JSON: jw_raw(w, key, text(f, row)); break;
    case EXCERPT:
        jw_str(w, key, text(f, row).p ? redact_excerpt(cx->mem, text(f, row), NULL, 0, EXCERPT_MAX) : FG_NONE);
        break;
    }
}

static void add_row(struct fg_ctx *cx, struct jw *w, const struct dossier *d, const struct list *l, size_t i,
                    bool in_timeline)
{
    jw_open(w, NULL);
    if (in_timeline) {
        jw_str(w, "kind", fg_str_c(l->moment));
        if (strcmp(l->field[0].key, "at") != 0)
            jw_time(w, "at", at_of(d, l, i));
    }
    for (unsigned f = 0; f < l->n; f++) {
        /* "kind" says there which list it is of. */
        const char *key = in_timeline && strcmp(l->field[f].key, "kind") == 0 ? "entry" : l->field[f].key;
        add_field(cx, w, key, &l->field[f], row_of(d, l, i));
    }
    jw_close(w);
}

static void add_timeline(struct fg_ctx *cx, struct jw *w, const struct dossier *d)
{
    struct dossier_moment *m;
    size_t n;
    dossier_moments(cx, d, &m, &n);
    jw_open_array(w, "timeline");
    for (size_t i = 0; i < n; i++)
        add_row(cx, w, d, &lists[m[i].kind], m[i].i, true);
    jw_close_array(w);
}

static void add_summary(struct fg_ctx *cx, struct jw *w, const struct dossier *d)
{
    struct explained *e;
    size_t n;
    dossier_explain(cx, d, &e, &n);
    jw_open_array(w, "summary");
    for (size_t i = 0; i < n; i++) {
        jw_open(w, NULL);
        jw_time(w, "at", e[i].at_us);
        jw_str(w, "text", e[i].text);
        jw_close(w);
    }
    jw_close_array(w);
}

static void add_account(struct jw *w, const struct dossier_account *a)
{
    jw_open(w, "account");
    jw_str(w, "id", a->id);
    jw_str(w, "name", a->name);
    jw_str(w, "plan", a->plan);
    jw_i64(w, "balanceMicro", a->balance_micro);
    jw_str(w, "currency", a->currency);
    jw_close(w);
}

static void add_can(struct jw *w, const struct dossier *d)
{
    unsigned can = act_can(&d->job, &d->facts);
    jw_open_array(w, "can");
    for (unsigned i = 0; i < ACT_KIND_N; i++)
        if (can & 1U << i)
            jw_str(w, NULL, fg_str_c(act_name((enum act_kind)i)));
    if (d->job.stage == STAGE_IN_REVIEW)
        jw_str(w, NULL, FG_LIT("review"));
    jw_close_array(w);
}

static enum fg_code add_job(struct fg_ctx *cx, const struct job_env *env, struct jw *w, const struct dossier *d)
{
    struct sb job = sb_in(cx->mem, DOSSIER_JSON_MAX / 8), seen = sb_in(cx->mem, DOSSIER_JSON_MAX / 8);
    struct review r;
    job_json(cx, env, &d->job, &job);
    jw_raw(w, "job", sb_str(&job));
    enum fg_code rc = review_read(cx, env->db, d->job.public_id, &r);
    if (rc == FG_OK)
        rc = review_json(cx, env, &r, &seen);
    if (rc == FG_OK)
        jw_raw(w, "review", sb_str(&seen));
    else if (rc == FG_NOT_FOUND)
        jw_null(w, "review");
    else
        return rc;
    return job.bad || seen.bad ? fg_fail(cx, FG_INTERNAL, "A job's JSON does not fit") : FG_OK;
}

enum fg_code dossier_json(struct fg_ctx *cx, const struct job_env *env, const struct dossier *d, struct sb *b)
{
    struct jw w = jw_on(b);
    jw_open(&w, NULL);
    enum fg_code rc = add_job(cx, env, &w, d);
    if (rc != FG_OK)
        return rc;
    add_account(&w, &d->account);
    add_summary(cx, &w, d);
    add_timeline(cx, &w, d);
    for (size_t k = 0; k < FG_LEN(lists); k++) {
        if (!lists[k].key)
            continue;
        jw_open_array(&w, lists[k].key);
        for (size_t i = 0; i < rows_of(d, &lists[k]); i++)
            add_row(cx, &w, d, &lists[k], i, false);
        jw_close_array(&w);
    }
    add_can(&w, d);
    jw_close(&w);
    return FG_OK;
}
