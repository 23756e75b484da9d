/* Saving one record, in the order the vendor refuses: parse, field, type, required, length, picklist, reference,
 * unique, duplicate rule. REST API Developer Guide, "Status Codes and Error Responses". */
#include <stdio.h>
#include <stdlib.h>

#include "salesforce_int.h"
#include "times.h"

struct draft { /* the values a body asks for, with what belongs to them */
    struct sf_val v[SF_FIELDS_MAX];
    size_t n;
};

static struct sf_val *draft_find(struct draft *d, const struct sf_field *f)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].field == f->number)
            return &d->v[i];
    return NULL;
}

static struct sf_val *draft_put(struct draft *d, const struct sf_val *v)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].field == v->field) {
            d->v[i] = *v;
            return &d->v[i];
        }
    ASSERT(d->n < SF_FIELDS_MAX);
    d->v[d->n] = *v;
    return &d->v[d->n++];
}

static void draft_text(struct draft *d, const struct sf_object *o, const char *field, str text)
{
    const struct sf_field *f = sf_object_field(o, str_of(field));
    if (f)
        draft_put(d, &(struct sf_val){.field = f->number, .kind = CELL_TEXT, .text = text.p, .n = (uint32_t)text.n});
}

static void draft_bool(struct draft *d, const struct sf_object *o, const char *field, bool yes)
{
    const struct sf_field *f = sf_object_field(o, str_of(field));
    if (f)
        draft_put(d, &(struct sf_val){.field = f->number, .kind = CELL_BOOL, .i = yes});
}

/* The text this save would leave in a field. */
static str saved_text(const struct sf_save *s, struct draft *d, const char *field)
{
    const struct sf_field *f = sf_object_field(s->object, str_of(field));
    const struct sf_val *v = f ? draft_find(d, f) : NULL;
    if (v)
        return v->kind == CELL_TEXT ? str_n(v->text, v->n) : (str){0};
    return s->record && f ? sf_row_text(s->record->now, s->object, field) : (str){0};
}

static const struct sf_val *saved_value(const struct sf_save *s, struct draft *d, const char *field)
{
    const struct sf_field *f = sf_object_field(s->object, str_of(field));
    const struct sf_val *v = f ? draft_find(d, f) : NULL;
    if (v || !f || !s->record)
        return v && v->kind != CELL_NULL ? v : NULL;
    return sf_row_val(s->record->now, f);
}

/* ---- reading the body ---- */

static bool may_write(const struct sf_save *s, const struct sf_field *f)
{
    uint32_t need = s->record ? F_U : F_C;
    return s->internal ? f->source == SRC_VALUE : (f->flags & need) != 0 && f->source == SRC_VALUE;
}

static void add_name(char *list, size_t size, const char *separator, const char *name)
{
    size_t n = strlen(list);
    snprintf(list + n, size - n, "%s%s", n ? separator : "", name);
}

/* "Account": {"Tieline_Id__c": "x"}: a reference by the parent's external id. */
static bool parse_parent(struct sf_save *s, const struct sf_field *f, const struct sj *v, struct draft *d,
                         struct sf_outcome *out)
{
    struct sf_object *o = sf_schema_object(&s->sf->schema, str_of(f->refs));
    const struct sj *key = v->kind == SJ_OBJECT ? v->first : NULL;
    if (key && str_is(key->key, "attributes"))
        key = key->next;
    const struct sf_field *by = o && key ? sf_object_visible(o, key->key) : NULL;
    if (!by || !(by->flags & (F_EXTERNAL | F_LOOKUP)) || key->next) {
        sf_refuse(out, 400, "INVALID_FIELD", "",
                  "The external foreign key reference does not reference a valid entity: %s", f->relationship);
        return false;
    }
    struct sf_record *found[2];
    size_t n = sf_find_by_key(s->sf, o, by, key->text, found, ARRAY_LEN(found));
    if (n != 1) {
        sf_refuse(out, 400, "INVALID_FIELD", "", "Foreign key external ID: %.*s not found for field %s in entity %s",
                  STR_FMT(key->text), by->name, o->name);
        return false;
    }
    draft_put(d, &(struct sf_val){.field = f->number, .kind = CELL_TEXT, .text = found[0]->id, .n = SF_ID_MAX});
    return true;
}

