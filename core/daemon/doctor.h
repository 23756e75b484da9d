#ifndef DOCTOR_H
#define DOCTOR_H
/* tielined --doctor: what this machine gives the daemon and what stands in its way, without a daemon that runs. One
 * JSON object a line on standard output: {"check","level":"ok"|"warning"|"error","text","hint"}; `tieline doctor` puts
 * it together with what the running daemon knows. */
#include "config.h"

/* Exit code: 0; 1 when a finding is an error. */
int doctor_run(struct config *c);
#endif
