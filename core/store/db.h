#ifndef DB_H
#define DB_H
/* The database: opening, transactions, health, backup. Everything else of core/store works on a struct db.
 *
 * A struct db is one SQLite connection with its prepared statements and belongs to one thread. db_open() gives the one
 * writer of the process ([control]); db_open_reader() gives read-only handles on which every function of core/store
 * that only reads may be called. Functions that write start and end a transaction of their own unless the caller has
 * one open, so that a page or a batch is one transaction and a single change needs no ceremony.
 *
 * Rows read come back as structs whose texts and blobs live in the arena the caller passes. Absence is an answer
 * (TL_E_NOT_FOUND, e not filled). SQLite's troubles are E_STORAGE with code STORAGE_FULL, STORAGE_IO, STORAGE_CORRUPT,
 * STORAGE_READONLY, STORAGE_GONE or STORAGE_FAILED; the open transaction is then rolled back by db_rollback. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "cleanup.h"
#include "env.h"
#include "err.h"
#include "seal.h"
#include "str.h"

enum side { SIDE_A = 0, SIDE_B = 1 };
#define OTHER_SIDE(side) ((enum side)(1 - (int)(side)))

enum db_durability {
    DB_FULL = 0,  /* synchronous=FULL: what was committed survives a power cut */
    DB_NORMAL = 1 /* the last commits may be lost by a power cut, never by a crash; the start then finds the sidecar
                     ahead of the database and reports it as restored */
};

struct db_options {
    const char *path;           /* of the database file; its directory holds -wal, -shm, .seal and .lock too */
    const struct env *env;      /* clock and randomness; required */
    const struct seal_key *key; /* for secrets and tokens; NULL: those functions answer TL_E_CONFIG. Copied */
    const char *backup_dir;     /* where a backup is put before a migration; NULL: beside the database */
    const char *vfs;            /* SQLite VFS name; NULL: the system's */
    enum db_durability durability;
    int32_t cache_kib;         /* page cache of this connection; 0: 16384 for the writer, 2048 for a reader */
    bool no_checkpoint_thread; /* the writer checkpoints by itself: single-threaded tests */
    int32_t log_pages;         /* ... when the log is so long; 0: as long as it ever may be */
};

enum db_origin {
    DB_CONTINUED = 0, /* same database as at the last end */
    DB_CREATED = 1,   /* was not there */
    DB_RESTORED = 2   /* older than what this installation has already acted on, a backup, or a copy from elsewhere */
};

struct db;

/* Opens or creates the database, migrates it (after a backup), loads instance id and key. E_BUSY: another process has
 * it; E_PRECONDITION: made by a newer version, or gone although its .seal file says that it was here; E_STORAGE
 * otherwise. [control] */
int db_open(struct db **out, const struct db_options *o, struct err *e);
/* A read-only handle on an existing database of this version; env and path needed, the rest as for db_open. [any] */
int db_open_reader(struct db **out, const struct db_options *o, struct err *e);
struct db *db_close(struct db *db); /* ends its threads, rolls back what is open; returns NULL */
AUTO_FN(struct db *, db_close)

/* What the start found; see db_origin. [control] */
enum db_origin db_origin(const struct db *db);
/* Ends the state DB_RESTORED for later starts: a new incarnation, intent ids beyond those ever used. Call it when the
 * adopt-only passes are through. [control] */
int db_accept_restored(struct db *db, struct err *e);

const char *db_path(const struct db *db);
const char *db_instance(const struct db *db);        /* 8 characters of lower-case base32, made with the database */
const uint8_t *db_instance_key(const struct db *db); /* 32 bytes */
const struct stamp_key *db_stamp_key(const struct db *db); /* the same, for stamp_hash() */
/* Replaces the identity by that of a map passport; only while there is no pair (E_PRECONDITION). [control] */
int db_set_identity(struct db *db, const char *instance, const uint8_t key[32], struct err *e);
const struct env *db_env(const struct db *db);

/* ---- Transactions. Not nested. [control] ----------------------------------------------------------------------- */

int db_begin(struct db *db, struct err *e); /* BEGIN IMMEDIATE; on a reader a read transaction */
/* Durable on TL_OK. On failure it is rolled back; only after a crash or restart may it turn out to have happened after
 * all, and then whole. */
int db_commit(struct db *db, struct err *e);
void db_rollback(struct db *db); /* fine without a transaction */
bool db_in_transaction(const struct db *db);

