/* The ways a callback is verified, one after the other: what must pass, what must not, and when a newer
 * key set is worth asking for. */
#include "t.h"

#include "io/json.h"
#include "provider/verify.h"
#include "unit/fal_vectors.h"
#include "unit/webhook_vectors.h"

/* What comes of one callback, at a time of its own. */
struct verdict {
    enum fg_code code;
    bool signed_out, stale_keys;
};

static struct verdict verdict_at(struct t_world *w, int64_t now_s, enum verify_way way,
                                 const struct verify_keys *keys, const struct callback_headers *h,
                                 struct fg_str body)
{
    struct verdict v = { .signed_out = true, .stale_keys = true };
    w->cx.now_us = now_s * FG_US_PER_S;
    v.code = callback_verify(&w->cx, way, keys, h, body, &v.signed_out, &v.stale_keys);
    return v;
}

#define CHECK_VERDICT(v, want_code, want_stale, why)                                        \
    do {                                                                                         \
        CHECK_I64((v).code, (want_code), (why));                                                 \
        CHECK((v).stale_keys == (want_stale), (why));                                            \
    } while (0)

/* ---- none ---- */

TEST(none_is_asked_for_none)
{
    struct t_world w;
    const struct verify_keys keys = { FG_LIT(SECRET_A), FG_LIT(FAL_JWKS), FG_NONE };
    const struct callback_headers h = { .webhook_signature = FG_LIT("v1,AAAA") };
    t_begin(&w);
    struct verdict v = verdict_at(&w, 0, VERIFY_NONE, &keys, &h, FG_LIT("{}"));
    CHECK_VERDICT(v, FG_OK, false, "nobody signs");
    CHECK(!v.signed_out, "so it is not signed");
    t_end(&w, 0);
}

/* ---- Standard Webhooks ---- */

static struct callback_headers standard(struct fg_str id, struct fg_str timestamp, struct fg_str signature)
{
    return (struct callback_headers){
        .webhook_id = id, .webhook_timestamp = timestamp, .webhook_signature = signature
    };
}

static const enum verify_way standard_ways[] = { VERIFY_STANDARD, VERIFY_STANDARD_IF_SECRET, VERIFY_GOOGLE };

TEST(standard_vectors_pass_by_each_way_that_knows_them)
{
    for (size_t i = 0; i < FG_LEN(webhook_vectors); i++)
        for (size_t k = 0; k < FG_LEN(standard_ways); k++) {
            const struct webhook_vector *v = &webhook_vectors[i];
            struct t_world w;
            t_begin(&w);
            const struct verify_keys keys = { .secrets = v->secret };
            struct callback_headers h =
                standard(v->id, arena_fmt(w.cx.mem, "%lld", (long long)v->at), v->want);
            struct verdict got = verdict_at(&w, v->at, standard_ways[k], &keys, &h, v->body);
            CHECK_VERDICT(got, FG_OK, false, "a vector");
            CHECK(got.signed_out, "signed");
            t_end(&w, 0);
        }
}

TEST(standard_variations)
{
    for (size_t i = 0; i < FG_LEN(webhook_variations); i++) {
        const struct webhook_variation *v = &webhook_variations[i];
        struct t_world w;
        t_begin(&w);
        const struct verify_keys keys = { .secrets = v->secrets };
        struct callback_headers h = standard(v->id, v->timestamp, v->signature);
        struct verdict got = verdict_at(&w, 1767225600 + v->late_s, VERIFY_STANDARD, &keys, &h, v->body);
        CHECK_VERDICT(got, v->want, false, v->why);
        CHECK(got.signed_out == (v->want == FG_OK), v->why);
        t_end(&w, 0);
    }
}

