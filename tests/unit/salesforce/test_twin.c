/* The connector against the Salesforce twin: real requests, real sign-in; the twin's control plane plays the other
 * users and the bad days. */
#include "bench.h"

#include <stdio.h>

/* ---- calls */

#define CONTACT_PATHS "first_name,last_name,email,phone,account,description"

static tl_status try_pull(struct bench *b, int32_t mode, const tl_shape *shape, const char *cursor, tl_error *e)
{
    tl_pull p = {.struct_size = sizeof p, .mode = mode, .shape = shape, .cursor = str_of(cursor)};
    return b->connector->pull(b->conn, &p, e);
}

/* Returns the last cursor, lent until the next pull. */
static char *pull(struct bench *b, int32_t mode, const tl_shape *shape, const char *cursor)
{
    static char kept[4096];
    tl_error e = {.struct_size = sizeof e};
    if (cursor != kept)
        snprintf(kept, sizeof kept, "%s", cursor);
    b->fake->n_records = b->fake->n_checkpoints = 0;
    if (try_pull(b, mode, shape, kept, &e) != TL_OK)
        fail_msg("pull: %s %s (%s)", e.code, e.text, e.detail);
    snprintf(kept, sizeof kept, "%s", fake_last_cursor(b->fake));
    return kept;
}

static const struct said_checkpoint *last_checkpoint(struct bench *b)
{
    return &b->fake->checkpoints[b->fake->n_checkpoints - 1];
}

static size_t live_there(struct bench *b, const char *object)
{
    AUTO(text_free) char *path = text_fmt("/salesforce/dump/%s", object);
    json_t *all = bench_sim(b, "GET", path, ""), *one;
    size_t i, n = 0;
    json_array_foreach(all, i, one) n += !json_is_true(json_object_get(one, "IsDeleted"));
    json_decref(all);
    return n;
}

static tl_value text_value(uint32_t field, uint8_t type, const char *text)
{
    return (tl_value){.field = field, .type = type, .u.s = str_of(text)};
}

static uint32_t field_index(const tl_shape *s, const char *path)
{
    for (uint32_t i = 0; i < s->n_fields; i++) {
        if (str_is(TL_AT(tl_field, s->fields, s->field_stride, i)->path, path))
            return i;
    }
    fail_msg("no field %s", path);
    return 0;
}

static tl_status push(struct bench *b, const tl_shape *shape, const tl_record *records, uint32_t n, tl_error *e)
{
    tl_batch batch = {.struct_size = sizeof batch, .count = n, .stride = sizeof *records, .records = records};
    tl_push p = {.struct_size = sizeof p, .shape = shape, .batch = &batch, .stamp_field = TL_STR("Tieline_Id__c")};
    memset(b->fake->results, 0, sizeof b->fake->results);
    *e = (tl_error){.struct_size = sizeof *e};
    tl_status rc = b->connector->push(b->conn, &p, e);
    for (uint32_t i = 0; i < n; i++)
        assert_true(b->fake->results[i].given);
    assert_int_equal(b->fake->doubled, 0);
    return rc;
}

static uint32_t find(struct bench *b, const tl_shape *shape, const tl_query *q, uint32_t n)
{
    tl_find f = {.struct_size = sizeof f, .n_queries = n, .shape = shape, .queries = q, .query_stride = sizeof *q};
    tl_error e = {.struct_size = sizeof e};
    b->fake->n_records = 0;
    if (b->connector->find(b->conn, &f, &e) != TL_OK)
        fail_msg("find: %s (%s)", e.text, e.detail);
    return b->fake->n_records;
}

static tl_shape contacts(struct bench *b)
{
    return fake_shape(b->fake, "contact", CONTACT_PATHS);
}

/* ---- tests */

