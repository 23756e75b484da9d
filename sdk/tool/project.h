#ifndef PROJECT_H
#define PROJECT_H
/* What a connector's author says about it, in one INI file: how its fake vendor is started, which options an endpoint
 * has there, which checks do not apply.
 *
 *   [vendor]
 *   start = python3 vendor.py       ; its first line of output is one JSON object: what ${name} below stands for
 *   [endpoint]
 *   url = ${url}
 *   token = ${credentials.toy.token}
 *   [check]
 *   kinds = contact                 ; default: all that discover() tells
 *   [bypass]
 *   push.conflict = the vendor has no versions
 *
 * Values may also be @file:PATH, and ${NAME} falls back to the environment, so that no secret needs to stand here. */
#include "ini_read.h"
#include "str.h"

struct project {
    struct ini ini;
    struct arena arena;
    const char *so;         /* absolute path of the connector */
    const char *id;         /* file name without .so */
    const char *config;     /* path of the INI file; NULL: none */
    const char *directory;  /* of the INI file: where `start` runs */
    const char *worker;     /* tieline-worker */
    struct vendor *running; /* serves every stand; NULL: each starts one of its own */
};
void project_done(struct project *p);
AUTO_DONE(struct project, project_done)
/* config NULL: "check.ini" beside the connector or in the working directory, if there is one. TL_E_CONFIG,
 * TL_E_NOT_FOUND. */
int project_load(struct project *p, const char *so, const char *config, struct err *e);
const char *project_get(const struct project *p, const char *section, const char *key); /* NULL: not there */

/* A running fake vendor; without [vendor] start it is none, and empty. */
struct vendor {
    int pid, out; /* out: its standard output, kept open */
    struct arena arena;
    tl_pair *words; /* "credentials.toy.token" -> text */
    uint32_t n_words;
};
int vendor_start(struct vendor *v, const struct project *p, struct err *e);
void vendor_stop(struct vendor *v);
/* The endpoint's options with ${name} and @file: replaced; texts in the arena. TL_E_CONFIG. */
int project_options(const struct project *p, const struct vendor *v, struct arena *a, tl_pair **out, uint32_t *n_out,
                    struct err *e);
#endif
