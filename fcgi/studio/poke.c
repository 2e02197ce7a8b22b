#include "studio/poke.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "studio/files.h"

/* False when the path is longer than a socket's may be. */
static bool address(struct fg_ctx *cx, const struct conf *conf, struct sockaddr_un *sa)
{
    struct fg_str path = files_path(cx, conf, FG_LIT("worker.sock"));
    *sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (path.n >= sizeof sa->sun_path)
        return false;
    memcpy(sa->sun_path, path.p, path.n);
    return true;
}

int poke_open(void)
{
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void poke_send(struct fg_ctx *cx, const struct conf *conf, int fd)
{
    struct sockaddr_un sa;
    if (fd >= 0 && address(cx, conf, &sa))
        (void)sendto(fd, "", 0, MSG_NOSIGNAL, (struct sockaddr *)&sa, sizeof sa);
}

int poke_listen(struct fg_ctx *cx, const struct conf *conf)
{
    struct sockaddr_un sa;
    int fd = poke_open();
    if (fd < 0 || !address(cx, conf, &sa)) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    (void)unlink(sa.sun_path);
    if (bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0 && chmod(sa.sun_path, 0660) == 0)
        return fd;
    close(fd);
    return -1;
}

bool poke_take(int fd)
{
    char byte;
    bool any = false;
    while (fd >= 0 && recv(fd, &byte, sizeof byte, MSG_DONTWAIT) >= 0)
        any = true;
    return any;
}