/* proves: S1-06 */
static void test_check(void **state)
{
    struct bench *b = *state;
    tl_check c = {.struct_size = sizeof c};
    tl_error e = {.struct_size = sizeof e};
    assert_int_equal(b->connector->check(b->conn, &c, &e), TL_OK);
    assert_string_equal(b->fake->org_key, bench_credential(b, "org_id"));
    assert_int_equal(strlen(b->fake->user_id), 18);
    assert_non_null(fake_finding(b->fake, "STAMP_UNIQUE"));
    assert_null(fake_finding(b->fake, "NO_RIGHT"));
    assert_true(b->fake->quota_limit > 0);

    b->fake->n_findings = 0;
    bench_do(b, "POST", "/salesforce/switches", "{\"stamp_field\":0}");
    assert_int_equal(b->connector->check(b->conn, &c, &e), TL_OK);
    assert_non_null(fake_finding(b->fake, "STAMP_MISSING"));
    bench_do(b, "POST", "/salesforce/switches", "{\"stamp_field\":1,\"api_disabled\":1}");
    assert_int_equal(b->connector->check(b->conn, &c, &e), TL_E_CONFIG);
    assert_non_null(strstr(e.text, "no access to the API"));
}

static void test_discover(void **state)
{
    struct bench *b = *state;
    const struct said_kind *k = fake_kind(b->fake, "contact");
    assert_non_null(k);
    assert_string_equal(k->stamp_field, "Tieline_Id__c");
    assert_int_equal(k->can & (TL_CAN_PULL | TL_CAN_PASS | TL_CAN_CREATE | TL_CAN_STAMP_UNIQUE | TL_CAN_RESTORE),
                     TL_CAN_PULL | TL_CAN_PASS | TL_CAN_CREATE | TL_CAN_STAMP_UNIQUE);
    assert_int_equal(k->max_batch, 200);
    tl_shape s = fake_shape(b->fake, "contact", "last_name,email,account,birthday,x.Salutation,x.Tieline_Id__c");
    assert_int_equal(s.n_fields, 6);
    const tl_field *f = &s.fields[field_index(&s, "last_name")];
    assert_int_equal(f->max, 80);
    assert_true(f->flags & TL_F_REQUIRED);
    f = &s.fields[field_index(&s, "account")];
    assert_int_equal(f->type, TL_REF);
    assert_str(f->refers_to, "account");
    assert_int_equal(s.fields[field_index(&s, "birthday")].type, TL_DATE);
    assert_int_equal(s.fields[field_index(&s, "x.Salutation")].type, TL_CHOICE);
    assert_true(s.fields[field_index(&s, "x.Tieline_Id__c")].flags & TL_F_STAMP);
    s = fake_shape(b->fake, "account", "employees,annual_revenue");
    assert_int_equal(s.fields[field_index(&s, "employees")].type, TL_INT);
    assert_int_equal(s.fields[field_index(&s, "employees")].max, 8);
    assert_int_equal(s.fields[field_index(&s, "annual_revenue")].type, TL_DECIMAL);
    assert_int_equal(s.fields[field_index(&s, "annual_revenue")].max, 18);
    s = fake_shape(b->fake, "contact", "*");
    for (uint32_t i = 0; i < s.n_fields; i++) /* in the envelope, never a field */
        assert_false(str_is(s.fields[i].name, "SystemModstamp") || str_is(s.fields[i].name, "Id"));
}

