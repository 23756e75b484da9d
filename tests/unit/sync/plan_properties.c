/* Properties of the planner over random link rules and snapshots. A case is a few small numbers; one that breaks a
 * property is shrunk, number by number, as long as it still breaks it, and printed.
 *   plan_properties [ROUNDS [SEED]]        without arguments 30,000 rounds
 * proves: V4 V5 V6 V7 V8 V9 V13 Q3 Q17 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env.h"
#include "plan.h"
#include "times.h"
#include "values.h"

enum { FIELDS = 5, WORDS = 6, NO_BASE = WORDS };
enum kind { PLAIN, REFERENCE, UPPER, TO_INT, SKIPPED, KINDS };
/* Numbers for people: what a value index means. */
static const char *const words[WORDS] = {"", "a", "b", "A", "7", "8"};
static const char *const kind_names[KINDS] = {"plain", "reference", "upper|lower", "to_int|copy", "skip(\"b\")"};

struct field_case {
    uint8_t kind, value[2], base[2], at[2], direction, policy, flags[2], suspended, unless_blank;
    uint8_t ref_pair[2], ref_other[2]; /* of references: pair of the value, and is there a counterpart? */
};
struct pair_case {
    uint8_t n, direction, policy, master, drift, restore_on, can_restore[2], deletes[2], told[2], coarse, offset[2],
        modified[2];
    uint8_t state[2], in_window[2], has_intent, frozen, adopting;
    struct field_case field[FIELDS];
};

struct built {
    struct rule_field field[FIELDS];
    struct link_rules link;
    struct snapshot snap;
    tl_value value[2][FIELDS], base[2][FIELDS];
    bool has[2][FIELDS];
    int64_t changed[2][FIELDS];
    struct ref_target refs[2][FIELDS];
    struct arena arena;
    struct plan plan;
};

static struct {
    struct arena arena;
    const struct transform *upper, *lower, *to_int, *to_text, *skip, *copy;
} chains;

static const struct transform *chain(const char *text)
{
    struct transform_error *errors;
    size_t n = 0;
    const struct transform *t = transform_parse(str_of(text), &chains.arena, &errors, &n);
    assert_non_null(t);
    return t;
}

static tl_value word(const struct field_case *f, int s, uint8_t at)
{
    if (at == 0 || at >= WORDS)
        return (tl_value){.type = TL_NULL};
    if (f->kind == TO_INT && s == 1)
        return (tl_value){.type = TL_INT, .u.i = at};
    return (tl_value){.type = f->kind == REFERENCE ? TL_REF : TL_TEXT, .u.s = {words[at], strlen(words[at])}};
}

static void build_chains(struct rule_field *r, const struct field_case *f)
{
    static const struct canon exact = {.kind = CANON_TEXT, .scale = UINT32_MAX, .resolution_us = 1};
    r->transformed = true;
    r->to[1] = f->kind == UPPER ? chains.upper : f->kind == TO_INT ? chains.to_int : chains.skip;
    r->to[0] = f->kind == UPPER ? chains.lower : f->kind == TO_INT ? chains.to_text : chains.copy;
    r->own[0] = r->own[1] = exact;
    if (f->kind == TO_INT)
        r->own[1] = canon_of(&r->side[1], &r->side[1], 0, 0);
    r->unless_blank = f->unless_blank;
}

static void build_field(struct built *b, const struct pair_case *c, uint32_t i)
{
    const struct field_case *f = &c->field[i];
    struct rule_field *r = &b->field[i];
    r->number = i + 1;
    for (int s = 0; s < 2; s++) {
        r->side[s].type = f->kind == REFERENCE ? TL_REF : f->kind == TO_INT && s == 1 ? TL_INT : TL_TEXT;
        r->side[s].flags = f->flags[s];
    }
    r->canon = canon_of(&r->side[0], &r->side[1], 0, 0);
    r->direction = (enum link_direction)f->direction;
    r->policy = (enum link_policy)f->policy;
    r->suspended = f->suspended;
    r->unless_blank = f->unless_blank;
    r->ref_link = f->kind == REFERENCE ? 9 : 0;
    for (int s = 0; s < 2; s++)
        r->carries[s] = link_allows(b->link.direction, s) && link_allows(r->direction, s);
    if (f->kind > REFERENCE)
        build_chains(r, f);
    for (int s = 0; s < 2; s++) {
        b->value[s][i] = word(f, s, f->value[s]);
        b->base[s][i] = word(f, s, f->base[s]);
        b->has[s][i] = f->base[s] != NO_BASE && !c->adopting;
        b->changed[s][i] = f->at[s] * US_PER_S;
        b->refs[s][i] = (struct ref_target){.pair = f->ref_pair[s]};
        if (f->ref_pair[s] && f->ref_other[s])
            b->refs[s][i].other_id = str_of(f->ref_pair[s] == 1 ? "one" : "two");
    }
}

