/* Tickets: what discover makes of their metadata, and their lists beside a contact or an account. */
#include "desk.h"
#include "portal.h"

#include <stdlib.h>

static void can(struct portal *f, int slot, const char *part, int32_t status, const char *body, int times)
{
    f->canned[slot] = (struct canned){part, status, TL_OK, body, times};
}

/* The type of status is told wrongly, and much is not told at all. */
#define FIELDS                                                                                                         \
    "{\"data\":[{\"apiName\":\"subject\",\"displayLabel\":\"Subject\",\"type\":\"Text\",\"isMandatory\":true},"        \
    "{\"apiName\":\"status\",\"displayLabel\":\"Status\",\"type\":\"Number\",\"isMandatory\":true},"                   \
    "{\"apiName\":\"priority\",\"type\":\"Picklist\",\"allowedValues\":[{\"value\":\"High\"}]},"                       \
    "{\"apiName\":\"departmentId\",\"type\":\"LookUp\"},"                                                              \
    "{\"apiName\":\"cf_order\",\"type\":\"Text\",\"isCustomField\":true,\"maxLength\":100},"                           \
    "{\"apiName\":\"cf_tieline_id\",\"type\":\"Text\",\"isCustomField\":true,\"maxLength\":100}]}"

static tl_shape shape_of(struct portal *f, const char *paths)
{
    static const tl_str kinds[] = {TL_STR("ticket")};
    const tl_discover q = {.struct_size = sizeof(q), .n_kinds = 1, .kinds = kinds};
    tl_error e = {.struct_size = sizeof(e)};
    can(f, 7, "/organizationFields?module=tickets", 200, FIELDS, 1);
    assert_int_equal(desk_discover(f->conn, &q, &e), TL_OK);
    f->host.record = NULL; /* keeps every record */
    return fake_shape(&f->host, "ticket", paths);
}

static const tl_field *field_of(const struct portal *f, const char *path)
{
    const struct said_kind *k = fake_kind(&f->host, "ticket");
    for (uint32_t i = 0; i < k->n_fields; i++) {
        if (tlk_is(k->fields[i].path, path))
            return &k->fields[i];
    }
    fail_msg("no field %s", path);
    return NULL;
}

static void test_what_discover_makes_of_tickets(void **state)
{
    (void)state;
    static const struct {
        const char *path, *name;
        uint32_t type;
    } expected[] = {
        {"number", "ticketNumber", TL_TEXT},    {"subject", "subject", TL_TEXT},
        {"status", "status", TL_TEXT},          {"status_type", "statusType", TL_TEXT},
        {"priority", "priority", TL_CHOICE},    {"contact", "contactId", TL_REF},
        {"account", "accountId", TL_REF},       {"owner", "assigneeId", TL_REF},
        {"department", "departmentId", TL_REF}, {"due", "dueDate", TL_TIME},
        {"created", "createdTime", TL_TIME},    {"closed", "closedTime", TL_TIME},
        {"overdue", "isOverDue", TL_BOOL},      {"escalated", "isEscalated", TL_BOOL},
        {"x.cf_order", "cf.cf_order", TL_TEXT},
    };
    struct portal *f = portal_new();
    shape_of(f, "*");
    const struct said_kind *k = fake_kind(&f->host, "ticket");
    assert_int_equal(k->can, TL_CAN_PULL | TL_CAN_PASS | TL_CAN_FIND | TL_CAN_DELETED);
    assert_int_equal(k->max_batch, 0);
    assert_string_equal(k->stamp_field, ""); /* nothing is written, so nothing is stamped */
    for (size_t i = 0; i < TLK_LEN(expected); i++) {
        const tl_field *x = field_of(f, expected[i].path);
        assert_true(tlk_is(x->name, expected[i].name));
        assert_int_equal(x->type, expected[i].type);
        assert_int_equal(x->flags & (TL_F_READONLY | TL_F_REQUIRED | TL_F_STAMP), TL_F_READONLY);
    }
    assert_true(tlk_is(field_of(f, "owner")->refers_to, "user"));
    assert_int_equal(field_of(f, "subject")->flags & TL_F_MATCH, TL_F_MATCH);
    portal_free(f);
}

/* ---- lists */

/* Searches answer from these, by the query alone. */
static struct {
    uint32_t n;
    const char *(*row)(uint32_t i); /* without id and number */
    bool no_open_word, open_refused, no_owner;
    uint32_t limit_max, searches;
    char last[1024]; /* query of the last search */
} world;

