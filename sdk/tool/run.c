/* tieline-sdk run: calls of one connector, by hand or as JSON lines. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "calls.h"
#include "codec.h"
#include "tap.h"
#include "tool.h"

static const char usage[] =
    "Usage: tieline-sdk run X.so [OPTION...] CALL [KIND] [ARGUMENT...]\n"
    "\n"
    "  check                          who are we at the vendor, and what is missing\n"
    "  discover                       kinds and fields\n"
    "  pull KIND                      every record once; --changes: what changed since --cursor\n"
    "  get KIND ID...                 these records\n"
    "  find KIND PATH=VALUE...        records by field, \"stamp\" or \"created\"\n"
    "  push KIND OP [ID] PATH=VALUE...  OP: create, update, delete, restore; stamp=TEXT is the stamp\n"
    "  list KIND --about KIND:ID      what a person sees beside that record; --filter F: a part of it\n"
    "  act KIND NAME [ID] --set PATH=VALUE...  an action; -n: what would be sent; --look: was it done?\n"
    "  prepare                        what \"endpoint prepare\" would do; --do does it\n"
    "  lines                          reads calls as JSON lines from standard input, answers each with one\n"
    "\n"
    "  --config FILE   [vendor] and [endpoint] of the connector (default: check.ini beside it or here)\n"
    "  --trace         shows on stderr what the connector asks of its host; no secrets\n"
    "  --in-process    without a worker of its own: for a debugger\n"
    "  --cursor TEXT   where pull or list goes on;  --changes  --pages N  --page-size N\n"
    "  --stamp TEXT    key of an action, the same on every attempt;  --person NAME  for whom it is done\n"
    "  --set FILE=@PATH  gives a file along;  --out PATH  writes the file that an action gives back\n"
    "\n"
    "Prints one JSON object an item. Exit status: 0 done, 1 the call or a record of it failed, 2 wrong usage\n"
    "(nothing was sent), 7 wrong configuration.\n";

struct run {
    struct stand stand;
    struct seat seat;
    struct tap tap;
    const char *so, *config, *cursor, *about, *filter, *stamp, *person, *out;
    bool trace, in_process, changes, really, dry_run, look;
    long pages, page_size;
    char **words; /* CALL KIND ARGUMENT... */
    int n_words;
    json_t *params;
};

static void tell(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "  %s\n", line);
}

static bool number(const char *text, long *out)
{
    int64_t n;
    if (!str_to_i64(str_of(text), &n) || n < 0 || n > 1000000)
        return false;
    *out = (long)n;
    return true;
}

/* The word behind an option that takes one. */
static bool text_option(struct run *r, int argc, char **argv, int *i)
{
    const struct {
        const char *name, **to;
    } options[] = {{"--config", &r->config}, {"--cursor", &r->cursor}, {"--about", &r->about}, {"--filter", &r->filter},
                   {"--stamp", &r->stamp},   {"--person", &r->person}, {"--out", &r->out}};
    for (size_t k = 0; k < ARRAY_LEN(options); k++) {
        const char *value = tool_value(argc, argv, i, options[k].name);
        if (value)
            *options[k].to = value;
        if (value)
            return true;
    }
    return false;
}

static bool set_param(struct run *r, const char *pair)
{
    str rest = str_of(pair), name;
    if (!strchr(pair, '=') || !str_split(&rest, '=', &name) || !name.n)
        return false;
    json_object_setn_new(r->params, name.p, name.n, json_stringn(rest.n ? rest.p : "", rest.n));
    return true;
}

