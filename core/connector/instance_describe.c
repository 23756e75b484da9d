/* The functions of the host table by which a connector says what it is and what there is: account, findings, kinds,
 * actions, a subscription. What is wrong with one spoils the call. */
#include "admit.h"
#include "codec.h"
#include "instance_int.h"
#include "vocabulary.h"

static int described_twice(struct instance *i, const tl_kind *k, struct err *e)
{
    for (struct kind_seen *s = i->kinds; s; s = s->next)
        if (str_eq(s->kind, k->kind))
            return err_set(e, TL_E_INVALID, "kind \"%.*s\" is described twice", STR_FMT(k->kind));
    struct kind_seen *s = arena_new(&i->answer, struct kind_seen);
    *s = (struct kind_seen){i->kinds, arena_str(&i->answer, k->kind)};
    i->kinds = s;
    return TL_OK;
}

static tl_status ended(struct instance *i, const char *function, size_t before, int rc, const struct err *e)
{
    return rc ? instance_fault(i, function, e) : instance_added(i, before);
}

/* What is not of the vocabulary is taken as it is, and told. */
static void tell_strange_words(struct instance *i, const tl_kind *k)
{
    struct err why = {0};
    uint32_t told = 0;
    for (uint32_t from = 0; told < BAD_TOLD && vocabulary_complaint(k, &from, &why); told++)
        instance_log(i, TL_WARN, "connector \"%s\", describe: %s; %s", i->module->connector.id, why.text, why.hint);
}

/* Whose lists it says it makes, it must be able to make. */
static int check_view(const struct instance *i, const tl_kind *k, struct err *e)
{
    if (k->about.n == 0 || i->module->view.list)
        return TL_OK;
    return err_set(e, TL_E_INVALID, "kind \"%.*s\" has about, and the connector no extension tl.view/1",
                   STR_FMT(k->kind));
}

static tl_status host_describe(const tl_host *h, const tl_kind *from)
{
    struct instance *i = instance_of(h);
    if (!instance_in_call(i, ITEM_KIND, "describe"))
        return TL_E_BUG;
    struct err e = {0};
    size_t before = i->reply->items.n;
    tl_kind k;
    int rc = admit_size("tl_kind", from, ADMIT_LEAST(tl_kind, fields), &e);
    if (!rc) {
        codec_adopt(&k, sizeof k, from, from->struct_size);
        rc = admit_kind(&k, &i->module->connector, i->module->connector.abi_minor, &e);
    }
    if (!rc)
        rc = check_view(i, &k, &e);
    if (!rc)
        rc = described_twice(i, &k, &e);
    if (!rc)
        rc = reply_add_kind(i->reply, &k, &e);
    if (!rc)
        tell_strange_words(i, &k);
    return ended(i, "describe", before, rc, &e);
}

static int check_actions(struct instance *i, const tl_action *a, struct err *e)
{
    bool described = false;
    for (struct kind_seen *s = i->kinds; s; s = s->next)
        described = described || str_eq(s->kind, a->kind);
    if (!i->module->actions.act)
        return err_set(e, TL_E_INVALID, "action \"%.*s\", and the connector has no extension tl.action/1",
                       STR_FMT(a->name));
    if (!described)
        return err_set(e, TL_E_INVALID, "action \"%.*s\" is of the kind \"%.*s\", which is not described before it",
                       STR_FMT(a->name), STR_FMT(a->kind));
    for (struct action_seen *s = i->actions; s; s = s->next)
        if (str_eq(s->kind, a->kind) && str_eq(s->name, a->name))
            return err_set(e, TL_E_INVALID, "action \"%.*s\" of \"%.*s\" is described twice", STR_FMT(a->name),
                           STR_FMT(a->kind));
    struct action_seen *s = arena_new(&i->answer, struct action_seen);
    *s = (struct action_seen){i->actions, arena_str(&i->answer, a->kind), arena_str(&i->answer, a->name)};
    i->actions = s;
    return TL_OK;
}

static tl_status host_describe_action(const tl_host *h, const tl_action *from)
{
    struct instance *i = instance_of(h);
    if (!instance_in_call(i, ITEM_ACTION, "describe_action"))
        return TL_E_BUG;
    struct err e = {0};
    size_t before = i->reply->items.n;
    tl_action a;
    int rc = admit_size("tl_action", from, ADMIT_LEAST(tl_action, params), &e);
    if (!rc) {
        codec_adopt(&a, sizeof a, from, from->struct_size);
        rc = admit_action(&a, i->module->connector.abi_minor, &e);
    }
    if (!rc)
        rc = check_actions(i, &a, &e);
    if (!rc)
        rc = reply_add_action(i->reply, &a, &e);
    return ended(i, "describe_action", before, rc, &e);
}

static tl_status host_account(const tl_host *h, const tl_account *from)
{
    struct instance *i = instance_of(h);
    if (!instance_in_call(i, ITEM_ACCOUNT, "account"))
        return TL_E_BUG;
    struct err e = {0};
    size_t before = i->reply->items.n;
    tl_account a;
    int rc = admit_size("tl_account", from, ADMIT_LEAST(tl_account, server_us), &e);
    if (!rc) {
        codec_adopt(&a, sizeof a, from, from->struct_size);
        rc = reply_add_account(i->reply, &a, &e);
    }
    return ended(i, "account", before, rc, &e);
}

static tl_status host_finding(const tl_host *h, const tl_finding *from)
{
    struct instance *i = instance_of(h);
    if (!instance_in_call(i, ITEM_FINDING, "finding"))
        return TL_E_BUG;
    struct err e = {0};
    size_t before = i->reply->items.n;
    tl_finding f;
    int rc = admit_size("tl_finding", from, ADMIT_LEAST(tl_finding, hint), &e);
    if (!rc) {
        codec_adopt(&f, sizeof f, from, from->struct_size);
        rc = reply_add_finding(i->reply, &f, &e);
    }
    return ended(i, "finding", before, rc, &e);
}

static tl_status host_subscription(const tl_host *h, const tl_subscription *from)
{
    struct instance *i = instance_of(h);
    if (!instance_in_call(i, ITEM_SUBSCRIPTION, "subscription"))
        return TL_E_BUG;
    struct err e = {0};
    size_t before = i->reply->items.n;
    tl_subscription s;
    int rc = admit_size("tl_subscription", from, ADMIT_LEAST(tl_subscription, expires_us), &e);
    if (!rc) {
        codec_adopt(&s, sizeof s, from, from->struct_size);
        rc = reply_add_subscription(i->reply, &s, &e);
    }
    return ended(i, "subscription", before, rc, &e);
}

void instance_describe_init(tl_host *h)
{
    h->account = host_account;
    h->finding = host_finding;
    h->describe = host_describe;
    h->describe_action = host_describe_action;
    h->subscription = host_subscription;
}
