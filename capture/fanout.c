/* fanout.c: the kernel spreads an interface's packets over sockets (packet(7), PACKET_FANOUT), by a program in classic
 * BPF: that needs no privilege beyond CAP_NET_RAW, which the sensor keeps. */
#include "capture/fanout.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "engine/base/spread.h"

/* ---- the program ----
 *
 * Offsets count from the network header (NET) and the link header (LINK), wherever the kernel has them: it takes the
 * first VLAN tag off before. X is how far tags and an HSR tag in the bytes have moved the network header. A load beyond
 * what is there ends the program with 0. */

enum { SRC, DST, AT, WORD }; /* cells of scratch memory */

enum { LABEL = 0xffff }; /* a line that is no instruction */
enum label { NEXT, TAG1, TAG2, TYPE, HSR, LLC, MAC, ARP, IP4, UDP4, IP4_PAIR, V4, IP6, UDP6, IP6_PAIR, ONE, PAIR,
             HIDDEN };

struct line {
    uint16_t code;
    uint8_t yes, no; /* labels, the next such line below; NEXT: the line below */
    uint32_t k;
};

#define NET(off) ((uint32_t)SKF_NET_OFF + (off))
#define LINK(off) ((uint32_t)SKF_LL_OFF + (off))
#define AT_LABEL(l) {LABEL, 0, 0, l}
#define OP(c, v) {(c), 0, 0, (v)}
#define IF(v, l) {BPF_JMP | BPF_JEQ | BPF_K, l, NEXT, (v)}
#define UNLESS(v, l) {BPF_JMP | BPF_JEQ | BPF_K, NEXT, l, (v)}
#define GO(l) {BPF_JMP | BPF_JA, l, l, 0}
#define LOAD(size, off) OP(BPF_LD | (size) | BPF_IND, NET(off))  /* A = what lies behind X */
#define LOAD_LINK(size, off) OP(BPF_LD | (size) | BPF_ABS, LINK(off))
#define ALU(op, v) OP(BPF_ALU | (op) | BPF_K, v)
#define ALU_X(op) OP(BPF_ALU | (op) | BPF_X, 0)
#define TO_X OP(BPF_MISC | BPF_TAX, 0)
#define TO_A OP(BPF_MISC | BPF_TXA, 0)
#define KEEP(cell) OP(BPF_ST, cell)
#define TAKE(cell) OP(BPF_LD | BPF_MEM, cell)
#define TAKE_X(cell) OP(BPF_LDX | BPF_MEM, cell)
#define FOLD(r) TO_X, ALU(BPF_RSH, r), ALU_X(BPF_XOR) /* A ^= A >> r; X is lost */

/* spread_step() and spread_end() */
#define STEP ALU(BPF_MUL, SPREAD_M1), FOLD(SPREAD_R1)
#define END ALU(BPF_MUL, SPREAD_M2), FOLD(SPREAD_R2)
#define STEP_WITH(cell) TAKE_X(cell), ALU_X(BPF_XOR), STEP

/* Four words from this offset on -> cell. */
#define NEXT6(off, cell) KEEP(cell), TAKE_X(AT), LOAD(BPF_W, off), STEP_WITH(cell)
#define HASH6(off, cell) \
    LOAD(BPF_W, off), STEP, NEXT6((off) + 4, cell), NEXT6((off) + 8, cell), NEXT6((off) + 12, cell), END, KEEP(cell)
/* Two bytes, then four: "MA" stands before a MAC. */
#define HASH_MAC(off, cell) \
    LOAD_LINK(BPF_H, off), ALU(BPF_OR, UINT32_C(0x4d410000)), STEP, KEEP(cell), LOAD_LINK(BPF_W, (off) + 2), \
        STEP_WITH(cell), END, KEEP(cell)
#define HASH4(cell) TAKE(cell), ALU(BPF_XOR, SPREAD_V4), STEP, END, KEEP(cell)

/* A tag of n bytes, whose last two are the type. */
#define SKIP(n) LOAD(BPF_H, (n) - 2), KEEP(WORD), TO_A, ALU(BPF_ADD, n), TO_X, TAKE(WORD)
#define IF_VLAN(l) IF(0x8100, l), IF(0x88a8, l), IF(0x9100, l), IF(0x9200, l)
#define IF_TUNNEL_PORT IF(4789, HIDDEN), IF(8472, HIDDEN), IF(6081, HIDDEN), IF(4754, HIDDEN)

