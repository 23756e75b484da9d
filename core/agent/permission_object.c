/* What can be granted, and words for it. */
#include "permission_object.h"

#include "view_util.h"

/* Kinds that say who somebody is at the help desk or at the vendor: nothing of a customer. */
static const char about_people[] = "user,profile,department";
static const str documents[] = {{"invoice", 7}, {"estimate", 8}};
/* What a system for customers shows beside one of them, until its kinds are described. */
static const char lists_of_crm[] = "deal,note,task,call,event";

/* Of a document, by what it grants beside "visible". Beyond them only "delete" can be granted, by its name. */
static const struct level {
    const char *name, *items;
} levels[] = {
    {"view", "visible,view"},
    {"view-send", "visible,view,send"},
    {"view-create-update", "visible,view,create,update"},
    {"all", "visible,view,send,create,update"},
};

/* ---- The ends ---------------------------------------------------------------------------------------------------- */

int permission_ends(struct db *r, struct arena *a, const char *connection, struct permission_ends *out, struct err *e)
{
    struct permission_ends found = {0};
    struct endpoint ep[2] = {{0}, {0}};
    int rc = view_find_connection(r, a, connection, &found.connection, e);
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        rc = endpoint_get(r, a, found.connection.endpoint[s], &ep[s], e);
    if (rc)
        return rc;
    int h = ep[SIDE_A].role == TL_ROLE_HELPDESK ? SIDE_A : SIDE_B;
    if (ep[h].role != TL_ROLE_HELPDESK) {
        err_set(e, E_PRECONDITION, "connection \"%s\" has no help desk: permissions are those of its profiles",
                connection);
        err_hint(e, "an endpoint's role is known once its connector was loaded: `tieline connector list`");
        return E_PRECONDITION;
    }
    found.helpdesk = ep[h];
    found.other = ep[1 - h];
    *out = found;
    return TL_OK;
}

/* ---- Objects ----------------------------------------------------------------------------------------------------- */

static uint64_t bit_of(const struct permission_object *o, str item)
{
    for (size_t i = 0; i < o->n; i++)
        if (str_eq(o->items[i], item))
            return UINT64_C(1) << i;
    return 0;
}

/* One for which there is no room cannot be granted. */
static void item_add(struct permission_object *o, str item, bool is_full)
{
    if (!bit_of(o, item) && o->n < PERMISSION_ITEMS_MAX)
        o->items[o->n++] = item;
    if (is_full)
        o->full |= bit_of(o, item);
}

static void rights_add(struct permission_object *o)
{
    for (unsigned i = 0; permission_right(i).n; i++)
        item_add(o, permission_right(i), o->sort == PERMISSION_DOCUMENT && !str_is(permission_right(i), "delete"));
}

static struct permission_object *object_add(struct permission_objects *all, str name, enum permission_sort sort)
{
    struct permission_object *o = &all->of[all->n++];
    *o = (struct permission_object){.name = name, .sort = sort};
    item_add(o, PERMISSION_VISIBLE, true);
    if (sort != PERMISSION_SWITCH)
        item_add(o, permission_seeing(name), true);
    return o;
}

static struct permission_object *object_get(struct permission_objects *all, str name)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(all->of[i].name, name))
            return &all->of[i];
    struct permission_object *o =
        object_add(all, name, permission_is_panel(name) ? PERMISSION_PANEL : PERMISSION_DOCUMENT);
    rights_add(o);
    return o;
}

const struct permission_object *permission_object_find(const struct permission_objects *all, str name)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(all->of[i].name, name))
            return &all->of[i];
    return NULL;
}

/* What the other end says of its kinds, as far as it matters here. */
struct kinds {
    struct kind_about {
        str kind, about;
    } * of;
    size_t n;
    bool any_about;  /* it says which lists there are */
    bool recordings; /* of its calls */
};

