/* The integrity gate: nothing becomes "succeeded" that is not a playable video of about the asked length. */
#ifndef FG_MEDIA_GATE_H
#define FG_MEDIA_GATE_H

#include "base/conf.h"
#include "io/child.h"

struct gate_facts {
    int64_t width, height, duration_ms;
};

/* The ffprobe call for a file (absolute path); run by the caller, in the event loop or at once. */
void gate_probe_call(struct fg_ctx *cx, const struct conf *conf, const char *path, struct child_call *out);
/* Reads ffprobe's JSON. FG_INVALID_REQUEST with words when it is no video, has no length, or is further
 * than 1.5 s + 20 % from want_s. */
enum fg_code gate_read(struct fg_ctx *cx, struct fg_str probe_json, int64_t want_s,
                       struct gate_facts *out) FG_MUST_CHECK;
/* The ffmpeg call that writes a poster frame (JPEG) of the file. */
void gate_poster_call(struct fg_ctx *cx, const struct conf *conf, const char *video,
                      const char *poster, int64_t duration_ms, struct child_call *out);

#endif
