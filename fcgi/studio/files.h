/* The studio's folder, studio.dir: <id>.mp4 and <id>.webp (what nginx serves), images/ (reference
 * images that came with a request), tmp/<id>.<try>/ (a render at work), worker.sock (hints). */
#ifndef FG_STUDIO_FILES_H
#define FG_STUDIO_FILES_H

#include "base/conf.h"
#include "studio/books.h"

/* Makes the folders that are missing. FG_CONFIG when that cannot be. */
enum fg_code files_setup(struct fg_ctx *cx, const struct conf *conf) FG_MUST_CHECK;

/* <studio.dir>/<name>, NUL-terminated. */
struct fg_str files_path(struct fg_ctx *cx, const struct conf *conf, struct fg_str name);
struct fg_str files_image_path(struct fg_ctx *cx, const struct conf *conf,
                               struct fg_str image_file);

/* On disk for good when it returns FG_OK: the row that names it comes after. */
enum fg_code files_save_image(struct fg_ctx *cx, const struct conf *conf, struct fg_str image_file,
                              struct fg_str bytes) FG_MUST_CHECK;

/* An empty folder for this try; those of earlier tries go. */
enum fg_code files_work_dir(struct fg_ctx *cx, const struct conf *conf, const struct video *v,
                            struct fg_str *dir) FG_MUST_CHECK;
/* A flat folder with all that is in it. */
void files_remove_dir(struct fg_ctx *cx, struct fg_str dir);

/* Moves what a render left in dir to its place, durably. The row that says "completed" comes after.
 */
enum fg_code files_install(struct fg_ctx *cx, const struct conf *conf, const struct video *v,
                           struct fg_str dir) FG_MUST_CHECK;

/* Everything of a video. What is not there is fine; FG_IO when something stays. */
enum fg_code files_forget(struct fg_ctx *cx, const struct conf *conf,
                          const struct video *v) FG_MUST_CHECK;
void files_remove_image(struct fg_ctx *cx, const struct conf *conf, struct fg_str image_file);
/* Images older than this that no row will ask for: their request died between file and row. */
void files_sweep_images(struct fg_ctx *cx, const struct conf *conf, int64_t before_us);

#endif
