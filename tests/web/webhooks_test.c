/* Webhook endpoints, their secrets and the log of deliveries, as their owner's programs see them. Nothing is sent here:
 * see tests/store/notify_test.c. */
#include "base/arena.h"
#include "web/web_world.h"

#define ENDPOINTS FG_LIT("/v1/webhook-endpoints")
#define DELIVERIES FG_LIT("/v1/webhook-deliveries")

static struct fg_str under(struct web_world *w, struct fg_str id, const char *rest)
{
    return arena_fmt(w->cx->mem, "/v1/webhook-endpoints/%.*s%s", FG_P(id), rest);
}

static struct fg_str new_endpoint(struct web_world *w, const char *more)
{
    CHECK_I64(web_call(w, "POST", ENDPOINTS, arena_fmt(w->cx->mem, "{\"url\":\"https://example.com/hook\"%s}", more).p), 201,
              "a good one");
    return web_text(w, "id");
}

/* The code of the error that names this path; "" when none does. */
static struct fg_str field_code(struct web_world *w, const char *path)
{
    const struct js *errors = js_get(web_json(w), "errors");
    for (size_t i = 0; i < js_len(errors); i++) {
        struct fg_str have, code;
        if (js_str(js_get(js_at(errors, i), "path"), &have) && fg_eq(have, fg_str_c(path)) &&
            js_str(js_get(js_at(errors, i), "code"), &code))
            return code;
    }
    return FG_LIT("");
}

static struct fg_str strings(struct web_world *w, const char *array)
{
    struct sb b = sb_in(w->cx->mem, 500);
    const struct js *a = js_get(web_json(w), array);
    struct fg_str s;
    for (size_t i = 0; i < js_len(a) && js_str(js_at(a, i), &s); i++)
        sb_addf(&b, "%s%.*s", i ? " " : "", FG_P(s));
    return sb_str(&b);
}

TEST(an_endpoint_shows_its_secret_where_it_is_made)
{
    struct web_world w;
    web_begin(&w);
    CHECK_I64(web_call(&w, "POST", ENDPOINTS,
                       "{\"url\":\"https://example.com/hook\",\"events\":[\"job.succeeded\",\"job.failed\"],"
                       "\"description\":\"the shop\"}"), 201, "made");
    struct fg_str id = web_text(&w, "id"), secret = web_text(&w, "secret");
    CHECK(fg_starts(id, FG_LIT("we_")) && fg_starts(secret, FG_LIT("whsec_")) && secret.n == 50, "id and secret");
    CHECK_STR(web_got(&w, "Location"), under(&w, id, ""), "where it is");
    CHECK_IS(web_got(&w, "Cache-Control"), "no-store", "not for caches");
    CHECK_IS(strings(&w, "events"), "job.succeeded job.failed", "what it wants");
    CHECK_I64(web_call(&w, "GET", under(&w, id, ""), NULL), 200, "read");
    CHECK(!web_text(&w, "secret").p, "without the secret");
    CHECK_IS(web_text(&w, "url"), "https://example.com/hook", "url");
    CHECK_IS(web_text(&w, "description"), "the shop", "description");
    CHECK_I64(web_call(&w, "GET", ENDPOINTS, NULL), 200, "the list");
    CHECK(web_data_n(&w) == 1 && !web_data_text(&w, 0, "secret").p, "has it without the secret, too");
    CHECK_I64(web_call(&w, "GET", under(&w, id, "/secret"), NULL), 200, "asked for");
    CHECK_STR(web_data_text(&w, 0, "secret"), secret, "it is told");
    CHECK_I64(web_call(&w, "DELETE", under(&w, id, ""), NULL), 204, "deleted");
    CHECK_I64(web_call(&w, "GET", under(&w, id, ""), NULL), 404, "gone");
    CHECK_I64(web_call(&w, "GET", under(&w, id, "/secret"), NULL), 404, "with its secret");
    web_end(&w, 0);
}

