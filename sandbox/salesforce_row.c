/* Rows and values as the REST API shows them. */
#include <math.h>
#include <stdio.h>

#include "salesforce_int.h"
#include "times.h"

static void two_digits(char *to, int64_t v)
{
    to[0] = (char)('0' + v / 10);
    to[1] = (char)('0' + v % 10);
}

/* Always milliseconds and "+0000". Written by hand: a page has six thousand of them. */
void sf_time_put(struct buf *out, int64_t us)
{
    int64_t days = us / US_PER_DAY - (us % US_PER_DAY < 0), in_day = us - days * US_PER_DAY;
    int64_t seconds = in_day / US_PER_S, ms = in_day / US_PER_MS % 1000;
    buf_char(out, '"');
    date_format(out, days);
    char text[] = "T00:00:00.000+0000\"";
    two_digits(text + 1, seconds / 3600);
    two_digits(text + 4, seconds / 60 % 60);
    two_digits(text + 7, seconds % 60);
    text[10] = (char)('0' + ms / 100);
    two_digits(text + 11, ms % 100);
    buf_add(out, text, sizeof text - 1);
}

static void number_put(struct buf *out, const struct sf_field *f, double d)
{
    if (f->type == SF_INT || fabs(d) >= 1e15) {
        buf_fmt(out, "%.0f", d);
    } else if (d == floor(d)) {
        buf_fmt(out, "%.1f", d); /* a double shows its point: 10.0 */
    } else {
        buf_fmt(out, "%.15g", d);
    }
}

void sf_cell_put(struct buf *out, const struct sf_field *f, const struct sf_cell *cell)
{
    switch (cell->kind) {
    case CELL_NULL:
        buf_text_add(out, "null");
        break;
    case CELL_TEXT:
        json_put(out, cell->text);
        break;
    case CELL_NUMBER:
        number_put(out, f, cell->d);
        break;
    case CELL_BOOL:
        buf_text_add(out, cell->i ? "true" : "false");
        break;
    case CELL_DATE:
        buf_char(out, '"');
        date_format(out, cell->i);
        buf_char(out, '"');
        break;
    case CELL_TIME:
        sf_time_put(out, cell->i);
        break;
    }
}

/* BillingAddress from BillingStreet and its sisters; null when all are empty. */
static void address_put(struct sf *sf, struct buf *out, const struct sf_row *row, const struct sf_field *f)
{
    static const struct {
        const char *key, *part;
    } parts[] = {{"city", "City"},         {"country", "Country"},     {"geocodeAccuracy", "GeocodeAccuracy"},
                 {"latitude", "Latitude"}, {"longitude", "Longitude"}, {"postalCode", "PostalCode"},
                 {"state", "State"},       {"street", "Street"}};
    size_t prefix = strlen(f->name) - strlen("Address"), start = out->n;
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char name[64];
        struct sf_scratch scratch;
        struct sf_cell cell;
        snprintf(name, sizeof name, "%.*s%s", (int)prefix, f->name, parts[i].part);
        const struct sf_field *part = sf_object_field(row->record->object, str_of(name));
        sf_cell(&sf->store, row, part, &scratch, &cell);
        any = any || cell.kind != CELL_NULL;
        buf_char(out, i ? ',' : '{');
        json_put_key(out, parts[i].key);
        sf_cell_put(out, part, &cell);
    }
    buf_char(out, '}');
    if (any)
        return;
    out->n = start;
    buf_text_add(out, "null");
}

static void value_put(struct sf *sf, struct buf *out, const struct sf_row *row, const struct sf_field *f)
{
    struct sf_scratch scratch;
    struct sf_cell cell = {0};
    if (f->source == SRC_ADDRESS) {
        address_put(sf, out, row, f);
        return;
    }
    sf_cell(&sf->store, row, f, &scratch, &cell);
    sf_cell_put(out, f, &cell);
}

