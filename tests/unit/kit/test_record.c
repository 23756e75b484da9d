/* Vendor's objects to values and back; times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "kit/record.h"

#define FIELD(p, n, t)                                                                                                 \
    {                                                                                                                  \
        .struct_size = sizeof(tl_field), .type = (t), .path = TL_STR(p), .name = TL_STR(n)                             \
    }
#define assert_text(s, z) assert_true(tlk_is((s), (z)))

static const tl_field fields[] = {
    FIELD("last_name", "lastName", TL_TEXT),     FIELD("x.n", "cf.cf_n", TL_INT),
    FIELD("x.money", "cf.cf_money", TL_DECIMAL), FIELD("x.flag", "flag", TL_BOOL),
    FIELD("at", "createdTime", TL_TIME),         FIELD("birthday", "birthday", TL_DATE),
    FIELD("account", "accountId", TL_REF),       FIELD("x.many", "many", TL_LIST),
    FIELD("x.json", "extra", TL_JSON),           FIELD("x.again", "lastName", TL_TEXT),
};
static const tl_shape shape = {.struct_size = sizeof(tl_shape),
                               .n_fields = TLK_LEN(fields),
                               .field_stride = sizeof(tl_field),
                               .kind = TL_STR("contact"),
                               .fields = fields};

static bool read_with(const tlk_rules *rules, const char *json, tlk_arena *a, tl_record *rec)
{
    TLK_AUTO_JSON j = {0};
    tlk_plan plan;
    tl_str text = tlk_dup(a, tlk_str(json));
    tlk_plan_init(&plan, &shape, rules, a);
    *rec = (tl_record){.flags = TL_REC_FULL};
    const tlk_node *v = tlk_json_read(&j, text);
    assert_non_null(v);
    return tlk_record_read(&plan, v, a, rec);
}

static const tl_value *value(const tl_record *rec, const char *path)
{
    return tlk_value_of(&shape, rec, path);
}

static void test_reads_every_type(void **state)
{
    (void)state;
    TLK_AUTO_ARENA a = {0};
    tl_record rec;
    assert_true(read_with(NULL,
                          "{\"id\":\"1\",\"lastName\":\"M\\u00fcller\",\"cf\":{\"cf_n\":\"100.0\",\"cf_money\":12.10,"
                          "\"cf_other\":3},\"flag\":\"true\",\"createdTime\":\"2016-05-04T09:57:17.000Z\","
                          "\"birthday\":\"1970-01-02\",\"accountId\":4000000012001,\"many\":[\"a\",null,\"b\"],"
                          "\"extra\":{\"k\":[1]},\"ignored\":[{}]}",
                          &a, &rec));
    assert_int_equal(rec.n_values, 10);
    assert_text(value(&rec, "last_name")->u.s, "M\xc3\xbcller");
    assert_text(value(&rec, "x.again")->u.s, "M\xc3\xbcller"); /* two fields may read one member */
    assert_int_equal(value(&rec, "x.n")->u.i, 100);
    assert_text(value(&rec, "x.money")->u.s, "12.10");
    assert_int_equal(value(&rec, "x.flag")->u.i, 1);
    assert_int_equal(value(&rec, "at")->u.i, INT64_C(1462355837000000));
    assert_int_equal(value(&rec, "birthday")->u.i, 1);
    assert_text(value(&rec, "account")->u.s, "4000000012001");
    assert_int_equal(value(&rec, "x.many")->u.list.n, 2);
    assert_text(value(&rec, "x.many")->u.list.items[1].u.s, "b");
    assert_text(value(&rec, "x.json")->u.s, "{\"k\":[1]}");
}

static void test_absent_differs_from_null(void **state)
{
    (void)state;
    TLK_AUTO_ARENA a = {0};
    tl_record rec;
    assert_true(read_with(NULL, "{\"lastName\":null,\"birthday\":\"\",\"cf\":null}", &a, &rec));
    assert_int_equal(value(&rec, "last_name")->type, TL_NULL);
    assert_int_equal(value(&rec, "birthday")->type, TL_NULL);
    assert_null(value(&rec, "x.flag"));
    assert_null(value(&rec, "x.n"));
    assert_int_equal(rec.flags, TL_REC_FULL);
}

