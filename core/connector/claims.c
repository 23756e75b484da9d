#include "claims.h"

#include "manifest.h"
#include "tieline.h"

static bool is_role(str word)
{
    for (int32_t role = TL_ROLE_OTHER; role <= TL_ROLE_TELEPHONY; role++)
        if (str_is(word, role_name(role)))
            return true;
    return false;
}

static bool is_claim(str claim)
{
    str roles, role;
    if (!str_split(&claim, ':', &roles) || roles.n == 0 || roles.p[roles.n - 1] == '|' || claim.n == 0 || claim.n > 32)
        return false;
    for (uint64_t i = 0; i < claim.n; i++)
        if ((claim.p[i] < 'a' || claim.p[i] > 'z') && claim.p[i] != '_')
            return false;
    while (str_split(&roles, '|', &role))
        if (!is_role(role))
            return false;
    return true;
}

int claims_check(str claims, struct err *e)
{
    bool ends_early = claims.n && claims.p[claims.n - 1] == ',';
    for (str claim; str_split(&claims, ',', &claim);)
        if (!is_claim(claim) || (ends_early && claims.n == 0)) {
            err_set(e, TL_E_BUG, "the claim \"%.*s\" is none", STR_FMT(claim));
            err_hint(e, "ROLE:GROUP or ROLE|ROLE:GROUP, as \"helpdesk|crm:crm\"");
            return TL_E_BUG;
        }
    return TL_OK;
}

static bool has_role(str roles, int32_t role)
{
    for (str one; str_split(&roles, '|', &one);)
        if (str_is(one, role_name(role)))
            return true;
    return false;
}

bool claims_next(str *rest, int32_t role, str *group_out)
{
    for (str claim, roles; str_split(rest, ',', &claim);)
        if (str_split(&claim, ':', &roles) && has_role(roles, role)) {
            *group_out = claim;
            return true;
        }
    return false;
}