static bool has_kind(const struct kinds *k, str kind)
{
    for (size_t i = 0; i < k->n; i++)
        if (str_eq(k->of[i].kind, kind))
            return true;
    return false;
}

static bool is_list(str kind)
{
    return !permission_is_panel(kind) && !permission_is_document(kind) && !str_in_list(str_of(about_people), kind);
}

static void kind_take(struct kinds *k, const tl_kind *described)
{
    k->of[k->n++] = (struct kind_about){described->kind, described->about};
    k->any_about |= described->about.n > 0;
    for (uint32_t i = 0; i < described->n_fields && str_is(described->kind, "call"); i++)
        k->recordings |= str_is(TL_AT(tl_field, described->fields, described->field_stride, i)->path, "recording_url");
}

static int kinds_load(struct db *r, struct arena *a, int64_t endpoint, struct kinds *k, struct err *e)
{
    struct kind_row *rows = NULL;
    size_t n = 0;
    int rc = kind_list(r, a, endpoint, &rows, &n, e);
    if (rc)
        return rc;
    k->of = arena_array(a, struct kind_about, n + 1);
    for (size_t i = 0; i < n; i++) {
        AUTO(arena_done) struct arena arrays = {0};
        tl_kind described;
        if (view_describe(r, a, &arrays, endpoint, rows[i].kind, &described))
            kind_take(k, &described);
    }
    return TL_OK;
}

static void panel_add(struct permission_objects *all, str name, const struct kinds *k, int32_t role)
{
    if (k->n && !has_kind(k, name))
        return;
    struct permission_object *o = object_add(all, name, PERMISSION_PANEL);
    for (size_t i = 0; i < k->n; i++)
        if (is_list(k->of[i].kind) && str_in_list(k->of[i].about, name))
            item_add(o, k->of[i].kind, true);
    str rest = str_of(lists_of_crm), item;
    while (!k->any_about && role == TL_ROLE_CRM && str_split(&rest, ',', &item))
        item_add(o, item, true);
    if (k->recordings)
        item_add(o, STR("recording"), true);
    rights_add(o);
}

int permission_objects(struct db *r, struct arena *a, const struct permission_ends *ends, const struct grants *g,
                       str also, struct permission_objects *out, struct err *e)
{
    struct kinds k = {0};
    int rc = kinds_load(r, a, ends->other.endpoint, &k, e);
    if (rc)
        return rc;
    struct permission_objects all = {.of = arena_array(a, struct permission_object, 4 + ARRAY_LEN(documents) + g->n)};
    object_add(&all, PERMISSION_INTEGRATION, PERMISSION_SWITCH);
    panel_add(&all, STR("account"), &k, ends->other.role);
    panel_add(&all, STR("contact"), &k, ends->other.role);
    for (size_t i = 0; i < ARRAY_LEN(documents); i++)
        if (has_kind(&k, documents[i]) || (k.n == 0 && ends->other.role == TL_ROLE_FINANCE))
            (void)object_get(&all, documents[i]);
    for (size_t i = 0; i < g->n; i++)
        item_add(object_get(&all, g->rows[i].object), g->rows[i].item, false);
    if (has_kind(&k, also))
        (void)object_get(&all, also);
    *out = all;
    return TL_OK;
}

/* ---- Sets -------------------------------------------------------------------------------------------------------- */

uint64_t permission_set_of(const struct permission_object *o, const struct grants *g)
{
    uint64_t set = 0;
    for (size_t i = 0; i < g->n; i++)
        if (str_eq(g->rows[i].object, o->name))
            set |= bit_of(o, g->rows[i].item);
    return set;
}

static uint64_t set_of_list(const struct permission_object *o, const char *list)
{
    uint64_t set = 0;
    str rest = str_of(list), item;
    while (str_split(&rest, ',', &item))
        set |= bit_of(o, item);
    return set;
}

