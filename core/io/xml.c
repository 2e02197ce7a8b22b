#include "io/xml.h"

#include <expat.h>
#include <limits.h>

struct level {
    size_t path_n; /* of the path without this element */
    size_t text_n; /* where its text begins */
};

struct reading {
    XML_Parser parser;
    xml_element *told;
    void *arg;
    const char *wrong;
    unsigned depth;
    struct level level[XML_DEPTH_MAX];
    char path[XML_PATH_MAX + 1], text[XML_TEXT_MAX];
    size_t path_n, text_n;
};

static void stop(struct reading *r, const char *wrong)
{
    r->wrong = wrong;
    XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = arg;
    (void)attributes;
    if (r->wrong)
        return;
    const char *colon = strrchr(name, ':');
    const char *own = colon ? colon + 1 : name;
    size_t n = strlen(own);
    if (r->depth == XML_DEPTH_MAX || n + 1 > XML_PATH_MAX - r->path_n) {
        stop(r, "too deep");
        return;
    }
    r->level[r->depth++] = (struct level){ r->path_n, r->text_n };
    r->path[r->path_n] = '/';
    memcpy(r->path + r->path_n + 1, own, n + 1);
    r->path_n += n + 1;
}

static void XMLCALL on_text(void *arg, const XML_Char *p, int n)
{
    struct reading *r = arg;
    if (r->wrong)
        return;
    if ((size_t)n > XML_TEXT_MAX - r->text_n) {
        stop(r, "too long a text");
        return;
    }
    memcpy(r->text + r->text_n, p, (size_t)n);
    r->text_n += (size_t)n;
}

/* The text of what was inside is gone by now: what is left is its own. */
static void XMLCALL on_end(void *arg, const XML_Char *name)
{
    struct reading *r = arg;
    (void)name;
    if (r->wrong) /* expat still tells the end of an empty element at whose start it was stopped */
        return;
    struct level l = r->level[--r->depth];
    r->told(r->arg, r->path, (struct fg_str){ r->text + l.text_n, r->text_n - l.text_n });
    r->text_n = l.text_n;
    r->path_n = l.path_n;
    r->path[r->path_n] = '\0';
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id, int own)
{
    (void)name, (void)system_id, (void)public_id, (void)own;
    stop(arg, "a DOCTYPE");
}

enum fg_code xml_read(struct fg_ctx *cx, struct fg_str text, xml_element *told, void *arg)
{
    struct reading r = { .told = told, .arg = arg, .parser = XML_ParserCreate("UTF-8") };
    FG_ASSERT(r.parser && text.n <= INT_MAX);
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    enum fg_code rc = FG_OK;
    if (XML_Parse(r.parser, text.p ? text.p : "", (int)text.n, XML_TRUE) != XML_STATUS_OK)
        rc = fg_fail(cx, FG_INVALID_REQUEST, "not XML as we take it: %s",
                     r.wrong ? r.wrong : XML_ErrorString(XML_GetErrorCode(r.parser)));
    XML_ParserFree(r.parser);
    return rc;
}
