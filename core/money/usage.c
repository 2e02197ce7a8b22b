#include "money/usage.h"

static const struct db_col usage_cols[] = {
    COL(struct usage_row, day),           COL(struct usage_row, model),      COL(struct usage_row, user_id),
    COL(struct usage_row, currency),      COL(struct usage_row, jobs),       COL(struct usage_row, succeeded),
    COL(struct usage_row, failed),        COL(struct usage_row, canceled),   COL(struct usage_row, expired),
    COL(struct usage_row, seconds),       COL(struct usage_row, charged_micro),
    COL(struct usage_row, held_micro),
};

enum fg_code usage_read(struct fg_ctx *cx, struct db *db, const struct usage_ask *ask, struct usage_row **rows,
                        size_t *n)
{
    int64_t day = ask->by_day, model = ask->by_model, user = ask->by_user, most = USAGE_ROWS_MAX + 1;
    enum fg_code rc = DB_ALL(cx, db, SQL_USAGE,
                             DB_ARGS(DB(day), DB(model), DB(user), DB(ask->account_id), DB(ask->from_us),
                                     DB(ask->until_us), DB(ask->user_id), DB(ask->user_id), DB(most)),
                             DB_COLS(usage_cols), rows, n);
    if (rc != FG_OK || *n <= USAGE_ROWS_MAX)
        return rc;
    fg_fields_clear(cx);
    fg_field(cx, "groupBy", "range", "These are more than 3000 rows. Ask for less time, or for fewer groups.");
    return fg_fields_check(cx);
}
