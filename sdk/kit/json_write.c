/* SPDX-License-Identifier: MIT-0 */
#include "kit/json.h"
#include "kit/json_plain_int.h"

#include <stdlib.h>

void tlk_w_done(tlk_writer *w)
{
    tlk_buf_done(&w->b);
    w->comma = 0;
    w->depth = 0;
}

void tlk_w_clear(tlk_writer *w)
{
    tlk_buf_clear(&w->b);
    w->comma = 0;
    w->depth = 0;
}

static void before_value(tlk_writer *w)
{
    uint64_t bit = UINT64_C(1) << (w->depth & 63);
    if (w->comma & bit)
        tlk_addc(&w->b, ',');
    w->comma |= bit;
}

static void enter(tlk_writer *w, char c)
{
    before_value(w);
    tlk_addc(&w->b, c);
    if (++w->depth >= TLK_JSON_DEPTH)
        abort(); /* a defect of the caller: nesting is never data */
    w->comma &= ~(UINT64_C(1) << w->depth);
}

static void leave(tlk_writer *w, char c)
{
    w->depth--;
    tlk_addc(&w->b, c);
}

void tlk_w_object(tlk_writer *w)
{
    enter(w, '{');
}

void tlk_w_end_object(tlk_writer *w)
{
    leave(w, '}');
}

void tlk_w_array(tlk_writer *w)
{
    enter(w, '[');
}

void tlk_w_end_array(tlk_writer *w)
{
    leave(w, ']');
}

static void quoted(tlk_writer *w, tl_str s)
{
    static const char hex[] = "0123456789abcdef";
    tlk_addc(&w->b, '"');
    uint64_t from = 0;
    for (uint64_t i = 0; i < s.n; i++) {
        i = (uint64_t)(tlk_json_plain(s.p + i, s.p + s.n) - s.p);
        if (i >= s.n)
            break;
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80) /* UTF-8 goes as it is */
            continue;
        if (i > from)
            tlk_add(&w->b, (tl_str){s.p + from, i - from});
        from = i + 1;
        char out[6] = {'\\', (char)c};
        unsigned n = 2;
        if (c == '\n') {
            out[1] = 'n';
        } else if (c == '\r') {
            out[1] = 'r';
        } else if (c == '\t') {
            out[1] = 't';
        } else if (c != '"' && c != '\\') {
            memcpy(out, "\\u00", 4);
            out[4] = hex[c >> 4];
            out[5] = hex[c & 15];
            n = 6;
        }
        tlk_add(&w->b, (tl_str){out, n});
    }
    if (s.n > from)
        tlk_add(&w->b, (tl_str){s.p + from, s.n - from});
    tlk_addc(&w->b, '"');
}

void tlk_w_key(tlk_writer *w, tl_str name)
{
    before_value(w);
    quoted(w, name);
    tlk_addc(&w->b, ':');
    w->comma &= ~(UINT64_C(1) << w->depth); /* the value needs no comma */
}

void tlk_w_text(tlk_writer *w, tl_str s)
{
    before_value(w);
    quoted(w, s);
}

void tlk_w_raw(tlk_writer *w, tl_str json)
{
    before_value(w);
    tlk_add(&w->b, json);
}

void tlk_w_int(tlk_writer *w, int64_t i)
{
    before_value(w);
    tlk_addf(&w->b, "%lld", (long long)i);
}

void tlk_w_bool(tlk_writer *w, bool v)
{
    before_value(w);
    tlk_addz(&w->b, v ? "true" : "false");
}

void tlk_w_null(tlk_writer *w)
{
    before_value(w);
    tlk_addz(&w->b, "null");
}
