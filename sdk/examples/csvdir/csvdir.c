/* SPDX-License-Identifier: MIT-0
 * A granted folder of CSV files as a system: contact.csv and account.csv, UTF-8, first line the names of the columns.
 * Two-way, with deletes. No vendor, no network: the option "dir" is the folder it is granted.
 *
 * A file tells no times of its rows, so there are passes and no changes: a pass reads the rows in the order of their
 * ids, and the cursor is the last id, so rows may come and go between two pages. Each push reads the file, changes it
 * in memory and puts the new one in place by rename: a reader sees the old file or the new one, never half of one. */
#include <ctype.h>
#include <kit/kit.h>
#include <stdio.h>
#include <stdlib.h>

#include "csv.h"

enum { PAGE = 200, BATCH = 100 };

static const struct column {
    const char *kind, *name, *label;
    uint32_t type, flags;
} columns[] = {
    {"account", "name", "Name", TL_TEXT, TL_F_REQUIRED | TL_F_MATCH},
    {"account", "phone", "Phone", TL_PHONE, 0},
    {"account", "website", "Website", TL_URL, 0},
    {"account", "industry", "Industry", TL_TEXT, 0},
    {"contact", "first_name", "First name", TL_TEXT, 0},
    {"contact", "last_name", "Last name", TL_TEXT, TL_F_REQUIRED},
    {"contact", "email", "E-mail", TL_EMAIL, TL_F_MATCH},
    {"contact", "phone", "Phone", TL_PHONE, TL_F_MATCH},
    {"contact", "title", "Title", TL_TEXT, 0},
    {"contact", "department", "Department", TL_TEXT, 0},
};
static const char *const kinds[][2] = {{"account", "Accounts"}, {"contact", "Contacts"}};

struct tl_conn {
    const tl_host *host;
    tlk_arena keep, call;
    tl_str dir;
};

/* ---- one file */

struct file {
    struct csv table;
    tl_str path;
    uint32_t id, stamp; /* columns */
};

#define AUTO_FILE __attribute__((cleanup(file_done))) struct file
static void file_done(struct file *f)
{
    csv_done(&f->table);
}

static tl_status file_trouble(tl_error *e, const struct file *f, const char *what)
{
    return tlk_fail_kind(e, TL_E_TEMPORARY, "csvdir: %s: %s", f->path.p, what);
}

/* Reads the kind's file; one that is not there is an empty one. Every column of the kind is there afterwards. */
static tl_status file_open(tl_conn *c, tl_str kind, struct file *f, tl_error *e)
{
    *f = (struct file){.path = tlk_fmt(&c->call, "%.*s/%.*s.csv", TLK_FMT(c->dir), TLK_FMT(kind))};
    const char *wrong = NULL;
    FILE *in = fopen(f->path.p, "rb");
    if (in && !csv_read(&f->table, in, &wrong)) {
        fclose(in);
        return file_trouble(e, f, wrong);
    }
    if (in)
        fclose(in);
    f->id = csv_column(&f->table, "id");
    f->stamp = csv_column(&f->table, "tieline");
    for (size_t i = 0; i < TLK_LEN(columns); i++)
        if (tlk_is(kind, columns[i].kind))
            csv_column(&f->table, columns[i].name);
    return TL_OK;
}

static tl_status file_save(struct file *f, tl_conn *c, tl_error *e)
{
    tl_str temp = tlk_fmt(&c->call, "%.*s.new", TLK_FMT(f->path));
    FILE *out = fopen(temp.p, "wb");
    if (!out)
        return file_trouble(e, f, "the folder cannot be written to");
    csv_write(&f->table, out);
    int bad = ferror(out);
    if (fclose(out) != 0 || bad || rename(temp.p, f->path.p) != 0) {
        remove(temp.p);
        return file_trouble(e, f, "it cannot be written");
    }
    return TL_OK;
}

static const struct csv_row *row_of(const struct file *f, uint32_t column, tl_str value)
{
    for (uint32_t i = 0; value.n && i < f->table.n_rows; i++)
        if (tlk_eq(csv_cell(&f->table.rows[i], column), value))
            return &f->table.rows[i];
    return NULL;
}

/* ---- rows and records */

