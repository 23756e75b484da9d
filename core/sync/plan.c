#include "plan.h"

#include "values.h"

enum { TIE_US = 2000000 };

const char *plan_act_name(enum plan_act act)
{
    static const char *const names[] = {"wait",     "settled", "counterpart", "update",    "restore",
                                        "recreate", "park",    "fail",        "tombstone", "delete"};
    return (unsigned)act < ARRAY_LEN(names) ? names[act] : "unknown";
}

bool link_allows(enum link_direction d, int target)
{
    return d == LINK_BOTH || (d == LINK_A2B) == (target == 1);
}

static bool is_carried(const struct link_rules *link, const struct rule_field *f, int target)
{
    return link_allows(link->direction, target) && link_allows(f->direction, target);
}

static bool is_out_of_reach(const struct rule_field *f, int target)
{
    return f->suspended || (f->side[target].flags & TL_F_READONLY);
}

bool field_writable(const struct link_rules *link, const struct rule_field *f, int target, bool creating)
{
    if (is_out_of_reach(f, target))
        return false;
    if ((f->side[target].flags & TL_F_CREATE_ONLY) && !creating)
        return false;
    return is_carried(link, f, target);
}

bool field_held_back(const struct link_rules *link, const struct rule_field *f, int target)
{
    return is_carried(link, f, target) && is_out_of_reach(f, target);
}

static bool is_ref(const struct rule_field *f)
{
    return f->ref_link != 0;
}

bool field_changed(const struct rule_field *f, const struct snapshot_side *s, uint32_t i)
{
    if (!s->base)
        return false;
    if (s->has_base && !s->has_base[i])
        return true;
    return !canon_equal(field_canon(f, s->is_b), &s->values[i], &s->base[i]);
}

static bool has_base(const struct snapshot_side *s, uint32_t i)
{
    return !s->base || !s->has_base || s->has_base[i];
}

bool field_adopting(const struct snapshot *snap, uint32_t i)
{
    return snap->adopting || (!has_base(&snap->side[0], i) && !has_base(&snap->side[1], i));
}

static int64_t change_time(const struct link_rules *link, const struct snapshot *snap, int s, uint32_t i)
{
    const struct snapshot_side *side = &snap->side[s];
    int64_t at = side->changed_us && side->changed_us[i] ? side->changed_us[i] : side->modified_us;
    return at ? at - link->clock_offset_us[s] : 0;
}

/* Two times nearer than this cannot be told apart. */
static int64_t tie_of(const struct link_rules *link)
{
    int64_t coarse = link->resolution_us[0] > link->resolution_us[1] ? link->resolution_us[0] : link->resolution_us[1];
    return 2 * coarse > TIE_US ? 2 * coarse : TIE_US;
}

int newest_side(const struct link_rules *link, const struct snapshot *snap, uint32_t i)
{
    int64_t a = change_time(link, snap, 0, i), b = change_time(link, snap, 1, i);
    int64_t gap = a > b ? a - b : b - a;
    if (a == 0 || b == 0 || gap <= tie_of(link))
        return link->master;
    return a > b ? 0 : 1;
}

/* The value came from a record that it belongs to no more, or nobody has edited since that was written: the time is
 * that of our write. */
static bool is_left_over(const struct link_rules *link, const struct snapshot *snap, int s, uint32_t i)
{
    const struct snapshot_side *side = &snap->side[s];
    if (side->written_us == 0)
        return false;
    return (side->ours && side->ours[i]) || change_time(link, snap, s, i) <= side->written_us + tie_of(link);
}

/* The side that a person edited last; -1: nobody can tell, because the later one is what we wrote. */
static int edited_last(const struct link_rules *link, const struct snapshot *snap, uint32_t i)
{
    int later = newest_side(link, snap, i);
    return field_adopting(snap, i) && is_left_over(link, snap, later, i) ? -1 : later;
}

static bool has_image(const struct rule_field *f, const struct snapshot *snap, int s, uint32_t i)
{
    AUTO(arena_done) struct arena a = {0};
    tl_value image = {0};
    return field_image(f, s, &snap->side[1 - s].values[i], &a, &image, NULL) != IMAGE_FAILED;
}

