/* modbus_diag.c: diagnostics, identification and what the standard leaves open (V1.1b3 6.7-6.10, 6.13, 6.19-6.21). */
#include "dissectors/modbus_priv.h"

void mb_no_body(struct mb_msg *m)
{
    (void)m; /* a function without a body; its length is judged already */
}

void mb_opaque(struct mb_msg *m)
{
    struct span s = cur_rest(&m->body);
    if (s.n)
        ev_span(m->e, MBF_DATA, s);
}

void mb_rsp_status(struct mb_msg *m)
{
    uint8_t v = cur_u8(&m->body);
    if (cur_ok(&m->body))
        ev_u64(m->e, MBF_EXCEPTION_STATUS, v);
}

void mb_rsp_counter(struct mb_msg *m)
{
    uint16_t status = cur_u16be(&m->body), events = cur_u16be(&m->body);
    if (!cur_ok(&m->body))
        return;
    ev_u64(m->e, MBF_STATUS_WORD, status);
    ev_u64(m->e, MBF_EVENT_COUNT, events);
}

void mb_rsp_log(struct mb_msg *m)
{
    cur_skip(&m->body, 1);
    uint16_t status = cur_u16be(&m->body), events = cur_u16be(&m->body), messages = cur_u16be(&m->body);
    if (!cur_ok(&m->body))
        return;
    ev_u64(m->e, MBF_STATUS_WORD, status);
    ev_u64(m->e, MBF_EVENT_COUNT, events);
    ev_u64(m->e, MBF_MESSAGE_COUNT, messages);
    struct span log = cur_rest(&m->body);
    if (log.n)
        ev_span(m->e, MBF_EVENTS, log);
}

static bool printable(uint8_t c)
{
    return c >= 0x20 && c < 0x7f;
}

/* The longest run of printable bytes: devices put their name between binary fields (6.13 leaves it to them). */
static struct span name_in(struct span s)
{
    struct span best = {0};
    for (uint32_t i = 0, start = 0; i <= s.n; i++) {
        if (i < s.n && printable(s.p[i]))
            continue;
        if (i - start > best.n)
            best = (struct span){.p = s.p + start, .n = i - start};
        start = i + 1;
    }
    return best;
}

/* 6.13: the byte count, then the server's id, the run indicator (0x00 off, 0xFF on) and more: where one ends and the
 * next begins is the device's own. Read as most do: one id byte, the indicator, text. */
void mb_rsp_server_id(struct mb_msg *m)
{
    struct cur data = cur_sub(&m->body, cur_u8(&m->body));
    struct span all = cur_rest(&data);
    if (!all.n)
        return;
    ev_span(m->e, MBF_SERVER_ID, all);
    struct span name = name_in(all);
    uint32_t sub = mb_sub(m->unit);
    enum { SHORTEST_NAME = 4 };
    if (name.n >= SHORTEST_NAME)
        obs_text(m->x, &modbus_schema, OBS_SERVER, sub, OBS_NAME, name, 60);
    if (all.n < 2 || (all.p[1] != 0 && all.p[1] != 0xff))
        return;
    ev_u64(m->e, MBF_RUN_INDICATOR, all.p[1]);
    obs_fmt(m->x, &modbus_schema, OBS_SERVER, sub, OBS_STATE, 60, "%s", all.p[1] ? "run" : "stop");
}

/* ---- 8: diagnostics (6.8) ---- */

static bool data_must_be_zero(uint32_t sub)
{
    return sub == 2 || sub == 4 || (sub >= 10 && sub <= 18) || sub == 20;
}

void mb_req_diag(struct mb_msg *m)
{
    uint16_t sub = cur_u16be(&m->body);
    if (!cur_ok(&m->body))
        return;
    struct span data = cur_rest(&m->body);
    ev_u64(m->e, MBF_SUB_FUNCTION, sub);
    if (data.n)
        ev_span(m->e, MBF_DIAG_DATA, data);
    if (sub > 20 || (sub > 4 && sub < 10))
        mb_anomaly(m, MBA_SUB_FUNCTION);
    if (data.n != 2)
        return;
    uint16_t v = (uint16_t)(data.p[0] << 8 | data.p[1]);
    bool bad = data_must_be_zero(sub) ? v != 0 : sub == 1 ? v != 0 && v != 0xff00 : sub == 3 ? (v & 0xff) != 0 : false;
    if (bad)
        mb_anomaly(m, MBA_DIAG_DATA);
}

