/* SOQL against the twin's store: the language, the refusals and their pictures, null and case rules, order, and that
 * the ways to the rows (ids, stamps, texts) find what a scan finds. */
#include <stdio.h>

#include "unit/unit.h"

#include "salesforce_schema.h"
#include "salesforce_store.h"
#include "soql.h"
#include "times.h"

static const int64_t NOW = INT64_C(1772366400) * US_PER_S; /* 2026-03-01 12:00 UTC, a Sunday */

struct org {
    struct sf_schema schema;
    struct sf_store store;
    struct arena memory;
    struct soql_error e;
    bool all_rows;
};

static int setup(void **state)
{
    struct org *org = test_malloc(sizeof *org);
    *org = (struct org){0};
    sf_schema_init(&org->schema, NOW);
    struct sf_object *contact = sf_schema_object(&org->schema, STR("Contact"));
    static const struct sf_field key = {.name = "Key__c",
                                        .label = "Key",
                                        .type = SF_STRING,
                                        .length = 40,
                                        .flags = F_CUN | F_EXTERNAL | F_UNIQUE | F_INDEX};
    assert_true(sf_object_add(&org->schema, contact, &key, NOW));
    sf_store_init(&org->store, &org->schema);
    *state = org;
    return 0;
}

static int teardown(void **state)
{
    struct org *org = *state;
    sf_store_done(&org->store);
    sf_schema_done(&org->schema);
    arena_done(&org->memory);
    test_free(org);
    return 0;
}

static void set(struct sf_val *v, size_t *n, const struct sf_object *o, const char *field, const char *text)
{
    const struct sf_field *f = sf_object_field(o, str_of(field));
    assert_non_null(f);
    v[(*n)++] = text ? (struct sf_val){.field = f->number, .kind = CELL_TEXT, .text = text, .n = (uint32_t)strlen(text)}
                     : (struct sf_val){.field = f->number, .kind = CELL_NULL};
}

struct person {
    const char *last, *first, *email, *account, *key;
};

static struct sf_record *contact_at(struct org *org, int64_t us, struct person p)
{
    struct sf_object *o = sf_schema_object(&org->schema, STR("Contact"));
    struct sf_val v[8];
    size_t n = 0;
    set(v, &n, o, "LastName", p.last);
    set(v, &n, o, "FirstName", p.first);
    set(v, &n, o, "Email", p.email);
    set(v, &n, o, "AccountId", p.account);
    set(v, &n, o, "Key__c", p.key);
    struct sf_record *r = sf_record_new(&org->store, o);
    struct sf_meta meta = {.now_us = us};
    sf_put(&org->store, r, sf_row_make(r, NULL, v, n, &meta));
    return r;
}

static struct sf_record *account(struct org *org, const char *name)
{
    struct sf_object *o = sf_schema_object(&org->schema, STR("Account"));
    struct sf_val v[2];
    size_t n = 0;
    set(v, &n, o, "Name", name);
    struct sf_record *r = sf_record_new(&org->store, o);
    struct sf_meta meta = {.now_us = NOW};
    sf_put(&org->store, r, sf_row_make(r, NULL, v, n, &meta));
    return r;
}

/* Last names of the result, in order: "Ash,Birch"; or the error's code. */
static const char *ask(struct org *org, const char *text)
{
    AUTO(buf_done) struct buf out = {0};
    AUTO(soql_result_done) struct soql_result found = {0};
    struct soql_world w = {.store = &org->store, .now_us = NOW, .all_rows = org->all_rows};
    struct soql_query *q = soql_parse(&org->memory, str_of(text), &org->e);
    struct soql_plan *p = q ? soql_bind(&org->memory, q, &w, &org->e) : NULL;
    if (!p)
        return org->e.code;
    soql_run(p, &w, &found);
    for (size_t i = 0; i < found.n; i++) {
        const struct sf_object *o = found.rows[i]->record->object;
        buf_text_add(&out, i ? "," : "");
        buf_str(&out, sf_row_text(found.rows[i], o, sf_object_field(o, STR("LastName")) ? "LastName" : "Name"));
    }
    return arena_str(&org->memory, buf_lent(&out)).p;
}

#define ASK(text, expected) assert_string_equal(ask(org, text), expected)
#define C                   "SELECT Id FROM Contact WHERE "
#define BY                  " ORDER BY LastName"