static int options(struct run *r, int argc, char **argv, struct err *e)
{
    for (int i = 0; i < argc; i++) {
        const char *value;
        bool ok = true;
        if (strcmp(argv[i], "-n") == 0)
            r->dry_run = true;
        else if (strncmp(argv[i], "--", 2) != 0)
            r->words[r->n_words++] = argv[i];
        else if (strcmp(argv[i], "--trace") == 0)
            r->trace = true;
        else if (strcmp(argv[i], "--in-process") == 0)
            r->in_process = true;
        else if (strcmp(argv[i], "--changes") == 0)
            r->changes = true;
        else if (strcmp(argv[i], "--do") == 0)
            r->really = true;
        else if (strcmp(argv[i], "--look") == 0)
            r->look = true;
        else if ((value = tool_value(argc, argv, &i, "--set")))
            ok = set_param(r, value);
        else if ((value = tool_value(argc, argv, &i, "--page-size")))
            ok = number(value, &r->page_size);
        else if ((value = tool_value(argc, argv, &i, "--pages")))
            ok = number(value, &r->pages);
        else
            ok = text_option(r, argc, argv, &i);
        if (!ok) {
            err_set(e, E_USAGE, "\"%s\" is not understood", argv[i]);
            err_hint(e, "tieline-sdk run --help");
            return E_USAGE;
        }
    }
    if (r->n_words >= 2)
        return TL_OK;
    err_set(e, E_USAGE, "connector and call are missing");
    err_hint(e, "tieline-sdk run X.so pull contact --trace");
    return E_USAGE;
}

/* ---- one call by words */

static int no_pair(const char *word, struct err *e)
{
    return err_set(e, E_USAGE, "\"%s\" is no PATH=VALUE", word);
}

/* NULL with e: a word that is none of what can stand there. */
static json_t *push_words(const struct run *r, struct err *e)
{
    json_t *values = json_object();
    json_t *record = json_pack("{s:s,s:o}", "op", r->n_words > 3 ? r->words[3] : "", "values", values);
    bool create = r->n_words > 3 && strcmp(r->words[3], "create") == 0;
    for (int i = 4; i < r->n_words; i++) {
        str rest = str_of(r->words[i]), name;
        bool pair = strchr(r->words[i], '=');
        if (!pair && (create || i > 4)) {
            no_pair(r->words[i], e);
            json_decref(record);
            return NULL;
        }
        if (!pair) {
            json_object_set_new(record, "id", json_string(r->words[i]));
            continue;
        }
        str_split(&rest, '=', &name);
        json_t *value = json_stringn(rest.n ? rest.p : "", rest.n);
        if (str_is(name, "stamp"))
            json_object_set_new(record, "stamp", value);
        else
            json_object_setn_new(values, name.p, name.n, value);
    }
    return json_pack("[o]", record);
}

static json_t *find_words(const struct run *r, struct err *e)
{
    json_t *queries = json_array();
    for (int i = 3; i < r->n_words; i++) {
        str rest = str_of(r->words[i]), name;
        if (!strchr(r->words[i], '=')) {
            no_pair(r->words[i], e);
            json_decref(queries);
            return NULL;
        }
        str_split(&rest, '=', &name);
        json_array_append_new(queries,
                              json_pack("{s:s%,s:s%}", "path", name.p, name.n, "value", rest.n ? rest.p : "", rest.n));
    }
    return queries;
}

static void list_words(const struct run *r, json_t *o)
{
    json_object_set_new(o, "about", json_string(r->about ? r->about : ""));
    json_object_set_new(o, "filter", json_string(r->filter ? r->filter : ""));
    json_object_set_new(o, "cursor", json_string(r->cursor ? r->cursor : ""));
    json_object_set_new(o, "limit", json_integer(r->page_size));
}

static void act_words(const struct run *r, json_t *o)
{
    json_object_set_new(o, "name", json_string(r->n_words > 3 ? r->words[3] : ""));
    json_object_set_new(o, "id", json_string(r->n_words > 4 ? r->words[4] : ""));
    json_object_set_new(o, "stamp", json_string(r->stamp ? r->stamp : ""));
    json_object_set_new(o, "person", json_string(r->person ? r->person : ""));
    json_object_set_new(o, "dry_run", json_boolean(r->dry_run));
    json_object_set_new(o, "look", json_boolean(r->look));
    json_object_set(o, "params", r->params);
}