void mb_rsp_diag(struct mb_msg *m)
{
    uint16_t sub = cur_u16be(&m->body);
    if (!cur_ok(&m->body))
        return;
    struct span data = cur_rest(&m->body), sent = {0};
    if (m->alone)
        ev_u64(m->e, MBF_SUB_FUNCTION, sub);
    for (unsigned i = 0; !m->alone && i < m->e->n_fields; i++)
        if (m->e->fields[i].id == MBF_DIAG_DATA) {
            sent = m->e->fields[i].v.s;
            m->e->fields[i].v.s = data; /* what the device says is what counts */
        }
    if (!m->alone && sub != m->e->selector)
        mb_anomaly(m, MBA_ANSWER_DIFFERS);
    if (!m->alone && sub == 0 && (sent.n != data.n || (sent.n && memcmp(sent.p, data.p, sent.n) != 0)))
        mb_anomaly(m, MBA_ANSWER_DIFFERS); /* 6.8.1: Return Query Data is a loop-back */
    if (!sent.n && data.n)
        ev_span(m->e, MBF_DIAG_DATA, data);
}

/* ---- 43: encapsulated interfaces (6.19-6.21) ---- */

static const struct {
    enum obs_kind kind;
    uint8_t confidence;
} object_meaning[] = {
    {OBS_VENDOR, 100},
    {OBS_PRODUCT_CODE, 100},
    {OBS_FIRMWARE, 100},
    {OBS_OTHER, 80} /* vendor URL */,
    {OBS_MODEL, 100} /* product name */,
    {OBS_MODEL, 90} /* model name */,
    {OBS_NAME, 80} /* user application */,
};

void mb_req_mei(struct mb_msg *m)
{
    uint8_t mei = cur_u8(&m->body);
    if (!cur_ok(&m->body))
        return;
    ev_u64(m->e, MBF_MEI_TYPE, mei);
    if (mei != 14) {
        if (mei != 13)
            mb_anomaly(m, MBA_MEI_TYPE);
        mb_opaque(m);
        return;
    }
    uint8_t code = cur_u8(&m->body), object = cur_u8(&m->body);
    if (!cur_ok(&m->body))
        return;
    ev_u64(m->e, MBF_READ_CODE, code);
    if (code < 1 || code > 4)
        mb_anomaly(m, MBA_READ_CODE);
    if (code == 4) /* individual access names its object; the streams start at one */
        ev_range(m->e, MBK_DEVICE_OBJECT, 0, object, object);
}

static bool sees_model_name(const struct cur *list)
{
    struct cur c = *list;
    while (cur_ok(&c) && cur_left(&c)) {
        uint8_t id = cur_u8(&c);
        uint8_t n = cur_u8(&c);
        cur_skip(&c, n);
        if (id == 4 && n && cur_ok(&c))
            return true;
    }
    return false;
}

static void identification(struct mb_msg *m, uint8_t n_objects)
{
    bool has_product = sees_model_name(&m->body); /* product name (4) and model name (5) both tell the model */
    while (n_objects--) {
        uint8_t id = cur_u8(&m->body);
        uint8_t n = cur_u8(&m->body);
        struct span value = cur_bytes(&m->body, n);
        if (!cur_ok(&m->body)) {
            mb_anomaly(m, MBA_OBJECT_LIST);
            return;
        }
        ev_u64(m->e, MBF_OBJECT_ID, id);
        ev_span(m->e, MBF_OBJECT_VALUE, value);
        if (id < ARRAY_LEN(object_meaning) && value.n && !(id == 5 && has_product))
            obs_text(m->x, &modbus_schema, OBS_SERVER, mb_sub(m->unit), object_meaning[id].kind, value,
                     object_meaning[id].confidence);
    }
    if (cur_left(&m->body))
        mb_anomaly(m, MBA_OBJECT_LIST);
}

void mb_rsp_mei(struct mb_msg *m)
{
    uint8_t mei = cur_u8(&m->body);
    if (!cur_ok(&m->body))
        return;
    if (m->alone)
        ev_u64(m->e, MBF_MEI_TYPE, mei);
    else if (mei != m->e->selector)
        mb_anomaly(m, MBA_ANSWER_DIFFERS);
    if (mei != 14) {
        mb_opaque(m);
        return;
    }
    uint8_t code = cur_u8(&m->body), conformity = cur_u8(&m->body), more = cur_u8(&m->body);
    uint8_t next = cur_u8(&m->body), n = cur_u8(&m->body);
    if (!cur_ok(&m->body))
        return;
    if (m->alone)
        ev_u64(m->e, MBF_READ_CODE, code);
    ev_u64(m->e, MBF_CONFORMITY, conformity);
    ev_u64(m->e, MBF_MORE_FOLLOWS, more == 0xff);
    if (more == 0xff)
        ev_u64(m->e, MBF_NEXT_OBJECT, next);
    identification(m, n);
}
