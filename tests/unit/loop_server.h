#ifndef LOOP_SERVER_H
#define LOOP_SERVER_H
/* A scripted HTTP server on a random loopback port, for tests of what a well-behaved server library cannot do: half a
 * body, an answer that never comes after the request was taken. One thread a connection. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop_request {
    char method[16], target[2048];
    char head[8192]; /* the whole head, for looking up headers */
    char body[16384];
    size_t body_n;
    int connection;    /* 1, 2, ... */
    int on_connection; /* 1 for the first request of its connection */
};
struct loop_reply {
    int status;         /* 0: no answer, the connection is closed */
    char headers[1024]; /* further header lines, each with \r\n */
    const char *body;
    size_t body_n; /* 0 with body set: strlen */
    size_t cut;    /* close after so many bytes of the body although more were promised; 0: no */
    bool hold;     /* take the request, answer nothing until loop_release */
};
struct loop_server;
/* The handler may be called from several connections at once. */
struct loop_server *loop_start(void (*handler)(void *ctx, const struct loop_request *, struct loop_reply *), void *ctx);
struct loop_server *loop_stop(struct loop_server *s);
void loop_release(struct loop_server *s); /* ends every hold */
int loop_port(const struct loop_server *s);
/* "http://127.0.0.1:PORT" + path; the caller frees with free(). */
char *loop_url(const struct loop_server *s, const char *path);
int loop_connections(struct loop_server *s);
int loop_requests(struct loop_server *s);
/* Copies the value of a header (name in any case) or "". */
void loop_header(const struct loop_request *r, const char *name, char *out, size_t cap);
#endif
