/* tieline-sandbox: the vendors on loopback. Wiring only. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "desk.h"
#include "finance.h"
#include "people.h"
#include "salesforce.h"
#include "server.h"
#include "times.h"
#include "toy.h"
#include "zoho_accounts.h"

static const char usage[] =
    "usage: tieline-sandbox [options]\n"
    "Twins of the vendors' HTTP APIs on 127.0.0.1, one port a role. Prints one JSON line with their addresses and the\n"
    "credentials they accept, then serves until SIGTERM or SIGINT. GET <control>/_sim explains the control plane.\n"
    "\n"
    "  --seed N          population, ids and tokens (default 1)\n"
    "  --contacts N      contacts on each side, about (default 2000)\n"
    "  --accounts N      accounts on each side, about (default 400)\n"
    "  --plan PLAN       demo: with the planted cases (default); plain: without; empty-crm: plain, nobody in "
    "Salesforce;\n"
    "                    empty: nobody anywhere\n"
    "  --now TIME        the sandbox clock at the start, such as 2026-01-31T08:00:00Z (default: the wall clock)\n"
    "  --frozen          the clock moves only when the control plane says so\n"
    "  --port N          control plane's port; the other roles take the next free ones (default 0: all are free ones)\n"
    "  --accounts-port N, --desk-port N, --login-port N, --instance-port N, --toy-port N, --finance-port N   a port "
    "for one role\n"
    "  --product NAME    which of Zoho's two the finance role's first organisation is: books (default) or invoice\n"
    "  --latency MS      every answer of every twin is held back for so long\n"
    "  --switch T.N=V    switch N of twin T begins with V; once for each (GET <control>/_sim/T/switches lists them)\n"
    "  --json            accepted for symmetry: the address line always is JSON\n"
    "  --help, --version\n";

enum { SWITCHES_MAX = 32 };
struct settings {
    struct sandbox_options world;
    struct people_plan plan;
    bool empty, invoice;
    int port, accounts_port, desk_port, login_port, instance_port, toy_port, finance_port;
    int64_t latency_ms;
    const char *switches[SWITCHES_MAX]; /* "finance.per_minute=1000" */
    int n_switches;
};

enum {
    OPT_SEED = 256,
    OPT_CONTACTS,
    OPT_ACCOUNTS,
    OPT_PLAN,
    OPT_NOW,
    OPT_FROZEN,
    OPT_PORT,
    OPT_ACCOUNTS_PORT,
    OPT_DESK_PORT,
    OPT_LOGIN_PORT,
    OPT_INSTANCE_PORT,
    OPT_TOY_PORT,
    OPT_FINANCE_PORT,
    OPT_PRODUCT,
    OPT_LATENCY,
    OPT_SWITCH,
    OPT_JSON,
    OPT_HELP,
    OPT_VERSION
};

