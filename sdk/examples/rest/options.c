/* SPDX-License-Identifier: MIT-0
 * The options of an endpoint, and what they say about the API. Nothing here asks anybody. */
#include "rest.h"

/* One of each for every kind that can be described. */
/* clang-format off */
#define KIND_OPTIONS(kind)                                                                                             \
    {.name = kind, .help = "path of the list: /people; unset: the API has none"},                                      \
    {.name = kind "_fields", .help = "canonical path=the API's name and words: email=contact.mail email find, ..."},   \
    {.name = kind "_records", .help = "where a list holds its records: data; empty: the answer is the list"},          \
    {.name = kind "_record", .help = "where an answer about one holds it: data; empty: the answer is the record"},     \
    {.name = kind "_write", .help = "what may be done: create, update, delete; unset: only read"}

const tl_option rest_options[REST_OPTIONS] = {
    {.name = "url", .help = "address before every path: https://api.example.com/v2", .type = TL_OPT_URL,
     .flags = TL_OPT_REQUIRED},
    {.name = "auth", .help = "how it signs in", .type = TL_OPT_CHOICE, .choices = "none,bearer,basic,header",
     .def = "bearer"},
    {.name = "auth_header", .help = "header that carries the key, with auth = header",
     .def = "?auth:none=Authorization,bearer=Authorization,basic=Authorization,header=X-Api-Key"},
    {.name = "auth_scheme", .help = "word before the token", .def = "?auth:bearer=Bearer"},
    {.name = "token", .help = "token of auth = bearer, key of auth = header", .type = TL_OPT_SECRET},
    {.name = "user", .help = "user of auth = basic"},
    {.name = "password", .help = "password of auth = basic; may be empty", .type = TL_OPT_SECRET},
    {.name = "headers", .help = "sent with every request: Accept: application/json | X-Version: 3",
     .def = "Accept: application/json"},
    {.name = "org", .help = "name of the account, when several share one url"},
    {.name = "paging", .help = "how a list goes on", .type = TL_OPT_CHOICE,
     .choices = "none,page,offset,cursor,link", .def = "page"},
    {.name = "page_param", .help = "query parameter of the place",
     .def = "?paging:page=page,offset=offset,cursor=cursor"},
    {.name = "limit_param", .help = "query parameter of the page size", .def = "limit"},
    {.name = "page_size", .help = "records of a page", .type = TL_OPT_INT, .def = "100"},
    {.name = "first_page", .help = "number of the first page", .type = TL_OPT_INT, .def = "1"},
    {.name = "next", .help = "where an answer holds the next cursor, or the next page's address", .def = "next"},
    {.name = "more", .help = "where an answer says whether there is more; unset: until a page is empty"},
    {.name = "total", .help = "where an answer says how many there are in all"},
    {.name = "query", .help = "more query parameters of every list: sort=id&order=asc"},
    {.name = "since",
     .help = "query parameter: only what changed at or after this time; unset: every reading reads all"},
    {.name = "times", .help = "how times are written: text, or seconds or milliseconds since 1970",
     .type = TL_OPT_CHOICE, .choices = "iso,s,ms", .def = "iso"},
    {.name = "id", .help = "where a record holds its id", .def = "id"},
    {.name = "modified", .help = "where a record holds the time of its last change", .def = "updated_at"},
    {.name = "created", .help = "where a record holds the time it was made", .def = "created_at"},
    {.name = "deleted", .help = "where a deleted record says so: true, or a time"},
    {.name = "link", .help = "where a record holds its address for people"},
    {.name = "update_method", .help = "of a write of some fields", .type = TL_OPT_CHOICE,
     .choices = "PATCH,PUT,POST", .def = "PATCH"},
    {.name = "wrap", .help = "a record is written inside of what KIND_record names", .type = TL_OPT_BOOL, .def = "no"},
    {.name = "error_code", .help = "where a refusal holds its code; the first that is there counts",
     .def = "code,error.code,errors.0.code"},
    {.name = "error_text", .help = "where it holds its words",
     .def = "message,error.message,errors.0.message,errors.0.detail,error_description,detail,error"},
    {.name = "error_field", .help = "where it names the field", .def = "field,error.field,errors.0.field"},
    {.name = "errors", .help = "what its codes mean: DUP=duplicate, EMPTY=required, ..."},
    KIND_OPTIONS("account"), KIND_OPTIONS("contact"), KIND_OPTIONS("product"), KIND_OPTIONS("deal"),
    KIND_OPTIONS("lead"), KIND_OPTIONS("ticket"), KIND_OPTIONS("task"),
};

static const char *const kinds[REST_KINDS_MAX][2] = {
    {"account", "Accounts"}, {"contact", "Contacts"}, {"product", "Products"}, {"deal", "Deals"},
    {"lead", "Leads"}, {"ticket", "Tickets"}, {"task", "Tasks"}};

