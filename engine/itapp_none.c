/* itapp_none.c: the door to nDPI where the library is not there. */
#include <stddef.h>
#include <string.h>

#include "engine/itapp.h"

struct itapp *itapp_new(void)
{
    return NULL;
}

void itapp_free(struct itapp *n)
{
    (void)n;
}

bool itapp_knows(const struct itapp *n, const char *name)
{
    (void)n, (void)name;
    return false;
}

void itapp_feed(struct itapp *n, void **state, const uint8_t *ip, uint32_t len, uint64_t ts_ns, struct itapp_found *ret)
{
    (void)n, (void)state, (void)ip, (void)len, (void)ts_ns;
    memset(ret, 0, sizeof *ret);
}

void itapp_flow_free(void *state)
{
    (void)state;
}
