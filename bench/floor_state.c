/* usage: floor_state DATABASE DESK_URL ORG SALESFORCE_URL < tokens
 * tokens: two lines, the header of each vendor ("Authorization: ..."). Desk's accounts and contacts go to a Salesforce
 * that has none. Prints one JSON object: records, requests, CPU microseconds in all and by stage. */
#include "floor.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "unicode.h"

enum { BATCH = 200, WALK = 200 };

static const struct floor_field account_fields[] = {
    {"name", "accountName", "Name", TL_TEXT},
    {"phone", "phone", "Phone", TL_PHONE},
    {"website", "website", "Website", TL_URL},
    {"fax", "fax", "Fax", TL_PHONE},
    {"industry", "industry", "Industry", TL_TEXT},
    {"annual_revenue", "annualrevenue", "AnnualRevenue", TL_DECIMAL},
    {"address.street", "street", "BillingStreet", TL_TEXT},
    {"address.city", "city", "BillingCity", TL_TEXT},
    {"address.state", "state", "BillingState", TL_TEXT},
    {"address.country", "country", "BillingCountry", TL_TEXT},
    {"description", "description", "Description", TL_MULTILINE},
};
static const struct floor_field contact_fields[] = {
    {"email", "email", "Email", TL_EMAIL},
    {"last_name", "lastName", "LastName", TL_TEXT},
    {"first_name", "firstName", "FirstName", TL_TEXT},
    {"phone", "phone", "Phone", TL_PHONE},
    {"mobile", "mobile", "MobilePhone", TL_PHONE},
    {"account", "accountId", "AccountId", TL_REF},
    {"title", "title", "Title", TL_TEXT},
    {"address.street", "street", "MailingStreet", TL_TEXT},
    {"address.city", "city", "MailingCity", TL_TEXT},
    {"address.state", "state", "MailingState", TL_TEXT},
    {"address.country", "country", "MailingCountry", TL_TEXT},
    {"address.postal_code", "zip", "MailingPostalCode", TL_TEXT},
    {"description", "description", "Description", TL_MULTILINE},
};
const struct floor_kind floor_kinds[2] = {
    {"account", "accounts", "Account", account_fields, ARRAY_LEN(account_fields), 0, LOOKUP_NAME},
    {"contact", "contacts", "Contact", contact_fields, ARRAY_LEN(contact_fields), 0, LOOKUP_EMAIL},
};
static const char *const stage_names[STAGES] = {"desk_get", "desk_read", "desk_store", "lookups",
                                                "walk",     "body",      "intent",     "push",
                                                "outcome",  "back_get",  "back_read",  "back_store"};

_Noreturn void floor_die(const char *what, const char *why)
{
    fprintf(stderr, "floor_state: %s: %s\n", what, why ? why : "");
    exit(1);
}

void floor_must(int rc, const struct err *e, const char *what)
{
    if (rc != TL_OK) {
        fprintf(stderr, "floor_state: %s: status %d, %s %s\n", what, rc, e->text, e->detail);
        exit(1);
    }
}

static uint64_t thread_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void floor_spent(struct floor *f, enum stage s)
{
    uint64_t now = thread_cpu_ns();
    f->spent[s] += now - f->mark;
    f->mark = now;
}

void floor_observation(const tl_record *r, struct buf *out)
{
    tl_value values[FLOOR_FIELDS + 1];
    for (uint32_t i = 0; i < r->n_values; i++) {
        values[i] = r->values[i];
        values[i].field++;
    }
    obs_add_all(out, values, r->n_values);
}

unsigned floor_keys(const struct floor *f, str observation, struct buf *folded, struct lookup_key *out)
{
    struct obs_reader r;
    unsigned n = 0;
    buf_clear(folded);
    obs_reader_init(&r, observation, NULL);
    for (tl_value v; obs_next(&r, &v);) {
        if (v.type == TL_NULL)
            continue;
        if (v.field == f->kind->match + 1) {
            text_fold(folded, v.u.s);
            out[n] = (struct lookup_key){.kind = f->kind->match_kind, .text = buf_lent(folded)};
            n += folded->n > 0;
        } else if (v.type == TL_PHONE) {
            out[n] = (struct lookup_key){.kind = LOOKUP_PHONE};
            n += phone_last9(v.u.s, &out[n].number);
        }
    }
    return n;
}

/* ---- Setting up ------------------------------------------------------------------------------------------------- */

