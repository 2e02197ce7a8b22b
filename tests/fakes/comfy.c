#include "fakes/comfy.h"

#include <stdio.h>

#include "fakes/picture.h"

static bool asks(const char *request, const char *method_and_path)
{
    return strncmp(request, method_and_path, strlen(method_and_path)) == 0;
}

/* The text member of that name, wherever it is. */
static void member(const char *request, const char *name, char out[COMFY_ID_MAX])
{
    char start[32];
    (void)snprintf(start, sizeof start, "\"%s\":\"", name);
    const char *p = strstr(request, start), *end = p ? strchr(p + strlen(start), '"') : NULL;
    (void)snprintf(out, COMFY_ID_MAX, "%.*s", end ? (int)(end - p - (ptrdiff_t)strlen(start)) : 0,
                   p ? p + strlen(start) : "");
}

static unsigned find(const struct comfy *c, const char *id)
{
    unsigned i = 0;
    while (i < c->n && strcmp(c->run[i].id, id))
        i++;
    return i;
}

/* A known id is replaced, as there; nobody here sends one twice but by mistake, which is another bill. */
static int take(struct comfy *c, const char *request, char *buf, size_t max)
{
    FG_ASSERT(c->n < COMFY_RUNS_MAX);
    const char *id = c->run[c->n++].id;
    member(request, "prompt_id", c->run[c->n - 1].id);
    return snprintf(buf, max, "{\"prompt_id\":\"%s\",\"number\":%u,\"node_errors\":{}}", id, c->n);
}

static int queue(const struct comfy *c, char *buf, size_t max)
{
    bool runs = c->stuck && c->n && !c->run[c->n - 1].interrupted;
    if (!runs)
        return snprintf(buf, max, "{\"queue_running\":[],\"queue_pending\":[]}");
    return snprintf(buf, max, "{\"queue_running\":[[%u,\"%s\",{}]],\"queue_pending\":[]}", c->n, c->run[c->n - 1].id);
}

static int history(const struct comfy *c, const char *request, char *buf, size_t max)
{
    char id[COMFY_ID_MAX];
    (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(request + 19, " "), request + 19);
    unsigned i = find(c, id);
    if (i == c->n || (c->stuck && !c->run[i].interrupted))
        return snprintf(buf, max, "{}");
    if (c->run[i].interrupted)
        return snprintf(buf, max, "{\"%s\":{\"status\":{\"status_str\":\"error\",\"messages\":[[\"execution_interrupted\","
                        "{}]]},\"outputs\":{}}}", id);
    return snprintf(buf, max, "{\"%s\":{\"status\":{\"status_str\":\"success\"},\"outputs\":{\"2\":{\"images\":["
                    "{\"filename\":\"a.mp4\",\"subfolder\":\"\",\"type\":\"output\"}]}}}}", id);
}

static int interrupt(struct comfy *c, const char *request, char *buf, size_t max)
{
    char id[COMFY_ID_MAX];
    member(request, "prompt_id", id);
    unsigned i = find(c, id);
    if (i < c->n)
        c->run[i].interrupted = true;
    return snprintf(buf, max, "{}");
}

struct fg_str comfy_answer(struct comfy *c, const char *request, struct fg_str file, char *buf, size_t max)
{
    int n;
    if (asks(request, "GET /comfy/picture.png ") || asks(request, "GET /comfy/picture.png?"))
        return PICTURE_PNG;
    if (asks(request, "GET /comfy/keys "))
        return FG_LIT("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwaaPJHURuo\"}]}");
    if (asks(request, "GET /comfy/view?"))
        return file;
    if (asks(request, "POST /comfy/upload/image "))
        return FG_LIT("{\"name\":\"picture.png\",\"subfolder\":\"\",\"type\":\"input\"}");
    if (asks(request, "POST /comfy/prompt "))
        n = take(c, request, buf, max);
    else if (asks(request, "GET /comfy/queue "))
        n = queue(c, buf, max);
    else if (asks(request, "GET /comfy/history/"))
        n = history(c, request, buf, max);
    else if (asks(request, "POST /comfy/interrupt "))
        n = interrupt(c, request, buf, max);
    else
        FG_ASSERT(!"a request that no sheet knows");
    FG_ASSERT(n > 0 && (size_t)n < max);
    return (struct fg_str){ buf, (size_t)n };
}
