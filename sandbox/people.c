/* The population: names from tables, everything else from a seeded generator, so that one seed always gives one world.
 */
#include "people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "buf.h"
#include "env.h"
#include "people_names.h"
#include "times.h"

enum {
    PLANTED_PERSONS_DESK = 6, /* on the desk alone */
    PLANTED_PERSONS_CRM = 4,
    TIE_EVERY = 5000, /* persons between two bulk imports, and the size of one: more than a page of any vendor's list */
    TIE_SIZE = 120
};

struct maker {
    const struct people_plan *plan;
    struct people *out;
    struct arena *a;
    struct env_sim rng;
};

const char *planted_name(enum planted p)
{
    static const char *const names[] = {"",         "email-twice",  "no-email",    "name-only",
                                        "too-long", "not-a-number", "late-account"};
    return names[p];
}

const char *planted_reason(enum planted p)
{
    switch (p) {
    case PLANT_EMAIL_TWICE:
        return "ALREADY_MAPPED";
    case PLANT_TOO_LONG:
        return "TOO_LONG";
    case PLANT_NOT_A_NUMBER:
        return "TYPE_MISMATCH";
    case PLANT_NONE:
    case PLANT_NO_EMAIL:
    case PLANT_NAME_ONLY:
    case PLANT_LATE_ACCOUNT:
        break;
    }
    return NULL;
}

static uint64_t below(struct maker *m, uint64_t n)
{
    return env_random_below(&m->rng.env, n);
}

/* Whole milliseconds: what the vendors keep. */
static int64_t between(struct maker *m, int64_t from_us, int64_t to_us)
{
    int64_t span_ms = (to_us - from_us) / US_PER_MS;
    return from_us / US_PER_MS * US_PER_MS + (span_ms > 0 ? (int64_t)below(m, (uint64_t)span_ms) * US_PER_MS : 0);
}

/* Deals out `both`, `desk` and `crm` places in random order, each exactly as often as there are. */
static void sides_draw(struct maker *m, int64_t left[3], bool on[SIDE_COUNT])
{
    int64_t r = (int64_t)below(m, (uint64_t)(left[0] + left[1] + left[2]));
    int which = r < left[0] ? 0 : r < left[0] + left[1] ? 1 : 2;
    left[which]--;
    on[SIDE_DESK] = which != 2;
    on[SIDE_CRM] = which != 1;
}

static void address_fill(struct maker *m, const struct place *at, const char **street, const char **city,
                         const char **state, const char **zip, const char **country)
{
    *street = arena_fmt(m->a, "%s %d", streets[below(m, ARRAY_LEN(streets))], (int)below(m, 180) + 1);
    *city = at->city;
    *state = at->state;
    *zip = at->zip;
    *country = at->country;
}

static void company_fill(struct maker *m, struct company *c, int number)
{
    size_t n = (size_t)number, first = ARRAY_LEN(company_first), second = ARRAY_LEN(company_second);
    size_t forms = ARRAY_LEN(company_form), round = n / (first * second * forms);
    const char *form = company_form[n / (first * second) % forms];
    c->name = round ? arena_fmt(m->a, "%s %s %s %zu", company_first[n % first], company_second[n / first % second],
                                form, round + 1)
                    : arena_fmt(m->a, "%s %s %s", company_first[n % first], company_second[n / first % second], form);
    const struct place *at = &places[below(m, ARRAY_LEN(places))];
    c->website = arena_fmt(m->a, "https://www.company-%d.example", number + 1);
    c->phone = arena_fmt(m->a, "+%s %02d %07d", at->dial, (int)below(m, 90) + 10, (int)below(m, 10000000));
    c->industry = industries[below(m, ARRAY_LEN(industries))];
    address_fill(m, at, &c->street, &c->city, &c->state, &c->zip, &c->country);
    if (below(m, 4) == 0)
        c->description = "Customer since the first day.\nPrefers to be called before noon.";
}

static void companies_make(struct maker *m, int planted)
{
    const struct people_plan *plan = m->plan;
    int64_t common = plan->accounts * INT64_C(3) / 4, alone = plan->accounts - common;
    int64_t left[3] = {common - (planted ? 1 : 0), alone - (planted ? 1 : 0), alone - (planted ? 2 : 0)};
    int64_t count = left[0] + left[1] + left[2], begin = plan->now_us - 900 * US_PER_DAY;
    int64_t step = count ? 200 * US_PER_DAY / count : 0;
    for (int64_t i = 0; i < count; i++) {
        struct company *c = &m->out->companies[m->out->company_count++];
        company_fill(m, c, (int)i);
        sides_draw(m, left, c->on);
        c->created_us = between(m, begin + i * step, begin + i * step + step / 2);
        for (int s = 0; s < SIDE_COUNT; s++)
            c->modified_us[s] = below(m, 3) ? c->created_us : between(m, c->created_us, plan->now_us - US_PER_DAY);
    }
}

