/* Values by the table of their kind: read from a body with the vendor's refusals, and written into answers.
 * Vendor: https://www.zoho.com/books/api/v3/introduction/ and the pages of contacts, invoices, estimates and items. */
#include <stdio.h>

#include "finance_int.h"
#include "times.h"
#include "unicode.h"

/* ---- refusals ----------------------------------------------------------- */

enum { CODE_VALUE = 2, CODE_AMOUNT = 4, CODE_MISSING = 5, CODE_LENGTH = 15 };

/* "payment_terms" is "Payment Terms" in refusals; some name the member itself. */
static char *label_of(struct call *c, str name)
{
    char *label = arena_fmt(&c->arena, "%.*s", STR_FMT(name));
    if (!twin_switch(((struct finance *)c->self)->twin, "error_labels"))
        return label;
    bool first = true;
    for (char *z = label; *z; z++) {
        if (*z == '_')
            *z = ' ';
        else if (first && *z >= 'a' && *z <= 'z')
            *z = (char)(*z - 'a' + 'A');
        first = *z == ' ';
    }
    return label;
}

static bool invalid(struct call *c, int code, str name)
{
    fin_error(c, 400, code, "Invalid value passed for %s", label_of(c, name));
    return false;
}

bool fin_invalid(struct call *c, const char *field)
{
    return invalid(c, CODE_VALUE, str_of(field));
}

/* The vendor's words for it are not known: all readings a client has to understand. */
bool fin_missing(struct call *c, const char *field)
{
    static const char *const words[] = {"Please enter the %s.", "%s is required", "%s cannot be empty",
                                        "Mandatory field %s is missing"};
    int64_t which = twin_switch(((struct finance *)c->self)->twin, "missing_words");
    const char *label = label_of(c, str_of(field));
    AUTO(buf_done) struct buf b = {0};
    const char *form = words[which >= 0 && which < (int64_t)ARRAY_LEN(words) ? which : 0], *at = strstr(form, "%s");
    buf_fmt(&b, "%.*s%s%s", (int)(at - form), form, label, at + 2);
    fin_error(c, 400, CODE_MISSING, "%s", buf_text(&b));
    return false;
}

/* ---- reading ------------------------------------------------------------ */

static bool is_digits(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return s.n > 0;
}

static bool email_fits(str s)
{
    const char *at = memchr(s.p, '@', s.n);
    str host = at ? str_n(at + 1, s.n - (size_t)(at + 1 - s.p)) : (str){0};
    return at && at > s.p && host.n > 2 && memchr(host.p, '.', host.n) && !memchr(s.p, ' ', s.n) &&
           !memchr(host.p, '@', host.n);
}

static bool discount_fits(str s)
{
    money m;
    bool percent = str_ends(s, STR("%"));
    return money_parse(percent ? str_n(s.p, s.n - 1) : s, &m) && m >= 0 && (!percent || m <= 100 * MONEY_ONE);
}

static bool text_fits(const struct fin_field *f, str s)
{
    money m;
    int64_t n;
    switch (f->type) {
    case FIN_ID:
        return is_digits(s) && s.n <= 19;
    case FIN_INT:
        return str_to_i64(s, &n);
    case FIN_MONEY:
    case FIN_NUMBER:
        return money_parse(s, &m);
    case FIN_DISCOUNT:
        return discount_fits(s);
    case FIN_BOOL:
        return str_is(s, "true") || str_is(s, "false");
    case FIN_DATE:
        return date_parse(s, &n);
    case FIN_ENUM:
        return str_in_list(str_of(f->options), s);
    case FIN_EMAIL:
        return email_fits(s);
    case FIN_TIME:
        return time_parse(s, &n);
    case FIN_TEXT:
        break;
    }
    return true;
}

static bool is_numeric(enum fin_type t)
{
    return t == FIN_INT || t == FIN_MONEY || t == FIN_NUMBER || t == FIN_DISCOUNT || t == FIN_ID;
}

bool fin_value_read(struct call *c, const struct fin_field *f, const struct sj *v, str *out)
{
    str name = str_of(f->name), s = str_trim(v->text);
    if (f->type == FIN_BOOL && (v->kind == SJ_TRUE || v->kind == SJ_FALSE))
        s = v->kind == SJ_TRUE ? STR("true") : STR("false");
    else if (v->kind == SJ_NUMBER ? !is_numeric(f->type) : v->kind != SJ_STRING)
        return invalid(c, CODE_VALUE, name);
    if (s.n && !text_fits(f, s)) /* "" and " " mean none */
        return invalid(c, f->type == FIN_MONEY ? CODE_AMOUNT : CODE_VALUE, name);
    if (f->max && utf8_length(s) > (size_t)f->max) {
        fin_error(c, 400, CODE_LENGTH, "Please ensure that the %s has less than %d characters.", f->name, f->max);
        return false;
    }
    *out = s;
    return true;
}

