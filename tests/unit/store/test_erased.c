/* A person is erased: nothing of them is left in any file, the history's sums and the audit's chain still hold, and
 * they are known by a mark that says nothing. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

#include "erased.h"
#include "passports.h"
#include "plans.h"

static const char CANARY[] = "canary-lovelace";
static const char ID[] = "canary-4711";

static int64_t in_file(const struct rig *r, const char *suffix, const char *what)
{
    char path[128];
    snprintf(path, sizeof path, "%s%s", r->path, suffix);
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    AUTO(buf_done) struct buf all = {0};
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;)
        buf_add(&all, part, n);
    fclose(f);
    return all.n && memmem(buf_text(&all), all.n, what, strlen(what)) != NULL;
}

static bool anywhere(const struct rig *r, const char *what)
{
    return in_file(r, "", what) || in_file(r, "-wal", what) || in_file(r, "-shm", what);
}

static void audit(struct rig *r, const char *detail)
{
    struct audit row = {.who = STR("admin"), .act = STR("pair.link"), .object = STR("help"), .detail = str_of(detail)};
    assert_int_equal_ok(audit_add(r->db, &row, &r->e), &r->e, __FILE__, __LINE__);
}

/* A pair of the person, with everything that may hang on one, among many others. */
static int64_t person(struct rig *r, int64_t rec[2])
{
    char detail[160];
    for (int i = 0; i < 400; i++) {
        char id[32], text[64];
        snprintf(id, sizeof id, "other-%03d", (i * 157) % 400);
        snprintf(text, sizeof text, "somebody else number %d", i);
        rig_record(r, SIDE_A, id, text);
    }
    rec[0] = rig_record(r, SIDE_A, ID, CANARY);
    rec[1] = rig_record(r, SIDE_B, "canary-b", CANARY);
    int64_t pair = rig_pair(r, rec[0], rec[1]);
    struct run run = {.connection = r->connection, .link = r->link, .kind = RUN_LIVE, .who = STR("engine")};
    assert_int_equal(run_create(r->db, &run, &r->e), TL_OK);
    snprintf(detail, sizeof detail, "[{\"before\":\"%s\"}]", CANARY);
    struct change c = {.run = run.run,
                       .pair = pair,
                       .op = TL_OP_UPDATE,
                       .id = str_of(ID),
                       .fields = str_of(detail),
                       .cause = STR("live"),
                       .at_us = RIG_START};
    assert_int_equal(change_add(r->db, &c, &r->e), TL_OK);
    struct failure f = {.link = r->link,
                        .pair = pair,
                        .id = str_of(ID),
                        .code = STR("TYPE_MISMATCH"),
                        .text = str_of(CANARY),
                        .vendor_text = str_of(CANARY),
                        .last_us = RIG_START};
    assert_int_equal(failure_note(r->db, &f, &r->e), TL_OK);
    struct failure other = {.link = r->link,
                            .id = STR("other-001"),
                            .code = STR("AMBIGUOUS"),
                            .last_us = RIG_START,
                            .text = STR("it matches CANARY-4711, and also xcanary-4711x")};
    assert_int_equal(failure_note(r->db, &other, &r->e), TL_OK);
    struct conflict k = {.pair = pair, .map_no = 1, .value = {str_of(CANARY), str_of(CANARY)}, .base = str_of(CANARY)};
    assert_int_equal(conflict_put(r->db, &k, &r->e), TL_OK);
    struct plan_item item = {.run = run.run,
                             .link = r->link,
                             .pair = pair,
                             .rec = {rec[0], rec[1]},
                             .detail = str_of(CANARY),
                             .fields = str_of(detail)};
    assert_int_equal(plan_item_put(r->db, &item, &r->e), TL_OK);
    struct lookup_key key = {.kind = LOOKUP_EMAIL, .text = str_of(CANARY)};
    assert_int_equal(lookup_change(r->db, r->feed[0], rec[0], NULL, 0, &key, 1, &r->e), TL_OK);
    struct passport_pair waits = {.link = r->link, .id = {str_of(ID), STR("canary-b")}};
    assert_int_equal(passport_pair_put(r->db, &waits, &r->e), TL_OK);
    struct inbox_row hook = {
        .endpoint = r->endpoint[0], .received_us = RIG_START, .body = STR("{\"id\":\"canary-4711\"}")};
    assert_int_equal(inbox_add(r->db, &hook, STR("key"), &r->e), TL_OK);
    int64_t feeds = 0;
    assert_int_equal(hint_put(r->db, r->endpoint[0], STR("contact"), str_of(ID), false, RIG_START, &feeds, &r->e),
                     TL_OK);
    audit(r, "nothing to see");
    snprintf(detail, sizeof detail, "{\"a_id\":\"%s\"}", ID);
    audit(r, detail);
    audit(r, "after it");
    return pair;
}

