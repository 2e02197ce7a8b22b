/* Files from beginning to end: links that are given away, pictures that are sent, a store that is full, and what goes by its
 * age or by its owner's wish. */
#include "fakes/picture.h"
#include "fault/play.h"
#include "job/share.h"
#include "job/upload.h"

#define DAY_US (86400 * FG_US_PER_S)

/* ---- links that are given away ---- */

static void shared(struct play *x)
{
    struct share s;
    struct shared seen;
    play_create(x, "\"model\":\"replay-1\"");
    play_on(x);
    play_told(x);
    if (!play_ask(x, "SELECT output_state = 1 FROM job WHERE public_id = '%s'"))
        return;
    PLAY_INSIST(x, share_create(x->cx, &x->w->env, &x->w->who, x->id, 3600, &s));
    PLAY_INSIST(x, share_see(x->cx, &x->w->env, s.token, &seen));
    PLAY_INSIST(x, share_revoke(x->cx, &x->w->env, &x->w->who, x->id, s.public_id));
    enum fg_code rc;
    for (unsigned i = 0; play_again(rc = share_see(x->cx, &x->w->env, s.token, &seen)) && i < PLAY_TRIES_MAX; i++)
        ;
    CHECK_CODE(x->cx, rc, FG_LINK_INVALID);
}

/* ---- a picture that is sent, used, and deleted; before it one that comes to nothing ---- */

static enum fg_code send_picture(struct play *x, struct upload *out)
{
    bool made;
    enum fg_code rc;
    for (unsigned i = 0; i < PLAY_TRIES_MAX; i++) {
        rc = upload_create(x->cx, &x->w->env, &x->w->who, FG_NONE, PICTURE_JPEG, out, &made);
        if (!play_again(rc) && rc != FG_IO)
            break;
    }
    return rc;
}

/* Who begins again finds what was made of it. */
static struct fg_str picture(struct play *x)
{
    struct upload u;
    struct upload_new n = { .row = { .account_id = 1, .type = IMAGE_PNG, .width = 1, .height = 1, .bytes = 1 } };
    struct fg_str id = ask_text(x->w, "SELECT MIN(upload) FROM job WHERE prompt = 'fish %u'", x->n);
    if (id.n)
        return id;
    PLAY_INSIST(x, upload_reserve(x->cx, x->w->env.db, &n));
    PLAY_INSIST(x, upload_abandon(x->cx, x->w->env.db, &n));
    for (int i = 0; i < 2; i++)
        CHECK_CODE(x->cx, send_picture(x, &u), FG_OK);
    return u.public_id;
}

static void sent_and_used(struct play *x)
{
    struct fg_str id = picture(x);
    play_create(x, arena_fmt(x->cx->mem, "\"model\":\"comfy-1\",\"uploadId\":\"%.*s\"", FG_P(id)).p);
    play_cancel(x);
    play_told(x);
    PLAY_INSIST(x, upload_delete(x->cx, &x->w->env, &x->w->who, id));
    for (int i = 0; i < 2; i++) {
        clock_add(x->w, 3601 * FG_US_PER_S);
        x->w->sweeper.next_upkeep_us = 0;
        look_anew(&x->w->sweeper);
        settle(x->w);
    }
    x->w->sweeper.next_upkeep_us = INT64_MAX;
}

static void nothing_is_left(struct play *x)
{
    struct ledger_audit a;
    play_check(x, JOB_FAILED, "canceled");
    CHECK_I64(ask(x->w, "SELECT COUNT(*) FROM upload WHERE digest IS NOT NULL OR removed_us IS NULL"), 0, x->fault);
    int64_t rows = ask(x->w, "SELECT COUNT(*) FROM upload"), from = rows > 8 ? rows - 8 : 0;
    for (int64_t i = from; i < rows; i++)
        CHECK_I64(files_of(x->w, ask_text(x->w, "SELECT public_id FROM upload ORDER BY id LIMIT 1 OFFSET %lld", (long long)i)),
                  0, x->fault);
    CHECK_CODE(x->cx, ledger_check(x->cx, x->w->sweeper.env.db, &a), FG_OK);
    CHECK_I64(a.storage_differs, 0, x->fault);
}

/* ---- a store that is full ---- */

#define LIFE_S 600