static void record_of(tl_conn *c, const struct file *f, const tl_shape *shape, const struct csv_row *row,
                      tl_record *out)
{
    *out = (tl_record){.id = csv_cell(row, f->id), .stamp = csv_cell(row, f->stamp), .flags = TL_REC_FULL};
    tl_value *values = tlk_new(&c->call, tl_value, shape->n_fields + 1);
    for (uint32_t i = 0; i < shape->n_fields; i++) {
        const tl_field *field = tlk_field(shape, i);
        tl_str text = csv_cell(row, csv_column((struct csv *)(uintptr_t)&f->table, field->name.p));
        values[out->n_values++] =
            (tl_value){.field = i, .type = (uint8_t)(text.n ? field->type : TL_NULL), .u.s = text};
    }
    out->values = values;
}

static tl_status emit_row(tl_conn *c, const struct file *f, const tl_shape *shape, const struct csv_row *row,
                          uint32_t index)
{
    tl_record r;
    record_of(c, f, shape, row, &r);
    r.index = index;
    return tlk_emit(c->host, &r, 1);
}

/* ---- reading */

static tl_status csvdir_check(tl_conn *c, const tl_check *q, tl_error *e)
{
    const tl_account a = {.struct_size = sizeof(a), .org_key = c->dir, .org_name = c->dir};
    (void)q;
    tlk_arena_reset(&c->call);
    for (size_t k = 0; k < TLK_LEN(kinds); k++) {
        AUTO_FILE f = {0};
        tl_status rc = file_open(c, tlk_str(kinds[k][0]), &f, e);
        if (rc != TL_OK)
            return rc;
    }
    return c->host->account(c->host, &a);
}

static tl_status describe(tl_conn *c, size_t k)
{
    tlk_fields list = {.arena = &c->call};
    for (const struct column *x = columns; x < columns + TLK_LEN(columns); x++)
        if (strcmp(x->kind, kinds[k][0]) == 0)
            tlk_field_add(&list, x->name, tlk_str(x->name), tlk_str(x->label), x->type, x->flags);
    tlk_field_add(&list, "x.tieline", TL_STR("tieline"), TL_STR("tieline"), TL_TEXT, TL_F_STAMP | TL_F_UNIQUE);
    tl_kind kind = {.struct_size = sizeof(kind), .max_batch = BATCH, .max_find = BATCH, .n_fields = list.n};
    kind.kind = kind.name = tlk_str(kinds[k][0]);
    kind.label = tlk_str(kinds[k][1]);
    kind.stamp_field = TL_STR("tieline");
    kind.can = TL_CAN_PASS | TL_CAN_CREATE | TL_CAN_UPDATE | TL_CAN_DELETE | TL_CAN_RETURN_POST | TL_CAN_FIND |
               TL_CAN_STAMP_UNIQUE | TL_CAN_STAMP_FIND;
    kind.fields = list.list;
    kind.field_stride = sizeof(tl_field);
    return c->host->describe(c->host, &kind);
}

static tl_status csvdir_discover(tl_conn *c, const tl_discover *q, tl_error *e)
{
    tl_status rc = TL_OK;
    (void)e;
    tlk_arena_reset(&c->call);
    for (size_t k = 0; k < TLK_LEN(kinds) && rc == TL_OK; k++)
        if (tlk_wants(q->kinds, q->n_kinds, kinds[k][0]))
            rc = describe(c, k);
    return rc;
}

static tl_str next_id(tl_conn *c, const struct file *f)
{
    int64_t most = 0, n;
    for (uint32_t i = 0; i < f->table.n_rows; i++)
        if (tlk_to_i64(csv_cell(&f->table.rows[i], f->id), &n) && n > most)
            most = n;
    return tlk_fmt(&c->call, "%lld", (long long)most + 1);
}

/* A row that somebody typed has no id yet: it gets one, and keeps it. */
static tl_status number_rows(tl_conn *c, struct file *f, tl_error *e)
{
    bool changed = false;
    for (uint32_t i = 0; i < f->table.n_rows; i++) {
        if (csv_cell(&f->table.rows[i], f->id).n)
            continue;
        csv_set(&f->table, &f->table.rows[i], f->id, next_id(c, f));
        changed = true;
    }
    return changed ? file_save(f, c, e) : TL_OK;
}

