/* modbus_priv.h: what the files of the Modbus dissector share. */
#pragma once

#include "dissectors/dissector.h"

extern const struct proto_schema modbus_schema;

enum { MB_MODE_UNKNOWN, MB_MODE_TCP /* MBAP header */, MB_MODE_RTU /* address and CRC, over TCP */ };
enum { MB_FN_UMAS = 90, MB_PENDING = 16 };

/* The per-flow state. pending: the latest requests, to name what is wrong with an answer that fits none. */
struct mb_flow {
    uint8_t mode;
    uint8_t proven;        /* RTU on an unknown port: a request and its answer were seen */
    uint8_t n_bad;         /* RTU frames with a wrong check sum in a row */
    uint8_t next;          /* slot of pending to use next */
    uint8_t n_requests;    /* saturating: requests seen so far */
    uint16_t request_port; /* source port of the last request: tells an echo from a repetition */
    uint16_t client_port;  /* of the side that asks, once the shape told (unknown ports only) */
    uint8_t told[32];      /* units whose address was reported: one bit each */
    struct mb_pending {
        uint16_t tid;
        uint8_t unit, fn, used;
    } pending[MB_PENDING];
};
_Static_assert(sizeof(struct mb_flow) <= DIS_FLOW_STATE, "per-flow state is bounded");

/* Bytes of the connection were lost. What waits keeps waiting where its transaction id tells its answer. RTU has none,
 * and some clients always send the same: there it would take the answer to what was lost. */
static inline void mb_forget(struct dis_ctx *x, struct mb_flow *st)
{
    unsigned last = (st->next + MB_PENDING - 1u) % MB_PENDING, before = (last + MB_PENDING - 1u) % MB_PENDING;
    const struct mb_pending *a = &st->pending[last], *b = &st->pending[before]; /* fn 0: there was none */
    if (st->mode != MB_MODE_TCP || (a->tid == b->tid && b->fn))
        ev_flush(x);
    memset(st->pending, 0, sizeof st->pending);
    st->n_bad = 0;
}

/* One PDU on its way through the handlers. */
struct mb_msg {
    struct dis_ctx *x;
    struct event *e;
    struct mb_flow *st;
    struct cur body; /* after the function code */
    uint32_t len;    /* bytes of the body */
    uint16_t tid;
    uint8_t unit, fn;   /* fn without the exception bit */
    uint8_t alone;      /* an answer to which no request is known */
    uint8_t bad_header; /* the length field contradicts the bytes at hand */
};

/* ---- lengths (modbus_shape.c) ---- */

enum mb_shape_kind {
    MB_ANY,   /* min..max bytes, nothing to check */
    MB_FIX,   /* exactly min bytes */
    MB_CNT8,  /* a byte count at `at`, then so many bytes */
    MB_CNT16, /* two bytes of count at 0, then so many bytes (FIFO) */
    MB_DIAG,  /* sub-function and data words */
    MB_MEI_REQ,
    MB_MEI_RSP,
};
struct mb_shape {
    uint8_t kind, at, step; /* step: the counted bytes are a multiple of it (0: any) */
    uint16_t min, max;      /* bytes of the whole body */
};
enum { MB_LEN_MORE = -1, MB_LEN_UNKNOWN = -2 };
/* Bytes that a body of this shape has, MB_LEN_MORE when too little is there to say,
    MB_LEN_UNKNOWN when nothing says. */
int mb_shape_len(const struct mb_shape *s, const struct cur *body);
/* Does a body announced with `len` bytes, of which some or all are here, have this shape? */
enum match mb_shape_fits(const struct mb_shape *s, const struct cur *body, uint32_t len);

/* One row a function that the standard describes; NULL for the others. */
struct mb_fn {
    struct mb_shape req, rsp;
    void (*on_req)(struct mb_msg *m);
    void (*on_rsp)(struct mb_msg *m);
};
const struct mb_fn *mb_fn_get(uint8_t fn);
/* The selector that the body names, or OP_ANY_SELECTOR. */
uint32_t mb_selector(uint8_t fn, const struct cur *body);
uint16_t mb_crc(struct span s);
/* The RTU frame at the start of the bytes: unit, function, body, CRC. dir may be DIR_UNKNOWN. */
enum mb_rtu_how {
    MB_RTU_STRICT,  /* functions whose length is known only */
    MB_RTU_SCAN,    /* of others, the first length at which the CRC comes out right */
    MB_RTU_CLAIMED, /* and a frame of known length with a wrong CRC is still a frame */
};
struct frame mb_rtu_frame(struct cur c, uint8_t dir, enum mb_rtu_how how);
/* Is all of c as long as such a frame would be? The check sum is not asked. */
bool mb_rtu_may_be(struct cur c);
/* Which directions a body of this length can belong to: bit 0 request, bit 1 answer. best: how well it fits at most. */
unsigned mb_directions(uint8_t fn, const struct cur *body, uint32_t len, enum match *best);

/* ---- handlers ---- */