static const char *mixed(uint32_t i)
{
    static const char *const rows[] = {
        "\"status\":\"Open\",\"statusType\":\"Open\",\"priority\":\"High\",\"isOverDue\":true,\"isEscalated\":false",
        "\"status\":\"Waiting\",\"statusType\":\"On Hold\",\"priority\":\"Low\",\"isOverDue\":\"false\"",
        "\"status\":\"Closed\",\"statusType\":\"Closed\",\"priority\":\"HIGH\",\"dueDate\":\"2001-01-01T00:00:00."
        "000Z\"",
        "\"status\":\"Escalated\",\"statusType\":\"OPEN\",\"isEscalated\":\"true\","
        "\"dueDate\":\"2001-01-01T00:00:00.000Z\""};
    return rows[i % 4];
}

static const char *all_closed(uint32_t i)
{
    (void)i;
    return "\"status\":\"Closed\",\"statusType\":\"Closed\"";
}

/* Only the last of many is open. */
static const char *one_open(uint32_t i)
{
    return i + 1 == world.n ? "\"statusType\":\"Open\"" : "\"statusType\":\"Closed\"";
}

static int64_t number_in(const char *url, const char *name, int64_t otherwise)
{
    const char *at = strstr(url, name);
    return at ? strtoll(at + strlen(name), NULL, 10) : otherwise;
}

static bool is_searched(const char *url, uint32_t i)
{
    const char *row = world.row(i);
    if (strstr(url, "status=%24%7Bopen%7D"))
        return strstr(row, "\"statusType\":\"Open\"") || strstr(row, "\"statusType\":\"OPEN\"");
    return !strstr(url, "priority=High") || strstr(row, "\"High\"") || strstr(row, "\"HIGH\"");
}

static void search_page(struct portal *f, const char *url, tl_http *r)
{
    int64_t from = number_in(url, "&from=", 0), limit = number_in(url, "&limit=", 10), at = 0, put = 0;
    TLK_AUTO_BUF b = {0};
    tlk_addz(&b, "{\"data\":[");
    for (uint32_t i = 0; i < world.n; i++) {
        if (!is_searched(url, i) || at++ < from || put == limit)
            continue;
        tlk_addf(&b, "%s{\"id\":\"%u\",\"ticketNumber\":\"%u\",%s}", put++ ? "," : "", 1000 + i, i, world.row(i));
    }
    tlk_addf(&b, "],\"count\":%lld}", (long long)at);
    r->status = put ? 200 : 204;
    r->out_body = put ? tlk_dup(&f->answers, tlk_lent(&b)) : TLK_NONE;
}

static void refuse(tl_http *r, const char *body)
{
    r->status = strstr(body, "URL_NOT_FOUND") ? 404 : 422;
    r->out_body = tlk_str(body);
}

static tl_status http(struct fake_host *h, tl_http *r, uint32_t n, tl_error *e)
{
    struct portal *f = (struct portal *)(void *)h;
    (void)e;
    assert_int_equal(n, 1);
    tlk_arena_reset(&f->answers);
    const char *url = tlk_dup(&f->answers, r->url).p;
    r->outcome = TL_OK;
    if (!strstr(url, "/tickets/search?")) {
        assert_true(strstr(url, "/contacts/7") || strstr(url, "/accounts/7"));
        r->status = 200;
        r->out_body = TL_STR("{\"id\":\"7\"}");
        if (world.no_owner)
            refuse(r, "{\"errorCode\":\"URL_NOT_FOUND\",\"message\":\"The URL you requested could not be found.\"}");
        return TL_OK;
    }
    world.searches++;
    snprintf(world.last, sizeof world.last, "%s", url);
    bool open = strstr(url, "status=%24%7Bopen%7D") != NULL;
    if (world.limit_max && number_in(url, "&limit=", 10) > world.limit_max)
        refuse(r, "{\"errorCode\":\"UNPROCESSABLE_ENTITY\",\"message\":\"The value passed for the 'limit' query "
                  "parameter is invalid.\"}");
    else if (open && world.open_refused)
        refuse(r, "{\"errorCode\":\"UNPROCESSABLE_ENTITY\",\"message\":\"The value passed for the 'status' query "
                  "parameter is invalid.\"}");
    else if (open && world.no_open_word)
        r->status = 204;
    else
        search_page(f, url, r);
    return TL_OK;
}

