#ifndef CONFIG_SHOW_H
#define CONFIG_SHOW_H
/* Values of the configuration as the API may tell them. [any] */
#include "config.h"
#include "manifest.h"

/* Options of an endpoint written as plain text may be secrets, which only their connector knows. m: its manifest; NULL
 * where it was never loaded, then they are hidden. Lent. */
const char *config_shown(const struct config_value *v, const struct manifest *m);
#endif