TEST(every_bad_field_of_an_endpoint_is_named_at_once)
{
    static const char *const path[] = { "/url", "/events", "/description", "/disabled", "/colour" };
    static const char *const code[] = { "value", "value", "type", "type", "unknown" };
    struct web_world w;
    web_begin(&w);
    CHECK_I64(web_call(&w, "POST", ENDPOINTS,
                       "{\"url\":\"http://example.com/\",\"events\":[\"job.pending\"],\"description\":7,\"disabled\":\"no\","
                       "\"colour\":1}"), 400, "refused");
    CHECK_IS(web_text(&w, "code"), "invalid_request", "code");
    for (size_t i = 0; i < FG_LEN(path); i++)
        CHECK_STR(field_code(&w, path[i]), fg_str_c(code[i]), path[i]);
    CHECK_I64(js_len(js_get(web_json(&w), "errors")), FG_LEN(path), "and nothing else");
    CHECK_I64(web_call(&w, "POST", ENDPOINTS, "{}"), 400, "nothing given");
    CHECK_IS(field_code(&w, "/url"), "required", "url");
    CHECK_I64(web_call(&w, "POST", ENDPOINTS, "[]"), 400, "no object");
    CHECK_I64(web_call(&w, "POST", ENDPOINTS, "{"), 400, "no JSON");
    CHECK_I64(web_call(&w, "POST", ENDPOINTS, "{\"url\":\"https://example.com/\",\"events\":[]}"), 400, "no events");
    CHECK_IS(field_code(&w, "/events"), "length", "would never be told of anything");
    web_end(&w, 0);
}

TEST(addresses_of_our_own_network_are_refused)
{
    static const char *const url[] = { "https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://192.168.1.1/",
                                       "https://169.254.169.254/", "https://0x7f000001/", "https://[::ffff:10.0.0.1]/",
                                       "https://user@example.com/", "file:///etc/passwd" };
    struct web_world w;
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(url); i++) {
        CHECK_I64(web_call(&w, "POST", ENDPOINTS, arena_fmt(w.cx->mem, "{\"url\":\"%s\"}", url[i]).p), 400, url[i]);
        CHECK_IS(field_code(&w, "/url"), "value", url[i]);
        CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/jobs"),
                           arena_fmt(w.cx->mem, "{\"prompt\":\"a\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                                     "\"callbackUrl\":\"%s\"}", url[i]).p), 400, url[i]);
        CHECK_IS(field_code(&w, "/callbackUrl"), "value", url[i]);
    }
    struct fg_str id = new_endpoint(&w, "");
    CHECK_I64(web_call(&w, "PATCH", under(&w, id, ""), "{\"url\":\"https://127.0.0.1/\"}"), 400, "nor by the back door");
    web_end(&w, 0);
}

TEST(a_change_changes_what_it_names)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = new_endpoint(&w, ",\"events\":[\"job.failed\"],\"description\":\"a\"");
    CHECK_I64(web_call(&w, "PATCH", under(&w, id, ""), "{\"url\":\"https://example.org/other\"}"), 200, "url");
    CHECK_IS(web_text(&w, "url"), "https://example.org/other", "changed");
    CHECK_IS(strings(&w, "events"), "job.failed", "the rest stays");
    CHECK_IS(web_text(&w, "description"), "a", "as it was");
    CHECK_I64(web_call(&w, "PATCH", under(&w, id, ""), "{\"events\":null,\"description\":null}"), 200, "null");
    CHECK_I64(js_type(js_get(web_json(&w), "events")), JS_NULL, "is all events");
    CHECK_IS(web_text(&w, "description"), "", "and no words");
    CHECK_I64(web_call(&w, "PATCH", under(&w, id, ""), "{\"url\":null}"), 400, "a place there must be");
    CHECK_I64(web_call(&w, "PATCH", under(&w, id, ""), "{\"disabled\":true}"), 200, "off");
    CHECK_IS(web_text(&w, "disabledReason"), "owner", "by its owner");
    CHECK_I64(web_call(&w, "POST", under(&w, id, "/test"), NULL), 409, "a test of it");
    CHECK_IS(web_text(&w, "code"), "endpoint_disabled", "makes no sense");
    CHECK_I64(web_call(&w, "POST", under(&w, id, "/redeliver"), "{\"since\":\"2030-01-01T00:00:00Z\"}"), 409, "nor more");
    CHECK_I64(web_call(&w, "PATCH", under(&w, id, ""), "{\"disabled\":false}"), 200, "on");
    CHECK(!web_text(&w, "disabledReason").p && !web_text(&w, "disabledAt").p, "again");
    CHECK_I64(web_call(&w, "POST", under(&w, id, "/test"), NULL), 202, "and told");
    web_end(&w, 0);
}