static void kind_set_up(struct floor *f, int64_t topo)
{
    struct err e = {0};
    static const tlk_rules rules[2] = {{.decimals_as_text = true}, {.list_separator = ';'}};
    str kind = str_of(f->kind->kind);
    for (int s = 0; s < 2; s++) {
        floor_must(feed_ensure(f->db, f->endpoint[s], kind, (str){0}, &f->feed[s], &e), &e, "feed");
        for (uint32_t i = 0; i < f->kind->n; i++) {
            const struct floor_field *from = &f->kind->fields[i];
            uint32_t number = 0;
            f->fields[s][i] = (tl_field){.struct_size = sizeof(tl_field),
                                         .type = from->type,
                                         .path = tlk_str(from->path),
                                         .name = tlk_str(s ? from->salesforce : from->desk)};
            floor_must(field_number(f->db, f->endpoint[s], kind, str_of(from->path), &number, &e), &e, "field");
            if (number != i + 1)
                floor_die("the store is not empty", f->kind->kind);
        }
        f->shape[s] = (tl_shape){sizeof(tl_shape), f->kind->n, sizeof(tl_field), 0, kind, f->fields[s]};
        tlk_plan_init(&f->plan[s], &f->shape[s], &rules[s], &f->keep);
    }
    f->link = (struct link){.connection = f->connection,
                            .name = kind,
                            .kind = {kind, kind},
                            .feed = {f->feed[0], f->feed[1]},
                            .topo = (int32_t)topo,
                            .map_gen = 1,
                            .enabled = true};
    floor_must(link_create(f->db, &f->link, &e), &e, "link");
    f->run = (struct run){.connection = f->connection,
                          .link = f->link.link,
                          .kind = RUN_INITIAL,
                          .state = RUN_RUNNING,
                          .who = STR("floor"),
                          .total = -1};
    floor_must(run_create(f->db, &f->run, &e), &e, "run");
}

static void set_up(struct floor kinds[2], struct db *db)
{
    struct err e = {0};
    struct floor *f = &kinds[0];
    floor_must(endpoint_ensure(db, STR("desk"), STR("desk"), STR("desk"), &f->endpoint[0], &e), &e, "endpoint");
    floor_must(endpoint_ensure(db, STR("sf"), STR("salesforce"), STR("salesforce"), &f->endpoint[1], &e), &e,
               "endpoint");
    struct connection c = {.name = STR("floor"), .endpoint = {f->endpoint[0], f->endpoint[1]}};
    floor_must(connection_create(db, &c, &e), &e, "connection");
    for (int k = 0; k < 2; k++) {
        memcpy(kinds[k].endpoint, f->endpoint, sizeof f->endpoint);
        kinds[k].connection = c.connection;
        kinds[k].kind = &floor_kinds[k];
        kind_set_up(&kinds[k], k);
    }
    kinds[1].other = &kinds[0];
}

/* ---- Look-up keys of side A, in key order ----------------------------------------------------------------------- */

static void lookups_write(struct lookup_build *b)
{
    struct err e = {0};
    for (bool empty = false; !empty;)
        floor_must(lookup_build_write(b, 500, &empty, &e), &e, "writing look-ups");
}

static void lookups_build(struct floor *f)
{
    AUTO(lookup_build_free) struct lookup_build *b = lookup_build_new(f->db, f->feed[0]);
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf folded = {0};
    int64_t after = 0;
    struct err e = {0};
    for (size_t n = WALK; n == WALK;) {
        struct record *list = NULL;
        arena_reset(&a);
        floor_must(record_walk(f->db, &a, f->feed[0], after, WALK, &list, &n, &e), &e, "walk");
        for (size_t i = 0; i < n; i++) {
            struct lookup_key keys[FLOOR_FIELDS];
            unsigned n_keys = floor_keys(f, list[i].observation, &folded, keys);
            bool full = false;
            for (unsigned k = 0; k < n_keys; k++)
                full |= lookup_build_add(b, &keys[k], list[i].rec);
            if (full)
                lookups_write(b);
        }
        if (n)
            after = list[n - 1].rec;
    }
    lookups_write(b);
    floor_spent(f, STAGE_LOOKUPS);
}

/* ---- Creating --------------------------------------------------------------------------------------------------- */

