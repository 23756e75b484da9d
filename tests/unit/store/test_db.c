/* Opening, transactions, identity, restored databases, migrations, backup, checks. */
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"
#include "schema.h"

static void a_new_database_has_an_identity_that_stays(void **state)
{
    struct rig *r = *state;
    assert_int_equal(db_origin(r->db), DB_CREATED);
    char instance[16];
    uint8_t key[32];
    snprintf(instance, sizeof instance, "%s", db_instance(r->db));
    memcpy(key, db_instance_key(r->db), sizeof key);
    assert_int_equal(strlen(instance), 8);
    rig_reopen(r);
    assert_int_equal(db_origin(r->db), DB_CONTINUED);
    assert_string_equal(db_instance(r->db), instance);
    assert_memory_equal(db_instance_key(r->db), key, sizeof key);
}

static void files_are_closed_to_others(void **state)
{
    struct rig *r = *state;
    static const char *const names[] = {"", "-wal", "-shm", ".seal", ".lock"};
    ok(meta_set_i64(r->db, "x", 1, &r->e));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[128];
        struct stat st;
        snprintf(path, sizeof path, "%s%s", r->path, names[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 077, 0);
    }
}

static void a_second_process_is_refused(void **state)
{
    struct rig *r = *state;
    struct db *second = NULL;
    assert_int_equal(db_open(&second, &r->options, &r->e), E_BUSY);
    assert_null(second);
    assert_non_null(strstr(r->e.text, "in use by another process"));
    assert_true(r->e.hint[0] != 0);
}

static void a_transaction_is_all_or_nothing(void **state)
{
    struct rig *r = *state;
    int64_t n;
    ok(db_begin(r->db, &r->e));
    ok(meta_set_i64(r->db, "a", 1, &r->e));
    db_rollback(r->db);
    assert_int_equal(meta_get_i64(r->db, "a", &n, &r->e), TL_E_NOT_FOUND);
    ok(db_begin(r->db, &r->e));
    ok(meta_set_i64(r->db, "a", 2, &r->e));
    ok(db_commit(r->db, &r->e));
    rig_reopen(r);
    ok(meta_get_i64(r->db, "a", &n, &r->e));
    assert_int_equal(n, 2);
    assert_false(db_in_transaction(r->db));
}

/* Row ids are never reused, also across a restart and after the newest row was deleted. */
static void ids_are_never_given_twice(void **state)
{
    struct rig *r = *state;
    rig_fill(r);
    int64_t first = rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0);
    ok(pair_delete(r->db, first, &r->e));
    rig_reopen(r);
    int64_t second = rig_pair(r, rig_record(r, SIDE_A, "2", "x"), 0);
    assert_true(second > first);
    /* a rolled back id was never seen by anyone: it may come again, and the counter does not run away */
    ok(db_begin(r->db, &r->e));
    int64_t third = rig_pair(r, rig_record(r, SIDE_A, "3", "x"), 0);
    db_rollback(r->db);
    assert_int_equal(rig_pair(r, rig_record(r, SIDE_A, "3", "x"), 0), third);
}

/* ---- Restored databases ---- */

static void copy_file(const char *from, const char *to)
{
    char bytes[4096];
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    assert_non_null(in);
    assert_non_null(out);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, in)) > 0;)
        assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(in);
    fclose(out);
}

static void open_intent(struct rig *r, const char *id)
{
    struct intent_entry entry = {.pair = rig_pair(r, rig_record(r, SIDE_A, id, "x"), 0)};
    struct intent i = {.link = r->link,
                       .endpoint = r->endpoint[SIDE_B],
                       .side = SIDE_B,
                       .op = TL_OP_CREATE,
                       .made_us = RIG_START,
                       .n = 1,
                       .entries = &entry};
    assert_int_equal_ok(intent_open(r->db, &i, &r->e), &r->e, __FILE__, __LINE__);
    assert_int_equal_ok(db_seal_intent(r->db, i.intent, &r->e), &r->e, __FILE__, __LINE__);
}