TEST(secrets_rotate_with_and_without_grace)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = new_endpoint(&w, ""), first = web_text(&w, "secret");
    CHECK_I64(web_call(&w, "POST", under(&w, id, "/rotate-secret"), NULL), 200, "without a body");
    struct fg_str second = web_text(&w, "secret");
    CHECK(!fg_eq(first, second), "another");
    CHECK_I64(web_call(&w, "GET", under(&w, id, "/secret"), NULL), 200, "now");
    CHECK_I64(web_data_n(&w), 2, "both sign");
    CHECK_STR(web_data_text(&w, 0, "secret"), second, "the newest first");
    CHECK_IS(web_data_text(&w, 1, "expiresAt"), "2030-01-02T00:00:00.000Z", "a day of grace");
    CHECK_I64(web_call(&w, "POST", under(&w, id, "/rotate-secret"), "{\"expireAfterSeconds\":0}"), 200, "leaked");
    CHECK_I64(web_call(&w, "GET", under(&w, id, "/secret"), NULL), 200, "then");
    CHECK_I64(web_data_n(&w), 1, "only the new one");
    static const char *const bad[] = { "{\"expireAfterSeconds\":-1}", "{\"expireAfterSeconds\":604801}",
                                       "{\"expireAfterSeconds\":\"1\"}", "{\"expireAfterSeconds\":null}" };
    for (size_t i = 0; i < FG_LEN(bad); i++) {
        CHECK_I64(web_call(&w, "POST", under(&w, id, "/rotate-secret"), bad[i]), 400, bad[i]);
        CHECK(field_code(&w, "/expireAfterSeconds").n, bad[i]);
    }
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/webhook-endpoints/callbacks/secret"), NULL), 200, "the account's own");
    struct fg_str own = web_data_text(&w, 0, "secret");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/webhook-endpoints/callbacks/secret"), NULL), 200, "asked for again");
    CHECK(web_data_n(&w) == 1 && fg_eq(web_data_text(&w, 0, "secret"), own), "is the same");
    CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/webhook-endpoints/callbacks/rotate-secret"), NULL), 200, "rotates, too");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/webhook-endpoints/callbacks/secret"), NULL), 200, "then");
    CHECK_I64(web_data_n(&w), 2, "there are two");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/webhook-endpoints/callbacks"), NULL), 404, "but it is no endpoint");
    web_end(&w, 0);
}

TEST(who_may_not)
{
    static const struct {
        const char *method, *rest, *body;
    } row[] = {
        { "GET", "", NULL },          { "PATCH", "", "{\"disabled\":true}" }, { "DELETE", "", NULL },
        { "GET", "/secret", NULL },   { "POST", "/rotate-secret", NULL },     { "POST", "/test", NULL },
        { "POST", "/redeliver", "{\"since\":\"2030-01-01T00:00:00Z\"}" },
    };
    struct web_world w;
    struct fg_str other;
    web_begin(&w);
    struct fg_str id = new_endpoint(&w, "");
    CHECK_I64(web_call(&w, "POST", under(&w, id, "/test"), NULL), 202, "a delivery");
    struct fg_str delivery = web_text(&w, "id");
    struct fg_str log = arena_fmt(w.cx->mem, "/v1/webhook-deliveries/%.*s", FG_P(delivery));
    struct fg_str again = arena_fmt(w.cx->mem, "%.*s/redeliver", FG_P(log)), app = w.key;
    CHECK_CODE(w.cx, account_create(w.cx, w.cli, FG_LIT("Other"), &other), FG_OK);
    struct fg_str key[] = { web_new_key(&w, w.account, ROLE_USER, "u1"), web_new_key(&w, other, ROLE_APP, NULL) };
    for (size_t k = 0; k < FG_LEN(key); k++) {
        int want = k == 0 ? 403 : 404;
        w.key = key[k];
        for (size_t i = 0; i < FG_LEN(row); i++)
            CHECK_I64(web_call(&w, row[i].method, under(&w, id, row[i].rest), row[i].body), want, row[i].rest);
        CHECK_I64(web_call(&w, "GET", log, NULL), want, "the log");
        CHECK_I64(web_call(&w, "POST", again, NULL), want, "telling again");
    }
    CHECK_I64(web_call(&w, "GET", DELIVERIES, NULL), 200, "another account's log");
    CHECK_I64(web_data_n(&w), 0, "is empty");
    w.key = key[0];
    CHECK_I64(web_call(&w, "GET", ENDPOINTS, NULL), 403, "a user's key");
    CHECK_I64(web_call(&w, "GET", DELIVERIES, NULL), 403, "has no business there");
    CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/jobs"), "{\"prompt\":\"a\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                       "\"callbackUrl\":\"https://example.com/\"}"), 400, "nor may it be told");
    CHECK_IS(field_code(&w, "/callbackUrl"), "value", "with the account's signature");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/me"), NULL), 200, "and is not told");
    CHECK(!js_get(web_json(&w), "webhooks"), "of the account's affairs");
    w.key = web_new_key(&w, w.account, ROLE_ADMIN, NULL);
    CHECK_I64(web_call(&w, "GET", under(&w, id, ""), NULL), 200, "an admin key may");
    w.key = app;
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/webhook-endpoints/we_nonsense"), NULL), 404, "no such id");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/webhook-endpoints/\xc3\xa4"), NULL), 404, "nor anything like one");
    web_end(&w, 0);
}

