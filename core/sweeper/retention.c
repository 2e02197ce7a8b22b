/* What has been kept long enough goes: files by their job's expiry, words by the plan, timelines and callbacks by the
 * configuration. Each turn is one small transaction per kind, so that nobody waits for it; whatever a crash leaves is
 * found by the next walk. Rows that another sweeper has in hand are skipped, and those under a legal hold passed over.
 * Ages are counted by clock_floor_us: a clock that is ahead deletes nothing early. */
#include "base/fault.h"
#include "base/log.h"
#include "media/forecast.h"
#include "sweeper/sweep.h"

#define DAY_US (86400 * FG_US_PER_S)
#define BATCH 10                               /* jobs in a transaction: some milliseconds */
#define CHUNK 200                              /* ids that a walk through a table goes on by */
#define ACCOUNTS 20                            /* looked at in a turn */
#define PAUSE_US (20 * FG_US_PER_MS)           /* between two turns while there is more */
#define REST_US (10 * FG_US_PER_S)             /* after a walk that came to its end */
#define TABLE_REST_US (3600 * FG_US_PER_S)     /* the same of one through a whole table */

struct old_row {
    int64_t id, us;
    bool held;
};
static const struct db_col old_cols[] = { COL(struct old_row, id), COL(struct old_row, us), COL(struct old_row, held) };

struct batch {
    struct sweeper *s;
    struct retention_walk *walk;
    int64_t before_us;
    size_t seen, done;            /* rows; those that went */
    int64_t last_us, last_id;     /* of the last one seen */
    int64_t bytes;
};

static struct fg_str by_retention(struct fg_ctx *cx)
{
    return event_data(cx, "by", FG_LIT("retention"));
}

/* ---- files ---- */

/* An account's row is what every creation waits for: last, and in one order whoever does it. */
struct freed {
    int64_t account_id, bytes;
};

static void add_freed(struct freed v[BATCH], size_t *n, int64_t account_id, int64_t bytes)
{
    size_t i = 0;
    while (i < *n && v[i].account_id < account_id)
        i++;
    if (i == *n || v[i].account_id != account_id) {
        memmove(v + i + 1, v + i, (*n - i) * sizeof *v);
        v[i] = (struct freed){ account_id, 0 };
        ++*n;
    }
    v[i].bytes += bytes;
}

static enum fg_code forget_files(struct fg_ctx *cx, struct db *db, struct batch *b, const struct old_row *row)
{
    struct freed freed[BATCH];
    size_t n = 0;
    enum fg_code rc = FG_OK;
    for (size_t i = 0; i < b->seen && rc == FG_OK; i++) {
        struct job j;
        int64_t bytes = 0;
        if (row[i].held)
            continue;
        rc = job_by_id(cx, db, row[i].id, &j);
        if (rc == FG_OK)
            rc = job_forget_file(cx, db, &j, by_retention(cx), &bytes);
        if (rc != FG_OK)
            break;
        add_freed(freed, &n, j.account_id, bytes);
        b->bytes += bytes;
        b->done++;
    }
    for (size_t i = 0; i < n && rc == FG_OK; i++)
        rc = ledger_storage(cx, db, freed[i].account_id, -freed[i].bytes);
    return rc;
}

static void note_last(struct batch *b, const struct old_row *row, size_t n)
{
    b->seen = n;
    b->done = 0;
    b->bytes = 0;
    if (n) {
        b->last_us = row[n - 1].us;
        b->last_id = row[n - 1].id;
    }
}

static enum fg_code files_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct batch *b = arg;
    struct old_row *row = NULL;
    size_t n = 0;
    enum fg_code rc = hold_gate(cx, db);
    if (rc == FG_OK)
        rc = DB_ALL(cx, db, SQL_EXPIRED_FILES,
                    DB_ARGS(DB(b->before_us), DB(b->walk->at_us), DB(b->walk->at_us), DB(b->walk->at_id), DB(BATCH)),
                    DB_COLS(old_cols), &row, &n);
    if (rc != FG_OK)
        return rc;
    note_last(b, row, n);
    rc = forget_files(cx, db, b, row);
    FG_CRASH_POINT("retention.before_commit");
    return rc;
}

