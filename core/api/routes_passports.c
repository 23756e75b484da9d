/* Routes of map passports: what a connection has paired, to be bound again elsewhere or later. A file of any size is
 * handed over in pages; the keys of the stamps leave the house sealed under a passphrase only. */
#include <sodium.h>
#include <string.h>

#include "admin.h"
#include "connections.h"
#include "endpoints.h"
#include "pairs.h"
#include "passphrase.h"
#include "passports.h"
#include "times.h"
#include "verb.h"

enum { PASSPORT_VERSION = 1, PAGE_PAIRS = 1000, IMPORT_PAIRS = 200, KEYS_MAX = 32 };
#define KEY_BYTES (PASSPORT_INSTANCE + PASSPORT_KEY)

static json_t *text_json(str s)
{
    return json_stringn(s.n ? s.p : "", (size_t)s.n);
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

struct contents {
    struct connection connection;
    struct endpoint ep[2];
    struct link *links;
    size_t n_links;
    struct buf keys; /* instance and key, one after the other */
    json_t *instances;
};

static void add_key(struct contents *c, const char *instance, const uint8_t *key)
{
    buf_str(&c->keys, str_n(instance, PASSPORT_INSTANCE));
    buf_str(&c->keys, str_n(key, PASSPORT_KEY));
    json_array_append_new(c->instances, json_string(instance));
}

static int read_contents(struct request *rq, struct db *db, const char *name, struct contents *c, struct err *e)
{
    struct passport_key *keys = NULL;
    size_t n = 0;
    int rc = not_found_words(e, connection_find(db, &rq->arena, str_of(name), &c->connection, e), "connection", name);
    for (int s = 0; s < 2 && !rc; s++)
        rc = endpoint_get(db, &rq->arena, c->connection.endpoint[s], &c->ep[s], e);
    if (!rc)
        rc = link_list(db, &rq->arena, c->connection.connection, &c->links, &c->n_links, e);
    if (!rc)
        rc = passport_key_list(db, &rq->arena, &keys, &n, e);
    if (rc)
        return rc;
    if (!c->ep[0].org_key.n || !c->ep[1].org_key.n) {
        err_set(e, E_PRECONDITION, "whose accounts they are is not known yet");
        err_hint(e, "`tieline endpoint check NAME` of both endpoints tells");
        return E_PRECONDITION;
    }
    add_key(c, db_instance(db), db_instance_key(db));
    for (size_t i = 0; i < n && i < KEYS_MAX - 1; i++)
        add_key(c, keys[i].instance, keys[i].key);
    return TL_OK;
}

static json_t *side_json(const struct endpoint *ep)
{
    return json_pack("{s:o,s:o,s:o}", "system", text_json(ep->system), "org_key", text_json(ep->org_key), "org_name",
                     text_json(ep->org_name));
}

static json_t *header_json(struct request *rq, const struct contents *c, const struct passphrase_box *box)
{
    char now[32];
    json_t *links = json_array();
    for (size_t i = 0; i < c->n_links; i++)
        json_array_append_new(links,
                              json_pack("{s:o,s:o,s:o}", "kind", text_json(c->links[i].name), "a_kind",
                                        text_json(c->links[i].kind[0]), "b_kind", text_json(c->links[i].kind[1])));
    return json_pack("{s:i,s:s,s:o,s:o,s:o,s:O,s:{s:s,s:I,s:I,s:s,s:s,s:s},s:o}", "tieline_passport", PASSPORT_VERSION,
                     "made", time_text(now, env_now_us(rq->app->env)), "connection", text_json(c->connection.name), "a",
                     side_json(&c->ep[0]), "b", side_json(&c->ep[1]), "instances", c->instances, "keys", "kdf",
                     "argon2id13", "ops", (json_int_t)box->ops, "memory", (json_int_t)box->memory, "salt", box->salt,
                     "nonce", box->nonce, "box", buf_text(&box->box), "links", links);
}

static int run_nothing(struct verb *v, struct err *e)
{
    (void)v;
    (void)e;
    return TL_OK;
}

static int contents_of(struct request *rq, const char *name, struct contents *c, struct err *e)
{
    WITH_READER(rq, db, e, read_contents(rq, db, name, c, e));
}

static int export_header(struct request *rq, json_t **answer, struct err *e)
{
    const char *name = capture(rq, 0), *passphrase = NULL;
    struct contents c = {.instances = json_array()};
    AUTO(passphrase_box_done) struct passphrase_box box = {.ops = 0};
    json_t *done = NULL;
    struct verb v;
    verb_init(&v, rq, "passport.export", name);
    v.secret = true;
    int rc = body_need_text(rq, "passphrase", &passphrase, e);
    if (!rc)
        rc = contents_of(rq, name, &c, e);
    if (!rc)
        rc = passphrase_seal(&box, str_of(passphrase), buf_lent(&c.keys), e);
    if (!rc)
        rc = verb_run(&v, run_nothing, &done, e); /* for the audit */
    if (!rc)
        *answer = header_json(rq, &c, &box);
    json_decref(done);
    json_decref(c.instances);
    if (c.keys.p)
        sodium_memzero(c.keys.p, c.keys.n);
    buf_done(&c.keys);
    return rc;
}

static json_t *pair_json(const struct passport_pair *p)
{
    json_t *o = json_pack("{s:s,s:[i,i]}", "status", pair_status_name(p->status), "gen", p->gen[0], p->gen[1]);
    if (p->id[0].n)
        json_object_set_new(o, "a", text_json(p->id[0]));
    if (p->id[1].n)
        json_object_set_new(o, "b", text_json(p->id[1]));
    if (p->slot.n)
        json_object_set_new(o, "slot", text_json(p->slot));
    return o;
}

static int read_pairs(struct request *rq, struct db *db, int64_t after, json_t **answer, struct err *e)
{
    const char *name = capture(rq, 0), *kind = capture(rq, 1);
    struct connection connection = {0};
    struct link link = {0};
    struct passport_pair *list = NULL;
    size_t n = 0;
    int rc = not_found_words(e, connection_find(db, &rq->arena, str_of(name), &connection, e), "connection", name);
    if (!rc)
        rc = not_found_words(e, link_find(db, &rq->arena, connection.connection, str_of(kind), &link, e), "link", kind);
    if (!rc)
        rc = passport_export(db, &rq->arena, link.link, after, PAGE_PAIRS, &list, &n, e);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, pair_json(&list[i]));
    *answer = json_pack("{s:o,s:o}", "items", items, "next",
                        n == PAGE_PAIRS ? json_integer(list[n - 1].passport) : json_null());
    return TL_OK;
}

