#include "fcgx.h"

#include <errno.h>
#include <fcntl.h>
#include <fcgiapp.h>

#include "base/arena.h"
#include "base/scan.h"

#define HEAD_MAX (16 * FG_KIB) /* nginx's fastcgi_buffer_size: a longer head would be its 502 */
#define DRAIN_PIECE 8192
#define BODY_ANNOUNCED_MAX (UINT64_C(1) << 40)

struct fcgx {
    FCGX_Request req;
};

struct fcgx *fcgx_open(void)
{
    if (FCGX_Init() != 0 || FCGX_IsCGI())
        return NULL;
    int flags = fcntl(0, F_GETFL);
    if (flags < 0 || fcntl(0, F_SETFL, flags | O_NONBLOCK) != 0)
        return NULL;
    struct fcgx *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    if (FCGX_InitRequest(&f->req, 0, 0) != 0) {
        free(f);
        return NULL;
    }
    return f;
}

void fcgx_close(struct fcgx *f)
{
    FCGX_Free(&f->req, 1);
    free(f);
}

enum fcgx_turn fcgx_accept(struct fcgx *f)
{
    int rc = FCGX_Accept_r(&f->req);
    if (rc >= 0)
        return FCGX_REQUEST;
    if (rc == -EAGAIN || rc == -EWOULDBLOCK || rc == -EINTR || rc == -ECONNABORTED)
        return FCGX_NOTHING;
    errno = rc > -4096 ? -rc : EPROTO;
    return FCGX_BROKEN;
}

/* A body counts only whole: what arrived before the client went away must not run as a request. */
static bool read_body(struct fg_ctx *cx, struct web_req *req)
{
    struct fcgx *f = req->source;
    size_t n = (size_t)req->body_bytes, got = 0;
    FG_ASSERT(req->body_bytes > 0 && req->body_bytes < INT32_MAX);
    char *p = arena_get(cx->mem, n + 1);
    while (got < n) {
        int r = FCGX_GetStr(p + got, (int)(n - got), f->req.in);
        if (r <= 0)
            break;
        got += (size_t)r;
    }
    if (got != n || FCGX_GetError(f->req.in) != 0)
        return false;
    req->body = (struct fg_str){ p, n };
    return true;
}

struct param {
    const char *name;
    size_t n;
    size_t at;  /* of a struct fg_str in web_req */
    int header; /* of WEB_HEADER_LIST, or -1 */
};

#define P(text, field) { text, sizeof text - 1, offsetof(struct web_req, field), -1 },
#define X(sym, text) \
    { text, sizeof text - 1, offsetof(struct web_req, header[WEB_##sym]), WEB_##sym },
static const struct param params[] = { P("REQUEST_METHOD", method) P("DOCUMENT_URI", path)
                                           P("QUERY_STRING", query) P("CONTENT_TYPE", content_type)
                                               P("REMOTE_ADDR", remote_addr)
                                                   P("REQUEST_BODY_FILE", body_file)
                                                       WEB_HEADER_LIST(X) };
#undef X
#undef P

static bool is_name(struct fg_str have, const char *name, size_t n)
{
    return have.n == n && memcmp(have.p, name, n) == 0;
}

/* nginx passes a repeated request header as a repeated parameter: the first counts, the second is
 * told. */
static void take(struct web_req *req, struct fg_str name, struct fg_str value)
{
    for (size_t i = 0; i < FG_LEN(params); i++) {
        const struct param *p = &params[i];
        if (!is_name(name, p->name, p->n))
            continue;
        struct fg_str *to = (struct fg_str *)(void *)((char *)req + p->at);
        if (!to->p)
            *to = value;
        else if (p->header >= 0)
            req->header_twice[p->header] = true;
        return;
    }
}

void fcgx_read(struct fg_ctx *cx, struct fcgx *f, struct web_req *req)
{
    struct fg_str length = FG_NONE;
    *req = (struct web_req){ .read_body = read_body, .source = f };
    cx->request_id = FG_NONE;
    for (char **e = f->req.envp; *e; e++) {
        const char *eq = strchr(*e, '=');
        if (!eq)
            continue;
        struct fg_str name = { *e, (size_t)(eq - *e) }, value = fg_str_c(eq + 1);
        if (is_name(name, "CONTENT_LENGTH", 14))
            length = value;
        else if (is_name(name, "REQUEST_ID", 10))
            cx->request_id = value;
        else
            take(req, name, value);
    }
    uint64_t bytes = 0;
    if (length.n && !scan_all_u64(length, BODY_ANNOUNCED_MAX, &bytes))
        req->body_bytes = -1;
    else
        req->body_bytes = (int64_t)bytes;
}

static void put(struct fcgx *f, struct fg_str s)
{
    /* A failure means that nginx hung up: nobody is left to tell. */
    if (s.n)
        (void)FCGX_PutStr(s.p, (int)s.n, f->req.out);
}

void fcgx_answer(struct fg_ctx *cx, struct fcgx *f, const struct web_resp *resp)
{
    if (resp->status == 0)
        return;
    struct sb head = sb_in(cx->mem, HEAD_MAX);
    sb_add(&head, FG_LIT("Status: "));
    sb_add_i64(&head, resp->status);
    if (resp->content_type.n) {
        sb_add(&head, FG_LIT("\r\nContent-Type: "));
        sb_add(&head, resp->content_type);
    }
    for (unsigned i = 0; i < resp->header_n; i++) {
        sb_add(&head, FG_LIT("\r\n"));
        sb_add(&head, resp->header[i].name);
        sb_add(&head, FG_LIT(": "));
        sb_add(&head, resp->header[i].value);
    }
    if (resp->body.n) {
        sb_add(&head, FG_LIT("\r\nContent-Length: "));
        sb_add_i64(&head, (int64_t)resp->body.n);
    }
    sb_add(&head, FG_LIT("\r\n\r\n"));
    FG_ASSERT(!head.bad && resp->body.n <= INT32_MAX);
    put(f, sb_str(&head));
    put(f, sb_str(&resp->body));
}

void fcgx_end(struct fcgx *f)
{
    char piece[DRAIN_PIECE];
    while (FCGX_GetStr(piece, sizeof piece, f->req.in) > 0)
        continue;
    f->req.keepConnection = 0;
    FCGX_Finish_r(&f->req);
}