static void build(struct built *b, const struct pair_case *c)
{
    memset(b, 0, sizeof *b);
    b->link = (struct link_rules){.direction = (enum link_direction)c->direction,
                                  .policy = (enum link_policy)c->policy,
                                  .master = c->master,
                                  .drift = (enum link_drift)c->drift,
                                  .restore_on = (enum link_restore)c->restore_on,
                                  .n_fields = c->n,
                                  .fields = b->field};
    b->snap = (struct snapshot){.has_intent = c->has_intent, .frozen = c->frozen, .adopting = c->adopting};
    for (int s = 0; s < 2; s++) {
        b->link.can[s] = TL_CAN_CREATE | TL_CAN_UPDATE | (c->can_restore[s] ? TL_CAN_RESTORE : 0) | TL_CAN_DELETE;
        b->link.deletes[s] = c->deletes[s];
        b->link.clock_offset_us[s] = c->offset[s] * US_PER_S;
        b->link.resolution_us[s] = c->coarse * US_PER_S;
        b->snap.side[s] = (struct snapshot_side){.state = (enum side_state)c->state[s],
                                                 .is_b = s,
                                                 .values = b->value[s],
                                                 .base = b->base[s],
                                                 .has_base = b->has[s],
                                                 .changed_us = b->changed[s],
                                                 .refs = b->refs[s],
                                                 .modified_us = c->modified[s] * US_PER_S,
                                                 .in_window = c->in_window[s],
                                                 .told_deleted = c->told[s]};
    }
    for (uint32_t i = 0; i < c->n; i++)
        build_field(b, c, i);
}

/* ---- Generator */

static uint8_t below(const struct env *env, uint64_t n)
{
    return (uint8_t)env_random_below(env, n);
}

static bool one_in(const struct env *env, uint64_t n)
{
    return env_random_below(env, n) == 0;
}

static void generate_field(struct field_case *f, const struct env *env)
{
    *f = (struct field_case){.kind = one_in(env, 2) ? PLAIN : below(env, KINDS),
                             .direction = one_in(env, 3) ? below(env, 3) : LINK_BOTH,
                             .policy = one_in(env, 3) ? below(env, 5) : POLICY_LINK,
                             .suspended = one_in(env, 12),
                             .unless_blank = one_in(env, 6)};
    uint8_t agreed = below(env, WORDS);
    for (int s = 0; s < 2; s++) {
        bool has_base = !one_in(env, 8);
        f->base[s] = has_base ? agreed : NO_BASE;
        f->value[s] = one_in(env, 3) && has_base ? agreed : below(env, WORDS);
        f->at[s] = below(env, 12);
        static const uint8_t flags[] = {TL_F_READONLY, TL_F_CREATE_ONLY, TL_F_REQUIRED};
        f->flags[s] = one_in(env, 4) ? flags[below(env, 3)] : 0;
        f->ref_pair[s] = below(env, 3);
        f->ref_other[s] = !one_in(env, 4);
    }
}

static void generate(struct pair_case *c, const struct env *env)
{
    static const uint8_t dead[] = {SIDE_NONE,    SIDE_OUT_OF_SCOPE, SIDE_TRASHED,
                                   SIDE_DELETED, SIDE_MERGED,       SIDE_FORBIDDEN};
    *c = (struct pair_case){.n = (uint8_t)(1 + below(env, FIELDS)),
                            .direction = one_in(env, 2) ? LINK_BOTH : below(env, 3),
                            .policy = (uint8_t)(1 + below(env, 4)),
                            .master = below(env, 2),
                            .drift = below(env, 3),
                            .restore_on = below(env, 3),
                            .coarse = one_in(env, 4) ? 3 : 0,
                            .has_intent = one_in(env, 25),
                            .frozen = one_in(env, 25),
                            .adopting = one_in(env, 5)};
    for (int s = 0; s < 2; s++) {
        c->state[s] = one_in(env, 6) ? dead[below(env, sizeof dead)] : SIDE_LIVE;
        c->can_restore[s] = below(env, 2);
        c->deletes[s] = below(env, 2);
        c->told[s] = below(env, 2);
        c->offset[s] = one_in(env, 3) ? 5 : 0;
        c->modified[s] = below(env, 12);
        c->in_window[s] = !one_in(env, 5);
    }
    for (int i = 0; i < FIELDS; i++)
        generate_field(&c->field[i], env);
}

/* ---- What the specification says of one field */

