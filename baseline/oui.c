/* oui.c: whose MAC address that is, by the IEEE's registries. The longest prefix counts: MA-S, MA-M, then MA-L. */
#include "baseline/oui.h"

#include "baseline/model.h"

static const char *look(const struct oui_table *t, const char *text, uint64_t mac)
{
    uint64_t prefix = mac >> (48 - t->bits);
    uint32_t lo = 0, hi = t->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (t->rows[mid] >> 24 < prefix)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < t->n && t->rows[lo] >> 24 == prefix ? text + (t->rows[lo] & 0xffffff) : NULL;
}

const char *oui_vendor(const uint8_t mac[6], bool excerpt)
{
    uint64_t m = 0;
    if (mac[0] & 3) /* group, or locally administered: nobody's */
        return NULL;
    for (unsigned i = 0; i < 6; i++)
        m = m << 8 | mac[i];
    if (!oui_system[0].n)
        excerpt = true;
    const struct oui_table *t = excerpt ? oui_excerpt : oui_system;
    const char *text = excerpt ? oui_excerpt_text : oui_system_text;
    for (int i = 2; i >= 0; i--) {
        const char *v = look(&t[i], text, m);
        if (v)
            return v;
    }
    return NULL;
}
