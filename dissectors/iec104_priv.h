/* iec104_priv.h: what the files of the IEC 60870-5-104 dissector share. */
#pragma once

#include "dissectors/dissector.h"

extern const struct proto_schema iec104_schema;

enum { IEC_FN_U = 0x10000 /* function of a U frame: this plus its code bits */, IEC_GLOBAL_CA = 65535 };
enum iec_utype {
    U_STARTDT_ACT = 1,
    U_STARTDT_CON = 2,
    U_STOPDT_ACT = 4,
    U_STOPDT_CON = 8,
    U_TESTFR_ACT = 16,
    U_TESTFR_CON = 32
};
enum iec_cot {
    COT_SPONT = 3,
    COT_INIT = 4,
    COT_REQ = 5,
    COT_ACT = 6,
    COT_ACTCON = 7,
    COT_DEACT = 8,
    COT_DEACTCON = 9,
    COT_ACTTERM = 10,
    COT_INTROGEN = 20,
    COT_COUNTER_LAST = 41,
    COT_UNKNOWN_TYPE = 44,
    COT_UNKNOWN_IOA = 47,
};

/* Sizes of the fields that IEC 60870-5-101 leaves to the system; -104 fixes 2, 2, 3 (clause 9.4, 9.5). */
struct iec_sizes {
    uint8_t cot, ca, ioa;
};
enum { IEC_N_SIZES = 12, IEC_IOAS = 127 * 3 /* bytes of the addresses of an ASDU */ };
enum { IEC_SET_COT, IEC_SET_CA, IEC_SET_IOA }; /* rows of the settings */

struct iec_asdu;
enum {                /* struct iec_type.flags */
       T_MONITOR = 1, /* process information, sent by the controlled station */
       T_COMMAND = 2, /* has an S/E bit or is commanded like those that have: select, execute, confirm, terminate */
       T_SYSTEM = 4,  /* 100-107: activation and confirmation */
       T_TERM = 8,    /* the confirmation is followed by a termination (60870-5-5 6.6, 6.8) */
       T_PARAM = 16,
       T_FILE = 32,
       T_SECURE = 64,    /* IEC 62351-5 */
       T_VARIABLE = 128, /* len is the least */
};
enum {
    T_TIME24 = 1,
    T_TIME56 = 2,
    T_NO_IOA = 4 /* the address is not a process object: it is 0 */,
    T_SINGLE = 8 /* one object, SQ 0 */
};
struct iec_type {
    const char *symbol;  /* "M_SP_NA_1" */
    uint8_t len;         /* bytes of one element, its time tag included, its address not */
    uint8_t flags, form; /* T_ */
    uint8_t lazy;        /* enum val_enc by which a sequence can be kept undecoded; VE_NONE: decode each */
    uint8_t mask;        /* of the value, for lazy */
    int8_t qual_at;      /* of the quality octet, -1 none */
    uint8_t qual_mask;   /* its quality bits */
    int8_t se_at;        /* of the octet with the S/E bit, -1 none */
    void (*read)(struct iec_asdu *a, struct item *it, struct cur *c); /* an element without its time tag */
};
/* NULL: reserved or private. */
const struct iec_type *iec_type_get(uint8_t type);
/* Bytes that n objects have. */
uint32_t iec_objects_len(const struct iec_type *t, bool sq, unsigned n, unsigned ioa_len);

struct iec_dir {
    uint16_t next;  /* N(S) expected */
    uint16_t acked; /* last N(R) that the other side sent for this direction */
    uint8_t has_next, has_ack;
    uint8_t garbage; /* the bytes before this were no frame, and that was said */
    uint8_t hole;    /* bytes of its stream were lost since `next` */
};
enum iec_started { ST_UNKNOWN, ST_STOPPED, ST_STARTING, ST_STARTED, ST_STOPPING };
struct iec_flow {
    struct iec_dir dir[2]; /* 0: client to server */
    uint8_t started;       /* enum iec_started */
    uint8_t sizes;         /* index of the field sizes in use */
    uint8_t n_misfit;      /* ASDUs in a row that fit other sizes only */
    uint8_t seen;          /* a frame was seen since the start or the last gap */
    uint16_t fits;         /* sizes that fitted all of these */
    uint16_t told_ca[8];   /* common addresses reported lately */
    uint8_t told_next;
    uint16_t client_port; /* once the contents told, on unknown ports */
    uint8_t pending_next;
    struct iec_pending { /* the latest commands: finds the one that a confirmation with another value belongs to */
        uint32_t ioa;
        uint16_t ca, value, ns;
        uint8_t type;
    } pending[8];
};
_Static_assert(sizeof(struct iec_flow) <= DIS_FLOW_STATE, "per-flow state is bounded");

