/* sql/migrations and sql/grants.sql as the build embedded them (sql/embed.sh), and what applies them. */
#ifndef FG_CLI_MIGRATIONS_H
#define FG_CLI_MIGRATIONS_H

#include "base/conf.h"
#include "base/ctx.h"

struct migration {
    const char *name; /* NNNN_name.sql */
    struct fg_str text;
};
extern const struct migration migrations[];
extern const size_t migration_n;
extern const struct fg_str grants_sql;

/* Brings the schema (created when there is none) to the last of these migrations; the first creates
 * schema_migration and must bear being run again. Safe to run twice at once. *applied: how many were new.
 * FG_CONFIG with words for the operator when the database's record does not fit the list, when one was begun and
 * never finished, or when one fails now. */
enum fg_code migrate(struct fg_ctx *cx, const struct conf *conf, const struct migration *list, size_t n,
                     size_t *applied) FG_MUST_CHECK;

#endif
