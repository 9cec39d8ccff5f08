/* player.h: a capture in memory, played through one shard as a worker would, and what came out as text.
 *
 * Every payload is handed over in a heap copy of exactly its size, so that a sanitizer sees each read beyond it. */
#pragma once

#include "engine/conf.h"
#include "engine/shard.h"
#include "engine/worker.h"

struct step { /* one packet, or a piece of one */
    struct pkt pkt;
    struct job job;    /* job.lay.payload points into capture.owned; l3 is not kept */
};

struct capture {
    struct step *steps;
    uint32_t n;
    uint8_t **owned;   /* payloads */
    uint32_t n_owned;
};

/* Text that grows. */
struct text {
    char *p;
    size_t n, cap;
};
void text_add(struct text *t, const char *p, size_t n);
void text_line(struct text *t, const char *fmt, ...) PRINTF(2, 3);
void text_free(struct text *t);

/* Reads at most max packets of a capture file and decodes them. 0, or -errno (said on stderr). */
int capture_load(struct capture *c, const char *path, uint32_t max);
void capture_free(struct capture *c);

struct player {
    struct conf *conf;
    struct shard_env *env;
    struct event *scratch;
    struct eng_stats stats;
    struct ring ring;
    struct out out;
    struct shard_conf shard_conf;
    const char *file;
    struct text trace;         /* of the last run: E event, I identity, A anomaly; one a line */
    uint32_t n_events, n_records;
    bool check_json;           /* every event is parsed as JSON */
    bool counts;               /* the trace has counts of facts and links, and no event that was only logged */
    uint32_t n_bad_json;
};

/* Tables of a shard small enough to be made anew for each run. */
struct shard_conf player_shard_conf(void);
int player_init(struct player *p, const char *name);
void player_done(struct player *p);
/* Plays the steps into a new shard; leaves trace, stats and counts. */
void player_run(struct player *p, const struct step *steps, uint32_t n);
