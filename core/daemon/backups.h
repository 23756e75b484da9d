#ifndef BACKUPS_H
#define BACKUPS_H
/* Backups of the database: one every [store] backup_every into [store] backup_dir, of which the newest backup_keep
 * stay, and one whenever somebody asks. All [control] unless said otherwise. */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct app;
struct backups;
struct buf;
struct err;

struct backup_file {
    char path[4096];
    int64_t at_us, bytes;
    int64_t took_us; /* 0: not known any more */
};
/* NULL e: made, and file describes it. Both are lent. */
typedef void (*backup_done_fn)(void *arg, const struct backup_file *file, const struct err *e);

struct backups *backups_new(struct app *app);    /* looks what is there from before */
struct backups *backups_free(struct backups *b); /* after db_close: one may be running until then */
/* Starts one that is due, unless the database was not looked at yet (may_start); ends one that is done. When to be
 * called again, in mono time. */
int64_t backups_tick(struct backups *b, bool may_start);
/* to NULL: into the directory, like those of the timetable. to is an absolute path of a file that must not exist.
 * done is called once, when this returns TL_OK; after one of the timetable that is being made. E_BUSY while somebody
 * else's is made or waits. */
int backups_now(struct backups *b, const char *to, backup_done_fn done, void *arg, struct err *e);
/* The one that runs ends soon, and none is begun any more. [any] */
void backups_stop(struct backups *b);

json_t *backups_json(const struct backups *b); /* member "backup" of the status */
json_t *backup_file_json(const struct backup_file *file);
int backups_list(const struct backups *b, json_t **out, struct err *e); /* files in the directory, newest first */
void backups_figures(const struct backups *b, struct buf *out);         /* for /metrics */
#endif
