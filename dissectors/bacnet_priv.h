/* bacnet_priv.h: what the files of the BACnet dissector share. */
#pragma once

#include "dissectors/dissector.h"

enum { /* function of an event: PDU type << 8 | service choice; what lies below the application layer beyond */
    BN_CONFIRMED = 0, BN_UNCONFIRMED = 1, BN_SIMPLE_ACK = 2, BN_COMPLEX_ACK = 3, BN_SEGMENT_ACK = 4, BN_ERROR = 5,
    BN_REJECT_PDU = 6, BN_ABORT_PDU = 7,
    BN_FN_BVLC = 0x10000, BN_FN_BVLC6 = 0x20000, BN_FN_NETWORK = 0x30000,
};
#define BN_FN(type, service) ((uint32_t)(type) << 8 | (service))

enum { /* status of an event or item: the error code where it is not 0 */
    BN_ERROR_OTHER = 0x10000, BN_REJECT = 0x20000, BN_ABORT = 0x30000, BN_NAK = 0x40000,
};

enum { /* confirmed services (clause 21) that the code names */
    BN_ACK_ALARM = 0, BN_COV = 1, BN_EVENT = 2, BN_ALARM_SUMMARY = 3, BN_ENROLLMENT_SUMMARY = 4, BN_SUBSCRIBE_COV = 5,
    BN_READ_FILE = 6, BN_WRITE_FILE = 7, BN_ADD_LIST = 8, BN_REMOVE_LIST = 9, BN_CREATE = 10, BN_DELETE = 11,
    BN_RP = 12, BN_RPM = 14, BN_WP = 15, BN_WPM = 16, BN_DCC = 17, BN_PRIVATE = 18, BN_TEXT = 19, BN_REINIT = 20,
    BN_VT_CLOSE = 22, BN_VT_DATA = 23, BN_READ_RANGE = 26, BN_LIFE_SAFETY = 27, BN_SUBSCRIBE_COVP = 28,
    BN_EVENT_INFO = 29, BN_SUBSCRIBE_COVM = 30, BN_COV_MULTIPLE = 31, BN_AUDIT = 32, BN_AUDIT_QUERY = 33,
};
enum { /* unconfirmed ones */
    BN_I_AM = 0, BN_I_HAVE = 1, BN_UCOV = 2, BN_UEVENT = 3, BN_UPRIVATE = 4, BN_UTEXT = 5, BN_TIME = 6, BN_WHO_HAS = 7,
    BN_WHO_IS = 8, BN_UTC = 9, BN_WRITE_GROUP = 10, BN_UCOV_MULTIPLE = 11, BN_UAUDIT = 12, BN_WHO_AM_I = 13,
    BN_YOU_ARE = 14,
};

enum { /* object types and properties that the code names */
    BN_OT_AO = 1, BN_OT_BO = 4, BN_OT_COMMAND = 7, BN_OT_DEVICE = 8, BN_OT_FILE = 10, BN_OT_MO = 14, BN_OT_PROGRAM = 16,
    BN_OT_DOOR = 30, BN_OT_LIGHTING = 54, BN_OT_BLIGHTING = 55,
    BN_P_PRESENT_VALUE = 85, BN_P_STATUS_FLAGS = 111, BN_P_PROGRAM_CHANGE = 90,
    BN_NO_INDEX = UINT32_MAX, BN_NO_PROPERTY = UINT32_MAX, BN_NO_PRIORITY = 0,
};

enum bn_kind { BK_PROPERTY, BK_OBJECT, BK_DEVICE, BK_NETWORK, BK_VT, BK_COUNT };

