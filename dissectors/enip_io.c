/* enip_io.c: class 0 and 1 I/O over UDP 2222: cyclic data, of which only the changes make records.
 *
 * Spec: CIP Vol 2, 3-2.2 (UDP for class 0/1), 2-6 (items); Vol 1, 3-6.1 (real time formats, run/idle header).
 *
 *   items u16 = 2 | 0x8002, 8: connection id u32, sequence u32 | 0x00b1, n: [class 1: sequence u16] [run/idle u32] data
 *
 * Without the Forward Open nothing on the wire tells whether there is a run/idle header, nor who is the originator:
 * then the header is not read, and who speaks first stands as source. */
#include "dissectors/enip_int.h"

enum { ITEM_CONN_ADDR = 0xa1, ITEM_CONN_DATA = 0xb1, ITEM_SEQ_ADDR = 0x8002 };
enum { IO_FIRST, IO_RUN, IO_IDLE, IO_SIZE_CHANGED, IO_RESTARTED, IO_AFTER_CLOSE, IO_NOTHING };

struct io_state { /* dis_shared() of the I/O schema, by connection id */
    uint64_t packets;
    uint32_t seq;
    uint16_t len;
    uint8_t used, run, has_run, told_closed;
};
_Static_assert(sizeof(struct io_state) <= DIS_SHARED, "the state of a connection fits");

struct io_packet {
    uint32_t id, seq;
    struct span data;
    uint8_t has_seq, way;
    const struct conn *conn;
};

bool io_plausible(struct cur c)
{
    uint16_t n = cur_u16le(&c), type = cur_u16le(&c), len = cur_u16le(&c);
    if (n < 2 || n > 4 || !((type == ITEM_SEQ_ADDR && len == 8) || (type == ITEM_CONN_ADDR && len == 4)))
        return false;
    cur_skip(&c, len);
    return cur_u16le(&c) == ITEM_CONN_DATA && cur_u16le(&c) <= cur_left(&c) && cur_ok(&c);
}

/* By the Forward Open: data that its originator sends is O->T. */
static void find_conn(struct dis_ctx *x, struct io_packet *p)
{
    const struct conn *k = conn_find(x, CONN_O2T, p->id);
    if (k) {
        p->conn = k;
        p->way = CONN_O2T;
        return;
    }
    k = conn_find(x, CONN_T2O, p->id);
    if (k) {
        p->conn = k;
        p->way = CONN_T2O;
    }
}

/* Vol 1, 3-6.1.4: 32-bit header, bit 0 run. Only O->T of an opened class 0/1 connection, and only where its size says
 * that there is room for it and its reserved bits are 0. Empty data is a heartbeat. */
static bool run_idle(const struct io_packet *p, struct cur c, uint8_t *run)
{
    if (!p->conn || p->way != CONN_O2T || p->conn->safety || p->conn->transport > 1)
        return false;
    if (p->conn->transport == 1)
        cur_skip(&c, 2);
    uint32_t v = cur_u32le(&c);
    *run = v & 1;
    return cur_ok(&c) && v < 16;
}

static unsigned what_changed(const struct io_packet *p, struct io_state *st, bool has_run, uint8_t run, bool *back)
{
    unsigned what = IO_NOTHING;
    int32_t step = (int32_t)(p->seq - st->seq);
    if (!st->used)
        what = IO_FIRST;
    else if (has_run && st->has_run && run != st->run)
        what = run ? IO_RUN : IO_IDLE;
    else if (p->data.n != st->len)
        what = IO_SIZE_CHANGED;
    else if (p->has_seq && step < -1000)
        what = IO_RESTARTED;
    if (p->conn && p->conn->closed && !st->told_closed && what == IO_NOTHING) {
        what = IO_AFTER_CLOSE;
        st->told_closed = 1;
    }
    *back = st->used && p->has_seq && step < -1000;
    st->used = 1;
    st->packets++;
    st->seq = p->seq;
    st->len = (uint16_t)p->data.n;
    st->has_run = has_run;
    st->run = run;
    return what;
}