/* A member no page of the vendor names: told, or passed over without a word. */
static bool member_unknown(struct call *c, str name)
{
    return !twin_switch(((struct finance *)c->self)->twin, "unknown_members") || invalid(c, CODE_VALUE, name);
}

static bool member_read(struct call *c, struct fin *draft, const struct sj *m)
{
    const struct fin_kind *k = draft->kind;
    if ((k->nested && str_in_list(str_of(k->nested), m->key)) || (k->id_name && str_is(m->key, k->id_name)))
        return true;
    const struct fin_field *f = fin_field(k, m->key);
    str value;
    if (!f || !(f->flags & FIN_SENT))
        return member_unknown(c, m->key);
    if (!fin_value_read(c, f, m, &value))
        return false;
    fin_set(draft, f->name, value);
    return true;
}

bool fin_read(struct call *c, struct fin *draft, const struct sj *body, bool create)
{
    const struct fin_kind *k = draft->kind;
    if (body->kind != SJ_OBJECT)
        return invalid(c, CODE_VALUE, str_of(k->one));
    for (const struct sj *m = body->first; m; m = m->next) {
        if (!member_read(c, draft, m))
            return false;
    }
    for (int i = 0; i < k->n; i++) {
        bool needed = (k->fields[i].flags & FIN_NEEDED) && (create || sj_get(body, k->fields[i].name));
        if (needed && !draft->v[i])
            return fin_missing(c, k->fields[i].name);
    }
    return !k->read_nested || k->read_nested(c, draft, body);
}

/* ---- writing ------------------------------------------------------------ */

/* digits -1: as many as it has. */
static void number_put(struct buf *b, const struct fin_org *o, const char *name, money m, int digits)
{
    bool quoted = twin_switch(o->finance->twin, "money_text") != 0;
    json_put_comma(b);
    json_put_key(b, name);
    if (quoted)
        buf_char(b, '"');
    if (digits < 0)
        money_put_short(b, m);
    else
        money_put(b, m, digits);
    if (quoted)
        buf_char(b, '"');
}

void fin_put_amount(struct buf *b, const struct fin_org *o, const char *name, money m)
{
    number_put(b, o, name, m, fin_precision(o));
}

static void money_member(struct buf *b, const struct fin *r, const struct fin_field *f, str value)
{
    money m = 0;
    money_parse(value, &m);
    number_put(b, r->org, f->name, m, f->type == FIN_MONEY ? fin_precision(r->org) : -1);
}

static void value_put(struct buf *b, const struct fin *r, const struct fin_field *f, str value)
{
    switch (f->type) {
    case FIN_MONEY:
    case FIN_NUMBER:
        money_member(b, r, f, value);
        break;
    case FIN_DISCOUNT: /* "10%" is text, an amount is a number */
        if (str_ends(value, STR("%")))
            json_put_member(b, f->name, value);
        else
            money_member(b, r, f, value);
        break;
    case FIN_INT:
        json_put_raw(b, f->name, value.n ? value : STR("0"));
        break;
    case FIN_BOOL:
        json_put_bool(b, f->name, str_is(value, "true"));
        break;
    default:
        json_put_member(b, f->name, value);
    }
}

static void time_member(struct buf *b, const struct fin *r, const char *name, int64_t us)
{
    AUTO(buf_done) struct buf text = {0};
    fin_time_put(&text, r->org, us);
    json_put_member(b, name, buf_lent(&text));
}

void fin_put_all(struct buf *b, const char *key, struct fin *const *rows, size_t n, bool listed)
{
    json_put_raw(b, key, STR("["));
    for (size_t i = 0; i < n; i++) {
        json_put_comma(b);
        fin_put(b, rows[i], listed);
    }
    buf_char(b, ']');
}

void fin_put(struct buf *b, const struct fin *r, bool listed)
{
    const struct fin_kind *k = r->kind;
    buf_char(b, '{');
    if (k->id_name) {
        char id[24];
        snprintf(id, sizeof id, "%lld", (long long)r->id);
        json_put_member(b, k->id_name, str_of(id));
    }
    for (int i = 0; i < k->n; i++) {
        const struct fin_field *f = &k->fields[i];
        if (!(f->flags & FIN_HIDDEN) && (!listed || (f->flags & FIN_LISTED)))
            value_put(b, r, f, str_of(r->v[i] ? r->v[i] : ""));
    }
    if (fin_number(k) >= 0 && fin_number(k) <= FIN_ITEMS) {
        time_member(b, r, "created_time", r->created_us);
        time_member(b, r, "last_modified_time", r->modified_us);
    }
    if (k->put_nested)
        k->put_nested(b, r, listed);
    buf_char(b, '}');
}