static bool is_reserved(const struct sf_save *s, str key)
{
    return str_eq_nocase(key, STR("attributes")) || (s->internal && key.n && key.p[0] == '$') ||
           (s->record && !s->key && str_eq_nocase(key, STR("id")));
}

static void unknown_field(const struct sf_save *s, str key, struct sf_outcome *out)
{
    sf_refuse(out, 400, "INVALID_FIELD", "", "No such column '%.*s' on sobject of type %s", STR_FMT(key),
              s->object->name);
}

static bool read_body(struct sf_save *s, struct draft *d, struct sf_outcome *out)
{
    char refused[200] = "";
    if (s->body->kind != SJ_OBJECT) {
        sf_refuse(out, 400, "JSON_PARSER_ERROR", "",
                  "Can not deserialize SObject from a value that is no object at "
                  "[line:%u, column:%u]",
                  s->body->line, s->body->column);
        out->malformed = true;
        return false;
    }
    for (const struct sj *m = s->body->first; m; m = m->next) {
        if (is_reserved(s, m->key))
            continue;
        const struct sf_field *f =
            s->internal ? sf_object_field(s->object, m->key) : sf_object_visible(s->object, m->key);
        const struct sf_field *parent = f ? NULL : sf_object_relation(s->object, m->key);
        struct sf_val value;
        if (!f && !parent) {
            unknown_field(s, m->key, out);
            return false;
        }
        if (s->key && f == s->key) {
            sf_refuse(out, 400, "INVALID_FIELD", f->name, "The %s field should not be specified in the sobject data.",
                      f->name);
            return false;
        }
        if (parent ? !parse_parent(s, parent, m, d, out) : !sf_value_parse(s, f, m, &value, out))
            return false;
        if (!may_write(s, parent ? parent : f))
            add_name(refused, sizeof refused, ", ", f ? f->name : parent->name);
        else if (f)
            draft_put(d, &value);
    }
    if (!*refused)
        return true;
    sf_refuse(out, 400, "INVALID_FIELD_FOR_INSERT_UPDATE", refused,
              "Unable to create/update fields: %s. Please check the security settings of this field and verify that it "
              "is read/write for your profile or permission set.",
              refused);
    return false;
}

static bool read_key(struct sf_save *s, struct draft *d, struct sf_outcome *out)
{
    if (!s->key || s->key->source == SRC_ID)
        return true;
    struct sj text = {.kind = SJ_STRING, .text = s->key_value, .line = 1, .column = 1};
    struct sf_val value;
    if (!sf_value_parse(s, s->key, &text, &value, out))
        return false;
    draft_put(d, &value);
    return true;
}

/* ---- defaults and derived values ---- */

static str default_pick(const struct sf_field *f)
{
    str rest = str_of(f->picks), one;
    while (str_split(&rest, '|', &one))
        if (one.n && one.p[0] == '*')
            return str_n(one.p + 1, one.n - 1);
    return (str){0};
}

static void apply_defaults(struct sf_save *s, struct draft *d)
{
    for (size_t i = 0; i < s->object->n; i++) {
        const struct sf_field *f = &s->object->fields[i];
        if (!(f->flags & F_D) || f->source != SRC_VALUE || draft_find(d, f))
            continue;
        str text = f->picks ? default_pick(f) : (str){0};
        if (strcmp(f->name, "OwnerId") == 0) {
            char *id = arena_alloc(s->a, SF_ID_MAX + 1);
            sf_id_make("005", s->user, id);
            text = str_n(id, SF_ID_MAX);
        }
        if (text.n)
            draft_text(d, s->object, f->name, text);
    }
}