static void test_pass(void **state)
{
    struct bench *b = *state;
    tl_shape s = contacts(b);
    size_t there = live_there(b, "Contact");
    pull(b, TL_PULL_PASS, &s, "");
    assert_int_equal(b->fake->n_records, there);
    assert_int_equal(last_checkpoint(b)->estimate, there);
    for (uint32_t i = 0; i < b->fake->n_records; i++) {
        assert_int_equal(b->fake->records[i].flags, TL_REC_FULL);
        assert_int_equal(b->fake->records[i].n_values, s.n_fields);
        assert_true(b->fake->records[i].modified_us > 0);
    }
    /* in small pages, one a pull, each from the cursor of the one before */
    size_t seen = 0, pulls = 0;
    char cursor[4096] = "";
    for (bool more = true; more; pulls++) {
        tl_pull p = {
            .struct_size = sizeof p, .mode = TL_PULL_PASS, .shape = &s, .cursor = str_of(cursor), .page_hint = 7};
        tl_error e = {.struct_size = sizeof e};
        b->fake->n_records = 0;
        b->fake->pages_left = 1;
        assert_int_equal(b->connector->pull(b->conn, &p, &e), TL_OK);
        seen += b->fake->n_records;
        more = !last_checkpoint(b)->complete;
        snprintf(cursor, sizeof cursor, "%s", fake_last_cursor(b->fake));
    }
    assert_int_equal(seen, there);
    assert_true(pulls >= there / 7);
}

static void test_changes(void **state)
{
    struct bench *b = *state;
    tl_shape s = contacts(b);
    char *cursor = pull(b, TL_PULL_CHANGES, &s, "");
    assert_int_equal(last_checkpoint(b)->complete, 1);
    bench_advance(b, "20m");
    char id[64];
    snprintf(id, sizeof id, "%s", bench_create(b, "Contact", "{\"LastName\":\"O'Brien\",\"Email\":\"ob@x.example\"}"));
    cursor = pull(b, TL_PULL_CHANGES, &s, cursor);
    const struct said_record *r = fake_record(b->fake, id);
    assert_string_equal(fake_value(r, &s, "last_name")->text, "O'Brien");
    assert_int_equal(fake_value(r, &s, "phone")->type, TL_NULL); /* empty, not absent */
    assert_int_equal(b->fake->n_records, 1);

    int calls = b->http_calls;
    cursor = pull(b, TL_PULL_CHANGES, &s, cursor);
    assert_int_equal(b->fake->n_records, 0);    /* counted, not read again */
    assert_int_equal(b->http_calls - calls, 3); /* page and two counts, as its second may still go on */

    bench_advance(b, "1m");
    AUTO(text_free) char *path = text_fmt("/salesforce/records/Contact/%s", id);
    bench_do(b, "PATCH", path, "{\"Phone\":\"+1 555\"}");
    cursor = pull(b, TL_PULL_CHANGES, &s, cursor);
    r = fake_record(b->fake, id);
    assert_string_equal(fake_value(r, &s, "phone")->text, "+1 555");

    AUTO(text_free) char *trash = text_fmt("%s/trash", path);
    bench_advance(b, "1m");
    bench_do(b, "POST", trash, "{}");
    cursor = pull(b, TL_PULL_CHANGES, &s, cursor);
    r = fake_record(b->fake, id);
    assert_int_equal(r->state, TL_STATE_TRASHED);
    pull(b, TL_PULL_CHANGES, &s, cursor);
    assert_int_equal(b->fake->n_records, 0);
}

static void test_merge(void **state)
{
    struct bench *b = *state;
    tl_shape s = contacts(b);
    char winner[64], loser[64];
    snprintf(winner, sizeof winner, "%s", bench_create(b, "Contact", "{\"LastName\":\"Winner\"}"));
    snprintf(loser, sizeof loser, "%s", bench_create(b, "Contact", "{\"LastName\":\"Loser\"}"));
    char *cursor = pull(b, TL_PULL_CHANGES, &s, "");
    bench_advance(b, "1m");
    AUTO(text_free) char *path = text_fmt("/salesforce/records/Contact/%s/merge", loser);
    AUTO(text_free) char *body = text_fmt("{\"master\":\"%s\"}", winner);
    bench_do(b, "POST", path, body);
    pull(b, TL_PULL_CHANGES, &s, cursor);
    const struct said_record *r = fake_record(b->fake, loser);
    assert_int_equal(r->state, TL_STATE_MERGED);
    assert_string_equal(r->into, winner);
}

