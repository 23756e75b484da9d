/* Sealing under a passphrase. */
#include "passphrase.h"

#include <string.h>

#include "seal.h"
#include "unit/unit.h"

static void what_was_sealed_comes_back_with_the_same_words_only(void **state)
{
    (void)state;
    AUTO(passphrase_box_done) struct passphrase_box box = {.ops = 0};
    AUTO(buf_wipe) struct buf out = {0};
    struct err e = {0};
    assert_int_equal(passphrase_seal(&box, STR("short"), STR("x"), &e), E_USAGE);
    assert_int_equal(passphrase_seal(&box, STR("long enough"), STR("the key"), &e), TL_OK);
    assert_null(strstr(buf_text(&box.box), "the key"));
    assert_int_equal(passphrase_open(&out, STR("long enough"), &box, &e), TL_OK);
    assert_true(str_is(buf_lent(&out), "the key"));
    assert_int_equal(passphrase_open(&out, STR("long enough!"), &box, &e), TL_E_DENIED);
    box.box.p[3] = box.box.p[3] == 'A' ? 'B' : 'A';
    assert_int_equal(passphrase_open(&out, STR("long enough"), &box, &e), TL_E_DENIED);
}

/* A file from elsewhere makes us neither use all memory nor run for ever. */
static void limits_of_a_file_are_checked(void **state)
{
    (void)state;
    AUTO(passphrase_box_done) struct passphrase_box box = {.ops = 0};
    AUTO(buf_wipe) struct buf out = {0};
    struct err e = {0};
    assert_int_equal(passphrase_seal(&box, STR("long enough"), STR("the key"), &e), TL_OK);
    long long memory = box.memory;
    box.memory = (long long)1 << 40;
    assert_int_equal(passphrase_open(&out, STR("long enough"), &box, &e), TL_E_INVALID);
    box.memory = memory;
    box.ops = 1000000;
    assert_int_equal(passphrase_open(&out, STR("long enough"), &box, &e), TL_E_INVALID);
    box.ops = 0;
    assert_int_equal(passphrase_open(&out, STR("long enough"), &box, &e), TL_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_comes_back_with_the_same_words_only),
        cmocka_unit_test(limits_of_a_file_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
