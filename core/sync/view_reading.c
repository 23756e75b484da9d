/* How far each side of a link is read, for people. */
#include "view_reading.h"

#include "feeds.h"
#include "times.h"
#include "view_util.h"

static void in_words(const struct feed *f, struct buf *out)
{
    char at[32];
    if (!f->full_pass_us)
        buf_text_add(out, "not read whole yet");
    else if (f->gap_us)
        buf_fmt(out,
                "changes since %s may be missing: its system no longer told them, lost the place, or was not asked for "
                "so long; it is read whole next, and what changed meets what was agreed on before",
                time_text(at, f->full_pass_us));
    else
        buf_fmt(out, "read whole on %s, and every change since that its system tells of",
                time_text(at, f->full_pass_us));
}

json_t *view_reading(struct db *r, const struct link *l)
{
    json_t *sides = json_array();
    for (int s = 0; s < 2; s++) {
        AUTO(arena_done) struct arena a = {0};
        AUTO(buf_done) struct buf text = {0};
        struct feed f = {0};
        if (!l->feed[s] || feed_get(r, &a, l->feed[s], &f, NULL) != TL_OK)
            continue;
        in_words(&f, &text);
        json_array_append_new(sides,
                              json_pack("{s:s,s:o,s:o,s:o,s:s}", "side", s ? "b" : "a", "changes_read",
                                        view_time(f.pulled_us), "whole", view_time(f.full_pass_us), "missed_since",
                                        view_time(f.gap_us ? f.full_pass_us : 0), "text", buf_text(&text)));
    }
    return sides;
}
