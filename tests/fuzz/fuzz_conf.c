/* fuzz_conf.c: any text is a configuration or refused with a place; what is accepted is shown, and what is shown is
 * accepted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *c = NULL, *again = NULL;
    struct err e = {""};
    char *exact = malloc(size ? size : 1), *shown = NULL;
    size_t n = 0;
    if (!exact)
        return 0;
    if (size)
        memcpy(exact, data, size);
    int r = conf_parse(&c, "fuzz", exact, size, &e);
    free(exact);
    if (r < 0) {
        if (!strstr(e.text, "fuzz"))
            abort();
        return 0;
    }
    for (int json = 0; json < 2; json++) {
        FILE *f = open_memstream(&shown, &n);
        conf_show(c, json, f);
        fclose(f);
        if (!json && conf_parse(&again, "shown", shown, n, &e)) {
            fprintf(stderr, "%s\n%s", e.text, shown);
            abort();
        }
        free(shown);
        shown = NULL;
    }
    conf_free(again);
    conf_free(c);
    return 0;
}