/* ---- words ---- */

static enum fg_code words_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct batch *b = arg;
    struct old_row *row = NULL;
    size_t n = 0;
    enum fg_code rc = hold_gate(cx, db);
    if (rc == FG_OK)
        rc = DB_ALL(cx, db, SQL_OLD_WORDS,
                    DB_ARGS(DB(b->walk->account_id), DB(b->before_us), DB(b->walk->at_us), DB(b->walk->at_us),
                            DB(b->walk->at_id), DB(BATCH)),
                    DB_COLS(old_cols), &row, &n);
    if (rc != FG_OK)
        return rc;
    note_last(b, row, n);
    for (size_t i = 0; i < n && rc == FG_OK; i++) {
        struct job j;
        if (row[i].held)
            continue;
        rc = job_by_id(cx, db, row[i].id, &j);
        if (rc == FG_OK)
            rc = job_forget_words(cx, db, &j, by_retention(cx));
        b->done += rc == FG_OK;
    }
    return rc;
}

/* One transaction of a walk; true when there may be more of it. */
static enum fg_code run_batch(struct sweeper *s, struct retention_walk *w, int64_t before_us, db_body *body,
                              const char *event, bool *more)
{
    struct batch b = { .s = s, .walk = w, .before_us = before_us };
    enum fg_code rc = db_tx(&s->cx, s->env.db, body, &b);
    *more = false;
    if (rc != FG_OK)
        return rc;
    *more = b.seen == BATCH;
    w->at_us = b.seen ? b.last_us : w->at_us;
    w->at_id = b.seen ? b.last_id : w->at_id;
    if (b.done)
        fg_log(&s->cx, LOG_INFO, event, LOG_I("jobs", (int64_t)b.done), LOG_I("bytes", b.bytes));
    FG_CRASH_POINT("retention.committed");
    return FG_OK;
}

static void rest(struct sweeper *s, struct retention_walk *w, int64_t us)
{
    *w = (struct retention_walk){ .rest_us = ctx_mono_us(&s->cx) + us };
}

static enum fg_code files(struct sweeper *s, struct retention_walk *w, int64_t floor_us)
{
    bool more;
    enum fg_code rc = run_batch(s, w, floor_us, files_body, "retention.files", &more);
    if (rc == FG_OK && !more)
        rest(s, w, REST_US);
    return rc;
}

struct wordy {
    int64_t account_id, days;
};
static const struct db_col wordy_cols[] = { COL(struct wordy, account_id), COL(struct wordy, days) };

/* Account by account, and in one with a lot to do until it is through. */
static enum fg_code words(struct sweeper *s, struct retention_walk *w, int64_t floor_us)
{
    struct wordy *row;
    size_t n;
    bool more = false;
    int64_t from = w->at_us ? w->account_id - 1 : w->account_id;
    enum fg_code rc = DB_ALL(&s->cx, s->env.db, SQL_WORDY_ACCOUNTS, DB_ARGS(DB(from), DB(ACCOUNTS)), DB_COLS(wordy_cols),
                             &row, &n);
    for (size_t i = 0; i < n && rc == FG_OK && !more; i++) {
        if (row[i].account_id != w->account_id)
            *w = (struct retention_walk){ .account_id = row[i].account_id };
        rc = run_batch(s, w, floor_us - row[i].days * DAY_US, words_body, "retention.words", &more);
        if (rc == FG_OK && !more)
            w->at_us = w->at_id = 0;
    }
    if (rc == FG_OK && !more && n < ACCOUNTS)
        rest(s, w, REST_US);
    return rc;
}

/* ---- timelines and callbacks ---- */

struct newest {
    int64_t job, receipt;
};
static const struct db_col newest_cols[] = { COL(struct newest, job), COL(struct newest, receipt) };

static enum fg_code chunk(struct sweeper *s, struct retention_walk *w, enum db_sql sql, int64_t newest, int64_t before_us)
{
    enum fg_code rc = db_run(&s->cx, s->env.db, sql, DB_ARGS(DB(w->at_id), DB(w->at_id + CHUNK), DB(before_us)));
    if (rc == FG_OK)
        w->at_id += CHUNK;
    if (rc == FG_OK && w->at_id >= newest)
        rest(s, w, TABLE_REST_US);
    return rc;
}

