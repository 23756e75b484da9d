/* The flat form: what goes in comes out, bounds hold, bad text is refused with its place. */
#include <stdlib.h>

#include "admit.h"
#include "call_type.h"
#include "codec.h"
#include "rig.h"

static tl_record sample(tl_value *values, tl_value *list)
{
    list[0] = (tl_value){.type = TL_TEXT, .u.s = STR("red")};
    list[1] = (tl_value){.type = TL_NULL};
    values[0] = (tl_value){.field = 3, .type = TL_TEXT, .u.s = STR("Grüße, 你好")};
    values[1] = (tl_value){.field = 0, .type = TL_TIME, .u.i = INT64_MIN};
    values[2] = (tl_value){.field = 200, .type = TL_REF, .aux = 65535, .u.s = STR("")};
    values[3] = (tl_value){.field = 1, .type = TL_LIST, .u.list = {list, 2}};
    values[4] = (tl_value){.field = 2, .type = TL_BYTES, .u.s = {"\0\xff", 2}};
    values[5] = (tl_value){.field = 4, .type = TL_NULL};
    return (tl_record){.id = STR("id-1"),
                       .version = STR("v"),
                       .into = STR("in"),
                       .by = STR("me"),
                       .stamp = STR("st"),
                       .url = STR("u"),
                       .note = STR("n"),
                       .modified_us = -1,
                       .created_us = INT64_MAX,
                       .state = TL_STATE_MERGED,
                       .version_kind = TL_VER_TAG,
                       .origin = TL_ORIGIN_OTHER,
                       .op = TL_OP_RESTORE,
                       .flags = UINT32_MAX,
                       .index = 9,
                       .n_values = 6,
                       .values = values};
}

static void assert_same_value(const tl_value *a, const tl_value *b)
{
    assert_int_equal(a->field, b->field);
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->aux, b->aux);
    if (a->type == TL_LIST) {
        assert_int_equal(a->u.list.n, b->u.list.n);
        for (uint64_t i = 0; i < a->u.list.n; i++)
            assert_same_value(&a->u.list.items[i], &b->u.list.items[i]);
    } else if (a->type == TL_TIME) {
        assert_true(a->u.i == b->u.i);
    } else if (a->type != TL_NULL) {
        assert_true(str_eq(a->u.s, b->u.s));
        assert_int_equal(b->u.s.p[b->u.s.n], 0); /* terminated for the connector's convenience */
    }
}

static void assert_same_record(const tl_record *a, const tl_record *b)
{
    assert_true(str_eq(a->id, b->id) && str_eq(a->version, b->version) && str_eq(a->into, b->into));
    assert_true(str_eq(a->by, b->by) && str_eq(a->stamp, b->stamp) && str_eq(a->url, b->url) &&
                str_eq(a->note, b->note));
    assert_true(a->modified_us == b->modified_us && a->created_us == b->created_us);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->version_kind, b->version_kind);
    assert_int_equal(a->origin, b->origin);
    assert_int_equal(a->op, b->op);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->n_values, b->n_values);
    for (uint32_t i = 0; i < a->n_values; i++)
        assert_same_value(&a->values[i], &b->values[i]);
}

static void test_record_round_trip(void **state)
{
    (void)state;
    tl_value values[6], list[2];
    tl_record r = sample(values, list);
    AUTO(buf_done) struct buf b = {0};
    struct err e = {0};
    assert_int_equal(enc_record(&b, &r, NULL, &e), TL_OK);
    AUTO(arena_done) struct arena arena = {0};
    struct decoder d = decoder_of(buf_lent(&b), &arena, true);
    tl_record out;
    dec_record(&d, &out);
    assert_true(decoder_ended(&d));
    assert_same_record(&r, &out);
    AUTO(buf_done) struct buf again = {0};
    assert_int_equal(enc_record(&again, &out, NULL, &e), TL_OK);
    assert_int_equal(again.n, b.n);
    assert_memory_equal(again.p, b.p, b.n);
}

