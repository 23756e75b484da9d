#ifndef GUARD_H
#define GUARD_H
/* What a request must satisfy before anything of it is believed; the list comes from measuring which malformed requests
 * the server library lets pass. Pure, so that it can be table-tested. [any] */
#include <stdbool.h>
#include <stddef.h>

#include "str.h"

struct guard_header {
    str name, value;
};
/* NULL when the request may pass, else what is wrong in a few words. */
const char *guard_check(str method, str version, const struct guard_header *headers, size_t n);
#endif
