/* names.c: the names of objects (tags, paths, blocks), each kept once. */
#include <stdio.h>

#include "baseline/model.h"

enum { NAME_ROOM = sizeof((struct name *)0)->s };

static struct name *name_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->names, i);
}

/* A name as it is kept: whole, or its beginning with the hash of all of it. */
static uint8_t canonical(struct span s, char out[NAME_ROOM])
{
    uint32_t n = s.n < NAME_ROOM ? s.n : NAME_ROOM - 18;
    for (uint32_t i = 0; i < n; i++)
        out[i] = s.p[i] < 0x20 || s.p[i] == 0x7f ? '?' : (char)s.p[i];
    if (s.n >= NAME_ROOM)
        n += (uint32_t)snprintf(out + n, NAME_ROOM - n, "~%016llx",
                                (unsigned long long)hash_bytes(HASH_ID_KEY, s.p, s.n));
    out[n] = 0;
    return (uint8_t)n;
}

static uint32_t find(const struct baseline *b, const char *text, uint8_t n, uint64_t h)
{
    for (uint32_t i = tab_find(&b->names, h, 0); i; i = tab_find(&b->names, h, i))
        if (name_at(b, i)->len == n && memcmp(name_at(b, i)->s, text, n) == 0)
            return i;
    return 0;
}

uint32_t name_find(const struct baseline *b, struct span s)
{
    char text[NAME_ROOM];
    uint8_t n = canonical(s, text);
    return find(b, text, n, hash_bytes(b->conf.hash_key, text, n));
}

uint32_t name_get(struct baseline *b, struct span s)
{
    char text[NAME_ROOM];
    if (!s.n)
        return 0;
    uint8_t n = canonical(s, text);
    uint64_t h = hash_bytes(b->conf.hash_key, text, n);
    uint32_t i = find(b, text, n, h);
    if (!i) {
        if (tab_full(&b->names))
            return 0;
        i = tab_add(&b->names, h, 0);
        name_at(b, i)->len = n;
        memcpy(name_at(b, i)->s, text, n + 1u);
    }
    name_at(b, i)->refs++;
    return i;
}

void name_put(struct baseline *b, uint32_t i)
{
    if (i && --name_at(b, i)->refs == 0)
        tab_del(&b->names, i);
}
