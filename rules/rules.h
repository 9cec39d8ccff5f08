/* rules.h: rules over decoded messages: loading, matching in a worker, finishing in the collector.
 *
 * A rule is conditions in the words of docs/RULES.md. Compiling splits it into entries: a part that one message and its
 * addresses decide (the worker's), and a part that needs knowledge of the plant (zones, roles, what is new) or counting
 * (the collector's). A hit is the number of an entry; a rule is raised when one of its entries holds in both parts.
 * A ruleset is read-only: any number of workers share it. A rule_state belongs to the collector. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/event.h"
#include "engine/base/record.h"

struct site;
struct tz;
struct ruleset;
struct rule_state;

/* Numbers as in EVE (1 is the highest) and as the alert catalogue has them. */
enum rule_severity { RS_NONE, RS_CRITICAL, RS_MAJOR, RS_MINOR, RS_WARNING };
enum rule_learn { /* what accepting its alert does */
    RL_MUTE, /* silences the rule for these two and this act; the act is not learned while learning */
    RL_YES,  /* the same, and while learning the act is learned as normal although the rule tells of it */
    RL_NO,   /* nothing: it is told each time */
};
enum rule_engine { RE_POLICY, RE_PROTOCOL, RE_MALWARE, RE_ANOMALY, RE_OPERATIONAL };

enum { /* bounds of the language; a file beyond one is refused with its place */
    RULES_MAX = 4096,         /* rules of a set */
    RULES_MAX_ENTRIES = 32,   /* of one rule: what `any:` over mixed conditions unfolds into */
    RULES_MAX_DEPTH = 8,      /* nested not/any/all */
    RULES_MAX_NODES = 512,    /* conditions of one rule */
    RULES_MAX_LIST = 1024,    /* members of one list */
    RULES_MAX_COUNT = 1000,   /* threshold.count */
    RULES_MAX_DISTINCT = 256, /* threshold.count with distinct */
    RULES_SCHEMAS = 256,
};

enum { /* threshold.by: what counts apart from each other, beside the rule and the network */
    BY_SRC = 1, BY_DST = 2, BY_UNIT = 4, BY_FUNCTION = 8, BY_OBJECT = 16,
};
enum rule_distinct { DISTINCT_NONE, DISTINCT_DST, DISTINCT_SRC, DISTINCT_OBJECT, DISTINCT_UNIT, DISTINCT_FUNCTION };

struct rule_threshold {
    uint32_t count; /* 0: the rule has no threshold */
    uint64_t window_ns;
    uint8_t by;       /* BY_ */
    uint8_t distinct; /* enum rule_distinct */
};

/* All a listing or an alert says of a rule. Strings live as long as the set. */
struct rule_info {
    const char *id, *title, *category, *remedy, *description;
    const char *attack;   /* "T0843 T0858", "" none */
    const char *refs;     /* rows of the type list it covers, "" none */
    const char *protocols;/* "modbus dnp3", "" any */
    const char *file;
    uint32_t line, sid, rev;
    uint8_t severity, engine, learn; /* learn: enum rule_learn */
    bool enabled, shipped;
    struct rule_threshold threshold;
};

struct rules_text { /* rules from memory */
    const char *name, *text;
    size_t n;
    bool shipped;     /* ids OT-..., with a sid of their own */
};

/* Borrowed during the load, save the schemas themselves, site and tz: these must outlive the set. */
struct ruleset_opts {
    const struct proto_schema *const *schemas; /* every protocol there is: names in rules are checked against them */
    unsigned n_schemas;
    const struct site *site;      /* time zone, names of networks, engineering stations; NULL: nothing is configured */
    const struct tz *tz;          /* of `time` and `weekday`; NULL: the site's, else UTC */
    const char *const *networks;  /* names of networks by number; NULL: the site's */
    unsigned n_networks;
    bool no_defaults;             /* without the shipped rules */
    const char *const *files;     /* paths, NULL-terminated; may be NULL */
    const struct rules_text *texts;
    unsigned n_texts;
    const char *const *enable, *const *disable; /* ids, NULL-terminated; may be NULL */
};

