/* What is stored of a record and of a pair goes, wherever it lies. */
#include <string.h>

#include "buf.h"
#include "db_int.h"
#include "erased.h"
#include "pairs.h"
#include "records.h"

enum {
    Q_CHANGES,
    Q_CREATE,
    Q_PAIR_FAILURES,
    Q_PAIR_PLANS,
    Q_PAIR_CONFLICTS,
    Q_RECORD_NAME,
    Q_RECORD_FAILURES,
    Q_RECORD_PLANS,
    Q_HELD,
    Q_OLD_IDS,
    Q_HINTS,
    Q_PASSPORTS,
    Q_LOOKUPS,
    Q_ACTS,
    Q_RELATIONS,
    Q_FAILURE_TEXT,
    Q_REPAIR_TEXT,
    Q_RUN_TEXT,
    Q_PLAN_TEXT,
    Q_ACT_TEXT,
    Q_ACT_VALUES,
    Q_INBOX
};
#define NAMES(column) "erase_word(" column ", ?1) IS NOT " column
#define CLEAR(column) column " = erase_word(" column ", ?1)"
/* Of the record with id ?3 of feed f, be it what was acted on or what that was done beside. */
#define ACT_IS_OF(table, id)                                                                                           \
    "((" table ".endpoint = f.endpoint AND " table ".kind = f.kind AND " table "." id " = ?3) OR "                     \
    "(" table ".endpoint <> f.endpoint AND " table ".beside_kind = f.kind AND " table ".beside_id = ?3 AND "           \
    "EXISTS(SELECT 1 FROM connection c WHERE c.connection = " table ".connection AND "                                 \
    "f.endpoint IN (c.a_endpoint, c.b_endpoint))))"
static const char *const SQL[] = {
    [Q_CHANGES] = "UPDATE change SET pair = 0, remote_id = NULL, fields = CAST('[]' AS BLOB) WHERE pair = ?1",
    /* The pair is its create's row in the history: see run_accounting. */
    [Q_CREATE] = "INSERT INTO change(change, run, pair, side, op, remote_id, fields, cause, at) "
                 "SELECT ?2, run, 0, iif(flags & 4, 1, 0), ?3, NULL, CAST('[]' AS BLOB), 'erased', made FROM pair "
                 "WHERE pair = ?1 AND run <> 0",
    [Q_PAIR_FAILURES] = "DELETE FROM failure WHERE pair = ?1",
    [Q_PAIR_PLANS] = "DELETE FROM plan_item WHERE pair = ?1 AND ?1 <> 0",
    [Q_PAIR_CONFLICTS] = "SELECT count(*) FROM conflict WHERE pair = ?1",
    [Q_RECORD_NAME] = "SELECT feed, remote_id FROM record WHERE rec = ?1",
    [Q_RECORD_FAILURES] = "DELETE FROM failure WHERE remote_id = ?3 AND EXISTS(SELECT 1 FROM link l WHERE "
                          "l.link = failure.link AND CASE failure.side WHEN 0 THEN l.a_feed ELSE l.b_feed END = ?2)",
    [Q_RECORD_PLANS] = "DELETE FROM plan_item WHERE a_rec = ?1 OR b_rec = ?1",
    [Q_HELD] = "DELETE FROM held WHERE rec = ?1",
    [Q_OLD_IDS] = "DELETE FROM old_id WHERE rec = ?1",
    [Q_HINTS] = "DELETE FROM hint WHERE feed = ?2 AND remote_id = ?3",
    [Q_PASSPORTS] = "DELETE FROM passport_pair WHERE EXISTS(SELECT 1 FROM link l WHERE l.link = passport_pair.link AND "
                    "((l.a_feed = ?2 AND a_id = ?3) OR (l.b_feed = ?2 AND b_id = ?3)))",
    [Q_LOOKUPS] = "DELETE FROM lookup WHERE feed = ?2 AND rec = ?1",
    /* The row stays: that it was done, and its key, so that it is not done again. */
    [Q_ACTS] = "UPDATE act SET record = NULL, person = '', beside_id = NULL, params = '{}', before = '', after = '', "
               "words = '' WHERE EXISTS(SELECT 1 FROM feed f WHERE f.feed = ?2 AND " ACT_IS_OF("act", "record") ")",
    [Q_RELATIONS] =
        "DELETE FROM relation WHERE EXISTS(SELECT 1 FROM feed f WHERE f.feed = ?2 AND " ACT_IS_OF("relation", "id") ")",
    [Q_FAILURE_TEXT] = "UPDATE failure SET " CLEAR("text") ", " CLEAR("vendor_text") " WHERE " NAMES(
        "text") " OR " NAMES("vendor_text"),
    [Q_REPAIR_TEXT] = "UPDATE OR REPLACE repair SET " CLEAR("key") ", " CLEAR("text") ", " CLEAR(
        "hint") " WHERE " NAMES("key") " OR " NAMES("text") " OR " NAMES("hint"),
    [Q_RUN_TEXT] = "UPDATE run SET " CLEAR("error") " WHERE " NAMES("error"),
    [Q_PLAN_TEXT] =
        "UPDATE plan_item SET " CLEAR("detail") ", " CLEAR("fields") " WHERE " NAMES("detail") " OR " NAMES("fields"),
    [Q_ACT_TEXT] = "UPDATE act SET " CLEAR("person") ", " CLEAR("params") ", " CLEAR("words") " WHERE " NAMES(
        "person") " OR " NAMES("params") " OR " NAMES("words"),
    [Q_ACT_VALUES] =
        "UPDATE act SET " CLEAR("before") ", " CLEAR("after") " WHERE " NAMES("before") " OR " NAMES("after"),
    [Q_INBOX] = "DELETE FROM inbox WHERE has_word(headers, ?1) OR has_word(query, ?1) OR "
                "has_word(CAST(body AS TEXT), ?1)",
};
SQL_TABLE(T, SQL_ERASE, SQL);

