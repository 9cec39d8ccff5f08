/* s7comm.h: what the files of the S7comm dissector share. */
#pragma once

#include "dissectors/carrier_tpkt.h"

enum { S7_JOB = 1, S7_ACK = 2, S7_ACK_DATA = 3, S7_USERDATA = 7 }; /* ROSCTR */

enum { /* parameter functions of jobs and ack-data */
    S7_READ = 0x04, S7_WRITE = 0x05, S7_REQUEST_DOWNLOAD = 0x1a, S7_DOWNLOAD_BLOCK = 0x1b, S7_DOWNLOAD_ENDED = 0x1c,
    S7_START_UPLOAD = 0x1d, S7_UPLOAD = 0x1e, S7_END_UPLOAD = 0x1f, S7_PI = 0x28, S7_PLC_STOP = 0x29, S7_SETUP = 0xf0
};

/* User data as a function code: "7:group:subfunction". */
#define S7_UD(group, sub) (UINT32_C(0x70000) | (uint32_t)(group) << 8 | (uint32_t)(sub))
enum { S7_UD_PUSH = 0, S7_UD_REQUEST = 1, S7_UD_RESPONSE = 2 };
enum { S7_G_MODE = 0, S7_G_TIS = 1, S7_G_CYCLIC = 2, S7_G_BLOCK = 3, S7_G_CPU = 4, S7_G_SECURITY = 5, S7_G_PBC = 6,
       S7_G_TIME = 7, S7_G_NC = 15, S7_SEL_ROUTING = 0x20 };

enum s7_kind {
    K_DB, K_M, K_I, K_Q, K_P, K_DI, K_LOCAL, K_V, K_COUNTER, K_TIMER, K_RECORD, K_SI200, K_SM200, K_AI200, K_AQ200,
    K_HC200, K_TIMER200, K_AREA, K_BLOCK, K_FILE, K_SZL, K_NCK, K_DRIVE, K_SYMBOL, K_SYNTAX, K_ALARM, K_R_ID, K_AR_ID,
    K_JOB, K_JOB_ITEM, K_CYCLIC_ITEM, K_CLOCK
};

enum s7_field {
    F_PDU_REF, F_TSAP_CALLING, F_TSAP_CALLED, F_CONN_TYPE, F_RACK, F_SLOT, F_PDU_SIZE, F_AMQ_CALLING, F_AMQ_CALLED,
    F_UD_TYPE, F_SEQ, F_UNIT_REF, F_PARTS_LEN, F_UNKNOWN_PARAM,
    F_BLOCK, F_BLOCK_NUMBER, F_FILESYSTEM, F_LOAD_LEN, F_MC7_LEN, F_TRANSFER_ID, F_MORE, F_PIECE_LEN, F_CONTENT_LEN,
    F_CONTENT_HASH, F_CONTENT_COMPLETE, F_TRANSFER_ERROR, F_BLK_LANG, F_BLK_PROTECTED, F_BLK_LINKED, F_BLK_CODE_TIME,
    F_BLK_INTF_TIME, F_BLK_SSB_LEN, F_BLK_ADD_LEN, F_BLK_LOCAL_LEN, F_BLK_MC7_LEN, F_BLK_AUTHOR, F_BLK_FAMILY,
    F_BLK_NAME, F_BLK_VERSION, F_BLK_CHECKSUM, F_BLOCK_COUNT, F_BLOCK_NUMBERS, F_BLOCKS,
    F_PI, F_PI_ARG, F_FILE,
    F_SZL_COUNT, F_SZL_RECORD_LEN, F_ORDER_NUMBER, F_FIRMWARE, F_HARDWARE, F_BOOTLOADER, F_PLC_NAME, F_MODULE_NAME,
    F_PLANT_ID, F_COPYRIGHT, F_SERIAL, F_MODULE_TYPE, F_MEMORY_CARD, F_OEM, F_LOCATION, F_MANUFACTURER, F_LED, F_MODULE,
    F_MODE, F_MODE_BEFORE, F_PROTECTION, F_PROT_SWITCH, F_PROT_SET, F_MODE_SWITCH, F_HW_CHECKSUM, F_USER_CHECKSUM,
    F_MAX_PDU, F_MAX_CONN, F_IP, F_MAC, F_DIAG_EVENT, F_DIAG_TIME,
    F_CLOCK, F_PASSWORD, F_R_ID, F_TRIGGER, F_JOB, F_JOB_STATE, F_CYCLE_MS, F_EVENTS, F_USER, F_ALARM_TYPE,
    F_ALARM_STATE, F_ALARM_ACK_GOING, F_ALARM_ACK_COMING, F_ALARM_TIME, F_ALARM_COUNT,
    F_COUNT
};

enum s7_anomaly {
    A_TPKT_RESERVED, A_COTP_HEADER, A_COTP_CODE, A_COTP_SEGMENTS, A_TLS, A_FOREIGN, A_ROSCTR, A_LENGTH, A_TRAILING,
    A_FUNCTION, A_PDU_SIZE, A_ITEM_COUNT, A_ITEM_SHORT, A_SYNTAX, A_VALUE_LENGTH, A_AREA, A_PARAM, A_BLOCK_NAME,
    A_TRANSFER, A_BLOCK_LENGTH, A_BLOCK_MISMATCH, A_USERDATA, A_PARTS, A_SZL, A_REDUNDANCY, A_SERVER_JOB, A_COUNT
};