static const struct line listing[] = {
    OP(BPF_LDX | BPF_IMM, 0),
    OP(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
    IF_VLAN(TAG1),
    GO(TYPE),
    AT_LABEL(TAG1), SKIP(4), IF_VLAN(TAG2), GO(TYPE),
    AT_LABEL(TAG2), SKIP(4),
    AT_LABEL(TYPE),
    IF(0x0800, IP4), IF(0x86dd, IP6), IF(0x0806, ARP), IF(0x892f, HSR),
    IF_VLAN(HIDDEN), /* a third tag */
    IF(0x8847, HIDDEN), IF(0x8848, HIDDEN), IF(0x8864, HIDDEN), /* MPLS, PPPoE */
    IF(0x88e7, HIDDEN), IF(0x8926, HIDDEN), IF(0x8909, HIDDEN), /* PBB, VN-Tag, MetaData */
    IF(0xd28b, HIDDEN), /* a broker's time stamp */
    {BPF_JMP | BPF_JGE | BPF_K, MAC, LLC, 0x0600},
    AT_LABEL(LLC), /* a length, or the kernel's number for it: SNAP may hold IP */
    LOAD(BPF_H, 0), IF(0xaaaa, HIDDEN), GO(MAC),
    AT_LABEL(HSR),
    SKIP(6), IF(0x0800, IP4), IF(0x86dd, IP6), IF(0x0806, ARP), IF_VLAN(HIDDEN),
    {BPF_JMP | BPF_JGE | BPF_K, MAC, HIDDEN, 0x0600},

    AT_LABEL(HIDDEN), OP(BPF_RET | BPF_K, 0), /* a jump reaches 255 lines: there are three of these */

    AT_LABEL(ARP), /* RFC 826: Ethernet and IPv4 addresses */
    LOAD(BPF_W, 0), UNLESS(0x00010800, MAC), LOAD(BPF_H, 4), UNLESS(0x0604, MAC),
    LOAD(BPF_W, 14), KEEP(SRC), LOAD(BPF_W, 24), KEEP(DST), GO(V4),

    AT_LABEL(MAC),
    HASH_MAC(6, SRC),
    LOAD_LINK(BPF_B, 0), ALU(BPF_AND, 1), IF(1, ONE),
    HASH_MAC(0, DST),
    GO(PAIR),

    AT_LABEL(IP4),
    LOAD(BPF_B, 0), {BPF_JMP | BPF_JGE | BPF_K, NEXT, HIDDEN, 0x45}, {BPF_JMP | BPF_JGT | BPF_K, HIDDEN, NEXT, 0x4f},
    LOAD(BPF_B, 9), IF(17, UDP4), IF(4, HIDDEN), IF(41, HIDDEN), IF(47, HIDDEN), IF(51, HIDDEN), IF(97, HIDDEN),
    IF(137, HIDDEN), GO(IP4_PAIR),
    AT_LABEL(UDP4), /* fragments have no ports, but for the first: they follow the addresses */
    LOAD(BPF_H, 6), ALU(BPF_AND, 0x3fff), UNLESS(0, IP4_PAIR),
    TO_A, KEEP(AT), LOAD(BPF_B, 0), ALU(BPF_AND, 15), ALU(BPF_LSH, 2), ALU_X(BPF_ADD), TO_X, LOAD(BPF_H, 2),
    IF_TUNNEL_PORT, TAKE_X(AT),
    AT_LABEL(IP4_PAIR),
    LOAD(BPF_W, 12), KEEP(SRC), LOAD(BPF_W, 16), KEEP(DST),
    AT_LABEL(V4),
    HASH4(SRC),
    TAKE(DST), IF(UINT32_C(0xffffffff), ONE), ALU(BPF_AND, UINT32_C(0xf0000000)), IF(UINT32_C(0xe0000000), ONE),
    HASH4(DST),
    GO(PAIR),

    AT_LABEL(HIDDEN), OP(BPF_RET | BPF_K, 0),

    AT_LABEL(IP6),
    LOAD(BPF_B, 0), ALU(BPF_AND, 0xf0), UNLESS(0x60, HIDDEN),
    LOAD(BPF_B, 6), IF(17, UDP6), IF(6, IP6_PAIR), IF(58, IP6_PAIR), IF(44, IP6_PAIR), GO(HIDDEN),
    AT_LABEL(UDP6),
    LOAD(BPF_H, 42), IF_TUNNEL_PORT,
    AT_LABEL(IP6_PAIR),
    TO_A, KEEP(AT),
    HASH6(8, SRC),
    TAKE_X(AT), LOAD(BPF_B, 24), IF(0xff, ONE),
    HASH6(24, DST),
    GO(PAIR),

    AT_LABEL(ONE), TAKE(SRC), KEEP(DST),
    AT_LABEL(PAIR), /* spread_pair() */
    TAKE(SRC), TAKE_X(DST), ALU_X(BPF_ADD), ALU(BPF_MUL, SPREAD_M3), FOLD(SPREAD_R1), ALU(BPF_MUL, SPREAD_M1),
    ALU(BPF_RSH, 32 - SPREAD_BITS),
    OP(BPF_RET | BPF_A, 0),
    AT_LABEL(HIDDEN), OP(BPF_RET | BPF_K, 0),
};

/* How many instructions lie between this line and the label. The kernel's programs only jump forward. */
static uint32_t distance(unsigned line, uint32_t label)
{
    uint32_t n = 0;
    unsigned i = line + 1;
    for (; label != NEXT && (listing[i].code != LABEL || listing[i].k != label); i++) {
        n += listing[i].code != LABEL;
        assert(i + 1 < ARRAY_LEN(listing));
    }
    return n;
}

unsigned fanout_program(struct sock_filter *ret)
{
    _Static_assert(ARRAY_LEN(listing) <= FANOUT_MOST, "there is room for all lines");
    unsigned n = 0;
    for (unsigned i = 0; i < ARRAY_LEN(listing); i++) {
        const struct line *l = &listing[i];
        if (l->code == LABEL)
            continue;
        uint32_t yes = distance(i, l->yes), no = distance(i, l->no);
        bool far = l->code == (BPF_JMP | BPF_JA);
        assert(far || (yes < 256 && no < 256));
        ret[n++] = (struct sock_filter){.code = l->code, .k = far ? yes : l->k, .jt = far ? 0 : (uint8_t)yes,
                                        .jf = far ? 0 : (uint8_t)no};
    }
    return n;
}

/* ---- the group ---- */

struct fanout *fanout_new(unsigned n_queues)
{
    struct fanout *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    pthread_mutex_init(&f->lock, NULL);
    f->n_queues = n_queues;
    f->users = 1;
    return f;
}

struct fanout *fanout_share(struct fanout *f)
{
    pthread_mutex_lock(&f->lock);
    f->users++;
    pthread_mutex_unlock(&f->lock);
    return f;
}

void fanout_leave(struct fanout *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    unsigned left = --f->users;
    pthread_mutex_unlock(&f->lock);
    if (left)
        return;
    pthread_mutex_destroy(&f->lock);
    free(f);
}

bool fanout_turn(struct fanout *f, unsigned queue)
{
    pthread_mutex_lock(&f->lock);
    bool mine = f->joined == queue;
    pthread_mutex_unlock(&f->lock);
    return mine;
}

static int set_group(int fd, int id, int flags)
{
    unsigned type = PACKET_FANOUT_CBPF | (unsigned)flags;
    unsigned arg = (unsigned)id | type << 16;
    return setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof arg) ? -errno : 0;
}

