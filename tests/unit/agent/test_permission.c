/* The policy alone: which rows let what be seen and done, and the words for sets of them. */
#include "unit/unit.h"

#include <stdlib.h>

#include "permission_object.h"

static const str objects[] = {{"integration", 11}, {"account", 7}, {"contact", 7}, {"invoice", 7}, {"estimate", 8}};
static const str items[] = {{"visible", 7}, {"information", 11}, {"deal", 4},  {"note", 4},
                            {"task", 4},    {"event", 5},        {"view", 4},  {"send", 4},
                            {"create", 6},  {"update", 6},       {"delete", 6}};

static struct permission row(const char *object, const char *item)
{
    return (struct permission){str_of(object), str_of(item)};
}

static bool may(const struct grants *g, const char *object, const char *item)
{
    return permission_judge(g, str_of(object), str_of(item)).allowed;
}

static void expect(struct permission_verdict v, bool allowed, const char *object, const char *item)
{
    assert_int_equal(v.allowed, allowed);
    assert_str(v.object, object);
    assert_str(v.item, item);
}

/* Deny without a row, and the row that is named is the first one missing. proves: S1-30 S1-31 S4-20 S4-21 S4-22 */
static void nothing_is_granted_without_a_row(void **state)
{
    (void)state;
    const struct grants none = {0};
    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        for (size_t k = 0; k < ARRAY_LEN(items); k++)
            assert_false(permission_judge(&none, objects[i], items[k]).allowed);
    struct permission rows[] = {row("integration", "visible"), row("contact", "visible"), row("contact", "deal")};
    struct grants g = {rows, 0};
    expect(permission_judge(&g, STR("contact"), STR("deal")), false, "integration", "visible");
    g.n = 1;
    expect(permission_judge(&g, STR("contact"), STR("deal")), false, "contact", "visible");
    g.n = 2;
    expect(permission_judge(&g, STR("contact"), STR("deal")), false, "contact", "deal");
    g.n = 3;
    expect(permission_judge(&g, STR("contact"), STR("deal")), true, "contact", "deal");
    expect(permission_judge(&g, STR("account"), STR("deal")), false, "account", "visible");
    g = (struct grants){rows + 1, 2}; /* the integration as a whole is hidden */
    assert_false(may(&g, "contact", "deal"));
    assert_false(may(&g, "contact", "visible"));
}

/* Whatever rows there are: what is allowed has all its gates, what is denied names a row that is missing, and one row
 * less never allows more. */
static void every_set_of_rows_keeps_the_rules(void **state)
{
    (void)state;
    enum { ROUNDS = 4000 };
    struct env_sim sim;
    env_sim_init(&sim, 5, 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct permission rows[ARRAY_LEN(objects) * ARRAY_LEN(items)];
        struct grants g = {rows, 0};
        for (size_t i = 0; i < ARRAY_LEN(objects); i++)
            for (size_t k = 0; k < ARRAY_LEN(items); k++)
                if (env_random_below(&sim.env, 4))
                    rows[g.n++] = (struct permission){objects[i], items[k]};
        str object = objects[env_random_below(&sim.env, ARRAY_LEN(objects))];
        str item = items[env_random_below(&sim.env, ARRAY_LEN(items))];
        struct permission_verdict v = permission_judge(&g, object, item);
        bool there = false, visible = false, whole = false;
        for (size_t i = 0; i < g.n; i++) {
            there |= str_eq(rows[i].object, v.object) && str_eq(rows[i].item, v.item);
            visible |= str_eq(rows[i].object, object) && str_is(rows[i].item, "visible");
            whole |= str_is(rows[i].object, "integration") && str_is(rows[i].item, "visible");
        }
        assert_int_equal(v.allowed, there);
        assert_true(!v.allowed || (visible && whole));
        if (g.n == 0 || v.allowed)
            continue;
        rows[env_random_below(&sim.env, g.n)] = rows[g.n - 1];
        g.n--;
        assert_false(permission_judge(&g, object, item).allowed);
    }
}

/* Light agents see the person, notes and activities, and no opportunities. proves: S1-28 S1-33 S1-34 S1-35 S1-36 */
static void a_light_agent_without_opportunities(void **state)
{
    (void)state;
    const struct permission rows[] = {row("integration", "visible"), row("contact", "visible"),
                                      row("contact", "information"), row("contact", "note"),
                                      row("contact", "task"),        row("contact", "event")};
    const struct grants g = {rows, ARRAY_LEN(rows)};
    assert_true(may(&g, "contact", "information"));
    assert_true(may(&g, "contact", "note"));
    assert_true(may(&g, "contact", "task"));
    assert_true(may(&g, "contact", "event"));
    assert_false(may(&g, "contact", "deal"));
    assert_false(may(&g, "contact", "update"));
}

