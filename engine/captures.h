/* captures.h: packets around an alert, as a pcapng file with the alert's uid. A thread of its own writes them, out of
 * the ring of recent packets; the oldest files make room for new ones. Live runs only. */
#pragma once

#include "alerts/alert.h"
#include "engine/recent.h"

struct captures_conf {
    const char *dir;
    unsigned n_rings; /* threads that add packets; they share ring_bytes */
    uint64_t before_ns, after_ns;
    uint64_t ring_bytes, file_bytes, total_bytes;
    const char *(*iface_name)(const void *arg, unsigned iface);
    const void *name_arg;
};
struct captures_stats {
    uint64_t written, failed, refused, removed; /* refused: too many at a time */
};

struct captures;
int captures_open(struct captures **ret, const struct captures_conf *c, struct err *e) MUST_USE;
/* Writes what is still owed. NULL is fine. */
void captures_close(struct captures *c);
struct recent *const *captures_rings(struct captures *c);
/* Packet time, from any thread. */
void captures_time(struct captures *c, uint64_t now_ns);
/* alert_conf.capture: the file that this alert gets (the same for each call of one uid); NULL: none. ctx: the above. */
const char *captures_take(void *ctx, const struct alert_in *in, uint64_t uid);
