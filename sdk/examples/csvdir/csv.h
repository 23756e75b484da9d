/* SPDX-License-Identifier: MIT-0 */
#ifndef CSVDIR_CSV_H
#define CSVDIR_CSV_H
/* A CSV file in memory (RFC 4180: quotes, doubled quotes, line breaks inside quotes). Cells are copies of their own. */
#include <kit/kit.h>
#include <stdio.h>

struct csv_row {
    tl_str *cells; /* one for each of its columns; columns that came later are empty */
    uint32_t n;
    tl_str key; /* csv_sort's */
};
struct csv {
    tlk_arena arena; /* texts */
    tl_str *columns;
    uint32_t n_columns;
    struct csv_row *rows;
    uint32_t n_rows, cap;
};
void csv_done(struct csv *t);
bool csv_read(struct csv *t, FILE *in, const char **wrong); /* at most 64 MiB; *wrong says what is */
void csv_write(const struct csv *t, FILE *out);
uint32_t csv_column(struct csv *t, const char *name);        /* makes it where there is none */
void csv_sort(struct csv *t, uint32_t column);               /* by csv_compare of these cells */
int csv_compare(tl_str a, tl_str b);                         /* shorter ones first, so numbers stand by value */
tl_str csv_cell(const struct csv_row *row, uint32_t column); /* empty: nothing there */
struct csv_row *csv_add(struct csv *t);                      /* good until the next add or remove */
void csv_remove(struct csv *t, struct csv_row *row);
void csv_set(struct csv *t, struct csv_row *row, uint32_t column, tl_str value);
#endif