/* All rules or none: the first fault is told with its place. */
int ruleset_load(const struct ruleset_opts *o, struct ruleset **ret, struct err *e) MUST_USE;
void ruleset_free(struct ruleset *rs); /* NULL is fine */
unsigned ruleset_n(const struct ruleset *rs);  /* rules, the disabled ones too */
const struct rule_info *ruleset_rule(const struct ruleset *rs, unsigned i); /* in the order of loading */
const struct rule_info *ruleset_by_id(const struct ruleset *rs, const char *id); /* NULL unknown */
unsigned ruleset_n_entries(const struct ruleset *rs); /* hits are smaller than this */
const struct rule_info *ruleset_hit(const struct ruleset *rs, unsigned hit);
/* Repetitions of such a hit must not be folded on the way: each counts. */
bool ruleset_hit_counts(const struct ruleset *rs, unsigned hit);
/* The anomalies that this hit's rule names: whoever raises the rule need not raise them apart. */
uint64_t ruleset_hit_anomalies(const struct ruleset *rs, unsigned hit, const struct proto_schema *s);
/* Does the hit say that a request had no answer? */
bool ruleset_hit_silence(const struct ruleset *rs, unsigned hit, unsigned kind, bool error);
/* Does its rule count messages by what they say and nothing else? One who sees all of them may then count for the
 * collector: rule_count(). */
bool ruleset_hit_plain(const struct ruleset *rs, unsigned hit);
/* Does rule_finish() ask for the devices or for new facts? */
bool ruleset_hit_asks(const struct ruleset *rs, unsigned hit);
size_t ruleset_memory(const struct ruleset *rs);

/* ---- in the worker ---------------------------------------------------------------------------------------------- */

struct rule_input {
    const struct event *ev;
    const struct addr *src, *dst;     /* client and server */
    const uint8_t *smac, *dmac;       /* of client and server; NULL: none */
    uint64_t ts_ns;
    uint16_t sport, dport, net;
    uint16_t vlan[2];
    uint8_t n_vlan, l4;
    uint8_t nothing_new;              /* none of the event's facts is new: rules on new ones need not be asked */
};

/* The entries whose worker's part holds, ascending, at most max; the severest rules come first, so what does not fit
 * is the least severe. No allocation, no lock, no state. */
unsigned rules_match(const struct ruleset *rs, const struct rule_input *in, uint16_t hits[], unsigned max);
enum { USUAL_LATENCY_NS = 1000000000 };
/* Has the message an error, or no answer, or is it late? */
bool rules_unusual(const struct event *ev);
/* The entries that may hold for a message that is like this one: usual, nothing new in it, the same ends (addresses,
 * network), schema, function, selector, action, unit, sub, kind, outcome, phase, sender, status, anomalies, whether
 * something was left out, and the same objects, as many of them, with the same actions. What may differ: values,
 * qualities, fields, ports, VLANs, MAC addresses, times. Ascending; as many as max: perhaps more. */
unsigned rules_narrow(const struct ruleset *rs, const struct rule_input *in, uint16_t ret[], unsigned max);
/* rules_match() of such a message, by what rules_narrow() said. */
unsigned rules_match_of(const struct ruleset *rs, const struct rule_input *in, const uint16_t entries[], unsigned n,
                        uint16_t hits[]);
/* Is there a rule on fields of this protocol's messages, which rules_match() would look at? nothing_new: as in its
 * input. rs may be NULL. */
bool rules_read_fields(const struct ruleset *rs, const struct proto_schema *s, bool nothing_new);
/* What the message is about, as one number, for thresholds by object: the worker puts it into rec_event.object of
 * events with hits. 0: no object. */
uint64_t rules_object(const struct event *ev);
/* A message as thresholds count it. */
struct rule_counted {
    const struct addr *client, *server; /* the devices themselves, also behind a router */
    uint64_t object;                    /* rules_object() */
    uint32_t unit, function, selector;
    uint16_t net;
    bool has_unit;
};
/* False: it has none of what the rule counts. hash_key: rule_state_new()'s. */
bool rules_count_of(const struct rule_threshold *t, uint64_t hash_key, const struct rule_counted *m,
                    struct rule_count *ret);
