/* cond.h: compiled conditions, shared by the files of rules/ and nobody else.
 *
 * compile*.c turn a `when:` into a tree of struct cond; split.c brings it into entries (worker's part,
 * collector's part), index.c makes them quick to find; match.c and finish.c evaluate. Everything lies in the set's
 * arena and never changes. */
#pragma once

#include "rules/rules.h"
#include "rules/yaml.h"

enum cond_op {
    C_TRUE, C_FALSE, C_AND, C_OR,
    C_NEVER, /* false because the site is not configured so */
    /* decided by the worker */
    C_PROTOCOL, /* schemas */
    C_ACTION,   /* mask: of the message or of one of its items */
    C_FUNCTION, /* fns */
    C_NUMBER,   /* what: enum cond_number; ranges */
    C_ENUM,     /* what: enum cond_enum; mask of 1 << value */
    C_STATUS,   /* codes */
    C_ANOMALY,  /* codes: mask per schema */
    C_ITEM,     /* item */
    C_ADDR,     /* side, nets */
    C_TIME,     /* from, to: minutes of the local day */
    C_WEEKDAY,  /* mask, bit 0 Sunday */
    C_FIELD,    /* fields */
    C_ENGINEER, /* side: a configured engineering station */
    C_ZONE,     /* side, globs: zones are configured by address */
    C_SAME_ZONE, /* both zones known and equal */
    C_OTHER_ZONE,/* both zones known and different */
    /* decided by the collector */
    C_COLLECTOR,
    C_TEXT = C_COLLECTOR, /* side, what: enum cond_text; globs */
    C_ROLE,      /* side, mask */
    C_PURDUE,    /* side, ranges */
    C_KNOWN,     /* side: learned or accepted */
    C_NEW_FACT,
    C_LEARNING,  /* the connection is still learned */
    /* in place of the worker's where a device is told by its MAC address, which a packet may have from a router */
    C_DEVICE_ENGINEER, C_DEVICE_ZONE, C_DEVICE_SAME_ZONE, C_DEVICE_OTHER_ZONE,
};
enum cond_number { NUM_UNIT, NUM_SLOT, NUM_SELECTOR, NUM_PORT, NUM_VLAN, NUM_NETWORK, NUM_OBJECTS, NUM_LATENCY };
enum cond_enum { ENUM_KIND, ENUM_OUTCOME, ENUM_PHASE, ENUM_ERROR, ENUM_SENDER, ENUM_TRANSPORT, ENUM_TRUNCATED };
enum cond_text { TEXT_NAME, TEXT_TYPE, TEXT_VENDOR, TEXT_CRITICALITY };
enum cond_side { SIDE_SRC, SIDE_DST, SIDE_ANY };

/* long double holds every 64-bit integer exactly on the machines that Debian's 64-bit ports have */
struct range {
    long double lo, hi;
    bool lo_open, hi_open, not; /* not: outside */
};
struct glob {
    const char *s;
    uint32_t n;
    bool plain; /* no * or ? in it */
};
struct ranges {
    const struct range *v;
    uint32_t n;
};
struct globs {
    const struct glob *v;
    uint32_t n;
};
struct fn_pat { /* a row, or, row NULL, codes lo..hi of a schema */
    const struct proto_schema *schema;
    const struct op_row *row;
    uint32_t lo, hi;
};
struct code_pat { /* schema NULL: any. C_STATUS: lo..hi; C_ANOMALY: mask */
    const struct proto_schema *schema;
    uint32_t lo, hi;
    uint64_t mask;
};
struct net_pat {
    struct addr a;
    uint8_t bits;   /* of 128 */
    uint8_t group;  /* any group address */
    uint8_t mac;    /* a MAC: compared with the frame's too */
};
struct obj_pat {
    const struct proto_schema *schema;
    uint8_t kind;
    uint8_t has_space, has_range, has_name;
    uint16_t bit;   /* 256: any */
    uint32_t space_lo, space_hi, lo, hi;
    struct glob name;
};
struct tests { /* a value is met when one range or glob fits */
    struct ranges ranges;
    struct globs globs;
    bool any;      /* present is enough */
};
struct item_cond {
    const struct obj_pat *objs;
    uint32_t n_objs;     /* 0: any object */
    uint32_t actions;    /* 0: any */
    bool has_value, all; /* all: every value must fit, else one */
    struct tests value;
    struct code_pat *quality; /* mask per schema */
    uint32_t n_quality;
};
struct field_pat {
    const struct proto_schema *schema;
    uint8_t id, type;
    struct tests test;   /* FT_NAME: names are already codes in ranges */
};

