#ifndef RIG_H
#define RIG_H
/* A database in a directory of its own, with simulated time, two endpoints, and a link between their contacts. */
#include <stdlib.h>

#include "unit/unit.h"

#include "attention.h"
#include "connections.h"
#include "endpoints.h"
#include "env.h"
#include "failures.h"
#include "feeds.h"
#include "hooks.h"
#include "intents.h"
#include "obs.h"
#include "pairs.h"
#include "records.h"
#include "runs.h"
#include "secrets.h"

#define RIG_START INT64_C(1767225600000000)

struct rig {
    char dir[64], path[96];
    struct env_sim sim;
    struct seal_key key;
    struct db_options options;
    struct db *db;
    struct arena a; /* for what a test reads */
    struct err e;
    int64_t endpoint[2], feed[2], connection, link;
};

/* cmocka setup and teardown; *state is the rig. rig_setup_bare makes no rows. */
int rig_setup(void **state);
int rig_setup_bare(void **state);
int rig_teardown(void **state);
void rig_open(struct rig *r);
void rig_close(struct rig *r);
void rig_reopen(struct rig *r);
void rig_fill(struct rig *r);                 /* endpoints, feeds, connection, link */
void rig_sql(struct rig *r, const char *sql); /* on a connection of its own, beside the store */
int64_t rig_number(struct rig *r, const char *sql);

/* A live record of the rig's feed of that side, with this text as its observation. */
int64_t rig_record(struct rig *r, enum side s, const char *id, const char *observation);
/* A pair of the rig's link; rec 0: side is empty. */
int64_t rig_pair(struct rig *r, int64_t a_rec, int64_t b_rec);
str rig_observation(struct rig *r, const char *text); /* one text value in the form of obs.h */

#define ok(call) assert_int_equal_ok((call), &rig_error(state)->e, __FILE__, __LINE__)
struct rig *rig_error(void **state);
void assert_int_equal_ok(int rc, const struct err *e, const char *file, int line);
#define UNIT(test)      cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
#define UNIT_BARE(test) cmocka_unit_test_setup_teardown(test, rig_setup_bare, rig_teardown)
#endif
