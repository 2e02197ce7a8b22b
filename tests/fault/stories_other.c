/* What else the sweeper and the handlers do: upkeep, accounts, webhooks, and providers in trouble. */
#include "account/account.h"
#include "fault/play.h"
#include "notify/delivery.h"

#define DAY_US (86400 * FG_US_PER_S)

/* ---- upkeep ---- */

/* As if the sweeper had just been started, and everything were old. */
static void all_is_old(struct play *x)
{
    play_new_sweeper(x);
    do_sql(x->w, "INSERT INTO api_key (id, account_id, digest, hint, label, role, created_us) VALUES "
                 "(1, 1, REPEAT('k', 32), 'h', 'l', 1, 1) ON DUPLICATE KEY UPDATE role = 1");
    do_sql(x->w, "INSERT INTO session VALUES (REPEAT('s', 32), 1, 1, 2)");
    do_sql(x->w, "INSERT INTO idempotency VALUES (1, REPEAT('i', 32), REPEAT('f', 32), 0, '', 1)");
    do_sql(x->w, "INSERT INTO quote (public_id, account_id, model, resolution, duration_s, audio, price_micro, currency, "
                 "created_us, expires_us) VALUES ('quote_old', 1, 'replay-1', '480p', 5, 0, 1, 'USD', 1, 2)");
    do_sql(x->w, "INSERT INTO heartbeat VALUES ('sweeper_of_old', 1)");
    do_sql(x->w, "INSERT INTO callback_receipt (provider, verdict, received_us, request_id) VALUES ('replay', 6, 1, 'r')");
    do_sql(x->w, "INSERT INTO model_weather (model, n, good_n, computed_us) VALUES ('gone-1', 1, 1, 1)");
    do_sql(x->w, "INSERT INTO webhook_secret (account_id, secret, created_us, expires_us) VALUES (1, 'whsec_old', 1, 2)");
    do_sql(x->w, "INSERT INTO webhook_message (public_id, account_id, sequence, type, created_us, payload) VALUES "
                 "('msg_old', 1, 0, 6, 1, '{}')");
    do_sql(x->w, "INSERT INTO webhook_endpoint (public_id, account_id, url, events, description, created_us, "
                 "deleted_us) VALUES ('we_old', 1, 'https://example.com/', 0, '', 1, 2)");
    do_sql(x->w, "DELETE FROM provider_keys");
    do_sql(x->w, "INSERT INTO job (id, public_id, account_id, state, stage, version, provider, model, prompt, "
                 "aspect_ratio, duration_s, resolution, price_micro, currency, request_id, created_us, updated_us, "
                 "finished_us, deadline_us, output_state) VALUES (1000000, 'job_weather', 1, 4, 0, 1, 'replay', "
                 "'replay-1', 'p', '16:9', 5, '480p', 0, 'USD', 'r', 1, 1, 1, 1, 2) ON DUPLICATE KEY UPDATE version = 1");
    do_sql(x->w, "INSERT INTO attempt (job_id, n, provider, model, client_ref, callback_token, state, created_us, "
                 "ended_us, ended) VALUES (1000000, 1, 'replay', 'replay-1', 'ref', 'token', 5, 1, %lld, 1) "
                 "ON DUPLICATE KEY UPDATE ended_us = VALUES(ended_us)", (long long)x->w->t.utc_us);
    do_sql(x->w, "INSERT INTO media_left (store, file, gone_us) VALUES (0, '7z/job_7z-left.mp4', 1)");
    do_sql(x->w, "INSERT INTO share (public_id, job_id, digest, created_us, expires_us) VALUES "
                 "('share_old', 1000000, REPEAT('s', 32), 1, 2)");
    do_sql(x->w, "INSERT INTO cost_outcome VALUES ('old', 'USD', 1, 1, 1) ON DUPLICATE KEY UPDATE computed_us = 1");
    do_sql(x->w, "UPDATE ledger_audit SET begun_us = 0, checked_us = 0, broken = 7");
    do_sql(x->w, "UPDATE attempt SET created_us = %lld WHERE client_ref = 'ref'", (long long)x->w->t.utc_us);
    do_sql(x->w, "INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) VALUES (1000000, 0, 1, 1, 0, 'USD', 1), (1000000, 1, 1, 3, 0, 'USD', 1) "
                 "ON DUPLICATE KEY UPDATE at_us = 1");
}

