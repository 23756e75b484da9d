/* The check of the whole database finds what does not fit (V1 V2 V3 V14 V18), and mends counts and rows of what is
 * gone. */
#include "erased.h"
#include "fsck.h"
#include "rig.h"

#include <sqlite3.h>
#include <string.h>

struct seen {
    char text[4096];
    int n;
};

static void note(void *arg, const struct fsck_finding *f)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);
    snprintf(s->text + at, sizeof s->text - at, "%s %s: %s\n", f->check, f->object, f->text);
    s->n++;
    assert_true(f->hint[0] != 0);
}

static struct seen look(struct rig *r, int64_t connection)
{
    struct seen s = {.text = ""};
    struct fsck f;
    struct db *reader;
    void *state_of = r, **state = &state_of;
    bool end = false;
    ok(db_open_reader(&reader, &r->options, &r->e));
    ok(fsck_begin(&f, reader, connection, &r->e));
    while (!end) {
        ok(db_begin(reader, &r->e));
        ok(fsck_slice(&f, reader, 2, note, &s, &end, &r->e));
        db_rollback(reader);
    }
    assert_int_equal(f.findings + f.notes, s.n);
    db_close(reader);
    return s;
}

static void whole(struct rig *r, int n)
{
    for (int i = 0; i < n; i++) {
        char id[8];
        snprintf(id, sizeof id, "a%d", i);
        int64_t a = rig_record(r, SIDE_A, id, "x");
        id[0] = 'b';
        rig_pair(r, a, rig_record(r, SIDE_B, id, "x"));
    }
}

static void a_sound_database_has_no_findings(void **state)
{
    struct rig *r = *state;
    whole(r, 7);
    struct seen s = look(r, 0);
    assert_string_equal(s.text, "");
    s = look(r, r->connection);
    assert_string_equal(s.text, "");
}

static void what_does_not_fit_is_named(void **state)
{
    struct rig *r = *state;
    whole(r, 5);
    rig_sql(r, "UPDATE record SET observation = x'0102' WHERE rec = 1");
    rig_sql(r, "UPDATE pair SET intent = 99 WHERE pair = 2");
    rig_sql(r, "UPDATE pair SET status = 1 WHERE pair = 3");
    rig_sql(r, "UPDATE pair SET b_base = x'010203040506070809' WHERE pair = 4");
    rig_sql(r, "UPDATE tally SET n = n + 4 WHERE what = 1");
    rig_sql(r, "UPDATE record SET stamp = 'us.lost' WHERE rec = (SELECT b_rec FROM pair WHERE pair = 5)");
    rig_sql(r, "UPDATE pair SET b_rec = NULL WHERE pair = 5");
    rig_sql(r, "UPDATE link SET phase = 4");
    struct seen s = look(r, 0);
    assert_non_null(strstr(s.text, "checksum record \"a0\": what was read"));
    assert_non_null(strstr(s.text, "V2 pair 2: its open write"));
    assert_non_null(strstr(s.text, "V18 pair 3: it is parked"));
    assert_non_null(strstr(s.text, "checksum pair 4: what both"));
    assert_non_null(strstr(s.text, "V3 record \"b4\": it bears"));
    assert_non_null(strstr(s.text, "tally pairs of link"));
    assert_non_null(strstr(s.text, ": 9 are counted, 5 are there"));
    struct seen of_it = look(r, r->connection);
    assert_int_equal(of_it.n, s.n);
}

/* V14: what a run counts is what its rows say. */
static void a_run_that_does_not_add_up_is_named(void **state)
{
    struct rig *r = *state;
    struct run run = {.connection = r->connection, .link = r->link, .kind = RUN_LIVE, .made_us = RIG_START};
    ok(run_create(r->db, &run, &r->e));
    struct change c = {.run = run.run, .pair = 1, .side = 1, .op = 2, .id = STR("x"), .at_us = RIG_START};
    ok(change_add(r->db, &c, &r->e));
    struct run_count n = {.link = r->link, .to = 1, .updated = 1};
    ok(run_count_add(r->db, run.run, &n, &r->e));
    run.state = RUN_SUCCEEDED;
    run.ended_us = RIG_START;
    ok(run_update(r->db, &run, &r->e));
    env_sim_advance(&r->sim, 3600 * INT64_C(1000000));
    assert_string_equal(look(r, 0).text, "");
    ok(change_add(r->db, &c, &r->e));
    assert_non_null(strstr(look(r, 0).text, "V14 run 1: it counts 1 writes, its rows are 0 creates and 2 changes"));
}

