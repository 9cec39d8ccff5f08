/* fuzz_yaml.c: any bytes are YAML or refused with a place; what is accepted is walked and asked in every way. */
#include <stdlib.h>
#include <string.h>

#include "rules/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct yaml_node *n, unsigned depth)
{
    static const char *const names[] = {"alpha", "beta", "protocol", NULL};
    struct err e;
    char text[64];
    const char *s;
    bool b;
    uint64_t u;
    int64_t i;
    double d;
    unsigned k;
    if (!n->line || !n->column || depth > YAML_MAX_DEPTH || strlen(yaml_describe(n, text)) >= sizeof text)
        abort();
    (void)!yaml_str(n, &s, &e);
    (void)!yaml_bool(n, &b, &e);
    (void)!yaml_u64(n, 0, 100, &u, &e);
    (void)!yaml_i64(n, -100, 100, &i, &e);
    (void)!yaml_bytes(n, 0, UINT64_MAX, &u, &e);
    (void)!yaml_double(n, &d, &e);
    (void)!yaml_duration(n, 0, UINT64_MAX, &u, &e);
    (void)!yaml_enum(n, names, &k, &e);
    (void)!yaml_only_keys(n, names, &e);
    (void)!yaml_opt_u64(n, "alpha", 0, 9, &u, &e);
    uint32_t count = 0;
    YAML_EACH (it, n) {
        if (n->type == YAML_MAP && (!it->key || yaml_get(n, it->key->text) != it))
            abort(); /* no key twice */
        if (n->type != YAML_TEXT)
            ask(it, depth + 1);
        count++;
    }
    if (n->type != YAML_TEXT && count != n->n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yaml_doc *d = NULL;
    struct err e = {""};
    char *exact = malloc(size ? size : 1); /* so that reading past the end is seen */
    if (size)
        memcpy(exact, data, size);
    int r = yaml_parse("fuzz", exact, size, &d, &e);
    free(exact);
    if (r < 0 && (d || !strstr(e.text, "fuzz:")))
        abort();
    if (r == 0)
        ask(yaml_root(d), 0);
    yaml_doc_free(d);
    return 0;
}