/* What a fault has kept it from is done the next time, some of it by the next sweeper alone: the log is looked at once a
 * minute. */
static void kept_up(struct play *x)
{
    for (int i = 0; i < 3; i++) {
        if (i)
            play_new_sweeper(x);
        x->w->sweeper.next_upkeep_us = x->w->sweeper.next_weather_us = 0;
        settle(x->w);
        do_sql(x->w, "UPDATE provider_keys SET fetched_us = 1, tried_us = 1");
        clock_add(x->w, 61 * FG_US_PER_S);
    }
    x->w->sweeper.next_upkeep_us = INT64_MAX;
}

static void is_kept_up(struct play *x)
{
    CHECK_I64(ask(x->w, "SELECT (SELECT COUNT(*) FROM session) + (SELECT COUNT(*) FROM idempotency WHERE created_us = 1) + "
                        "(SELECT COUNT(*) FROM heartbeat WHERE at_us = 1) + (SELECT COUNT(*) FROM callback_receipt) + "
                        "(SELECT COUNT(*) FROM quote WHERE created_us = 1) + "
                        "(SELECT COUNT(*) FROM share WHERE expires_us = 2) + "
                        "(SELECT COUNT(*) FROM media_left) + "
                        "(SELECT COUNT(*) FROM webhook_secret WHERE expires_us = 2) + "
                        "(SELECT COUNT(*) FROM model_weather WHERE computed_us = 1)"), 0, x->fault);
    CHECK_I64(ask(x->w, "SELECT COUNT(*) FROM provider_keys WHERE jwks IS NOT NULL"), 1, x->fault);
    CHECK_I64(ask(x->w, "SELECT n FROM model_weather WHERE model = 'replay-1'"), 1, x->fault);
    CHECK_I64(ask(x->w, "SELECT COUNT(*) FROM cost_outcome WHERE outcome = 'old'"), 0, x->fault);
    CHECK(ask(x->w, "SELECT n FROM cost_outcome WHERE outcome = 'unknown'") >= 1, x->fault);
    CHECK_I64(ask(x->w, "SELECT broken FROM ledger_audit WHERE checked_us > 0"), 0, x->fault);
}

static void is_purged(struct play *x)
{
    is_kept_up(x);
    CHECK_I64(ask(x->w, "SELECT (SELECT COUNT(*) FROM webhook_message WHERE created_us = 1) + "
                        "(SELECT COUNT(*) FROM webhook_endpoint WHERE created_us = 1)"), 0, x->fault);
}

/* ---- an account's own things ---- */

static void one_key(struct play *x)
{
    do_sql(x->w, "INSERT INTO api_key (id, account_id, digest, hint, label, role, created_us) VALUES "
                 "(1, 1, REPEAT('k', 32), 'h', 'l', 1, 1) ON DUPLICATE KEY UPDATE role = 1");
}

static void lives(struct play *x)
{
    struct fg_ctx *cx = x->cx;
    struct db *db = x->w->env.db;
    struct endpoint_wish wish = { .has_url = true, .url = at(&x->p, "/own") }, off = { .has_disabled = true, .disabled = true };
    struct endpoint e;
    struct endpoint_secret secret;
    struct delivery_detail d, again;
    struct fg_str token;
    int64_t until_us, n;
    bool more;
    struct account_cache *cache = account_cache_new(0);
    PLAY_INSIST(x, session_create(cx, db, x->w->pepper, 1, DAY_US, &token, &until_us));
    PLAY_INSIST(x, session_end(cx, db, cache, x->w->pepper, token));
    account_cache_free(cache);
    PLAY_INSIST(x, endpoint_create(cx, db, 1, &wish, &e, &secret));
    PLAY_INSIST(x, endpoint_rotate(cx, db, 1, e.public_id, 60, &secret));
    PLAY_INSIST(x, endpoint_test(cx, db, 1, e.public_id, &d));
    settle(x->w);
    play_told(x);
    PLAY_INSIST(x, delivery_again(cx, db, 1, d.d.public_id, &again));
    play_told(x);
    clock_add(x->w, FG_US_PER_S);
    PLAY_INSIST(x, endpoint_again(cx, db, &e, 0, true, &n, &more));
    PLAY_INSIST(x, endpoint_update(cx, db, 1, e.public_id, &off, &e));
    enum fg_code rc;
    for (unsigned i = 0; play_again(rc = endpoint_delete(cx, db, 1, e.public_id)) && i < PLAY_TRIES_MAX; i++)
        ;
    CHECK(rc == FG_OK || rc == FG_NOT_FOUND, x->fault); /* gone is gone: the first answer may have been lost */
}

