#ifndef HEAD_LIMIT_H
#define HEAD_LIMIT_H
/* An absolute limit on how long the head of a request may take: the HTTP library knows only how long nothing came, and
 * a head that drips byte by byte would hold its connection for ever. One thread looks once a second. [any] */
#include <stdint.h>

#include "cleanup.h"

struct head_limit;
struct head_entry;

struct head_limit *head_limit_start(int64_t first_us, int64_t next_us); /* of a new connection; of one that is kept */
struct head_limit *head_limit_stop(struct head_limit *l);            /* every entry is removed by then; returns NULL */
struct head_entry *head_limit_add(struct head_limit *l, int fd);     /* fd is shut down when it is late */
void head_limit_arrived(struct head_limit *l, struct head_entry *e); /* the head is whole */
void head_limit_next(struct head_limit *l, struct head_entry *e);    /* answered: the next head may begin */
void head_limit_remove(struct head_limit *l, struct head_entry *e);  /* before fd is closed */
#endif
