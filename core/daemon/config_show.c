/* Values of the configuration as the API may tell them: see config_show.h. */
#include "config_show.h"

#include <string.h>

const char *config_shown(const struct config_value *v, const struct manifest *m)
{
    static const char hidden[] = "[secret]";
    if (strncmp(v->value, "@secret:", 8) == 0)
        return v->value; /* a name */
    if (v->is_secret)
        return hidden;
    if (strncmp(v->section, "endpoint ", 9) != 0 || config_key_find("endpoint", v->key))
        return v->value;
    const tl_option *o = m ? manifest_option(m, str_of(v->key)) : NULL;
    return !o || o->type == TL_OPT_SECRET ? hidden : v->value;
}
