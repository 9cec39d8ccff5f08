/* conf_int.h: what the files of the configuration reader share. */
#pragma once

#include "engine/conf.h"
#include "rules/yaml.h"

struct conf_chunk {
    struct conf_chunk *next;
    _Alignas(16) unsigned char data[];
};

struct load { /* one reading of a configuration */
    struct conf *c;
    struct err *e;
};

/* Zeroed memory that lives as long as the configuration; NULL with the error set. */
void *conf_alloc(struct load *l, size_t n, size_t size);
const char *conf_strdup(struct load *l, const char *s);
/* Keys of `map` must be those of the table under `prefix` ("zones[]"). */
int conf_only_keys(struct load *l, const struct yaml_node *map, const char *prefix);
/* A NULL-terminated list of texts (a scalar is a list of one). */
int conf_texts(struct load *l, const struct yaml_node *list, const char *const **ret, uint32_t *n);
/* Places in the order of keys: finds what is there twice. */
struct named {
    const char *name;
    const struct yaml_node *node;
    uint32_t idx;
};
/* Sorts; an error at the second of two equal names. what: "zone". */
int conf_unique(struct load *l, struct named *v, uint32_t n, const char *what);
const struct named *conf_find(const struct named *v, uint32_t n, const char *name);

int conf_site(struct load *l, const struct yaml_node *root); /* conf_site.c */
int conf_windows(struct load *l, const struct yaml_node *root, const struct named *zones,
                 const struct named *assets); /* conf_windows.c */
int conf_ref(struct load *l, const struct yaml_node *n, const struct named *assets, struct site_ref *ret);
int conf_run(struct load *l, const struct yaml_node *n);            /* conf_run.c */
int conf_protocols(struct load *l, const struct yaml_node *root); /* conf_protocols.c */
