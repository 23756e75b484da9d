/* tieline passport ...: pairs that outlive their connection. The file is JSON lines: a header, pairs, an end. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "hidden.h"

enum { IMPORT_PAIRS = 200, LINE_MAX_BYTES = 64 << 10 };

static const struct cli_option options[] = {
    {"passphrase-file", "FILE", "read the passphrase from the first line of this file instead of the terminal"},
    {NULL, NULL, NULL},
};

static int from_file(struct cli *cli, const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return cli_fail(cli, EXIT_FAILED, "cannot read \"%s\": %s", path, strerror(errno));
    bool got = fgets(out, (int)size, f) != NULL;
    fclose(f);
    out[got ? strcspn(out, "\r\n") : 0] = 0;
    return *out ? EXIT_DONE : cli_fail(cli, EXIT_FAILED, "\"%s\" has no passphrase in its first line", path);
}

static int ask(struct cli *cli, const char *prompt, char *out, size_t size)
{
    if (!hidden_begin())
        return cli_fail(cli, EXIT_USAGE, "nobody can be asked for the passphrase here; use --passphrase-file FILE");
    fprintf(stderr, "%s: ", prompt);
    bool got = fgets(out, (int)size, stdin) != NULL;
    hidden_end();
    out[got ? strcspn(out, "\r\n") : 0] = 0;
    return EXIT_DONE;
}

static int passphrase_of(struct cli *cli, bool twice, char *out, size_t size)
{
    const char *path = cli_value(cli, "passphrase-file");
    char again[1024] = "";
    int rc = path ? from_file(cli, path, out, size) : ask(cli, "Passphrase", out, size);
    if (rc != EXIT_DONE || path || !twice)
        return rc;
    rc = ask(cli, "The same again", again, sizeof again);
    if (rc == EXIT_DONE && strcmp(out, again) != 0)
        rc = cli_fail(cli, EXIT_USAGE, "the two are not the same");
    return rc;
}

/* ---- export ------------------------------------------------------------------------------------------------------ */

static void write_line(FILE *f, const json_t *o)
{
    json_dumpf(o, f, JSON_COMPACT);
    fputc('\n', f);
}

static int write_kind(struct cli *cli, FILE *f, const char *kind, json_int_t *pairs)
{
    json_int_t after = 0;
    for (;;) {
        json_t *answer = NULL, *pair;
        size_t i;
        int rc = cli_get(cli, &answer, "/api/v1/links/%s/%s/passport?after=%lld", cli_escape(cli, cli->args[0]),
                         cli_escape(cli, kind), (long long)after);
        if (rc != EXIT_DONE)
            return rc;
        json_array_foreach(json_object_get(answer, "items"), i, pair)
        {
            json_object_set_new(pair, "kind", json_string(kind));
            write_line(f, pair);
            ++*pairs;
        }
        after = json_integer_value(json_object_get(answer, "next"));
        json_decref(answer);
        if (!after)
            return EXIT_DONE;
    }
}

static int write_passport(struct cli *cli, FILE *f, const json_t *header, json_int_t *pairs)
{
    json_t *link, *end;
    size_t i;
    int rc = EXIT_DONE;
    write_line(f, header);
    json_array_foreach(json_object_get(header, "links"), i, link)
    {
        if (rc == EXIT_DONE)
            rc = write_kind(cli, f, cli_text(link, "kind"), pairs);
    }
    end = json_pack("{s:I}", "end", *pairs);
    write_line(f, end);
    json_decref(end);
    if (rc == EXIT_DONE && (fflush(f) != 0 || fsync(fileno(f)) != 0 || ferror(f)))
        rc = cli_fail(cli, EXIT_FAILED, "cannot write \"%s\": %s", cli->args[1], strerror(errno));
    return rc;
}