/* A row whose transaction commits minutes after it was written shows with the old stamp, behind the cursor. */
static void test_late_commit(void **state)
{
    struct bench *b = *state;
    tl_shape s = contacts(b);
    char late[64], *cursor = pull(b, TL_PULL_CHANGES, &s, "");
    bench_advance(b, "20m");
    snprintf(late, sizeof late, "%s", bench_create(b, "Contact", "{\"LastName\":\"Late\",\"$late_ms\":300000}"));
    bench_advance(b, "1m");
    bench_create(b, "Contact", "{\"LastName\":\"Early\"}");
    cursor = pull(b, TL_PULL_CHANGES, &s, cursor);
    assert_null(fake_record(b->fake, late));
    cursor = pull(b, TL_PULL_CHANGES, &s, cursor);
    assert_int_equal(b->fake->n_records, 0);
    bench_advance(b, "6m");
    cursor = pull(b, TL_PULL_CHANGES, &s, cursor);
    assert_non_null(fake_record(b->fake, late));
    pull(b, TL_PULL_CHANGES, &s, cursor);
    assert_int_equal(b->fake->n_records, 0);
}

/* The same while another row moves away from behind the cursor: the count alone would not tell. */
static void test_late_commit_hidden_by_a_change(void **state)
{
    struct bench *b = *state;
    tl_shape s = contacts(b);
    char late[64], mover[64], *cursor = pull(b, TL_PULL_CHANGES, &s, "");
    bench_advance(b, "20m");
    snprintf(late, sizeof late, "%s", bench_create(b, "Contact", "{\"LastName\":\"Late\",\"$late_ms\":300000}"));
    bench_advance(b, "1m");
    snprintf(mover, sizeof mover, "%s", bench_create(b, "Contact", "{\"LastName\":\"Mover\"}"));
    cursor = pull(b, TL_PULL_CHANGES, &s, cursor);
    bench_advance(b, "6m");
    AUTO(text_free) char *path = text_fmt("/salesforce/records/Contact/%s", mover);
    bench_do(b, "PATCH", path, "{\"LastName\":\"Moved\"}");
    pull(b, TL_PULL_CHANGES, &s, cursor);
    assert_non_null(fake_record(b->fake, late));
    assert_non_null(fake_record(b->fake, mover));
}

/* More rows of one second than a page holds: Id decides, none is lost, none comes twice. */
static void test_ties(void **state)
{
    enum { N = 45 };
    struct bench *b = *state;
    tl_shape s = contacts(b);
    char cursor[4096];
    snprintf(cursor, sizeof cursor, "%s", pull(b, TL_PULL_CHANGES, &s, ""));
    bench_advance(b, "20m");
    for (int i = 0; i < N; i++)
        bench_create(b, "Contact", "{\"LastName\":\"Tied\"}");
    uint32_t seen = 0;
    for (int turn = 0; turn < 12; turn++) {
        tl_pull p = {.struct_size = sizeof p, .shape = &s, .cursor = str_of(cursor), .page_hint = 10};
        tl_error e = {.struct_size = sizeof e};
        b->fake->n_records = 0;
        b->fake->pages_left = 1;
        assert_int_equal(b->connector->pull(b->conn, &p, &e), TL_OK);
        seen += b->fake->n_records;
        snprintf(cursor, sizeof cursor, "%s", fake_last_cursor(b->fake));
    }
    assert_int_equal(seen, N);
    assert_int_equal(last_checkpoint(b)->complete, 1);
}

static void test_damaged_cursor(void **state)
{
    struct bench *b = *state;
    tl_shape s = contacts(b);
    static const char *const bad[] = {"x",
                                      "sf.changes.2;at=1",
                                      "sf.changes.1;at=0",
                                      "sf.changes.1;at=5;after=003",
                                      "sf.changes.1;at=5;read=1-2_x",
                                      "sf.pass.1;after=003"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        tl_error e = {.struct_size = sizeof e};
        assert_int_equal(try_pull(b, TL_PULL_CHANGES, &s, bad[i], &e), TL_E_CURSOR_LOST);
    }
}

