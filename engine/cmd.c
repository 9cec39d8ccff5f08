#include "engine/cmd.h"

#include <stdarg.h>
#include <stdio.h>

int cmd_help(const char *cmd)
{
    fprintf(stderr, "tyto %s --help tells more\n", cmd);
    return 2;
}

int cmd_wrong(const char *cmd, const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "tyto %s: ", cmd);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputs("; ", stderr);
    return cmd_help(cmd);
}

int cmd_wrong_word(const char *cmd, const char *word, const char *expected)
{
    return word ? cmd_wrong(cmd, "found '%s', expected %s", word, expected)
                : cmd_wrong(cmd, "found nothing, expected %s", expected);
}