static void test_null_objects_empty_what_lies_in_them_where_the_rules_say_so(void **state)
{
    (void)state;
    static const tlk_rules rules = {.null_object_is_empty = true};
    TLK_AUTO_ARENA a = {0};
    tl_record rec;
    assert_true(read_with(&rules, "{\"cf\":null}", &a, &rec));
    assert_int_equal(value(&rec, "x.n")->type, TL_NULL);
    assert_int_equal(value(&rec, "x.money")->type, TL_NULL);
    assert_int_equal(rec.n_values, 2);
}

/* "a.b.c" at any depth, beside fields that end or begin where others go on. */
static void test_dotted_names_go_as_deep_as_they_say(void **state)
{
    (void)state;
    const tl_field deep[] = {FIELD("address.city", "home.address.city", TL_TEXT), FIELD("x.id", "id", TL_TEXT),
                             FIELD("address.street", "home.address.line.one", TL_TEXT),
                             FIELD("x.since", "home.since", TL_INT), FIELD("x.city", "work.address.city", TL_TEXT)};
    const tl_shape s = {.n_fields = TLK_LEN(deep), .field_stride = sizeof(tl_field), .fields = deep};
    const char *json =
        "{\"id\":\"7\",\"city\":\"no\",\"address\":{\"city\":\"no\"},\"home\":{\"city\":\"no\",\"address\":"
        "{\"line\":{\"one\":\"High St\"},\"city\":\"Ulm\"},\"since\":3},\"work\":{\"address\":{\"city\":null}}}";
    TLK_AUTO_ARENA a = {0};
    TLK_AUTO_JSON j = {0};
    TLK_AUTO_WRITER w = {0};
    tlk_plan plan;
    tl_record rec = {.op = TL_OP_UPDATE};
    tlk_plan_init(&plan, &s, NULL, &a);
    assert_true(tlk_record_read(&plan, tlk_json_read(&j, tlk_str(json)), &a, &rec));
    assert_int_equal(rec.n_values, 5);
    assert_text(tlk_value_of(&s, &rec, "address.city")->u.s, "Ulm");
    assert_text(tlk_value_of(&s, &rec, "address.street")->u.s, "High St");
    assert_int_equal(tlk_value_of(&s, &rec, "x.since")->u.i, 3);
    assert_int_equal(tlk_value_of(&s, &rec, "x.city")->type, TL_NULL);
    tlk_w_object(&w);
    assert_int_equal(tlk_record_write(&w, &s, &rec, NULL), 5);
    tlk_w_end_object(&w);
    assert_string_equal(tlk_w_lent(&w).p,
                        "{\"id\":\"7\",\"home\":{\"address\":{\"line\":{\"one\":\"High St\"},\"city\":"
                        "\"Ulm\"},\"since\":3},\"work\":{\"address\":{\"city\":null}}}");
}

static void test_bad_values_name_field_and_form(void **state)
{
    (void)state;
    static const struct {
        const char *json, *note;
    } cases[] = {
        {"{\"lastName\":{\"a\":1}}", "field \"last_name\" (lastName) holds an object where text is expected"},
        {"{\"cf\":{\"cf_n\":\"ten\"}}", "field \"x.n\" (cf.cf_n) holds a text where a whole number is expected"},
        {"{\"cf\":{\"cf_n\":123456789012345678901234567890}}",
         "field \"x.n\" (cf.cf_n) holds a number where a whole number is expected"},
        {"{\"lastName\":\"\\ud800\"}", "field \"last_name\" (lastName) holds a broken text where text is expected"},
        {"{\"createdTime\":\"yesterday\"}", "field \"at\" (createdTime) holds a text where a time is expected"},
        {"{\"birthday\":\"2023-02-29\"}", "field \"birthday\" (birthday) holds a text where a date is expected"},
        {"{\"flag\":2}", "field \"x.flag\" (flag) holds a number where yes or no is expected"},
        {"[]", "the record is an array, not an object"},
    };
    for (size_t i = 0; i < TLK_LEN(cases); i++) {
        TLK_AUTO_ARENA a = {0};
        tl_record rec;
        assert_false(read_with(NULL, cases[i].json, &a, &rec));
        assert_string_equal(tlk_dup(&a, rec.note).p, cases[i].note);
        assert_int_equal(rec.flags, TL_REC_BAD);
        assert_int_equal(rec.n_values, 0);
    }
}

