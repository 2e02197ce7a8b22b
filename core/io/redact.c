#include "io/redact.h"

#include "base/sb.h"
#include "base/utf8.h"

#define SECRET_LEAST 6
#define SECRET_PLAIN 16  /* a word of letters alone is not taken for a secret if it is shorter */
#define RUN_LEAST 200
#define RUN_WALK (64 * FG_KIB) /* a longer one ends with its string */
#define NAME_MAX_BYTES 64
#define OUT FG_LIT("[secret]")
#define QUERY FG_LIT("[query]")

struct reading {
    struct fg_str in;
    size_t at, look, chars, max_chars;
    struct sb out;
    struct fg_str *secret;
    size_t secret_n;
    bool in_url;
};

static struct fg_str rest(const struct reading *r)
{
    return (struct fg_str){ r->in.p + r->at, r->in.n - r->at };
}

/* ---- letters ---- */

static bool is_space_or_quote(char c)
{
    return (unsigned char)c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '\\';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_';
}

static bool is_run(char c)
{
    return is_word(c) || c == '+' || c == '/' || c == '=';
}

/* JSON may write "/" and "&" so: how many bytes that takes at i; 0: something else is there. */
static size_t escaped(struct fg_str s, size_t i)
{
    struct fg_str tail = { s.p + i, s.n - i };
    if (fg_starts(tail, FG_LIT("\\/")))
        return 2;
    return fg_starts(tail, FG_LIT("\\u")) && tail.n >= 6 ? 6 : 0;
}

/* Where the word, or the rest of a URL, is over that goes on at from. */
static size_t until_space(struct fg_str s, size_t from)
{
    while (from < s.n) {
        size_t n = escaped(s, from);
        if (!n && is_space_or_quote(s.p[from]))
            break;
        from += n ? n : 1;
    }
    return from;
}

static bool begins_word(const struct reading *r)
{
    return r->at == 0 || !is_word(r->in.p[r->at - 1]);
}

/* ---- writing ---- */

static void put(struct reading *r, struct fg_str s, size_t chars)
{
    if (r->chars + chars > r->max_chars) {
        r->chars = r->max_chars;
        return;
    }
    sb_add(&r->out, s);
    r->chars += chars;
}

/* The next n bytes, and what of a character is beyond them. */
static void copy(struct reading *r, size_t n)
{
    for (size_t end = r->at + n; r->at < end;) {
        struct fg_str s = rest(r);
        size_t len = utf8_len(s.p, s.n);
        bool good = len && ((unsigned char)s.p[0] >= ' ' || s.p[0] == '\n' || s.p[0] == '\t') && s.p[0] != 0x7f;
        put(r, good ? (struct fg_str){ s.p, len } : FG_LIT("\xef\xbf\xbd"), 1);
        r->at += len ? len : 1;
    }
}

static bool take(struct reading *r, struct fg_str instead, size_t n)
{
    put(r, instead, instead.n);
    r->at += n;
    return true;
}

/* ---- what is taken out: each true when it has taken something ---- */

/* Several may stand in one text. */
static void learn(struct reading *r, struct fg_str list)
{
    for (size_t at = 0; at < list.n;) {
        size_t from = at;
        while (at < list.n && list.p[at] != ' ')
            at++;
        if (at - from >= SECRET_LEAST)
            r->secret[r->secret_n++] = (struct fg_str){ list.p + from, at - from };
        at++;
    }
}

static bool known_secret(struct reading *r)
{
    size_t most = 0;
    for (size_t i = 0; i < r->secret_n; i++)
        if (r->secret[i].p[0] == r->in.p[r->at] && r->secret[i].n > most && fg_starts(rest(r), r->secret[i]))
            most = r->secret[i].n;
    return most && take(r, OUT, most);
}

static bool begins_secret(struct reading *r)
{
    static const struct fg_str before[] = { { "Bearer ", 7 }, { "sk-", 3 },  { "fgk_", 4 }, { "whsec_", 6 },
                                            { "r8_", 3 },     { "AIza", 4 }, { "AKIA", 4 }, { "eyJ", 3 } };
    struct fg_str s = rest(r);
    for (size_t i = 0; i < FG_LEN(before); i++) {
        if ((s.p[0] | 0x20) != (before[i].p[0] | 0x20))
            continue;
        struct fg_str head = { s.p, s.n < before[i].n ? s.n : before[i].n };
        if (i == 0 ? !fg_eq_nocase(head, before[i]) : !fg_eq(head, before[i]))
            continue;
        size_t n = until_space(s, before[i].n);
        if (n >= before[i].n + SECRET_LEAST)
            return take(r, OUT, n);
    }
    return false;
}

static bool sounds_secret(struct fg_str name)
{
    static const struct fg_str sound[] = {
        { "token", 5 },     { "secret", 6 },      { "authorization", 13 }, { "password", 8 },     { "passwd", 6 },
        { "signature", 9 }, { "credential", 10 }, { "cookie", 6 },         { "api_key", 7 },      { "apikey", 6 },
        { "api-key", 7 },   { "access_key", 10 }, { "accesskey", 9 },      { "private_key", 11 }, { "x-key", 5 },
    };
    for (size_t at = 0; at < name.n; at++)
        for (size_t i = 0; i < FG_LEN(sound); i++) {
            struct fg_str tail = { name.p + at, name.n - at };
            if (tail.n >= sound[i].n && fg_eq_nocase((struct fg_str){ tail.p, sound[i].n }, sound[i]))
                return true;
        }
    return false;
}

