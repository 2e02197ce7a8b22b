#include "money/plan.h"

#include "base/arena.h"
#include "base/scan.h"

#define BP 10000 /* a price in hundredths of a percent of itself */
#define PLANS_MAX INT64_C(500)

#define T(name, longest, words) COL(struct plan, name),
#define N(name, least, most, words) COL(struct plan, name),
static const struct db_col plan_cols[] = { COL(struct plan, id), COL(struct plan, name), PLAN_FIELDS(T, N) };
#undef T
#undef N

#define T(name, longest, words) COL(struct terms, plan.name),
#define N(name, least, most, words) COL(struct terms, plan.name),
static const struct db_col terms_cols[] = { COL(struct terms, plan.id), COL(struct terms, plan.name),
                                            PLAN_FIELDS(T, N) COL(struct terms, currency),
                                            COL(struct terms, credit_limit_micro) };
#undef T
#undef N

enum fg_code terms_read(struct fg_ctx *cx, struct db *db, int64_t account_id, struct terms *out)
{
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_TERMS, DB_ARGS(DB(account_id)), DB_COLS(terms_cols), out, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "There is no such account.");
    return rc;
}

bool plan_allows(struct fg_str list, struct fg_str word)
{
    struct fg_str one;
    if (!list.p)
        return true;
    while (scan_until(&list, ',', &one))
        if (fg_eq(one, word))
            return true;
    return false;
}

bool plan_allows_seconds(const struct plan *p, int64_t seconds)
{
    struct fg_str rest = p->durations, one;
    int64_t n;
    if (!rest.p)
        return true;
    while (scan_until(&rest, ',', &one))
        if (scan_all_i64(one, 0, INT64_MAX, &n) && n == seconds)
            return true;
    return false;
}

bool plan_price(const struct plan *p, int64_t base_micro, int64_t *out)
{
    /* In two parts, so that nothing is refused that fits in the end. */
    int64_t margin, price, part = base_micro % BP * p->margin_bp;
    if (base_micro < 0 || base_micro > MONEY_MAX || __builtin_mul_overflow(base_micro / BP, p->margin_bp, &margin) ||
        __builtin_add_overflow(margin, part / BP + (part % BP > 0), &margin) ||
        __builtin_add_overflow(base_micro, margin, &price) || price > MONEY_MAX)
        return false;
    *out = price;
    return true;
}

/* ---- the operator's side ---- */

enum fg_code plan_list(struct fg_ctx *cx, struct db *db, struct plan **rows, size_t *n)
{
    return DB_ALL(cx, db, SQL_PLANS, DB_ARGS(DB(PLANS_MAX)), DB_COLS(plan_cols), rows, n);
}

static enum fg_code no_plan(struct fg_ctx *cx, struct fg_str name)
{
    return fg_fail(cx, FG_NOT_FOUND, "There is no plan %.*s.", FG_P(name));
}

enum fg_code plan_by_name(struct fg_ctx *cx, struct db *db, struct fg_str name, struct plan *out)
{
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_PLAN_BY_NAME, DB_ARGS(DB(name)), DB_COLS(plan_cols), out, &found);
    return rc == FG_OK && !found ? no_plan(cx, name) : rc;
}

/* Lower case letters, digits, '-' and '_'; with '.', ',' and ':' what models, resolutions and lists of them have. */
static bool is_made_of(struct fg_str s, bool list)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!ok && !(list && (c == '.' || c == ',' || c == ':' || (c >= 'A' && c <= 'Z'))))
            return false;
    }
    return s.n > 0;
}

enum fg_code plan_create(struct fg_ctx *cx, struct db *db, struct fg_str name)
{
    if (name.n > PLAN_NAME_MAX || !is_made_of(name, false))
        return fg_fail(cx, FG_INVALID_REQUEST, "A plan's name has 1 to %d of a-z, 0-9, - and _.", PLAN_NAME_MAX);
    enum fg_code rc = db_run(cx, db, SQL_PLAN_ADD, DB_ARGS(DB(name), DB(cx->now_us)));
    return rc == FG_DB_DUPLICATE ? fg_fail(cx, rc, "There is a plan %.*s already.", FG_P(name)) : rc;
}

