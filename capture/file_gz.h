/* file_gz.h: the door to zlib: gzip members, one after another, to bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

struct gz;

enum { GZ_IN = 1 << 16 }; /* room of a fresh one */

/* NULL when there is no memory. */
struct gz *gz_new(void);
void gz_free(struct gz *g); /* NULL is fine */
/* Room for compressed bytes: write up to *ret_n at the result, then say how many with gz_put. 0 bytes of room means
 * that gz_get must take some first. gz_put of 0: the file has ended. */
uint8_t *gz_room(struct gz *g, size_t *ret_n);
void gz_put(struct gz *g, size_t n);
/* Decompresses up to n bytes. > 0 bytes; 0 call gz_room, fill it if there is room, and call again; -ENODATA the end;
 * -ENOMSG the end came before the end mark; -EBADMSG corrupt. */
int64_t gz_get(struct gz *g, uint8_t *ret, size_t n);
