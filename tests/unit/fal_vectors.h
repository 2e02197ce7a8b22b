/* fal's callbacks with made-up keys (private seeds: SHA-256 of "filmgate fal vector key A" and "… B"), computed with
 * node 'crypto' and checked with openssl pkeyutl. */
#ifndef FG_TESTS_FAL_VECTORS_H
#define FG_TESTS_FAL_VECTORS_H

#include "base/ctx.h"

#define FAL_KEY_A "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"XCI4YhYWq1yu7eZ0wt-tCke_Io1p3sa1_1n2thgFn08\"}"
#define FAL_KEY_B "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"HLq77c-Hvak7t5wIUE8eZw6JiooxEk-L_AGAmgJ_STQ\"}"
#define FAL_JWKS "{\"keys\":[" FAL_KEY_A "," FAL_KEY_B "]}"

#define FAL_ID_1 "11111111-2222-3333-4444-555555555555"
#define FAL_USER_1 "user_2abcDEF"
#define FAL_TIME_1 "1767225600"
#define FAL_BODY_1                                                                             \
    "{\"request_id\":\"11111111-2222-3333-4444-555555555555\",\"gateway_request_id\":"                   \
    "\"11111111-2222-3333-4444-555555555555\",\"status\":\"OK\",\"payload\":{\"video\":{\"url\":"         \
    "\"https://v3.fal.media/files/x/out.mp4\",\"content_type\":\"video/mp4\",\"file_name\":\"out.mp4\","  \
    "\"file_size\":1048576},\"seed\":42}}"
#define FAL_SIG_1_START "93a7d64977e38cab83d4b2dd37472e094447407daa715ac292d0527fed8c6bb82ffe99be6dccd039"
#define FAL_SIG_1 FAL_SIG_1_START "21f633c277322986835a2f94893979fb4db9cedba4b04106"

#define FAL_BODY_2                                                                             \
    "{\"request_id\":\"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\",\"gateway_request_id\":"                   \
    "\"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\",\"status\":\"ERROR\",\"error\":\"Invalid status code: 422\"," \
    "\"payload\":{\"detail\":[{\"loc\":[\"body\",\"prompt\"],\"msg\":\"flagged\","                        \
    "\"type\":\"content_policy_violation\"}]}}"

#define TEXT_OF(s) { "" s, sizeof(s) - 1 }
static const struct fal_vector {
    struct fg_str id, user, timestamp, signature, body;
    int64_t at;
} fal_vectors[] = {
    { TEXT_OF(FAL_ID_1), TEXT_OF(FAL_USER_1), TEXT_OF(FAL_TIME_1), TEXT_OF(FAL_SIG_1), TEXT_OF(FAL_BODY_1),
      1767225600 },
    /* by key B, the second of the set */
    { TEXT_OF("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"), TEXT_OF(FAL_USER_1), TEXT_OF("1767225660"),
      TEXT_OF("d7c98ee1d8dc3a050123f3cb9c6b048d3884412eab8039ebece9d40bc3bdc026"
              "aea49018161bdee2c39cc4fccb803df3f9d51f0621f3498a53360edb3d287b0a"),
      TEXT_OF(FAL_BODY_2), 1767225660 },
    { TEXT_OF("req-empty"), TEXT_OF("u1"), TEXT_OF("1700000000"),
      TEXT_OF("700f4972015f6ab95bcf13ddc61aab5fda00f00b8d60e518e06425235ddc362f"
              "02c13184f20c25b11f3428de094bd3a05701207f7a5264ca791196ef75526800"),
      TEXT_OF(""), 1700000000 },
    { TEXT_OF("req-utf8"), TEXT_OF("u1"), TEXT_OF("1700000001"),
      TEXT_OF("28aeeb52d9705f05dfd29c357c165f90b9a758d366fc31c6b1eed03ea78ce93c"
              "a3c5fafd9bce5773214fcb79b273faeb5c3f220c4dec1a1902d6ea48bbaff609"),
      TEXT_OF("{\"msg\":\"caf\xc3\xa9 \xf0\x9f\x8e\xac\"}"), 1700000001 },
};
#undef TEXT_OF

#endif
