/* Deliveries against a receiver that takes, refuses, hangs or is gone. The wall clock stands until it is moved, so a day
 * of tries is a loop. */
#include "store/notify_world.h"

#define FAR 86400
#define S FG_US_PER_S
#define H (3600 * S)

TEST(eight_tries_and_then_it_has_failed)
{
    struct place p;
    struct delivery_detail d;
    struct fg_str secret;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, &secret);
    receiver_say(p.r, "/a", 500, "", "broken\r\nhere");
    int64_t from = p.w.t.utc_us;
    test_event(&p, &e, &d);
    CHECK_I64(d.d.state, DELIVERY_PENDING, "waits");
    settle(&p.w);
    CHECK_I64(endpoint_now(&p, &e).failing_since_us, from, "known to fail");
    while (pending(&p))
        next_try(&p);
    d = delivery_now(&p, d.d.public_id);
    CHECK_I64(d.d.state, DELIVERY_FAILED, "given up");
    CHECK_I64(receiver_n(p.r, "/a"), 8, "after eight tries");
    int64_t took = p.w.t.utc_us - from;
    CHECK(took > 19 * H && took < 30 * H, "over about a day");
    CHECK_I64(d.attempt_n, 8, "all in the log");
    CHECK_IS(d.attempt[7].excerpt, "broken  here", "with what was answered");
    CHECK_I64(d.attempt[7].status, 500, "and how");
    struct heard first = receiver_get(p.r, "/a", 0), last = receiver_get(p.r, "/a", 7);
    CHECK(!strcmp(first.id, last.id) && !strcmp(first.body, last.body), "the same message");
    CHECK_I64(strtoll(last.timestamp, NULL, 10), p.w.t.utc_us / S, "its own time");
    CHECK(strcmp(first.timestamp, last.timestamp) && strcmp(first.signature, last.signature), "signed anew");
    CHECK_CODE(p.cx, verify(&p, &last, secret), FG_OK);
    CHECK_I64(endpoint_now(&p, &e).disabled_us, 0, "a day is not yet too long");

    receiver_say(p.r, "/a", 200, "", "thanks");
    CHECK_CODE(p.cx, delivery_again(p.cx, p.w.env.db, 1, d.d.public_id, &d), FG_OK);
    CHECK(d.d.state == DELIVERY_PENDING && d.d.tries == 0, "asked for again");
    settle(&p.w);
    d = delivery_now(&p, d.d.public_id);
    CHECK(d.d.state == DELIVERY_DELIVERED && d.attempt_n == 9, "and taken");
    CHECK(!strcmp(receiver_get(p.r, "/a", 8).id, first.id), "under its old id");
    CHECK_I64(endpoint_now(&p, &e).failing_since_us, 0, "it works again");
    place_end(&p);
}

TEST(the_log_of_one_delivery_is_bounded)
{
    struct place p;
    struct delivery_detail d;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, NULL);
    test_event(&p, &e, &d);
    settle(&p.w);
    for (int i = 1; i < DELIVERY_ATTEMPTS_KEPT + 3; i++) {
        CHECK_CODE(p.cx, delivery_again(p.cx, p.w.env.db, 1, d.d.public_id, &d), FG_OK);
        settle(&p.w);
    }
    d = delivery_now(&p, d.d.public_id);
    CHECK_I64(d.attempt_n, DELIVERY_ATTEMPTS_KEPT, "the newest are kept");
    CHECK_I64(d.attempt[DELIVERY_ATTEMPTS_KEPT - 1].n, DELIVERY_ATTEMPTS_KEPT + 3, "with their numbers");
    place_end(&p);
}