/* A company of the person's sides, or none. */
static int company_draw(struct maker *m, const struct person *p)
{
    int count = m->out->company_count;
    if (!count || below(m, 100) >= 85)
        return NO_COMPANY;
    for (int tries = 0; tries < 20; tries++) {
        int i = (int)below(m, (uint64_t)count);
        const struct company *c = &m->out->companies[i];
        if ((!p->on[SIDE_DESK] || c->on[SIDE_DESK]) && (!p->on[SIDE_CRM] || c->on[SIDE_CRM]))
            return i;
    }
    return NO_COMPANY;
}

static void person_fill(struct maker *m, struct person *p, int number)
{
    const struct name_word *first = &first_names[below(m, ARRAY_LEN(first_names))];
    const struct name_word *last = &last_names[below(m, ARRAY_LEN(last_names))];
    const struct place *at = &places[below(m, ARRAY_LEN(places))];
    p->first = first->text;
    p->last = last->text;
    p->email = arena_fmt(m->a, "%s.%s.%d@mail.example", first->ascii, last->ascii, number + 1);
    p->phone = arena_fmt(m->a, "+%s %02d %03d %04d", at->dial, (int)below(m, 90) + 10, (int)below(m, 1000),
                         (int)below(m, 10000));
    if (below(m, 2))
        p->mobile = arena_fmt(m->a, "+%s 7%08d", at->dial, (int)below(m, 100000000));
    address_fill(m, at, &p->street, &p->city, &p->state, &p->zip, &p->country);
    p->title[SIDE_DESK] = p->title[SIDE_CRM] = titles[below(m, ARRAY_LEN(titles))];
    if (below(m, 10) < 7)
        p->customer_number = arena_fmt(m->a, "%d", 10000 + number);
    p->company = NO_COMPANY;
}

/* One of 16 persons known to both sides got a new title on one of them, later than any edit on the other. */
static void title_differs(struct maker *m, struct person *p)
{
    if (!p->on[SIDE_DESK] || !p->on[SIDE_CRM] || below(m, 16))
        return;
    enum side newer = below(m, 2) ? SIDE_DESK : SIDE_CRM;
    enum side older = newer == SIDE_DESK ? SIDE_CRM : SIDE_DESK;
    p->title[older] = "Trainee";
    p->modified_us[older] = p->created_us;
    p->modified_us[newer] = between(m, p->created_us + US_PER_DAY, m->plan->now_us - 3600 * US_PER_S);
}

static void persons_make(struct maker *m, int planted)
{
    const struct people_plan *plan = m->plan;
    int64_t common = plan->contacts * INT64_C(3) / 4, alone = plan->contacts - common;
    int64_t left[3] = {common, alone - (planted ? PLANTED_PERSONS_DESK : 0),
                       alone - (planted ? PLANTED_PERSONS_CRM : 0)};
    int64_t count = left[0] + left[1] + left[2], begin = plan->now_us - 700 * US_PER_DAY;
    int64_t step = count ? 690 * US_PER_DAY / count : 0, tie_us = 0;
    for (int64_t i = 0; i < count; i++) {
        struct person *p = &m->out->persons[m->out->person_count++];
        person_fill(m, p, (int)i);
        sides_draw(m, left, p->on);
        p->company = company_draw(m, p);
        p->created_us = between(m, begin + i * step, begin + i * step + step / 2);
        bool in_import = i % TIE_EVERY < TIE_SIZE;
        if (i % TIE_EVERY == 0)
            tie_us = p->created_us;
        if (in_import)
            p->created_us = tie_us;
        for (int s = 0; s < SIDE_COUNT; s++)
            p->modified_us[s] =
                in_import || below(m, 3) ? p->created_us : between(m, p->created_us, plan->now_us - US_PER_DAY);
        title_differs(m, p);
    }
}

/* ---- planted cases ------------------------------------------------------ */

static char *text_of_length(struct maker *m, const char *word, size_t n)
{
    char *out = arena_alloc(m->a, n + 1);
    size_t word_n = strlen(word);
    for (size_t i = 0; i < n; i++)
        out[i] = word[i % word_n];
    return out;
}

