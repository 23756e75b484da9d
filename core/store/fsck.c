/* What must hold of the whole database: see fsck.h. */
#include "fsck.h"

#include <stdio.h>
#include <string.h>

#include "connections.h"
#include "db_int.h"
#include "erased.h"
#include "intents.h"
#include "pairs.h"
#include "pairs_int.h"
#include "records_int.h"
#include "runs.h"

#define QUIET_US (300 * INT64_C(1000000)) /* counts of a run that ended so long ago are all stored */

enum { Q_RECORDS, Q_PAIRS, Q_PARKED, Q_STAMPS, Q_TWINS, Q_RUNS, Q_CLAIMS, Q_RUN_OPEN };
static const char *const SQL[] = {
    [Q_RECORDS] = "SELECT " RECORD_COLUMNS ", (SELECT f.kind FROM feed f WHERE f.feed = record.feed), "
                  "(SELECT e.system FROM feed f JOIN endpoint e USING(endpoint) WHERE f.feed = record.feed), "
                  "(SELECT e.org_key FROM feed f JOIN endpoint e USING(endpoint) WHERE f.feed = record.feed), "
                  "EXISTS(SELECT 1 FROM stretch s WHERE s.owner = record.feed AND s.n = record.rec >> 6) "
                  "FROM record WHERE rec > ?1 ORDER BY rec LIMIT ?2",
    [Q_PAIRS] = "SELECT " PAIR_COLUMNS " FROM pair WHERE pair > ?1 ORDER BY pair LIMIT ?2",
    [Q_PARKED] = "SELECT k.pair, p.link, k.dep_id FROM parked k JOIN pair p ON p.pair = k.pair "
                 "JOIN link d ON d.link = k.dep_link "
                 "JOIN record r ON r.feed = CASE k.dep_side WHEN 0 THEN d.a_feed ELSE d.b_feed END AND "
                 "r.remote_id = k.dep_id JOIN pair q ON q.link = k.dep_link AND q.slot = '' AND "
                 "CASE k.dep_side WHEN 0 THEN q.a_rec ELSE q.b_rec END = r.rec "
                 "WHERE k.pair > ?1 AND p.status = 1 AND p.intent = 0 AND q.intent = 0 AND q.a_rec IS NOT NULL AND "
                 "q.b_rec IS NOT NULL ORDER BY k.pair LIMIT ?2",
    [Q_STAMPS] =
        "SELECT r.rec, r.feed, r.remote_id FROM record r WHERE r.rec > ?1 AND r.stamp IS NOT NULL AND r.state = 0 AND "
        "EXISTS(SELECT 1 FROM link l WHERE (l.a_feed = r.feed OR l.b_feed = r.feed) AND l.mode = 0 AND "
        "l.phase > 0) AND NOT EXISTS(SELECT 1 FROM held h WHERE h.rec = r.rec) AND "
        "NOT EXISTS(SELECT 1 FROM pair p WHERE p.a_rec = r.rec) AND "
        "NOT EXISTS(SELECT 1 FROM pair p WHERE p.b_rec = r.rec) AND "
        "NOT EXISTS(SELECT 1 FROM old_id o WHERE o.rec = r.rec) ORDER BY r.rec LIMIT ?2",
    [Q_TWINS] = "SELECT o.pair, o.link FROM old_id o JOIN pair p ON p.pair = o.pair JOIN record r ON r.rec = o.rec "
                "JOIN record c ON c.rec = CASE o.side WHEN 0 THEN p.a_rec ELSE p.b_rec END "
                "WHERE o.pair > ?1 AND o.why = 'recreated' AND r.state = 0 AND c.state = 0 AND c.rec <> r.rec AND "
                "o.gen = CASE o.side WHEN 0 THEN p.a_gen ELSE p.b_gen END ORDER BY o.pair LIMIT ?2",
    [Q_RUNS] = "SELECT r.run, r.link, (SELECT coalesce(sum(added + updated), 0) FROM run_count c WHERE c.run = r.run) "
               "FROM run r JOIN link l ON l.link = r.link WHERE r.run > ?1 AND r.state NOT IN (0, 1, 6) AND "
               "r.ended < ?3 ORDER BY r.run LIMIT ?2",
    [Q_CLAIMS] = "SELECT k.grp, c.name, c.state IN (6, 7) FROM claim k JOIN connection c USING(connection) "
                 "WHERE (k.endpoint NOT IN (c.a_endpoint, c.b_endpoint) OR c.state IN (6, 7)) AND "
                 "(?1 = 0 OR k.connection = ?1) ORDER BY k.grp, k.endpoint",
    [Q_RUN_OPEN] = "SELECT EXISTS(SELECT 1 FROM intent WHERE run = ?1)",
};
SQL_TABLE(T, SQL_FSCK, SQL);

