/* Providers, their models, what each takes and costs, and routes over them: one JSON file, held against its schema
 * (catalogue.schema.json, built in) and then against itself; errors name the path. */
#ifndef FG_PROVIDER_CATALOGUE_H
#define FG_PROVIDER_CATALOGUE_H

#include "base/conf.h"
#include "provider/provider.h"

#define CATALOGUE_MODELS_MAX 128
#define CATALOGUE_ROUTES_MAX 16
#define CATALOGUE_ROUTE_MODELS_MAX 16
#define CATALOGUE_SIZES_MAX 40
#define CATALOGUE_PRICES_MAX 8
#define CATALOGUE_SECONDS_MAX 63 /* longest clip: durations are bits */

/* What to do about a submit whose answer was lost. */
enum unknown_by {
    UNKNOWN_BY_WAITING, /* only a callback can tell */
    UNKNOWN_BY_LIST,    /* look in its list, or look our reference up there */
    UNKNOWN_BY_REPLAY,  /* it takes the same request twice for one: ask again with the same client reference */
};
enum unknown_then { UNKNOWN_FAIL, UNKNOWN_RESUBMIT };

struct cat_provider {
    struct fg_str name;
    const struct provider *adapter;
    struct provider_site site;      /* key and secrets from [provider.NAME] of the configuration */
    bool set_up;                    /* the configuration has a section for it that does not disable it */
    int64_t concurrency;            /* jobs at it at once */
    int64_t calls_per_minute;       /* 0: no limit known; all its calls together, over all sweepers */
    int64_t submits_per_minute;     /* 0: no limit but the one above */
    bool callbacks;                 /* ask for them, and accept them */
    int64_t poll_ms;                /* first pause between polls; 0: [sweeper]'s */
    int64_t callback_poll_ms;       /* the same while a callback is expected */
    enum unknown_by unknown_by;
    enum unknown_then unknown_then;
    int64_t unknown_wait_s;         /* before unknown_then */
    int64_t attempts_max;
};

struct cat_size {
    struct fg_str aspect_ratio, resolution;
    int64_t width, height;          /* 0: the provider does not promise pixels */
};

enum cat_need { CAT_NONE, CAT_OPTIONAL, CAT_REQUIRED };       /* of a reference image */
enum cat_audio { CAT_SILENT, CAT_AUDIO_CHOICE, CAT_AUDIO_ALWAYS };

/* Micro-units of the currency, per second or per clip; an entry for each resolution of the model. */
struct cat_price {
    bool per_clip;
    struct fg_str currency;         /* "USD" */
    struct fg_str as_of, source;    /* when and where this was read */
    struct {
        struct fg_str resolution;
        int64_t micro, audio_micro; /* audio_micro: with sound where that is a choice; else the same as micro */
    } by[CATALOGUE_PRICES_MAX];
    unsigned by_n;
};

struct cat_model {
    struct fg_str name;             /* ours, unique over all providers: "veo-3.1-fast" */
    struct fg_str remote;           /* the provider's */
    struct fg_str remote_image;     /* the provider's for a request with an image, where that is another; else remote */
    const struct cat_provider *provider;
    const struct provider *adapter; /* its own, or its provider's */
    struct gen_wire wire;
    uint64_t durations;             /* bit n: n seconds */
    struct cat_size size[CATALOGUE_SIZES_MAX];
    unsigned size_n;
    struct fg_str default_resolution; /* there for every ratio */
    int64_t prompt_max;             /* code points */
    enum cat_need image;
    bool image_decides_ratio;       /* with a picture it takes no ratio */
    bool seed, negative;
    enum cat_audio audio;
    struct cat_price price, cost;   /* what the account pays; what we pay */
    int64_t concurrency;            /* 0: its provider's alone */
    int64_t output_life_s;          /* the provider forgets the file after this */
    int64_t retires_us;             /* new jobs go elsewhere from then on; 0: never */
    struct fg_str substitute;       /* the model that takes its place then, which retires later or never; FG_NONE: none */
};