TEST(standard_if_secret_asks_once_there_is_one)
{
    static const struct {
        const char *why;
        struct fg_str secrets, signature;
        enum fg_code want;
        bool signed_out;
    } row[] = {
        { "no secret, no signature", { NULL, 0 }, { NULL, 0 }, FG_OK, false },
        { "no secret, any signature", TEXT(""), TEXT("v1,AAAA"), FG_OK, false },
        { "a secret, no signature", TEXT(SECRET_A), { NULL, 0 }, FG_BAD_HEADER, false },
        { "a secret, another's signature", TEXT(SECRET_A), TEXT(SIGNED_1_B), FG_BAD_SIGNATURE, false },
        { "a secret and its signature", TEXT(SECRET_A), TEXT(SIGNED_1_A), FG_OK, true },
        { "a secret that is none still asks", TEXT(" "), TEXT(SIGNED_1_A), FG_BAD_SIGNATURE, false },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        t_begin(&w);
        const struct verify_keys keys = { .secrets = row[i].secrets };
        struct callback_headers h = standard(FG_LIT(ID_1), FG_LIT(T_1), row[i].signature);
        struct verdict got =
            verdict_at(&w, 1767225600, VERIFY_STANDARD_IF_SECRET, &keys, &h, FG_LIT(BODY_1));
        CHECK_VERDICT(got, row[i].want, false, row[i].why);
        CHECK(got.signed_out == row[i].signed_out, row[i].why);
        t_end(&w, 0);
    }
}

/* ---- fal ---- */

static struct callback_headers fal_headers(const struct fal_vector *v)
{
    return (struct callback_headers){ .fal_request_id = v->id,
                                      .fal_user_id = v->user,
                                      .fal_timestamp = v->timestamp,
                                      .fal_signature = v->signature };
}

TEST(fal_vectors_pass)
{
    const struct verify_keys keys = { .jwks = FG_LIT(FAL_JWKS) };
    CHECK_I64(fal_vectors[0].body.n, 273, "as the first was made");
    CHECK_I64(fal_vectors[1].body.n, 264, "as the second was made");
    for (size_t i = 0; i < FG_LEN(fal_vectors); i++) {
        const struct fal_vector *v = &fal_vectors[i];
        struct callback_headers h = fal_headers(v);
        struct t_world w;
        t_begin(&w);
        struct verdict got = verdict_at(&w, v->at, VERIFY_FAL, &keys, &h, v->body);
        CHECK_VERDICT(got, FG_OK, false, v->id.p);
        CHECK(got.signed_out, v->id.p);
        t_end(&w, 0);
    }
}

TEST(fal_refuses_a_body_with_any_byte_changed)
{
    const struct fal_vector *v = &fal_vectors[0];
    const struct verify_keys keys = { .jwks = FG_LIT(FAL_JWKS) };
    struct callback_headers h = fal_headers(v);
    struct t_world w;
    t_begin(&w);
    char *p = arena_cstr(w.cx.mem, v->body);
    for (size_t i = 0; i < v->body.n; i++) {
        p[i] ^= 1;
        struct verdict got = verdict_at(&w, v->at, VERIFY_FAL, &keys, &h, (struct fg_str){ p, v->body.n });
        CHECK_VERDICT(got, FG_BAD_SIGNATURE, true, "one bit");
        CHECK(!got.signed_out, "one bit");
        p[i] ^= 1;
    }
    t_end(&w, 0);
}

