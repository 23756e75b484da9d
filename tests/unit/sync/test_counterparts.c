/* Counterparts that go, come back and are made anew; and what a user does to one while it is being written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "bed.h"
#include "map_edit.h"

static void put_into(struct world *w, int s, struct twin_record *r, int state)
{
    r->state = state;
    user_touch(w, s, r);
}

static struct twin_record *live_one(struct world *w, int s, const char *name)
{
    for (int i = 0; i < TWIN_RECORDS; i++) {
        struct twin_record *r = &w->rec[s][KIND_CONTACT][i];
        if (r->used && r->state == TL_STATE_LIVE && strcmp(r->v[F_NAME], name) == 0)
            return r;
    }
    fail_msg("nobody alive is called %s", name);
    return NULL;
}

static int64_t writes(const struct world *w)
{
    return w->counts.creates + w->counts.updates + w->counts.restores;
}

/* Its successor got an edit, and is deleted. The one that comes back gets the edit too, and keeps what its own users
 * gave it meanwhile.
 * proves: V4 V7 */
static void a_predecessor_returns(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_edit(w, 0, KIND_CONTACT, ann, F_PHONE, "+551");
    bed_start(b);
    struct twin_record *first = live_one(w, 1, "Ann");
    put_into(w, 1, first, TL_STATE_TRASHED);
    bed_run(b, 900 * US_PER_S);
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    user_edit(w, 0, KIND_CONTACT, ann, F_PHONE, "");
    bed_run(b, 900 * US_PER_S);
    struct twin_record *second = live_one(w, 1, "Ann");
    assert_ptr_not_equal(first, second);
    put_into(w, 1, second, TL_STATE_DELETED);
    bed_run(b, 900 * US_PER_S);
    put_into(w, 1, first, TL_STATE_LIVE);
    user_edit(w, 1, KIND_CONTACT, first, F_EXTRA, "Sales");
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    assert_string_equal(first->v[F_TITLE], "Director");
    assert_string_equal(first->v[F_PHONE], "");
    assert_string_equal(ann->v[F_EXTRA], "Sales");
    int64_t before = writes(w);
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(writes(w), before);
}

/* A contact got a second counterpart, and that one a second contact, for which the first came back. Made anew, the
 * connection binds the latest two by their marks and does not stumble over the older mark.
 * proves: S1-19 */
static void made_anew_after_successors(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    put_into(w, 1, live_one(w, 1, "Ann"), TL_STATE_DELETED);
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    bed_run(b, 900 * US_PER_S);
    struct twin_record *twin = live_one(w, 1, "Ann");
    put_into(w, 0, ann, TL_STATE_TRASHED);
    user_edit(w, 1, KIND_CONTACT, twin, F_EXTRA, "Sales");
    bed_run(b, 900 * US_PER_S);
    struct twin_record *anew = live_one(w, 0, "Ann");
    put_into(w, 0, ann, TL_STATE_LIVE);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "ALREADY_MAPPED"), 1);
    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    bed_run(b, 10 * US_PER_S);
    must(admin_connection_delete(b->engine, "c", true, NULL, &e), &e);
    bed_run(b, 10 * US_PER_S);
    must(admin_connection_create(b->engine, "c", "desk", "sales", NULL, &e), &e);
    must(admin_link_create(b->engine, "c", "contact", NULL, 0, NULL, &e), &e);
    must(admin_sync_start(b->engine, &(struct sync_request){.connection = "c"}, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "ALREADY_MAPPED"), 1);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 2);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
    user_edit(w, 1, KIND_CONTACT, twin, F_TITLE, "Chair");
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(anew->v[F_TITLE], "Chair");
    assert_string_equal(ann->v[F_TITLE], "Director");
}

static bool is_such(const struct bed *b, const struct call *c, enum call_kind kind, int s)
{
    return c->kind == kind && c->endpoint == b->twin.endpoint[s];
}

static bool waits(const struct bed *b, enum call_kind kind, int s)
{
    for (const struct call *c = b->twin.queue; c; c = c->next)
        if (is_such(b, c, kind, s))
            return true;
    return false;
}

static void until_waits(struct bed *b, enum call_kind kind, int s)
{
    while (!waits(b, kind, s)) {
        unsigned done = engine_turn(b->engine, 0);
        assert_true(waits(b, kind, s) || twin_step(&b->twin) || done);
    }
}

