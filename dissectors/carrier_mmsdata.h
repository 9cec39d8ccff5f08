/* carrier_mmsdata.h: the values of IEC 61850, shared by GOOSE and MMS: Data of ISO 9506-2 14.4.2, a tree of TLVs,
 * walked leaf by leaf, and the quality of IEC 61850-7-3 6.2.
 *
 *   struct mms_walk w = mms_walk(all_data);
 *   struct mms_leaf l;
 *   while (mms_leaf(&w, &l))
 *       mms_value(l.type, l.body, &ev_item(e, KIND)->v);
 *   if (w.broken) ... */
#pragma once

#include "dissectors/carrier_ber.h"
#include "engine/base/event.h"

enum mms_type { /* the tag of Data */
    MMS_ARRAY = 1, MMS_STRUCTURE = 2, MMS_BOOLEAN = 3, MMS_BITS = 4, MMS_INTEGER = 5, MMS_UNSIGNED = 6, MMS_FLOAT = 7,
    MMS_OCTETS = 9, MMS_VISIBLE = 10, MMS_GENERALIZED_TIME = 11, MMS_BINARY_TIME = 12, MMS_BCD = 13,
    MMS_BOOLEAN_ARRAY = 14, MMS_OBJECT_ID = 15, MMS_STRING = 16, MMS_UTC_TIME = 17
};

enum { MMS_DEPTH = 10 }; /* arrays and structures inside each other; IEC 61850 models need five. Deeper: one leaf */

struct mms_leaf {
    uint32_t type;             /* enum mms_type, or what the tag says */
    unsigned depth;            /* of the tree, 1 at the top; path[0 .. depth - 1] are the positions from 0 on */
    const uint16_t *path;      /* until the next leaf */
    struct cur body;
};

struct mms_walk {
    struct cur here;           /* what is left of the array or structure that is being walked */
    struct cur around[MMS_DEPTH - 1]; /* and of those around it, outermost first */
    uint16_t path[MMS_DEPTH];  /* position of the element of each that is being walked */
    unsigned depth;
    bool broken;               /* a TLV was, or a tag is none of Data */
};

/* A walk over the elements of a SEQUENCE OF Data. */
struct mms_walk mms_walk(struct cur elements);
/* Has it a name? */
static inline bool mms_is_type(uint32_t type)
{
    static const uint32_t none = 1u << 0 | 1u << 8;
    return type <= MMS_UTC_TIME && !(none >> type & 1);
}

/* The next leaf in the order of the wire; an empty array or structure is one. False at the end. */
static inline bool mms_leaf(struct mms_walk *w, struct mms_leaf *ret)
{
    for (;;) {
        struct cur at = w->here;
        struct ber t;
        bool any = ber_next(&at, &t);
        w->here = at;
        if (!any) {
            w->broken |= !cur_ok(&at);
            if (w->depth == 1)
                return false;
            w->here = w->around[--w->depth - 1];
            continue;
        }
        bool nested = t.id == BER_CTX(MMS_ARRAY) || t.id == BER_CTX(MMS_STRUCTURE);
        if (t.id >> 30 != BER_CONTEXT || !mms_is_type(ber_number(&t)) || nested != t.constructed)
            w->broken = true;
        w->path[w->depth - 1]++;
        *ret = (struct mms_leaf){.type = ber_number(&t), .depth = w->depth, .path = w->path, .body = t.body};
        if (!nested || !t.constructed || !t.n || w->depth == MMS_DEPTH)
            return true;
        w->around[w->depth - 1] = at;
        w->here = t.body;
        w->path[w->depth++] = UINT16_MAX; /* 0 with the first */
    }
}

/* Its value. A bit string of up to 64 bits is a number, the first bit the most significant, so that coded enums (Dbpos,
 * Tcmd) have their ordinals. False, and the octets, when the contents do not fit the type. v->qual_off is set. */
static inline bool mms_value(uint32_t type, struct cur body, struct vals *v);
/* The same of a *v that says: one value, nothing else. */
bool mms_value_any(uint32_t type, struct cur body, struct vals *v);
static inline bool mms_value(uint32_t type, struct cur body, struct vals *v)
{
    uint32_t n = cur_left(&body), first = cur_peek(&body, 0);
    *v = (struct vals){.n = 1, .qual_off = -1};
    if (type == MMS_BOOLEAN && n == 1) { /* these two are most of what protection says */
        v->enc = VE_NOW_BOOL;
        v->now.u = first != 0;
        return true;
    }
    if (type == MMS_BITS && (n == 2 || n == 3) && first < 8) {
        uint32_t bits = cur_peek(&body, 1);
        v->enc = VE_NOW_UINT;
        v->now.u = (n == 2 ? bits : bits << 8 | cur_peek(&body, 2)) >> first;
        return true;
    }
    return mms_value_any(type, body, v);
}
/* "boolean", "bit_string", ...; NULL for none. */
const char *mms_type_name(uint32_t type);

/* Is this leaf a Quality? A bit string of 13 bits is nothing else in IEC 61850. *ret: for struct item.quality, its bits
 * numbered by iec61850_qualities. */
uint32_t iec61850_quality_of(struct cur body); /* of the contents of such a bit string */
static inline bool iec61850_quality(uint32_t type, struct cur body, uint32_t *ret)
{
    *ret = 0;
    if (type != MMS_BITS || cur_left(&body) != 3 || cur_peek(&body, 0) != 3) /* 16 bits without 3 */
        return false;
    bool good = !(cur_peek(&body, 1) | cur_peek(&body, 2));
    *ret = good ? ITEM_QUALITY : iec61850_quality_of(body);
    return true;
}
/* The same of the quality of a UtcTime: what of it speaks against the time. False: not a time. */
bool iec61850_time_quality(const struct mms_leaf *l, uint32_t *ret);
extern const char *const iec61850_qualities[];
enum { IEC61850_Q_TEST = 1 << 12 };
