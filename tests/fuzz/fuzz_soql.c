/* The Salesforce twin's readers of foreign bytes: SOQL against a small store, and request bodies. What parses must be
 * bound or refused with a code, what is bound must run; a body that parses must survive being written and read again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "json_tree.h"
#include "salesforce_store.h"
#include "soql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void add_contact(struct sf_store *s, const struct sf_object *o, const char *name, int64_t us)
{
    struct sf_val v = {.field = sf_object_field(o, STR("LastName"))->number, .kind = CELL_TEXT, .text = name};
    struct sf_meta meta = {.now_us = us};
    v.n = (uint32_t)strlen(name);
    struct sf_record *r = sf_record_new(s, o);
    sf_put(s, r, sf_row_make(r, NULL, &v, 1, &meta));
}

static void run_query(str text)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(soql_result_done) struct soql_result found = {0};
    struct sf_schema *schema = malloc(sizeof *schema);
    struct sf_store store;
    if (!schema)
        abort();
    sf_schema_init(schema, 0);
    sf_store_init(&store, schema);
    const struct sf_object *contact = sf_schema_object(schema, STR("Contact"));
    add_contact(&store, contact, "Ash", 1000000);
    add_contact(&store, contact, "\xC3\x84rger", 2000000);
    struct soql_world w = {.store = &store, .now_us = INT64_C(1772366400000000), .all_rows = true};
    struct soql_error e = {0};
    struct soql_query *q = soql_parse(&a, text, &e);
    struct soql_plan *p = q ? soql_bind(&a, q, &w, &e) : NULL;
    if (!p && !e.code)
        abort();
    if (p)
        soql_run(p, &w, &found);
    soql_result_done(&found);
    sf_store_done(&store);
    sf_schema_done(schema);
    free(schema);
}

static void read_body(str text)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf once = {0}, twice = {0};
    struct sj_fault fault;
    struct sj *v = sj_parse(&a, text, &fault);
    if (!v) {
        if (!*fault.text)
            abort();
        return;
    }
    sj_write(&once, v);
    v = sj_parse(&a, buf_lent(&once), &fault);
    if (!v)
        abort();
    sj_write(&twice, v);
    if (!str_eq(buf_lent(&once), buf_lent(&twice)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    /* A copy without anything behind it, so that the sanitizer sees a read past the end. */
    char *copy = malloc(n ? n : 1);
    if (!copy)
        abort();
    if (n)
        memcpy(copy, data, n);
    run_query(str_n(copy, n));
    read_body(str_n(copy, n));
    free(copy);
    return 0;
}
