/* The real clocks, dice and standard error. */
#ifndef FG_BASE_ENV_H
#define FG_BASE_ENV_H

#include "base/ctx.h"

const struct fg_env *env_real(void);

#endif