static str what_account(struct sf_save *s, struct draft *d)
{
    str what = saved_text(s, d, "WhatId"), who = saved_text(s, d, "WhoId");
    if (str_starts(what, STR("001")))
        return what;
    struct sf_record *r = sf_find(&s->sf->store, what.n ? what : who);
    return r && r->now ? sf_row_text(r->now, r->object, "AccountId") : (str){0};
}

static void draft_moment(struct draft *d, const struct sf_object *o, const char *field, enum sf_cell_kind kind,
                         int64_t v)
{
    draft_put(d, &(struct sf_val){.field = sf_object_field(o, str_of(field))->number, .kind = (uint8_t)kind, .i = v});
}

/* Start, end and duration of an event: of the last two the one that is written decides. */
static void derive_span(struct sf_save *s, struct draft *d)
{
    const struct sf_object *o = s->object;
    const struct sf_val *start = saved_value(s, d, "StartDateTime"), *end = saved_value(s, d, "EndDateTime");
    const struct sf_val *minutes = saved_value(s, d, "DurationInMinutes");
    bool by_minutes = minutes && (!end || (draft_find(d, sf_object_field(o, STR("DurationInMinutes"))) &&
                                           !draft_find(d, sf_object_field(o, STR("EndDateTime")))));
    if (!start)
        return;
    int64_t from = start->i, to = by_minutes ? from + (int64_t)minutes->d * 60 * US_PER_S : end ? end->i : from;
    draft_moment(d, o, "EndDateTime", CELL_TIME, to);
    draft_put(d, &(struct sf_val){.field = sf_object_field(o, STR("DurationInMinutes"))->number,
                                  .kind = CELL_NUMBER,
                                  .d = (double)((to - from) / (60 * US_PER_S))});
    draft_moment(d, o, "ActivityDateTime", CELL_TIME, from);
    draft_moment(d, o, "ActivityDate", CELL_DATE, from / US_PER_DAY);
}

static void derive_closing(struct sf_save *s, struct draft *d)
{
    bool closed = str_is(saved_text(s, d, "Status"), "Completed");
    draft_bool(d, s->object, "IsClosed", closed);
    if (closed && !saved_value(s, d, "CompletedDateTime"))
        draft_moment(d, s->object, "CompletedDateTime", CELL_TIME, s->now_us - s->now_us % US_PER_S);
}

static void derive(struct sf_save *s, struct draft *d)
{
    const char *name = s->object->name;
    if (strcmp(name, "Event") == 0)
        derive_span(s, d);
    if (strcmp(name, "Task") == 0) {
        derive_closing(s, d);
        draft_bool(d, s->object, "IsHighPriority", str_is(saved_text(s, d, "Priority"), "High"));
    }
    if (strcmp(name, "Task") == 0 || strcmp(name, "Event") == 0)
        draft_text(d, s->object, "AccountId", what_account(s, d));
    if (strcmp(name, "Opportunity") == 0) {
        str stage = saved_text(s, d, "StageName");
        draft_bool(d, s->object, "IsClosed", str_starts(stage, STR("Closed")));
        draft_bool(d, s->object, "IsWon", str_is(stage, "Closed Won"));
    }
}

/* The org's "trigger": tidies what it is given, as the same user, in the same save. */
static void run_trigger(struct sf_save *s, struct draft *d)
{
    for (size_t i = 0; i < d->n; i++) {
        struct sf_val *v = &d->v[i];
        const struct sf_field *f = &s->object->fields[v->field];
        if (v->kind != CELL_TEXT || (f->type != SF_PHONE && f->type != SF_EMAIL))
            continue;
        char *to = arena_alloc(s->a, v->n + 8), digits[64];
        size_t n = 0;
        for (uint32_t k = 0; k < v->n; k++) {
            char c = v->text[k];
            if (f->type == SF_EMAIL)
                to[k] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
            else if (c >= '0' && c <= '9' && n < sizeof digits - 1)
                digits[n++] = c;
        }
        digits[n] = '\0';
        if (f->type == SF_EMAIL) {
            v->text = to;
        } else if (n == 10) { /* the page's own formatting of North American numbers */
            char *phone = arena_fmt(s->a, "(%.3s) %.3s-%s", digits, digits + 3, digits + 6);
            v->text = phone;
            v->n = (uint32_t)strlen(phone);
        }
    }
}

