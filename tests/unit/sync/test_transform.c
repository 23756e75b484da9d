/* Transforms of field maps (S1-14, S2-18): every function with the value it gives, its inverse or the reason why it
 * has none; errors are placed; bounds hold on hostile input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "canon.h"
#include "times.h"
#include "transform.h"
#include "values.h"

static const struct transform *parsed(const char *chain, struct arena *a)
{
    struct transform_error *errors = NULL;
    size_t n = 0;
    const struct transform *t = transform_parse(str_of(chain), a, &errors, &n);
    if (!t)
        fail_msg("%s: %u: %.*s", chain, errors[0].column, STR_FMT(errors[0].text));
    return t;
}

static tl_value of(const char *text)
{
    int64_t n = 0;
    tl_value v = {.type = text && *text ? TL_TEXT : TL_NULL, .u.s = str_of(text)};
    if (text && strncmp(text, "date:", 5) == 0 && date_parse(str_of(text + 5), &n))
        return (tl_value){.type = TL_DATE, .u.i = n};
    if (text && strncmp(text, "time:", 5) == 0 && time_parse(str_of(text + 5), &n))
        return (tl_value){.type = TL_TIME, .u.i = n};
    if (text && strncmp(text, "int:", 4) == 0 && str_to_i64(str_of(text + 4), &n))
        return (tl_value){.type = TL_INT, .u.i = n};
    if (text && strncmp(text, "dec:", 4) == 0)
        return (tl_value){.type = TL_DECIMAL, .u.s = str_of(text + 4)};
    if (text && strcmp(text, "yes!") == 0)
        return (tl_value){.type = TL_BOOL, .u.i = 1};
    return v;
}

/* in, chain, out; out NULL: fails, "?": skipped. */
static const struct {
    const char *in, *chain, *out;
    uint8_t type;
} given[] = {
    {"a b", "", "a b", TL_TEXT},
    {"a b", "copy", "a b", TL_TEXT},
    {"", "trim | title | default(\"-\")", "-", TL_TEXT},
    {" ann  o'neil-SMITH ", "trim | title | default(\"-\")", "Ann  O'neil-Smith", TL_TEXT},
    {"x", "const(\"Partner\")", "Partner", TL_TEXT},
    {"", "const(7)", "7", TL_INT},
    {"", "const(true)", "true", TL_BOOL},
    {"", "default(0)", "0", TL_INT},
    {"5", "default(0)", "5", TL_TEXT},
    {"", "coalesce(\"none\")", "none", TL_TEXT},
    {"", "if_empty(\"no\", \"yes\")", "no", TL_TEXT},
    {"x", "if_empty(\"no\", \"yes\")", "yes", TL_TEXT},
    {"n/a", "skip(\"n/a\")", "?", 0},
    {"", "skip", "?", 0},
    {"x", "skip(\"n/a\")", "x", TL_TEXT},
    {"Ärger ÑU", "lower", "ärger ñu", TL_TEXT},
    {"ärger ñu москва", "upper", "ÄRGER ÑU МОСКВА", TL_TEXT},
    {"élan vital", "title", "Élan Vital", TL_TEXT},
    {"  ＡＢＣ  straße ", "fold", "abc strasse", TL_TEXT},
    {"日本語文字", "left(2)", "日本", TL_TEXT},
    {"日本語文字", "right(2)", "文字", TL_TEXT},
    {"ab", "right(5)", "ab", TL_TEXT},
    {"int:42", "pad(5, \"0\")", "00042", TL_TEXT},
    {"42", "pad(5, \"é\", right)", "42ééé", TL_TEXT},
    {"a.b.c", "replace(\".\", \"\")", "abc", TL_TEXT},
    {"aaa", "replace(\"a\", \"aa\")", "aaaaaa", TL_TEXT},
    {"Lee, Ann", "split(\", \", 2)", "Ann", TL_TEXT},
    {"Lee, Ann", "split(\", \") | nth(-1)", "Ann", TL_TEXT},
    {"Lee", "split(\", \", 2)", "", TL_NULL},
    {"Lee", "split(\", \") | nth(2) | default(\"-\")", "-", TL_TEXT},
    {"C-0042/x", "match(\"[0-9]+\") | to_int", "42", TL_INT},
    {"C-0042/x", "match(\"([A-Z])-(\\d+)\", 2)", "0042", TL_TEXT},
    {"none", "match(\"[0-9]+\")", "", TL_NULL},
    {"Neu", "map(\"Neu\"=\"New\", \"Alt\"=\"Old\")", "New", TL_TEXT},
    {"Rest", "map(\"Neu\"=\"New\", *=\"Other\")", "Other", TL_TEXT},
    {"Rest", "map(\"Neu\"=\"New\", *=*)", "Rest", TL_TEXT},
    {"", "map(\"\"=\"none\", *=*)", "none", TL_TEXT},
    {"Rest", "map(\"Neu\"=\"New\")", NULL, 0},
    {"gold", "map(\"gold\"=3, \"silver\"=2)", "3", TL_INT},
    {"yes!", "map(true=\"Sim\", false=\"Não\")", "Sim", TL_TEXT},
    {"int:9", "range(..10=\"small\", 10..100=\"medium\", 100..=\"large\")", "small", TL_TEXT},
    {"int:10", "range(..10=\"small\", 10..100=\"medium\", 100..=\"large\")", "medium", TL_TEXT},
    {"99.99", "range(..10=\"small\", 10..100=\"medium\", *=\"large\")", "medium", TL_TEXT},
    {"dec:-0.5", "range(-1..-0.25=\"low\", *=\"other\")", "low", TL_TEXT},
    {"int:5", "range(10..=\"large\")", NULL, 0},
    {"007", "to_int", "7", TL_INT},
    {"1e3", "to_int", "1000", TL_INT},
    {"yes!", "to_int", "1", TL_INT},
    {"12.5", "to_int", NULL, 0},
    {"1,234", "to_int", NULL, 0},
    {"see contract", "to_int", NULL, 0},
    {"see contract", "to_int(blank)", "", TL_NULL},
    {"see contract", "to_int(0)", "0", TL_INT},
    {"99999999999999999999", "to_int", NULL, 0},
    {"12.345", "to_decimal(2)", "12.35", TL_DECIMAL},
    {"x", "to_decimal(2, blank)", "", TL_NULL},
    {"dec:2.5", "round", "3", TL_INT},
    {"dec:-2.5", "round", "-3", TL_INT},
    {"2.449", "round(1)", "2.4", TL_DECIMAL},
    {"Yes", "bool", "true", TL_BOOL},
    {"off", "bool", "false", TL_BOOL},
    {"não", "bool(\"sim\", \"não\")", "false", TL_BOOL},
    {"maybe", "bool", NULL, 0},
    {"31.01.2026", "date_parse(\"%d.%m.%Y\")", "2026-01-31", TL_DATE},
    {"31.02.2026", "date_parse(\"%d.%m.%Y\")", NULL, 0},
    {"Jan 31, 26", "date_parse(\"%b %d, %y\")", "2026-01-31", TL_DATE},
    {"01/07/2026 12:30", "date_parse(\"%d/%m/%Y %H:%M\", \"America/Sao_Paulo\")", "2026-07-01T15:30:00.000Z", TL_TIME},
    {"2026-07-01 12:30 PM", "date_parse(\"%Y-%m-%d %I:%M %p\", \"Europe/Berlin\")", "2026-07-01T10:30:00.000Z",
     TL_TIME},
    {"2026-01-01 12:30 AM", "date_parse(\"%Y-%m-%d %I:%M %p\", \"Europe/Berlin\")", "2025-12-31T23:30:00.000Z",
     TL_TIME},
    {"2026-01-31T10:00:00.250+0300", "date_parse(\"%Y-%m-%dT%H:%M:%S.%f%z\")", "2026-01-31T07:00:00.250Z", TL_TIME},
    {"time:2026-07-01T10:30:00Z", "date_format(\"%d.%m.%Y %H:%M\", \"Europe/Berlin\")", "01.07.2026 12:30", TL_TEXT},
    {"time:2026-12-01T10:30:00Z", "date_format(\"%d %b %y %H:%M %z\", \"+05:30\")", "01 Dec 26 16:00 +05:30", TL_TEXT},
    {"date:2026-01-31", "date_format(\"%m/%d/%Y\")", "01/31/2026", TL_TEXT},
    {"date:2024-01-31", "date_shift(\"1mo\")", "2024-02-29", TL_DATE},
    {"date:2024-02-29", "date_shift(\"-1y\")", "2023-02-28", TL_DATE},
    {"date:2026-01-01", "date_shift(\"-1d\")", "2025-12-31", TL_DATE},
    {"time:2026-01-01T00:30:00Z", "date_shift(\"-1h\")", "2025-12-31T23:30:00.000Z", TL_TIME},
    {"(11) 98765-4321", "phone(e164, \"55\")", "+5511987654321", TL_TEXT},
    {"011 98765 4321", "phone(e164, \"55\")", "+5511987654321", TL_TEXT},
    {"0049 30 1234567", "phone(e164, \"55\")", "+49301234567", TL_TEXT},
    {"+7 (495) 123-45-67", "phone(e164)", "+74951234567", TL_TEXT},
    {"98765 4321", "phone(e164)", NULL, 0},
    {"+55 11 98765-4321", "phone(digits)", "5511987654321", TL_TEXT},
    {"+55 11 98765-4321", "phone(last9)", "987654321", TL_TEXT},
    {" Ann@Example.ORG ", "email_norm", "ann@example.org", TL_TEXT},
    {"nobody", "email_norm", NULL, 0},
    {"https://me@WWW.Example.org:8443/a?b", "url_host", "www.example.org", TL_TEXT},
    {"example.org/x", "url_host", "example.org", TL_TEXT},
    {"http://[2001:db8::1]:80/", "url_host", "[2001:db8::1]", TL_TEXT},
    {"Brazil", "country(iso2)", "BR", TL_TEXT},
    {"russian federation", "country(iso2)", "RU", TL_TEXT},
    {"DEU", "country(iso2)", "DE", TL_TEXT},
    {"de", "country(iso3)", "DEU", TL_TEXT},
    {"BR", "country(name)", "Brazil", TL_TEXT},
    {"Atlantis", "country(iso2)", NULL, 0},
    {"a", "concat(\" (\", \"x\", \")\")", "a (x)", TL_TEXT},
};

