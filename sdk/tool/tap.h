#ifndef TAP_H
#define TAP_H
/* Sits between a connector and the services of its host: tells what is asked, one line each and without secrets, and
 * lets a check take the host's part. Every member but inner may be NULL. */
#include "services.h"

struct tap {
    struct services inner;
    void *ctx; /* of the functions below */
    void (*tell)(void *ctx, const char *line);
    tl_status (*http)(void *ctx, const struct services *inner, tl_http *requests, uint32_t n, tl_error *error);
    int32_t (*cancelled)(void *ctx);
    int64_t (*now_us)(void *ctx, int64_t real_us);
    bool (*fails)(void *ctx, const char *service); /* true: this service answers TL_E_TEMPORARY now */
};
void tap_wrap(void *tap, struct services *services); /* a seat_wrap_fn */
#endif
