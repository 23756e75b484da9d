/* What a person sees beside a record and has done to it: lists and actions through the runtime, in each isolation the
 * same; their files; what is only rehearsed; an answer that is lost. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "rehearsal.h"
#include "rig.h"
#include "unit/loop_server.h"

static void begin(struct rig *r, enum isolation isolation, const char *url, const char *wrong)
{
    rig_start_http(r);
    rig_install(r, "agent", isolation);
    assert_int_equal(rig_load(r, "agent"), TL_OK);
    rig_endpoint(r, 1, "agent", "base_url", url, "wrong", wrong, NULL);
}

/* Each test in each isolation. */
static void everywhere(void (*test)(enum isolation isolation))
{
    for (int mode = ISOLATION_WORKER; mode <= ISOLATION_INPROCESS; mode++)
        test((enum isolation)mode);
}

static struct call *agent_call(enum call_kind kind)
{
    struct call *c = rig_call(kind);
    c->purpose = TL_PURPOSE_AGENT;
    return c;
}

static const tl_field columns[] = {
    {.struct_size = sizeof(tl_field), .type = TL_TEXT, .path = TL_STR("name"), .name = TL_STR("Name")},
    {.struct_size = sizeof(tl_field), .type = TL_DECIMAL, .path = TL_STR("quantity"), .name = TL_STR("Quantity")},
    {.struct_size = sizeof(tl_field),
     .type = TL_LIST,
     .item_type = TL_TEXT,
     .path = TL_STR("x.tags"),
     .name = TL_STR("Tags")}};
#define LINES                                                                                                          \
    {                                                                                                                  \
        .struct_size = sizeof(tl_field), .type = TL_ROWS, .path = TL_STR("lines"), .name = TL_STR("Lines"),            \
        .n_columns = 3, .column_stride = sizeof(tl_field), .columns = columns                                          \
    }
static const tl_field fields[] = {
    {.struct_size = sizeof(tl_field), .type = TL_TEXT, .path = TL_STR("number"), .name = TL_STR("Number")}, LINES};
static const tl_field params[] = {
    {.struct_size = sizeof(tl_field), .type = TL_TEXT, .path = TL_STR("title"), .name = TL_STR("Title")},
    {.struct_size = sizeof(tl_field), .type = TL_BLOB, .path = TL_STR("file"), .name = TL_STR("File")},
    {.struct_size = sizeof(tl_field), .type = TL_TEXT, .path = TL_STR("seen"), .name = TL_STR("Seen")},
    LINES};
static const tl_shape of_invoice = {.struct_size = sizeof of_invoice,
                                    .n_fields = 2,
                                    .field_stride = sizeof *fields,
                                    .kind = TL_STR("invoice"),
                                    .fields = fields};
static const tl_shape of_params = {.struct_size = sizeof of_params,
                                   .n_fields = 4,
                                   .field_stride = sizeof *params,
                                   .kind = TL_STR("invoice"),
                                   .fields = params};

static struct call *list_call(const char *about, const char *cursor)
{
    struct call *c = agent_call(CALL_LIST);
    c->request.list.shape = &of_invoice;
    c->request.list.limit = 2;
    c->request.list.about_kind = STR("contact");
    c->request.list.about_id = str_of(about);
    c->request.list.cursor = str_of(cursor);
    return c;
}

static struct call *act_call(const char *name, tl_value *values, uint32_t n)
{
    struct call *c = agent_call(CALL_ACT);
    tl_record *r = arena_new(&c->arena, tl_record);
    *r = (tl_record){.id = STR("inv-1"), .stamp = STR("key-1"), .n_values = n, .values = values};
    c->request.act.name = str_of(name);
    c->request.act.shape = &of_params;
    c->request.act.record = r;
    c->request.act.person = STR("Ada");
    return c;
}

static void assert_printed(const struct call *c, const char *want)
{
    AUTO(buf_done) struct buf out = {0};
    rig_print(&out, &c->reply);
    assert_string_equal(buf_text(&out), want);
}

