/* tieline endpoint auth: the vendor's page, the wait for its answer, codes from elsewhere, signing out. */
#include <stdio.h>
#include <string.h>

#include "callback.h"
#include "cli.h"
#include "hidden.h"
#include "redirect.h"

const struct cli_option sign_in_options[] = {
    {"browser", NULL, "with a browser, although the endpoint could sign in by itself"},
    {"code", NULL, "with an address or a grant code, asked for without echo or read from standard input"},
    {"redirect-uri", "URI", "where the vendor sends the browser back to, instead of [core] redirect_uri"},
    {"revoke", NULL, "sign out: tell the vendor to forget our tokens, and drop them"},
    {NULL, NULL, NULL},
};

static const char *path_of(struct cli *cli, const char *rest)
{
    return arena_fmt(&cli->arena, "/api/v1/endpoints/%s/auth%s", cli_escape(cli, cli->args[0]), rest);
}

/* body is taken; what came of it is told. */
static int send_auth(struct cli *cli, json_t *body)
{
    json_t *answer = NULL;
    int rc = cli_send(cli, "POST", path_of(cli, ""), body, NULL, &answer);
    if (rc == EXIT_DONE)
        cli_print_object(cli, "auth", answer);
    json_decref(answer);
    return rc;
}

/* ---- signing out ---- */

static int revoke(struct cli *cli)
{
    json_t *answer = NULL;
    int rc =
        cli_confirm(cli, "sign endpoint \"%s\" out? Its connections wait until somebody signs in again.", cli->args[0]);
    if (rc == EXIT_DONE)
        rc = cli_send(cli, "POST", path_of(cli, ""), json_pack("{s:b}", "revoke", 1), NULL, &answer);
    if (rc != EXIT_DONE)
        return rc;
    cli_print_object(cli, "auth", answer);
    bool told = json_is_true(json_object_get(answer, "vendor_told"));
    if (*cli_text(answer, "flow"))
        cli_note(cli,
                 "it signs in again by itself with %s when it is needed; take what that uses out of [endpoint %s] to "
                 "end that",
                 cli_text(answer, "flow"), cli->args[0]);
    json_decref(answer);
    return told ? EXIT_DONE : EXIT_VENDOR;
}

/* ---- a code, or the address of an answer ---- */

static int bring_code(struct cli *cli)
{
    char code[REDIRECT_MAX + 2];
    int rc = hidden_read(cli, "address or grant code", code, sizeof code);
    if (rc != EXIT_DONE)
        return rc;
    json_t *body = json_pack("{s:s}", "code", code);
    explicit_bzero(code, sizeof code);
    if (!body)
        return cli_fail(cli, EXIT_USAGE, "what was entered is no text");
    if (cli_value(cli, "redirect-uri"))
        json_object_set_new(body, "redirect_uri", json_string(cli_value(cli, "redirect-uri")));
    return send_auth(cli, body);
}

/* ---- the vendor's page ---- */

static void withdraw(struct cli *cli, const json_t *begun)
{
    json_t *body = json_pack("{s:s}", "state", cli_text(begun, "state"));
    cli_send(cli, "POST", path_of(cli, "/cancel"), body, NULL, NULL);
}

static void tell_page(struct cli *cli, const json_t *begun, const struct err *deaf)
{
    FILE *out = cli->json ? stderr : stdout;
    cli_note(cli,
             "open this page in a browser and sign in to the account that endpoint \"%s\" shall use:", cli->args[0]);
    fprintf(out, "%s\n", cli_text(begun, "url"));
    fflush(out);
    if (deaf->status)
        cli_note(cli, "%s: paste the address at which the browser ends (or the code in it) here; it is not shown",
                 deaf->text);
    else
        cli_note(cli,
                 "waiting for the browser to come back to %s; if it is on another machine, paste the address at which "
                 "it ends here; it is not shown",
                 cli_text(begun, "redirect_uri"));
}

static int finish(struct cli *cli, const json_t *begun, const struct buf *answer)
{
    json_t *body = json_pack("{s:s,s:s}", "code", buf_text(answer), "state", cli_text(begun, "state"));
    if (body)
        return send_auth(cli, body);
    withdraw(cli, begun);
    return cli_fail(cli, EXIT_USAGE, "what was entered is no text");
}

static int wait_for_answer(struct cli *cli, const json_t *begun)
{
    struct err deaf = {0};
    bool hidden = hidden_begin();
    AUTO(callback_free)
    struct callback *c = callback_new(cli_text(begun, "redirect_uri"), cli_text(begun, "state"), &deaf);
    struct buf answer = {.max = REDIRECT_MAX + 1024};
    tell_page(cli, begun, &deaf);
    enum callback_end how = callback_wait(c, cli_int(begun, "expires_in") * 1000, &answer);
    if (hidden)
        hidden_end();
    int rc = EXIT_DONE;
    if (how == CALLBACK_ANSWER)
        rc = finish(cli, begun, &answer);
    else
        withdraw(cli, begun);
    if (answer.p)
        explicit_bzero(answer.p, answer.cap);
    buf_done(&answer);
    if (how == CALLBACK_EXPIRED)
        return cli_fail(cli, EXIT_TIMEOUT, "nobody signed in within ten minutes; nothing was changed");
    if (how == CALLBACK_INTERRUPTED)
        return cli_fail(cli, EXIT_INTERRUPTED, "interrupted; nothing was changed");
    if (how == CALLBACK_NOBODY)
        return cli_fail(cli, EXIT_USAGE, "nobody can be waited for: %s, and standard input has ended", deaf.text);
    return rc;
}

static int begin(struct cli *cli, json_t **out)
{
    json_t *body = json_object();
    if (cli_value(cli, "browser"))
        json_object_set_new(body, "browser", json_true());
    if (cli_value(cli, "redirect-uri"))
        json_object_set_new(body, "redirect_uri", json_string(cli_value(cli, "redirect-uri")));
    return cli_send(cli, "POST", path_of(cli, "/begin"), body, NULL, out);
}

int sign_in_run(struct cli *cli)
{
    if (cli_value(cli, "revoke"))
        return revoke(cli);
    if (cli_value(cli, "code"))
        return bring_code(cli);
    json_t *begun = NULL;
    int rc = begin(cli, &begun);
    if (rc != EXIT_DONE)
        return rc;
    if (!json_is_true(json_object_get(begun, "browser"))) {
        rc = send_auth(cli, json_object());
    } else if (cli->no_wait) {
        json_object_del(begun, "state"); /* it stands in the address */
        if (cli->json)
            cli_print_object(cli, "auth", begun);
        else
            printf("%s\n", cli_text(begun, "url"));
        cli_note(
            cli,
            "then: tieline endpoint auth %s --code, with the address at which the browser ends; within ten minutes",
            cli->args[0]);
    } else {
        rc = wait_for_answer(cli, begun);
    }
    json_decref(begun);
    return rc;
}