static void test_push(void **state)
{
    struct bench *b = *state;
    tl_shape s = contacts(b);
    uint32_t last = field_index(&s, "last_name"), email = field_index(&s, "email"), phone = field_index(&s, "phone");
    tl_value one[] = {text_value(last, TL_TEXT, "Straße \"quoted\""), text_value(email, TL_EMAIL, "one@x.example")};
    tl_value two[] = {text_value(email, TL_EMAIL, "two@x.example")}; /* no last name */
    tl_value three[] = {text_value(last, TL_TEXT, "Three"), text_value(email, TL_EMAIL, "not an address")};
    tl_record create[] = {
        {.op = TL_OP_CREATE, .stamp = TL_STR("i1.one"), .values = one, .n_values = 2},
        {.op = TL_OP_CREATE, .stamp = TL_STR("i1.two"), .values = two, .n_values = 1},
        {.op = TL_OP_CREATE, .stamp = TL_STR("i1.three"), .values = three, .n_values = 2},
        {.op = TL_OP_RESTORE, .id = TL_STR("003000000000001AAA")},
    };
    tl_error e;
    assert_int_equal(push(b, &s, create, ARRAY_LEN(create), &e), TL_OK);
    const struct said_result *r = b->fake->results;
    assert_int_equal(r[0].status, TL_OK);
    assert_int_equal(r[0].created, 1);
    assert_int_equal(strlen(r[0].id), 18);
    assert_int_equal(r[1].status, TL_E_INVALID);
    assert_int_equal(r[1].reason, TL_R_REQUIRED_MISSING);
    assert_string_equal(r[1].field, "LastName");
    assert_int_equal(r[2].status, TL_E_INVALID);
    assert_string_equal(r[2].code, "INVALID_EMAIL_ADDRESS");
    assert_int_equal(r[3].status, TL_E_UNSUPPORTED);
    char id[64];
    snprintf(id, sizeof id, "%s", r[0].id);

    assert_int_equal(push(b, &s, create, 1, &e), TL_OK); /* the same stamp: the same record */
    assert_int_equal(r[0].created, 0);
    assert_string_equal(r[0].id, id);

    tl_value clear[] = {{.field = phone, .type = TL_NULL}, text_value(last, TL_TEXT, "Renamed")};
    tl_record change[] = {
        {.op = TL_OP_UPDATE, .id = str_of(id), .values = clear, .n_values = 2},
        {.op = TL_OP_UPDATE, .id = TL_STR("003000000000001AAA"), .values = clear, .n_values = 2},
    };
    assert_int_equal(push(b, &s, change, 2, &e), TL_OK);
    assert_int_equal(r[0].status, TL_OK);
    assert_int_equal(r[1].status, TL_E_NOT_FOUND);

    tl_str ids[] = {str_of(id), TL_STR("003000000000001AAA")};
    tl_get g = {.struct_size = sizeof g, .n_ids = 2, .shape = &s, .ids = ids};
    b->fake->n_records = 0;
    assert_int_equal(b->connector->get(b->conn, &g, &e), TL_OK);
    assert_int_equal(b->fake->n_records, 2);
    const struct said_record *now = fake_record(b->fake, id);
    assert_string_equal(fake_value(now, &s, "last_name")->text, "Renamed");
    assert_string_equal(fake_value(now, &s, "email")->text, "one@x.example"); /* left out: left alone */
    assert_string_equal(now->stamp, "i1.one");
    assert_int_equal(fake_record(b->fake, "003000000000001AAA")->state, TL_STATE_DELETED);

    tl_record gone[] = {{.op = TL_OP_DELETE, .id = str_of(id)}};
    assert_int_equal(push(b, &s, gone, 1, &e), TL_OK);
    assert_int_equal(r[0].status, TL_OK);
    b->fake->n_records = 0;
    assert_int_equal(b->connector->get(b->conn, &g, &e), TL_OK);
    assert_int_equal(fake_record(b->fake, id)->state, TL_STATE_TRASHED);
    assert_int_equal(push(b, &s, change, 1, &e), TL_OK);
    assert_int_equal(r[0].status, TL_E_NOT_FOUND);
}