/* Like bed_run; calls of this kind to this side are answered only afterwards. */
static void run_holding(struct bed *b, enum call_kind kind, int s, int64_t us)
{
    struct call *held = NULL;
    for (int64_t end = b->world->now_us + us; b->world->now_us < end;) {
        unsigned done = engine_turn(b->engine, 0);
        for (struct call **at = &b->twin.queue; *at;) {
            struct call *c = *at;
            if (!is_such(b, c, kind, s)) {
                at = &c->next;
                continue;
            }
            *at = c->next;
            c->next = held;
            held = c;
        }
        bool any = twin_step(&b->twin);
        if (any || done)
            continue;
        b->world->now_us += 100000;
        b->world->mono_us += 100000;
    }
    for (struct call *next = NULL; held; held = next) {
        next = held->next;
        held->next = b->twin.queue;
        b->twin.queue = held;
    }
}

/* The vendor takes no conditions and tells time in seconds. A pair is written on one side and then on the other; what
 * the first side made of it is read while the second write is still out. A later write to the first side, of another
 * field, is met by an edit of the first field in its very second: that edit is a user's, not the vendor's form of ours.
 * proves: V7 */
static void an_edit_in_the_second_of_a_write(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    struct twin_record *twin = live_one(w, 1, "Ann");
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    user_edit(w, 1, KIND_CONTACT, twin, F_EXTRA, "Sales");
    run_holding(b, CALL_PUSH, 0, 600 * US_PER_S);
    assert_string_equal(twin->v[F_TITLE], "Director");
    assert_string_equal(ann->v[F_EXTRA], "");
    bed_run(b, 600 * US_PER_S);
    assert_string_equal(ann->v[F_EXTRA], "Sales");
    user_edit(w, 0, KIND_CONTACT, ann, F_PHONE, "+551");
    run_holding(b, CALL_PUSH, 1, 600 * US_PER_S);
    assert_string_equal(twin->v[F_PHONE], "");
    user_edit(w, 1, KIND_CONTACT, twin, F_TITLE, "Chair");
    bed_run(b, 600 * US_PER_S);
    assert_string_equal(twin->v[F_PHONE], "+551");
    assert_string_equal(twin->v[F_TITLE], "Chair");
    assert_string_equal(ann->v[F_TITLE], "Chair");
}

static void edited_and_told(struct bed *b, struct twin_record *r, int field, const char *value)
{
    struct err e = {0};
    char body[32];
    snprintf(body, sizeof body, "contact %s", r->id);
    user_edit(b->world, 0, KIND_CONTACT, r, field, value);
    struct hook_delivery d = {.endpoint = b->twin.endpoint[0], .delivery_key = str_of(value), .body = str_of(body)};
    must(hook_deliver(b->engine, &d, &e), &e);
}

/* A write that takes no condition builds on a read made for it, and not on the one that the write before it was made
 * for: somebody may have come in between. proves: V8 */
static void two_writes_at_once(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    struct twin_record *twin = live_one(w, 1, "Ann");
    int64_t before = w->counts.updates;
    edited_and_told(b, ann, F_TITLE, "Director");
    until_waits(b, CALL_PUSH, 1);
    run_holding(b, CALL_GET, 1, US_PER_S / 2);
    assert_int_equal(w->counts.updates, before + 1);
    edited_and_told(b, ann, F_PHONE, "+551");
    run_holding(b, CALL_GET, 1, US_PER_S);
    assert_int_equal(w->counts.updates, before + 1);
    bed_run(b, 600 * US_PER_S);
    assert_string_equal(twin->v[F_PHONE], "+551");
    if (w->violated)
        fail_msg("%s", w->violation);
}

static void damage(struct bed *b, const char *id)
{
    sqlite3 *db = NULL;
    char sql[128];
    snprintf(sql, sizeof sql, "UPDATE record SET observation = x'0102' WHERE CAST(remote_id AS TEXT) = '%s'", id);
    assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_changes(db), 1);
    sqlite3_close(db);
}

/* What is stored of a record, and with that what was agreed on, is damaged. It is read again; when a person
 * has looked at it, the edit that the other side has waiting is no conflict with values that came from there.
 * proves: V7 Q14 */