/* The first socket makes the group, with a number that nobody has, and brings the program. */
static int make_group(struct fanout *f, int fd)
{
    struct sock_filter code[FANOUT_MOST];
    struct sock_fprog p = {.len = (unsigned short)fanout_program(code), .filter = code};
    int r = set_group(fd, 0, PACKET_FANOUT_FLAG_UNIQUEID);
    if (r)
        return r;
    if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &p, sizeof p))
        return -errno;
    int is = 0;
    socklen_t n = sizeof is;
    if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &is, &n))
        return -errno;
    f->id = is & 0xffff;
    return 0;
}

int fanout_join(struct fanout *f, unsigned queue, int fd)
{
    pthread_mutex_lock(&f->lock);
    int r = queue ? set_group(fd, f->id, 0) : make_group(f, fd);
    if (!r) {
        f->joined++;
        f->open++;
    }
    pthread_mutex_unlock(&f->lock);
    return r;
}

void fanout_closed(struct fanout *f)
{
    pthread_mutex_lock(&f->lock);
    if (--f->open == 0)
        f->joined = 0;
    atomic_fetch_add(&f->epoch, f->joined > 0);
    pthread_mutex_unlock(&f->lock);
}

/* ---- before the group ---- */

int fanout_mute(int fd)
{
    struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog p = {.len = 1, .filter = &nothing};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p) ? -errno : 0;
}

void fanout_unmute(int fd)
{
    int none = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none);
}
