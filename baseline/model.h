/* model.h: the tables of the baseline, and what its files offer each other. Nothing outside baseline/ includes it. */
#pragma once

#include <string.h>

#include "baseline/baseline.h"
#include "baseline/idmap.h"
#include "baseline/table.h"
#include "engine/base/hash.h"
#include "engine/base/site.h"

/* A reference to an incident that may be gone by now. */
struct inc_ref {
    uint32_t i, fold; /* fold: low half of the fold id */
};

enum { /* asset.evidence: what a device was seen to do. Stored: never renumber. */
    EVI_OT_SERVER = 1 << 0,    /* answered a control protocol with program or I/O semantics */
    EVI_RTU_SERVER = 1 << 1,   /* answered DNP3 or IEC 60870-5-104 */
    EVI_FIELD_SERVER = 1 << 2, /* publishes or consumes I/O data only */
    EVI_OT_READ = 1 << 3,      /* as client: reads */
    EVI_OT_WRITE = 1 << 4,     /* as client: writes and controls */
    EVI_ENGINEER = 1 << 5,     /* as client: program up/download, firmware, start/stop, mode */
    EVI_GATEWAY = 1 << 6,      /* several units answered behind its address */
    EVI_ROUTER = 1 << 7,       /* its MAC is next hop for many addresses */
    EVI_IT_SERVER = 1 << 8,    /* answered an IT protocol */
    EVI_IT_CLIENT = 1 << 9,
    EVI_PROGRAMMED = 1 << 10,  /* as server: was programmed, started or stopped */
    EVI_SWITCH = 1 << 11,      /* speaks as a bridge (LLDP/STP told so) */
    EVI_EXTERNAL = 1 << 12,    /* a public address */
    EVI_HISTORY = 1 << 13,     /* as client: reads history or reports only */
    EVI_CONFIG_ENG = 1 << 14,  /* named as engineering station */
    /* roles told by the device itself (OBS_ROLE, OBS_DEVICE_TYPE) */
    EVI_TOLD_CONTROLLER = 1 << 16, EVI_TOLD_RTU = 1 << 17, EVI_TOLD_HMI = 1 << 18, EVI_TOLD_ENG = 1 << 19,
    EVI_TOLD_FIELD = 1 << 20, EVI_TOLD_GATEWAY = 1 << 21, EVI_TOLD_ROUTER = 1 << 22, EVI_TOLD_SWITCH = 1 << 23,
    EVI_TOLD_SERVER = 1 << 24, EVI_TOLD_WORKSTATION = 1 << 25,
    EVI_CMD_SHIFT = 32,        /* from bit 32: the state commands it is known to send, bit per enum action */
};

struct asset { /* what each event asks for comes first */
    struct node node;
    uint8_t flags, authorized, n_units, dirty;
    uint64_t evidence;
    struct row_life life;
    uint32_t units[4];         /* distinct units that answered behind it (bounded sample: 4 make a gateway) */
    uint16_t net;
    uint8_t n_ips, n_macs, n_vlans, macs_learned;
    struct inc_ref inc, scan;  /* the open deviation about it; the scan it makes */
    struct inc_ref cmd;        /* the deviation of the last state commands to it, ... */
    uint64_t cmd_ns;           /* ... when they were, ... */
    uint32_t cmd_acts;         /* ... and which, bit per enum action */
    uint64_t id, parent;
    struct addr key;
    struct addr ips[LIM_ASSET_IPS];
    uint8_t macs[LIM_ASSET_MACS][6];
    uint16_t vlans[LIM_ASSET_VLANS];
    const struct site_asset *told;
    uint32_t idents, n_idents; /* first of its identity facts */
    uint32_t n_targets;        /* distinct control servers it talks to */
    const char *oui;           /* vendor by MAC as last looked up, for ... */
    uint8_t oui_macs;          /* ... so many of the MACs, ... */
    uint8_t oui_mac[6];        /* ... the first of which was this */
};