#define X15(x) x x x x x x x x x x x x x x x
#define X16(x) X15(x) x
/* Variations of the first vector. */
static const struct fal_variation {
    const char *why;
    struct fg_str jwks, id, user, timestamp, signature;
    int64_t late_s;
    enum fg_code want;
    bool stale;
} fal_variations[] = {
#define ROW(why, jwks, id, user, at, sig, late, want, stale)                                   \
    { why, TEXT(jwks), TEXT(id), TEXT(user), TEXT(at), TEXT(sig), late, FG_##want, stale }
#define SET(keys) "{\"keys\":[" keys "]}"
#define WITH_SET(why, jwks, want, stale) \
    ROW(why, jwks, FAL_ID_1, FAL_USER_1, FAL_TIME_1, FAL_SIG_1, 0, want, stale)
#define OTHER_KEYS                                                                             \
    "7,null,{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"XCI4Yh"    \
    "YWq1yu7eZ0wt-tCke_Io1p3sa1_1n2thgFn08\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\"},{\"kty\":\"OKP\",\"crv\":"  \
    "\"Ed25519\",\"x\":\"XCI4\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"XCI4YhYWq1yu7eZ0wt+tCke/Io1p3sa1"  \
    "/1n2thgFn08\"},"
    WITH_SET("as it is", FAL_JWKS, OK, false),
    WITH_SET("its key last", SET(FAL_KEY_B "," FAL_KEY_A), OK, false),
    WITH_SET("keys of other kinds are passed over", SET(OTHER_KEYS FAL_KEY_A), OK, false),
    WITH_SET("the sixteenth key", SET(X16("null,") X15(FAL_KEY_B ",") FAL_KEY_A), OK, false),
    WITH_SET("after sixteen keys", SET(X16(FAL_KEY_B ",") FAL_KEY_A), BAD_SIGNATURE, true),
    WITH_SET("key B only", SET(FAL_KEY_B), BAD_SIGNATURE, true),
    WITH_SET("its key as another kind", SET("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"XCI4YhYWq1yu7eZ0wt-tCke_"
                                            "Io1p3sa1_1n2thgFn08\"}"), BAD_SIGNATURE, true),
    WITH_SET("its key among keys for curves", SET("{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"XCI4YhYWq1yu7eZ0wt-tCke_"
                                                  "Io1p3sa1_1n2thgFn08\"}"), BAD_SIGNATURE, true),
    WITH_SET("its key and a byte more", SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"XCI4YhYWq1yu7eZ0wt-tCke_"
                                            "Io1p3sa1_1n2thgFn08A\"}"), BAD_SIGNATURE, true),
    WITH_SET("no keys in the set", SET(""), BAD_SIGNATURE, true),
    WITH_SET("no set", "", BAD_SIGNATURE, true),
    WITH_SET("a set that is no JSON", "<html>", BAD_SIGNATURE, true),
    WITH_SET("a set of another form", "[" FAL_KEY_A "]", BAD_SIGNATURE, true),
    WITH_SET("keys that are no list", "{\"keys\":{\"a\":" FAL_KEY_A "}}", BAD_SIGNATURE, true),
#define WITH(why, id, user, at, sig, late, want, stale) ROW(why, FAL_JWKS, id, user, at, sig, late, want, stale)
    WITH("300 s late", FAL_ID_1, FAL_USER_1, FAL_TIME_1, FAL_SIG_1, 300, OK, false),
    WITH("300 s early", FAL_ID_1, FAL_USER_1, FAL_TIME_1, FAL_SIG_1, -300, OK, false),
    WITH("301 s late", FAL_ID_1, FAL_USER_1, FAL_TIME_1, FAL_SIG_1, 301, BAD_SIGNATURE, false),
    WITH("301 s early", FAL_ID_1, FAL_USER_1, FAL_TIME_1, FAL_SIG_1, -301, BAD_SIGNATURE, false),
    WITH("another time", FAL_ID_1, FAL_USER_1, "1767225601", FAL_SIG_1, 0, BAD_SIGNATURE, true),
    WITH("another request", "11111111-2222-3333-4444-555555555556", FAL_USER_1, FAL_TIME_1, FAL_SIG_1, 0,
         BAD_SIGNATURE, true),
    WITH("another user", FAL_ID_1, "user_2abcDEG", FAL_TIME_1, FAL_SIG_1, 0, BAD_SIGNATURE, true),
    WITH("127 digits", FAL_ID_1, FAL_USER_1, FAL_TIME_1,
         FAL_SIG_1_START "21f633c277322986835a2f94893979fb4db9cedba4b0410", 0, BAD_HEADER, false),
    WITH("126 digits", FAL_ID_1, FAL_USER_1, FAL_TIME_1,
         FAL_SIG_1_START "21f633c277322986835a2f94893979fb4db9cedba4b041", 0, BAD_HEADER, false),
    WITH("130 digits", FAL_ID_1, FAL_USER_1, FAL_TIME_1, FAL_SIG_1 "00", 0, BAD_HEADER, false),
    WITH("a digit that is none", FAL_ID_1, FAL_USER_1, FAL_TIME_1,
         FAL_SIG_1_START "21F633C277322986835a2f94893979fb4db9cedba4b0410G", 0, BAD_HEADER, false),
    WITH("the signature's last bit", FAL_ID_1, FAL_USER_1, FAL_TIME_1,
         FAL_SIG_1_START "21f633c277322986835a2f94893979fb4db9cedba4b04107", 0, BAD_SIGNATURE, true),
    WITH("signature empty", FAL_ID_1, FAL_USER_1, FAL_TIME_1, "", 0, BAD_HEADER, false),
    WITH("request empty", "", FAL_USER_1, FAL_TIME_1, FAL_SIG_1, 0, BAD_HEADER, false),
    WITH("user empty", FAL_ID_1, "", FAL_TIME_1, FAL_SIG_1, 0, BAD_HEADER, false),
    WITH("time empty", FAL_ID_1, FAL_USER_1, "", FAL_SIG_1, 0, BAD_HEADER, false),
    WITH("time with a sign", FAL_ID_1, FAL_USER_1, "+" FAL_TIME_1, FAL_SIG_1, 0, BAD_HEADER, false),
    WITH("time with a zero", FAL_ID_1, FAL_USER_1, "0" FAL_TIME_1, FAL_SIG_1, 0, BAD_HEADER, false),
    WITH("time beyond all", FAL_ID_1, FAL_USER_1, "9223372036854775808", FAL_SIG_1, 0, BAD_HEADER, false),
    WITH("a line feed moves the border", FAL_ID_1 "\n" FAL_USER_1, FAL_TIME_1, FAL_TIME_1, FAL_SIG_1, 0,
         BAD_HEADER, false),
    WITH("a line feed in the user", FAL_ID_1, FAL_USER_1 "\n", FAL_TIME_1, FAL_SIG_1, 0, BAD_HEADER, false),
    WITH("a NUL in the user", FAL_ID_1, FAL_USER_1 "\0", FAL_TIME_1, FAL_SIG_1, 0, BAD_HEADER, false),
    WITH("a request of 257 bytes", X16("0123456789abcdef") "0", FAL_USER_1, FAL_TIME_1, FAL_SIG_1, 0,
         BAD_HEADER, false),
    WITH("a request of 256 bytes", X16("0123456789abcdef"), FAL_USER_1, FAL_TIME_1, FAL_SIG_1, 0,
         BAD_SIGNATURE, true),
#undef WITH
#undef WITH_SET
#undef ROW
};

