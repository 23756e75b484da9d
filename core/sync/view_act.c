/* What was done at vendors for people, for those who look. */
#include "view_act.h"

#include <string.h>

#include "view_util.h"

enum { PERSON_PAGE = 500, PERSON_PAGES = 40 };

const char *act_state_name(int32_t state)
{
    static const char *const names[] = {"prepared", "sent", "done", "failed", "unknown"};
    return state >= 0 && state < (int32_t)ARRAY_LEN(names) ? names[state] : "?";
}

static json_t *parsed(str text)
{
    json_t *o = text.n ? json_loadb(text.p, (size_t)text.n, 0, NULL) : NULL;
    return o ? o : json_null();
}

static json_t *connection_name(struct db *r, struct arena *a, int64_t connection)
{
    struct connection c = {0};
    return connection_get(r, a, connection, &c, NULL) == TL_OK ? view_str(c.name) : json_null();
}

static json_t *endpoint_name(struct db *r, struct arena *a, int64_t endpoint)
{
    struct endpoint ep = {0};
    return endpoint_get(r, a, endpoint, &ep, NULL) == TL_OK ? view_str(ep.name) : json_null();
}

json_t *view_act_json(struct db *r, const struct act *act)
{
    AUTO(arena_done) struct arena a = {0};
    json_t *beside = act->beside_kind.n ? json_pack("{s:o,s:o}", "kind", view_str(act->beside_kind), "id",
                                                    view_text_or_null(act->beside_id))
                                        : json_null();
    json_t *o = json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "act", (json_int_t)act->act, "key",
                          view_str(act->key), "connection", connection_name(r, &a, act->connection), "endpoint",
                          endpoint_name(r, &a, act->endpoint), "kind", view_str(act->kind), "name", view_str(act->name),
                          "record", view_text_or_null(act->record), "who", view_str(act->who), "person",
                          view_text_or_null(act->person), "beside", beside);
    json_object_set_new(o, "state", json_string(act_state_name(act->state)));
    json_object_set_new(o, "params", parsed(act->params));
    json_object_set_new(o, "before", parsed(act->before));
    json_object_set_new(o, "after", parsed(act->after));
    json_object_set_new(o, "code", view_text_or_null(act->code));
    json_object_set_new(o, "text", view_text_or_null(act->words));
    json_object_set_new(o, "made", view_time(act->made_us));
    json_object_set_new(o, "ended", view_time(act->ended_us));
    json_object_set_new(o, "next_look", view_time(act->look_us));
    json_object_set_new(o, "looks", json_integer(act->looks));
    return o;
}

int view_act(struct db *r, int64_t act, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct act row = {0};
    int rc = act_get(r, &a, act, &row, e);
    if (rc == TL_OK)
        *out = view_act_json(r, &row);
    return rc;
}

int view_acts(struct db *r, const char *connection, const struct view_page *page, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    struct act *rows = NULL;
    size_t n = 0, max = page->limit ? page->limit : 100;
    int rc = connection ? view_find_connection(r, &a, connection, &c, e) : TL_OK;
    if (rc == TL_OK)
        rc = act_list(r, &a, c.connection, page->after ? page->after : INT64_MAX, max, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, view_act_json(r, &rows[i]));
    *out = json_pack("{s:o,s:o}", "items", items, "next", n == max ? json_integer(rows[n - 1].act) : json_null());
    return TL_OK;
}

/* ---- Of a person ------------------------------------------------------------------------------------------------- */

static bool holds(str text, str word)
{
    return text.n && word.n && memmem(text.p, (size_t)text.n, word.p, (size_t)word.n);
}

static bool mentions(const struct act *a, str word)
{
    return holds(a->person, word) || holds(a->params, word) || holds(a->before, word) || holds(a->after, word) ||
           holds(a->words, word);
}

static bool text_is(const json_t *o, const char *member, const json_t *text)
{
    return json_is_string(text) && json_equal(json_object_get(o, member), text);
}

/* The other end's name is not kept in an act: what it was done beside is known by kind and id, at another endpoint. */
static bool is_of(const json_t *act, const json_t *records)
{
    const json_t *beside = json_object_get(act, "beside");
    size_t i;
    json_t *o;
    json_array_foreach((json_t *)(uintptr_t)records, i, o)
    {
        bool here = text_is(o, "endpoint", json_object_get(act, "endpoint"));
        if (here && text_is(o, "kind", json_object_get(act, "kind")) &&
            text_is(o, "record", json_object_get(act, "record")))
            return true;
        if (!here && text_is(o, "kind", json_object_get(beside, "kind")) &&
            text_is(o, "record", json_object_get(beside, "id")))
            return true;
    }
    return false;
}

int view_acts_of_person(struct db *r, const json_t *records, str word, json_t *out, struct err *e)
{
    int64_t before = INT64_MAX;
    for (int page = 0; page < PERSON_PAGES; page++) {
        AUTO(arena_done) struct arena a = {0};
        struct act *rows = NULL;
        size_t n = 0;
        int rc = act_list(r, &a, 0, before, PERSON_PAGE, &rows, &n, e);
        for (size_t i = 0; i < n; i++) {
            json_t *act = view_act_json(r, &rows[i]);
            if (is_of(act, records) || mentions(&rows[i], word))
                json_array_append(out, act);
            json_decref(act);
        }
        if (rc != TL_OK || n < PERSON_PAGE)
            return rc;
        before = rows[n - 1].act;
    }
    return TL_OK;
}
