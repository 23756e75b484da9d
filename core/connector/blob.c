#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

void blobs_reset(struct blobs *b)
{
    for (unsigned i = 0; i < b->n; i++)
        close(b->fd[i]);
    b->n = 0;
    b->crowded = false;
}

static int nameless_file(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd;
    char path[4096];
    if (snprintf(path, sizeof path, "%s/blob-XXXXXX", dir) >= (int)sizeof path)
        return -1;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

tl_status blobs_new(struct blobs *b, uint64_t *handle_out)
{
    if (b->n == BLOBS_MAX)
        return TL_E_QUOTA;
    int fd = nameless_file(b->dir);
    if (fd < 0)
        return TL_E_TEMPORARY;
    b->fd[b->n] = fd;
    b->size[b->n] = 0;
    *handle_out = ++b->n;
    return TL_OK;
}

static bool known(const struct blobs *b, uint64_t handle)
{
    return handle >= 1 && handle <= b->n;
}

/* Would so much more leave enough for others? Looked at before each piece: others write to the same disk. */
static bool has_room(struct blobs *b, int fd, size_t n)
{
    struct statvfs fs;
    if (fstatvfs(fd, &fs) != 0)
        return true; /* the write will tell */
    uint64_t whole = (uint64_t)fs.f_blocks * fs.f_frsize, left = (uint64_t)fs.f_bavail * fs.f_frsize;
    uint64_t room = whole / 8 < BLOB_ROOM_LEFT ? whole / 8 : BLOB_ROOM_LEFT;
    b->crowded = left < n || left - n < room;
    return !b->crowded;
}

tl_status blobs_write(struct blobs *b, uint64_t handle, const void *p, size_t n)
{
    if (!known(b, handle))
        return TL_E_INVALID;
    uint64_t *size = &b->size[handle - 1];
    if (n > BLOB_BYTES_MAX - *size)
        return TL_E_QUOTA;
    if (!has_room(b, b->fd[handle - 1], n))
        return TL_E_TEMPORARY;
    for (size_t done = 0; done < n;) {
        ssize_t w = pwrite(b->fd[handle - 1], (const char *)p + done, n - done, (off_t)(*size + done));
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return TL_E_TEMPORARY;
        done += (size_t)w;
    }
    *size += n;
    return TL_OK;
}

tl_status blobs_read(struct blobs *b, uint64_t handle, uint64_t offset, void *p, size_t cap, size_t *n_out)
{
    if (!known(b, handle))
        return TL_E_INVALID;
    *n_out = 0;
    if (offset >= b->size[handle - 1] || !cap)
        return TL_OK;
    ssize_t n;
    do
        n = pread(b->fd[handle - 1], p, cap, (off_t)offset);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return TL_E_TEMPORARY;
    *n_out = (size_t)n;
    return TL_OK;
}

tl_status blobs_size(const struct blobs *b, uint64_t handle, uint64_t *out)
{
    if (!known(b, handle))
        return TL_E_INVALID;
    *out = b->size[handle - 1];
    return TL_OK;
}