/* ---- erase_word(text, word): the text with every whole occurrence of the word, whatever its case, replaced */

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_wordly(char c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || (unsigned char)c >= 0x80;
}

static bool word_at(str text, size_t at, str word)
{
    if (text.n - at < word.n)
        return false;
    for (size_t i = 0; i < word.n; i++)
        if (lower(text.p[at + i]) != lower(word.p[i]))
            return false;
    bool begins = at == 0 || !is_wordly(word.p[0]) || !is_wordly(text.p[at - 1]);
    bool ends = at + word.n == text.n || !is_wordly(word.p[word.n - 1]) || !is_wordly(text.p[at + word.n]);
    return begins && ends;
}

static bool word_erase(str text, str word, struct buf *out)
{
    bool found = false;
    for (size_t i = 0; i < text.n;) {
        bool here = word_at(text, i, word);
        if (here)
            buf_text_add(out, "(erased)");
        else
            buf_char(out, text.p[i]);
        i += here ? word.n : 1;
        found |= here;
    }
    return found;
}

static void erase_word_sql(sqlite3_context *context, int n, sqlite3_value **values)
{
    AUTO(buf_done) struct buf out = {0};
    (void)n;
    const char *text = (const char *)sqlite3_value_text(values[0]), *word = (const char *)sqlite3_value_text(values[1]);
    if (!text || !word || !word[0] ||
        !word_erase(str_n(text, (size_t)sqlite3_value_bytes(values[0])),
                    str_n(word, (size_t)sqlite3_value_bytes(values[1])), &out))
        sqlite3_result_value(context, values[0]);
    else
        sqlite3_result_text64(context, buf_text(&out), out.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static bool word_in(str text, str word)
{
    for (size_t i = 0; i + word.n <= text.n; i++)
        if (word_at(text, i, word))
            return true;
    return false;
}

/* As a query and the body of a form write it: %40 for a character, + for a blank. */
static void form_decode(str text, struct buf *out)
{
    while (text.n) {
        int byte = text.p[0] == '%' ? str_percent_byte(text) : -1;
        size_t taken = byte >= 0 ? 3 : 1;
        buf_char(out, byte >= 0 ? (char)byte : text.p[0] == '+' ? ' ' : text.p[0]);
        text = str_n(text.p + taken, text.n - taken);
    }
}

/* has_word(text, word): as it stands there, or encoded. */
static void has_word_sql(sqlite3_context *context, int n, sqlite3_value **values)
{
    AUTO(buf_done) struct buf plain = {0};
    (void)n;
    const char *text = (const char *)sqlite3_value_text(values[0]), *what = (const char *)sqlite3_value_text(values[1]);
    if (!text || !what || !what[0]) {
        sqlite3_result_int(context, 0);
        return;
    }
    str all = str_n(text, (size_t)sqlite3_value_bytes(values[0]));
    str word = str_n(what, (size_t)sqlite3_value_bytes(values[1]));
    form_decode(all, &plain);
    sqlite3_result_int(context, word_in(all, word) || word_in(buf_lent(&plain), word));
}

/* The SQL functions erase_word and has_word are there. */
static int erase_word_ready(struct db *db, struct err *e)
{
    static const struct {
        const char *name;
        void (*call)(sqlite3_context *context, int n, sqlite3_value **values);
    } functions[] = {{"erase_word", erase_word_sql}, {"has_word", has_word_sql}};
    int rc = SQLITE_OK;
    for (size_t i = 0; i < ARRAY_LEN(functions) && rc == SQLITE_OK; i++)
        rc = sqlite3_create_function_v2(db->sqlite, functions[i].name, 2,
                                        SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, functions[i].call,
                                        NULL, NULL, NULL);
    return rc == SQLITE_OK ? TL_OK : sql_error(db, rc, e);
}

/* ---- Pairs and records */

struct gone { /* the parameters ?1, ?2 and ?3: not every statement has all of them */
    int64_t rec, feed;
    str id;
};

static int run_counted(struct query *q, int64_t *count)
{
    int rc = query_run(q);
    if (rc == TL_OK)
        *count += query_changes(q);
    return rc;
}

static int run_record(struct db *db, int statement, const struct gone *g, int64_t *count, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    int parameters = sqlite3_bind_parameter_count(q.s);
    put_i64(&q, g->rec);
    if (parameters > 1)
        put_i64(&q, g->feed);
    if (parameters > 2)
        put_id(&q, g->id);
    return run_counted(&q, count);
}

static int run_pair(struct db *db, int statement, int64_t pair, int64_t *count, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, pair);
    return run_counted(&q, count);
}

static int keep_create(struct db *db, int64_t pair, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CREATE, e);
    put_i64(&q, pair);
    put_i64(&q, next_id(db, COUNT_CHANGE));
    put_i64(&q, TL_OP_CREATE);
    return query_run(&q);
}

