/* main.c: the subcommands. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "engine/cmd.h"

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *args, *what;
} commands[] = {
#define CMD(name, args, what) {#name, cmd_##name, args, what},
#include "engine/cmd.def"
#undef CMD
};

static void usage(FILE *f)
{
    fprintf(f, "tyto: passive OT network sensor with deep packet inspection\n\nusage: tyto COMMAND [OPTION]...\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(f, "  %-10s %-44s %s\n", commands[i].name, commands[i].args, commands[i].what);
    fprintf(f, "\n  tyto COMMAND --help tells more. Exit status: 0 done, 1 the work failed, 2 wrong usage.\n");
}

/* A listing that could not be written is no success. A reader who has gone wants no more: that is none's failure. */
static int written(int status)
{
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE)
        return status;
    fprintf(stderr, "tyto: standard output: cannot be written: %s\n", strerror(errno ? errno : EIO));
    return status ? status : 1;
}

static int run(size_t i, int argc, char **argv)
{
    char name[32]; /* what getopt's messages begin with */
    snprintf(name, sizeof name, "tyto %s", commands[i].name);
    argv[0] = name;
    return written(commands[i].main(argc, argv));
}

int main(int argc, char **argv)
{
    mallopt(M_ARENA_MAX, 1); /* SQLite's thread would get a heap of its own, which grows by a system call a page */
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)) {
        usage(stdout);
        return written(0);
    }
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        printf("tyto %s\n", TYTO_VERSION);
        return written(0);
    }
    for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run(i, argc - 1, argv + 1);
    if (argc >= 2)
        fprintf(stderr, "tyto: there is no command '%s'\n", argv[1]);
    usage(stderr);
    return 2;
}
