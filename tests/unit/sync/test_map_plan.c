/* The planner over transformed fields: equality by either image, lossy chains that come to rest (V4, V5, V6), values
 * that have no image, blanks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "map_rules.h"
#include "values.h"

struct fixture {
    struct arena arena;
    struct rule_field field;
    struct link_rules link;
    tl_field fa, fb;
    tl_value now[2], base[2];
    bool has[2];
    struct snapshot snap;
    struct plan plan;
};

static void open_fixture(struct fixture *f, const char *transform, const char *back, int32_t dir, uint32_t type_b)
{
    *f = (struct fixture){0};
    f->fa = (tl_field){.struct_size = sizeof f->fa, .type = TL_TEXT, .path = TL_STR("v"), .name = TL_STR("v")};
    f->fb = f->fa;
    f->fb.type = type_b;
    tl_kind kinds[2] = {{.n_fields = 1, .field_stride = sizeof f->fa, .fields = &f->fa},
                        {.n_fields = 1, .field_stride = sizeof f->fb, .fields = &f->fb}};
    const tl_kind *both[2] = {&kinds[0], &kinds[1]};
    struct map_row row = {.map_no = 1, .a_path = STR("v"), .b_path = STR("v"), .dir = dir};
    row.transform = str_of(transform);
    row.back = str_of(back);
    str lookup;
    assert_true(rule_of_row(&row, both[0], both[1], &f->arena, &f->field));
    assert_true(rule_transform(&row, LINK_BOTH, both, &f->arena, &f->field, &lookup));
    f->link = (struct link_rules){
        .policy = POLICY_NEWEST, .can = {TL_CAN_UPDATE, TL_CAN_UPDATE}, .n_fields = 1, .fields = &f->field};
}

static tl_value text(const char *t)
{
    return (tl_value){.type = *t ? TL_TEXT : TL_NULL, .u.s = str_of(t)};
}

/* Both sides as they are now, and what they had agreed on (null: never). */
static const struct plan *planned(struct fixture *f, tl_value a, tl_value b, const char *base_a, const tl_value *base_b)
{
    f->now[0] = a;
    f->now[1] = b;
    f->base[0] = text(base_a ? base_a : "");
    f->base[1] = base_b ? *base_b : text("");
    f->has[0] = f->has[1] = base_a != NULL;
    f->snap = (struct snapshot){.adopting = base_a == NULL};
    for (int s = 0; s < 2; s++)
        f->snap.side[s] = (struct snapshot_side){.state = SIDE_LIVE,
                                                 .is_b = s == 1,
                                                 .values = &f->now[s],
                                                 .base = &f->base[s],
                                                 .has_base = &f->has[s],
                                                 .modified_us = 1 + s,
                                                 .in_window = true};
    plan_pair(&f->link, &f->snap, &f->arena, &f->plan);
    return &f->plan;
}

static void writes(const struct plan *p, int target, const char *value)
{
    assert_int_equal(p->act, PLAN_UPDATE);
    assert_int_equal(p->target, target);
    assert_true(str_is(p->writes[0].u.s, value));
}

static void lossy_both_ways_comes_to_rest(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, "upper", "title", MAP_BOTH, TL_TEXT);
    tl_value agreed = text("ANN LEE");
    writes(planned(&f, text("ann lee"), text(""), "", &(tl_value){0}), 1, "ANN LEE");
    assert_int_equal(planned(&f, text("ann lee"), text("ANN LEE"), "", &(tl_value){0})->verdict[0], VERDICT_AGREE);
    /* An edit that B cannot show is agreed to, one that it can is written, and back. */
    assert_int_equal(planned(&f, text("Ann LEE"), text("ANN LEE"), "ann lee", &agreed)->verdict[0], VERDICT_AGREE);
    writes(planned(&f, text("Bob LEE"), text("ANN LEE"), "ann lee", &agreed), 1, "BOB LEE");
    writes(planned(&f, text("ann lee"), text("cid lee"), "ann lee", &agreed), 0, "Cid Lee");
    /* After that write: B's "cid lee" is not the image of "Cid Lee", but "Cid Lee" is the image of B's: quiet. */
    assert_int_equal(planned(&f, text("Cid Lee"), text("cid lee"), "ann lee", &agreed)->act, PLAN_SETTLED);
    assert_int_equal(f.plan.verdict[0], VERDICT_AGREE);
    arena_done(&f.arena);
}

