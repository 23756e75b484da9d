/* The command line of tielined: see arguments.h. */
#include "arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "seal.h"

static const char usage[] =
    "usage: tielined [-c FILE] [-t | -T | --doctor] [--make-key FILE]\n\n"
    "  -c, --config FILE   configuration (default: /etc/tieline/tieline.ini, then conf.d/*.ini beside it)\n"
    "  -t, --test          check the configuration and the connectors it enables, say what is wrong, exit 0 or 7\n"
    "  -T, --dump          like -t, and print every value that counts with its origin (secrets are left out)\n"
    "      --doctor        look at this machine, one JSON object a line, for \"tieline doctor\"; exit 0 or 1\n"
    "      --make-key FILE make a new sealing key, readable by its owner only, and exit\n"
    "  -h, --help\n"
    "  -V, --version\n";

static int make_key(const char *path)
{
    struct err e = {0};
    if (seal_key_create(path, &e) == TL_OK)
        return 0;
    fprintf(stderr, "tielined: %s\n", e.text);
    return 1;
}

int arguments_parse(int argc, char **argv, struct arguments *out)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},   {"test", no_argument, NULL, 't'},
        {"dump", no_argument, NULL, 'T'},           {"doctor", no_argument, NULL, 'D'},
        {"make-key", required_argument, NULL, 'K'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},        {NULL, 0, NULL, 0},
    };
    int found;
    while ((found = getopt_long(argc, argv, "c:tThV", options, NULL)) != -1) {
        switch (found) {
        case 'c':
            out->config = optarg;
            break;
        case 't':
            out->test = true;
            break;
        case 'T':
            out->test = out->dump = true;
            break;
        case 'D':
            out->doctor = true;
            break;
        case 'K':
            return make_key(optarg);
        case 'h':
            fputs(usage, stdout);
            return 0;
        case 'V':
            puts("tielined " TIELINE_VERSION);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "tielined: takes no \"%s\"\n", argv[optind]);
        fputs(usage, stderr);
        return 2;
    }
    return -1;
}