TEST(the_log_is_listed_filtered_and_paged)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str a = new_endpoint(&w, ""), b = new_endpoint(&w, ""), job = web_new_job(&w), id[3];
    CHECK_I64(web_call(&w, "POST", arena_fmt(w.cx->mem, "/v1/jobs/%.*s/cancel", FG_P(job)), NULL), 200, "an event");
    CHECK_I64(web_call(&w, "POST", under(&w, a, "/test"), NULL), 202, "and a test");
    CHECK_I64(web_call(&w, "GET", DELIVERIES, NULL), 200, "all");
    CHECK_I64(web_data_n(&w), 3, "two places heard of the job, one was tested");
    CHECK_IS(web_data_text(&w, 0, "type"), "webhook.test", "the newest first");
    CHECK_IS(web_data_text(&w, 2, "type"), "job.failed", "the oldest last");
    CHECK_STR(web_data_text(&w, 2, "jobId"), job, "with its job");
    CHECK_STR(web_data_text(&w, 1, "messageId"), web_data_text(&w, 2, "messageId"), "one message to two places");
    for (size_t i = 0; i < FG_LEN(id); i++)
        id[i] = web_data_text(&w, i, "id");
    static const struct {
        const char *query;
        size_t n;
    } row[] = { { "?job=%.*s", 2 }, { "?state=pending", 3 }, { "?state=failed", 0 }, { "?limit=1", 1 } };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct sb q = sb_in(w.cx->mem, 200);
        sb_add(&q, DELIVERIES);
        sb_add(&q, i == 0 ? arena_fmt(w.cx->mem, "?job=%.*s", FG_P(job)) : fg_str_c(row[i].query));
        CHECK_I64(web_call(&w, "GET", sb_str(&q), NULL), 200, row[i].query);
        CHECK_I64(web_data_n(&w), row[i].n, row[i].query);
    }
    CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/webhook-deliveries?endpoint=%.*s", FG_P(b)), NULL), 200, "of one");
    CHECK_I64(web_data_n(&w), 1, "endpoint");
    struct fg_str cursor = FG_NONE;
    for (size_t i = 0; i < FG_LEN(id); i++) {
        struct fg_str page = cursor.p ? arena_fmt(w.cx->mem, "/v1/webhook-deliveries?limit=1&cursor=%.*s", FG_P(cursor))
                                      : FG_LIT("/v1/webhook-deliveries?limit=1");
        CHECK_I64(web_call(&w, "GET", page, NULL), 200, "a page");
        CHECK_STR(web_data_text(&w, 0, "id"), id[i], "goes on where the last ended");
        cursor = web_text(&w, "nextCursor");
    }
    static const char *const bad[] = { "?limit=0", "?limit=101", "?state=lost", "?job=job_x", "?endpoint=x", "?cursor=%00",
                                       "?cursor=dlv_01234567890123456789012345", "?colour=red", "?limit=1&limit=2" };
    for (size_t i = 0; i < FG_LEN(bad); i++)
        CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/webhook-deliveries%s", bad[i]), NULL), 400, bad[i]);
    web_end(&w, 0);
}

