/* opts.h: the options that replay and run share. */
#pragma once

#include <getopt.h>

#include "engine/pipeline.h"

enum { OPT_STATS = 256, OPT_LEARN, OPT_DETECT, OPT_NO_RULES, OPT_NO_NDPI, OPT_OUI_EXCERPT, OPT_OWN };

#define OPTS_SHORT "c:d:o:e:r:w:qh"
/* clang-format off */
#define OPTS_LONG                                                                                                     \
    {"help", 0, 0, 'h'}, {"config", 1, 0, 'c'}, {"db", 1, 0, 'd'}, {"alerts", 1, 0, 'o'}, {"events", 1, 0, 'e'},     \
    {"rules", 1, 0, 'r'}, {"workers", 1, 0, 'w'}, {"quiet", 0, 0, 'q'}, {"stats", 1, 0, OPT_STATS},                   \
    {"learn", 0, 0, OPT_LEARN}, {"detect", 0, 0, OPT_DETECT}, {"no-default-rules", 0, 0, OPT_NO_RULES},               \
    {"no-ndpi", 0, 0, OPT_NO_NDPI}, {"oui-excerpt", 0, 0, OPT_OUI_EXCERPT}
/* clang-format on */

/* Takes one of the above. 0 taken; 2 wrong usage, told; -1 not one of them. cmd: "replay". */
int opts_take(struct pipe_opts *o, const char *cmd, int c) MUST_USE;