/* (network, IP) of an asset. */
struct addr_rec {
    struct node node;
    struct addr addr;
    uint32_t asset, mac;       /* mac: the binding last seen, 0 none */
    uint32_t mac_next;         /* next address of that MAC */
    uint16_t net;
    uint8_t arp;               /* the binding was told by ARP */
};

struct mac_rec {
    struct node node;
    uint32_t asset;            /* the asset that the MAC itself is */
    uint32_t addrs, n_addrs;   /* IP addresses bound to it; a router has only its own */
    uint16_t net;
    uint8_t mac[6];
    uint8_t router;
};

/* A public /24 (IPv4) or /64: addresses with MACs of their own are devices here, those behind one MAC are the router's.
 */
struct subnet_rec {
    struct node node;
    struct addr base, first;   /* first: the address that was seen first, with `mac` */
    uint16_t net;
    uint8_t mac[6];
    uint8_t local;
};

struct ident {
    struct node node;
    uint64_t first_ns, last_ns;
    uint32_t asset, next;
    uint32_t sub;
    uint8_t kind, confidence, current, learned, dirty;
    char source[19];
    char value[REC_VALUE + 4];
};

struct link { /* what each event and count asks for comes first */
    struct node node;
    uint32_t pending;          /* index into the pending list + 1 while not judged */
    uint32_t ends[2];          /* of client and server: asset_find_at() */
    uint8_t l4, flags, n_apps, app_learned, app_judged, dirty, probe;
    uint8_t heard;             /* bit n: in the n-th counts window before; bit 0 this one */
    uint16_t apps[LIM_LINK_APPS];
    uint32_t funcs;
    struct row_life life;
    uint64_t packets[2], bytes[2], errors, resets, retransmissions, gaps;
    uint32_t n_funcs, digs;
    struct inc_ref inc;
    uint64_t id;
    struct addr client, server;
    uint16_t net, port, client_port, vlan, iface, file;
    uint32_t frame;
};

struct func {
    struct node node;
    uint16_t proto;
    uint8_t action, dirty;
    struct row_life life;
    uint64_t id;
    struct inc_ref inc;
    uint32_t link, next, prev; /* of its link */
    uint32_t ops, n_ops;
    uint32_t fn, sel, unit, sub;
    uint8_t has_unit;
    char name[45];             /* from the table or the store: for listings when the dissector is not there */
};

struct op { /* what each count changes comes first */
    struct node node;
    uint32_t func;
    uint64_t count, errors;
    uint32_t period_us;
    uint8_t kind, action, has_range, bit, n_status, status_learned, dirty;
    struct row_life life;
    struct inc_ref inc;
    uint64_t id;
    uint32_t next, prev;       /* of its function */
    uint32_t digs, name;
    uint32_t space, first, last;
    uint32_t status[LIM_OP_ERRORS];
};

/* A worker's digest and what it stands for. */
enum { DIG_LINK, DIG_OP, DIG_LINK_REVERSED /* its client is the link's server */ };
struct dig {
    struct node node;          /* hash: of the digest */
    uint32_t digest_hi;        /* with the hash of all of it, nobody is mistaken for another */
    uint32_t target, next, prev;
    uint8_t kind;
};

struct name {
    struct node node;
    uint32_t refs;
    uint8_t len;
    char s[EV_OBJECT - 1 - 12];
};

struct incident {
    struct node node;          /* hash: of the fold id */
    uint64_t until_ns;
    uint32_t due_next;         /* of the list of those to be told again */
    uint8_t due, worst;
    uint64_t act;              /* of the message that opened it; 0 none */
    uint8_t counted;           /* facts told one by one whose first count is still to come and must not count twice */
    struct deviation d;
};

struct net_rec {
    char name[SITE_NET_NAME];
    struct row_life life;
    uint16_t net;
    uint8_t used, dirty;
};

struct accepted { /* an alert that was taken for normal; accepted.c */
    uint64_t key, since_ns;
    char type[24], src[ADDR_TEXT], dst[ADDR_TEXT], what[120];
    uint8_t dirty;
};