static void an_older_copy_is_noticed(void **state)
{
    struct rig *r = *state;
    char backup[128];
    rig_fill(r);
    open_intent(r, "1");
    rig_reopen(r);
    assert_int_equal(db_origin(r->db), DB_CONTINUED);
    snprintf(backup, sizeof backup, "%s/backup.db", r->dir);
    ok(db_backup(r->db, backup, &r->e));
    open_intent(r, "2"); /* acted on after the backup */
    rig_close(r);
    copy_file(backup, r->path);
    rig_open(r);
    assert_int_equal(db_origin(r->db), DB_RESTORED);
    rig_reopen(r); /* and at every start until it is accepted */
    assert_int_equal(db_origin(r->db), DB_RESTORED);
    ok(db_begin(r->db, &r->e));
    assert_true(intent_reserve(r->db) > 2); /* not an id that was acted on */
    db_rollback(r->db);
    ok(db_accept_restored(r->db, &r->e));
    rig_reopen(r);
    assert_int_equal(db_origin(r->db), DB_CONTINUED);
}

static void a_copy_from_elsewhere_is_noticed(void **state)
{
    struct rig *r = *state;
    char seal[128];
    rig_fill(r);
    open_intent(r, "1");
    rig_close(r);
    snprintf(seal, sizeof seal, "%s.seal", r->path);
    assert_int_equal(unlink(seal), 0); /* the database alone came here */
    rig_open(r);
    assert_int_equal(db_origin(r->db), DB_RESTORED);
}

static void copy_of(struct rig *r, const char *name, bool back)
{
    static const char *const ends[] = {"", ".seal"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        AUTO(text_free) char *here = text_fmt("%s%s", r->path, ends[i]);
        AUTO(text_free) char *there = text_fmt("%s/%s%s", r->dir, name, ends[i]);
        copy_file(back ? there : here, back ? here : there);
    }
}

/* No intent moved since: only what was read, or edits whose writes are the same intents. */
static void an_older_copy_is_noticed_without_any_intent(void **state)
{
    struct rig *r = *state;
    char copy[128];
    rig_fill(r);
    snprintf(copy, sizeof copy, "%s/copy.db", r->dir);
    rig_close(r);
    copy_file(r->path, copy);
    rig_open(r);
    ok(meta_set_i64(r->db, "seen", 1, &r->e));
    rig_close(r);
    copy_file(copy, r->path);
    rig_open(r);
    assert_int_equal(db_origin(r->db), DB_RESTORED);
    ok(db_accept_restored(r->db, &r->e));
    rig_reopen(r);
    assert_int_equal(db_origin(r->db), DB_CONTINUED);
}

/* Taken by other means than ours while the daemon ran, and the daemon was killed: commits have made the sidecar older.
 */
static void a_copy_of_the_running_database_is_noticed_after_a_kill(void **state)
{
    struct rig *r = *state;
    char sql[160], copy[128];
    rig_fill(r);
    snprintf(copy, sizeof copy, "%s/copy.db", r->dir);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", copy);
    rig_sql(r, sql);
    env_sim_advance(&r->sim, 11 * INT64_C(1000000));
    rig_record(r, SIDE_A, "1", "x");
    char seal[128], kept[128]; /* as they are at the moment of the kill */
    snprintf(seal, sizeof seal, "%s.seal", r->path);
    snprintf(kept, sizeof kept, "%s/kept", r->dir);
    copy_file(seal, kept);
    rig_close(r);
    copy_file(kept, seal);
    copy_file(copy, r->path);
    rig_open(r);
    assert_int_equal(db_origin(r->db), DB_RESTORED);
}

static void a_directory_put_back_as_a_whole_is_noticed(void **state)
{
    struct rig *r = *state;
    rig_fill(r);
    open_intent(r, "1");
    rig_close(r);
    copy_of(r, "old", false);
    rig_open(r);
    assert_int_equal(db_origin(r->db), DB_CONTINUED); /* the copy harms nobody */
    open_intent(r, "2");
    rig_close(r);
    copy_of(r, "old", true); /* over the files that are there: the same inodes */
    rig_open(r);
    assert_int_equal(db_origin(r->db), DB_RESTORED);
    rig_reopen(r);
    assert_int_equal(db_origin(r->db), DB_RESTORED);
}

