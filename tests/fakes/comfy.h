/* What our adapter asks of a ComfyUI server, a picture to hand to it, and a set of public keys that is nobody's, without
 * the connections: requests in, bodies out. It runs one workflow after the other, each at once, unless it is stuck: then each runs until it is interrupted. */
#ifndef FG_TESTS_FAKE_COMFY_H
#define FG_TESTS_FAKE_COMFY_H

#include "base/ctx.h"

#define COMFY_RUNS_MAX 4096
#define COMFY_ID_MAX 48

struct comfy {
    bool stuck;
    unsigned n; /* runs, each of them a bill */
    struct {
        char id[COMFY_ID_MAX];
        bool interrupted;
    } run[COMFY_RUNS_MAX];
};

/* The body of the answer to a whole request below /comfy; file: what it makes. In buf where it has to be written. */
struct fg_str comfy_answer(struct comfy *c, const char *request, struct fg_str file, char *buf, size_t max);

#endif
