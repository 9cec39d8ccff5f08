/* goose_priv.h: between the files of GOOSE. */
#pragma once

#include "dissectors/carrier_mmsdata.h"
#include "dissectors/dissector.h"

enum goose_fn { /* functions; management: request and response by the tag of what is asked */
    GOOSE_FN_PDU = 1,
    GOOSE_FN_MANAGEMENT = 0x100,
    GOOSE_FN_RESPONSE = 0x200,
};

enum goose_field {
    GF_APPID, GF_GOCB_REF, GF_DAT_SET, GF_GO_ID, GF_CHANGE, GF_ST_NUM, GF_SQ_NUM, GF_TIME, GF_TIME_ACCURACY,
    GF_CLOCK_FAILURE, GF_CLOCK_UNSYNC, GF_CONF_REV, GF_TTL, GF_SIMULATION, GF_NDS_COM, GF_ENTRIES, GF_INTERVAL, GF_LOST,
    GF_PREVIOUS_ST_NUM, GF_PREVIOUS_CONF_REV, GF_SECURITY, GF_SPDU_NUMBER, GF_SPDU_VERSION, GF_KEY_ID, GF_KEY_TIME,
    GF_KEY_NEXT, GF_ENCRYPTION, GF_SIGNATURE, GF_SIGNED, GF_COPIES, GF_STATE_ID, GF_REFERENCE, GF_COUNT
};

enum goose_kind { GK_CONTROL_BLOCK, GK_DATA, GK_COUNT };

enum goose_anomaly {
    /* between this message and the one before it */
    GA_STATE_CHANGE, GA_RESTART, GA_ST_GAP, GA_ST_JUMP, GA_ST_BACK, GA_SQ_GAP, GA_SQ_BACK, GA_SQ_REPEATED,
    GA_TTL_EXPIRED, GA_CONF_REV, GA_DAT_SET, GA_ENTRIES_CHANGED, GA_SIMULATION_END,
    /* in this message, or a habit of its publisher: told when it begins; those of values with each change of them */
    GA_DATA_CHANGED, GA_TIME_CHANGED, GA_TIME_BACK, GA_SIMULATION, GA_SIMULATION_FLAGS, GA_NDS_COM, GA_TEST,
    GA_CONF_REV_0, GA_TTL_0, GA_ST_0, GA_ENTRIES, GA_MISSING, GA_ORDER, GA_VALUE, GA_DATA_BROKEN, GA_DATA_VALUE,
    GA_TRAILING, GA_RESERVED, GA_LENGTH,
    /* no message can be read */
    GA_HEADER, GA_BER, GA_SESSION, GA_COUNT
};
#define GOOSE_BIT(a) (UINT64_C(1) << (a))
/* The habits among them. */
enum { GA_HABITS = GA_DATA_CHANGED };
static inline uint32_t goose_habits(uint64_t anomalies)
{
    return (uint32_t)((anomalies & (GOOSE_BIT(GA_HEADER) - 1)) >> GA_HABITS);
}

enum goose_change { CHANGE_FIRST, CHANGE_REPETITION, CHANGE_STATE, CHANGE_RESTART, CHANGE_COPY, CHANGE_OLD };

/* How the messages of a publisher are made up. Nearly all differ from the one before in timeAllowedtoLive, t, stNum,
 * sqNum and the data at most; the octets around those need not be walked again:
 *   a: gocbRef, tag of [1] | value | b: datSet, goID, tag and length of t | value | stNum | sqNum | d: up to allData */
struct goose_layout {
    uint16_t b_n, has;
    uint8_t a_n, d_n;      /* d_n 0: not known, or made up otherwise. Numbers have 9 octets at most, texts 127 */
    uint8_t dat_set_n, go_id_n;
    bool simulation, nds_com; /* of the APDU */
};

/* What a publisher said last: struct of dis_shared(), by address pair, APPID and control block. */
struct goose_publisher {
    uint64_t seen_ns;      /* 0: new */
    uint64_t time_ns;      /* t */
    uint64_t data;         /* hash of allData */
    uint64_t rest;         /* hash of what the layout calls a, b and d, and of the APPID */
    struct rt_seen seen;   /* of a repetition without an anomaly */
    uint32_t st_num, sq_num, conf_rev, ttl_ms, entries, dat_set;
    uint32_t habits;       /* of the last message */
    uint32_t frame;        /* its number, and of which file */
    struct goose_layout layout;
    uint16_t file;
    bool simulation;
};
_Static_assert(sizeof(struct goose_publisher) <= DIS_SHARED, "fits a shared blob");

/* One IECGoosePdu. */
struct goose_pdu {
    struct span gocb_ref, dat_set, go_id;
    struct cur all_data;
    struct ber_time time;
    uint32_t ttl_ms, st_num, sq_num, conf_rev, entries;
    bool simulation, nds_com;
    bool same;             /* made up like the message before it, which was well formed */
    uint32_t has;          /* bit n: element [n] */
    uint64_t anomalies;
    uint64_t data, rest;   /* hashes, as goose_publisher has them */
    struct goose_layout layout; /* if it is well formed */
};

/* What stands around the APDU: the Ethernet header or the session layer. */
struct goose_carrier {
    uint16_t appid;
    uint64_t anomalies;
    bool simulation;       /* the flag of the header; also in the APDU */
    bool routed, secured;
    uint32_t copies;       /* the same APDU so many times in one SPDU */
    uint32_t spdu_number, key_id, key_time;
    uint16_t version, key_next;
    uint8_t encryption, signature;
    bool is_signed;
};

/* The contents of [APPLICATION 1]. False where even the elements cannot be walked; what was read stays. */
bool goose_pdu_read(const struct dis_ctx *x, const struct goose_carrier *h, struct cur body, struct goose_pdu *ret);
/* The same, into *p, of one that is made up like the message before it; else false. *ret: the publisher, where there is
 * one. */
bool goose_pdu_again(struct dis_ctx *x, const struct goose_carrier *h, struct cur body, struct goose_pdu *p,
                     struct goose_publisher **ret);
/* What is read the same way says: the next repetition, in time, and nothing else that the message before it did not
 * say. p->anomalies: those of the message alone. */
bool goose_repeats(const struct dis_ctx *x, const struct goose_pdu *p, const struct goose_publisher *st);
/* In place of goose_follow(), of such a message. */
void goose_repeated(struct dis_ctx *x, const struct goose_carrier *h, const struct goose_pdu *p,
                    struct goose_publisher *st);
/* dissector.due */
void goose_due(const void *publisher, struct dis_due *ret);
/* A GSEMngtPdu, [APPLICATION 0]: an event of its own. */
enum verdict goose_management(struct cur body, struct dis_ctx *x, const struct goose_carrier *h);
/* Compares with what the publisher said before, and remembers. Sets p->anomalies. *st: the publisher, if it is known;
 * it is after that. */
enum goose_change goose_follow(struct dis_ctx *x, const struct goose_carrier *h, struct goose_pdu *p,
                               struct goose_publisher **st, struct goose_publisher *before);

extern const struct proto_schema goose_schema;
