/* flood.c: captures that try to drown a sensor, written to standard output as fast as a pipe takes them.
 *
 *   flood KIND N [SEED]
 *
 * plant      N rounds of two polls of a small plant, one every second: what is normal (an HMI reads an S7 controller,
 *            a SCADA server reads and writes ten registers of a Modbus controller)
 * The others are N packets of rubbish around the same plant, with a real attack in their middle: the S7 controller is
 * stopped, and a Modbus register far from the learned ones is written, both on learned pairs.
 * flows      N connections and datagrams, no two of the same addresses and ports
 * sources    N senders that do not exist, each with an address and a MAC of its own
 * onebyte    Modbus requests in segments of one byte
 * jumps      TCP sequence numbers that jump about
 * holes      segments that leave thousands of holes
 * halfopen   SYN and SYN-ACK, never more
 * fragments  first and middle fragments of IP datagrams that are never completed
 * clock      time that goes back, years ahead, and to 1970 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ETH = 14, IP = 20, TCP = 20, FIN = 1, SYN = 2, PSH = 8, ACK = 16 };
enum { HMI = 0x0a010010, SCADA = 0x0a010011, S7 = 0x0a010020, MODBUS = 0x0a010021 };

static uint64_t now_us = UINT64_C(1767607200000000), rng_state;

/* xorshift64*: fast, the same everywhere. */
static uint64_t rng(void)
{
    rng_state ^= rng_state >> 12;
    rng_state ^= rng_state << 25;
    rng_state ^= rng_state >> 27;
    return rng_state * UINT64_C(2685821657736338717);
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)((rng() >> 32) * n >> 32);
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static void frame_out(const uint8_t *p, uint32_t n)
{
    uint32_t head[4] = {(uint32_t)(now_us / 1000000), (uint32_t)(now_us % 1000000), n, n};
    fwrite_unlocked(head, sizeof head, 1, stdout);
    fwrite_unlocked(p, n, 1, stdout);
}

struct ends {
    uint32_t src, dst;
    uint64_t src_mac; /* 0: made of the address */
};

/* Ethernet and IPv4 in front of n bytes that lie at p + ETH + IP. frag: the flags and offset field. */
static void ip_out(uint8_t *p, const struct ends *e, uint8_t proto, uint32_t n, uint16_t id, uint16_t frag)
{
    uint64_t mac = e->src_mac ? e->src_mac : UINT64_C(0x020000000000) | e->src;
    memset(p, 0, ETH + IP);
    put16(p, 0x0200);
    put32(p + 2, e->dst);
    put16(p + 6, (uint32_t)(mac >> 32));
    put32(p + 8, (uint32_t)mac);
    put16(p + 12, 0x0800);
    uint8_t *ip = p + ETH;
    ip[0] = 0x45;
    put16(ip + 2, IP + n);
    put16(ip + 4, id);
    put16(ip + 6, frag);
    ip[8] = 64;
    ip[9] = proto;
    put32(ip + 12, e->src);
    put32(ip + 16, e->dst);
    uint32_t sum = 0;
    for (unsigned i = 0; i < IP; i += 2)
        sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
    frame_out(p, ETH + IP + n);
}

static void udp_out(const struct ends *e, uint16_t sport, uint16_t dport, const void *data, uint32_t n)
{
    uint8_t p[2048];
    uint8_t *u = p + ETH + IP;
    put16(u, sport);
    put16(u + 2, dport);
    put16(u + 4, 8 + n);
    put16(u + 6, 0);
    memcpy(u + 8, data, n);
    ip_out(p, e, 17, 8 + n, (uint16_t)rng(), 0);
}

static void tcp_out(const struct ends *e, uint16_t sport, uint16_t dport, uint32_t seq, uint32_t ack, uint8_t flags,
                    const void *data, uint32_t n)
{
    uint8_t p[2048];
    uint8_t *t = p + ETH + IP;
    memset(t, 0, TCP);
    put16(t, sport);
    put16(t + 2, dport);
    put32(t + 4, seq);
    put32(t + 8, ack);
    t[12] = 0x50;
    t[13] = flags;
    put16(t + 14, 8192);
    if (n)
        memcpy(t + TCP, data, n);
    ip_out(p, e, 6, TCP + n, (uint16_t)rng(), 0);
}

/* ---- the plant ---- */

struct conn { /* [0] client, [1] server */
    uint32_t addr[2], seq[2];
    uint16_t port[2];
};

