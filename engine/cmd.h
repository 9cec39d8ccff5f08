/* cmd.h: the subcommands: argv[0] is the command's name; the exit status is returned. */
#pragma once

#define CMD(name, args, what) int cmd_##name(int argc, char **argv);
#include "engine/cmd.def"
#undef CMD
