/* Frames over a real socketpair, and a worker that does not keep to them. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec.h"
#include "frame.h"
#include "remote.h"
#include "remote_int.h"
#include "rig.h"
#include "wire.h"

struct ends {
    struct channel a, b;
};

static void ends_open(struct ends *s, bool takes_fds)
{
    int x, y;
    assert_int_equal(channel_pair(&x, &y, NULL), TL_OK);
    channel_init(&s->a, x, false);
    channel_init(&s->b, y, takes_fds);
}

static void ends_close(struct ends *s)
{
    channel_done(&s->a);
    channel_done(&s->b);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct ends s;
    ends_open(&s, false);
    struct err e = {0};
    assert_int_equal(channel_write(&s.a, 7, UINT64_MAX, STR("body"), &e), TL_OK);
    assert_int_equal(channel_write(&s.a, 8, 0, (str){0}, &e), TL_OK);
    struct frame f;
    assert_int_equal(channel_read(&s.b, &f, -1, &e), TL_OK);
    assert_int_equal(f.type, 7);
    assert_true(f.call == UINT64_MAX);
    assert_str(f.body, "body");
    assert_int_equal(f.fd, -1);
    assert_int_equal(channel_read(&s.b, &f, -1, &e), TL_OK);
    assert_int_equal(f.type, 8);
    assert_int_equal(f.body.n, 0);
    assert_int_equal(channel_read(&s.b, &f, 1, &e), TL_E_TEMPORARY);
    shutdown(s.a.fd, SHUT_RDWR);
    assert_int_equal(channel_read(&s.b, &f, -1, &e), E_END);
    assert_int_equal(channel_write(&s.b, 1, 0, STR("x"), &e), TL_E_TEMPORARY);
    ends_close(&s);
}

/* Who does not read does not hold up a writer that has other things to do. */
static void test_impatient(void **state)
{
    (void)state;
    struct ends s;
    struct err e = {0};
    ends_open(&s, false);
    s.a.impatient = true;
    int rc = TL_OK;
    for (int i = 0; rc == TL_OK && i < 1000000; i++)
        rc = channel_write(&s.a, 7, 0, STR("cancel"), &e);
    assert_int_equal(rc, TL_E_TEMPORARY);
    assert_string_equal(e.text, "the other side of a worker's socket does not read");
    ends_close(&s);
}

static void *write_big(void *arg)
{
    struct channel *c = arg;
    char *big = calloc(1, FRAME_MAX);
    memset(big, 'z', FRAME_MAX);
    struct err e = {0};
    int rc = channel_write(c, 1, 1, str_n(big, FRAME_MAX), &e);
    if (!rc)
        rc = channel_write(c, 2, 2, STR("after"), &e);
    free(big);
    return rc ? NULL : arg;
}

static void test_largest(void **state)
{
    (void)state;
    struct ends s;
    ends_open(&s, false);
    pthread_t t;
    pthread_create(&t, NULL, write_big, &s.a);
    struct frame f;
    assert_int_equal(channel_read(&s.b, &f, -1, NULL), TL_OK);
    assert_int_equal(f.body.n, FRAME_MAX);
    assert_int_equal(f.body.p[FRAME_MAX - 1], 'z');
    assert_int_equal(channel_read(&s.b, &f, -1, NULL), TL_OK);
    assert_str(f.body, "after");
    void *ok;
    pthread_join(t, &ok);
    assert_non_null(ok);
    struct err e = {0};
    assert_int_equal(channel_write(&s.a, 1, 0, str_n("", (size_t)FRAME_MAX + 1), &e), TL_E_INVALID);
    ends_close(&s);
}

static void malformed(const char *bytes, size_t n, const char *text)
{
    struct ends s;
    ends_open(&s, false);
    assert_int_equal(write(s.a.fd, bytes, n), n);
    shutdown(s.a.fd, SHUT_WR);
    struct err e = {0};
    struct frame f;
    assert_int_equal(channel_read(&s.b, &f, -1, &e), TL_E_INVALID);
    assert_string_equal(e.text, text);
    ends_close(&s);
}

static void test_malformed(void **state)
{
    (void)state;
    malformed("\1\0\0\0", 4, "a frame is cut in its head");
    malformed("\5\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0abc", 19, "a frame is cut in its body");
    malformed("\1\0\0\1\1\0\0\0\0\0\0\0\0\0\0\0", 16, "a frame of 16777217 bytes, at most 16777216");
    malformed("\0\0\0\0\1\0\1\0\0\0\0\0\0\0\0\0", 16, "a frame with the unknown flags 1");
}

