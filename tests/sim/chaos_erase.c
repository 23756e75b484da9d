/* A person is erased: from then on nothing of the records that were theirs is written, made anew or kept. */
#include <string.h>

#include "admin.h"
#include "life.h"
#include "person.h"

static struct twin_record *of_id(struct world *w, const char *id)
{
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < TWIN_RECORDS; i++)
            if (w->rec[s][KIND_CONTACT][i].used && strcmp(w->rec[s][KIND_CONTACT][i].id, id) == 0)
                return &w->rec[s][KIND_CONTACT][i];
    return NULL;
}

static void mark(struct world *w, const json_t *told, enum twin_erased how)
{
    json_t *row;
    size_t i;
    json_array_foreach(json_object_get(told, "records"), i, row)
    {
        struct twin_record *r = of_id(w, json_string_value(json_object_get(row, "record")));
        if (r)
            r->erased = how;
    }
}

/* With an address of their own. */
static const char *somebody(struct world *w)
{
    int s = (int)world_random(w, 2), at = (int)world_random(w, TWIN_RECORDS);
    for (int i = 0; i < TWIN_RECORDS; i++) {
        const struct twin_record *r = &w->rec[s][KIND_CONTACT][(at + i) % TWIN_RECORDS];
        if (r->used && r->v[F_EMAIL][0] && r->erased == TWIN_KEPT)
            return r->v[F_EMAIL];
    }
    return NULL;
}

void chaos_erase(struct life *l)
{
    struct world *w = l->world;
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct person_record *found = NULL;
    struct person_erase ask = {.dry_run = true};
    json_t *told = NULL;
    const struct person_ask who = {.who = somebody(w)};
    if (!who.who || person_find(l->db, &who, &a, &found, &ask.n, &e) != TL_OK)
        return;
    ask.of = found;
    if (admin_person_erase(l->engine, &ask, &told, &e) != TL_OK)
        return;
    mark(w, told, TWIN_MAYBE_ERASED); /* before the verb: a crash inside it may have done it */
    json_decref(told);
    ask.dry_run = false;
    ask.compact = world_chance(w, 20);
    if (admin_person_erase(l->engine, &ask, &told, &e) != TL_OK)
        return;
    mark(w, told, TWIN_ERASED);
    json_decref(told);
    world_trace(w, "chaos", "erase", 0);
    w->counts.chaos++;
}
