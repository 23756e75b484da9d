/* What keeps endpoints from answering: see outages.h. */
#include "outages.h"

#include "app.h"
#include "connections.h"
#include "endpoints.h"
#include "times.h"

json_t *outage_json(struct app *app, int64_t endpoint)
{
    struct engine_outage o;
    char text[32];
    if (!engine_outage_get(app->engine, endpoint, &o))
        return NULL;
    json_t *out = json_pack("{s:s,s:s,s:s,s:I}", "state", o.state, "text", o.text, "since", time_text(text, o.since_us),
                            "calls", (json_int_t)o.calls);
    if (o.next_us)
        json_object_set_new(out, "next_try", json_string(time_text(text, o.next_us)));
    return out;
}

static json_t *waits_of(struct app *app, const char *connection)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    struct endpoint ep = {0};
    json_t *list = json_array();
    if (connection_find(app->db, &a, str_of(connection), &c, NULL))
        return list;
    for (int side = 0; side < 2; side++) {
        json_t *o = outage_json(app, c.endpoint[side]);
        if (!o)
            continue;
        if (endpoint_get(app->db, &a, c.endpoint[side], &ep, NULL) == TL_OK)
            json_object_set_new(o, "endpoint", json_stringn(ep.name.p, ep.name.n));
        json_array_append_new(list, o);
    }
    return list;
}

void outages_of_connections(struct app *app, json_t *items)
{
    size_t i;
    json_t *c;
    json_array_foreach(items, i, c)
    {
        const char *name = json_string_value(json_object_get(c, "name"));
        json_object_set_new(c, "waits_for", name ? waits_of(app, name) : json_array());
    }
}

void outages_warn(struct app *app, const char *connection, json_t *warnings)
{
    size_t i;
    json_t *o, *list = waits_of(app, connection);
    json_array_foreach(list, i, o)
    {
        json_array_append_new(warnings, json_pack("{s:s,s:o}", "code", "ENDPOINT_WAITS", "text",
                                                  json_sprintf("waits for endpoint \"%s\", %s since %s: %s",
                                                               json_string_value(json_object_get(o, "endpoint")),
                                                               json_string_value(json_object_get(o, "state")),
                                                               json_string_value(json_object_get(o, "since")),
                                                               json_string_value(json_object_get(o, "text")))));
    }
    json_decref(list);
}

void outages_hurry(struct app *app, const char *connection)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    if (connection_find(app->db, &a, str_of(connection), &c, NULL))
        return;
    for (int side = 0; side < 2; side++) {
        runtime_endpoint_hurry(app->runtime, c.endpoint[side]);
        engine_endpoint_hurry(app->engine, c.endpoint[side]);
    }
}

void outages_figures(struct app *app, struct buf *out)
{
    AUTO(arena_done) struct arena a = {0};
    struct endpoint *rows = NULL;
    size_t n = 0;
    struct engine_figures f;
    engine_figures_get(app->engine, &f);
    buf_fmt(out,
            "# HELP tieline_endpoint_outages_total Times an endpoint stopped to answer, over all endpoints.\n"
            "# TYPE tieline_endpoint_outages_total counter\ntieline_endpoint_outages_total %lld\n",
            (long long)f.outages);
    buf_text_add(out, "# HELP tieline_endpoint_outage_seconds How long the endpoint has not answered; 0: it answers.\n"
                      "# TYPE tieline_endpoint_outage_seconds gauge\n");
    if (endpoint_list(app->db, &a, &rows, &n, NULL))
        return;
    int64_t now = env_now_us(app->env);
    for (size_t i = 0; i < n; i++) {
        struct engine_outage o;
        bool out_now = engine_outage_get(app->engine, rows[i].endpoint, &o);
        if (!rows[i].present)
            continue;
        buf_fmt(out, "tieline_endpoint_outage_seconds{endpoint=\"%.*s\",state=\"%s\"} %lld\n", STR_FMT(rows[i].name),
                out_now ? o.state : "ok", out_now ? (long long)((now - o.since_us) / US_PER_S) : 0);
    }
}
