/* The operator's command: one function per row of main's table. Each gets the arguments after its own
 * name (words first, then pairs of "--option", value; main has checked both against the row), prints
 * what people should read on standard output, and leaves errors in cx->err for main to print. */
#ifndef FG_CLI_CLI_H
#define FG_CLI_CLI_H

#include "base/conf.h"
#include "base/ctx.h"
#include "io/db.h"

typedef enum fg_code cli_fn(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv);

/* NULL when the option was not given. */
const char *cli_option(int argc, char **argv, const char *name);
/* Connects with the operator's statements; *out only on FG_OK. */
enum fg_code cli_db(struct fg_ctx *cx, const struct conf *conf, struct db **out) FG_MUST_CHECK;

/* migrate [--web-password-file F] [--sweeper-password-file F] [--studio-password-file F]
 * Brings the schema up to date as db.user, its owner. For each program whose password is given the database user
 * is made, or made to fit, with the rights of sql/grants.sql; the others are left alone. */
enum fg_code cli_migrate(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv) FG_MUST_CHECK;

cli_fn cli_account_create, cli_key_create, cli_key_list, cli_key_revoke, cli_jobs_show, cli_jobs_list;
/* Fails when one of the ledger's invariants does. */
cli_fn cli_audit;
/* Looks at everything the programs need, tells all of it, and fails when something is missing. Changes
 * nothing. */
cli_fn cli_doctor;

#endif