/* ---- what there is */

static void described(enum isolation isolation)
{
    struct rig r;
    begin(&r, isolation, "https://agent.example.com", "nothing");
    struct call *c = rig_run(&r, rig_call(CALL_DISCOVER));
    assert_int_equal(c->reply.status, TL_OK);
    assert_printed(c, "kind invoice fields 2\n"
                      "action rename of invoice flags 0 rights 4 params 4\n"
                      "action document of invoice flags 2 rights 1 params 4\n"
                      "action create of invoice flags 5 rights ffffffff params 4\n");
    AUTO(reply_reader_done) struct reply_reader reader;
    struct item x;
    reply_reader_init(&reader, &c->reply);
    assert_true(reply_next(&reader, &x));
    assert_true(str_is(x.u.described.about, "contact,account") && str_is(x.u.described.filters, "open,overdue"));
    assert_int_equal(x.u.described.depth_s, 3600);
    assert_int_equal(x.u.described.fields[1].n_columns, 3);
    call_free(c);
    rig_stop(&r);
}

static void test_described(void **state)
{
    (void)state;
    everywhere(described);
}

static void refused(enum isolation isolation, const char *wrong, const char *words)
{
    struct rig r;
    begin(&r, isolation, "https://agent.example.com", wrong);
    struct call *c = rig_run(&r, rig_call(CALL_DISCOVER));
    assert_int_equal(c->reply.status, TL_E_BUG);
    assert_string_equal(c->reply.error.code, "PLUGIN_PROTOCOL");
    if (!strstr(c->reply.error.text, words))
        fail_msg("\"%s\" does not say \"%s\"", c->reply.error.text, words);
    call_free(c);
    rig_stop(&r);
}

static void test_refused_descriptions(void **state)
{
    (void)state;
    for (int mode = ISOLATION_WORKER; mode <= ISOLATION_INPROCESS; mode += ISOLATION_INPROCESS - ISOLATION_WORKER) {
        refused((enum isolation)mode, "twice", "action \"rename\" of \"invoice\" is described twice");
        refused((enum isolation)mode, "stranger", "the kind \"stranger\", which is not described before it");
        refused((enum isolation)mode, "rights", "rights is 0");
        refused((enum isolation)mode, "name", "the name of an action is 1 to 32 small letters");
        refused((enum isolation)mode, "file", "a TL_BLOB is a parameter or result of an action alone");
        refused((enum isolation)mode, "filters", "filters, and about names no kind");
    }
}

/* ---- lists */

static void assert_broke(struct call *c, const char *words)
{
    assert_int_equal(c->reply.status, TL_E_BUG);
    if (!strstr(c->reply.error.text, words))
        fail_msg("\"%s\" does not say \"%s\"", c->reply.error.text, words);
    call_free(c);
}

