/* Lists about a record: whole, the same each time, and never empty because an answer could not be read. */
#include "check_lists.h"

enum { CALLS_MAX = 500, RECORDS_TRIED = 30, REQUESTS_TRIED = 3, SMALL_PAGE = 2, LARGE_PAGE = 50, KINDS_TRIED = 32 };

struct call *check_list_call(const struct stand_kind *k, const struct about *a, str filter, const char *cursor,
                             uint32_t limit)
{
    struct call *call = call_new(CALL_LIST, 1, TL_PURPOSE_AGENT);
    tl_list *q = &call->request.list;
    q->shape = &k->shape;
    q->limit = limit;
    q->about_kind = a->kind;
    q->about_id = a->id;
    q->filter = filter;
    q->cursor = arena_str(&call->arena, str_of(cursor));
    return call;
}

static void list_all(struct check *c, const struct stand_kind *k, const struct about *a, str filter, uint32_t limit,
                     struct world *w)
{
    AUTO(text_free) char *at = text_dup("");
    bool complete = false;
    for (uint32_t i = 0; !complete; i++) {
        if (i == CALLS_MAX)
            check_fail(c, "a list of %s is not complete after %d pages", k->name, CALLS_MAX);
        AUTO(call_free) struct call *call = check_list_call(k, a, filter, at, limit);
        check_at(c, "page %u of the list of %s about %.*s \"%.*s\"", i + 1, k->name, STR_FMT(a->kind), STR_FMT(a->id));
        check_run_ok(c, call);
        world_take(w, &call->reply);
        char *next = check_last_cursor(&call->reply, &complete);
        if (!next)
            check_fail(c, "a list of %s ended with success and without a checkpoint", k->name);
        text_free(at);
        at = next;
    }
}

/* ---- what they are about */

/* Of the records of one kind the one that has the most; false: none has any. */
static bool richest(struct check *c, const struct stand_kind *k, const struct stand_kind *of, struct about *out)
{
    AUTO(world_done) struct world w = {0};
    uint32_t most = 0;
    text_free(check_pull_all(c, of, TL_PULL_PASS, "", &w, NULL));
    for (uint32_t i = 0; i < w.n && i < RECORDS_TRIED; i++) {
        AUTO(world_done) struct world list = {0};
        const struct about one = {of->told.kind, arena_str(&c->stand.arena, str_of(w.list[w.n - 1 - i].id))};
        list_all(c, k, &one, (str){"", 0}, LARGE_PAGE, &list);
        if (list.n > most)
            *out = one;
        most = list.n > most ? list.n : most;
    }
    return most > 0;
}

bool check_about(struct check *c, const struct stand_kind *k, struct about *out)
{
    str rest = k->told.about, name;
    while (str_split(&rest, ',', &name)) {
        const struct stand_kind *of = stand_kind(&c->stand, arena_str(&c->stand.arena, name).p);
        if (of && (of->told.can & TL_CAN_PASS) && richest(c, k, of, out))
            return true;
    }
    return false;
}

/* The kinds that lists are made of, each with the record that has the most. The test does not apply where there is
 * none. Found before anything is made to fail. */
struct listed {
    const struct stand_kind *kind;
    struct about about;
};

static uint32_t find_listed(struct check *c, struct listed out[KINDS_TRIED])
{
    uint32_t lists = 0, n = 0;
    const struct stand_kind *x;
    for (uint32_t k = 0; (x = check_kind(c, 0, k)) && n < KINDS_TRIED; k++) {
        lists += x->told.about.n > 0;
        out[n].kind = x;
        n += x->told.about.n && check_about(c, x, &out[n].about);
    }
    if (!lists)
        check_not_for(c, "it has no kind of which there are lists (tl_kind.about)");
    if (!n)
        check_not_for(c, "no record that can be read by a pass has any");
    return n;
}

/* ---- the tests */

static void pages(struct check *c)
{
    check_open(c, false);
    struct listed of[KINDS_TRIED];
    uint32_t n_of = find_listed(c, of);
    for (uint32_t i = 0; i < n_of; i++) {
        const struct stand_kind *k = of[i].kind;
        struct about a = of[i].about;
        AUTO(world_done) struct world small = {0};
        AUTO(world_done) struct world large = {0};
        char why[400];
        list_all(c, k, &a, (str){"", 0}, LARGE_PAGE, &large);
        check_reseat(c);
        list_all(c, k, &a, (str){"", 0}, SMALL_PAGE, &small);
        if (small.bad)
            check_fail(c, "%u of %u records of a list of %s cannot be used", small.bad, small.emitted, k->name);
        if (small.emitted != small.n)
            check_fail(c, "a list of %s in small pages tells %u records %u times", k->name, small.n, small.emitted);
        if (!world_same(&large, &small, why, sizeof why))
            check_fail(c, "a list of %s in small pages is another than in large ones: %s", k->name, why);
        if (large.n <= SMALL_PAGE)
            check_note(c, "%s: no record has more than %u, so no page had a second one behind it", k->name, large.n);
    }
}

