/* Records of the Desk twin: values, the index by value, the indexes by time. */
#include "../unit.h"

#include <stdlib.h>

#include "desk_int.h"

struct world {
    struct desk desk;
    struct module *m;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->desk.next_id = 1000;
    w->m = &w->desk.modules[MOD_CONTACTS];
    *w->m = (struct module){.desk = &w->desk, .number = MOD_CONTACTS, .name = "contacts", .type = "Contacts"};
    schema_fill(w->m);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    schema_done(w->m);
    store_done(w->m);
    buf_done(&w->desk.line);
    free(w);
    return 0;
}

static int slot(const struct world *w, const char *name)
{
    return field_slot(w->m, str_of(name));
}

static void set(struct world *w, struct record *r, const char *name, const char *value, int64_t at)
{
    struct change x = {slot(w, name), str_of(value)};
    store_apply(w->m, r, &x, 1, at);
}

static bool count_one(void *arg, struct record *r)
{
    (void)r;
    ++*(int *)arg;
    return true;
}

static int found(struct world *w, const char *name, const char *value)
{
    int n = 0;
    store_lookup(w->m, slot(w, name), str_of(value), count_one, &n);
    return n;
}

static void values_are_set_changed_and_cleared(void **state)
{
    struct world *w = *state;
    struct record *r = store_add(w->m, 10);
    set(w, r, "lastName", "Weiß", 10);
    set(w, r, "description", "two\nlines", 10);
    assert_str(store_value(r, slot(w, "lastName")), "Weiß");
    set(w, r, "lastName", "Schwarz", 11);
    assert_str(store_value(r, slot(w, "lastName")), "Schwarz");
    assert_str(store_value(r, slot(w, "description")), "two\nlines");
    set(w, r, "description", "", 12);
    assert_str(store_value(r, slot(w, "description")), "");
    assert_int_equal(r->modified_us, 12);
}

static void records_are_found_by_id(void **state)
{
    struct world *w = *state;
    int64_t ids[500];
    for (int i = 0; i < 500; i++)
        ids[i] = store_add(w->m, i)->id;
    for (int i = 0; i < 500; i++)
        assert_true(store_find(w->m, ids[i])->created_us == i);
    assert_null(store_find(w->m, ids[0] - 1));
    assert_null(store_find(w->m, ids[3] + 1));
    assert_null(store_find_text(w->m, STR("12x")));
}

static void the_value_index_follows_changes_and_ignores_case(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 5000; i++)
        set(w, store_add(w->m, i), "email", "Shared@Mail.example", i);
    struct record *r = store_add(w->m, 9);
    set(w, r, "email", "ÖNE@mail.example", 9);
    assert_int_equal(found(w, "email", "shared@mail.EXAMPLE"), 5000);
    assert_int_equal(found(w, "email", "öne@mail.example"), 1);
    set(w, r, "email", "other@mail.example", 10);
    assert_int_equal(found(w, "email", "öne@mail.example"), 0);
    assert_int_equal(found(w, "email", "other@mail.example"), 1);
    assert_int_equal(found(w, "phone", "other@mail.example"), 0);
}

static int in_range(struct world *w, bool by_created, int64_t from, int64_t to)
{
    struct time_index *x = by_created ? &w->m->by_created : &w->m->by_modified;
    size_t begin, end;
    int n = 0;
    int64_t last = INT64_MIN;
    store_range(w->m, x, by_created, from, to, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        assert_true(x->e[i].us >= last && x->e[i].us >= from && x->e[i].us <= to);
        last = x->e[i].us;
        n += entry_is_true(w->m, &x->e[i], by_created);
    }
    return n;
}

static void time_ranges_include_both_ends(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 10; i++)
        store_add(w->m, 100 + i / 2);
    assert_int_equal(in_range(w, true, 100, 100), 2);
    assert_int_equal(in_range(w, true, 101, 103), 6);
    assert_int_equal(in_range(w, true, INT64_MIN, INT64_MAX), 10);
    assert_int_equal(in_range(w, true, 105, INT64_MAX), 0);
}

static void each_record_is_once_in_the_time_index_whatever_was_done(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 50; i++)
        store_add(w->m, 1000);
    for (int round = 0; round < 40; round++) {
        for (size_t i = 0; i < w->m->count; i++)
            store_set_times(w->m, &w->m->records[i], 1000, round % 3 == 2 ? 900 : 1000 + round);
        assert_int_equal(in_range(w, false, INT64_MIN, INT64_MAX), 50);
    }
    assert_true(w->m->by_modified.n < 50 * 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_are_set_changed_and_cleared, setup, teardown),
        cmocka_unit_test_setup_teardown(records_are_found_by_id, setup, teardown),
        cmocka_unit_test_setup_teardown(the_value_index_follows_changes_and_ignores_case, setup, teardown),
        cmocka_unit_test_setup_teardown(time_ranges_include_both_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(each_record_is_once_in_the_time_index_whatever_was_done, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
