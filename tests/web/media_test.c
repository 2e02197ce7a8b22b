/* Signed links to files, callbacks, and what operators look at. */
#include <stdio.h>

#include "base/arena.h"
#include "base/time.h"
#include "media/link.h"
#include "routes.h"
#include "web/web_world.h"

static struct fg_str link_of(struct web_world *w, struct fg_str id, const char *member)
{
    (void)web_call(w, "GET", arena_fmt(w->cx->mem, "/v1/jobs/%.*s", FG_P(id)), NULL);
    struct fg_str url = web_text(w, member), base = w->conf.server_public_url;
    CHECK(fg_starts(url, base), "links are absolute");
    return (struct fg_str){ url.p + base.n, url.n - base.n };
}

static int follow(struct web_world *w, const char *method, struct fg_str link)
{
    struct web_req req = web_request(method, link, FG_NONE, FG_NONE);
    return web_send(w, &req);
}

TEST(a_link_leads_to_the_file_without_a_key)
{
    static const struct {
        const char *member, *type, *suffix;
    } row[] = { { "outputUrl", "video/mp4", "mp4" }, { "posterUrl", "image/jpeg", "jpg" } };
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w);
    web_finish_job(&w, id);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str link = link_of(&w, id, row[i].member);
        CHECK_I64(follow(&w, "GET", link), 200, row[i].member);
        CHECK_STR(w.resp.content_type, fg_str_c(row[i].type), "type");
        CHECK_STR(web_got(&w, "X-Accel-Redirect"),
                  arena_fmt(w.cx->mem, "/_store/ab/%.*s.%s", FG_P(id), row[i].suffix),
                  "nginx sends it");
        CHECK_STR(web_got(&w, "Content-Disposition"),
                  arena_fmt(w.cx->mem, "inline; filename=\"a-red-kite.%s\"", row[i].suffix), "a name to keep it by");
        CHECK(fg_starts(web_got(&w, "Cache-Control"), FG_LIT("private")), "in nobody else's cache");
        CHECK_I64(follow(&w, "HEAD", link), 200, "HEAD");
    }
    web_end(&w, 0);
}

#define DIGEST "6464646464646464646464646464646464646464646464646464646464646464"

/* The content's hash: whoever has that content is told so, and no file is read. */
TEST(what_a_client_has_already_is_not_sent_again)
{
    static const struct { const char *member, *tag, *known; int status; } row[] = {
        { "outputUrl", "\"" DIGEST "\"", NULL, 200 },
        { "outputUrl", "\"" DIGEST "\"", "\"" DIGEST "\"", 304 },
        { "outputUrl", "\"" DIGEST "\"", "\"x\", W/\"" DIGEST "\"", 304 },
        { "outputUrl", "\"" DIGEST "\"", "\"" DIGEST "-poster\"", 200 },
        { "posterUrl", "\"" DIGEST "-poster\"", "\"" DIGEST "-poster\"", 304 },
        { "posterUrl", "\"" DIGEST "-poster\"", "\"" DIGEST "\"", 200 },
    };
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w);
    web_finish_job(&w, id);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct web_req req = web_request("GET", link_of(&w, id, row[i].member), FG_NONE, FG_NONE);
        if (row[i].known)
            req.header[WEB_IF_NONE_MATCH] = fg_str_c(row[i].known);
        CHECK_I64(web_send(&w, &req), row[i].status, row[i].known);
        CHECK_STR(web_got(&w, "ETag"), fg_str_c(row[i].tag), row[i].member);
        CHECK_I64(web_got(&w, "X-Accel-Redirect").n > 0, row[i].status == 200, "sent, or not");
        CHECK_IS(web_got(&w, "Cache-Control"), "private, max-age=600", "either way");
    }
    web_end(&w, 0);
}

