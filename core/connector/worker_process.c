/* Starting, ending and reaping of worker processes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "codec.h"
#include "remote_int.h"
#include "wire.h"

/* Nothing is inherited but the control channel as descriptor 3, and where to print. */
static int spawn(pid_t *pid_out, const char *worker_path, int control_fd, int output_fd, struct err *e)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output_fd, 1);
    posix_spawn_file_actions_adddup2(&files, output_fd, 2);
    posix_spawn_file_actions_adddup2(&files, control_fd, 3);
    posix_spawn_file_actions_addclosefrom_np(&files, 4);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    char name[] = "tieline-worker";
    char *argv[] = {name, NULL};
    char *environment[] = {NULL};
    int rc = posix_spawn(pid_out, worker_path, &files, &attr, argv, environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    if (!rc)
        return TL_OK;
    errno = rc;
    err_errno(e, "cannot start \"%s\"", worker_path);
    err_hint(e, "a worker is the program tieline-worker; \"isolation = inprocess\" does without");
    return e ? e->status : TL_E_CONFIG;
}

static int read_hello_answer(struct worker *w, struct manifest **manifest_out, const char *id, struct err *e)
{
    struct frame f;
    int rc = channel_read(&w->control, &f, WORKER_START_MS, e);
    if (rc == E_END) {
        char how[128];
        worker_kill(w); /* it has closed the channel: of no more use, should it live still */
        worker_wait(w, how, sizeof how);
        return err_set(e, TL_E_BUG, "the worker of connector \"%s\" ended while loading it: %s", id, how);
    }
    if (rc)
        return err_wrap(e, "while starting the worker of connector \"%s\"", id);
    if (f.type == FRAME_READY) {
        rc = manifest_decode(manifest_out, f.body, e);
        if (!rc && strcmp((*manifest_out)->id, id) != 0) {
            *manifest_out = manifest_free(*manifest_out);
            rc = err_set(e, TL_E_BUG, "the worker of connector \"%s\" loaded something else", id);
        }
        return rc;
    }
    AUTO(arena_done) struct arena arena = {0};
    struct decoder d = decoder_of(f.body, &arena, true);
    struct err refused = {0};
    wire_get_err(&d, &refused);
    if (f.type != FRAME_REFUSED || !decoder_ended(&d))
        return err_set(e, TL_E_BUG, "the worker of connector \"%s\" sent a malformed message", id);
    if (e)
        *e = refused;
    return refused.status;
}

int worker_start(struct worker **out, struct manifest **manifest_out, const char *worker_path, const char *staged_path,
                 const char *id, struct err *e)
{
    int ours, theirs;
    int rc = channel_pair(&ours, &theirs, e);
    if (rc)
        return rc;
    AUTO(worker_free) struct worker *w = calloc(1, sizeof *w);
    ASSERT(w);
    channel_init(&w->control, ours, false);
    pthread_mutex_init(&w->lock, NULL);
    w->refs = 1;
    int output_fd = -1;
    rc = worker_output_start(&w->output, id, &output_fd, e);
    if (!rc)
        rc = spawn(&w->pid, worker_path, theirs, output_fd, e);
    close(theirs);
    if (output_fd >= 0)
        close(output_fd);
    if (rc)
        return rc;
    AUTO(buf_done) struct buf hello = {.max = 16 << 10};
    enc_text(&hello, staged_path);
    enc_text(&hello, id);
    rc = channel_write(&w->control, FRAME_HELLO, 0, buf_lent(&hello), e);
    if (!rc)
        rc = read_hello_answer(w, manifest_out, id, e);
    if (rc)
        return rc;
    *out = take(w);
    return TL_OK;
}

pid_t worker_pid(const struct worker *w)
{
    return w->pid;
}

/* The lock keeps a signal from reaching a process that took over the number of a reaped one. */
void worker_kill(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    if (w->pid > 0 && !w->reaped)
        kill(-w->pid, SIGKILL); /* with all that its connector has started: the worker leads a session of its own */
    pthread_mutex_unlock(&w->lock);
}

static bool reap(struct worker *w, int flags)
{
    if (w->pid <= 0)
        return true;
    pthread_mutex_lock(&w->lock);
    if (!w->reaped) {
        int status = 0;
        pid_t pid;
        siginfo_t ended = {0};
        if (waitid(P_PID, (id_t)w->pid, &ended, WEXITED | WNOWAIT | flags) == 0 && ended.si_pid == w->pid)
            kill(-w->pid, SIGKILL); /* nothing outlives it; until it is reaped its number is nobody else's */
        do
            pid = waitpid(w->pid, &status, flags);
        while (pid < 0 && errno == EINTR);
        if (pid != 0) {
            w->reaped = true;
            w->wait_status = pid < 0 ? 0 : status;
        }
    }
    bool reaped = w->reaped;
    pthread_mutex_unlock(&w->lock);
    return reaped;
}

static void describe_end(const struct worker *w, char *how, size_t cap)
{
    if (WIFSIGNALED(w->wait_status))
        snprintf(how, cap, "signal %d (%s)", WTERMSIG(w->wait_status), strsignal(WTERMSIG(w->wait_status)));
    else
        snprintf(how, cap, "exit status %d", WEXITSTATUS(w->wait_status));
}

bool worker_ended(struct worker *w, char *how, size_t cap)
{
    if (!reap(w, WNOHANG))
        return false;
    describe_end(w, how, cap);
    return true;
}

void worker_wait(struct worker *w, char *how, size_t cap)
{
    reap(w, 0);
    describe_end(w, how, cap);
}

bool worker_stop(struct worker *w)
{
    struct err e = {0};
    bool polite = channel_write(&w->control, FRAME_BYE, 0, (str){0}, &e) == TL_OK;
    if (polite) {
        struct frame f;
        polite = channel_read(&w->control, &f, WORKER_BYE_MS, &e) == E_END;
    }
    if (!polite)
        worker_kill(w);
    /* After its end of file the worker has nothing left to do but exit; should it not, it is killed. */
    for (int waited_ms = 0; polite && !reap(w, WNOHANG) && waited_ms < WORKER_BYE_MS; waited_ms++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (!w->reaped) {
        worker_kill(w);
        reap(w, 0);
        polite = false;
    }
    return polite;
}

struct worker *worker_free(struct worker *w)
{
    if (!w)
        return NULL;
    if (w->pid > 0 && !w->reaped) {
        worker_kill(w);
        reap(w, 0);
    }
    worker_output_stop(w->output);
    channel_done(&w->control);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return NULL;
}

struct worker *worker_ref(struct worker *w)
{
    w->refs++;
    return w;
}

struct worker *worker_unref(struct worker *w)
{
    if (w && --w->refs == 0)
        worker_free(w);
    return NULL;
}
