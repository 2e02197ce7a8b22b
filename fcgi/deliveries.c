/* /v1/webhook-deliveries: the log of what was told, and telling it again. */
#include "base/scan.h"
#include "handlers.h"
#include "io/json.h"
#include "job/wake.h"
#include "notify/delivery.h"
#include "query.h"

/* status 0: there was no answer, and the words say why. */
static void add_answer(struct jw *w, int status, struct fg_str words)
{
    if (status)
        jw_i64(w, "status", status);
    else
        jw_null(w, "status");
    jw_str(w, "responseExcerpt", status ? words : FG_NONE);
    jw_str(w, "error", status ? FG_NONE : words);
}

static void add_delivery(struct jw *w, const struct delivery *d)
{
    jw_str(w, "id", d->public_id);
    jw_str(w, "messageId", d->message_id);
    jw_str(w, "type", fg_str_c(notify_type_name((enum notify_type)d->type)));
    jw_str(w, "jobId", d->job);
    jw_i64(w, "sequence", d->sequence);
    jw_str(w, "endpointId", d->endpoint);
    jw_str(w, "url", d->url);
    jw_str(w, "state", fg_str_c(delivery_state_name((enum delivery_state)d->state)));
    jw_i64(w, "tries", d->tries);
    jw_time(w, "createdAt", d->created_us);
    jw_time(w, "redeliveredAt", d->redelivered_us);
    jw_time(w, "nextTryAt", d->state == DELIVERY_PENDING ? d->due_us : 0);
    if (!d->last_at_us) {
        jw_null(w, "lastTry");
        return;
    }
    jw_open(w, "lastTry");
    jw_time(w, "at", d->last_at_us);
    add_answer(w, d->last_status, d->last_excerpt);
    jw_close(w);
}

void deliveries_detail_json(struct sb *b, const struct delivery_detail *d)
{
    struct jw w = jw_on(b);
    jw_open(&w, NULL);
    add_delivery(&w, &d->d);
    jw_open_array(&w, "attempts");
    for (size_t i = 0; i < d->attempt_n; i++) {
        const struct delivery_attempt *a = &d->attempt[i];
        jw_open(&w, NULL);
        jw_i64(&w, "n", a->n);
        jw_time(&w, "at", a->at_us);
        jw_i64(&w, "tookMs", a->took_ms);
        add_answer(&w, a->status, a->excerpt);
        jw_close(&w);
    }
    jw_close_array(&w);
    jw_raw(&w, "payload", d->payload);
    jw_close(&w);
}

static const char *read_limit(struct fg_str text, void *into)
{
    uint64_t n;
    if (!scan_all_u64(text, DELIVERY_LIST_MAX, &n) || n == 0)
        return "must be a whole number from 1 to 100";
    ((struct delivery_query *)into)->limit = (int)n;
    return NULL;
}

static const char *read_cursor(struct fg_str text, void *into)
{
    ((struct delivery_query *)into)->cursor = text;
    return text.n ? NULL : "must be the nextCursor of an answer";
}

static const char *read_endpoint(struct fg_str text, void *into)
{
    ((struct delivery_query *)into)->endpoint = text;
    return text.n ? NULL : "must be the id of an endpoint";
}

static const char *read_job(struct fg_str text, void *into)
{
    ((struct delivery_query *)into)->job = text;
    return text.n ? NULL : "must be the id of a job";
}

static const char *read_state(struct fg_str text, void *into)
{
    return delivery_state_by_name(text, &((struct delivery_query *)into)->state)
               ? NULL
               : "must be pending, delivered, failed or canceled";
}

static const struct query_param params[] = {
    { "limit", read_limit }, { "cursor", read_cursor }, { "endpoint", read_endpoint },
    { "job", read_job },     { "state", read_state },
};

enum fg_code deliveries_list(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct delivery_query q = { .limit = 0 };
    struct delivery_list list;
    enum fg_code rc = query_read(cx, req, params, FG_LEN(params), &q);
    if (rc == FG_OK)
        rc = delivery_list(cx, app->db, req->who.account_id, &q, &list);
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_open_array(&w, "data");
    for (size_t i = 0; i < list.n; i++) {
        jw_open(&w, NULL);
        add_delivery(&w, &list.row[i]);
        jw_close(&w);
    }
    jw_close_array(&w);
    jw_str(&w, "nextCursor", list.next_cursor);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

enum fg_code deliveries_get(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct delivery_detail d;
    enum fg_code rc = delivery_read(cx, app->db, req->who.account_id, req->arg[0], &d);
    if (rc != FG_OK)
        return rc;
    deliveries_detail_json(&resp->body, &d);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}

enum fg_code deliveries_redeliver(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct delivery_detail d;
    enum fg_code rc = delivery_again(cx, app->db, req->who.account_id, req->arg[0], &d);
    if (rc != FG_OK)
        return rc;
    wake_send(app->wake_fd, app->conf);
    resp->status = 202;
    deliveries_detail_json(&resp->body, &d);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}
