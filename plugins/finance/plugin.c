/* The connector's table, its options, and the life of an instance. */
#include "finance.h"

#include <stdlib.h>

/* Data centres: accounts servers by zoho.com/crm/developer/docs/api/v8/multi-dc.html and the table in the vendor's SDK
 * (zohocrm-nodejs-sdk-8.0, lib/routes/dc), API hosts by [B:introduction]; those of ae and uk follow the vendor's other
 * products. */
#define DC_LIST "com,eu,in,au,jp,cn,ca,sa,ae,uk"
#define ACCOUNTS_BY_DC                                                                                                 \
    "?dc:com=https://accounts.zoho.com,eu=https://accounts.zoho.eu,in=https://accounts.zoho.in,"                       \
    "au=https://accounts.zoho.com.au,jp=https://accounts.zoho.jp,cn=https://accounts.zoho.com.cn,"                     \
    "ca=https://accounts.zohocloud.ca,sa=https://accounts.zoho.sa,ae=https://accounts.zoho.ae,"                        \
    "uk=https://accounts.zoho.uk"
#define HOSTS                                                                                                          \
    "accounts.zoho.com,accounts.zoho.eu,accounts.zoho.in,accounts.zoho.com.au,accounts.zoho.jp,accounts.zoho.com.cn,"  \
    "accounts.zohocloud.ca,accounts.zoho.sa,accounts.zoho.ae,accounts.zoho.uk,"                                        \
    "www.zohoapis.com,www.zohoapis.eu,www.zohoapis.in,www.zohoapis.com.au,www.zohoapis.jp,www.zohoapis.com.cn,"        \
    "www.zohoapis.ca,www.zohoapis.sa,www.zohoapis.ae,www.zohoapis.uk"

const struct fin_product fin_products[] = {
    {.name = "books", .path = "/books/v3", .title = "Zoho Books", .scope = "ZohoBooks"},
    {.name = "invoice", .path = "/invoice/v3", .title = "Zoho Invoice", .scope = "ZohoInvoice", .form = true},
};

static const tl_option options[] = {
    {.name = "product",
     .def = "books",
     .help = "which of the two the organisation uses: Zoho Books or Zoho Invoice",
     .choices = "books,invoice",
     .type = TL_OPT_CHOICE},
    {.name = "dc",
     .def = "com",
     .help = "the data centre the organisation lives in: the ending of its address (books.zoho.eu: eu)",
     .choices = DC_LIST,
     .type = TL_OPT_CHOICE},
    {.name = "accounts_url",
     .def = ACCOUNTS_BY_DC,
     .help = "address of the accounts server, if it is not the one of the data centre",
     .type = TL_OPT_URL},
    {.name = "api_url",
     .help = "address of the API without a path, if it is not the one the sign-in names",
     .type = TL_OPT_URL},
    {.name = "organization_id",
     .help =
         "id of the organisation; may be left out when the user administers one only, else \"endpoint check\" lists "
         "them",
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
     .help = "refresh token; left out when the endpoint is signed in with a browser or a grant code",
     .type = TL_OPT_SECRET},
    {.name = "stamp_field",
     .def = "cf_tieline_id",
     .help =
         "API name of the custom field (\"no duplicates\") that holds tieline's stamp; \"endpoint prepare\" says how "
         "to make it",
     .type = TL_OPT_TEXT},
    {.name = "custom_fields",
     .help =
         "API names of further custom fields to be carried, comma separated (cf_region, cf_tier): the vendor has no "
         "call that lists them",
     .type = TL_OPT_TEXT},
    {.name = "calls_per_minute",
     .def = "60",
     .help =
         "most calls a minute of reading and writing in bulk; the vendor allows 100 in all to an organisation; 0: no "
         "limit of our own",
     .type = TL_OPT_INT},
};

static bool is_api_name(tl_str s)
{
    for (uint64_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        if (!(ch >= 'a' && ch <= 'z') && !(ch >= 'A' && ch <= 'Z') && !(ch >= '0' && ch <= '9') && ch != '_')
            return false;
    }
    return tlk_starts(s, "cf_") && s.n > 3 && s.n <= 60;
}