struct cond {
    uint8_t op, neg, what, side;
    uint32_t n;
    const char *text; /* a leaf as the rule's file has it: "latency: > 3s"; for alerts */
    union {
        const struct cond *const *kids;
        uint64_t mask;
        uint64_t schemas[RULES_SCHEMAS / 64];
        struct ranges ranges;
        struct globs globs;
        const struct fn_pat *fns;
        const struct code_pat *codes;
        const struct net_pat *nets;
        const struct item_cond *item;
        const struct field_pat *fields;
        struct {
            uint16_t from, to;
        } time;
    };
};

static inline bool cond_is_group(const struct cond *k)
{
    return k->op == C_AND || k->op == C_OR;
}

struct entry {
    const struct cond *local, *rest; /* rest NULL: the worker's part is all */
    uint32_t rule;
    bool silence;   /* asks for requests without an answer */
    bool needs_new; /* rest holds only where the message has a new fact: the worker knows that already */
    uint64_t keep_ns; /* ruleset_hit_keeps() */
};

/* The index: entries that name functions are found by the function code, the others by the action. In a bucket those
 * that can only hold for a message with a fault stand behind the others. */
struct bucket {
    uint32_t at;
    uint16_t n_plain, n;
};
struct fn_slot {
    uint32_t fn;       /* FN_NONE: free */
    struct bucket b;
};
struct schema_index {
    const struct proto_schema *schema;
    struct bucket by_action[ACT_COUNT];
    struct fn_slot *by_fn; /* open addressing */
    uint32_t fn_mask;
    uint32_t actions;      /* that have candidates of either sort */
    bool fields, fields_new; /* an entry asks for fields; one does where a fact is new */
};
static inline uint32_t fn_hash(uint32_t fn)
{
    return fn * 0x9e3779b1u >> 16;
}

struct rule {
    struct rule_info info;
    const struct cond *when;
    bool plain; /* ruleset_hit_plain() */
};

enum { INDEX_SLOTS = 2 * RULES_SCHEMAS };

struct ruleset {
    struct arena *mem;
    size_t mem_bytes;
    struct ruleset_opts o;
    struct rule *rules;
    uint32_t n_rules, cap_rules;
    struct entry *entries;
    uint32_t n_entries;
    uint16_t *cands;                 /* entries, as the buckets say */
    uint64_t *needs;                 /* of each of cands: one of these faults (reach.faults); 0: with or without */
    uint32_t n_cands;
    struct schema_index *index;      /* by number of schema */
    uint16_t slots[INDEX_SLOTS];     /* hash of the schema's address -> its number + 1 */
};

/* ---- memory of a set (ruleset.c): NULL only when there is none */
void *set_take(struct ruleset *rs, size_t n);
char *set_text(struct ruleset *rs, const char *s, size_t n);

/* ---- one file (rule_parse.c) */
int rules_parse(struct ruleset *rs, const struct yaml_doc *d, bool shipped, struct err *e);