TEST(a_delivery_shows_what_goes_out_and_can_go_out_again)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = new_endpoint(&w, "");
    CHECK_I64(web_call(&w, "POST", under(&w, id, "/test"), NULL), 202, "a test");
    struct fg_str where = web_got(&w, "Location"), message = web_text(&w, "messageId");
    CHECK_IS(web_text(&w, "state"), "pending", "waits");
    CHECK_I64(web_call(&w, "GET", where, NULL), 200, "looked at");
    const struct js *payload = js_get(web_json(&w), "payload");
    struct fg_str type;
    CHECK(js_str(js_get(payload, "type"), &type) && FG_IS(type, "webhook.test"), "its payload is JSON");
    CHECK_I64(js_type(js_get(web_json(&w), "lastTry")), JS_NULL, "not tried");
    web_script(&w, "UPDATE webhook_delivery SET state = 3, tries = 8, attempt_n = 8, last_at_us = 1893456000000000, "
                   "last_status = 500, last_excerpt = 'oh no'; INSERT INTO webhook_attempt SELECT id, 8, 1893456000000000, "
                   "12, 500, 'oh no' FROM webhook_delivery; INSERT INTO webhook_attempt SELECT id, 7, 1893450000000000, "
                   "30, NULL, 'could not connect' FROM webhook_delivery");
    CHECK_I64(web_call(&w, "GET", where, NULL), 200, "after its tries");
    CHECK_IS(web_text(&w, "state"), "failed", "given up");
    const struct js *tries = js_get(web_json(&w), "attempts"), *last = js_get(web_json(&w), "lastTry");
    struct fg_str words;
    int64_t n;
    CHECK_I64(js_len(tries), 2, "each is there");
    CHECK(js_str(js_get(js_at(tries, 0), "error"), &words) && FG_IS(words, "could not connect"), "no answer");
    CHECK_I64(js_type(js_get(js_at(tries, 0), "status")), JS_NULL, "has no status");
    CHECK(js_i64(js_get(js_at(tries, 1), "status"), &n) && n == 500, "an answer has one");
    CHECK(js_str(js_get(last, "responseExcerpt"), &words) && FG_IS(words, "oh no"), "and its words");
    CHECK_I64(web_call(&w, "POST", arena_fmt(w.cx->mem, "%.*s/redeliver", FG_P(where)), NULL), 202, "again");
    CHECK_IS(web_text(&w, "state"), "pending", "it waits");
    CHECK_STR(web_text(&w, "messageId"), message, "as the same message");
    web_script(&w, "UPDATE webhook_delivery SET state = 4");
    CHECK_I64(web_call(&w, "POST", under(&w, id, "/redeliver"), "{\"since\":\"2030-01-01T00:00:01Z\"}"), 202, "since later");
    CHECK_I64(web_number(&w, "redelivered"), 0, "nothing");
    t_advance(&w.t, 1);
    w.cx->now_us = w.t.utc_us;
    CHECK_I64(web_call(&w, "POST", under(&w, id, "/redeliver"), "{\"since\":\"2030-01-01T00:00:00Z\",\"state\":\"failed\"}"),
              202, "since then");
    CHECK_I64(web_number(&w, "redelivered"), 1, "one");
    CHECK_I64(web_call(&w, "POST", under(&w, id, "/redeliver"), "{\"since\":\"yesterday\",\"state\":\"some\"}"), 400, "what?");
    CHECK(field_code(&w, "/since").n && field_code(&w, "/state").n, "both are named");
    CHECK_I64(web_call(&w, "POST", under(&w, id, "/redeliver"), "{}"), 400, "since when?");
    CHECK_IS(field_code(&w, "/since"), "required", "must be said");
    web_end(&w, 0);
}

