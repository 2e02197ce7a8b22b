/* A customer's server on loopback, in a thread: it keeps every webhook that comes, and answers each path as it is told. */
#ifndef FG_TESTS_FAKE_RECEIVER_H
#define FG_TESTS_FAKE_RECEIVER_H

#include "base/ctx.h"

#define RECEIVER_TEXT_MAX 16384

struct heard {
    char path[32], type[64];
    char id[64], timestamp[24], signature[512]; /* of the headers; "" when absent or there twice */
    char body[RECEIVER_TEXT_MAX];
};

struct receiver;

struct receiver *receiver_new(void);
void receiver_free(struct receiver *r);
/* "http://127.0.0.1:PORT", as long as it lives. */
const char *receiver_origin(const struct receiver *r);

/* From now on, of that path ("/a"). status 0: the answer waits for receiver_release, and is then 204. head: header
 * lines, each with its CRLF. Without this: 204. */
void receiver_say(struct receiver *r, const char *path, int status, const char *head, const char *body);
void receiver_release(struct receiver *r);

/* How many came to that path (NULL: to any), held ones too; and the i-th of them. */
unsigned receiver_n(struct receiver *r, const char *path);
struct heard receiver_get(struct receiver *r, const char *path, unsigned i);
/* It has heard nothing yet. */
void receiver_forget(struct receiver *r);
unsigned receiver_held(struct receiver *r);

#endif
