/* row.h: the rows in which the model and the store talk: what the baseline knows, one struct a table.
 *
 * The baseline writes rows that changed into a row_sink (the store's), and a store that is opened writes all it holds
 * into the baseline's; so neither includes the other. Rows hold absolute values, never increments. Ids come from
 * content (hash.h, HASH_ID_KEY). Strings and arrays are borrowed for the call; a NULL string is "not known". */
#pragma once

#include "engine/base/addr.h"

enum row_kind { ROW_ASSET, ROW_IDENT, ROW_LINK, ROW_FUNC, ROW_OP, ROW_NET, ROW_ACCEPTED, ROW_KINDS };

/* How a fact stands. Stored in the databases: never renumber. */
enum learned {
    FACT_NEW,      /* seen, not judged yet */
    FACT_LEARNED,  /* normal: learned, accepted or imported */
    FACT_FOLDED,   /* a deviation that was counted in a higher one */
    FACT_ALERTED,  /* a deviation that was raised by itself */
    FACT_CONDEMNED,/* seen while learning, but a rule or protocol alert condemned it: not learned */
};

/* Life of a fact, common to all levels. */
enum { ROW_NEVER_NS = 1 };
struct row_life {
    uint64_t first_ns, last_ns; /* ROW_NEVER_NS: it was imported, and not seen yet */
    uint64_t learn_ns;   /* learning of what lies beneath began here; 0: it is not learning */
    uint64_t novelty_ns; /* last time something new was learned beneath; ROW_NEVER_NS: it was imported itself */
    uint64_t alert_ns;   /* first time of the alert about it; 0 none */
    uint8_t learned;     /* enum learned */
};

struct row_asset {
    uint64_t id;
    struct addr key;           /* the address it is known by: its first IP, else its MAC */
    const char *net;           /* name of its network */
    const char *name, *type, *type_reason, *vendor, *model, *firmware, *serial, *os, *state;
    const char *zone, *criticality, *owner; /* from the configuration */
    const char *tags;          /* from the configuration: "a,b" */
    const struct addr *ips;
    const uint8_t (*macs)[6];
    const uint16_t *vlans;
    uint64_t parent;           /* asset id of the device this one is behind; 0 none */
    uint64_t evidence;         /* what its roles were concluded from; the baseline's own bits */
    uint32_t roles;            /* ROLE_ */
    uint32_t n_targets;        /* controllers it talks to as client */
    int purdue;                /* -1 unknown; 35 is level 3.5 */
    uint8_t n_ips, n_macs, n_vlans;
    uint8_t macs_learned;      /* bit per MAC of macs */
    uint8_t authorized;        /* named in the configuration, or accepted */
    uint8_t flags;             /* ROW_ASSET_ */
    struct row_life life;
};
enum { ROW_ASSET_ROUTER = 1, ROW_ASSET_L2 = 2, ROW_ASSET_ANSWERED = 4, ROW_ASSET_REMOTE = 8, ROW_ASSET_ARP = 16 };

struct row_ident {
    uint64_t asset;
    uint32_t sub;              /* OBS_SELF or slot/unit/outstation */
    uint8_t kind, confidence;  /* enum obs_kind; 0..100 */
    uint8_t current;           /* its source says so now; else it said so once */
    uint8_t learned;           /* enum learned */
    const char *source, *value;
    uint64_t first_ns, last_ns;
};

struct row_link {
    uint64_t id;
    struct addr client, server;
    const char *net, *apps;    /* apps: "enip,cip"; the first is the app_proto */
    uint64_t packets[2], bytes[2];
    uint64_t errors, resets, retransmissions, gaps;
    uint16_t port;             /* the server's; layer 2: EtherType; ICMP: type */
    uint8_t l4, flags;         /* ROW_LINK_ */
    uint8_t app_learned, app_judged; /* bit per app of apps; judged: known to be new, alerted or folded */
    struct row_life life;
};
enum { ROW_LINK_SURE = 1, ROW_LINK_ATTEMPT = 2, ROW_LINK_TLS = 4, ROW_LINK_WRONG_PORT = 8, ROW_LINK_STATE_CMD = 16,
       ROW_LINK_GROUP = 32 }; /* the server is a group, also where the address alone does not tell */

/* A function of one protocol that a link uses on one unit. */
struct row_func {
    uint64_t id, link;
    const char *proto, *function, *name; /* function: as on the wire ("7:4:1"); name: "read_holding_registers" */
    uint32_t fn, sel, unit, sub;
    uint8_t has_unit;
    struct row_life life;
};

enum { ROW_OP_ERRORS = 6 };
/* One object (or one learned interval) that a function touches. */
struct row_op {
    uint64_t id, func;
    const char *kind;          /* kind of object by name; NULL: no object */
    const char *name;          /* of a named object */
    const char *action;
    const char *object;        /* the notation for people: "holding_register:0-9" */
    uint64_t count, errors;
    uint32_t space, first, last, period_us;
    uint32_t status[ROW_OP_ERRORS]; /* error codes met */
    uint8_t has_range, bit, n_status, status_learned; /* bit per status */
    struct row_life life;
};

/* Learning of a whole network: new assets. */
struct row_net {
    const char *net;
    struct row_life life;
};

/* An alert that was taken for normal for good. */
struct row_accepted {
    uint64_t key;      /* alert_key() */
    uint64_t since_ns;
    const char *type, *src, *dst, *what; /* for people: id, addresses, what was seen */
};

/* Each returns false when the row could not be taken now: it stays due. */
struct row_sink {
    void *ctx;
    bool (*asset)(void *ctx, const struct row_asset *r);
    bool (*ident)(void *ctx, const struct row_ident *r);
    bool (*link)(void *ctx, const struct row_link *r);
    bool (*func)(void *ctx, const struct row_func *r);
    bool (*op)(void *ctx, const struct row_op *r);
    bool (*net)(void *ctx, const struct row_net *r);
    bool (*accepted)(void *ctx, const struct row_accepted *r);
    /* The row is gone (evicted, merged), and with it the rows beneath. For ROW_IDENT: all of that asset. */
    bool (*gone)(void *ctx, enum row_kind kind, uint64_t id);
};
