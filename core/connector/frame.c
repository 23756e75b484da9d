#include "frame.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READ_PIECE = 64 << 10, KEEP_MAX = 1 << 20 };

void channel_init(struct channel *c, int fd, bool takes_fds)
{
    *c = (struct channel){.fd = fd, .passed_fd = -1, .takes_fds = takes_fds};
    c->in.max = FRAME_MAX + FRAME_HEAD + READ_PIECE;
}

void channel_done(struct channel *c)
{
    if (c->fd >= 0)
        close(c->fd);
    if (c->passed_fd >= 0)
        close(c->passed_fd);
    buf_done(&c->in);
    c->fd = c->passed_fd = -1;
}

int channel_pair(int *daemon_fd_out, int *worker_fd_out, struct err *e)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return err_errno(e, "cannot make a socket pair for a worker");
    *daemon_fd_out = fds[0];
    *worker_fd_out = fds[1];
    return TL_OK;
}

/* ---- writing ---- */

static void put_le(uint8_t *p, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_le(const uint8_t *p, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static int send_all(const struct channel *ch, struct iovec *iov, size_t n_iov, int fd, struct err *e)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = n_iov};
    if (fd >= 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    while (msg.msg_iovlen) {
        ssize_t sent = sendmsg(ch->fd, &msg, MSG_NOSIGNAL | (ch->impatient ? MSG_DONTWAIT : 0));
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return err_set(e, TL_E_TEMPORARY,
                           errno == EAGAIN ? "the other side of a worker's socket does not read"
                                           : "the other side of a worker's socket is gone");
        msg.msg_control = NULL;
        msg.msg_controllen = 0;
        size_t left = (size_t)sent;
        while (msg.msg_iovlen && left >= msg.msg_iov->iov_len) {
            left -= msg.msg_iov->iov_len;
            msg.msg_iov++;
            msg.msg_iovlen--;
        }
        if (msg.msg_iovlen) {
            msg.msg_iov->iov_base = (char *)msg.msg_iov->iov_base + left;
            msg.msg_iov->iov_len -= left;
        }
    }
    return TL_OK;
}

int channel_write_fd(struct channel *c, uint16_t type, uint64_t call, str body, int fd, struct err *e)
{
    if (body.n > FRAME_MAX)
        return err_set(e, TL_E_INVALID, "a message of %llu bytes to or from a worker, at most %d",
                       (unsigned long long)body.n, FRAME_MAX);
    uint8_t head[FRAME_HEAD];
    put_le(head, body.n, 4);
    put_le(head + 4, type, 2);
    put_le(head + 6, 0, 2);
    put_le(head + 8, call, 8);
    char *bytes = NULL;
    memcpy(&bytes, &body.p, sizeof bytes); /* iovec has no const */
    struct iovec iov[2] = {{head, sizeof head}, {bytes, body.n}};
    return send_all(c, iov, body.n ? 2 : 1, fd, e);
}

int channel_write(struct channel *c, uint16_t type, uint64_t call, str body, struct err *e)
{
    return channel_write_fd(c, type, call, body, -1, e);
}

/* ---- reading ---- */

static int wait_readable(int fd, int timeout_ms, struct err *e)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (;;) {
        int n = poll(&p, 1, timeout_ms);
        if (n > 0)
            return TL_OK;
        if (n == 0)
            return err_set(e, TL_E_TEMPORARY, "a worker did not answer in %d ms", timeout_ms);
        if (errno != EINTR)
            return err_errno(e, "cannot wait for a worker");
    }
}

/* Whatever came is closed or kept: one that stayed open could hold a channel of somebody else open with it. */
static int take_fd(struct channel *c, struct msghdr *msg, struct err *e)
{
    bool unwanted = msg->msg_flags & MSG_CTRUNC;
    for (struct cmsghdr *m = CMSG_FIRSTHDR(msg); m; m = CMSG_NXTHDR(msg, m)) {
        if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(m) + i * sizeof fd, sizeof fd);
            if (c->takes_fds && c->passed_fd < 0 && n == 1) {
                c->passed_fd = fd;
                c->passed = c->in.n;
            } else {
                close(fd);
                unwanted = true;
            }
        }
    }
    return unwanted ? err_set(e, TL_E_INVALID, "a descriptor came where none may come") : TL_OK;
}

