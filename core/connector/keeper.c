#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"
#include "log.h"
#include "thread.h"
#include "worker_output.h"

enum {
    STACK_BYTES = 256 << 10,
    CALLS_KNOWN = 1024,   /* numbers told one by one; larger ones share the last place */
    REFUSALS_MAX = 10000, /* more is an attack on the host's time */
};

struct keeper {
    pthread_t thread;
    pthread_mutex_t lock; /* guards started, pid, rc, listener, stopping */
    pthread_cond_t cond;
    bool started, stopping, joined;
    pid_t pid;
    int rc; /* errno of the start */
    int listener;
    bool loaded;                       /* atomic */
    const struct keeper_config *start; /* until started */
    char *connector;
    void (*kill)(void *ctx);
    void (*ended)(void *ctx);
    void *ctx;
    int output_fd, worker_output_fd, wake_fd;
    /* the thread's alone until it is joined */
    int process_fd;
    struct worker_output output;
    bool told[CALLS_KNOWN];
    uint32_t refusals;
    char crime[96];
    struct seccomp_notif *question;
    struct seccomp_notif_resp *reply;
    struct seccomp_notif_sizes sizes;
};

/* ---- starting ---- */

/* Nothing is inherited but the control channel as descriptor 3, and where to print. */
static int spawn(pid_t *pid_out, const struct keeper_config *c, int output_fd)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output_fd, 1);
    posix_spawn_file_actions_adddup2(&files, output_fd, 2);
    posix_spawn_file_actions_adddup2(&files, c->control_fd, 3);
    posix_spawn_file_actions_addclosefrom_np(&files, 4);
    posix_spawn_file_actions_addchdir_np(&files, c->directory);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    char name[] = "tieline-worker";
    char *argv[] = {name, NULL};
    char *environment[] = {NULL};
    int rc = posix_spawn(pid_out, c->program, &files, &attr, argv, environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    return rc;
}

/* ---- refusing ---- */

static void tell(const struct keeper *k, enum log_level level, const char *call, const char *words)
{
    AUTO(buf_done) struct buf ctx = {.max = 1024};
    log_member(&ctx, "connector", k->connector);
    log_line(level, buf_text(&ctx), "it called \"%s\", which its cell refuses: %s", call, words);
}

static void judge(struct keeper *k, const struct seccomp_data *data, struct seccomp_notif_resp *reply)
{
    int error = EACCES;
    bool loading = !__atomic_load_n(&k->loaded, __ATOMIC_ACQUIRE);
    enum cell_answer r = confine_judge(data->nr, (const uint64_t *)data->args, loading, &error);
    if (r == CELL_CONTINUE) {
        reply->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        return;
    }
    reply->error = -error;
    char call[64];
    confine_call_name(data->nr, call, sizeof call);
    if (r == CELL_ERRNO && ++k->refusals < REFUSALS_MAX) {
        size_t place = data->nr >= 0 && data->nr < CALLS_KNOWN ? (size_t)data->nr : CALLS_KNOWN - 1;
        if (!k->told[place])
            tell(k, LOG_WARN, call, strerrordesc_np(error));
        k->told[place] = true;
        return;
    }
    if (!k->crime[0]) {
        snprintf(k->crime, sizeof k->crime, r == CELL_KILL ? "it called \"%s\"" : "it called \"%s\" again and again",
                 call);
        tell(k, LOG_ERROR, call, "it is killed");
    }
    k->kill(k->ctx);
}

/* One question of the listener. */
static void answer(struct keeper *k, int listener)
{
    memset(k->question, 0, k->sizes.seccomp_notif);
    memset(k->reply, 0, k->sizes.seccomp_notif_resp);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, k->question) < 0)
        return; /* who asked is gone */
    k->reply->id = k->question->id;
    judge(k, &k->question->data, k->reply);
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, k->reply); /* the same */
}

/* ---- the thread ---- */

