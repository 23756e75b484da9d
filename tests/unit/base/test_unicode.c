/* Text as people mean it: validity, canonical form, match keys, telephone numbers. */
#include "unicode.h"
#include "unit/unit.h"

static void accepts_only_strict_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "plain ascii text of some length",
                                       "caf\xc3\xa9",
                                       "\xe4\xb8\xad\xe6\x96\x87",
                                       "\xf0\x9f\x98\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",     /* a tail alone */
                                      "\xc0\xaf", /* over-long "/" */
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80", /* a surrogate */
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80", /* above U+10FFFF */
                                      "\xf5\x80\x80\x80",
                                      "abcdefg\xc3", /* cut at the end */
                                      "abcdefgh\xe4\xb8",
                                      "\xfe",
                                      "\xff"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(utf8_valid(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (utf8_valid(str_of(bad[i])))
            fail_msg("case %zu was taken for UTF-8", i);
    }
    assert_false(utf8_valid(str_n("a\0b", 3)));
    assert_false(utf8_valid(str_n("12345678\0abcdefgh", 17))); /* a NUL inside a fast word */
}

static void finds_the_bad_byte_at_every_offset(void **state)
{
    (void)state;
    for (size_t at = 0; at < 40; at++) {
        char text[40];
        memset(text, 'x', sizeof text);
        assert_true(utf8_valid(str_n(text, sizeof text)));
        text[at] = (char)0xa0;
        assert_false(utf8_valid(str_n(text, sizeof text)));
        text[at] = 0;
        assert_false(utf8_valid(str_n(text, sizeof text)));
    }
}

static void counts_and_cuts_whole_characters(void **state)
{
    (void)state;
    str s = STR("h\xc3\xa9llo \xf0\x9f\x98\x80!");
    assert_int_equal(utf8_length(s), 8);
    assert_str(utf8_cut(s, 2), "h\xc3\xa9");
    assert_str(utf8_cut(s, 7), "h\xc3\xa9llo \xf0\x9f\x98\x80");
    assert_str(utf8_cut(s, 8), "h\xc3\xa9llo \xf0\x9f\x98\x80!");
    assert_str(utf8_cut(s, 99), "h\xc3\xa9llo \xf0\x9f\x98\x80!");
    assert_int_equal(utf8_cut(s, 0).n, 0);
}

static void canonical_text(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"  plain  ", "plain"},
        {"a\r\nb\nc\r", "a\nb\nc"},
        {"cafe\xcc\x81", "caf\xc3\xa9"},              /* e + combining acute */
        {"\xc2\xa0no-break\xe3\x80\x80", "no-break"}, /* outer blanks that are not ASCII */
        {"in  side", "in  side"},                     /* inner blanks stay */
        {"", ""},
        {" \t\r\n", ""},
        {"\xc3\xa9\r\n\xc3\xa9", "\xc3\xa9\n\xc3\xa9"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_done) struct buf b = {0};
        text_nfc(&b, str_of(cases[i].in));
        assert_buf(b, cases[i].out);
    }
}

static void bytes_that_are_not_utf8_pass_unchanged(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = {0};
    text_nfc(&b, STR("\xff\xfe"));
    assert_buf(b, "\xff\xfe");
    buf_clear(&b);
    text_fold(&b, STR("A \xff"));
    assert_buf(b, "A \xff");
}

/* proves: S1-19 */
static void match_keys_ignore_case_blanks_and_form(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"  ACME   Corp. ", "acme corp."},
        {"ACME\tCorp.", "acme corp."},
        {"STRASSE", "strasse"},
        {"Stra\xc3\x9f"
         "e",
         "strasse"},
        {"\xc3\x89"
         "COLE",
         "\xc3\xa9"
         "cole"},
        {"E\xcc\x81"
         "COLE",
         "\xc3\xa9"
         "cole"},
        {"\xef\xbc\xa1\xef\xbc\xa3\xef\xbc\xad\xef\xbc\xa5", "acme"}, /* full-width letters */
        {"ac\xc2\xadme", "acme"},                                     /* soft hyphen */
        {"a\xc2\xa0\xe2\x80\x83"
         "b",
         "a b"},                                                  /* no-break and em space */
        {"\xd0\x9e\xd0\x9e\xd0\x9e", "\xd0\xbe\xd0\xbe\xd0\xbe"}, /* Cyrillic */
        {"   ", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_done) struct buf b = {0};
        text_fold(&b, str_of(cases[i].in));
        assert_buf(b, cases[i].out);
    }
}

