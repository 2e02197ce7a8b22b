/* This machine's folder of files, and the spool: temporary files on the same file system, one rename puts a file in its
 * place. Names are "ab/job_….mp4" below media.root; nginx serves them from /_store/ (internal). */
#ifndef FG_MEDIA_DISK_H
#define FG_MEDIA_DISK_H

#include "base/conf.h"
#include "base/ctx.h"
#include "io/hash.h"

/* Creates media.root and its tmp folder if need be. FG_IO. */
enum fg_code disk_open(struct fg_ctx *cx, const struct conf *conf) FG_MUST_CHECK;

struct spool {
    int fd;              /* close-on-exec, open for reading and writing */
    struct fg_str path;  /* absolute */
};
enum fg_code spool_new(struct fg_ctx *cx, const struct conf *conf, const char *suffix,
                           struct spool *out) FG_MUST_CHECK;
/* Closes and unlinks; fine when it has been put or is {-1}. */
void spool_drop(struct spool *t);
/* fsync, rename into place, fsync of the folder. *name is the store name. The name contains random text, so a
 * second writer for one job never overwrites the first. */
enum fg_code disk_put(struct fg_ctx *cx, const struct conf *conf, struct spool *t,
                       struct fg_str owner, const char *suffix, struct fg_str *name) FG_MUST_CHECK;
/* A spooled copy of what is under that name, to be read from its start. FG_NOT_FOUND, FG_IO. */
enum fg_code disk_get(struct fg_ctx *cx, const struct conf *conf, struct fg_str name, const char *suffix,
                      struct spool *out) FG_MUST_CHECK;
/* Absent is fine. */
enum fg_code disk_remove(struct fg_ctx *cx, const struct conf *conf, struct fg_str name) FG_MUST_CHECK;

/* Removes every file of the owner (a job, an upload) but these two (FG_NONE: none): what a crash between rename and commit left. */
enum fg_code disk_keep_only(struct fg_ctx *cx, const struct conf *conf, struct fg_str owner,
                             struct fg_str video, struct fg_str poster) FG_MUST_CHECK;
/* A file of the store, as it is. */
struct disk_file {
    struct fg_str name;  /* in the store */
    int64_t bytes, changed_us;
};
/* Folders are named by two of these characters. */
#define DISK_SHARDS "0123456789abcdefghjkmnpqrstvwxyz"
/* All files of one folder, by name, in cx's memory; a folder that is not there is empty. FG_IO. */
enum fg_code disk_list(struct fg_ctx *cx, const struct conf *conf, struct fg_str shard, struct disk_file **out, size_t *n)
    FG_MUST_CHECK;
/* One of them. FG_NOT_FOUND, FG_IO. */
enum fg_code disk_look(struct fg_ctx *cx, const struct conf *conf, struct fg_str name, struct disk_file *out) FG_MUST_CHECK;
/* The hash of what is in it, read from its start to its end. FG_NOT_FOUND, FG_IO. */
enum fg_code disk_digest(struct fg_ctx *cx, const struct conf *conf, struct fg_str name, uint8_t out[HASH_LEN]) FG_MUST_CHECK;
/* Removes temporary files that nobody can still be writing; floor_us: clock_floor_us (job/clock.h). */
enum fg_code spool_tidy(struct fg_ctx *cx, const struct conf *conf, int64_t floor_us) FG_MUST_CHECK;

#endif