static bool is_skipped(const struct rule_field *f, const struct snapshot *snap, int s, uint32_t i)
{
    if (!f->transformed || f->ref_link)
        return false;
    AUTO(arena_done) struct arena a = {0};
    tl_value image = {0};
    return field_image(f, s, &snap->side[1 - s].values[i], &a, &image, NULL) == IMAGE_SKIP;
}

/* The side whose value counts when both have changed; -1: a person decides. */
static int winner(const struct link_rules *link, const struct snapshot *snap, uint32_t i)
{
    const struct rule_field *f = &link->fields[i];
    bool to_a = field_writable(link, f, 0, false), to_b = field_writable(link, f, 1, false);
    if (to_a != to_b)
        return to_b ? 0 : 1;
    bool adopting = field_adopting(snap, i);
    if (f->unless_blank) {
        bool blank_a = field_blank(f, snap, 0, i), blank_b = field_blank(f, snap, 1, i);
        if (blank_a != blank_b)
            return blank_a ? 1 : 0;
    }
    if (adopting && f->transformed) {
        bool has_a = has_image(f, snap, 1, i), has_b = has_image(f, snap, 0, i);
        if (has_a != has_b)
            return has_a ? 0 : 1;
    }
    switch (f->policy == POLICY_LINK ? link->policy : f->policy) {
    case POLICY_A:
        return 0;
    case POLICY_B:
        return 1;
    case POLICY_MANUAL:
        return -1;
    case POLICY_LINK:
    case POLICY_NEWEST:
        break;
    }
    return edited_last(link, snap, i);
}

static bool stands_in(const struct snapshot *snap, int s, uint32_t i)
{
    return snap->side[s].refs && snap->side[s].refs[i].stands_in;
}

static bool is_never_agreed_blank(const struct rule_field *f, const struct snapshot *snap, int s, uint32_t i)
{
    return !has_base(&snap->side[s], i) && (field_blank(f, snap, s, i) || stands_in(snap, s, i));
}

/* The side whose value counts; -1: a person decides. Of two that differ what stands in never does. */
static int source_of(const struct link_rules *link, const struct snapshot *snap, uint32_t i, bool changed_a,
                     bool changed_b)
{
    bool for_a = stands_in(snap, 0, i), for_b = stands_in(snap, 1, i);
    if (!changed_a || !changed_b)
        return changed_a ? 0 : 1;
    if (for_a != for_b)
        return for_a ? 1 : 0;
    return winner(link, snap, i);
}

/* What becomes of one field: the side to write, or -1 with *v set. */
static int field_target(const struct link_rules *link, const struct snapshot *snap, uint32_t i, uint8_t *v, bool *lost)
{
    const struct rule_field *f = &link->fields[i];
    bool changed_a = field_changed(f, &snap->side[0], i), changed_b = field_changed(f, &snap->side[1], i);
    *v = VERDICT_SAME;
    *lost = false;
    if (f->suspended || (!changed_a && !changed_b))
        return -1;
    if (field_equal(f, snap, i)) {
        *v = VERDICT_AGREE;
        return -1;
    }
    /* A blank that was never agreed on is no edit: it does not empty the other side, whatever the directions are. */
    bool never_a = is_never_agreed_blank(f, snap, 0, i), never_b = is_never_agreed_blank(f, snap, 1, i);
    bool both = changed_a && changed_b, unagreed = never_a != never_b;
    int source = unagreed ? (never_a ? 1 : 0) : source_of(link, snap, i, changed_a, changed_b);
    if (source < 0) {
        *v = VERDICT_CONFLICT;
        return -1;
    }
    int target = 1 - source;
    bool adopting = unagreed || (field_adopting(snap, i) && both);
    if ((adopting || f->unless_blank) && field_blank(f, snap, source, i)) {
        *v = VERDICT_DRIFT;
        return -1;
    }
    if (field_writable(link, f, target, false)) {
        if (is_skipped(f, snap, target, i)) {
            *v = VERDICT_AGREE;
            return -1;
        }
        *lost = both && !stands_in(snap, target, i) && !(adopting && value_is_blank(&snap->side[target].values[i]));
        return target;
    }
    bool blanks = (unagreed || f->unless_blank) && field_blank(f, snap, target, i);
    if (link->drift == DRIFT_REVERT && !blanks && field_writable(link, f, source, false))
        return source;
    *v = VERDICT_DRIFT;
    return -1;
}

