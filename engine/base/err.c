#include "engine/base/err.h"

#include <stdarg.h>
#include <stdio.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (e)
        vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return code;
}
