/* Cases of docs/semantics.md that no other test shows: what a person sees when time passes, records do not fit the
 * window, or several fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "connections.h"
#include "failures.h"

static void gone(struct world *w, struct twin_record *r, int state)
{
    r->state = state;
    r->modified_us = w->now_us;
    r->visible_us = w->now_us;
}

/* Days in which nothing happens. */
static void jump(struct world *w, int64_t us)
{
    w->now_us += us;
    w->mono_us += us;
}

/* Created before the window: not brought over; new records are, and a pair that exists stays whatever its age.
 * proves: S2-26 */
static void outside_the_window(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *old = user_create(w, 0, KIND_CONTACT, "old@x.org", "Old");
    old->created_us = w->now_us - 400 * US_PER_DAY;
    user_create(w, 0, KIND_CONTACT, "new@x.org", "New");
    bed_set(b, "contact", "created_within", "365d");
    bed_start(b);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    assert_non_null(bed_named(w, 1, KIND_CONTACT, "New"));
    user_edit(w, 0, KIND_CONTACT, old, F_TITLE, "edited"); /* an edit makes it no younger */
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    jump(w, 400 * US_PER_DAY); /* the window was fixed at the first start */
    user_edit(w, 0, KIND_CONTACT, bed_named(w, 0, KIND_CONTACT, "New"), F_TITLE, "still in step");
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "New")->v[F_TITLE], "still in step");
}

static void account(struct world *w, struct twin_record *contact, const char *id)
{
    user_edit(w, 0, KIND_CONTACT, contact, F_ACCOUNT, id);
}

/* An account from before the window is brought over when a contact from inside refers to it: at the first sync, and
 * later; with deps = leave it is not.
 * proves: S2-26 */
static void admitted_by_a_reference(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *old[3];
    w->knobs.window_kept = true; /* a vendor that leaves out whatever it is asked to */
    for (int i = 0; i < 3; i++) {
        char name[TWIN_TEXT];
        snprintf(name, sizeof name, "Old %d", i);
        old[i] = user_create(w, 0, KIND_ACCOUNT, "", name);
        old[i]->created_us = w->now_us - 400 * US_PER_DAY;
    }
    account(w, user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann"), old[0]->id);
    bed_set(b, "account", "created_within", "365d");
    bed_start(b);
    assert_int_equal(bed_count(w, 1, KIND_ACCOUNT), 1);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_ACCOUNT], bed_named(w, 1, KIND_ACCOUNT, "Old 0")->id);
    user_edit(w, 0, KIND_ACCOUNT, old[0], F_PHONE, "+551"); /* paired it stays in step */
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_ACCOUNT, "Old 0")->v[F_PHONE], "+551");
    account(w, user_create(w, 0, KIND_CONTACT, "bob@x.org", "Bob"), old[1]->id);
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Bob")->v[F_ACCOUNT], bed_named(w, 1, KIND_ACCOUNT, "Old 1")->id);
    user_edit(w, 0, KIND_ACCOUNT, old[0], F_PHONE, "+49300"); /* in step from now on */
    bed_set(b, "account", "deps", "leave");
    account(w, user_create(w, 0, KIND_CONTACT, "eve@x.org", "Eve"), old[2]->id);
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_ACCOUNT, "Old 0")->v[F_PHONE], "+49300");
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Eve")->v[F_ACCOUNT], "");
    assert_int_equal(bed_count(w, 1, KIND_ACCOUNT), 2);
}

/* A contact waits for its account from before the window, and the daemon ends before that was read: it is asked for
 * again, since a whole reading leaves it out. proves: S2-26 V20 */
