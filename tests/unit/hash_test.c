#include "t.h"

#include "io/hash.h"

/* FG_LIT for tables: a compound literal is no constant. */
#define TEXT(s) { "" s, sizeof(s) - 1 }

#define SECRET_A "whsec_ZmlsbWdhdGUtdGVzdC1zZWNyZXQtbnVtYmVyLTAwMDE="
#define SECRET_B "whsec_ZmlsbWdhdGUtcm90YXRlZC1zZWNyZXQtMDAwMDAwMDI="
#define SECRET_C                                                                               \
    "whsec_LnG07btnzJDTNZJbfDd4AxYP682SOApJ00mq0qNO4MO+mGYvbsuFXyM/fzX275YNA08vcRa39IJ2RfMUSjaqXA=="
#define BODY_1                                                                                 \
    "{\"type\":\"video.succeeded\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"data\":{\"id\":\"job_01\"," \
    "\"status\":\"succeeded\"}}"
#define ID_1 "msg_2fG7hKq9Zr01"
#define SIGNED_1_A "v1,fscKTpjtoSLAXTW1bPY9wQVnai8YJTyQEOAHNpDTFNo="
#define SIGNED_1_B "v1,cyAYVrM5Cgv+0LoQUbt9tT6DAUDTg7xHzbE+TaXi+UY="

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

