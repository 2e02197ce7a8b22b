/* Published examples of Signature Version 4: AWS's test suite, and those of the S3 manual (its secret and signatures are
 * in print; they open nothing). */
#include "t.h"

#include "base/time.h"
#include "io/sigv4.h"

#define TEXT(s) { "" s, sizeof(s) - 1 }
#define NO_PAIR { { { 0 }, { 0 } } }
#define DATED TEXT("host;x-amz-date")

static const struct sigv4_key suite_key = {
    TEXT("AKIDEXAMPLE"), TEXT("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), TEXT("us-east-1"), TEXT("service")
};
static const struct sigv4_key manual_key = {
    TEXT("AKIAIOSFODNN7EXAMPLE"), TEXT("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), TEXT("us-east-1"), TEXT("s3")
};

static int64_t at(const char *iso)
{
    int64_t us = 0;
    CHECK(time_parse_iso(fg_str_c(iso), &us), iso);
    return us;
}

static struct fg_str end_of(struct fg_str s, const char *after)
{
    const char *p = strstr(s.p, after);
    CHECK(p != NULL, after);
    return fg_str_c(p + strlen(after));
}

TEST(the_suite_of_examples)
{
    static const struct {
        const char *name, *method;
        struct fg_str path;
        struct sigv4_pair param[2], header[1];
        struct fg_str body, names, want;
    } row[] = {
        { "get-vanilla", "GET", TEXT("/"), NO_PAIR, NO_PAIR, { 0 }, DATED,
          TEXT("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31") },
        { "get-vanilla-query-order-key-case", "GET", TEXT("/"),
          { { TEXT("Param2"), TEXT("value2") }, { TEXT("Param1"), TEXT("value1") } }, NO_PAIR, { 0 }, DATED,
          TEXT("b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500") },
        { "get-vanilla-empty-query-key", "GET", TEXT("/"), { { TEXT("Param1"), TEXT("value1") } }, NO_PAIR,
          { 0 }, DATED, TEXT("a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb") },
        { "get-vanilla-utf8-query", "GET", TEXT("/"), { { TEXT("\xe1\x88\xb4"), TEXT("bar") } }, NO_PAIR,
          { 0 }, DATED, TEXT("2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04") },
        { "get-unreserved", "GET", TEXT("/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
          NO_PAIR, NO_PAIR, { 0 }, DATED,
          TEXT("07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f") },
        { "get-utf8", "GET", TEXT("/\xe1\x88\xb4"), NO_PAIR, NO_PAIR, { 0 }, DATED,
          TEXT("8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85") },
        { "post-vanilla", "POST", TEXT("/"), NO_PAIR, NO_PAIR, { 0 }, DATED,
          TEXT("5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b") },
        { "post-vanilla-query", "POST", TEXT("/"), { { TEXT("Param1"), TEXT("value1") } }, NO_PAIR, { 0 },
          DATED, TEXT("28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11") },
        { "post-header-key-sort", "POST", TEXT("/"), NO_PAIR, { { TEXT("my-header1"), TEXT("value1") } },
          { 0 }, TEXT("host;my-header1;x-amz-date"),
          TEXT("c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c") },
        { "post-header-value-case", "POST", TEXT("/"), NO_PAIR, { { TEXT("my-header1"), TEXT("VALUE1") } },
          { 0 }, TEXT("host;my-header1;x-amz-date"),
          TEXT("cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d") },
        { "post-x-www-form-urlencoded", "POST", TEXT("/"), NO_PAIR,
          { { TEXT("content-type"), TEXT("application/x-www-form-urlencoded") } }, TEXT("Param1=value1"),
          TEXT("content-type;host;x-amz-date"),
          TEXT("ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a") },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct sigv4_call c = { .method = row[i].method, .host = FG_LIT("example.amazonaws.com"), .path = row[i].path };
        struct sigv4_proof proof;
        uint8_t sha[HASH_LEN];
        for (size_t k = 0; k < FG_LEN(row[i].param) && row[i].param[k].name.p; k++)
            sigv4_param(&c, row[i].param[k].name, row[i].param[k].value);
        if (row[i].header[0].name.p)
            sigv4_header(&c, row[i].header[0].name, row[i].header[0].value);
        hash_sha256(row[i].body, sha);
        sigv4_sign(&w.cx, &suite_key, &c, hash_hex(w.cx.mem, sha, sizeof sha), at("2015-08-30T12:36:00Z"), &proof);
        CHECK_IS(proof.date, "20150830T123600Z", row[i].name);
        CHECK_STR(proof.authorization,
                  arena_fmt(w.cx.mem,
                            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                            "SignedHeaders=%.*s, Signature=%.*s",
                            FG_P(row[i].names), FG_P(row[i].want)),
                  row[i].name);
    }
    t_end(&w, 0);
}

TEST(the_examples_of_the_manual)
{
    static const struct {
        const char *name, *method;
        struct fg_str path;
        struct sigv4_pair param[2], header[3];
        struct fg_str body, target, want;
    } row[] = {
        { "get object", "GET", TEXT("/test.txt"), NO_PAIR, { { TEXT("range"), TEXT("bytes=0-9") } }, { 0 },
          TEXT("/test.txt"), TEXT("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41") },
        { "put object", "PUT", TEXT("/test$file.text"), NO_PAIR,
          { { TEXT("date"), TEXT("Fri, 24 May 2013 00:00:00 GMT") },
            { TEXT("x-amz-storage-class"), TEXT("REDUCED_REDUNDANCY") } },
          TEXT("Welcome to Amazon S3."), TEXT("/test%24file.text"),
          TEXT("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd") },
        { "get bucket lifecycle", "GET", TEXT("/"), { { TEXT("lifecycle"), TEXT("") } }, NO_PAIR, { 0 },
          TEXT("/?lifecycle="), TEXT("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543") },
        { "list objects", "GET", TEXT("/"), { { TEXT("prefix"), TEXT("J") }, { TEXT("max-keys"), TEXT("2") } },
          NO_PAIR, { 0 }, TEXT("/?max-keys=2&prefix=J"),
          TEXT("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7") },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct sigv4_call c = { .method = row[i].method, .host = FG_LIT("examplebucket.s3.amazonaws.com"),
                                .path = row[i].path };
        struct sigv4_proof proof;
        uint8_t sha[HASH_LEN];
        hash_sha256(row[i].body, sha);
        struct fg_str payload = hash_hex(w.cx.mem, sha, sizeof sha);
        for (size_t k = 0; k < FG_LEN(row[i].param) && row[i].param[k].name.p; k++)
            sigv4_param(&c, row[i].param[k].name, row[i].param[k].value);
        for (size_t k = 0; k < FG_LEN(row[i].header) && row[i].header[k].name.p; k++)
            sigv4_header(&c, row[i].header[k].name, row[i].header[k].value);
        sigv4_header(&c, FG_LIT("x-amz-content-sha256"), payload);
        sigv4_sign(&w.cx, &manual_key, &c, payload, at("2013-05-24T00:00:00Z"), &proof);
        CHECK_STR(end_of(proof.authorization, "Signature="), row[i].want, row[i].name);
        CHECK_STR(sigv4_target(&w.cx, &c), row[i].target, row[i].name);
    }
    t_end(&w, 0);
}

TEST(the_manuals_link)
{
    struct t_world w;
    t_begin(&w);
    struct sigv4_call c = { .method = "GET", .host = FG_LIT("examplebucket.s3.amazonaws.com"), .path = FG_LIT("/test.txt") };
    CHECK_IS(sigv4_presign(&w.cx, &manual_key, &c, at("2013-05-24T00:00:00Z"), 86400),
             "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
             "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
             "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
             "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
             "all of it");
    c.method = "HEAD";
    CHECK(!strstr(sigv4_presign(&w.cx, &manual_key, &c, at("2013-05-24T00:00:00Z"), 86400).p, "aeeed9bb"),
          "another method, another signature");
    t_end(&w, 0);
}