/* What can be set, by name. */
static const struct plan_field {
    const char *name;
    bool text;
    int64_t least, most; /* of a number; most: the longest text */
    size_t at;
} fields[] = {
#define T(name, longest, words) { #name, true, 0, longest, offsetof(struct plan, name) },
#define N(name, least, most, words) { #name, false, least, most, offsetof(struct plan, name) },
    PLAN_FIELDS(T, N)
#undef T
#undef N
};

/* Words of a list, none of them empty; seconds are numbers, and a default is one word. */
static bool is_list(const struct plan_field *f, struct fg_str s)
{
    struct fg_str one;
    int64_t seconds;
    bool numbers = f->at == offsetof(struct plan, durations), single = f->at == offsetof(struct plan, default_resolution);
    if (!is_made_of(s, true) || s.p[s.n - 1] == ',' || (single && memchr(s.p, ',', s.n)))
        return false;
    while (scan_until(&s, ',', &one))
        if (one.n == 0 || (numbers && !scan_all_i64(one, 1, INT64_MAX, &seconds)))
            return false;
    return true;
}

static enum fg_code set_text(struct fg_ctx *cx, const struct plan_field *f, struct fg_str value, struct fg_str *to)
{
    if (value.n > (size_t)f->most || !is_list(f, value))
        return fg_fail(cx, FG_INVALID_REQUEST, "%s takes %s, without blanks, or none; at most %lld characters.", f->name,
                       f->at == offsetof(struct plan, durations)            ? "numbers by commas"
                       : f->at == offsetof(struct plan, default_resolution) ? "one word"
                                                                            : "words by commas",
                       (long long)f->most);
    *to = arena_str(cx->mem, value);
    return FG_OK;
}

static enum fg_code set_number(struct fg_ctx *cx, const struct plan_field *f, struct fg_str value, int64_t *to)
{
    if (!scan_all_i64(value, f->least, f->most, to))
        return fg_fail(cx, FG_INVALID_REQUEST, "%s takes a whole number from %lld to %lld, or none.", f->name,
                       (long long)f->least, (long long)f->most);
    return FG_OK;
}

enum fg_code plan_set(struct fg_ctx *cx, struct plan *p, struct fg_str assignment)
{
    struct fg_str name, value = assignment;
    bool has_value = memchr(value.p, '=', value.n) && scan_until(&value, '=', &name);
    for (size_t i = 0; has_value && i < FG_LEN(fields); i++) {
        const struct plan_field *f = &fields[i];
        void *to = (char *)p + f->at;
        if (!fg_eq(name, fg_str_c(f->name)))
            continue;
        if (!FG_IS(value, "none"))
            return f->text ? set_text(cx, f, value, to) : set_number(cx, f, value, to);
        if (f->text)
            *(struct fg_str *)to = FG_NONE;
        else
            *(int64_t *)to = to == (void *)&p->margin_bp ? 0 : PLAN_NO_LIMIT;
        return FG_OK;
    }
    return fg_fail(cx, FG_INVALID_REQUEST, "%.*s: not of the form name=value, or no such thing in a plan.",
                   FG_P(assignment));
}

enum fg_code plan_put(struct fg_ctx *cx, struct db *db, const struct plan *p)
{
    if (p->default_resolution.p && !plan_allows(p->resolutions, p->default_resolution))
        return fg_fail(cx, FG_INVALID_REQUEST, "%.*s, the default, is not one of the resolutions.",
                       FG_P(p->default_resolution));
#define T(name, longest, words) DB(p->name),
#define N(name, least, most, words) DB(p->name),
    return db_run(cx, db, SQL_PLAN_PUT, DB_ARGS(PLAN_FIELDS(T, N) DB(cx->now_us), DB(p->id)));
#undef T
#undef N
}

enum fg_code plan_assign(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str plan)
{
    struct plan p;
    enum fg_code rc = plan_by_name(cx, db, plan, &p);
    return rc == FG_OK ? db_run(cx, db, SQL_PLAN_ASSIGN, DB_ARGS(DB(p.id), DB(account_id))) : rc;
}
