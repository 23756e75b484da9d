#ifndef KIT_ORACLE_H
#define KIT_ORACLE_H
/* The page reader against jansson. Both must accept and refuse the same texts, and read the same values, except:
 * - a string that stands for no UTF-8 text refuses the document in jansson and only marks the value here;
 * - jansson refuses reals out of a double's range, here every literal is kept;
 * - here a depth of 64 is the limit;
 * - jansson takes a NUL byte between values for the end of the text, here it is an error. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/json.h"

static bool oracle_same(const tlk_node *v, const json_t *t, tlk_arena *a);

static bool oracle_same_object(const tlk_node *v, const json_t *t, tlk_arena *a)
{
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)t, name, member)
    {
        const tlk_node *last = NULL, *key, *value;
        tlk_iter i = tlk_each(v);
        while (tlk_next_member(&i, &key, &value)) { /* jansson keeps the last of two, the reader finds the first */
            if (tlk_key_is(key, tlk_str(name)))
                last = value;
        }
        if (!last || !oracle_same(last, member, a))
            return false;
    }
    return v->count >= json_object_size(t);
}

static bool oracle_same(const tlk_node *v, const json_t *t, tlk_arena *a)
{
    switch (json_typeof(t)) {
    case JSON_OBJECT:
        return v->type == TLK_JOBJECT && oracle_same_object(v, t, a);
    case JSON_ARRAY: {
        if (v->type != TLK_JARRAY || v->count != json_array_size(t))
            return false;
        size_t n = 0;
        tlk_iter i = tlk_each(v);
        for (const tlk_node *item; tlk_next_item(&i, &item); n++) {
            if (!oracle_same(item, json_array_get(t, n), a))
                return false;
        }
        return true;
    }
    case JSON_STRING: {
        tl_str s = tlk_text(v, a);
        return v->type == TLK_JSTRING && s.n == json_string_length(t) && memcmp(s.p, json_string_value(t), s.n) == 0;
    }
    case JSON_INTEGER:
    case JSON_REAL: {
        tl_str s = tlk_text(v, a);
        return v->type == TLK_JNUMBER && strtod(tlk_dup(a, s).p, NULL) == json_number_value(t);
    }
    case JSON_TRUE:
        return v->type == TLK_JTRUE;
    case JSON_FALSE:
        return v->type == TLK_JFALSE;
    default:
        return v->type == TLK_JNULL;
    }
}

/* Null when both agree, else what is wrong. */
static const char *oracle_disagrees(tlk_json *j, const char *text, size_t n)
{
    json_error_t e = {0};
    json_t *t = json_loadb(text, n, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &e);
    const tlk_node *v = tlk_json_read(j, tlk_strn(text, n));
    const char *wrong = NULL;
    tlk_arena a = {0};
    bool too_deep = j->error && strstr(j->error, "64 levels");
    bool out_of_range = !t && json_error_code(&e) == json_error_numeric_overflow;
    bool has_nul = memchr(text, 0, n) != NULL;
    if (t && !v && !too_deep && !has_nul)
        wrong = "refused what jansson accepts";
    else if (t && v && j->unusable > 0)
        wrong = "marked a value that jansson reads";
    else if (t && v && !oracle_same(v, t, &a))
        wrong = "read another value than jansson";
    else if (!t && v && j->unusable == 0 && !out_of_range)
        wrong = "accepted what jansson refuses";
    tlk_arena_done(&a);
    json_decref(t);
    return wrong;
}
#endif
