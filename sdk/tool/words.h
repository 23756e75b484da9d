#ifndef WORDS_H
#define WORDS_H
/* What a kind and its fields say of themselves, in the words of tieline.h without their prefixes. The values are new
 * JSON, the caller's. */
#include <jansson.h>
#include <stdint.h>

json_t *rights_words(uint32_t can);          /* tl_kind.can: ["PULL", "PASS"] */
json_t *field_flag_words(uint32_t flags);    /* tl_field.flags: ["READONLY"] */
json_t *action_flag_words(uint32_t flags);   /* tl_action.flags: ["READS"] */
json_t *action_right_words(uint32_t rights); /* tl_action.rights: ["SEND"] */
json_t *field_type_word(uint32_t type);      /* tl_field.type: "TEXT" */
#endif
