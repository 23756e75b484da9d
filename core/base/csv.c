/* See csv.h. */
#include "csv.h"

#include <stdlib.h>

#include <inttypes.h>

static void separate(struct csv *c)
{
    if (c->any)
        buf_char(c->out, ',');
    c->any = true;
}

static bool runs_as_formula(str text)
{
    return text.n && strchr("=+-@\t\r", text.p[0]);
}

void csv_text(struct csv *c, str text)
{
    bool quoted = runs_as_formula(text);
    for (size_t i = 0; i < text.n && !quoted; i++)
        quoted = text.p[i] == ',' || text.p[i] == '"' || text.p[i] == '\r' || text.p[i] == '\n';
    separate(c);
    if (!quoted) {
        buf_str(c->out, text);
        return;
    }
    buf_char(c->out, '"');
    if (runs_as_formula(text))
        buf_char(c->out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_char(c->out, '"');
        buf_char(c->out, text.p[i]);
    }
    buf_char(c->out, '"');
}

void csv_number(struct csv *c, int64_t n)
{
    separate(c);
    buf_fmt(c->out, "%" PRId64, n);
}

void csv_json(struct csv *c, const json_t *v)
{
    if (json_is_integer(v)) {
        csv_number(c, json_integer_value(v));
    } else if (json_is_string(v)) {
        csv_text(c, str_of(json_string_value(v)));
    } else if (json_is_boolean(v)) {
        csv_text(c, json_is_true(v) ? STR("yes") : STR("no"));
    } else {
        char *dump = v && !json_is_null(v) ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        csv_text(c, str_of(dump));
        free(dump);
    }
}

void csv_end(struct csv *c)
{
    buf_text_add(c->out, "\r\n");
    c->any = false;
}