static bool allows(uint8_t direction, int target)
{
    return direction == LINK_BOTH || direction == (target ? LINK_A2B : LINK_B2A);
}

static bool may_write(const struct pair_case *c, uint32_t i, int target, bool creating)
{
    const struct field_case *f = &c->field[i];
    return !f->suspended && !(f->flags[target] & TL_F_READONLY) &&
           (creating || !(f->flags[target] & TL_F_CREATE_ONLY)) && allows(c->direction, target) &&
           allows(f->direction, target);
}

static bool has_base(const struct pair_case *c, uint32_t i, int s)
{
    return !c->adopting && c->field[i].base[s] != NO_BASE;
}

static bool changed(const struct pair_case *c, uint32_t i, int s)
{
    return !has_base(c, i, s) || c->field[i].value[s] != c->field[i].base[s];
}

static bool means_same(const struct field_case *f)
{
    if (f->kind == PLAIN)
        return f->value[0] == f->value[1];
    if (!f->value[0] || !f->value[1])
        return !f->value[0] && !f->value[1];
    return f->ref_pair[0] && f->ref_pair[0] == f->ref_pair[1];
}

static int later_side(const struct pair_case *c, uint32_t i)
{
    int at[2];
    for (int s = 0; s < 2; s++) {
        at[s] = c->field[i].at[s] ? c->field[i].at[s] : c->modified[s];
        at[s] = at[s] ? at[s] - c->offset[s] : INT32_MIN;
    }
    /* A corrected time of exactly nothing counts as unknown. */
    if (at[0] == INT32_MIN || at[1] == INT32_MIN || at[0] == 0 || at[1] == 0)
        return c->master;
    int tie = c->coarse ? 2 * c->coarse : 2;
    return abs(at[0] - at[1]) <= tie ? c->master : at[0] > at[1] ? 0 : 1;
}

/* The value that counts when both sides changed: 0, 1; -1: neither before a person decided. */
static int who_wins(const struct pair_case *c, uint32_t i)
{
    const struct field_case *f = &c->field[i];
    bool first_time = !has_base(c, i, 0) && !has_base(c, i, 1);
    bool to[2] = {may_write(c, i, 0, false), may_write(c, i, 1, false)};
    if (to[0] != to[1])
        return to[1] ? 0 : 1;
    if ((first_time || f->unless_blank) && !f->value[0] != !f->value[1])
        return f->value[0] ? 0 : 1;
    uint8_t policy = f->policy ? f->policy : c->policy;
    return policy == POLICY_A ? 0 : policy == POLICY_B ? 1 : policy == POLICY_MANUAL ? -1 : later_side(c, i);
}

/* What the chains make of the other side's value on its way to side s. */
static enum image image_in_words(const struct field_case *f, int s, char out[8])
{
    uint8_t at = f->value[1 - s];
    const char *in = words[at];
    snprintf(out, 8, "%s", in);
    if (f->kind == UPPER && (*in == 'a' || *in == 'b' || *in == 'A'))
        out[0] = (char)(s ? *in & ~32 : *in | 32);
    if (f->kind == TO_INT && s == 0 && at)
        snprintf(out, 8, "%d", at);
    if (f->kind == TO_INT && s == 1 && at && (*in < '0' || *in > '9'))
        return IMAGE_FAILED;
    return f->kind == SKIPPED && s == 1 && *in == 'b' ? IMAGE_SKIP : IMAGE_OK;
}

static bool is_image_of(const struct field_case *f, int s, const tl_value *v)
{
    char want[8];
    if (image_in_words(f, s, want) != IMAGE_OK || (f->kind == TO_INT && s == 1 && *want && v->type != TL_INT))
        return false;
    AUTO(buf_done) struct buf is = {0};
    if (!value_is_blank(v))
        value_text(&is, v);
    return str_is(buf_lent(&is), want);
}

/* -1: written nowhere; else the side that takes the other one's value. Plain fields and references. */
static int who_is_written(const struct pair_case *c, uint32_t i, enum verdict *why)
{
    const struct field_case *f = &c->field[i];
    bool moved[2] = {changed(c, i, 0), changed(c, i, 1)};
    *why = VERDICT_SAME;
    if (f->suspended || (!moved[0] && !moved[1]))
        return -1;
    *why = VERDICT_AGREE;
    if (means_same(f))
        return -1;
    bool never[2] = {!has_base(c, i, 0) && !f->value[0], !has_base(c, i, 1) && !f->value[1]};
    bool no_edit = never[0] != never[1]; /* a blank that was never agreed on is none, and never wins */
    int source = no_edit ? never[0] : moved[0] && moved[1] ? who_wins(c, i) : moved[0] ? 0 : 1;
    *why = VERDICT_CONFLICT;
    if (source < 0)
        return -1;
    *why = VERDICT_DRIFT;
    bool first_time = !has_base(c, i, 0) && !has_base(c, i, 1);
    if ((first_time || f->unless_blank) && !f->value[source])
        return -1;
    if (may_write(c, i, 1 - source, false))
        return 1 - source;
    bool blanks = (no_edit || f->unless_blank) && !f->value[1 - source];
    return c->drift == DRIFT_REVERT && !blanks && may_write(c, i, source, false) ? source : -1;
}