static void a_backup_is_noticed_wherever_it_is_put(void **state)
{
    struct rig *r = *state;
    char backup[128], seal[128];
    rig_fill(r);
    snprintf(backup, sizeof backup, "%s/backup.db", r->dir);
    snprintf(seal, sizeof seal, "%s.seal", r->path);
    ok(db_backup(r->db, backup, &r->e));
    rig_close(r);
    copy_file(backup, r->path);
    rig_open(r); /* with the sidecar of the moment of the backup */
    assert_int_equal(db_origin(r->db), DB_RESTORED);
    rig_close(r);
    assert_int_equal(unlink(seal), 0);
    rig_open(r); /* without any */
    assert_int_equal(db_origin(r->db), DB_RESTORED);
    ok(db_accept_restored(r->db, &r->e));
    rig_reopen(r);
    assert_int_equal(db_origin(r->db), DB_CONTINUED);
}

static void starts_and_ends_alone_are_no_restore(void **state)
{
    struct rig *r = *state;
    rig_fill(r);
    open_intent(r, "1");
    for (int i = 0; i < 5; i++) {
        rig_reopen(r);
        assert_int_equal(db_origin(r->db), DB_CONTINUED);
    }
}

/* ---- Migrations ---- */

static void a_newer_schema_is_refused(void **state)
{
    struct rig *r = *state;
    rig_close(r);
    rig_sql(r, "PRAGMA user_version = 99");
    assert_int_equal(db_open(&r->db, &r->options, &r->e), E_PRECONDITION);
    assert_string_equal(r->e.code, "SCHEMA_NEWER");
    assert_non_null(strstr(r->e.text, "has schema 99"));
    assert_true(r->e.hint[0] != 0);
}