static void conn_send(struct conn *c, unsigned side, uint8_t flags, const void *data, uint32_t n)
{
    struct ends e = {.src = c->addr[side], .dst = c->addr[1 - side]};
    tcp_out(&e, c->port[side], c->port[1 - side], c->seq[side], c->seq[1 - side], flags, data, n);
    c->seq[side] += n + ((flags & (SYN | FIN)) != 0);
    now_us += 200;
}

static void conn_open(struct conn *c, uint32_t client, uint16_t port, uint32_t server, uint16_t server_port)
{
    *c =
        (struct conn){.addr = {client, server}, .port = {port, server_port}, .seq = {(uint32_t)rng(), (uint32_t)rng()}};
    conn_send(c, 0, SYN, NULL, 0);
    conn_send(c, 1, SYN | ACK, NULL, 0);
    conn_send(c, 0, ACK, NULL, 0);
}

static void s7_out(struct conn *c, unsigned side, uint8_t rosctr, uint16_t ref, const void *param, uint16_t n_param,
                   const void *data, uint16_t n_data)
{
    uint8_t p[256] = {3, 0, 0, 0, 2, 0xf0, 0x80, 0x32, rosctr};
    uint8_t *s = p + 7;
    uint32_t head = rosctr == 3 ? 12 : 10;
    put16(s + 4, ref);
    put16(s + 6, n_param);
    put16(s + 8, n_data);
    memcpy(s + head, param, n_param);
    if (n_data)
        memcpy(s + head + n_param, data, n_data);
    uint32_t n = 7 + head + n_param + n_data;
    put16(p + 2, n);
    conn_send(c, side, PSH | ACK, p, n);
}

static void s7_open(struct conn *c, uint16_t port)
{
    static const uint8_t request[] = {3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2};
    static const uint8_t confirm[] = {3, 0, 0, 22, 17, 0xd0, 0, 1, 0, 2, 0, 0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2};
    static const uint8_t setup[] = {0xf0, 0, 0, 1, 0, 1, 0, 240};
    conn_open(c, HMI, port, S7, 102);
    conn_send(c, 0, PSH | ACK, request, sizeof request);
    conn_send(c, 1, PSH | ACK, confirm, sizeof confirm);
    s7_out(c, 0, 1, 0, setup, sizeof setup, NULL, 0);
    s7_out(c, 1, 3, 0, setup, sizeof setup, NULL, 0);
}

static void s7_poll(struct conn *c, uint16_t ref)
{
    static const uint8_t read[] = {4, 1, 0x12, 10, 0x10, 2, 0, 4, 0, 1, 0x84, 0, 0, 0}, got[] = {4, 1};
    uint8_t value[] = {0xff, 4, 0, 32, 0, 0, 0, (uint8_t)ref};
    s7_out(c, 0, 1, ref, read, sizeof read, NULL, 0);
    s7_out(c, 1, 3, ref, got, sizeof got, value, sizeof value);
}

static void s7_stop(struct conn *c, uint16_t ref)
{
    static const uint8_t stop[] = {0x29, 0, 0, 0, 0, 0, 9, 'P', '_', 'P', 'R', 'O', 'G', 'R', 'A', 'M'},
                         done[] = {0x29};
    s7_out(c, 0, 1, ref, stop, sizeof stop, NULL, 0);
    s7_out(c, 1, 3, ref, done, sizeof done, NULL, 0);
}

static void modbus_out(struct conn *c, unsigned side, uint16_t tx, const void *pdu, uint16_t n)
{
    uint8_t p[128] = {0};
    put16(p, tx);
    put16(p + 4, n + 1u);
    p[6] = 1;
    memcpy(p + 7, pdu, n);
    conn_send(c, side, PSH | ACK, p, 7u + n);
}

static void modbus_write(struct conn *c, uint16_t tx, uint16_t reg, uint16_t value)
{
    uint8_t pdu[5] = {6};
    put16(pdu + 1, reg);
    put16(pdu + 3, value);
    modbus_out(c, 0, tx, pdu, sizeof pdu);
    modbus_out(c, 1, tx, pdu, sizeof pdu);
}

static void modbus_poll(struct conn *c, uint16_t tx)
{
    static const uint8_t read[] = {3, 0, 0, 0, 10};
    uint8_t got[22] = {3, 20};
    got[21] = (uint8_t)tx;
    modbus_out(c, 0, tx, read, sizeof read);
    modbus_out(c, 1, tx, got, sizeof got);
    modbus_write(c, (uint16_t)(tx + 1), tx / 2 % 10, 100);
}

