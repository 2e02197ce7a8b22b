#include "provider/verify.h"

#include "base/arena.h"
#include "base/scan.h"
#include "io/hash.h"
#include "io/json.h"

#define HEADER_MAX 256
#define JWT_MAX 4096
#define KEYS_MAX 16 /* tried for one callback */

/* ---- key sets (RFC 7517) ---- */

/* The set's list of keys; NULL when there is none. */
static const struct js *key_list(struct fg_ctx *cx, struct fg_str jwks)
{
    const struct js *set;
    if (jwks.n == 0 || js_parse(cx, jwks, &set) != FG_OK)
        return NULL;
    const struct js *list = js_get(set, "keys");
    return js_len(list) ? list : NULL;
}

static bool member_is(const struct js *object, const char *name, struct fg_str want)
{
    struct fg_str got;
    return js_str(js_get(object, name), &got) && fg_eq(got, want);
}

static bool absent_or(const struct js *object, const char *name, struct fg_str want)
{
    return !js_get(object, name) || member_is(object, name, want);
}

static bool member_bytes(struct fg_ctx *cx, const struct js *object, const char *name, struct fg_str *out)
{
    struct fg_str text;
    return js_str(js_get(object, name), &text) && hash_unbase64url(cx->mem, text, out);
}

static enum fg_code no_key(struct fg_ctx *cx, const struct js *list, bool *stale)
{
    *stale = true;
    (void)fg_fail(cx, FG_BAD_SIGNATURE, "No signature fits");
    return fg_cause(cx, list ? "no key of the set fits" : "there is no key set");
}

/* ---- fal: Ed25519 ---- */