/* Killed or told "unknown" after a creation, a client creates once more: each is whole. */
static void has_lived(struct play *x)
{
    CHECK_I64(ask(x->w, "SELECT COUNT(*) FROM session WHERE created_us > 1 AND expires_us <= %lld",
                  (long long)x->w->t.utc_us), 0, x->fault);
    CHECK_I64(ask(x->w, "SELECT COUNT(*) FROM webhook_endpoint e WHERE deleted_us IS NULL AND NOT EXISTS "
                        "(SELECT 1 FROM webhook_secret s WHERE s.endpoint_id = e.id)"), 0, x->fault);
    CHECK(receiver_n(x->p.r, "/own") >= 2, x->fault);
    CHECK_I64(pending(&x->p), 0, x->fault);
    do_sql(x->w, "UPDATE webhook_endpoint SET deleted_us = 3 WHERE url LIKE '%%/own'");
}

/* ---- webhooks ---- */

/* One is broken for good, one is gone, one has been switched off behind everybody's back. */
static void nobody_wants_them(struct play *x)
{
    receiver_say(x->p.r, "/bad", 500, "", "no");
    receiver_say(x->p.r, "/gone", 410, "", "gone");
    (void)endpoint_at(&x->p, "/bad", 1 << NOTIFY_FAILED, NULL);
    (void)endpoint_at(&x->p, "/gone", 1 << NOTIFY_FAILED, NULL);
    (void)endpoint_at(&x->p, "/off", 1 << NOTIFY_FAILED, NULL);
}

static void told_badly(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\"");
    play_cancel(x);
    do_sql(x->w, "UPDATE webhook_endpoint SET disabled_us = 1, disabled_reason = 1 WHERE url LIKE '%%/off'");
    play_told(x);
    /* Asked for so often that the log of its tries has to forget the first. */
    for (int i = 0; i < 2; i++) {
        struct delivery_detail d;
        PLAY_INSIST(x, delivery_again(x->cx, x->w->env.db, 1,
                                      ask_text(x->w, "SELECT d.public_id FROM webhook_delivery d JOIN webhook_endpoint e "
                                               "ON e.id = d.endpoint_id JOIN job j ON j.id = d.job_id WHERE "
                                               "e.url LIKE '%%/bad' AND j.public_id = '%.*s'", FG_P(x->id)), &d));
        play_told(x);
    }
}

static void is_told_to_the_others(struct play *x)
{
    play_check(x, JOB_FAILED, "canceled");
    CHECK_I64(play_ask(x, "SELECT COUNT(*) FROM webhook_delivery d JOIN job j ON j.id = d.job_id WHERE "
                          "j.public_id = '%s' AND d.state = 2"), 2, x->fault);
    CHECK(receiver_n(x->p.r, "/all") >= 1 && receiver_n(x->p.r, "/job") >= 1, x->fault);
    CHECK_I64(receiver_n(x->p.r, "/off"), 0, x->fault);
    CHECK_I64(ask(x->w, "SELECT COUNT(*) FROM webhook_endpoint WHERE url LIKE '%%/gone' AND deleted_us IS NULL AND "
                        "disabled_us IS NULL"), 0, x->fault);
    do_sql(x->w, "UPDATE webhook_endpoint SET deleted_us = 3 WHERE url NOT LIKE '%%/all'");
}

/* Two of one job wait at once: the second goes out when the first has been tried. */
static void behind(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\"");
    play_cancel(x);
    play_erase(x);
    play_told(x);
}

