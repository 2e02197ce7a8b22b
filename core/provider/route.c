#include "provider/route.h"

/* Ends: a substitute retires later than what it stands for, which the catalogue has made sure of. */
const struct cat_model *route_today(const struct fg_ctx *cx, const struct catalogue *c, const struct cat_model *m)
{
    while (m && catalogue_retired(m, cx->now_us))
        m = m->substitute.n ? catalogue_model(c, m->substitute) : NULL;
    return m;
}

const struct cat_model *route_pick(struct fg_ctx *cx, const struct catalogue *c, const struct cat_route *route,
                                   const struct cat_wish *w, bool (*usable)(void *arg, const struct cat_model *m),
                                   void *arg)
{
    for (unsigned i = 0; i < route->model_n; i++) {
        const struct cat_model *m = route_today(cx, c, route->model[i]);
        if (m && !catalogue_unfit(cx, m, w) && (!usable || usable(arg, m)))
            return m;
    }
    return NULL;
}