/* A value of the wrong type refuses the whole call: the record is found, the others are written. */
static void test_bisection(void **state)
{
    enum { N = 37, BAD = 23 };
    struct bench *b = *state;
    tl_shape s = fake_shape(b->fake, "account", "name,employees");
    uint32_t name = field_index(&s, "name"), employees = field_index(&s, "employees");
    tl_value values[N][2];
    tl_record records[N];
    char names[N][16], stamps[N][16];
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "Bisect %d", i);
        snprintf(stamps[i], sizeof stamps[i], "i1.b%d", i);
        values[i][0] = text_value(name, TL_TEXT, names[i]);
        /* JSON that the connector passes through unchecked, so that the vendor meets it */
        values[i][1] = text_value(employees, TL_JSON, i == BAD ? "\"about ten\"" : "12");
        records[i] = (tl_record){.op = TL_OP_CREATE, .stamp = str_of(stamps[i]), .values = values[i], .n_values = 2};
    }
    tl_error e;
    assert_int_equal(push(b, &s, records, N, &e), TL_OK);
    for (int i = 0; i < N; i++) {
        const struct said_result *r = &b->fake->results[i];
        assert_int_equal(r->status, i == BAD ? TL_E_INVALID : TL_OK);
        assert_int_equal(r->reason, i == BAD ? TL_R_TYPE_MISMATCH : 0);
    }
    /* as the host sends it, it is found before it costs a call */
    values[BAD][1] = text_value(employees, TL_TEXT, "about ten");
    int calls = b->http_calls;
    assert_int_equal(push(b, &s, records + BAD, 1, &e), TL_OK);
    assert_int_equal(b->fake->results[0].reason, TL_R_TYPE_MISMATCH);
    assert_int_equal(b->http_calls, calls);
}

static void test_lost_answer(void **state)
{
    struct bench *b = *state;
    tl_shape s = contacts(b);
    tl_value v[] = {text_value(field_index(&s, "last_name"), TL_TEXT, "Lost")};
    tl_record create[] = {{.op = TL_OP_CREATE, .stamp = TL_STR("i1.lost"), .values = v, .n_values = 1}};
    bench_do(b, "POST", "/faults",
             "{\"name\":\"drop-after\",\"twin\":\"salesforce\",\"method\":\"PATCH\",\"times\":1}");
    size_t before = live_there(b, "Contact");
    tl_error e;
    assert_int_equal(push(b, &s, create, 1, &e), TL_OK);
    assert_int_equal(b->fake->results[0].status, TL_E_UNKNOWN);
    assert_int_equal(live_there(b, "Contact"), before + 1); /* it had been applied */
    tl_query by_stamp[] = {{TL_STR("stamp"), TL_STR("i1.lost")}};
    assert_int_equal(find(b, &s, by_stamp, 1), 1);
    assert_string_equal(b->fake->records[0].stamp, "i1.lost");
    assert_int_equal(push(b, &s, create, 1, &e), TL_OK);
    assert_int_equal(b->fake->results[0].status, TL_OK);
    assert_int_equal(b->fake->results[0].created, 0);
    assert_int_equal(live_there(b, "Contact"), before + 1);
}

