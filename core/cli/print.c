/* Tables, objects and progress lines for people; the same data as JSON for programs. */
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "times.h"
#include "unicode.h"

json_t *cli_path(const json_t *object, const char *path)
{
    str rest = str_of(path), part;
    json_t *at = (json_t *)(uintptr_t)object; /* jansson's getters take const and lend non-const */
    while (at && str_split(&rest, '.', &part)) {
        char name[64];
        if (part.n >= sizeof name)
            return NULL;
        memcpy(name, part.p, part.n);
        name[part.n] = 0;
        at = json_object_get(at, name);
    }
    return at;
}

const char *cli_text(const json_t *object, const char *path)
{
    const char *text = json_string_value(cli_path(object, path));
    return text ? text : "";
}

int64_t cli_int(const json_t *object, const char *path)
{
    return json_integer_value(cli_path(object, path));
}

void cli_print_time(struct buf *out, const char *rfc3339)
{
    int64_t us;
    if (!time_parse(str_of(rfc3339), &us)) {
        buf_text_add(out, rfc3339);
        return;
    }
    time_t seconds = (time_t)(us / US_PER_S);
    struct tm local;
    char text[32];
    if (localtime_r(&seconds, &local) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local))
        buf_text_add(out, text);
}

void cli_add_visible(struct buf *out, const char *text)
{
    text_visible(out, str_of(text));
}

static void value_text(struct buf *out, const json_t *v, unsigned flags)
{
    if (json_is_string(v)) {
        if (flags & COLUMN_TIME)
            cli_print_time(out, json_string_value(v));
        else
            text_visible(out, str_n(json_string_value(v), json_string_length(v)));
    } else if (json_is_integer(v)) {
        buf_fmt(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    } else if (json_is_real(v)) {
        buf_fmt(out, "%.1f", json_real_value(v));
    } else if (json_is_boolean(v)) {
        buf_text_add(out, json_is_true(v) ? "yes" : "no");
    } else if (json_is_array(v)) {
        size_t i;
        json_t *item;
        json_array_foreach((json_t *)(uintptr_t)v, i, item)
        {
            if (i)
                buf_text_add(out, ", ");
            value_text(out, item, flags);
        }
    } else if (json_is_object(v)) {
        char *text = json_dumps(v, JSON_COMPACT);
        text_visible(out, str_of(text ? text : ""));
        free(text);
    }
}

static const json_t *column_value(const json_t *row, const char *paths)
{
    str rest = str_of(paths), path;
    while (str_split(&rest, '|', &path)) {
        char one[128];
        if (path.n >= sizeof one)
            continue;
        memcpy(one, path.p, path.n);
        one[path.n] = 0;
        const json_t *v = cli_path(row, one);
        if (v && !json_is_null(v))
            return v;
    }
    return NULL;
}

static void print_json(const char *kind, json_t *items)
{
    json_t *o = json_pack("{s:i,s:s,s:O}", "api", 1, "kind", kind, "items", items);
    json_dumpf(o, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(o);
}

static const char *state_color(const char *state)
{
    static const char *const good[] = {"running", "active", "ok", "succeeded", "loaded"};
    static const char *const bad[] = {"failed", "crashed", "blocked", "needs sign-in", "failed unload"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (strcmp(state, good[i]) == 0)
            return "green";
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (strcmp(state, bad[i]) == 0)
            return "red";
    return "yellow";
}

static void add_row(struct libscols_table *table, const json_t *row, const struct column *columns, bool color)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);
    for (size_t i = 0; columns[i].title; i++) {
        AUTO(buf_done) struct buf text = {.max = 1 << 16};
        const json_t *v = column_value(row, columns[i].path);
        if (v)
            value_text(&text, v, columns[i].flags);
        scols_line_set_data(line, i, buf_text(&text));
        if (color && (columns[i].flags & COLUMN_COLOR_STATE))
            scols_cell_set_color(scols_line_get_cell(line, i), state_color(buf_text(&text)));
    }
}

void cli_print_list(const struct cli *cli, const char *kind, const json_t *answer, const struct column *columns,
                    const char *empty)
{
    json_t *items = json_object_get(answer, "items");
    if (cli->json) {
        print_json(kind, items);
        return;
    }
    if (json_array_size(items) == 0) {
        cli_note(cli, "%s", empty);
        return;
    }
    struct libscols_table *table = scols_new_table();
    scols_table_enable_noheadings(table, cli->no_header);
    scols_table_enable_colors(table, cli->color);
    for (const struct column *c = columns; c->title; c++)
        scols_table_new_column(table, c->title, 0,
                               (c->flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0) |
                                   (c->flags & COLUMN_WRAP ? SCOLS_FL_WRAP : 0));
    size_t i;
    json_t *row;
    json_array_foreach(items, i, row)
    {
        add_row(table, row, columns, cli->color);
    }
    scols_print_table(table);
    scols_unref_table(table);
}

int cli_list(struct cli *cli, const char *path, const char *kind, const struct column *columns, const char *empty)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "%s", path);
    if (rc == EXIT_DONE)
        cli_print_list(cli, kind, answer, columns, empty);
    json_decref(answer);
    return rc;
}

