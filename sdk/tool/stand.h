#ifndef STAND_H
#define STAND_H
/* One connector with everything the daemon gives it, without store and engine: the real loader or worker, the real
 * sign-in, the real HTTP client, against the vendor of the project. One thread. */
#include "auth.h"
#include "call.h"
#include "host_services.h"
#include "instance.h"
#include "project.h"
#include "remote.h"

/* One kind as discover() told it, to make shapes of. */
struct stand_kind {
    const char *name;
    tl_kind told;   /* texts and fields are the stand's */
    tl_shape shape; /* all that can be mapped: as the daemon's, without the stamp field */
};

/* One action as it told it. */
struct stand_action {
    const char *name;
    tl_action told; /* texts and parameters are the stand's */
    tl_shape shape; /* the kind, with the parameters in place of its fields */
};

enum { STAND_KINDS_MAX = 32, STAND_ACTIONS_MAX = 128 };

struct stand {
    const struct project *project;
    bool isolated;
    struct vendor vendor;
    struct arena arena;
    struct module *module;     /* in process */
    struct worker *worker;     /* isolated */
    struct manifest *manifest; /* the module's, or ours when isolated */
    struct option_set options;
    struct http_allow *allow;
    struct http_client *http;
    struct http_gate *gate;
    struct auth_spec *spec;
    struct auth *auth;
    struct mailbox *box;
    struct control_line control;
    struct stand_kv *kv;
    struct buf tokens;
    struct host_store store;
    struct token_place place;
    struct quota_board quota;
    char blobs[64];
    struct stand_kind kinds[STAND_KINDS_MAX];
    uint32_t n_kinds;
    struct stand_action actions[STAND_ACTIONS_MAX];
    uint32_t n_actions;
};
/* The parts of a stand: with_endpoint false stops before the vendor and its options are needed. */
int stand_open(struct stand *s, const struct project *p, bool isolated, bool with_endpoint, struct err *e);
/* True when the connector's code is really gone. */
bool stand_close(struct stand *s);
/* Keeps what a discover call told, for the shapes of later calls (stand_learn.c). */
void stand_learn(struct stand *s, const struct reply *reply);
const struct stand_kind *stand_kind(const struct stand *s, const char *name);                       /* NULL: none */
const struct stand_action *stand_action(const struct stand *s, const char *kind, const char *name); /* NULL: none */

/* One instance. wrap, when given, may put itself between the connector and the services. */
struct seat {
    struct stand *stand;
    struct host_side *host;
    struct services services;
    struct instance *local;
    struct remote *remote;
    struct verdicts verdicts;
    bool gone; /* the worker died */
};
typedef void (*seat_wrap_fn)(void *ctx, struct services *services);
tl_status seat_open(struct seat *t, struct stand *s, int32_t purpose, seat_wrap_fn wrap, void *ctx, tl_error *error);
void seat_run(struct seat *t, struct call *call); /* fills call->reply */
void seat_close(struct seat *t);
#endif