/* The words as a call of calls.h; NULL with e. */
static json_t *call_words(const struct run *r, struct err *e)
{
    const char *call = r->words[1];
    json_t *o = json_pack("{s:s}", "call", call);
    if (r->n_words > 2)
        json_object_set_new(o, "kind", json_string(r->words[2]));
    if (strcmp(call, "pull") == 0) {
        json_object_set_new(o, "mode", json_string(r->changes ? "changes" : "pass"));
        json_object_set_new(o, "cursor", json_string(r->cursor ? r->cursor : ""));
        json_object_set_new(o, "max_pages", json_integer(r->pages));
        json_object_set_new(o, "page_hint", json_integer(r->page_size));
    } else if (strcmp(call, "get") == 0) {
        json_t *ids = json_array();
        for (int i = 3; i < r->n_words; i++)
            json_array_append_new(ids, json_string(r->words[i]));
        json_object_set_new(o, "ids", ids);
    } else if (strcmp(call, "find") == 0) {
        json_object_set_new(o, "queries", find_words(r, e));
    } else if (strcmp(call, "push") == 0) {
        json_object_set_new(o, "records", push_words(r, e));
    } else if (strcmp(call, "list") == 0) {
        list_words(r, o);
    } else if (strcmp(call, "act") == 0) {
        act_words(r, o);
    } else if (strcmp(call, "prepare") == 0) {
        json_object_set_new(o, "dry_run", json_boolean(!r->really));
    }
    if (e->status) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static void print_json(const json_t *o)
{
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
}

/* What became of the records of a push that ended with success: the first that did not get through. */
static int results_of(const struct call *c, struct err *e)
{
    for (uint32_t i = 0; i < request_records(c); i++) {
        AUTO(reply_reader_done) struct reply_reader reader = {0};
        bool seen = false;
        reply_reader_init(&reader, &c->reply);
        for (struct item x; reply_next(&reader, &x);) {
            const tl_result *result = &x.u.result.result;
            if (x.kind != ITEM_RESULT || x.u.result.index != i)
                continue;
            seen = true;
            if (result->status && result->error)
                err_from_tl(e, result->status, result->error);
            if (result->status)
                return err_wrap(e, "record %u ended with \"%s\"", i + 1, status_name(result->status));
        }
        if (!seen)
            return err_set(e, TL_E_UNKNOWN, "%s ended with success and without a result for record %u",
                           call_kind_name(c->kind), i + 1);
    }
    return TL_OK;
}

static void print_and_drop(json_t *o)
{
    print_json(o);
    json_decref(o);
}

/* The first file that it gives back. */
static int write_out(const struct call *c, const char *path, struct err *e)
{
    if (!c->reply.blobs.n)
        return err_set(e, TL_E_NOT_FOUND, "the action gives no file back");
    const struct blob *b = &c->reply.blobs.list[0];
    FILE *to = fopen(path, "wbe");
    char piece[1 << 16];
    bool ok = to != NULL;
    for (uint64_t at = 0; ok && at < b->bytes;) {
        ssize_t n = pread(b->fd, piece, sizeof piece, (off_t)at);
        ok = n > 0 && fwrite(piece, 1, (size_t)n, to) == (size_t)n;
        at += ok ? (uint64_t)n : 0;
    }
    ok = to && fclose(to) == 0 && ok;
    return ok ? TL_OK : err_errno(e, "\"%s\" cannot be written", path);
}

/* Shown and not sent, as was asked for. */
static bool only_shown(const struct call *c)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    return c->rehearse && c->reply.rehearsed.n && call_act_outcome(c, &reader, NULL) == TL_E_CANCELLED;
}

static int show(struct run *r, struct call *c, struct err *e)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    struct rehearsed would;
    bool shown = only_shown(c);
    reply_reader_init(&reader, &c->reply);
    for (struct item x; !shown && reply_next(&reader, &x);)
        print_and_drop(item_to_json(c, &x));
    for (size_t at = 0; rehearsed_next(&c->reply.rehearsed, &at, &would);)
        print_and_drop(rehearsed_to_json(&would));
    if (shown)
        return TL_OK;
    if (c->reply.status == TL_OK) {
        int rc = results_of(c, e);
        return rc || !r->out ? rc : write_out(c, r->out, e);
    }
    err_from_tl(e, c->reply.status, &c->reply.error);
    if (c->reply.error.retry_after_ms)
        err_hint(e, "it asks to be left alone for %lld ms (retry_after_ms)", (long long)c->reply.error.retry_after_ms);
    return err_wrap(e, "%s ended with \"%s\"", call_kind_name(c->kind), status_name(c->reply.status));
}

