/* Tokens of our own API: what is kept of them, and how long. */
#include "rig.h"
#include "tokens.h"

#define DAY INT64_C(86400000000)

static int64_t add(struct rig *r, const char *secret, int64_t ttl_us)
{
    struct api_token t = {.name = STR("prometheus"),
                          .scopes = 6,
                          .made_by = STR("uid 0 (root)"),
                          .expires_us = env_now_us(&r->sim.env) + ttl_us};
    assert_int_equal_ok(api_token_add(r->db, &t, str_of(secret), &r->e), &r->e, __FILE__, __LINE__);
    assert_true(t.token > 0 && t.made_us == env_now_us(&r->sim.env));
    return t.token;
}

/* 46 characters that hold 256 bits, each of another making. */
static void every_token_is_another(void **state)
{
    struct rig *r = *state;
    char one[API_TOKEN_CHARS + 1], two[API_TOKEN_CHARS + 1];
    bool seen[128] = {false};
    int letters = 0;
    for (int i = 0; i < 200; i++) {
        api_token_make(&r->sim.env, one);
        api_token_make(&r->sim.env, two);
        assert_string_not_equal(one, two);
        assert_true(api_token_is_one(str_of(one)));
        for (const char *p = one + 3; *p; p++) {
            letters += !seen[(unsigned char)*p];
            seen[(unsigned char)*p] = true;
        }
    }
    assert_int_equal(letters, 62);
    assert_false(api_token_is_one(STR("")));
    assert_false(api_token_is_one(STR("tl_")));
    one[10] = '-';
    assert_false(api_token_is_one(str_of(one)));
    two[0] = 'T';
    assert_false(api_token_is_one(str_of(two)));
}

/* The number 2^256 - 1 is the largest there is, 0 the smallest: both have all their digits. */
static void fill(void *self, void *out, size_t n)
{
    memset(out, *(const int *)self, n);
}

static void the_ends_of_the_range(void **state)
{
    (void)state;
    char text[API_TOKEN_CHARS + 1];
    int byte = 0;
    const struct env env = {.self = &byte, .random = fill};
    api_token_make(&env, text);
    assert_string_equal(text, "tl_0000000000000000000000000000000000000000000");
    byte = 255;
    api_token_make(&env, text);
    assert_string_equal(text, "tl_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
}

static void only_a_hash_is_kept(void **state)
{
    struct rig *r = *state;
    char secret[API_TOKEN_CHARS + 1];
    struct api_token t = {0};
    api_token_make(&r->sim.env, secret);
    int64_t id = add(r, secret, DAY);
    rig_reopen(r);
    ok(api_token_find(r->db, &r->a, str_of(secret), &t, &r->e));
    assert_int_equal(t.token, id);
    assert_int_equal(t.scopes, 6);
    assert_str(t.name, "prometheus");
    assert_int_equal(t.endpoint, 0);
    AUTO(buf_done) struct buf sql = {0};
    buf_fmt(&sql, "SELECT count(*) FROM api_token WHERE instr(quote(hash) || name || made_by, '%s') > 0", secret + 3);
    assert_int_equal(rig_number(r, buf_text(&sql)), 0);
    assert_int_equal(rig_number(r, "SELECT length(hash) FROM api_token"), API_TOKEN_HASH_BYTES);
    secret[20] = secret[20] == 'A' ? 'B' : 'A';
    assert_int_equal(api_token_find(r->db, &r->a, str_of(secret), &t, &r->e), TL_E_NOT_FOUND);
}

static void a_token_is_revoked_once(void **state)
{
    struct rig *r = *state;
    struct api_token t = {0}, *list = NULL;
    size_t n = 0;
    int64_t first = add(r, "first", DAY), second = add(r, "second", DAY);
    ok(api_token_revoke(r->db, first, &r->e));
    assert_int_equal(api_token_revoke(r->db, first, &r->e), TL_E_NOT_FOUND);
    assert_int_equal(api_token_revoke(r->db, 99, &r->e), TL_E_NOT_FOUND);
    ok(api_token_find(r->db, &r->a, STR("first"), &t, &r->e)); /* so that its bearer can be told */
    assert_int_equal(t.revoked_us, RIG_START);
    ok(api_token_list(r->db, &r->a, &list, &n, &r->e));
    assert_int_equal(n, 2);
    assert_int_equal(list[0].token, second);
}

/* What ended long ago is forgotten with the next one that is made; no number comes twice. */
static void old_tokens_are_forgotten(void **state)
{
    struct rig *r = *state;
    struct api_token t = {0};
    int64_t ended = add(r, "ended", DAY), revoked = add(r, "revoked", 365 * DAY), good = add(r, "good", 365 * DAY);
    ok(api_token_revoke(r->db, revoked, &r->e));
    env_sim_advance(&r->sim, 90 * DAY);
    int64_t next = add(r, "next", DAY);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM api_token"), 4);
    env_sim_advance(&r->sim, 2 * DAY);
    assert_true(add(r, "last", DAY) > next);
    assert_int_equal(api_token_get(r->db, &r->a, ended, &t, &r->e), TL_E_NOT_FOUND);
    assert_int_equal(api_token_get(r->db, &r->a, revoked, &t, &r->e), TL_E_NOT_FOUND);
    ok(api_token_get(r->db, &r->a, good, &t, &r->e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(every_token_is_another),  UNIT(the_ends_of_the_range),    UNIT(only_a_hash_is_kept),
        UNIT(a_token_is_revoked_once), UNIT(old_tokens_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
