/* baseline.h: the model: who exists, who talks to whom and how, what of it is normal.
 *
 * Owned by the collector, plain single-threaded C. Records (record.h) go in, in packet order; deviations come out
 * through conf.emit during the call, changed rows through baseline_save(). Nothing depends on clocks, pointers or hash
 * keys. */
#pragma once

#include <stdio.h>

#include "baseline/deviation.h"
#include "baseline/limits.h"
#include "engine/base/err.h"
#include "engine/base/record.h"
#include "engine/base/row.h"
#include "engine/base/site.h"

struct baseline;

enum baseline_mode {
    BASE_LEARN,  /* learn everything that is not condemned, silently */
    BASE_DETECT, /* judge, learn nothing */
    BASE_LIVE,   /* judge what is past its learning, learn what is not: per network, asset and link */
};

struct baseline_conf {
    const struct site *site;         /* never NULL after baseline_conf_default(); read-only */
    enum baseline_mode mode;
    uint64_t learn_ns;               /* learning.period: 14 d since first seen ... */
    uint64_t quiet_ns;               /* learning.quiet: ... and 1 d without anything new */
    uint64_t fold_ns;                /* what follows from a novelty within 10 min is counted in it */
    uint64_t scan_ns;                /* 2 min */
    uint32_t scan_addresses, scan_ports, scan_controllers; /* 50, 25, 10 in scan_ns */
    uint32_t read_gap;               /* learned read ranges closer than this merge: 16 */
    uint32_t router_addresses;       /* a MAC with more IP addresses than this is a router: 8 */
    uint8_t oui_excerpt;             /* vendors from the fixed excerpt only (goldens) */
    struct baseline_limits limits;
    uint64_t hash_key;               /* random live, fixed in replay */
    /* The protocol of that name (dissectors/registry.c), for what is loaded from a store. */
    const struct proto_schema *(*schema)(const char *name);
    deviation_cb *emit;              /* NULL: deviations are dropped */
    void *emit_ctx;
};
void baseline_conf_default(struct baseline_conf *c);

/* NULL with the reason in e. All memory is taken here. conf.site must outlive the baseline. */
struct baseline *baseline_new(const struct baseline_conf *c, struct err *e) MUST_USE;
void baseline_free(struct baseline *b);

/* The types that devices are given, the most telling first; NULL behind the last. The configuration may give others. */
const char *asset_type_name(unsigned i);

/* ---- the collector's records ---------------------------------------------------------------------------------- */
void baseline_asset(struct baseline *b, const struct rec_asset *r);
void baseline_link(struct baseline *b, const struct rec_link *r);
void baseline_link_app(struct baseline *b, const struct rec_link_app *r);
void baseline_link_count(struct baseline *b, const struct rec_link_count *r);
/* Learns or judges the facts of the event (is_new, new_error), and what it says of both ends. Call it for every
 * rec_event with facts, with an anomaly or a rule that was raised, and for commands (action_commands()). condemned: a
 * rule or protocol alert was raised for it; it is not learned. */
void baseline_event(struct baseline *b, const struct rec_event *r, bool condemned);
void baseline_fact_count(struct baseline *b, const struct rec_fact_count *r);
void baseline_fact_error(struct baseline *b, const struct rec_fact_error *r);
void baseline_ident(struct baseline *b, const struct rec_ident *r);
/* Ends windows: scans, pending attempts, updates of open deviations. Call it after all counts of the window. */
void baseline_tick(struct baseline *b, const struct rec_tick *r);

/* ---- questions ------------------------------------------------------------------------------------------------- */
/* False when the address is no asset. Strings are borrowed until the next call of any baseline_ function. */
bool baseline_asset_info(struct baseline *b, uint16_t net, const struct addr *a, struct asset_info *ret);

/* The device with that address as the configuration may tell it, by all of its addresses. */
struct site_who baseline_who(const struct baseline *b, uint16_t net, const struct addr *a, struct addr to[SITE_WHO]);
/* Was that fact of the event met before, in this run or in one that the database tells of? Ask before baseline_event().
 */
bool baseline_met(struct baseline *b, const struct rec_event *e, const struct rec_fact *r);
/* What is learned between the two of such a message: a clause for why, and the list; "" nothing. Ask before
 * baseline_event(), or, settled, after it: it will change nothing of that. */
