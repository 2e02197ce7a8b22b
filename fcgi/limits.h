/* What an account may do and how much of it is left, as JSON: GET /v1/me and quotes. */
#ifndef FG_FCGI_LIMITS_H
#define FG_FCGI_LIMITS_H

#include "account/account.h"
#include "io/json.h"
#include "money/use.h"

/* "limits": those that there are; for a user's key only what is that user's own. */
void limits_add(struct jw *w, const struct identity *who, const struct terms *t, const struct account_use *u);
/* "balanceMicro", "creditLimitMicro" (null: none). A user's key is not told. */
void limits_add_balance(struct jw *w, const struct identity *who, const struct terms *t, const struct account_use *u);
/* "plan": what may be asked for. Lists are null where everything may be. */
void limits_add_plan(struct jw *w, const struct plan *p);

#endif