TEST(a_download_has_a_name_that_people_can_read)
{
    static const struct { const char *prompt, *want; } row[] = {
        { "A red kite, over dunes!", "a-red-kite-over-dunes.mp4\"" },
        { "  ../../etc/passwd\\\" \r\nX: y", "etc-passwd-x-y.mp4\"" },
        { "Ein Käuzchen über Dünen", "ein-k-uzchen-ber-d-nen.mp4\"; filename*=UTF-8''ein-k%C3%A4uzchen-%C3%BCber-d%C3%BCnen.mp4" },
        { "\xe2\x80\xae" "4pm", "4pm.mp4\"" },
        { "\xe7\xb4\x85\xe3\x81\x84\xe9\xb3\xb6", "filmgate-%s.mp4\"; filename*=UTF-8''%%E7%%B4%%85%%E3%%81%%84%%E9%%B3%%B6.mp4" },
        { "!!!", "filmgate-%s.mp4\"" },
    };
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w);
    web_finish_job(&w, id);
    struct fg_str link = arena_fmt(w.cx->mem, "%.*s&download=1", FG_P(link_of(&w, id, "outputUrl")));
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str hex = hash_hex(w.cx->mem, row[i].prompt, strlen(row[i].prompt));
        web_script(&w, arena_fmt(w.cx->mem, "UPDATE job SET prompt = CONVERT(0x%.*s USING utf8mb4)", FG_P(hex)).p);
        CHECK_I64(follow(&w, "GET", link), 200, row[i].prompt);
        bool named = strstr(row[i].want, "%s") != NULL;
        struct fg_str want = fg_str_c(row[i].want);
        if (named) { /* the text stands before and after the id; "%%" is a percent sign */
            struct sb b = sb_in(w.cx->mem, 512);
            for (const char *p = row[i].want; *p; p++) {
                if (p[0] == '%' && p[1] == 's')
                    sb_add(&b, id);
                else
                    sb_add_c(&b, *p);
                p += p[0] == '%';
            }
            want = sb_str(&b);
        }
        CHECK_STR(web_got(&w, "Content-Disposition"), arena_fmt(w.cx->mem, "attachment; filename=\"%.*s", FG_P(want)), row[i].prompt);
    }
    struct fg_str words = arena_fmt(w.cx->mem, "UPDATE job SET prompt = REPEAT('\xc3\xa4', 900)");
    web_script(&w, words.p);
    CHECK_I64(follow(&w, "GET", link), 200, "a long one");
    CHECK(web_got(&w, "Content-Disposition").n < 400, "is cut");
    web_script(&w, "UPDATE job SET prompt = NULL, redacted_us = 1");
    CHECK_I64(follow(&w, "GET", link), 200, "without words");
    CHECK(strstr(web_got(&w, "Content-Disposition").p, "filmgate-job_"), "the job's id is its name");
    web_end(&w, 0);
}

/* ---- links that an owner gives away ---- */

static struct fg_str shares_of(struct web_world *w, struct fg_str id)
{
    return arena_fmt(w->cx->mem, "/v1/jobs/%.*s/shares", FG_P(id));
}

static struct fg_str local(struct web_world *w, const char *member)
{
    struct fg_str url = web_text(w, member), base = w->conf.server_public_url;
    CHECK(fg_starts(url, base), member);
    return (struct fg_str){ url.p + base.n, url.n - base.n };
}

TEST(a_shared_link_works_until_it_is_revoked_or_over)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w);
    CHECK_I64(web_call(&w, "POST", shares_of(&w, id), NULL), 409, "nothing to share yet");
    web_finish_job(&w, id);
    CHECK_I64(web_call(&w, "POST", shares_of(&w, id), "{\"expiresInSeconds\":3600}"), 201, "made");
    struct fg_str share = web_text(&w, "id"), video = local(&w, "url"), poster = local(&w, "posterUrl");
    CHECK_STR(web_text(&w, "expiresAt"), time_iso(w.cx->mem, w.t.utc_us + 3600 * FG_US_PER_S), "its end");
    CHECK_I64(web_call(&w, "POST", shares_of(&w, id), NULL), 201, "another, for a week");
    struct fg_str second = local(&w, "url");
    CHECK(!fg_eq(video, second), "no two are the same");
    CHECK_I64(follow(&w, "GET", video), 200, "without a key");
    CHECK(web_got(&w, "X-Accel-Redirect").n && fg_eq(web_got(&w, "Cache-Control"), FG_LIT("private, no-cache")),
          "and asked for each time");
    CHECK_I64(follow(&w, "HEAD", poster), 200, "the poster too");
    CHECK_I64(web_call(&w, "GET", shares_of(&w, id), NULL), 200, "the list");
    CHECK_I64(web_data_n(&w), 2, "of both");
    CHECK_STR(web_data_text(&w, 1, "id"), share, "newest first");
    CHECK(!web_data_text(&w, 1, "url").p, "the link itself was told once");
    web_holds(&w, "(SELECT COUNT(*) FROM share WHERE public_id LIKE 'share%' AND digest NOT LIKE 'sh%') = 2", "nor is it kept");

    struct fg_str one = arena_fmt(w.cx->mem, "%.*s/%.*s", FG_P(shares_of(&w, id)), FG_P(share));
    CHECK_I64(web_call(&w, "DELETE", one, NULL), 204, "revoked");
    CHECK_I64(web_call(&w, "DELETE", one, NULL), 204, "twice is fine");
    CHECK_I64(follow(&w, "GET", video), 403, "at once");
    CHECK_IS(web_text(&w, "code"), "link_invalid", "in words");
    CHECK_I64(follow(&w, "GET", poster), 403, "all of it");
    CHECK_I64(follow(&w, "GET", second), 200, "and no other");
    (void)web_call(&w, "GET", shares_of(&w, id), NULL);
    CHECK_I64(web_data_n(&w), 1, "the list has what works");
    t_advance(&w.t, 604800 * FG_US_PER_S);
    CHECK_I64(follow(&w, "GET", second), 403, "over");
    web_end(&w, 0);
}

