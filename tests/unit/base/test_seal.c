#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seal.h"
#include "unit/unit.h"

static char dir[] = "/tmp/tieline-seal-XXXXXX";
static char path[64];

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/key", dir);
    return 0;
}

static int drop_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void write_key(const char *text, size_t n, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void a_made_key_loads_and_is_not_overwritten(void **state)
{
    (void)state;
    struct err e = {0};
    struct seal_key a, b;
    struct stat st;
    unlink(path);
    assert_int_equal(seal_key_create(path, &e), TL_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0400);
    assert_int_equal(seal_key_load(&a, path, &e), TL_OK);
    assert_int_equal(seal_key_load(&b, path, &e), TL_OK);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(seal_key_create(path, &e), E_EXISTS);
    seal_key_wipe(&a);
    for (size_t i = 0; i < sizeof a; i++)
        assert_int_equal(((uint8_t *)&a)[i], 0);
}

static void keys_are_raw_bytes_or_hex(void **state)
{
    (void)state;
    struct err e = {0};
    struct seal_key raw, hex;
    write_key("0123456789abcdef0123456789ABCDEF", 32, 0400);
    assert_int_equal(seal_key_load(&raw, path, &e), TL_OK);
    write_key("3031323334353637383961626364656630313233343536373839414243444546\n", 65, 0600);
    assert_int_equal(seal_key_load(&hex, path, &e), TL_OK);
    assert_memory_equal(&raw, &hex, sizeof raw);
}

static void poor_key_files_are_refused(void **state)
{
    (void)state;
    struct seal_key k;
    memset(&k, 0x55, sizeof k);
    struct seal_key before = k;
    static const char *const bad[] = {"", "short", "303132333435363738396162636465663031323334353637383941424344454\n",
                                      "zz31323334353637383961626364656630313233343536373839414243444546"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};
        write_key(bad[i], strlen(bad[i]), 0400);
        assert_int_equal(seal_key_load(&k, path, &e), TL_E_CONFIG);
        assert_non_null(strstr(e.hint, "64 hex digits"));
    }
    struct err e = {0};
    write_key("0123456789abcdef0123456789ABCDEF", 32, 0440);
    assert_int_equal(seal_key_load(&k, path, &e), TL_E_CONFIG);
    assert_non_null(strstr(e.text, "mode 0440"));
    unlink(path);
    assert_int_equal(seal_key_load(&k, path, &e), TL_E_NOT_FOUND);
    assert_int_equal(symlink("/dev/zero", path), 0);
    assert_int_equal(seal_key_load(&k, path, &e), TL_E_DENIED);
    assert_int_equal(seal_key_load(&k, dir, &e), TL_E_CONFIG);
    assert_memory_equal(&k, &before, sizeof k); /* untouched */
}

static struct seal_key key_of(uint8_t byte)
{
    struct seal_key k;
    char text[32];
    struct err e = {0};
    memset(text, byte, sizeof text);
    write_key(text, sizeof text, 0400);
    assert_int_equal(seal_key_load(&k, path, &e), TL_OK);
    return k;
}

static void seals_and_unseals(void **state)
{
    (void)state;
    struct seal_key k = key_of(1);
    static const str secrets[] = {{"hunter2", 7}, {"", 0}, {"with\0nul", 8}};
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        AUTO(buf_done) struct buf blob = {0};
        AUTO(buf_wipe) struct buf back = {0};
        struct err e = {0};
        seal(&blob, &k, STR("endpoint/1/refresh_token"), secrets[i]);
        assert_null(secrets[i].n ? memmem(blob.p, blob.n, secrets[i].p, secrets[i].n) : NULL);
        assert_int_equal(unseal(&back, &k, STR("endpoint/1/refresh_token"), buf_lent(&blob), &e), TL_OK);
        assert_true(str_eq(buf_lent(&back), secrets[i]));
    }
    AUTO(buf_done) struct buf a = {0};
    AUTO(buf_done) struct buf b = {0};
    seal(&a, &k, STR("x"), STR("same"));
    seal(&b, &k, STR("x"), STR("same"));
    assert_false(str_eq(buf_lent(&a), buf_lent(&b))); /* a fresh nonce each time */
}