/* Cut anywhere, and with any byte changed, decoding ends without reading outside (the sanitizer build watches). */
static void test_every_cut_and_flip(void **state)
{
    (void)state;
    tl_value values[6], list[2];
    tl_record r = sample(values, list);
    AUTO(buf_done) struct buf b = {0};
    assert_int_equal(enc_record(&b, &r, NULL, NULL), TL_OK);
    for (size_t n = 0; n < b.n; n++) {
        char *cut = malloc(n + 1);
        memcpy(cut, b.p, n);
        AUTO(arena_done) struct arena arena = {0};
        struct decoder d = decoder_of(str_n(cut, n), &arena, true);
        tl_record out;
        dec_record(&d, &out);
        assert_false(decoder_ended(&d));
        free(cut);
    }
    for (size_t at = 0; at < b.n; at++) {
        for (int bit = 0; bit < 8; bit++) {
            b.p[at] ^= (char)(1 << bit);
            AUTO(arena_done) struct arena arena = {0};
            struct decoder d = decoder_of(buf_lent(&b), &arena, true);
            tl_record out;
            dec_record(&d, &out);
            b.p[at] ^= (char)(1 << bit);
        }
    }
}

/* ---- rows */

static const tl_field three_columns[] = {
    {.struct_size = sizeof(tl_field), .type = TL_TEXT, .path = TL_STR("name"), .name = TL_STR("Name")},
    {.struct_size = sizeof(tl_field), .type = TL_DECIMAL, .path = TL_STR("rate"), .name = TL_STR("Rate")},
    {.struct_size = sizeof(tl_field),
     .type = TL_LIST,
     .item_type = TL_TEXT,
     .path = TL_STR("x.tags"),
     .name = TL_STR("Tags")}};
static const tl_field with_rows[] = {{.struct_size = sizeof(tl_field),
                                      .type = TL_ROWS,
                                      .path = TL_STR("lines"),
                                      .name = TL_STR("Lines"),
                                      .n_columns = 3,
                                      .column_stride = sizeof(tl_field),
                                      .columns = three_columns}};
static const tl_shape rows_shape = {
    .struct_size = sizeof rows_shape, .n_fields = 1, .field_stride = sizeof *with_rows, .fields = with_rows};

static int admit_rows(const tl_value *rows, uint64_t n, struct err *e)
{
    const tl_value v = {.type = TL_ROWS, .u.list = {rows, n}};
    const tl_record r = {.id = STR("1"), .n_values = 1, .values = &v};
    bool too_large;
    err_clear(e);
    return admit_record(&r, &rows_shape, &too_large, e);
}

static void test_rows(void **state)
{
    (void)state;
    struct err e = {0};
    tl_value tags[] = {{.type = TL_TEXT, .u.s = STR("a")}, {.type = TL_NULL}};
    tl_value first[] = {{.field = 1, .type = TL_DECIMAL, .u.s = STR("2.50")},
                        {.field = 2, .type = TL_LIST, .u.list = {tags, 2}}};
    tl_value rows[] = {{.type = TL_LIST, .u.list = {first, 2}}, {.type = TL_LIST}};
    assert_int_equal(admit_rows(rows, 2, &e), TL_OK);
    tl_value v = {.type = TL_ROWS, .u.list = {rows, 2}};
    tl_record r = {.id = STR("1"), .n_values = 1, .values = &v};
    AUTO(buf_done) struct buf b = {0}, again = {0};
    assert_int_equal(enc_record(&b, &r, &rows_shape, &e), TL_OK);
    for (size_t cut = 0; cut <= b.n; cut++) {
        AUTO(arena_done) struct arena arena = {0};
        struct decoder d = decoder_of(str_n(b.p, cut), &arena, true);
        tl_record out;
        dec_record(&d, &out);
        assert_int_equal(decoder_ended(&d), cut == b.n);
        if (cut < b.n)
            continue;
        const tl_value *row = out.values[0].u.list.items;
        assert_int_equal(out.values[0].type, TL_ROWS);
        assert_int_equal(out.values[0].u.list.n, 2);
        assert_int_equal(row[0].type, TL_LIST);
        assert_int_equal(row[0].u.list.n, 2);
        assert_same_value(&first[0], &row[0].u.list.items[0]);
        assert_same_value(&first[1], &row[0].u.list.items[1]);
        assert_int_equal(row[1].u.list.n, 0);
        assert_int_equal(enc_record(&again, &out, &rows_shape, &e), TL_OK);
    }
    assert_true(str_eq(buf_lent(&again), buf_lent(&b)));
}

