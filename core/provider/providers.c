#include "provider/provider.h"

#include "base/scan.h"

static const struct provider *const adapters[] = {
    &provider_openai,
    &provider_fal,
    &provider_replicate,
    &provider_runway,
    &provider_veo,
    &provider_comfyui,
    &provider_kling,
    &provider_kling_legacy,
    &provider_luma,
    &provider_luma_agents,
    &provider_minimax,
    &provider_minimax_v2,
};

const struct provider *provider_by_name(struct fg_str name)
{
    for (size_t i = 0; i < FG_LEN(adapters); i++)
        if (fg_eq(name, fg_str_c(adapters[i]->name)))
            return adapters[i];
    return NULL;
}

bool submit_unanswered(const struct fetch_reply *r, struct submit_reply *out)
{
    enum submit_outcome outcome = SUBMIT_UNKNOWN; /* whatever is not proven may cost money */
    switch (r->end) {
    case FETCH_ANSWERED:
        return false;
    case FETCH_NOT_SENT:
    case FETCH_REFUSED:
        outcome = SUBMIT_NOT_SENT;
        break;
    case FETCH_UNKNOWN:
    case FETCH_TOO_LARGE:
    case FETCH_LOCAL_IO:
        break;
    }
    *out = (struct submit_reply){ .outcome = outcome, .reason = REASON_FAILED, .words = r->words };
    return true;
}

struct authority {
    bool https;
    struct fg_str host; /* with its port, as it stands */
};

/* False for whatever two readers could take for two places; the fetch refuses that again. */
static bool authority_of(struct fg_str url, struct authority *out)
{
    out->https = scan_lit(&url, FG_LIT("https://"));
    if (!out->https && !scan_lit(&url, FG_LIT("http://")))
        return false;
    size_t n = 0;
    for (; n < url.n && !memchr("/?#", url.p[n], 3); n++) {
        unsigned char c = (unsigned char)url.p[n];
        if (c <= ' ' || c >= 0x7f || memchr("@%\\", c, 3))
            return false;
    }
    out->host = (struct fg_str){ url.p, n };
    return n > 0;
}

static bool at_base(struct fg_str base, const struct authority *a)
{
    struct authority b;
    return authority_of(base, &b) && a->https == b.https && fg_eq_nocase(a->host, b.host);
}

static bool host_fits(struct fg_str host, struct fg_str pattern)
{
    if (FG_IS(pattern, "*"))
        return true;
    if (!scan_lit(&pattern, FG_LIT("*")))
        return fg_eq_nocase(host, pattern);
    return host.n > pattern.n &&
           fg_eq_nocase((struct fg_str){ host.p + host.n - pattern.n, pattern.n }, pattern);
}

static bool any_fits(const struct authority *a, const struct fg_str *pattern, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (host_fits(a->host, pattern[i]))
            return true;
    return false;
}

bool site_knows(const struct provider_site *site, struct fg_str url)
{
    struct authority a;
    if (!authority_of(url, &a))
        return false;
    if (at_base(site->base_url, &a) || at_base(site->history_url, &a))
        return true;
    /* Never in clear to another host than the operator's own. */
    return (a.https || memchr(a.host.p, ':', a.host.n)) && any_fits(&a, site->host, site->host_n);
}

bool site_has_files(const struct provider_site *site, struct fg_str url)
{
    struct authority a;
    if (site_knows(site, url))
        return true;
    return authority_of(url, &a) && any_fits(&a, site->output_host, site->output_host_n);
}
