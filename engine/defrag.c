/* defrag.c: a table of incomplete datagrams, whose bytes lie in blocks of 1 KiB from one pool. Which bytes are there is
 * known by bits, one for 8 bytes, the unit of fragment offsets. */
#include "engine/defrag.h"

#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/lru.h"
#include "engine/decode.h"

enum {
    UNIT = 8,
    BLOCK = 1024,
    BLOCK_UNITS = BLOCK / UNIT,
    BLOCKS = DEFRAG_MAX / BLOCK, /* of the largest datagram */
};
#define NONE UINT32_MAX
#define TIMEOUT_NS UINT64_C(30000000000) /* RFC 791 says 15 s and up, RFC 8200 60 s; senders' usual 30 s */
#define ECHO_NS UINT64_C(2000000)        /* a SPAN port's second copy of a fragment comes within 2 ms */

struct key {
    struct addr src, dst;
    uint32_t id;
    uint8_t ver, proto, zero[2];
};
_Static_assert(sizeof(struct key) == 40, "hashed as bytes");

enum { LIST_OPEN, LIST_DONE, N_LISTS }; /* DONE: completed, kept to know its fragments' echoes */

struct dgram {
    struct key key;
    uint64_t ns; /* of the first fragment; of the last one when done */
    uint32_t next_hash;
    uint32_t total; /* bytes; NONE: the last fragment has not come */
    uint32_t end;   /* the highest byte seen */
    uint32_t units; /* that are there */
    uint8_t list, proto;
    bool overlap;
    uint32_t block[BLOCKS];
};

struct defrag {
    struct decode_stats *stats;
    uint64_t hash_key;
    uint32_t n_dgrams, mask, free_dgram, free_block;
    struct lru lists[N_LISTS];
    struct lru_link *order; /* of the lists */
    struct dgram *dgrams;
    uint32_t *heads;      /* hash chains; mask + 1 of them */
    uint32_t *next_block; /* free list */
    uint64_t (*have)[BLOCK_UNITS / 64];
    uint8_t (*data)[BLOCK];
};

static uint64_t age(uint64_t now, uint64_t then)
{
    return now > then ? now - then : then - now;
}

static void list_remove(struct defrag *d, const struct dgram *g)
{
    lru_remove(&d->lists[g->list], d->order, (uint32_t)(g - d->dgrams));
}

static void list_append(struct defrag *d, struct dgram *g, uint8_t which)
{
    g->list = which;
    lru_add(&d->lists[which], d->order, (uint32_t)(g - d->dgrams));
}

static uint32_t *chain_of(struct defrag *d, const struct key *k)
{
    return &d->heads[hash_bytes(d->hash_key, k, sizeof *k) & d->mask];
}

static struct dgram *find(struct defrag *d, const struct key *k)
{
    for (uint32_t i = *chain_of(d, k); i != NONE; i = d->dgrams[i].next_hash)
        if (memcmp(&d->dgrams[i].key, k, sizeof *k) == 0)
            return &d->dgrams[i];
    return NULL;
}

static void give_blocks_back(struct defrag *d, struct dgram *g)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        uint32_t b = g->block[i];
        if (b == NONE)
            continue;
        d->next_block[b] = d->free_block;
        d->free_block = b;
        g->block[i] = NONE;
    }
}

static void drop(struct defrag *d, struct dgram *g)
{
    uint32_t at = (uint32_t)(g - d->dgrams), *link = chain_of(d, &g->key);
    while (*link != at)
        link = &d->dgrams[*link].next_hash;
    *link = g->next_hash;
    list_remove(d, g);
    give_blocks_back(d, g);
    g->next_hash = d->free_dgram;
    d->free_dgram = at;
}

static void expire(struct defrag *d, uint64_t now)
{
    while (d->lists[LIST_OPEN].oldest != NONE) {
        struct dgram *g = &d->dgrams[d->lists[LIST_OPEN].oldest];
        if (age(now, g->ns) <= TIMEOUT_NS)
            return;
        d->stats->frag_timeout++;
        drop(d, g);
    }
}

static struct dgram *add_dgram(struct defrag *d, const struct key *k, uint64_t now)
{
    if (d->free_dgram == NONE && d->lists[LIST_DONE].oldest != NONE) {
        drop(d, &d->dgrams[d->lists[LIST_DONE].oldest]);
    } else if (d->free_dgram == NONE) {
        d->stats->frag_evicted++;
        drop(d, &d->dgrams[d->lists[LIST_OPEN].oldest]);
    }
    struct dgram *g = &d->dgrams[d->free_dgram];
    uint32_t at = d->free_dgram, *head = chain_of(d, k);
    d->free_dgram = g->next_hash;
    *g = (struct dgram){.key = *k, .ns = now, .next_hash = *head, .total = NONE};
    memset(g->block, 0xff, sizeof g->block);
    *head = at;
    list_append(d, g, LIST_OPEN);
    return g;
}

