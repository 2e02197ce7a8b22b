/* The studio's books: one row per intent, leases, what a dead worker leaves, callbacks, pages. */
#include "base/id.h"
#include "cli/migrations.h"
#include "store/db_server.h"
#include "studio/books.h"
#include "t.h"

#define LEASE_US (20 * FG_US_PER_S)
#define OWNER(c) FG_LIT(c c c c c c c c c c c c c c c c)

struct place {
    struct t_world w;
    struct conf conf;
    struct db *db;
};

static void place_begin(struct place *p)
{
    size_t applied;
    db_server_start();
    db_server_begin(&p->w, &p->conf);
    CHECK_CODE(&p->w.cx, migrate(&p->w.cx, &p->conf, migrations, migration_n, &applied), FG_OK);
    CHECK_CODE(&p->w.cx, db_open(&p->w.cx, &p->db, &p->conf, DB_STUDIO), FG_OK);
}

static void place_end(struct place *p)
{
    db_close(p->db);
    t_end(&p->w, 0);
}

static void later(struct place *p, int64_t us)
{
    p->w.utc_us += us;
    p->w.cx.now_us += us;
}

static struct video wish(struct place *p)
{
    return (struct video){ .public_id = id_new(&p->w.cx, FG_LIT("video_")),
                           .model = FG_LIT("studio-1"),
                           .prompt = FG_LIT("a \xf0\x9f\x90\x9f"),
                           .seconds = 5,
                           .width = 640,
                           .height = 360,
                           .seed = UINT32_MAX,
                           .metadata = FG_LIT("{\"a\":\"b\"}"),
                           .webhook_url = FG_LIT("https://example.com/hook") };
}

/* A queued one, without a key; its public id. */
static struct fg_str put(struct place *p)
{
    struct video v = wish(p);
    bool is_new = false;
    CHECK_CODE(&p->w.cx, books_create(&p->w.cx, p->db, FG_NONE, &v, &is_new), FG_OK);
    CHECK(is_new, "two without a key are two");
    return v.public_id;
}

static struct video get(struct place *p, struct fg_str id)
{
    struct video v = { .state = 0 };
    CHECK_CODE(&p->w.cx, books_get(&p->w.cx, p->db, id, &v), FG_OK);
    return v;
}

static size_t claim(struct place *p, struct fg_str owner, unsigned max, struct video **v)
{
    size_t n = 99;
    CHECK_CODE(&p->w.cx, books_claim(&p->w.cx, p->db, owner, max, p->w.cx.now_us + LEASE_US, v, &n),
               FG_OK);
    return n;
}

static void finish(struct place *p, const struct video *v, struct fg_str owner, struct fg_str error)
{
    struct video_end end = { .owner = owner,
                             .error_code = error,
                             .error_message = error,
                             .webhook_url = v->webhook_url,
                             .expires_us = p->w.cx.now_us + 3600 * FG_US_PER_S };
    CHECK_CODE(&p->w.cx, books_finish(&p->w.cx, p->db, v, &end), FG_OK);
}

TEST(what_goes_in_comes_out)
{
    struct place p;
    place_begin(&p);
    struct video v = get(&p, put(&p));
    CHECK_I64(v.state, VIDEO_QUEUED, "queued");
    CHECK_IS(v.prompt, "a \xf0\x9f\x90\x9f", "four-byte characters");
    CHECK_I64(v.seed, UINT32_MAX, "seed");
    CHECK_I64(v.created_us, p.w.cx.now_us, "the request's instant");
    CHECK_I64(v.completed_us + v.expires_us, 0, "not yet");
    CHECK(!v.error_code.p && !v.image_file.p && !v.image_url.p, "absent");
    static const char *const unknown[] = { "video_00000000000000000000000000", "video_", "",
                                           "job_x" };
    for (size_t i = 0; i < FG_LEN(unknown); i++)
        CHECK_I64(books_get(&p.w.cx, p.db, fg_str_c(unknown[i]), &v), FG_NOT_FOUND, unknown[i]);
    place_end(&p);
}

TEST(an_idempotency_key_has_one_row)
{
    struct place p;
    place_begin(&p);
    struct video first = wish(&p), again = wish(&p), other = wish(&p), *all;
    bool is_new = false, more;
    size_t n;
    CHECK_CODE(&p.w.cx, books_create(&p.w.cx, p.db, FG_LIT("Key"), &first, &is_new), FG_OK);
    CHECK(is_new, "the first");
    CHECK_CODE(&p.w.cx, books_create(&p.w.cx, p.db, FG_LIT("Key"), &again, &is_new), FG_OK);
    CHECK(!is_new, "the same key");
    CHECK_STR(again.public_id, first.public_id, "the first video");
    CHECK_I64(again.state, VIDEO_QUEUED, "as it stands now");
    CHECK_CODE(&p.w.cx, books_create(&p.w.cx, p.db, FG_LIT("key"), &other, &is_new), FG_OK);
    CHECK(is_new, "case counts");
    CHECK_CODE(&p.w.cx, books_list(&p.w.cx, p.db, FG_NONE, false, 100, &all, &n, &more), FG_OK);
    CHECK_I64(n, 2, "rows");
    place_end(&p);
}

