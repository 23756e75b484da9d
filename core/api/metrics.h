#ifndef METRICS_H
#define METRICS_H
/* /metrics in the Prometheus text format 0.0.4. Without secrets and without names of records. */
#include "server.h"

int metrics(struct request *rq, json_t **answer, struct err *e);
#endif
