#include "base/fault.h"

#include "base/ctx.h"

#ifdef FG_FAULT
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define EFFECTS_MAX 4096

/* One process of one thread is under test at a time. */
static struct {
    unsigned at, n;
    enum fault_way way;
    int error;
    struct fault_effect seen[EFFECTS_MAX];
} plan;

void fault_plan(unsigned at, enum fault_way way, int error)
{
    plan.at = at;
    plan.n = 0;
    plan.way = way;
    plan.error = error;
}

unsigned fault_count(void)
{
    return plan.n;
}

struct fault_effect fault_get(unsigned i)
{
    FG_ASSERT(i < plan.n && i < EFFECTS_MAX);
    return plan.seen[i];
}

enum fault_way fault_next(enum fault_kind kind, const char *name)
{
    if (plan.n < EFFECTS_MAX) {
        plan.seen[plan.n].kind = kind;
        (void)snprintf(plan.seen[plan.n].name, FAULT_NAME_MAX, "%s", name);
    }
    if (++plan.n != plan.at)
        return FAULT_NONE;
    if (plan.way == FAULT_KILL)
        (void)kill(getpid(), SIGKILL);
    return plan.way;
}

int fault_errno(void)
{
    return plan.error;
}

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