/* What may stand behind a field's name. */
static const struct word {
    const char *word;
    uint32_t type, flag;
} words[] = {
    {"text", TL_TEXT, 0}, {"multiline", TL_MULTILINE, 0}, {"email", TL_EMAIL, 0}, {"phone", TL_PHONE, 0},
    {"url", TL_URL, 0},
    {"int", TL_INT, 0}, {"bool", TL_BOOL, 0}, {"time", TL_TIME, 0}, {"date", TL_DATE, 0}, {"decimal", TL_DECIMAL, 0},
    {"choice", TL_CHOICE, 0}, {"json", TL_JSON, 0}, {"required", 0, TL_F_REQUIRED}, {"readonly", 0, TL_F_READONLY},
    {"create_only", 0, TL_F_CREATE_ONLY}, {"find", 0, TL_F_MATCH}, {"unique", 0, TL_F_UNIQUE}, {"stamp", 0, TL_F_STAMP},
};

/* Types of canonical paths that are no plain text; anything else is said by a word. */
static const struct { const char *path; uint32_t type; } usual[] = {
    {"email", TL_EMAIL}, {"secondary_email", TL_EMAIL}, {"phone", TL_PHONE}, {"mobile", TL_PHONE}, {"fax", TL_PHONE},
    {"website", TL_URL}, {"description", TL_MULTILINE}, {"birthday", TL_DATE}, {"close_date", TL_DATE},
    {"due", TL_TIME},
    {"closed", TL_TIME}, {"completed", TL_TIME}, {"amount", TL_DECIMAL}, {"unit_price", TL_DECIMAL},
    {"annual_revenue", TL_DECIMAL}, {"employees", TL_INT}, {"probability", TL_DECIMAL}, {"active", TL_BOOL},
};

/* What the words of "errors" stand for. */
static const struct { const char *word; tlk_error_row row; } meanings[] = {
    {"required", {NULL, 0, TL_E_INVALID, TL_R_REQUIRED_MISSING, TL_SCOPE_RECORD, 0, NULL}},
    {"type", {NULL, 0, TL_E_INVALID, TL_R_TYPE_MISMATCH, TL_SCOPE_RECORD, 0, NULL}},
    {"too_long", {NULL, 0, TL_E_INVALID, TL_R_TOO_LONG, TL_SCOPE_RECORD, 0, NULL}},
    {"choice", {NULL, 0, TL_E_INVALID, TL_R_CHOICE_UNKNOWN, TL_SCOPE_RECORD, 0, NULL}},
    {"read_only", {NULL, 0, TL_E_INVALID, TL_R_READ_ONLY, TL_SCOPE_RECORD, 0, NULL}},
    {"reference", {NULL, 0, TL_E_INVALID, TL_R_REFERENCE, TL_SCOPE_RECORD, 0, NULL}},
    {"duplicate", {NULL, 0, TL_E_INVALID, TL_R_ALREADY_MAPPED, TL_SCOPE_RECORD, 0, NULL}},
    {"rule", {NULL, 0, TL_E_INVALID, TL_R_VALIDATION_RULE, TL_SCOPE_RECORD, 0, NULL}},
    {"permission", {NULL, 0, TL_E_DENIED, TL_R_PERMISSION, TL_SCOPE_RECORD, 0, NULL}},
    {"gone", {NULL, 0, TL_E_NOT_FOUND, TL_R_OTHER, TL_SCOPE_RECORD, 0, NULL}},
    {"sign_in", {NULL, 0, TL_E_AUTH, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0, NULL}},
    {"throttled", {NULL, 0, TL_E_THROTTLED, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0, NULL}},
    {"quota", {NULL, 0, TL_E_QUOTA, TL_R_OTHER, TL_SCOPE_ENDPOINT, 60000, NULL}},
    {"later", {NULL, 0, TL_E_TEMPORARY, TL_R_OTHER, TL_SCOPE_ENDPOINT, 0, NULL}},
};
/* clang-format on */

/* What is read, and where complaints go. */
struct reader {
    const tl_open *o;
    tlk_arena *keep;
    tl_error *e;
};

static const char *text(const struct reader *r, const char *name)
{
    return tlk_dup(r->keep, tlk_option(r->o, name)).p;
}

static const char *of_kind(const struct reader *r, const char *kind, const char *what)
{
    return text(r, tlk_fmt(r->keep, "%s_%s", kind, what).p);
}

static tl_status wrong(const struct reader *r, const char *kind, const char *option, tl_str what, const char *why)
{
    return tlk_fail(r->e, TL_E_CONFIG, "%s%s: \"%.*s\" %s", kind, option, TLK_FMT(what), why);
}

