#include "t.h"

#include "io/hash.h"
#include "unit/webhook_vectors.h"

static void check_hex(struct fg_ctx *cx, const uint8_t d[HASH_LEN], struct fg_str want,
                      const char *why)
{
    CHECK_STR(hash_hex(cx->mem, d, HASH_LEN), want, why);
}

static struct fg_str pattern(struct fg_ctx *cx, size_t n)
{
    char *p = arena_get(cx->mem, n);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(unsigned char)(i % 251);
    return (struct fg_str){ p, n };
}

/* The wanted digests come from Python's hashlib.blake2b(digest_size=32). */
TEST(blake2b_at_once_and_in_pieces)
{
    struct t_world w;
    t_begin(&w);
    const struct {
        struct fg_str data, want;
    } row[] = {
        { FG_NONE, FG_LIT("0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8") },
        { FG_LIT("abc"), FG_LIT("bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319") },
        { pattern(&w.cx, 1000),
          FG_LIT("b372d0608f720c8c3dd41e9c8eecb10143b41abe520b616607e754bf79c08331") },
    };
    static const size_t step[] = { 1, 7, 127, 128, 129, 1000 };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        uint8_t d[HASH_LEN];
        hash_plain(row[i].data, d);
        check_hex(&w.cx, d, row[i].want, "at once");
        for (size_t k = 0; k < FG_LEN(step); k++) {
            struct hash_stream h;
            hash_begin(&h);
            for (size_t at = 0; at < row[i].data.n; at += step[k]) {
                size_t rest = row[i].data.n - at;
                hash_add(&h, row[i].data.p + at, rest < step[k] ? rest : step[k]);
            }
            hash_add(&h, NULL, 0);
            hash_end(&h, d);
            check_hex(&w.cx, d, row[i].want, "in pieces");
        }
    }
    t_end(&w, 0);
}

/* Also from Python: key = bytes(range(32)), purpose byte, each field behind its 8-byte length. */
TEST(keyed_hash_has_the_stored_form)
{
    struct t_world w;
    uint8_t pepper[HASH_LEN], d[HASH_LEN];
    t_begin(&w);
    for (size_t i = 0; i < HASH_LEN; i++)
        pepper[i] = (uint8_t)i;
    HASH_KEYED(pepper, HASH_API_KEY, d, FG_LIT("key"));
    check_hex(&w.cx, d, FG_LIT("0f5da3b5325f3995b72d99b7c02dee33d463a6a34e73731659b36112a39ed31c"),
              "one");
    HASH_KEYED(pepper, HASH_MEDIA_LINK, d, FG_LIT("job_1"), FG_LIT("acct"));
    check_hex(&w.cx, d, FG_LIT("40e25560faffe32c4a0ac3ba2d12fb73914482297a30e3d274c63486d43d134c"),
              "two");
    t_end(&w, 0);
}

TEST(keyed_hash_keeps_purposes_fields_and_keys_apart)
{
    uint8_t pepper[HASH_LEN] = { 1 }, other[HASH_LEN] = { 2 }, d[9][HASH_LEN];
    HASH_KEYED(pepper, HASH_API_KEY, d[0], FG_LIT("ab"), FG_LIT("c"));
    HASH_KEYED(pepper, HASH_API_KEY, d[1], FG_LIT("a"), FG_LIT("bc"));
    HASH_KEYED(pepper, HASH_API_KEY, d[2], FG_LIT("abc"));
    HASH_KEYED(pepper, HASH_API_KEY, d[3], FG_LIT("abc"), FG_LIT(""));
    HASH_KEYED(pepper, HASH_API_KEY, d[4], FG_LIT(""), FG_LIT("abc"));
    HASH_KEYED(pepper, HASH_SESSION, d[5], FG_LIT("ab"), FG_LIT("c"));
    HASH_KEYED(other, HASH_API_KEY, d[6], FG_LIT("ab"), FG_LIT("c"));
    hash_keyed(pepper, HASH_API_KEY, NULL, 0, d[7]);
    hash_plain(FG_LIT("abc"), d[8]);
    for (size_t i = 0; i < FG_LEN(d); i++)
        for (size_t k = 0; k < i; k++)
            CHECK(!hash_same(hash_bytes(d[i]), hash_bytes(d[k])), "all differ");
    HASH_KEYED(pepper, HASH_API_KEY, d[1], FG_LIT("ab"), FG_LIT("c"));
    CHECK(hash_same(hash_bytes(d[0]), hash_bytes(d[1])), "the same again is the same");
}