static void store_is_full(struct play *x)
{
    ((struct cat_model *)(uintptr_t)catalogue_model(x->w->catalogue, FG_LIT("replay-1")))->output_life_s = LIFE_S;
    x->w->conf.media_reserve_bytes = INT64_MAX;
}

/* Until it waits; until the log has warned; then there is room again. */
static void waits_for_room(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\"");
    settle(x->w);
    for (int i = 0; i < 200 && play_ask(x, "SELECT j.state < 4 AND NOT EXISTS (SELECT 1 FROM storage_wait w WHERE "
                                           "w.job_id = j.id) FROM job j WHERE j.public_id = '%s'"); i++) {
        play_pass_time(x);
        settle(x->w);
    }
    clock_add(x->w, LIFE_S * 4 / 5 * FG_US_PER_S);
    settle(x->w);
    x->w->conf.media_reserve_bytes = 0;
    play_on(x);
    play_told(x);
}

static void is_stored(struct play *x)
{
    play_check_delivered_or_unknown(x);
    x->w->conf.media_reserve_bytes = 0;
}

/* ---- what goes, by its age and by its owner's wish ---- */

/* A job that ended long ago, of a user of its own; the performance's. */
static void one_of_old(struct play *x)
{
    x->id = arena_fmt(x->cx->mem, "job_00%024u", x->n);
    const char *id = x->id.p;
    do_sql(x->w, "INSERT INTO job (public_id, account_id, user_id, state, stage, version, provider, model, prompt, metadata, "
                 "aspect_ratio, duration_s, resolution, price_micro, currency, charged, request_id, created_us, updated_us, "
                 "finished_us, deadline_us, output_state, expires_us) VALUES ('%s', 1, 'anna-%u', 4, 0, 1, 'replay', 'replay-1', "
                 "'p', '{}', '16:9', 5, '480p', 0, 'USD', 1, 'r', 1, 1, 1, 1, 1, 1)", id, x->n);
    do_sql(x->w, "INSERT INTO output (job_id, video_file, poster_file, bytes, digest, width, height, duration_ms, stored_us) SELECT id, "
                 "'00/%s-a.mp4', '00/%s-a.jpg', 10, REPEAT('d', 32), 1, 1, 1, 1 FROM job WHERE public_id = '%s'; "
                 "UPDATE account_use SET storage_bytes = storage_bytes + 10 WHERE account_id = 1", id, id, id);
    do_sql(x->w, "INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) SELECT id, 0, 1, 1, 0, 'USD', 1 "
                 "FROM job WHERE public_id = '%s'; INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) "
                 "SELECT id, 1, 1, 2, 0, 'USD', 1 FROM job WHERE public_id = '%s'", id, id);
    do_sql(x->w, "INSERT INTO job_event (job_id, seq, at_us, kind, state, stage) SELECT id, 1, 1, 'created', 1, 1 FROM job WHERE "
                 "public_id = '%s'; INSERT INTO callback_receipt (provider, verdict, job_id, received_us, request_id, body) SELECT "
                 "'replay', 1, id, 1, 'r', 'b' FROM job WHERE public_id = '%s'", id, id);
}

static void is_of_old(struct play *x)
{
    one_of_old(x);
    do_sql(x->w, "UPDATE plan SET prompt_days = 1; INSERT INTO storage_day VALUES (1, 1, 1, 1) ON DUPLICATE KEY UPDATE bytes = 1");
    x->w->conf.retention_events_days = x->w->conf.retention_callbacks_days = 1;
}

/* A turn of every walk, from its beginning. */
static void retention_turn(struct play *x)
{
    x->w->sweeper.retention = (struct retention){ 0 };
    settle(x->w);
    x->w->sweeper.retention.next_us = INT64_MAX;
}

#define NOT_ALL_GONE "SELECT output_state = 1 OR redacted_us IS NULL OR EXISTS (SELECT 1 FROM job_event e WHERE e.job_id = j.id " \
                     "AND e.at_us = 1) OR EXISTS (SELECT 1 FROM callback_receipt r WHERE r.job_id = j.id) OR EXISTS (SELECT 1 "   \
                     "FROM storage_day WHERE day = 1) FROM job j WHERE public_id = '%s'"

