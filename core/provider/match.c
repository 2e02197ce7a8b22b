#include "provider/match.h"

static bool ends_with(struct fg_str s, struct fg_str end)
{
    return end.n && s.n >= end.n && fg_eq((struct fg_str){ s.p + s.n - end.n, end.n }, end);
}

static bool is_exact(const struct remote_row *r, const struct match_want *w)
{
    if (r->client_ref.n)
        return fg_eq(r->client_ref, w->client_ref);
    if (r->callback_url.n)
        return ends_with(r->callback_url, w->token);
    return w->seed_is_ours && r->has_seed && r->seed == w->seed && fg_eq(r->prompt, w->prompt);
}

/* What a row does not tell cannot speak against it; but with neither prompt nor seed nor length it says nothing. */
static bool is_alike(const struct remote_row *r, const struct match_want *w)
{
    if (r->client_ref.n || r->callback_url.n) /* another attempt's, however much it looks like ours */
        return false;
    if (r->created_us < w->since_us || r->created_us > w->until_us)
        return false;
    if ((r->model.n && !fg_eq(r->model, w->model)) || (r->prompt.p && !fg_eq(r->prompt, w->prompt)))
        return false;
    if ((r->has_seed && w->has_seed && r->seed != w->seed) || (r->duration_s && r->duration_s != w->duration_s))
        return false;
    return r->prompt.p || (r->model.n && r->duration_s);
}

bool match_rows(const struct remote_row *row, size_t n, const struct match_want *want, struct match *m)
{
    for (size_t i = 0; i < n && !m->id.n; i++) {
        if (is_exact(&row[i], want)) {
            m->id = row[i].id;
            m->links = row[i].links;
        } else if (is_alike(&row[i], want) && m->alike_n++ == 0) {
            m->alike_id = row[i].id;
            m->alike_links = row[i].links;
        }
    }
    return m->id.n > 0;
}

bool match_end(const struct match *m, struct fg_str *id, struct fg_str *links)
{
    bool exact = m->id.n > 0;
    if (!exact && m->alike_n != 1)
        return false;
    *id = exact ? m->id : m->alike_id;
    *links = exact ? m->links : m->alike_links;
    return true;
}
