/* Secrets, tokens, values of connectors. (V19, Q23: no secret byte in any file) */
#include <dirent.h>
#include <stdio.h>

#include "rig.h"

#define CANARY "canary-4711-plain-secret"

/* Looks for the canary in every file of the database. */
static int files_with_canary(struct rig *r)
{
    int found = 0;
    DIR *dir = opendir(r->dir);
    assert_non_null(dir);
    for (struct dirent *d; (d = readdir(dir));) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", r->dir, d->d_name);
        FILE *f = d->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!f)
            continue;
        AUTO(buf_done) struct buf all = {0};
        char bytes[4096];
        for (size_t n; (n = fread(bytes, 1, sizeof bytes, f)) > 0;)
            buf_add(&all, bytes, n);
        fclose(f);
        found += memmem(buf_text(&all), all.n, CANARY, strlen(CANARY)) != NULL;
    }
    closedir(dir);
    return found;
}

static void secrets_are_sealed_listed_and_removed(void **state)
{
    struct rig *r = *state;
    AUTO(buf_wipe) struct buf got = {0};
    struct secret_row *list;
    size_t n;
    ok(secret_set(r->db, STR("sf"), STR("old"), STR("uid 0"), &r->e));
    ok(secret_set(r->db, STR("sf"), STR(CANARY), STR("uid 1"), &r->e));
    ok(secret_set(r->db, STR("desk.client-secret_2"), STR("x"), STR("uid 0"), &r->e));
    assert_int_equal(files_with_canary(r), 0);
    rig_reopen(r);
    ok(secret_get(r->db, STR("sf"), &got, &r->e));
    assert_buf(got, CANARY);
    ok(secret_list(r->db, &r->a, &list, &n, &r->e));
    assert_int_equal(n, 2);
    assert_str(list[1].name, "sf");
    assert_str(list[1].who, "uid 1");
    ok(secret_rm(r->db, STR("sf"), &r->e));
    assert_int_equal(secret_rm(r->db, STR("sf"), &r->e), TL_E_NOT_FOUND);
    buf_clear(&got);
    assert_int_equal(secret_get(r->db, STR("sf"), &got, &r->e), TL_E_NOT_FOUND);
}