struct cat_route {
    struct fg_str name;             /* "fast" */
    const struct cat_model *model[CATALOGUE_ROUTE_MODELS_MAX]; /* in order of preference */
    unsigned model_n;
};

struct catalogue {
    struct cat_provider provider[CONF_PROVIDERS_MAX];
    unsigned provider_n;
    struct cat_model model[CATALOGUE_MODELS_MAX];
    unsigned model_n;
    struct cat_route route[CATALOGUE_ROUTES_MAX];
    unsigned route_n;
    const struct cat_route *default_route;
    struct cat_store *store;        /* catalogue.c's: memory, holders, what the file looked like */
};

/* Reads conf.catalogue_file into memory of its own and holds it once. Base URLs may begin with "{public_url}".
 * FG_CONFIG with the file and the JSON path. conf must outlive it. */
enum fg_code catalogue_load(struct fg_ctx *cx, const struct conf *conf, const struct catalogue **out) FG_MUST_CHECK;
/* A catalogue lives while somebody holds it. */
const struct catalogue *catalogue_hold(const struct catalogue *c);
void catalogue_drop(const struct catalogue *c);
/* When the file has changed since *c was read: loads it, holds the new one in *c, drops the old, and sets *changed. A file
 * that is wrong changes nothing: FG_CONFIG, told once per version of the file, FG_OK until it changes again. */
enum fg_code catalogue_renew(struct fg_ctx *cx, const struct conf *conf, const struct catalogue **c,
                             bool *changed) FG_MUST_CHECK;

/* NULL: none. */
const struct cat_provider *catalogue_provider(const struct catalogue *c, struct fg_str name);
const struct cat_model *catalogue_model(const struct catalogue *c, struct fg_str name);
const struct cat_route *catalogue_route(const struct catalogue *c, struct fg_str name);
const struct cat_size *catalogue_size(const struct cat_model *m, struct fg_str ratio, struct fg_str resolution);
/* The provider's name of the model for a request with or without an image. */
struct fg_str catalogue_remote(const struct cat_model *m, bool image);
/* What to ask of the model: sound only where it was wished for, AUDIO_ANY where there is no choice. */
enum audio catalogue_audio(const struct cat_model *m, enum audio wished);
/* Micro-units for a clip; -1 when the model has no such resolution. audio as wished. */
int64_t catalogue_price(const struct cat_price *p, struct fg_str resolution, int64_t duration_s, enum audio audio);

/* ---- what a model can serve ---- */

struct cat_wish {
    struct fg_str aspect_ratio, resolution; /* resolution FG_NONE: the model's default; ratio FG_NONE: not looked at */
    int64_t duration_s;             /* 0: not looked at */
    int64_t prompt_chars;
    bool image, seed, negative;
    enum audio audio;               /* AUDIO_ANY: whatever comes */
};

/* One thing that a model cannot do. */
struct cat_misfit {
    const char *path, *code;        /* of the request's field, as in struct fg_err_field */
    const char *words;              /* for people, to follow the model's name: "takes 5 or 10 seconds" */
};
#define CATALOGUE_MISFITS_MAX 8
/* All that speaks against the model at cx->now_us, retirement and configuration first; returns how many. */
unsigned catalogue_misfits(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w,
                           struct cat_misfit out[CATALOGUE_MISFITS_MAX]);
/* NULL when the model can make it, else the words of the first misfit. */
const char *catalogue_unfit(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w);
/* What it would leave out, though it can make it: names of request fields separated by commas ("seed,negativePrompt"),
 * FG_NONE: nothing. */
struct fg_str catalogue_ignored(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w);
bool catalogue_retired(const struct cat_model *m, int64_t now_us);
/* "2026-09-15" of the microseconds. */
struct fg_str catalogue_date(struct fg_ctx *cx, int64_t us);

#endif
