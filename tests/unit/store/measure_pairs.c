/* What the bookkeeping of one created pair costs, without HTTP, JSON and planning: pages of 200 observed, paired,
 * intended, settled and read back, durability full. Usage: store_measure_pairs [PAIRS [DIRECTORY]] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "connections.h"
#include "endpoints.h"
#include "feeds.h"
#include "intents.h"
#include "pairs.h"
#include "records.h"
#include "runs.h"

enum { PAGE = 200, A_BYTES = 600, B_BYTES = 480 };

struct bench {
    struct db *db;
    int64_t endpoint[2], feed[2], link, run, pass;
    char a[A_BYTES], b[B_BYTES];
    int pairs;
    struct err e;
};

static void check(struct bench *m, int rc)
{
    if (rc == TL_OK)
        return;
    fprintf(stderr, "status %d: %s (%s)\n", rc, m->e.text, m->e.detail);
    exit(1);
}

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void set_up(struct bench *m, const char *path)
{
    struct db_options o = {.path = path, .env = &env_real};
    struct err *e = &m->e;
    check(m, db_open(&m->db, &o, e));
    for (int s = 0; s < 2; s++) {
        str name = s ? STR("b") : STR("a");
        check(m, endpoint_ensure(m->db, name, name, name, &m->endpoint[s], e));
        check(m, feed_ensure(m->db, m->endpoint[s], STR("contact"), (str){0}, &m->feed[s], e));
    }
    struct connection c = {.name = STR("a-b"), .endpoint = {m->endpoint[0], m->endpoint[1]}};
    check(m, connection_create(m->db, &c, e));
    struct link l = {.connection = c.connection,
                     .name = STR("contact"),
                     .kind = {STR("contact"), STR("contact")},
                     .feed = {m->feed[0], m->feed[1]}};
    check(m, link_create(m->db, &l, e));
    struct run r = {.connection = c.connection};
    check(m, run_create(m->db, &r, e));
    struct pass p = {.feed = m->feed[0]};
    check(m, pass_start(m->db, &p, e));
    m->link = l.link;
    m->run = r.run;
    m->pass = p.pass;
    memset(m->a, 'a', sizeof m->a);
    memset(m->b, 'b', sizeof m->b);
}

static struct record seen(int64_t rec, int64_t feed, str id, const char *observation, size_t n)
{
    return (struct record){.rec = rec,
                           .feed = feed,
                           .id = id,
                           .version = STR("2026-03-01T10:00:05Z"),
                           .version_kind = TL_VER_TIME,
                           .modified_us = 1772359205000000,
                           .created_us = 1772359205000000,
                           .seen_us = 1772359205000000,
                           .seen_hash = store_hash(observation, n),
                           .observation = str_n(observation, n)};
}

/* A page of the source's pass: one transaction. */
static void observe_page(struct bench *m, int from)
{
    int64_t recs[PAGE];
    check(m, db_begin(m->db, &m->e));
    for (int i = 0; i < PAGE; i++) {
        char id[24];
        snprintf(id, sizeof id, "4000000%09d", from + i);
        struct record_probe p;
        struct record r = seen(0, m->feed[SIDE_A], str_of(id), m->a, sizeof m->a);
        if (record_probe(m->db, r.feed, r.id, &p, &m->e) != TL_E_NOT_FOUND)
            exit(1);
        check(m, record_put(m->db, &r, &m->e));
        recs[i] = r.rec;
    }
    check(m, pass_mark(m->db, m->pass, recs, PAGE, &m->e));
    check(m, pass_advance(m->db, m->pass, STR("cursor"), from + PAGE, -1, &m->e));
    check(m, db_commit(m->db, &m->e));
}

/* T1: pairs are born with their intent. */
static void open_batch(struct bench *m, const struct record *source, size_t n, struct pair *pairs, struct intent *i)
{
    struct intent_entry entries[PAGE];
    memset(entries, 0, sizeof entries);
    check(m, db_begin(m->db, &m->e));
    *i = (struct intent){.intent = intent_reserve(m->db),
                         .link = m->link,
                         .endpoint = m->endpoint[SIDE_B],
                         .side = SIDE_B,
                         .op = TL_OP_CREATE,
                         .n = n,
                         .entries = entries};
    for (size_t k = 0; k < n; k++) {
        pairs[k] = (struct pair){.link = m->link, .rec = {source[k].rec, 0}, .intent = i->intent, .gen = {0, 1}};
        check(m, pair_insert(m->db, &pairs[k], &m->e));
        entries[k] = (struct intent_entry){.pair = pairs[k].pair,
                                           .gen = 1,
                                           .stamp = STR("abcdefgh.abcdefghijklmnopqrstuvwxyz"),
                                           .sent = STR("\1\2\3\4\5\6"),
                                           .source_hash = source[k].seen_hash,
                                           .born = true};
    }
    check(m, intent_open(m->db, i, &m->e));
    check(m, db_commit(m->db, &m->e));
    check(m, db_seal_intent(m->db, i->intent, &m->e));
    i->entries = NULL;
    i->n = 0;
}

