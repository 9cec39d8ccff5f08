/* visibility.h: when much is not seen any more at once, it is not that many devices fell silent: the network has found
 * another way, or the mirror was changed. One alert for all of it. Collector only. */
#pragma once

#include "engine/absent.h"
#include "engine/topology.h"

struct baseline;

struct visibility {
    struct absent absent;
    struct rec_topology first; /* of this window */
    uint32_t changes;          /* told in this window */
    bool changed_before;       /* in the window before it */
    uint64_t tick_ns;          /* the last one; 0 none */
};

void visibility_topology(struct visibility *v, const struct rec_topology *r);
/* The window ends. What fell silent is told: together, or one by one. */
void visibility_tick(struct visibility *v, struct baseline *b, struct raise *r, const struct rec_tick *t);