struct plant {
    struct conn s7, modbus;
    uint64_t next_us;
    uint16_t n;
};

static void plant_open(struct plant *p, uint16_t port)
{
    s7_open(&p->s7, port);
    conn_open(&p->modbus, SCADA, port, MODBUS, 502);
    p->next_us = now_us;
    p->n = 1;
}

static void plant_poll(struct plant *p)
{
    if (now_us < p->next_us)
        return;
    p->next_us = now_us + 1000000;
    s7_poll(&p->s7, p->n);
    modbus_poll(&p->modbus, (uint16_t)(2 * p->n));
    p->n++;
}

static void plant_attack(struct plant *p)
{
    s7_stop(&p->s7, p->n++);
    modbus_write(&p->modbus, (uint16_t)(2 * p->n++), 4000, 1);
}

/* ---- floods: one packet, or a few ---- */

/* i spread over all of 32 bits, each once. */
static uint32_t scatter(uint32_t i)
{
    i *= 2654435769u;
    i ^= i >> 15;
    return i * 2246822519u;
}

static void flood_flows(uint64_t i)
{
    static const uint8_t junk[40] = "no dissector knows this, nor does anyone";
    static const uint16_t ports[] = {502, 102, 20000, 44818, 2404, 80, 443, 4444};
    uint32_t h = scatter((uint32_t)i);
    struct ends e = {.src = 0x0a020000 | (h & 0xffff), .dst = 0x0a030000 | (uint32_t)(i >> 16 & 0xff)};
    uint16_t sport = (uint16_t)(1024 + (h >> 16) % 60000), dport = ports[i % 8];
    if (i % 3 == 0)
        tcp_out(&e, sport, dport, h, 0, SYN, NULL, 0);
    else if (i % 3 == 1)
        tcp_out(&e, sport, dport, h, 1, PSH | ACK, junk, sizeof junk);
    else
        udp_out(&e, sport, dport, junk, sizeof junk);
}