static void is_in_order(struct play *x)
{
    play_check(x, JOB_FAILED, "canceled");
    CHECK_I64(play_bills(x), 0, x->fault);
    struct fg_str words = told(&x->p, "/all");
    CHECK(fg_starts(words, FG_LIT("job.failed")), x->fault);
    CHECK(words.n >= 22 && !strcmp(words.p + words.n - 11, "job.deleted"), x->fault);
}

/* ---- callbacks of nobody ---- */

static void knocks(struct play *x)
{
    struct fg_ctx *cx = x->cx;
    struct callback_out out;
    struct callback_in in = {
        .provider = FG_LIT("keyed"),
        .body = arena_fmt(cx->mem, "{\"request_id\":\"%u\",\"status\":\"OK\"}", x->n),
        .headers = { .fal_request_id = FG_LIT("r"), .fal_user_id = FG_LIT("u"),
                     .fal_timestamp = arena_fmt(cx->mem, "%lld", (long long)(x->w->t.utc_us / FG_US_PER_S)),
                     .fal_signature = FG_LIT("00000000000000000000000000000000000000000000000000000000000000000"
                                             "000000000000000000000000000000000000000000000000000000000000000") },
    };
    enum fg_code rc;
    for (unsigned i = 0; play_again(rc = job_callback(cx, &x->w->env, &in, &out)) && i < PLAY_TRIES_MAX; i++)
        ;
    CHECK_CODE(cx, rc, FG_BAD_SIGNATURE);
}

static void is_not_let_in(struct play *x)
{
    CHECK_I64(ask(x->w, "SELECT COUNT(*) FROM callback_receipt WHERE verdict NOT IN (5, 6)"),
              ask(x->w, "SELECT COUNT(*) FROM callback_receipt WHERE attempt_id IS NOT NULL"), x->fault);
    do_sql(x->w, "DELETE FROM callback_receipt WHERE attempt_id IS NULL");
}

/* ---- providers in trouble ---- */

static void has_no_credit(struct play *x)
{
    play_new_sweeper(x); /* the one before knows of the last time */
    say(x->w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 402,
        .body = FG_LIT("{\"error\":{\"code\":\"insufficient_quota\",\"message\":\"no\",\"type\":\"insufficient_quota\"}}") });
}

static void refused(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\"");
    play_on(x);
    play_told(x);
}

static void is_refused(struct play *x)
{
    play_check(x, JOB_FAILED, "provider_credit");
    CHECK_I64(play_bills(x), 0, x->fault);
}

static void stumbles(struct play *x)
{
    play_new_sweeper(x);
    for (int i = 0; i < 6; i++)
        say(x->w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .status = 500, .body = FG_LIT("{}") });
    say_status(x->w, "completed", 100);
}

static void one(struct play *x)
{
    play_create(x, "\"model\":\"list-1\"");
    play_on(x);
    play_told(x);
}

/* Each task's lease wants to be renewed at every turn. */
static void at_length(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\"");
    for (int i = 0; i < 200 && play_ask(x, "SELECT state < 4 FROM job WHERE public_id = '%s'"); i++) {
        look_anew(&x->w->sweeper);
        (void)sweep_pass(&x->w->sweeper);
        for (struct task *t = x->w->sweeper.tasks; t; t = t->next)
            t->lease_mono_us = 0;
        drain(&x->w->sweeper);
        play_pass_time(x);
    }
    play_told(x);
}

/* ---- the clock ---- */

/* As it is settled once whoever was in the middle of something has ended it (clock_test.c). */
static void an_hour_ahead(struct play *x)
{
    struct clock *c = &x->w->sweeper.clock;
    t_jump(&x->w->t, 3600 * FG_US_PER_S);
    for (int i = 0; i < 6; i++) {
        look_anew(&x->w->sweeper);
        (void)sweep_pass(&x->w->sweeper);
        c->noticed_us -= c->noticed_us ? CLOCK_GRACE_US : 0;
        c->next_try_us = 0;
        sweep_wait(&x->w->sweeper, -1, -1, 0);
    }
}

static bool under_way; /* when the clock jumped, as the last to tell it saw that */

