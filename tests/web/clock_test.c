/* Handlers and a clock that jumps: they wait while it is being settled, and then go by the time that the books have. */
#include "app.h"
#include "base/arena.h"
#include "job/clock.h"
#include "web/web_world.h"

#define HOUR (3600 * FG_US_PER_S)

/* As the request loop has it. */
static int64_t instant(struct web_world *w)
{
    struct fg_ctx cx = { .mem = w->cx->mem, .env = &w->app->clock->env };
    app_tick(&cx, w->app);
    return cx.now_us;
}

static void sweeper_says(struct web_world *w)
{
    const struct clock *c = w->app->clock;
    int64_t offset_us = w->t.utc_us - w->t.env.boot_us(&w->t);
    web_script(w, arena_fmt(w->cx->mem, "REPLACE INTO clock (boot_id, offset_us, least_us, seen_us) VALUES "
                            "('%s', %lld, 0, 1)", c->boot, (long long)offset_us).p);
}

TEST(handlers_go_by_the_time_that_the_books_go_by)
{
    static const int64_t by[] = { HOUR, -HOUR };
    struct web_world w;
    web_begin(&w);
    CHECK_I64(instant(&w), w.t.utc_us, "where no sweeper has run yet, the clock's own");
    for (size_t i = 0; i < FG_LEN(by); i++) {
        sweeper_says(&w);
        t_advance(&w.t, 90 * FG_US_PER_S);
        CHECK_I64(instant(&w), w.t.utc_us, "time goes by");
        t_jump(&w.t, by[i]);
        sweeper_says(&w);
        CHECK_I64(instant(&w), w.t.utc_us, "settled already");
    }
    web_end(&w, 0);
}

TEST(a_request_waits_for_a_jump_to_be_settled_but_not_forever)
{
    struct web_world w;
    web_begin(&w);
    sweeper_says(&w);
    (void)instant(&w);
    t_jump(&w.t, -HOUR);
    int64_t moved_us;
    CHECK(!clock_turn(w.cx, w.app->clock, w.app->db, &moved_us), "not now");
    w.t.mono_us += CLOCK_HOLD_US - 5 * CLOCK_NAP_US;
    CHECK(!clock_turn(w.cx, w.app->clock, w.app->db, &moved_us), "nor yet");
    CHECK_I64(instant(&w), w.t.utc_us + HOUR, "no sweeper is there to settle it: the old time is the books'");
    CHECK(ctx_mono_us(w.cx) >= w.app->clock->noticed_us + CLOCK_HOLD_US, "it has waited");
    CHECK(clock_turn(w.cx, w.app->clock, w.app->db, &moved_us), "the next does not");
    sweeper_says(&w);
    w.t.mono_us += FG_US_PER_S;
    CHECK_I64(instant(&w), w.t.utc_us, "once it is settled");
    web_end(&w, 0);
}

TEST(a_session_lives_as_long_as_it_was_to)
{
    struct web_world w;
    web_begin(&w);
    w.conf.auth_session_hours = 1;
    sweeper_says(&w);
    (void)instant(&w);
    struct fg_str body = arena_fmt(w.cx->mem, "{\"key\":\"%.*s\"}", FG_P(w.key));
    struct web_req req = web_request("POST", FG_LIT("/v1/sessions"), FG_NONE, body);
    CHECK_I64(web_send(&w, &req), 201, "sign in");
    struct fg_str set = web_got(&w, "Set-Cookie"), cookie = { set.p, strcspn(set.p, ";") };
    req = web_request("GET", FG_LIT("/v1/me"), FG_NONE, FG_NONE);
    req.header[WEB_COOKIE] = cookie;
    CHECK_I64(web_send(&w, &req), 200, "now it is in the cache");
    t_jump(&w.t, 2 * HOUR);
    sweeper_says(&w);
    web_script(&w, "UPDATE session SET expires_us = expires_us + 7200000000");
    (void)instant(&w);
    CHECK_I64(web_send(&w, &req), 200, "an hour has not gone by");
    t_advance(&w.t, HOUR);
    CHECK_I64(web_send(&w, &req), 401, "now it has");
    web_end(&w, 0);
}
