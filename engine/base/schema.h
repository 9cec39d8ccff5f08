/* schema.h: all that rules, records, baseline, documents and the command line know of a protocol: names as tables. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct item;

/* The neutral vocabulary: what a message does, in words that rules and baseline share. 0 is the safe default. */
enum action {
    ACT_OTHER, ACT_READ, ACT_WRITE, ACT_CONTROL, ACT_FORCE, ACT_SELECT, ACT_CONFIGURE, ACT_UPLOAD, ACT_DOWNLOAD,
    ACT_FIRMWARE, ACT_START, ACT_STOP, ACT_RESET, ACT_MODE, ACT_TIME, ACT_FILE, ACT_LOCK, ACT_ALARM, ACT_DIAGNOSE,
    ACT_AUTHENTICATE, ACT_BROWSE, ACT_SESSION, ACT_REPORT, ACT_COUNT
};
/* "other", "read", ..., "program_upload" (out of the device), "program_download" (into it), ..., "report". */
const char *action_name(unsigned action);
/* The action of that name, or -1. */
int action_by_name(const char *name);
/* Actions that change a device or the process: write, control, force, select, configure, download, firmware, start,
 * stop, reset, mode, time, file, lock. New ones are major, new others minor. */
bool action_changes(unsigned action);
/* Does it change the state of the device that it is for: does that run, and what? */
bool action_commands(unsigned action);

enum { OP_ANY_SELECTOR = UINT32_MAX, FN_NONE = UINT32_MAX };

enum { /* struct op_row.flags */
    OP_NO_ANSWER = 1,   /* the standard has no answer to this request: it is complete by itself */
    OP_OBSOLETE = 2,    /* the standard calls it obsolete or reserved: using it is an anomaly of its own */
    OP_ANSWER = 4,      /* only ever sent as an answer or unsolicited */
};

/* One row a function: sorted by (fn, sel); sel OP_ANY_SELECTOR is the row for every selector that has no own one. */
struct op_row {
    uint32_t fn, sel;
    const char *name;   /* snake_case, the standard's words: "read_holding_registers" */
    uint8_t action, flags;
    uint16_t req_min, req_max, rsp_min, rsp_max; /* bytes of the body; max 0: no bound of its own. For the dissector. */
};

enum field_type {
    FT_UINT,
    FT_INT,
    FT_HEX /* "0x1a" */,
    FT_BOOL,
    FT_DOUBLE,
    FT_TEXT,
    FT_BYTES /* hex string */,
    FT_IPV4,
    FT_TIME /* ns since 1970, ISO 8601 */,
    FT_NAME /* code + names: {"key":"name"}; unknown code: number */
};

struct code_name {
    uint32_t code;
    const char *name;
};

/* A field of a protocol's own object: record key "modbus.<key>"; its index in the table is its id. */
struct field_def {
    const char *key;                /* snake_case */
    uint8_t type;
    bool array;                     /* may repeat in one event: always rendered as an array */
    const char *group;              /* NULL: under the schema's name; else a sibling object of that name ("umas") */
    const struct code_name *names;  /* FT_NAME: ends with {0, NULL} */
    const char *doc;                /* one line for the documents */
};

enum { /* struct kind_def.flags */
    KIND_RANGE = 1,   /* first..last are addresses of one space: ranges merge in the baseline, with a gap allowance */
    KIND_SPACE = 2,   /* space is significant: rendered as name[space] */
    KIND_HEX = 4,     /* numbers in 0x notation */
    KIND_BIT = 8,     /* item.bit, where not 0xff, is rendered as ":first.bit" */
    KIND_NAME = 16,   /* item.name is the object: "tag:Motor_Speed" */
};
/* A kind of object. Notation everywhere (records, rules, baseline, export):
 * name["["space"]"][":"first["-"last]["."bit]] or name":"text. */
struct kind_def {
    const char *name;
    uint8_t flags;
};

enum { SCHEMA_MAX_ANOMALIES = 60 /* the other bits of 64: FAULT_ in rules/cond.h */, SCHEMA_MAX_FIELDS = 250 };

/* An anomaly: the standard is broken, or something is done that it warns of. Bit number = index. */
struct anomaly_def {
    const char *name;    /* snake_case, stable: rules match it */
    uint8_t severity;    /* 1 warning, 2 minor, 3 major, 4 critical; 0 only recorded, no alert by itself */
    const char *doc;     /* what is broken, with the clause */
    bool of_both;        /* it says that the other side did not say something: only where that side is heard */
};

struct proto_schema {
    const char *name;    /* "modbus": event_type, JSON key, rule key, folder of captures and goldens */
    const char *title;   /* "Modbus/TCP" */
    const char *spec;    /* document, edition */
    const struct op_row *ops;             uint32_t n_ops;
    const struct field_def *fields;       uint32_t n_fields;
    const struct kind_def *kinds;         uint32_t n_kinds;
    const struct anomaly_def *anomalies;  uint32_t n_anomalies;
    const struct code_name *statuses;     /* error/exception/status codes by name, ends with {0, NULL}; may be NULL */
    const char *const *qualities;         /* name of each bit of item.quality, NULL-terminated; may be NULL */
    /* The quality octet that a value has of its own (vals.qual_off) as such bits; NULL: it stands as they do. */
    uint32_t (*quality_of)(const struct item *it, uint8_t octet);
    /* The notation of a function code on the wire ("7:4:1", "U:1"); NULL: decimal. out holds FN_TEXT. */
    void (*fn_text)(uint32_t fn, char *out);
    /* The highest code that its field can hold, of those whose notation is decimal; 0: 32 bits, or none is. */
    uint32_t fn_max;
    /* What "unit" is: "unit id", "outstation address", "common address", "slot"; NULL: the protocol has none. */
    const char *unit_is;
    /* What an address inside the protocol (OBS_PROTO_ADDR) of a server, of a client is called in the inventory
     * ("outstation", "master"); NULL: by the schema's name. */
    const char *addr_is[2];
    /* The notation of a unit where unit and sub together name the device ("2001:5"); NULL: decimal, and sub is a slot.
     * out holds FN_TEXT. */
    void (*unit_text)(uint32_t unit, uint32_t sub, char *out);
};
enum { FN_TEXT = 24 };

/* The row of (fn, sel), else of (fn, any), else NULL. O(log n). */
const struct op_row *schema_op(const struct proto_schema *s, uint32_t fn, uint32_t sel);
void schema_fn_text(const struct proto_schema *s, uint32_t fn, char out[FN_TEXT]);
void schema_unit_text(const struct proto_schema *s, uint32_t unit, uint32_t sub, char out[FN_TEXT]);
const char *code_name(const struct code_name *table, uint32_t code); /* NULL when unknown or no table */
int schema_field(const struct proto_schema *s, const char *group, const char *key); /* id, or -1 */
int schema_kind(const struct proto_schema *s, const char *name);                    /* index, or -1 */
/* The bit of the severest of these anomalies, of equals the lowest; -1 where none is told by itself. */
int schema_worst(const struct proto_schema *s, uint64_t anomalies);
