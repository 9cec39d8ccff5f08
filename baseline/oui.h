/* oui.h: the tables that oui_gen.py makes: rows sorted, the prefix above bit 24, the vendor's place in the text below.
 */
#pragma once

#include <stdint.h>

struct oui_table {
    const uint64_t *rows;
    uint32_t n;
    uint8_t bits; /* of the prefix: 24 (MA-L), 28 (MA-M), 36 (MA-S and IAB) */
};
extern const struct oui_table oui_system[3], oui_excerpt[3];
extern const char *const oui_system_text, *const oui_excerpt_text;
