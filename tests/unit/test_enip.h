/* test_enip.h: writes EtherNet/IP messages for the tests of the dissector. CIP is given as hex. */
#pragma once

#pragma GCC diagnostic ignored "-Wunused-function"
#include "dis_feed.h"

extern const struct dissector dissector_enip;

struct pdu {
    uint8_t b[8192];
    uint32_t n;
};

static inline void put16(struct pdu *p, unsigned v)
{
    p->b[p->n++] = (uint8_t)v;
    p->b[p->n++] = (uint8_t)(v >> 8);
}

static inline void put32(struct pdu *p, uint32_t v)
{
    put16(p, v & 0xffff);
    put16(p, v >> 16);
}

static inline void put_hex(struct pdu *p, const char *hex)
{
    p->n += feed_hex(hex, p->b + p->n, (uint32_t)sizeof p->b - p->n);
}

static inline void put_header(struct pdu *p, unsigned command, unsigned len, uint32_t session, uint32_t status,
                              uint32_t context)
{
    p->n = 0;
    put16(p, command);
    put16(p, len);
    put32(p, session);
    put32(p, status);
    put32(p, context);
    put32(p, 0);
    put32(p, 0);
}

/* A command with data as hex. */
static inline void send_cmd(struct feed *f, int from_server, unsigned command, uint32_t session, uint32_t status,
                            uint32_t context, const char *hex)
{
    struct pdu d = {.n = 0}, p;
    put_hex(&d, hex);
    put_header(&p, command, d.n, session, status, context);
    memcpy(p.b + p.n, d.b, d.n);
    feed_bytes(f, from_server, p.b, p.n + d.n);
}

/* CIP in SendRRData. */
static inline void rr(struct feed *f, int from_server, uint32_t context, const char *cip)
{
    struct pdu d = {.n = 0}, p;
    put_hex(&d, cip);
    put_header(&p, 0x6f, d.n + 16, 0x11, 0, context);
    put32(&p, 0);
    put16(&p, 0);
    put16(&p, 2);
    put32(&p, 0);
    put16(&p, 0xb2);
    put16(&p, d.n);
    memcpy(p.b + p.n, d.b, d.n);
    feed_bytes(f, from_server, p.b, p.n + d.n);
}

/* CIP in SendUnitData. */
static inline void unit(struct feed *f, int from_server, uint32_t conn, unsigned seq, const char *cip)
{
    struct pdu d = {.n = 0}, p;
    put_hex(&d, cip);
    put_header(&p, 0x70, d.n + 22, 0x11, 0, 0);
    put32(&p, 0);
    put16(&p, 0);
    put16(&p, 2);
    put16(&p, 0xa1);
    put16(&p, 4);
    put32(&p, conn);
    put16(&p, 0xb1);
    put16(&p, d.n + 2);
    put16(&p, seq);
    memcpy(p.b + p.n, d.b, d.n);
    feed_bytes(f, from_server, p.b, p.n + d.n);
}

/* A datagram: one PDU by itself. */
static inline enum verdict datagram(struct feed *f, int from_server, const char *hex)
{
    struct pdu p = {.n = 0};
    struct dis_ctx x;
    put_hex(&p, hex);
    uint8_t *copy = malloc(p.n ? p.n : 1);
    memcpy(copy, p.b, p.n);
    f->transport = DIS_UDP;
    f->frame++;
    f->now_ns += 1000000;
    feed_fill(f, &x, from_server);
    enum verdict v = dissector_enip.parse(cur_make(copy, p.n), &x);
    f->transport = DIS_TCP;
    free(copy);
    return v;
}

static inline struct feed *enip_feed(void)
{
    return feed_new(&dissector_enip, 44818, 1, 1);
}

/* Looks for a text in everything written so far. */
#define HAS(f, want) ck_assert_msg(strstr((f)->text, want) != NULL, "no \"%s\" in\n%s", want, (f)->text)
#define HAS_NOT(f, bad) ck_assert_msg(strstr((f)->text, bad) == NULL, "\"%s\" in\n%s", bad, (f)->text)
