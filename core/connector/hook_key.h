#ifndef HOOK_KEY_H
#define HOOK_KEY_H
/* Which deliveries of a webhook are one and the same, told twice: by the rule that the connector declares. Pure. [any]
 */
#include <stdint.h>

#include "arena.h"
#include "str.h"
#include "tieline.h"

/* The key of a delivery, in the arena or lent from r; empty: it is like no other and always counts. rule:
 * TL_HOOK_KEY_*; name: of the header or parameter, empty where there is none. */
str hook_key(int32_t rule, str name, const tl_hook_request *r, struct arena *a);
#endif
