/* limits.h: every bound, with its reason and what happens at it. Sizes that the configuration can change are in
 * struct limits (config key `limits`); the rest are shapes of records and fixed. */
#pragma once

#include <stdint.h>

enum {
    N_SHARDS = 64,           /* state is sharded by address pair; workers own whole shards. Never changes: ids and
                              * evictions would. */
    /* An event */
    EV_MAX_MSGS = 16,        /* phases and fragments of one transaction; at the bound it is committed and goes on as a
                              * second record with the same tx_id */
    EV_MAX_ITEMS = 128,      /* an IEC 104 ASDU has at most 127 objects, an S7 PDU 20; more: counted, truncated set */
    EV_MAX_FIELDS = 64,      /* more: dropped, truncated set */
    EV_TEXT = 8192,          /* bytes of strings that a dissector makes for one event (names and values of EV_MAX_ITEMS
                              * objects); more: cut, truncated set */
    EV_OBJECT = 160,         /* text of one object; longer names are cut with their hash appended */
    EV_VALUES_SHOWN = 256,   /* values of one item rendered into a record; more: counted only */
    EV_PACK = 20480,         /* bytes of a stored request: EV_MAX_ITEMS objects with their names (OPC UA, BACnet and MMS
                              * read lists of them); more: its values are dropped, truncated set */
    /* Decoding */
    LIM_DECODE_DEPTH = 16,   /* nested headers (VLAN, MPLS, tunnels) of one packet; more: LAY_DEEP */
    LIM_IP6_EXT = 8,         /* IPv6 extension headers of one packet */
    LIM_ASM = 65536,         /* bytes of one second-stage message (COTP, DNP3 transport, CIP); more: dropped, anomaly */
    LIM_PDU = 65559,         /* largest PDU that frame() may announce: EtherNet/IP 24 + 65535 */
    LIM_NDPI_LINKS = 256,    /* links of a shard of which it is known what nDPI was shown; more: shown again */
    LIM_COPIES = 512,        /* datagrams and frames of a shard that are remembered for their copies, in sets of 4;
                              * more: the oldest of its set is forgotten, and its copy processed like a first one */
    LIM_FAILED = 64,         /* errors of a shard that are counted at a time, one of a fact each; more: one is told the
                              * collector at once and makes room */
    LIM_EXPECT = 32,         /* publishers of a shard that are expected to speak again in time; more: not watched */
    LIM_PROBE_PDUS = 2,      /* consistent PDUs by which an unknown port is claimed */
};