static void agreed_values_are_lost(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct admin_setting a_wins = {"policy", "a"};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    must(admin_link_set(b->engine, "c", "contact", &a_wins, 1, NULL, &e), &e);
    bed_start(b);
    struct twin_record *twin = live_one(w, 1, "Ann");
    user_edit(w, 1, KIND_CONTACT, twin, F_TITLE, "Director");
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(ann->v[F_TITLE], "Director");
    damage(b, ann->id);
    user_edit(w, 1, KIND_CONTACT, twin, F_TITLE, "Chair");
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "DAMAGED"), 1);
    must(admin_failure_retry(b->engine, &(struct failure_pick){.connection = "c"}, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(twin->v[F_TITLE], "Chair");
    assert_string_equal(ann->v[F_TITLE], "Chair");
    assert_int_equal(bed_failures_of(b, "DAMAGED"), 0);
}

/* A field goes one way, and its source was always blank. Neither a damaged source nor a target that comes back after a
 * successor lets that blank pass for an edit: nothing is emptied. proves: V7 */
static void a_blank_stays_no_edit(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct map_ask one_way = {.a = "title", .b = "title", .direction = "a2b"};
    must(admin_map_set(b->engine, "c", "contact", &one_way, NULL, &e), &e);
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    struct twin_record *twin = user_create(w, 1, KIND_CONTACT, "ann@x.org", "Ann");
    user_edit(w, 1, KIND_CONTACT, twin, F_TITLE, "Director");
    bed_start(b);
    assert_string_equal(twin->v[F_TITLE], "Director");
    damage(b, ann->id);
    user_edit(w, 1, KIND_CONTACT, twin, F_PHONE, "+551");
    bed_run(b, 900 * US_PER_S);
    must(admin_failure_retry(b->engine, &(struct failure_pick){.connection = "c"}, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(ann->v[F_PHONE], "+551");
    assert_string_equal(twin->v[F_TITLE], "Director");
    put_into(w, 1, twin, TL_STATE_TRASHED);
    user_edit(w, 0, KIND_CONTACT, ann, F_PHONE, "+552");
    bed_run(b, 900 * US_PER_S);
    put_into(w, 1, live_one(w, 1, "Ann"), TL_STATE_DELETED);
    bed_run(b, 900 * US_PER_S);
    put_into(w, 1, twin, TL_STATE_LIVE);
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(twin->v[F_PHONE], "+552");
    assert_string_equal(twin->v[F_TITLE], "Director");
}

/* A counterpart is made while one of its fields is read-only; that is over before the vendor has answered. The value is
 * carried over all the same.
 * proves: V7 */
static void writable_again_meanwhile(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    bed_start(b);
    w->knobs.can[1][KIND_CONTACT] |= TL_CAN_RETURN_POST;
    w->drift[1] = 2;
    must(admin_endpoint_check(b->engine, "sales", bed_checked, b, &e), &e);
    bed_run(b, 60 * US_PER_S);
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    user_edit(w, 0, KIND_CONTACT, ann, F_EXTRA, "Sales");
    run_holding(b, CALL_PUSH, 1, 600 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 0);
    w->drift[1] = 0;
    must(admin_endpoint_check(b->engine, "sales", bed_checked, b, &e), &e);
    run_holding(b, CALL_PUSH, 1, 60 * US_PER_S);
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(live_one(w, 1, "Ann")->v[F_EXTRA], "Sales");
    assert_string_equal(ann->v[F_EXTRA], "Sales");
}

static void (*taken_in)(struct call *c);

static void answer_lost(struct call *c)
{
    c->reply.status = TL_E_UNKNOWN;
    c->reply.items.n = 0;
    taken_in(c);
}

/* Those on their way. */
static void lose_answers(struct bed *b, enum call_kind kind, int s)
{
    for (struct call *c = b->twin.queue; c; c = c->next)
        if (is_such(b, c, kind, s)) {
            taken_in = c->done;
            c->done = answer_lost;
        }
}

/* The answer to a write is lost, and the record lies in the bin when it is asked about: what was sent is there, and
 * was agreed on. Taken out of the bin it is edited; that is an edit of one side, whatever the policy.
 * proves: V7 */
static void written_and_thrown_away(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct admin_setting a_wins = {"policy", "a"};
    must(admin_link_set(b->engine, "c", "contact", &a_wins, 1, NULL, &e), &e);
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    struct twin_record *twin = user_create(w, 1, KIND_CONTACT, "ann@x.org", "Ann");
    user_edit(w, 0, KIND_CONTACT, ann, F_PHONE, "+551");
    user_edit(w, 1, KIND_CONTACT, twin, F_PHONE, "+559");
    must(admin_sync_start(b->engine, &(struct sync_request){.connection = "c"}, NULL, &e), &e);
    until_waits(b, CALL_PUSH, 1);
    lose_answers(b, CALL_PUSH, 1);
    while (waits(b, CALL_PUSH, 1))
        assert_true(twin_step(&b->twin));
    assert_string_equal(twin->v[F_PHONE], "+551");
    put_into(w, 1, twin, TL_STATE_TRASHED);
    bed_run(b, 900 * US_PER_S);
    put_into(w, 1, twin, TL_STATE_LIVE);
    user_edit(w, 1, KIND_CONTACT, twin, F_PHONE, "+552");
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(twin->v[F_PHONE], "+552");
    assert_string_equal(ann->v[F_PHONE], "+552");
}

/* The answer to a write is lost, and somebody edits another field of what it wrote before the record is asked for. What
 * we sent is not that person's edit: an edit of its source goes on to the other side.
 * proves: V7 Q2 */
static void written_and_edited(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    struct twin_record *twin = live_one(w, 1, "Ann");
    user_edit(w, 0, KIND_CONTACT, ann, F_PHONE, "+551");
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Boss");
    until_waits(b, CALL_PUSH, 1);
    lose_answers(b, CALL_PUSH, 1);
    while (waits(b, CALL_PUSH, 1))
        assert_true(twin_step(&b->twin));
    assert_string_equal(twin->v[F_PHONE], "+551");
    user_edit(w, 0, KIND_CONTACT, ann, F_PHONE, "+552");
    w->now_us += 10 * US_PER_S;
    user_edit(w, 1, KIND_CONTACT, twin, F_TITLE, "Queen");
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(twin->v[F_PHONE], "+552");
    assert_string_equal(ann->v[F_PHONE], "+552");
    assert_string_equal(ann->v[F_TITLE], "Queen");
}

/* What a person decided about a field that neither side lets us write for now is done once it may be written.
 * proves: S1-25 V4 */
static void decided_while_read_only(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct conflict_pick pick = {.connection = "c", .kind = "contact", .take = 'a'};
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    struct twin_record *twin = live_one(w, 1, "Ann");
    bed_set(b, "contact", "policy", "manual");
    user_edit(w, 0, KIND_CONTACT, ann, F_EXTRA, "Sales");
    user_edit(w, 1, KIND_CONTACT, twin, F_EXTRA, "Support");
    bed_run(b, 400 * US_PER_S);
    for (int s = 0; s < 2; s++)
        w->drift[s] = 2;
    bed_describe(b);
    must(admin_conflict_decide(b->engine, &pick, NULL, &e), &e);
    bed_run(b, 400 * US_PER_S);
    assert_string_equal(twin->v[F_EXTRA], "Support");
    for (int s = 0; s < 2; s++)
        w->drift[s] = 0;
    bed_describe(b);
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(twin->v[F_EXTRA], "Sales");
    assert_string_equal(ann->v[F_EXTRA], "Sales");
}

static void describe_again(struct bed *b)
{
    struct err e = {0};
    b->world->knobs.can[1][KIND_CONTACT] ^= TL_CAN_QUIET;
    must(admin_endpoint_check(b->engine, "sales", bed_checked, b, &e), &e);
    bed_run(b, 60 * US_PER_S);
}

/* Nobody can tell whether the create was done, and nothing that happens by itself sends it again: not another
 * description of the target, not a restart, not an edit of the source. A person who looked may. proves: S1-19 Q2 */
static void a_create_nobody_can_tell(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    w->knobs.can[1][KIND_CONTACT] &=
        ~(uint32_t)(TL_CAN_STAMP_UNIQUE | TL_CAN_STAMP_FIND | TL_CAN_FIND | TL_CAN_FIND_CREATED);
    describe_again(b);
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "", "Ann");
    must(admin_sync_start(b->engine, &(struct sync_request){.connection = "c"}, NULL, &e), &e);
    until_waits(b, CALL_PUSH, 1);
    lose_answers(b, CALL_PUSH, 1);
    while (waits(b, CALL_PUSH, 1))
        assert_true(twin_step(&b->twin));
    live_one(w, 1, "Ann")->used = false; /* whatever became of it: what is counted is what is sent from here on */
    bed_run(b, 3600 * US_PER_S);
    int64_t sent = w->counts.creates;
    assert_int_equal(bed_failures_of(b, "UNKNOWN_OUTCOME"), 1);
    describe_again(b);
    bed_run(b, 3600 * US_PER_S);
    user_edit(w, 0, KIND_CONTACT, ann, F_PHONE, "+551");
    bed_run(b, 3600 * US_PER_S);
    bed_restart(b);
    user_edit(w, 0, KIND_CONTACT, ann, F_EMAIL, "ann@x.org");
    bed_run(b, 3600 * US_PER_S);
    assert_int_equal(w->counts.creates, sent);
    assert_int_equal(bed_failures_of(b, "UNKNOWN_OUTCOME"), 1);
    must(admin_failure_retry(b->engine, &(struct failure_pick){.connection = "c"}, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(w->counts.creates, sent + 1);
    assert_string_equal(live_one(w, 1, "Ann")->v[F_PHONE], "+551");
    assert_int_equal(bed_failures_of(b, NULL), 0);
}

static void retried(struct bed *b)
{
    struct err e = {0};
    must(admin_failure_retry(b->engine, &(struct failure_pick){.connection = "c"}, NULL, &e), &e);
    bed_run(b, 900 * US_PER_S);
}

/* The one that comes back finds its place taken. A retry that changes nothing leaves it told; one after its successor
 * is gone gives it its place. proves: S1-19 V4 */
static void a_place_is_taken(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    struct twin_record *first = live_one(w, 1, "Ann");
    put_into(w, 1, first, TL_STATE_TRASHED);
    user_edit(w, 0, KIND_CONTACT, ann, F_TITLE, "Director");
    bed_run(b, 900 * US_PER_S);
    struct twin_record *second = live_one(w, 1, "Ann");
    put_into(w, 1, first, TL_STATE_LIVE);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "ALREADY_MAPPED"), 1);
    retried(b);
    assert_int_equal(bed_failures_of(b, "ALREADY_MAPPED"), 1);
    put_into(w, 1, second, TL_STATE_DELETED);
    bed_run(b, 900 * US_PER_S);
    retried(b);
    assert_int_equal(bed_failures_of(b, NULL), 0);
    user_edit(w, 1, KIND_CONTACT, first, F_EXTRA, "Sales");
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(ann->v[F_EXTRA], "Sales");
    assert_string_equal(first->v[F_TITLE], "Director");
}

/* A second record bears the mark of a counterpart. It is told, and gets no counterpart of its own: not when it is
 * edited, and not by a retry. proves: V3 */
static void one_mark_twice(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    user_create(w, 0, KIND_CONTACT, "", "Ann");
    bed_start(b);
    struct twin_record *first = live_one(w, 1, "Ann");
    struct twin_record *second = user_create(w, 1, KIND_CONTACT, "", "Anna");
    memcpy(second->stamp, first->stamp, sizeof second->stamp);
    bed_run(b, 900 * US_PER_S);
    assert_int_equal(bed_failures_of(b, "DUPLICATE_CREATED"), 1);
    user_edit(w, 1, KIND_CONTACT, second, F_TITLE, "Director");
    bed_run(b, 900 * US_PER_S);
    retried(b);
    assert_int_equal(bed_failures_of(b, "DUPLICATE_CREATED"), 1);
    assert_int_equal(bed_count(w, 0, KIND_CONTACT), 1);
}

/* The vendor takes conditions and tells time in seconds. What we wrote is not read again before somebody edits it
 * within its second, and the next write, of another field, passes: what is read after it is not all ours.
 * proves: V4 V7 */
static void an_edit_that_no_condition_sees(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    w->knobs.can[1][KIND_CONTACT] |= TL_CAN_CONDITIONAL;
    struct err e = {0};
    must(admin_endpoint_check(b->engine, "sales", bed_checked, b, &e), &e);
    struct twin_record *ann = user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    bed_start(b);
    struct twin_record *twin = live_one(w, 1, "Ann");
    edited_and_told(b, ann, F_TITLE, "Director");
    until_waits(b, CALL_PUSH, 1);
    while (strcmp(twin->v[F_TITLE], "Director") != 0)
        assert_true(twin_step(&b->twin));
    int64_t second = twin->modified_us;
    user_edit(w, 1, KIND_CONTACT, twin, F_TITLE, "Chair");
    assert_int_equal(twin->modified_us, second);
    twin->visible_us = w->now_us + 60 * US_PER_S; /* its commit shows late */
    until_waits(b, CALL_GET, 1);
    lose_answers(b, CALL_GET, 1);
    bed_restart(b);
    edited_and_told(b, ann, F_PHONE, "+551");
    bed_run(b, 900 * US_PER_S);
    assert_string_equal(twin->v[F_PHONE], "+551");
    assert_string_equal(twin->v[F_TITLE], "Chair");
    assert_string_equal(ann->v[F_TITLE], "Chair");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_predecessor_returns, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(made_anew_after_successors, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(an_edit_in_the_second_of_a_write, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(two_writes_at_once, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(agreed_values_are_lost, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(a_create_nobody_can_tell, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(a_blank_stays_no_edit, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(written_and_thrown_away, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(written_and_edited, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(decided_while_read_only, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(writable_again_meanwhile, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(a_place_is_taken, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(one_mark_twice, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(an_edit_that_no_condition_sees, bed_setup, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
