/* Writing SOQL. Everything that comes from outside is quoted or checked here. */
#include "salesforce.h"

#include <ctype.h>

/* Only backslash and quote need an escape; line ends would end the literal
 * [SOQL:sforce_api_calls_soql_select_quotedstringescapes]. Wildcards count only under LIKE, which is not used. */
void sf_soql_text(tlk_buf *b, tl_str s)
{
    tlk_addc(b, '\'');
    for (uint64_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\'' || c == '\\')
            tlk_addc(b, '\\');
        if (c == '\n')
            tlk_addz(b, "\\n");
        else if (c == '\r')
            tlk_addz(b, "\\r");
        else if (c == '\t')
            tlk_addz(b, "\\t");
        else if ((unsigned char)c < 0x20)
            tlk_addf(b, "\\u%04x", (unsigned)c);
        else
            tlk_addc(b, c);
    }
    tlk_addc(b, '\'');
}

void sf_soql_time(tlk_buf *b, int64_t us)
{
    char text[32];
    tlk_time_text(text, us);
    tlk_add(b, tlk_strn(text, 19));
    tlk_addc(b, 'Z');
}

bool sf_is_name(tl_str s)
{
    if (s.n == 0 || s.n > 120 || !isalpha((unsigned char)s.p[0]))
        return false;
    for (uint64_t i = 0; i < s.n; i++) {
        if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '_' && s.p[i] != '.')
            return false;
    }
    return true;
}

void sf_soql_envelope(tlk_buf *b, const struct sf_kind *k, tl_str stamp)
{
    tlk_addz(b, "Id,SystemModstamp,CreatedDate,LastModifiedById");
    if (!k->fixed)
        tlk_addz(b, ",IsDeleted");
    if (k->merges)
        tlk_addz(b, ",MasterRecordId");
    if (stamp.n) {
        tlk_addc(b, ',');
        tlk_add(b, stamp);
    }
}

static bool has_name(tl_str list, tl_str name)
{
    for (tl_str head; tlk_split(&list, ',', &head);) {
        if (head.n == name.n && strncasecmp(head.p, name.p, (size_t)name.n) == 0)
            return true;
    }
    return false;
}

/* A column named twice is refused: "duplicate field selected". */
void sf_soql_name(tlk_buf *names, tl_str name)
{
    if (!sf_is_name(name) || has_name(tlk_lent(names), name))
        return;
    tlk_addz(names, names->n ? "," : "");
    tlk_add(names, name);
}

void sf_soql_names(tlk_buf *names, const tl_shape *shape)
{
    for (uint32_t i = 0; i < shape->n_fields; i++)
        sf_soql_name(names, tlk_field(shape, i)->name);
}

void sf_soql_select(tlk_buf *b, const struct sf_kind *k, const tl_shape *shape, tl_str stamp)
{
    TLK_AUTO_BUF names = {0};
    sf_soql_envelope(&names, k, stamp);
    sf_soql_names(&names, shape);
    tlk_addf(b, "SELECT %.*s FROM %s", TLK_FMT(tlk_lent(&names)), k->object);
}

/* Position of a keyword outside of quotes and brackets, as a word of its own; -1: not there. */
static int64_t find_word(tl_str s, const char *word, uint64_t from)
{
    size_t n = strlen(word);
    int depth = 0;
    bool quoted = false;
    for (uint64_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '\'')
            quoted = !quoted;
        else if (!quoted && (c == '(' || c == ')'))
            depth += c == '(' ? 1 : -1;
        else if (!quoted && depth == 0 && i >= from && i + n <= s.n && (i == 0 || isspace((unsigned char)s.p[i - 1])) &&
                 strncasecmp(s.p + i, word, n) == 0 &&
                 (i + n == s.n || isspace((unsigned char)s.p[i + n]) || s.p[i + n] == '('))
            return (int64_t)i;
    }
    return -1;
}

bool sf_soql_view(tl_str query, tl_str *scope, tl_str *condition)
{
    *scope = *condition = TLK_NONE;
    int64_t from = find_word(query, "FROM", 0);
    if (from < 0)
        return false;
    int64_t where = find_word(query, "WHERE", (uint64_t)from), order = find_word(query, "ORDER", (uint64_t)from);
    int64_t limit = find_word(query, "LIMIT", (uint64_t)from), using = find_word(query, "USING", (uint64_t)from);
    int64_t end = order >= 0 ? order : limit >= 0 ? limit : (int64_t)query.n;
    if (using >= 0) {
        int64_t stop = where >= 0 ? where : end;
        tl_str words = tlk_trim(tlk_strn(query.p + using, (size_t)(stop - using)));
        uint64_t at = words.n;
        while (at > 0 && !isspace((unsigned char)words.p[at - 1]))
            at--;
        *scope = tlk_strn(words.p + at, (size_t)(words.n - at));
    }
    if (where >= 0 && where + 5 < end)
        *condition = tlk_trim(tlk_strn(query.p + where + 5, (size_t)(end - where - 5)));
    return true;
}

bool sf_is_id(tl_str s)
{
    for (uint64_t i = 0; i < s.n; i++) {
        if (!isalnum((unsigned char)s.p[i]))
            return false;
    }
    return s.n == 15 || s.n == SF_ID;
}

/* The suffix says which of the 15 characters are capital letters, five by five. */
void sf_id18(char out[SF_ID + 1], tl_str id)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    tlk_copy(out, SF_ID + 1, id);
    if (id.n != 15)
        return;
    for (int group = 0; group < 3; group++) {
        unsigned bits = 0;
        for (int i = 0; i < 5; i++)
            bits |= (unsigned)(id.p[group * 5 + i] >= 'A' && id.p[group * 5 + i] <= 'Z') << i;
        out[15 + group] = digits[bits];
    }
    out[SF_ID] = '\0';
}

/* One character (UTF-8), its case taken away in the scripts that customers' names are written in. */
static uint32_t next_folded(tl_str s, uint64_t *at)
{
    unsigned char c = (unsigned char)s.p[(*at)++];
    if (c < 0x80)
        return (uint32_t)tolower(c);
    if (c < 0xc0 || c >= 0xe0 || *at >= s.n)
        return c;
    uint32_t u = (uint32_t)(c & 0x1f) << 6 | ((unsigned char)s.p[(*at)++] & 0x3f);
    if ((u >= 0xc0 && u <= 0xde && u != 0xd7) || (u >= 0x391 && u <= 0x3a9) || (u >= 0x410 && u <= 0x42f))
        return u + 32;
    if (u >= 0x400 && u <= 0x40f)
        return u + 80;
    if ((u >= 0x100 && u <= 0x137) || (u >= 0x14a && u <= 0x177))
        return u | 1;
    if ((u >= 0x139 && u <= 0x148) || (u >= 0x179 && u <= 0x17e))
        return u + (u & 1);
    return u;
}

bool sf_same_text(tl_str a, tl_str b)
{
    a = tlk_trim(a);
    b = tlk_trim(b);
    uint64_t i = 0, k = 0;
    while (i < a.n && k < b.n) {
        if (next_folded(a, &i) != next_folded(b, &k))
            return false;
    }
    return i == a.n && k == b.n;
}