static enum fg_code tables(struct sweeper *s, struct retention *r, int64_t floor_us, int64_t mono)
{
    const struct conf *conf = s->env.conf;
    struct newest newest = { 0, 0 };
    bool found, events = conf->retention_events_days && mono >= r->events.rest_us;
    bool receipts = conf->retention_callbacks_days && mono >= r->receipts.rest_us;
    if (!events && !receipts)
        return FG_OK;
    enum fg_code rc = db_one(&s->cx, s->env.db, SQL_NEWEST_ROWS, DB_NO_ARGS, DB_COLS(newest_cols), &newest, &found);
    if (rc == FG_OK && events)
        rc = chunk(s, &r->events, SQL_EVENTS_DROP, newest.job, floor_us - conf->retention_events_days * DAY_US);
    if (rc == FG_OK && receipts)
        rc = chunk(s, &r->receipts, SQL_RECEIPTS_DROP, newest.receipt, floor_us - conf->retention_callbacks_days * DAY_US);
    return rc;
}

/* ---- accounts and users ---- */

static enum fg_code erasures(struct sweeper *s, struct retention *r)
{
    bool more;
    enum fg_code rc = erasure_step(&s->cx, s->env.db, s->env.pepper, &more);
    r->erasure_us = ctx_mono_us(&s->cx) + (more ? 0 : REST_US);
    return rc;
}

/* What is kept now, as today's: the forecast goes by how that has grown. */
static enum fg_code note_storage(struct sweeper *s, struct retention *r)
{
    struct db *db = s->env.db;
    int64_t day = s->cx.now_us / DAY_US;
    enum fg_code rc = db_run(&s->cx, db, SQL_STORAGE_OUTPUTS, DB_ARGS(DB(day)));
    if (rc == FG_OK)
        rc = db_run(&s->cx, db, SQL_STORAGE_UPLOADS, DB_ARGS(DB(day)));
    if (rc == FG_OK)
        rc = db_run(&s->cx, db, SQL_STORAGE_PURGE, DB_ARGS(DB(clock_floor_us(&s->clock) / DAY_US - FORECAST_DAYS - 1)));
    if (rc == FG_OK)
        r->storage_us = ctx_mono_us(&s->cx) + TABLE_REST_US;
    return rc;
}

static int64_t next_of(const struct sweeper *s, const struct retention *r, int64_t mono)
{
    const struct conf *conf = s->env.conf;
    int64_t next = r->files.rest_us < r->words.rest_us ? r->files.rest_us : r->words.rest_us;
    if (r->erasure_us < next)
        next = r->erasure_us;
    if (conf->retention_events_days && r->events.rest_us < next)
        next = r->events.rest_us;
    if (conf->retention_callbacks_days && r->receipts.rest_us < next)
        next = r->receipts.rest_us;
    return next < mono + PAUSE_US ? mono + PAUSE_US : next;
}

int64_t retention_pass(struct sweeper *s)
{
    struct retention *r = &s->retention;
    int64_t mono = ctx_mono_us(&s->cx), floor_us = clock_floor_us(&s->clock);
    if (mono < r->next_us)
        return r->next_us - mono;
    enum fg_code rc = FG_OK;
    if (mono >= r->files.rest_us)
        rc = files(s, &r->files, floor_us);
    if (rc == FG_OK && mono >= r->words.rest_us)
        rc = words(s, &r->words, floor_us);
    if (rc == FG_OK)
        rc = tables(s, r, floor_us, mono);
    if (rc == FG_OK && mono >= r->erasure_us)
        rc = erasures(s, r);
    if (rc == FG_OK && mono >= r->storage_us)
        rc = note_storage(s, r);
    mono = ctx_mono_us(&s->cx);
    r->next_us = next_of(s, r, mono);
    if (rc != FG_OK) {
        sweep_failed(s, rc, "retention.failed", fg_str_c(s->name));
        r->next_us = mono + REST_US;
    }
    return r->next_us - mono;
}
