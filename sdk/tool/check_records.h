#ifndef CHECK_RECORDS_H
#define CHECK_RECORDS_H
/* Records made up for tests of writing: values that any vendor should take, by the type of the field. */
#include "check.h"

/* Can a record be made up? False where a required field refers to a kind without records, or is of a strange type. */
bool check_can_make(struct check *c, const struct stand_kind *k);
/* A value for one field, for example of an action; false: none can be made up. */
bool check_make_value(struct check *c, const tl_field *f, uint32_t position, tl_value *out);
/* The id of a record of one of these kinds (comma separated) that a pass tells; NULL: there is none. */
const char *check_first_id(struct check *c, str kinds);
/* Adds one record to a push: a create with a new value for every plain field. id NULL: a create. */
tl_record *check_add(struct check *c, struct call *push, int32_t op, const char *id);
struct call *check_push_call(const struct stand_kind *k);
void check_stamp(struct check *c, struct call *push, tl_record *r, const char *stamp);
/* The result of record i as the reply has it; fails where there is none or more than one. *id: the record's, lent from
 * the stand's arena; empty when none is told. */
struct check_result {
    tl_status status;
    int32_t reason, created;
    const char *id, *version, *text;
};
struct check_result check_result_of(struct check *c, const struct call *push, uint32_t i);
/* Makes one and fails where that does not work; the id is the caller's (text_free). */
char *check_create(struct check *c, const struct stand_kind *k, const char *stamp);
void check_delete(struct check *c, const struct stand_kind *k, const char *id);
void check_restore(struct check *c, const struct stand_kind *k, const char *id);
/* Reads one by get; its state (-1: get told nothing of it) and, unless NULL, its values by field (arena of the stand).
 */
struct call *check_get_call(const struct stand_kind *k, int32_t purpose, const tl_str *ids,
                            uint32_t n); /* ids are lent */
int32_t check_get(struct check *c, const struct stand_kind *k, const char *id, const tl_value **values);
/* A plain text field that is not required; NULL: none. */
const tl_field *check_spare_field(const struct check *c, const struct stand_kind *k, uint32_t *position);
#endif
