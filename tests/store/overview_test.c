/* How everything stands: every way to be stuck is made and found, and nothing is said of a world that is well. */
#include "base/arena.h"
#include "io/json.h"
#include "job/overview.h"
#include "store/job_world.h"

#define FAR 86400

static const struct js *overview(struct job_world *w)
{
    const struct js *all;
    struct sb b = sb_in(w->cx->mem, FG_MIB);
    CHECK_CODE(w->cx, overview_json(w->cx, &w->env, &b), FG_OK);
    CHECK_CODE(w->cx, js_parse(w->cx, sb_str(&b), &all), FG_OK);
    return all;
}

static struct fg_str text_of(const struct js *v, const char *key)
{
    struct fg_str s = FG_NONE;
    (void)js_str(js_get(v, key), &s);
    return s;
}

static int64_t number_of(const struct js *v, const char *key)
{
    int64_t n = -1;
    (void)js_i64(js_get(v, key), &n);
    return n;
}

static const struct js *named(const struct js *list, const char *key, const char *name)
{
    for (size_t i = 0; i < js_len(list); i++)
        if (fg_eq(text_of(js_at(list, i), key), fg_str_c(name)))
            return js_at(list, i);
    return NULL;
}

TEST(a_world_that_is_well)
{
    struct job_world w;
    job_world_begin(&w);
    run_to_end(&w, new_job(&w, "list-1", FAR));
    (void)new_job(&w, "list-1", FAR);
    clock_add(&w, 90 * FG_US_PER_S);
    const struct js *all = overview(&w), *states = js_get(all, "states");
    CHECK_I64(js_len(js_get(all, "stuck")), 0, "nothing is stuck");
    CHECK_I64(js_len(js_get(all, "unknownSubmits")), 0, "no doubt");
    CHECK_I64(js_len(states), 2, "one waits, one is done");
    CHECK_STR(text_of(js_at(states, 0), "stage"), FG_LIT("waiting"), "in flight first");
    CHECK_I64(number_of(named(states, "status", "succeeded"), "n"), 1, "finished within the day");
    CHECK_I64(number_of(js_at(js_get(all, "ages"), 0), "underMinute"), 0, "ages: not so young any more");
    CHECK_I64(number_of(js_at(js_get(all, "ages"), 0), "underHour"), 1, "ages: within the hour");
    const struct js *list = named(js_get(all, "providers"), "name", "list"), *hour = js_get(list, "history");
    CHECK_STR(text_of(list, "breaker"), FG_LIT("closed"), "its breaker");
    CHECK_I64(number_of(list, "waiting"), 1, "its line");
    CHECK_I64(js_len(hour), 1, "one piece of its history");
    CHECK_I64(number_of(js_at(hour, 0), "accepted"), 1, "accepted");
    CHECK_I64(number_of(js_at(hour, 0), "good"), 1, "and made");
    CHECK_I64(number_of(js_get(all, "storage"), "bytes"), 0, "nothing has been written down about the disk yet");
    CHECK_I64(number_of(js_get(all, "ledgerAudit"), "broken"), 0, "the books");
    job_world_end(&w, 0);
}

/* Each is brought about by SQL on a job that a provider has. */
TEST(every_way_to_be_stuck_is_found)
{
    static const struct {
        const char *why, *sql;
        int64_t after_s;
    } row[] = {
        { "no_due_work", "DELETE FROM due WHERE kind <> 5", 0 },
        { "overdue", "UPDATE due SET due_us = due_us - 1000000000, owner = NULL WHERE kind <> 5", 0 },
        { "past_deadline", "UPDATE job SET deadline_us = deadline_us - 864000000000", 120 },
        { "long_in_stage", "UPDATE due SET due_us = due_us + 864000000000", 1900 },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct job_world w;
        job_world_begin(&w);
        say_status(&w, "in_progress", -1);
        struct fg_str id = new_job(&w, "list-1", FAR);
        settle(&w);
        CHECK_I64(js_len(js_get(overview(&w), "stuck")), 0, row[i].why);
        do_sql(&w, "%s", row[i].sql);
        clock_add(&w, row[i].after_s * FG_US_PER_S);
        const struct js *stuck = js_get(overview(&w), "stuck");
        CHECK_I64(js_len(stuck), 1, row[i].why);
        CHECK_STR(text_of(js_at(stuck, 0), "id"), id, row[i].why);
        CHECK_STR(text_of(js_at(stuck, 0), "why"), fg_str_c(row[i].why), row[i].why);
        job_world_end(&w, 0);
    }
}

TEST(a_doubt_says_when_it_is_given_up)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "wait-1", FAR);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_HANG_UP });
    settle(&w);
    const struct js *all = overview(&w), *doubt = js_at(js_get(all, "unknownSubmits"), 0);
    CHECK_STR(text_of(doubt, "id"), id, "that one");
    CHECK(text_of(doubt, "giveUpAt").n > 0, "when");
    CHECK_STR(text_of(js_at(js_get(all, "stuck"), 0), "why"), FG_LIT("submit_unknown"), "it stands in the other list, too");
    CHECK_I64(number_of(js_at(js_get(named(js_get(all, "providers"), "name", "wait"), "history"), 0), "unknown"), 1, "counted");
    job_world_end(&w, 0);
}

TEST(the_operators_hand_and_the_breaker_show)
{
    struct job_world w;
    job_world_begin(&w);
    do_sql(&w, "INSERT INTO provider_state (provider, paused_us, breaker, breaker_us) VALUES ('list', %lld, 1, %lld)",
           (long long)w.cx->now_us, (long long)w.cx->now_us + 1000000);
    const struct js *p = named(js_get(overview(&w), "providers"), "name", "list");
    CHECK_STR(text_of(p, "state"), FG_LIT("paused"), "the stronger of both");
    CHECK_STR(text_of(p, "breaker"), FG_LIT("open"), "and the other");
    job_world_end(&w, 0);
}
