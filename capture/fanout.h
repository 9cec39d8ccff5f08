/* fanout.h: one interface, several packet sockets: the kernel gives each packet to one of them, by the shard rule of
 * engine/base/spread.h. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"

struct sock_filter;
enum { FANOUT_MOST = 512 }; /* instructions */

/* The program in classic BPF: the shard of a packet, of which the kernel takes the remainder by the number of sockets.
 * 0 where it cannot tell: what is hidden behind a tunnel's header, or does not lie in the part of the packet that it
 * can read. ret: FANOUT_MOST instructions. Returns their number. */
unsigned fanout_program(struct sock_filter *ret);

/* What the queues of one interface share. Each is opened and read by a thread of its own. A socket's place in the group
 * is the order in which it joined: the queues join in turn, and when one has left, all leave and begin anew. */
struct fanout {
    pthread_mutex_t lock;
    unsigned n_queues, joined, open, users;
    int id;                   /* the kernel's number of the group */
    _Atomic unsigned epoch;   /* counts how often the group fell apart */
    _Atomic uint32_t frames;  /* packet numbers, one row for all queues */
};

struct fanout *fanout_new(unsigned n_queues); /* NULL: no memory */
struct fanout *fanout_share(struct fanout *f);
void fanout_leave(struct fanout *f);          /* the last one frees it; NULL is fine */

bool fanout_turn(struct fanout *f, unsigned queue); /* may it join now? */
/* The socket becomes the group's next member; it was this queue's turn. -errno where the kernel refuses. */
int fanout_join(struct fanout *f, unsigned queue, int fd) MUST_USE;
/* A member's socket was closed. The others, which see that the epoch is another one, must close theirs. */
void fanout_closed(struct fanout *f);

/* A socket receives from the moment it is bound, before it can join: nothing passes until this is taken off again. */
int fanout_mute(int fd) MUST_USE;
void fanout_unmute(int fd);