TEST(gone_disables_at_once_and_cancels_what_waits)
{
    struct place p;
    struct delivery_detail d, other;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, NULL), fine = endpoint_at(&p, "/b", 0, NULL);
    receiver_say(p.r, "/a", 500, "", "");
    test_event(&p, &e, &other);
    settle(&p.w);
    receiver_say(p.r, "/a", 410, "", "moved away");
    test_event(&p, &e, &d);
    settle(&p.w);
    e = endpoint_now(&p, &e);
    CHECK(e.disabled_us && e.disabled_reason == ENDPOINT_GONE, "it asked for that");
    CHECK_I64(delivery_now(&p, d.d.public_id).d.state, DELIVERY_FAILED, "this one is over");
    CHECK_I64(delivery_now(&p, other.d.public_id).d.state, DELIVERY_CANCELED, "and what waited, too");
    CHECK_CODE(p.cx, endpoint_test(p.cx, p.w.env.db, 1, e.public_id, &d), FG_ENDPOINT_DISABLED);
    CHECK_CODE(p.cx, delivery_again(p.cx, p.w.env.db, 1, other.d.public_id, &d), FG_ENDPOINT_DISABLED);
    run_to_end(&p.w, new_job(&p.w, "replay-1", FAR));
    CHECK_I64(receiver_n(p.r, "/a"), 2, "not told any more");
    CHECK_I64(receiver_n(p.r, "/b"), 3, "others are");
    CHECK_I64(endpoint_now(&p, &fine).disabled_us, 0, "unharmed");

    struct endpoint_wish enable = { .has_disabled = true };
    CHECK_CODE(p.cx, endpoint_update(p.cx, p.w.env.db, 1, e.public_id, &enable, &e), FG_OK);
    CHECK(!e.disabled_us && !e.failing_since_us && !e.disabled_reason, "a clean slate");
    receiver_say(p.r, "/a", 200, "", "");
    int64_t n;
    bool more;
    CHECK_CODE(p.cx, endpoint_again(p.cx, p.w.env.db, &e, 0, false, &n, &more), FG_OK);
    CHECK(n == 5 && !more, "what failed, was canceled, or happened meanwhile");
    settle(&p.w);
    CHECK_I64(receiver_n(p.r, "/a"), 7, "is told after all");
    CHECK_CODE(p.cx, endpoint_again(p.cx, p.w.env.db, &e, 0, false, &n, &more), FG_OK);
    CHECK_I64(n, 0, "and then there is nothing to tell again");
    CHECK_CODE(p.cx, endpoint_again(p.cx, p.w.env.db, &e, 0, true, &n, &more), FG_OK);
    CHECK_I64(n, 0, "nor has it been told since");
    clock_add(&p.w, S);
    CHECK_CODE(p.cx, endpoint_again(p.cx, p.w.env.db, &e, 0, true, &n, &more), FG_OK);
    CHECK_I64(n, 5, "all of it, when asked");
    CHECK_CODE(p.cx, endpoint_again(p.cx, p.w.env.db, &e, p.w.t.utc_us, true, &n, &more), FG_OK);
    CHECK_I64(n, 0, "but only since then");
    place_end(&p);
}

TEST(what_happens_meanwhile_can_be_asked_for)
{
    struct place p;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, NULL);
    struct endpoint_wish off = { .has_disabled = true, .disabled = true }, on = { .has_disabled = true };
    CHECK_CODE(p.cx, endpoint_update(p.cx, p.w.env.db, 1, e.public_id, &off, &e), FG_OK);
    run_to_end(&p.w, new_job(&p.w, "replay-1", FAR));
    clock_add(&p.w, 10 * S);
    int64_t since_us = p.w.t.utc_us, n;
    bool more;
    run_to_end(&p.w, new_job(&p.w, "replay-1", FAR));
    CHECK_I64(receiver_n(p.r, "/a"), 0, "nothing is told");
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_delivery WHERE state = %d AND tries = 0", DELIVERY_CANCELED), 6,
              "and all of it kept");
    CHECK_CODE(p.cx, endpoint_update(p.cx, p.w.env.db, 1, e.public_id, &on, &e), FG_OK);
    settle(&p.w);
    CHECK_I64(receiver_n(p.r, "/a"), 0, "nor once it is back, unless asked for");
    CHECK_CODE(p.cx, endpoint_again(p.cx, p.w.env.db, &e, since_us, false, &n, &more), FG_OK);
    settle(&p.w);
    CHECK_IS(told(&p, "/a"), "job.queued job.processing job.succeeded", "what happened since, in order");
    CHECK_CODE(p.cx, endpoint_update(p.cx, p.w.env.db, 1, e.public_id, &off, &e), FG_OK);
    clock_add(&p.w, NOTIFY_MISSED_US);
    run_to_end(&p.w, new_job(&p.w, "replay-1", FAR));
    CHECK_I64(ask(&p.w, "SELECT COUNT(*) FROM webhook_delivery"), 6, "one that stays away is forgotten");
    place_end(&p);
}