static int run_export(struct cli *cli)
{
    char passphrase[1024];
    json_t *header = NULL;
    json_int_t pairs = 0;
    int rc = passphrase_of(cli, true, passphrase, sizeof passphrase);
    if (rc == EXIT_DONE)
        rc = cli_send(cli, "POST", cli_connection_path(cli, "/passport"), json_pack("{s:s}", "passphrase", passphrase),
                      NULL, &header);
    explicit_bzero(passphrase, sizeof passphrase);
    if (rc != EXIT_DONE)
        return rc;
    int fd = open(cli->args[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        json_decref(header);
        return cli_fail(cli, EXIT_FAILED, "cannot make \"%s\": %s", cli->args[1], strerror(errno));
    }
    rc = write_passport(cli, f, header, &pairs);
    fclose(f);
    json_decref(header);
    if (rc != EXIT_DONE)
        unlink(cli->args[1]);
    json_t *told = json_pack("{s:s,s:I}", "file", cli->args[1], "pairs", pairs);
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "passport", told);
    else if (rc == EXIT_DONE)
        printf("%lld pairs in %s\n", (long long)pairs, cli->args[1]);
    json_decref(told);
    return rc;
}

/* ---- import ------------------------------------------------------------------------------------------------------ */

struct import {
    struct cli *cli;
    char kind[64];
    json_t *page, *conflicts, *missing;
    json_int_t read, bound, known, waiting, erased;
};

static int send_page(struct import *m)
{
    json_t *answer = NULL, *conflict;
    size_t i;
    if (json_array_size(m->page) == 0)
        return EXIT_DONE;
    int rc = cli_send(m->cli, "POST", cli_connection_path(m->cli, "/passport/pairs"),
                      json_pack("{s:s,s:O}", "kind", m->kind, "items", m->page), NULL, &answer);
    json_array_clear(m->page);
    m->bound += cli_int(answer, "bound");
    m->known += cli_int(answer, "known");
    m->erased += cli_int(answer, "erased");
    m->waiting += cli_int(answer, "waiting");
    json_array_foreach(json_object_get(answer, "conflicts"), i, conflict)
    {
        json_object_set_new(conflict, "kind", json_string(m->kind));
        json_array_append(m->conflicts, conflict);
    }
    json_decref(answer);
    return rc;
}

static bool is_missing(const struct import *m, const char *kind)
{
    size_t i;
    json_t *name;
    json_array_foreach(m->missing, i, name)
    {
        if (strcmp(json_string_value(name), kind) == 0)
            return true;
    }
    return false;
}

static int take_line(struct import *m, json_t *o, bool *end)
{
    const char *kind = cli_text(o, "kind");
    int rc = EXIT_DONE;
    if (json_object_get(o, "end")) {
        *end = cli_int(o, "end") == m->read;
        return EXIT_DONE;
    }
    m->read++;
    if (is_missing(m, kind))
        return EXIT_DONE;
    if (strcmp(kind, m->kind) != 0 || json_array_size(m->page) == IMPORT_PAIRS)
        rc = send_page(m);
    snprintf(m->kind, sizeof m->kind, "%s", kind);
    json_object_del(o, "kind");
    json_array_append(m->page, o);
    return rc;
}

/* The whole file is looked through before anything of it is taken in: it must have its end. */
static int read_lines(struct import *m, FILE *f, bool *end)
{
    char line[LINE_MAX_BYTES];
    int rc = EXIT_DONE;
    while (rc == EXIT_DONE && fgets(line, sizeof line, f)) { /* of a longer one the first part is no JSON */
        json_t *o = json_loads(line, 0, NULL);
        rc = json_is_object(o) ? take_line(m, o, end) : cli_fail(m->cli, EXIT_FAILED, "a line of it is not JSON");
        json_decref(o);
    }
    return rc;
}

static bool has_end(FILE *f)
{
    char line[LINE_MAX_BYTES];
    bool end = false;
    json_int_t pairs = -1; /* the header is none */
    rewind(f);
    while (fgets(line, sizeof line, f)) {
        json_t *o = strncmp(line, "{\"end\":", 7) == 0 ? json_loads(line, 0, NULL) : NULL;
        end = o && cli_int(o, "end") == pairs;
        json_decref(o);
        pairs++;
    }
    return end;
}

