/* The limits on how a request arrives, and who makes room for others. */
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arrivals.h"
#include "times.h"
#include "unit/unit.h"

enum { LIMIT_US = 20000, FOREVER_MS = 20000 };

static bool is_cut(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char byte;
    return poll(&p, 1, FOREVER_MS) == 1 && read(fd, &byte, 1) == 0;
}

static bool is_open(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

struct peer {
    int fd[2]; /* ours, the sender's */
    struct arrival *entry;
};

static void come(struct peer *p, struct arrivals *l)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p->fd), 0);
    p->entry = arrivals_add(l, p->fd[0]);
}

static void leave(struct peer *peers, int n)
{
    for (int i = 0; i < n; i++) {
        close(peers[i].fd[0]);
        close(peers[i].fd[1]);
    }
}

/* Bytes that keep coming do not help, in the head or after it: proves Q17 */
static void what_drips_is_cut_and_what_arrived_is_not(void **state)
{
    (void)state;
    const struct arrival_limits limits = {LIMIT_US, LIMIT_US, LIMIT_US, 10};
    struct arrivals *l = arrivals_start(&limits);
    struct peer late, whole, kept, body, *const all[] = {&late, &whole, &kept, &body};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        come(all[i], l);
    arrivals_whole(l, whole.entry);
    arrivals_whole(l, kept.entry);
    arrivals_head(l, body.entry);
    assert_int_equal(write(late.fd[1], "G", 1), 1);
    assert_true(is_cut(late.fd[1]));
    assert_true(is_cut(body.fd[1]));
    arrivals_remove(l, late.entry);
    arrivals_next(l, kept.entry); /* the next head of a kept connection has its limit too */
    assert_true(is_cut(kept.fd[1]));
    assert_true(is_open(whole.fd[1]));
    assert_null(arrivals_stop(l));
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        leave(all[i], 1);
}

/* Silence cannot hold all connections: who has said nothing for longest makes room, who has asked does not. */
static void the_longest_silent_makes_room(void **state)
{
    (void)state;
    const struct arrival_limits limits = {US_PER_S * 1000, US_PER_S * 1000, US_PER_S * 1000, 3};
    struct arrivals *l = arrivals_start(&limits);
    struct peer p[6];
    for (int i = 0; i < 3; i++)
        come(&p[i], l);
    arrivals_whole(l, p[0].entry);
    assert_true(is_open(p[1].fd[1]));
    come(&p[3], l);
    assert_true(is_cut(p[1].fd[1]));
    come(&p[4], l);
    assert_true(is_cut(p[2].fd[1]));
    assert_true(is_open(p[0].fd[1]) && is_open(p[3].fd[1]) && is_open(p[4].fd[1]));
    arrivals_remove(l, p[1].entry);
    arrivals_remove(l, p[2].entry);
    arrivals_remove(l, p[3].entry);
    come(&p[5], l);
    assert_true(is_open(p[4].fd[1])); /* there is room */
    assert_null(arrivals_stop(l));
    leave(p, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_drips_is_cut_and_what_arrived_is_not),
                                       cmocka_unit_test(the_longest_silent_makes_room)};
    return cmocka_run_group_tests_name("api_arrivals", tests, NULL, NULL);
}