static int count_conflicts(struct db *db, int64_t pair, int64_t *count, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PAIR_CONFLICTS, e);
    put_i64(&q, pair);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *count += get_i64(&q);
    return rc;
}

int erase_pair(struct db *db, int64_t pair, struct erase_counts *counts, struct err *e)
{
    int rc = run_pair(db, Q_CHANGES, pair, &counts->changes, e);
    if (rc == TL_OK)
        rc = keep_create(db, pair, e);
    if (rc == TL_OK)
        rc = run_pair(db, Q_PAIR_FAILURES, pair, &counts->failures, e);
    if (rc == TL_OK)
        rc = run_pair(db, Q_PAIR_PLANS, pair, &counts->plan_rows, e);
    if (rc == TL_OK)
        rc = count_conflicts(db, pair, &counts->conflicts, e);
    if (rc == TL_OK)
        rc = pair_delete(db, pair, e);
    counts->pairs += rc == TL_OK;
    return rc;
}

static int name_of(struct db *db, struct arena *a, int64_t rec, struct gone *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_RECORD_NAME, e);
    put_i64(&q, rec);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = (struct gone){.rec = rec, .feed = get_i64(&q), .id = get_id(&q, a)};
    return rc;
}

int erase_record(struct db *db, int64_t rec, struct erase_counts *counts, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct gone gone = {0};
    int64_t others = 0;
    const struct {
        int statement;
        int64_t *count;
    } all[] = {{Q_RECORD_FAILURES, &counts->failures},
               {Q_RECORD_PLANS, &counts->plan_rows},
               {Q_HELD, &others},
               {Q_OLD_IDS, &others},
               {Q_HINTS, &counts->hints},
               {Q_PASSPORTS, &counts->passport_pairs},
               {Q_LOOKUPS, &counts->lookups},
               {Q_ACTS, &counts->acts},
               {Q_RELATIONS, &counts->acts}};
    int rc = name_of(db, &a, rec, &gone, e);
    for (size_t i = 0; i < ARRAY_LEN(all) && rc == TL_OK; i++)
        rc = run_record(db, all[i].statement, &gone, all[i].count, e);
    if (rc == TL_OK)
        rc = record_delete(db, rec, e);
    counts->records += rc == TL_OK;
    return rc;
}

/* ---- Texts */

static int run_word(struct db *db, int statement, str word, int64_t *count, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_text(&q, word);
    return run_counted(&q, count);
}

int erase_word(struct db *db, str word, struct erase_counts *counts, struct err *e)
{
    static const int texts[] = {Q_FAILURE_TEXT, Q_REPAIR_TEXT, Q_RUN_TEXT, Q_PLAN_TEXT, Q_ACT_TEXT, Q_ACT_VALUES};
    int rc = erase_word_ready(db, e);
    for (size_t i = 0; i < ARRAY_LEN(texts) && rc == TL_OK; i++)
        rc = run_word(db, texts[i], word, &counts->texts, e);
    if (rc == TL_OK)
        rc = run_word(db, Q_INBOX, word, &counts->deliveries, e);
    return rc == TL_OK ? audit_erase_word(db, word, &counts->audit_rows, e) : rc;
}
