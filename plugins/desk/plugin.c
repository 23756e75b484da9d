/* The connector's table, its options, and the life of an instance. */
#include "desk.h"

#include <stdlib.h>

/* The hosts of all data centres. They cannot be derived from one suffix, so each is written out.
 * Accounts servers: zoho.com/crm/developer/docs/api/v8/multi-dc.html and the table in the vendor's SDK
 * (zohocrm-nodejs-sdk-8.0, lib/routes/dc). Desk hosts: desk.zoho.com/DeskAPIDocument; those of ca, sa, ae and uk follow
 * public connectors only. */
#define DC_LIST "com,eu,in,au,jp,cn,ca,sa,ae,uk"
#define ACCOUNTS_BY_DC                                                                                                 \
    "?dc:com=https://accounts.zoho.com,eu=https://accounts.zoho.eu,in=https://accounts.zoho.in,"                       \
    "au=https://accounts.zoho.com.au,jp=https://accounts.zoho.jp,cn=https://accounts.zoho.com.cn,"                     \
    "ca=https://accounts.zohocloud.ca,sa=https://accounts.zoho.sa,ae=https://accounts.zoho.ae,"                        \
    "uk=https://accounts.zoho.uk"
#define DESK_BY_DC                                                                                                     \
    "?dc:com=https://desk.zoho.com,eu=https://desk.zoho.eu,in=https://desk.zoho.in,au=https://desk.zoho.com.au,"       \
    "jp=https://desk.zoho.jp,cn=https://desk.zoho.com.cn,ca=https://desk.zohocloud.ca,sa=https://desk.zoho.sa,"        \
    "ae=https://desk.zoho.ae,uk=https://desk.zoho.uk"
#define HOSTS                                                                                                          \
    "accounts.zoho.com,accounts.zoho.eu,accounts.zoho.in,accounts.zoho.com.au,accounts.zoho.jp,accounts.zoho.com.cn,"  \
    "accounts.zohocloud.ca,accounts.zoho.sa,accounts.zoho.ae,accounts.zoho.uk,"                                        \
    "desk.zoho.com,desk.zoho.eu,desk.zoho.in,desk.zoho.com.au,desk.zoho.jp,desk.zoho.com.cn,desk.zohocloud.ca,"        \
    "desk.zoho.sa,desk.zoho.ae,desk.zoho.uk"

static const tl_option options[] = {
    {.name = "dc",
     .def = "com",
     .help = "the data centre the portal lives in: the ending of its address (desk.zoho.eu: eu)",
     .choices = DC_LIST,
     .type = TL_OPT_CHOICE},
    {.name = "accounts_url",
     .def = ACCOUNTS_BY_DC,
     .help = "address of the accounts server, if it is not the one of the data centre",
     .type = TL_OPT_URL},
    {.name = "api_url",
     .def = DESK_BY_DC,
     .help = "address of Zoho Desk without a path, if it is not the one of the data centre",
     .type = TL_OPT_URL},
    {.name = "org_id",
     .help = "id of the portal (Setup, Developer Space, API: OrgId); may be left out when the user belongs to one only",
     .type = TL_OPT_TEXT},
    {.name = "client_id",
     .help = "client id from the API console (api-console.zoho.<dc>), for example of a self client",
     .type = TL_OPT_TEXT,
     .flags = TL_OPT_REQUIRED},
    {.name = "client_secret",
     .help = "client secret from the API console",
     .type = TL_OPT_SECRET,
     .flags = TL_OPT_REQUIRED},
    {.name = "refresh_token",
     .help = "refresh token; left out when the endpoint is signed in with a grant code",
     .type = TL_OPT_SECRET},
    {.name = "stamp_field",
     .def = "cf_tieline_id",
     .help = "API name of the custom text field that holds tieline's stamp; \"endpoint prepare\" creates it",
     .type = TL_OPT_TEXT},
};

static tl_status desk_open(const tl_host *h, const tl_open *o, tl_conn **out, tl_error *e)
{
    tl_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return tlk_fail(e, TL_E_TEMPORARY, "out of memory");
    c->host = h;
    c->limit = DESK_PAGE;
    c->base = tlk_dup(&c->keep, tlk_base_url(tlk_option(o, "api_url")));
    c->api = tlk_fmt(&c->keep, "%.*s/api/v1", TLK_FMT(c->base));
    c->org = tlk_dup(&c->keep, tlk_option(o, "org_id"));
    c->stamp = tlk_dup(&c->keep, tlk_option_or(o, "stamp_field", "cf_tieline_id"));
    *out = c;
    return TL_OK;
}

static void desk_close(tl_conn *c)
{
    tlk_json_done(&c->json);
    tlk_arena_done(&c->call);
    tlk_arena_done(&c->page);
    tlk_arena_done(&c->keep);
    free(c);
}

static const void *desk_extension(const char *id)
{
    if (strcmp(id, "tl.auth/1") == 0)
        return &desk_auth;
    if (strcmp(id, "tl.webhook/1") == 0)
        return &desk_webhook;
    if (strcmp(id, "tl.prepare/1") == 0)
        return &desk_prepare;
    if (strcmp(id, "tl.view/1") == 0)
        return &desk_view;
    if (strcmp(id, "tl.action/1") == 0)
        return &desk_actions;
    return NULL;
}

static const tl_connector connector = {
    .magic = TL_MAGIC,
    .struct_size = sizeof(connector),
    .abi_major = TL_ABI_MAJOR,
    .abi_minor = TL_ABI_MINOR,
    .id = "desk",
    .name = "Zoho Desk",
    .version = "0.1.0",
    .vendor = "tieline",
    .url = "https://desk.zoho.com/DeskAPIDocument",
    .license = "Apache-2.0",
    .role = TL_ROLE_HELPDESK,
    .claims = "finance:finance", /* a desk serves one finance system */
    .hosts = HOSTS,
    .n_options = TLK_LEN(options),
    .option_stride = sizeof(options[0]),
    .options = options,
    .open = desk_open,
    .close = desk_close,
    .check = desk_check,
    .discover = desk_discover,
    .pull = desk_pull,
    .get = desk_get,
    .find = desk_find,
    .push = desk_push,
    .extension = desk_extension,
};

const tl_connector *tieline_connector_v0(void)
{
    return &connector;
}
