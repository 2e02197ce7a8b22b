/* For tests of the tests: a normal build contains none of this.
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

#ifdef FG_FAULT
void fault_point(const char *name);
bool fault_planted(enum planted which);
#define FG_CRASH_POINT(name) fault_point(name)
#define FG_PLANTED(which) fault_planted(which)
#else
#define FG_CRASH_POINT(name) ((void)0)
#define FG_PLANTED(which) false
#endif

#endif
