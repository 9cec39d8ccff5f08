/* wrapped.h: every allocation of the project's own code, caught by the linker (--wrap). What libraries (SQLite,
 * libyaml, libc itself) allocate inside is not seen. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Called before each allocation, in the thread that asks for it; false: it fails. where: the caller's address. */
bool on_alloc(const char *what, size_t size, const void *where);

#define WRAPPED(x) x(malloc) x(calloc) x(realloc) x(aligned_alloc) x(strdup) x(strndup)
