#ifndef CLI_H
#define CLI_H
/* The `tieline` program: a client of the daemon's API. One table of commands is behind parsing and --help.
 * Data goes to stdout, everything else to stderr. Single-threaded. */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "http_local.h"

/* Exit codes, part of the interface (tieline --help lists them). */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_RUNNING = 3, /* status: daemon down, or something paused */
    EXIT_NO_SUCH = 4,
    EXIT_DENIED = 5,
    EXIT_CONFLICT = 6,
    EXIT_CONFIG = 7,
    EXIT_SOME_FAILED = 8, /* finished, but some records failed */
    EXIT_SIGN_IN = 9,
    EXIT_VENDOR = 10, /* vendor unreachable or throttling */
    EXIT_NO_DAEMON = 11,
    EXIT_TIMEOUT = 12,
    EXIT_INTERRUPTED = 130
};

struct cli_option {
    const char *name; /* "kind"; the end of a table has NULL */
    const char *arg;  /* "KIND"; NULL: a flag */
    const char *help;
};

enum { CLI_MAX_ARGS = 256, CLI_MAX_OPTIONS = 16 };

struct cli {
    struct arena arena;
    const char *program;
    const struct command *command;
    const char *args[CLI_MAX_ARGS];
    int n_args;
    const char *values[CLI_MAX_OPTIONS]; /* of command->options, in their order; a given flag is "" */
    const char *socket;
    const char *lang; /* of reasons and hints: --lang, else the environment's */
    bool json, quiet, no_header, yes, dry_run, no_wait, color;
    int64_t timeout_ms;
    struct http_local *http;
};

struct command {
    const char *noun, *verb;          /* verb NULL: `tieline status` */
    const char *args;                 /* "NAME", "[ID...]", "" */
    int min_args, max_args;           /* max -1: any number */
    const char *summary;              /* one line */
    const char *more;                 /* further lines of its --help: what it does, examples; may be NULL */
    const struct cli_option *options; /* may be NULL */
    int (*run)(struct cli *cli);      /* exit code */
};
/* Every command; ended by one without noun. */
extern const struct command *const command_tables[];

bool cli_color_wanted(void); /* standard output is a terminal that shows colours, and nobody set NO_COLOR */
const char *cli_value(const struct cli *cli, const char *option); /* NULL: not given */
/* Message to stderr: "tieline: ...". Returns code. */
int cli_fail(const struct cli *cli, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
void cli_note(const struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3); /* silent with -q */
/* Asks on the terminal unless -y; without a terminal it refuses. EXIT_DONE: go on. */
int cli_confirm(const struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same for what is worth a moment's thought: the name itself must be typed. */
int cli_confirm_name(const struct cli *cli, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
void cli_help(const struct cli *cli, const char *noun, const char *verb, FILE *out);

/* ---- API ---- */
/* path is a format; every %s argument must have been escaped by cli_escape. The answer is the caller's (json_decref).
 * Failures are printed (words, hint; problem+json with --json) and returned as an exit code. */
int cli_get(struct cli *cli, json_t **out, const char *path_fmt, ...) PRINTF_LIKE(3, 4);
/* Pages of a list until its end, or until there are max rows: no more than those. path has its "?" and all members but
 * "after". *more (may be NULL): there are rows beyond. The list is the caller's, also after a failure. */
int cli_get_pages(struct cli *cli, const char *path, size_t max, json_t **items, bool *more);
/* body is taken. out may be NULL. if_match: ETag or NULL. */
int cli_send(struct cli *cli, const char *method, const char *path, json_t *body, const char *if_match, json_t **out);
/* GET for its ETag, then send with If-Match: changes what was read. */
int cli_change(struct cli *cli, const char *method, const char *path, json_t *body, json_t **out);
const char *cli_escape(struct cli *cli, const char *text); /* for a path or query, percent-encoded */
/* Below the connection that the first argument names: "", "/pause". */
const char *cli_connection_path(struct cli *cli, const char *rest);
/* POST there; the connection as JSON, or these words. */
int cli_connection_verb(struct cli *cli, const char *rest, const char *said);
struct http_local *cli_http(struct cli *cli);
int cli_local_failure(const struct cli *cli, const struct err *e); /* the daemon was not reached: says so, exit code */

/* tieline endpoint auth (sign_in.c) */
extern const struct cli_option sign_in_options[];
int sign_in_run(struct cli *cli);

struct column;
/* Shows the progress of the first syncs that an answer of a start names, then what came of them; exit code. */
int cli_sync_follow(struct cli *cli, const char *connection, const json_t *answer);
int cli_plan_made(struct cli *cli, int64_t run); /* the same for a dry run: progress, then its sums */
/* Items of a list as a file that a spreadsheet reads, times in the zone of the reader. One that is there is kept.
 * file "-": standard output. */
int cli_save_csv(struct cli *cli, const char *file, const json_t *items, const struct column *columns);

/* ---- printing ---- */
struct column {
    const char *title;
    const char *path; /* "counts.added"; several with "|": the first present */
    unsigned flags;   /* COLUMN_* */
};
enum { COLUMN_RIGHT = 1, COLUMN_TIME = 2, COLUMN_WRAP = 4, COLUMN_COLOR_STATE = 8 };

/* {"items":[...]} of an answer as a table, or as {"api":1,"kind":kind,"items":[...]} with --json. empty: line to stderr
 * when there is nothing, telling what to do next. */
void cli_print_list(const struct cli *cli, const char *kind, const json_t *answer, const struct column *columns,
                    const char *empty);
/* What path answers, printed so. */
int cli_list(struct cli *cli, const char *path, const char *kind, const struct column *columns, const char *empty);
/* One object as "name: value" lines, nested members indented; with --json as a list of one. */
void cli_print_object(const struct cli *cli, const char *kind, const json_t *object);
/* Problems of endpoints in words. Adds "problem_words" to endpoints; "why" to connections that wait for one, true when
 * any does; a line to stderr whenever what they wait for has changed since told. */
void cli_add_problems(json_t *endpoints);
bool cli_add_waits(json_t *connections);
void cli_note_waits(const struct cli *cli, const json_t *connections, struct buf *told);
void cli_sum_links(json_t *connections); /* adds "pairs" and "failures": the sums over a connection's links */
json_t *cli_path(const json_t *object, const char *path);     /* lent; NULL if absent */
const char *cli_text(const json_t *object, const char *path); /* "" if absent or no text */
int64_t cli_int(const json_t *object, const char *path);
void cli_add_visible(struct buf *out, const char *text);   /* as a table would show it */
void cli_print_time(struct buf *out, const char *rfc3339); /* local time for people */
/* A progress line, redrawn on a terminal, one line per 5 % elsewhere. done/total of total < 0: no end known. */
struct progress {
    int last_percent;
    bool drawn;
};
void cli_progress(const struct cli *cli, struct progress *p, const char *label, int64_t done, int64_t total,
                  const char *tail);
void cli_progress_end(const struct cli *cli, struct progress *p);
#endif