static void fold_appends_behind_what_is_there(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = {0};
    buf_text_add(&b, "k:");
    text_fold(&b, STR("A  B"));
    text_fold(&b, STR("C"));
    assert_buf(b, "k:a bc");
}

static void phone_numbers_reduce_to_digits(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = {0};
    phone_digits(&b, STR(" +7 (987) 392-58-88"));
    assert_buf(b, "+79873925888");
    buf_clear(&b);
    phone_digits(&b, STR("(+49) 30+1"));
    assert_buf(b, "+49301");
    buf_clear(&b);
    phone_digits(&b, STR("call me"));
    assert_buf(b, "");
}

/* A caller is looked up by the last 9 digits, however the number is written. proves: S3-62 */
static void phone_lookup_takes_the_last_nine_digits(void **state)
{
    (void)state;
    static const char *const same[] = {"987392588",           "+380987392588",        "0 (98) 739-25-88",
                                       "tel:+380-98-7392588", "+380987392588;ext=12", "0987392588 x12",
                                       "0987392588 ext. 7"};
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        int64_t key = 0;
        assert_true(phone_last9(str_of(same[i]), &key));
        assert_int_equal(key, 987392588);
    }
    int64_t key = 5;
    assert_true(phone_last9(STR("1000000012"), &key));
    assert_int_equal(key, 12); /* leading zeros of the nine vanish in the number, the same on both sides */
    key = 5;
    assert_false(phone_last9(STR("98739258"), &key));
    assert_false(phone_last9(STR(""), &key));
    assert_int_equal(key, 5);
}

static void what_people_type_finds_names(void **state)
{
    (void)state;
    static const struct {
        const char *text, *plain;
    } cases[] = {{"Dvo\u0159\u00e1k-\u0141ucka", "dvorak lucka"},
                 {" Ember  Foods GmbH. ", "ember foods gmbh"},
                 {"O'Brien", "obrien"},
                 {"Stra\u00dfe", "strasse"},
                 {"S\u00f8ren \u00c6rø", "soren aero"},
                 {"...", ""},
                 {"", ""},
                 {"\u041f\u0451\u0442\u0440", "\u043f\u0435\u0442\u0440"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_done) struct buf b = {0};
        text_plain(&b, str_of(cases[i].text));
        assert_buf(b, cases[i].plain);
    }
    assert_true(text_has_words(STR("giulia kowalczyk"), STR("kowal giu")));
    assert_true(text_has_words(STR("ember foods gmbh"), STR("ember foods")));
    assert_false(text_has_words(STR("ember foods gmbh"), STR("ember goods")));
    assert_false(text_has_words(STR("ember"), STR("ember foods")));
    assert_false(text_has_words(STR("ember"), STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_only_strict_utf8),
        cmocka_unit_test(finds_the_bad_byte_at_every_offset),
        cmocka_unit_test(counts_and_cuts_whole_characters),
        cmocka_unit_test(canonical_text),
        cmocka_unit_test(bytes_that_are_not_utf8_pass_unchanged),
        cmocka_unit_test(match_keys_ignore_case_blanks_and_form),
        cmocka_unit_test(fold_appends_behind_what_is_there),
        cmocka_unit_test(phone_numbers_reduce_to_digits),
        cmocka_unit_test(phone_lookup_takes_the_last_nine_digits),
        cmocka_unit_test(what_people_type_finds_names),
    };
    return cmocka_run_group_tests_name("base_unicode", tests, NULL, NULL);
}
