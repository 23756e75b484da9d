#ifndef CONFIG_H
#define CONFIG_H
/* The operator's configuration: /etc/tieline/tieline.ini, then conf.d in C order, later wins per key. The schema is
 * data (config_keys): defaults, checks, `config explain`, `config schema` and the sample INI come from it. Options of
 * an endpoint belong to its connector and are checked against what the connector declares (config_check_options). A
 * struct config is immutable after config_load. [any] */
#include <stdbool.h>
#include <stdint.h>

#include "ini_read.h"

struct buf;

enum config_type {
    CONFIG_TEXT,
    CONFIG_PATH,
    CONFIG_INT,
    CONFIG_SIZE,     /* 64k, 16m: bytes */
    CONFIG_DURATION, /* 30s, 4h, 7d: microseconds */
    CONFIG_BOOL,     /* yes no true false on off */
    CONFIG_CHOICE,
    CONFIG_LIST, /* comma separated */
    CONFIG_URL,
    CONFIG_ADDRESS /* host:port, or "off" */
};

enum config_reload { RELOAD_LIVE, RELOAD_CONNECTOR, RELOAD_DAEMON };

struct config_key {
    const char *section; /* "core", "link": without the names that follow it in the header */
    const char *key;     /* "isolation.*": any suffix */
    enum config_type type;
    const char *def;     /* NULL: none */
    const char *choices; /* of a CONFIG_CHOICE; of others words that are taken too, NULL: none. Comma separated */
    int64_t min, max;    /* numbers, sizes, durations (us); both 0: any */
    enum config_reload reload;
    const char *doc; /* one or two sentences */
};
extern const struct config_key config_keys[];
extern const int config_key_count;
const struct config_key *config_key_find(const char *section, const char *key); /* NULL: unknown */
const char *config_key_nearest(const char *section, const char *key); /* what may have been meant; NULL: nothing */

/* A value that counts, with its origin. */
struct config_value {
    const char *section, *key; /* full header: "endpoint sf"; key */
    const char *value;         /* expanded: ${VAR}, @file:PATH done; @secret:NAME kept as written */
    const char *file;          /* NULL: the default */
    int line;
    bool is_secret; /* came from @secret: or @file:, or the key is a secret: never shown */
    bool wrong;     /* told among the findings */
    struct config_value *next;
};

/* One [endpoint NAME], [connection NAME] or [link CONNECTION KIND]. */
struct config_section {
    const char *type;   /* "endpoint" */
    const char *name;   /* endpoint, connection; of a link: its connection */
    const char *kind;   /* of a link; else NULL */
    const char *header; /* "endpoint sf" */
    const char *file;   /* of its header, the first one */
    int line;
    struct config_value *values;
    struct config_section *next;
};

struct config {
    struct ini ini; /* findings; owns all texts */
    const char *path;
    struct config_section *sections; /* in order of appearance; also "core", "http" ... with name NULL */
    uint64_t hash;                   /* of all values that count */
    bool development;                /* [core] development */
};

/* Reads and checks everything that needs no connector. Always returns a config; look at ini.n_errors. NULL path means
 * /etc/tieline/tieline.ini. The caller frees it. */
struct config *config_load(const char *path);
struct config *config_free(struct config *c);
AUTO_FN(struct config *, config_free)

/* The value that counts, or the schema's default, or NULL. header: "core", "endpoint sf", "link crm contact". */
const char *config_get(const struct config *c, const char *header, const char *key);
const struct config_value *config_lookup(const struct config *c, const char *header, const char *key);
bool config_bool(const struct config *c, const char *header, const char *key);
int64_t config_number(const struct config *c, const char *header,
                      const char *key); /* int, size in bytes, duration in us */
const struct config_section *config_section_find(const struct config *c, const char *type, const char *name,
                                                 const char *kind);
bool config_enables(const struct config *c, const char *connector); /* [connectors] enable */

/* Checks [endpoint NAME] against the options its connector declares; findings are added with file and line. */
void config_check_options(struct config *c, const struct config_section *endpoint, const tl_option *options,
                          uint32_t n_options, uint32_t option_stride);

/* "FILE:LINE: ", as far as they are known. */
void config_finding_place(const struct finding *f, struct buf *out);
/* gcc form, one line a finding, so that editors jump; ends with a line of totals. */
void config_findings_print(const struct config *c, struct buf *out);
/* The commented sample: every key, its default and doc. */
void config_sample_print(struct buf *out);
#endif