struct app {
    char name[32];
    const struct proto_schema *schema;
    int8_t role_row;           /* roles_row() of its name */
};
enum { MAX_ROUTER_ADDRESSES = 64 }; /* conf.router_addresses is cut to it */
enum { MAX_APPS = 1024, APP_OF = 64 };      /* nDPI knows some 400; more share the last, named "other" */

struct probe {
    uint64_t ts_ns, link;      /* link id */
    struct addr dst;
    uint16_t port;
    uint8_t l4, controller;
};
struct scanner {
    struct node node;
    struct addr src;
    uint64_t last_ns;
    uint16_t net, n, at;
    struct probe probes[LIM_SCAN_PROBES];
};

struct budget {
    uint64_t window, last_ns; /* last_ns, burst: the latest, and how many came close behind each other until then */
    uint32_t raised, burst;
    struct inc_ref flood;
};

struct baseline {
    struct baseline_conf conf;
    struct table assets, addrs, macs, subnets, idents, links, funcs, ops, digs, names, incidents, scanners;
    struct net_rec *nets;
    uint32_t n_nets;
    struct app *apps;
    uint32_t n_apps;
    uint16_t app_of[APP_OF];   /* by the address of a schema, where it was found last */
    struct accepted *accepted; /* LIM_ACCEPTED, sorted by key */
    uint32_t n_accepted;
    uint64_t act;              /* number of the message that is judged */
    uint32_t *pending;         /* links to be judged when their window ends */
    uint32_t n_pending;
    uint32_t due_first, due_last; /* incidents to be told again */
    struct budget budget[DEV_COUNT][2]; /* [1]: of those that change something */
    uint64_t now_ns, last_tick_ns;
    uint64_t loaded_ns;        /* the clock of what was loaded, */
    bool loaded_clock;         /* as it was stored; else the latest time in it */
    bool timed;                /* there was a time: now_ns, which may be 0 */
    uint64_t moved_ns;         /* by which the latest time without anything moved the beginnings of learning */
    uint64_t *gone_ids;        /* rows that left the tables since the last save */
    uint8_t *gone_kinds;
    uint32_t n_gone, cap_gone, n_due;
    struct baseline_stats st;
    struct idmap loaded[ROW_KINDS];
};

/* ---- inventory.c, router.c ---- */
struct asset *asset_at(const struct baseline *b, uint32_t i);
uint32_t asset_find(const struct baseline *b, uint16_t net, const struct addr *a); /* IP or MAC; 0 none */
/* The same, told where to look first: *place is where it was found last, and may be anything. */
uint32_t asset_find_at(const struct baseline *b, uint16_t net, const struct addr *a, uint32_t *place);
/* Bring what that looks at into the cache, and, when it is there, the asset. */
void asset_fetch_place(const struct baseline *b, const struct addr *a, uint32_t place);
void asset_fetch(const struct baseline *b, const struct addr *a, uint32_t place);
uint32_t asset_by_id(const struct baseline *b, uint64_t id);
uint32_t asset_create(struct baseline *b, uint16_t net, const struct addr *a, uint64_t id, uint64_t ts_ns);
void asset_delete(struct baseline *b, uint32_t i);
uint32_t asset_merge(struct baseline *b, uint32_t keep, uint32_t gone);
void asset_seen(struct baseline *b, uint32_t i, uint64_t ts_ns);
void asset_rank(struct baseline *b, uint32_t i); /* put it into the eviction list it belongs to */
struct addr_rec *addr_rec_at(const struct baseline *b, uint32_t i);
struct mac_rec *mac_rec_at(const struct baseline *b, uint32_t i);
uint64_t addr_rec_hash(const struct baseline *b, uint16_t net, const struct addr *a);
void addr_rec_unbind(struct baseline *b, uint32_t i);
void addr_rec_delete(struct baseline *b, uint32_t i);
uint32_t addr_rec_find(const struct baseline *b, uint16_t net, const struct addr *a);
uint32_t addr_rec_add(struct baseline *b, uint16_t net, const struct addr *a, uint32_t asset);
uint32_t mac_rec_find(const struct baseline *b, uint16_t net, const uint8_t mac[6]);
bool asset_add_mac(struct baseline *b, uint32_t i, const uint8_t mac[6], bool learned);
void asset_drop_mac(struct baseline *b, uint32_t i, const uint8_t mac[6]);
void router_made(struct baseline *b, uint32_t mac);
bool asset_told_by_arp(const struct baseline *b, const struct asset *a);
/* Its MACs are known again after a load. */
void asset_loaded(struct baseline *b, uint32_t i, bool arp);
uint64_t asset_id_of(struct baseline *b, uint16_t net, const struct addr *a); /* what a new one would get */
bool addr_is_private(const struct addr *a);
/* The zone that the configuration gives it, NULL none. */
const struct site_zone *asset_zone(const struct baseline *b, const struct asset *a);
void asset_tell(struct baseline *b, uint32_t i); /* anew, what the configuration tells of it */
/* A public address beyond a router, and no part of the plant that the configuration tells of. */
bool asset_is_external(const struct baseline *b, const struct asset *a);
/* A public address that was seen with that MAC: is its network here? Remembers what it is told. */
bool subnet_is_local(struct baseline *b, uint16_t net, const struct addr *a, const uint8_t mac[6]);