/* Members whose text is a time. Record values are not among them: they are shown as the vendor holds them. */
static bool is_time(const char *name)
{
    static const char *const names[] = {"since",    "checked",  "discovered",    "first",   "time",
                                        "made",     "synced",   "last_received", "expires", "date",
                                        "next_try", "resolved", "created_from",  "started", "ended"};
    size_t n = strlen(name);
    if (n > 3 && strcmp(name + n - 3, "_at") == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool is_flat_list(const json_t *list)
{
    size_t i;
    json_t *item, *v;
    const char *name;
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        if (!json_is_object(item))
            return false;
        json_object_foreach(item, name, v)
        {
            if (json_is_object(v) || json_is_array(v))
                return false;
        }
    }
    return json_array_size(list) > 0;
}

/* Member names that have a value anywhere in the list, in their order; at most max. */
static size_t list_columns(const json_t *list, struct column *out, size_t max)
{
    size_t n = 0, i, k;
    json_t *item, *v;
    const char *name;
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        json_object_foreach(item, name, v)
        {
            for (k = 0; k < n && strcmp(out[k].path, name) != 0; k++)
                ;
            if (k == n && n < max && !json_is_null(v))
                out[n++] = (struct column){
                    name, name, (json_is_number(v) ? COLUMN_RIGHT : 0u) | (is_time(name) ? COLUMN_TIME : 0u)};
        }
    }
    return n;
}

/* Objects without further structure, one a line under the names of their members. */
static void print_flat_list(const json_t *list, int indent)
{
    enum { MAX = 24 };
    struct column columns[MAX + 1] = {{0}};
    list_columns(list, columns, MAX);
    struct libscols_table *table = scols_new_table();
    for (const struct column *c = columns; c->title; c++)
        scols_table_new_column(table, c->title, 0, c->flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0);
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)list, i, row)
    {
        add_row(table, row, columns, false);
    }
    char *text = NULL;
    if (scols_print_table_to_string(table, &text) == 0 && text) {
        str rest = str_of(text), line;
        while (rest.n && str_split(&rest, '\n', &line))
            printf("%*s%.*s\n", indent, "", STR_FMT(line));
    }
    free(text);
    scols_unref_table(table);
}

static void print_members(const json_t *object, int indent)
{
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)object, name, v)
    {
        if (json_is_null(v) || (json_is_array(v) && json_array_size(v) == 0) ||
            (json_is_string(v) && json_string_length(v) == 0))
            continue;
        if (is_flat_list(v)) {
            printf("%*s%s:\n", indent, "", name);
            print_flat_list(v, indent + 2);
            continue;
        }
        if (json_is_object(v)) {
            printf("%*s%s:\n", indent, "", name);
            print_members(v, indent + 2);
            continue;
        }
        if (json_is_array(v) && json_is_object(json_array_get(v, 0))) {
            printf("%*s%s:\n", indent, "", name);
            size_t i;
            json_t *item;
            json_array_foreach(v, i, item)
            {
                printf("%*s-\n", indent + 2, "");
                print_members(item, indent + 4);
            }
            continue;
        }
        AUTO(buf_done) struct buf text = {0};
        value_text(&text, v, is_time(name) ? COLUMN_TIME : 0);
        printf("%*s%s: %s\n", indent, "", name, buf_text(&text));
    }
}

void cli_print_object(const struct cli *cli, const char *kind, const json_t *object)
{
    if (!cli->json) {
        print_members(object, 0);
        return;
    }
    json_t *items = json_array();
    json_array_append(items, (json_t *)(uintptr_t)object);
    print_json(kind, items);
    json_decref(items);
}

void cli_progress(const struct cli *cli, struct progress *p, const char *label, int64_t done, int64_t total,
                  const char *tail)
{
    enum { WIDTH = 24 };
    if (cli->quiet || cli->json)
        return;
    if (total >= 0 && total < done)
        total = done; /* the plan has grown since it was counted */
    int percent = total > 0 ? (int)(done >= total ? 100 : done * 100 / total) : -1;
    if (!isatty(STDERR_FILENO)) {
        if (percent >= 0 && percent / 5 == p->last_percent / 5 && p->drawn)
            return;
        if (percent < 0 && done == 0)
            return; /* nothing is known yet */
        fprintf(stderr, "%s %" PRId64, label, done);
        if (percent >= 0)
            fprintf(stderr, "/%" PRId64 " (%d %%)", total, percent);
        fprintf(stderr, " %s\n", tail);
    } else {
        char bar[WIDTH + 1];
        for (int i = 0; i < WIDTH; i++)
            bar[i] = percent >= 0 && i < percent * WIDTH / 100 ? '#' : '.';
        bar[WIDTH] = 0;
        fprintf(stderr, "\r\033[K%-28s [%s] %3d %% %" PRId64 "/%" PRId64 " %s", label, bar, percent < 0 ? 0 : percent,
                done, total < 0 ? done : total, tail);
        fflush(stderr);
    }
    p->last_percent = percent;
    p->drawn = true;
}

void cli_progress_end(const struct cli *cli, struct progress *p)
{
    if (p->drawn && !cli->quiet && !cli->json && isatty(STDERR_FILENO))
        fputc('\n', stderr);
    *p = (struct progress){0};
}
