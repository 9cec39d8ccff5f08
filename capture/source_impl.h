/* source_impl.h: what every back end of source.h embeds. For files of capture/ only. */
#pragma once

#include "capture/source.h"

enum {
    SOURCE_IFACES = 1024, /* interface names; more share index 0 */
    IFACE_NAME = 64,      /* bytes of one, NUL included; longer ones are cut */
};

/* The first member of every back end's own struct. */
struct source {
    const struct source_ops *ops;
    char **files; /* n_files names, owned */
    unsigned n_files, n_ifaces, n_faults;
    char (*ifaces)[IFACE_NAME];  /* SOURCE_IFACES of them */
    struct source_fault *faults; /* SOURCE_FAULTS of them */
    struct source_stats stats;
};

/* Copies the names. On failure source_done is still right. */
int source_init(struct source *s, const struct source_ops *ops, const char *const *files, unsigned n) MUST_USE;
void source_done(struct source *s);
/* The index of the name, which is new or known; 0 for no name or a full table. */
uint16_t source_add_iface(struct source *s, const void *name, unsigned len);
void source_add_fault(struct source *s, enum source_class cls, unsigned file, const char *fmt, ...) PRINTF(4, 5);

/* Faults of a part of s that are new: *told of them were handed on before. file0: number of its first file in s. */
void source_take_faults(struct source *s, const struct source *part, unsigned *told, unsigned file0);

extern const struct source_ops source_file_ops;
extern const struct source_ops source_pcap_ops;
extern const struct source_ops source_tap_ops;
extern const struct source_ops source_dpdk_ops; /* in a library of its own: dpdk.c, or dpdk_none.c */
extern const struct source_ops source_fan_ops; /* fan.c; has no scheme */

/* In the place of a queue that a port does not have: its names, and never a packet. */
int source_idle(const struct source *like, struct err *e, struct source **ret) MUST_USE;
