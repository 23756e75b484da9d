/* The absolute limit on the head of a request. */
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "head_limit.h"
#include "times.h"
#include "unit/unit.h"

enum { LIMIT_US = 20000, FOREVER_MS = 20000 };

static bool is_cut(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char byte;
    return poll(&p, 1, FOREVER_MS) == 1 && read(fd, &byte, 1) == 0;
}

/* Bytes that keep coming do not help: proves Q17 */
static void a_head_that_drips_is_cut_and_one_that_arrived_is_not(void **state)
{
    (void)state;
    int late[2], whole[2], kept[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, late), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, whole), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, kept), 0);
    struct head_limit *l = head_limit_start(LIMIT_US, LIMIT_US);
    struct head_entry *w = head_limit_add(l, whole[0]);
    head_limit_arrived(l, w);
    struct head_entry *k = head_limit_add(l, kept[0]);
    head_limit_arrived(l, k);
    struct head_entry *e = head_limit_add(l, late[0]);
    assert_int_equal(write(late[1], "G", 1), 1);
    assert_true(is_cut(late[1]));
    head_limit_remove(l, e);
    head_limit_next(l, k); /* the next head of a kept connection has its limit too */
    assert_true(is_cut(kept[1]));
    struct pollfd p = {.fd = whole[1], .events = POLLIN};
    assert_int_equal(poll(&p, 1, 0), 0);
    assert_null(head_limit_stop(l));
    for (int i = 0; i < 2; i++) {
        close(late[i]);
        close(whole[i]);
        close(kept[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_head_that_drips_is_cut_and_one_that_arrived_is_not)};
    return cmocka_run_group_tests_name("api_head_limit", tests, NULL, NULL);
}
