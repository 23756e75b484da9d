/* What the call budgets of endpoints leave: see budgets.h. */
#include "budgets.h"

#include "app.h"
#include "endpoints.h"
#include "times.h"

static json_t *count_or_null(int64_t n, int64_t none)
{
    return n == none ? json_null() : json_integer((json_int_t)n);
}

json_t *budget_json(struct app *app, int64_t endpoint)
{
    struct engine_budget b;
    char text[32];
    if (!engine_budget_get(app->engine, endpoint, &b))
        return NULL;
    return json_pack("{s:o,s:I,s:i,s:o,s:o,s:o,s:i,s:i}", "daily_calls", count_or_null(b.daily_calls, 0), "used_today",
                     (json_int_t)b.used_today, "reserve_pct", (int)b.reserve_pct, "left",
                     count_or_null(b.left_live, -1), "left_bulk", count_or_null(b.left_bulk, -1), "resets",
                     b.resets_us ? json_string(time_text(text, b.resets_us)) : json_null(), "at_once", b.width,
                     "under_way", (int)b.out);
}

static void figure(struct app *app, struct buf *out, const char *name, const char *help, int which)
{
    AUTO(arena_done) struct arena a = {0};
    struct endpoint *rows = NULL;
    size_t n = 0;
    if (endpoint_list(app->db, &a, &rows, &n, NULL))
        return;
    buf_fmt(out, "# HELP tieline_%s %s\n# TYPE tieline_%s gauge\n", name, help, name);
    for (size_t i = 0; i < n; i++) {
        struct engine_budget b;
        if (!engine_budget_get(app->engine, rows[i].endpoint, &b))
            continue;
        int64_t value = which == 0 ? b.used_today : which == 1 ? b.left_live : b.width;
        if (value >= 0) /* no limit: no figure */
            buf_fmt(out, "tieline_%s{endpoint=\"%.*s\"} %lld\n", name, STR_FMT(rows[i].name), (long long)value);
    }
}

void budgets_figures(struct app *app, struct buf *out)
{
    figure(app, out, "endpoint_calls_today", "Connector calls since midnight UTC.", 0);
    figure(app, out, "endpoint_calls_left", "Calls left before the reserve, in the tightest window.", 1);
    figure(app, out, "endpoint_calls_at_once", "Calls that may run at once.", 2);
}