TEST(fal_variations)
{
    for (size_t i = 0; i < FG_LEN(fal_variations); i++) {
        const struct fal_variation *v = &fal_variations[i];
        const struct verify_keys keys = { .jwks = v->jwks };
        const struct callback_headers h = { .fal_request_id = v->id,
                                            .fal_user_id = v->user,
                                            .fal_timestamp = v->timestamp,
                                            .fal_signature = v->signature };
        struct t_world w;
        t_begin(&w);
        struct verdict got =
            verdict_at(&w, 1767225600 + v->late_s, VERIFY_FAL, &keys, &h, FG_LIT(FAL_BODY_1));
        CHECK_VERDICT(got, v->want, v->stale, v->why);
        CHECK(got.signed_out == (v->want == FG_OK), v->why);
        t_end(&w, 0);
    }
}

TEST(fal_wants_all_four_headers)
{
    struct callback_headers h;
    struct fg_str *const each[] = { &h.fal_request_id, &h.fal_user_id, &h.fal_timestamp, &h.fal_signature };
    const struct verify_keys keys = { .jwks = FG_LIT(FAL_JWKS) };
    for (size_t i = 0; i < FG_LEN(each); i++) {
        struct t_world w;
        t_begin(&w);
        h = fal_headers(&fal_vectors[0]);
        *each[i] = FG_NONE;
        struct verdict got = verdict_at(&w, 1767225600, VERIFY_FAL, &keys, &h, FG_LIT(FAL_BODY_1));
        CHECK_VERDICT(got, FG_BAD_HEADER, false, "one is absent");
        t_end(&w, 0);
    }
}