static void pages(enum isolation isolation)
{
    struct rig r;
    begin(&r, isolation, "https://agent.example.com", "nothing");
    struct call *c = rig_run(&r, list_call("7", ""));
    assert_int_equal(c->reply.status, TL_OK);
    assert_printed(c, "record 0 inv-0 values 2\nrecord 0 inv-1 values 2\ncheckpoint 2 complete 0\n");
    AUTO(reply_reader_done) struct reply_reader reader;
    struct item x;
    reply_reader_init(&reader, &c->reply);
    assert_true(reply_next(&reader, &x));
    assert_int_equal(x.u.record.values[1].type, TL_ROWS);
    assert_int_equal(x.u.record.values[1].u.list.n, 2);
    const tl_value *row = x.u.record.values[1].u.list.items;
    assert_true(str_is(row[0].u.list.items[0].u.s, "Schraube, groß"));
    assert_true(str_is(row[0].u.list.items[1].u.s, "0.50"));
    assert_int_equal(row[1].u.list.items[0].field, 2);
    assert_int_equal(row[1].u.list.items[0].u.list.n, 2);
    call_free(c);
    c = rig_run(&r, list_call("7", "2")); /* a record that cannot be used fails by itself */
    assert_printed(c, "record 0 inv-2 values 2\n"
                      "record 0 inv-3 bad: field \"lines\", row 2: value 1 is of column 7, there are 3\n"
                      "checkpoint 4 complete 0\n");
    call_free(c);
    c = rig_run(&r, list_call("7", "4"));
    assert_printed(c, "record 0 inv-4 values 2\ncheckpoint 5 complete 1\n");
    call_free(c);
    c = rig_run(&r, list_call("gone", ""));
    assert_int_equal(c->reply.status, TL_E_NOT_FOUND);
    assert_string_equal(c->reply.error.text, "there is no such contact");
    call_free(c);
    assert_broke(rig_run(&r, list_call("big", "")), "3 records in a page of at most 2");
    assert_broke(rig_run(&r, list_call("none", "")), "without a checkpoint");
    assert_broke(rig_run(&r, list_call("same", "1")), "the cursor is the one that was given");
    assert_broke(rig_run(&r, list_call("twice", "")), "a second checkpoint: a list has one page");
    assert_broke(rig_run(&r, list_call("behind", "")), "records behind the checkpoint");
    rig_stop(&r);
}

static void test_pages(void **state)
{
    (void)state;
    everywhere(pages);
}

/* ---- actions */

enum { SCRIPT_CALLS = 8 };

static void run_script(enum isolation isolation, struct call **calls)
{
    static tl_value tag = {.field = 1, .type = TL_DECIMAL, .u.s = TL_STR("1.10")};
    static tl_value row = {.type = TL_LIST, .u.list = {&tag, 1}};
    static tl_value rows = {.field = 3, .type = TL_ROWS, .u.list = {&row, 1}};
    struct rig r;
    begin(&r, isolation, "https://agent.example.com", "nothing");
    struct call *script[SCRIPT_CALLS] = {rig_call(CALL_DISCOVER),      list_call("7", ""),
                                         list_call("7", "2"),          list_call("gone", ""),
                                         list_call("big", ""),         act_call("lines", &rows, 1),
                                         act_call("strange", NULL, 0), act_call("rename", NULL, 0)};
    script[SCRIPT_CALLS - 1]->request.act.flags = TL_ACT_LOOK;
    for (int i = 0; i < SCRIPT_CALLS; i++)
        calls[i] = rig_run(&r, script[i]);
    rig_stop(&r);
}

/* A connector answers the same bytes wherever it runs. */
static void test_transcripts_identical(void **state)
{
    (void)state;
    struct call *calls[3][SCRIPT_CALLS];
    for (int mode = 0; mode < 3; mode++)
        run_script((enum isolation)mode, calls[mode]);
    for (int i = 0; i < SCRIPT_CALLS; i++) {
        const struct reply *a = &calls[0][i]->reply;
        for (int mode = 1; mode < 3; mode++) {
            const struct reply *b = &calls[mode][i]->reply;
            assert_int_equal(a->status, b->status);
            assert_true(str_eq(buf_lent(&a->items), buf_lent(&b->items)));
            assert_memory_equal(&a->error, &b->error, sizeof a->error);
        }
    }
    for (int mode = 0; mode < 3; mode++)
        for (int i = 0; i < SCRIPT_CALLS; i++)
            call_free(calls[mode][i]);
}

struct vendor {
    pthread_mutex_t lock; /* guards the rest */
    int reads, writes;
    char written[64];
};

static void serve(void *ctx, const struct loop_request *q, struct loop_reply *a)
{
    struct vendor *v = ctx;
    bool write = strcmp(q->method, "GET") != 0;
    pthread_mutex_lock(&v->lock);
    v->reads += !write;
    v->writes += write;
    if (write)
        snprintf(v->written, sizeof v->written, "%.8s %.30s %.20s", q->method, q->target, q->body);
    pthread_mutex_unlock(&v->lock);
    a->status = 200;
    a->body = strcmp(q->target, "/pdf") == 0 ? "%PDF-1.7 seventeen" : write ? "written" : "read";
}

