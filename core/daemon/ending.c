#include "ending.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "app.h"
#include "backups.h"
#include "log.h"
#include "process.h"
#include "reload.h"

enum { DRAIN_US = 30 * 1000 * 1000 };

struct ending {
    struct app *app;
    void (*stop_serving)(void *ctx);
    void *ctx;
    pthread_t watcher;
};

static void signal_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void ending_block_signals(void)
{
    sigset_t set;
    signal_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    static const int meant_for_others[] = {SIGPIPE, SIGUSR1, SIGUSR2}; /* each would end the process */
    for (size_t i = 0; i < ARRAY_LEN(meant_for_others); i++)
        signal(meant_for_others[i], SIG_IGN);
}

static int wait_signal(struct app *app, const sigset_t *set)
{
    int got = 0;
    while (sigwait(set, &got) == 0 && got == SIGHUP)
        reloader_ask(app->reloader);
    return got;
}

/* It touches what the main thread frees, and can be cancelled only where it waits for the second signal. */
static void *watch_signals(void *arg)
{
    struct ending *n = arg;
    struct app *app = n->app;
    sigset_t set;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    signal_set(&set);
    int got = wait_signal(app, &set);
    log_line(LOG_INFO, NULL, "stopping (signal %d): waiting for writes in flight, at most %d s", got,
             DRAIN_US / 1000000);
    daemon_stopping();
    backups_stop(app->backups); /* or a request that waits for one would hold the server up */
    control_stop(app->control);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    wait_signal(app, &set);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    log_line(LOG_WARN, NULL,
             "second signal: leaving at once; the journal resolves what was in flight at the next start");
    _exit(130);
}

/* On a thread of its own: requests that wait are answered by the drain, which goes on meanwhile. */
static void *stop_all(void *arg)
{
    struct ending *n = arg;
    n->stop_serving(n->ctx);
    reloader_stop(n->app->reloader);
    control_end(n->app->control);
    return NULL;
}

/* Code in process that does not come back cannot be unloaded, nor what it uses be freed. */
static void leave_hanging(const struct app *app)
{
    for (size_t i = 0; i < runtime_connector_count(app->runtime); i++) {
        struct connector_info info;
        runtime_connector_at(app->runtime, i, &info);
        if (info.state != RUN_FAILED_UNLOAD)
            continue;
        log_err(LOG_ERROR, NULL, info.error);
        log_line(LOG_WARN, NULL, "leaving all the same; the journal resolves what was in flight at the next start");
        _exit(1);
    }
}

void ending_drain(struct ending *n)
{
    pthread_t stopper;
    if (pthread_create(&stopper, NULL, stop_all, n)) {
        log_line(LOG_ERROR, NULL, "cannot start a thread: leaving at once");
        _exit(1);
    }
    control_drain(n->app->control, DRAIN_US);
    pthread_join(stopper, NULL);
    leave_hanging(n->app);
}

int ending_new(struct ending **out, struct app *app, void (*stop_serving)(void *ctx), void *ctx, struct err *e)
{
    struct ending *n = calloc(1, sizeof *n);
    ASSERT(n);
    *n = (struct ending){.app = app, .stop_serving = stop_serving, .ctx = ctx};
    if (pthread_create(&n->watcher, NULL, watch_signals, n)) {
        free(n);
        return err_set(e, TL_E_TEMPORARY, "cannot start a thread");
    }
    *out = n;
    return TL_OK;
}

struct ending *ending_free(struct ending *n)
{
    if (n) {
        pthread_cancel(n->watcher);
        pthread_join(n->watcher, NULL);
        free(n);
    }
    return NULL;
}
