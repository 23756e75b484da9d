#ifndef BLOB_H
#define BLOB_H
/* Byte streams too large for memory: nameless files that are gone when the call returns. One set an instance; handles
 * count from 1 within a call. Used by the instance's thread, and by the HTTP thread while that one waits.
 *
 * A call may bring files along, which its parameters name by their handles, and takes away those that its results
 * name: both are lists of open files, without a path, that are gone with the call. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tieline.h"

enum { BLOBS_MAX = 64, BLOB_NAME_MAX = 255, BLOB_TYPE_MAX = 127 };
#define BLOB_BYTES_MAX ((uint64_t)4 << 30)
/* What blobs leave free of the file system, for the database beside them; of a small one an eighth. */
#define BLOB_ROOM_LEFT ((uint64_t)256 << 20)

struct blob {
    uint64_t handle, bytes;
    int fd;
    bool lent;               /* of the caller's: it is read alone */
    char *name, *media_type; /* NULL: not known */
};

/* What goes with a call. */
struct blob_list {
    struct blob *list;
    uint32_t n;
};
void blob_list_done(struct blob_list *l); /* closes all */
/* Takes fd, a file that can be read at any place, with name and media type of about. Its handle is its place, from 1.
 * TL_E_INVALID: words that are none; TL_E_QUOTA: too many. fd is the caller's then. */
tl_status blob_list_add(struct blob_list *l, int fd, const tl_blob *about, uint64_t *handle_out);
const struct blob *blob_list_find(const struct blob_list *l, uint64_t handle); /* NULL: no such file */

struct blobs {
    const char *dir; /* lent */
    struct blob list[BLOBS_MAX];
    unsigned n;
    bool crowded; /* one was refused for want of room */
};
void blobs_reset(struct blobs *b); /* closes all */
/* The first of an empty set: the caller's, by their handles. TL_E_TEMPORARY: they cannot be opened once more. */
tl_status blobs_lend(struct blobs *b, const struct blob_list *from);
/* Adds the one to what is taken away, under its handle; nothing where it is there, or is none. */
void blobs_keep(const struct blobs *b, uint64_t handle, struct blob_list *to);
tl_status blobs_new(struct blobs *b, uint64_t *handle_out);
/* Appends. TL_E_INVALID: no such handle, or one of the caller's; TL_E_QUOTA: too large; TL_E_TEMPORARY: disk, or no
 * room on it. */
tl_status blobs_write(struct blobs *b, uint64_t handle, const void *p, size_t n);
tl_status blobs_read(struct blobs *b, uint64_t handle, uint64_t offset, void *p, size_t cap, size_t *n_out);
tl_status blobs_size(const struct blobs *b, uint64_t handle, uint64_t *out);
/* Copies name and media type. TL_E_NOT_FOUND; TL_E_INVALID: a name that has a path, words that are none. */
tl_status blobs_describe(struct blobs *b, uint64_t handle, const tl_blob *about);
/* Lent until it is described anew or the set is reset. TL_E_NOT_FOUND. */
tl_status blobs_about(const struct blobs *b, uint64_t handle, tl_blob *out);
#endif