/* The pool holds at least one largest datagram, so evicting others always ends well. */
static uint32_t add_block(struct defrag *d, const struct dgram *keep)
{
    while (d->free_block == NONE) {
        struct dgram *g = &d->dgrams[d->lists[LIST_OPEN].oldest];
        if (g == keep)
            g = &d->dgrams[d->order[g - d->dgrams].newer];
        d->stats->frag_evicted++;
        drop(d, g);
    }
    uint32_t b = d->free_block;
    d->free_block = d->next_block[b];
    memset(d->have[b], 0, sizeof d->have[b]);
    return b;
}

/* Bits of units [from, from + n) that lie in word k of a block. */
static uint64_t bits_in_word(uint32_t from, uint32_t n, unsigned k)
{
    uint32_t lo = from > k * 64 ? from - k * 64 : 0, end = from + n > k * 64 ? from + n - k * 64 : 0;
    if (lo >= 64 || end <= lo)
        return 0;
    uint64_t below_end = end >= 64 ? UINT64_MAX : (UINT64_C(1) << end) - 1;
    return below_end & ~((UINT64_C(1) << lo) - 1);
}

/* One unit (the datagram's last may be short) that may be there. true: it is new. */
static bool put_unit(struct defrag *d, uint32_t b, uint32_t unit, struct span v, bool *clash)
{
    uint64_t bit = UINT64_C(1) << (unit % 64);
    uint8_t *to = d->data[b] + unit * UNIT;
    if (d->have[b][unit / 64] & bit) {
        if (memcmp(to, v.p, v.n) != 0)
            *clash = true;
        return false;
    }
    d->have[b][unit / 64] |= bit;
    memcpy(to, v.p, v.n);
    return true;
}

/* Bytes of one block from this unit on. Returns how many units are new. */
static uint32_t put_run(struct defrag *d, uint32_t b, uint32_t unit, struct span v, bool *clash)
{
    uint32_t n = (v.n + UNIT - 1) / UNIT, fresh = 0;
    uint64_t bits[BLOCK_UNITS / 64], there = 0;
    for (unsigned k = 0; k < BLOCK_UNITS / 64; k++) {
        bits[k] = bits_in_word(unit, n, k);
        there |= d->have[b][k] & bits[k];
    }
    if (!there) {
        for (unsigned k = 0; k < BLOCK_UNITS / 64; k++)
            d->have[b][k] |= bits[k];
        memcpy(d->data[b] + unit * UNIT, v.p, v.n);
        return n;
    }
    struct cur c = cur_span(v);
    for (; cur_left(&c); unit++)
        fresh += put_unit(d, b, unit, cur_bytes(&c, cur_left(&c) < UNIT ? cur_left(&c) : UNIT), clash);
    return fresh;
}

/* True when bytes that are there already say otherwise. */
static bool put(struct defrag *d, struct dgram *g, const struct frag *f)
{
    struct cur c = cur_span(f->data);
    uint32_t fresh = 0;
    bool clash = false;
    for (uint32_t at = f->off; cur_left(&c);) {
        uint32_t room = BLOCK - at % BLOCK, n = cur_left(&c) < room ? cur_left(&c) : room;
        uint32_t *b = &g->block[at / BLOCK];
        if (*b == NONE)
            *b = add_block(d, g);
        fresh += put_run(d, *b, at % BLOCK / UNIT, cur_bytes(&c, n), &clash);
        at += n;
    }
    g->units += fresh;
    if (clash) {
        g->overlap = true;
        d->stats->frag_overlaps++;
    } else if (!fresh) {
        d->stats->frag_duplicates++;
    }
    return clash;
}

/* Where the datagram ends: false when this fragment contradicts what earlier ones said. */
static bool agrees(struct defrag *d, struct dgram *g, const struct frag *f)
{
    uint32_t end = f->off + f->data.n;
    bool ok = f->more ? g->total == NONE || end <= g->total : g->total == NONE ? end >= g->end : end == g->total;
    if (!ok) {
        g->overlap = true;
        d->stats->frag_overlaps++;
        return false;
    }
    if (!f->more)
        g->total = end;
    if (end > g->end)
        g->end = end;
    return true;
}

static void gather(struct defrag *d, struct dgram *g, uint8_t *out)
{
    for (uint32_t at = 0; at < g->total; at += BLOCK) {
        uint32_t n = g->total - at < BLOCK ? g->total - at : BLOCK;
        memcpy(out + at, d->data[g->block[at / BLOCK]], n);
    }
}

