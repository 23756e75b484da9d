/* What comes into a connection later: a field, a link that others refer to, the connection itself made anew. Nothing
 * that is filled is emptied, and nobody gets a second counterpart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "map_edit.h"

static json_t *map_row(struct bed *b, const char *kind, const char *path)
{
    struct err e = {0};
    json_t *out = NULL, *row, *hit = NULL;
    size_t i;
    must(view_map(b->db, "c", kind, &out, &e), &e);
    json_array_foreach(json_object_get(out, "items"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "a")), path) == 0)
            hit = json_incref(row);
    }
    json_decref(out);
    return hit;
}

static void links(struct bed *b, const char *first, const char *second)
{
    struct err e = {0};
    must(admin_connection_create(b->engine, "c", "desk", "sales", NULL, &e), &e);
    must(admin_link_create(b->engine, "c", first, NULL, 0, NULL, &e), &e);
    if (second)
        must(admin_link_create(b->engine, "c", second, NULL, 0, NULL, &e), &e);
}

static void sync(struct bed *b)
{
    struct err e = {0};
    struct sync_request r = {.connection = "c"};
    must(admin_sync_start(b->engine, &r, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
}

/* The order in which links are made does not matter before the first sync.
 * proves: S1-11 S1-20 */
static void order_of_links(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    links(b, "contact", "account");
    json_t *row = map_row(b, "contact", "account");
    assert_non_null(row);
    assert_true(json_is_true(json_object_get(row, "default")));
    json_decref(row);
    struct twin_record *acme = user_create(w, 0, KIND_ACCOUNT, "", "Acme");
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_edit(w, 0, KIND_CONTACT, ann, F_ACCOUNT, acme->id);
    sync(b);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_ACCOUNT], bed_named(w, 1, KIND_ACCOUNT, "Acme")->id);
}

/* Contacts were synced without accounts; the link of accounts comes later: the references of both sides meet, and the
 * side that has none, be it the newer one, empties nothing.
 * proves: S1-16 */
static void link_made_later(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    links(b, "contact", NULL);
    struct twin_record *acme = user_create(w, 0, KIND_ACCOUNT, "", "Acme");
    struct twin_record *globex = user_create(w, 1, KIND_ACCOUNT, "", "Globex");
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    struct twin_record *bob = user_create(w, 1, KIND_CONTACT, "bob@x.org", "Bob");
    user_edit(w, 0, KIND_CONTACT, ann, F_ACCOUNT, acme->id);
    user_edit(w, 1, KIND_CONTACT, bob, F_ACCOUNT, globex->id);
    sync(b);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_ACCOUNT], "");
    json_t *out = NULL;
    must(admin_link_create(b->engine, "c", "account", NULL, 0, &out, &e), &e);
    assert_string_equal(json_string_value(json_array_get(json_object_get(out, "references_mapped"), 0)),
                        "contact account");
    json_decref(out);
    sync(b);
    assert_string_equal(ann->v[F_ACCOUNT], acme->id);
    assert_string_equal(bob->v[F_ACCOUNT], globex->id);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_ACCOUNT], bed_named(w, 1, KIND_ACCOUNT, "Acme")->id);
    assert_string_equal(bed_named(w, 0, KIND_CONTACT, "Bob")->v[F_ACCOUNT],
                        bed_named(w, 0, KIND_ACCOUNT, "Globex")->id);
    int64_t writes = w->counts.creates + w->counts.updates;
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(w->counts.creates + w->counts.updates, writes);
}

/* A field that is unmapped, filled on one side and mapped again; and one that is mapped to another field meanwhile.
 * proves: S1-16 */
static void field_mapped_later(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    links(b, "contact", NULL);
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    sync(b);
    must(admin_map_unset(b->engine, "c", "contact", "title", NULL, &e), &e);
    must(admin_map_unset(b->engine, "c", "contact", "department", NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    struct twin_record *twin = bed_named(w, 1, KIND_CONTACT, "Ann");
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    user_edit(w, 1, KIND_CONTACT, twin, F_EXTRA, "Sales");
    bed_run(b, 900 * US_PER_S);
    user_edit(w, 1, KIND_CONTACT, twin, F_PHONE, "+551"); /* the blank side is the newer one each time */
    must(admin_map_set(b->engine, "c", "contact", &(struct map_ask){.a = "title", .b = "title"}, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    user_edit(w, 0, KIND_CONTACT, ann, F_PHONE, "+552");
    must(admin_map_set(b->engine, "c", "contact", &(struct map_ask){.a = "department", .b = "department"}, NULL, &e),
         &e);
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(ann->v[F_TITLE], "Director");
    assert_string_equal(twin->v[F_TITLE], "Director");
    assert_string_equal(ann->v[F_EXTRA], "Sales");
    assert_string_equal(twin->v[F_EXTRA], "Sales");
    assert_string_equal(ann->v[F_PHONE], twin->v[F_PHONE]);
    user_edit(w, 1, KIND_CONTACT, twin, F_TITLE, ""); /* agreed on by now: to empty it is an edit like others */
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(ann->v[F_TITLE], "");
}

/* The connection is deleted and made anew: what the former one had made bears its mark and is bound again, on both
 * sides, also where no e-mail would tell, and where a source was edited in between. proves: S1-19 */
static void made_anew(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    links(b, "account", "contact");
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "", "Ann");
    user_create(w, 1, KIND_CONTACT, "", "Bob");
    user_create(w, 0, KIND_CONTACT, "eve@x.org", "Eve");
    sync(b);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 3);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    bed_run(b, 10 * US_PER_S);
    must(admin_connection_delete(b->engine, "c", true, NULL, &e), &e);
    bed_run(b, 10 * US_PER_S);
    user_edit(w, 0, KIND_CONTACT, ann, F_NAME, "Anna");
    links(b, "contact", "account");
    sync(b);
    for (int s = 0; s < 2; s++)
        assert_int_equal(bed_count(w, s, KIND_CONTACT), 3);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Anna")->v[F_NAME], "Anna");
    json_t *list = bed_failures(b, false);
    assert_int_equal(json_array_size(json_object_get(list, "items")), 0);
    json_decref(list);
    user_edit(w, 1, KIND_CONTACT, bed_named(w, 1, KIND_CONTACT, "Anna"), F_TITLE, "Director");
    sync(b);
    assert_string_equal(ann->v[F_TITLE], "Director");
}

/* A mark of ours that no record of the other side explains: reported, and synced once a person takes off the mark.
 * proves: S1-19 */
static void mark_without_source(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    links(b, "contact", NULL);
    user_create(w, 0, KIND_CONTACT, "", "Eve");
    struct twin_record *ann = user_create(w, 1, KIND_CONTACT, "", "Ann");
    snprintf(ann->stamp, sizeof ann->stamp, "%s.abcdefghijklmnopqrstuvwxyz", db_instance(b->db));
    sync(b);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 1);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
    json_t *list = bed_failures(b, false), *row = json_array_get(json_object_get(list, "items"), 0);
    assert_non_null(row);
    assert_string_equal(json_string_value(json_object_get(row, "code")), "ORPHANED_STAMP");
    json_decref(list);
    ann->stamp[0] = 0;
    user_edit(w, 1, KIND_CONTACT, ann, F_TITLE, "Director");
    sync(b);
    assert_string_equal(bed_named(w, 0, KIND_CONTACT, "Ann")->v[F_TITLE], "Director");
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 2);
}