static void a_blob_cannot_be_moved_changed_or_opened_with_another_key(void **state)
{
    (void)state;
    struct seal_key k = key_of(1), other = key_of(2);
    AUTO(buf_done) struct buf blob = {0};
    AUTO(buf_wipe) struct buf out = {0};
    buf_text_add(&out, "before");
    seal(&blob, &k, STR("endpoint/1/token"), STR("hunter2"));

    struct err e = {0};
    assert_int_equal(unseal(&out, &k, STR("endpoint/2/token"), buf_lent(&blob), &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "moved here from another place"));
    assert_int_equal(unseal(&out, &other, STR("endpoint/1/token"), buf_lent(&blob), &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "another key"));
    for (size_t i = 0; i < blob.n; i++) {
        blob.p[i] ^= 1;
        assert_int_equal(unseal(&out, &k, STR("endpoint/1/token"), buf_lent(&blob), &e), TL_E_DENIED);
        blob.p[i] ^= 1;
        assert_int_equal(unseal(&out, &k, STR("endpoint/1/token"), str_n(blob.p, i), &e), TL_E_DENIED);
    }
    assert_buf(out, "before"); /* untouched by every failure */
    assert_null(strstr(e.text, "hunter2"));
    assert_int_equal(unseal(&out, &k, STR("endpoint/1/token"), buf_lent(&blob), &e), TL_OK);
    assert_buf(out, "beforehunter2");
}

/* Stamps are written into other people's systems: the value must never change between versions. */
static void stamps_are_stable(void **state)
{
    (void)state;
    uint8_t key[32];
    for (uint8_t i = 0; i < 32; i++)
        key[i] = i;
    char out[27];
    struct stamp_key k;
    stamp_key_init(&k, key);
    stamp_hash(out, &k, (str[]){STR("org-1"), STR("contact"), STR("4876")}, 3);
    assert_string_equal(out, "ou4brubsf4b6mzae37oucyvuyp"); /* keyed BLAKE2b-256 over le64 length and bytes of each
                                                               part, by Python's hashlib */
}

/* Longer than what is hashed at once, at every place; values by Python's hashlib too. */
static void stamps_of_long_parts(void **state)
{
    (void)state;
    uint8_t key[32];
    for (uint8_t i = 0; i < 32; i++)
        key[i] = i;
    char x[600], out[27];
    memset(x, 'x', sizeof x);
    struct stamp_key k;
    stamp_key_init(&k, key);
    stamp_hash(out, &k, (str[]){str_n(x, 600), STR("middle"), str_n(x, 100)}, 3);
    assert_string_equal(out, "wawqlpxp4duuworef37s63clry");
    stamp_hash(out, &k, (str[]){str_n(x, 400), str_n(x, 400), STR("y")}, 3);
    assert_string_equal(out, "23ql6m5ymip3tbgugkl4utm5f5");
    stamp_hash(out, &k, (str[]){str_n(x, 496), str_n(x, 1), {0}}, 3);
    assert_string_equal(out, "4x4oxdnfumqxtktc7cwrqhsojm");
}

static void stamps_tell_parts_apart(void **state)
{
    (void)state;
    uint8_t key[32] = {0}, key2[32] = {1};
    char a[27], b[27], c[27], d[27];
    struct stamp_key k, k2;
    stamp_key_init(&k, key);
    stamp_key_init(&k2, key2);
    stamp_hash(a, &k, (str[]){STR("ab"), STR("c")}, 2);
    stamp_hash(b, &k, (str[]){STR("a"), STR("bc")}, 2);
    stamp_hash(c, &k, (str[]){STR("ab"), STR("c"), STR("")}, 3);
    stamp_hash(d, &k2, (str[]){STR("ab"), STR("c")}, 2);
    assert_string_not_equal(a, b);
    assert_string_not_equal(a, c);
    assert_string_not_equal(a, d);
    assert_int_equal(strlen(a), 26);
    assert_int_equal(strspn(a, "abcdefghijklmnopqrstuvwxyz234567"), 26);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_made_key_loads_and_is_not_overwritten),
        cmocka_unit_test(keys_are_raw_bytes_or_hex),
        cmocka_unit_test(poor_key_files_are_refused),
        cmocka_unit_test(seals_and_unseals),
        cmocka_unit_test(a_blob_cannot_be_moved_changed_or_opened_with_another_key),
        cmocka_unit_test(stamps_are_stable),
        cmocka_unit_test(stamps_of_long_parts),
        cmocka_unit_test(stamps_tell_parts_apart),
    };
    return cmocka_run_group_tests_name("base_seal", tests, make_dir, drop_dir);
}
