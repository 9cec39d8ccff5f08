/* dnp3_proto.h: what the files of the DNP3 dissector share: numbers of the schema, one message, one association. */
#pragma once

#include "dissectors/dissector.h"

extern const struct proto_schema dnp3_schema;

enum { /* index into the schema's kinds */
    DK_BINARY_INPUT, DK_DOUBLE_BIT_INPUT, DK_BINARY_OUTPUT, DK_COUNTER, DK_FROZEN_COUNTER, DK_ANALOG_INPUT,
    DK_FROZEN_ANALOG, DK_ANALOG_DEADBAND, DK_ANALOG_OUTPUT, DK_TIME, DK_CLASS, DK_FILE, DK_FILE_HANDLE, DK_IIN,
    DK_STORAGE,
    DK_DEVICE_PROFILE, DK_PRIVATE_OBJECT, DK_DATASET, DK_APPLICATION, DK_BCD, DK_UNSIGNED_INTEGER, DK_OCTET_STRING,
    DK_VIRTUAL_TERMINAL, DK_AUTH, DK_SECURITY_STATISTIC, DK_DEVICE_ATTRIBUTE, DK_PRIVATE_ATTRIBUTE, DK_OBJECT, DK_COUNT
};

enum { /* index into the schema's fields */
    DF_MASTER, DF_SEQUENCE, DF_BROADCAST, DF_OBJECTS, DF_QUALIFIERS, DF_CONFIRM_REQUESTED, DF_FRAGMENTS, DF_IIN,
    DF_INDICATIONS, DF_OPERATION, DF_TRIP_CLOSE, DF_QUEUE, DF_CLEAR, DF_COUNT, DF_ON_TIME, DF_OFF_TIME, DF_TIME,
    DF_INTERVAL,
    DF_INTERVAL_UNIT, DF_DELAY, DF_OLDEST_EVENT, DF_NEWEST_EVENT, DF_TIME_UNSYNC, DF_APPLICATION, DF_FILE_NAME,
    DF_FILE_MODE,
    DF_FILE_SIZE, DF_FILE_HANDLE, DF_FILE_BLOCK, DF_FILE_LAST, DF_FILE_BYTES, DF_FILE_BLOCK_SIZE, DF_FILE_REQUEST,
    DF_FILE_STATUS, DF_FILE_TYPE, DF_FILE_TIME, DF_FILE_PERMISSIONS, DF_FILE_USER, DF_FILE_TEXT, DF_AUTH_USER,
    DF_AUTH_SEQUENCE, DF_AUTH_MAC, DF_AUTH_KEY_WRAP, DF_AUTH_KEY_STATUS, DF_AUTH_METHOD, DF_AUTH_OPERATION,
    DF_AUTH_ROLE,
    DF_AUTH_USER_NAME, DF_AUTH_ERROR, DF_AUTH_TEXT, DF_AUTH_ASSOCIATION, DF_CLASSES, DF_NUM
};

enum { /* anomaly bits */
    DA_BAD_HEADER_CRC, DA_BAD_DATA_CRC, DA_BAD_LENGTH, DA_LINK_FUNCTION, DA_LINK_CONTROL, DA_LINK_DATA, DA_LINK_EMPTY,
    DA_ADDRESS_RESERVED, DA_BROADCAST_SOURCE, DA_LINK_NACK, DA_LINK_BUSY, DA_LINK_UNSUPPORTED, DA_LINK_TRAILING,
    DA_TP_LOST_FIRST, DA_TP_GAP, DA_TP_ABANDONED, DA_TP_DUPLICATE, DA_TP_EMPTY, DA_TP_TOO_LONG,
    DA_APP_SHORT, DA_FN_RESERVED, DA_FN_OBSOLETE, DA_RESPONSE_FROM_MASTER, DA_REQUEST_FROM_OUTSTATION,
    DA_REQUEST_FRAGMENTED, DA_MASTER_WANTS_CONFIRM, DA_UNS_BIT, DA_UNSOLICITED_UNCONFIRMED, DA_FRAGMENT_SEQUENCE,
    DA_CONFIRM_UNEXPECTED, DA_OPERATE_WITHOUT_SELECT, DA_OPERATE_DIFFERS, DA_OPERATE_SEQUENCE, DA_CONTROL_ECHO,
    DA_BROADCAST_FUNCTION, DA_OBJ_UNKNOWN, DA_OBJ_VARIATION, DA_OBJ_HEADER, DA_OBJ_SHORT, DA_QUALIFIER, DA_RANGE,
    DA_TRAILING, DA_CROB_CODE, DA_PASSWORD, DA_AUTH_ERROR, DA_KEY_STATUS, DA_IIN_RESTART, DA_IIN_TROUBLE,
    DA_IIN_NEED_TIME,
    DA_IIN_LOCAL, DA_IIN_NO_FUNCTION, DA_IIN_OBJECT_UNKNOWN, DA_IIN_PARAMETER, DA_IIN_OVERFLOW, DA_IIN_EXECUTING,
    DA_IIN_CONFIG_CORRUPT, DA_IIN_RESERVED, DA_NUM
};
_Static_assert((int)DA_NUM <= (int)SCHEMA_MAX_ANOMALIES, "one bit an anomaly");

