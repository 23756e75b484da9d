#ifndef SANDBOX_OUTCALL_H
#define SANDBOX_OUTCALL_H
/* The sandbox as a client: one small HTTP/1.1 request to a loopback receiver, blocking, with a deadline for all of it.
 */
#include "buf.h"

/* Status of the answer, or -1: unreachable, too late, no HTTP, or not a http:// address on loopback. headers: whole
 * lines, each ending in CRLF. */
int outcall(const char *method, const char *url, const char *headers, str body, int64_t timeout_ms);
#endif