static void test_decimals(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {{"12.10", "12.10"}, {"\"0.5\"", "0.5"}, {"-1e3", "-1000"},  {"1.25E+1", "12.5"},
                 {"5e-3", "0.005"},  {"0.5e1", "5"},     {"12.5e0", "12.5"}, {"\"1,5\"", NULL},
                 {"\"+1\"", NULL},   {"true", NULL},     {"1e101", NULL},    {"\" 7 \"", "7"}};
    const tl_field f = FIELD("x.d", "d", TL_DECIMAL);
    for (size_t i = 0; i < TLK_LEN(cases); i++) {
        TLK_AUTO_ARENA a = {0};
        TLK_AUTO_JSON j = {0};
        tl_value v;
        bool ok = tlk_value_read(NULL, &f, tlk_json_read(&j, tlk_str(cases[i].in)), &a, &v, NULL);
        assert_int_equal(ok, cases[i].out != NULL);
        if (ok)
            assert_string_equal(tlk_dup(&a, v.u.s).p, cases[i].out);
    }
}

static void test_times(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        int64_t us;
    } good[] = {{"2016-05-04T09:57:17.000Z", INT64_C(1462355837000000)},
                {"2016-05-04T09:57:17.000+0000", INT64_C(1462355837000000)},
                {"2016-05-04 11:57:17+02:00", INT64_C(1462355837000000)},
                {"2016-05-04T09:57:17.1234567Z", INT64_C(1462355837123456)},
                {"1969-12-31T23:59:59.999Z", -1000},
                {"2016-05-04T09:57", INT64_C(1462355820000000)}};
    static const char *const bad[] = {"",
                                      "2016-05-04",
                                      "2016-13-04T00:00:00Z",
                                      "2016-05-04T24:00:00Z",
                                      "2016-05-04T09:57:17.Z",
                                      "2016-05-04T09:57:17 Z",
                                      "2016-05-04T09:57:17+2"};
    char text[32];
    int64_t us = 0;
    for (size_t i = 0; i < TLK_LEN(good); i++) {
        assert_true(tlk_time_parse(tlk_str(good[i].in), &us));
        assert_int_equal(us, good[i].us);
    }
    for (size_t i = 0; i < TLK_LEN(bad); i++)
        assert_false(tlk_time_parse(tlk_str(bad[i]), &us));
    assert_string_equal(tlk_time_text(text, INT64_C(1462355837123456)), "2016-05-04T09:57:17.123Z");
    assert_string_equal(tlk_time_text(text, -1000), "1969-12-31T23:59:59.999Z");
    for (int64_t day = -800000; day < 2900000; day += 977) { /* years -221 to 9909, clamped below 0 */
        char date[16];
        int64_t back;
        assert_true(tlk_date_parse(tlk_str(tlk_date_text(date, day)), &back));
        assert_int_equal(back, day < -719528 ? -719528 : day);
    }
    assert_true(tlk_http_date_parse(TL_STR("Sun, 06 Nov 1994 08:49:37 GMT"), &us));
    assert_int_equal(us, INT64_C(784111777000000));
    assert_false(tlk_http_date_parse(TL_STR("Sun, 06 Abc 1994 08:49:37 GMT"), &us));
}

static void test_envelope(void **state)
{
    (void)state;
    static const tlk_envelope names = {
        .id = "id", .modified = "at", .created = "born", .deleted = "gone", .stamp = "ref"};
    TLK_AUTO_ARENA a = {0};
    TLK_AUTO_JSON j = {0};
    tlk_plan plan;
    tl_record rec;
    tlk_plan_init(&plan, &shape, NULL, &a);
    const tlk_node *v =
        tlk_json_read(&j, TL_STR("{\"id\":7,\"at\":\"1970-01-01T00:00:01Z\",\"gone\":\"true\",\"lastName\":\"A\"}"));
    assert_true(tlk_object_read(&plan, &names, v, &a, &rec));
    assert_text(rec.id, "7");
    assert_text(rec.version, "1970-01-01T00:00:01Z");
    assert_int_equal(rec.version_kind, TL_VER_TIME);
    assert_int_equal(rec.modified_us, 1000000);
    assert_int_equal(rec.created_us, 0);
    assert_int_equal(rec.state, TL_STATE_DELETED);
    assert_int_equal(rec.stamp.n, 0);
    assert_int_equal(rec.flags, TL_REC_FULL);
    assert_int_equal(rec.n_values, 2);
    v = tlk_json_read(&j, TL_STR("{\"id\":\"8\",\"lastName\":{}}"));
    assert_false(tlk_object_read(&plan, &names, v, &a, &rec));
    assert_text(rec.id, "8"); /* a record that cannot be used still has its id */
    assert_int_equal(rec.flags, TL_REC_BAD);
    assert_int_equal(rec.version_kind, TL_VER_NONE);
}

