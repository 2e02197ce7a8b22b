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
        .headers = {
            .webhook_id = req->header[WEB_WEBHOOK_ID],
            .webhook_timestamp = req->header[WEB_WEBHOOK_TIMESTAMP],
            .webhook_signature = req->header[WEB_WEBHOOK_SIGNATURE],
            .fal_request_id = req->header[WEB_FAL_REQUEST_ID],
            .fal_user_id = req->header[WEB_FAL_USER_ID],
            .fal_timestamp = req->header[WEB_FAL_TIMESTAMP],
            .fal_signature = req->header[WEB_FAL_SIGNATURE],
        },
        .body = req->body,
    };
    struct callback_out out;
    enum fg_code rc = job_callback(cx, &env, &in, &out);
    if (rc != FG_OK)
        return rc;
    /* 200 and nothing else: to Luma even a 204 is a failure. */
    sb_add(&resp->body, out.answer.p ? out.answer : FG_LIT("{\"received\":true}"));
    return FG_OK;
}