static void four(struct org *org)
{
    struct sf_record *acme = account(org, "Acme");
    contact_at(org, NOW - 2 * US_PER_DAY, (struct person){"Ash", "Ann", "ann@x.example", acme->id, "k1"});
    contact_at(org, NOW - US_PER_DAY, (struct person){"Birch", "Bob", "BOB@x.example", NULL, "k2"});
    contact_at(org, NOW, (struct person){"O'Brien", NULL, NULL, acme->id, NULL});
    contact_at(org, NOW, (struct person){"\xC3\x84rger", "100%", "a_b@x.example", NULL, "k4"});
}

static void compares_without_case_and_knows_null(void **state)
{
    struct org *org = *state;
    four(org);
    ASK(C "LastName = 'ash'", "Ash");
    ASK(C "LastName = '\xC3\xA4RGER'", "\xC3\x84rger");
    ASK(C "LastName = 'O\\'Brien'", "O'Brien");
    ASK(C "Email = null", "O'Brien");
    ASK(C "Email = ''", "O'Brien");
    ASK(C "FirstName != 'ann'" BY, "Birch,O'Brien,\xC3\x84rger");
    ASK(C "FirstName != null" BY, "Ash,Birch,\xC3\x84rger");
    ASK(C "FirstName > 'b'" BY, "Birch");
    ASK(C "IsDeleted = null" BY, "Ash,Birch,O'Brien,\xC3\x84rger");
    ASK("select id from CONTACT where lastname IN ('ASH', 'birch')" BY, "Ash,Birch");
    ASK(C "LastName NOT IN ('ASH', 'birch')" BY, "O'Brien,\xC3\x84rger");
    ASK(C "Name = 'ann ash'", "Ash");
}

static void like_knows_wildcards_and_their_escapes(void **state)
{
    struct org *org = *state;
    four(org);
    ASK(C "Email LIKE '%@X.example'" BY, "Ash,Birch,\xC3\x84rger");
    ASK(C "LastName LIKE '_rger'", "\xC3\x84rger");
    ASK(C "Email LIKE 'a\\_b%'", "\xC3\x84rger");
    ASK(C "Email LIKE 'a_n%'", "Ash");
    ASK(C "FirstName LIKE '100\\%'", "\xC3\x84rger");
    ASK(C "NOT Email LIKE '%'" BY, "O'Brien");
    ASK(C "LastName LIKE '%r%r%'", "\xC3\x84rger");
}

static void sub_selects_have_limits(void **state)
{
    struct org *org = *state;
    four(org);
#define IN_CONTACT "Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Ash')"
#define A          "SELECT Id FROM Account WHERE "
    ASK(A IN_CONTACT " AND Id NOT IN (SELECT AccountId FROM Opportunity)", "Acme");
    ASK(A "Name = 'x' OR " IN_CONTACT, "MALFORMED_QUERY");
    assert_string_equal(org->e.text, "Semi join sub-selects are not allowed with the 'OR' operator");
    ASK(A "Name = 'x' OR (Name = 'y' AND " IN_CONTACT ")", "MALFORMED_QUERY");
    ASK(A "(Name = 'x' OR Name = 'Acme') AND " IN_CONTACT, "Acme");
    ASK(A IN_CONTACT " AND " IN_CONTACT " AND " IN_CONTACT, "MALFORMED_QUERY");
    assert_string_equal(org->e.text, "Maximum 2 semi join sub-selects are allowed");
    ASK(A "ParentId IN (SELECT Id FROM Account)", "MALFORMED_QUERY"); /* of one object with itself */
    ASK(A "Id IN (SELECT OwnerId FROM Contact)", "MALFORMED_QUERY");  /* users, not accounts */
    ASK(A "Id IN (SELECT LastName FROM Contact)", "MALFORMED_QUERY");
    ASK(A "Id IN (SELECT LinkedEntityId FROM ContentDocumentLink WHERE LinkedEntityId = '001000000000001')",
        "MALFORMED_QUERY");
}

static void links_are_asked_for_by_an_end(void **state)
{
    struct org *org = *state;
#define L "SELECT Id FROM ContentDocumentLink"
    ASK(L, "MALFORMED_QUERY");
    ASK(L " WHERE ShareType = 'V'", "MALFORMED_QUERY");
    ASK(L " WHERE LinkedEntityId = '003000000000001' OR ShareType = 'V'", "MALFORMED_QUERY");
    ASK(L " WHERE LinkedEntityId != '003000000000001'", "MALFORMED_QUERY");
    ASK(L " WHERE LinkedEntityId = '003000000000001' AND ContentDocument.FileType = 'SNOTE'", "");
    ASK(L " WHERE ContentDocumentId IN ('069000000000001', '069000000000002')", "");
}

