/* What one side's value means at the other: transforms, then the target field's type. */
#include "plan.h"
#include "values.h"

enum image field_image(const struct rule_field *f, int s, const tl_value *in, struct arena *a, tl_value *out,
                       struct transform_failure *why)
{
    struct transform_failure failure = {0};
    tl_value v = *in;
    if (f->transformed && f->to[s]) {
        bool more = f->n_more && f->more_side == 1 - s;
        const tl_value *fields = more && in->type == TL_LIST && in->u.list.n == f->n_more + 1 ? in->u.list.items : NULL;
        tl_value own = fields ? fields[0] : *in;
        enum transform_outcome rc = transform_run(f->to[s], &own, fields ? fields + 1 : NULL, a, &v, &failure);
        if (rc != TRANSFORM_OK && why)
            *why = failure;
        if (rc != TRANSFORM_OK)
            return rc == TRANSFORM_SKIP ? IMAGE_SKIP : IMAGE_FAILED;
        v.field = in->field;
    }
    if (value_convert(&v, &f->side[s], a, out, &failure.reason))
        return IMAGE_OK;
    if (why)
        *why = failure;
    return IMAGE_FAILED;
}

static bool image_is(const struct rule_field *f, int s, const tl_value *sent, const tl_value *there)
{
    AUTO(arena_done) struct arena a = {0};
    tl_value image = {0};
    return field_image(f, s, sent, &a, &image, NULL) == IMAGE_OK && canon_equal(&f->own[s], &image, there);
}

bool field_arrived(const struct rule_field *f, int s, const tl_value *sent, const tl_value *there)
{
    if (!f->transformed)
        return canon_equal(&f->canon, sent, there);
    if (!f->carries[s])
        return image_is(f, 1 - s, there, sent);
    AUTO(arena_done) struct arena a = {0};
    tl_value image = {0};
    enum image rc = field_image(f, s, sent, &a, &image, NULL);
    return rc == IMAGE_SKIP || (rc == IMAGE_OK && canon_equal(&f->own[s], &image, there));
}

/* In one value of several fields: all of them. */
static bool all_blank(const tl_value *v, bool several)
{
    if (!several || v->type != TL_LIST)
        return value_is_blank(v);
    for (uint64_t i = 0; i < v->u.list.n; i++)
        if (!value_is_blank(&v->u.list.items[i]))
            return false;
    return true;
}

bool field_blank(const struct rule_field *f, const struct snapshot *snap, int s, uint32_t i)
{
    const tl_value *v = &snap->side[s].values[i];
    bool raw = all_blank(v, f->n_more && f->more_side == s);
    if (!f->transformed || !f->carries[1 - s])
        return raw;
    if (raw && !(f->to[1 - s] && transform_is_constant(f->to[1 - s])))
        return true;
    AUTO(arena_done) struct arena a = {0};
    tl_value image = {0};
    enum image rc = field_image(f, 1 - s, v, &a, &image, NULL);
    return rc == IMAGE_SKIP || (rc == IMAGE_OK && value_is_blank(&image));
}

bool field_equal(const struct rule_field *f, const struct snapshot *snap, uint32_t i)
{
    const tl_value *v[2] = {&snap->side[0].values[i], &snap->side[1].values[i]};
    if (f->ref_link == 0 && !f->transformed)
        return canon_equal(&f->canon, v[0], v[1]);
    if (f->ref_link == 0) {
        for (int s = 1; s >= 0; s--)
            if (f->carries[s] && image_is(f, s, v[1 - s], v[s]))
                return true;
        return false;
    }
    bool blank_a = value_is_blank(v[0]), blank_b = value_is_blank(v[1]);
    if (blank_a || blank_b)
        return blank_a == blank_b;
    int64_t pair_a = snap->side[0].refs ? snap->side[0].refs[i].pair : 0;
    int64_t pair_b = snap->side[1].refs ? snap->side[1].refs[i].pair : 0;
    return pair_a != 0 && pair_a == pair_b;
}
