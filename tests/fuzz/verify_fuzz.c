/* A callback with a right signature of which one part is replaced by whatever comes: it must not count as signed any
 * more, unless that part is not covered or means the same. And with the key set replaced: whatever the set is, the
 * answer is one of three codes and the flags agree with it.
 *
 * Input: one byte for the way, one for the part, and what takes its place. From the top of the tree:
 *   clang-14 -std=c17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
 *       -fno-sanitize-recover=all -Icore -Itests tests/fuzz/verify_fuzz.c core/provider/verify.c \
 *       core/io/hash{,_sign}.c core/io/json{,_scan,_write}.c core/base/{arena,err,sb,scan,str,time,utf8}.c \
 *       -ljson-c -lb2 -lcrypto -lm -o build/verify_fuzz
 *   build/verify_fuzz -max_total_time=60 -max_len=2048 */
#include <stdio.h>

#include "base/arena.h"
#include "io/json.h"
#include "provider/verify.h"
#include "unit/fal_vectors.h"
#include "unit/webhook_vectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_S INT64_C(1767225600)

struct callback {
    enum verify_way way;
    struct verify_keys keys;
    struct callback_headers h;
    struct fg_str body;
};

enum part { PART_ID, PART_TIME, PART_SIGNATURE, PART_BODY, PART_USER, PART_SECRETS, PART_JWKS, PART_AUDIENCE };
#define PART_N (PART_AUDIENCE + 1)

static void google(struct fg_ctx *cx, struct callback *c)
{
    static char text[64 * 1024];
    static size_t n;
    if (n == 0) {
        FILE *f = fopen("tests/data/rsa.json", "re");
        if (!f || (n = fread(text, 1, sizeof text, f)) == 0)
            abort();
        fclose(f);
    }
    const struct js *all;
    struct sb jwks = sb_in(cx->mem, FG_MIB);
    if (js_parse(cx, (struct fg_str){ text, n }, &all) != FG_OK ||
        !js_str(js_get(js_get(all, "tokens"), "good"), &c->h.webhook_signature))
        abort();
    js_write(&jwks, js_get(all, "jwks"));
    c->keys.jwks = sb_str(&jwks);
    c->keys.audience = FG_LIT("filmgate-test");
}

static struct callback right(struct fg_ctx *cx, enum verify_way way)
{
    struct callback c = { .way = way, .keys.secrets = FG_LIT(SECRET_A), .body = FG_LIT(BODY_1) };
    if (way == VERIFY_FAL) {
        c.keys.jwks = FG_LIT(FAL_JWKS);
        c.h = (struct callback_headers){ .fal_request_id = FG_LIT(FAL_ID_1),
                                         .fal_user_id = FG_LIT(FAL_USER_1),
                                         .fal_timestamp = FG_LIT(FAL_TIME_1),
                                         .fal_signature = FG_LIT(FAL_SIG_1) };
        c.body = FG_LIT(FAL_BODY_1);
    } else if (way == VERIFY_GOOGLE) {
        google(cx, &c);
    } else {
        c.h.webhook_id = FG_LIT(ID_1);
        c.h.webhook_timestamp = FG_LIT(T_1);
        c.h.webhook_signature = FG_LIT(SIGNED_1_A);
    }
    return c;
}

static struct fg_str *part_of(struct callback *c, enum part part)
{
    bool fal = c->way == VERIFY_FAL;
    switch (part) {
    case PART_ID: return fal ? &c->h.fal_request_id : &c->h.webhook_id;
    case PART_TIME: return fal ? &c->h.fal_timestamp : &c->h.webhook_timestamp;
    case PART_SIGNATURE: return fal ? &c->h.fal_signature : &c->h.webhook_signature;
    case PART_BODY: return &c->body;
    case PART_USER: return &c->h.fal_user_id;
    case PART_SECRETS: return &c->keys.secrets;
    case PART_JWKS: return &c->keys.jwks;
    case PART_AUDIENCE: return &c->keys.audience;
    }
    abort();
}

/* The right signature among elements that do not count. */
static bool has_element(struct fg_str header, struct fg_str want)
{
    return header.n >= want.n && memmem(header.p, header.n, want.p, want.n);
}

static bool may_pass(enum verify_way way, enum part part, struct fg_str before, struct fg_str now)
{
    if (fg_eq(before, now))
        return true;
    switch (part) {
    case PART_SIGNATURE:
        return way == VERIFY_FAL ? fg_eq_nocase(before, now)
                                 : way != VERIFY_GOOGLE && has_element(now, before);
    case PART_ID:
    case PART_TIME:
    case PART_BODY: return way == VERIFY_GOOGLE; /* no part of a token */
    case PART_USER: return way != VERIFY_FAL;
    case PART_SECRETS: return true; /* spaces, other secrets; for other ways it is not looked at */
    case PART_JWKS: return true;
    case PART_AUDIENCE: return way != VERIFY_GOOGLE || now.n == 0;
    }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum verify_way ways[] = { VERIFY_STANDARD, VERIFY_STANDARD_IF_SECRET, VERIFY_FAL,
                                            VERIFY_GOOGLE };
    if (size < 2)
        return 0;
    struct fg_ctx cx = { .mem = arena_new(), .now_us = NOW_S * FG_US_PER_S };
    struct callback c = right(&cx, ways[data[0] % FG_LEN(ways)]);
    enum part part = (enum part)(data[1] % PART_N);
    struct fg_str *at = part_of(&c, part), before = *at;
    *at = (struct fg_str){ (const char *)data + 2, size - 2 };
    bool unsigned_way = c.way == VERIFY_STANDARD_IF_SECRET && c.keys.secrets.n == 0;
    bool signed_out, stale;
    enum fg_code rc = callback_verify(&cx, c.way, &c.keys, &c.h, c.body, &signed_out, &stale);
    if (rc != FG_OK && rc != FG_BAD_HEADER && rc != FG_BAD_SIGNATURE)
        abort();
    if (signed_out != (rc == FG_OK && !unsigned_way) || (stale && rc != FG_BAD_SIGNATURE))
        abort();
    if (signed_out && !may_pass(c.way, part, before, *at))
        abort();
    arena_free(cx.mem);
    return 0;
}
