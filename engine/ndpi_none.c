/* ndpi_none.c: the door to nDPI where the library is not there. */
#include <stddef.h>
#include <string.h>

#include "engine/ndpi.h"

struct ndpi *ndpi_open(void)
{
    return NULL;
}

void ndpi_close(struct ndpi *n)
{
    (void)n;
}

void ndpi_feed(struct ndpi *n, void **state, const uint8_t *ip, uint32_t len, uint64_t ts_ns, struct ndpi_found *ret)
{
    (void)n, (void)state, (void)ip, (void)len, (void)ts_ns;
    memset(ret, 0, sizeof *ret);
}

void ndpi_flow_free(void *state)
{
    (void)state;
}
