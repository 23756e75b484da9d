/* tieline pair ..., tieline conflict ...: what a person decides where matching and merging could not. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct column pair_columns[] = {
    {"PAIR", "pair", COLUMN_RIGHT},
    {"CONNECTION", "connection", 0},
    {"KIND", "kind", 0},
    {"STATUS", "status", COLUMN_COLOR_STATE},
    {"NAME", "name|email", COLUMN_WRAP},
    {"A", "a_id", 0},
    {"A: STATE", "a_state", 0},
    {"B", "b_id", 0},
    {"B: STATE", "b_state", 0},
    {NULL, NULL, 0},
};
static const struct column effect_columns[] = {
    {"PAIR", "pair", COLUMN_RIGHT}, {"FIELD", "field", 0},   {"WHAT", "what", 0}, {"TO", "to", 0},
    {"A", "a", COLUMN_WRAP},        {"B", "b", COLUMN_WRAP}, {NULL, NULL, 0},
};
static const struct column conflict_columns[] = {
    {"PAIR", "pair", COLUMN_RIGHT}, {"KIND", "kind", 0},  {"FIELD", "field", 0},           {"A", "a", COLUMN_WRAP},
    {"B", "b", COLUMN_WRAP},        {"A: ID", "a_id", 0}, {"SINCE", "since", COLUMN_TIME}, {NULL, NULL, 0},
};

static int run_find(struct cli *cli)
{
    json_t *answer = NULL;
    const char *connection = cli_value(cli, "connection");
    int rc = cli_get(cli, &answer, "/api/v1/pairs?find=%s%s%s", cli_escape(cli, cli->args[0]),
                     connection ? "&connection=" : "", connection ? cli_escape(cli, connection) : "");
    if (rc == EXIT_DONE)
        cli_print_list(cli, "pair", answer, pair_columns, "no pair has a record with this id, e-mail or name");
    if (rc == EXIT_DONE && json_is_false(json_object_get(answer, "complete")))
        cli_note(cli,
                 "there may be more: it stopped at %zu pairs and %lld records looked through; add a word of the name, "
                 "or give the e-mail address or id",
                 json_array_size(json_object_get(answer, "items")), (long long)cli_int(answer, "looked_at"));
    json_decref(answer);
    return rc;
}

/* "contact 42 of help-sales: Ann <ann@x.org>, ok", and where both records are. */
static void print_head(const json_t *pair)
{
    static const char *const sides[] = {"a", "b"};
    AUTO(buf_done) struct buf out = {0};
    buf_fmt(&out, "%s %lld of %s: ", cli_text(pair, "kind"), (long long)cli_int(pair, "pair"),
            cli_text(pair, "connection"));
    cli_add_visible(&out, cli_text(pair, "name"));
    buf_text_add(&out, " <");
    cli_add_visible(&out, cli_text(pair, "email"));
    buf_fmt(&out, ">, %s\n", cli_text(pair, "status"));
    for (int s = 0; s < 2; s++) {
        const json_t *id = json_object_get(pair, s ? "b_id" : "a_id"),
                     *by = json_object_get(pair, s ? "b_changed_by" : "a_changed_by");
        const char *changed = cli_text(pair, s ? "b_changed" : "a_changed");
        buf_fmt(&out, "  %s ", sides[s]);
        cli_add_visible(&out, json_is_string(id) ? json_string_value(id) : "-");
        buf_fmt(&out, ", %s%s", cli_text(pair, s ? "b_state" : "a_state"), *changed ? ", changed " : "");
        cli_print_time(&out, changed);
        if (json_is_string(by)) {
            buf_text_add(&out, " by user ");
            cli_add_visible(&out, json_string_value(by));
        }
        buf_char(&out, '\n');
    }
    fputs(buf_text(&out), stdout);
}

