#include "job/wake.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

static bool address(const struct conf *conf, struct sockaddr_un *a)
{
    struct fg_str path = conf->sweeper_wake_socket;
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (path.n == 0 || path.n >= sizeof a->sun_path)
        return false;
    memcpy(a->sun_path, path.p, path.n);
    return true;
}

int wake_open(void)
{
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void wake_send(int fd, const struct conf *conf)
{
    struct sockaddr_un a;
    if (fd < 0 || !address(conf, &a))
        return;
    ssize_t n = sendto(fd, "w", 1, MSG_NOSIGNAL, (const struct sockaddr *)&a, sizeof a);
    (void)n; /* nobody there, or its buffer full of hints already: the tick will do */
}

int wake_listen(struct fg_ctx *cx, const struct conf *conf)
{
    struct sockaddr_un a;
    if (!address(conf, &a))
        return -1;
    int fd = wake_open();
    (void)unlink(a.sun_path);
    mode_t mask = umask(0117); /* the handlers are of our group */
    int rc = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&a, sizeof a);
    (void)umask(mask);
    if (rc == 0)
        return fd;
    fg_log(cx, LOG_WARN, "sweeper.no_wake_socket", LOG_S("path", conf->sweeper_wake_socket));
    if (fd >= 0)
        close(fd);
    return -1;
}
