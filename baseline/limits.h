/* limits.h: every bound of the model, with its reason and what happens at it. Those of struct baseline_limits can be
 * configured (key `limits`); evictions are counted and deterministic. Memory is touched only as far as it is used. */
#pragma once

#include <stdint.h>

enum {
    /* Defaults of struct baseline_limits. Bytes are those of a full table. */
    LIM_ASSETS = 16384, /* a large site has 10,000; full: the oldest that never had a two-way exchange and is not
                         * learned goes, else the one not seen for the longest time. 8 MiB */
    LIM_LINKS = 65536,  /* four a device; full: unanswered attempts, then unlearned, then least recently seen. 15 MiB */
    LIM_FUNCS = 65536,  /* functions per link and unit; full: the least recently seen with its operations. 11 MiB */
    LIM_OPS = 131072,   /* objects; full: the least recently seen. 23 MiB */
    LIM_DIGESTS = 262144, /* worker's digest to row; full: the oldest is forgotten, its counts are not attributed
                           * until the worker reports the fact again. 11 MiB */
    LIM_IDENTS = 32768,   /* identity facts, old values included; full: the oldest superseded, else the oldest. 7 MiB */
    LIM_NAMES = 32768,    /* distinct object names (tags, paths); full: the least recently seen operation goes. 6 MiB */
    LIM_INCIDENTS = 2048, /* deviations that still collect what follows; full: the oldest stops collecting. 3 MiB */
    LIM_SCANNERS = 256,   /* sources watched for scans at a time; full: the one with the fewest probes stops being
                           * watched. 3 MiB */
    /* Shapes, fixed */
    LIM_ASSET_IPS = 8,      /* addresses shown of one device; more: the rest are devices of their own */
    LIM_ASSET_MACS = 8,     /* more: the oldest goes */
    LIM_ASSET_VLANS = 8,    /* more: not shown */
    LIM_LINK_APPS = 6,      /* protocols on one link; more: judged as new each time, not kept */
    LIM_OP_ERRORS = 6,      /* distinct errors per object; more: counted, judged as known */
    LIM_ASSET_IDENTS = 128, /* identity facts of one asset (a gateway with many units); more: the oldest superseded,
                             * else the oldest goes */
    LIM_LINK_FUNCS = 4096,  /* functions of one link: a fuzzer must not evict the plant; more: the newest
                             * gives way */
    LIM_FUNC_OPS = 4096,    /* objects of one function: a scan of objects must not push out what was learned, and
                             * intervals of one space are searched in turn; more: the newest gives way */
    LIM_ACCEPTED = 4096,    /* alerts taken for normal one by one; more: refused, with the hint to switch the rule
                             * off. 1 MiB */
    LIM_PARTNERS = 16,     /* addresses of a redundant set looked for in the place of one end; more (on layer 2): the
                            * rest are no partners */
    LIM_NETS = 1024,        /* networks with a learning clock of their own; more share the last */
    LIM_SUBNETS = 1024,     /* public networks watched for being local; more: the least recently seen is forgotten */
    LIM_SCAN_PROBES = 256, /* probes remembered per watched source: well above every threshold; more: the oldest goes */
    LIM_PENDING = 4096,    /* unanswered attempts waiting for judgement at the end of their window; more: judged now */
    LIM_BURST = 8,         /* deviations of one type, of those that change nothing, that come less than LIM_BURST_NS
                            * behind each other and are raised one by one; more: counted in one DEV_FLOOD. Forged
                            * sources come by the thousand a second, devices that are switched on do not. */
    LIM_BURST_NS = 100000000,
    LIM_NOVELTIES = 64,    /* deviations of one type raised one by one per folding window (10 min); more: counted in
                            * one DEV_FLOOD. A person reads no more; a flood of forged sources makes no more. */
};

/* Configurable sizes; zero: the default above. */
struct baseline_limits {
    uint32_t assets, links, funcs, ops, digests, idents, names, incidents, scanners;
};