TEST(shares_are_made_by_those_who_may_see_the_job)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str mine = web_new_job(&w), theirs = web_new_job(&w);
    web_script(&w, arena_fmt(w.cx->mem, "UPDATE job SET user_id = 'ann' WHERE public_id = '%.*s'", FG_P(mine)).p);
    web_finish_job(&w, mine);
    web_finish_job(&w, theirs);
    struct fg_str user = web_new_key(&w, w.account, ROLE_USER, "ann");
    const struct { struct fg_str job; const char *body; int status; } row[] = {
        { mine, "", 201 }, { theirs, "", 404 }, { FG_LIT("job_x"), "", 404 }, { mine, "[]", 400 }, { mine, "{", 400 },
        { mine, "{\"expiresInSeconds\":59}", 422 }, { mine, "{\"expiresInSeconds\":31536001}", 422 },
        { mine, "{\"expiresInSeconds\":\"60\"}", 422 }, { mine, "{\"days\":1}", 422 }, { mine, "{\"expiresInSeconds\":60}", 201 },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct web_req req = web_request("POST", shares_of(&w, row[i].job), user, fg_str_c(row[i].body));
        int status = web_send(&w, &req), want = row[i].status == 422 ? 400 : row[i].status;
        CHECK_I64(status, want, row[i].body);
    }
    struct fg_str id = web_text(&w, "id");
    struct fg_str wrong = arena_fmt(w.cx->mem, "%.*s/%.*s", FG_P(shares_of(&w, theirs)), FG_P(id));
    CHECK_I64(web_call(&w, "DELETE", wrong, NULL), 404, "of another job");
    CHECK_I64(follow(&w, "GET", FG_LIT("/media/shared/sh_00000000000000000000000000/video")), 403, "never given");
    CHECK_I64(follow(&w, "GET", FG_LIT("/media/shared/x/video")), 403, "no token");
    CHECK_I64(follow(&w, "GET", FG_LIT("/media/shared/x/sound")), 404, "no part");
    for (int i = 0; i < 98; i++)
        CHECK_I64(web_call(&w, "POST", shares_of(&w, mine), NULL), 201, "up to a hundred");
    CHECK_I64(web_call(&w, "POST", shares_of(&w, mine), NULL), 403, "and no more");
    web_end(&w, 0);
}

/* Where the page of a link asks: its address has the token after the #. */
static struct fg_str page_of(struct web_world *w)
{
    struct fg_str page = local(w, "pageUrl"), before = FG_LIT("/share/#");
    CHECK(fg_starts(page, before), "a page of ours");
    return arena_fmt(w->cx->mem, "/v1/shared/%.*s", (int)(page.n - before.n), page.p + before.n);
}

