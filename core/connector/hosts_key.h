#ifndef HOSTS_KEY_H
#define HOSTS_KEY_H
/* [connectors] hosts.NAME as it is written, before it counts. */
#include "config.h"
#include "manifest.h"

/* The connector it is of; NULL: another key. */
const char *hosts_key_connector(const struct config_value *v);
/* Finds what is no host, and what the connector does not declare: that would never be reached. m NULL: not known. */
void hosts_key_check(struct config *c, const struct config_value *v, const struct manifest *m);
#endif
