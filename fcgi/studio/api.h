/* The common /v1/videos dialect below /studio: what filmgate-studio answers as a FastCGI pool. */
#ifndef FG_STUDIO_API_H
#define FG_STUDIO_API_H

#include "routes.h"
#include "web.h"

/* web_app.own */
struct api_own {
    int poke_fd;
};

extern const struct route_table api_routes;

/* Authorization: Bearer studio.api_key. */
web_auth api_authorize;
/* {"error":{"message","type","param","code"}} */
web_error api_error;

#endif
