/* yaml.h: the one door to libyaml: a text becomes a bounded tree of nodes, each knowing its file, line and column.
 *
 * What is refused: anchors, aliases and merge keys (a few bytes could unfold into gigabytes), tags, keys that are not
 * scalars, the same key twice, a second document, NUL inside a text, and anything beyond the bounds below. Every
 * refusal reads "file:line:column: found X, expected Y". A scalar has no type of its own: the getter that asks decides,
 * so `unit: 010` or `zone: no` mean what the schema of the file says.
 *
 * Nodes and their texts live as long as the document. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

enum {
    YAML_MAX_BYTES = 16 << 20, /* of a text: an exported baseline of a large plant is a few MiB */
    YAML_MAX_DEPTH = 32,       /* nested lists and mappings */
    YAML_MAX_NODES = 1 << 20,
    YAML_MAX_SCALAR = 1 << 16, /* bytes of one scalar or key */
};

enum yaml_type { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_doc;
struct yaml_node {
    uint8_t type;                 /* enum yaml_type */
    bool quoted;                  /* YAML_TEXT: written in quotes or as a block, so never null */
    uint32_t line, column;        /* from 1; of the value (yaml_err() on ->key points at the key) */
    uint32_t len;                 /* YAML_TEXT: bytes */
    uint32_t n;                   /* YAML_LIST, YAML_MAP: children */
    const char *text;             /* YAML_TEXT: NUL-terminated UTF-8; else "" */
    const struct yaml_node *key;  /* the key, when the parent is a mapping; else NULL */
    const struct yaml_node *first, *next; /* first child; next sibling, in the order of the file */
    const struct yaml_doc *doc;
};

/* name: what messages call the text (a path). The text is copied. An empty text is a document whose root is null. */
int yaml_parse(const char *name, const char *text, size_t n, struct yaml_doc **ret, struct err *e) MUST_USE;
/* The same of a file ("-": standard input). -errno of the system when it cannot be read. */
int yaml_read(const char *path, struct yaml_doc **ret, struct err *e) MUST_USE;
/* NULL is fine. (libyaml exports a yaml_free() of its own.) */
void yaml_doc_free(struct yaml_doc *d);
const struct yaml_node *yaml_root(const struct yaml_doc *d); /* never NULL */
const char *yaml_name(const struct yaml_doc *d);

/* ---- errors: all return -EINVAL ------------------------------------------------------------------------------ */

/* "file:line:column: <message>" at this node. */
int yaml_err(const struct yaml_node *n, struct err *e, const char *fmt, ...) PRINTF(3, 4);
/* "file:line:column: found <what the node is>, expected <message>". */
int yaml_expected(const struct yaml_node *n, struct err *e, const char *fmt, ...) PRINTF(3, 4);
/* How the node reads in a message: "'text'", "a list", "a mapping", "nothing". */
const char *yaml_describe(const struct yaml_node *n, char out[64]);
/* The name of the list (NULL-terminated) that is most like `word`, or NULL when none is near. */
const char *yaml_nearest(const char *word, const char *const names[]);

/* ---- mappings ------------------------------------------------------------------------------------------------ */

/* The value under the key; NULL when there is none, or n is NULL or no mapping. */
const struct yaml_node *yaml_get(const struct yaml_node *n, const char *key);
/* The same, an error when there is none. */
int yaml_need(const struct yaml_node *map, const char *key, const struct yaml_node **ret, struct err *e) MUST_USE;
/* n must be a mapping whose keys are all among these (NULL-terminated); the message names a likely one. */
int yaml_only_keys(const struct yaml_node *n, const char *const allowed[], struct err *e) MUST_USE;

/* ---- walking: YAML_EACH (it, list) { } ----------------------------------------------------------------------- */

/* The children of a list or mapping; a scalar counts as a list of itself, null and NULL as an empty one. */
const struct yaml_node *yaml_first(const struct yaml_node *n);
const struct yaml_node *yaml_next(const struct yaml_node *list, const struct yaml_node *it);
#define YAML_EACH(it, list) \
    for (const struct yaml_node *it = yaml_first(list); it; it = yaml_next(list, it))

/* ---- typed values: *ret is written only on success ----------------------------------------------------------- */

bool yaml_is_null(const struct yaml_node *n); /* nothing written, "~" or "null", without quotes */
bool yaml_is(const struct yaml_node *n, const char *text); /* a scalar of exactly this text */
int yaml_str(const struct yaml_node *n, const char **ret, struct err *e) MUST_USE; /* not null, not empty */
int yaml_bool(const struct yaml_node *n, bool *ret, struct err *e) MUST_USE; /* true/false/yes/no/on/off */
/* Decimal or 0x, digits may be grouped with _; k, M, G: thousand, million, ... */
int yaml_u64(const struct yaml_node *n, uint64_t min, uint64_t max, uint64_t *ret, struct err *e) MUST_USE;
int yaml_i64(const struct yaml_node *n, int64_t min, int64_t max, int64_t *ret, struct err *e) MUST_USE;
/* Bytes: k/K/KiB, M/MiB, G/GiB are powers of 1024 */
int yaml_bytes(const struct yaml_node *n, uint64_t min, uint64_t max, uint64_t *ret, struct err *e) MUST_USE;
int yaml_double(const struct yaml_node *n, double *ret, struct err *e) MUST_USE;
/* "250us", "500ms", "10s", "5m", "2h", "14d", "1w", also joined: "1h30m". Nanoseconds. */
int yaml_duration(const struct yaml_node *n, uint64_t min_ns, uint64_t max_ns, uint64_t *ret, struct err *e) MUST_USE;
/* The index of the scalar in a NULL-terminated list of names; the message names a likely one. */
int yaml_enum(const struct yaml_node *n, const char *const names[], unsigned *ret, struct err *e) MUST_USE;

/* The same for an optional key of a mapping: without the key *ret stays as it is (the default). */
int yaml_opt_str(const struct yaml_node *map, const char *key, const char **ret, struct err *e) MUST_USE;
int yaml_opt_bool(const struct yaml_node *map, const char *key, bool *ret, struct err *e) MUST_USE;
int yaml_opt_u64(const struct yaml_node *map, const char *key, uint64_t min, uint64_t max, uint64_t *ret,
                 struct err *e) MUST_USE;
int yaml_opt_bytes(const struct yaml_node *map, const char *key, uint64_t min, uint64_t max, uint64_t *ret,
                   struct err *e) MUST_USE;
int yaml_opt_duration(const struct yaml_node *map, const char *key, uint64_t min_ns, uint64_t max_ns, uint64_t *ret,
                      struct err *e) MUST_USE;
int yaml_opt_enum(const struct yaml_node *map, const char *key, const char *const names[], unsigned *ret,
                  struct err *e) MUST_USE;