static void logic_wants_parentheses_where_it_mixes(void **state)
{
    struct org *org = *state;
    four(org);
    ASK(C "LastName = 'Ash' OR LastName = 'Birch'" BY, "Ash,Birch");
    ASK(C "(LastName = 'Ash' OR LastName = 'Birch') AND FirstName = 'Bob'", "Birch");
    ASK(C "LastName = 'Ash' OR LastName = 'Birch' AND FirstName = 'Bob'", "MALFORMED_QUERY");
    ASK(C "NOT (LastName = 'Ash' OR LastName = 'Birch')" BY, "O'Brien,\xC3\x84rger");
}

static void parents_and_semi_joins(void **state)
{
    struct org *org = *state;
    four(org);
    ASK(C "Account.Name = 'ACME'" BY, "Ash,O'Brien");
    ASK("SELECT c.Id FROM Contact c WHERE c.Account.Name = 'acme' ORDER BY c.LastName", "Ash,O'Brien");
    ASK("SELECT Contact.Id FROM Contact WHERE Contact.LastName = 'ash'", "Ash");
    ASK("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Ash')", "Acme");
    ASK("SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact)", "");
    ASK("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Task)", "MALFORMED_QUERY");
    ASK("SELECT Nope.Name FROM Contact", "INVALID_FIELD");
    ASK(C "Owner.Name = 'x'", "");
    ASK("SELECT Who.Name, Who.Email, What.Name, Owner.Name FROM Task", "");
    ASK("SELECT Who.Department FROM Task", "INVALID_FIELD"); /* not of every object it may lead to */
    ASK("SELECT Who.Account.Name FROM Task", "INVALID_FIELD");
}

static void dates_and_their_words(void **state)
{
    struct org *org = *state;
    four(org);
    ASK(C "SystemModstamp >= 2026-02-28T12:00:00Z" BY, "Birch,O'Brien,\xC3\x84rger");
    ASK(C "SystemModstamp > 2026-02-28T12:00:00Z" BY, "O'Brien,\xC3\x84rger");
    ASK(C "SystemModstamp = 2026-02-28T13:00:00+01:00", "Birch");
    ASK(C "SystemModstamp < 2026-02-28T12:00:00.000Z", "Ash");
    ASK(C "CreatedDate = TODAY" BY, "O'Brien,\xC3\x84rger");
    ASK(C "CreatedDate = YESTERDAY", "Birch");
    ASK(C "CreatedDate < TODAY" BY, "Ash,Birch");
    ASK(C "CreatedDate = LAST_N_DAYS:1" BY, "Birch,O'Brien,\xC3\x84rger");
    ASK(C "CreatedDate = N_DAYS_AGO:2", "Ash");
    ASK(C "CreatedDate = THIS_WEEK" BY, "O'Brien,\xC3\x84rger");
    ASK(C "CreatedDate = LAST_MONTH" BY, "Ash,Birch");
    ASK(C "CreatedDate > THIS_YEAR", "");
    ASK(C "CreatedDate = 2026-03-01", "INVALID_FIELD");
    ASK(C "CreatedDate = '2026-03-01T00:00:00Z'", "INVALID_FIELD");
    ASK(C "Birthdate = 2026-02-30", "MALFORMED_QUERY");
}

static void date_words_at_the_edges(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        int64_t n, lo, hi;
    } rows[] = {
        /* 2024-02-29, a Thursday, is day 19782 */
        {"THIS_WEEK", 0, 19778, 19785},     {"THIS_MONTH", 0, 19754, 19783},  {"NEXT_MONTH", 0, 19783, 19814},
        {"THIS_QUARTER", 0, 19723, 19814},  {"LAST_YEAR", 0, 19358, 19723},   {"NEXT_N_DAYS", 3, 19783, 19786},
        {"LAST_N_MONTHS", 2, 19692, 19754}, {"N_YEARS_AGO", 1, 19358, 19723}, {"LAST_90_DAYS", 0, 19692, 19783},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t lo = 0, hi = 0;
        assert_true(soql_date_range(str_of(rows[i].word), rows[i].n, 19782, &lo, &hi));
        assert_int_equal(lo, rows[i].lo);
        assert_int_equal(hi, rows[i].hi);
    }
}