static int refuse_none(void *ctx, const tl_field *f, const tlk_node *v, tlk_arena *a, tl_value *out)
{
    (void)ctx;
    if (tlk_is(f->path, "last_name") && tlk_is(tlk_text(v, a), "-None-")) {
        out->type = TL_NULL;
        return TLK_DONE;
    }
    return tlk_is(f->path, "x.flag") ? TLK_OMIT : tlk_is(f->path, "account") ? TLK_BAD : TLK_DEFAULT;
}

static void test_converter_of_the_connector(void **state)
{
    (void)state;
    TLK_AUTO_ARENA a = {0};
    const tlk_rules rules = {.from = refuse_none, .list_separator = ';'};
    tl_record rec;
    assert_true(read_with(&rules, "{\"lastName\":\"-None-\",\"flag\":{},\"many\":\"a; b;;c\"}", &a, &rec));
    assert_int_equal(value(&rec, "last_name")->type, TL_NULL);
    assert_null(value(&rec, "x.flag"));
    assert_int_equal(value(&rec, "x.many")->u.list.n, 3);
    assert_text(value(&rec, "x.many")->u.list.items[1].u.s, "b");
    assert_false(read_with(&rules, "{\"accountId\":\"1\"}", &a, &rec));
    assert_text(rec.note, "field \"account\" (accountId) holds a text that cannot be used");
}

static void test_writes_values(void **state)
{
    (void)state;
    const tl_value items[] = {{.type = TL_TEXT, .u.s = TL_STR("a")}, {.type = TL_TEXT, .u.s = TL_STR("b")}};
    tl_value values[] = {{.field = 1, .type = TL_INT, .u.i = 5},
                         {.field = 0, .type = TL_NULL},
                         {.field = 2, .type = TL_DECIMAL, .u.s = TL_STR("12.10")},
                         {.field = 3, .type = TL_BOOL, .u.i = 0},
                         {.field = 4, .type = TL_TIME, .u.i = 0},
                         {.field = 5, .type = TL_DATE, .u.i = 1},
                         {.field = 7, .type = TL_LIST, .u.list = {items, 2}},
                         {.field = 8, .type = TL_JSON, .u.s = TL_STR("{\"k\":1}")}};
    const tl_record rec = {.values = values, .n_values = TLK_LEN(values), .op = TL_OP_UPDATE};
    TLK_AUTO_WRITER w = {0};
    tlk_w_object(&w);
    assert_int_equal(tlk_record_write(&w, &shape, &rec, NULL), 8);
    tlk_w_end_object(&w);
    assert_string_equal(
        tlk_w_lent(&w).p,
        "{\"cf\":{\"cf_n\":5,\"cf_money\":12.10},\"lastName\":null,\"flag\":false,"
        "\"createdTime\":\"1970-01-01T00:00:00.000Z\",\"birthday\":\"1970-01-02\",\"many\":[\"a\",\"b\"],"
        "\"extra\":{\"k\":1}}");
    const tlk_rules rules = {.decimals_as_text = true, .null_as_empty = true, .list_separator = ';'};
    values[7].u.s = TL_STR("{broken");
    tlk_w_clear(&w);
    tlk_w_object(&w);
    tlk_record_write(&w, &shape, &rec, &rules);
    tlk_w_end_object(&w);
    assert_string_equal(tlk_w_lent(&w).p,
                        "{\"cf\":{\"cf_n\":5,\"cf_money\":\"12.10\"},\"lastName\":\"\",\"flag\":false,"
                        "\"createdTime\":\"1970-01-01T00:00:00.000Z\",\"birthday\":\"1970-01-02\",\"many\":\"a;b\","
                        "\"extra\":\"{broken\"}");
}

static void test_flags_hold_back(void **state)
{
    (void)state;
    const tl_field two[] = {
        {.struct_size = sizeof(tl_field), .flags = TL_F_READONLY, .path = TL_STR("created"), .name = TL_STR("c")},
        {.struct_size = sizeof(tl_field), .flags = TL_F_CREATE_ONLY, .path = TL_STR("x.s"), .name = TL_STR("cf.s")}};
    const tl_shape s = {.n_fields = 2, .field_stride = sizeof(tl_field), .fields = two};
    const tl_value values[] = {{.field = 0, .type = TL_TEXT, .u.s = TL_STR("1")},
                               {.field = 1, .type = TL_TEXT, .u.s = TL_STR("2")}};
    tl_record rec = {.values = values, .n_values = 2, .op = TL_OP_UPDATE};
    TLK_AUTO_WRITER w = {0};
    tlk_w_object(&w);
    assert_int_equal(tlk_record_write(&w, &s, &rec, NULL), 0);
    rec.op = TL_OP_CREATE;
    assert_int_equal(tlk_record_write(&w, &s, &rec, NULL), 1);
    tlk_w_end_object(&w);
    assert_string_equal(tlk_w_lent(&w).p, "{\"cf\":{\"s\":\"2\"}}");
}