static struct portal *begin(uint32_t n, const char *(*row)(uint32_t i), tl_shape *shape)
{
    struct portal *f = portal_new();
    memset(&world, 0, sizeof world);
    world.n = n;
    world.row = row;
    *shape = shape_of(f, "*");
    f->host.http = http;
    return f;
}

static tl_status list(struct portal *f, const tl_shape *s, const char *about, const char *filter, uint32_t limit,
                      tl_error *e)
{
    AUTO(text_free) char *cursor = text_dup(f->cursor);
    const tl_list q = {.struct_size = sizeof(q),
                       .limit = limit,
                       .shape = s,
                       .about_kind = tlk_str(about),
                       .about_id = TL_STR("7"),
                       .filter = tlk_str(filter),
                       .cursor = tlk_str(cursor)};
    *e = (tl_error){.struct_size = sizeof(*e)};
    f->host.n_checkpoints = f->host.n_records = 0;
    f->host.pages_left = 1; /* the host takes one page, and says so */
    tl_status rc = desk_view.list(f->conn, &q, e);
    assert_int_equal(f->host.n_checkpoints, rc == TL_OK);
    if (rc == TL_OK) {
        portal_set_cursor(f, f->host.checkpoints[0].cursor);
        f->complete = f->host.checkpoints[0].complete;
    }
    return rc;
}

/* The ids of the page, each followed by a blank. */
static const char *ids_of(struct portal *f)
{
    TLK_AUTO_BUF b = {0};
    for (uint32_t i = 0; i < f->host.n_records; i++)
        tlk_addf(&b, "%s ", f->host.records[i].id);
    return tlk_dup(&f->kept, tlk_lent(&b)).p;
}

static void test_a_list_page_by_page(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(5, mixed, &s);
    tl_error e;
    assert_int_equal(list(f, &s, "contact", "", 2, &e), TL_OK);
    assert_string_equal(ids_of(f), "1000 1001 ");
    assert_false(f->complete);
    assert_int_equal(f->host.checkpoints[0].estimate, 5);
    assert_non_null(strstr(world.last, "contactId=7&sortBy=-createdTime&limit=2"));
    assert_int_equal(list(f, &s, "contact", "", 2, &e), TL_OK);
    assert_string_equal(ids_of(f), "1002 1003 ");
    assert_int_equal(list(f, &s, "contact", "", 2, &e), TL_OK);
    assert_string_equal(ids_of(f), "1004 ");
    assert_true(f->complete);
    portal_set_cursor(f, "");
    assert_int_equal(list(f, &s, "account", "", 50, &e), TL_OK);
    assert_true(f->complete);
    assert_int_equal(f->host.n_records, 5);
    assert_non_null(strstr(world.last, "accountId=7&"));
    portal_free(f);
}

static void test_the_parts_of_a_list(void **state)
{
    (void)state;
    static const struct {
        const char *filter, *ids, *asked;
    } cases[] = {
        {"open", "1000 1003 ", "status=%24%7Bopen%7D"},
        {"overdue", "1000 1003 ", "dueDateRange=1970-01-01T00%3A00%3A00.000Z%2C2023-11-14T22%3A13%3A20.000Z"},
        {"closed", "1002 ", "contactId=7"},
        {"escalated", "1003 ", "contactId=7"},
        {"high_priority", "1000 1002 ", "priority=High"},
    };
    for (size_t i = 0; i < TLK_LEN(cases); i++) {
        tl_shape s;
        struct portal *f = begin(4, mixed, &s);
        tl_error e;
        assert_int_equal(list(f, &s, "contact", cases[i].filter, 10, &e), TL_OK);
        assert_string_equal(ids_of(f), cases[i].ids);
        assert_true(f->complete);
        assert_int_equal(f->host.checkpoints[0].estimate, -1); /* known of those that were read */
        assert_non_null(strstr(world.last, cases[i].asked));
        portal_free(f);
    }
}

/* A portal that does not know "${open}" refuses it, or looks for a status of that name. */
static void test_open_ones_where_the_word_is_not_known(void **state)
{
    (void)state;
    for (int refused = 0; refused <= 1; refused++) {
        tl_shape s;
        struct portal *f = begin(250, one_open, &s);
        tl_error e;
        world.open_refused = refused;
        world.no_open_word = !refused;
        assert_int_equal(list(f, &s, "contact", "open", 10, &e), TL_OK);
        assert_string_equal(ids_of(f), "1249 ");
        assert_true(f->complete);
        assert_int_equal(world.searches, 4); /* in vain, then three pages */
        portal_free(f);
    }
}