static void flood_sources(uint64_t i)
{
    uint32_t h = scatter((uint32_t)i);
    struct ends e = {.src = 0x0b000000 + (h & 0xffffff), .dst = i % 2 ? S7 : MODBUS,
                     .src_mac = UINT64_C(0x060000000000) | h};
    static const uint8_t ping[] = {8, 0, 0xf7, 0xfd, 0, 1, 0, 1};
    uint8_t p[128] = {0};
    if (i % 4 == 0) { /* ARP: who is S7? */
        memset(p, 0xff, 6);
        put16(p + 6, 0x0600);
        put32(p + 8, h);
        memcpy(p + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
        memcpy(p + 22, p + 6, 6);
        put32(p + 28, e.src);
        put32(p + 38, e.dst);
        frame_out(p, 60);
    } else if (i % 4 == 1) {
        memcpy(p + ETH + IP, ping, sizeof ping);
        ip_out(p, &e, 1, sizeof ping, (uint16_t)i, 0);
    } else if (i % 4 == 2) {
        tcp_out(&e, (uint16_t)(h | 1024), 502, h, 0, SYN, NULL, 0);
    } else {
        udp_out(&e, (uint16_t)(h | 1024), 161, ping, sizeof ping);
    }
}

/* A hundred connections that send requests byte by byte. */
static void flood_onebyte(uint64_t i)
{
    static const uint8_t request[] = {0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10};
    uint32_t conn = (uint32_t)(i % 100), at = (uint32_t)(i / 100);
    struct ends e = {.src = 0x0a040000 | conn, .dst = 0x0a050000 | conn};
    if (!at && conn < 80) /* the others are picked up in their middle */
        tcp_out(&e, (uint16_t)(5000 + conn), 502, at, 0, SYN, NULL, 0);
    else
        tcp_out(&e, (uint16_t)(5000 + conn), 502, at, 1, PSH | ACK, &request[(at + 11) % sizeof request], 1);
}

static void flood_jumps(uint64_t i)
{
    static const uint8_t junk[64] = {0, 1, 0, 0, 0, 200, 1, 3};
    uint32_t conn = (uint32_t)(i % 500);
    struct ends e = {.src = 0x0a040000 | conn, .dst = 0x0a050000 | conn};
    tcp_out(&e, (uint16_t)(5000 + conn), 502, (uint32_t)rng(), (uint32_t)rng(), PSH | ACK, junk,
            1 + below(sizeof junk - 1));
}

/* Every second byte range is missing, near enough to be waited for. */
static void flood_holes(uint64_t i)
{
    static const uint8_t junk[64] = {0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10};
    uint32_t conn = (uint32_t)(i % 200), n = (uint32_t)(i / 200);
    struct ends e = {.src = 0x0a040000 | conn, .dst = 0x0a050000 | conn};
    tcp_out(&e, (uint16_t)(5000 + conn), 502, n ? 1000 + (n ^ 5) * 24 : 1, 1, PSH | ACK, junk, 12);
}

static void flood_halfopen(uint64_t i)
{
    uint32_t h = scatter((uint32_t)(i / 2));
    struct ends e = {.src = 0x0a020000 | (h & 0xfff), .dst = 0x0a030000 | (h >> 12 & 15)};
    uint16_t port = (uint16_t)(1024 + (h >> 16) % 60000);
    if (i % 2 == 0) {
        tcp_out(&e, port, 502, h, 0, SYN, NULL, 0);
        return;
    }
    struct ends back = {.src = e.dst, .dst = e.src};
    tcp_out(&back, 502, port, ~h, h + 1, SYN | ACK, NULL, 0);
}

/* Now and then two of one datagram, now and then offsets that overlap. */
static void flood_fragments(uint64_t i)
{
    uint8_t p[2048];
    struct ends e = {.src = 0x0a040000 | below(4096), .dst = MODBUS};
    memset(p + ETH + IP, (int)i, 1480);
    uint32_t n = 8 * (1 + below(i % 64 ? 4 : 184)), off = below(2) ? below(8000) : 0;
    ip_out(p, &e, 17, n, (uint16_t)(i / 3), (uint16_t)(0x2000 | off));
}

static uint64_t clock_of(uint64_t i, uint64_t us)
{
    static const uint64_t year = UINT64_C(31557600000000);
    switch (i / 1000 % 8) {
    case 1: return us - 1000 * (i % 1000);        /* backwards by milliseconds */
    case 2: return us + 20 * year;
    case 3: return i % 1000 * 1000000;            /* 1970 */
    case 4: return us - 5 * year;
    case 5: return UINT64_C(0xffffffff) * 1000000; /* 2106: the last second of the format */
    case 6: return i % 2 ? us : us + year;
    default: return us;
    }
}

static void flood_clock(uint64_t i)
{
    uint64_t us = now_us;
    now_us = clock_of(i, us);
    flood_flows(i % 5000);
    now_us = us;
}

static const struct kind {
    const char *name;
    void (*one)(uint64_t i);
    uint32_t step_us; /* packet time from one to the next */
} kinds[] = {
    {"flows", flood_flows, 10},    {"sources", flood_sources, 20}, {"onebyte", flood_onebyte, 100},
    {"jumps", flood_jumps, 50},    {"holes", flood_holes, 50},     {"halfopen", flood_halfopen, 10},
    {"fragments", flood_fragments, 20}, {"clock", flood_clock, 100},
};

static void drown(const struct kind *k, uint64_t n)
{
    struct plant p;
    plant_open(&p, 50001);
    for (uint64_t i = 0; i < n; i++) {
        k->one(i);
        now_us += k->step_us;
        plant_poll(&p);
        if (i == n / 2)
            plant_attack(&p);
    }
    now_us += 2000000; /* the polls of afterwards show that the sensor still follows */
    plant_poll(&p);
}

static void live(uint64_t rounds)
{
    struct plant p;
    plant_open(&p, 50000);
    for (uint64_t i = 0; i < rounds; i++) {
        now_us += 1000000;
        plant_poll(&p);
    }
}

int main(int argc, char **argv)
{
    static const uint32_t head[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    static char buf[1 << 18];
    const struct kind *k = NULL;
    for (unsigned i = 0; argc > 2 && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, argv[1]) == 0)
            k = &kinds[i];
    if (argc < 3 || (!k && strcmp(argv[1], "plant") != 0)) {
        fputs("usage: flood KIND N [SEED]\n", stderr);
        return 2;
    }
    uint64_t n = strtoull(argv[2], NULL, 10);
    rng_state = argc > 3 ? strtoull(argv[3], NULL, 10) | 1 : UINT64_C(88172645463325252);
    setvbuf(stdout, buf, _IOFBF, sizeof buf);
    fwrite(head, sizeof head, 1, stdout);
    if (k) {
        now_us += UINT64_C(86400) * 1000000; /* the day after the plant was learned */
        drown(k, n);
    } else {
        live(n);
    }
    return fflush(stdout) != 0 || ferror(stdout);
}