static void one_way_looks_at_its_own_image_only(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, "upper", "", MAP_A2B, TL_TEXT);
    tl_value agreed = text("ANN");
    writes(planned(&f, text("bob"), text("ANN"), "ann", &agreed), 1, "BOB");
    assert_int_equal(planned(&f, text("ann"), text("Ann"), "ann", &agreed)->verdict[0], VERDICT_DRIFT);
    arena_done(&f.arena);
}

static void a_value_without_image_fails_only_when_it_would_be_written(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, "to_int", "", MAP_BOTH, TL_INT);
    tl_value seven = {.type = TL_INT, .u.i = 7}, none = {.type = TL_NULL};
    const struct plan *p = planned(&f, text("see contract"), seven, "7", &seven);
    assert_int_equal(p->act, PLAN_FAIL);
    assert_int_equal(p->reason, TL_R_TYPE_MISMATCH);
    assert_true(str_starts(p->why, STR("to_int: \"see contract\"")));
    assert_int_equal(planned(&f, text("007"), seven, "7", &seven)->verdict[0], VERDICT_AGREE);
    assert_int_equal(planned(&f, text("see contract"), none, "see contract", &none)->act, PLAN_SETTLED);
    /* Adopting: the side that has an image wins, whoever is newer. */
    f.link.policy = POLICY_A;
    writes(planned(&f, text("see contract"), seven, NULL, NULL), 0, "7");
    arena_done(&f.arena);
}

static void blanks_and_skips(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, "default(\"-\")", "", MAP_A2B, TL_TEXT);
    assert_int_equal(planned(&f, text(""), text("x"), NULL, NULL)->act, PLAN_SETTLED); /* a blank never wins */
    tl_value x = text("x");
    writes(planned(&f, text(""), text("x"), "x", &x), 1, "-");
    f.field.unless_blank = true;
    assert_int_equal(planned(&f, text(""), text("x"), "x", &x)->verdict[0], VERDICT_DRIFT);
    arena_done(&f.arena);
    open_fixture(&f, "skip(\"n/a\")", "", MAP_A2B, TL_TEXT);
    assert_int_equal(planned(&f, text("n/a"), text("x"), "x", &x)->verdict[0], VERDICT_AGREE);
    arena_done(&f.arena);
}

static void no_way_back_is_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    struct map_chains c;
    struct transform_error *e = NULL;
    bool *of_back = NULL;
    size_t n = 0;
    struct map_row row = {.dir = MAP_BOTH, .transform = STR("trim | upper")};
    assert_false(map_chains_read(&row, LINK_BOTH, &a, &c, &e, &of_back, &n));
    assert_true(str_is(e[0].function, "upper") && str_starts(e[0].hint, STR("give --back")));
    assert_true(map_chains_read(&row, LINK_A2B, &a, &c, &e, &of_back, &n)); /* the link goes one way */
    row.dir = MAP_A2B;
    assert_true(map_chains_read(&row, LINK_BOTH, &a, &c, &e, &of_back, &n));
    row = (struct map_row){.dir = MAP_BOTH, .transform = STR("to_int")};
    assert_true(map_chains_read(&row, LINK_BOTH, &a, &c, &e, &of_back, &n) && c.derived && c.to[0] && c.to[1]);
    row = (struct map_row){.dir = MAP_BOTH, .transform = STR("concat(last)"), .back = STR("left(3)")};
    assert_false(map_chains_read(&row, LINK_BOTH, &a, &c, &e, &of_back, &n)); /* several fields: one way */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lossy_both_ways_comes_to_rest),
        cmocka_unit_test(one_way_looks_at_its_own_image_only),
        cmocka_unit_test(a_value_without_image_fails_only_when_it_would_be_written),
        cmocka_unit_test(blanks_and_skips),
        cmocka_unit_test(no_way_back_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
