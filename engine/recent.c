#include "engine/recent.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/limits.h"

enum { ALIGN = 64, MOST = 65536, PAD = UINT32_MAX };

struct entry {
    uint32_t len, caplen; /* of all of it, a multiple of ALIGN; PAD: nothing up to the ring's end */
    uint32_t wirelen, linktype;
    uint64_t ts_ns;
    uint16_t iface, pad_[3];
    struct addr lo, hi;
};
_Static_assert(sizeof(struct entry) == ALIGN, "an entry's head is one line");

struct recent {
    uint8_t *buf;
    uint64_t cap;
    uint64_t at, old;              /* the writer's own copies of the two */
    _Atomic uint64_t head, tail;   /* entries lie in [tail, head) */
    uint64_t pos, end;             /* the reader's place, and where it will stop */
    struct entry e;                /* the entry there, */
    uint8_t copy[sizeof(struct entry) + MOST]; /* and its packet */
};

struct recent *recent_new(uint64_t bytes)
{
    struct recent *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->cap = bytes;
    r->buf = aligned_alloc(ALIGN, bytes);
    if (r->buf)
        return r;
    free(r);
    return NULL;
}

void recent_free(struct recent *r)
{
    if (!r)
        return;
    free(r->buf);
    free(r);
}

static struct entry *entry_at(const struct recent *r, uint64_t pos)
{
    return (struct entry *)(void *)(r->buf + (pos & (r->cap - 1)));
}

/* Forget the oldest until n bytes are free; that is told before anything is overwritten. */
static void make_room(struct recent *r, uint64_t n)
{
    uint64_t before = r->old;
    while (r->at + n - r->old > r->cap)
        r->old += entry_at(r, r->old)->len;
    if (r->old == before)
        return;
    atomic_store_explicit(&r->tail, r->old, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

void recent_add(struct recent *r, const struct pkt *p, const struct addr *lo, const struct addr *hi)
{
    uint32_t caplen = p->caplen < MOST ? p->caplen : MOST;
    uint32_t len = (uint32_t)(sizeof(struct entry) + caplen + ALIGN - 1) & ~(uint32_t)(ALIGN - 1);
    uint64_t to_end = r->cap - (r->at & (r->cap - 1));
    if (to_end < len) {
        make_room(r, to_end);
        struct entry *pad = entry_at(r, r->at);
        pad->len = (uint32_t)to_end;
        pad->caplen = PAD;
        r->at += to_end;
    }
    make_room(r, len);
    struct entry *e = entry_at(r, r->at);
    *e = (struct entry){.len = len, .caplen = caplen, .wirelen = p->wirelen, .linktype = p->linktype, .ts_ns = p->ts_ns,
                        .iface = p->iface, .lo = *lo, .hi = *hi};
    memcpy(e + 1, p->data, caplen);
    r->at += len;
    atomic_store_explicit(&r->head, r->at, memory_order_release);
}

/* What was copied counts only if the writer had not come that far by then. */
static bool still_there(struct recent *r, uint64_t pos)
{
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&r->tail, memory_order_acquire) <= pos;
}

/* The next packet; false: no more. */
static bool look(struct recent *r)
{
    while (r->pos < r->end) {
        memcpy(&r->e, entry_at(r, r->pos), sizeof r->e);
        bool fits = r->e.caplen <= MOST;
        if (fits)
            memcpy(r->copy, entry_at(r, r->pos) + 1, r->e.caplen);
        if (!still_there(r, r->pos)) {
            r->pos = atomic_load_explicit(&r->tail, memory_order_acquire);
            continue;
        }
        r->pos += r->e.len;
        if (fits)
            return true;
    }
    return false;
}

void recent_each(struct recent *const *r, unsigned n, bool (*f)(void *arg, const struct recent_packet *p), void *arg)
{
    bool has[N_SHARDS]; /* a reader is a worker at the same time, where there are several */
    for (unsigned i = 0; i < n; i++) {
        r[i]->end = atomic_load_explicit(&r[i]->head, memory_order_acquire);
        r[i]->pos = atomic_load_explicit(&r[i]->tail, memory_order_acquire);
        has[i] = look(r[i]);
    }
    for (;;) {
        struct recent *old = NULL;
        unsigned at = 0;
        for (unsigned i = 0; i < n; i++) {
            if (!has[i] || (old && r[i]->e.ts_ns >= old->e.ts_ns))
                continue;
            old = r[i];
            at = i;
        }
        if (!old)
            return;
        const struct entry *e = &old->e;
        struct recent_packet p = {.ts_ns = e->ts_ns, .lo = e->lo, .hi = e->hi, .caplen = e->caplen,
                                  .wirelen = e->wirelen, .linktype = e->linktype, .iface = e->iface, .data = old->copy};
        if (!f(arg, &p))
            return;
        has[at] = look(old);
    }
}