static const struct option options[] = {
    {"seed", required_argument, NULL, OPT_SEED},
    {"contacts", required_argument, NULL, OPT_CONTACTS},
    {"accounts", required_argument, NULL, OPT_ACCOUNTS},
    {"plan", required_argument, NULL, OPT_PLAN},
    {"now", required_argument, NULL, OPT_NOW},
    {"frozen", no_argument, NULL, OPT_FROZEN},
    {"port", required_argument, NULL, OPT_PORT},
    {"accounts-port", required_argument, NULL, OPT_ACCOUNTS_PORT},
    {"desk-port", required_argument, NULL, OPT_DESK_PORT},
    {"login-port", required_argument, NULL, OPT_LOGIN_PORT},
    {"instance-port", required_argument, NULL, OPT_INSTANCE_PORT},
    {"toy-port", required_argument, NULL, OPT_TOY_PORT},
    {"finance-port", required_argument, NULL, OPT_FINANCE_PORT},
    {"product", required_argument, NULL, OPT_PRODUCT},
    {"latency", required_argument, NULL, OPT_LATENCY},
    {"switch", required_argument, NULL, OPT_SWITCH},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static int number_read(const char *name, const char *text, int64_t max, int64_t *out, struct err *e)
{
    int64_t v;
    if (!str_to_i64(str_of(text), &v) || v < 0 || v > max)
        return err_set(e, E_USAGE, "--%s wants a whole number from 0 to %lld, not \"%s\"", name, (long long)max, text);
    *out = v;
    return TL_OK;
}

static int plan_read(struct settings *s, const char *text, struct err *e)
{
    s->plan.planted = strcmp(text, "demo") == 0;
    s->plan.crm_empty = strcmp(text, "empty-crm") == 0;
    s->empty = strcmp(text, "empty") == 0;
    if (!s->plan.planted && !s->plan.crm_empty && !s->empty && strcmp(text, "plain") != 0)
        return err_set(e, E_USAGE, "--plan is demo, plain, empty-crm or empty, not \"%s\"", text);
    return TL_OK;
}

static int option_take(struct settings *s, int option, const char *name, struct err *e)
{
    int64_t n = 0;
    int rc = TL_OK;
    switch (option) {
    case OPT_PLAN:
        return plan_read(s, optarg, e);
    case OPT_PRODUCT:
        s->invoice = strcmp(optarg, "invoice") == 0;
        return s->invoice || strcmp(optarg, "books") == 0
                   ? TL_OK
                   : err_set(e, E_USAGE, "--product is books or invoice, not \"%s\"", optarg);
    case OPT_FROZEN:
        s->world.frozen = true;
        return TL_OK;
    case OPT_JSON:
        return TL_OK;
    case OPT_NOW:
        return time_parse(str_of(optarg), &s->world.start_us)
                   ? TL_OK
                   : err_set(e, E_USAGE, "--now wants a time such as 2026-01-31T08:00:00Z, not \"%s\"", optarg);
    case OPT_SEED:
        rc = number_read(name, optarg, INT64_MAX, &n, e);
        s->world.seed = (uint64_t)n;
        return rc;
    case OPT_CONTACTS:
        rc = number_read(name, optarg, 5000000, &n, e);
        s->plan.contacts = (int)n;
        return rc;
    case OPT_ACCOUNTS:
        rc = number_read(name, optarg, 1000000, &n, e);
        s->plan.accounts = (int)n;
        return rc;
    case OPT_SWITCH:
        if (s->n_switches == SWITCHES_MAX)
            return err_set(e, E_USAGE, "--switch is given more than %d times", SWITCHES_MAX);
        s->switches[s->n_switches++] = optarg;
        return TL_OK;
    case OPT_LATENCY:
        return number_read(name, optarg, 3600000, &s->latency_ms, e);
    default:
        break;
    }
    int *ports[] = {&s->port,          &s->accounts_port, &s->desk_port,   &s->login_port,
                    &s->instance_port, &s->toy_port,      &s->finance_port};
    rc = number_read(name, optarg, 65535, &n, e);
    *ports[option - OPT_PORT] = (int)n;
    return rc;
}

/* Exit code to end with, or -1 to go on. */
static int options_read(struct settings *s, int argc, char **argv)
{
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "h", options, &index)) != -1) {
        if (option == OPT_HELP || option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option == OPT_VERSION) {
            puts("tieline-sandbox " TIELINE_VERSION);
            return 0;
        }
        struct err e = {0};
        if (option == '?' || option_take(s, option, options[index].name, &e)) {
            fprintf(stderr, "%s%stieline-sandbox --help lists the options\n", e.text, *e.text ? "\n" : "");
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "unexpected argument \"%s\"\ntieline-sandbox --help lists the options\n", argv[optind]);
        return 2;
    }
    return -1;
}

/* With --port N the roles without a port of their own take N+1, N+2 ... in the order of the address line. */
static void ports_fill(struct settings *s)
{
    int *ports[] = {&s->accounts_port, &s->desk_port, &s->login_port,
                    &s->instance_port, &s->toy_port,  &s->finance_port};
    for (int i = 0; s->port && i < (int)ARRAY_LEN(ports); i++) {
        if (!*ports[i])
            *ports[i] = s->port + 1 + i;
    }
    s->world.control_port = s->port;
}

