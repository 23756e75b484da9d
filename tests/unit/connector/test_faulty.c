/* What a connector does wrong is refused, or fails one record, in both isolation modes alike and in words that name the
 * connector, the function, the kind, the record and the rule. */
#include "rig.h"

#include "codec.h"
#include "instance.h"
#include "progress.h"

struct rule {
    const char *how, *words;
};

static struct call *run(struct rig *r, enum isolation isolation, const char *how, struct call *c)
{
    rig_start(r);
    rig_install(r, "faulty", isolation);
    assert_int_equal(rig_load(r, "faulty"), TL_OK);
    rig_endpoint(r, 1, "faulty", "how", how, NULL);
    return rig_run(r, c);
}

static void finish(struct rig *r, struct call *c)
{
    call_free(c);
    rig_stop(r);
}

static const enum isolation both[] = {ISOLATION_WORKER, ISOLATION_INPROCESS};

/* The call is spoilt: TL_E_BUG, PLUGIN_PROTOCOL, the rule; and no checkpoint covers what was refused. */
static void spoilt(const char *how, const char *words, struct call *(*make)(void))
{
    for (size_t m = 0; m < ARRAY_LEN(both); m++) {
        struct rig r;
        struct call *c = run(&r, both[m], how, make());
        if (c->reply.status != TL_E_BUG || strcmp(c->reply.error.text, words) != 0)
            fail_msg("%s, %s: status %d, \"%s\" instead of \"%s\"", how, isolation_name(both[m]), c->reply.status,
                     c->reply.error.text, words);
        assert_string_equal(c->reply.error.code, "PLUGIN_PROTOCOL");
        assert_int_equal(c->reply.error.scope, TL_SCOPE_KIND);
        assert_int_equal(rig_count(&c->reply, ITEM_CHECKPOINT), 0);
        finish(&r, c);
    }
}

static struct call *pull(void)
{
    return rig_pull(0, "");
}

static struct call *discover(void)
{
    return rig_call(CALL_DISCOVER);
}

static struct call *check(void)
{
    return rig_call(CALL_CHECK);
}