static void goes_by_its_age(struct play *x)
{
    retention_turn(x);
    for (int i = 0; play_ask(x, NOT_ALL_GONE); i++) {
        CHECK(i < PLAY_TRIES_MAX, x->fault);
        retention_turn(x);
    }
    play_rest(x);
    play_told(x);
}

static void check_books(struct play *x)
{
    struct ledger_audit a;
    CHECK_CODE(x->cx, ledger_check(x->cx, x->w->sweeper.env.db, &a), FG_OK);
    CHECK_I64(ledger_broken(&a), 0, x->fault);
}

static void has_gone_once(struct play *x)
{
    CHECK_I64(play_ask(x, NOT_ALL_GONE), 0, x->fault);
    CHECK_I64(play_ask(x, "SELECT COUNT(*) FROM job_event e JOIN job j ON j.id = e.job_id WHERE j.public_id = '%s'"), 2, x->fault);
    CHECK_I64(play_ask(x, "SELECT prompt IS NULL AND metadata IS NULL AND deleted_us IS NULL FROM job WHERE public_id = '%s'"), 1,
              x->fault);
    check_books(x);
    do_sql(x->w, "UPDATE plan SET prompt_days = NULL");
    x->w->conf.retention_events_days = x->w->conf.retention_callbacks_days = 0;
}

static void has_a_user(struct play *x)
{
    one_of_old(x);
    do_sql(x->w, "INSERT INTO api_key (account_id, digest, hint, label, role, user_id, created_us) VALUES "
                 "(1, UNHEX(SHA2('%u', 256)), 'h', 'l', 2, 'anna-%u', 1)", x->n, x->n);
    do_sql(x->w, "INSERT INTO upload (public_id, account_id, user_id, digest, type, width, height, bytes, etag, file, thumb_file, "
                 "created_us, expires_us) VALUES ('upl_%u', 1, 'anna-%u', UNHEX(SHA2('%u', 256)), 1, 1, 1, 1, REPEAT('e', 32), 'f', "
                 "'t', 1, 9)", x->n, x->n, x->n);
    do_sql(x->w, "INSERT INTO quote (public_id, account_id, user_id, model, resolution, duration_s, audio, price_micro, currency, "
                 "created_us, expires_us) VALUES ('quo_%u', 1, 'anna-%u', 'replay-1', '480p', 5, 0, 1, 'USD', 1, 2)", x->n, x->n);
}

static void is_forgotten(struct play *x)
{
    struct erasure e;
    PLAY_INSIST(x, erasure_ask(x->cx, x->w->env.db, 1, arena_fmt(x->cx->mem, "anna-%u", x->n), &e));
    for (int i = 0; ask(x->w, "SELECT COUNT(*) FROM erasure WHERE finished_us IS NULL"); i++) {
        CHECK(i < PLAY_TRIES_MAX, x->fault);
        retention_turn(x);
    }
    play_rest(x);
    play_told(x);
}

static void has_no_name(struct play *x)
{
    CHECK_I64(ask(x->w, "SELECT (SELECT COUNT(*) FROM job WHERE user_id = 'anna-%u') + (SELECT COUNT(*) FROM api_key WHERE user_id = "
                        "'anna-%u') + (SELECT COUNT(*) FROM upload WHERE user_id = 'anna-%u') + (SELECT COUNT(*) FROM quote WHERE "
                        "user_id = 'anna-%u') + (SELECT COUNT(*) FROM webhook_message WHERE payload LIKE '%%anna-%u\"%%')", x->n, x->n,
                  x->n, x->n, x->n), 0, x->fault);
    CHECK_I64(play_ask(x, "SELECT deleted_us IS NOT NULL AND prompt IS NULL AND user_id LIKE 'erased%' FROM job WHERE public_id = "
                          "'%s'"), 1, x->fault);
    check_books(x);
}

const struct story media_stories[] = {
    { "shared", NULL, shared, play_check_delivered_or_unknown },
    { "no room", store_is_full, waits_for_room, is_stored },
    { "sent", NULL, sent_and_used, nothing_is_left },
    { "by its age", is_of_old, goes_by_its_age, has_gone_once },
    { "by its owner's wish", has_a_user, is_forgotten, has_no_name },
    { NULL, NULL, NULL, NULL },
};
