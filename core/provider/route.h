/* Which model of a route serves a request: pure. */
#ifndef FG_PROVIDER_ROUTE_H
#define FG_PROVIDER_ROUTE_H

#include "provider/catalogue.h"

/* What stands for a model at cx->now_us: itself, or once it has retired the one that took its place; NULL: nothing
 * did. */
const struct cat_model *route_today(const struct fg_ctx *cx, const struct catalogue *c, const struct cat_model *m);

/* The first model of the route (or what stands for it today) that is set up, fits the wish and is usable; NULL: none.
 * usable may be NULL: all are. The door gives none; a failover gives what it has not tried yet and whose provider is
 * not parked. */
const struct cat_model *route_pick(struct fg_ctx *cx, const struct catalogue *c, const struct cat_route *route,
                                   const struct cat_wish *w, bool (*usable)(void *arg, const struct cat_model *m),
                                   void *arg);

#endif
