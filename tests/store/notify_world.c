#include "store/notify_world.h"

#include "io/hash.h"
#include "io/json.h"

#define S FG_US_PER_S

void place_begin(struct place *p)
{
    job_world_begin(&p->w);
    p->cx = p->w.cx;
    p->r = receiver_new();
    p->w.conf.fetch_local_origins =
        arena_fmt(p->cx->mem, "%.*s %s", FG_P(p->w.conf.fetch_local_origins), receiver_origin(p->r));
}

void place_end(struct place *p)
{
    job_world_end(&p->w, 0);
    receiver_free(p->r);
}

struct fg_str at(struct place *p, const char *path)
{
    return arena_fmt(p->cx->mem, "%s%s", receiver_origin(p->r), path);
}

struct endpoint endpoint_at(struct place *p, const char *path, int events, struct fg_str *secret)
{
    struct endpoint_wish wish = { .has_url = true, .url = at(p, path), .events = events };
    struct endpoint_secret made;
    struct endpoint e;
    CHECK_CODE(p->cx, endpoint_create(p->cx, p->w.env.db, 1, &wish, &e, &made), FG_OK);
    if (secret)
        *secret = made.secret;
    return e;
}

struct endpoint endpoint_now(struct place *p, const struct endpoint *e)
{
    struct endpoint now;
    CHECK_CODE(p->cx, endpoint_read(p->cx, p->w.env.db, 1, e->public_id, &now), FG_OK);
    return now;
}

enum fg_code verify(struct place *p, const struct heard *h, struct fg_str secret)
{
    int64_t now = p->cx->now_us;
    p->cx->now_us = strtoll(h->timestamp, NULL, 10) * S;
    enum fg_code rc = webhook_verify(p->cx, secret, fg_str_c(h->id), fg_str_c(h->timestamp), fg_str_c(h->signature),
                                     fg_str_c(h->body));
    p->cx->now_us = now;
    return rc;
}

struct fg_str told(struct place *p, const char *path)
{
    struct sb b = sb_in(p->cx->mem, 4096);
    for (unsigned i = 0; i < receiver_n(p->r, path); i++) {
        struct heard h = receiver_get(p->r, path, i);
        const struct js *v;
        struct fg_str type;
        CHECK_CODE(p->cx, js_parse(p->cx, fg_str_c(h.body), &v), FG_OK);
        CHECK(js_str(js_get(v, "type"), &type), "its type");
        sb_addf(&b, "%s%.*s", i ? " " : "", FG_P(type));
    }
    return sb_str(&b);
}

int64_t pending(struct place *p)
{
    return ask(&p->w, "SELECT COUNT(*) FROM webhook_delivery WHERE state = 1");
}

static void turn(struct sweeper *s)
{
    look_anew(s);
    (void)sweep_pass(s);
    sweep_wait(s, -1, -1, 5 * FG_US_PER_MS);
}

void until_held(struct place *p, struct sweeper *s, unsigned n)
{
    for (int64_t end_us = ctx_mono_us(p->cx) + 20 * S; receiver_held(p->r) < n; turn(s))
        CHECK(ctx_mono_us(p->cx) < end_us, "the deliveries arrive");
}

void until_told(struct place *p, const char *path, unsigned n)
{
    for (int64_t end_us = ctx_mono_us(p->cx) + 20 * S; receiver_n(p->r, path) < n; turn(&p->w.sweeper))
        CHECK(ctx_mono_us(p->cx) < end_us, path);
}

void next_try(struct place *p)
{
    int64_t due = ask(&p->w, "SELECT MIN(due_us) FROM webhook_delivery WHERE state = 1");
    CHECK(due > 0, "something waits");
    if (due > p->w.t.utc_us)
        clock_add(&p->w, due - p->w.t.utc_us);
    settle(&p->w);
}

void test_event(struct place *p, const struct endpoint *e, struct delivery_detail *d)
{
    CHECK_CODE(p->cx, endpoint_test(p->cx, p->w.env.db, 1, e->public_id, d), FG_OK);
}

struct delivery_detail delivery_now(struct place *p, struct fg_str id)
{
    struct delivery_detail d;
    CHECK_CODE(p->cx, delivery_read(p->cx, p->w.env.db, 1, id, &d), FG_OK);
    return d;
}