/* Puts the value of field i for the target into the plan. False: the plan is now PLAN_FAIL or PLAN_PARK. */
static bool write_field(const struct link_rules *link, const struct snapshot *snap, int target, uint32_t i,
                        bool creating, struct arena *arena, struct plan *out)
{
    const struct rule_field *f = &link->fields[i];
    const struct snapshot_side *source = &snap->side[1 - target];
    const tl_value *in = &source->values[i];
    if (is_ref(f) && !value_is_blank(in)) {
        const struct ref_target *ref = source->refs ? &source->refs[i] : NULL;
        bool stand_in = ref && ref->other_id.n == 0 && ref->fallback.n &&
                        (creating || value_is_blank(&snap->side[target].values[i]));
        if (stand_in) {
            uint8_t type = (uint8_t)f->side[target].type;
            out->writes[i] = (tl_value){.type = type == TL_REF ? TL_REF : TL_TEXT, .u.s = ref->fallback};
            out->verdict[i] = VERDICT_STAND_IN;
            out->n_writes++;
            out->n_waiting++;
            return true;
        }
        if (!ref || ref->other_id.n == 0) {
            if (creating && (f->side[target].flags & TL_F_REQUIRED)) {
                out->act = PLAN_PARK;
                out->field = i;
                return false;
            }
            out->verdict[i] = VERDICT_WAIT_REF;
            out->n_waiting++;
            return true;
        }
        uint8_t type = (uint8_t)f->side[target].type; /* lookup: an id may be kept in a text */
        out->writes[i] = (tl_value){.type = type == TL_REF ? TL_REF : TL_TEXT, .u.s = ref->other_id};
    } else {
        struct transform_failure why = {0};
        enum image rc = field_image(f, target, in, arena, &out->writes[i], &why);
        if (rc == IMAGE_SKIP)
            return true;
        if (rc == IMAGE_FAILED) {
            out->act = PLAN_FAIL;
            out->field = i;
            out->reason = why.reason;
            out->why = why.text;
            return false;
        }
    }
    out->verdict[i] = VERDICT_WRITE;
    out->n_writes++;
    return true;
}

static void plan_start(const struct link_rules *link, struct arena *arena, struct plan *out)
{
    *out = (struct plan){.act = PLAN_SETTLED};
    out->verdict = arena_array(arena, uint8_t, link->n_fields + 1);
    out->lost = arena_array(arena, bool, link->n_fields + 1);
    out->writes = arena_array(arena, tl_value, link->n_fields + 1);
}

/* Nothing of the field would be in a new record. */
static bool sends_nothing(const struct rule_field *f, const struct snapshot *snap, int target, uint32_t i)
{
    const tl_value *in = &snap->side[1 - target].values[i];
    if (!f->transformed || f->ref_link)
        return value_is_blank(in);
    AUTO(arena_done) struct arena a = {0};
    tl_value image = {0};
    enum image rc = field_image(f, target, in, &a, &image, NULL);
    return rc == IMAGE_SKIP || (rc == IMAGE_OK && value_is_blank(&image));
}

void plan_create(const struct link_rules *link, const struct snapshot *snap, int target, struct arena *arena,
                 struct plan *out)
{
    plan_start(link, arena, out);
    out->act = PLAN_RECREATE;
    out->target = target;
    for (uint32_t i = 0; i < link->n_fields; i++) {
        const struct rule_field *f = &link->fields[i];
        if (!field_writable(link, f, target, true))
            continue;
        if (sends_nothing(f, snap, target, i)) {
            if (f->side[target].flags & TL_F_REQUIRED) {
                out->act = PLAN_FAIL;
                out->reason = TL_R_REQUIRED_MISSING;
                out->field = i;
                return;
            }
            continue;
        }
        if (!write_field(link, snap, target, i, true, arena, out))
            return;
    }
}