static int erase(struct rig *r, int64_t pair, const int64_t rec[2], struct erase_counts *n)
{
    int rc = db_begin(r->db, &r->e);
    if (rc == TL_OK)
        rc = erase_pair(r->db, pair, n, &r->e);
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        rc = erase_record(r->db, rec[s], n, &r->e);
    static const char *const words[] = {CANARY, ID, "canary-b"};
    for (size_t i = 0; i < ARRAY_LEN(words) && rc == TL_OK; i++)
        rc = erase_word(r->db, str_of(words[i]), n, &r->e);
    if (rc == TL_OK)
        rc = erase_compacts(r->db, &r->e);
    if (rc == TL_OK)
        return db_commit(r->db, &r->e);
    db_rollback(r->db);
    return rc;
}

static void nothing_is_left_in_any_file(void **state)
{
    struct rig *r = *state;
    int64_t rec[2], broken = 9, creates, changes, failures;
    struct erase_counts n = {0};
    int64_t pair = person(r, rec);
    assert_true(anywhere(r, CANARY) && anywhere(r, ID));
    ok(erase(r, pair, rec, &n));
    ok(db_compact(r->db, &r->e));
    assert_false(anywhere(r, CANARY));
    assert_int_equal(n.pairs, 1);
    assert_int_equal(n.records, 2);
    assert_int_equal(n.changes, 1);
    assert_int_equal(n.failures, 1);
    assert_int_equal(n.conflicts, 1);
    assert_int_equal(n.plan_rows, 1);
    assert_int_equal(n.lookups, 1);
    assert_int_equal(n.passport_pairs, 1);
    assert_int_equal(n.deliveries, 1);
    assert_int_equal(n.audit_rows, 1);
    assert_int_equal(n.texts, 1);
    struct failure *left;
    size_t n_left;
    struct failure_filter all = {0};
    ok(failure_list(r->db, &r->a, &all, 9, &left, &n_left, &r->e));
    assert_int_equal(n_left, 1);
    assert_str(left[0].text, "it matches (erased), and also xcanary-4711x");
    ok(audit_verify(r->db, &broken, &r->e));
    assert_int_equal(broken, 0);
    ok(run_accounting(r->db, 1, &creates, &changes, &failures, &r->e));
    assert_int_equal(changes, 1); /* the write is still counted */
}

static void delivery(struct rig *r, const char *query, const char *body)
{
    struct inbox_row row = {
        .endpoint = r->endpoint[0], .received_us = RIG_START, .query = str_of(query), .body = str_of(body)};
    assert_int_equal(inbox_add(r->db, &row, (str){0}, &r->e), TL_OK);
}

/* A sender writes an address into a query, or the body of a form, as those are written. */
static void deliveries_that_are_encoded(void **state)
{
    struct rig *r = *state;
    struct erase_counts n = {0};
    delivery(r, "from=ann%40x.org&to=1", "");
    delivery(r, "", "a=1&mail=ANN%40X.org");
    delivery(r, "name=Ann%20Lee", "");
    delivery(r, "name=Ann+Lee", "");
    delivery(r, "from=joann%40x.org&%4", "100% of ann and @x.org");
    ok(db_begin(r->db, &r->e));
    ok(erase_word(r->db, STR("ann@x.org"), &n, &r->e));
    assert_int_equal(n.deliveries, 2);
    ok(erase_word(r->db, STR("Ann Lee"), &n, &r->e));
    assert_int_equal(n.deliveries, 4);
    ok(db_commit(r->db, &r->e));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM inbox"), 1);
}