/* The datagram that this fragment belongs to; NULL: it is the echo of one that was completed. */
static struct dgram *get(struct defrag *d, const struct frag *f)
{
    struct key k = {.src = f->src, .dst = f->dst, .id = f->id, .ver = f->ver, .proto = f->ver == 4 ? f->proto : 0};
    struct dgram *g = find(d, &k);
    if (g && g->list == LIST_DONE && age(f->ts_ns, g->ns) <= ECHO_NS) {
        d->stats->frag_duplicates++;
        return NULL;
    }
    if (g && g->list == LIST_OPEN && age(f->ts_ns, g->ns) > TIMEOUT_NS)
        d->stats->frag_timeout++;
    else if (g && g->list == LIST_OPEN)
        return g;
    if (g)
        drop(d, g);
    return add_dgram(d, &k, f->ts_ns);
}

enum defrag_verdict defrag_add(struct defrag *d, const struct frag *f, uint8_t *out, struct defrag_done *ret)
{
    d->stats->fragments++;
    /* RFC 8200 4.5: all but the last are multiples of 8; nothing reaches beyond the largest datagram. */
    if (f->data.n == 0 || (f->more && f->data.n % UNIT) || f->off % UNIT ||
        f->off + (uint64_t)f->data.n >= DEFRAG_MAX) {
        d->stats->frag_bad++;
        return DEFRAG_BAD;
    }
    expire(d, f->ts_ns);
    *ret = (struct defrag_done){0};
    struct dgram *g = get(d, f);
    if (!g)
        return DEFRAG_HELD;
    ret->overlap = !agrees(d, g, f) || put(d, g, f);
    if (f->off == 0 && !(f->ver == 6 && g->proto))
        g->proto = f->proto;
    if (g->total == NONE || g->units < (g->total + UNIT - 1) / UNIT)
        return DEFRAG_HELD;
    gather(d, g, out);
    *ret = (struct defrag_done){.data = {out, g->total}, .proto = g->proto, .overlap = g->overlap};
    give_blocks_back(d, g);
    list_remove(d, g);
    g->ns = f->ts_ns;
    list_append(d, g, LIST_DONE);
    d->stats->reassembled++;
    return DEFRAG_DONE;
}

static void chain_up(struct defrag *d, uint32_t n_blocks)
{
    for (uint32_t i = 0; i < d->n_dgrams; i++)
        d->dgrams[i].next_hash = i + 1 < d->n_dgrams ? i + 1 : NONE;
    for (uint32_t i = 0; i < n_blocks; i++)
        d->next_block[i] = i + 1 < n_blocks ? i + 1 : NONE;
    memset(d->heads, 0xff, ((size_t)d->mask + 1) * sizeof *d->heads);
    for (unsigned i = 0; i < N_LISTS; i++)
        d->lists[i] = LRU_EMPTY;
}

static uint32_t blocks_of(uint32_t bytes)
{
    return bytes / BLOCK < BLOCKS ? BLOCKS : bytes / BLOCK;
}

static uint32_t chains_of(uint32_t datagrams)
{
    uint32_t size = 4;
    while (size < UINT32_C(1) << 30 && size < datagrams * UINT64_C(2))
        size *= 2;
    return size;
}

uint64_t defrag_bytes(uint32_t datagrams, uint32_t bytes)
{
    const struct defrag *d = NULL;
    return sizeof *d + (datagrams ? datagrams : 1) * (sizeof *d->dgrams + sizeof *d->order) +
           chains_of(datagrams) * sizeof *d->heads +
           blocks_of(bytes) * (sizeof *d->next_block + sizeof *d->have + sizeof *d->data);
}

struct defrag *defrag_new(uint32_t datagrams, uint32_t bytes, uint64_t hash_key, struct decode_stats *stats)
{
    struct defrag *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    uint32_t n_blocks = blocks_of(bytes), size = chains_of(datagrams);
    d->n_dgrams = datagrams ? datagrams : 1;
    d->mask = size - 1;
    d->stats = stats;
    d->hash_key = hash_key;
    d->dgrams = calloc(d->n_dgrams, sizeof *d->dgrams);
    d->order = calloc(d->n_dgrams, sizeof *d->order);
    d->heads = calloc(size, sizeof *d->heads);
    d->next_block = calloc(n_blocks, sizeof *d->next_block);
    d->have = calloc(n_blocks, sizeof *d->have);
    d->data = calloc(n_blocks, sizeof *d->data);
    if (!d->dgrams || !d->order || !d->heads || !d->next_block || !d->have || !d->data) {
        defrag_free(d);
        return NULL;
    }
    chain_up(d, n_blocks);
    return d;
}

void defrag_free(struct defrag *d)
{
    if (!d)
        return;
    free(d->dgrams);
    free(d->order);
    free(d->heads);
    free(d->next_block);
    free(d->have);
    free(d->data);
    free(d);
}