/* One frame with several descriptors, as no sender of ours does it. */
static void send_fds(int to, int fd, int n)
{
    char control[CMSG_SPACE(8 * sizeof(int))] = {0}, head[16] = {0};
    struct iovec iov = {head, sizeof head};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = CMSG_SPACE((size_t)n * sizeof(int))};
    struct cmsghdr *m = CMSG_FIRSTHDR(&msg);
    *m = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN((size_t)n * sizeof(int))};
    for (int i = 0; i < n; i++)
        memcpy(CMSG_DATA(m) + (size_t)i * sizeof fd, &fd, sizeof fd);
    assert_int_equal(sendmsg(to, &msg, 0), sizeof head);
}

static void test_descriptors(void **state)
{
    (void)state;
    struct ends s;
    ends_open(&s, true);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct err e = {0};
    assert_int_equal(channel_write_fd(&s.a, 2, 0, STR("take"), fd, &e), TL_OK);
    struct frame f;
    assert_int_equal(channel_read(&s.b, &f, -1, &e), TL_OK);
    assert_true(f.fd >= 0 && f.fd != fd);
    assert_true(fcntl(f.fd, F_GETFD) & FD_CLOEXEC);
    close(f.fd);
    int before = rig_open_fds();
    /* Where none may come, one is a fault and is not kept. */
    assert_int_equal(channel_write_fd(&s.b, 2, 0, STR("take"), fd, &e), TL_OK);
    assert_int_equal(channel_read(&s.a, &f, -1, &e), TL_E_INVALID);
    assert_int_equal(rig_open_fds(), before);
    /* Nor are many, where one may come. */
    ends_close(&s);
    ends_open(&s, true);
    before = rig_open_fds();
    send_fds(s.a.fd, fd, 5);
    assert_int_equal(channel_read(&s.b, &f, -1, &e), TL_E_INVALID);
    assert_int_equal(rig_open_fds(), before);
    close(fd);
    ends_close(&s);
}

/* Frames that lie in one socket together come with one read: the descriptor is the one's it was sent with. A channel
 * of an instance that followed a cancel was lost once, and its endpoint stood still. */
static void test_descriptor_of_its_frame(void **state)
{
    (void)state;
    struct ends s;
    ends_open(&s, true);
    struct err e = {0};
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int with = 0; with < 4; with++)
        for (int i = 0; i < 4; i++)
            assert_int_equal(channel_write_fd(&s.a, (uint16_t)(1 + i), 0, STR("body"), i == with ? fd : -1, &e), TL_OK);
    for (int with = 0; with < 4; with++) {
        for (int i = 0; i < 4; i++) {
            struct frame f;
            assert_int_equal(channel_read(&s.b, &f, -1, &e), TL_OK);
            assert_int_equal(f.type, 1 + i);
            assert_str(f.body, "body");
            assert_int_equal(f.fd >= 0, i == with);
            if (f.fd >= 0)
                close(f.fd);
        }
    }
    close(fd);
    ends_close(&s);
}

/* ---- a worker that lies: what the daemon's end makes of it ---- */

static tl_status no_http(void *ctx, tl_http *r, uint32_t n, tl_error *e)
{
    (void)ctx;
    (void)r;
    (void)n;
    (void)e;
    return TL_E_CONFIG;
}

static void no_log(void *ctx, int32_t level, tl_str line)
{
    (void)level;
    (void)line;
    *(int *)ctx += 1;
}

static int32_t not_cancelled(void *ctx)
{
    (void)ctx;
    return 0;
}

struct liar {
    int control;
    struct buf say; /* frames to send after the call */
};

static void frame_add(struct buf *b, uint16_t type, str body)
{
    uint8_t head[FRAME_HEAD] = {(uint8_t)body.n, (uint8_t)(body.n >> 8), 0, 0, (uint8_t)type};
    buf_add(b, head, sizeof head);
    buf_str(b, body);
}