#define EMIT "connector \"faulty\", emit in pull of contact: "
static void test_batches(void **state)
{
    (void)state;
    static const struct rule rules[] = {
        {"stride 0", EMIT "stride 0 is smaller than a tl_record (184): set it to sizeof"},
        {"stride 8", EMIT "stride 8 is smaller than a tl_record (184): set it to sizeof"},
        {"stride odd", EMIT "stride 188 or the address does not fit the alignment of a tl_record (8)"},
        {"batch size", EMIT "struct_size 8 is smaller than a tl_batch (24): set it to sizeof"},
        {"records nowhere", EMIT "4 of tl_record at no address"},
        {"ids alike", EMIT "records 1 and 2 of 4 have the same id \"a\" and differ"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        spoilt(rules[i].how, rules[i].words, pull);
}

static void test_pulls(void **state)
{
    (void)state;
    static const struct rule rules[] = {
        {"checkpoint size", "connector \"faulty\", checkpoint in pull of contact: struct_size 8 is smaller than a "
                            "tl_checkpoint (48): set it to sizeof"},
        {"checkpoint mode",
         "connector \"faulty\", checkpoint in pull of contact: a checkpoint of mode 7 in a pull of mode 1"},
        {"quiet end", "connector \"faulty\", pull of contact: it ended with success and without a checkpoint"},
        {"status 77", "connector \"faulty\", pull of contact: it ended with the status 77, which is none"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        spoilt(rules[i].how, rules[i].words, pull);
    spoilt("account size",
           "connector \"faulty\", account in check: struct_size 4 is smaller than a tl_account (96): "
           "set it to sizeof",
           check);
}

#define KIND "connector \"faulty\", describe in discover: kind \"contact\": "
static void test_kinds(void **state)
{
    (void)state;
    static const struct rule rules[] = {
        {"kind size", "connector \"faulty\", describe in discover: struct_size 8 is smaller than a tl_kind (120): set "
                      "it to sizeof"},
        {"kind name", "connector \"faulty\", describe in discover: kind \"Contact!\": the name of a kind is 1 to 32 "
                      "small letters, digits and \"_\""},
        {"kind twice", "connector \"faulty\", describe in discover: kind \"contact\" is described twice"},
        {"field stride", KIND "stride 8 is smaller than a tl_field (104): set it to sizeof"},
        {"field stride 0", KIND "stride 0 is smaller than a tl_field (104): set it to sizeof"},
        {"fields nowhere", KIND "2 of tl_field at no address"},
        {"many fields", KIND "501 fields, at most 500"},
        {"choices nowhere", KIND "field 1 \"email\": 3 of tl_choice at no address"},
        {"choice stride", KIND "field 1 \"email\": stride 8 is smaller than a tl_choice (32): set it to sizeof"},
        {"path twice", KIND "field 2 \"email\": fields 1 and 2 have the same path"},
        {"path blank", KIND "field 2 \"last name \": a path has 1 to 255 bytes and no blanks"},
        {"type 99", KIND "field 2 \"last_name\": unknown type 99"},
        {"stamp missing", KIND "stamp_field \"Gone__c\" is the name of none of its fields"},
        {"max_batch", KIND "max_batch is 0: how many records may one push be given?"},
        {"settle", KIND "settle_ms is -5"},
        {"lateness", KIND "lateness_ms is -1"},
        {"unknown can", KIND "can has the unknown bits 0x40000000"},
        {"conditional", KIND "TL_CAN_CONDITIONAL without TL_CAN_UPDATE"},
        {"no pass", KIND "TL_CAN_PULL without TL_CAN_PASS: a first sync reads every record once"},
        {"no find", KIND "TL_CAN_FIND, but the connector has no find()"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        spoilt(rules[i].how, rules[i].words, discover);
}

/* One record of four fails by itself; the others and the checkpoint arrive. */
static void test_records(void **state)
{
    (void)state;
    static const struct rule rules[] = {
        {"id empty", " bad: the id is empty (record 2 of 4)"},
        {"id bytes", " bad: the id is not UTF-8 text without NUL (record 2 of 4)"},
        {"values nowhere", "b bad: 1 values at no address"},
        {"text bytes", "b bad: field \"x.f0\": the value is not UTF-8 text without NUL"},
        {"outside", "b bad: value 1 is of field 4000, the shape has 5 fields"},
        {"bool", "b bad: field \"x.f0\" is of type TL_TEXT, its value of type TL_BOOL"},
        {"text nowhere", "b bad: field \"x.f0\": 5 bytes at no address"},
        {"two values", "b bad: two values for the field \"x.f0\""},
        {"many values", "b bad: 501 values, at most 500"},
        {"large", "b bad: the record has 1048677 bytes, at most 1048576"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        for (size_t m = 0; m < ARRAY_LEN(both); m++) {
            struct rig r;
            struct call *c = run(&r, both[m], rules[i].how, rig_pull(0, ""));
            assert_int_equal(c->reply.status, TL_OK);
            AUTO(buf_done) struct buf out = {0}, want = {0};
            rig_print(&out, &c->reply);
            buf_fmt(&want,
                    "record 0 a values 1\nrecord 0 %s\nrecord 0 c values 1\nrecord 0 d values 1\n"
                    "checkpoint end complete 1\n",
                    rules[i].words);
            assert_string_equal(buf_text(&out), buf_text(&want));
            finish(&r, c);
        }
    }
}

/* The limit of size is told apart: SIZE_LIMIT, not BAD_RECORD. */
static void test_too_large_is_marked(void **state)
{
    (void)state;
    struct rig r;
    struct call *c = run(&r, ISOLATION_WORKER, "large", rig_pull(0, ""));
    AUTO(reply_reader_done) struct reply_reader reader;
    reply_reader_init(&reader, &c->reply);
    struct item item;
    assert_true(reply_next(&reader, &item));
    assert_true(reply_next(&reader, &item));
    assert_true(item.u.record.flags & REC_TOO_LARGE);
    finish(&r, c);
}

/* The same record once more in a batch is left out. */
static void test_same_twice(void **state)
{
    (void)state;
    for (size_t m = 0; m < ARRAY_LEN(both); m++) {
        struct rig r;
        struct call *c = run(&r, both[m], "same twice", rig_pull(0, ""));
        assert_int_equal(c->reply.status, TL_OK);
        assert_int_equal(rig_count(&c->reply, ITEM_RECORD), 3);
        finish(&r, c);
    }
}

static void test_circles(void **state)
{
    (void)state;
    static const char words[] = "connector \"faulty\", checkpoint in pull of contact: a cursor came again 3 times, and "
                                "each time it said that there is more";
    static const char *const hows[] = {"stuck", "stuck in a ring"};
    for (size_t i = 0; i < ARRAY_LEN(hows); i++) {
        struct rig r;
        struct call *c = run(&r, both[i % 2], hows[i], rig_pull(0, ""));
        assert_int_equal(c->reply.status, TL_E_BUG);
        assert_string_equal(c->reply.error.text, words);
        finish(&r, c);
    }
    struct rig r;
    struct call *c = run(&r, ISOLATION_WORKER, "never done", rig_pull(0, ""));
    assert_string_equal(c->reply.error.text, "connector \"faulty\", checkpoint in pull of contact: 200 pages without a "
                                             "record, and no end");
    finish(&r, c);
    /* A page a call, as the engine's budget may have it: noticed over calls. */
    c = run(&r, ISOLATION_WORKER, "stuck", rig_pull(1, "zero"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(c->reply.status, TL_OK);
        call_free(c);
        c = rig_run(&r, rig_pull(1, "zero"));
    }
    assert_int_equal(c->reply.status, TL_E_BUG);
    finish(&r, c);
}

/* Pure: what gets on, however slowly, is left alone. */
static void test_progress_of_good_ones(void **state)
{
    (void)state;
    struct progress p = {0};
    const tl_shape shape = {.kind = STR("contact")};
    tl_pull pull = {.mode = TL_PULL_CHANGES, .shape = &shape};
    tl_checkpoint c = {.mode = TL_PULL_CHANGES, .cursor = STR("now"), .complete = 1};
    for (int i = 0; i < 1000; i++) { /* nothing new, again and again */
        pull.cursor = STR("now");
        progress_begin(&p, &pull);
        assert_int_equal(progress_step(&p, &c, 0, NULL), TL_OK);
    }
    pull.mode = c.mode = TL_PULL_PASS;
    c.complete = 0;
    for (int i = 0; i < 1000; i++) { /* the host asks for the same page after each failure */
        pull.cursor = STR("page 7");
        c.cursor = STR("page 8");
        progress_begin(&p, &pull);
        assert_int_equal(progress_step(&p, &c, 200, NULL), TL_OK);
    }
    pull.cursor = (str){0};
    progress_begin(&p, &pull);
    for (int i = 0; i < 5000; i++) {
        char text[16];
        c.cursor = str_n(text, (size_t)snprintf(text, sizeof text, "%d", i));
        assert_int_equal(progress_step(&p, &c, i % 150 == 0, NULL), TL_OK);
    }
}

/* ---- words of the connector, or none ---- */

static void test_words(void **state)
{
    (void)state;
    struct rig r;
    struct call *c = run(&r, ISOLATION_WORKER, "no words", rig_pull(0, ""));
    assert_int_equal(c->reply.status, TL_E_TEMPORARY);
    assert_string_equal(c->reply.error.text,
                        "pull of contact ended with \"temporary\", and the connector does not say why");
    finish(&r, c);
    c = run(&r, ISOLATION_INPROCESS, "words", rig_pull(0, ""));
    assert_string_equal(c->reply.error.text, "GET /people failed");
    finish(&r, c);
}

/* ---- pushes ---- */

static void results(const char *how, const char *want, const char *words)
{
    for (size_t m = 0; m < ARRAY_LEN(both); m++) {
        struct rig r;
        struct call *c = run(&r, both[m], how, rig_push("1", "2", NULL));
        AUTO(buf_done) struct buf out = {0};
        assert_int_equal(c->reply.status, TL_OK);
        rig_print(&out, &c->reply);
        assert_string_equal(buf_text(&out), want);
        AUTO(reply_reader_done) struct reply_reader reader;
        reply_reader_init(&reader, &c->reply);
        struct item item;
        if (words) {
            assert_true(reply_next(&reader, &item));
            assert_string_equal(item.u.result.result.error->text, words);
        }
        finish(&r, c);
    }
}

static void test_results(void **state)
{
    (void)state;
    results("status 99", "result 0 bug\nresult 1 bug\n", "the connector gave the status 99, which is none");
    results("no error", "result 0 invalid\nresult 1 invalid\n", "invalid, and the connector does not say why");
    results("omit", "result 0 ok\n", NULL);
    results("foreign", "result 0 ok\nresult 1 ok\n", NULL);
    results("second", "result 0 ok\nresult 1 ok\n", NULL);
    results("bad post", "result 0 ok\nresult 1 ok\n", NULL); /* it was written; what it says of it is not used */
    results("result size", "", NULL);
}

/* ---- threads ---- */

/* A thread of the connector's own gets nothing but what is [any]; the worker is not killed, the code stays mapped. */
static void test_foreign_thread(void **state)
{
    (void)state;
    for (size_t m = 0; m < ARRAY_LEN(both); m++) {
        struct rig r;
        struct call *c = run(&r, both[m], "thread", rig_pull(0, ""));
        assert_int_equal(c->reply.status, TL_OK);
        assert_false(c->reply.crashed);
        call_free(c);
        assert_int_equal(rig_unload(&r, "faulty", UNLOAD_DRAIN), TL_OK);
        assert_string_equal(r.words, both[m] == ISOLATION_INPROCESS ? "unloaded, still mapped" : "unloaded");
        rig_stop(&r);
    }
}

/* ---- being stopped ---- */

static void no_log(void *ctx, int32_t level, tl_str line)
{
    (void)ctx;
    (void)level;
    (void)line;
}

static int32_t not_yet(void *ctx) /* the word that it shall stop is under way still */
{
    (void)ctx;
    return 0;
}

static tl_status cut_http(void *ctx, tl_http *requests, uint32_t n, tl_error *error)
{
    (void)ctx;
    (void)error;
    for (uint32_t i = 0; i < n; i++)
        requests[i].outcome = TL_E_CANCELLED;
    return TL_E_CANCELLED;
}

static tl_status cut_sleep(void *ctx, uint32_t ms)
{
    (void)ctx;
    (void)ms;
    return TL_E_CANCELLED;
}

/* A service says that it was cut before the host's own word has come to a worker. A pull that ends there without a
 * checkpoint has broken no rule. */
static void test_cut_before_the_word(void **state)
{
    (void)state;
    static const char *const hows[] = {"cut in http", "cut in sleep"};
    const struct services services = {.log = no_log, .cancelled = not_yet, .http = cut_http, .sleep_ms = cut_sleep};
    struct err e = {0};
    struct module *m = NULL;
    assert_int_equal(module_open(&m, FIXTURES_DIR "/faulty.so", "faulty", &e), TL_OK);
    for (size_t i = 0; i < ARRAY_LEN(hows); i++) {
        const tl_pair config = {TL_STR("how"), str_of(hows[i])};
        const tl_open open = {.struct_size = sizeof open, .n_config = 1, .config = &config};
        tl_error error = {.struct_size = sizeof error};
        struct instance *instance = NULL;
        assert_int_equal(instance_open(&instance, m, &services, &open, &error), TL_OK);
        AUTO(buf_done) struct buf request = {0};
        struct call *c = pull();
        assert_int_equal(request_encode(&request, c, &e), TL_OK);
        instance_run(instance, CALL_PULL, buf_lent(&request), true, &c->reply);
        assert_int_equal(c->reply.status, TL_OK);
        assert_string_equal(c->reply.error.text, "");
        call_free(c);
        instance_close(instance);
    }
    module_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_pulls),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_too_large_is_marked),
        cmocka_unit_test(test_same_twice),
        cmocka_unit_test(test_circles),
        cmocka_unit_test(test_progress_of_good_ones),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_foreign_thread),
        cmocka_unit_test(test_cut_before_the_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
