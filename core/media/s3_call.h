/* What the files behind media/s3.h share: one signed request, repeated when that may help. */
#ifndef FG_MEDIA_S3_CALL_H
#define FG_MEDIA_S3_CALL_H

#include "io/sigv4.h"
#include "media/s3.h"

#define S3_ASK_PAIRS_MAX 4

struct s3_ask {
    const char *method;
    struct fg_str key;                         /* FG_NONE: the bucket itself */
    struct sigv4_pair param[S3_ASK_PAIRS_MAX];
    unsigned param_n;
    struct sigv4_pair header[S3_ASK_PAIRS_MAX]; /* names in lower case */
    unsigned header_n;
    struct fg_str body;                        /* or, when p is NULL, … */
    int body_fd;                               /* …this part of a file; -1: no body */
    int64_t body_at, body_n;
    int to_fd;                                 /* -1: the reply is kept in memory */
    int64_t to_at, max_bytes;                  /* where in the file it goes */
};

struct s3_op;
typedef void s3_heard(struct s3_op *op, const struct fetch_reply *r);

/* One operation: requests one after the other. Lives in cx's arena. */
struct s3_op {
    struct fg_ctx *cx;
    const struct store *st;
    store_done *done;
    void *arg;
    struct arena *scratch; /* of one request */
    struct s3_ask ask;
    s3_heard *heard;
    struct fg_str payload; /* SHA-256 of its body, in hex */
    int tries, spare;
};

struct s3_op s3_op(struct fg_ctx *cx, const struct store *st, store_done *done, void *arg);
struct s3_ask s3_ask(const char *method, struct fg_str key);
void s3_param(struct s3_ask *a, struct fg_str name, struct fg_str value);
void s3_header(struct s3_ask *a, struct fg_str name, struct fg_str value);

/* Sends it; heard gets the first answer that would not be better for asking again, or the last. Texts of the ask must live
 * until then. */
void s3_send(struct s3_op *op, const struct s3_ask *a, s3_heard *heard);
/* An answer of that status, and no error in its body. */
bool s3_is(const struct fetch_reply *r, int status);
/* The error that the answer is, in cx->err: FG_IO. */
enum fg_code s3_failed(struct s3_op *op, const struct fetch_reply *r);
/* "https", "host[:port]" and the path before the key. */
struct s3_place {
    struct fg_str scheme, host, path;
};
struct s3_place s3_place(struct fg_ctx *cx, const struct conf *conf);
struct sigv4_key s3_key(const struct conf *conf);

#endif
