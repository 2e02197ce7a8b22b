/* What the services share: calls, failures, scores. Not for anybody else. */
#ifndef FG_MODERATE_SERVICE_PARTS_H
#define FG_MODERATE_SERVICE_PARTS_H

#include "base/sb.h"
#include "io/json.h"
#include "moderate/service.h"

#define SERVICE_URL_MAX 2048
#define SERVICE_TEXT_BODY_MAX (512 * FG_KIB)
#define SERVICE_IMAGE_BODY_MAX (28 * FG_MIB) /* 20 MiB in base64, and what is around it */

/* A POST of a JSON body that is sent once and never redirected; the service adds its key. FG_TOO_LARGE when one of them
 * did not fit. */
enum fg_code service_call(const struct moderation_site *site, struct fg_ctx *cx, const struct sb *url,
                          const struct sb *body, struct fetch_call *out) FG_MUST_CHECK;
/* FG_TOO_LARGE when the text is longer than the service takes. */
enum fg_code service_text_ok(struct fg_ctx *cx, const struct moderation_site *site, struct fg_str text) FG_MUST_CHECK;
enum fg_code service_image_ok(struct fg_ctx *cx, const struct moderation_site *site,
                              const struct moderation_image *image) FG_MUST_CHECK;

/* NULL, and *out is an error, when it was not answered with 2xx and a JSON object. */
const struct js *service_answer(struct fg_ctx *cx, const struct fetch_reply *r, struct verdict *out);
/* An answer that says nothing: VERDICT_ERROR. */
void service_nonsense(struct verdict *out, struct fg_str words);

/* A name of a service's that may stand in rows, logs and answers; FG_NONE: it may not. */
struct fg_str service_category(struct fg_ctx *cx, struct fg_str name);
/* In thousandths; -1: not named. */
int64_t service_limit(const struct moderation_limits *l, struct fg_str category);
/* What a score in millionths means by the limits alone. */
enum verdict_kind service_by_limits(int64_t block_milli, int64_t review_milli, int64_t micro);

#endif