static void test_refused_rows(void **state)
{
    (void)state;
    struct err e = {0};
    tl_value one = {.field = 3, .type = TL_TEXT, .u.s = STR("x")}, row = {.type = TL_LIST, .u.list = {&one, 1}};
    assert_int_equal(admit_rows(&row, 1, &e), TL_E_INVALID);
    assert_string_equal(e.text, "field \"lines\", row 1: value 1 is of column 3, there are 3");
    one = (tl_value){.field = 1, .type = TL_DECIMAL, .u.s = STR("1,5")};
    assert_int_equal(admit_rows(&row, 1, &e), TL_E_INVALID);
    assert_string_equal(e.text, "field \"lines\", row 1: field \"rate\": a TL_DECIMAL is a number such as 12.10");
    one = (tl_value){.field = 0, .type = TL_BLOB, .u.i = 1};
    assert_int_equal(admit_rows(&row, 1, &e), TL_E_INVALID);
    tl_value two[] = {{.field = 0, .type = TL_NULL}, {.field = 0, .type = TL_NULL}};
    row.u.list.items = two;
    row.u.list.n = 2;
    assert_int_equal(admit_rows(&row, 1, &e), TL_E_INVALID);
    assert_string_equal(e.text, "field \"lines\", row 1: two values for the column \"name\"");
    row = (tl_value){.type = TL_TEXT, .u.s = STR("x")};
    assert_int_equal(admit_rows(&row, 1, &e), TL_E_INVALID);
    tl_value inner = {.type = TL_ROWS};
    row = (tl_value){.type = TL_LIST, .u.list = {&inner, 1}};
    assert_int_equal(admit_rows(&row, 1, &e), TL_E_INVALID);
    tl_value *many = calloc(CODEC_ROWS_MAX + 1, sizeof *many);
    for (size_t i = 0; i <= CODEC_ROWS_MAX; i++)
        many[i].type = TL_LIST;
    assert_int_equal(admit_rows(many, CODEC_ROWS_MAX, &e), TL_OK);
    assert_int_equal(admit_rows(many, CODEC_ROWS_MAX + 1, &e), TL_E_INVALID);
    assert_string_equal(e.text, "field \"lines\": 1001 rows, at most 1000, or at no address");
    tl_value v = {.type = TL_ROWS, .u.list = {many, CODEC_ROWS_MAX + 1}};
    tl_record r = {.id = STR("1"), .n_values = 1, .values = &v};
    AUTO(buf_done) struct buf b = {0};
    assert_int_equal(enc_record(&b, &r, NULL, &e), TL_E_INVALID);
    assert_int_equal(b.n, 0);
    free(many);
}

/* Rows in rows would let the reader's stack grow with the bytes. */
static void test_rows_nest_no_deeper(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf b = {0};
    tl_record r = {.id = STR("1")}, out;
    struct err e = {0};
    assert_int_equal(enc_record(&b, &r, NULL, &e), TL_OK);
    b.n--; /* the count of its values, which is 0 */
    enc_u64(&b, 1);
    enc_u64(&b, 0);
    for (int i = 0; i < 3; i++) { /* rows of one row of one value of column 0 */
        buf_char(&b, TL_ROWS);
        enc_u64(&b, 1);
        enc_u64(&b, 1);
        enc_u64(&b, 0);
    }
    buf_char(&b, TL_NULL);
    struct decoder d = decoder_of(buf_lent(&b), &arena, true);
    dec_record(&d, &out);
    assert_true(d.bad);
}

/* ---- kinds and actions */

