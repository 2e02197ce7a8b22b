/* ComfyUI's adapter in two files: comfyui_send.c makes the large requests, comfyui.c the rest and reads the
 * answers. */
#ifndef FG_PROVIDER_COMFYUI_H
#define FG_PROVIDER_COMFYUI_H

#include "provider/adapter.h"

/* base + path + id as one segment; id may be FG_NONE. */
enum fg_code comfyui_call(struct fg_ctx *cx, const struct provider_site *site, const char *method,
                          const char *path, struct fg_str id, struct fetch_call *out) FG_MUST_CHECK;

/* struct provider's upload_call and submit_call. The file that comes of it has a name that begins with
 * client_ref, if the template's saving node has a "filename_prefix". */
enum fg_code comfyui_upload_call(struct fg_ctx *cx, const struct provider_site *site, const struct gen_spec *spec,
                                 struct fetch_call *out) FG_MUST_CHECK;
enum fg_code comfyui_submit_call(struct fg_ctx *cx, const struct provider_site *site, const struct gen_spec *spec,
                                 struct fetch_call *out) FG_MUST_CHECK;

#endif
