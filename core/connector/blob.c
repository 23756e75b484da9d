#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "codec.h"

/* ---- one ---- */

static void blob_done(struct blob *x)
{
    close(x->fd);
    text_free(x->name);
    text_free(x->media_type);
}

/* The same file once more, with its words. */
static bool blob_again(struct blob *out, const struct blob *from)
{
    int fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return false;
    *out = *from;
    out->fd = fd;
    out->name = from->name ? text_dup(from->name) : NULL;
    out->media_type = from->media_type ? text_dup(from->media_type) : NULL;
    return true;
}

/* It is shown to people and stands in a header of an answer. */
static bool words_ok(const tl_blob *about)
{
    str name = about->name, type = about->media_type;
    if (name.n > BLOB_NAME_MAX || (name.n && !name.p) || !codec_utf8(name) || str_is(name, ".") || str_is(name, ".."))
        return false;
    for (uint64_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f || name.p[i] == '/' || name.p[i] == '\\')
            return false;
    if (type.n > BLOB_TYPE_MAX || (type.n && (!type.p || !memchr(type.p, '/', type.n))))
        return false;
    for (uint64_t i = 0; i < type.n; i++)
        if (type.p[i] < ' ' || type.p[i] == 0x7f)
            return false;
    return true;
}

static void set_words(struct blob *x, const tl_blob *about)
{
    text_free(x->name);
    text_free(x->media_type);
    x->name = about->name.n ? str_dup(about->name) : NULL;
    x->media_type = about->media_type.n ? str_dup(about->media_type) : NULL;
}

/* ---- what goes with a call ---- */

void blob_list_done(struct blob_list *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        blob_done(&l->list[i]);
    free(l->list);
    *l = (struct blob_list){0};
}

static struct blob *list_grow(struct blob_list *l)
{
    struct blob *list = realloc(l->list, (l->n + 1) * sizeof *list);
    ASSERT(list);
    l->list = list;
    return &list[l->n];
}

tl_status blob_list_add(struct blob_list *l, int fd, const tl_blob *about, uint64_t *handle_out)
{
    if (!words_ok(about))
        return TL_E_INVALID;
    if (l->n == BLOBS_MAX)
        return TL_E_QUOTA;
    struct blob *x = list_grow(l);
    *x = (struct blob){.handle = ++l->n, .bytes = about->bytes, .fd = fd, .lent = true};
    set_words(x, about);
    *handle_out = x->handle;
    return TL_OK;
}

const struct blob *blob_list_find(const struct blob_list *l, uint64_t handle)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (l->list[i].handle == handle)
            return &l->list[i];
    return NULL;
}

/* ---- the set of a call ---- */

void blobs_reset(struct blobs *b)
{
    for (unsigned i = 0; i < b->n; i++)
        blob_done(&b->list[i]);
    b->n = 0;
    b->crowded = false;
}

tl_status blobs_lend(struct blobs *b, const struct blob_list *from)
{
    for (uint32_t i = 0; i < from->n; i++) {
        if (!blob_again(&b->list[b->n], &from->list[i]))
            return TL_E_TEMPORARY;
        b->n++;
    }
    return TL_OK;
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
    b->list[b->n] = (struct blob){.handle = b->n + 1, .fd = fd};
    *handle_out = ++b->n;
    return TL_OK;
}

static bool known(const struct blobs *b, uint64_t handle)
{
    return handle >= 1 && handle <= b->n;
}

void blobs_keep(const struct blobs *b, uint64_t handle, struct blob_list *to)
{
    if (known(b, handle) && !blob_list_find(to, handle) && blob_again(list_grow(to), &b->list[handle - 1]))
        to->n++;
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
    if (!known(b, handle) || b->list[handle - 1].lent)
        return TL_E_INVALID;
    int fd = b->list[handle - 1].fd;
    uint64_t *size = &b->list[handle - 1].bytes;
    if (n > BLOB_BYTES_MAX - *size)
        return TL_E_QUOTA;
    if (!has_room(b, fd, n))
        return TL_E_TEMPORARY;
    for (size_t done = 0; done < n;) {
        ssize_t w = pwrite(fd, (const char *)p + done, n - done, (off_t)(*size + done));
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
    if (offset >= b->list[handle - 1].bytes || !cap)
        return TL_OK;
    ssize_t n;
    do
        n = pread(b->list[handle - 1].fd, p, cap, (off_t)offset);
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
    *out = b->list[handle - 1].bytes;
    return TL_OK;
}

tl_status blobs_describe(struct blobs *b, uint64_t handle, const tl_blob *about)
{
    if (!known(b, handle))
        return TL_E_NOT_FOUND;
    if (!words_ok(about))
        return TL_E_INVALID;
    set_words(&b->list[handle - 1], about);
    return TL_OK;
}

tl_status blobs_about(const struct blobs *b, uint64_t handle, tl_blob *out)
{
    if (!known(b, handle))
        return TL_E_NOT_FOUND;
    const struct blob *x = &b->list[handle - 1];
    *out = (tl_blob){.struct_size = sizeof *out,
                     .bytes = x->bytes,
                     .name = str_of(x->name ? x->name : ""),
                     .media_type = str_of(x->media_type ? x->media_type : "")};
    return TL_OK;
}