/* RFC 4231, cases 1, 2 and 6; HMAC with empty key and text. */
TEST(hmac_sha256)
{
    static const char long_key[131] = { 0 };
    struct t_world w;
    t_begin(&w);
    char *aa = arena_get(w.cx.mem, sizeof long_key), *b0 = arena_get(w.cx.mem, 20);
    memset(aa, 0xaa, sizeof long_key);
    memset(b0, 0x0b, 20);
    const struct {
        struct fg_str key, data, want;
    } row[] = {
        { { b0, 20 }, FG_LIT("Hi There"),
          FG_LIT("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7") },
        { FG_LIT("Jefe"), FG_LIT("what do ya want for nothing?"),
          FG_LIT("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843") },
        { { aa, sizeof long_key }, FG_LIT("Test Using Larger Than Block-Size Key - Hash Key First"),
          FG_LIT("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54") },
        { FG_NONE, FG_NONE,
          FG_LIT("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad") },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        uint8_t d[HASH_LEN];
        hash_hmac_sha256(row[i].key, row[i].data, d);
        check_hex(&w.cx, d, row[i].want, "RFC 4231");
    }
    t_end(&w, 0);
}

TEST(same_means_every_byte)
{
    static const struct {
        struct fg_str a, b;
        bool want;
    } row[] = {
        { TEXT("abc"), TEXT("abc"), true },   { TEXT("abc"), TEXT("abd"), false },
        { TEXT("abc"), TEXT("Abc"), false },  { TEXT("abc"), TEXT("ab"), false },
        { TEXT("ab"), TEXT("abc"), false },   { TEXT(""), TEXT(""), true },
        { TEXT(""), TEXT("a"), false },       { TEXT("a\0b"), TEXT("a\0c"), false },
    };
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK(hash_same(row[i].a, row[i].b) == row[i].want, row[i].a.p);
}

TEST(hex_both_ways)
{
    static const struct fg_str wrong[] = { TEXT(""),       TEXT("00ff"),     TEXT("00ff1"),
                                           TEXT("00ff1a2"), TEXT("00ff1a2b"), TEXT("00fg1a"),
                                           TEXT("0x00ff"), TEXT(" 0ff1a"),   TEXT("00ff1\0") };
    struct t_world w;
    uint8_t raw[3] = { 9, 9, 9 };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(wrong); i++) {
        CHECK(!hash_unhex(wrong[i], raw, sizeof raw), wrong[i].p);
        CHECK(raw[0] == 9 && raw[1] == 9 && raw[2] == 9, "untouched");
    }
    CHECK(hash_unhex(FG_LIT("00Ff1a"), raw, sizeof raw), "either case");
    CHECK_IS(hash_hex(w.cx.mem, raw, sizeof raw), "00ff1a", "lower case out");
    CHECK(hash_unhex(FG_NONE, raw, 0), "nothing from nothing");
    t_end(&w, 0);
}

TEST(base64_both_ways)
{
    static const struct {
        struct fg_str raw, standard, url;
    } row[] = {
        { TEXT(""), TEXT(""), TEXT("") },
        { TEXT("f"), TEXT("Zg=="), TEXT("Zg") },
        { TEXT("fo"), TEXT("Zm8="), TEXT("Zm8") },
        { TEXT("foo"), TEXT("Zm9v"), TEXT("Zm9v") },
        { TEXT("foobar"), TEXT("Zm9vYmFy"), TEXT("Zm9vYmFy") },
        { TEXT("\xfb\xff\xfe\xff"), TEXT("+//+/w=="), TEXT("-__-_w") },
        { TEXT("\0\0\0"), TEXT("AAAA"), TEXT("AAAA") },
    };
    struct t_world w;
    struct fg_str out;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_STR(hash_base64(w.cx.mem, row[i].raw), row[i].standard, "encode");
        CHECK_STR(hash_base64url(w.cx.mem, row[i].raw.p, row[i].raw.n), row[i].url, "encode url");
        CHECK(hash_unbase64(w.cx.mem, row[i].standard, &out), row[i].standard.p);
        CHECK_STR(out, row[i].raw, "decode");
        CHECK(hash_unbase64url(w.cx.mem, row[i].url, &out), row[i].url.p);
        CHECK_STR(out, row[i].raw, "decode url");
    }
    t_end(&w, 0);
}