/* ---- ident.c ---- */
const struct ident *ident_best(const struct baseline *b, const struct asset *a,
                               uint8_t kind); /* of the device itself */
void idents_delete(struct baseline *b, uint32_t asset);
void idents_move(struct baseline *b, uint32_t from, uint32_t to);
struct ident *ident_at(const struct baseline *b, uint32_t i);
uint32_t ident_add(struct baseline *b, uint32_t asset, uint8_t kind, uint32_t sub, const char *source,
                   const char *value, uint64_t ts_ns);

/* ---- roles.c ---- */
int roles_row(const char *proto); /* what its server is, where that is no controller; -1: it is */
void roles_event(struct baseline *b, uint32_t client, uint32_t server, const struct rec_event *e);
void roles_link(struct baseline *b, const struct link *l);
void roles_app(struct baseline *b, const struct link *l, const char *app, bool ndpi);
void roles_told(struct baseline *b, uint32_t asset, struct span value);
uint32_t roles_of(const struct baseline *b, const struct asset *a);
/* "controller" and the reason in words. */
const char *roles_type(const struct baseline *b, const struct asset *a, char reason[DEV_TEXT]);
bool app_is_ot(const char *app);
/* The vendor told by the device, else by its MAC; NULL unknown. */
const char *asset_vendor(const struct baseline *b, const struct asset *a);
const char *asset_name(const struct baseline *b, const struct asset *a);

/* ---- oui.c ---- */
const char *oui_vendor(const uint8_t mac[6], bool excerpt); /* NULL unknown */

/* ---- links.c ---- */
struct link *blink_at(const struct baseline *b, uint32_t i);
uint32_t blink_find(const struct baseline *b, uint16_t net, const struct addr *client, const struct addr *server,
                   uint8_t l4, uint16_t port);
uint32_t blink_by_id(const struct baseline *b, uint64_t id);
uint32_t blink_create(struct baseline *b, const struct link *proto, uint64_t ts_ns);
void blink_delete(struct baseline *b, uint32_t i);
void blink_rank(struct baseline *b, uint32_t i);
uint64_t blink_id(struct baseline *b, const struct link *l);
int blink_app(const struct baseline *b, const struct link *l, const char *app); /* its place in l->apps, or -1 */
uint16_t app_intern(struct baseline *b, const char *name, const struct proto_schema *schema);
void links_tick(struct baseline *b, uint64_t ts_ns);
struct subject;
void blink_add_app(struct baseline *b, uint32_t i, const char *app, const struct proto_schema *schema, bool ndpi,
                  const struct subject *s);

/* ---- ops.c ---- */
struct func *func_at(const struct baseline *b, uint32_t i);
struct op *op_at(const struct baseline *b, uint32_t i);
uint32_t func_find(const struct baseline *b, uint32_t link, uint16_t proto, uint32_t fn, uint32_t sel, uint8_t has_unit,
                   uint32_t unit, uint32_t sub);
