#ifndef LINKSET_H
#define LINKSET_H
/* Settings of a link and its field map, read into rules: names and grammar of the INI's [link] section. Pure over what
 * it is given; used by the engine and by the read functions of the API. */
#include "connections.h"
#include "plan.h"

struct link_settings {
    enum link_direction direction;
    enum link_policy policy;
    int master; /* -1: not said */
    enum link_drift drift;
    enum link_restore restore_on;
    bool deletes[2]; /* a deletion at the other side is sent to this one */
    int64_t every_us;
    int64_t created_within_us; /* -1: not said; 0: off */
    bool slides;               /* the window moves with the calendar */
    bool admits;               /* records from before the window that others refer to */
    str fallback[2];           /* match key of who stands in on that side for those without a pair; empty: nobody */
    str match;                 /* canonical path; empty: the kind's own; "off" */
    char match_multi;          /* f o n */
    bool quiet;
    int64_t max_changes, max_changes_percent; /* writes of one run; both 0: any number */
    int32_t share;                            /* calls in a row while other links wait for the same endpoint */
    str quiet_hours;                          /* quiet.h; empty: none */
};
void link_settings_init(struct link_settings *s);
/* One "key = value", as the table of the configuration (config_keys, [link]) has it. E_USAGE; the text begins with key
 * and value. view.a, view.b, enabled, a_kind and b_kind are the caller's and pass. */
int link_setting_apply(struct link_settings *s, str key, str value, struct err *e);
bool link_setting_known(str key);
/* The setting that does not go with the others, e saying why; NULL: all do. */
const char *link_settings_misfit(const struct link_settings *s, struct err *e);

/* The path by which two records of a kind are the same one, unless the admin says otherwise: contact and user
 * email, account name, product name; empty for others. */
str match_path_of(str kind);
int32_t match_lookup_kind(str path); /* enum lookup_kind; LOOKUP_TEXT_OF without number; 0: no match key */

const tl_field *field_by_name(const tl_kind *k, str name); /* canonical path, then the vendor's name; NULL */

tl_field field_copy(const tl_field *f, struct arena *arena); /* with its texts, choices and columns */
tl_field field_bare(const tl_field *f, struct arena *arena); /* without choices: a pull has no use for them */
/* Rules of one map row; false when a field does not exist on one side. Texts and choices are copied into the arena. */
bool rule_of_row(const struct map_row *row, const tl_kind *a, const tl_kind *b, struct arena *arena,
                 struct rule_field *out);
/* Rows of the default map: equal canonical paths of both kinds, in the order of kind a. Left out: paths under "x.",
 * fields that no side can write, references whose kind is not in linked (comma separated kinds of the connection). */
size_t map_defaults(const tl_kind *a, const tl_kind *b, str linked, struct arena *arena, struct map_row **out);

/* A reference of equal paths that the default map leaves out, for want of a link. */
bool map_ref_left_out(const tl_field *a, const tl_field *b, str linked);

/* Findings of the check before anything runs: type, length, required, read-only, reference, choices. */
struct map_finding {
    int level; /* TL_INFO, TL_WARN, TL_ERROR */
    str code;  /* TYPE_MISMATCH ... */
    str a_path, b_path;
    str text;
};
size_t map_check(const struct map_row *rows, size_t n, const tl_kind *a, const tl_kind *b,
                 const struct link_settings *settings, str linked, struct arena *arena, struct map_finding **out);
#endif
