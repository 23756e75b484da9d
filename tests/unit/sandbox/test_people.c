/* The population: exact counts, the overlap, order, uniqueness, and the planted cases. */
#include "../unit.h"

#include <stdlib.h>

#include "people.h"
#include "times.h"
#include "unicode.h"

static const struct people_plan demo = {
    .seed = 1, .contacts = 2000, .accounts = 400, .planted = true, .now_us = INT64_C(1769846400000000)};

static int count_on(const struct people *p, enum side side, bool other)
{
    int n = 0;
    for (int i = 0; i < p->person_count; i++)
        n += p->persons[i].on[side] && (!other || p->persons[i].on[1 - side]);
    return n;
}

static void sides_and_overlap_are_exact(void **state)
{
    (void)state;
    AUTO(people_free) struct people *p = people_new(&demo);
    int accounts[SIDE_COUNT] = {0};
    for (int i = 0; i < p->company_count; i++) {
        accounts[SIDE_DESK] += p->companies[i].on[SIDE_DESK];
        accounts[SIDE_CRM] += p->companies[i].on[SIDE_CRM];
    }
    assert_int_equal(count_on(p, SIDE_DESK, false), 2000);
    assert_int_equal(count_on(p, SIDE_CRM, false), 2000);
    assert_int_equal(count_on(p, SIDE_DESK, true), 1500);
    assert_int_equal(accounts[SIDE_DESK], 400);
    assert_int_equal(accounts[SIDE_CRM], 400);
}

static void same_seed_same_people_other_seed_others(void **state)
{
    (void)state;
    struct people_plan other = demo;
    other.seed = 2;
    AUTO(people_free) struct people *a = people_new(&demo);
    AUTO(people_free) struct people *b = people_new(&demo);
    AUTO(people_free) struct people *c = people_new(&other);
    int differing = 0;
    for (int i = 0; i < 1000; i++) {
        assert_string_equal(a->persons[i].phone, b->persons[i].phone);
        assert_true(a->persons[i].created_us == b->persons[i].created_us);
        differing += strcmp(a->persons[i].phone, c->persons[i].phone) != 0;
    }
    assert_true(differing > 900);
}

static int text_cmp(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void e_mails_are_unique_but_for_the_planted_ones(void **state)
{
    (void)state;
    AUTO(people_free) struct people *p = people_new(&demo);
    const char **mails = calloc((size_t)p->person_count, sizeof *mails);
    size_t n = 0;
    int twice = 0;
    for (int i = 0; i < p->person_count; i++) {
        if (p->persons[i].email)
            mails[n++] = p->persons[i].email;
    }
    qsort(mails, n, sizeof *mails, text_cmp);
    for (size_t i = 1; i < n; i++)
        twice += strcmp(mails[i - 1], mails[i]) == 0;
    free(mails);
    assert_int_equal(twice, 2);
}

static void company_names_are_unique(void **state)
{
    (void)state;
    struct people_plan big = demo;
    big.accounts = 30000;
    AUTO(people_free) struct people *p = people_new(&big);
    const char **names = calloc((size_t)p->company_count, sizeof *names);
    for (int i = 0; i < p->company_count; i++)
        names[i] = p->companies[i].name;
    qsort(names, (size_t)p->company_count, sizeof *names, text_cmp);
    for (int i = 1; i < p->company_count; i++)
        assert_string_not_equal(names[i - 1], names[i]);
    free(names);
}

static void times_ascend_and_lie_in_the_past(void **state)
{
    (void)state;
    AUTO(people_free) struct people *p = people_new(&demo);
    int64_t last = 0;
    for (int i = 0; i < p->person_count; i++) {
        const struct person *x = &p->persons[i];
        assert_true(x->created_us >= last && x->created_us % 1000 == 0);
        last = x->created_us;
        for (int s = 0; s < SIDE_COUNT; s++)
            assert_true(x->modified_us[s] >= x->created_us && x->modified_us[s] < demo.now_us);
    }
}

static void a_person_s_company_is_on_every_side_of_the_person(void **state)
{
    (void)state;
    AUTO(people_free) struct people *p = people_new(&demo);
    int with = 0;
    for (int i = 0; i < p->person_count; i++) {
        const struct person *x = &p->persons[i];
        if (x->company == NO_COMPANY)
            continue;
        const struct company *c = &p->companies[x->company];
        with++;
        assert_true((!x->on[SIDE_DESK] || c->on[SIDE_DESK]) && (!x->on[SIDE_CRM] || c->on[SIDE_CRM]));
        assert_true(c->created_us < x->created_us || x->planted == PLANT_LATE_ACCOUNT);
    }
    assert_true(with > p->person_count / 2);
}

static void planted_cases_are_what_they_say(void **state)
{
    (void)state;
    AUTO(people_free) struct people *p = people_new(&demo);
    int seen[PLANT_LATE_ACCOUNT + 1] = {0};
    for (int i = 0; i < p->person_count; i++) {
        const struct person *x = &p->persons[i];
        seen[x->planted]++;
        if (x->planted == PLANT_NO_EMAIL)
            assert_null(x->email);
        if (x->planted == PLANT_TOO_LONG)
            assert_true(utf8_length(str_of(x->last)) > 80 && utf8_length(str_of(x->last)) <= 200);
        if (x->planted == PLANT_LATE_ACCOUNT)
            assert_true(p->companies[x->company].created_us > x->created_us);
    }
    assert_int_equal(seen[PLANT_EMAIL_TWICE], 2);
    assert_int_equal(seen[PLANT_NO_EMAIL], 2);
    assert_int_equal(seen[PLANT_TOO_LONG], 1);
    assert_int_equal(seen[PLANT_NOT_A_NUMBER], 1);
    assert_int_equal(seen[PLANT_LATE_ACCOUNT], 2);
    for (int i = 0; i < p->company_count; i++) {
        const struct company *c = &p->companies[i];
        if (c->planted == PLANT_NAME_ONLY)
            assert_true(c->name && !c->website && !c->phone && !c->city);
        if (c->planted == PLANT_TOO_LONG)
            assert_true(strlen(c->website) > 120 && strlen(c->website) <= 255);
    }
}

static void a_plan_without_people_has_none(void **state)
{
    (void)state;
    struct people_plan none = {.seed = 1, .now_us = demo.now_us, .planted = true};
    AUTO(people_free) struct people *p = people_new(&none);
    assert_int_equal(p->person_count, 0);
    assert_int_equal(p->company_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sides_and_overlap_are_exact),
        cmocka_unit_test(same_seed_same_people_other_seed_others),
        cmocka_unit_test(e_mails_are_unique_but_for_the_planted_ones),
        cmocka_unit_test(company_names_are_unique),
        cmocka_unit_test(times_ascend_and_lie_in_the_past),
        cmocka_unit_test(a_person_s_company_is_on_every_side_of_the_person),
        cmocka_unit_test(planted_cases_are_what_they_say),
        cmocka_unit_test(a_plan_without_people_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