/* ---- Properties: each returns NULL, or the sentence that does not hold */

static bool plan_same(const struct plan *a, const struct plan *b, uint32_t n)
{
    if (a->act != b->act || a->target != b->target || a->n_writes != b->n_writes || a->n_agreed != b->n_agreed ||
        a->n_conflicts != b->n_conflicts || a->n_waiting != b->n_waiting || a->reason != b->reason)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (a->verdict[i] != b->verdict[i] || a->lost[i] != b->lost[i] || !value_same(&a->writes[i], &b->writes[i]))
            return false;
    return true;
}

static const char *twice_the_same(const struct pair_case *c)
{
    struct built x, y;
    build(&x, c);
    build(&y, c);
    plan_pair(&x.link, &x.snap, &x.arena, &x.plan);
    plan_pair(&y.link, &y.snap, &y.arena, &y.plan);
    bool same = plan_same(&x.plan, &y.plan, c->n);
    plan_pair(&x.link, &x.snap, &x.arena, &y.plan);
    same &= plan_same(&x.plan, &y.plan, c->n);
    arena_done(&x.arena);
    arena_done(&y.arena);
    return same ? NULL : "V13: the same snapshot gives the same plan";
}

static bool is_refusal(enum plan_act act)
{
    return act == PLAN_FAIL || act == PLAN_PARK;
}

static const char *order_does_not_matter(const struct pair_case *c)
{
    struct pair_case turned = *c;
    for (uint32_t i = 0; i < c->n; i++)
        turned.field[i] = c->field[c->n - 1 - i];
    struct built x, y;
    build(&x, c);
    build(&y, &turned);
    plan_pair(&x.link, &x.snap, &x.arena, &x.plan);
    plan_pair(&y.link, &y.snap, &y.arena, &y.plan);
    bool same = x.plan.act == y.plan.act && x.plan.target == y.plan.target;
    if (is_refusal(x.plan.act))
        same = is_refusal(y.plan.act);
    for (uint32_t i = 0; i < c->n && same && !is_refusal(x.plan.act); i++)
        same = x.plan.verdict[i] == y.plan.verdict[c->n - 1 - i] && x.plan.lost[i] == y.plan.lost[c->n - 1 - i] &&
               value_same(&x.plan.writes[i], &y.plan.writes[c->n - 1 - i]);
    arena_done(&x.arena);
    arena_done(&y.arena);
    return same ? NULL : "the order of the fields does not matter";
}

static const char *check_writes(const struct pair_case *c, const struct built *b)
{
    const struct plan *p = &b->plan;
    bool creating = p->act != PLAN_UPDATE && (c->state[0] != SIDE_LIVE || c->state[1] != SIDE_LIVE);
    uint32_t writes = 0, agreed = 0, conflicts = 0, waiting = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        agreed += p->verdict[i] == VERDICT_AGREE;
        conflicts += p->verdict[i] == VERDICT_CONFLICT;
        waiting += p->verdict[i] == VERDICT_WAIT_REF;
        if (p->verdict[i] != VERDICT_WRITE)
            continue;
        writes++;
        if (!may_write(c, i, p->target, creating))
            return "no write to a field or side that may not be written";
        const struct field_case *f = &c->field[i];
        const tl_value *from = &b->value[1 - p->target][i], *out = &p->writes[i];
        if (f->kind == PLAIN && !value_same(from, out))
            return "V6: a write carries the other side's value";
        if (f->kind == REFERENCE && f->value[1 - p->target] && !str_eq(out->u.s, b->refs[1 - p->target][i].other_id))
            return "V6: a reference becomes the id of its counterpart";
        if (f->kind > REFERENCE && !is_image_of(f, p->target, out))
            return "V6: a write carries the image of the other side's value";
        bool both = changed(c, i, 0) && changed(c, i, 1), updating = p->act == PLAN_UPDATE;
        if (updating && both && f->value[p->target] && !p->lost[i])
            return "V8: a value that loses is known as lost";
        if (updating && !both && p->lost[i])
            return "V8: only where both sides changed something is lost";
    }
    if (writes != p->n_writes || agreed != p->n_agreed || conflicts != p->n_conflicts || waiting != p->n_waiting)
        return is_refusal(p->act) ? NULL : "the plan's counts are those of its verdicts";
    return NULL;
}

