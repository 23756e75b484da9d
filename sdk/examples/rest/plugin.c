/* SPDX-License-Identifier: MIT-0
 * A JSON REST API that is described by the options of its endpoint: where the lists are, how they go on, what the
 * fields are called; options.c says what the options mean. Here: the table, and the life of an instance. */
#include "rest.h"

#include <stdlib.h>

static void rest_close(tl_conn *c)
{
    tlk_json_done(&c->json);
    tlk_arena_done(&c->call);
    tlk_arena_done(&c->keep);
    free(c);
}

static tl_status rest_open(const tl_host *h, const tl_open *o, tl_conn **out, tl_error *e)
{
    tl_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return tlk_fail(e, TL_E_TEMPORARY, "out of memory");
    c->host = h;
    tl_status rc = rest_read_options(&c->api, o, &c->keep, e);
    if (rc == TL_OK)
        *out = c;
    else
        rest_close(c);
    return rc;
}

/* clang-format off */
static const void *rest_extension(const char *id)
{
    return strcmp(id, "tl.auth/1") == 0 ? &rest_auth : NULL;
}

static const tl_connector connector = {
    .magic = TL_MAGIC, .struct_size = sizeof(connector), .abi_major = TL_ABI_MAJOR, .abi_minor = TL_ABI_MINOR,
    .id = "rest", .name = "JSON REST API", .version = "1.0", .license = "MIT-0", .role = TL_ROLE_OTHER,
    .n_options = REST_OPTIONS, .option_stride = sizeof(tl_option), .options = rest_options,
    .open = rest_open, .close = rest_close, .check = rest_check, .discover = rest_discover,
    .pull = rest_pull, .get = rest_get, .find = rest_find, .push = rest_push, .extension = rest_extension,
};
/* clang-format on */

const tl_connector *tieline_connector_v0(void)
{
    return &connector;
}
