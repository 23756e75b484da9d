/* Completion in shells: the scripts ask `tieline completion words` for what can come next, which is read from the table
 * of commands; names come from the daemon while it runs. */
#include <stdio.h>
#include <string.h>

#include "parse.h"

enum { ANSWER_MS = 2000 }; /* a person waits with the finger on the key */

/* ---- the scripts ---- */

static const char bash_script[] =
    "# completion of tieline in bash: tieline itself is asked, so this is never behind it\n"
    "_tieline() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} line\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        if [[ $line == :files ]]; then\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "        else\n"
    "            COMPREPLY+=(\"${line%%$'\\t'*}\")\n"
    "        fi\n"
    "    done < <(\"${COMP_WORDS[0]}\" completion words -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "}\n"
    "complete -F _tieline tieline\n";

static const char zsh_script[] =
    "#compdef tieline\n"
    "# completion of tieline in zsh: tieline itself is asked, so this is never behind it\n"
    "_tieline() {\n"
    "    local line\n"
    "    local -a found\n"
    "    while IFS= read -r line; do\n"
    "        if [[ $line == :files ]]; then\n"
    "            _files\n"
    "        else\n"
    "            found+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
    "        fi\n"
    "    done < <(\"${words[1]}\" completion words -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
    "    _describe tieline found\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _tieline ]; then _tieline \"$@\"; else compdef _tieline tieline; fi\n";

static const char fish_script[] =
    "# completion of tieline in fish: tieline itself is asked, so this is never behind it\n"
    "function __tieline_words\n"
    "    set -l given (commandline -opc)\n"
    "    for line in ($given[1] completion words -- $given[2..] (commandline -ct) 2>/dev/null)\n"
    "        if test $line = :files\n"
    "            __fish_complete_path (commandline -ct)\n"
    "        else\n"
    "            echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c tieline -f -a '(__tieline_words)'\n";

/* ---- what can come next ---- */

struct asked {
    struct cli *cli;
    const char *noun, *verb; /* as far as they are given */
    const struct command *command;
    const char *given[CLI_MAX_ARGS]; /* arguments before the current word */
    int n_given;
    const char *value_of; /* placeholder of the option whose value the current word is; NULL: none */
    bool no_options;      /* "--" was given */
    const char *current;
};

static void offer(const struct asked *q, const char *word, const char *about)
{
    if (str_starts(str_of(word), str_of(q->current)))
        printf("%s\t%s\n", word, about);
}

/* Member of the items of a list of the daemon's; nothing where it does not answer. */
static void offer_names(struct asked *q, const char *path, const char *member)
{
    AUTO(http_local_answer_done) struct http_local_answer answer = {0};
    struct err e = {0};
    q->cli->timeout_ms = ANSWER_MS;
    if (http_local_run(cli_http(q->cli), "GET", path, STR(""), NULL, &answer, &e) || answer.status != 200)
        return;
    json_t *list = json_loadb(buf_text(&answer.body), answer.body.n, 0, NULL), *item;
    size_t i;
    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        offer(q, cli_text(item, member), cli_text(item, "state"));
    }
    json_decref(list);
}

/* NAME is one of what the noun is about, but for the name of something new. */
static void offer_of_noun(struct asked *q)
{
    static const char *const lists[][2] = {{"connector", "/api/v1/connectors"},
                                           {"endpoint", "/api/v1/endpoints"},
                                           {"connection", "/api/v1/connections"},
                                           {"secret", "/api/v1/secrets"}};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (strcmp(q->noun, lists[i][0]) == 0 && !(q->verb && strcmp(q->verb, "create") == 0))
            offer_names(q, lists[i][1], "name");
}

/* "[ID...]" without what says how often. */
static str bare(str word)
{
    if (word.n && word.p[0] == '[')
        word = str_n(word.p + 1, word.n - 1);
    while (word.n && strchr(".]", word.p[word.n - 1]))
        word.n--;
    return word;
}

static const char *kinds_of(struct asked *q)
{
    if (!q->n_given)
        return "/api/v1/links";
    return arena_fmt(&q->cli->arena, "/api/v1/links?connection=%s", cli_escape(q->cli, q->given[0]));
}

/* A placeholder of a usage line: "CONNECTION", "[ID...]", "NAME|FILE", "auto|always|never". */
static void offer_for(struct asked *q, str placeholder)
{
    str rest = bare(placeholder), word;
    while (str_split(&rest, '|', &word)) {
        if (str_is(word, "NAME"))
            offer_of_noun(q);
        else if (str_is(word, "CONNECTION"))
            offer_names(q, "/api/v1/connections", "name");
        else if (str_is(word, "ENDPOINT"))
            offer_names(q, "/api/v1/endpoints", "name");
        else if (str_is(word, "KIND"))
            offer_names(q, kinds_of(q), "kind");
        else if (str_is(word, "FILE"))
            puts(":files");
        else if (word.n && (word.p[0] < 'A' || word.p[0] > 'Z'))
            offer(q, arena_str(&q->cli->arena, word).p, "");
    }
}