/* One ASDU on its way. */
struct iec_asdu {
    struct dis_ctx *x;
    struct iec_flow *st;
    struct event *e;
    const struct iec_type *t;
    struct iec_sizes z;
    struct cur objects;
    uint64_t found; /* anomalies of its frame */
    uint32_t ioa;   /* of the first object */
    uint16_t ca, ns, nr;
    uint16_t value; /* hash of the value of a command: part of its key */
    uint8_t type, n, sq, cot, negative, test, oa;
    uint8_t first;  /* the element being read is the first: its qualifiers become fields */
    uint8_t select; /* S/E of the first object */
    uint8_t has_ioa;
};

/* found: anomalies of the frame, for the event. */
enum verdict iec_asdu_parse(struct cur c, struct dis_ctx *x, struct iec_flow *st, uint16_t ns, uint16_t nr,
                            uint64_t found);
/* Who sends such an ASDU; DIR_UNKNOWN when both may. */
uint8_t iec_asdu_dir(uint8_t type, uint8_t cot);
/* Does the ASDU in these bytes fit its type with these sizes? */
enum match iec_asdu_fits(struct cur c, const struct iec_sizes *z);
/* In the order in which they are tried: those that are configured, or else those of the standard, first. */
const struct iec_sizes *iec_sizes_at(const struct dis_ctx *x, unsigned i);
static inline uint32_t iec_read_ioa(struct cur *c, unsigned size)
{
    return size == 3 ? cur_u24le(c) : size == 2 ? cur_u16le(c) : cur_u8(c);
}
/* The first element, without adding anything to the event; false when it is not whole. */
bool iec_peek_value(struct iec_asdu *a, struct item *it);
/* All objects into the event; the first compared with the event's; the value of the first into the event's. */
void iec_read_objects(struct iec_asdu *a);
void iec_compare_object(struct iec_asdu *a, unsigned anomaly);
void iec_answer_object(struct iec_asdu *a);

/* Elements (iec104_elem.c) */
void el_siq(struct iec_asdu *a, struct item *it, struct cur *c),
    el_diq(struct iec_asdu *a, struct item *it, struct cur *c);
void el_vti(struct iec_asdu *a, struct item *it, struct cur *c),
    el_bsi_qds(struct iec_asdu *a, struct item *it, struct cur *c);
void el_nva_qds(struct iec_asdu *a, struct item *it, struct cur *c),
    el_sva_qds(struct iec_asdu *a, struct item *it, struct cur *c);
void el_r32_qds(struct iec_asdu *a, struct item *it, struct cur *c),
    el_bcr(struct iec_asdu *a, struct item *it, struct cur *c);
void el_sep(struct iec_asdu *a, struct item *it, struct cur *c),
    el_spe(struct iec_asdu *a, struct item *it, struct cur *c);
void el_oci(struct iec_asdu *a, struct item *it, struct cur *c),
    el_scd(struct iec_asdu *a, struct item *it, struct cur *c);
void el_nva(struct iec_asdu *a, struct item *it, struct cur *c),
    el_secure_counter(struct iec_asdu *a, struct item *it, struct cur *c);
void el_sco(struct iec_asdu *a, struct item *it, struct cur *c),
    el_dco(struct iec_asdu *a, struct item *it, struct cur *c);
void el_rco(struct iec_asdu *a, struct item *it, struct cur *c),
    el_nva_qos(struct iec_asdu *a, struct item *it, struct cur *c);
void el_sva_qos(struct iec_asdu *a, struct item *it, struct cur *c),
    el_r32_qos(struct iec_asdu *a, struct item *it, struct cur *c);
void el_bsi(struct iec_asdu *a, struct item *it, struct cur *c),
    el_coi(struct iec_asdu *a, struct item *it, struct cur *c);
void el_qoi(struct iec_asdu *a, struct item *it, struct cur *c),
    el_qcc(struct iec_asdu *a, struct item *it, struct cur *c);
void el_none(struct iec_asdu *a, struct item *it, struct cur *c),
    el_clock(struct iec_asdu *a, struct item *it, struct cur *c);
