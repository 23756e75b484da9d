#ifndef SANDBOX_DESK_INT_H
#define SANDBOX_DESK_INT_H
/* The insides of the Desk twin. Records keep their set values in one block of bytes in slot order; a module's fields
 * give the slots their meaning. */
#include "desk.h"
#include "zoho_accounts.h"

enum { FIELDS_MAX = 200, DESK_MODULES = 3, DESK_WEBHOOKS_MAX = 20, DESK_FIELD_TEXT_MAX = 65535, DESK_ID_MAX = 20 };

enum field_type {
    FT_TEXT,
    FT_TEXTAREA,
    FT_EMAIL,
    FT_PHONE,
    FT_URL,
    FT_PICKLIST,
    FT_MULTISELECT,
    FT_DATE,
    FT_DATETIME,
    FT_NUMBER,
    FT_PERCENT,
    FT_DECIMAL,
    FT_CURRENCY,
    FT_BOOLEAN,
    FT_LOOKUP,
    FT_TYPES
};

/* Who works at the desk: short lists beside the modules. */
enum staff { STAFF_AGENTS, STAFF_PROFILES, STAFF_DEPARTMENTS, STAFF_KINDS };

struct field {
    int64_t id;
    char *api_name, *label, *options; /* options of picklists, separated by commas; NULL: any */
    char *key;                        /* "\"apiName\":" */
    enum field_type type;
    int max;                                           /* characters */
    bool mandatory, custom, unique, indexed, in_short; /* in_short: part of list records */
    bool unlisted;                                     /* the vendor's own: not among the fields, and put by its kind */
    int to_module;                                     /* FT_LOOKUP: index of the module, or -1: see to_staff */
    enum staff to_staff;
};

enum rec_state { REC_LIVE, REC_TRASHED, REC_PURGED, REC_MERGED };

struct record {
    int64_t id, created_us, modified_us, trashed_us;
    char *blob; /* [slot u8][length u32][bytes], slots ascending */
    uint32_t blob_n;
    uint8_t state;
};

struct time_entry { /* true only while the record still has this time */
    int64_t us;
    uint32_t at;
};
struct time_index {
    struct time_entry *e;
    size_t n, cap, stale;
    bool unsorted;
};
struct hash_entry {
    uint32_t hash, at, next; /* at: record number; next: entry number + 1 in the same chain, 0: the last */
};
struct hash_index { /* chained: many records may share a value */
    struct hash_entry *e;
    size_t n, cap;
    uint32_t *heads; /* cap of them */
};

struct module {
    struct desk *desk;
    int number;              /* index in desk->modules */
    const char *name, *type; /* "contacts", "Contacts" */
    const char *event;       /* "Contact" */
    const char *ids_key;     /* "contactIds": of moveToTrash */
    struct field fields[FIELDS_MAX];
    int field_count, standard_count; /* custom fields come last */
    struct record *records;          /* by id, ascending */
    size_t count, cap, live;
    struct time_index by_modified, by_created;
    struct hash_index by_value;
};

struct comment {                   /* of a ticket */
    int64_t id, ticket, commenter; /* commenter: an agent or a contact */
    int64_t at_us;
    bool open, html;
    char *content;
};

struct hooks; /* desk_hooks.c */
struct desk {
    struct sandbox *world;
    struct twin *twin, *accounts;
    struct module modules[DESK_MODULES];
    json_t *staff[STAFF_KINDS]; /* arrays of objects with every member */
    struct comment *comments;   /* by time */
    size_t comment_count, comment_cap;
    int64_t next_id;
    int64_t credits_used, credits_day;
    struct hooks *hooks;
    struct buf line; /* scratch */
};
enum { MOD_ACCOUNTS, MOD_CONTACTS, MOD_TICKETS };

struct change { /* of one slot; an empty value clears it */
    int slot;
    str value;
};

/* ---- desk_schema.c ------------------------------------------------------ */
void schema_fill(struct module *m);
void schema_done(struct module *m);
struct field *schema_add(struct module *m, const char *api_name, const char *label, enum field_type type, int max);
int field_slot(const struct module *m, str api_name); /* -1: none */
const char *field_type_name(enum field_type t);
bool field_type_parse(str s, enum field_type *out);
void field_put(struct buf *b, const struct field *f); /* as organizationFields shows it */

/* ---- desk_store.c ------------------------------------------------------- */
void store_done(struct module *m);
/* Makes a live record; its id is the desk's next one. Lent until the next store_add of the module. */
struct record *store_add(struct module *m, int64_t created_us);
struct record *store_find(struct module *m, int64_t id); /* any state; NULL: never was */
struct record *store_find_text(struct module *m, str id);
void store_apply(struct module *m, struct record *r, const struct change *changes, size_t n, int64_t modified_us);
void store_set_times(struct module *m, struct record *r, int64_t created_us, int64_t modified_us);
void store_set_state(struct module *m, struct record *r, enum rec_state state, int64_t now_us);
str store_value(const struct record *r, int slot); /* empty when not set */
/* Calls fn for each record, of any state, whose slot folds to the same text as value; fn returns false to stop. */
void store_lookup(struct module *m, int slot, str value, bool (*fn)(void *arg, struct record *r), void *arg);
bool value_equal(str a, str b); /* as searches compare: without case */
/* Sorts and cleans if needed; the entries of [from, to]. */
void store_range(struct module *m, struct time_index *x, bool by_created, int64_t from_us, int64_t to_us, size_t *begin,
                 size_t *end);
static inline bool entry_is_true(const struct module *m, const struct time_entry *e, bool by_created)
{
    const struct record *r = &m->records[e->at];
    return (by_created ? r->created_us : r->modified_us) == e->us;
}

