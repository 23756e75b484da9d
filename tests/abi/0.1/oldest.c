/* The connector that must keep working: written against header 0.1 as it stands beside this file, using each part of
 * the core table and each extension once. It is never adapted to a later header; if a host cannot run it, the host is
 * wrong. */
#include <stdlib.h>
#include <string.h>

#include "tieline.h"

struct tl_conn {
    const tl_host *host;
    int greeting; /* length of the option */
};

static tl_status old_open(const tl_host *host, const tl_open *open, tl_conn **out, tl_error *e)
{
    (void)e;
    if (host->abi_major != 0 || !TL_HAS(host, tl_host, subscription))
        return TL_E_UNSUPPORTED;
    tl_conn *c = calloc(1, sizeof *c);
    if (!c)
        return TL_E_BUG;
    c->host = host;
    for (uint32_t i = 0; i < open->n_config; i++)
        if (strcmp(open->config[i].name.p, "greeting") == 0)
            c->greeting = (int)open->config[i].value.n;
    *out = c;
    return TL_OK;
}

static void old_close(tl_conn *c)
{
    free(c);
}

static tl_status old_check(tl_conn *c, const tl_check *k, tl_error *e)
{
    (void)k;
    (void)e;
    tl_account a = {.struct_size = sizeof a, .org_key = TL_STR("old-org"), .server_us = c->host->now_us(c->host)};
    return c->host->account(c->host, &a);
}

static tl_status old_discover(tl_conn *c, const tl_discover *d, tl_error *e)
{
    (void)d;
    (void)e;
    static const tl_field fields[] = {{.struct_size = sizeof *fields,
                                       .type = TL_EMAIL,
                                       .flags = TL_F_MATCH,
                                       .path = TL_STR("email"),
                                       .name = TL_STR("Email")}};
    tl_kind k = {.struct_size = sizeof k,
                 .can = TL_CAN_PASS | TL_CAN_CREATE,
                 .max_batch = 2,
                 .n_fields = 1,
                 .field_stride = sizeof *fields,
                 .kind = TL_STR("contact"),
                 .name = TL_STR("Contact"),
                 .fields = fields};
    return c->host->describe(c->host, &k);
}

static tl_status give(tl_conn *c, uint32_t index)
{
    tl_value v = {.field = 0, .type = TL_EMAIL, .u.s = TL_STR("old@example.com")};
    tl_record r = {.id = TL_STR("1"),
                   .version = TL_STR("1"),
                   .version_kind = TL_VER_SEQUENCE,
                   .modified_us = 5,
                   .flags = TL_REC_FULL,
                   .index = index,
                   .n_values = 1,
                   .values = &v};
    tl_batch b = {.struct_size = sizeof b, .count = 1, .stride = sizeof r, .records = &r};
    return c->host->emit(c->host, &b);
}

static tl_status old_pull(tl_conn *c, const tl_pull *p, tl_error *e)
{
    (void)e;
    tl_status s = give(c, 0);
    if (s)
        return s;
    tl_checkpoint k = {.struct_size = sizeof k, .mode = p->mode, .complete = 1, .cursor = TL_STR("end"), .estimate = 1};
    c->host->checkpoint(c->host, &k);
    return TL_OK;
}

static tl_status old_get(tl_conn *c, const tl_get *g, tl_error *e)
{
    (void)e;
    for (uint32_t i = 0; i < g->n_ids; i++)
        give(c, i);
    return TL_OK;
}

static tl_status old_find(tl_conn *c, const tl_find *f, tl_error *e)
{
    (void)e;
    for (uint32_t i = 0; i < f->n_queries; i++)
        give(c, i);
    return TL_OK;
}

static tl_status old_push(tl_conn *c, const tl_push *p, tl_error *e)
{
    (void)e;
    for (uint32_t i = 0; i < p->batch->count; i++) {
        const tl_record *r = TL_AT(tl_record, p->batch->records, p->batch->stride, i);
        tl_record now = {.id = r->id, .version = TL_STR("2")};
        tl_error bad = {.struct_size = sizeof bad, .reason = TL_R_REQUIRED_MISSING, .text = "no values"};
        tl_result result = {.struct_size = sizeof result, .status = r->n_values ? TL_OK : TL_E_INVALID};
        if (r->n_values)
            result.record = &now;
        else
            result.error = &bad;
        c->host->result(c->host, i, &result);
    }
    return TL_OK;
}

static tl_status old_parse(tl_conn *c, const tl_hook_request *r, tl_error *e)
{
    (void)e;
    tl_record hint = {.id = r->body, .flags = TL_REC_HINT};
    tl_batch b = {.struct_size = sizeof b, .count = 1, .stride = sizeof hint, .records = &hint};
    return c->host->emit(c->host, &b);
}

static tl_status old_prepare(tl_conn *c, const tl_prepare_request *p, tl_error *e)
{
    (void)p;
    (void)e;
    tl_finding f = {
        .struct_size = sizeof f, .level = TL_INFO, .code = TL_STR("NOTHING"), .text = TL_STR("nothing to do")};
    return c->host->finding(c->host, &f);
}

static int32_t old_verdict(int32_t status, tl_str body)
{
    (void)body;
    return status == 401 ? TL_AUTH_EXPIRED : TL_AUTH_UNRELATED;
}

static const void *old_extension(const char *id)
{
    static const tl_auth_flow flow = {
        .name = "refresh_token", .needs = "token", .token_url = "https://old.example.com/t", .form = "r={token}"};
    static const tl_auth auth = {.struct_size = sizeof auth,
                                 .n_flows = 1,
                                 .flow_stride = sizeof flow,
                                 .flows = &flow,
                                 .header = "Authorization",
                                 .prefix = "Bearer ",
                                 .access_member = "access_token",
                                 .verdict = old_verdict};
    static const tl_webhook hook = {
        .struct_size = sizeof hook, .scheme = TL_HOOK_HMAC_SHA256, .header = "x-sig", .parse = old_parse};
    static const tl_prepare prepare = {.struct_size = sizeof prepare, .prepare = old_prepare};
    if (strcmp(id, "tl.auth/1") == 0)
        return &auth;
    if (strcmp(id, "tl.webhook/1") == 0)
        return &hook;
    return strcmp(id, "tl.prepare/1") == 0 ? &prepare : NULL;
}

const tl_connector *tieline_connector_v0(void)
{
    static const tl_option options[] = {
        {.name = "greeting", .def = "hello", .help = "any text", .type = TL_OPT_TEXT},
        {.name = "token", .help = "a secret", .type = TL_OPT_SECRET},
    };
    static const tl_connector connector = {
        .magic = TL_MAGIC,
        .struct_size = sizeof connector,
        .abi_major = TL_ABI_MAJOR,
        .abi_minor = TL_ABI_MINOR,
        .id = "oldest",
        .name = "Oldest",
        .version = "0.1",
        .license = "MIT-0",
        .role = TL_ROLE_OTHER,
        .hosts = "old.example.com",
        .n_options = 2,
        .option_stride = sizeof *options,
        .options = options,
        .open = old_open,
        .close = old_close,
        .check = old_check,
        .discover = old_discover,
        .pull = old_pull,
        .get = old_get,
        .find = old_find,
        .push = old_push,
        .extension = old_extension,
    };
    return &connector;
}