static void assign_owner(struct sf_save *s, struct draft *d)
{
    if (s->record || s->keep_owner || s->internal || !sf_switch(s->sf, "assignment_rule"))
        return;
    char *id = arena_alloc(s->a, SF_ID_MAX + 1);
    sf_id_make("005", s->sf->admin, id);
    draft_text(d, s->object, "OwnerId", str_n(id, SF_ID_MAX));
}

/* ---- checks over the whole record ---- */

static bool check_required(struct sf_save *s, struct draft *d, struct sf_outcome *out)
{
    char missing[200] = "";
    for (size_t i = 0; i < s->object->n; i++) {
        const struct sf_field *f = &s->object->fields[i];
        if (!(sf_is_required(f) || ((f->flags & (F_U | F_N)) == F_U && (f->flags & F_D))) || f->type == SF_BOOLEAN)
            continue;
        const struct sf_val *v = draft_find(d, f);
        bool is_missing = v ? v->kind == CELL_NULL : !s->record && sf_is_required(f);
        if (is_missing)
            add_name(missing, sizeof missing, ", ", f->name);
    }
    if (strcmp(s->object->name, "Event") == 0 && !s->record &&
        (!saved_text(s, d, "Id").n && !draft_find(d, sf_object_field(s->object, STR("StartDateTime"))) &&
         !draft_find(d, sf_object_field(s->object, STR("ActivityDate"))) &&
         !draft_find(d, sf_object_field(s->object, STR("ActivityDateTime")))))
        add_name(missing, sizeof missing, ", ", "ActivityDateTime");
    if (!*missing)
        return true;
    sf_refuse(out, 400, "REQUIRED_FIELD_MISSING", missing, "Required fields are missing: [%s]", missing);
    return false;
}

static bool check_values(struct sf_save *s, struct draft *d, struct sf_outcome *out)
{
    for (int references = 0; references < 2; references++)
        for (size_t i = 0; i < d->n; i++) {
            const struct sf_field *f = &s->object->fields[d->v[i].field];
            if ((f->type == SF_REFERENCE) != (references == 1))
                continue;
            if (!sf_value_check(s, f, &d->v[i], out))
                return false;
            if (references && d->v[i].kind == CELL_TEXT) { /* 15 characters were given perhaps; 18 are kept */
                struct sf_record *r = sf_find(&s->sf->store, str_n(d->v[i].text, d->v[i].n));
                d->v[i].text = r->id;
                d->v[i].n = SF_ID_MAX;
            }
        }
    return true;
}

struct key_search {
    struct sf *sf;
    const struct sf_field *field;
    str value;
    const struct sf_record *self;
    struct sf_record **out;
    size_t n, max;
    bool with_open; /* see rows of transactions still open too */
};

static bool row_holds(const struct key_search *k, const struct sf_row *row)
{
    struct sf_scratch scratch;
    struct sf_cell cell;
    if (!row || row->deleted)
        return false;
    sf_cell(&k->sf->store, row, k->field, &scratch, &cell);
    return cell.kind == CELL_TEXT && sf_text_compare(cell.text, k->value) == 0;
}

static void key_hit(void *arg, struct sf_record *r)
{
    struct key_search *k = arg;
    if (r == k->self || !(row_holds(k, r->now) || (k->with_open && row_holds(k, r->late))))
        return;
    for (size_t i = 0; i < k->n && i < k->max; i++)
        if (k->out[i] == r)
            return;
    if (k->n < k->max)
        k->out[k->n] = r;
    k->n++;
}