TEST(claims_are_by_age_and_exclusive)
{
    struct place p;
    struct video *a, *b;
    place_begin(&p);
    struct fg_str id[3] = { put(&p), put(&p), put(&p) };
    CHECK_I64(claim(&p, OWNER("a"), 2, &a), 2, "two places");
    CHECK_STR(a[0].public_id, id[0], "oldest first");
    CHECK_STR(a[1].public_id, id[1], "then the next");
    CHECK_I64(a[0].state, VIDEO_IN_PROGRESS, "in progress");
    CHECK_I64(a[0].tries, 1, "first try");
    CHECK_I64(claim(&p, OWNER("b"), 16, &b), 1, "what is left");
    CHECK_STR(b[0].public_id, id[2], "the third");
    CHECK_I64(claim(&p, OWNER("c"), 16, &b), 0, "nothing is left");
    place_end(&p);
}

TEST(a_dead_workers_video_starts_again)
{
    struct place p;
    struct video *v;
    bool ours = true;
    place_begin(&p);
    struct fg_str id = put(&p);
    CHECK_I64(claim(&p, OWNER("a"), 1, &v), 1, "claimed");
    struct video mine = v[0];
    later(&p, LEASE_US - 1);
    CHECK_I64(claim(&p, OWNER("b"), 1, &v), 0, "the lease holds");
    CHECK_CODE(&p.w.cx,
               books_beat(&p.w.cx, p.db, mine.id, OWNER("a"), 30, p.w.cx.now_us + LEASE_US, &ours),
               FG_OK);
    CHECK(ours, "a beat in time");
    CHECK_I64(get(&p, id).progress, 30, "progress");
    later(&p, LEASE_US - 1);
    CHECK_I64(claim(&p, OWNER("b"), 1, &v), 0, "the longer lease holds");
    later(&p, 1);
    CHECK_I64(claim(&p, OWNER("b"), 1, &v), 1, "taken over");
    CHECK_I64(v[0].tries, 2, "second try");
    CHECK_I64(v[0].progress, 0, "from the start");
    CHECK_CODE(&p.w.cx,
               books_beat(&p.w.cx, p.db, mine.id, OWNER("a"), 40, p.w.cx.now_us + LEASE_US, &ours),
               FG_OK);
    CHECK(!ours, "the first worker learns it");
    finish(&p, &mine, OWNER("a"), FG_NONE);
    CHECK_I64(get(&p, id).state, VIDEO_IN_PROGRESS, "and cannot end it");
    place_end(&p);
}

TEST(a_stopped_worker_gives_back_at_once)
{
    struct place p;
    struct video *v;
    place_begin(&p);
    (void)put(&p);
    CHECK_I64(claim(&p, OWNER("a"), 1, &v), 1, "claimed");
    int64_t id = v[0].id;
    CHECK_CODE(&p.w.cx, books_release(&p.w.cx, p.db, id, OWNER("b")), FG_OK);
    CHECK_I64(claim(&p, OWNER("c"), 1, &v), 0, "a stranger's release is nothing");
    CHECK_CODE(&p.w.cx, books_release(&p.w.cx, p.db, id, OWNER("a")), FG_OK);
    CHECK_I64(claim(&p, OWNER("c"), 1, &v), 1, "claimable without waiting");
    CHECK_I64(v[0].tries, 1, "it does not count as a try");
    place_end(&p);
}

TEST(an_end_comes_with_its_callback_once)
{
    static const struct {
        const char *error, *type;
        int state, progress;
    } row[] = {
        { NULL, "\"type\":\"video.completed\"", VIDEO_COMPLETED, 100 },
        { "invalid_image", "\"type\":\"video.failed\"", VIDEO_FAILED, 0 },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct place p;
        struct video *v;
        struct delivery *d;
        size_t n;
        place_begin(&p);
        struct fg_str id = put(&p);
        CHECK_I64(claim(&p, OWNER("a"), 1, &v), 1, "claimed");
        struct video mine = v[0];
        finish(&p, &mine, OWNER("a"), fg_str_c(row[i].error));
        finish(&p, &mine, OWNER("a"), fg_str_c(row[i].error)); /* as after an unsure commit */
        struct video now = get(&p, id);
        CHECK_I64(now.state, row[i].state, "state");
        CHECK_I64(now.progress, row[i].progress, "progress");
        CHECK_I64(now.completed_us != 0, row[i].error == NULL, "completed_at only when it is");
        CHECK_STR(now.error_code, fg_str_c(row[i].error), "error");
        CHECK_CODE(&p.w.cx, books_tell_claim(&p.w.cx, p.db, 8, p.w.cx.now_us + LEASE_US, &d, &n),
                   FG_OK);
        CHECK_I64(n, 1, "one callback");
        CHECK_IS(d[0].url, "https://example.com/hook", "url");
        CHECK(strstr(d[0].body.p, row[i].type) && strstr(d[0].body.p, id.p), d[0].body.p);
        CHECK_I64(claim(&p, OWNER("b"), 1, &v), 0, "nothing to render");
        place_end(&p);
    }
}

