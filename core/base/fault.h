/* For the fault tests, and for tests of those: a normal build contains none of this.
 *
 * Side effects: every statement, every call over the network, every change to a file and every start of a program goes
 * through a door of core/io (tests/lint/effects.sh), and each door asks here before and after. So a test can count them,
 * and let the N-th fail, be done without an answer, or be the last thing its process lived to see: a new side effect is
 * under test because there is no other way to have one.
 *
 * Named crash points: a build with FG_FAULT kills itself (SIGKILL, nothing flushed) at the point whose name stands
 * in the file that FILMGATE_CRASH_FILE names, and takes the file away: one crash per file, whichever process comes
 * first. tests/fault drives every point there is.
 *
 * Planted bugs: such a build does wrong what the bug of the number in the environment's FILMGATE_PLANT says, so that
 * tests/fault/chaos can show that its checker would notice. */
#ifndef FG_BASE_FAULT_H
#define FG_BASE_FAULT_H

#include <stdbool.h>

enum planted {
    PLANT_FAILOVER_ON_UNKNOWN = 1,
    PLANT_SETTLE_TWICE,
    PLANT_RECEIPT_AFTER,
    PLANT_NO_FENCE,
    PLANT_REFUND_ON_SILENCE,
};

enum fault_kind {
    FAULT_READ, /* a statement that changes nothing */
    FAULT_DB,
    FAULT_FETCH,
    FAULT_FILE,
    FAULT_CHILD,
};
#define FAULT_KIND_N 5
enum fault_way {
    FAULT_NONE,
    FAULT_FAIL, /* it is not done, and says so */
    FAULT_LOSE, /* it is done, and says that it was not, or nothing */
    FAULT_KILL, /* the process is killed before it: the doors never see this one */
};
#define FAULT_NAME_MAX 48
struct fault_effect {
    enum fault_kind kind;
    char name[FAULT_NAME_MAX];
};

#ifdef FG_FAULT
/* For tests: counting begins anew, and the at-th effect from now (0: none) goes this way, with this errno where it has
 * one. */
void fault_plan(unsigned at, enum fault_way way, int error);
/* How many there have been since then, and the i-th of them, from 0. */
unsigned fault_count(void);
struct fault_effect fault_get(unsigned i);

/* For the doors: what becomes of the effect that is next. */
enum fault_way fault_next(enum fault_kind kind, const char *name);
int fault_errno(void);

void fault_point(const char *name);
bool fault_planted(enum planted which);
#define FG_CRASH_POINT(name) fault_point(name)
#define FG_PLANTED(which) fault_planted(which)
#else
static inline enum fault_way fault_next(enum fault_kind kind, const char *name)
{
    (void)kind, (void)name;
    return FAULT_NONE;
}
static inline int fault_errno(void) { return 0; }
#define FG_CRASH_POINT(name) ((void)0)
#define FG_PLANTED(which) false
#endif

#endif
