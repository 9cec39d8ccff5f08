/* cmd.h: the subcommands: argv[0] is "tyto" and the command's name; the exit status is returned. */
#pragma once

#include "engine/base/err.h"

#define CMD(name, args, what) int cmd_##name(int argc, char **argv);
#include "engine/cmd.def"
#undef CMD

/* Wrong usage: what was found and what was expected, on one line that ends with where to read on. Returns 2. */
int cmd_wrong(const char *cmd, const char *fmt, ...) PRINTF(2, 3);
/* The same of a command's first word; NULL: there was none. */
int cmd_wrong_word(const char *cmd, const char *word, const char *expected);
/* The end of that line alone, behind what getopt has told. Returns 2. */
int cmd_help(const char *cmd);