TEST(callbacks_are_claimed_moved_and_done)
{
    struct place p;
    struct video *v;
    struct delivery *d, *e;
    size_t n;
    place_begin(&p);
    (void)put(&p);
    CHECK_I64(claim(&p, OWNER("a"), 1, &v), 1, "claimed");
    finish(&p, v, OWNER("a"), FG_NONE);
    CHECK_CODE(&p.w.cx, books_tell_claim(&p.w.cx, p.db, 8, p.w.cx.now_us + LEASE_US, &d, &n),
               FG_OK);
    CHECK_I64(d[0].tries, 1, "first");
    CHECK_CODE(&p.w.cx, books_tell_claim(&p.w.cx, p.db, 8, p.w.cx.now_us + LEASE_US, &e, &n),
               FG_OK);
    CHECK_I64(n, 0, "not twice at once");
    later(&p, LEASE_US);
    CHECK_CODE(&p.w.cx, books_tell_claim(&p.w.cx, p.db, 8, p.w.cx.now_us + LEASE_US, &e, &n),
               FG_OK);
    CHECK_I64(n, 1, "again when its worker died");
    CHECK_STR(e[0].event_id, d[0].event_id, "the same event");
    CHECK_CODE(&p.w.cx, books_tell_later(&p.w.cx, p.db, d, p.w.cx.now_us), FG_OK);
    CHECK_I64(p.db->affected, 0, "the dead one's word no longer counts");
    CHECK_CODE(&p.w.cx, books_tell_later(&p.w.cx, p.db, e, p.w.cx.now_us + 5), FG_OK);
    later(&p, 5);
    CHECK_CODE(&p.w.cx, books_tell_claim(&p.w.cx, p.db, 8, p.w.cx.now_us + LEASE_US, &e, &n),
               FG_OK);
    CHECK_I64(e[0].tries, 3, "third");
    CHECK_CODE(&p.w.cx, books_tell_done(&p.w.cx, p.db, e[0].id), FG_OK);
    later(&p, LEASE_US);
    CHECK_CODE(&p.w.cx, books_tell_claim(&p.w.cx, p.db, 8, p.w.cx.now_us + LEASE_US, &e, &n),
               FG_OK);
    CHECK_I64(n, 0, "told");
    place_end(&p);
}

TEST(only_finished_videos_are_deleted)
{
    struct place p;
    struct video *v;
    bool is_new;
    place_begin(&p);
    struct video mine = wish(&p);
    CHECK_CODE(&p.w.cx, books_create(&p.w.cx, p.db, FG_LIT("k"), &mine, &is_new), FG_OK);
    CHECK_I64(books_delete(&p.w.cx, p.db, mine.public_id), FG_JOB_NOT_FINISHED, "queued");
    CHECK_I64(claim(&p, OWNER("a"), 1, &v), 1, "claimed");
    CHECK_I64(books_delete(&p.w.cx, p.db, mine.public_id), FG_JOB_NOT_FINISHED, "in progress");
    finish(&p, v, OWNER("a"), FG_NONE);
    CHECK_CODE(&p.w.cx, books_delete(&p.w.cx, p.db, mine.public_id), FG_OK);
    CHECK_I64(books_delete(&p.w.cx, p.db, mine.public_id), FG_NOT_FOUND, "again");
    CHECK_I64(books_create(&p.w.cx, p.db, FG_LIT("k"), &mine, &is_new), FG_GONE,
              "its key makes no second");
    place_end(&p);
}