static void test_find(void **state)
{
    struct bench *b = *state;
    tl_shape s = contacts(b);
    char first[64];
    snprintf(first, sizeof first, "%s",
             bench_create(b, "Contact", "{\"LastName\":\"O'Brien \\\\ x\",\"Email\":\"same@x.example\"}"));
    bench_create(b, "Contact", "{\"LastName\":\"Other\",\"Email\":\"SAME@x.example\"}");
    bench_create(b, "Contact", "{\"LastName\":\"\xc3\x84rger\",\"Email\":\"third@x.example\"}");
    tl_query q[] = {
        {TL_STR("email"), TL_STR("same@X.example")},   {TL_STR("email"), TL_STR("nobody@x.example")},
        {TL_STR("last_name"), TL_STR("o'brien \\ x")}, {TL_STR("email"), TL_STR("third@x.example")},
        {TL_STR("last_name"), TL_STR("\xc3\xa4rger")}, {TL_STR("email"), TL_STR("' OR Id != '")},
    };
    find(b, &s, q, ARRAY_LEN(q));
    uint32_t hits[ARRAY_LEN(q)] = {0};
    for (uint32_t i = 0; i < b->fake->n_records; i++)
        hits[b->fake->records[i].index]++;
    assert_int_equal(hits[0], 2);
    assert_int_equal(hits[1], 0);
    assert_int_equal(hits[2], 1);
    assert_int_equal(hits[3], 1);
    assert_int_equal(hits[4], 1);
    assert_int_equal(hits[5], 0);

    tl_value v[] = {text_value(field_index(&s, "last_name"), TL_TEXT, "Ours")};
    tl_record create[] = {{.op = TL_OP_CREATE, .stamp = TL_STR("i1.ours"), .values = v, .n_values = 1}};
    tl_error e;
    assert_int_equal(push(b, &s, create, 1, &e), TL_OK);
    tl_query ours[] = {{TL_STR("created"), TL_STR("1772366400000000")}}; /* 2026-03-01T12:00:00Z */
    assert_int_equal(find(b, &s, ours, 1), 1);
    assert_string_equal(b->fake->records[0].id, b->fake->results[0].id);
}

/* Only what a list view shows, by its query. */
static void test_list_view(void **state)
{
    struct bench *b = *state;
    tl_shape s = fake_shape(b->fake, "account", "name,website");
    tl_error e = {.struct_size = sizeof e};
    tl_http r;
    const tlk_node *root = NULL, *one;
    assert_int_equal(sf_begin(b->conn, &e), TL_OK);
    sf_get_request(b->conn, &r, sf_path(b->conn, "/sobjects/Account/listviews"));
    assert_int_equal(sf_call(b->conn, &r, &root, &e), TL_OK);
    char ids[8][32];
    size_t n = 0;
    tlk_iter i = tlk_each(tlk_get(root, "listviews"));
    while (n < 8 && tlk_next_item(&i, &one))
        snprintf(ids[n++], sizeof ids[0], "%.*s", STR_FMT(tlk_text(tlk_get(one, "id"), &b->conn->page)));
    assert_true(n >= 2);
    size_t fewest = SIZE_MAX;
    for (size_t k = 0; k < n; k++) {
        tl_pull p = {.struct_size = sizeof p, .mode = TL_PULL_PASS, .shape = &s, .view = str_of(ids[k])};
        b->fake->n_records = 0;
        if (b->connector->pull(b->conn, &p, &e) != TL_OK)
            fail_msg("view %s: %s", ids[k], e.text);
        assert_int_equal(last_checkpoint(b)->estimate, b->fake->n_records);
        fewest = b->fake->n_records < fewest ? b->fake->n_records : fewest;
        p.mode = TL_PULL_CHANGES;
        assert_int_equal(b->connector->pull(b->conn, &p, &e), TL_OK);
    }
    assert_true(fewest < live_there(b, "Account"));
    tl_pull p = {.struct_size = sizeof p, .mode = TL_PULL_PASS, .shape = &s, .view = TL_STR("00B000000000000")};
    assert_int_equal(b->connector->pull(b->conn, &p, &e), TL_E_CONFIG);
    assert_int_equal(e.scope, TL_SCOPE_KIND);
    p.view = STR("x' OR Id != '");
    assert_int_equal(b->connector->pull(b->conn, &p, &e), TL_E_CONFIG);
}