enum bn_field {
    BF_INVOKE_ID, BF_SOURCE, BF_DESTINATION, BF_HOP_COUNT, BF_PRIORITY, BF_FORWARDED_FROM, BF_BVLC, BF_BROADCAST,
    BF_NET_MESSAGE, BF_VENDOR_ID, BF_VENDOR, BF_TTL, BF_BDT, BF_FDT, BF_FOREIGN, BF_NETWORK_REASON, BF_NETWORK_FLAGGED,
    BF_PERFORMANCE, BF_PORT_ID, BF_VMAC, BF_MAX_APDU, BF_MAX_SEGMENTS, BF_SEGMENTED, BF_SEGMENTATION, BF_WINDOW,
    BF_SEQUENCE, BF_NEGATIVE_ACK, BF_ERROR_CLASS, BF_ERROR_CODE, BF_FIRST_FAILED, BF_INSTANCE, BF_WRITE_PRIORITY,
    BF_PROCESS_ID, BF_CONFIRMED, BF_LIFETIME, BF_COV_INCREMENT, BF_TIME_REMAINING, BF_INITIATING, BF_TIMESTAMP,
    BF_NOTIFICATION_CLASS, BF_EVENT_PRIORITY, BF_EVENT_TYPE, BF_NOTIFY_TYPE, BF_ACK_REQUIRED, BF_FROM_STATE,
    BF_TO_STATE, BF_MESSAGE, BF_ACK_SOURCE, BF_STATE_ACKED, BF_DURATION, BF_COMM_STATE, BF_REINIT, BF_PASSWORD,
    BF_TIME, BF_START, BF_COUNT, BF_LENGTH, BF_EOF, BF_RANGE_BY, BF_RESULT_FLAGS, BF_SERVICE_NUMBER, BF_MESSAGE_CLASS,
    BF_VT_SESSION, BF_OPERATION, BF_OBJECT_NAME, BF_MODEL, BF_SERIAL, BF_GROUP, BF_DATA, BF_MAC, BF_N,
};

enum bn_anomaly {
    BA_BVLC_LENGTH, BA_BVLC_FUNCTION, BA_NPDU_VERSION, BA_NPDU_RESERVED, BA_NPDU_ADDRESS, BA_HOP_COUNT_ZERO,
    BA_NET_MESSAGE, BA_SHORT, BA_PDU_TYPE, BA_RESERVED_BITS, BA_SERVICE, BA_TAGS, BA_TRAILING, BA_SEGMENT_LOST,
    BA_SERVICE_MISMATCH, BA_BROADCAST_CONFIRMED, BA_PRIORITY, BA_PASSWORD, BA_OBSOLETE, BA_VALUE, BA_ROUTE_SOURCE,
    BA_ABORT_UNASKED, BA_N,
};

/* Network number and MAC of an end of the message beyond the packet's own; net 0: none, 0xffff: all networks. */
struct bn_addr {
    uint16_t net;
    struct span mac; /* empty: broadcast on that network */
};

/* A segmented message that is being put together. */
struct bn_seg {
    uint32_t key; /* of asm_append; 0 free */
    uint8_t next; /* sequence number expected */
};
enum { BN_SEGS = 8 };
struct bn_flow {
    struct bn_seg seg[BN_SEGS];
    uint8_t hand;
};

/* One message on its way through the layers. */
struct bn_msg {
    struct dis_ctx *x;
    struct event *e;
    struct bn_flow *st;
    struct bn_addr src, dst;
    struct addr origin;     /* forwarded NPDU: whose it is */
    struct span vmac;
    struct span pdu, apdu;  /* the message from its link layer on, and what of it is the APDU's */
    uint64_t anomalies;     /* found before there is an event */
    uint32_t bvlc;          /* function, or BN_NO_BVLC */
    uint8_t has_origin, broadcast, has_hops, hops, control;
    /* APDU */
    uint8_t type, flags, service, invoke, seq, window, max, srv;
    uint8_t requester;      /* side of the flow that asked */
};
enum { BN_NO_BVLC = UINT32_MAX };

/* An encoded element of data (20.2.1). */
enum bn_class { BT_APP, BT_CONTEXT, BT_OPEN, BT_CLOSE };
struct bn_tag {
    enum bn_class cls;
    uint8_t num;       /* of a context tag; of an application tag the type */
    uint32_t len;      /* of a boolean the value */
    struct span body;  /* BT_OPEN: what lies between it and its closing tag */
};
enum { /* application tags (20.2.1.4) */
    BT_NULL, BT_BOOLEAN, BT_UNSIGNED, BT_SIGNED, BT_REAL, BT_DOUBLE, BT_OCTETS, BT_STRING, BT_BITS, BT_ENUM, BT_DATE,
    BT_TIME, BT_OBJECT,
};

extern const struct proto_schema bacnet_schema;
extern const struct code_name bn_statuses[], bn_error_codes[], bn_error_classes[], bn_event_types[];
const char *bn_object_type(uint32_t type); /* NULL: not assigned */
const char *bn_property(uint32_t id);
const char *bn_vendor(uint32_t id);

