#ifndef AUTH_BED_H
#define AUTH_BED_H
/* An endpoint's sign-in against a scripted token server on loopback: what the tests of authorisation start from. */
#include "auth.h"
#include "auth_int.h"
#include "unit/loop_server.h"
#include "unit/unit.h"

struct auth_bed {
    struct loop_server *server;
    struct http_client *client;
    struct http_allow *allow;
    struct env_sim sim;
    struct auth_spec *spec;
    struct auth *auth;
    char *base;           /* the address of the server */
    pthread_mutex_t lock; /* what the server's threads and the test share */
    struct buf kept;      /* what the store holds */
    int refuse_saves;     /* so many are refused yet */
};

void auth_bed_open(struct auth_bed *b, const tl_auth *described,
                   void (*handler)(void *ctx, const struct loop_request *, struct loop_reply *), void *ctx);
void auth_bed_done(struct auth_bed *b);
/* Signing in begins anew, with what the store holds. config: what the test wants beside the rest. options: name, value,
 * name, value ..., NULL; the address of the server goes before. */
void auth_bed_start(struct auth_bed *b, struct auth_config config, const char *const *options);
/* The store in memory; ctx is the bed. */
int auth_bed_load(void *ctx, struct buf *out, struct err *e);
int auth_bed_save(void *ctx, str secret, struct err *e);
#endif
