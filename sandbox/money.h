#ifndef SANDBOX_MONEY_H
#define SANDBOX_MONEY_H
/* Amounts, rates, quantities and percentages, exact: whole millionths, never a double. Up to 999,999,999,999 either
 * way; rounding is half away from zero, as invoices are rounded. Pure. */
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "str.h"

typedef int64_t money; /* millionths */

#define MONEY_ONE INT64_C(1000000)
#define MONEY_MAX (INT64_C(999999999999) * MONEY_ONE)
enum { MONEY_DIGITS = 6 };

/* "1369.66", "-5", ".5"; at most six digits behind the point, zeros beyond them aside. No exponent. */
bool money_parse(str s, money *out);
void money_put(struct buf *b, money m, int digits); /* as many digits behind the point: exact when rounded to them */
void money_put_short(struct buf *b, money m);       /* without zeros at the end */
money money_round(money m, int digits);
/* These give the exact value rounded to the digits; MONEY_MAX bounds the result, false: it is beyond. */
bool money_multiply(money a, money b, int digits, money *out);
bool money_share(money whole, money part, money of, int digits, money *out); /* whole * part / of; of is not 0 */
#endif
