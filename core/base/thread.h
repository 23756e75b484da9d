#ifndef THREAD_H
#define THREAD_H
/* Threads beside the control thread. Signals are that one's: all are blocked in every other. */
#include <pthread.h>
#include <stddef.h>

/* With a stack of that size. 0, or the errno that says why there is none. */
int thread_run(pthread_t *out, size_t stack_bytes, void *(*run)(void *arg), void *arg);
#endif
