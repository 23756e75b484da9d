#include "pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "cleanup.h"
#include "thread.h"

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

void pool_submit(struct pool *p, struct job *j)
{
    j->next = NULL;
    pthread_mutex_lock(&p->lock);
    *p->tail = j;
    p->tail = &j->next;
    p->queued++;
    if (p->queued > p->idle && p->n < p->max) {
        bool started = thread_run(&p->threads[p->n], STACK_BYTES, pool_main, p) == 0;
        p->n += started;
        ASSERT(p->n > 0); /* without a first thread nothing would ever run */
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
