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

/* The same for what is about an account, by its public id; *id is its row. FG_NOT_FOUND. */
enum fg_code cli_db_account(struct fg_ctx *cx, const struct conf *conf, const char *account, struct db **out,
                            int64_t *id) FG_MUST_CHECK;

/* What people wrote goes to a terminal in JSON's quotes: nothing in it may act there. FG_NONE stays it. */
struct fg_str cli_quoted(struct fg_ctx *cx, struct fg_str s);
/* "12.50 USD": as many digits behind the point as there are, two at least. */
struct fg_str cli_money(struct fg_ctx *cx, int64_t micro, struct fg_str currency);
/* "-250": micro-units. "12.50": units of the currency, exact, with six digits behind the point at most. */
bool cli_amount(struct fg_str s, int64_t *micro);

/* migrate [--web-password-file F] [--sweeper-password-file F] [--studio-password-file F]
 * Brings the schema up to date as db.user, its owner. For each program whose password is given the database user
 * is made, or made to fit, with the rights of sql/grants.sql; the others are left alone. */
enum fg_code cli_migrate(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv) FG_MUST_CHECK;

/* What a provider lists that no row of ours knows; adopts what carries our marks. */
cli_fn cli_audit_provider;
/* Kept callbacks; one of them once more. */
cli_fn cli_callback_list, cli_callback_replay;
/* Acts on a job, recorded; what became of a submit of unknown outcome; the newest records. */
cli_fn cli_jobs_cancel, cli_jobs_ask, cli_jobs_retry, cli_jobs_resolve, cli_actions;
/* FG_INVALID_REQUEST when it is too long; FG_NONE is none. */
enum fg_code cli_reason_check(struct fg_ctx *cx, struct fg_str reason) FG_MUST_CHECK;
/* What is known of each provider; no new jobs for one; jobs again, and a clean slate. */
cli_fn cli_provider_list, cli_provider_pause, cli_provider_resume;
cli_fn cli_account_create, cli_key_create, cli_key_list, cli_key_revoke, cli_jobs_show, cli_jobs_explain, cli_jobs_list;
/* Plans; an account's money and what it has used. */
cli_fn cli_plan_list, cli_plan_show, cli_plan_create, cli_plan_set, cli_plan_assign;
cli_fn cli_account_list, cli_account_show, cli_account_ledger, cli_account_topup, cli_account_adjust, cli_account_credit;
/* Our cost of a time by what became of it; fails when that is not the sum of the attempts. */
cli_fn cli_report_cost;
/* Jobs that a person has to look at, and what becomes of one. */
cli_fn cli_review_list, cli_review_show, cli_review_pass, cli_review_block;
/* Moves the files that are in the other store, one after the other. */
cli_fn cli_media_migrate;
/* An account's endpoints; telling one again what it missed. */
cli_fn cli_webhook_list, cli_webhook_redeliver;
/* Fails when one of the ledger's invariants does. */
cli_fn cli_audit_ledger;
/* Without --yes it only says what it would do. */
cli_fn cli_account_erase;
/* What goes by its age; the plans' days for what is kept already. */
cli_fn cli_retention_preview, cli_retention_apply;
cli_fn cli_report_storage;
/* Fails when files and rows differ and that was not repaired. */
cli_fn cli_audit_media;
/* Legal holds. */
cli_fn cli_hold_add, cli_hold_list, cli_hold_end;
/* catalogue check [FILE]: FG_CONFIG with the path of what is wrong; warnings are no error. */
cli_fn cli_catalogue_check;
/* moderation test TEXT [--negative TEXT]: how the rules read it and what they say; fails when they hold or block it.
 * moderation check [FILE]: FG_CONFIG with the line of what is wrong with the rules, or with the services' settings. */
cli_fn cli_moderation_test, cli_moderation_check;
/* Looks at everything the programs need, tells all of it, and fails when something is missing. Changes
 * nothing. */
cli_fn cli_doctor;

#endif