/* Id of the counterpart of a desk record of the other kind. */
static tl_str counterpart(struct floor *other, str id, struct arena *a)
{
    struct err e = {0};
    struct counterpart c = {0};
    floor_must(pair_counterpart(other->db, a, other->link.link, SIDE_A, other->feed[0], id, &c, &e), &e,
               "a reference that leads nowhere");
    return c.id;
}

static void outgoing(struct floor *f, const struct record *source, struct arena *a, tl_record *out)
{
    size_t n = 0;
    tl_value *values = obs_all(source->observation, a, &n);
    char number[2] = "0", hash[27];
    *out = (tl_record){.op = TL_OP_CREATE, .values = values};
    for (size_t i = 0; i < n; i++) {
        values[i].field--;
        if (values[i].type == TL_NULL)
            continue; /* a create leaves out what is empty */
        if (values[i].type == TL_REF)
            values[i].u.s = counterpart(f->other, values[i].u.s, a);
        values[out->n_values++] = values[i];
    }
    const str parts[] = {
        STR("100000001"), str_of(f->kind->kind), source->id, STR("00D5j0000000001EAA"), str_of(f->kind->kind), {0},
        str_of(number)};
    stamp_hash(hash, db_stamp_key(f->db), parts, ARRAY_LEN(parts));
    out->stamp = str_of(arena_fmt(a, "%s.%s", db_instance(f->db), hash));
}

/* T1: pairs born with their intent, the intent, where the walk stands. */
static void decide(struct floor *f, const struct record *list, const tl_record *out, struct pair *pairs, size_t n,
                   struct intent *intent, struct arena *a)
{
    struct err e = {0};
    int64_t now = env_now_us(db_env(f->db));
    floor_must(db_begin(f->db, &e), &e, "begin");
    *intent = (struct intent){.intent = intent_reserve(f->db),
                              .link = f->link.link,
                              .endpoint = f->endpoint[1],
                              .side = SIDE_B,
                              .op = TL_OP_CREATE,
                              .lane = LANE_BULK,
                              .run = f->run.run,
                              .map_gen = 1,
                              .made_us = now,
                              .n = n,
                              .entries = arena_array(a, struct intent_entry, n)};
    for (size_t i = 0; i < n; i++) {
        pairs[i] = (struct pair){.link = f->link.link,
                                 .rec = {list[i].rec, 0},
                                 .lane = LANE_BULK,
                                 .intent = intent->intent,
                                 .map_gen = 1,
                                 .made_us = now};
        floor_must(pair_insert(f->db, &pairs[i], &e), &e, "making a pair");
        intent->entries[i] = (struct intent_entry){
            .pair = pairs[i].pair, .stamp = out[i].stamp, .source_hash = list[i].seen_hash, .born = true};
    }
    floor_must(intent_open(f->db, intent, &e), &e, "opening an intent");
    f->link.position = list[n - 1].id;
    floor_must(link_update(f->db, &f->link, &e), &e, "storing the place");
    floor_must(db_commit(f->db, &e), &e, "commit");
    floor_must(db_seal_intent(f->db, intent->intent, &e), &e, "sealing");
    floor_spent(f, STAGE_INTENT);
}

/* T2: the records that are there now, bases, counts, the end of the intent. */
static void outcome(struct floor *f, const struct pair *pairs, const tl_str *ids, size_t n, const struct intent *intent)
{
    struct err e = {0};
    int64_t now = env_now_us(db_env(f->db));
    struct run_count count = {.link = f->link.link, .to = SIDE_B, .added = (int64_t)n};
    floor_must(db_begin(f->db, &e), &e, "begin");
    for (size_t i = 0; i < n; i++) {
        struct record rec = {.feed = f->feed[1], .id = ids[i], .seen_us = now};
        floor_must(record_put(f->db, &rec, &e), &e, "storing a created record");
        struct pair_created made = {.pair = pairs[i].pair,
                                    .link = f->link.link,
                                    .intent = intent->intent,
                                    .side = SIDE_B,
                                    .rec = rec.rec,
                                    .run = f->run.run,
                                    .map_gen = 1,
                                    .synced_us = now};
        bool done = false;
        floor_must(pair_created(f->db, &made, &done, &e), &e, "storing an outcome");
        if (!done)
            floor_die("a pair is not as it was born", f->kind->kind);
    }
    floor_must(run_count_add(f->db, f->run.run, &count, &e), &e, "counting");
    floor_must(intent_settle(f->db, intent, NULL, 0, &e), &e, "settling an intent");
    floor_must(db_commit(f->db, &e), &e, "commit");
    f->created += (int64_t)n;
    floor_spent(f, STAGE_OUTCOME);
}

