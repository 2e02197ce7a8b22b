/* Remote moderation services. Pure translation, as the adapters of core/provider are: a text or a picture into one HTTP
 * call, its answer into a verdict. Whoever calls does the talking, the waiting and the keeping of verdicts. */
#ifndef FG_MODERATE_SERVICE_H
#define FG_MODERATE_SERVICE_H

#include "base/conf.h"
#include "io/fetch.h"
#include "moderate/verdict.h"

#define MODERATION_SERVICES_MAX 4
#define MODERATION_LIMITS_MAX 32

/* "violence=0.9": from this score on. In thousandths; severities of Azure count 1000 each. */
struct moderation_limit {
    struct fg_str category;
    int64_t milli;
};
struct moderation_limits {
    struct moderation_limit at[MODERATION_LIMITS_MAX];
    unsigned n;
};

struct moderation_service;

/* A service as it is configured. The texts are the configuration's. */
struct moderation_site {
    const struct moderation_service *service;
    struct fg_str url, key, model; /* model FG_NONE: it has none */
    struct moderation_limits block, review;
    int64_t timeout_ms;
};

/* The configured ones in their order. */
struct moderation_sites {
    struct moderation_site site[MODERATION_SERVICES_MAX];
    unsigned n;
};

struct moderation_image {
    struct fg_str bytes;           /* the file */
    struct fg_str type;            /* "image/png", "image/jpeg", "image/webp" */
    int64_t width, height;         /* pixels */
};

/* All members are set, but where NULL or 0 is told of. No function blocks, logs, or keeps state between calls. */
struct moderation_service {
    const char *name;              /* in moderation.services, as "openai" */
    const char *const *categories; /* all that it has, then NULL; NULL: it may have any */
    int64_t score_max_milli;       /* the highest a limit can be */
    bool images;                   /* it looks at pictures; else image_call must not be called */
    size_t text_max;               /* code points: no prompt is as long (JOB_PROMPT_MAX) */
    size_t image_bytes_max;        /* see moderation_takes_image */
    int64_t side_min, side_max;    /* pixels, both sides; side_max 0: no limit of its own */
    /* FG_TOO_LARGE when the text is longer than text_max. It must be valid UTF-8. */
    enum fg_code (*text_call)(struct fg_ctx *cx, const struct moderation_site *site, struct fg_str text,
                              struct fetch_call *out);
    /* One picture. FG_TOO_LARGE when moderation_takes_image says no. */
    enum fg_code (*image_call)(struct fg_ctx *cx, const struct moderation_site *site,
                               const struct moderation_image *image, struct fetch_call *out);
    /* What came back, whatever it is; what cannot be understood is VERDICT_ERROR. Texts of *out live in the arena. */
    void (*reply)(struct fg_ctx *cx, const struct moderation_site *site, const struct fetch_reply *r,
                  struct verdict *out);
};

extern const struct moderation_service moderation_openai, moderation_azure;

/* NULL: no such service. */
const struct moderation_service *moderation_service(struct fg_str name);
/* Reads [moderation]: FG_CONFIG for an unknown service, one named twice, one without key or URL, a bad list of
 * thresholds. No services is fine. */
enum fg_code moderation_configure(struct fg_ctx *cx, const struct conf *conf,
                                  struct moderation_sites *out) FG_MUST_CHECK;

/* Whether the service can look at the picture as it is: make it smaller, or skip the service. */
bool moderation_takes_image(const struct moderation_service *s, const struct moderation_image *image);

/* What decides beside the content: service, URL, model, thresholds. For the key under which a verdict is kept. */
void moderation_policy(struct fg_ctx *cx, const struct moderation_site *site, uint8_t out[HASH_LEN]);

#endif
