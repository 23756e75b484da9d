/* tieline map set|preview|test|export|import|functions: maps with transforms, and what they do before they do it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const char *map_path(struct cli *cli, const char *rest)
{
    return arena_fmt(&cli->arena, "/api/v1/links/%s/%s/map%s", cli_escape(cli, cli->args[0]),
                     cli_escape(cli, cli->args[1]), rest);
}

/* ---- Effects */

static const struct column effect_columns[] = {
    {"A", "a", 0},
    {"B", "b", 0},
    {"CHANGE", "change", 0},
    {"PAIRS", "pairs", COLUMN_RIGHT},
    {"EQUAL", "equal", COLUMN_RIGHT},
    {"WRITTEN TO A", "writes.a", COLUMN_RIGHT},
    {"WRITTEN TO B", "writes.b", COLUMN_RIGHT},
    {"CONFLICTS", "conflicts", COLUMN_RIGHT},
    {"LEFT ALONE", "left", COLUMN_RIGHT},
    {"FAILED", "failed", COLUMN_RIGHT},
    {"NOT READ YET", "unknown", COLUMN_RIGHT},
    {NULL, NULL, 0},
};
static const struct column example_columns[] = {
    {"A ID", "a_id", 0},
    {"B ID", "b_id", 0},
    {"SIDE", "side", 0},
    {"BEFORE", "before", COLUMN_WRAP},
    {"AFTER", "after", COLUMN_WRAP},
    {NULL, NULL, 0},
};
static const struct column failing_columns[] = {
    {"SIDE", "side", 0}, {"RECORD", "record", 0},         {"VALUE", "value", COLUMN_WRAP},
    {"CODE", "code", 0}, {"REASON", "text", COLUMN_WRAP}, {NULL, NULL, 0},
};

static void print_members(struct cli *cli, const json_t *effect, const char *name, const struct column *columns)
{
    json_t *items = json_object_get(effect, name);
    if (json_array_size(items) == 0)
        return;
    json_t *list = json_pack("{s:O}", "items", items);
    cli_print_list(cli, name, list, columns, "");
    json_decref(list);
}

static void print_effect(struct cli *cli, const json_t *effect)
{
    if (cli->json) {
        cli_print_object(cli, "effect", effect);
        return;
    }
    json_t *list = json_pack("{s:[O]}", "items", effect);
    cli_print_list(cli, "effect", list, effect_columns, "");
    json_decref(list);
    print_members(cli, effect, "examples", example_columns);
    print_members(cli, effect, "failing", failing_columns);
    if (*cli_text(effect, "note"))
        cli_note(cli, "%s", cli_text(effect, "note"));
    cli_note(cli, "nothing was changed (-n)");
}

/* ---- set */

static const struct cli_option set_options[] = {
    {"direction", "DIRECTION", "both, a2b, b2a or off (default: both, as far as the link goes)"},
    {"policy", "POLICY", "newest, a, b or manual (default: the link's)"},
    {"transform", "CHAIN", "what becomes of a value on its way from A to B: 'trim | upper'"},
    {"back", "CHAIN", "the way back, where the transform has no inverse"},
    {"unless-blank", NULL, "a blank never wins against a value"},
    {NULL, NULL, NULL},
};

