/* Named crash points: a build with FG_FAULT kills itself (SIGKILL, nothing flushed) at the point whose name stands
 * in the file that FILMGATE_CRASH_FILE names, and takes the file away: one crash per file, whichever process comes
 * first. A normal build contains none of this. tests/fault drives every point there is. */
#ifndef FG_BASE_FAULT_H
#define FG_BASE_FAULT_H

#ifdef FG_FAULT
void fault_point(const char *name);
#define FG_CRASH_POINT(name) fault_point(name)
#else
#define FG_CRASH_POINT(name) ((void)0)
#endif

#endif
