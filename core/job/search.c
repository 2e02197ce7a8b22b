#include "job/search.h"

#include "base/arena.h"
#include "base/scan.h"
#include "job/store.h"

#define PATTERN_MAX (2 * SEARCH_TEXT_MAX + 2)

static const struct db_col row_cols[] = {
    COL(struct search_row, id),           COL(struct search_row, public_id),   COL(struct search_row, account),
    COL(struct search_row, account_name), COL(struct search_row, user_id),     COL(struct search_row, state),
    COL(struct search_row, stage),        COL(struct search_row, error_code),  COL(struct search_row, provider),
    COL(struct search_row, model),        COL(struct search_row, provider_job_id), COL(struct search_row, prompt),
    COL(struct search_row, created_us),   COL(struct search_row, updated_us),  COL(struct search_row, finished_us),
    COL(struct search_row, price_micro),  COL(struct search_row, currency),    COL(struct search_row, charged),
};

/* What the text asks of a row besides the filters. */
struct wanted {
    struct fg_str id, request_id, word[SEARCH_WORDS_MAX];
    const char *matched;
};

static bool is_ascii_word(struct fg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    return s.n > 0;
}

/* "50%" as a pattern that finds just this. */
static struct fg_str pattern(struct fg_ctx *cx, struct fg_str word)
{
    struct sb b = sb_in(cx->mem, PATTERN_MAX);
    sb_add_c(&b, '%');
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] == '%' || word.p[i] == '_' || word.p[i] == '\\')
            sb_add_c(&b, '\\');
        sb_add_c(&b, word.p[i]);
    }
    sb_add_c(&b, '%');
    return sb_str(&b);
}

static void read_words(struct fg_ctx *cx, struct fg_str text, struct wanted *w)
{
    size_t n = 0;
    for (size_t at = 0; at < text.n && n < SEARCH_WORDS_MAX;) {
        size_t end = at;
        while (end < text.n && (unsigned char)text.p[end] > ' ')
            end++;
        if (end > at)
            w->word[n++] = pattern(cx, (struct fg_str){ text.p + at, end - at });
        at = end + 1;
    }
    w->matched = n ? "prompt" : NULL;
}

/* An id says by itself what it is the id of, if anything. */
static enum fg_code read_text(struct fg_ctx *cx, struct db *db, struct fg_str text, struct wanted *w)
{
    struct exact {
        struct fg_str id, how;
    } e;
    static const struct db_col cols[] = { COL(struct exact, id), COL(struct exact, how) };
    static const char *const ways[] = { "id", "clientRef", "providerJobId" };
    bool found = false;
    enum fg_code rc = FG_OK;
    *w = (struct wanted){ .id = FG_NONE, .request_id = FG_NONE };
    for (size_t i = 0; i < SEARCH_WORDS_MAX; i++)
        w->word[i] = FG_NONE;
    if (!text.n)
        return FG_OK;
    if (is_ascii_word(text))
        rc = db_one(cx, db, SQL_SEARCH_EXACT, DB_ARGS(DB(text), DB(text), DB(text)), DB_COLS(cols), &e, &found);
    if (rc != FG_OK)
        return rc;
    if (found) {
        w->id = e.id;
        for (size_t i = 0; i < FG_LEN(ways); i++)
            if (fg_eq(e.how, fg_str_c(ways[i])))
                w->matched = ways[i];
    } else if (fg_starts(text, FG_LIT("req_")) && is_ascii_word(text)) {
        w->request_id = text;
        w->matched = "requestId";
    } else {
        read_words(cx, text, w);
    }
    return FG_OK;
}

static enum fg_code scan(struct fg_ctx *cx, struct db *db, const struct search_query *q, const struct wanted *w, int64_t from,
                         int64_t before, int limit, struct search_found *out)
{
    struct db_bind state = q->state ? DB(q->state) : DB_NULL, stage = q->stage >= 0 ? DB(q->stage) : DB_NULL;
    struct db_bind after = q->after_us ? DB(q->after_us) : DB_NULL, until = q->before_us ? DB(q->before_us) : DB_NULL;
    const struct fg_str *v = w->word;
    return DB_ALL(cx, db, SQL_SEARCH,
                  DB_ARGS(DB(from), DB(before), DB(q->account), DB(q->account), DB(q->account), DB(q->user_id), DB(q->user_id),
                          state, state, stage, stage, DB(q->error_code), DB(q->error_code), DB(q->provider), DB(q->provider),
                          DB(q->model), DB(q->model), after, after, until, until, DB(w->id), DB(w->id), DB(w->request_id),
                          DB(w->request_id), DB(v[0]), DB(v[0]), DB(v[1]), DB(v[1]), DB(v[2]), DB(v[2]), DB(v[3]), DB(v[3]),
                          DB(v[4]), DB(v[4]), DB(limit)),
                  DB_COLS(row_cols), &out->row, &out->n);
}

struct place {
    int64_t id, created_us;
};

/* The first job at or after an id. */
static enum fg_code place_of(struct fg_ctx *cx, struct db *db, enum db_sql sql, struct db_args args, struct place *p)
{
    static const struct db_col cols[] = { COL(struct place, id), COL(struct place, created_us) };
    bool found;
    *p = (struct place){ 0 };
    return db_one(cx, db, sql, args, DB_COLS(cols), p, &found);
}

static enum fg_code scan_all(struct fg_ctx *cx, struct db *db, const struct search_query *q, const struct wanted *w,
                             int64_t before, int limit, struct search_found *out)
{
    struct place oldest = { 0 };
    enum fg_code rc = FG_OK;
    for (int i = 0; rc == FG_OK && i < SEARCH_SCANS && before > 0 && out->n == 0; i++) {
        int64_t from = before > SEARCH_SCAN ? before - SEARCH_SCAN : 0;
        rc = scan(cx, db, q, w, from, before, limit, out);
        if (rc == FG_OK && out->n < (size_t)limit)
            before = from;
    }
    if (rc != FG_OK)
        return rc;
    if (out->n == (size_t)limit)
        before = out->row[out->n - 1].id;
    rc = place_of(cx, db, SQL_SEARCH_PLACE, DB_ARGS(DB(before)), &oldest);
    out->searched_to_us = oldest.created_us;
    if (before > 0)
        out->next_cursor = arena_fmt(cx->mem, "%lld", (long long)before);
    return rc;
}

enum fg_code job_search(struct fg_ctx *cx, struct db *db, const struct search_query *q, struct search_found *out)
{
    int limit = q->limit ? q->limit : SEARCH_LIMIT;
    struct wanted w;
    struct place newest;
    int64_t before = 0;
    struct search_found found = { .next_cursor = FG_NONE };
    if (q->cursor.p && !scan_all_i64(q->cursor, 1, INT64_MAX, &before))
        return fg_fail(cx, FG_INVALID_REQUEST, "cursor is not one of ours.");
    enum fg_code rc = read_text(cx, db, q->text, &w);
    if (rc == FG_OK && w.id.p) { /* wherever it stands */
        rc = scan(cx, db, q, &w, 0, INT64_MAX, 1, &found);
    } else if (rc == FG_OK) {
        rc = place_of(cx, db, SQL_SEARCH_NEWEST, DB_NO_ARGS, &newest);
        if (rc == FG_OK)
            rc = scan_all(cx, db, q, &w, before ? before : newest.id + 1, limit, &found);
    }
    found.matched = w.matched;
    if (rc == FG_OK)
        *out = found;
    return rc;
}
