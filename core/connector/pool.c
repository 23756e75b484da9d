#include "pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "cleanup.h"

enum { STACK_BYTES = 1 << 20 };

struct pool {
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t work;
    struct job *head, **tail;
    uint32_t queued, max, n, idle;
    bool stopping;
    pthread_t *threads;
};

static void *pool_main(void *arg)
{
    struct pool *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->head && !p->stopping) {
            p->idle++;
            pthread_cond_wait(&p->work, &p->lock);
            p->idle--;
        }
        struct job *j = p->head;
        if (!j)
            break;
        p->head = j->next;
        if (!p->head)
            p->tail = &p->head;
        p->queued--;
        pthread_mutex_unlock(&p->lock);
        j->run(j);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct pool *pool_new(uint32_t max_threads)
{
    struct pool *p = calloc(1, sizeof *p);
    ASSERT(p);
    p->max = max_threads;
    p->threads = calloc(max_threads, sizeof *p->threads);
    ASSERT(p->threads && max_threads);
    p->tail = &p->head;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    return p;
}

/* Signals belong to the control thread. */
static bool start_thread(struct pool *p)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    int rc = pthread_create(&p->threads[p->n], &attr, pool_main, p);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        p->n++;
    return rc == 0;
}

void pool_submit(struct pool *p, struct job *j)
{
    j->next = NULL;
    pthread_mutex_lock(&p->lock);
    *p->tail = j;
    p->tail = &j->next;
    p->queued++;
    if (p->queued > p->idle && p->n < p->max) {
        bool started = start_thread(p);
        ASSERT(started || p->n > 0); /* without a first thread nothing would ever run */
    }
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

uint32_t pool_threads(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    uint32_t n = p->n;
    pthread_mutex_unlock(&p->lock);
    return n;
}

struct pool *pool_free(struct pool *p)
{
    if (!p)
        return NULL;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 0; i < p->n; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p);
    return NULL;
}
