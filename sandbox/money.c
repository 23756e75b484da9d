#include "money.h"

#include "cleanup.h"

__extension__ typedef __int128 wide;

static int64_t power_of_ten(int digits)
{
    int64_t p = 1;
    while (digits-- > 0)
        p *= 10;
    return p;
}

bool money_parse(str s, money *out)
{
    bool negative = s.n && s.p[0] == '-', point = false;
    int64_t v = 0;
    int behind = 0, digits = 0;
    for (size_t i = negative; i < s.n; i++) {
        char c = s.p[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            return false;
        digits++;
        if (point && behind == MONEY_DIGITS) {
            if (c != '0')
                return false;
            continue;
        }
        if (v > MONEY_MAX / 10)
            return false;
        v = v * 10 + (c - '0');
        behind += point;
    }
    if (!digits)
        return false;
    int64_t scale = power_of_ten(MONEY_DIGITS - behind);
    if (v > MONEY_MAX / scale)
        return false;
    *out = negative ? -v * scale : v * scale;
    return true;
}

/* To a whole number of `of`s, half away from zero. */
static wide rounded_to(wide v, wide of)
{
    wide half = of / 2;
    return (v < 0 ? v - half : v + half) / of;
}

money money_round(money m, int digits)
{
    int64_t unit = power_of_ten(MONEY_DIGITS - digits);
    return (money)(rounded_to(m, unit) * unit);
}

static bool narrowed(wide v, int64_t unit, money *out)
{
    v *= unit;
    if (v > MONEY_MAX || v < -MONEY_MAX)
        return false;
    *out = (money)v;
    return true;
}

bool money_multiply(money a, money b, int digits, money *out)
{
    int64_t unit = power_of_ten(MONEY_DIGITS - digits);
    return narrowed(rounded_to((wide)a * b, (wide)MONEY_ONE * unit), unit, out);
}

bool money_share(money whole, money part, money of, int digits, money *out)
{
    ASSERT(of != 0);
    int64_t unit = power_of_ten(MONEY_DIGITS - digits);
    wide above = (wide)whole * part, below = (wide)of * unit;
    if (below < 0) {
        above = -above;
        below = -below;
    }
    return narrowed(rounded_to(above, below), unit, out);
}

void money_put(struct buf *b, money m, int digits)
{
    ASSERT(digits >= 0 && digits <= MONEY_DIGITS);
    m = money_round(m, digits);
    uint64_t v = m < 0 ? 0 - (uint64_t)m : (uint64_t)m;
    int64_t unit = power_of_ten(MONEY_DIGITS - digits);
    buf_fmt(b, "%s%llu", m < 0 ? "-" : "", (unsigned long long)(v / (uint64_t)MONEY_ONE));
    if (digits)
        buf_fmt(b, ".%0*llu", digits, (unsigned long long)(v % (uint64_t)MONEY_ONE / (uint64_t)unit));
}

void money_put_short(struct buf *b, money m)
{
    int digits = MONEY_DIGITS;
    while (digits > 0 && m % power_of_ten(MONEY_DIGITS - digits + 1) == 0)
        digits--;
    money_put(b, m, digits);
}
