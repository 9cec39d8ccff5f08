/* conf.h: the configuration file as one read-only tree. Every key stands in the table of conf_keys.c, from which
 * `tyto config show` and `tyto config --help` print; docs/CONFIGURATION.md explains them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/err.h"
#include "engine/base/limits_conf.h"
#include "engine/base/site.h"

enum conf_mode {
    CONF_MODE_AUTO,   /* learn on a new database, and go live link by link as learning ends */
    CONF_MODE_LEARN,  /* learn everything that is not condemned, silently */
    CONF_MODE_LIVE,   /* judge what is past its learning, learn what is not */
    CONF_MODE_DETECT, /* judge, learn nothing */
};
extern const char *const conf_modes[]; /* by enum conf_mode, NULL-terminated */

struct conf_learning {  /* as struct baseline_conf */
    uint64_t period_ns; /* a link or asset learns at least so long after it was first seen */
    uint64_t quiet_ns;  /* and until nothing new was seen of it for so long */
    uint64_t fold_ns;   /* what follows from a novelty within this time is counted in its alert */
    uint64_t scan_ns;   /* scans are counted over this time */
    uint64_t scan_addresses, scan_ports, scan_controllers;
    uint64_t read_gap;         /* learned read ranges closer than this are one range */
    uint64_t router_addresses; /* a MAC with more IP addresses than this is a router */
};

struct dis_setting;
enum { CONF_PROTO_PORTS = 16, CONF_SETTINGS = 4 };
struct conf_proto {
    const char *name;                                      /* of a schema */
    bool off;                                              /* not dissected */
    uint16_t tcp[CONF_PROTO_PORTS], udp[CONF_PROTO_PORTS]; /* in addition to the registered ones */
    uint32_t n_tcp, n_udp;
    uint8_t setting[CONF_SETTINGS]; /* in the order of the dissector's table; 0: not configured */
};

struct conf_rules {
    const char *const *files;                   /* NULL-terminated, like the next two */
    const char *const *enable, *const *disable; /* ids of rules */
    bool defaults;                              /* the shipped rules */
};

struct alert_change;
struct conf_alerts {
    uint64_t window_ns;               /* repetitions within it are one update */
    uint64_t rate;                    /* first alerts of one type in one window; what is beyond folds into one */
    uint64_t evidence_bytes;          /* bytes of the message shown */
    const struct alert_change *types; /* alerts/alert.h: off, or another severity */
    uint32_t n_types;
};

enum conf_output_type { OUTPUT_FILE };
enum conf_output_what { OUTPUT_ALERTS, OUTPUT_EVENTS };
struct conf_output {
    enum conf_output_type type;
    enum conf_output_what what;
    const char *path; /* "-": standard output */
    uint8_t severity; /* alerts: this and worse only (1 critical .. 4 warning: all) */
};

struct conf_run {
    const char *user; /* NULL: stays who it is */
    uint16_t cpus[64];
    uint32_t n_cpus;  /* 0: all */
    uint64_t workers; /* 0: one for each of cpus; without those one less than the machine has */
    const char *filter;            /* libpcap's language; NULL: all */
    uint64_t snaplen, buffer_bytes, dpdk_mbufs; /* 0: as the source likes */
    bool promiscuous, immediate, adapter_time;
    bool wait;                     /* interfaces that are not there at the start are waited for */
    const char *const *dpdk_args;  /* NULL-terminated */
    uint64_t stats_ns;             /* packet time between two stats events; 0: none */
    const char *metrics;           /* where Prometheus asks: "127.0.0.1:9464" or the path of a socket; NULL: nowhere */
    const char *capture_dir;       /* packets around alerts; NULL: nowhere */
    uint64_t capture_before_ns, capture_after_ns, capture_ring, capture_file, capture_total;
    uint64_t silence_ns;           /* least time without packets that is told; 0: never */
};

struct conf {
    const char *path; /* NULL: defaults only */
    enum conf_mode mode;
    struct site site;
    struct conf_learning learning;
    struct limits limits;
    const struct conf_proto *protocols;
    struct conf_rules rules;
    struct conf_alerts alerts;
    const struct conf_output *outputs;
    struct conf_run run;
    uint32_t n_protocols, n_outputs;
    uint64_t duplicate_ns; /* limits.duplicate_window */
    uint64_t time_jump_ns; /* limits.time_jump: beyond it engine time re-bases */
    void *mem_;            /* everything above lies here */
};

/* path NULL: the defaults. On failure *e tells file, line, column, what was found and what was expected. */
int conf_load(struct conf **ret, const char *path, struct err *e) MUST_USE;
/* The same from memory; name stands in messages. */
int conf_parse(struct conf **ret, const char *name, const char *text, size_t n, struct err *e) MUST_USE;
void conf_free(struct conf *c);
/* A line for each user, folder and processor of `run` that this machine lacks; for the processors only. By a process
 * that has one thread yet. who: what the lines begin with. */
void conf_warn_machine(const struct conf *c, const char *who, FILE *f);
void conf_warn_cpus(const struct conf *c, const char *who, FILE *f);
/* ---- the table of all keys (conf_keys.c) ------------------------------------------------------------------------ */
struct conf_key {
    const char *path; /* "zones[].purdue": [] is a list's member, <name> any name */
    const char *type; /* "text", "duration", "list of subnets", ... */
    const char *def;  /* NULL: none */
    const char *doc;
};
extern const struct conf_key
    conf_keys[]; /* ends with path NULL; grouped by top-level key, in the order of the documents */
/* The effective configuration as YAML that can be read back, or as JSON. */
void conf_show(const struct conf *c, bool json, FILE *f);

/* What is said of a protocol, NULL: nothing. */
/* The n-th setting of a protocol; NULL: it has none. */
const struct dis_setting *conf_setting(const char *schema, unsigned n);
const struct conf_proto *conf_proto(const struct conf *c, const char *schema);
