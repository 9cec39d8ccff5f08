/* absent.h: publishers that did not speak in time: held until their window ends, in which they may speak again, and
 * longer while packets are lost. Collector only. */
#pragma once

#include <stdbool.h>

#include "engine/base/record.h"

struct raise;

enum { ABSENT_HELD = 64 /* more at a time are counted */ };
struct absent_one {
    struct rec_absent r;
    uint32_t windows; /* that it was held for */
};
struct absent {
    struct absent_one held[ABSENT_HELD];
    unsigned n;
    uint64_t more; /* beyond, since the last tick */
};

void absent_add(struct absent *a, const struct rec_absent *r);
/* The window ends (last: with the input). Tells what is not held on. */
void absent_tick(struct absent *a, struct raise *r, uint64_t ts_ns, bool last);