static tl_status take_names(tl_conn *c, const tl_open *o, tl_error *e)
{
    TLK_AUTO_BUF names = {0};
    tl_str rest = tlk_option(o, "custom_fields"), one;
    tl_str stamp = tlk_trim(tlk_option_or(o, "stamp_field", "cf_tieline_id"));
    if (!is_api_name(stamp))
        return tlk_fail(e, TL_E_CONFIG,
                        "stamp_field \"%.*s\" is not the API name of a custom field, like cf_tieline_id",
                        TLK_FMT(stamp));
    while (tlk_split(&rest, ',', &one)) {
        one = tlk_trim(one);
        if (!is_api_name(one))
            return tlk_fail(e, TL_E_CONFIG,
                            "custom_fields: \"%.*s\" is not the API name of a custom field, like cf_region",
                            TLK_FMT(one));
        if (tlk_eq(one, stamp) || tlk_in_list(tlk_lent(&names), ',', one))
            continue;
        tlk_addf(&names, "%s%.*s", names.n ? "," : "", TLK_FMT(one));
    }
    c->stamp = tlk_dup(&c->keep, stamp);
    c->custom = tlk_dup(&c->keep, tlk_lent(&names));
    return TL_OK;
}

static void fin_close(tl_conn *c)
{
    tlk_json_done(&c->json);
    tlk_arena_done(&c->call);
    tlk_arena_done(&c->page);
    tlk_arena_done(&c->keep);
    free(c);
}

static tl_status fin_open(const tl_host *h, const tl_open *o, tl_conn **out, tl_error *e)
{
    tl_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return tlk_fail(e, TL_E_TEMPORARY, "out of memory");
    tl_status rc = take_names(c, o, e);
    if (rc != TL_OK) {
        fin_close(c);
        return rc;
    }
    c->host = h;
    c->product = &fin_products[tlk_is(tlk_option(o, "product"), "invoice")];
    c->dc = tlk_dup(&c->keep, tlk_option_or(o, "dc", "com"));
    c->api = tlk_dup(&c->keep, tlk_base_url(tlk_option(o, "api_url")));
    c->org = tlk_dup(&c->keep, tlk_trim(tlk_option(o, "organization_id")));
    if (o->purpose == TL_PURPOSE_BULK)
        tlk_to_i64(tlk_option(o, "calls_per_minute"), &c->per_minute);
    *out = c;
    return TL_OK;
}

static const void *fin_extension(const char *id)
{
    if (strcmp(id, "tl.auth/1") == 0)
        return &fin_auth;
    if (strcmp(id, "tl.prepare/1") == 0)
        return &fin_prepare;
    if (strcmp(id, "tl.view/1") == 0)
        return &fin_view;
    if (strcmp(id, "tl.action/1") == 0)
        return &fin_actions;
    return NULL;
}

static const tl_connector connector = {
    .magic = TL_MAGIC,
    .struct_size = sizeof(connector),
    .abi_major = TL_ABI_MAJOR,
    .abi_minor = TL_ABI_MINOR,
    .id = "finance",
    .name = "Zoho Books and Invoice",
    .version = "0.1.0",
    .vendor = "tieline",
    .url = "https://www.zoho.com/books/api/v3/introduction/",
    .license = "Apache-2.0",
    .role = TL_ROLE_FINANCE,
    .claims = "helpdesk:desk", /* an organisation serves one help desk */
    .hosts = HOSTS,
    .n_options = TLK_LEN(options),
    .option_stride = sizeof(options[0]),
    .options = options,
    .open = fin_open,
    .close = fin_close,
    .check = fin_check,
    .discover = fin_discover,
    .pull = fin_pull,
    .get = fin_get,
    .find = fin_find,
    .push = fin_push,
    .extension = fin_extension,
};

const tl_connector *tieline_connector_v0(void)
{
    return &connector;
}