/* Every field of the object; then a query that is too long for an address. */
static void test_wide_shape(void **state)
{
    struct bench *b = *state;
    tl_shape s = fake_shape(b->fake, "contact", "*");
    pull(b, TL_PULL_PASS, &s, "");
    assert_true(b->fake->n_records > 0);
    uint32_t few = b->fake->n_records;
    struct sf_reader rd;
    tl_error e = {.struct_size = sizeof e};
    assert_int_equal(sf_begin(b->conn, &e), TL_OK);
    sf_reader_init(&rd, b->conn, sf_kind_of(STR("contact")), &s);
    TLK_AUTO_BUF q = {0};
    sf_soql_select(&q, rd.kind, &s, rd.stamp);
    tlk_addz(&q, " WHERE LastName != 'x'");
    for (int i = 0; i < 600; i++)
        tlk_addf(&q, " AND LastName != 'name number %d'", i);
    const tlk_node *root = NULL;
    if (sf_query(b->conn, tlk_lent(&q), false, &root, NULL, &e) != TL_OK)
        fail_msg("%s", e.text);
    assert_int_equal(tlk_count(tlk_get(root, "records")), few);
}

static void test_expired_session_and_rotation(void **state)
{
    struct bench *b = *state;
    tl_shape s = contacts(b);
    bench_do(b, "POST", "/login/switches", "{\"rotation\":1}");
    bench_sign_in(b, true);
    pull(b, TL_PULL_PASS, &s, "");
    uint32_t there = b->fake->n_records;
    bench_do(b, "POST", "/faults", "{\"name\":\"expire-token\",\"twin\":\"salesforce\",\"times\":1}");
    pull(b, TL_PULL_PASS, &s, "");
    assert_int_equal(b->fake->n_records, there);
}

static void test_bad_days(void **state)
{
    struct bench *b = *state;
    tl_shape s = contacts(b);
    static const struct {
        const char *fault;
        tl_status status;
    } all[] = {
        {"503-json", TL_E_TEMPORARY},      {"503-html", TL_E_TEMPORARY},
        {"503-empty", TL_E_TEMPORARY},     {"502", TL_E_TEMPORARY},
        {"500", TL_E_TEMPORARY},           {"truncate", TL_E_TEMPORARY},
        {"html", TL_E_TEMPORARY},          {"drop-before", TL_E_TEMPORARY},
        {"query-timeout", TL_E_TEMPORARY}, {"concurrent-limit", TL_E_THROTTLED},
        {"429", TL_E_THROTTLED},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        tl_error e = {.struct_size = sizeof e};
        AUTO(text_free)
        char *body = text_fmt("{\"name\":\"%s\",\"twin\":\"salesforce\",\"path\":\"*/query\"}", all[i].fault);
        bench_do(b, "POST", "/faults", body);
        tl_status rc = try_pull(b, TL_PULL_PASS, &s, "", &e);
        if (rc != all[i].status)
            fail_msg("%s: status %d %s: %s (%s)", all[i].fault, (int)rc, e.code, e.text, e.detail);
        assert_true(e.text[0] != '\0');
        bench_do(b, "DELETE", "/faults", "");
    }
    tl_error e = {.struct_size = sizeof e};
    assert_int_equal(try_pull(b, TL_PULL_PASS, &s, "", &e), TL_OK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        T(test_check),
        T(test_discover),
        T(test_pass),
        T(test_changes),
        T(test_merge),
        T(test_late_commit),
        T(test_late_commit_hidden_by_a_change),
        T(test_ties),
        T(test_damaged_cursor),
        T(test_push),
        T(test_bisection),
        T(test_lost_answer),
        T(test_find),
        T(test_list_view),
        T(test_wide_shape),
        T(test_expired_session_and_rotation),
        T(test_bad_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
