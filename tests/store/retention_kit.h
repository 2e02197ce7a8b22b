/* Jobs of some age, and what becomes of them: for the tests of what is kept and what goes. */
#ifndef FG_TESTS_RETENTION_KIT_H
#define FG_TESTS_RETENTION_KIT_H

#include "store/cli_kit.h"

#define DAY_US (86400 * FG_US_PER_S)
#define FAR 86400
#define RUN_BARE(w, fn, out) cli_run((w), (fn), (out), (const char *const[]){ NULL })

/* ---- how jobs of some age come to be ---- */

static inline struct fg_str made_with(struct job_world *w, const char *members)
{
    struct job_answer a;
    CHECK_CODE(w->cx, create_job(w, arena_fmt(w->cx->mem, "{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                                              "\"model\":\"replay-1\",\"metadata\":{\"k\":\"v\"}%s}", members), "key", &a), FG_OK);
    do_sql(w, "UPDATE idempotency SET key_digest = UNHEX(MD5(RAND())) WHERE job_id = (SELECT MAX(id) FROM job)");
    run_to_end(w, a.job_id);
    CHECK_I64(job_now(w, a.job_id).state, JOB_SUCCEEDED, "made");
    clock_add(w, 60 * FG_US_PER_S); /* the next one is no duplicate of it */
    return a.job_id;
}

static inline struct fg_str made(struct job_world *w)
{
    return made_with(w, "");
}

static inline void plan(struct job_world *w, const char *set)
{
    do_sql(w, "UPDATE plan p JOIN account a ON a.plan_id = p.id SET %s WHERE a.id = 1", set);
}

/* Turns of a sweeper's walks, each from the beginning, until nothing is left to do. */
static inline void retain_with(struct sweeper *s)
{
    for (int i = 0; i < 2; i++) {
        s->retention = (struct retention){ 0 };
        for (int turns = 0; turns < 500 && s->retention.files.rest_us == 0; turns++) {
            s->retention.next_us = 0;
            look_anew(s);
            (void)sweep_pass(s);
            drain(s);
        }
    }
    s->retention.next_us = INT64_MAX;
    settle_with(s);
}

static inline void retain(struct job_world *w)
{
    retain_with(&w->sweeper);
}

static inline struct fg_str last_event(struct job_world *w, struct fg_str id)
{
    return ask_text(w, "SELECT CONCAT(e.kind, ' ', IFNULL(e.data, '')) FROM job_event e JOIN job j ON j.id = e.job_id "
                       "WHERE j.public_id = '%.*s' ORDER BY e.seq DESC LIMIT 1", FG_P(id));
}

static inline int64_t words_of(struct job_world *w, struct fg_str id)
{
    return ask(w, "SELECT (prompt IS NOT NULL) + (metadata IS NOT NULL) + (SELECT COUNT(*) FROM idempotency i WHERE "
                  "i.job_id = j.id AND i.answer <> '') FROM job j WHERE public_id = '%.*s'", FG_P(id));
}

static inline void hold(struct job_world *w, const char *option, const char *value)
{
    const char *out;
    CHECK_CODE(w->cx, RUN(w, cli_hold_add, &out, "acct_1", "--reason", "court", "--by", "eve", option, value), FG_OK);
}

static inline void check_kept(struct job_world *w, struct fg_str id, bool kept, const char *why)
{
    CHECK_I64(files_of(w, id), kept ? 2 : 0, why);
    CHECK_I64(words_of(w, id) > 0, kept, why);
}

#endif
