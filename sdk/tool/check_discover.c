/* check() and discover(): who we are and what there is. */
#include "check.h"
#include "vocabulary.h"

static struct call *run(struct check *c, enum call_kind kind)
{
    struct call *call = call_new(kind, 1, TL_PURPOSE_BULK);
    check_run_ok(c, call);
    return call;
}

/* The org key, copied; empty when none is told. */
static str org_of(struct check *c, const struct call *call)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    str org = {"", 0};
    reply_reader_init(&reader, &call->reply);
    for (struct item x; reply_next(&reader, &x);) {
        if (x.kind == ITEM_ACCOUNT)
            org = arena_str(&c->stand.arena, x.u.account.org_key);
        if (x.kind == ITEM_FINDING && x.u.finding.level == TL_ERROR)
            check_note(c, "check finds: %.*s", STR_FMT(x.u.finding.text));
    }
    return org;
}

static void account(struct check *c)
{
    check_open(c, false);
    AUTO(call_free) struct call *a = run(c, CALL_CHECK);
    AUTO(call_free) struct call *b = run(c, CALL_CHECK);
    str one = org_of(c, a), two = org_of(c, b);
    if (!one.n)
        check_fail(c, "check does not tell an org_key: the same account could be connected twice");
    if (!str_eq(one, two))
        check_fail(c, "the org_key is \"%.*s\" first and then \"%.*s\"", STR_FMT(one), STR_FMT(two));
}

static void twice(struct check *c)
{
    check_open(c, false);
    AUTO(call_free) struct call *a = run(c, CALL_DISCOVER);
    AUTO(call_free) struct call *b = run(c, CALL_DISCOVER);
    if (!str_eq(buf_lent(&a->reply.items), buf_lent(&b->reply.items)))
        check_fail(c, "discover says something else the second time");
}

static void one_kind(struct check *c)
{
    check_open(c, false);
    for (uint32_t i = 0; i < c->stand.n_kinds; i++) {
        AUTO(call_free) struct call *call = call_new(CALL_DISCOVER, 1, TL_PURPOSE_BULK);
        call->request.discover.kinds = &c->stand.kinds[i].told.kind;
        call->request.discover.n_kinds = 1;
        check_run_ok(c, call);
        AUTO(reply_reader_done) struct reply_reader reader = {0};
        uint32_t seen = 0;
        reply_reader_init(&reader, &call->reply);
        for (struct item x; reply_next(&reader, &x);)
            seen += x.kind == ITEM_KIND && str_eq(x.u.described.kind, c->stand.kinds[i].told.kind);
        if (seen != 1)
            check_fail(c, "discover asked for \"%s\" alone does not tell of it", c->stand.kinds[i].name);
    }
}

static void fields(struct check *c)
{
    check_open(c, false);
    for (uint32_t i = 0; i < c->stand.n_kinds; i++) {
        const struct stand_kind *k = &c->stand.kinds[i];
        if (!k->told.label.n)
            check_fail(c, "the kind \"%s\" has no label", k->name);
        for (uint32_t f = 0; f < k->told.n_fields; f++)
            if (!k->told.fields[f].label.n || !k->told.fields[f].name.n)
                check_fail(c, "the field \"%.*s\" of %s has no label or no name", STR_FMT(k->told.fields[f].path),
                           k->name);
        if ((k->told.can & TL_CAN_CREATE) && !k->told.stamp_field.n)
            check_note(c, "%s can be created and has no stamp field: a create whose answer is lost waits for a person",
                       k->name);
    }
}

static void vocabulary(struct check *c)
{
    check_open(c, false);
    for (uint32_t i = 0; i < c->stand.n_kinds; i++) {
        struct err why = {0};
        uint32_t from = 0;
        if (vocabulary_complaint(&c->stand.kinds[i].told, &from, &why))
            check_fail(c, "%s: %s", why.text, why.hint);
    }
}

const struct check_test check_discover[] = {
    {"discover.account", GRADE_BRONZE, true, account, "check says who we are, the same each time"},
    {"discover.twice", GRADE_BRONZE, true, twice, "discover says the same twice"},
    {"discover.one_kind", GRADE_BRONZE, true, one_kind, "discover of one kind tells of it"},
    {"discover.vocabulary", GRADE_SILVER, true, vocabulary, "kinds and paths are of the vocabulary, or under x."},
    {"discover.fields", GRADE_SILVER, true, fields, "kinds and fields have names and words for people"},
    {0},
};