TEST(the_account_is_told_what_we_disabled)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str a = new_endpoint(&w, ""), b = new_endpoint(&w, ""), c = new_endpoint(&w, ",\"disabled\":true");
    (void)c;
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/me"), NULL), 200, "me");
    CHECK_I64(js_len(js_get(js_get(web_json(&w), "webhooks"), "disabled")), 0, "what they disabled they know");
    web_script(&w, arena_fmt(w.cx->mem, "UPDATE webhook_endpoint SET disabled_us = 1893456000000000, disabled_reason = 3 "
                             "WHERE public_id = '%.*s'; UPDATE webhook_endpoint SET failing_since_us = 1893456000000000 "
                             "WHERE public_id = '%.*s'", FG_P(a), FG_P(b)).p);
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/me"), NULL), 200, "me");
    const struct js *webhooks = js_get(web_json(&w), "webhooks"), *off = js_get(webhooks, "disabled");
    struct fg_str id, reason;
    CHECK_I64(js_len(off), 1, "one was disabled");
    CHECK(js_str(js_get(js_at(off, 0), "id"), &id) && fg_eq(id, a), "that one");
    CHECK(js_str(js_get(js_at(off, 0), "disabledReason"), &reason) && FG_IS(reason, "failing"), "and why");
    CHECK(js_str(js_get(js_at(js_get(webhooks, "failing"), 0), "id"), &id) && fg_eq(id, b), "one is on its way there");
    web_end(&w, 0);
}

TEST(a_jobs_own_url_is_shown_and_forgotten_with_it)
{
    struct web_world w;
    web_begin(&w);
    CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/jobs"), "{\"prompt\":\"a\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                       "\"callbackUrl\":\"https://example.com/mine\"}"), 202, "a job");
    struct fg_str id = web_text(&w, "id"), job = arena_fmt(w.cx->mem, "/v1/jobs/%.*s", FG_P(id));
    CHECK_IS(web_text(&w, "callbackUrl"), "https://example.com/mine", "shown");
    web_finish_job(&w, id);
    CHECK_I64(web_call(&w, "DELETE", job, NULL), 204, "erased");
    CHECK_I64(web_call(&w, "GET", job, NULL), 200, "what is left");
    CHECK(!web_text(&w, "callbackUrl").p, "does not have it");
    CHECK_I64(web_call(&w, "GET", DELIVERIES, NULL), 200, "the log");
    CHECK_I64(web_data_n(&w), 1, "of its deletion");
    CHECK(!web_data_text(&w, 0, "endpointId").p, "told at no endpoint");
    CHECK_IS(web_data_text(&w, 0, "url"), "https://example.com/mine", "but there");
    web_end(&w, 0);
}

TEST(a_user_does_not_see_where_the_account_is_told)
{
    struct web_world w;
    web_begin(&w);
    CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/jobs"), "{\"prompt\":\"a\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                       "\"userId\":\"u1\",\"callbackUrl\":\"https://example.com/?token=1\"}"), 202, "for a user");
    struct fg_str job = arena_fmt(w.cx->mem, "/v1/jobs/%.*s", FG_P(web_text(&w, "id")));
    CHECK_I64(web_call(&w, "GET", job, NULL), 200, "the account");
    CHECK(web_text(&w, "callbackUrl").p, "sees it");
    w.key = web_new_key(&w, w.account, ROLE_USER, "u1");
    CHECK_I64(web_call(&w, "GET", job, NULL), 200, "the user");
    CHECK(!web_text(&w, "callbackUrl").p, "does not");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs"), NULL), 200, "in a list");
    CHECK(web_data_n(&w) == 1 && !web_data_text(&w, 0, "callbackUrl").p, "neither");
    CHECK_I64(web_call(&w, "POST", arena_fmt(w.cx->mem, "%.*s/cancel", FG_P(job)), NULL), 200, "in an answer");
    CHECK(!web_text(&w, "callbackUrl").p, "neither");
    web_end(&w, 0);
}

TEST(endpoints_have_a_limit)
{
    struct web_world w;
    web_begin(&w);
    for (int i = 0; i < 20; i++)
        (void)new_endpoint(&w, "");
    CHECK_I64(web_call(&w, "POST", ENDPOINTS, "{\"url\":\"https://example.com/hook\"}"), 409, "one too many");
    CHECK_IS(web_text(&w, "code"), "endpoint_limit", "code");
    web_end(&w, 0);
}
