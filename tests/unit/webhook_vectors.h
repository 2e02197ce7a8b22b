/* Standard Webhooks: signatures that must be accepted, and variations of the first. Each was computed with
 * node 'crypto' and gave the same with openssl and with npm standardwebhooks 1.1.1; the one of msg_p5jX…
 * is Svix's own. */
#ifndef FG_TESTS_WEBHOOK_VECTORS_H
#define FG_TESTS_WEBHOOK_VECTORS_H

#include "base/ctx.h"

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

static const struct webhook_vector {
    struct fg_str secret, id;
    int64_t at;
    struct fg_str body, want;
} webhook_vectors[] = {
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

#define SPACED_1                                                                               \
    "{\"type\": \"video.succeeded\", \"timestamp\": \"2026-01-01T00:00:00Z\", \"data\": {\"id\": "   \
    "\"job_01\", \"status\": \"succeeded\"}}"
#define T_1 "1767225600"
#define CUT_1_A "v1,fscKTpjtoSLAXTW1bPY9wQVnai8YJTyQEOAHNpDTFNo"
#define ELEMENTS_15 "v1, v1, v1, v1, v1, v1, v1, v1, v1, v1, v1, v1, v1, v1, v1, "

/* Variations of the first vector. */
static const struct webhook_variation {
    const char *why;
    struct fg_str secrets, id, timestamp, signature, body;
    int64_t late_s;
    enum fg_code want;
} webhook_variations[] = {
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

#endif
