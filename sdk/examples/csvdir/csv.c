/* SPDX-License-Identifier: MIT-0 */
#include "csv.h"

#include <stdlib.h>

enum { COLUMNS_MAX = 200 };

void csv_done(struct csv *t)
{
    tlk_arena_done(&t->arena);
    free(t->rows);
    *t = (struct csv){0};
}

tl_str csv_cell(const struct csv_row *row, uint32_t column)
{
    return column < row->n ? row->cells[column] : TLK_NONE;
}

static tl_str *columns_of(struct csv *t)
{
    if (!t->columns)
        t->columns = tlk_new(&t->arena, tl_str, COLUMNS_MAX);
    return t->columns;
}

uint32_t csv_column(struct csv *t, const char *name)
{
    tl_str *columns = columns_of(t);
    for (uint32_t i = 0; i < t->n_columns; i++)
        if (tlk_is(columns[i], name))
            return i;
    if (t->n_columns == COLUMNS_MAX)
        return COLUMNS_MAX; /* of which every row has nothing */
    columns[t->n_columns] = tlk_dup(&t->arena, tlk_str(name));
    return t->n_columns++;
}

struct csv_row *csv_add(struct csv *t)
{
    if (t->n_rows == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->rows = realloc(t->rows, t->cap * sizeof(*t->rows));
        if (!t->rows)
            abort();
    }
    struct csv_row *row = &t->rows[t->n_rows++];
    *row = (struct csv_row){.cells = tlk_new(&t->arena, tl_str, t->n_columns + 1), .n = t->n_columns};
    return row;
}

void csv_remove(struct csv *t, struct csv_row *row)
{
    size_t behind = t->n_rows - (size_t)(row - t->rows) - 1;
    memmove(row, row + 1, behind * sizeof(*row));
    t->n_rows--;
}

void csv_set(struct csv *t, struct csv_row *row, uint32_t column, tl_str value)
{
    if (column >= row->n && column < t->n_columns) { /* a column that came later */
        tl_str *wider = tlk_new(&t->arena, tl_str, t->n_columns);
        if (row->n)
            memcpy(wider, row->cells, row->n * sizeof(*wider));
        *row = (struct csv_row){.cells = wider, .n = t->n_columns};
    }
    if (column < row->n)
        row->cells[column] = value.n ? tlk_dup(&t->arena, value) : TLK_NONE;
}

static int by_key(const void *a, const void *b)
{
    tl_str x = ((const struct csv_row *)a)->key, y = ((const struct csv_row *)b)->key;
    return csv_compare(x, y);
}

int csv_compare(tl_str a, tl_str b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return a.n ? memcmp(a.p, b.p, a.n) : 0;
}

void csv_sort(struct csv *t, uint32_t column)
{
    for (uint32_t i = 0; i < t->n_rows; i++)
        t->rows[i].key = csv_cell(&t->rows[i], column);
    if (t->n_rows)
        qsort(t->rows, t->n_rows, sizeof(*t->rows), by_key);
}

/* ---- reading */

/* One cell from *p; sets *end to what ended it: ',' '\n' or 0. False: a quote that never closes. */
static bool read_cell(const char **p, tlk_buf *cell, char *end)
{
    const char *s = *p;
    bool quoted = *s == '"';
    tlk_buf_clear(cell);
    for (s += quoted;; s++) {
        if (quoted && *s == '"' && s[1] == '"') {
            tlk_addc(cell, '"');
            s++;
        } else if (quoted && *s == '"') {
            quoted = false;
        } else if (*s == 0) {
            break;
        } else if (!quoted && (*s == ',' || *s == '\n' || (*s == '\r' && s[1] == '\n'))) {
            break;
        } else {
            tlk_addc(cell, *s);
        }
    }
    if (*s == '\r')
        s++;
    *end = *s;
    *p = *s ? s + 1 : s;
    return !quoted;
}

static bool parse(struct csv *t, const char *p, const char **wrong)
{
    TLK_AUTO_BUF cell = {0};
    bool head = true;
    while (*p) {
        struct csv_row *row = head ? NULL : csv_add(t);
        char end = ',';
        for (uint32_t i = 0; end == ','; i++) {
            if (!read_cell(&p, &cell, &end) || (head && i >= COLUMNS_MAX)) {
                *wrong = head ? "it has more than 200 columns, or a quote that never closes" : "a quote never closes";
                return false;
            }
            if (head)
                csv_column(t, cell.n ? cell.p : "");
            else
                csv_set(t, row, i, tlk_lent(&cell));
        }
        head = false;
    }
    return true;
}

bool csv_read(struct csv *t, FILE *in, const char **wrong)
{
    TLK_AUTO_BUF all = {0};
    char piece[8192];
    for (size_t n; (n = fread(piece, 1, sizeof(piece), in)) > 0;)
        tlk_add(&all, tlk_strn(piece, n));
    if (ferror(in) || all.full) {
        *wrong = "it cannot be read, or is larger than 64 MiB";
        return false;
    }
    const char *p = tlk_lent(&all).p;
    bool bom = all.n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0; /* as spreadsheets write it */
    return parse(t, p + (bom ? 3 : 0), wrong);
}

/* ---- writing */

static void write_cell(tl_str s, FILE *out)
{
    bool quote =
        s.n && (memchr(s.p, ',', s.n) || memchr(s.p, '"', s.n) || memchr(s.p, '\n', s.n) || memchr(s.p, '\r', s.n));
    if (!quote) {
        fwrite(s.n ? s.p : "", 1, s.n, out);
        return;
    }
    fputc('"', out);
    for (uint64_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            fputc('"', out);
        fputc(s.p[i], out);
    }
    fputc('"', out);
}

static void write_cells(const struct csv_row *row, uint32_t n, FILE *out)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            fputc(',', out);
        write_cell(csv_cell(row, i), out);
    }
    fputs("\r\n", out);
}

void csv_write(const struct csv *t, FILE *out)
{
    const struct csv_row head = {.cells = t->columns, .n = t->n_columns};
    write_cells(&head, t->n_columns, out);
    for (uint32_t i = 0; i < t->n_rows; i++)
        write_cells(&t->rows[i], t->n_columns, out);
}
