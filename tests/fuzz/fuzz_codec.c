/* Every decoder that reads what a worker sent: requests, items, manifests, bodies of host services. The first byte
 * chooses. */
#include <stdint.h>
#include <stdlib.h>

#include "codec.h"
#include "manifest.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void fuzz_request(enum call_kind kind, str bytes)
{
    struct call *c = call_new(kind, 1, 0);
    struct err e = {0};
    if (request_decode(c, bytes, true, &e) == TL_OK) {
        AUTO(buf_done) struct buf again = {0};
        struct call *copy = call_new(kind, 1, 0);
        if (request_encode(&again, c, &e) != TL_OK || request_decode(copy, buf_lent(&again), true, &e) != TL_OK)
            abort(); /* what was accepted can be said again */
        call_free(copy);
    }
    call_free(c);
}

/* Accepted items are read as the engine reads them. */
static void fuzz_items(enum call_kind kind, str bytes)
{
    struct call *c = call_new(kind, 1, 0);
    static const tl_field columns[2] = {{.type = TL_TEXT}, {.type = TL_LIST, .item_type = TL_TEXT}};
    static const tl_field fields[6] = {
        {.type = TL_TEXT},    {.type = TL_INT},
        {.type = TL_LIST},    {.type = TL_ROWS, .n_columns = 2, .column_stride = sizeof *columns, .columns = columns},
        {.type = TL_DECIMAL}, {.type = TL_BLOB}};
    tl_shape shape = {.struct_size = sizeof shape, .n_fields = 6, .field_stride = sizeof *fields, .fields = fields};
    tl_batch batch = {.struct_size = sizeof batch, .count = 3};
    if (kind == CALL_PULL)
        c->request.pull.shape = &shape;
    if (kind == CALL_LIST)
        c->request.list.shape = &shape;
    if (kind == CALL_ACT)
        c->request.act.shape = &shape;
    if (kind == CALL_PUSH) {
        c->request.push.shape = &shape;
        c->request.push.batch = &batch;
    }
    AUTO(arena_done) struct arena scratch = {0};
    struct err e = {0};
    if (items_check(c, bytes, &scratch, &e) == TL_OK) {
        buf_str(&c->reply.items, bytes);
        AUTO(reply_reader_done) struct reply_reader reader;
        reply_reader_init(&reader, &c->reply);
        for (struct item item; reply_next(&reader, &item);)
            ;
    }
    call_free(c);
}

static void fuzz_manifest(str bytes)
{
    struct manifest *m = NULL;
    struct err e = {0};
    if (manifest_decode(&m, bytes, &e) == TL_OK) {
        AUTO(buf_done) struct buf again = {0};
        manifest_encode(&again, m);
    }
    manifest_free(m);
}

static void fuzz_wire(unsigned which, str bytes)
{
    AUTO(arena_done) struct arena arena = {0};
    struct decoder d = decoder_of(bytes, &arena, true);
    tl_open open;
    tl_error error;
    tl_quota quota;
    tl_blob blob;
    tl_http answer = {.struct_size = sizeof answer};
    struct err e;
    uint32_t count = 0;
    switch (which) {
    case 0:
        wire_get_open(&d, &open);
        break;
    case 1:
        wire_get_status(&d, &error);
        break;
    case 2:
        wire_get_err(&d, &e);
        break;
    case 3:
        wire_get_http(&d, &count);
        break;
    case 4:
        wire_get_http_answer(&d, &answer);
        break;
    case 5:
        wire_get_blob(&d, &blob);
        break;
    default:
        wire_get_quota(&d, &quota);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1)
        return 0;
    str bytes = str_n(data + 1, n - 1);
    enum { CALLS = CALL_ACT + 1, BODIES = 7 };
    unsigned which = data[0] % (2 * CALLS + 1 + BODIES);
    if (which < CALLS)
        fuzz_request((enum call_kind)which, bytes);
    else if (which < 2 * CALLS)
        fuzz_items((enum call_kind)(which - CALLS), bytes);
    else if (which == 2 * CALLS)
        fuzz_manifest(bytes);
    else
        fuzz_wire(which - 2 * CALLS - 1, bytes);
    return 0;
}
