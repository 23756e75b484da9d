#ifndef CONFIG_TEST_H
#define CONFIG_TEST_H
/* tielined -t and -T: checks the configuration, and the options of endpoints against their connectors, which are asked
 * in a child process. */
#include "config.h"

/* Prints every finding; dump: also the values that count. Exit code 0 or 7. */
int config_test(struct config *c, bool dump);
#endif