static void outcome(struct call *c, tl_status want, const char *id)
{
    AUTO(reply_reader_done) struct reply_reader reader;
    tl_result result = {0};
    assert_int_equal(call_act_outcome(c, &reader, &result), want);
    if (id) {
        assert_non_null(result.record);
        assert_true(str_is(result.record->id, id));
    }
}

static void acts(enum isolation isolation)
{
    struct vendor v = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct loop_server *server = loop_start(serve, &v);
    char *url = loop_url(server, "");
    struct rig r;
    begin(&r, isolation, url, "nothing");
    tl_value title = {.field = 0, .type = TL_TEXT, .u.s = STR("Neuer Titel")};
    struct call *c = rig_run(&r, act_call("rename", &title, 1));
    outcome(c, TL_OK, "inv-1");
    assert_string_equal(v.written, "PATCH /new?by=agent Neuer Titel");
    assert_int_equal(v.writes, 1);
    call_free(c);

    tl_value tag = {.field = 1, .type = TL_DECIMAL, .u.s = STR("1.10")}, row = {.type = TL_LIST, .u.list = {&tag, 1}};
    tl_value rows = {.field = 3, .type = TL_ROWS, .u.list = {&row, 1}};
    c = rig_run(&r, act_call("lines", &rows, 1)); /* for whom, and rows both ways */
    AUTO(reply_reader_done) struct reply_reader reader;
    tl_result result = {0};
    assert_int_equal(call_act_outcome(c, &reader, &result), TL_OK);
    assert_true(str_is(result.record->id, "Ada"));
    assert_true(str_is(result.record->values[0].u.list.items[0].u.list.items[0].u.s, "1.10"));
    call_free(c);

    c = rig_run(&r, act_call("nothing", NULL, 0)); /* success, and not a word of what was done */
    assert_int_equal(c->reply.status, TL_OK);
    outcome(c, TL_E_UNKNOWN, NULL);
    call_free(c);
    c = rig_run(&r,
                act_call("strange", NULL, 0)); /* a file that is none: applied, and what it gives back is left out */
    outcome(c, TL_OK, "inv-1");
    assert_int_equal(c->reply.blobs.n, 0);
    call_free(c);

    c = act_call("rename", NULL, 0);
    c->request.act.flags = TL_ACT_LOOK;
    outcome(rig_run(&r, c), TL_E_NOT_FOUND, NULL);
    call_free(c);
    c = act_call("rename", NULL, 0);
    ((tl_record *)(uintptr_t)c->request.act.record)->stamp = STR("known");
    c->request.act.flags = TL_ACT_LOOK;
    outcome(rig_run(&r, c), TL_OK, "inv-known");
    assert_int_equal(v.writes, 1);
    call_free(c);
    rig_stop(&r);
    loop_stop(server);
    free(url);
}

static void test_acts(void **state)
{
    (void)state;
    everywhere(acts);
}

/* ---- files */

static void assert_bytes(const struct blob *b, const char *want)
{
    char bytes[64] = "";
    assert_int_equal(b->bytes, strlen(want));
    assert_int_equal(pread(b->fd, bytes, sizeof bytes - 1, 0), strlen(want));
    assert_string_equal(bytes, want);
}

