#ifndef VALUES_H
#define VALUES_H
/* Field values of one record as the store keeps them: numbers of fields in rising order, each with type and value.
 *
 *   image  = entry*            entry = number (LEB128), type (1), payload
 *   payload: NULL nothing; BOOL INT TIME DATE zigzag LEB128; LIST count (LEB128), then type and payload of each item;
 *            REF aux (LEB128), length (LEB128), bytes; all others length (LEB128), bytes
 *
 * Reading needs no copy: texts point into the image. An image is data of our own making and checked when read; a broken
 * one reads as TL_E_BUG, and the store's checksum tells damage before that. Pure. */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "str.h"
#include "tieline.h"

/* Appends one entry. Numbers must come in rising order. */
void image_add(struct buf *out, uint32_t number, const tl_value *v);

/* Walks an image; v->field is the number. Lists are built in the arena. */
struct image_reader {
    const uint8_t *p, *end;
    struct arena *arena;
    bool broken;
};
void image_read(struct image_reader *r, str image, struct arena *arena);
bool image_next(struct image_reader *r, tl_value *out);

/* Sets out[position_of[number]] for every entry with number < n_positions and position_of[number] >= 0; the others of the
 * n_out values become TL_NULL. True unless the image is broken. */
bool image_spread(str image, const int32_t *position_of, uint32_t n_positions, tl_value *out, uint32_t n_out,
                  struct arena *arena);
/* One value by number; false when the image has none. */
bool image_find(str image, uint32_t number, tl_value *out, struct arena *arena);

/* out = old image overlaid with entries of newer (a partial record over a full one). */
void image_overlay(struct buf *out, str old, str newer, struct arena *arena);

bool value_is_blank(const tl_value *v); /* null, or text without a character */
/* Same type and same bytes. */
bool value_same(const tl_value *a, const tl_value *b);
tl_value value_copy(const tl_value *v, struct arena *arena);
/* For people and logs: text as it is, numbers in decimal, times in RFC 3339. Never fails. */
void value_text(struct buf *out, const tl_value *v);

/* 64-bit keyed hash (SipHash-2-4) for telling "unchanged": not a security boundary, the key is fixed. */
uint64_t bytes_hash(str s);
#endif