TEST(the_page_of_a_link_is_told_the_video_and_no_more)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w);
    web_finish_job(&w, id);
    CHECK_I64(web_call(&w, "POST", shares_of(&w, id), "{\"expiresInSeconds\":3600}"), 201, "made");
    struct fg_str share = web_text(&w, "id"), page = page_of(&w), video = local(&w, "url"), ends = web_text(&w, "expiresAt");
    CHECK_I64(follow(&w, "GET", page), 200, "without a key");
    CHECK_IS(web_got(&w, "Cache-Control"), "no-store", "never kept");
    CHECK_I64(js_len(web_json(&w)), 10, "ten things");
    CHECK_IS(web_text(&w, "status"), "succeeded", "it is there");
    CHECK_IS(web_text(&w, "model"), "studio-1", "who made it");
    CHECK_IS(web_text(&w, "aspectRatio"), "16:9", "its shape");
    CHECK(web_text(&w, "prompt").n > 0, "its words");
    CHECK_STR(web_text(&w, "expiresAt"), ends, "its end");
    CHECK_STR(local(&w, "videoUrl"), video, "the file");
    CHECK_I64(follow(&w, "GET", local(&w, "posterUrl")), 200, "its poster");

    struct fg_str early = time_iso(w.cx->mem, w.t.utc_us + 60 * FG_US_PER_S);
    web_script(&w, arena_fmt(w.cx->mem, "UPDATE job SET expires_us = %lld", (long long)(w.t.utc_us + 60 * FG_US_PER_S)).p);
    CHECK_I64(follow(&w, "GET", page), 200, "the file will go before the link");
    CHECK_STR(web_text(&w, "expiresAt"), early, "and that is the end");

    CHECK_I64(follow(&w, "GET", FG_LIT("/v1/shared/sh_00000000000000000000000000")), 403, "never given");
    CHECK_I64(follow(&w, "GET", FG_LIT("/v1/shared/x")), 403, "no token");
    CHECK_IS(web_text(&w, "instance"), "/v1/shared/{token}", "a refusal does not repeat it");
    struct fg_str one = arena_fmt(w.cx->mem, "%.*s/%.*s", FG_P(shares_of(&w, id)), FG_P(share));
    CHECK_I64(web_call(&w, "DELETE", one, NULL), 204, "revoked");
    CHECK_I64(follow(&w, "GET", page), 403, "at once");
    CHECK_IS(web_text(&w, "code"), "link_invalid", "in words");
    web_end(&w, 0);
}

TEST(links_that_do_not_fit)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w), other = web_new_job(&w);
    web_finish_job(&w, id);
    web_finish_job(&w, other);
    struct fg_str good = link_of(&w, id, "outputUrl");
    struct fg_str query = { memchr(good.p, '?', good.n), 0 };
    query.n = (size_t)(good.p + good.n - query.p);
    int64_t exp = w.t.utc_us + 3600 * FG_US_PER_S;
    const struct {
        struct fg_str link;
        int status;
        const char *why;
    } row[] = {
        { good, 200, "as it was given" },
        { arena_fmt(w.cx->mem, "/media/%.*s/poster%.*s", FG_P(id), FG_P(query)), 403,
          "another part" },
        { arena_fmt(w.cx->mem, "/media/%.*s/video%.*s", FG_P(other), FG_P(query)), 403,
          "another job" },
        { arena_fmt(w.cx->mem, "/media/job_\xff/video%.*s", FG_P(query)), 403, "no job" },
        { arena_fmt(w.cx->mem, "/media/%.*s/video", FG_P(id)), 403, "no signature" },
        { arena_fmt(w.cx->mem, "%.*s&sig=x", FG_P(good)), 403, "two signatures" },
        { arena_fmt(w.cx->mem, "%.*sx", FG_P(good)), 403, "a byte more" },
        { arena_fmt(w.cx->mem, "/media/%.*s/video?exp=9999999999&sig=%.*s", FG_P(id), 43,
                    strstr(good.p, "sig=") + 4),
          403, "a longer life" },
        { link_make(w.cx, w.app->pepper, id, 4711, MEDIA_VIDEO, exp), 403, "another account" },
        { arena_fmt(w.cx->mem, "/media/%.*s/sound%.*s", FG_P(id), FG_P(query)), 404,
          "no such part" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_I64(follow(&w, "GET", row[i].link), row[i].status, row[i].why);
        CHECK_I64(web_got(&w, "X-Accel-Redirect").n > 0, row[i].status == 200, row[i].why);
    }
    t_advance(&w.t, (w.conf.media_link_ttl_s + 1) * FG_US_PER_S);
    CHECK_I64(follow(&w, "GET", good), 403, "over");
    CHECK_IS(web_text(&w, "code"), "link_invalid", "over");
    web_end(&w, 0);
}