/* ---- Google ---- */

/* tests/data/rsa.json, made by rsa.mjs beside it: tokens of 1767225600 that live 600 s, by two keys. */
struct rsa_data {
    const struct js *tokens;
    struct fg_str jwks;
};

static struct rsa_data rsa_data(struct fg_ctx *cx)
{
    const struct js *data;
    CHECK_CODE(cx, js_parse(cx, t_file(cx, "tests/data/rsa.json"), &data), FG_OK);
    struct sb b = sb_in(cx->mem, 8 * FG_KIB);
    js_write(&b, js_get(data, "jwks"));
    CHECK(!b.bad, "data");
    return (struct rsa_data){ js_get(data, "tokens"), sb_str(&b) };
}

static struct fg_str token_named(const struct rsa_data *d, const char *name)
{
    struct fg_str t;
    CHECK(js_str(js_get(d->tokens, name), &t), name);
    return t;
}

TEST(google_tokens)
{
    static const struct {
        const char *token, *why;
        struct fg_str audience;
        int64_t late_s;
        enum fg_code want;
        bool stale;
    } row[] = {
#define ANY { NULL, 0 }
#define US TEXT("filmgate-test")
        { "good", "as it is", ANY, 0, FG_OK, false },
        { "good", "for us", US, 0, FG_OK, false },
        { "good", "for another", TEXT("filmgate"), 0, FG_BAD_SIGNATURE, false },
        { "good", "300 s after its end", US, 900, FG_OK, false },
        { "good", "301 s after its end", US, 901, FG_BAD_SIGNATURE, false },
        { "good", "300 s before it was made", US, -300, FG_OK, false },
        { "good", "301 s before it was made", US, -301, FG_BAD_SIGNATURE, false },
        { "second_key", "the second key", US, 0, FG_OK, false },
        { "aud_list", "for us among others", US, 0, FG_OK, false },
        { "aud_list", "for others among others", TEXT("third"), 0, FG_BAD_SIGNATURE, false },
        { "no_aud", "nobody asks for whom", ANY, 0, FG_OK, false },
        { "no_aud", "for nobody", US, 0, FG_BAD_SIGNATURE, false },
        { "far_times", "times at the ends of time", ANY, 0, FG_OK, false },
        { "nbf_600", "valid in 600 s", US, 0, FG_BAD_SIGNATURE, false },
        { "nbf_600", "valid in 300 s", US, 300, FG_OK, false },
        { "nbf_600", "valid in 301 s", US, 299, FG_BAD_SIGNATURE, false },
        { "iat_600", "made in 600 s", US, 0, FG_BAD_SIGNATURE, false },
        { "iat_600", "made in 300 s", US, 300, FG_OK, false },
        { "no_exp", "lives for ever", US, 0, FG_BAD_HEADER, false },
        { "exp_text", "its end in letters", US, 0, FG_BAD_HEADER, false },
        { "kid_of_other", "another key's name", US, 0, FG_BAD_SIGNATURE, false },
        { "kid_unknown", "a key that the set does not have", US, 0, FG_BAD_SIGNATURE, true },
        { "kid_unknown", "the same, too late to care", US, 901, FG_BAD_SIGNATURE, false },
        { "key_unknown", "forged under a name of the set", US, 0, FG_BAD_SIGNATURE, false },
        { "no_kid", "names no key", US, 0, FG_BAD_HEADER, false },
        { "crit", "asks for what we do not know", US, 0, FG_BAD_SIGNATURE, false },
        { "claims_swapped", "other claims", US, 0, FG_BAD_SIGNATURE, false },
        { "head_swapped", "another head", US, 0, FG_BAD_SIGNATURE, false },
        { "none", "alg none", US, 0, FG_BAD_HEADER, false },
        { "none_signed", "alg none with a right signature", US, 0, FG_BAD_SIGNATURE, false },
        { "no_alg", "no alg with a right signature", US, 0, FG_BAD_SIGNATURE, false },
        { "hs256", "HS256 by the public key", US, 0, FG_BAD_SIGNATURE, false },
        { "rs512", "RS512", US, 0, FG_BAD_SIGNATURE, false },
        { "ps256", "PSS under the name of RS256", US, 0, FG_BAD_SIGNATURE, false },
#undef ANY
#undef US
    };
    struct t_world w;
    t_begin(&w);
    struct rsa_data data = rsa_data(&w.cx);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        const struct verify_keys keys = { .jwks = data.jwks, .audience = row[i].audience };
        const struct callback_headers h = { .webhook_signature = token_named(&data, row[i].token) };
        struct verdict got = verdict_at(&w, 1767225600 + row[i].late_s, VERIFY_GOOGLE, &keys, &h, FG_NONE);
        CHECK_VERDICT(got, row[i].want, row[i].stale, row[i].why);
        CHECK(got.signed_out == (row[i].want == FG_OK), row[i].why);
    }
    t_end(&w, 0);
}

