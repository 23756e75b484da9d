#include "words.h"

#include "cleanup.h"

/* By bits, from the lowest; what a later header adds shows as its number. */
static json_t *bit_words(uint32_t bits, const char *const *names, uint32_t n)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < 32; i++) {
        if (bits & (UINT32_C(1) << i))
            json_array_append_new(list, i < n ? json_string(names[i]) : json_integer((json_int_t)UINT32_C(1) << i));
    }
    return list;
}

json_t *rights_words(uint32_t can)
{
    static const char *const names[] = {
        "PULL", "PASS",         "CREATE",     "UPDATE", "DELETE", "RESTORE", "CONDITIONAL",  "RETURN_POST",
        "FIND", "STAMP_UNIQUE", "STAMP_FIND", "QUIET",  "VIEW",   "DELETED", "FIND_CREATED", "TRASH"};
    return bit_words(can, names, ARRAY_LEN(names));
}

json_t *field_flag_words(uint32_t flags)
{
    static const char *const names[] = {"READONLY", "REQUIRED", "CUSTOM",      "MATCH",
                                        "UNIQUE",   "CLOSED",   "CREATE_ONLY", "STAMP"};
    return bit_words(flags, names, ARRAY_LEN(names));
}

json_t *action_flag_words(uint32_t flags)
{
    static const char *const names[] = {"CREATES", "READS", "LOOKS"};
    return bit_words(flags, names, ARRAY_LEN(names));
}

json_t *action_right_words(uint32_t rights)
{
    static const char *const names[] = {"VIEW", "CREATE", "UPDATE", "SEND", "DELETE"};
    return bit_words(rights, names, ARRAY_LEN(names));
}

json_t *field_type_word(uint32_t type)
{
    static const char *const names[] = {"NULL", "BOOL",      "INT",   "TIME",  "DATE", "DECIMAL",
                                        "TEXT", "MULTILINE", "EMAIL", "PHONE", "URL",  "CHOICE",
                                        "REF",  "LIST",      "JSON",  "BYTES", "BLOB", "ROWS"};
    return type < ARRAY_LEN(names) ? json_string(names[type]) : json_integer(type);
}
