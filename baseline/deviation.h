/* deviation.h: what the baseline found to be other than learned. alerts/ makes alert records of them. */
#pragma once

#include "engine/base/record.h"

enum dev_type { /* stable: alert types refer to them by name */
    DEV_NONE,
    DEV_NEW_ASSET,        /* a device that was not there */
    DEV_NEW_LINK,         /* known devices that never talked so */
    DEV_NEW_PROTOCOL,     /* another application protocol on a known link */
    DEV_NEW_UNIT,         /* a unit, outstation, common address never addressed on this link */
    DEV_NEW_FUNCTION,     /* a function never used on this link and unit */
    DEV_NEW_OBJECT,       /* an object, or a range outside the learned ones */
    DEV_NEW_ERROR,        /* an error answer never given for this object */
    DEV_IDENTITY_CHANGED, /* model, serial, name, ... of a device differs */
    DEV_FIRMWARE_CHANGED, /* firmware, hardware or software version differs */
    DEV_STATE_COMMAND,    /* start, stop, reset, mode, program or firmware from a station that never sent one */
    DEV_STATE_CHANGED,    /* a controller says it is in another state or protection level */
    DEV_ADDRESS_CONFLICT, /* an IP moved to another MAC */
    DEV_ADDRESS_SCAN,     /* many destinations tried by one source */
    DEV_PORT_SCAN,        /* many ports of one destination tried */
    DEV_CONTROLLER_SCAN,  /* controller ports tried on many devices */
    DEV_WRONG_PROTOCOL,   /* another protocol than the one that owns the port */
    DEV_FLOOD,            /* more novelties of one type than are raised one by one; counted here */
    DEV_COUNT
};
/* "new_asset", ...: the stable key of the alert catalogue. */
const char *dev_name(unsigned type);

enum dev_severity { DEV_WARNING = 1, DEV_MINOR, DEV_MAJOR, DEV_CRITICAL };

/* How many facts that follow from this one were counted in it instead of being raised. */
struct dev_follow {
    uint32_t assets, links, protocols, units, functions, objects, errors, states;
    uint32_t writes;      /* of functions and objects: those that change something */
};

enum { DEV_TEXT = 320, DEV_ACCEPT = 48 };

struct deviation {
    uint8_t type;         /* enum dev_type */
    uint8_t severity;     /* enum dev_severity, already lowered */
    uint8_t again;        /* the same `fold` was emitted before: count, follow and last_ns have grown */
    uint8_t lowered;      /* severity was lowered because of engineering or maintenance */
    uint8_t engineering;  /* src is a configured engineering station */
    uint8_t flood_of;     /* DEV_FLOOD: of which type */
    uint8_t external;     /* new asset, new link: one end is a public address that is not here */
    uint8_t paired;       /* new link: another one is learned between the two, so the protocol is what is new */
    uint8_t also[2];      /* other types that it is of (scans: that the same probes are); DEV_NONE: none */
    uint8_t l4, has_mac, has_action, action; /* enum action */
    const char *maintenance; /* name of the maintenance window, NULL none */
    const char *app;      /* protocol, NULL unknown */
    uint64_t fold;        /* stable id of this deviation: type, subject, object; survives restarts */
    uint64_t first_ns;    /* of the novelty: with fold it makes the alert's uid */
    uint64_t last_ns;     /* ts of this report */
    uint64_t count;       /* occurrences so far */
    struct dev_follow follow;
    uint64_t src_asset, dst_asset; /* asset ids; 0: the address is no asset (or there is none) */
    struct addr src, dst; /* the controlling side, and the other; dst zeroed when there is none */
    uint8_t smac[6], dmac[6];
    uint16_t net, sport, dport, file, iface, vlan;
    uint32_t frame;
    uint64_t link, flow_id;        /* as in record.h; 0 none */
    const struct rec_event *event; /* the message, NULL when there is none; valid for the call */
    const struct rec_fact *fact;   /* of that event, the one it is about; may be NULL */
    char object[EV_OBJECT];        /* object, address, or what changed; "" none */
    char why[DEV_TEXT]; /* "first write to holding_register:400 of unit 1; learned 0-99 from .. to .., 1200 times" */
    char expected[DEV_TEXT], seen[DEV_TEXT];
    char accept[DEV_ACCEPT];       /* argument of `tyto baseline accept`; "" when there is nothing to learn */
};

/* Borrowed for the call. */
typedef void deviation_cb(void *ctx, const struct deviation *d);