static tl_status csvdir_pull(tl_conn *c, const tl_pull *p, tl_error *e)
{
    AUTO_FILE f = {0};
    tlk_cursor at;
    tlk_arena_reset(&c->call);
    if (!tlk_cursor_read(&at, "csvdir.1", p->cursor, &c->call))
        return tlk_cursor_lost(e);
    tl_status rc = file_open(c, p->shape->kind, &f, e);
    if (rc == TL_OK)
        rc = number_rows(c, &f, e);
    if (rc != TL_OK)
        return rc;
    csv_sort(&f.table, f.id);
    tl_str after = tlk_cursor_get(&at, "after");
    uint32_t i = 0, most = p->page_hint ? p->page_hint : PAGE;
    while (i < f.table.n_rows && csv_compare(csv_cell(&f.table.rows[i], f.id), after) <= 0)
        i++;
    bool complete = false;
    for (uint32_t page = 0; rc == TL_OK && !complete && (p->max_pages == 0 || page < p->max_pages); page++) {
        for (uint32_t n = 0; n < most && i < f.table.n_rows && rc == TL_OK; n++, i++) {
            tlk_cursor_set(&at, &c->call, "after", csv_cell(&f.table.rows[i], f.id));
            rc = emit_row(c, &f, p->shape, &f.table.rows[i], 0);
        }
        complete = i == f.table.n_rows;
        if (rc == TL_OK)
            rc = tlk_checkpoint(c->host, p->mode, complete, tlk_cursor_text(&at, "csvdir.1", &c->call), 0,
                                f.table.n_rows);
    }
    return rc == TL_E_CANCELLED ? TL_OK : rc;
}

static tl_status csvdir_get(tl_conn *c, const tl_get *q, tl_error *e)
{
    AUTO_FILE f = {0};
    tlk_arena_reset(&c->call);
    tl_status rc = file_open(c, q->shape->kind, &f, e);
    for (uint32_t i = 0; i < q->n_ids && rc == TL_OK; i++) {
        const struct csv_row *row = row_of(&f, f.id, q->ids[i]);
        const tl_record gone = {.id = q->ids[i], .state = TL_STATE_DELETED, .index = i};
        rc = row ? emit_row(c, &f, q->shape, row, i) : tlk_emit(c->host, &gone, 1);
    }
    return rc;
}

static bool alike(tl_str a, tl_str b) /* as people compare: in either case */
{
    uint64_t i = 0;
    while (a.n == b.n && i < a.n && tolower((unsigned char)a.p[i]) == tolower((unsigned char)b.p[i]))
        i++;
    return a.n == b.n && i == a.n;
}

static tl_status csvdir_find(tl_conn *c, const tl_find *q, tl_error *e)
{
    AUTO_FILE f = {0};
    tlk_arena_reset(&c->call);
    tl_status rc = file_open(c, q->shape->kind, &f, e);
    for (uint32_t i = 0; i < q->n_queries && rc == TL_OK; i++) {
        const tl_query *ask = tlk_query(q, i);
        const tl_field *field = tlk_field_by_path(q->shape, tlk_dup(&c->call, ask->path).p);
        uint32_t column = tlk_is(ask->path, "stamp") ? f.stamp : field ? csv_column(&f.table, field->name.p) : f.id;
        uint32_t found = 0, limit = q->limit ? q->limit : BATCH;
        for (uint32_t r = 0; r < f.table.n_rows && found < limit && rc == TL_OK; r++) {
            if (!ask->value.n || !alike(csv_cell(&f.table.rows[r], column), ask->value))
                continue;
            found++;
            rc = emit_row(c, &f, q->shape, &f.table.rows[r], i);
        }
    }
    return rc;
}

/* ---- writing */

/* What happened to one record; told when the file is in place. */
struct outcome {
    tl_status status;
    tl_error error;
    bool created;
    tl_str id;
};

static void refuse(struct outcome *o, tl_status status, int32_t reason, const char *field, const char *text)
{
    o->error.struct_size = sizeof(o->error);
    o->status = tlk_fail_record(&o->error, status, reason, field, "csvdir: %s", text);
}

static bool required_missing(const tl_shape *shape, const tl_record *rec, struct outcome *o)
{
    for (uint32_t i = 0; i < shape->n_fields; i++) {
        const tl_field *field = tlk_field(shape, i);
        const tl_value *v = tlk_value_of(shape, rec, field->path.p);
        bool empty = v ? v->type == TL_NULL || v->u.s.n == 0 : rec->op == TL_OP_CREATE;
        if (!(field->flags & TL_F_REQUIRED) || !empty)
            continue;
        refuse(o, TL_E_INVALID, TL_R_REQUIRED_MISSING, field->name.p, "a required value is missing");
        return true;
    }
    return false;
}

