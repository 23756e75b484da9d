#ifndef FRAME_H
#define FRAME_H
/* Frames between daemon and worker, over stream socketpairs: u32 length of the body, u16 type, u16 flags, u64 call id,
 * all little endian, then the body in the flat form of codec.h. At most 16 MiB. Whoever sends a malformed frame is
 * killed.
 *
 * A worker has one control channel (descriptor 3) and one channel for each of its instances. On an instance's channel
 * the two sides take turns: the daemon sends OPEN, CALL or CLOSE and then only answers; the worker asks, and ends its
 * turn with OPENED, DONE or CLOSED. LOG, METRIC, QUOTA, ITEMS and ALIVE have no answer. While the worker waits for an
 * answer the daemon may ask back with VERDICT or TOKEN_ERROR. */
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "str.h"

enum { FRAME_MAX = 16 << 20, FRAME_HEAD = 16 };

enum frame_type {
    /* control channel, daemon -> worker */
    FRAME_HELLO = 1,    /* path, id, memory, granted directories */
    FRAME_INSTANCE = 2, /* id; carries the descriptor of the instance's channel */
    FRAME_CANCEL = 3,   /* id of the instance; call id in the head */
    FRAME_BYE = 4,      /* close everything, unload, exit */
    /* control channel, worker -> daemon */
    FRAME_READY = 5,    /* manifest */
    FRAME_REFUSED = 6,  /* status, text, hint, detail */
    FRAME_CONFINED = 7, /* before READY: version of Landlock, whether it carries the listener of its cell */
    /* instance channel, daemon -> worker */
    FRAME_OPEN = 16, /* purpose, endpoint, config */
    FRAME_CALL = 17, /* kind, daemon's clock, request; the body ends with the request */
    FRAME_CLOSE = 18,
    FRAME_ANSWER = 19, /* to whatever the worker asked */
    FRAME_ASK_VERDICT = 20,
    FRAME_ASK_TOKEN_ERROR = 21,
    /* instance channel, worker -> daemon */
    FRAME_OPENED = 32, /* status, error */
    FRAME_DONE = 33,   /* status, error */
    FRAME_CLOSED = 34,
    FRAME_ITEMS = 35,
    FRAME_LOG = 36,
    FRAME_METRIC = 37,
    FRAME_QUOTA = 38,
    FRAME_HTTP = 39,
    FRAME_AUTH_EXTRA = 40,
    FRAME_KV_GET = 41,
    FRAME_KV_SET = 42,
    FRAME_BLOB_NEW = 43,
    FRAME_BLOB_WRITE = 44,
    FRAME_BLOB_READ = 45,
    FRAME_VERDICT = 46, /* answers to ASK_ */
    FRAME_TOKEN_ERROR = 47,
    FRAME_ALIVE = 48, /* milliseconds of silence to come */
    FRAME_BLOB_DESCRIBE = 49,
    FRAME_BLOB_ABOUT = 50
};

struct frame {
    uint16_t type, flags;
    uint64_t call;
    str body; /* lent until the next channel_read */
    int fd;   /* descriptor that came along, or -1; the reader's to close */
};

/* One end of a socketpair. Reading and writing may happen on two threads, each by one. */
struct channel {
    int fd;
    struct buf in; /* bytes read and not yet consumed start at `at` */
    size_t at;
    int passed_fd;  /* received with the bytes in `in`, not yet handed out */
    size_t passed;  /* where in `in` the bytes end that it came with */
    bool takes_fds; /* descriptors are accepted; otherwise one is a fault */
    bool impatient; /* a write that would block fails: the other side does not read, and may mean it */
};
void channel_init(struct channel *c, int fd, bool takes_fds); /* takes fd */
void channel_done(struct channel *c);
AUTO_DONE(struct channel, channel_done)
int channel_pair(int *daemon_fd_out, int *worker_fd_out, struct err *e); /* both close-on-exec */

/* TL_E_TEMPORARY when the other side is gone; the frame is then not whole there. TL_E_INVALID: body over the limit. */
int channel_write(struct channel *c, uint16_t type, uint64_t call, str body, struct err *e);
int channel_write_fd(struct channel *c, uint16_t type, uint64_t call, str body, int fd, struct err *e);
/* Blocks. TL_OK; E_END: closed by the other side between frames; TL_E_INVALID: malformed or cut. timeout_ms -1: none,
 * else TL_E_TEMPORARY when nothing came for so long. */
int channel_read(struct channel *c, struct frame *out, int timeout_ms, struct err *e);
/* True when nothing was left over from the last read and nothing comes within timeout_ms; reads nothing. */
bool channel_quiet(const struct channel *c, int timeout_ms);
void channel_rest(struct channel *c); /* a quiet one lets its buffer go */
#endif
