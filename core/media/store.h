/* The file store: temporary files on the same file system, one rename puts a file in its place. Names are
 * "ab/job_….mp4" below media.root; nginx serves them from /_store/ (internal). */
#ifndef FG_MEDIA_STORE_H
#define FG_MEDIA_STORE_H

#include "base/conf.h"
#include "base/ctx.h"

/* Creates media.root and its tmp folder if need be. FG_IO. */
enum fg_code store_open(struct fg_ctx *cx, const struct conf *conf) FG_MUST_CHECK;

struct store_tmp {
    int fd;              /* close-on-exec, open for reading and writing */
    struct fg_str path;  /* absolute */
};
enum fg_code store_tmp_new(struct fg_ctx *cx, const struct conf *conf, const char *suffix,
                           struct store_tmp *out) FG_MUST_CHECK;
/* Closes and unlinks; fine when it has been put or is {-1}. */
void store_tmp_drop(struct store_tmp *t);
/* fsync, rename into place, fsync of the folder. *name is the store name. The name contains random text, so a
 * second writer for one job never overwrites the first. */
enum fg_code store_put(struct fg_ctx *cx, const struct conf *conf, struct store_tmp *t,
                       struct fg_str job_id, const char *suffix, struct fg_str *name) FG_MUST_CHECK;
/* Absent is fine. */
enum fg_code store_remove(struct fg_ctx *cx, const struct conf *conf, struct fg_str name) FG_MUST_CHECK;

/* Removes every file of the job but these two (FG_NONE: none): what a crash between rename and commit left. */
enum fg_code store_keep_only(struct fg_ctx *cx, const struct conf *conf, struct fg_str job_id,
                             struct fg_str video, struct fg_str poster) FG_MUST_CHECK;
/* Removes temporary files that nobody can still be writing; floor_us: clock_floor_us (job/clock.h). */
enum fg_code store_tidy(struct fg_ctx *cx, const struct conf *conf, int64_t floor_us) FG_MUST_CHECK;

#endif
