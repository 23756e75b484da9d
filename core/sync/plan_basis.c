/* What a plan was made from: maps and settings of its links. Another number: the plan tells of another map. */
#include "preview.h"

static int add_link(struct db *db, const struct link *l, struct arena *a, struct buf *out, struct err *e)
{
    struct setting *set = NULL;
    size_t n = 0;
    int rc = setting_list(db, a, SETTING_LINK, l->link, &set, &n, e);
    buf_fmt(out, "%lld %lld;", (long long)l->link, (long long)l->map_gen);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        buf_fmt(out, "%.*s=%.*s;", STR_FMT(set[i].key), STR_FMT(set[i].value));
    return rc;
}

int plan_basis(struct db *db, int64_t connection, int64_t only_link, uint64_t *out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf text = {0};
    struct link *links = NULL;
    size_t n = 0;
    int rc = link_list(db, &a, connection, &links, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        if (links[i].enabled && (only_link == 0 || links[i].link == only_link))
            rc = add_link(db, &links[i], &a, &text, e);
    if (rc == TL_OK)
        *out = store_hash(buf_text(&text), text.n);
    return rc;
}