/* A block on its way, as far as the flow state keeps it. */
struct s7_xfer {
    uint64_t tx_id;      /* of the dialogue's first event */
    uint64_t hash;       /* FNV-1a of the content so far */
    uint32_t id;         /* upload id */
    uint32_t len;        /* bytes of content so far */
    uint32_t load_len;   /* announced (download), from the block's header (upload) */
    uint16_t number;
    uint8_t type;        /* 8 OB .. 15 SFB, 0 not a block */
    uint8_t fs;          /* 'P', 'A', 'B' */
    uint8_t active, lossy, mismatch, n_tail;
    uint8_t tail[36];    /* the last bytes: a block ends in author, family, name, version, checksum */
};

struct s7_flow {
    struct s7_xfer down, up;
    struct tpkt_flow tpkt;
    uint32_t part[2];    /* user data being joined, by sender; 0 none */
    uint16_t pdu_size;   /* agreed; 0 unknown */
    uint16_t odd_ref;    /* the last job of a function that is not known */
    uint8_t odd_fn;
    uint8_t is_s7, told_tsaps, lost[2];
};
_Static_assert(sizeof(struct s7_flow) <= DIS_FLOW_STATE, "the S7 flow state is too large");

/* One S7 message while it is read. */
struct s7 {
    struct dis_ctx *x;
    struct s7_flow *st;
    struct cur param, data;
    struct span parts;   /* both */
    uint64_t anomalies;  /* added to the event before it is handed over */
    uint16_t ref, err;
    uint8_t rosctr, joined;
    /* user data only */
    struct cur body;     /* the payload, whole */
    uint16_t body_len;   /* as announced */
    uint8_t type, tg, group, sub, seq, unit_ref, more, method, has_ext, code, tsize;
};

static inline void s7_anomaly(struct s7 *s, enum s7_anomaly a)
{
    s->anomalies |= UINT64_C(1) << a;
}

/* s7comm_tables.c */
extern const struct proto_schema s7comm_schema;
extern const char *const s7_pi_names[]; /* index = selector of function 0x28; NULL-terminated */
const char *s7_block_type(unsigned type); /* 8 "OB" ..; NULL unknown */
enum { S7_PI_WARM = 0, S7_PI_COLD = 1 };

/* s7comm.c */
void s7_commit(struct s7 *s, struct event *e);
void s7_wait(struct s7 *s, struct event *e, uint64_t key);
/* A request is about to wait under a key that another one waits under: where answers were lost, that one's was. */
void s7_reused(struct s7 *s, uint64_t key);
/* A return code of one item: 0xff is good. */
void s7_item_status(struct item *it, uint8_t code);
/* Status of the event from the statuses of its items. */
void s7_sum_items(struct event *e);

/* Text padded with spaces or zeros, without them. */
struct span s7_trim(struct span v);

/* s7comm_var.c: items of read, write, cyclic jobs and alarms */
void s7_read_request(struct s7 *s, struct event *e);
void s7_write_request(struct s7 *s, struct event *e);
void s7_read_answer(struct s7 *s, struct event *e);
void s7_write_answer(struct s7 *s, struct event *e);
/* One item address; pads to an even length unless it is the last. False when c is at its end or broken. */
bool s7_item(struct s7 *s, struct event *e, struct cur *c, bool last);
/* `count` data items (return code, transport size, length, value), given to e's items in order from `first`; missing
 * ones are added as spare_kind with space. Returns how many were read. */
unsigned s7_values(struct s7 *s, struct event *e, struct cur *c, unsigned count, unsigned first, uint8_t spare_kind,
                   uint32_t space);
/* One data item: false at the end. len is the value's bytes; the fill byte is skipped unless `last`. */
bool s7_value(struct s7 *s, struct cur *c, bool last, uint8_t *code, uint8_t *tsize, struct span *v);
void s7_set_value(struct item *it, uint8_t tsize, struct span v);

/* s7comm_block.c: up- and download, PI services */
void s7_block_request(struct s7 *s, struct event *e);
void s7_block_answer(struct s7 *s, struct event *e);
void s7_pi_request(struct s7 *s, struct event *e);
void s7_pi_answer(struct s7 *s, struct event *e);
void s7_stop_request(struct s7 *s, struct event *e);
void s7_stop_answer(struct s7 *s, struct event *e);
void s7_block_header(struct event *e, struct cur c);
void s7_block_footer(struct event *e, struct cur c);
/* "0A" and "00010" (ASCII): type and number of a block. False when they are neither. */
bool s7_block_name(struct cur *c, uint8_t *type, uint32_t *number);
void s7_block_item(struct event *e, uint8_t type, uint32_t number);
uint64_t s7_fnv(uint64_t h, struct span v);
#define S7_FNV_START UINT64_C(0xcbf29ce484222325)

/* s7comm_userdata.c */
enum verdict s7_userdata(struct s7 *s);
/* DATE_AND_TIME (8 bytes BCD, IEC 61131-3) as ns since 1970; 0 when it is none. */
uint64_t s7_date_and_time(struct cur *c);

/* s7comm_tis.c: programmer commands (test and installation) */
void s7_tis_request(struct s7 *s, struct event *e);
void s7_tis_answer(struct s7 *s, struct event *e);

/* s7comm_cpu.c: messages and alarms */
void s7_cpu_request(struct s7 *s, struct event *e);
void s7_cpu_answer(struct s7 *s, struct event *e);

/* s7comm_szl.c: system status lists */
void s7_szl_request(struct s7 *s, struct event *e);
void s7_szl_answer(struct s7 *s, struct event *e);
/* An entry of the diagnostic buffer (20 bytes), also a message of its own. */
void s7_diag_event(struct s7 *s, struct event *e, struct cur *c);