TEST(finished_videos_are_forgotten)
{
    struct place p;
    struct video *v;
    size_t n;
    place_begin(&p);
    struct fg_str id = put(&p);
    (void)put(&p);
    CHECK_I64(claim(&p, OWNER("a"), 1, &v), 1, "claimed");
    finish(&p, v, OWNER("a"), FG_NONE);
    CHECK_CODE(&p.w.cx, books_expired(&p.w.cx, p.db, &v, &n), FG_OK);
    CHECK_I64(n, 0, "not yet");
    later(&p, 3600 * FG_US_PER_S);
    struct video none;
    CHECK_I64(books_get(&p.w.cx, p.db, id, &none), FG_NOT_FOUND, "over for the world");
    CHECK_CODE(&p.w.cx, books_expired(&p.w.cx, p.db, &v, &n), FG_OK);
    CHECK_I64(n, 1, "the finished one");
    CHECK_CODE(&p.w.cx, books_forget(&p.w.cx, p.db, v[0].id), FG_OK);
    CHECK_CODE(&p.w.cx, books_expired(&p.w.cx, p.db, &v, &n), FG_OK);
    CHECK_I64(n, 0, "gone, with a callback that was never told");
    place_end(&p);
}

TEST(pages_follow_each_other)
{
    struct place p;
    struct video *v;
    struct fg_str id[5];
    size_t n;
    bool more;
    place_begin(&p);
    for (size_t i = 0; i < FG_LEN(id); i++)
        id[i] = put(&p);
    const struct {
        struct fg_str after;
        bool ascending;
        unsigned limit;
        size_t n, first; /* index into id */
        bool more;
    } row[] = {
        { FG_NONE, false, 2, 2, 4, true }, { id[3], false, 2, 2, 2, true },
        { id[1], false, 2, 1, 0, false },  { FG_NONE, true, 4, 4, 0, true },
        { id[3], true, 4, 1, 4, false },   { FG_NONE, true, 5, 5, 0, false },
        { id[4], true, 5, 0, 0, false },   { FG_NONE, true, 0, 0, 0, true },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_CODE(
            &p.w.cx,
            books_list(&p.w.cx, p.db, row[i].after, row[i].ascending, row[i].limit, &v, &n, &more),
            FG_OK);
        CHECK_I64(n, row[i].n, "length");
        CHECK_I64(more, row[i].more, "has_more");
        if (n)
            CHECK_STR(v[0].public_id, id[row[i].first], "where it begins");
    }
    CHECK_I64(books_list(&p.w.cx, p.db, FG_LIT("video_x"), true, 5, &v, &n, &more),
              FG_INVALID_REQUEST, "after whom?");
    place_end(&p);
}

/* ---- a clock that jumps ---- */

TEST(a_jump_ends_no_render_and_holds_up_no_callback)
{
    static const int64_t by[] = { 3600 * FG_US_PER_S, -3600 * FG_US_PER_S };
    for (size_t i = 0; i < FG_LEN(by); i++) {
        struct place p;
        struct clock worker, pool;
        struct video *v, *other;
        struct delivery *d;
        size_t n;
        int64_t moved_us;
        place_begin(&p);
        clock_open(&worker, &p.w.env, &books_clock_worker);
        clock_open(&pool, &p.w.env, &books_clock_pool);
        CHECK(clock_turn(&p.w.cx, &worker, p.db, &moved_us) && clock_turn(&p.w.cx, &pool, p.db, &moved_us), "agreed");
        put(&p);
        put(&p);
        CHECK_I64(claim(&p, OWNER("a"), 2, &v), 2, "two renders");
        finish(&p, &v[1], OWNER("a"), FG_NONE);
        CHECK_CODE(&p.w.cx, books_tell_claim(&p.w.cx, p.db, 8, p.w.cx.now_us + LEASE_US, &d, &n), FG_OK);

        t_jump(&p.w, by[i]);
        CHECK(!clock_turn(&p.w.cx, &worker, p.db, &moved_us) && !moved_us, "it waits for those in the middle of something");
        worker.noticed_us -= CLOCK_GRACE_US;
        worker.next_try_us = 0;
        CHECK(clock_turn(&p.w.cx, &worker, p.db, &moved_us) && moved_us == by[i], "the worker settles it");
        CHECK(clock_turn(&p.w.cx, &pool, p.db, &moved_us) && moved_us == by[i], "the pool follows");
        CHECK_I64(claim(&p, OWNER("b"), 2, &other), 0, "the render is its worker's");
        d[0].due_us += moved_us;
        CHECK_CODE(&p.w.cx, books_tell_later(&p.w.cx, p.db, &d[0], p.w.cx.now_us + 5 * FG_US_PER_S), FG_OK);
        later(&p, 5 * FG_US_PER_S);
        CHECK_CODE(&p.w.cx, books_tell_claim(&p.w.cx, p.db, 8, p.w.cx.now_us + LEASE_US, &d, &n), FG_OK);
        CHECK_I64(n, 1, "told again when it was to be");
        later(&p, LEASE_US);
        CHECK_I64(claim(&p, OWNER("b"), 2, &other), 1, "a dead worker's is free when its lease is over");
        place_end(&p);
    }
}