enum { /* application function codes that the code itself names, IEEE 1815-2012 4.2.2 */
    FC_CONFIRM = 0, FC_READ = 1, FC_WRITE = 2, FC_SELECT = 3, FC_OPERATE = 4, FC_DIRECT_OPERATE = 5,
    FC_DIRECT_OPERATE_NR = 6, FC_FREEZE_AT_TIME = 11, FC_FREEZE_AT_TIME_NR = 12, FC_INITIALIZE_APPLICATION = 16,
    FC_STOP_APPLICATION = 18, FC_OPEN_FILE = 25, FC_AUTHENTICATE_REQ = 32, FC_AUTHENTICATE_NR = 33,
    FC_LAST_REQUEST = 33,
    FC_RESPONSE = 129, FC_UNSOLICITED = 130, FC_AUTHENTICATE_RESP = 131
};

/* Codes of status: control status as on the wire; the other families are set apart by their high octet. */
enum { DST_IIN2 = 0x200, DST_FILE = 0x300, DST_AUTH = 0x400 };

enum { /* bits of the schema's qualities; 0-4 stand as in the flag octet, the first the other way round */
    DQ_OFFLINE = 1 << 0, DQ_CHATTER = 1 << 5, DQ_ROLLOVER = 1 << 6, DQ_DISCONTINUITY = 1 << 7, DQ_OVER_RANGE = 1 << 8,
    DQ_REFERENCE = 1 << 9
};
uint32_t dnp3_quality(const struct item *it, uint8_t octet);

/* How the data of one object is laid out. */
enum dnp3_form {
    DO_NONE,   /* never has data: "any variation", classes */
    DO_POINT,  /* fixed size: value, flags, time at fixed places */
    DO_BITS,   /* packed bits behind a range */
    DO_BITS2,  /* packed pairs of bits */
    DO_STRING, /* as long as the variation says */
    DO_SIZED,  /* only behind a size prefix */
    DO_OWN,    /* has its own length inside (attributes, private registration objects) */
};
/* Who decodes one object after its layout is known. */
enum dnp3_dec { DD_POINT, DD_CROB, DD_AO_COMMAND, DD_TIME, DD_CTO, DD_DELAY, DD_FILE, DD_AUTH, DD_APPLICATION,
DD_ATTRIBUTE,
                DD_PRIVATE, DD_BLOB };

struct dnp3_obj { /* one row a (group, variation), sorted */
    uint8_t group, var;
    uint8_t kind, form, dec;
    uint8_t enc;   /* enum val_enc of the value */
    uint8_t size;  /* octets of one object (DO_POINT) */
    int8_t value, flags, time; /* offsets inside the object, -1: has none */
    uint8_t mask;  /* of the value, for states inside the flag octet */
    uint8_t time_len; /* 6 absolute, 2 relative to the common time of occurrence */
};
const struct dnp3_obj *dnp3_obj_find(uint8_t group, uint8_t var);
bool dnp3_group_known(uint8_t group);