/* For so long a thing that was told to rule_finish() with this hit need not be told again, as long as rule_again()
 * tells the last of its repetitions before that is over: half the window of a rule that counts different things. 0:
 * every one is to be told, as the rule counts messages, the collector decides more than the count, or the window is
 * shorter than RULES_AGAIN_NS allows for. */
#define RULES_AGAIN_NS UINT64_C(60000000000) /* rule_again() is called that often */
uint64_t ruleset_hit_keeps(const struct ruleset *rs, unsigned hit);

/* ---- in the collector ------------------------------------------------------------------------------------------- */

struct rule_verdict {
    const struct rule_info *rule;
    uint64_t first_ns;  /* of what was counted; without a threshold the event's time */
    uint32_t count;     /* messages counted, or different things; 1 without a threshold */
    uint64_t last_ns;   /* of what was counted */
};
enum { RULE_WHY = 200 };
/* What a threshold saw, as a sentence; empty without one. */
void rule_why(const struct rule_verdict *v, char ret[RULE_WHY]);

struct rule_stats {
    uint64_t raised, unmet, counted, evicted; /* evicted: a threshold's oldest count was dropped for a new one */
    uint64_t memory_bytes;
};

/* bytes: for all thresholds together (0: 8 MiB), shared equally; taken here, once. hash_key: random live, fixed in
 * replay. */
int rule_state_new(const struct ruleset *rs, size_t bytes, uint64_t hash_key, struct rule_state **ret,
                   struct err *e) MUST_USE;
void rule_state_free(struct rule_state *st); /* NULL is fine */
/* Does this hit (one of ev->hits) raise its rule? src and dst: what is known of client and server, or NULL. A rule of
 * which several entries hit is raised once. Time is ev->ts_ns: call in the order of records. */
bool rule_finish(struct rule_state *st, unsigned hit, const struct rec_event *ev, const struct asset_info *src,
                 const struct asset_info *dst, struct rule_verdict *ret);
/* For who sees all messages in their order, in place of rule_finish() and before it: leaves of a message's n hits, and
 * returns how many, those whose rule is not plain and those that reach their rule's count, each with the time of the
 * first thing that is counted in since[] (else 0): the record's. Touches nothing of st that the other calls touch but
 * rule_again() of such hits. */
unsigned rule_count(struct rule_state *st, const struct rule_counted *m, uint64_t ts_ns, uint16_t hits[],
                    uint64_t since[], unsigned n);
uint64_t rule_count_evicted(const struct rule_state *st); /* counts of rule_count() that made room for others */
/* A thing that it was told of before was met again since, at last_ns for the last time. Raises nothing. */
void rule_again(struct rule_state *st, const struct rec_counted *r);
void rule_state_stats(const struct rule_state *st, struct rule_stats *ret);

/* ---- what an alert says of it ----------------------------------------------------------------------------------- */

struct rule_asked {
    const struct rec_event *rec;
    const struct event *ev;            /* the same message */
    const struct asset_info *src, *dst; /* or NULL */
};
struct rule_words {
    char met[512];      /* the conditions that say more than the act itself, with the values that met them; "" none */
    char expected[320]; /* what would have been right */
    bool learned;       /* that is what was learned of this act: the caller knows it */
};
/* Of a hit that rule_finish() raised. */
void rules_explain(const struct ruleset *rs, unsigned hit, const struct rule_asked *q, struct rule_words *ret);

/* ---- the rest --------------------------------------------------------------------------------------------------- */

const char *rule_severity_name(unsigned severity);
const char *rule_engine_name(unsigned engine);
/* The name of an ATT&CK for ICS technique, NULL when there is none of that id. */
const char *rule_attack_name(const char *id);
/* Shipped rules, one text a file of rules/default/. */
extern const struct rules_text rules_builtin[];
extern const unsigned n_rules_builtin;
/* `tyto rules ...`; argv[0] is "rules". o: schemas and site; the files are those of the arguments. Returns the exit
 * status. */
int rules_main(int argc, char **argv, const struct ruleset_opts *o);
