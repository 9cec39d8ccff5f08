/* event.h: one decoded message or transaction, as dissectors fill it and rules, baseline and the record writer read it.
 *
 * An event lives in its worker's scratch. Spans point into the packet (or into stored request bytes): whoever keeps
 * anything beyond the commit copies it. Values are not decoded when parsed: a vals says where they lie and how they are
 * encoded, and vals_get() decodes one when a rule or the writer asks. */
#pragma once

#include "engine/base/addr.h"
#include "engine/base/cur.h"
#include "engine/base/limits.h"
#include "engine/base/schema.h"

enum ev_kind { EV_MESSAGE, EV_TRANSACTION, EV_REQUEST, EV_RESPONSE, EV_UNSOLICITED };
enum ev_outcome { OUT_UNKNOWN, OUT_ACCEPTED, OUT_REFUSED, OUT_EXECUTED, OUT_PARTIAL };
enum ev_phase { PHASE_NONE, PHASE_SELECT, PHASE_EXECUTE, PHASE_CONFIRM, PHASE_TERMINATE };

enum val_enc { /* how one value is encoded on the wire */
    VE_NONE,
    VE_BIT_LSB,  /* packed bits, least significant first: Modbus coils, DNP3 g1v1; off = first bit */
    VE_BIT2_LSB, /* packed pairs of bits: DNP3 double-bit */
    VE_U8, VE_I8, VE_U16BE, VE_I16BE, VE_U16LE, VE_I16LE, VE_U32BE, VE_I32BE, VE_U32LE, VE_I32LE,
    VE_U64BE, VE_I64BE, VE_U64LE, VE_I64LE, VE_F32BE, VE_F32LE, VE_F64BE, VE_F64LE,
    VE_BOOL8,    /* one byte, 0 false */
    VE_BYTES,    /* stride bytes each, as hex */
    VE_TEXT,     /* stride bytes each, as text */
    VE_TIME48LE, /* DNP3 time: ms since 1970 in 48 bits */
    VE_CP56,     /* IEC 60870-5-4 CP56Time2a */
    VE_OWN,      /* as only the protocol knows: .now.read decodes the k-th value of raw */
    /* decoded by the dissector: one value in .now */
    VE_NOW_UINT, VE_NOW_INT, VE_NOW_DOUBLE, VE_NOW_BOOL, VE_NOW_TIME /* ns since 1970, in .u */,
    VE_NOW_TEXT /* .raw is the text */
};

/* n values: the k-th starts at raw.p + off + k * stride (bits: bit off + k of raw). n may exceed what raw holds when
 * the packet was cut: vals_get says so. qual_off >= 0: the quality octet of the k-th is at raw.p + qual_off + k*stride.
 */
struct val;
struct vals {
    struct span raw;
    uint16_t n;
    uint16_t stride;
    int16_t qual_off;
    uint8_t off;
    uint8_t enc; /* enum val_enc */
    uint8_t mask; /* VE_U8/VE_BOOL8: bits that are the value; 0: all. The value is shifted down to bit 0. */
    uint8_t time_off, time_enc; /* the time tag of the k-th value is at raw.p + time_off + k * stride: VE_TIME48LE, or
                                 * VE_U16LE for milliseconds after now.u, itself in ms since 1970; VE_NONE: no tag */
    union {
        uint64_t u;
        int64_t i;
        double d;
        bool (*read)(const struct vals *v, uint32_t k, struct val *ret); /* looks at raw and nothing else */
    } now;
};

struct val {
    enum { VAL_NONE, VAL_UINT, VAL_INT, VAL_DOUBLE, VAL_BOOL, VAL_TEXT, VAL_BYTES, VAL_TIME } type;
    uint64_t u; /* VAL_UINT, VAL_BOOL, VAL_TIME (ns since 1970) */
    int64_t i;
    double d;
    struct span s;
};
/* Milliseconds since 1970 in ns; what 64 bits cannot hold (after 2554) is the last time that they can. */
static inline uint64_t ms_to_ns(uint64_t ms)
{
    return ms > UINT64_MAX / 1000000 ? UINT64_MAX : ms * 1000000;
}
/* The k-th value; false when there is none (k >= n, or cut off). */
bool vals_get(const struct vals *v, uint32_t k, struct val *ret);
/* The time tag of the k-th value, ns since 1970; false when it has none. */
bool vals_time(const struct vals *v, uint32_t k, uint64_t *ret_ns);
/* The raw quality octet of the k-th value, or -1. */
int vals_quality(const struct vals *v, uint32_t k);

