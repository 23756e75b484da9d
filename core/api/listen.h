#ifndef LISTEN_H
#define LISTEN_H
/* Sockets to listen on. Descriptors, or -1 with e filled. */
#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/* Mode 0660, of the group when there is one (else UINT32_MAX). What a killed daemon left there is taken over; what
 * another one answers on, or is no socket, is not. */
int listen_unix(const char *path, uint32_t group, struct err *e);
int listen_tcp(const char *address, struct err *e); /* "HOST:PORT", "[::1]:8080" */
bool listen_beyond_host(int fd);                    /* other machines can reach it */
#endif
