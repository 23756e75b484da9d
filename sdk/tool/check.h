#ifndef CHECK_H
#define CHECK_H
/* tieline-sdk check: many small tests of one connector. Each runs in a child process of its own, with its own vendor
 * and a time limit, so that a connector that crashes or hangs spoils one line and no more. */
#include <jansson.h>

#include "check_fault.h"
#include "grade.h"
#include "stand.h"

/* One test, in its child. Functions marked so end the child. */
struct check {
    struct project *project;
    struct stand stand;
    struct seat seat;
    struct fault fault; /* what the seat's host does wrong */
    uint64_t seed;
    uint32_t rounds; /* of the fuzz tests */
    uint32_t serial; /* of values made up so far */
    int to;          /* pipe to the parent */
};

struct check_test {
    const char *name; /* "pull.resume" */
    enum grade grade; /* fails below it when this fails */
    bool endpoint;    /* needs a vendor */
    void (*run)(struct check *c);
    const char *what; /* one line: what holds when it passes */
};
extern const struct check_test check_binary[], check_life[], check_discover[], check_pull[], check_moving[],
    check_push[], check_view[], check_action[], check_robust[]; /* each ends with a name NULL */

/* ---- how a test ends */
_Noreturn void check_fail(struct check *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
_Noreturn void check_refuse(struct check *c, const char *fmt, ...)
    PRINTF_LIKE(2, 3); /* check.ini is wrong: no more tests */
_Noreturn void check_not_for(struct check *c, const char *fmt, ...) PRINTF_LIKE(2, 3); /* does not apply to it */
void check_note(struct check *c, const char *fmt, ...) PRINTF_LIKE(2, 3);              /* shown, no failure */
void check_at(struct check *c, const char *fmt, ...) PRINTF_LIKE(2, 3); /* where a crash or hang will have been */

/* ---- a connector at work */
void check_open(struct check *c, bool isolated);       /* stand and seat; prepares the vendor, learns the kinds */
void check_reseat(struct check *c);                    /* a new instance in place of the old one */
void check_run(struct check *c, struct call *call);    /* on the seat, with c->fault; any end but a crash */
void check_run_ok(struct check *c, struct call *call); /* fails unless it ends with TL_OK */
/* The k-th kind that is to be tested and has all of these TL_CAN_* bits; NULL: no more. */
const struct stand_kind *check_kind(const struct check *c, uint32_t can, uint32_t k);
/* As it, but the test does not apply when not even one has them. words: "creates records". */
void check_kinds_needed(struct check *c, uint32_t can, const char *words);
int check_threads(void);
int check_descriptors(void);
uint64_t check_random(uint64_t *state);
#endif
