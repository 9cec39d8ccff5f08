/* cmd_replay.c: tyto replay */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/hash.h"
#include "engine/cmd.h"
#include "engine/engine.h"
#include "engine/env.h"

static volatile sig_atomic_t stopped;

struct args {
    const char *conf, *db, *alerts, *events, *stats;
    unsigned workers;
    char **captures;
    unsigned n_captures;
};

static void usage(FILE *f)
{
    fputs("usage: tyto replay [OPTION]... CAPTURE...\n\n"
          "Reads pcap and pcapng files (gzip'ed too, - is standard input), merged by time.\n\n"
          "  -e EVENTS   every message as a JSON line (- is standard output)\n"
          "  -w N        workers (default 1); the results are the same for any number\n",
          f);
}

static int parse(int argc, char **argv, struct args *a)
{
    static const struct option longs[] = {{"help", 0, 0, 'h'}, {"stats", 1, 0, 's'}, {0}};
    int c;
    *a = (struct args){.workers = 1, .db = "tyto.db"};
    while ((c = getopt_long(argc, argv, "c:d:o:e:r:w:h", longs, NULL)) != -1)
        switch (c) {
        case 'e':
            a->events = optarg;
            break;
        case 'w':
            a->workers = (unsigned)atoi(optarg);
            if (a->workers < 1 || a->workers > N_SHARDS) {
                fprintf(stderr, "tyto replay: -w takes 1 to %d\n", N_SHARDS);
                return 2;
            }
            break;
        case 'd':
        case 'o':
        case 'c':
        case 'r':
        case 's':
            break;
        case 'h':
            usage(stdout);
            return -1;
        default:
            usage(stderr);
            return 2;
        }
    a->captures = argv + optind;
    a->n_captures = (unsigned)(argc - optind);
    if (!a->n_captures) {
        usage(stderr);
        return 2;
    }
    return 0;
}

int cmd_replay(int argc, char **argv)
{
    struct args a;
    struct err e;
    struct source *src;
    struct engine *g;
    static struct shard_env env;
    static struct site site;
    struct textout events;
    struct collector col = {0};
    int r = parse(argc, argv, &a), status = 0;
    if (r)
        return r < 0 ? 0 : r;
    if (dissectors_check(&e)) {
        fprintf(stderr, "tyto: %s\n", e.text);
        return 1;
    }
    if (source_open_files((const char *const *)a.captures, a.n_captures, &e, &src)) {
        fprintf(stderr, "tyto: %s\n", e.text);
        return 1;
    }
    env.site = &site;
    env.hash_key = HASH_ID_KEY;
    env.log_events = a.events != NULL;
    env_ports(&env);
    env_names(&env, src);
    if (a.events) {
        if (textout_open(&events, a.events, false, &e)) {
            fprintf(stderr, "tyto: %s\n", e.text);
            return 1;
        }
        col.events = &events;
    }
    struct engine_conf conf = {.shard = shard_conf_default, .n_workers = a.workers, .ring_bytes = 8 << 20,
                               .time_jump_ns = 3600 * UINT64_C(1000000000), .env = &env, .collector = &col};
    if (engine_new(&g, &conf, &e)) {
        fprintf(stderr, "tyto: %s\n", e.text);
        return 1;
    }
    r = engine_run(g, src, &stopped);
    for (unsigned i = 0; source_fault(src, i); i++) {
        const struct source_fault *f = source_fault(src, i);
        fprintf(stderr, "tyto: %s\n", f->text);
        if (f->cls == SOURCE_ERROR)
            status = 1;
    }
    if (a.events && textout_close(&events))
        status = 1;
    engine_free(g);
    source_close(src);
    return r ? 1 : status;
}