static void order_limit_and_offset(void **state)
{
    struct org *org = *state;
    four(org);
    ASK("SELECT Id FROM Contact ORDER BY LastName DESC LIMIT 2", "\xC3\x84rger,O'Brien");
    ASK("SELECT Id FROM Contact ORDER BY Email", "O'Brien,\xC3\x84rger,Ash,Birch");
    ASK("SELECT Id FROM Contact ORDER BY Email NULLS LAST", "\xC3\x84rger,Ash,Birch,O'Brien");
    ASK("SELECT Id FROM Contact ORDER BY Account.Name DESC NULLS LAST, LastName", "Ash,O'Brien,Birch,\xC3\x84rger");
    ASK("SELECT Id FROM Contact ORDER BY LastName LIMIT 1 OFFSET 1", "Birch");
    ASK("SELECT Id FROM Contact ORDER BY LastName LIMIT 1 OFFSET 9", "");
    ASK("SELECT Id FROM Contact LIMIT 0", "");
    ASK("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE");
    ASK("SELECT Id FROM Contact ORDER BY Description", "INVALID_FIELD");
}

static void refuses_as_the_vendor_does(void **state)
{
    struct org *org = *state;
    ASK("SELECT Id, Id FROM Contact", "INVALID_FIELD");
    assert_string_equal(org->e.text, "duplicate field selected: Id");
    ASK(C "Description = 'x'", "INVALID_FIELD");
    assert_non_null(strstr(org->e.text, "field 'Description' can not be filtered in a query call"));
    ASK("SELECT Id FROM Xyzzy", "INVALID_TYPE");
    ASK("SELECT Id FROM Contact WHERE Id = 'short'", "INVALID_QUERY_FILTER_OPERATOR");
    ASK("SELECT Id FROM Contact WHERE Id LIKE '003%'", "INVALID_QUERY_FILTER_OPERATOR");
    ASK("SELECT Id FROM Account WHERE AnnualRevenue LIKE '1%'", "INVALID_QUERY_FILTER_OPERATOR");
    ASK("SELECT Id FROM Account WHERE AnnualRevenue = '1'", "INVALID_FIELD");
    ASK(C "LastName = 'open", "MALFORMED_QUERY");
    ASK(C "LastName = 'bad \\x escape'", "MALFORMED_QUERY");
    ASK(C "LastName = \"x\"", "MALFORMED_QUERY");
    ASK("SELECT FROM Contact", "MALFORMED_QUERY");
    ASK("SELECT Id, FROM Contact", "MALFORMED_QUERY");
    ASK("SELECT Id FROM Contact GROUP BY Id", "MALFORMED_QUERY");
    ASK("SELECT Id FROM Contact; DROP", "MALFORMED_QUERY");
    ASK("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY");
    ASK("SELECT FIELDS(ALL) FROM Contact LIMIT 200", "");
    ASK("SELECT COUNT(), Id FROM Contact", "MALFORMED_QUERY");
    ASK("", "MALFORMED_QUERY");
    ASK("SELECT Id FROM\nContact WHERE Foo = 1", "INVALID_FIELD");
}

static void errors_draw_the_place(void **state)
{
    struct org *org = *state;
    ASK("SELECT Foo FROM Contact", "INVALID_FIELD");
    assert_string_equal(
        org->e.text, "\nSELECT Foo FROM Contact\n       ^\nERROR at Row:1:Column:8\n"
                     "No such column 'Foo' on entity 'Contact'. If you are attempting to use a custom field, be sure "
                     "to append the '__c' after the custom field name. Please reference your WSDL or the describe "
                     "call for the appropriate names.");
}

static void lengths_are_limited(void **state)
{
    struct org *org = *state;
    AUTO(buf_done) struct buf text = {0};
    buf_text_add(&text, C "LastName = '");
    for (int i = 0; i < SOQL_STRING_MAX * 7; i++)
        buf_char(&text, 'x');
    buf_char(&text, '\'');
    ASK(buf_text(&text), "MALFORMED_QUERY");
    while (text.n <= SOQL_LENGTH_MAX)
        buf_char(&text, ' ');
    ASK(buf_text(&text), "MALFORMED_QUERY");
    assert_non_null(strstr(org->e.text, "cannot be longer than 100000"));
}

static void bin_and_archive_show_in_query_all_only(void **state)
{
    struct org *org = *state;
    struct sf_record *r = contact_at(org, NOW, (struct person){.last = "Gone"});
    struct sf_meta meta = {.now_us = NOW, .deleted = true};
    sf_put(&org->store, r, sf_row_make(r, r->now, NULL, 0, &meta));
    ASK("SELECT Id FROM Contact", "");
    org->all_rows = true;
    ASK("SELECT Id FROM Contact", "Gone");
    ASK(C "IsDeleted = false", "");
    sf_purge(&org->store, r);
    ASK("SELECT Id FROM Contact", "");
}

