/* Who is meant at the other end: his pair; where he has none whoever has the same e-mail address or the firm's name,
 * if it is one alone. What is stored decides where it is whole, else the vendor is asked. */
#include "context_int.h"
#include "feeds.h"
#include "keys.h"
#include "pairs.h"

/* The link of the connection that pairs records of this kind; TL_E_NOT_FOUND: none does. */
static int link_of(struct round *w, const struct connection *c, int side, str kind, struct link *out, struct err *e)
{
    struct link *links = NULL;
    size_t n = 0;
    int rc = link_list(w->r, &w->a, c->connection, &links, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        if (str_eq(links[i].kind[side], kind)) {
            *out = links[i];
            return TL_OK;
        }
    return rc == TL_OK ? TL_E_NOT_FOUND : rc;
}

static int by_pair(struct round *w, const struct link *l, int side, str id, struct match *out, struct err *e)
{
    struct record here = {0}, there = {0};
    struct pair p = {0};
    int rc = record_find(w->r, &w->a, l->feed[side], id, &here, e);
    if (rc == TL_OK)
        rc = pair_get_of_record(w->r, &w->a, l->link, (enum side)side, here.rec, (str){0}, &p, e);
    if (rc == TL_OK && p.rec[1 - side] == 0)
        rc = TL_E_NOT_FOUND;
    if (rc == TL_OK)
        rc = record_get(w->r, &w->a, p.rec[1 - side], &there, e);
    if (rc == TL_OK && there.state == TL_STATE_LIVE) {
        out->sight = SIGHT_SHOWN;
        out->id = there.id;
        out->by = "pair";
    }
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

/* What he is found by: the address of a person, the name of a firm. */
static str match_key(struct round *w, const struct subject *of, const char **path)
{
    *path = str_is(of->kind, "account") ? "name" : "email";
    return fact_text(&of->facts, *path, &w->a);
}

static int by_stored(struct round *w, int64_t feed, const char *path, str key, struct match *out, struct err *e)
{
    struct lookup_key k;
    int64_t recs[16];
    size_t n = 0;
    unsigned live = 0;
    if (!key_of_text(key_of_path(str_of(path), false, 0).kind, key, &w->a, &k))
        return TL_OK;
    int rc = lookup_find(w->r, feed, &k, recs, ARRAY_LEN(recs), &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        struct record r = {0};
        rc = record_get(w->r, &w->a, recs[i], &r, e);
        if (rc != TL_OK || r.state != TL_STATE_LIVE)
            continue;
        out->id = r.id;
        live++;
    }
    out->ambiguous = live > 1;
    out->sight = live == 1 ? SIGHT_SHOWN : out->sight;
    out->by = path;
    return rc;
}

static void by_vendor(struct round *w, int64_t endpoint, const char *path, str key, struct match *out)
{
    struct question q = {.endpoint = endpoint, .what = CALL_FIND, .kind = out->kind, .by = str_of(path), .key = key};
    const struct answer *known = round_know(w, &q);
    unsigned live = 0;
    out->by = path;
    out->sight = !known ? SIGHT_MISSING : known->late ? SIGHT_LATE : SIGHT_NONE;
    if (!known || known->late)
        return;
    if (known->status != TL_OK && known->status != TL_E_NOT_FOUND) {
        out->sight = SIGHT_FAILED;
        out->text = known->why.text;
        return;
    }
    AUTO(reply_reader_done) struct reply_reader reader;
    struct reply none = {0};
    reply_reader_init(&reader, known->reply ? known->reply : &none);
    for (struct item item; reply_next(&reader, &item);)
        if (item.kind == ITEM_RECORD && item.u.record.state == TL_STATE_LIVE && item.u.record.id.n) {
            out->id = arena_str(&w->a, item.u.record.id);
            live++;
        }
    out->ambiguous = live > 1;
    out->sight = live == 1 ? SIGHT_SHOWN : SIGHT_NONE;
}

int match_find(struct round *w, const struct connection *c, int side, const struct subject *of, struct match *out,
               struct err *e)
{
    struct link l = {0};
    const char *path = NULL;
    *out = (struct match){.sight = SIGHT_NONE, .kind = of->kind};
    int rc = link_of(w, c, side, of->kind, &l, e);
    bool linked = rc == TL_OK && l.feed[0] && l.feed[1];
    if (rc != TL_OK && rc != TL_E_NOT_FOUND)
        return rc;
    if (rc == TL_OK)
        out->kind = l.kind[1 - side];
    rc = linked ? by_pair(w, &l, side, of->id, out, e) : TL_OK;
    str key = match_key(w, of, &path);
    if (rc != TL_OK || out->sight == SIGHT_SHOWN || key.n == 0)
        return rc;
    struct feed there = {0};
    if (linked)
        rc = feed_get(w->r, &w->a, l.feed[1 - side], &there, e);
    bool whole = rc == TL_OK && linked && there.full_pass_us > 0 && there.view.n == 0;
    if (rc == TL_OK && linked)
        rc = by_stored(w, there.feed, path, key, out, e);
    const struct view_kind *k = view_kind(&w->kinds, c->endpoint[1 - side], out->kind);
    if (rc == TL_OK && !whole && out->sight != SIGHT_SHOWN && !out->ambiguous && (k->desc.can & TL_CAN_FIND))
        by_vendor(w, c->endpoint[1 - side], path, key, out);
    return rc;
}
