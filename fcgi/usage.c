/* GET /v1/usage: what an account's jobs, or a user's, came to; as JSON, or as CSV for those who do sums elsewhere. */
#include "base/arena.h"
#include "base/scan.h"
#include "base/time.h"
#include "handlers.h"
#include "io/json.h"
#include "money/usage.h"
#include "query.h"

#define DAY_US (86400 * FG_US_PER_S)
#define DATE_LEN (sizeof "2026-11-22" - 1)

struct usage_query {
    struct usage_ask ask;
    bool has_from, has_to, csv;
};

static bool read_time(struct fg_str text, int64_t *us)
{
    char whole[sizeof "2026-11-22T00:00:00Z"];
    if (text.n != DATE_LEN)
        return time_parse_iso(text, us);
    memcpy(whole, text.p, DATE_LEN);
    memcpy(whole + DATE_LEN, "T00:00:00Z", sizeof "T00:00:00Z");
    return time_parse_iso(fg_str_c(whole), us);
}

#define TIME_WORDS "must be a day like 2026-11-22 or a time like 2026-11-22T21:57:26.123Z"

static const char *read_from(struct fg_str text, void *into)
{
    struct usage_query *q = into;
    q->has_from = read_time(text, &q->ask.from_us);
    return q->has_from ? NULL : TIME_WORDS;
}

static const char *read_to(struct fg_str text, void *into)
{
    struct usage_query *q = into;
    q->has_to = read_time(text, &q->ask.until_us);
    return q->has_to ? NULL : TIME_WORDS;
}

static const char *read_group_by(struct fg_str text, void *into)
{
    struct usage_query *q = into;
    struct fg_str word;
    q->ask.by_day = q->ask.by_model = q->ask.by_user = false;
    while (scan_until(&text, ',', &word)) {
        bool *by = FG_IS(word, "day") ? &q->ask.by_day : FG_IS(word, "model") ? &q->ask.by_model
                 : FG_IS(word, "userId") ? &q->ask.by_user : NULL;
        if (!by || *by)
            return "must be some of day, model and userId, with commas, or nothing";
        *by = true;
    }
    return NULL;
}

static const char *read_format(struct fg_str text, void *into)
{
    struct usage_query *q = into;
    q->csv = FG_IS(text, "csv");
    return q->csv || FG_IS(text, "json") ? NULL : "must be json or csv";
}

static const char *read_user(struct fg_str text, void *into)
{
    struct usage_query *q = into;
    q->ask.user_id = text;
    return text.n && text.n <= ACCOUNT_USER_MAX ? NULL : "must be a user's id";
}

static int64_t month_begin_us(struct fg_ctx *cx)
{
    struct fg_str now = time_iso(cx->mem, cx->now_us);
    int64_t us = 0;
    bool ok = read_time(arena_fmt(cx->mem, "%.7s-01", now.p), &us);
    FG_ASSERT(ok);
    return us;
}

/* This month so far, by day, unless another time is asked for. */
static enum fg_code read_query(struct fg_ctx *cx, const struct web_req *req, struct usage_query *q)
{
    static const struct query_param param[] = {
        { "from", read_from },       { "to", read_to },         { "groupBy", read_group_by },
        { "format", read_format },   { "userId", read_user },
    };
    *q = (struct usage_query){ .ask = { .account_id = req->who.account_id, .by_day = true } };
    enum fg_code rc = query_read(cx, req, param, FG_LEN(param), q);
    if (rc != FG_OK)
        return rc;
    if (!q->has_to)
        q->ask.until_us = cx->now_us + 1;
    if (!q->has_from)
        q->ask.from_us = month_begin_us(cx);
    if (req->who.role == ROLE_USER)
        q->ask.user_id = fg_str_c(req->who.user_id);
    fg_fields_clear(cx);
    if (q->ask.until_us <= q->ask.from_us)
        fg_field(cx, "to", "range", "It must be after from, which is this month's first day when it is not given.");
    else if (q->ask.until_us - q->ask.from_us > USAGE_DAYS_MAX * DAY_US)
        fg_field(cx, "from", "range", "From it to the end are more than 366 days.");
    return fg_fields_check(cx);
}

