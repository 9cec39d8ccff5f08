/* cyclic.h: what is sent in a fixed cycle at layer 2 counts its frames: a count that leaves some out tells of frames
 * that never came to the sensor (unseen.h). Sampled Values: smpCnt (IEC 61850-9-2 8.5.3); PROFINET cyclic data: the
 * cycle counter of the APDU status (IEC 61158-6-10 4.7.2.1). The step from frame to frame is learned, stream by stream.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct shard;
struct flow;
struct pkt;
struct layers;

struct cyclic_stream {
    uint64_t key;     /* of flow and stream; 0: free */
    uint64_t last_ns;
    uint16_t last, step;
    uint8_t steady;   /* frames in a row with that step */
};
enum { CYCLIC_STREAMS = 128, ETHERTYPE_SV = 0x88ba, ETHERTYPE_PROFINET = 0x8892 };
struct cyclic {
    struct cyclic_stream stream[CYCLIC_STREAMS]; /* by key; one whose place is taken by a living one is not watched */
};

static inline bool cyclic_type(uint16_t ethertype)
{
    return ethertype == ETHERTYPE_PROFINET || ethertype == ETHERTYPE_SV;
}
void cyclic_frame(struct shard *s, const struct flow *f, unsigned side, const struct pkt *p, const struct layers *l);