static void key_find(struct key_search *k, const struct sf_object *o)
{
    struct sf_table *t = sf_store_table(&k->sf->store, o);
    struct sf_index *x = sf_table_index(t, k->field);
    if (x)
        sf_index_each(t, x, k->value, key_hit, k);
    else
        for (uint32_t i = 0; i < t->n; i++)
            key_hit(k, t->records[i]);
}

size_t sf_find_by_key(struct sf *sf, const struct sf_object *o, const struct sf_field *f, str value,
                      struct sf_record **out, size_t max)
{
    if (f->source == SRC_ID) {
        struct sf_record *r = sf_find_in(&sf->store, o, value);
        if (!r || !r->now || r->now->deleted)
            return 0;
        out[0] = r;
        return 1;
    }
    struct key_search k = {.sf = sf, .field = f, .value = value, .out = out, .max = max};
    key_find(&k, o);
    return k.n;
}

static bool check_unique(struct sf_save *s, struct draft *d, struct sf_outcome *out)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct sf_field *f = &s->object->fields[d->v[i].field];
        struct sf_record *other;
        if (!(f->flags & F_UNIQUE) || d->v[i].kind != CELL_TEXT)
            continue;
        struct key_search k = {.sf = s->sf,
                               .field = f,
                               .value = str_n(d->v[i].text, d->v[i].n),
                               .self = s->record,
                               .out = &other,
                               .max = 1,
                               .with_open = true};
        key_find(&k, s->object);
        if (k.n == 0)
            continue;
        sf_refuse(out, 400, "DUPLICATE_VALUE", "",
                  "duplicate value found: %s duplicates value on record with id: %.15s", f->name, other->id);
        return false;
    }
    return true;
}

static const char *duplicate_json(struct sf_save *s, struct sf_record **found, size_t n, bool alert)
{
    AUTO(buf_done) struct buf b = {0};
    const char *name = s->object->name;
    const char *base = arena_fmt(s->a, "/services/data/v%d.0/sobjects/%s/", SF_API_NEWEST, name);
    buf_fmt(&b,
            "{\"allowSave\":%s,\"duplicateRule\":\"Standard_%s_Duplicate_Rule\",\"duplicateRuleEntityType\":\"%s\","
            "\"errorMessage\":\"Use one of these records?\",\"matchResults\":[{\"entityType\":\"%s\",\"errors\":[],"
            "\"matchEngine\":\"FuzzyMatchEngine\",\"matchRecords\":[",
            alert ? "true" : "false", name, name, name);
    for (size_t i = 0; i < n; i++) {
        buf_fmt(
            &b,
            "%s{\"additionalInformation\":[],\"fieldDiffs\":[],\"matchConfidence\":100.0,\"record\":{\"attributes\":"
            "{\"type\":\"%s\",\"url\":\"%s%s\"},\"Id\":\"%s\"",
            i ? "," : "", name, base, found[i]->id, found[i]->id);
        if (s->duplicate_details && strcmp(name, "Contact") == 0) {
            struct sf_scratch scratch;
            struct sf_cell cell;
            sf_cell(&s->sf->store, found[i]->now, sf_object_field(s->object, STR("Name")), &scratch, &cell);
            json_put_member(&b, "Name", cell.text);
        }
        buf_text_add(&b, "}}");
    }
    buf_fmt(&b, "],\"rule\":\"Standard_%s_Match_Rule_v1_1\",\"size\":%zu,\"success\":true}]}", name, n);
    return arena_str(s->a, buf_lent(&b)).p;
}