TEST(a_deleted_file_is_gone_with_its_date)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w);
    web_finish_job(&w, id);
    struct fg_str link[4] = { link_of(&w, id, "outputUrl"), link_of(&w, id, "posterUrl"), FG_NONE, FG_NONE };
    CHECK_I64(web_call(&w, "POST", shares_of(&w, id), NULL), 201, "given away");
    link[2] = local(&w, "url");
    link[3] = page_of(&w);
    t_advance(&w.t, 60 * FG_US_PER_S);
    CHECK_I64(web_call(&w, "DELETE", arena_fmt(w.cx->mem, "/v1/jobs/%.*s", FG_P(id)), NULL), 204,
              "delete");
    const char *when = time_iso(w.cx->mem, w.t.utc_us).p;
    t_advance(&w.t, 60 * FG_US_PER_S);
    for (size_t i = 0; i < FG_LEN(link); i++) {
        CHECK_I64(follow(&w, "GET", link[i]), 410, "gone");
        CHECK(strstr(arena_cstr(w.cx->mem, web_text(&w, "detail")), when) != NULL, "and since when");
    }
    CHECK_I64(web_call(&w, "POST", shares_of(&w, id), NULL), 410, "nor given away any more");
    web_end(&w, 0);
}

/* ---- callbacks ---- */

#define SECRET "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="
#define TOKEN "cb_00000000000000000000000001"
#define NO_TOKEN "cb_00000000000000000000000002"
#define TO_JOB "/hooks/studio/" TOKEN
#define EVENT "{\"type\":\"video.completed\",\"data\":{\"id\":\"video_1\"}}"

static int call_back(struct web_world *w, const char *target, const char *id, const char *body,
                     int64_t late_s)
{
    struct web_req req = web_request("POST", fg_str_c(target), FG_NONE, fg_str_c(body));
    int64_t at_s = w->t.utc_us / FG_US_PER_S - late_s;
    struct fg_str signature;
    CHECK_CODE(w->cx,
               webhook_sign(w->cx, FG_LIT(SECRET), fg_str_c(id), at_s, FG_LIT(EVENT), &signature),
               FG_OK);
    req.content_type = FG_LIT("text/plain");
    req.header[WEB_WEBHOOK_ID] = fg_str_c(id);
    req.header[WEB_WEBHOOK_TIMESTAMP] = arena_fmt(w->cx->mem, "%lld", (long long)at_s);
    req.header[WEB_WEBHOOK_SIGNATURE] = signature;
    return web_send(w, &req);
}

#define BODY_MAX (256 * FG_KIB)

static size_t kept(struct web_world *w)
{
    struct receipt { int64_t id, received_us, bytes; struct fg_str provider, job; int verdict; } *row;
    static const struct db_col cols[] = { COL(struct receipt, id),  COL(struct receipt, provider),
                                          COL(struct receipt, verdict), COL(struct receipt, job),
                                          COL(struct receipt, received_us), COL(struct receipt, bytes) };
    size_t n;
    CHECK_CODE(w->cx, DB_ALL(w->cx, w->cli, SQL_RECEIPT_LIST, DB_ARGS(DB_NULL, DB_NULL, DB_NULL, DB_NULL), DB_COLS(cols), &row,
                             &n), FG_OK);
    return n;
}

