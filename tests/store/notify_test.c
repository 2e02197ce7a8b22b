/* The outbox in a job's transaction, endpoints and their secrets, and what the log keeps. */
#include "io/json.h"
#include "store/notify_world.h"

#define FAR 86400
#define S FG_US_PER_S
#define H (3600 * S)

TEST(nobody_listens_and_nothing_is_written)
{
    struct place p;
    place_begin(&p);
    struct fg_str id = new_job(&p.w, "replay-1", FAR);
    run_to_end(&p.w, id);
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_message"), 0, "no messages");
    do_sql(&p.w, "INSERT INTO webhook_endpoint (public_id, account_id, url, events, description, created_us) "
                 "VALUES ('we_of_another', 2, 'https://example.com/', 0, '', 1)");
    (void)endpoint_at(&p, "/a", 1 << NOTIFY_EXPIRED, NULL);
    run_to_end(&p.w, new_job(&p.w, "replay-1", FAR));
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_message"), 0, "nor for another account's, or other events'");
    place_end(&p);
}

TEST(a_job_is_told_from_acceptance_to_deletion)
{
    struct place p;
    struct fg_str secret;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, &secret);
    say_status(&p.w, "in_progress", 10);
    say_status(&p.w, "in_progress", 50);
    say_status(&p.w, "completed", 100);
    struct fg_str id = new_job(&p.w, "replay-1", FAR);
    run_to_end(&p.w, id);
    CHECK_CODE(p.cx, job_erase(p.cx, &p.w.env, &p.w.who, id), FG_OK);
    settle(&p.w);
    CHECK_IS(told(&p, "/a"), "job.queued job.processing job.succeeded job.deleted", "once each, in order");
    int64_t last = 0;
    for (unsigned i = 0; i < 4; i++) {
        struct heard h = receiver_get(p.r, "/a", i);
        CHECK_CODE(p.cx, verify(&p, &h, secret), FG_OK);
        const struct js *v;
        int64_t seq;
        CHECK_CODE(p.cx, js_parse(p.cx, fg_str_c(h.body), &v), FG_OK);
        CHECK(js_i64(js_get(js_get(v, "data"), "sequence"), &seq) && seq > last, "the sequence grows");
        last = seq;
        CHECK(!strchr(h.id, '.') && !strncmp(h.id, "msg_", 4), "its id");
    }
    CHECK_I64(last, job_now(&p.w, id).version, "and is the job's version");
    CHECK_I64(pending(&p), 0, "nothing is left to do");
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_attempt WHERE status = 204"), 4, "each try is in the log");
    CHECK_I64(endpoint_now(&p, &e).failing_since_us, 0, "it works");
    place_end(&p);
}

TEST(what_is_not_committed_is_not_told)
{
    struct place p;
    place_begin(&p);
    (void)endpoint_at(&p, "/a", 0, NULL);
    struct fg_str id = new_job(&p.w, "replay-1", FAR);
    struct job j;
    CHECK_CODE(p.cx, job_cancel(p.cx, &p.w.env, &p.w.who, id, &j), FG_OK);
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_message"), 1, "the cancel of a waiting job ends it");
    CHECK_CODE(p.cx, job_cancel(p.cx, &p.w.env, &p.w.who, id, &j), FG_OK);
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_message"), 1, "what has changed nothing is told to nobody");
    settle(&p.w);
    CHECK_IS(told(&p, "/a"), "job.failed", "told");
    struct heard h = receiver_get(p.r, "/a", 0);
    CHECK(strstr(h.body, "\"errorCode\":\"canceled\""), "with the reason");
    place_end(&p);
}

static struct fg_str job_with(struct place *p, const char *more)
{
    struct job_answer a;
    CHECK_CODE(p->cx, create_job(&p->w, arena_fmt(p->cx->mem, "{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\","
                                 "\"duration\":5,\"model\":\"replay-1\"%s}", more), NULL, &a), FG_OK);
    return a.job_id;
}