/* Contacts meet by e-mail, accounts by name: the two rules that matter to a help desk. */
static bool check_duplicates(struct sf_save *s, struct draft *d, struct sf_outcome *out)
{
    int64_t mode = sf_switch(s->sf, "duplicate_rule");
    bool contact = strcmp(s->object->name, "Contact") == 0, account = strcmp(s->object->name, "Account") == 0;
    if (mode == 0 || s->internal || (!contact && !account) || (mode == 1 && s->allow_duplicates))
        return true;
    const struct sf_field *f = sf_object_field(s->object, contact ? STR("Email") : STR("Name"));
    const struct sf_val *v = draft_find(d, f);
    struct sf_record *found[5];
    if (!v || v->kind != CELL_TEXT)
        return true;
    struct key_search k = {.sf = s->sf,
                           .field = f,
                           .value = str_n(v->text, v->n),
                           .self = s->record,
                           .out = found,
                           .max = ARRAY_LEN(found)};
    key_find(&k, s->object);
    if (k.n == 0)
        return true;
    sf_refuse(out, 400, "DUPLICATES_DETECTED", "", "Use one of these records?");
    out->problem.duplicates = duplicate_json(s, found, k.n < k.max ? k.n : k.max, mode == 1);
    return false;
}

static bool check_lock(struct sf_save *s, struct sf_outcome *out)
{
    bool open = s->record && s->record->late && !s->internal;
    if (!open && (s->internal || !fault_take(s->sf->world, s->sf->instance, "lock-row", s->method.p, s->path)))
        return true;
    sf_refuse(out, 400, "UNABLE_TO_LOCK_ROW", "", "unable to obtain exclusive access to this record or 1 records: %s",
              s->record ? s->record->id : "");
    return false;
}

/* ---- storing ---- */

static void journal_add(struct sf_journal *j, struct sf_record *r)
{
    if (!j)
        return;
    if (j->n == j->cap) {
        j->cap = j->cap ? j->cap * 2 : 32;
        struct sf_journal_entry *grown = realloc(j->entries, j->cap * sizeof j->entries[0]);
        ASSERT(grown);
        j->entries = grown;
    }
    j->entries[j->n++] = (struct sf_journal_entry){r, r->now ? sf_row_keep(r->now) : NULL};
}

void sf_journal_move(struct sf_journal *to, struct sf_journal *from)
{
    size_t n = to->n + from->n;
    struct sf_journal_entry *grown = realloc(to->entries, (n + 1) * sizeof to->entries[0]);
    ASSERT(grown);
    if (from->n)
        memcpy(grown + to->n, from->entries, from->n * sizeof grown[0]);
    to->entries = grown;
    to->n = n;
    to->cap = n + 1;
    from->n = 0;
}

void sf_journal_undo(struct sf *sf, struct sf_journal *j)
{
    while (j->n) {
        struct sf_journal_entry *e = &j->entries[--j->n];
        sf_unput(&sf->store, e->record, e->before);
    }
}

void sf_journal_done(struct sf_journal *j)
{
    for (size_t i = 0; i < j->n; i++)
        sf_row_drop(j->entries[i].before);
    free(j->entries);
    *j = (struct sf_journal){0};
}

/* Invariant: no create or upsert reaches a record stamped for another source record. */
static void watch_stamp(struct sf_save *s, struct draft *d)
{
    const struct sf_field *f = sf_object_field(s->object, STR(SF_STAMP_FIELD));
    const struct sf_val *v = f ? draft_find(d, f) : NULL;
    str old = s->record && f ? sf_row_text(s->record->now, s->object, SF_STAMP_FIELD) : (str){0};
    if (s->internal || !v || v->kind != CELL_TEXT || !old.n || sf_text_compare(old, str_n(v->text, v->n)) == 0)
        return;
    sandbox_violation(s->sf->world, s->sf->instance, "%s %s is stamped \"%.*s\" and was written with stamp \"%.*s\"",
                      s->object->name, s->record->id, STR_FMT(old), (int)v->n, v->text);
}

static void store_draft(struct sf_save *s, struct draft *d, struct sf_outcome *out)
{
    struct sf_record *r = s->record ? s->record : sf_record_new(&s->sf->store, s->object);
    struct sf_meta meta = {.now_us = s->now_us, .user = s->user};
    journal_add(s->journal, r);
    struct sf_row *row = sf_row_make(r, r->now, d->v, d->n, &meta);
    if (s->late_us > 0)
        sf_put_late(&s->sf->store, r, row, s->now_us + s->late_us);
    else
        sf_put(&s->sf->store, r, row);
    out->created = !s->record;
    memcpy(out->id, r->id, sizeof out->id);
}

