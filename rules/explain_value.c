/* explain_value.c: the value of a protocol's field in words. */
#include "rules/explain.h"

bool explain_field(struct words *w, const struct field_def *d, const struct field *f)
{
    struct vals v = {.n = 1, .raw = f->v.s};
    const char *name = d->type == FT_NAME ? code_name(d->names, (uint32_t)f->v.u) : NULL;
    if (name) {
        words_add(w, "%s", name);
        return true;
    }
    switch (d->type) {
    case FT_TEXT:
        v.enc = VE_NOW_TEXT;
        break;
    case FT_BYTES:
        v.enc = VE_BYTES;
        v.stride = (uint16_t)(f->v.s.n < UINT16_MAX ? f->v.s.n : UINT16_MAX);
        break;
    case FT_INT:
        v.enc = VE_NOW_INT;
        v.now.i = f->v.i;
        break;
    case FT_DOUBLE:
        v.enc = VE_NOW_DOUBLE;
        v.now.d = f->v.d;
        break;
    case FT_BOOL:
        v.enc = VE_NOW_BOOL;
        v.now.u = f->v.u;
        break;
    default:
        v.enc = VE_NOW_UINT;
        v.now.u = f->v.u;
        break;
    }
    return words_value(w, &v, 0);
}