/* The acts that no field decides. */
static const char *check_act(const struct pair_case *c, const struct built *b)
{
    enum plan_act act = b->plan.act;
    bool live[2], dead[2];
    for (int s = 0; s < 2; s++) {
        live[s] = c->state[s] == SIDE_LIVE;
        dead[s] = c->state[s] == SIDE_TRASHED || c->state[s] == SIDE_DELETED || c->state[s] == SIDE_MERGED;
    }
    if (c->has_intent || c->frozen)
        return act == PLAN_WAIT && b->plan.n_writes == 0 ? NULL : "V2: nothing is planned beside an intent, or frozen";
    if (live[0] && live[1])
        return act == PLAN_SETTLED || act == PLAN_UPDATE || act == PLAN_FAIL ? NULL
                                                                             : "two live records settle or are updated";
    if ((dead[0] || c->state[0] == SIDE_NONE) && (dead[1] || c->state[1] == SIDE_NONE))
        return act == PLAN_TOMBSTONE ? NULL : "a pair dead on both sides is a tombstone";
    int s = live[0] ? 0 : 1, t = 1 - s;
    bool to_target = allows(c->direction, t);
    if (!live[s] || c->state[t] == SIDE_OUT_OF_SCOPE || c->state[t] == SIDE_FORBIDDEN)
        return act == PLAN_SETTLED && b->plan.n_writes == 0 ? NULL : "nothing is written to what is out of scope";
    if (c->state[t] == SIDE_NONE) {
        bool wanted = to_target && c->in_window[s];
        return act == (wanted ? PLAN_COUNTERPART : PLAN_SETTLED) && (!wanted || b->plan.target == t)
                   ? NULL
                   : "a counterpart is wanted exactly where the direction and the window allow it";
    }
    bool travels = c->deletes[s] && c->told[t] && allows(c->direction, s) && c->state[t] != SIDE_MERGED && !c->adopting;
    for (uint32_t i = 0; i < c->n; i++)
        travels = travels && !c->field[i].suspended && !changed(c, i, s);
    if (travels != (act == PLAN_DELETE))
        return "V9: a deletion travels exactly where it was asked for, told, and the survivor is as it was";
    if (travels)
        return b->plan.target == s && b->plan.n_writes == 0 ? NULL : "V9: the survivor is what is deleted";
    bool edited = false, restorable = c->state[t] == SIDE_TRASHED && c->can_restore[t];
    for (uint32_t i = 0; i < c->n; i++)
        edited |= may_write(c, i, t, true) && changed(c, i, s);
    bool back =
        to_target && c->restore_on != RESTORE_NEVER && (edited || (restorable && c->restore_on == RESTORE_ON_READ));
    if (!back)
        return act == PLAN_SETTLED ? NULL : "Q17: only an update of the survivor brings a record back";
    if (restorable)
        return act == PLAN_RESTORE && b->plan.target == t ? NULL : "Q17: what lies in the bin is restored";
    return (act == PLAN_RECREATE || is_refusal(act)) && b->plan.target == t ? NULL
                                                                            : "Q17: what is gone for good is made anew";
}

static const char *check_create(const struct pair_case *c, struct built *b, int t)
{
    struct plan p;
    plan_create(&b->link, &b->snap, t, &b->arena, &p);
    bool park = false, fail = false;
    for (uint32_t i = 0; i < c->n; i++) {
        const struct field_case *f = &c->field[i];
        if (!may_write(c, i, t, true))
            continue;
        bool blank = !f->value[1 - t], required = f->flags[t] & TL_F_REQUIRED;
        char image[8];
        enum image rc = f->kind > REFERENCE ? image_in_words(f, t, image) : IMAGE_OK;
        if (f->kind > REFERENCE)
            blank = rc == IMAGE_SKIP || (rc == IMAGE_OK && !image[0]);
        bool nowhere = f->kind == REFERENCE && !blank && b->refs[1 - t][i].other_id.n == 0;
        fail |= (blank && required) || rc == IMAGE_FAILED;
        park |= nowhere && required;
        if (is_refusal(p.act))
            continue;
        if (p.verdict[i] != (blank ? VERDICT_SAME : nowhere ? VERDICT_WAIT_REF : VERDICT_WRITE))
            return "a create carries every value that may be written, and no other";
    }
    if (is_refusal(p.act) != (park || fail) || (p.act == PLAN_PARK && !park) || (p.act == PLAN_FAIL && !fail))
        return "R3: a create waits for a required reference, and fails without a required value";
    return NULL;
}

