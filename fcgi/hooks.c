#include "handlers.h"

/* Whatever the token is worth is told by the verdict that core keeps; a provider only learns the
 * status. */
enum fg_code hooks_post(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                        struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct callback_in in = {
        .provider = req->arg[0],
        .token = req->arg[1],
        .webhook_id = req->header[WEB_WEBHOOK_ID],
        .webhook_timestamp = req->header[WEB_WEBHOOK_TIMESTAMP],
        .webhook_signature = req->header[WEB_WEBHOOK_SIGNATURE],
        .body = req->body,
    };
    resp->status = 204;
    return job_callback(cx, &env, &in);
}