static const char *rule_words(const char *rule, const char *policy)
{
    static const struct {
        const char *rule, *words;
    } known[] = {{"only_edit", "the only edit"},
                 {"one_way", "goes one way"},
                 {"blank", "the other was blank"},
                 {"newest", "the newer edit"},
                 {"master", "same time: master"},
                 {"a", "policy a"},
                 {"b", "policy b"},
                 {"decided", "decided by hand"},
                 {"reverted", "drift reverted"},
                 {"undo", "taken back"},
                 {"created", "made with the record"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(rule, known[i].rule) == 0)
            return known[i].words;
    return *rule ? rule : policy;
}

static void pending_words(const json_t *field, struct buf *out)
{
    const char *what = cli_text(field, "pending.what"), *to = cli_text(field, "pending.to");
    const char *why = cli_text(field, "pending.why");
    if (strcmp(what, "write") == 0)
        buf_fmt(out, "will be written%s%s%s%s", *to ? " to " : "", to, *why ? ": " : "",
                *why ? rule_words(why, "") : "");
    else if (strcmp(what, "left") == 0)
        buf_text_add(out, "left as it is");
    else if (strcmp(what, "conflict") == 0)
        buf_text_add(out, "waits for `conflict decide`");
    else if (*what)
        buf_fmt(out, "%s%s%s", what, *why ? ": " : "", why);
}

/* What a table shows of a field beside its values. */
static json_t *field_row(const json_t *field)
{
    json_t *row = json_copy((json_t *)(uintptr_t)field);
    const char *a = cli_text(field, "a_field"), *b = cli_text(field, "b_field"), *lost = cli_text(field, "lost.value");
    AUTO(buf_done) struct buf name = {0};
    AUTO(buf_done) struct buf pending = {0};
    AUTO(buf_done) struct buf offered = {0};
    buf_fmt(&name, "%s%s%s", a, strcmp(a, b) == 0 ? "" : " / ", strcmp(a, b) == 0 ? "" : b);
    pending_words(field, &pending);
    if (json_is_object(json_object_get(field, "lost")))
        buf_fmt(&offered, "%s: \"%s\"", cli_text(field, "lost.side"), lost);
    json_object_set_new(row, "field", json_string(buf_text(&name)));
    json_object_set_new(row, "next", json_string(buf_text(&pending)));
    json_object_set_new(row, "offered", json_string(buf_text(&offered)));
    bool written = json_is_object(json_object_get(field, "written"));
    if (written)
        json_object_set_new(row, "from", json_string(strcmp(cli_text(field, "written.to"), "b") == 0 ? "a" : "b"));
    json_object_set_new(row, "why",
                        json_string(written ? rule_words(cli_text(field, "written.rule"), "") : "had it before"));
    return row;
}

static const struct column field_columns[] = {
    {"FIELD", "field", 0},
    {"A", "a", COLUMN_WRAP},
    {"B", "b", COLUMN_WRAP},
    {"FROM", "from", 0},
    {"WHY", "why", 0},
    {"BY", "written.by", 0},
    {"WRITTEN", "written.at", COLUMN_TIME},
    {"RUN", "written.run", COLUMN_RIGHT},
    {"LOST", "offered", COLUMN_WRAP},
    {"NEXT", "next", COLUMN_WRAP},
    {NULL, NULL, 0},
};
static const struct column history_columns[] = {
    {"TIME", "at", COLUMN_TIME}, {"RUN", "run", COLUMN_RIGHT},
    {"WHAT", "op", 0},           {"TO", "to", 0},
    {"CAUSE", "cause", 0},       {NULL, NULL, 0},
};
static const struct column trouble_columns[] = {
    {"ID", "id", COLUMN_RIGHT},
    {"TIME", "time", COLUMN_TIME},
    {"CODE", "code", 0},
    {"FIELD", "field", 0},
    {"REASON", "reason", COLUMN_WRAP},
    {"RESOLVED", "resolved", COLUMN_TIME},
    {NULL, NULL, 0},
};

static void print_part(struct cli *cli, const char *title, json_t *items, const struct column *columns)
{
    json_t *list = json_pack("{s:O}", "items", items);
    if (json_array_size(items)) {
        printf("\n%s\n", title);
        fflush(stdout);
        cli_print_list(cli, "pair", list, columns, "");
    }
    json_decref(list);
}

static int run_show(struct cli *cli)
{
    json_t *answer = NULL, *field;
    size_t i;
    int rc = cli_get(cli, &answer, "/api/v1/pairs/%s", cli_escape(cli, cli->args[0]));
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "pair", answer);
    if (rc == EXIT_DONE && !cli->json) {
        json_t *rows = json_array();
        json_array_foreach(json_object_get(answer, "fields"), i, field) json_array_append_new(rows, field_row(field));
        print_head(answer);
        print_part(cli, "Fields", rows, field_columns);
        print_part(cli, "History", json_object_get(answer, "history"), history_columns);
        print_part(cli, "Failures", json_object_get(answer, "failures"), trouble_columns);
        json_decref(rows);
    }
    json_decref(answer);
    return rc;
}

