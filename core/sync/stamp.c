/* Stamps: see stamp.h. */
#include "stamp.h"

#include <stdio.h>

#include "engine_int.h"

void stamp_of_instance(const struct g_link *l, int source, const struct origin *of, const char *instance,
                       const struct stamp_key *key, char out[40])
{
    char number[16] = "0", hash[27];
    if (of->gen)
        snprintf(number, sizeof number, "%u", of->gen);
    const struct g_endpoint *from = l->conn->ep[source], *to = l->conn->ep[1 - source];
    const str parts[] = {from->row.org_key, l->row.kind[source], of->id, to->row.org_key, l->row.kind[1 - source],
                         of->slot,          str_of(number)};
    stamp_hash(hash, key, parts, (unsigned)ARRAY_LEN(parts));
    str own = str_of(instance);
    ASSERT(own.n + 1 + sizeof hash <= 40);
    memcpy(out, own.p, own.n);
    out[own.n] = '.';
    memcpy(out + own.n + 1, hash, sizeof hash);
}

void stamp_of(const struct engine *g, const struct g_link *l, int source, const struct origin *of, char out[40])
{
    stamp_of_instance(l, source, of, db_instance(g->db), db_stamp_key(g->db), out);
}
