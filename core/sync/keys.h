#ifndef KEYS_H
#define KEYS_H
/* What records are found by: a feed keeps a lookup for each key that somebody who reads it declares. Pure. */
#include "records.h"
#include "tieline.h"

struct feed_key {
    int32_t kind;    /* enum lookup_kind; what is of one field has the number in it. 0: no key */
    uint32_t number; /* of the field it is read from */
};
/* The key by which two sides are matched over fields of this path; is_phone: one of the two is a phone number. */
struct feed_key key_of_path(str path, bool is_phone, uint32_t number);

/* The key that a value makes, in the arena; false: it makes none, being blank or too short. */
bool key_of_value(int32_t kind, const tl_value *v, struct arena *a, struct lookup_key *out);
bool key_of_text(int32_t kind, str text, struct arena *a, struct lookup_key *out);
bool key_of_observation(const struct feed_key *key, str observation, struct arena *a, struct lookup_key *out);

/* What somebody types is looked for among keys of this kind: all but those that lead to another record. */
bool key_finds(int32_t kind);

/* People and firms of this kind are found by their phone numbers, all of them. */
bool kind_has_callers(str kind);

/* Sorts keys and drops what is there twice: how many are left. */
unsigned keys_sort(struct feed_key *keys, unsigned n);
uint64_t keys_hash(const struct feed_key *keys, unsigned n); /* never 0 */
#endif