/* Deleted instead, the record has no failure any more: it had no pair to say so. */
static void mark_without_source_is_deleted(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    links(b, "contact", NULL);
    struct twin_record *ann = user_create(w, 1, KIND_CONTACT, "", "Ann");
    struct twin_record *eve = user_create(w, 1, KIND_CONTACT, "", "Eve");
    user_create(w, 1, KIND_CONTACT, "", "Kim"); /* were all of them gone at once, nobody would believe it */
    snprintf(ann->stamp, sizeof ann->stamp, "%s.abcdefghijklmnopqrstuvwxyz", db_instance(b->db));
    snprintf(eve->stamp, sizeof eve->stamp, "%s.zyxwvutsrqponmlkjihgfedcba", db_instance(b->db));
    sync(b);
    assert_int_equal(bed_failures_of(b, "ORPHANED_STAMP"), 2);
    ann->state = TL_STATE_TRASHED;
    user_touch(w, 1, ann);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "ORPHANED_STAMP"), 1);
    bed_restart(b);
    eve->used = false; /* gone without a word: a whole reading misses it */
    bed_run(b, 8 * US_PER_DAY);
    assert_int_equal(bed_failures_of(b, NULL), 0);
}

/* What link create and link set are told counts, or is refused with a reason. */
static void settings_of_links(void **state)
{
    struct bed *b = *state;
    struct err e = {0};
    struct admin_setting off = {"enabled", "no"}, kind = {"b_kind", "account"}, same = {"b_kind", "contact"},
                         fast = {"every", "1ms"};
    must(admin_connection_create(b->engine, "c", "desk", "sales", NULL, &e), &e);
    json_t *out = NULL;
    must(admin_link_create(b->engine, "c", "contact", &off, 1, &out, &e), &e);
    assert_true(json_is_false(json_object_get(out, "enabled")));
    json_decref(out);
    assert_int_equal(admin_link_set(b->engine, "c", "contact", &kind, 1, NULL, &e), E_PRECONDITION);
    must(admin_link_set(b->engine, "c", "contact", &same, 1, NULL, &e), &e);
    e = (struct err){0};
    assert_int_equal(admin_link_set(b->engine, "c", "contact", &fast, 1, NULL, &e), E_USAGE);
    assert_string_equal(e.text, "every = 1ms: must be 1s to 7d");
}

/* Nothing begins with a map that has errors: one of them is named, and nothing was written.
 * proves: S1-46 */
static void start_refused(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    links(b, "contact", NULL);
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    must(admin_map_unset(b->engine, "c", "contact", "last_name", NULL, &e), &e);
    struct sync_request r = {.connection = "c"};
    assert_int_equal(admin_sync_start(b->engine, &r, NULL, &e), E_PRECONDITION);
    assert_non_null(strstr(e.text, "last_name"));
    bed_run(b, 60 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 0);
    must(admin_map_reset(b->engine, "c", "contact", NULL, &e), &e);
    sync(b);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(order_of_links, bed_open, bed_teardown),
        cmocka_unit_test_setup_teardown(link_made_later, bed_open, bed_teardown),
        cmocka_unit_test_setup_teardown(field_mapped_later, bed_open, bed_teardown),
        cmocka_unit_test_setup_teardown(made_anew, bed_open, bed_teardown),
        cmocka_unit_test_setup_teardown(start_refused, bed_open, bed_teardown),
        cmocka_unit_test_setup_teardown(settings_of_links, bed_open, bed_teardown),
        cmocka_unit_test_setup_teardown(mark_without_source, bed_open, bed_teardown),
        cmocka_unit_test_setup_teardown(mark_without_source_is_deleted, bed_open, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
