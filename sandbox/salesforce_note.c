/* POST /notes of the control plane: an enhanced note is four saves, which nobody should have to spell out. */
#include <jansson.h>

#include "salesforce_int.h"

struct note {
    struct call *call;
    struct sf *sf;
    const char *title, *text, *about;
};

/* One row as the admin, from members that json_pack made (taken); record NULL: a new one. False after the answer. */
static bool save(struct note *n, const char *object, struct sf_record *record, json_t *members, char id[SF_ID_MAX + 1])
{
    struct sj_fault fault;
    struct sf_outcome out;
    char *text = json_dumps(members, JSON_COMPACT);
    struct sf_save s = {.sf = n->sf,
                        .a = &n->call->arena,
                        .object = sf_schema_object(&n->sf->schema, str_of(object)),
                        .record = record,
                        .user = n->sf->admin,
                        .internal = true,
                        .keep_owner = true,
                        .now_us = sandbox_now_us(n->call->world),
                        .path = n->call->path,
                        .method = n->call->method};
    ASSERT(text);
    s.body = sj_parse(s.a, arena_str(s.a, str_of(text)), &fault);
    free(text);
    json_decref(members);
    sf_save(&s, &out);
    memcpy(id, out.id, sizeof out.id);
    if (out.status)
        call_answer_fmt(n->call, out.status, "{\"error\":\"%s\",\"code\":\"%s\"}", object, out.problem.code);
    return out.status == 0;
}

/* The first 255 characters, as the vendor keeps them beside the note for lists. */
static str preview_of(const char *text)
{
    size_t n = 0;
    int characters = 0;
    for (; text[n]; n++) {
        bool begins_one = ((unsigned char)text[n] & 0xc0) != 0x80;
        if (begins_one && characters++ == 255)
            break;
    }
    return str_n(text, n);
}

void sf_note_add(struct call *c)
{
    json_t *body = call_json(c, NULL);
    struct note n = {.call = c,
                     .sf = c->self,
                     .title = json_string_value(json_object_get(body, "title")),
                     .text = json_string_value(json_object_get(body, "text")),
                     .about = json_string_value(json_object_get(body, "about"))};
    char document[SF_ID_MAX + 1], version[SF_ID_MAX + 1], link[SF_ID_MAX + 1];
    struct sf_record *about = sf_find(&n.sf->store, str_of(n.about));
    if (!n.title || !n.text || !about || !about->now) {
        call_answer_fmt(c, 400, "{\"error\":\"wants about (id of a record), title and text\",\"code\":\"INVALID\"}");
        return;
    }
    str preview = preview_of(n.text);
    if (save(&n, "ContentDocument", NULL, json_pack("{s:s,s:s}", "Title", n.title, "FileType", "SNOTE"), document) &&
        save(&n, "ContentVersion", NULL,
             json_pack("{s:s,s:s,s:s%,s:s,s:b}", "ContentDocumentId", document, "Title", n.title, "TextPreview",
                       preview.p, preview.n, "FileType", "SNOTE", "IsLatest", 1),
             version) &&
        save(&n, "ContentDocument", sf_find(&n.sf->store, str_of(document)),
             json_pack("{s:s}", "LatestPublishedVersionId", version), document) &&
        save(&n, "ContentDocumentLink", NULL,
             json_pack("{s:s,s:s,s:s,s:s}", "LinkedEntityId", n.about, "ContentDocumentId", document, "ShareType", "V",
                       "Visibility", "AllUsers"),
             link))
        call_answer_fmt(c, 201, "{\"id\":\"%s\"}", document);
}