/* ---- desk_put.c --------------------------------------------------------- */
void record_put(struct buf *b, struct module *m, const struct record *r, bool full, bool with_account);
void record_put_plain(struct buf *b, struct module *m, const struct record *r); /* for dumps: set fields, flat, state */
void put_time(struct buf *b, const char *key, int64_t us);
void put_id(struct buf *b, const char *key, int64_t id);

/* ---- desk_check.c ------------------------------------------------------- */
struct checked {
    struct change changes[FIELDS_MAX];
    size_t n;
    struct buf errors; /* the elements of errors[] */
    struct arena arena;
};
void checked_done(struct checked *x);
AUTO_DONE(struct checked, checked_done)
/* Reads the fields of a body against the module's metadata. existing NULL: a create. */
void fields_check(struct checked *out, struct module *m, json_t *body, const struct record *existing);

/* ---- desk_http.c -------------------------------------------------------- */
void desk_error(struct call *c, int status, const char *code, const char *message);
void desk_invalid(struct call *c, const char *errors); /* 422 INVALID_DATA with errors[] elements */
void desk_bad_param(struct call *c, const char *name); /* 422 about a query parameter */
void desk_not_found(struct call *c);
/* Body as JSON object; NULL after answering why not. */
json_t *desk_body(struct call *c);
/* Refuses query parameters outside the comma separated list (a name ending in '*' fits its beginnings). */
bool desk_params_known(struct call *c, const char *known);
bool desk_int_param(struct call *c, const char *name, int64_t otherwise, int64_t min, int64_t max, int64_t *out);
struct module *desk_module_of(struct call *c); /* by the path's third segment */
struct module *desk_module_named(struct desk *d, str name);

/* ---- desk_staff.c ------------------------------------------------------- */
void staff_load(struct desk *d);
void staff_done(struct desk *d);
const json_t *staff_find(const struct desk *d, enum staff kind, str id); /* NULL: none */
bool staff_dump(struct desk *d, str kind, struct buf *out);
bool staff_change(struct call *c, struct desk *d, const char *verb, str kind, str id, json_t *fields);

/* ---- desk_tickets.c ----------------------------------------------------- */
void tickets_load(struct desk *d);
str ticket_status_type(str status); /* "Open", "On Hold", "Closed" */
int64_t ticket_number(const struct module *m, const struct record *r);
void ticket_settle(struct module *m, struct record *r); /* what follows from a change: closedTime */
void ticket_extras_put(struct buf *b, const struct module *m, const struct record *r, bool full);
void ticket_defaults(struct desk *d, json_t *fields); /* of one made behind the vendor's back */
void h_tickets(struct call *c);

/* ---- desk_comments.c ---------------------------------------------------- */
void comments_done(struct desk *d);
size_t comments_of(const struct desk *d, int64_t ticket);
void comment_add(struct desk *d, int64_t ticket, int64_t commenter, int64_t at_us, bool open, bool html, str content);
void comments_dump(struct desk *d, struct buf *out);
void comment_create(struct call *c, struct desk *d, json_t *fields); /* behind the vendor's back */
void h_comments(struct call *c);
void h_comment_create(struct call *c);

/* ---- handlers ----------------------------------------------------------- */
void h_list(struct call *c);
void h_create(struct call *c);
void h_get(struct call *c);
void h_patch(struct call *c);
void h_by_ids(struct call *c);
void h_trash(struct call *c);
void h_merge(struct call *c);
void h_count(struct call *c);
void h_search(struct call *c);
void h_organizations(struct call *c);
void h_organization(struct call *c);
void h_fields(struct call *c);
void h_field_create(struct call *c);
void h_departments(struct call *c);
void h_agents(struct call *c);
void h_agent(struct call *c);
void h_myinfo(struct call *c);
void h_profiles(struct call *c);
void h_profile(struct call *c);
void h_department(struct call *c);
void h_views(struct call *c);
void h_bin(struct call *c);
void h_bin_restore(struct call *c);
void h_bin_delete(struct call *c);
void h_bin_restore_all(struct call *c);
void h_bin_delete_all(struct call *c);
void h_webhooks(struct call *c);
void h_webhook_create(struct call *c);
void h_webhook_get(struct call *c);
void h_webhook_patch(struct call *c);
void h_webhook_delete(struct call *c);
void h_jwks(struct call *c);
bool view_known(const struct module *m, str id);

/* ---- changes: one way in for API and control plane, so that both raise the same events  */
struct record *record_create(struct module *m, const struct checked *x, str source_id);
void record_update(struct module *m, struct record *r, const struct checked *x, str source_id);
void record_trash(struct module *m, struct record *r, str source_id);
void record_restore(struct module *m, struct record *r);
void record_merge(struct module *m, struct record *winner, struct record *loser);

/* ---- desk_hooks.c ------------------------------------------------------- */
struct hooks *hooks_new(struct desk *d);
void hooks_stop(struct hooks *h); /* without the lock */
void hooks_free(struct hooks *h);
bool hooks_want(const struct hooks *h, const char *event, bool *prev_out);
/* payload and prev are JSON; prev empty: null. */
void hooks_raise(struct hooks *h, const char *event, str payload, str prev, str source_id);
void hooks_deliveries_put(struct hooks *h, struct buf *b);

/* ---- desk_control.c ----------------------------------------------------- */
bool desk_dump(struct twin *t, str kind, struct buf *out);
bool desk_change(struct call *c, struct twin *t, const char *verb, str kind, str id, json_t *fields);
void desk_load(struct desk *d, const struct people *people);
void ctl_credits(struct call *c);
void ctl_deliveries(struct call *c);

#define DESK_AGENT_ID      INT64_C(4876000000010001)
#define DESK_DEPARTMENT_ID "4876000000006907"
#define DESK_ORG_NAME      "Northwind Support"
#endif
