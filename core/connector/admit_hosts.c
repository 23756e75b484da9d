/* Hosts that a connector declares; apart from the other rules, as a worker has nothing to do with HTTP. */
#include "address.h"
#include "admit.h"

int admit_hosts(const char *hosts, struct err *e)
{
    str rest = str_of(hosts), word;
    if (rest.n == 0)
        return TL_OK;
    struct http_allow *probe = http_allow_new(false);
    int rc = TL_OK;
    while (!rc && str_split(&rest, ',', &word)) {
        if (str_trim(word).n == 0)
            rc = err_set(e, TL_E_INVALID, "an empty entry in hosts \"%.100s\"", hosts);
        else
            rc = http_allow_hosts(probe, word, e);
    }
    http_allow_free(probe);
    return rc;
}
