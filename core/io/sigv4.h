/* AWS Signature Version 4 as S3 wants it: paths are encoded once and never tidied. No I/O: what is to be sent goes in,
 * what proves it comes out. */
#ifndef FG_IO_SIGV4_H
#define FG_IO_SIGV4_H

#include "io/hash.h"

#define SIGV4_PAIRS_MAX 16
#define SIGV4_TTL_MAX_S (INT64_C(7) * 86400)

struct sigv4_key {
    struct fg_str access, secret, region, service;
};

struct sigv4_pair {
    struct fg_str name, value;
};

struct sigv4_call {
    const char *method;
    struct fg_str host;                        /* as the Host header says it */
    struct fg_str path;                        /* "/bucket/key", not encoded */
    struct sigv4_pair param[SIGV4_PAIRS_MAX];  /* of the query, not encoded, in any order */
    unsigned param_n;
    struct sigv4_pair header[SIGV4_PAIRS_MAX]; /* to be signed besides Host and X-Amz-Date: each name once, in lower
                                                  case; the value without spaces around it or twice inside */
    unsigned header_n;
};

/* FG_ASSERT that there is room. */
void sigv4_param(struct sigv4_call *c, struct fg_str name, struct fg_str value);
void sigv4_header(struct sigv4_call *c, struct fg_str name, struct fg_str value);

/* Path and query as they must be sent: "/bucket/a%20b?prefix=x". */
struct fg_str sigv4_target(struct fg_ctx *cx, const struct sigv4_call *c);

struct sigv4_proof {
    struct fg_str date, authorization; /* the headers X-Amz-Date and Authorization */
};
/* payload: SHA-256 of the body in hex, or what the service takes instead ("UNSIGNED-PAYLOAD"). */
void sigv4_sign(struct fg_ctx *cx, const struct sigv4_key *key, const struct sigv4_call *c, struct fg_str payload,
                int64_t at_us, struct sigv4_proof *out);
/* A link: path and query with the signature in it. Whoever has it may do this one call for ttl_s from at_us on
 * (at most SIGV4_TTL_MAX_S), body as they like. */
struct fg_str sigv4_presign(struct fg_ctx *cx, const struct sigv4_key *key, const struct sigv4_call *c, int64_t at_us,
                            int64_t ttl_s);

#endif
