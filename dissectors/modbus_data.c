/* modbus_data.c: coils, inputs, registers, file records and FIFO queues (V1.1b3 6.1-6.6, 6.11, 6.12, 6.14-6.18). */
#include "dissectors/modbus_priv.h"

enum { MAX_READ_BITS = 2000, MAX_READ_REGS = 125, MAX_WRITE_BITS = 1968, MAX_WRITE_REGS = 123, MAX_RW_WRITE = 121 };

static const uint8_t kind_of[] = {[1] = MBK_COIL,
                                  [2] = MBK_DISCRETE_INPUT,
                                  [3] = MBK_HOLDING_REGISTER,
                                  [4] = MBK_INPUT_REGISTER,
                                  [5] = MBK_COIL,
                                  [6] = MBK_HOLDING_REGISTER,
                                  [15] = MBK_COIL,
                                  [16] = MBK_HOLDING_REGISTER};

/* An address range as one item; quantity 0 names no object. */
static struct item *range_item(struct mb_msg *m, uint8_t kind, uint16_t addr, uint32_t qty, uint32_t limit)
{
    if (qty == 0 || qty > limit)
        mb_anomaly(m, MBA_QUANTITY);
    if (qty == 0)
        return NULL;
    uint32_t last = addr + qty - 1;
    if (last > 65535) {
        mb_anomaly(m, MBA_ADDRESS_RANGE);
        last = 65535;
    }
    return ev_range(m->e, kind, 0, addr, last);
}

static void bits(struct item *it, struct span raw, uint32_t n)
{
    it->v.raw = raw;
    it->v.enc = VE_BIT_LSB;
    it->v.n = (uint16_t)n;
}

static void registers(struct item *it, struct span raw)
{
    it->v.raw = raw;
    it->v.enc = VE_U16BE;
    it->v.stride = 2;
    it->v.n = (uint16_t)(raw.n / 2);
}

static uint32_t item_count(const struct item *it)
{
    return it->last - it->first + 1;
}

/* The first item of the request, when it is of this kind; an answer alone has none. */
static struct item *asked(struct mb_msg *m, uint8_t kind)
{
    return !m->alone && m->e->n_items && m->e->items[0].kind == kind && m->e->items[0].has_range ? &m->e->items[0]
                                                                                                 : NULL;
}

void mb_req_range(struct mb_msg *m)
{
    uint16_t addr = cur_u16be(&m->body), qty = cur_u16be(&m->body);
    if (cur_ok(&m->body))
        range_item(m, kind_of[m->fn], addr, qty, m->fn <= 2 ? MAX_READ_BITS : MAX_READ_REGS);
}

void mb_rsp_range(struct mb_msg *m)
{
    uint8_t n = cur_u8(&m->body);
    struct span raw = cur_rest(&m->body);
    struct item *it = asked(m, kind_of[m->fn]);
    if (!it) {
        if (raw.n)
            ev_span(m->e, MBF_DATA, raw);
        return;
    }
    uint32_t qty = item_count(it);
    if (n != (m->fn <= 2 ? (qty + 7) / 8 : qty * 2))
        mb_anomaly(m, MBA_ANSWER_SIZE);
    if (m->fn <= 2)
        bits(it, raw, qty);
    else
        registers(it, raw);
}

void mb_req_single(struct mb_msg *m)
{
    uint16_t addr = cur_u16be(&m->body);
    struct span raw = cur_bytes(&m->body, 2);
    if (!cur_ok(&m->body))
        return;
    struct item *it = ev_range(m->e, kind_of[m->fn], 0, addr, addr);
    registers(it, raw);
    if (m->fn == 6)
        return;
    it->v.enc = VE_NOW_BOOL; /* 6.5: 0xFF00 on, 0x0000 off, nothing else */
    it->v.now.u = raw.p[0] != 0 || raw.p[1] != 0;
    if (raw.p[1] != 0 || (raw.p[0] != 0 && raw.p[0] != 0xff))
        mb_anomaly(m, MBA_COIL_VALUE);
}

