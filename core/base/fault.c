#include "base/fault.h"

#include "base/ctx.h"

#ifdef FG_FAULT
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define FAULT_NAME_MAX 64

void fault_point(const char *name)
{
    const char *path = getenv("FILMGATE_CRASH_FILE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    char want[FAULT_NAME_MAX] = { 0 };
    ssize_t n = read(fd, want, sizeof want - 1);
    close(fd);
    if (n > 0 && strcmp(want, name) == 0 && unlink(path) == 0)
        (void)kill(getpid(), SIGKILL);
}

bool fault_planted(enum planted which)
{
    const char *n = getenv("FILMGATE_PLANT");
    return n && n[0] == '0' + (char)which && n[1] == '\0';
}
#endif
