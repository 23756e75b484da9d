#ifndef REDIRECT_H
#define REDIRECT_H
/* The address a vendor sends a browser back to after a sign-in (RFC 6749, 4.1.2), as registered and as it comes. Pure;
 * every byte of what comes is hostile. */
#include <stdbool.h>

#include "arena.h"
#include "err.h"
#include "str.h"

enum { REDIRECT_MAX = 8192 };

/* As registered: http on a loopback host (RFC 8252, 7.3), or https anywhere; no user, query or fragment. */
struct redirect_uri {
    bool loopback;       /* answers come to this machine: somebody can listen for them */
    char host[256];      /* "localhost", "127.0.0.1", "[::1]", "www.example.com" */
    char authority[264]; /* host, and port where it is written: what a Host header must say */
    int port;
    const char *path; /* "/tieline"; of the text given */
};
int redirect_uri_read(struct redirect_uri *out, const char *uri, struct err *e);

/* One that came: each of these at most once, decoded, without control characters. */
struct redirect {
    str base;        /* what stands before the "?" */
    str query;       /* behind it, still encoded; without the fragment */
    str state;       /* never empty */
    str code, error; /* one of them */
    str words;       /* error_description */
};
/* TL_E_INVALID says what is wrong with it; texts live in the arena or the address. */
int redirect_read(struct redirect *out, struct arena *a, str address, struct err *e);
/* A parameter of a query, decoded; false when it is not there, twice there, or not readable. */
bool redirect_param(struct arena *a, str query, str name, str *out);
bool redirect_is_address(str text); /* an address rather than a bare code */
#endif
