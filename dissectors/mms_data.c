/* mms_data.c: the Data of a variable (ISO 9506-2 14.4.2) as the value of an item.
 *
 * An item is what was named: a leaf ("...$mag$f") or a whole structure ("...$Pos": stVal, q, t). Its values are the
 * leaves in order; a Quality among them becomes the item's quality, as the quality of a time does. Where an item has
 * several qualities (a whole logical node was read) their bits are joined. */
#include "dissectors/mms.h"

enum { MAX_LEAVES = 1024 }; /* of one item that are counted; more are not told */
enum { SKIP_QUALITY = 1 };  /* vals.mask */

static bool is_quality(const struct mms_leaf *l)
{
    uint32_t q;
    return iec61850_quality(l->type, l->body, &q);
}

/* The k-th leaf of raw, without qualities where mask says so. */
static bool read_leaf(const struct vals *v, uint32_t k, struct val *ret)
{
    struct mms_walk w = mms_walk(cur_span(v->raw));
    struct mms_leaf l;
    struct vals one;
    while (mms_leaf(&w, &l)) {
        if ((v->mask & SKIP_QUALITY && is_quality(&l)) || k--)
            continue;
        if (l.type == DATA_FAILURE || l.type == MMS_ARRAY || l.type == MMS_STRUCTURE) { /* refused, or empty */
            *ret = (struct val){.type = VAL_NONE};
            return true;
        }
        mms_value(l.type, l.body, &one);
        return vals_get(&one, 0, ret);
    }
    return false;
}

void mms_set_value(struct mms *m, struct item *it, struct span data)
{
    struct mms_walk w = mms_walk(cur_span(data));
    struct mms_leaf l;
    struct vals one;
    uint32_t n = 0, n_quality = 0, quality = 0, q;
    bool fits = true, failed = false, deep = false;
    while (n < MAX_LEAVES && mms_leaf(&w, &l)) {
        if (iec61850_quality(l.type, l.body, &q)) {
            n_quality++;
            quality |= q;
            continue;
        }
        if (iec61850_time_quality(&l, &q))
            quality |= q;
        failed |= l.type == DATA_FAILURE;
        deep |= (l.type == MMS_ARRAY || l.type == MMS_STRUCTURE) && cur_left(&l.body);
        fits &= l.type == DATA_FAILURE || mms_value(l.type, l.body, &one);
        n++;
    }
    if ((w.broken && !failed && !m->x->cut) || !fits)
        mms_anomaly(m, A_DATA_TYPE);
    if (deep)
        mms_anomaly(m, A_NESTING);
    it->quality = quality ? quality | ITEM_QUALITY : n_quality ? ITEM_QUALITY : 0;
    it->v = (struct vals){.raw = data, .n = (uint16_t)(n ? n : n_quality), .enc = VE_OWN, .qual_off = -1,
                          .mask = n ? SKIP_QUALITY : 0, .now.read = read_leaf};
}

bool mms_next_data(struct cur *c, struct span *raw, struct ber *t)
{
    struct cur from = *c;
    if (!ber_next(c, t))
        return false;
    *raw = cur_bytes(&from, cur_left(&from) - cur_left(c));
    return true;
}
