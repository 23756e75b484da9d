/* Records that cannot be used: each fails by itself, and its failure ends with the first usable one of its id. */
#include <stdio.h>

#include "engine_int.h"
#include "failures.h"
#include "reading.h"
#include "unicode.h"
#include "writing.h"

enum { LONG_ID_SHOWN = 60 };

static const char *const codes[] = {"BAD_RECORD", "SIZE_LIMIT"};

int record_unusable(struct engine *g, struct g_feed *f, const tl_record *r, struct err *e)
{
    char note[160];
    bool large = r->flags & REC_TOO_LARGE, long_id = r->id.n > REMOTE_ID_MAX;
    struct trouble t = {.code = codes[large],
                        .reason = large ? TL_R_TOO_LARGE : TL_R_BAD_RECORD,
                        .id = long_id ? utf8_cut(r->id, LONG_ID_SHOWN) : r->id};
    AUTO(text_free) char *said = str_dup(r->note);
    snprintf(note, sizeof note, "its id has %zu bytes; at most %d are usable", (size_t)r->id.n, REMOTE_ID_MAX);
    t.text = long_id ? note : said;
    int rc = TL_OK;
    f->unusable_known = false;
    for (const struct feed_side *at = f->sides; at && rc == TL_OK; at = at->next) {
        t.side = at->side;
        rc = fail_record(g, at->l, &t, e);
    }
    return rc;
}

static int count_open(struct engine *g, struct g_feed *f, struct err *e)
{
    f->n_unusable = 0;
    for (const struct feed_side *at = f->sides; at; at = at->next)
        for (int i = 0; i < 2; i++) {
            int64_t n = 0;
            int rc = failure_count_open(g->db, at->l->row.link, at->side, codes[i], &n, e);
            if (rc != TL_OK)
                return rc;
            f->n_unusable += n;
        }
    f->unusable_known = true;
    return TL_OK;
}

static struct failure ended(struct engine *g, const struct g_link *l, int side, str id, const char *code)
{
    return (struct failure){.link = l->row.link,
                            .side = side,
                            .id = id,
                            .code = str_of(code),
                            .resolved_us = g_now(g),
                            .resolved_by = STR("sync")};
}

int record_paired(struct engine *g, const struct g_link *l, int side, str id, struct err *e)
{
    int64_t n = 0;
    struct failure over = ended(g, l, side, id, "");
    return failure_resolve_record(g->db, &over, &n, e);
}

int record_over(struct engine *g, struct g_feed *f, str id, struct err *e)
{
    int rc = TL_OK;
    f->unusable_known = false;
    for (const struct feed_side *at = f->sides; at && rc == TL_OK; at = at->next) {
        struct failure over = ended(g, at->l, at->side, id, "");
        int64_t n = 0;
        rc = failure_resolve_record(g->db, &over, &n, e);
    }
    return rc;
}

int unusable_unmet(struct engine *g, struct g_feed *f, int64_t since_us, struct err *e)
{
    int rc = TL_OK;
    f->unusable_known = false;
    for (const struct feed_side *at = f->sides; at; at = at->next)
        for (int i = 0; i < 2 && rc == TL_OK; i++) {
            struct failure over = ended(g, at->l, at->side, (str){0}, codes[i]);
            rc = failure_resolve_unmet(g->db, &over, since_us, e);
        }
    return rc;
}

int record_usable(struct engine *g, struct g_feed *f, str id, struct err *e)
{
    int rc = f->unusable_known ? TL_OK : count_open(g, f, e);
    for (const struct feed_side *at = f->n_unusable ? f->sides : NULL; at && rc == TL_OK; at = at->next)
        for (int i = 0; i < 2 && rc == TL_OK; i++) {
            struct failure over = ended(g, at->l, at->side, id, codes[i]);
            int64_t n = 0;
            rc = failure_resolve_record(g->db, &over, &n, e);
            f->n_unusable -= n;
        }
    return rc;
}
