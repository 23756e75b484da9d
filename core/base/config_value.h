#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H
/* One value of the configuration: expansion, parsing, checks. Shared by the files of config only. */
#include "config.h"

/* Expands ${VAR}, ${VAR:-default}, ${VAR:?message}, $${ (literal), and a whole value @file:PATH. @secret:NAME stays as
 * it is. NULL with a finding when that fails. */
const char *config_expand(struct ini *ini, const struct ini_entry *entry, bool *is_secret_out);
bool config_parse_bool(const char *text, bool *out);
bool config_parse_number(enum config_type type, const char *text, int64_t *out); /* INT, SIZE, DURATION */
void config_check_value(struct ini *ini, const struct config_key *key, const struct config_value *v);
void config_check_option(struct ini *ini, const tl_option *option, const struct config_value *v, bool development);
#endif
