/* Salesforce: upserts in collections of 200, and the feed of changes that brings the created records back. */
#include "floor.h"
#include "times.h"

enum { PAGE = 2000 };
static const char DATA[] = "/services/data/v62.0";

static const tlk_node *call(struct floor *f, const char *method, tl_str url, tl_str body)
{
    tl_str answer = http_call(f->salesforce, method, url, body);
    f->requests++;
    floor_spent(f, body.n ? STAGE_PUSH : STAGE_BACK_GET);
    const tlk_node *root = tlk_json_read(&f->json, answer);
    if (!root)
        floor_die("an answer of Salesforce is no JSON", f->json.error);
    return root;
}

static const tlk_node *query(struct floor *f, const tlk_buf *soql)
{
    TLK_AUTO_BUF url = {0};
    tlk_arena_reset(&f->page);
    tlk_addf(&url, "%s%s/queryAll?q=", f->salesforce_url, DATA);
    tlk_add_url(&url, tlk_lent(soql));
    return tlk_get(call(f, "GET", tlk_dup(&f->page, tlk_lent(&url)), (tl_str){0}), "records");
}

static void add_time(tlk_buf *b, int64_t us)
{
    char text[32];
    tlk_time_text(text, us);
    tlk_addf(b, "%.19sZ", text);
}

/* The next page of changes behind (at_us, after). */
static const tlk_node *changes(struct floor *f, int64_t at_us, const char *after)
{
    TLK_AUTO_BUF q = {0};
    tlk_addz(&q, "SELECT Id,SystemModstamp,CreatedDate,LastModifiedById,IsDeleted,MasterRecordId,Tieline_Id__c");
    for (uint32_t i = 0; i < f->kind->n; i++)
        tlk_addf(&q, ",%s", f->kind->fields[i].salesforce);
    tlk_addf(&q, " FROM %s WHERE SystemModstamp >= ", f->kind->object);
    add_time(&q, at_us);
    if (after[0]) {
        tlk_addz(&q, " AND (SystemModstamp > ");
        add_time(&q, at_us);
        tlk_addf(&q, " OR Id > '%s')", after);
    }
    tlk_addf(&q, " ORDER BY SystemModstamp, Id LIMIT %d", PAGE);
    return query(f, &q);
}

int64_t floor_salesforce_start(struct floor *f)
{
    int64_t from = env_now_us(db_env(f->db)) - 15 * 60 * US_PER_S;
    from -= from % (60 * US_PER_S);
    if (tlk_count(changes(f, from, "")) != 0)
        floor_die("Salesforce is not empty", f->kind->object);
    return from;
}

void floor_salesforce_upsert(struct floor *f, const tl_record *records, uint32_t n, tl_str *ids_out)
{
    TLK_AUTO_WRITER w = {0};
    tlk_w_object(&w);
    tlk_w_key(&w, TL_STR("allOrNone"));
    tlk_w_bool(&w, false);
    tlk_w_key(&w, TL_STR("records"));
    tlk_w_array(&w);
    for (uint32_t i = 0; i < n; i++) {
        tlk_w_object(&w);
        tlk_w_key(&w, TL_STR("attributes"));
        tlk_w_object(&w);
        tlk_w_member(&w, "type", tlk_str(f->kind->object));
        tlk_w_end_object(&w);
        tlk_w_member(&w, "Tieline_Id__c", records[i].stamp);
        tlk_record_write(&w, &f->shape[1], &records[i], f->plan[1].rules);
        tlk_w_end_object(&w);
    }
    tlk_w_end_array(&w);
    tlk_w_end_object(&w);
    tl_str url =
        tlk_fmt(&f->page, "%s%s/composite/sobjects/%s/Tieline_Id__c", f->salesforce_url, DATA, f->kind->object);
    floor_spent(f, STAGE_BODY);
    const tlk_node *root = call(f, "PATCH", url, tlk_w_lent(&w));
    if (tlk_count(root) != n)
        floor_die("Salesforce did not answer for every record", f->kind->object);
    tlk_iter each = tlk_each(root);
    const tlk_node *row;
    for (uint32_t i = 0; i < n && tlk_next_item(&each, &row); i++) {
        bool success = false;
        tlk_bool(tlk_get(row, "success"), &success);
        ids_out[i] = tlk_text(tlk_get(row, "id"), &f->page);
        if (!success)
            floor_die("Salesforce refused a record", tlk_text(tlk_at(row, "errors.0.message"), &f->page).p);
    }
}

