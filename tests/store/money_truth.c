#include "store/money_truth.h"

#include "money/ledger.h"

/* Of an account's row u: what its jobs of a window cost that were charged or are under way, and how many they were. */
#define SPENT(since, until)                                                                                          \
    "(SELECT IFNULL(SUM(j.price_micro), 0) FROM job j WHERE j.account_id = u.account_id AND j.created_us >= " since  \
    " AND j.created_us < " until " AND (j.state < 4 OR EXISTS (SELECT 1 FROM ledger l WHERE l.job_id = j.id AND "    \
    "l.kind = 2)))"
#define MADE(since, until)                                                                                           \
    "(SELECT COUNT(*) FROM job j WHERE j.account_id = u.account_id AND j.created_us >= " since                       \
    " AND j.created_us < " until ")"
#define ACCOUNTS "SELECT COUNT(*) FROM account_use u WHERE "
#define ENTRIES(kinds) "(SELECT COUNT(*) FROM ledger l WHERE l.job_id = j.id AND l.kind IN (" kinds ") AND " \
    "l.amount_micro = j.price_micro AND l.currency = j.currency AND l.account_id = j.account_id)"

static const struct {
    const char *words, *broken;
} rules[] = {
    { "the balance is the sum of the entries",
      ACCOUNTS "u.balance_micro <> (SELECT IFNULL(SUM(CASE l.kind WHEN 1 THEN -l.amount_micro WHEN 2 THEN 0 "
      "ELSE l.amount_micro END), 0) FROM ledger l WHERE l.account_id = u.account_id)" },
    { "outstanding is what has not ended",
      ACCOUNTS "u.outstanding_n <> (SELECT COUNT(*) FROM job j WHERE j.account_id = u.account_id AND j.state < 4)" },
    { "storage is what is kept",
      ACCOUNTS "u.storage_bytes <> (SELECT IFNULL(SUM(o.bytes), 0) FROM output o JOIN job j ON j.id = o.job_id "
      "WHERE j.account_id = u.account_id AND o.deleted_us IS NULL)" },
    { "a day's money is what its jobs hold or were charged",
      ACCOUNTS "u.day_micro <> " SPENT("u.day_us", "u.day_us + 86400000000") },
    { "a month's money is, too",
      ACCOUNTS "u.month_micro <> " SPENT("u.month_us", "1000000 * TIMESTAMPDIFF(SECOND, '1970-01-01', "
      "'1970-01-01' + INTERVAL u.month_us DIV 1000000 SECOND + INTERVAL 1 MONTH)") },
    { "a minute's jobs", ACCOUNTS "u.minute_n <> " MADE("u.minute_us", "u.minute_us + 60000000") },
    { "a day's jobs", ACCOUNTS "u.day_n <> " MADE("u.day_us", "u.day_us + 86400000000") },
    { "what runs is held once, and at its price",
      "SELECT COUNT(*) FROM job j WHERE j.state < 4 AND (" ENTRIES("1") " <> 1 OR " ENTRIES("2, 3") " <> 0)" },
    { "what has ended has a hold and one end",
      "SELECT COUNT(*) FROM job j WHERE j.state >= 4 AND (" ENTRIES("1") " <> 1 OR " ENTRIES("2, 3") " <> 1)" },
    { "what succeeded is charged, and only what is marked so",
      "SELECT COUNT(*) FROM job j WHERE j.state >= 4 AND (" ENTRIES("2") " <> j.charged OR j.state = 4 AND NOT j.charged)" },
    { "no job has other entries",
      "SELECT COUNT(*) FROM ledger l LEFT JOIN job j ON j.id = l.job_id WHERE l.job_id IS NOT NULL AND (j.id IS NULL OR "
      "l.amount_micro <> j.price_micro OR l.account_id <> j.account_id)" },
    { "what runs has work that is due, and its end",
      "SELECT COUNT(*) FROM job j WHERE j.state < 4 AND (SELECT COUNT(*) FROM due d WHERE d.job_id = j.id) <> 2" },
    { "work and events are of jobs",
      "SELECT (SELECT COUNT(*) FROM due d LEFT JOIN job j ON j.id = d.job_id WHERE j.id IS NULL) + "
      "(SELECT COUNT(*) FROM job_event e LEFT JOIN job j ON j.id = e.job_id WHERE j.id IS NULL)" },
};

int64_t money_broken(struct job_world *w, const char **rule)
{
    for (size_t i = 0; i < FG_LEN(rules); i++) {
        int64_t n = ask(w, "%s", rules[i].broken);
        *rule = rules[i].words;
        if (n)
            return n;
    }
    return 0;
}

void check_money(struct job_world *w, const char *why)
{
    struct ledger_audit a;
    const char *rule;
    int64_t n = money_broken(w, &rule);
    CHECK_I64(n, 0, arena_fmt(w->cx->mem, "%s: %s", why, rule).p);
    CHECK_CODE(w->cx, ledger_check(w->cx, w->sweeper.env.db, &a), FG_OK);
    CHECK_I64(ledger_broken(&a), 0, why);
}
