#include "io/fetch_parts.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/scan.h"

struct net {
    uint8_t at[4];
    unsigned bits;
};

/* IANA's special-purpose registry, as far as it is not reachable from everywhere, and multicast. */
static const struct net closed_v4[] = {
    { { 0, 0, 0, 0 }, 8 },       { { 10, 0, 0, 0 }, 8 },     { { 100, 64, 0, 0 }, 10 },
    { { 127, 0, 0, 0 }, 8 },     { { 169, 254, 0, 0 }, 16 }, { { 172, 16, 0, 0 }, 12 },
    { { 192, 0, 0, 0 }, 24 },    { { 192, 0, 2, 0 }, 24 },   { { 192, 88, 99, 0 }, 24 },
    { { 192, 168, 0, 0 }, 16 },  { { 198, 18, 0, 0 }, 15 },  { { 198, 51, 100, 0 }, 24 },
    { { 203, 0, 113, 0 }, 24 },  { { 224, 0, 0, 0 }, 4 },    { { 240, 0, 0, 0 }, 4 },
};

/* Inside 2000::/3, all that is public at all: Teredo and its neighbours, documentation, 6to4. */
static const struct net closed_v6[] = {
    { { 0x20, 0x01, 0x00, 0x00 }, 23 },
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 },
    { { 0x20, 0x02, 0x00, 0x00 }, 16 },
    { { 0x3f, 0xff, 0x00, 0x00 }, 20 },
};

static uint32_t word(const uint8_t p[4])
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool within(const uint8_t *address, const struct net *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((word(address) ^ word(list[i].at)) >> (32 - list[i].bits) == 0)
            return true;
    return false;
}

static bool v6_public(const uint8_t a[16])
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    if (memcmp(a, mapped, sizeof mapped) == 0)
        return !within(a + 12, closed_v4, FG_LEN(closed_v4));
    return a[0] >> 5 == 1 && !within(a, closed_v6, FG_LEN(closed_v6));
}