static void filters(struct check *c)
{
    check_open(c, false);
    struct listed of[KINDS_TRIED];
    uint32_t n_of = find_listed(c, of);
    bool tried = false;
    for (uint32_t i = 0; i < n_of; i++) {
        const struct stand_kind *k = of[i].kind;
        struct about a = of[i].about;
        AUTO(world_done) struct world all = {0};
        str rest = k->told.filters, filter;
        list_all(c, k, &a, (str){"", 0}, LARGE_PAGE, &all);
        while (str_split(&rest, ',', &filter)) {
            AUTO(world_done) struct world part = {0};
            tried = true;
            list_all(c, k, &a, arena_str(&c->stand.arena, filter), LARGE_PAGE, &part);
            for (uint32_t r = 0; r < part.n; r++)
                if (!world_find(&all, str_of(part.list[r].id)))
                    check_fail(c, "the part \"%.*s\" of a list of %s has \"%s\", which the whole does not",
                               STR_FMT(filter), k->name, part.list[r].id);
        }
    }
    if (!tried)
        check_not_for(c, "no kind names parts of its lists (tl_kind.filters)");
}

static void unknown(struct check *c)
{
    check_open(c, false);
    struct listed of[KINDS_TRIED];
    uint32_t n_of = find_listed(c, of);
    for (uint32_t i = 0; i < n_of; i++) {
        const struct stand_kind *k = of[i].kind;
        struct about a = of[i].about;
        AUTO(world_done) struct world w = {0};
        text_free(check_pull_all(c, stand_kind(&c->stand, a.kind.p), TL_PULL_PASS, "", &w, NULL));
        const char *nobody = check_other_id(c, &w);
        if (!nobody)
            check_not_for(c, "no id can be made up that none of its records has");
        const struct about none = {a.kind, str_of(nobody)};
        AUTO(call_free) struct call *call = check_list_call(k, &none, (str){"", 0}, "", LARGE_PAGE);
        check_at(c, "a list of %s about the id \"%s\", which no record has", k->name, nobody);
        check_run(c, call);
        if (call->reply.status != TL_E_NOT_FOUND)
            check_fail(c, "a list of %s about a record that is not there ended with \"%s\" instead of \"%s\"", k->name,
                       status_name(call->reply.status), status_name(TL_E_NOT_FOUND));
    }
}

/* A person takes an empty list for the truth. */
static void broken(struct check *c)
{
    static const struct {
        enum fault_kind kind;
        int32_t status;
    } faults[] = {{FAULT_STATUS, 500}, {FAULT_STATUS, 429}, {FAULT_HTML, 0}, {FAULT_LOST, 0}};
    check_open(c, false);
    struct listed of[KINDS_TRIED];
    uint32_t n_of = find_listed(c, of);
    for (uint32_t i = 0; i < n_of; i++) {
        const struct stand_kind *k = of[i].kind;
        struct about a = of[i].about;
        for (uint32_t n = 0; n < ARRAY_LEN(faults) * REQUESTS_TRIED; n++) {
            AUTO(call_free) struct call *call = check_list_call(k, &a, (str){"", 0}, "", LARGE_PAGE);
            check_reseat(c);
            c->fault.kind = faults[n / REQUESTS_TRIED].kind;
            c->fault.status = faults[n / REQUESTS_TRIED].status;
            c->fault.at = n % REQUESTS_TRIED;
            check_at(c, "a list of %s with %s at request %u", k->name, fault_name(c->fault.kind), c->fault.at + 1);
            check_run(c, call);
            if (c->fault.hit && call->reply.status == TL_OK)
                check_fail(c, "a list of %s with %s at request %u ended with success", k->name,
                           fault_name(c->fault.kind), c->fault.at + 1);
        }
    }
}

const struct check_test check_view[] = {
    {"view.pages", GRADE_BRONZE, true, pages, "a list is the same in small pages and in large ones, and ends"},
    {"view.filters", GRADE_SILVER, true, filters, "what a part of a list has, the whole has"},
    {"view.unknown", GRADE_SILVER, true, unknown, "a list about a record that is not there is TL_E_NOT_FOUND"},
    {"view.broken", GRADE_SILVER, true, broken, "an answer that cannot be read is no empty list"},
    {0},
};
