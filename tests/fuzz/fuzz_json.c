/* Page reader: any bytes. It must agree with jansson (oracle.h), and what it accepts must survive being turned into
 * values and written back. */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/kit/oracle.h"
#include "kit/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Writes v with the writer; what comes out must be read again as the same. */
static void write_back(const tlk_node *v, tlk_writer *w, tlk_arena *a)
{
    tlk_iter i = tlk_each(v);
    const tlk_node *key, *item;
    switch (v->type) {
    case TLK_JOBJECT:
        tlk_w_object(w);
        while (tlk_next_member(&i, &key, &item)) {
            tlk_w_key(w, tlk_text(key, a));
            write_back(item, w, a);
        }
        tlk_w_end_object(w);
        break;
    case TLK_JARRAY:
        tlk_w_array(w);
        while (tlk_next_item(&i, &item))
            write_back(item, w, a);
        tlk_w_end_array(w);
        break;
    case TLK_JSTRING:
        tlk_w_text(w, tlk_text(v, a));
        break;
    default:
        tlk_w_raw(w, tlk_raw(v));
        break;
    }
}

static void read_values(const tlk_node *v, tlk_arena *a)
{
    tl_field fields[TL_BYTES + 1];
    char names[TL_BYTES + 1][2];
    for (uint32_t t = 0; t <= TL_BYTES; t++) {
        names[t][0] = (char)('a' + t);
        names[t][1] = 0;
        fields[t] =
            (tl_field){.struct_size = sizeof(tl_field), .type = t, .item_type = TL_INT, .name = tlk_str(names[t])};
    }
    const tl_shape shape = {.n_fields = TL_BYTES + 1, .field_stride = sizeof(tl_field), .fields = fields};
    tlk_plan plan;
    tl_record rec = {0};
    tlk_plan_init(&plan, &shape, NULL, a);
    tlk_record_read(&plan, v, a, &rec);
    for (uint32_t t = 0; t <= TL_BYTES; t++) {
        tl_value out;
        tlk_value_read(NULL, &fields[t], v, a, &out, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    TLK_AUTO_JSON j = {0};
    TLK_AUTO_JSON again = {0};
    TLK_AUTO_ARENA a = {0};
    TLK_AUTO_WRITER w = {0};
    if (oracle_disagrees(&j, (const char *)data, n))
        abort();
    const tlk_node *v = tlk_json_read(&j, tlk_strn((const char *)data, n));
    if (!v)
        return 0;
    read_values(v, &a);
    if (v->span > 0 && tlk_count(v) < 100000) {
        if (v->type == TLK_JARRAY || v->type == TLK_JOBJECT) {
            write_back(v, &w, &a);
            const tlk_node *copy = tlk_json_read(&again, tlk_w_lent(&w));
            if (w.b.full || !copy || copy->span != v->span)
                abort();
        }
    }
    return 0;
}