static bool level_of(const struct permission_object *o, str word, uint64_t *out)
{
    if (str_is(word, "none"))
        return *out = 0, true;
    if (o->sort == PERMISSION_PANEL && str_is(word, "full"))
        return *out = o->full, true;
    for (size_t i = 0; i < ARRAY_LEN(levels) && o->sort == PERMISSION_DOCUMENT; i++)
        if (str_is(word, levels[i].name))
            return *out = set_of_list(o, levels[i].items), true;
    return false;
}

static int unknown_item(const struct permission_object *o, str word, struct err *e)
{
    AUTO(buf_done) struct buf known = {.max = 300};
    for (size_t i = 0; i < o->n; i++)
        buf_fmt(&known, "%s%.*s", i ? ", " : "", STR_FMT(o->items[i]));
    const char *sets = o->sort == PERMISSION_DOCUMENT ? "none, view, view-send, view-create-update, all; or of "
                       : o->sort == PERMISSION_PANEL  ? "none, full; or of "
                                                      : "none; or ";
    err_set(e, E_USAGE, "\"%.*s\" has no item \"%.*s\"", STR_FMT(o->name), STR_FMT(word));
    err_hint(e, "it knows: %s%s", sets, buf_text(&known));
    return E_USAGE;
}

/* "ITEM=on" or "ITEM=off". */
static int switch_item(const struct permission_object *o, str word, uint64_t *set, struct err *e)
{
    str name = {0}, rest = word;
    (void)str_split(&rest, '=', &name);
    uint64_t bit = bit_of(o, str_trim(name));
    if (!bit)
        return unknown_item(o, str_trim(name), e);
    if (!str_is(str_trim(rest), "on") && !str_is(str_trim(rest), "off")) {
        err_set(e, E_USAGE, "\"%.*s\": an item is switched on or off", STR_FMT(word));
        err_hint(e, "%.*s=on or %.*s=off; a list without \"=\" names all that is granted", STR_FMT(name),
                 STR_FMT(name));
        return E_USAGE;
    }
    *set = str_is(str_trim(rest), "on") ? *set | bit : *set & ~bit;
    return TL_OK;
}

static int wish_items(const struct permission_object *o, str wish, bool switches, uint64_t *set, struct err *e)
{
    int rc = TL_OK;
    for (str rest = wish, word; rc == TL_OK && str_split(&rest, ',', &word);) {
        word = str_trim(word);
        uint64_t bit = bit_of(o, word);
        if (switches)
            rc = switch_item(o, word, set, e);
        else if (bit)
            *set |= bit;
        else
            rc = unknown_item(o, word, e);
    }
    return rc;
}

int permission_wish(const struct permission_object *o, str wish, uint64_t before, uint64_t *out, struct err *e)
{
    uint64_t set = 0;
    wish = str_trim(wish);
    bool switches = wish.n && memchr(wish.p, '=', wish.n);
    if (level_of(o, wish, out))
        return TL_OK;
    if (wish.n == 0)
        return unknown_item(o, wish, e);
    if (switches)
        set = before;
    else /* nothing can be granted of what is not visible, nor a right to what is not seen */
        set = bit_of(o, PERMISSION_VISIBLE) | (o->sort == PERMISSION_DOCUMENT ? bit_of(o, STR("view")) : 0);
    int rc = wish_items(o, wish, switches, &set, e);
    if (rc == TL_OK)
        *out = set;
    return rc;
}

const char *permission_access(const struct permission_object *o, uint64_t set)
{
    if (!(set & bit_of(o, PERMISSION_VISIBLE)))
        return "hidden";
    if (o->sort == PERMISSION_SWITCH)
        return "visible";
    for (size_t i = 0; i < ARRAY_LEN(levels) && o->sort == PERMISSION_DOCUMENT; i++)
        if (set == set_of_list(o, levels[i].items))
            return levels[i].name;
    return (set & o->full) == o->full ? "full access" : "restricted access";
}
