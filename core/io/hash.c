#include "io/hash.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include <blake2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/arena.h"
#include "base/sb.h"
#include "base/scan.h"

#define WEBHOOK_ID_MAX 256
#define WEBHOOK_HEADER_MAX 4096
#define WEBHOOK_ELEMENTS_MAX 16
#define WEBHOOK_SECRETS_MAX 8
#define WEBHOOK_PREFIX FG_LIT("whsec_")

static const char digits_standard[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

_Static_assert(sizeof(blake2b_state) <= sizeof(struct hash_stream), "hash_stream holds the state");

void hash_keyed(const uint8_t pepper[HASH_LEN], enum hash_purpose purpose, const struct fg_str *field,
                size_t n, uint8_t out[HASH_LEN])
{
    struct hash_stream h;
    FG_ASSERT(blake2b_init_key((void *)h.state, HASH_LEN, pepper, HASH_LEN) == 0);
    hash_add(&h, &(uint8_t){ (uint8_t)purpose }, 1);
    for (size_t i = 0; i < n; i++) {
        /* Little endian on every machine: digests are stored and compared elsewhere. */
        uint8_t len[8];
        for (size_t k = 0; k < sizeof len; k++)
            len[k] = (uint8_t)((uint64_t)field[i].n >> 8 * k);
        hash_add(&h, len, sizeof len);
        hash_add(&h, field[i].p, field[i].n);
    }
    hash_end(&h, out);
}

void hash_plain(struct fg_str data, uint8_t out[HASH_LEN])
{
    struct hash_stream h;
    hash_begin(&h);
    hash_add(&h, data.p, data.n);
    hash_end(&h, out);
}

void hash_begin(struct hash_stream *h)
{
    FG_ASSERT(blake2b_init((void *)h->state, HASH_LEN) == 0);
}

void hash_add(struct hash_stream *h, const void *p, size_t n)
{
    if (n)
        FG_ASSERT(blake2b_update((void *)h->state, p, n) == 0);
}

void hash_end(struct hash_stream *h, uint8_t out[HASH_LEN])
{
    FG_ASSERT(blake2b_final((void *)h->state, out, HASH_LEN) == 0);
    explicit_bzero(h, sizeof *h);
}

bool hash_file(int fd, uint8_t out[HASH_LEN])
{
    struct hash_stream h;
    char block[64 * FG_KIB];
    int64_t at = 0;
    ssize_t n;
    hash_begin(&h);
    while ((n = pread(fd, block, sizeof block, at)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        hash_add(&h, block, (size_t)n);
        at += n;
    }
    hash_end(&h, out);
    return true;
}

void hash_hmac_sha256(struct fg_str key, struct fg_str data, uint8_t out[HASH_LEN])
{
    unsigned len = 0;
    FG_ASSERT(key.n <= INT_MAX);
    /* A NULL key would mean "the key of last time" to OpenSSL. */
    FG_ASSERT(HMAC(EVP_sha256(), key.p ? key.p : "", (int)key.n,
                   (const unsigned char *)(data.p ? data.p : ""), data.n, out, &len));
    FG_ASSERT(len == HASH_LEN);
}

bool hash_same(struct fg_str a, struct fg_str b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

struct fg_str hash_hex(struct arena *mem, const void *p, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    const unsigned char *from = p;
    char *to = arena_get(mem, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        to[2 * i] = digit[from[i] >> 4];
        to[2 * i + 1] = digit[from[i] & 15];
    }
    return (struct fg_str){ to, 2 * n };
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hash_unhex(struct fg_str hex, void *out, size_t n)
{
    unsigned char *to = out;
    if (hex.n % 2 != 0 || hex.n / 2 != n)
        return false;
    for (size_t i = 0; i < hex.n; i++)
        if (hex_value(hex.p[i]) < 0)
            return false;
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)(hex_value(hex.p[2 * i]) << 4 | hex_value(hex.p[2 * i + 1]));
    return true;
}

static struct fg_str encode(struct arena *mem, const char *digit, struct fg_str raw, bool pad)
{
    char *to = arena_get(mem, raw.n / 3 * 4 + 5);
    size_t at = 0;
    for (size_t i = 0; i < raw.n; i += 3) {
        size_t have = raw.n - i < 3 ? raw.n - i : 3;
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (k < have ? (unsigned char)raw.p[i + k] : 0u);
        for (size_t k = 0; k <= have; k++)
            to[at++] = digit[v >> (18 - 6 * k) & 63];
        for (size_t k = have; pad && k < 3; k++)
            to[at++] = '=';
    }
    return (struct fg_str){ to, at };
}

/* Text without padding. Bits that carry nothing must be 0: each value has one text only. */
static bool decode(struct arena *mem, const char *digit, struct fg_str text, struct fg_str *out)
{
    if (text.n % 4 == 1)
        return false;
    char *to = arena_get(mem, text.n / 4 * 3 + 3);
    size_t at = 0;
    uint32_t v = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.n; i++) {
        const char *d = memchr(digit, text.p[i], 64);
        if (!d)
            return false;
        v = v << 6 | (uint32_t)(d - digit);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            to[at++] = (char)(unsigned char)(v >> bits);
            v &= (1u << bits) - 1;
        }
    }
    if (v != 0)
        return false;
    *out = (struct fg_str){ to, at };
    return true;
}

struct fg_str hash_base64(struct arena *mem, struct fg_str raw)
{
    return encode(mem, digits_standard, raw, true);
}

bool hash_unbase64(struct arena *mem, struct fg_str text, struct fg_str *out)
{
    if (text.n % 4 != 0)
        return false;
    for (int pad = 0; pad < 2 && text.n && text.p[text.n - 1] == '='; pad++)
        text.n--;
    return decode(mem, digits_standard, text, out);
}

struct fg_str hash_base64url(struct arena *mem, const void *p, size_t n)
{
    return encode(mem, digits_url, (struct fg_str){ p, n }, false);
}

bool hash_unbase64url(struct arena *mem, struct fg_str text, struct fg_str *out)
{
    return decode(mem, digits_url, text, out);
}

static bool webhook_key(struct arena *mem, struct fg_str secret, struct fg_str *key)
{
    *key = secret;
    if (fg_starts(secret, WEBHOOK_PREFIX)) {
        secret.p += WEBHOOK_PREFIX.n;
        secret.n -= WEBHOOK_PREFIX.n;
        if (!hash_unbase64(mem, secret, key))
            return false;
    }
    return key->n > 0;
}

static struct fg_str signed_content(struct arena *mem, struct fg_str id, struct fg_str timestamp,
                                    struct fg_str body)
{
    struct sb b = sb_in(mem, id.n + timestamp.n + body.n + 2);
    sb_add(&b, id);
    sb_add_c(&b, '.');
    sb_add(&b, timestamp);
    sb_add_c(&b, '.');
    sb_add(&b, body);
    FG_ASSERT(!b.bad);
    return sb_str(&b);
}

static struct fg_str signature_of(struct arena *mem, struct fg_str key, struct fg_str content)
{
    uint8_t mac[HASH_LEN];
    hash_hmac_sha256(key, content, mac);
    struct fg_str text = hash_base64(mem, hash_bytes(mac));
    explicit_bzero(mac, sizeof mac);
    return arena_fmt(mem, "v1,%.*s", FG_P(text));
}

enum fg_code webhook_sign(struct fg_ctx *cx, struct fg_str secret, struct fg_str id, int64_t timestamp_s,
                          struct fg_str body, struct fg_str *out)
{
    struct fg_str key;
    if (!webhook_key(cx->mem, secret, &key))
        return fg_fail(cx, FG_CONFIG, "A webhook secret is empty or not base64");
    struct fg_str timestamp = arena_fmt(cx->mem, "%lld", (long long)timestamp_s);
    *out = signature_of(cx->mem, key, signed_content(cx->mem, id, timestamp, body));
    return FG_OK;
}

/* Comparing the texts is strict for free: only the canonical base64 of the right bytes fits. */
static bool any_element_fits(struct fg_str header, struct fg_str want)
{
    struct fg_str element;
    for (int i = 0; i < WEBHOOK_ELEMENTS_MAX && scan_until(&header, ' ', &element); i++)
        if (hash_same(element, want))
            return true;
    return false;
}

static enum fg_code check_headers(struct fg_ctx *cx, struct fg_str id, struct fg_str timestamp,
                                  struct fg_str signature)
{
    uint64_t sent_s;
    /* With a full stop in the id the signed text could be read as another id, time and body. */
    if (id.n == 0 || id.n > WEBHOOK_ID_MAX || memchr(id.p, '.', id.n))
        return fg_fail(cx, FG_BAD_HEADER, "webhook-id is absent or malformed");
    if (!scan_all_u64(timestamp, INT64_MAX / FG_US_PER_S, &sent_s))
        return fg_fail(cx, FG_BAD_HEADER, "webhook-timestamp is absent or malformed");
    if (signature.n == 0 || signature.n > WEBHOOK_HEADER_MAX)
        return fg_fail(cx, FG_BAD_HEADER, "webhook-signature is absent or too long");
    int64_t off_s = cx->now_us / FG_US_PER_S - (int64_t)sent_s;
    if (off_s > WEBHOOK_TOLERANCE_S || off_s < -WEBHOOK_TOLERANCE_S)
        return fg_fail(cx, FG_BAD_SIGNATURE, "webhook-timestamp is more than %d seconds off",
                       WEBHOOK_TOLERANCE_S);
    return FG_OK;
}

enum fg_code webhook_verify(struct fg_ctx *cx, struct fg_str secrets, struct fg_str id,
                            struct fg_str timestamp, struct fg_str signature, struct fg_str body)
{
    enum fg_code rc = check_headers(cx, id, timestamp, signature);
    if (rc != FG_OK)
        return rc;
    struct fg_str content = signed_content(cx->mem, id, timestamp, body), secret, key;
    int usable = 0;
    while (usable < WEBHOOK_SECRETS_MAX && scan_until(&secrets, ' ', &secret)) {
        if (!webhook_key(cx->mem, secret, &key))
            continue;
        usable++;
        if (any_element_fits(signature, signature_of(cx->mem, key, content)))
            return FG_OK;
    }
    (void)fg_fail(cx, FG_BAD_SIGNATURE, "No signature fits");
    return fg_cause(cx, "%d usable secrets tried", usable);
}