static void counts_and_rows_of_what_is_gone_are_mended(void **state)
{
    struct rig *r = *state;
    struct fsck_tally *list;
    size_t n;
    int64_t orphans;
    whole(r, 3);
    rig_sql(r, "UPDATE tally SET n = n - 2 WHERE what = 2");
    rig_sql(r, "INSERT INTO parked VALUES(77, 1, 1, 0, 5, 5)");
    rig_sql(r, "INSERT INTO lookup VALUES(1, 1, 'gone', 4711), (1, 3, 123456789, 4711)");
    assert_int_equal(look(r, 0).n, 2);
    ok(fsck_tallies(r->db, &r->a, &list, &n, &r->e));
    assert_int_equal(n, 1);
    assert_int_equal(list[0].counted - list[0].stored, 2);
    whole(r, 0);
    rig_pair(r, rig_record(r, SIDE_A, "n", "x"), rig_record(r, SIDE_B, "n", "x")); /* counted in between */
    ok(fsck_tally_mend(r->db, &list[0], &r->e));
    ok(fsck_orphans_drop(r->db, 2, &orphans, &r->e));
    assert_int_equal(orphans, 2);
    ok(fsck_orphans_drop(r->db, 2, &orphans, &r->e));
    assert_int_equal(orphans, 1);
    assert_string_equal(look(r, 0).text, "");
}

/* What lies in a lost stretch is met by no walk over its feed. */
static void a_lost_stretch_is_found_and_put_back(void **state)
{
    struct rig *r = *state;
    int64_t n = 0;
    whole(r, 3);
    rig_sql(r, "DELETE FROM stretch WHERE owner = 1");
    rig_sql(r, "INSERT INTO stretch VALUES(4711, 0)");
    struct seen s = look(r, 0);
    assert_int_equal(s.n, 4);
    assert_non_null(strstr(s.text, "stretch record \"a0\": walks over its feed pass it by"));
    assert_non_null(strstr(s.text, "orphan database: 1 rows belong to"));
    ok(fsck_stretches_lost(r->db, &n, &r->e));
    assert_int_equal(n, 1);
    ok(fsck_stretches_mend(r->db, 10, &n, &r->e));
    assert_int_equal(n, 1);
    ok(fsck_orphans_drop(r->db, 10, &n, &r->e));
    assert_int_equal(n, 1);
    assert_string_equal(look(r, 0).text, "");
}

static void a_sidecar_of_another_database_is_told(void **state)
{
    struct rig *r = *state;
    char path[128];
    snprintf(path, sizeof path, "%s.seal", r->path);
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    fputs("tieline 2 zzzzzzzzzzzzzzzz", f);
    fclose(f);
    assert_non_null(strstr(look(r, 0).text, "sidecar tieline.db.seal: it belongs to another database"));
}

/* What was erased with its person must not be there. */
static void an_erased_record_that_is_stored(void **state)
{
    struct rig *r = *state;
    struct endpoint ep = {0};
    struct feed f = {0};
    int64_t erasure = 0;
    whole(r, 3);
    ok(endpoint_get(r->db, &r->a, r->endpoint[0], &ep, &r->e));
    ok(feed_get(r->db, &r->a, r->feed[0], &f, &r->e));
    const struct erased_name name = {ep.system, ep.org_key, f.kind, STR("a1")};
    ok(db_begin(r->db, &r->e));
    ok(erasure_add(r->db, STR("admin"), &erasure, &r->e));
    ok(erased_put(r->db, erasure, &name, &r->e));
    ok(db_commit(r->db, &r->e));
    struct seen s = look(r, 0);
    assert_string_equal(s.text, "erased record \"a1\": it was erased with its person, and is stored\n");
}

/* What somebody else put into the database, took away or changed. */
static void a_foreign_schema_is_told(void **state)
{
    struct rig *r = *state;
    sqlite3 *handle = NULL;
    whole(r, 1);
    assert_int_equal(sqlite3_open(r->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle,
                                  "CREATE TABLE loot(x); CREATE VIEW peek AS SELECT * FROM pair;"
                                  "CREATE TRIGGER leak AFTER UPDATE ON pair BEGIN INSERT INTO loot VALUES(1); END;"
                                  "DROP INDEX parked_at; ALTER TABLE held ADD COLUMN more TEXT",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(handle);
    struct seen s = look(r, 0);
    assert_string_equal(s.text, "schema table \"held\": it is not as this version makes it\n"
                                "schema table \"loot\": it is none of tieline's\n"
                                "schema trigger \"leak\": it is none of tieline's (of table \"pair\")\n"
                                "schema view \"peek\": it is none of tieline's\n"
                                "schema index \"parked_at\": it is missing (of table \"parked\")\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_sound_database_has_no_findings),
        UNIT(an_erased_record_that_is_stored),
        UNIT(what_does_not_fit_is_named),
        UNIT(a_run_that_does_not_add_up_is_named),
        UNIT(counts_and_rows_of_what_is_gone_are_mended),
        UNIT(a_lost_stretch_is_found_and_put_back),
        UNIT(a_sidecar_of_another_database_is_told),
        UNIT(a_foreign_schema_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