static void test_kind_round_trip(void **state)
{
    (void)state;
    struct reply reply = {.status = TL_OK};
    struct err e = {0};
    struct item x;
    tl_kind k = {.struct_size = sizeof k,
                 .kind = STR("invoice"),
                 .about = STR("contact,account"),
                 .filters = STR("open"),
                 .depth_s = 77,
                 .n_fields = 1,
                 .field_stride = sizeof *with_rows,
                 .fields = with_rows};
    const tl_action a = {.struct_size = sizeof a,
                         .flags = TL_ACTION_CREATES,
                         .rights = TL_RIGHT_SEND,
                         .kind = STR("invoice"),
                         .name = STR("send"),
                         .label = STR("Send"),
                         .help = STR("by e-mail"),
                         .n_params = 1,
                         .param_stride = sizeof *with_rows,
                         .params = with_rows};
    assert_int_equal(reply_add_kind(&reply, &k, &e), TL_OK);
    assert_int_equal(reply_add_action(&reply, &a, &e), TL_OK);
    AUTO(call_free) struct call *discover = call_new(CALL_DISCOVER, 1, 0);
    AUTO(arena_done) struct arena scratch = {0};
    assert_int_equal(items_check(discover, buf_lent(&reply.items), &scratch, &e), TL_OK);
    AUTO(reply_reader_done) struct reply_reader reader;
    reply_reader_init(&reader, &reply);
    assert_true(reply_next(&reader, &x));
    assert_true(str_is(x.u.described.about, "contact,account") && str_is(x.u.described.filters, "open"));
    assert_int_equal(x.u.described.depth_s, 77);
    assert_int_equal(x.u.described.fields->n_columns, 3);
    assert_true(str_is(x.u.described.fields->columns[1].path, "rate"));
    assert_true(reply_next(&reader, &x));
    assert_int_equal(x.kind, ITEM_ACTION);
    assert_true(str_is(x.u.action.name, "send") && str_is(x.u.action.kind, "invoice"));
    assert_true(str_is(x.u.action.label, "Send") && str_is(x.u.action.help, "by e-mail"));
    assert_int_equal(x.u.action.rights, TL_RIGHT_SEND);
    assert_int_equal(x.u.action.params->n_columns, 3);
    assert_false(reply_next(&reader, &x));
    reply_done(&reply);
}

/* A description that was kept since before there were lists is read; one that a worker sends has to be whole. */
static void test_kind_kept_from_before(void **state)
{
    (void)state;
    enum { TAIL = 5 }; /* two empty texts and a number */
    struct reply reply = {.status = TL_OK};
    struct err e = {0};
    struct item x;
    tl_kind k = {.struct_size = sizeof k, .kind = STR("contact")};
    assert_int_equal(reply_add_kind(&reply, &k, &e), TL_OK);
    reply.items.n -= TAIL;
    reply.items.p[1] = (char)(reply.items.p[1] - TAIL);
    AUTO(call_free) struct call *discover = call_new(CALL_DISCOVER, 1, 0);
    AUTO(arena_done) struct arena scratch = {0};
    assert_int_equal(items_check(discover, buf_lent(&reply.items), &scratch, &e), TL_E_INVALID);
    AUTO(reply_reader_done) struct reply_reader reader;
    reply_reader_init(&reader, &reply);
    assert_true(reply_next(&reader, &x));
    assert_true(str_is(x.u.described.kind, "contact"));
    assert_int_equal(x.u.described.about.n, 0);
    reply_done(&reply);
}

static int add(const tl_record *r, uint32_t n_fields, struct err *e)
{
    AUTO(buf_done) struct buf items = {0};
    static const tl_field fields[3] = {{.path = TL_STR("a")}, {.path = TL_STR("b")}, {.path = TL_STR("email")}};
    const tl_shape shape = {.n_fields = n_fields, .field_stride = sizeof *fields, .fields = fields};
    struct reply reply = {.status = TL_OK};
    err_clear(e);
    int rc = reply_add_record_of(&reply, r, &shape, e);
    assert_int_equal(rc == TL_OK, reply.items.n > 0); /* nothing half-written */
    buf_done(&reply.items);
    return rc;
}

