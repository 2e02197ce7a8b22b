/* The whole file of one job, for the people who have to explain what happened to it: every row that any table has of it,
 * in JSON (`GET /v1/admin/jobs/{id}`) and in sentences. Words for support alone: reasons, excerpts, other people's
 * webhooks stand in it. */
#ifndef FG_JOB_DOSSIER_H
#define FG_JOB_DOSSIER_H

#include "job/act.h"

#define DOSSIER_ROWS_MAX 1000 /* of each list; what is more is left out, the newest first */
#define DOSSIER_JSON_MAX (3 * FG_MIB)

struct dossier_event {
    int64_t at_us, seq;
    struct fg_str type, request_id, data; /* data: JSON object text */
    int state, stage;
};
struct dossier_attempt {
    int64_t created_us, answered_us, started_us, ended_us, cancel_us, cost_micro, expected_micro, seed;
    int n, state, outcome;
    struct fg_str provider, model, adapter, remote_model, client_ref, provider_job_id, detail, odd_word;
};
struct dossier_wire {
    int64_t at_us, last_us, n, took_ms;
    int attempt, status;              /* status 0: no answer came */
    struct fg_str what, method, url, excerpt;
};
struct dossier_callback {
    int64_t id, at_us, bytes;
    int verdict, attempt;             /* attempt 0: of none */
    bool is_signed;
    struct fg_str provider, request_id, body;
};
struct dossier_entry {
    int64_t id, at_us, amount_micro;
    int kind;                         /* enum ledger_kind */
    struct fg_str currency, reference, note;
};
struct dossier_check {
    int64_t at_us;
    int verdict;                      /* enum check_verdict */
    bool cached;
    struct fg_str target, checker, category, rule, scores;
};
struct dossier_file {
    int64_t bytes, width, height, duration_ms, stored_us, deleted_us;
    int store;                        /* enum store_kind (media/store.h) */
    struct fg_str kind, name, digest; /* "video", "poster", "upload"; digest in hex */
};
struct dossier_due {
    int64_t due_us, tries;
    int kind;                         /* enum due_kind (job/store.h) */
    bool claimed;
};
struct dossier_delivery {
    int64_t created_us, next_us, delivered_us;
    int type, state, tries, last_status;
    struct fg_str id, endpoint, url, excerpt;
};
struct dossier_hold {
    int64_t id, since_us, ended_us;
    struct fg_str scope, reason, by;
};
struct dossier_action {
    int64_t id, at_us;
    struct fg_str actor, action, subject, reason, outcome, data;
};
struct dossier_account {
    struct fg_str id, name, plan, currency;
    int64_t balance_micro;
};

/* LIST(name, type of a row) */
#define DOSSIER_LISTS(LIST)                                                                                            \
    LIST(event, struct dossier_event) LIST(attempt, struct dossier_attempt) LIST(wire, struct dossier_wire)            \
    LIST(callback, struct dossier_callback) LIST(check, struct dossier_check) LIST(entry, struct dossier_entry)        \
    LIST(file, struct dossier_file) LIST(delivery, struct dossier_delivery) LIST(hold, struct dossier_hold)            \
    LIST(due, struct dossier_due) LIST(action, struct dossier_action)
struct dossier {
    struct job job;
    struct dossier_account account;
    struct act_facts facts;
#define LIST(name, type)                                                                                               \
    type *name;                                                                                                        \
    size_t name##_n;
    DOSSIER_LISTS(LIST)
#undef LIST
};

/* Any account's. Each list is as its moment had it. FG_NOT_FOUND. */
enum fg_code dossier_read(struct fg_ctx *cx, struct db *db, struct fg_str id, struct dossier *out) FG_MUST_CHECK;

/* The contract is in www/openapi.json (AdminJob). */
enum fg_code dossier_json(struct fg_ctx *cx, const struct job_env *env, const struct dossier *d, struct sb *b) FG_MUST_CHECK;

/* One sentence of what happened. Pure. */
struct explained {
    int64_t at_us;
    struct fg_str text;
};
/* In order of time, how things stand now at the end. */
void dossier_explain(struct fg_ctx *cx, const struct dossier *d, struct explained **out, size_t *n);

/* ---- all lists in order of time: shared by the JSON's timeline and the sentences ---- */

enum dossier_kind {
#define LIST(name, type) DOSSIER_##name,
    DOSSIER_LISTS(LIST)
#undef LIST
};
struct dossier_moment {
    int64_t at_us;
    enum dossier_kind kind;
    size_t i;                         /* in the list of that kind */
};
/* Of the kinds that happen at a moment: all but files, holds and due work. */
void dossier_moments(struct fg_ctx *cx, const struct dossier *d, struct dossier_moment **out, size_t *n);

#endif