static const char *verdicts_are_right(const struct pair_case *c)
{
    struct built b;
    build(&b, c);
    plan_pair(&b.link, &b.snap, &b.arena, &b.plan);
    const char *wrong = check_act(c, &b);
    if (!wrong)
        wrong = check_writes(c, &b);
    for (int t = 0; t < 2 && !wrong; t++)
        wrong = check_create(c, &b, t);
    bool merges = b.plan.act == PLAN_SETTLED || b.plan.act == PLAN_UPDATE;
    merges &= c->state[0] == SIDE_LIVE && c->state[1] == SIDE_LIVE;
    bool later = false, now = false;
    for (uint32_t i = 0; i < c->n && merges && !wrong; i++) {
        if (c->field[i].kind > REFERENCE)
            continue;
        enum verdict want, is = (enum verdict)b.plan.verdict[i];
        int written = who_is_written(c, i, &want);
        if (written < 0 && is != want)
            wrong = want == VERDICT_CONFLICT ? "a conflict under `manual` is frozen"
                    : want == VERDICT_DRIFT  ? "drift is left alone"
                    : want == VERDICT_AGREE  ? "equal values are agreed on without a write"
                                             : "what did not change is left alone";
        else if (written >= 0 && is != VERDICT_WRITE && is != VERDICT_WRITE_BACK && is != VERDICT_WAIT_REF)
            wrong = "a change that counts is written";
        else if (is == VERDICT_WRITE && written != b.plan.target)
            wrong = "the winner's value is written";
        later |= written == 1 && is == VERDICT_WRITE_BACK;
        now |= b.plan.n_writes > 0 && b.plan.target == 0 && is == VERDICT_WRITE;
    }
    if (!wrong && later && now)
        wrong = "first B is written, then A";
    arena_done(&b.arena);
    return wrong;
}

/* Carries the plan out as a perfect vendor would. */
static void carry_out(struct built *b, uint32_t n)
{
    int t = b->plan.target;
    for (uint32_t i = 0; i < n; i++) {
        bool written = b->plan.verdict[i] == VERDICT_WRITE;
        if (written) {
            b->value[t][i] = b->plan.writes[i];
            b->refs[t][i] = (struct ref_target){.pair = b->refs[1 - t][i].pair, .other_id = STR("back")};
        }
        for (int s = 0; s < 2 && (written || b->plan.verdict[i] == VERDICT_AGREE); s++) {
            b->base[s][i] = b->value[s][i];
            b->has[s][i] = true;
        }
    }
}

/* Plans and carries out until nothing is to be written; the number of updates, -1: no end. */
static int come_to_rest(struct built *b, uint32_t n)
{
    for (int updates = 0; updates < 4; updates++) {
        plan_pair(&b->link, &b->snap, &b->arena, &b->plan);
        carry_out(b, n);
        b->snap.adopting = false;
        if (b->plan.act != PLAN_UPDATE)
            return updates;
    }
    return -1;
}

static const char *check_rest(const struct pair_case *c, const struct built *before, const struct built *b)
{
    for (uint32_t i = 0; i < c->n; i++) {
        const struct field_case *f = &c->field[i];
        const tl_value *a = &b->value[0][i], *z = &b->value[1][i], *a0 = &before->value[0][i],
                       *z0 = &before->value[1][i];
        bool kept = value_same(a, a0) && value_same(z, z0);
        if (f->kind == PLAIN &&
            (!(value_same(a, a0) || value_same(a, z0)) || !(value_same(z, a0) || value_same(z, z0))))
            return "V6: no value out of thin air";
        if (b->plan.verdict[i] == VERDICT_CONFLICT && !kept)
            return "a frozen field keeps both values";
        bool first_time = !has_base(c, i, 0) && !has_base(c, i, 1);
        if (f->kind == PLAIN && first_time &&
            ((f->value[0] && value_is_blank(a)) || (f->value[1] && value_is_blank(z))))
            return "a blank never wins in an adoption";
        if (f->kind == PLAIN && f->unless_blank &&
            ((f->value[0] && value_is_blank(a)) || (f->value[1] && value_is_blank(z))))
            return "a blank never wins under `unless_blank`";
        for (int s = 0; s < 2 && f->kind == PLAIN; s++) {
            bool alone = changed(c, i, s) && !changed(c, i, 1 - s) && may_write(c, i, 1 - s, false);
            bool blank = !f->value[s] && (f->unless_blank || !has_base(c, i, s));
            if (alone && !blank && b->plan.act != PLAN_FAIL &&
                (!value_same(a, &before->value[s][i]) || !value_same(z, a)))
                return "V7: an edit on one side only ends on both";
        }
        bool both_ways = may_write(c, i, 0, false) && may_write(c, i, 1, false);
        bool moved = changed(c, i, 0) || changed(c, i, 1);
        bool held = b->plan.verdict[i] == VERDICT_CONFLICT || f->unless_blank;
        if (f->kind == PLAIN && both_ways && moved && !held && b->plan.act != PLAN_FAIL && !value_same(a, z))
            return "V4: two-way sides end equal";
    }
    return NULL;
}

