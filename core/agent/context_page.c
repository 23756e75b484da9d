/* The context as a page: see context_page.h. */
#include "context_page.h"

#include <string.h>

#include "lang.h"
#include "str.h"

const char context_style[] =
    "body{font:14px/1.4 system-ui,sans-serif;margin:1rem;color:#1b1f24;background:#fff}"
    "h1{font-size:1.25rem;margin:0}h2{font-size:1.1rem;margin:1.2rem 0 .3rem}"
    "h3{font-size:1rem;margin:.8rem 0 .2rem}p{margin:.2rem 0}.note{color:#57606a}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .8rem;margin:.2rem 0}"
    "dt{color:#57606a}dd{margin:0;overflow-wrap:anywhere}ul{margin:.2rem 0;padding-left:1.2rem}"
    "summary{font-weight:600;cursor:pointer}a{color:#0550ae}"
    "a:focus-visible,summary:focus-visible{outline:2px solid #0550ae;outline-offset:2px}"
    "@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}"
    "dt,.note{color:#9198a1}a{color:#79b8ff}}";

static const char *member(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text ? text : "";
}

static void escaped(struct buf *out, const char *text)
{
    for (const char *p = text; *p; p++)
        switch (*p) {
        case '&':
            buf_text_add(out, "&amp;");
            break;
        case '<':
            buf_text_add(out, "&lt;");
            break;
        case '>':
            buf_text_add(out, "&gt;");
            break;
        case '"':
            buf_text_add(out, "&quot;");
            break;
        case '\'':
            buf_text_add(out, "&#39;");
            break;
        default:
            buf_char(out, *p);
        }
}

static void element(struct buf *out, const char *name, const char *text)
{
    buf_fmt(out, "<%s>", name);
    escaped(out, text);
    buf_fmt(out, "</%s>", name);
}

static void note(struct buf *out, const char *text)
{
    buf_text_add(out, "<p class=\"note\">");
    escaped(out, text);
    buf_text_add(out, "</p>\n");
}

/* What one is called; what a vendor's people wrote is not taken for an address of another sort. */
static void link_to(struct buf *out, const char *url, const char *text)
{
    bool leads = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
    if (leads) {
        buf_text_add(out, "<a rel=\"noopener noreferrer\" target=\"_blank\" href=\"");
        escaped(out, url);
        buf_text_add(out, "\">");
    }
    escaped(out, text);
    if (leads)
        buf_text_add(out, "</a>");
}

static const char *name_of(const json_t *record)
{
    return *member(record, "name") ? member(record, "name") : member(record, "id");
}

static void fields(struct buf *out, const json_t *record)
{
    size_t i;
    json_t *field;
    if (json_array_size(json_object_get(record, "fields")) == 0)
        return;
    buf_text_add(out, "<dl>");
    json_array_foreach(json_object_get(record, "fields"), i, field)
    {
        const char *value = json_string_value(json_object_get(field, "value"));
        if (!value || !*value)
            continue; /* rows stand in the record itself, at its vendor */
        element(out, "dt", member(field, "label"));
        element(out, "dd", value);
    }
    buf_text_add(out, "</dl>\n");
}

/* What a block is called; a kind of a connector nobody here knows by the connector's own word. */
static const char *title_of(const char *item, enum lang lang)
{
    static const struct {
        const char *item, *title;
    } known[] = {{"information", "Information"},
                 {"deal", "Deals"},
                 {"note", "Notes"},
                 {"task", "Tasks"},
                 {"call", "Calls"},
                 {"event", "Events"},
                 {"invoice", "Invoices"},
                 {"estimate", "Estimates"},
                 {"ticket", "Tickets"}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].item, item) == 0)
            return lang_text(known[i].title, lang);
    return item;
}

static void block(struct buf *out, const json_t *b, enum lang lang)
{
    const json_t *records = json_object_get(b, "records");
    const char *item = member(b, "item"), *state = member(b, "state");
    bool is_self = strcmp(item, "information") == 0;
    size_t i, n = json_array_size(records);
    json_t *record;
    buf_text_add(out, "<details open><summary>");
    escaped(out, title_of(item, lang));
    if (!is_self && strcmp(state, "shown") == 0)
        buf_fmt(out, " (%zu)", n);
    buf_text_add(out, "</summary>\n");
    if (strcmp(state, "late") == 0)
        note(out, lang_text("no answer yet: load the page again in a moment", lang));
    else if (strcmp(state, "shown") != 0)
        note(out, member(b, "text"));
    if (!is_self && n)
        buf_text_add(out, "<ul>");
    json_array_foreach(records, i, record)
    {
        if (!is_self) {
            buf_text_add(out, "<li>");
            link_to(out, member(record, "url"), name_of(record));
        }
        fields(out, record);
        if (!is_self)
            buf_text_add(out, "</li>\n");
    }
    if (!is_self && n)
        buf_text_add(out, "</ul>");
    buf_text_add(out, "</details>\n");
}

static void record(struct buf *out, const json_t *r, const char *system, enum lang lang)
{
    size_t i;
    json_t *b;
    const char *state = member(r, "state");
    buf_text_add(out, "<h3>");
    escaped(out, *name_of(r) ? name_of(r) : member(r, "kind"));
    buf_text_add(out, "</h3>\n");
    if (strcmp(state, "not_found") == 0)
        note(out, lang_text("nobody is known here", lang));
    else if (strcmp(state, "ambiguous") == 0)
        note(out, lang_text("several records match: nothing is shown", lang));
    else if (strcmp(state, "late") == 0)
        note(out, lang_text("no answer yet: load the page again in a moment", lang));
    else if (strcmp(state, "failed") == 0)
        note(out, member(r, "text"));
    if (*member(r, "url")) {
        AUTO(buf_done) struct buf words = {0};
        buf_fmt(&words, "%s: %s", lang_text("view in", lang), system);
        buf_text_add(out, "<p>");
        link_to(out, member(r, "url"), buf_text(&words));
        buf_text_add(out, "</p>\n");
    }
    json_array_foreach(json_object_get(r, "blocks"), i, b) block(out, b, lang);
}

static void one_system(struct buf *out, const json_t *s, enum lang lang)
{
    size_t i;
    json_t *r;
    buf_text_add(out, "<section>");
    element(out, "h2", member(s, "endpoint"));
    if (*member(s, "text"))
        note(out, lang_text(member(s, "text"), lang));
    json_array_foreach(json_object_get(s, "records"), i, r) record(out, r, member(s, "endpoint"), lang);
    buf_text_add(out, "</section>\n");
}

void context_page(const json_t *context, const char *language, const char *style_path, struct buf *out)
{
    enum lang lang = lang_of(language);
    const json_t *requester = json_object_get(context, "requester"), *account = json_object_get(context, "account");
    const char *title = *member(requester, "name") ? member(requester, "name")
                        : *member(account, "name") ? member(account, "name")
                                                   : member(context, "id");
    size_t i;
    json_t *s;
    buf_fmt(out,
            "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
            "content=\"width=device-width\">\n<title>",
            lang_name(lang));
    escaped(out, title);
    buf_fmt(out, "</title>\n<link rel=\"stylesheet\" href=\"%s\"></head>\n<body><main>", style_path);
    element(out, "h1", title);
    if (*member(requester, "email"))
        element(out, "p", member(requester, "email"));
    if (json_array_size(json_object_get(context, "systems")) == 0)
        note(out, lang_text("nothing is shown here for your profile", lang));
    json_array_foreach(json_object_get(context, "systems"), i, s) one_system(out, s, lang);
    buf_text_add(out, "</main></body></html>\n");
}
