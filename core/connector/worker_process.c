/* Starting, ending and reaping of worker processes. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "codec.h"
#include "remote_int.h"
#include "wire.h"

/* What the worker says of itself once it is in its cell, with the listener of the cell. */
static int read_confined(struct worker *w, const struct frame *f, const char *id, struct err *e)
{
    AUTO(arena_done) struct arena arena = {0};
    struct decoder d = decoder_of(f->body, &arena, true);
    uint64_t landlock = dec_u64(&d), listens = dec_u64(&d);
    if (!decoder_ended(&d) || landlock > UINT32_MAX || listens != (f->fd >= 0)) {
        if (f->fd >= 0)
            close(f->fd);
        return err_set(e, TL_E_BUG, "the worker of connector \"%s\" sent a malformed message", id);
    }
    w->confinement = (struct confinement){.landlock = (uint32_t)landlock, .listens = listens != 0};
    if (f->fd >= 0)
        keeper_watch(w->keeper, f->fd);
    return TL_OK;
}

static int ended_early(struct worker *w, const char *id, struct err *e)
{
    char how[128];
    AUTO(buf_done) struct buf crime = {.max = 256}, printed = {.max = 1000};
    worker_kill(w); /* it has closed the channel: of no more use, should it live still */
    worker_wait(w, how, sizeof how);
    worker_last_words(w, &crime, &printed);
    err_set(e, TL_E_BUG, "the worker of connector \"%s\" ended while loading it: %s", id,
            crime.n ? buf_text(&crime) : how);
    if (crime.n)
        err_hint(e, "its cell refuses that: a connector computes, and asks the host for all else");
    err_detail(e, "%s", buf_text(&printed));
    return TL_E_BUG;
}

static int read_hello_answer(struct worker *w, struct manifest **manifest_out, const char *id, struct err *e)
{
    struct frame f;
    int rc = channel_read(&w->control, &f, WORKER_START_MS, e);
    if (!rc && f.type == FRAME_CONFINED) {
        rc = read_confined(w, &f, id, e);
        if (rc)
            return rc;
        w->control.takes_fds = false;
        rc = channel_read(&w->control, &f, WORKER_START_MS, e);
    }
    if (rc == E_END)
        return ended_early(w, id, e);
    if (rc)
        return err_wrap(e, "while starting the worker of connector \"%s\"", id);
    if (f.fd >= 0)
        close(f.fd);
    if (f.type == FRAME_READY) {
        keeper_loaded(w->keeper);
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

/* Descriptors can be sent to where nobody takes them out, so the end of its sockets must not be waited for: what comes
 * after is nothing. The lock is held. */
static void cut(struct worker *w)
{
    w->cut = true;
    shutdown(w->control.fd, SHUT_RDWR);
    for (struct remote *r = w->remotes; r; r = remote_next(r))
        remote_cut(r);
}

/* The lock keeps a signal from reaching a process that took over the number of a reaped one. */
void worker_kill(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    if (w->pid > 0 && !w->reaped)
        kill(-w->pid, SIGKILL); /* with all that its connector has started: the worker leads a session of its own */
    cut(w);
    pthread_mutex_unlock(&w->lock);
}

/* Its end is seen, and stays to be reaped. The lock is held. */
static bool has_ended(const struct worker *w, int flags)
{
    siginfo_t ended = {0};
    return waitid(P_PID, (id_t)w->pid, &ended, WEXITED | WNOWAIT | flags) == 0 && ended.si_pid == w->pid;
}

bool worker_gone(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    bool gone = w->cut || has_ended(w, WNOHANG);
    pthread_mutex_unlock(&w->lock);
    return gone;
}

static void kill_it(void *ctx)
{
    worker_kill(ctx);
}

static void process_ended(void *ctx)
{
    struct worker *w = ctx;
    pthread_mutex_lock(&w->lock);
    cut(w);
    pthread_mutex_unlock(&w->lock);
}

static int say_hello(struct worker *w, const struct worker_wish *wish, struct err *e)
{
    AUTO(buf_done) struct buf hello = {.max = FRAME_MAX};
    enc_text(&hello, wish->cell.module);
    enc_text(&hello, wish->id);
    enc_u64(&hello, wish->cell.memory);
    enc_u64(&hello, wish->cell.n_dirs);
    for (uint32_t i = 0; i < wish->cell.n_dirs; i++)
        enc_text(&hello, wish->cell.dirs[i]);
    return channel_write(&w->control, FRAME_HELLO, 0, buf_lent(&hello), e);
}

int worker_start(struct worker **out, struct manifest **manifest_out, const struct worker_wish *wish, struct err *e)
{
    int ours, theirs;
    int rc = channel_pair(&ours, &theirs, e);
    if (rc)
        return rc;
    AUTO(worker_free) struct worker *w = calloc(1, sizeof *w);
    ASSERT(w);
    channel_init(&w->control, ours, true);
    pthread_mutex_init(&w->lock, NULL);
    w->refs = 1;
    const struct keeper_config keeper = {.program = wish->program,
                                         .directory = wish->directory,
                                         .connector = wish->id,
                                         .control_fd = theirs,
                                         .kill = kill_it,
                                         .ended = process_ended,
                                         .ctx = w};
    rc = keeper_start(&w->keeper, &keeper, &w->pid, e);
    close(theirs);
    if (!rc)
        rc = say_hello(w, wish, e);
    if (!rc)
        rc = read_hello_answer(w, manifest_out, wish->id, e);
    if (rc)
        return rc;
    w->control.impatient = true; /* the control thread writes to it */
    *out = take(w);
    return TL_OK;
}

pid_t worker_pid(const struct worker *w)
{
    return w->pid;
}

const struct confinement *worker_confinement(const struct worker *w)
{
    return &w->confinement;
}

static bool reap(struct worker *w, int flags)
{
    if (w->pid <= 0)
        return true;
    pthread_mutex_lock(&w->lock);
    if (!w->reaped) {
        int status = 0;
        pid_t pid;
        if (has_ended(w, flags))
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

void worker_last_words(struct worker *w, struct buf *crime, struct buf *printed)
{
    keeper_stop(w->keeper);
    keeper_last_words(w->keeper, crime, printed);
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
    keeper_free(w->keeper);
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