static void test_refused_records(void **state)
{
    (void)state;
    struct err e;
    tl_value v = {.field = 2, .type = TL_TEXT, .u.s = STR("x")};
    tl_record r = {.id = STR("7"), .n_values = 1, .values = &v};
    assert_int_equal(add(&r, 3, &e), TL_OK);
    assert_int_equal(add(&r, 2, &e), TL_E_INVALID);
    assert_string_equal(e.text, "field 2: the value lies outside the shape");
    v.u.s = str_n("a\0b", 3);
    assert_int_equal(add(&r, 3, &e), TL_E_INVALID);
    assert_string_equal(e.text, "field \"email\": the value is not UTF-8 text without NUL");
    v.u.s = str_n("ASCII for eight \xed\xa0\x80", 19); /* a surrogate, behind what the fast look takes */
    assert_int_equal(add(&r, 3, &e), TL_E_INVALID);
    tl_value inner = {.type = TL_LIST};
    v = (tl_value){.field = 2, .type = TL_LIST, .u.list = {&inner, 1}};
    assert_int_equal(add(&r, 3, &e), TL_E_INVALID);
    assert_string_equal(e.text, "field \"email\": the value is a list in a list");
    v = (tl_value){.field = 2, .type = TL_TEXT, .u.s = {NULL, 5}};
    assert_int_equal(add(&r, 3, &e), TL_E_INVALID);
    v = (tl_value){.field = 2, .type = 200, .u.s = STR("{}")}; /* unknown counts as JSON */
    assert_int_equal(add(&r, 3, &e), TL_OK);
    r.id = STR("\xff");
    assert_int_equal(add(&r, 3, &e), TL_E_INVALID);
    assert_string_equal(e.text, "the id is not UTF-8 text without NUL");
}

/* Text is looked at eight bytes at a time: every length, what is none or is none whole at every place. */
static void test_text_at_every_place(void **state)
{
    (void)state;
    char text[26];
    for (size_t n = 0; n < sizeof text; n++) {
        memset(text, 'a', sizeof text);
        assert_true(codec_utf8(str_n(text, n)));
        for (size_t k = 0; k < n; k++) {
            static const char bad[] = {0, (char)0x80, (char)0xc3, (char)0xff};
            for (size_t i = 0; i < sizeof bad; i++) {
                text[k] = bad[i];
                assert_false(codec_utf8(str_n(text, n)));
            }
            memcpy(text + k, k + 1 < n ? "é" : "~", k + 1 < n ? 2 : 1);
            assert_true(codec_utf8(str_n(text, n)));
            memset(text, 'a', sizeof text);
        }
        text[n] = (char)0xff; /* behind it anything may lie */
        assert_true(codec_utf8(str_n(text, n)));
    }
}

/* The index belongs to the question, not to the record: the same record has the same bytes. */
static void test_raw_without_index(void **state)
{
    (void)state;
    struct reply reply = {.status = TL_OK};
    tl_record r = {.id = STR("7"), .index = 1};
    reply_add_record(&reply, &r, NULL);
    r.index = 300;
    reply_add_record(&reply, &r, NULL);
    AUTO(reply_reader_done) struct reply_reader reader;
    reply_reader_init(&reader, &reply);
    struct item a, b;
    assert_true(reply_next(&reader, &a));
    assert_true(reply_next(&reader, &b));
    assert_int_equal(a.u.record.index, 1);
    assert_int_equal(b.u.record.index, 300);
    assert_true(str_eq(a.raw, b.raw));
    assert_false(reply_next(&reader, &a));
    buf_done(&reply.items);
}

static void test_error_texts_are_made_safe(void **state)
{
    (void)state;
    tl_error e = {.struct_size = sizeof e, .reason = TL_R_TOO_LONG};
    memset(e.text, 'x', sizeof e.text);
    memcpy(e.text + 100, "line\nbreak", 10);
    memcpy(e.code, "A\xc3", 3); /* half a character */
    memcpy(e.field,
           "\xff\xfe"
           "bad start",
           12);
    codec_error_clean(&e);
    assert_string_equal(e.field, "??bad start"); /* the rest is not lost */
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_null(strchr(e.text, '\n'));
    assert_string_equal(e.code, "A");
}

static str stamp_field_of(const struct call *c)
{
    return c->kind == CALL_PULL  ? c->request.pull.stamp_field
           : c->kind == CALL_GET ? c->request.get.stamp_field
                                 : STR("");
}

