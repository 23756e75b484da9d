#include "map_sample.h"

#include "engine_int.h"
#include "reason.h"
#include "unicode.h"

void map_context_done(struct map_context *m)
{
    arena_done(&m->arrays[0]);
    arena_done(&m->arrays[1]);
    arena_done(&m->arena);
}

int map_settings_read(struct db *r, struct arena *a, int64_t link, struct link_settings *out, struct err *e)
{
    struct setting *set = NULL;
    size_t n = 0;
    link_settings_init(out);
    int rc = setting_list(r, a, SETTING_LINK, link, &set, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        (void)link_setting_apply(out, set[i].key, set[i].value, NULL);
    return rc;
}

int map_context_open(struct db *r, const char *connection, const char *kind, struct map_context *m, struct err *e)
{
    int rc = view_find_link(r, &m->arena, connection, kind, &m->connection, &m->link, e);
    if (rc == TL_OK)
        rc = map_list(r, &m->arena, m->link.link, &m->rows, &m->n_rows, e);
    if (rc == TL_OK)
        rc = map_settings_read(r, &m->arena, m->link.link, &m->settings, e);
    for (int s = 0; s < 2 && rc == TL_OK; s++) {
        int64_t endpoint = m->connection.endpoint[s];
        m->kinds[s] = &m->described[s];
        rc = field_list(r, &m->arena, endpoint, m->link.kind[s], &m->numbers[s], &m->n_numbers[s], e);
        if (rc == TL_OK && !view_describe(r, &m->arena, &m->arrays[s], endpoint, m->link.kind[s], &m->described[s])) {
            err_set(e, E_PRECONDITION, "the fields of an endpoint are not known yet");
            err_hint(e, "run `tieline endpoint check` for both endpoints");
            rc = E_PRECONDITION;
        }
    }
    return rc;
}

static uint32_t number_of(const struct map_context *m, int s, str path)
{
    for (size_t i = 0; i < m->n_numbers[s]; i++)
        if (str_eq(m->numbers[s][i].path, path))
            return m->numbers[s][i].number;
    return UINT32_MAX; /* never read */
}

int map_try_open(struct db *r, const struct map_context *m, const struct map_row *row, struct arena *a,
                 struct map_try *out, struct err *e)
{
    (void)r;
    struct rule_field *f = &out->field;
    *out = (struct map_try){0};
    str lookup = {0};
    if (!rule_of_row(row, m->kinds[0], m->kinds[1], a, f) ||
        !rule_transform(row, m->settings.direction, m->kinds, a, f, &lookup))
        return err_set(e, E_PRECONDITION, "the row of \"%.*s\" and \"%.*s\" is switched off or cannot be used",
                       STR_FMT(row->a_path), STR_FMT(row->b_path));
    out->is_ref = lookup.n || f->side[0].type == TL_REF || f->side[1].type == TL_REF;
    for (int s = 0; s < 2; s++) {
        f->obs_no[s] = f->base_no[s] = number_of(m, s, f->side[s].path);
        if (!f->transformed)
            f->carries[s] = link_allows(m->settings.direction, s) && link_allows(f->direction, s);
    }
    for (uint32_t k = 0; k < f->n_more; k++)
        f->more_no[k] = number_of(m, f->more_side, f->more[k].path);
    out->rules = (struct link_rules){.direction = m->settings.direction,
                                     .policy = m->settings.policy,
                                     .master = m->settings.master >= 0 ? m->settings.master : 0,
                                     .drift = m->settings.drift,
                                     .n_fields = 1};
    for (int s = 0; s < 2; s++) {
        out->rules.can[s] = m->kinds[s]->can;
        out->rules.resolution_us[s] = (int64_t)m->kinds[s]->resolution_ms * US_PER_MS;
    }
    return TL_OK;
}

bool map_try_value(const struct map_try *t, int s, str observation, struct arena *a, tl_value *out)
{
    const struct rule_field *f = &t->field;
    bool known = obs_find(observation, f->obs_no[s], a, out);
    if (!known)
        *out = (tl_value){.type = TL_NULL};
    if (!f->n_more || f->more_side != s)
        return known;
    tl_value *items = arena_array(a, tl_value, f->n_more + 1);
    items[0] = *out;
    for (uint32_t k = 0; k < f->n_more; k++)
        if (!obs_find(observation, f->more_no[k], a, &items[k + 1]))
            known = false;
    *out = (tl_value){.type = TL_LIST};
    out->u.list.items = items;
    out->u.list.n = f->n_more + 1;
    return known;
}

const char *map_failure_code(int32_t reason)
{
    return reason == TL_R_OTHER ? "MAP_ERROR" : reason_code(TL_E_INVALID, reason);
}

static str text_kept(const tl_value *v, struct arena *a)
{
    AUTO(buf_done) struct buf b = {0};
    value_text(&b, v);
    return arena_str(a, utf8_cut(buf_lent(&b), 80));
}

/* One value of side s: to the other side, and from there back. */
static void loss_count(const struct map_try *t, int s, const tl_value *v, struct arena *kept, struct map_loss *loss)
{
    const struct rule_field *f = &t->field;
    int to = 1 - s;
    AUTO(arena_done) struct arena a = {0};
    tl_value there = {0}, back = {0};
    struct transform_failure why = {0};
    if (!f->carries[to] || !field_writable(&t->rules, f, to, true))
        return;
    loss->seen++;
    enum image rc = field_image(f, to, v, &a, &there, &why);
    if (rc == IMAGE_FAILED && loss->failed++ == 0) {
        loss->code = map_failure_code(why.reason);
        loss->failing = text_kept(v, kept);
        loss->why = arena_str(kept, why.text);
    }
    if (rc == IMAGE_OK && value_is_blank(&there) && (f->side[to].flags & TL_F_REQUIRED))
        loss->blank_required++;
    if (rc != IMAGE_OK || !f->carries[s] || f->n_more)
        return;
    rc = field_image(f, s, &there, &a, &back, NULL);
    if ((rc == IMAGE_FAILED || (rc == IMAGE_OK && !canon_equal(field_canon(f, s), v, &back))) && loss->lost++ == 0) {
        loss->before = text_kept(v, kept);
        loss->after = rc == IMAGE_OK ? text_kept(&back, kept) : STR("(cannot come back)");
    }
}

int map_sample_take(struct db *r, const struct map_context *m, const struct map_try *t, struct arena *a,
                    struct map_sample *out, struct err *e)
{
    *out = (struct map_sample){0};
    struct pair *pairs = NULL;
    size_t n = 0;
    AUTO(arena_done) struct arena list = {0};
    struct pair_filter filter = {.link = m->link.link, .status = -1};
    int rc = t->is_ref ? TL_OK : pair_list(r, &list, &filter, SAMPLE_PAIRS, &pairs, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        for (int s = 0; s < 2 && rc == TL_OK; s++) {
            AUTO(arena_done) struct arena one = {0};
            struct record rec = {0};
            tl_value v = {0};
            if (pairs[i].rec[s] == 0)
                continue;
            rc = record_get(r, &one, pairs[i].rec[s], &rec, e);
            if (rc == TL_OK && rec.state == TL_STATE_LIVE && !rec.damaged &&
                map_try_value(t, s, rec.observation, &one, &v))
                loss_count(t, s, &v, a, &out->loss[s]);
        }
    return rc;
}