/* 6.5, 6.6: the answer repeats the request. An exact echo adds nothing; without the request it names the object. */
void mb_rsp_single(struct mb_msg *m)
{
    const struct item *it = asked(m, kind_of[m->fn]);
    if (!it) {
        mb_req_single(m);
        return;
    }
    uint16_t addr = cur_u16be(&m->body);
    struct span raw = cur_bytes(&m->body, 2);
    if (cur_ok(&m->body) && (addr != it->first || (it->v.raw.n == 2 && memcmp(raw.p, it->v.raw.p, 2) != 0)))
        mb_anomaly(m, MBA_ANSWER_DIFFERS);
}

void mb_req_multiple(struct mb_msg *m)
{
    uint16_t addr = cur_u16be(&m->body), qty = cur_u16be(&m->body);
    uint8_t n = cur_u8(&m->body);
    if (!cur_ok(&m->body))
        return;
    struct span raw = cur_rest(&m->body);
    bool coils = m->fn == 15;
    struct item *it = range_item(m, kind_of[m->fn], addr, qty, coils ? MAX_WRITE_BITS : MAX_WRITE_REGS);
    if (n != (coils ? (qty + 7u) / 8 : qty * 2u))
        mb_anomaly(m, MBA_BYTE_COUNT);
    if (it && coils)
        bits(it, raw, item_count(it));
    else if (it)
        registers(it, raw);
}

void mb_rsp_multiple(struct mb_msg *m)
{
    uint16_t addr = cur_u16be(&m->body), qty = cur_u16be(&m->body);
    if (!cur_ok(&m->body))
        return;
    const struct item *it = asked(m, kind_of[m->fn]);
    if (!it)
        range_item(m, kind_of[m->fn], addr, qty, m->fn == 15 ? MAX_WRITE_BITS : MAX_WRITE_REGS);
    else if (addr != it->first || qty != item_count(it))
        mb_anomaly(m, MBA_ANSWER_DIFFERS);
}

void mb_req_mask(struct mb_msg *m)
{
    uint16_t addr = cur_u16be(&m->body), and_mask = cur_u16be(&m->body), or_mask = cur_u16be(&m->body);
    if (!cur_ok(&m->body))
        return;
    ev_range(m->e, MBK_HOLDING_REGISTER, 0, addr, addr);
    ev_u64(m->e, MBF_AND_MASK, and_mask);
    ev_u64(m->e, MBF_OR_MASK, or_mask);
}

static const struct field *find_field(const struct event *e, uint8_t id)
{
    for (unsigned i = 0; i < e->n_fields; i++)
        if (e->fields[i].id == id)
            return &e->fields[i];
    return NULL;
}

void mb_rsp_mask(struct mb_msg *m)
{
    const struct item *it = asked(m, MBK_HOLDING_REGISTER);
    if (!it) {
        mb_req_mask(m);
        return;
    }
    uint16_t addr = cur_u16be(&m->body), and_mask = cur_u16be(&m->body), or_mask = cur_u16be(&m->body);
    const struct field *a = find_field(m->e, MBF_AND_MASK), *o = find_field(m->e, MBF_OR_MASK);
    if (cur_ok(&m->body) && (addr != it->first || (a && a->v.u != and_mask) || (o && o->v.u != or_mask)))
        mb_anomaly(m, MBA_ANSWER_DIFFERS);
}

/* 6.17: one range is written, then another read: two objects with an action each. */
void mb_req_read_write(struct mb_msg *m)
{
    uint16_t raddr = cur_u16be(&m->body), rqty = cur_u16be(&m->body);
    uint16_t waddr = cur_u16be(&m->body), wqty = cur_u16be(&m->body);
    uint8_t n = cur_u8(&m->body);
    if (!cur_ok(&m->body))
        return;
    struct span raw = cur_rest(&m->body);
    struct item *it = range_item(m, MBK_HOLDING_REGISTER, raddr, rqty, MAX_READ_REGS);
    if (it)
        it->action = ACT_READ;
    it = range_item(m, MBK_HOLDING_REGISTER, waddr, wqty, MAX_RW_WRITE);
    if (n != wqty * 2u)
        mb_anomaly(m, MBA_BYTE_COUNT);
    if (!it)
        return;
    it->action = ACT_WRITE;
    registers(it, raw);
}

