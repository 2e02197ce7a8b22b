/* The ways in which services sign their callbacks. Pure: the key set is handed in, the time is cx->now_us. */
#ifndef FG_PROVIDER_VERIFY_H
#define FG_PROVIDER_VERIFY_H

#include "base/ctx.h"

#define VERIFY_LEEWAY_S 300 /* both ways; exactly so much passes */

/* Headers of a callback as they came; FG_NONE when absent. */
struct callback_headers {
    struct fg_str webhook_id, webhook_timestamp;
    struct fg_str webhook_signature; /* Standard Webhooks; Google's JWT, too */
    struct fg_str fal_request_id, fal_user_id, fal_timestamp, fal_signature; /* X-Fal-Webhook-… */
};

enum verify_way {
    VERIFY_NONE,
    VERIFY_STANDARD,           /* Standard Webhooks v1 with the secrets */
    VERIFY_STANDARD_IF_SECRET, /* the service signs once a secret was made there */
    VERIFY_FAL,                /* Ed25519 over request, user, time and body; any key of the set */
    VERIFY_GOOGLE,             /* by the header: "v1,…" is VERIFY_STANDARD, else it is a JWT */
};

struct verify_keys {
    struct fg_str secrets;  /* space separated; FG_NONE or empty: none */
    struct fg_str jwks;     /* the key set's JSON; FG_NONE: none fetched yet */
    struct fg_str audience; /* that the JWT's "aud" must have; FG_NONE: any */
};

/* FG_OK, FG_BAD_HEADER: a header is absent or malformed, FG_BAD_SIGNATURE: none fits, or too old or too
 * new. Both flags are set whatever the code is.
 * *signed_out: the signature was there and fits. False with FG_OK for VERIFY_NONE, and for
 * VERIFY_STANDARD_IF_SECRET without secrets.
 * *stale_keys: the signature is well formed and in time, but there is no key set (that can be read) or no
 * key of it fits: a newer set may have one. Strangers can bring this about: whoever fetches must limit how
 * often. A JWT names its key, so one that its own key refuses is simply forged.
 * JWT: RS256 only; "kid" picks the key; "exp" must be there, "nbf" and "iat" are looked at when there. It
 * proves who sent it; that it covers the body is not documented, so the body is a hint until the service
 * was asked. */
enum fg_code callback_verify(struct fg_ctx *cx, enum verify_way way, const struct verify_keys *keys,
                             const struct callback_headers *h, struct fg_str body, bool *signed_out,
                             bool *stale_keys) FG_MUST_CHECK;

#endif