static int export_pairs(struct request *rq, json_t **answer, struct err *e)
{
    int64_t after;
    int rc = request_number(rq, "after", 0, 0, INT64_MAX, &after, e);
    if (rc)
        return rc;
    WITH_READER(rq, db, e, read_pairs(rq, db, after, answer, e));
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

struct opening {
    struct verb verb; /* first: what runs is given this */
    struct passport_key keys[KEYS_MAX];
    size_t n;
};

static const char *member(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

/* Only the same two accounts: a pair of other people's records would be worse than none. */
static int same_org(const struct contents *c, const json_t *header, struct err *e)
{
    static const char *const sides[] = {"a", "b"};
    for (int s = 0; s < 2; s++) {
        const json_t *side = json_object_get(header, sides[s]);
        if (str_is(c->ep[s].system, member(side, "system")) && str_is(c->ep[s].org_key, member(side, "org_key")))
            continue;
        err_set(e, TL_E_CONFLICT, "side %s of the passport is account %s (%s, %s), endpoint \"%.*s\" is %.*s (%.*s)",
                sides[s], member(side, "org_key"), member(side, "org_name"), member(side, "system"),
                STR_FMT(c->ep[s].name), STR_FMT(c->ep[s].org_key), STR_FMT(c->ep[s].org_name));
        err_code(e, "OTHER_ORG");
        err_hint(e, "a passport is for the same two accounts, side a and side b as they were");
        return TL_E_CONFLICT;
    }
    return TL_OK;
}

static int check_header(const json_t *header, struct err *e)
{
    const json_t *version = json_object_get(header, "tieline_passport");
    if (!json_is_integer(version))
        return err_set(e, TL_E_INVALID, "this is not a map passport");
    if (json_integer_value(version) == PASSPORT_VERSION)
        return TL_OK;
    err_set(e, TL_E_INVALID, "the passport has version %lld, this tieline reads version %d",
            (long long)json_integer_value(version), PASSPORT_VERSION);
    err_hint(e, "a newer tieline wrote it: import it with that one");
    return TL_E_INVALID;
}

static int open_keys(struct opening *o, const json_t *header, const char *passphrase, struct err *e)
{
    const json_t *k = json_object_get(header, "keys");
    AUTO(passphrase_box_done)
    struct passphrase_box box = {.ops = json_integer_value(json_object_get(k, "ops")),
                                 .memory = json_integer_value(json_object_get(k, "memory"))};
    AUTO(buf_wipe) struct buf keys = {0};
    snprintf(box.salt, sizeof box.salt, "%s", member(k, "salt"));
    snprintf(box.nonce, sizeof box.nonce, "%s", member(k, "nonce"));
    buf_text_add(&box.box, member(k, "box"));
    int rc = passphrase_open(&keys, str_of(passphrase), &box, e);
    if (!rc && (keys.n % KEY_BYTES != 0 || keys.n / KEY_BYTES > KEYS_MAX))
        rc = err_set(e, TL_E_INVALID, "the sealed part of the file is not as it was written");
    for (size_t at = 0; !rc && at < keys.n; at += KEY_BYTES, o->n++) {
        memcpy(o->keys[o->n].instance, keys.p + at, PASSPORT_INSTANCE);
        memcpy(o->keys[o->n].key, keys.p + at + PASSPORT_INSTANCE, PASSPORT_KEY);
    }
    return rc;
}

static int run_open(struct verb *v, struct err *e)
{
    struct opening *o = (struct opening *)v;
    return admin_passport_keys(v->app->engine, v->object, o->keys, o->n, &v->out, e);
}

static json_t *links_missing(const struct contents *c, const json_t *header)
{
    json_t *missing = json_array(), *link;
    size_t i;
    json_array_foreach(json_object_get(header, "links"), i, link)
    {
        bool found = false;
        for (size_t k = 0; k < c->n_links; k++)
            found |= str_is(c->links[k].name, member(link, "kind")) &&
                     str_is(c->links[k].kind[0], member(link, "a_kind")) &&
                     str_is(c->links[k].kind[1], member(link, "b_kind"));
        if (!found)
            json_array_append(missing, json_object_get(link, "kind"));
    }
    return missing;
}

static int import_header(struct request *rq, json_t **answer, struct err *e)
{
    const char *name = capture(rq, 0), *passphrase = NULL;
    const json_t *header = json_object_get(rq->body, "header");
    struct contents c = {.instances = json_array()};
    struct opening o = {.n = 0};
    json_t *done = NULL;
    bool dry = request_flag(rq, "dry_run");
    int rc = body_need_text(rq, "passphrase", &passphrase, e);
    if (!rc)
        rc = check_header(header, e);
    if (!rc)
        rc = contents_of(rq, name, &c, e);
    if (!rc)
        rc = same_org(&c, header, e);
    if (!rc)
        rc = open_keys(&o, header, passphrase, e);
    verb_init(&o.verb, rq, "passport.import", name);
    o.verb.secret = true;
    if (!rc && !dry)
        rc = verb_run(&o.verb, run_open, &done, e);
    if (!rc)
        *answer = json_pack("{s:b,s:o,s:i,s:I}", "dry_run", dry, "missing", links_missing(&c, header), "instances",
                            (int)o.n, "read_again", json_integer_value(json_object_get(done, "read_again")));
    json_decref(done);
    json_decref(c.instances);
    sodium_memzero(o.keys, sizeof o.keys);
    if (c.keys.p)
        sodium_memzero(c.keys.p, c.keys.n);
    buf_done(&c.keys);
    return rc;
}

struct taking {
    struct verb verb; /* first: what runs is given this */
    struct passport_pair rows[IMPORT_PAIRS];
    size_t n;
    bool dry;
};

static int run_take(struct verb *v, struct err *e)
{
    struct taking *t = (struct taking *)v;
    return admin_passport_pairs(v->app->engine, v->text[0], v->text[1], t->rows, t->n, t->dry, &v->out, e);
}

static int read_row(const json_t *o, struct passport_pair *out, struct err *e)
{
    const json_t *gen = json_object_get(o, "gen");
    *out = (struct passport_pair){.id = {str_of(member(o, "a")), str_of(member(o, "b"))},
                                  .slot = str_of(member(o, "slot")),
                                  .status = strcmp(member(o, "status"), "ignored") == 0 ? PAIR_IGNORED : PAIR_OK};
    for (int s = 0; s < 2; s++) {
        json_int_t n = json_integer_value(json_array_get(gen, (size_t)s));
        if (n < 0 || n > 1000000 || out->id[s].n > 255)
            return err_set(e, TL_E_INVALID, "a pair of the passport is not as it was written");
        out->gen[s] = (int32_t)n;
    }
    bool whole = out->id[0].n && out->id[1].n, alone = out->status == PAIR_IGNORED && (out->id[0].n || out->id[1].n);
    return whole || alone ? TL_OK : err_set(e, TL_E_INVALID, "a pair of the passport lacks a record");
}

static int import_pairs(struct request *rq, json_t **answer, struct err *e)
{
    struct taking t = {.dry = request_flag(rq, "dry_run")};
    const json_t *items = json_object_get(rq->body, "items");
    size_t i;
    json_t *o;
    verb_init(&t.verb, rq, t.dry ? NULL : "passport.import", capture(rq, 0));
    t.verb.secret = true; /* a page of ids is no use to anybody */
    t.verb.text[0] = capture(rq, 0);
    int rc = body_need_text(rq, "kind", &t.verb.text[1], e);
    if (!rc && (!json_is_array(items) || json_array_size(items) > IMPORT_PAIRS))
        rc = err_set(e, TL_E_INVALID, "the body needs \"items\": at most %d pairs", IMPORT_PAIRS);
    if (rc)
        return rc;
    json_array_foreach(items, i, o)
    {
        rc = read_row(o, &t.rows[t.n++], e);
        if (rc)
            return rc;
    }
    return verb_run(&t.verb, run_take, answer, e);
}

#define SIDE "{system:string,org_key:string,org_name:string}"
#define HEADER                                                                                                         \
    "{tieline_passport:integer,made:time,connection:string,a:" SIDE ",b:" SIDE ",instances:[string],keys:{kdf:string," \
    "ops:integer,memory:integer,salt:string,nonce:string,box:string},links:[{kind:string,a_kind:string,"               \
    "b_kind:string}]}"
#define PAIR "{a:string?,b:string?,status:string,gen:[integer],slot:string?}"

const struct route routes_passports[] = {
    {.method = "POST",
     .path = "/api/v1/connections/{name}/passport",
     .flags = ROUTE_WRITE,
     .handler = export_header,
     .summary = "first line of a map passport, the keys of the stamps sealed under the passphrase",
     .body = "{passphrase:string}",
     .answer = HEADER},
    {.method = "GET",
     .path = "/api/v1/links/{connection}/{kind}/passport",
     .handler = export_pairs,
     .summary = "pairs of one kind for a map passport",
     .params = "after:integer",
     .answer = "{items:[" PAIR "],next:integer?}"},
    {.method = "POST",
     .path = "/api/v1/connections/{name}/passport/import",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = import_header,
     .summary = "begin to take in a map passport: it must be of the same two accounts",
     .params = "dry_run:boolean",
     .body = "{header:object,passphrase:string}",
     .answer = "{dry_run:boolean,missing:[string],instances:integer,read_again:integer}"},
    {.method = "POST",
     .path = "/api/v1/connections/{name}/passport/pairs",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = import_pairs,
     .summary = "take in pairs of one kind, at most 200 at once; nothing is written to any vendor",
     .params = "dry_run:boolean",
     .body = "{kind:string,items:[" PAIR "]}",
     .answer = "{dry_run:boolean,bound:integer,known:integer,waiting:integer,erased:integer,"
               "conflicts:[{a:string,b:string,pair:integer}]}"},
    {.method = NULL},
};