static void admitted_after_a_restart(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    w->knobs.window_kept = true;
    struct twin_record *old = user_create(w, 0, KIND_ACCOUNT, "", "Old");
    old->created_us = old->modified_us = w->now_us - 400 * US_PER_DAY;
    bed_set(b, "account", "created_within", "365d");
    bed_start(b);
    account(w, user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann"), old->id);
    AUTO(arena_done) struct arena a = {0};
    struct link *links = NULL;
    size_t n = 0;
    bool waits = false;
    must(link_list(b->db, &a, 0, &links, &n, &e), &e);
    while (!waits) {
        bool any = engine_turn(b->engine, 0) || twin_step(&b->twin);
        if (!any)
            w->now_us += US_PER_S, w->mono_us += US_PER_S;
        for (size_t i = 0; i < n; i++)
            if (str_is(links[i].name, "account"))
                must(parked_on(b->db, links[i].link, SIDE_A, str_of(old->id), &waits, &e), &e);
    }
    w->faults = true;
    w->storm_until[0] = INT64_MAX; /* until the end side a refuses to answer */
    bed_run(b, 60 * US_PER_S);
    bed_restart(b);
    w->storm_until[0] = 0;
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_ACCOUNT], bed_named(w, 1, KIND_ACCOUNT, "Old")->id);
}

/* The connection is made anew: the mark on the counterpart of an account from before the window is explained by that
 * account, which is read because a contact refers to it.
 * proves: S2-26 V21 */
static void marked_from_before_the_window(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    w->knobs.window_kept = true;
    struct twin_record *old = user_create(w, 1, KIND_ACCOUNT, "", "Old");
    old->created_us = old->modified_us = w->now_us - 400 * US_PER_DAY;
    struct twin_record *ann = user_create(w, 1, KIND_CONTACT, "ann@x.org", "Ann");
    user_edit(w, 1, KIND_CONTACT, ann, F_ACCOUNT, old->id);
    bed_set(b, "account", "created_within", "365d");
    bed_start(b);
    assert_int_equal(bed_count(w, 0, KIND_ACCOUNT), 1);
    bed_run(b, 900 * US_PER_S);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    bed_run(b, 10 * US_PER_S);
    must(admin_connection_delete(b->engine, "c", true, NULL, &e), &e);
    bed_run(b, 10 * US_PER_S);
    user_edit(w, 0, KIND_CONTACT, bed_named(w, 0, KIND_CONTACT, "Ann"), F_TITLE, "Boss"); /* the newer one */
    must(admin_connection_create(b->engine, "c", "desk", "sales", NULL, &e), &e);
    must(admin_link_create(b->engine, "c", "accounts", NULL, 0, NULL, &e), &e);
    must(admin_link_create(b->engine, "c", "contacts", NULL, 0, NULL, &e), &e);
    bed_set(b, "account", "created_within", "365d");
    must(admin_sync_start(b->engine, &(struct sync_request){.connection = "c"}, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_count(w, 0, KIND_ACCOUNT), 1);
    user_edit(w, 1, KIND_ACCOUNT, old, F_PHONE, "+551");
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(bed_named(w, 0, KIND_ACCOUNT, "Old")->v[F_PHONE], "+551");
    assert_int_equal(bed_failures_of(b, NULL), 0);
}

/* While an account lies in the bin no reference leads to it; those that waited are written once it is back.
 * proves: S1-13 V4 */
static void account_back_from_the_bin(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *acme = user_create(w, 0, KIND_ACCOUNT, "", "Acme");
    bed_start(b);
    struct twin_record *twin = bed_named(w, 1, KIND_ACCOUNT, "Acme");
    gone(w, twin, TL_STATE_TRASHED);
    bed_run(b, 400 * US_PER_S);
    account(w, user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann"), acme->id);
    bed_run(b, 400 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_ACCOUNT], "");
    gone(w, twin, TL_STATE_LIVE);
    bed_run(b, 400 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_ACCOUNT], twin->id);
}

/* A window that moves leaves alone what has grown older than it, but keeps in step what is paired.
 * proves: S2-26 */
