/* carrier_tpkt.h: ISO transport on TCP (TPKT and COTP class 0), shared by S7comm, S7comm-plus, MMS and others.
 *
 * Knows no protocol above it. A dissector on it calls tpkt_frame() from its frame(), tpkt_peek() from its probe() and
 * tpkt_parse() from its parse(); it keeps a struct tpkt_flow in its own per-flow state. */
#pragma once

#include "dissectors/dissector.h"

enum tpdu { /* ISO 8073 13.1: the high nibble of the TPDU code */
    TPDU_ED = 0x1, TPDU_EA = 0x2, TPDU_UD = 0x4, TPDU_RJ = 0x5, TPDU_AK = 0x6, TPDU_ER = 0x7, TPDU_DR = 0x8,
    TPDU_DC = 0xc, TPDU_CC = 0xd, TPDU_CR = 0xe, TPDU_DT = 0xf
};

enum tpkt_fault {
    TPKT_RESERVED = 1, /* RFC 1006 6: the reserved octet is not 0 */
    TPKT_HEADER = 2,   /* length indicator too short for the code, or beyond the packet */
    TPKT_PARAM = 4,    /* a variable parameter of CR or CC runs over its end */
    TPKT_CODE = 8,     /* a code that ISO 8073 does not know, or that class 0 does not use */
    TPKT_TRAILING = 16,/* octets after a TPDU that carries no user data in class 0 */
    TPKT_OVERFLOW = 32,/* segments were dropped: too long, or the first of them is missing */
};

enum tpkt_what {
    TPKT_BROKEN,    /* no TPDU could be read */
    TPKT_CONTROL,   /* CR, CC, DR, DC, ER and what class 0 does not use: see code */
    TPKT_KEEPALIVE, /* DT without user data */
    TPKT_SEGMENT,   /* DT with EOT 0: kept until the message is whole */
    TPKT_DATA,      /* a whole message in `data` */
};

enum { TPKT_TSAP = 16 };

/* Kept by the dissector in its flow state; zeroed is right at the start. */
struct tpkt_flow {
    uint8_t more[2];    /* by sender: its last DT had EOT 0 */
    uint8_t has_tsaps;  /* a CR or CC was seen */
    uint8_t calling_n, called_n;
    uint8_t size_log2;  /* agreed TPDU size, 0 unknown */
    uint8_t calling[TPKT_TSAP], called[TPKT_TSAP]; /* cut at TPKT_TSAP */
};

struct tpkt {
    enum tpkt_what what;
    uint8_t code;       /* enum tpdu */
    uint8_t faults;     /* enum tpkt_fault bits */
    uint8_t reason;     /* DR: 13.5.3, ER: 13.12.3 */
    bool joined;        /* data was put together from several TPDUs: it lies in the runtime's buffer */
    struct cur data;
};

/* Length of the TPKT at the start of c, by RFC 1006 6. */
struct frame tpkt_frame(struct cur c);
/* Look without reading: MATCH_NO no TPKT with a class 0 TPDU, MATCH_MORE too short, MATCH_MAYBE a good one: its code
 * and (DT) as much of its user data as is there; CR and CC: their parameters. */
enum match tpkt_peek(struct cur c, uint8_t *code, struct cur *user);
/* The same of the first TPKT of a direction that tells whose it is: a DT with user data, which c is moved to. Where
 * there is none yet, of the first one (a CR, mostly). MATCH_MORE: it may be the next, of which too little is there. */
enum match tpkt_seek(struct cur *c, uint8_t *code, struct cur *user);
/* One whole TPKT. Joins segments under asm_key. CR and CC leave their TSAPs in f, and set x->dir where unknown. */
struct tpkt tpkt_parse(struct cur pdu, struct dis_ctx *x, struct tpkt_flow *f, uint32_t asm_key);
/* Bytes of a direction were lost. */
void tpkt_gap(struct dis_ctx *x, struct tpkt_flow *f, uint32_t asm_key);
/* Does user data begin with a TLS record? */
bool tpkt_is_tls(struct cur data);
/* The TSAP among the parameters of a peeked CR or CC: 0xc1 calling, 0xc2 called; {NULL, 0} when there is none. */
struct span tpkt_tsap(struct cur params, uint8_t code);
/* "0102", or the text itself where a TSAP is printable; at most out_n - 1 bytes, terminated. */
unsigned tpkt_tsap_text(const uint8_t *tsap, unsigned n, char *out, unsigned out_n);
/* Both TSAPs of the connection as fields of those ids. False: it was opened before, and they are not known. */
bool tpkt_tsap_fields(const struct tpkt_flow *t, struct event *e, uint8_t calling, uint8_t called);
/* ISO 8073 13.5.3 (DR) and 13.12.3 (ER), for error_name and documents. */
extern const struct code_name tpkt_disconnect_reasons[];