/* ---- compiling (compile.c and beside it) */
struct compile {
    struct ruleset *rs;
    struct err *err;
    uint32_t n_nodes;
    bool shipped; /* protocols that this build lacks are left out instead of refused */
};
struct scope { /* which protocols can still be meant here */
    uint64_t schemas[RULES_SCHEMAS / 64];
};
static inline bool scope_has(const struct scope *s, unsigned i)
{
    return s->schemas[i / 64] >> (i % 64) & 1;
}
int compile_when(struct compile *c, const struct yaml_node *n, const struct cond **ret);
struct cond *cond_new(struct compile *c, unsigned op);
/* Leaves. scope: what `protocol` said around here; whole: n is the mapping that holds the key. */
int leaf_function(struct compile *c, const struct scope *s, const struct yaml_node *n, struct cond *ret);
int leaf_status(struct compile *c, const struct scope *s, const struct yaml_node *n, struct cond *ret);
int leaf_anomaly(struct compile *c, const struct scope *s, const struct yaml_node *n, struct cond *ret);
int leaf_field(struct compile *c, const struct scope *s, const struct yaml_node *n, struct cond *ret);
int leaf_item(struct compile *c, const struct scope *s, const struct yaml_node *map, struct cond *ret);
int leaf_addr(struct compile *c, const struct yaml_node *n, struct cond *ret);
int leaf_time(struct compile *c, const struct yaml_node *n, struct cond *ret);
int leaf_weekday(struct compile *c, const struct yaml_node *n, struct cond *ret);
/* Values (compile_value.c). */
struct number_rule { /* what numbers may be */
    long double min, max;
    bool whole;
    uint64_t (*unit)(const char *suffix); /* NULL: none */
    const char *expected;
};
bool parse_range(const char *text, const struct number_rule *rule, struct range *ret);
int parse_ranges(struct compile *c, const struct yaml_node *n, const struct number_rule *rule, struct ranges *ret);
int parse_globs(struct compile *c, const struct yaml_node *n, struct globs *ret);
int parse_tests(struct compile *c, const struct yaml_node *n, struct tests *ret);
struct glob glob_make(struct compile *c, const char *s, size_t n); /* .s NULL: no memory */
int list_len(const struct yaml_node *n, struct err *e, uint32_t *ret); /* 1..RULES_MAX_LIST */
int no_mem(struct compile *c);

/* ---- splitting (split.c) and the index (index.c) */
int ruleset_index(struct ruleset *rs, struct err *e);
int index_build(struct ruleset *rs, struct err *e);
static inline uint64_t index_slot(const struct proto_schema *s)
{
    return ((uint64_t)(uintptr_t)s >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 55;
}
_Static_assert(INDEX_SLOTS == 1 << (64 - 55), "the hash fills the table");
static inline const struct schema_index *index_of(const struct ruleset *rs, const struct proto_schema *s)
{
    for (uint64_t at = index_slot(s); rs->slots[at]; at = (at + 1) % INDEX_SLOTS)
        if (rs->index[rs->slots[at] - 1].schema == s)
            return &rs->index[rs->slots[at] - 1];
    return NULL;
}

/* Beside a schema's anomalies, what few messages have and many rules ask for. */
#define FAULT_ERROR (UINT64_C(1) << 60)   /* the status is a fault */
#define FAULT_SILENT (UINT64_C(1) << 61)  /* a request without an answer */
#define FAULT_REFUSED (UINT64_C(1) << 62)
#define FAULT_LATE (UINT64_C(1) << 63)    /* the answer came after USUAL_LATENCY_NS or more */
_Static_assert(SCHEMA_MAX_ANOMALIES <= 60, "one word holds both");

enum { REACH_FNS = 64 };
struct reach { /* what a message must at least be to meet a condition */
    bool possible, ever; /* ever: were the site configured otherwise */
    uint32_t actions;    /* one of these */
    uint64_t faults;     /* one of these: anomalies of the schema, and FAULT_; 0: with or without */
    uint32_t n_fns;      /* one of these functions; 0: any */
    uint32_t fns[REACH_FNS];
};
/* neg: of its opposite. i: the number of the schema s. k NULL: true. */
void reach_of(const struct cond *k, bool neg, const struct proto_schema *s, unsigned i, struct reach *ret);

/* ---- evaluating */
/* A worker's part, asked again when the alert is worded. */
bool match_holds(const struct ruleset *rs, const struct rule_input *in, const struct cond *k);
/* For some message like this one (narrow.c, of rules_narrow()). */
bool may_hold(const struct cond *k, const struct rule_input *in, const struct ruleset *rs);
bool item_may_hold(const struct item_cond *c, const struct event *ev);
/* The first item of the message that meets it; NULL none. */
const struct item *match_item(const struct item_cond *c, const struct event *ev);
/* A collector's part. */
bool finish_holds(const struct ruleset *rs, const struct cond *k, const struct rec_event *ev,
                  const struct asset_info *src, const struct asset_info *dst);
bool glob_match(const struct glob *g, const char *s, uint32_t n);
bool globs_match(const struct globs *g, const char *s, uint32_t n);
bool ranges_hold(const struct ranges *r, long double v);
