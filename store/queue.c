#include "store/queue.h"

#include <string.h>

/* Where a row has strings and arrays: copied behind it, their pointers kept as offsets meanwhile. */
struct array_at {
    uint16_t ptr, count, count_size, size;
};
struct shape {
    uint16_t size, n_strings, n_arrays;
    uint16_t strings[14];
    struct array_at arrays[3];
};
#define S(type, field) offsetof(struct type, field)
static const struct shape shapes[MSG_KINDS] = {
    [MSG_ASSET] = {sizeof(struct row_asset),
                   14,
                   3,
                   {S(row_asset, net), S(row_asset, name), S(row_asset, type), S(row_asset, type_reason),
                    S(row_asset, vendor), S(row_asset, model), S(row_asset, firmware), S(row_asset, serial),
                    S(row_asset, os), S(row_asset, state), S(row_asset, zone), S(row_asset, criticality),
                    S(row_asset, owner), S(row_asset, tags)},
                   {{S(row_asset, ips), S(row_asset, n_ips), 1, sizeof(struct addr)},
                    {S(row_asset, macs), S(row_asset, n_macs), 1, 6},
                    {S(row_asset, vlans), S(row_asset, n_vlans), 1, 2}}},
    [MSG_IDENT] = {sizeof(struct row_ident), 2, 0, {S(row_ident, source), S(row_ident, value)}, {{0}}},
    [MSG_LINK] = {sizeof(struct row_link), 2, 0, {S(row_link, net), S(row_link, apps)}, {{0}}},
    [MSG_FUNC] = {sizeof(struct row_func), 3, 0, {S(row_func, proto), S(row_func, function), S(row_func, name)}, {{0}}},
    [MSG_OP] =
        {sizeof(struct row_op), 4, 0, {S(row_op, kind), S(row_op, name), S(row_op, action), S(row_op, object)}, {{0}}},
    [MSG_NET] = {sizeof(struct row_net), 1, 0, {S(row_net, net)}, {{0}}},
    [MSG_ACCEPTED] = {sizeof(struct row_accepted),
                      4,
                      0,
                      {S(row_accepted, type), S(row_accepted, src), S(row_accepted, dst), S(row_accepted, what)},
                      {{0}}},
    [MSG_GONE] = {sizeof(struct msg_gone), 0, 0, {0}, {{0}}},
    [MSG_META] = {sizeof(struct msg_meta), 2, 0, {S(msg_meta, key), S(msg_meta, value)}, {{0}}},
    [MSG_CURSOR] = {sizeof(struct msg_meta), 2, 0, {S(msg_meta, key), S(msg_meta, value)}, {{0}}},
    [MSG_WISH] = {sizeof(struct msg_meta), 2, 0, {S(msg_meta, key), S(msg_meta, value)}, {{0}}},
    [MSG_ALERT] = {sizeof(struct store_alert),
                   7,
                   1,
                   {S(store_alert, id), S(store_alert, engine), S(store_alert, title), S(store_alert, src),
                    S(store_alert, dst), S(store_alert, state), S(store_alert, accept)},
                   {{S(store_alert, json), S(store_alert, json_len), 4, 1}}},
};

enum { HEAD = 16 }; /* kind and length; rows stay aligned */
static uint32_t align(uint32_t n)
{
    return (n + 15) & ~15u;
}

static uint32_t array_bytes(const uint8_t *row, const struct array_at *a)
{
    uint32_t n = 0;
    memcpy(&n, row + a->count, a->count_size); /* little-endian, as all that Debian ships */
    return n * a->size;
}

static const char *pointer(const uint8_t *row, uint16_t at)
{
    const char *p;
    memcpy(&p, row + at, sizeof p);
    return p;
}

static void keep(uint8_t *row, uint16_t at, uint32_t off)
{
    uintptr_t v = off;
    memcpy(row + at, &v, sizeof v);
}

bool msg_put(struct msg_buf *b, enum msg_kind kind, const void *src)
{
    const struct shape *s = &shapes[kind];
    const uint8_t *row = src;
    uint64_t need = HEAD + align(s->size);
    size_t len[ARRAY_LEN(s->strings)]; /* with its NUL; 0: none */
    for (unsigned i = 0; i < s->n_strings; i++) {
        const char *p = pointer(row, s->strings[i]);
        len[i] = p ? strlen(p) + 1 : 0;
        need += len[i];
    }
    for (unsigned i = 0; i < s->n_arrays; i++)
        need += array_bytes(row, &s->arrays[i]) + 16;
    need = (need + 15) & ~UINT64_C(15);
    if (need > b->cap - b->n)
        return false;
    uint8_t *head = b->p + b->n, *out = head + HEAD;
    uint32_t k = (uint32_t)kind, all = (uint32_t)need, off = align(s->size);
    memcpy(head, &k, 4);
    memcpy(head + 4, &all, 4);
    memcpy(out, row, s->size);
    for (unsigned i = 0; i < s->n_arrays; i++) {
        uint32_t n = array_bytes(row, &s->arrays[i]);
        const char *p = pointer(row, s->arrays[i].ptr);
        if (n)
            memcpy(out + off, p, n);
        keep(out, s->arrays[i].ptr, n ? off : 0);
        off += (n + 1) & ~1u;
    }
    for (unsigned i = 0; i < s->n_strings; i++) {
        if (!len[i])
            continue; /* NULL is there already */
        memcpy(out + off, pointer(row, s->strings[i]), len[i]);
        keep(out, s->strings[i], off);
        off += (uint32_t)len[i];
    }
    b->n += all;
    b->rows++;
    return true;
}

static void restore(uint8_t *row, uint16_t at, const uint8_t *base)
{
    uintptr_t off;
    memcpy(&off, row + at, sizeof off);
    const uint8_t *p = off ? base + off : NULL;
    memcpy(row + at, &p, sizeof p);
}

const void *msg_at(const struct msg_buf *b, uint32_t at, enum msg_kind *kind, uint32_t *len)
{
    uint32_t k;
    if (at >= b->n)
        return NULL;
    memcpy(&k, b->p + at, 4);
    memcpy(len, b->p + at + 4, 4);
    *kind = (enum msg_kind)k;
    return b->p + at + HEAD;
}

bool msg_next(const struct msg_buf *b, uint32_t *at, enum msg_kind *kind, union msg_row *ret)
{
    uint32_t len;
    const uint8_t *row = msg_at(b, *at, kind, &len);
    if (!row)
        return false;
    const struct shape *s = &shapes[*kind];
    memcpy(ret, row, s->size);
    for (unsigned i = 0; i < s->n_strings; i++)
        restore((uint8_t *)ret, s->strings[i], row);
    for (unsigned i = 0; i < s->n_arrays; i++)
        restore((uint8_t *)ret, s->arrays[i].ptr, row);
    *at += len;
    return true;
}