static const char *comes_to_rest(const struct pair_case *c)
{
    if (c->state[0] != SIDE_LIVE || c->state[1] != SIDE_LIVE || c->has_intent || c->frozen)
        return NULL;
    struct built before, b;
    build(&before, c);
    build(&b, c);
    const char *wrong = NULL;
    int updates = come_to_rest(&b, c->n);
    if (updates < 0 || updates > 2)
        wrong = "V5: at most one write to each side, then quiet";
    else
        wrong = check_rest(c, &before, &b);
    for (int again = 0; again < 2 && !wrong && b.plan.act == PLAN_SETTLED; again++) {
        plan_pair(&b.link, &b.snap, &b.arena, &b.plan);
        if (b.plan.act != PLAN_SETTLED || b.plan.n_agreed > 0)
            wrong = "V5: settled after the own plan, and it stays so";
    }
    arena_done(&before.arena);
    arena_done(&b.arena);
    return wrong;
}

/* A and B are names: the mirrored pair ends with the mirrored values. */
static const char *mirrored(const struct pair_case *c)
{
    struct pair_case m = *c;
    static const uint8_t direction[] = {LINK_BOTH, LINK_B2A, LINK_A2B},
                         policy[] = {POLICY_LINK, POLICY_NEWEST, POLICY_B, POLICY_A, POLICY_MANUAL};
    if (c->state[0] != SIDE_LIVE || c->state[1] != SIDE_LIVE)
        return NULL;
    m.direction = direction[c->direction];
    m.policy = policy[c->policy];
    m.master = !c->master;
    for (int s = 0; s < 2; s++) {
        m.offset[s] = c->offset[1 - s];
        m.modified[s] = c->modified[1 - s];
    }
    for (uint32_t i = 0; i < c->n; i++) {
        struct field_case *f = &m.field[i];
        const struct field_case *o = &c->field[i];
        if (o->kind != PLAIN)
            return NULL;
        f->direction = direction[o->direction];
        f->policy = policy[o->policy];
        for (int s = 0; s < 2; s++) {
            f->value[s] = o->value[1 - s];
            f->base[s] = o->base[1 - s];
            f->at[s] = o->at[1 - s];
            f->flags[s] = o->flags[1 - s];
        }
    }
    struct built x, y;
    build(&x, c);
    build(&y, &m);
    bool same = come_to_rest(&x, c->n) >= 0 && come_to_rest(&y, c->n) >= 0;
    for (uint32_t i = 0; i < c->n; i++)
        for (int s = 0; s < 2; s++)
            same &= value_same(&x.value[s][i], &y.value[1 - s][i]);
    arena_done(&x.arena);
    arena_done(&y.arena);
    return same ? NULL : "A and B are only names";
}

/* ---- Shrinking */

typedef const char *(*property)(const struct pair_case *c);

static const property all[] = {twice_the_same, order_does_not_matter, verdicts_are_right, comes_to_rest, mirrored};

static const char *broken(const struct pair_case *c)
{
    const char *wrong = NULL;
    for (size_t i = 0; i < ARRAY_LEN(all) && !wrong; i++)
        wrong = all[i](c);
    return wrong;
}

/* Keeps a simpler case that still breaks something. */
static bool keep(struct pair_case *c, const struct pair_case *simpler, property fails)
{
    if (memcmp(c, simpler, sizeof *c) == 0 || !fails(simpler))
        return false;
    *c = *simpler;
    return true;
}

static bool drop_fields(struct pair_case *c, property fails)
{
    bool any = false;
    for (uint32_t i = 0; i < c->n && c->n > 1; i++) {
        struct pair_case s = *c;
        memmove(&s.field[i], &s.field[i + 1], (FIELDS - 1 - i) * sizeof s.field[0]);
        s.n--;
        any |= keep(c, &s, fails);
    }
    return any;
}

/* Every number of the case in turn: nothing, or the plainest state. */
static bool simplify(struct pair_case *c, property fails)
{
    bool any = false;
    size_t used = offsetof(struct pair_case, field) + c->n * sizeof(struct field_case);
    for (size_t at = 1; at < used; at++)
        for (uint8_t to = 0; to < 2; to++) {
            struct pair_case s = *c;
            uint8_t *byte = (uint8_t *)&s + at;
            if (*byte <= to || (at == offsetof(struct pair_case, policy) && to == 0))
                continue;
            *byte = to;
            any |= keep(c, &s, fails);
        }
    return any;
}