static void bad_names_and_values_are_refused(void **state)
{
    struct rig *r = *state;
    static const char *const names[] = {"", "a b", "a/b", "\xc3\xa4",
                                        "12345678901234567890123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(secret_set(r->db, str_of(names[i]), STR("x"), STR("me"), &r->e), E_USAGE);
    assert_int_equal(secret_set(r->db, STR("empty"), (str){0}, STR("me"), &r->e), TL_E_INVALID);
}

static void a_sealed_blob_cannot_be_moved(void **state)
{
    struct rig *r = *state;
    AUTO(buf_wipe) struct buf got = {0};
    ok(secret_set(r->db, STR("one"), STR(CANARY), STR("me"), &r->e));
    ok(secret_set(r->db, STR("two"), STR("other"), STR("me"), &r->e));
    rig_sql(r, "UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE name = 'one') WHERE name = 'two'");
    assert_int_equal(secret_get(r->db, STR("two"), &got, &r->e), TL_E_DENIED);
    assert_int_equal(got.n, 0);
}

static void another_key_opens_nothing_and_no_key_is_said(void **state)
{
    struct rig *r = *state;
    AUTO(buf_wipe) struct buf got = {0};
    ok(secret_set(r->db, STR("sf"), STR(CANARY), STR("me"), &r->e));
    r->key.bytes[0] ^= 1;
    r->key.id[0] ^= 1;
    rig_reopen(r);
    assert_int_equal(secret_get(r->db, STR("sf"), &got, &r->e), TL_E_DENIED);
    r->options.key = NULL;
    rig_reopen(r);
    assert_int_equal(secret_get(r->db, STR("sf"), &got, &r->e), TL_E_CONFIG);
    assert_non_null(strstr(r->e.hint, "--make-key"));
    assert_int_equal(secret_set(r->db, STR("x"), STR("y"), STR("me"), &r->e), TL_E_CONFIG);
    struct token t = {0};
    assert_int_equal(token_put(r->db, r->endpoint[0], &t, &r->e), TL_E_CONFIG);
    assert_int_equal(webhook_ensure(r->db, r->endpoint[0], &got, &r->e), TL_E_CONFIG);
}

static void a_token_is_replaced_by_its_successor_only(void **state)
{
    struct rig *r = *state;
    AUTO(token_done) struct token t = {.expires_us = 99};
    AUTO(token_done) struct token late = {0};
    AUTO(token_done) struct token got = {0};
    buf_text_add(&t.access, CANARY);
    buf_text_add(&t.refresh, "refresh-" CANARY);
    buf_text_add(&t.extras, "{\"instance_url\":\"https://x\"}");
    assert_int_equal(token_get(r->db, r->endpoint[0], &got, &r->e), TL_E_NOT_FOUND);
    ok(token_put(r->db, r->endpoint[0], &t, &r->e));
    assert_int_equal(t.generation, 1);
    assert_int_equal(files_with_canary(r), 0);
    assert_int_equal(token_put(r->db, r->endpoint[0], &late, &r->e), TL_E_CONFLICT); /* based on no token */
    rig_reopen(r);
    ok(token_get(r->db, r->endpoint[0], &got, &r->e));
    assert_buf(got.access, CANARY);
    assert_buf(got.refresh, "refresh-" CANARY);
    assert_buf(got.extras, "{\"instance_url\":\"https://x\"}");
    assert_int_equal(got.expires_us, 99);
    assert_int_equal(got.generation, 1);
    assert_int_equal(got.put_us, RIG_START);
    ok(token_put(r->db, r->endpoint[0], &got, &r->e));
    assert_int_equal(got.generation, 2);
    assert_int_equal(token_get(r->db, r->endpoint[1], &late, &r->e), TL_E_NOT_FOUND);
    ok(token_rm(r->db, r->endpoint[0], &r->e));
    assert_int_equal(token_get(r->db, r->endpoint[0], &late, &r->e), TL_E_NOT_FOUND);
}

static void connectors_keep_small_values(void **state)
{
    struct rig *r = *state;
    AUTO(buf_done) struct buf got = {0};
    char *big = calloc(1, KV_VALUE_MAX + 1);
    int64_t e0 = r->endpoint[0];
    ok(kv_set(r->db, e0, STR("cursor"), STR("v1"), &r->e));
    ok(kv_set(r->db, e0, STR("cursor"), STR("v2"), &r->e));
    rig_reopen(r);
    ok(kv_get(r->db, e0, STR("cursor"), &got, &r->e));
    assert_buf(got, "v2");
    assert_int_equal(kv_get(r->db, r->endpoint[1], STR("cursor"), &got, &r->e), TL_E_NOT_FOUND);
    assert_int_equal(kv_set(r->db, e0, STR("big"), str_n(big, KV_VALUE_MAX + 1), &r->e), TL_E_INVALID);
    assert_int_equal(kv_set(r->db, e0, (str){0}, STR("v"), &r->e), TL_E_INVALID);
    int stored = 0;
    for (; stored < 20; stored++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", stored);
        if (kv_set(r->db, e0, str_of(key), str_n(big, KV_VALUE_MAX), &r->e) != TL_OK)
            break;
    }
    assert_int_equal(stored, 15); /* 16 x 64 KiB and their keys are more than 1 MiB */
    ok(kv_set(r->db, e0, STR("k3"), str_n(big, KV_VALUE_MAX), &r->e)); /* replacing is no growth */
    ok(kv_set(r->db, e0, STR("k3"), (str){0}, &r->e));                 /* empty removes */
    assert_int_equal(kv_get(r->db, e0, STR("k3"), &got, &r->e), TL_E_NOT_FOUND);
    ok(kv_clear(r->db, e0, &r->e));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM kv"), 0);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(secrets_are_sealed_listed_and_removed),
        UNIT(bad_names_and_values_are_refused),
        UNIT(a_sealed_blob_cannot_be_moved),
        UNIT(another_key_opens_nothing_and_no_key_is_said),
        UNIT(a_token_is_replaced_by_its_successor_only),
        UNIT(connectors_keep_small_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