void sf_save(struct sf_save *s, struct sf_outcome *out)
{
    struct draft d;
    d.n = 0;
    *out = (struct sf_outcome){0};
    if (!s->internal && !(s->object->flags & (s->record ? O_UPDATE : O_CREATE))) {
        sf_refuse(out, 400, "INVALID_TYPE_FOR_OPERATION", "", "entity type %s does not support %s", s->object->name,
                  s->record ? "update" : "insert");
        return;
    }
    if (!read_body(s, &d, out) || !read_key(s, &d, out))
        return;
    if (!s->record)
        apply_defaults(s, &d);
    if (!check_required(s, &d, out) || !check_values(s, &d, out))
        return;
    assign_owner(s, &d);
    if (sf_switch(s->sf, "trigger") && !s->internal)
        run_trigger(s, &d);
    derive(s, &d);
    if (!check_lock(s, out) || !check_unique(s, &d, out) || !check_duplicates(s, &d, out))
        return;
    watch_stamp(s, &d);
    store_draft(s, &d, out);
}

/* ---- deleting ---- */

static void bin_one(struct sf *sf, struct sf_record *r, const struct sf_meta *meta, const char *master,
                    struct sf_journal *journal)
{
    struct sf_val change[1];
    const struct sf_field *f = sf_object_field(r->object, STR("MasterRecordId"));
    size_t n = 0;
    if (master && f)
        change[n++] = (struct sf_val){.field = f->number, .kind = CELL_TEXT, .text = master, .n = SF_ID_MAX};
    journal_add(journal, r);
    sf_put(&sf->store, r, sf_row_make(r, r->now, change, n, meta));
}

struct cascade {
    struct sf *sf;
    const struct sf_field *field;
    str parent;
    const struct sf_meta *meta;
    struct sf_journal *journal;
};

static void cascade_hit(void *arg, struct sf_record *r)
{
    struct cascade *c = arg;
    const struct sf_val *v = r->now && !r->now->deleted ? sf_row_val(r->now, c->field) : NULL;
    if (v && str_eq(str_n(v->text, v->n), c->parent))
        sf_bin(c->sf, r, c->meta->user, c->meta->now_us, NULL, c->journal);
}

void sf_bin(struct sf *sf, struct sf_record *r, uint32_t user, int64_t now_us, const char *master,
            struct sf_journal *journal)
{
    struct sf_meta meta = {.now_us = now_us, .user = user, .deleted = true};
    bin_one(sf, r, &meta, master, journal);
    for (size_t i = 0; i < sf->schema.n && !master; i++) {
        struct sf_object *child = &sf->schema.objects[i];
        for (size_t f = 0; f < child->n; f++) {
            const struct sf_field *field = &child->fields[f];
            struct sf_table *t = sf_store_table(&sf->store, child);
            struct sf_index *x = sf_child_list(r->object, child, field) ? sf_table_index(t, field) : NULL;
            struct cascade c = {sf, field, str_n(r->id, SF_ID_MAX), &meta, journal};
            bool deal_of_contact = strcmp(child->name, "Opportunity") == 0 && strcmp(r->object->name, "Account") != 0;
            if (x && child != r->object && !deal_of_contact)
                sf_index_each(t, x, c.parent, cascade_hit, &c);
        }
    }
}

void sf_delete(struct sf_save *s, struct sf_outcome *out)
{
    *out = (struct sf_outcome){0};
    if (!(s->object->flags & O_DELETE)) {
        sf_refuse(out, 400, "INVALID_TYPE_FOR_OPERATION", "", "entity type %s does not support delete",
                  s->object->name);
        return;
    }
    if (!check_lock(s, out))
        return;
    sf_bin(s->sf, s->record, s->user, s->now_us, NULL, s->journal);
    memcpy(out->id, s->record->id, sizeof out->id);
}
