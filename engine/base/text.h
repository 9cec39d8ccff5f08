/* text.h: short texts without printf, for keys that are made for each message. Each writes at `to`, which has the room,
 * no NUL, and returns the place behind. */
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

static inline char *text_put(char *to, const char *s)
{
    size_t n = strlen(s);
    memcpy(to, s, n);
    return to + n;
}

/* At most 20 digits. */
static inline char *text_dec(char *to, uint64_t v)
{
    char t[20];
    unsigned k = sizeof t;
    do
        t[--k] = (char)('0' + v % 10);
    while (v /= 10);
    memcpy(to, t + k, sizeof t - k);
    return to + (sizeof t - k);
}

/* 16 digits */
static inline char *text_hex16(char *to, uint64_t v)
{
    for (unsigned i = 16; i--; v >>= 4)
        to[i] = "0123456789abcdef"[v & 15];
    return to + 16;
}

/* vsnprintf() but for the NUL: at most cap - 1 octets, whose number it returns; nothing where that fails. What is made
 * of %s, %.*s, %c, %u, %x, %llu, %llx and numbers with zeros in front (%04x) is made here, at a tenth of the work. */
unsigned text_vfmt(char *to, unsigned cap, const char *fmt, va_list args);