bool baseline_settled(struct baseline *b, const struct rec_event *e);
void baseline_learned(struct baseline *b, const struct rec_event *e, char *why, size_t why_len, char *expected,
                      size_t expected_len);
/* Did the operator take the alert of that key (alert_key()) for normal? */
bool baseline_accepted(const struct baseline *b, uint64_t key);
/* Is the link of that digest (0: the whole sensor) still learning? */
bool baseline_learning(struct baseline *b, uint64_t link_digest);
/* Only one direction of it was seen so far. */
bool baseline_link_one_way(struct baseline *b, uint64_t link_digest);
/* Links in use in each counts window so far, and not in the one that ends now. */
enum { VANISHED_NAMED = 4 };
struct baseline_vanished {
    uint32_t steady, gone;
    uint16_t vlan; /* 0: all links, of whatever VLAN */
    unsigned n_named;
    struct addr client[VANISHED_NAMED], server[VANISHED_NAMED];
};
/* A counts window ends. True: so many are gone at once that it is no matter of one device. */
bool baseline_vanished(struct baseline *b, struct baseline_vanished *ret);
/* What was heard before is no measure any more. */
void baseline_heard_anew(struct baseline *b);
/* Who talks on it, in the digest's own order; false: not known (any more). */
bool baseline_link_ends(struct baseline *b, uint64_t link_digest, uint16_t *net, struct addr *client,
                        struct addr *server);

/* What records that come soon are about. */
enum { BASELINE_AHEAD = 16 };
struct baseline_ahead {
    uint64_t digest; /* of a link, or, fact, of a fact; 0: none */
    uint32_t row;    /* where that was found; 0 not (yet) */
    bool fact;
};
/* Called with each record before its turn: brings what the last ones ask for into the cache, a part at a time. Changes
 * nothing of what is known. a: a ring, the newest at `at`. */
void baseline_look_ahead(const struct baseline *b, struct baseline_ahead a[BASELINE_AHEAD], unsigned at);

struct baseline_stats {
    uint32_t assets, links, funcs, ops, idents, names, digests;
    uint64_t evicted_assets, evicted_links, evicted_funcs, evicted_ops, evicted_idents, evicted_digests;
    uint64_t evicted_names, evicted_incidents, evicted_scanners;
    uint64_t unattributed;           /* counts whose fact or link is no longer known */
    uint64_t deviations, folded, flooded, learned;
    uint64_t memory;                 /* bytes taken at start */
};
void baseline_stats(const struct baseline *b, struct baseline_stats *ret);
void baseline_set_mode(struct baseline *b, enum baseline_mode m);

/* ---- the store ------------------------------------------------------------------------------------------------- */
/* Write the rows that changed since the last call into the sink (all: every row), in a fixed order, parents first.
 * Returns the number written; rows that the sink refuses stay due. */
uint32_t baseline_save(struct baseline *b, const struct row_sink *s, bool all);
/* Rows that baseline_save() would write (an estimate from above): the collector's measure for when to save. */
uint32_t baseline_due(const struct baseline *b);
/* Where store_load() writes: parents before children. */
struct row_sink baseline_loader(struct baseline *b);

/* ---- review ----------------------------------------------------------------------------------------------------- */
/* Learn the fact of a deviation.accept text ("link:0123456789abcdef") with what lies beneath it; 0, -ENOENT, -EINVAL.
 */
int baseline_accept(struct baseline *b, const char *key, uint64_t now_ns, struct err *e);
/* The same for an alert that has no fact to learn: it is not raised any more. 0, -ENOSPC. */
int baseline_accept_alert(struct baseline *b, const struct row_accepted *r, struct err *e);
/* The learned model as text (YAML), one fact a line, deterministic: docs/BASELINE.md. all: also what is not learned. */
int baseline_export(struct baseline *b, FILE *f, bool all, struct err *e);
struct baseline_text {
    bool (*knows_app)(void *ctx, const char *name); /* of protocols that are not dissected; NULL: any will do */
    void *ctx;
    uint32_t assets, links, facts, accepted;        /* what was taken, and ... */
    uint32_t skipped;                               /* ... what is marked as not learned */
};
/* Learn what such a text says; nothing is changed when a line is wrong ("name:line:column: ..."). */
int baseline_import(struct baseline *b, FILE *f, const char *name, uint64_t now_ns, struct baseline_text *x,
                    struct err *e);