/* How much was read; 0: nothing more comes; -1: nothing is there now. */
static ssize_t read_piece(struct keeper *k)
{
    char bytes[4096];
    ssize_t n;
    do
        n = recv(k->output_fd, bytes, sizeof bytes, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        worker_output_take(&k->output, bytes, (size_t)n);
    return n < 0 && errno != EAGAIN ? 0 : n;
}

/* Descriptors of its sockets may lie with somebody else, so that their end says nothing about its own. */
static void process_ended(struct keeper *k)
{
    close(k->process_fd);
    k->process_fd = -1;
    k->ended(k->ctx);
}

static void wait_for_more(struct keeper *k)
{
    bool printing = true;
    for (;;) {
        pthread_mutex_lock(&k->lock);
        bool stopping = k->stopping;
        int listener = k->listener;
        pthread_mutex_unlock(&k->lock);
        if (stopping)
            return;
        struct pollfd p[4] = {{.fd = k->wake_fd, .events = POLLIN},
                              {.fd = printing ? k->output_fd : -1, .events = POLLIN},
                              {.fd = listener, .events = POLLIN},
                              {.fd = k->process_fd, .events = POLLIN}};
        if (poll(p, 4, -1) < 0)
            continue;
        uint64_t times;
        if (p[0].revents && read(k->wake_fd, &times, sizeof times) < 0)
            return;
        if (p[1].revents)
            printing = read_piece(k) != 0;
        if (p[2].revents & POLLIN) {
            answer(k, listener);
        } else if (p[2].revents) { /* nobody is left in the cell */
            pthread_mutex_lock(&k->lock);
            close(k->listener);
            k->listener = -1;
            pthread_mutex_unlock(&k->lock);
        }
        if (p[3].revents)
            process_ended(k);
    }
}

static void *keeper_main(void *arg)
{
    struct keeper *k = arg;
    pid_t pid = 0;
    int rc = spawn(&pid, k->start, k->worker_output_fd);
    if (!rc)
        k->process_fd = pidfd_open(pid, 0); /* without one (an old kernel) its silence is noticed, later */
    pthread_mutex_lock(&k->lock);
    k->started = true;
    k->rc = rc;
    k->pid = pid;
    pthread_cond_signal(&k->cond);
    pthread_mutex_unlock(&k->lock);
    if (!rc)
        wait_for_more(k);
    while (!rc && read_piece(k) > 0)
        ;
    worker_output_end(&k->output);
    return NULL;
}

/* ---- life ---- */

static struct keeper *keeper_new(const struct keeper_config *config)
{
    struct keeper *k = calloc(1, sizeof *k);
    ASSERT(k);
    k->connector = text_dup(config->connector);
    k->output.connector = k->connector;
    k->kill = config->kill;
    k->ended = config->ended;
    k->ctx = config->ctx;
    k->start = config;
    k->listener = k->output_fd = k->worker_output_fd = k->wake_fd = k->process_fd = -1;
    k->joined = true;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->cond, NULL);
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &k->sizes) < 0) /* an old kernel: there will be no listener */
        k->sizes = (struct seccomp_notif_sizes){sizeof *k->question, sizeof *k->reply, sizeof(struct seccomp_data)};
    k->question = calloc(1, k->sizes.seccomp_notif + sizeof *k->question);
    k->reply = calloc(1, k->sizes.seccomp_notif_resp + sizeof *k->reply);
    ASSERT(k->question && k->reply);
    return k;
}

int keeper_start(struct keeper **out, const struct keeper_config *config, pid_t *pid_out, struct err *e)
{
    AUTO(keeper_free) struct keeper *k = keeper_new(config);
    int pair[2];
    k->wake_fd = eventfd(0, EFD_CLOEXEC);
    if (k->wake_fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(e, "cannot make the sockets of the worker of connector \"%s\"", config->connector);
    k->output_fd = pair[0];
    k->worker_output_fd = pair[1];
    shutdown(k->worker_output_fd, SHUT_RD);
    int rc = thread_run(&k->thread, STACK_BYTES, keeper_main, k);
    k->joined = rc != 0;
    if (!rc) {
        pthread_mutex_lock(&k->lock);
        while (!k->started)
            pthread_cond_wait(&k->cond, &k->lock);
        rc = k->rc;
        pthread_mutex_unlock(&k->lock);
    }
    close(k->worker_output_fd); /* or the end of its output would not be seen */
    k->worker_output_fd = -1;
    if (rc) {
        errno = rc;
        err_errno(e, "cannot start \"%s\"", config->program);
        err_hint(e, "a worker is the program tieline-worker; \"isolation = inprocess\" does without");
        return e ? e->status : TL_E_CONFIG;
    }
    *pid_out = k->pid;
    *out = take(k);
    return TL_OK;
}

static void wake(struct keeper *k)
{
    uint64_t once = 1;
    while (write(k->wake_fd, &once, sizeof once) < 0 && errno == EINTR)
        ;
}

void keeper_watch(struct keeper *k, int listener_fd)
{
    pthread_mutex_lock(&k->lock);
    if (k->listener >= 0)
        close(listener_fd);
    else
        k->listener = listener_fd;
    pthread_mutex_unlock(&k->lock);
    wake(k);
}

void keeper_loaded(struct keeper *k)
{
    __atomic_store_n(&k->loaded, true, __ATOMIC_RELEASE);
}

void keeper_stop(struct keeper *k)
{
    if (k->joined)
        return;
    pthread_mutex_lock(&k->lock);
    k->stopping = true;
    pthread_mutex_unlock(&k->lock);
    wake(k);
    pthread_join(k->thread, NULL);
    k->joined = true;
}

void keeper_last_words(const struct keeper *k, struct buf *crime, struct buf *printed)
{
    buf_text_add(crime, k->crime);
    worker_output_last(&k->output, printed);
}

static void close_if(int fd)
{
    if (fd >= 0)
        close(fd);
}

struct keeper *keeper_free(struct keeper *k)
{
    if (!k)
        return NULL;
    keeper_stop(k);
    close_if(k->listener);
    close_if(k->output_fd);
    close_if(k->worker_output_fd);
    close_if(k->wake_fd);
    close_if(k->process_fd);
    worker_output_done(&k->output);
    pthread_cond_destroy(&k->cond);
    pthread_mutex_destroy(&k->lock);
    free(k->question);
    free(k->reply);
    text_free(k->connector);
    free(k);
    return NULL;
}
