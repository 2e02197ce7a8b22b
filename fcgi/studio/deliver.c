#include "studio/deliver.h"

#include "base/arena.h"
#include "base/log.h"

#define CALL_MS 15000
#define CLAIM_US \
    ((CALL_MS + 15000) * FG_US_PER_MS) /* a worker that dies in a call: then another tries */
#define RETRY_AFTER_MAX_S 3600
#define ANSWER_MAX (64 * FG_KIB)

int64_t deliver_pause_us(int tries, int64_t retry_after_s, uint8_t dice)
{
    static const int64_t pause_s[DELIVER_TRIES_MAX] = {
        0, 1, 5, 15, 60, 300, 900, 1800, 3600, 7200
    };
    if (tries < 1 || tries >= DELIVER_TRIES_MAX)
        return 0;
    int64_t least = retry_after_s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : retry_after_s;
    int64_t us = pause_s[tries] * FG_US_PER_S * (800 + dice * 400 / 255) / 1000;
    return us < least * FG_US_PER_S ? least * FG_US_PER_S : us;
}

static void failed(struct deliver *d, const struct delivery *row, const struct fetch_reply *r)
{
    uint8_t dice;
    struct fg_ctx *cx = d->cx;
    cx->env->random(cx->env->self, &dice, 1);
    int64_t pause_us = deliver_pause_us(row->tries, fetch_retry_after_s(cx, r), dice);
    if (r->status == 410)
        pause_us = 0;
    fg_log(cx, LOG_WARN, pause_us ? "studio.callback_failed" : "studio.callback_given_up",
           LOG_S("event", row->event_id), LOG_I("status", r->status), LOG_S("words", r->words),
           LOG_I("tries", row->tries), LOG_I("pauseMs", pause_us / FG_US_PER_MS));
    enum fg_code rc = pause_us ? books_tell_later(cx, d->db, row, cx->now_us + pause_us)
                               : books_tell_done(cx, d->db, row->id);
    if (rc != FG_OK) /* the claim ends by itself, and it is tried again */
        log_err(cx, "studio.callback_books", row->event_id);
}

static void done(void *arg, const struct fetch_reply *r)
{
    struct deliver_call *c = arg;
    struct deliver *d = c->owner;
    ctx_tick(d->cx);
    if (r->end != FETCH_ANSWERED || r->status < 200 || r->status > 299)
        failed(d, &c->row, r);
    else if (books_tell_done(d->cx, d->db, c->row.id) !=
             FG_OK) /* told twice, then: receivers dedupe */
        log_err(d->cx, "studio.callback_books", c->row.event_id);
    c->owner = NULL;
}

static enum fg_code start(struct deliver *d, const struct delivery *row, struct deliver_call *c)
{
    struct fg_ctx *cx = d->cx;
    int64_t at_s = cx->now_us / FG_US_PER_S;
    struct fg_str signature;
    enum fg_code rc = webhook_sign(cx, d->conf->studio_webhook_secret, row->event_id, at_s,
                                   row->body, &signature);
    if (rc != FG_OK)
        return rc;
    struct fetch_call call = fetch_call_init("POST", row->url);
    call.body = row->body;
    call.timeout_ms = CALL_MS;
    call.max_bytes = ANSWER_MAX;
    call.once = true; /* libcurl would repeat it by itself; repeating is ours to count */
    fetch_add_header(&call, FG_LIT("Content-Type"), FG_LIT("application/json"));
    fetch_add_header(&call, FG_LIT("User-Agent"), FG_LIT("filmgate-studio"));
    fetch_add_header(&call, FG_LIT("webhook-id"), row->event_id);
    fetch_add_header(&call, FG_LIT("webhook-timestamp"),
                     arena_fmt(cx->mem, "%lld", (long long)at_s));
    fetch_add_header(&call, FG_LIT("webhook-signature"), signature);
    FG_ASSERT(row->event_id.n < sizeof c->event_id);
    memcpy(c->event_id, row->event_id.p, row->event_id.n);
    c->row = *row;
    c->row.event_id = (struct fg_str){ c->event_id, row->event_id.n };
    c->row.url = c->row.body = FG_NONE; /* the fetcher has its copies */
    c->owner = d;
    fetch_start(d->fetcher, &call, done, c);
    return FG_OK;
}

enum fg_code deliver_due(struct deliver *d)
{
    struct deliver_call *free_call[DELIVER_AT_ONCE];
    struct delivery *row;
    size_t n;
    unsigned free_n = 0;
    for (unsigned i = 0; i < DELIVER_AT_ONCE; i++)
        if (!d->call[i].owner)
            free_call[free_n++] = &d->call[i];
    if (free_n == 0)
        return FG_OK;
    enum fg_code rc = books_tell_claim(d->cx, d->db, free_n, d->cx->now_us + CLAIM_US, &row, &n);
    if (rc != FG_OK)
        return rc;
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        rc = start(d, &row[i], free_call[i]);
    return rc;
}

/* A claim is known by when it ends. */
void deliver_shift(struct deliver *d, int64_t us)
{
    for (unsigned i = 0; i < DELIVER_AT_ONCE; i++)
        d->call[i].row.due_us += us;
}
