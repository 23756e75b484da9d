#ifndef CLAIMS_H
#define CLAIMS_H
/* What a connector claims: "ROLE[|ROLE...]:GROUP,...", "helpdesk|crm:crm" for one place named crm that a partner of
 * either role takes. Pure. [any] */
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "str.h"

int claims_check(str claims, struct err *e); /* TL_E_BUG names what is none */
/* The next place that a partner of this role takes; *rest is what is left of the claims, which were checked. */
bool claims_next(str *rest, int32_t role, str *group_out);
#endif