static void attributes_put(struct buf *out, const struct sf_row *row, str version)
{
    const char *name = row->record->object->name;
    buf_text_add(out, "\"attributes\":{\"type\":\"");
    buf_text_add(out, name);
    buf_text_add(out, "\",\"url\":\"/services/data/v");
    buf_str(out, version);
    buf_text_add(out, "/sobjects/");
    buf_text_add(out, name);
    buf_char(out, '/');
    buf_add(out, row->record->id, SF_ID_MAX);
    buf_text_add(out, "\"}");
}

void sf_record_put(struct sf *sf, struct buf *out, const struct sf_row *row, const struct sf_field *const *fields,
                   size_t n, str version)
{
    const struct sf_object *o = row->record->object;
    buf_char(out, '{');
    attributes_put(out, row, version);
    size_t count = fields ? n : o->n;
    for (size_t i = 0; i < count; i++) {
        const struct sf_field *f = fields ? fields[i] : &o->fields[i];
        if (f->flags & F_HIDDEN)
            continue;
        buf_str(out, f->key);
        value_put(sf, out, row, f);
    }
    buf_char(out, '}');
}

static void children_put(struct sf *sf, struct buf *out, const struct soql_column *c, const struct sf_row *row,
                         str version, const struct soql_world *w)
{
    AUTO(soql_result_done) struct soql_result found = {0};
    soql_run_children(c->children, w, c->child_field, str_n(row->record->id, SF_ID_MAX), &found);
    if (found.n == 0) { /* the vendor writes null, not an empty list */
        buf_text_add(out, "null");
        return;
    }
    buf_fmt(out, "{\"totalSize\":%zu,\"done\":true,\"records\":[", found.n);
    for (size_t i = 0; i < found.n; i++) {
        if (i)
            buf_char(out, ',');
        sf_row_put(sf, out, c->children, found.rows[i], version, w);
    }
    buf_text_add(out, "]}");
}

/* Columns that share their first references become one nested object, at the place of the first of them. */
static void columns_put(struct sf *sf, struct buf *out, const struct soql_plan *p, const struct sf_row *row,
                        str version, const struct soql_world *w, unsigned depth, const struct soql_path *under)
{
    buf_char(out, '{');
    attributes_put(out, row, version);
    for (size_t i = 0; i < p->column_n; i++) {
        const struct soql_column *c = &p->columns[i];
        const struct soql_path *path = &c->path;
        if (under && (c->children || path->hops < depth || memcmp(path->hop, under->hop, depth * sizeof path->hop[0])))
            continue;
        if (c->children) {
            buf_char(out, ',');
            json_put_key(out, c->child_name);
            children_put(sf, out, c, row, version, w);
            continue;
        }
        if (path->hops == depth) {
            const struct sf_field *f = soql_field_of(path, row);
            buf_str(out, path->field->key);
            if (f)
                value_put(sf, out, row, f);
            else
                buf_text_add(out, "null");
            continue;
        }
        bool first = true;
        for (size_t k = 0; k < i && first; k++)
            first = p->columns[k].children || p->columns[k].path.hops <= depth ||
                    memcmp(p->columns[k].path.hop, path->hop, (depth + 1) * sizeof path->hop[0]) != 0;
        if (!first)
            continue;
        struct soql_path step = {.hops = 1, .hop = {path->hop[depth]}};
        const struct sf_row *parent = soql_follow(&sf->store, &step, row);
        buf_char(out, ',');
        json_put_key(out, path->hop[depth]->relationship);
        if (parent)
            columns_put(sf, out, p, parent, version, w, depth + 1, path);
        else
            buf_text_add(out, "null");
    }
    buf_char(out, '}');
}

void sf_row_put(struct sf *sf, struct buf *out, const struct soql_plan *p, const struct sf_row *row, str version,
                const struct soql_world *w)
{
    columns_put(sf, out, p, row, version, w, 0, NULL);
}
