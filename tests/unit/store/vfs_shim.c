#include "vfs_shim.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shim shim;

struct undo { /* newest first */
    struct undo *older;
    sqlite3_int64 offset, size_before;
    int n; /* bytes of old content */
    unsigned char old[];
};

struct shim_file {
    sqlite3_file base;
    char name[256];
    bool kept; /* database or log: what a power cut is about */
    struct undo *undo;
    struct shim_file *next;
    sqlite3_file *real; /* behind this struct */
};

static void must(bool good)
{
    if (!good)
        abort();
}

static sqlite3_vfs *real_vfs;
static struct shim_file *files;

static struct shim_file *file_of(sqlite3_file *f)
{
    return (struct shim_file *)f;
}

static void forget(struct shim_file *f)
{
    while (f->undo) {
        struct undo *older = f->undo->older;
        free(f->undo);
        f->undo = older;
    }
}

/* True: this operation has to fail. */
static bool count_op(void)
{
    if (shim.before_op)
        shim.before_op(shim.arg);
    shim.ops++;
    bool fails = shim.fail_at && (shim.ops == shim.fail_at || (shim.sticky && shim.ops > shim.fail_at));
    shim.failed += fails;
    return fails;
}

static int fault_code(int io_code)
{
    return shim.fault == SHIM_FULL ? SQLITE_FULL : io_code;
}

static void remember(struct shim_file *f, int64_t offset, int n)
{
    struct undo *u = calloc(1, sizeof *u + (size_t)n);
    must(u != NULL);
    u->older = f->undo;
    u->offset = offset;
    f->real->pMethods->xFileSize(f->real, &u->size_before);
    int64_t there = u->size_before - offset;
    u->n = there <= 0 ? 0 : there < n ? (int)there : n;
    if (u->n)
        f->real->pMethods->xRead(f->real, u->old, u->n, offset);
    f->undo = u;
}

static int shim_close(sqlite3_file *file)
{
    struct shim_file *f = file_of(file);
    for (struct shim_file **p = &files; *p; p = &(*p)->next)
        if (*p == f) {
            *p = f->next;
            break;
        }
    forget(f);
    return f->real->pMethods->xClose(f->real);
}

static int shim_read(sqlite3_file *file, void *p, int n, sqlite3_int64 at)
{
    return file_of(file)->real->pMethods->xRead(file_of(file)->real, p, n, at);
}

static int shim_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
    struct shim_file *f = file_of(file);
    bool fails = f->kept && count_op();
    if (f->kept && (!fails || shim.fault == SHIM_SHORT))
        remember(f, at, n);
    if (!fails)
        return f->real->pMethods->xWrite(f->real, p, n, at);
    if (shim.fault == SHIM_SHORT)
        f->real->pMethods->xWrite(f->real, p, n / 2, at);
    return fault_code(SQLITE_IOERR_WRITE);
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct shim_file *f = file_of(file);
    if (f->kept && count_op())
        return fault_code(SQLITE_IOERR_TRUNCATE);
    sqlite3_int64 now = 0;
    f->real->pMethods->xFileSize(f->real, &now);
    if (f->kept && now > size)
        remember(f, size, (int)(now - size));
    return f->real->pMethods->xTruncate(f->real, size);
}

static int shim_sync(sqlite3_file *file, int flags)
{
    struct shim_file *f = file_of(file);
    if (f->kept && count_op())
        return fault_code(SQLITE_IOERR_FSYNC);
    (void)flags; /* what is synced is known here; making the real disk do it would only take time */
    forget(f);
    return SQLITE_OK;
}

#define PASS(method, ...) file_of(file)->real->pMethods->method(file_of(file)->real, __VA_ARGS__)
static int shim_size(sqlite3_file *file, sqlite3_int64 *n)
{
    return PASS(xFileSize, n);
}
static int shim_lock(sqlite3_file *file, int l)
{
    return PASS(xLock, l);
}
static int shim_unlock(sqlite3_file *file, int l)
{
    return PASS(xUnlock, l);
}
static int shim_reserved(sqlite3_file *file, int *out)
{
    return PASS(xCheckReservedLock, out);
}
static int shim_control(sqlite3_file *file, int op, void *arg)
{
    return PASS(xFileControl, op, arg);
}
static int shim_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return PASS(xShmMap, page, size, extend, out);
}
static int shim_shm_lock(sqlite3_file *file, int at, int n, int flags)
{
    return PASS(xShmLock, at, n, flags);
}
static int shim_unmap(sqlite3_file *file, int del)
{
    return PASS(xShmUnmap, del);
}
static int shim_sector(sqlite3_file *file)
{
    return file_of(file)->real->pMethods->xSectorSize(file_of(file)->real);
}
static int shim_device(sqlite3_file *file)
{
    return file_of(file)->real->pMethods->xDeviceCharacteristics(file_of(file)->real);
}
static void shim_barrier(sqlite3_file *file)
{
    file_of(file)->real->pMethods->xShmBarrier(file_of(file)->real);
}

static const sqlite3_io_methods METHODS = {
    .iVersion = 2,
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_reserved,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector,
    .xDeviceCharacteristics = shim_device,
    .xShmMap = shim_map,
    .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_barrier,
    .xShmUnmap = shim_unmap,
};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)vfs;
    struct shim_file *f = file_of(file);
    memset(f, 0, sizeof *f);
    f->real = (sqlite3_file *)(void *)(f + 1);
    int rc = real_vfs->xOpen(real_vfs, name, f->real, flags, out_flags);
    if (rc != SQLITE_OK)
        return rc;
    f->kept = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
    snprintf(f->name, sizeof f->name, "%s", name ? name : "");
    f->base.pMethods = &METHODS;
    f->next = files;
    files = f;
    return SQLITE_OK;
}

void shim_register(void)
{
    static sqlite3_vfs vfs;
    memset(&shim, 0, sizeof shim);
    if (real_vfs)
        return;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.szOsFile = (int)sizeof(struct shim_file) + real_vfs->szOsFile;
    vfs.zName = SHIM_VFS;
    vfs.pNext = NULL;
    vfs.xOpen = shim_open;
    sqlite3_vfs_register(&vfs, 0);
}

static void write_copy(struct shim_file *f, const char *to, bool drop_unsynced)
{
    sqlite3_int64 size = 0;
    f->real->pMethods->xFileSize(f->real, &size);
    int64_t room = size;
    for (const struct undo *u = f->undo; u; u = u->older)
        room = u->size_before > room ? u->size_before : room;
    unsigned char *bytes = calloc(1, (size_t)room + 1);
    must(bytes != NULL);
    if (size)
        f->real->pMethods->xRead(f->real, bytes, (int)size, 0);
    for (const struct undo *u = drop_unsynced ? f->undo : NULL; u; u = u->older) {
        memcpy(bytes + u->offset, u->old, (size_t)u->n);
        size = u->size_before;
    }
    FILE *out = fopen(to, "w");
    must(out != NULL);
    must(fwrite(bytes, 1, (size_t)size, out) == (size_t)size);
    fclose(out);
    free(bytes);
}

void shim_power_cut(const char *dir, bool drop_unsynced)
{
    for (struct shim_file *f = files; f; f = f->next) {
        const char *slash = strrchr(f->name, '/');
        char to[600];
        if (!f->kept)
            continue;
        snprintf(to, sizeof to, "%s/%s", dir, slash ? slash + 1 : f->name);
        write_copy(f, to, drop_unsynced);
    }
}
