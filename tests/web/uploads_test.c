/* Pictures that are sent: what is taken and kept once, whose they are, what a job does with one, and how they go. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/time.h"
#include "fakes/picture.h"
#include "job/upload.h"
#include "web/web_world.h"

struct uploads {
    struct web_world w;
    struct fg_ctx *cx;
    const char *root;
};

static void begin(struct uploads *u)
{
    static unsigned n;
    web_begin(&u->w);
    u->cx = u->w.cx;
    u->root = arena_fmt(u->cx->mem, "%s/uploads-%u", db_server_dir(), n++).p;
    u->w.conf.media_root = fg_str_c(u->root);
}

static void end(struct uploads *u)
{
    web_end(&u->w, 0);
}

/* In the folders whose names begin so, "tmp" or none but that. */
static unsigned files(struct uploads *u, bool spooled)
{
    unsigned n = 0;
    DIR *d = opendir(u->root);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.' || (strcmp(e->d_name, "tmp") == 0) != spooled)
            continue;
        DIR *in = opendir(arena_fmt(u->cx->mem, "%s/%s", u->root, e->d_name).p);
        for (struct dirent *f; in && (f = readdir(in));)
            n += f->d_name[0] != '.';
        if (in)
            closedir(in);
    }
    if (d)
        closedir(d);
    return n;
}

static int send_as(struct uploads *u, struct fg_str key, const char *target, const char *type, struct fg_str body)
{
    struct web_req req = web_request("POST", fg_str_c(target), key, body);
    req.content_type = fg_str_c(type);
    return web_send(&u->w, &req);
}

static int send(struct uploads *u, struct fg_str body)
{
    return send_as(u, u->w.key, "/v1/uploads", "application/octet-stream", body);
}

static struct fg_str upload(struct uploads *u, struct fg_str body)
{
    CHECK_I64(send(u, body), 201, "taken");
    return web_text(&u->w, "id");
}

static struct fg_str path_of(struct uploads *u, struct fg_str id)
{
    return arena_fmt(u->cx->mem, "/v1/uploads/%.*s", FG_P(id));
}

static struct fg_str form(struct uploads *u, const char *before, struct fg_str file)
{
    struct sb b = sb_in(u->cx->mem, FG_MIB);
    sb_addf(&b, "%s--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.gif\"\r\n"
                "Content-Type: image/gif\r\n\r\n", before);
    sb_add(&b, file);
    sb_add(&b, FG_LIT("\r\n--b--\r\n"));
    return sb_str(&b);
}
#define FORM "multipart/form-data; boundary=b"

TEST(a_picture_is_taken_as_a_body_or_in_a_form_and_kept_once)
{
    struct uploads u;
    begin(&u);
    struct fg_str id = upload(&u, PICTURE_JPEG);
    CHECK(id_valid(id, UPLOAD_ID), "an id of its own");
    CHECK_STR(web_got(&u.w, "Location"), path_of(&u, id), "and where it is");
    CHECK_IS(web_text(&u.w, "type"), "image/jpeg", "by content, whatever was said");
    CHECK_I64(web_number(&u.w, "width"), 16, "its size");
    CHECK_I64(web_number(&u.w, "height"), 8, "its size");
    CHECK(web_text(&u.w, "url").p && web_text(&u.w, "thumbnailUrl").p && web_text(&u.w, "createdAt").p, "links");
    CHECK_STR(web_text(&u.w, "expiresAt"), time_iso(u.cx->mem, u.w.t.utc_us + 24 * 3600 * FG_US_PER_S), "unless it is used");
    CHECK_I64(files(&u, false), 2, "picture and thumbnail");
    CHECK_I64(send(&u, PICTURE_JPEG), 200, "again");
    CHECK_STR(web_text(&u.w, "id"), id, "the same");
    CHECK_I64(send_as(&u, u.w.key, "/v1/uploads", FORM, form(&u, "", PICTURE_JPEG)), 200, "in a form");
    CHECK_STR(web_text(&u.w, "id"), id, "the same");
    CHECK_I64(send_as(&u, u.w.key, "/v1/uploads", FORM,
                      form(&u, "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n", PICTURE_PNG)), 201, "another");
    CHECK_I64(files(&u, false), 4, "two of each");
    CHECK_I64(files(&u, true), 0, "nothing else");
    web_holds(&u.w, "(SELECT storage_bytes FROM account_use) = (SELECT SUM(bytes) FROM upload)", "counted, once each");
    CHECK_I64(web_call(&u.w, "GET", path_of(&u, id), NULL), 200, "to be seen");
    CHECK_STR(web_text(&u.w, "id"), id, "the same");
    end(&u);
}

