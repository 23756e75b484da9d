#ifndef BLOB_H
#define BLOB_H
/* Byte streams too large for memory: nameless files that are gone when the call returns. One set an instance; handles
 * count from 1 within a call. Used by the instance's thread, and by the HTTP thread while that one waits. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tieline.h"

enum { BLOBS_MAX = 64 };
#define BLOB_BYTES_MAX ((uint64_t)4 << 30)
/* What blobs leave free of the file system, for the database beside them; of a small one an eighth. */
#define BLOB_ROOM_LEFT ((uint64_t)256 << 20)

struct blobs {
    const char *dir; /* lent */
    int fd[BLOBS_MAX];
    uint64_t size[BLOBS_MAX];
    unsigned n;
    bool crowded; /* one was refused for want of room */
};
void blobs_reset(struct blobs *b); /* closes all */
tl_status blobs_new(struct blobs *b, uint64_t *handle_out);
/* Appends. TL_E_INVALID: no such handle; TL_E_QUOTA: too large; TL_E_TEMPORARY: disk, or no room on it. */
tl_status blobs_write(struct blobs *b, uint64_t handle, const void *p, size_t n);
tl_status blobs_read(struct blobs *b, uint64_t handle, uint64_t offset, void *p, size_t cap, size_t *n_out);
tl_status blobs_size(const struct blobs *b, uint64_t handle, uint64_t *out);
#endif