/* Learns kinds before a call that needs a shape. */
static int discover(struct run *r, struct err *e)
{
    AUTO(call_free) struct call *c = call_new(CALL_DISCOVER, 1, TL_PURPOSE_BULK);
    seat_run(&r->seat, c);
    stand_learn(&r->stand, &c->reply);
    if (c->reply.status == TL_OK)
        return TL_OK;
    err_from_tl(e, c->reply.status, &c->reply.error);
    return err_wrap(e, "discover ended with \"%s\"", status_name(c->reply.status));
}

/* A list is one page a call; false: that was the last one. */
static bool next_page(const struct call *c, json_t *o)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    bool more = false;
    reply_reader_init(&reader, &c->reply);
    for (struct item x; reply_next(&reader, &x);) {
        if (x.kind != ITEM_CHECKPOINT || x.u.checkpoint.complete)
            continue;
        more = true;
        json_object_set_new(o, "cursor", json_stringn(x.u.checkpoint.cursor.p, x.u.checkpoint.cursor.n));
    }
    return more;
}

static int by_words(struct run *r, struct err *e)
{
    static const char *const of_kind[] = {"pull", "get", "find", "push", "list", "act"};
    int rc = TL_OK;
    for (size_t i = 0; i < ARRAY_LEN(of_kind); i++)
        if (strcmp(r->words[1], of_kind[i]) == 0)
            rc = discover(r, e);
    if (rc)
        return rc;
    json_t *o = call_words(r, e);
    if (!o)
        return e->status;
    bool more = true;
    for (long page = 1; more && !rc; page++) {
        AUTO(call_free) struct call *c = call_of_json(&r->stand, o, e);
        more = false;
        rc = c ? TL_OK : e->status;
        if (c) {
            seat_run(&r->seat, c);
            rc = show(r, c, e);
            more = c->kind == CALL_LIST && page != r->pages && next_page(c, o);
        }
    }
    json_decref(o);
    return rc;
}

static int by_lines(struct run *r, struct err *e)
{
    char *line = NULL;
    size_t cap = 0;
    int rc = TL_OK;
    while (!rc && getline(&line, &cap, stdin) > 0) {
        json_error_t wrong;
        json_t *o = json_loads(line, 0, &wrong);
        AUTO(call_free) struct call *c = NULL;
        if (!o)
            rc = err_set(e, E_USAGE, "a line is no JSON: %s", wrong.text);
        else if (!(c = call_of_json(&r->stand, o, e)))
            rc = e->status;
        json_decref(o);
        if (rc)
            break;
        seat_run(&r->seat, c);
        stand_learn(&r->stand, &c->reply);
        json_t *answer = reply_to_json(c);
        print_json(answer);
        json_decref(answer);
    }
    free(line);
    return rc;
}

static int with_connector(struct run *r, struct err *e)
{
    AUTO(project_done) struct project project = {0};
    int rc = project_load(&project, r->words[0], r->config, e);
    if (rc)
        return rc;
    rc = stand_open(&r->stand, &project, !r->in_process, true, e);
    tl_error error;
    r->tap = (struct tap){.tell = r->trace ? tell : NULL};
    if (!rc && seat_open(&r->seat, &r->stand, TL_PURPOSE_BULK, tap_wrap, &r->tap, &error)) {
        err_from_tl(e, TL_E_CONFIG, &error);
        rc = err_wrap(e, "open");
    }
    if (!rc)
        rc = strcmp(r->words[1], "lines") == 0 ? by_lines(r, e) : by_words(r, e);
    if (r->seat.host)
        seat_close(&r->seat);
    stand_close(&r->stand);
    return rc;
}

int command_run(int argc, char **argv)
{
    struct err e = {0};
    struct run r = {0};
    if (argc > 0 && strcmp(argv[0], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_DONE;
    }
    r.words = calloc((size_t)argc + 1, sizeof *r.words);
    ASSERT(r.words);
    r.params = json_object();
    int rc = options(&r, argc, argv, &e);
    if (!rc)
        rc = with_connector(&r, &e);
    json_decref(r.params);
    free(r.words);
    return rc ? tool_complain(&e) : EXIT_DONE;
}