/* What the usage line says of the argument that the current word is. */
static void offer_argument(struct asked *q)
{
    str rest = str_of(q->command->args), word = {NULL, 0};
    for (int i = 0; i <= q->n_given; i++)
        if (!str_split(&rest, ' ', &word) || str_starts(word, STR("--")))
            return;
    offer_for(q, word);
}

static void offer_options(struct asked *q)
{
    struct option all[PARSE_MAX_OPTIONS];
    parse_options_of(q->command, all);
    const struct cli_option *own = q->command ? q->command->options : NULL;
    for (const struct option *o = all; o->name; o++) {
        const char *about = "";
        for (const struct cli_option *x = own; x && x->name; x++)
            if (strcmp(x->name, o->name) == 0)
                about = x->help;
        offer(q, arena_fmt(&q->cli->arena, "--%s", o->name), about);
    }
}

static bool first_of_its_noun(const struct command *command)
{
    for (const struct command *const *table = command_tables; *table; table++)
        for (const struct command *c = *table; c->noun; c++)
            if (strcmp(c->noun, command->noun) == 0)
                return c == command;
    return false;
}

/* Nouns, or the verbs of the one that is given. */
static void offer_words(const struct asked *q)
{
    for (const struct command *const *table = command_tables; *table; table++)
        for (const struct command *c = *table; c->noun; c++)
            if (q->noun ? c->verb && strcmp(c->noun, q->noun) == 0 : first_of_its_noun(c))
                offer(q, q->noun ? c->verb : c->noun, q->noun || !c->verb ? c->summary : "");
}

/* What the value of an option is called; NULL: it takes none, or has it already ("--kind=contact"). */
static const char *value_of(const struct asked *q, const char *word)
{
    static const char *const everywhere[][2] = {{"-S", "FILE"},
                                                {"--socket", "FILE"},
                                                {"--color", "auto|always|never"},
                                                {"--lang", "en|pt-BR|zh-CN|ru"},
                                                {"--timeout", "SEC"}};
    for (size_t i = 0; i < ARRAY_LEN(everywhere); i++)
        if (strcmp(word, everywhere[i][0]) == 0)
            return everywhere[i][1];
    for (const struct cli_option *o = q->command ? q->command->options : NULL; o && o->name; o++)
        if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, o->name) == 0)
            return o->arg;
    return NULL;
}

/* A word before the current one. */
static void take_word(struct asked *q, const char *word)
{
    if (q->value_of) {
        if (strcmp(q->value_of, "FILE") == 0 && !q->command)
            q->cli->socket = word;
        q->value_of = NULL;
    } else if (!q->no_options && strcmp(word, "--") == 0) {
        q->no_options = true;
    } else if (!q->no_options && word[0] == '-') {
        q->value_of = value_of(q, word);
    } else if (!q->noun) {
        q->noun = word;
        q->command = command_find(word, NULL);
    } else if (!q->command) {
        q->verb = word;
        q->command = command_find(q->noun, word);
    } else if (q->n_given < CLI_MAX_ARGS) {
        q->given[q->n_given++] = word;
    }
}

static void offer_next(struct asked *q)
{
    if (q->value_of)
        offer_for(q, str_of(q->value_of));
    else if (q->current[0] == '-' && !q->no_options)
        offer_options(q);
    else if (q->command)
        offer_argument(q);
    else if (!q->verb)
        offer_words(q);
}

static int run_completion(struct cli *cli)
{
    static const struct {
        const char *shell, *script;
    } scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
        if (cli->n_args == 1 && strcmp(cli->args[0], scripts[i].shell) == 0) {
            fputs(scripts[i].script, stdout);
            return EXIT_DONE;
        }
    if (strcmp(cli->args[0], "words") != 0)
        return cli_fail(cli, EXIT_USAGE, "there is no completion for \"%s\": bash, zsh, fish", cli->args[0]);
    struct asked q = {.cli = cli, .current = ""};
    for (int i = 1; i < cli->n_args; i++) {
        if (i > 1)
            take_word(&q, q.current);
        q.current = cli->args[i];
    }
    offer_next(&q);
    return EXIT_DONE;
}

const struct command commands_completion[] = {
    {"completion", NULL, "bash|zsh|fish", 1, -1, "the script that completes commands in a shell; needs no daemon",
     "Packages install it. Else: eval \"$(tieline completion bash)\", for zsh after compinit; tieline completion fish "
     "| source.\n"
     "Names of connectors, endpoints, connections, kinds and secrets are completed while the daemon runs.\n"
     "The scripts themselves call completion words -- WORD..., which prints what may stand at the last word.",
     NULL, run_completion},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
