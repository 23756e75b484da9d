/* The files of the database: taken by one process, and noticed when they go. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"

static void beside(const struct rig *r, const char *ending, char out[160])
{
    snprintf(out, 160, "%s%s", r->path, ending);
}

static void a_removed_lock_file_lets_no_second_one_in(void **state)
{
    struct rig *r = *state;
    char lock[160];
    struct db *second = NULL;
    beside(r, ".lock", lock);
    assert_int_equal(unlink(lock), 0);
    assert_int_equal(db_open(&second, &r->options, &r->e), E_BUSY);
    assert_null(second);
    rig_reopen(r);
    assert_int_equal(db_origin(r->db), DB_CONTINUED);
}

static void a_removed_database_is_noticed(void **state)
{
    struct rig *r = *state;
    char kept[160];
    beside(r, ".kept", kept);
    ok(db_present(r->db, &r->e));
    assert_int_equal(link(r->path, kept), 0); /* another name is no other file */
    ok(db_present(r->db, &r->e));
    assert_int_equal(unlink(r->path), 0);
    assert_int_equal(db_present(r->db, &r->e), E_STORAGE);
    assert_string_equal(r->e.code, "STORAGE_GONE");
    assert_non_null(strstr(r->e.text, r->path));
    assert_true(r->e.hint[0] != 0);
    assert_int_equal(db_probe(r->db, &r->e), E_STORAGE);
    FILE *other = fopen(r->path, "w");
    assert_non_null(other);
    fclose(other);
    assert_int_equal(db_present(r->db, &r->e), E_STORAGE);
    assert_non_null(strstr(r->e.text, "another file"));
    assert_int_equal(rename(kept, r->path), 0); /* back */
    ok(db_present(r->db, &r->e));
    ok(db_probe(r->db, &r->e));
}

static void no_new_database_where_one_was(void **state)
{
    struct rig *r = *state;
    char seal[160], path[160];
    struct stat st;
    static const char *const files[] = {"", "-wal", "-shm"};
    rig_close(r);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        beside(r, files[i], path);
        unlink(path);
    }
    for (int empty = 0; empty < 2; empty++) {
        assert_int_equal(db_open(&r->db, &r->options, &r->e), E_PRECONDITION);
        assert_non_null(strstr(r->e.text, "is gone"));
        assert_non_null(strstr(r->e.hint, "backup"));
        assert_int_equal(stat(r->path, &st) == 0, empty); /* and none is left behind */
        FILE *made = fopen(r->path, "w");
        assert_non_null(made);
        fclose(made);
    }
    beside(r, ".seal", seal);
    assert_int_equal(unlink(seal), 0); /* to begin anew is asked for so */
    rig_open(r);
    assert_int_equal(db_origin(r->db), DB_CREATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_removed_lock_file_lets_no_second_one_in, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_removed_database_is_noticed, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(no_new_database_where_one_was, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
