/* Sign-ins that wait for their answer: good once, for one admin and one endpoint, for ten minutes, and not without end.
 */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "sign_ins.h"
#include "times.h"

static const char uri[] = "http://localhost:8447/tieline";

struct bench {
    struct env_sim sim;
    struct sign_ins *all;
};

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    env_sim_init(&b->sim, 7, INT64_C(1800000000) * US_PER_S);
    b->all = sign_ins_new(&b->sim.env);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    sign_ins_free(b->all);
    free(b);
    return 0;
}

/* Begins one and copies its state. */
static void begin(struct bench *b, int64_t endpoint, const char *who, char state[AUTH_TICKET_SIZE])
{
    const struct sign_in_wait *w;
    struct err e = {0};
    assert_int_equal(sign_ins_begin(b->all, endpoint, who, uri, &w, &e), TL_OK);
    assert_string_not_equal(w->state, w->verifier);
    snprintf(state, AUTH_TICKET_SIZE, "%s", w->state);
}

static int take_it(struct bench *b, const char *state, int64_t endpoint, const char *who)
{
    struct sign_in_wait w = {.endpoint = 0};
    struct err e = {0};
    int rc = sign_ins_take(b->all, str_of(state), endpoint, who, &w, &e);
    assert_int_equal(rc == TL_OK,
                     w.endpoint == endpoint && strcmp(w.state, state) == 0 && strcmp(w.redirect_uri, uri) == 0);
    assert_true(rc == TL_OK || e.hint[0]);
    assert_true(!*state || !strstr(e.text, state));
    return rc;
}

static void test_once(void **state)
{
    struct bench *b = *state;
    char one[AUTH_TICKET_SIZE], two[AUTH_TICKET_SIZE];
    begin(b, 1, "ana", one);
    begin(b, 1, "ana", two);
    assert_string_not_equal(one, two);
    assert_int_equal(take_it(b, one, 1, "ana"), TL_OK);
    assert_int_equal(take_it(b, one, 1, "ana"), E_PRECONDITION);
    assert_int_equal(take_it(b, two, 1, "ana"), TL_OK);
}

static void test_whose(void **state)
{
    struct bench *b = *state;
    char one[AUTH_TICKET_SIZE];
    begin(b, 1, "ana", one);
    assert_int_equal(take_it(b, one, 1, "ben"), E_PRECONDITION);
    assert_int_equal(take_it(b, one, 2, "ana"), E_PRECONDITION);
    assert_int_equal(take_it(b, "", 1, "ana"), E_PRECONDITION);
    one[0] = one[0] == 'A' ? 'B' : 'A';
    assert_int_equal(take_it(b, one, 1, "ana"), E_PRECONDITION);
    begin(b, 1, "ben", one); /* two admins of one endpoint do not meet */
    assert_int_equal(take_it(b, one, 1, "ben"), TL_OK);
}

static void test_ends(void **state)
{
    struct bench *b = *state;
    char one[AUTH_TICKET_SIZE];
    begin(b, 1, "ana", one);
    env_sim_advance(&b->sim, 599 * US_PER_S);
    char two[AUTH_TICKET_SIZE];
    begin(b, 1, "ana", two);
    assert_true(sign_ins_cancel(b->all, str_of(two), 1, "ana"));
    assert_int_equal(take_it(b, two, 1, "ana"), E_PRECONDITION);
    env_sim_advance(&b->sim, US_PER_S);
    assert_int_equal(take_it(b, one, 1, "ana"), E_PRECONDITION);
}

static void test_not_without_end(void **state)
{
    struct bench *b = *state;
    char first[AUTH_TICKET_SIZE], second[AUTH_TICKET_SIZE], other[AUTH_TICKET_SIZE], who[24];
    begin(b, 1, "ben", other);
    begin(b, 1, "ana", first);
    begin(b, 1, "ana", second);
    for (int i = 2; i <= SIGN_INS_OF_ONE; i++)
        begin(b, 1, "ana", (char[AUTH_TICKET_SIZE]){0});
    assert_int_equal(take_it(b, first, 1, "ana"), E_PRECONDITION); /* the oldest of her own */
    assert_int_equal(take_it(b, second, 1, "ana"), TL_OK);
    assert_int_equal(take_it(b, other, 1, "ben"), TL_OK);
    const struct sign_in_wait *w = NULL;
    struct err e = {0};
    for (int i = 0; i < SIGN_INS_MAX; i++) {
        snprintf(who, sizeof who, "admin %d", i);
        if (sign_ins_begin(b->all, 1, who, uri, &w, &e))
            break;
    }
    assert_int_equal(e.status, E_BUSY);
    env_sim_advance(&b->sim, 600 * US_PER_S);
    assert_int_equal(sign_ins_begin(b->all, 1, "ana", uri, &w, &e), TL_OK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(test_once), T(test_whose), T(test_ends), T(test_not_without_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