static str target_id(char room[24], int number)
{
    snprintf(room, 24, "0035g00000%08d", number);
    return str_of(room);
}

/* T2: ids are known, values are not yet. */
static void settle_batch(struct bench *m, int from, size_t n, struct pair *pairs, const struct intent *i)
{
    check(m, db_begin(m->db, &m->e));
    for (size_t k = 0; k < n; k++) {
        char room[24];
        struct record_probe probe;
        struct record r = {.feed = m->feed[SIDE_B], .id = target_id(room, from + (int)k), .seen_us = 1};
        struct pair *p = &pairs[k];
        if (record_probe(m->db, r.feed, r.id, &probe, &m->e) != TL_E_NOT_FOUND)
            exit(1);
        check(m, record_put(m->db, &r, &m->e));
        p->rec[SIDE_B] = r.rec;
        p->intent = 0;
        p->run = m->run;
        p->flags |= PAIR_CREATED_B;
        p->unsettled = PAIR_UNSETTLED_B;
        pair_set_base(p, SIDE_A, BASE_SAME, (str){0});
        pair_set_base(p, SIDE_B, BASE_NONE, (str){0});
        check(m, pair_store(m->db, p, &m->e));
    }
    check(m, intent_settle(m->db, i, NULL, 0, &m->e));
    struct run_count counts = {.link = m->link, .to = SIDE_B, .added = (int64_t)n};
    check(m, run_count_add(m->db, m->run, &counts, &m->e));
    check(m, db_commit(m->db, &m->e));
}

static void push_all(struct bench *m, double *t1_us, double *t2_us)
{
    AUTO(arena_done) struct arena a = {0};
    int64_t after = 0;
    for (int made = 0; made < m->pairs;) {
        struct record *source;
        struct pair pairs[PAGE];
        struct intent i;
        size_t n;
        double start = cpu_us();
        arena_reset(&a);
        check(m, record_walk(m->db, &a, m->feed[SIDE_A], after, PAGE, &source, &n, &m->e));
        open_batch(m, source, n, pairs, &i);
        double middle = cpu_us();
        settle_batch(m, made, n, pairs, &i);
        *t1_us += middle - start;
        *t2_us += cpu_us() - middle;
        made += (int)n;
        after = source[n - 1].rec;
    }
}

/* The target's next page shows what was created. */
static void read_back_page(struct bench *m, int from)
{
    AUTO(arena_done) struct arena a = {0};
    check(m, db_begin(m->db, &m->e));
    for (int i = 0; i < PAGE; i++) {
        char room[24];
        struct record_probe probe;
        struct pair p;
        str id = target_id(room, from + i);
        check(m, record_probe(m->db, m->feed[SIDE_B], id, &probe, &m->e));
        struct record r = seen(probe.rec, m->feed[SIDE_B], id, m->b, sizeof m->b);
        check(m, record_put(m->db, &r, &m->e));
        check(m, pair_get_of_record(m->db, &a, m->link, SIDE_B, r.rec, (str){0}, &p, &m->e));
        p.unsettled = 0;
        pair_set_base(&p, SIDE_B, BASE_SAME, (str){0});
        check(m, pair_store(m->db, &p, &m->e));
    }
    check(m, feed_set_cursor(m->db, m->feed[SIDE_B], STR("cursor"), from, from, &m->e));
    check(m, db_commit(m->db, &m->e));
}

int main(int argc, char **argv)
{
    struct bench m = {.pairs = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 100000};
    char dir[200], path[256];
    double t1_us = 0, t2_us = 0;
    m.pairs -= m.pairs % PAGE;
    snprintf(dir, sizeof dir, "%s/store-measure-XXXXXX", argc > 2 ? argv[2] : "/tmp");
    if (m.pairs <= 0 || !mkdtemp(dir))
        return 2;
    snprintf(path, sizeof path, "%s/tieline.db", dir);
    set_up(&m, path);
    double start = cpu_us();
    for (int k = 0; k < m.pairs; k += PAGE)
        observe_page(&m, k);
    double pushed = cpu_us();
    push_all(&m, &t1_us, &t2_us);
    double read = cpu_us();
    for (int k = 0; k < m.pairs; k += PAGE)
        read_back_page(&m, k);
    double n = m.pairs, end = cpu_us();
    struct db_stats s;
    db_stats(m.db, &s);
    printf("%d pairs, us of CPU a pair: page %.2f, intent %.2f, outcome %.2f, read-back %.2f, together %.2f; "
           "%.0f bytes and %.0f VM steps a pair\n",
           m.pairs, (pushed - start) / n, t1_us / n, t2_us / n, (end - read) / n, (end - start) / n,
           (double)s.page_count * 4096 / n, (double)s.vm_steps / n);
    m.db = db_close(m.db);
    static const char *const ends[] = {"", ".seal", ".lock"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char file[280];
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        unlink(file);
    }
    return rmdir(dir) == 0 ? 0 : 1;
}
