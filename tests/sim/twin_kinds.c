/* What the two vendors of the simulation say of themselves: their kinds, and the fields of these. */
#include <string.h>

#include "times.h"
#include "twin.h"

const char *twin_field_path(int kind, int field)
{
    static const char *const contact[] = {"last_name", "email",       "phone",     "title",
                                          "account",   "description", "department"};
    static const char *const account[] = {"name", NULL, "phone", "website", NULL, "description", "industry"};
    return kind == KIND_CONTACT ? contact[field] : account[field];
}

const char *twin_product_path(int field)
{
    static const char *const product[] = {"name", NULL, NULL, "code", NULL, "description", "x.family"};
    return product[field];
}

uint32_t twin_field_type(int field)
{
    static const uint32_t types[] = {TL_TEXT, TL_EMAIL, TL_PHONE, TL_TEXT, TL_REF, TL_TEXT, TL_TEXT};
    return types[field];
}

void twin_describe(struct world *w, int s, int kind, struct reply *reply)
{
    tl_field fields[TWIN_FIELDS];
    uint32_t n = 0;
    bool product = w->knobs.products && kind == KIND_ACCOUNT;
    for (int f = 0; f < TWIN_FIELDS; f++) {
        const char *path = product ? twin_product_path(f) : twin_field_path(kind, f);
        if (!path || (f == F_EXTRA && w->drift[s] == 1))
            continue;
        fields[n] = (tl_field){.struct_size = sizeof(tl_field),
                               .type = twin_field_type(f),
                               .path = {path, strlen(path)},
                               .name = {path, strlen(path)},
                               .label = {path, strlen(path)},
                               .max = twin_field_type(f) == TL_REF ? 0 : TWIN_TEXT - 1};
        if (f == F_NAME)
            fields[n].flags = TL_F_REQUIRED | TL_F_MATCH;
        if (f == F_EXTRA && w->drift[s] == 2)
            fields[n].flags = TL_F_READONLY;
        if (f == F_EXTRA && w->drift[s] == 3)
            fields[n].flags = TL_F_REQUIRED;
        if (f == F_EMAIL)
            fields[n].flags = TL_F_MATCH;
        if (f == F_ACCOUNT)
            fields[n].refers_to = TL_STR("account");
        n++;
    }
    tl_kind k = {.struct_size = sizeof k,
                 .can = w->knobs.can[s][kind],
                 .max_batch = w->knobs.max_batch[s],
                 .max_get = 50,
                 .max_find = 20,
                 .n_fields = n,
                 .field_stride = sizeof(tl_field),
                 .resolution_ms = w->knobs.resolution_ms[s],
                 .settle_ms = w->knobs.settle_us / US_PER_MS,
                 .lateness_ms = w->knobs.late_us / US_PER_MS,
                 .fields = fields};
    k.kind = k.name = k.label = kind == KIND_CONTACT ? TL_STR("contact")
                                : product            ? TL_STR("product")
                                                     : TL_STR("account");
    if (w->knobs.stamp[s])
        k.stamp_field = TL_STR("stamp");
    ASSERT(reply_add_kind(reply, &k, NULL) == TL_OK);
}