static void files(enum isolation isolation)
{
    struct vendor v = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct loop_server *server = loop_start(serve, &v);
    char *url = loop_url(server, "");
    struct rig r;
    begin(&r, isolation, url, "nothing");
    struct call *c = act_call("document", NULL, 0);
    c->reads = true;
    outcome(rig_run(&r, c), TL_OK, "inv-1");
    AUTO(reply_reader_done) struct reply_reader reader;
    tl_result result;
    call_act_outcome(c, &reader, &result);
    assert_int_equal(result.record->values[0].type, TL_BLOB);
    const struct blob *file = blob_list_find(&c->reply.blobs, (uint64_t)result.record->values[0].u.i);
    assert_non_null(file);
    assert_string_equal(file->name, "INV-1.pdf");
    assert_string_equal(file->media_type, "application/pdf");
    assert_bytes(file, "%PDF-1.7 seventeen");
    int kept = file->fd;
    call_free(c);
    assert_int_equal(fcntl(kept, F_GETFD), -1); /* gone with the call */

    FILE *own = tmpfile();
    assert_non_null(own);
    fputs("a photo", own);
    fflush(own);
    c = act_call("attach", NULL, 0);
    uint64_t handle = 0;
    const tl_blob path = {.struct_size = sizeof path, .name = STR("a/b.jpg")};
    const tl_blob about = {
        .struct_size = sizeof about, .bytes = 7, .name = STR("Foto.jpg"), .media_type = STR("image/jpeg")};
    int fd = fcntl(fileno(own), F_DUPFD_CLOEXEC, 0);
    assert_int_equal(blob_list_add(&c->blobs, fd, &path, &handle), TL_E_INVALID);
    assert_int_equal(blob_list_add(&c->blobs, fd, &about, &handle), TL_OK);
    tl_value given = {.field = 1, .type = TL_BLOB, .u.i = (int64_t)handle};
    tl_record *record = (tl_record *)(uintptr_t)c->request.act.record;
    record->values = &given;
    record->n_values = 1;
    outcome(rig_run(&r, c), TL_OK, "inv-1"); /* its id is that of the record that was acted on */
    AUTO(reply_reader_done) struct reply_reader again;
    call_act_outcome(c, &again, &result);
    assert_true(str_is(result.record->values[0].u.s, "Foto.jpg image/jpeg 7 a photo"));
    assert_string_equal(v.written, "POST /attach a photo");
    call_free(c);
    fclose(own);
    rig_stop(&r);
    loop_stop(server);
    free(url);
}

static void test_files(void **state)
{
    (void)state;
    everywhere(files);
}

/* ---- what is only shown */

static void rehearsed(enum isolation isolation)
{
    struct vendor v = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct loop_server *server = loop_start(serve, &v);
    char *url = loop_url(server, ""), want[300];
    struct rig r;
    begin(&r, isolation, url, "nothing");
    tl_value title = {.field = 0, .type = TL_TEXT, .u.s = STR("Neuer Titel")};
    struct call *c = act_call("rename", &title, 1);
    c->rehearse = true;
    outcome(rig_run(&r, c), TL_E_CANCELLED, NULL);
    assert_int_equal(v.reads, 1); /* what reads goes out as usual */
    assert_int_equal(v.writes, 0);
    struct rehearsed x;
    size_t at = 0;
    assert_true(rehearsed_next(&c->reply.rehearsed, &at, &x));
    snprintf(want, sizeof want, "%s/new?by=agent", url);
    assert_true(str_is(x.method, "PATCH") && str_is(x.url, want) && str_is(x.body, "Neuer Titel"));
    assert_int_equal(x.bytes, strlen("Neuer Titel"));
    assert_false(rehearsed_next(&c->reply.rehearsed, &at, &x));
    call_free(c);

    enum { LARGE = REHEARSED_BODY_MAX + 10 }; /* of a large body its beginning */
    char *text = calloc(1, LARGE);
    memset(text, 'x', LARGE);
    title.u.s = str_n(text, LARGE);
    c = act_call("rename", &title, 1);
    c->rehearse = true;
    rig_run(&r, c);
    at = 0;
    assert_true(rehearsed_next(&c->reply.rehearsed, &at, &x));
    assert_int_equal(x.body.n, REHEARSED_BODY_MAX);
    assert_int_equal(x.bytes, LARGE);
    call_free(c);
    free(text);

    c = act_call("remember", NULL, 0); /* nor is anything kept of it */
    c->rehearse = true;
    outcome(rig_run(&r, c), TL_E_CANCELLED, NULL);
    assert_string_equal(r.store.value, "");
    call_free(c);
    outcome(c = rig_run(&r, act_call("remember", NULL, 0)), TL_OK, "inv-1");
    assert_string_equal(r.store.value, "done");
    call_free(c);

    title.u.s = STR("in earnest"); /* and the next one is sent */
    c = rig_run(&r, act_call("rename", &title, 1));
    outcome(c, TL_OK, "inv-1");
    assert_int_equal(v.writes, 1);
    assert_int_equal(c->reply.rehearsed.n, 0);
    call_free(c);
    rig_stop(&r);
    loop_stop(server);
    free(url);
}