static void gives_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        AUTO(arena_done) struct arena a = {0};
        AUTO(buf_done) struct buf got = {0};
        tl_value in = of(given[i].in), out = {0};
        struct transform_failure why = {0};
        enum transform_outcome rc = transform_run(parsed(given[i].chain, &a), &in, NULL, &a, &out, &why);
        const char *wanted = given[i].out;
        if (rc == TRANSFORM_OK)
            value_text(&got, &out);
        bool ok = wanted ? strcmp(wanted, "?") == 0
                               ? rc == TRANSFORM_SKIP
                               : rc == TRANSFORM_OK && out.type == given[i].type && str_is(buf_lent(&got), wanted)
                         : rc == TRANSFORM_FAILED && why.text.n > 0 && why.function.n > 0;
        if (!ok)
            fail_msg("%s -> %s: outcome %d, \"%s\" type %d, %.*s", given[i].in, given[i].chain, (int)rc, buf_text(&got),
                     out.type, STR_FMT(why.text));
    }
}

static void further_fields(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    const struct transform *t = parsed("concat(\" \", last) | trim | coalesce(email, \"?\")", &a);
    const str *paths = NULL;
    assert_int_equal(transform_fields(t, &paths), 2);
    assert_true(str_is(paths[0], "last") && str_is(paths[1], "email"));
    static const struct {
        const char *first, *last, *email, *out;
    } cases[] = {{"Ann", "Lee", "", "Ann Lee"}, {"", "Lee", "", "Lee"}, {"", "", "a@x", "a@x"}, {"", "", "", "?"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        tl_value in = of(cases[i].first), fields[2] = {of(cases[i].last), of(cases[i].email)}, out = {0};
        assert_int_equal(transform_run(t, &in, fields, &a, &out, NULL), TRANSFORM_OK);
        assert_true(str_is(out.u.s, cases[i].out));
    }
}

static void errors_are_placed(void **state)
{
    (void)state;
    static const struct {
        const char *chain;
        uint32_t column;
        const char *text, *hint;
    } cases[] = {
        {"trim | titel", 8, "no function \"titel\"", "did you mean \"title\""},
        {"trim |", 7, "function is missing", ""},
        {"é | 5", 1, "no function", ""},
        {"left", 1, "takes 1 argument, not 0", "left(N)"},
        {"left(0)", 6, "whole number from 1", "left(N)"},
        {"trim(\"a\"", 9, "comma is missing", "behind the last a )"},
        {"default(\"a)", 9, "does not end", ""},
        {"trim trim", 6, "cannot stand here", "between two functions"},
        {"phone(e123)", 7, "\"e123\"", "one of: e164, digits, last9"},
        {"map(\"a\"=\"b\", \"a\"=\"c\")", 14, "twice", ""},
        {"match(\"(\")", 7, "the pattern is wrong", ""},
        {"date_parse(\"%d.%m\")", 12, "year, month and day", ""},
        {"date_parse(\"%d.%m.%Y\", \"Mars/Base\")", 24, "no time zone", "Europe/Berlin"},
        {"range(10..5=\"x\")", 7, "is empty", ""},
        {"trim | lookup(user)", 8, "stands alone", ""},
        {"bool(\"x\")", 6, "both texts or none", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_done) struct arena a = {0};
        struct transform_error *e = NULL;
        size_t n = 0;
        assert_null(transform_parse(str_of(cases[i].chain), &a, &e, &n));
        assert_true(n > 0);
        if (e[0].column != cases[i].column || !strstr(arena_str(&a, e[0].text).p, cases[i].text) ||
            !strstr(arena_str(&a, e[0].hint).p, cases[i].hint))
            fail_msg("%s: %u: %.*s (%.*s)", cases[i].chain, e[0].column, STR_FMT(e[0].text), STR_FMT(e[0].hint));
    }
    AUTO(arena_done) struct arena a = {0};
    struct transform_error *e = NULL;
    size_t n = 0;
    transform_parse(STR("trimm | left(x) | uper | phone(e164)"), &a, &e, &n);
    assert_int_equal(n, 3); /* all of them at once */
}

static void there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *chain, *back; /* NULL: function that has none */
        const char *broken;
    } cases[] = {
        {"", "copy", NULL},
        {"trim", "copy", NULL},
        {"trim | map(\"a\"=\"b\", \"c\"=\"d\")", "map(\"b\"=\"a\", \"d\"=\"c\")", NULL},
        {"map(\"a\"=\"b\", \"c\"=\"b\")", NULL, "map"},
        {"map(\"a\"=\"b\", *=\"c\")", NULL, "map"},
        {"map(\"a\"=\"b\", *=*)", "map(\"b\"=\"a\", *=*)", NULL},
        {"to_int", "copy", NULL},
        {"bool(\"sim\", \"não\")", "map(true=\"sim\", false=\"não\")", NULL},
        {"date_parse(\"%d.%m.%Y\") | date_shift(\"1d\")", "date_shift(\"-1d\") | date_format(\"%d.%m.%Y\")", NULL},
        {"default(\"-\")", "map(\"-\"=\"\", *=*)", NULL},
        {"trim | upper | map(\"A\"=\"1\")", NULL, "upper"},
        {"concat(\"x\")", NULL, "concat"},
        {"date_shift(\"1mo\")", NULL, "date_shift"},
        {"const(\"x\")", NULL, "const"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_done) struct arena a = {0};
        AUTO(buf_done) struct buf text = {0};
        str function = {0}, why = {0};
        const struct transform *back = transform_inverse(parsed(cases[i].chain, &a), &a, &function, &why);
        if (back)
            transform_text(back, &text);
        if (cases[i].back ? !back || !str_is(buf_lent(&text), cases[i].back)
                          : back || !str_is(function, cases[i].broken) || why.n == 0)
            fail_msg("%s: %s, %.*s: %.*s", cases[i].chain, buf_text(&text), STR_FMT(function), STR_FMT(why));
    }
}

