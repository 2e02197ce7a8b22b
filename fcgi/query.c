#include "query.h"

#include "base/scan.h"

#define NAME_SHOWN 64

static bool is_known(struct fg_str name, const struct query_param *param, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fg_eq(name, fg_str_c(param[i].name)))
            return true;
    return false;
}

static void find_unknown(struct fg_ctx *cx, struct fg_str query, const struct query_param *param,
                         size_t n)
{
    struct fg_str pair, name;
    while (scan_until(&query, '&', &pair)) {
        if (!scan_until(&pair, '=', &name) || is_known(name, param, n))
            continue;
        if (name.n > NAME_SHOWN)
            name.n = NAME_SHOWN;
        struct sb path = sb_in(cx->mem, 3 * NAME_SHOWN + 1);
        sb_add_escaped(&path, name);
        fg_field(cx, sb_cstr(&path), "unknown", "There is no such parameter.");
    }
}

enum fg_code query_read(struct fg_ctx *cx, const struct web_req *req,
                        const struct query_param *param, size_t n, void *into)
{
    if (!req->query.n)
        return FG_OK;
    fg_fields_clear(cx);
    for (size_t i = 0; i < n; i++) {
        const struct query_param *p = &param[i];
        struct fg_str text;
        size_t times = scan_query(cx->mem, req->query, fg_str_c(p->name), &text);
        const char *wrong = NULL;
        if (times == SIZE_MAX)
            fg_field(cx, p->name, "format", "It is not valid percent-encoded UTF-8.");
        else if (times > 1)
            fg_field(cx, p->name, "duplicate", "It came more than once.");
        else if (times == 1)
            wrong = p->read(text, into);
        if (wrong)
            fg_field(cx, p->name, "range", "It %s.", wrong);
    }
    find_unknown(cx, req->query, param, n);
    return fg_fields_check(cx);
}