static void the_window_slides(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct sync_request full = {.connection = "c", .full = true};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_set(b, "contact", "created_within", "30d");
    bed_set(b, "contact", "window", "sliding");
    bed_start(b);
    struct twin_record *bob = user_create(w, 0, KIND_CONTACT, "bob@x.org", "Bob");
    bob->visible_us = w->now_us + 45 * US_PER_DAY; /* shows up so late that he is too old */
    jump(w, 50 * US_PER_DAY);
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "older than the window");
    user_create(w, 0, KIND_CONTACT, "eve@x.org", "Eve");
    must(admin_sync_start(b->engine, &full, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "older than the window");
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2); /* Ann and Eve */
    assert_non_null(bed_named(w, 1, KIND_CONTACT, "Eve"));
}

/* What no list of changes showed is found by the next whole reading, also in a record that the window keeps out of it.
 * proves: S2-26 V4 */
static void edited_unseen_before_the_window(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct sync_request full = {.connection = "c", .full = true};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    w->knobs.window_kept = true;
    bed_set(b, "contact", "created_within", "30d");
    bed_set(b, "contact", "window", "sliding");
    bed_start(b);
    jump(w, 50 * US_PER_DAY);
    int64_t before = ann->modified_us;
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "unseen");
    ann->modified_us = ann->visible_us = before;
    must(admin_sync_start(b->engine, &full, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "unseen");
}

/* Many that have grown older than a window that moves are no reason to think that they vanished.
 * proves: S2-26 */
static void many_before_the_window(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct sync_request full = {.connection = "c", .full = true};
    w->knobs.window_kept = true;
    for (int s = 0; s < 2; s++)
        w->knobs.can[s][KIND_CONTACT] &= ~(uint32_t)TL_CAN_DELETED; /* each is asked for */
    for (int i = 0; i < 30; i++) {
        char name[TWIN_TEXT], address[TWIN_TEXT];
        snprintf(name, sizeof name, "p%d", i);
        snprintf(address, sizeof address, "p%d@x.org", i);
        user_create(w, 0, KIND_CONTACT, address, name);
    }
    bed_describe(b);
    bed_set(b, "contact", "created_within", "30d");
    bed_set(b, "contact", "window", "sliding");
    bed_start(b);
    jump(w, 50 * US_PER_DAY);
    must(admin_sync_start(b->engine, &full, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    user_edit(w, 0, KIND_CONTACT, bed_named(w, 0, KIND_CONTACT, "p3"), F_TITLE, "goes on");
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "p3")->v[F_TITLE], "goes on");
}

/* A counterpart from before the window is paired, not doubled, and left alone. */
static void counterpart_before_the_window(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *there = user_create(w, 1, KIND_CONTACT, "ann@x.org", "Ann over there");
    there->created_us = w->now_us - 400 * US_PER_DAY;
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_set(b, "contact", "created_within", "365d");
    bed_start(b);
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "edited");
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    assert_string_equal(there->v[F_NAME], "Ann over there");
    assert_int_equal(w->counts.updates, 0);
}

/* Two records of the other side have the address: neither is taken, and none is made.
 * proves: S1-19 S2-27 */
static void ambiguous(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    struct twin_record *one = user_create(w, 1, KIND_CONTACT, "ann@x.org", "Ann One");
    user_create(w, 1, KIND_CONTACT, "ANN@x.org", "Ann Two");
    bed_set(b, "contact", "direction", "a2b");
    bed_start(b);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
    assert_int_equal(bed_failures_of(b, "AMBIGUOUS_MATCH"), 1);
    user_edit(w, 1, KIND_CONTACT, one, F_EMAIL,
              "other@x.org"); /* solved at the vendor: the next edit finds the right one */
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "AMBIGUOUS_MATCH"), 0);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "Director");
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
}

/* One here, two there: a person says which. What speaks against the other one is another thing now, and is told once:
 * its former reason is over. proves: S1-19 S1-51 */
