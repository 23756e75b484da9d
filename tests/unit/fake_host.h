#ifndef FAKE_HOST_H
#define FAKE_HOST_H
/* A host for one instance of any connector under test: keeps what the connector says, answers http() by a function of
 * the test. Everything is copied, so it can be looked at after the call. */
#include "arena.h"
#include "buf.h"
#include "tieline.h"

struct said_record {
    char id[64], version[64], into[64], stamp[64], by[64], url[256], note[256];
    int64_t modified_us, created_us;
    int32_t state;
    uint32_t flags, index, n_values;
    struct said_value {
        uint32_t field;
        uint8_t type;
        uint16_t aux;
        int64_t i;
        char text[128]; /* lists: joined by "|" */
    } * values;
};
struct said_result {
    bool given, has_record, full;
    tl_status status;
    int32_t created, reason;
    char id[64], code[64], field[64], text[256], detail[512];
};
struct said_checkpoint {
    char cursor[16384];
    int32_t mode, complete;
    int64_t server_us, estimate;
};
struct said_finding {
    int32_t level;
    char code[64], text[512], hint[256];
};
struct said_kind {
    char kind[32], stamp_field[64], label[64], about[64], filters[64];
    uint32_t can, max_batch, n_fields;
    tl_field *fields; /* texts copied too */
};
struct said_subscription {
    char id[64], audience[64];
};

struct fake_host {
    tl_host host; /* first: the connector gets &fake.host */
    struct arena arena;
    void *test;
    tl_status (*http)(struct fake_host *f, tl_http *r, uint32_t n, tl_error *e);
    tl_status (*auth_extra)(struct fake_host *f, const char *member, struct buf *out); /* NULL: the answer has none */
    bool (*record)(struct fake_host *f, const tl_record *r); /* sees each; false: it is not kept. NULL: all are */
    int64_t now_us;
    int32_t pages_left;               /* page budget of checkpoints; negative: none */
    struct said_record records[4096]; /* the first ones */
    uint32_t n_records;
    struct said_result results[512];
    uint32_t doubled; /* results given twice */
    struct said_checkpoint checkpoints[512];
    uint32_t n_checkpoints;
    struct said_finding findings[64];
    uint32_t n_findings;
    struct said_kind kinds[16];
    uint32_t n_kinds;
    struct said_subscription subscription;
    char org_key[64], org_name[64], edition[64], user_id[64], user_name[64];
    int64_t quota_limit, quota_remaining;
    struct {
        char key[64], value[512];
        bool used;
    } kv[16];
};

void fake_init(struct fake_host *f); /* f is zeroed: part of something larger */
void fake_done(struct fake_host *f);
struct fake_host *fake_new(void);
struct fake_host *fake_free(struct fake_host *f);
AUTO_FN(struct fake_host *, fake_free)
void fake_forget(struct fake_host *f); /* records, results, checkpoints, findings, kinds; kv stays */
const struct said_kind *fake_kind(const struct fake_host *f, const char *kind); /* NULL: not described */
const struct said_record *fake_record(const struct fake_host *f,
                                      const char *id); /* the last one with that id; NULL: none */
const struct said_value *fake_value(const struct said_record *r, const tl_shape *s, const char *path);
const struct said_finding *fake_finding(const struct fake_host *f, const char *code);
const char *fake_last_cursor(const struct fake_host *f);
/* A shape of the fields of a described kind whose paths are named, comma separated; "*": all. Memory in f->arena. */
tl_shape fake_shape(struct fake_host *f, const char *kind, const char *paths);
#endif