static void meanwhile_it_jumps(struct play *x)
{
    play_create(x, "\"model\":\"list-1\",\"deadlineSeconds\":7200");
    play_until_there(x);
    under_way = play_ask(x, "SELECT state < 4 FROM job WHERE public_id = '%s'");
    an_hour_ahead(x);
    play_on(x);
    play_told(x);
}

static void is_moved_once(struct play *x)
{
    play_check_delivered_or_unknown(x);
    if (under_way)
        CHECK_I64(play_ask(x, "SELECT deadline_us - created_us FROM job WHERE public_id = '%s'"),
                  (7200 + 3600) * FG_US_PER_S, x->fault);
}

/* ---- a file that is no video, and a callback that comes twice ---- */

static void file_is_none(struct play *x)
{
    say(x->w, FAKE_CONTENT, (struct fake_reply){ .way = FAKE_ANSWER, .body = FG_LIT("<html>") });
}

static void told_twice(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\"");
    settle(x->w);
    play_callback(x);
    play_callback(x);
    play_on(x);
    play_told(x);
    play_rest(x);
}

static void is_none(struct play *x)
{
    play_check(x, JOB_FAILED, "output_invalid");
    CHECK_I64(play_bills(x), 1, x->fault);
    CHECK_I64(files_of(x->w, x->id), 0, x->fault);
}

/* ---- the operator's brake ---- */

static void hour_is_spent(struct play *x)
{
    clock_add(x->w, 2 * BRAKE_HOUR_US); /* so that what came before this performance is forgotten */
    x->w->conf.brake_provider_hour_micro = 15000;
    do_sql(x->w, "INSERT INTO job (id, public_id, account_id, state, stage, version, provider, model, prompt, "
                 "aspect_ratio, duration_s, resolution, price_micro, currency, request_id, created_us, updated_us, "
                 "finished_us, deadline_us, output_state) VALUES (1000001, 'job_spent', 1, 4, 0, 1, 'list', "
                 "'list-1', 'p', '16:9', 5, '480p', 0, 'USD', 'r', 1, 1, 1, 1, 2) ON DUPLICATE KEY UPDATE version = 1; "
                 "INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) VALUES "
                 "(1000001, 0, 1, 1, 0, 'USD', 1), (1000001, 1, 1, 3, 0, 'USD', 1) ON DUPLICATE KEY UPDATE at_us = 1");
    do_sql(x->w, "INSERT INTO attempt (job_id, n, provider, model, client_ref, callback_token, state, created_us, "
                 "expected_micro) VALUES (1000001, 1, 'list', 'list-1', 'spent', 'spent', 5, %lld, 10000) "
                 "ON DUPLICATE KEY UPDATE created_us = VALUES(created_us)",
           (long long)(x->w->t.utc_us - BRAKE_HOUR_US + 10 * FG_US_PER_S));
}

static void at_the_brake(struct play *x)
{
    play_create(x, "\"model\":\"list-1\",\"deadlineSeconds\":86400");
    settle(x->w);
    clock_add(x->w, 20 * FG_US_PER_S);
    play_on(x);
    play_told(x);
}

static void is_let_go(struct play *x)
{
    play_check_delivered_or_unknown(x);
    CHECK_I64(ask(x->w, "SELECT COUNT(*) FROM provider_state WHERE braked_until_us > %lld", (long long)x->w->t.utc_us), 0,
              x->fault);
    x->w->conf.brake_provider_hour_micro = 0;
}

const struct story other_stories[] = {
    { "upkeep", all_is_old, kept_up, is_purged },
    { "account", one_key, lives, has_lived },
    { "told badly", nobody_wants_them, told_badly, is_told_to_the_others },
    { "one behind the other", NULL, behind, is_in_order },
    { "of nobody", NULL, knocks, is_not_let_in },
    { "no credit", has_no_credit, refused, is_refused },
    { "stumbles", stumbles, one, play_check_delivered_or_unknown },
    { "at length", NULL, at_length, play_check_delivered_or_unknown },
    { "no video", file_is_none, told_twice, is_none },
    { "the clock", play_new_sweeper, meanwhile_it_jumps, is_moved_once },
    { "at the brake", hour_is_spent, at_the_brake, is_let_go },
    { NULL, NULL, NULL, NULL },
};