bool fetch_address_public(const void *sa)
{
    sa_family_t family = ((const struct sockaddr *)sa)->sa_family;
    uint8_t a[16];
    if (family == AF_INET) {
        memcpy(a, &((const struct sockaddr_in *)sa)->sin_addr, 4);
        return !within(a, closed_v4, FG_LEN(closed_v4));
    }
    if (family != AF_INET6)
        return false;
    memcpy(a, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
    return v6_public(a);
}

bool address_parse(const char *text, struct sockaddr_storage *out)
{
    char bare[INET6_ADDRSTRLEN];
    size_t n = strlen(text);
    if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    if (n >= sizeof bare)
        return false;
    memcpy(bare, text, n);
    bare[n] = '\0';
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    *out = (struct sockaddr_storage){ 0 };
    if (inet_pton(AF_INET, bare, &v4.sin_addr) == 1)
        memcpy(out, &v4, sizeof v4);
    else if (inet_pton(AF_INET6, bare, &v6.sin6_addr) == 1)
        memcpy(out, &v6, sizeof v6);
    else
        return false;
    return true;
}

static struct fg_str skip_scheme(struct fg_str url)
{
    static const struct fg_str scheme[] = { { "http://", 7 }, { "https://", 8 } };
    for (size_t i = 0; i < FG_LEN(scheme); i++)
        if (url.n > scheme[i].n && fg_eq_nocase((struct fg_str){ url.p, scheme[i].n }, scheme[i]))
            return (struct fg_str){ url.p + scheme[i].n, url.n - scheme[i].n };
    return FG_NONE;
}

/* Stricter than any parser, so that it does not matter which of them reads the URL later: most
 * guess a scheme, take a backslash for a slash, or disagree about where the host ends. */
static const char *url_form(struct fg_str url)
{
    if (url.n > FETCH_URL_MAX)
        return "the URL is too long";
    for (size_t i = 0; i < url.n; i++) {
        unsigned char c = (unsigned char)url.p[i];
        if (c <= 0x20 || c == 0x7f)
            return "the URL has a space or a control byte";
        if (c == '\\')
            return "the URL has a backslash";
    }
    struct fg_str rest = skip_scheme(url);
    if (!rest.p)
        return "the URL must start with https:// or http://";
    size_t host = 0;
    for (; host < rest.n && !strchr("/?#", rest.p[host]); host++) {
        if (rest.p[host] == '@')
            return "the URL has a user name";
        if (rest.p[host] == '%')
            return "the URL's host is escaped";
    }
    return host ? NULL : "the URL has no host";
}

static bool part(CURLU *u, CURLUPart what, char *to, size_t size)
{
    char *got = NULL;
    if (curl_url_get(u, what, &got, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return false;
    size_t n = strlen(got);
    bool fits = n > 0 && n < size;
    if (fits)
        memcpy(to, got, n + 1);
    curl_free(got);
    return fits;
}

static const char *url_origin(struct fg_str url, struct origin *out)
{
    const char *wrong = url_form(url);
    if (wrong)
        return wrong;
    char text[FETCH_URL_MAX + 1], scheme[8], port[8];
    memcpy(text, url.p, url.n);
    text[url.n] = '\0';
    uint64_t number = 0;
    struct origin o = { 0 };
    CURLU *u = curl_url();
    FG_ASSERT(u);
    bool good = curl_url_set(u, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK &&
                part(u, CURLUPART_SCHEME, scheme, sizeof scheme) &&
                part(u, CURLUPART_HOST, o.host, sizeof o.host) &&
                part(u, CURLUPART_PORT, port, sizeof port) &&
                scan_all_u64(fg_str_c(port), 65535, &number) && number > 0;
    curl_url_cleanup(u);
    if (!good)
        return "the URL is malformed";
    o.https = fg_eq_nocase(fg_str_c(scheme), FG_LIT("https"));
    o.port = (unsigned)number;
    *out = o;
    return NULL;
}

bool origin_same(const struct origin *a, const struct origin *b)
{
    return a->https == b->https && a->port == b->port &&
           fg_eq_nocase(fg_str_c(a->host), fg_str_c(b->host));
}

static bool origin_local(const struct conf *conf, const struct origin *o)
{
    struct fg_str list = conf->fetch_local_origins, one;
    struct origin local;
    while (scan_until(&list, ' ', &one))
        if (one.n && !url_origin(one, &local) && origin_same(&local, o))
            return true;
    return false;
}

const char *local_origins_wrong(const struct conf *conf)
{
    struct fg_str list = conf->fetch_local_origins, one;
    struct origin local;
    while (scan_until(&list, ' ', &one)) {
        if (one.n == 0)
            continue;
        const char *wrong = url_origin(one, &local);
        if (wrong)
            return wrong;
        struct fg_str host = skip_scheme(one);
        if (memchr(host.p, '/', host.n) || memchr(host.p, '?', host.n) ||
            memchr(host.p, '#', host.n))
            return "an origin has no path, not even a slash";
    }
    return NULL;
}

const char *url_target(const struct conf *conf, const struct fetch_rules *rules, struct fg_str url,
                       struct target *out)
{
    struct target to = { .local = false };
    const char *wrong = url_origin(url, &to.origin);
    if (wrong)
        return wrong;
    to.local = origin_local(conf, &to.origin);
    if (!to.origin.https && !to.local && !rules->foreign_http)
        return "the URL must start with https://";
    *out = to;
    return NULL;
}

enum fg_code fetch_check_url(struct fg_ctx *cx, const struct conf *conf, struct fg_str url, bool plain_http)
{
    const struct fetch_rules real = { fetch_address_public, plain_http };
    struct target to;
    const char *wrong = url_target(conf, &real, url, &to);
    if (wrong)
        return fg_fail(cx, FG_ADDRESS_REFUSED, "%s", wrong);
    struct sockaddr_storage address;
    if (!to.local && address_parse(to.origin.host, &address) && !fetch_address_public(&address))
        return fg_fail(cx, FG_ADDRESS_REFUSED, "the address is not a public one");
    return FG_OK;
}
