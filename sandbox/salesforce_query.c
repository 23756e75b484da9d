/* Query, query locators, getUpdated and getDeleted.
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm (and _queryall,
 * _getupdated, _getdeleted) */
#include <stdio.h>
#include <stdlib.h>

#include "salesforce_int.h"
#include "times.h"

enum {
    BATCH_DEFAULT = 2000,
    BATCH_LEAST = 200,
    LOCATOR_DAYS = 2,
    UPDATED_DAYS = 30,
    DELETED_DAYS = 15,
    IDS_MAX = 600000
};

/* ---- locators ---- */

void sf_locator_free(struct sf_locator *l)
{
    if (!l)
        return;
    soql_result_done(&l->result);
    arena_done(&l->memory);
    free(l);
}

void sf_locators_close(struct sf *sf, uint64_t session)
{
    size_t kept = 0;
    for (size_t i = 0; i < sf->locator_n; i++) {
        if (session == 0 || sf->locators[i]->session == session)
            sf_locator_free(sf->locators[i]);
        else
            sf->locators[kept++] = sf->locators[i];
    }
    sf->locator_n = kept;
}

static void locator_drop(struct sf *sf, struct sf_locator *l)
{
    for (size_t i = 0; i < sf->locator_n; i++)
        if (sf->locators[i] == l) {
            sf->locators[i] = sf->locators[--sf->locator_n];
            sf_locator_free(l);
            return;
        }
}

static void locator_keep(struct sf *sf, struct sf_locator *l)
{
    if (sf->locator_n == sf->locator_cap) {
        sf->locator_cap = sf->locator_cap ? sf->locator_cap * 2 : 16;
        struct sf_locator **grown = realloc(sf->locators, sf->locator_cap * sizeof sf->locators[0]);
        ASSERT(grown);
        sf->locators = grown;
    }
    sf->locators[sf->locator_n++] = l;
}

static int64_t batch_size(struct sf_req *r)
{
    int64_t asked = BATCH_DEFAULT;
    str options = r->query_options, one;
    while (str_split(&options, ',', &one)) {
        str name;
        if (str_split(&one, '=', &name) && str_eq_nocase(str_trim(name), STR("batchSize")) &&
            !str_to_i64(str_trim(one), &asked))
            asked = BATCH_DEFAULT;
    }
    asked = asked < BATCH_LEAST ? BATCH_LEAST : asked > BATCH_DEFAULT ? BATCH_DEFAULT : asked;
    int64_t most = sf_switch(r->sf, "page_max");
    return most > 0 && asked > most ? most : asked;
}

/* One page of l from row `from`. */
static void page_put(struct sf_req *r, struct sf_locator *l, size_t from, const struct soql_world *w)
{
    size_t to = from + (size_t)l->batch < l->result.n ? from + (size_t)l->batch : l->result.n;
    bool done = to == l->result.n;
    buf_fmt(r->out, "{\"totalSize\":%lld,\"done\":%s", (long long)l->result.total, done ? "true" : "false");
    if (!done)
        buf_fmt(r->out, ",\"nextRecordsUrl\":\"%s/query/%s-%zu\"", sf_req_base(r), l->id, to);
    buf_text_add(r->out, ",\"records\":[");
    for (size_t i = from; i < to; i++) {
        if (i > from)
            buf_char(r->out, ',');
        sf_row_put(r->sf, r->out, l->plan, l->result.rows[i], r->version, w);
    }
    buf_text_add(r->out, "]}");
    r->status = 200;
}

static struct soql_world world_of(struct sf_req *r, bool all_rows)
{
    return (struct soql_world){.store = &r->sf->store,
                               .now_us = r->now_us,
                               .all_rows = all_rows,
                               .reverse = sf_switch(r->sf, "unordered") != 0};
}

static void run_query(struct sf_req *r, bool all_rows)
{
    str text;
    struct soql_error e = {0};
    if (!sf_req_param(r, "q", &text))
        return sf_error(r, 400, "MALFORMED_QUERY", "SOQL query string parameter 'q' is missing");
    if (fault_take(r->sf->world, r->sf->instance, "query-timeout", "GET", r->path))
        return sf_error(r, 400, "QUERY_TIMEOUT", "Your query request was running for too long.");
    struct sf_locator *l = calloc(1, sizeof *l);
    ASSERT(l);
    struct soql_world w = world_of(r, all_rows);
    struct soql_query *q = soql_parse(&l->memory, arena_str(&l->memory, text), &e);
    l->plan = q ? soql_bind(&l->memory, q, &w, &e) : NULL;
    if (!l->plan) {
        sf_locator_free(l);
        return sf_error_soql(r, &e);
    }
    soql_run(l->plan, &w, &l->result);
    if (l->plan->count) {
        buf_fmt(r->out, "{\"totalSize\":%lld,\"done\":true,\"records\":[]}", (long long)l->result.total);
        r->status = 200;
        sf_locator_free(l);
        return;
    }
    l->batch = batch_size(r);
    l->all_rows = all_rows;
    l->session = r->session ? r->session->number : 0;
    l->opened_us = r->now_us;
    snprintf(l->id, sizeof l->id, "01gRO%010lluYA2", (unsigned long long)++r->sf->next_locator);
    page_put(r, l, 0, &w);
    if (l->result.n > (size_t)l->batch)
        locator_keep(r->sf, l);
    else
        sf_locator_free(l);
}

void sf_query(struct sf_req *r)
{
    run_query(r, false);
}