/* ---- fields */

static bool take_word(const struct reader *r, tl_str word, tl_field *f)
{
    int64_t max;
    if (tlk_starts(word, "ref:") && word.n > 4) {
        f->type = TL_REF;
        f->refers_to = tlk_dup(r->keep, tlk_strn(word.p + 4, word.n - 4));
        return true;
    }
    if (tlk_starts(word, "max:") && tlk_to_i64(tlk_strn(word.p + 4, word.n - 4), &max) && max > 0 && max < 1 << 20) {
        f->max = (uint32_t)max;
        return true;
    }
    for (size_t i = 0; i < TLK_LEN(words); i++) {
        if (!tlk_is(word, words[i].word))
            continue;
        f->type = words[i].type ? words[i].type : f->type;
        f->flags |= words[i].flag;
        return true;
    }
    return false;
}

/* In how many objects lies what has this path? */
static uint32_t levels(tl_str path)
{
    uint32_t n = path.n > 0;
    for (uint64_t i = 0; i < path.n; i++)
        n += path.p[i] == '.';
    return n;
}

/* "email=contact.mail email find" */
static tl_status read_field(const struct reader *r, struct kind *k, tl_str entry)
{
    tl_str path, name, word;
    entry = tlk_trim(entry);
    if (!memchr(entry.n ? entry.p : "", '=', (size_t)entry.n))
        return wrong(r, k->name, "_fields", entry, "lacks \"=\": email=the API's name");
    tlk_split(&entry, '=', &path);
    entry = tlk_trim(entry);
    if (!tlk_split(&entry, ' ', &name))
        return wrong(r, k->name, "_fields", path, "has no name of the API's behind it");
    if (levels(name) + levels(tlk_str(k->record)) >= TLK_JSON_DEPTH)
        return wrong(r, k->name, "_fields", tlk_trim(path), "lies deeper than 64 levels, which no JSON of ours does");
    uint32_t type = TL_TEXT;
    for (size_t i = 0; i < TLK_LEN(usual); i++)
        type = tlk_is(tlk_trim(path), usual[i].path) ? usual[i].type : type;
    tl_field *f = tlk_field_add(&k->fields, tlk_dup(r->keep, tlk_trim(path)).p, name, name, type, 0);
    while (tlk_split(&entry, ' ', &word))
        if (word.n > 0 && !take_word(r, word, f))
            return wrong(r, k->name, "_fields", word, "is no word for a field");
    if (!(f->flags & TL_F_STAMP))
        return TL_OK;
    if (*k->stamp || memchr(name.p, '.', (size_t)name.n))
        return wrong(r, k->name, "_fields", name, "cannot be the stamp: one plain member of the record is");
    k->stamp = f->name.p;
    k->can |= f->flags & TL_F_UNIQUE ? TL_CAN_STAMP_UNIQUE : 0;
    k->can |= f->flags & TL_F_MATCH ? TL_CAN_STAMP_FIND : 0;
    f->flags &= ~(uint32_t)TL_F_MATCH; /* found as "stamp" */
    return TL_OK;
}

/* ---- kinds */

static tl_status read_writes(const struct reader *r, struct kind *k)
{
    tl_str list = tlk_str(of_kind(r, k->name, "write")), word;
    while (tlk_split(&list, ',', &word)) {
        word = tlk_trim(word);
        uint32_t can = tlk_is(word, "create")   ? TL_CAN_CREATE
                       : tlk_is(word, "update") ? TL_CAN_UPDATE
                       : tlk_is(word, "delete") ? TL_CAN_DELETE
                                                : 0;
        if (!can)
            return wrong(r, k->name, "_write", word, "is none of create, update, delete");
        k->can |= can;
    }
    return TL_OK;
}

static tl_status read_kind(const struct reader *r, struct api *api, const char *const names[2])
{
    const char *path = text(r, names[0]);
    if (!*path)
        return TL_OK;
    struct kind *k = &api->kinds[api->n_kinds++];
    *k = (struct kind){.name = names[0], .label = names[1], .path = tlk_str(path), .stamp = ""};
    k->records = of_kind(r, k->name, "records");
    k->record = of_kind(r, k->name, "record");
    k->fields.arena = r->keep;
    if (*path != '/')
        return wrong(r, k->name, "", k->path, "does not begin with \"/\"");
    tl_str list = tlk_str(of_kind(r, k->name, "fields")), entry;
    if (list.n == 0)
        return wrong(r, k->name, "_fields", list, "names no field");
    tl_status rc = read_writes(r, k);
    while (rc == TL_OK && tlk_split(&list, ',', &entry))
        rc = read_field(r, k, entry);
    k->can |= TL_CAN_PASS | (*api->since_param ? TL_CAN_PULL : 0);
    k->can |= *api->since_param && *api->deleted ? TL_CAN_DELETED : 0;
    for (uint32_t i = 0; i < k->fields.n; i++)
        k->can |= k->fields.list[i].flags & TL_F_MATCH ? TL_CAN_FIND : 0;
    return rc;
}