enum { ITEM_BIT_NONE = 0xff, ITEM_STATUS_NONE = UINT32_MAX };
#define ITEM_QUALITY (UINT32_C(1) << 31)

/* One point, tag, register range, block or property that a message is about. */
struct item {
    uint8_t kind;     /* index into schema->kinds */
    uint8_t action;   /* what is done to this item; most often the event's */
    uint8_t bit;      /* bit inside first, ITEM_BIT_NONE when not a bit */
    uint8_t has_range;/* first/last are set */
    uint32_t space;   /* DB number, CIP class, file, ... */
    uint32_t first, last;
    uint32_t status;  /* the item's own return code, 0 = good, ITEM_STATUS_NONE = none */
    uint32_t quality; /* bits as in schema->qualities (all values of the item alike; else use vals.qual_off), and
                       * ITEM_QUALITY where the protocol tells one: no other bit is good then, not unknown */
    struct span name; /* KIND_NAME: the tag, block, path, as text */
    struct vals v;
};

struct field {
    uint8_t id;   /* index into schema->fields; the type is the definition's */
    uint8_t span; /* v.s is set: FT_TEXT, FT_BYTES */
    union {
        uint64_t u;
        int64_t i;
        double d;
        struct span s;
    } v;
};

struct msg { /* one message on the wire */
    uint64_t ts_ns;
    uint32_t frame; /* of the packet that carried its last byte */
    uint32_t function; /* FN_NONE: unreadable */
    uint16_t file;
};

struct event {
    /* From here to `msgs` ev_begin() clears; arrays are valid up to their counts. */
    const struct proto_schema *schema;
    const struct op_row *op; /* NULL: function unknown to the schema */
    uint32_t function, selector;
    uint64_t tx_id;          /* stable: hash of flow and first message */
    uint64_t anomalies;      /* bits, named in the schema */
    uint64_t had;            /* those that it had when it was taken out of what waits: of its request */
    uint64_t latency_ns;     /* first message to last; valid for EV_TRANSACTION */
    uint32_t unit;
    uint32_t status;         /* protocol's status/exception code; name from schema->statuses */
    uint32_t items_total;    /* may exceed n_items */
    uint32_t sub;            /* the device behind the server that the message is really for (slot), 0 none */
    uint8_t kind, phase, action, outcome;
    uint8_t has_unit, has_status;
    uint8_t error;           /* the status is a fault (not "more data", "acknowledge", ...) */
    uint8_t from_client;     /* the (last) message was sent by the client; else by the server */
    uint8_t n_msgs, n_items, n_fields;
    uint8_t truncated;       /* a bound of limits.h was hit: something is left out of items, fields or values */
    uint8_t cut;             /* the capture cut one of its messages: truncated, and what is missing is no anomaly */
    uint8_t has_far;         /* bit 0: far[0] is set, bit 1: far[1] */
    uint32_t text_used;
    const char *error_name;  /* NULL: looked up in schema->statuses */
    struct addr far[2];      /* client and server themselves, where the packets' addresses are those of a router or
                              * forwarder in front of them */
    struct msg msgs[EV_MAX_MSGS];
    struct item items[EV_MAX_ITEMS + 1]; /* the last takes what is beyond the bound: n_items never counts it */
    struct field fields[EV_MAX_FIELDS];
    uint8_t text[EV_TEXT];   /* ev_text_copy(): strings that a dissector made */
};

/* "holding_register:0-9": the object of an item, NUL-terminated, at most EV_OBJECT - 1 bytes. Returns its length. */
unsigned item_text(const struct proto_schema *s, const struct item *it, char out[EV_OBJECT]);
/* The quality of its k-th value: bits of s->qualities, and ITEM_QUALITY where the protocol tells one. */
uint32_t item_quality_bits(const struct proto_schema *s, const struct item *it, uint32_t k);
const char *ev_kind_name(unsigned kind);
const char *ev_outcome_name(unsigned outcome);
const char *ev_phase_name(unsigned phase); /* NULL for none */

/* Did the server do what it was asked, or say something by itself? kind: EV_, outcome: OUT_. */
static inline bool ev_served(unsigned kind, unsigned outcome, bool from_client)
{
    return outcome != OUT_REFUSED &&
           (kind == EV_TRANSACTION || kind == EV_RESPONSE || (kind == EV_UNSOLICITED && !from_client));
}
