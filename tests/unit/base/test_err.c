#include "unicode.h"
#include "unit/unit.h"
#include <errno.h>

static void is_filled_once_and_wrapped(void **state)
{
    (void)state;
    struct err e = {0};
    err_code(&e, "LEFT_OVER");
    assert_int_equal(err_set(&e, TL_E_DENIED, "the vendor refused \"%s\"", "x"), TL_E_DENIED);
    assert_string_equal(e.code, ""); /* set forgets what was there */
    assert_int_equal(err_wrap(&e, "while reading page %d", 3), TL_E_DENIED);
    assert_string_equal(e.text, "while reading page 3: the vendor refused \"x\"");
    err_hint(&e, "do %s", "this");
    err_detail(&e, "HTTP %d", 403);
    err_code(&e, "OAUTH_SCOPE_MISMATCH");
    assert_string_equal(e.hint, "do this");
    assert_string_equal(e.detail, "HTTP 403");
    assert_string_equal(e.code, "OAUTH_SCOPE_MISMATCH");
    err_clear(&e);
    assert_int_equal(e.status, TL_OK);
    assert_string_equal(e.text, "");
}

static void null_is_fine(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, TL_E_AUTH, "x"), TL_E_AUTH);
    assert_int_equal(err_wrap(NULL, "x"), TL_E_BUG);
    err_hint(NULL, "x");
    err_detail(NULL, "x");
    err_code(NULL, "x");
    err_clear(NULL);
    struct err empty = {0};
    assert_int_equal(err_wrap(&empty, "x"), TL_E_BUG);
    errno = ENOENT;
    assert_int_equal(err_errno(NULL, "x"), TL_E_NOT_FOUND);
}

static void text_may_quote_itself(void **state)
{
    (void)state;
    struct err e = {0};
    err_set(&e, TL_E_INVALID, "first");
    err_set(&e, TL_E_INVALID, "second after %s", e.text);
    assert_string_equal(e.text, "second after first");
}

static void stays_one_line_of_whole_characters(void **state)
{
    (void)state;
    struct err e = {0};
    err_set(&e, TL_E_INVALID, "%s", "two\nlines\tand \xff bytes, caf\xc3\xa9");
    assert_string_equal(e.text, "two lines and ? bytes, caf\xc3\xa9");
    char line[2000];
    for (size_t i = 0; i + 2 < sizeof line; i += 2)
        memcpy(line + i, "\xc3\xa9", 3);
    err_set(&e, TL_E_INVALID, "x%s", line);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    err_set(&e, TL_E_INVALID, "%s", line); /* now the array ends in the middle of a character */
    assert_int_equal(strlen(e.text), sizeof e.text - 2);
    assert_true(utf8_valid(str_of(e.text)));
}

static void maps_errno(void **state)
{
    (void)state;
    static const struct {
        int code, status;
    } cases[] = {{ENOENT, TL_E_NOT_FOUND}, {EACCES, TL_E_DENIED},  {EROFS, E_STORAGE},         {ENOSPC, E_STORAGE},
                 {EEXIST, E_EXISTS},       {EADDRINUSE, E_EXISTS}, {ETIMEDOUT, TL_E_TEMPORARY}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        errno = cases[i].code;
        assert_int_equal(err_errno(&e, "cannot open \"%s\"", "f"), cases[i].status);
        assert_int_equal(errno, cases[i].code);
        assert_true(str_starts(str_of(e.text), STR("cannot open \"f\": ")));
        assert_true(strlen(e.text) > strlen("cannot open \"f\": "));
    }
}

static void crosses_the_connector_line(void **state)
{
    (void)state;
    tl_error from = {.struct_size = sizeof from,
                     .scope = TL_SCOPE_KIND,
                     .reason = TL_R_REQUIRED_MISSING,
                     .http_status = 422,
                     .retry_after_ms = 5};
    memset(from.code, 'C', sizeof from.code); /* no NUL: the other side may be careless */
    memset(from.text, 0xe9, sizeof from.text);
    struct err e = {0};
    err_from_tl(&e, TL_E_INVALID, &from);
    assert_int_equal(e.status, TL_E_INVALID);
    assert_int_equal(strlen(e.code), sizeof e.code - 1);
    assert_true(utf8_valid(str_of(e.text)));
    assert_int_equal(e.reason, TL_R_REQUIRED_MISSING);

    tl_error back = {.struct_size = sizeof back};
    err_to_tl(&e, &back);
    assert_int_equal(back.struct_size, sizeof back);
    assert_int_equal(back.http_status, 422);
    assert_int_equal(back.retry_after_ms, 5);
    assert_string_equal(back.code, e.code);

    tl_error silent = {.struct_size = sizeof silent};
    err_from_tl(&e, TL_E_THROTTLED, &silent);
    assert_string_equal(e.text, "throttled"); /* never an empty message */
}

static void every_status_has_a_name(void **state)
{
    (void)state;
    for (int i = TL_OK; i <= TL_E_QUOTA; i++)
        assert_string_not_equal(status_name(i), "unknown status");
    for (int i = E_STORAGE; i <= E_PRECONDITION; i++)
        assert_string_not_equal(status_name(i), "unknown status");
    assert_string_equal(status_name(TL_E_THROTTLED), "throttled");
    assert_string_equal(status_name(-1), "unknown status");
    assert_string_equal(status_name(50), "unknown status");
    assert_string_equal(status_name(INT32_MAX), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_filled_once_and_wrapped),
        cmocka_unit_test(null_is_fine),
        cmocka_unit_test(text_may_quote_itself),
        cmocka_unit_test(stays_one_line_of_whole_characters),
        cmocka_unit_test(maps_errno),
        cmocka_unit_test(crosses_the_connector_line),
        cmocka_unit_test(every_status_has_a_name),
    };
    return cmocka_run_group_tests_name("base_err", tests, NULL, NULL);
}
