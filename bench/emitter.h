#ifndef EMITTER_H
#define EMITTER_H
/* What emitter.c gives, for those who ask it. */
#include "tieline.h"

enum { EMITTER_PAGE = 200, EMITTER_FIELDS = 30 };
#endif
