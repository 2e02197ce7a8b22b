/* /v1/users/{userId}: an app's end user is to be forgotten. */
#include "handlers.h"
#include "io/json.h"
#include "job/wake.h"

enum fg_code users_erase(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                         struct web_resp *resp)
{
    struct erasure e;
    enum fg_code rc = erasure_ask(cx, app->db, req->who.account_id, req->arg[0], &e);
    if (rc != FG_OK)
        return rc;
    wake_send(app->wake_fd, app->conf);
    resp->status = 202;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_str(&w, "id", e.public_id);
    jw_str(&w, "userId", req->arg[0]);
    jw_i64(&w, "jobsErased", e.jobs_n);
    jw_time(&w, "createdAt", e.created_us);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return FG_OK;
}
