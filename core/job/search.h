/* Looking for jobs of every account, for support. */
#ifndef FG_JOB_SEARCH_H
#define FG_JOB_SEARCH_H

#include "job/job.h"

#define SEARCH_LIMIT 50
#define SEARCH_LIMIT_MAX 100
#define SEARCH_WORDS_MAX 5        /* further words of a question are left out */
#define SEARCH_TEXT_MAX 200       /* bytes of it */
/* A request looks at so many jobs at most, the newest first: words have no index, and creating jobs shall not pay for one. */
#define SEARCH_SCAN 20000
#define SEARCH_SCANS 5

struct search_query {
    struct fg_str text;           /* an id of a job, of ours or the provider's, a client reference, a request's id; else words
                                   * that the prompt has, whatever their case; FG_NONE: any */
    struct fg_str account;        /* public id or exact name */
    struct fg_str user_id, error_code, provider, model;
    int state;                    /* enum job_state; 0: any */
    int stage;                    /* enum job_stage; -1: any */
    int64_t after_us, before_us;  /* of creation; 0: any */
    struct fg_str cursor;         /* FG_NONE: from the newest */
    int limit;                    /* 1..SEARCH_LIMIT_MAX; 0: SEARCH_LIMIT */
};
/* prompt: its first 200 characters. */
struct search_row {
    int64_t id;
    struct fg_str public_id, account, account_name, user_id, error_code, provider, model, provider_job_id, prompt, currency;
    int state, stage;
    int64_t created_us, updated_us, finished_us, price_micro;
    bool charged;
};
struct search_found {
    struct search_row *row;       /* newest first */
    size_t n;
    const char *matched;          /* "id", "providerJobId", "clientRef": what the text was; "requestId", "prompt"; NULL: no text */
    struct fg_str next_cursor;    /* FG_NONE: that was all */
    int64_t searched_to_us;       /* the oldest job that was looked at was created then; 0: none was */
};
/* FG_INVALID_REQUEST: a cursor that is none. An account that there is not has no jobs. */
enum fg_code job_search(struct fg_ctx *cx, struct db *db, const struct search_query *q, struct search_found *out) FG_MUST_CHECK;

#endif