/* Goes into the signed text between line feeds. */
static bool one_line(struct fg_str s)
{
    if (s.n == 0 || s.n > HEADER_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ')
            return false;
    return true;
}

static enum fg_code fal_headers(struct fg_ctx *cx, const struct callback_headers *h,
                                uint8_t signature[HASH_ED25519_SIG_LEN])
{
    uint64_t sent_s;
    if (!one_line(h->fal_request_id) || !one_line(h->fal_user_id))
        return fg_fail(cx, FG_BAD_HEADER, "X-Fal-Webhook-Request-Id or -User-Id is absent or malformed");
    if (!scan_all_u64(h->fal_timestamp, INT64_MAX / FG_US_PER_S, &sent_s))
        return fg_fail(cx, FG_BAD_HEADER, "X-Fal-Webhook-Timestamp is absent or malformed");
    if (!hash_unhex(h->fal_signature, signature, HASH_ED25519_SIG_LEN))
        return fg_fail(cx, FG_BAD_HEADER, "X-Fal-Webhook-Signature is not %d hexadecimal digits",
                       2 * HASH_ED25519_SIG_LEN);
    int64_t off_s = cx->now_us / FG_US_PER_S - (int64_t)sent_s;
    if (off_s > VERIFY_LEEWAY_S || off_s < -VERIFY_LEEWAY_S)
        return fg_fail(cx, FG_BAD_SIGNATURE, "X-Fal-Webhook-Timestamp is more than %d seconds off",
                       VERIFY_LEEWAY_S);
    return FG_OK;
}

static struct fg_str fal_message(struct fg_ctx *cx, const struct callback_headers *h, struct fg_str body)
{
    uint8_t digest[HASH_LEN];
    hash_sha256(body, digest);
    return arena_fmt(cx->mem, "%.*s\n%.*s\n%.*s\n%.*s", FG_P(h->fal_request_id), FG_P(h->fal_user_id),
                     FG_P(h->fal_timestamp), FG_P(hash_hex(cx->mem, digest, sizeof digest)));
}

static bool ed25519_key(struct fg_ctx *cx, const struct js *jwk, struct fg_str *x)
{
    return member_is(jwk, "kty", FG_LIT("OKP")) && member_is(jwk, "crv", FG_LIT("Ed25519")) &&
           member_bytes(cx, jwk, "x", x) && x->n == HASH_ED25519_KEY_LEN;
}

/* The headers name no key: each is tried. */
static enum fg_code verify_fal(struct fg_ctx *cx, const struct verify_keys *keys,
                               const struct callback_headers *h, struct fg_str body, bool *stale)
{
    uint8_t signature[HASH_ED25519_SIG_LEN];
    enum fg_code rc = fal_headers(cx, h, signature);
    if (rc != FG_OK)
        return rc;
    struct fg_str message = fal_message(cx, h, body), x;
    const struct js *list = key_list(cx, keys->jwks);
    int tried = 0;
    for (size_t i = 0; i < js_len(list) && tried < KEYS_MAX; i++) {
        if (!ed25519_key(cx, js_at(list, i), &x))
            continue;
        tried++;
        if (hash_ed25519_verify((const uint8_t *)x.p, signature, message))
            return FG_OK;
    }
    return no_key(cx, list, stale);
}

/* ---- Google: a JWT, RS256 (RFC 7515, 7519) ---- */

struct jwt {
    struct fg_str signed_text; /* the first two parts as they came */
    struct fg_str signature;
    const struct js *head, *claims;
    struct fg_str kid;
};

static bool part_json(struct fg_ctx *cx, struct fg_str part, const struct js **out)
{
    struct fg_str text;
    return hash_unbase64url(cx->mem, part, &text) && js_parse(cx, text, out) == FG_OK;
}

static bool jwt_read(struct fg_ctx *cx, struct fg_str text, struct jwt *t)
{
    struct fg_str rest = text, head, claims;
    if (text.n > JWT_MAX || !scan_until(&rest, '.', &head) || !scan_until(&rest, '.', &claims) || !rest.n)
        return false;
    t->signed_text = (struct fg_str){ text.p, head.n + 1 + claims.n };
    return part_json(cx, head, &t->head) && part_json(cx, claims, &t->claims) &&
           hash_unbase64url(cx->mem, rest, &t->signature) &&
           js_str(js_get(t->head, "kid"), &t->kid);
}

/* False when it is there and no whole number. */
static bool claim_time(const struct jwt *t, const char *name, int64_t absent, int64_t *out)
{
    const struct js *v = js_get(t->claims, name);
    *out = absent;
    return !v || js_i64(v, out);
}

static enum fg_code jwt_times(struct fg_ctx *cx, const struct jwt *t)
{
    int64_t now_s = cx->now_us / FG_US_PER_S, until_s, from_s, made_s;
    if (!js_get(t->claims, "exp") || !claim_time(t, "exp", 0, &until_s) ||
        !claim_time(t, "nbf", now_s, &from_s) || !claim_time(t, "iat", now_s, &made_s))
        return fg_fail(cx, FG_BAD_HEADER, "The token's exp is absent, or a time in it malformed");
    if (until_s < now_s - VERIFY_LEEWAY_S)
        return fg_fail(cx, FG_BAD_SIGNATURE, "The token has expired");
    if (from_s > now_s + VERIFY_LEEWAY_S || made_s > now_s + VERIFY_LEEWAY_S)
        return fg_fail(cx, FG_BAD_SIGNATURE, "The token is not valid yet");
    return FG_OK;
}

/* "aud" is one text or a list of them. */
static bool for_us(const struct jwt *t, struct fg_str audience)
{
    const struct js *aud = js_get(t->claims, "aud");
    bool found = audience.n == 0 || member_is(t->claims, "aud", audience);
    struct fg_str one;
    for (size_t i = 0; !found && i < js_len(aud); i++)
        found = js_str(js_at(aud, i), &one) && fg_eq(one, audience);
    return found;
}

static bool rsa_key(struct fg_ctx *cx, const struct js *jwk, struct fg_str kid, struct fg_str *n,
                    struct fg_str *e)
{
    return member_is(jwk, "kid", kid) && member_is(jwk, "kty", FG_LIT("RSA")) &&
           absent_or(jwk, "alg", FG_LIT("RS256")) && absent_or(jwk, "use", FG_LIT("sig")) &&
           member_bytes(cx, jwk, "n", n) && member_bytes(cx, jwk, "e", e);
}

static enum fg_code verify_jwt(struct fg_ctx *cx, const struct verify_keys *keys,
                               const struct callback_headers *h, bool *stale)
{
    struct jwt t;
    if (!jwt_read(cx, h->webhook_signature, &t))
        return fg_fail(cx, FG_BAD_HEADER, "webhook-signature is absent or no token that can be read");
    /* The key is the set's, the algorithm ours: what else the header asks for is not done. */
    if (!member_is(t.head, "alg", FG_LIT("RS256")) || js_get(t.head, "crit"))
        return fg_fail(cx, FG_BAD_SIGNATURE, "The token is not signed by RS256");
    enum fg_code rc = jwt_times(cx, &t);
    if (rc != FG_OK)
        return rc;
    if (!for_us(&t, keys->audience))
        return fg_fail(cx, FG_BAD_SIGNATURE, "The token is for somebody else");
    const struct js *list = key_list(cx, keys->jwks);
    struct fg_str n, e;
    int tried = 0;
    for (size_t i = 0; i < js_len(list) && tried < KEYS_MAX; i++) {
        if (!rsa_key(cx, js_at(list, i), t.kid, &n, &e))
            continue;
        tried++;
        if (hash_rs256_verify(n, e, t.signed_text, t.signature))
            return FG_OK;
    }
    return tried ? fg_fail(cx, FG_BAD_SIGNATURE, "No signature fits") : no_key(cx, list, stale);
}

/* ---- all of them ---- */

static enum fg_code verify_standard(struct fg_ctx *cx, const struct verify_keys *keys,
                                    const struct callback_headers *h, struct fg_str body)
{
    return webhook_verify(cx, keys->secrets, h->webhook_id, h->webhook_timestamp, h->webhook_signature,
                          body);
}

/* Of the two only Standard Webhooks has a comma: after the name of its scheme. */
static enum fg_code verify_google(struct fg_ctx *cx, const struct verify_keys *keys,
                                  const struct callback_headers *h, struct fg_str body, bool *stale)
{
    struct fg_str s = h->webhook_signature;
    return s.n && memchr(s.p, ',', s.n) ? verify_standard(cx, keys, h, body)
                                        : verify_jwt(cx, keys, h, stale);
}

enum fg_code callback_verify(struct fg_ctx *cx, enum verify_way way, const struct verify_keys *keys,
                             const struct callback_headers *h, struct fg_str body, bool *signed_out,
                             bool *stale_keys)
{
    enum fg_code rc = FG_BAD_SIGNATURE;
    *signed_out = *stale_keys = false;
    switch (way) {
    case VERIFY_NONE: return FG_OK;
    case VERIFY_STANDARD_IF_SECRET:
        if (keys->secrets.n == 0)
            return FG_OK;
        rc = verify_standard(cx, keys, h, body);
        break;
    case VERIFY_STANDARD: rc = verify_standard(cx, keys, h, body); break;
    case VERIFY_FAL: rc = verify_fal(cx, keys, h, body, stale_keys); break;
    case VERIFY_GOOGLE: rc = verify_google(cx, keys, h, body, stale_keys); break;
    }
    *signed_out = rc == FG_OK;
    return rc;
}
