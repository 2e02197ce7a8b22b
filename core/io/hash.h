/* libb2 and OpenSSL: fingerprints, key digests, signatures, base64. Nobody else includes their headers. */
#ifndef FG_IO_HASH_H
#define FG_IO_HASH_H

#include "base/ctx.h"

#define HASH_LEN 32

/* First byte of every keyed hash: a digest made for one purpose is worth nothing for another. */
enum hash_purpose {
    HASH_API_KEY = 1,
    HASH_SESSION = 2,
    HASH_MEDIA_LINK = 3,
    HASH_IDEMPOTENCY = 4,
    HASH_REQUEST = 5,
    HASH_CALLBACK = 7,
    HASH_INTENT = 8,
    HASH_UPLOAD = 10,
    HASH_SHARE = 12,
    HASH_VERDICT = 13,
    HASH_ERASED_USER = 14,
};

/* Keyed BLAKE2b-256 over purpose and the length-prefixed fields. pepper: 32 bytes. */
void hash_keyed(const uint8_t pepper[HASH_LEN], enum hash_purpose purpose, const struct fg_str *field,
                size_t n, uint8_t out[HASH_LEN]);
#define HASH_KEYED(pepper, purpose, out, ...)                                                  \
    hash_keyed((pepper), (purpose), (const struct fg_str[]){ __VA_ARGS__ },                      \
               sizeof((const struct fg_str[]){ __VA_ARGS__ }) / sizeof(struct fg_str), (out))

/* Plain BLAKE2b-256, at once or in pieces (files as they arrive). */
void hash_plain(struct fg_str data, uint8_t out[HASH_LEN]);
struct hash_stream { /* opaque; on the stack or in a struct; no allocation */
    _Alignas(64) unsigned char state[448];
};
void hash_begin(struct hash_stream *h);
void hash_add(struct hash_stream *h, const void *p, size_t n);
void hash_end(struct hash_stream *h, uint8_t out[HASH_LEN]);
/* Of a whole file. False: it could not be read; errno. */
bool hash_file(int fd, uint8_t out[HASH_LEN]) FG_MUST_CHECK;

/* For protocols that ask for it. */
void hash_sha256(struct fg_str data, uint8_t out[HASH_LEN]);
/* Of n bytes of a file. False: they could not be read (errno), or it has not so many (EIO). */
bool hash_file_sha256(int fd, int64_t at, int64_t n, uint8_t out[HASH_LEN]) FG_MUST_CHECK;

/* HMAC-SHA256. */
void hash_hmac_sha256(struct fg_str key, struct fg_str data, uint8_t out[HASH_LEN]);

/* Constant time over equal lengths; false when they differ. */
bool hash_same(struct fg_str a, struct fg_str b);

struct fg_str hash_hex(struct arena *mem, const void *p, size_t n);
bool hash_unhex(struct fg_str hex, void *out, size_t n); /* exactly 2n digits */
struct fg_str hash_base64(struct arena *mem, struct fg_str raw);      /* standard, padded */
bool hash_unbase64(struct arena *mem, struct fg_str text, struct fg_str *out); /* standard, padded, strict */
struct fg_str hash_base64url(struct arena *mem, const void *p, size_t n); /* no padding */
bool hash_unbase64url(struct arena *mem, struct fg_str text, struct fg_str *out);
/* Bytes of a digest as text. */
static inline struct fg_str hash_bytes(const uint8_t d[HASH_LEN])
{
    return (struct fg_str){ (const char *)d, HASH_LEN };
}

/* Signatures by public keys, which may come from strangers: false when it does not fit, for any reason. */
#define HASH_ED25519_KEY_LEN 32
#define HASH_ED25519_SIG_LEN 64
bool hash_ed25519_verify(const uint8_t key[HASH_ED25519_KEY_LEN],
                         const uint8_t signature[HASH_ED25519_SIG_LEN], struct fg_str message);
/* RSASSA-PKCS1-v1_5 with SHA-256. n and e: big endian, as in a JWK once decoded. Refused: n under 2048 or
 * over 8192 bits; e under 65537 or over 32 bits. */
bool hash_rs256_verify(struct fg_str n, struct fg_str e, struct fg_str message, struct fg_str signature);

/* A JWT (RFC 7519) with the header {"alg":"HS256","typ":"JWT"}. The key: the secret's bytes as they are. */
struct fg_str jwt_hs256(struct fg_ctx *cx, struct fg_str secret, struct fg_str payload_json);

/* Standard Webhooks 1.0.0, scheme v1 (HMAC-SHA256). One secret's text: "whsec_" + base64; without the
 * prefix its UTF-8 bytes are the key (as OpenAI's SDKs do). */
#define WEBHOOK_TOLERANCE_S 300
/* "v1,<base64>" in the arena. FG_CONFIG when the secret is not usable. */
enum fg_code webhook_sign(struct fg_ctx *cx, struct fg_str secret, struct fg_str id, int64_t timestamp_s,
                          struct fg_str body, struct fg_str *out) FG_MUST_CHECK;
/* secrets: space separated; any may fit. now from cx->now_us. FG_BAD_HEADER when one of the three headers is
 * absent or malformed, FG_BAD_SIGNATURE when none fits or the time is more than the tolerance off. */
enum fg_code webhook_verify(struct fg_ctx *cx, struct fg_str secrets, struct fg_str id,
                            struct fg_str timestamp, struct fg_str signature, struct fg_str body)
    FG_MUST_CHECK;

#endif
