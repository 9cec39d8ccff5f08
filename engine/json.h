/* json.h: the one door to jansson: reading records that people and other programs exchange, where speed does not count.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/err.h"

struct js; /* a parsed document, or a value inside one */

/* jansson bounds the depth (2048). */
int js_parse(const struct js **ret, const char *text, size_t n, struct err *e) MUST_USE;
void js_free(const struct js *v); /* the document */
/* A member by keys joined with dots: "tyto.src_asset.name". NULL none. */
const struct js *js_get(const struct js *v, const char *path);
const char *js_str(const struct js *v, const char *path); /* NULL: none, or no text */
bool js_u64(const struct js *v, const char *path, uint64_t *ret);
bool js_true(const struct js *v, const char *path);
bool js_has(const struct js *v, const char *path);   /* there, and not null */
size_t js_len(const struct js *v, const char *path); /* of a list; else 0 */
const struct js *js_at(const struct js *v, const char *path, size_t i);
/* A value in one line, as people read it: texts without quotes. */
void js_print(const struct js *v, FILE *f);
