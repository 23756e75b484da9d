/* Settings of a link, default maps, the check before anything runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "linkset.h"
#include "records.h"

#define FIELD(p, t, ...)                                                                                               \
    {                                                                                                                  \
        .struct_size = sizeof(tl_field), .type = (t), .path = {(p), sizeof(p) - 1}, .name = {(p), sizeof(p) - 1},      \
        .label = {(p), sizeof(p) - 1}, __VA_ARGS__                                                                     \
    }

static tl_kind kind(const tl_field *fields, uint32_t n)
{
    return (tl_kind){.struct_size = sizeof(tl_kind), .n_fields = n, .field_stride = sizeof(tl_field), .fields = fields};
}

static const tl_field desk[] = {FIELD("last_name", TL_TEXT, .flags = TL_F_REQUIRED, .max = 100),
                                FIELD("email", TL_EMAIL, .max = 100),
                                FIELD("account", TL_REF, .refers_to = TL_STR("account")),
                                FIELD("owner", TL_REF, .refers_to = TL_STR("user")),
                                FIELD("x.size", TL_TEXT, .flags = TL_F_CUSTOM),
                                FIELD("mobile", TL_PHONE, .flags = TL_F_READONLY)};
static const tl_field sales[] = {FIELD("last_name", TL_TEXT, .flags = TL_F_REQUIRED, .max = 80),
                                 FIELD("email", TL_EMAIL, .max = 80),
                                 FIELD("account", TL_REF, .refers_to = TL_STR("account")),
                                 FIELD("owner", TL_REF, .refers_to = TL_STR("user")),
                                 FIELD("x.size", TL_INT, .flags = TL_F_CUSTOM),
                                 FIELD("mobile", TL_PHONE, .flags = TL_F_READONLY),
                                 FIELD("birthday", TL_DATE)};

/* proves: S1-11 */
static void defaults(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    tl_kind ka = kind(desk, ARRAY_LEN(desk)), kb = kind(sales, ARRAY_LEN(sales));
    struct map_row *rows = NULL;
    size_t n = map_defaults(&ka, &kb, STR("contact,account"), &a, &rows);
    /* Not: owner (no link for users), x.size (never by default), mobile (nobody may write it), birthday (one side
     * only). */
    assert_int_equal(n, 3);
    assert_true(str_is(rows[0].a_path, "last_name") && str_is(rows[1].a_path, "email") &&
                str_is(rows[2].a_path, "account"));
    assert_true(rows[0].is_default && rows[0].dir == MAP_BOTH);
    assert_int_equal(map_defaults(&ka, &kb, STR("contact"), &a, &rows), 2);
}

static bool has(const struct map_finding *f, size_t n, const char *code, int level)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(f[i].code, code) && f[i].level == level)
            return true;
    return false;
}

static void checks(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    tl_kind ka = kind(desk, ARRAY_LEN(desk)), kb = kind(sales, ARRAY_LEN(sales));
    struct link_settings s;
    struct map_finding *f = NULL;
    link_settings_init(&s);
    struct map_row rows[] = {{.a_path = STR("x.size"), .b_path = STR("x.size")},
                             {.a_path = STR("email"), .b_path = STR("email")},
                             {.a_path = STR("gone"), .b_path = STR("email")},
                             {.a_path = STR("owner"), .b_path = STR("owner")}};
    size_t n = map_check(rows, ARRAY_LEN(rows), &ka, &kb, &s, STR("contact"), &a, &f);
    assert_true(has(f, n, "TYPE_MISMATCH", TL_WARN));
    assert_true(has(f, n, "TOO_LONG", TL_WARN));
    assert_true(has(f, n, "SCHEMA_DRIFT", TL_ERROR));
    assert_true(has(f, n, "REF_UNRESOLVED", TL_ERROR));
    assert_true(has(f, n, "REQUIRED_MISSING", TL_ERROR));
    struct map_row good[] = {{.a_path = STR("last_name"), .b_path = STR("last_name"), .dir = MAP_B2A}};
    s.direction = LINK_B2A;
    n = map_check(good, 1, &ka, &kb, &s, STR("contact"), &a, &f);
    assert_false(has(f, n, "REQUIRED_MISSING", TL_ERROR));
    assert_false(has(f, n, "TOO_LONG", TL_WARN));
    assert_false(has(f, n, "STAMP_FIELD", TL_ERROR));
    kb.stamp_field = TL_STR("last_name");
    n = map_check(good, 1, &ka, &kb, &s, STR("contact"), &a, &f);
    assert_true(has(f, n, "STAMP_FIELD", TL_ERROR));
    kb.stamp_field = TL_STR("");
    assert_true(has(f, n, "REF_NOT_MAPPED", TL_INFO)); /* no link for it */
    n = map_check(good, 1, &ka, &kb, &s, STR("contact,user"), &a, &f);
    assert_true(has(f, n, "REF_NOT_MAPPED", TL_WARN));
    assert_int_equal(map_check(good, 0, &ka, &kb, &s, STR(""), &a, &f) > 0, 1);
    assert_false(has(f, map_check(good, 1, &ka, &kb, &s, STR(""), &a, &f), "MATCH_UNKNOWN", TL_ERROR));
    s.match = STR("birthday"); /* side b alone has it */
    assert_true(has(f, map_check(good, 1, &ka, &kb, &s, STR(""), &a, &f), "MATCH_UNKNOWN", TL_ERROR));
}

