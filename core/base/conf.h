/* Configuration: defaults, then one INI file, then the environment. Unknown or bad keys are errors that
 * name file and line. */
#ifndef FG_BASE_CONF_H
#define FG_BASE_CONF_H

#include "base/ctx.h"

#define CONF_PROVIDERS_MAX 16

/* [provider.NAME]; environment FILMGATE_PROVIDER_NAME_KEY and so on. Whatever the section says, the provider is set up
 * by it (a handler's configuration has no key), unless it says "enabled = no". */
struct conf_provider {
    struct fg_str name;            /* a-z, 0-9 and _, as the catalogue's keyRef names it */
    struct fg_str key;             /* secret, like the next two */
    struct fg_str webhook_secrets; /* space separated, newest first */
    struct fg_str key_secret;      /* the other half, where a key is a pair (Kling's AccessKey and SecretKey) */
    bool disabled;
};

struct conf {
#define T(section, key, def, secrecy, words) struct fg_str section##_##key;
#define I(section, key, def, min, max, words) int64_t section##_##key;
#define W(section, key, def, choices, words) struct fg_str section##_##key;
#include "base/conf.def"
#undef T
#undef I
#undef W
    struct conf_provider provider[CONF_PROVIDERS_MAX];
    unsigned provider_n;
    unsigned jail; /* not read from anywhere: enum child_jail, what io/child.h found */
};

/* Reads path (NULL: the environment's FILMGATE_CONF, else defaults alone). Texts live in cx->mem, so give
 * it a context that lives as long as the program. FG_CONFIG with "file:line: words" in detail. */
enum fg_code conf_load(struct fg_ctx *cx, struct conf *out, const char *path) FG_MUST_CHECK;

/* NULL when the configuration has no such provider. */
const struct conf_provider *conf_provider(const struct conf *c, struct fg_str name);

/* Every key with its value, one per line, secrets as "(set)" or "(not set)". */
struct fg_str conf_show(struct fg_ctx *cx, const struct conf *c);

#endif
