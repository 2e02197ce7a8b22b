/* io/xml: what is told of a document, and what is refused. */
#include "t.h"

#include "base/sb.h"
#include "io/xml.h"

static void told(void *arg, const char *path, struct fg_str text)
{
    sb_addf(arg, "%s=%.*s|", path, FG_P(text));
}

static enum fg_code read_all(struct t_world *w, struct fg_str text, struct fg_str *out)
{
    struct sb b = sb_in(w->cx.mem, 64 * FG_KIB);
    enum fg_code rc = xml_read(&w->cx, text, told, &b);
    *out = sb_str(&b);
    return rc;
}

TEST(elements_are_told_with_their_own_text)
{
    static const struct {
        const char *text, *want;
    } row[] = {
        { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"http://x/\"><C><K>a/b</K><S>1</S></C><C><K>c</K></C></R>",
          "/R/C/K=a/b|/R/C/S=1|/R/C=|/R/C/K=c|/R/C=|/R=|" },
        { "<R>one<K>&amp;&lt;&#38;</K>two</R>", "/R/K=&<&|/R=onetwo|" },
        { "<n:R xmlns:n=\"http://x/\"><n:K><![CDATA[<x>]]></n:K></n:R>", "/R/K=<x>|/R=|" },
        { "<R/>", "/R=|" },
    };
    struct t_world w;
    struct fg_str got;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_CODE(&w.cx, read_all(&w, fg_str_c(row[i].text), &got), FG_OK);
        CHECK_STR(got, fg_str_c(row[i].want), row[i].text);
    }
    t_end(&w, 0);
}

TEST(what_is_no_answer_is_refused)
{
    static const char *const row[] = {
        "", "text", "<R>", "<R></S>", "<R>\xff</R>", "<R/><R/>", "{}",
        "<!DOCTYPE R><R/>",
        "<!DOCTYPE R [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\">]><R>&b;</R>",
        "<!DOCTYPE R [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><R>&x;</R>",
        "<R><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></R>",
    };
    struct t_world w;
    struct fg_str got;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_I64(read_all(&w, fg_str_c(row[i]), &got), FG_INVALID_REQUEST, row[i]);
    struct sb b = sb_in(w.cx.mem, 64 * FG_KIB);
    sb_add(&b, FG_LIT("<R>"));
    for (int i = 0; i <= XML_TEXT_MAX; i++)
        sb_add_c(&b, 'x');
    sb_add(&b, FG_LIT("</R>"));
    CHECK_I64(read_all(&w, sb_str(&b), &got), FG_INVALID_REQUEST, "a long text");
    b = sb_in(w.cx.mem, 64 * FG_KIB);
    sb_add_c(&b, '<');
    for (int i = 0; i <= XML_PATH_MAX; i++)
        sb_add_c(&b, 'x');
    sb_add(&b, FG_LIT("/>"));
    CHECK_I64(read_all(&w, sb_str(&b), &got), FG_INVALID_REQUEST, "a long name");
    t_end(&w, 0);
}
