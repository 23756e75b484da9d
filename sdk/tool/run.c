/* tieline-sdk run: calls of one connector, by hand or as JSON lines. */
#include <stdio.h>
#include <stdlib.h>

#include "calls.h"
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
    "  prepare                        what \"endpoint prepare\" would do; --do does it\n"
    "  lines                          reads calls as JSON lines from standard input, answers each with one\n"
    "\n"
    "  --config FILE   [vendor] and [endpoint] of the connector (default: check.ini beside it or here)\n"
    "  --trace         shows on stderr what the connector asks of its host; no secrets\n"
    "  --in-process    without a worker of its own: for a debugger\n"
    "  --cursor TEXT   where pull goes on;  --changes  --pages N  --page-size N\n"
    "\n"
    "Prints one JSON object an item. Exit status: 0 done, 1 the call or a record of it failed, 2 wrong usage\n"
    "(nothing was sent), 7 wrong configuration.\n";

struct run {
    struct stand stand;
    struct seat seat;
    struct tap tap;
    const char *so, *config, *cursor;
    bool trace, in_process, changes, really;
    long pages, page_size;
    char **words; /* CALL KIND ARGUMENT... */
    int n_words;
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

static int options(struct run *r, int argc, char **argv, struct err *e)
{
    for (int i = 0; i < argc; i++) {
        const char *value;
        bool ok = true;
        if (strncmp(argv[i], "--", 2) != 0)
            r->words[r->n_words++] = argv[i];
        else if (strcmp(argv[i], "--trace") == 0)
            r->trace = true;
        else if (strcmp(argv[i], "--in-process") == 0)
            r->in_process = true;
        else if (strcmp(argv[i], "--changes") == 0)
            r->changes = true;
        else if (strcmp(argv[i], "--do") == 0)
            r->really = true;
        else if ((value = tool_value(argc, argv, &i, "--config")))
            r->config = value;
        else if ((value = tool_value(argc, argv, &i, "--cursor")))
            r->cursor = value;
        else if ((value = tool_value(argc, argv, &i, "--page-size")))
            ok = number(value, &r->page_size);
        else if ((value = tool_value(argc, argv, &i, "--pages")))
            ok = number(value, &r->pages);
        else
            ok = false;
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
    for (uint32_t i = 0; c->kind == CALL_PUSH && i < c->request.push.batch->count; i++) {
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
            return err_set(e, TL_E_UNKNOWN, "push ended with success and without a result for record %u", i + 1);
    }
    return TL_OK;
}

static int show(struct run *r, struct call *c, struct err *e)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    reply_reader_init(&reader, &c->reply);
    for (struct item x; reply_next(&reader, &x);) {
        json_t *o = item_to_json(&r->stand, c, &x);
        print_json(o);
        json_decref(o);
    }
    if (c->reply.status == TL_OK)
        return results_of(c, e);
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

static int by_words(struct run *r, struct err *e)
{
    static const char *const of_kind[] = {"pull", "get", "find", "push"};
    int rc = TL_OK;
    for (size_t i = 0; i < ARRAY_LEN(of_kind); i++)
        if (strcmp(r->words[1], of_kind[i]) == 0)
            rc = discover(r, e);
    if (rc)
        return rc;
    json_t *o = call_words(r, e);
    if (!o)
        return e->status;
    AUTO(call_free) struct call *c = call_of_json(&r->stand, o, e);
    json_decref(o);
    if (!c)
        return e->status;
    seat_run(&r->seat, c);
    return show(r, c, e);
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
        json_t *answer = reply_to_json(&r->stand, c);
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
    int rc = options(&r, argc, argv, &e);
    if (!rc)
        rc = with_connector(&r, &e);
    free(r.words);
    return rc ? tool_complain(&e) : EXIT_DONE;
}
