#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H
/* One value of the configuration: expansion, parsing, checks. Pure, but for the file of @file:. [any] */
#include "config.h"

/* Expands ${VAR}, ${VAR:-default}, ${VAR:?message}, $${ (literal), and a whole value @file:PATH. @secret:NAME stays as
 * it is. NULL with a finding when that fails. */
const char *config_expand(struct ini *ini, const struct ini_entry *entry, bool *is_secret_out);
bool config_parse_bool(const char *text, bool *out);
bool config_parse_number(enum config_type type, const char *text, int64_t *out); /* INT, SIZE, DURATION */
/* What is wrong with it, in words that follow "KEY = VALUE: "; NULL: nothing. */
const char *config_problem(struct arena *a, const struct config_key *key, const char *text);
/* 1 to 64 letters, digits, "_", "-" and ".": what @secret: may name. */
bool config_secret_name_ok(str name);
void config_check_value(struct ini *ini, const struct config_key *key, struct config_value *v);
void config_check_option(struct ini *ini, const tl_option *option, struct config_value *v, bool development);
#endif
