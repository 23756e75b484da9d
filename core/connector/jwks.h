#ifndef JWKS_H
#define JWKS_H
/* Inside hook verification: checks an RS256 signature with the vendor's keys, fetching them when needed. */
#include "hook_verify.h"

/* TL_OK; TL_E_DENIED: wrong signature or unknown key; TL_E_TEMPORARY: the keys cannot be fetched, or, with the code
 * KEYS_AWAITED, not without waiting. id may be empty: any
 * key. signature is raw bytes. [any] */
int jwks_verify(struct jwks *k, bool may_wait, str id, str text, str signature, struct err *e);
#endif