TEST(callbacks_and_what_they_are_told)
{
    static const struct {
        const char *target, *id, *body;
        int64_t late_s;
        int status;
        const char *why;
    } row[] = {
        { TO_JOB, "evt_1", EVENT, 0, 200, "genuine" },
        { TO_JOB, "evt_1", EVENT, 0, 200, "twice: fine" },
        { "/hooks/studio", "evt_2", EVENT, 0, 200, "without a token, by the provider's id" },
        { TO_JOB, "evt_3", EVENT " ", 0, 401, "another body than was signed" },
        { TO_JOB, "evt_4", EVENT, 3600, 401, "old" },
        { TO_JOB, NULL, EVENT, 0, 400, "unsigned" },
        { TO_JOB, "evt_7", "", 0, 401, "an empty body" },
        { "/hooks/studio/" NO_TOKEN, "evt_5", EVENT, 0, 404, "a token that nobody has" },
        { "/hooks/nobody/" TOKEN, "evt_6", EVENT, 0, 404, "a provider that we do not have" },
    };
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w);
    web_script(
        &w, "UPDATE job SET state = 2, stage = 4, attempt_n = 1, version = version + 1;"
            "UPDATE due SET kind = 3, due_us = 9000000000000000 WHERE kind = 1;"
            "INSERT INTO attempt (job_id, n, provider, model, client_ref, callback_token, state, "
            "provider_job_id, created_us) "
            "SELECT id, 1, 'studio', 'studio-1', 'ref_1', '" TOKEN "', 2, 'video_1', 1 FROM job");
    w.app->routes = &routes_hook;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        int status = row[i].id ? call_back(&w, row[i].target, row[i].id, row[i].body, row[i].late_s)
                               : web_call(&w, "POST", fg_str_c(row[i].target), row[i].body);
        CHECK_I64(status, row[i].status, row[i].why);
        CHECK(row[i].status != 200 || fg_eq(sb_str(&w.resp.body), FG_LIT("{\"received\":true}")), row[i].why);
    }
    static const enum web_header_name signs[] = { WEB_WEBHOOK_ID, WEB_WEBHOOK_TIMESTAMP, WEB_WEBHOOK_SIGNATURE,
                                                  WEB_FAL_REQUEST_ID, WEB_FAL_USER_ID, WEB_FAL_TIMESTAMP, WEB_FAL_SIGNATURE };
    for (size_t i = 0; i < FG_LEN(signs); i++) {
        struct web_req twice = web_request("POST", FG_LIT(TO_JOB), FG_NONE, FG_LIT(EVENT));
        twice.header_twice[signs[i]] = true;
        CHECK_I64(web_send(&w, &twice), 400, "two of what is signed with");
    }
    size_t receipts = kept(&w);
    char *large = arena_get(w.cx->mem, BODY_MAX + 1);
    memset(large, 'x', BODY_MAX + 1);
    for (size_t n = BODY_MAX + 1; n >= BODY_MAX; n--) {
        struct web_req req = web_request("POST", FG_LIT(TO_JOB), FG_NONE, (struct fg_str){ large, n });
        CHECK_I64(web_send(&w, &req), n > BODY_MAX ? 413 : 400, "too large; as large as may be, and unsigned");
        CHECK_I64(kept(&w), receipts + (n <= BODY_MAX), "of what is too large nothing is kept");
    }
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs"), NULL), 404,
              "the callback pool serves nothing else");
    w.app->routes = &routes_api;
    (void)web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/jobs/%.*s/events", FG_P(id)), NULL);
    CHECK_IS(web_data_text(&w, 1, "type"), "callback", "in the timeline");
    web_end(&w, 0);
}

TEST(no_log_line_has_a_callbacks_token)
{
    struct web_world w;
    web_begin(&w);
    w.app->routes = &routes_hook;
    web_script(&w, "DROP TABLE callback_receipt; DROP TABLE attempt");
    CHECK_I64(call_back(&w, TO_JOB, "evt_1", EVENT, 0), 500, "the books are broken");
    CHECK(strstr(w.t.last_line, "web.error") && strstr(w.t.last_line, "/hooks/"), "told where");
    CHECK(!strstr(w.t.last_line, TOKEN), "without the token");
    struct web_req req = web_request("POST", FG_LIT(TO_JOB), FG_NONE, FG_LIT("{}"));
    (void)web_send(&w, &req);
    CHECK_IS(req.path, "/hooks/{provider}/{token}", "nor has what is logged later, when it was slow");
    web_end(&w, 2);
}

/* ---- for operators ---- */