void sf_query_all(struct sf_req *r)
{
    run_query(r, true);
}

void sf_query_more(struct sf_req *r)
{
    str rest = r->capture[0], id;
    int64_t from = -1;
    struct sf_locator *l = NULL;
    bool shaped = str_split(&rest, '-', &id) && str_to_i64(rest, &from);
    for (size_t i = 0; shaped && i < r->sf->locator_n && !l; i++)
        if (str_is(id, r->sf->locators[i]->id))
            l = r->sf->locators[i];
    bool alive = l && r->session && l->session == r->session->number && from >= 0 && (size_t)from < l->result.n &&
                 r->now_us - l->opened_us < LOCATOR_DAYS * US_PER_DAY;
    if (alive && fault_take(r->sf->world, r->sf->instance, "lose-locator", "GET", r->path)) {
        locator_drop(r->sf, l);
        alive = false;
    }
    if (!alive)
        return sf_error(r, 400, "INVALID_QUERY_LOCATOR", "invalid query locator");
    struct soql_world w = world_of(r, l->all_rows);
    page_put(r, l, (size_t)from, &w);
}

/* ---- getUpdated, getDeleted ---- */

static int64_t to_minute(int64_t us)
{
    return us - us % (60 * US_PER_S);
}

static bool window(struct sf_req *r, int64_t look_back_days, int64_t *start, int64_t *end)
{
    str from, to;
    if (!sf_req_param(r, "start", &from) || !sf_req_param(r, "end", &to)) {
        sf_error(r, 400, "MISSING_ARGUMENT", "start and end are required");
        return false;
    }
    if (!time_parse(from, start) || !time_parse(to, end) || from.n < 19 || to.n < 19) {
        str wrong = time_parse(from, start) && from.n >= 19 ? to : from;
        sf_error(r, 400, "INVALID_REPLICATION_DATE", "%.*s is not a valid value for the type xsd:dateTime",
                 STR_FMT(wrong));
        return false;
    }
    *start = to_minute(*start);
    *end = to_minute(*end);
    if (*end - *start < 60 * US_PER_S) {
        sf_error(r, 400, "INVALID_REPLICATION_DATE",
                 "The end date must be at least one minute greater than the start "
                 "date");
        return false;
    }
    if (*start < r->now_us - look_back_days * US_PER_DAY) {
        sf_error(r, 400, "INVALID_REPLICATION_DATE", "startDate cannot be more than %d days ago", (int)look_back_days);
        return false;
    }
    return true;
}

/* Up to here nothing can still appear: held back to the start of the oldest open transaction. */
static int64_t covered(struct sf_req *r, int64_t end)
{
    int64_t latest = r->now_us - r->now_us % US_PER_S, open = sf_oldest_open_us(&r->sf->store);
    latest = end < latest ? end : latest;
    return open < latest ? open : latest;
}

void sf_get_updated(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    int64_t start = 0, end = 0;
    if (!o || !window(r, UPDATED_DAYS, &start, &end))
        return;
    struct sf_table *t = sf_store_table(&r->sf->store, o);
    size_t n = 0, shown = 0;
    const struct sf_stamp *log = sf_log_range(t, start, end, &n);
    buf_text_add(r->out, "{\"ids\":[");
    for (size_t i = 0; i < n && shown <= IDS_MAX; i++) {
        const struct sf_row *row = t->records[log[i].number]->now;
        if (!row || row->stamp_us != log[i].stamp_us || row->deleted)
            continue;
        buf_text_add(r->out, shown++ ? ",\"" : "\"");
        buf_add(r->out, row->record->id, SF_ID_MAX);
        buf_char(r->out, '"');
    }
    if (shown > IDS_MAX) {
        buf_clear(r->out);
        return sf_error(r, 400, "EXCEEDED_ID_LIMIT", "Too many updated records, please narrow the date range");
    }
    buf_text_add(r->out, "],\"latestDateCovered\":");
    sf_time_put(r->out, covered(r, end));
    buf_char(r->out, '}');
    r->status = 200;
}

void sf_get_deleted(struct sf_req *r)
{
    struct sf_object *o = sf_req_object(r, r->capture[0]);
    int64_t start = 0, end = 0;
    if (!o || !window(r, DELETED_DAYS, &start, &end))
        return;
    struct sf_table *t = sf_store_table(&r->sf->store, o);
    bool first = true;
    int64_t earliest = r->now_us - DELETED_DAYS * US_PER_DAY;
    if (r->sf->store.earliest_deleted_us > earliest)
        earliest = r->sf->store.earliest_deleted_us;
    buf_text_add(r->out, "{\"deletedRecords\":[");
    for (size_t i = 0; i < t->gone_n; i++) {
        const struct sf_gone *g = &t->gone[i];
        if (g->deleted_us < start || g->deleted_us >= end || g->deleted_us < earliest)
            continue;
        buf_fmt(r->out, "%s{\"deletedDate\":", first ? "" : ",");
        sf_time_put(r->out, g->deleted_us);
        buf_fmt(r->out, ",\"id\":\"%s\"}", t->records[g->number]->id);
        first = false;
    }
    buf_text_add(r->out, "],\"earliestDateAvailable\":");
    sf_time_put(r->out, earliest);
    buf_text_add(r->out, ",\"latestDateCovered\":");
    sf_time_put(r->out, covered(r, end));
    buf_char(r->out, '}');
    r->status = 200;
}