/* The lines of a document: each value with its column, money to the last digit, and back as it came. */
static void test_rows(void **state)
{
    (void)state;
    static const tl_field columns[] = {FIELD("name", "name", TL_TEXT),
                                       FIELD("rate", "rate", TL_DECIMAL),
                                       {.struct_size = sizeof(tl_field),
                                        .type = TL_LIST,
                                        .item_type = TL_TEXT,
                                        .path = TL_STR("x.tags"),
                                        .name = TL_STR("tags")},
                                       {.struct_size = sizeof(tl_field),
                                        .type = TL_DECIMAL,
                                        .flags = TL_F_READONLY,
                                        .path = TL_STR("amount"),
                                        .name = TL_STR("item_total")}};
    static const tl_field rows[] = {{.struct_size = sizeof(tl_field),
                                     .type = TL_ROWS,
                                     .path = TL_STR("lines"),
                                     .name = TL_STR("line_items"),
                                     .n_columns = TLK_LEN(columns),
                                     .column_stride = sizeof(tl_field),
                                     .columns = columns},
                                    FIELD("x.file", "file", TL_BLOB)};
    const tl_shape s = {.n_fields = 2, .field_stride = sizeof(tl_field), .fields = rows};
    TLK_AUTO_ARENA a = {0};
    TLK_AUTO_JSON j = {0};
    TLK_AUTO_WRITER w = {0};
    tlk_plan plan;
    tl_record rec = {.op = TL_OP_UPDATE};
    tlk_plan_init(&plan, &s, NULL, &a);
    const char *text = "{\"line_items\":[{\"name\":\"Bolt\",\"rate\":0.10,\"item_total\":1.00,\"tags\":[\"a\"],"
                       "\"other\":{}},{\"rate\":null},{}]}";
    assert_true(tlk_record_read(&plan, tlk_json_read(&j, tlk_str(text)), &a, &rec));
    assert_int_equal(rec.n_values, 1);
    const tl_value *row = rec.values[0].u.list.items;
    assert_int_equal(rec.values[0].type, TL_ROWS);
    assert_int_equal(rec.values[0].u.list.n, 3);
    assert_int_equal(row[0].u.list.n, 4);
    assert_int_equal(row[0].u.list.items[1].field, 1);
    assert_text(row[0].u.list.items[1].u.s, "0.10");
    assert_int_equal(row[1].u.list.n, 1);
    assert_int_equal(row[1].u.list.items[0].type, TL_NULL);
    assert_int_equal(row[2].u.list.n, 0);
    tlk_w_object(&w);
    assert_int_equal(tlk_record_write(&w, &s, &rec, NULL), 1);
    tlk_w_end_object(&w);
    assert_string_equal(tlk_w_lent(&w).p,
                        "{\"line_items\":[{\"name\":\"Bolt\",\"rate\":0.10,\"tags\":[\"a\"]},{\"rate\":null},{}]}");
    static const char *const bad[] = {"{\"line_items\":{}}", "{\"line_items\":[1]}",
                                      "{\"line_items\":[{\"rate\":\"ten\"}]}", "{\"file\":\"x\"}"};
    for (size_t i = 0; i < TLK_LEN(bad); i++) {
        TLK_AUTO_JSON other = {0};
        assert_false(tlk_record_read(&plan, tlk_json_read(&other, tlk_str(bad[i])), &a, &rec));
        assert_int_equal(rec.flags & TL_REC_BAD, TL_REC_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_type),
        cmocka_unit_test(test_absent_differs_from_null),
        cmocka_unit_test(test_null_objects_empty_what_lies_in_them_where_the_rules_say_so),
        cmocka_unit_test(test_dotted_names_go_as_deep_as_they_say),
        cmocka_unit_test(test_bad_values_name_field_and_form),
        cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_converter_of_the_connector),
        cmocka_unit_test(test_writes_values),
        cmocka_unit_test(test_flags_hold_back),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
