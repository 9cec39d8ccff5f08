/* bench_decode.c: nanoseconds a packet for reading a capture file, and for reading and decoding it.
 *
 *   bench_decode FILE [ROUNDS]      one core; the best of ROUNDS (5) is printed */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "capture/source.h"
#include "engine/decode.h"

enum { BATCH = 128 };

enum mode { READ, TOUCH, DECODE, SHARD, N_MODES };
static const char *const names[N_MODES] = {"read", "read, touch 64 B", "read, decode", "read, decode, shard"};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t touch(const struct pkt *p)
{
    uint64_t sum = 0, v;
    uint32_t n = p->caplen < 64 ? p->caplen : 64;
    for (uint32_t i = 0; i + 8 <= n; i += 8) {
        memcpy(&v, p->data + i, 8);
        sum += v;
    }
    return sum;
}

static uint64_t batch(enum mode mode, struct decoder *d, const struct pkt *p, int n)
{
    uint64_t sum = 0;
    struct layers l;
    for (int i = 0; i < n; i++) {
        if (mode == READ) {
            sum += p[i].caplen;
        } else if (mode == TOUCH) {
            sum += touch(&p[i]);
        } else {
            decode(d, &p[i], &l);
            sum += l.payload_len + (mode == SHARD ? decode_shard(&l) : 0);
        }
    }
    return sum;
}

/* Seconds; packets and a sum that keeps the compiler honest. -1: cannot be read. */
static double run(enum mode mode, const char *path, uint64_t *packets, uint64_t *sum)
{
    static const struct decode_limits lim = {.frag_datagrams = 256, .frag_bytes = 1 << 20, .batch = 1};
    struct err e;
    struct source *s;
    struct pkt p[BATCH];
    struct decoder *d = decoder_new(&lim);
    double t = now_s();
    int n;
    *packets = *sum = 0;
    if (!d || source_open_files(&path, 1, &e, &s) < 0)
        return -1;
    while ((n = source_poll(s, p, BATCH)) >= 0) {
        *packets += (unsigned)n;
        *sum += batch(mode, d, p, n);
    }
    t = now_s() - t;
    const struct source_fault *f = source_fault(s, 0);
    if (f)
        fprintf(stderr, "%s\n", f->text);
    source_close(s);
    decoder_free(d);
    return t;
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[2]) : 5;
    if (argc < 2 || rounds < 1) {
        fprintf(stderr, "usage: bench_decode FILE [ROUNDS]\n");
        return 2;
    }
    for (enum mode m = READ; m < N_MODES; m++) {
        double best = 1e9;
        uint64_t packets = 0, sum = 0;
        for (int i = 0; i < rounds; i++) {
            double t = run(m, argv[1], &packets, &sum);
            best = t >= 0 && t < best ? t : best;
        }
        if (packets)
            printf("%-20s %8.2f ns/packet %8.2f Mpps (%llu packets, sum %llx)\n", names[m],
                   best * 1e9 / (double)packets, (double)packets / best / 1e6, (unsigned long long)packets,
                   (unsigned long long)sum);
    }
    return 0;
}