/* ---- by hand ---- */

/* What will be written, or would be with -n. */
static void print_effects(const struct cli *cli, const json_t *answer)
{
    if (cli->json) {
        cli_print_object(cli, "pair", answer);
        return;
    }
    json_t *rows = json_array();
    size_t i, k;
    json_t *effect, *field;
    json_array_foreach(json_object_get(answer, "effects"), i, effect)
    {
        cli_note(cli, "pair %lld: a %s, b %s: %s", (long long)cli_int(effect, "pair"),
                 *cli_text(effect, "a_id") ? cli_text(effect, "a_id") : "-",
                 *cli_text(effect, "b_id") ? cli_text(effect, "b_id") : "-", cli_text(effect, "status"));
        json_array_foreach(json_object_get(effect, "fields"), k, field)
        {
            json_t *row = json_copy(field);
            json_object_set(row, "pair", json_object_get(effect, "pair"));
            json_array_append_new(rows, row);
        }
    }
    json_t *list = json_pack("{s:o}", "items", rows);
    if (!(cli->quiet && !cli->dry_run))
        cli_print_list(cli, "effect", list, effect_columns, "nothing is written because of it");
    json_decref(list);
    if (cli->dry_run)
        cli_note(cli, "nothing was changed (-n)");
}

static int send_hand(struct cli *cli, const char *path, json_t *body)
{
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", path, body, NULL, &answer);
    if (rc == EXIT_DONE)
        print_effects(cli, answer);
    json_decref(answer);
    return rc;
}

static int run_link(struct cli *cli)
{
    return send_hand(cli, "/api/v1/pairs",
                     json_pack("{s:s,s:s,s:s,s:s}", "connection", cli->args[0], "kind", cli->args[1], "a_id",
                               cli->args[2], "b_id", cli->args[3]));
}

static const char *pair_path(struct cli *cli, const char *verb)
{
    return arena_fmt(&cli->arena, "/api/v1/pairs/%s/%s", cli_escape(cli, cli->args[0]), verb);
}

static int run_unlink(struct cli *cli)
{
    return send_hand(cli, pair_path(cli, "unlink"), NULL);
}

static const struct cli_option ignore_options[] = {{"off", NULL, "write for it again"}, {NULL, NULL, NULL}};

static int run_ignore(struct cli *cli)
{
    return send_hand(cli, pair_path(cli, "ignore"), json_pack("{s:b}", "ignore", !cli_value(cli, "off")));
}

static int run_swap(struct cli *cli)
{
    int64_t with;
    if (!str_to_i64(str_of(cli->args[1]), &with))
        return cli_fail(cli, EXIT_USAGE, "\"%s\" is not the number of a pair", cli->args[1]);
    return send_hand(cli, pair_path(cli, "swap"), json_pack("{s:I}", "with", (json_int_t)with));
}

/* ---- conflicts ---- */

static const struct cli_option list_options[] = {
    {"connection", "CONNECTION", "only this connection"},
    {"kind", "KIND", "only this kind"},
    {"limit", "N", "at most so many (default 100)"},
    {NULL, NULL, NULL},
};