/* The good token with the set changed in one place. */
TEST(google_key_sets)
{
    static const struct {
        const char *from, *to, *why;
        enum fg_code want;
        bool stale;
    } row[] = {
        { "\"alg\":\"RS256\",", "", "alg need not be there", FG_OK, false },
        { "\"use\":\"sig\",", "", "nor use", FG_OK, false },
        { "\"alg\":\"RS256\"", "\"alg\":\"RS512\"", "a key for another algorithm", FG_BAD_SIGNATURE, true },
        { "\"use\":\"sig\"", "\"use\":\"enc\"", "a key for another use", FG_BAD_SIGNATURE, true },
        { "\"kty\":\"RSA\"", "\"kty\":\"oct\"", "a key of another kind", FG_BAD_SIGNATURE, true },
        { "\"kid\":\"fg-1\"", "\"kid\":\"fg-10\"", "another name", FG_BAD_SIGNATURE, true },
        { "\"kid\":\"fg-1\"", "\"kid\":1", "a name that is no text", FG_BAD_SIGNATURE, true },
        { "\"e\":\"AQAB\"", "\"e\":\"AQAC\"", "an even exponent", FG_BAD_SIGNATURE, false },
        { "\"e\":\"AQAB\"", "\"e\":7", "an exponent that is no text", FG_BAD_SIGNATURE, true },
        { "\"keys\"", "\"key\"", "no keys", FG_BAD_SIGNATURE, true },
    };
    struct t_world w;
    t_begin(&w);
    struct rsa_data data = rsa_data(&w.cx);
    const struct callback_headers h = { .webhook_signature = token_named(&data, "good") };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        const char *set = arena_cstr(w.cx.mem, data.jwks), *at = strstr(set, row[i].from);
        CHECK(at != NULL, row[i].why);
        const struct verify_keys keys = {
            .jwks = arena_fmt(w.cx.mem, "%.*s%s%s", (int)(at - set), set, row[i].to, at + strlen(row[i].from))
        };
        struct verdict got = verdict_at(&w, 1767225600, VERIFY_GOOGLE, &keys, &h, FG_NONE);
        CHECK_VERDICT(got, row[i].want, row[i].stale, row[i].why);
        CHECK(got.signed_out == (row[i].want == FG_OK), row[i].why);
    }
    const struct verify_keys none = { .secrets = FG_LIT(SECRET_A) };
    struct verdict got = verdict_at(&w, 1767225600, VERIFY_GOOGLE, &none, &h, FG_NONE);
    CHECK_VERDICT(got, FG_BAD_SIGNATURE, true, "no set yet");
    t_end(&w, 0);
}