static const struct column row_columns[] = {
    {"A", "a", 0},
    {"DIRECTION", "direction", 0},
    {"B", "b", 0},
    {"A TO B", "to_b", COLUMN_WRAP},
    {"B TO A", "to_a", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static int run_set(struct cli *cli)
{
    static const char *const names[] = {"direction", "policy", "transform", "back"};
    json_t *set = json_object(), *answer = NULL;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (cli_value(cli, names[i]))
            json_object_set_new(set, names[i], json_string(cli_value(cli, names[i])));
    if (cli_value(cli, "unless-blank"))
        json_object_set_new(set, "unless_blank", json_true());
    json_t *body = json_pack("{s:s,s:s,s:o}", "a", cli->args[2], "b", cli->args[3], "settings", set);
    int rc = cli_change(cli, "PUT", map_path(cli, cli->dry_run ? "?dry_run=true" : ""), body, &answer);
    if (rc == EXIT_DONE && cli->dry_run)
        print_effect(cli, answer);
    else if (rc == EXIT_DONE && (cli->json || !cli->quiet))
        cli_print_list(cli, "map", answer, row_columns, "");
    json_decref(answer);
    return rc;
}

/* ---- preview */

static const struct column preview_columns[] = {
    {"A", "a", 0},
    {"VALUE", "a_value", COLUMN_WRAP},
    {"WOULD BE IN B", "shown_b", COLUMN_WRAP},
    {"B", "b", 0},
    {"VALUE", "b_value", COLUMN_WRAP},
    {"WOULD BE IN A", "shown_a", COLUMN_WRAP},
    {"EQUAL", "equal", 0},
    {NULL, NULL, 0},
};

static void show_image(json_t *row, const char *from, const char *to)
{
    const json_t *image = json_object_get(row, from);
    const char *outcome = cli_text(image, "outcome");
    char text[300] = "";
    if (strcmp(outcome, "value") == 0)
        snprintf(text, sizeof text, "%s", cli_text(image, "value"));
    else if (strcmp(outcome, "fail") == 0)
        snprintf(text, sizeof text, "%s: %s", cli_text(image, "code"), cli_text(image, "text"));
    else
        snprintf(text, sizeof text, "%s", strcmp(outcome, "skip") == 0 ? "(left alone)" : "");
    json_object_set_new(row, to, json_string(text));
}

static int run_preview(struct cli *cli)
{
    json_t *answer = NULL, *row;
    size_t i;
    int rc = cli_get(cli, &answer, "%s%s", map_path(cli, "/preview?record="), cli_escape(cli, cli->args[2]));
    if (rc == EXIT_DONE && cli->json) {
        cli_print_object(cli, "preview", answer);
    } else if (rc == EXIT_DONE) {
        json_array_foreach(json_object_get(answer, "items"), i, row)
        {
            show_image(row, "would_be_b", "shown_b");
            show_image(row, "would_be_a", "shown_a");
        }
        cli_note(cli, "a %s, b %s", *cli_text(answer, "a_id") ? cli_text(answer, "a_id") : "(no record)",
                 *cli_text(answer, "b_id") ? cli_text(answer, "b_id") : "(no record)");
        cli_print_list(cli, "preview", answer, preview_columns, "no field is mapped yet");
    }
    json_decref(answer);
    return rc;
}

/* ---- export, import */

static int run_export(struct cli *cli)
{
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "%s", map_path(cli, "/export"));
    if (rc == EXIT_DONE) {
        json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
    }
    json_decref(answer);
    return rc;
}

enum { FILE_MAX = 4 << 20 };

/* The whole file, or standard input for "-"; NULL with a message. */
static char *file_read(struct cli *cli, const char *path)
{
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    AUTO(buf_done) struct buf b = {.max = FILE_MAX};
    if (!in) {
        cli_fail(cli, EXIT_USAGE, "%s: %s", path, strerror(errno));
        return NULL;
    }
    char block[8192];
    for (size_t n; !b.full && (n = fread(block, 1, sizeof block, in)) > 0;)
        buf_add(&b, block, n);
    bool bad = ferror(in) || b.full;
    if (in != stdin)
        (void)fclose(in);
    if (!bad)
        return arena_copy(&cli->arena, b.n ? b.p : "", b.n);
    cli_fail(cli, EXIT_USAGE, "%s cannot be read, or is larger than %d bytes", path, FILE_MAX);
    return NULL;
}

static int run_import(struct cli *cli)
{
    const char *text = file_read(cli, cli->args[2]);
    json_error_t wrong;
    json_t *answer = NULL, *file = text ? json_loads(text, JSON_REJECT_DUPLICATES, &wrong) : NULL;
    if (!text)
        return EXIT_USAGE;
    if (!json_is_array(json_object_get(file, "rows"))) {
        bool is_json = file != NULL;
        json_decref(file);
        return is_json ? cli_fail(cli, EXIT_USAGE, "%s has no \"rows\": it is not what map export writes", cli->args[2])
                       : cli_fail(cli, EXIT_USAGE, "%s:%d: %s", cli->args[2], wrong.line, wrong.text);
    }
    json_t *body = json_pack("{s:O}", "rows", json_object_get(file, "rows"));
    json_decref(file);
    int rc =
        cli_send(cli, "POST", map_path(cli, cli->dry_run ? "/import?dry_run=true" : "/import"), body, NULL, &answer);
    if (rc == EXIT_DONE && cli->dry_run) {
        cli_print_list(cli, "effect", answer, effect_columns, "the map is the same already");
        cli_note(cli, "nothing was changed (-n)");
    } else if (rc == EXIT_DONE) {
        cli_print_list(cli, "map", answer, row_columns, "");
    }
    json_decref(answer);
    return rc;
}

/* ---- test */

struct test {
    struct cli *cli;
    const char *file;
    int line, passed, failed;
    const char *transform, *type;
};

/* "text" with \" \\ \n \t, or a bare word; moves *p behind it. NULL: neither. */
static const char *literal_read(struct test *t, const char **p, bool *bare)
{
    AUTO(buf_done) struct buf b = {0};
    while (**p == ' ' || **p == '\t')
        (*p)++;
    *bare = **p != '"';
    if (*bare) {
        size_t n = strcspn(*p, " \t");
        const char *word = arena_str(&t->cli->arena, str_n(*p, n)).p;
        *p += n;
        return n ? word : NULL;
    }
    for ((*p)++; **p && **p != '"'; (*p)++) {
        static const char from[] = "\"\\nt", to[] = "\"\\\n\t";
        const char *known = **p == '\\' && (*p)[1] ? strchr(from, (*p)[1]) : NULL;
        buf_char(&b, known ? to[known - from] : **p);
        *p += known != NULL;
    }
    if (**p != '"')
        return NULL;
    (*p)++;
    return arena_fmt(&t->cli->arena, "%s", buf_text(&b));
}

static void case_judge(struct test *t, const char *in, const char *wanted, bool wanted_bare, const json_t *result)
{
    const char *outcome = cli_text(result, "outcome"), *value = cli_text(result, "value");
    bool is_value = strcmp(outcome, "value") == 0, ok;
    if (wanted_bare && strcmp(wanted, "blank") == 0)
        ok = is_value && !*value;
    else if (wanted_bare && (strcmp(wanted, "fail") == 0 || strcmp(wanted, "skip") == 0))
        ok = strcmp(outcome, wanted) == 0;
    else
        ok = is_value && strcmp(value, wanted) == 0;
    t->passed += ok;
    t->failed += !ok;
    if (!ok)
        printf("%s:%d: %s | %s: expected %s%s%s, got %s%s%s%s\n", t->file, t->line, in, t->transform,
               wanted_bare ? "" : "\"", wanted, wanted_bare ? "" : "\"", is_value ? *value ? "\"" : "blank" : outcome,
               is_value                    ? value
               : *cli_text(result, "text") ? ": "
                                           : "",
               is_value && *value ? "\"" : "", is_value ? "" : cli_text(result, "text"));
}

static int case_run(struct test *t, const char *line)
{
    bool in_bare, wanted_bare;
    const char *p = line, *in = literal_read(t, &p, &in_bare);
    while (*p == ' ' || *p == '\t')
        p++;
    if (!in || strncmp(p, "->", 2) != 0)
        return cli_fail(t->cli, EXIT_USAGE, "%s:%d: a case is written as \"in\" -> \"out\"", t->file, t->line);
    p += 2;
    const char *wanted = literal_read(t, &p, &wanted_bare);
    if (!wanted || !t->transform)
        return cli_fail(t->cli, EXIT_USAGE,
                        t->transform ? "%s:%d: behind -> stands \"text\", blank, fail or skip"
                                     : "%s:%d: the first line must be: transform = CHAIN",
                        t->file, t->line);
    if (in_bare && strcmp(in, "blank") == 0)
        in = "";
    json_t *answer = NULL;
    int rc =
        cli_send(t->cli, "POST", "/api/v1/transforms/run",
                 json_pack("{s:s,s:s,s:[s]}", "transform", t->transform, "type", t->type, "values", in), NULL, &answer);
    if (rc == EXIT_DONE)
        case_judge(t, in, wanted, wanted_bare, json_array_get(json_object_get(answer, "results"), 0));
    json_decref(answer);
    return rc;
}

static const char *setting_value(struct test *t, const char *line, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(line, name, n) != 0)
        return NULL;
    line += n + strspn(line + n, " \t");
    if (*line != '=')
        return NULL;
    return arena_str(&t->cli->arena, str_trim(str_of(line + 1))).p;
}

