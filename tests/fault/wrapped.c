#include "tests/fault/wrapped.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

static void *refuse(void)
{
    errno = ENOMEM;
    return NULL;
}

void *__wrap_malloc(size_t n)
{
    return on_alloc("malloc", n, __builtin_return_address(0)) ? __real_malloc(n) : refuse();
}

void *__wrap_calloc(size_t n, size_t size)
{
    return on_alloc("calloc", n * size, __builtin_return_address(0)) ? __real_calloc(n, size) : refuse();
}

void *__wrap_realloc(void *p, size_t n)
{
    return on_alloc("realloc", n, __builtin_return_address(0)) ? __real_realloc(p, n) : refuse();
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
    return on_alloc("aligned_alloc", n, __builtin_return_address(0)) ? __real_aligned_alloc(align, n) : refuse();
}

char *__wrap_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = on_alloc("strdup", n, __builtin_return_address(0)) ? __real_malloc(n) : refuse();
    return p ? memcpy(p, s, n) : NULL;
}

char *__wrap_strndup(const char *s, size_t max)
{
    size_t n = strnlen(s, max);
    char *p = on_alloc("strndup", n + 1, __builtin_return_address(0)) ? __real_malloc(n + 1) : refuse();
    if (p) {
        memcpy(p, s, n);
        p[n] = 0;
    }
    return p;
}
