/* asm.c: second-stage messages that span PDUs, bounded, one list a flow. */
#include "dissectors/runtime.h"

static struct cur bad(void)
{
    return (struct cur){.bad_ = true};
}

static uint32_t find(const struct dis_ctx *x, uint32_t key)
{
    uint32_t i = x->fr->asm_head;
    while (i != RT_NONE && (x->rt->asm_msg[i].key != key || x->rt->asm_msg[i].dir != x->dir))
        i = x->rt->asm_msg[i].next;
    return i;
}

static void unlink_msg(struct dis_rt *rt, uint32_t i)
{
    struct asm_msg *m = &rt->asm_msg[i];
    uint32_t *at = &m->fr->asm_head;
    while (*at != i)
        at = &rt->asm_msg[*at].next;
    *at = m->next;
    lru_remove(&rt->asm_used, rt->asm_order, i);
    m->used = 0;
    m->next = rt->asm_free;
    rt->asm_free = i;
}

static void drop(struct dis_rt *rt, uint32_t i)
{
    buf_put(&rt->asm_pool, &rt->asm_msg[i].buf);
    unlink_msg(rt, i);
}

static uint32_t new_msg(struct dis_ctx *x, uint32_t key)
{
    struct dis_rt *rt = x->rt;
    if (rt->asm_free == RT_NONE) {
        rt->stats.asm_evicted++;
        drop(rt, rt->asm_used.oldest);
    }
    uint32_t i = rt->asm_free;
    struct asm_msg *m = &rt->asm_msg[i];
    rt->asm_free = m->next;
    *m = (struct asm_msg){.fr = x->fr, .key = key, .dir = x->dir, .used = 1, .next = x->fr->asm_head};
    x->fr->asm_head = i;
    lru_add(&rt->asm_used, rt->asm_order, i);
    return i;
}

/* Room for n bytes in message i; moves to a larger buffer, evicting other messages if need be. */
static bool grow(struct dis_rt *rt, uint32_t i, uint32_t n)
{
    struct asm_msg *m = &rt->asm_msg[i];
    if (m->buf.p && m->buf.cap >= n)
        return true;
    struct buf b = buf_get(&rt->asm_pool, n);
    for (uint32_t v = rt->asm_used.oldest, newer; !b.p && v != RT_NONE; v = newer) {
        newer = rt->asm_order[v].newer;
        if (v == i || rt->asm_msg[v].buf.cap < n)
            continue;
        rt->stats.asm_evicted++;
        drop(rt, v);
        b = buf_get(&rt->asm_pool, n);
    }
    if (!b.p)
        return false;
    if (m->len)
        memcpy(b.p, m->buf.p, m->len);
    buf_put(&rt->asm_pool, &m->buf);
    m->buf = b;
    return true;
}

struct cur asm_append(struct dis_ctx *x, uint32_t key, struct span s, bool first, bool last)
{
    struct dis_rt *rt = x->rt;
    uint32_t i = find(x, key);
    rt->acts++;
    buf_put(&rt->asm_pool, &rt->asm_done);
    if (first && i != RT_NONE) {
        drop(rt, i);
        i = RT_NONE;
    }
    if (first && last)
        return cur_span(s);
    if (x->cut && !last) { /* a piece that is not whole makes no whole message */
        if (i != RT_NONE)
            drop(rt, i);
        return bad();
    }
    if (i == RT_NONE) {
        if (!first)
            return bad();
        i = new_msg(x, key);
    }
    struct asm_msg *m = &rt->asm_msg[i];
    if (s.n > LIM_ASM - m->len || !grow(rt, i, m->len + s.n ? m->len + s.n : 1)) {
        rt->stats.asm_too_big++;
        drop(rt, i);
        return bad();
    }
    if (s.n)
        memcpy(m->buf.p + m->len, s.p, s.n);
    m->len += s.n;
    if (!last)
        return bad();
    rt->asm_done = m->buf;
    struct cur c = cur_make(m->buf.p, m->len);
    unlink_msg(rt, i);
    return c;
}

bool asm_kept(const struct dis_ctx *x, uint32_t key, uint32_t *ret_n)
{
    uint32_t i = find(x, key);
    x->rt->acts++;
    *ret_n = i == RT_NONE ? 0 : x->rt->asm_msg[i].len;
    return i != RT_NONE;
}

bool asm_drop(struct dis_ctx *x, uint32_t key)
{
    uint32_t i = find(x, key);
    x->rt->acts++;
    if (i == RT_NONE)
        return false;
    drop(x->rt, i);
    return true;
}

void asm_gap(struct dis_ctx *x)
{
    for (uint32_t i = x->fr->asm_head, next; i != RT_NONE; i = next) {
        next = x->rt->asm_msg[i].next;
        if (x->rt->asm_msg[i].dir == x->dir)
            drop(x->rt, i);
    }
}