/* What is written reads as the same chain. */
static void text_is_stable(void **state)
{
    (void)state;
    static const char *const chains[] = {"map(\"a\\\"b\"=\"c\\\\\", *=*)|to_int( 5 )", "match(\"\\d+\\.\", 0)",
                                         "range(..1.5=\"a\", 2..=\"b\")", "pad(3,\" \",left)|replace(\"\\t\",\"\\n\")"};
    for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
        AUTO(arena_done) struct arena a = {0};
        AUTO(buf_done) struct buf once = {0};
        AUTO(buf_done) struct buf twice = {0};
        transform_text(parsed(chains[i], &a), &once);
        transform_text(parsed(buf_text(&once), &a), &twice);
        assert_string_equal(buf_text(&once), buf_text(&twice));
    }
}

static bool has(const struct transform_error *e, size_t n, const char *code, int level)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(e[i].code, code) == 0 && e[i].level == level)
            return true;
    return false;
}

static void checked_before_anything_runs(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    tl_choice from[] = {{STR("New"), STR("")}, {STR("Done"), STR("")}}, to[] = {{STR("open"), STR("")}};
    tl_field text = {.struct_size = sizeof text, .type = TL_TEXT, .max = 80, .name = STR("Text"), .path = STR("text")},
             number = {.struct_size = sizeof text, .type = TL_INT, .name = STR("Number")},
             small = {.struct_size = sizeof text, .type = TL_TEXT, .max = 20, .name = STR("Small")},
             pick = {.type = TL_CHOICE, .n_choices = 2, .choices = from, .name = STR("Pick")},
             closed = {.type = TL_CHOICE, .flags = TL_F_CLOSED, .n_choices = 1, .choices = to, .name = STR("Closed")};
    tl_kind record = {.n_fields = 1, .field_stride = sizeof text, .fields = &text};
    struct transform_error *e = NULL;
    assert_int_equal(transform_check(parsed("to_int", &a), &text, &number, &record, &a, &e), 0);
    size_t n = transform_check(parsed("trim", &a), &text, &number, &record, &a, &e);
    assert_true(has(e, n, "TYPE_MISMATCH", TL_WARN));
    n = transform_check(parsed("to_int | upper", &a), &text, &text, &record, &a, &e);
    assert_true(has(e, n, "TYPE_MISMATCH", TL_ERROR) && e[0].column == 10);
    n = transform_check(parsed("trim", &a), &text, &small, &record, &a, &e);
    assert_true(has(e, n, "TOO_LONG", TL_WARN));
    assert_int_equal(transform_check(parsed("left(20)", &a), &text, &small, &record, &a, &e), 0);
    n = transform_check(parsed("map(\"New\"=\"open\")", &a), &pick, &closed, &record, &a, &e);
    assert_true(has(e, n, "ENUM_UNKNOWN", TL_WARN)); /* Done has no row */
    n = transform_check(parsed("map(\"New\"=\"opened\", *=\"open\")", &a), &pick, &closed, &record, &a, &e);
    assert_true(has(e, n, "ENUM_UNKNOWN", TL_ERROR));
    n = transform_check(parsed("concat(txt)", &a), &text, &text, &record, &a, &e);
    assert_true(has(e, n, "MAP_ERROR", TL_ERROR) && str_is(e[0].hint, "did you mean \"text\"?"));
}