/* Kept per (address pair, master, outstation), through dis_shared(). */
struct dnp3_assoc {
    uint64_t select_digest; /* of the objects of the last SELECT, 0 none */
    uint64_t tx_id, first_ns; /* of the last record that may be closed although more of it comes; its first message */
    uint64_t uns_tx_id;     /* of the last unsolicited response, until it is confirmed */
    uint32_t more_selector; /* its selector */
    uint8_t more_fn;        /* its function */
    uint8_t operated;       /* 0x80 | sequence number of the last OPERATE that a SELECT prepared */
    uint16_t iin;           /* IIN1 in the high octet */
    uint8_t gen[16];        /* generation of each application sequence number: tells a reused one from an old one */
    uint8_t select_gen, select_seq, uns_gen, uns_seq;
    uint8_t challenge; /* 0x80 | sequence number of the request that the outstation has challenged */
    uint8_t more;      /* 0x80 | sequence number of a response fragment after which another one must come */
    uint8_t late;      /* 0x80 | sequence number of a response whose record was closed before its confirmation */
    uint8_t seen;      /* DNP3_SEEN_ bits */
    uint8_t state;     /* of OBS_STATE as last told, + 1 */
};
enum { DNP3_SEEN_REQUEST = 1, DNP3_SEEN_RESPONSE = 2, DNP3_SELECT_CONFIRM = 4 /* its response wants one */ };
_Static_assert(sizeof(struct dnp3_assoc) <= DIS_SHARED, "fits the shared blob");

/* One application fragment. */
struct dnp3_msg {
    struct span objects;  /* behind the header (and the IIN) */
    uint64_t anomalies;   /* known before the objects are read */
    uint16_t src, dst, master, outstation;
    uint16_t iin;
    uint8_t control, seq, fn;
    bool from_master, broadcast, response, cut;
};
enum { AC_FIR = 0x80, AC_FIN = 0x40, AC_CON = 0x20, AC_UNS = 0x10, AC_SEQ = 0x0f };

/* The walk over the object headers of one fragment. */
struct dnp3_walk {
    struct dis_ctx *x;
    struct event *e;
    const struct dnp3_msg *m;
    const struct dnp3_obj *o;  /* the object type at hand */
    uint64_t cto, t_min, t_max; /* ms since 1970; 0 none */
    uint64_t anomalies;
    uint32_t index;            /* of the point at hand */
    uint32_t echo;             /* next request item that a control response has to echo */
    uint32_t status;           /* first bad status met, 0 none */
    uint32_t n_bad, n_done;    /* controls refused and carried out */
    uint32_t n_request;        /* items that were there before this response */
    uint8_t group, var, qualifier, action;
    uint8_t first_auth;        /* variation of the first g120 object, 0 none */
    uint32_t own_len;          /* octets that an object of DO_OWN took, 0: it does not fit */
    bool echoing, select_known, has_index;
};
void dnp3_walk_objects(struct dnp3_walk *w);
struct item *dnp3_item(struct dnp3_walk *w, uint8_t kind, uint32_t space, uint32_t first, uint32_t last);
/* One object of a type that is more than a value; `c` cannot see past it. */
void dnp3_special(struct dnp3_walk *w, struct cur c);

/* dnp3_app.c */
enum verdict dnp3_fragment(struct dis_ctx *x, struct cur c, uint16_t src, uint16_t dst, bool from_master, bool cut);
/* Messages from src to dst may be missing: whatever fits only what is next to them is no anomaly. x->dir: the sender's.
 */
void dnp3_forget(struct dis_ctx *x, uint16_t src, uint16_t dst);

/* Fields that are sets: each value once, over all messages of a transaction. */
void dnp3_u64_once(struct event *e, uint8_t id, uint64_t v);
/* Fields of which the last message's value counts. */
void dnp3_u64_last(struct event *e, uint8_t id, uint64_t v);

static inline void dnp3_say(struct dnp3_walk *w, unsigned bit)
{
    w->anomalies |= UINT64_C(1) << bit;
}

static inline bool dnp3_is_broadcast(uint16_t address)
{
    return address >= 0xfffd; /* IEEE 1815-2012 9.2 */
}
