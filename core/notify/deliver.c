#include "notify/deliver.h"

#include "base/arena.h"
#include "base/sb.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "io/hash.h"
#include "notify/endpoint.h"

#define SIGNATURES_MAX 512 /* bytes: five of 47 and a blank */
#define EXCERPT_READ 2000  /* bytes of an answer that are looked at */

static const int64_t pause_s[DELIVER_TRIES_MAX - 1] = { 5, 300, 1800, 2 * 3600, 5 * 3600, 7 * 3600, 10 * 3600 };

static enum fg_code signatures(struct fg_ctx *cx, const struct deliver_letter *l, int64_t at_s, struct fg_str *out)
{
    struct sb b = sb_in(cx->mem, SIGNATURES_MAX);
    struct fg_str rest = l->secrets, secret, one;
    for (int i = 0; i < ENDPOINT_SECRETS_MAX && scan_until(&rest, ' ', &secret); i++) {
        enum fg_code rc = webhook_sign(cx, secret, l->message_id, at_s, l->payload, &one);
        if (rc != FG_OK)
            return rc;
        if (b.n)
            sb_add_c(&b, ' ');
        sb_add(&b, one);
    }
    FG_ASSERT(!b.bad);
    *out = sb_str(&b);
    return out->n ? FG_OK : fg_fail(cx, FG_CONFIG, "There is no secret to sign a webhook with");
}

enum fg_code deliver_call(struct fg_ctx *cx, const struct conf *conf, const struct deliver_letter *letter,
                          struct fetch_call *out)
{
    int64_t at_s = cx->now_us / FG_US_PER_S;
    struct fg_str signature;
    enum fg_code rc = signatures(cx, letter, at_s, &signature);
    if (rc != FG_OK)
        return rc;
    *out = fetch_call_init("POST", letter->url);
    out->body = letter->payload;
    out->timeout_ms = conf->webhook_timeout_s * 1000;
    out->max_bytes = (int64_t)DELIVER_REPLY_MAX;
    fetch_add_header(out, FG_LIT("Content-Type"), FG_LIT("application/json"));
    fetch_add_header(out, FG_LIT("webhook-id"), letter->message_id);
    fetch_add_header(out, FG_LIT("webhook-timestamp"), arena_fmt(cx->mem, "%lld", (long long)at_s));
    fetch_add_header(out, FG_LIT("webhook-signature"), signature);
    return FG_OK;
}

int64_t deliver_pause_us(const struct fg_ctx *cx, int64_t tries)
{
    uint32_t dice;
    size_t i = tries < 1 ? 0 : (size_t)(tries - 1);
    int64_t us = pause_s[i < FG_LEN(pause_s) ? i : FG_LEN(pause_s) - 1] * FG_US_PER_S;
    cx->env->random(cx->env->self, &dice, sizeof dice);
    return us * 8 / 10 + us * 4 / 10 * (dice % 1001) / 1000;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct deliver_verdict deliver_judge(const struct fg_ctx *cx, const struct fetch_reply *reply, int64_t tries)
{
    /* One whose words did not fit has answered all the same. */
    bool answered = reply->end == FETCH_ANSWERED || reply->end == FETCH_TOO_LARGE;
    int status = answered ? reply->status : 0;
    if (status >= 200 && status < 300)
        return (struct deliver_verdict){ .state = DELIVERY_DELIVERED, .works = true };
    if (status == 410)
        return (struct deliver_verdict){ .state = DELIVERY_FAILED, .gone = true };
    struct deliver_verdict v = { .state = tries < DELIVER_TRIES_MAX ? DELIVERY_PENDING : DELIVERY_FAILED };
    int64_t asked_us = answered ? fetch_retry_after_s(cx, reply) * FG_US_PER_S : 0;
    v.pause_us = most(deliver_pause_us(cx, tries), least(asked_us, DELIVER_ASKED_MAX_US));
    if (status != 429 && status != 502 && status != 504)
        return v;
    v.pause_us = most(v.pause_us, DELIVER_SLOW_US);
    v.slow_us = least(most(asked_us, DELIVER_SLOW_US), DELIVER_LANE_SLOW_MAX_US);
    return v;
}

struct fg_str deliver_excerpt(struct fg_ctx *cx, const struct fetch_reply *reply)
{
    struct fg_str from = reply->end == FETCH_ANSWERED ? reply->body : reply->words;
    struct sb b = sb_in(cx->mem, EXCERPT_READ * 3);
    if (from.n == 0)
        return FG_NONE;
    if (from.n > EXCERPT_READ)
        from.n = EXCERPT_READ;
    for (size_t i = 0; i < from.n && b.n < NOTIFY_EXCERPT_MAX;) {
        size_t n = utf8_len(from.p + i, from.n - i);
        bool control = (unsigned char)from.p[i] < 0x20 || from.p[i] == 0x7f;
        if (control)
            sb_add_c(&b, ' ');
        else
            sb_add(&b, n ? (struct fg_str){ from.p + i, n } : FG_LIT("\xef\xbf\xbd"));
        i += n ? n : 1;
    }
    return utf8_cut(sb_str(&b), NOTIFY_EXCERPT_MAX);
}