/* Every kind of request survives the way, shape and records included. */
static void test_requests(void **state)
{
    (void)state;
    struct call *calls[] = {rig_pull(3, "cur"),       rig_get("id"),
                            rig_push("1", "2", NULL), rig_call(CALL_CHECK),
                            rig_call(CALL_DISCOVER),  rig_call(CALL_PARSE_HOOK),
                            rig_call(CALL_SUBSCRIBE), rig_call(CALL_UNSUBSCRIBE),
                            rig_call(CALL_PREPARE),   rig_call(CALL_FIND),
                            rig_call(CALL_LIST),      rig_call(CALL_ACT)};
    calls[0]->request.pull.view = STR("view");
    calls[0]->request.pull.stamp_field = STR("Stamp__c");
    calls[1]->request.get.stamp_field = STR("Stamp__c");
    calls[0]->request.pull.created_from_us = -5;
    static const tl_pair header = {STR("x-sig"), STR("\xff raw")};
    calls[5]->request.hook.headers = &header;
    calls[5]->request.hook.n_headers = 1;
    calls[5]->request.hook.body = str_n("\0\1", 2);
    calls[5]->request.hook.method = STR("PUT");
    calls[5]->request.hook.query = str_n("a=\377", 3);
    AUTO(call_free) struct call *lender = rig_get("x");
    const tl_shape both[] = {*lender->request.get.shape, *lender->request.get.shape};
    calls[5]->request.hook.shapes = both;
    calls[5]->request.hook.shape_stride = sizeof *both;
    calls[5]->request.hook.n_shapes = ARRAY_LEN(both);
    static const tl_query query = {STR("email"), STR("a@b.example")};
    calls[9]->request.find.shape = lender->request.get.shape;
    calls[9]->request.find.queries = &query;
    calls[9]->request.find.n_queries = 1;
    calls[10]->request.list = (tl_list){.struct_size = sizeof(tl_list),
                                        .limit = 5,
                                        .shape = lender->request.get.shape,
                                        .about_kind = STR("contact"),
                                        .about_id = STR("7"),
                                        .filter = STR("open"),
                                        .cursor = STR("page 2"),
                                        .deadline_us = 99};
    static const tl_value title = {.field = 4, .type = TL_TEXT, .u.s = TL_STR("new title")};
    static const tl_record deed = {.id = TL_STR("9"), .stamp = TL_STR("key"), .n_values = 1, .values = &title};
    calls[11]->request.act = (tl_act){.struct_size = sizeof(tl_act),
                                      .flags = TL_ACT_LOOK,
                                      .name = STR("rename"),
                                      .shape = lender->request.get.shape,
                                      .record = &deed,
                                      .stamp_field = STR("Stamp__c"),
                                      .person = STR("Ada"),
                                      .deadline_us = 99};
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        AUTO(buf_done) struct buf b = {0}, again = {0};
        struct err e = {0};
        assert_int_equal(request_encode(&b, calls[i], &e), TL_OK);
        struct call *copy = call_new(calls[i]->kind, 1, 0);
        assert_int_equal(request_decode(copy, buf_lent(&b), true, &e), TL_OK);
        assert_int_equal(request_shape(copy)->n_fields, request_shape(calls[i])->n_fields);
        assert_int_equal(request_encode(&again, copy, &e), TL_OK);
        assert_int_equal(again.n, b.n);
        assert_true(str_eq(stamp_field_of(copy), stamp_field_of(calls[i])));
        if (b.n)
            assert_memory_equal(again.p, b.p, b.n);
        call_free(copy);
        for (size_t cut = 0; cut < b.n; cut++) {
            copy = call_new(calls[i]->kind, 1, 0);
            char *bytes = malloc(cut + 1);
            memcpy(bytes, b.p, cut);
            assert_int_equal(request_decode(copy, str_n(bytes, cut), true, NULL), TL_E_INVALID);
            free(bytes);
            call_free(copy);
        }
        call_free(calls[i]);
    }
}

