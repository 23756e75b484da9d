/* The INI reader: what inih would take silently in the wrong way is a finding with file and line. */
#include "unit/unit.h"

#include "ini_read.h"

static struct ini read_text(const char *text)
{
    struct ini ini = {0};
    ini_read_text(&ini, "t.ini", str_of(text));
    return ini;
}

static void expect_finding(const char *text, int line, const char *part)
{
    AUTO(ini_done) struct ini ini = read_text(text);
    assert_int_equal(ini.n_errors, 1);
    assert_int_equal(ini.findings->line, line);
    assert_non_null(strstr(ini.findings->text, part));
}

static void entries_carry_their_lines(void **state)
{
    (void)state;
    AUTO(ini_done) struct ini ini = read_text("; head\n[core]\n\na = 1\n# note\nb=two ; not a comment\n");
    assert_int_equal(ini.n_errors, 0);
    assert_int_equal(ini.first->line, 4);
    assert_string_equal(ini.first->value, "1");
    assert_int_equal(ini.last->line, 6);
    assert_string_equal(ini.last->value, "two ; not a comment");
}

static void an_indented_line_continues_the_value(void **state)
{
    (void)state;
    AUTO(ini_done) struct ini ini = read_text("[core]\na = one\n  two\n\tthree\nb = x\n");
    assert_int_equal(ini.n_errors, 0);
    assert_string_equal(ini.first->value, "one two three");
    assert_string_equal(ini.last->key, "b");
}

static void a_line_of_200_bytes_is_whole(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text = {0};
    buf_text_add(&text, "[core]\nscope = ");
    for (int i = 0; i < 300; i++)
        buf_char(&text, 'x');
    buf_text_add(&text, "\nnext = 1\n");
    AUTO(ini_done) struct ini ini = read_text(buf_text(&text));
    assert_int_equal(ini.n_errors, 0);
    assert_int_equal(strlen(ini.first->value), 300);
    assert_int_equal(ini.last->line, 3);
}

static void wrong_lines_are_findings(void **state)
{
    (void)state;
    expect_finding("[core]\na = 1\nnonsense\n", 3, "neither");
    expect_finding("[core]\n= 1\n", 2, "without a key");
    expect_finding("[core\na = 1\n[x]\n", 1, "without \"]\"");
    expect_finding("a = 1\n", 1, "before any");
    expect_finding("[core]\na = 1\nb = 2\na = 3\n", 4, "given twice; first in line 2");
    expect_finding("[core]\na = 1\na = 3\n", 3, "given twice");
    expect_finding("[link salesforce_production_emea_west opportunity_line_items]\n", 1, "at most 49");
}

static void what_is_repeated_is_told_once_a_line(void **state)
{
    (void)state;
    AUTO(ini_done) struct ini ini = read_text("[core]\na = 1\na = 2\na = 3\n");
    assert_int_equal(ini.n_errors, 2);
    assert_int_equal(ini.findings->line, 3);
    assert_int_equal(ini.last_finding->line, 4);
    assert_non_null(strstr(ini.last_finding->text, "first in line 2"));
}

static void findings_of_one_file_come_all_at_once(void **state)
{
    (void)state;
    AUTO(ini_done) struct ini ini = read_text("x = 1\n[core]\nbad\n= 2\nok = 3\n");
    assert_int_equal(ini.n_errors, 3);
    assert_string_equal(ini.last->key, "ok");
}

static void a_missing_file_says_so(void **state)
{
    (void)state;
    AUTO(ini_done) struct ini ini = {0};
    struct err e = {0};
    assert_int_equal(ini_read_file(&ini, "/nonexistent/t.ini", &e), TL_E_NOT_FOUND);
    assert_int_equal(ini.n_errors, 1);
    assert_non_null(strstr(ini.findings->text, "/nonexistent/t.ini"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_carry_their_lines),
        cmocka_unit_test(an_indented_line_continues_the_value),
        cmocka_unit_test(a_line_of_200_bytes_is_whole),
        cmocka_unit_test(wrong_lines_are_findings),
        cmocka_unit_test(what_is_repeated_is_told_once_a_line),
        cmocka_unit_test(findings_of_one_file_come_all_at_once),
        cmocka_unit_test(a_missing_file_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