static void write_row(struct file *f, const tl_shape *shape, const tl_record *rec, struct csv_row *row)
{
    for (uint32_t i = 0; i < rec->n_values; i++) {
        const tl_field *field = tlk_field(shape, rec->values[i].field);
        if (!(field->flags & (TL_F_READONLY | TL_F_STAMP)))
            csv_set(&f->table, row, csv_column(&f->table, field->name.p),
                    rec->values[i].type == TL_NULL ? TLK_NONE : rec->values[i].u.s);
    }
}

static void push_one(tl_conn *c, struct file *f, const tl_shape *shape, const tl_record *rec, struct outcome *o)
{
    bool create = rec->op == TL_OP_CREATE;
    struct csv_row *row =
        (struct csv_row *)(uintptr_t)row_of(f, create ? f->stamp : f->id, create ? rec->stamp : rec->id);
    *o = (struct outcome){.status = TL_OK, .id = rec->id};
    if (create && row) { /* made before, and the answer was lost */
        o->id = csv_cell(row, f->id);
        return;
    }
    if (!create && !row) {
        refuse(o, TL_E_NOT_FOUND, TL_R_OTHER, "", "no row has this id");
        return;
    }
    if (rec->op == TL_OP_DELETE) {
        csv_remove(&f->table, row);
        return;
    }
    if (required_missing(shape, rec, o))
        return;
    if (create) {
        o->created = true;
        o->id = next_id(c, f);
        row = csv_add(&f->table);
        csv_set(&f->table, row, f->id, o->id);
        csv_set(&f->table, row, f->stamp, rec->stamp);
    }
    write_row(f, shape, rec, row);
}

static tl_status tell(tl_conn *c, const struct file *f, const tl_push *p, uint32_t index, const struct outcome *o)
{
    const struct csv_row *row = row_of(f, f->id, o->id);
    tl_record post;
    if (o->status != TL_OK)
        return tlk_result_fail(c->host, index, o->status, &o->error);
    if (row)
        record_of(c, f, p->shape, row, &post);
    return tlk_result_ok(c->host, index, o->created, row ? &post : NULL);
}

static tl_status csvdir_push(tl_conn *c, const tl_push *p, tl_error *e)
{
    AUTO_FILE f = {0};
    tlk_arena_reset(&c->call);
    tl_status rc = file_open(c, p->shape->kind, &f, e);
    if (rc != TL_OK)
        return rc;
    struct outcome *outcomes = tlk_new(&c->call, struct outcome, p->batch->count + 1);
    for (uint32_t i = 0; i < p->batch->count; i++)
        push_one(c, &f, p->shape, tlk_record(p->batch, i), &outcomes[i]);
    rc = file_save(&f, c, e);
    for (uint32_t i = 0; i < p->batch->count; i++) /* all, whatever the host says: what is not told counts as unknown */
        (void)(rc == TL_OK ? tell(c, &f, p, i, &outcomes[i]) : tlk_result_fail(c->host, i, rc, e));
    return rc;
}

/* ---- the table */

static tl_status csvdir_open(const tl_host *h, const tl_open *o, tl_conn **out, tl_error *e)
{
    tl_str dir = tlk_option(o, "dir");
    if (!dir.n)
        return tlk_fail(e, TL_E_CONFIG, "csvdir: the option \"dir\" is missing");
    tl_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return tlk_fail(e, TL_E_TEMPORARY, "out of memory");
    c->host = h;
    c->dir = tlk_dup(&c->keep, dir);
    *out = c;
    return TL_OK;
}

static void csvdir_close(tl_conn *c)
{
    tlk_arena_done(&c->call);
    tlk_arena_done(&c->keep);
    free(c);
}

static const tl_option options[] = {
    {.name = "dir",
     .help = "folder that holds contact.csv and account.csv",
     .type = TL_OPT_DIR,
     .flags = TL_OPT_REQUIRED},
};
/* clang-format off */
static const tl_connector connector = {
    .magic = TL_MAGIC, .struct_size = sizeof(connector), .abi_major = TL_ABI_MAJOR, .abi_minor = TL_ABI_MINOR,
    .id = "csvdir", .name = "Folder of CSV files", .version = "1.0", .license = "MIT-0", .role = TL_ROLE_OTHER,
    .n_options = TLK_LEN(options), .option_stride = sizeof(options[0]), .options = options,
    .open = csvdir_open, .close = csvdir_close, .check = csvdir_check, .discover = csvdir_discover,
    .pull = csvdir_pull, .get = csvdir_get, .find = csvdir_find, .push = csvdir_push,
};
/* clang-format on */

const tl_connector *tieline_connector_v0(void)
{
    return &connector;
}