/* A reader's transaction may live this long; past it every read on that handle answers E_BUSY until db_rollback, so
 * that a slow client never keeps the write-ahead log from shrinking. */
#define DB_READ_MAX_US (2 * INT64_C(1000000))

/* ---- Health ---------------------------------------------------------------------------------------------------- */

/* Does the file that is open still lie at its path? E_STORAGE, code STORAGE_GONE: it was removed, moved or replaced,
 * and what is written now ends with the process. Two calls of the system. [control] */
int db_present(struct db *db, struct err *e);
/* db_present, then writes and commits one small row, and looks whether its file system has room for more: after
 * E_STORAGE the way to learn that writing works again. [control] */
enum { DB_LEAST_BYTES = 64 << 10 };
int db_probe(struct db *db, struct err *e);
/* The same with as much as a page of records takes: a small row may find room where no work would. [control] */
enum { DB_ROOM_BYTES = 512 << 10 };
int db_probe_room(struct db *db, struct err *e);
/* Runs quick_check (full: integrity_check) on a connection and a thread of its own and calls done(arg, result) from
 * that thread: result->status TL_OK or E_STORAGE with the first findings in detail. At most one at a time (E_BUSY).
 * db_close() stops it; done is then not called. [control] */
int db_check_start(struct db *db, bool full, void (*done)(void *arg, const struct err *result), void *arg,
                   struct err *e);
/* Copies one consistent state into `to` (made under a temporary name, checked, synced, renamed into place; a file of
 * that name is replaced). The copy is one file without log or sidecar and says inside that it is one: opened, it is
 * DB_RESTORED. Holds no lock that stops the writer. Works on connections of its own, so any thread may call it while db
 * stays open. E_STORAGE, with code STORAGE_FULL where there is no room: nothing is left behind then. [any] */
int db_backup(struct db *db, const char *to, struct err *e);
/* The same on a thread of its own; `to` must not exist (E_EXISTS). done(arg, result, size of the copy) comes from that
 * thread, exactly once unless this fails. At most one at a time (E_BUSY). db_close() waits for it. [control] */
int db_backup_start(struct db *db, const char *to, void (*done)(void *arg, const struct err *result, int64_t bytes),
                    void *arg, struct err *e);
/* Ends the one that runs soon, as TL_E_CANCELLED, and each started later. [any, while db stays open] */
void db_backup_cancel(struct db *db);

/* Writes the file anew without what lies in unused parts of its pages, and empties the write-ahead log. Nothing else
 * is written meanwhile, some 15 s for a GB on an SSD, and the disk needs room for a second copy. E_BUSY: somebody reads
 * for longer than 5 s. [control] */
int db_compact(struct db *db, struct err *e);
/* The log is emptied as soon as nobody reads from it, or with the next db_open: it holds what was deleted until then.
 * Within the transaction that deletes. [control] */
int db_log_empty_soon(struct db *db, struct err *e);

struct db_stats {
    int64_t vm_steps;                 /* of all statements of this handle since it was opened */
    int64_t cache_hits, cache_misses; /* page requests = hits + misses */
    int64_t cache_writes;
    int64_t commits;
    int64_t wal_pages;              /* length of the write-ahead log after the last commit */
    int64_t page_count, free_pages; /* of the database file, 4096 bytes each */
    int64_t cache_bytes;            /* memory of the pages that are kept to be read faster; see cache_kib */
};
void db_stats(struct db *db, struct db_stats *out); /* same thread as db */
/* Pages that are kept to be read faster go back; the next reads fetch them anew. */
void db_cache_drop(struct db *db);

/* ---- Sidecar: which intents this installation has acted on (section "restored database") ----------------------- */

/* Notes that intents up to this id are committed and may be sent. Call after the commit of T1, before the call leaves.
 * A failure is E_STORAGE: do not send. [control] */
int db_seal_intent(struct db *db, int64_t intent, struct err *e);

/* ---- Meta: small values of the database itself ----------------------------------------------------------------- */

int meta_get(struct db *db, struct arena *a, const char *key, str *out, struct err *e);
int meta_set(struct db *db, const char *key, str value, struct err *e);
int meta_get_i64(struct db *db, const char *key, int64_t *out, struct err *e);
int meta_set_i64(struct db *db, const char *key, int64_t value, struct err *e);

/* 64-bit SipHash-2-4 under a fixed key: checksums of stored rows, seen_hash, delivery keys. Same bytes, same hash, on
 * every machine. [any] */
uint64_t store_hash(const void *p, size_t n);
#endif