/* A crash between the commit and the compaction: the next start makes up for it. */
static void a_crash_before_the_compaction(void **state)
{
    struct rig *r = *state;
    int64_t rec[2];
    struct erase_counts n = {0};
    int64_t pair = person(r, rec);
    ok(erase(r, pair, rec, &n));
    rig_reopen(r);
    assert_false(anywhere(r, CANARY));
    assert_int_equal(rig_number(r, "SELECT value FROM meta WHERE key = 'compact_due'"), 0);
}

/* A delivery of an erased person, taken in and dropped; the process dies before its log is emptied. */
static void a_crash_before_the_log_is_emptied(void **state)
{
    struct rig *r = *state;
    rig_close(r);
    pid_t child = fork();
    if (child == 0) {
        rig_open(r);
        struct inbox_row row = {.endpoint = r->endpoint[0], .received_us = 1, .body = str_of(CANARY)};
        if (inbox_add(r->db, &row, (str){0}, &r->e) || db_begin(r->db, &r->e) || db_log_empty_soon(r->db, &r->e) ||
            inbox_done(r->db, row.inbox, &r->e) || db_commit(r->db, &r->e))
            _exit(1);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(anywhere(r, CANARY));
    rig_open(r);
    assert_false(anywhere(r, CANARY));
}

static void what_is_under_way_is_not_erased(void **state)
{
    struct rig *r = *state;
    int64_t rec[2];
    struct erase_counts n = {0};
    int64_t pair = person(r, rec);
    struct intent_entry entry = {.pair = pair, .id = str_of(ID)};
    struct intent i = {.link = r->link, .endpoint = r->endpoint[0], .op = TL_OP_UPDATE, .n = 1, .entries = &entry};
    ok(intent_open(r->db, &i, &r->e));
    assert_int_equal(erase(r, pair, rec, &n), E_PRECONDITION);
    assert_string_equal(r->e.code, "INTENT_OPEN");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM failure"), 2); /* all or nothing */
}

static void marks_say_nothing_and_are_found(void **state)
{
    struct rig *r = *state;
    const struct erased_name ada = {STR("desk"), STR("org1"), STR("contacts"), STR("canary-4711")};
    struct erased_name other = ada;
    int64_t first = 0, again = 0, lifted = 0;
    bool has = true;
    struct erasure *list;
    size_t n;
    ok(erased_has(r->db, &ada, &has, &r->e));
    assert_false(has);
    ok(db_begin(r->db, &r->e));
    ok(erasure_add(r->db, STR("uid 0 (root)"), &first, &r->e));
    ok(erased_put(r->db, first, &ada, &r->e));
    ok(db_commit(r->db, &r->e));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM erased WHERE mark LIKE '%4711%'"), 0);
    rig_reopen(r);
    ok(erased_has(r->db, &ada, &has, &r->e));
    assert_true(has);
    other.kind = STR("accounts");
    ok(erased_has(r->db, &other, &has, &r->e));
    assert_false(has);
    ok(erasure_list(r->db, &r->a, &list, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(list[0].records, 1);
    assert_str(list[0].who, "uid 0 (root)");
    ok(erased_find(r->db, &ada, &again, &r->e));
    assert_int_equal(again, first);
    ok(erasure_lift(r->db, first, &lifted, &r->e));
    assert_int_equal(lifted, 1);
    ok(erased_has(r->db, &ada, &has, &r->e));
    assert_false(has);
    assert_int_equal(erasure_lift(r->db, first, &lifted, &r->e), TL_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(nothing_is_left_in_any_file),     UNIT(deliveries_that_are_encoded),
        UNIT(a_crash_before_the_compaction),   UNIT(a_crash_before_the_log_is_emptied),
        UNIT(what_is_under_way_is_not_erased), UNIT(marks_say_nothing_and_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
