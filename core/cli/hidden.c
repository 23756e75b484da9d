#include "hidden.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* Signal handlers take no argument: what they put back lives here while a terminal is hidden. */
static struct {
    struct termios shown;
    struct sigaction before[ARRAY_LEN(ending)];
} hidden;

static void show_and_end(int number)
{
    tcsetattr(STDIN_FILENO, TCSANOW, &hidden.shown);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        if (ending[i] == number)
            sigaction(number, &hidden.before[i], NULL);
    raise(number); /* comes when this handler returns */
}

bool hidden_begin(void)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &hidden.shown) != 0)
        return false;
    struct sigaction show = {.sa_handler = show_and_end};
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        sigaction(ending[i], &show, &hidden.before[i]);
    struct termios quiet = hidden.shown;
    quiet.c_lflag &= (tcflag_t)~ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    return true;
}

void hidden_end(void)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden.shown);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        sigaction(ending[i], &hidden.before[i], NULL);
    fputc('\n', stderr);
}

int hidden_read(struct cli *cli, const char *prompt, char *out, size_t size)
{
    size_t n = 0;
    if (hidden_begin()) {
        fprintf(stderr, "%s: ", prompt);
        n = fgets(out, (int)size, stdin) ? strlen(out) : 0;
        hidden_end();
    } else {
        n = fread(out, 1, size - 1, stdin);
    }
    out[n] = 0;
    while (n && (out[n - 1] == '\n' || out[n - 1] == '\r'))
        out[--n] = 0;
    return n ? EXIT_DONE : cli_fail(cli, EXIT_USAGE, "nothing was entered");
}
