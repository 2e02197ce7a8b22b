/* The hint to the sweeper that something is due now. Losing it costs latency, never correctness. */
#ifndef FG_JOB_WAKE_H
#define FG_JOB_WAKE_H

#include "base/conf.h"

/* A socket to send hints from, or -1. */
int wake_open(void);
/* After commit. Never blocks, never fails. */
void wake_send(int fd, const struct conf *conf);
/* The sweeper's end, or -1 (then it only ticks). A second sweeper takes the name over; the first ticks on. */
int wake_listen(struct fg_ctx *cx, const struct conf *conf);

#endif