TEST(a_body_that_nginx_has_put_into_a_file_is_read_from_there)
{
    struct uploads u;
    begin(&u);
    const char *path = arena_fmt(u.cx->mem, "%s.body", u.root).p;
    struct fg_str bytes = PICTURE_PNG;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n, "as nginx does");
    close(fd);
    struct web_req req = web_request("POST", FG_LIT("/v1/uploads"), u.w.key, FG_NONE);
    req.body_file = fg_str_c(path);
    req.body_bytes = (int64_t)bytes.n;
    CHECK_I64(web_send(&u.w, &req), 201, "taken");
    CHECK(access(path, F_OK) == 0, "whose it is removes it");
    end(&u);
}

TEST(what_is_not_taken)
{
    struct uploads u;
    begin(&u);
    u.w.conf.media_upload_bytes = 1000;
    char *large = arena_get(u.cx->mem, 1001);
    memcpy(large, PICTURE_PNG.p, PICTURE_PNG.n);
    const struct {
        const char *type;
        struct fg_str body;
        int want;
        const char *code;
    } row[] = {
        { "image/png", FG_LIT("GIF89a and more of it"), 415, "unsupported_image" },
        { "image/png", FG_LIT(""), 422, "invalid_image" },
        { "image/png", { PICTURE_PNG.p, PICTURE_PNG.n - 20 }, 422, "invalid_image" },
        { "image/png", { large, 1001 }, 413, "too_large" },
        { FORM, FG_LIT("--b--\r\n"), 400, "invalid_request" },
        { FORM, PICTURE_PNG, 400, "invalid_request" },
        { FORM, form(&u, "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n", PICTURE_PNG), 400, "invalid_request" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_I64(send_as(&u, u.w.key, "/v1/uploads", row[i].type, row[i].body), row[i].want, row[i].code);
        CHECK_STR(web_text(&u.w, "code"), fg_str_c(row[i].code), "in words");
    }
    web_script(&u.w, "UPDATE plan SET upload_bytes = 90");
    CHECK_I64(send(&u, PICTURE_PNG), 403, "not with this plan");
    CHECK_IS(web_text(&u.w, "code"), "plan_limit", "in words");
    web_script(&u.w, "UPDATE plan SET upload_bytes = NULL, storage_bytes = 100");
    CHECK_I64(send(&u, PICTURE_JPEG), 409, "no room for it");
    CHECK_IS(web_text(&u.w, "code"), "storage_limit", "in words");
    CHECK_I64(send_as(&u, FG_NONE, "/v1/uploads", "image/png", PICTURE_PNG), 401, "nobody's");
    CHECK_I64(send_as(&u, u.w.key, "/v1/uploads?user=x", "image/png", PICTURE_PNG), 400, "a misspelt parameter");
    web_holds(&u.w, "(SELECT storage_bytes FROM account_use) = 0", "nothing is counted");
    web_holds(&u.w, "(SELECT COUNT(*) FROM upload WHERE digest IS NOT NULL) = 0", "nor kept");
    CHECK_I64(files(&u, true), 0, "nor left over");
    end(&u);
}

TEST(each_user_sees_their_own)
{
    struct uploads u;
    begin(&u);
    struct fg_str ann = web_new_key(&u.w, u.w.account, ROLE_USER, "ann"), bob = web_new_key(&u.w, u.w.account, ROLE_USER, "bob");
    struct fg_str other, stranger;
    CHECK_CODE(u.cx, account_create(u.cx, u.w.cli, FG_LIT("Other"), &other), FG_OK);
    stranger = web_new_key(&u.w, other, ROLE_APP, NULL);
    CHECK_I64(send_as(&u, ann, "/v1/uploads", "image/png", PICTURE_PNG), 201, "hers");
    struct fg_str id = web_text(&u.w, "id");
    CHECK_IS(web_text(&u.w, "userId"), "ann", "and says so");
    CHECK_I64(send_as(&u, bob, "/v1/uploads", "image/png", PICTURE_PNG), 201, "the same picture is another upload of his");
    CHECK_I64(send_as(&u, bob, "/v1/uploads?userId=ann", "image/png", PICTURE_PNG), 403, "he cannot store for her");
    CHECK_I64(send_as(&u, u.w.key, "/v1/uploads?userId=ann", "image/png", PICTURE_PNG), 200, "her app can");
    CHECK_STR(web_text(&u.w, "id"), id, "it is hers");
    const struct {
        struct fg_str key;
        int want;
    } row[] = { { ann, 200 }, { u.w.key, 200 }, { bob, 404 }, { stranger, 404 } };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct web_req get = web_request("GET", path_of(&u, id), row[i].key, FG_NONE);
        CHECK_I64(web_send(&u.w, &get), row[i].want, "who may look");
    }
    struct web_req drop = web_request("DELETE", path_of(&u, id), bob, FG_NONE);
    CHECK_I64(web_send(&u.w, &drop), 404, "nor delete");
    struct web_req job = web_request("POST", FG_LIT("/v1/jobs"), bob,
        arena_fmt(u.cx->mem, "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":5,\"uploadId\":\"%.*s\"}", FG_P(id)));
    CHECK_I64(web_send(&u.w, &job), 400, "nor use");
    end(&u);
}