static const struct vector {
    struct fg_str secret, id;
    int64_t at;
    struct fg_str body, want;
} vectors[] = {
    { TEXT(SECRET_A), TEXT(ID_1), 1767225600, TEXT(BODY_1), TEXT(SIGNED_1_A) },
    { TEXT(SECRET_C), TEXT("msg_0001"), 1700000000,
      TEXT("{\"prompt\":\"caf\xc3\xa9 \xe2\x80\x94 \xe6\x9d\xb1\xe4\xba\xac \xf0\x9f\x8e\xac\",\"n\":1}"),
      TEXT("v1,seLNmfWIbgwvXfm+GxHU+FCBl2xlfh48XH6b0FyqZ/E=") },
    { TEXT(SECRET_A), TEXT("msg_empty"), 1767225600, TEXT(""),
      TEXT("v1,l9SrUdoF2DooHcXDUrp+2Z2hI/77hq0tjvDK0vfK0qY=") },
    { TEXT(SECRET_B), TEXT(ID_1), 1767225600, TEXT(BODY_1), TEXT(SIGNED_1_B) },
    { TEXT(SECRET_A), TEXT("msg_nl"), 1767225601, TEXT("{\n  \"ok\": true\n}\n"),
      TEXT("v1,SkgScRyvj/T8HJiV+d7/PGCLOVR33CNndV/COci8Q3Y=") },
    { TEXT("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), TEXT("msg_p5jXN8AQM9LWM0D4loKWxJek"),
      1614265330, TEXT("{\"test\": 2432232314}"),
      TEXT("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=") },
    { TEXT("filmgate-test-secret-number-0001"), TEXT(ID_1), 1767225600, TEXT(BODY_1),
      TEXT(SIGNED_1_A) }, /* the bytes of secret A without the prefix */
};

TEST(webhook_vectors_sign_and_verify)
{
    CHECK_I64(sizeof BODY_1 - 1, 105, "the body of the first vector");
    CHECK_I64(vectors[1].body.n, 40, "the body of the second vector");
    CHECK_I64(vectors[4].body.n, 17, "the body of the fifth vector");
    for (size_t i = 0; i < FG_LEN(vectors); i++) {
        const struct vector *v = &vectors[i];
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

#define SPACED_1                                                                               \
    "{\"type\": \"video.succeeded\", \"timestamp\": \"2026-01-01T00:00:00Z\", \"data\": {\"id\": "   \
    "\"job_01\", \"status\": \"succeeded\"}}"
#define T_1 "1767225600"
#define CUT_1_A "v1,fscKTpjtoSLAXTW1bPY9wQVnai8YJTyQEOAHNpDTFNo"
#define ELEMENTS_15 "v1, v1, v1, v1, v1, v1, v1, v1, v1, v1, v1, v1, v1, v1, v1, "

/* Variations of the first vector. */
static const struct variation {
    const char *why;
    struct fg_str secrets, id, timestamp, signature, body;
    int64_t late_s;
    enum fg_code want;
} variations[] = {
#define ROW(why, secrets, id, at, sig, body, late, want)                                       \
    { why, TEXT(secrets), TEXT(id), TEXT(at), TEXT(sig), TEXT(body), late, FG_##want }
    ROW("as it is", SECRET_A, ID_1, T_1, SIGNED_1_A, BODY_1, 0, OK),
    ROW("300 s late", SECRET_A, ID_1, T_1, SIGNED_1_A, BODY_1, 300, OK),
    ROW("300 s early", SECRET_A, ID_1, T_1, SIGNED_1_A, BODY_1, -300, OK),
    ROW("rotated, old secret", SECRET_A, ID_1, T_1, SIGNED_1_B " " SIGNED_1_A, BODY_1, 0, OK),
    ROW("rotated, new secret", SECRET_B, ID_1, T_1, SIGNED_1_B " " SIGNED_1_A, BODY_1, 0, OK),
    ROW("our secrets rotated", SECRET_C " " SECRET_A, ID_1, T_1, SIGNED_1_A, BODY_1, 0, OK),
    ROW("a broken secret beside", "whsec_x " SECRET_A, ID_1, T_1, SIGNED_1_A, BODY_1, 0, OK),
    ROW("unknown beside known", SECRET_A, ID_1, T_1, "v1a,x v9 , " SIGNED_1_A, BODY_1, 0, OK),
    ROW("the sixteenth element", SECRET_A, ID_1, T_1, ELEMENTS_15 SIGNED_1_A, BODY_1, 0, OK),
    ROW("the seventeenth", SECRET_A, ID_1, T_1, "v1, " ELEMENTS_15 SIGNED_1_A, BODY_1, 0, BAD_SIGNATURE),
    ROW("301 s late", SECRET_A, ID_1, T_1, SIGNED_1_A, BODY_1, 301, BAD_SIGNATURE),
    ROW("301 s early", SECRET_A, ID_1, T_1, SIGNED_1_A, BODY_1, -301, BAD_SIGNATURE),
    ROW("another secret", SECRET_C, ID_1, T_1, SIGNED_1_B " " SIGNED_1_A, BODY_1, 0, BAD_SIGNATURE),
    ROW("no secret", "", ID_1, T_1, SIGNED_1_A, BODY_1, 0, BAD_SIGNATURE),
    ROW("only broken secrets", "whsec_ whsec_x", ID_1, T_1, SIGNED_1_A, BODY_1, 0, BAD_SIGNATURE),
    ROW("another id", SECRET_A, "msg_2fG7hKq9Zr02", T_1, SIGNED_1_A, BODY_1, 0, BAD_SIGNATURE),
    ROW("another time", SECRET_A, ID_1, "1767225601", SIGNED_1_A, BODY_1, 0, BAD_SIGNATURE),
    ROW("v2", SECRET_A, ID_1, T_1, "v2,fscKTpjtoSLAXTW1bPY9wQVnai8YJTyQEOAHNpDTFNo=", BODY_1, 0,
        BAD_SIGNATURE),
    ROW("no padding", SECRET_A, ID_1, T_1, CUT_1_A, BODY_1, 0, BAD_SIGNATURE),
    ROW("other last bits", SECRET_A, ID_1, T_1, "v1,fscKTpjtoSLAXTW1bPY9wQVnai8YJTyQEOAHNpDTFNp=", BODY_1,
        0, BAD_SIGNATURE),
    ROW("body with spaces", SECRET_A, ID_1, T_1, SIGNED_1_A, SPACED_1, 0, BAD_SIGNATURE),
    ROW("empty body", SECRET_A, ID_1, T_1, SIGNED_1_A, "", 0, BAD_SIGNATURE),
    ROW("no element", SECRET_A, ID_1, T_1, " ", BODY_1, 0, BAD_SIGNATURE),
    ROW("id absent", SECRET_A, "", T_1, SIGNED_1_A, BODY_1, 0, BAD_HEADER),
    ROW("full stop in the id", SECRET_A, "msg.1", T_1, SIGNED_1_A, BODY_1, 0, BAD_HEADER),
    ROW("time absent", SECRET_A, ID_1, "", SIGNED_1_A, BODY_1, 0, BAD_HEADER),
    ROW("time with a sign", SECRET_A, ID_1, "+" T_1, SIGNED_1_A, BODY_1, 0, BAD_HEADER),
    ROW("time with a zero", SECRET_A, ID_1, "0" T_1, SIGNED_1_A, BODY_1, 0, BAD_HEADER),
    ROW("time with a fraction", SECRET_A, ID_1, T_1 ".0", SIGNED_1_A, BODY_1, 0, BAD_HEADER),
    ROW("time in words", SECRET_A, ID_1, "now", SIGNED_1_A, BODY_1, 0, BAD_HEADER),
    ROW("time beyond all", SECRET_A, ID_1, "99999999999999999999", SIGNED_1_A, BODY_1, 0, BAD_HEADER),
    ROW("signature absent", SECRET_A, ID_1, T_1, "", BODY_1, 0, BAD_HEADER),
#undef ROW
};

TEST(webhook_refuses_and_passes)
{
    for (size_t i = 0; i < FG_LEN(variations); i++) {
        const struct variation *v = &variations[i];
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
