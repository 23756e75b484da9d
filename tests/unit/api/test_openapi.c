/* The notation of shapes, and that every route of the daemon is described with a shape that can be read. */
#include "unit/unit.h"

#include "openapi.h"
#include "routes.h"

static void shapes_become_schemas(void **state)
{
    (void)state;
    json_t *s = openapi_shape("{name:string, pid:integer?, tags:[string], at:time, more:{x:boolean}}");
    assert_non_null(s);
    assert_int_equal(json_array_size(json_object_get(s, "required")), 4);
    json_t *properties = json_object_get(s, "properties");
    assert_true(json_is_array(json_object_get(json_object_get(properties, "pid"), "type")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(properties, "at"), "format")), "date-time");
    json_decref(s);
}

static void wrong_shapes_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "{", "{a}", "{a:strin}", "[string", "{a:string}x", "{:string}"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_null(openapi_shape(wrong[i]));
}

static void every_route_is_described(void **state)
{
    (void)state;
    size_t n = 0;
    for (const struct route *const *table = api_tables; *table; table++)
        for (const struct route *r = *table; r->method; r++, n++) {
            json_t *answer = openapi_shape(r->answer);
            json_t *body = r->body ? openapi_shape(r->body) : json_null();
            if (!answer || !body || !r->summary || !r->handler)
                fail_msg("%s %s is not described", r->method, r->path);
            json_decref(answer);
            json_decref(body);
        }
    assert_true(n > 30);
    json_t *doc = openapi_document(api_tables);
    assert_string_equal(json_string_value(json_object_get(doc, "openapi")), "3.1.0");
    assert_non_null(
        json_object_get(json_object_get(json_object_get(doc, "paths"), "/api/v1/links/{connection}/{kind}"), "patch"));
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shapes_become_schemas),
                                       cmocka_unit_test(wrong_shapes_are_refused),
                                       cmocka_unit_test(every_route_is_described)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