static void one_reason_at_a_time(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    struct twin_record *one = user_create(w, 1, KIND_CONTACT, "ann@x.org", "Ann One");
    struct twin_record *two = user_create(w, 1, KIND_CONTACT, "ann@x.org", "Ann Two");
    bed_start(b);
    assert_int_equal(bed_failures_of(b, "AMBIGUOUS_MATCH"), 3);
    struct pair_couple right = {.connection = "c", .kind = "contact", .id = {ann->id, one->id}};
    must(admin_pair_link(b->engine, &right, false, NULL, &e), &e);
    user_edit(w, 1, KIND_CONTACT, two, F_TITLE, "Director");
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "ALREADY_MAPPED"), 1);
    assert_int_equal(bed_failures_of(b, NULL), 1);
}

/* The same solved at the vendor, by another address or by merging the doubles: no edit of the waiting one is needed.
 * proves: S1-19 S2-27 */
static void ambiguous_no_more(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_create(w, 0, KIND_CONTACT, "bob@x.org", "Bob");
    struct twin_record *ann = user_create(w, 1, KIND_CONTACT, "ann@x.org", "Ann One");
    struct twin_record *bob = user_create(w, 1, KIND_CONTACT, "bob@x.org", "Bob One");
    user_create(w, 1, KIND_CONTACT, "ann@x.org", "Ann Two");
    struct twin_record *double_bob = user_create(w, 1, KIND_CONTACT, "bob@x.org", "Bob Two");
    bed_set(b, "contact", "direction", "a2b");
    bed_start(b);
    assert_int_equal(bed_failures_of(b, "AMBIGUOUS_MATCH"), 2);
    user_edit(w, 1, KIND_CONTACT, ann, F_EMAIL, "other@x.org");
    user_merge(w, 1, double_bob, bob);
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "AMBIGUOUS_MATCH"), 0);
    assert_int_equal(w->counts.creates, 0);
    assert_non_null(bed_named(w, 1, KIND_CONTACT, "Ann"));
    assert_non_null(bed_named(w, 1, KIND_CONTACT, "Bob"));
}

/* match_multi = oldest: the one that was created first is taken. */
static void the_oldest_of_several(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    struct twin_record *late = user_create(w, 1, KIND_CONTACT, "ann@x.org", "Late");
    struct twin_record *early = user_create(w, 1, KIND_CONTACT, "ann@x.org", "Early");
    early->created_us = late->created_us - US_PER_DAY;
    bed_set(b, "contact", "direction", "a2b");
    bed_set(b, "contact", "match_multi", "oldest");
    bed_start(b);
    assert_int_equal(bed_failures_of(b, "AMBIGUOUS_MATCH"), 0);
    assert_string_equal(early->v[F_NAME], "Ann");
    assert_string_equal(late->v[F_NAME], "Late");
}

/* A month without reading: edits of both sides, a deletion and a new record are all caught up with; ten edits of one
 * record are one write.
 * proves: S1-52 S1-53 S2-60 */
static void paused_a_month(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_create(w, 0, KIND_CONTACT, "bob@x.org", "Bob");
    struct twin_record *eve = user_create(w, 0, KIND_CONTACT, "eve@x.org", "Eve");
    bed_start(b);
    struct twin_record *bob = bed_named(w, 1, KIND_CONTACT, "Bob");
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    bed_run(b, 10 * US_PER_S);
    int64_t updates = w->counts.updates;
    for (int i = 0; i < 10; i++) {
        char text[TWIN_TEXT];
        snprintf(text, sizeof text, "title %d", i);
        user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, text);
        jump(w, 3 * US_PER_DAY);
        bed_run(b, US_PER_S);
    }
    user_edit(w, 1, KIND_CONTACT, bob, F_PHONE, "+4922222");
    user_create(w, 1, KIND_CONTACT, "dan@x.org", "Dan");
    gone(w, eve, TL_STATE_DELETED);
    must(admin_connection_resume(b->engine, "c", NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "title 9");
    assert_string_equal(bed_named(w, 0, KIND_CONTACT, "Bob")->v[F_PHONE], "+4922222");
    assert_non_null(bed_named(w, 0, KIND_CONTACT, "Dan"));
    assert_int_equal(w->counts.updates - updates, 2);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 4); /* Eve is not deleted here */
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 3);
}

