#ifndef BOUNDARY_H
#define BOUNDARY_H
/* What it costs to ask a connector, and what the pieces cost of which that must consist. */
#include "call.h"
#include "emitter.h"

/* A call of the one endpoint: a pull of so many pages, or a get of one record. The caller frees. */
struct call *boundary_pull(uint32_t pages);
struct call *boundary_event(void);

/* CPU in microseconds. The pieces: the connector is called as a function and its records are put into the flat form;
 * one thread hands over to another and back; another process writes the bytes of a page, or of one record, when asked.
 */
struct boundary_floor {
    double record, page_bytes, one_bytes;   /* bytes of what was measured */
    double function_record, function_event; /* a record of a page of 200; a call for one */
    double thread_round;                    /* there and back */
    double process_record, process_round;   /* a record of a page of 200; there and back */
};
/* Before any thread is there: it forks. */
void boundary_floor(struct boundary_floor *out, uint32_t records, uint32_t events);
double boundary_cpu_us(void); /* of this process and of its children that have ended */
#endif