struct looking {
    struct fsck *f;
    struct db *db;
    size_t max;
    fsck_found_fn found;
    void *arg;
};

static void report(struct looking *k, struct fsck_finding finding, const char *object)
{
    finding.object = object;
    if (strcmp(finding.level, "note") == 0)
        k->f->notes++;
    else
        k->f->findings++;
    k->found(k->arg, &finding);
}

static bool has(const int64_t *list, int n, int64_t id)
{
    for (int i = 0; i < n; i++)
        if (list[i] == id)
            return true;
    return false;
}

static bool link_wanted(const struct fsck *f, int64_t link)
{
    return f->connection == 0 || has(f->links, f->n_links, link);
}

static bool feed_wanted(const struct fsck *f, int64_t feed)
{
    return f->connection == 0 || has(f->feeds, f->n_feeds, feed);
}

static struct query page(struct looking *k, int statement, struct err *e)
{
    struct query q = query_begin(k->db, &T, statement, e);
    put_i64(&q, k->f->after);
    put_i64(&q, (int64_t)k->max);
    return q;
}

/* After the rows of a page: is there more of this stage? */
static int page_end(struct looking *k, int rc, size_t n, bool *end)
{
    k->f->looked += (int64_t)n;
    *end = n < k->max;
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

/* ---- Stages ------------------------------------------------------------------------------------------------------ */

static int look_sidecar(struct looking *k, bool *end, struct err *e)
{
    (void)e;
    *end = true;
    if (k->f->connection)
        return TL_OK;
    if (!k->f->sidecar[0] && k->f->sidecar_intent > k->db->counters[COUNT_INTENT])
        snprintf(k->f->sidecar, sizeof k->f->sidecar, "it has seen write %lld, the database none after %lld",
                 (long long)k->f->sidecar_intent, (long long)k->db->counters[COUNT_INTENT]);
    if (k->f->sidecar[0])
        report(k,
               (struct fsck_finding){.check = "sidecar",
                                     .level = "error",
                                     .text = k->f->sidecar,
                                     .hint = "the database is older than what was done with it, or a copy: restart "
                                             "tielined and follow what `tieline status` says"},
               "tieline.db.seal");
    return TL_OK;
}

static void report_schema(void *arg, const char *object, const char *text, bool harmless)
{
    report(arg,
           (struct fsck_finding){.check = "schema",
                                 .level = harmless ? "warning" : "error",
                                 .text = text,
                                 .hint = harmless ? "tieline does not read it; who made it takes it away again"
                                                  : "somebody changed the database: put a backup from before in its "
                                                    "place, and look who may write to it"},
           object);
}

static int look_schema(struct looking *k, bool *end, struct err *e)
{
    *end = true;
    return k->f->connection ? TL_OK : fsck_schema(k->db, report_schema, k, e);
}

static int look_record(struct looking *k, const struct record *r, const struct erased_name *name, bool walked,
                       struct err *e)
{
    char object[320];
    bool erased = false;
    snprintf(object, sizeof object, "record \"%.*s\"", STR_FMT(r->id));
    if (r->damaged)
        report(k,
               (struct fsck_finding){.check = "checksum",
                                     .level = "error",
                                     .text = "what was read of it is damaged",
                                     .hint = "nothing is written from it; a full sweep reads it again: tieline "
                                             "sync start CONNECTION --full. Have the disk looked at"},
               object);
    if (name->kind.n == 0)
        report(k,
               (struct fsck_finding){.check = "orphan",
                                     .level = "warning",
                                     .text = "nobody reads records of its feed",
                                     .hint = "it holds space, nothing else"},
               object);
    else if (!walked)
        report(k,
               (struct fsck_finding){.check = "stretch",
                                     .level = "error",
                                     .text = "walks over its feed pass it by",
                                     .hint = "it is not paired, nor noticed when it vanishes; tieline fsck --repair",
                                     .can_repair = true},
               object);
    int rc = erased_has(k->db, name, &erased, e);
    if (rc == TL_OK && erased)
        report(k,
               (struct fsck_finding){.check = "erased",
                                     .level = "error",
                                     .text = "it was erased with its person, and is stored",
                                     .hint = "`tieline person erase` takes it away again, `tieline person "
                                             "restore-sync` lets it stay"},
               object);
    return rc;
}

static int look_records(struct looking *k, bool *end, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(query_end) struct query q = page(k, Q_RECORDS, e);
    size_t n = 0;
    int rc;
    for (; (rc = query_row(&q)) == TL_OK; n++) {
        struct record r = {0};
        struct erased_name name = {0};
        record_read(&q, &a, &r);
        name.kind = get_text(&q, &a);
        name.system = get_text(&q, &a);
        name.org = get_text(&q, &a);
        bool walked = get_bool(&q);
        name.id = r.id;
        k->f->after = r.rec;
        int looked = feed_wanted(k->f, r.feed) ? look_record(k, &r, &name, walked, e) : TL_OK;
        if (looked != TL_OK)
            return looked;
    }
    return page_end(k, rc, n, end);
}

/* "pair 12 of link 3: its link does not exist" */
static void report_line(struct looking *k, str line)
{
    static const char V1[] = "one of its live records is an old id", V2[] = "its open write", V18[] = "it is parked";
    char object[64], text[160];
    long long pair, link;
    int at = 0;
    snprintf(text, sizeof text, "%.*s", STR_FMT(line));
    if (sscanf(text, "pair %lld of link %lld: %n", &pair, &link, &at) != 2 || !at || !link_wanted(k->f, link))
        return;
    const char *words = text + at;
    snprintf(object, sizeof object, "pair %lld", pair);
    report(k,
           (struct fsck_finding){.check = str_starts(str_of(words), str_of(V2))    ? "V2"
                                          : str_starts(str_of(words), str_of(V18)) ? "V18"
                                          : str_starts(str_of(words), str_of(V1))  ? "V1"
                                                                                   : "orphan",
                                 .level = "error",
                                 .text = words,
                                 .hint =
                                     "look at it with `tieline pair show`; `tieline pair unlink` parts its records, "
                                     "`tieline pair link` makes it anew"},
           object);
}

static int look_pairs(struct looking *k, bool *end, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf lines = {0};
    AUTO(query_end) struct query q = page(k, Q_PAIRS, e);
    int64_t after = k->f->after;
    size_t n = 0;
    int rc;
    for (; (rc = query_row(&q)) == TL_OK; n++) {
        struct pair p = {0};
        char object[64];
        pair_read(&q, &a, &p);
        k->f->after = p.pair;
        if (!p.damaged || !link_wanted(k->f, p.link))
            continue;
        snprintf(object, sizeof object, "pair %lld", (long long)p.pair);
        report(k,
               (struct fsck_finding){.check = "checksum",
                                     .level = "error",
                                     .text = "what both sides agreed on is damaged",
                                     .hint = "nothing is written for it; `tieline pair unlink` and `tieline pair link` "
                                             "make it anew from what both sides hold. Have the disk looked at"},
               object);
    }
    rc = page_end(k, rc, n, end);
    if (rc == TL_OK) {
        bool all = false;
        rc = pair_fsck(k->db, &after, k->max, &lines, &all, e);
    }
    str rest = buf_lent(&lines), line;
    while (rc == TL_OK && str_split(&rest, '\n', &line))
        if (line.n)
            report_line(k, line);
    return rc;
}

static int look_intent(struct looking *k, const struct intent *i, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    for (size_t n = 0; n < i->n; n++) {
        struct pair p = {0};
        char object[64];
        int rc = pair_get(k->db, &a, i->entries[n].pair, &p, e);
        if (rc != TL_OK && rc != TL_E_NOT_FOUND)
            return rc;
        if (rc == TL_OK && p.intent == i->intent)
            continue;
        snprintf(object, sizeof object, "write %lld", (long long)i->intent);
        report(k,
               (struct fsck_finding){.check = "V2",
                                     .level = "error",
                                     .text = rc ? "it is open for a pair that does not exist"
                                                : "it is open for a pair that knows nothing of it",
                                     .hint = "restart tielined: its outcome is looked up at the vendor then"},
               object);
    }
    return TL_OK;
}

static int look_intents(struct looking *k, bool *end, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct intent *list = NULL;
    size_t n = 0;
    int rc = intent_list(k->db, &a, 0, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        if (link_wanted(k->f, list[i].link))
            rc = look_intent(k, &list[i], e);
    k->f->looked += (int64_t)n;
    *end = true;
    return rc;
}

/* Pairs that a statement lists with their links, each of them a finding. */
static int look_listed(struct looking *k, int statement, const struct fsck_finding *finding, bool *end, struct err *e)
{
    AUTO(query_end) struct query q = page(k, statement, e);
    size_t n = 0;
    int rc;
    for (; (rc = query_row(&q)) == TL_OK; n++) {
        char object[64];
        k->f->after = get_i64(&q);
        if (!link_wanted(k->f, get_i64(&q)))
            continue;
        snprintf(object, sizeof object, "pair %lld", (long long)k->f->after);
        report(k, *finding, object);
    }
    return page_end(k, rc, n, end);
}

static int look_parked(struct looking *k, bool *end, struct err *e)
{
    static const struct fsck_finding waits = {.check = "V18",
                                              .level = "warning",
                                              .text = "it waits for a record that has its counterpart already",
                                              .hint =
                                                  "`tieline sync start CONNECTION` looks at it again within a cycle"};
    return look_listed(k, Q_PARKED, &waits, end, e);
}

static int look_stamps(struct looking *k, bool *end, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(query_end) struct query q = page(k, Q_STAMPS, e);
    size_t n = 0;
    int rc;
    for (; (rc = query_row(&q)) == TL_OK; n++) {
        char object[320];
        k->f->after = get_i64(&q);
        int64_t feed = get_i64(&q);
        str id = get_id(&q, &a);
        if (!feed_wanted(k->f, feed))
            continue;
        snprintf(object, sizeof object, "record \"%.*s\"", STR_FMT(id));
        report(k,
               (struct fsck_finding){.check = "V3",
                                     .level = "error",
                                     .text = "it bears a mark of ours, and neither a pair nor a report explains it",
                                     .hint = "a full sweep explains it or reports it: tieline sync start CONNECTION "
                                             "--full"},
               object);
    }
    return page_end(k, rc, n, end);
}

static int look_twins(struct looking *k, bool *end, struct err *e)
{
    static const struct fsck_finding twins = {.check = "V3",
                                              .level = "error",
                                              .text = "two live records were made for it on one side",
                                              .hint = "`tieline pair show` names them; merge them in their own system"};
    return look_listed(k, Q_TWINS, &twins, end, e);
}

static int look_run(struct looking *k, int64_t run, int64_t counted, struct err *e)
{
    int64_t creates = 0, changes = 0, failures = 0;
    AUTO(query_end) struct query q = query_begin(k->db, &T, Q_RUN_OPEN, e);
    put_i64(&q, run);
    int rc = query_row(&q);
    if (rc != TL_OK || get_bool(&q))
        return rc;
    rc = run_accounting(k->db, run, &creates, &changes, &failures, e);
    if (rc != TL_OK || creates + changes == counted)
        return rc;
    bool more = creates + changes > counted;
    char object[64], text[160];
    snprintf(object, sizeof object, "run %lld", (long long)run);
    snprintf(text, sizeof text, "it counts %lld writes, its rows are %lld creates and %lld changes", (long long)counted,
             (long long)creates, (long long)changes);
    report(k,
           (struct fsck_finding){.check = "V14",
                                 .level = more ? "error" : "note",
                                 .text = text,
                                 .hint = more ? "the counts of this run cannot be trusted; its changes are listed by "
                                                "`tieline pair show`"
                                              : "pairs and changes that were removed since are not counted any more"},
           object);
    return TL_OK;
}

static int look_runs(struct looking *k, bool *end, struct err *e)
{
    AUTO(query_end) struct query q = page(k, Q_RUNS, e);
    put_i64(&q, env_now_us(db_env(k->db)) - QUIET_US);
    size_t n = 0;
    int rc;
    for (; (rc = query_row(&q)) == TL_OK; n++) {
        k->f->after = get_i64(&q);
        int64_t link = get_i64(&q), counted = get_i64(&q);
        if (!link_wanted(k->f, link))
            continue;
        rc = look_run(k, k->f->after, counted, e);
        if (rc != TL_OK)
            return rc;
    }
    return page_end(k, rc, n, end);
}

static int look_tallies(struct looking *k, bool *end, struct err *e)
{
    static const char *const words[] = {"records of feed", "pairs of link", "complete pairs of link",
                                        "unsettled pairs of link"};
    AUTO(arena_done) struct arena a = {0};
    struct fsck_tally *list = NULL;
    size_t n = 0;
    int rc = fsck_tallies(k->db, &a, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        const struct fsck_tally *t = &list[i];
        char object[64], text[120];
        if (t->what ? !link_wanted(k->f, t->owner) : !feed_wanted(k->f, t->owner))
            continue;
        snprintf(object, sizeof object, "%s %lld", words[t->what], (long long)t->owner);
        snprintf(text, sizeof text, "%lld are counted, %lld are there", (long long)t->stored, (long long)t->counted);
        report(k,
               (struct fsck_finding){.check = "tally",
                                     .level = "error",
                                     .text = text,
                                     .hint = "figures of `status` are wrong by that; tieline fsck --repair",
                                     .can_repair = true},
               object);
    }
    *end = true;
    return rc;
}

static int look_orphans(struct looking *k, bool *end, struct err *e)
{
    int64_t n = 0;
    *end = true;
    if (k->f->connection)
        return TL_OK; /* they belong to nobody */
    int rc = fsck_orphans_count(k->db, &n, e);
    char text[120];
    snprintf(text, sizeof text, "%lld rows belong to a pair, a record or a feed that does not exist", (long long)n);
    if (rc == TL_OK && n > 0)
        report(k,
               (struct fsck_finding){.check = "orphan",
                                     .level = "error",
                                     .text = text,
                                     .hint = "tieline fsck --repair removes them; nothing at any vendor changes",
                                     .can_repair = true},
               "database");
    return rc;
}

static int look_claims(struct looking *k, bool *end, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(query_end) struct query q = query_begin(k->db, &T, Q_CLAIMS, e);
    put_i64(&q, k->f->connection);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        char object[200];
        str group = get_text(&q, &a), name = get_text(&q, &a);
        bool rests = get_bool(&q);
        snprintf(object, sizeof object, "connection \"%.*s\"", STR_FMT(name));
        AUTO(buf_done) struct buf text = {0};
        buf_fmt(&text, "it holds the place \"%.*s\"%s", STR_FMT(group),
                rests ? " although it is disabled or deleted" : " at an endpoint it does not connect");
        report(k,
               (struct fsck_finding){.check = "claim",
                                     .level = "error",
                                     .text = buf_text(&text),
                                     .hint = "`tieline connection disable` and `enable` take the place anew"},
               object);
    }
    *end = true;
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

static const struct {
    const char *name;
    int (*look)(struct looking *k, bool *end, struct err *e);
} stages[] = {
    {"sidecar", look_sidecar}, {"schema", look_schema},  {"records", look_records}, {"pairs", look_pairs},
    {"writes", look_intents},  {"waiting", look_parked}, {"stamps", look_stamps},   {"creations", look_twins},
    {"runs", look_runs},       {"counts", look_tallies}, {"orphans", look_orphans}, {"claims", look_claims},
};

int fsck_stages(void)
{
    return (int)ARRAY_LEN(stages);
}

const char *fsck_stage_name(const struct fsck *f)
{
    return f->stage < fsck_stages() ? stages[f->stage].name : "end";
}

static void add_feed(struct fsck *f, int64_t feed)
{
    if (feed && f->n_feeds < (int)ARRAY_LEN(f->feeds) && !has(f->feeds, f->n_feeds, feed))
        f->feeds[f->n_feeds++] = feed;
}

int fsck_begin(struct fsck *f, struct db *db, int64_t connection, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct link *list = NULL;
    size_t n = 0;
    *f = (struct fsck){.connection = connection};
    sidecar_look(db, f->sidecar, sizeof f->sidecar, &f->sidecar_intent);
    int rc = connection ? link_list(db, &a, connection, &list, &n, e) : TL_OK;
    for (size_t i = 0; i < n && f->n_links < FSCK_LINKS; i++) {
        f->links[f->n_links++] = list[i].link;
        add_feed(f, list[i].feed[0]);
        add_feed(f, list[i].feed[1]);
    }
    return rc;
}

int fsck_slice(struct fsck *f, struct db *db, size_t max, fsck_found_fn found, void *arg, bool *end, struct err *e)
{
    struct looking k = {f, db, max, found, arg};
    bool through = false;
    int rc = f->stage == 0 ? counters_load(db, e) : TL_OK;
    if (rc == TL_OK && f->stage < fsck_stages())
        rc = stages[f->stage].look(&k, &through, e);
    if (rc == TL_OK && through) {
        f->stage++;
        f->after = 0;
    }
    *end = f->stage >= fsck_stages();
    return rc;
}
