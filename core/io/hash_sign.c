/* Signatures of others, by public keys, and the one token that we sign (io/hash.h). */
#include <errno.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/arena.h"
#include "io/hash.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define RSA_E_MIN 65537 /* what everybody uses; a smaller one is somebody's experiment */
#define RSA_E_BYTES_MAX 4

void hash_sha256(struct fg_str data, uint8_t out[HASH_LEN])
{
    unsigned len = 0;
    FG_ASSERT(EVP_Digest(data.p ? data.p : "", data.n, out, &len, EVP_sha256(), NULL) == 1);
    FG_ASSERT(len == HASH_LEN);
}

bool hash_file_sha256(int fd, int64_t at, int64_t n, uint8_t out[HASH_LEN])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    char block[64 * FG_KIB];
    ssize_t got = 1;
    FG_ASSERT(ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1);
    while (n > 0 && got > 0) {
        got = pread(fd, block, (size_t)(n < (int64_t)sizeof block ? n : (int64_t)sizeof block), at);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0) {
            FG_ASSERT(EVP_DigestUpdate(ctx, block, (size_t)got) == 1);
            at += got;
            n -= got;
        }
    }
    if (got == 0)
        errno = EIO;
    bool ok = got > 0 && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* Errors of OpenSSL are negative, a signature that does not fit is 0. What it has to say about either
 * stays in a queue of the process, where the next TLS connection would find it. */
static bool fits(EVP_PKEY *key, const EVP_MD *md, const unsigned char *sig, size_t sig_n,
                 struct fg_str message)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && key && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
              EVP_DigestVerify(ctx, sig, sig_n, (const unsigned char *)(message.p ? message.p : ""),
                               message.n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

bool hash_ed25519_verify(const uint8_t key[HASH_ED25519_KEY_LEN],
                         const uint8_t signature[HASH_ED25519_SIG_LEN], struct fg_str message)
{
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, HASH_ED25519_KEY_LEN);
    bool ok = fits(pkey, NULL, signature, HASH_ED25519_SIG_LEN, message);
    EVP_PKEY_free(pkey);
    return ok;
}

/* Not too small: big() has seen to the rest. */
static bool sane_rsa(const BIGNUM *n, const BIGNUM *e)
{
    return BN_num_bits(n) >= RSA_BITS_MIN && BN_get_word(e) >= RSA_E_MIN;
}

static EVP_PKEY *rsa_from(BIGNUM *n, BIGNUM *e)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (build && ctx && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    if (params && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    return key;
}

static BIGNUM *big(struct fg_str bytes, size_t max)
{
    while (bytes.n && bytes.p[0] == 0) {
        bytes.p++;
        bytes.n--;
    }
    if (bytes.n == 0 || bytes.n > max)
        return NULL;
    return BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.n, NULL);
}

bool hash_rs256_verify(struct fg_str n, struct fg_str e, struct fg_str message, struct fg_str signature)
{
    BIGNUM *bn = big(n, RSA_BITS_MAX / 8), *be = big(e, RSA_E_BYTES_MAX);
    EVP_PKEY *key = bn && be && sane_rsa(bn, be) ? rsa_from(bn, be) : NULL;
    bool ok = key && fits(key, EVP_sha256(), (const unsigned char *)(signature.p ? signature.p : ""),
                          signature.n, message);
    EVP_PKEY_free(key);
    BN_free(be);
    BN_free(bn);
    ERR_clear_error();
    return ok;
}

struct fg_str jwt_hs256(struct fg_ctx *cx, struct fg_str secret, struct fg_str payload_json)
{
    struct fg_str head = FG_LIT("{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
    struct fg_str first = hash_base64url(cx->mem, head.p, head.n);
    struct fg_str second = hash_base64url(cx->mem, payload_json.p, payload_json.n);
    struct fg_str text = arena_fmt(cx->mem, "%.*s.%.*s", FG_P(first), FG_P(second));
    uint8_t mac[HASH_LEN];
    hash_hmac_sha256(secret, text, mac);
    struct fg_str third = hash_base64url(cx->mem, mac, sizeof mac);
    explicit_bzero(mac, sizeof mac);
    return arena_fmt(cx->mem, "%.*s.%.*s", FG_P(text), FG_P(third));
}
