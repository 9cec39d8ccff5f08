/* lanes.h: workers that each read a queue of the source themselves, from the packet to the record. The kernel or the
 * card spreads the packets; what it gives to the wrong worker (a tunnel's inside, what it cannot read) is handed over
 * to the one that owns the shard. Live only: the order between the queues is that of the packets' times.
 *
 * Hand-over rings: one for each pair of workers. A worker that waits for room takes what was handed to it meanwhile, so
 * two that wait for each other go on. */
#pragma once

#include "engine/engine_int.h"

/* g becomes lane 0 of conf.n_workers. -ENOMEM; then lanes_free() is still right. */
int lanes_new(struct engine *g) MUST_USE;
void lanes_free(struct lanes *l); /* not lane 0 itself; NULL is fine */
uint64_t lanes_bytes(const struct engine_conf *conf);
/* The readers of an engine; one, itself, where it has no lanes. */
unsigned lanes_n(const struct engine *g);
const struct engine *lanes_at(const struct engine *g, unsigned i);
/* The number by which records are merged: the time, counted up where it does not pass. tick: a boundary, before all
 * packets of the same time, and the same in all lanes. */
uint64_t lanes_order(struct engine *g, uint64_t ts_ns, bool tick);
/* A packet that this lane has read, to its worker. */
void lanes_packet(struct engine *g, const struct pkt *p, const struct job *j);
/* engine_run() */
int lanes_run(struct engine *g);