static int run_conflicts(struct cli *cli)
{
    static const char *const names[] = {"connection", "kind", "limit"};
    AUTO(buf_done) struct buf query = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (cli_value(cli, names[i]))
            buf_fmt(&query, "%c%s=%s", query.n ? '&' : '?', names[i], cli_escape(cli, cli_value(cli, names[i])));
    json_t *answer = NULL;
    int rc = cli_get(cli, &answer, "/api/v1/conflicts%s", buf_text(&query));
    if (rc == EXIT_DONE)
        cli_print_list(cli, "conflict", answer, conflict_columns, "nothing waits for a decision");
    json_decref(answer);
    return rc;
}

static const struct cli_option decide_options[] = {
    {"take", "a|b|newest", "whose value counts"},
    {"field", "PATH", "only this field"},
    {"connection", "CONNECTION", "all conflicts of one link: with --kind"},
    {"kind", "KIND", "all conflicts of one link: with --connection"},
    {NULL, NULL, NULL},
};

static int run_decide(struct cli *cli)
{
    static const char *const members[] = {"take", "field", "connection", "kind"};
    json_t *body = json_object(), *answer = NULL;
    int64_t pair = 0;
    if (cli->n_args && !str_to_i64(str_of(cli->args[0]), &pair)) {
        json_decref(body);
        return cli_fail(cli, EXIT_USAGE, "\"%s\" is not the number of a pair", cli->args[0]);
    }
    if (pair)
        json_object_set_new(body, "pair", json_integer(pair));
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (cli_value(cli, members[i]))
            json_object_set_new(body, members[i], json_string(cli_value(cli, members[i])));
    int rc = cli_send(cli, "POST", "/api/v1/conflicts/decide", body, NULL, &answer);
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "conflict", answer);
    else if (rc == EXIT_DONE)
        cli_note(cli, "%lld decided", (long long)cli_int(answer, "decided"));
    if (rc == EXIT_DONE && cli_int(answer, "busy") > 0) {
        cli_note(cli, "%lld left out because a write is under way: repeat in a moment",
                 (long long)cli_int(answer, "busy"));
        rc = EXIT_CONFLICT;
    }
    json_decref(answer);
    return rc;
}

static const struct cli_option find_options[] = {{"connection", "CONNECTION", "only this connection"},
                                                 {NULL, NULL, NULL}};

const struct command commands_pairs[] = {
    {"pair", "find", "TEXT", 1, 1, "pairs by record id, e-mail address or name",
     "A name is found by the beginnings of its words, on either side: `tieline pair find \"dvor mar\"` finds Marie "
     "Dvořák.",
     find_options, run_find},
    {"pair", "show", "PAIR", 1, 1, "one pair: why each value is where it is",
     "For every field what both sides hold, which side the value came from and why it counted, when and in which run, "
     "by\n"
     "whom where the vendor tells, the value that lost against it, and what is still to come. Then history and "
     "failures.\n"
     "--json has all of it, and what both sides last agreed on.",
     NULL, run_show},
    {"pair", "link", "CONNECTION KIND A_ID B_ID", 4, 4, "make a pair of two records by hand",
     "Cures ALREADY_MAPPED and AMBIGUOUS_MATCH. The first id is that of side a. Values meet as in a first sync: a "
     "blank\n"
     "never wins; -n shows what would be written.",
     NULL, run_link},
    {"pair", "unlink", "PAIR", 1, 1, "part the two records",
     "Both stay at their vendors as they are and are left alone, until `pair link` or `pair ignore --off`.", NULL,
     run_unlink},
    {"pair", "ignore", "PAIR", 1, 1, "write nothing for this pair any more", NULL, ignore_options, run_ignore},
    {"pair", "swap", "PAIR PAIR", 2, 2, "two crossed pairs exchange their records of side b", NULL, NULL, run_swap},
    {"conflict", "list", "", 0, 0, "fields that both sides changed and that wait for a decision", NULL, list_options,
     run_conflicts},
    {"conflict", "decide", "[PAIR]", 0, 1, "say whose value counts, for one pair or many alike",
     "The value taken is written to the other side; the one that loses stays readable in `pair show`.\n"
     "  tieline conflict decide 42 --take b\n"
     "  tieline conflict decide --connection help-sales --kind contact --field phone --take newest",
     decide_options, run_decide},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
