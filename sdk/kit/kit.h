/* SPDX-License-Identifier: MIT-0 */
#ifndef TLK_KIT_H
#define TLK_KIT_H
/* All of the kit: static helpers for connectors over tieline.h. Needs libc only. */
#include "kit/error.h"
#include "kit/http.h"
#include "kit/json.h"
#include "kit/mem.h"
#include "kit/page.h"
#include "kit/record.h"
#include "kit/time.h"
#endif