uint32_t func_create(struct baseline *b, const struct func *f, uint64_t ts_ns);
void func_delete(struct baseline *b, uint32_t i);
uint64_t func_id(const struct baseline *b, const struct func *f);
struct op_key {
    uint32_t space, first, last;
    uint8_t kind, action, bit, has_range;
    struct span name;
};
/* The object of a fact under a function: the same, or the learned interval that holds it. */
uint32_t op_find(const struct baseline *b, uint32_t func, const struct op_key *k);
uint32_t op_create(struct baseline *b, uint32_t func, const struct op_key *k, uint64_t ts_ns);
void op_delete(struct baseline *b, uint32_t i);
/* After an op was learned: merge it with the learned intervals beside it. Returns the one that is left. */
uint32_t op_merge(struct baseline *b, uint32_t i);
bool op_is_interval(const struct baseline *b, const struct func *f, const struct op *o);
struct op_key op_key_of(const struct rec_fact *r);
/* The function of a message on that link; learns: by all of its key, else one that tells no unit will do. 0 none. */
uint32_t func_of(const struct baseline *b, uint32_t link, uint16_t proto, const struct rec_event *e,
                 const struct op_key *key, bool learns);
/* Has the link another function of the same unit? */
bool link_has_unit(const struct baseline *b, const struct link *l, const struct func *f);
unsigned op_text(const struct baseline *b, const struct func *f, const struct op *o, char out[EV_OBJECT]);
const char *op_name(const struct baseline *b, const struct op *o); /* NULL none */
void dig_bind(struct baseline *b, uint64_t digest, uint8_t kind, uint32_t target);
uint32_t dig_find(struct baseline *b, uint64_t digest, uint8_t kind, bool *reversed);
void digs_drop(struct baseline *b, uint32_t first);
void digs_move(struct baseline *b, uint32_t from, uint32_t to);

/* ---- partner.c: what the others of a redundant set were learned to do, for a fact of this link; 0, false: nothing */
uint32_t partner_link(const struct baseline *b, const struct link *l);
bool partner_learns(struct baseline *b, const struct link *l); /* one of those links still learns */
bool partner_app(const struct baseline *b, const struct link *l, const char *app);
uint32_t partner_func(const struct baseline *b, const struct link *l, uint16_t proto, const struct rec_event *e,
                      const struct op_key *key);
uint32_t partner_op(const struct baseline *b, const struct link *l, uint16_t proto, const struct rec_event *e,
                    const struct op_key *key);
bool partner_error(const struct baseline *b, const struct link *l, uint16_t proto, const struct rec_event *e,
                   const struct op_key *key);
bool partner_unit(const struct baseline *b, const struct link *l, const struct func *f);
/* The configuration names it in a set: it belongs here. */
bool partner_named(const struct baseline *b, const struct asset *a);
/* Since when it learns: as those that are learned do (0: not any more); as it does itself where none is. */
uint64_t partner_learned_ns(struct baseline *b, const struct asset *a);
uint64_t partner_evidence(const struct baseline *b, const struct asset *a);
bool partner_mac(const struct baseline *b, const struct asset *a, const uint8_t mac[6]);

/* ---- time.c ---- */
/* The latest time that the model knows of; that of the database where what is read now is older. */
static inline uint64_t clock_of(const struct baseline *b)
{
    return b->now_ns > b->loaded_ns ? b->now_ns : b->loaded_ns;
}
void clock_to(struct baseline *b, uint64_t ts_ns);  /* packet time goes on */
void clock_back(struct baseline *b, uint64_t to_ns); /* it was set back */

