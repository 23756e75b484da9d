/* The connector's table, its options, and the life of an instance. */
#include "salesforce.h"

#include <stdlib.h>

static const tl_option options[] = {
    {.name = "login_url",
     .def = "https://login.salesforce.com",
     .help =
         "where to sign in: https://login.salesforce.com, https://test.salesforce.com for a sandbox, or the org's own "
         "address https://NAME.my.salesforce.com, which client credentials need",
     .type = TL_OPT_URL},
    {.name = "instance_url",
     .help = "address of the org's API, if it is not the one the sign-in names",
     .type = TL_OPT_URL},
    {.name = "client_id", .help = "consumer key of the connected app", .type = TL_OPT_TEXT, .flags = TL_OPT_REQUIRED},
    {.name = "client_secret",
     .help = "consumer secret; alone it signs in by client credentials, for which the app needs a run-as user",
     .type = TL_OPT_SECRET},
    {.name = "refresh_token", .help = "refresh token of a user who approved the app", .type = TL_OPT_SECRET},
    {.name = "username", .help = "user to sign in as with a private key (JWT bearer)", .type = TL_OPT_TEXT},
    {.name = "private_key",
     .help = "RSA private key (PEM) of the certificate uploaded to the connected app, usually as @file:PATH",
     .type = TL_OPT_SECRET},
    {.name = "audience",
     .help = "audience of the JWT, if it is not login_url: https://login.salesforce.com or https://test.salesforce.com",
     .type = TL_OPT_TEXT},
    {.name = "api_version", .def = "62.0", .help = "version of the REST API; 52.0 is the oldest", .type = TL_OPT_TEXT},
    {.name = "external_id_field",
     .def = "Tieline_Id__c",
     .help = "API name of the unique external-id field that holds tieline's stamp; \"endpoint prepare\" says how to "
             "make it",
     .type = TL_OPT_TEXT},
    {.name = "duplicate_alerts",
     .def = "refuse",
     .help = "what a duplicate rule that only alerts does to a write; rules that block always refuse",
     .choices = "refuse,save",
     .type = TL_OPT_CHOICE},
};

static bool version_fits(tl_str v)
{
    int64_t major = 0;
    tl_str head, rest = v;
    return tlk_split(&rest, '.', &head) && tlk_is(rest, "0") && tlk_to_i64(head, &major) && major >= 52 && major < 1000;
}

static tl_status sf_open(const tl_host *h, const tl_open *o, tl_conn **out, tl_error *e)
{
    tl_str version = tlk_option_or(o, "api_version", "62.0");
    tl_str stamp = tlk_option_or(o, "external_id_field", "Tieline_Id__c");
    if (!version_fits(version))
        return tlk_fail(e, TL_E_CONFIG, "api_version \"%.*s\" is not one like 62.0, 52.0 or newer", TLK_FMT(version));
    if (!sf_is_name(stamp) || memchr(stamp.p, '.', (size_t)stamp.n))
        return tlk_fail(e, TL_E_CONFIG, "external_id_field \"%.*s\" is not the API name of a field", TLK_FMT(stamp));
    tl_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return tlk_fail(e, TL_E_TEMPORARY, "out of memory");
    c->host = h;
    c->login = tlk_dup(&c->keep, tlk_base_url(tlk_option(o, "login_url")));
    c->instance = tlk_dup(&c->keep, tlk_base_url(tlk_option(o, "instance_url")));
    c->version = tlk_dup(&c->keep, version);
    c->stamp = tlk_dup(&c->keep, stamp);
    c->save_alerts = tlk_is(tlk_option(o, "duplicate_alerts"), "save");
    *out = c;
    return TL_OK;
}

static void sf_close(tl_conn *c)
{
    tlk_json_done(&c->json);
    tlk_arena_done(&c->call);
    tlk_arena_done(&c->page);
    tlk_arena_done(&c->keep);
    free(c);
}

static const void *sf_extension(const char *id)
{
    if (strcmp(id, "tl.auth/1") == 0)
        return &sf_auth;
    if (strcmp(id, "tl.prepare/1") == 0)
        return &sf_prepare;
    if (strcmp(id, "tl.view/1") == 0)
        return &sf_view;
    return NULL;
}

static const tl_connector connector = {
    .magic = TL_MAGIC,
    .struct_size = sizeof(connector),
    .abi_major = TL_ABI_MAJOR,
    .abi_minor = TL_ABI_MINOR,
    .id = "salesforce",
    .name = "Salesforce",
    .version = "0.1.0",
    .vendor = "tieline",
    .url = "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/",
    .license = "Apache-2.0",
    .role = TL_ROLE_CRM,
    .claims = "helpdesk:desk", /* an org feeds one help desk */
    .hosts = "login.salesforce.com,test.salesforce.com,*.my.salesforce.com,*.salesforce.com",
    .default_master = 1,
    .n_options = TLK_LEN(options),
    .option_stride = sizeof(options[0]),
    .options = options,
    .open = sf_open,
    .close = sf_close,
    .check = sf_check,
    .discover = sf_discover,
    .pull = sf_pull,
    .get = sf_get,
    .find = sf_find,
    .push = sf_push,
    .extension = sf_extension,
};

const tl_connector *tieline_connector_v0(void)
{
    return &connector;
}
