/* Changes to files, one side effect each: as the system calls of the same name, errno included, but that file_write
 * writes all of it and that what is interrupted is begun again. Whoever changes files does it through here, so that
 * tests can let the N-th change fail (base/fault.h). What only reads needs no door. */
#ifndef FG_IO_FILE_H
#define FG_IO_FILE_H

#include <sys/types.h>

#include "base/ctx.h"

/* A new file (one that is there is an error), open for reading and writing, close-on-exec. -1: not made. */
int file_create(const char *path, mode_t mode) FG_MUST_CHECK;
/* False: some of it may be there. */
bool file_write(int fd, const void *p, size_t n) FG_MUST_CHECK;
/* From where each of them stands to the end of the first. */
bool file_copy(int from, int to) FG_MUST_CHECK;
/* Also of a folder's descriptor. */
bool file_sync(int fd) FG_MUST_CHECK;
bool file_truncate(int fd, int64_t n) FG_MUST_CHECK;
bool file_rename(const char *from, const char *to) FG_MUST_CHECK;
/* One that is not there is removed. */
bool file_remove(const char *path);
/* owner -1: as it is. Its group stays. */
bool file_own(int fd, uid_t owner, mode_t mode) FG_MUST_CHECK;
bool file_mkdir(const char *path, mode_t mode) FG_MUST_CHECK;

/* All of a file that nobody is writing to any more. FG_TOO_LARGE: more than most; FG_IO. */
enum fg_code file_read(struct fg_ctx *cx, const char *path, int64_t most, struct fg_str *out) FG_MUST_CHECK;

#endif
