/* Time per record of reading a page of 200 contacts (about 1,300 bytes, 35 members, some names not ASCII): jansson's
 * tree, the page reader alone, and the page reader with 12 fields turned into values. Not a test;
 * docs/adr/0002-page-reader.md quotes it. Usage: kit_measure_reader [rounds] */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kit/record.h"

enum { RECORDS = 200 };

static void make_page(tlk_writer *w)
{
    tlk_w_object(w);
    tlk_w_key(w, TL_STR("data"));
    tlk_w_array(w);
    for (int i = 0; i < RECORDS; i++) {
        char id[32], name[64];
        snprintf(id, sizeof(id), "40000000%08d", i);
        tlk_w_object(w);
        tlk_w_member(w, "id", tlk_str(id));
        snprintf(name, sizeof(name), "M\xc3\xbcller-%d \xd0\x96", i);
        tlk_w_member(w, "lastName", tlk_str(name));
        static const char *const plain[] = {"firstName", "email",    "phone",   "mobile",        "title",
                                            "street",    "city",     "state",   "country",       "zip",
                                            "type",      "facebook", "twitter", "secondaryEmail"};
        for (size_t k = 0; k < TLK_LEN(plain); k++)
            tlk_w_member(w, plain[k], TL_STR("a value of ordinary length"));
        tlk_w_member(w, "description", TL_STR("Some longer words, \"quoted\",\nover two lines, as people write them"));
        tlk_w_member(w, "createdTime", TL_STR("2016-05-04T09:57:17.000Z"));
        tlk_w_member(w, "modifiedTime", TL_STR("2016-05-04T09:57:17.000Z"));
        tlk_w_key(w, TL_STR("cf"));
        tlk_w_object(w);
        for (int k = 0; k < 10; k++) {
            snprintf(name, sizeof(name), "cf_field_%d", k);
            tlk_w_member(w, name, TL_STR("12.10"));
        }
        tlk_w_end_object(w);
        static const char *const nulls[] = {"ownerId", "accountId", "photoURL", "webUrl", "layoutId"};
        for (size_t k = 0; k < TLK_LEN(nulls); k++) {
            tlk_w_key(w, tlk_str(nulls[k]));
            tlk_w_null(w);
        }
        tlk_w_member(w, "padding", TL_STR("0123456789012345678901234567890123456789012345678901234567890123456789"));
        tlk_w_end_object(w);
    }
    tlk_w_end_array(w);
    tlk_w_end_object(w);
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void report(const char *what, double from, int rounds)
{
    printf("%-40s %7.2f us per record\n", what, (now_us() - from) / rounds / RECORDS);
}

static void read_values(const tlk_node *page, tlk_arena *a)
{
    static const char *const names[] = {"id",    "lastName",     "firstName",     "email",
                                        "phone", "mobile",       "city",          "country",
                                        "zip",   "modifiedTime", "cf.cf_field_1", "cf.cf_field_2"};
    tl_field fields[TLK_LEN(names)] = {{0}};
    for (size_t i = 0; i < TLK_LEN(names); i++)
        fields[i] = (tl_field){.struct_size = sizeof(tl_field), .type = TL_TEXT, .name = tlk_str(names[i])};
    fields[9].type = TL_TIME;
    fields[10].type = TL_DECIMAL;
    const tl_shape shape = {.n_fields = TLK_LEN(names), .field_stride = sizeof(tl_field), .fields = fields};
    tlk_plan plan;
    tlk_plan_init(&plan, &shape, NULL, a);
    tlk_iter i = tlk_each(tlk_get(page, "data"));
    for (const tlk_node *item; tlk_next_item(&i, &item);) {
        tl_record rec = {0};
        if (!tlk_record_read(&plan, item, a, &rec) || rec.n_values != TLK_LEN(names))
            abort();
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 500;
    TLK_AUTO_WRITER w = {0};
    TLK_AUTO_JSON j = {0};
    TLK_AUTO_ARENA a = {0};
    make_page(&w);
    tl_str page = tlk_w_lent(&w);
    printf("page of %zu bytes, %zu a record\n", (size_t)page.n, (size_t)page.n / RECORDS);
    double from = now_us();
    for (int i = 0; i < rounds; i++)
        json_decref(json_loadb(page.p, page.n, 0, NULL));
    report("jansson tree", from, rounds);
    from = now_us();
    for (int i = 0; i < rounds; i++) {
        if (!tlk_json_read(&j, page))
            abort();
    }
    report("page reader", from, rounds);
    from = now_us();
    for (int i = 0; i < rounds; i++) {
        tlk_arena_reset(&a);
        read_values(tlk_json_read(&j, page), &a);
    }
    report("page reader, 12 fields to values", from, rounds);
    return 0;
}