static void address_line(struct sandbox *w)
{
    AUTO(buf_done) struct buf b = {0};
    buf_char(&b, '{');
    struct twin *t;
    sandbox_lock(w); /* it serves already */
    for (unsigned i = 0; (t = sandbox_twin_at(w, i)) != NULL; i++)
        json_put_member(&b, twin_name(t), str_of(twin_url(t)));
    json_put_int(&b, "pid", getpid());
    json_put_raw(&b, "credentials", STR("{"));
    zoho_accounts_credentials(&b, sandbox_twin(w, "accounts"));
    desk_credentials(&b, sandbox_twin(w, "desk"));
    salesforce_credentials(&b, sandbox_twin(w, "login"));
    toy_credentials(&b);
    finance_credentials(&b, sandbox_twin(w, "finance"));
    sandbox_unlock(w);
    buf_add(&b, "}}", 2);
    puts(buf_text(&b));
    fflush(stdout);
}

static struct sandbox *world_build(struct settings *s)
{
    struct sandbox *w = sandbox_new(&s->world);
    s->plan.seed = s->world.seed;
    /* Whole seconds: the clock already runs, and the same seed and time make the same world. */
    s->plan.now_us = sandbox_now_us(w) / US_PER_S * US_PER_S;
    if (s->empty)
        s->plan.contacts = s->plan.accounts = 0;
    AUTO(people_free) struct people *people = people_new(&s->plan);
    struct twin *accounts = zoho_accounts_add(w, s->accounts_port);
    desk_add(w, accounts, people, s->desk_port);
    salesforce_add(w, people, s->login_port, s->instance_port);
    toy_add(w, people, s->toy_port);
    finance_add(w, accounts, people, s->invoice, s->finance_port);
    struct twin *t;
    for (unsigned i = 1; (t = sandbox_twin_at(w, i)) != NULL; i++)
        twin_switch_set(t, "latency_ms", s->latency_ms);
    return w;
}

/* "TWIN.NAME=VALUE" */
static int switch_set(struct sandbox *w, const char *text, struct err *e)
{
    str value = str_of(text), name, twin;
    int64_t v;
    if (!str_split(&value, '=', &name) || !str_split(&name, '.', &twin) || !str_to_i64(value, &v))
        return err_set(e, E_USAGE, "--switch wants TWIN.NAME=NUMBER, not \"%s\"", text);
    AUTO(text_free) char *twin_text = str_dup(twin);
    AUTO(text_free) char *name_text = str_dup(name);
    struct twin *t = sandbox_twin(w, twin_text);
    if (!t || !twin_has_switch(t, name_text))
        return err_set(e, E_USAGE, "--switch: there is no twin \"%s\" with a switch \"%s\"", twin_text, name_text);
    twin_switch_set(t, name_text, v);
    return TL_OK;
}

static int switches_set(struct sandbox *w, const struct settings *s, struct err *e)
{
    int rc = TL_OK;
    for (int i = 0; i < s->n_switches && rc == TL_OK; i++)
        rc = switch_set(w, s->switches[i], e);
    return rc;
}

int main(int argc, char **argv)
{
    struct settings s = {.world.seed = 1, .plan = {.contacts = 2000, .accounts = 400, .planted = true}};
    int rc = options_read(&s, argc, argv);
    if (rc >= 0)
        return rc;
    ports_fill(&s);
    /* Blocked before any thread starts, so that all of them leave the two signals to sigwait below. */
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);

    struct sandbox *w = world_build(&s);
    struct err e = {0};
    rc = switches_set(w, &s, &e);
    if (rc == TL_OK)
        rc = sandbox_start(w, &e);
    if (rc) {
        fprintf(stderr, "%s\n", e.text);
    } else {
        address_line(w);
        int signal_seen;
        sigwait(&ends, &signal_seen);
    }
    sandbox_free(w);
    return rc ? 1 : 0;
}
