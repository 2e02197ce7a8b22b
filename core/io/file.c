#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"

#define COPY_BYTES (16 * FG_MIB) /* at once */

static bool ended(enum fault_way fault, bool ok)
{
    if (fault != FAULT_NONE)
        errno = fault_errno();
    return ok && fault == FAULT_NONE;
}

int file_create(const char *path, mode_t mode)
{
    enum fault_way fault = fault_next(FAULT_FILE, "create");
    int fd = fault == FAULT_FAIL ? -1 : open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (ended(fault, fd >= 0))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t got = write(fd, p, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO;
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

bool file_write(int fd, const void *p, size_t n)
{
    enum fault_way fault = fault_next(FAULT_FILE, "write");
    return ended(fault, fault != FAULT_FAIL && write_all(fd, p, n));
}

static bool copy_all(int from, int to)
{
    ssize_t n;
    while ((n = sendfile(to, from, NULL, COPY_BYTES)) != 0)
        if (n < 0 && errno != EINTR)
            return false;
    return true;
}

bool file_copy(int from, int to)
{
    enum fault_way fault = fault_next(FAULT_FILE, "copy");
    return ended(fault, fault != FAULT_FAIL && copy_all(from, to));
}

bool file_sync(int fd)
{
    enum fault_way fault = fault_next(FAULT_FILE, "sync");
    return ended(fault, fault != FAULT_FAIL && fsync(fd) == 0);
}

bool file_truncate(int fd, int64_t n)
{
    enum fault_way fault = fault_next(FAULT_FILE, "truncate");
    return ended(fault, fault != FAULT_FAIL && ftruncate(fd, n) == 0);
}

bool file_rename(const char *from, const char *to)
{
    enum fault_way fault = fault_next(FAULT_FILE, "rename");
    return ended(fault, fault != FAULT_FAIL && rename(from, to) == 0);
}

bool file_remove(const char *path)
{
    enum fault_way fault = fault_next(FAULT_FILE, "remove");
    return ended(fault, fault != FAULT_FAIL && (unlink(path) == 0 || errno == ENOENT));
}

bool file_mkdir(const char *path, mode_t mode)
{
    enum fault_way fault = fault_next(FAULT_FILE, "mkdir");
    return ended(fault, fault != FAULT_FAIL && mkdir(path, mode) == 0);
}

bool file_own(int fd, uid_t owner, mode_t mode)
{
    enum fault_way fault = fault_next(FAULT_FILE, "own");
    return ended(fault, fault != FAULT_FAIL && fchown(fd, owner, (gid_t)-1) == 0 && fchmod(fd, mode) == 0);
}

static enum fg_code read_all(struct fg_ctx *cx, int fd, int64_t most, struct fg_str *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return fg_fail(cx, FG_IO, "A file cannot be read.");
    if (st.st_size > most)
        return fg_fail(cx, FG_TOO_LARGE, "There may be at most %lld bytes.", (long long)most);
    char *p = arena_get(cx->mem, (size_t)st.st_size + 1);
    ssize_t n = pread(fd, p, (size_t)st.st_size, 0);
    *out = (struct fg_str){ p, (size_t)st.st_size };
    return n == st.st_size ? FG_OK : fg_fail(cx, FG_IO, "A file cannot be read to its end.");
}

enum fg_code file_read(struct fg_ctx *cx, const char *path, int64_t most, struct fg_str *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        int why = errno;
        (void)fg_fail(cx, FG_IO, "A file cannot be read.");
        return fg_cause(cx, "open %s: %s", path, strerror(why));
    }
    enum fg_code rc = read_all(cx, fd, most, out);
    close(fd);
    return rc;
}