static int run_test(struct cli *cli)
{
    struct test t = {.cli = cli, .file = cli->args[0], .type = "text"};
    const char *text = file_read(cli, cli->args[0]);
    if (!text)
        return EXIT_USAGE;
    for (str rest = str_of(text), raw; str_split(&rest, '\n', &raw);) {
        const char *line = arena_str(&cli->arena, str_trim(raw)).p, *value;
        t.line++;
        int rc = EXIT_DONE;
        if (!*line || *line == '#')
            continue;
        if ((value = setting_value(&t, line, "transform")))
            t.transform = value;
        else if ((value = setting_value(&t, line, "type")))
            t.type = value;
        else
            rc = case_run(&t, line);
        if (rc != EXIT_DONE)
            return rc;
    }
    cli_note(cli, "%d of %d cases as expected", t.passed, t.passed + t.failed);
    return t.failed ? EXIT_FAILED : EXIT_DONE;
}

/* ---- functions */

static const struct column function_columns[] = {
    {"FUNCTION", "usage", COLUMN_WRAP},
    {"TAKES", "takes", COLUMN_WRAP},
    {"GIVES", "gives", 0},
    {"WHAT", "summary", COLUMN_WRAP},
    {"NO WAY BACK", "no_way_back", COLUMN_WRAP},
    {NULL, NULL, 0},
};

