/* Requests to the daemon, and what their failure means for the person at the terminal. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const char *code_word(int exit)
{
    switch (exit) {
    case EXIT_USAGE:
        return "usage";
    case EXIT_NO_SUCH:
        return "not found";
    case EXIT_CONFIG:
        return "config";
    case EXIT_NO_DAEMON:
        return "no daemon";
    default:
        return "failed";
    }
}

int cli_fail(const struct cli *cli, int code, const char *fmt, ...)
{
    AUTO(buf_done) struct buf text = {.max = 1 << 16};
    va_list ap;
    va_start(ap, fmt);
    buf_fmtv(&text, fmt, ap);
    va_end(ap);
    if (!cli->json) {
        fprintf(stderr, "%s: %s\n", cli->program, buf_text(&text));
        return code;
    }
    json_t *o = json_pack("{s:s,s:s,s:s}", "type", "about:blank", "title", buf_text(&text), "code", code_word(code));
    if (o)
        json_dumpf(o, stderr, JSON_INDENT(2));
    fputc('\n', stderr);
    json_decref(o);
    return code;
}

void cli_note(const struct cli *cli, const char *fmt, ...)
{
    if (cli->quiet || cli->json)
        return;
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

/* expected NULL: y or n. */
static int ask(const struct cli *cli, const char *expected, const char *fmt, va_list ap)
{
    if (cli->yes)
        return EXIT_DONE;
    AUTO(buf_done) struct buf question = {.max = 1 << 16};
    buf_fmtv(&question, fmt, ap);
    bool nobody = !isatty(STDIN_FILENO);
    if (nobody && cli->json)
        return cli_fail(cli, EXIT_USAGE, "%s nobody can be asked here; repeat with -y to do it", buf_text(&question));
    fprintf(stderr, "%s%s", buf_text(&question), nobody ? "\n" : expected ? " Type its name: " : " [y/N] ");
    if (nobody)
        return cli_fail(cli, EXIT_USAGE, "nobody can be asked here; repeat with -y to do it");
    char line[256] = "";
    bool said = fgets(line, sizeof line, stdin) != NULL;
    line[strcspn(line, "\n")] = 0;
    if (said && (expected ? strcmp(line, expected) == 0 : line[0] == 'y' || line[0] == 'Y'))
        return EXIT_DONE;
    return cli_fail(cli, EXIT_FAILED, "nothing was done");
}

int cli_confirm(const struct cli *cli, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = ask(cli, NULL, fmt, ap);
    va_end(ap);
    return rc;
}

int cli_confirm_name(const struct cli *cli, const char *name, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = ask(cli, name, fmt, ap);
    va_end(ap);
    return rc;
}

const char *cli_escape(struct cli *cli, const char *text)
{
    AUTO(buf_done) struct buf out = {0};
    buf_url(&out, str_of(text));
    return arena_str(&cli->arena, buf_lent(&out)).p;
}

struct http_local *cli_http(struct cli *cli)
{
    if (!cli->http)
        cli->http = http_local_new(cli->socket, cli->timeout_ms);
    return cli->http;
}

static int exit_of(long http, const char *code)
{
    static const struct {
        const char *code;
        int exit;
    } by_code[] = {
        {"auth", EXIT_SIGN_IN},  {"config", EXIT_CONFIG},         {"not found", EXIT_NO_SUCH},
        {"denied", EXIT_DENIED}, {"conflict", EXIT_CONFLICT},     {"exists", EXIT_CONFLICT},
        {"busy", EXIT_CONFLICT}, {"precondition", EXIT_CONFLICT}, {"throttled", EXIT_VENDOR},
        {"quota", EXIT_VENDOR},  {"temporary", EXIT_VENDOR},      {"usage", EXIT_USAGE},
    };
    for (size_t i = 0; i < ARRAY_LEN(by_code); i++)
        if (strcmp(by_code[i].code, code) == 0)
            return by_code[i].exit;
    return http == 404 ? EXIT_NO_SUCH : http == 403 ? EXIT_DENIED : EXIT_FAILED;
}

/* Prints a problem, returns the exit code. */
static int cli_problem(const struct cli *cli, long http_status, str body)
{
    json_t *problem = json_loadb(body.p ? body.p : "", (size_t)body.n, 0, NULL);
    int code = exit_of(http_status, cli_text(problem, "code"));
    if (cli->json && problem) {
        json_dumpf(problem, stderr, JSON_INDENT(2));
        fputc('\n', stderr);
    } else if (problem) {
        fprintf(stderr, "%s: %s\n", cli->program, cli_text(problem, "title"));
        if (*cli_text(problem, "detail"))
            fprintf(stderr, "  detail: %s\n", cli_text(problem, "detail"));
        if (*cli_text(problem, "hint"))
            fprintf(stderr, "  hint: %s\n", cli_text(problem, "hint"));
    } else {
        cli_fail(cli, code, "the daemon answered with status %ld and no words", http_status);
    }
    json_decref(problem);
    return code;
}