/* At the quote before a member's name. Of JSON within a string, whose quotes are escaped, the rest of that string goes. */
static bool secret_member(struct reading *r)
{
    struct fg_str s = rest(r);
    size_t i = 1;
    while (i < s.n && s.p[i] != '"' && i <= NAME_MAX_BYTES)
        i++;
    if (i >= s.n || s.p[i] != '"' || !sounds_secret((struct fg_str){ s.p + 1, i - 1 }))
        return false;
    for (i++; i < s.n && strchr(" \t\r\n:[\\", s.p[i]) && s.p[i]; i++)
        ;
    if (i >= s.n || s.p[i] != '"')
        return false;
    size_t from = ++i;
    for (; i < s.n && s.p[i] != '"'; i++)
        if (s.p[i] == '\\')
            i++;
    copy(r, from);
    return take(r, OUT, (i < s.n ? i : s.n) - from);
}

/* "api_key=…", "X-Api-Key: …" and "Authorization: Key …", which has a word before it. */
static bool secret_word(struct reading *r)
{
    struct fg_str s = rest(r);
    size_t name = 0, i, end;
    bool digit = false;
    while (name < s.n && is_word(s.p[name]) && name <= NAME_MAX_BYTES)
        name++;
    for (i = name; i < s.n && s.p[i] == ' '; i++)
        ;
    if (i >= s.n || (s.p[i] != ':' && s.p[i] != '=') || !sounds_secret((struct fg_str){ s.p, name }))
        return false;
    for (i++; i < s.n && s.p[i] == ' '; i++)
        ;
    size_t scheme = i;
    while (scheme < s.n && is_word(s.p[scheme]))
        scheme++;
    bool two = fg_eq_nocase((struct fg_str){ s.p, name }, FG_LIT("authorization")) && scheme < s.n && s.p[scheme] == ' ';
    end = until_space(s, two ? scheme + 1 : i);
    for (size_t k = i; k < end; k++)
        digit = digit || is_digit(s.p[k]);
    if (end < i + SECRET_LEAST || (!digit && !two && end < i + SECRET_PLAIN))
        return false;
    copy(r, i);
    return take(r, OUT, end - i);
}

/* After "://": somebody's name and password. */
static bool url_user(struct reading *r, size_t slashes)
{
    struct fg_str s = rest(r);
    size_t i = slashes;
    while (i < s.n && !is_space_or_quote(s.p[i]) && !strchr("/?#@", s.p[i]))
        i++;
    r->in_url = true;
    if (i >= s.n || s.p[i] != '@')
        return false;
    copy(r, slashes);
    return take(r, OUT, i - slashes);
}

/* Of a path alone, too: "?name=". */
static bool begins_query(struct fg_str s)
{
    size_t i = 1;
    while (s.p[0] == '?' && i < s.n && is_word(s.p[i]) && i <= NAME_MAX_BYTES)
        i++;
    return s.p[0] == '?' && i > 1 && i < s.n && s.p[i] == '=';
}

static bool of_url(struct reading *r)
{
    struct fg_str s = rest(r);
    if (s.p[0] == ':' && fg_starts(s, FG_LIT("://")))
        return url_user(r, 3);
    if (s.p[0] == ':' && fg_starts(s, FG_LIT(":\\/\\/")))
        return url_user(r, 5);
    if (r->in_url ? s.p[0] == '?' || s.p[0] == '#' : begins_query(s)) {
        copy(r, 1);
        return take(r, QUERY, until_space(s, 1) - 1);
    }
    r->in_url = r->in_url && (!is_space_or_quote(s.p[0]) || escaped(s, 0));
    return false;
}

/* A picture is megabytes: of a long run only the end of its string is looked for. */
static size_t run_length(struct fg_str s)
{
    size_t n = 0;
    while (n < s.n && n < RUN_WALK && (is_run(s.p[n]) || fg_starts((struct fg_str){ s.p + n, s.n - n }, FG_LIT("\\/"))))
        n += s.p[n] == '\\' ? 2 : 1;
    if (n < RUN_WALK)
        return n;
    const char *end = n < s.n ? memchr(s.p + n, '"', s.n - n) : NULL;
    return end ? (size_t)(end - s.p) : s.n;
}

static bool picture(struct reading *r)
{
    struct fg_str s = rest(r);
    if (r->at && is_run(r->in.p[r->at - 1]))
        return false;
    size_t n = run_length(s);
    if (n < RUN_LEAST)
        return false;
    r->look += n;
    return take(r, arena_fmt(r->out.mem, "[%llu characters]", (unsigned long long)n), n);
}

/* Most letters begin nothing. */
static bool take_out(struct reading *r)
{
    char c = r->in.p[r->at];
    if (known_secret(r) || of_url(r) || (c == '"' && secret_member(r)))
        return true;
    return is_word(c) && begins_word(r) ? begins_secret(r) || secret_word(r) || picture(r) : is_run(c) && picture(r);
}

struct fg_str redact_excerpt(struct arena *mem, struct fg_str text, const struct fg_str *secret, size_t secret_n,
                             size_t max_chars)
{
    struct reading r = { .in = text, .look = REDACT_LOOK_MAX, .max_chars = max_chars,
                         .out = sb_in(mem, 4 * max_chars + 1) };
    size_t most = 0;
    for (size_t i = 0; i < secret_n; i++)
        most += secret[i].n / SECRET_LEAST;
    r.secret = arena_array(mem, struct fg_str, most);
    for (size_t i = 0; i < secret_n; i++)
        learn(&r, secret[i]);
    while (r.at < r.in.n && r.at < r.look && r.chars < r.max_chars)
        if (!take_out(&r))
            copy(&r, 1);
    return sb_str(&r.out);
}