static struct fg_str job_body(struct uploads *u, struct fg_str id, const char *more)
{
    return arena_fmt(u->cx->mem, "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":5,\"uploadId\":\"%.*s\"%s}", FG_P(id), more);
}

TEST(a_job_names_it_keeps_it_and_needs_it)
{
    struct uploads u;
    begin(&u);
    struct fg_str id = upload(&u, PICTURE_PNG);
    web_script(&u.w, "UPDATE plan SET upload_days = 3");
    u.w.conf.limits_duplicate_window_s = 30;
    CHECK_I64(web_call(&u.w, "POST", FG_LIT("/v1/jobs"), job_body(&u, id, "").p), 202, "a job of it");
    CHECK_STR(web_text(&u.w, "uploadId"), id, "names it");
    CHECK(!web_text(&u.w, "imageUrl").p, "and no address");
    CHECK_IS(web_text(&u.w, "stage"), "waiting", "there is nothing to fetch");
    web_holds(&u.w, "(SELECT u.expires_us = j.deadline_us + 3 * 86400000000 FROM job j JOIN upload u ON u.public_id = j.upload)",
              "kept as long as the plan says");
    CHECK_I64(web_call(&u.w, "POST", FG_LIT("/v1/jobs"), job_body(&u, id, "").p), 409, "the same intent");
    CHECK_I64(web_call(&u.w, "DELETE", path_of(&u, id), NULL), 409, "needed");
    CHECK_IS(web_text(&u.w, "code"), "upload_in_use", "in words");
    web_script(&u.w, "UPDATE job SET state = 5, stage = 0, error_code = 'canceled', finished_us = updated_us");
    CHECK_I64(web_call(&u.w, "DELETE", path_of(&u, id), NULL), 204, "no longer");
    CHECK_I64(web_call(&u.w, "DELETE", path_of(&u, id), NULL), 204, "twice is fine");
    CHECK_I64(web_call(&u.w, "GET", path_of(&u, id), NULL), 410, "gone");
    web_holds(&u.w, "(SELECT storage_bytes FROM account_use) = 0", "no longer counted");
    CHECK_I64(web_call(&u.w, "POST", FG_LIT("/v1/jobs"), job_body(&u, id, ",\"allowDuplicate\":true").p), 400, "no job of it");
    CHECK(strstr(sb_cstr(&u.w.resp.body), "/uploadId"), "and says which field");
    CHECK_I64(send(&u, PICTURE_PNG), 201, "the same picture is another one then");
    CHECK(!fg_eq(web_text(&u.w, "id"), id), "with an id of its own");
    end(&u);
}