/* Where it was seen to be known, an empty answer is believed. */
static void test_no_open_ones(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(4, mixed, &s);
    tl_error e;
    assert_int_equal(list(f, &s, "contact", "open", 10, &e), TL_OK);
    world.row = all_closed;
    world.searches = 0;
    portal_set_cursor(f, "");
    assert_int_equal(list(f, &s, "contact", "open", 10, &e), TL_OK);
    assert_int_equal(f->host.n_records, 0);
    assert_true(f->complete);
    assert_int_equal(world.searches, 1);
    portal_free(f);
}

/* A page ends in the middle of what was read for it: the next one begins there. */
static void test_pages_of_a_part(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(40, mixed, &s);
    tl_error e;
    uint32_t n = 0;
    do {
        assert_int_equal(list(f, &s, "contact", "closed", 3, &e), TL_OK);
        for (uint32_t i = 0; i < f->host.n_records; i++, n++)
            assert_int_equal(strtol(f->host.records[i].id, NULL, 10), 1002 + 4 * n);
    } while (!f->complete);
    assert_int_equal(n, 10);
    portal_free(f);
}

static void test_the_end_of_what_a_search_reaches(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(5000, all_closed, &s);
    tl_error e;
    uint32_t n = 0;
    do {
        assert_int_equal(list(f, &s, "contact", "", 100, &e), TL_OK);
        assert_int_equal(f->host.checkpoints[0].estimate, 5000);
        n += f->host.n_records;
    } while (!f->complete);
    assert_int_equal(n, 1000);
    portal_free(f);
}

static void test_where_only_99_rows_are_allowed(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(150, all_closed, &s);
    tl_error e;
    world.limit_max = 99;
    assert_int_equal(list(f, &s, "contact", "", 150, &e), TL_OK);
    assert_int_equal(f->host.n_records, 150);
    assert_true(f->complete);
    portal_free(f);
}

static void test_tickets_of_nobody(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(0, mixed, &s);
    tl_error e;
    assert_int_equal(list(f, &s, "contact", "", 10, &e), TL_OK);
    assert_true(f->complete);
    assert_int_equal(f->host.checkpoints[0].estimate, 0);
    world.no_owner = true;
    portal_set_cursor(f, "");
    assert_int_equal(list(f, &s, "contact", "", 10, &e), TL_E_NOT_FOUND);
    portal_free(f);
}

/* What a search would take for several ids, or for any, is the id of nobody. */
static void test_ids_that_are_none(void **state)
{
    (void)state;
    static const char *const ids[] = {"7,8", "*", "${notempty}", ""};
    tl_shape s;
    struct portal *f = begin(4, mixed, &s);
    for (size_t i = 0; i < TLK_LEN(ids); i++) {
        tl_error e = {.struct_size = sizeof(e)};
        const tl_list q = {
            .struct_size = sizeof(q), .shape = &s, .about_kind = TL_STR("contact"), .about_id = tlk_str(ids[i])};
        assert_int_equal(desk_view.list(f->conn, &q, &e), TL_E_NOT_FOUND);
    }
    assert_int_equal(world.searches, 0);
    portal_free(f);
}

static void test_lists_that_are_none(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(4, mixed, &s);
    tl_error e;
    assert_int_equal(list(f, &s, "deal", "", 10, &e), TL_E_UNSUPPORTED);
    assert_int_equal(list(f, &s, "contact", "lost", 10, &e), TL_E_UNSUPPORTED);
    assert_int_equal(list(f, &portal_shape, "account", "", 10, &e), TL_E_UNSUPPORTED);
    portal_set_cursor(f, "desk.tickets.1;from=5000");
    assert_int_equal(list(f, &s, "contact", "", 10, &e), TL_E_CURSOR_LOST);
    portal_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_discover_makes_of_tickets),
        cmocka_unit_test(test_a_list_page_by_page),
        cmocka_unit_test(test_the_parts_of_a_list),
        cmocka_unit_test(test_open_ones_where_the_word_is_not_known),
        cmocka_unit_test(test_no_open_ones),
        cmocka_unit_test(test_pages_of_a_part),
        cmocka_unit_test(test_the_end_of_what_a_search_reaches),
        cmocka_unit_test(test_where_only_99_rows_are_allowed),
        cmocka_unit_test(test_tickets_of_nobody),
        cmocka_unit_test(test_ids_that_are_none),
        cmocka_unit_test(test_lists_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
