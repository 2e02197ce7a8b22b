/* /v1/admin/overview: how everything stands. */
#include "handlers.h"
#include "job/overview.h"

enum fg_code admin_overview(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    (void)req;
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return overview_json(cx, &env, &resp->body);
}
