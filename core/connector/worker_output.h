#ifndef WORKER_OUTPUT_H
#define WORKER_OUTPUT_H
/* What a worker prints on its standard output and error, line by line in the daemon's log as its connector's. A worker
 * may write no files, and a daemon's stderr may be one; so both are the end of a socket that a thread here reads. Lines
 * beyond OUTPUT_LINES in OUTPUT_SPAN_MS are counted and left out. */
#include "err.h"

enum { OUTPUT_LINES = 200, OUTPUT_SPAN_MS = 10000, OUTPUT_LINE_MAX = 1000 };

struct worker_output;
/* *fd_out: the worker's end, for the caller to close once the worker has it. [any] */
int worker_output_start(struct worker_output **out, const char *connector, int *fd_out, struct err *e);
/* Reads what is still there and ends the thread; NULL is fine. */
struct worker_output *worker_output_stop(struct worker_output *o);
#endif
