#include "base/arena.h"
#include "base/time.h"
#include "handlers.h"
#include "io/json.h"
#include "job/moderation.h"
#include "job/store.h"

/* A sweeper beats far more often; a pause this long means that nothing moves. */
#define HEARTBEAT_MAX_US (30 * FG_US_PER_S)

struct health {
    int64_t schema_version; /* -1: none, or a migration stopped half-way */
    int64_t sweeper_us;     /* 0: never seen */
};
static const struct db_col health_cols[] = { COL(struct health, schema_version),
                                             COL(struct health, sweeper_us) };

enum fg_code meta_health(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                         struct web_resp *resp)
{
    (void)app;
    (void)req;
    sb_add(&resp->body, FG_LIT("{\"status\":\"alive\"}"));
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

static enum fg_code read_health(struct fg_ctx *cx, const struct web_app *app, struct health *h)
{
    bool found;
    enum fg_code rc = db_one(cx, app->db, SQL_HEALTH, DB_NO_ARGS, DB_COLS(health_cols), h, &found);
    if (rc != FG_OK) {
        struct fg_str cause = arena_str(cx->mem, fg_str_c(cx->err.detail));
        (void)fg_fail(cx, FG_NOT_READY, "The database does not answer.");
        return fg_cause(cx, "%.*s", FG_P(cause));
    }
    FG_ASSERT(found);
    return FG_OK;
}

enum fg_code meta_ready(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                        struct web_resp *resp)
{
    (void)req;
    struct health h;
    enum fg_code rc = read_health(cx, app, &h);
    if (rc != FG_OK)
        return rc;
    if (h.schema_version != FG_SCHEMA_VERSION)
        return fg_fail(cx, FG_NOT_READY,
                       "The schema is at version %lld; this program needs %d (filmgate migrate).",
                       (long long)h.schema_version, FG_SCHEMA_VERSION);
    if (!h.sweeper_us)
        return fg_fail(cx, FG_NOT_READY, "No sweeper has ever run.");
    if (cx->now_us - h.sweeper_us > HEARTBEAT_MAX_US)
        return fg_fail(cx, FG_NOT_READY, "The last sign of a sweeper is %lld s old.",
                       (long long)((cx->now_us - h.sweeper_us) / FG_US_PER_S));
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_str(&w, "status", FG_LIT("ready"));
    jw_i64(&w, "schemaVersion", h.schema_version);
    jw_time(&w, "sweeperSeenAt", h.sweeper_us);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

struct stage_count {
    int stage;
    int64_t n;
};
static const struct db_col stage_cols[] = { COL(struct stage_count, stage),
                                            COL(struct stage_count, n) };
struct due_count {
    int kind;
    int64_t n, oldest_us;
};
static const struct db_col due_cols[] = { COL(struct due_count, kind), COL(struct due_count, n),
                                          COL(struct due_count, oldest_us) };
static const struct db_col webhook_cols[] = { COL(struct due_count, n),
                                              COL(struct due_count, oldest_us) };

static void head(struct sb *b, const char *name, const char *help)
{
    sb_addf(b, "# HELP filmgate_%s %s\n# TYPE filmgate_%s gauge\n", name, help, name);
}

static void add_seconds(struct sb *b, int64_t us)
{
    int64_t ms = us > 0 ? us / FG_US_PER_MS : 0;
    sb_addf(b, " %lld.%03lld\n", (long long)(ms / 1000), (long long)(ms % 1000));
}

/* Every stage is told, with 0 where there is nothing: a series that comes and goes cannot be
 * watched. */
static void add_stages(struct sb *b, const struct stage_count *row, size_t n)
{
    static const struct job_place place[] = {
        { JOB_PENDING, STAGE_MODERATING },     { JOB_PENDING, STAGE_IN_REVIEW },
        { JOB_PENDING, STAGE_WAITING },        { JOB_PENDING, STAGE_SUBMITTING },
        { JOB_PENDING, STAGE_SUBMIT_UNKNOWN }, { JOB_QUEUED, STAGE_AT_PROVIDER },
        { JOB_PROCESSING, STAGE_RENDERING },   { JOB_PROCESSING, STAGE_STORING },
    };
    head(b, "jobs_in_flight", "Jobs that have not ended, by status and stage.");
    for (size_t i = 0; i < FG_LEN(place); i++) {
        int64_t have = 0;
        for (size_t k = 0; k < n; k++)
            if (row[k].stage == (int)place[i].stage)
                have = row[k].n;
        sb_addf(b, "filmgate_jobs_in_flight{status=\"%s\",stage=\"%s\"} %lld\n",
                job_state_name(place[i].state), job_stage_name(place[i].stage), (long long)have);
    }
}

static void add_due(struct sb *b, const struct due_count *row, size_t n, int64_t now_us)
{
    static const char *const kind[DUE_KIND_N] = {
        [DUE_DISPATCH] = "dispatch", [DUE_RESOLVE] = "resolve",   [DUE_POLL] = "poll",
        [DUE_INGEST] = "ingest",     [DUE_DEADLINE] = "deadline", [DUE_ERASE] = "erase",
        [DUE_SENDING] = "sending",   [DUE_MODERATE] = "moderate",
    };
    struct due_count by_kind[DUE_KIND_N] = { 0 };
    for (size_t i = 0; i < n; i++)
        if (row[i].kind > 0 && row[i].kind < DUE_KIND_N)
            by_kind[row[i].kind] = row[i];
    head(b, "due_rows", "Work in the due table, now or later, by kind.");
    for (int k = 1; k < DUE_KIND_N; k++)
        sb_addf(b, "filmgate_due_rows{kind=\"%s\"} %lld\n", kind[k], (long long)by_kind[k].n);
    head(b, "due_lateness_seconds",
         "How long the oldest work of a kind has been due; 0 when none is late.");
    for (int k = 1; k < DUE_KIND_N; k++) {
        sb_addf(b, "filmgate_due_lateness_seconds{kind=\"%s\"}", kind[k]);
        add_seconds(b, by_kind[k].n ? now_us - by_kind[k].oldest_us : 0);
    }
}

/* A receiver that is down makes the first grow, a sweeper that does not keep up the second. */
static void add_webhooks(struct sb *b, const struct due_count *row, int64_t now_us)
{
    head(b, "webhook_deliveries_pending", "Webhooks that are to be sent, now or later.");
    sb_addf(b, "filmgate_webhook_deliveries_pending %lld\n", (long long)row->n);
    head(b, "webhook_lateness_seconds",
         "How long the oldest of them has been due; 0 when none is late.");
    sb_add(b, FG_LIT("filmgate_webhook_lateness_seconds"));
    add_seconds(b, row->n ? now_us - row->oldest_us : 0);
}

struct audited {
    int64_t checked_us, broken;
};
static const struct db_col audited_cols[] = { COL(struct audited, checked_us), COL(struct audited, broken) };

/* Of the nightly proof; without an age it has never come to its end. */
static void add_audit(struct sb *b, const struct audited *a, int64_t now_us)
{
    head(b, "ledger_rules_broken", "Jobs that break a rule of the ledger: see filmgate audit ledger.");
    sb_addf(b, "filmgate_ledger_rules_broken %lld\n", (long long)a->broken);
    if (!a->checked_us)
        return;
    head(b, "ledger_checked_age_seconds", "Since the ledger was last gone through.");
    sb_add(b, FG_LIT("filmgate_ledger_checked_age_seconds"));
    add_seconds(b, now_us - a->checked_us);
}

struct tally {
    struct fg_str checker;
    int verdict;
    int64_t n;
};
static const struct db_col tally_cols[] = { COL(struct tally, checker), COL(struct tally, verdict), COL(struct tally, n) };
struct checker_state {
    struct fg_str name;
    int64_t away_us;
    bool refused;
};
static const struct db_col checker_cols[] = { COL(struct checker_state, name), COL(struct checker_state, away_us),
                                              COL(struct checker_state, refused) };

/* Jobs that are held are among jobs_in_flight, as stage in_review. */
static enum fg_code add_moderation(struct fg_ctx *cx, struct web_app *app, struct sb *b)
{
    struct tally *tally;
    struct checker_state *state;
    size_t tally_n, state_n;
    enum fg_code rc = DB_ALL(cx, app->db, SQL_MODERATION_TALLIES, DB_NO_ARGS, DB_COLS(tally_cols), &tally, &tally_n);
    if (rc == FG_OK)
        rc = DB_ALL(cx, app->db, SQL_CHECKERS, DB_NO_ARGS, DB_COLS(checker_cols), &state, &state_n);
    if (rc != FG_OK)
        return rc;
    head(b, "moderation_verdicts", "Checks since the beginning, by checker and verdict.");
    for (size_t i = 0; i < tally_n; i++)
        sb_addf(b, "filmgate_moderation_verdicts{checker=\"%.*s\",verdict=\"%s\"} %lld\n", FG_P(tally[i].checker),
                check_verdict_name(tally[i].verdict), (long long)tally[i].n);
    head(b, "moderation_service_away_seconds", "How long a service has not answered; refused: it does not take our key.");
    for (size_t i = 0; i < state_n; i++) {
        sb_addf(b, "filmgate_moderation_service_away_seconds{service=\"%.*s\",refused=\"%s\"}", FG_P(state[i].name),
                state[i].refused ? "yes" : "no");
        add_seconds(b, state[i].away_us ? cx->now_us - state[i].away_us : 0);
    }
    return FG_OK;
}

struct storage_count {
    int64_t n, urgent_n, forgotten_us;
};
static const struct db_col storage_cols[] = { COL(struct storage_count, n), COL(struct storage_count, urgent_n),
                                              COL(struct storage_count, forgotten_us) };

static void add_storage(struct sb *b, const struct storage_count *row, int64_t now_us)
{
    head(b, "jobs_waiting_for_storage", "Finished videos that our own store could not take yet.");
    sb_addf(b, "filmgate_jobs_waiting_for_storage %lld\n", (long long)row->n);
    head(b, "jobs_soon_forgotten", "Of those, the ones whose provider gives them up within a quarter of its time.");
    sb_addf(b, "filmgate_jobs_soon_forgotten %lld\n", (long long)row->urgent_n);
    head(b, "storage_wait_seconds_left", "Until the first of them is given up; 0 when none is, or nobody knows.");
    sb_add(b, FG_LIT("filmgate_storage_wait_seconds_left"));
    add_seconds(b, row->forgotten_us ? row->forgotten_us - now_us : 0);
}

/* Counters of one process say little behind a pool, and die with it: these are the database's
 * truths, the same whichever process answers. */
enum fg_code meta_metrics(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                          struct web_resp *resp)
{
    (void)req;
    struct health h;
    struct stage_count *stages;
    struct due_count *due, webhooks = { 0 };
    struct audited audited = { 0 };
    struct storage_count storage = { 0 };
    size_t stage_n, due_n;
    bool found;
    enum fg_code rc = read_health(cx, app, &h);
    if (rc == FG_OK)
        rc = DB_ALL(cx, app->db, SQL_HEALTH_STAGES, DB_NO_ARGS, DB_COLS(stage_cols), &stages,
                    &stage_n);
    if (rc == FG_OK)
        rc = DB_ALL(cx, app->db, SQL_HEALTH_DUE, DB_NO_ARGS, DB_COLS(due_cols), &due, &due_n);
    if (rc == FG_OK)
        rc = db_one(cx, app->db, SQL_HEALTH_WEBHOOKS, DB_NO_ARGS, DB_COLS(webhook_cols), &webhooks,
                    &found);
    if (rc == FG_OK)
        rc = db_one(cx, app->db, SQL_LEDGER_AUDITED, DB_NO_ARGS, DB_COLS(audited_cols), &audited, &found);
    if (rc == FG_OK)
        rc = db_one(cx, app->db, SQL_HEALTH_STORAGE, DB_ARGS(DB(cx->now_us)), DB_COLS(storage_cols), &storage, &found);
    if (rc != FG_OK)
        return rc;
    struct sb *b = &resp->body;
    resp->content_type = FG_LIT("text/plain; version=0.0.4; charset=utf-8");
    head(b, "build_info", "The schema version that the program was built for, and what it found.");
    sb_addf(b, "filmgate_build_info{program=\"%s\",schema=\"%d\",schema_found=\"%lld\"} 1\n",
            app->program, FG_SCHEMA_VERSION, (long long)h.schema_version);
    add_stages(b, stages, stage_n);
    add_due(b, due, due_n, cx->now_us);
    add_webhooks(b, &webhooks, cx->now_us);
    add_audit(b, &audited, cx->now_us);
    add_storage(b, &storage, cx->now_us);
    if (h.sweeper_us) {
        head(b, "sweeper_heartbeat_age_seconds", "Since a sweeper last gave a sign.");
        sb_add(b, FG_LIT("filmgate_sweeper_heartbeat_age_seconds"));
        add_seconds(b, cx->now_us - h.sweeper_us);
    }
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    rc = add_moderation(cx, app, b);
    if (rc == FG_OK)
        rc = storage_metrics(cx, app, b);
    return rc == FG_OK ? status_metrics(cx, app, b) : rc;
}