static void row_read(struct floor *f, const tlk_node *row, tl_record *rec)
{
    *rec = (tl_record){.flags = TL_REC_FULL, .version_kind = TL_VER_TIME};
    tlk_iter i = tlk_each(row);
    for (const tlk_node *key, *v; tlk_next_member(&i, &key, &v);) {
        tl_str name = tlk_raw(key);
        if (tlk_is(name, "Id")) {
            rec->id = tlk_text(v, &f->page);
        } else if (tlk_is(name, "SystemModstamp")) {
            rec->version = tlk_text(v, &f->page);
            tlk_time_parse(rec->version, &rec->modified_us);
        } else if (tlk_is(name, "CreatedDate")) {
            tlk_time_parse(tlk_raw(v), &rec->created_us);
        } else if (tlk_is(name, "LastModifiedById")) {
            rec->by = tlk_text(v, &f->page);
        }
    }
    if (!tlk_record_read(&f->plan[1], row, &f->page, rec))
        floor_die("a row of Salesforce cannot be used", rec->note.p);
}

/* The record as it is now, its look-up keys, and the pair settled: its side B is equal to what was read. */
static void row_store(struct floor *f, const tl_record *r, struct buf *blob, struct buf *folded, struct arena *a)
{
    struct err e = {0};
    struct record_probe probe;
    struct pair p = {0};
    buf_clear(blob);
    floor_observation(r, blob);
    floor_must(record_probe(f->db, f->feed[1], r->id, &probe, &e), &e, "a row that nobody made");
    struct record rec = {.rec = probe.rec,
                         .feed = f->feed[1],
                         .id = r->id,
                         .version_kind = r->version_kind,
                         .version = r->version,
                         .modified_us = r->modified_us,
                         .created_us = r->created_us,
                         .seen_us = env_now_us(db_env(f->db)),
                         .seen_hash = store_hash(blob->p, blob->n),
                         .by = r->by,
                         .observation = buf_lent(blob)};
    if (!probe.bare)
        floor_die("a row was seen before", f->kind->object);
    floor_must(record_first(f->db, &rec, &e), &e, "storing a record");
    struct lookup_key keys[FLOOR_FIELDS];
    unsigned n_keys = floor_keys(f, rec.observation, folded, keys);
    floor_must(lookup_change(f->db, f->feed[1], rec.rec, NULL, 0, keys, n_keys, &e), &e, "storing look-ups");
    floor_must(pair_get_of_record(f->db, a, f->link.link, SIDE_B, rec.rec, (str){0}, &p, &e), &e, "finding a pair");
    pair_set_base(&p, SIDE_B, BASE_SAME, (str){0});
    p.unsettled = 0;
    p.synced_us = rec.seen_us;
    floor_must(pair_store(f->db, &p, &e), &e, "settling a pair");
    f->read_back++;
}

void floor_salesforce_read_back(struct floor *f, int64_t from_us)
{
    AUTO(buf_done) struct buf blob = {0};
    AUTO(buf_done) struct buf folded = {0};
    AUTO(arena_done) struct arena a = {0};
    char after[20] = "";
    for (uint32_t n = PAGE; n == PAGE;) {
        struct err e = {0};
        const tlk_node *rows = changes(f, from_us, after);
        n = tlk_count(rows);
        tl_record *list = tlk_new(&f->page, tl_record, n + 1);
        tlk_iter each = tlk_each(rows);
        const tlk_node *row;
        for (uint32_t i = 0; tlk_next_item(&each, &row); i++)
            row_read(f, row, &list[i]);
        floor_spent(f, STAGE_BACK_READ);
        floor_must(db_begin(f->db, &e), &e, "begin");
        for (uint32_t i = 0; i < n; i++) {
            arena_reset(&a);
            row_store(f, &list[i], &blob, &folded, &a);
        }
        if (n) {
            from_us = list[n - 1].modified_us / US_PER_S * US_PER_S;
            tlk_copy(after, sizeof after, list[n - 1].id);
        }
        int64_t now = env_now_us(db_env(f->db));
        floor_must(feed_set_cursor(f->db, f->feed[1], str_of(after), from_us, now, &e), &e, "storing the cursor");
        floor_must(db_commit(f->db, &e), &e, "commit");
        floor_spent(f, STAGE_BACK_STORE);
    }
}