static struct fg_str date_of(struct fg_ctx *cx, int64_t day)
{
    if (day < 0)
        return FG_NONE;
    struct fg_str iso = time_iso(cx->mem, day * DAY_US);
    return (struct fg_str){ iso.p, DATE_LEN };
}

/* The numbers of a row, under one name in both formats. */
static const struct {
    const char *name;
    size_t at;
} number[] = {
    { "jobs", offsetof(struct usage_row, jobs) },
    { "succeeded", offsetof(struct usage_row, succeeded) },
    { "failed", offsetof(struct usage_row, failed) },
    { "canceled", offsetof(struct usage_row, canceled) },
    { "expired", offsetof(struct usage_row, expired) },
    { "seconds", offsetof(struct usage_row, seconds) },
    { "chargedMicro", offsetof(struct usage_row, charged_micro) },
    { "heldMicro", offsetof(struct usage_row, held_micro) },
};

static int64_t number_of(const struct usage_row *row, size_t i)
{
    int64_t v;
    memcpy(&v, (const char *)row + number[i].at, sizeof v);
    return v;
}

static void write_json(struct fg_ctx *cx, const struct usage_query *q, const struct usage_row *row, size_t n,
                       struct sb *b)
{
    struct jw w = jw_on(b);
    jw_open(&w, NULL);
    jw_time(&w, "from", q->ask.from_us);
    jw_time(&w, "to", q->ask.until_us);
    jw_open_array(&w, "data");
    for (size_t i = 0; i < n; i++) {
        jw_open(&w, NULL);
        if (q->ask.by_day)
            jw_str(&w, "day", date_of(cx, row[i].day));
        if (q->ask.by_model)
            jw_str(&w, "model", row[i].model);
        if (q->ask.by_user)
            jw_str(&w, "userId", row[i].user_id);
        for (size_t k = 0; k < FG_LEN(number); k++)
            jw_i64(&w, number[k].name, number_of(&row[i], k));
        jw_str(&w, "currency", row[i].currency);
        jw_close(&w);
    }
    jw_close_array(&w);
    jw_close(&w);
}

/* RFC 4180: a quote is doubled. */
static void add_cell(struct sb *b, struct fg_str text)
{
    sb_add_c(b, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            sb_add_c(b, '"');
        sb_add_c(b, text.p[i]);
    }
    sb_add(b, FG_LIT("\","));
}

/* Every column, whatever is told apart: those who read it find them in one place. */
static void write_csv(struct fg_ctx *cx, const struct usage_row *row, size_t n, struct sb *b)
{
    sb_add(b, FG_LIT("day,model,userId"));
    for (size_t k = 0; k < FG_LEN(number); k++)
        sb_addf(b, ",%s", number[k].name);
    sb_add(b, FG_LIT(",currency\r\n"));
    for (size_t i = 0; i < n; i++) {
        sb_addf(b, "%.*s,", FG_P(date_of(cx, row[i].day)));
        add_cell(b, row[i].model);
        add_cell(b, row[i].user_id);
        for (size_t k = 0; k < FG_LEN(number); k++)
            sb_addf(b, "%lld,", (long long)number_of(&row[i], k));
        sb_addf(b, "%.*s\r\n", FG_P(row[i].currency));
    }
}

enum fg_code usage_get(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct usage_query q;
    struct usage_row *row;
    size_t n;
    enum fg_code rc = read_query(cx, req, &q);
    if (rc == FG_OK)
        rc = usage_read(cx, app->db, &q.ask, &row, &n);
    if (rc != FG_OK)
        return rc;
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    if (!q.csv) {
        write_json(cx, &q, row, n, &resp->body);
        return FG_OK;
    }
    resp->content_type = FG_LIT("text/csv; charset=utf-8; header=present");
    web_header(cx, resp, "Content-Disposition", FG_LIT("attachment; filename=\"usage.csv\""));
    write_csv(cx, row, n, &resp->body);
    return FG_OK;
}