static void test_rehearsed(void **state)
{
    (void)state;
    everywhere(rehearsed);
}

/* ---- lost answers */

static void test_lost(void **state)
{
    (void)state;
    struct rig r;
    begin(&r, ISOLATION_WORKER, "https://agent.example.com", "nothing");
    struct call *c = rig_run(&r, act_call("crash", NULL, 0));
    assert_true(c->reply.crashed);
    assert_int_equal(c->reply.status, TL_E_UNKNOWN); /* it may have been done */
    assert_non_null(strstr(c->reply.error.text, "act of invoice: \"crash\" of \"inv-1\""));
    call_free(c);
    rig_advance(&r, 1000000);
    c = act_call("crash", NULL, 0);
    c->reads = true;
    rig_run(&r, c);
    assert_int_equal(c->reply.status, TL_E_TEMPORARY); /* what only reads is asked again */
    call_free(c);
    rig_stop(&r);
}

static void drained(enum isolation isolation)
{
    struct rig r;
    begin(&r, isolation, "https://agent.example.com", "nothing");
    struct call *c = act_call("hang", NULL, 0);
    rig_submit(&r, c);
    rig_until(&r, __atomic_load_n(&r.metric_total, __ATOMIC_RELAXED) == 1);
    struct connector_info info;
    r.done = false;
    assert_int_equal(runtime_unload(r.rt, "agent", UNLOAD_DRAIN, 1000000, rig_done, &r, &r.err), TL_OK);
    rig_advance(&r, 2000000);
    rig_wait_done(&r);
    assert_int_equal(r.done_status, E_BUSY); /* the vendor may be at it: it is waited for */
    assert_true(runtime_connector_info(r.rt, "agent", &info));
    assert_int_equal(info.running, 1);
    struct dispatcher *d = runtime_dispatcher(r.rt);
    d->cancel(d->ctx, c);
    rig_wait(&r, c);
    call_free(c);
    rig_stop(&r);
}

static void test_drained(void **state)
{
    (void)state;
    drained(ISOLATION_INPROCESS);
    drained(ISOLATION_WORKER);
}

/* One of 0.1 has neither. */
static void test_without(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r);
    rig_install(&r, "echo", ISOLATION_WORKER);
    assert_int_equal(rig_load(&r, "echo"), TL_OK);
    rig_endpoint(&r, 1, "echo", NULL);
    struct call *c = rig_run(&r, list_call("7", ""));
    assert_int_equal(c->reply.status, TL_E_UNSUPPORTED);
    assert_string_equal(c->reply.error.text, "the connector has no list");
    call_free(c);
    c = rig_run(&r, act_call("rename", NULL, 0));
    assert_int_equal(c->reply.status, TL_E_UNSUPPORTED);
    call_free(c);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_described), cmocka_unit_test(test_refused_descriptions),
        cmocka_unit_test(test_pages),     cmocka_unit_test(test_acts),
        cmocka_unit_test(test_files),     cmocka_unit_test(test_rehearsed),
        cmocka_unit_test(test_lost),      cmocka_unit_test(test_drained),
        cmocka_unit_test(test_without),   cmocka_unit_test(test_transcripts_identical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