/* bacnet.c */
void bn_anomaly(struct bn_msg *m, enum bn_anomaly a);
void bn_common(struct bn_msg *m);
/* "2001:5", "2001:*", "*" */
struct span bn_addr_text(struct event *e, const struct bn_addr *a);
/* What the event depends on besides the octets of the message: how it came, and whose address the packet has. */
unsigned bn_surroundings(const struct bn_msg *m);
enum obs_side bn_sender(const struct bn_msg *m);

/* bacnet_net.c: what the network and link layers say themselves */
enum verdict bn_network_message(struct bn_msg *m, struct cur c);
enum verdict bn_bvlc_message(struct bn_msg *m, struct cur c, bool v6);
bool bn_npdu_shape(struct cur c); /* could it be a whole NPDU? */
const struct bn_bvlc *bn_bvlc_row(bool v6, uint32_t fn);
struct bn_bvlc {
    uint8_t fn;
    uint8_t npdu;  /* bytes between the header and the NPDU it carries; 0xff: none */
    uint8_t flags; /* BB_ */
    uint16_t min, max;
};
enum { BB_BROADCAST = 1, BB_ASKS = 2, BB_ANSWERS = 4 };

/* bacnet_apdu.c */
enum verdict bn_apdu(struct bn_msg *m, struct cur c);
bool bn_apdu_shape(struct cur c);

/* bacnet_service.c, bacnet_object.c: bodies; false: does not hold what the standard has there */
bool bn_request(struct bn_msg *m, struct cur c);     /* confirmed */
bool bn_unconfirmed(struct bn_msg *m, struct cur c);
bool bn_answer(struct bn_msg *m, struct cur c);      /* complex ack; m->service */
bool bn_error_body(struct bn_msg *m, struct cur c);
typedef bool (*bn_body)(struct bn_msg *m, struct cur *c);
bool bn_read_property(struct bn_msg *m, struct cur *c);
bool bn_read_property_ack(struct bn_msg *m, struct cur *c);
bool bn_read_multiple(struct bn_msg *m, struct cur *c);
bool bn_read_multiple_ack(struct bn_msg *m, struct cur *c);
bool bn_write_property(struct bn_msg *m, struct cur *c);
bool bn_write_multiple(struct bn_msg *m, struct cur *c);
bool bn_list_element(struct bn_msg *m, struct cur *c);
bool bn_read_range(struct bn_msg *m, struct cur *c);
bool bn_read_range_ack(struct bn_msg *m, struct cur *c);
bool bn_create(struct bn_msg *m, struct cur *c);
bool bn_cov(struct bn_msg *m, struct cur *c);
bool bn_cov_multiple(struct bn_msg *m, struct cur *c);
bool bn_subscribe_multiple(struct bn_msg *m, struct cur *c);
void bn_object_item(struct event *e, uint32_t object);

/* bacnet_value.c */
bool bn_tag(struct cur *c, struct bn_tag *t);           /* the next element; false: none, or the encoding is broken */
bool bn_peek(const struct cur *c, enum bn_class cls, uint8_t num);
bool bn_context(struct cur *c, uint8_t num, struct bn_tag *t); /* the next one, if it is context tag num */
bool bn_opened(struct cur *c, uint8_t num, struct cur *inside);
bool bn_is_app(struct cur *c, uint8_t num, struct bn_tag *t);
uint64_t bn_uint(const struct bn_tag *t);
double bn_real(const struct bn_tag *t);
struct span bn_string(struct event *e, struct span s);  /* a character string as UTF-8 */
struct span bn_datetime(struct event *e, struct cur *c);/* date and time, application tags */
struct span bn_timestamp(struct event *e, struct cur *c);
/* "analog_input,1.present_value[2]"; property or index may be missing. */
struct span bn_name(struct event *e, uint32_t object, uint32_t property, uint32_t index);
/* Application data of this type are read where they lie, whatever their value. */
bool bn_is_plain(unsigned type);
/* The values of a property, as encoded, into the item. */
void bn_values(struct event *e, struct item *it, struct span s);
/* The first element as text for an identity fact; empty when it is no string or number. */
struct span bn_text(struct event *e, struct span s);
