/* A connector with nothing behind it: its records lie ready, so that what is measured is the way they go. A pull gives
 * pages of page_hint records until its budget is used up, a get one record. */
#include "emitter.h"

#include <stdio.h>
#include <stdlib.h>

struct tl_conn {
    const tl_host *host;
    tl_record records[EMITTER_PAGE];
    char ids[EMITTER_PAGE][20];
    tl_value values[EMITTER_FIELDS];
};

static tl_status emitter_open(const tl_host *host, const tl_open *open, tl_conn **out, tl_error *e)
{
    (void)open;
    (void)e;
    tl_conn *c = calloc(1, sizeof *c);
    if (!c)
        return TL_E_TEMPORARY;
    c->host = host;
    for (uint32_t f = 0; f < EMITTER_FIELDS; f++)
        c->values[f] = (tl_value){.field = f, .type = TL_TEXT, .u.s = TL_STR("a value of two dozen b")};
    for (uint32_t i = 0; i < EMITTER_PAGE; i++) {
        int n = snprintf(c->ids[i], sizeof c->ids[i], "4000000%08u", i);
        c->records[i] = (tl_record){.id = {c->ids[i], (uint64_t)n},
                                    .version = TL_STR("2026-01-01T00:00:00Z"),
                                    .version_kind = TL_VER_TIME,
                                    .modified_us = INT64_C(1767225600000000),
                                    .flags = TL_REC_FULL,
                                    .n_values = EMITTER_FIELDS,
                                    .values = c->values};
    }
    *out = c;
    return TL_OK;
}

static void emitter_close(tl_conn *c)
{
    free(c);
}

static tl_status emitter_check(tl_conn *c, const tl_check *check, tl_error *e)
{
    (void)check;
    (void)e;
    tl_account account = {.struct_size = sizeof account, .org_key = TL_STR("emitter")};
    return c->host->account(c->host, &account);
}

static tl_status emitter_discover(tl_conn *c, const tl_discover *d, tl_error *e)
{
    (void)c;
    (void)d;
    (void)e;
    return TL_OK;
}

static tl_status emit(tl_conn *c, uint32_t n)
{
    tl_batch b = {.struct_size = sizeof b, .count = n, .stride = sizeof *c->records, .records = c->records};
    return c->host->emit(c->host, &b);
}

static tl_status emitter_pull(tl_conn *c, const tl_pull *p, tl_error *e)
{
    (void)e;
    char cursor[16];
    uint32_t n = p->page_hint < EMITTER_PAGE ? p->page_hint : EMITTER_PAGE;
    tl_status rc = TL_OK;
    for (uint32_t page = 1; page <= p->max_pages && rc == TL_OK; page++) {
        int length = snprintf(cursor, sizeof cursor, "%u", page);
        tl_checkpoint k = {.struct_size = sizeof k,
                           .mode = p->mode,
                           .complete = page == p->max_pages,
                           .cursor = {cursor, (uint64_t)length},
                           .estimate = -1};
        rc = emit(c, n);
        if (rc == TL_OK)
            rc = c->host->checkpoint(c->host, &k);
    }
    return rc == TL_E_CANCELLED ? TL_OK : rc;
}

static tl_status emitter_get(tl_conn *c, const tl_get *get, tl_error *e)
{
    (void)get;
    (void)e;
    return emit(c, 1);
}

const tl_connector *tieline_connector_v0(void)
{
    static const tl_connector connector = {
        .magic = TL_MAGIC,
        .struct_size = sizeof connector,
        .abi_major = TL_ABI_MAJOR,
        .abi_minor = TL_ABI_MINOR,
        .id = "emitter",
        .name = "Emitter",
        .version = "1",
        .open = emitter_open,
        .close = emitter_close,
        .check = emitter_check,
        .discover = emitter_discover,
        .pull = emitter_pull,
        .get = emitter_get,
    };
    return &connector;
}