void mb_rsp_read_write(struct mb_msg *m)
{
    uint8_t n = cur_u8(&m->body);
    struct span raw = cur_rest(&m->body);
    struct item *it = asked(m, MBK_HOLDING_REGISTER);
    if (!it || it->action != ACT_READ) {
        if (raw.n)
            ev_span(m->e, MBF_DATA, raw);
        return;
    }
    if (n != item_count(it) * 2)
        mb_anomaly(m, MBA_ANSWER_SIZE);
    registers(it, raw);
}

/* ---- files (6.14, 6.15): sub-requests of reference type 6, file number, record number, record length ---- */

enum { FILE_REFERENCE = 6, RECORD_MAX = 9999 };

static struct item *file_item(struct mb_msg *m, uint8_t type, uint16_t file, uint16_t record, uint16_t n)
{
    if (type != FILE_REFERENCE)
        mb_anomaly(m, MBA_FILE_REFERENCE);
    if (file == 0 || record > RECORD_MAX || record + (n ? n - 1 : 0) > RECORD_MAX)
        mb_anomaly(m, MBA_FILE_RANGE);
    if (n == 0) {
        mb_anomaly(m, MBA_QUANTITY);
        return NULL;
    }
    return ev_range(m->e, MBK_FILE, file, record, record + n - 1u);
}

void mb_req_files(struct mb_msg *m)
{
    struct cur list = cur_sub(&m->body, cur_u8(&m->body));
    while (cur_ok(&list) && cur_left(&list)) {
        uint8_t type = cur_u8(&list);
        uint16_t file = cur_u16be(&list), record = cur_u16be(&list), n = cur_u16be(&list);
        struct span raw = m->fn == 21 ? cur_bytes(&list, n * 2u) : (struct span){0};
        if (!cur_ok(&list)) {
            mb_anomaly(m, MBA_BYTE_COUNT);
            break;
        }
        struct item *it = file_item(m, type, file, record, n);
        if (it && raw.n)
            registers(it, raw);
    }
}

/* 6.14: for each sub-request its length (type included), the type, the registers: in the order of the request. */
void mb_rsp_read_files(struct mb_msg *m)
{
    struct cur list = cur_sub(&m->body, cur_u8(&m->body));
    struct cur all = list;
    unsigned i = 0;
    while (cur_ok(&list) && cur_left(&list)) {
        uint8_t n = cur_u8(&list);
        struct cur part = cur_sub(&list, n);
        uint8_t type = cur_u8(&part);
        struct span raw = cur_rest(&part);
        if (!cur_ok(&part)) {
            mb_anomaly(m, MBA_BYTE_COUNT);
            break;
        }
        if (type != FILE_REFERENCE)
            mb_anomaly(m, MBA_FILE_REFERENCE);
        if (!m->alone && i < m->e->n_items && m->e->items[i].kind == MBK_FILE) {
            struct item *it = &m->e->items[i];
            if (raw.n != item_count(it) * 2)
                mb_anomaly(m, MBA_ANSWER_SIZE);
            registers(it, raw);
        }
        i++;
    }
    if (m->alone && cur_left(&all))
        ev_span(m->e, MBF_DATA, cur_rest(&all));
    else if (!m->alone && i != m->e->n_items)
        mb_anomaly(m, MBA_ANSWER_SIZE);
}

/* 6.15: the answer is an echo; alone it still names the files. */
void mb_rsp_write_files(struct mb_msg *m)
{
    if (m->alone)
        mb_req_files(m);
}

void mb_req_fifo(struct mb_msg *m)
{
    uint16_t addr = cur_u16be(&m->body);
    if (cur_ok(&m->body))
        ev_range(m->e, MBK_FIFO, 0, addr, addr);
}

void mb_rsp_fifo(struct mb_msg *m)
{
    uint16_t bytes = cur_u16be(&m->body), count = cur_u16be(&m->body);
    if (!cur_ok(&m->body))
        return;
    struct span raw = cur_rest(&m->body);
    if (count > 31 || bytes != count * 2u + 2)
        mb_anomaly(m, MBA_FIFO_COUNT);
    struct item *it = asked(m, MBK_FIFO);
    if (it)
        registers(it, raw);
    else if (raw.n)
        ev_span(m->e, MBF_DATA, raw);
}
