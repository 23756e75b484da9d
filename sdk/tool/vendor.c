/* The author's fake vendor: a program of his that says on one line where it is to be found. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "project.h"

enum { START_MS = 30000, STOP_MS = 5000, WORDS_MAX = 500, ARGS_MAX = 32 };

static _Noreturn void become(const struct project *p, char *const *argv, int out)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* whoever started it may be killed by a limit */
    if (chdir(p->directory) == 0 && dup2(out, STDOUT_FILENO) >= 0)
        execvp(argv[0], argv);
    static const char text[] = "tieline-sdk: the vendor cannot be started\n";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(127);
}

static int first_line(struct vendor *v, const char *command, struct buf *line, struct err *e)
{
    for (char c = 0; c != '\n';) {
        struct pollfd ready = {.fd = v->out, .events = POLLIN};
        int n = poll(&ready, 1, START_MS);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || read(v->out, &c, 1) != 1) {
            err_set(e, TL_E_CONFIG, "the vendor \"%s\" %s before it said where it is", command,
                    n == 0 ? "was silent for 30 s" : "ended");
            err_hint(e, "its first line of output is one JSON object, flushed at once");
            return TL_E_CONFIG;
        }
        buf_char(line, c);
    }
    return TL_OK;
}

static void word(struct vendor *v, const char *path, const json_t *o)
{
    const char *key;
    json_t *member;
    if (v->n_words >= WORDS_MAX)
        return;
    if (json_is_object(o)) {
        json_object_foreach((json_t *)(uintptr_t)o, key, member)
            word(v, *path ? arena_fmt(&v->arena, "%s.%s", path, key) : key, member);
        return;
    }
    str value = json_is_string(o)    ? str_of(json_string_value(o))
                : json_is_integer(o) ? str_of(arena_fmt(&v->arena, "%lld", (long long)json_integer_value(o)))
                                     : str_of(json_is_true(o)    ? "yes"
                                              : json_is_false(o) ? "no"
                                                                 : NULL);
    if (value.p)
        v->words[v->n_words++] = (tl_pair){arena_str(&v->arena, str_of(path)), arena_str(&v->arena, value)};
}

static int spawn(struct vendor *v, const struct project *p, const char *command, struct err *e)
{
    char *argv[ARGS_MAX + 1] = {0};
    int n = 0, ends[2];
    str rest = str_of(command), head;
    while (n < ARGS_MAX && str_split(&rest, ' ', &head))
        if (head.n)
            argv[n++] = (char *)(uintptr_t)arena_str(&v->arena, head).p;
    if (n == 0 || pipe2(ends, O_CLOEXEC))
        return err_set(e, TL_E_CONFIG, "[vendor] start is empty");
    v->pid = fork();
    if (v->pid == 0)
        become(p, argv, ends[1]);
    close(ends[1]);
    v->out = ends[0];
    return v->pid < 0 ? err_errno(e, "cannot start the vendor") : TL_OK;
}

int vendor_start(struct vendor *v, const struct project *p, struct err *e)
{
    const char *command = project_get(p, "vendor", "start");
    if (!command)
        return TL_OK;
    v->words = arena_array(&v->arena, tl_pair, WORDS_MAX);
    int rc = spawn(v, p, command, e);
    AUTO(buf_done) struct buf line = {.max = 1 << 20};
    if (!rc)
        rc = first_line(v, command, &line, e);
    if (rc)
        return rc;
    json_t *o = json_loadb(buf_text(&line), line.n, 0, NULL);
    if (!json_is_object(o))
        rc = err_set(e, TL_E_CONFIG, "the first line of the vendor \"%s\" is no JSON object: %.100s", command,
                     buf_text(&line));
    else
        word(v, "", o);
    json_decref(o);
    return rc;
}

/* Its output ends when it does; one that does not heed is killed. */
static void wait_for_end(const struct vendor *v)
{
    char dropped[4096];
    struct pollfd end = {.fd = v->out, .events = POLLIN};
    while (poll(&end, 1, STOP_MS) > 0 && read(v->out, dropped, sizeof dropped) > 0)
        ;
    kill(v->pid, SIGKILL);
}

void vendor_stop(struct vendor *v)
{
    if (v->pid > 0) {
        kill(v->pid, SIGTERM);
        wait_for_end(v);
        while (waitpid(v->pid, NULL, 0) < 0 && errno == EINTR)
            ;
        close(v->out);
    }
    arena_done(&v->arena);
    *v = (struct vendor){0};
}
