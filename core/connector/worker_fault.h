#ifndef WORKER_FAULT_H
#define WORKER_FAULT_H
/* A worker that dies of its connector's fault says where: signal and the way there as FILE+OFFSET, which addr2line
 * reads. Printed on its standard error, so the host has it in its log and in what it tells about the crash. */

/* Signal handlers; before the connector is mapped. Alone. The file is told as "ID.so"; both are kept. */
void worker_fault_init(const char *module, const char *id);
/* The connector is mapped: its addresses are known from now on. */
void worker_fault_loaded(void);
/* A stack of its own for the handlers, so that a thread that has used up its stack can still tell. Each thread of ours
 * once, and drop at its end. */
void *worker_fault_stack(void);
void worker_fault_stack_drop(void *stack);
#endif
