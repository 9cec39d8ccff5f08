#include "engine/base/text.h"

#include <stdbool.h>
#include <stdio.h>

struct out {
    char *to;
    size_t n, cap; /* n: of the whole text; what is beyond cap is left out */
};

static void put(struct out *o, const char *s, size_t n)
{
    size_t room = o->n < o->cap ? o->cap - o->n : 0, fits = n < room ? n : room;
    if (fits)
        memcpy(o->to + o->n, s, fits);
    o->n += n;
}

static void put_number(struct out *o, uint64_t v, bool hex, unsigned width)
{
    char t[20];
    unsigned n = hex ? (unsigned)(text_hex16(t, v) - t) : (unsigned)(text_dec(t, v) - t), zeros = 0;
    while (hex && zeros < n - 1 && t[zeros] == '0')
        zeros++;
    for (; n - zeros < width; width--)
        put(o, "0", 1);
    put(o, t + zeros, n - zeros);
}

/* %s, or %.*s: at most so many octets. */
static bool put_text(struct out *o, const char *s, int most)
{
    if (most < 0 || (!s && most))
        return false;
    put(o, s, most ? strnlen(s, (size_t)most) : 0);
    return true;
}

/* One conversion; f is behind its %. Returns what follows it; NULL: one that is not known here. */
static const char *convert(struct out *o, const char *f, va_list *args)
{
    if (*f == 's')
        return put_text(o, va_arg(*args, const char *), INT32_MAX) ? f + 1 : NULL;
    if (strncmp(f, ".*s", 3) == 0) {
        int most = va_arg(*args, int);
        return put_text(o, va_arg(*args, const char *), most) ? f + 3 : NULL;
    }
    if (*f == 'c') {
        char c = (char)va_arg(*args, int);
        put(o, &c, 1);
        return f + 1;
    }
    bool wide = f[0] == 'l' && f[1] == 'l', zeros = f[0] == '0' && f[1] >= '1' && f[1] <= '9';
    unsigned width = zeros ? (unsigned)(f[1] - '0') : 0;
    f += wide || zeros ? 2 : 0;
    if (*f != 'u' && *f != 'x')
        return NULL;
    put_number(o, wide ? va_arg(*args, unsigned long long) : va_arg(*args, unsigned), *f == 'x', width);
    return f + 1;
}

unsigned text_vfmt(char *to, unsigned cap, const char *fmt, va_list args)
{
    struct out o = {.to = to, .cap = cap - 1};
    va_list a;
    va_copy(a, args);
    const char *f = fmt;
    while (f && *f) {
        const char *plain = f;
        while (*f && *f != '%')
            f++;
        put(&o, plain, (size_t)(f - plain));
        if (*f)
            f = convert(&o, f + 1, &a);
    }
    va_end(a);
    int n = f ? (int)o.n : vsnprintf(to, cap, fmt, args);
    return n < 0 ? 0 : n < (int)cap ? (unsigned)n : cap - 1;
}
