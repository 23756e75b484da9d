#ifndef VENDORS_H
#define VENDORS_H
/* Two vendors in memory with N records of one kind each, known to both, behind the engine's dispatcher: for measuring
 * what a change costs the host when there are very many records. A record is computed from its number and its version,
 * so a million of them take 24 MB; nothing here is random or waits. Several stand side by side: a dispatcher of their
 * owner's hands each its calls with vendors_take. */
#include "call.h"
#include "env.h"

enum { CHANGES_KEPT = 1 << 17, VENDORS_MAX = 1 << 20 };
#define NOT_THERE UINT32_MAX /* a version: that side has no such record */

struct vendors;
struct vendor {
    int64_t endpoint;
    uint32_t *version; /* [n] grows with every change */
    uint32_t *log;     /* [kept] numbers of the changed records, a ring */
    uint64_t logged, kept;
    int64_t pushed, created, refused, pulls, throttled;
    bool hidden;                                        /* tells of no record: while the links are set up */
    void (*instead)(struct vendors *v, struct call *c); /* answers the next pull of changes */
    int64_t until_us;                                   /* mono: refuses every call before, and says so */
    int room;                                           /* calls at once */
    int out;
};
struct vendors {
    struct env_sim *sim;
    uint32_t n;
    const char *kind;
    const char *kinds;    /* what discover describes, comma separated */
    bool conditional;     /* a write may name the version it builds on: no read before it */
    bool scattered;       /* ids do not rise with the numbers */
    unsigned refuse_each; /* every so many-th create is refused; 0: none */
    struct vendor side[2];
    struct call *queue;
    struct dispatcher dispatcher;
};

void vendors_init(struct vendors *v, struct env_sim *sim, uint32_t n);
void vendors_done(struct vendors *v);
bool vendors_step(struct vendors *v);                       /* answers one waiting call; false: none */
void vendors_take(struct vendors *v, struct call *c);       /* a call for one of its sides */
void vendors_empty(struct vendors *v, int side);            /* that side has no record */
void vendors_edit(struct vendors *v, int side, uint32_t k); /* as a user would */

/* One record as the vendor would tell it now, and the checkpoint that a pull ends with, at the end of the reply. */
void vendors_emit(const struct vendors *v, int side, const tl_shape *shape, uint32_t k, struct reply *reply);
void vendors_checkpoint(const struct vendors *v, int side, int32_t mode, struct reply *reply);

/* One record as the vendor would tell it now; values [CONTACT_FIELDS], their texts in a. */
enum { CONTACT_FIELDS = 6 };
void vendors_record(const struct vendors *v, int side, uint32_t k, struct arena *a, tl_record *out, tl_value *values);
const char *vendors_path(unsigned field); /* canonical path of a field, NULL behind the last */
/* When the record with this version was changed. */
int64_t vendors_modified_us(uint32_t version);
#endif
