/* The integrity gate: nothing becomes "succeeded" that is not a playable video of about the asked length. */
#ifndef FG_MEDIA_GATE_H
#define FG_MEDIA_GATE_H

#include "base/conf.h"
#include "io/child.h"

/* Within 1.5 s + 20 %. */
bool gate_about(int64_t ms, int64_t want_s);

struct gate_facts {
    int64_t width, height, duration_ms;
};

/* Looks at the file's own boxes before any program does: an MP4 that ends where they say, has its index, hides nothing,
 * names no data outside it and says no other length than was asked for. FG_INVALID_REQUEST with words, FG_IO. */
enum fg_code gate_look(struct fg_ctx *cx, int fd, int64_t want_s) FG_MUST_CHECK;
/* The ffprobe call for a file (absolute path) that was shown to the jail; run by the caller, in the event loop or at once. */
void gate_probe_call(struct fg_ctx *cx, const struct conf *conf, const char *path, struct child_call *out);
/* Reads ffprobe's JSON. FG_INVALID_REQUEST with words when it is no video, has no length, or is further
 * than 1.5 s + 20 % from want_s. */
enum fg_code gate_read(struct fg_ctx *cx, struct fg_str probe_json, int64_t want_s,
                       struct gate_facts *out) FG_MUST_CHECK;
/* The ffmpeg call that writes a poster frame (JPEG) of the file into one that was lent to the jail. */
void gate_poster_call(struct fg_ctx *cx, const struct conf *conf, const char *video,
                      const char *poster, int64_t duration_ms, struct child_call *out);
/* One that writes a frame (JPEG) for services that look at pictures: no side is longer than GATE_FRAME_SIDE. From a
 * picture of ours, with GATE_PICTURE for at_ms, it makes a smaller one. */
#define GATE_FRAME_SIDE 1024
#define GATE_PICTURE (-1)
void gate_frame_call(struct fg_ctx *cx, const struct conf *conf, const char *from, const char *to, int64_t at_ms,
                     struct child_call *out);

#endif