/* Reads what is there, at least one byte, until `need` bytes lie in the buffer. */
static int fill(struct channel *c, size_t need, int timeout_ms, struct err *e)
{
    while (c->in.n - c->at < need) {
        if (timeout_ms >= 0) {
            int rc = wait_readable(c->fd, timeout_ms, e);
            if (rc)
                return rc;
        }
        if (c->at && c->at == c->in.n) {
            buf_clear(&c->in);
            c->at = 0;
        }
        size_t missing = need - (c->in.n - c->at);
        size_t room = missing > READ_PIECE ? missing : READ_PIECE;
        char *p = buf_room(&c->in, room);
        ASSERT(p);
        char control[CMSG_SPACE(8 * sizeof(int))];
        struct iovec iov = {p, room};
        struct msghdr msg = {
            .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t n;
        do
            n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        c->in.n -= room - (n > 0 ? (size_t)n : 0);
        if (n < 0 && errno != ECONNRESET)
            return err_errno(e, "cannot read from a worker's socket");
        if (n <= 0)
            return E_END;
        int rc = take_fd(c, &msg, e);
        if (rc)
            return rc;
    }
    return TL_OK;
}

void channel_rest(struct channel *c)
{
    size_t max = c->in.max;
    buf_done(&c->in);
    c->in = (struct buf){.max = max};
    c->at = 0;
}

/* Moves what is unread to the front, so that the buffer grows by frames only, and lets a big one go. */
static void compact(struct channel *c)
{
    if (!c->at)
        return;
    size_t left = c->in.n - c->at;
    if (left == 0 && c->in.cap > KEEP_MAX) {
        channel_rest(c);
    } else {
        if (left)
            memmove(c->in.p, c->in.p + c->at, left);
        c->in.n = left;
    }
    c->passed = c->passed > c->at ? c->passed - c->at : 0;
    c->at = 0;
}

/* One read may give several frames, of which the kernel lets only the last have a descriptor: it ends a read with the
 * bytes that one came with. So it is of the frame that holds the last of these. */
static int take_passed(struct channel *c)
{
    if (c->at < c->passed)
        return -1;
    int fd = c->passed_fd;
    c->passed_fd = -1;
    return fd;
}

int channel_read(struct channel *c, struct frame *out, int timeout_ms, struct err *e)
{
    compact(c);
    int rc = fill(c, FRAME_HEAD, timeout_ms, e);
    if (rc == E_END && c->in.n != c->at)
        return err_set(e, TL_E_INVALID, "a frame is cut in its head");
    if (rc)
        return rc;
    const uint8_t *head = (const uint8_t *)c->in.p + c->at;
    uint64_t n = get_le(head, 4);
    struct frame f = {.type = (uint16_t)get_le(head + 4, 2), .flags = (uint16_t)get_le(head + 6, 2), .fd = -1};
    f.call = get_le(head + 8, 8);
    if (n > FRAME_MAX)
        return err_set(e, TL_E_INVALID, "a frame of %llu bytes, at most %d", (unsigned long long)n, FRAME_MAX);
    if (f.flags != 0)
        return err_set(e, TL_E_INVALID, "a frame with the unknown flags %u", f.flags);
    rc = fill(c, FRAME_HEAD + (size_t)n, timeout_ms, e);
    if (rc == E_END)
        return err_set(e, TL_E_INVALID, "a frame is cut in its body");
    if (rc)
        return rc;
    f.body = str_n(c->in.p + c->at + FRAME_HEAD, (size_t)n);
    c->at += FRAME_HEAD + (size_t)n;
    f.fd = take_passed(c);
    *out = f;
    return TL_OK;
}

bool channel_quiet(const struct channel *c, int timeout_ms)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    return c->at == c->in.n && poll(&p, 1, timeout_ms) == 0;
}