TEST(base64_is_strict)
{
    static const struct fg_str standard[] = {
        TEXT("Zg"),     TEXT("Zg="),    TEXT("Zm8"),     TEXT("="),         TEXT("===="),
        TEXT("Z==="),   TEXT("Zh=="),   TEXT("Zm9="),    TEXT("Zg==Zg=="),  TEXT("Zm9v\n"),
        TEXT("Zm 9v==="), TEXT("-__-"), TEXT("Zm9v===="), TEXT("Zg=v"),     TEXT("AAA\0"),
        TEXT("\xc3\xa9\xc3\xa9"),
    };
    static const struct fg_str url[] = { TEXT("Zg=="), TEXT("Z"),    TEXT("Zh"), TEXT("Zm9"),
                                         TEXT("+//+"), TEXT("Zm 8"), TEXT("Zm9vY") };
    struct t_world w;
    struct fg_str out = FG_LIT("kept");
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(standard); i++)
        CHECK(!hash_unbase64(w.cx.mem, standard[i], &out), standard[i].p);
    for (size_t i = 0; i < FG_LEN(url); i++)
        CHECK(!hash_unbase64url(w.cx.mem, url[i], &out), url[i].p);
    CHECK_IS(out, "kept", "untouched");
    t_end(&w, 0);
}

TEST(webhook_vectors_sign_and_verify)
{
    CHECK_I64(sizeof BODY_1 - 1, 105, "the body of the first vector");
    CHECK_I64(webhook_vectors[1].body.n, 40, "the body of the second vector");
    CHECK_I64(webhook_vectors[4].body.n, 17, "the body of the fifth vector");
    for (size_t i = 0; i < FG_LEN(webhook_vectors); i++) {
        const struct webhook_vector *v = &webhook_vectors[i];
        struct t_world w;
        struct fg_str out;
        t_begin(&w);
        w.cx.now_us = v->at * FG_US_PER_S;
        CHECK_CODE(&w.cx, webhook_sign(&w.cx, v->secret, v->id, v->at, v->body, &out), FG_OK);
        CHECK_STR(out, v->want, "signature");
        struct fg_str at = arena_fmt(w.cx.mem, "%lld", (long long)v->at);
        CHECK_CODE(&w.cx, webhook_verify(&w.cx, v->secret, v->id, at, v->want, v->body), FG_OK);
        t_end(&w, 0);
    }
}

TEST(webhook_refuses_and_passes)
{
    for (size_t i = 0; i < FG_LEN(webhook_variations); i++) {
        const struct webhook_variation *v = &webhook_variations[i];
        struct t_world w;
        t_begin(&w);
        w.cx.now_us = (1767225600 + v->late_s) * FG_US_PER_S;
        enum fg_code rc =
            webhook_verify(&w.cx, v->secrets, v->id, v->timestamp, v->signature, v->body);
        CHECK_I64(rc, v->want, v->why);
        t_end(&w, 0);
    }
}

TEST(webhook_limits_its_work)
{
    struct t_world w;
    t_begin(&w);
    w.cx.now_us = INT64_C(1767225600) * FG_US_PER_S;
    char *x = arena_get(w.cx.mem, 5000);
    memset(x, 'x', 5000);
    struct fg_str a = FG_LIT(SECRET_A), id = FG_LIT(ID_1), at = FG_LIT(T_1);
    struct fg_str sig = FG_LIT(SIGNED_1_A), body = FG_LIT(BODY_1), huge = { x, 4097 }, full = { x, 4096 };
    CHECK_CODE(&w.cx, webhook_verify(&w.cx, a, id, at, huge, body), FG_BAD_HEADER);
    CHECK_CODE(&w.cx, webhook_verify(&w.cx, a, id, at, full, body), FG_BAD_SIGNATURE);
    huge.n = 257;
    CHECK_CODE(&w.cx, webhook_verify(&w.cx, a, huge, at, sig, body), FG_BAD_HEADER);
    CHECK_CODE(&w.cx, webhook_verify(&w.cx, a, FG_NONE, at, sig, body), FG_BAD_HEADER);
    CHECK_CODE(&w.cx, webhook_verify(&w.cx, a, id, FG_NONE, sig, body), FG_BAD_HEADER);
    CHECK_CODE(&w.cx, webhook_verify(&w.cx, a, id, at, FG_NONE, body), FG_BAD_HEADER);
    t_end(&w, 0);
}

TEST(webhook_sign_wants_a_usable_secret)
{
    static const struct fg_str wrong[] = { { NULL, 0 }, TEXT(""), TEXT("whsec_"), TEXT("whsec_abc"),
                                           TEXT("whsec_Zm9v!!!!") };
    struct t_world w;
    struct fg_str out = FG_LIT("kept");
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(wrong); i++)
        CHECK_CODE(&w.cx, webhook_sign(&w.cx, wrong[i], FG_LIT("m"), 1, FG_NONE, &out), FG_CONFIG);
    CHECK_IS(out, "kept", "untouched");
    t_end(&w, 0);
}
