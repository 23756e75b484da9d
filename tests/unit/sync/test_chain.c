/* Three systems in a row: "desk" and "sales" in one connection, "sales" and "shop" in another. What one connection
 * writes to the middle is a change for the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"

/* The third vendor has a world of its own behind the same dispatcher. */
static struct chain {
    struct bed *bed;
    struct dispatcher near;
    struct twin far;
    struct world world;
} chain;

static const struct dispatcher *whose(int64_t endpoint)
{
    return endpoint == chain.far.endpoint[0] ? &chain.far.dispatcher : &chain.near;
}

static void submit(void *ctx, struct call *c)
{
    const struct dispatcher *d = whose(c->endpoint);
    (void)ctx;
    d->submit(d->ctx, c);
}

static int room(void *ctx, int64_t endpoint, int32_t purpose)
{
    const struct dispatcher *d = whose(endpoint);
    (void)ctx;
    return d->room(d->ctx, endpoint, purpose);
}

static void run(int64_t us)
{
    struct world *w = chain.bed->world;
    for (int64_t end = w->now_us + us; w->now_us < end;) {
        unsigned done = engine_turn(chain.bed->engine, 0);
        bool any = twin_step(&chain.bed->twin);
        any = twin_step(&chain.far) || any;
        if (any || done)
            continue;
        w->now_us += US_PER_S;
        w->mono_us += US_PER_S;
        chain.world.now_us = w->now_us;
        chain.world.mono_us = w->mono_us;
    }
}

static int setup(void **state)
{
    struct err e = {0};
    struct endpoint_setup shop = {.name = "shop", .connector = "twin", .system = "twinc", .role = TL_ROLE_OTHER};
    bed_setup(state);
    struct bed *b = chain.bed = *state;
    world_init(&chain.world, 2, &b->world->knobs);
    chain.world.faults = false;
    chain.world.now_us = b->world->now_us;
    chain.world.mono_us = b->world->mono_us;
    chain.world.next_id = 5000;
    twin_init(&chain.far, &chain.world);
    chain.far.endpoint[1] = -1;
    chain.near = b->twin.dispatcher;
    b->twin.dispatcher.submit = submit;
    b->twin.dispatcher.room = room;
    must(engine_endpoint_put(b->engine, &shop, &chain.far.endpoint[0], &e), &e);
    must(admin_endpoint_check(b->engine, "shop", bed_checked, b, &e), &e);
    run(10 * US_PER_S);
    must(admin_connection_create(b->engine, "on", "sales", "shop", NULL, &e), &e);
    must(admin_link_create(b->engine, "on", "contacts", NULL, 0, NULL, &e), &e);
    return 0;
}

/* Ann is made at the desk and known to all three. */
static struct twin_record *everywhere(struct twin_record **of_sales, struct twin_record **of_shop)
{
    struct bed *b = chain.bed;
    struct err e = {0};
    struct twin_record *ann = user_create(b->world, 0, KIND_CONTACT, "ann@x.org", "Ann");
    must(admin_sync_start(b->engine, &(struct sync_request){.connection = "c"}, NULL, &e), &e);
    run(900 * US_PER_S);
    must(admin_sync_start(b->engine, &(struct sync_request){.connection = "on"}, NULL, &e), &e);
    run(900 * US_PER_S);
    *of_sales = bed_named(b->world, 1, KIND_CONTACT, "Ann");
    *of_shop = bed_named(&chain.world, 0, KIND_CONTACT, "Ann");
    b->world->knobs.deletes = chain.world.knobs.deletes = true;
    return ann;
}

static void travels(const char *connection)
{
    struct err e = {0};
    const struct admin_setting propagate = {"delete", "propagate"};
    must(admin_link_set(chain.bed->engine, connection, "contact", &propagate, 1, NULL, &e), &e);
    run(120 * US_PER_S);
}

static void trash(struct twin_record *r)
{
    r->state = TL_STATE_TRASHED;
    user_touch(chain.bed->world, 0, r);
}