static void io_event(struct dis_ctx *x, const struct io_packet *p, const struct io_state *st, unsigned what, bool back)
{
    const struct conn *k = p->conn;
    uint32_t class_no = k && k->transport == 0 ? 0 : 1;
    struct event *e = ev_begin(x, &cip_io_schema, class_no, OP_ANY_SELECTOR);
    ev_u64(e, IF_EVENT, what);
    ev_u64(e, IF_CONN_ID, p->id);
    if (p->has_seq)
        ev_u64(e, IF_SEQ, p->seq);
    if (class_no == 1 && p->data.n >= 2)
        ev_u64(e, IF_CIP_SEQ, (uint32_t)p->data.p[0] | (uint32_t)p->data.p[1] << 8);
    if (st->has_run)
        ev_u64(e, IF_RUN, st->run);
    ev_u64(e, IF_LENGTH, p->data.n);
    ev_u64(e, IF_DIRECTION, p->way);
    ev_u64(e, IF_PACKETS, st->packets);
    if (back)
        ev_anomaly(e, IA_SEQ_BACK);
    if (k) {
        uint32_t max = p->way == CONN_O2T ? k->o2t_size : k->t2o_size;
        ev_u64(e, IF_CONN_SERIAL, k->serial);
        if (k->safety)
            ev_u64(e, IF_SAFETY, 1);
        if (k->closed)
            ev_anomaly(e, IA_CLOSED);
        if (max && p->data.n > max)
            ev_anomaly(e, IA_SIZE);
        if (k->path_len)
            ev_named(e, IK_CONNECTION, ev_text_copy(e, k->path, k->path_len));
        if (k->has_slot) {
            ev_unit(e, k->slot);
            e->sub = k->slot;
        }
    }
    ev_commit(x, e);
}

static void io_data(struct dis_ctx *x, struct io_packet *p)
{
    uint8_t run = 0;
    bool back;
    find_conn(x, p);
    if (x->dir == DIR_UNKNOWN && p->way) /* the originator is the client; both ends use port 2222 */
        x->dir = p->way == CONN_O2T ? DIR_C2S : DIR_S2C;
    struct conn copy = p->conn ? *p->conn : (struct conn){0}; /* the next look-up may move it */
    if (p->conn)
        p->conn = &copy;
    bool has_run = run_idle(p, cur_span(p->data), &run);
    struct io_state *st = dis_shared(x, &cip_io_schema, (uint64_t)p->way << 32 | p->id, true);
    if (!st)
        return;
    bool changed = has_run && (!st->used || !st->has_run || st->run != run);
    unsigned what = what_changed(p, st, has_run, run, &back);
    struct io_state now = *st;
    if (changed)
        obs_fmt(x, &cip_io_schema, x->dir == DIR_S2C ? OBS_SERVER : OBS_CLIENT, OBS_SELF, OBS_STATE, 60, "%s",
                run ? "run" : "idle");
    if (what == IO_NOTHING)
        ev_silent(x, &cip_io_schema);
    else
        io_event(x, p, &now, what, back);
}

enum verdict io_parse(struct cur c, struct dis_ctx *x)
{
    struct cpf f;
    struct io_packet p = {0};
    cpf_parse(&c, &f);
    const struct cpf_item *a = cpf_find(&f, ITEM_SEQ_ADDR), *d = cpf_find(&f, ITEM_CONN_DATA);
    if (!a)
        a = cpf_find(&f, ITEM_CONN_ADDR);
    if (!a || (!d && !x->cut))
        return DIS_LOST;
    struct cur at = cur_span(a->data);
    p.id = cur_u32le(&at);
    p.has_seq = a->type == ITEM_SEQ_ADDR;
    p.seq = p.has_seq ? cur_u32le(&at) : 0;
    if (!cur_ok(&at) || ((f.bad_item || f.bad_count) && !x->cut)) {
        ev_malformed(x, &cip_io_schema, IA_CPF);
        return DIS_MALFORMED;
    }
    if (f.trailing)
        ev_malformed(x, &cip_io_schema, IA_TRAILING);
    if (!d)
        return DIS_OK;
    p.data = d->data;
    io_data(x, &p);
    return DIS_OK;
}
