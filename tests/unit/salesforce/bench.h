#ifndef BENCH_H
#define BENCH_H
/* The connector in an org of the Salesforce twin: a sandbox of its own, real HTTP and the host's own authorisation. */
#include "unit/fake_host.h"
#include "unit/unit.h"

#include <jansson.h>
#include <sys/types.h>

#include "salesforce.h"

struct bench {
    struct fake_host *fake;
    pid_t pid;
    FILE *out;
    json_t *line; /* the sandbox's addresses and credentials */
    struct http_client *client;
    struct http_allow *allow;
    struct auth_spec *spec;
    struct auth *auth;
    struct auth_answers *answers;
    const tl_connector *connector;
    tl_conn *conn;
    int http_calls;
};

int bench_setup(void **state); /* signed in and discovered */
int bench_teardown(void **state);
void bench_sign_in(struct bench *b, bool by_refresh_token);
void bench_discover(struct bench *b);
const char *bench_credential(struct bench *b, const char *name);
/* A control call; the answer is the caller's (json_decref). */
json_t *bench_sim(struct bench *b, const char *method, const char *path, const char *body);
void bench_do(struct bench *b, const char *method, const char *path, const char *body);
/* As another user; the id is lent until the next call. */
const char *bench_create(struct bench *b, const char *object, const char *body);
void bench_advance(struct bench *b, const char *how);
#endif