/* Each kind has its row; what a lost answer means follows from it. */
static void test_kinds_of_calls(void **state)
{
    (void)state;
    for (uint32_t k = 0; k <= CALL_ACT; k++) {
        AUTO(call_free) struct call *c = call_new((enum call_kind)k, 1, 0);
        enum call_kind again = CALL_CHECK;
        assert_true(call_kind_parse(call_kind_name(c->kind), &again));
        assert_int_equal(again, k);
        assert_int_equal(c->request.check.struct_size, call_type(k)->size);
        assert_non_null(call_type(k)->run);
        assert_int_equal(call_lost_status(c), k == CALL_PUSH || k == CALL_ACT ? TL_E_UNKNOWN : TL_E_TEMPORARY);
        assert_int_equal(call_asks_vendor(c), k != CALL_PARSE_HOOK);
        assert_int_equal(call_deadline(c), 0);
    }
    AUTO(call_free) struct call *push = rig_push("1", NULL);
    push->request.push.deadline_us = 5;
    assert_int_equal(call_deadline(push), 5);
    AUTO(call_free) struct call *act = call_new(CALL_ACT, 1, TL_PURPOSE_AGENT);
    assert_true(call_writes(act));
    act->request.act.flags = TL_ACT_LOOK;
    assert_false(call_writes(act));
    act->request.act.flags = 0;
    act->reads = true;
    assert_false(call_writes(act));
    act->reads = false;
    act->rehearse = true;
    assert_int_equal(call_lost_status(act), TL_E_TEMPORARY);
    assert_null(call_type(CALL_ACT + 1));
    assert_string_equal(call_kind_name((enum call_kind)99), "unknown");
}

/* A request that speaks of records cannot be read without saying which fields they have. */
static void test_request_without_a_shape(void **state)
{
    (void)state;
    AUTO(call_free) struct call *c = call_new(CALL_FIND, 1, 0), *copy = call_new(CALL_FIND, 1, 0);
    AUTO(buf_done) struct buf b = {0};
    struct err e = {0};
    assert_int_equal(request_encode(&b, c, &e), TL_OK);
    assert_int_equal(request_decode(copy, buf_lent(&b), true, &e), TL_E_INVALID);
    assert_string_equal(e.text, "a request of find without a shape");
}

/* What a worker sends is checked against the call it belongs to. */
static void test_items_check(void **state)
{
    (void)state;
    struct call *pull = rig_pull(1, ""), *push = rig_push("1", NULL);
    struct reply reply = {.status = TL_OK};
    AUTO(arena_done) struct arena scratch = {0};
    struct err e = {0};
    tl_value v = {.field = 4, .type = TL_TEXT, .u.s = STR("x")};
    tl_record r = {.id = STR("7"), .n_values = 1, .values = &v};
    reply_add_record(&reply, &r, NULL);
    assert_int_equal(items_check(pull, buf_lent(&reply.items), &scratch, &e), TL_OK);
    assert_int_equal(items_check(push, buf_lent(&reply.items), &scratch, &e), TL_E_INVALID);
    assert_string_equal(e.text, "an item of type 1 in the answer to push");
    v.field = 5;
    buf_clear(&reply.items);
    reply_add_record(&reply, &r, NULL);
    err_clear(&e);
    assert_int_equal(items_check(pull, buf_lent(&reply.items), &scratch, &e), TL_E_INVALID);
    assert_string_equal(e.text, "the answer to pull: value 1 is of field 5, the shape has 5 fields");
    buf_clear(&reply.items);
    tl_result result = {.struct_size = sizeof result};
    reply_add_result(&reply, 1, &result, NULL);
    err_clear(&e);
    assert_int_equal(items_check(push, buf_lent(&reply.items), &scratch, &e), TL_E_INVALID);
    assert_string_equal(e.text, "the answer to push: a result for record 1 of 1");
    buf_done(&reply.items);
    call_free(pull);
    call_free(push);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_round_trip),
        cmocka_unit_test(test_every_cut_and_flip),
        cmocka_unit_test(test_refused_records),
        cmocka_unit_test(test_text_at_every_place),
        cmocka_unit_test(test_raw_without_index),
        cmocka_unit_test(test_error_texts_are_made_safe),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_items_check),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_refused_rows),
        cmocka_unit_test(test_kind_round_trip),
        cmocka_unit_test(test_kind_kept_from_before),
        cmocka_unit_test(test_rows_nest_no_deeper),
        cmocka_unit_test(test_kinds_of_calls),
        cmocka_unit_test(test_request_without_a_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
