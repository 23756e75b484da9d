/* See csv.h. */
#include "csv.h"

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

void csv_end(struct csv *c)
{
    buf_text_add(c->out, "\r\n");
    c->any = false;
}
