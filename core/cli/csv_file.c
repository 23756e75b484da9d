/* Lists into files that spreadsheets read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "csv.h"
#include "times.h"

/* The reader's own clock, with its distance from UTC: "2026-11-22 02:36:50+0100". */
static void local_time(const char *rfc3339, struct buf *out)
{
    int64_t us;
    struct tm local;
    char text[40];
    time_t seconds = time_parse(str_of(rfc3339), &us) ? (time_t)(us / US_PER_S) : (time_t)-1;
    if (seconds != (time_t)-1 && localtime_r(&seconds, &local) &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S%z", &local))
        buf_text_add(out, text);
    else
        buf_text_add(out, rfc3339);
}

static void cell(struct csv *c, const struct column *column, const json_t *v)
{
    if (!(column->flags & COLUMN_TIME) || !json_is_string(v)) {
        csv_json(c, v);
        return;
    }
    AUTO(buf_done) struct buf text = {0};
    local_time(json_string_value(v), &text);
    csv_text(c, buf_lent(&text));
}

int cli_save_csv(struct cli *cli, const char *file, const json_t *items, const struct column *columns)
{
    AUTO(buf_done) struct buf text = {0};
    struct csv c = {.out = &text};
    size_t i;
    json_t *row;
    for (const struct column *k = columns; k->title; k++)
        csv_text(&c, str_of(k->title));
    csv_end(&c);
    json_array_foreach((json_t *)(uintptr_t)items, i, row)
    {
        for (const struct column *k = columns; k->title; k++)
            cell(&c, k, cli_path(row, k->path));
        csv_end(&c);
    }
    bool to_stdout = strcmp(file, "-") == 0;
    FILE *f = to_stdout ? stdout : fopen(file, "wx");
    if (!f)
        return cli_fail(cli, EXIT_FAILED, "\"%s\" cannot be written: %s", file, strerror(errno));
    bool ok = fwrite(text.p, 1, text.n, f) == text.n;
    ok &= (to_stdout ? fflush(f) : fclose(f)) == 0;
    if (!ok)
        return cli_fail(cli, EXIT_FAILED, "\"%s\" cannot be written: %s", file, strerror(errno));
    if (!to_stdout)
        cli_note(cli, "%zu rows in %s", json_array_size(items), file);
    return EXIT_DONE;
}
