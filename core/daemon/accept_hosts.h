#ifndef ACCEPT_HOSTS_H
#define ACCEPT_HOSTS_H
/* Hosts that a person accepted for a connector: kept in the store, or named in the INI file. All [control]. */
#include "err.h"

struct app;

int hosts_apply(struct app *app, const char *connector, struct err *e);  /* hands them to the runtime */
int hosts_accept(struct app *app, const char *connector, struct err *e); /* what it declares now: kept */
void hosts_tell_pending(struct app *app, const char *connector);         /* in the log, if any */
#endif
