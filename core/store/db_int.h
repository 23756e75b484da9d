#ifndef DB_INT_H
#define DB_INT_H
/* Inside core/store only: what a handle consists of. */
#include <pthread.h>
#include <stdatomic.h>

#include "schema.h"
#include "sql.h"

enum { DB_PATH_MAX = 512, WAL_LIMIT_PAGES = 16000, INSTANCE_CHARS = 8, INCARNATION_CHARS = 16 };

/* What a transaction gathers and its commit writes in one go. */
struct pending {
    int32_t what; /* enum tally, or PENDING_RUN */
    int64_t owner, n, low, high;
};
enum { PENDING_RUN = 100, PENDING_MAX = 64 };

struct stretch { /* the one noted last of a feed: records.c */
    int64_t feed, n;
};

struct db_identity {
    char instance[INSTANCE_CHARS + 1];
    char incarnation[INCARNATION_CHARS + 1];
    uint8_t key[32];
    struct stamp_key stamps; /* made of key */
    struct stamp_key marks;  /* of what was erased; never in a passport */
};

struct db {
    sqlite3 *sqlite;
    const struct env *env;
    char path[DB_PATH_MAX], vfs[64];
    bool reader, has_key;
    enum db_durability durability;
    struct seal_key key;
    sqlite3_stmt **statements[SQL_MODULES];
    int n_statements[SQL_MODULES];
    enum db_origin origin;
    struct db_identity id;

    /* Transaction. */
    bool in_transaction;
    const struct audit *audit_owed; /* see audit_owe() */
    int64_t read_until_us;          /* reader: when its transaction is over */
    int64_t counters[COUNTERS], counters_before[COUNTERS];
    struct pending pending[PENDING_MAX];
    int n_pending;
    int pending_rc; /* writing some of it early failed: the commit must */
    struct err pending_error;
    struct stretch stretches[16];                             /* by feed */
    bool may_have_marks;                                      /* writer: of erased records */
    bool may_have_old_ids;                                    /* writer: of records that pairs used to hold */
    int64_t sources, sources_before;                          /* rows of intent_source: most of the time none */
    int64_t vm_steps, cache_hits, cache_misses, cache_writes; /* see db_stats */

    int lock_fd, seal_fd;
    int file_fd;         /* of the database itself, locked as well */
    uint64_t seal_inode; /* of the open sidecar */
    int64_t seal_born;   /* ns; 0: not told */
    int64_t age_due_us;  /* mono; see sidecar_ages */
    struct checkpointer *checkpointer;
    struct checker *checker;
    struct backup *backup;
    atomic_bool no_backups;
};

/* Opens a connection with this project's settings; the handle is closed by the caller also on failure. */
int connection_open(sqlite3 **out, const char *path, const char *vfs, bool read_only, int cache_kib, struct err *e);
int sql_exec(sqlite3 *handle, const char *path, const char *sql, struct err *e);
int sql_exec_i64(sqlite3 *handle, const char *path, const char *sql, int64_t *out, struct err *e);

int counters_load(struct db *db, struct err *e);
int counters_write(struct db *db, struct err *e);
int audit_pay(struct db *db, struct err *e); /* writes what audit_owe() left, within the open transaction */

/* files.c */
int files_take(struct db *db, struct err *e); /* locks, and makes an empty database where there never was one */
void files_leave(struct db *db);
/* checkpoint.c */
int checkpointer_start(struct db *db, const struct db_options *o, struct err *e); /* sets the writer's WAL hook */
void checkpointer_stop(struct db *db);
void checkpointer_empty_soon(struct db *db); /* the log, once nobody reads from it */
void checkpointer_stats(struct db *db, struct db_stats *out);
/* check.c */
void checker_stop(struct db *db);
/* backup.c */
void backup_stop(struct db *db);
/* sidecar.c */
#define META_COPIED "copied" /* in a copy made by db_backup: when; 0 or absent: not a copy, or accepted */
int sidecar_open(struct db *db, bool created, struct err *e);
void sidecar_close(struct db *db);
int sidecar_renew(struct db *db, struct err *e);
bool sidecar_ages(struct db *db);
void sidecar_aged(struct db *db);
int sidecar_age_now(struct db *db, struct err *e);
/* On a reader: what is wrong with the sidecar in words, empty when nothing is; the highest write it has seen. */
void sidecar_look(const struct db *db, char *words, size_t size, int64_t *intent_out);
/* secrets.c: TL_E_CONFIG when the database was opened without a key. */
int need_key(const struct db *db, struct err *e);
/* erased.c */
int marks_look(struct db *db, struct err *e);
/* holds.c */
int old_ids_look(struct db *db, struct err *e);
/* attention.c */
int audit_erase_word(struct db *db, str word, int64_t *rows, struct err *e); /* adds to *rows */
/* compact.c: makes up for what a crash cut off */
int compact_if_due(struct db *db, struct err *e);
/* meta.c */
int identity_make(struct db *db, struct err *e);
int identity_load(struct db *db, struct err *e);

/* Blobs that the planner works from carry their checksum in their last 8 bytes. */
void blob_seal(struct buf *out, str blob, int64_t owner);
bool blob_open(str *blob, int64_t owner); /* strips it; false when it does not fit */
#endif