TEST(google_refuses_what_is_no_token)
{
    static const struct fg_str wrong[] = {
        { NULL, 0 }, TEXT(""), TEXT("."), TEXT(".."), TEXT("..."), TEXT("a.b"), TEXT("e30.e30.AAAA"),
        TEXT("e30.e30.AAAA.AAAA"), TEXT("W10.W10.AAAA"), TEXT("{}.{}.AAAA"), TEXT("e30=.e30=.AAAA"),
        TEXT("eyJraWQiOiJmZy0xIiwiYWxnIjoiUlMyNTYifQ.e30."),
        TEXT("eyJraWQiOiJmZy0xIiwiYWxnIjoiUlMyNTYifQ.e30.A"),
        TEXT("eyJraWQiOiJmZy0xIiwiYWxnIjoiUlMyNTYifQ.e30.AAAA"),
        TEXT("eyJraWQiOiJmZy0xIiwia2lkIjoiZmctMiIsImFsZyI6IlJTMjU2In0.e30.AAAA"), /* kid twice */
    };
    struct t_world w;
    t_begin(&w);
    struct rsa_data data = rsa_data(&w.cx);
    const struct verify_keys keys = { .jwks = data.jwks };
    for (size_t i = 0; i < FG_LEN(wrong); i++) {
        const struct callback_headers h = { .webhook_signature = wrong[i] };
        struct verdict got = verdict_at(&w, 1767225600, VERIFY_GOOGLE, &keys, &h, FG_NONE);
        CHECK_VERDICT(got, FG_BAD_HEADER, false, wrong[i].p);
    }
    struct fg_str good = token_named(&data, "good");
    char *longer = arena_get(w.cx.mem, 4098);
    memset(longer, 'A', 4097);
    memcpy(longer, good.p, good.n);
    const struct callback_headers h = { .webhook_signature = { longer, 4097 } };
    struct verdict got = verdict_at(&w, 1767225600, VERIFY_GOOGLE, &keys, &h, FG_NONE);
    CHECK_VERDICT(got, FG_BAD_HEADER, false, "too long");
    t_end(&w, 0);
}

/* The key set is no help to a "v1,…" and the secrets are none to a token. */
TEST(google_chooses_by_the_header)
{
    struct t_world w;
    t_begin(&w);
    struct rsa_data data = rsa_data(&w.cx);
    struct callback_headers h = standard(FG_LIT(ID_1), FG_LIT(T_1), FG_LIT(SIGNED_1_A));
    const struct verify_keys both = { FG_LIT(SECRET_A), data.jwks, FG_NONE };
    const struct verify_keys set_only = { .jwks = data.jwks };
    struct verdict got = verdict_at(&w, 1767225600, VERIFY_GOOGLE, &both, &h, FG_LIT(BODY_1));
    CHECK_VERDICT(got, FG_OK, false, "v1 with a secret");
    got = verdict_at(&w, 1767225600, VERIFY_GOOGLE, &both, &h, FG_LIT("{}"));
    CHECK_VERDICT(got, FG_BAD_SIGNATURE, false, "v1 covers the body");
    got = verdict_at(&w, 1767225600, VERIFY_GOOGLE, &set_only, &h, FG_LIT(BODY_1));
    CHECK_VERDICT(got, FG_BAD_SIGNATURE, false, "v1 without a secret");
    h.webhook_signature = token_named(&data, "good");
    got = verdict_at(&w, 1767225600, VERIFY_GOOGLE, &both, &h, FG_LIT(BODY_1));
    CHECK_VERDICT(got, FG_OK, false, "a token beside a secret");
    got = verdict_at(&w, 1767225600, VERIFY_STANDARD, &both, &h, FG_LIT(BODY_1));
    CHECK_VERDICT(got, FG_BAD_SIGNATURE, false, "a token where only v1 counts");
    t_end(&w, 0);
}