static void shrink(struct pair_case *c, property fails)
{
    while (drop_fields(c, fails) || simplify(c, fails))
        ;
}

static const char *base_name(uint8_t at)
{
    return at == NO_BASE ? "(none)" : words[at];
}

static void print_case(const struct pair_case *c)
{
    static const char *const directions[] = {"both", "a2b", "b2a"};
    static const char *const policies[] = {"link", "newest", "a", "b", "manual"};
    static const char *const states[] = {"none", "live", "out of scope", "trashed", "deleted", "merged", "forbidden"};
    print_message("  link: direction %s policy %s master %c drift %d restore_on %d restorable %d %d deletes %d %d told "
                  "%d %d coarse %d "
                  "offset %d %d\n",
                  directions[c->direction], policies[c->policy], "ab"[c->master], c -> drift, c -> restore_on,
                  c -> can_restore[0], c -> can_restore[1], c -> deletes[0], c -> deletes[1], c -> told[0],
                  c -> told[1], c -> coarse, c -> offset[0], c -> offset[1]);
    print_message("  pair: %s | %s, modified %d %d, window %d %d%s%s%s\n", states[c->state[0]], states[c->state[1]],
                  c->modified[0], c->modified[1], c->in_window[0], c->in_window[1], c->has_intent ? ", intent" : "",
                  c->frozen ? ", frozen" : "", c->adopting ? ", adopting" : "");
    for (uint32_t i = 0; i < c->n; i++) {
        const struct field_case *f = &c->field[i];
        print_message(
            "  field %u: %s \"%s\" | \"%s\" bases \"%s\" | \"%s\" at %d %d direction %s policy %s flags %d %d%s%s "
            "refs %d/%d %d/%d\n",
            i, kind_names[f->kind], words[f->value[0]], words[f->value[1]], base_name(f->base[0]),
            base_name(f->base[1]), f->at[0], f->at[1], directions[f->direction], policies[f->policy], f->flags[0],
            f->flags[1], f->suspended ? " suspended" : "", f->unless_blank ? " unless_blank" : "", f->ref_pair[0],
            f->ref_other[0], f->ref_pair[1], f->ref_other[1]);
    }
}

static int rounds = 30000;
static uint64_t seed = 4711;

static void properties(void **state)
{
    (void)state;
    struct env_sim sim;
    env_sim_init(&sim, seed, 0);
    for (int round = 0; round < rounds; round++) {
        struct pair_case c;
        generate(&c, &sim.env);
        if (!broken(&c))
            continue;
        shrink(&c, broken);
        print_message("round %d of seed %" PRIu64 ": it does not hold that %s\n", round, seed, broken(&c));
        print_case(&c);
        fail();
    }
}

/* The shrinker itself: what breaks an invented rule in one of five fields comes down to that field alone. */
static const char *no_seven(const struct pair_case *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (c->field[i].value[0] == 4 && c->direction == LINK_B2A)
            return "nobody writes 7";
    return NULL;
}

static void shrinking_ends_with_little(void **state)
{
    (void)state;
    struct env_sim sim;
    env_sim_init(&sim, 7, 0);
    int shrunk = 0;
    for (int round = 0; round < 2000; round++) {
        struct pair_case c;
        generate(&c, &sim.env);
        if (!no_seven(&c))
            continue;
        shrink(&c, no_seven);
        struct pair_case least = {.n = 1, .direction = LINK_B2A, .policy = 1, .field = {{.value = {4, 0}}}};
        memcpy(&least.field[1], &c.field[1], sizeof least.field - sizeof least.field[0]); /* not used any more */
        assert_memory_equal(&c, &least, sizeof c);
        shrunk++;
    }
    assert_true(shrunk > 20);
}

int main(int argc, char **argv)
{
    const char *lasting = getenv("TIELINE_TEST_LONG");
    rounds = argc > 1 ? atoi(argv[1]) : lasting && *lasting ? 2000000 : rounds;
    seed = argc > 2 ? strtoull(argv[2], NULL, 10) : seed;
    chains.upper = chain("upper");
    chains.lower = chain("lower");
    chains.to_int = chain("to_int");
    chains.to_text = chain("");
    chains.skip = chain("skip(\"b\")");
    chains.copy = chain("");
    const struct CMUnitTest tests[] = {cmocka_unit_test(properties), cmocka_unit_test(shrinking_ends_with_little)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&chains.arena);
    return failed;
}