void el_fbp(struct iec_asdu *a, struct item *it, struct cur *c),
    el_qrp(struct iec_asdu *a, struct item *it, struct cur *c);
void el_delay(struct iec_asdu *a, struct item *it, struct cur *c),
    el_tsc(struct iec_asdu *a, struct item *it, struct cur *c);
void el_nva_qpm(struct iec_asdu *a, struct item *it, struct cur *c),
    el_sva_qpm(struct iec_asdu *a, struct item *it, struct cur *c);
void el_r32_qpm(struct iec_asdu *a, struct item *it, struct cur *c),
    el_qpa(struct iec_asdu *a, struct item *it, struct cur *c);
void el_file_ready(struct iec_asdu *a, struct item *it, struct cur *c),
    el_section_ready(struct iec_asdu *a, struct item *it, struct cur *c);
void el_file_call(struct iec_asdu *a, struct item *it, struct cur *c),
    el_last_section(struct iec_asdu *a, struct item *it, struct cur *c);
void el_file_ack(struct iec_asdu *a, struct item *it, struct cur *c),
    el_segment(struct iec_asdu *a, struct item *it, struct cur *c);
void el_directory(struct iec_asdu *a, struct item *it, struct cur *c),
    el_query_log(struct iec_asdu *a, struct item *it, struct cur *c);
void el_opaque(struct iec_asdu *a, struct item *it, struct cur *c);
/* Does this element end with a time tag of which there is nothing to tell but the time? */
bool iec_plain_time(const struct iec_type *t, struct span element);
/* The time tag behind an element. */
void el_time24(struct iec_asdu *a, struct cur *c);
void el_time56(struct iec_asdu *a, struct cur *c);

enum iec_kind { IK_IOA, IK_FILE, IK_CLOCK, IK_GROUP, IK_COUNTER_GROUP, IK_COUNT };
enum iec_field {
    IF_TYPE,
    IF_COT,
    IF_ORIGINATOR,
    IF_NEGATIVE,
    IF_TEST,
    IF_SEND_SEQ,
    IF_RECV_SEQ,
    IF_OBJECTS,
    IF_SEQUENCE,
    IF_TIME,
    IF_TIME24,
    IF_TIME_INVALID,
    IF_SUMMER_TIME,
    IF_CLOCK_DRIFT,
    IF_QUALIFIER,
    IF_SELECT,
    IF_QOI,
    IF_QCC,
    IF_FREEZE,
    IF_QRP,
    IF_COI,
    IF_LOCAL_CHANGE,
    IF_QPM,
    IF_QPA,
    IF_ELAPSED,
    IF_DELAY,
    IF_FBP,
    IF_TSC,
    IF_COUNTER_SEQ,
    IF_PROTECTION,
    IF_CHANGED,
    IF_SECTION,
    IF_FILE_LENGTH,
    IF_NOT_READY,
    IF_SCQ,
    IF_LSQ,
    IF_AFQ,
    IF_FILE_STATUS,
    IF_CHECKSUM,
    IF_SEGMENT,
    IF_LOG_STOP,
    IF_DATA,
    IF_COUNT
};
enum iec_anomaly {
    IA_BAD_LENGTH,
    IA_BAD_CONTROL,
    IA_ZERO_OBJECTS,
    IA_UNKNOWN_TYPE,
    IA_UNKNOWN_COT,
    IA_COT_MISMATCH,
    IA_DIRECTION,
    IA_SEQ_GAP,
    IA_SEQ_DUPLICATE,
    IA_ACK_INVALID,
    IA_WINDOW_K,
    IA_WINDOW_W,
    IA_NOT_STARTED,
    IA_WHILE_STOPPED,
    IA_CON_ALONE,
    IA_CA_ZERO,
    IA_IOA_NOT_ZERO,
    IA_IOA_RANGE,
    IA_BAD_TIME,
    IA_BAD_VALUE,
    IA_SQ,
    IA_EXECUTE_DIFFERS,
    IA_CON_DIFFERS,
    IA_PRIVATE_TYPE,
    IA_TRUNCATED,
    IA_SIZES,
    IA_TEST,
    IA_GARBAGE,
    IA_COUNT
};
/* An anomaly, unless the snap length cut the packet. */
static inline void iec_anomaly(const struct iec_asdu *a, unsigned bit)
{
    if (!a->x->cut)
        ev_anomaly(a->e, bit);
}