/* CPU and memory are bounded whatever the value is. */
static void bounds_hold(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf big = {0};
    for (int i = 0; i < 900000; i++)
        buf_char(&big, 'a');
    tl_value in = {.type = TL_TEXT, .u.s = buf_lent(&big)}, out = {0};
    struct transform_failure why = {0};
    assert_int_equal(transform_run(parsed("replace(\"a\", \"aa\")", &a), &in, NULL, &a, &out, &why), TRANSFORM_FAILED);
    assert_int_equal(why.reason, TL_R_TOO_LONG);
    buf_char(&big, 'b');
    in.u.s = buf_lent(&big);
    assert_int_equal(transform_run(parsed("match(\"^(a+)+$\")", &a), &in, NULL, &a, &out, &why), TRANSFORM_FAILED);
    assert_int_equal(transform_run(parsed("split(\"a\")", &a), &in, NULL, &a, &out, &why), TRANSFORM_FAILED);
    AUTO(buf_done) struct buf chain = {0};
    for (int i = 0; i < 40; i++)
        buf_fmt(&chain, "%strim", i ? "|" : "");
    struct transform_error *e = NULL;
    size_t n = 0;
    assert_null(transform_parse(buf_lent(&chain), &a, &e, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_it_says), cmocka_unit_test(further_fields),
        cmocka_unit_test(errors_are_placed),  cmocka_unit_test(there_and_back),
        cmocka_unit_test(text_is_stable),     cmocka_unit_test(checked_before_anything_runs),
        cmocka_unit_test(bounds_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