TEST(ready_means_schema_and_sweeper)
{
    static const struct {
        const char *script;
        int64_t age_s;
        int status;
        const char *words;
    } row[] = {
        { "DO 0", 0, 503, "No sweeper has ever run" },
        { "REPLACE INTO heartbeat SELECT 'sweeper-1', 1893456000000000", 29, 200, "" },
        { "DO 0", 2, 503, "31 s old" },
        { "UPDATE heartbeat SET at_us = 1893456030000000", 0, 200, "" },
        { "UPDATE schema_migration SET state = 'started' ORDER BY version DESC LIMIT 1", 0, 503,
          "version -1" },
        { "UPDATE schema_migration SET state = 'done'", 0, 200, "" },
        { "UPDATE schema_migration SET version = 999 ORDER BY version DESC LIMIT 1", 0, 503,
          "version 999" },
    };
    struct web_world w;
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        web_script(&w, row[i].script);
        t_advance(&w.t, row[i].age_s * FG_US_PER_S);
        CHECK_I64(web_call(&w, "GET", FG_LIT("/readyz"), NULL), row[i].status, row[i].words);
        if (row[i].status == 200)
            continue;
        CHECK_IS(web_text(&w, "code"), "not_ready", row[i].words);
        CHECK(strstr(arena_cstr(w.cx->mem, web_text(&w, "detail")), row[i].words) != NULL,
              row[i].words);
        CHECK(web_got(&w, "Retry-After").n, "worth repeating");
    }
    CHECK_I64(web_call(&w, "GET", FG_LIT("/healthz"), NULL), 200, "the process lives all the same");
    web_end(&w, 4);
}

TEST(metrics_tell_what_the_database_knows)
{
    static const char *const line[] = {
        "# TYPE filmgate_jobs_in_flight gauge\n",
        "\nfilmgate_jobs_in_flight{status=\"pending\",stage=\"waiting\"} 2\n",
        "\nfilmgate_jobs_in_flight{status=\"processing\",stage=\"storing\"} 1\n",
        "\nfilmgate_due_rows{kind=\"dispatch\"} 2\n",
        "\nfilmgate_due_rows{kind=\"erase\"} 0\n",
        "\nfilmgate_due_lateness_seconds{kind=\"dispatch\"} 7.500\n",
        "\nfilmgate_due_lateness_seconds{kind=\"deadline\"} 0.000\n",
        "\nfilmgate_webhook_deliveries_pending 1\n",
        "\nfilmgate_webhook_lateness_seconds 7.500\n",
        "\nfilmgate_ledger_rules_broken 3\n",
        "\nfilmgate_jobs_waiting_for_storage 1\n",
        "\nfilmgate_jobs_soon_forgotten 1\n",
        "\nfilmgate_storage_wait_seconds_left 2.500\n",
        "\nfilmgate_ledger_checked_age_seconds 7.500\n",
    };
    struct web_world w;
    web_begin(&w);
    (void)web_new_job(&w);
    (void)web_new_job(&w);
    struct fg_str full = web_new_job(&w);
    web_script(&w, arena_fmt(w.cx->mem, "UPDATE job SET state = 3, stage = 6 WHERE public_id = '%.*s';"
                             "INSERT INTO storage_wait (job_id, since_us, forgotten_us, urgent_us) SELECT id, 1, "
                             "1893456010000000, 1893456005000000 FROM job; DELETE FROM due WHERE job_id = "
                             "(SELECT id FROM job WHERE public_id = '%.*s')", FG_P(full), FG_P(full)).p);
    (void)web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/jobs/%.*s", FG_P(full)), NULL);
    CHECK_IS(web_text(&w, "waitingFor"), "storage", "and its owner knows");
    CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/webhook-endpoints"), "{\"url\":\"https://example.com/\"}"), 201, "a place");
    struct fg_str test = arena_fmt(w.cx->mem, "/v1/webhook-endpoints/%.*s/test", FG_P(web_text(&w, "id")));
    CHECK_I64(web_call(&w, "POST", test, NULL), 202, "a webhook");
    web_script(&w, "UPDATE ledger_audit SET checked_us = 1893456000000000, broken = 3");
    t_advance(&w.t, 7500 * FG_US_PER_MS);
    CHECK_I64(web_call(&w, "GET", FG_LIT("/metrics"), NULL), 200, "metrics");
    CHECK(fg_starts(w.resp.content_type, FG_LIT("text/plain; version=0.0.4")), "Prometheus text");
    for (size_t i = 0; i < FG_LEN(line); i++)
        CHECK(strstr(sb_cstr(&w.resp.body), line[i]) != NULL, line[i]);
    web_end(&w, 0);
}