TEST(a_request_names_one_picture_and_one_that_is_there)
{
    static const char *const more[] = { ",\"imageUrl\":\"https://x.example/a.png\"", ",\"uploadId2\":1" };
    struct uploads u;
    begin(&u);
    struct fg_str id = upload(&u, PICTURE_PNG);
    for (size_t i = 0; i < FG_LEN(more); i++)
        CHECK_I64(web_call(&u.w, "POST", FG_LIT("/v1/quotes"), job_body(&u, id, more[i]).p), 400, more[i]);
    CHECK_I64(web_call(&u.w, "POST", FG_LIT("/v1/quotes"), job_body(&u, id, "").p), 200, "alone it is fine");
    CHECK_I64(web_call(&u.w, "POST", FG_LIT("/v1/quotes"), job_body(&u, FG_LIT("upl_00000000000000000000000000"), "").p), 400, "none");
    CHECK_I64(web_call(&u.w, "POST", FG_LIT("/v1/quotes"), job_body(&u, FG_LIT("job'"), "").p), 400, "no id at all");
    CHECK_I64(web_call(&u.w, "POST", FG_LIT("/v1/jobs"),
                       job_body(&u, id, ",\"model\":\"runway-gen-4-turbo\"").p) != 0, 1, "a model that wants one takes it");
    CHECK(!strstr(sb_cstr(&u.w.resp.body), "needs a reference image"), "it has one");
    end(&u);
}

static int follow(struct uploads *u, struct fg_str url)
{
    struct fg_str base = u->w.conf.server_public_url;
    CHECK(fg_starts(url, base), "links are absolute");
    struct web_req req = web_request("GET", (struct fg_str){ url.p + base.n, url.n - base.n }, FG_NONE, FG_NONE);
    return web_send(&u->w, &req);
}

TEST(links_lead_to_its_files_without_a_key)
{
    struct uploads u;
    begin(&u);
    struct fg_str id = upload(&u, PICTURE_WEBP);
    struct fg_str url = web_text(&u.w, "url"), thumb = web_text(&u.w, "thumbnailUrl");
    CHECK_I64(follow(&u, url), 200, "the picture");
    CHECK_IS(u.w.resp.content_type, "image/webp", "as what it is");
    CHECK(fg_starts(web_got(&u.w, "X-Accel-Redirect"), FG_LIT("/_store/")), "nginx sends it");
    CHECK_I64(follow(&u, thumb), 200, "the small one");
    CHECK_IS(u.w.resp.content_type, "image/jpeg", "as what it is");
    char *other = arena_cstr(u.cx->mem, url);
    memcpy(strstr(other, "/image?"), "/thumb?", 7);
    CHECK_I64(follow(&u, fg_str_c(other)), 403, "a link is for one of them");
    memcpy(strstr(other, "/thumb?"), "/video?", 7);
    CHECK_I64(follow(&u, fg_str_c(other)), 404, "and there are no others");
    CHECK_I64(web_call(&u.w, "DELETE", path_of(&u, id), NULL), 204, "deleted");
    CHECK_I64(follow(&u, url), 410, "and gone at once");
    end(&u);
}