/* It was seen at that time. */
static inline void life_seen(struct row_life *l, uint64_t ts_ns)
{
    if (l->first_ns == ROW_NEVER_NS)
        l->first_ns = ts_ns;
    if (ts_ns > l->last_ns)
        l->last_ns = ts_ns;
}
/* Both are one: seen as long as they were together. */
static inline void life_join(struct row_life *l, const struct row_life *other)
{
    if (l->first_ns == ROW_NEVER_NS || (other->first_ns < l->first_ns && other->first_ns != ROW_NEVER_NS))
        l->first_ns = other->first_ns;
    if (other->last_ns > l->last_ns)
        l->last_ns = other->last_ns;
}
static inline bool life_imported(const struct row_life *l)
{
    return l->learned == FACT_LEARNED && l->novelty_ns == ROW_NEVER_NS;
}

/* ---- names.c ---- */
uint32_t name_get(struct baseline *b, struct span s); /* takes a reference; 0: full or empty */
uint32_t name_find(const struct baseline *b, struct span s);
void name_put(struct baseline *b, uint32_t i);

enum { WHO_TEXT = 120 };

/* ---- judge.c, incident.c ---- */
/* What a new fact is about, for the deviation's texts. Links and assets by index; 0 none. */
struct subject {
    const struct rec_event *event;
    const struct rec_fact *fact;
    uint64_t ts_ns;
    uint32_t link, client, server;
    uint8_t condemned;
    uint8_t wrong_port; /* a protocol that is not that of its port */
};
enum fate { FATE_KNOWN, FATE_LEARN, FATE_FOLD, FATE_RAISE };
/* What becomes of a fact. FATE_FOLD: *into is the open deviation that it follows from. */
enum fate judge_fate(struct baseline *b, struct row_life *own, struct inc_ref *ref, bool may_learn,
                     const struct subject *s, const struct inc_ref *above, unsigned n_above, struct incident **into);
/* Emit it; `own` and `ref` remember it. */
void judge_raise(struct baseline *b, struct deviation *d, struct row_life *own, struct inc_ref *ref, bool changes);
/* Nothing to raise: a flood of that type is on, the fact was counted there. */
bool judge_flooded(struct baseline *b, uint8_t type, bool changes, uint64_t ts_ns, struct row_life *own,
                   struct inc_ref *ref);
/* May what lies beneath this life be learned now? Ends the learning when its time has come. */
bool life_learns(struct baseline *b, struct row_life *above);
void life_learned(struct baseline *b, struct row_life *l, uint64_t ts_ns);
struct net_rec *net_rec(struct baseline *b, uint16_t net);
uint16_t net_by_name(struct baseline *b, const char *name);
void judge_asset(struct baseline *b, uint32_t asset, const struct rec_asset *r, uint64_t ts_ns);
void judge_link(struct baseline *b, uint32_t link, const struct subject *s);
void judge_app(struct baseline *b, uint32_t link, int app, const struct subject *s);
/* is_new: it is new on the link, too, which is told with it. */
struct inc_ref judge_wrong_port(struct baseline *b, uint32_t link, const char *app, const struct subject *s,
                                bool is_new);
void judge_event(struct baseline *b, const struct subject *s);
/* Is there a row for that fact of the event, learned or not, or a learned one of a partner? link: 0 when only its key
 * is known, in l. */
bool judge_met(struct baseline *b, uint32_t link, const struct link *l, const struct rec_event *e,
               const struct rec_fact *r);
void judge_ident(struct baseline *b, uint32_t asset, uint32_t ident, uint32_t before, const struct rec_ident *r);
void judge_mac(struct baseline *b, uint32_t asset, const uint8_t old[6], const struct rec_asset *r, bool sure);

/* How bad it is when somebody does that for the first time; the worst that a message does. */
uint8_t judge_severity_of(uint8_t action);
uint8_t judge_severity(const struct rec_event *e);
/* A command that changes what a controller does, from a station that never sent one of its kind: raised by itself. */
struct inc_ref judge_command(struct baseline *b, const struct subject *s);
/* What the device says of its state and program from now on follows from that. */
void judge_commanded(struct baseline *b, const struct subject *s, struct inc_ref inc);

struct incident *inc_open(const struct baseline *b, struct inc_ref r,
                          uint64_t ts_ns); /* collects what follows; or NULL */
