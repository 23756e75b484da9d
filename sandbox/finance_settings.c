/* Items, taxes and currencies: what lines and customers refer to.
 * Vendor: https://www.zoho.com/books/api/v3/items/, .../taxes/, .../currency/. */
#include "finance_int.h"

static const struct fin_field item_fields[] = {
    {"name", FIN_TEXT, 100, FIN_LISTED | FIN_SENT | FIN_NEEDED, NULL},
    {"item_name", FIN_TEXT, 0, FIN_LISTED, NULL},
    {"rate", FIN_NUMBER, 0, FIN_LISTED | FIN_SENT | FIN_NEEDED, NULL},
    {"description", FIN_TEXT, 2000, FIN_LISTED | FIN_SENT, NULL},
    {"unit", FIN_TEXT, 100, FIN_LISTED | FIN_SENT, NULL},
    {"sku", FIN_TEXT, 100, FIN_LISTED | FIN_SENT, NULL},
    {"product_type", FIN_ENUM, 0, FIN_LISTED | FIN_SENT, "goods,service,digital_service"},
    {"status", FIN_ENUM, 0, FIN_LISTED, "active,inactive"},
    {"is_taxable", FIN_BOOL, 0, FIN_LISTED | FIN_SENT, NULL},
    {"tax_id", FIN_ID, 0, FIN_LISTED | FIN_SENT, NULL},
    {"tax_name", FIN_TEXT, 0, FIN_LISTED, NULL},
    {"tax_percentage", FIN_NUMBER, 0, FIN_LISTED, NULL},
};
static const struct fin_field tax_fields[] = {
    {"tax_name", FIN_TEXT, 100, FIN_LISTED | FIN_SENT | FIN_NEEDED, NULL},
    {"tax_percentage", FIN_NUMBER, 0, FIN_LISTED | FIN_SENT | FIN_NEEDED, NULL},
    {"tax_type", FIN_ENUM, 0, FIN_LISTED, "tax,compound_tax"},
    {"is_default_tax", FIN_BOOL, 0, FIN_LISTED, NULL},
    {"is_editable", FIN_BOOL, 0, FIN_LISTED, NULL},
};
static const struct fin_field currency_fields[] = {
    {"currency_code", FIN_TEXT, 3, FIN_LISTED | FIN_SENT | FIN_NEEDED, NULL},
    {"currency_name", FIN_TEXT, 100, FIN_LISTED, NULL},
    {"currency_symbol", FIN_TEXT, 0, FIN_LISTED | FIN_SENT, NULL},
    {"price_precision", FIN_INT, 0, FIN_LISTED | FIN_SENT, NULL},
    {"currency_format", FIN_TEXT, 0, FIN_LISTED | FIN_SENT, NULL},
    {"is_base_currency", FIN_BOOL, 0, FIN_LISTED, NULL},
    {"exchange_rate", FIN_NUMBER, 0, FIN_LISTED, NULL},
};

static bool item_read_nested(struct call *c, struct fin *draft, const struct sj *body)
{
    str id = fin_get(draft, "tax_id");
    const struct fin *tax = id.n ? fin_find_text(draft->org, FIN_TAXES, id) : NULL;
    if (id.n && !tax)
        return fin_invalid(c, "tax_id");
    fin_set(draft, "tax_name", tax ? fin_get(tax, "tax_name") : (str){0});
    fin_set(draft, "tax_percentage", tax ? fin_get(tax, "tax_percentage") : (str){0});
    fin_set(draft, "item_name", fin_get(draft, "name"));
    return fin_custom_read(c, draft, sj_get(body, "custom_fields"));
}

static void item_put_nested(struct buf *b, const struct fin *r, bool listed)
{
    fin_custom_put(b, r, listed);
}

static int item_status_fits(const struct fin *r, str status)
{
    if (!str_is(status, "Active") && !str_is(status, "Inactive"))
        return -1;
    return !r || str_eq_nocase(status, fin_get(r, "status"));
}

const struct fin_kind fin_item = {.name = "items",
                                  .one = "item",
                                  .id_name = "item_id",
                                  .title = "Item",
                                  .fields = item_fields,
                                  .n = ARRAY_LEN(item_fields),
                                  .nested = "custom_fields",
                                  .sorts = "name,rate,tax_name",
                                  .filters = "name,description,rate,tax_id,is_taxable",
                                  .search = "name,description",
                                  .read_nested = item_read_nested,
                                  .put_nested = item_put_nested,
                                  .status_fits = item_status_fits};
const struct fin_kind fin_tax = {.name = "taxes",
                                 .one = "tax",
                                 .id_name = "tax_id",
                                 .title = "Tax",
                                 .fields = tax_fields,
                                 .n = ARRAY_LEN(tax_fields),
                                 .sorts = "tax_name",
                                 .filters = ""};
const struct fin_kind fin_currency = {.name = "currencies",
                                      .one = "currency",
                                      .id_name = "currency_id",
                                      .title = "Currency",
                                      .fields = currency_fields,
                                      .n = ARRAY_LEN(currency_fields),
                                      .sorts = "currency_code",
                                      .filters = ""};

void fin_h_items(struct call *c)
{
    fin_list_answer(c, FIN_ITEMS);
}

void fin_h_taxes(struct call *c)
{
    fin_list_answer(c, FIN_TAXES);
}

void fin_h_currencies(struct call *c)
{
    fin_list_answer(c, FIN_CURRENCIES);
}

void fin_h_item_get(struct call *c)
{
    const struct fin *r = fin_wanted(c, FIN_ITEMS);
    if (r)
        fin_answer(c, 200, "success", r);
}

struct fin *item_write(struct call *c, struct fin *existing, const struct sj *body)
{
    struct finance *f = c->self;
    AUTO(fin_free) struct fin *draft = existing ? fin_copy(existing) : fin_new(f->org, &fin_item);
    if (!existing) {
        fin_set(draft, "status", STR("active"));
        fin_set(draft, "is_taxable", STR("true"));
    }
    if (!fin_read(c, draft, body, !existing) || !fin_custom_unique(c, draft, existing))
        return NULL;
    return fin_keep(c, existing, take(draft));
}

static void write_answer(struct call *c, struct fin *existing, const struct sj *body)
{
    const struct fin *r = body ? item_write(c, existing, body) : NULL;
    if (r)
        fin_answer(c, existing ? 200 : 201, existing ? "Item details have been saved." : "The item has been added.", r);
}

void fin_h_item_create(struct call *c)
{
    write_answer(c, NULL, fin_body(c));
}

void fin_h_item_update(struct call *c)
{
    struct fin *r = fin_wanted(c, FIN_ITEMS);
    if (r)
        write_answer(c, r, fin_body(c));
}

void fin_h_item_upsert(struct call *c)
{
    const struct sj *body;
    struct fin *r;
    if (fin_custom_upsert(c, FIN_ITEMS, &r, &body))
        write_answer(c, r, body);
}
