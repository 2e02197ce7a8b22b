#include "job/moderation.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "io/json.h"
#include "job/store.h"

#define DATA_MAX 400
#define RULE_MAX 200
#define SCORES_MAX 4000
#define MINUTE_US (60 * FG_US_PER_S)
#define DAY_US (86400 * FG_US_PER_S)
#define SLOW_MINUTES_MAX 60

const char *check_verdict_name(int verdict)
{
    static const char *const name[] = {
        [CHECK_PASS] = "pass", [CHECK_REVIEW] = "review", [CHECK_BLOCK] = "block", [CHECK_AWAY] = "away",
    };
    return verdict >= CHECK_PASS && verdict <= CHECK_AWAY ? name[verdict] : "unknown";
}

struct fg_str check_data(struct fg_ctx *cx, const struct check *c)
{
    struct sb b = sb_in(cx->mem, DATA_MAX);
    struct jw w = jw_on(&b);
    jw_open(&w, NULL);
    jw_str(&w, "checker", c->checker);
    jw_str(&w, "target", c->target);
    jw_str(&w, "verdict", fg_str_c(check_verdict_name(c->verdict)));
    jw_str(&w, "category", c->category);
    jw_close(&w);
    return b.bad ? FG_NONE : sb_str(&b);
}

enum fg_code checks_record(struct fg_ctx *cx, struct db *db, int64_t job_id, const struct check *c, size_t n)
{
    enum fg_code rc = FG_OK;
    for (size_t i = 0; rc == FG_OK && i < n; i++) {
        struct fg_str scores = c[i].scores.n <= SCORES_MAX ? c[i].scores : FG_NONE;
        rc = db_run(cx, db, SQL_MODERATION_INSERT,
                    DB_ARGS(DB(job_id), DB(c[i].target), DB(c[i].checker), DB(c[i].verdict), DB(c[i].category),
                            DB(utf8_cut(c[i].rule, RULE_MAX)), DB(scores), DB(c[i].ref), DB(c[i].cached), DB(cx->now_us)));
        if (rc == FG_OK)
            rc = db_run(cx, db, SQL_MODERATION_COUNT, DB_ARGS(DB(c[i].checker), DB(c[i].verdict)));
    }
    return rc;
}

static const struct db_col check_cols[] = {
    COL(struct check, target), COL(struct check, checker), COL(struct check, verdict),
    COL(struct check, category), COL(struct check, rule), COL(struct check, scores),
    COL(struct check, ref), COL(struct check, cached), COL(struct check, at_us),
};

enum fg_code checks_read(struct fg_ctx *cx, struct db *db, int64_t job_id, struct check **out, size_t *n)
{
    return DB_ALL(cx, db, SQL_MODERATION_OF_JOB, DB_ARGS(DB(job_id)), DB_COLS(check_cols), out, n);
}

/* ---- the brake ---- */

static struct fg_str whose(struct fg_str user_id)
{
    return user_id.p ? user_id : FG_LIT("");
}

enum fg_code blocks_count(struct fg_ctx *cx, struct db *db, const struct job *j)
{
    return db_run(cx, db, SQL_BLOCK_COUNT,
                  DB_ARGS(DB(j->account_id), DB(whose(j->user_id)), DB(use_day(cx->now_us)), DB(cx->now_us),
                          DB(cx->now_us)));
}

int64_t blocks_until(const struct conf *conf, int64_t n, int64_t last_us, int64_t day_us)
{
    int64_t slow = conf->moderation_blocks_slow, stop = conf->moderation_blocks_stop, minutes = 1;
    if (stop && n >= stop)
        return day_us + DAY_US;
    if (!slow || n < slow)
        return 0;
    for (int64_t i = slow; i < n && minutes < SLOW_MINUTES_MAX; i++)
        minutes *= 2;
    return last_us + (minutes < SLOW_MINUTES_MAX ? minutes : SLOW_MINUTES_MAX) * MINUTE_US;
}

struct blocks {
    int64_t n, last_us;
};
static const struct db_col blocks_cols[] = { COL(struct blocks, n), COL(struct blocks, last_us) };

enum fg_code blocks_check(struct fg_ctx *cx, struct db *db, const struct conf *conf, int64_t account_id,
                          struct fg_str user_id)
{
    struct blocks b = { 0 };
    bool found;
    int64_t day_us = use_day(cx->now_us);
    if (!conf->moderation_blocks_slow && !conf->moderation_blocks_stop)
        return FG_OK;
    enum fg_code rc = db_one(cx, db, SQL_BLOCKS_OF, DB_ARGS(DB(account_id), DB(whose(user_id)), DB(day_us)),
                             DB_COLS(blocks_cols), &b, &found);
    if (rc != FG_OK || !found)
        return rc;
    int64_t until_us = blocks_until(conf, b.n, b.last_us, day_us);
    if (until_us <= cx->now_us)
        return FG_OK;
    bool stopped = until_us == day_us + DAY_US;
    (void)fg_fail(cx, FG_TOO_MANY_BLOCKED,
                  stopped ? "%lld requests were blocked by the content policy today: no more until midnight (UTC)."
                          : "%lld requests were blocked by the content policy today: wait a while before the next one.",
                  (long long)b.n);
    cx->err.retry_after_s = (int)((until_us - cx->now_us + FG_US_PER_S - 1) / FG_US_PER_S);
    return FG_TOO_MANY_BLOCKED;
}
