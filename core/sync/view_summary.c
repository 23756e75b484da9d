/* Open failures, summed by kind of record and reason. */
#include <stdio.h>

#include "failures.h"
#include "reason.h"
#include "view_util.h"

static void groups_of_link(struct db *r, struct arena *a, const struct connection *c, const struct link *l,
                           const char *lang, json_t *list)
{
    struct failure_group *groups = NULL;
    struct err e = {0};
    size_t n = 0;
    if (failure_groups(r, a, l->link, &groups, &n, &e) != TL_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        char code[64];
        snprintf(code, sizeof code, "%.*s", STR_FMT(groups[i].code));
        json_array_append_new(list,
                              json_pack("{s:o,s:o,s:s,s:s,s:s,s:I,s:o,s:o}", "connection", view_str(c->name), "kind",
                                        view_str(l->name), "code", code, "reason", reason_text(code, lang), "hint",
                                        reason_hint(code, lang), "count", (json_int_t)groups[i].n, "oldest",
                                        view_time(groups[i].first_us), "newest", view_time(groups[i].last_us)));
    }
}

int view_failure_summary(struct db *r, const char *connection, const char *lang, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection *rows = NULL, one = {0};
    size_t n = 1;
    int rc = connection ? view_find_connection(r, &a, connection, &one, e) : connection_list(r, &a, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    rows = connection ? &one : rows;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        struct link *links = NULL;
        size_t n_links = 0;
        rc = rc == TL_OK ? link_list(r, &a, rows[i].connection, &links, &n_links, e) : rc;
        for (size_t k = 0; k < n_links && rc == TL_OK; k++)
            groups_of_link(r, &a, &rows[i], &links[k], lang, list);
    }
    if (rc == TL_OK)
        *out = json_pack("{s:O}", "items", list);
    json_decref(list);
    return rc;
}