static void a_foreign_database_is_refused_and_untouched(void **state)
{
    struct rig *r = *state;
    rig_close(r);
    unlink(r->path);

    {
        sqlite3 *s;
        assert_int_equal(sqlite3_open(r->path, &s), SQLITE_OK);
        assert_int_equal(sqlite3_exec(s, "CREATE TABLE mine(x)", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(s);
    }
    assert_int_equal(db_open(&r->db, &r->options, &r->e), E_PRECONDITION);
    assert_string_equal(r->e.code, "FOREIGN_DATABASE");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM sqlite_schema"), 1);
}

static void what_is_no_database_is_refused(void **state)
{
    struct rig *r = *state;
    rig_close(r);
    FILE *f = fopen(r->path, "w");
    for (int i = 0; i < 5000; i++)
        fputs("not a database ", f);
    fclose(f);
    assert_int_equal(db_open(&r->db, &r->options, &r->e), E_STORAGE);
    assert_string_equal(r->e.code, "STORAGE_CORRUPT");
    assert_non_null(strstr(r->e.text, r->path));
    assert_non_null(strstr(r->e.hint, "backup"));
}

static void a_missing_directory_is_named(void **state)
{
    struct rig *r = *state;
    struct db *db = NULL;
    struct db_options o = r->options;
    o.path = "/tmp/there-is-no-such-directory-here/x.db";
    assert_int_equal(db_open(&db, &o, &r->e), E_STORAGE);
    assert_non_null(strstr(r->e.text, "there-is-no-such-directory-here"));
}

/* Steps run in order inside one transaction; a step that fails leaves everything as it was. */
static void migrations_run_in_order_or_not_at_all(void **state)
{
    struct rig *r = *state;
    static const struct migration good[] = {
        {1, migration_sql_0001},
        {2, "CREATE TABLE second(x INTEGER) STRICT; INSERT INTO second VALUES(2)"},
        {3, "ALTER TABLE second ADD COLUMN y INTEGER; UPDATE second SET y = x + 1"},
    };
    static const struct migration bad[] = {
        {1, migration_sql_0001}, {2, "CREATE TABLE second(x INTEGER) STRICT"}, {3, "CREATE TABLE broken("}};
    rig_close(r);
    sqlite3 *s;
    struct schema_state found;
    assert_int_equal(sqlite3_open(r->path, &s), SQLITE_OK);
    ok(schema_check(s, r->path, bad, 3, &found, &r->e));
    assert_int_equal(found.version, 1);
    assert_int_equal(schema_migrate(s, r->path, bad, 3, 1, NULL, NULL, &r->e), E_STORAGE);
    assert_non_null(strstr(r->e.text, "migration 3"));
    assert_int_equal(rig_number(r, "PRAGMA user_version"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM sqlite_schema WHERE name = 'second'"), 0);
    ok(schema_migrate(s, r->path, good, 3, 1, NULL, NULL, &r->e));
    sqlite3_close(s);
    assert_int_equal(rig_number(r, "PRAGMA user_version"), 3);
    assert_int_equal(rig_number(r, "SELECT y FROM second"), 3);
    /* this version knows schema 1: it must now refuse */
    assert_int_equal(db_open(&r->db, &r->options, &r->e), E_PRECONDITION);
}

/* ---- Readers ---- */

static void a_reader_reads_and_cannot_write(void **state)
{
    struct rig *r = *state;
    struct db *reader;
    int64_t n;
    ok(meta_set_i64(r->db, "seen", 5, &r->e));
    ok(db_open_reader(&reader, &r->options, &r->e));
    ok(meta_get_i64(reader, "seen", &n, &r->e));
    assert_int_equal(n, 5);
    assert_string_equal(db_instance(reader), db_instance(r->db));
    assert_int_not_equal(meta_set_i64(reader, "seen", 6, &r->e), TL_OK);
    ok(meta_get_i64(r->db, "seen", &n, &r->e));
    assert_int_equal(n, 5);
    db_close(reader);
}

static void a_reader_sees_one_state_and_not_for_ever(void **state)
{
    struct rig *r = *state;
    struct db *reader;
    int64_t n;
    ok(meta_set_i64(r->db, "x", 1, &r->e));
    ok(db_open_reader(&reader, &r->options, &r->e));
    ok(db_begin(reader, &r->e));
    ok(meta_get_i64(reader, "x", &n, &r->e));
    ok(meta_set_i64(r->db, "x", 2, &r->e));
    ok(meta_get_i64(reader, "x", &n, &r->e));
    assert_int_equal(n, 1);
    env_sim_advance(&r->sim, DB_READ_MAX_US + 1);
    assert_int_equal(meta_get_i64(reader, "x", &n, &r->e), E_BUSY);
    db_rollback(reader);
    ok(meta_get_i64(reader, "x", &n, &r->e));
    assert_int_equal(n, 2);
    db_close(reader);
}

/* ---- Backup, checks, statistics ---- */

static void a_backup_is_one_whole_file(void **state)
{
    struct rig *r = *state;
    char to[128], wal[160];
    rig_fill(r);
    snprintf(to, sizeof to, "%s/copy.db", r->dir);
    ok(db_backup(r->db, to, &r->e));
    snprintf(wal, sizeof wal, "%s-wal", to);
    assert_int_not_equal(access(wal, F_OK), 0);
    struct stat st;
    assert_int_equal(stat(to, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
    struct db *copy;
    struct db_options o = r->options;
    o.path = to;
    ok(db_open(&copy, &o, &r->e));
    struct connection c;
    ok(connection_find(copy, &r->a, STR("desk-sf"), &c, &r->e));
    assert_string_equal(db_instance(copy), db_instance(r->db));
    db_close(copy);
}

static void a_backup_that_cannot_be_made_leaves_nothing(void **state)
{
    struct rig *r = *state;
    char to[128];
    snprintf(to, sizeof to, "%s/none/copy.db", r->dir);
    assert_int_equal(db_backup(r->db, to, &r->e), E_STORAGE);
    assert_non_null(strstr(r->e.text, "copy.db"));
    assert_int_not_equal(access(to, F_OK), 0);
}

struct check_result {
    atomic_int done;
    struct err e;
    int64_t bytes;
};

static void on_backed_up(void *arg, const struct err *result, int64_t bytes)
{
    struct check_result *c = arg;
    c->e = *result;
    c->bytes = bytes;
    atomic_store(&c->done, 1);
}

static void on_checked(void *arg, const struct err *result)
{
    struct check_result *c = arg;
    c->e = *result;
    atomic_store(&c->done, 1);
}

static void wait_for(struct check_result *c)
{
    while (!atomic_load(&c->done))
        sched_yield();
}

static void a_backup_runs_beside_the_writer(void **state)
{
    struct rig *r = *state;
    char to[128], part[136];
    struct check_result result = {0};
    rig_fill(r);
    snprintf(to, sizeof to, "%s/copy.db", r->dir);
    snprintf(part, sizeof part, "%s.part", to);
    ok(db_backup_start(r->db, to, on_backed_up, &result, &r->e));
    for (int i = 0; !atomic_load(&result.done); i++)
        ok(meta_set_i64(r->db, "x", i, &r->e));
    assert_int_equal(result.e.status, TL_OK);
    struct stat st;
    assert_int_equal(stat(to, &st), 0);
    assert_int_equal(st.st_size, result.bytes);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_not_equal(access(part, F_OK), 0);
    atomic_store(&result.done, 0);
    ok(db_backup_start(r->db, to, on_backed_up, &result, &r->e)); /* never over a file that is there */
    wait_for(&result);
    assert_int_equal(result.e.status, E_EXISTS);
    assert_non_null(strstr(result.e.text, "copy.db"));
}

static void closing_ends_a_backup(void **state)
{
    struct rig *r = *state;
    char to[128], part[136];
    struct check_result result = {0};
    snprintf(to, sizeof to, "%s/copy.db", r->dir);
    snprintf(part, sizeof part, "%s.part", to);
    db_backup_cancel(r->db);
    ok(db_backup_start(r->db, to, on_backed_up, &result, &r->e));
    rig_close(r); /* waits for its thread */
    assert_int_equal(atomic_load(&result.done), 1);
    assert_int_equal(result.e.status, TL_E_CANCELLED);
    assert_int_not_equal(access(to, F_OK), 0);
    assert_int_not_equal(access(part, F_OK), 0);
    rig_open(r);
}

static void a_sound_database_checks_as_sound(void **state)
{
    struct rig *r = *state;
    for (int full = 0; full < 2; full++) {
        struct check_result result = {0};
        ok(db_check_start(r->db, full, on_checked, &result, &r->e));
        wait_for(&result);
        assert_int_equal(result.e.status, TL_OK);
    }
}

static void a_damaged_page_is_found(void **state)
{
    struct rig *r = *state;
    rig_fill(r);
    for (int i = 0; i < 400; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i + 1);
        rig_record(r, SIDE_A, id, "some text that fills a page sooner or later, again and again and again");
    }
    rig_close(r);
    int fd = open(r->path, O_RDWR | O_CLOEXEC);
    int64_t page = rig_number(r, "SELECT rootpage FROM sqlite_schema WHERE name = 'record_remote'");
    uint8_t noise[64];
    memset(noise, 0xa5, sizeof noise);
    assert_int_equal(pwrite(fd, noise, sizeof noise, (page - 1) * 4096 + 8), sizeof noise);
    close(fd);
    rig_open(r);
    struct check_result result = {0};
    ok(db_check_start(r->db, false, on_checked, &result, &r->e));
    wait_for(&result);
    assert_int_equal(result.e.status, E_STORAGE);
    assert_string_equal(result.e.code, "STORAGE_CORRUPT");
    assert_true(result.e.detail[0] != 0);
}

static void closing_stops_a_check(void **state)
{
    struct rig *r = *state;
    struct check_result result = {0};
    ok(db_check_start(r->db, true, on_checked, &result, &r->e));
    rig_close(r); /* joins the thread whatever it is doing */
    rig_open(r);
}

static void the_checkpoint_thread_empties_the_log(void **state)
{
    struct rig *r = *state;
    rig_close(r);
    r->options.no_checkpoint_thread = false;
    rig_open(r);
    for (int i = 0; i < 50; i++)
        ok(meta_set_i64(r->db, "x", i, &r->e));
    struct db_stats s;
    db_stats(r->db, &s);
    assert_true(s.wal_pages > 0);
    assert_int_equal(s.commits, 50);
    rig_reopen(r); /* stops the thread at any moment */
    int64_t n;
    ok(meta_get_i64(r->db, "x", &n, &r->e));
    assert_int_equal(n, 49);
}

static void a_writer_alone_begins_the_log_anew_when_it_is_long(void **state)
{
    enum { LIMIT = 20 };
    struct rig *r = *state;
    rig_close(r);
    r->options.log_pages = LIMIT;
    rig_open(r);
    struct db_stats s;
    for (int i = 0; i < 10 * LIMIT; i++) {
        ok(meta_set_i64(r->db, "x", i, &r->e));
        db_stats(r->db, &s);
        assert_true(s.wal_pages < 2 * LIMIT);
    }
    rig_reopen(r);
    int64_t n;
    ok(meta_get_i64(r->db, "x", &n, &r->e));
    assert_int_equal(n, 10 * LIMIT - 1);
}

static void statistics_count_work(void **state)
{
    struct rig *r = *state;
    struct db_stats before, after;
    int64_t n;
    ok(meta_set_i64(r->db, "x", 1, &r->e));
    db_stats(r->db, &before);
    for (int i = 0; i < 10; i++)
        ok(meta_get_i64(r->db, "x", &n, &r->e));
    db_stats(r->db, &after);
    assert_true(after.vm_steps > before.vm_steps);
    assert_true(after.cache_hits + after.cache_misses > before.cache_hits + before.cache_misses);
    assert_true(after.page_count > 20);
}

static void the_identity_can_be_taken_over_while_there_is_no_pair(void **state)
{
    struct rig *r = *state;
    uint8_t key[32];
    memset(key, 9, sizeof key);
    ok(db_set_identity(r->db, "abcdefgh", key, &r->e));
    rig_reopen(r);
    assert_string_equal(db_instance(r->db), "abcdefgh");
    assert_memory_equal(db_instance_key(r->db), key, sizeof key);
    rig_fill(r);
    rig_pair(r, rig_record(r, SIDE_A, "1", "x"), 0);
    assert_int_equal(db_set_identity(r->db, "zzzzzzzz", key, &r->e), E_PRECONDITION);
    assert_string_equal(db_instance(r->db), "abcdefgh");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_BARE(a_new_database_has_an_identity_that_stays),
        UNIT_BARE(files_are_closed_to_others),
        UNIT_BARE(a_second_process_is_refused),
        UNIT_BARE(a_transaction_is_all_or_nothing),
        UNIT_BARE(ids_are_never_given_twice),
        UNIT_BARE(an_older_copy_is_noticed),
        UNIT_BARE(a_copy_from_elsewhere_is_noticed),
        UNIT_BARE(an_older_copy_is_noticed_without_any_intent),
        UNIT_BARE(a_copy_of_the_running_database_is_noticed_after_a_kill),
        UNIT_BARE(a_directory_put_back_as_a_whole_is_noticed),
        UNIT_BARE(a_backup_is_noticed_wherever_it_is_put),
        UNIT_BARE(starts_and_ends_alone_are_no_restore),
        UNIT_BARE(a_newer_schema_is_refused),
        UNIT_BARE(a_foreign_database_is_refused_and_untouched),
        UNIT_BARE(what_is_no_database_is_refused),
        UNIT_BARE(a_missing_directory_is_named),
        UNIT_BARE(migrations_run_in_order_or_not_at_all),
        UNIT_BARE(a_reader_reads_and_cannot_write),
        UNIT_BARE(a_reader_sees_one_state_and_not_for_ever),
        UNIT_BARE(a_backup_is_one_whole_file),
        UNIT_BARE(a_backup_that_cannot_be_made_leaves_nothing),
        UNIT_BARE(a_backup_runs_beside_the_writer),
        UNIT_BARE(closing_ends_a_backup),
        UNIT_BARE(a_sound_database_checks_as_sound),
        UNIT_BARE(a_damaged_page_is_found),
        UNIT_BARE(closing_stops_a_check),
        UNIT_BARE(the_checkpoint_thread_empties_the_log),
        UNIT_BARE(a_writer_alone_begins_the_log_anew_when_it_is_long),
        UNIT_BARE(statistics_count_work),
        UNIT_BARE(the_identity_can_be_taken_over_while_there_is_no_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