static void plan_merge(const struct link_rules *link, const struct snapshot *snap, struct arena *arena,
                       struct plan *out)
{
    int8_t *to = arena_array(arena, int8_t, link->n_fields + 1);
    bool any[2] = {false, false};
    for (uint32_t i = 0; i < link->n_fields; i++) {
        to[i] = (int8_t)field_target(link, snap, i, &out->verdict[i], &out->lost[i]);
        out->n_agreed += out->verdict[i] == VERDICT_AGREE;
        out->n_conflicts += out->verdict[i] == VERDICT_CONFLICT;
        if (to[i] >= 0)
            any[to[i]] = true;
    }
    /* One side at a time: first B, then A after the result is in. When every write to B waits for a reference, A goes
     * on. */
    for (int target = 1; target >= 0 && out->n_writes == 0 && out->act == PLAN_SETTLED; target--) {
        if (!any[target])
            continue;
        out->target = target;
        for (uint32_t i = 0; i < link->n_fields; i++)
            if (to[i] == target && !write_field(link, snap, target, i, false, arena, out))
                return;
    }
    for (uint32_t i = 0; i < link->n_fields; i++)
        if (to[i] >= 0 && out->verdict[i] == VERDICT_SAME)
            out->verdict[i] = VERDICT_WRITE_BACK;
    if (out->n_writes > 0)
        out->act = PLAN_UPDATE;
}

static bool is_dead(enum side_state s)
{
    return s == SIDE_TRASHED || s == SIDE_DELETED || s == SIDE_MERGED;
}

/* Everything the two agreed on is still so: nobody has worked with the survivor since. What was never agreed on, or
 * cannot be seen for now, speaks against it. */
static bool survivor_untouched(const struct link_rules *link, const struct snapshot *snap, int live)
{
    for (uint32_t i = 0; i < link->n_fields; i++)
        if (link->fields[i].suspended || field_changed(&link->fields[i], &snap->side[live], i))
            return false;
    return link->n_fields > 0 && !snap->adopting;
}

static bool deletion_travels(const struct link_rules *link, const struct snapshot *snap, int dead)
{
    int live = 1 - dead;
    return link->deletes[live] && snap->side[dead].told_deleted && snap->side[dead].state != SIDE_MERGED &&
           link_allows(link->direction, live) && (link->can[live] & TL_CAN_DELETE) &&
           survivor_untouched(link, snap, live);
}

static bool survivor_changed(const struct link_rules *link, const struct snapshot *snap, int target)
{
    for (uint32_t i = 0; i < link->n_fields; i++)
        if (field_writable(link, &link->fields[i], target, true) &&
            field_changed(&link->fields[i], &snap->side[1 - target], i))
            return true;
    return false;
}

/* A live record whose counterpart is in the bin, deleted or merged away. */
static void plan_survivor(const struct link_rules *link, const struct snapshot *snap, int target, struct arena *arena,
                          struct plan *out)
{
    if (deletion_travels(link, snap, target)) {
        out->act = PLAN_DELETE;
        out->target = 1 - target;
        return;
    }
    bool restorable = snap->side[target].state == SIDE_TRASHED && (link->can[target] & TL_CAN_RESTORE);
    bool wanted = survivor_changed(link, snap, target) || (restorable && link->restore_on == RESTORE_ON_READ);
    if (link->restore_on == RESTORE_NEVER || !wanted || !link_allows(link->direction, target))
        return;
    if (restorable) {
        out->act = PLAN_RESTORE;
        out->target = target;
        return;
    }
    plan_create(link, snap, target, arena, out);
}

void plan_pair(const struct link_rules *link, const struct snapshot *snap, struct arena *arena, struct plan *out)
{
    plan_start(link, arena, out);
    if (snap->has_intent || snap->frozen) {
        out->act = PLAN_WAIT;
        return;
    }
    enum side_state a = snap->side[0].state, b = snap->side[1].state;
    if (a == SIDE_LIVE && b == SIDE_LIVE) {
        plan_merge(link, snap, arena, out);
        return;
    }
    if ((a == SIDE_NONE || is_dead(a)) && (b == SIDE_NONE || is_dead(b))) {
        out->act = PLAN_TOMBSTONE;
        return;
    }
    int live = a == SIDE_LIVE ? 0 : b == SIDE_LIVE ? 1 : -1;
    if (live < 0)
        return;
    enum side_state other = live == 0 ? b : a;
    if (other == SIDE_NONE) {
        if (link_allows(link->direction, 1 - live) && snap->side[live].in_window) {
            out->act = PLAN_COUNTERPART;
            out->target = 1 - live;
        }
        return;
    }
    if (is_dead(other))
        plan_survivor(link, snap, 1 - live, arena, out);
}