/* Without an address nothing matches: it is created, and never taken for another one without an address.
 * proves: S1-21 S2-30 */
static void without_an_address(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    user_create(w, 0, KIND_CONTACT, "", "Ann");
    user_create(w, 1, KIND_CONTACT, "", "Ann");
    bed_start(b);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 2);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
    assert_int_equal(bed_failures_of(b, "ALREADY_MAPPED") + bed_failures_of(b, "AMBIGUOUS_MATCH"), 0);
}

/* The address is changed after both were paired: the pair stays, nothing is looked for anew. */
static void the_address_changes(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    user_edit(w, 0, KIND_CONTACT, ann, F_EMAIL, "ann@new.org");
    bed_run(b, 300 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_EMAIL], "ann@new.org");
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    assert_int_equal(w->counts.creates, 1);
}

/* Her address belongs to another pair. That one gets another address, which we write to its counterpart ourselves: the
 * address is free there with our write, and she needs no edit of her own.
 * proves: S1-19 S2-27 */
static void the_address_is_freed_by_our_write(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Anna");
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "ALREADY_MAPPED"), 1);
    user_edit(w, 0, KIND_CONTACT, ann, F_EMAIL, "ann@new.org");
    bed_run(b, 300 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "ALREADY_MAPPED"), 0);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 2);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_EMAIL], "ann@new.org");
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Anna")->v[F_EMAIL], "ann@x.org");
}

static void described_again(struct bed *b)
{
    struct err e = {0};
    must(admin_endpoint_check(b->engine, "sales", bed_checked, b, &e), &e);
    bed_run(b, 300 * US_PER_S);
}

static const char *brake_of(struct bed *b, const char *kind, char text[40])
{
    struct err e = {0};
    json_t *out = NULL;
    must(view_link(b->db, "c", kind, &out, &e), &e);
    const char *code = json_string_value(json_object_get(out, "brake_code"));
    snprintf(text, 40, "%s", code ? code : "");
    json_decref(out);
    return text;
}

/* A module is switched off at one side: its link stops and says why, the others go on, nothing is forgotten. It is
 * there again: the link goes on by itself with the pairs it had. */
static void a_kind_is_gone_for_a_while(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    char code[40];
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    struct twin_record *acme = user_create(w, 0, KIND_ACCOUNT, "", "Acme");
    bed_start(b);
    w->drift[1] = 4;
    described_again(b);
    assert_string_equal(brake_of(b, "contact", code), "KIND_GONE");
    assert_string_equal(brake_of(b, "account", code), "");
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    user_edit(w, 0, KIND_ACCOUNT, acme, F_PHONE, "+551");
    bed_run(b, 600 * US_PER_S);
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "");
    assert_string_equal(bed_named(w, 1, KIND_ACCOUNT, "Acme")->v[F_PHONE], "+551");
    bed_restart(b);
    assert_string_equal(brake_of(b, "contact", code), "KIND_GONE");
    w->drift[1] = 0;
    int64_t creates = w->counts.creates;
    described_again(b);
    assert_string_equal(brake_of(b, "contact", code), "");
    assert_string_equal(bed_named(w, 1, KIND_CONTACT, "Ann")->v[F_TITLE], "Director");
    assert_int_equal(w->counts.creates, creates);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(outside_the_window),
        T(admitted_by_a_reference),
        T(admitted_after_a_restart),
        T(the_window_slides),
        T(marked_from_before_the_window),
        T(account_back_from_the_bin),
        T(edited_unseen_before_the_window),
        T(many_before_the_window),
        T(counterpart_before_the_window),
        T(ambiguous),
        T(one_reason_at_a_time),
        T(ambiguous_no_more),
        T(the_oldest_of_several),
        T(paused_a_month),
        T(without_an_address),
        T(the_address_changes),
        T(the_address_is_freed_by_our_write),
        T(a_kind_is_gone_for_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