static void an_edit_goes_through(void **state)
{
    (void)state;
    struct twin_record *of_sales, *of_shop, *ann = everywhere(&of_sales, &of_shop);
    user_edit(chain.bed->world, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    run(300 * US_PER_S);
    assert_string_equal(of_sales->v[F_TITLE], "Director");
    assert_string_equal(of_shop->v[F_TITLE], "Director");
}

static void all_have(int n)
{
    assert_int_equal(bed_count(chain.bed->world, 0, KIND_CONTACT), n);
    assert_int_equal(bed_count(chain.bed->world, 1, KIND_CONTACT), n);
    assert_int_equal(bed_count(&chain.world, 0, KIND_CONTACT), n);
    assert_int_equal(bed_failures_of(chain.bed, NULL), 0);
}

/* What one connection made in the middle bears the mark of that connection, which explains it to the other one: it is a
 * record like any other there, without an address too. */
static void a_new_record_goes_through(void **state)
{
    (void)state;
    struct twin_record *of_sales, *of_shop;
    everywhere(&of_sales, &of_shop);
    user_create(chain.bed->world, 0, KIND_CONTACT, "", "Bob");
    user_create(&chain.world, 0, KIND_CONTACT, "", "Cid");
    run(900 * US_PER_S);
    all_have(3);
    assert_non_null(bed_named(&chain.world, 0, KIND_CONTACT, "Bob"));
    assert_non_null(bed_named(chain.bed->world, 0, KIND_CONTACT, "Cid"));
    struct err e = {0};
    must(admin_sync_start(chain.bed->engine, &(struct sync_request){.connection = "c", .full = true}, NULL, &e), &e);
    must(admin_sync_start(chain.bed->engine, &(struct sync_request){.connection = "on", .full = true}, NULL, &e), &e);
    run(3600 * US_PER_S);
    all_have(3);
}

/* One of the two connections is deleted and made anew: the marks it left are found again, and nobody is doubled, though
 * the other one holds the same records. proves: S1-19 */
static void made_anew(void **state)
{
    const char *const names[] = {"c", "on"}, *const ends[2][2] = {{"desk", "sales"}, {"sales", "shop"}};
    (void)state;
    struct twin_record *of_sales, *of_shop;
    struct err e = {0};
    everywhere(&of_sales, &of_shop);
    user_create(chain.bed->world, 0, KIND_CONTACT, "", "Bob");
    user_create(&chain.world, 0, KIND_CONTACT, "", "Cid");
    run(900 * US_PER_S);
    for (int i = 0; i < 2; i++) {
        must(admin_connection_pause(chain.bed->engine, names[i], NULL, &e), &e);
        run(10 * US_PER_S);
        must(admin_connection_delete(chain.bed->engine, names[i], true, NULL, &e), &e);
        run(60 * US_PER_S);
        must(admin_connection_create(chain.bed->engine, names[i], ends[i][0], ends[i][1], NULL, &e), &e);
        must(admin_link_create(chain.bed->engine, names[i], "contacts", NULL, 0, NULL, &e), &e);
        must(admin_sync_start(chain.bed->engine, &(struct sync_request){.connection = names[i]}, NULL, &e), &e);
        run(1200 * US_PER_S);
        all_have(3);
    }
}

/* Both links send deletions on: so does the second one with what the first one deleted. proves: V9 Q17 */
static void a_deletion_goes_through(void **state)
{
    (void)state;
    struct twin_record *of_sales, *of_shop, *ann = everywhere(&of_sales, &of_shop);
    travels("c");
    travels("on");
    trash(ann);
    run(600 * US_PER_S);
    assert_int_equal(of_sales->state, TL_STATE_TRASHED);
    assert_int_equal(of_shop->state, TL_STATE_TRASHED);
    run(86400 * US_PER_S);
    assert_int_equal(chain.bed->world->counts.deletes, 1);
    assert_int_equal(chain.world.counts.deletes, 1);
    assert_int_equal(chain.bed->world->counts.creates + chain.world.counts.creates, 2);
}

/* The second link was not asked to send deletions on: its record stays, and an edit of it brings the others back as
 * ever. proves: V9 */
static void a_deletion_ends_where_it_was_not_asked_for(void **state)
{
    (void)state;
    struct twin_record *of_sales, *of_shop, *ann = everywhere(&of_sales, &of_shop);
    travels("c");
    trash(ann);
    run(86400 * US_PER_S);
    assert_int_equal(of_sales->state, TL_STATE_TRASHED);
    assert_int_equal(of_shop->state, TL_STATE_LIVE);
    assert_int_equal(chain.world.counts.deletes, 0);
}

/* The record at the end was edited since: it is not deleted, and brings the middle back; what a user deleted at the
 * other end comes back with it. */
static void an_edit_at_the_end_counts(void **state)
{
    (void)state;
    struct twin_record *of_sales, *of_shop, *ann = everywhere(&of_sales, &of_shop);
    travels("c");
    travels("on");
    trash(ann);
    user_edit(&chain.world, 0, KIND_CONTACT, of_shop, F_TITLE, "Chair");
    run(3600 * US_PER_S);
    assert_int_equal(of_shop->state, TL_STATE_LIVE);
    assert_int_equal(chain.world.counts.deletes, 0);
    assert_int_equal(bed_count(chain.bed->world, 1, KIND_CONTACT), 1);
    assert_string_equal(bed_named(chain.bed->world, 1, KIND_CONTACT, "Ann")->v[F_NAME], "Ann");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(an_edit_goes_through),
                                       T(a_new_record_goes_through),
                                       T(made_anew),
                                       T(a_deletion_goes_through),
                                       T(a_deletion_ends_where_it_was_not_asked_for),
                                       T(an_edit_at_the_end_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
