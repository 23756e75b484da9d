#ifndef CALLBACK_REQUEST_H
#define CALLBACK_REQUEST_H
/* What a visitor of the sign-in's listener (callback.h) sent, judged. Pure; every byte is hostile: whoever reaches this
 * machine's loopback may have sent it, a web page of anybody's among them. */
#include <stdbool.h>

#include "buf.h"
#include "redirect.h"

enum { CALLBACK_HEAD_MAX = REDIRECT_MAX + 16384 };

enum callback_verdict {
    CALLBACK_MORE,    /* the head has not ended */
    CALLBACK_REFUSED, /* page says why */
    CALLBACK_OURS     /* address is that of the answer; page says so */
};
/* Who is waited for: a GET of this address, under its host, with this state. Lent. */
struct callback_wish {
    const char *uri;
    const struct redirect_uri *at; /* of uri */
    const char *state;
};
/* head: what came so far; full: it was cut at CALLBACK_HEAD_MAX. page gets a whole HTTP answer in which nothing of the
 * request stands; address is touched for CALLBACK_OURS alone. */
enum callback_verdict callback_judge(const struct callback_wish *wish, str head, bool full, struct buf *page,
                                     struct buf *address);
#endif