/* proves: S1-12 S1-13 S1-19 S1-20 S2-29 */
static void settings(void **state)
{
    (void)state;
    struct link_settings s;
    struct err e = {0};
    link_settings_init(&s);
    assert_int_equal(s.direction, LINK_BOTH);
    assert_int_equal(s.policy, POLICY_NEWEST);
    assert_int_equal(link_setting_apply(&s, STR("direction"), STR("b2a"), &e), TL_OK);
    assert_int_equal(s.direction, LINK_B2A);
    assert_int_equal(link_setting_apply(&s, STR("every"), STR("5m"), &e), TL_OK);
    assert_int_equal(link_setting_apply(&s, STR("created_within"), STR("off"), &e), TL_OK);
    assert_int_equal(s.created_within_us, 0);
    assert_int_equal(link_setting_apply(&s, STR("policy"), STR("oldest"), &e), E_USAGE);
    assert_string_equal(e.text, "policy = oldest: must be one of newest,a,b,manual");
    assert_int_equal(link_setting_apply(&s, STR("directon"), STR("both"), &e), E_USAGE);
    assert_non_null(strstr(e.hint, "direction"));
    assert_int_equal(link_setting_apply(&s, STR("quiet"), STR("off"), &e), TL_OK); /* as the file may say it */
    assert_false(s.quiet);
    assert_int_equal(link_setting_apply(&s, STR("every"), STR("8d"), &e), E_USAGE); /* bounds of the file */
    assert_int_equal(link_setting_apply(&s, STR("max_changes"), STR("200%"), &e), E_USAGE);
    assert_int_equal(link_setting_apply(&s, STR("quiet_hours"), STR("25:00-08:00"), &e), E_USAGE);
    assert_true(str_starts(str_of(e.text), STR("quiet_hours = 25:00-08:00: ")));
    assert_true(str_is(match_path_of(STR("contact")), "email"));
    assert_true(str_is(match_path_of(STR("account")), "name"));
    assert_true(str_is(match_path_of(STR("product")), "name"));
    assert_int_equal(match_lookup_kind(STR("email")), LOOKUP_EMAIL);
    assert_int_equal(match_lookup_kind(STR("off")), 0);
}

/* A field outlives the description it was read from, and so do the columns of its rows. */
static void a_copy_has_columns_of_its_own(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena there = {0};
    AUTO(arena_done) struct arena here = {0};
    tl_field *columns = arena_array(&there, tl_field, 2);
    columns[0] = (tl_field){.struct_size = sizeof *columns, .type = TL_TEXT, .path = arena_str(&there, STR("name"))};
    columns[1] = (tl_field){.struct_size = sizeof *columns, .type = TL_DECIMAL, .path = arena_str(&there, STR("rate"))};
    const tl_field rows = {.struct_size = sizeof rows,
                           .type = TL_ROWS,
                           .path = arena_str(&there, STR("lines")),
                           .n_columns = 2,
                           .column_stride = sizeof *columns,
                           .columns = columns};
    tl_field copy = field_copy(&rows, &here), bare = field_bare(&rows, &here);
    memset(columns, 0xff, 2 * sizeof *columns);
    arena_done(&there);
    assert_int_equal(copy.n_columns, 2);
    assert_true(str_is(copy.columns[1].path, "rate"));
    assert_true(str_is(bare.columns[0].path, "name"));
    assert_int_equal(bare.columns[1].type, TL_DECIMAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(defaults), cmocka_unit_test(checks), cmocka_unit_test(settings),
                                       cmocka_unit_test(a_copy_has_columns_of_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