static int tell_import(struct import *m)
{
    static const struct column columns[] = {
        {"KIND", "kind", 0}, {"A", "a", 0}, {"B", "b", 0}, {"IN PAIR", "pair", COLUMN_RIGHT}, {NULL, NULL, 0}};
    struct cli *cli = m->cli;
    size_t conflicts = json_array_size(m->conflicts);
    json_t *o = json_pack("{s:b,s:I,s:I,s:I,s:O,s:O}", "dry_run", cli->dry_run, "bound", m->bound, "known", m->known,
                          "waiting", m->waiting, "missing", m->missing, "items", m->conflicts);
    if (cli->json) {
        cli_print_object(cli, "passport", o);
    } else {
        if (conflicts)
            cli_print_list(cli, "conflict", o, columns, "");
        printf("%lld pairs %sbound, %lld known already, %lld wait until both sides are read, %zu in conflict\n",
               (long long)m->bound, cli->dry_run ? "would be " : "", (long long)m->known, (long long)m->waiting,
               conflicts);
    }
    size_t i;
    json_t *name;
    json_array_foreach(m->missing, i, name)
    {
        cli_note(cli, "no link \"%s\": its pairs are left out; `tieline link create %s %s`, then import again",
                 json_string_value(name), cli->args[0], json_string_value(name));
    }
    if (m->erased)
        cli_note(cli, "%lld pairs of people who were erased are left out", (long long)m->erased);
    if (cli->dry_run)
        cli_note(cli, "nothing was changed (-n)");
    json_decref(o);
    return conflicts || json_array_size(m->missing) ? EXIT_SOME_FAILED : EXIT_DONE;
}

static int begin_import(struct import *m, FILE *f)
{
    char passphrase[1024], line[LINE_MAX_BYTES];
    json_t *header = fgets(line, sizeof line, f) ? json_loads(line, 0, NULL) : NULL, *answer = NULL;
    if (!json_object_get(header, "tieline_passport") || !has_end(f)) {
        bool is_one = json_object_get(header, "tieline_passport") != NULL;
        json_decref(header);
        return cli_fail(m->cli, EXIT_FAILED, is_one ? "\"%s\" ends too early" : "\"%s\" is not a map passport",
                        m->cli->args[1]);
    }
    rewind(f);
    (void)!fscanf(f, "%*[^\n]");
    (void)fgetc(f);
    int rc = passphrase_of(m->cli, false, passphrase, sizeof passphrase);
    if (rc == EXIT_DONE)
        rc = cli_send(m->cli, "POST", cli_connection_path(m->cli, "/passport/import"),
                      json_pack("{s:O,s:s}", "header", header, "passphrase", passphrase), NULL, &answer);
    explicit_bzero(passphrase, sizeof passphrase);
    m->missing = json_incref(json_object_get(answer, "missing"));
    if (cli_int(answer, "read_again"))
        cli_note(m->cli, "%lld kinds are read whole once more, for the marks of the passport: nothing is made before",
                 (long long)cli_int(answer, "read_again"));
    json_decref(answer);
    json_decref(header);
    return rc;
}

static int run_import(struct cli *cli)
{
    int fd = open(cli->args[1], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) { /* it is read twice */
        close(fd);
        return cli_fail(cli, EXIT_FAILED, "\"%s\" is not a regular file", cli->args[1]);
    }
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    bool end = false;
    if (!f)
        return cli_fail(cli, EXIT_FAILED, "cannot read \"%s\": %s", cli->args[1], strerror(errno));
    struct import m = {.cli = cli, .page = json_array(), .conflicts = json_array()};
    int rc = begin_import(&m, f);
    if (rc == EXIT_DONE)
        rc = read_lines(&m, f, &end);
    if (rc == EXIT_DONE)
        rc = send_page(&m);
    if (rc == EXIT_DONE)
        rc = tell_import(&m);
    fclose(f);
    json_decref(m.page);
    json_decref(m.conflicts);
    json_decref(m.missing);
    return rc;
}

const struct command commands_passports[] = {
    {"passport", "export", "CONNECTION FILE", 2, 2,
     "write what is paired to a new file, for a later or another tieline",
     "The file names records by the vendors' own ids. The key of the marks is sealed under a passphrase, which is "
     "asked\n"
     "for; without it the file cannot be imported. Make one before a connection is deleted or a machine is given up.",
     options, run_export},
    {"passport", "import", "CONNECTION FILE", 2, 2, "bind again what is paired in a file; writes nothing to any vendor",
     "Best before `sync start` of a new connection of the same two accounts: nothing is doubled then. Later, both "
     "sides\n"
     "are read whole once more and nothing is made before. -n shows what would be bound, is known, waits, or is in\n"
     "conflict. Exit 8 when something is in conflict or left out.",
     options, run_import},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
