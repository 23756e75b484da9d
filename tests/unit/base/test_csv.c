/* Rows that spreadsheets read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "csv.h"

static void rows(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = {0};
    struct csv c = {.out = &out};
    csv_text(&c, STR("a,b"));
    csv_text(&c, STR("he said \"no\""));
    csv_number(&c, -5);
    csv_end(&c);
    csv_text(&c, STR("two\nlines"));
    csv_text(&c, (str){0});
    csv_text(&c, STR("Müller"));
    csv_end(&c);
    assert_string_equal(buf_text(&out), "\"a,b\",\"he said \"\"no\"\"\",-5\r\n\"two\nlines\",,Müller\r\n");
}

/* A name that a spreadsheet would run is text. */
static void no_formula(void **state)
{
    (void)state;
    static const char *const wicked[] = {"=HYPERLINK(\"x\")", "+1", "-1", "@SUM(A1)", "\tx", "\rx"};
    for (size_t i = 0; i < ARRAY_LEN(wicked); i++) {
        AUTO(buf_done) struct buf out = {0};
        struct csv c = {.out = &out};
        csv_text(&c, str_of(wicked[i]));
        assert_memory_equal(out.p, "\"'", 2);
        assert_int_equal(out.p[out.n - 1], '"');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(no_formula)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