/* ---- errors */

static tl_status read_errors(const struct reader *r, struct api *api)
{
    tl_str list = tlk_option(r->o, "errors"), entry, code;
    tlk_error_row *rows = tlk_new(r->keep, tlk_error_row, list.n / 2 + 2);
    api->errors = (tlk_errors){.system = tlk_dup(r->keep, r->o->endpoint).p,
                               .code_paths = text(r, "error_code"),
                               .text_paths = text(r, "error_text"),
                               .field_paths = text(r, "error_field"),
                               .rows = rows};
    while (tlk_split(&list, ',', &entry)) {
        size_t i = 0;
        tlk_split(&entry, '=', &code);
        while (i < TLK_LEN(meanings) && !tlk_is(tlk_trim(entry), meanings[i].word))
            i++;
        if (i == TLK_LEN(meanings))
            return wrong(r, "errors", "", tlk_trim(code),
                         "has no meaning behind it: required, duplicate, too_long, ...");
        rows[api->errors.n_rows] = meanings[i].row;
        rows[api->errors.n_rows++].code = tlk_dup(r->keep, tlk_trim(code)).p;
    }
    return TL_OK;
}

/* ---- all */

/* The position of the option's value in a list of words. */
static int choice(const struct reader *r, const char *option, const char *list)
{
    tl_str rest = tlk_str(list), word;
    for (int i = 0; tlk_split(&rest, ',', &word); i++)
        if (tlk_eq(tlk_option(r->o, option), word))
            return i;
    return 0;
}

static tl_status read_lists(const struct reader *r, struct api *api)
{
    int64_t size = 100;
    api->paging = (enum paging)choice(r, "paging", "none,page,offset,cursor,link");
    api->times = (enum times)choice(r, "times", "iso,s,ms");
    api->page_param = text(r, "page_param");
    api->limit_param = text(r, "limit_param");
    api->since_param = text(r, "since");
    api->next = text(r, "next");
    api->more = text(r, "more");
    api->total = text(r, "total");
    api->query = tlk_dup(r->keep, tlk_option(r->o, "query"));
    tlk_to_i64(tlk_option(r->o, "first_page"), &api->first_page);
    tlk_to_i64(tlk_option(r->o, "page_size"), &size);
    api->page_size = (uint32_t)size;
    if (size < 1 || size > 1000)
        return wrong(r, "page_size", "", tlk_option(r->o, "page_size"), "is not between 1 and 1000");
    if ((api->paging == PAGING_PAGE || api->paging == PAGING_OFFSET) && !*api->page_param)
        return wrong(r, "page_param", "", TLK_NONE, "has no value, and pages need one");
    return TL_OK;
}

tl_status rest_read_options(struct api *api, const tl_open *o, tlk_arena *keep, tl_error *e)
{
    const struct reader r = {o, keep, e};
    *api = (struct api){.base = tlk_dup(keep, tlk_base_url(tlk_option(o, "url"))), .first_page = 1};
    api->anonymous = tlk_is(tlk_option(o, "auth"), "none");
    api->org = tlk_dup(keep, tlk_option(o, "org").n > 0 ? tlk_option(o, "org") : api->base);
    api->headers = tlk_dup(keep, tlk_option(o, "headers"));
    api->update_method = tlk_dup(keep, tlk_option_or(o, "update_method", "PATCH")).p;
    api->wrap = tlk_option_bool(o, "wrap");
    api->deleted = text(&r, "deleted");
    const char *link = text(&r, "link");
    api->envelope = (tlk_envelope){.id = tlk_dup(keep, tlk_option_or(o, "id", "id")).p,
                                   .modified = text(&r, "modified"),
                                   .created = text(&r, "created"),
                                   .url = *link ? link : NULL};
    if (api->base.n == 0)
        return wrong(&r, "url", "", TLK_NONE, "has no value");
    tl_status rc = read_lists(&r, api);
    if (rc == TL_OK)
        rc = read_errors(&r, api);
    for (size_t i = 0; i < TLK_LEN(kinds) && rc == TL_OK; i++)
        rc = read_kind(&r, api, kinds[i]);
    if (rc == TL_OK && api->n_kinds == 0)
        rc = tlk_fail(e, TL_E_CONFIG,
                      "no kind is described: \"contact = /people\" and \"contact_fields = ...\" are the least");
    return rc;
}

const struct kind *rest_kind(const struct api *api, tl_str name)
{
    return tlk_row_by(api->kinds, api->n_kinds, name, name);
}
