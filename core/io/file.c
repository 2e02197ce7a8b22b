#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"

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

bool file_sync(int fd)
{
    enum fault_way fault = fault_next(FAULT_FILE, "sync");
    return ended(fault, fault != FAULT_FAIL && fsync(fd) == 0);
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