struct incident *inc_any(const struct baseline *b, struct inc_ref r);
/* Emit (new or again, within the budget) and open. d->fold and texts are set by the caller. */
struct inc_ref inc_raise(struct baseline *b, struct deviation *d, bool changes);
/* The budget of that type is used up: counted in its flood, nothing is to be told. */
bool inc_flooding(struct baseline *b, uint8_t type, bool changes, uint64_t ts_ns, struct inc_ref *ref);
void inc_due(struct baseline *b, uint32_t i);
void inc_follow(struct baseline *b, struct incident *c, uint64_t ts_ns, uint8_t severity);
/* The deviation of that fold id that was raised; NULL: it was not, or is forgotten. */
struct incident *inc_of(const struct baseline *b, uint64_t fold);
/* What it told of was met so often since it was counted last, its first time included. */
void inc_count(struct baseline *b, struct incident *c, uint64_t count, uint64_t last_ns);
void inc_flush(struct baseline *b, uint64_t ts_ns);
void inc_lower(struct baseline *b, struct deviation *d); /* engineering stations, maintenance windows */

/* ---- text.c, text_op.c: the sentences of deviations ---- */
void dev_begin(struct baseline *b, struct deviation *d, uint8_t type, const struct subject *s);
uint64_t fold_id(unsigned type, uint64_t a, uint64_t b, uint64_t c);
void text_add(char *out, size_t size, const char *fmt, ...) PRINTF(3, 4); /* append, cut at the end */
void text_cat(char *out, size_t size, const char *s); /* the same of a text as it is */
void text_date(uint64_t ns, char out[24]);
enum { SPAN_TEXT = 48 };
void text_since(const struct row_life *l, char out[SPAN_TEXT]); /* "since 2026-01-05 08:00"; "by import" */
void text_span(const struct row_life *l, char out[SPAN_TEXT]);  /* "from .. to .."; "by import" */
void text_who(struct baseline *b, uint16_t net, const struct addr *a, char out[WHO_TEXT]); /* name (address) */
void text_asset(struct baseline *b, struct deviation *d, uint32_t asset, const struct rec_asset *r);
void text_mac(struct baseline *b, struct deviation *d, uint32_t asset, const uint8_t old[6], const struct rec_asset *r,
              bool sure);
void text_ident(struct baseline *b, struct deviation *d, uint32_t asset, uint32_t now, uint32_t before,
                const struct rec_ident *r);
void text_link(struct baseline *b, struct deviation *d, uint32_t link);
void text_app(struct baseline *b, struct deviation *d, uint32_t link, int app);
void text_wrong_port(struct baseline *b, struct deviation *d, uint32_t link, const char *app);
void text_command(struct baseline *b, struct deviation *d, const struct subject *s);
void text_function(struct baseline *b, struct deviation *d, uint32_t func, const struct subject *s, bool new_unit);
void text_object(struct baseline *b, struct deviation *d, uint32_t func, uint32_t op, const struct subject *s);
void text_error(struct baseline *b, struct deviation *d, uint32_t func, uint32_t op, const struct subject *s);
const char *l4_name(uint8_t l4); /* "TCP"; NULL: unknown */

/* ---- scan.c ---- */
void scan_probe(struct baseline *b, uint32_t link, uint64_t ts_ns);
void scan_tick(struct baseline *b, uint64_t ts_ns);

/* ---- accept.c ---- */
void accept_asset(struct baseline *b, uint32_t i, uint64_t now_ns);
void accept_link(struct baseline *b, uint32_t i, uint64_t now_ns);
void accept_func(struct baseline *b, uint32_t i, uint64_t now_ns);

/* ---- accepted.c ---- */
int accepted_add(struct baseline *b, const struct row_accepted *r); /* or -ENOSPC */

/* ---- rows.c ---- */
void row_gone(struct baseline *b, enum row_kind kind, uint64_t id);
enum { DIRTY = 1, STORED = 2 };
static inline void due(struct baseline *b, uint8_t *dirty)
{
    b->n_due += !(*dirty & DIRTY);
    *dirty |= DIRTY;
}