TEST(days_of_nothing_but_failures_disable)
{
    struct place p;
    struct delivery_detail d;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, NULL);
    receiver_say(p.r, "/a", 500, "", "");
    for (int day = 0; day < 5; day++) {
        CHECK(!endpoint_now(&p, &e).disabled_us, "not yet");
        test_event(&p, &e, &d);
        settle(&p.w);
        clock_add(&p.w, 24 * H);
    }
    receiver_say(p.r, "/a", 200, "", "");
    settle(&p.w);
    CHECK(!endpoint_now(&p, &e).failing_since_us && !endpoint_now(&p, &e).disabled_us, "one success starts anew");
    receiver_say(p.r, "/a", 302, "Location: /b\r\n", "");
    test_event(&p, &e, &d);
    settle(&p.w);
    CHECK_I64(receiver_n(p.r, "/b"), 0, "a redirect is not followed");
    clock_add(&p.w, 5 * 24 * H - 1);
    settle(&p.w);
    CHECK(!endpoint_now(&p, &e).disabled_us, "a moment short of five days");
    test_event(&p, &e, &d);
    clock_add(&p.w, 1);
    settle(&p.w);
    e = endpoint_now(&p, &e);
    CHECK(e.disabled_us && e.disabled_reason == ENDPOINT_FAILING, "then it is over");
    CHECK_I64(pending(&p), 0, "and nothing waits for it");
    place_end(&p);
}

TEST(a_name_that_leads_into_our_own_network_is_refused_when_it_is_called)
{
    struct place p;
    struct delivery_detail d;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, NULL);
    do_sql(&p.w, "UPDATE webhook_endpoint SET url = 'https://localhost:%s/a'", strrchr(receiver_origin(p.r), ':') + 1);
    test_event(&p, &e, &d);
    settle(&p.w);
    d = delivery_now(&p, d.d.public_id);
    CHECK_IS(d.d.last_excerpt, "the address is not a public one", "by its address, not by its name");
    CHECK_I64(d.d.last_status, 0, "nobody was asked");
    CHECK_I64(d.d.state, DELIVERY_PENDING, "the name may lead elsewhere tomorrow");
    place_end(&p);
}

TEST(a_slow_place_delays_no_other)
{
    struct place p;
    struct delivery_detail d[12], quick;
    place_begin(&p);
    p.w.conf.webhook_timeout_s = 30;
    struct endpoint slow = endpoint_at(&p, "/slow", 0, NULL), fast = endpoint_at(&p, "/fast", 0, NULL);
    receiver_say(p.r, "/slow", 0, "", "");
    for (size_t i = 0; i < FG_LEN(d); i++)
        test_event(&p, &slow, &d[i]);
    until_held(&p, &p.w.sweeper, 4);
    test_event(&p, &fast, &quick);
    until_told(&p, "/fast", 1);
    CHECK_I64(receiver_n(p.r, "/fast"), 1, "told while the other hangs");
    CHECK_I64(receiver_n(p.r, "/slow"), 4, "which gets only so many at once");
    receiver_say(p.r, "/slow", 204, "", "");
    receiver_release(p.r);
    settle(&p.w);
    CHECK_I64(pending(&p), 0, "all are told in the end");
    CHECK_I64(receiver_n(p.r, "/slow"), FG_LEN(d), "once each");
    place_end(&p);
}

TEST(one_that_asks_for_less_is_left_in_peace)
{
    struct place p;
    struct delivery_detail d;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, NULL);
    receiver_say(p.r, "/a", 429, "Retry-After: 90\r\n", "slow down");
    test_event(&p, &e, &d);
    settle(&p.w);
    receiver_say(p.r, "/a", 204, "", "");
    test_event(&p, &e, &d);
    clock_add(&p.w, 80 * S);
    settle(&p.w);
    CHECK_I64(receiver_n(p.r, "/a"), 1, "nothing goes there meanwhile");
    clock_add(&p.w, 10 * S);
    settle(&p.w);
    CHECK_I64(receiver_n(p.r, "/a"), 3, "then both");
    place_end(&p);
}