TEST(a_jobs_own_url_is_told_with_the_accounts_secret)
{
    struct place p;
    struct endpoint_secret *secret;
    size_t n;
    place_begin(&p);
    struct fg_str id = job_with(&p, arena_fmt(p.cx->mem, ",\"callbackUrl\":\"%.*s\"", FG_P(at(&p, "/own"))).p);
    CHECK_STR(job_now(&p.w, id).callback_url, at(&p, "/own"), "kept");
    run_to_end(&p.w, id);
    settle(&p.w);
    CHECK_IS(told(&p, "/own"), "job.queued job.processing job.succeeded", "without any endpoint");
    CHECK_CODE(p.cx, endpoint_secrets(p.cx, p.w.env.db, 1, ENDPOINT_CALLBACKS, &secret, &n), FG_OK);
    CHECK_I64(n, 1, "made at first use, and not again");
    for (unsigned i = 0; i < 3; i++) {
        struct heard h = receiver_get(p.r, "/own", i);
        CHECK_CODE(p.cx, verify(&p, &h, secret[0].secret), FG_OK);
    }
    CHECK_CODE(p.cx, job_erase(p.cx, &p.w.env, &p.w.who, id), FG_OK);
    settle(&p.w);
    CHECK_IS(told(&p, "/own"), "job.queued job.processing job.succeeded job.deleted", "also of its deletion");
    CHECK_I64(ask(&p.w, "SELECT callback_url IS NULL FROM job"), 1, "which forgets the URL");
    place_end(&p);
}

TEST(erasing_a_job_takes_its_metadata_out_of_the_log)
{
    struct place p;
    struct fg_str secret;
    place_begin(&p);
    (void)endpoint_at(&p, "/a", 0, &secret);
    receiver_say(p.r, "/a", 500, "", "no");
    struct fg_str id = job_with(&p, ",\"metadata\":{\"patient\":\"J\\u00fcrgen \\\"x\\\"\"}");
    run_to_end(&p.w, id);
    CHECK(strstr(receiver_get(p.r, "/a", 0).body, "J\xc3\xbcrgen \\\"x\\\""), "told as it was given");
    CHECK_CODE(p.cx, job_erase(p.cx, &p.w.env, &p.w.who, id), FG_OK);
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_message WHERE payload LIKE '%%patient%%'"), 0, "forgotten");
    receiver_say(p.r, "/a", 204, "", "");
    unsigned before = receiver_n(p.r, "/a");
    while (pending(&p))
        next_try(&p);
    CHECK(receiver_n(p.r, "/a") > before, "what had not been taken is told all the same");
    for (unsigned i = before; i < receiver_n(p.r, "/a"); i++) {
        struct heard h = receiver_get(p.r, "/a", i);
        const struct js *v;
        CHECK_CODE(p.cx, js_parse(p.cx, fg_str_c(h.body), &v), FG_OK);
        CHECK_I64(js_type(js_get(js_get(v, "data"), "metadata")), JS_NULL, "without it");
    }
    struct heard h = receiver_get(p.r, "/a", receiver_n(p.r, "/a") - 1);
    CHECK_CODE(p.cx, verify(&p, &h, secret), FG_OK);
    place_end(&p);
}

TEST(rotation_signs_with_both_for_a_while)
{
    struct place p;
    struct delivery_detail d;
    struct fg_str old;
    struct endpoint_secret young, *live;
    size_t n;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, &old);
    CHECK_CODE(p.cx, endpoint_rotate(p.cx, p.w.env.db, 1, e.public_id, 3600, &young), FG_OK);
    CHECK(!fg_eq(old, young.secret) && young.secret.n == 50 && fg_starts(young.secret, FG_LIT("whsec_")), "a new one");
    test_event(&p, &e, &d);
    settle(&p.w);
    struct heard h = receiver_get(p.r, "/a", 0);
    CHECK_CODE(p.cx, verify(&p, &h, old), FG_OK);
    CHECK_CODE(p.cx, verify(&p, &h, young.secret), FG_OK);
    CHECK_CODE(p.cx, endpoint_secrets(p.cx, p.w.env.db, 1, e.public_id, &live, &n), FG_OK);
    CHECK(n == 2 && fg_eq(live[0].secret, young.secret) && !live[0].expires_us && live[1].expires_us, "the newest first");
    clock_add(&p.w, 3600 * S);
    test_event(&p, &e, &d);
    settle(&p.w);
    h = receiver_get(p.r, "/a", 1);
    CHECK_CODE(p.cx, verify(&p, &h, old), FG_BAD_SIGNATURE);
    CHECK_CODE(p.cx, verify(&p, &h, young.secret), FG_OK);
    CHECK_CODE(p.cx, endpoint_rotate(p.cx, p.w.env.db, 1, e.public_id, 0, &young), FG_OK);
    CHECK_CODE(p.cx, endpoint_secrets(p.cx, p.w.env.db, 1, e.public_id, &live, &n), FG_OK);
    CHECK_I64(n, 1, "at once, when asked");
    place_end(&p);
}

