#include "web/web_world.h"

#include <stdio.h>

#include "app.h"
#include "base/arena.h"
#include "cli/migrations.h"

/* Time limits are real, and the test can move the clock on top of that. */
static int64_t moved_mono(void *self)
{
    const struct fg_env *real = env_real();
    return real->mono_us(real->self) + ((struct t_world *)self)->mono_us;
}

static void configure(struct web_world *w)
{
    w->conf.auth_pepper =
        FG_LIT("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    w->conf.catalogue_file = FG_LIT("core/provider/catalogue.json");
    w->conf.provider[0] =
        (struct conf_provider){ .name = FG_LIT("studio"),
                                .key = FG_LIT("k"),
                                .webhook_secrets = FG_LIT("whsec_MDEyMzQ1Njc4OWFiY2RlZg==") };
    w->conf.provider_n = 1;
    w->t.env.mono_us = moved_mono;
}

void web_begin(struct web_world *w)
{
    size_t applied;
    *w = (struct web_world){ .cx = &w->t.cx };
    db_server_start();
    db_server_begin(&w->t, &w->conf);
    configure(w);
    CHECK_CODE(w->cx, migrate(w->cx, &w->conf, migrations, migration_n, &applied), FG_OK);
    CHECK_CODE(w->cx, db_open(w->cx, &w->cli, &w->conf, DB_CLI), FG_OK);
    CHECK_CODE(w->cx, db_open(w->cx, &w->script, &w->conf, DB_NONE), FG_OK);
    web_script(
        w,
        arena_fmt(w->cx->mem, "USE `%.*s`", FG_P(w->conf.db_name)).p); /* it chooses none itself */
    CHECK_CODE(w->cx, app_open(w->cx, &w->conf, "api", &w->app), FG_OK);
    w->cx->request_id = FG_LIT("req-1");
    CHECK_CODE(w->cx, account_create(w->cx, w->cli, FG_LIT("Acme"), &w->account), FG_OK);
    w->key = web_new_key(w, w->account, ROLE_APP, NULL);
}

void web_end(struct web_world *w, unsigned expected_error_lines)
{
    app_close(w->app);
    db_close(w->script);
    db_close(w->cli);
    t_end(&w->t, expected_error_lines);
}

struct web_req web_request(const char *method, struct fg_str target, struct fg_str key,
                           struct fg_str body)
{
    static char bearer[256];
    struct web_req req = { .method = fg_str_c(method), .path = target, .body = body };
    const char *mark = memchr(target.p, '?', target.n);
    if (mark) {
        req.path.n = (size_t)(mark - target.p);
        req.query = (struct fg_str){ mark + 1, target.n - req.path.n - 1 };
    }
    if (key.p) {
        int n = snprintf(bearer, sizeof bearer, "Bearer %.*s", FG_P(key));
        req.header[WEB_AUTHORIZATION] = (struct fg_str){ bearer, (size_t)n };
    }
    if (body.p)
        req.content_type = FG_LIT("application/json; charset=utf-8");
    return req;
}

int web_send(struct web_world *w, struct web_req *req)
{
    web_answer(w->cx, w->app, req, &w->resp);
    return w->resp.status;
}

int web_call(struct web_world *w, const char *method, struct fg_str target, const char *body)
{
    struct web_req req = web_request(method, target, w->key, fg_str_c(body));
    return web_send(w, &req);
}

struct fg_str web_got(const struct web_world *w, const char *header)
{
    for (unsigned i = 0; i < w->resp.header_n; i++)
        if (fg_eq(w->resp.header[i].name, fg_str_c(header)))
            return w->resp.header[i].value;
    return FG_NONE;
}

const struct js *web_json(struct web_world *w)
{
    const struct js *root = NULL;
    CHECK_CODE(w->cx, js_parse(w->cx, sb_str(&w->resp.body), &root), FG_OK);
    return root;
}

static struct fg_str text_of(const struct js *object, const char *member)
{
    struct fg_str s;
    return js_str(js_get(object, member), &s) ? s : FG_NONE;
}

struct fg_str web_text(struct web_world *w, const char *member)
{
    return text_of(web_json(w), member);
}

int64_t web_number(struct web_world *w, const char *member)
{
    int64_t n = 0;
    CHECK(js_i64(js_get(web_json(w), member), &n), member);
    return n;
}

size_t web_data_n(struct web_world *w)
{
    const struct js *data = js_get(web_json(w), "data");
    CHECK(js_type(data) == JS_ARRAY, "data is an array");
    return js_len(data);
}

struct fg_str web_data_text(struct web_world *w, size_t i, const char *member)
{
    return text_of(js_at(js_get(web_json(w), "data"), i), member);
}

void web_script(struct web_world *w, const char *sql)
{
    CHECK_CODE(w->cx, db_script(w->cx, w->script, fg_str_c(sql)), FG_OK);
}

void web_holds(struct web_world *w, const char *condition, const char *why)
{
    struct fg_str sql = arena_fmt(w->cx->mem, "BEGIN NOT ATOMIC IF NOT (%s) THEN SIGNAL SQLSTATE '45000'; END IF; END",
                                  condition);
    t_check(db_script(w->cx, w->script, sql) == FG_OK, condition, why, __FILE__, __LINE__);
}

struct fg_str web_new_key(struct web_world *w, struct fg_str account, enum role role,
                          const char *user)
{
    struct fg_str key = FG_NONE;
    CHECK_CODE(
        w->cx,
        key_create(w->cx, w->cli, w->app->pepper, account, role, fg_str_c(user), FG_NONE, &key),
        FG_OK);
    return key;
}

struct fg_str web_new_job(struct web_world *w)
{
    CHECK_I64(web_call(w, "POST", FG_LIT("/v1/jobs"),
                       "{\"prompt\":\"a red kite\",\"aspectRatio\":\"16:9\",\"duration\":5}"),
              202, "a good request");
    return web_text(w, "id");
}

void web_finish_job(struct web_world *w, struct fg_str id)
{
    web_script(
        w,
        arena_fmt(
            w->cx->mem,
            "UPDATE job SET state = 4, stage = 0, output_state = 1, version = version + 1, started_us = %lld, "
            "finished_us = %lld, updated_us = %lld WHERE public_id = '%.*s';"
            "INSERT INTO output (job_id, video_file, poster_file, bytes, digest, width, height, duration_ms, stored_us, deleted_us) SELECT id, CONCAT('ab/', public_id, '.mp4'), "
            "CONCAT('ab/', public_id, '.jpg'), 1000, REPEAT('d', 32), 640, 360, 5000, %lld, NULL "
            "FROM job WHERE public_id = '%.*s';"
            "DELETE FROM due WHERE job_id IN (SELECT id FROM job WHERE public_id = '%.*s')",
            (long long)w->t.utc_us, (long long)w->t.utc_us, (long long)w->t.utc_us, FG_P(id),
            (long long)w->t.utc_us, FG_P(id), FG_P(id))
            .p);
}