static void create_all(struct floor *f)
{
    AUTO(arena_done) struct arena a = {0};
    int64_t after = 0;
    struct err e = {0};
    for (size_t n = BATCH; n == BATCH;) {
        struct record *list = NULL;
        struct intent intent;
        tl_record out[BATCH];
        struct pair pairs[BATCH];
        tl_str ids[BATCH];
        arena_reset(&a);
        floor_must(record_walk(f->db, &a, f->feed[0], after, BATCH, &list, &n, &e), &e, "walk");
        if (n == 0)
            break;
        floor_must(db_begin(f->db, &e), &e, "begin");
        for (size_t i = 0; i < n; i++)
            outgoing(f, &list[i], &a, &out[i]);
        db_rollback(f->db); /* one transaction for the reads; nothing was written */
        floor_spent(f, STAGE_WALK);
        decide(f, list, out, pairs, n, &intent, &a);
        tlk_arena_reset(&f->page);
        floor_salesforce_upsert(f, out, (uint32_t)n, ids);
        outcome(f, pairs, ids, n, &intent);
        after = list[n - 1].rec;
    }
}

static void end_run(struct floor *f)
{
    struct err e = {0};
    f->run.state = RUN_SUCCEEDED;
    f->run.ended_us = env_now_us(db_env(f->db));
    floor_must(run_update(f->db, &f->run, &e), &e, "ending the run");
    if (f->created != f->read_back)
        floor_die("not every created record was read back", f->kind->kind);
}

/* ---- The program ------------------------------------------------------------------------------------------------ */

static void print_result(const struct floor kinds[2])
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    int64_t cpu_us =
        (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 + use.ru_utime.tv_usec + use.ru_stime.tv_usec;
    printf("{\"accounts\":%lld,\"contacts\":%lld,\"requests\":%lld,\"cpu_us\":%lld,\"rss_kib\":%ld,\"stages\":{",
           (long long)kinds[0].created, (long long)kinds[1].created, (long long)(kinds[0].requests + kinds[1].requests),
           (long long)cpu_us, use.ru_maxrss);
    for (int s = 0; s < STAGES; s++)
        printf("%s\"%s\":%llu", s ? "," : "", stage_names[s], (unsigned long long)kinds[0].spent[s] / 1000);
    printf("}}\n");
}

static struct http *vendor(const char *more)
{
    char line[2048];
    if (!fgets(line, sizeof line, stdin))
        floor_die("tokens are missing", "two header lines on standard input");
    line[strcspn(line, "\n")] = '\0';
    return http_new(line, more);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: floor_state DATABASE DESK_URL ORG SALESFORCE_URL < tokens\n");
        return 2;
    }
    struct err e = {0};
    uint64_t spent[STAGES] = {0};
    char org[64];
    snprintf(org, sizeof org, "orgId: %s", argv[3]);
    curl_global_init(CURL_GLOBAL_ALL);
    struct db_options options = {.path = argv[1], .env = &env_real};
    struct db *db = NULL;
    floor_must(db_open(&db, &options, &e), &e, "opening the database");
    struct floor kinds[2] = {0};
    struct http *desk = vendor(org), *salesforce = vendor("Sforce-Call-Options: client=floor");
    for (int k = 0; k < 2; k++) {
        kinds[k] = (struct floor){.db = db,
                                  .desk_url = argv[2],
                                  .salesforce_url = argv[4],
                                  .desk = desk,
                                  .salesforce = salesforce,
                                  .spent = spent,
                                  .mark = thread_cpu_ns()};
    }
    set_up(kinds, db);
    for (int k = 0; k < 2; k++) {
        struct floor *f = &kinds[k];
        f->mark = thread_cpu_ns();
        int64_t from = floor_salesforce_start(f);
        floor_desk_pass(f);
        lookups_build(f);
        create_all(f);
        floor_salesforce_read_back(f, from);
        end_run(f);
        tlk_json_done(&f->json);
        tlk_arena_done(&f->page);
    }
    print_result(kinds);
    for (int k = 0; k < 2; k++)
        tlk_arena_done(&kinds[k].keep);
    http_free(desk);
    http_free(salesforce);
    db_close(db);
    return 0;
}