TEST(a_deleted_endpoint_is_not_told_and_not_found)
{
    struct place p;
    struct delivery_detail d;
    struct endpoint *list, gone;
    size_t n;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, NULL);
    test_event(&p, &e, &d);
    CHECK_CODE(p.cx, endpoint_delete(p.cx, p.w.env.db, 2, e.public_id), FG_NOT_FOUND);
    CHECK_CODE(p.cx, endpoint_delete(p.cx, p.w.env.db, 1, e.public_id), FG_OK);
    CHECK_CODE(p.cx, endpoint_delete(p.cx, p.w.env.db, 1, e.public_id), FG_NOT_FOUND);
    CHECK_CODE(p.cx, endpoint_read(p.cx, p.w.env.db, 1, e.public_id, &gone), FG_NOT_FOUND);
    CHECK_CODE(p.cx, endpoint_list(p.cx, p.w.env.db, 1, &list, &n), FG_OK);
    CHECK_I64(n, 0, "no longer there");
    settle(&p.w);
    CHECK_I64(receiver_n(p.r, NULL), 0, "not told");
    CHECK_I64(delivery_now(&p, d.d.public_id).d.state, DELIVERY_CANCELED, "the log still knows");
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_secret"), 0, "its secrets are gone");
    place_end(&p);
}

TEST(an_account_has_only_so_many_endpoints)
{
    struct place p;
    place_begin(&p);
    struct endpoint e, last = { .id = 0 };
    struct endpoint_secret made;
    struct endpoint_wish wish = { .has_url = true, .url = at(&p, "/a") };
    for (int i = 0; i < ENDPOINTS_MAX; i++)
        last = endpoint_at(&p, "/a", 0, NULL);
    CHECK_CODE(p.cx, endpoint_create(p.cx, p.w.env.db, 1, &wish, &e, &made), FG_ENDPOINT_LIMIT);
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_secret"), ENDPOINTS_MAX, "nothing is left of it");
    CHECK_CODE(p.cx, endpoint_create(p.cx, p.w.env.db, 2, &wish, &e, &made), FG_OK);
    CHECK_CODE(p.cx, endpoint_delete(p.cx, p.w.env.db, 1, last.public_id), FG_OK);
    CHECK_CODE(p.cx, endpoint_create(p.cx, p.w.env.db, 1, &wish, &e, &made), FG_OK);
    place_end(&p);
}

TEST(the_log_is_kept_for_a_month)
{
    struct place p;
    struct delivery_detail d;
    struct endpoint_secret made;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, NULL);
    test_event(&p, &e, &d);
    settle(&p.w);
    CHECK_CODE(p.cx, endpoint_rotate(p.cx, p.w.env.db, 1, e.public_id, 0, &made), FG_OK);
    CHECK_CODE(p.cx, endpoint_delete(p.cx, p.w.env.db, 1, e.public_id), FG_OK);
    clock_add(&p.w, 30 * 24 * H);
    deliveries_purge(p.w.sweeper.deliveries);
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_delivery"), 1, "exactly a month is not over");
    clock_add(&p.w, 1);
    p.w.sweeper.cx.now_us = p.w.t.utc_us;
    deliveries_close(p.w.sweeper.deliveries); /* its next look is a minute of real time away */
    p.w.sweeper.deliveries = deliveries_open(&p.w.sweeper);
    deliveries_purge(p.w.sweeper.deliveries);
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_message"), 0, "forgotten");
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_attempt"), 0, "with every try");
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_endpoint"), 0, "and an endpoint that was only in the log");
    place_end(&p);
}