static void *liar_main(void *arg)
{
    struct liar *l = arg;
    struct channel control, instance;
    channel_init(&control, l->control, true);
    struct frame f;
    struct err e = {0};
    if (channel_read(&control, &f, -1, &e) == TL_OK) {
        channel_init(&instance, f.fd, false);
        channel_read(&instance, &f, -1, &e);
        AUTO(buf_done) struct buf ok = {0};
        wire_put_status(&ok, TL_OK, NULL);
        channel_write(&instance, FRAME_OPENED, 0, buf_lent(&ok), &e);
        channel_read(&instance, &f, -1, &e);
        ssize_t n = write(instance.fd, l->say.p, l->say.n);
        (void)n;
        channel_read(&instance, &f, -1, &e); /* until the daemon hangs up */
        channel_done(&instance);
    }
    channel_done(&control);
    return NULL;
}

/* Runs a push against a worker that answers with these frames; its status. */
static tl_status lie(struct liar *l, struct reply *reply, int *logs)
{
    int ours;
    assert_int_equal(channel_pair(&ours, &l->control, NULL), TL_OK);
    struct worker w = {.refs = 1, .pid = 0};
    pthread_mutex_init(&w.lock, NULL);
    channel_init(&w.control, ours, false);
    pthread_t t;
    pthread_create(&t, NULL, liar_main, l);
    struct services s = {.ctx = logs, .http = no_http, .log = no_log, .cancelled = not_cancelled};
    tl_open open = {.struct_size = sizeof open, .endpoint = STR("x")};
    tl_error error;
    bool gone;
    struct remote *r = NULL;
    assert_int_equal(remote_open(&r, &w, &s, &open, &error, &gone), TL_OK);
    struct call *c = rig_push("1", NULL);
    AUTO(buf_done) struct buf request = {0};
    assert_int_equal(request_encode(&request, c, NULL), TL_OK);
    remote_run(r, c, buf_lent(&request), 0, reply);
    if (reply->crashed)
        assert_true(remote_is_broken(r));
    shutdown(ours, SHUT_RDWR);
    remote_close(r);
    pthread_join(t, NULL);
    channel_done(&w.control);
    pthread_mutex_destroy(&w.lock);
    call_free(c);
    return reply->status;
}

static void lies(uint16_t type, str body)
{
    struct liar l = {0};
    struct reply reply = {.status = TL_OK};
    int logs = 0;
    frame_add(&l.say, type, body);
    assert_int_equal(lie(&l, &reply, &logs), TL_E_UNKNOWN);
    assert_true(reply.crashed);
    assert_int_equal(logs, 1); /* said once */
    buf_done(&reply.items);
    buf_done(&l.say);
}

static void test_lying_worker(void **state)
{
    (void)state;
    struct buf reply_items = {0};
    struct reply foreign = {.status = TL_OK};
    tl_record r = {.id = STR("x")};
    reply_add_record(&foreign, &r, NULL);
    lies(FRAME_ITEMS, buf_lent(&foreign.items)); /* a record in a push */
    buf_done(&foreign.items);
    lies(FRAME_ITEMS, STR("\3\377\377\377\377"));
    lies(FRAME_ITEMS, STR("\3"));
    lies(FRAME_DONE, STR("garbage"));
    lies(FRAME_OPENED, STR(""));
    lies(FRAME_HTTP, STR("\377\377\377"));
    lies(FRAME_KV_GET, STR(""));
    lies(FRAME_BLOB_READ, STR("\1\1\377\377\377\377\17"));
    lies(FRAME_LOG, STR("\2\2\377\377\0"));
    lies(FRAME_READY, STR(""));
    lies(9999 & 0xff, STR(""));
    buf_done(&reply_items);
}

/* Between lies: an honest end with a status nobody knows counts as a defect. */
static void test_unknown_status(void **state)
{
    (void)state;
    struct liar l = {0};
    struct reply reply = {.status = TL_OK};
    AUTO(buf_done) struct buf b = {0};
    wire_put_status(&b, 99, NULL);
    frame_add(&l.say, FRAME_DONE, buf_lent(&b));
    int logs = 0;
    assert_int_equal(lie(&l, &reply, &logs), TL_E_BUG);
    assert_false(reply.crashed);
    buf_done(&l.say);
    buf_done(&reply.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_impatient),
        cmocka_unit_test(test_largest),      cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_descriptors),  cmocka_unit_test(test_descriptor_of_its_frame),
        cmocka_unit_test(test_lying_worker), cmocka_unit_test(test_unknown_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
