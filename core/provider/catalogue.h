/* Providers, their models, what each takes and costs: one JSON file, read at start, errors name the path. */
#ifndef FG_PROVIDER_CATALOGUE_H
#define FG_PROVIDER_CATALOGUE_H

#include "base/conf.h"
#include "provider/provider.h"

#define CATALOGUE_MODELS_MAX 64
#define CATALOGUE_LIST_MAX 8

/* What to do about a submit whose answer was lost. */
enum unknown_by {
    UNKNOWN_BY_WAITING, /* only a callback can tell */
    UNKNOWN_BY_LIST,    /* look in its list */
    UNKNOWN_BY_REPLAY,  /* it honours Idempotency-Key: ask again with the same client reference */
};
enum unknown_then { UNKNOWN_FAIL, UNKNOWN_RESUBMIT };

struct cat_provider {
    struct fg_str name;
    const struct provider *adapter;
    struct provider_site site;      /* key and secrets from [provider.NAME] of the configuration */
    int64_t concurrency;            /* jobs at it at once */
    bool callbacks;                 /* ask for them, and accept them */
    enum unknown_by unknown_by;
    enum unknown_then unknown_then;
    int64_t unknown_wait_s;         /* before unknown_then */
    int64_t attempts_max;
    int64_t output_life_s;          /* it forgets the file after this */
};

struct cat_size {
    struct fg_str aspect_ratio, resolution;
    int64_t width, height;
};

struct cat_model {
    struct fg_str name;             /* ours, e.g. "studio-1" */
    struct fg_str remote;           /* the provider's */
    const struct cat_provider *provider;
    int64_t min_s, max_s;
    struct cat_size size[24];
    unsigned size_n;
    struct fg_str default_resolution;
    bool image, seed;
    int64_t price_micro_per_s;
    struct fg_str currency;
};

struct catalogue {
    struct cat_provider provider[CONF_PROVIDERS_MAX];
    unsigned provider_n;
    struct cat_model model[CATALOGUE_MODELS_MAX];
    unsigned model_n;
    const struct cat_model *default_model;
};

/* Reads conf.catalogue_file. Everything lives in cx->mem (give it a program-long context). base URLs may
 * begin with "{public_url}". FG_CONFIG with the file and the JSON path. */
enum fg_code catalogue_load(struct fg_ctx *cx, const struct conf *conf, struct catalogue *out) FG_MUST_CHECK;

const struct cat_provider *catalogue_provider(const struct catalogue *c, struct fg_str name);
/* By our name; provider may be FG_NONE. NULL: none. */
const struct cat_model *catalogue_model(const struct catalogue *c, struct fg_str provider, struct fg_str name);
/* The pixels for a ratio and resolution, or NULL. */
const struct cat_size *catalogue_size(const struct cat_model *m, struct fg_str ratio, struct fg_str resolution);

#endif