void mb_req_range(struct mb_msg *m), mb_rsp_range(struct mb_msg *m);           /* 1-4 (modbus_data.c) */
void mb_req_single(struct mb_msg *m), mb_rsp_single(struct mb_msg *m);         /* 5, 6 */
void mb_req_multiple(struct mb_msg *m), mb_rsp_multiple(struct mb_msg *m);     /* 15, 16 */
void mb_req_mask(struct mb_msg *m), mb_rsp_mask(struct mb_msg *m);             /* 22 */
void mb_req_read_write(struct mb_msg *m), mb_rsp_read_write(struct mb_msg *m); /* 23 */
void mb_req_files(struct mb_msg *m);                                           /* 20, 21 */
void mb_rsp_read_files(struct mb_msg *m), mb_rsp_write_files(struct mb_msg *m);
void mb_req_fifo(struct mb_msg *m), mb_rsp_fifo(struct mb_msg *m); /* 24 */
void mb_no_body(struct mb_msg *m);                                 /* 7, 11, 12, 17 (modbus_diag.c) */
void mb_rsp_status(struct mb_msg *m), mb_rsp_counter(struct mb_msg *m), mb_rsp_log(struct mb_msg *m);
void mb_rsp_server_id(struct mb_msg *m);
void mb_req_diag(struct mb_msg *m), mb_rsp_diag(struct mb_msg *m); /* 8 */
void mb_req_mei(struct mb_msg *m), mb_rsp_mei(struct mb_msg *m);   /* 43 */
void mb_opaque(struct mb_msg *m);                                  /* what nobody describes */
void mb_req_umas(struct mb_msg *m), mb_rsp_umas(struct mb_msg *m); /* 90 (modbus_umas.c) */
/* The UMAS function of a request's body, looking inside a signed message. */
uint32_t mb_umas_code(const struct cur *body);
/* Identity: of the unit behind a gateway, or of the server itself for the units that mean "yourself". */
static inline uint32_t mb_sub(uint8_t unit)
{
    return unit == 0 || unit == 255 ? OBS_SELF : unit;
}

enum mb_kind {
    MBK_COIL,
    MBK_DISCRETE_INPUT,
    MBK_INPUT_REGISTER,
    MBK_HOLDING_REGISTER,
    MBK_FILE,
    MBK_FIFO,
    MBK_DEVICE_OBJECT,
    MBK_UMAS_BLOCK,
    MBK_UMAS_VARIABLE,
    MBK_UMAS_PROGRAM,
    MBK_COUNT
};

enum mb_field {
    MBF_TRANSACTION_ID,
    MBF_TRANSPORT,
    MBF_PROTOCOL_ID,
    MBF_BROADCAST,
    MBF_AND_MASK,
    MBF_OR_MASK,
    MBF_SUB_FUNCTION,
    MBF_DIAG_DATA,
    MBF_EXCEPTION_STATUS,
    MBF_STATUS_WORD,
    MBF_EVENT_COUNT,
    MBF_MESSAGE_COUNT,
    MBF_EVENTS,
    MBF_SERVER_ID,
    MBF_RUN_INDICATOR,
    MBF_MEI_TYPE,
    MBF_READ_CODE,
    MBF_CONFORMITY,
    MBF_MORE_FOLLOWS,
    MBF_NEXT_OBJECT,
    MBF_OBJECT_ID,
    MBF_OBJECT_VALUE,
    MBF_DATA,
    MBU_PAIRING_KEY,
    MBU_FUNCTION,
    MBU_RESPONSE,
    MBU_ERROR,
    MBU_SIGNED,
    MBU_STATION,
    MBU_NEW_KEY,
    MBU_MAX_FRAME,
    MBU_MODEL,
    MBU_FIRMWARE,
    MBU_HARDWARE,
    MBU_PROJECT,
    MBU_PROJECT_VERSION,
    MBU_STATE,
    MBU_LENGTH,
    MBU_RANGE,
    MBU_PART,
    MBU_LAST,
    MBU_COUNT,
    MBU_CRC,
    MBU_DATA,
    MBF_COUNT
};

enum mb_anomaly {
    MBA_BAD_LENGTH,
    MBA_BYTE_COUNT,
    MBA_QUANTITY,
    MBA_PROTOCOL_ID,
    MBA_EXCEPTION_FROM_CLIENT,
    MBA_FUNCTION_ZERO,
    MBA_FUNCTION_HIGH,
    MBA_ADDRESS_RANGE,
    MBA_COIL_VALUE,
    MBA_RESERVED_FUNCTION,
    MBA_UNASSIGNED_FUNCTION,
    MBA_UNIT_MISMATCH,
    MBA_FUNCTION_MISMATCH,
    MBA_ANSWER_SIZE,
    MBA_ANSWER_DIFFERS,
    MBA_EXCEPTION_CODE,
    MBA_BROADCAST_READ,
    MBA_UNIT_RESERVED,
    MBA_OVERSIZE,
    MBA_FILE_REFERENCE,
    MBA_FILE_RANGE,
    MBA_FIFO_COUNT,
    MBA_MEI_TYPE,
    MBA_READ_CODE,
    MBA_OBJECT_LIST,
    MBA_SUB_FUNCTION,
    MBA_DIAG_DATA,
    MBA_BAD_CRC,
    MBA_UMAS_SHORT,
    MBA_UMAS_KEY,
    MBA_TRUNCATED,
    MBA_COUNT
};
/* An anomaly, unless the snap length cut the packet: then what is short is not the sender's fault. */
static inline void mb_anomaly(const struct mb_msg *m, unsigned bit)
{
    if (!m->x->cut)
        ev_anomaly(m->e, bit);
}
