#include "moderate/verdict.h"

static const char *const names[] = {
    [VERDICT_ALLOW] = "allow", [VERDICT_ERROR] = "error", [VERDICT_REVIEW] = "review", [VERDICT_BLOCK] = "block"
};

const char *verdict_name(enum verdict_kind kind)
{
    return names[kind];
}

bool verdict_by_name(struct fg_str name, enum verdict_kind *out)
{
    for (size_t i = 0; i < FG_LEN(names); i++)
        if (fg_eq(name, fg_str_c(names[i]))) {
            *out = (enum verdict_kind)i;
            return true;
        }
    return false;
}

static bool worse_error(const struct verdict *a, const struct verdict *b)
{
    if (a->operator_error != b->operator_error)
        return a->operator_error;
    if (a->refused != b->refused)
        return a->refused;
    return a->retry_after_s > b->retry_after_s;
}

void verdict_merge(struct verdict *into, const struct verdict *v)
{
    if (v->kind > into->kind || (v->kind == into->kind && v->kind == VERDICT_ERROR && worse_error(v, into)))
        *into = *v;
}
