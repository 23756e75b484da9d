#ifndef BY_ID_H
#define BY_ID_H
/* Objects of the model by their row id: ids rise as rows are made, so putting one in mostly appends. */
#include <stddef.h>
#include <stdint.h>

struct by_id {
    struct by_id_row {
        int64_t id;
        void *what;
    } * rows; /* by rising id */
    size_t n, cap;
};

void *by_id_get(const struct by_id *b, int64_t id);  /* NULL: not there */
void *by_id_from(const struct by_id *b, int64_t id); /* the first of this id or a later one */
void by_id_put(struct by_id *b, int64_t id, void *what);
void by_id_drop(struct by_id *b, int64_t id);
void by_id_done(struct by_id *b);
#endif