static struct company *company_plant(struct maker *m, enum planted why, bool desk, bool crm, int64_t created_us)
{
    struct company *c = &m->out->companies[m->out->company_count];
    company_fill(m, c, m->out->company_count++);
    c->planted = why;
    c->on[SIDE_DESK] = desk;
    c->on[SIDE_CRM] = crm;
    c->created_us = c->modified_us[SIDE_DESK] = c->modified_us[SIDE_CRM] = created_us;
    return c;
}

static struct person *person_plant(struct maker *m, enum planted why, enum side side, int64_t created_us)
{
    struct person *p = &m->out->persons[m->out->person_count];
    person_fill(m, p, m->out->person_count++);
    p->planted = why;
    p->on[side] = true;
    p->created_us = p->modified_us[SIDE_DESK] = p->modified_us[SIDE_CRM] = created_us;
    return p;
}

static void side_plant(struct maker *m, enum side side, int64_t *at_us)
{
    const int64_t minute = 60 * US_PER_S;
    struct person *twice = person_plant(m, PLANT_NONE, side, *at_us += minute);
    person_plant(m, PLANT_EMAIL_TWICE, side, *at_us += minute)->email = twice->email;
    person_plant(m, PLANT_NO_EMAIL, side, *at_us += minute)->email = NULL;
    if (side == SIDE_DESK) {
        person_plant(m, PLANT_TOO_LONG, side, *at_us += minute)->last = text_of_length(m, "Wolfeschlegelstein", 95);
        person_plant(m, PLANT_NOT_A_NUMBER, side, *at_us += minute)->customer_number = "see contract";
    }
}

static void cases_plant(struct maker *m)
{
    const int64_t minute = 60 * US_PER_S;
    int64_t at_us = m->plan->now_us / US_PER_MS * US_PER_MS - 180 * minute;
    struct company *bare = company_plant(m, PLANT_NAME_ONLY, true, true, at_us += minute);
    *bare = (struct company){.name = bare->name,
                             .created_us = at_us,
                             .modified_us = {at_us, at_us},
                             .on = {true, true},
                             .planted = PLANT_NAME_ONLY};
    company_plant(m, PLANT_TOO_LONG, false, true, at_us += minute)->website =
        arena_fmt(m->a, "https://www.example/%s", text_of_length(m, "division-", 150));
    side_plant(m, SIDE_DESK, &at_us);
    side_plant(m, SIDE_CRM, &at_us);
    struct person *desk_waits = person_plant(m, PLANT_LATE_ACCOUNT, SIDE_DESK, at_us += minute);
    struct person *crm_waits = person_plant(m, PLANT_LATE_ACCOUNT, SIDE_CRM, at_us += minute);
    desk_waits->company = m->out->company_count;
    company_plant(m, PLANT_LATE_ACCOUNT, true, false, at_us += minute);
    crm_waits->company = m->out->company_count;
    company_plant(m, PLANT_LATE_ACCOUNT, false, true, at_us += minute);
}

static void crm_clear(struct people *p)
{
    for (int i = 0; i < p->company_count; i++)
        p->companies[i].on[SIDE_CRM] = false;
    for (int i = 0; i < p->person_count; i++)
        p->persons[i].on[SIDE_CRM] = false;
}

struct people *people_new(const struct people_plan *plan)
{
    struct people *p = calloc(1, sizeof *p);
    ASSERT(p != NULL);
    p->arena = calloc(1, sizeof *p->arena);
    size_t contacts = (size_t)plan->contacts, accounts = (size_t)plan->accounts;
    p->persons = calloc(contacts * 5 / 4 + 16, sizeof *p->persons);
    p->companies = calloc(accounts * 5 / 4 + 16, sizeof *p->companies);
    ASSERT(p->arena != NULL && p->persons != NULL && p->companies != NULL);
    struct maker m = {.plan = plan, .out = p, .a = p->arena};
    env_sim_init(&m.rng, plan->seed, 0);
    bool planted = plan->planted && plan->contacts >= 50 && plan->accounts >= 10;
    companies_make(&m, planted);
    persons_make(&m, planted);
    if (planted)
        cases_plant(&m);
    if (plan->crm_empty)
        crm_clear(p);
    return p;
}

struct people *people_free(struct people *p)
{
    if (!p)
        return NULL;
    arena_done(p->arena);
    free(p->arena);
    free(p->persons);
    free(p->companies);
    free(p);
    return NULL;
}
