#ifndef LINK_SECTIONS_H
#define LINK_SECTIONS_H
/* The [link] sections of a configuration, judged by what they say alone: the same for a check, a start and a reload.
 * What the store and the endpoints know besides is admin_link_check. */
#include "config.h"

/* Findings go to the configuration, each with the file and line of its value. Pure. [any] */
void link_sections_check(struct config *c);
#endif