static int run_functions(struct cli *cli)
{
    return cli_list(cli, "/api/v1/transforms", "function", function_columns, "");
}

const struct command commands_transforms[] = {
    {"map", "set", "CONNECTION KIND A-FIELD B-FIELD", 4, 4, "map a field, with what becomes of its values",
     "Fields by canonical path or by the vendor's name. The row is set as a whole: what is not named is the default.\n"
     "-n shows the effect first: how many pairs would be written on each side, with examples.\n"
     "  tieline map set help-sales contact x.cf_number x.Number__c --transform 'to_int(blank)'\n"
     "  tieline map set help-sales contact title title --transform upper --back title -n\n"
     "A row that goes both ways needs a transform with an inverse, or --back. An edit waits until writes that are on\n"
     "their way have come in. The functions: tieline map functions.",
     set_options, run_set},
    {"map", "preview", "CONNECTION KIND ID", 3, 3, "the map on one real record, both sides",
     "ID is that of a record of either side; tieline pair find finds it by e-mail or name.", NULL, run_preview},
    {"map", "test", "FILE", 1, 1, "cases of a transform; exit 1 when one differs",
     "The file has lines: transform = CHAIN, type = text|int|decimal|bool|date|time, and cases \"in\" -> \"out\".\n"
     "Behind -> also blank, fail or skip; in front blank. Empty lines and those with # do not count; - is standard "
     "input.",
     NULL, run_test},
    {"map", "export", "CONNECTION KIND", 2, 2, "the map as JSON, for import", NULL, NULL, run_export},
    {"map", "import", "CONNECTION KIND FILE", 3, 3, "the map of a file in place of what there is",
     "All rows are checked before one changes; -n shows what would be added, changed and removed, and its effect.\n"
     "FILE is what map export wrote; - is standard input.",
     NULL, run_import},
    {"map", "functions", "", 0, 0, "functions that a transform may use", NULL, NULL, run_functions},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