/* The index ways against a scan, over a store with updates, ties, late commits and rows moved back in time. */
static void every_way_finds_what_a_scan_finds(void **state)
{
    struct org *org = *state;
    struct sf_object *o = sf_schema_object(&org->schema, STR("Contact"));
    uint64_t seed = 42;
    char text[64];
    for (int i = 0; i < 3000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        unsigned pick = (unsigned)(seed >> 33), second = (pick / 7) % 50;
        struct sf_table *t = sf_store_table(&org->store, o);
        snprintf(text, sizeof text, "P%u", pick % 97);
        if (t->n < 20 || pick % 3 == 0) {
            contact_at(org, NOW + second * US_PER_S, (struct person){.last = text, .email = text});
            continue;
        }
        struct sf_record *r = t->records[pick % t->n];
        struct sf_meta meta = {.now_us = NOW + second * US_PER_S};
        struct sf_val v[1];
        size_t n = 0;
        set(v, &n, o, "Email", pick % 11 ? text : NULL);
        if (r->late || !r->now)
            continue;
        if (pick % 5 == 0)
            sf_put_late(&org->store, r, sf_row_make(r, r->now, v, n, &meta), NOW + (second + 7) * US_PER_S);
        else
            sf_put(&org->store, r, sf_row_make(r, r->now, v, n, &meta));
        if (i % 40 == 0)
            sf_settle(&org->store, NOW + second * US_PER_S);
    }
    for (unsigned i = 0; i < 97; i++) {
        char by_index[80], by_scan[120], by_stamp[160];
        snprintf(by_index, sizeof by_index, C "Email IN ('p%u')" BY ", Id", i);
        snprintf(by_scan, sizeof by_scan, C "(Email = 'p%u' OR Title = 'never')" BY ", Id", i);
        assert_string_equal(ask(org, by_index), ask(org, by_scan));
        snprintf(by_stamp, sizeof by_stamp, C "SystemModstamp >= 2026-03-01T12:00:%02uZ ORDER BY SystemModstamp, Id",
                 i % 50);
        snprintf(by_scan, sizeof by_scan, C "LastModifiedDate >= 2026-03-01T12:00:%02uZ ORDER BY LastModifiedDate, Id",
                 i % 50);
        assert_string_equal(ask(org, by_stamp), ask(org, by_scan));
    }
}

static void a_lost_locator_resumes_by_stamp_and_id(void **state)
{
    struct org *org = *state;
    char last[8], query[200];
    struct sf_record *r[6];
    for (int i = 0; i < 6; i++) {
        snprintf(last, sizeof last, "R%d", i);
        r[i] = contact_at(org, NOW + (i / 3) * US_PER_S, (struct person){.last = last});
    }
    snprintf(query, sizeof query,
             C "(SystemModstamp > 2026-03-01T12:00:00Z OR (SystemModstamp = 2026-03-01T12:00:00Z AND Id > '%s')) "
               "ORDER BY SystemModstamp, Id",
             r[1]->id);
    ASK(query, "R2,R3,R4,R5");
}

static void ids_have_check_characters(void **state)
{
    struct org *org = *state;
    char id[SF_ID_MAX + 1];
    sf_id_make("003", 12345, id);
    uint32_t number = 0;
    assert_true(sf_id_parse(str_of(id), &number));
    assert_int_equal(number, 12345);
    assert_true(sf_id_valid(STR("a0D30000001n7PiEAI"))); /* the published example */
    assert_false(sf_id_valid(STR("a0D30000001n7PiEAJ")));
    assert_false(sf_id_valid(STR("a0D30000001n7p")));
    struct sf_record *r = contact_at(org, NOW, (struct person){.last = "x"});
    assert_ptr_equal(sf_find(&org->store, str_n(r->id, 15)), r);
    assert_null(sf_find(&org->store, STR("0035j0000Azzzzz")));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(compares_without_case_and_knows_null),
        TEST(like_knows_wildcards_and_their_escapes),
        TEST(sub_selects_have_limits),
        TEST(links_are_asked_for_by_an_end),
        TEST(logic_wants_parentheses_where_it_mixes),
        TEST(parents_and_semi_joins),
        TEST(dates_and_their_words),
        cmocka_unit_test(date_words_at_the_edges),
        TEST(order_limit_and_offset),
        TEST(refuses_as_the_vendor_does),
        TEST(errors_draw_the_place),
        TEST(lengths_are_limited),
        TEST(bin_and_archive_show_in_query_all_only),
        TEST(every_way_finds_what_a_scan_finds),
        TEST(a_lost_locator_resumes_by_stamp_and_id),
        TEST(ids_have_check_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
