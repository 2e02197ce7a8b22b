/* Signatures by public keys, and the token that we sign: published vectors, and the limits of what a key
 * may be. */
#include "t.h"

#include "io/hash.h"
#include "io/json.h"

#define TEXT(s) { "" s, sizeof(s) - 1 }

/* FIPS 180-4's examples. */
TEST(sha256)
{
    static const struct {
        struct fg_str data, want;
    } row[] = {
        { { NULL, 0 }, TEXT("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") },
        { TEXT("abc"), TEXT("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") },
        { TEXT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
          TEXT("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1") },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        uint8_t d[HASH_LEN];
        hash_sha256(row[i].data, d);
        CHECK_STR(hash_hex(w.cx.mem, d, sizeof d), row[i].want, "digest");
    }
    t_end(&w, 0);
}

/* RFC 8032, section 7.1, tests 1 to 3. */
static const struct ed25519 {
    struct fg_str key, signature, message;
} ed25519[] = {
    { TEXT("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
      TEXT("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
           "d25bf5f0595bbe24655141438e7a100b"),
      { NULL, 0 } },
    { TEXT("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
      TEXT("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
           "387b2eaeb4302aeeb00d291612bb0c00"),
      TEXT("\x72") },
    { TEXT("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
      TEXT("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
           "4a7c15e9716ed28dc027beceea1ec40a"),
      TEXT("\xaf\x82") },
};

TEST(ed25519_by_the_rfc)
{
    for (size_t i = 0; i < FG_LEN(ed25519); i++) {
        const struct ed25519 *v = &ed25519[i];
        uint8_t key[HASH_ED25519_KEY_LEN], sig[HASH_ED25519_SIG_LEN];
        CHECK(hash_unhex(v->key, key, sizeof key) && hash_unhex(v->signature, sig, sizeof sig), "data");
        CHECK(hash_ed25519_verify(key, sig, v->message), "as it is");
        CHECK(!hash_ed25519_verify(key, sig, FG_LIT("other")), "another message");
        for (size_t k = 0; k < sizeof sig; k++) {
            sig[k] ^= 1;
            CHECK(!hash_ed25519_verify(key, sig, v->message), "a bit of the signature turned");
            sig[k] ^= 1;
        }
        key[0] ^= 1;
        CHECK(!hash_ed25519_verify(key, sig, v->message), "another key");
    }
}

/* S plus the group's order L is the same point, and no signature: RFC 8032, section 5.1.7. */
TEST(ed25519_takes_one_form_of_a_signature)
{
    static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                       0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
    uint8_t key[HASH_ED25519_KEY_LEN], sig[HASH_ED25519_SIG_LEN];
    CHECK(hash_unhex(ed25519[1].key, key, sizeof key) &&
              hash_unhex(ed25519[1].signature, sig, sizeof sig), "data");
    unsigned carry = 0;
    for (size_t i = 0; i < sizeof order; i++) {
        carry += (unsigned)sig[32 + i] + order[i];
        sig[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    CHECK(!hash_ed25519_verify(key, sig, ed25519[1].message), "S over L");
}

/* RFC 7515, appendix A.2. */
#define A2_N                                                                                   \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql"  \
    "L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs"  \
    "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud"  \
    "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define A2_TEXT                                                                                \
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc" \
    "19yb290Ijp0cnVlfQ"
#define A2_SIG                                                                                 \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujG"  \
    "bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"  \
    "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6"  \
    "LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"

TEST(rs256_by_the_rfc)
{
    struct t_world w;
    struct fg_str n, sig, text = FG_LIT(A2_TEXT), e = FG_LIT("\1\0\1");
    t_begin(&w);
    CHECK(hash_unbase64url(w.cx.mem, FG_LIT(A2_N), &n) && hash_unbase64url(w.cx.mem, FG_LIT(A2_SIG), &sig),
          "data");
    CHECK(hash_rs256_verify(n, e, text, sig), "as it is");
    CHECK(hash_rs256_verify(n, FG_LIT("\0\0\1\0\1"), text, sig), "zeros before a number say nothing");
    CHECK(!hash_rs256_verify(n, e, (struct fg_str){ text.p, text.n - 1 }, sig), "the text cut");
    CHECK(!hash_rs256_verify(n, e, FG_NONE, sig), "no text");
    CHECK(!hash_rs256_verify(n, e, text, (struct fg_str){ sig.p, sig.n - 1 }), "the signature cut");
    CHECK(!hash_rs256_verify(n, e, text, FG_NONE), "no signature");
    CHECK(!hash_rs256_verify(n, FG_LIT("\1\0\3"), text, sig), "another e");
    CHECK(!hash_rs256_verify(n, FG_LIT("\1\0\0"), text, sig), "an even e");
    CHECK(!hash_rs256_verify(n, FG_LIT("\0\0"), text, sig), "e is 0");
    CHECK(!hash_rs256_verify(n, FG_NONE, text, sig), "no e");
    CHECK(!hash_rs256_verify(FG_NONE, e, text, sig), "no n");
    char *even = arena_cstr(w.cx.mem, n);
    even[n.n - 1] ^= 1;
    CHECK(!hash_rs256_verify((struct fg_str){ even, n.n }, e, text, sig), "an even n");
    t_end(&w, 0);
}

static struct fg_str bytes_of(struct fg_ctx *cx, const struct js *row, const char *name)
{
    struct fg_str text, raw;
    CHECK(js_str(js_get(row, name), &text) && hash_unbase64url(cx->mem, text, &raw), name);
    return raw;
}

/* All these signatures are right: only the key decides. */
TEST(rs256_refuses_keys_that_are_too_small_or_too_big)
{
    struct t_world w;
    const struct js *data;
    struct fg_str message;
    t_begin(&w);
    CHECK_CODE(&w.cx, js_parse(&w.cx, t_file(&w.cx, "tests/data/rsa.json"), &data), FG_OK);
    CHECK(js_str(js_get(data, "message"), &message), "data");
    const struct js *sizes = js_get(data, "sizes");
    CHECK_I64(js_len(sizes), 10, "data");
    for (size_t i = 0; i < js_len(sizes); i++) {
        const struct js *row = js_at(sizes, i);
        struct fg_str about = FG_NONE;
        bool valid = false;
        CHECK(js_bool(js_get(row, "valid"), &valid) && js_str(js_get(row, "about"), &about), "data");
        CHECK(hash_rs256_verify(bytes_of(&w.cx, row, "n"), bytes_of(&w.cx, row, "e"), message,
                                bytes_of(&w.cx, row, "signature")) == valid,
              arena_cstr(w.cx.mem, about));
    }
    t_end(&w, 0);
}

/* Kling's scheme with made-up keys, computed with node 'crypto' and checked with npm jsonwebtoken. The
 * first signature has both letters that plain base64 does not; the second secret is not to be decoded, the
 * third is no hex. */
TEST(jwt_hs256_vectors)
{
#define HEAD "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    static const struct {
        struct fg_str secret, payload, want;
    } row[] = {
        { TEXT("SKtest0000000000000000000000001"),
          TEXT("{\"iss\":\"AKtest0000000000000000000000001\",\"exp\":1767227400,\"nbf\":1767225595}"),
          TEXT(HEAD "eyJpc3MiOiJBS3Rlc3QwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAxIiwiZXhwIjoxNzY3MjI3NDAwLCJuYmYiOjE3"
                    "NjcyMjU1OTV9.qjml2X_0tClMtZ-AYbVEkrcIbQknToctVqD3KwBw0io") },
        { TEXT("sk-example-+/=~"), TEXT("{\"iss\":\"ak-example\",\"exp\":1700001800,\"nbf\":1699999995}"),
          TEXT(HEAD "eyJpc3MiOiJhay1leGFtcGxlIiwiZXhwIjoxNzAwMDAxODAwLCJuYmYiOjE2OTk5OTk5OTV9"
                    ".SAhi5f0JaJZNhxuJfXd7KKiDlPTTnWIMyNtkUS8p8Ow") },
        { TEXT("00112233445566778899aabbccddeeff"),
          TEXT("{\"iss\":\"A1B2C3D4E5F60718293A4B5C6D7E8F90\",\"exp\":1782865800,\"nbf\":1782863995}"),
          TEXT(HEAD "eyJpc3MiOiJBMUIyQzNENEU1RjYwNzE4MjkzQTRCNUM2RDdFOEY5MCIsImV4cCI6MTc4Mjg2NTgwMCwibmJmIjox"
                    "NzgyODYzOTk1fQ.dNCqWTZgvsVMZo2O5G4-asDfDUixqASfTitv508PsNo") },
    };
#undef HEAD
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_STR(jwt_hs256(&w.cx, row[i].secret, row[i].payload), row[i].want, "token");
    t_end(&w, 0);
}