int cli_local_failure(const struct cli *cli, const struct err *e)
{
    if (cli->json) {
        json_t *o = json_pack("{s:s,s:s,s:s}", "title", e->text, "code", status_name(e->status), "hint", e->hint);
        json_dumpf(o, stderr, JSON_INDENT(2));
        fputc('\n', stderr);
        json_decref(o);
    } else {
        fprintf(stderr, "%s: %s\n", cli->program, e->text);
        if (e->hint[0])
            fprintf(stderr, "  hint: %s\n", e->hint);
    }
    return e->status == TL_E_CANCELLED ? EXIT_TIMEOUT : e->status == TL_E_DENIED ? EXIT_DENIED : EXIT_NO_DAEMON;
}

static int run(struct cli *cli, const char *method, const char *path, str body, const char *if_match, json_t **out,
               char *etag_out)
{
    struct err e = {0};
    AUTO(http_local_answer_done) struct http_local_answer answer = {0};
    if (http_local_run(cli_http(cli), method, path, body, if_match, &answer, &e))
        return cli_local_failure(cli, &e);
    if (answer.status >= 400)
        return cli_problem(cli, answer.status, buf_lent(&answer.body));
    if (etag_out)
        memcpy(etag_out, answer.etag, sizeof answer.etag);
    if (out) {
        *out = json_loadb(buf_text(&answer.body), answer.body.n, JSON_DECODE_ANY, NULL);
        if (!*out)
            return cli_fail(cli, EXIT_FAILED, "the daemon's answer to %s is not JSON", path);
    }
    return EXIT_DONE;
}

int cli_get(struct cli *cli, json_t **out, const char *path_fmt, ...)
{
    va_list ap;
    va_start(ap, path_fmt);
    AUTO(buf_done) struct buf path = {.max = 16384};
    buf_fmtv(&path, path_fmt, ap);
    va_end(ap);
    return run(cli, "GET", buf_text(&path), (str){NULL, 0}, NULL, out, NULL);
}

int cli_get_pages(struct cli *cli, const char *path, size_t max, json_t **items, bool *more)
{
    json_t *all = json_array();
    int64_t after = 0;
    int rc = EXIT_DONE;
    do {
        json_t *page = NULL;
        rc = cli_get(cli, &page, "%s&after=%lld", path, (long long)after);
        json_array_extend(all, json_object_get(page, "items"));
        after = cli_int(page, "next");
        json_decref(page);
    } while (rc == EXIT_DONE && after && json_array_size(all) < max);
    if (more)
        *more = after != 0 || json_array_size(all) > max;
    while (json_array_size(all) > max)
        json_array_remove(all, json_array_size(all) - 1);
    *items = all;
    return rc;
}

int cli_send(struct cli *cli, const char *method, const char *path, json_t *body, const char *if_match, json_t **out)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    /* -n must never do the thing: what has no preview is refused by the daemon. */
    if (cli->dry_run && !strstr(path, "dry_run=true"))
        path = arena_fmt(&cli->arena, "%s%cdry_run=true", path, strchr(path, '?') ? '&' : '?');
    int rc = run(cli, method, path, str_of(text), if_match, out, NULL);
    free(text);
    return rc;
}

int cli_change(struct cli *cli, const char *method, const char *path, json_t *body, json_t **out)
{
    char etag[64] = "";
    str query = str_of(path), plain;
    str_split(&query, '?', &plain);
    int rc = run(cli, "GET", arena_str(&cli->arena, plain).p, (str){NULL, 0}, NULL, NULL, etag);
    if (rc != EXIT_DONE) {
        json_decref(body);
        return rc;
    }
    return cli_send(cli, method, path, body, etag, out);
}

const char *cli_connection_path(struct cli *cli, const char *rest)
{
    return arena_fmt(&cli->arena, "/api/v1/connections/%s%s", cli_escape(cli, cli->args[0]), rest);
}

int cli_connection_verb(struct cli *cli, const char *rest, const char *said)
{
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", cli_connection_path(cli, rest), NULL, NULL, &answer);
    if (rc == EXIT_DONE && cli->json)
        cli_print_object(cli, "connection", answer);
    else if (rc == EXIT_DONE)
        cli_note(cli, "%s", said);
    json_decref(answer);
    return rc;
}
