#include "worker_output.h"

#include <time.h>

#include "codec.h"
#include "log.h"

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void tell(const struct worker_output *o, enum log_level level, const char *text)
{
    AUTO(buf_done) struct buf ctx = {.max = 1024};
    log_member(&ctx, "connector", o->connector);
    log_line(level, buf_text(&ctx), "%s", text);
}

static void tell_left_out(const struct worker_output *o, uint32_t n)
{
    if (!n)
        return;
    AUTO(buf_done) struct buf text = {.max = 256};
    buf_fmt(&text, "%u more lines of its output are left out", n);
    tell(o, LOG_WARN, buf_text(&text));
}

static void keep(struct worker_output *o, str line)
{
    char **at = &o->last[o->n_last++ % OUTPUT_LAST];
    text_free(*at);
    *at = str_dup(line);
}

static void line_ends(struct worker_output *o)
{
    str line = codec_utf8(buf_lent(&o->line)) ? buf_lent(&o->line) : STR("(no UTF-8 text)");
    uint32_t left_out = 0;
    bool told = line.n && line_pace(&o->pace, PACE_PRINTED, now_ms(), &left_out);
    tell_left_out(o, left_out);
    if (line.n)
        keep(o, line);
    if (told) {
        AUTO(buf_done) struct buf text = {.max = OUTPUT_LINE_MAX + 64};
        buf_text_add(&text, "it prints: ");
        buf_str(&text, line);
        tell(o, LOG_WARN, buf_text(&text));
    }
    buf_clear(&o->line);
    o->cut = false;
}

static void take_byte(struct worker_output *o, char c)
{
    if (c == '\n')
        line_ends(o);
    else if (o->line.n < OUTPUT_LINE_MAX)
        buf_char(&o->line, (unsigned char)c < 0x20 ? ' ' : c);
    else if (!o->cut)
        o->cut = true;
}

void worker_output_take(struct worker_output *o, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        take_byte(o, bytes[i]);
}

void worker_output_end(struct worker_output *o)
{
    line_ends(o);
    tell_left_out(o, o->pace.left_out);
}

/* The newest of them, as many as fit. */
void worker_output_last(const struct worker_output *o, struct buf *out)
{
    uint32_t first = o->n_last;
    size_t bytes = 0;
    while (first > 0 && o->n_last - first < OUTPUT_LAST) {
        bytes += strlen(o->last[(first - 1) % OUTPUT_LAST]) + 1;
        if (out->max && bytes > out->max)
            break;
        first--;
    }
    for (uint32_t i = first; i < o->n_last; i++)
        buf_fmt(out, "%s%s", i > first ? "\n" : "", o->last[i % OUTPUT_LAST]);
}

void worker_output_done(struct worker_output *o)
{
    buf_done(&o->line);
    for (size_t i = 0; i < ARRAY_LEN(o->last); i++)
        text_free(o->last[i]);
}
