#include "engine/opts.h"

#include <stdio.h>
#include <stdlib.h>

static int number(const char *s, unsigned least, unsigned most, unsigned *ret)
{
    char *end;
    unsigned long v = strtoul(s, &end, 10);
    if (*s < '0' || *s > '9' || *end || v < least || v > most)
        return -EINVAL;
    *ret = (unsigned)v;
    return 0;
}

static int force_mode(struct pipe_opts *o, const char *cmd, int mode)
{
    if (o->mode >= 0 && o->mode != mode) {
        fprintf(stderr, "tyto %s: found --learn and --detect, expected one of them\n", cmd);
        return 2;
    }
    o->mode = mode;
    return 0;
}

static int add_rules(struct pipe_opts *o, const char *cmd)
{
    if (o->n_rules == PIPE_MAX_RULES) {
        fprintf(stderr, "tyto %s: at most %d times -r\n", cmd, PIPE_MAX_RULES);
        return 2;
    }
    o->rules[o->n_rules++] = optarg;
    return 0;
}

int opts_take(struct pipe_opts *o, const char *cmd, int c)
{
    switch (c) {
    case 'c': o->conf = optarg; return 0;
    case 'd':
        o->db = optarg;
        if (!*optarg)
            fprintf(stderr, "tyto %s: -d: found no name, expected a file or :memory:\n", cmd);
        return *optarg ? 0 : 2;
    case 'o': o->alerts = optarg; return 0;
    case 'e': o->events = optarg; return 0;
    case 'q': o->quiet = true; return 0;
    case 'r': return add_rules(o, cmd);
    case OPT_STATS: o->stats = optarg; return 0;
    case OPT_LEARN: return force_mode(o, cmd, BASE_LEARN);
    case OPT_DETECT: return force_mode(o, cmd, BASE_DETECT);
    case OPT_NO_RULES: o->no_default_rules = true; return 0;
    case OPT_NO_NDPI: o->no_ndpi = true; return 0;
    case OPT_OUI_EXCERPT: o->oui_excerpt = true; return 0;
    case 'w':
        if (number(optarg, 1, N_SHARDS, &o->workers)) {
            fprintf(stderr, "tyto %s: -w: found '%s', expected a number from 1 to %d\n", cmd, optarg, N_SHARDS);
            return 2;
        }
        return 0;
    default: return -1;
    }
}