static void actions_need_all_their_rights(void **state)
{
    (void)state;
    const struct permission rows[] = {row("integration", "visible"), row("estimate", "visible"),
                                      row("estimate", "create"), row("estimate", "update"), row("estimate", "view")};
    struct grants g = {rows, ARRAY_LEN(rows)};
    const uint32_t status = TL_RIGHT_CREATE | TL_RIGHT_UPDATE;
    assert_true(permission_judge_action(&g, STR("estimate"), status).allowed);
    assert_true(permission_judge_action(&g, STR("estimate"), TL_RIGHT_VIEW).allowed);
    expect(permission_judge_action(&g, STR("estimate"), status | TL_RIGHT_SEND), false, "estimate", "send");
    expect(permission_judge_action(&g, STR("estimate"), TL_RIGHT_DELETE), false, "estimate", "delete");
    assert_false(permission_judge_action(&g, STR("estimate"), 1u << 20).allowed);
    assert_false(permission_judge_action(&g, STR("invoice"), 0).allowed);
    g.n--; /* what may not be seen may not be changed */
    expect(permission_judge_action(&g, STR("estimate"), status), false, "estimate", "view");
    expect(permission_judge(&g, STR("estimate"), STR("create")), false, "estimate", "view");
}

/* ---- Words for sets ---- */

static struct permission_object object(enum permission_sort sort)
{
    struct permission_object panel = {
        .name = STR("contact"),
        .sort = sort,
        .items = {STR("visible"), STR("information"), STR("deal"), STR("note"), STR("send")},
        .n = 5,
        .full = 15};
    struct permission_object document = {
        .name = STR("estimate"),
        .sort = sort,
        .items = {STR("visible"), STR("view"), STR("send"), STR("create"), STR("update"), STR("delete")},
        .n = 6,
        .full = 31};
    return sort == PERMISSION_PANEL ? panel : document;
}

static uint64_t wish(const struct permission_object *o, const char *words, uint64_t before)
{
    struct err e = {0};
    uint64_t set = 0;
    if (permission_wish(o, str_of(words), before, &set, &e))
        fail_msg("%s: %s", words, e.text);
    return set;
}

/* The four levels, and nothing of one in another. proves: S4-23 S4-24 S4-25 S4-26 S4-27 */
static void levels_of_documents(void **state)
{
    (void)state;
    const struct permission_object o = object(PERMISSION_DOCUMENT);
    static const struct {
        const char *level;
        uint64_t set; /* visible view send create update delete, from the lowest bit */
    } cases[] = {{"view", 3}, {"view-send", 7}, {"view-create-update", 27}, {"all", 31}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(wish(&o, cases[i].level, 63), cases[i].set);
        assert_string_equal(permission_access(&o, cases[i].set), cases[i].level);
    }
    assert_int_equal(wish(&o, "none", 63), 0);
    assert_string_equal(permission_access(&o, 62), "hidden");
    assert_string_equal(permission_access(&o, 63), "full access");
    assert_string_equal(permission_access(&o, 1), "restricted access");
    assert_int_equal(wish(&o, "create", 0), 11); /* with what it needs */
}

/* proves: S1-32 S2-41 */
static void full_and_restricted_access(void **state)
{
    (void)state;
    const struct permission_object o = object(PERMISSION_PANEL);
    assert_int_equal(wish(&o, "full", 0), 15);
    assert_string_equal(permission_access(&o, 15), "full access");
    assert_string_equal(permission_access(&o, wish(&o, "deal=off", 15)), "restricted access");
    assert_string_equal(permission_access(&o, wish(&o, "visible=off", 15)), "hidden");
    assert_int_equal(wish(&o, "visible=on", wish(&o, "visible=off", 11)), 11); /* the rest is kept */
}

static void items_are_named_or_switched(void **state)
{
    (void)state;
    const struct permission_object o = object(PERMISSION_PANEL);
    static const char *const wrong[] = {"",     "deals", "deal=", "deal=yes", "deal,note=off", "information,,x",
                                        "view", "="};
    assert_int_equal(wish(&o, " note , deal", 2), 13);
    assert_int_equal(wish(&o, "deal=off, note=on", 7), 11);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err e = {0};
        uint64_t set = 99;
        assert_int_equal(permission_wish(&o, str_of(wrong[i]), 1, &set, &e), E_USAGE);
        assert_int_equal(set, 99);
        assert_true(e.text[0] && e.hint[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_granted_without_a_row),
        cmocka_unit_test(every_set_of_rows_keeps_the_rules),
        cmocka_unit_test(a_light_agent_without_opportunities),
        cmocka_unit_test(actions_need_all_their_rights),
        cmocka_unit_test(levels_of_documents),
        cmocka_unit_test(full_and_restricted_access),
        cmocka_unit_test(items_are_named_or_switched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
