#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "env.h"
#include "mailbox.h"
#include "unit/unit.h"

struct note {
    struct message message;
    struct list *list;
    int value;
};
struct list {
    struct mailbox *box;
    int seen[4096];
    unsigned n;
};

static void remember(struct message *m)
{
    struct note *note = (struct note *)(void *)m;
    note->list->seen[note->list->n++] = note->value;
    free(note);
}

static void post(struct list *list, int value)
{
    struct note *note = calloc(1, sizeof *note);
    assert_non_null(note);
    *note = (struct note){.message.run = remember, .list = list, .value = value};
    mailbox_post(list->box, &note->message);
}

static bool readable(struct mailbox *box)
{
    struct pollfd p = {.fd = mailbox_fd(box), .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void runs_in_the_order_of_posting(void **state)
{
    (void)state;
    struct list list = {.box = mailbox_new()};
    assert_false(readable(list.box));
    for (int i = 0; i < 5; i++)
        post(&list, i);
    assert_true(readable(list.box));
    assert_int_equal(mailbox_run(list.box, 0), 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(list.seen[i], i);
    assert_false(readable(list.box));
    assert_int_equal(mailbox_run(list.box, 0), 0);
    assert_null(mailbox_free(list.box));
    assert_null(mailbox_free(NULL));
}

static void post_again(struct message *m)
{
    struct note *note = (struct note *)(void *)m;
    post(note->list, note->value + 1);
    free(note);
}

static void what_a_message_posts_runs_next_time(void **state)
{
    (void)state;
    struct list list = {.box = mailbox_new()};
    struct note *note = calloc(1, sizeof *note);
    assert_non_null(note);
    *note = (struct note){.message.run = post_again, .list = &list, .value = 1};
    mailbox_post(list.box, &note->message);
    assert_int_equal(mailbox_run(list.box, 0), 1);
    assert_int_equal(list.n, 0);
    assert_true(readable(list.box));
    assert_int_equal(mailbox_run(list.box, -1), 1);
    assert_int_equal(list.seen[0], 2);
    mailbox_free(list.box);
}

static void gives_up_waiting_in_time(void **state)
{
    (void)state;
    struct mailbox *box = mailbox_new();
    int64_t before = env_mono_us(&env_real);
    assert_int_equal(mailbox_run(box, 2000), 0);
    assert_true(env_mono_us(&env_real) - before >= 2000);
    mailbox_free(box);
}

static void *post_many(void *arg)
{
    for (int i = 0; i < 1000; i++)
        post(arg, i);
    return NULL;
}

static void loses_nothing_between_threads(void **state)
{
    (void)state;
    struct list *list = calloc(1, sizeof *list);
    pthread_t threads[4];
    assert_non_null(list);
    list->box = mailbox_new();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, list), 0);
    unsigned ran = 0;
    while (ran < 4000)
        ran += (unsigned)mailbox_run(list->box, -1);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(mailbox_run(list->box, 0), 0);
    int64_t sum = 0;
    for (unsigned i = 0; i < list->n; i++)
        sum += list->seen[i];
    assert_int_equal(list->n, 4000);
    assert_int_equal(sum, 4 * 999 * 1000 / 2);
    mailbox_free(list->box);
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_in_the_order_of_posting),
        cmocka_unit_test(what_a_message_posts_runs_next_time),
        cmocka_unit_test(gives_up_waiting_in_time),
        cmocka_unit_test(loses_nothing_between_threads),
    };
    return cmocka_run_group_tests_name("base_mailbox", tests, NULL, NULL);
}