/* Two events of one job, without a provider. */
static void two_events(struct place *p, struct fg_str *id)
{
    struct job j;
    *id = new_job(&p->w, "replay-1", FAR);
    CHECK_CODE(p->cx, job_cancel(p->cx, &p->w.env, &p->w.who, *id, &j), FG_OK);
    CHECK_CODE(p->cx, job_erase(p->cx, &p->w.env, &p->w.who, *id), FG_OK);
}

TEST(a_later_event_waits_for_the_first_try_of_an_earlier_one)
{
    struct place p;
    struct fg_str id, other;
    place_begin(&p);
    (void)endpoint_at(&p, "/a", 0, NULL);
    (void)endpoint_at(&p, "/b", 0, NULL);
    receiver_say(p.r, "/a", 0, "", "");
    two_events(&p, &id);
    two_events(&p, &other);
    until_held(&p, &p.w.sweeper, 2);
    until_told(&p, "/b", 4);
    CHECK_I64(receiver_n(p.r, "/b"), 4, "elsewhere nobody waits");
    CHECK_IS(told(&p, "/a"), "job.failed job.failed", "each job's second event stands behind its first");
    receiver_say(p.r, "/a", 503, "", "");
    receiver_release(p.r);
    settle(&p.w);
    CHECK_IS(told(&p, "/a"), "job.failed job.failed job.deleted job.deleted", "until that has been tried");
    place_end(&p);
}

TEST(a_failed_first_try_holds_nobody_up)
{
    struct place p;
    struct fg_str id;
    place_begin(&p);
    (void)endpoint_at(&p, "/a", 0, NULL);
    receiver_say(p.r, "/a", 500, "", "");
    two_events(&p, &id);
    settle(&p.w);
    CHECK_IS(told(&p, "/a"), "job.failed job.deleted", "both were tried");
    receiver_say(p.r, "/a", 204, "", "");
    while (pending(&p))
        next_try(&p);
    CHECK_I64(receiver_n(p.r, "/a"), 4, "and both were taken");
    place_end(&p);
}

TEST(a_sweeper_that_dies_leaves_its_messages_to_the_next)
{
    struct place p;
    struct delivery_detail d;
    struct sweeper other;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, NULL);
    second_sweeper(&p.w, &other);
    receiver_say(p.r, "/a", 0, "", "");
    test_event(&p, &e, &d);
    until_held(&p, &other, 1);
    sweeper_close(&other); /* as a kill would leave it: claimed, and never heard of */
    receiver_say(p.r, "/a", 204, "", "");
    settle(&p.w);
    CHECK_I64(receiver_n(p.r, "/a"), 1, "its lease is respected");
    clock_add(&p.w, 26 * S);
    settle(&p.w);
    CHECK_I64(receiver_n(p.r, "/a"), 2, "and ends: told again");
    CHECK(!strcmp(receiver_get(p.r, "/a", 0).id, receiver_get(p.r, "/a", 1).id), "under the same id");
    d = delivery_now(&p, d.d.public_id);
    CHECK(d.d.state == DELIVERY_DELIVERED && d.attempt_n == 1, "taken once, as far as we know");
    place_end(&p);
}

TEST(an_answer_after_the_lease_changes_nothing)
{
    struct place p;
    struct delivery_detail d;
    struct sweeper other;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, NULL);
    second_sweeper(&p.w, &other);
    receiver_say(p.r, "/a", 0, "", "");
    test_event(&p, &e, &d);
    until_held(&p, &other, 1);
    clock_add(&p.w, 26 * S);
    receiver_say(p.r, "/a", 500, "", "");
    settle(&p.w);
    receiver_release(p.r);
    drain(&other);
    d = delivery_now(&p, d.d.public_id);
    CHECK(d.d.state == DELIVERY_PENDING && d.attempt_n == 1 && d.d.last_status == 500, "the new holder's word counts");
    sweeper_close(&other);
    place_end(&p);
}

TEST(one_that_kills_every_sweeper_ends_too)
{
    struct place p;
    struct delivery_detail d;
    place_begin(&p);
    struct endpoint e = endpoint_at(&p, "/a", 0, NULL);
    test_event(&p, &e, &d);
    do_sql(&p.w, "UPDATE webhook_delivery SET tries = 20");
    settle(&p.w);
    CHECK_I64(receiver_n(p.r, "/a"), 0, "not sent once more");
    CHECK_I64(delivery_now(&p, d.d.public_id).d.state, DELIVERY_FAILED, "given up");
    place_end(&p);
}
